/*
 * Codes that people type: six digits by SMS, one-time codes of officers and notices. And where a call comes from, for
 * counting.
 */
#ifndef HUFU_RA_CODE_H
#define HUFU_RA_CODE_H

#include "ra/desk.h"

/* Keyed: whoever reads the database can test no code. what separates kinds of codes. */
void code_hash(const struct desk *d, const char *what, const char *about, const char *code, uint8_t ret[32]);

/* n characters of base 32 (letters and digits that are not taken for one another), in groups of four with hyphens. */
#define CODE_CHARS 16
#define CODE_TEXT (CODE_CHARS + 3)
void code_make(char ret[CODE_TEXT + 1]);
/* As it was made, however it was typed: letters upper-case, hyphens and spaces apart. */
void code_normalise(const char *typed, char ret[CODE_TEXT + 1]);

/* For counting: "uid:1001", or "ip:…" of a portal's person (an IPv6 address counts by its /64). */
void code_origin(const struct ctx *c, char ret[ADDRESS_MAX + 1]);

/* --- by SMS -------------------------------------------------------------------------------------------------------- */

struct sms_sent {
	bool sent;       /* false: too early, nothing went out */
	int64_t wait_s;  /* until the next may be asked for */
	int64_t lives_s; /* of the code */
};
/* In the call's transaction: a new code for that number and purpose (and account, 0: none), into the outbox. pretend: all
 * but the message, for a number that nobody has. ERR_RULE sms_limit_number, sms_limit_address. */
MUST_CHECK enum err sms_send(struct ctx *c, const char *mobile, const char *purpose, int64_t account, bool pretend,
			     struct sms_sent *ret, struct fault *f);
/* Is it the code? The try is counted, in a transaction of its own, whatever comes of it. *ret_id: for sms_use(). ERR_DENIED
 * sms_code_wrong: wrong, used, over, tried too often, or never sent. */
MUST_CHECK enum err sms_try(struct ctx *c, const char *mobile, const char *purpose, int64_t account, const char *code,
			    int64_t *ret_id, struct fault *f);
/* In the transaction of what the code is for: it is used up. ERR_DENIED sms_code_wrong when somebody was faster. */
MUST_CHECK enum err sms_use(struct ctx *c, int64_t id, struct fault *f);
/* Within the last hour: picture_sends messages to the number, or half of what the address may ask for? */
MUST_CHECK enum err sms_is_busy(struct ctx *c, const char *mobile, bool *ret, struct fault *f);

#endif

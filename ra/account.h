/*
 * account.*: one account from its first log-in on. Each file holds a part: account_login.c, account_first.c (proof),
 * account_reset.c, account_password.c, account_register.c, account_agent.c (change and freeze), account_session.c, account_case.c.
 */
#ifndef HUFU_RA_ACCOUNT_H
#define HUFU_RA_ACCOUNT_H

#include "ra/desk.h"

enum err account_login(struct ctx *c, json_t **ret, struct fault *f);
enum err account_proof(struct ctx *c, json_t **ret, struct fault *f);
enum err account_prove(struct ctx *c, json_t **ret, struct fault *f);
enum err account_grant(struct ctx *c, json_t **ret, struct fault *f);
enum err account_sms(struct ctx *c, json_t **ret, struct fault *f);
enum err account_reset(struct ctx *c, json_t **ret, struct fault *f);
enum err account_password(struct ctx *c, json_t **ret, struct fault *f);
enum err account_forgot(struct ctx *c, json_t **ret, struct fault *f);
enum err account_register(struct ctx *c, json_t **ret, struct fault *f);
enum err account_link(struct ctx *c, json_t **ret, struct fault *f);
enum err account_check(struct ctx *c, json_t **ret, struct fault *f);
enum err account_logout(struct ctx *c, json_t **ret, struct fault *f);
enum err account_show(struct ctx *c, json_t **ret, struct fault *f);
enum err account_sessions(struct ctx *c, json_t **ret, struct fault *f);
enum err account_end(struct ctx *c, json_t **ret, struct fault *f);
enum err account_find(struct ctx *c, json_t **ret, struct fault *f);
enum err account_choose(struct ctx *c, json_t **ret, struct fault *f);

/* An identifier as accounts are named: without space around, letters A-Z; cut at size. */
void account_normalise(const char *text, char *ret, size_t size);

/* Is this the account's password? Locks and counts by its identifier, as a log-in does; within the name's turn. ERR_DENIED
 * login_wrong, login_locked. */
MUST_CHECK enum err login_attempt(struct ctx *c, const struct account *a, const char *password, struct fault *f);

/* What is on record. masked: agent and mobile as strangers may see them. */
json_t *account_json(const struct account *a, bool masked);

/* What a first log-in must show, by the strictest of the account's projects; in a snapshot or transaction. */
enum first_proof { FIRST_NONE, FIRST_SMS, FIRST_KEY, FIRST_OFFICER };
MUST_CHECK enum err account_first_proof(struct ctx *c, const struct account *a, enum first_proof *ret, struct fault *f);
/* The word of the policy. */
const char *account_first_word(enum first_proof p);
/* Has the call's session shown it? ERR_DENIED proof_first. */
MUST_CHECK enum err account_proved(struct ctx *c, struct fault *f);

/* A new person behind an account. */
struct account_change {
	const struct account *account;
	const char *agent, *mobile, *way;
	const char *hash; /* of the new password; NULL: that of the number's other accounts, or none until one is set by SMS */
	bool first;       /* it ends the initial password */
	bool linked;      /* from a session of the number's holder: linked_per_mobile counts */
};
/* In the call's transaction: binds, tells the old contact with a code that freezes it, ends the sessions but the call's own.
 * ERR_CONFLICT mobile_used. */
MUST_CHECK enum err account_bind(struct ctx *c, const struct account_change *ch, struct fault *f);
/* Do fewer than most accounts, that one apart, log in by the number? "" is free. */
MUST_CHECK enum err account_number_free(struct ctx *c, const char *mobile, int64_t but, int64_t most, bool *ret_free,
					struct fault *f);
/* The password of the other accounts of a number, or one that nothing fits: it is set by SMS then. */
MUST_CHECK enum err account_shared_password(struct ctx *c, const char *mobile, int64_t but, char ret[PASSWORD_HASH_MAX + 1],
					    struct fault *f);
/* new_password_again is the same when it is there: ERR_RULE password_differs; and the rules for new_password. */
MUST_CHECK enum err account_new_password(struct ctx *c, const struct account *a, const char *mobile, struct fault *f);
/* A message to a number that something was set anew. */
MUST_CHECK enum err account_tell_password(struct ctx *c, const struct account *a, struct fault *f);
/* Whose desk an account asks: the first project, by name, in which it has a service or a certificate; else the policy's first. NULL: the
 * policy has none. Borrowed of the policy. */
MUST_CHECK enum err account_desk(struct db *db, const struct policy *p, int64_t account, const struct project **ret,
				 struct fault *f);
/* The telephone of that desk, "" when there is none. */
const char *desk_telephone(const struct project *p);

#endif

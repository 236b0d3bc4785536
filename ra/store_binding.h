/*
 * Who was bound to an account, when, and what the desk's officers have to decide about accounts.
 */
#ifndef HUFU_RA_STORE_BINDING_H
#define HUFU_RA_STORE_BINDING_H

#include "ra/store_keys.h"
#include "ra/store_session.h"

struct binding {
	int64_t id, account, at, freeze_dies;
	char way[PROOF_WORD_MAX + 1]; /* key, sms, officer, none, register */
	char who[80];
	bool first;                   /* it ended the initial password */
	char agent_before[AGENT_MAX + 1], mobile_before[MOBILE_MAX + 1]; /* the number that logged in before, "" none */
	char agent[AGENT_MAX + 1], mobile[MOBILE_MAX + 1];
	uint8_t freeze[32];           /* keyed hash of the code that freezes it */
	bool has_freeze;
	char state[12];               /* standing, frozen, undone */
};
MUST_CHECK enum err store_binding_add(struct db *db, const struct binding *b, int64_t *ret_id, struct fault *f);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_binding_get(struct db *db, int64_t id, struct binding *ret, struct fault *f);
MUST_CHECK enum err store_binding_by_freeze(struct db *db, const uint8_t freeze[32], struct binding *ret, struct fault *f);
/* The identifier of the account that took the number of before after the binding, and logs in by it now; "" when none did. */
MUST_CHECK enum err store_binding_taker(struct db *db, const struct binding *b, char ret[IDENTIFIER_MAX + 1], struct fault *f);
/* The code is used up. */
MUST_CHECK enum err store_binding_state(struct db *db, int64_t id, const char *state, struct fault *f);

#define CASE_ID 32
#define CASE_TEXT_MAX 2000
struct account_case {
	char id[CASE_ID + 1];
	char kind[24];   /* identifier, agent, frozen */
	char state[12];  /* open, accepted, refused */
	int64_t account, binding; /* 0: none */
	char organisation[ORGANISATION_MAX + 1], agent[AGENT_MAX + 1], mobile[MOBILE_MAX + 1];
	char text[CASE_TEXT_MAX + 1];
	char file_type[8]; /* pdf, jpeg, png: a file from before lies beside it (account_cases_adopt); else "" */
	char address[ADDRESS_MAX + 1];
	int64_t made, decided;
	char who[80];
	char answer[CASE_TEXT_MAX + 1];
};
MUST_CHECK enum err store_case_add(struct db *db, const struct account_case *k, struct fault *f);
/* Any whose file is no material yet: ERR_NOT_FOUND when none. Then it is. */
MUST_CHECK enum err store_case_with_file(struct db *db, struct account_case *ret, struct fault *f);
MUST_CHECK enum err store_case_adopted(struct db *db, const char *id, struct fault *f);
MUST_CHECK enum err store_case_get(struct db *db, const char *id, struct account_case *ret, struct fault *f);
MUST_CHECK enum err store_case_decide(struct db *db, const char *id, const char *state, const char *who, const char *answer,
				      int64_t now, struct fault *f);
/* Oldest first; state "" all; view: store_view.h, of the account that it is about. */
MUST_CHECK enum err store_cases(struct db *db, const char *state, const char *view, const struct list_page *p,
				void (*fn)(void *arg, const struct account_case *k), void *arg, struct list_end *ret,
				struct fault *f);
/* Opened from that address since, and open for that account of that kind. */
MUST_CHECK enum err store_cases_from(struct db *db, const char *address, int64_t since, int64_t *ret, struct fault *f);
MUST_CHECK enum err store_cases_open(struct db *db, int64_t account, const char *kind, int64_t *ret, struct fault *f);

#endif

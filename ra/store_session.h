/*
 * Sessions: by the hash of their token, with an id that may be shown.
 */
#ifndef HUFU_RA_STORE_SESSION_H
#define HUFU_RA_STORE_SESSION_H

#include "ra/store_account.h"

#define SESSION_ID 32   /* characters */
#define ADDRESS_MAX 64
#define PROOF_WORD_MAX 15

struct session {
	struct account account;
	char id[SESSION_ID + 1];
	char address[ADDRESS_MAX + 1];
	char proof[PROOF_WORD_MAX + 1]; /* "key", "sms", "officer": who logged in by the initial password has shown; else "" */
	int64_t uid, created, used, expires;
	bool must_reset;  /* only what helps to set a password is open */
	bool must_choose; /* the number serves several organisations, and none is chosen yet */
};
/* token: SHA-256 of what the client holds. Unknown, over, or from the future: ERR_NOT_FOUND. */
MUST_CHECK enum err store_session_find(struct db *db, const uint8_t token[32], int64_t now, struct session *ret,
				       struct fault *f);
/* One that was ended, by its owner or with a password, within about a day; else ERR_NOT_FOUND. It opens nothing. */
MUST_CHECK enum err store_session_ended(struct db *db, const uint8_t token[32], struct session *ret, struct fault *f);
/* Of *s: account.id and all but used. */
MUST_CHECK enum err store_session_add(struct db *db, const uint8_t token[32], const struct session *s, struct fault *f);
MUST_CHECK enum err store_session_extend(struct db *db, const uint8_t token[32], int64_t now, int64_t expires,
					 struct fault *f);
MUST_CHECK enum err store_session_proved(struct db *db, const uint8_t token[32], const char *proof, struct fault *f);
/* The session is that account's from now on. */
MUST_CHECK enum err store_session_choose(struct db *db, const uint8_t token[32], int64_t account, struct fault *f);
/* After a reset: a full session, none to choose. */
MUST_CHECK enum err store_session_full(struct db *db, const uint8_t token[32], struct fault *f);
MUST_CHECK enum err store_session_end(struct db *db, const uint8_t token[32], struct fault *f);
/* Of that account alone; *ret_found false: none has this id. */
MUST_CHECK enum err store_session_end_id(struct db *db, int64_t account, const char *id, bool *ret_found, struct fault *f);
/* All of an account; but: SHA-256 of a token that stays, or NULL. */
MUST_CHECK enum err store_sessions_end(struct db *db, int64_t account, const uint8_t *but, struct fault *f);
MUST_CHECK enum err store_sessions_of(struct db *db, int64_t account, int64_t now,
				      void (*fn)(void *arg, const struct session *s), void *arg, struct fault *f);
MUST_CHECK enum err store_sessions_purge(struct db *db, int64_t now, struct fault *f);

#endif

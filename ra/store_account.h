/*
 * Accounts, how often a name failed to log in, sessions.
 */
#ifndef HUFU_RA_STORE_ACCOUNT_H
#define HUFU_RA_STORE_ACCOUNT_H

#include "ra/store.h"

#define IDENTIFIER_MAX 40   /* bytes, each of these */
#define ORGANISATION_MAX 400
#define AGENT_MAX 200
#define MOBILE_MAX 40
#define FLAGS_MAX 120
#define PASSWORD_HASH_MAX 128

struct account {
	int64_t id;
	char identifier[IDENTIFIER_MAX + 1];
	char organisation[ORGANISATION_MAX + 1];
	char agent[AGENT_MAX + 1];
	char mobile[MOBILE_MAX + 1];
	char flags[FLAGS_MAX + 1];           /* comma list: identifier_check, mobile_form */
	char password[PASSWORD_HASH_MAX + 1]; /* Argon2id string; "" when only the initial password counts */
	bool initial;                        /* the password is still the initial one */
};
/* ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err store_account_by_name(struct db *db, const char *identifier, struct account *ret, struct fault *f);
MUST_CHECK enum err store_account_get(struct db *db, int64_t id, struct account *ret, struct fault *f);
MUST_CHECK enum err store_account_add(struct db *db, const struct account *a, int64_t now, int64_t *ret_id,
				      struct fault *f);
/* What is on record about the organisation; the password stays. */
MUST_CHECK enum err store_account_set(struct db *db, const struct account *a, int64_t now, struct fault *f);
MUST_CHECK enum err store_account_password(struct db *db, int64_t id, const char *hash, bool initial, int64_t now,
					   struct fault *f);

/* A name as it was typed, known or not. */
struct attempts {
	int64_t failures, locks, locked_until;
};
MUST_CHECK enum err store_attempts(struct db *db, const char *identifier, struct attempts *ret, struct fault *f);
MUST_CHECK enum err store_attempts_set(struct db *db, const char *identifier, const struct attempts *a, int64_t now,
				       struct fault *f);
MUST_CHECK enum err store_attempts_clear(struct db *db, const char *identifier, struct fault *f);
/* Names that nobody has tried since `before` and that are not locked, and the oldest beyond `keep` names. */
MUST_CHECK enum err store_attempts_purge(struct db *db, int64_t before, int64_t now, int64_t keep, struct fault *f);

struct session {
	struct account account;
	int64_t uid, expires;
	bool must_reset; /* only account.reset, account.show and account.logout are open */
};
/* token: SHA-256 of what the client holds. Unknown or over: ERR_NOT_FOUND. */
MUST_CHECK enum err store_session_find(struct db *db, const uint8_t token[32], int64_t now, struct session *ret,
				       struct fault *f);
MUST_CHECK enum err store_session_add(struct db *db, const uint8_t token[32], int64_t account, int64_t uid,
				      bool must_reset, int64_t now, int64_t expires, struct fault *f);
MUST_CHECK enum err store_session_extend(struct db *db, const uint8_t token[32], int64_t expires, struct fault *f);
MUST_CHECK enum err store_session_end(struct db *db, const uint8_t token[32], struct fault *f);
/* After a reset: this session is a full one, all others of the account end. */
MUST_CHECK enum err store_session_reset(struct db *db, const uint8_t token[32], int64_t account, struct fault *f);
MUST_CHECK enum err store_sessions_purge(struct db *db, int64_t now, struct fault *f);

#endif

/*
 * Accounts, and how often a name failed to log in.
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
	char login_mobile[MOBILE_MAX + 1];   /* bound: it logs in; "" when none is */
	bool frozen;                         /* nobody enters until an officer has decided */
};
/* The columns of an account under the alias a, and their reader: for statements that join. */
#define ACCOUNT_COLUMNS                                                                                                        \
	"a.id, a.identifier, a.organisation, a.agent, a.mobile, a.flags, a.password, a.initial, a.login_mobile, a.frozen"
#define ACCOUNT_N_COLUMNS 10
void store_account_read(struct db_row *row, int first, struct account *ret);
/* ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err store_account_by_name(struct db *db, const char *identifier, struct account *ret, struct fault *f);
MUST_CHECK enum err store_account_get(struct db *db, int64_t id, struct account *ret, struct fault *f);
/* Accounts that this number is bound to, by id, at most max: "" has none. */
MUST_CHECK enum err store_accounts_by_mobile(struct db *db, const char *mobile, struct account *ret, size_t max,
					     size_t *ret_n, struct fault *f);
MUST_CHECK enum err store_account_add(struct db *db, const struct account *a, int64_t now, int64_t *ret_id,
				      struct fault *f);
/* What is on record about the organisation; the password stays. */
MUST_CHECK enum err store_account_set(struct db *db, const struct account *a, int64_t now, struct fault *f);
MUST_CHECK enum err store_account_password(struct db *db, int64_t id, const char *hash, bool initial, int64_t now,
					   struct fault *f);

/* Of every account that the number is bound to: one person, one password. */
MUST_CHECK enum err store_mobile_password(struct db *db, const char *mobile, const char *hash, int64_t now, struct fault *f);
/* The agent and the number that logs in; the number on record stays. */
MUST_CHECK enum err store_account_bind(struct db *db, int64_t id, const char *agent, const char *mobile, int64_t now,
				       struct fault *f);
/* The same, and back to the initial password. */
MUST_CHECK enum err store_account_unbind(struct db *db, int64_t id, const char *agent, const char *mobile, int64_t now,
					 struct fault *f);
MUST_CHECK enum err store_account_frozen(struct db *db, int64_t id, bool frozen, int64_t now, struct fault *f);
/* Hands fn each project in which the account has a service or a certificate. */
MUST_CHECK enum err store_account_projects(struct db *db, int64_t id, void (*fn)(void *arg, const char *project), void *arg,
					   struct fault *f);

/* ERR_NOT_FOUND when that view (store_view.h) has it not. */
MUST_CHECK enum err store_account_seen(struct db *db, int64_t id, const char *view, struct fault *f);

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

#endif

/*
 * Passwords: Argon2id, a bounded number at a time, and the same time for a name that does not exist.
 */
#ifndef HUFU_RA_PASSWORD_H
#define HUFU_RA_PASSWORD_H

#include "ra/store_account.h"

#define PASSWORD_MAX 128

struct password_guard;
/* initial: the published password, or NULL when there is none. */
MUST_CHECK enum err password_guard_open(const char *initial, struct password_guard **ret, struct fault *f);
void password_guard_close(struct password_guard *g);
/* One check of a name at a time, so that wrong passwords are counted one after the other. Always in pairs. */
void password_turn_begin(struct password_guard *g, const char *identifier);
void password_turn_end(struct password_guard *g, const char *identifier);
/* Is this the account's password? account NULL (no such name): the same work, false. *ret_hash: the hash to store when
 * the initial password was used for the first time, else empty. */
bool password_check(struct password_guard *g, const struct account *account, const char *password,
		    char ret_hash[PASSWORD_HASH_MAX + 1]);
MUST_CHECK enum err password_hash(struct password_guard *g, const char *password, char ret[PASSWORD_HASH_MAX + 1],
				  struct fault *f);
/* May an account take this as its new password? characters: the least number. mobile: that is being bound, or "". ERR_RULE
 * password_weak. */
MUST_CHECK enum err password_accept(const struct password_guard *g, const struct account *a, const char *mobile,
				    int64_t characters, const char *password, struct fault *f);
/* A hash that no password fits: nobody enters until one is set. */
void password_none(const struct password_guard *g, char ret[PASSWORD_HASH_MAX + 1]);

#endif

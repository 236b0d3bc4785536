/*
 * USB keys and their history.
 */
#ifndef HUFU_RA_STORE_TOKEN_H
#define HUFU_RA_STORE_TOKEN_H

#include "common/base/puk.h"
#include "ra/store_account.h"
#include "ra/store_cert.h"
#include "ra/store_request.h"

#define TOKEN_MODEL_MAX 64
#define TOKEN_LABEL_MAX 96

struct token {
	int64_t id;
	char serial[PUK_SERIAL + 1];
	char model[TOKEN_MODEL_MAX + 1], label[TOKEN_LABEL_MAX + 1];
	char state[12];		 /* word of token.h */
	int64_t account;	 /* whose it is; 0: nobody's */
	char keeper[TALLY_WORD]; /* the officer who has it; "" none */
	int64_t cert;		 /* that it carries; 0: none */
	bool has_puk, has_next;	 /* the desk holds its PUK, sealed; and one that may be on it already */
	int64_t added, changed;
};
/* ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err store_token_by_serial(struct db *db, const char *serial, struct token *ret, struct fault *f);
MUST_CHECK enum err store_token_get(struct db *db, int64_t id, struct token *ret, struct fault *f);
/* The one that carries this certificate, or another of the same key; of that account. ERR_NOT_FOUND. */
MUST_CHECK enum err store_token_of_cert(struct db *db, int64_t cert, int64_t account, struct token *ret,
					struct fault *f);
/* Without its PUKs. ERR_CONFLICT when the serial is there, or the certificate on another token. */
MUST_CHECK enum err store_token_add(struct db *db, const struct token *t, int64_t *ret_id, struct fault *f);
/* Everything that changes in its life, but its PUKs. */
MUST_CHECK enum err store_token_set(struct db *db, const struct token *t, struct fault *f);

/* The sealed PUKs (common/base/puk.h): the one in force, and one that may be on the token already. Empty: the desk holds none. */
struct token_puks {
	struct buf puk, next;
};
void token_puks_done(struct token_puks *p);
MUST_CHECK enum err store_token_puks(struct db *db, int64_t id, struct token_puks *ret, struct fault *f);
MUST_CHECK enum err store_token_puks_set(struct db *db, int64_t id, const struct token_puks *p, struct fault *f);

/* One as people see it. */
struct token_item {
	char serial[PUK_SERIAL + 1];
	char model[TOKEN_MODEL_MAX + 1], label[TOKEN_LABEL_MAX + 1];
	char state[12], keeper[TALLY_WORD];
	int64_t account; /* 0: nobody's, and the next two are "" */
	char identifier[IDENTIFIER_MAX + 1], organisation[ORGANISATION_MAX + 1];
	struct serial certificate; /* n 0: none */
	bool has_puk;
	int64_t added, changed;
};
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_token_item(struct db *db, const char *serial, struct token_item *ret, struct fault *f);
/* Which tokens an officer looks for: those behind `after` by serial that begin with `prefix`, of one account (0: any) or keeper
 * ("": any), in one state ("": any). By serial; each is handed to fn. */
struct token_search {
	const char *prefix, *after, *state, *keeper;
	const char *view; /* store_view.h: whose; nobody's are everybody's */
	int64_t account, limit; /* limit < KEYS_MAX */
};
typedef void token_fn(void *arg, const struct token_item *t);
MUST_CHECK enum err store_tokens(struct db *db, const struct token_search *s, token_fn *fn, void *arg, struct fault *f);

MUST_CHECK enum err store_token_history_add(struct db *db, int64_t token, const struct history_item *item,
					    struct fault *f);
/* Oldest first; detail is why. */
MUST_CHECK enum err store_token_history(struct db *db, int64_t token,
					void (*fn)(void *arg, const struct history_item *item), void *arg,
					struct fault *f);
/* Is there a certificate of the token's key that is neither revoked nor ended, has not expired and has no successor? Its id. ERR_NOT_FOUND. */
MUST_CHECK enum err store_token_live_cert(struct db *db, int64_t cert, int64_t now, int64_t *ret, struct fault *f);

#endif

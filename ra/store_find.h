/*
 * What officers look for among everybody's: accounts and orders.
 */
#ifndef HUFU_RA_STORE_FIND_H
#define HUFU_RA_STORE_FIND_H

#include "ra/store_keys.h"
#include "ra/store_order.h"

/* text: an identifier, a mobile number that logs in, or a part of the organisation's name (one or two characters: its
 * beginning, and nothing else); view: store_view.h. By id, which is the order in which they came; one or two characters: by name. A
 * key's `at` is the id. */
typedef void account_fn(void *arg, const struct account *a);
MUST_CHECK enum err store_accounts_find(struct db *db, const char *text, const char *view, const struct list_page *p,
					account_fn *fn, void *arg, struct list_end *ret, struct fault *f);

/* Their keys alone, at most `limit` behind that id (INT64_MIN: from the first). */
MUST_CHECK enum err store_account_keys(struct db *db, const char *text, const char *view, int64_t after, int64_t limit, struct keys *k,
				       struct fault *f);

/* Which orders an officer looks for: all of these. */
struct order_search {
	const char *text;    /* the order's id, its beginning, or that of its part behind the date; or an account, as above; "" any */
	int64_t amount_fen;  /* -1 any */
	const char *state;   /* "" any */
	const char *invoice; /* state of its invoice; "" any, also none */
	const char *view;    /* store_view.h: of which projects' services */
};
typedef void found_order_fn(void *arg, const struct order *o, const char *organisation, const char *identifier);
/* Oldest first; with `invoice`, by when it was asked for. organisation and identifier are the account's. Of accounts that the
 * text finds, the first FIND_ACCOUNTS are looked into. */
#define FIND_ACCOUNTS 40
MUST_CHECK enum err store_orders_find(struct db *db, const struct order_search *s, const struct list_page *p,
				      found_order_fn *fn, void *arg, struct list_end *ret, struct fault *f);

#endif

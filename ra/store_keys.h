/*
 * Pages of lists that may be long: a page begins behind a row that the asker names, so that the last page costs what the first
 * costs; a few pages may also be counted from there. First the keys of what is in the list, then the rows of one page.
 */
#ifndef HUFU_RA_STORE_KEYS_H
#define HUFU_RA_STORE_KEYS_H

#include "ra/store.h"

#define KEY_ID_MAX 96
#define KEYS_MAX 1001    /* that are looked at for one answer */
#define KEYS_COUNTED 200 /* of these, beyond the page: what there is more of is not counted */

struct list_key {
	int64_t at;
	char id[KEY_ID_MAX + 1];
};
struct list_page {
	int64_t limit, offset; /* offset + limit < KEYS_MAX */
	struct list_key after; /* rows behind this one; {INT64_MIN, ""} for all */
};
#define PAGE_FROM_START(limit_) ((struct list_page){.limit = (limit_), .after.at = INT64_MIN})

/* How many keys a query that gives them in order has to give for a page: those up to its end and one more, or those that are counted. */
int64_t keys_wanted(const struct list_page *p);

/* Zero state is empty. Ids stand one behind the other, because a thousand list_keys would be more than malloc keeps at hand. */
struct keys {
	struct key_at {
		int64_t at;
		size_t id; /* where in ids it begins */
	} *v;
	size_t n, cap;
	struct buf ids;
	bool in_order; /* they have an order of their own, and none is there twice: keys_page() leaves it */
};
void keys_done(struct keys *k);
/* Reads the rows (at, id) of a query to its end. */
MUST_CHECK enum err keys_read(struct db_row *row, struct keys *k, struct fault *f);
void keys_add(struct keys *k, int64_t at, const char *id);

struct list_end {
	int64_t total;        /* keys from the page's `after` on, less than keys_wanted() */
	bool counted;         /* total is all of them; else there are more */
	bool more;            /* rows follow the page's last, whose key is: */
	struct list_key last;
};
typedef enum err key_fn(void *arg, const struct list_key *key, struct fault *f);
/* Hands fn the keys of the page, by at, then id; the same key twice counts once. Sorts k. */
MUST_CHECK enum err keys_page(struct keys *k, const struct list_page *p, key_fn *fn, void *arg, struct list_end *ret, struct fault *f);

#endif

/*
 * Several queries may add to one list (a project each, say): each gives its keys in order and no more than KEYS_MAX, so what
 * is sorted here is small.
 */
#include "ra/store_keys.h"

#include "common/base/cleanup.h"

#include <stdlib.h>
#include <string.h>

void keys_done(struct keys *k)
{
	free(k->v);
	*k = (struct keys){0};
}

void keys_add(struct keys *k, int64_t at, const char *id)
{
	if (k->n == k->cap) {
		k->cap = k->cap ? 2 * k->cap : 64;
		k->v = xrealloc(k->v, k->cap, sizeof(*k->v));
	}
	struct list_key *key = &k->v[k->n++];
	key->at = at;
	snprintf(key->id, sizeof(key->id), "%s", id);
}

enum err keys_read(struct db_row *row, struct keys *k, struct fault *f)
{
	for (;;) {
		bool more = false;
		TRY(db_next(row, &more, f));
		if (!more)
			return OK;
		keys_add(k, db_i64(row, 0), db_text(row, 1));
	}
}

static int by_key(const void *a, const void *b)
{
	const struct list_key *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return strcmp(x->id, y->id);
}

static void sort(struct keys *k)
{
	size_t n = 0;
	if (k->n > 1)
		qsort(k->v, k->n, sizeof(*k->v), by_key);
	for (size_t i = 0; i < k->n; i++) {
		if (n == 0 || by_key(&k->v[n - 1], &k->v[i]) != 0)
			k->v[n++] = k->v[i];
	}
	k->n = n;
}

enum err keys_page(struct keys *k, const struct list_page *p, key_fn *fn, void *arg, struct list_end *ret,
		   struct fault *f)
{
	size_t first = (size_t)p->offset, end = first + (size_t)p->limit;
	sort(k);
	*ret = (struct list_end){.total = (int64_t)k->n, .counted = true};
	if (k->n >= KEYS_MAX) {
		ret->total = KEYS_MAX - 1;
		ret->counted = false;
	}
	for (size_t i = first; i < end && i < k->n; i++) {
		TRY(fn(arg, &k->v[i], f));
		ret->last = k->v[i];
	}
	ret->more = k->n > end;
	return OK;
}

/*
 * Several queries may add to one list (a project each, say): each gives its keys in order and no more than KEYS_MAX, so what
 * is sorted here is small.
 */
#include "ra/store_keys.h"

#include "common/base/cleanup.h"

#include <stdlib.h>
#include <string.h>

int64_t keys_wanted(const struct list_page *p)
{
	int64_t shown = p->offset + p->limit;
	return 1 + (shown > KEYS_COUNTED ? shown : KEYS_COUNTED);
}

void keys_done(struct keys *k)
{
	free(k->v);
	buf_done(&k->ids);
	*k = (struct keys){0};
}

void keys_add(struct keys *k, int64_t at, const char *id)
{
	if (k->n == k->cap) {
		k->cap = k->cap ? 2 * k->cap : 64;
		k->v = xrealloc(k->v, k->cap, sizeof(*k->v));
	}
	k->v[k->n++] = (struct key_at){.at = at, .id = k->ids.len};
	buf_add(&k->ids, id, strlen(id) + 1);
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

static const char *id_of(const struct keys *k, size_t i)
{
	return (const char *)k->ids.data + k->v[i].id;
}

static int by_key(const void *a, const void *b, void *ids)
{
	const struct key_at *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return strcmp((const char *)ids + x->id, (const char *)ids + y->id);
}

/* What one query gave is in order already. */
static bool sorted(const struct keys *k)
{
	for (size_t i = 1; i < k->n; i++) {
		if (by_key(&k->v[i - 1], &k->v[i], k->ids.data) >= 0)
			return false;
	}
	return true;
}

static void sort(struct keys *k)
{
	size_t n = 0;
	if (sorted(k))
		return;
	qsort_r(k->v, k->n, sizeof(*k->v), by_key, k->ids.data);
	for (size_t i = 0; i < k->n; i++) {
		if (n == 0 || by_key(&k->v[n - 1], &k->v[i], k->ids.data) != 0)
			k->v[n++] = k->v[i];
	}
	k->n = n;
}

enum err keys_page(struct keys *k, const struct list_page *p, key_fn *fn, void *arg, struct list_end *ret,
		   struct fault *f)
{
	size_t first = (size_t)p->offset, end = first + (size_t)p->limit;
	int64_t wanted = keys_wanted(p);
	if (!k->in_order)
		sort(k);
	*ret = (struct list_end){.total = (int64_t)k->n, .counted = (int64_t)k->n < wanted};
	if (!ret->counted)
		ret->total = wanted - 1;
	for (size_t i = first; i < end && i < k->n; i++) {
		ret->last.at = k->v[i].at;
		snprintf(ret->last.id, sizeof(ret->last.id), "%s", id_of(k, i));
		TRY(fn(arg, &ret->last, f));
	}
	ret->more = k->n > end;
	return OK;
}

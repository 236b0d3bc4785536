/*
 * Rows stand in chunks that never move; an open hash table over serial numbers holds their numbers, each with half of
 * its hash, so that of rows only the one that is asked for is touched. Serial numbers of old authorities are chosen
 * outside, so the hash has a secret seed. Next: feed.c, which writes here; ocsp.c and status.c, which read.
 */
#include "ra/gate/table_private.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

#define FIRST_SLOTS 4096u
#define AHEAD 24u
#define TAG UINT64_C(0xffffffff00000000)

_Static_assert(sizeof(struct gate_row) == 40, "a row has no padding");

/* --- the hash --- */

static void link_row(struct gate_table *t, uint32_t row)
{
	const struct gate_row *r = row_at(t, row);
	uint64_t hash = serial_hash(t->seed, r->serial, r->n);
	size_t at = hash & (t->n_slots - 1);
	while (t->slots[at] != 0)
		at = (at + 1) & (t->n_slots - 1);
	t->slots[at] = (hash & TAG) | row;
}

/* Memory is far away: while one row is linked the slots of those behind it are on their way. */
static void fetch_slot(const struct gate_table *t, uint32_t row)
{
	const struct gate_row *r = row_at(t, row);
	__builtin_prefetch(&t->slots[serial_hash(t->seed, r->serial, r->n) & (t->n_slots - 1)], 1);
}

/* In the order of rows, so that those of one serial are found oldest first. At most 70 % full. */
void table_make_slots(struct gate_table *t, size_t n)
{
	free(t->slots);
	t->n_slots = FIRST_SLOTS;
	while (7 * t->n_slots < 10 * n)
		t->n_slots *= 2;
	size_t bytes = t->n_slots * sizeof(*t->slots);
	t->slots = bytes < HUGE_PAGE ? xcalloc(1, bytes) : huge_calloc(bytes);
	for (uint32_t row = 1; row <= t->n; row++) {
		if (row + AHEAD <= t->n)
			fetch_slot(t, row + AHEAD);
		link_row(t, row);
	}
}

/* A walk over the rows of one serial. */
struct walk {
	uint8_t key[SERIAL_MAX];
	uint8_t n;
	size_t at;
	uint64_t tag;
};

static struct walk walk_begin(const struct gate_table *t, const struct serial *serial)
{
	struct walk w = {.n = (uint8_t)serial->n};
	memcpy(w.key, serial->b, serial->n);
	uint64_t hash = serial_hash(t->seed, w.key, serial->n);
	w.at = hash & (t->n_slots - 1);
	w.tag = hash & TAG;
	return w;
}

/* 0 at the end. */
static uint32_t walk_next(const struct gate_table *t, struct walk *w)
{
	for (uint64_t slot; (slot = t->slots[w->at]) != 0;) {
		w->at = (w->at + 1) & (t->n_slots - 1);
		if ((slot & TAG) != w->tag)
			continue;
		const struct gate_row *r = row_at(t, (uint32_t)slot);
		if (r->n == w->n && memcmp(r->serial, w->key, SERIAL_MAX) == 0)
			return (uint32_t)slot;
	}
	return 0;
}

/* --- making --- */

struct gate_table *table_new(void)
{
	struct gate_table *t = xcalloc(1, sizeof(*t));
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	/* Else a stream of questions keeps the writer out. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&t->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	random_fill(t->seed, sizeof(t->seed));
	merkle_root(NULL, 0, t->head.root);
	table_make_room(t, 0);
	table_make_slots(t, 0);
	return t;
}

void table_free(struct gate_table *t)
{
	for (size_t i = 0; i < t->n_chunks; i++)
		free(t->chunks[i]);
	free(t->chunks);
	free(t->slots);
	free(t->issuers);
	free(t->crls);
	pthread_rwlock_destroy(&t->lock);
	free(t);
}

struct gate_row *table_make_room(struct gate_table *t, uint32_t row)
{
	while (t->n_chunks <= row / CHUNK_ROWS) {
		t->chunks = xrealloc(t->chunks, t->n_chunks + 1, sizeof(struct gate_row *));
		/* A small gate stays small: pages of its first chunk come as they are touched. */
		t->chunks[t->n_chunks] = t->n_chunks == 0 ? xcalloc(CHUNK_ROWS, sizeof(struct gate_row))
							  : huge_calloc(CHUNK_ROWS * sizeof(struct gate_row));
		t->n_chunks++;
	}
	return row_at(t, row);
}

/* --- writing --- */

void table_write_begin(struct gate_table *t)
{
	pthread_rwlock_wrlock(&t->lock);
}

void table_write_end(struct gate_table *t)
{
	pthread_rwlock_unlock(&t->lock);
}

static enum err issuer_number(struct gate_table *t, const uint8_t key_id[20], uint16_t *ret, struct fault *f)
{
	size_t i = 0;
	while (i < t->n_issuers && memcmp(t->issuers[i], key_id, 20) != 0)
		i++;
	if (i > UINT16_MAX)
		return fault_raise(f, ERR_LIMIT, "issuers", "feed.issuer", "found more than %u issuers", UINT16_MAX);
	if (i == t->n_issuers) {
		t->issuers = xrealloc(t->issuers, t->n_issuers + 1, sizeof(*t->issuers));
		memcpy(t->issuers[t->n_issuers++], key_id, 20);
	}
	*ret = (uint16_t)i;
	return OK;
}

static uint32_t small_time(int64_t t)
{
	return t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

static uint32_t find(const struct gate_table *t, const struct cert_ref *ref)
{
	struct walk w = walk_begin(t, &ref->serial);
	uint32_t row;
	while ((row = walk_next(t, &w)) != 0) {
		if (memcmp(t->issuers[row_at(t, row)->issuer], ref->issuer_key_id, 20) == 0)
			return row;
	}
	return 0;
}

enum err table_add(struct gate_table *t, const struct cert_ref *ref, int64_t not_after, bool foreign,
		   const struct cert_ref *before, struct fault *f)
{
	uint16_t issuer;
	assert(ref->serial.n > 0 && ref->serial.n <= SERIAL_MAX);
	if (find(t, ref) != 0)
		return OK;
	if (t->n == UINT32_MAX)
		return fault_raise(f, ERR_LIMIT, "certificates", "feed", "found more than %u certificates", UINT32_MAX);
	TRY(issuer_number(t, ref->issuer_key_id, &issuer, f));
	uint32_t row = t->n + 1, old = before ? find(t, before) : 0;
	struct gate_row *r = table_make_room(t, row);
	*r = (struct gate_row){.n = (uint8_t)ref->serial.n,
			       .foreign = foreign,
			       .issuer = issuer,
			       .not_after = small_time(not_after),
			       .predecessor = old};
	memcpy(r->serial, ref->serial.b, ref->serial.n);
	if (old != 0)
		row_at(t, old)->successor = row;
	t->n = row;
	if (10 * (size_t)t->n > 7 * t->n_slots)
		table_make_slots(t, (size_t)t->n + t->n / 4);
	else
		link_row(t, row);
	return OK;
}

bool table_set(struct gate_table *t, const struct cert_ref *ref, enum gate_state state, unsigned reason, int64_t when)
{
	uint32_t row = find(t, ref);
	if (row == 0)
		return false;
	struct gate_row *r = row_at(t, row);
	r->state = (unsigned char)state & 3u;
	r->reason = reason & 15u;
	r->changed = small_time(when);
	return true;
}

enum err table_set_crl(struct gate_table *t, const uint8_t issuer[20], const struct gate_crl *c, struct fault *f)
{
	size_t i = 0;
	uint16_t number;
	TRY(issuer_number(t, issuer, &number, f));
	while (i < t->n_crls && (t->crls[i].scope != c->scope || t->crls[i].issuer != number))
		i++;
	if (i == GATE_CRLS_MAX)
		return fault_raise(f, ERR_LIMIT, "crls", "feed", "found CRLs of more than %u scopes", GATE_CRLS_MAX);
	if (i == t->n_crls)
		t->crls = xrealloc(t->crls, ++t->n_crls, sizeof(*t->crls));
	t->crls[i] = *c;
	t->crls[i].issuer = number;
	return OK;
}

void table_set_head(struct gate_table *t, const struct gate_head *h)
{
	t->head = *h;
	atomic_store(&t->beat, h->beat);
}

int64_t table_beat(const struct gate_table *t)
{
	return atomic_load(&t->beat);
}

/* --- reading --- */

void table_read_begin(struct gate_table *t)
{
	pthread_rwlock_rdlock(&t->lock);
}

void table_read_end(struct gate_table *t)
{
	pthread_rwlock_unlock(&t->lock);
}

size_t table_count(const struct gate_table *t)
{
	return t->n;
}

size_t table_bytes(const struct gate_table *t)
{
	return ((size_t)t->n + 1) * sizeof(struct gate_row) + t->n_slots * sizeof(*t->slots);
}

struct gate_head table_head(const struct gate_table *t)
{
	return t->head;
}

const struct gate_row *table_row(const struct gate_table *t, uint32_t row)
{
	return row == 0 || row > t->n ? NULL : row_at(t, row);
}

const struct gate_row *table_find(const struct gate_table *t, const struct cert_ref *ref, uint32_t *ret_row)
{
	uint32_t row = find(t, ref);
	if (ret_row)
		*ret_row = row;
	return table_row(t, row);
}

size_t table_find_serial(const struct gate_table *t, const struct serial *serial,
			 const struct gate_row *ret[TABLE_SAME_MAX])
{
	struct walk w = walk_begin(t, serial);
	size_t n = 0;
	uint32_t row;
	while (n < TABLE_SAME_MAX && (row = walk_next(t, &w)) != 0)
		ret[n++] = row_at(t, row);
	return n;
}

const uint8_t *table_issuer(const struct gate_table *t, uint16_t number)
{
	return t->issuers[number];
}

bool table_crl(const struct gate_table *t, const uint8_t issuer[20], uint32_t scope, struct gate_crl *ret)
{
	for (size_t i = 0; i < t->n_crls; i++) {
		if (t->crls[i].scope != scope || memcmp(t->issuers[t->crls[i].issuer], issuer, 20) != 0)
			continue;
		*ret = t->crls[i];
		return true;
	}
	return false;
}

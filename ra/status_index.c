/*
 * Rows stand under their id, in chunks that never move; ids come from SQLite, which numbers from 1 without holes. An
 * open hash table over serial numbers holds the ids, each with half of its hash, so that of rows only the one that is
 * asked for is touched: memory is far away. Serial numbers of old authorities are chosen outside, so the hash
 * has a secret seed. Nothing is ever taken out: a certificate does not leave the table.
 *
 * A large table is read beside the desk's work. Until then a question fetches its rows first, so an answer is the same
 * early and late.
 */
#include "ra/status_index.h"

#include "ra/follow.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/pki/serial_map.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#define CHUNK (HUGE_PAGE / sizeof(struct status_entry))
#define FIRST_SLOTS 4096u
#define ISSUERS_MAX 4096u
#define AT_ONCE 50000 /* certificates that are read before the desk opens; more come while it works */
#define PART 2048u    /* that are put under one lock */

struct status_index {
	struct store *store;
	pthread_rwlock_t lock; /* of all below */
	struct status_entry **chunks;
	size_t n_chunks, n; /* n: certificates */
	uint64_t *slots;    /* upper half of the hash, id; 0: free */
	size_t n_slots;	    /* a power of two */
	uint64_t seed[4];
	struct status_issuer *issuers;
	size_t n_issuers;
	int64_t size, as_of;
	struct buf heads; /* the same as text */
	int64_t loaded;	  /* the loader's alone: ids up to here are in */
	_Atomic bool complete, stopping;
	bool loading; /* there is a thread */
	pthread_t loader;
};

/* --- the hash table --- */

#define TAG UINT64_C(0xffffffff00000000)

static struct status_entry *entry_at(const struct status_index *x, uint32_t id)
{
	return &x->chunks[id / CHUNK][id % CHUNK];
}

static void link_id(struct status_index *x, uint32_t id)
{
	const struct status_entry *e = entry_at(x, id);
	uint64_t hash = serial_hash(x->seed, e->serial, e->n);
	size_t at = hash & (x->n_slots - 1);
	while (x->slots[at] != 0)
		at = (at + 1) & (x->n_slots - 1);
	x->slots[at] = (hash & TAG) | id;
}

/* In the order of ids, so that those of one serial are found oldest first. */
static void make_slots(struct status_index *x, size_t n)
{
	free(x->slots);
	x->n_slots = FIRST_SLOTS;
	while (7 * x->n_slots < 10 * n)
		x->n_slots *= 2;
	size_t bytes = x->n_slots * sizeof(*x->slots);
	x->slots = bytes < HUGE_PAGE ? xcalloc(1, bytes) : huge_calloc(bytes);
	for (uint32_t id = 1; id < x->n_chunks * CHUNK; id++) {
		if (entry_at(x, id)->n > 0)
			link_id(x, id);
	}
}

/* --- writing; with the lock held for writing, or before anybody else knows the index --- */

static uint32_t issuer_number(struct status_index *x, const uint8_t key_id[20])
{
	for (size_t i = 0; i < x->n_issuers; i++) {
		if (memcmp(x->issuers[i].key_id, key_id, 20) == 0)
			return (uint32_t)i;
	}
	assert(x->n_issuers < ISSUERS_MAX);
	x->issuers = xrealloc(x->issuers, x->n_issuers + 1, sizeof(*x->issuers));
	struct status_issuer *s = &x->issuers[x->n_issuers];
	*s = (struct status_issuer){0};
	memcpy(s->key_id, key_id, 20);
	hex_lower(key_id, 20, s->hex);
	return (uint32_t)x->n_issuers++;
}

static struct status_entry *make_room(struct status_index *x, int64_t id)
{
	assert(id >= 0 && id < UINT32_MAX);
	while (x->n_chunks <= (size_t)id / CHUNK) {
		x->chunks = xrealloc(x->chunks, x->n_chunks + 1, sizeof(struct status_entry *));
		/* A small desk stays small: pages of its first chunk come as they are touched. */
		x->chunks[x->n_chunks] = x->n_chunks == 0 ? xcalloc(CHUNK, sizeof(struct status_entry))
							  : huge_calloc(CHUNK * sizeof(struct status_entry));
		x->n_chunks++;
	}
	return entry_at(x, (uint32_t)id);
}

static void put(void *arg, const struct cert_row *row)
{
	struct status_index *x = arg;
	struct status_entry *e = make_room(x, row->id);
	const struct serial *serial = &row->ref.serial;
	bool new = e->n == 0;
	assert(new || (e->n == serial->n && memcmp(e->serial, serial->b, serial->n) == 0));
	memcpy(e->serial, serial->b, serial->n);
	e->n = (uint8_t)serial->n;
	e->state = (uint8_t)row->state;
	e->reason = (uint8_t)row->reason;
	e->issuer = issuer_number(x, row->ref.issuer_key_id);
	e->successor = (uint32_t)row->successor;
	e->changed = row->changed;
	e->not_after = row->not_after;
	if (!new)
		return;
	x->n++;
	if (10 * x->n > 7 * x->n_slots)
		make_slots(x, 2 * x->n);
	else
		link_id(x, (uint32_t)row->id);
}

/* What a commit, or somebody's question, has put before the loader came is as new or newer. */
static void put_absent(void *arg, const struct cert_row *row)
{
	struct status_index *x = arg;
	if (make_room(x, row->id)->n == 0)
		put(x, row);
}

/* All that share a serial go in together, oldest first, which is how they are found. */
static enum err put_serial(struct status_index *x, struct db *db, const struct serial *serial, struct fault *f)
{
	struct cert_row rows[SAME_SERIAL_MAX];
	size_t n = 0;
	TRY(store_certs_by_serial(db, serial, rows, SAME_SERIAL_MAX, &n, f));
	for (size_t i = 0; i < n; i++)
		put_absent(x, &rows[i]);
	return OK;
}

static enum err fetch_id(struct status_index *x, struct db *db, int64_t id, struct fault *f)
{
	struct cert_row row;
	if (id == 0)
		return OK;
	TRY(store_cert_by_id(db, id, &row, f));
	return put_serial(x, db, &row.ref.serial, f);
}

static enum err put_changed(struct status_index *x, struct db *db, int64_t id, struct fault *f)
{
	struct cert_row row;
	enum err e = store_cert_by_id(db, id, &row, f);
	if (e == ERR_NOT_FOUND)
		return OK; /* added, and rolled back to a savepoint */
	TRY(e);
	if (!x->complete)
		TRY(put_serial(x, db, &row.ref.serial, f));
	put(x, &row);
	return OK;
}

/* A store_watch: what cannot be read now is asked for again at the next commit. */
static bool committed(void *arg, struct db *db, const int64_t *ids, size_t n)
{
	struct status_index *x = arg;
	struct fault f = {0};
	enum err e = OK;
	pthread_rwlock_wrlock(&x->lock);
	for (size_t i = 0; i < n && e == OK; i++)
		e = put_changed(x, db, ids[i], &f);
	pthread_rwlock_unlock(&x->lock);
	if (e != OK)
		log_fault(LOG_LEVEL_ERROR, "status_index_behind", &f);
	return e == OK;
}

/* With the lock held for writing. */
static void set_heads(struct status_index *x, int64_t size, int64_t as_of)
{
	x->size = size;
	x->as_of = as_of;
	buf_clear(&x->heads);
	buf_fmt(&x->heads, "\"as_of\":\"%s\",\"ledger_size\":%lld,", UTC(as_of), (long long)size);
}

void status_index_heads(struct status_index *x, int64_t size, int64_t as_of)
{
	pthread_rwlock_wrlock(&x->lock);
	if (size > x->size)
		set_heads(x, size, as_of);
	pthread_rwlock_unlock(&x->lock);
}

void status_issuer_set(struct status_index *x, const uint8_t key_id[20], ca_word revoked)
{
	pthread_rwlock_wrlock(&x->lock);
	uint32_t number = issuer_number(x, key_id);
	x->issuers[number].revoked = revoked;
	pthread_rwlock_unlock(&x->lock);
}

/* --- loading --- */

struct part {
	struct cert_row rows[PART];
	size_t n;
};

static void keep(void *arg, const struct cert_row *row)
{
	struct part *p = arg;
	assert(p->n < PART);
	p->rows[p->n++] = *row;
}

/* In a snapshot of its own: a change that is committed after it is put by the commit's watch. */
static enum err read_part(struct status_index *x, struct part *p, struct fault *f)
{
	struct db *db = NULL;
	p->n = 0;
	TRY(store_read(x->store, &db, f));
	enum err e = store_certs_each(db, x->loaded, PART, keep, p, f);
	store_read_end(x->store, db);
	return e;
}

/* Whoever asks waits for a part at most. */
static enum err load(struct status_index *x, struct fault *f)
{
	_cleanup_(freep) struct part *p = xcalloc(1, sizeof(*p));
	int64_t from = clock_mono_us();
	while (!x->stopping) {
		TRY(read_part(x, p, f));
		pthread_rwlock_wrlock(&x->lock);
		for (size_t i = 0; i < p->n; i++)
			put_absent(x, &p->rows[i]);
		pthread_rwlock_unlock(&x->lock);
		if (p->n < PART) {
			x->complete = true;
			log_event(LOG_LEVEL_INFO, "status_index", "certificates=%zu ms=%lld", x->n,
				  (long long)(clock_mono_us() - from) / 1000);
			return OK;
		}
		x->loaded = p->rows[p->n - 1].id;
	}
	return OK;
}

/* An error leaves the index incomplete: answers come from the database, slower, and right. */
static void *load_beside(void *arg)
{
	struct fault f = {0};
	if (load(arg, &f) != OK)
		log_fault(LOG_LEVEL_ERROR, "status_index_incomplete", &f);
	return NULL;
}

static enum err begin(struct status_index *x, struct db *db, int64_t *ret_last, struct fault *f)
{
	int64_t size = 0, as_of = 0;
	TRY(store_head(db, HEAD_NEXT, &size, f));
	TRY(store_head(db, HEAD_AT, &as_of, f));
	set_heads(x, size, as_of);
	TRY(store_certs_last(db, ret_last, f));
	make_slots(x, (size_t)*ret_last);
	return OK;
}

static enum err fill(struct status_index *x, struct fault *f)
{
	struct db *db = NULL;
	int64_t last = 0;
	TRY(store_read(x->store, &db, f));
	enum err e = begin(x, db, &last, f);
	store_read_end(x->store, db);
	TRY(e);
	store_watch_certs(x->store, committed, x);
	if (last <= AT_ONCE)
		return load(x, f);
	x->loading = pthread_create(&x->loader, NULL, load_beside, x) == 0;
	return x->loading ? OK : fault_raise(f, ERR_IO, "thread", "status_index", "cannot start a thread");
}

enum err status_index_open(struct store *s, struct status_index **ret, struct fault *f)
{
	struct status_index *x = xcalloc(1, sizeof(*x));
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	/* Else a stream of questions keeps the writer out. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&x->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	random_fill(x->seed, sizeof(x->seed));
	x->store = s;
	make_room(x, 0);
	enum err e = fill(x, f);
	if (e != OK) {
		status_index_close(x);
		return e;
	}
	*ret = x;
	return OK;
}

void status_index_close(struct status_index *x)
{
	x->stopping = true;
	if (x->loading)
		pthread_join(x->loader, NULL);
	store_watch_certs(x->store, NULL, NULL);
	for (size_t i = 0; i < x->n_chunks; i++)
		free(x->chunks[i]);
	free(x->chunks);
	free(x->slots);
	free(x->issuers);
	buf_done(&x->heads);
	pthread_rwlock_destroy(&x->lock);
	free(x);
}

/* --- reading --- */

bool status_complete(const struct status_index *x)
{
	return x->complete;
}

enum err status_fetch(struct status_index *x, struct db *db, const struct serial *serial, struct fault *f)
{
	const struct status_entry *found[SAME_SERIAL_MAX];
	pthread_rwlock_wrlock(&x->lock);
	enum err e = put_serial(x, db, serial, f);
	size_t n = e == OK ? status_by_serial(x, serial, found) : 0;
	for (size_t i = 0; i < n && e == OK; i++)
		e = fetch_id(x, db, found[i]->successor, f);
	pthread_rwlock_unlock(&x->lock);
	return e;
}

enum err status_fetch_id(struct status_index *x, struct db *db, int64_t id, struct fault *f)
{
	struct cert_row row;
	TRY(store_cert_by_id(db, id, &row, f));
	return status_fetch(x, db, &row.ref.serial, f);
}

void status_begin(struct status_index *x)
{
	pthread_rwlock_rdlock(&x->lock);
}

void status_end(struct status_index *x)
{
	pthread_rwlock_unlock(&x->lock);
}

int64_t status_size(const struct status_index *x)
{
	return x->size;
}

struct slice status_heads_text(const struct status_index *x)
{
	return buf_slice(&x->heads);
}

int64_t status_as_of(const struct status_index *x)
{
	return x->as_of;
}

int64_t status_now(const struct status_index *x, int64_t clock)
{
	return clock > x->as_of ? clock : x->as_of;
}

const struct status_entry *status_entry(const struct status_index *x, int64_t id)
{
	if (id <= 0 || (uint64_t)id >= (uint64_t)x->n_chunks * CHUNK)
		return NULL;
	const struct status_entry *e = entry_at(x, (uint32_t)id);
	return e->n > 0 ? e : NULL;
}

const struct status_issuer *status_issuer(const struct status_index *x, uint32_t number)
{
	return &x->issuers[number];
}

/* A walk over the rows of one serial. */
struct walk {
	uint8_t key[SERIAL_MAX]; /* zero behind the serial's octets */
	uint8_t n;
	size_t at;
	uint64_t tag;
};

static struct walk walk_begin(const struct status_index *x, const struct serial *serial)
{
	struct walk w = {.n = (uint8_t)serial->n};
	memcpy(w.key, serial->b, serial->n);
	uint64_t hash = serial_hash(x->seed, w.key, serial->n);
	w.at = hash & (x->n_slots - 1);
	w.tag = hash & TAG;
	return w;
}

/* NULL at the end. */
static const struct status_entry *walk_next(const struct status_index *x, struct walk *w)
{
	for (uint64_t slot; (slot = x->slots[w->at]) != 0;) {
		w->at = (w->at + 1) & (x->n_slots - 1);
		if ((slot & TAG) != w->tag)
			continue;
		const struct status_entry *e = entry_at(x, (uint32_t)slot);
		if (e->n == w->n && memcmp(e->serial, w->key, SERIAL_MAX) == 0)
			return e;
	}
	return NULL;
}

void status_prefetch(const struct status_index *x, const struct serial *serial, bool entry)
{
	struct walk w = walk_begin(x, serial);
	if (!entry) {
		__builtin_prefetch(&x->slots[w.at]);
		return;
	}
	while (x->slots[w.at] != 0 && (x->slots[w.at] & TAG) != w.tag)
		w.at = (w.at + 1) & (x->n_slots - 1);
	const struct status_entry *e = entry_at(x, (uint32_t)x->slots[w.at]); /* number 0 is nobody's */
	__builtin_prefetch(e);
	__builtin_prefetch((const char *)(e + 1) - 1);
}

size_t status_by_serial(const struct status_index *x, const struct serial *serial,
			const struct status_entry *ret[SAME_SERIAL_MAX])
{
	struct walk w = walk_begin(x, serial);
	const struct status_entry *e;
	size_t n = 0;
	while (n < SAME_SERIAL_MAX && (e = walk_next(x, &w)))
		ret[n++] = e;
	return n;
}

const struct status_entry *status_by_ref(const struct status_index *x, const struct cert_ref *ref)
{
	struct walk w = walk_begin(x, &ref->serial);
	const struct status_entry *e;
	while ((e = walk_next(x, &w))) {
		if (memcmp(x->issuers[e->issuer].key_id, ref->issuer_key_id, 20) == 0)
			return e;
	}
	return NULL;
}

/* --- what the root says of issuers --- */

static void bear(ca_word revoked, struct cert_standing *s)
{
	if (ca_takes_along(revoked, s->state == CERT_REVOKED, s->changed))
		*s = (struct cert_standing){CERT_REVOKED, ca_revoked_reason(revoked), ca_revoked_when(revoked)};
}

struct cert_standing status_standing(const struct status_index *x, const struct status_entry *e)
{
	struct cert_standing s = {(enum cert_state)e->state, e->reason, e->changed};
	bear(x->issuers[e->issuer].revoked, &s);
	return s;
}

static ca_word issuer_word(struct status_index *x, const uint8_t key_id[20])
{
	ca_word word = 0;
	status_begin(x);
	for (size_t i = 0; i < x->n_issuers; i++) {
		if (memcmp(x->issuers[i].key_id, key_id, 20) == 0)
			word = x->issuers[i].revoked;
	}
	status_end(x);
	return word;
}

void status_bear(struct status_index *x, struct cert_row *row)
{
	struct cert_standing s = {row->state, row->reason, row->changed};
	bear(issuer_word(x, row->ref.issuer_key_id), &s);
	row->state = s.state;
	row->reason = s.reason;
	row->changed = s.changed;
}

bool status_issuer_fallen(struct status_index *x, const uint8_t key_id[20])
{
	return ca_is_revoked(issuer_word(x, key_id));
}

size_t status_fallen(struct status_index *x)
{
	size_t n = 0;
	status_begin(x);
	for (size_t i = 0; i < x->n_issuers; i++)
		n += ca_is_revoked(x->issuers[i].revoked);
	status_end(x);
	return n;
}

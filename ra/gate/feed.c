/*
 * A part counts when the log key signed it and its records, it begins where the table ends, and the tree that was followed
 * grows into the part's and that into the signed checkpoint (RFC 9162 2.1.4). So whoever holds the desk can be silent,
 * and cannot hide one revocation among others, or tell two gates two stories for long.
 *
 * Two things are kept on disk. The snapshot saves reading the ledger from its first entry. The mark says how far it was
 * followed, and is written before a change of status is answered by: a gate that starts from an older snapshot answers
 * nothing until it has come there again. Next: table.c.
 */
#include "ra/gate/feed.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/feed.h"
#include "common/rpc/jsonrpc.h"
#include "common/rpc/wire.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

#include <string.h>

#define BATCH 1024
#define WAIT_MS 900
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 3000
#define AT_ONCE_US 50000
#define MARK_EVERY_S 60

/* --- records --- */

/* A record, read. */
struct record {
	enum wire_type type;
	uint64_t index;
	int64_t at;
	struct cert_ref ref, before;
	int64_t not_after, when;
	bool foreign;
	enum gate_state state;
	unsigned reason;
	struct gate_crl crl;
};

static enum err take_serial(struct slice s, struct serial *ret, struct fault *f)
{
	if (s.n == 0 || s.n > SERIAL_MAX || s.p[0] == 0)
		return fault_raise(f, ERR_PARSE, "feed_serial", "feed.serial",
				   "found %zu bytes, wanted a serial number", s.n);
	*ret = (struct serial){.n = s.n};
	memcpy(ret->b, s.p, s.n);
	return OK;
}

static enum err read_cert(struct slice bytes, struct record *r, struct fault *f)
{
	struct wire_s_cert m;
	TRY(wire_s_cert_get(bytes, &m, f));
	r->index = m.index;
	r->at = m.at;
	memcpy(r->ref.issuer_key_id, m.issuer, 20);
	TRY(take_serial(m.serial, &r->ref.serial, f));
	r->not_after = m.not_after;
	r->foreign = m.foreign != 0;
	if (m.before.n == 0)
		return OK;
	memcpy(r->before.issuer_key_id, m.before_issuer, 20);
	return take_serial(m.before, &r->before.serial, f);
}

static enum err read_state(struct slice bytes, struct record *r, struct fault *f)
{
	struct wire_s_state m;
	TRY(wire_s_state_get(bytes, &m, f));
	r->index = m.index;
	r->at = m.at;
	memcpy(r->ref.issuer_key_id, m.issuer, 20);
	r->state = (enum gate_state)m.state;
	r->reason = m.reason;
	r->when = m.when;
	return take_serial(m.serial, &r->ref.serial, f);
}

static enum err read_crl(struct slice bytes, struct record *r, struct fault *f)
{
	struct wire_s_crl m;
	TRY(wire_s_crl_get(bytes, &m, f));
	r->index = m.index;
	r->at = m.at;
	r->crl = (struct gate_crl){.scope = m.shard, .number = m.number, .next_update = m.next_update};
	memcpy(r->crl.sha256, m.sha256, 32);
	memcpy(r->ref.issuer_key_id, m.issuer, 20);
	return OK;
}

static enum err read_record(struct slice bytes, struct record *r, struct fault *f)
{
	struct wire_s_beat beat;
	TRY(wire_type(bytes, &r->type, f));
	if (r->type == WIRE_TYPE_S_CERT)
		return read_cert(bytes, r, f);
	if (r->type == WIRE_TYPE_S_STATE)
		return read_state(bytes, r, f);
	if (r->type == WIRE_TYPE_S_CRL)
		return read_crl(bytes, r, f);
	if (r->type != WIRE_TYPE_S_BEAT)
		return fault_raise(f, ERR_PARSE, "feed_record", "feed.records",
				   "found a message of type %s, wanted a record", wire_type_word(r->type));
	TRY(wire_s_beat_get(bytes, &beat, f));
	r->index = beat.index;
	r->at = beat.at;
	return OK;
}

struct batch {
	struct record *v;
	size_t n;
	struct gate_head head; /* after it */
	bool changes;	       /* some certificate's state */
	bool urgent;	       /* a key was compromised */
};

static void batch_done(struct batch *b)
{
	free(b->v);
}

static enum err read_records(const struct wire_feed_is *m, const struct feed_part *p, struct batch *b, struct fault *f)
{
	uint64_t least = p->from;
	b->v = xcalloc(m->records.n + 1, sizeof(*b->v));
	for (size_t i = 0; i < m->records.n; i++) {
		struct record *r = &b->v[b->n];
		TRY(read_record(m->records.v[i], r, f));
		if (r->index < least || r->index >= p->to)
			return fault_raise(f, ERR_PARSE, "feed_index", "feed.records",
					   "record %zu is of entry %llu, wanted %llu or more and less than %llu", i,
					   (unsigned long long)r->index, (unsigned long long)least,
					   (unsigned long long)p->to);
		least = r->index + 1;
		b->head.at = r->at > b->head.at ? r->at : b->head.at;
		if (r->type == WIRE_TYPE_S_BEAT && r->at > b->head.beat)
			b->head.beat = r->at;
		b->changes |= r->type == WIRE_TYPE_S_STATE;
		b->urgent |= r->type == WIRE_TYPE_S_STATE && r->state == GATE_REVOKED && r->reason == 1;
		b->n++;
	}
	b->head.size = p->to;
	memcpy(b->head.root, p->root, 32);
	return OK;
}

/* --- trust --- */

static enum err fork_raise(struct fault *f, const char *where, uint64_t followed, uint64_t told)
{
	return fault_raise(f, ERR_DB, "ledger_fork", where,
			   "%llu entries were followed, and what is told now (%llu entries) does not grow from them: "
			   "it is another ledger, or an older one",
			   (unsigned long long)followed, (unsigned long long)told);
}

static bool grows(uint64_t n1, const uint8_t *root1, uint64_t n2, const uint8_t *root2, struct slice proof)
{
	return proof.n % 32 == 0 && merkle_consistent(n1, root1, n2, root2, (const merkle_hash *)proof.p, proof.n / 32);
}

/* from, root: of what was followed. */
static enum err check_part(struct gate *g, const struct wire_feed_is *m, uint64_t from, const uint8_t root[32],
			   struct feed_part *ret, struct fault *f)
{
	struct checkpoint c;
	TRY(feed_part_open(m->part, &g->log_key, m->records.v, m->records.n, ret, f));
	if (ret->from > from)
		return fault_raise(f, ERR_NET, "feed_from", "feed.from", "found %llu, wanted %llu",
				   (unsigned long long)ret->from, (unsigned long long)from);
	if (ret->from < from || !grows(from, root, ret->to, ret->root, m->proof))
		return fork_raise(f, "feed.part", from, ret->to);
	TRY(checkpoint_open(m->checkpoint, &g->log_key, &c, f));
	if (c.size < ret->to || !grows(ret->to, ret->root, c.size, c.root, m->ahead))
		return fork_raise(f, "feed.checkpoint", ret->to, c.size);
	g->ledger_size = c.size;
	pthread_mutex_lock(&g->lock);
	buf_clear(&g->checkpoint);
	buf_add_slice(&g->checkpoint, m->checkpoint);
	pthread_mutex_unlock(&g->lock);
	return OK;
}

static enum err distrust(struct gate *g, enum err e, const struct fault *f)
{
	bool forked = strcmp(f->rule, "ledger_fork") == 0;
	if (forked && !atomic_exchange(&g->forked, true))
		log_audit("ledger_fork", "rule=%s where=%s text=%s", LQ(f->rule), LQ(f->where), LQ(f->text));
	return e;
}

/* --- the mark --- */

static char *mark_path(const struct gate *g)
{
	return path_join(g->config.state, "followed");
}

static enum err mark_write(struct gate *g, const struct gate_head *h, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *path = mark_path(g);
	struct checkpoint c = {.size = h->size};
	memcpy(c.origin, g->log_key.origin, sizeof(c.origin));
	memcpy(c.root, h->root, 32);
	checkpoint_put(&c, &text);
	return file_write(path, buf_slice(&text), 0600, f);
}

/* *ret_size 0: there is none. */
static enum err mark_read(struct gate *g, struct checkpoint *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *path = mark_path(g);
	*ret = (struct checkpoint){0};
	if (!file_exists(path))
		return OK;
	TRY(file_read(path, CHECKPOINT_MAX_BYTES, &text, f));
	TRY(checkpoint_parse(buf_slice(&text), ret, f));
	if (strcmp(ret->origin, g->log_key.origin) != 0)
		return fault_raise(f, ERR_CONFIG, "log_origin", "state",
				   "%s is of %s, and log_key of %s: another CA's gate wants a folder of its own", path,
				   ret->origin, g->log_key.origin);
	return OK;
}

/* --- applying --- */

static enum err apply_one(struct gate *g, const struct record *r, struct fault *f)
{
	const struct cert_ref *before = r->before.serial.n > 0 ? &r->before : NULL;
	if (r->type == WIRE_TYPE_S_CERT)
		return table_add(g->table, &r->ref, r->not_after, r->foreign, before, f);
	if (r->type == WIRE_TYPE_S_CRL)
		return table_set_crl(g->table, r->ref.issuer_key_id, &r->crl, f);
	if (r->type == WIRE_TYPE_S_STATE && !table_set(g->table, &r->ref, r->state, r->reason, r->when))
		log_event(LOG_LEVEL_ERROR, "certificate_missing", "entry=%llu serial=%s", (unsigned long long)r->index,
			  SERIAL(&r->ref.serial));
	return OK;
}

/* All of a part or, where memory's bounds are met, none that was not told before. */
static enum err apply(struct gate *g, const struct batch *b, struct fault *f)
{
	enum err e = OK;
	table_write_begin(g->table);
	for (size_t i = 0; i < b->n && e == OK; i++)
		e = apply_one(g, &b->v[i], f);
	if (e == OK)
		table_set_head(g->table, &b->head);
	table_write_end(g->table);
	return e;
}

static struct gate_head head_of(struct gate *g)
{
	table_read_begin(g->table);
	struct gate_head h = table_head(g->table);
	table_read_end(g->table);
	return h;
}

static void hurry(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->hurry_crls = true;
	pthread_cond_broadcast(&g->woken);
	pthread_mutex_unlock(&g->lock);
}

enum err feed_take(struct gate *g, struct slice answer, bool *ret_more, struct fault *f)
{
	_cleanup_(wire_feed_is_done) struct wire_feed_is m = {0};
	_cleanup_(batch_done) struct batch b = {.head = head_of(g)};
	struct feed_part p;
	TRY(wire_feed_is_get(answer, &m, f));
	enum err e = check_part(g, &m, b.head.size, b.head.root, &p, f);
	if (e != OK)
		return distrust(g, e, f);
	*ret_more = p.to < g->ledger_size;
	g->heard = clock_now();
	if (p.to == p.from)
		return OK;
	TRY(read_records(&m, &p, &b, f));
	e = b.changes && !g->behind_mark ? mark_write(g, &b.head, f) : OK;
	if (e == OK)
		e = apply(g, &b, f);
	/* What was told and cannot be kept is not answered against: until it can, nothing is. */
	g->unkept = e != OK && (b.changes || g->unkept);
	TRY(e);
	if (b.urgent)
		hurry(g);
	return OK;
}

/* --- asking --- */

static enum err ask(struct gate *g, uint64_t from, uint32_t max, uint32_t wait_ms, struct buf *ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *params =
		json_pack("{s:I,s:i,s:i}", "from", (json_int_t)from, "max", (int)max, "wait_ms", (int)wait_ms);
	_cleanup_(json_freep) json_t *result = NULL;
	TRY(jsonrpc_call(g->desk, "edge.feed", params, &result, NULL, f));
	const char *text = json_string_value(json_object_get(result, "feed"));
	if (!text || !base64_decode(text, strlen(text), ret))
		return fault_raise(f, ERR_NET, "feed_form", "edge.feed", "the desk's answer has no feed in base64");
	return OK;
}

/* What was followed in an earlier life must be where this ledger began, whatever the snapshot holds. */
static enum err check_mark(struct gate *g, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	_cleanup_(wire_feed_is_done) struct wire_feed_is m = {0};
	struct checkpoint mark;
	struct feed_part p;
	TRY(mark_read(g, &mark, f));
	if (mark.size == 0)
		return OK;
	TRY(ask(g, mark.size, 1, 0, &reply, f));
	TRY(wire_feed_is_get(buf_slice(&reply), &m, f));
	enum err e = check_part(g, &m, mark.size, mark.root, &p, f);
	return e == OK ? OK : distrust(g, e, f);
}

/* Has the table come to where an earlier life was? From then on what is there may be answered. */
static enum err look_at_mark(struct gate *g, struct fault *f)
{
	struct checkpoint mark;
	struct gate_head h = head_of(g);
	TRY(mark_read(g, &mark, f));
	if (h.size < mark.size)
		return OK;
	TRY(mark_write(g, &h, f));
	g->behind_mark = false;
	return OK;
}

enum err feed_once(struct gate *g, uint32_t wait_ms, bool *ret_more, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	*ret_more = false;
	if (g->behind_mark)
		TRY(check_mark(g, f));
	TRY(ask(g, head_of(g).size, BATCH, wait_ms, &reply, f));
	TRY(feed_take(g, buf_slice(&reply), ret_more, f));
	return g->behind_mark ? look_at_mark(g, f) : OK;
}

/* --- the snapshot --- */

static char *snapshot_path(const struct gate *g)
{
	return path_join(g->config.state, "snapshot");
}

enum err feed_load(struct gate *g, struct fault *f)
{
	_cleanup_(freep) char *path = snapshot_path(g), *mark_at = mark_path(g);
	struct fault why = {0};
	struct checkpoint mark;
	int64_t from = clock_mono_us();
	file_sweep(mark_at);
	TRY(mark_read(g, &mark, f));
	g->table = table_new();
	enum err e = snapshot_read(g->table, path, &why);
	if (e != OK && e != ERR_NOT_FOUND) {
		log_fault(LOG_LEVEL_ERROR, "snapshot_thrown_away", &why);
		table_freep(&g->table);
		g->table = table_new();
	}
	struct gate_head h = table_head(g->table);
	g->behind_mark = h.size < mark.size;
	log_event(LOG_LEVEL_NOTICE, "table", "certificates=%zu entries=%llu followed=%llu ms=%lld",
		  table_count(g->table), (unsigned long long)h.size, (unsigned long long)mark.size,
		  (long long)(clock_mono_us() - from) / 1000);
	return OK;
}

static void save(struct gate *g)
{
	_cleanup_(freep) char *path = snapshot_path(g);
	struct fault f = {0};
	struct gate_head h = head_of(g);
	if (g->forked || g->behind_mark)
		return; /* what was followed before is worth more */
	if (mark_write(g, &h, &f) != OK || snapshot_write(g->table, path, &f) != OK)
		log_fault(LOG_LEVEL_ERROR, "snapshot_failed", &f);
}

/* --- the thread --- */

struct follower {
	struct gate *gate;
	pthread_t thread;
	char last_error[40];   /* rule that was logged last */
	int64_t marked, saved; /* when, monotonic us */
	uint64_t saved_size;
};

static void report(struct follower *w, const struct fault *f)
{
	if (strcmp(w->last_error, f->rule) == 0)
		return;
	snprintf(w->last_error, sizeof(w->last_error), "%s", f->rule);
	log_fault(f->kind == ERR_NET || f->kind == ERR_BUSY || f->kind == ERR_LOCKED ? LOG_LEVEL_WARNING
										     : LOG_LEVEL_ERROR,
		  "follow_failed", f);
}

static void keep(struct follower *w, bool more)
{
	struct gate *g = w->gate;
	struct gate_head h = head_of(g);
	struct fault f = {0};
	int64_t now = clock_mono_us();
	if (!more && !g->behind_mark && now - w->marked > MARK_EVERY_S * INT64_C(1000000)) {
		w->marked = now;
		if (mark_write(g, &h, &f) != OK)
			log_fault(LOG_LEVEL_ERROR, "mark_failed", &f);
	}
	if (h.size != w->saved_size && now - w->saved > g->config.snapshot_minutes * INT64_C(60000000)) {
		w->saved = now;
		w->saved_size = h.size;
		save(g);
	}
}

static bool stopping(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	bool s = g->stopping;
	pthread_mutex_unlock(&g->lock);
	return s;
}

static void *run(void *arg)
{
	struct follower *w = arg;
	int64_t pause = PAUSE_MIN_MS;
	w->saved = clock_mono_us();
	while (!stopping(w->gate)) {
		struct fault f = {0};
		bool more = false;
		int64_t asked = clock_mono_us();
		if (feed_once(w->gate, WAIT_MS, &more, &f) == OK) {
			w->last_error[0] = '\0';
			pause = PAUSE_MIN_MS;
			keep(w, more);
			/* A desk that does not let us wait has many gates. */
			if (more || clock_mono_us() - asked > AT_ONCE_US)
				continue;
		} else {
			report(w, &f);
		}
		if (gate_rest(w->gate, pause, NULL))
			break;
		pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
	}
	return NULL;
}

enum err follower_start(struct gate *g, struct follower **ret, struct fault *f)
{
	struct follower *w = xcalloc(1, sizeof(*w));
	w->gate = g;
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		free(w);
		return fault_raise(f, ERR_IO, "thread", "follower", "cannot start a thread");
	}
	*ret = w;
	return OK;
}

void follower_stop(struct follower *w)
{
	pthread_join(w->thread, NULL);
	save(w->gate);
	free(w);
}

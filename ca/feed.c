/*
 * One walk over a stretch of entries. What an entry says by its own bytes is copied; what it only refers to (E_ISSUED
 * names an intent) is looked up in the tables. The size and the root that are signed are of entries that are flushed.
 */
#include "ca/feed.h"

#include "common/base/cleanup.h"
#include "common/note/feed.h"
#include "common/pki/der.h"

#include <string.h>

#define PART_BYTES (4u * 1024u * 1024u) /* of entries that are read for one answer */
#define MAX_ENTRIES 1024u

struct part {
	struct db *db;
	uint64_t next;	  /* entry that comes now */
	struct buf bytes; /* of the records, one after the other */
	size_t ends[MAX_ENTRIES];
	size_t n;
	enum err e;
	struct fault *f;
};

static void part_free(struct part *p)
{
	buf_done(&p->bytes);
	free(p);
}
CLEANUP_PTR(struct part, part_freep, part_free)

static void record_ends(struct part *p)
{
	p->ends[p->n++] = p->bytes.len;
}

/* --- entries that make a certificate --- */

/* RFC 5280 4.1: [0] version, which a v1 certificate lacks, then the serial number. */
static enum err tbs_serial(struct slice tbs, struct serial *ret, struct fault *f)
{
	struct der whole = der_of(tbs), in;
	struct slice body;
	if (der_enter(&whole, DER_SEQUENCE, &in) &&
	    (der_peek(&in) != DER_CONTEXT_CONS(0) || der_get(&in, DER_CONTEXT_CONS(0), &body)) &&
	    der_get_integer(&in, &body) && serial_from_integer(body, ret))
		return OK;
	return fault_raise(f, ERR_DB, "ledger_entry", "entry.tbs", "the ledger has no TBSCertificate there");
}

static enum err put_cert(struct part *p, uint64_t index, int64_t at, const struct cert_ref *ref, struct fault *f)
{
	struct ledger_cert c, before = {0};
	int64_t before_id = 0;
	TRY(ledger_cert(p->db, ref, &c, f));
	TRY(ledger_predecessor(p->db, c.id, &before_id, f));
	if (before_id != 0)
		TRY(ledger_cert_by_id(p->db, before_id, &before, f));
	struct wire_s_cert m = {.index = index,
				.at = at,
				.serial = slice_of(ref->serial.b, ref->serial.n),
				.not_after = c.not_after,
				.foreign = c.adopted,
				.before = slice_of(before.ref.serial.b, before.ref.serial.n)};
	memcpy(m.issuer, ref->issuer_key_id, 20);
	memcpy(m.before_issuer, before.ref.issuer_key_id, 20);
	wire_s_cert_put(&m, &p->bytes);
	record_ends(p);
	return OK;
}

static enum err on_issued(struct part *p, struct slice body, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	struct wire_e_issued e;
	struct wire_e_intent intent;
	struct cert_ref ref = {0};
	TRY(wire_e_issued_get(body, &e, f));
	TRY(ledger_entry(p->db, e.intent, &bytes, f));
	TRY(wire_e_intent_get(buf_slice(&bytes), &intent, f));
	memcpy(ref.issuer_key_id, intent.issuer, 20);
	TRY(tbs_serial(intent.tbs, &ref.serial, f));
	return put_cert(p, p->next, e.at, &ref, f);
}

static enum err on_adopted(struct part *p, struct slice body, struct fault *f)
{
	struct wire_e_adopted e;
	struct cert_ref ref = {0};
	struct slice tbs;
	TRY(wire_e_adopted_get(body, &e, f));
	struct der whole = der_of(e.cert), in;
	if (!der_enter(&whole, DER_SEQUENCE, &in) || !der_get_whole(&in, DER_SEQUENCE, &tbs))
		return fault_raise(f, ERR_DB, "ledger_entry", "entry.cert", "the ledger has no certificate there");
	memcpy(ref.issuer_key_id, e.issuer, 20);
	TRY(tbs_serial(tbs, &ref.serial, f));
	return put_cert(p, p->next, e.at, &ref, f);
}

/* --- entries that change one --- */

static void put_state(struct part *p, int64_t at, const uint8_t issuer[20], struct slice serial, enum cert_state state,
		      uint8_t reason, int64_t when)
{
	struct wire_s_state m = {
		.index = p->next, .at = at, .serial = serial, .state = (uint8_t)state, .reason = reason, .when = when};
	memcpy(m.issuer, issuer, 20);
	wire_s_state_put(&m, &p->bytes);
	record_ends(p);
}

static enum err on_revoked(struct part *p, struct slice body, struct fault *f)
{
	struct wire_e_revoked e;
	TRY(wire_e_revoked_get(body, &e, f));
	put_state(p, e.at, e.issuer, e.serial, e.ended ? CERT_ENDED : CERT_REVOKED, e.reason, e.when);
	return OK;
}

static enum err on_held(struct part *p, struct slice body, struct fault *f)
{
	struct wire_e_held e;
	TRY(wire_e_held_get(body, &e, f));
	put_state(p, e.at, e.issuer, e.serial, CERT_HELD, 6, e.at); /* certificateHold */
	return OK;
}

static enum err on_released(struct part *p, struct slice body, struct fault *f)
{
	struct wire_e_released e;
	TRY(wire_e_released_get(body, &e, f));
	put_state(p, e.at, e.issuer, e.serial, CERT_GOOD, 0, e.at);
	return OK;
}

static enum err on_crl(struct part *p, struct slice body, struct fault *f)
{
	struct wire_e_crl e;
	TRY(wire_e_crl_get(body, &e, f));
	struct wire_s_crl m = {
		.index = p->next, .at = e.at, .shard = e.shard, .number = e.number, .next_update = e.next_update};
	memcpy(m.issuer, e.issuer, 20);
	memcpy(m.sha256, e.sha256, 32);
	wire_s_crl_put(&m, &p->bytes);
	record_ends(p);
	return OK;
}

static enum err on_beat(struct part *p, struct slice body, struct fault *f)
{
	struct wire_e_beat e;
	TRY(wire_e_beat_get(body, &e, f));
	wire_s_beat_put(&(struct wire_s_beat){.index = p->next, .at = e.at}, &p->bytes);
	record_ends(p);
	return OK;
}

static enum err put_record(struct part *p, struct slice body, struct fault *f)
{
	static const struct {
		enum wire_type type;
		enum err (*fn)(struct part *p, struct slice body, struct fault *f);
	} table[] = {
		{WIRE_TYPE_E_ISSUED, on_issued}, {WIRE_TYPE_E_ADOPTED, on_adopted},   {WIRE_TYPE_E_REVOKED, on_revoked},
		{WIRE_TYPE_E_HELD, on_held},	 {WIRE_TYPE_E_RELEASED, on_released}, {WIRE_TYPE_E_CRL, on_crl},
		{WIRE_TYPE_E_BEAT, on_beat},
	};
	enum wire_type type;
	TRY(wire_type(body, &type, f));
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].type == type)
			return table[i].fn(p, body, f);
	return OK;
}

static void each(void *arg, struct slice body)
{
	struct part *p = arg;
	if (p->e == OK)
		p->e = put_record(p, body, p->f);
	p->next++;
}

/* --- the answer --- */

struct answer {
	struct checkpoint head;
	struct buf checkpoint, part, proof, ahead;
};

static void answer_done(struct answer *a)
{
	buf_done(&a->checkpoint);
	buf_done(&a->part);
	buf_done(&a->proof);
	buf_done(&a->ahead);
}

static void put_answer(const struct part *p, const struct answer *a, struct buf *reply)
{
	struct wire_feed_is m = {.part = buf_slice(&a->part),
				 .proof = buf_slice(&a->proof),
				 .checkpoint = buf_slice(&a->checkpoint),
				 .ahead = buf_slice(&a->ahead)};
	for (size_t i = 0, at = 0; i < p->n; at = p->ends[i++])
		wire_list_add(&m.records, slice_of(p->bytes.data + at, p->ends[i] - at));
	wire_feed_is_put(&m, reply);
	wire_feed_is_done(&m);
}

static void hash_records(const struct part *p, uint8_t ret[32])
{
	struct slice records[MAX_ENTRIES];
	for (size_t i = 0, at = 0; i < p->n; at = p->ends[i++])
		records[i] = slice_of(p->bytes.data + at, p->ends[i] - at);
	feed_records_sha256(records, p->n, ret);
}

static enum err sign_part(struct signer *s, const struct part *p, uint64_t from, struct answer *a, struct fault *f)
{
	struct feed_part said = {.from = from, .to = p->next};
	hash_records(p, said.records);
	TRY(ledger_root(p->db, said.to, said.root, f));
	TRY(ledger_sign_feed(s->ledger, &said, &a->part, f));
	TRY(ledger_prove_consistency(p->db, from, said.to, &a->proof, f));
	return ledger_prove_consistency(p->db, said.to, a->head.size, &a->ahead, f);
}

static enum err make(struct signer *s, struct part *p, const struct wire_feed *m, struct answer *a, struct fault *f)
{
	uint64_t from = m->from < a->head.size ? m->from : a->head.size, rest = a->head.size - from;
	uint32_t most = m->max < MAX_ENTRIES ? m->max : MAX_ENTRIES;
	p->next = from;
	TRY(ledger_entries(p->db, from, rest < most ? (uint32_t)rest : most, PART_BYTES, each, p, f));
	TRY(p->e);
	return sign_part(s, p, from, a, f);
}

enum err feed_make(struct signer *s, const struct wire_feed *m, struct buf *reply, struct fault *f)
{
	_cleanup_(part_freep) struct part *p = xcalloc(1, sizeof(*p));
	_cleanup_(answer_done) struct answer a = {0};
	p->f = f;
	/* Before the entries: nothing is told that the checkpoint does not cover. */
	TRY(ledger_checkpoint(s->ledger, &a.head, &a.checkpoint, f));
	TRY(ledger_reader(s->ledger, &p->db, f));
	enum err e = make(s, p, m, &a, f);
	ledger_reader_put(s->ledger, p->db);
	TRY(e);
	put_answer(p, &a, reply);
	return OK;
}

enum err feed_tile(struct signer *s, const struct wire_tile *m, struct buf *reply, struct fault *f)
{
	_cleanup_buf_ struct buf hashes = {0};
	struct db *db;
	uint64_t nodes = ledger_size(s->ledger) >> m->level;
	if (m->level % 8 != 0)
		return fault_raise(f, ERR_RULE, "tile_level", "tile.level", "found %u, wanted 0, 8, 16 …", m->level);
	if (m->width == 0 || m->index > nodes || nodes - m->index < m->width)
		return fault_raise(f, ERR_NOT_FOUND, "tile_unknown", "tile.index",
				   "found %u nodes from %llu on, but level %u of the tree has %llu", m->width,
				   (unsigned long long)m->index, m->level, (unsigned long long)nodes);
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = ledger_hashes(db, m->level, m->index, m->width, &hashes, f);
	ledger_reader_put(s->ledger, db);
	TRY(e);
	wire_tile_is_put(&(struct wire_tile_is){.hashes = buf_slice(&hashes)}, reply);
	return OK;
}

/*
 * The signer that is played: it keeps a ledger in memory, issues without judging, and fails when it is told to.
 */
#include "ra_fixture_private.h"

#include "common/note/statement.h"
#include "common/pki/csr.h"

#include <string.h>

/* --- certificates --- */

static void add(struct name *n, const char *word, const char *value)
{
	struct fault f = {0};
	must(word, name_add(n, attr_by_word(word, strlen(word)), value, strlen(value), &f), &f);
}

/* RFC 5280 4.1.2, without extensions. */
static void put_tbs(const struct fake *s, const struct serial *serial, const char *issuer, int64_t from, int64_t to,
		    const struct name *subject, struct slice spki, struct buf *ret)
{
	_cleanup_(name_done) struct name by = {0};
	size_t tbs = der_begin(ret, DER_SEQUENCE), version = der_begin(ret, DER_CONTEXT_CONS(0)), validity;
	der_put_uint(ret, 2);
	der_end(ret, version);
	der_put_magnitude(ret, slice_of(serial->b, serial->n));
	sigalg_put(s->public_key.alg, ret);
	add(&by, "C", "CN");
	add(&by, "CN", issuer);
	name_put(&by, ret);
	validity = der_begin(ret, DER_SEQUENCE);
	der_put_time(ret, from);
	der_put_time(ret, to);
	der_end(ret, validity);
	name_put(subject, ret);
	buf_add_slice(ret, spki);
	der_end(ret, tbs);
}

static void put_certificate(const struct fake *s, struct slice tbs, struct slice signature, struct buf *ret)
{
	size_t begin = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, tbs);
	sigalg_put(s->public_key.alg, ret);
	der_put_bits(ret, signature, 0);
	der_end(ret, begin);
}

/* --- the signer that is played --- */

static void append(struct fake *s, const struct buf *entry)
{
	s->entries = xrealloc(s->entries, s->n_entries + 1, sizeof(*s->entries));
	s->entries[s->n_entries] = (struct buf){0};
	buf_add_slice(&s->entries[s->n_entries++], buf_slice(entry));
}

#define APPEND(s, lower, ...)                                                                                          \
	do {                                                                                                           \
		_cleanup_buf_ struct buf entry_ = {0};                                                                 \
		struct wire_##lower e_ = {.at = clock_now(), __VA_ARGS__};                                             \
		wire_##lower##_put(&e_, &entry_);                                                                      \
		append((s), &entry_);                                                                                  \
	} while (0)

void fx_append(struct fx *x, const struct buf *entry)
{
	pthread_mutex_lock(&x->signer.lock);
	append(&x->signer, entry);
	pthread_mutex_unlock(&x->signer.lock);
}

void fx_append_revoked(struct fx *x, const struct fx_org *org, bool ended, unsigned reason, int64_t when)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_revoked e = {.at = clock_now(),
				   .serial = slice_of(org->serial.b, org->serial.n),
				   .when = when,
				   .reason = (uint8_t)reason,
				   .ended = ended,
				   .cause = UINT64_MAX};
	memcpy(e.issuer, org->issuer, 20);
	wire_e_revoked_put(&e, &entry);
	fx_append(x, &entry);
}

/* What was issued for a tally before: its entry; -1 when none. */
static int64_t issued_before(const struct fake *s, const uint8_t id[TALLY_ID])
{
	for (size_t i = 0; i < s->n_entries; i++) {
		struct wire_e_issued e;
		enum wire_type type;
		if (wire_type(buf_slice(&s->entries[i]), &type, NULL) != OK || type != WIRE_TYPE_E_ISSUED)
			continue;
		assert_int_equal(wire_e_issued_get(buf_slice(&s->entries[i]), &e, NULL), OK);
		if (memcmp(e.tally, id, TALLY_ID) == 0)
			return (int64_t)i;
	}
	return -1;
}

static void subject_spki(const struct fx *x, const struct tally *t, struct slice csr, struct csr *parsed,
			 struct slice *ret)
{
	struct fault f = {0};
	const struct fx_org *org = serial_eq(&t->predecessor.serial, &x->other.serial) ? &x->other : &x->org;
	*ret = slice_of(org->public_key.spki, org->public_key.spki_len);
	if (csr.n == 0)
		return;
	must("csr", csr_parse(csr, parsed, &f), &f);
	*ret = slice_of(parsed->key.spki, parsed->key.spki_len);
}

static void issue(struct fx *x, const struct tally *t, const struct wire_tally *m)
{
	struct fake *s = &x->signer;
	_cleanup_buf_ struct buf tbs = {0}, signature = {0};
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_(name_done) struct name subject = {0};
	struct serial serial = {.b = {0x01, 0x32, (uint8_t)(0x10 + s->n_issued)}, .n = 3};
	struct slice spki;
	struct fault f = {0};
	must("subject", tally_subject_after(t, &subject, &f), &f);
	subject_spki(x, t, m->csr, &csr, &spki);
	put_tbs(s, &serial, "Hufu Issuing", clock_now(), t->latest ? t->latest : clock_now() + 7 * DAY, &subject, spki,
		&tbs);
	must("sign", privkey_sign(s->key, KEY_P256, buf_slice(&tbs), &signature, &f), &f);
	struct wire_e_intent i = {.at = clock_now(), .tbs = buf_slice(&tbs), .note = m->note};
	_cleanup_buf_ struct buf intent = {0}, issued = {0};
	memcpy(i.tally, t->id, TALLY_ID);
	memcpy(i.issuer, s->public_key.key_id, 20);
	wire_e_intent_put(&i, &intent);
	append(s, &intent);
	struct wire_e_issued e = {.at = clock_now(), .intent = s->n_entries - 1, .signature = buf_slice(&signature)};
	memcpy(e.tally, t->id, TALLY_ID);
	wire_e_issued_put(&e, &issued);
	append(s, &issued);
	s->n_issued++;
}

static void do_revoke(struct fake *s, const struct tally *t, struct slice note)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_revoked e = {.at = clock_now(),
				   .serial = slice_of(t->predecessor.serial.b, t->predecessor.serial.n),
				   .when = clock_now(),
				   .reason = (uint8_t)t->reason,
				   .cause = UINT64_MAX,
				   .note = note};
	memcpy(e.issuer, t->predecessor.issuer_key_id, 20);
	memcpy(e.tally, t->id, TALLY_ID);
	wire_e_revoked_put(&e, &entry);
	append(s, &entry);
}

static void do_hold(struct fake *s, const struct tally *t, struct slice note)
{
	_cleanup_buf_ struct buf entry = {0};
	struct slice serial = slice_of(t->predecessor.serial.b, t->predecessor.serial.n);
	if (t->kind == TALLY_HOLD) {
		struct wire_e_held e = {.at = clock_now(), .serial = serial, .note = note};
		memcpy(e.issuer, t->predecessor.issuer_key_id, 20);
		memcpy(e.tally, t->id, TALLY_ID);
		wire_e_held_put(&e, &entry);
	} else {
		struct wire_e_released e = {.at = clock_now(), .serial = serial, .note = note};
		memcpy(e.issuer, t->predecessor.issuer_key_id, 20);
		memcpy(e.tally, t->id, TALLY_ID);
		wire_e_released_put(&e, &entry);
	}
	append(s, &entry);
}

static void do_withdraw(struct fake *s, const struct tally *t, struct slice note)
{
	_cleanup_buf_ struct buf entry = {0};
	struct wire_e_withdrawn e = {.at = clock_now(), .note = note};
	memcpy(e.tally, t->id, TALLY_ID);
	memcpy(e.target, t->target, TALLY_ID);
	wire_e_withdrawn_put(&e, &entry);
	append(s, &entry);
}

static void put_done(const struct fake *s, const struct tally *t, bool again, struct buf *reply)
{
	_cleanup_buf_ struct buf cert = {0};
	struct wire_done done = {.index = s->n_entries - 1, .again = again};
	memcpy(done.issuer, s->public_key.key_id, 20);
	int64_t at = issued_before(s, t->id);
	if (at >= 0) {
		struct wire_e_issued e;
		struct wire_e_intent i;
		assert_int_equal(wire_e_issued_get(buf_slice(&s->entries[at]), &e, NULL), OK);
		assert_int_equal(wire_e_intent_get(buf_slice(&s->entries[e.intent]), &i, NULL), OK);
		put_certificate(s, i.tbs, e.signature, &cert);
		done.index = (uint64_t)at;
		done.intent = e.intent;
	}
	done.cert = buf_slice(&cert);
	wire_done_put(&done, reply);
}

static void serve_tally(struct fx *x, struct slice request, struct buf *reply)
{
	struct fake *s = &x->signer;
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(tally_done) struct tally t = {0};
	struct wire_tally m;
	struct fault f = {0};
	must("tally", wire_tally_get(request, &m, &f), &f);
	must("note", note_parse(m.note, 1, &note, &f), &f);
	must("tally", tally_parse(note.text, &t, &f), &f);
	tally_id_text(t.id, s->last_id);
	s->n_tallies++;
	bool fails = s->fail > 0;
	if (fails)
		s->fail--;
	bool again = issued_before(s, t.id) >= 0;
	if ((!fails || s->fail_after) && !again) {
		if (t.kind == TALLY_WITHDRAW)
			do_withdraw(s, &t, m.note);
		else if (t.kind == TALLY_REVOKE)
			do_revoke(s, &t, m.note);
		else if (t.kind == TALLY_HOLD || t.kind == TALLY_RELEASE)
			do_hold(s, &t, m.note);
		else
			issue(x, &t, &m);
	}
	if (fails)
		wire_put_fault(&s->fault, 0, reply);
	else
		put_done(s, &t, again, reply);
}

static enum err leaf_range(void *arg, unsigned level, uint64_t index, uint8_t ret[32], struct fault *f)
{
	const struct fake *s = arg;
	size_t n = (size_t)1 << level;
	merkle_hash *leaves = xcalloc(n, sizeof(*leaves));
	(void)f;
	for (size_t i = 0; i < n; i++)
		merkle_leaf(buf_slice(&s->entries[(index << level) + i]), leaves[i]);
	merkle_root(leaves, n, ret);
	free(leaves);
	return OK;
}

static void put_checkpoint(struct fake *s, struct buf *ret)
{
	struct merkle_edge edge;
	struct checkpoint c = {.size = s->n_entries};
	uint8_t key[32], secret[64];
	struct fault f = {0};
	must("edge", merkle_edge_load(&(struct merkle_source){leaf_range, s}, s->n_entries, &edge, &f), &f);
	merkle_edge_root(&edge, c.root);
	c.root[0] ^= s->bad_root;
	log_origin(s->public_key.key_id, c.origin);
	fx_seeded(s->other_log_key ? "thief" : "log", key, secret);
	must("checkpoint", checkpoint_sign(&c, note_signer_of(secret), ret, &f), &f);
}

static void serve_follow(struct fake *s, struct slice request, struct buf *reply)
{
	_cleanup_buf_ struct buf checkpoint = {0};
	merkle_hash path[MERKLE_MAX_PATH];
	struct wire_follow m;
	struct fault f = {0};
	size_t n = 0;
	assert_int_equal(wire_follow_get(request, &m, NULL), OK);
	s->n_follows++;
	struct wire_entries e = {.from = m.from, .size = s->n_entries};
	for (size_t i = m.from; i < s->n_entries && e.entries.n < m.max; i++)
		wire_list_add(&e.entries, buf_slice(&s->entries[i]));
	if (m.from <= s->n_entries)
		must("proof",
		     merkle_prove_consistency(&(struct merkle_source){leaf_range, s}, m.from + e.entries.n,
					      s->n_entries, path, &n, &f),
		     &f);
	put_checkpoint(s, &checkpoint);
	e.checkpoint = buf_slice(&checkpoint);
	e.proof = slice_of(path, 32 * n);
	wire_entries_put(&e, reply);
	wire_entries_done(&e);
}

static void serve_health(const struct fake *s, struct buf *reply)
{
	struct wire_health_is h = {.locked = s->locked,
				   .size = s->n_entries,
				   .now = clock_now(),
				   .last_beat = clock_now(),
				   .roster_version = 1,
				   .policy_version = 1,
				   .issuer_not_after = NOW + 3000 * DAY,
				   .waits = s->waits,
				   .restored = s->restored,
				   .issuer_cert = buf_slice(&s->issuer_cert),
				   .retired = buf_slice(&s->retired)};
	memcpy(h.ca, s->public_key.key_id, 20);
	memcpy(h.policy, s->policy, 32);
	memcpy(h.roster, s->roster, 32);
	wire_health_is_put(&h, reply);
}

/* What was shown last is kept. */
static void serve_seen(struct fake *s, struct slice request, struct buf *reply)
{
	struct wire_seen m;
	assert_int_equal(wire_seen_get(request, &m, NULL), OK);
	buf_clear(&s->seen);
	buf_add_slice(&s->seen, m.checkpoint);
	wire_ok_put(&(struct wire_ok){.index = s->n_entries}, reply);
}

static void serve(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	struct fx *x = arg;
	enum wire_type type;
	(void)peer;
	assert_int_equal(wire_type(request, &type, NULL), OK);
	pthread_mutex_lock(&x->signer.lock);
	if (type == WIRE_TYPE_TALLY)
		serve_tally(x, request, reply);
	else if (type == WIRE_TYPE_FOLLOW)
		serve_follow(&x->signer, request, reply);
	else if (type == WIRE_TYPE_SEEN)
		serve_seen(&x->signer, request, reply);
	else
		serve_health(&x->signer, reply);
	pthread_mutex_unlock(&x->signer.lock);
}

void fx_meet_signer(struct fx *x)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct fault f = {0};
	if (!x->desk || !x->signer.server)
		return;
	wire_health_put(&(struct wire_health){0}, &request);
	enum err e = rpc_call(x->desk->signer, buf_slice(&request), &reply, &f);
	/* It went out on the connection to the signer of before, whose end the client had not heard of yet. */
	if (e == ERR_NET && strcmp(f.rule, "peer_closed") == 0)
		e = rpc_call(x->desk->signer, buf_slice(&request), &reply, &f);
	must("signer", e, &f);
}

void fx_start_signer(struct fx *x)
{
	struct fault f = {0};
	_cleanup_(freep) char *path = fx_path(x, "signer.sock");
	must("signer",
	     rpc_server_start(&(struct rpc_server_config){.path = path,
							  .mode = 0600,
							  .max_request = WIRE_MAX_RA_REQUEST,
							  .workers = 4,
							  .handle = serve,
							  .arg = x},
			      &x->signer.server, &f),
	     &f);
	fx_meet_signer(x);
}

/* --- the old authority's certificates, adopted --- */

static void adopt(struct fx *x, struct fx_org *org, const char *serial, const char *name, const char *code)
{
	struct fake *s = &x->signer;
	_cleanup_(name_done) struct name subject = {0};
	_cleanup_buf_ struct buf tbs = {0}, signature = {0}, cert = {0}, entry = {0};
	struct fault f = {0};
	fx_make_key(&org->key, &org->public_key);
	memset(org->issuer, 0x2a, 20);
	assert_true(serial_parse(serial, strlen(serial), &org->serial));
	add(&subject, "C", "CN");
	add(&subject, "O", name);
	add(&subject, "CN", name);
	add(&subject, "organizationIdentifier", code);
	put_tbs(s, &org->serial, "ZJCA OCA2", NOW - 1000 * DAY, NOW + 60 * DAY, &subject,
		slice_of(org->public_key.spki, org->public_key.spki_len), &tbs);
	must("sign", privkey_sign(s->key, KEY_P256, buf_slice(&tbs), &signature, &f), &f);
	put_certificate(s, buf_slice(&tbs), buf_slice(&signature), &cert);
	struct wire_e_adopted e = {.at = clock_now(), .adoption = 0, .cert = buf_slice(&cert)};
	memcpy(e.issuer, org->issuer, 20);
	wire_e_adopted_put(&e, &entry);
	append(s, &entry);
}

static void put_adoption(struct fx *x)
{
	struct adoption a = {
		.project = "jinhua", .profile = "organisation", .count = 2, .made = NOW - DAY, .dies = NOW};
	_cleanup_buf_ struct buf text = {0}, note = {0};
	memset(a.issuer, 0x2a, 20);
	adoption_put(&a, &text);
	note_begin(buf_slice(&text), &note);
	fx_sign_as(&note, "alice");
	APPEND(&x->signer, e_adoption, .note = buf_slice(&note));
}

void fx_adopt(struct fx *x)
{
	put_adoption(x);
	adopt(x, &x->org, ORG_SERIAL, "擎洲测试投标人6", ORG_CODE);
	adopt(x, &x->other, OTHER_SERIAL, "别家公司", OTHER_CODE);
}

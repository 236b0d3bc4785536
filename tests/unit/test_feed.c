/*
 * The status feed of a real signer: what it tells of each kind of entry and what it keeps to itself, that its parts
 * chain, and that nobody between can change, shorten or mix one.
 */
#include "tests/unit/ca_fixture.h"

#include "ca/feed.h"
#include "common/base/file.h"

#include <string.h>

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

struct told {
	struct buf reply;
	struct wire_feed_is m;
	struct feed_part part;
};

static void told_done(struct told *t)
{
	wire_feed_is_done(&t->m);
	buf_done(&t->reply);
}

static struct log_key log_key(struct fx *x)
{
	_cleanup_(freep) char *path = path_join(x->dir, "log.vkey");
	_cleanup_buf_ struct buf vkey = {0};
	struct log_key k;
	struct fault f = {0};
	must("vkey", file_read(path, 1024, &vkey, &f), &f);
	must("vkey", log_key_parse(buf_slice(&vkey), &k, &f), &f);
	return k;
}

static void ask(struct fx *x, uint64_t from, uint32_t max, struct told *ret)
{
	_cleanup_buf_ struct buf request = {0};
	struct fault f = {0};
	struct log_key key = log_key(x);
	wire_feed_put(&(struct wire_feed){.from = from, .max = max}, &request);
	must("feed", fx_ra(x, &request, WIRE_TYPE_FEED_IS, &ret->reply, &f), &f);
	must("feed", wire_feed_is_get(buf_slice(&ret->reply), &ret->m, &f), &f);
	must("part", feed_part_open(ret->m.part, &key, ret->m.records.v, ret->m.records.n, &ret->part, &f), &f);
}

/* Something of every kind that the feed tells of: adopted, issued and replaced, held, a CRL, a beat. */
static void live(struct fx *x)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0}, c = {0};
	_cleanup_(tally_done) struct tally t = {0}, u = {0}, v = {0};
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct fault f = {0};
	struct wire_crl crl = {.shard = WIRE_FULL_CRL};
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_SUB | BY_RA, &a);
	check_done("extend", &a);
	fx_follow(x, ORG_P256, &a, KEY_OF_P256);
	fx_hold(x, ORG_P256, &u);
	fx_ask(x, &u, ORG_P256, KEY_NEW, BY_RA, &b);
	check_done("hold", &b);
	fx_revoke(x, ORG_P256, &v);
	fx_ask(x, &v, ORG_P256, KEY_NEW, BY_SUB | BY_RA, &c);
	check_done("revoke", &c);
	memcpy(crl.issuer, x->signer->issuer.key.key_id, 20);
	wire_crl_put(&crl, &request);
	must("crl", fx_ra(x, &request, WIRE_TYPE_CRL_IS, &reply, &f), &f);
}

static unsigned count(const struct told *t, enum wire_type want)
{
	unsigned n = 0;
	for (size_t i = 0; i < t->m.records.n; i++) {
		enum wire_type type;
		assert_int_equal(wire_type(t->m.records.v[i], &type, NULL), OK);
		n += type == want;
	}
	return n;
}

static void find_cert(const struct told *t, const struct serial *serial, struct wire_s_cert *ret)
{
	for (size_t i = 0; i < t->m.records.n; i++) {
		struct slice one = t->m.records.v[i];
		if (wire_s_cert_get(one, ret, NULL) == OK && slice_eq(ret->serial, slice_of(serial->b, serial->n)))
			return;
	}
	fail_msg("no certificate %s in the feed", SERIAL(serial));
}

static void states(const struct told *t, const struct serial *serial, const char *want)
{
	_cleanup_buf_ struct buf found = {0};
	for (size_t i = 0; i < t->m.records.n; i++) {
		struct wire_s_state s;
		if (wire_s_state_get(t->m.records.v[i], &s, NULL) == OK &&
		    slice_eq(s.serial, slice_of(serial->b, serial->n)))
			buf_fmt(&found, "%u/%u ", s.state, s.reason);
	}
	assert_string_equal(buf_text(&found), want);
}

static void test_tells(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(told_done) struct told t = {0};
	struct wire_s_cert c;
	struct serial adopted = x->orgs[ORG_P256].serial;
	live(x);
	ask(x, 0, 1024, &t);
	assert_int_equal(t.part.to, ledger_size(x->ledger));
	assert_true(count(&t, WIRE_TYPE_S_CERT) >= 2);
	assert_int_equal(count(&t, WIRE_TYPE_S_CRL), 1);
	find_cert(&t, &x->orgs[ORG_P256].cert.serial, &c);
	assert_int_equal(c.foreign, 0);
	assert_int_equal(c.not_after, x->orgs[ORG_P256].cert.not_after);
	assert_true(slice_eq(c.before, slice_of(adopted.b, adopted.n)));
	find_cert(&t, &adopted, &c);
	assert_int_equal(c.foreign, 1);
	assert_int_equal(c.before.n, 0);
	states(&t, &x->orgs[ORG_P256].cert.serial, "1/6 2/4 ");
}

/* What a customer is called stands in the ledger, and in no byte of the feed. */
static void test_keeps(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(told_done) struct told t = {0};
	live(x);
	ask(x, 0, 1024, &t);
	for (size_t i = 0; i < ORG_N; i++) {
		const struct fx_org *o = &x->orgs[i];
		assert_null(memmem(t.reply.data, t.reply.len, o->name, strlen(o->name)));
		assert_null(memmem(t.reply.data, t.reply.len, o->code, strlen(o->code)));
	}
}

/* Part after part, of any length, each from the tree where the last one ended, to the signed checkpoint. */
static void test_chains(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct log_key key = log_key(x);
	merkle_hash root;
	uint64_t at = 0;
	live(x);
	merkle_root(NULL, 0, root);
	for (uint32_t max = 1; at < ledger_size(x->ledger); max += 2) {
		_cleanup_(told_done) struct told t = {0};
		struct checkpoint c;
		struct fault f = {0};
		ask(x, at, max, &t);
		assert_int_equal(t.part.from, at);
		assert_true(t.part.to > at && t.part.to <= at + max);
		assert_true(merkle_consistent(at, root, t.part.to, t.part.root, (const merkle_hash *)t.m.proof.p,
					      t.m.proof.n / 32));
		must("checkpoint", checkpoint_open(t.m.checkpoint, &key, &c, &f), &f);
		assert_true(merkle_consistent(t.part.to, t.part.root, c.size, c.root, (const merkle_hash *)t.m.ahead.p,
					      t.m.ahead.n / 32));
		at = t.part.to;
		memcpy(root, t.part.root, 32);
	}
	_cleanup_(told_done) struct told end = {0}, beyond = {0};
	ask(x, at, 10, &end);
	assert_int_equal(end.part.to, at);
	assert_int_equal(end.m.records.n, 0);
	ask(x, at + 5, 10, &beyond);
	assert_int_equal(beyond.part.to, at);
}

static void refused(const char *what, struct slice part, const struct log_key *key, const struct slice *records,
		    size_t n, const char *rule)
{
	struct feed_part p;
	struct fault f = {0};
	enum err e = feed_part_open(part, key, records, n, &p, &f);
	if (e == OK || strcmp(f.rule, rule) != 0 || !f.where[0])
		fail_msg("%s: found %s, rule \"%s\": %s; wanted rule \"%s\"", what, err_word(e), f.rule, f.text, rule);
}

static void test_hostile(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(told_done) struct told t = {0}, other = {0};
	struct log_key key = log_key(x), wrong = key, elsewhere = key;
	live(x);
	ask(x, 0, 1024, &t);
	ask(x, 1, 1024, &other);
	struct slice *v = t.m.records.v, part = t.m.part;
	size_t n = t.m.records.n;
	assert_true(n >= 3);
	refused("the last record left out", part, &key, v, n - 1, "feed_records");
	refused("the first record left out", part, &key, v + 1, n - 1, "feed_records");
	refused("another stretch's records", other.m.part, &key, v, n - 1, "feed_records");
	struct slice first = v[0], second = v[1];
	v[0] = second;
	v[1] = first;
	refused("two records in another order", part, &key, v, n, "feed_records");
	v[0] = slice_of(first.p, first.n - 1);
	v[1] = second;
	refused("a byte short", part, &key, v, n, "feed_records");
	v[0] = first;
	wrong.key[0] ^= 1;
	refused("another log's key", part, &wrong, v, n, "log_signature");
	elsewhere.origin[12] = elsewhere.origin[12] == '0' ? '1' : '0';
	refused("another log", part, &elsewhere, v, n, "log_origin");
	refused("a checkpoint for a part", t.m.checkpoint, &key, v, n, "text_kind");
	for (size_t i = 0; i < part.n; i++) {
		_cleanup_buf_ struct buf bytes = {0};
		struct feed_part p;
		buf_add_slice(&bytes, part);
		bytes.data[i] ^= 1;
		assert_int_not_equal(feed_part_open(buf_slice(&bytes), &key, v, n, &p, NULL), OK);
	}
}

static enum err tile(struct fx *x, uint8_t level, uint64_t index, uint32_t width, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_tile_is m;
	wire_tile_put(&(struct wire_tile){.level = level, .index = index, .width = width}, &request);
	TRY(fx_ra(x, &request, WIRE_TYPE_TILE_IS, &reply, f));
	TRY(wire_tile_is_get(buf_slice(&reply), &m, f));
	buf_add_slice(ret, m.hashes);
	return OK;
}

static void test_tiles(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(told_done) struct told t = {0};
	_cleanup_buf_ struct buf leaves = {0}, none = {0};
	merkle_hash root;
	struct fault f = {0};
	live(x);
	ask(x, 0, 1024, &t);
	uint32_t size = (uint32_t)t.part.to;
	assert_true(size < 256);
	must("tile", tile(x, 0, 0, size, &leaves, &f), &f);
	merkle_root((const merkle_hash *)leaves.data, size, root);
	assert_memory_equal(root, t.part.root, 32);
	static const struct {
		const char *what;
		uint8_t level;
		uint64_t index;
		uint32_t width;
		enum err e;
	} cases[] = {
		{"more leaves than there are", 0, 0, 256, ERR_NOT_FOUND},
		{"an index that overflows", 0, UINT64_MAX, 1, ERR_NOT_FOUND},
		{"no leaf", 0, 0, 0, ERR_NOT_FOUND},
		{"a tile that is not full yet", 8, 0, 1, ERR_NOT_FOUND},
		{"a level between tiles", 3, 0, 1, ERR_RULE},
		{"the highest level", 56, 0, 1, ERR_NOT_FOUND},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum err e = tile(x, cases[i].level, cases[i].index, cases[i].width, &none, &f);
		if (e != cases[i].e)
			fail_msg("%s: found %s", cases[i].what, err_word(e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tells),	cmocka_unit_test(test_keeps), cmocka_unit_test(test_chains),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_tiles),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}

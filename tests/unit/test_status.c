/*
 * Status: the index says what the table says, the quick road answers with the general one's bytes, and who asks by
 * subject sees what is theirs.
 */
#include "ra_fixture.h"

#include "ra/status.h"
#include "ra/status_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define N_CERTS 400
#define N_ISSUERS 3
#define FAR INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static void ok(enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s", f->rule, f->text);
}

/* --- a table of all kinds --- */

/* Serials of 1 to 20 octets; some stand under several issuers. */
static void make_ref(unsigned i, struct cert_ref *ret)
{
	unsigned k = i / N_ISSUERS * N_ISSUERS;
	*ret = (struct cert_ref){.serial.n = i % 5 == 0 ? 1 + i % SERIAL_MAX : 2 + k % (SERIAL_MAX - 1)};
	for (size_t b = 0; b < ret->serial.n; b++)
		ret->serial.b[b] = (uint8_t)(1 + (k * 31 + b * 7) % 255);
	memset(ret->issuer_key_id, (int)(0xa0 + i % N_ISSUERS), 20);
}

static void add_one(struct db *db, unsigned i, int64_t *ids, struct fault *f)
{
	static const int64_t ends[] = {NOW - DAY, NOW, NOW + 300 * DAY + 12345, FAR};
	struct cert_row row = {.not_before = NOW - 100 * DAY, .not_after = ends[i % 4]};
	_cleanup_(cert_body_done) struct cert_body body = {.name = "n", .issuer_name = "i"};
	uint8_t der[4] = {(uint8_t)i, (uint8_t)(i >> 8), 1, 2};
	bool added = false;
	make_ref(i, &row.ref);
	buf_add(&body.der, der, sizeof(der));
	snprintf(body.identifier, sizeof(body.identifier), "ID-%u", i % 50);
	snprintf(body.project, sizeof(body.project), "%s", i % 2 ? "jinhua" : "other");
	ok(store_cert_add(db, &row, &body, &ids[i], &added, f), f);
	if (i % 3 == 1)
		ok(store_cert_status(db, ids[i], (enum cert_state)(i / 3 % 4), i % 12, NOW - 5 + (int64_t)i % 10,
				     (int64_t)i, f),
		   f);
	if (i % 7 == 6)
		ok(store_cert_successor(db, ids[i], ids[i - 1], f), f);
}

static void fill(struct fx *x, int64_t ids[N_CERTS])
{
	struct db *db = NULL;
	struct fault f = {0};
	ok(store_begin(x->desk->store, &db, &f), &f);
	for (unsigned i = 0; i < N_CERTS; i++)
		add_one(db, i, ids, &f);
	ok(store_end(x->desk->store, db, OK, &f), &f);
}

/* --- the index and the table --- */

struct comparing {
	struct status_index *index;
	size_t n;
};

static void compare(void *arg, const struct cert_row *row)
{
	struct comparing *c = arg;
	const struct status_entry *e = status_by_ref(c->index, &row->ref);
	assert_non_null(e);
	assert_ptr_equal(e, status_entry(c->index, row->id));
	assert_int_equal(e->state, row->state);
	assert_int_equal(e->reason, row->reason);
	assert_int_equal(e->changed, row->changed);
	assert_int_equal(e->not_after, row->not_after);
	assert_int_equal(e->successor, row->successor);
	c->n++;
}

static size_t index_is_table(struct fx *x)
{
	struct comparing c = {x->desk->status, 0};
	struct db *db = NULL;
	struct fault f = {0};
	ok(store_read(x->desk->store, &db, &f), &f);
	status_begin(c.index);
	ok(store_certs_each(db, 0, INT64_MAX, compare, &c, &f), &f);
	assert_null(status_entry(c.index, (int64_t)c.n + 1));
	status_end(c.index);
	store_read_end(x->desk->store, db);
	return c.n;
}

static void test_index(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	int64_t ids[N_CERTS];
	struct db *db = NULL;
	struct fault f = {0};
	(void)state;
	assert_int_equal(index_is_table(x), 2);
	fill(x, ids);
	assert_int_equal(index_is_table(x), N_CERTS + 2);
	/* What is rolled back was never so. */
	ok(store_begin(x->desk->store, &db, &f), &f);
	ok(store_cert_status(db, ids[0], CERT_REVOKED, 1, NOW, 7, &f), &f);
	assert_int_equal(store_end(x->desk->store, db, ERR_RULE, &f), ERR_RULE);
	assert_int_equal(index_is_table(x), N_CERTS + 2);
	fx_append_revoked(x, &x->org, false, 1, NOW);
	fx_follow(x);
	assert_int_equal(index_is_table(x), N_CERTS + 2);
	fx_restart(x);
	assert_int_equal(index_is_table(x), N_CERTS + 2);
}

/* --- two roads, the same bytes --- */

static struct rpc_peer peer_of(uid_t uid)
{
	return (struct rpc_peer){.uid = uid};
}

/* True when the quick road took it; then both must have answered alike. */
static bool same(struct fx *x, struct slice request)
{
	_cleanup_buf_ struct buf quick = {0}, general = {0};
	struct rpc_peer peer = peer_of(UID_PORTAL);
	if (!status_quick(x->desk, &peer, request, &quick)) {
		assert_int_equal(quick.len, 0);
		return false;
	}
	jsonrpc_handle(&x->desk->rpc, &peer, request, &general);
	if (!slice_eq(buf_slice(&quick), buf_slice(&general)))
		fail_msg("asked: %.*s\nquick: %s\ngeneral: %s", (int)request.n, (const char *)request.p,
			 buf_text(&quick), buf_text(&general));
	return true;
}

static const char *space(void)
{
	static const char *const spaces[] = {"", "", "", " ", "\n", "\t\r\n "};
	return spaces[rand() % 6];
}

static void put_asked(struct buf *b, bool refs)
{
	struct cert_ref ref;
	char issuer[41];
	make_ref((unsigned)rand() % N_CERTS, &ref);
	if (rand() % 4 == 0)
		ref.serial.b[ref.serial.n - 1] ^= 1;
	if (ref.serial.b[0] == 0)
		ref.serial.b[0] = 9;
	if (rand() % 4 == 0)
		ref.issuer_key_id[3] ^= 1;
	hex_lower(ref.issuer_key_id, 20, issuer);
	if (!refs)
		buf_fmt(b, "%s\"%s\"%s", space(), SERIAL(&ref.serial), space());
	else if (rand() % 2)
		buf_fmt(b, "{\"serial\":%s\"%s\",\"issuer\"%s:\"%s\"}", space(), SERIAL(&ref.serial), space(), issuer);
	else
		buf_fmt(b, "{%s\"issuer\":\"%s\"%s,\"serial\":\"%s\"}", space(), issuer, space(), SERIAL(&ref.serial));
}

static void put_question(struct buf *b)
{
	static const char *const ids[] = {"0", "1", "77", "999999999999999", "\"\"", "\"a-1\"", "\"</script>'--\""};
	bool refs = rand() % 2;
	unsigned members[] = {0, 1, 2, 3};
	for (unsigned i = 3; i > 0; i--) {
		unsigned k = (unsigned)rand() % (i + 1), m = members[i];
		members[i] = members[k];
		members[k] = m;
	}
	buf_fmt(b, "%s{", space());
	for (unsigned i = 0; i < 4; i++) {
		buf_fmt(b, "%s%s", i ? "," : "", space());
		if (members[i] == 0)
			buf_fmt(b, "\"jsonrpc\"%s:\"2.0\"", space());
		else if (members[i] == 1)
			buf_fmt(b, "\"method\":%s\"status.query\"", space());
		else if (members[i] == 2)
			buf_fmt(b, "\"id\":%s%s", space(), ids[rand() % 7]);
		else {
			buf_fmt(b, "\"params\":{\"%s\":[", refs ? "refs" : "serials");
			for (int n = rand() % 40; n >= 0; n--) {
				put_asked(b, refs);
				buf_str(b, n ? "," : "");
			}
			buf_fmt(b, "]%s}", space());
		}
	}
	buf_fmt(b, "%s}%s", space(), space());
}

static void mutate(struct buf *b)
{
	static const char bytes[] = "\"\\{}[]:,0A a\x80\x01-.eE/";
	for (int n = 1 + rand() % 3; n > 0; n--) {
		size_t at = (size_t)rand() % b->len, to = (size_t)rand() % b->len;
		switch (rand() % 4) {
		case 0:
			b->data[at] = (uint8_t)bytes[rand() % (int)(sizeof(bytes) - 1)];
			break;
		case 1: /* a byte less */
			memmove(b->data + at, b->data + at + 1, b->len - at - 1);
			b->len -= b->len > 1;
			break;
		case 2: /* cut off */
			b->len = rand() % 8 ? b->len : at + 1;
			break;
		default: /* a piece twice */
			buf_reserve(b, 64);
			at = at > 60 ? 60 : at;
			memmove(b->data + to + at, b->data + to, b->len - to);
			b->len += at;
			break;
		}
	}
}

static void test_two_roads(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	int64_t ids[N_CERTS];
	size_t taken = 0;
	(void)state;
	fill(x, ids);
	srand(7);
	for (unsigned i = 0; i < 4000; i++) {
		_cleanup_buf_ struct buf b = {0};
		clock_set(NOW - 8 + rand() % 16);
		put_question(&b);
		if (!same(x, buf_slice(&b)))
			fail_msg("not taken: %s", buf_text(&b));
		mutate(&b);
		taken += same(x, buf_slice(&b));
	}
	/* Mutations that hit a digit are questions still: both kinds must have come. */
	assert_in_range(taken, 100, 3900);
}

static void test_not_quick(void **state)
{
	static const char *const texts[] = {
		"{\"jsonrpc\":\"2.0\",\"method\":\"status.query\",\"params\":{\"serials\":[\"01\"]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"0001\"]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"abcd\"]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"123\"]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"01\"]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"status.query\",\"params\":{\"serials\":[\"01\"]}}",
		"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"01\"]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"01\"],\"token\":"
		"\"x\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"refs\":[{\"serial\":\"01\"}]}"
		"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"desk.health\",\"params\":{\"serials\":[\"01\"]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"01\"]}}x",
		"",
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct rpc_peer nobody = peer_of(UID_NOBODY);
	_cleanup_buf_ struct buf reply = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (same(x, slice_str(texts[i])))
			fail_msg("taken: %s", texts[i]);
	assert_false(status_quick(
		x->desk, &nobody,
		slice_str(
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"01\"]}}"),
		&reply));
}

/* --- by hash --- */

static json_t *answers(struct fx *x, enum fx_uid uid, json_t *params)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, uid, "status.query", params);
	return json_incref(json_object_get(r, "answers"));
}

static void hash_is(struct fx *x, const uint8_t *der, size_t n, const char *wanted)
{
	uint8_t sha[32];
	char hex[65];
	sha256(der, n, sha);
	hex_lower(sha, 32, hex);
	_cleanup_(json_freep) json_t *a = answers(x, UID_SUBSCRIBER, json_pack("{s:[s]}", "hashes", hex));
	assert_int_equal(json_array_size(a), 1);
	assert_string_equal(fx_text(json_array_get(a, 0), "state"), wanted);
	assert_string_equal(fx_text(json_array_get(a, 0), "sha256"), hex);
}

/* A clock that is behind turns nothing back: what the ledger told as revoked is revoked, on both roads. */
static void test_clock_back(void **state)
{
	static const int64_t back[] = {0, 1, 3600, 2 * DAY, NOW};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf question = {0};
	(void)state;
	buf_fmt(&question,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":{\"serials\":[\"%s\"]}}",
		SERIAL(&x->org.serial));
	fx_append_revoked(x, &x->org, false, 1, NOW);
	fx_follow(x);
	for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		_cleanup_buf_ struct buf reply = {0};
		struct rpc_peer peer = peer_of(UID_PORTAL);
		clock_set(NOW - back[i]);
		assert_true(same(x, buf_slice(&question)));
		assert_true(status_quick(x->desk, &peer, buf_slice(&question), &reply));
		if (!strstr(buf_text(&reply), "\"state\":\"revoked\""))
			fail_msg("%lld s back: %s", (long long)back[i], buf_text(&reply));
	}
}

static void test_hash(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	int64_t ids[N_CERTS];
	struct db *db = NULL;
	struct fault f = {0};
	uint8_t der[4] = {2, 0, 1, 2};
	(void)state;
	fill(x, ids);
	hash_is(x, der, 4, "good");
	hash_is(x, der, 3, "unknown");
	fx_refused(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "hashes", "abc"), "sha256_form");
	/* A desk from before prints were kept puts them when it opens. */
	ok(store_begin(x->desk->store, &db, &f), &f);
	ok(db_run(db, &f, "DELETE FROM cert_prints WHERE cert > 0", ""), &f);
	ok(store_end(x->desk->store, db, OK, &f), &f);
	hash_is(x, der, 4, "unknown");
	ok(store_begin(x->desk->store, &db, &f), &f);
	ok(store_head_set(db, "prints_missing", ids[N_CERTS - 1], &f), &f);
	ok(store_end(x->desk->store, db, OK, &f), &f);
	fx_restart(x);
	hash_is(x, der, 4, "good");
}

/* --- by subject --- */

static size_t count_known(json_t *list)
{
	size_t i, n = 0;
	json_t *v;
	json_array_foreach(list, i, v) n += strcmp(fx_text(v, "state"), "unknown") != 0;
	return n;
}

static json_t *subject(const char *identifier, const char *key, const char *value)
{
	return json_pack("{s:s,s:s}", "identifier", identifier, key, value);
}

static void test_subject_by_session(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *mine = answers(x, UID_SUBSCRIBER, subject(ORG_CODE, "session", x->session));
	assert_int_equal(count_known(mine), 1);
	assert_string_equal(fx_text(json_array_get(mine, 0), "serial"), ORG_SERIAL);
	/* Another's is answered as nobody's is. */
	_cleanup_(json_freep) json_t *theirs = answers(x, UID_SUBSCRIBER, subject(OTHER_CODE, "session", x->session));
	_cleanup_(json_freep) json_t *nobodys = answers(x, UID_SUBSCRIBER, subject(NEW_CODE, "session", x->session));
	json_object_del(json_array_get(theirs, 0), "identifier");
	json_object_del(json_array_get(nobodys, 0), "identifier");
	assert_true(json_equal(theirs, nobodys));
	assert_int_equal(count_known(theirs), 0);
	fx_refused(x, UID_OTHER, "status.query", subject(ORG_CODE, "session", x->session), "session_unknown");
	fx_refused(x, UID_PORTAL, "status.query", json_pack("{s:s}", "identifier", ORG_CODE), "identifier_closed");
	fx_refused(x, UID_ADMIN, "status.query", json_pack("{s:s}", "identifier", "nobody"), "identifier_closed");
}

static void test_subject_by_token(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	int64_t ids[N_CERTS];
	(void)state;
	fill(x, ids);
	_cleanup_(json_freep) json_t *org = answers(x, UID_PORTAL, subject(ORG_CODE, "token", PORTAL_TOKEN));
	assert_int_equal(count_known(org), 1);
	/* ID-1 is on certificates of its project alone, ID-2 on others' alone. */
	_cleanup_(json_freep) json_t *one = answers(x, UID_PORTAL, subject("ID-1", "token", PORTAL_TOKEN));
	_cleanup_(json_freep) json_t *two = answers(x, UID_PORTAL, subject("ID-2", "token", PORTAL_TOKEN));
	assert_int_equal(count_known(one), N_CERTS / 50);
	assert_int_equal(count_known(two), 0);
	assert_int_equal(json_array_size(two), 1);
	/* A token counts in a portal's hands, and only the right one. */
	fx_refused(x, UID_SUBSCRIBER, "status.query", subject(ORG_CODE, "token", PORTAL_TOKEN), "token_unknown");
	fx_refused(x, UID_PORTAL, "status.query", subject(ORG_CODE, "token", "portal-token-of-the-test"),
		   "token_unknown");
	fx_refused(x, UID_PORTAL, "status.query", subject("nobody", "token", ""), "param_range");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_two_roads),
		cmocka_unit_test(test_not_quick),
		cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_subject_by_session),
		cmocka_unit_test(test_subject_by_token),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

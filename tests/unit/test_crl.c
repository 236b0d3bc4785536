/*
 * CRLs against libcrypto: parsed, encoded again, verified and looked up in, for each algorithm; the edges of RFC 5280
 * 5; and refusals that leave nothing behind.
 */
#include "tests/unit/ca_kit.h"

#include "ca/build_ext.h"
#include "ca/crl.h"

#include <sys/mman.h>
#include <unistd.h>

struct entries {
	struct crl_entry *v;
	size_t n, at;
	size_t fails_at; /* 0: never */
};

static enum err next_of(void *arg, struct crl_entry *ret, bool *ret_more, struct fault *f)
{
	struct entries *e = arg;
	if (e->fails_at && e->at + 1 == e->fails_at)
		return fault_raise(f, ERR_DB, "ledger_read", "ledger", "a page is broken");
	*ret_more = e->at < e->n;
	if (*ret_more)
		*ret = e->v[e->at++];
	return OK;
}

static struct serial serial_of(const char *text)
{
	struct serial s;
	assert_true(serial_parse(text, strlen(text), &s));
	return s;
}

static struct crl_build crl_of(const struct kit_ca *ca, struct entries *e)
{
	return (struct crl_build){.issuer = &ca->cert,
				  .key = ca->key,
				  .number = 7,
				  .this_update = NOW,
				  .next_update = NOW + DAY,
				  .next = next_of,
				  .arg = e};
}

static X509_CRL *parsed(const struct buf *der)
{
	const unsigned char *p = der->data;
	unsigned char *again = NULL;
	X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)der->len);
	assert_non_null(x);
	assert_ptr_equal(p, der->data + der->len);
	int n = i2d_re_X509_CRL_tbs(x, &again);
	assert_true(n > 0);
	OPENSSL_free(again);
	again = NULL;
	n = i2d_X509_CRL(x, &again);
	assert_int_equal(n, der->len);
	assert_memory_equal(again, der->data, der->len);
	OPENSSL_free(again);
	return x;
}

static void check_number(X509_CRL *x, long wanted)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(x, NID_crl_number, NULL, NULL);
	assert_non_null(number);
	assert_int_equal(ASN1_INTEGER_get(number), wanted);
	ASN1_INTEGER_free(number);
}

/* libcrypto has no call that gives a CRL the SM2 id; ours verifies those, and libcrypto the rest. */
static void check_signature(const struct kit_ca *ca, X509_CRL *x, const struct buf *der)
{
	struct crl c;
	struct fault f = {0};
	check_ok("crl_parse", crl_parse(buf_slice(der), &c, &f), &f);
	check_ok("crl_verify_by", crl_verify_by(&c, &ca->cert, &f), &f);
	assert_int_equal(c.this_update, NOW);
	assert_int_equal(c.next_update, NOW + DAY);
	assert_true(slice_eq(c.number, slice_of("\x07", 1)));
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = pubkey_evp(&ca->cert.key);
	if (ca->cert.key.alg != KEY_SM2)
		assert_int_equal(X509_CRL_verify(x, key), 1);
}

static void test_entries_for_each_algorithm(void **state)
{
	struct crl_entry v[] = {{serial_of("07"), NOW - 10 * DAY, 0},
				{serial_of("80"), NOW - 9 * DAY, 1},
				{serial_of("74C2008800000AE9"), NOW - DAY, 3},
				{serial_of("FFC2008800000AE9"), INT64_C(2524608000), 6}};
	static const int reasons[] = {CRL_REASON_NONE, 1, 3, 6};
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		struct kit_ca ca = kit_root((enum key_alg)a);
		struct entries e = {.v = v, .n = 4};
		struct crl_build b = crl_of(&ca, &e);
		struct fault f = {0};
		_cleanup_buf_ struct buf der = {0};
		uint64_t count = 99;
		check_ok("build", crl_build(&b, &der, &count, &f), &f);
		assert_int_equal(count, 4);
		_cleanup_(x509_crl_freep) X509_CRL *x = parsed(&der);
		check_signature(&ca, x, &der);
		check_number(x, 7);
		assert_int_equal(X509_CRL_get_version(x), X509_CRL_VERSION_2);
		assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(x)), 4);
		for (int i = 0; i < 4; i++) {
			X509_REVOKED *r = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), i);
			ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
			assert_int_equal(reason ? ASN1_ENUMERATED_get(reason) : CRL_REASON_NONE, reasons[i]);
			assert_int_equal(ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(r), (time_t)v[i].when),
					 0);
			ASN1_ENUMERATED_free(reason);
		}
		kit_ca_done(&ca);
	}
}

static void test_our_own_lookup(void **state)
{
	struct crl_entry v[] = {{serial_of("01C2"), NOW - 10 * DAY, 4}, {serial_of("01C3"), NOW - DAY, 0}};
	struct kit_ca ca = kit_root(KEY_P256);
	struct entries e = {.v = v, .n = 2};
	struct crl_build b = crl_of(&ca, &e);
	struct fault f = {0};
	struct crl c;
	_cleanup_buf_ struct buf der = {0};
	uint64_t count;
	bool found;
	int64_t when;
	unsigned reason;
	(void)state;
	check_ok("build", crl_build(&b, &der, &count, &f), &f);
	check_ok("parse", crl_parse(buf_slice(&der), &c, &f), &f);
	check_ok("find", crl_find(&c, &v[0].serial, &found, &when, &reason, &f), &f);
	assert_true(found && when == NOW - 10 * DAY && reason == 4);
	check_ok("find", crl_find(&c, &v[1].serial, &found, &when, &reason, &f), &f);
	assert_true(found && when == NOW - DAY && reason == 0);
	struct serial other = serial_of("01C4");
	check_ok("find", crl_find(&c, &other, &found, &when, &reason, &f), &f);
	assert_false(found);
	/* Out of order, one of them twice, some on neither side of the list. */
	struct serial sought[] = {v[1].serial, other, v[0].serial, serial_of("01"), v[1].serial, {.n = 0}};
	static const struct crl_hit wanted[] = {{true, NOW - DAY, 0}, {0}, {true, NOW - 10 * DAY, 4}, {0},
						{true, NOW - DAY, 0}, {0}};
	struct crl_hit hits[6];
	memset(hits, 0xff, sizeof(hits));
	check_ok("find all", crl_find_all(&c, sought, 6, hits, &f), &f);
	for (size_t i = 0; i < 6; i++)
		assert_true(hits[i].found == wanted[i].found && hits[i].when == wanted[i].when &&
			    hits[i].reason == wanted[i].reason);
	check_ok("find none", crl_find_all(&c, sought, 0, hits, &f), &f);
	c.revoked.n--;
	assert_int_equal(crl_find_all(&c, sought, 6, hits, &f), ERR_PARSE);
	kit_ca_done(&ca);
}

/* RFC 5280 5.1.2.6: no list at all. */
static void test_empty(void **state)
{
	struct kit_ca ca = kit_root(KEY_RSA);
	struct entries e = {0};
	struct crl_build b = crl_of(&ca, &e);
	struct fault f = {0};
	struct crl c;
	_cleanup_buf_ struct buf der = {0};
	uint64_t count = 99;
	(void)state;
	check_ok("build", crl_build(&b, &der, &count, &f), &f);
	assert_int_equal(count, 0);
	_cleanup_(x509_crl_freep) X509_CRL *x = parsed(&der);
	assert_null(X509_CRL_get_REVOKED(x));
	check_ok("parse", crl_parse(buf_slice(&der), &c, &f), &f);
	assert_null(c.revoked.p);
	assert_int_equal(X509_CRL_get_ext_count(x), 2);
	kit_ca_done(&ca);
}

static void test_distribution_point(void **state)
{
	struct kit_ca ca = kit_root(KEY_P256);
	struct entries e = {0};
	struct crl_build b = crl_of(&ca, &e);
	struct fault f = {0};
	_cleanup_buf_ struct buf der = {0};
	uint64_t count;
	int critical;
	(void)state;
	b.idp_url = "http://pki.example.test/crl/x/3.crl";
	b.number = UINT64_C(0x8000000000000001);
	check_ok("build", crl_build(&b, &der, &count, &f), &f);
	_cleanup_(x509_crl_freep) X509_CRL *x = parsed(&der);
	ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(x, NID_issuing_distribution_point, &critical, NULL);
	assert_non_null(idp);
	assert_int_equal(critical, 1);
	assert_int_equal(idp->distpoint->type, 0);
	ASN1_IA5STRING *url = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0)->d.uniformResourceIdentifier;
	assert_string_equal(ASN1_STRING_get0_data(url), b.idp_url);
	assert_true(idp->onlyuser <= 0 && idp->onlyCA <= 0 && idp->onlyattr <= 0 && idp->indirectCRL <= 0);
	ISSUING_DIST_POINT_free(idp);
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(x, NID_crl_number, NULL, NULL);
	uint64_t found;
	assert_int_equal(ASN1_INTEGER_get_uint64(&found, number), 1);
	assert_true(found == b.number);
	ASN1_INTEGER_free(number);
	kit_ca_done(&ca);
}

/* libcrypto's verifier under strict flags: a leaf that is not on the list passes, one that is does not. */
static void test_chain_with_crl(void **state)
{
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		if (a == KEY_SM2) /* see check_signature() */
			continue;
		struct kit_ca root = kit_ca_of("Root", kit_key(KIT_CA, (enum key_alg)a), NULL, -1, 20);
		struct kit_ca middle = kit_ca_of("Middle", kit_key(KIT_OTHER, (enum key_alg)a), &root, 0, 10);
		struct crl_entry v[] = {{middle.cert.serial, NOW - DAY / 2, 1}};
		for (size_t revoked = 0; revoked < 2; revoked++) {
			struct entries e = {.v = v, .n = revoked};
			struct crl_build b = crl_of(&root, &e);
			struct fault f = {0};
			_cleanup_buf_ struct buf der = {0};
			uint64_t count;
			check_ok("build", crl_build(&b, &der, &count, &f), &f);
			_cleanup_(x509_crl_freep) X509_CRL *x = parsed(&der);
			struct slice none = {0};
			assert_int_equal(kit_verify(buf_slice(&middle.der), none, buf_slice(&root.der), x, NOW + 60),
					 revoked ? X509_V_ERR_CERT_REVOKED : X509_V_OK);
			assert_int_equal(
				kit_verify(buf_slice(&middle.der), none, buf_slice(&root.der), x, NOW + 2 * DAY),
				X509_V_ERR_CRL_HAS_EXPIRED);
		}
		kit_ca_done(&middle);
		kit_ca_done(&root);
	}
}

static void test_many(void **state)
{
	struct kit_ca ca = kit_root(KEY_P256);
	size_t n = 20000;
	struct crl_entry *v = xcalloc(n, sizeof(*v));
	struct entries e = {.v = v, .n = n};
	struct crl_build b = crl_of(&ca, &e);
	struct fault f = {0};
	_cleanup_buf_ struct buf der = {0};
	uint64_t count, last = 0;
	(void)state;
	for (size_t i = 0; i < n; i++) {
		serial_make(&last, &v[i].serial);
		last++;
		v[i].when = NOW - (int64_t)i;
		v[i].reason = i % 7;
	}
	check_ok("build", crl_build(&b, &der, &count, &f), &f);
	assert_int_equal(count, n);
	_cleanup_(x509_crl_freep) X509_CRL *x = parsed(&der);
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = pubkey_evp(&ca.cert.key);
	assert_int_equal(X509_CRL_verify(x, key), 1);
	X509_REVOKED *r = NULL;
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	BIGNUM *bn = BN_bin2bn(v[12345].serial.b, 16, NULL);
	BN_to_ASN1_INTEGER(bn, serial);
	assert_int_equal(X509_CRL_get0_by_serial(x, &r, serial), 1);
	BN_free(bn);
	ASN1_INTEGER_free(serial);
	free(v);
	kit_ca_done(&ca);
}

static struct crl_entry *rising(size_t n)
{
	struct crl_entry *v = xcalloc(n + 1, sizeof(*v));
	uint64_t last = 0;
	for (size_t i = 0; i < n; i++) {
		serial_make(&last, &v[i].serial);
		last++;
		v[i].when = NOW - (int64_t)i;
		v[i].reason = i % 7;
	}
	return v;
}

/* Written into a file it is what it is in memory, but for the signature, however wrong the guess of its size was. */
static void same_in_file(const struct crl_build *b, struct entries *e, uint64_t expected, struct buf *ret_der)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(closep) int fd = memfd_create("crl", MFD_CLOEXEC);
	struct crl_written w = {0};
	struct crl held, filed;
	struct fault f = {0};
	uint64_t count;
	uint8_t hash[32];
	e->at = 0;
	check_ok("build", crl_build(b, &der, &count, &f), &f);
	e->at = 0;
	check_ok("write", crl_write(b, fd, expected, &w, &f), &f);
	assert_int_equal(w.count, count);
	buf_clear(ret_der);
	buf_reserve(ret_der, w.bytes + 1);
	assert_int_equal(pread(fd, ret_der->data, w.bytes + 1, 0), w.bytes);
	ret_der->len = w.bytes;
	check_ok("parse", crl_parse(buf_slice(&der), &held, &f), &f);
	check_ok("parse", crl_parse(buf_slice(ret_der), &filed, &f), &f);
	assert_true(slice_eq(held.tbs, filed.tbs));
	check_ok("verify", crl_verify_by(&filed, b->issuer, &f), &f);
	sha256(ret_der->data, ret_der->len, hash);
	assert_memory_equal(hash, w.sha256, 32);
}

static void test_file(void **state)
{
	/* Around the sizes where a length takes an octet more: of the entries, the TBSCertList, the whole. */
	static const size_t counts[] = {0, 1, 2, 3, 4, 5, 6, 1200, 1300, 1400};
	static const uint64_t guesses[] = {0, 130, 300, 70000, 20000000, UINT64_MAX};
	static const enum key_alg algs[] = {KEY_P256, KEY_RSA, KEY_SM2, KEY_ED25519};
	struct crl_entry *v = rising(1400);
	_cleanup_buf_ struct buf der = {0};
	(void)state;
	for (size_t a = 0; a < 4; a++) {
		struct kit_ca ca = kit_root(algs[a]);
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) * 6; i++) {
			struct entries e = {.v = v, .n = counts[i / 6]};
			struct crl_build b = crl_of(&ca, &e);
			same_in_file(&b, &e, guesses[i % 6], &der);
		}
		kit_ca_done(&ca);
	}
	free(v);
}

/* Over 16 MiB lengths take four octets. */
static void test_long_file(void **state)
{
	struct kit_ca ca = kit_root(KEY_P256);
	struct entries e = {.v = rising(400000), .n = 400000};
	struct crl_build b = crl_of(&ca, &e);
	_cleanup_buf_ struct buf der = {0};
	(void)state;
	same_in_file(&b, &e, 0, &der);
	assert_true(der.len > 0x1000000);
	same_in_file(&b, &e, der.len, &der);
	free(e.v);
	kit_ca_done(&ca);
}

/* X.509 9.5.2.3: since when no certificate was left out for having expired; not critical. */
static void test_expired_certs(void **state)
{
	struct kit_ca ca = kit_root(KEY_P256);
	struct entries e = {0};
	struct crl_build b = crl_of(&ca, &e);
	struct fault f = {0};
	struct crl c;
	_cleanup_buf_ struct buf der = {0};
	ASN1_OBJECT *oid = OBJ_txt2obj("2.5.29.60", 1);
	static const uint8_t wanted[] = "\x18\x0f"
					"20260102030405Z";
	uint64_t count;
	(void)state;
	b.keeps_expired = true;
	b.expired_since = INT64_C(1767323045);
	check_ok("build", crl_build(&b, &der, &count, &f), &f);
	check_ok("parse", crl_parse(buf_slice(&der), &c, &f), &f);
	_cleanup_(x509_crl_freep) X509_CRL *x = parsed(&der);
	int at = X509_CRL_get_ext_by_OBJ(x, oid, -1);
	ASN1_OBJECT_free(oid);
	assert_true(at >= 0);
	X509_EXTENSION *ext = X509_CRL_get_ext(x, at);
	ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
	assert_int_equal(X509_EXTENSION_get_critical(ext), 0);
	assert_int_equal(ASN1_STRING_length(value), sizeof(wanted) - 1);
	assert_memory_equal(ASN1_STRING_get0_data(value), wanted, sizeof(wanted) - 1);
	kit_ca_done(&ca);
}

struct trial {
	struct crl_build build;
	struct entries entries;
	struct crl_entry v[3];
	struct cert issuer;
};
static void t_twice(struct trial *t)
{
	t->v[1].serial = t->v[0].serial;
}
static void t_falls(struct trial *t)
{
	t->v[2].serial = t->v[0].serial;
}
static void t_zero(struct trial *t)
{
	t->v[0].serial = (struct serial){0};
}
static void t_reason_7(struct trial *t)
{
	t->v[1].reason = 7;
}
static void t_reason_11(struct trial *t)
{
	t->v[1].reason = 11;
}
static void t_callback(struct trial *t)
{
	t->entries.fails_at = 3;
}
static void t_no_crl_sign(struct trial *t)
{
	t->issuer.key_usage = KU_BIT(KU_KEY_CERT_SIGN);
}
static void t_other_key(struct trial *t)
{
	t->build.key = kit_key(KIT_OTHER, KEY_P256);
}
static void t_no_time(struct trial *t)
{
	t->build.next_update = t->build.this_update;
}
static void t_time_back(struct trial *t)
{
	t->build.next_update = t->build.this_update - 1;
}

static void test_refusals(void **state)
{
	static const struct {
		const char *what;
		void (*breaks)(struct trial *t);
		enum err kind;
		const char *rule;
	} cases[] = {
		{"a serial twice", t_twice, ERR_INTERNAL, "crl_order"},
		{"falling serials", t_falls, ERR_INTERNAL, "crl_order"},
		{"no serial", t_zero, ERR_INTERNAL, "crl_order"},
		{"reason 7", t_reason_7, ERR_INTERNAL, "crl_reason"},
		{"reason 11", t_reason_11, ERR_INTERNAL, "crl_reason"},
		{"the ledger fails", t_callback, ERR_DB, "ledger_read"},
		{"issuer without cRLSign", t_no_crl_sign, ERR_RULE, "crl_issuer"},
		{"another key", t_other_key, ERR_RULE, "crl_key"},
		{"nextUpdate now", t_no_time, ERR_RULE, "crl_next_update"},
		{"nextUpdate before", t_time_back, ERR_RULE, "crl_next_update"},
	};
	struct kit_ca ca = kit_root(KEY_P256);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t = {
			.v = {{serial_of("01"), NOW, 0}, {serial_of("02"), NOW, 0}, {serial_of("03"), NOW, 0}},
			.issuer = ca.cert};
		struct fault f = {0};
		_cleanup_buf_ struct buf der = {0};
		uint64_t count = 99;
		t.entries = (struct entries){.v = t.v, .n = 3};
		t.build = crl_of(&ca, &t.entries);
		t.build.issuer = &t.issuer;
		buf_str(&der, "kept");
		cases[i].breaks(&t);
		check_refused(cases[i].what, crl_build(&t.build, &der, &count, &f), &f, cases[i].kind, cases[i].rule);
		assert_string_equal(buf_text(&der), "kept");
		assert_int_equal(count, 99);
	}
	kit_ca_done(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_for_each_algorithm),
		cmocka_unit_test(test_our_own_lookup),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_distribution_point),
		cmocka_unit_test(test_chain_with_crl),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_long_file),
		cmocka_unit_test(test_expired_certs),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, kit_done);
}

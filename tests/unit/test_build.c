/*
 * Built certificates against libcrypto: for each pair of issuer's and subject's algorithm the same bytes after a round
 * trip, a signature that holds, a strict chain; each extension against libcrypto's own encoding; and what has no
 * encoding refused.
 */
#include "tests/unit/ca_kit.h"

#include <openssl/err.h>

#include "ca/build_ext.h"
#include "common/base/clock.h"

struct leaf {
	struct kit_profile profile;
	struct name subject;
	struct serial serial;
	struct buf tbs, der;
	struct cert cert;
};

static void leaf_begin(struct leaf *l)
{
	uint64_t last = 0;
	*l = (struct leaf){.subject = kit_subject()};
	kit_profile(&l->profile);
	serial_make(&last, &l->serial);
}

static void leaf_done(struct leaf *l)
{
	cert_done(&l->cert);
	buf_done(&l->tbs);
	buf_done(&l->der);
	name_done(&l->subject);
}

static enum err leaf_tbs(struct leaf *l, const struct kit_ca *ca, const struct pubkey *key, struct fault *f)
{
	struct template *t = NULL;
	TRY(template_new(&l->profile.profile, &ca->cert, &t, f));
	struct build b = {.serial = &l->serial,
			  .subject = &l->subject,
			  .key = key,
			  .not_before = NOW,
			  .not_after = NOW + 3 * 365 * DAY};
	enum err e = build_tbs(t, &b, &l->tbs, f);
	template_free(t);
	return e;
}

static void leaf_make(struct leaf *l, const struct kit_ca *ca, const struct pubkey *key)
{
	struct fault f = {0};
	check_ok("build_tbs", leaf_tbs(l, ca, key, &f), &f);
	kit_sign(buf_slice(&l->tbs), ca->key, &l->der);
	check_ok("cert_parse", cert_parse(buf_slice(&l->der), &l->cert, &f), &f);
}

static void check_against_libcrypto(const struct leaf *l, const struct kit_ca *ca)
{
	_cleanup_(x509_freep) X509 *x = kit_x509(buf_slice(&l->der)), *issuer = kit_x509(buf_slice(&ca->der));
	unsigned char *again = NULL, *tbs = NULL;
	int n = i2d_X509(x, &again);
	assert_int_equal(n, l->der.len);
	assert_memory_equal(again, l->der.data, l->der.len);
	n = i2d_re_X509_tbs(x, &tbs);
	assert_int_equal(n, l->tbs.len);
	assert_memory_equal(tbs, l->tbs.data, l->tbs.len);
	OPENSSL_free(again);
	OPENSSL_free(tbs);
	if (X509_verify(x, X509_get0_pubkey(issuer)) != 1)
		fail_msg("libcrypto: signature by %s over %s: %s", key_alg_word(ca->cert.key.alg),
			 key_alg_word(l->cert.key.alg), ERR_error_string(ERR_peek_last_error(), NULL));
	assert_int_equal(X509_check_issued(issuer, x), X509_V_OK);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	assert_int_equal(kit_verify(buf_slice(&l->der), (struct slice){0}, buf_slice(&ca->der), NULL, NOW + DAY),
			 X509_V_OK);
}

static void test_every_pair_of_algorithms(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		struct kit_ca ca = kit_root((enum key_alg)i);
		for (size_t s = 0; s < KEY_ALG_N; s++) {
			struct fault f = {0};
			struct leaf l;
			leaf_begin(&l);
			const struct pubkey *key = ca_key_public(kit_key(KIT_SUBJECT, (enum key_alg)s));
			leaf_make(&l, &ca, key);
			check_ok("verify_by", cert_verify_by(&l.cert, &ca.cert, &f), &f);
			check_against_libcrypto(&l, &ca);
			struct lint_input in = {.cert = &l.cert,
						.issuer = &ca.cert,
						.profile = &l.profile.profile,
						.subject = &l.subject,
						.key = key,
						.signer = ca_key_public(ca.key),
						.now = NOW};
			check_ok("lint", lint_run(&in, &f), &f);
			leaf_done(&l);
		}
		kit_ca_done(&ca);
	}
}

/* OpenSSL 3.0 verifies with an empty id by default: the standard id must be in what we sign, and the empty one must not
 * do. */
static void test_sm2_signs_with_the_standard_id(void **state)
{
	struct kit_ca ca = kit_root(KEY_SM2);
	(void)state;
	_cleanup_(x509_freep) X509 *good = kit_x509(buf_slice(&ca.der)), *bad = kit_x509(buf_slice(&ca.der));
	assert_int_equal(X509_verify(good, X509_get0_pubkey(good)), 1);
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(id, (const unsigned char *)"8765432187654321", 16);
	X509_set0_distinguishing_id(bad, id);
	assert_int_not_equal(X509_verify(bad, X509_get0_pubkey(bad)), 1);
	kit_ca_done(&ca);
}

/* Root, intermediate, leaf, strictly; a CA below path length 0 is found by lint. */
static void test_chain_of_three(void **state)
{
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		struct fault f = {0};
		struct kit_ca root = kit_ca_of("Root", kit_key(KIT_CA, (enum key_alg)a), NULL, 1, 20);
		struct kit_ca middle = kit_ca_of("Issuing", kit_key(KIT_OTHER, (enum key_alg)a), &root, 0, 10);
		struct kit_ca below = kit_ca_of("Below", kit_key(KIT_SUBJECT, (enum key_alg)a), &middle, 0, 5);
		struct leaf l;
		leaf_begin(&l);
		leaf_make(&l, &middle, ca_key_public(kit_key(KIT_SUBJECT, (enum key_alg)a)));
		struct slice m = buf_slice(&middle.der), r = buf_slice(&root.der);
		assert_int_equal(kit_verify(buf_slice(&l.der), m, r, NULL, NOW + DAY), X509_V_OK);
		assert_int_equal(kit_verify(buf_slice(&l.der), m, r, NULL, NOW - DAY / 2),
				 X509_V_ERR_CERT_NOT_YET_VALID);
		struct lint_input in = {.cert = &middle.cert,
					.issuer = &root.cert,
					.subject = &middle.name,
					.key = &middle.cert.key,
					.signer = &root.cert.key,
					.now = NOW};
		check_ok("intermediate", lint_run(&in, &f), &f);
		in = (struct lint_input){.cert = &below.cert,
					 .issuer = &middle.cert,
					 .subject = &below.name,
					 .key = &below.cert.key,
					 .signer = &middle.cert.key,
					 .now = NOW};
		check_refused("CA below path length 0", lint_run(&in, &f), &f, ERR_RULE, "lint_path_len");
		in = (struct lint_input){.cert = &root.cert,
					 .issuer = &root.cert,
					 .subject = &root.name,
					 .key = &root.cert.key,
					 .signer = &root.cert.key,
					 .now = NOW};
		check_ok("root", lint_run(&in, &f), &f);
		leaf_done(&l);
		kit_ca_done(&below);
		kit_ca_done(&middle);
		kit_ca_done(&root);
	}
}

/* The content of an extension as libcrypto writes it from its own configuration words. */
static void check_extension(const struct cert *c, const char *oid, int nid, const char *words)
{
	const struct cert_ext *e = cert_ext(c, oid);
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	CONF *conf = NCONF_new(NULL);
	X509V3_set_nconf(&ctx, conf);
	X509_EXTENSION *x = X509V3_EXT_nconf_nid(conf, &ctx, nid, words);
	assert_non_null(e);
	if (!x)
		fail_msg("libcrypto: %s: %s", words, ERR_error_string(ERR_peek_last_error(), NULL));
	const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(x);
	assert_int_equal(ASN1_STRING_length(data), e->value.n);
	assert_memory_equal(ASN1_STRING_get0_data(data), e->value.p, e->value.n);
	assert_int_equal(X509_EXTENSION_get_critical(x), e->critical);
	X509_EXTENSION_free(x);
	NCONF_free(conf);
}

static void test_extensions_as_libcrypto_writes_them(void **state)
{
	struct kit_ca root = kit_root(KEY_P256), middle = kit_ca_of("M", kit_key(KIT_OTHER, KEY_P256), &root, 3, 5);
	char id[41], words[300];
	struct leaf l;
	(void)state;
	leaf_begin(&l);
	l.serial.b[14] = 0x12;
	l.serial.b[15] = 0x35;
	leaf_make(&l, &root, ca_key_public(kit_key(KIT_SUBJECT, KEY_RSA)));
	hex_lower(root.cert.key.key_id, 20, id);
	check_extension(&l.cert, OID_EXT_KEY_USAGE, NID_key_usage,
			"critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment");
	check_extension(&l.cert, OID_EXT_PURPOSES, NID_ext_key_usage, "clientAuth,emailProtection");
	snprintf(words, sizeof(words), "URI:http://pki.example.test/crl/%s/5.crl", id); /* 0x1235 modulo 16 */
	check_extension(&l.cert, OID_EXT_CRL_DP, NID_crl_distribution_points, words);
	snprintf(words, sizeof(words),
		 "OCSP;URI:http://pki.example.test/ocsp,caIssuers;URI:http://pki.example.test/ca/%s.crt", id);
	check_extension(&l.cert, OID_EXT_AIA, NID_info_access, words);
	check_extension(&l.cert, OID_EXT_SAN, NID_subject_alt_name, "email:agent@example.test");
	check_extension(&middle.cert, OID_EXT_BASIC_CONSTRAINTS, NID_basic_constraints, "critical,CA:TRUE,pathlen:3");
	check_extension(&root.cert, OID_EXT_BASIC_CONSTRAINTS, NID_basic_constraints, "critical,CA:TRUE");
	check_extension(&root.cert, OID_EXT_KEY_USAGE, NID_key_usage, "critical,keyCertSign,cRLSign");
	check_extension(&middle.cert, OID_EXT_POLICIES, NID_certificate_policies, "2.999.1.1");
	assert_null(cert_ext(&root.cert, OID_EXT_AKI));
	assert_true(slice_eq(middle.cert.aki, root.cert.ski));
	_cleanup_(x509_freep) X509 *x = kit_x509(buf_slice(&l.der));
	assert_int_equal(ASN1_STRING_length(X509_get0_subject_key_id(x)), 20);
	assert_memory_equal(ASN1_STRING_get0_data(X509_get0_subject_key_id(x)), l.cert.key.key_id, 20);
	assert_memory_equal(ASN1_STRING_get0_data(X509_get0_authority_key_id(x)), root.cert.key.key_id, 20);
	leaf_done(&l);
	kit_ca_done(&middle);
	kit_ca_done(&root);
}

/* Extensions stand in the profile's order; one whose attribute is absent is left out; codes are PrintableStrings. */
static void test_order_and_codes(void **state)
{
	static const char *const wanted[] = {OID_EXT_AKI,      OID_EXT_SKI,    OID_EXT_KEY_USAGE,
					     OID_EXT_PURPOSES, OID_EXT_CRL_DP, OID_EXT_AIA,
					     OID_EXT_POLICIES, OID_EXT_SAN,    "1.2.156.10260.4.1.4"};
	struct kit_ca ca = kit_root(KEY_P256);
	struct leaf l;
	(void)state;
	leaf_begin(&l);
	leaf_make(&l, &ca, ca_key_public(kit_key(KIT_SUBJECT, KEY_P256)));
	assert_int_equal(l.cert.n_exts, 9);
	for (size_t i = 0; i < 9; i++)
		assert_string_equal(l.cert.exts[i].oid, wanted[i]);
	struct slice code = l.cert.exts[8].value;
	assert_true(slice_eq(code, slice_str("\x13\x12"
					     "913301003535355023")));
	assert_false(l.cert.exts[8].critical);
	leaf_done(&l);

	leaf_begin(&l);
	l.profile.exts[X_TAX].code = "person";
	kit_add(&l.subject, "serialNumber", "33010019800101001X");
	leaf_make(&l, &ca, ca_key_public(kit_key(KIT_SUBJECT, KEY_P256)));
	assert_int_equal(l.cert.n_exts, 10);
	assert_true(slice_eq(l.cert.exts[9].value, slice_str("\xa0\x14\x13\x12"
							     "33010019800101001X")));
	leaf_done(&l);
	kit_ca_done(&ca);
}

static void test_strings_of_the_subject(void **state)
{
	struct kit_ca ca = kit_root(KEY_P256);
	struct leaf l;
	(void)state;
	leaf_begin(&l);
	leaf_make(&l, &ca, ca_key_public(kit_key(KIT_SUBJECT, KEY_P256)));
	_cleanup_(x509_freep) X509 *x = kit_x509(buf_slice(&l.der));
	static const int types[] = {V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING, V_ASN1_UTF8STRING, V_ASN1_UTF8STRING,
				    V_ASN1_IA5STRING};
	for (int i = 0; i < 5; i++) {
		const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(x), i));
		assert_int_equal(ASN1_STRING_type(s), types[i]);
		assert_int_equal(ASN1_STRING_length(s), strlen(l.subject.attrs[i].value));
		assert_memory_equal(ASN1_STRING_get0_data(s), l.subject.attrs[i].value,
				    strlen(l.subject.attrs[i].value));
	}
	leaf_done(&l);
	kit_ca_done(&ca);
}

static void test_usages_by_algorithm(void **state)
{
	static const unsigned wanted[KEY_ALG_N] = {
		[KEY_RSA] = 0x0f, [KEY_P256] = 0x03, [KEY_P384] = 0x03, [KEY_ED25519] = 0x03, [KEY_SM2] = 0x0f};
	struct kit_ca ca = kit_root(KEY_P256);
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		struct leaf l;
		leaf_begin(&l);
		leaf_make(&l, &ca, ca_key_public(kit_key(KIT_SUBJECT, (enum key_alg)a)));
		assert_int_equal(l.cert.key_usage, wanted[a]);
		leaf_done(&l);
	}
	kit_ca_done(&ca);
}

/* RFC 5280 4.1.2.5: UTCTime through 2049. */
static void test_time_types(void **state)
{
	static const struct {
		int64_t t;
		const char *tag_and_text;
	} cases[] = {{2524607999, "\x17\x0d"
				  "491231235959Z"},
		     {2524608000, "\x18\x0f"
				  "20500101000000Z"}};
	struct kit_ca ca = kit_root(KEY_P256);
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf tbs = {0};
		struct fault f = {0};
		struct leaf l;
		struct template *t = NULL;
		leaf_begin(&l);
		check_ok("template", template_new(&l.profile.profile, &ca.cert, &t, &f), &f);
		struct build b = {.serial = &l.serial,
				  .subject = &l.subject,
				  .key = ca_key_public(kit_key(KIT_SUBJECT, KEY_P256)),
				  .not_before = NOW,
				  .not_after = cases[i].t};
		check_ok("tbs", build_tbs(t, &b, &tbs, &f), &f);
		assert_non_null(memmem(tbs.data, tbs.len, cases[i].tag_and_text, strlen(cases[i].tag_and_text)));
		template_free(t);
		leaf_done(&l);
	}
	kit_ca_done(&ca);
}

static void test_serials(void **state)
{
	uint64_t last = 0, before;
	struct serial one, two, *many = xcalloc(2000, sizeof(*many));
	(void)state;
	clock_set(NOW);
	serial_make(&last, &one);
	assert_int_equal(one.n, 16);
	assert_in_range(one.b[0], 0x01, 0x7f);
	uint64_t milliseconds = last - (UINT64_C(1) << 40);
	assert_in_range(milliseconds, (uint64_t)(NOW - 1577836800) * 1000, (uint64_t)(NOW - 1577836800) * 1000 + 999);
	before = last;
	clock_set(NOW - 1000); /* the clock goes back, the serial does not */
	serial_make(&last, &two);
	assert_int_equal(last, before);
	assert_memory_equal(one.b, two.b, 6);
	assert_memory_not_equal(one.b + 6, two.b + 6, 10);
	clock_set(NOW + 60);
	serial_make(&last, &two);
	assert_true(memcmp(one.b, two.b, 6) < 0);
	clock_set(1); /* before 2020 */
	last = 0;
	serial_make(&last, &one);
	assert_int_equal(one.b[0], 0x01);
	clock_set(0);
	for (size_t i = 0; i < 2000; i++) {
		serial_make(&last, &many[i]);
		for (size_t j = i > 50 ? i - 50 : 0; j < i; j++)
			assert_false(serial_eq(&many[i], &many[j]));
	}
	free(many);
}

static void test_shards(void **state)
{
	static const struct {
		const char *serial;
		unsigned shards, wanted;
	} cases[] = {{"74C2008800000AE9", 16, 9},
		     {"74C2008800000AE9", 4096, 0xae9},
		     {"74C2008800000AE9", 1, 0},
		     {"74C200880000FFFF", 4096, 0xfff},
		     {"74C200880000FFFF", 1000, 535},
		     {"07", 4, 3},
		     {"0100", 256, 0},
		     {"0100", 100, 56}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct serial s;
		assert_true(serial_parse(cases[i].serial, strlen(cases[i].serial), &s));
		assert_int_equal(serial_shard(&s, cases[i].shards), cases[i].wanted);
	}
}

static void test_cdp_url(void **state)
{
	struct kit_ca ca = kit_root(KEY_P256);
	struct kit_profile p;
	struct template *t = NULL;
	struct fault f = {0};
	_cleanup_buf_ struct buf url = {0}, wanted = {0};
	(void)state;
	kit_profile(&p);
	check_ok("template", template_new(&p.profile, &ca.cert, &t, &f), &f);
	template_cdp_url(t, ca.cert.key.key_id, 15, &url);
	buf_str(&wanted, "http://pki.example.test/crl/");
	buf_hex(&wanted, ca.cert.key.key_id, 20);
	buf_str(&wanted, "/15.crl");
	assert_string_equal(buf_text(&url), buf_text(&wanted));
	template_free(t);
	kit_ca_done(&ca);
}

/* Each breaks one thing of a good leaf. */
static void no_serial(struct leaf *l)
{
	l->serial.n = 0;
}
static void serial_leading_zero(struct leaf *l)
{
	l->serial.b[0] = 0;
}
static void serial_of_21_octets(struct leaf *l)
{
	memset(l->serial.b, 0xff, 20);
	l->serial.n = 20;
}
static void no_subject(struct leaf *l)
{
	name_done(&l->subject);
}
static void code_not_printable(struct leaf *l)
{
	kit_add(&l->subject, "OU", "税号");
	l->profile.exts[X_TAX].from = "OU";
}
static void code_hostile(struct leaf *l)
{
	kit_add(&l->subject, "OU", "91<script>");
	l->profile.exts[X_TAX].from = "OU";
}
static void no_usage_left(struct leaf *l)
{
	l->profile.exts[X_KU].bits = 0x0c;
}
static void no_key_usage(struct leaf *l)
{
	l->profile.exts[X_KU] = l->profile.exts[X_SKI];
}
static void no_aki(struct leaf *l)
{
	l->profile.exts[X_AKI] = l->profile.exts[X_SKI];
}
static void purpose_ocsp(struct leaf *l)
{
	l->profile.purposes[1] = "1.3.6.1.5.5.7.3.9";
}
static void purpose_any(struct leaf *l)
{
	l->profile.purposes[0] = "2.5.29.37.0";
}
static void purpose_unknown(struct leaf *l)
{
	l->profile.purposes[0] = "everything";
}
static void type_unknown(struct leaf *l)
{
	l->profile.exts[X_TAX].type = EXT_TYPE_N;
}

static void test_refusals(void **state)
{
	static const struct {
		const char *what;
		void (*breaks)(struct leaf *l);
		enum err kind;
		const char *rule;
	} cases[] = {
		{"no serial", no_serial, ERR_RULE, "build_serial"},
		{"serial with a leading zero", serial_leading_zero, ERR_RULE, "build_serial"},
		{"serial that needs 21 octets", serial_of_21_octets, ERR_RULE, "build_serial"},
		{"empty subject", no_subject, ERR_RULE, "build_subject"},
		{"code in Chinese", code_not_printable, ERR_RULE, "build_gmt0015"},
		{"code with markup", code_hostile, ERR_RULE, "build_gmt0015"},
		{"encryption alone for P-256", no_usage_left, ERR_RULE, "build_key_usage"},
		{"profile without key usage", no_key_usage, ERR_CONFIG, "template_missing"},
		{"profile without AKI", no_aki, ERR_CONFIG, "template_missing"},
		{"profile with OCSPSigning", purpose_ocsp, ERR_CONFIG, "template_purpose"},
		{"profile with anyExtendedKeyUsage", purpose_any, ERR_CONFIG, "template_purpose"},
		{"profile with an unknown purpose", purpose_unknown, ERR_CONFIG, "template_purpose"},
		{"profile with an unknown type", type_unknown, ERR_INTERNAL, "template_type"},
	};
	struct kit_ca ca = kit_root(KEY_P256);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = {0};
		struct leaf l;
		leaf_begin(&l);
		buf_str(&l.tbs, "kept");
		cases[i].breaks(&l);
		enum err e = leaf_tbs(&l, &ca, ca_key_public(kit_key(KIT_SUBJECT, KEY_P256)), &f);
		check_refused(cases[i].what, e, &f, cases[i].kind, cases[i].rule);
		assert_string_equal(buf_text(&l.tbs), "kept");
		leaf_done(&l);
	}
	kit_ca_done(&ca);
}

static void test_validity_refusals(void **state)
{
	static const struct {
		int64_t begin, end;
	} cases[] = {
		{NOW, NOW}, {NOW, NOW - 1}, {-631152001, NOW}, {NOW, INT64_C(253402300800)}, {INT64_MIN, INT64_MAX}};
	struct kit_ca ca = kit_root(KEY_P256);
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf tbs = {0};
		struct fault f = {0};
		struct ca_build b = {.subject = &ca.name,
				     .key = &ca.cert.key,
				     .not_before = cases[i].begin,
				     .not_after = cases[i].end,
				     .path_len = -1};
		check_refused("validity", build_ca_tbs(&b, KEY_P256, &ca.cert.serial, &tbs, &f), &f, ERR_RULE,
			      "build_validity");
		assert_int_equal(tbs.len, 0);
	}
	kit_ca_done(&ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_pair_of_algorithms),
		cmocka_unit_test(test_sm2_signs_with_the_standard_id),
		cmocka_unit_test(test_chain_of_three),
		cmocka_unit_test(test_extensions_as_libcrypto_writes_them),
		cmocka_unit_test(test_order_and_codes),
		cmocka_unit_test(test_strings_of_the_subject),
		cmocka_unit_test(test_usages_by_algorithm),
		cmocka_unit_test(test_time_types),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_shards),
		cmocka_unit_test(test_cdp_url),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_validity_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, kit_done);
}

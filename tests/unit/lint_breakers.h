/*
 * Each changes one thing of a certificate that was taken apart, for one rule of lint to find. Long, because it is one
 * list: one or more for each rule, in their order.
 */
#ifndef HUFU_TEST_LINT_BREAKERS_H
#define HUFU_TEST_LINT_BREAKERS_H

#include "tests/unit/lint_kit.h"

#include <openssl/rsa.h>

static void b_trailing(struct lab *l)
{
	l->trailing_byte = true;
}
static void b_too_large(struct lab *l)
{
	_cleanup_buf_ struct buf b = {0};
	buf_reserve(&b, CERT_MAX_BYTES);
	for (size_t i = 0; i < CERT_MAX_BYTES; i++)
		buf_char(&b, 'x');
	ext_add(l, "1.2.3.4", false, buf_slice(&b));
}
static void b_v1(struct lab *l)
{
	l->no_version = true;
}
static void b_v2(struct lab *l)
{
	l->version = 1;
}
static void b_v4(struct lab *l)
{
	l->version = 3;
}
static void b_serial_zero(struct lab *l)
{
	set(&l->serial, slice_of("\0", 1));
}
static void b_serial_negative(struct lab *l)
{
	l->serial.data[0] |= 0x80;
}
static void b_serial_long(struct lab *l)
{
	while (l->serial.len < 21)
		buf_char(&l->serial, 'x');
}
static void b_serial_short(struct lab *l)
{
	set(&l->serial, slice_of("\x74\xc2\x00\x88\x00\x00\x0a\xe9", 8));
}
static void b_outer(struct lab *l)
{
	buf_clear(&l->outer);
	sigalg_put(KEY_P384, &l->outer);
}
static void b_both_algs(struct lab *l)
{
	b_outer(l);
	set(&l->inner, buf_slice(&l->outer));
}
static void b_sha1(struct lab *l)
{
	static const char ecdsa_sha1[] = "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01";
	set(&l->inner, slice_of(ecdsa_sha1, 11));
	set(&l->outer, slice_of(ecdsa_sha1, 11));
}
static void b_signer_alg(struct lab *l)
{
	l->signer = kit_key(KIT_OTHER, KEY_P384);
}
static void b_signature(struct lab *l)
{
	l->bad_signature = true;
}
static void b_unique(struct lab *l)
{
	l->unique_id = true;
}
static void b_time_type(struct lab *l)
{
	buf_clear(&l->validity);
	size_t at = der_begin(&l->validity, DER_SEQUENCE);
	der_put(&l->validity, DER_GENTIME, slice_str("20261123000000Z"));
	der_put_time(&l->validity, l->not_after);
	der_end(&l->validity, at);
}
static void b_time_zone(struct lab *l)
{
	buf_clear(&l->validity);
	size_t at = der_begin(&l->validity, DER_SEQUENCE);
	der_put_time(&l->validity, l->not_before);
	der_put(&l->validity, DER_UTCTIME, slice_str("2911220000+08"));
	der_end(&l->validity, at);
}
static void b_time_third(struct lab *l)
{
	buf_clear(&l->validity);
	size_t at = der_begin(&l->validity, DER_SEQUENCE);
	for (int i = 0; i < 3; i++)
		der_put_time(&l->validity, i ? l->not_after : l->not_before);
	der_end(&l->validity, at);
}
static void b_ends_before(struct lab *l)
{
	times_set(l, NOW, NOW - 1);
}
static void b_ends_at_once(struct lab *l)
{
	times_set(l, NOW, NOW);
}
static void b_too_long(struct lab *l)
{
	l->profile.profile.cap_days = 5000;
	times_set(l, NOW, NOW + 3653 * DAY + 1);
}
static void b_beyond_cap(struct lab *l)
{
	l->profile.profile.cap_days = 1094;
}
static void b_ca_too_long(struct lab *l)
{
	times_set(l, NOW, NOW + 9132 * DAY + 1);
}
static void b_ahead(struct lab *l)
{
	times_set(l, NOW + 1, NOW + DAY);
}
static void b_backdated(struct lab *l)
{
	times_set(l, NOW - 2 * DAY - 1, NOW + DAY);
}
static void b_over(struct lab *l)
{
	times_set(l, NOW - DAY, NOW);
}
static void b_beyond_issuer(struct lab *l)
{
	l->issuer_cert.not_after = l->not_after - 1;
}
static void b_before_issuer(struct lab *l)
{
	l->issuer_cert.not_before = l->not_before + 1;
}
static void b_issuer_no_ca(struct lab *l)
{
	l->issuer_cert.is_ca = false;
}
static void b_issuer_no_bc(struct lab *l)
{
	l->issuer_cert.has_bc = false;
}
static void b_issuer_no_sign(struct lab *l)
{
	l->issuer_cert.key_usage = KU_BIT(KU_CRL_SIGN);
}
static void b_issuer_no_ku(struct lab *l)
{
	l->issuer_cert.has_ku = false;
}
static void b_issuer_name(struct lab *l)
{
	set(&l->issuer, buf_slice(&l->subject));
}
/* The same text in another string type: equal to people, not to verifiers. */
static void b_issuer_type(struct lab *l)
{
	uint8_t *at = memmem(l->issuer.data, l->issuer.len, "\x0c", 1);
	assert_non_null(at);
	*at = DER_T61;
}
static void b_subject_value(struct lab *l)
{
	name_done(&l->meant);
	l->meant = kit_name("杭州田谷");
}
static void b_subject_case(struct lab *l)
{
	free(l->meant.attrs[4].value);
	l->meant.attrs[4].value = xstrdup("Agent@example.test");
}
static void b_subject_order(struct lab *l)
{
	struct name_attr first = l->meant.attrs[1];
	l->meant.attrs[1] = l->meant.attrs[2];
	l->meant.attrs[2] = first;
	l->meant.attrs[3].value[0] ^= 1; /* O and CN have one value */
}
static void b_subject_empty(struct lab *l)
{
	set(&l->subject, slice_of("\x30\x00", 2));
}
static void b_subject_empty_value(struct lab *l)
{
	subject_raw(l, "2.5.4.10", DER_UTF8, "", NULL);
}
static void b_subject_two(struct lab *l)
{
	subject_raw(l, "2.5.4.11", DER_UTF8, "A", "B");
}
static void b_subject_printable(struct lab *l)
{
	subject_raw(l, "2.5.4.10", DER_PRINTABLE, "Tiangu", NULL);
}
static void b_subject_bmp(struct lab *l)
{
	subject_raw(l, "2.5.4.3", DER_BMP, "abcd", NULL);
}
static void b_subject_t61(struct lab *l)
{
	subject_raw(l, "2.5.4.3", DER_T61, "abcd", NULL);
}
static void b_subject_country_type(struct lab *l)
{
	subject_raw(l, "2.5.4.6", DER_UTF8, "CN", NULL);
}
static void b_subject_unknown(struct lab *l)
{
	subject_raw(l, "1.2.3.4.5", DER_UTF8, "x", NULL);
}
static void b_subject_long(struct lab *l)
{
	char text[66] = "";
	memset(text, 'x', 65);
	subject_raw(l, "2.5.4.10", DER_UTF8, text, NULL);
}
static void b_subject_not_utf8(struct lab *l)
{
	subject_raw(l, "2.5.4.10", DER_UTF8, "\xc3(", NULL);
}
static void b_subject_bidi(struct lab *l)
{
	subject_raw(l, "2.5.4.10", DER_UTF8,
		    "a\u202e"
		    "b",
		    NULL);
}
static void b_subject_zero_width(struct lab *l)
{
	subject_raw(l, "2.5.4.10", DER_UTF8,
		    "a\u200b"
		    "b",
		    NULL);
}
static void b_subject_control(struct lab *l)
{
	subject_raw(l, "2.5.4.10", DER_UTF8, "a\nb", NULL);
}
static void b_subject_space(struct lab *l)
{
	subject_raw(l, "2.5.4.10", DER_UTF8, "a ", NULL);
}
static void b_country_lower(struct lab *l)
{
	subject_raw(l, "2.5.4.6", DER_PRINTABLE, "cn", NULL);
}
static void b_country_long(struct lab *l)
{
	subject_raw(l, "2.5.4.6", DER_PRINTABLE, "CHN", NULL);
}
static void b_other_key(struct lab *l)
{
	const struct pubkey *k = ca_key_public(kit_key(KIT_OTHER, KEY_P256));
	set(&l->spki, slice_of(k->spki, k->spki_len));
}
static void b_key_forbidden(struct lab *l)
{
	l->profile.profile.key_algs = 1u << KEY_RSA;
}
static void b_key_too_small(struct lab *l)
{
	key_set(l, ca_key_public(kit_key(KIT_SUBJECT, KEY_RSA)));
	l->profile.profile.rsa_min_bits = 3072;
}
static void b_key_weak(struct lab *l)
{
	unsigned char *spki = NULL;
	struct fault f = {0};
	_cleanup_(evp_pkey_freep) EVP_PKEY *weak = EVP_RSA_gen(1024);
	int n = i2d_PUBKEY(weak, &spki);
	check_ok("weak key", pubkey_parse(slice_of(spki, (size_t)n), &l->own_key, &f), &f);
	OPENSSL_free(spki);
	key_set(l, &l->own_key);
}
static void b_issuers_key(struct lab *l)
{
	key_set(l, &l->issuer_cert.key);
}
static void b_ext_twice(struct lab *l)
{
	size_t i = ext_at(l, OID_EXT_SKI);
	ext_add(l, OID_EXT_SKI, false, buf_slice(&l->exts[i].value));
}
static void b_ext_unknown_critical(struct lab *l)
{
	EXT_ADD(l, "1.2.3.4", true, "\x05\x00");
}
static void b_gmt_critical(struct lab *l)
{
	l->exts[ext_at(l, "1.2.156.10260.4.1.4")].critical = true;
}
static void b_ext_unlisted(struct lab *l)
{
	EXT_ADD(l, "1.2.3.4", false, "\x05\x00");
}
static void b_ca_ext_unlisted(struct lab *l)
{
	EXT_ADD(l, OID_EXT_SAN, false, "\x30\x03\x82\x01x");
}
static void b_ext_absent(struct lab *l)
{
	ext_drop(l, OID_EXT_SKI);
}
static void b_code_absent(struct lab *l)
{
	ext_drop(l, "1.2.156.10260.4.1.4");
}
static void b_ca_ski_absent(struct lab *l)
{
	ext_drop(l, OID_EXT_SKI);
}
static void b_eku_critical(struct lab *l)
{
	l->exts[ext_at(l, OID_EXT_PURPOSES)].critical = true;
}
static void b_cdp_critical(struct lab *l)
{
	l->exts[ext_at(l, OID_EXT_CRL_DP)].critical = true;
	l->profile.exts[X_CDP].critical = true;
}
static void b_aki_critical(struct lab *l)
{
	l->exts[ext_at(l, OID_EXT_AKI)].critical = true;
	l->profile.exts[X_AKI].critical = true;
}
static void b_ski_other(struct lab *l)
{
	ext_flip(l, OID_EXT_SKI, 1);
}
static void b_ski_form(struct lab *l)
{
	EXT_SET(l, OID_EXT_SKI,
		"\x04\x14"
		"01234567890123456789\x05\x00");
}
static void b_aki_other(struct lab *l)
{
	ext_flip(l, OID_EXT_AKI, 1);
}
static void b_aki_absent(struct lab *l)
{
	ext_drop(l, OID_EXT_AKI);
}
static void b_aki_serial(struct lab *l)
{
	_cleanup_buf_ struct buf b = {0};
	size_t at = der_begin(&b, DER_SEQUENCE);
	der_put(&b, DER_CONTEXT(0), l->issuer_cert.ski);
	der_put(&b, DER_CONTEXT(2), slice_of("\1", 1));
	der_end(&b, at);
	ext_set(l, OID_EXT_AKI, b.data, b.len);
}
static void b_ku_not_critical(struct lab *l)
{
	l->exts[ext_at(l, OID_EXT_KEY_USAGE)].critical = false;
	l->profile.exts[X_KU].critical = false;
}
static void b_ku_absent(struct lab *l)
{
	ext_drop(l, OID_EXT_KEY_USAGE);
}
static void b_ku_zero_bits(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x00\xc0");
}
static void b_ku_zero_octet(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x03\x07\xc0\x00");
}
static void b_ku_none(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x07\x00");
}
static void b_ku_more(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x05\xe0");
}
static void b_ku_less(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x07\x80");
}
static void b_ku_cert_sign(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x02\xc4");
	l->profile.exts[X_KU].bits |= KU_BIT(KU_KEY_CERT_SIGN);
}
static void b_ku_crl_sign(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x01\xc2");
}
static void b_ku_encipher_p256(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x04\xf0");
	l->profile.exts[X_KU].by_algorithm = false;
}
static void b_ca_ku_sign(struct lab *l)
{
	EXT_SET(l, OID_EXT_KEY_USAGE, "\x03\x02\x01\x86");
}
static void b_bc_ca(struct lab *l)
{
	EXT_ADD(l, OID_EXT_BASIC_CONSTRAINTS, true, "\x30\x03\x01\x01\xff");
}
static void b_bc_unlisted(struct lab *l)
{
	EXT_ADD(l, OID_EXT_BASIC_CONSTRAINTS, false, "\x30\x00");
}
static void b_bc_path_len(struct lab *l)
{
	EXT_ADD(l, OID_EXT_BASIC_CONSTRAINTS, false, "\x30\x03\x02\x01\x00");
	l->profile.exts[X_TAX] = (struct profile_ext){.type = EXT_BASIC_CONSTRAINTS};
}
static void b_ca_bc_absent(struct lab *l)
{
	ext_drop(l, OID_EXT_BASIC_CONSTRAINTS);
}
static void b_ca_bc_not_critical(struct lab *l)
{
	l->exts[ext_at(l, OID_EXT_BASIC_CONSTRAINTS)].critical = false;
}
static void b_ca_bc_no_ca(struct lab *l)
{
	EXT_SET(l, OID_EXT_BASIC_CONSTRAINTS, "\x30\x00");
}
static void b_path_len_zero(struct lab *l)
{
	l->issuer_cert.path_len = 0;
}
static void b_path_len_equal(struct lab *l)
{
	l->issuer_cert.path_len = 1;
	EXT_SET(l, OID_EXT_BASIC_CONSTRAINTS, "\x30\x06\x01\x01\xff\x02\x01\x01");
}
static void b_path_len_none(struct lab *l)
{
	l->issuer_cert.path_len = 1;
	EXT_SET(l, OID_EXT_BASIC_CONSTRAINTS, "\x30\x03\x01\x01\xff");
}
#define EKU(oids, n) "\x30" n oids
#define CLIENT "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
#define SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
#define MAIL "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04"
#define OCSP "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09"
#define ANY "\x06\x04\x55\x1d\x25\x00"
static void b_eku_other(struct lab *l)
{
	EXT_SET(l, OID_EXT_PURPOSES, EKU(SERVER MAIL, "\x14"));
}
static void b_eku_more(struct lab *l)
{
	EXT_SET(l, OID_EXT_PURPOSES, EKU(CLIENT MAIL SERVER, "\x1e"));
}
static void b_eku_order(struct lab *l)
{
	EXT_SET(l, OID_EXT_PURPOSES, EKU(MAIL CLIENT, "\x14"));
}
static void b_eku_absent(struct lab *l)
{
	ext_drop(l, OID_EXT_PURPOSES);
}
static void b_eku_unlisted(struct lab *l)
{
	l->profile.exts[X_EKU] = l->profile.exts[X_SKI];
}
static void b_eku_ocsp(struct lab *l)
{
	EXT_SET(l, OID_EXT_PURPOSES, EKU(CLIENT OCSP, "\x14"));
	l->profile.purposes[1] = "1.3.6.1.5.5.7.3.9"; /* a profile that got past its own checks */
}
static void b_eku_any(struct lab *l)
{
	EXT_SET(l, OID_EXT_PURPOSES, EKU(CLIENT ANY, "\x10"));
	l->profile.purposes[1] = "2.5.29.37.0";
}
static void b_eku_ocsp_and(struct lab *l)
{
	EXT_SET(l, OID_EXT_PURPOSES, EKU(CLIENT OCSP, "\x14"));
}
static void b_eku_client(struct lab *l)
{
	EXT_SET(l, OID_EXT_PURPOSES, EKU(CLIENT, "\x0a"));
}
static void b_eku_gone(struct lab *l)
{
	ext_drop(l, OID_EXT_PURPOSES);
}
static void b_no_check(struct lab *l)
{
	EXT_ADD(l, OID_EXT_OCSP_NO_CHECK, false, "\x05\x00");
}
static void b_no_check_gone(struct lab *l)
{
	ext_drop(l, OID_EXT_OCSP_NO_CHECK);
}
static void b_no_check_value(struct lab *l)
{
	EXT_SET(l, OID_EXT_OCSP_NO_CHECK, "\x01\x01\xff");
}
static void b_no_check_critical(struct lab *l)
{
	l->exts[ext_at(l, OID_EXT_OCSP_NO_CHECK)].critical = true;
}
static void b_responder_cdp(struct lab *l)
{
	EXT_ADD(l, OID_EXT_CRL_DP, false, "\x30\x00");
}
static void b_responder_long(struct lab *l)
{
	times_set(l, NOW, NOW + 7 * DAY + 1);
}
static void b_cdp_shard(struct lab *l)
{
	l->serial.data[l->serial.len - 1] ^= 1;
}
static void b_cdp_octet(struct lab *l)
{
	l->serial.data[l->serial.len - 2] |= 1; /* above what the point's number can be */
	l->profile.exts[X_CDP].shards = 4096;
}
static void b_cdp_url(struct lab *l)
{
	ext_flip(l, OID_EXT_CRL_DP, 1);
}
static void b_cdp_host(struct lab *l)
{
	l->profile.exts[X_CDP].url = "http://other.example.test/crl/{issuer}/{shard}.crl";
}
static void b_cdp_two(struct lab *l)
{
	_cleanup_buf_ struct buf b = {0};
	size_t at = der_begin(&b, DER_SEQUENCE);
	for (int i = 0; i < 2; i++) {
		size_t seq = der_begin(&b, DER_SEQUENCE);
		point_put(&b, slice_str("http://pki.example.test/x"));
		der_end(&b, seq);
	}
	der_end(&b, at);
	ext_set(l, OID_EXT_CRL_DP, b.data, b.len);
}
static void b_aia_url(struct lab *l)
{
	ext_flip(l, OID_EXT_AIA, 1);
}
static void b_aia_issuer(struct lab *l)
{
	ext_flip(l, OID_EXT_AIA, 8);
}
static void b_aia_less(struct lab *l)
{
	l->profile.exts[X_AIA].ocsp = NULL;
}
static void b_aia_one(struct lab *l)
{
	EXT_SET(l, OID_EXT_AIA, "\x30\x00");
}
static void b_policy_other(struct lab *l)
{
	l->profile.exts[X_POLICY].oid = "2.999.1.2";
}
static void b_policy_cps(struct lab *l)
{
	ext_flip(l, OID_EXT_POLICIES, 1);
}
static void b_policy_no_cps(struct lab *l)
{
	l->profile.exts[X_POLICY].cps = NULL;
}
static void b_mail_other(struct lab *l)
{
	ext_flip(l, OID_EXT_SAN, 1);
}
static void b_mail_dns(struct lab *l)
{
	EXT_SET(l, OID_EXT_SAN,
		"\x30\x05\x82\x03"
		"a.b");
}
static void b_mail_nul(struct lab *l)
{
	EXT_SET(l, OID_EXT_SAN,
		"\x30\x15\x81\x13"
		"agent@example.test\x00");
}
static void b_mail_two(struct lab *l)
{
	EXT_SET(l, OID_EXT_SAN,
		"\x30\x08\x81\x02"
		"a@\x81\x02"
		"b@");
}
static void b_code_other(struct lab *l)
{
	ext_flip(l, "1.2.156.10260.4.1.4", 1);
}
static void b_code_utf8(struct lab *l)
{
	l->exts[ext_at(l, "1.2.156.10260.4.1.4")].value.data[0] = DER_UTF8;
}
static void b_code_nul(struct lab *l)
{
	EXT_SET(l, "1.2.156.10260.4.1.4",
		"\x13\x13"
		"913301003535355023\x00");
}
static void b_code_behind(struct lab *l)
{
	EXT_SET(l, "1.2.156.10260.4.1.4",
		"\x13\x12"
		"913301003535355023\x05\x00");
}
/* BER that libcrypto takes, and writes as DER. */
static void b_ber_length(struct lab *l)
{
	EXT_SET(l, OID_EXT_POLICIES, "\x30\x81\x06\x30\x04\x06\x02\x2a\x03");
}
static void b_ber_rest(struct lab *l)
{
	EXT_SET(l, OID_EXT_POLICIES, "\x30\x80\x30\x04\x06\x02\x2a\x03\x00\x00");
}
#define ECDSA_SHA256 "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
static void b_alg_ber(struct lab *l)
{
	set(&l->inner, slice_of("\x30\x0d" ECDSA_SHA256 "\x05\x81\x00", 15));
}
static void b_alg_rest(struct lab *l)
{
	set(&l->inner, slice_of("\x30\x0e" ECDSA_SHA256 "\x05\x00\x05\x00", 16));
}
static void b_ext_false(struct lab *l)
{
	l->exts[ext_at(l, OID_EXT_SKI)].says_false = true;
}
static void b_critical_unknown_to_libcrypto(struct lab *l)
{
	EXT_ADD(l, "1.2.3.4", true, "\x05\x00");
}

#endif

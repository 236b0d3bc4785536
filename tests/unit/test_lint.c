/*
 * Lint: good certificates pass every rule; then each rule gets certificates that break it alone or among others, made
 * by taking a good one apart and putting it together again with one thing changed. What our own reader would refuse
 * before lint is handed over unread, because a rule must hold without it.
 */
#include "tests/unit/lint_breakers.h"

struct breaker {
	const char *rule, *what;
	void (*breaks)(struct lab *l);
	enum { LEAF, CA, RESPONDER } of;
};
static const struct breaker breakers[] = {
	{"structure", "a byte behind the end", b_trailing},
	{"structure", "larger than any certificate", b_too_large},
	{"version", "v1 with extensions", b_v1},
	{"version", "v2", b_v2},
	{"version", "v4", b_v4},
	{"serial_positive", "zero", b_serial_zero},
	{"serial_positive", "negative", b_serial_negative},
	{"serial_positive", "21 octets", b_serial_long},
	{"serial_entropy", "8 octets", b_serial_short},
	{"sigalg_same", "outer algorithm differs", b_outer},
	{"sigalg_of_issuer", "algorithm of another key", b_both_algs},
	{"sigalg_of_issuer", "SHA-1", b_sha1},
	{"sigalg_of_issuer", "trial signer of another algorithm", b_signer_alg},
	{"signature_holds", "a bit of the signature", b_signature},
	{"unique_ids", "subjectUniqueID", b_unique},
	{"validity_form", "GeneralizedTime in 2026", b_time_type},
	{"validity_form", "offset in place of Z", b_time_zone},
	{"validity_form", "three times", b_time_third},
	{"validity_order", "ends before it begins", b_ends_before},
	{"validity_order", "ends as it begins", b_ends_at_once},
	{"validity_length", "a second over 3653 days", b_too_long},
	{"validity_length", "over the profile's cap", b_beyond_cap},
	{"validity_length", "a CA over 25 years", b_ca_too_long, CA},
	{"validity_now", "begins in a second", b_ahead},
	{"validity_now", "begun more than two days ago", b_backdated},
	{"validity_now", "over", b_over},
	{"validity_now", "a CA that is over", b_over, CA},
	{"validity_within_issuer", "a second past the issuer", b_beyond_issuer},
	{"validity_within_issuer", "a second before the issuer", b_before_issuer},
	{"validity_within_issuer", "an intermediate past its root", b_beyond_issuer, CA},
	{"issuer_is_ca", "issuer without cA", b_issuer_no_ca},
	{"issuer_is_ca", "issuer without basicConstraints", b_issuer_no_bc},
	{"issuer_is_ca", "issuer without keyCertSign", b_issuer_no_sign},
	{"issuer_is_ca", "issuer without keyUsage", b_issuer_no_ku},
	{"issuer_name", "another name", b_issuer_name},
	{"issuer_name", "another string type", b_issuer_type},
	{"subject_meant", "another subject", b_subject_value},
	{"subject_meant", "another case", b_subject_case},
	{"subject_meant", "another order", b_subject_order},
	{"subject_present", "no attribute", b_subject_empty},
	{"subject_present", "an empty value", b_subject_empty_value},
	{"subject_single", "two values in an RDN", b_subject_two},
	{"subject_strings", "O as PrintableString", b_subject_printable},
	{"subject_strings", "CN as BMPString", b_subject_bmp},
	{"subject_strings", "CN as TeletexString", b_subject_t61},
	{"subject_strings", "C as UTF8String", b_subject_country_type},
	{"subject_strings", "an unknown attribute", b_subject_unknown},
	{"subject_lengths", "O of 65 characters", b_subject_long},
	{"subject_lengths", "broken UTF-8", b_subject_not_utf8},
	{"subject_values", "bidi control", b_subject_bidi},
	{"subject_values", "zero width", b_subject_zero_width},
	{"subject_values", "line break", b_subject_control},
	{"subject_values", "space at the end", b_subject_space},
	{"subject_values", "broken UTF-8", b_subject_not_utf8},
	{"subject_country", "lower case", b_country_lower},
	{"subject_country", "three letters", b_country_long},
	{"key_meant", "another key", b_other_key},
	{"key_allowed", "algorithm that the profile has not", b_key_forbidden},
	{"key_allowed", "RSA below the profile's bits", b_key_too_small},
	{"key_strength", "RSA 1024", b_key_weak},
	{"key_not_issuers", "the CA's own key", b_issuers_key},
	{"key_not_issuers", "an intermediate with the root's key", b_issuers_key, CA},
	{"extensions_unique", "SKI twice", b_ext_twice},
	{"extensions_known", "unknown and critical", b_ext_unknown_critical},
	{"extensions_known", "critical GM/T 0015", b_gmt_critical},
	{"extensions_known", "critical AKI", b_aki_critical},
	{"extensions_listed", "not in the profile", b_ext_unlisted},
	{"extensions_listed", "not for a CA", b_ca_ext_unlisted, CA},
	{"extensions_present", "no SKI", b_ext_absent},
	{"extensions_present", "no code though the subject has it", b_code_absent},
	{"extensions_present", "a CA without SKI", b_ca_ski_absent, CA},
	{"extensions_criticality", "critical EKU", b_eku_critical},
	{"extensions_criticality", "CA's constraints not critical", b_ca_bc_not_critical, CA},
	{"extensions_not_critical", "critical CDP by the profile", b_cdp_critical},
	{"extensions_not_critical", "critical AKI by the profile", b_aki_critical},
	{"subject_key_id", "another id", b_ski_other},
	{"subject_key_id", "bytes behind it", b_ski_form},
	{"subject_key_id", "a CA without", b_ca_ski_absent, CA},
	{"authority_key_id", "another id", b_aki_other},
	{"authority_key_id", "absent", b_aki_absent},
	{"authority_key_id", "with a serial", b_aki_serial},
	{"authority_key_id", "an intermediate without", b_aki_absent, CA},
	{"key_usage_critical", "not critical", b_ku_not_critical},
	{"key_usage_critical", "absent", b_ku_absent},
	{"key_usage_form", "zero bits at the end", b_ku_zero_bits},
	{"key_usage_form", "a zero octet at the end", b_ku_zero_octet},
	{"key_usage_form", "no bit", b_ku_none},
	{"key_usage_exact", "one more", b_ku_more},
	{"key_usage_exact", "one less", b_ku_less},
	{"key_usage_exact", "absent", b_ku_absent},
	{"key_usage_exact", "a CA that signs documents", b_ca_ku_sign, CA},
	{"key_usage_of_leaf", "keyCertSign", b_ku_cert_sign},
	{"key_usage_of_leaf", "cRLSign", b_ku_crl_sign},
	{"key_usage_fits_key", "P-256 that enciphers", b_ku_encipher_p256},
	{"constraints_of_leaf", "cA", b_bc_ca},
	{"constraints_of_leaf", "empty, unlisted", b_bc_unlisted},
	{"constraints_of_leaf", "path length", b_bc_path_len},
	{"constraints_of_ca", "absent", b_ca_bc_absent, CA},
	{"constraints_of_ca", "not critical", b_ca_bc_not_critical, CA},
	{"constraints_of_ca", "without cA", b_ca_bc_no_ca, CA},
	{"path_len", "issuer allows none", b_path_len_zero, CA},
	{"path_len", "as long as the issuer's", b_path_len_equal, CA},
	{"path_len", "unlimited below a limit", b_path_len_none, CA},
	{"purposes_exact", "another purpose", b_eku_other},
	{"purposes_exact", "one more", b_eku_more},
	{"purposes_exact", "another order", b_eku_order},
	{"purposes_exact", "absent", b_eku_absent},
	{"purposes_exact", "unlisted", b_eku_unlisted},
	{"purposes_reserved", "OCSPSigning", b_eku_ocsp},
	{"purposes_reserved", "any purpose", b_eku_any},
	{"purposes_reserved", "OCSPSigning beside another purpose", b_eku_ocsp_and, RESPONDER},
	{"purposes_exact", "a responder's other purpose", b_eku_client, RESPONDER},
	{"purposes_exact", "a responder without its purpose", b_eku_gone, RESPONDER},
	{"no_check", "a subscriber's", b_no_check},
	{"no_check", "a CA's", b_no_check, CA},
	{"no_check", "a responder's without", b_no_check_gone, RESPONDER},
	{"no_check", "a responder's that is not NULL", b_no_check_value, RESPONDER},
	{"extensions_listed", "ocsp-nocheck for a subscriber", b_no_check},
	{"extensions_criticality", "critical ocsp-nocheck", b_no_check_critical, RESPONDER},
	{"extensions_listed", "a CRL for a responder", b_responder_cdp, RESPONDER},
	{"validity_length", "a responder over a week", b_responder_long, RESPONDER},
	{"key_usage_exact", "a responder that signs CRLs", b_ku_crl_sign, RESPONDER},
	{"constraints_of_leaf", "a responder that is a CA", b_bc_ca, RESPONDER},
	{"crl_dp_shard", "shard of another serial", b_cdp_shard},
	{"crl_dp_shard", "the high octet of the shard", b_cdp_octet},
	{"crl_dp_shard", "another ending", b_cdp_url},
	{"crl_dp_shard", "another host", b_cdp_host},
	{"crl_dp_shard", "two points", b_cdp_two},
	{"access_exact", "another URL", b_aia_url},
	{"access_exact", "another issuer in the URL", b_aia_issuer},
	{"access_exact", "OCSP that the profile has not", b_aia_less},
	{"access_exact", "none", b_aia_one},
	{"policies_exact", "another policy", b_policy_other},
	{"policies_exact", "another CPS", b_policy_cps},
	{"policies_exact", "a CPS that the profile has not", b_policy_no_cps},
	{"mail_of_subject", "another mailbox", b_mail_other},
	{"mail_of_subject", "a host name", b_mail_dns},
	{"mail_of_subject", "NUL at the end", b_mail_nul},
	{"mail_of_subject", "two mailboxes", b_mail_two},
	{"gmt0015_not_critical", "critical", b_gmt_critical},
	{"gmt0015_of_subject", "another code", b_code_other},
	{"gmt0015_of_subject", "UTF8String", b_code_utf8},
	{"gmt0015_of_subject", "NUL at the end", b_code_nul},
	{"gmt0015_of_subject", "bytes behind it", b_code_behind},
	{"libcrypto_extensions", "a long length", b_ber_length},
	{"libcrypto_extensions", "indefinite length", b_ber_rest},
	{"extensions_unique", "critical FALSE written out", b_ext_false},
	{"libcrypto_same", "a long length", b_alg_ber},
	{"libcrypto_same", "bytes that it cannot read", b_alg_rest},
	{"libcrypto_extensions", "usages that it finds invalid", b_ku_none},
	{"libcrypto_extensions", "unknown and critical", b_critical_unknown_to_libcrypto},
};
#define N_BREAKERS (sizeof(breakers) / sizeof(breakers[0]))

static void test_each_rule_finds_its_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_BREAKERS; i++) {
		struct lab l;
		if (breakers[i].of == CA)
			lab_ca(&l);
		else if (breakers[i].of == RESPONDER)
			lab_responder(&l, KEY_P256);
		else
			lab_leaf(&l, KEY_P256);
		breakers[i].breaks(&l);
		check_found(&l, breakers[i].rule, breakers[i].what);
		lab_done(&l);
	}
}

static void test_every_rule_has_a_breaker_and_a_source(void **state)
{
	(void)state;
	assert_in_range(lint_n_rules, 25, 200);
	for (size_t i = 0; i < lint_n_rules; i++) {
		size_t found = 0;
		for (size_t j = 0; j < N_BREAKERS; j++)
			found += strcmp(breakers[j].rule, lint_rules[i].name) == 0;
		if (found == 0)
			fail_msg("rule %s has no test", lint_rules[i].name);
		assert_in_range(strlen(lint_rules[i].source), 5, 120);
		assert_in_range(strlen(lint_rules[i].name), 3, 34); /* "lint_" and it fit a fault's rule */
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(lint_rules[i].name, lint_rules[j].name);
	}
}

static void test_good_certificates_hold(void **state)
{
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		struct lab l;
		lab_leaf(&l, (enum key_alg)a);
		check_all_hold(&l);
		lab_done(&l);
		lab_responder(&l, (enum key_alg)a);
		check_all_hold(&l);
		lab_done(&l);
	}
	struct lab l;
	lab_ca(&l);
	check_all_hold(&l);
	lab_done(&l);
}

/* The edges that are allowed. */
static void test_edges_hold(void **state)
{
	struct lab l;
	(void)state;
	lab_leaf(&l, KEY_P256);
	times_set(&l, NOW - 2 * DAY, NOW - 2 * DAY + 3653 * DAY);
	l.issuer_cert.not_before = l.not_before;
	l.issuer_cert.not_after = l.not_after;
	check_all_hold(&l);
	lab_done(&l);

	lab_leaf(&l, KEY_P256);
	EXT_ADD(&l, OID_EXT_BASIC_CONSTRAINTS, false, "\x30\x00");
	l.profile.exts[X_TAX] = (struct profile_ext){.type = EXT_BASIC_CONSTRAINTS};
	check_all_hold(&l);
	lab_done(&l);

	lab_ca(&l);
	l.issuer_cert.path_len = 1;
	check_all_hold(&l);
	lab_done(&l);
}

/* made: what the trial key made is known, as to the signer. */
static void check_every_byte(bool made)
{
	struct lab l;
	_cleanup_buf_ struct buf der = {0}, good = {0};
	_cleanup_(cert_done) struct cert before = {0};
	struct lint_view v = {0};
	struct fault f = {0};
	lab_leaf(&l, KEY_P256);
	put_certificate(&l, &der);
	buf_add_slice(&good, buf_slice(&der));
	check_ok("parse", cert_parse(buf_slice(&good), &before, &f), &f);
	assert_true(lint_look(&(struct lint_input){.cert = &before}, &v));
	for (size_t i = 0; i < der.len; i++) {
		_cleanup_(cert_done) struct cert c = {0};
		der.data[i] ^= 0x21;
		if (cert_parse(buf_slice(&der), &c, &f) == OK) {
			struct lint_input in = input_of(&l, &c);
			if (made) {
				in.made.alg = in.signer->alg;
				in.made.tbs = v.tbs;
				in.made.signature = v.signature;
				in.signer = NULL;
			}
			if (lint_run(&in, &f) == OK)
				fail_msg("byte %zu of %zu can be changed", i, der.len);
		}
		der.data[i] ^= 0x21;
	}
	lab_done(&l);
}

/* No byte of a certificate may be changed without some rule seeing it. */
static void test_every_byte_counts(void **state)
{
	(void)state;
	check_every_byte(false);
	check_every_byte(true);
}

/* Rules by themselves meet bytes that nobody has parsed. */
static void test_rules_survive_cut_bytes(void **state)
{
	struct lab l;
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert c = {0};
	struct fault f = {0};
	(void)state;
	lab_leaf(&l, KEY_P256);
	put_certificate(&l, &der);
	check_ok("parse", cert_parse(buf_slice(&der), &c, &f), &f);
	for (size_t n = 0; n < der.len; n += n < 64 ? 1 : 13) {
		_cleanup_(freep) uint8_t *cut = xmalloc(n + 1);
		struct cert shown = c;
		struct lint_input in = input_of(&l, &shown);
		memcpy(cut, der.data, n);
		shown.der = slice_of(cut, n);
		for (size_t i = 0; i < lint_n_rules; i++) {
			char why[400] = "";
			if (!lint_rules[i].holds(&in, why, sizeof(why)))
				assert_int_not_equal(why[0], '\0');
		}
		check_refused("cut", lint_run(&in, &f), &f, ERR_RULE, "lint_structure");
	}
	lab_done(&l);
}

static int setup(void **state)
{
	(void)state;
	root_of_all = kit_ca_of("Root CA", kit_key(KIT_CA, KEY_P256), NULL, -1, 20);
	issuer_of_all = kit_ca_of("Issuing CA", kit_key(KIT_OTHER, KEY_P256), &root_of_all, 0, 15);
	return 0;
}

static int teardown(void **state)
{
	kit_ca_done(&issuer_of_all);
	kit_ca_done(&root_of_all);
	return kit_done(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_certificates_hold),
		cmocka_unit_test(test_edges_hold),
		cmocka_unit_test(test_each_rule_finds_its_fault),
		cmocka_unit_test(test_every_rule_has_a_breaker_and_a_source),
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_rules_survive_cut_bytes),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

/*
 * CRLs: good forms and hostile ones, what is found in them, whose signature they bear, and the words of reasons.
 */
#include "cert_kit.h"

#include "common/base/clock.h"

static const struct {
	struct crl_spec spec;
	enum err kind;
	const char *rule, *where, *why;
} crls[] = {
	{{0}, OK, NULL, NULL, "nothing revoked"},
	{{.revoked = ENTRY_1 ENTRY_E9, .exts = NUMBER}, OK, NULL, NULL, "two"},
	{{.revoked = ""}, OK, NULL, NULL, "an empty list, which old issuers write"},
	{{.version = "", .revoked = ENTRY_1}, OK, NULL, NULL, "v1"},
	{{.times = "170d3236303130313030303030305a"}, OK, NULL, NULL, "no nextUpdate"},
	{{.exts = NUMBER "3013 0603551d1c 0101ff 0409 3007 a005 a003 860161"}, OK, NULL, NULL, "a shard by its URL"},
	{{.exts = "300f 0603551d1c 0101ff 0405 3003 8101ff"}, OK, NULL, NULL, "user certificates only"},
	{{.version = "020100"}, ERR_PARSE, "crl_form", "crl.version", "v1 written out"},
	{{.version = "020102"}, ERR_PARSE, "crl_form", "crl.version", "v3"},
	{{.version = "", .exts = NUMBER}, ERR_PARSE, "crl_form", "crl", "v1 with extensions"},
	{{.inner = "300906072a8648ce3d0401"}, ERR_PARSE, "crl_algorithms", NULL, "two algorithms"},
	{{.issuer = "3000"}, ERR_PARSE, "crl_form", "crl.issuer", "empty issuer"},
	{{.times = ""}, ERR_PARSE, "crl_form", "crl.thisUpdate", "no times"},
	{{.times = "180f32303236303130313030303030305a"},
	 ERR_PARSE,
	 "crl_form",
	 "crl.thisUpdate",
	 "GeneralizedTime in 2026"},
	{{.times = "170d3236303230313030303030305a170d3236303130313030303030305a"},
	 ERR_PARSE,
	 "crl_times",
	 "crl.nextUpdate",
	 "backwards"},
	{{.times = "170d3630303130313030303030305a170d3730303130313030303030305a"},
	 ERR_PARSE,
	 "crl_times",
	 "crl.nextUpdate",
	 "1970, which would read as absent"},
	{{.revoked = "0500"}, ERR_PARSE, "crl_form", "crl.entry", "NULL for an entry"},
	{{.revoked = "3012 020100 " DATE}, ERR_PARSE, "crl_serial", "crl.entry.serial", "serial zero"},
	{{.revoked = "3012 0201ff " DATE}, ERR_PARSE, "crl_serial", "crl.entry.serial", "negative serial"},
	{{.revoked = "3003 020101"}, ERR_PARSE, "crl_form", "crl.entry.revocationDate", "no date"},
	{{.revoked = "3014 020101 " DATE "3000"}, ERR_PARSE, "crl_form", "crl.entry.extensions", "no extension"},
	{{.revoked = "3014 020101 " DATE "0500"}, ERR_PARSE, "crl_form", "crl.entry.extensions", "NULL behind"},
	{{.revoked = "3020 020101 " DATE "300c 300a 0603551d15 0403 0a0107"},
	 ERR_PARSE,
	 "crl_form",
	 "crl.entry.reason",
	 "reason 7"},
	{{.revoked = "3020 020101 " DATE "300c 300a 0603551d15 0403 0a010b"},
	 ERR_PARSE,
	 "crl_form",
	 "crl.entry.reason",
	 "reason 11"},
	{{.revoked = "3020 020101 " DATE "300c 300a 0603551d15 0403 020101"},
	 ERR_PARSE,
	 "crl_form",
	 "crl.entry.reason",
	 "INTEGER"},
	{{.revoked = "302c 020101 " DATE "3018 300a 0603551d15 0403 0a0101 300a 0603551d15 0403 0a0103"},
	 ERR_PARSE,
	 "crl_form",
	 "crl.entry.reason",
	 "two reasons"},
	{{.revoked = "3022 020101 " DATE "300e 300c 0603551d1d 0101ff 0402 3000"},
	 ERR_RULE,
	 "unknown_critical_extension",
	 "crl.entry.extensions",
	 "certificateIssuer"},
	{{.exts = ""}, ERR_PARSE, "crl_form", "crl.extensions", "no extension"},
	{{.exts = NUMBER, .behind_exts = "0500"}, ERR_PARSE, "crl_form", "crl.extensions", "something behind"},
	{{.behind_exts = "0500"}, ERR_PARSE, "crl_form", "crl.extensions", "something for the extensions"},
	{{.exts = NUMBER NUMBER}, ERR_PARSE, "crl_form", "crl.cRLNumber", "two numbers"},
	{{.exts = "300a 0603551d14 0403 0201ff"}, ERR_PARSE, "crl_form", "crl.cRLNumber", "negative number"},
	{{.exts = "300d 0603551d1b 0101ff 0403 020101"},
	 ERR_RULE,
	 "crl_scope",
	 "crl.deltaCRLIndicator",
	 "a delta list"},
	{{.exts = "300a 0603551d1b 0403 020101"},
	 ERR_RULE,
	 "crl_scope",
	 "crl.deltaCRLIndicator",
	 "a delta list that does not say that this matters"},
	{{.exts = "300d 0603551d63 0101ff 0403 020101"},
	 ERR_RULE,
	 "unknown_critical_extension",
	 "crl.extensions",
	 "unknown and critical"},
	{{.exts = "300f 0603551d1c 0101ff 0405 3003 8401ff"}, ERR_RULE, "crl_scope", NULL, "indirect"},
	{{.exts = "300f 0603551d1c 0101ff 0405 3003 8201ff"}, ERR_RULE, "crl_scope", NULL, "CA certificates only"},
	{{.exts = "3010 0603551d1c 0101ff 0406 3004 83020106"}, ERR_RULE, "crl_scope", NULL, "some reasons only"},
	{{.exts = "300c 0603551d1c 0101ff 0402 3000"},
	 ERR_PARSE,
	 "crl_form",
	 "crl.issuingDistributionPoint",
	 "empty scope"},
	{{.exts = "300f 0603551d1c 0101ff 0405 3003 810100"},
	 ERR_PARSE,
	 "crl_form",
	 "crl.issuingDistributionPoint",
	 "FALSE written out"},
	{{.exts = EXT_X_CRITICAL}, ERR_RULE, "unknown_critical_extension", "crl.extensions", "unknown and critical"},
	{{.outer = "300506032b6571"}, ERR_PARSE, "crl_algorithms", NULL, "another algorithm outside"},
	{{.behind = "00"}, ERR_PARSE, "crl_form", "crl", "a byte behind"},
};

static void crl_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(crls) / sizeof(crls[0]); i++) {
		struct buf der = build_crl(&crls[i].spec);
		uint8_t *p = exact(der.data, der.len);
		struct crl c = {0};
		struct fault f = {0};
		enum err e = crl_parse(slice_of(p, der.len), &c, &f);
		if (crls[i].kind == OK) {
			if (e != OK)
				fail_msg("%s: %s: %s", crls[i].why, f.where, f.text);
			assert_true(libcrypto_takes_crl(slice_of(p, der.len)));
		} else if (e != crls[i].kind || strcmp(f.rule, crls[i].rule) != 0 ||
			   (crls[i].where && strcmp(f.where, crls[i].where) != 0)) {
			fail_msg("%s: %s %s at %s: %s", crls[i].why, err_word(e), f.rule, f.where, f.text);
		}
		free(p);
		buf_done(&der);
	}
}

static void crl_look_up(void **state)
{
	struct buf der = build_crl(&(struct crl_spec){.revoked = ENTRY_1 ENTRY_E9, .exts = NUMBER});
	struct crl c = {0};
	struct fault f = {0};
	struct serial s;
	bool found = false;
	int64_t when = 0;
	unsigned reason = 99;
	(void)state;
	assert_ok(crl_parse(buf_slice(&der), &c, &f), &f);
	assert_true(c.number.n == 1 && c.number.p[0] == 7 && c.idp.n == 0);
	assert_string_equal(UTC(c.this_update), "2026-01-01T00:00:00Z");
	assert_string_equal(UTC(c.next_update), "2026-02-01T00:00:00Z");
	assert_true(serial_parse("E9", 2, &s));
	assert_ok(crl_find(&c, &s, &found, &when, &reason, &f), &f);
	assert_true(found && reason == 3);
	assert_string_equal(UTC(when), "2025-06-01T00:00:00Z");
	assert_true(serial_parse("01", 2, &s));
	assert_ok(crl_find(&c, &s, &found, &when, &reason, &f), &f);
	assert_true(found && reason == 0);
	assert_true(serial_parse("02", 2, &s));
	assert_ok(crl_find(&c, &s, &found, &when, &reason, &f), &f);
	assert_false(found);
	c.revoked.n--;
	assert_refused(crl_find(&c, &s, &found, &when, &reason, &f), ERR_PARSE, "crl_form", &f, "cut");
	c.revoked = (struct slice){0};
	assert_ok(crl_find(&c, &s, &found, &when, &reason, &f), &f);
	assert_false(found);
	buf_done(&der);
}

static void crl_signatures(void **state)
{
	static const struct {
		struct spec issuer;
		enum err kind;
		const char *rule;
	} cases[] = {
		{{.subject = NAME_CA, .exts = BC_CA KU_CA}, OK, NULL},
		{{.subject = NAME_CA, .exts = BC_CA}, OK, NULL},
		{{.subject = NAME_EE, .exts = BC_CA KU_CA}, ERR_RULE, "crl_issuer_name"},
		{{.subject = NAME_CA}, ERR_RULE, "crl_issuer_not_ca"},
		{{.subject = NAME_CA, .exts = BC_CA "300e 0603551d0f 0101ff 0404 03020204"},
		 ERR_RULE,
		 "crl_issuer_usage"},
	};
	struct buf der = build_crl(&(struct crl_spec){.revoked = ENTRY_1});
	struct crl c = {0};
	struct cert ca = {0};
	struct fault f = {0};
	(void)state;
	assert_ok(crl_parse(buf_slice(&der), &c, &f), &f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf ca_der = build(&cases[i].issuer, keys[KEY_P256], keys[KEY_P256], KEY_P256);
		assert_ok(cert_parse(buf_slice(&ca_der), &ca, &f), &f);
		if (cases[i].rule)
			assert_refused(crl_verify_by(&c, &ca, &f), cases[i].kind, cases[i].rule, &f, cases[i].rule);
		else
			assert_ok(crl_verify_by(&c, &ca, &f), &f);
		cert_done(&ca);
		buf_done(&ca_der);
	}
	struct buf other = build(&(struct spec){.subject = NAME_CA, .exts = BC_CA KU_CA}, leaf_key, leaf_key, KEY_P256);
	assert_ok(cert_parse(buf_slice(&other), &ca, &f), &f);
	assert_refused(crl_verify_by(&c, &ca, &f), ERR_CRYPTO, "crl_signature", &f, "another key");
	cert_done(&ca);
	buf_done(&other);
	buf_done(&der);
}

static void reasons(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		const char *word = crl_reason_word(i);
		assert_true((word != NULL) == (i <= 10 && i != 7));
		if (word)
			assert_int_equal(crl_reason_from_word(word), i);
	}
	assert_int_equal(crl_reason_from_word("keyCompromise"), 1);
	assert_int_equal(crl_reason_from_word("affiliationChanged"), 3);
	assert_int_equal(crl_reason_from_word("superseded"), 4);
	assert_int_equal(crl_reason_from_word("certificateHold"), 6);
	assert_int_equal(crl_reason_from_word("keycompromise"), -1);
	assert_int_equal(crl_reason_from_word(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crl_forms),
		cmocka_unit_test(crl_look_up),
		cmocka_unit_test(crl_signatures),
		cmocka_unit_test(reasons),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}

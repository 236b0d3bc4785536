/*
 * The shipped bundle, and that bundle with one thing wrong: each rule of loading and of lint is made to speak by an
 * edit of a file that is otherwise good, and says where.
 */
#include "policy_kit.h"

/* In the way of the officers' revocation. */
#define CHECKS(list, rule)                                                                                             \
	{                                                                                                              \
		PROFILE, "officers: 1\n\n  hold", "officers: 1\n        checks: " list "\n\n  hold", "error " PROFILE, \
			rule                                                                                           \
	}
#define CHECK_12                                                                                                       \
	"{zh: 第1条, en: no. 1}"                                                                                     \
	", {zh: 第2条, en: no. 2}"                                                                                   \
	", {zh: 第3条, en: no. 3}"                                                                                   \
	", {zh: 第4条, en: no. 4}"                                                                                   \
	", {zh: 第5条, en: no. 5}"                                                                                   \
	", {zh: 第6条, en: no. 6}"                                                                                   \
	", {zh: 第7条, en: no. 7}"                                                                                   \
	", {zh: 第8条, en: no. 8}"                                                                                   \
	", {zh: 第9条, en: no. 9}"                                                                                   \
	", {zh: 第10条, en: no. 10}"                                                                                 \
	", {zh: 第11条, en: no. 11}"                                                                                 \
	", {zh: 第12条, en: no. 12}"
#define CHECK_30 "thirty characters in each part"
#define CHECK_120 CHECK_30 CHECK_30 CHECK_30 CHECK_30
static void test_shipped_is_clean(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_buf_ struct buf out = {0};
	struct fault f = {0};

	assert_int_equal(policy_check(b.files, b.n, &out), 0);
	assert_string_equal(buf_text(&out), "");
	if (policy_load(no_note, b.files, b.n, &p, &f) != OK)
		fail_msg("%s", f.text);
	assert_non_null(policy_profile(p, "organisation"));
	assert_null(policy_profile(p, "organisatio"));
	assert_non_null(policy_project(p, "jinhua"));
	assert_true(project_has_profile(policy_project(p, "jinhua"), "organisation"));
	assert_non_null(project_service(policy_project(p, "jinhua"), "organisation-certificate"));
	assert_null(project_service(policy_project(p, "jinhua"), "other"));
	assert_non_null(policy_notice(p, "risk-2026-11"));
	assert_null(policy_issuer(p, (const uint8_t[20]){0}));
}

static void test_shipped_profile_says(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	const struct profile *pr;
	const struct policy_way *w;

	assert_int_equal(policy_load(no_note, b.files, b.n, &p, NULL), OK);
	pr = policy_profile(p, "organisation");
	w = profile_way(pr, TALLY_CHANGE, "name-or-code");
	assert_int_equal(w->officers, 2);
	assert_true(way_material(w, "change-proof"));
	assert_false(way_material(w, "chang-proof"));
	assert_string_equal(w->reason, "affiliationChanged");
	assert_null(profile_way(pr, TALLY_CHANGE, "legal-representative"));
	assert_null(profile_way(pr, TALLY_WITHDRAW, "any"));
	assert_int_equal(profile_way(pr, TALLY_REISSUE, "lost")->officers, 3);
	assert_int_equal(pr->renewal_times, 3);
	assert_int_equal(pr->cap_days, 3653);
	for (size_t i = 0; i < pr->extensions.n; i++) {
		const struct profile_ext *e = (const struct profile_ext *)pr->extensions.v + i;

		assert_int_not_equal(e->type, EXT_BASIC_CONSTRAINTS);
		assert_int_equal(e->critical, e->type == EXT_KEY_USAGE);
		if (e->type == EXT_GMT0015)
			assert_string_equal(profile_ext_oid(e), "1.2.156.10260.4.1.4");
		if (e->type != EXT_KEY_USAGE)
			continue;
		assert_int_equal(profile_key_usage(e, KEY_RSA), 0xf);
		assert_int_equal(profile_key_usage(e, KEY_SM2), 0xf);
		assert_int_equal(profile_key_usage(e, KEY_P256), 0x3);
		assert_int_equal(profile_key_usage(e, KEY_ED25519), 0x3);
	}
}

/* One edit, one line of lint: severity, place, rule. */
struct fault_case {
	const char *path, *find, *put;
	const char *wants; /* "error profiles/organisation.yaml:7:" … */
	const char *rule;
};
static const struct fault_case cases[] = {
	/* form: with the place of what was found */
	{PROFILE, "attribute: O\n", "attribute: Org\n", "error " PROFILE, "attribute_unknown"},
	{PROFILE, "attribute: CN", "attribute: O", "error " PROFILE, "attribute_twice"},
	{PROFILE, "taken_from: O", "taken_from: OU", "error " PROFILE, "taken_from_unknown"},
	{PROFILE, "taken_from: O", "taken_from: CN", "error " PROFILE, "taken_from_self"},
	{PROFILE, "pattern: CN", "pattern: '(CN'", "error " PROFILE, "pattern"},
	{PROFILE, "max_chars: 64", "max_chars: 65", "error " PROFILE, "attribute_chars"},
	{PROFILE, "min_chars: 2", "min_chars: 65", "error " PROFILE, "attribute_chars"},
	{PROFILE, "identifier: organizationIdentifier", "identifier: serialNumber", "error " PROFILE,
	 "identifier_unknown"},
	{PROFILE, "organizationIdentifier\n    required: true", "organizationIdentifier\n    required: false",
	 "error " PROFILE, "identifier_optional"},
	{PROFILE, "check: organisation_or_unified", "check: organisation_or_unifed", "error " PROFILE, "yaml_word"},
	{PROFILE, "p384, ", "p385, ", "error " PROFILE, "algorithm_unknown"},
	{PROFILE, "p384, ", "p256, ", "error " PROFILE, "algorithm_twice"},
	{PROFILE, "[p256, p384, ed25519, sm2, rsa]", "[]", "error " PROFILE, "algorithms_empty"},
	{PROFILE, "rsa_min_bits: 2048", "rsa_min_bits: 1024", "error " PROFILE, "yaml_range"},
	{PROFILE, "rsa_max_bits: 4096", "rsa_max_bits: 2048\n  rsa_min_bits: 4096", "error " PROFILE, "yaml_key_twice"},
	{PROFILE, "2048\n  rsa_max_bits: 4096", "4096\n  rsa_max_bits: 2048", "error " PROFILE, "rsa_bits"},
	{PROFILE, "[12, 24, 36]", "[12, 36, 24]", "error " PROFILE, "lengths_order"},
	{PROFILE, "[12, 24, 36]", "[12, 12]", "error " PROFILE, "lengths_order"},
	{PROFILE, "[12, 24, 36]", "[]", "error " PROFILE, "lengths_empty"},
	{PROFILE, "[12, 24, 36]", "[0]", "error " PROFILE, "yaml_range"},
	{PROFILE, "cap_days: 3653", "cap_days: 3654", "error " PROFILE, "yaml_range"},
	{PROFILE, "cap_days: 3653", "cap_dys: 3653", "error " PROFILE, "yaml_key_unknown"},
	{PROFILE, "type: key_usage", "type: key_usages", "error " PROFILE, "yaml_word"},
	{PROFILE, "dataEncipherment]", "keyCertSign]", "error " PROFILE, "yaml_word"},
	{PROFILE, "emailProtection]", "OCSPSigning]", "error " PROFILE, "purpose_refused"},
	{PROFILE, "emailProtection]", "1.3.6.1.5.5.7.3.9]", "error " PROFILE, "purpose_refused"},
	{PROFILE, "emailProtection]", "2.5.29.37.0]", "error " PROFILE, "purpose_refused"},
	{PROFILE, "emailProtection]", "emailProtectoin]", "error " PROFILE, "purpose_unknown"},
	{PROFILE, "emailProtection]", "1.3.6.1.5.5.7.3.2]", "error " PROFILE, "purpose_twice"},
	{PROFILE, "type: subject_key_identifier", "type: authority_key_identifier", "error " PROFILE,
	 "extension_twice"},
	{PROFILE, "type: subject_key_identifier", "type: subject_key_identifier\n    oid: 1.2.3", "error " PROFILE,
	 "extension_member"},
	{PROFILE, "    oid: 1.3.6.1.4.1.32473.1.1\n", "", "error " PROFILE, "extension_member"},
	{PROFILE, "oid: 1.3.6.1.4.1.32473.1.1", "oid: 5.999.1.1", "error " PROFILE, "oid"},
	{PROFILE, "code: organisation", "code: organization", "error " PROFILE, "code_unknown"},
	{PROFILE, "from: organizationIdentifier", "from: OU", "error " PROFILE, "from_unknown"},
	{PROFILE, "http://pki.example.test/crl", "ftp://pki.example.test/crl", "error " PROFILE, "url"},
	{PROFILE, "/{issuer}.crt", "/{issuer}/{shard}.crt", "error " PROFILE, "url"},
	{PROFILE, "{shard}.crl", "all.crl", "error " PROFILE, "url_shard"},
	{PROFILE, "shards: 16", "shards: 1", "error " PROFILE, "url_shard"},
	{PROFILE, "shards: 16", "shards: 4097", "error " PROFILE, "yaml_range"},
	{PROFILE, "shards: 16", "shards: 16\n    expired_days: 6", "error " PROFILE, "yaml_range"},
	{PROFILE, "shards: 16", "shards: 16\n    expired_days: 3654", "error " PROFILE, "yaml_range"},
	{PROFILE, "shards: 16", "shards: 16\n    keep_expired: yes please", "error " PROFILE, "yaml_type"},
	{PROFILE, "shards: 16", "shards: 16\n    expired_days: 30\n    keep_expired: true", "error " PROFILE,
	 "expired_both"},
	{PROFILE, "type: subject_key_identifier", "type: subject_key_identifier\n    keep_expired: true",
	 "error " PROFILE, "extension_member"},
	{PROFILE, "type: subject_key_identifier", "type: subject_key_identifier\n    expired_days: 8", "error " PROFILE,
	 "extension_member"},
	{PROFILE, "  extend:\n", "  extends:\n", "error " PROFILE, "kind_unknown"},
	{PROFILE, "  hold:\n", "  withdraw:\n", "error " PROFILE, "kind_unknown"},
	{PROFILE, "  hold:\n", "  responder:\n", "error " PROFILE, "kind_unknown"},
	{PROFILE, "same-key:\n", "Same-Key:\n", "error " PROFILE, "name_form"},
	{PROFILE, "reason: affiliationChanged", "reason: affiliationChange", "error " PROFILE, "reason_unknown"},
	{PROFILE, "reason: affiliationChanged", "reason: certificateHold", "error " PROFILE, "reason_unknown"},
	{PROFILE, "        reason: affiliationChanged\n", "", "error " PROFILE, "reason_fate"},
	{PROFILE, "agent-id-card, ", "registration-form, ", "error " PROFILE, "word_twice"},
	{PROFILE, "agent-id-card, ", "Agent ID, ", "error " PROFILE, "name_form"},
	{PROFILE, "        fate: revoke\n", "        attributes: [OU]\n        fate: revoke\n", "error " PROFILE,
	 "attribute_unknown"},
	{PROFILE, "name: organisation", "name: organization", "error " PROFILE, "name_file"},
	{PROFILE, "officers: 2", "officers: 9", "error " PROFILE, "yaml_range"},
	{PROFILE, "officers: 2", "officers: -1", "error " PROFILE, "yaml_range"},
	{PROFILE, "officers: 2", "officers: \"2\"", "error " PROFILE, "yaml_type"},
	{PROJECT, "first_login_proof: key", "first_login_proof: keys", "error " PROJECT, "first_login_unknown"},
	{PROJECT, "profiles: [organisation]", "profiles: []", "error " PROJECT, "profiles_empty"},
	{PROJECT, "price_fen: 30000", "price_fen: 300.00", "error " PROJECT, "yaml_type"},
	{PROJECT, "name: jinhua", "name: ../jinhua", "error " PROJECT, "name_form"},
	/* floors */
	{PROFILE, "officers: 1\n        new_key_allowed", "officers: 0\n        new_key_allowed", "error " PROFILE,
	 "officers_floor"},
	{PROFILE, "        officers: 2\n        same_key_allowed", "        officers: 0\n        same_key_allowed",
	 "error " PROFILE, "officers_floor"},
	{PROFILE, "proof: [new]\n        officers: 2", "proof: [new]\n        officers: 1", "error " PROFILE,
	 "officers_floor"},
	{PROFILE, "proof: [new]\n        officers: 3", "proof: [new]\n        officers: 1", "error " PROFILE,
	 "officers_floor"},
	{PROFILE, "officers: 1\n\n  hold", "officers: 0\n\n  hold", "error " PROFILE, "officers_floor"},
	{PROFILE, "Release}\n        officers: 2", "Release}\n        officers: 1", "error " PROFILE, "officers_floor"},
	{PROFILE, "proof: [new]\n        officers: 2", "proof: [current]\n        officers: 2", "error " PROFILE,
	 "proof_current"},
	/* extensions */
	{PROFILE, "  - type: authority_key_identifier\n", "", "error " PROFILE, "aki_missing"},
	{PROFILE, "  - type: subject_key_identifier\n", "", "error " PROFILE, "ski_missing"},
	{PROFILE,
	 "  - type: crl_distribution_points\n    url: http://pki.example.test/crl/{issuer}/{shard}.crl\n    shards: "
	 "16\n",
	 "", "error " PROFILE, "cdp_missing"},
	{PROFILE, "http://pki.example.test/crl", "https://pki.example.test/crl", "warning " PROFILE, "cdp_https"},
	{PROFILE, "type: authority_key_identifier\n", "type: authority_key_identifier\n    critical: true\n",
	 "error " PROFILE, "aki_critical"},
	{PROFILE, "type: subject_key_identifier\n", "type: subject_key_identifier\n    critical: true\n",
	 "error " PROFILE, "ski_critical"},
	{PROFILE, "type: authority_info_access\n", "type: authority_info_access\n    critical: true\n",
	 "error " PROFILE, "aia_critical"},
	{PROFILE, "type: gmt0015\n", "type: gmt0015\n    critical: true\n", "error " PROFILE, "gmt0015_critical"},
	{PROFILE, "type: certificate_policies\n", "type: certificate_policies\n    critical: true\n",
	 "warning " PROFILE, "policies_critical"},
	{PROFILE, "type: crl_distribution_points\n", "type: crl_distribution_points\n    critical: true\n",
	 "warning " PROFILE, "cdp_critical"},
	{PROFILE, "    critical: true\n", "", "warning " PROFILE, "key_usage_critical"},
	{PROFILE, "  - type: subject_key_identifier\n",
	 "  - type: subject_key_identifier\n  - type: basic_constraints\n", "warning " PROFILE, "basic_constraints"},
	{PROFILE, "    by_algorithm: true\n", "", "error " PROFILE, "key_usage_algorithm"},
	{PROFILE, "[digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment]", "[keyEncipherment]",
	 "error " PROFILE, "key_usage_algorithm"},
	/* validity and subject */
	{PROFILE, "[12, 24, 36]", "[12, 24, 120]", "warning " PROFILE, "lengths_window"},
	{PROFILE, "cap_days: 3653", "cap_days: 1095", "error " PROFILE, "lengths_cap"},
	{PROFILE, "    on_change: may_change\n    taken_from", "    on_change: keep\n    taken_from", "error " PROFILE,
	 "taken_from_kept"},
	{PROFILE, "    pattern: '[0-9A-Z]{8}-[0-9X]|[0-9A-HJ-NPQRTUWXY]{18}'\n    check: organisation_or_unified\n", "",
	 "warning " PROFILE, "identifier_unchecked"},
	/* kinds and ways */
	{PROFILE, "reason: keyCompromise\n        grace_days: 0", "reason: keyCompromise\n        grace_days: 1",
	 "error " PROFILE, "key_compromise_grace"},
	{PROFILE, "        fate: keep\n", "        fate: keep\n        grace_days: 7\n", "error " PROFILE,
	 "grace_fate"},
	{PROFILE, "fate: revoke\n        reason: superseded", "fate: keep", "error " PROFILE, "reissue_fate"},
	{PROFILE, "reason: keyCompromise", "reason: superseded", "error " PROFILE, "lost_reason"},
	{PROFILE, "reason: superseded", "reason: privilegeWithdrawn", "error " PROFILE, "reissue_reason"},
	{PROFILE, "notice: risk-2026-11", "notice: risk-2026-12", "error " PROFILE, "notice_unknown"},
	{PROFILE, "        same_key_allowed: true\n        order: always", "        order: always", "error " PROFILE,
	 "way_key"},
	{PROFILE, "renewal_times: 3", "renewal_times: 0", "error " PROFILE, "way_key"},
	{PROFILE, "officers: 3\n        new_key_allowed: true", "officers: 3\n        same_key_allowed: true",
	 "error " PROFILE, "way_key"},
	{PROFILE, "order: always\n        asks_files: true", "order: always", "warning " PROFILE, "files_unasked"},
	{PROFILE, "officers: 1\n\n  hold", "officers: 1\n        order: always\n\n  hold", "error " PROFILE,
	 "way_member"},
	{PROFILE, "        order: always\n", "        order: always\n        extension_allowed: true\n",
	 "error " PROFILE, "way_member"},
	{PROFILE, "        order: when_extended\n", "", "error " PROFILE, "extension_free"},
	{PROFILE, "        fate: revoke\n", "        attributes: [O, C]\n        fate: revoke\n", "error " PROFILE,
	 "attribute_kept"},
	{PROFILE, "  revoke:\n", "  reissue:\n", "error " PROFILE, "yaml_key_twice"},
	{PROFILE,
	 "  revoke:\n    ways:\n      by-subscriber:\n        title: {zh: 用户吊销, en: Revoked by the subscriber}\n   "
	 "     proof: [current]\n        officers: 0\n      by-officer:\n        title: {zh: 审核员吊销, en: Revoked "
	 "by an officer}\n        officers: 1\n",
	 "", "error " PROFILE, "revoke_missing"},
	{PROFILE, "        new_key_allowed: true\n        order: always\n        materials",
	 "        new_key_allowed: true\n        order: always\n        fate: revoke\n        reason: superseded\n     "
	 "   materials",
	 "error " PROFILE, "enrol_fate"},
	{PROFILE, "  - type: gmt0015\n    code: organisation\n", "  - type: subject_alternative_name\n",
	 "error " PROFILE, "from_unknown"},
	{PROFILE, "all_of: [registration-form, agent-id-card, business-licence]", "any_of: [{of: []}]",
	 "error " PROFILE, "materials_empty"},
	/* checks: bounded, both languages, each once, seen as written, and read by somebody */
	CHECKS("[]", "yaml_range"),
	CHECKS("[" CHECK_12 ", {zh: 第13条, en: no. 13}]", "yaml_range"),
	CHECKS("stamp", "yaml_type"),
	CHECKS("[stamp]", "yaml_type"),
	CHECKS("[{zh: 公章}]", "yaml_key_missing"),
	CHECKS("[{zh: 公章, en: stamp, ticked: true}]", "yaml_key_unknown"),
	CHECKS("[{zh: '', en: stamp}]", "yaml_range"),
	CHECKS("[{zh: 公章, en: " CHECK_120 "x}]", "yaml_range"),
	CHECKS("[{zh: 公章, en: stamp}, {zh: 印章, en: stamp}]", "check_twice"),
	CHECKS("[{zh: 公章, en: stamp}, {zh: 公章, en: seal}]", "check_twice"),
	CHECKS("[{zh: 公章, en: \"ok \\u202Eeslaf si pmats\"}]", "yaml_text"),
	CHECKS("[{zh: \"公\\u200B章\", en: stamp}]", "yaml_text"),
	CHECKS("[{zh: 公章, en: \"stamp\\n[ ] approved\"}]", "check_text"),
	CHECKS("[{zh: 公章, en: 'stamp '}]", "check_text"),
	CHECKS("[{zh: ' 公章', en: stamp}]", "check_text"),
	{PROFILE, "officers: 0\n      by-officer",
	 "officers: 0\n        checks: [{zh: 无人看, en: nobody looks}]\n      by-officer", "error " PROFILE,
	 "checks_unread"},
	{PROFILE,
	 "  - type: authority_info_access\n    ca_issuers: http://pki.example.test/ca/{issuer}.crt\n    ocsp: "
	 "http://pki.example.test/ocsp\n",
	 "", "warning " PROFILE, "aia_missing"},
	/* between files */
	{PROJECT, "profiles: [organisation]", "profiles: [organisation, person]", "error " PROJECT, "profile_unknown"},
	{PROJECT, "    profile: organisation\n", "    profile: person\n", "error " PROJECT, "service_profile"},
	{PROJECT, "order_months: 36", "order_months: 6", "error " PROJECT, "service_order"},
	{PROJECT, "first_login_proof: key", "first_login_proof: none", "warning " PROJECT, "first_login_open"},
};

static void test_each_fault_is_found(void **state)
{
	(void)state;
	size_t silent = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(bundle_done) struct bundle b = shipped();
		_cleanup_buf_ struct buf out = {0};
		const struct fault_case *c = &cases[i];
		size_t errors;

		edit(file_of(&b, c->path), c->find, c->put);
		errors = policy_check(b.files, b.n, &out);
		if (!has_line(buf_text(&out), c->wants, c->rule)) {
			print_error("case %zu: \"%s\" for \"%s\": wanted %s %s, found:\n%s", i, c->put, c->find,
				    c->wants, c->rule, buf_text(&out));
			silent++;
		}
		if ((errors > 0) != (strstr(buf_text(&out), "error ") != NULL))
			fail_msg("case %zu: %zu errors counted in:\n%s", i, errors, buf_text(&out));
	}
	assert_int_equal(silent, 0);
}

/* Twelve, and each text as long as it may be. */
static void test_checks_at_their_bounds(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_buf_ struct buf out = {0};
	const struct fault_case good[] = {
		CHECKS("[" CHECK_12 "]", ""),
		CHECKS("[{zh: 公章, en: " CHECK_120 "}]", ""),
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		edit(file_of(&b, PROFILE), i == 0 ? good[i].find : good[0].put, good[i].put);
		assert_int_equal(policy_check(b.files, b.n, &out), 0);
	}
}

/* Another profile beside it, with the same CRLs and with others. */
static void test_profiles_share_crls(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_buf_ struct buf same = {0}, out = {0};
	struct policy_source *s;

	b.files = xrealloc(b.files, b.n + 1, sizeof(*b.files));
	s = &b.files[b.n++];
	*s = (struct policy_source){0};
	snprintf(s->path, sizeof(s->path), "profiles/person.yaml");
	buf_add_slice(&s->bytes, buf_slice(&file_of(&b, PROFILE)->bytes));
	edit(s, "name: organisation\n", "name: person\n");
	edit(file_of(&b, PROJECT), "profiles: [organisation]", "profiles: [organisation, person]");
	assert_int_equal(policy_check(b.files, b.n, &same), 0);
	edit(s, "crl/{issuer}/{shard}.crl", "person/{issuer}/{shard}.crl");
	assert_int_equal(policy_check(b.files, b.n, &out), 1);
	assert_true(has_line(buf_text(&out), "error profiles/person.yaml", "cdp_differs"));
}

static unsigned line_of(const char *text, const char *find)
{
	const char *at = strstr(text, find);
	unsigned line = 1;

	assert_non_null(at);
	for (const char *c = text; c < at; c++)
		line += *c == '\n';
	return line;
}

static void test_message_names_nearest_word(void **state)
{
	(void)state;
	char wanted[200];
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct fault f = {0};

	edit(file_of(&b, PROFILE), "algorithms: [p256, p384", "algorithms: [p256, p348");
	assert_int_equal(policy_load(no_note, b.files, b.n, &p, &f), ERR_CONFIG);
	assert_null(p);
	assert_string_equal(f.rule, "algorithm_unknown");
	snprintf(wanted, sizeof(wanted),
		 PROFILE
		 ":%u:22: found algorithm \"p348\"; allowed: rsa, p256, p384, ed25519, sm2; did you mean \"p384\"?",
		 line_of(buf_text(&file_of(&b, PROFILE)->bytes), "p348"));
	assert_string_equal(f.text, wanted);
}

static void test_several_bad_files_are_all_named(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_buf_ struct buf out = {0};

	set_text(file_of(&b, PROFILE), "a: [\n");
	set_text(file_of(&b, PROJECT), "");
	buf_clear(&file_of(&b, "notices/risk-2026-11.txt")->bytes);
	assert_int_equal(policy_check(b.files, b.n, &out), 3);
	assert_non_null(strstr(buf_text(&out), "error " PROFILE));
	assert_non_null(strstr(buf_text(&out), "error " PROJECT));
	assert_non_null(strstr(buf_text(&out), "error notices/risk-2026-11.txt notice_text "));
}

/* Each line left out in turn, and each byte's place cut off at: an answer, never a crash. */
static void test_damaged_files_are_answered(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	struct policy_source *s = file_of(&b, PROFILE);
	_cleanup_(freep) char *whole = xstrdup(buf_text(&s->bytes));

	for (char *line = whole; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
		_cleanup_buf_ struct buf text = {0}, out = {0};
		const char *end = strchr(line, '\n');

		buf_add(&text, whole, (size_t)(line - whole));
		buf_str(&text, end + 1);
		set_text(s, buf_text(&text));
		(void)policy_check(b.files, b.n, &out);
	}
	for (size_t cut = 0; cut < strlen(whole); cut += 7) {
		_cleanup_(policy_freep) struct policy *p = NULL;
		_cleanup_buf_ struct buf text = {0};

		buf_add(&text, whole, cut);
		set_text(s, buf_text(&text));
		(void)(policy_load(no_note, b.files, b.n, &p, NULL) == OK);
	}
}

static void test_hostile_bundles(void **state)
{
	(void)state;
	static const struct {
		const char *path, *text, *rule;
	} rows[] = {
		{"other/a.yaml", "a: 1\n", "file_place"},
		{"profiles/a.yml", "a: 1\n", "file_place"},
		{"profiles/x/a.yaml", "a: 1\n", "file_place"},
		{"notices/Risk.txt", "text\n", "file_place"},
		{"notices/1risk.txt", "text\n", "name_form"},
		{"notices/risk.txt", "bad \xff utf-8\n", "notice_text"},
		{"projects/a.yaml", "name: &x a\n", "yaml_syntax"},
		{"issuers/a.crt", "not a certificate", ""},
		{"projects/jinhua.yaml", "name: jinhua\n", "file_twice"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(bundle_done) struct bundle b = shipped();
		_cleanup_(policy_freep) struct policy *p = NULL;
		struct fault f = {0};
		struct policy_source *s;

		b.files = xrealloc(b.files, b.n + 1, sizeof(*b.files));
		s = &b.files[b.n++];
		*s = (struct policy_source){0};
		snprintf(s->path, sizeof(s->path), "%s", rows[i].path);
		buf_str(&s->bytes, rows[i].text);
		assert_int_not_equal(policy_load(no_note, b.files, b.n, &p, &f), OK);
		if (rows[i].rule[0] != '\0')
			assert_string_equal(f.rule, rows[i].rule);
	}
}

static void test_bundle_bounds(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_(freep) char *big = xcalloc(1, POLICY_MAX_BUNDLE + 1);
	struct fault f = {0};

	memset(big, '#', POLICY_MAX_BUNDLE);
	set_text(file_of(&b, PROFILE), big);
	assert_int_equal(policy_load(no_note, b.files, b.n, &p, &f), ERR_LIMIT);
	assert_string_equal(f.rule, "policy_bytes");
	assert_int_equal(policy_load(no_note, b.files, POLICY_MAX_FILES + 1, &p, &f), ERR_LIMIT);
}

static void note_of(const struct bundle *b, struct buf *ret)
{
	const struct policy_note head = {.version = 3, .has_previous = true, .previous = {7}, .made = 1794000000};
	_cleanup_buf_ struct buf text = {0};

	policy_note_make(b->files, b->n, &head, &text);
	note_begin(buf_slice(&text), ret);
}

static void test_note_lists_the_files(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL, *again = NULL;
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	struct policy_source first;

	note_of(&b, &note);
	if (policy_load(buf_slice(&note), b.files, b.n, &p, &f) != OK)
		fail_msg("%s", f.text);
	assert_int_equal(p->note.version, 3);
	assert_int_equal(p->note.n_files, b.n);
	assert_true(slice_eq(buf_slice(&p->note_text), buf_slice(&note)));
	/* in another order, too */
	first = b.files[0];
	b.files[0] = b.files[b.n - 1];
	b.files[b.n - 1] = first;
	assert_int_equal(policy_load(buf_slice(&note), b.files, b.n, &again, &f), OK);
}

static void test_note_that_differs_is_refused(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};

	note_of(&b, &note);
	/* one file fewer than listed */
	assert_int_equal(policy_load(buf_slice(&note), b.files, b.n - 1, &p, &f), ERR_RULE);
	assert_string_equal(f.rule, "policy_files");
	/* one comment more */
	buf_str(&file_of(&b, PROJECT)->bytes, "# more\n");
	assert_int_equal(policy_load(buf_slice(&note), b.files, b.n, &p, &f), ERR_RULE);
	assert_string_equal(f.rule, "policy_files");
	/* a file that is not listed: the zero-officer profile beside the signed one */
	snprintf(file_of(&b, PROJECT)->path, POLICY_PATH, "projects/other.yaml");
	assert_int_equal(policy_load(buf_slice(&note), b.files, b.n, &p, &f), ERR_RULE);
	assert_string_equal(f.rule, "policy_files");
	/* garbage for a note */
	assert_int_not_equal(policy_load(slice_str("hufu/policy/v1\n"), b.files, b.n, &p, &f), OK);
	assert_null(p);
}

static void test_read_dir(void **state)
{
	(void)state;
	struct policy_source *files = NULL;
	struct fault f = {0};
	char dir[] = "/tmp/hufu-policy-XXXXXX", path[128];
	size_t n = 0;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(policy_read_dir(dir, &files, &n, &f), ERR_NOT_FOUND);
	snprintf(path, sizeof(path), "%s/profiles", dir);
	assert_int_equal(dir_make(path, 0700, &f), OK);
	snprintf(path, sizeof(path), "%s/profiles/.hidden", dir);
	assert_int_equal(file_write(path, slice_str("x"), 0600, &f), OK);
	assert_int_equal(policy_read_dir(dir, &files, &n, &f), ERR_NOT_FOUND);
	unlink(path);
	snprintf(path, sizeof(path), "%s/profiles/organisation.yml", dir);
	assert_int_equal(file_write(path, slice_str("x"), 0600, &f), OK);
	assert_int_equal(policy_read_dir(dir, &files, &n, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "file_place");
	unlink(path);
	snprintf(path, sizeof(path), "%s/profiles", dir);
	rmdir(path);
	rmdir(dir);
}

static void test_explain(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_buf_ struct buf en = {0}, zh = {0}, none = {0};

	assert_int_equal(policy_load(no_note, b.files, b.n, &p, NULL), OK);
	policy_explain(p, "organisation", "en", &en);
	assert_non_null(strstr(buf_text(&en), "change / name-or-code: Name or code changes\n"
					      "    same key: signed by the current key; officers: 2 (floor 1)\n"));
	assert_non_null(strstr(buf_text(&en), "signed by the new key; officers: 3 (floor 2)"));
	policy_explain(p, "organisation", "zh", &zh);
	assert_non_null(strstr(buf_text(&zh), "原密钥：签名：当前密钥；审核员 2 人（下限 1 人）"));
	assert_non_null(strstr(buf_text(&en), "    the officers check: the name in the stamp is the organisation's\n"));
	assert_non_null(strstr(buf_text(&zh), "    审核员核对：公章上的名称与该单位一致\n"));
	policy_explain(p, "no\x1bne", "en", &none);
	assert_non_null(strstr(buf_text(&none), "there is no profile no\\x1bne"));
}

static void schema_is_shipped(const char *which)
{
	_cleanup_buf_ struct buf made = {0}, shipped_file = {0};
	char path[512];

	snprintf(path, sizeof(path), "%s/schema/%s.json", POLICIES_DIR, which);
	assert_int_equal(file_read(path, POLICY_MAX_BUNDLE, &shipped_file, NULL), OK);
	policy_schema(which, &made);
	assert_string_equal(buf_text(&made), buf_text(&shipped_file));
}

/* The one download that is shipped is a file of the bundle, and its hash that file's. */
static void test_shipped_download_is_there(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	const struct buf *form = &file_of(&b, "forms/registration-form.txt")->bytes;
	uint8_t hash[32];
	char hex[65];

	sha256(form->data, form->len, hash);
	hex_lower(hash, 32, hex);
	assert_non_null(strstr(buf_text(&file_of(&b, PROJECT)->bytes), hex));
}

static void test_schemas_are_the_generated_ones(void **state)
{
	(void)state;
	schema_is_shipped("profile");
	schema_is_shipped("project");
}

/* docs/policy.md: its examples are the shipped files' own lines, and it has a word on every key. */
static void keys_are_documented(const char *doc, const struct yaml_rule *rules)
{
	for (const struct yaml_rule *r = rules; r->key != NULL; r++) {
		char word[64];

		snprintf(word, sizeof(word), "`%s`", r->key);
		if (strstr(doc, word) == NULL)
			fail_msg("docs/policy.md says nothing of %s", word);
		if (r->sub != NULL)
			keys_are_documented(doc, r->sub);
	}
}

static void test_reference_is_of_the_shipped_files(void **state)
{
	(void)state;
	static const char fence[] = "```yaml\n";
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_buf_ struct buf doc = {0};
	const char *at;
	size_t n = 0;

	assert_int_equal(file_read(POLICIES_DIR "/../docs/policy.md", POLICY_MAX_BUNDLE, &doc, NULL), OK);
	for (at = buf_text(&doc); (at = strstr(at, fence)) != NULL; n++) {
		const char *begin = at + strlen(fence), *end = strstr(begin, "```");
		_cleanup_(freep) char *example = xstrndup(begin, (size_t)(end - begin));

		if (strstr(buf_text(&file_of(&b, PROFILE)->bytes), example) == NULL &&
		    strstr(buf_text(&file_of(&b, PROJECT)->bytes), example) == NULL)
			fail_msg("docs/policy.md has an example that is not shipped:\n%s", example);
		at = end;
	}
	assert_true(n >= 6);
	keys_are_documented(buf_text(&doc), profile_rules);
	keys_are_documented(buf_text(&doc), project_rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_is_clean),
		cmocka_unit_test(test_shipped_profile_says),
		cmocka_unit_test(test_each_fault_is_found),
		cmocka_unit_test(test_checks_at_their_bounds),
		cmocka_unit_test(test_profiles_share_crls),
		cmocka_unit_test(test_message_names_nearest_word),
		cmocka_unit_test(test_several_bad_files_are_all_named),
		cmocka_unit_test(test_damaged_files_are_answered),
		cmocka_unit_test(test_hostile_bundles),
		cmocka_unit_test(test_bundle_bounds),
		cmocka_unit_test(test_note_lists_the_files),
		cmocka_unit_test(test_note_that_differs_is_refused),
		cmocka_unit_test(test_read_dir),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_shipped_download_is_there),
		cmocka_unit_test(test_schemas_are_the_generated_ones),
		cmocka_unit_test(test_reference_is_of_the_shipped_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Every wrong ceremony file, one fault each: refused at check, at its line and column, and nothing is made. Then what lies in the way of a run:
 * outputs that exist, folders that do not, a step that is not confirmed.
 */
#include "tests/unit/ceremony_kit.h"

#define ROOT "kind: root\nname: r2\n"
#define ROOT_OUT "outputs: {certificate: a.crt, key: a.key, transcript: a.note}\n"
#define MIDDLE "kind: intermediate\nname: m2\n" SUBJECT("M")
#define GOOD_ROOT ROOT SUBJECT("R") P256 UNTIL("2036") ROOT_OUT
#define GOOD_MIDDLE MIDDLE P256 UNTIL("2031") "path_len: 0\n" ISSUER ROOT_OUT
#define SHARES "kind: shares\nname: s\nca: issuing.crt\n" MADE "roster: roster.note\n"
#define NOTE_OUT "outputs: {note: a.note, transcript: b.note}\n"
#define CRL_OUT "outputs: {crl: a.crl, transcript: b.note}\n"
#define ROLLOVER                                                                                                       \
	"kind: rollover\nname: roll\n" SUBJECT("I2") P256 "path_len: 0\n" ISSUER "replaces: issuing.crt\n" ROOT_OUT
#define LOG_KEY "kind: log-key\nname: l\nca: issuing.crt\noutputs: {key: a.key, public: a.pub, transcript: a.note}\n"
#define TOKEN(algorithm, uri)                                                                                          \
	ROOT SUBJECT("R") "key: {algorithm: " algorithm ", token: \"" uri "\"}\n" UNTIL("2036") ROOT_OUT
#define ISSUER_AT(uri) "issuer: {certificate: root.crt, key: \"" uri "\"}\n"
#define FIFTY "12345678901234567890123456789012345678901234567890"
#define LONG_NAME FIFTY FIFTY FIFTY FIFTY "1"
#define REVOKE "kind: revoke-ca\nname: rev\n" ISSUER CRL("2", "2027-10-01T00:00:00Z") "previous_crl: root.crl\n" CRL_OUT

static const struct {
	const char *what, *text, *rule;
} bad[] = {
	/* The form. */
	{"unknown key", GOOD_ROOT "colour: red\n", "yaml_key_unknown"},
	{"a key twice", GOOD_ROOT "name: again\n", "yaml_key_twice"},
	{"an alias", "kind: &a root\nname: *a\n", "yaml_syntax"},
	{"no kind", "name: r2\n" SUBJECT("R"), "yaml_key_missing"},
	{"unknown kind", "kind: leaf\nname: r2\n", "yaml_word"},
	{"name with capitals", "kind: root\nname: Root\n" SUBJECT("R") P256 UNTIL("2036") ROOT_OUT, "ceremony_name"},
	{"name that climbs", "kind: root\nname: ../x\n" SUBJECT("R") P256 UNTIL("2036") ROOT_OUT, "ceremony_name"},
	/* Lines that are missing, and lines of other kinds. */
	{"no subject", ROOT P256 UNTIL("2036") ROOT_OUT, "ceremony_missing"},
	{"no key", ROOT SUBJECT("R") UNTIL("2036") ROOT_OUT, "ceremony_missing"},
	{"no validity", ROOT SUBJECT("R") P256 ROOT_OUT, "ceremony_missing"},
	{"no outputs", ROOT SUBJECT("R") P256 UNTIL("2036"), "ceremony_missing"},
	{"no transcript", ROOT SUBJECT("R") P256 UNTIL("2036") "outputs: {certificate: a.crt, key: a.key}\n",
	 "ceremony_missing"},
	{"no issuer", MIDDLE P256 UNTIL("2031") ROOT_OUT, "ceremony_missing"},
	{"no members", "kind: roster\nname: x\nca: issuing.crt\n" MADE "quorum: 2\nsigners: [alice, bob]\n" NOTE_OUT,
	 "ceremony_missing"},
	{"no threshold", SHARES "custodians: [kate, liam, mona]\nsigners: [alice, bob]\n" NOTE_OUT, "ceremony_missing"},
	{"rollover without approval", ROLLOVER UNTIL("2040"), "ceremony_missing"},
	{"revocation without approval",
	 REVOKE "revoke: [{certificate: issuing.crt, reason: superseded, when: 2026-11-01T00:00:00Z}]\n",
	 "ceremony_missing"},
	{"root with an issuer", GOOD_ROOT ISSUER, "ceremony_unused"},
	{"root with a CRL URL", GOOD_ROOT "crl_url: http://a.test/x\n", "ceremony_unused"},
	{"root with an issuer's URL", GOOD_ROOT "ca_issuers_url: http://a.test/x\n", "ceremony_unused"},
	{"root with an approval", GOOD_ROOT APPROVAL, "ceremony_unused"},
	{"root with a public key",
	 ROOT SUBJECT("R")
		 P256 UNTIL("2036") "outputs: {certificate: a.crt, key: a.key, public: a.pub, transcript: a.note}\n",
	 "ceremony_unused"},
	{"responder with a subject",
	 "kind: responder\nname: o\n" SUBJECT("O") P256 "outputs: {key: a.key, public: a.pub, transcript: a.note}\n",
	 "ceremony_unused"},
	{"log key with a subject", LOG_KEY SUBJECT("L"), "ceremony_unused"},
	{"intermediate that revokes",
	 GOOD_MIDDLE "revoke: [{certificate: x, reason: superseded, when: 2026-11-01T00:00:00Z}]\n", "ceremony_unused"},
	{"last CRL without a CRL", GOOD_MIDDLE "previous_crl: root.crl\n", "ceremony_unused"},
	/* People. */
	{"operator that is no key", GOOD_ROOT "operator: alice\n", "ceremony_person"},
	{"witness that is no key", GOOD_ROOT "witnesses: [walter]\n", "ceremony_person"},
	/* Subject and key. */
	{"subject of nothing", ROOT "subject: []\n" P256 UNTIL("2036") ROOT_OUT, "yaml_range"},
	{"unknown attribute", ROOT "subject: [{attribute: XX, value: a}]\n" P256 UNTIL("2036") ROOT_OUT,
	 "ceremony_attribute"},
	{"country of three letters", ROOT "subject: [{attribute: C, value: CHN}]\n" P256 UNTIL("2036") ROOT_OUT,
	 "name_length"},
	{"unknown algorithm", ROOT SUBJECT("R") "key: {algorithm: dsa}\n" UNTIL("2036") ROOT_OUT, "ceremony_algorithm"},
	{"bits for p256", ROOT SUBJECT("R") "key: {algorithm: p256, bits: 2048}\n" UNTIL("2036") ROOT_OUT,
	 "ceremony_bits"},
	{"rsa without bits", ROOT SUBJECT("R") "key: {algorithm: rsa}\n" UNTIL("2036") ROOT_OUT, "ceremony_bits"},
	{"rsa of 1024", ROOT SUBJECT("R") "key: {algorithm: rsa, bits: 1024}\n" UNTIL("2036") ROOT_OUT, "yaml_range"},
	{"rsa of odd bits", ROOT SUBJECT("R") "key: {algorithm: rsa, bits: 2049}\n" UNTIL("2036") ROOT_OUT,
	 "ceremony_bits"},
	/* Keys in tokens. */
	{"a token that is none", TOKEN("p256", "file:a.key"), "ceremony_token"},
	{"a token without its serial", TOKEN("p256", "pkcs11:token=T;object=k?module-path=/x.so"), "ceremony_token"},
	{"a token without a label for the key", TOKEN("p256", "pkcs11:serial=1;id=%01?module-path=/x.so"),
	 "ceremony_token"},
	{"a token without its library", TOKEN("p256", "pkcs11:serial=1;object=k"), "ceremony_token"},
	{"a token with its PIN", TOKEN("p256", "pkcs11:serial=1;object=k?module-path=/x.so&pin-value=1234"),
	 "ceremony_token"},
	{"an SM2 key in a token", TOKEN("sm2", "pkcs11:serial=1;object=k?module-path=/x.so"), "ceremony_token"},
	{"a responder's token without its library",
	 "kind: responder\nname: o\nkey: {algorithm: p256, token: \"pkcs11:serial=1;object=k\"}\n"
	 "outputs: {key: a.key, public: a.pub, transcript: a.note}\n",
	 "ceremony_token"},
	{"a log key that is P-256", LOG_KEY P256, "ceremony_log_key"},
	{"a log key with an algorithm and no token", LOG_KEY "key: {algorithm: ed25519}\n", "ceremony_log_key"},
	{"an issuer's token without its serial",
	 MIDDLE P256 UNTIL("2031") "path_len: 0\n" ISSUER_AT("pkcs11:object=k?module-path=/x.so") ROOT_OUT,
	 "ceremony_token"},
	{"an issuer's token without its library",
	 MIDDLE P256 UNTIL("2031") "path_len: 0\n" ISSUER_AT("pkcs11:serial=1;object=k") ROOT_OUT, "ceremony_token"},
	{"an issuer's token with its PIN",
	 "kind: crl\nname: c\n" ISSUER_AT("pkcs11:serial=1;object=k?pin-value=1") CRL("1", "2027-10-01T00:00:00Z")
		 CRL_OUT,
	 "ceremony_token"},
	{"two tokens by two libraries",
	 MIDDLE "key: {algorithm: p256, token: \"pkcs11:serial=1;object=k?module-path=/y.so\"}\n" UNTIL(
		 "2031") "path_len: 0\n" ISSUER_AT("pkcs11:serial=2;object=k?module-path=/x.so") ROOT_OUT,
	 "ceremony_token"},
	/* Dates. */
	{"years", ROOT SUBJECT("R") P256 "validity: {years: 9}\n" ROOT_OUT, "ceremony_relative"},
	{"half of the dates", ROOT SUBJECT("R") P256 "validity: {not_after: 2036-01-01T00:00:00Z}\n" ROOT_OUT,
	 "ceremony_validity"},
	{"a local time",
	 ROOT SUBJECT("R") P256
	 "validity: {not_before: 2026-01-01T08:00:00+08:00, not_after: 2036-01-01T00:00:00Z}\n" ROOT_OUT,
	 "yaml_type"},
	{"a day that is none",
	 ROOT SUBJECT("R") P256
	 "validity: {not_before: 2026-02-30T00:00:00Z, not_after: 2036-01-01T00:00:00Z}\n" ROOT_OUT,
	 "yaml_type"},
	{"dates backwards",
	 ROOT SUBJECT("R") P256
	 "validity: {not_before: 2036-01-01T00:00:00Z, not_after: 2026-01-01T00:00:00Z}\n" ROOT_OUT,
	 "ceremony_validity"},
	{"over already",
	 ROOT SUBJECT("R") P256
	 "validity: {not_before: 2001-01-01T00:00:00Z, not_after: 2002-01-01T00:00:00Z}\n" ROOT_OUT,
	 "ceremony_validity"},
	{"twenty-six years", ROOT SUBJECT("R") P256 UNTIL("2052") ROOT_OUT, "lint_validity_length"},
	{"past the issuer's end", MIDDLE P256 UNTIL("2050") "path_len: 0\n" ISSUER ROOT_OUT, "ceremony_validity"},
	{"before the issuer's beginning",
	 MIDDLE P256
	 "validity: {not_before: 2025-01-01T00:00:00Z, not_after: 2031-01-01T00:00:00Z}\npath_len: 0\n" ISSUER ROOT_OUT,
	 "ceremony_validity"},
	/* The chain. */
	{"no path length below a limit", MIDDLE P256 UNTIL("2031") ISSUER ROOT_OUT, "ceremony_path_len"},
	{"a path length as long", MIDDLE P256 UNTIL("2031") "path_len: 1\n" ISSUER ROOT_OUT, "ceremony_path_len"},
	{"below one that may have none",
	 MIDDLE P256 UNTIL("2031") "path_len: 0\nissuer: {certificate: issuing.crt, key: issuing.key}\n" ROOT_OUT,
	 "ceremony_path_len"},
	{"path length of a thousand", GOOD_ROOT "path_len: 1000\n", "yaml_range"},
	{"an issuer that is not there",
	 MIDDLE P256 UNTIL("2031") "path_len: 0\nissuer: {certificate: none.crt, key: root.key}\n" ROOT_OUT,
	 "ceremony_input"},
	{"an issuer that is no certificate",
	 MIDDLE P256 UNTIL("2031") "path_len: 0\nissuer: {certificate: operator.key, key: root.key}\n" ROOT_OUT,
	 "pem_none"},
	{"policy in words", GOOD_ROOT "policy: example\n", "ceremony_policy"},
	{"URL of a file", GOOD_MIDDLE "crl_url: file:///etc/passwd\n", "ceremony_url"},
	{"URL with an unknown placeholder", GOOD_MIDDLE "crl_url: 'http://a.test/{shard}'\n", "ceremony_url"},
	{"URL with a space", GOOD_MIDDLE "ca_issuers_url: 'http://a.test/x y'\n", "ceremony_url"},
	/* CRLs. */
	{"a CRL without output", GOOD_ROOT CRL("1", "2027-10-01T00:00:00Z"), "ceremony_crl"},
	{"an output without a CRL",
	 ROOT SUBJECT("R")
		 P256 UNTIL("2036") "outputs: {certificate: a.crt, key: a.key, crl: a.crl, transcript: a.note}\n",
	 "ceremony_crl"},
	{"a CRL in days", "kind: crl\nname: c\n" ISSUER "crl: {number: 2, days: 30}\nprevious_crl: root.crl\n" CRL_OUT,
	 "ceremony_relative"},
	{"a CRL of two years",
	 "kind: crl\nname: c\n" ISSUER CRL("2", "2028-10-01T00:00:00Z") "previous_crl: root.crl\n" CRL_OUT,
	 "ceremony_crl"},
	{"a CRL that is over",
	 "kind: crl\nname: c\n" ISSUER CRL("2", "2026-11-10T00:00:00Z") "previous_crl: root.crl\n" CRL_OUT,
	 "ceremony_crl"},
	{"CRL number 0", "kind: crl\nname: c\n" ISSUER CRL("0", "2027-10-01T00:00:00Z") CRL_OUT, "yaml_range"},
	{"a later CRL without the one before", "kind: crl\nname: c\n" ISSUER CRL("2", "2027-10-01T00:00:00Z") CRL_OUT,
	 "ceremony_crl_previous"},
	{"a first CRL with one before",
	 "kind: crl\nname: c\n" ISSUER CRL("1", "2027-10-01T00:00:00Z") "previous_crl: root.crl\n" CRL_OUT,
	 "ceremony_crl_previous"},
	{"a CRL of another",
	 "kind: crl\nname: c\nissuer: {certificate: issuing.crt, key: issuing.key}\n" CRL(
		 "2", "2027-10-01T00:00:00Z") "previous_crl: root.crl\n" CRL_OUT,
	 "crl_issuer_name"},
	{"a root that begins with number 2",
	 ROOT SUBJECT("R") P256 UNTIL("2036") CRL(
		 "2",
		 "2027-10-01T00:00:00Z") "outputs: {certificate: a.crt, key: a.key, crl: a.crl, transcript: a.note}\n",
	 "ceremony_crl"},
	{"an unknown reason",
	 REVOKE APPROVAL "revoke: [{certificate: issuing.crt, reason: angry, when: 2026-11-01T00:00:00Z}]\n",
	 "ceremony_reason"},
	/* What officers sign. */
	{"one signer", SHARES "threshold: 2\ncustodians: [kate, liam, mona]\nsigners: [alice]\n" NOTE_OUT,
	 "ceremony_number"},
	{"a signer twice", SHARES "threshold: 2\ncustodians: [kate, liam, mona]\nsigners: [alice, alice]\n" NOTE_OUT,
	 "ceremony_person_twice"},
	{"a signer who is a custodian",
	 SHARES "threshold: 2\ncustodians: [kate, liam, mona]\nsigners: [alice, kate]\n" NOTE_OUT, "ceremony_officer"},
	{"fewer custodians than the threshold",
	 SHARES "threshold: 4\ncustodians: [kate, liam, mona]\nsigners: [alice, bob]\n" NOTE_OUT, "ceremony_number"},
	{"two custodians", SHARES "threshold: 2\ncustodians: [kate, liam]\nsigners: [alice, bob]\n" NOTE_OUT,
	 "ceremony_number"},
	{"a threshold of one", SHARES "threshold: 1\ncustodians: [kate, liam, mona]\nsigners: [alice, bob]\n" NOTE_OUT,
	 "yaml_range"},
	{"a threshold of eight",
	 SHARES "threshold: 8\ncustodians: [kate, liam, mona]\nsigners: [alice, bob]\n" NOTE_OUT, "yaml_range"},
	{"a custodian twice", SHARES "threshold: 2\ncustodians: [kate, kate, mona]\nsigners: [alice, bob]\n" NOTE_OUT,
	 "ceremony_person_twice"},
	{"a custodian of no roster",
	 SHARES "threshold: 2\ncustodians: [kate, liam, mallory]\nsigners: [alice, bob]\n" NOTE_OUT,
	 "custodian_unknown"},
	{"an officer as custodian",
	 SHARES "threshold: 2\ncustodians: [kate, liam, bob]\nsigners: [alice, bob]\n" NOTE_OUT, "custodian_unknown"},
	{"a set in words",
	 SHARES "threshold: 2\ncustodians: [kate, liam, mona]\nsigners: [alice, bob]\nprevious_set: none\n" NOTE_OUT,
	 "ceremony_set"},
	{"a roster that is not there",
	 "kind: shares\nname: s\nca: issuing.crt\n" MADE
	 "roster: none.note\nthreshold: 2\ncustodians: [kate, liam, mona]\n"
	 "signers: [alice, bob]\n" NOTE_OUT,
	 "ceremony_input"},
	{"the roster of another CA",
	 "kind: shares\nname: s\nca: root.crt\n" MADE
	 "roster: roster.note\nthreshold: 2\ncustodians: [kate, liam, mona]\n"
	 "signers: [alice, bob]\n" NOTE_OUT,
	 "ceremony_ca"},
	{"a bundle that is not there",
	 "kind: policy\nname: p\nca: issuing.crt\n" MADE
	 "roster: roster.note\nbundle: none\nsigners: [alice, bob]\n" NOTE_OUT,
	 "ceremony_input"},
	{"a quorum of one",
	 "kind: roster\nname: x\nca: issuing.crt\n" MADE
	 "quorum: 1\nmembers: [{role: officer, key: a}]\nsigners: [alice, bob]\n" NOTE_OUT,
	 "yaml_range"},
	{"a member without a key",
	 "kind: roster\nname: x\nca: issuing.crt\n" MADE
	 "quorum: 2\nmembers: [{role: officer}]\nsigners: [alice, bob]\n" NOTE_OUT,
	 "ceremony_member"},
	{"a member of no role",
	 "kind: roster\nname: x\nca: issuing.crt\n" MADE
	 "quorum: 2\nmembers: [{role: king, key: a}]\nsigners: [alice, bob]\n" NOTE_OUT,
	 "yaml_word"},
	/* Outputs. */
	{"one path twice", ROOT SUBJECT("R") P256 UNTIL("2036") "outputs: {certificate: a, key: a, transcript: b}\n",
	 "ceremony_output"},
	{"one path in two spellings",
	 ROOT SUBJECT("R") P256 UNTIL("2036") "outputs: {certificate: ./a, key: a, transcript: b}\n",
	 "ceremony_output"},
	{"a path without a name",
	 ROOT SUBJECT("R") P256 UNTIL("2036") "outputs: {certificate: a/, key: b, transcript: c}\n", "ceremony_output"},
	{"a name too long to be written",
	 ROOT SUBJECT("R") P256 UNTIL("2036") "outputs: {key: b, transcript: c, certificate: " LONG_NAME "}\n",
	 "ceremony_output"},
	{"a path that climbs",
	 ROOT SUBJECT("R") P256 UNTIL("2036") "outputs: {certificate: ../a, key: b, transcript: c}\n",
	 "ceremony_output"},
	{"a folder that is not there",
	 ROOT SUBJECT("R") P256 UNTIL("2036") "outputs: {certificate: none/a.crt, key: a.key, transcript: b}\n",
	 "ceremony_folder"},
};

static bool says_place(const char *text)
{
	const char *at = strstr(text, "ceremony.yaml:");
	unsigned line = 0, column = 0;
	return at && sscanf(at, "ceremony.yaml:%u:%u: ", &line, &column) == 2 && line > 0 && column > 0;
}

static void check_bad(const char *what, const char *text, const char *rule)
{
	static const char *const names[] = {"a.crt", "a.key", "a.note", "a.crl", "a.pub", "b.note"};
	struct fault f;
	check_refused(what, kit_ceremony(KIT_CHECK, text, &f), &f, ERR_CONFIG, rule);
	if (!says_place(f.text))
		fail_msg("%s: no line and column in: %s", what, f.text);
	check_refused(what, kit_ceremony(KIT_RUN, text, &f), &f, ERR_CONFIG, rule);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(kit_exists(names[i]));
}

static void test_bad_files(void **state)
{
	(void)state;
	kit_roster(true);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_bad(bad[i].what, bad[i].text, bad[i].rule);
}

/* People by their keys: one of them twice, and rosters that are none. */
static void test_people_and_members(void **state)
{
	static const struct {
		const char *what, *format, *rule;
	} cases[] = {
		{"a witness twice", GOOD_ROOT "witnesses: [%s, %s]\n", "ceremony_person_twice"},
		{"an operator who is the witness", GOOD_ROOT "operator: %s\nwitnesses: [%s]\n",
		 "ceremony_person_twice"},
		{"one person, two roles",
		 "kind: roster\nname: x\nca: issuing.crt\n" MADE "quorum: 2\nsigners: [alice, bob]\n" NOTE_OUT
		 "members: [{role: officer, key: %s}, {role: ra, key: %s}]\n",
		 "ceremony_member"},
		{"a responder with a key",
		 "kind: roster\nname: x\nca: issuing.crt\n" MADE "quorum: 2\nsigners: [alice, bob]\n" NOTE_OUT
		 "members: [{role: officer, key: %s}, {role: responder, key: %s}]\n",
		 "ceremony_member"},
		{"projects that are not sorted",
		 "kind: roster\nname: x\nca: issuing.crt\n" MADE "quorum: 2\nsigners: [alice, bob]\n" NOTE_OUT
		 "members: [{role: officer, key: %s, projects: 'b,a'}]\n# %s\n",
		 "field_value"},
		{"a second roster without the first",
		 "kind: roster\nname: x\nca: issuing.crt\n" MADE "quorum: 2\nsigners: [alice, mallory]\n" NOTE_OUT
		 "previous: roster.note\nmembers: [{role: officer, key: %s}]\n# %s\n",
		 "roster_quorum"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		const char *p = cases[i].format;
		for (const char *s; (s = strstr(p, "%s")) != NULL; p = s + 2) {
			buf_add(&b, p, (size_t)(s - p));
			buf_str(&b, kit_vkeys[ALICE]);
		}
		buf_str(&b, p);
		check_bad(cases[i].what, buf_text(&b), cases[i].rule);
	}
}

/* A second name for one key is no second pair of eyes. */
static void test_one_key_two_names(void **state)
{
	_cleanup_buf_ struct buf vkey = {0};
	uint8_t raw[ED25519_KEY];
	char name[NOTE_MAX_NAME + 1];
	struct fault f = {0};
	(void)state;
	check_ok("alice", note_vkey_parse(slice_str(kit_vkeys[ALICE]), name, raw, &f), &f);
	note_vkey_put("walter", raw, &vkey);
	_cleanup_(freep) char *operator=
		xasprintf(GOOD_ROOT "operator: %s\nwitnesses: [%s]\n", kit_vkeys[ALICE], buf_text(&vkey)),
			      *witnesses =
				      xasprintf(GOOD_ROOT "witnesses: [%s, %s]\n", buf_text(&vkey), kit_vkeys[ALICE]);
	check_bad("operator and witness", operator, "ceremony_person_twice");
	check_bad("two witnesses", witnesses, "ceremony_person_twice");
}

/* The officers approved these bytes, of this ceremony, and are enough. */
static void test_approval(void **state)
{
	static const char good[] = ROLLOVER APPROVAL UNTIL("2040");
	static const char late[] = ROLLOVER APPROVAL UNTIL("2041");
	struct fault f;
	_cleanup_buf_ struct buf note = {0};
	(void)state;
	check_bad("no note", good, "ceremony_input");
	kit_approve(good);
	check_ok("approved", kit_ceremony(KIT_CHECK, good, &f), &f);
	check_bad("another file", late, "ceremony_approval");
	kit_read("ok.note", &note);
	char *last = strrchr((char *)note.data, '\n'), *line = last;
	for (*last = '\0', line = strrchr((char *)note.data, '\n'); line && line[1] != '\xe2';)
		line = NULL;
	assert_non_null(line);
	line[1] = '\0';
	kit_write("ok.note", (const char *)note.data);
	check_bad("one officer alone", good, "ceremony_approval");
}

/* The new CA overlaps the old one and outlives it; what is revoked is the issuer's own. */
static void test_rollover_and_revocation(void **state)
{
	static const struct {
		const char *what, *text, *rule;
	} cases[] = {
		{"no longer than the old one", ROLLOVER APPROVAL UNTIL("2036"), "ceremony_overlap"},
		{"a gap",
		 ROLLOVER APPROVAL "validity: {not_before: 2037-01-01T00:00:00Z, not_after: 2040-01-01T00:00:00Z}\n",
		 "ceremony_overlap"},
		{"a root that is rolled by itself",
		 "kind: rollover\nname: roll\n" SUBJECT("I2") P256
		 "path_len: 0\n" ISSUER "replaces: operator.key\n" ROOT_OUT APPROVAL UNTIL("2040"),
		 "pem_none"},
		{"a stranger's certificate",
		 REVOKE APPROVAL "revoke: [{certificate: bob.key, reason: superseded, when: 2026-11-01T00:00:00Z}]\n",
		 "ceremony_revoke"},
		{"revoked after the list",
		 REVOKE APPROVAL
		 "revoke: [{certificate: issuing.crt, reason: superseded, when: 2026-11-02T00:00:00Z}]\n",
		 "ceremony_revoke"},
		{"the same one twice",
		 REVOKE APPROVAL
		 "revoke:\n  - {certificate: issuing.crt, reason: superseded, when: 2026-11-01T00:00:00Z}\n"
		 "  - {certificate: issuing.crt, reason: superseded, when: 2026-11-01T00:00:00Z}\n",
		 "ceremony_revoked"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_bad(cases[i].what, cases[i].text, cases[i].rule);
}

/* A no, or nobody who answers, at any step: nothing is left, and the next run works. */
static void test_not_confirmed(void **state)
{
	_cleanup_(freep) char *file = kit_path("ceremony.yaml"), *op = kit_path("operator.key");
	struct fault f;
	(void)state;
	kit_write("ceremony.yaml", GOOD_ROOT);
	for (int yes = 0; yes < 6; yes++) {
		int p[2];
		assert_int_equal(pipe(p), 0);
		for (int i = 0; i < yes; i++)
			assert_int_equal(write(p[1], "yes\n", 4), 4);
		assert_int_equal(write(p[1], yes % 2 ? "no\n" : "", yes % 2 ? 3 : 0), yes % 2 ? 3 : 0);
		close(p[1]);
		f = (struct fault){0};
		struct ceremony_options o = {
			.file = file, .dir = kit_folder, .operator_key = op, .passphrase = &kit_pass, .answers = p[0]};
		check_refused("not confirmed", ceremony_run(&o, &f), &f, ERR_DENIED, "not_confirmed");
		close(p[0]);
		assert_false(kit_exists("a.crt") || kit_exists("a.key") || kit_exists("a.note") ||
			     kit_exists(".ceremony-r2"));
	}
	kit_run("then it runs", GOOD_ROOT);
	assert_true(kit_exists("a.crt") && kit_exists("a.key") && kit_exists("a.note"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_people_and_members),
		cmocka_unit_test(test_one_key_two_names),
		cmocka_unit_test(test_approval),
		cmocka_unit_test(test_rollover_and_revocation),
		cmocka_unit_test(test_not_confirmed),
	};
	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}

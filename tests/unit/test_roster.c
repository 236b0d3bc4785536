/*
 * Rosters: the form and what it refuses, who may what, and who has signed: forged, doubled, foreign and missing hands.
 */
#include "tests/unit/note_kit.h"

#include "common/note/roster.h"

#define HEAD                                                                                                           \
	"hufu/roster/v1\n"                                                                                             \
	"ca: 1f00000000000000000000000000000000000000\n"                                                               \
	"version: 1\n"                                                                                                 \
	"previous: none\n"                                                                                             \
	"quorum: 2\n"                                                                                                  \
	"made: 2026-11-23T00:00:00Z\n"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct {
	const char *line; /* %s: key */
	uint8_t seed;
} people[] = {
	{"member: officer alice %s * *\n", 1},
	{"member: officer bob %s jinhua,yiwu change,enrol,reissue\n", 2},
	{"member: officer carol %s jinhua *\n", 3},
	{"member: custodian dave %s * *\n", 4},
	{"member: ra desk %s * *\n", 5},
	{"member: responder ocsp-1 %s * responder\n", 6},
};
#define N_PEOPLE (sizeof(people) / sizeof(people[0]))

/* Gives: free(). */
static char *key_text(uint8_t seed)
{
	_cleanup_buf_ struct buf b = {0};
	struct keypair k = keypair_of(seed);

	buf_base64(&b, k.public_key, sizeof(k.public_key));
	return buf_take(&b, NULL);
}

static char *roster_text(void)
{
	_cleanup_buf_ struct buf b = {0};

	buf_str(&b, HEAD);
	for (size_t i = 0; i < N_PEOPLE; i++) {
		_cleanup_(freep) char *key = key_text(people[i].seed);
		_cleanup_(freep) char *line = edited(people[i].line, "%s", key);

		buf_str(&b, line);
	}
	return buf_take(&b, NULL);
}

static void read_roster(struct roster *ret)
{
	_cleanup_(freep) char *text = roster_text();
	struct fault f = {0};

	check_ok("roster", roster_parse(slice_str(text), ret, &f), &f);
}

static void test_good_roster(void **state)
{
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_(freep) char *text = roster_text();
	_cleanup_buf_ struct buf again = {0};
	const struct member *bob;
	uint8_t hash[32];
	struct fault f = {0};

	(void)state;
	check_ok("roster", roster_parse(slice_str(text), &r, &f), &f);
	assert_int_equal(r.n_members, N_PEOPLE);
	assert_int_equal(r.version, 1);
	assert_int_equal(r.quorum, 2);
	assert_false(r.has_previous);
	assert_int_equal(r.ca[0], 0x1f);
	sha256(text, strlen(text), hash);
	assert_memory_equal(r.sha256, hash, 32);
	bob = roster_by_name(&r, "bob");
	assert_non_null(bob);
	assert_int_equal(bob->role, ROLE_OFFICER);
	assert_memory_equal(bob->key, keypair_of(2).public_key, 32);
	assert_null(roster_by_name(&r, "mallory"));
	roster_put(&r, &again);
	assert_string_equal(buf_text(&again), text);
}

static void test_who_may_what(void **state)
{
	static const struct {
		const char *name, *project;
		enum tally_kind kind;
		bool may;
	} cases[] = {
		{"alice", "jinhua", TALLY_ENROL, true},	 {"alice", "", TALLY_WITHDRAW, true},
		{"bob", "jinhua", TALLY_CHANGE, true},	 {"bob", "yiwu", TALLY_REISSUE, true},
		{"bob", "jinhua", TALLY_REVOKE, false},	 {"bob", "jin", TALLY_CHANGE, false},
		{"bob", "jinhua2", TALLY_CHANGE, false}, {"bob", "jinhua,yiwu", TALLY_CHANGE, false},
		{"bob", "", TALLY_CHANGE, false},	 {"bob", "*", TALLY_CHANGE, false},
		{"carol", "jinhua", TALLY_REVOKE, true}, {"carol", "yiwu", TALLY_REVOKE, false},
		{"ocsp-1", "", TALLY_RESPONDER, true},	 {"ocsp-1", "jinhua", TALLY_EXTEND, false},
	};
	_cleanup_(roster_done) struct roster r = {0};

	(void)state;
	read_roster(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (member_may(roster_by_name(&r, cases[i].name), cases[i].project, cases[i].kind) != cases[i].may)
			fail_msg("%s in \"%s\", %s", cases[i].name, cases[i].project, tally_kind_word(cases[i].kind));
	}
}

static void test_malformed_rosters(void **state)
{
	static const struct {
		const char *find, *with, *rule;
	} cases[] = {
		{"roster/v1", "roster/v2", "text_kind"},
		{"ca: 1f", "ca: 1F", "field_value"},
		{"ca: 1f00", "ca: 1f", "field_value"},
		{"ca: 1f", "CA: 1f", "field_order"},
		{"version: 1", "version: 01", "field_value"},
		{"version: 1\n", "", "field_order"},
		{"version: 1\n", "version: 1\nversion: 1\n", "field_order"},
		{"version: 1", "version: 4294967296", "field_value"},
		{"previous: none", "previous: None", "field_value"},
		{"previous: none", "previous: " HEX64 "00", "field_value"},
		{"quorum: 2", "quorum: 1", "roster_quorum"},
		{"quorum: 2", "quorum: 0", "roster_quorum"},
		{"quorum: 2", "quorum: 4", "roster_quorum"},
		{"quorum: 2", "quorum: 257", "field_value"},
		{"quorum: 2", "quorum: -2", "field_value"},
		{"00:00:00Z", "00:00:00", "field_value"},
		{"member: officer alice", "member: Officer alice", "field_value"},
		{"member: officer alice", "member: boss alice", "field_value"},
		{"member: officer alice", "member: officer  alice", "field_value"},
		{"member: officer alice", "member: officer Alice", "field_value"},
		{"member: officer alice", "member: officer al+ce", "field_value"},
		{"member: officer carol", "member: officer new-key", "field_value"},
		{"member: officer alice", "member: officer bob", "field_value"},
		{"member: officer alice", "member: officer sub:1f", "field_value"},
		{"member: officer bob", "member: officer zoe", "field_value"},
		{"= * *\n", "= *\n", "field_value"},
		{"= * *\n", "= * * *\n", "field_value"},
		{"= * *\n", "= * *,change\n", "field_value"},
		{"= * *\n", "= *,jinhua *\n", "field_value"},
		{"= * *\n", " * *\n", "field_value"},
		{"jinhua,yiwu", "yiwu,jinhua", "field_value"},
		{"jinhua,yiwu", "jinhua,jinhua", "field_value"},
		{"jinhua,yiwu", "jinhua,,yiwu", "field_value"},
		{"jinhua,yiwu", ",jinhua", "field_value"},
		{"jinhua,yiwu", "jinhua,", "field_value"},
		{"jinhua,yiwu", "Jinhua", "field_value"},
		{"change,enrol,reissue", "enrol,change", "field_value"},
		{"change,enrol,reissue", "change,change", "field_value"},
		{"change,enrol,reissue", "change,mint", "field_value"},
		{"change,enrol,reissue", "change ,enrol", "field_value"},
		{"change,enrol,reissue", "", "field_value"},
		{"member: ra", "note: ra", "field_extra"},
		{"made: 2026", "made: \u200b2026", "text_character"},
	};
	_cleanup_(freep) char *text = roster_text();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *bad = edited(text, cases[i].find, cases[i].with);
		struct roster r = {0};
		struct fault f = {0};

		check_refused(bad, roster_parse(slice_str(bad), &r, &f), &f, ERR_PARSE, cases[i].rule);
		assert_null(r.members);
	}
}

static void test_keys(void **state)
{
	static const uint8_t zero[32] = {0}, one[32] = {1};
	uint8_t above_p[32];
	const uint8_t *const no_points[] = {zero, one, above_p};
	_cleanup_(freep) char *text = roster_text(), *alice = key_text(1), *bob = key_text(2), *desk = key_text(5);
	_cleanup_(freep) char *officer_is_ra = edited(text, desk, alice), *two_bobs = edited(text, alice, bob);
	_cleanup_(freep) char *other = NULL, *bits = NULL;
	struct roster r = {0};
	struct fault f = {0};

	(void)state;
	memset(above_p, 0xff, sizeof(above_p));
	above_p[31] = 0x7f;
	check_refused("RA has alice's key", roster_parse(slice_str(officer_is_ra), &r, &f), &f, ERR_PARSE,
		      "roster_key_twice");
	check_refused("alice has bob's", roster_parse(slice_str(two_bobs), &r, &f), &f, ERR_PARSE, "roster_key_twice");
	for (size_t i = 0; i < 3; i++) {
		_cleanup_buf_ struct buf b = {0};
		_cleanup_(freep) char *bad = NULL;

		buf_base64(&b, no_points[i], 32);
		bad = edited(text, alice, buf_text(&b));
		check_refused("no point", roster_parse(slice_str(bad), &r, &f), &f, ERR_PARSE, "field_value");
	}
	other = xstrdup(alice);
	other[42]++; /* the bits that padding leaves over */
	bits = edited(text, alice, other);
	check_refused("leftover bits", roster_parse(slice_str(bits), &r, &f), &f, ERR_PARSE, "field_value");
}

static void test_too_many_members(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_(roster_done) struct roster r = {0};
	struct fault f = {0};

	(void)state;
	buf_str(&b, HEAD);
	for (unsigned i = 0; i <= ROSTER_MAX_MEMBERS; i++) {
		uint8_t hash[32];

		if (i == ROSTER_MAX_MEMBERS) {
			check_refused("no officers", roster_parse(buf_slice(&b), &r, &f), &f, ERR_PARSE,
				      "roster_quorum");
		}
		sha256(&i, sizeof(i), hash);
		buf_fmt(&b, "member: responder r%04u ", i);
		buf_base64(&b, hash, 32);
		buf_str(&b, " * *\n");
	}
	check_refused("257", roster_parse(buf_slice(&b), &r, &f), &f, ERR_LIMIT, "text_lines");
}

static void test_changed_bytes_are_refused_or_canonical(void **state)
{
	_cleanup_(freep) char *text = roster_text();
	size_t n = strlen(text);

	(void)state;
	for (size_t at = 0; at < n; at++) {
		char good = text[at];

		for (size_t v = 0; v < sizeof(nasty_bytes); v++) {
			_cleanup_(roster_done) struct roster r = {0};
			_cleanup_buf_ struct buf again = {0};

			text[at] = (char)nasty_bytes[v];
			if (roster_parse(slice_of(text, n), &r, NULL) != OK)
				continue;
			roster_put(&r, &again);
			assert_true(slice_eq(buf_slice(&again), slice_of(text, n)));
		}
		text[at] = good;
	}
}

/* seeds: signers by their number, names as in the roster or another's. */
struct hand {
	const char *name;
	uint8_t seed;
};

static void sign_all(struct buf *b, const struct hand *hands, size_t n)
{
	note_begin(slice_str("hufu/x/v1\na: 1\n"), b);
	for (size_t i = 0; i < n; i++) {
		struct keypair k = keypair_of(hands[i].seed);
		struct fault f = {0};

		check_ok(hands[i].name, note_sign_ed25519(b, hands[i].name, k.secret, &f), &f);
	}
}

static void test_quorum(void **state)
{
	static const struct {
		struct hand hands[4];
		size_t n;
		enum err kind;
		const char *rule;
	} cases[] = {
		{{{"alice", 1}, {"bob", 2}}, 2, OK, ""},
		{{{"carol", 3}, {"bob", 2}, {"alice", 1}}, 3, OK, ""},
		{{{"alice", 1}}, 1, ERR_RULE, "quorum"},
		{{{"alice", 1}, {"alice", 2}}, 2, ERR_CRYPTO, "signature"},
		{{{"alice", 1}, {"bob", 1}}, 2, ERR_CRYPTO, "signature"},
		{{{"alice", 9}, {"bob", 2}}, 2, ERR_CRYPTO, "signature"},
		{{{"alice", 1}, {"bob", 2}, {"carol", 9}}, 3, ERR_CRYPTO, "signature"},
		{{{"alice", 1}, {"bob", 2}, {"mallory", 9}}, 3, ERR_RULE, "signer_unknown"},
		{{{"alice", 1}, {"bob", 2}, {"desk", 5}}, 3, ERR_RULE, "signer_role"},
		{{{"alice", 1}, {"dave", 4}}, 2, ERR_RULE, "signer_role"},
		{{{"alice", 1}, {"bob", 2}, {"ocsp-1", 6}}, 3, ERR_RULE, "signer_unknown"},
		{{{"alice", 1}, {"bob", 2}, {"new-key", 2}}, 3, ERR_RULE, "signer_unknown"},
		{{{"alice", 1}, {"bob", 2}, {"sub:1f:01", 2}}, 3, ERR_RULE, "signer_unknown"},
		{{{"Alice", 1}, {"bob", 2}}, 2, ERR_RULE, "signer_unknown"},
		{{{"", 0}}, 0, ERR_RULE, "quorum"},
	};
	_cleanup_(roster_done) struct roster r = {0};

	(void)state;
	read_roster(&r);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		_cleanup_(note_done) struct note n = {0};
		struct fault f = {0};
		enum err e;

		sign_all(&b, cases[i].hands, cases[i].n);
		check_ok("parse", note_parse(buf_slice(&b), 0, &n, &f), &f);
		e = roster_quorum(&r, &n, "roster", &f);
		if (cases[i].kind == OK)
			check_ok(buf_text(&b), e, &f);
		else
			check_refused(buf_text(&b), e, &f, cases[i].kind, cases[i].rule);
	}
}

static void test_signers_beside_subscribers(void **state)
{
	static const struct hand hands[] = {{"sub:1f:01", 7}, {"desk", 5}, {"new-key", 8}, {"alice", 1}, {"bob", 2}};
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_buf_ struct buf b = {0};
	_cleanup_(note_done) struct note n = {0};
	struct signers s;
	struct fault f = {0};

	(void)state;
	read_roster(&r);
	sign_all(&b, hands, 5);
	check_ok("parse", note_parse(buf_slice(&b), 5, &n, &f), &f);
	check_refused("not allowed", roster_signers(&r, &n, false, NULL, &s, &f), &f, ERR_RULE, "signer_unknown");
	check_ok("allowed", roster_signers(&r, &n, true, NULL, &s, &f), &f);
	assert_int_equal(s.n, 3);
	assert_ptr_equal(s.who[0], roster_by_name(&r, "desk"));
	assert_int_equal(signers_officers(&s), 2);
	s.who[1] = s.who[2];
	assert_int_equal(signers_officers(&s), 1);
}

/* With tables the same hands are seen, and the same are refused. */
static void test_signers_expected(void **state)
{
	static const struct hand hands[] = {{"desk", 5}, {"alice", 1}, {"bob", 3}};
	_cleanup_(roster_done) struct roster r = {0};
	_cleanup_buf_ struct buf good = {0}, forged = {0};
	_cleanup_(note_done) struct note n = {0}, other = {0};
	struct signers s;
	struct fault f = {0};

	(void)state;
	read_roster(&r);
	roster_expect(&r);
	roster_expect(&r);
	for (size_t i = 0; i < r.n_members; i++)
		assert_int_equal(r.members[i].known != NULL,
				 r.members[i].role == ROLE_RA || r.members[i].role == ROLE_OFFICER);
	sign_all(&good, hands, 2);
	check_ok("parse", note_parse(buf_slice(&good), 2, &n, &f), &f);
	check_ok("good", roster_signers(&r, &n, false, NULL, &s, &f), &f);
	assert_int_equal(s.n, 2);
	sign_all(&forged, hands, 3); /* bob's line by carol's key */
	check_ok("parse", note_parse(buf_slice(&forged), 3, &other, &f), &f);
	check_refused("forged", roster_signers(&r, &other, false, NULL, &s, &f), &f, ERR_CRYPTO, "signature");
	note_done(&n);
	good.data[10] ^= 1; /* the text, not the lines */
	check_ok("parse", note_parse(buf_slice(&good), 2, &n, &f), &f);
	check_refused("altered", roster_signers(&r, &n, false, NULL, &s, &f), &f, ERR_CRYPTO, "signature");
}

static void test_sequence(void **state)
{
	static const uint8_t ca[20] = {0x1f}, other_ca[20] = {0x1e};
	_cleanup_(roster_done) struct roster now = {0};
	struct roster next;
	struct fault f = {0};

	(void)state;
	read_roster(&now);
	check_ok("first", roster_follows(&now, NULL, ca, &f), &f);
	check_refused("of another", roster_follows(&now, NULL, other_ca, &f), &f, ERR_RULE, "roster_sequence");
	check_refused("itself", roster_follows(&now, &now, ca, &f), &f, ERR_RULE, "roster_sequence");
	next = now;
	next.version = 2;
	check_refused("names none", roster_follows(&next, &now, ca, &f), &f, ERR_RULE, "roster_sequence");
	assert_string_equal(f.where, "roster.previous");
	next.has_previous = true;
	memcpy(next.previous, now.sha256, 32);
	check_ok("second", roster_follows(&next, &now, ca, &f), &f);
	check_refused("second as first", roster_follows(&next, NULL, ca, &f), &f, ERR_RULE, "roster_sequence");
	next.version = 3;
	check_refused("a gap", roster_follows(&next, &now, ca, &f), &f, ERR_RULE, "roster_sequence");
	next.version = 2;
	next.previous[31] ^= 1;
	check_refused("another's", roster_follows(&next, &now, ca, &f), &f, ERR_RULE, "roster_sequence");
	next.version = 1;
	check_refused("first names one", roster_follows(&next, NULL, ca, &f), &f, ERR_RULE, "roster_sequence");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_roster),
		cmocka_unit_test(test_who_may_what),
		cmocka_unit_test(test_malformed_rosters),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_too_many_members),
		cmocka_unit_test(test_changed_bytes_are_refused_or_canonical),
		cmocka_unit_test(test_quorum),
		cmocka_unit_test(test_signers_beside_subscribers),
		cmocka_unit_test(test_signers_expected),
		cmocka_unit_test(test_sequence),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

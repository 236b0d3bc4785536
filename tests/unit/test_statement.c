/*
 * Policy and adoption notes: the good text comes back byte for byte, each malformed field is refused, and versions
 * chain.
 */
#include "tests/unit/note_kit.h"

#include "common/note/statement.h"

#define HEX40 "1f00000000000000000000000000000000000000"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char policy_text[] = "hufu/policy/v1\n"
				  "ca: " HEX40 "\n"
				  "version: 3\n"
				  "previous: " HEX64 "\n"
				  "until: 2026-12-01T00:00:00Z\n"
				  "made: 2026-11-23T00:00:00Z\n"
				  "file: issuers/zjca-oca2.pem " HEX64 "\n"
				  "file: profiles/organisation.yaml " HEX64 "\n"
				  "file: projects/jinhua.yaml " HEX64 "\n";

static const char adoption_text[] = "hufu/adoption/v1\n"
				    "ca: " HEX40 "\n"
				    "id: 5d0c0000000000000000000000000000\n"
				    "issuer: " HEX40 "\n"
				    "project: jinhua\n"
				    "profile: organisation\n"
				    "count: 1\n"
				    "root: " HEX64 "\n"
				    "crl: none\n"
				    "made: 2026-11-23T00:00:00Z\n"
				    "dies: 2026-11-24T00:00:00Z\n";

static enum err read_policy(struct slice text, struct buf *again, struct fault *f)
{
	_cleanup_(policy_note_done) struct policy_note p = {0};

	TRY(policy_note_parse(text, &p, f));
	policy_note_put(&p, again);
	return OK;
}

static enum err read_adoption(struct slice text, struct buf *again, struct fault *f)
{
	struct adoption a = {0};

	TRY(adoption_parse(text, &a, f));
	adoption_put(&a, again);
	return OK;
}

typedef enum err reader(struct slice text, struct buf *again, struct fault *f);

struct edit {
	const char *find, *with, *rule; /* rule NULL: the edited text is good */
};

static void check_edits(const char *text, reader *read, const struct edit *edits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *other = edited(text, edits[i].find, edits[i].with);
		_cleanup_buf_ struct buf again = {0};
		struct fault f = {0};
		enum err e = read(slice_str(other), &again, &f);

		if (edits[i].rule != NULL) {
			check_refused(other, e, &f, ERR_PARSE, edits[i].rule);
			continue;
		}
		check_ok(other, e, &f);
		assert_string_equal(buf_text(&again), other);
	}
}

static void test_policy_edits(void **state)
{
	static const struct edit edits[] = {
		{"until: 2026-12-01T00:00:00Z", "until: none", NULL},
		{"previous: " HEX64, "previous: none", NULL},
		{"file: projects/jinhua.yaml " HEX64 "\n", "", NULL},
		{"file: projects/jinhua.yaml", "file: projects/jin_hua-2.0.yaml", NULL},
		{"policy/v1", "policy/v9", "text_kind"},
		{"ca: 1f", "ca: 1G", "field_value"},
		{"version: 3\n", "", "field_order"},
		{"version: 3", "version: 3.0", "field_value"},
		{"previous: 00", "previous: 0", "field_value"},
		{"previous: 00112233445566778899aa", "previous: 00112233445566778899AA", "field_value"},
		{"until: 2026-12-01", "until: 2026-12-32", "field_value"},
		{"until: 2026-12-01T00:00:00Z", "until: 1970-01-01T00:00:00Z", "field_value"},
		{"until: 2026-12-01T00:00:00Z", "until: never", "field_value"},
		{"made: 2026-11-23T00:00:00Z\n", "", "field_order"},
		{"file: issuers/zjca-oca2.pem " HEX64 "\n", "files: 3\n", "field_order"},
		{"file: issuers/zjca-oca2.pem", "file: /issuers/zjca-oca2.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: ../issuers/zjca-oca2.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers/../zjca-oca2.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers/./zjca-oca2.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers/.hidden", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers//zjca-oca2.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers/", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers/ZJCA.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers/zj\\ca.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: issuers/zj ca.pem", "field_value"},
		{"file: issuers/zjca-oca2.pem ", "file: issuers/zjca-oca2.pem  ", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: profiles/organisation.yaml", "field_value"},
		{"file: issuers/zjca-oca2.pem", "file: projects/z", "field_value"},
		{"jinhua.yaml 00112233445566778899aabb", "jinhua.yaml 00112233445566778899aaBB", "field_value"},
		{"jinhua.yaml 00", "jinhua.yaml ", "field_value"},
		{"jinhua.yaml", "jinhua\u200b.yaml", "text_character"},
		{"\nfile: issuers", "\nfile: issuers/a " HEX64 "\r\nfile: issuers", "text_character"},
	};

	(void)state;
	check_edits(policy_text, read_policy, edits, sizeof(edits) / sizeof(edits[0]));
}

static void test_adoption_edits(void **state)
{
	static const struct edit edits[] = {
		{"crl: none", "crl: " HEX64, NULL},
		{"count: 1", "count: 4294967295", NULL},
		{"adoption/v1", "adoption/v2", "text_kind"},
		{"id: 5d", "id: 5D", "field_value"},
		{"id: 5d0c", "id: 5d", "field_value"},
		{"issuer: " HEX40 "\n", "", "field_order"},
		{"project: jinhua", "project: 金华", "field_value"},
		{"profile: organisation", "profile: Organisation", "field_value"},
		{"count: 1", "count: 0", "field_value"},
		{"count: 1", "count: 01", "field_value"},
		{"count: 1", "count: 4294967296", "field_value"},
		{"root: 00", "root: zz", "field_value"},
		{"crl: none", "crl: ", "field_value"},
		{"crl: none\n", "", "field_order"},
		{"dies: 2026-11-24", "dies: 2026-11-23", "adoption_window"},
		{"dies: 2026-11-24", "dies: 2026-11-22", "adoption_window"},
		{"dies: 2026-11-24T00:00:00Z\n", "", "field_missing"},
		{"dies: 2026-11-24T00:00:00Z\n", "dies: 2026-11-24T00:00:00Z\ndies: 2026-11-24T00:00:00Z\n",
		 "field_extra"},
	};

	(void)state;
	check_edits(adoption_text, read_adoption, edits, sizeof(edits) / sizeof(edits[0]));
}

static void check_bytes(const char *good, reader *read)
{
	size_t n = strlen(good);
	_cleanup_(freep) char *text = xstrdup(good);

	for (size_t cut = 0; cut < n; cut++) {
		_cleanup_buf_ struct buf again = {0};

		if (read(slice_of(text, cut), &again, NULL) == OK)
			assert_true(slice_eq(buf_slice(&again), slice_of(text, cut)));
	}
	for (size_t at = 0; at < n; at++) {
		for (size_t v = 0; v < sizeof(nasty_bytes); v++) {
			_cleanup_buf_ struct buf again = {0};

			text[at] = (char)nasty_bytes[v];
			if (read(slice_of(text, n), &again, NULL) == OK)
				assert_true(slice_eq(buf_slice(&again), slice_of(text, n)));
		}
		text[at] = good[at];
	}
}

static void test_changed_bytes_are_refused_or_canonical(void **state)
{
	(void)state;
	check_bytes(policy_text, read_policy);
	check_bytes(adoption_text, read_adoption);
}

static void test_values_read(void **state)
{
	_cleanup_(policy_note_done) struct policy_note p = {0};
	struct adoption a = {0};
	uint8_t hash[32];
	struct fault f = {0};

	(void)state;
	check_ok("policy", policy_note_parse(slice_str(policy_text), &p, &f), &f);
	assert_int_equal(p.n_files, 3);
	assert_string_equal(p.files[1].path, "profiles/organisation.yaml");
	assert_int_equal(p.files[1].sha256[1], 0x11);
	assert_int_equal(p.until, 1796083200);
	assert_int_equal(p.made, 1795392000);
	sha256(policy_text, sizeof(policy_text) - 1, hash);
	assert_memory_equal(p.sha256, hash, 32);
	check_ok("adoption", adoption_parse(slice_str(adoption_text), &a, &f), &f);
	assert_int_equal(a.count, 1);
	assert_false(a.has_crl);
	assert_string_equal(a.project, "jinhua");
	assert_int_equal(a.dies - a.made, 86400);
}

static void test_too_many_files(void **state)
{
	_cleanup_buf_ struct buf b = {0}, again = {0};
	struct fault f = {0};

	(void)state;
	buf_add(&b, policy_text, (size_t)(strstr(policy_text, "file:") - policy_text));
	for (unsigned i = 0; i < POLICY_MAX_FILES; i++)
		buf_fmt(&b, "file: f%03u " HEX64 "\n", i);
	check_ok("128", read_policy(buf_slice(&b), &again, &f), &f);
	buf_str(&b, "file: g " HEX64 "\n");
	check_refused("129", read_policy(buf_slice(&b), &again, &f), &f, ERR_LIMIT, "policy_files");
	buf_str(&b, "file: h " HEX64 "\n");
	check_refused("130", read_policy(buf_slice(&b), &again, &f), &f, ERR_LIMIT, "text_lines");
}

static void test_long_paths(void **state)
{
	(void)state;
	for (size_t n = POLICY_PATH - 2; n <= POLICY_PATH; n++) {
		_cleanup_(freep) char *path = xasprintf("file: %0*d " HEX64, (int)n, 0);
		_cleanup_(freep) char *text = edited(policy_text, "file: issuers/zjca-oca2.pem " HEX64, path);
		_cleanup_buf_ struct buf again = {0};

		assert_int_equal(read_policy(slice_str(text), &again, NULL), n < POLICY_PATH ? OK : ERR_PARSE);
	}
}

static void test_sequence(void **state)
{
	static const uint8_t ca[20] = {0x1f}, other_ca[20] = {0x2f};
	struct policy_note now = {.ca = {0x1f}, .version = 1, .sha256 = {7}}, next = now;
	struct fault f = {0};

	(void)state;
	check_ok("first", policy_note_follows(&now, NULL, ca, &f), &f);
	check_refused("of another", policy_note_follows(&now, NULL, other_ca, &f), &f, ERR_RULE, "policy_sequence");
	next.version = 2;
	check_refused("names none", policy_note_follows(&next, &now, ca, &f), &f, ERR_RULE, "policy_sequence");
	next.has_previous = true;
	next.previous[0] = 7;
	check_ok("second", policy_note_follows(&next, &now, ca, &f), &f);
	check_refused("again", policy_note_follows(&next, &next, ca, &f), &f, ERR_RULE, "policy_sequence");
	assert_string_equal(f.where, "policy.version");
	next.version = 1;
	check_refused("back", policy_note_follows(&next, &now, ca, &f), &f, ERR_RULE, "policy_sequence");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_edits),
		cmocka_unit_test(test_adoption_edits),
		cmocka_unit_test(test_changed_bytes_are_refused_or_canonical),
		cmocka_unit_test(test_values_read),
		cmocka_unit_test(test_too_many_files),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_sequence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

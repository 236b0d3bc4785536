/*
 * What changes from one roster or policy to the next: what is new, what goes, what changes, and nothing where nothing does.
 */
#include "tests/unit/note_kit.h"

#include "common/note/difference.h"

#define HEX40 "1f00000000000000000000000000000000000000"
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void load(struct roster *r, const char *quorum, const char *const *members, size_t n)
{
	_cleanup_buf_ struct buf text = {0};
	struct fault f = {0};
	buf_fmt(&text,
		"hufu/roster/v1\nca: " HEX40 "\nversion: 1\nprevious: none\nquorum: %s\nmade: 2026-11-23T00:00:00Z\n",
		quorum);
	for (size_t i = 0; i < n; i++) {
		char name[40];
		uint8_t seed = 0;
		assert_int_equal(sscanf(members[i], "%39s", name), 1);
		for (const char *p = name; *p; p++)
			seed = (uint8_t)(seed + *p);
		struct keypair k = keypair_of(seed);
		buf_fmt(&text, "member: officer %s ", name);
		buf_base64(&text, k.public_key, 32);
		buf_fmt(&text, " %s\n", members[i] + strlen(name) + 1);
	}
	check_ok("roster", roster_parse(buf_slice(&text), r, &f), &f);
}

static void test_roster(void **state)
{
	static const char *const first[] = {"alice * *", "bob * *", "carol * *"}, *const second[] = {
											  "alice * *",
											  "bob jinhua extend,hold",
											  "dave * *"};
	_cleanup_(roster_done) struct roster a = {0}, b = {0};
	_cleanup_buf_ struct buf said = {0}, all = {0}, none = {0};
	(void)state;
	load(&a, "2", first, 3);
	load(&b, "3", second, 3);
	roster_difference(&a, &b, &said);
	const char *text = buf_text(&said);
	assert_int_equal(strncmp(text, "~ quorum: 2 -> 3\n~ bob: officer ", 32), 0);
	assert_non_null(strstr(text, " * * -> officer "));
	assert_non_null(strstr(text, " jinhua extend,hold\n"));
	assert_non_null(strstr(text, "\n- carol: officer "));
	assert_non_null(strstr(text, "\n+ dave: officer "));
	assert_null(strstr(text, "alice"));
	roster_difference(NULL, &a, &all);
	assert_non_null(strstr(buf_text(&all), "+ alice: "));
	roster_difference(&a, &a, &none);
	assert_int_equal(none.len, 0);
}

static void load_policy(struct policy_note *p, const char *until, const char *files)
{
	_cleanup_(freep) char *text = xasprintf("hufu/policy/v1\nca: " HEX40 "\nversion: 1\nprevious: none\nuntil: %s\n"
						"made: 2026-11-23T00:00:00Z\n%s",
						until, files);
	struct fault f = {0};
	check_ok("policy", policy_note_parse(slice_str(text), p, &f), &f);
}

static void test_policy(void **state)
{
	_cleanup_(policy_note_done) struct policy_note a = {0}, b = {0};
	_cleanup_buf_ struct buf said = {0};
	(void)state;
	load_policy(&a, "none", "file: a.yaml " HEX64 "\nfile: b.yaml " HEX64 "\nfile: d.yaml " HEX64 "\n");
	load_policy(&b, "2026-12-01T00:00:00Z",
		    "file: b.yaml " OTHER "\nfile: c.yaml " HEX64 "\nfile: d.yaml " HEX64 "\n");
	policy_note_difference(&a, &b, &said);
	assert_string_equal(buf_text(&said),
			    "- a.yaml: " HEX64 "\n~ b.yaml: " HEX64 " -> " OTHER "\n+ c.yaml: " HEX64
			    "\ntallies made under the policy before count until 2026-12-01T00:00:00Z\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_roster), cmocka_unit_test(test_policy)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What `hufu account prove` signs: the text of a first log-in, of this account, and nothing that a desk could put in its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "tools/hufu/proof_text.h"

#include <string.h>

#define OWN "35353550-9"
#define CA "ca: 00112233445566778899aabbccddeeff00112233\n"
#define WHO "desk: ra-1\nidentifier: " OWN "\norganisation: 杭州田谷\n"
#define SESSION "session: 00112233445566778899aabbccddeeff\n"
#define MADE "made: 2026-11-25T00:00:00Z\n"
#define HEAD "hufu/account/v1\npurpose: first-log-in\n"
#define GOOD HEAD CA WHO SESSION MADE

static enum err check(const char *text, const char *identifier)
{
	struct fault f = {0};
	enum err e = proof_text_check(slice_str(text), identifier, &f);
	if (e != OK) {
		assert_int_equal(e, ERR_RULE);
		assert_string_equal(f.rule, "proof_text");
		assert_non_null(strstr(f.text, "do not sign"));
	}
	return e;
}

static void test_the_text_of_a_first_log_in(void **state)
{
	(void)state;
	assert_int_equal(check(GOOD, OWN), OK);
	assert_int_equal(check(HEAD CA
			       "desk: ra-1\nidentifier: 91330100MAHUFU0179\norganisation: 另一家 & <i>\n" SESSION MADE,
			       "91330100MAHUFU0179"),
			 OK);
}

static void test_everything_else_is_refused(void **state)
{
	static const struct {
		const char *what, *text;
	} bad[] = {
		{"nothing", ""},
		{"an empty line", "\n"},
		{"a tally", "hufu/tally/v1\nkind: change\n"},
		{"a tally that begins like it", HEAD "kind: change\nid: 00112233445566778899aabbccddeeff\n"},
		{"another purpose", "hufu/account/v1\npurpose: change-agent\n" CA WHO SESSION MADE},
		{"a purpose with more to it",
		 "hufu/account/v1\npurpose: first-log-in and change\n" CA WHO SESSION MADE},
		{"another version", "hufu/account/v2\npurpose: first-log-in\n" CA WHO SESSION MADE},
		{"a roster", "hufu/roster/v1\n" CA},
		{"a line too many at its end", GOOD "order: 1\n"},
		{"a line twice", GOOD MADE},
		{"a line in its midst", HEAD CA "kind: reissue\n" WHO SESSION MADE},
		{"a line before", "kind: reissue\n" GOOD},
		{"a line missing", HEAD CA WHO SESSION},
		{"lines in another order", HEAD WHO CA SESSION MADE},
		{"a second note behind it", GOOD "\nhufu/tally/v1\n"},
		{"a signature line", GOOD "\n— ra-1 AAAA\n"},
		{"no newline at its end", HEAD CA WHO SESSION "made: 2026-11-25T00:00:00Z"},
		{"carriage returns", HEAD CA "desk: ra-1\r\nidentifier: " OWN "\r\norganisation: x\r\n" SESSION MADE},
		{"turned round by bidi controls",
		 HEAD CA "desk: ra-1\nidentifier: " OWN "\norganisation: \u202e谷田州杭\n" SESSION MADE},
		{"isolated by bidi controls",
		 HEAD CA "desk: ra-1\nidentifier: " OWN "\norganisation: \u2066x\u2069\n" SESSION MADE},
		{"a zero-width space", HEAD CA "desk: ra-1\nidentifier: " OWN "\u200b\norganisation: x\n" SESSION MADE},
		{"an escape of a terminal",
		 HEAD CA "desk: \x1b[2J\nidentifier: " OWN "\norganisation: x\n" SESSION MADE},
		{"bytes that are no UTF-8", HEAD CA "desk: \xff\nidentifier: " OWN "\norganisation: x\n" SESSION MADE},
		{"hex in capitals", HEAD CA WHO "session: 00112233445566778899AABBCCDDEEFF\n" MADE},
		{"a session that is none", HEAD CA WHO "session: 0011\n" MADE},
		{"a time of its own spelling", HEAD CA WHO SESSION "made: 2026-11-25 00:00:00\n"},
		{"two spaces", HEAD CA WHO SESSION "made:  2026-11-25T00:00:00Z\n"},
		{"another account",
		 HEAD CA "desk: ra-1\nidentifier: 91330100MAHUFU0179\norganisation: x\n" SESSION MADE},
		{"an account that begins like it",
		 HEAD CA "desk: ra-1\nidentifier: " OWN "1\norganisation: x\n" SESSION MADE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i].text, OWN) == OK)
			fail_msg("signed: %s", bad[i].what);
	}
	assert_int_not_equal(check(GOOD, ""), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_text_of_a_first_log_in),
		cmocka_unit_test(test_everything_else_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * PKCS#11 URIs: what they name is read, and what would have no effect is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/token/token_uri.h"

#include <string.h>

static void test_what_is_named_is_read(void **state)
{
	struct token_uri u = {0};
	struct fault f = {0};
	(void)state;
	assert_int_equal(
		token_uri_parse("pkcs11:token=CA%20one;serial=0a1b;manufacturer=M;model=X;object=issuing;id=%00%Ff;"
				"type=private?module-path=/usr/lib/x.so",
				TOKEN_URI_KEY, "key", &u, &f),
		OK);
	assert_string_equal(u.token.text, "CA one");
	assert_string_equal(u.serial.text, "0a1b");
	assert_string_equal(u.manufacturer.text, "M");
	assert_string_equal(u.model.text, "X");
	assert_string_equal(u.object.text, "issuing");
	assert_int_equal(u.id.n, 2);
	assert_memory_equal(u.id.text, "\0\377", 2);
	assert_string_equal(u.module.text, "/usr/lib/x.so");
	assert_int_equal(token_uri_parse("pkcs11:", TOKEN_URI_TOKEN, "--token-uri", &u, &f), OK);
	assert_int_equal(u.serial.n, 0);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		enum token_uri_names names;
		const char *said;
	} cases[] = {
		{"token=x", TOKEN_URI_TOKEN, "must be 'pkcs11:'"},
		{"PKCS11:token=x", TOKEN_URI_TOKEN, "must be 'pkcs11:'"},
		{"pkcs11:token=x;token=y", TOKEN_URI_TOKEN, "stands twice"},
		{"pkcs11:token", TOKEN_URI_TOKEN, "has no value"},
		{"pkcs11:token=", TOKEN_URI_TOKEN, "is empty"},
		{"pkcs11:token=%zz", TOKEN_URI_TOKEN, "percent-encoding"},
		{"pkcs11:token=%4", TOKEN_URI_TOKEN, "percent-encoding"},
		{"pkcs11:token=a%00b", TOKEN_URI_TOKEN, "percent-encoding"},
		{"pkcs11:colour=red", TOKEN_URI_TOKEN, "wanted what names a token"},
		{"pkcs11:token=x;object=k", TOKEN_URI_TOKEN, "wanted what names a token"},
		{"pkcs11:module-path=/x", TOKEN_URI_TOKEN, "wanted what names a token"},
		{"pkcs11:?token=x", TOKEN_URI_TOKEN, "wanted what names a token"},
		{"pkcs11:?slot-id=1", TOKEN_URI_TOKEN, "wanted what names a token"},
		{"pkcs11:object=k", TOKEN_URI_KEY, "wanted what names a key"},
		{"pkcs11:serial=1", TOKEN_URI_KEY, "wanted what names a key"},
		{"pkcs11:token=x;object=k", TOKEN_URI_KEY, "wanted what names a key"},
		{"pkcs11:serial=1;object=k;type=public", TOKEN_URI_KEY, "wanted what names a key"},
		{"pkcs11:serial=1;object=k?pin-value=1234", TOKEN_URI_KEY, "a PIN has no place"},
		{"pkcs11:serial=1;object=k?pin-source=file:/x", TOKEN_URI_KEY, "a PIN has no place"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct token_uri u;
		struct fault f = {0};
		enum err e = token_uri_parse(cases[i].text, cases[i].names, "key", &u, &f);
		if (e != ERR_CONFIG || strcmp(f.rule, "token_uri") != 0 || !strstr(f.text, cases[i].said) ||
		    strstr(f.text, "1234"))
			fail_msg("%s: found %s, \"%s\"; wanted \"%s\"", cases[i].text, e == OK ? "ok" : err_word(e),
				 f.text, cases[i].said);
	}
}

static void test_a_value_is_bounded(void **state)
{
	char text[20 + 257] = "pkcs11:token=";
	size_t at = strlen(text);
	struct token_uri u;
	(void)state;
	memset(text + at, 'a', 256);
	assert_int_equal(token_uri_parse(text, TOKEN_URI_TOKEN, "key", &u, NULL), OK);
	assert_int_equal(u.token.n, 256);
	text[at + 256] = 'a';
	assert_int_equal(token_uri_parse(text, TOKEN_URI_TOKEN, "key", &u, NULL), ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_named_is_read),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_a_value_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

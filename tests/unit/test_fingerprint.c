/*
 * The ten characters of a key: against base32 made elsewhere, and what people type instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/pki/fingerprint.h"

#include <string.h>

/* The first is that of `printf '' | openssl dgst -sha256 -binary | base32`. */
static const struct {
	uint8_t hash[7];
	const char *text;
} known[] = {
	{{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c}, "4OYMI-QUY7Q"},
	{{0, 0, 0, 0, 0, 0, 0}, "AAAAA-AAAAA"},
	{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "77777-77777"},
	{{0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54}, "ABCDE-FGHIJ"},
};

static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint8_t hash[32] = {0};
		char parsed[FINGERPRINT_CHARS + 1];
		memcpy(hash, known[i].hash, sizeof(known[i].hash));
		assert_string_equal(FINGERPRINT(hash), known[i].text);
		assert_true(fingerprint_parse(known[i].text, parsed));
		assert_true(fingerprint_fits(parsed, hash));
		hash[6] ^= 0x3f; /* behind the 50 bits */
		assert_true(fingerprint_fits(parsed, hash));
		hash[6] ^= 0x40; /* the last of them */
		assert_false(fingerprint_fits(parsed, hash));
	}
}

static void test_typed(void **state)
{
	static const struct {
		const char *typed, *parsed; /* NULL: refused */
	} rows[] = {
		{"abcde fghij", "ABCDEFGHIJ"}, {" ab-cd-ef-gh-ij ", "ABCDEFGHIJ"},
		{"ABCDEFGHIJ", "ABCDEFGHIJ"},  {"", NULL},
		{"ABCDE-FGHI", NULL},	       {"ABCDE-FGHIJK", NULL},
		{"ABCDE-FGHI0", NULL},	       {"ABCDE-FGHI1", NULL},
		{"ABCDE_FGHIJ", NULL},	       {"ABCDE-FGHI\xef\xbc\xa1", NULL},
		{"----------", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char parsed[FINGERPRINT_CHARS + 1];
		bool ok = fingerprint_parse(rows[i].typed, parsed);
		assert_int_equal(ok, rows[i].parsed != NULL);
		if (ok)
			assert_string_equal(parsed, rows[i].parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_typed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

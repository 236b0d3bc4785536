/*
 * Bytes, codecs, escaping, numbers and words of common/base/buf.h.
 */
#include "common/base/cleanup.h"
#include "common/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void grows_and_keeps_its_nul(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0};
	assert_string_equal(buf_text(&b), "");
	buf_add(&b, NULL, 0);
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 1000; i++) {
		buf_fmt(&b, "%d,", i);
		assert_int_equal(b.data[b.len], 0);
	}
	assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	buf_str(&b, "ab");
	buf_char(&b, '\0');
	buf_add_slice(&b, slice_str("c"));
	assert_memory_equal(b.data, "ab\0c", 5);
	size_t n;
	_cleanup_(freep) char *taken = buf_take(&b, &n);
	assert_int_equal(n, 4);
	assert_memory_equal(taken, "ab\0c", 5);
	assert_null(b.data);
	_cleanup_(freep) char *none = buf_take(&b, NULL);
	assert_string_equal(none, "");
	buf_done(&b);
	buf_done(&b);
}

static void long_formats_fit(void **state)
{
	(void)state;
	_cleanup_(freep) char *s = xasprintf("%0*d|%s", 5000, 7, "end");
	assert_int_equal(strlen(s), 5004);
	assert_string_equal(s + 4999, "7|end");
}

static void slices_compare(void **state)
{
	(void)state;
	assert_true(slice_eq((struct slice){0}, slice_str("")));
	assert_true(slice_eq(slice_str(NULL), slice_of("x", 0)));
	assert_true(slice_eq(slice_str("ab"), slice_of("abc", 2)));
	assert_false(slice_eq(slice_str("ab"), slice_str("abc")));
	assert_false(slice_eq(slice_str("ab"), slice_str("aB")));
	_cleanup_(freep) char *copy = slice_dup_str(slice_of("abc", 2));
	assert_string_equal(copy, "ab");
	_cleanup_(freep) char *cut = xstrndup("ab\0c", 4);
	assert_string_equal(cut, "ab");
}

static void hex_goes_both_ways(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t n;
		bool good;
	} cases[] = {
		{"", 0, true},	  {"00ff", 2, true}, {"00FF", 2, true}, {"aBcDeF", 3, true},
		{"0", 0, false},  {"0", 1, false},   {"000", 1, false}, {"00", 0, false},
		{"00", 2, false}, {"0g", 1, false},  {"g0", 1, false},	{" 0", 1, false},
		{"0x", 1, false}, {"-1", 1, false},  {"+1", 1, false},	{"0\xff", 1, false},
	};
	for (size_t i = 0; i < N(cases); i++) {
		uint8_t out[8] = {0xaa, 0xaa};
		assert_int_equal(hex_decode(cases[i].text, strlen(cases[i].text), out, cases[i].n), cases[i].good);
		if (!cases[i].good)
			assert_int_equal(out[0], 0xaa);
	}
	uint8_t all[256], back[256];
	char text[513];
	for (size_t i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	hex_upper(all, 256, text);
	assert_true(hex_decode(text, 512, back, 256));
	assert_memory_equal(all, back, 256);
	_cleanup_buf_ struct buf b = {0};
	buf_hex(&b, all, 256);
	hex_lower(all, 256, text);
	assert_string_equal(buf_text(&b), text);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
}

/* RFC 4648 10, and what section 3.5 lets a decoder refuse. */
static void base64_is_strict(void **state)
{
	(void)state;
	static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
	static const char *const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
	for (size_t i = 0; i < N(plain); i++) {
		_cleanup_buf_ struct buf b = {0}, back = {0};
		buf_base64(&b, plain[i], strlen(plain[i]));
		assert_string_equal(buf_text(&b), coded[i]);
		assert_true(base64_decode(coded[i], strlen(coded[i]), &back));
		assert_string_equal(buf_text(&back), plain[i]);
	}
	static const char *const bad[] = {"Z",	  "Zg",	  "Zg=",  "Zh==", "Zm9=",     "Zg==\n",	  "Zg==Zg==", "=g==",
					  "Z===", "====", "Zm9-", "Zm9_", "Zm 9vYg=", "Zm9vY=g=", "Z\xff==",  " Zg=="};
	for (size_t i = 0; i < N(bad); i++) {
		_cleanup_buf_ struct buf b = {0};
		buf_str(&b, "kept");
		assert_false(base64_decode(bad[i], strlen(bad[i]), &b));
		assert_string_equal(buf_text(&b), "kept");
	}
	_cleanup_buf_ struct buf none = {0};
	assert_false(base64_decode("Zg\0=", 4, &none));
}

static void base64_of_every_length(void **state)
{
	(void)state;
	uint8_t bytes[70];
	random_fill(bytes, sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		_cleanup_buf_ struct buf b = {0}, back = {0};
		buf_base64(&b, bytes, n);
		assert_true(base64_decode(buf_text(&b), b.len, &back));
		assert_true(slice_eq(buf_slice(&back), slice_of(bytes, n)));
	}
}

/* RFC 3629 3 and 10; the table of ill-formed sequences of Unicode 15, 3.9. */
static void utf8_is_strict(void **state)
{
	(void)state;
	static const char *const good[] = {"",
					   "a",
					   "\xc2\x80",
					   "\xdf\xbf",
					   "\xe0\xa0\x80",
					   "\xed\x9f\xbf",
					   "\xee\x80\x80",
					   "\xef\xbf\xbf",
					   "\xf0\x90\x80\x80",
					   "\xf4\x8f\xbf\xbf",
					   "虎符"};
	static const char *const bad[] = {"\x80",
					  "\xbf",
					  "\xc0\x80",
					  "\xc1\xbf",
					  "\xc2",
					  "\xc2 ",
					  "\xe0\x80\x80",
					  "\xe0\x9f\xbf",
					  "\xe1\x80",
					  "\xed\xa0\x80",
					  "\xed\xbf\xbf",
					  "\xf0\x80\x80\x80",
					  "\xf0\x8f\xbf\xbf",
					  "\xf4\x90\x80\x80",
					  "\xf5\x80\x80\x80",
					  "\xf0\x90\x80",
					  "\xfe",
					  "\xff",
					  "a\xff"};
	for (size_t i = 0; i < N(good); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < N(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	/* Every code point, encoded by hand. */
	for (int32_t cp = 0; cp <= 0x110000; cp++) {
		uint8_t p[4];
		size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, i = 0;
		for (size_t k = n; k-- > 1;)
			p[k] = (uint8_t)(0x80 | (cp >> (6 * (n - 1 - k)) & 0x3f));
		p[0] = (uint8_t)(n == 1 ? cp : (0xf00 >> n & 0xff) | cp >> (6 * (n - 1)));
		bool real = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
		assert_int_equal(utf8_next(p, n, &i), real ? cp : -1);
		assert_int_equal(i, real ? n : 0);
	}
}

static void escapes_what_cannot_be_seen(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} cases[] = {
		{"plain 虎符", 12, "plain 虎符"},
		{"a\0b", 3, "a\\x00b"},
		{"a\n\x1b[31m", 7, "a\\x0a\\x1b[31m"},
		{"\xff\xc2", 2, "\\xff\\xc2"},
		{"\xe2\x80\xae"
		 "x",
		 4, "\\xe2\\x80\\xaex"},		/* U+202E */
		{"\xe2\x80\x8b", 3, "\\xe2\\x80\\x8b"}, /* U+200B */
		{"\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf"}, /* U+FEFF */
		{"\xc2\x85", 2, "\\xc2\\x85"},		/* U+0085 */
		{"\xee\x80\x80", 3, "\\xee\\x80\\x80"}, /* private use */
	};
	for (size_t i = 0; i < N(cases); i++)
		assert_string_equal(ESC(cases[i].in, cases[i].n), cases[i].out);
	assert_string_equal(ESC(NULL, 0), "");
}

static void escaping_stays_in_its_room(void **state)
{
	(void)state;
	uint8_t bytes[300];
	for (int round = 0; round < 200; round++) {
		random_fill(bytes, sizeof(bytes));
		for (size_t i = 0; round % 2 && i < sizeof(bytes); i++)
			bytes[i] = (uint8_t) "虎"[i % 3];
		for (size_t size = 4; size < 64; size++) {
			char out[65];
			memset(out, 'Z', sizeof(out));
			text_escape(bytes, sizeof(bytes), out, size);
			size_t n = strnlen(out, size);
			assert_true(n < size);
			assert_true(utf8_valid(out, n));
			assert_memory_equal(out + n - 3, "…", 3);
			assert_int_equal(out[size], 'Z');
		}
	}
	char exact[7];
	assert_string_equal(text_escape("abcdef", 6, exact, 7), "abcdef");
	assert_string_equal(text_escape("abcdefg", 7, exact, 7), "abc…");
}

static void numbers_have_one_spelling(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t max;
		bool good;
		uint64_t value;
	} cases[] = {
		{"0", 0, true, 0},
		{"7", 7, true, 7},
		{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
		{"8", 7, false, 0},
		{"18446744073709551616", UINT64_MAX, false, 0},
		{"99999999999999999999999999", UINT64_MAX, false, 0},
		{"", 9, false, 0},
		{"00", 9, false, 0},
		{"01", 9, false, 0},
		{"+1", 9, false, 0},
		{"-1", 9, false, 0},
		{" 1", 9, false, 0},
		{"1 ", 9, false, 0},
		{"0x1", 99, false, 0},
		{"1e1", 99, false, 0},
		{"٣", 9, false, 0},
	};
	for (size_t i = 0; i < N(cases); i++) {
		uint64_t v = 42;
		assert_int_equal(u64_parse(cases[i].text, strlen(cases[i].text), cases[i].max, &v), cases[i].good);
		assert_int_equal(v, cases[i].good ? cases[i].value : 42);
	}
}

static void nearest_word(void **state)
{
	(void)state;
	static const char *const words[] = {"extensions", "subject", "key", "validity", "id"};
	static const struct {
		const char *found, *want;
	} cases[] = {
		{"extentions", "extensions"},
		{"extension", "extensions"},
		{"subjcet", "subject"},
		{"kye", "key"},
		{"key", "key"},
		{"vality", "validity"},
		{"zzz", NULL},
		{"", NULL},
		{"xy", NULL},
		{"sub", NULL},
	};
	for (size_t i = 0; i < N(cases); i++) {
		const char *near = word_nearest(cases[i].found, words, N(words));
		if (cases[i].want)
			assert_string_equal(near, cases[i].want);
		else
			assert_null(near);
	}
	char huge[100000];
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_null(word_nearest(huge, words, N(words)));
	const char *const huge_words[] = {huge};
	assert_null(word_nearest("a", huge_words, 1));
	assert_null(word_nearest("a", NULL, 0));
}

/* FIPS 180-4 examples. */
static void sha256_known_answers(void **state)
{
	(void)state;
	static const struct {
		const char *in, *hex;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	for (size_t i = 0; i < N(cases); i++) {
		uint8_t digest[32];
		char hex[65];
		sha256(cases[i].in, strlen(cases[i].in), digest);
		hex_lower(digest, 32, hex);
		assert_string_equal(hex, cases[i].hex);
	}
	uint8_t digest[32];
	sha256(NULL, 0, digest);
	assert_int_equal(digest[0], 0xe3);
}

static void random_bytes_differ(void **state)
{
	(void)state;
	uint8_t a[32] = {0}, b[32] = {0};
	random_fill(a, sizeof(a));
	random_fill(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_its_nul),
		cmocka_unit_test(long_formats_fit),
		cmocka_unit_test(slices_compare),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(base64_of_every_length),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(escapes_what_cannot_be_seen),
		cmocka_unit_test(escaping_stays_in_its_room),
		cmocka_unit_test(numbers_have_one_spelling),
		cmocka_unit_test(nearest_word),
		cmocka_unit_test(sha256_known_answers),
		cmocka_unit_test(random_bytes_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

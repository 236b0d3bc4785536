/*
 * The small readers under all others: base64, hex, times, numbers, UTF-8. One value has one spelling; what is shown of
 * outside bytes shows nothing that hides.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"

static void try_numbers(const char *text, size_t n)
{
	uint64_t v;
	int64_t t;
	_cleanup_buf_ struct buf again = {0};
	if (u64_parse(text, n, UINT64_MAX, &v)) {
		buf_fmt(&again, "%llu", (unsigned long long)v);
		must_be(buf_slice(&again), slice_of(text, n));
	}
	if (time_parse_utc(text, n, &t)) {
		must_be(slice_str(UTC(t)), slice_of(text, n));
		must(time_from_civil(time_civil(t)) == t);
	}
	if (time_parse_shanghai(text, n, &t))
		must(strlen(SHANGHAI(t)) == 19);
}

static void try_codecs(const char *text, size_t n)
{
	_cleanup_buf_ struct buf bytes = {0}, again = {0};
	uint8_t half[64];
	if (base64_decode(text, n, &bytes)) {
		buf_base64(&again, bytes.data, bytes.len);
		must_be(buf_slice(&again), slice_of(text, n));
	}
	buf_clear(&again);
	if (n / 2 <= sizeof(half) && hex_decode(text, n, half, n / 2)) {
		buf_hex(&again, half, n / 2);
		must(again.len == n && (n == 0 || strncasecmp(buf_text(&again), text, n) == 0));
	}
}

static void try_shown(const uint8_t *p, size_t n)
{
	static const char *const words[] = {"profile", "project", "officers", NULL};
	const char *shown = ESC(p, n);
	size_t i = 0, len = strlen(shown);
	while (i < len)
		must(!cp_is_hidden(utf8_next((const uint8_t *)shown, len, &i)));
	if (n == 0 || memchr(p, 0, n))
		return;
	_cleanup_(freep) char *text = xstrndup((const char *)p, n);
	const char *quoted = LQ(text);
	for (const char *c = quoted; *c; c++)
		must((uint8_t)*c >= 0x20 && *c != 0x7f);
	must(strlen(quoted) >= 2 && quoted[0] == '"' && quoted[strlen(quoted) - 1] == '"');
	(void)word_nearest(text, words, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_numbers((const char *)data, size);
	try_codecs((const char *)data, size);
	try_shown(data, size);
	return 0;
}

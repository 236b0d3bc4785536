/*
 * Text from outside: is it UTF-8, how does it look in a message, is it a number, which word was meant.
 *
 * Escaping keeps what a person can see and nothing else: controls, bidi controls, zero-width and private-use code
 * points become \xNN byte by byte, so that a message cannot move the cursor, hide text or reorder it. Next: log.c.
 */
#include "common/base/text.h"
#include "common/base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* RFC 3629: no overlong forms, no surrogates, at most U+10FFFF. */
int32_t utf8_next(const uint8_t *p, size_t n, size_t *i)
{
	size_t at = *i;
	if (at >= n)
		return -1;
	uint8_t lead = p[at];
	if (lead < 0x80) {
		*i = at + 1;
		return lead;
	}
	size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
	if (lead < 0xc2 || lead > 0xf4 || more > n - at - 1)
		return -1;
	int32_t cp = lead & (0x3f >> more);
	for (size_t k = 1; k <= more; k++) {
		if ((p[at + k] & 0xc0) != 0x80)
			return -1;
		cp = cp << 6 | (p[at + k] & 0x3f);
	}
	static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
	if (cp < least[more] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return -1;
	*i = at + more + 1;
	return cp;
}

bool utf8_valid(const void *p, size_t n)
{
	size_t i = 0;
	while (i < n) {
		if (utf8_next(p, n, &i) < 0)
			return false;
	}
	return true;
}

bool cp_is_hidden(int32_t cp)
{
	static const struct {
		int32_t from, to;
	} hidden[] = {
		{0x0000, 0x001f},    /* C0 */
		{0x007f, 0x009f},    /* DEL, C1 */
		{0x00ad, 0x00ad},    /* soft hyphen */
		{0x034f, 0x034f},    /* combining grapheme joiner */
		{0x061c, 0x061c},    /* Arabic letter mark */
		{0x115f, 0x1160},    /* Hangul fillers */
		{0x17b4, 0x17b5},    /* Khmer inherent vowels */
		{0x180b, 0x180f},    /* Mongolian selectors and vowel separator */
		{0x200b, 0x200f},    /* zero width, directional marks */
		{0x2028, 0x202e},    /* line and paragraph separators, bidi embeddings and overrides */
		{0x2060, 0x206f},    /* word joiner, invisible operators, bidi isolates */
		{0x3164, 0x3164},    /* Hangul filler */
		{0xe000, 0xf8ff},    /* private use */
		{0xfdd0, 0xfdef},    /* noncharacters */
		{0xfe00, 0xfe0f},    /* variation selectors */
		{0xfeff, 0xfeff},    /* byte order mark */
		{0xffa0, 0xffa0},    /* halfwidth Hangul filler */
		{0xfff0, 0xfffb},    /* specials: annotation controls and unassigned ones */
		{0x1bca0, 0x1bca3},  /* shorthand format controls */
		{0x1d173, 0x1d17a},  /* musical format controls */
		{0xe0000, 0x10ffff}, /* tags, selectors, private-use planes */
	};
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (cp >= hidden[i].from && cp <= hidden[i].to)
			return true;
	}
	return cp < 0 || (cp & 0xfffe) == 0xfffe;
}

size_t text_show_one(const uint8_t *p, size_t n, size_t *i, char ret[TEXT_SHOWN_MAX])
{
	size_t at = *i;
	if (p[at] >= 0x20 && p[at] < 0x7f) { /* most of what is shown */
		ret[0] = (char)p[at];
		*i = at + 1;
		return 1;
	}
	bool shown = !cp_is_hidden(utf8_next(p, n, i));
	if (*i == at)
		*i = at + 1;
	if (shown) {
		memcpy(ret, p + at, *i - at);
		return *i - at;
	}
	for (size_t k = at; k < *i; k++) {
		char hex[3];
		hex_lower(p + k, 1, hex);
		memcpy(ret + 4 * (k - at), (char[]){'\\', 'x', hex[0], hex[1]}, 4);
	}
	return 4 * (*i - at);
}

const char *text_escape(const void *p, size_t n, char *ret, size_t size)
{
	static const char ellipsis[] = "…";
	size_t used = 0, cut = 0; /* cut: the last end behind which the ellipsis fits */
	assert(size >= sizeof(ellipsis));
	for (size_t i = 0; i < n;) {
		char piece[TEXT_SHOWN_MAX];
		size_t want = text_show_one(p, n, &i, piece);
		if (used + want + 1 > size) {
			memcpy(ret + cut, ellipsis, sizeof(ellipsis));
			return ret;
		}
		memcpy(ret + used, piece, want);
		used += want;
		if (used + sizeof(ellipsis) <= size)
			cut = used;
	}
	ret[used] = '\0';
	return ret;
}

bool u64_parse(const char *s, size_t n, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	if (n == 0 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*ret = v;
	return true;
}

#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance where two neighbours changing places is one step (optimal string alignment). */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][WORD_MAX + 1];
	for (size_t k = 0; k <= nb; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= na; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t k = 1; k <= nb; k++) {
			now[k] = least(last[k - 1] + (a[i - 1] != b[k - 1]), least(last[k], now[k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

const char *word_nearest(const char *found, const char *const *words, size_t n)
{
	const char *best = NULL;
	size_t best_steps = SIZE_MAX, n_found = strnlen(found, WORD_MAX + 1);
	if (n_found > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t n_word = strnlen(words[i], WORD_MAX + 1);
		if (n_word > WORD_MAX)
			continue;
		size_t steps = distance(found, n_found, words[i], n_word);
		size_t longer = n_found > n_word ? n_found : n_word;
		/* Half of the letters changed is another word, however short. */
		bool near = (steps <= 2 || steps <= n_found / 3) && 2 * steps <= longer;
		if (near && steps < best_steps) {
			best = words[i];
			best_steps = steps;
		}
	}
	return best;
}

char *text_behind(const char *text)
{
	return xasprintf("%s\xf4\x8f\xbf\xbf", text); /* U+10FFFF */
}

/*
 * What a code point in a name is, for those that must not be there.
 *
 * Two names that look the same have to be the same, and a name must not rearrange the line that shows it. Assigned and
 * seen is decided by a generated table, invisible by the one table of common/base; the words here are for messages.
 */
#include "common/pki/unicode.h"
#include "common/base/text.h"

#include <stdlib.h>

static int range_compare(const void *key, const void *element)
{
	uint32_t cp = *(const uint32_t *)key;
	const struct unicode_range *r = element;
	return cp < r->from ? -1 : cp > r->to;
}

static bool in_ranges(uint32_t cp, const struct unicode_range *ranges, size_t n)
{
	return bsearch(&cp, ranges, n, sizeof(*ranges), range_compare) != NULL;
}

static const char *kind_of(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
		return "a control character";
	if (cp == 0x61c || cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069))
		return "a bidi control";
	if ((cp >= 0xe000 && cp <= 0xf8ff) || (cp >= 0xf0000 && (cp & 0xfffe) != 0xfffe))
		return "a private-use code point";
	if ((cp >= 0xfdd0 && cp <= 0xfdef) || (cp & 0xfffe) == 0xfffe)
		return "a noncharacter";
	if (cp_is_hidden((int32_t)cp))
		return "zero-width or invisible";
	return "unassigned or a format character";
}

const char *unicode_refusal(uint32_t cp)
{
	/* Most of what comes: ASCII and the unified ideographs. */
	if ((cp >= 0x20 && cp < 0x7f) || (cp >= 0x4e00 && cp <= 0x9fff))
		return NULL;
	if (cp <= 0x10ffff && in_ranges(cp, unicode_ranges, unicode_n_ranges) && !cp_is_hidden((int32_t)cp))
		return NULL;
	return kind_of(cp);
}

bool unicode_is_space(uint32_t cp)
{
	static const struct unicode_range spaces[] = {
		{0x20, 0x20},	  {0xa0, 0xa0},	    {0x1680, 0x1680}, {0x2000, 0x200a},
		{0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
	};
	return in_ranges(cp, spaces, sizeof(spaces) / sizeof(spaces[0]));
}

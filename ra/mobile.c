/*
 * Mobile numbers, and what strangers may see of them and of names.
 */
#include "ra/mobile.h"

#include <string.h>

#define DIGITS "0123456789"

bool mobile_is_good(const char *s)
{
	return strlen(s) == 11 && strspn(s, DIGITS) == 11 && s[0] == '1' && s[1] >= '3';
}

enum err mobile_check(const char *where, const char *s, struct fault *f)
{
	if (mobile_is_good(s))
		return OK;
	return fault_raise(f, ERR_RULE, "mobile_form", where,
			   "found \"%s\", wanted eleven digits that begin with 13 to 19", ESC(s, strlen(s)));
}

void mobile_mask(const char *s, char ret[MOBILE_MAX + 1])
{
	size_t n = strlen(s);
	bool plain = n >= 9 && strspn(s, DIGITS) == n;
	for (size_t i = 0; i < n && i < MOBILE_MAX; i++)
		ret[i] = plain && (i < 3 || i + 4 >= n) ? s[i] : '*';
	ret[n < MOBILE_MAX ? n : MOBILE_MAX] = '\0';
}

void name_mask(const char *s, char ret[AGENT_MAX + 1])
{
	size_t n = strlen(s), i = 0, used;
	if (n > 0)
		(void)utf8_next((const uint8_t *)s, n, &i);
	used = i;
	memcpy(ret, s, used);
	while (i < n) {
		(void)utf8_next((const uint8_t *)s, n, &i);
		if (used < AGENT_MAX)
			ret[used++] = '*';
	}
	ret[used] = '\0';
}

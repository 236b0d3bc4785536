/*
 * What an address may be made of. It becomes part of SMTP commands and of header lines, so this is also the wall against
 * injection into both: no space, no control, no bracket, nothing beyond ASCII.
 */
#include "ra/mail.h"

#include "common/base/buf.h"

#include <string.h>

#define LOCAL_MAX 64
#define LABEL_MAX 63
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define ATOM LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~" /* RFC 5322 3.2.3 */

static bool local_is_good(const char *s, size_t n)
{
	if (n == 0 || n > LOCAL_MAX || s[0] == '.' || s[0] == '-' || s[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' ? s[i + 1] == '.' : !strchr(ATOM, s[i]))
			return false;
	}
	return true;
}

static bool label_is_good(const char *s, size_t n)
{
	return n > 0 && n <= LABEL_MAX && s[0] != '-' && s[n - 1] != '-' && strspn(s, LETTERS DIGITS "-") >= n;
}

static bool domain_is_good(const char *s)
{
	size_t labels = 0;
	for (;;) {
		size_t n = strcspn(s, ".");
		if (!label_is_good(s, n))
			return false;
		labels++;
		if (s[n] == '\0')
			return labels >= 2 && strspn(s, DIGITS) < n;
		s += n + 1;
	}
}

bool mail_is_good(const char *address)
{
	const char *at = strchr(address, '@');
	return at && strlen(address) <= MAIL_MAX && local_is_good(address, (size_t)(at - address)) &&
	       domain_is_good(at + 1);
}

enum err mail_check(const char *where, const char *address, struct fault *f)
{
	if (mail_is_good(address))
		return OK;
	return fault_raise(f, ERR_RULE, "mail_form", where, "found \"%s\", wanted a mail address as name@example.com",
			   ESC(address, strlen(address)));
}

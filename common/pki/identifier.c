/*
 * Check characters of organisations' identifiers.
 *
 * The two standards count in different alphabets: in an organisation code Z is 35, in a unified code, which leaves out
 * I, O, S, V and Z, it does not exist. A unified code holds an organisation code and so has two check characters to
 * hold. Rule identifier_form is for what is no such code at all, identifier_check for one whose check character
 * differs: real codes of the latter kind exist, and a policy may let an officer pass them.
 */
#include "common/pki/identifier.h"
#include "common/base/buf.h"

#include <string.h>

#define ORGCODE_LEN 10
#define USCC_LEN 18
#define ORGCODE_SOURCE "GB 11714-1997"
#define USCC_SOURCE "GB 32100-2015"

static const char orgcode_alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char uscc_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static int value_in(const char *alphabet, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

static enum err form(struct fault *f, const char *where, const char *code, size_t n, size_t at, const char *wanted,
		     const char *source)
{
	return fault_raise(f, ERR_PARSE, "identifier_form", where, "\"%s\": position %zu is \"%s\", wanted %s (%s)",
			   ESC(code, n), at + 1, ESC(code + at, 1), wanted, source);
}

static enum err check(struct fault *f, const char *where, const char *code, size_t n, size_t at, char wanted,
		      const char *source)
{
	if (code[at] == wanted)
		return OK;
	return fault_raise(f, ERR_RULE, "identifier_check", where,
			   "\"%s\": check character at position %zu is \"%c\", wanted \"%c\" (%s)", ESC(code, n),
			   at + 1, code[at], wanted, source);
}

/* GB 11714-1997 4: 11 - (sum of value times weight mod 11), 10 is X, 11 is 0. Eight characters of the alphabet. */
static char orgcode_check_char(const char *body)
{
	static const int weights[8] = {3, 7, 9, 10, 5, 8, 4, 2};
	int sum = 0;
	for (size_t i = 0; i < 8; i++)
		sum += value_in(orgcode_alphabet, body[i]) * weights[i];
	return "0X987654321"[sum % 11];
}

/* GB 32100-2015 5: weights are 3^(i-1) mod 31; 31 - (sum mod 31), 31 is 0. Seventeen characters of the alphabet. */
static char uscc_check_char(const char *code)
{
	int sum = 0, weight = 1;
	for (size_t i = 0; i < USCC_LEN - 1; i++) {
		sum += value_in(uscc_alphabet, code[i]) * weight;
		weight = weight * 3 % 31;
	}
	return uscc_alphabet[(31 - sum % 31) % 31];
}

enum err orgcode_check(const char *where, const char *code, size_t n, struct fault *f)
{
	if (n != ORGCODE_LEN)
		return fault_raise(f, ERR_PARSE, "identifier_form", where,
				   "\"%s\" has %zu bytes, wanted XXXXXXXX-X (%s)", ESC(code, n), n, ORGCODE_SOURCE);
	for (size_t i = 0; i < 8; i++) {
		if (value_in(orgcode_alphabet, code[i]) < 0)
			return form(f, where, code, n, i, "0-9 or A-Z", ORGCODE_SOURCE);
	}
	if (code[8] != '-')
		return form(f, where, code, n, 8, "a hyphen", ORGCODE_SOURCE);
	if (value_in("0123456789X", code[9]) < 0)
		return form(f, where, code, n, 9, "0-9 or X", ORGCODE_SOURCE);
	return check(f, where, code, n, 9, orgcode_check_char(code), ORGCODE_SOURCE);
}

/* GB 32100-2015 4: who registered (1), what kind (1), where (6 digits, GB/T 2260), organisation code (9), check (1). */
static enum err uscc_form(const char *where, const char *code, size_t n, struct fault *f)
{
	if (n != USCC_LEN)
		return fault_raise(f, ERR_PARSE, "identifier_form", where, "\"%s\" has %zu bytes, wanted 18 (%s)",
				   ESC(code, n), n, USCC_SOURCE);
	for (size_t i = 0; i < USCC_LEN; i++) {
		if (value_in(uscc_alphabet, code[i]) < 0)
			return form(f, where, code, n, i, "0-9 or A-Z without I, O, S, V, Z", USCC_SOURCE);
		if (i >= 2 && i < 8 && code[i] > '9')
			return form(f, where, code, n, i, "a digit of the division's code (GB/T 2260)", USCC_SOURCE);
	}
	if (value_in("0123456789X", code[16]) < 0)
		return form(f, where, code, n, 16, "0-9 or X, the organisation code's check character", ORGCODE_SOURCE);
	return OK;
}

enum err uscc_check(const char *where, const char *code, size_t n, struct fault *f)
{
	TRY(uscc_form(where, code, n, f));
	TRY(check(f, where, code, n, USCC_LEN - 1, uscc_check_char(code), USCC_SOURCE));
	return check(f, where, code, n, 16, orgcode_check_char(code + 8), "inner organisation code, " ORGCODE_SOURCE);
}

enum err org_identifier_check(const char *where, const char *code, size_t n, struct fault *f)
{
	if (n == ORGCODE_LEN)
		return orgcode_check(where, code, n, f);
	if (n == USCC_LEN)
		return uscc_check(where, code, n, f);
	return fault_raise(f, ERR_PARSE, "identifier_form", where,
			   "\"%s\" has %zu bytes, wanted an organisation code of 10 (%s) or a unified code of 18 (%s)",
			   ESC(code, n), n, ORGCODE_SOURCE, USCC_SOURCE);
}

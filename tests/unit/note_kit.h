/*
 * What the tests of common/note share: refusals that are checked by kind and rule, edited texts, keys from seeds.
 */
#ifndef HUFU_TEST_NOTE_KIT_H
#define HUFU_TEST_NOTE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/note/note.h"

#include "common/base/cleanup.h" /* after the libraries' headers, whose helpers it then has */

#include <sodium.h>
#include <string.h>

/* The refusal must be of that kind and rule, name a place and say something. what is printed when it is not. */
static inline void check_refused(const char *what, enum err found, const struct fault *f, enum err kind,
				 const char *rule)
{
	if (found != kind || strcmp(f->rule, rule) != 0 || f->where[0] == '\0' || f->text[0] == '\0')
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted %s, rule \"%s\"", what,
			 found == OK ? "ok" : err_word(found), f->rule, f->where, f->text, err_word(kind), rule);
}

static inline void check_ok(const char *what, enum err found, const struct fault *f)
{
	if (found != OK)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted ok", what, err_word(found), f->rule, f->where,
			 f->text);
}

/* text with its first `find` replaced (with NULL: cut from there). Gives: free(). */
static inline char *edited(const char *text, const char *find, const char *with)
{
	const char *at = strstr(text, find);

	assert_non_null(at);
	if (with == NULL)
		return xstrndup(text, (size_t)(at - text));
	return xasprintf("%.*s%s%s", (int)(at - text), text, with, at + strlen(find));
}

struct keypair {
	uint8_t public_key[ED25519_KEY], secret[ED25519_SECRET];
};
static inline struct keypair keypair_of(uint8_t seed)
{
	uint8_t bytes[32];
	struct keypair k;

	memset(bytes, seed, sizeof(bytes));
	assert_int_equal(crypto_sign_seed_keypair(k.public_key, k.secret, bytes), 0);
	return k;
}

/* Byte values that break texts in different ways. */
static const uint8_t nasty_bytes[] = {0x00, 0x01, '\t', '\n', '\r', ' ', '"', '+', ',', '-',  '.',  '/',  '0',	'1',
				      '9',  ':',  '=',	'A',  'F',  'Z', 'a', 'f', 'z', 0x7f, 0x80, 0xc2, 0xe2, 0xff};

#endif

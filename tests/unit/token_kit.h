/*
 * A desk with a token key, and the secret half of it, for tests about tokens. Included behind ra_fixture.h.
 */
#ifndef HUFU_TEST_TOKEN_KIT_H
#define HUFU_TEST_TOKEN_KIT_H

#include "common/base/puk.h"

#include <sodium.h>
#include <string.h>

struct token_kit {
	uint8_t key[PUK_KEY];
	struct secret secret;
};

static inline void token_kit_make(struct token_kit *k)
{
	secret_alloc(&k->secret, PUK_KEY);
	crypto_box_keypair(k->key, k->secret.p);
}

/* The desk is opened anew, with the key in its configuration. */
static inline void token_kit_begin(struct fx *x, struct token_kit *k)
{
	char hex[2 * PUK_KEY + 1];
	token_kit_make(k);
	hex_lower(k->key, PUK_KEY, hex);
	fx_write(x, "token.pub", hex);
	fx_configure(x, "tokens: {key: token.pub}\n");
}

static inline void token_kit_done(struct token_kit *k)
{
	secret_done(&k->secret);
}

static inline void token_kit_set(struct puk_set *s, const char *puk)
{
	secret_alloc(&s->puk[s->n], strlen(puk));
	memcpy(s->puk[s->n++].p, puk, strlen(puk));
}

/* A sealed PUK of that token, base64. Gives: free(). */
static inline char *token_kit_puk(const uint8_t key[PUK_KEY], const char *serial, const char *puk)
{
	_cleanup_buf_ struct buf box = {0}, text = {0};
	_cleanup_(puk_set_done) struct puk_set s = {0};
	struct fault f = {0};
	token_kit_set(&s, puk);
	assert_int_equal(puk_seal(key, serial, &s, &box, &f), OK);
	buf_base64(&text, box.data, box.len);
	return buf_take(&text, &(size_t){0});
}

/* The PUK in a box, which must be that of the token. Gives: free(). */
static inline char *token_kit_open(const struct token_kit *k, const char *serial, const char *text)
{
	_cleanup_buf_ struct buf box = {0};
	_cleanup_(puk_set_done) struct puk_set s = {0};
	struct fault f = {0};
	assert_true(base64_decode(text, strlen(text), &box));
	assert_int_equal(puk_open(k->key, &k->secret, serial, buf_slice(&box), &s, &f), OK);
	return xstrndup((const char *)s.puk[0].p, s.puk[0].n);
}

#endif

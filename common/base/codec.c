/*
 * Bytes as text and digests: hex, strict base64, SHA-256, random bytes.
 *
 * Decoders accept exactly one spelling of each value (hex: either case), because what is compared and hashed elsewhere
 * must not have two forms. Next: text.c.
 */
/* SHA256_Init() and its like: OpenSSL 3 has nothing in their place that takes no memory. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/base/buf.h"

#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void hex_with(const char *digits, const void *p, size_t n, char *ret)
{
	const uint8_t *in = p;
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[in[i] >> 4];
		ret[2 * i + 1] = digits[in[i] & 15];
	}
	ret[2 * n] = '\0';
}

void hex_lower(const void *p, size_t n, char *ret)
{
	hex_with("0123456789abcdef", p, n, ret);
}

void hex_upper(const void *p, size_t n, char *ret)
{
	hex_with("0123456789ABCDEF", p, n, ret);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *text, size_t text_len, uint8_t *ret, size_t n)
{
	if (text_len % 2 != 0 || text_len / 2 != n)
		return false;
	for (size_t i = 0; i < text_len; i++) {
		if (hex_value(text[i]) < 0)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint8_t)((unsigned)hex_value(text[2 * i]) << 4 | (unsigned)hex_value(text[2 * i + 1]));
	return true;
}

void buf_hex(struct buf *b, const void *p, size_t n)
{
	if (n > SIZE_MAX / 2)
		abort();
	buf_reserve(b, 2 * n);
	hex_lower(p, n, (char *)b->data + b->len);
	b->len += 2 * n;
}

void buf_base64(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = p;
	if (n > SIZE_MAX / 2)
		abort();
	buf_reserve(b, (n + 2) / 3 * 4);
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;
		if (i + 1 < n)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < n)
			v |= in[i + 2];
		char quad[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
				i + 2 < n ? digits[v & 63] : '='};
		buf_add(b, quad, 4);
	}
}

/* Value + 1; 0: no digit. */
static const uint8_t base64_digits[256] = {
	['A'] = 1, 2,  3,  4,  5,	   6,  7,  8,  9,  10, 11,	   12, 13, 14, 15,	   16,
	17,	   18, 19, 20, 21,	   22, 23, 24, 25, 26, ['a'] = 27, 28, 29, 30, 31,	   32,
	33,	   34, 35, 36, 37,	   38, 39, 40, 41, 42, 43,	   44, 45, 46, 47,	   48,
	49,	   50, 51, 52, ['0'] = 53, 54, 55, 56, 57, 58, 59,	   60, 61, 62, ['+'] = 63, ['/'] = 64};

/* Four digits. False: one is none. */
static bool base64_read(const char text[4], uint32_t *ret)
{
	uint32_t a = base64_digits[(uint8_t)text[0]] - 1u, b = base64_digits[(uint8_t)text[1]] - 1u;
	uint32_t c = base64_digits[(uint8_t)text[2]] - 1u, d = base64_digits[(uint8_t)text[3]] - 1u;
	*ret = a << 18 | b << 12 | c << 6 | d;
	return (a | b | c | d) < 64;
}

/* RFC 4648 3.5: the bits that padding leaves over must be zero. Nothing is appended unless all is well. */
bool base64_decode(const char *text, size_t text_len, struct buf *b)
{
	if (text_len % 4 != 0)
		return false;
	buf_reserve(b, text_len / 4 * 3);
	uint8_t *at = b->data + b->len;
	size_t pad = 0;
	for (size_t i = 0; i < text_len; i += 4) {
		char quad[4];
		uint32_t v;
		memcpy(quad, text + i, 4);
		if (i + 4 == text_len && quad[3] == '=') {
			pad = quad[2] == '=' ? 2 : 1;
			memset(quad + 4 - pad, 'A', pad);
		}
		if (!base64_read(quad, &v) || (pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff))) {
			b->data[b->len] = '\0';
			return false;
		}
		at[0] = (uint8_t)(v >> 16);
		at[1] = (uint8_t)(v >> 8);
		at[2] = (uint8_t)v;
		at += 3;
	}
	at -= pad;
	*at = '\0';
	b->len = (size_t)(at - b->data);
	return true;
}

/* Nearly all that is hashed is short: a context of EVP's takes longer than the hash of 500 bytes. */
void sha256(const void *p, size_t n, uint8_t ret[32])
{
	SHA256_CTX state;
	if (SHA256_Init(&state) != 1 || SHA256_Update(&state, p ? p : "", n) != 1 || SHA256_Final(ret, &state) != 1)
		abort();
	explicit_bzero(&state, sizeof(state)); /* of what may have been a secret */
}

void random_fill(void *p, size_t n)
{
	/* sodium_init is idempotent and safe from several threads; without it the generator is not set up. */
	if (sodium_init() < 0)
		abort();
	randombytes_buf(p, n);
}

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

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* RFC 4648 3.5: the bits that padding leaves over must be zero. Nothing is appended unless all is well. */
bool base64_decode(const char *text, size_t text_len, struct buf *b)
{
	if (text_len % 4 != 0)
		return false;
	size_t start = b->len;
	buf_reserve(b, text_len / 4 * 3);
	for (size_t i = 0; i < text_len; i += 4) {
		size_t pad = 0;
		if (i + 4 == text_len && text[i + 3] == '=')
			pad = text[i + 2] == '=' ? 2 : 1;
		uint32_t v = 0;
		bool good = true;
		for (size_t k = 0; k < 4 - pad; k++) {
			int digit = base64_value(text[i + k]);
			good = good && digit >= 0;
			v |= (uint32_t)(digit < 0 ? 0 : digit) << (18 - 6 * k);
		}
		if (!good || (pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff))) {
			b->len = start;
			b->data[start] = '\0';
			return false;
		}
		uint8_t three[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
		buf_add(b, three, 3 - pad);
	}
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

/*
 * The ten characters of a key. Fifty bits: who holds the desk and wants another key certified under characters that a
 * subscriber has read out must make some 2^50 keys, and each officer's own client compares.
 */
#include "common/pki/fingerprint.h"

#include <string.h>

#define GROUP 5

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static void put_chars(const uint8_t spki_sha256[32], char ret[FINGERPRINT_CHARS + 1])
{
	for (unsigned i = 0; i < FINGERPRINT_CHARS; i++) {
		unsigned bit = 5 * i, at = bit / 8;
		unsigned pair = (unsigned)spki_sha256[at] << 8 | spki_sha256[at + 1];
		ret[i] = alphabet[pair >> (11 - bit % 8) & 31];
	}
	ret[FINGERPRINT_CHARS] = '\0';
}

const char *fingerprint_text(const uint8_t spki_sha256[32], char ret[FINGERPRINT_TEXT])
{
	char all[FINGERPRINT_CHARS + 1];
	put_chars(spki_sha256, all);
	memcpy(ret, all, GROUP);
	ret[GROUP] = '-';
	memcpy(ret + GROUP + 1, all + GROUP, FINGERPRINT_CHARS - GROUP + 1);
	return ret;
}

bool fingerprint_parse(const char *typed, char ret[FINGERPRINT_CHARS + 1])
{
	unsigned n = 0;
	for (; *typed; typed++) {
		char ch = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;
		if (ch == ' ' || ch == '-')
			continue;
		if (n == FINGERPRINT_CHARS || !strchr(alphabet, ch))
			return false;
		ret[n++] = ch;
	}
	ret[n] = '\0';
	return n == FINGERPRINT_CHARS;
}

bool fingerprint_fits(const char parsed[FINGERPRINT_CHARS + 1], const uint8_t spki_sha256[32])
{
	char wanted[FINGERPRINT_CHARS + 1];
	put_chars(spki_sha256, wanted);
	return strcmp(parsed, wanted) == 0;
}

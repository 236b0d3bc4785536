/*
 * A key's fingerprint as people compare it: the ten characters that a subscriber reads out, or has on stamped paper, and
 * that an officer types before the officer's client shows anything of the key.
 *
 * They are the first 50 bits of the SHA-256 of the SubjectPublicKeyInfo in base32 (RFC 4648 section 6: A-Z and 2-7, so no
 * 0, 1, 8 or 9 to be mistaken), in two groups: "KZ3QA-7BTNX".
 */
#ifndef HUFU_PKI_FINGERPRINT_H
#define HUFU_PKI_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#define FINGERPRINT_CHARS 10
#define FINGERPRINT_TEXT (FINGERPRINT_CHARS + 2) /* with '-' and the NUL */

/* Returns ret. */
const char *fingerprint_text(const uint8_t spki_sha256[32], char ret[FINGERPRINT_TEXT]);
#define FINGERPRINT(spki_sha256) fingerprint_text((spki_sha256), (char[FINGERPRINT_TEXT]){0})

/* What a person typed: the ten characters in either case, with spaces and hyphens wherever. Gives them in capitals, without
 * these. false: it is not ten characters of that alphabet. */
bool fingerprint_parse(const char *typed, char ret[FINGERPRINT_CHARS + 1]);
/* Are they that key's? parsed: by fingerprint_parse(). */
bool fingerprint_fits(const char parsed[FINGERPRINT_CHARS + 1], const uint8_t spki_sha256[32]);

#endif

/*
 * Public keys: SubjectPublicKeyInfo walked by our own reader, strength judged, signatures verified.
 */
#ifndef HUFU_PKI_PUBKEY_H
#define HUFU_PKI_PUBKEY_H

#include "common/base/buf.h"

#include <openssl/evp.h>

enum key_alg { KEY_RSA, KEY_P256, KEY_P384, KEY_ED25519, KEY_SM2, KEY_ALG_N };
/* "rsa", "p256", "p384", "ed25519", "sm2". */
const char *key_alg_word(enum key_alg alg);
bool key_alg_from_word(const char *word, enum key_alg *ret);

#define PUBKEY_MAX_SPKI 1100 /* RSA-8192 fits */
struct pubkey {
	enum key_alg alg;
	unsigned bits;          /* modulus length for RSA, field size else */
	uint8_t spki[PUBKEY_MAX_SPKI];
	size_t spki_len;
	uint8_t spki_sha256[32]; /* over the whole SPKI: "the hash of the public key" */
	uint8_t key_id[20];      /* SHA-1 of the BIT STRING's content, RFC 5280 4.2.1.2 (1) */
	EVP_PKEY *pkey;          /* owned; NULL for P-256, see pubkey_evp() */
};
void pubkey_done(struct pubkey *k); /* accepts the zero state */
/* Any SPKI of a known algorithm, however weak: a point must be on its curve (uncompressed form only), RSA modulus odd
 * 1024-8192 bits, exponent odd > 1. Unknown algorithm or parameters: ERR_PARSE naming the OID found.
 * No d2i_PUBKEY, whose decoder takes longer than a verification; EC by EVP_PKEY_set1_encoded_public_key on a duplicated template, RSA by
 * EVP_PKEY_fromdata, and a P-256 key is kept as the octets that it is. */
MUST_CHECK enum err pubkey_parse(struct slice spki, struct pubkey *ret, struct fault *f);
/* As pubkey_parse(); where the SPKI is byte for byte that of `like` like's key is shared. */
MUST_CHECK enum err pubkey_parse_like(struct slice spki, const struct pubkey *like, struct pubkey *ret, struct fault *f);
/* The key as libcrypto has it: another reference, or made anew. Gives. */
EVP_PKEY *pubkey_evp(const struct pubkey *k);
/* Today's strength for a *new* key: RSA 2048-4096 bits (multiple of 8), e = 65537 or odd 17 bits and more, no known-weak modulus
 * (small factors, ROCA fingerprint); P-256, P-384, Ed25519, SM2. ERR_RULE key_strength. where names the object. */
MUST_CHECK enum err pubkey_check_strength(const struct pubkey *k, const char *where, struct fault *f);

/* Signature by the key's own scheme over msg: RSA PKCS#1 v1.5 SHA-256, ECDSA P-256/SHA-256, P-384/SHA-384 (strict DER, r and s in range), Ed25519,
 * SM2 with SM3 and id 1234567812345678. false: does not hold. */
bool pubkey_verify(const struct pubkey *k, struct slice msg, struct slice sig);
struct pubkey_claim {
	const struct pubkey *key;
	struct slice msg, sig;
	bool holds; /* set, as pubkey_verify() says */
};
/* P-256 ones at a time cost less than one after the other: up to LANES of them (common/pki/p256.h). */
void pubkey_verify_many(struct pubkey_claim *claims, size_t n);
/* As pubkey_verify, for RSA with the given digest ("SHA1", "SHA256", "SHA384", "SHA512"), ECDSA likewise: for certificates made elsewhere. */
bool pubkey_verify_md(const struct pubkey *k, const char *md, struct slice msg, struct slice sig);
/* C2SP signed-note type word of the scheme: "hufu/ecdsa-sha256", "hufu/ecdsa-sha384", "hufu/rsa-pkcs1-sha256", "hufu/ed25519", "hufu/sm2-sm3". */
const char *key_alg_note_type(enum key_alg alg);

/* AlgorithmIdentifier that a key of this kind signs with (SEQUENCE with tag). RSA: sha256WithRSAEncryption with NULL; ECDSA without parameters. */
void sigalg_put(enum key_alg alg, struct buf *ret);
/* r and s side by side, each as wide as the field, into the DER of RFC 3279 2.2.3. Appends to *ret. false: the key is
 * no elliptic one with such signatures, or the length is another. */
bool signature_der_from_rs(enum key_alg alg, struct slice raw, struct buf *ret);
/* What a signature AlgorithmIdentifier says: key algorithm family and digest name; weak = SHA-1 or MD5. ERR_PARSE names the OID. */
struct sigalg {
	enum { SIG_RSA, SIG_ECDSA, SIG_ED25519, SIG_SM2 } family;
	const char *md; /* NULL for Ed25519 and SM2 */
	bool weak;
};
MUST_CHECK enum err sigalg_parse(struct slice whole, struct sigalg *ret, struct fault *f);

#endif

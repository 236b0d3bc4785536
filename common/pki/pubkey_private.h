/*
 * What the files about keys share; nobody outside common/pki includes this.
 */
#ifndef HUFU_PKI_PUBKEY_PRIVATE_H
#define HUFU_PKI_PUBKEY_PRIVATE_H

#include "common/pki/pubkey.h"

/* The id that every other implementation expects (GM/T 0009 10); OpenSSL's default is an empty one. */
#define SM2_ID "1234567812345678"
/* The standard id, into the context of a signature or verification that has begun: as a parameter of the beginning itself it is
 * refused as too late by OpenSSL 3.0.19 (3.0.16 took it). GM/T 0009 10. */
bool sm2_set_id(EVP_PKEY_CTX *pctx);

struct key_info {
	const char *word, *note_type;
	const char *type, *group; /* libcrypto's names; group NULL: no curve to choose */
	const char *md;		  /* of the key's own scheme; NULL for Ed25519, whose digest is inside */
	unsigned bits;		  /* field size; 0 for RSA */
	struct slice algid;	  /* AlgorithmIdentifier of the SPKI, the only form */
	struct slice sigalg;	  /* AlgorithmIdentifier of the key's own signatures */
};
const struct key_info *key_info(enum key_alg alg);

/* A digest fetched once, or NULL: "MD5", "SHA1", "SHA256", "SHA384", "SHA512", "SM3". Borrows. */
const EVP_MD *digest_by_name(const char *md);

/* Of a and b behind each other; ret holds EVP_MAX_MD_SIZE or the digest's length, which is returned. */
size_t digest_two(const char *md, struct slice a, struct slice b, uint8_t *ret);
/* What SM2 hashes in front of a message: SM3 of id, curve and key (GB/T 32918.2 5.5). known_key.c. */
void sm2_prefix(const struct pubkey *key, uint8_t ret[32]);

/* RSAPublicKey's two numbers as INTEGER bodies, out of the BIT STRING's content. */
bool rsa_numbers(struct slice key_bits, struct slice *ret_n, struct slice *ret_e);

/* r and s of an ECDSA or SM2 signature as INTEGER bodies, if it has the one strict form. RFC 3279 2.2.3. */
bool rs_read(struct slice sig, unsigned field_bits, struct slice *ret_r, struct slice *ret_s);

/* May a key of that kind have made a signature of that family? */
bool sigalg_fits(const struct sigalg *s, enum key_alg alg);

#endif

/*
 * Certificates and CRLs built octet by octet, each part of them as the test wants it, and signed by keys that are made once.
 */
#ifndef HUFU_TEST_CERT_KIT_H
#define HUFU_TEST_CERT_KIT_H

#include "pki_kit.h"

#include "common/pki/cert.h"
#include "common/pki/sign.h"

#include <openssl/x509.h>

#include "common/base/cleanup.h"

static EVP_PKEY *keys[KEY_ALG_N], *leaf_key;

static int make_keys(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++)
		assert_ok(privkey_generate((enum key_alg)i, i == KEY_RSA ? 2048 : 0, &keys[i], &f), &f);
	assert_ok(privkey_generate(KEY_P256, 0, &leaf_key, &f), &f);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++)
		EVP_PKEY_free(keys[i]);
	EVP_PKEY_free(leaf_key);
	return 0;
}

#define SIG_P256 "300a06082a8648ce3d040302"
#define NAME_CA "300d310b300906035504030c024341" /* CN=CA */
#define NAME_EE "300d310b300906035504030c024545" /* CN=EE */
#define YEARS_20 "301e170d3230303130313030303030305a170d3239303130313030303030305a"
#define V3 "a003020102"
#define BC_CA "300f0603551d130101ff040530030101ff"
#define KU_CA "300e0603551d0f0101ff040403020106"

/* Pieces as hex; NULL: the good one. "" leaves a piece out. */
struct spec {
	const char *version, *serial, *inner, *issuer, *validity, *subject, *behind_key, *exts, *behind_exts, *outer,
		*behind;
};

static void add(struct buf *b, const char *hex, const char *otherwise)
{
	struct buf piece = unhex(hex ? hex : otherwise);
	buf_add_slice(b, buf_slice(&piece));
	buf_done(&piece);
}

/* exts is the content of the SEQUENCE, or NULL for no extensions at all. */
static void add_exts(struct buf *b, int tag, const char *exts)
{
	if (!exts)
		return;
	size_t explicit = der_begin(b, tag), list = der_begin(b, DER_SEQUENCE);
	add(b, exts, "");
	der_end(b, list);
	der_end(b, explicit);
}

/* signed bytes, algorithm, signature by the key. */
static struct buf seal(struct buf *tbs, const char *outer, EVP_PKEY *key, enum key_alg alg, const char *behind)
{
	struct buf sig = {0}, alg_der = {0}, der = {0};
	struct fault f = {0};
	sigalg_put(alg, &alg_der);
	assert_ok(privkey_sign(key, alg, buf_slice(tbs), &sig, &f), &f);
	size_t at = der_begin(&der, DER_SEQUENCE);
	buf_add_slice(&der, buf_slice(tbs));
	if (outer)
		add(&der, outer, "");
	else
		buf_add_slice(&der, buf_slice(&alg_der));
	der_put_bits(&der, buf_slice(&sig), 0);
	der_end(&der, at);
	add(&der, behind, "");
	buf_done(tbs);
	buf_done(&sig);
	buf_done(&alg_der);
	return der;
}

static struct buf build(const struct spec *s, EVP_PKEY *subject_key, EVP_PKEY *issuer_key, enum key_alg alg)
{
	struct buf tbs = {0}, alg_der = {0};
	struct pubkey k = {0};
	struct fault f = {0};
	assert_ok(privkey_public(subject_key, &k, &f), &f);
	sigalg_put(alg, &alg_der);
	size_t at = der_begin(&tbs, DER_SEQUENCE);
	add(&tbs, s->version, V3);
	add(&tbs, s->serial, "020874c2008800000ae9");
	if (s->inner)
		add(&tbs, s->inner, "");
	else
		buf_add_slice(&tbs, buf_slice(&alg_der));
	add(&tbs, s->issuer, NAME_CA);
	add(&tbs, s->validity, YEARS_20);
	add(&tbs, s->subject, NAME_EE);
	buf_add(&tbs, k.spki, k.spki_len);
	add(&tbs, s->behind_key, "");
	add_exts(&tbs, DER_CONTEXT_CONS(3), s->exts);
	add(&tbs, s->behind_exts, "");
	der_end(&tbs, at);
	pubkey_done(&k);
	buf_done(&alg_der);
	return seal(&tbs, s->outer, issuer_key, alg, s->behind);
}

static bool libcrypto_takes_crl(struct slice der)
{
	const unsigned char *p = der.p;
	X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)der.n);
	bool good = x && p == der.p + der.n;
	X509_CRL_free(x);
	return good;
}

#define EXT_X "300b 0603 2a0304 0404 05000500"
#define EXT_X_CRITICAL "300c 0603 2a0304 0101ff 0402 0500"

struct crl_spec {
	const char *version, *inner, *issuer, *times, *revoked, *exts, *behind_exts, *outer, *behind;
};

static struct buf build_crl(const struct crl_spec *s)
{
	struct buf tbs = {0};
	size_t at = der_begin(&tbs, DER_SEQUENCE);
	add(&tbs, s->version, "020101");
	add(&tbs, s->inner, SIG_P256);
	add(&tbs, s->issuer, NAME_CA);
	add(&tbs, s->times, "170d3236303130313030303030305a170d3236303230313030303030305a");
	if (s->revoked) {
		size_t list = der_begin(&tbs, DER_SEQUENCE);
		add(&tbs, s->revoked, "");
		der_end(&tbs, list);
	}
	add_exts(&tbs, DER_CONTEXT_CONS(0), s->exts);
	add(&tbs, s->behind_exts, "");
	der_end(&tbs, at);
	return seal(&tbs, s->outer, keys[KEY_P256], KEY_P256, s->behind);
}

#define DATE "170d3235303630313030303030305a"
#define ENTRY_1 "3012 020101 " DATE
#define ENTRY_E9 "3021 020200e9" DATE "300c 300a 0603551d15 0403 0a0103"
#define NUMBER "300a 0603551d14 0403 020107"

#endif

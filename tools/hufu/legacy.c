/*
 * The old authority of the demo. What it issues looks like what such authorities issued: RSA-2048 with SHA-256, one key
 * to sign and to decrypt.
 */
#include "tools/hufu/legacy.h"

#include "common/base/clock.h"
#include "common/base/file.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/base/cleanup.h"

static enum err failed(struct fault *f, const char *what)
{
	return fault_raise(f, ERR_CRYPTO, "legacy", "legacy", "libcrypto: %s failed", what);
}

void legacy_done(struct legacy_ca *l)
{
	EVP_PKEY_free(l->key);
	X509_free(l->cert);
	memset(l, 0, sizeof *l);
}

static bool add_name(X509_NAME *n, int nid, const char *value)
{
	return X509_NAME_add_entry_by_NID(n, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1;
}

static bool add_ext(X509 *c, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, c, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e && X509_add_ext(c, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool set_serial(X509 *c, const char *hex)
{
	BIGNUM *b = NULL;
	bool ok = BN_hex2bn(&b, hex) > 0 && BN_to_ASN1_INTEGER(b, X509_get_serialNumber(c));
	BN_free(b);
	return ok;
}

static bool set_validity(X509 *c, int64_t from, int64_t to)
{
	return ASN1_TIME_set(X509_getm_notBefore(c), from) && ASN1_TIME_set(X509_getm_notAfter(c), to);
}

enum err legacy_open(struct legacy_ca *ret, struct fault *f)
{
	struct legacy_ca l = {0};
	X509 *c = X509_new();
	int64_t now = clock_now();
	l.cert = c;
	l.key = EVP_RSA_gen(2048);
	X509_NAME *n = c ? X509_get_subject_name(c) : NULL;
	bool ok = n && l.key && X509_set_version(c, X509_VERSION_3) && set_serial(c, "0100000000000001") &&
		  add_name(n, NID_countryName, "CN") && add_name(n, NID_organizationName, "ZJCA") &&
		  add_name(n, NID_commonName, "ZJCA OCA2") && X509_set_issuer_name(c, n) &&
		  set_validity(c, time_add_months(now, -120), time_add_months(now, 120)) && X509_set_pubkey(c, l.key) &&
		  add_ext(c, c, NID_basic_constraints, "critical,CA:TRUE") &&
		  add_ext(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		  add_ext(c, c, NID_subject_key_identifier, "hash") && X509_sign(c, l.key, EVP_sha256()) > 0;
	if (!ok) {
		legacy_done(&l);
		return failed(f, "making the old authority");
	}
	*ret = l;
	return OK;
}

static enum err write_bio(BIO *b, const char *path, unsigned mode, struct fault *f)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);
	return file_write_new(path, slice_of(p, (size_t)n), mode, f);
}

static enum err write_pair(X509 *c, EVP_PKEY *key, const char *stem, struct fault *f)
{
	_cleanup_(bio_freep) BIO *cert = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
	_cleanup_(freep) char *pem = xasprintf("%s.pem", stem), *key_path = xasprintf("%s.key", stem);
	if (!cert || !secret || !PEM_write_bio_X509(cert, c) ||
	    !PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL))
		return failed(f, "writing the old certificate");
	TRY(write_bio(cert, pem, 0644, f));
	return write_bio(secret, key_path, 0600, f);
}

enum err legacy_issue(const struct legacy_ca *l, const struct legacy_subject *s, const char *stem, struct fault *f)
{
	_cleanup_(x509_freep) X509 *c = X509_new();
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = EVP_RSA_gen(2048);
	X509_NAME *n = c ? X509_get_subject_name(c) : NULL;
	bool ok = n && key && X509_set_version(c, X509_VERSION_3) && set_serial(c, s->serial_hex) &&
		  add_name(n, NID_countryName, "CN") && add_name(n, NID_organizationName, s->name) &&
		  add_name(n, NID_commonName, s->name) && add_name(n, OBJ_txt2nid("2.5.4.97"), s->identifier) &&
		  X509_set_issuer_name(c, X509_get_subject_name(l->cert)) &&
		  set_validity(c, s->not_before, s->not_after) && X509_set_pubkey(c, key) &&
		  add_ext(c, l->cert, NID_key_usage,
			  "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment") &&
		  add_ext(c, l->cert, NID_subject_key_identifier, "hash") &&
		  add_ext(c, l->cert, NID_authority_key_identifier, "keyid:always") &&
		  X509_sign(c, l->key, EVP_sha256()) > 0;
	if (!ok)
		return failed(f, "issuing the old certificate");
	return write_pair(c, key, stem, f);
}

enum err legacy_write_certificate(const struct legacy_ca *l, const char *path, struct fault *f)
{
	_cleanup_(bio_freep) BIO *b = BIO_new(BIO_s_mem());
	if (!b || !PEM_write_bio_X509(b, l->cert))
		return failed(f, "writing the old authority's certificate");
	return write_bio(b, path, 0644, f);
}

enum err legacy_write_crl(const struct legacy_ca *l, const char *path, struct fault *f)
{
	_cleanup_(x509_crl_freep) X509_CRL *crl = X509_CRL_new();
	_cleanup_(bio_freep) BIO *b = BIO_new(BIO_s_mem());
	ASN1_TIME *from = ASN1_TIME_set(NULL, clock_now() - 3600), *to = ASN1_TIME_set(NULL, clock_now() + 30 * 86400);
	bool ok = crl && b && from && to && X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
		  X509_CRL_set_issuer_name(crl, X509_get_subject_name(l->cert)) &&
		  X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, to) &&
		  X509_CRL_sign(crl, l->key, EVP_sha256()) > 0 && PEM_write_bio_X509_CRL(b, crl);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return ok ? write_bio(b, path, 0644, f) : failed(f, "writing the old authority's CRL");
}

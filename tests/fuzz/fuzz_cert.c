/*
 * Certificates: libcrypto reads whatever is read here and finds the same in every field and extension that decides
 * something; a signature that holds here holds there.
 */
#include "tests/fuzz/mutate.h"

#include "common/pki/cert.h" /* before libcrypto's header, which has macros of the same names as its constants */

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "common/base/cleanup.h"

static int64_t time_of(const ASN1_TIME *t)
{
	struct tm tm;
	must(ASN1_TIME_to_tm(t, &tm) == 1);
	return timegm(&tm);
}

static void same_name(struct slice ours, const X509_NAME *theirs)
{
	const uint8_t *der;
	size_t n;
	must(X509_NAME_get0_der(theirs, &der, &n) == 1);
	must_be(ours, slice_of(der, n));
}

static void same_frame(const struct cert *c, const X509 *x)
{
	uint8_t serial[SERIAL_MAX + 1];
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	must(bn && !BN_is_negative(bn) && BN_num_bytes(bn) <= SERIAL_MAX);
	must_be(slice_of(c->serial.b, c->serial.n), slice_of(serial, (size_t)BN_bn2bin(bn, serial)));
	BN_free(bn);
	same_name(c->issuer, X509_get_issuer_name(x));
	same_name(c->subject, X509_get_subject_name(x));
	must(c->not_before == time_of(X509_get0_notBefore(x)) && c->not_after == time_of(X509_get0_notAfter(x)));
	_cleanup_(evp_pkey_freep) EVP_PKEY *ours = pubkey_evp(&c->key);
	EVP_PKEY *key = X509_get0_pubkey(x);
	must(key && EVP_PKEY_eq(key, ours) == 1);
	must((int)c->n_exts == (X509_get_ext_count(x) > 0 ? X509_get_ext_count(x) : 0));
}

static void same_usage(const struct cert *c, const X509 *x)
{
	ASN1_BIT_STRING *ku = X509_get_ext_d2i(x, NID_key_usage, NULL, NULL);
	must((ku != NULL) == c->has_ku);
	for (int i = 0; ku && i < 16; i++)
		must(ASN1_BIT_STRING_get_bit(ku, i) == !!(c->key_usage & KU_BIT(i)));
	ASN1_BIT_STRING_free(ku);
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
	must((bc != NULL) == c->has_bc);
	must((bc && bc->ca) == c->is_ca);
	must((bc && bc->pathlen ? ASN1_INTEGER_get(bc->pathlen) : -1) == c->path_len);
	BASIC_CONSTRAINTS_free(bc);
}

static void same_string(struct slice ours, const ASN1_OCTET_STRING *theirs)
{
	must((theirs != NULL) == (ours.n > 0));
	if (theirs)
		must_be(ours, slice_of(ASN1_STRING_get0_data(theirs), (size_t)ASN1_STRING_length(theirs)));
}

/* authorityCertIssuer is looked at for form alone, so libcrypto may refuse a name in it. */
static bool names_issuer(const struct cert_ext *aki)
{
	struct der d = der_of(aki->value), inner;
	must(der_enter(&d, DER_SEQUENCE, &inner));
	(void)der_get(&inner, DER_CONTEXT(0), NULL);
	return der_peek(&inner) == DER_CONTEXT_CONS(1);
}

static void same_key_ids(const struct cert *c, const X509 *x)
{
	ASN1_OCTET_STRING *ski = X509_get_ext_d2i(x, NID_subject_key_identifier, NULL, NULL);
	same_string(c->ski, ski);
	ASN1_OCTET_STRING_free(ski);
	const struct cert_ext *ours = cert_ext(c, "2.5.29.35");
	AUTHORITY_KEYID *aki = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
	must(ours || !aki);
	if (aki)
		same_string(c->aki, aki->keyid);
	else
		must(!ours || names_issuer(ours));
	AUTHORITY_KEYID_free(aki);
}

/* SM2 with the id that is everybody's. Keys of other kinds fail when they are given one. */
static bool they_verify(X509 *x, enum key_alg alg)
{
	if (alg == KEY_SM2) {
		ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
		must(id && ASN1_OCTET_STRING_set(id, (const uint8_t *)"1234567812345678", 16));
		X509_set0_distinguishing_id(x, id);
	}
	return X509_verify(x, X509_get0_pubkey(x)) == 1;
}

MUTATES(mutate_der)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cert_done) struct cert c = {0};
	struct fault f = {0};
	enum err e = cert_parse(slice_of(data, size), &c, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	const uint8_t *p = data;
	_cleanup_(x509_freep) X509 *x = d2i_X509(NULL, &p, (long)size);
	must(x && p == data + size);
	same_frame(&c, x);
	same_usage(&c, x);
	same_key_ids(&c, x);
	e = cert_verify_by(&c, &c, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		must(they_verify(x, c.key.alg));
	ERR_clear_error();
	return 0;
}

/*
 * Requests: libcrypto reads whatever is read here, finds the same subject and key in it, and comes to the same
 * judgement of its signature.
 */
#include "tests/fuzz/mutate.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/cleanup.h"
#include "common/pki/csr.h"

/* libcrypto's verdict; SM2 with the id that is everybody's. Keys of other kinds fail when they are given one. */
static bool they_verify(X509_REQ *req, EVP_PKEY *key, enum key_alg alg)
{
	if (alg == KEY_SM2) {
		ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
		must(id && ASN1_OCTET_STRING_set(id, (const uint8_t *)"1234567812345678", 16));
		X509_REQ_set0_distinguishing_id(req, id);
	}
	return X509_REQ_verify(req, key) == 1;
}

MUTATES(mutate_der)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(csr_done) struct csr c = {0};
	struct fault f = {0};
	enum err e = csr_parse(slice_of(data, size), &c, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	const uint8_t *p = data, *subject;
	size_t subject_len;
	_cleanup_(x509_req_freep) X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)size);
	must(req && p == data + size && X509_REQ_get_version(req) == 0);
	must(X509_NAME_get0_der(X509_REQ_get_subject_name(req), &subject, &subject_len) == 1);
	must_be(c.subject, slice_of(subject, subject_len));
	_cleanup_(evp_pkey_freep) EVP_PKEY *ours = pubkey_evp(&c.key);
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);
	must(key && EVP_PKEY_eq(key, ours) == 1);
	e = csr_verify(&c, &f);
	if (e != OK)
		must_refuse(e, &f);
	must((e == OK) == they_verify(req, key, c.key.alg));
	ERR_clear_error();
	return 0;
}

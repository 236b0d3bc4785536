/*
 * CRLs: libcrypto reads whatever is read here, and each serial that it finds in there is found here, with the time and
 * reason of its first entry.
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

/* X509_CRL_get_REVOKED() keeps the order of the file until something is looked up. */
static X509_REVOKED *first_of(STACK_OF(X509_REVOKED) * list, const ASN1_INTEGER *serial)
{
	for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
		X509_REVOKED *r = sk_X509_REVOKED_value(list, i);
		if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(r), serial) == 0)
			return r;
	}
	return NULL;
}

static void same_entry(const struct crl *c, STACK_OF(X509_REVOKED) * list, const ASN1_INTEGER *serial)
{
	struct serial s = {0};
	bool found;
	int64_t when;
	unsigned reason;
	BIGNUM *bn = ASN1_INTEGER_to_BN(serial, NULL);
	must(bn && !BN_is_negative(bn) && BN_num_bytes(bn) <= SERIAL_MAX);
	s.n = (size_t)BN_bn2bin(bn, s.b);
	BN_free(bn);
	must(crl_find(c, &s, &found, &when, &reason, NULL) == OK && found);
	X509_REVOKED *theirs = first_of(list, serial);
	must(when == time_of(X509_REVOKED_get0_revocationDate(theirs)));
	ASN1_ENUMERATED *why = X509_REVOKED_get_ext_d2i(theirs, NID_crl_reason, NULL, NULL);
	must((why ? ASN1_ENUMERATED_get(why) : 0) == (long)reason);
	ASN1_ENUMERATED_free(why);
}

static void same_list(const struct crl *c, X509_CRL *x)
{
	const uint8_t *der;
	size_t n;
	must(X509_NAME_get0_der(X509_CRL_get_issuer(x), &der, &n) == 1);
	must_be(c->issuer, slice_of(der, n));
	must(c->this_update == time_of(X509_CRL_get0_lastUpdate(x)));
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(x);
	must(c->next_update == (next ? time_of(next) : 0));
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(x, NID_crl_number, NULL, NULL);
	must((number != NULL) == (c->number.n > 0));
	ASN1_INTEGER_free(number);
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(x);
	for (int i = 0; i < sk_X509_REVOKED_num(revoked); i++)
		same_entry(c, revoked, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)));
}

MUTATES(mutate_der)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crl c = {0};
	struct fault f = {0};
	enum err e = crl_parse(slice_of(data, size), &c, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	const uint8_t *p = data;
	_cleanup_(x509_crl_freep) X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)size);
	must(x && p == data + size);
	same_list(&c, x);
	ERR_clear_error();
	return 0;
}

/*
 * A second reader: libcrypto parses what was built, and encodes it again to the same bytes. What it reads otherwise
 * than we wrote, other verifiers would too.
 *
 * The certificate is read by libcrypto's own reader of ASN.1 from a description that stands here, rather than as an
 * X509: that one decodes every part each time, and spends ten times as long on the key, which pubkey_parse() has had
 * it take already. Parts that are the same in many certificates are read once and then known (lint_seen.c).
 */
#include "ca/lint_private.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

static void octets_free(unsigned char *p)
{
	OPENSSL_free(p);
}
CLEANUP_PTR(X509_EXTENSION, extension_freep, X509_EXTENSION_free)
CLEANUP_PTR(unsigned char, octets_freep, octets_free)

/* --- extensions --- */

static void value_free(const X509V3_EXT_METHOD *method, void *value)
{
	if (method->it)
		ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
	else
		method->ext_free(value);
}

/* Decoded and encoded again; true also for extensions that libcrypto does not know. */
static bool value_same(X509_EXTENSION *e)
{
	const X509V3_EXT_METHOD *method = X509V3_EXT_get(e);
	if (!method)
		return true;
	void *value = X509V3_EXT_d2i(e);
	if (!value)
		return false;
	_cleanup_(extension_freep) X509_EXTENSION *again =
		X509V3_EXT_i2d(OBJ_obj2nid(X509_EXTENSION_get_object(e)), X509_EXTENSION_get_critical(e), value);
	value_free(method, value);
	return again && ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(again), X509_EXTENSION_get_data(e)) == 0;
}

/* Of a subject's names, a key's id, and what it does not know, libcrypto has nothing to say unless they are critical: only
 * whether they can be decoded, which value_same() asks. */
static bool flags_say_nothing(X509_EXTENSION *e)
{
	int nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));
	return !X509_EXTENSION_get_critical(e) &&
	       (nid == NID_subject_key_identifier || nid == NID_subject_alt_name || !X509V3_EXT_get(e));
}

/* What libcrypto finds wrong with the extension in a certificate: each is judged by itself there, and that there are no
 * two of a kind is a rule of its own. */
static bool flags_good(X509_EXTENSION *e)
{
	_cleanup_(x509_freep) X509 *x = X509_new();
	if (!x || X509_set_version(x, X509_VERSION_3) != 1 || X509_add_ext(x, e, -1) != 1)
		abort();
	return !(X509_get_extension_flags(x) & (EXFLAG_INVALID | EXFLAG_CRITICAL));
}

static bool written_same(X509_EXTENSION *e, struct slice der)
{
	_cleanup_(octets_freep) unsigned char *again = NULL;
	int n = i2d_X509_EXTENSION(e, &again);
	return n > 0 && slice_eq(slice_of(again, (size_t)n), der) && value_same(e);
}

static bool extension_good(struct slice der, char *why, size_t why_size)
{
	const unsigned char *p = der.p;
	char oid[64];
	_cleanup_(extension_freep) X509_EXTENSION *e = d2i_X509_EXTENSION(NULL, &p, (long)der.n);
	if (!e || p != der.p + der.n)
		return NO("libcrypto cannot read the extensions");
	bool kept = written_same(e, der);
	if (kept && flags_say_nothing(e))
		return true; /* cheap, and seldom the same in two certificates: others are worth the room */
	if (kept && flags_good(e)) {
		lint_see(LINT_SEEN_EXTENSION, der);
		return true;
	}
	OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(e), 1);
	if (!kept)
		return NO("libcrypto reads extension %s otherwise than it is written", oid);
	return NO("libcrypto finds extension %s invalid, or critical and does not know it", oid);
}

bool lint_libcrypto_extensions(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	bool good = true;
	for (struct der list = der_of(v.extensions); good && !der_at_end(&list);) {
		struct slice der;
		if (!der_get_whole(&list, DER_SEQUENCE, &der))
			return NO("libcrypto cannot read the extensions");
		if (lint_seen(LINT_SEEN_EXTENSION, der))
			continue;
		good = extension_good(der, why, why_size);
		ERR_clear_error();
	}
	return good;
}

/* --- the whole --- */

/* Certificate, TBSCertificate and SubjectPublicKeyInfo of RFC 5280 4.1. What is an ASN1_SEQUENCE here is read by
 * part_same(): as the bytes that it is, tag and length included. */
struct spki {
	ASN1_STRING *algorithm;
	ASN1_BIT_STRING *key;
};
struct tbs {
	ASN1_INTEGER *version, *serial;
	ASN1_STRING *sigalg, *issuer;
	X509_VAL *validity;
	ASN1_STRING *subject;
	struct spki *spki;
	ASN1_STRING *extensions;
};
struct whole {
	struct tbs *tbs;
	ASN1_STRING *sigalg;
	ASN1_BIT_STRING *signature;
};
/* These macros want no semicolon; the last has one for the formatter. */
/* clang-format off */
ASN1_SEQUENCE(spki) = {
	ASN1_SIMPLE(struct spki, algorithm, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct spki, key, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct spki, spki)
ASN1_SEQUENCE(tbs) = {
	ASN1_EXP_OPT(struct tbs, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(struct tbs, serial, ASN1_INTEGER),
	ASN1_SIMPLE(struct tbs, sigalg, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct tbs, issuer, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct tbs, validity, X509_VAL),
	ASN1_SIMPLE(struct tbs, subject, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct tbs, spki, spki),
	ASN1_EXP_OPT(struct tbs, extensions, ASN1_SEQUENCE, 3),
} static_ASN1_SEQUENCE_END_name(struct tbs, tbs)
ASN1_SEQUENCE(whole) = {
	ASN1_SIMPLE(struct whole, tbs, tbs),
	ASN1_SIMPLE(struct whole, sigalg, ASN1_SEQUENCE),
	ASN1_SIMPLE(struct whole, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct whole, whole)

/* A Name as it stands there. X509_NAME keeps the bytes that it was read from and gives them back for its own. */
ASN1_ITEM_TEMPLATE(rdn) = ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, rdn, X509_NAME_ENTRY)
static_ASN1_ITEM_TEMPLATE_END(rdn)
ASN1_ITEM_TEMPLATE(rdns) = ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, rdns, rdn)
static_ASN1_ITEM_TEMPLATE_END(rdns);
/* clang-format on */

/* Read as that, to the last byte, and written again to the same ones. */
static bool same(const ASN1_ITEM *as, struct slice der)
{
	_cleanup_(octets_freep) unsigned char *again = NULL;
	const unsigned char *p = der.p;
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &p, (long)der.n, as);
	int n = value && p == der.p + der.n ? ASN1_item_i2d(value, &again, as) : 0;
	ASN1_item_free(value, as);
	return n > 0 && slice_eq(slice_of(again, (size_t)n), der);
}

static bool part_same(enum lint_seen_as kind, const ASN1_ITEM *as, struct slice der)
{
	if (lint_seen(kind, der))
		return true;
	bool good = same(as, der);
	if (good)
		lint_see(kind, der);
	return good;
}

static bool algorithm_same(struct slice der)
{
	return part_same(LINT_SEEN_ALGORITHM, ASN1_ITEM_rptr(X509_ALGOR), der);
}

bool lint_libcrypto_same(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	struct der spki = der_of(v.spki), inner;
	struct slice algorithm;
	bool good = der_enter(&spki, DER_SEQUENCE, &inner) && der_get_whole(&inner, DER_SEQUENCE, &algorithm) &&
		    same(ASN1_ITEM_rptr(whole), in->cert->der) && algorithm_same(v.inner_sigalg) &&
		    algorithm_same(v.outer_sigalg) && algorithm_same(algorithm) &&
		    part_same(LINT_SEEN_NAME, ASN1_ITEM_rptr(rdns), v.issuer) && same(ASN1_ITEM_rptr(rdns), v.subject);
	ERR_clear_error();
	return good || NO("libcrypto cannot read the certificate, or writes what it has read to other bytes");
}

/*
 * A second reader: libcrypto parses what was built, and encodes it again to the same bytes. What it reads otherwise
 * than we wrote, other verifiers would too.
 *
 * The certificate is read in a library context without decoders: trying them all on the public key takes ten times as
 * long as the rest, and that the key is one libcrypto takes, pubkey_parse() has found by setting it.
 */
#include "ca/lint_private.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

static void octets_free(unsigned char *p)
{
	OPENSSL_free(p);
}
CLEANUP_PTR(X509_EXTENSION, extension_freep, X509_EXTENSION_free)
CLEANUP_PTR(unsigned char, octets_freep, octets_free)

static void value_free(const X509V3_EXT_METHOD *method, void *value)
{
	if (method->it)
		ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
	else
		method->ext_free(value);
}

/* Extensions that this thread has found good. Most of a certificate's are the same bytes in each of its profile, and
 * what libcrypto reads them as depends on them alone. */
#define SEEN_SETS 16u
#define SEEN_WAYS                                                                                                      \
	4u /* the one that was asked for longest ago makes room: a key's id comes once, a profile's bytes always */
#define SEEN_BYTES 251u
static _Thread_local struct {
	uint32_t asked;
	uint8_t n, der[SEEN_BYTES];
} seen[SEEN_SETS][SEEN_WAYS];
static _Thread_local uint32_t seen_turn;

static size_t seen_set(struct slice der)
{
	size_t sum = der.n;
	for (size_t i = 0; i < der.n; i++)
		sum = sum * 31 + der.p[i];
	return (sum ^ sum >> 16) % SEEN_SETS;
}

/* The extension's own bytes. */
static bool is_seen(struct slice der)
{
	size_t set = seen_set(der);
	for (size_t i = 0; i < SEEN_WAYS; i++) {
		if (der.n == 0 || !slice_eq(der, slice_of(seen[set][i].der, seen[set][i].n)))
			continue;
		seen[set][i].asked = ++seen_turn;
		return true;
	}
	return false;
}

static void see(struct slice der)
{
	size_t set = seen_set(der), oldest = 0;
	if (der.n > SEEN_BYTES)
		return;
	for (size_t i = 1; i < SEEN_WAYS; i++)
		if (seen[set][i].asked < seen[set][oldest].asked)
			oldest = i;
	memcpy(seen[set][oldest].der, der.p, der.n);
	seen[set][oldest].n = (uint8_t)der.n;
	seen[set][oldest].asked = ++seen_turn;
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

bool lint_libcrypto_extensions(const struct lint_input *in, char *why, size_t why_size)
{
	LOOK(v);
	bool good = true;
	for (struct der list = der_of(v.extensions); good && !der_at_end(&list);) {
		struct slice der;
		char oid[64];
		if (!der_get_whole(&list, DER_SEQUENCE, &der))
			return NO("libcrypto cannot read the extensions");
		if (is_seen(der))
			continue;
		const unsigned char *p = der.p;
		_cleanup_(extension_freep) X509_EXTENSION *e = d2i_X509_EXTENSION(NULL, &p, (long)der.n);
		good = e && p == der.p + der.n;
		if (good && value_same(e)) {
			see(der);
			continue;
		}
		ERR_clear_error();
		if (!good)
			break;
		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(e), 1);
		return NO("libcrypto reads extension %s otherwise than it is written", oid);
	}
	ERR_clear_error();
	return good || NO("libcrypto cannot read the extensions");
}

static bool read_by_libcrypto(const struct lint_input *in, X509 *x, char *why, size_t why_size)
{
	_cleanup_(octets_freep) unsigned char *tbs = NULL;
	LOOK(v);
	if (X509_get_extension_flags(x) & (EXFLAG_INVALID | EXFLAG_CRITICAL))
		return NO("libcrypto finds the extensions invalid, or a critical one that it does not know");
	/* "re": not the bytes that were read, but what libcrypto understood of them. */
	int n = i2d_re_X509_tbs(x, &tbs);
	if (n <= 0 || !slice_eq(slice_of(tbs, (size_t)n), v.tbs))
		return NO("libcrypto encodes what it has read to other bytes");
	return true;
}

static OSSL_LIB_CTX *bare;
static OSSL_PROVIDER *nothing;
static pthread_once_t bare_once = PTHREAD_ONCE_INIT;

static void bare_free(void)
{
	OSSL_PROVIDER_unload(nothing);
	OSSL_LIB_CTX_free(bare);
	bare = NULL;
}

/* The null provider keeps the default one from coming by itself. */
static void bare_make(void)
{
	bare = OSSL_LIB_CTX_new();
	nothing = bare ? OSSL_PROVIDER_load(bare, "null") : NULL;
	if (!nothing)
		abort();
	OPENSSL_atexit(bare_free);
}

bool lint_libcrypto_same(const struct lint_input *in, char *why, size_t why_size)
{
	const unsigned char *p = in->cert->der.p;
	pthread_once(&bare_once, bare_make);
	_cleanup_(x509_freep) X509 *x = X509_new_ex(bare, NULL);
	if (!x)
		abort();
	bool good = d2i_X509(&x, &p, (long)in->cert->der.n) && p == in->cert->der.p + in->cert->der.n;
	if (!good)
		lint_no(why, why_size, "libcrypto cannot read the certificate");
	else
		good = read_by_libcrypto(in, x, why, why_size);
	ERR_clear_error();
	return good;
}

/*
 * Public keys: libcrypto reads whatever is read here, by its own decoder, as the same key; strength is judged without
 * falling over.
 */
#include "tests/fuzz/mutate.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/base/cleanup.h"
#include "common/pki/pubkey.h"

MUTATES(mutate_der)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice der = slice_of(data, size);
	_cleanup_(pubkey_done) struct pubkey k = {0};
	struct sigalg alg;
	struct fault f = {0};
	enum err e = sigalg_parse(der, &alg, &f);
	if (e != OK)
		must_refuse(e, &f);
	e = pubkey_parse(der, &k, &f);
	if (e != OK) {
		must_refuse(e, &f);
		return 0;
	}
	const uint8_t *p = data;
	_cleanup_(evp_pkey_freep) EVP_PKEY *theirs = d2i_PUBKEY(NULL, &p, (long)size);
	_cleanup_(evp_pkey_freep) EVP_PKEY *ours = pubkey_evp(&k);
	must(theirs && p == data + size && EVP_PKEY_eq(theirs, ours) == 1);
	must(k.alg == KEY_ED25519 || (unsigned)EVP_PKEY_get_bits(theirs) == k.bits);
	must_be(slice_of(k.spki, k.spki_len), der);
	e = pubkey_check_strength(&k, "key", &f);
	if (e != OK)
		must_refuse(e, &f);
	must(!pubkey_verify(&k, der, der));
	ERR_clear_error();
	return 0;
}

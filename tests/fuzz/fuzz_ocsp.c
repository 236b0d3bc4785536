/*
 * OCSP requests, as DER and as a path's base64: what is taken names certificates inside the bytes and within its bounds.
 */
#include "tests/fuzz/mutate.h"

#include "ra/gate/ocsp_request.h"

#include "common/base/cleanup.h"

static void read_request(struct slice der)
{
	struct ocsp_request r;
	if (ocsp_request_parse(der, &r, NULL) != OK)
		return;
	must(r.n >= 1 && r.n <= OCSP_CERTS_MAX && r.nonce.n <= OCSP_NONCE_MAX);
	for (size_t i = 0; i < r.n; i++) {
		const struct ocsp_cert *c = &r.certs[i];
		must(c->whole.p >= der.p && c->whole.p + c->whole.n <= der.p + der.n && c->hash < OCSP_HASH_N);
		must(c->name_hash.n == (c->hash < OCSP_SHA256 ? 20 : 32) && c->key_hash.n == c->name_hash.n);
		must(c->any_serial || (c->serial.n >= 1 && c->serial.n <= SERIAL_MAX && c->serial.b[0] != 0));
	}
}

MUTATES(mutate_der)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(freep) char *path = xcalloc(size + 1, 1);
	read_request(slice_of(data, size));
	memcpy(path, data, size);
	if (ocsp_path_decode(path, &der, NULL) == OK)
		read_request(buf_slice(&der));
	return 0;
}

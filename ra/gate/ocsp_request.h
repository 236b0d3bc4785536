/*
 * OCSP requests, read strictly. RFC 6960 4.1, RFC 9654.
 */
#ifndef HUFU_RA_GATE_OCSP_REQUEST_H
#define HUFU_RA_GATE_OCSP_REQUEST_H

#include "common/pki/cert.h"

#define OCSP_REQUEST_MAX 16384u
#define OCSP_CERTS_MAX 32u
#define OCSP_NONCE_MAX 128u

/* With NULL as the algorithm's parameters or with none: an answer repeats what was asked. */
enum ocsp_hash { OCSP_SHA1, OCSP_SHA1_BARE, OCSP_SHA256, OCSP_SHA256_BARE, OCSP_SM3, OCSP_SM3_BARE, OCSP_HASH_N };
struct ocsp_cert {
	struct slice whole; /* CertID, with tag */
	enum ocsp_hash hash;
	struct slice name_hash, key_hash;
	struct serial serial;
	bool any_serial; /* serial is none that we could have given: zero, negative or too long */
};
struct ocsp_request {
	struct ocsp_cert certs[OCSP_CERTS_MAX];
	size_t n;
	struct slice nonce; /* content; n 0: none */
};
/* ret borrows der, and means nothing after an error. ERR_PARSE, ERR_LIMIT, ERR_RULE: all of them are malformedRequest. A signature is skipped: who asks does not matter. */
MUST_CHECK enum err ocsp_request_parse(struct slice der, struct ocsp_request *ret, struct fault *f);
/* The last part of a GET's path: base64 as RFC 6960 A.1 wants it, after the URL's own escapes were taken away. Appends the DER. ERR_PARSE. */
MUST_CHECK enum err ocsp_path_decode(const char *path, struct buf *ret, struct fault *f);

#endif

/*
 * Whole HTTP requests in a file, for wrk and once_run(): each behind its length in four octets.
 */
#ifndef HUFU_BENCHMARK_REQUESTS_H
#define HUFU_BENCHMARK_REQUESTS_H

#include "common/note/tally.h"

struct requests {
	struct buf id_head; /* of a CertID: algorithm and the issuer's hashes */
};
void requests_done(struct requests *r); /* accepts the zero state */
/* About certificates of that CA, DER. */
MUST_CHECK enum err requests_of(struct slice ca, struct requests *ret, struct fault *f);
/* Appends an OCSPRequest. */
void requests_put_der(const struct requests *r, const struct serial *serial, bool nonce, struct buf *b);
/* Appends the path by which a GET asks it. */
void requests_put_path(struct slice der, struct buf *b);

/* OCSP by GET, by POST, by POST with a nonce; a file of nginx's; status by serial number. */
enum form { FORM_GET, FORM_POST, FORM_NONCE, FORM_FILE, FORM_STATUS };
MUST_CHECK enum err requests_write(const struct requests *r, const char *path, enum form form, const struct serial *v, size_t n, struct fault *f);

#endif

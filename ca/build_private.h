/*
 * What leaf and CA certificates share: the head of a TBSCertificate. Private to ca/.
 */
#ifndef HUFU_CA_BUILD_PRIVATE_H
#define HUFU_CA_BUILD_PRIVATE_H

#include "ca/build.h"

struct tbs_head {
	const struct serial *serial;
	struct slice sigalg, issuer; /* DER with tag */
	int64_t not_before, not_after;
	const struct name *subject;
	const struct pubkey *key;
};
/* Opens the TBSCertificate and writes all up to the extensions, whose list is left open. RFC 5280 4.1.2. */
struct tbs_open {
	size_t tbs, wrapper, list;
};
struct tbs_open tbs_begin(const struct tbs_head *h, struct buf *ret);
void tbs_end(struct tbs_open o, struct buf *ret);
/* Values that have no encoding: serial of 1 to 20 octets, positive; a validity that ends after it begins, of years
 * 1950-9999; a subject. ERR_RULE build_serial, build_validity, build_subject. */
MUST_CHECK enum err tbs_check(const struct tbs_head *h, struct fault *f);

/* The issuer's own key identifier, which AKIs repeat. RFC 5280 4.2.1.1. */
static inline struct slice issuer_key_id(const struct cert *issuer)
{
	return issuer->ski.n ? issuer->ski : slice_of(issuer->key.key_id, sizeof(issuer->key.key_id));
}

#endif

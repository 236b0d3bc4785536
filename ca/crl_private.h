/*
 * What stands before and behind the entries of a CRL. Private to ca/crl*.c.
 */
#ifndef HUFU_CA_CRL_PRIVATE_H
#define HUFU_CA_CRL_PRIVATE_H

#include "ca/crl.h"

/* Refuses what cannot be signed. See crl_build(). */
MUST_CHECK enum err crl_check(const struct crl_build *b, struct fault *f);

/* Entries, one after the other. */
struct crl_walk {
	const struct crl_build *build;
	struct serial last;
	uint64_t count;
};
/* Appends the next entry; *ret_more false at the end. */
MUST_CHECK enum err crl_put_next(struct crl_walk *w, struct buf *ret, bool *ret_more, struct fault *f);

/* The TBSCertList around entries_len bytes of entries (0: none). */
struct crl_frame {
	struct buf head; /* from its tag to the first entry */
	struct buf tail; /* extensions */
};
void crl_frame_done(struct crl_frame *frame);
MUST_CHECK enum err crl_frame_make(const struct crl_build *b, uint64_t entries_len, struct crl_frame *ret, struct fault *f);
/* The CertificateList around a TBSCertList of tbs_len bytes: *head before, *tail behind it. */
void crl_sign_frame(const struct crl_build *b, size_t tbs_len, struct slice signature, struct buf *head, struct buf *tail);

#endif

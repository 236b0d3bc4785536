/*
 * What both sockets' handlers share.
 */
#ifndef HUFU_CA_SERVE_H
#define HUFU_CA_SERVE_H

#include "ca/signer.h"

/* Answers a TALLY; request is the whole message. */
void serve_tally(struct signer *s, bool by_operator, struct slice request, struct buf *reply);
/* Answers HEALTH and STATUS. */
MUST_CHECK enum err serve_health(struct signer *s, struct buf *reply, struct fault *f);
/* Answers CRL. */
MUST_CHECK enum err serve_crl(struct signer *s, struct slice request, struct buf *reply, struct fault *f);
/* Answers SEEN. */
MUST_CHECK enum err serve_seen(struct signer *s, struct slice request, struct buf *reply, struct fault *f);
/* Answers RECEIPT. */
MUST_CHECK enum err serve_receipt(struct signer *s, struct slice request, struct buf *reply, struct fault *f);
/* A fault as the answer, with the time after which a retry makes sense. */
void serve_fault(const struct fault *f, struct buf *reply);

#endif

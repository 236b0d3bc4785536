/*
 * What other CAs must revoke: the certificates that were adopted from them and have ended here.
 */
#ifndef HUFU_CA_ENDED_H
#define HUFU_CA_ENDED_H

#include "ca/signer.h"

/* One part of the list, WIRE_ENDED to WIRE_ENDED_IS. */
MUST_CHECK enum err serve_ended(struct signer *s, struct slice request, struct buf *reply, struct fault *f);

#endif

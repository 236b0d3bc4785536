/*
 * What of a call's signatures is done before its change has its turn with the database's writer.
 */
#ifndef HUFU_RA_AHEAD_H
#define HUFU_RA_AHEAD_H

#include "common/pki/cert.h"
#include "ra/desk.h"

/* The lines of a proof are verified as the request stands now, and a tally that no officer need look at is signed as RA where the call
 * hands it in. What is wrong is left for the change to say. Fills c->ahead: ahead_free(). */
void ahead_proof(struct ctx *c);
void ahead_free(struct ahead *a);
static inline void ahead_freep(struct ahead **a) { ahead_free(*a); *a = NULL; }

/* Does the one line of that note hold under that key? Verified unless it was found to hold before. Borrows. */
bool ahead_holds(struct ctx *c, const struct note *note, struct slice bytes, const struct pubkey *key);
/* The certificate that these bytes are; parsed unless it was before. *ret borrows them: they may be others of the same content afterwards. */
MUST_CHECK enum err ahead_cert(struct ctx *c, struct buf *der, struct cert *ret, struct fault *f);
/* The RA's key, which signs unless it has signed that text before. Borrows c. */
struct note_signer ahead_signer(struct ctx *c);

#endif

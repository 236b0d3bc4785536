/*
 * The status feed: of each ledger entry what relying parties may hear, vouched for by the log key, so that programs at the edge
 * get the status of every certificate and no customer's data. And the tree's hashes, for everybody.
 */
#ifndef HUFU_CA_FEED_H
#define HUFU_CA_FEED_H

#include "ca/signer.h"

/* Appends the answer to a FEED of at most m->max entries; does not wait. A `from` behind the ledger's end gets an empty part that ends where the
 * ledger does: whoever has followed further finds out. */
MUST_CHECK enum err feed_make(struct signer *s, const struct wire_feed *m, struct buf *reply, struct fault *f);
/* Appends the answer to a TILE. ERR_NOT_FOUND tile_unknown when the tree has not so many nodes, ERR_RULE tile_level for a level that no tile has. */
MUST_CHECK enum err feed_tile(struct signer *s, const struct wire_tile *m, struct buf *reply, struct fault *f);

#endif

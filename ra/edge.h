/*
 * edge.*: what the gates at the edge get from the desk, which hands it on from the signer: the status feed, the tree's hashes, and certificates for
 * their responders' keys. Nothing of it is believed because the desk says it.
 */
#ifndef HUFU_RA_EDGE_H
#define HUFU_RA_EDGE_H

#include "ra/desk.h"

enum err edge_feed(struct ctx *c, json_t **ret, struct fault *f);
enum err edge_tile(struct ctx *c, json_t **ret, struct fault *f);
enum err edge_responder(struct ctx *c, json_t **ret, struct fault *f);

#endif

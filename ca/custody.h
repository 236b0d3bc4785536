/*
 * Custody of the CA key on the signer's side: splits by the officers' order, gathers the custodians' shares, opens the key when there are enough.
 *
 * A new set comes into force only when as many of its custodians as it asks for have submitted their shares, so a key that nobody can open is
 * found while it is still open. From then on a passphrase opens nothing, and the shares of the set before are of no use to the new sealed key.
 * Files in the state folder: unlock.key, custody.note (in force), custody-next.note (waits for its custodians).
 */
#ifndef HUFU_CA_CUSTODY_H
#define HUFU_CA_CUSTODY_H

#include "ca/key.h"
#include "common/note/custody.h"
#include "common/note/roster.h"
#include "common/rpc/wire.h"

struct ca_custody; /* thread-safe */
/* Makes the unlock key when there is none. issuer and place (of its key, see ca_key_open) are borrowed. What the shares hold opens the sealed key or, of a key
 * in a token, its sealed PIN. Gives: ca_custody_free(). */
MUST_CHECK enum err ca_custody_open(const char *state, const struct cert *issuer, const char *place, struct ca_custody **ret, struct fault *f);
void ca_custody_free(struct ca_custody *c);
/* Do custodians open the key, and no passphrase? */
bool ca_custody_in_force(struct ca_custody *c);
/* "1 of 3 custodians' shares are here", or "" when no set is in force. Returns ret. */
const char *ca_custody_waits(struct ca_custody *c, char *ret, size_t size);
/* Appends CUSTODY_IS. */
void ca_custody_say(struct ca_custody *c, bool locked, struct buf *reply);
/* A new set by an order of the roster's quorum that names the set in force; kept as next. key: open. The order that made the next set already: OK,
 * and nothing changes. ERR_RULE quorum, custody_sequence, custodian_unknown, signer_not_in_roster. */
MUST_CHECK enum err ca_custody_split(struct ca_custody *c, const struct roster *r, const struct ca_key *key, struct slice note, struct fault *f);
/* One custodian's share, for either set. *ret_key: the CA key once there are enough, else NULL. The same one again: OK. ERR_RULE challenge_old,
 * set_unknown, not_the_custodian, share_wrong. Gives: ca_key_free(). */
MUST_CHECK enum err ca_custody_submit(struct ca_custody *c, const struct roster *r, struct slice note, struct ca_key **ret_key, struct fault *f);

#endif

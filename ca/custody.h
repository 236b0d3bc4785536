/*
 * Custody of the CA's keys on the signer's side: splits by the officers' order, gathers the custodians' shares, opens the keys when there are enough.
 * A set opens each key that the CA had when it was made: that of the issuing CA, and those of CAs that were rolled. A key that came later, by a roll,
 * is opened by its passphrase until the next set takes it in.
 *
 * A new set comes into force only when as many of its custodians as it asks for have submitted their shares, so a key that nobody can open is
 * found while it is still open. From then on a passphrase opens none of its keys, and the shares of the set before are of no use to the new sealed ones.
 * Files in the state folder: unlock.key, custody.note (in force), custody-next.note (waits for its custodians).
 */
#ifndef HUFU_CA_CUSTODY_H
#define HUFU_CA_CUSTODY_H

#include "ca/key.h"
#include "common/note/custody.h"
#include "common/note/roster.h"
#include "common/rpc/wire.h"

/* One of the CA's keys: its certificate, and its place (see ca_key_open); NULL: the key is no more. Borrowed. */
struct ca_custody_key {
	const struct cert *cert;
	const char *place;
};
struct ca_custody; /* thread-safe */
/* Makes the unlock key when there is none. ca: the CA's name. keys: at most CUSTODY_KEYS, that of the issuing CA first; arrays of keys below are in
 * this order. What the shares hold opens the sealed keys or, of a key in a token, its sealed PIN. Gives: ca_custody_free(). ERR_CONFIG custody_ca: the
 * set is another CA's. */
MUST_CHECK enum err ca_custody_open(const char *state, const uint8_t ca[20], const struct ca_custody_key *keys, size_t n, struct ca_custody **ret, struct fault *f);
void ca_custody_free(struct ca_custody *c);
/* Do custodians open the key with that id, and no passphrase? */
bool ca_custody_holds(struct ca_custody *c, const uint8_t key_id[20]);
/* "1 of 3 custodians' shares are here", or "" when the set in force does not open that key. Returns ret. */
const char *ca_custody_waits(struct ca_custody *c, const uint8_t key_id[20], char *ret, size_t size);
/* Appends CUSTODY_IS. open: which keys are. */
void ca_custody_say(struct ca_custody *c, const bool open[CUSTODY_KEYS], struct buf *reply);
/* A new set by an order of the roster's quorum that names the set in force; kept as next. keys: open, NULL where the key is no more. The order that
 * made the next set already: OK, and nothing changes. ERR_RULE quorum, custody_ca, custody_sequence, custodian_unknown, signer_not_in_roster. */
MUST_CHECK enum err ca_custody_split(struct ca_custody *c, const struct roster *r, const struct ca_key *const keys[CUSTODY_KEYS], struct slice note, struct fault *f);
/* One custodian's share, for either set. ret_keys: what the set opens once there are enough shares, else NULL. Of the set in force, a retired CA's key
 * that does not open (its token is away) is left out, with a warning. The same share again: OK. ERR_RULE challenge_old, set_unknown, not_the_custodian,
 * share_wrong. Gives: ca_key_free(). */
MUST_CHECK enum err ca_custody_submit(struct ca_custody *c, const struct roster *r, struct slice note, struct ca_key *ret_keys[CUSTODY_KEYS], struct fault *f);
static inline void ca_custody_keys_free(struct ca_key *keys[CUSTODY_KEYS])
{
	for (size_t i = 0; i < CUSTODY_KEYS; i++)
		ca_key_freep(&keys[i]);
}

#endif

/*
 * Custody: the secret that opens the CA's keys is split among custodians, m of n. Four texts, in which `ca` is the CA's name: the id of its first key:
 *
 *     hufu/custody/v1                     what is in force: kept by the signer, public
 *     ca: <key id>                        of the CA's first key
 *     set: <16 random bytes, hex>         another one with each splitting
 *     threshold: 3
 *     made: <time>
 *     custodian: 1 carol <tag> <box | ->  place, name in the roster, SHA-256 that tells the right share; the box until its taker has proved it
 *     key: <base64>                       the key whose id is `ca`, sealed (common/base/secret.h) under the secret
 *     key: <key id> <base64>              after a roll: another key of this CA, the same; one or more keys in all
 *
 *     hufu/share/v1                       one custodian's share: ca, set, threshold, place, custodian, tag, box
 *     hufu/custody-order/v1               officers' quorum: ca, previous (set or none), threshold, made, custodian: <name> (sorted, one or more)
 *     hufu/submission/v1                  the custodian, to a signer that waits: ca, set, place, challenge, made, box
 *
 * A box is crypto_box_seal (X25519, XSalsa20-Poly1305) of the share to the X25519 form of a roster key: the custodian's, or, in a submission, that
 * of the signer's unlock key (role signer), so that nobody between can read it. The challenge is the running signer's own, so that a submission
 * is of no use to the next start.
 */
#ifndef HUFU_NOTE_CUSTODY_H
#define HUFU_NOTE_CUSTODY_H

#include "common/note/person.h"
#include "common/note/shamir.h"
#include "common/note/tally.h"

#define CUSTODY_SECRET 32
#define CUSTODY_SET 16
#define CUSTODY_CHALLENGE 32
#define CUSTODY_BOX (CUSTODY_SECRET + 48) /* crypto_box_SEALBYTES */
#define CUSTODY_LEAST 2			  /* threshold */
#define CUSTODY_MOST 7
#define CUSTODY_PEOPLE 3		  /* custodians, at least: 2 of 2 would lose the key with one share */
#define CUSTODY_KEYS 8			  /* of a CA: of the one that issues, and those before it */

struct custody_place {
	char name[TALLY_WORD];
	uint8_t tag[32];
	bool has_box;
	uint8_t box[CUSTODY_BOX];
};
struct custody_key {
	uint8_t id[20];
	struct buf sealed;
};
struct custody {
	uint8_t ca[20], set[CUSTODY_SET];
	unsigned threshold, n;
	int64_t made;
	struct custody_place places[SHAMIR_MAX]; /* place i + 1 */
	struct custody_key keys[CUSTODY_KEYS];
	unsigned n_keys;
};
void custody_done(struct custody *c);
/* Zero-init *ret. */
MUST_CHECK enum err custody_parse(struct slice text, struct custody *ret, struct fault *f);
void custody_put(const struct custody *c, struct buf *ret);
/* The key with that id; NULL: the set does not open it. Borrows. */
const struct custody_key *custody_key_by_id(const struct custody *c, const uint8_t id[20]);
/* What stands in a custodian's place: SHA-256 over a prefix, ca, set, place and share. The share is random, so its hash tells nothing. */
void custody_tag(const uint8_t ca[20], const uint8_t set[CUSTODY_SET], unsigned place, const uint8_t share[CUSTODY_SECRET], uint8_t ret[32]);

struct custody_share {
	uint8_t ca[20], set[CUSTODY_SET], tag[32], box[CUSTODY_BOX];
	unsigned threshold, place;
	char name[TALLY_WORD];
};
MUST_CHECK enum err custody_share_parse(struct slice text, struct custody_share *ret, struct fault *f);
/* The share of a place that has its box still. */
void custody_share_put(const struct custody *c, unsigned place, struct buf *ret);

struct custody_order {
	uint8_t ca[20], previous[CUSTODY_SET];
	bool has_previous;
	unsigned threshold, n;
	int64_t made;
	char names[SHAMIR_MAX][TALLY_WORD];
};
MUST_CHECK enum err custody_order_parse(struct slice text, struct custody_order *ret, struct fault *f);
void custody_order_put(const struct custody_order *o, struct buf *ret);

struct custody_submission {
	uint8_t ca[20], set[CUSTODY_SET], challenge[CUSTODY_CHALLENGE], box[CUSTODY_BOX];
	unsigned place;
	int64_t made;
};
MUST_CHECK enum err custody_submission_parse(struct slice text, struct custody_submission *ret, struct fault *f);
void custody_submission_put(const struct custody_submission *s, struct buf *ret);

/* To an Ed25519 key of the roster. ERR_CRYPTO when it has no X25519 form. */
MUST_CHECK enum err custody_box(const uint8_t key[ED25519_KEY], const uint8_t share[CUSTODY_SECRET], uint8_t ret[CUSTODY_BOX], struct fault *f);
/* ERR_CRYPTO box_closed: sealed to another key, or altered. Gives: secret_done(). */
MUST_CHECK enum err custody_unbox(const struct person_key *key, const uint8_t box[CUSTODY_BOX], struct secret *ret, struct fault *f);

#endif

/*
 * Checkpoints: what a ledger's Merkle tree was at one size, signed by the log key. C2SP tlog-checkpoint.
 *
 *     hufu/log/<CA's key id>                    the origin; also the name of the signature's key
 *     <number of entries>
 *     <base64 of the root, RFC 6962 2.1>
 */
#ifndef HUFU_NOTE_CHECKPOINT_H
#define HUFU_NOTE_CHECKPOINT_H

#include "common/note/merkle.h"
#include "common/note/note.h"

#define CHECKPOINT_ORIGIN "hufu/log/"
#define CHECKPOINT_ORIGIN_SIZE (sizeof(CHECKPOINT_ORIGIN) + 40)
#define CHECKPOINT_MAX_BYTES 512

/* The public half of a log's key, as its verifier key says it ("<origin>+<hash>+<base64>"). */
struct log_key {
	char origin[CHECKPOINT_ORIGIN_SIZE];
	uint8_t key[ED25519_KEY];
};
/* The origin of that CA's ledger. */
void log_origin(const uint8_t ca[20], char ret[CHECKPOINT_ORIGIN_SIZE]);
/* Whose log an origin that was read is. */
void checkpoint_origin_ca(const char origin[CHECKPOINT_ORIGIN_SIZE], uint8_t ret[20]);
/* A verifier key, one line with or without its newline. ERR_PARSE; ERR_PARSE log_origin when the name is no ledger's. */
MUST_CHECK enum err log_key_parse(struct slice text, struct log_key *ret, struct fault *f);

struct checkpoint {
	char origin[CHECKPOINT_ORIGIN_SIZE];
	uint64_t size;
	uint8_t root[32];
};
void checkpoint_put(const struct checkpoint *c, struct buf *ret);
/* Strict: the text re-encodes to the same bytes. ERR_PARSE. */
MUST_CHECK enum err checkpoint_parse(struct slice text, struct checkpoint *ret, struct fault *f);
/* The text signed by the log's key; appends the note. */
MUST_CHECK enum err checkpoint_sign(const struct checkpoint *c, struct note_signer s, struct buf *ret, struct fault *f);
/* A note that is a checkpoint of that log: the origin is the key's, and its one line holds. ERR_PARSE; ERR_RULE log_origin; ERR_CRYPTO
 * log_signature. */
MUST_CHECK enum err checkpoint_open(struct slice note, const struct log_key *key, struct checkpoint *ret, struct fault *f);

#endif

/*
 * A part of the status feed: what the signer says that a stretch of its ledger does to certificates' status, signed by the log key.
 *
 *     hufu/status/v1
 *     log: hufu/log/<CA's key id>                the origin; also the name of the signature's key
 *     from: <index of the first entry>
 *     to: <index behind the last>
 *     root: <root of the tree of the first `to` entries>
 *     records: <SHA-256 of the records: each with its length before it, u32 big endian>
 *
 * Entries hold what is nobody's business outside; the records (wire.def, s_*) say of them what relying parties may hear. Since the log key vouches for both,
 * whoever hands a part on can withhold it and not shorten it.
 */
#ifndef HUFU_NOTE_FEED_H
#define HUFU_NOTE_FEED_H

#include "common/note/checkpoint.h"

#define FEED_KIND_LINE "hufu/status/v1"
#define FEED_MAX_BYTES 1024

struct feed_part {
	char origin[CHECKPOINT_ORIGIN_SIZE];
	uint64_t from, to;
	uint8_t root[32], records[32];
};
void feed_part_put(const struct feed_part *p, struct buf *ret);
/* The text signed by the log's key; appends the note. */
MUST_CHECK enum err feed_part_sign(const struct feed_part *p, struct note_signer s, struct buf *ret, struct fault *f);
/* A note that is a part of that log's feed: one line, the log's, and it holds; the records are those. ERR_PARSE; ERR_RULE log_origin, signer_unknown,
 * feed_records; ERR_CRYPTO log_signature. */
MUST_CHECK enum err feed_part_open(struct slice note, const struct log_key *key, const struct slice *records, size_t n, struct feed_part *ret,
				   struct fault *f);
/* The hash that a part names. */
void feed_records_sha256(const struct slice *records, size_t n, uint8_t ret[32]);

#endif

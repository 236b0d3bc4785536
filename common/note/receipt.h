/*
 * Receipts: what the ledger says of one certificate, with the proof, for anybody to check offline.
 *
 *     hufu/receipt/v1
 *     ca: <key id of the first key that the CA issued with: its name>
 *     tally: <id>
 *     certificate: <SHA-256 of its DER>
 *     issuer-key: <base64 of the SubjectPublicKeyInfo, DER, of the CA that the intent names as issuer>
 *     intent: <index> <base64 of the entry>            what was about to be signed: to-be-signed bytes, tally, roster, policy
 *     intent-path: none | <base64 of its hashes>       inclusion, RFC 9162 2.1.3
 *     outcome: <index> <base64 of the entry>           the signature
 *     outcome-path: none | <base64 of its hashes>
 *     predecessor: none | <index> <base64>             the entry with the certificate that this one follows, whose key signed the tally
 *     predecessor-path: none | <base64 of its hashes>
 *                                                      an empty line
 *     the checkpoint that the paths lead to            (checkpoint.h), a signed note
 *
 * The entries are those of common/rpc/wire.def. A receipt has one spelling: parsing accepts what encoding gives.
 */
#ifndef HUFU_NOTE_RECEIPT_H
#define HUFU_NOTE_RECEIPT_H

#include "common/note/checkpoint.h"
#include "common/note/tally.h"

#define RECEIPT_KIND_LINE "hufu/receipt/v1"
#define RECEIPT_MAX_BYTES 524288

struct receipt_entry {
	uint64_t index;
	struct buf body;
	merkle_hash path[MERKLE_MAX_PATH];
	size_t path_len;
};
/* Large: keep it on the heap. */
struct receipt {
	uint8_t ca[20], tally[TALLY_ID], cert_sha256[32];
	struct buf issuer_key; /* DER */
	struct receipt_entry intent, outcome, predecessor;
	bool has_predecessor;
	struct buf checkpoint; /* a note */
};
void receipt_done(struct receipt *r); /* accepts the zero state */
void receipt_put(const struct receipt *r, struct buf *ret);
/* Form only; what it says is judged by who has the keys. Zero-init *ret. ERR_PARSE, ERR_LIMIT. */
MUST_CHECK enum err receipt_parse(struct slice text, struct receipt *ret, struct fault *f);

#endif

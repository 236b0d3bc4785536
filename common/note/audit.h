/*
 * The audit's chain: each row carries the SHA-256 of the row before it together with its own content, so that no row can be altered, taken out or put in
 * between without every hash behind it changing. The desk writes it; anybody who has an export verifies it, without the desk.
 *
 * What it proves is as much as the head that was kept elsewhere: whoever holds the database can make the whole chain anew.
 *
 * hash = SHA-256("hufu/audit/v1\n" | hash of the row before, 32 zero bytes for the first | fields), the fields in the order of the struct below, each as
 * its length in decimal, ':', its bytes, ',' (netstrings); numbers in decimal.
 */
#ifndef HUFU_NOTE_AUDIT_H
#define HUFU_NOTE_AUDIT_H

#include "common/base/buf.h"

struct audit_row {
	int64_t id; /* from 1, without gaps */
	int64_t at;
	const char *who; /* "account:35353550-9", "uid:1001"; borrowed, as all texts here */
	int64_t uid;
	const char *address, *what, *object, *detail;
	uint8_t hash[32];
};
/* The hash that the row should have. */
void audit_row_hash(const uint8_t before[32], const struct audit_row *row, uint8_t ret[32]);

/* Where a walk along the chain is. Zero state: before the first row. */
struct audit_walk {
	int64_t id; /* of the last row that was right */
	uint8_t hash[32];
};
/* The next row: ERR_CRYPTO audit_gap (its number is not the next) or audit_hash, naming the row; the walk stays where it was. */
MUST_CHECK enum err audit_walk_next(struct audit_walk *w, const struct audit_row *row, struct fault *f);

#endif

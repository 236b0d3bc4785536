/*
 * What is known of each certificate's status, in memory, so that a portal's question touches no database: about 65 bytes
 * for a certificate.
 *
 * Filled from the table when the desk opens, a large one beside its work; every commit that touches a certificate puts it again,
 * before the writer is given to the next. Whoever reads stands between begin and end and sees no half of a commit.
 */
#ifndef HUFU_RA_STATUS_INDEX_H
#define HUFU_RA_STATUS_INDEX_H

#include "common/pki/ca_revoked.h"
#include "ra/store_cert.h"

struct status_index; /* thread-safe */
/* Follows the store's commits from now on, and reads the table, in a thread of its own when it is large. Gives *ret: status_index_close(), before the
 * store is closed. */
MUST_CHECK enum err status_index_open(struct store *s, struct status_index **ret, struct fault *f);
void status_index_close(struct status_index *x);
/* Entries of the ledger that are in it, and the time of the last; after the commit that applied them. */
void status_index_heads(struct status_index *x, int64_t size, int64_t as_of);
/* What the root says of the CA with that key id, from now on. */
void status_issuer_set(struct status_index *x, const uint8_t key_id[20], ca_word revoked);

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct status_entry {
	uint8_t serial[SERIAL_MAX]; /* zero behind its n octets */
	uint8_t n;		    /* 0: there is no such certificate */
	uint8_t state;		    /* enum cert_state */
	uint8_t reason;
	uint32_t issuer;    /* number: status_issuer() */
	uint32_t successor; /* id, 0 for none */
	int64_t changed, not_after;
};
struct status_issuer {
	uint8_t key_id[20];
	char hex[41];
	ca_word revoked; /* by the root */
};
/* Is the whole table in? Before, status_fetch() comes first, outside status_begin(). */
bool status_complete(const struct status_index *x);
/* Puts what db has under that serial, or that id, and the successors. An id that is not there: ERR_NOT_FOUND. */
MUST_CHECK enum err status_fetch(struct status_index *x, struct db *db, const struct serial *serial, struct fault *f);
MUST_CHECK enum err status_fetch_id(struct status_index *x, struct db *db, int64_t id, struct fault *f);
void status_begin(struct status_index *x);
void status_end(struct status_index *x);
int64_t status_size(const struct status_index *x);
int64_t status_as_of(const struct status_index *x);
/* What counts as now: the clock's time, and never before the last ledger entry's, so that a clock that is behind turns no revocation back. */
int64_t status_now(const struct status_index *x, int64_t clock);
/* NULL when there is none. Borrows until status_end(), as all below. */
const struct status_entry *status_entry(const struct status_index *x, int64_t id);
const struct status_issuer *status_issuer(const struct status_index *x, uint32_t number);
#define SAME_SERIAL_MAX 8
/* All that have this serial, whoever issued them, oldest first; at most SAME_SERIAL_MAX. Returns how many. */
size_t status_by_serial(const struct status_index *x, const struct serial *serial,
			const struct status_entry *ret[SAME_SERIAL_MAX]);
const struct status_entry *status_by_ref(const struct status_index *x, const struct cert_ref *ref);
/* What it is by itself, and by what its CA is. */
struct cert_standing {
	enum cert_state state;
	unsigned reason;
	int64_t changed;
};
struct cert_standing status_standing(const struct status_index *x, const struct status_entry *e);
/* The same of rows from the table, outside status_begin(), as the next. */
void status_bear(struct status_index *x, struct cert_row *row);
/* Has the root revoked that CA? */
bool status_issuer_fallen(struct status_index *x, const uint8_t key_id[20]);
/* How many it has. */
size_t status_fallen(struct status_index *x);
/* "as_of" and "ledger_size" as JSON members, with a comma behind each. */
struct slice status_heads_text(const struct status_index *x);
/* Hints the processor at what a look-up will touch, when several follow: first the slots of all, then the entries. */
void status_prefetch(const struct status_index *x, const struct serial *serial, bool entry);

#endif

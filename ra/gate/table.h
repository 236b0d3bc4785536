/*
 * What the gate knows of each certificate: whose it is, its state, its end, what it followed and what followed it. Serial numbers and times, nothing of a
 * person; at most 64 bytes a certificate.
 *
 * One thread writes, any number read. Rows are numbered from 1 in the ledger's order and never move or go.
 */
#ifndef HUFU_RA_GATE_TABLE_H
#define HUFU_RA_GATE_TABLE_H

#include "common/note/merkle.h"
#include "common/note/tally.h"

enum gate_state { GATE_GOOD, GATE_HELD, GATE_REVOKED, GATE_ENDED };

struct gate_row {
	uint8_t serial[SERIAL_MAX]; /* zero behind its n octets */
	uint8_t n;
	uint8_t state : 2, reason : 4, foreign : 1;
	uint16_t issuer;    /* number */
	uint32_t not_after; /* seconds since 1970; UINT32_MAX: then or later */
	uint32_t changed;   /* when it became so; 0: always was */
	uint32_t successor; /* row, 0: none; of several the newest */
	uint32_t predecessor;
};

#define GATE_CRLS_MAX 4096u /* scopes that are kept, as many as a profile may have shards */
struct gate_crl {
	uint32_t scope;
	uint16_t issuer; /* number, by table_set_crl() */
	uint64_t number;
	int64_t next_update;
	uint8_t sha256[32];
};

/* How far the ledger was followed. */
struct gate_head {
	uint64_t size;
	uint8_t root[32];
	int64_t at;   /* of the last record */
	int64_t beat; /* of the last beat: so fresh is all of it */
};

struct gate_table; /* thread-safe as above */
struct gate_table *table_new(void);
void table_free(struct gate_table *t);
static inline void table_freep(struct gate_table **t) { if (*t) table_free(*t); *t = NULL; }

/* --- writing: between begin and end, by one thread ------------------------------------------------------------------- */
void table_write_begin(struct gate_table *t);
void table_write_end(struct gate_table *t);
/* A certificate that is there already stays as it is. before: the one that it follows, or NULL. ERR_LIMIT for more than 65,535 issuers. */
MUST_CHECK enum err table_add(struct gate_table *t, const struct cert_ref *ref, int64_t not_after, bool foreign, const struct cert_ref *before,
			      struct fault *f);
/* False: there is no such certificate. */
bool table_set(struct gate_table *t, const struct cert_ref *ref, enum gate_state state, unsigned reason, int64_t when);
MUST_CHECK enum err table_set_crl(struct gate_table *t, const uint8_t issuer[20], const struct gate_crl *c, struct fault *f);
void table_set_head(struct gate_table *t, const struct gate_head *h);

/* --- reading: between begin and end ------------------------------------------------------------------------------- */
void table_read_begin(struct gate_table *t);
void table_read_end(struct gate_table *t);
size_t table_count(const struct gate_table *t);
size_t table_bytes(const struct gate_table *t); /* of rows and look-up */
struct gate_head table_head(const struct gate_table *t);
int64_t table_beat(const struct gate_table *t); /* its head's; at any time */
/* NULL: none. *ret_row: its number, may be NULL. */
const struct gate_row *table_find(const struct gate_table *t, const struct cert_ref *ref, uint32_t *ret_row);
#define TABLE_SAME_MAX 8
/* All of that serial, oldest first. */
size_t table_find_serial(const struct gate_table *t, const struct serial *serial, const struct gate_row *ret[TABLE_SAME_MAX]);
const struct gate_row *table_row(const struct gate_table *t, uint32_t row); /* NULL: none */
const uint8_t *table_issuer(const struct gate_table *t, uint16_t number);  /* 20 bytes */
/* False: no CRL of that issuer and scope was told of. */
bool table_crl(const struct gate_table *t, const uint8_t issuer[20], uint32_t scope, struct gate_crl *ret);

/* --- the snapshot (snapshot.c) ---------------------------------------------------------------------------------------- */

/* Writes the whole table, whole or not at all. By the writing thread. */
MUST_CHECK enum err snapshot_write(struct gate_table *t, const char *path, struct fault *f);
/* Into a new table. ERR_NOT_FOUND: no file. ERR_PARSE snapshot_torn: it is damaged, cut off or of another version, and t must be thrown away. */
MUST_CHECK enum err snapshot_read(struct gate_table *t, const char *path, struct fault *f);

#endif

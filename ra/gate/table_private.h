/*
 * Between table.c and snapshot.c.
 */
#ifndef HUFU_RA_GATE_TABLE_PRIVATE_H
#define HUFU_RA_GATE_TABLE_PRIVATE_H

#include "common/pki/serial_map.h"
#include "ra/gate/table.h"

#include <pthread.h>
#include <stdatomic.h>

#define CHUNK_ROWS (HUGE_PAGE / sizeof(struct gate_row))

struct gate_table {
	pthread_rwlock_t lock;
	struct gate_row **chunks; /* row 0 is nobody's */
	size_t n_chunks;
	uint32_t n;	 /* rows */
	uint64_t *slots; /* upper half of the hash, row; 0: free */
	size_t n_slots;	 /* a power of two */
	uint64_t seed[4];
	uint8_t (*issuers)[20];
	size_t n_issuers;
	struct gate_crl *crls;
	size_t n_crls;
	struct gate_head head;
	_Atomic int64_t beat; /* head's */
};

static inline struct gate_row *row_at(const struct gate_table *t, uint32_t row)
{
	return &t->chunks[row / CHUNK_ROWS][row % CHUNK_ROWS];
}
/* Room for that row, zeroed. */
struct gate_row *table_make_room(struct gate_table *t, uint32_t row);
/* The look-up of all rows, made anew for at least n of them. */
void table_make_slots(struct gate_table *t, size_t n);

#endif

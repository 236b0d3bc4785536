/*
 * What the two tables of certificates by serial number have in common, the desk's (status_index.c) and the gate's (gate/table.c): memory for
 * millions of rows, and a hash that nobody outside can aim at.
 */
#ifndef HUFU_PKI_SERIAL_MAP_H
#define HUFU_PKI_SERIAL_MAP_H

#include "common/pki/cert.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (2u * 1024u * 1024u)

/* Zeroed memory of one or more huge pages, where the system has them: look-ups go all over it, and with small pages most
 * of their time is spent in page tables. Gives: free(). */
static inline void *huge_calloc(size_t bytes)
{
	size_t whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	void *p = aligned_alloc(HUGE_PAGE, whole);
	if (!p)
		abort();
	(void)madvise(p, whole, MADV_HUGEPAGE);
	memset(p, 0, bytes);
	return p;
}

__extension__ typedef unsigned __int128 serial_product;

static inline uint64_t serial_fold(uint64_t a, uint64_t b)
{
	serial_product product = (serial_product)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* b: SERIAL_MAX octets, zero behind n. seed: four random numbers of the table's own. */
static inline uint64_t serial_hash(const uint64_t seed[4], const uint8_t *b, size_t n)
{
	uint64_t head, middle;
	uint32_t tail;
	memcpy(&head, b, 8);
	memcpy(&middle, b + 8, 8);
	memcpy(&tail, b + 16, 4);
	return serial_fold(serial_fold(head ^ seed[0], middle ^ seed[1]) ^ seed[2], (tail | (uint64_t)n << 32) ^ seed[3]);
}

#endif

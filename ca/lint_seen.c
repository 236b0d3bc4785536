/*
 * What this thread has found good of late. Most of a certificate's extensions are the same bytes in each of its
 * profile, as are its algorithms and its issuer, and what libcrypto reads them as depends on them alone.
 *
 * A byte string's hash names a set; in that, the one that was asked for longest ago makes room. The bytes themselves are
 * kept and compared. What is a certificate's own, like its key's id, is not brought here.
 */
#include "ca/lint_private.h"

#include <string.h>

#define SETS 16u
#define WAYS 4u
#define BYTES 251u

static _Thread_local struct {
	uint32_t asked;
	uint8_t as, n, der[BYTES];
} seen[SETS][WAYS];
static _Thread_local uint32_t turn;

static size_t set_of(struct slice der)
{
	size_t sum = der.n;
	for (size_t i = 0; i < der.n; i++)
		sum = sum * 31 + der.p[i];
	return (sum ^ sum >> 16) % SETS;
}

bool lint_seen(enum lint_seen_as as, struct slice der)
{
	size_t set = set_of(der);
	for (size_t i = 0; i < WAYS; i++) {
		if (der.n == 0 || seen[set][i].as != as || !slice_eq(der, slice_of(seen[set][i].der, seen[set][i].n)))
			continue;
		seen[set][i].asked = ++turn;
		return true;
	}
	return false;
}

void lint_see(enum lint_seen_as as, struct slice der)
{
	size_t set = set_of(der), oldest = 0;
	if (der.n > BYTES)
		return;
	for (size_t i = 1; i < WAYS; i++)
		if (seen[set][i].asked < seen[set][oldest].asked)
			oldest = i;
	memcpy(seen[set][oldest].der, der.p, der.n);
	seen[set][oldest].n = (uint8_t)der.n;
	seen[set][oldest].as = (uint8_t)as;
	seen[set][oldest].asked = ++turn;
}

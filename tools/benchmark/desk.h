/*
 * Load on the desk: accounts that are logged in and have paid, each extending one certificate after another over
 * JSON-RPC, as its client would.
 */
#ifndef HUFU_BENCHMARK_DESK_H
#define HUFU_BENCHMARK_DESK_H

#include "tools/benchmark/report.h"
#include "tools/benchmark/stock.h"
#include "tools/benchmark/tree.h"

struct desk;
/* accounts: also how many requests are in flight. Borrows tree and old. Gives: desk_free(). */
struct desk *desk_new(const struct tree *tree, const struct old_ca *old, unsigned accounts);
void desk_free(struct desk *d);
static inline void desk_freep(struct desk **d)
{
	if (*d)
		desk_free(*d);
	*d = NULL;
}
/* The desk learns of certificates from the signer's ledger: waits until it has read as far as there is now. */
MUST_CHECK enum err desk_catch_up(struct desk *d, struct fault *f);
/* Takes the items (adopted before, with their keys): gives each account its share, with a service for each that is
 * renewed and paid. Also logs accounts in that are not yet. */
MUST_CHECK enum err desk_fill(struct desk *d, struct item *items, size_t n, struct fault *f);
/* How many certificates the account with the fewest still has to extend. */
size_t desk_left(const struct desk *d);
/* Extends certificates (request.prepare, prove with submit, until request.show says issued) for so long, or until all that
 * were filled in are spent. */
MUST_CHECK enum err desk_run(struct desk *d, double seconds, struct timing *t, struct fault *f);

#endif

/*
 * A signer as a process of its own, on a ledger that the fixture has made (CA, roster, policy, adopted certificates),
 * and what a test asks of it over its two sockets; after each step the ledger's new entries are read over the wire.
 */
#ifndef HUFU_TEST_KINDS_WORLD_H
#define HUFU_TEST_KINDS_WORLD_H

#include "tests/unit/ca_fixture.h"
#include "tools/hufu/process.h"

#define ENTRY_TYPES 256

struct world {
	struct fx *x; /* makes tallies and signs them; its own signer only answers what the heads are */
	struct notify notify;
	struct secret passphrase;
	pid_t pid;
	int64_t ahead;		      /* seconds, of the signer's clock */
	struct rpc_client *ra, *op;   /* the two sockets */
	uint64_t size;		      /* entries read so far */
	char made[256];		      /* types of entries in their order, "intent issued"; beats are left out */
	struct buf last[ENTRY_TYPES]; /* the last entry of each type */
	uint64_t at[ENTRY_TYPES];     /* and its index */
	/* the last tally that was done: for those who send it again */
	struct buf note, csr, cert;
	uint8_t id[TALLY_ID];
};
/* edit may change the policy files first. The signer runs and is unlocked. */
void world_begin(struct world *w, void (*edit)(struct fx *x));
/* Also after a world_begin() that failed half-way. */
void world_end(struct world *w);
/* kill -9, and a new start with a clock that is `ahead` seconds ahead. */
void world_kill_and_start(struct world *w, int64_t ahead);
/* Reads on in the ledger; what comes is added to w->made. */
void world_look(struct world *w);
/* The same, until a beat has come. */
void world_until_beat(struct world *w);
/* The full CRL, verified under the issuer: *ret_reason of the serial's entry, -1 when it is not on it. */
int world_crl_reason(struct world *w, const struct serial *serial);

#endif

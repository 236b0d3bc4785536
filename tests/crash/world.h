/*
 * What the tests that kill have in common: a whole Hufu on the disk, and clients of its desk who remember what they were told.
 */
#ifndef HUFU_TESTS_WORLD_H
#define HUFU_TESTS_WORLD_H

#include "common/note/tally.h"
#include "common/rpc/jsonrpc.h"
#include "common/rpc/server.h"
#include "tools/benchmark/stock.h"
#include "tools/benchmark/tree.h"
#include "tools/hufu/process.h"

#include <pthread.h>
#include <stdatomic.h>

#define CLIENTS 6

/* What a client was told of one certificate. */
struct told {
	uint8_t tally[TALLY_ID];
	char request[64];
	struct buf cert; /* DER, when it was told */
};
struct world;
struct client {
	pthread_t thread;
	unsigned number;
	struct world *world;
	struct rpc_client *desk;
	char *session;
	struct item *items;
	size_t n, done; /* certificates to extend, and extended */
	struct told *told;
	struct fault f;
	enum err result;
};
/* n_items and kills are set by the caller. */
struct world {
	struct tree tree;
	struct old_ca old;
	struct daemons daemons;
	struct client clients[CLIENTS];
	struct item *items;
	size_t n_items;
	unsigned kills;
	atomic_bool stop;
	atomic_uint retries;
};

void world_pause_ms(int ms);
/* Repeats a call until it is answered, for a minute at most. Takes params; gives *ret. */
MUST_CHECK enum err world_ask(struct client *c, const char *method, json_t *params, bool session, bool changes, json_t **ret, struct fault *f);
/* A member as text; "" when it is none. */
const char *world_text(json_t *o, const char *key);

/* Laid out, started, n_items certificates adopted and imported as services of CLIENTS accounts. */
MUST_CHECK enum err world_set_up(struct world *x, const char *build, const char *policies, const char *dir, struct fault *f);
void world_tear_down(struct world *x);
/* The account's first, by a key; then with a password, as every other. */
MUST_CHECK enum err world_first_log_in(struct client *c, struct fault *f);
/* Renews, pays and extends its i-th certificate, and waits for the new one: c->told[i]. */
MUST_CHECK enum err world_extend(struct client *c, size_t i, struct fault *f);
MUST_CHECK enum err world_log_in_again(struct client *c, struct fault *f);
/* Revokes what it was told i-th, by its own key, and waits until that is done. */
MUST_CHECK enum err world_revoke(struct client *c, size_t i, const char *serial, struct fault *f);
/* A connection to the desk. Gives. */
MUST_CHECK enum err world_desk(struct world *x, struct rpc_client **ret, struct fault *f);
/* kill -9, and a new start. */
MUST_CHECK enum err world_kill(struct world *x, bool signer, struct fault *f);
/* All that was told against ledger, receipts and desk; prints a line. *ret_answered: certificates. */
MUST_CHECK enum err world_check_end(struct world *x, uint64_t *ret_answered, struct fault *f);

#endif

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
#define WORLD_FIRST_SERVICE 30000u
#define WORLD_GIVE_UP_MS 60000

/* What a client was told of one certificate. */
struct told {
	uint8_t tally[TALLY_ID];
	char request[64];
	struct buf cert; /* DER */
	struct serial serial;
	const struct item *item; /* whose key it has */
	bool changed;		 /* made by a change: its key has been certified often enough */
	int64_t told_us, ended_us; /* monotonic: when its owner was told of it, and that it is revoked; 0: it is good */
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
	size_t n_told, cap_told;
	uint64_t letters; /* mails to it, by what the desk answered */
	bool other_mail;  /* which of its two addresses it has now */
	struct fault f;
	enum err result;
};
/* n_items and kills are set by the caller. */
struct world {
	struct tree tree;
	struct old_ca old;
	struct daemons daemons;
	pid_t notifier; /* 0: none was started */
	struct client clients[CLIENTS];
	struct item *items;
	size_t n_items;
	const char *preload; /* into programs that start: calls of theirs may fail (tests/process/call_fault.h), and any error is asked again */
	unsigned kills;
	atomic_bool stop;
	atomic_uint retries;
};

enum victim { SIGNER, DESK, GATE, NOTIFIER, VICTIMS };
extern const char *const world_programs[VICTIMS];

void world_pause_ms(int ms);
/* Repeats a call until it is answered, for a minute at most. Takes params; gives *ret. */
MUST_CHECK enum err world_ask(struct client *c, const char *method, json_t *params, bool session, bool changes, json_t **ret, struct fault *f);
/* A member as text; "" when it is none. */
const char *world_text(json_t *o, const char *key);

/* Laid out, started, n_items certificates adopted and imported as services of CLIENTS accounts. */
MUST_CHECK enum err world_set_up(struct world *x, const char *build, const char *policies, const char *dir, struct fault *f);
void world_tear_down(struct world *x);
/* A connection to the desk. Gives. */
MUST_CHECK enum err world_desk(struct world *x, struct rpc_client **ret, struct fault *f);
/* kill -9, and a new start. */
MUST_CHECK enum err world_kill(struct world *x, enum victim who, struct fault *f);
/* One that is not there. */
MUST_CHECK enum err world_start(struct world *x, enum victim who, struct fault *f);
pid_t world_pid(struct world *x, enum victim who);
/* Where a program with the preload finds which calls fail. Gives: free(). */
char *world_control_path(const struct world *x, enum victim who);
/* All that was told against ledger, receipts and desk; prints a line. *ret_answered: certificates. */
MUST_CHECK enum err world_check_end(struct world *x, uint64_t *ret_answered, struct fault *f);

/* --- world_edge.c: a gate for OCSP and CRLs with its key on the roster, and a notifier that writes files --- */

/* Beside a world that is set up. The gate answers at world_gate_socket(). */
MUST_CHECK enum err world_edge_start(struct world *x, struct fault *f);
MUST_CHECK enum err world_edge_again(struct world *x, enum victim who, struct fault *f);
/* Gives: free(). */
char *world_gate_socket(const struct world *x);
/* Every message that was answered for was handed over, once. Waits a while for the last ones. */
MUST_CHECK enum err world_check_letters(struct world *x, struct client *watcher, struct fault *f);

/* --- world_client.c: what a client does --- */

/* The account's first, by a key; then with a password, as every other. */
MUST_CHECK enum err world_first_log_in(struct client *c, struct fault *f);
MUST_CHECK enum err world_log_in_again(struct client *c, struct fault *f);
/* Renews, pays and extends its i-th certificate, and waits for the new one, which is told last. */
MUST_CHECK enum err world_extend(struct client *c, size_t i, struct fault *f);
/* Another name: five papers, two officers; the new one is told last, and the i-th that was told is revoked. */
MUST_CHECK enum err world_change(struct client *c, size_t i, const char *name, struct fault *f);
/* A draft of such a change with a paper, taken back. */
MUST_CHECK enum err world_draft(struct client *c, size_t i, struct fault *f);
/* Revokes what it was told i-th, by its own key, and waits until that is done. */
MUST_CHECK enum err world_revoke(struct client *c, size_t i, struct fault *f);
/* Another mail address; the one of before and the new one hear of it. */
MUST_CHECK enum err world_mail(struct client *c, struct fault *f);

#endif

/*
 * Request/reply in nng's REQ/REP over ipc://: bytes in, bytes out. Under both wires (binary to the signer, JSON-RPC to the desk).
 *
 * The server speaks that wire itself (conn.h says it); only clients link nng.
 *
 * Clients start nng's threads, servers their own: open both after the sandbox is up and never fork after. All threads
 * made here have every signal blocked. Starting a server sets the process's umask for a moment: start it before other threads make files.
 */
#ifndef HUFU_RPC_SERVER_H
#define HUFU_RPC_SERVER_H

#include "common/base/buf.h"

#include <sys/types.h>

struct rpc_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};
/* Handles one request on a worker thread; writes the reply. An empty reply drops the request. */
typedef void rpc_handler(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply);
/* Answers a request at once, on the thread that reads from all peers: it must neither wait nor take long. False: nothing
 * was written, a worker's turn. */
typedef bool rpc_quick(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply);

/* A request whose answer comes later; its bytes stay until then. */
struct rpc_ticket;
/* Takes a request on a worker thread: true, and rpc_answer() follows from any thread; false: it is handled as others are. */
typedef bool rpc_deferred(void *arg, struct rpc_ticket *t, struct slice request);
/* Handles one request as an rpc_handler does, or takes its ticket: false, and rpc_answer() follows from any thread. */
typedef bool rpc_taker(void *arg, const struct rpc_peer *peer, struct rpc_ticket *t, struct slice request, struct buf *reply);
/* Work for one of the server's workers; linked in until it runs. */
struct rpc_job {
	void (*run)(struct rpc_job *job);
	struct rpc_job *next;
};

struct rpc_server_config {
	const char *path;         /* of the Unix socket; an old one that nobody listens on is replaced */
	unsigned mode;            /* 0660 */
	const uid_t *uids;        /* peers that may connect (checked at accept, before the first byte); NULL: any local user */
	size_t n_uids;
	size_t max_request;       /* a peer with a larger one is hung up on */
	unsigned workers;         /* threads: requests handled at once; 1-256 */
	unsigned at_work;         /* of them, beside those that wait (rpc_wait_begin) or take long; others have their turn after them. 0: all */
	unsigned jobs;            /* that are run at once, none of which waits for another; 0: all */
	unsigned send_timeout_ms; /* a peer that reads no replies for so long loses its connection; 0: 5000 */
	rpc_handler *handle;      /* or NULL, with: */
	rpc_taker *take;
	rpc_deferred *defer;      /* asked before handle; NULL: nothing is answered later */
	void (*gathered)(void *arg); /* after each run of requests that defer was asked about on one thread, whether it took them or not; NULL: nobody cares */
	unsigned gather;          /* so many requests at most in such a run, when they wait already and all workers are busy; 0: 1 */
	rpc_quick *at_once;       /* asked first; NULL: workers do everything. What it answers is sent together, as it was read */
	void *arg;
};
struct rpc_server;
/* Errors: ERR_CONFIG for a path that is too long or is no socket, ERR_CONFLICT when somebody accepts there, ERR_IO else. Gives *ret: rpc_server_stop(). */
MUST_CHECK enum err rpc_server_start(const struct rpc_server_config *c, struct rpc_server **ret, struct fault *f);
/* Replies, unless the reply is empty, and frees the ticket. */
void rpc_answer(struct rpc_ticket *t, struct slice reply);
/* Of a worker, in its handler: what comes now is waiting, for another program, a disk, a lock, or work that others bound; so somebody
 * else may have its turn, until it says that the wait is over. Without effect on other threads. */
void rpc_wait_begin(void);
void rpc_wait_end(void);
/* Of a worker, in its handler: does the peer still have the connection on which the answer would go? By the socket itself, so it is
 * known as soon as a peer's process has ended. True on other threads. Another may ask for the same again at any moment. */
bool rpc_peer_waits(void);
/* Runs the job on a worker of the ticket's server, before requests that wait. Any thread; does not wait. */
void rpc_resume(struct rpc_ticket *t, struct rpc_job *job);
/* What this thread resumes between the two goes to the workers at the end, together. */
void rpc_resume_begin(void);
void rpc_resume_end(void);
/* Takes no new request, finishes those in flight (and waits for tickets to be answered), closes, frees, removes the socket file. */
void rpc_server_stop(struct rpc_server *s);

struct rpc_client;
/* path: Unix socket (or "tcp://…" when allowed by the caller's own rules: not here). timeout_ms for one call, connecting included. Thread-safe: each call uses a context. */
MUST_CHECK enum err rpc_client_open(const char *path, unsigned timeout_ms, size_t max_reply, struct rpc_client **ret, struct fault *f);
/* Sends and waits. ERR_NET when the peer is away or timed out (the request may or may not have been handled); rule says which:
 * peer_away and peer_refused (at once), peer_timeout, peer_closed (it stopped, or a message was too large). Appends the reply. */
MUST_CHECK enum err rpc_call(struct rpc_client *c, struct slice request, struct buf *reply, struct fault *f);
void rpc_client_close(struct rpc_client *c);
static inline void rpc_client_closep(struct rpc_client **c) { if (*c) rpc_client_close(*c); *c = NULL; }

#endif

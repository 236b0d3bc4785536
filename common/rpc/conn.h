/*
 * One accepted connection of a server: the SP protocol of a replier (REP) on a Unix socket.
 *
 * The I/O thread alone reads, arms and closes; workers reply. Freed when both have let go. The wire, per direction: a
 * greeting 00 'S' 'P' 00 00 PP 00 00 (PP: 30 of the asking side, 31 of ours), then frames: 01, u64 length, u32 request
 * id with its highest bit set, body. Big endian. The same as nng's ipc:// with protocols REQ and REP version 0.
 */
#ifndef HUFU_RPC_CONN_H
#define HUFU_RPC_CONN_H

#include "common/rpc/server.h"

#include <pthread.h>
#include <stdatomic.h>

#define CONN_SCRATCH 65536u

struct request {
	struct request *next;
	struct conn *conn; /* referenced */
	struct loop *loop; /* whose queue it came from; set when a worker takes it */
	uint8_t id[4];
	size_t n;
	uint8_t bytes[];
};

struct out; /* a reply, or the rest of one, that the peer has not taken yet */

struct conn {
	/* fixed */
	struct rpc_peer peer;
	int epoll, fd;
	int64_t since_us;
	rpc_quick *at_once; /* set by the loop; NULL: none */
	void *arg;
	atomic_uint refs;
	/* the I/O thread's */
	struct conn *prev, *next;
	bool greeted;
	bool pending;		/* something was kept at the last conn_stalled() */
	bool kept;		/* something was kept at the last conn_read() */
	struct buf in, answers; /* answers: given at once, framed, to be sent when all that came is read */
	/* both sides' */
	pthread_mutex_t lock;
	bool closed, finishing, shut;
	bool sending; /* a thread is in sendmsg, without the lock: what it sends stays, and so does fd */
	uint32_t armed;
	unsigned queued;
	size_t queued_bytes;
	struct out *out, **out_tail;
	int64_t progress_us;
};

/* Takes fd (non-blocking) and registers it with the epoll; greets; data.ptr of its events is the conn. NULL when that
 * fails. */
struct conn *conn_new(int epoll, int fd, const struct rpc_peer *peer);
struct conn *conn_ref(struct conn *c);
void conn_unref(struct conn *c);
/* Hangs up, or has the worker do so that is sending; replies that come later are dropped. I/O thread. */
void conn_close(struct conn *c);
/* Reads what is there, once. Requests that are answered at once are; other complete requests are appended to *tail. OK, or ERR_NET: the peer left; ERR_PARSE,
 * ERR_LIMIT: it does not speak the protocol. I/O thread. */
MUST_CHECK enum err conn_read(struct conn *c, uint8_t *scratch, size_t max_request, struct request ***tail,
			      struct fault *f);
/* A worker has taken a request out of the queue: more may be read. */
void conn_taken(struct conn *c, const struct request *r);
/* Is it worth working for? */
bool conn_alive(struct conn *c);
/* Is anybody at the other end of the socket? Any thread. */
bool conn_waits(struct conn *c);
/* Sends at once what the socket takes and keeps the rest; or leaves it to the thread that is sending. True when something was kept: the I/O
 * thread must watch for a peer that does not read. Worker. */
bool conn_reply(struct conn *c, const uint8_t id[4], struct slice body);
/* Sends more of what was kept; false when the peer is gone. I/O thread. */
bool conn_flush(struct conn *c);
/* Bytes are kept and none could be sent since now - timeout. Also refreshes c->pending, and half-closes after conn_finish() when the peer has had time for its replies. I/O thread. */
bool conn_stalled(struct conn *c, int64_t now_us, int64_t timeout_us);
/* No more requests are taken. When nothing is kept, tells the peer that nothing will follow. I/O thread. */
void conn_finish(struct conn *c);

#endif

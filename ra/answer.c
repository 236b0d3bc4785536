/*
 * A flush takes as long as many changes, and a thread that waits for one costs two turns of the processor. So the worker that has made
 * a change writes its answer down, leaves it with the transaction, and goes on to the next call; whoever commits sends the
 * answers. Only a change that fails there has its answer written anew.
 *
 * The change may be durable before its answer is written down, and the other way round: who comes second sends. Next: store_main.c, whose
 * groups these are.
 */
#include "ra/answer.h"

#include "ra/handover.h"
#include "ra/store.h"

#include <stdatomic.h>
#include <stddef.h>

struct answer {
	struct store_member member;
	struct desk *desk;
	struct rpc_ticket *ticket;
	struct buf reply;
	struct wakes wakes;
	bool promised;
	atomic_uint ready; /* of the answer and the change */
	enum err result;
	struct fault fault;
};

void wakes_go(struct desk *d, struct wakes *w)
{
	if (w->going.id != 0)
		handover_bring(d->handover, &w->going);
	if (w->queued && d->handover)
		handover_put(d->handover, w->tally);
	if (w->posted)
		bell_ring(d->posted, 0);
	bell_ring_lanes(d->finished, w->ended);
}

void wakes_done(struct wakes *w)
{
	handover_done(&w->going);
	*w = (struct wakes){0};
}

static void answer_free(struct answer *a)
{
	wakes_done(&a->wakes);
	buf_done(&a->reply);
	free(a);
}

static void send(struct answer *a)
{
	struct desk *d = a->desk;
	if (a->result == OK) {
		wakes_go(d, &a->wakes);
	} else {
		buf_clear(&a->reply);
		jsonrpc_refuse(&d->rpc, rpc_ticket_peer(a->ticket), rpc_ticket_request(a->ticket), &a->fault,
			       &a->reply);
	}
	rpc_answer(a->ticket, buf_slice(&a->reply));
	answer_free(a);
}

static void half(struct answer *a)
{
	if (atomic_fetch_add(&a->ready, 1) == 1)
		send(a);
}

static void ended(struct store_member *m, enum err e, const struct fault *f)
{
	struct answer *a = (struct answer *)((char *)m - offsetof(struct answer, member));
	a->result = e;
	if (e != OK)
		a->fault = *f;
	half(a);
}

enum err answer_promise(struct answer *a, struct ctx *c, struct fault *f)
{
	struct db *db = c->db;
	a->wakes = c->wakes;
	c->wakes = (struct wakes){0};
	a->promised = true;
	a->member.ended = ended;
	enum err e = store_end_later(c->desk->store, db, &a->member, f);
	if (e != OK) {
		a->promised = false;
		wakes_done(&a->wakes);
	}
	return e;
}

bool desk_defer(void *arg, struct rpc_ticket *t, struct slice request)
{
	struct desk *d = arg;
	struct answer *a = xcalloc(1, sizeof(*a));
	a->desk = d;
	a->ticket = t;
	jsonrpc_handle_later(&d->rpc, rpc_ticket_peer(t), a, request, &a->reply);
	if (a->promised) {
		half(a);
		return true;
	}
	rpc_answer(t, buf_slice(&a->reply));
	answer_free(a);
	return true;
}

/*
 * A turn every few seconds: a look at the root's CRL, then requests and orders whose time is over, each in its own
 * transaction; now and then what nobody needs any more is swept.
 */
#include "ra/clockwork.h"

#include "ra/audit.h"
#include "ra/bell.h"
#include "ra/material.h"
#include "ra/order.h"
#include "ra/parcel.h"
#include "ra/remind.h"
#include "ra/request_state.h"
#include "ra/root_watch.h"
#include "ra/store_code.h"
#include "ra/store_outbox.h"
#include "ra/store_payment.h"
#include "ra/store_remind.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <pthread.h>
#include <string.h>

#define TURN_US 5000000
#define DEAD_MAX 64
#define CALLS_KEPT_S (7 * 86400)
#define NONCES_KEPT_S (30 * 86400) /* far beyond the window in which one is taken, for clocks that go back */
#define ATTEMPTS_KEPT_S 86400
#define ATTEMPTS_MAX 20000
#define MESSAGES_KEPT_S (30 * 86400)
#define PICTURES_MAX 20000
#define WHO "clock"

struct clockwork {
	struct desk *desk;
	pthread_t thread;
	struct bell *stop;
	_Atomic bool stopping;
};

static enum err expire_in(struct db *db, const char *id, int64_t now, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	TRY(store_request_get(db, id, &r, f));
	/* A key that lies on a token outlives its tally. */
	bool work = r.delivery.recipient[0] != '\0' && r.csr.len > 0;
	enum request_event event = work ? EVENT_LAPSE : EVENT_EXPIRE;
	/* It may have been sent since it was looked up. */
	if (request_next(request_state_from_word(r.state), event) == REQUEST_NONE)
		return OK;
	TRY(request_move(db, id, r.state, event, now, WHO, "", NULL, f));
	return store_handover_settled(db, id, "tally", f);
}

static enum err expire(struct desk *d, const char *id, int64_t now, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	return store_end(d->store, db, expire_in(db, id, now, f), f);
}

static enum err find_dead(struct desk *d, int64_t now, char (*ids)[REQUEST_ID + 1], size_t *ret_n, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = store_requests_dead(db, now, ids, DEAD_MAX, ret_n, f);
	store_read_end(d->store, db);
	return e;
}

static enum err sweep_in(struct db *db, int64_t now, struct fault *f)
{
	TRY(store_sessions_purge(db, now, f));
	TRY(store_codes_purge(db, now, f));
	TRY(store_pictures_trim(db, now, PICTURES_MAX, f));
	TRY(store_reminders_purge(db, now - MESSAGES_KEPT_S, f));
	TRY(store_outbox_purge(db, now - MESSAGES_KEPT_S, f));
	TRY(store_calls_purge(db, now - CALLS_KEPT_S, f));
	TRY(store_nonces_purge(db, now - NONCES_KEPT_S, f));
	return store_attempts_purge(db, now - ATTEMPTS_KEPT_S, now, ATTEMPTS_MAX, f);
}

static enum err sweep(struct desk *d, int64_t now, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, sweep_in(db, now, f), f));
	TRY(material_sweep(d, now, f));
	return audit_log_head(d, now, f);
}

enum err clockwork_turn(struct desk *d, struct fault *f)
{
	char ids[DEAD_MAX][REQUEST_ID + 1];
	int64_t now = clock_now();
	size_t n = 0;
	TRY(find_dead(d, now, ids, &n, f));
	for (size_t i = 0; i < n; i++) {
		TRY(expire(d, ids[i], now, f));
		bell_ring(d->finished, bell_lane(ids[i]));
	}
	TRY(order_turn(d, now, f));
	TRY(parcel_turn(d, now, f));
	return remind_turn(d, now, &n, f);
}

static void *run(void *arg)
{
	struct clockwork *w = arg;
	unsigned turn = 0;
	while (!w->stopping) {
		struct fault f = {0};
		root_watch_turn(w->desk->root);
		enum err e = clockwork_turn(w->desk, &f);
		if (e == OK && turn++ % 60 == 0)
			e = sweep(w->desk, clock_now(), &f);
		if (e != OK)
			log_fault(LOG_LEVEL_ERROR, "clockwork", &f);
		bell_wait(w->stop, 0, bell_count(w->stop, 0), clock_mono_us() + TURN_US);
	}
	return NULL;
}

enum err clockwork_start(struct desk *d, struct clockwork **ret, struct fault *f)
{
	struct clockwork *w = xcalloc(1, sizeof(*w));
	w->desk = d;
	w->stop = bell_new(1);
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		bell_free(w->stop);
		free(w);
		return fault_raise(f, ERR_IO, "thread", "clockwork", "cannot start a thread");
	}
	*ret = w;
	return OK;
}

void clockwork_stop(struct clockwork *w)
{
	w->stopping = true;
	bell_stop(w->stop);
	pthread_join(w->thread, NULL);
	bell_free(w->stop);
	free(w);
}

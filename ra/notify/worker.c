/*
 * take → send → done. The order makes it at least once: a crash before done lets the lease run out, and the message comes
 * again under its id. A lease's name and a done's call id are kept until the desk has answered, so a lost answer costs
 * nothing. When a server is away a worker waits before it takes the next message, longer each time, so that messages keep
 * their tries for a time when there is somebody to try. Next: gateway.c, smtp.c.
 */
#include "ra/notify/worker.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/jsonrpc.h"
#include "ra/bell.h"
#include "ra/notify/gateway.h"
#include "ra/notify/smtp.h"
#include "ra/notify/spool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define WAIT_MS 5000
#define PAUSE_S 1
#define PAUSE_MOST_S 60
#define REFUSED_PAUSE_S 30
#define LEASE_MORE_S 60 /* beyond the longest send, farewell included */
#define TOKEN 32
#define LAST_WORDS 5 /* tries to report what was sent, when the desk is away and we are to stop */

struct workers {
	const struct notifier_config *config;
	struct rpc_client *desk;
	struct bell *stop;
	_Atomic bool stopping;
	struct worker {
		struct workers *all;
		bool mail;
		pthread_t thread;
		struct transfer transfer;
	} each[16];
	size_t n;
};

/* A pause that a stop ends. */
static void rest(struct workers *w, int64_t s)
{
	bell_wait(w->stop, 0, bell_count(w->stop, 0), clock_mono_us() + s * 1000000);
}

static void token_make(char ret[TOKEN + 1])
{
	uint8_t bytes[TOKEN / 2];
	random_fill(bytes, sizeof(bytes));
	hex_lower(bytes, sizeof(bytes), ret);
}

/* --- the desk --- */

static int64_t lease_s(const struct worker *k)
{
	const struct notifier_config *c = k->all->config;
	int64_t send_s = !k->mail && c->sms_road == ROAD_GATEWAY ? c->gateway.timeout_s
			 : k->mail && c->mail_road == ROAD_SMTP	 ? c->smtp.timeout_s
								 : 0;
	return 2 * send_s + LEASE_MORE_S;
}

/* Gives *ret, NULL when nothing is due: json_decref(). */
static enum err take(struct worker *k, const char *lease, int64_t wait_ms, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *params =
		json_pack("{s:s,s:s,s:I,s:I}", "channel", k->mail ? "mail" : "sms", "lease", lease, "lease_seconds",
			  (json_int_t)lease_s(k), "wait_ms", (json_int_t)wait_ms);
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(jsonrpc_call(k->all->desk, "notice.take", params, &r, NULL, f));
	*ret = json_incref(json_object_get(r, "notice"));
	return OK;
}

static enum err report_once(struct worker *k, const char *id, const char *call_id, const struct outcome *o,
			    struct fault *f)
{
	_cleanup_(json_freep) json_t *params =
		json_pack("{s:s,s:s,s:s}", "notice", id, "call_id", call_id, "result", outcome_words[o->kind]);
	_cleanup_(json_freep) json_t *r = NULL;
	if (o->why[0] != '\0')
		json_object_set_new(params, "error", json_string(o->why));
	return jsonrpc_call(k->all->desk, "notice.done", params, &r, NULL, f);
}

/* Until the desk has heard it, or has said that it does not want to; a stop leaves it a few tries. */
static enum err report(struct worker *k, const char *id, const struct outcome *o, struct fault *f)
{
	char call_id[TOKEN + 1];
	token_make(call_id);
	for (int last = 0;; last += k->all->stopping) {
		enum err e = report_once(k, id, call_id, o, f);
		bool again = e == ERR_NET || e == ERR_BUSY || e == ERR_LOCKED || e == ERR_INTERNAL;
		if (e == OK || !again || last == LAST_WORDS)
			return e;
		log_fault(LOG_LEVEL_WARNING, "report_waits", f);
		rest(k->all, PAUSE_S);
	}
}

/* --- one message --- */

static struct outcome send_by_road(struct worker *k, const struct notice *n, int64_t now)
{
	const struct notifier_config *c = k->all->config;
	_cleanup_(freep) char *spool = path_join(c->state, "spool");
	if (n->dies <= now)
		return outcome_make(OUTCOME_LATER, false, n, "it is dead", "");
	switch (k->mail ? c->mail_road : c->sms_road) {
	case ROAD_GATEWAY:
		return gateway_send(&k->transfer, &c->gateway, n, now);
	case ROAD_SMTP:
		return smtp_send(&k->transfer, &c->smtp, n, now);
	case ROAD_SPOOL:
		break;
	}
	return spool_send(spool, n, k->mail);
}

static enum err handle(struct worker *k, json_t *taken, struct outcome *ret, struct fault *f)
{
	struct notice n;
	const char *id = json_string_value(json_object_get(taken, "id"));
	TRY(notice_read(taken, k->mail, &n, f));
	*ret = send_by_road(k, &n, clock_now());
	log_event(ret->kind == OUTCOME_SENT ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "notice",
		  "id=%s channel=%s result=%s why=%s", id, k->mail ? "mail" : "sms", outcome_words[ret->kind],
		  LQ(ret->why));
	return report(k, id, ret, f);
}

/* --- the thread --- */

struct mood {
	int64_t pause_s; /* 0: all is well */
	char rule[40];	 /* what was logged last, so that it is said once */
	char lease[TOKEN + 1];
};

static void worse(struct mood *m)
{
	m->pause_s = m->pause_s == 0 ? PAUSE_S : 2 * m->pause_s < PAUSE_MOST_S ? 2 * m->pause_s : PAUSE_MOST_S;
}

static void say_once(struct mood *m, const struct fault *f)
{
	if (strcmp(m->rule, f->rule) == 0)
		return;
	snprintf(m->rule, sizeof(m->rule), "%s", f->rule);
	log_fault(LOG_LEVEL_ERROR, "desk", f);
}

static void turn(struct worker *k, struct mood *m)
{
	_cleanup_(json_freep) json_t *taken = NULL;
	struct outcome o = {0};
	struct fault f = {0};
	enum err e = take(k, m->lease, WAIT_MS, &taken, &f);
	if (e != OK) {
		say_once(m, &f);
		rest(k->all, e == ERR_RULE || e == ERR_DENIED ? REFUSED_PAUSE_S : PAUSE_S);
		return;
	}
	m->rule[0] = '\0';
	if (!taken)
		return;
	e = handle(k, taken, &o, &f);
	token_make(m->lease); /* whatever became of it, this lease is over */
	if (e != OK)
		log_fault(LOG_LEVEL_ERROR, "notice_failed", &f);
	if (e == OK && !o.trouble) {
		m->pause_s = 0;
		return;
	}
	worse(m);
	rest(k->all, m->pause_s);
}

static void *run(void *arg)
{
	struct worker *k = arg;
	struct mood mood = {0};
	token_make(mood.lease);
	while (!k->all->stopping)
		turn(k, &mood);
	return NULL;
}

static enum err start_channel(struct workers *w, bool mail, int64_t n, struct fault *f)
{
	for (int64_t i = 0; i < n; i++) {
		struct worker *k = &w->each[w->n];
		k->all = w;
		k->mail = mail;
		transfer_open(&k->transfer);
		if (pthread_create(&k->thread, NULL, run, k) != 0) {
			transfer_close(&k->transfer);
			return fault_raise(f, ERR_IO, "thread", "workers", "cannot start a thread");
		}
		w->n++;
	}
	return OK;
}

enum err workers_start(const struct notifier_config *config, struct rpc_client *desk, struct workers **ret,
		       struct fault *f)
{
	struct workers *w = xcalloc(1, sizeof(*w));
	w->config = config;
	w->desk = desk;
	w->stop = bell_new(16);
	enum err e = start_channel(w, false, config->sms_workers, f);
	if (e == OK)
		e = start_channel(w, true, config->mail_workers, f);
	if (e != OK) {
		workers_stop(w);
		return e;
	}
	*ret = w;
	return OK;
}

void workers_stop(struct workers *w)
{
	w->stopping = true;
	bell_stop(w->stop);
	for (size_t i = 0; i < w->n; i++) {
		pthread_join(w->each[i].thread, NULL);
		transfer_close(&w->each[i].transfer);
	}
	bell_free(w->stop);
	free(w);
}

/* --- once --- */

static enum err drain(struct worker *k, size_t *n, struct fault *f)
{
	for (;;) {
		_cleanup_(json_freep) json_t *taken = NULL;
		char lease[TOKEN + 1];
		struct outcome o = {0};
		token_make(lease);
		TRY(take(k, lease, 0, &taken, f));
		if (!taken)
			return OK;
		TRY(handle(k, taken, &o, f));
		*n += o.kind == OUTCOME_SENT;
		if (o.trouble)
			return OK;
	}
}

enum err workers_once(const struct notifier_config *config, struct rpc_client *desk, size_t *ret_n, struct fault *f)
{
	struct workers w = {.config = config, .desk = desk, .stop = bell_new(1), .stopping = true};
	enum err e = OK;
	*ret_n = 0;
	for (int mail = 0; mail < 2 && e == OK; mail++) {
		struct worker k = {.all = &w, .mail = mail};
		transfer_open(&k.transfer);
		e = drain(&k, ret_n, f);
		transfer_close(&k.transfer);
	}
	bell_free(w.stop);
	return e;
}

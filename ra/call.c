/*
 * The road of a call: the table says which roles and parameters (common/rpc/jsonrpc.h), then session, then snapshot or
 * transaction, then the method.
 *
 * A changing call is stored with its answer in the transaction that does the change, under (who, call_id): after a
 * crash or a lost answer the client asks again and gets the same. The digest of its parameters is keyed by a secret
 * that the database does not hold, because a parameter may be a password. No thread waits for the change, nor for what a call
 * awaits: the call is kept, and whoever ends it has a worker answer. Next: api.h and any api_<noun>.c.
 */
#include "ra/call.h"

#include "ra/account.h"
#include "ra/ahead.h"
#include "ra/handover.h"

#include "common/base/clock.h"
#include "common/rpc/json.h"

#include <arpa/inet.h>
#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#define EXTEND_AFTER_S 60
#define KEPT_MAX 512 /* changes that wait for the writer, before those who ask for more have to wait too */

struct held_session {
	struct session session;
	uint8_t token[32];
	bool ended; /* it opens nothing but answers that were given while it lived */
	struct store *store;
	struct db *found_in; /* its snapshot, as long as the call has not read in it; NULL: given back */
};

static void give_back(struct held_session *h)
{
	if (h->found_in)
		store_read_end(h->store, h->found_in);
	h->found_in = NULL;
}

static void held_session_freep(struct held_session **h)
{
	if (*h)
		give_back(*h);
	free(*h);
}

/* What a portal may add to any call that it brings. */
const struct rpc_param call_portal_params[] = {{"address", PARAM_STRING, false, 2, INET6_ADDRSTRLEN - 1, NULL,
						"用户的 IP 地址（仅限门户）",
						"IP address of the person (portals only)"},
					       {0}};

/* --- sessions --- */

static enum err session_unknown(struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "session_unknown", "params.session",
			   "the session is unknown or over: log in again");
}

/* A session lives on while it is used; written at most once a minute. */
static enum err extend(struct desk *d, struct held_session *h, int64_t now, struct fault *f)
{
	struct db *db = NULL;
	int64_t expires = now + d->config.session_minutes * 60;
	int64_t last = h->session.created + d->config.accounts.session_hours * 3600;
	expires = expires < last ? expires : last;
	if (expires - h->session.expires < EXTEND_AFTER_S)
		return OK;
	/* Nobody waits for the writer with a reader in hand. */
	give_back(h);
	TRY(store_begin(d->store, &db, f));
	return store_end(d->store, db, store_session_extend(db, h->token, now, expires, f), f);
}

/* Such a call reads before anything else: in the snapshot that its session was found in. One that awaits something counts first how often
 * it happened, and has to read after that; so may one of MODE_OWN. */
static bool reads_first(const struct desk_method *m)
{
	return m->mode == MODE_READ || (m->mode == MODE_CHANGE && m->ahead);
}

/* Who logs out and does not hear the answer calls again, with a session that has ended. */
static enum err find_session(struct held_session *h, const struct desk_method *m, int64_t now, struct fault *f)
{
	TRY(store_read(h->store, &h->found_in, f));
	enum err e = store_session_find(h->found_in, h->token, now, &h->session, f);
	if (e == ERR_NOT_FOUND && m->rpc.changes) {
		e = store_session_ended(h->found_in, h->token, &h->session, f);
		h->ended = e == OK;
	}
	if (h->ended || !reads_first(m))
		give_back(h);
	return e;
}

enum err call_session(void *arg, struct rpc_call *call, const char *token, struct fault *f)
{
	struct desk *d = arg;
	_cleanup_(held_session_freep) struct held_session *h = xcalloc(1, sizeof(*h));
	int64_t now = clock_now();
	const struct desk_method *m = desk_method_named(call->method);
	assert(m);
	h->store = d->store;
	sha256(token, strlen(token), h->token);
	enum err e = find_session(h, m, now, f);
	/* A token is the key of one peer's door; found in another's hands it opens nothing. */
	if (e == ERR_NOT_FOUND || (e == OK && h->session.uid != (int64_t)call->peer.uid))
		return session_unknown(f);
	TRY(e);
	call->account = h->session.account.id;
	if (h->ended) {
		call->session = TAKE(h);
		return OK;
	}
	bool open = m->with_initial;
	if (h->session.account.frozen && !h->session.must_choose)
		return fault_raise(f, ERR_DENIED, "account_frozen", "params.session",
				   "the account is frozen until an officer has decided");
	if (h->session.must_reset && !open)
		return fault_raise(f, ERR_DENIED, "reset_first", "params.session",
				   "logged in with the initial password: only account.reset is open");
	if (h->session.must_choose && !open)
		return fault_raise(f, ERR_DENIED, "choose_first", "params.session",
				   "the number serves several organisations: account.choose is first");
	TRY(extend(d, h, now, f));
	call->session = TAKE(h);
	return OK;
}

void call_session_done(void *arg, struct rpc_call *call)
{
	struct held_session *h = call->session;
	(void)arg;
	held_session_freep(&h);
	call->session = NULL;
}

/* --- calls --- */

/* Parameters that say who asks and from where, not what. */
static bool bare_parameter(const char *key)
{
	return strcmp(key, "session") == 0 || strcmp(key, "call_id") == 0 ||
	       strcmp(key, call_portal_params[0].name) == 0;
}

static void call_digest(const struct ctx *c, uint8_t ret[32])
{
	_cleanup_(json_freep) json_t *bare = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(c->call->params, key, value)
	{
		if (!bare_parameter(key))
			json_object_set(bare, key, value);
	}
	char *text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS);
	assert(text);
	crypto_generichash(ret, 32, (const uint8_t *)text, strlen(text), c->desk->call_key, 32);
	sodium_memzero(text, strlen(text));
	free(text);
}

static enum err replay(const char *answer, json_t **ret, struct fault *f)
{
	*ret = json_loads(answer, JSON_DECODE_ANY, NULL);
	return *ret ? OK : fault_raise(f, ERR_INTERNAL, "answer_stored", "calls.answer", "a stored answer is no JSON");
}

static enum err change_in(struct ctx *c, desk_fn *fn, const uint8_t digest[32], json_t **ret, struct fault *f)
{
	const char *call_id = param_text(c, "call_id");
	_cleanup_(freep) char *stored = NULL;
	_cleanup_buf_ struct buf text = {0};
	TRY(store_call_find(c->db, c->caller, call_id, c->call->method, digest, &stored, f));
	if (stored)
		return replay(stored, ret, f);
	TRY(fn(c, ret, f));
	json_write(*ret, &text);
	return store_call_put(c->db, c->caller, call_id, c->call->method, digest, buf_text(&text), c->now, f);
}

static enum err answered_in(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(freep) char *stored = NULL;
	uint8_t digest[32];
	call_digest(c, digest);
	TRY(store_call_find(c->db, c->caller, param_text(c, "call_id"), c->call->method, digest, &stored, f));
	return stored ? replay(stored, ret, f) : OK;
}

enum err desk_answered(struct ctx *c, json_t **ret, struct fault *f)
{
	*ret = NULL;
	return desk_read(c, answered_in, ret, f);
}

static void wake(struct ctx *c)
{
	if (c->going.id != 0)
		handover_bring(c->desk->handover, &c->going);
	if (c->queued && c->desk->handover)
		handover_put(c->desk->handover, c->tally);
	if (c->posted)
		bell_ring(c->desk->posted, 0);
	bell_ring_lanes(c->desk->finished, c->ended);
}

enum err desk_write(struct ctx *c, desk_fn *fn, struct fault *f)
{
	assert(!c->db);
	TRY(store_begin(c->desk->store, &c->db, f));
	enum err e = store_end(c->desk->store, c->db, fn(c, NULL, f), f);
	c->db = NULL;
	TRY(e);
	wake(c);
	return OK;
}

struct change {
	struct ctx *c;
	desk_fn *fn;
	uint8_t digest[32]; /* of the call's parameters */
	json_t *answer;
};

static enum err make_change(struct db *db, void *arg, struct fault *f)
{
	struct change *x = arg;
	x->c->db = db;
	enum err e = change_in(x->c, x->fn, x->digest, &x->answer, f);
	x->c->db = NULL;
	return e;
}

static enum err begin_change(struct change *x, struct fault *f)
{
	assert(!x->c->db);
	if (!param_text(x->c, "call_id"))
		return fault_raise(f, ERR_PARSE, "call_id_missing", "params.call_id", "a changing call needs an id");
	call_digest(x->c, x->digest);
	return OK;
}

/* What is over has its consequences, and its answer; else it has none. */
static enum err end_change(struct change *x, enum err e, json_t **ret)
{
	if (e == OK) {
		wake(x->c);
		*ret = TAKE(x->answer);
		return OK;
	}
	handover_done(&x->c->going);
	json_decref(x->answer);
	x->answer = NULL;
	return e;
}

static enum err check_ledger(const struct desk *d, struct fault *f)
{
	if (!d->forked)
		return OK;
	return fault_raise(f, ERR_LOCKED, "ledger_fork", "ledger",
			   "the signer's ledger is not the one that was followed: no work is taken");
}

enum err desk_change(struct ctx *c, desk_fn *fn, json_t **ret, struct fault *f)
{
	TRY(check_ledger(c->desk, f));
	return desk_change_forked(c, fn, ret, f);
}

enum err desk_change_forked(struct ctx *c, desk_fn *fn, json_t **ret, struct fault *f)
{
	struct change x = {.c = c, .fn = fn};
	TRY(begin_change(&x, f));
	return end_change(&x, store_change(c->desk->store, make_change, &x, f), ret);
}

enum err desk_read(struct ctx *c, desk_fn *fn, json_t **ret, struct fault *f)
{
	assert(!c->db);
	if (c->found_in) {
		c->db = *c->found_in;
		*c->found_in = NULL;
	}
	if (!c->db)
		TRY(store_read(c->desk->store, &c->db, f));
	enum err e = fn(c, ret, f);
	store_read_end(c->desk->store, c->db);
	c->db = NULL;
	return e;
}

/* On a thread of its own. A lane that fn finds to be another was a guess. */
static enum err await(struct ctx *c, desk_fn *fn, json_t **ret, struct fault *f)
{
	struct bell *b = c->desk->finished;
	for (;;) {
		unsigned lane = c->wait.lane;
		uint64_t count = bell_count(b, lane);
		TRY(desk_read(c, fn, ret, f));
		if (*ret)
			return OK;
		if (c->wait.lane == lane)
			c->wait.over = !bell_wait(b, lane, count, c->wait.until_us);
	}
}

/* Of MODE_CHANGE. Nobody waits for the writer with a reader in hand. */
static void go_ahead(const struct desk_method *m, struct ctx *c)
{
	if (!m->ahead)
		return;
	m->ahead(c);
	if (c->call->session)
		give_back(c->call->session);
}

static enum err run(const struct desk_method *m, struct ctx *c, json_t **ret, struct fault *f)
{
	switch (m->mode) {
	case MODE_READ:
		return desk_read(c, m->fn, ret, f);
	case MODE_CHANGE:
		go_ahead(m, c);
		return desk_change(c, m->fn, ret, f);
	case MODE_AWAIT:
		m->ahead(c);
		return await(c, m->fn, ret, f);
	case MODE_OWN:
		return m->fn(c, ret, f);
	}
	return fault_raise(f, ERR_INTERNAL, "mode", "method", "unknown mode");
}

/* Where the person is: a portal's word, and nobody else's. */
static enum err set_address(struct ctx *c, struct fault *f)
{
	const char *text = param_text(c, call_portal_params[0].name);
	uint8_t bytes[16];
	if (!text)
		return OK;
	if (!caller_is(c, DESK_PORTAL))
		return fault_raise(f, ERR_DENIED, "address_denied", "params.address",
				   "found an address from a caller without role portal");
	if (inet_pton(AF_INET, text, bytes) != 1 && inet_pton(AF_INET6, text, bytes) != 1)
		return fault_raise(f, ERR_PARSE, "address_form", "params.address",
				   "found \"%s\", wanted an IPv4 or IPv6 address", ESC(text, strlen(text)));
	c->address = text;
	return OK;
}

static enum err answered_before(struct ctx *c, json_t **ret, struct fault *f)
{
	*ret = NULL;
	if (param_text(c, "call_id"))
		TRY(desk_answered(c, ret, f));
	return *ret ? OK : session_unknown(f);
}

static void ctx_begin(struct ctx *c, struct desk *d, struct rpc_call *call)
{
	struct held_session *h = call->session;
	*c = (struct ctx){.desk = d, .call = call, .now = clock_now(), .law = laws_take(d->laws)};
	if (h) {
		c->session = &h->session;
		c->token = h->token;
		c->found_in = &h->found_in;
		snprintf(c->who, sizeof(c->who), "account:%s", h->session.account.identifier);
	} else {
		snprintf(c->who, sizeof(c->who), "uid:%lld", (long long)call->peer.uid);
	}
	memcpy(c->caller, c->who, sizeof(c->caller));
}

static void ctx_end(struct ctx *c)
{
	handover_done(&c->going);
	ahead_free(c->ahead);
	law_put(c->desk->laws, c->law);
}

static enum err run_as(const struct desk_method *m, struct rpc_call *call, struct desk *d, json_t **ret,
		       struct fault *f)
{
	const struct held_session *h = call->session;
	struct ctx c;
	ctx_begin(&c, d, call);
	enum err e = set_address(&c, f);
	if (e == OK)
		e = h && h->ended ? answered_before(&c, ret, f) : run(m, &c, ret, f);
	ctx_end(&c);
	return e;
}

/* --- calls for which no thread waits: while their change is made, or until there is something to tell --- */

struct kept_call {
	const struct desk_method *m;
	struct ctx c;
	bool optional; /* its session is */
	struct change x;
	struct store_task task;	   /* of MODE_CHANGE */
	struct bell_waiter waiter; /* of MODE_AWAIT */
	struct rpc_job job;	   /* what is to be done next */
};
#define KEPT(member, p) ((struct kept_call *)((char *)(p)-offsetof(struct kept_call, member)))

/* Is there room for one more? Else its thread waits, and takes no other call. */
static bool may_keep(const struct desk *d, const struct desk_method *m, const struct rpc_call *call)
{
	const struct held_session *h = call->session;
	return call->ticket && !(h && h->ended) &&
	       (m->mode == MODE_AWAIT || (m->mode == MODE_CHANGE && store_waiting(d->store) < KEPT_MAX));
}

static void kept_free(struct kept_call *k)
{
	ctx_end(&k->c);
	free(k);
}

static void answer_kept(struct kept_call *k, enum err e, json_t *result, const struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	struct rpc_call *call = k->c.call;
	struct rpc_ticket *ticket = call->ticket;
	if (k->optional)
		call_session_done(k->c.desk, call);
	jsonrpc_end(call, e, result, f, &reply);
	rpc_answer(ticket, buf_slice(&reply));
	kept_free(k);
}

static void end_kept(struct rpc_job *job)
{
	struct kept_call *k = KEPT(job, job);
	json_t *result = NULL;
	enum err e = end_change(&k->x, k->task.result, &result);
	answer_kept(k, e, result, &k->task.f);
}

/* Whoever ended the commit goes on with the next; workers give the answers. */
void call_over(void *arg, struct store_task *all)
{
	(void)arg;
	rpc_resume_begin();
	for (struct store_task *t = all, *next; t; t = next) {
		next = t->next;
		struct kept_call *k = KEPT(task, t);
		rpc_resume(k->c.call->ticket, &k->job);
	}
	rpc_resume_end();
}

static enum err keep_change(struct kept_call *k, struct fault *f)
{
	go_ahead(k->m, &k->c);
	TRY(check_ledger(k->c.desk, f));
	k->x = (struct change){.c = &k->c, .fn = k->m->fn};
	TRY(begin_change(&k->x, f));
	k->task.fn = make_change;
	k->task.arg = &k->x;
	k->job.run = end_kept;
	k->c.call->kept = true;
	store_put(k->c.desk->store, &k->task);
	return OK;
}

/* Without a result on OK the bell calls, or has called: k is another thread's. */
static enum err look(struct kept_call *k, json_t **ret, struct fault *f)
{
	struct ctx *c = &k->c;
	struct bell *b = c->desk->finished;
	for (;;) {
		unsigned lane = c->wait.lane;
		uint64_t count = bell_count(b, lane);
		TRY(desk_read(c, k->m->fn, ret, f));
		if (*ret)
			return OK;
		if (c->wait.lane != lane)
			continue;
		enum bell_put put = bell_put(b, lane, count, c->wait.until_us, &k->waiter);
		if (put == BELL_PUT)
			return OK;
		c->wait.over = put == BELL_OVER || (put == BELL_FULL && !bell_wait(b, lane, count, c->wait.until_us));
	}
}

static void look_again(struct rpc_job *job)
{
	struct kept_call *k = KEPT(job, job);
	json_t *result = NULL;
	struct fault f = {0};
	enum err e = look(k, &result, &f);
	if (e != OK || result)
		answer_kept(k, e, result, &f);
}

static void called(struct bell_waiter *w)
{
	struct kept_call *k = KEPT(waiter, w);
	k->c.wait.over = !w->rang;
	rpc_resume(k->c.call->ticket, &k->job);
}

static enum err keep_look(struct kept_call *k, json_t **ret, struct fault *f)
{
	struct rpc_call *call = k->c.call;
	k->m->ahead(&k->c);
	k->waiter.called = called;
	k->job.run = look_again;
	call->kept = true; /* before it is put */
	enum err e = look(k, ret, f);
	if (e != OK || *ret)
		call->kept = false;
	return e;
}

/* OK without a result: it is kept. */
static enum err keep(const struct desk_method *m, struct rpc_call *call, struct desk *d, bool optional, json_t **ret,
		     struct fault *f)
{
	struct kept_call *k = xcalloc(1, sizeof(*k));
	ctx_begin(&k->c, d, call);
	k->m = m;
	k->optional = optional;
	enum err e = set_address(&k->c, f);
	if (e == OK)
		e = m->mode == MODE_CHANGE ? keep_change(k, f) : keep_look(k, ret, f);
	if (e != OK || *ret)
		kept_free(k);
	return e;
}

/* --- */

enum err call_dispatch(void *arg, struct rpc_call *call, json_t **ret_result, struct fault *f)
{
	struct desk *d = arg;
	const struct desk_method *m = desk_method_named(call->method);
	const char *token = json_string_value(json_object_get(call->params, "session"));
	_cleanup_(json_freep) json_t *result = NULL;
	assert(m);
	/* Where a session is optional it is a parameter like others, and nobody has looked at it yet. */
	bool optional = token && !call->session;
	if (optional)
		TRY(call_session(d, call, token, f));
	enum err e = may_keep(d, m, call) ? keep(m, call, d, optional, &result, f) : run_as(m, call, d, &result, f);
	if (e == OK && !result)
		return OK; /* kept, and perhaps answered already */
	if (optional)
		call_session_done(d, call);
	TRY(e);
	*ret_result = TAKE(result);
	return OK;
}

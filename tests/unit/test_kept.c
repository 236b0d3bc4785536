/*
 * Calls for which no thread waits, through a server as the desk has one: each is answered once, as the others are.
 */
#include "ra_fixture.h"

#include "common/rpc/server.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define ASKERS 6
#define EACH 7 /* fewer requests in all than one account may have open */

struct scene {
	struct fx *x;
	char path[80];
	struct rpc_server *server;
	struct rpc_client *client;
};

/* Whoever connects is the subscribers' program. */
static bool take_as_subscriber(void *arg, const struct rpc_peer *peer, struct rpc_ticket *t, struct slice request,
			       struct buf *reply)
{
	struct rpc_peer as = *peer;
	as.uid = UID_SUBSCRIBER;
	return desk_take(arg, &as, t, request, reply);
}

/* Fewer workers than askers: if calls held them, the test would only be slow. */
static void scene_init(struct scene *s)
{
	struct fault f = {0};
	*s = (struct scene){.x = fx_new()};
	fx_log_in(s->x);
	snprintf(s->path, sizeof(s->path), "%s/kept.sock", s->x->dir);
	struct rpc_server_config c = {.path = s->path,
				      .mode = 0600,
				      .max_request = JSONRPC_MAX_REQUEST,
				      .workers = 2,
				      .jobs = 2,
				      .take = take_as_subscriber,
				      .arg = s->x->desk};
	assert_int_equal(rpc_server_start(&c, &s->server, &f), OK);
	assert_int_equal(rpc_client_open(s->path, 20000, JSONRPC_MAX_REQUEST, &s->client, &f), OK);
}

static void scene_done(struct scene *s)
{
	rpc_client_close(s->client);
	if (s->server)
		rpc_server_stop(s->server);
	fx_free(s->x);
}

/* params is taken. Gives the result, or NULL with *f. */
static json_t *ask(struct scene *s, const char *method, json_t *params, struct fault *f)
{
	json_t *result = NULL;
	*f = (struct fault){0};
	enum err e = jsonrpc_call(s->client, method, params, &result, NULL, f);
	json_decref(params);
	assert_true((e == OK) == (result != NULL));
	return result;
}

static json_t *with_call_id(json_t *params, const char *call_id)
{
	json_object_set_new(params, "call_id", json_string(call_id));
	return params;
}

/* --- changes --- */

struct asker {
	struct scene *s;
	const char *order;
	unsigned number;
	const char *wrong; /* NULL: nothing was */
	char ids[EACH][REQUEST_ID + 1];
};

/* Each draft is asked for twice under one call id: by two threads at once when they are neighbours. */
static void *draft_some(void *arg)
{
	struct asker *a = arg;
	for (unsigned i = 0; i < EACH; i++) {
		char call_id[40];
		struct fault f;
		snprintf(call_id, sizeof(call_id), "kept-call-%u-%u", a->number / 2, i);
		_cleanup_(json_freep) json_t *r = ask(
			a->s, "request.prepare", with_call_id(fx_extend_params(a->s->x, a->order, 12), call_id), &f);
		if (!r) {
			a->wrong = "refused";
			continue;
		}
		snprintf(a->ids[i], sizeof(a->ids[i]), "%s", fx_text(r, "request"));
		if (strcmp(fx_text(r, "state"), "drafted") != 0)
			a->wrong = "state";
	}
	return NULL;
}

static void test_changes(void **state)
{
	struct scene s;
	struct asker a[ASKERS];
	pthread_t t[ASKERS];
	(void)state;
	scene_init(&s);
	_cleanup_(freep) char *order = fx_paid_order(s.x, s.x->session, "20353");
	for (unsigned i = 0; i < ASKERS; i++) {
		a[i] = (struct asker){.s = &s, .order = order, .number = i};
		assert_int_equal(pthread_create(&t[i], NULL, draft_some, &a[i]), 0);
	}
	for (unsigned i = 0; i < ASKERS; i++) {
		pthread_join(t[i], NULL);
		assert_null(a[i].wrong);
	}
	/* The same answer to the same call, and a request for each. */
	for (unsigned i = 0; i < ASKERS; i += 2)
		assert_memory_equal(a[i].ids, a[i + 1].ids, sizeof(a[i].ids));
	assert_int_equal(fx_number(s.x, "SELECT count(*) FROM requests"), ASKERS / 2 * EACH);
	assert_int_equal(fx_number(s.x, "SELECT count(*) FROM calls WHERE call_id LIKE 'kept-call-%'"),
			 ASKERS / 2 * EACH);
	scene_done(&s);
}

/* By the parameters, before the change, in it, and by the ledger. */
static void test_refused(void **state)
{
	struct scene s;
	struct fault f;
	(void)state;
	scene_init(&s);
	struct fx *x = s.x;
	const char *order = "00000000000000000000";
	assert_null(ask(&s, "request.prepare", fx_extend_params(x, order, 12), &f));
	assert_string_equal(f.rule, "param_missing");
	assert_null(ask(&s, "request.prepare", with_call_id(fx_extend_params(x, order, 12), "kept-call-1"), &f));
	assert_string_equal(f.rule, "order_unknown");
	json_t *strange = with_call_id(fx_extend_params(x, order, 12), "kept-call-2");
	json_object_set_new(strange, "address", json_string("192.0.2.1"));
	assert_null(ask(&s, "request.prepare", strange, &f));
	assert_string_equal(f.rule, "address_denied");
	json_t *nobody = with_call_id(fx_extend_params(x, order, 12), "kept-call-3");
	json_object_set_new(nobody, "session", json_string("none"));
	assert_null(ask(&s, "request.prepare", nobody, &f));
	assert_string_equal(f.rule, "session_unknown");
	x->desk->forked = true;
	assert_null(ask(&s, "request.prepare", with_call_id(fx_extend_params(x, order, 12), "kept-call-4"), &f));
	assert_string_equal(f.rule, "ledger_fork");
	x->desk->forked = false;
	assert_int_equal(fx_number(x, "SELECT count(*) FROM requests"), 0);
	scene_done(&s);
}

/* A batch is answered as one, so each of its calls is made before the next. */
static void test_batch(void **state)
{
	struct scene s;
	struct fault f = {0};
	_cleanup_buf_ struct buf reply = {0};
	(void)state;
	scene_init(&s);
	_cleanup_(freep) char *order = fx_paid_order(s.x, s.x->session, "20353");
	_cleanup_(json_freep) json_t *batch = json_array();
	for (int i = 0; i < 2; i++)
		json_array_append_new(batch, json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", i, "method",
						       "request.prepare", "params",
						       with_call_id(fx_extend_params(s.x, order, 12),
								    i == 0 ? "kept-call-0" : "kept-call-1")));
	char *text = json_dumps(batch, JSON_COMPACT);
	assert_int_equal(rpc_call(s.client, slice_str(text), &reply, &f), OK);
	free(text);
	_cleanup_(json_freep) json_t *replies = json_loadb((const char *)reply.data, reply.len, 0, NULL);
	assert_int_equal(json_array_size(replies), 2);
	for (size_t i = 0; i < 2; i++)
		assert_non_null(json_object_get(json_array_get(replies, i), "result"));
	scene_done(&s);
}

/* --- waiting for a request's end --- */

static json_t *wait_params(struct scene *s, const char *request, int ms)
{
	return json_pack("{s:s,s:s,s:i}", "session", s->x->session, "request", request, "wait_ms", ms);
}

struct waiter {
	struct scene *s;
	const char *request;
	char state[40];
};

static void *wait_for_end(void *arg)
{
	struct waiter *w = arg;
	struct fault f;
	_cleanup_(json_freep) json_t *r = ask(w->s, "request.show", wait_params(w->s, w->request, 10000), &f);
	snprintf(w->state, sizeof(w->state), "%s", r ? fx_text(r, "state") : f.rule);
	return NULL;
}

static void start_waiters(struct scene *s, const char *const *requests, struct waiter w[ASKERS], pthread_t t[ASKERS])
{
	for (unsigned i = 0; i < ASKERS; i++) {
		w[i] = (struct waiter){.s = s, .request = requests[i % 2]};
		assert_int_equal(pthread_create(&t[i], NULL, wait_for_end, &w[i]), 0);
	}
	while (bell_n_put(s->x->desk->finished) != ASKERS)
		sched_yield();
}

static void join_waiters(struct waiter w[ASKERS], pthread_t t[ASKERS], const char *state)
{
	for (unsigned i = 0; i < ASKERS; i++) {
		pthread_join(t[i], NULL);
		assert_string_equal(w[i].state, state);
	}
}

/* More of them than the server has workers, by id and by number; and others have their turn meanwhile. */
static void test_end(void **state)
{
	struct scene s;
	struct waiter w[ASKERS];
	pthread_t t[ASKERS];
	struct fault f;
	(void)state;
	scene_init(&s);
	_cleanup_(freep) char *order = fx_paid_order(s.x, s.x->session, "20353"), *id = fx_extend(s.x, order, 12);
	_cleanup_(json_freep) json_t *shown = ask(&s, "request.show", wait_params(&s, id, 0), &f);
	assert_non_null(shown);
	start_waiters(&s, (const char *const[]){id, fx_text(shown, "number")}, w, t);
	_cleanup_(json_freep) json_t *withdrawn =
		ask(&s, "request.withdraw",
		    with_call_id(json_pack("{s:s,s:s}", "session", s.x->session, "request", id), "kept-call-1"), &f);
	assert_non_null(withdrawn);
	join_waiters(w, t, "withdrawn");
	/* There is nothing to wait for any more. */
	_cleanup_(json_freep) json_t *again = ask(&s, "request.show", wait_params(&s, id, 10000), &f);
	assert_string_equal(fx_text(again, "state"), "withdrawn");
	scene_done(&s);
}

static void test_time_is_over(void **state)
{
	struct scene s;
	struct fault f;
	(void)state;
	scene_init(&s);
	_cleanup_(freep) char *order = fx_paid_order(s.x, s.x->session, "20353"), *id = fx_extend(s.x, order, 12);
	int64_t before = clock_mono_us();
	_cleanup_(json_freep) json_t *r = ask(&s, "request.show", wait_params(&s, id, 50), &f);
	assert_string_equal(fx_text(r, "state"), "drafted");
	assert_true(clock_mono_us() - before >= 50000);
	assert_null(ask(&s, "request.show", wait_params(&s, "00000000000000000000000000000000", 10000), &f));
	assert_string_equal(f.rule, "request_unknown");
	scene_done(&s);
}

/* A desk that stops answers everybody first. */
static void test_stop(void **state)
{
	struct scene s;
	struct waiter w[ASKERS];
	pthread_t t[ASKERS];
	(void)state;
	scene_init(&s);
	_cleanup_(freep) char *order = fx_paid_order(s.x, s.x->session, "20353"), *id = fx_extend(s.x, order, 12);
	start_waiters(&s, (const char *const[]){id, id}, w, t);
	bell_stop(s.x->desk->finished);
	rpc_server_stop(s.server);
	s.server = NULL;
	join_waiters(w, t, "drafted");
	scene_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes), cmocka_unit_test(test_refused),	     cmocka_unit_test(test_batch),
		cmocka_unit_test(test_end),	cmocka_unit_test(test_time_is_over), cmocka_unit_test(test_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

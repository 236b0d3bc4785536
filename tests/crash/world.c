/*
 * A whole Hufu on the disk, people at its desk who renew, pay and extend, and what each of them was told; its programs are killed and started again. A call
 * that got no answer is repeated under its call_id, as a real client would. In the end every answered certificate is in the ledger and its receipt holds, no
 * tally has two, the ledger's file is good from its first entry to its last, and the desk says of every request what the ledger says.
 */
#include "tests/crash/world.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/sign.h"
#include "tests/crash/ledger_view.h"
#include "tests/crash/receipt_view.h"
#include "tools/benchmark/load.h"
#include "tools/hufu/cli.h"
#include "tools/hufu/setup.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define CALL_TIMEOUT_MS 4000
#define PAUSE_MS 20
#define DAY_S 86400

/* --- calls that survive a killed peer --- */

void world_pause_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
	nanosleep(&t, NULL);
}

/* Repeats a call until it is answered. Takes params. */
enum err world_ask(struct client *c, const char *method, json_t *params, bool session, bool changes, json_t **ret,
		   struct fault *f)
{
	_cleanup_(json_freep) json_t *p = params;
	int64_t until = clock_mono_us() + WORLD_GIVE_UP_MS * INT64_C(1000);
	if (session)
		json_object_set_new(p, "session", json_string(c->session));
	if (changes) {
		uint8_t id[16];
		char hex[33];
		random_fill(id, sizeof id);
		hex_lower(id, sizeof id, hex);
		json_object_set_new(p, "call_id", json_string(hex));
	}
	for (;;) {
		enum err e = jsonrpc_call(c->desk, method, p, ret, NULL, f);
		bool again = e == ERR_NET || e == ERR_BUSY || (e != OK && c->world->preload);
		if (!again || clock_mono_us() > until) {
			if (e != OK)
				fault_prefix(f, "%s", method);
			return e;
		}
		atomic_fetch_add(&c->world->retries, 1);
		world_pause_ms(PAUSE_MS);
	}
}

const char *world_text(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

/* --- setting up --- */

static json_t *row_of(const struct client *c, size_t i)
{
	char identifier[16], service[24];
	int64_t now = clock_now();
	snprintf(identifier, sizeof identifier, "%08u-0", 90000000u + c->number);
	snprintf(service, sizeof service, "%zu", WORLD_FIRST_SERVICE + (size_t)(c->items - c->world->items) + i);
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "line", (int)(i + 2),
			 "account_identifier", identifier, "organisation", "测试", "agent", "张三", "mobile",
			 "13900000000", "project", STOCK_PROJECT, "service_id", service, "service",
			 "organisation-certificate", "service_begins", SHANGHAI(now - 300 * DAY_S), "service_ends",
			 SHANGHAI(now + 65 * DAY_S), "certificate_name", c->items[i].name, "serial", c->items[i].serial,
			 "issuer", STOCK_ISSUER);
}

static enum err import_accounts(struct client *c, struct fault *f)
{
	for (size_t i = 0; i < c->n; i += 200) {
		_cleanup_(json_freep) json_t *r = NULL;
		json_t *rows = json_array();
		for (size_t k = i; k < c->n && k < i + 200; k++)
			json_array_append_new(rows, row_of(c, k));
		TRY(world_ask(c, "import.accounts", json_pack("{s:o,s:b}", "rows", rows, "dry_run", 0), false, true, &r,
			      f));
	}
	return OK;
}

static enum err wait_for_follower(struct client *c, struct fault *f)
{
	int64_t until = clock_mono_us() + WORLD_GIVE_UP_MS * INT64_C(1000);
	while (clock_mono_us() < until) {
		_cleanup_(json_freep) json_t *r = NULL;
		TRY(world_ask(c, "desk.health", json_object(), false, false, &r, f));
		json_t *lag = json_object_get(r, "lag");
		if (json_is_integer(lag) && json_integer_value(lag) == 0)
			return OK;
		world_pause_ms(PAUSE_MS);
	}
	return fault_raise(f, ERR_NET, "crash_follow", "desk", "the desk does not catch up with the ledger");
}

enum err world_desk(struct world *x, struct rpc_client **ret, struct fault *f)
{
	return rpc_client_open(x->tree.desk_socket, CALL_TIMEOUT_MS, WIRE_MAX_MESSAGE, ret, f);
}

enum err world_set_up(struct world *x, const char *build, const char *policies, const char *dir, struct fault *f)
{
	_cleanup_(freep) char *issuer = xasprintf("%s-old.pem", dir);
	_cleanup_buf_ struct buf pem = {0};
	struct stock s = {.old = &x->old, .ra = &x->tree.ra_key};
	x->tree.build = build;
	x->tree.policies = policies;
	x->tree.dir = xstrdup(dir);
	TRY(old_ca_new(&x->old, f));
	pem_put(&pem, "CERTIFICATE", buf_slice(&x->old.cert));
	TRY(file_write(issuer, buf_slice(&pem), 0644, f));
	TRY(tree_lay_out(&x->tree, "p256", issuer, f));
	TRY(tree_start(&x->tree, f));
	TRY(stock_make(&s, x->n_items, false, &x->items, f));
	TRY(tree_adopt(&x->tree, &s, x->items, x->n_items, f));
	x->daemons = (struct daemons){.notify = x->tree.notify, .ca = x->tree.ca, .ra = x->tree.ra};
	x->tree.ca = x->tree.ra = 0;
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &x->clients[i];
		*c = (struct client){.number = i, .world = x, .n = x->n_items / CLIENTS};
		c->items = x->items + i * c->n;
		TRY(world_desk(x, &c->desk, f));
		TRY(import_accounts(c, f));
	}
	return wait_for_follower(&x->clients[0], f);
}

/* --- killing --- */

const char *const world_programs[VICTIMS] = {"hufu-ca", "hufu-ra", "hufu-gate", "hufu-notifier"};

static pid_t *pid_of(struct world *x, enum victim who)
{
	switch (who) {
	case SIGNER:
		return &x->daemons.ca;
	case DESK:
		return &x->daemons.ra;
	case GATE:
		return &x->daemons.gate;
	case NOTIFIER:
	case VICTIMS:
		break;
	}
	return &x->notifier;
}

pid_t world_pid(struct world *x, enum victim who)
{
	return *pid_of(x, who);
}

static enum err start_program(struct world *x, enum victim who, struct fault *f)
{
	_cleanup_(freep) char *logs = path_join(x->tree.dir, "var/log");
	if (who == SIGNER)
		return daemons_start_ca(&x->daemons, x->tree.dir, NULL, &x->tree.passphrase, logs, f);
	if (who == DESK)
		return daemons_start_ra(&x->daemons, x->tree.dir, NULL, logs, f);
	return world_edge_again(x, who, f);
}

enum err world_start(struct world *x, enum victim who, struct fault *f)
{
	*pid_of(x, who) = 0;
	if (!x->preload)
		return start_program(x, who, f);
	_cleanup_(freep) char *control = world_control_path(x, who);
	setenv("LD_PRELOAD", x->preload, 1);
	setenv("HUFU_TEST_FAULT", control, 1);
	enum err e = start_program(x, who, f);
	unsetenv("LD_PRELOAD");
	return e;
}

char *world_control_path(const struct world *x, enum victim who)
{
	return xasprintf("%s.fault-%d", x->tree.dir, (int)who);
}

enum err world_kill(struct world *x, enum victim who, struct fault *f)
{
	pid_t pid = world_pid(x, who);
	if (kill(pid, SIGKILL) != 0 || waitpid(pid, NULL, 0) != pid)
		return fault_raise(f, ERR_INTERNAL, "crash_kill", world_programs[who],
				   "it was not running: see %s/var/log", x->tree.dir);
	return world_start(x, who, f);
}

/* --- the end state --- */

static enum err check_told(const struct ledger_view *v, const struct told *t, struct fault *f)
{
	const struct outcome *o = ledger_view_find(v, t->tally);
	struct der outer = der_of(buf_slice(&t->cert)), inner;
	struct slice tbs;
	if (!o || o->issued != 1)
		return fault_raise(f, ERR_INTERNAL, "crash_lost", "ledger",
				   "request %s was answered, and the ledger has %u issues for its tally", t->request,
				   o ? o->issued : 0);
	if (!der_enter(&outer, DER_SEQUENCE, &inner) || !der_get_whole(&inner, DER_SEQUENCE, &tbs) ||
	    !slice_eq(tbs, buf_slice(&o->tbs)))
		return fault_raise(f, ERR_INTERNAL, "crash_bytes", "ledger",
				   "request %s was answered with a certificate that is not the ledger's", t->request);
	return OK;
}

static enum err check_client(const struct client *c, const struct ledger_view *v, struct receipt_view *receipts,
			     struct fault *f)
{
	for (size_t i = 0; i < c->n_told; i++) {
		TRY(check_told(v, &c->told[i], f));
		TRY(receipt_view_check(receipts, c->told[i].tally, buf_slice(&c->told[i].cert), f));
	}
	return OK;
}

static enum err check_ledger(const struct ledger_view *v, struct fault *f)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct outcome *o = &v->outcomes[i];
		if (o->issued > 1 || o->issued + o->dead != o->intents)
			return fault_raise(f, ERR_INTERNAL, "crash_twice", "ledger",
					   "tally %s: %u intents, %u issued, %u dead", TALLY_ID_TEXT(o->tally),
					   o->intents, o->issued, o->dead);
	}
	return OK;
}

/* Every request of the desk is final, and issued exactly where the ledger issued; "issued" is what the desk says of a revocation, too. */
static enum err check_desk(struct client *c, uint64_t *ret_issued, struct fault *f)
{
	for (unsigned page = 1;; page++) {
		_cleanup_(json_freep) json_t *r = NULL;
		size_t i;
		json_t *row;
		TRY(world_ask(c, "request.list", json_pack("{s:i,s:i}", "page", (int)page, "per_page", 50), true, false,
			      &r, f));
		json_array_foreach(json_object_get(r, "requests"), i, row)
		{
			const char *state = world_text(row, "state");
			if (strcmp(state, "sent") == 0 || strcmp(state, "approved") == 0)
				return fault_raise(f, ERR_INTERNAL, "crash_open", "desk", "request %s is still %s",
						   world_text(row, "request"), state);
			*ret_issued += strcmp(state, "issued") == 0 && strcmp(world_text(row, "kind"), "revoke") != 0;
		}
		if (i == 0)
			return OK;
	}
}

/* `hufu ledger check`: every entry, hash and outcome of the file. */
static enum err check_file(const struct world *x, struct fault *f)
{
	_cleanup_(freep) char *program = xasprintf("%s/ca/hufu-ca", x->tree.build),
			      *config = path_join(x->tree.dir, "etc/hufu/ca.yaml");
	const char *argv[] = {program, "ledger", "check", "--config", config, NULL};
	fflush(stdout);
	return process_run(&(struct process_spec){.argv = argv}, f);
}

/* One person's part of the end; all at once, since each receipt costs the signer a proof and this program five signatures. */
struct ending {
	pthread_t thread;
	struct client *c;
	const struct ledger_view *v;
	uint64_t desk_issued;
	enum err result;
	struct fault f;
};

static enum err check_person(struct ending *e, struct fault *f)
{
	const struct tree *t = &e->c->world->tree;
	_cleanup_(receipt_view_done) struct receipt_view receipts = {0};
	TRY(receipt_view_open(t->dir, t->ra_socket, &receipts, f));
	TRY(check_client(e->c, e->v, &receipts, f));
	return check_desk(e->c, &e->desk_issued, f);
}

static void *check_main(void *arg)
{
	struct ending *e = arg;
	e->result = check_person(e, &e->f);
	return NULL;
}

static enum err check_people(struct world *x, const struct ledger_view *v, uint64_t *ret_answered, uint64_t *ret_issued,
			     struct fault *f)
{
	struct ending endings[CLIENTS];
	enum err e = OK;
	for (unsigned i = 0; i < CLIENTS; i++) {
		endings[i] = (struct ending){.c = &x->clients[i], .v = v};
		if (pthread_create(&endings[i].thread, NULL, check_main, &endings[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		pthread_join(endings[i].thread, NULL);
		if (e == OK && endings[i].result != OK) {
			*f = endings[i].f;
			e = f->kind;
		}
		*ret_answered += x->clients[i].n_told;
		*ret_issued += endings[i].desk_issued;
	}
	return e;
}

enum err world_check_end(struct world *x, uint64_t *ret_answered, struct fault *f)
{
	_cleanup_(ledger_view_done) struct ledger_view v = {0};
	uint64_t answered = 0, desk_issued = 0;
	int64_t from = clock_mono_us();
	TRY(ledger_view_read(x->tree.ra_socket, &v, f));
	TRY(check_ledger(&v, f));
	TRY(check_file(x, f));
	TRY(check_people(x, &v, &answered, &desk_issued, f));
	*ret_answered = answered;
	printf("%u kills, %u calls repeated, %" PRIu64
	       " certificates answered, each with a receipt that holds, %" PRIu64 " issued in the ledger, %" PRIu64
	       " by the desk's word; looked at for %.1f s\n",
	       x->kills, atomic_load(&x->retries), answered, v.issued, desk_issued,
	       (double)(clock_mono_us() - from) / 1e6);
	if (desk_issued != v.issued || answered != v.issued)
		return fault_raise(f, ERR_INTERNAL, "crash_end", "desk",
				   "the desk, the clients and the ledger disagree");
	return OK;
}

void world_tear_down(struct world *x)
{
	process_stop(&x->notifier);
	process_stop(&x->daemons.gate);
	process_stop(&x->daemons.ra);
	process_stop(&x->daemons.ca);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &x->clients[i];
		rpc_client_closep(&c->desk);
		freep(&c->session);
		for (size_t k = 0; k < c->n_told; k++)
			buf_done(&c->told[k].cert);
		freep(&c->told);
	}
	items_free(x->items, x->items ? x->n_items : 0);
	old_ca_done(&x->old);
	tree_done(&x->tree);
}

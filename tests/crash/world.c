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

#define PASSWORD "tiger-tally-2026"
#define FIRST_SERVICE 30000u
#define CALL_TIMEOUT_MS 4000
#define GIVE_UP_MS 60000
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
	int64_t until = clock_mono_us() + GIVE_UP_MS * INT64_C(1000);
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
		if ((e != ERR_NET && e != ERR_BUSY) || clock_mono_us() > until) {
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

/* --- one certificate --- */

static enum err log_in(struct client *c, const char *password, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	char identifier[16];
	snprintf(identifier, sizeof identifier, "%08u-0", 90000000u + c->number);
	TRY(world_ask(c, "account.login", json_pack("{s:s,s:s}", "identifier", identifier, "password", password), false,
		      false, &r, f));
	free(c->session);
	c->session = xstrdup(world_text(r, "session"));
	return OK;
}

static enum err paid_order(struct client *c, size_t i, char ret[64], struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *pay = NULL, *paid = NULL;
	char service[24];
	snprintf(service, sizeof service, "%zu", FIRST_SERVICE + (size_t)(c->items - c->world->items) + i);
	TRY(world_ask(c, "order.create", json_pack("{s:s,s:s}", "service_id", service, "kind", "renew"), true, true,
		      &made, f));
	snprintf(ret, 64, "%s", world_text(made, "order"));
	TRY(world_ask(c, "order.pay", json_pack("{s:s}", "order", ret), true, true, &pay, f));
	_cleanup_(freep) char *bank = xasprintf("BANK-%s", world_text(pay, "reference"));
	return world_ask(c, "order.confirm", json_pack("{s:s,s:s}", "order", ret, "bank_reference", bank), false, true,
			 &paid, f);
}

static enum err proof_line(const struct item *it, const uint8_t issuer[20], const char *serial, const char *text,
			   char **ret, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf sig = {0}, note = {0};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key_id[4];
	TRY(privkey_public(it->key, &public, f));
	TRY(privkey_sign(it->key, KEY_P256, slice_str(text), &sig, f));
	note_subscriber_name(issuer, serial, name);
	note_key_id_spki(name, &public, key_id);
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	TRY(note_add_line(&note, name, key_id, buf_slice(&sig), f));
	*ret = xstrndup((const char *)note.data + head, note.len - head);
	return OK;
}

/* By the key of a certificate of the old authority. */
static enum err old_proof(const struct client *c, const struct item *it, const char *text, char **ret, struct fault *f)
{
	return proof_line(it, c->world->old.public.key_id, it->serial, text, ret, f);
}

enum err world_log_in_again(struct client *c, struct fault *f)
{
	return log_in(c, PASSWORD, f);
}

enum err world_first_log_in(struct client *c, struct fault *f)
{
	_cleanup_(json_freep) json_t *proof = NULL, *proved = NULL, *r = NULL;
	_cleanup_(freep) char *line = NULL;
	TRY(log_in(c, SETUP_INITIAL_PASSWORD, f));
	TRY(world_ask(c, "account.proof", json_object(), true, false, &proof, f));
	TRY(old_proof(c, &c->items[0], world_text(proof, "text"), &line, f));
	TRY(world_ask(c, "account.prove", json_pack("{s:s,s:s}", "way", "key", "line", line), true, true, &proved, f));
	TRY(world_ask(c, "account.reset", json_pack("{s:s}", "new_password", PASSWORD), true, true, &r, f));
	return log_in(c, PASSWORD, f);
}

static enum err refused(const char *request, json_t *shown, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "crash_refused", "request", "request %s ended %s: %s", request,
			   world_text(shown, "state"), world_text(json_object_get(shown, "refusal"), "text"));
}

/* Gives what is shown of it then. */
static enum err wait_final(struct client *c, const char *request, json_t **ret, struct fault *f)
{
	int64_t until = clock_mono_us() + GIVE_UP_MS * INT64_C(1000);
	while (clock_mono_us() < until) {
		_cleanup_(json_freep) json_t *r = NULL;
		TRY(world_ask(c, "request.show", json_pack("{s:s,s:i}", "request", request, "wait_ms", 1000), true,
			      false, &r, f));
		const char *state = world_text(r, "state");
		if (strcmp(state, "sent") != 0 && strcmp(state, "approved") != 0) {
			*ret = TAKE(r);
			return OK;
		}
	}
	return fault_raise(f, ERR_NET, "crash_stuck", "request", "request %s is not final after %d ms", request,
			   GIVE_UP_MS);
}

static enum err keep_told(struct client *c, struct told *t, struct fault *f)
{
	_cleanup_(json_freep) json_t *shown = NULL;
	TRY(wait_final(c, t->request, &shown, f));
	if (strcmp(world_text(shown, "state"), "issued") != 0)
		return refused(t->request, shown, f);
	return pem_or_der(slice_str(world_text(shown, "certificate")), "CERTIFICATE", &t->cert, f);
}

enum err world_extend(struct client *c, size_t i, struct fault *f)
{
	struct told *t = &c->told[i];
	struct item *it = &c->items[i];
	_cleanup_(json_freep) json_t *made = NULL, *proved = NULL, *submitted = NULL;
	_cleanup_(tally_done) struct tally tally = {0};
	_cleanup_(freep) char *line = NULL;
	char order[64];
	TRY(paid_order(c, i, order, f));
	TRY(world_ask(c, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:i,s:s}", "kind", "extend", "way", STOCK_WAY, "project",
				STOCK_PROJECT, "serial", it->serial, "months", STOCK_MONTHS, "order", order),
		      true, true, &made, f));
	snprintf(t->request, sizeof t->request, "%s", world_text(made, "request"));
	TRY(tally_parse(slice_str(world_text(made, "tally")), &tally, f));
	memcpy(t->tally, tally.id, sizeof t->tally);
	TRY(old_proof(c, it, world_text(made, "tally"), &line, f));
	TRY(world_ask(c, "request.prove", json_pack("{s:s,s:[s]}", "request", t->request, "lines", line), true, true,
		      &proved, f));
	TRY(world_ask(c, "request.submit", json_pack("{s:s}", "request", t->request), true, true, &submitted, f));
	return keep_told(c, t, f);
}

enum err world_revoke(struct client *c, size_t i, const char *serial, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *proved = NULL, *submitted = NULL;
	_cleanup_(freep) char *line = NULL, *request = NULL;
	TRY(world_ask(c, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", "revoke", "way", "by-subscriber", "project",
				STOCK_PROJECT, "serial", serial, "reason", "cessationOfOperation"),
		      true, true, &made, f));
	request = xstrdup(world_text(made, "request"));
	TRY(proof_line(&c->items[i], c->world->tree.ca_key_id, serial, world_text(made, "tally"), &line, f));
	TRY(world_ask(c, "request.prove", json_pack("{s:s,s:[s]}", "request", request, "lines", line), true, true,
		      &proved, f));
	TRY(world_ask(c, "request.submit", json_pack("{s:s}", "request", request), true, true, &submitted, f));
	_cleanup_(json_freep) json_t *shown = NULL;
	TRY(wait_final(c, request, &shown, f));
	return strcmp(world_text(shown, "state"), "issued") == 0 ? OK : refused(request, shown, f);
}

/* --- setting up --- */

static json_t *row_of(const struct client *c, size_t i)
{
	char identifier[16], service[24];
	int64_t now = clock_now();
	snprintf(identifier, sizeof identifier, "%08u-0", 90000000u + c->number);
	snprintf(service, sizeof service, "%zu", FIRST_SERVICE + (size_t)(c->items - c->world->items) + i);
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
	int64_t until = clock_mono_us() + GIVE_UP_MS * INT64_C(1000);
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
		c->told = xcalloc(c->n, sizeof *c->told);
		TRY(world_desk(x, &c->desk, f));
		TRY(import_accounts(c, f));
	}
	return wait_for_follower(&x->clients[0], f);
}

/* --- killing --- */

enum err world_kill(struct world *x, bool signer, struct fault *f)
{
	pid_t *pid = signer ? &x->daemons.ca : &x->daemons.ra;
	_cleanup_(freep) char *logs = path_join(x->tree.dir, "var/log");
	if (kill(*pid, SIGKILL) != 0 || waitpid(*pid, NULL, 0) != *pid)
		return fault_raise(f, ERR_INTERNAL, "crash_kill", signer ? "hufu-ca" : "hufu-ra",
				   "it was not running: see %s", logs);
	*pid = 0;
	if (signer)
		return daemons_start_ca(&x->daemons, x->tree.dir, NULL, &x->tree.passphrase, logs, f);
	return daemons_start_ra(&x->daemons, x->tree.dir, NULL, logs, f);
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
	for (size_t i = 0; i < c->done; i++) {
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

enum err world_check_end(struct world *x, uint64_t *ret_answered, struct fault *f)
{
	_cleanup_(ledger_view_done) struct ledger_view v = {0};
	_cleanup_(receipt_view_done) struct receipt_view receipts = {0};
	uint64_t answered = 0, desk_issued = 0;
	TRY(ledger_view_read(x->tree.ra_socket, &v, f));
	TRY(check_ledger(&v, f));
	TRY(check_file(x, f));
	TRY(receipt_view_open(x->tree.dir, x->tree.ra_socket, &receipts, f));
	for (unsigned i = 0; i < CLIENTS; i++) {
		TRY(check_client(&x->clients[i], &v, &receipts, f));
		TRY(check_desk(&x->clients[i], &desk_issued, f));
		answered += x->clients[i].done;
	}
	*ret_answered = answered;
	printf("%u kills, %u calls repeated, %" PRIu64
	       " certificates answered, each with a receipt that holds, %" PRIu64 " issued in the ledger, %" PRIu64
	       " by the desk's word\n",
	       x->kills, atomic_load(&x->retries), answered, v.issued, desk_issued);
	if (desk_issued != v.issued || answered != v.issued)
		return fault_raise(f, ERR_INTERNAL, "crash_end", "desk",
				   "the desk, the clients and the ledger disagree");
	return OK;
}

void world_tear_down(struct world *x)
{
	process_stop(&x->daemons.ra);
	process_stop(&x->daemons.ca);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &x->clients[i];
		rpc_client_closep(&c->desk);
		freep(&c->session);
		for (size_t k = 0; c->told && k < c->n; k++)
			buf_done(&c->told[k].cert);
		freep(&c->told);
	}
	items_free(x->items, x->items ? x->n_items : 0);
	old_ca_done(&x->old);
	tree_done(&x->tree);
}

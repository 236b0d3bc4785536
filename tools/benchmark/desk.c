/*
 * An account is a slot of the load generator that walks through a table of moves: each move asks the desk one method
 * and takes its result to the next move. The first moves (log in, orders) are made before any time is measured.
 */
#include "tools/benchmark/desk.h"

#include "common/base/clock.h"
#include "common/note/tally.h"
#include "common/pki/sign.h"
#include "tools/benchmark/load.h"
#include "tools/hufu/setup.h"

#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define DAY_S 86400
#define PASSWORD "tiger-tally-2026"
#define IMPORT_PART 200u
#define FIRST_ACCOUNT 90000000u
#define FIRST_SERVICE 30000u
#define WAIT_MS 10000
#define FOLLOW_TRIES 3000 /* of 20 ms */
#define FOLLOW_TRY_MS 20

/* A certificate, its service, and the order that pays for extending it. */
struct job {
	struct item item;
	uint64_t service;
	char order[64];
};

enum phase { LOGIN, PROOF, SHOW_KEY, RESET, LOGIN_AGAIN, CREATE, PAY, CONFIRM, PREPARE, PROVE, SHOW, DONE };

struct account {
	struct desk *desk;
	unsigned number;
	enum phase phase;
	struct job *jobs;
	size_t n, cap, paid, spent;
	char *session;
	/* of the request under way: */
	char *reference, *request, *line;
	int64_t from_us;
};

struct desk {
	const struct tree *tree;
	const struct old_ca *old;
	struct account *accounts;
	unsigned n_accounts;
	uint64_t filled;
	/* of the run under way: */
	bool measuring;
	int64_t until_us;
	struct timing *timing;
};

struct desk *desk_new(const struct tree *tree, const struct old_ca *old, unsigned accounts)
{
	struct desk *d = xcalloc(1, sizeof *d);
	d->tree = tree;
	d->old = old;
	d->n_accounts = accounts;
	d->accounts = xcalloc(accounts, sizeof *d->accounts);
	for (unsigned i = 0; i < accounts; i++)
		d->accounts[i] = (struct account){.desk = d, .number = i};
	return d;
}

void desk_free(struct desk *d)
{
	for (unsigned i = 0; i < d->n_accounts; i++) {
		struct account *a = &d->accounts[i];
		for (size_t k = 0; k < a->n; k++) {
			buf_done(&a->jobs[k].item.cert);
			EVP_PKEY_free(a->jobs[k].item.key);
		}
		free(a->jobs);
		free(a->session);
		free(a->reference);
		free(a->request);
		free(a->line);
	}
	free(d->accounts);
	free(d);
}

/* --- JSON-RPC ----------------------------------------------------------------------------------------------------- */

static void add_call_id(json_t *params)
{
	uint8_t id[16];
	char hex[33];
	random_fill(id, sizeof id);
	hex_lower(id, sizeof id, hex);
	json_object_set_new(params, "call_id", json_string(hex));
}

/* Takes params. */
static void put_call(const char *method, json_t *params, struct buf *ret)
{
	_cleanup_(json_freep) json_t *o =
		json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", 1, "method", method, "params", params);
	_cleanup_(freep) char *text = json_dumps(o, JSON_COMPACT);
	buf_str(ret, text);
}

static enum err take_result(struct slice reply, json_t **ret, struct fault *f)
{
	json_error_t e;
	_cleanup_(json_freep) json_t *o = json_loadb((const char *)reply.p, reply.n, 0, &e);
	json_t *result = json_object_get(o, "result"), *error = json_object_get(o, "error");
	const char *text = json_string_value(json_object_get(error, "message"));
	if (!result)
		return fault_raise(f, ERR_RULE, "desk_refused", "desk", "%s",
				   text ? ESC(text, strlen(text)) : "the desk's answer has no result");
	*ret = json_incref(result);
	return OK;
}

static enum err text_of(json_t *o, const char *key, const char **ret, struct fault *f)
{
	*ret = json_string_value(json_object_get(o, key));
	return *ret ? OK : fault_raise(f, ERR_PARSE, "desk_answer", key, "the desk's answer has no %s", key);
}

static enum err keep_text(json_t *o, const char *key, char **slot, struct fault *f)
{
	const char *s;
	TRY(text_of(o, key, &s, f));
	free(*slot);
	*slot = xstrdup(s);
	return OK;
}

/* --- moves: what each phase asks, and what it makes of the answer --- */

static json_t *ask_login(const struct account *a)
{
	char identifier[16];
	snprintf(identifier, sizeof identifier, "%08u-0", a->number + FIRST_ACCOUNT);
	return json_pack("{s:s,s:s}", "identifier", identifier, "password",
			 a->phase == LOGIN ? SETUP_INITIAL_PASSWORD : PASSWORD);
}

static enum err take_session(struct account *a, json_t *r, struct fault *f)
{
	TRY(keep_text(r, "session", &a->session, f));
	a->phase = a->phase == LOGIN ? PROOF : CREATE;
	return OK;
}

static json_t *ask_nothing(const struct account *a)
{
	(void)a;
	return json_object();
}

/* The client's own half: signs a text of the desk by the certificate's key. */
static enum err sign_line(struct account *a, const struct item *item, const char *text, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf sig = {0}, note = {0};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key_id[4];
	TRY(privkey_public(item->key, &public, f));
	TRY(privkey_sign(item->key, KEY_P256, slice_str(text), &sig, f));
	note_subscriber_name(a->desk->old->public.key_id, item->serial, name);
	note_key_id_spki(name, &public, key_id);
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	TRY(note_add_line(&note, name, key_id, buf_slice(&sig), f));
	free(a->line);
	a->line = xstrndup((const char *)note.data + head, note.len - head);
	return OK;
}

static enum err take_proof(struct account *a, json_t *r, struct fault *f)
{
	const char *text;
	TRY(text_of(r, "text", &text, f));
	TRY(sign_line(a, &a->jobs[0].item, text, f));
	a->phase = SHOW_KEY;
	return OK;
}

static json_t *ask_show_key(const struct account *a)
{
	return json_pack("{s:s,s:s}", "way", "key", "line", a->line);
}

static enum err take_show_key(struct account *a, json_t *r, struct fault *f)
{
	(void)r;
	(void)f;
	a->phase = RESET;
	return OK;
}

static json_t *ask_reset(const struct account *a)
{
	(void)a;
	return json_pack("{s:s}", "new_password", PASSWORD);
}

static enum err take_reset(struct account *a, json_t *r, struct fault *f)
{
	(void)r;
	(void)f;
	a->phase = LOGIN_AGAIN;
	return OK;
}

static json_t *ask_order(const struct account *a)
{
	char service[24];
	snprintf(service, sizeof service, "%" PRIu64, a->jobs[a->paid].service);
	return json_pack("{s:s,s:s}", "service_id", service, "kind", "renew");
}

static enum err take_order(struct account *a, json_t *r, struct fault *f)
{
	const char *order;
	TRY(text_of(r, "order", &order, f));
	snprintf(a->jobs[a->paid].order, sizeof a->jobs[a->paid].order, "%s", order);
	a->phase = PAY;
	return OK;
}

static json_t *ask_pay(const struct account *a)
{
	return json_pack("{s:s}", "order", a->jobs[a->paid].order);
}

static enum err take_pay(struct account *a, json_t *r, struct fault *f)
{
	TRY(keep_text(r, "reference", &a->reference, f));
	a->phase = CONFIRM;
	return OK;
}

static json_t *ask_confirm(const struct account *a)
{
	_cleanup_(freep) char *bank = xasprintf("BANK-%s", a->reference);
	return json_pack("{s:s,s:s}", "order", a->jobs[a->paid].order, "bank_reference", bank);
}

static enum err take_confirm(struct account *a, json_t *r, struct fault *f)
{
	(void)r;
	(void)f;
	a->paid++;
	a->phase = CREATE;
	return OK;
}

static json_t *ask_prepare(const struct account *a)
{
	const struct job *j = &a->jobs[a->spent];
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:s}", "kind", "extend", "way", STOCK_WAY, "project", STOCK_PROJECT,
			 "serial", j->item.serial, "months", STOCK_MONTHS, "order", j->order);
}

static enum err take_prepare(struct account *a, json_t *r, struct fault *f)
{
	const char *text;
	TRY(keep_text(r, "request", &a->request, f));
	TRY(text_of(r, "tally", &text, f));
	TRY(sign_line(a, &a->jobs[a->spent].item, text, f));
	a->phase = PROVE;
	return OK;
}

static json_t *ask_prove(const struct account *a)
{
	return json_pack("{s:s,s:[s],s:b}", "request", a->request, "lines", a->line, "submit", 1);
}

static json_t *ask_show(const struct account *a)
{
	return json_pack("{s:s,s:i}", "request", a->request, "wait_ms", WAIT_MS);
}

/* The proof's answer may say already what show waits for. */
static enum err take_state(struct account *a, json_t *r, struct fault *f)
{
	const char *state;
	TRY(text_of(r, "state", &state, f));
	if (strcmp(state, "issued") == 0) {
		timing_add(a->desk->timing, a->from_us);
		a->spent++;
		a->phase = PREPARE;
		return OK;
	}
	if (strcmp(state, "sent") != 0 && strcmp(state, "approved") != 0)
		return fault_raise(f, ERR_RULE, "desk_refused", "request", "request %s is %s", a->request, state);
	a->phase = SHOW;
	return OK;
}

static const struct move {
	const char *method;
	bool session, changes;
	json_t *(*ask)(const struct account *);
	enum err (*take)(struct account *, json_t *, struct fault *);
} moves[] = {
	[LOGIN] = {"account.login", false, false, ask_login, take_session},
	[PROOF] = {"account.proof", true, false, ask_nothing, take_proof},
	[SHOW_KEY] = {"account.prove", true, true, ask_show_key, take_show_key},
	[RESET] = {"account.reset", true, true, ask_reset, take_reset},
	[LOGIN_AGAIN] = {"account.login", false, false, ask_login, take_session},
	[CREATE] = {"order.create", true, true, ask_order, take_order},
	[PAY] = {"order.pay", true, true, ask_pay, take_pay},
	[CONFIRM] = {"order.confirm", false, true, ask_confirm, take_confirm},
	[PREPARE] = {"request.prepare", true, true, ask_prepare, take_prepare},
	[PROVE] = {"request.prove", true, true, ask_prove, take_state},
	[SHOW] = {"request.show", true, false, ask_show, take_state},
};

static void put_move(const struct account *a, struct buf *ret)
{
	const struct move *m = &moves[a->phase];
	json_t *params = m->ask(a);
	if (m->session)
		json_object_set_new(params, "session", json_string(a->session));
	if (m->changes)
		add_call_id(params);
	put_call(m->method, params, ret);
}

/* Nothing is left to pay, or to spend in this run. */
static bool at_rest(const struct account *a)
{
	if (a->phase == CREATE)
		return a->paid == a->n;
	if (a->phase == PREPARE)
		return a->spent == a->n || clock_mono_us() >= a->desk->until_us;
	return false;
}

static enum err desk_step(void *arg, unsigned slot, struct slice reply, struct buf *request, struct fault *f)
{
	struct desk *d = arg;
	struct account *a = &d->accounts[slot];
	_cleanup_(json_freep) json_t *r = NULL;
	if (reply.n == 0) {
		a->phase = d->measuring ? PREPARE : a->session ? CREATE : LOGIN;
	} else {
		enum err e = take_result(reply, &r, f);
		if (e == OK)
			e = moves[a->phase].take(a, r, f);
		if (e != OK) {
			fault_prefix(f, "%s of account %u", moves[a->phase].method, a->number);
			return e;
		}
	}
	if (at_rest(a))
		return OK;
	if (a->phase == PREPARE)
		a->from_us = clock_mono_us();
	put_move(a, request);
	return OK;
}

enum err desk_run(struct desk *d, double seconds, struct timing *t, struct fault *f)
{
	timing_start(t);
	d->timing = t;
	d->measuring = true;
	d->until_us = t->from_us + (int64_t)(seconds * 1e6);
	enum err e = load_run(d->tree->desk_socket, d->n_accounts, desk_step, d, f);
	d->measuring = false;
	return e;
}

/* --- filling ------------------------------------------------------------------------------------------------------ */

static enum err call(struct desk *d, const char *method, json_t *params, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	put_call(method, params, &request);
	TRY(load_call(d->tree->desk_socket, buf_slice(&request), &reply, f));
	enum err e = take_result(buf_slice(&reply), ret, f);
	if (e != OK)
		fault_prefix(f, "%s", method);
	return e;
}

/* The row of an old system's export: one service and its certificate. */
static json_t *row_of(const struct account *a, const struct job *j)
{
	char identifier[16], mobile[16], service[24];
	int64_t now = clock_now();
	snprintf(identifier, sizeof identifier, "%08u-0", a->number + FIRST_ACCOUNT);
	snprintf(mobile, sizeof mobile, "139%08u", a->number);
	snprintf(service, sizeof service, "%" PRIu64, j->service);
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "line", (int)j->service,
			 "account_identifier", identifier, "organisation", "基准测试账户", "agent", "张三", "mobile",
			 mobile, "project", STOCK_PROJECT, "service_id", service, "service", "organisation-certificate",
			 "service_begins", SHANGHAI(now - 300 * DAY_S), "service_ends", SHANGHAI(now + 65 * DAY_S),
			 "certificate_name", j->item.name, "serial", j->item.serial, "issuer", STOCK_ISSUER);
}

static enum err import_part(struct desk *d, json_t *rows, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *params = json_pack("{s:O,s:b}", "rows", rows, "dry_run", 0), *entry;
	size_t i;
	add_call_id(params);
	TRY(call(d, "import.accounts", params, &r, f));
	json_array_foreach(json_object_get(r, "report"), i, entry)
	{
		const char *result = json_string_value(json_object_get(entry, "result")),
			   *text = json_string_value(json_object_get(entry, "text"));
		if (result && strcmp(result, "refused") == 0)
			return fault_raise(f, ERR_RULE, "desk_refused", "import", "row %zu was refused: %s", i,
					   text ? ESC(text, strlen(text)) : "");
	}
	return OK;
}

enum err desk_catch_up(struct desk *d, struct fault *f)
{
	uint64_t size = 0;
	TRY(tree_ledger_size(d->tree, &size, f));
	for (unsigned i = 0; i < FOLLOW_TRIES && !load_stop; i++) {
		_cleanup_(json_freep) json_t *r = NULL;
		TRY(call(d, "desk.health", json_object(), &r, f));
		if ((uint64_t)json_integer_value(json_object_get(r, "ledger_size")) >= size)
			return OK;
		poll(NULL, 0, FOLLOW_TRY_MS);
	}
	return fault_raise(f, ERR_NET, "desk_behind", "desk", "the desk does not catch up with the signer's ledger");
}

/* Takes the item. */
static struct job *add_job(struct desk *d, struct item *item)
{
	struct account *a = &d->accounts[d->filled % d->n_accounts];
	if (a->n == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 64;
		a->jobs = xrealloc(a->jobs, a->cap, sizeof *a->jobs);
	}
	struct job *j = &a->jobs[a->n++];
	*j = (struct job){.item = *item, .service = FIRST_SERVICE + d->filled++};
	*item = (struct item){0};
	return j;
}

size_t desk_left(const struct desk *d)
{
	size_t least = SIZE_MAX;
	for (unsigned i = 0; i < d->n_accounts; i++) {
		size_t left = d->accounts[i].paid - d->accounts[i].spent;
		least = left < least ? left : least;
	}
	return least;
}

enum err desk_fill(struct desk *d, struct item *items, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i += IMPORT_PART) {
		_cleanup_(json_freep) json_t *rows = json_array();
		for (size_t k = i; k < n && k < i + IMPORT_PART; k++) {
			const struct account *a = &d->accounts[d->filled % d->n_accounts];
			json_array_append_new(rows, row_of(a, add_job(d, &items[k])));
		}
		TRY(import_part(d, rows, f));
	}
	TRY(desk_catch_up(d, f));
	return load_run(d->tree->desk_socket, d->n_accounts, desk_step, d, f);
}

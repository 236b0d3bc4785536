/*
 * A desk over a generated database (crowd.c). Each case is a kind of question, so many in flight; its limit is the better
 * of two echo servers that get the same requests from the same load generator and answer by as many bytes.
 *
 * Questions are written before the time of a run begins. Every answer is looked at for being a result; one in 64 is read.
 */
#include "tools/benchmark/ask.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "tools/benchmark/crowd.h"
#include "tools/benchmark/echo.h"
#include "tools/benchmark/load.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define QUESTIONS 8192u /* written before; asked in turn */
#define READ_ONE_IN 64u
#define MAX_IN_FLIGHT 64u
#define SOAK_RUNS 20 /* as long as so many runs */
#define WARM_BYTES (1u << 20)
#define LIMIT_SECONDS 0.5 /* of a second of Hufu, for each echo server */

struct ask;
typedef void ask_fn(const struct ask *x, const char *fixed, struct buf *ret);
static ask_fn ask_serials, ask_own, ask_fixed, ask_queue_late, ask_pending_late, ask_name, ask_identifier, ask_order,
	ask_payments_late, ask_audit_object, ask_audit_who, ask_audit_late, ask_parcel_late, ask_key_late;

/* A question: its parameters, and what its answer has. */
static const struct kind {
	const char *name, *method;
	unsigned in_flight, serials; /* serials: in each question; 0: a list */
	ask_fn *ask;
	const char *fixed; /* parameters that are always the same, or what ask makes of it */
	const char *list;  /* of its answer */
	unsigned rows;	   /* that it has; 0: some */
} kinds[] = {
	{"status-64", "status.query", 64, 1, ask_serials, "", "answers", 1},
	{"status-32x64", "status.query", 64, 32, ask_serials, "", "answers", 32},
	{"cert-list-16", "cert.list", 16, 0, ask_own, "", "certificates", 5},
	{"cert-list-late", "cert.list", 16, 0, ask_own, ",\"page\":4", "certificates", 5},
	{"cert-list-search", "cert.list", 16, 0, ask_own, ",\"search\":\"测试\"", "certificates", 5},
	{"service-list-16", "service.list", 16, 0, ask_own, "", "services", 5},
	{"service-list-late", "service.list", 16, 0, ask_own, ",\"page\":4", "services", 5},
	{"service-list-search", "service.list", 16, 0, ask_own, ",\"search\":\"测试\"", "services", 5},
	{"order-list-16", "order.list", 16, 0, ask_own, "", "orders", 5},
	{"order-list-late", "order.list", 16, 0, ask_own, ",\"page\":4", "orders", 5},
	{"request-list-16", "request.list", 16, 0, ask_own, "", "requests", 5},
	{"request-list-late", "request.list", 16, 0, ask_own, ",\"page\":4", "requests", 5},
	{"queue-16", "review.queue", 16, 0, ask_fixed, "", "requests", 20},
	{"queue-late", "review.queue", 16, 0, ask_queue_late, "", "requests", 0},
	{"queue-page-50", "review.queue", 16, 0, ask_fixed, "\"page\":49", "requests", 20},
	{"queue-project", "review.queue", 16, 0, ask_fixed, "\"project\":\"ningbo\"", "requests", 20},
	{"queue-kind-late", "review.queue", 16, 0, ask_queue_late, ",\"kind\":\"reissue\",\"project\":\"jinhua\"",
	 "requests", 0},
	{"queue-overdue", "review.queue", 16, 0, ask_fixed, "\"overdue\":true", "requests", 20},
	{"pending-late", "policy.pending", 16, 0, ask_pending_late, "", "requests", 20},
	{"account-find", "account.find", 16, 0, ask_name, "account", "accounts", 0},
	{"account-find-town", "account.find", 16, 0, ask_fixed, "\"search\":\"杭州\",\"page\":20", "accounts", 5},
	{"account-find-form", "account.find", 16, 0, ask_fixed, "\"search\":\"有限公司\"", "accounts", 5},
	{"account-find-code", "account.find", 16, 0, ask_identifier, "", "accounts", 1},
	{"order-find-name", "order.find", 16, 0, ask_name, "order", "orders", 0},
	{"order-find-number", "order.find", 16, 0, ask_order, "", "orders", 1},
	{"order-find-unpaid", "order.find", 16, 0, ask_fixed, "\"state\":\"created\",\"amount_fen\":30000,\"page\":50",
	 "orders", 5},
	{"payments-late", "order.payments", 16, 0, ask_payments_late, "", "payments", 5},
	{"audit-object", "audit.list", 16, 0, ask_audit_object, "", "rows", 1},
	{"audit-who", "audit.list", 16, 0, ask_audit_who, "", "rows", 1},
	{"audit-late", "audit.list", 16, 0, ask_audit_late, "", "rows", 50},
	{"parcel-list-16", "parcel.list", 16, 0, ask_fixed, "", "parcels", 5},
	{"parcel-list-late", "parcel.list", 16, 0, ask_parcel_late, "", "parcels", 5},
	{"parcel-received", "parcel.list", 16, 0, ask_fixed, "\"state\":\"received\",\"page\":50", "parcels", 5},
	{"token-list-late", "token.list", 16, 0, ask_key_late, "", "tokens", 20},
	{"token-list-state", "token.list", 16, 0, ask_key_late, ",\"state\":\"in_use\"", "tokens", 20},
	{"health-16", "desk.health", 16, 0, ask_fixed, "", "remarks", 0},
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])
static_assert(N_KINDS <= REPORT_MAX_ROWS, "a row for each kind");

struct ask {
	const struct bench_run *b;
	struct tree tree;
	struct crowd crowd;
	const struct kind *kind; /* of the run under way */
	struct buf *questions;
	size_t next, echoed; /* echoed: bytes of an echo's answer; 0: Hufu is asked */
	struct timing timing;
	int64_t until_us, from_us[MAX_IN_FLIGHT];
	struct report *report;
};

static void drop_questions(struct ask *x)
{
	for (size_t i = 0; x->questions && i < QUESTIONS; i++)
		buf_done(&x->questions[i]);
	freep(&x->questions);
}

/* --- questions and answers --- */

static size_t below(size_t n)
{
	return ((size_t)rand() * 32768u + (size_t)rand()) % n;
}

static void ask_serials(const struct ask *x, const char *fixed, struct buf *ret)
{
	(void)fixed;
	for (unsigned i = 0; i < x->kind->serials; i++) {
		struct serial s;
		crowd_serial(below(x->crowd.n_certs), &s);
		buf_fmt(ret, "%s\"%s\"", i ? "," : "\"serials\":[", SERIAL(&s));
	}
	buf_char(ret, ']');
}

static void ask_own(const struct ask *x, const char *fixed, struct buf *ret)
{
	char token[33];
	(void)x;
	crowd_token(below(CROWD_ACCOUNTS), token);
	buf_fmt(ret, "\"session\":\"%s\"%s", token, fixed);
}

static void ask_fixed(const struct ask *x, const char *fixed, struct buf *ret)
{
	(void)x;
	buf_str(ret, fixed);
}

/* Anywhere in the queue but its end. */
static void ask_queue_late(const struct ask *x, const char *fixed, struct buf *ret)
{
	size_t i = below(x->crowd.n_requests);
	int64_t due = crowd_due(&x->crowd, i), last = x->crowd.now + (CROWD_DUE_DAYS - 13) * INT64_C(86400);
	char id[REQUEST_ID + 1];
	crowd_request(i / 2, id);
	buf_fmt(ret, "\"after\":\"%lld:%s\"%s", (long long)(due < last ? due : last), id, fixed);
}

static void ask_pending_late(const struct ask *x, const char *fixed, struct buf *ret)
{
	char id[REQUEST_ID + 1];
	(void)fixed;
	crowd_request(below(x->crowd.n_requests - 100), id);
	buf_fmt(ret, "\"per_page\":20,\"after\":\"%lld:%s\"", (long long)(x->crowd.now + 30 * 86400), id);
}

static void ask_name(const struct ask *x, const char *fixed, struct buf *ret)
{
	char name[CROWD_NAME];
	(void)fixed;
	crowd_name(below(crowd_accounts(&x->crowd)), name, true);
	buf_fmt(ret, "\"search\":\"%s\"", name);
}

static void ask_identifier(const struct ask *x, const char *fixed, struct buf *ret)
{
	char identifier[16];
	(void)fixed;
	crowd_identifier(below(crowd_accounts(&x->crowd)), identifier);
	buf_fmt(ret, "\"search\":\"%s\"", identifier);
}

/* By its part behind the date. */
static void ask_order(const struct ask *x, const char *fixed, struct buf *ret)
{
	char order[ORDER_ID_MAX + 1];
	(void)fixed;
	(void)x;
	crowd_order(below(CROWD_ACCOUNTS * CROWD_OWN), order);
	buf_fmt(ret, "\"search\":\"%s\"", order + 9);
}

static void ask_payments_late(const struct ask *x, const char *fixed, struct buf *ret)
{
	(void)fixed;
	buf_fmt(ret, "\"after\":\"%lld:\"", (long long)(x->crowd.now - 400 * 86400 + (int64_t)below(80000)));
}

/* Anywhere among those that are under way, but at their end. */
static void ask_parcel_late(const struct ask *x, const char *fixed, struct buf *ret)
{
	size_t i = crowd_parcel(below((x->crowd.n_parcels - 100) / 4));
	int64_t due = crowd_due(&x->crowd, i), last = x->crowd.now + (CROWD_DUE_DAYS - 13) * INT64_C(86400);
	char id[REQUEST_ID + 1];
	(void)fixed;
	crowd_request(i / 2, id);
	buf_fmt(ret, "\"after\":\"%lld:%s\"", (long long)(due < last ? due : last), id);
}

static void ask_key_late(const struct ask *x, const char *fixed, struct buf *ret)
{
	char serial[16];
	crowd_key(below(x->crowd.n_keys - 100), serial);
	buf_fmt(ret, "\"after\":\"%s\"%s", serial, fixed);
}

/* Of even accounts the audit has a row. */
static void ask_audit_object(const struct ask *x, const char *fixed, struct buf *ret)
{
	char id[REQUEST_ID + 1];
	(void)fixed;
	crowd_request(below(crowd_accounts(&x->crowd) / 2) * 2, id);
	buf_fmt(ret, "\"object\":\"%s\"", id);
}

static void ask_audit_who(const struct ask *x, const char *fixed, struct buf *ret)
{
	char identifier[16];
	(void)fixed;
	crowd_identifier(below(crowd_accounts(&x->crowd) / 2) * 2, identifier);
	buf_fmt(ret, "\"who\":\"account:%s\"", identifier);
}

static void ask_audit_late(const struct ask *x, const char *fixed, struct buf *ret)
{
	int64_t at = x->crowd.now - 2 * 365 * INT64_C(86400) + (int64_t)below(crowd_accounts(&x->crowd) / 2) * 60;
	(void)fixed;
	buf_fmt(ret, "\"since\":\"%s\"", UTC(at));
}

static void write_question(const struct ask *x, struct buf *ret)
{
	const struct kind *k = x->kind;
	buf_fmt(ret, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":{", rand() % 100000, k->method);
	k->ask(x, k->fixed, ret);
	buf_str(ret, "}}");
}

static void write_questions(struct ask *x)
{
	drop_questions(x);
	x->questions = xcalloc(QUESTIONS, sizeof *x->questions);
	for (size_t i = 0; i < QUESTIONS; i++)
		write_question(x, &x->questions[i]);
}

static enum err read_answer(const struct ask *x, struct slice reply, struct fault *f)
{
	json_error_t e;
	_cleanup_(json_freep) json_t *o = json_loadb((const char *)reply.p, reply.n, 0, &e);
	json_t *list = json_object_get(json_object_get(o, "result"), x->kind->list), *v;
	size_t i, n = json_array_size(list);
	bool ok = json_is_array(list) && (x->kind->rows == 0 || n == x->kind->rows);
	json_array_foreach(list, i, v)
	{
		const char *state = json_string_value(json_object_get(v, "state"));
		ok = ok && (!state || strcmp(state, "unknown") != 0);
	}
	if (ok)
		return OK;
	return fault_raise(f, ERR_INTERNAL, "desk_answer", x->kind->name, "answered: %s",
			   ESC(reply.p, reply.n < 150 ? reply.n : 150));
}

static enum err check(const struct ask *x, struct slice reply, struct fault *f)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"result\":{";
	if (x->echoed)
		return reply.n == x->echoed ? OK : fault_raise(f, ERR_INTERNAL, "echo", "echo", "%zu bytes", reply.n);
	bool result = reply.n > sizeof head && memcmp(reply.p, head, sizeof head - 1) == 0;
	return result && x->timing.n % READ_ONE_IN ? OK : read_answer(x, reply, f);
}

static enum err step(void *arg, unsigned slot, struct slice reply, struct buf *request, struct fault *f)
{
	struct ask *x = arg;
	if (reply.n > 0) {
		timing_add(&x->timing, x->from_us[slot]);
		TRY(check(x, reply, f));
	}
	int64_t now = reply.n > 0 ? x->timing.last_us : clock_mono_us();
	if (now >= x->until_us)
		return OK;
	x->from_us[slot] = now;
	buf_add_slice(request, buf_slice(&x->questions[x->next++ % QUESTIONS]));
	return OK;
}

static enum err load(struct ask *x, const char *path, double seconds, struct fault *f)
{
	timing_start(&x->timing);
	x->until_us = x->timing.from_us + (int64_t)(seconds * 1e6);
	return load_run(path, x->kind->in_flight, step, x, f);
}

/* --- the limit --- */

static enum err run_echo(struct ask *x, enum echo_kind kind, size_t bytes, double *ret_per_s, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(x->b->dir, "echo.sock");
	struct sample s = {0};
	pid_t pid;
	TRY(echo_start(kind, path, bytes, &pid, f));
	x->echoed = bytes;
	enum err e = load(x, path, x->b->seconds * LIMIT_SECONDS, f);
	x->echoed = 0;
	echo_stop(&pid);
	(void)remove(path);
	sample_take(&s, &x->timing);
	*ret_per_s = s.per_s;
	return e;
}

/* Bytes of an answer, on the average of a few. */
static enum err answer_bytes(const struct ask *x, size_t *ret, struct fault *f)
{
	size_t sum = 0;
	for (size_t i = 0; i < 32; i++) {
		_cleanup_buf_ struct buf reply = {0};
		TRY(load_call(x->tree.desk_socket, buf_slice(&x->questions[i]), &reply, f));
		TRY(read_answer(x, buf_slice(&reply), f));
		sum += reply.len;
	}
	*ret = sum / 32;
	return OK;
}

/* --- a case --- */

static enum err run_hufu(struct ask *x, struct sample *s, struct fault *f)
{
	int64_t before, after;
	TRY(process_cpu_us(x->tree.ra, &before, f));
	TRY(load(x, x->tree.desk_socket, x->b->seconds, f));
	TRY(process_cpu_us(x->tree.ra, &after, f));
	sample_take(s, &x->timing);
	s->cpu_us = (double)(after - before) / (double)x->timing.n;
	return OK;
}

/* Rates are answers about certificates (status) or pages (lists). */
static void scale(struct sample *s, unsigned serials)
{
	double n = serials ? serials : 1;
	s->per_s *= n;
	s->limit_per_s *= n;
	s->cpu_us /= n;
	for (size_t i = 0; i < ECHO_KINDS; i++)
		s->peers[i] *= n;
}

static enum err measure(struct ask *x, struct row *r, struct fault *f)
{
	struct sample *s = &r->runs[r->n_runs];
	size_t bytes = 0;
	write_questions(x);
	TRY(answer_bytes(x, &bytes, f));
	for (size_t i = 0; i < ECHO_KINDS; i++) {
		TRY(run_echo(x, (enum echo_kind)i, bytes, &s->peers[i], f));
		s->limit_per_s = s->peers[i] > s->limit_per_s ? s->peers[i] : s->limit_per_s;
	}
	TRY(run_hufu(x, s, f));
	scale(s, x->kind->serials);
	r->n_runs++;
	if (x->b->progress)
		fprintf(stderr, "%s: %.0f/s, limit %.0f/s\n", r->name, s->per_s, s->limit_per_s);
	return memory_read(x->tree.ra, &r->ra, f);
}

/* --- the whole --- */

static char *crowd_path(const struct ask *x)
{
	return path_join(x->b->dir, "crowd");
}

/* What a run before left there. Its sessions last a day. */
static enum err take_tree(struct ask *x, struct slice crowd, struct fault *f)
{
	TRY(crowd_read(crowd, &x->crowd, f));
	if (x->crowd.certificates != x->b->certificates || clock_now() - x->crowd.now > CROWD_LIFE_S)
		return fault_raise(f, ERR_CONFIG, "crowd", "folder",
				   "%s: found %zu certificates from %s, wanted %zu from the last %d hours: remove it",
				   x->b->dir, x->crowd.certificates, UTC(x->crowd.now), x->b->certificates,
				   CROWD_LIFE_S / 3600);
	return tree_take(&x->tree, f);
}

static enum err make_tree(struct ask *x, struct fault *f)
{
	_cleanup_(old_ca_done) struct old_ca old = {0};
	_cleanup_buf_ struct buf pem = {0}, crowd = {0};
	_cleanup_(freep) char *old_path = path_join(x->b->dir, "old-ca.pem"),
			      *state = path_join(x->tree.dir, "var/lib/hufu-ra"), *said = crowd_path(x);
	TRY(old_ca_new(&old, f));
	pem_put(&pem, "CERTIFICATE", buf_slice(&old.cert));
	TRY(file_write_new(old_path, buf_slice(&pem), 0644, f));
	TRY(tree_lay_out(&x->tree, "p256", old_path, f));
	if (x->b->progress)
		fprintf(stderr, "%zu certificates are written into the desk's database\n", x->b->certificates);
	x->crowd.certificates = x->b->certificates;
	TRY(crowd_fill(state, &x->crowd, f));
	crowd_put(&x->crowd, &crowd);
	return file_write_new(said, buf_slice(&crowd), 0644, f);
}

/* A database that was written long ago is brought into the machine's memory, where a desk that is asked all day has it. */
static enum err warm(const struct ask *x, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(x->tree.dir, "var/lib/hufu-ra/desk.db");
	_cleanup_(freep) char *block = xmalloc(WARM_BYTES);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;
	while (n > 0)
		n = read(fd, block, WARM_BYTES);
	return n == 0 ? OK
		      : fault_raise(f, ERR_IO, "crowd", "crowd", "%s: %s", ESC(path, strlen(path)), strerror(errno));
}

static enum err open_tree(struct ask *x, struct fault *f)
{
	_cleanup_buf_ struct buf crowd = {0};
	_cleanup_(freep) char *said = crowd_path(x);
	x->tree.build = x->b->build;
	x->tree.policies = x->b->policies;
	x->tree.dir = path_join(x->b->dir, "desk");
	if (access(said, F_OK) == 0) {
		TRY(file_read(said, 1024, &crowd, f));
		TRY(take_tree(x, buf_slice(&crowd), f));
	} else {
		TRY(make_tree(x, f));
	}
	TRY(warm(x, f));
	int64_t from = clock_mono_us();
	TRY(tree_start(&x->tree, f));
	if (x->b->progress)
		fprintf(stderr,
			"%zu accounts, %zu certificates, %zu open requests written in %.0f s; both programs ready in "
			"%.2f s\n",
			crowd_accounts(&x->crowd), x->crowd.n_certs, x->crowd.n_requests, x->crowd.seconds,
			(double)(clock_mono_us() - from) / 1e6);
	return OK;
}

static bool wanted(const struct ask *x)
{
	return !x->b->only || strstr(x->kind->name, x->b->only);
}

static enum err add_rows(struct ask *x, struct fault *f)
{
	for (size_t k = 0; k < N_KINDS; k++) {
		x->kind = &kinds[k];
		if (!wanted(x))
			continue;
		struct row *r = &x->report->rows[x->report->n_rows++];
		snprintf(r->name, sizeof r->name, "%s", kinds[k].name);
		memcpy(r->peers, echo_words, sizeof echo_words);
	}
	if (x->report->n_rows > 0)
		return OK;
	return fault_raise(f, ERR_CONFIG, "no_case", "case", "no case has \"%s\" in its name", x->b->only);
}

/* All kinds of questions again, one after the other: what grows by them shows between the two ends. */
static enum err soak(struct ask *x, struct fault *f)
{
	struct program *p = &x->report->programs[x->report->n_programs++];
	snprintf(p->name, sizeof p->name, "hufu-ra, %.0f s more", x->b->seconds * SOAK_RUNS);
	TRY(memory_read(x->tree.ra, &p->idle, f));
	for (size_t k = 0; k < N_KINDS; k++) {
		x->kind = &kinds[k];
		write_questions(x);
		TRY(load(x, x->tree.desk_socket, x->b->seconds * SOAK_RUNS / N_KINDS, f));
	}
	return memory_read(x->tree.ra, &p->loaded, f);
}

static enum err run_all(struct ask *x, struct fault *f)
{
	struct program *p = &x->report->programs[x->report->n_programs++];
	TRY(add_rows(x, f));
	TRY(open_tree(x, f));
	snprintf(p->name, sizeof p->name, "hufu-ra");
	p->idle = x->tree.idle_ra;
	for (unsigned round = 0; round < x->b->runs; round++) {
		struct row *r = x->report->rows;
		for (size_t k = 0; k < N_KINDS; k++) {
			x->kind = &kinds[k];
			if (wanted(x))
				TRY(measure(x, r++, f));
		}
	}
	TRY(memory_read(x->tree.ra, &p->loaded, f));
	return x->b->only ? OK : soak(x, f);
}

enum err ask_run(const struct bench_run *b, struct report *ret, struct fault *f)
{
	struct ask x = {.b = b, .report = ret};
	enum err e = run_all(&x, f);
	drop_questions(&x);
	timing_done(&x.timing);
	tree_done(&x.tree);
	return e;
}

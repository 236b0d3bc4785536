/*
 * A desk over a generated database (crowd.c). Each case is a kind of question (question.c), so many in flight; its limit is the
 * better of two echo servers that get the same requests from the same load generator and answer by as many bytes. Pages ask
 * through a gate: their limit is the desk asked without it.
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
#include "tools/benchmark/question.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define QUESTIONS 8192u /* written before; asked in turn */
#define READ_ONE_IN 64u
#define SOAK_RUNS 20 /* as long as so many runs */
#define SETTLE_MS 200
#define WARM_BYTES (1u << 20)
#define LIMIT_SECONDS 0.5 /* of a second of Hufu, for each echo server */

struct ask {
	const struct bench_run *b;
	struct tree tree;
	struct crowd crowd;
	enum seat seat;		 /* who asks now */
	const struct kind *kind; /* of the run under way */
	struct buf *questions;
	size_t next, echoed; /* echoed: bytes of an echo's answer; 0: Hufu is asked */
	struct timing timing;
	int64_t until_us, from_us[QUESTION_IN_FLIGHT];
	struct report *report;
};

static void drop_questions(struct ask *x)
{
	for (size_t i = 0; x->questions && i < QUESTIONS; i++)
		buf_done(&x->questions[i]);
	freep(&x->questions);
}

/* --- questions and answers --- */

static bool on_page(const struct ask *x)
{
	return x->seat == SEAT_PORTAL || x->seat == SEAT_OFFICERS;
}

static void write_questions(struct ask *x, bool as_page)
{
	drop_questions(x);
	x->questions = xcalloc(QUESTIONS, sizeof *x->questions);
	for (size_t i = 0; i < QUESTIONS; i++)
		as_page ? question_post(x->kind, &x->crowd, &x->questions[i])
			: question_write(x->kind, &x->crowd, &x->questions[i]);
}

static enum err check(const struct ask *x, struct slice reply, struct fault *f)
{
	static const char head[] = "{\"jsonrpc\":\"2.0\",\"result\":{";
	if (x->echoed)
		return reply.n == x->echoed ? OK : fault_raise(f, ERR_INTERNAL, "echo", "echo", "%zu bytes", reply.n);
	bool result = reply.n > sizeof head && memcmp(reply.p, head, sizeof head - 1) == 0;
	return result && x->timing.n % READ_ONE_IN ? OK : question_read(x->kind, reply, f);
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
	return (path == x->tree.gate_socket ? load_run_http : load_run)(path, x->kind->in_flight, step, x, f);
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
		TRY(question_read(x->kind, buf_slice(&reply), f));
		sum += reply.len;
	}
	*ret = sum / 32;
	return OK;
}

/* --- a case --- */

static enum err cpu_us(const struct ask *x, int64_t *ret, struct fault *f)
{
	int64_t gate = 0;
	TRY(process_cpu_us(x->tree.ra, ret, f));
	if (on_page(x))
		TRY(process_cpu_us(x->tree.gate, &gate, f));
	*ret += gate;
	return OK;
}

static enum err run_hufu(struct ask *x, struct sample *s, struct fault *f)
{
	int64_t before, after;
	TRY(cpu_us(x, &before, f));
	TRY(load(x, on_page(x) ? x->tree.gate_socket : x->tree.desk_socket, x->b->seconds, f));
	TRY(cpu_us(x, &after, f));
	sample_take(s, &x->timing);
	s->cpu_us = (double)(after - before) / (double)x->timing.n;
	return OK;
}

/* The better echo. */
static enum err run_echoes(struct ask *x, struct sample *s, struct fault *f)
{
	size_t bytes = 0;
	TRY(answer_bytes(x, &bytes, f));
	for (size_t i = 0; i < ECHO_KINDS; i++) {
		TRY(run_echo(x, (enum echo_kind)i, bytes, &s->peers[i], f));
		s->limit_per_s = s->peers[i] > s->limit_per_s ? s->peers[i] : s->limit_per_s;
	}
	return OK;
}

/* A page's limit: the same kind of question at the desk's own socket. */
static enum err run_desk(struct ask *x, struct sample *s, struct fault *f)
{
	struct sample desk = {0};
	TRY(load(x, x->tree.desk_socket, x->b->seconds * LIMIT_SECONDS, f));
	sample_take(&desk, &x->timing);
	s->limit_per_s = s->peers[0] = desk.per_s;
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
	write_questions(x, false);
	TRY(on_page(x) ? run_desk(x, s, f) : run_echoes(x, s, f));
	if (on_page(x))
		write_questions(x, true);
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

static bool wanted(const struct ask *x, const struct kind *k)
{
	return !x->b->only || strstr(k->name, x->b->only);
}

static void add_rows(struct ask *x, const struct kind *kinds, size_t n, bool page)
{
	static const char *const desk[REPORT_PEERS] = {"desk"};
	for (size_t k = 0; k < n; k++) {
		if (!wanted(x, &kinds[k]))
			continue;
		struct row *r = &x->report->rows[x->report->n_rows++];
		assert(x->report->n_rows <= REPORT_MAX_ROWS && kinds[k].in_flight <= QUESTION_IN_FLIGHT);
		snprintf(r->name, sizeof r->name, "%s", kinds[k].name);
		memcpy(r->peers, page ? desk : echo_words, sizeof r->peers);
	}
}

/* All kinds of questions again, one after the other: what grows by them shows between the two ends. */
static enum err soak(struct ask *x, const struct kind *kinds, size_t n, struct fault *f)
{
	struct program *p = &x->report->programs[x->report->n_programs++];
	snprintf(p->name, sizeof p->name, "hufu-ra, %.0f s more", x->b->seconds * SOAK_RUNS);
	TRY(memory_read(x->tree.ra, &p->idle, f));
	for (size_t k = 0; k < n; k++) {
		x->kind = &kinds[k];
		write_questions(x, false);
		TRY(load(x, x->tree.desk_socket, x->b->seconds * SOAK_RUNS / (double)n, f));
	}
	return memory_read(x->tree.ra, &p->loaded, f);
}

/* A desk that has just been started reads the index of status beside its work. */
static enum err settle(const struct ask *x, struct fault *f)
{
	int64_t before, after = 0;
	do {
		before = after;
		poll(NULL, 0, SETTLE_MS);
		TRY(process_cpu_us(x->tree.ra, &after, f));
	} while (after - before > SETTLE_MS * 100 && !load_stop);
	return OK;
}

static enum err sit_down(struct ask *x, enum seat seat, struct fault *f)
{
	x->seat = seat;
	if (seat == SEAT_ALL)
		return OK;
	if (seat != SEAT_OFFICERS)
		TRY(tree_narrow(&x->tree, seat == SEAT_NARROW ? CROWD_RARE : NULL, f));
	if (on_page(x))
		TRY(tree_portal(&x->tree, seat == SEAT_PORTAL ? "subscribers" : "officers", QUESTION_ORIGIN, f));
	return settle(x, f);
}

static enum err run_kinds(struct ask *x, const struct kind *kinds, size_t n, struct row *rows, struct fault *f)
{
	for (unsigned round = 0; round < x->b->runs; round++) {
		struct row *r = rows;
		for (size_t k = 0; k < n; k++) {
			x->kind = &kinds[k];
			if (wanted(x, x->kind))
				TRY(measure(x, r++, f));
		}
	}
	return OK;
}

static enum err run_seat(struct ask *x, enum seat seat, struct row **rows, struct fault *f)
{
	size_t n, n_wanted = 0;
	const struct kind *kinds = question_kinds(seat, &n);
	for (size_t k = 0; k < n; k++)
		n_wanted += wanted(x, &kinds[k]);
	if (n_wanted == 0)
		return OK;
	TRY(sit_down(x, seat, f));
	TRY(run_kinds(x, kinds, n, *rows, f));
	*rows += n_wanted;
	if (seat != SEAT_ALL)
		return OK;
	TRY(memory_read(x->tree.ra, &x->report->programs[0].loaded, f));
	return x->b->only ? OK : soak(x, kinds, n, f);
}

static enum err run_all(struct ask *x, struct fault *f)
{
	struct program *p = &x->report->programs[x->report->n_programs++];
	struct row *rows = x->report->rows;
	for (enum seat seat = SEAT_ALL; seat < SEATS; seat++) {
		size_t n;
		const struct kind *kinds = question_kinds(seat, &n);
		add_rows(x, kinds, n, seat == SEAT_PORTAL || seat == SEAT_OFFICERS);
	}
	if (x->report->n_rows == 0)
		return fault_raise(f, ERR_CONFIG, "no_case", "case", "no case has \"%s\" in its name", x->b->only);
	TRY(open_tree(x, f));
	snprintf(p->name, sizeof p->name, "hufu-ra");
	p->idle = p->loaded = x->tree.idle_ra;
	for (enum seat seat = SEAT_ALL; seat < SEATS; seat++)
		TRY(run_seat(x, seat, &rows, f));
	return OK;
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

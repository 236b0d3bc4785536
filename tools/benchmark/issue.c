/*
 * Three CAs, with a P-256, an RSA-2048 and an SM2 key, and for each three cases: tallies straight to the signer, many
 * and one at a time, and requests through the desk. A fourth has its P-256 key in a token (SoftHSM): many tallies.
 * A fifth, when it is asked for, has a ledger that is long already: many tallies and one at a time. In each round every case measures its crypto limit and then Hufu.
 *
 * Each extension needs a predecessor of its own. A pilot tells how many a run will spend, and they are made, adopted
 * and signed (or, for the desk, paid) before the time of a run begins.
 */
#include "tools/benchmark/issue.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/der.h"
#include "common/rpc/wire.h"
#include "tools/benchmark/cfssl.h"
#include "tools/benchmark/desk.h"
#include "tools/benchmark/hsm.h"
#include "tools/benchmark/limit.h"
#include "tools/benchmark/load.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define MANY 128u
#define DESK_ACCOUNTS MANY
#define PILOT_SLOTS 8u	  /* counted as at least so many */
#define PILOT_TURNS 8u	  /* requests of each slot in the pilot */
#define POOL_MARGIN 1.5	  /* a run may be faster than those before */
#define LIMIT_SECONDS 0.5 /* of a second of Hufu */

enum road { SIGNER, DESK };
struct plan {
	const char *name; /* "<road>-%s-<in flight>", with the CA's key */
	enum road road;
	unsigned in_flight;
	bool beside_cfssl; /* with its P-256 key */
	bool in_hsm;	   /* also by a key in a token */
	bool in_long;	   /* also behind many entries */
};
static const struct plan plans[] = {
	{"signer-%s-128", SIGNER, MANY, true, true, true},
	{"signer-%s-1", SIGNER, 1, false, false, true},
	{"desk-%s-128", DESK, DESK_ACCOUNTS, false, false, false},
};
#define N_PLANS (sizeof plans / sizeof plans[0])
#define N_SIDES 5u
enum { SHORT_SIDE, LONG_SIDE }; /* whose rates are compared, by the first plan */
static const char *const peer_words[REPORT_PEERS] = {"cfssl-sqlite", "cfssl"};

/* The tallies of one case, spent in order. */
struct pool {
	struct item *items;
	size_t n, at;
};
static void pool_done(struct pool *p)
{
	items_free(p->items, p->n);
	*p = (struct pool){0};
}

/* One CA with all its cases. */
struct side {
	const char *word, *algorithm; /* in case names; for `hufu init` */
	enum key_alg alg;
	bool in_hsm, in_long;
	struct tree tree;
	struct stock stock;
	struct limit *limit;
	struct desk *desk;
	struct pool pools[N_PLANS];
	struct row *rows[N_PLANS]; /* NULL: not asked for */
	double best[N_PLANS];	   /* certificates a second */
	struct program *ca, *ra;
};

struct issue {
	const struct bench_run *b;
	struct old_ca old;
	char *old_path;
	struct side sides[N_SIDES];
	struct timing timing;
	struct report *report;
};

static void issue_done(struct issue *x)
{
	for (size_t i = 0; i < N_SIDES; i++) {
		struct side *s = &x->sides[i];
		desk_freep(&s->desk);
		limit_freep(&s->limit);
		for (size_t k = 0; k < N_PLANS; k++)
			pool_done(&s->pools[k]);
		if (s->in_long && s->tree.ra > 0)
			(void)kill(s->tree.ra, SIGCONT);
		tree_done(&s->tree);
	}
	old_ca_done(&x->old);
	timing_done(&x->timing);
	freep(&x->old_path);
}

static void progress(const struct issue *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void progress(const struct issue *x, const char *fmt, ...)
{
	va_list ap;
	if (!x->b->progress)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* --- tallies to the signer ---------------------------------------------------------------------------------------- */

struct spending {
	struct pool *pool;
	struct timing *timing;
	int64_t until_us;
	int64_t from_us[MANY];
};

static enum err check_issued(struct slice reply, struct fault *f)
{
	struct wire_done done;
	TRY(wire_expect(reply, WIRE_TYPE_DONE, NULL, f));
	TRY(wire_done_get(reply, &done, f));
	if (done.cert.n == 0 || done.again)
		return fault_raise(f, ERR_INTERNAL, "not_issued", "signer",
				   "the signer's answer holds no new certificate");
	return OK;
}

static enum err spend_step(void *arg, unsigned slot, struct slice reply, struct buf *request, struct fault *f)
{
	struct spending *s = arg;
	if (reply.n > 0) {
		timing_add(s->timing, s->from_us[slot]);
		TRY(check_issued(reply, f));
	}
	int64_t now = clock_mono_us();
	if (s->pool->at == s->pool->n || now >= s->until_us)
		return OK;
	s->from_us[slot] = now;
	buf_add_slice(request, buf_slice(&s->pool->items[s->pool->at++].request));
	return OK;
}

static enum err run_plan(struct issue *x, struct side *s, size_t k, struct fault *f)
{
	const struct plan *p = &plans[k];
	if (p->road == DESK)
		return desk_run(s->desk, x->b->seconds, &x->timing, f);
	struct spending spending = {.pool = &s->pools[k], .timing = &x->timing};
	assert(p->in_flight <= MANY);
	timing_start(&x->timing);
	spending.until_us = x->timing.from_us + (int64_t)(x->b->seconds * 1e6);
	return load_run(s->tree.ra_socket, p->in_flight, spend_step, &spending, f);
}

/* The same work by another signer, in the same round. */
static enum err run_peers(struct issue *x, const struct row *r, struct sample *sample, struct fault *f)
{
	for (size_t i = 0; i < REPORT_PEERS && r->peers[i]; i++) {
		_cleanup_(freep) char *dir = xasprintf("%s/%s-%zu", x->b->dir, r->peers[i], r->n_runs);
		TRY(cfssl_run(dir, &x->old, i == 0, x->b->seconds, &sample->peers[i], f));
		progress(x, "%s: %.0f/s", r->peers[i], sample->peers[i]);
	}
	return OK;
}

/* --- setting up --------------------------------------------------------------------------------------------------- */

static struct row *add_row(struct issue *x, const struct side *s, const struct plan *p)
{
	if (s->in_hsm && (!p->in_hsm || !hsm_there()))
		return NULL;
	if (s->in_long && (!p->in_long || x->b->entries == 0))
		return NULL;
	_cleanup_(freep) char *name = NULL;
	const char *at = strstr(p->name, "%s");
	name = xasprintf("%.*s%s%s", (int)(at - p->name), p->name, s->word, at + 2);
	if (x->b->only && !strstr(name, x->b->only))
		return NULL;
	struct row *r = &x->report->rows[x->report->n_rows++];
	snprintf(r->name, sizeof r->name, "%s", name);
	if (p->beside_cfssl && s->alg == KEY_P256 && !s->in_hsm && !s->in_long && cfssl_program())
		memcpy(r->peers, peer_words, sizeof r->peers);
	return r;
}

static struct program *add_program(struct issue *x, const struct side *s, const char *program,
				   const struct memory *idle)
{
	struct program *p = &x->report->programs[x->report->n_programs++];
	snprintf(p->name, sizeof p->name, "%s %s", program, s->word);
	p->idle = *idle;
	return p;
}

/* A CA of which no case is asked for is not laid out. */
static enum err open_side(struct issue *x, struct side *s, struct fault *f)
{
	bool asked = false;
	for (size_t k = 0; k < N_PLANS; k++) {
		s->rows[k] = add_row(x, s, &plans[k]);
		asked = asked || s->rows[k];
	}
	if (!asked)
		return OK;
	progress(x, "%s: laying out", s->word);
	s->tree.build = x->b->build;
	s->tree.policies = x->b->policies;
	s->tree.in_hsm = s->in_hsm;
	s->tree.dir = path_join(x->b->dir, s->word);
	TRY(tree_lay_out(&s->tree, s->algorithm, x->old_path, f));
	if (s->in_long) {
		progress(x, "%s: %zu entries are made", s->word, x->b->entries);
		TRY(tree_lengthen(&s->tree, x->b->entries, f));
	}
	TRY(tree_start(&s->tree, f));
	/* Nobody asks this desk: it need not read the ledger beside the others' runs. */
	if (s->in_long)
		(void)kill(s->tree.ra, SIGSTOP);
	s->ca = add_program(x, s, "hufu-ca", &s->tree.idle_ca);
	s->ra = add_program(x, s, "hufu-ra", &s->tree.idle_ra);
	s->stock = (struct stock){.old = &x->old, .ra = &s->tree.ra_key, .officer = &s->tree.officers[0]};
	memcpy(s->stock.ca, s->tree.ca_key_id, sizeof s->stock.ca);
	memcpy(s->stock.policy, s->tree.policy, sizeof s->stock.policy);
	s->desk = desk_new(&s->tree, &x->old, DESK_ACCOUNTS);
	return limit_new(s->alg, &s->limit, f);
}

/* n more certificates for a case: made, adopted, and signed or paid for. Tallies that were left are dropped. */
static enum err fill(struct issue *x, struct side *s, size_t k, size_t n, struct fault *f)
{
	struct pool *p = &s->pools[k];
	bool desk = plans[k].road == DESK;
	progress(x, "%s: %zu old certificates are made, adopted and %s", s->rows[k]->name, n,
		 desk ? "paid for" : "asked to be extended");
	pool_done(p);
	TRY(stock_make(&s->stock, n, !desk, &p->items, f));
	p->n = n;
	TRY(tree_adopt(&s->tree, &s->stock, p->items, n, f));
	for (size_t i = 0; i < n; i++)
		if (!desk)
			buf_done(&p->items[i].cert);
	return desk ? desk_fill(s->desk, p->items, n, f) : OK;
}

/* --- rounds ------------------------------------------------------------------------------------------------------- */

/* The signer alone is measured alone: the desk, which would follow its ledger, stands still meanwhile. */
static enum err run_alone(struct issue *x, struct side *s, size_t k, struct fault *f)
{
	if (plans[k].road == DESK)
		return run_plan(x, s, k, f);
	(void)kill(s->tree.ra, SIGSTOP);
	enum err e = run_plan(x, s, k, f);
	if (!s->in_long)
		(void)kill(s->tree.ra, SIGCONT);
	return e;
}

static enum err run_counted(struct issue *x, struct side *s, size_t k, struct sample *sample, struct fault *f)
{
	int64_t before_us, after_us;
	bool with_ra = plans[k].road == DESK;
	if (with_ra)
		TRY(desk_catch_up(s->desk, f));
	TRY(tree_cpu_us(&s->tree, with_ra, &before_us, f));
	TRY(run_alone(x, s, k, f));
	TRY(tree_cpu_us(&s->tree, with_ra, &after_us, f));
	if (x->timing.n == 0)
		return fault_raise(f, ERR_INTERNAL, "pool_empty", s->rows[k]->name,
				   "no certificate was left for this run");
	sample_take(sample, &x->timing);
	sample->cpu_us = (double)(after_us - before_us) / (double)x->timing.n;
	if (sample->per_s > s->best[k])
		s->best[k] = sample->per_s;
	return OK;
}

/* A short run to warm up and to learn how many certificates a run will spend. */
static enum err pilot(struct issue *x, struct side *s, size_t k, struct fault *f)
{
	struct sample sample = {0};
	unsigned in_flight = plans[k].in_flight;
	TRY(fill(x, s, k, (size_t)PILOT_TURNS * (in_flight < PILOT_SLOTS ? PILOT_SLOTS : in_flight), f));
	TRY(run_counted(x, s, k, &sample, f));
	progress(x, "%s: pilot %.0f/s", s->rows[k]->name, sample.per_s);
	return OK;
}

/* Enough for a run half as fast again as the best so far, and when not, enough for all runs that are to come. */
static enum err top_up(struct issue *x, struct side *s, size_t k, struct fault *f)
{
	const struct plan *p = &plans[k];
	size_t left = p->road == DESK ? desk_left(s->desk) * p->in_flight : s->pools[k].n - s->pools[k].at;
	size_t need = (size_t)(s->best[k] * x->b->seconds * POOL_MARGIN) + 2 * p->in_flight;
	return left < need ? fill(x, s, k, need * (x->b->runs - s->rows[k]->n_runs), f) : OK;
}

static enum err measure(struct issue *x, struct side *s, size_t k, struct fault *f)
{
	struct row *r = s->rows[k];
	struct sample *sample = &r->runs[r->n_runs];
	/* One request at a time keeps one core busy at most. */
	unsigned cores = plans[k].in_flight < x->b->cpus ? plans[k].in_flight : x->b->cpus;
	TRY(top_up(x, s, k, f));
	progress(x, "%s: run %zu of %u", r->name, r->n_runs + 1, x->b->runs);
	TRY(limit_run(s->limit, cores, x->b->seconds * LIMIT_SECONDS, &sample->limit_per_s, f));
	TRY(run_counted(x, s, k, sample, f));
	TRY(run_peers(x, r, sample, f));
	if (plans[k].in_flight == 1)
		TRY(timing_flushes(&x->report->flushes, x->b->dir, f));
	r->n_runs++;
	progress(x, "%s: %.0f/s, limit %.0f/s", r->name, sample->per_s, sample->limit_per_s);
	TRY(memory_read(s->tree.ca, &r->ca, f));
	return plans[k].road == DESK ? memory_read(s->tree.ra, &r->ra, f) : OK;
}

static enum err ledger_length(const struct side *s, uint64_t *ret, struct fault *f)
{
	_cleanup_buf_ struct buf ask = {0}, reply = {0};
	struct wire_health_is is;
	wire_health_put(&(struct wire_health){0}, &ask);
	TRY(load_call(s->tree.ra_socket, buf_slice(&ask), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_HEALTH_IS, NULL, f));
	TRY(wire_health_is_get(buf_slice(&reply), &is, f));
	*ret = is.size;
	return OK;
}

static bool has_growth(const struct issue *x)
{
	return x->sides[SHORT_SIDE].rows[0] && x->sides[LONG_SIDE].rows[0];
}

static enum err lengths(struct issue *x, struct fault *f)
{
	if (!has_growth(x))
		return OK;
	TRY(ledger_length(&x->sides[SHORT_SIDE], &x->report->growth.entries[0], f));
	return ledger_length(&x->sides[LONG_SIDE], &x->report->growth.entries[1], f);
}

static void compare(struct issue *x)
{
	if (has_growth(x))
		x->report->growth.ratio = row_median(x->sides[LONG_SIDE].rows[0], offsetof(struct sample, per_s)) /
					  row_median(x->sides[SHORT_SIDE].rows[0], offsetof(struct sample, per_s));
}

static enum err all_rounds(struct issue *x, struct fault *f)
{
	TRY(lengths(x, f));
	for (unsigned round = 0; round < x->b->runs; round++)
		for (size_t i = 0; i < N_SIDES; i++)
			for (size_t k = 0; k < N_PLANS; k++)
				if (x->sides[i].rows[k])
					TRY(measure(x, &x->sides[i], k, f));
	compare(x);
	for (size_t i = 0; i < N_SIDES; i++) {
		if (!x->sides[i].ca)
			continue;
		TRY(memory_read(x->sides[i].tree.ca, &x->sides[i].ca->loaded, f));
		TRY(memory_read(x->sides[i].tree.ra, &x->sides[i].ra->loaded, f));
	}
	return OK;
}

static enum err run_all(struct issue *x, struct fault *f)
{
	_cleanup_buf_ struct buf pem = {0};
	TRY(old_ca_new(&x->old, f));
	pem_put(&pem, "CERTIFICATE", buf_slice(&x->old.cert));
	x->old_path = path_join(x->b->dir, "old-ca.pem");
	TRY(file_write_new(x->old_path, buf_slice(&pem), 0644, f));
	if (!cfssl_program())
		progress(x, "cfssl is not installed (golang-cfssl): its figures are left out");
	for (size_t i = 0; i < N_SIDES; i++)
		TRY(open_side(x, &x->sides[i], f));
	for (size_t i = 0; i < N_SIDES; i++)
		for (size_t k = 0; k < N_PLANS; k++)
			if (x->sides[i].rows[k])
				TRY(pilot(x, &x->sides[i], k, f));
	if (x->report->n_rows == 0)
		return fault_raise(f, ERR_CONFIG, "no_case", "case", "no case has \"%s\" in its name", x->b->only);
	return all_rounds(x, f);
}

enum err issue_run(const struct bench_run *b, struct report *ret, struct fault *f)
{
	assert(b->runs <= REPORT_MAX_RUNS);
	struct issue x = {
		.b = b,
		.report = ret,
		.sides = {[SHORT_SIDE] = {.word = "p256", .algorithm = "p256", .alg = KEY_P256},
			  [LONG_SIDE] = {.word = "p256-long", .algorithm = "p256", .alg = KEY_P256, .in_long = true},
			  {.word = "p256-hsm", .algorithm = "p256", .alg = KEY_P256, .in_hsm = true},
			  {.word = "rsa2048", .algorithm = "rsa", .alg = KEY_RSA},
			  {.word = "sm2", .algorithm = "sm2", .alg = KEY_SM2}}};
	enum err e = run_all(&x, f);
	issue_done(&x);
	return e;
}

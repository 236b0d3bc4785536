/*
 * Figures by day, as people here have days (Asia/Shanghai): what was handed in, how it was decided, how many of the decisions came late,
 * and the median of the hours between. And the outlook: certificates that end in the weeks to come, the responders' certificates,
 * the signer's last refusals with their rule.
 */
#include "ra/figures.h"

#include "ra/officer.h"
#include "ra/resume.h"
#include "ra/status.h"
#include "ra/store_figures.h"

#include "common/base/clock.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S 86400
#define SHANGHAI_S (8 * 3600)
#define DAYS_MAX 31
#define DAYS 14
#define WEEKS 13
#define REFUSALS 20
#define RESPONDERS 20

struct day {
	int64_t received, approved, rejected, corrected, late;
	struct buf waits; /* int64_t seconds from hand-in to decision */
};
struct days {
	const struct ctx *c;
	int64_t first; /* start of the first, UTC */
	size_t n;
	struct day v[DAYS_MAX];
};

static void days_done(struct days *d)
{
	for (size_t i = 0; i < d->n; i++)
		buf_done(&d->v[i].waits);
}

/* The start of the Shanghai day that t is in. */
static int64_t day_start(int64_t t)
{
	return (t + SHANGHAI_S) / DAY_S * DAY_S - SHANGHAI_S;
}

/* A line short of the number that is wanted decides nothing. */
static bool decides(const struct figure_step *s)
{
	return strcmp(s->event, "submit") != 0 && strcmp(s->after, "awaiting_officers") != 0;
}

static void add_step(void *arg, const struct figure_step *s)
{
	struct days *d = arg;
	struct day *day = &d->v[(s->at - d->first) / DAY_S];
	if (!officer_sees(d->c, s->project))
		return;
	day->received += strcmp(s->event, "submit") == 0;
	if (!decides(s))
		return;
	day->rejected += strcmp(s->event, "reject") == 0;
	day->corrected += strcmp(s->event, "correct") == 0;
	day->approved += strcmp(s->event, "approve") == 0 || strcmp(s->event, "decide") == 0;
	day->late += s->due != 0 && s->at > s->due;
	const int64_t waited = s->at - s->submitted;
	if (s->submitted != 0)
		buf_add(&day->waits, &waited, sizeof(waited));
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static json_t *median_hours(struct buf *waits)
{
	size_t n = waits->len / sizeof(int64_t);
	int64_t *v = (int64_t *)(void *)waits->data;
	if (n == 0)
		return json_null();
	qsort(v, n, sizeof(*v), by_value);
	const size_t middle = n / 2;
	double seconds = (double)v[middle];
	if (n % 2 == 0)
		seconds = (seconds + (double)v[middle - 1]) / 2;
	return json_real((double)(int64_t)(seconds / 360 + 0.5) / 10);
}

static json_t *day_json(int64_t start, struct day *day)
{
	json_t *o = json_object();
	json_object_set_new(o, "day", json_sprintf("%.10s", SHANGHAI(start)));
	json_object_set_new(o, "received", json_integer(day->received));
	json_object_set_new(o, "approved", json_integer(day->approved));
	json_object_set_new(o, "rejected", json_integer(day->rejected));
	json_object_set_new(o, "corrected", json_integer(day->corrected));
	json_object_set_new(o, "late", json_integer(day->late));
	json_object_set_new(o, "median_hours", median_hours(&day->waits));
	return o;
}

enum err desk_figures(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(days_done) struct days d = {.c = c, .n = (size_t)param_number(c, "days", DAYS)};
	int64_t today = day_start(c->now);
	d.first = today - ((int64_t)d.n - 1) * DAY_S;
	TRY(store_figure_steps(c->db, d.first, today + DAY_S, add_step, &d, f));
	json_t *list = json_array();
	for (size_t i = 0; i < d.n; i++)
		json_array_append_new(list, day_json(d.first + (int64_t)i * DAY_S, &d.v[i]));
	*ret = json_object();
	json_object_set_new(*ret, "days", list);
	return OK;
}

/* --- the outlook --- */

struct refusals {
	const struct ctx *c;
	json_t *rows;
};

static void add_refusal(void *arg, const struct refusal *r)
{
	const struct refusals *l = arg;
	if (!officer_sees(l->c, r->project))
		return;
	json_t *o = json_object();
	json_object_set_new(o, "at", json_time(r->at));
	json_object_set_new(o, "number", json_string(r->number));
	json_object_set_new(o, "kind", json_string(r->kind));
	json_object_set_new(o, "project", json_string(r->project));
	json_object_set_new(o, "rule", json_string(r->rule));
	json_object_set_new(o, "text", json_string(r->text));
	const struct rpc_message *m = desk_message_of(r->rule);
	json_object_set_new(o, "zh", json_string(m ? m->zh : r->text));
	json_object_set_new(o, "en", json_string(m ? m->en : r->text));
	json_array_append_new(l->rows, o);
}

struct responders {
	struct status_index *status;
	int64_t now;
	json_t *rows;
};

static void add_responder(void *arg, const struct cert_item *item)
{
	const struct responders *l = arg;
	json_t *o = json_object();
	json_object_set_new(o, "name", json_string(item->name));
	json_object_set_new(o, "serial", json_string(SERIAL(&item->row.ref.serial)));
	json_object_set_new(o, "issuer", json_hex(item->row.ref.issuer_key_id, 20));
	json_object_set_new(o, "state", json_string(cert_state_word(l->status, &item->row, l->now)));
	json_object_set_new(o, "not_after", json_time(item->row.not_after));
	json_array_append_new(l->rows, o);
}

static enum err weeks(struct ctx *c, json_t *list, struct fault *f)
{
	for (int64_t i = 0, from = day_start(c->now); i < WEEKS; i++, from += 7 * DAY_S) {
		int64_t n = 0;
		TRY(store_certs_ending(c->db, from, from + 7 * DAY_S, &n, f));
		json_t *o = json_object();
		json_object_set_new(o, "from", json_sprintf("%.10s", SHANGHAI(from)));
		json_object_set_new(o, "ends", json_integer(n));
		json_array_append_new(list, o);
	}
	return OK;
}

/* As the signer signed it; none before the first entry was followed. */
static enum err put_checkpoint(struct ctx *c, json_t *o, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	enum err e = store_head_bytes(c->db, HEAD_CHECKPOINT, &note, f);
	if (e == ERR_NOT_FOUND || (e == OK && note.len == 0))
		return OK;
	TRY(e);
	json_object_set_new(o, "checkpoint", json_stringn((const char *)note.data, note.len));
	return OK;
}

enum err desk_outlook(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *o = json_object();
	json_t *ends = json_array(), *refused = json_array(), *responders = json_array();
	json_object_set_new(o, "weeks", ends);
	json_object_set_new(o, "refusals", refused);
	json_object_set_new(o, "responders", responders);
	TRY(weeks(c, ends, f));
	TRY(store_refusals(c->db, REFUSALS, add_refusal, &(struct refusals){c, refused}, f));
	TRY(store_responders(c->db, c->now, RESPONDERS, add_responder,
			     &(struct responders){c->desk->status, c->now, responders}, f));
	TRY(put_checkpoint(c, o, f));
	*ret = TAKE(o);
	return OK;
}

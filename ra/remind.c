/*
 * For each of the four there is a mark on the line of all ends, which moves on with the time: what it passes is reminded of.
 *
 * When the desk was down, a mark has far to go. It begins no nearer than where the next one's stretch ends, so each
 * certificate is told the nearest of what it missed and not all. A mark that lies ahead (the clock was wrong, and is right
 * again) is put back, and the table of reminders keeps what was sent from being sent again. A certificate that comes to the
 * desk within a stretch that is passed hears of its end at the next one.
 */
#include "ra/remind.h"

#include "ra/account.h"
#include "ra/contact.h"
#include "ra/status_index.h"
#include "ra/store_remind.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <string.h>
#include <unistd.h>

#define DAY_S INT64_C(86400)
#define SHANGHAI_S (8 * 3600)
#define FROM_HOUR 8
#define TO_HOUR 20
#define AT_ONCE 200
#define BATCHES 25 /* a turn of the clockwork has other things to do as well */

static const struct stretch {
	int64_t days, next; /* those of the one behind it; 0: the end */
	const char *head_at, *head_id;
} stretches[] = {{1, 0, "remind_1", "remind_1_id"},
		 {7, 1, "remind_7", "remind_7_id"},
		 {30, 7, "remind_30", "remind_30_id"},
		 {90, 30, "remind_90", "remind_90_id"}};
#define N_STRETCHES (sizeof(stretches) / sizeof(stretches[0]))

/* --- one certificate --- */

static enum err post(struct ctx *c, const struct account *a, const struct ending *e, struct fault *f)
{
	char days[24];
	int64_t left = (e->not_after - c->now + DAY_S - 1) / DAY_S;
	snprintf(days, sizeof(days), "%lld", (long long)left);
	const struct letter_word words[] = {{"organisation", a->organisation},
					    {"name", e->name},
					    {"serial", SERIAL(&e->serial)},
					    {"end", SHANGHAI(e->not_after)},
					    {"days", days}};
	struct letter l = {.template = "expiry",
			   .words = words,
			   .n_words = sizeof(words) / sizeof(words[0]),
			   .lives_s = e->not_after - c->now < 3 * DAY_S ? e->not_after - c->now : 3 * DAY_S};
	return contact_post(c, a, &l, f);
}

static enum err remind(struct ctx *c, const struct ending *e, int64_t days, size_t *n, struct fault *f)
{
	struct account a;
	struct cert_row row;
	bool is_new = false;
	if (e->account == 0)
		return OK;
	TRY(store_reminder_add(c->db, e, days, c->now, &is_new, f));
	if (!is_new)
		return OK;
	TRY(store_cert_by_id(c->db, e->id, &row, f));
	if (status_issuer_fallen(c->desk->status, row.ref.issuer_key_id))
		return OK;
	TRY(store_account_get(c->db, e->account, &a, f));
	(*n)++;
	return post(c, &a, e, f);
}

/* --- a stretch --- */

static enum err mark_get(struct db *db, const struct stretch *s, int64_t now, struct end_mark *ret, struct fault *f)
{
	int64_t nearest = now + s->next * DAY_S, farthest = now + s->days * DAY_S;
	TRY(store_head(db, s->head_at, &ret->at, f));
	TRY(store_head(db, s->head_id, &ret->id, f));
	/* None yet: from now on. Or the clock was ahead. */
	if (ret->at == 0 || ret->at > farthest)
		*ret = (struct end_mark){farthest, INT64_MAX};
	if (ret->at < nearest)
		*ret = (struct end_mark){nearest, INT64_MAX};
	return OK;
}

static enum err mark_set(struct db *db, const struct stretch *s, struct end_mark m, struct fault *f)
{
	TRY(store_head_set(db, s->head_at, m.at, f));
	return store_head_set(db, s->head_id, m.id, f);
}

struct batch {
	size_t n_reminded;
	bool more;
};

static enum err batch_in(struct ctx *c, const struct stretch *s, struct batch *b, struct fault *f)
{
	_cleanup_(freep) struct ending *endings = xcalloc(AT_ONCE, sizeof(*endings));
	struct end_mark mark;
	size_t n = 0;
	int64_t until = c->now + s->days * DAY_S;
	TRY(mark_get(c->db, s, c->now, &mark, f));
	TRY(store_endings(c->db, mark, until, endings, AT_ONCE, &n, f));
	for (size_t i = 0; i < n; i++)
		TRY(remind(c, &endings[i], s->days, &b->n_reminded, f));
	b->more = n == AT_ONCE;
	mark = b->more ? (struct end_mark){endings[n - 1].not_after, endings[n - 1].id}
		       : (struct end_mark){until, INT64_MAX};
	return mark_set(c->db, s, mark, f);
}

static enum err run_batch(struct desk *d, const struct stretch *s, int64_t now, struct batch *b, struct fault *f)
{
	struct rpc_call call = {.method = "clock", .peer.uid = getuid()};
	struct ctx c = {.desk = d, .call = &call, .now = now, .who = "clock", .law = laws_take(d->laws)};
	size_t before = b->n_reminded;
	enum err e = store_begin(d->store, &c.db, f);
	if (e == OK)
		e = store_end(d->store, c.db, batch_in(&c, s, b, f), f);
	law_put(d->laws, c.law);
	TRY(e);
	if (b->n_reminded > before)
		log_event(LOG_LEVEL_INFO, "reminded", "days=%lld certificates=%zu", (long long)s->days,
			  b->n_reminded - before);
	if (c.posted)
		bell_ring(d->posted, 0);
	return OK;
}

/* Is there anything behind the mark, or no mark yet? Most turns end here, without the writer. */
static enum err is_due(struct desk *d, const struct stretch *s, int64_t now, bool *ret, struct fault *f)
{
	struct db *db = NULL;
	struct end_mark mark;
	struct ending one;
	size_t n = 0;
	int64_t at = 0;
	TRY(store_read(d->store, &db, f));
	enum err e = store_head(db, s->head_at, &at, f);
	if (e == OK)
		e = mark_get(db, s, now, &mark, f);
	if (e == OK)
		e = store_endings(db, mark, now + s->days * DAY_S, &one, 1, &n, f);
	store_read_end(d->store, db);
	*ret = n > 0 || at == 0 || at > now + s->days * DAY_S;
	return e;
}

enum err remind_turn(struct desk *d, int64_t now, size_t *ret_n, struct fault *f)
{
	struct batch b = {0};
	int64_t hour = (now + SHANGHAI_S) % DAY_S / 3600;
	*ret_n = 0;
	if (hour < FROM_HOUR || hour >= TO_HOUR)
		return OK;
	for (size_t i = 0; i < N_STRETCHES; i++) {
		bool due = false;
		TRY(is_due(d, &stretches[i], now, &due, f));
		b.more = due;
		for (int k = 0; k < BATCHES && b.more; k++)
			TRY(run_batch(d, &stretches[i], now, &b, f));
	}
	*ret_n = b.n_reminded;
	return OK;
}

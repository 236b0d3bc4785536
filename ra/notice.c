/*
 * Messages as the notifier takes them and as officers look after them.
 *
 * notice.take answers with a text that may hold a code, so its answer is stored nowhere: the lease that the caller names
 * stands for the stored answer of other calls. Who asks waits up to 10 s, and may be dead when a message comes: nothing is
 * leased to a caller who has hung up. Next: outbox.c, ra/notify/main.c.
 */
#include "ra/notice.h"

#include "ra/mobile.h"
#include "ra/officer.h"
#include "ra/outbox.h"
#include "ra/sealed.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/rpc/server.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#define LEASE_S 120
#define LIST_LIMIT 20
#define MESSAGE_BYTES 65536

const char *const notice_channel_words[] = {"sms", "mail", NULL};
const char *const notice_result_words[] = {"sent", "later", "refused", NULL};
const char *const notice_state_words[] = {"waiting", "sent", "failed", "expired", "unsendable", NULL};

static enum err unknown(const char *id, struct fault *f)
{
	return fault_raise(f, ERR_NOT_FOUND, "notice_unknown", "params.notice", "there is no message \"%s\"",
			   ESC(id, strlen(id)));
}

static enum err find(struct ctx *c, struct message *ret, struct fault *f)
{
	const char *id = param_text(c, "notice");
	enum err e = store_message_get(c->db, id, ret, f);
	if (e == OK && ret->account != 0)
		e = officer_sees_account(c, ret->account, f);
	return e == ERR_NOT_FOUND ? unknown(id, f) : e;
}

/* Gives what the sealed text says: json_decref(). */
static enum err open_text(struct ctx *c, const struct message *m, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf plain = {0};
	TRY(sealed_open(c->desk, buf_slice(&m->sealed), m->id, &plain, f));
	*ret = json_loadb((const char *)plain.data, plain.len, 0, NULL);
	sodium_memzero(plain.data, plain.len);
	return *ret ? OK : fault_raise(f, ERR_INTERNAL, "message_stored", "outbox.sealed", "%s is no JSON", m->id);
}

static void copy_text(json_t *from, const char *name, const char *fallback, json_t *to)
{
	json_t *v = json_object_get(from, name);
	if (!v && fallback)
		v = json_object_get(from, fallback);
	if (v)
		json_object_set(to, name, v);
}

/* --- the notifier --- */

static enum err answer_take(struct ctx *c, const struct message *m, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *text = NULL;
	TRY(open_text(c, m, &text, f));
	json_t *o = json_object();
	json_object_set_new(o, "id", json_string(m->id));
	json_object_set_new(o, "channel", json_string(m->channel));
	json_object_set_new(o, "to", json_string(m->recipient));
	json_object_set_new(o, "template", json_string(m->template));
	copy_text(text, "subject", NULL, o);
	copy_text(text, "sender", NULL, o);
	copy_text(text, "text", "zh", o); /* what an earlier desk has posted has no text of its own */
	json_object_set_new(o, "made", json_time(m->made));
	json_object_set_new(o, "dies", json_time(m->dies));
	json_object_set_new(o, "tries", json_integer(m->tries));
	json_object_set_new(o, "leased_until", json_time(m->leased));
	*ret = json_pack("{s:o}", "notice", o);
	return OK;
}

struct taking {
	json_t *answer;		 /* NULL: nothing is due, or nobody waits for it */
	char id[MESSAGE_ID + 1]; /* of what this call leased; "": nothing */
};

static enum err lease(struct ctx *c, struct taking *t, struct message *m, int64_t until, struct fault *f)
{
	m->leased = until;
	m->tries++;
	TRY(store_message_lease(c->db, m->id, param_text(c, "lease"), until, f));
	memcpy(t->id, m->id, sizeof(t->id));
	return OK;
}

static enum err take_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct taking *t = c->work;
	int64_t until = c->now + param_number(c, "lease_seconds", LEASE_S);
	_cleanup_(message_done) struct message m = {0};
	bool there = false;
	(void)ret;
	TRY(store_message_leased(c->db, param_text(c, "lease"), c->now, &there, &m, f));
	if (there) {
		TRY(store_message_hold(c->db, m.id, f));
	} else {
		TRY(store_message_due(c->db, param_text(c, "channel"), c->now, &there, &m, f));
		if (!there || m.dies <= c->now || !rpc_peer_waits())
			return OK; /* the outbox's own turn ends what is dead */
		TRY(lease(c, t, &m, until, f));
	}
	return answer_take(c, &m, &t->answer, f);
}

static enum err give_back_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct taking *t = c->work;
	(void)ret;
	TRY(store_message_unlease(c->db, t->id, param_text(c, "lease"), c->now, f));
	c->posted = true;
	return OK;
}

static enum err may_take(const struct ctx *c, struct fault *f)
{
	if (c->desk->forked)
		return fault_raise(f, ERR_LOCKED, "ledger_fork", "ledger",
				   "the signer's ledger is not the one that was followed: no work is taken");
	if (!c->desk->config.notices.by_notifier)
		return fault_raise(
			f, ERR_RULE, "notices_spooled", "notices.by",
			"found notices: {by: spool} in ra.yaml, wanted {by: notifier}: the desk puts messages "
			"into its spool itself");
	return OK;
}

enum err notice_take(struct ctx *c, json_t **ret, struct fault *f)
{
	int64_t until = clock_mono_us() + param_number(c, "wait_ms", 0) * 1000;
	struct taking t = {0};
	TRY(may_take(c, f));
	c->work = &t;
	for (;;) {
		uint64_t count = bell_count(c->desk->posted, 0);
		c->now = clock_now();
		TRY(desk_write(c, take_in, f));
		if (t.answer || clock_mono_us() >= until || !bell_wait(c->desk->posted, 0, count, until))
			break;
	}
	if (t.id[0] && !rpc_peer_waits())
		TRY(desk_write(c, give_back_in, f)); /* it hung up before its lease was durable */
	*ret = t.answer ? t.answer : json_object();
	return OK;
}

static enum err settle(struct ctx *c, const struct message *m, const char *result, const char *error, struct fault *f)
{
	if (strcmp(result, "sent") == 0) {
		TRY(store_message_sent(c->db, m->id, c->now, f));
		return desk_audit(c, "notice_sent", m->id, m->template, f);
	}
	if (strcmp(m->state, "waiting") != 0)
		return OK; /* it has come to its end meanwhile */
	if (strcmp(result, "refused") == 0) {
		TRY(store_message_failed(c->db, m->id, error, c->now, f));
		return desk_audit(c, "notice_failed", m->id, error, f);
	}
	log_event(LOG_LEVEL_WARNING, "notice_later", "id=%s tries=%" PRId64 " error=%s", m->id, m->tries, LQ(error));
	return store_message_later(c->db, m->id, c->now + outbox_pause_s(m->tries), 0, error, f);
}

enum err notice_done(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(message_done) struct message m = {0}, after = {0};
	const char *error = "";
	if (param_text(c, "error"))
		TRY(param_clean(c, "error", &error, f));
	TRY(find(c, &m, f));
	if (strcmp(m.state, "sent") != 0 && strcmp(m.state, "unsendable") != 0)
		TRY(settle(c, &m, param_text(c, "result"), error, f));
	TRY(store_message_get(c->db, m.id, &after, f));
	*ret = json_pack("{s:s,s:s}", "notice", m.id, "state", after.state);
	return OK;
}

/* --- officers --- */

static json_t *time_or_null(int64_t t)
{
	return t != 0 ? json_time(t) : json_null();
}

/* to: as it may be shown. */
static json_t *notice_json(const struct ctx *c, const struct message *m, const char *identifier, const char *to)
{
	bool waits = strcmp(m->state, "waiting") == 0;
	json_t *o = json_object();
	json_object_set_new(o, "notice", json_string(m->id));
	json_object_set_new(o, "channel", json_string(m->channel));
	json_object_set_new(o, "to", json_string(to));
	json_object_set_new(o, "identifier", json_string(identifier));
	json_object_set_new(o, "template", json_string(m->template));
	json_object_set_new(o, "state", json_string(m->state));
	json_object_set_new(o, "sending", json_boolean(waits && m->leased > c->now));
	json_object_set_new(o, "made", json_time(m->made));
	json_object_set_new(o, "dies", json_time(m->dies));
	json_object_set_new(o, "ended", time_or_null(m->ended));
	json_object_set_new(o, "next", waits ? json_time(m->next_at) : json_null());
	json_object_set_new(o, "tries", json_integer(m->tries));
	json_object_set_new(o, "error", json_string(m->error));
	return o;
}

struct listing {
	const struct ctx *c;
	json_t *rows;
	int64_t limit;
	bool more;
};

static void add_notice(void *arg, const struct message *m, const char *identifier)
{
	struct listing *l = arg;
	char to[RECIPIENT_MAX + 1];
	l->more = (int64_t)json_array_size(l->rows) == l->limit;
	if (l->more)
		return;
	if (strcmp(m->channel, "sms") == 0)
		mobile_mask(m->recipient, to);
	else
		snprintf(to, sizeof(to), "%s", m->recipient);
	json_array_append_new(l->rows, notice_json(l->c, m, identifier, to));
}

static enum err read_filter(struct ctx *c, struct message_filter *ret, char before[MESSAGE_ID + 1], struct fault *f)
{
	const char *identifier = param_text(c, "identifier"), *state = param_text(c, "state"),
		   *channel = param_text(c, "channel"), *id = param_text(c, "before");
	_cleanup_(message_done) struct message m = {0};
	struct account a;
	*ret = (struct message_filter){.state = state ? state : "",
				       .channel = channel ? channel : "",
				       .made = INT64_MAX,
				       .id = "",
				       .limit = param_number(c, "limit", LIST_LIMIT) + 1};
	if (identifier) {
		enum err e = store_account_by_name(c->db, identifier, &a, f);
		if (e == OK)
			e = officer_sees_account(c, a.id, f);
		if (e == ERR_NOT_FOUND)
			return fault_raise(f, ERR_NOT_FOUND, "account_unknown", "params.identifier",
					   "there is no account \"%s\"", ESC(identifier, strlen(identifier)));
		TRY(e);
		ret->account = a.id;
	}
	if (!id)
		return OK;
	enum err e = store_message_get(c->db, id, &m, f);
	if (e == ERR_NOT_FOUND)
		return unknown(id, f);
	TRY(e);
	memcpy(before, m.id, sizeof(m.id));
	ret->made = m.made;
	ret->id = before;
	return OK;
}

enum err notice_list(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct message_filter filter;
	char before[MESSAGE_ID + 1];
	_cleanup_(freep) char *view = officer_projects(c);
	TRY(read_filter(c, &filter, before, f));
	filter.view = view;
	struct listing l = {.c = c, .rows = rows, .limit = filter.limit - 1};
	TRY(store_messages(c->db, &filter, add_notice, &l, f));
	*ret = json_object();
	json_object_set_new(*ret, "notices", TAKE(rows));
	json_object_set_new(*ret, "more", json_boolean(l.more));
	return OK;
}

/* What it said, where that is no secret and still there. */
static enum err add_text(struct ctx *c, const struct message *m, json_t *o, struct fault *f)
{
	_cleanup_(json_freep) json_t *text = NULL;
	bool open = outbox_is_open(m->template);
	json_object_set_new(o, "closed", json_boolean(!open));
	if (!open || m->sealed.len == 0)
		return OK;
	TRY(open_text(c, m, &text, f));
	copy_text(text, "subject", NULL, o);
	copy_text(text, "text", "zh", o);
	return OK;
}

enum err notice_show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(message_done) struct message m = {0};
	_cleanup_(json_freep) json_t *o = NULL;
	struct account a = {0};
	TRY(find(c, &m, f));
	if (m.account != 0)
		TRY(store_account_get(c->db, m.account, &a, f));
	o = notice_json(c, &m, a.identifier, m.recipient);
	TRY(add_text(c, &m, o, f));
	*ret = TAKE(o);
	return OK;
}

enum err notice_retry(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(message_done) struct message m = {0};
	TRY(find(c, &m, f));
	if (m.dies <= c->now)
		return fault_raise(f, ERR_RULE, "notice_dead", "params.notice",
				   "message %s is of no use since %s: it is never sent late", m.id, UTC(m.dies));
	if (strcmp(m.state, "failed") != 0)
		return fault_raise(f, ERR_RULE, "notice_state", "params.notice", "message %s is %s, wanted failed",
				   m.id, m.state);
	TRY(store_message_again(c->db, m.id, c->now, f));
	TRY(desk_audit(c, "notice_retried", m.id, m.template, f));
	c->posted = true;
	*ret = json_pack("{s:s,s:s}", "notice", m.id, "state", "waiting");
	return OK;
}

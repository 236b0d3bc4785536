/*
 * Out of the database into the spool. The file is written whole and then the row is ended; after a crash in between it is
 * written once more, under the same name with the same bytes. Next: outbox_text.c.
 */
#include "ra/outbox.h"

#include "ra/mobile.h"
#include "ra/sealed.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define TURN_US 5000000
#define PAUSE_MOST_S 300

struct outbox {
	struct desk *desk;
	pthread_t thread;
	_Atomic bool stopping;
};

/* --- posting --- */

static void write_json(const struct message *m, const struct letter *l, struct buf *ret)
{
	_cleanup_buf_ struct buf zh = {0}, en = {0};
	_cleanup_(json_freep) json_t *o = json_object();
	outbox_text(l->template, "zh", l->words, l->n_words, &zh);
	outbox_text(l->template, "en", l->words, l->n_words, &en);
	json_object_set_new(o, "id", json_string(m->id));
	json_object_set_new(o, "channel", json_string(m->channel));
	json_object_set_new(o, "to", json_string(m->recipient));
	json_object_set_new(o, "template", json_string(m->template));
	json_object_set_new(o, "zh", json_string(buf_text(&zh)));
	json_object_set_new(o, "en", json_string(buf_text(&en)));
	json_object_set_new(o, "made", json_time(m->made));
	json_object_set_new(o, "dies", json_time(m->dies));
	char *text = json_dumps(o, JSON_INDENT(2));
	buf_str(ret, text);
	buf_char(ret, '\n');
	sodium_memzero(text, strlen(text));
	free(text);
}

static void make(struct ctx *c, const struct letter *l, struct message *ret)
{
	uint8_t id[MESSAGE_ID / 2];
	random_fill(id, sizeof(id));
	hex_lower(id, sizeof(id), ret->id);
	snprintf(ret->channel, sizeof(ret->channel), "%s", l->channel);
	snprintf(ret->recipient, sizeof(ret->recipient), "%s", l->to);
	snprintf(ret->template, sizeof(ret->template), "%s", l->template);
	snprintf(ret->state, sizeof(ret->state), "waiting");
	ret->made = c->now;
	ret->dies = c->now + l->lives_s;
}

enum err outbox_post(struct ctx *c, const struct letter *l, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(message_done) struct message m = {0};
	make(c, l, &m);
	if (strcmp(l->channel, "sms") == 0 && !mobile_is_good(l->to)) {
		snprintf(m.state, sizeof(m.state), "unsendable");
		TRY(desk_audit(c, "message_unsendable", m.template, m.id, f));
		return store_message_add(c->db, &m, f);
	}
	write_json(&m, l, &text);
	sealed_put(c->desk, buf_slice(&text), &m.sealed);
	sodium_memzero(text.data, text.len);
	c->posted = true;
	return store_message_add(c->db, &m, f);
}

/* --- handing over --- */

static enum err find_due(struct desk *d, int64_t now, bool *ret_there, struct message *m, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = store_message_due(db, now, ret_there, m, f);
	store_read_end(d->store, db);
	return e;
}

static enum err to_spool(const struct desk *d, const struct message *m, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *name = xasprintf("%s.json", m->id), *path = path_join(d->spool, name);
	TRY(sealed_open(d, buf_slice(&m->sealed), m->id, &text, f));
	enum err e = file_write(path, buf_slice(&text), 0600, f);
	sodium_memzero(text.data, text.len);
	return e;
}

static int64_t pause_s(int64_t tries)
{
	int64_t s = 5;
	for (int64_t i = 0; i < tries && s < PAUSE_MOST_S; i++)
		s *= 2;
	return s < PAUSE_MOST_S ? s : PAUSE_MOST_S;
}

static enum err end(struct desk *d, const struct message *m, const char *state, int64_t now, const struct fault *why,
		    struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	enum err e = state ? store_message_end(db, m->id, state, f)
			   : store_message_later(db, m->id, now + pause_s(m->tries), why->rule, f);
	return store_end(d->store, db, e, f);
}

static enum err hand_over(struct desk *d, const struct message *m, int64_t now, size_t *n, struct fault *f)
{
	struct fault why = {0};
	if (m->dies <= now)
		return end(d, m, "expired", now, NULL, f);
	if (to_spool(d, m, &why) != OK) {
		log_fault(LOG_LEVEL_ERROR, "outbox", &why);
		return end(d, m, NULL, now, &why, f);
	}
	(*n)++;
	log_event(LOG_LEVEL_INFO, "message_sent", "id=%s channel=%s template=%s", m->id, m->channel, m->template);
	return end(d, m, "sent", now, NULL, f);
}

enum err outbox_turn(struct desk *d, size_t *ret_n, struct fault *f)
{
	int64_t now = clock_now();
	*ret_n = 0;
	for (;;) {
		_cleanup_(message_done) struct message m = {0};
		bool there = false;
		TRY(find_due(d, now, &there, &m, f));
		if (!there)
			return OK;
		TRY(hand_over(d, &m, now, ret_n, f));
	}
}

/* --- the thread --- */

static void *run(void *arg)
{
	struct outbox *o = arg;
	while (!o->stopping) {
		struct fault f = {0};
		size_t n = 0;
		uint64_t seen = bell_count(o->desk->posted, 0);
		if (outbox_turn(o->desk, &n, &f) != OK)
			log_fault(LOG_LEVEL_ERROR, "outbox", &f);
		bell_wait(o->desk->posted, 0, seen, clock_mono_us() + TURN_US);
	}
	return NULL;
}

enum err outbox_start(struct desk *d, struct outbox **ret, struct fault *f)
{
	struct outbox *o = xcalloc(1, sizeof(*o));
	o->desk = d;
	if (pthread_create(&o->thread, NULL, run, o) != 0) {
		free(o);
		return fault_raise(f, ERR_IO, "thread", "outbox", "cannot start a thread");
	}
	*ret = o;
	return OK;
}

void outbox_stop(struct outbox *o)
{
	o->stopping = true;
	bell_stop(o->desk->posted);
	pthread_join(o->thread, NULL);
	free(o);
}

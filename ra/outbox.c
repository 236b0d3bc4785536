/*
 * Into the database, and out of it into the spool where no notifier does that. A file is written whole and then the row
 * is ended; after a crash in between it is written once more, under the same name with the same bytes. Next:
 * outbox_text.c, notice.c.
 */
#include "ra/outbox.h"

#include "ra/account.h"
#include "ra/contact.h"
#include "ra/mobile.h"
#include "ra/sealed.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define TURN_US 5000000
#define PAUSE_MOST_S 300
#define WORDS_MAX 16
#define URGENT_S 3600 /* what lives no longer */

struct outbox {
	struct desk *desk;
	pthread_t thread;
	_Atomic bool stopping;
};

/* --- posting --- */

/* What it says: in the person's language; where nobody has said which, Chinese by SMS and both by mail. */
static void compose(const struct message *m, const char *language, const char *zh, const char *en, json_t *o)
{
	const char *zh_about = outbox_subject(m->template, "zh"), *en_about = outbox_subject(m->template, "en");
	bool mail = strcmp(m->channel, "mail") == 0, english = strcmp(language, "en") == 0;
	bool both = mail && language[0] == '\0';
	json_object_set_new(o, "text", both ? json_sprintf("%s\n\n%s", zh, en) : json_string(english ? en : zh));
	if (mail)
		json_object_set_new(o, "subject",
				    both ? json_sprintf("%s / %s", zh_about, en_about)
					 : json_string(english ? en_about : zh_about));
}

/* Of the desk that the account asks: its telephone is a word of each template, and SMS are signed with its name. */
static void write_json(const struct message *m, const struct letter *l, const char *language,
		       const struct project *desk, struct buf *ret)
{
	struct letter_word words[WORDS_MAX];
	size_t n = l->n_words;
	assert(n < WORDS_MAX);
	memcpy(words, l->words, n * sizeof(words[0]));
	words[n++] = (struct letter_word){"telephone", desk_telephone(desk)};
	_cleanup_buf_ struct buf zh = {0}, en = {0};
	_cleanup_(json_freep) json_t *o = json_object();
	outbox_text(l->template, "zh", words, n, &zh);
	outbox_text(l->template, "en", words, n, &en);
	json_object_set_new(o, "id", json_string(m->id));
	json_object_set_new(o, "channel", json_string(m->channel));
	json_object_set_new(o, "to", json_string(m->recipient));
	json_object_set_new(o, "template", json_string(m->template));
	compose(m, language, buf_text(&zh), buf_text(&en), o);
	if (strcmp(m->channel, "sms") == 0 && desk && desk->contact_sms_sender)
		json_object_set_new(o, "sender", json_string(desk->contact_sms_sender));
	json_object_set_new(o, "zh", json_string(buf_text(&zh)));
	json_object_set_new(o, "en", json_string(buf_text(&en)));
	json_object_set_new(o, "made", json_time(m->made));
	json_object_set_new(o, "dies", json_time(m->dies));
	char *text = json_dumps(o, JSON_INDENT(2));
	buf_str(ret, text);
	buf_char(ret, '\n');
	sodium_memzero(text, strlen(text));
	free(text);
	sodium_memzero(zh.data, zh.len);
	sodium_memzero(en.data, en.len);
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
	ret->account = l->account;
	ret->urgent = l->lives_s <= URGENT_S;
	ret->made = ret->next_at = c->now;
	ret->dies = c->now + l->lives_s;
}

enum err outbox_post(struct ctx *c, const struct letter *l, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(message_done) struct message m = {0};
	struct contact contact = {0};
	const struct project *desk;
	make(c, l, &m);
	if (strcmp(l->channel, "sms") == 0 ? !mobile_is_good(l->to) : !mail_is_good(l->to)) {
		snprintf(m.state, sizeof(m.state), "unsendable");
		TRY(desk_audit(c, "message_unsendable", m.template, m.id, f));
		return store_message_add(c->db, &m, f);
	}
	if (l->account != 0)
		TRY(store_contact(c->db, l->account, &contact, f));
	TRY(account_desk(c->db, c->law->policy, l->account, &desk, f));
	write_json(&m, l, contact.language, desk, &text);
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
	enum err e = store_message_due(db, "sms", now, ret_there, m, f);
	if (e == OK && !*ret_there)
		e = store_message_due(db, "mail", now, ret_there, m, f);
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

int64_t outbox_pause_s(int64_t tries)
{
	int64_t s = 5;
	for (int64_t i = 0; i < tries && s < PAUSE_MOST_S; i++)
		s *= 2;
	return s < PAUSE_MOST_S ? s : PAUSE_MOST_S;
}

/* why NULL: it was sent. */
static enum err end(struct desk *d, const struct message *m, int64_t now, const struct fault *why, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	enum err e = why ? store_message_later(db, m->id, now + outbox_pause_s(m->tries), 1, why->rule, f)
			 : store_message_sent(db, m->id, now, f);
	return store_end(d->store, db, e, f);
}

static enum err hand_over(struct desk *d, const struct message *m, int64_t now, size_t *n, struct fault *f)
{
	struct fault why = {0};
	if (to_spool(d, m, &why) != OK) {
		log_fault(LOG_LEVEL_ERROR, "outbox", &why);
		return end(d, m, now, &why, f);
	}
	(*n)++;
	log_event(LOG_LEVEL_INFO, "message_sent", "id=%s channel=%s template=%s", m->id, m->channel, m->template);
	return end(d, m, now, NULL, f);
}

static enum err any_dead(struct desk *d, int64_t now, bool *ret, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(d->store, &db, f));
	enum err e = store_messages_dead(db, now, ret, f);
	store_read_end(d->store, db);
	return e;
}

static enum err expire(struct desk *d, int64_t now, struct fault *f)
{
	struct db *db = NULL;
	int64_t n = 0;
	bool dead = false;
	TRY(any_dead(d, now, &dead, f));
	if (!dead)
		return OK;
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, store_messages_expire(db, now, &n, f), f));
	if (n > 0)
		log_event(LOG_LEVEL_WARNING, "messages_expired", "n=%lld", (long long)n);
	return OK;
}

enum err outbox_turn(struct desk *d, size_t *ret_n, struct fault *f)
{
	int64_t now = clock_now();
	*ret_n = 0;
	TRY(expire(d, now, f));
	while (!d->config.notices.by_notifier) {
		_cleanup_(message_done) struct message m = {0};
		bool there = false;
		TRY(find_due(d, now, &there, &m, f));
		if (!there)
			return OK;
		TRY(hand_over(d, &m, now, ret_n, f));
	}
	return OK;
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

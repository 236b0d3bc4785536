/*
 * Policies, roster, calendar and ra.yaml are files that people review and sign; nothing of them is kept a second time to
 * be edited. What is kept is the text of what they said when the desk last read them: the difference to it goes into the
 * audit, whoever made the desk read them again. Next: law.c.
 */
#include "ra/facts.h"

#include "ra/store_audit.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_FACTS "law_facts"
#define DETAIL_MAX 4000 /* bytes of an audit row's difference */
#define LINES_MAX 20000

/* --- the lines --- */

static void put_hash(struct buf *b, const char *key, const uint8_t sha[32])
{
	char hex[65];
	hex_lower(sha, 32, hex);
	buf_fmt(b, "%s = %s\n", key, hex);
}

static void put_words(struct buf *b, const struct yaml_strs *words)
{
	for (size_t i = 0; i < words->n; i++)
		buf_fmt(b, "%s%s", i ? " " : "", words->v[i]);
}

static void put_project(struct buf *b, const struct project *p)
{
	const struct service_def *defs = p->services.v;
	const char *n = p->name;
	buf_fmt(b, "project.%s.contact.name = %s / %s\n", n, p->contact_name.zh, p->contact_name.en);
	buf_fmt(b, "project.%s.contact.hours = %s / %s\n", n, p->contact_hours.zh, p->contact_hours.en);
	buf_fmt(b, "project.%s.contact.address = %s / %s\n", n, p->contact_address.zh, p->contact_address.en);
	buf_fmt(b, "project.%s.contact.telephone = %s\n", n, p->contact_telephone ? p->contact_telephone : "");
	buf_fmt(b, "project.%s.contact.emergency = %s\n", n, p->contact_emergency ? p->contact_emergency : "");
	if (p->contact_sms_sender)
		buf_fmt(b, "project.%s.contact.sms_sender = %s\n", n, p->contact_sms_sender);
	buf_fmt(b, "project.%s.first_login_proof = %s\n", n, p->first_login_proof);
	buf_fmt(b, "project.%s.profiles = ", n);
	put_words(b, &p->profiles);
	buf_char(b, '\n');
	for (size_t i = 0; i < p->services.n; i++) {
		const struct service_price *prices = defs[i].prices.v;
		buf_fmt(b, "project.%s.service.%s.price_fen = %" PRId64 "\n", n, defs[i].name, defs[i].price_fen);
		for (size_t k = 0; k < defs[i].prices.n; k++)
			buf_fmt(b, "project.%s.service.%s.price_fen from %s = %" PRId64 "\n", n, defs[i].name,
				prices[k].from, prices[k].price_fen);
	}
}

static void put_profile(struct buf *b, const struct profile *p)
{
	const struct policy_kind *kinds = p->kinds.v;
	for (size_t k = 0; k < p->kinds.n; k++) {
		const struct policy_way *ways = kinds[k].ways.v;
		for (size_t i = 0; i < kinds[k].ways.n; i++)
			buf_fmt(b, "profile.%s.%s.%s.officers = %" PRId64 "\n", p->name, kinds[k].kind, ways[i].way,
				ways[i].officers);
	}
}

static void put_callers(struct buf *b, const struct ra_config *c)
{
	for (size_t i = 0; i < c->n_callers; i++) {
		const struct caller *k = &c->callers[i];
		buf_fmt(b, "caller.%" PRId64 ".roles =", k->uid);
		for (unsigned r = 0; desk_role_words[r]; r++) {
			if (k->roles >> r & 1)
				buf_fmt(b, " %s", desk_role_words[r]);
		}
		buf_char(b, '\n');
		if (k->officer)
			buf_fmt(b, "caller.%" PRId64 ".officer = %s\n", k->uid, k->officer);
		if (k->projects.n > 0) {
			buf_fmt(b, "caller.%" PRId64 ".projects = ", k->uid);
			put_words(b, &k->projects);
			buf_char(b, '\n');
		}
	}
}

static void put_law(struct buf *b, const struct law *law)
{
	const struct policy *p = law->policy;
	put_hash(b, "policy.sha256", p->note.sha256);
	buf_fmt(b, "policy.version = %" PRIu64 "\n", (uint64_t)p->note.version);
	put_hash(b, "roster.sha256", law->roster.sha256);
	buf_fmt(b, "roster.version = %" PRIu64 "\n", (uint64_t)law->roster.version);
	for (size_t i = 0; i < law->roster.n_members; i++) {
		const struct member *m = &law->roster.members[i];
		char key[65];
		hex_lower(m->key, 32, key);
		buf_fmt(b, "roster.%s = %s %s\n", m->name, role_word(m->role), key);
	}
	for (size_t i = 0; i < p->n_projects; i++)
		put_project(b, &p->projects[i]);
	for (size_t i = 0; i < p->n_profiles; i++)
		put_profile(b, &p->profiles[i]);
	calendar_facts(law_calendar(law), b);
}

/* --- lines as a list: borrowed from their text --- */

struct lines {
	struct slice *v;
	size_t n;
};
static void lines_done(struct lines *l)
{
	free(l->v);
}

static int by_text(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int d = n ? memcmp(x->p, y->p, n) : 0;
	return d != 0 ? d : x->n < y->n ? -1 : x->n > y->n;
}

static struct lines lines_of(struct slice text)
{
	struct lines l = {.v = xcalloc(LINES_MAX, sizeof(struct slice))};
	while (text.n > 0 && l.n < LINES_MAX) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		l.v[l.n++] = slice_of(text.p, n);
		n += end ? 1 : 0;
		text = slice_of(text.p + n, text.n - n);
	}
	qsort(l.v, l.n, sizeof(*l.v), by_text);
	return l;
}

void facts_put(const struct ra_config *config, const struct law *law, struct buf *ret)
{
	_cleanup_buf_ struct buf b = {0};
	put_hash(&b, "ra_yaml.sha256", config->sha256);
	put_callers(&b, config);
	put_law(&b, law);
	_cleanup_(lines_done) struct lines l = lines_of(buf_slice(&b));
	for (size_t i = 0; i < l.n; i++) {
		buf_add_slice(ret, l.v[i]);
		buf_char(ret, '\n');
	}
}

static json_t *marked(char mark, struct slice line)
{
	return json_sprintf("%c %.*s", mark, (int)line.n, (const char *)line.p);
}

json_t *facts_diff(struct slice before, struct slice after)
{
	_cleanup_(lines_done) struct lines a = lines_of(before), b = lines_of(after);
	json_t *list = json_array();
	size_t i = 0, k = 0;
	while (i < a.n || k < b.n) {
		int d = i == a.n ? 1 : k == b.n ? -1 : by_text(&a.v[i], &b.v[k]);
		if (d < 0)
			json_array_append_new(list, marked('-', a.v[i]));
		else if (d > 0)
			json_array_append_new(list, marked('+', b.v[k]));
		i += d <= 0;
		k += d >= 0;
	}
	return list;
}

/* --- recording --- */

/* The lines, as many as fit. */
static void put_detail(json_t *changes, struct buf *ret)
{
	json_t *v;
	size_t i;
	json_array_foreach(changes, i, v)
	{
		const char *text = json_string_value(v);
		if (ret->len + strlen(text) > DETAIL_MAX) {
			buf_fmt(ret, "; and %zu more", json_array_size(changes) - i);
			return;
		}
		buf_fmt(ret, "%s%s", i ? "; " : "", text);
	}
}

static enum err record(struct db *db, struct slice now, json_t *changes, bool first, const struct facts_by *by,
		       struct fault *f)
{
	_cleanup_buf_ struct buf detail = {0};
	put_detail(changes, &detail);
	struct audit_row row = {.at = by->now,
				.who = by->who,
				.uid = by->uid,
				.address = by->address,
				.what = "law_changed",
				.object = "desk",
				.detail = buf_text(&detail)};
	TRY(store_head_bytes_set(db, HEAD_FACTS, now, f));
	if (first)
		return OK;
	log_audit("law_changed", "who=%s lines=%zu", LQ(by->who), json_array_size(changes));
	return store_audit(db, &row, f);
}

enum err facts_record(struct desk *d, struct db *db, const struct law *law, const struct facts_by *by,
		      json_t **ret_changes, struct fault *f)
{
	_cleanup_buf_ struct buf now = {0}, before = {0};
	facts_put(&d->config, law, &now);
	TRY(store_head_bytes(db, HEAD_FACTS, &before, f));
	_cleanup_(json_freep) json_t *changes = facts_diff(buf_slice(&before), buf_slice(&now));
	if (json_array_size(changes) > 0)
		TRY(record(db, buf_slice(&now), changes, before.len == 0, by, f));
	if (ret_changes)
		*ret_changes = TAKE(changes);
	return OK;
}

enum err facts_record_now(struct desk *d, const char *who, struct fault *f)
{
	struct facts_by by = {.who = who, .address = "", .uid = (int64_t)geteuid(), .now = clock_now()};
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	struct law *law = laws_take(d->laws);
	enum err e = store_end(d->store, db, facts_record(d, db, law, &by, NULL, f), f);
	law_put(d->laws, law);
	return e;
}

/* --- methods --- */

static json_t *list_of(struct slice text)
{
	_cleanup_(lines_done) struct lines l = lines_of(text);
	json_t *list = json_array();
	for (size_t i = 0; i < l.n; i++)
		json_array_append_new(list, json_stringn((const char *)l.v[i].p, l.v[i].n));
	return list;
}

/* An officer sees what is public at the desk; who may call it is the administrators'. */
enum err desk_law(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf now = {0};
	(void)f;
	if (caller_is(c, DESK_ADMIN))
		facts_put(&c->desk->config, c->law, &now);
	else
		put_law(&now, c->law);
	*ret = json_object();
	json_object_set_new(*ret, "facts", list_of(buf_slice(&now)));
	return OK;
}

/* The files as they are now, beside what is in force. ERR_CONFIG of a file is the asker's to read. */
static enum err read_files(struct ctx *c, struct law **ret, struct fault *f)
{
	struct fault why = {0};
	if (laws_read(c->desk->laws, ret, &why) == OK)
		return OK;
	return fault_raise(f, ERR_CONFIG, "law_files", why.rule, "%s", why.text);
}

enum err desk_check(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf now = {0}, then = {0};
	struct law *law = NULL;
	TRY(read_files(c, &law, f));
	facts_put(&c->desk->config, c->law, &now);
	facts_put(&c->desk->config, law, &then);
	*ret = json_object();
	json_object_set_new(*ret, "quorum", json_boolean(law->quorum));
	json_object_set_new(*ret, "changes", facts_diff(buf_slice(&now), buf_slice(&then)));
	law_put(c->desk->laws, law);
	return OK;
}

static enum err reload_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct law **law = c->work;
	json_t *changes = NULL;
	struct facts_by by = {.who = c->who,
			      .address = c->address ? c->address : "",
			      .uid = (int64_t)c->call->peer.uid,
			      .now = c->now};
	TRY(read_files(c, law, f));
	TRY(facts_record(c->desk, c->db, *law, &by, &changes, f));
	*ret = json_object();
	json_object_set_new(*ret, "quorum", json_boolean((*law)->quorum));
	json_object_set_new(*ret, "changes", changes);
	return OK;
}

/* Recorded first, in force after: killed in between, the desk starts with what was recorded. */
enum err desk_reload(struct ctx *c, json_t **ret, struct fault *f)
{
	struct law *law = NULL;
	c->work = &law;
	enum err e = desk_change(c, reload_in, ret, f);
	if (law && e == OK)
		laws_set(c->desk->laws, law);
	else if (law)
		law_put(c->desk->laws, law);
	return e;
}

enum err calendar_show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	(void)f;
	calendar_facts(law_calendar(c->law), &b);
	*ret = json_object();
	json_object_set_new(*ret, "named", json_boolean(c->law->dates != NULL));
	json_object_set_new(*ret, "today_works", json_boolean(calendar_works(law_calendar(c->law), c->now)));
	json_object_set_new(*ret, "facts", list_of(buf_slice(&b)));
	return OK;
}

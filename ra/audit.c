/*
 * The audit: one way to write it, three to read it.
 *
 * A row is written in the transaction of what it tells, so there is no change without its row. Officers see the rows of
 * one request; administrators all, and export them with their hashes. Next: store_audit.c, common/note/audit.h.
 */
#include "ra/audit.h"

#include "ra/officer.h"
#include "ra/store_audit.h"
#include "ra/store_course.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

#define HEAD_DAY "audit_day"
#define LIST_LIMIT 50
#define EXPORT_LIMIT 500
#define DAY_S 86400

enum err desk_audit(struct ctx *c, const char *what, const char *object, const char *detail, struct fault *f)
{
	struct audit_row row = {.at = c->now,
				.who = c->who,
				.uid = (int64_t)c->call->peer.uid,
				.address = c->address ? c->address : "",
				.what = what,
				.object = object,
				.detail = detail};
	TRY(store_audit(c->db, &row, f));
	log_audit(what, "who=%s uid=%" PRId64 "%s%s object=%s detail=%s", LQ(c->who), row.uid,
		  row.address[0] ? " address=" : "", row.address[0] ? LQ(row.address) : "", LQ(object), LQ(detail));
	return OK;
}

/* --- reading --- */

static enum err add_row(void *arg, const struct audit_row *row, struct fault *f)
{
	json_t *o = json_object();
	(void)f;
	json_object_set_new(o, "id", json_integer(row->id));
	json_object_set_new(o, "at", json_time(row->at));
	json_object_set_new(o, "who", json_string(row->who));
	json_object_set_new(o, "uid", json_integer(row->uid));
	json_object_set_new(o, "address", json_string(row->address));
	json_object_set_new(o, "what", json_string(row->what));
	json_object_set_new(o, "object", json_string(row->object));
	json_object_set_new(o, "detail", json_string(row->detail));
	json_object_set_new(o, "hash", json_hex(row->hash, 32));
	json_array_append_new(arg, o);
	return OK;
}

static enum err time_param(const struct ctx *c, const char *name, int64_t def, int64_t *ret, struct fault *f)
{
	const char *text = param_text(c, name);
	*ret = def;
	if (!text || time_parse_utc(text, strlen(text), ret))
		return OK;
	return fault_raise(f, ERR_PARSE, "audit_time", name, "found \"%s\", wanted a time as 2026-11-23T00:00:00Z",
			   ESC(text, strlen(text)));
}

/* A request's number stands for the request that it names now; any other object is what it is. */
static enum err by_number(struct ctx *c, const char **object, char id[REQUEST_ID + 1], struct fault *f)
{
	if (!*object || strlen(*object) >= REQUEST_ID)
		return OK;
	enum err e = store_course_current(c->db, *object, id, f);
	if (e == OK)
		*object = id;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* An officer asks about one request; whatever else the audit holds is the administrators'. */
static enum err may_see(struct ctx *c, const char *object, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	if (caller_is(c, DESK_ADMIN))
		return OK;
	if (!object)
		return fault_raise(f, ERR_DENIED, "audit_object", "params.object",
				   "wanted the id or number of a request: an officer sees the audit of one request");
	enum err e = store_request_get(c->db, object, &r, f);
	if (e == OK && !officer_sees(c, r.project))
		e = ERR_NOT_FOUND;
	if (e != ERR_NOT_FOUND)
		return e;
	return fault_raise(f, ERR_NOT_FOUND, "request_unknown", "params.object", "there is no request \"%s\"",
			   ESC(object, strlen(object)));
}

static json_t *head_json(const struct audit_walk *head)
{
	json_t *o = json_object();
	json_object_set_new(o, "id", json_integer(head->id));
	json_object_set_new(o, "hash", json_hex(head->hash, 32));
	return o;
}

static enum err answer(struct ctx *c, const struct audit_filter *filter, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct audit_walk head;
	TRY(store_audit_rows(c->db, filter, add_row, rows, f));
	TRY(store_audit_head(c->db, &head, f));
	*ret = json_object();
	json_object_set_new(*ret, "rows", TAKE(rows));
	json_object_set_new(*ret, "head", head_json(&head));
	return OK;
}

enum err audit_list(struct ctx *c, json_t **ret, struct fault *f)
{
	struct audit_filter filter = {.object = param_text(c, "object"),
				      .who = param_text(c, "who"),
				      .after = param_number(c, "after", INT64_MIN),
				      .limit = param_number(c, "limit", LIST_LIMIT)};
	char id[REQUEST_ID + 1];
	TRY(by_number(c, &filter.object, id, f));
	TRY(may_see(c, filter.object, f));
	TRY(time_param(c, "since", INT64_MIN, &filter.since, f));
	TRY(time_param(c, "until", INT64_MAX, &filter.until, f));
	return answer(c, &filter, ret, f);
}

enum err audit_export(struct ctx *c, json_t **ret, struct fault *f)
{
	struct audit_filter filter = {.since = INT64_MIN,
				      .until = INT64_MAX,
				      .after = param_number(c, "after", INT64_MIN),
				      .limit = param_number(c, "limit", EXPORT_LIMIT)};
	return answer(c, &filter, ret, f);
}

/* --- verifying --- */

static enum err walk_row(void *arg, const struct audit_row *row, struct fault *f)
{
	return audit_walk_next(arg, row, f);
}

enum err audit_verify(struct ctx *c, json_t **ret, struct fault *f)
{
	struct audit_filter all = {.since = INT64_MIN, .until = INT64_MAX, .after = INT64_MIN, .limit = INT64_MAX};
	struct audit_walk walk = {0};
	struct fault broken = {0};
	enum err e = store_audit_rows(c->db, &all, walk_row, &walk, &broken);
	if (e != OK && e != ERR_CRYPTO) {
		if (f)
			*f = broken;
		return e;
	}
	*ret = json_object();
	json_object_set_new(*ret, "holds", json_boolean(e == OK));
	json_object_set_new(*ret, "head", head_json(&walk));
	if (e == OK)
		return OK;
	log_fault(LOG_LEVEL_ERROR, "audit_broken", &broken);
	json_object_set_new(*ret, "row", json_integer(walk.id + 1));
	json_object_set_new(*ret, "text", json_string(broken.text));
	return OK;
}

/* --- the head in the log --- */

static enum err head_in(struct db *db, int64_t day, struct audit_walk *ret_head, bool *ret_due, struct fault *f)
{
	int64_t last = 0;
	TRY(store_head(db, HEAD_DAY, &last, f));
	*ret_due = last != day;
	if (!*ret_due)
		return OK;
	TRY(store_audit_head(db, ret_head, f));
	*ret_due = ret_head->id > 0;
	if (!*ret_due)
		return OK;
	return store_head_set(db, HEAD_DAY, day, f);
}

enum err audit_log_head(struct desk *d, int64_t now, struct fault *f)
{
	struct db *db = NULL;
	struct audit_walk head = {0};
	bool due = false;
	char hex[65];
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, head_in(db, now / DAY_S, &head, &due, f), f));
	if (!due)
		return OK;
	hex_lower(head.hash, 32, hex);
	log_audit("audit_head", "row=%" PRId64 " hash=%s", head.id, hex);
	return OK;
}

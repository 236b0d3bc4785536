/*
 * Calls to the desk, the messages that it sends, and the first log-in.
 */
#include "ra_fixture_private.h"

#include "ra/bell.h"
#include "ra/follow.h"
#include "ra/handover.h"
#include "ra/outbox.h"

#include <dirent.h>
#include <string.h>

/* --- calls --- */

const char *fx_text(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

int64_t fx_number(struct fx *x, const char *sql)
{
	struct fault f = {0};
	struct db *db = NULL;
	struct db_row *row = NULL;
	must("read", store_read(x->desk->store, &db, &f), &f);
	must(sql, db_one(db, &f, &row, sql, ""), &f);
	int64_t n = db_i64(row, 0);
	db_row_donep(&row);
	store_read_end(x->desk->store, db);
	return n;
}

static bool changes(const char *method)
{
	const struct desk_method *m = NULL;
	for (size_t i = 0; (m = desk_method_at(i)); i++) {
		if (strcmp(m->rpc.name, method) == 0)
			return m->rpc.changes;
	}
	return false;
}

json_t *fx_call(struct fx *x, enum fx_uid uid, const char *method, json_t *params)
{
	struct rpc_peer peer = {.uid = (uid_t)uid};
	_cleanup_buf_ struct buf reply = {0};
	if (!params)
		params = json_object();
	if (changes(method) && !json_object_get(params, "call_id"))
		json_object_set_new(params, "call_id", json_sprintf("call-%08u", ++x->n_calls));
	_cleanup_(json_freep) json_t *request =
		json_pack("{s:s,s:i,s:s,s:o}", "jsonrpc", "2.0", "id", 1, "method", method, "params", params);
	char *text = json_dumps(request, 0);
	assert_non_null(text);
	desk_handle(x->desk, &peer, slice_str(text), &reply);
	free(text);
	json_t *answer = json_loadb((const char *)reply.data, reply.len, 0, NULL);
	assert_non_null(answer);
	return answer;
}

json_t *fx_do(struct fx *x, enum fx_uid uid, const char *method, json_t *params)
{
	_cleanup_(json_freep) json_t *reply = fx_call(x, uid, method, params);
	json_t *error = json_object_get(reply, "error"), *result = json_object_get(reply, "result");
	if (!result)
		fail_msg("%s: %s (%s)", method, fx_text(error, "message"),
			 fx_text(json_object_get(error, "data"), "text"));
	return json_incref(result);
}

void fx_refused(struct fx *x, enum fx_uid uid, const char *method, json_t *params, const char *rule)
{
	_cleanup_(json_freep) json_t *reply = fx_call(x, uid, method, params);
	json_t *data = json_object_get(json_object_get(reply, "error"), "data");
	if (!data || strcmp(fx_text(data, "reason"), rule) != 0)
		fail_msg("%s: found %s \"%s\", wanted refusal by %s", method,
			 data ? fx_text(data, "reason") : "a result", fx_text(data, "text"), rule);
	assert_true(fx_text(data, "zh")[0] && fx_text(data, "en")[0]);
	assert_true(json_is_object(json_object_get(data, "contact")));
}

/* --- messages --- */

json_t *fx_message(struct fx *x, const char *to, const char *template)
{
	struct fault f = {0};
	size_t n = 0;
	json_t *newest = NULL;
	must("outbox", outbox_turn(x->desk, &n, &f), &f);
	DIR *dir = opendir(x->desk->spool);
	assert_non_null(dir);
	struct dirent *e;
	while ((e = readdir(dir))) {
		_cleanup_(freep) char *path = path_join(x->desk->spool, e->d_name);
		json_t *m = e->d_name[0] == '.' ? NULL : json_load_file(path, 0, NULL);
		if (m && strcmp(fx_text(m, "to"), to) == 0 && strcmp(fx_text(m, "template"), template) == 0) {
			unlink(path);
			if (!newest || strcmp(fx_text(m, "made"), fx_text(newest, "made")) > 0) {
				json_decref(newest);
				newest = json_incref(m);
			}
		}
		json_decref(m);
	}
	closedir(dir);
	return newest;
}

/* What stands behind a mark in the English text. */
static void behind(struct fx *x, const char *to, const char *template, const char *mark, size_t n, char *ret)
{
	_cleanup_(json_freep) json_t *m = fx_message(x, to, template);
	if (!m)
		fail_msg("no message %s to %s", template, to);
	const char *at = strstr(fx_text(m, "en"), mark);
	assert_non_null(at);
	snprintf(ret, n + 1, "%s", at + strlen(mark));
}

void fx_sms_code(struct fx *x, const char *mobile, char ret[7])
{
	behind(x, mobile, "code", "Code ", 6, ret);
}

void fx_freeze_code(struct fx *x, const char *mobile, char ret[20])
{
	behind(x, mobile, "bound", "by the code ", 19, ret);
}

/* --- the first log-in --- */

char *fx_enter(struct fx *x, enum fx_uid uid, const char *code)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, uid, "account.login", json_pack("{s:s,s:s}", "identifier", code, "password", INITIAL));
	assert_true(json_is_true(json_object_get(r, "must_reset")));
	return xstrdup(fx_text(r, "session"));
}

json_t *fx_prove_params(struct fx *x, enum fx_uid uid, const char *session, const struct fx_org *org)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, uid, "account.proof", json_pack("{s:s}", "session", session));
	_cleanup_buf_ struct buf signature = {0}, note = {0};
	const char *text = fx_text(r, "text");
	char name[NOTE_MAX_NAME + 1];
	uint8_t key_id[4];
	struct fault f = {0};
	note_subscriber_name(org->issuer, SERIAL(&org->serial), name);
	must("sign", privkey_sign(org->key, KEY_P256, slice_str(text), &signature, &f), &f);
	note_key_id_spki(name, &org->public_key, key_id);
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	must("line", note_add_line(&note, name, key_id, buf_slice(&signature), &f), &f);
	return json_pack("{s:s,s:s,s:s}", "session", session, "way", "key", "line", buf_text(&note) + head);
}

json_t *fx_reset_params(struct fx *x, enum fx_uid uid, const char *session, const char *mobile)
{
	char code[7];
	json_decref(fx_do(x, uid, "account.sms",
			  json_pack("{s:s,s:s,s:s}", "session", session, "purpose", "bind", "mobile", mobile)));
	fx_sms_code(x, mobile, code);
	return json_pack("{s:s,s:s,s:s,s:s}", "session", session, "mobile", mobile, "sms_code", code, "new_password",
			 PASSWORD);
}

char *fx_log_in_as(struct fx *x, enum fx_uid uid, const char *code, const char *mobile)
{
	_cleanup_(json_freep) json_t *grant = fx_do(
		x, UID_OFFICER, "account.grant", json_pack("{s:s,s:s}", "identifier", code, "reason", "papers seen"));
	char *session = fx_enter(x, uid, code);
	json_decref(fx_do(
		x, uid, "account.prove",
		json_pack("{s:s,s:s,s:s}", "session", session, "way", "officer", "code", fx_text(grant, "code"))));
	json_decref(fx_do(x, uid, "account.reset", fx_reset_params(x, uid, session, mobile)));
	return session;
}

static char *log_in(struct fx *x, enum fx_uid uid, const char *code, const struct fx_org *org, const char *mobile)
{
	char *session = fx_enter(x, uid, code);
	json_decref(fx_do(x, uid, "account.prove", fx_prove_params(x, uid, session, org)));
	json_decref(fx_do(x, uid, "account.reset", fx_reset_params(x, uid, session, mobile)));
	return session;
}

void fx_log_in(struct fx *x)
{
	x->session = log_in(x, UID_SUBSCRIBER, ORG_CODE, &x->org, ORG_MOBILE);
	x->other_session = log_in(x, UID_OTHER, OTHER_CODE, &x->other, OTHER_MOBILE);
}

void fx_follow(struct fx *x)
{
	size_t n = 1;
	while (n > 0) {
		struct fault f = {0};
		must("follow", follow_once(x->desk, 0, &n, &f), &f);
	}
}

void fx_hand_over(struct fx *x)
{
	int64_t ids[64];
	size_t n = 0;
	struct db *db = NULL;
	struct fault f = {0};
	must("read", store_read(x->desk->store, &db, &f), &f);
	must("due", store_handover_due(db, clock_now(), ids, 64, &n, &f), &f);
	store_read_end(x->desk->store, db);
	for (size_t i = 0; i < n; i++)
		must("hand over", handover_one(x->desk, ids[i], &f), &f);
}

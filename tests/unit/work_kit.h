/*
 * A scene with two tokens in stock, and a key that the desk makes.
 */
#ifndef HUFU_TEST_WORK_KIT_H
#define HUFU_TEST_WORK_KIT_H

#include "ra_fixture.h"

#include "ra/clockwork.h"
#include "ra/request.h"
#include "ra/store_parcel.h"
#include "ra/work.h"

#include <sqlite3.h>
#include <string.h>

#define TOKEN "83a1d6a326fbf046"
#define OTHER_TOKEN "11b2c3d4e5f60718"
#define PIN "Tiger-7381"

static const char *const papers[] = {"registration-form", "agent-id-card", "business-licence", "risk-notice"};
static const char *const officers[] = {"alice", "bob", "carol"};

/* Everybody is logged in, and two tokens are in stock. */
static inline struct fx *scene(void)
{
	static const char *const tokens[] = {TOKEN, OTHER_TOKEN};
	struct fx *x = fx_new();
	fx_log_in(x);
	for (size_t i = 0; i < 2; i++)
		json_decref(fx_do(x, UID_OFFICER, "token.add", json_pack("{s:s}", "token", tokens[i])));
	return x;
}

static inline void token_is(struct fx *x, const char *token, const char *wanted)
{
	_cleanup_(json_freep) json_t *t = fx_do(x, UID_OFFICER, "token.show", json_pack("{s:s}", "token", token));
	assert_string_equal(fx_text(t, "state"), wanted);
}

static inline json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

/* {request, officer: dave}: who works on tokens, and approves nothing here. */
static inline json_t *by_dave(const char *request)
{
	return json_pack("{s:s,s:s}", "request", request, "officer", "dave");
}

static inline json_t *with(json_t *params, const char *name, const char *value)
{
	if (value)
		json_object_set_new(params, name, json_string(value));
	else
		json_object_del(params, name);
	return params;
}

static inline json_t *work_params(struct fx *x, const char *way)
{
	json_t *p = fx_reissue_params(x, way);
	json_object_del(p, "csr");
	json_object_del(p, "key_seen");
	with(p, "recipient", "张三");
	with(p, "mobile", "0571-88880000");
	return with(p, "ship_to", "杭州市西湖区示例路 1 号");
}

static inline char *drafted(struct fx *x, json_t *params)
{
	bool first = strcmp(fx_text(params, "kind"), "enrol") == 0;
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", params);
	char *id = xstrdup(fx_text(r, "request"));
	assert_string_equal(fx_text(r, "tally"), "");
	for (size_t i = 0; i < (first ? 3 : 4); i++)
		fx_material(x, id, papers[i]);
	return id;
}

static inline json_t *shown(struct fx *x, const char *id)
{
	return fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
}

/* Id of the newest request that has its number. */
static inline char *now_called(struct fx *x, const char *id)
{
	_cleanup_(json_freep) json_t *r = shown(x, id);
	_cleanup_(json_freep) json_t *newest = shown(x, fx_text(r, "number"));
	return xstrdup(fx_text(newest, "request"));
}

static inline char *submitted(struct fx *x, const char *way)
{
	char *id = drafted(x, work_params(x, way));
	fx_submit(x, id);
	fx_state(x, id, "to_make");
	return id;
}

static inline json_t *csr_params(struct fx *x, const char *id, const char *token)
{
	_cleanup_(freep) char *csr = fx_csr(x->new_key);
	json_t *p = by_dave(id);
	with(p, "token", token);
	with(p, "start_pin", PIN);
	return with(p, "csr", csr);
}

static inline json_t *line_params(struct fx *x, const char *id)
{
	_cleanup_(freep) char *line = fx_sub_line(x, id, x->new_key);
	return with(by_dave(id), "line", line);
}

static inline void made(struct fx *x, const char *id)
{
	json_decref(fx_do(x, UID_OFFICER, "work.csr", csr_params(x, id, TOKEN)));
	fx_state(x, id, "keyed");
	token_is(x, TOKEN, "prepared");
	json_decref(fx_do(x, UID_OFFICER, "work.prove", line_params(x, id)));
	fx_state(x, id, "awaiting_officers");
}

static inline void approved(struct fx *x, const char *id)
{
	for (size_t i = 0; i < 3; i++)
		fx_approve(x, id, officers[i]);
}

static inline void packed(struct fx *x, const char *id)
{
	json_decref(fx_do(x, UID_OFFICER, "parcel.pack", with(by_dave(id), "token", TOKEN)));
}

static inline json_t *ship_params(const char *id)
{
	return with(with(by_dave(id), "carrier", "顺丰"), "tracking", "SF1234567890");
}

static inline void shipped(struct fx *x, const char *id)
{
	packed(x, id);
	json_decref(fx_do(x, UID_OFFICER, "parcel.ship", ship_params(id)));
	fx_state(x, id, "in_post");
	token_is(x, TOKEN, "shipped");
}

static inline json_t *receive_params(struct fx *x, const char *id, const char *token)
{
	return with(of(x, id), "token", token);
}

static inline char *in_post(struct fx *x, const char *way)
{
	char *id = submitted(x, way);
	made(x, id);
	approved(x, id);
	fx_state(x, id, "to_ship");
	shipped(x, id);
	return id;
}

static inline void cert_is(struct fx *x, const char *state)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", ORG_SERIAL));
	assert_string_equal(fx_text(json_array_get(json_object_get(r, "answers"), 0), "state"), state);
}

static inline void settle(struct fx *x)
{
	fx_hand_over(x);
	fx_follow(x);
}

static inline const char *first_text(json_t *list, const char *key)
{
	return fx_text(json_array_get(list, 0), key);
}

/* Nowhere in the database's bytes. */
static inline bool database_has(struct fx *x, const char *text)
{
	static const char *const names[] = {"state/desk.db", "state/desk.db-wal"};
	bool found = false;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *path = path_join(x->dir, names[i]);
		_cleanup_buf_ struct buf bytes = {0};
		struct fault f = {0};
		if (file_read(path, 1 << 28, &bytes, &f) == OK && bytes.len > 0)
			found |= memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
	}
	return found;
}

#endif

/*
 * Who has forgotten the identifier uploads the licence; whoever asks hears that the desk will call, and nothing else. The file
 * lies sealed in state/cases/. Officers read a case, which is an audit line, and decide it: what they accept is done in the
 * same transaction.
 */
#include "ra/account_case.h"

#include "ra/code.h"
#include "ra/material_form.h"
#include "ra/mobile.h"
#include "ra/picture.h"
#include "ra/sealed.h"

#include "common/base/file.h"

#include <string.h>

#define FILE_MAX (700u * 1024u)

static void make_id(char ret[CASE_ID + 1])
{
	uint8_t id[CASE_ID / 2];
	random_fill(id, sizeof(id));
	hex_lower(id, sizeof(id), ret);
}

enum err account_case_open(struct ctx *c, struct account_case *k, struct fault *f)
{
	int64_t most = c->desk->config.accounts.cases_per_address_day, n = 0;
	if (k->id[0] == '\0')
		make_id(k->id);
	code_origin(c, k->address);
	k->made = c->now;
	if (strcmp(k->kind, "frozen") != 0)
		TRY(store_cases_from(c->db, k->address, c->now - 86400, &n, f));
	if (n >= most)
		return fault_raise(f, ERR_RULE, "cases_limit", "params.address",
				   "found %lld cases from this address within a day, wanted at most %lld", (long long)n,
				   (long long)most);
	return store_case_add(c->db, k, f);
}

/* --- a forgotten identifier --- */

struct licence {
	struct account_case k;
	struct buf bytes, sealed;
	bool picture;
};
static void licence_free(struct licence **l)
{
	buf_done(&(*l)->bytes);
	buf_done(&(*l)->sealed);
	free(*l);
}

static enum err read_licence(struct ctx *c, struct licence *l, struct fault *f)
{
	struct account_case *k = &l->k;
	const char *content = param_text(c, "content"), *organisation, *agent, *text = "", *type = NULL;
	if (!base64_decode(content, strlen(content), &l->bytes) || l->bytes.len == 0)
		return fault_raise(f, ERR_PARSE, "material_content", "params.content",
				   "found no base64 (RFC 4648 4, padded) of a file");
	if (l->bytes.len > FILE_MAX)
		return fault_raise(f, ERR_LIMIT, "licence_size", "params.content", "found %zu bytes, wanted at most %u",
				   l->bytes.len, FILE_MAX);
	TRY(material_form(buf_slice(&l->bytes), &type, f));
	TRY(param_clean(c, "organisation", &organisation, f));
	TRY(param_clean(c, "agent", &agent, f));
	TRY(mobile_check("params.mobile", param_text(c, "mobile"), f));
	if (param_text(c, "text"))
		TRY(param_clean(c, "text", &text, f));
	snprintf(k->kind, sizeof(k->kind), "identifier");
	snprintf(k->organisation, sizeof(k->organisation), "%s", organisation);
	snprintf(k->agent, sizeof(k->agent), "%s", agent);
	snprintf(k->mobile, sizeof(k->mobile), "%s", param_text(c, "mobile"));
	snprintf(k->text, sizeof(k->text), "%s", text);
	snprintf(k->file_type, sizeof(k->file_type), "%s", type);
	make_id(k->id);
	return OK;
}

static enum err count_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct licence *l = c->work;
	char address[ADDRESS_MAX + 1];
	int64_t n = 0;
	(void)ret;
	code_origin(c, address);
	TRY(store_cases_from(c->db, address, c->now - 86400, &n, f));
	l->picture = n >= c->desk->config.login.picture_sends;
	return OK;
}

static enum err licence_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct licence *l = c->work;
	TRY(account_case_open(c, &l->k, f));
	TRY(desk_audit(c, "case_open", l->k.id, l->k.kind, f));
	*ret = json_object();
	json_object_set_new(*ret, "case", json_string(l->k.id));
	json_object_set_new(*ret, "zh", json_string("服务台会与您联系"));
	json_object_set_new(*ret, "en", json_string("the desk will contact you"));
	return OK;
}

enum err account_licence(struct ctx *c, json_t **ret, struct fault *f)
{
	const int when = c->desk->config.login.picture_code;
	_cleanup_(licence_free) struct licence *l = xcalloc(1, sizeof(*l));
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	TRY(read_licence(c, l, f));
	c->work = l;
	TRY(desk_read(c, count_in, NULL, f));
	TRY(picture_check(c, when == PICTURE_ALWAYS || (when == PICTURE_AFTER && l->picture), f));
	_cleanup_(freep) char *path = path_join(c->desk->cases, l->k.id);
	sealed_put(c->desk, buf_slice(&l->bytes), &l->sealed);
	TRY(file_write(path, buf_slice(&l->sealed), 0600, f));
	enum err e = desk_change(c, licence_in, ret, f);
	if (e != OK)
		unlink(path);
	return e;
}

/* --- officers --- */

static json_t *case_json(const struct account_case *k)
{
	json_t *o = json_object();
	json_object_set_new(o, "case", json_string(k->id));
	json_object_set_new(o, "kind", json_string(k->kind));
	json_object_set_new(o, "state", json_string(k->state));
	json_object_set_new(o, "organisation", json_string(k->organisation));
	json_object_set_new(o, "agent", json_string(k->agent));
	json_object_set_new(o, "mobile", json_string(k->mobile));
	json_object_set_new(o, "text", json_string(k->text));
	json_object_set_new(o, "file_type", json_string(k->file_type));
	json_object_set_new(o, "made", json_time(k->made));
	if (k->decided != 0) {
		json_object_set_new(o, "decided", json_time(k->decided));
		json_object_set_new(o, "by", json_string(k->who));
		json_object_set_new(o, "answer", json_string(k->answer));
	}
	return o;
}

static void add_case(void *arg, const struct account_case *k)
{
	json_array_append_new(arg, case_json(k));
}

enum err account_cases(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	const char *state = param_text(c, "state");
	int64_t limit, offset, total = 0;
	param_page(c, &limit, &offset);
	TRY(store_cases(c->db, state ? state : "open", limit, offset, add_case, rows, &total, f));
	*ret = json_object();
	json_object_set_new(*ret, "cases", TAKE(rows));
	json_object_set_new(*ret, "total", json_integer(total));
	return OK;
}

static enum err find_case(struct ctx *c, struct account_case *k, struct fault *f)
{
	const char *id = param_text(c, "case");
	enum err e = store_case_get(c->db, id, k, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "case_unknown", "params.case", "there is no case \"%s\"",
				   ESC(id, strlen(id)));
	return e;
}

/* The account that the case is about, where there is one, and since when it is bound to whom. */
static enum err show_account(struct ctx *c, const struct account_case *k, json_t *o, struct fault *f)
{
	struct account a;
	struct binding b = {0};
	if (k->account == 0)
		return OK;
	TRY(store_account_get(c->db, k->account, &a, f));
	json_object_set_new(o, "account", account_json(&a, false));
	if (k->binding == 0)
		return OK;
	TRY(store_binding_get(c->db, k->binding, &b, f));
	json_object_set_new(o, "binding",
			    json_pack("{s:o,s:s,s:s,s:s,s:s,s:s}", "at", json_time(b.at), "way", b.way, "agent_before",
				      b.agent_before, "mobile_before", b.mobile_before, "agent", b.agent, "mobile",
				      b.mobile));
	return OK;
}

static enum err show_in(struct ctx *c, json_t **ret, struct fault *f)
{
	json_t **shown = c->work;
	struct account_case k;
	(void)ret;
	TRY(find_case(c, &k, f));
	*shown = case_json(&k);
	TRY(show_account(c, &k, *shown, f));
	return desk_audit(c, "case_show", k.id, k.kind, f);
}

enum err account_case_show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *o = NULL;
	_cleanup_buf_ struct buf sealed = {0}, bytes = {0};
	c->work = &o;
	TRY(desk_write(c, show_in, f));
	const char *id = json_string_value(json_object_get(o, "case"));
	const char *type = json_string_value(json_object_get(o, "file_type"));
	if (type && type[0] != '\0') {
		_cleanup_(freep) char *path = path_join(c->desk->cases, id);
		TRY(file_read(path, FILE_MAX + 1024, &sealed, f));
		TRY(sealed_open(c->desk, buf_slice(&sealed), id, &bytes, f));
		json_object_set_new(o, "content", json_base64(buf_slice(&bytes)));
	}
	*ret = TAKE(o);
	return OK;
}

/* --- deciding --- */

static enum err bind_agent(struct ctx *c, const struct account_case *k, struct fault *f)
{
	struct account a;
	TRY(store_account_get(c->db, k->account, &a, f));
	return account_bind(
		c, &(struct account_change){.account = &a, .agent = k->agent, .mobile = k->mobile, .way = "officer"},
		f);
}

/* Somebody may have bound the number of before to another account since. Then nothing is undone: who has the number is for
 * the officer to find out. Accounts that shared it all along are no hindrance. */
static enum err number_is_free(struct ctx *c, const struct binding *b, struct fault *f)
{
	int64_t most = c->desk->config.accounts.organisations_per_mobile;
	char taker[IDENTIFIER_MAX + 1];
	bool is_free;
	TRY(account_number_free(c, b->mobile_before, b->account, most, &is_free, f));
	TRY(store_binding_taker(c->db, b, taker, f));
	if (is_free || taker[0] == '\0')
		return OK;
	return fault_raise(
		f, ERR_CONFLICT, "number_taken", "params.decision",
		"the number of before, %s, logs in to account %s meanwhile, wanted one that "
		"organisations_per_mobile leaves free: give that account another number first, or refuse; the "
		"case stays open, and its account frozen",
		b->mobile_before, taker);
}

/* Back to how it was before the binding. A password of before is not brought back: it is set anew by SMS. */
static enum err undo(struct ctx *c, const struct account_case *k, struct fault *f)
{
	struct binding b = {0};
	char none[PASSWORD_HASH_MAX + 1];
	TRY(store_binding_get(c->db, k->binding, &b, f));
	TRY(number_is_free(c, &b, f));
	if (b.first)
		TRY(store_account_unbind(c->db, b.account, b.agent_before, b.mobile_before, c->now, f));
	else
		TRY(store_account_bind(c->db, b.account, b.agent_before, b.mobile_before, c->now, f));
	if (!b.first) {
		TRY(account_shared_password(c, b.mobile_before, b.account, none, f));
		TRY(store_account_password(c->db, b.account, none, false, c->now, f));
	}
	TRY(store_binding_state(c->db, b.id, "undone", f));
	return store_account_frozen(c->db, b.account, false, c->now, f);
}

static enum err stand(struct ctx *c, const struct account_case *k, struct fault *f)
{
	TRY(store_binding_state(c->db, k->binding, "standing", f));
	return store_account_frozen(c->db, k->account, false, c->now, f);
}

static enum err carry_out(struct ctx *c, const struct account_case *k, bool accepted, struct fault *f)
{
	if (strcmp(k->kind, "agent") == 0 && accepted)
		return bind_agent(c, k, f);
	if (strcmp(k->kind, "frozen") == 0)
		return accepted ? undo(c, k, f) : stand(c, k, f);
	return OK;
}

enum err account_decide(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(freep) struct account_case *k = xcalloc(1, sizeof(*k));
	const char *answer;
	bool accepted = strcmp(param_text(c, "decision"), "accept") == 0;
	const char *state = accepted ? "accepted" : "refused";
	TRY(param_clean(c, "answer", &answer, f));
	TRY(find_case(c, k, f));
	if (strcmp(k->state, "open") != 0)
		return fault_raise(f, ERR_CONFLICT, "case_done", "params.case", "case %s was %s already", k->id,
				   k->state);
	TRY(carry_out(c, k, accepted, f));
	TRY(store_case_decide(c->db, k->id, state, c->who, answer, c->now, f));
	TRY(desk_audit(c, "case_decide", k->id, state, f));
	*ret = json_object();
	json_object_set_new(*ret, "case", json_string(k->id));
	json_object_set_new(*ret, "state", json_string(state));
	return OK;
}

/*
 * Who has forgotten the identifier uploads the licence; whoever asks hears that the desk will call, and nothing else. The file
 * is a material of the case, like a request's: it comes with the call when it is small, else in parts. Officers read a case,
 * which is an audit line, and decide it: what they accept is done in the same transaction. Next: material_owner.c.
 */
#include "ra/account_case.h"

#include "ra/code.h"
#include "ra/material.h"
#include "ra/mobile.h"
#include "ra/officer.h"
#include "ra/picture.h"
#include "ra/sealed.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

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
	struct arrival file; /* with the call */
	bool picture;
};
static void licence_free(struct licence **l)
{
	arrival_done(&(*l)->file);
	free(*l);
}

static struct material_owner owner_of(const struct account_case *k)
{
	struct material_owner o = {.kind = "case"};
	memcpy(o.id, k->id, sizeof(k->id));
	return o;
}

static enum err read_licence(struct ctx *c, struct licence *l, struct fault *f)
{
	struct account_case *k = &l->k;
	const char *content = param_text(c, "content"), *organisation, *agent, *text = "";
	if (content)
		TRY(arrival_decode(&l->file, content, f));
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
	make_id(k->id);
	l->file.owner = owner_of(k);
	l->file.kind = material_kind(l->file.owner.kind);
	snprintf(l->file.material.name, sizeof(l->file.material.name), "business-licence");
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
	_cleanup_(json_freep) json_t *file = NULL;
	TRY(account_case_open(c, &l->k, f));
	TRY(desk_audit(c, "case_open", l->k.id, l->k.kind, f));
	if (l->file.stored)
		TRY(arrival_keep(c, &l->file, &file, f));
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
	if (l->file.plain.len > 0)
		TRY(arrival_store(c, &l->file, f));
	enum err e = desk_change(c, licence_in, ret, f);
	if (l->file.stored && (e != OK || !l->file.kept))
		vault_remove(c->desk->vault, l->file.material.file);
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
	_cleanup_(freep) char *view = officer_projects(c);
	const char *state = param_text(c, "state");
	struct list_page page;
	struct list_end end;
	TRY(param_list(c, PER_PAGE, &page, f));
	TRY(store_cases(c->db, state ? state : "open", view, &page, add_case, rows, &end, f));
	*ret = json_object();
	json_object_set_new(*ret, "cases", TAKE(rows));
	list_end_put(&end, *ret);
	return OK;
}

static enum err find_case(struct ctx *c, struct account_case *k, struct fault *f)
{
	const char *id = param_text(c, "case");
	enum err e = store_case_get(c->db, id, k, f);
	if (e == OK && k->account != 0)
		e = officer_sees_account(c, k->account, f);
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

static enum err show_files(struct ctx *c, const struct account_case *k, json_t *o, struct fault *f)
{
	struct material have[TALLY_MAX_MATERIALS];
	const struct material_owner owner = owner_of(k);
	json_t *list = json_array();
	size_t n = 0;
	json_object_set_new(o, "materials", list);
	TRY(store_materials_of(c->db, &owner, have, TALLY_MAX_MATERIALS, &n, f));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, material_json(&have[i]));
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
	TRY(show_files(c, &k, *shown, f));
	return desk_audit(c, "case_show", k.id, k.kind, f);
}

enum err account_case_show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *o = NULL;
	c->work = &o;
	TRY(desk_write(c, show_in, f));
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
	const struct material_owner owner = owner_of(k);
	TRY(store_materials_closed(c->db, &owner, c->now, false, f));
	TRY(store_case_decide(c->db, k->id, state, c->who, answer, c->now, f));
	TRY(desk_audit(c, "case_decide", k->id, state, f));
	*ret = json_object();
	json_object_set_new(*ret, "case", json_string(k->id));
	json_object_set_new(*ret, "state", json_string(state));
	return OK;
}

/* --- from before: the licence sealed in state/cases/, under the case's id --- */

#define OLD_FILE_MAX (701u * 1024u)

static enum err adopt_file(struct desk *d, const struct account_case *k, const char *path, struct material *m,
			   struct fault *f)
{
	_cleanup_buf_ struct buf sealed = {0}, plain = {0};
	uint8_t id[MATERIAL_FILE / 2];
	TRY(file_read(path, OLD_FILE_MAX, &sealed, f));
	TRY(sealed_open(d, buf_slice(&sealed), k->id, &plain, f));
	snprintf(m->name, sizeof(m->name), "business-licence");
	snprintf(m->type, sizeof(m->type), "%s", k->file_type);
	sha256(plain.data, plain.len, m->sha256);
	m->bytes = (int64_t)plain.len;
	m->sealed = true;
	random_fill(id, sizeof(id));
	hex_lower(id, sizeof(id), m->file);
	vault_key_new(d->vault, m->file, m->sha256, m->key);
	return vault_write(d->vault, &(struct vault_key){m->file, m->sha256, m->key}, m->file, buf_slice(&plain), f);
}

/* One that cannot be read is named in the log, and stays where it is. */
static enum err adopt_one(struct desk *d, struct db *db, const struct account_case *k, const char *path, bool *ret_gone,
			  struct fault *f)
{
	struct material m = {0};
	struct material_owner owner = owner_of(k);
	struct fault why = {0};
	bool added = false;
	*ret_gone = adopt_file(d, k, path, &m, &why) == OK;
	if (*ret_gone) {
		TRY(store_material_add(db, &owner, &m, k->made, &added, f));
		if (k->decided != 0)
			TRY(store_materials_closed(db, &owner, k->decided, false, f));
	} else {
		log_fault(LOG_LEVEL_ERROR, "case_file", &why);
	}
	return store_case_adopted(db, k->id, f);
}

static enum err adopt_next(struct desk *d, bool *ret_more, struct fault *f)
{
	_cleanup_(freep) struct account_case *k = xcalloc(1, sizeof(*k));
	_cleanup_(freep) char *path = NULL, *folder = path_join(d->config.state, "cases");
	struct db *db = NULL;
	bool gone = false;
	TRY(store_begin(d->store, &db, f));
	enum err e = store_case_with_file(db, k, f);
	*ret_more = e == OK;
	if (e == OK) {
		path = path_join(folder, k->id);
		e = adopt_one(d, db, k, path, &gone, f);
	}
	TRY(store_end(d->store, db, e == ERR_NOT_FOUND ? OK : e, f));
	if (gone)
		unlink(path);
	return OK;
}

enum err account_cases_adopt(struct desk *d, struct fault *f)
{
	bool more = true;
	while (more)
		TRY(adopt_next(d, &more, f));
	return OK;
}

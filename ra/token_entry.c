/*
 * How tokens come into the inventory: one by one, or all of an old system's. A PUK comes sealed to the desk's token key, by the
 * client that knew it; the desk sees that it is sealed to that key, and nothing else. Rows of an import are all taken or none.
 */
#include "ra/token.h"

#include "ra/account.h"
#include "ra/officer.h"
#include "ra/status.h"

#include <assert.h>
#include <string.h>

/* As it came: borrowed texts, "" when absent. */
struct entry {
	const char *serial, *model, *label, *state, *identifier, *keeper, *certificate, *puk;
};

/* --- reading one --- */

static enum err read_serial(const struct entry *in, struct token *t, struct fault *f)
{
	if (!puk_serial_ok(in->serial))
		return fault_raise(f, ERR_PARSE, "token_serial", "token",
				   "token: found \"%s\", wanted a serial number: 1 to %d printable ASCII characters",
				   ESC(in->serial, strlen(in->serial)), PUK_SERIAL);
	memcpy(t->serial, in->serial, strlen(in->serial) + 1);
	return OK;
}

static enum err read_keeper(struct ctx *c, const struct entry *in, struct token *t, struct fault *f)
{
	const struct member *m = in->keeper[0] ? roster_by_name(&c->law->roster, in->keeper) : NULL;
	if (in->keeper[0] && (!m || m->role != ROLE_OFFICER))
		return fault_raise(f, ERR_RULE, "signer_unknown", "keeper",
				   "keeper: found \"%s\", wanted the name of an officer of the roster",
				   ESC(in->keeper, strlen(in->keeper)));
	snprintf(t->keeper, sizeof(t->keeper), "%s", in->keeper);
	return OK;
}

static enum err read_holder(struct ctx *c, const struct entry *in, struct token *t, struct fault *f)
{
	char name[IDENTIFIER_MAX + 1];
	struct account a;
	if (!in->identifier[0])
		return OK;
	account_normalise(in->identifier, name, sizeof(name));
	enum err e = store_account_by_name(c->db, name, &a, f);
	if (e == OK)
		e = officer_sees_account(c, a.id, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "account_unknown", "identifier",
				   "identifier: there is no account \"%s\"",
				   ESC(in->identifier, strlen(in->identifier)));
	TRY(e);
	t->account = a.id;
	return OK;
}

static enum err read_certificate(struct ctx *c, const struct entry *in, struct token *t, struct fault *f)
{
	struct cert_row row;
	if (!in->certificate[0])
		return OK;
	if (t->account == 0)
		return fault_raise(f, ERR_RULE, "token_holder", "identifier",
				   "identifier: found none, wanted whose certificate %s is",
				   ESC(in->certificate, strlen(in->certificate)));
	enum err e = cert_find(c->db, in->certificate, NULL, t->account, &row, f);
	if (e != OK)
		fault_prefix(f, "certificate");
	TRY(e);
	t->cert = row.id;
	return OK;
}

/* Where a token may be that nobody has moved here. */
static enum err read_state(const struct entry *in, struct token *t, struct fault *f)
{
	enum token_state state = token_state_from_word(in->state[0] ? in->state : "stock");
	if (state == TOKEN_NONE || state == TOKEN_SHIPPED)
		return fault_raise(
			f, ERR_PARSE, "token_state_word", "state",
			"state: found \"%s\", wanted stock, prepared, in_use, lost, damaged, returned or scrapped",
			ESC(in->state, strlen(in->state)));
	if ((state == TOKEN_PREPARED || state == TOKEN_IN_USE) && t->account == 0)
		return fault_raise(f, ERR_RULE, "token_holder", "identifier",
				   "identifier: found none, wanted whose token it is that is %s", in->state);
	if (state == TOKEN_STOCK && (t->account != 0 || t->cert != 0))
		return fault_raise(
			f, ERR_RULE, "token_holder", "identifier",
			"identifier: found a holder, and a token in stock has none: say state prepared or in_use");
	snprintf(t->state, sizeof(t->state), "%s", token_state_word(state));
	return OK;
}

static enum err read_puk(struct ctx *c, const char *text, struct buf *ret, struct fault *f)
{
	if (!text[0])
		return OK;
	if (!c->desk->config.token_key)
		return fault_raise(f, ERR_RULE, "token_key_missing", "puk",
				   "this desk has no token key (tokens: in ra.yaml): it holds no PUKs");
	if (!base64_decode(text, strlen(text), ret) || !puk_is_for(buf_slice(ret), &c->desk->token_key))
		return fault_raise(f, ERR_RULE, "puk_sealed", "puk",
				   "puk: found no PUK sealed to the desk's token key, in base64");
	return OK;
}

static enum err read_entry(struct ctx *c, const struct entry *in, struct token *t, struct buf *ret_puk, struct fault *f)
{
	*t = (struct token){.added = c->now, .changed = c->now};
	TRY(read_serial(in, t, f));
	snprintf(t->model, sizeof(t->model), "%s", in->model);
	snprintf(t->label, sizeof(t->label), "%s", in->label);
	TRY(read_keeper(c, in, t, f));
	TRY(read_holder(c, in, t, f));
	TRY(read_certificate(c, in, t, f));
	TRY(read_state(in, t, f));
	return read_puk(c, in->puk, ret_puk, f);
}

/* --- taking it in --- */

/* Of one that is in another project nothing is said but that the number is taken. */
static enum err check_seen(struct ctx *c, const struct token *there, struct fault *f)
{
	enum err e = there->account == 0 ? OK : officer_sees_account(c, there->account, f);
	return e != ERR_NOT_FOUND ? e
				  : fault_raise(f, ERR_CONFLICT, "token_there", "token", "token %s is in the inventory",
						there->serial);
}

static enum err take_in(struct ctx *c, struct token *t, struct buf *puk, const char *event, const char *who,
			struct fault *f)
{
	struct token there;
	struct token_puks p = {.puk = *puk};
	enum err e = store_token_by_serial(c->db, t->serial, &there, f);
	if (e == OK)
		e = check_seen(c, &there, f);
	if (e == OK)
		return fault_raise(f, ERR_CONFLICT, "token_there", "token", "token %s is in the inventory, %s",
				   t->serial, there.state);
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_token_add(c->db, t, &t->id, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_CONFLICT, "token_certificate_taken", "certificate",
				   "another token carries the certificate of token %s", t->serial);
	TRY(e);
	t->has_puk = puk->len > 0;
	TRY(store_token_puks_set(c->db, t->id, &p, f));
	return store_token_history_add(c->db, t->id, &(struct history_item){c->now, event, "", t->state, who, ""}, f);
}

static enum err text_of(struct ctx *c, const char *name, const char **ret, struct fault *f)
{
	*ret = "";
	return param_text(c, name) ? param_clean(c, name, ret, f) : OK;
}

enum err token_add(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf puk = {0};
	struct entry in = {0};
	struct token t;
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(text_of(c, "token", &in.serial, f));
	TRY(text_of(c, "model", &in.model, f));
	TRY(text_of(c, "label", &in.label, f));
	TRY(text_of(c, "state", &in.state, f));
	TRY(text_of(c, "identifier", &in.identifier, f));
	TRY(text_of(c, "keeper", &in.keeper, f));
	TRY(text_of(c, "certificate", &in.certificate, f));
	TRY(text_of(c, "puk", &in.puk, f));
	TRY(read_entry(c, &in, &t, &puk, f));
	TRY(take_in(c, &t, &puk, "add", who, f));
	TRY(desk_audit(c, "token_added", t.serial, t.state, f));
	return token_json(c, &t, ret, f);
}

/* --- another PUK --- */

/* First the new one is recorded, then it is set on the token, then that is said: whatever happens between, the desk holds
 * the one that opens it. */
enum err token_puk(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(token_puks_done) struct token_puks p = {0};
	const char *puk = param_text(c, "puk"), *step = param_text(c, "step");
	struct token t;
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(token_by_serial(c, param_text(c, "token"), "params.token", &t, f));
	TRY(store_token_puks(c->db, t.id, &p, f));
	if (strcmp(step, "next") == 0) {
		if (!puk)
			return fault_raise(f, ERR_PARSE, "puk_sealed", "params.puk",
					   "found none, wanted the PUK that is going to be set, sealed");
		buf_clear(&p.next);
		TRY(read_puk(c, puk, &p.next, f));
	} else {
		TRY(token_puk_settle(&t, &p, f));
		TRY(store_token_history_add(c->db, t.id,
					    &(struct history_item){c->now, "puk", t.state, t.state, who, ""}, f));
	}
	TRY(store_token_puks_set(c->db, t.id, &p, f));
	TRY(desk_audit(c, "token_puk", t.serial, step, f));
	t.has_puk = p.puk.len > 0;
	return token_json(c, &t, ret, f);
}

enum err token_puk_settle(const struct token *t, struct token_puks *p, struct fault *f)
{
	if (p->next.len == 0)
		return fault_raise(f, ERR_RULE, "puk_next_missing", "params.step",
				   "no new PUK of token %s was recorded: step next comes first", t->serial);
	buf_done(&p->puk);
	p->puk = p->next;
	p->next = (struct buf){0};
	return OK;
}

/* --- an old system's --- */

static enum err read_row(json_t *row, struct entry *in, struct fault *f)
{
	TRY(member_text(row, "row", "token", true, PUK_SERIAL, &in->serial, f));
	TRY(member_text(row, "row", "model", false, TOKEN_MODEL_MAX, &in->model, f));
	TRY(member_text(row, "row", "label", false, TOKEN_LABEL_MAX, &in->label, f));
	TRY(member_text(row, "row", "state", false, 12, &in->state, f));
	TRY(member_text(row, "row", "identifier", false, IDENTIFIER_MAX, &in->identifier, f));
	TRY(member_text(row, "row", "keeper", false, TALLY_WORD - 1, &in->keeper, f));
	TRY(member_text(row, "row", "certificate", false, 2 * SERIAL_MAX, &in->certificate, f));
	return member_text(row, "row", "puk", false, 2 * PUK_BOX_MAX, &in->puk, f);
}

enum outcome { UNCHANGED, CHANGED, CREATED };
struct row {
	struct entry in;
	struct token t;
	struct buf puk;
	enum outcome out;
};
static void row_done(struct row *r)
{
	buf_done(&r->puk);
}

static enum err differs(const struct token *t, const char *field, struct fault *f)
{
	return fault_raise(f, ERR_CONFLICT, "token_there", field,
			   "%s: token %s is in the inventory with another one; an import changes none", field,
			   t->serial);
}

/* What has happened to the token since is the desk's to know, not the old system's: its state stays. A PUK that was
 * missing is taken. */
static enum err take_again(struct ctx *c, struct row *r, const struct token *there, const char *who, struct fault *f)
{
	_cleanup_(token_puks_done) struct token_puks p = {0};
	const struct token *t = &r->t;
	TRY(check_seen(c, there, f));
	if (strcmp(t->model, there->model) != 0)
		return differs(t, "model", f);
	if (t->account != 0 && there->account != 0 && t->account != there->account)
		return differs(t, "identifier", f);
	if (there->has_puk || r->puk.len == 0)
		return OK;
	TRY(store_token_puks(c->db, there->id, &p, f));
	buf_add_slice(&p.puk, buf_slice(&r->puk));
	r->out = CHANGED;
	TRY(store_token_puks_set(c->db, there->id, &p, f));
	return store_token_history_add(c->db, there->id,
				       &(struct history_item){c->now, "puk", there->state, there->state, who, ""}, f);
}

static enum err take_row(struct ctx *c, json_t *row, struct row *r, const char *who, struct fault *f)
{
	struct token there;
	TRY(read_row(row, &r->in, f));
	TRY(read_entry(c, &r->in, &r->t, &r->puk, f));
	enum err e = store_token_by_serial(c->db, r->t.serial, &there, f);
	if (e == OK)
		return take_again(c, r, &there, who, f);
	if (e != ERR_NOT_FOUND)
		return e;
	r->out = CREATED;
	return take_in(c, &r->t, &r->puk, "import", who, f);
}

static enum err report_row(struct ctx *c, json_t *row, json_t *report, const char *who, size_t *n_refused,
			   struct fault *f)
{
	static const char *const words[] = {[UNCHANGED] = "unchanged", [CHANGED] = "changed", [CREATED] = "created"};
	_cleanup_(row_done) struct row r = {.out = UNCHANGED};
	struct fault why = {0};
	TRY(db_savepoint(c->db, f));
	enum err e = take_row(c, row, &r, who, &why);
	if (e == OK)
		TRY(db_release(c->db, f));
	else
		TRY(db_take_back(c->db, e, &why, f));
	*n_refused += e != OK;
	json_array_append_new(report,
			      json_pack("{s:I,s:s,s:s,s:s}", "line", json_integer_value(json_object_get(row, "line")),
					"result", e == OK ? words[r.out] : "refused", "reason", e == OK ? "" : why.rule,
					"text", e == OK ? "" : why.text));
	return OK;
}

struct import {
	json_t *report;
	size_t n_refused;
	bool write; /* each row was taken on trial */
};

static enum err import_all(struct ctx *c, json_t **ret, struct fault *f)
{
	struct import *i = c->work;
	json_t *rows = json_object_get(c->call->params, "rows"), *row;
	char detail[64], who[WHO_MAX];
	size_t k;
	TRY(officer_of(c, who, f));
	json_array_foreach(rows, k, row) TRY(report_row(c, row, i->report, who, &i->n_refused, f));
	if (i->write && i->n_refused > 0)
		return fault_raise(f, ERR_CONFLICT, "import_overtaken", "params.rows",
				   "the inventory changed meanwhile: nothing was taken, run it again");
	snprintf(detail, sizeof(detail), "%zu rows", json_array_size(rows));
	if (i->write)
		TRY(desk_audit(c, "tokens_imported", "tokens", detail, f));
	*ret = json_object();
	json_object_set(*ret, "report", i->report);
	json_object_set_new(*ret, "refused", json_integer((json_int_t)i->n_refused));
	json_object_set_new(*ret, "written", json_boolean(i->write));
	return OK;
}

/* All of it, and taken back: by an error of our own. */
static enum err try_all(struct ctx *c, json_t **ret, struct fault *f)
{
	struct fault taken_back = {0};
	TRY(store_begin(c->desk->store, &c->db, f));
	enum err e = import_all(c, ret, f);
	enum err ended = store_end(c->desk->store, c->db, ERR_RULE, &taken_back);
	c->db = NULL;
	return ended == ERR_RULE ? e : ended;
}

enum err token_import(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *report = json_array();
	struct import i = {.report = report};
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	c->work = &i;
	TRY(try_all(c, ret, f));
	if (i.n_refused > 0 || param_true(c, "dry_run"))
		return OK;
	json_decref(*ret);
	*ret = NULL;
	json_array_clear(report);
	i.write = true;
	return desk_change(c, import_all, ret, f);
}

/*
 * Tokens as people see them: officers all of them, page by page behind the last serial; an organisation its own.
 */
#include "ra/officer.h"
#include "ra/token.h"

#include <string.h>

#define PAGE_ROWS 20

static json_t *item_json(const struct token_item *t)
{
	json_t *o = json_object();
	json_object_set_new(o, "token", json_string(t->serial));
	json_object_set_new(o, "model", json_string(t->model));
	json_object_set_new(o, "label", json_string(t->label));
	json_object_set_new(o, "state", json_string(t->state));
	json_object_set_new(
		o, "holder",
		t->account ? json_pack("{s:s,s:s}", "identifier", t->identifier, "organisation", t->organisation)
			   : json_null());
	json_object_set_new(o, "keeper", t->keeper[0] ? json_string(t->keeper) : json_null());
	json_object_set_new(o, "certificate", t->certificate.n ? json_string(SERIAL(&t->certificate)) : json_null());
	json_object_set_new(o, "puk_held", json_boolean(t->has_puk));
	json_object_set_new(o, "added", json_time(t->added));
	json_object_set_new(o, "changed", json_time(t->changed));
	return o;
}

enum err token_json(struct ctx *c, const struct token *t, json_t **ret, struct fault *f)
{
	struct token_item item;
	TRY(store_token_item(c->db, t->serial, &item, f));
	*ret = item_json(&item);
	return OK;
}

/* --- lists --- */

struct page {
	json_t *rows;
	int64_t limit;
	bool more;
	char last[PUK_SERIAL + 1];
};

/* One row more than the page is asked for, which only says that there is more. */
static void add_token(void *arg, const struct token_item *t)
{
	struct page *p = arg;
	if ((int64_t)json_array_size(p->rows) == p->limit) {
		p->more = true;
		return;
	}
	json_array_append_new(p->rows, item_json(t));
	memcpy(p->last, t->serial, sizeof(p->last));
}

static enum err list(struct ctx *c, struct token_search *s, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct page p = {.rows = rows, .limit = param_number(c, "per_page", PAGE_ROWS)};
	_cleanup_(freep) char *view = officer_projects(c);
	const char *after = param_text(c, "after");
	s->after = after ? after : "";
	s->limit = p.limit + 1;
	s->view = view;
	TRY(store_tokens(c->db, s, add_token, &p, f));
	*ret = json_object();
	json_object_set_new(*ret, "tokens", TAKE(rows));
	json_object_set_new(*ret, "next", p.more ? json_string(p.last) : json_null());
	return OK;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

enum err token_list(struct ctx *c, json_t **ret, struct fault *f)
{
	const char *identifier = param_text(c, "identifier");
	struct account a = {0};
	struct token_search s = {.prefix = or_empty(param_text(c, "token")),
				 .state = or_empty(param_text(c, "state")),
				 .keeper = or_empty(param_text(c, "keeper"))};
	if (identifier) {
		enum err e = store_account_by_name(c->db, identifier, &a, f);
		if (e == ERR_NOT_FOUND)
			a.id = -1; /* nobody's list is empty */
		else
			TRY(e);
		s.account = a.id;
	}
	return list(c, &s, ret, f);
}

enum err token_mine(struct ctx *c, json_t **ret, struct fault *f)
{
	struct token_search s = {.prefix = "", .state = "", .keeper = "", .account = c->session->account.id};
	return list(c, &s, ret, f);
}

/* --- one, with its history --- */

static struct bilingual sentence_of(const struct history_item *item)
{
	static const struct {
		const char *event, *after;
		struct bilingual text;
	} sentences[] = {
		{"add", "", {"登记入库", "put into the inventory"}},
		{"import", "", {"从旧系统导入", "imported from the old system"}},
		{"carry", "", {"装有证书", "carries the certificate"}},
		{"puk", "", {"登记了新的管理密码（密封）", "a new PUK was recorded, sealed"}},
		{"unlock", "", {"解锁：重新设置了 PIN", "unlocked: its PIN was set anew"}},
		{"unlock_failed", "", {"解锁没有成功", "an unlock came to nothing"}},
		{"move", "stock", {"清空并放回库存", "put back to stock, empty"}},
		{"move", "prepared", {"为用户备好", "prepared for its holder"}},
		{"move", "shipped", {"寄出", "sent off"}},
		{"move", "in_use", {"在用户手中启用", "in its holder's hands"}},
		{"move", "lost", {"报失", "reported lost"}},
		{"move", "damaged", {"报损", "reported damaged"}},
		{"move", "returned", {"退回服务台", "came back to the desk"}},
		{"move", "scrapped", {"报废", "scrapped"}},
	};
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (strcmp(item->event, sentences[i].event) == 0 &&
		    (sentences[i].after[0] == '\0' || strcmp(item->after, sentences[i].after) == 0))
			return sentences[i].text;
	}
	return (struct bilingual){item->event, item->event};
}

static void add_item(void *arg, const struct history_item *item)
{
	struct bilingual text = sentence_of(item);
	json_t *o = json_object();
	json_object_set_new(o, "at", json_time(item->at));
	json_object_set_new(o, "event", json_string(item->event));
	json_object_set_new(o, "from", json_string(item->before));
	json_object_set_new(o, "to", json_string(item->after));
	json_object_set_new(o, "who", json_string(item->who));
	json_object_set_new(o, "why", json_string(item->detail));
	json_object_set_new(o, "zh", json_string(text.zh));
	json_object_set_new(o, "en", json_string(text.en));
	json_array_append_new(arg, o);
}

static json_t *ways_on(const struct token *t)
{
	json_t *words = json_array();
	for (size_t i = TOKEN_STOCK; i < TOKEN_STATE_N; i++) {
		if (token_may(token_state_from_word(t->state), (enum token_state)i))
			json_array_append_new(words, json_string(token_state_word((enum token_state)i)));
	}
	return words;
}

/* For the officer who holds the token key's secret half; to anybody else they are noise. */
static enum err put_puks(struct ctx *c, const struct token *t, json_t *o, struct fault *f)
{
	_cleanup_(token_puks_done) struct token_puks p = {0};
	TRY(store_token_puks(c->db, t->id, &p, f));
	json_object_set_new(o, "puk", p.puk.len > 0 ? json_base64(buf_slice(&p.puk)) : json_null());
	json_object_set_new(o, "puk_next", p.next.len > 0 ? json_base64(buf_slice(&p.next)) : json_null());
	return OK;
}

enum err token_show(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *o = NULL, *items = json_array();
	struct token t;
	TRY(token_by_serial(c, param_text(c, "token"), "params.token", &t, f));
	TRY(token_json(c, &t, &o, f));
	TRY(store_token_history(c->db, t.id, add_item, items, f));
	json_object_set_new(o, "may_become", ways_on(&t));
	json_object_set_new(o, "history", TAKE(items));
	TRY(put_puks(c, &t, o, f));
	*ret = TAKE(o);
	return OK;
}

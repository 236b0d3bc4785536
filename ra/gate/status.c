/*
 * Status for portals: JSON, with the words that people read. By serial number the table answers, at once; by identifier or
 * hash the desk does, which alone knows them, on a thread that may wait. Nothing here is kept by caches between: a portal
 * asks because it wants to know now.
 */
#include "common/base/clock.h"
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc.h"
#include "ra/gate/ocsp.h"
#include "ra/gate/root_crl.h"
#include "ra/gate/routes.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

#include <ctype.h>
#include <string.h>

#define PREFIX "/v1/status"
#define ASKED_MAX 1000u
#define TOKEN_MAX 256u

/* --- words --- */

static const struct word {
	const char *word, *zh, *en;
} words[] = {
	{"good", "有效", "good"},	  {"held", "挂起", "on hold"},
	{"revoked", "已吊销", "revoked"}, {"ended", "已终止", "ended"},
	{"expired", "已到期", "expired"}, {"unknown", "没有这张证书", "no such certificate"},
};

static const struct word *word_of(const struct gate_row *r, int64_t now)
{
	bool counts = r->changed <= now;
	if (r->state == GATE_REVOKED && counts)
		return &words[2];
	if (r->state == GATE_ENDED && counts)
		return &words[3];
	if (r->state == GATE_HELD)
		return &words[1];
	return now > r->not_after ? &words[4] : &words[0];
}

static void add_words(json_t *o, const struct word *w)
{
	json_object_set_new(o, "state", json_string(w->word));
	json_object_set_new(o, "zh", json_string(w->zh));
	json_object_set_new(o, "en", json_string(w->en));
}

void status_refuse(struct gate *g, struct http_reply *to, unsigned status, const char *reason, const char *zh,
		   const char *en)
{
	_cleanup_(json_freep) json_t *o = json_pack("{s:{s:s,s:s,s:s}}", "error", "reason", reason, "zh", zh, "en", en);
	to->status = status;
	to->type = "application/json";
	buf_clear(&to->body);
	json_write(o, &to->body);
	gate_count(g, status >= 500 ? COUNT_STATUS : COUNT_REFUSED);
}

/* --- the table's answers --- */

static json_t *hex(const uint8_t *p, size_t n)
{
	char text[41];
	hex_lower(p, n, text);
	return json_string(text);
}

static json_t *serial_of(const struct gate_row *r)
{
	struct serial s = {.n = r->n};
	memcpy(s.b, r->serial, sizeof(s.b));
	return json_string(SERIAL(&s));
}

/* Where the certificates above it are, when they are ours to give. */
static void add_chain(struct gate *g, json_t *o)
{
	const char *issuer = json_string_value(json_object_get(o, "issuer"));
	if (issuer && strlen(issuer) == 40 && gate_issuer(g, issuer))
		json_object_set_new(o, "chain", json_sprintf("/ca/%s.pem", issuer));
}

/* One that stands beside it in its line, as NAME and NAME_issuer. With the table held. */
static void add_beside(const struct gate *g, const char *name, uint32_t row, json_t *o)
{
	const struct gate_row *r = table_row(g->table, row);
	char issuer[32];
	if (!r)
		return;
	snprintf(issuer, sizeof(issuer), "%s_issuer", name);
	json_object_set_new(o, name, serial_of(r));
	json_object_set_new(o, issuer, hex(table_issuer(g->table, r->issuer), 20));
}

/* What it is, why and since when: in its own right, and by what its CA is. With the table held. */
static void add_state(struct gate *g, const struct gate_row *row, int64_t now, json_t *o)
{
	struct gate_row r = *row;
	const struct gate_issuer *of = gate_issuer_of(g, table_issuer(g->table, r.issuer));
	if (of)
		issuer_bears(of, &r);
	const struct word *w = word_of(&r, now);
	add_words(o, w);
	if (w->word[0] == 'r' || strcmp(w->word, "ended") == 0)
		json_object_set_new(o, "reason", json_string(crl_reason_word(r.reason)));
	if (r.state != GATE_GOOD)
		json_object_set_new(o, "when", json_string(UTC(r.changed)));
}

/* With the table held. */
static json_t *answer_of(struct gate *g, const struct gate_row *r, int64_t now)
{
	json_t *o = json_object();
	json_object_set_new(o, "serial", serial_of(r));
	json_object_set_new(o, "issuer", hex(table_issuer(g->table, r->issuer), 20));
	add_chain(g, o);
	add_state(g, r, now, o);
	json_object_set_new(o, "not_after", json_string(UTC(r->not_after)));
	add_beside(g, "successor", r->successor, o);
	add_beside(g, "predecessor", r->predecessor, o);
	return o;
}

/* issuer: NULL for any. With the table held. */
static void look_up(struct gate *g, const struct serial *serial, const uint8_t *issuer, int64_t now, json_t *list)
{
	const struct gate_row *found[TABLE_SAME_MAX];
	size_t n = table_find_serial(g->table, serial, found), hits = 0;
	for (size_t i = 0; i < n; i++) {
		if (issuer && memcmp(table_issuer(g->table, found[i]->issuer), issuer, 20) != 0)
			continue;
		json_array_append_new(list, answer_of(g, found[i], now));
		hits++;
	}
	if (hits > 0)
		return;
	json_t *o = json_object();
	json_object_set_new(o, "serial", json_string(SERIAL(serial)));
	if (issuer)
		json_object_set_new(o, "issuer", hex(issuer, 20));
	add_words(o, &words[5]);
	json_array_append_new(list, o);
}

static void put_all(struct gate *g, json_t *answers, const struct gate_head *h, struct http_reply *to)
{
	_cleanup_(json_freep) json_t *o =
		json_pack("{s:s,s:I,s:O}", "as_of", UTC(h->at), "ledger_size", (json_int_t)h->size, "answers", answers);
	to->type = "application/json";
	json_write(o, &to->body);
	gate_count(g, COUNT_STATUS);
}

/* Answers that cannot be believed are none. */
static bool is_ready(struct gate *g, struct http_reply *to)
{
	const char *why;
	bool ready = gate_ready(g, &why);
	table_read_begin(g->table);
	int64_t beat = table_head(g->table).beat;
	table_read_end(g->table);
	if (ready && clock_now() - beat < OCSP_STALE_SECONDS)
		return true;
	status_refuse(g, to, 503, "status_stale", "状态数据暂不可用，请稍后再试",
		      "status is not available now: try later");
	return false;
}

/* --- what was asked --- */

struct asked {
	struct serial serial;
	uint8_t issuer[20];
	bool has_issuer;
};

/* Upper or lower case. */
static bool read_serial(const char *text, struct serial *ret)
{
	char upper[2 * SERIAL_MAX + 1];
	size_t n = strlen(text);
	if (n >= sizeof(upper))
		return false;
	for (size_t i = 0; i <= n; i++)
		upper[i] = (char)toupper((unsigned char)text[i]);
	return serial_parse(upper, n, ret);
}

static bool read_asked(const char *serial, const char *issuer, struct asked *ret)
{
	ret->has_issuer = issuer != NULL;
	return serial && read_serial(serial, &ret->serial) &&
	       (!issuer || (strlen(issuer) == 40 && hex_decode(issuer, 40, ret->issuer, 20)));
}

static void answer(struct gate *g, const struct asked *v, size_t n, struct http_reply *to)
{
	_cleanup_(json_freep) json_t *list = json_array();
	int64_t now = clock_now();
	if (!is_ready(g, to))
		return;
	table_read_begin(g->table);
	struct gate_head h = table_head(g->table);
	now = now > h.at ? now : h.at; /* a clock that is behind turns nothing back that was told */
	for (size_t i = 0; i < n; i++)
		look_up(g, &v[i].serial, v[i].has_issuer ? v[i].issuer : NULL, now, list);
	table_read_end(g->table);
	put_all(g, list, &h, to);
}

static void bad_form(struct gate *g, struct http_reply *to)
{
	status_refuse(
		g, to, 400, "status_form", "请求格式不正确",
		"wanted serials, refs, hashes or an identifier, at most 1,000; serial numbers and key ids in hex");
}

/* --- the desk's answers --- */

/* Bearer: the portal's own; the desk knows it by its hash. */
static const char *token_of(const struct http_request *r)
{
	const char *text = http_header(r, "Authorization");
	return text && strncmp(text, "Bearer ", 7) == 0 && strlen(text) <= 7 + TOKEN_MAX ? text + 7 : NULL;
}

static const struct word *known_word(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (word && strcmp(words[i].word, word) == 0)
			return &words[i];
	}
	return &words[5];
}

static void pass_error(struct gate *g, const struct fault *f, struct http_reply *to)
{
	if (f->kind == ERR_DENIED)
		status_refuse(g, to, 403, "token_unknown", "令牌无效", "the token is not valid");
	else if (f->kind == ERR_PARSE || f->kind == ERR_LIMIT)
		bad_form(g, to);
	else
		status_refuse(g, to, 503, "desk_away", "业务系统暂不可用，请稍后再试",
			      "the desk is not available now: try later");
}

/* What the desk's word leaves out: which certificate this one followed, which the table knows, and that its CA was revoked. */
static void add_from_table(struct gate *g, json_t *o)
{
	const char *serial = json_string_value(json_object_get(o, "serial"));
	struct asked one;
	if (!read_asked(serial, json_string_value(json_object_get(o, "issuer")), &one) || !one.has_issuer)
		return;
	const struct gate_issuer *of = gate_issuer_of(g, one.issuer);
	struct cert_ref ref = {.serial = one.serial};
	memcpy(ref.issuer_key_id, one.issuer, sizeof(ref.issuer_key_id));
	table_read_begin(g->table);
	const struct gate_row *r = table_find(g->table, &ref, NULL);
	if (r)
		add_beside(g, "predecessor", r->predecessor, o);
	if (r && of && issuer_is_revoked(of))
		add_state(g, r, clock_now(), o);
	table_read_end(g->table);
}

/* Runs where it may wait. params: as status.query takes them. */
static void ask_desk(struct gate *g, json_t *params, struct http_reply *to)
{
	_cleanup_(json_freep) json_t *result = NULL;
	struct fault f = {0};
	size_t i;
	json_t *one;
	if (jsonrpc_call(g->desk_quick, "status.query", params, &result, NULL, &f) != OK) {
		pass_error(g, &f, to);
		return;
	}
	json_array_foreach(json_object_get(result, "answers"), i, one)
	{
		add_words(one, known_word(json_string_value(json_object_get(one, "state"))));
		add_chain(g, one);
		add_from_table(g, one);
	}
	to->type = "application/json";
	json_write(result, &to->body);
	gate_count(g, COUNT_STATUS);
}

static json_t *desk_params(const struct http_request *r, const char *identifier, json_t *hashes)
{
	json_t *o = json_object();
	const char *token = token_of(r);
	if (identifier)
		json_object_set_new(o, "identifier", json_string(identifier));
	if (identifier && token)
		json_object_set_new(o, "token", json_string(token));
	if (hashes)
		json_object_set(o, "hashes", hashes);
	return o;
}

/* --- GET and POST --- */

static bool read_ref(json_t *o, struct asked *ret)
{
	return json_is_object(o) && read_asked(json_string_value(json_object_get(o, "serial")),
					       json_string_value(json_object_get(o, "issuer")), ret);
}

/* {"serials": […], "refs": [{…}]}: *ret_n of them. */
static bool read_list(json_t *o, struct asked *v, size_t *ret_n)
{
	json_t *serials = json_object_get(o, "serials"), *refs = json_object_get(o, "refs"), *one;
	size_t i, n = 0;
	if ((serials && !json_is_array(serials)) || (refs && !json_is_array(refs)) ||
	    json_array_size(serials) + json_array_size(refs) > ASKED_MAX)
		return false;
	json_array_foreach(serials, i, one)
	{
		if (!read_asked(json_string_value(one), NULL, &v[n++]))
			return false;
	}
	json_array_foreach(refs, i, one)
	{
		if (!read_ref(one, &v[n++]))
			return false;
	}
	*ret_n = n;
	return n > 0;
}

static json_t *read_body(const struct http_request *r)
{
	static const struct json_limits limits = {HTTP_BODY_MAX, 4, 4 * ASKED_MAX + 16};
	json_t *o = NULL;
	if (json_read(r->body, &limits, &o, NULL) != OK)
		return NULL;
	if (json_is_object(o))
		return o;
	json_decref(o);
	return NULL;
}

static bool wants_desk(json_t *o)
{
	return json_object_get(o, "identifier") || json_object_get(o, "hashes");
}

static bool ask_later(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	bool post = strcmp(r->method, "POST") == 0;
	_cleanup_(json_freep) json_t *body = post ? read_body(r) : NULL, *hashes = NULL, *params = NULL;
	const char *hash = post ? NULL : http_argument(r, "sha256");
	const char *identifier =
		post ? json_string_value(json_object_get(body, "identifier")) : http_argument(r, "identifier");
	if (post)
		hashes = json_incref(json_object_get(body, "hashes"));
	else if (hash)
		hashes = json_pack("[s]", hash);
	params = desk_params(r, identifier, hashes);
	ask_desk(g, params, to);
	return true;
}

static void post(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	_cleanup_(json_freep) json_t *o = read_body(r);
	_cleanup_(freep) struct asked *v = xcalloc(ASKED_MAX, sizeof(*v));
	size_t n = 0;
	if (o && wants_desk(o))
		to->later = ask_later;
	else if (o && read_list(o, v, &n))
		answer(g, v, n, to);
	else
		bad_form(g, to);
}

static void get(struct gate *g, const struct http_request *r, const char *serial, struct http_reply *to)
{
	struct asked one;
	if (serial[0] == '\0' && (http_argument(r, "identifier") || http_argument(r, "sha256")))
		to->later = ask_later;
	else if (read_asked(serial, http_argument(r, "issuer"), &one))
		answer(g, &one, 1, to);
	else
		bad_form(g, to);
}

/* Pages of other origins may ask when they are named. */
static void set_origin(const struct gate *g, const struct http_request *r, struct http_reply *to)
{
	const char *origin = http_header(r, "Origin");
	for (size_t i = 0; origin && i < g->config.origins.n; i++) {
		if (strcmp(g->config.origins.v[i], origin) == 0)
			to->origin = g->config.origins.v[i];
	}
}

bool route_status(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	const char *rest = r->path + sizeof(PREFIX) - 1;
	if (strncmp(r->path, PREFIX, sizeof(PREFIX) - 1) != 0 || (*rest != '\0' && *rest != '/'))
		return false;
	set_origin(g, r, to);
	rest += *rest == '/';
	if (strcmp(r->method, "OPTIONS") == 0)
		to->status = 204;
	else if (strcmp(r->method, "POST") == 0 && strcmp(rest, "receipt") == 0)
		to->later = receipt_answer; /* a few signatures and some hundred hashes */
	else if (strcmp(r->method, "POST") == 0)
		post(g, r, to);
	else
		get(g, r, rest, to);
	return true;
}

/*
 * The ways of the certificate's profile, and the desk's own beside them, each with what it asks, what it does to files that
 * are encrypted already, and whether it is possible now. It is a help; what counts is judged when a request is made.
 */
#include "ra/way.h"

#include "ra/plain.h"
#include "ra/status.h"
#include "ra/status_index.h"
#include "ra/title.h"

#include "common/base/clock.h"

#include <string.h>

#define DAY_S 86400

struct choice {
	const char *kind;
	enum tally_kind tally; /* TALLY_KIND_N: none is made */
	const struct policy_way *way;
	const char *makes; /* certificate, record, nothing */
	bool linked;	   /* a first certificate, in an account of its own that the session opens */
};
struct view {
	struct ctx *c;
	struct cert_row row;
	struct cert_body body;
	const struct profile *profile;
	json_t *list;
};

/* --- words --- */

static json_t *paper_json(const char *name)
{
	struct bilingual title = title_of(name);
	json_t *o = json_object();
	json_object_set_new(o, "name", json_string(name));
	json_object_set_new(o, "zh", json_string(title.zh));
	json_object_set_new(o, "en", json_string(title.en));
	return o;
}

/* A list of lists: one of each is wanted. */
static json_t *papers_json(const struct material_group *g)
{
	json_t *all = json_array();
	const struct material_any *any = g->any_of.v;
	for (size_t i = 0; i < g->all_of.n; i++) {
		json_t *one = json_array();
		json_array_append_new(one, paper_json(g->all_of.v[i]));
		json_array_append_new(all, one);
	}
	for (size_t i = 0; i < g->any_of.n; i++) {
		json_t *one = json_array();
		for (size_t k = 0; k < any[i].of.n; k++)
			json_array_append_new(one, paper_json(any[i].of.v[k]));
		json_array_append_new(all, one);
	}
	return all;
}

static struct bilingual files_effect(const struct choice *k)
{
	if (k->tally == TALLY_KIND_N)
		return (struct bilingual){"不更换密钥，已加密的文件不受影响",
					  "the key stays: encrypted files open as before"};
	if (k->linked)
		return (struct bilingual){
			"新证书使用新密钥，已加密的文件仍须用原证书解密，请保留原 USB Key",
			"a new key in a new certificate: encrypted files open with the old one only, so keep it"};
	if (k->way->new_key_allowed && k->way->same_key_allowed)
		return (struct bilingual){
			"密钥不变时已加密的文件不受影响；更换密钥后须用原密钥解密",
			"with the same key encrypted files open as before; with a new key they need the old one"};
	if (k->way->new_key_allowed)
		return (struct bilingual){
			"更换密钥：已加密而未解密的文件将无法用新证书解密，请先解密或先申请恢复证书",
			"a new key: files still encrypted do not open with it, so decrypt or recover them first"};
	return (struct bilingual){"密钥不变，已加密的文件不受影响", "the key stays: encrypted files open as before"};
}

static const char *key_word(const struct choice *k)
{
	if (k->tally == TALLY_KIND_N || !k->way->new_key_allowed)
		return "same";
	return k->way->same_key_allowed ? "either" : "new";
}

/* --- is it possible now? --- */

static enum err check_window(const struct view *v, struct fault *f)
{
	const struct profile *p = v->profile;
	int64_t now = v->c->now, from = v->row.not_after - p->window_before_days * DAY_S,
		to = v->row.not_after + p->window_after_days * DAY_S;
	if (now >= from && now <= to)
		return OK;
	return fault_raise(f, ERR_RULE, "validity_window", "certificate", "possible from %s to %s", UTC(from), UTC(to));
}

static enum err check_now(const struct view *v, const struct choice *k, struct fault *f)
{
	struct verdict verdict = {.profile = v->profile, .way = k->way};
	struct tally t = {.kind = k->tally, .has_predecessor = true, .key_is_new = !k->way->same_key_allowed};
	struct facts x = {.now = v->c->now,
			  .has_predecessor = true,
			  .not_before = v->row.not_before,
			  .not_after = v->row.not_after,
			  .adopted = v->body.adopted,
			  .weak = v->body.weak,
			  .revoked = v->row.state == CERT_REVOKED,
			  .ended = v->row.state == CERT_ENDED,
			  .succeeded = v->row.successor != 0,
			  .held = v->row.state == CERT_HELD,
			  .fallen = status_issuer_fallen(v->c->desk->status, v->row.ref.issuer_key_id)};
	if (k->linked || k->tally == TALLY_KIND_N)
		return OK;
	TRY(judge_predecessor(&t, &x, &verdict, f));
	return k->tally == TALLY_EXTEND ? check_window(v, f) : OK;
}

static json_t *why_json(const struct fault *f)
{
	json_t *o = json_object();
	const struct rpc_message *m = desk_message_of(f->rule);
	json_object_set_new(o, "rule", json_string(f->rule));
	json_object_set_new(o, "text", json_string(f->text));
	if (m) {
		json_object_set_new(o, "zh", json_string(m->zh));
		json_object_set_new(o, "en", json_string(m->en));
	}
	return o;
}

/* --- the list --- */

static void add(struct view *v, const struct choice *k)
{
	static const char *const order_words[] = {
		[WAY_ORDER_NONE] = "none", [WAY_ORDER_EXTENDED] = "when_extended", [WAY_ORDER_ALWAYS] = "always"};
	struct fault why = {0};
	struct bilingual files = files_effect(k);
	const struct floor *floor = k->tally != TALLY_KIND_N ? floor_of(k->tally) : NULL;
	int64_t officers = k->way->officers;
	if (floor && officers < (int64_t)(k->way->same_key_allowed ? floor->officers_same : floor->officers_new))
		officers = k->way->same_key_allowed ? floor->officers_same : floor->officers_new;
	bool possible = check_now(v, k, &why) == OK;
	json_t *o = json_object();
	json_object_set_new(o, "kind", json_string(k->kind));
	json_object_set_new(o, "way", json_string(k->way->way));
	json_object_set_new(o, "title", json_bilingual(&k->way->title));
	json_object_set_new(o, "makes", json_string(k->makes));
	json_object_set_new(o, "linked_account", json_boolean(k->linked));
	json_object_set_new(o, "recommended", json_boolean(k->linked));
	json_object_set_new(o, "materials", papers_json(&k->way->materials));
	json_object_set_new(o, "officers", json_integer(officers));
	json_object_set_new(o, "key", json_string(key_word(k)));
	json_object_set_new(o, "order", json_string(order_words[k->way->order]));
	json_object_set_new(o, "asks_files", json_boolean(k->way->asks_files));
	if (k->way->notice)
		json_object_set_new(o, "notice", json_string(k->way->notice));
	json_object_set_new(o, "files", json_bilingual(&files));
	json_object_set_new(o, "possible", json_boolean(possible));
	if (!possible)
		json_object_set_new(o, "why", why_json(&why));
	json_array_append_new(v->list, o);
}

static void add_kind(struct view *v, enum tally_kind kind)
{
	const struct policy_kind *k = profile_kind(v->profile, kind);
	const struct policy_way *ways = k ? k->ways.v : NULL;
	for (size_t i = 0; k && i < k->ways.n; i++) {
		/* What officers alone do is not the owner's to choose. */
		if (ways[i].proof == 0)
			continue;
		add(v, &(struct choice){tally_kind_word(kind), kind, &ways[i],
					kind == TALLY_REVOKE ? "nothing" : "certificate", kind == TALLY_ENROL});
	}
}

static void add_plain(struct view *v, const char *kind, const char *way)
{
	struct request r = {.cert = v->row.id};
	snprintf(r.kind, sizeof(r.kind), "%s", kind);
	snprintf(r.way, sizeof(r.way), "%s", way);
	memcpy(r.profile, v->body.profile, sizeof(r.profile));
	bool record = strcmp(kind, PLAIN_RECOVER_KIND) != 0;
	if (record && !record_applies(v->c, &r))
		return;
	add(v, &(struct choice){kind, TALLY_KIND_N, request_way(v->c, &r), record ? "record" : "nothing", false});
}

static enum err list_ways(struct view *v, struct fault *f)
{
	static const enum tally_kind kinds[] = {TALLY_EXTEND, TALLY_CHANGE, TALLY_ENROL, TALLY_REISSUE, TALLY_REVOKE};
	struct ctx *c = v->c;
	TRY(cert_find(c->db, param_text(c, "serial"), param_text(c, "issuer"), c->session->account.id, &v->row, f));
	TRY(store_cert_body(c->db, v->row.id, &v->body, f));
	v->profile = policy_profile(c->law->policy, v->body.profile);
	for (size_t i = 0; v->profile && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		add_kind(v, kinds[i]);
		if (kinds[i] == TALLY_CHANGE)
			add_plain(v, "change", PLAIN_RECORD_WAY);
		if (kinds[i] == TALLY_ENROL)
			add_plain(v, PLAIN_RECOVER_KIND, PLAIN_RECOVER_KIND);
	}
	return OK;
}

enum err request_ways(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *list = json_array();
	struct view v = {.c = c, .list = list};
	enum err e = list_ways(&v, f);
	cert_body_done(&v.body);
	TRY(e);
	*ret = json_object();
	json_object_set_new(*ret, "serial", json_string(SERIAL(&v.row.ref.serial)));
	json_object_set_new(*ret, "review_days", json_integer(c->desk->config.review.days));
	json_object_set_new(*ret, "ways", TAKE(list));
	return OK;
}

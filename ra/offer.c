/*
 * The page of certificates says beforehand what a request would be told: whether each action is possible now, and in
 * words why not, in the order in which a person can do something about it.
 */
#include "ra/offer.h"

#include "ra/service.h"
#include "ra/status.h"
#include "ra/store_work.h"
#include "ra/unlock.h"

#include "common/base/clock.h"

#include <string.h>

#define DAY_S 86400

struct view {
	const struct profile *profile; /* NULL: the policy has it no more */
	const struct cert_row *row;
	const char *state;
	int64_t now, opens, closes;
	int64_t reissues;    /* of it that are under way */
	const char *service; /* why the service stops an extension; NULL: it does not */
};

/* A certificate on hold can be reissued, and nothing else. */
static const char *dead(const struct view *v, enum tally_kind kind)
{
	static const char *const rules[][2] = {
		{"revoked", "predecessor_revoked"}, {"ended", "predecessor_ended"}, {"held", "predecessor_held"}};
	bool reissue = kind == TALLY_REISSUE;
	if (!v->profile)
		return "profile_unknown";
	if (v->row->successor != 0)
		return "predecessor_succeeded";
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(v->state, rules[i][0]) == 0 && !(reissue && strcmp(v->state, "held") == 0))
			return rules[i][1];
	}
	return reissue && v->reissues > 0 ? "work_under_way" : NULL;
}

static bool change_extends(const struct profile *p)
{
	const struct policy_kind *kind = profile_kind(p, TALLY_CHANGE);
	const struct policy_way *ways = kind->ways.v;
	for (size_t i = 0; i < kind->ways.n; i++) {
		if (ways[i].extension_allowed)
			return true;
	}
	return false;
}

/* NULL: nothing is in the way. */
static const char *why_not(const struct view *v, enum tally_kind kind)
{
	const char *rule = dead(v, kind);
	bool over = v->now > v->row->not_after;
	if (rule)
		return rule;
	if (!profile_kind(v->profile, kind))
		return "kind_unknown";
	if (kind == TALLY_EXTEND)
		return v->now < v->opens || v->now > v->closes ? "validity_window" : v->service;
	if (over && (kind != TALLY_CHANGE || !change_extends(v->profile)))
		return "certificate_expired";
	return over && v->now > v->closes ? "certificate_expired" : NULL;
}

static json_t *offer(const char *action, const char *rule)
{
	json_t *o = json_object();
	const struct rpc_message *m = rule ? desk_message_of(rule) : NULL;
	json_object_set_new(o, "action", json_string(action));
	json_object_set_new(o, "possible", json_boolean(!rule));
	json_object_set_new(o, "reason", rule ? json_string(rule) : json_null());
	json_object_set_new(o, "zh", json_string(m ? m->zh : ""));
	json_object_set_new(o, "en", json_string(m ? m->en : ""));
	return o;
}

static enum err look_at_service(struct ctx *c, struct view *v, struct fault *f)
{
	struct service s = {0};
	struct fault why = {0};
	enum err e = store_service_of_cert(c->db, v->row->id, &s, f);
	if (e == ERR_NOT_FOUND) {
		v->service = "service_missing";
		return OK;
	}
	TRY(e);
	if (service_check_paid(&s, c->now, &why) != OK)
		v->service = s.ends == 0 ? "service_unpaid" : "service_expired";
	return OK;
}

/* The PIN is set anew by the PUK, where the desk holds it; a desk that holds none does it at the counter. */
static enum err add_unlock(struct ctx *c, const struct cert_row *row, json_t *offers, struct fault *f)
{
	struct token t;
	const char *rule = "unlock_at_desk";
	enum err e = ERR_NOT_FOUND;
	if (c->desk->config.token_key) {
		e = store_token_of_cert(c->db, row->id, row->account, &t, f);
		rule = e == OK ? unlock_why_not(&t) : "unlock_no_token";
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
	}
	json_t *o = offer("unlock", rule);
	json_object_set_new(o, "token", e == OK ? json_string(t.serial) : json_null());
	if (rule && strcmp(rule, "unlock_puk_unknown") == 0)
		json_object_set_new(o, "instead", json_pack("[s,s]", "recover", "reissue"));
	json_array_append_new(offers, o);
	return OK;
}

enum err offers_json(struct ctx *c, const struct cert_row *row, const char *profile, json_t **ret, struct fault *f)
{
	struct view v = {.profile = policy_profile(c->law->policy, profile),
			 .row = row,
			 .state = cert_state_word(c->desk->status, row, c->now),
			 .now = c->now};
	if (v.profile) {
		v.opens = row->not_after - v.profile->window_before_days * DAY_S;
		v.closes = row->not_after + v.profile->window_after_days * DAY_S;
	}
	TRY(look_at_service(c, &v, f));
	TRY(store_requests_under_way(c->db, row->id, tally_kind_word(TALLY_REISSUE), "", &v.reissues, f));
	json_t *extend = offer("extend", why_not(&v, TALLY_EXTEND));
	if (v.profile) {
		json_object_set_new(extend, "from", json_time(v.opens));
		json_object_set_new(extend, "until", json_time(v.closes));
	}
	*ret = json_array();
	json_array_append_new(*ret, extend);
	json_array_append_new(*ret, offer("change", why_not(&v, TALLY_CHANGE)));
	TRY(add_unlock(c, row, *ret, f));
	json_array_append_new(*ret, offer("reissue", why_not(&v, TALLY_REISSUE)));
	return OK;
}

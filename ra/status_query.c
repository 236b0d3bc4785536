/*
 * status.query: what portals and relying parties ask. By serial number, by issuer and serial number, or by hash anybody
 * may who holds the certificate; by subject only its owner, in a session, or a portal that shows a token of its own, for
 * its projects. What an asker may not see is unknown, like what never was.
 *
 * Answers come from the index in memory (status_index.c) under one lock, so all of a reply are of one moment: as_of, the
 * time of the last ledger entry seen, which a beat renews each minute. Next: status_quick.c, the same for the usual
 * shape of a question.
 */
#include "ra/status.h"

#include "ra/status_index.h"

#include <string.h>

#define OF_SUBJECT_MAX 100

static json_t *unknown_json(const char *serial, const char *issuer)
{
	json_t *o = json_object();
	json_object_set_new(o, "serial", serial ? json_string(serial) : json_null());
	json_object_set_new(o, "issuer", issuer ? json_string(issuer) : json_null());
	json_object_set_new(o, "state", json_string("unknown"));
	return o;
}

static struct cert_ref ref_of(const struct status_index *x, const struct status_entry *e)
{
	struct cert_ref ref = {.serial.n = e->n};
	memcpy(ref.serial.b, e->serial, e->n);
	memcpy(ref.issuer_key_id, status_issuer(x, e->issuer)->key_id, 20);
	return ref;
}

static json_t *answer_json(const struct ctx *c, const struct status_entry *e)
{
	const struct status_index *x = c->desk->status;
	const struct status_entry *next = status_entry(x, e->successor);
	struct cert_ref ref = ref_of(x, e);
	struct cert_standing s = status_standing(x, e);
	struct status_view v = {.state = s.state,
				.reason = s.reason,
				.changed = s.changed,
				.not_after = e->not_after,
				.has_successor = next != NULL};
	if (next)
		v.successor = ref_of(x, next);
	json_t *o = json_object();
	json_object_set_new(o, "serial", json_string(SERIAL(&ref.serial)));
	json_object_set_new(o, "issuer", json_hex(ref.issuer_key_id, 20));
	json_object_set_new(o, "not_after", json_time(e->not_after));
	status_put(&v, status_now(x, c->now), o);
	return o;
}

/* --- by serial number, with or without its issuer --- */

/* Without an issuer: all that have this serial. */
static enum err answer_serial(const struct ctx *c, const char *text, json_t *answers, struct fault *f)
{
	const struct status_entry *found[SAME_SERIAL_MAX];
	struct serial serial;
	TRY(serial_param(text, "params.serials", &serial, f));
	size_t n = status_by_serial(c->desk->status, &serial, found);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(answers, answer_json(c, found[i]));
	if (n == 0)
		json_array_append_new(answers, unknown_json(text, NULL));
	return OK;
}

static enum err answer_ref(const struct ctx *c, json_t *object, json_t *answers, struct fault *f)
{
	const char *serial, *issuer;
	struct cert_ref ref = {0};
	TRY(member_text(object, "params.refs", "serial", true, 2 * SERIAL_MAX, &serial, f));
	TRY(member_text(object, "params.refs", "issuer", true, 40, &issuer, f));
	TRY(serial_param(serial, "params.refs.serial", &ref.serial, f));
	TRY(issuer_param(issuer, "params.refs.issuer", ref.issuer_key_id, f));
	const struct status_entry *e = status_by_ref(c->desk->status, &ref);
	json_array_append_new(answers, e ? answer_json(c, e) : unknown_json(serial, issuer));
	return OK;
}

/* --- by what the index does not hold: ids are looked up in the database before --- */

struct hit {
	const char *member, *asked; /* repeated in the answer */
	int64_t id;		    /* 0: none that the asker may see */
};
struct hits {
	struct hit *v;
	size_t n, cap;
};
static void hits_done(struct hits *h)
{
	free(h->v);
}

static void add_hit(struct hits *h, const char *member, const char *asked, int64_t id)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? 2 * h->cap : 16;
		h->v = xrealloc(h->v, h->cap, sizeof(*h->v));
	}
	h->v[h->n++] = (struct hit){member, asked, id};
}

static enum err find_hash(const struct ctx *c, const char *text, struct hits *h, struct fault *f)
{
	uint8_t sha[32];
	int64_t id = 0;
	if (strlen(text) != 64 || !hex_decode(text, 64, sha, sizeof(sha)))
		return fault_raise(f, ERR_PARSE, "sha256_form", "params.hashes",
				   "found \"%s\", wanted the SHA-256 of a certificate's DER, 64 hex characters",
				   ESC(text, strlen(text)));
	enum err e = store_cert_by_hash(c->db, sha, &id, f);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	add_hit(h, "sha256", text, e == OK ? id : 0);
	return OK;
}

static bool portal_sees(const struct portal *p, const char *project)
{
	bool listed = p->projects.n == 0;
	for (size_t i = 0; i < p->projects.n && !listed; i++)
		listed = strcmp(p->projects.v[i], project) == 0;
	return listed;
}

/* *ret_portal NULL: the session's account asks. */
static enum err who_asks(const struct ctx *c, const struct portal **ret_portal, struct fault *f)
{
	const char *token = param_text(c, "token");
	*ret_portal = NULL;
	if (c->session)
		return OK;
	if (token && (caller_is(c, DESK_PORTAL) || caller_is(c, DESK_GATE)))
		*ret_portal = ra_config_portal(&c->desk->config, token);
	if (*ret_portal)
		return OK;
	if (token)
		return fault_raise(f, ERR_DENIED, "token_unknown", "params.token",
				   "this token opens nothing for user id %u", (unsigned)c->call->peer.uid);
	return fault_raise(f, ERR_DENIED, "identifier_closed", "params.identifier",
			   "found neither session nor token, wanted the owner's session or a portal's token");
}

static enum err find_subject(const struct ctx *c, const char *identifier, struct hits *h, struct fault *f)
{
	struct cert_owned found[OF_SUBJECT_MAX];
	const struct portal *portal;
	size_t n = 0, before = h->n;
	TRY(who_asks(c, &portal, f));
	TRY(store_certs_of_identifier(c->db, identifier, found, OF_SUBJECT_MAX, &n, f));
	for (size_t i = 0; i < n; i++) {
		bool sees = portal ? portal_sees(portal, found[i].project) : found[i].account == c->session->account.id;
		if (sees)
			add_hit(h, "identifier", identifier, found[i].id);
	}
	if (h->n == before)
		add_hit(h, "identifier", identifier, 0);
	return OK;
}

static enum err find(struct ctx *c, json_t **ret, struct fault *f)
{
	struct hits *h = c->work;
	const char *identifier = param_text(c, "identifier");
	json_t *v;
	size_t i;
	(void)ret;
	json_array_foreach(json_object_get(c->call->params, "hashes"), i, v)
		TRY(find_hash(c, json_string_value(v), h, f));
	return identifier ? find_subject(c, identifier, h, f) : OK;
}

static void answer_hit(const struct ctx *c, const struct hit *h, json_t *answers)
{
	const struct status_entry *e = status_entry(c->desk->status, h->id);
	json_t *o = json_pack("{s:s}", h->member, h->asked), *rest = e ? answer_json(c, e) : unknown_json(NULL, NULL);
	json_object_update(o, rest);
	json_decref(rest);
	json_array_append_new(answers, o);
}

/* --- while the index is not complete --- */

static enum err fetch_serial(struct ctx *c, json_t *text, struct fault *f)
{
	struct serial serial;
	const char *s = json_string_value(text);
	/* What is malformed is refused by its own words, later. */
	if (!s || !serial_parse(s, strlen(s), &serial))
		return OK;
	return status_fetch(c->desk->status, c->db, &serial, f);
}

static enum err fetch(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct hits *h = c->work;
	json_t *v;
	size_t i;
	(void)ret;
	json_array_foreach(json_object_get(c->call->params, "serials"), i, v) TRY(fetch_serial(c, v, f));
	json_array_foreach(json_object_get(c->call->params, "refs"), i, v)
		TRY(fetch_serial(c, json_object_get(v, "serial"), f));
	for (i = 0; i < h->n; i++) {
		if (h->v[i].id != 0)
			TRY(status_fetch_id(c->desk->status, c->db, h->v[i].id, f));
	}
	return OK;
}

/* --- the whole --- */

static enum err answer_all(const struct ctx *c, const struct hits *h, json_t *o, struct fault *f)
{
	json_t *answers = json_array(), *v;
	size_t i;
	json_object_set_new(o, "as_of", json_time(status_as_of(c->desk->status)));
	json_object_set_new(o, "ledger_size", json_integer(status_size(c->desk->status)));
	json_object_set_new(o, "answers", answers);
	json_array_foreach(json_object_get(c->call->params, "serials"), i, v)
		TRY(answer_serial(c, json_string_value(v), answers, f));
	json_array_foreach(json_object_get(c->call->params, "refs"), i, v) TRY(answer_ref(c, v, answers, f));
	for (i = 0; i < h->n; i++)
		answer_hit(c, &h->v[i], answers);
	return OK;
}

enum err status_query(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(hits_done) struct hits hits = {0};
	_cleanup_(json_freep) json_t *o = json_object();
	json_t *params = c->call->params;
	bool stored = json_object_get(params, "hashes") || json_object_get(params, "identifier");
	if (!stored && !json_object_get(params, "serials") && !json_object_get(params, "refs"))
		return fault_raise(f, ERR_PARSE, "status_nothing", "params.serials",
				   "found none of serials, refs, hashes and identifier, wanted one of them");
	c->work = &hits;
	if (stored)
		TRY(desk_read(c, find, NULL, f));
	if (!status_complete(c->desk->status))
		TRY(desk_read(c, fetch, NULL, f));
	status_begin(c->desk->status);
	enum err e = answer_all(c, &hits, o, f);
	status_end(c->desk->status);
	TRY(e);
	*ret = TAKE(o);
	return OK;
}

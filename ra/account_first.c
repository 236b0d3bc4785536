/*
 * The first log-in. The initial password is published, so it shows nothing about who typed it: the account's projects say
 * what else must be shown (`first_login_proof`), and the strictest of them counts.
 *
 * key: a signature of the certificate's key over a text made here that names the session, so that no other session is
 * opened by it. sms: a code to the number on record. officer: a one-time code that an officer gives after looking at
 * papers; it serves where the others cannot. Next: account_reset.c.
 */
#include "ra/account.h"

#include "ra/code.h"
#include "ra/mobile.h"
#include "ra/note.h"
#include "ra/officer.h"
#include "ra/store_code.h"

#include "common/note/lines.h"

#include <sodium.h>
#include <string.h>

#define CERTS_MAX 100
#define GRANT_TRIES 5
#define AHEAD_S 60

static const char *const words[] = {[FIRST_NONE] = "none",
				    [FIRST_SMS] = "sms_to_recorded_mobile",
				    [FIRST_KEY] = "key",
				    [FIRST_OFFICER] = "officer"};

const char *account_first_word(enum first_proof p)
{
	return words[p];
}

/* --- what is wanted --- */

struct strictest {
	const struct policy *policy;
	enum first_proof proof;
	bool any;
};

static void look_at(void *arg, const char *project)
{
	struct strictest *s = arg;
	const struct project *p = policy_project(s->policy, project);
	const char *word = p ? p->first_login_proof : words[FIRST_OFFICER];
	for (enum first_proof i = FIRST_NONE; i <= FIRST_OFFICER; i++) {
		if (strcmp(words[i], word) == 0 && (!s->any || i > s->proof))
			s->proof = i;
	}
	s->any = true;
}

enum err account_first_proof(struct ctx *c, const struct account *a, enum first_proof *ret, struct fault *f)
{
	struct strictest s = {.policy = c->law->policy, .proof = FIRST_OFFICER};
	TRY(store_account_projects(c->db, a->id, look_at, &s, f));
	*ret = s.proof;
	return OK;
}

/* In the order of strength: what is stronger than wanted does as well. */
static enum first_proof shown(const struct session *s)
{
	if (strcmp(s->proof, "sms") == 0)
		return FIRST_SMS;
	if (strcmp(s->proof, "key") == 0)
		return FIRST_KEY;
	return strcmp(s->proof, "officer") == 0 ? FIRST_OFFICER : FIRST_NONE;
}

enum err account_proved(struct ctx *c, struct fault *f)
{
	enum first_proof wanted;
	TRY(account_first_proof(c, &c->session->account, &wanted, f));
	if (shown(c->session) >= wanted)
		return OK;
	return fault_raise(f, ERR_DENIED, "proof_first", "params.session",
			   "found %s, wanted a proof by %s: account.proof says how",
			   c->session->proof[0] ? c->session->proof : "none", words[wanted]);
}

/* --- the text and the keys --- */

static void make_text(const struct ctx *c, struct buf *ret)
{
	const struct session *s = c->session;
	buf_str(ret, "hufu/account/v1\n");
	lines_put(ret, "purpose", "first-log-in");
	lines_put_hex(ret, "ca", c->law->roster.ca, 20);
	lines_put(ret, "desk", c->desk->key.name);
	lines_put(ret, "identifier", s->account.identifier);
	lines_put(ret, "organisation", s->account.organisation);
	lines_put(ret, "session", s->id);
	lines_put_time(ret, "made", s->created);
}

struct own_certs {
	struct cert_item *items; /* owned */
	size_t n;
};
static void own_certs_done(struct own_certs *o)
{
	free(o->items);
}

/* Whoever holds the key of a certificate that has merely expired is still the subscriber. */
static void keep_cert(void *arg, const struct cert_item *item)
{
	struct own_certs *o = arg;
	if (o->n < CERTS_MAX && item->row.state == CERT_GOOD)
		o->items[o->n++] = *item;
}

static enum err find_certs(struct ctx *c, struct own_certs *ret, struct fault *f)
{
	int64_t total = 0;
	ret->items = xcalloc(CERTS_MAX, sizeof(*ret->items));
	return store_certs_of(c->db, c->session->account.id, "", CERTS_MAX, 0, keep_cert, ret, &total, f);
}

/* With each certificate, so that a client can hold a signature against its key before it hands it in. */
static enum err certs_json(struct ctx *c, const struct own_certs *certs, json_t *list, struct fault *f)
{
	for (size_t i = 0; i < certs->n; i++) {
		const struct cert_item *item = &certs->items[i];
		_cleanup_(cert_body_done) struct cert_body body = {0};
		_cleanup_buf_ struct buf pem = {0};
		char name[NOTE_MAX_NAME + 1];
		json_t *o = json_object();
		json_array_append_new(list, o);
		TRY(store_cert_body(c->db, item->row.id, &body, f));
		pem_put(&pem, "CERTIFICATE", buf_slice(&body.der));
		note_subscriber_name(item->row.ref.issuer_key_id, SERIAL(&item->row.ref.serial), name);
		json_object_set_new(o, "serial", json_string(SERIAL(&item->row.ref.serial)));
		json_object_set_new(o, "issuer", json_hex(item->row.ref.issuer_key_id, 20));
		json_object_set_new(o, "name", json_string(item->name));
		json_object_set_new(o, "line", json_string(name));
		json_object_set_new(o, "pem", json_string(buf_text(&pem)));
	}
	return OK;
}

enum err account_proof(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(own_certs_done) struct own_certs certs = {0};
	_cleanup_buf_ struct buf text = {0};
	const struct session *s = c->session;
	enum first_proof wanted;
	_cleanup_(json_freep) json_t *ways = json_array(), *list = json_array();
	char mobile[MOBILE_MAX + 1];
	TRY(account_first_proof(c, &s->account, &wanted, f));
	TRY(find_certs(c, &certs, f));
	TRY(certs_json(c, &certs, list, f));
	make_text(c, &text);
	mobile_mask(s->account.mobile, mobile);
	if (wanted <= FIRST_SMS && mobile_is_good(s->account.mobile))
		json_array_append_new(ways, json_string("sms"));
	if (wanted <= FIRST_KEY && certs.n > 0)
		json_array_append_new(ways, json_string("key"));
	json_array_append_new(ways, json_string("officer"));
	*ret = json_object();
	json_object_set_new(*ret, "wanted", json_string(words[wanted]));
	json_object_set_new(*ret, "proved", json_string(s->proof));
	json_object_set_new(*ret, "enough", json_boolean(shown(s) >= wanted));
	json_object_set_new(*ret, "ways", TAKE(ways));
	json_object_set_new(*ret, "text", json_string(buf_text(&text)));
	json_object_set_new(*ret, "certificates", TAKE(list));
	json_object_set_new(*ret, "mobile", json_string(mobile));
	return OK;
}

/* --- proving --- */

static enum err check_line(struct ctx *c, const struct one_line *l, const struct cert_row *row, struct fault *f)
{
	_cleanup_(cert_body_done) struct cert_body body = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	TRY(store_cert_body(c->db, row->id, &body, f));
	TRY(cert_parse(buf_slice(&body.der), &cert, f));
	if (note_sig_holds_spki(&l->note, &l->note.sigs[0], &cert.key))
		return OK;
	return fault_raise(f, ERR_CRYPTO, "subscriber_signature", "params.line",
			   "the line of certificate %s does not hold under its key", SERIAL(&row->ref.serial));
}

/* "sub:<issuer key id>:<serial>" names a certificate; *ret_own: a good one of this account, however many it has. */
static enum err find_signer(struct ctx *c, const char *name, struct cert_row *ret, bool *ret_own, struct fault *f)
{
	char text[NOTE_MAX_NAME + 1];
	struct cert_ref ref;
	*ret_own = false;
	if (strncmp(name, "sub:", 4) != 0 || strlen(name) < 46 || name[44] != ':')
		return OK;
	snprintf(text, sizeof(text), "%s", name + 4);
	text[40] = ' ';
	if (!cert_ref_parse(slice_str(text), &ref))
		return OK;
	enum err e = store_cert_by_ref(c->db, &ref, ret, f);
	*ret_own = e == OK && ret->account == c->session->account.id && ret->state == CERT_GOOD;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err by_key(struct ctx *c, struct fault *f)
{
	_cleanup_(one_line_done) struct one_line l = {0};
	_cleanup_buf_ struct buf text = {0};
	const char *line = param_text(c, "line");
	struct cert_row row;
	bool own;
	if (!line)
		return fault_raise(f, ERR_PARSE, "param_missing", "params.line", "line is missing, wanted a string");
	make_text(c, &text);
	TRY(one_line_read(buf_text(&text), line, &l, f));
	TRY(find_signer(c, l.note.sigs[0].name, &row, &own, f));
	if (own)
		return check_line(c, &l, &row, f);
	return fault_raise(f, ERR_RULE, "signer_unknown", "params.line",
			   "found a line of \"%s\", wanted one of a good certificate of this account",
			   ESC(l.note.sigs[0].name, strlen(l.note.sigs[0].name)));
}

struct proving {
	const char *way;
	int64_t code; /* of an SMS */
	bool right;   /* of a grant */
};

static enum err prove_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct proving *p = c->work;
	const struct account *a = &c->session->account;
	if (strcmp(p->way, "key") == 0)
		TRY(by_key(c, f));
	if (strcmp(p->way, "sms") == 0)
		TRY(sms_use(c, p->code, f));
	if (strcmp(p->way, "officer") == 0)
		TRY(store_grant_end(c->db, a->id, f));
	TRY(store_session_proved(c->db, c->token, p->way, f));
	TRY(desk_audit(c, "first_login_proof", a->identifier, p->way, f));
	*ret = json_object();
	json_object_set_new(*ret, "proved", json_string(p->way));
	json_object_set_new(*ret, "account", account_json(a, false));
	return OK;
}

/* --- by an officer's code --- */

static void grant_hash(const struct ctx *c, const struct account *a, const char *code, uint8_t ret[32])
{
	code_hash(c->desk, "grant", a->identifier, code, ret);
}

static enum err try_grant_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct proving *p = c->work;
	const struct account *a = &c->session->account;
	struct grant g;
	uint8_t hash[32];
	char code[CODE_TEXT + 1];
	(void)ret;
	enum err e = store_grant_get(c->db, a->id, &g, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (g.dies <= c->now || g.made > c->now + AHEAD_S || g.tries >= GRANT_TRIES)
		return OK;
	code_normalise(param_text(c, "code"), code);
	grant_hash(c, a, code, hash);
	p->right = sodium_memcmp(hash, g.hash, 32) == 0;
	return store_grant_tried(c->db, a->id, f);
}

static enum err by_officer(struct ctx *c, struct fault *f)
{
	struct proving *p = c->work;
	TRY(desk_write(c, try_grant_in, f));
	return p->right ? OK
			: fault_raise(f, ERR_DENIED, "grant_wrong", "params.code",
				      "the officer's code is wrong, used, or over: ask the service desk");
}

static enum err check_way_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct proving *p = c->work;
	enum first_proof wanted;
	(void)ret;
	TRY(account_first_proof(c, &c->session->account, &wanted, f));
	if ((strcmp(p->way, "sms") == 0 && wanted > FIRST_SMS) || (strcmp(p->way, "key") == 0 && wanted > FIRST_KEY))
		return fault_raise(f, ERR_RULE, "proof_way", "params.way", "found %s, wanted %s", p->way,
				   words[wanted]);
	return OK;
}

static enum err want_code(const struct ctx *c, struct fault *f)
{
	return param_text(c, "code")
		       ? OK
		       : fault_raise(f, ERR_PARSE, "param_missing", "params.code", "code is missing, wanted a string");
}

enum err account_prove(struct ctx *c, json_t **ret, struct fault *f)
{
	struct proving p = {.way = param_text(c, "way")};
	if (!c->session->must_reset)
		return fault_raise(f, ERR_RULE, "reset_done", "params.session",
				   "this account has a password of its own");
	TRY(desk_answered(c, ret, f));
	if (*ret)
		return OK;
	c->work = &p;
	TRY(desk_read(c, check_way_in, NULL, f));
	if (strcmp(p.way, "key") != 0)
		TRY(want_code(c, f));
	if (strcmp(p.way, "sms") == 0)
		TRY(sms_try(c, c->session->account.mobile, "recorded", c->session->account.id, param_text(c, "code"),
			    &p.code, f));
	if (strcmp(p.way, "officer") == 0)
		TRY(by_officer(c, f));
	return desk_change(c, prove_in, ret, f);
}

/* --- an officer gives a code --- */

struct granting {
	struct account account;
	char code[CODE_TEXT + 1];
	struct grant grant;
};

static enum err grant_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct granting *g = c->work;
	char name[IDENTIFIER_MAX + 1];
	const char *reason, *typed = param_text(c, "identifier");
	(void)ret;
	TRY(param_clean(c, "reason", &reason, f));
	account_normalise(typed, name, sizeof(name));
	enum err e = store_account_by_name(c->db, name, &g->account, f);
	if (e == OK)
		e = officer_sees_account(c, g->account.id, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "account_unknown", "params.identifier",
				   "there is no account of \"%s\"", ESC(typed, strlen(typed)));
	TRY(e);
	if (!g->account.initial)
		return fault_raise(f, ERR_RULE, "reset_done", "params.identifier",
				   "this account has a password of its own");
	grant_hash(c, &g->account, g->code, g->grant.hash);
	TRY(store_grant_put(c->db, g->account.id, &g->grant, c->who, f));
	return desk_audit(c, "first_login_grant", g->account.identifier, reason, f);
}

/* The code is in the answer alone: it is not stored, so a lost answer wants another call, and the newest code counts. */
enum err account_grant(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(freep) struct granting *g = xcalloc(1, sizeof(*g));
	code_make(g->code);
	g->grant.made = c->now;
	g->grant.dies = c->now + c->desk->config.accounts.grant_hours * 3600;
	c->work = g;
	TRY(desk_write(c, grant_in, f));
	*ret = json_object();
	json_object_set_new(*ret, "code", json_string(g->code));
	json_object_set_new(*ret, "dies", json_time(g->grant.dies));
	json_object_set_new(*ret, "account", account_json(&g->account, false));
	sodium_memzero(g->code, sizeof(g->code));
	return OK;
}

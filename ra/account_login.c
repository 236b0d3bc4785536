/*
 * Log-in by mobile number or identifier, and a password.
 *
 * A name has one attempt at a time, from the look at its lock to the count of a failure, so many at once are no more
 * guesses than one after the other. Names that nobody has are counted, locked and timed like the others, and answer with
 * the same words. A number that serves several organisations has one password, and the organisation is chosen afterwards.
 * Next: password.c.
 */
#include "ra/account.h"

#include "ra/code.h"
#include "ra/mobile.h"
#include "ra/password.h"
#include "ra/picture.h"

#include "common/base/log.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_BYTES 32
#define SERVED_MAX 101

/* Who a name may be. */
struct served {
	struct account *accounts; /* owned: those that the name leads to */
	size_t n;
};
static void served_done(struct served *s)
{
	free(s->accounts);
}

/* --- attempts --- */

static enum err login_wrong(struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "login_wrong", "params.password", "the name or the password is wrong");
}

/* Locks are counted by the name as it was typed; an address by its own word, which no name is: letters there are large. */
static void address_name(const char *address, char ret[IDENTIFIER_MAX + 1])
{
	uint8_t hash[32];
	char hex[33];
	sha256(address, strlen(address), hash);
	hex_lower(hash, 16, hex);
	snprintf(ret, IDENTIFIER_MAX + 1, "from:%s", hex);
}

/* A lock that ends later than any lock could is of a clock that has gone back since: it is over. */
static bool is_locked(const struct desk *d, const struct attempts *a, int64_t now)
{
	const struct yaml_ints *minutes = &d->config.login.lock_minutes;
	int64_t longest = 0;
	for (size_t i = 0; i < minutes->n; i++)
		longest = minutes->v[i] > longest ? minutes->v[i] : longest;
	return a->locked_until > now && a->locked_until <= now + longest * 60;
}

static enum err wants_picture(struct ctx *c, const struct attempts *name, const char *from, bool *ret, struct fault *f)
{
	const struct login_rules *r = &c->desk->config.login;
	struct attempts address;
	TRY(store_attempts(c->db, from, &address, f));
	*ret = r->picture_code == PICTURE_ALWAYS ||
	       (r->picture_code == PICTURE_AFTER && (name->locks > 0 || name->failures >= r->picture_failures ||
						     address.failures >= r->picture_address_failures));
	return OK;
}

struct look {
	const char *name, *from;
	struct served *served;
	bool picture;
};

static enum err look_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct look *l = c->work;
	struct attempts a;
	struct served *s = l->served;
	(void)ret;
	TRY(store_attempts(c->db, l->name, &a, f));
	if (is_locked(c->desk, &a, c->now))
		return fault_raise(f, ERR_DENIED, "login_locked", "params.identifier",
				   "too many wrong passwords: wait %lld seconds", (long long)(a.locked_until - c->now));
	TRY(wants_picture(c, &a, l->from, &l->picture, f));
	s->accounts = xcalloc(SERVED_MAX, sizeof(*s->accounts));
	if (mobile_is_good(l->name))
		return store_accounts_by_mobile(c->db, l->name, s->accounts, SERVED_MAX, &s->n, f);
	enum err e = store_account_by_name(c->db, l->name, s->accounts, f);
	s->n = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err count_one(struct ctx *c, const char *name, bool locks, struct fault *f)
{
	const struct login_rules *rules = &c->desk->config.login;
	struct attempts a;
	TRY(store_attempts(c->db, name, &a, f));
	if (++a.failures >= rules->failures && locks) {
		size_t last = rules->lock_minutes.n - 1;
		size_t step = (uint64_t)a.locks < last ? (size_t)a.locks : last;
		a.failures = 0;
		a.locks++;
		a.locked_until = c->now + rules->lock_minutes.v[step] * 60;
	}
	return store_attempts_set(c->db, name, &a, c->now, f);
}

static enum err count_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct look *l = c->work;
	(void)ret;
	log_audit("login_wrong", "identifier=%s uid=%lld", LQ(l->name), (long long)c->call->peer.uid);
	TRY(count_one(c, l->name, true, f));
	return count_one(c, l->from, false, f);
}

enum err login_attempt(struct ctx *c, const struct account *a, const char *password, struct fault *f)
{
	char hash[PASSWORD_HASH_MAX + 1], from[IDENTIFIER_MAX + 1];
	_cleanup_(served_done) struct served served = {0};
	struct look l = {.name = a->identifier, .from = from, .served = &served};
	address_name(c->session->address, from);
	c->work = &l;
	TRY(desk_read(c, look_in, NULL, f));
	if (password_check(c->desk->passwords, a, password, hash))
		return OK;
	TRY(desk_write(c, count_in, f));
	return login_wrong(f);
}

/* --- entering --- */

struct entrance {
	const struct look *look;
	const struct account *account;
	const char *hash; /* to store, or "" */
	char token[2 * TOKEN_BYTES + 1];
	struct session session;
	enum first_proof proof;
};

static void make_session(struct ctx *c, struct entrance *in)
{
	uint8_t noise[TOKEN_BYTES];
	struct session *s = &in->session;
	random_fill(noise, sizeof(noise));
	hex_lower(noise, sizeof(noise), in->token);
	random_fill(noise, SESSION_ID / 2);
	hex_lower(noise, SESSION_ID / 2, s->id);
	sodium_memzero(noise, sizeof(noise));
	s->account.id = in->account->id;
	s->uid = (int64_t)c->call->peer.uid;
	s->must_reset = in->account->initial;
	s->must_choose = in->look->served->n > 1;
	s->created = c->now;
	s->expires = c->now + c->desk->config.session_minutes * 60;
}

static enum err enter_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct entrance *in = c->work;
	uint8_t hash[32];
	(void)ret;
	make_session(c, in);
	sha256(in->token, strlen(in->token), hash);
	snprintf(c->who, sizeof(c->who), "account:%s", in->account->identifier);
	TRY(store_attempts_clear(c->db, in->look->name, f));
	if (in->session.must_reset)
		TRY(account_first_proof(c, in->account, &in->proof, f));
	if (in->hash[0] != '\0')
		TRY(store_account_password(c->db, in->account->id, in->hash, true, c->now, f));
	TRY(store_session_add(c->db, hash, &in->session, f));
	return desk_audit(c, "login", in->account->identifier, in->session.must_reset ? "initial password" : "", f);
}

/* One of them alone, and that one is frozen; of several, account.choose says which. */
static enum err check_frozen(const struct served *s, struct fault *f)
{
	bool any = false;
	for (size_t i = 0; i < s->n; i++)
		any = any || !s->accounts[i].frozen;
	if (any)
		return OK;
	return fault_raise(f, ERR_DENIED, "account_frozen", "params.identifier",
			   "the account is frozen until an officer has decided");
}

static enum err log_in(struct ctx *c, struct look *l, struct entrance *in, struct fault *f)
{
	char hash[PASSWORD_HASH_MAX + 1];
	c->work = l;
	TRY(desk_read(c, look_in, NULL, f));
	TRY(picture_check(c, l->picture, f));
	const struct account *a = l->served->n > 0 ? l->served->accounts : NULL;
	if (!password_check(c->desk->passwords, a, param_text(c, "password"), hash)) {
		TRY(desk_write(c, count_in, f));
		return login_wrong(f);
	}
	TRY(check_frozen(l->served, f));
	in->look = l;
	in->account = a;
	in->hash = hash;
	c->work = in;
	enum err e = desk_write(c, enter_in, f);
	in->hash = NULL;
	return e;
}

static json_t *served_json(const struct served *s)
{
	json_t *list = json_array();
	for (size_t i = 0; s->n > 1 && i < s->n; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "identifier", s->accounts[i].identifier,
						      "organisation", s->accounts[i].organisation, "frozen",
						      (int)s->accounts[i].frozen));
	return list;
}

static json_t *entrance_json(const struct entrance *in)
{
	json_t *o = json_object();
	json_object_set_new(o, "session", json_string(in->token));
	json_object_set_new(o, "must_reset", json_boolean(in->session.must_reset));
	json_object_set_new(o, "must_choose", json_boolean(in->session.must_choose));
	if (in->session.must_reset)
		json_object_set_new(o, "first_login_proof", json_string(account_first_word(in->proof)));
	json_object_set_new(o, "expires", json_time(in->session.expires));
	json_object_set_new(o, "account", account_json(in->account, in->session.must_reset || in->session.must_choose));
	json_object_set_new(o, "organisations", served_json(in->look->served));
	return o;
}

enum err account_login(struct ctx *c, json_t **ret, struct fault *f)
{
	char name[IDENTIFIER_MAX + 1], from[IDENTIFIER_MAX + 1];
	_cleanup_(served_done) struct served served = {0};
	struct look look = {.name = name, .from = from, .served = &served};
	_cleanup_(freep) struct entrance *in = xcalloc(1, sizeof(*in));
	account_normalise(param_text(c, "identifier"), name, sizeof(name));
	code_origin(c, in->session.address);
	address_name(in->session.address, from);
	password_turn_begin(c->desk->passwords, name);
	enum err e = log_in(c, &look, in, f);
	password_turn_end(c->desk->passwords, name);
	TRY(e);
	*ret = entrance_json(in);
	sodium_memzero(in->token, sizeof(in->token));
	return OK;
}

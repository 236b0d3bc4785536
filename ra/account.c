/*
 * Log-in by identifier and password.
 *
 * A name has one attempt at a time, from the look at its lock to the count of a failure, so many at once are no more
 * guesses than one after the other. Names that nobody has are counted, locked and timed like the others, and answer with
 * the same words. Next: password.c.
 */
#include "ra/account.h"

#include "ra/password.h"

#include "common/base/log.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_BYTES 32
#define LOCK_MEMORY_S 86400

/* --- attempts --- */

static enum err login_wrong(struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "login_wrong", "params.password", "the identifier or the password is wrong");
}

static enum err look_up(struct db *db, const char *identifier, int64_t now, struct account *ret, bool *ret_known,
			struct fault *f)
{
	struct attempts a;
	TRY(store_attempts(db, identifier, &a, f));
	if (a.locked_until > now)
		return fault_raise(f, ERR_DENIED, "login_locked", "params.identifier",
				   "too many wrong passwords: wait %lld seconds", (long long)(a.locked_until - now));
	enum err e = store_account_by_name(db, identifier, ret, f);
	*ret_known = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err find_account(struct ctx *c, const char *identifier, struct account *ret, bool *ret_known,
			     struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(c->desk->store, &db, f));
	enum err e = look_up(db, identifier, c->now, ret, ret_known, f);
	store_read_end(c->desk->store, db);
	return e;
}

static enum err count_failure_in(const struct desk *d, struct db *db, const char *identifier, int64_t now,
				 struct fault *f)
{
	const struct login_rules *rules = &d->config.login;
	struct attempts a;
	TRY(store_attempts(db, identifier, &a, f));
	if (++a.failures >= rules->failures) {
		size_t last = rules->lock_minutes.n - 1;
		size_t step = (uint64_t)a.locks < last ? (size_t)a.locks : last;
		a.failures = 0;
		a.locks++;
		a.locked_until = now + rules->lock_minutes.v[step] * 60;
	}
	return store_attempts_set(db, identifier, &a, now, f);
}

static enum err count_failure(struct ctx *c, const char *identifier, struct fault *f)
{
	struct db *db = NULL;
	log_audit("login_wrong", "identifier=%s uid=%lld", LQ(identifier), (long long)c->call->peer.uid);
	TRY(store_begin(c->desk->store, &db, f));
	return store_end(c->desk->store, db, count_failure_in(c->desk, db, identifier, c->now, f), f);
}

/* --- log in --- */

struct entrance {
	const struct account *account;
	const char *hash; /* to store, or "" */
	char token[2 * TOKEN_BYTES + 1];
	bool must_reset;
	int64_t expires;
};

static enum err enter(struct ctx *c, struct entrance *in, struct fault *f)
{
	uint8_t noise[TOKEN_BYTES], hash[32];
	random_fill(noise, sizeof(noise));
	hex_lower(noise, sizeof(noise), in->token);
	sodium_memzero(noise, sizeof(noise));
	sha256(in->token, strlen(in->token), hash);
	in->must_reset = in->account->initial;
	in->expires = c->now + c->desk->config.session_minutes * 60;
	snprintf(c->who, sizeof(c->who), "account:%s", in->account->identifier);
	TRY(store_attempts_clear(c->db, in->account->identifier, f));
	if (in->hash[0] != '\0')
		TRY(store_account_password(c->db, in->account->id, in->hash, true, c->now, f));
	TRY(store_session_add(c->db, hash, in->account->id, (int64_t)c->call->peer.uid, in->must_reset, c->now,
			      in->expires, f));
	return desk_audit(c, "login", in->account->identifier, in->must_reset ? "initial password" : "", f);
}

static json_t *account_json(const struct account *a)
{
	_cleanup_(freep) char *flags = xstrdup(a->flags);
	json_t *o = json_object(), *list = json_array();
	char *rest = flags;
	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		if (word[0] != '\0')
			json_array_append_new(list, json_string(word));
	}
	json_object_set_new(o, "identifier", json_string(a->identifier));
	json_object_set_new(o, "organisation", json_string(a->organisation));
	json_object_set_new(o, "agent", json_string(a->agent));
	json_object_set_new(o, "mobile", json_string(a->mobile));
	json_object_set_new(o, "flags", list);
	return o;
}

void account_normalise(const char *text, char *ret, size_t size)
{
	size_t n = strlen(text), used = 0;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	while (n > 0 && *text == ' ') {
		text++;
		n--;
	}
	for (size_t i = 0; i < n && used + 1 < size; i++)
		ret[used++] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
	ret[used] = '\0';
}

static enum err log_in(struct ctx *c, const char *identifier, struct account *a, struct entrance *in, struct fault *f)
{
	char hash[PASSWORD_HASH_MAX + 1];
	bool known = false;
	TRY(find_account(c, identifier, a, &known, f));
	if (!password_check(c->desk->passwords, known ? a : NULL, param_text(c, "password"), hash)) {
		TRY(count_failure(c, identifier, f));
		return login_wrong(f);
	}
	*in = (struct entrance){.account = a, .hash = hash};
	TRY(store_begin(c->desk->store, &c->db, f));
	enum err e = store_end(c->desk->store, c->db, enter(c, in, f), f);
	c->db = NULL;
	in->hash = NULL;
	return e;
}

enum err account_login(struct ctx *c, json_t **ret, struct fault *f)
{
	char identifier[IDENTIFIER_MAX + 1];
	struct account a = {0};
	struct entrance in = {0};
	account_normalise(param_text(c, "identifier"), identifier, sizeof(identifier));
	password_turn_begin(c->desk->passwords, identifier);
	enum err e = log_in(c, identifier, &a, &in, f);
	password_turn_end(c->desk->passwords, identifier);
	TRY(e);
	*ret = json_object();
	json_object_set_new(*ret, "session", json_string(in.token));
	json_object_set_new(*ret, "must_reset", json_boolean(in.must_reset));
	json_object_set_new(*ret, "expires", json_time(in.expires));
	json_object_set_new(*ret, "account", account_json(&a));
	sodium_memzero(in.token, sizeof(in.token));
	return OK;
}

/* --- reset, log out, show --- */

static enum err reset_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const char *hash = c->work;
	int64_t id = c->session->account.id;
	TRY(store_account_password(c->db, id, hash, false, c->now, f));
	TRY(store_session_reset(c->db, c->token, id, f));
	TRY(desk_audit(c, "password_reset", c->session->account.identifier, "", f));
	*ret = json_object();
	return OK;
}

enum err account_reset(struct ctx *c, json_t **ret, struct fault *f)
{
	char hash[PASSWORD_HASH_MAX + 1];
	const char *password = param_text(c, "new_password");
	TRY(password_accept(c->desk->passwords, &c->session->account, password, f));
	TRY(password_hash(c->desk->passwords, password, hash, f));
	c->work = hash;
	return desk_change(c, reset_in, ret, f);
}

enum err account_logout(struct ctx *c, json_t **ret, struct fault *f)
{
	TRY(store_session_end(c->db, c->token, f));
	TRY(desk_audit(c, "logout", c->session->account.identifier, "", f));
	*ret = json_object();
	return OK;
}

enum err account_show(struct ctx *c, json_t **ret, struct fault *f)
{
	(void)f;
	*ret = account_json(&c->session->account);
	json_object_set_new(*ret, "must_reset", json_boolean(c->session->must_reset));
	return OK;
}

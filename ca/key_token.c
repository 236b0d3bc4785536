/*
 * A CA key in a token, through one session: found by the token's serial number and the key's name, opened with the PIN,
 * and held against three rules before it signs anything that counts. It must be the certificate's key, which a signature
 * over a fixed text shows on every token, whatever attributes it tells. It must not be able to leave. And nothing else
 * may answer to its name.
 *
 * The library is loaded once, before the walls go up, because no code is loaded inside them; it is started when the
 * first key is opened. Next: key_lanes.c, several sessions and what becomes of a dead one.
 */
#include "ca/key_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define RESTART_EVERY_US 5000000
#define RESTART_WAIT_MS 1000

/* One library for the process. */
static struct {
	struct token_module *module;
	unsigned sessions, timeout_ms;
	bool extractable;
	pthread_rwlock_t inside; /* read: in a call; written: being started again */
	pthread_mutex_t opening;
	atomic_uint epoch;
	int64_t restarted_us; /* under inside, for writing */
} library = {
	.sessions = 1, .timeout_ms = 5000, .inside = PTHREAD_RWLOCK_INITIALIZER, .opening = PTHREAD_MUTEX_INITIALIZER};

enum err ca_token_prepare(const struct ca_token *settings, struct fault *f)
{
	library.sessions = settings->sessions;
	library.timeout_ms = settings->timeout_ms;
	library.extractable = settings->extractable;
	if (!settings->module || library.module)
		return OK;
	return token_module_load(settings->module, &library.module, f);
}

void ca_token_finish(void)
{
	if (pthread_rwlock_trywrlock(&library.inside) != 0)
		return; /* somebody is stuck in there, and the process ends anyway */
	token_module_free(library.module);
	library.module = NULL;
	pthread_rwlock_unlock(&library.inside);
}

unsigned key_library_sessions(void)
{
	return library.sessions;
}

unsigned key_library_timeout_ms(void)
{
	return library.timeout_ms;
}

void key_library_enter(void)
{
	pthread_rwlock_rdlock(&library.inside);
}

void key_library_leave(void)
{
	pthread_rwlock_unlock(&library.inside);
}

bool key_library_restart(void)
{
	struct timespec until;
	struct fault f = {0};
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RESTART_WAIT_MS / 1000;
	if (pthread_rwlock_timedwrlock(&library.inside, &until) != 0)
		return false;
	int64_t now = clock_mono_us();
	bool due = library.restarted_us == 0 || now - library.restarted_us >= RESTART_EVERY_US;
	if (due) {
		library.restarted_us = now;
		atomic_fetch_add(&library.epoch, 1);
		if (token_module_restart(library.module, &f) != OK)
			log_fault(LOG_LEVEL_ERROR, "token_module", &f);
		else
			log_event(LOG_LEVEL_NOTICE, "token_module_restarted", "text=%s",
				  LQ("the PKCS#11 library was ended and started again"));
	}
	pthread_rwlock_unlock(&library.inside);
	return due;
}

struct slice key_proof_text(void)
{
	return slice_str("hufu/key-proof/v1\n");
}

void key_place_free(struct key_place *p)
{
	secret_done(&p->pin);
	free(p->text);
	free(p);
}

/* --- opening --- */

static enum err log_in(struct token *t, const struct key_place *p, struct fault *f)
{
	switch (token_login_way(t)) {
	case TOKEN_LOGIN_NONE:
		return OK;
	case TOKEN_LOGIN_PIN:
		return token_login(t, &p->pin, f);
	case TOKEN_LOGIN_PAD:
		return token_login(t, NULL, f);
	}
	return OK;
}

static enum err judge_attributes(struct key_session *s, struct fault *f)
{
	struct token_attest a;
	TRY(token_attest(s->t, &s->key, &a, f));
	if (a.sensitive && !a.extractable)
		return OK;
	const char *found = a.extractable ? "CKA_EXTRACTABLE true" : "CKA_SENSITIVE false";
	if (!library.extractable)
		return fault_raise(f, ERR_RULE, "key_exportable", "ca_key",
				   "token \"%s\", key \"%s\": found %s, wanted a key that cannot leave its token; "
				   "`token: {extractable: true}` takes it all the same",
				   token_name(s->t), s->key.label, found);
	log_event(LOG_LEVEL_WARNING, "key_exportable", "token=%s key=%s found=%s", LQ(token_name(s->t)),
		  LQ(s->key.label), LQ(found));
	return OK;
}

static enum err prove(const struct key_session *s, const struct key_place *p, struct fault *f)
{
	_cleanup_buf_ struct buf signature = {0};
	char wanted[41];
	TRY(key_session_sign(s, key_proof_text(), &signature, f));
	if (pubkey_verify(p->public, key_proof_text(), buf_slice(&signature)))
		return OK;
	hex_lower(p->public->key_id, 20, wanted);
	return fault_raise(f, ERR_CONFIG, "ca_key_mismatch", "ca_key",
			   "token \"%s\", key \"%s\": it is not the key of the certificate, %s", token_name(s->t),
			   s->key.label, wanted);
}

static enum err open_session(const struct key_place *p, struct key_session *s, struct fault *f)
{
	const struct token_uri *u = &p->uri;
	struct token_choice choice = {.fields = u, .shared = library.module, .use = TOKEN_SIGN};
	s->epoch = atomic_load(&library.epoch);
	TRY(token_module_start(library.module, f));
	TRY(token_open(&choice, &s->t, f));
	TRY(log_in(s->t, p, f));
	TRY(token_find_named(s->t, slice_str(u->object.text), slice_of((const uint8_t *)u->id.text, u->id.n), &s->key,
			     f));
	TRY(token_scheme(s->t, p->public->alg, &s->scheme, f));
	TRY(judge_attributes(s, f));
	return prove(s, p, f);
}

enum err key_session_open(const struct key_place *p, struct key_session *ret, struct fault *f)
{
	struct key_session s = {0};
	if (!library.module)
		return fault_raise(f, ERR_CONFIG, "token_module_unnamed", "ca_key",
				   "%s: no PKCS#11 library is named, wanted `token: {module: PATH}`",
				   ESC(p->text, strlen(p->text)));
	/* Libraries guard what signs; what lists slots and tokens less well (SoftHSM's C_GetTokenInfo). */
	pthread_mutex_lock(&library.opening);
	enum err e = open_session(p, &s, f);
	pthread_mutex_unlock(&library.opening);
	if (e != OK) {
		key_session_close(&s);
		return e;
	}
	*ret = s;
	return OK;
}

void key_session_close(struct key_session *s)
{
	if (s->t && s->epoch == atomic_load(&library.epoch))
		token_close(s->t);
	else if (s->t)
		token_forget(s->t);
	*s = (struct key_session){0};
}

enum err key_session_sign(const struct key_session *s, struct slice msg, struct buf *ret, struct fault *f)
{
	if (s->epoch != atomic_load(&library.epoch))
		return fault_raise(f, ERR_IO, "token_pulled", "token", "its library was started again");
	return token_sign_by(s->t, &s->key, s->scheme, msg, ret, f);
}

/* --- a key --- */

static enum err has_mechanisms(enum key_alg alg, struct fault *f)
{
	if (alg != KEY_SM2)
		return OK;
	return fault_raise(f, ERR_NOT_FOUND, "mechanism_missing", "ca_key",
			   "PKCS#11 has no mechanism for SM2, and those of single vendors are not used: keep an SM2 "
			   "CA key in a sealed file");
}

static enum err read_place(const char *uri, struct token_uri *ret, struct fault *f)
{
	TRY(token_uri_parse(uri, TOKEN_URI_KEY, "ca_key", ret, f));
	if (library.module)
		return OK;
	if (ret->module.n == 0)
		return fault_raise(
			f, ERR_CONFIG, "token_module_unnamed", "ca_key",
			"%s: no PKCS#11 library is named, wanted module-path in the URI, or `token: {module: "
			"PATH}`",
			ESC(uri, strlen(uri)));
	return token_module_load(ret->module.text, &library.module, f);
}

enum err ca_key_open_token(const char *uri, const struct pubkey *public, const struct secret *pin, struct ca_key **ret,
			   struct fault *f)
{
	_cleanup_(ca_key_freep) struct ca_key *k = xcalloc(1, sizeof(*k));
	struct token_uri parsed;
	TRY(has_mechanisms(public->alg, f));
	TRY(read_place(uri, &parsed, f));
	TRY(pubkey_parse(slice_of(public->spki, public->spki_len), &k->public, f));
	k->alg = k->public.alg;
	struct key_place *p = xcalloc(1, sizeof(*p));
	p->text = xstrdup(uri);
	p->uri = parsed;
	p->public = &k->public;
	secret_alloc(&p->pin, pin->n);
	memcpy(p->pin.p, pin->p, pin->n);
	TRY(key_token_open(p, &k->token, f));
	*ret = TAKE(k);
	return OK;
}

/* A name that is taken would make the key that is there hard to tell from the new one. */
static enum err name_is_free(struct token *t, const struct token_uri *u, struct slice id, struct fault *f)
{
	struct fault why = {0};
	struct token_key there;
	enum err e = token_find_named(t, slice_str(u->object.text), id, &there, &why);
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK && e != ERR_CONFLICT) {
		*f = why;
		return e;
	}
	return fault_raise(f, ERR_CONFLICT, "key_exists", "ca_key",
			   "token \"%s\" has a key of that name already; nothing was made", token_name(t));
}

static enum err generate(const struct token_uri *u, const struct token_keygen *g, const struct secret *pin,
			 struct pubkey *ret, struct fault *f)
{
	struct token_choice choice = {.fields = u, .shared = library.module, .use = TOKEN_WRITE};
	_cleanup_(token_closep) struct token *t = NULL;
	struct key_place p = {.pin = *pin};
	TRY(token_module_start(library.module, f));
	TRY(token_open(&choice, &t, f));
	TRY(log_in(t, &p, f));
	TRY(name_is_free(t, u, g->id, f));
	return token_generate(t, g, ret, f);
}

enum err ca_key_create_in_token(const char *uri, enum key_alg alg, unsigned rsa_bits, const struct secret *pin,
				struct ca_key **ret, struct fault *f)
{
	struct token_uri u;
	_cleanup_(pubkey_done) struct pubkey public = {0};
	TRY(has_mechanisms(alg, f));
	TRY(read_place(uri, &u, f));
	if (u.object.n == 0)
		return fault_raise(f, ERR_CONFIG, "token_uri", "ca_key",
				   "%s: wanted object, the label of the key that is to be made", ESC(uri, strlen(uri)));
	struct token_keygen g = {.alg = alg,
				 .bits = rsa_bits,
				 .label = slice_str(u.object.text),
				 .id = slice_of((const uint8_t *)u.id.text, u.id.n),
				 .signs_only = true};
	key_library_enter();
	enum err e = generate(&u, &g, pin, &public, f);
	key_library_leave();
	TRY(e);
	return ca_key_open_token(uri, &public, pin, ret, f);
}

static const char *said(bool b)
{
	return b ? "true" : "false";
}

static enum err attest(const struct key_place *p, struct buf *ret, struct fault *f)
{
	struct key_session s = {0};
	struct token_attest a;
	struct token_info info;
	TRY(key_session_open(p, &s, f));
	enum err e = token_attest(s.t, &s.key, &a, f);
	if (e == OK)
		e = token_info_read(s.t, &info, f);
	if (e == OK) {
		buf_fmt(ret, "token %s, serial %s, %s %s; key %s: ", info.label, info.serial, info.maker, info.model,
			s.key.label);
		buf_fmt(ret, "CKA_LOCAL %s, CKA_SENSITIVE %s, CKA_ALWAYS_SENSITIVE %s, ", said(a.local),
			said(a.sensitive), said(a.always_sensitive));
		buf_fmt(ret, "CKA_EXTRACTABLE %s, CKA_NEVER_EXTRACTABLE %s", said(a.extractable),
			said(a.never_extractable));
	}
	key_session_close(&s);
	return e;
}

enum err ca_key_attest(const struct ca_key *k, struct buf *ret, struct fault *f)
{
	if (!k->token) {
		buf_fmt(ret, "in memory, from a sealed file");
		return OK;
	}
	key_library_enter();
	enum err e = attest(key_token_place(k->token), ret, f);
	key_library_leave();
	return e;
}

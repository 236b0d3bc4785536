/*
 * A service's key in a token, through one session: found by the token's serial number and the key's name, opened with the
 * PIN, and held against three rules before it signs anything that counts. It must be the key that is wanted, which a
 * signature over a fixed text shows on every token, whatever attributes it tells. It must not be able to leave. And nothing
 * else may answer to its name.
 *
 * The library is loaded once, before the walls go up, because no code is loaded inside them; it is started when the
 * first key is opened. Next: hsm_lanes.c, several sessions and what becomes of a dead one.
 */
#include "common/token/hsm_private.h"

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

enum err hsm_prepare(const struct hsm_settings *settings, struct fault *f)
{
	library.sessions = settings->sessions;
	library.timeout_ms = settings->timeout_ms;
	library.extractable = settings->extractable;
	if (!settings->module || library.module)
		return OK;
	return token_module_load(settings->module, &library.module, f);
}

void hsm_finish(void)
{
	if (pthread_rwlock_trywrlock(&library.inside) != 0)
		return; /* somebody is stuck in there, and the process ends anyway */
	token_module_free(library.module);
	library.module = NULL;
	pthread_rwlock_unlock(&library.inside);
}

unsigned hsm_library_sessions(void)
{
	return library.sessions;
}

unsigned hsm_library_timeout_ms(void)
{
	return library.timeout_ms;
}

void hsm_library_enter(void)
{
	pthread_rwlock_rdlock(&library.inside);
}

void hsm_library_leave(void)
{
	pthread_rwlock_unlock(&library.inside);
}

bool hsm_library_restart(void)
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

struct slice hsm_proof_text(void)
{
	return slice_str("hufu/key-proof/v1\n");
}

void hsm_place_free(struct hsm_place *p)
{
	secret_done(&p->pin);
	pubkey_done(&p->public);
	free(p->text);
	free(p);
}

enum err hsm_place_read(const struct hsm_owner *owner, const char *uri, struct token_uri *ret, struct fault *f)
{
	TRY(token_uri_parse(uri, TOKEN_URI_KEY, owner->where, ret, f));
	if (library.module)
		return OK;
	if (ret->module.n == 0)
		return fault_raise(
			f, ERR_CONFIG, "token_module_unnamed", owner->where,
			"%s: no PKCS#11 library is named, wanted module-path in the URI, or `token: {module: "
			"PATH}`",
			ESC(uri, strlen(uri)));
	return token_module_load(ret->module.text, &library.module, f);
}

/* --- opening --- */

static enum err log_in(struct token *t, const struct secret *pin, struct fault *f)
{
	switch (token_login_way(t)) {
	case TOKEN_LOGIN_NONE:
		return OK;
	case TOKEN_LOGIN_PIN:
		return token_login(t, pin, f);
	case TOKEN_LOGIN_PAD:
		return token_login(t, NULL, f);
	}
	return OK;
}

static enum err judge_attributes(const struct hsm_place *p, struct hsm_session *s, struct fault *f)
{
	struct token_attest a;
	TRY(token_attest(s->t, &s->key, &a, f));
	if (a.sensitive && !a.extractable)
		return OK;
	const char *found = a.extractable ? "CKA_EXTRACTABLE true" : "CKA_SENSITIVE false";
	if (!library.extractable)
		return fault_raise(f, ERR_RULE, "key_exportable", p->owner->where,
				   "token \"%s\", key \"%s\": found %s, wanted a key that cannot leave its token; "
				   "`token: {extractable: true}` takes it all the same",
				   token_name(s->t), s->key.label, found);
	log_event(LOG_LEVEL_WARNING, "key_exportable", "token=%s key=%s found=%s", LQ(token_name(s->t)),
		  LQ(s->key.label), LQ(found));
	return OK;
}

static enum err prove(const struct hsm_session *s, const struct hsm_place *p, struct fault *f)
{
	_cleanup_buf_ struct buf signature = {0};
	char wanted[41];
	TRY(hsm_session_sign(s, hsm_proof_text(), &signature, f));
	if (pubkey_verify(&p->public, hsm_proof_text(), buf_slice(&signature)))
		return OK;
	hex_lower(p->public.key_id, 20, wanted);
	return fault_raise(f, ERR_CONFIG, p->owner->mismatch, p->owner->where,
			   "token \"%s\", key \"%s\": it is not %s, %s", token_name(s->t), s->key.label,
			   p->owner->wanted, wanted);
}

static enum err open_session(const struct hsm_place *p, struct hsm_session *s, struct fault *f)
{
	const struct token_uri *u = &p->uri;
	struct token_choice choice = {.fields = u, .shared = library.module, .use = TOKEN_SIGN};
	s->epoch = atomic_load(&library.epoch);
	TRY(token_module_start(library.module, f));
	TRY(token_open(&choice, &s->t, f));
	TRY(log_in(s->t, &p->pin, f));
	TRY(token_find_named(s->t, slice_str(u->object.text), slice_of((const uint8_t *)u->id.text, u->id.n), &s->key,
			     f));
	TRY(token_scheme(s->t, p->public.alg, &s->scheme, f));
	TRY(judge_attributes(p, s, f));
	return prove(s, p, f);
}

enum err hsm_session_open(const struct hsm_place *p, struct hsm_session *ret, struct fault *f)
{
	struct hsm_session s = {0};
	if (!library.module)
		return fault_raise(f, ERR_CONFIG, "token_module_unnamed", p->owner->where,
				   "%s: no PKCS#11 library is named, wanted `token: {module: PATH}`",
				   ESC(p->text, strlen(p->text)));
	/* Libraries guard what signs; what lists slots and tokens less well (SoftHSM's C_GetTokenInfo). */
	pthread_mutex_lock(&library.opening);
	enum err e = open_session(p, &s, f);
	pthread_mutex_unlock(&library.opening);
	if (e != OK) {
		hsm_session_close(&s);
		return e;
	}
	*ret = s;
	return OK;
}

void hsm_session_close(struct hsm_session *s)
{
	if (s->t && s->epoch == atomic_load(&library.epoch))
		token_close(s->t);
	else if (s->t)
		token_forget(s->t);
	*s = (struct hsm_session){0};
}

enum err hsm_session_sign(const struct hsm_session *s, struct slice msg, struct buf *ret, struct fault *f)
{
	if (s->epoch != atomic_load(&library.epoch))
		return fault_raise(f, ERR_IO, "token_pulled", "token", "its library was started again");
	return token_sign_by(s->t, &s->key, s->scheme, msg, ret, f);
}

enum err hsm_token_open(const struct token_uri *u, enum token_use use, const struct secret *pin, struct token **ret,
			struct fault *f)
{
	struct token_choice choice = {.fields = u, .shared = library.module, .use = use};
	_cleanup_(token_closep) struct token *t = NULL;
	TRY(token_module_start(library.module, f));
	TRY(token_open(&choice, &t, f));
	TRY(log_in(t, pin, f));
	*ret = TAKE(t);
	return OK;
}

/*
 * A key in a token as its service knows it: opened for a public half that the service knows already, from a certificate or
 * a list, or for the one that stands beside it on the token; made there; and what its token says of it.
 */
#include "common/token/hsm_private.h"

#include "common/base/cleanup.h"

#include <string.h>

/* --- opening --- */

static enum err has_mechanisms(const struct hsm_owner *owner, enum key_alg alg, struct fault *f)
{
	if (alg != KEY_SM2)
		return OK;
	return fault_raise(f, ERR_NOT_FOUND, "mechanism_missing", owner->where,
			   "PKCS#11 has no mechanism for SM2, and those of single vendors are not used: keep an SM2 "
			   "key in a file");
}

static struct slice id_of(const struct token_uri *u)
{
	return slice_of((const uint8_t *)u->id.text, u->id.n);
}

/* Which key it is shows the proof that each session begins with. */
static enum err read_public(const struct token_uri *u, const struct secret *pin, struct pubkey *ret, struct fault *f)
{
	_cleanup_(token_closep) struct token *t = NULL;
	TRY(hsm_token_open(u, TOKEN_SIGN, pin, &t, f));
	return token_public_named(t, slice_str(u->object.text), id_of(u), ret, f);
}

static enum err fill_public(struct hsm_place *p, const struct pubkey *public, struct fault *f)
{
	if (public)
		return pubkey_parse(slice_of(public->spki, public->spki_len), &p->public, f);
	hsm_library_enter();
	enum err e = read_public(&p->uri, &p->pin, &p->public, f);
	hsm_library_leave();
	return e;
}

enum err hsm_key_open(const struct hsm_owner *owner, const char *uri, const struct pubkey *public,
		      const struct secret *pin, struct hsm_key **ret, struct fault *f)
{
	_cleanup_(hsm_place_freep) struct hsm_place *p = xcalloc(1, sizeof(*p));
	if (public)
		TRY(has_mechanisms(owner, public->alg, f));
	TRY(hsm_place_read(owner, uri, &p->uri, f));
	p->owner = owner;
	p->text = xstrdup(uri);
	secret_alloc(&p->pin, pin->n);
	memcpy(p->pin.p, pin->p, pin->n);
	TRY(fill_public(p, public, f));
	return hsm_lanes_open(TAKE(p), ret, f);
}

/* --- making --- */

/* A name that is taken would make the key that is there hard to tell from the new one. */
static enum err name_is_free(const struct hsm_owner *owner, struct token *t, const struct token_uri *u, struct fault *f)
{
	const char *label = u->object.text;
	struct fault why = {0};
	struct token_key there = {.id = "of several keys"};
	enum err e = token_find_named(t, slice_str(label), id_of(u), &there, &why);
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK && e != ERR_CONFLICT) {
		*f = why;
		return e;
	}
	return fault_raise(f, ERR_CONFLICT, "key_exists", owner->where,
			   "token \"%s\" has a key \"%s\" already, id %s; nothing was made: delete it there, or name "
			   "another object",
			   token_name(t), ESC(label, strlen(label)), there.id);
}

static enum err delete (const struct token_uri *u, struct slice id, const struct secret *pin, bool *ret,
			struct fault *f) {
	_cleanup_(token_closep) struct token *t = NULL; TRY(hsm_token_open(u, TOKEN_WRITE, pin, &t, f));
	return token_delete(t, slice_str(u->object.text), id, ret, f);
}

/* Of a key that was made and could not be opened. */
static void take_away(const struct token_uri *u, const struct token_keygen *g, const struct secret *pin,
		      struct fault *f)
{
	bool was_there;
	hsm_library_enter();
	enum err e = delete (u, g->id, pin, &was_there, NULL);
	hsm_library_leave();
	if (e != OK)
		fault_prefix(f, "the key was made and could not be deleted again, do that in the token");
}

static enum err generate(const struct hsm_owner *owner, const struct token_uri *u, const struct token_keygen *g,
			 const struct secret *pin, struct pubkey *ret, struct fault *f)
{
	_cleanup_(token_closep) struct token *t = NULL;
	TRY(hsm_token_open(u, TOKEN_WRITE, pin, &t, f));
	TRY(name_is_free(owner, t, u, f));
	return token_generate(t, g, ret, f);
}

enum err hsm_key_create(const struct hsm_owner *owner, const char *uri, const struct hsm_keygen *wanted,
			const struct secret *pin, struct hsm_key **ret, struct fault *f)
{
	struct token_uri u;
	_cleanup_(pubkey_done) struct pubkey public = {0};
	TRY(has_mechanisms(owner, wanted->alg, f));
	TRY(hsm_place_read(owner, uri, &u, f));
	if (u.object.n == 0)
		return fault_raise(f, ERR_CONFIG, "token_uri", owner->where,
				   "%s: wanted object, the label of the key that is to be made", ESC(uri, strlen(uri)));
	uint8_t random[16];
	struct token_keygen g = {.alg = wanted->alg,
				 .bits = wanted->bits,
				 .label = slice_str(u.object.text),
				 .id = u.id.n ? id_of(&u) : wanted->id,
				 .signs_only = true};
	if (g.id.n == 0) {
		random_fill(random, sizeof(random));
		g.id = slice_of(random, sizeof(random));
	}
	hsm_library_enter();
	enum err e = generate(owner, &u, &g, pin, &public, f);
	hsm_library_leave();
	TRY(e);
	e = hsm_key_open(owner, uri, &public, pin, ret, f);
	if (e != OK)
		take_away(&u, &g, pin, f);
	return e;
}

enum err hsm_key_delete(const struct hsm_owner *owner, const char *uri, struct slice id, const struct secret *pin,
			bool *ret, struct fault *f)
{
	struct token_uri u;
	TRY(hsm_place_read(owner, uri, &u, f));
	hsm_library_enter();
	enum err e = delete (&u, u.id.n ? id_of(&u) : id, pin, ret, f);
	hsm_library_leave();
	return e;
}

/* --- what is known of it --- */

const struct pubkey *hsm_key_public(const struct hsm_key *k)
{
	return &hsm_key_place(k)->public;
}

const struct secret *hsm_key_pin(const struct hsm_key *k)
{
	return &hsm_key_place(k)->pin;
}

static const char *said(bool b)
{
	return b ? "true" : "false";
}

static enum err attest(const struct hsm_place *p, struct buf *ret, struct fault *f)
{
	struct hsm_session s = {0};
	struct token_attest a;
	struct token_info info;
	TRY(hsm_session_open(p, &s, f));
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
	hsm_session_close(&s);
	return e;
}

enum err hsm_key_attest(const struct hsm_key *k, struct buf *ret, struct fault *f)
{
	hsm_library_enter();
	enum err e = attest(hsm_key_place(k), ret, f);
	hsm_library_leave();
	return e;
}

/*
 * The private key that belongs to a public key. Tokens differ in what a private key tells about itself: RSA keys carry
 * their modulus, elliptic ones mostly nothing but an id, which they share with the public key or the certificate
 * beside them. What can't be tied to the wanted key is never asked to sign. Next: token_sign.c.
 */
#include "common/token/token_private.h"

#include "common/pki/cert.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define ID_MAX 128
#define LABELS_SHOWN 8

/* The wanted key, as its parts stand on tokens. */
struct wanted {
	const struct pubkey *key;
	const char *what;
	CK_KEY_TYPE type;
	struct slice point; /* elliptic: content of the BIT STRING */
	struct slice n, e;  /* RSA: magnitudes */
};

bool token_key_type(enum key_alg alg, CK_KEY_TYPE *ret)
{
	switch (alg) {
	case KEY_RSA:
		*ret = CKK_RSA;
		return true;
	case KEY_P256:
	case KEY_P384:
		*ret = CKK_EC;
		return true;
	case KEY_ED25519:
		*ret = CKK_EC_EDWARDS;
		return true;
	case KEY_SM2:
	case KEY_ALG_N:
		return false;
	}
	return false;
}

static struct slice without_zeros(struct slice s)
{
	while (s.n > 0 && s.p[0] == 0)
		s = slice_of(s.p + 1, s.n - 1);
	return s;
}

/* RFC 5280 4.1.2.7, RFC 8017 A.1.1. The key was parsed before. */
static bool wanted_of(const struct pubkey *key, const char *what, struct wanted *ret)
{
	struct der d = der_of(slice_of(key->spki, key->spki_len)), spki, rsa;
	struct slice bits, n, e;
	unsigned unused;
	struct wanted w = {.key = key, .what = what};
	if (!token_key_type(key->alg, &w.type) || !der_enter(&d, DER_SEQUENCE, &spki) ||
	    !der_get_whole(&spki, DER_SEQUENCE, NULL) || !der_get_bits(&spki, &bits, &unused))
		return false;
	if (key->alg == KEY_RSA) {
		struct der inner = der_of(bits);
		if (!der_enter(&inner, DER_SEQUENCE, &rsa) || !der_get_integer(&rsa, &n) || !der_get_integer(&rsa, &e))
			return false;
		w.n = without_zeros(n);
		w.e = without_zeros(e);
	}
	w.point = bits;
	*ret = w;
	return true;
}

/* --- objects and their attributes --- */

enum err token_attribute(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *room, size_t size,
			 size_t *ret_len, struct fault *f)
{
	CK_ATTRIBUTE a = {type, room, size};
	CK_RV rv = t->fn->C_GetAttributeValue(t->session, object, &a, 1);
	bool absent = rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_BUFFER_TOO_SMALL;
	if (rv != CKR_OK && !absent)
		return token_failed(t, "C_GetAttributeValue", rv, f);
	*ret_len = rv == CKR_OK && a.ulValueLen <= size ? a.ulValueLen : 0;
	return OK;
}

enum err token_objects(struct token *t, CK_ATTRIBUTE *template, CK_ULONG n, struct token_objects *ret, struct fault *f)
{
	CK_RV rv = t->fn->C_FindObjectsInit(t->session, template, n);
	if (rv != CKR_OK)
		return token_failed(t, "C_FindObjectsInit", rv, f);
	CK_ULONG got = 1;
	ret->n = 0;
	while (rv == CKR_OK && got > 0 && ret->n < TOKEN_OBJECTS_MAX) {
		CK_ULONG room = TOKEN_OBJECTS_MAX - ret->n;
		rv = t->fn->C_FindObjects(t->session, ret->handles + ret->n, room, &got);
		if (rv == CKR_OK && got > room)
			rv = CKR_GENERAL_ERROR;
		ret->n += rv == CKR_OK ? got : 0;
	}
	t->fn->C_FindObjectsFinal(t->session);
	if (rv != CKR_OK)
		return token_failed(t, "C_FindObjects", rv, f);
	if (ret->n == TOKEN_OBJECTS_MAX)
		return fault_raise(f, ERR_LIMIT, "token_objects", "token",
				   "token \"%s\": found %d objects of one kind or more, wanted fewer", t->name,
				   TOKEN_OBJECTS_MAX);
	return OK;
}

static enum err find_keys(struct token *t, CK_OBJECT_CLASS class, CK_KEY_TYPE type, struct slice id,
			  struct token_objects *ret, struct fault *f)
{
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
				   {CKA_KEY_TYPE, &type, sizeof type},
				   {CKA_ID, (void *)id.p, id.n}}; /* templates are only read */
	return token_objects(t, template, id.n ? 3 : 2, ret, f);
}

static void label_of(struct token *t, CK_OBJECT_HANDLE object, char ret[80])
{
	uint8_t room[64];
	size_t n = 0;
	if (token_attribute(t, object, CKA_LABEL, room, sizeof room, &n, NULL) != OK)
		n = 0;
	text_escape(room, n, ret, 80);
}

/* --- is it the wanted one? --- */

static enum err same_number(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, struct slice want,
			    bool *ret, struct fault *f)
{
	uint8_t room[PUBKEY_MAX_SPKI];
	size_t n = 0;
	TRY(token_attribute(t, object, type, room, sizeof room, &n, f));
	*ret = n > 0 && slice_eq(without_zeros(slice_of(room, n)), want);
	return OK;
}

/* CKA_EC_POINT is a DER OCTET STRING (PKCS#11 2.40 curr. mech. 2.3.3); some tokens write the bare point. */
static enum err same_point(struct token *t, CK_OBJECT_HANDLE object, const struct wanted *w, bool *ret, struct fault *f)
{
	uint8_t room[PUBKEY_MAX_SPKI];
	size_t n = 0;
	struct slice body;
	TRY(token_attribute(t, object, CKA_EC_POINT, room, sizeof room, &n, f));
	struct slice found = slice_of(room, n);
	struct der d = der_of(found);
	if (n > 0 && der_get(&d, DER_OCTET_STRING, &body) && der_at_end(&d) && slice_eq(body, w->point))
		found = body;
	*ret = n > 0 && slice_eq(found, w->point);
	return OK;
}

/* By what a key object says of its public half. *ret false: another key, or one that says nothing. */
static enum err same_key(struct token *t, CK_OBJECT_HANDLE object, const struct wanted *w, bool *ret, struct fault *f)
{
	bool same_n = false, same_e = false;
	if (w->type != CKK_RSA)
		return same_point(t, object, w, ret, f);
	TRY(same_number(t, object, CKA_MODULUS, w->n, &same_n, f));
	if (same_n)
		TRY(same_number(t, object, CKA_PUBLIC_EXPONENT, w->e, &same_e, f));
	*ret = same_n && same_e;
	return OK;
}

static enum err same_certificate(struct token *t, CK_OBJECT_HANDLE object, const struct wanted *w, bool *ret,
				 struct fault *f)
{
	uint8_t room[CERT_MAX_BYTES];
	size_t n = 0;
	struct cert c = {0};
	*ret = false;
	TRY(token_attribute(t, object, CKA_VALUE, room, sizeof room, &n, f));
	if (n == 0 || cert_parse(slice_of(room, n), &c, NULL) != OK)
		return OK; /* certificates that we can't read tie no key to ours */
	*ret = c.key.spki_len == w->key->spki_len && memcmp(c.key.spki, w->key->spki, c.key.spki_len) == 0;
	cert_done(&c);
	return OK;
}

/* --- the search --- */

/* Some keys want the PIN again for each signature. */
static enum err take(struct token *t, CK_OBJECT_HANDLE handle, struct token_key *ret, struct fault *f)
{
	CK_BBOOL always = CK_FALSE;
	size_t n = 0;
	uint8_t id[ID_MAX];
	*ret = (struct token_key){.handle = handle};
	label_of(t, handle, ret->label);
	TRY(token_attribute(t, handle, CKA_ID, id, sizeof id, &n, f));
	hex_lower(id, n < sizeof ret->id / 2 ? n : sizeof ret->id / 2, ret->id);
	TRY(token_attribute(t, handle, CKA_ALWAYS_AUTHENTICATE, &always, sizeof always, &n, f));
	ret->always_login = n > 0 && always;
	return OK;
}

/* A private key that itself says whose it is. */
static enum err find_direct(struct token *t, const struct wanted *w, struct token_key *ret, bool *ret_found,
			    struct fault *f)
{
	struct token_objects keys;
	TRY(find_keys(t, CKO_PRIVATE_KEY, w->type, slice_of(NULL, 0), &keys, f));
	for (CK_ULONG i = 0; i < keys.n && !*ret_found; i++) {
		TRY(same_key(t, keys.handles[i], w, ret_found, f));
		if (*ret_found)
			TRY(take(t, keys.handles[i], ret, f));
	}
	return OK;
}

/* The private key with the id of a public key or certificate that is the wanted one. Ids need not be unique; a shared
 * one tells nothing. */
static enum err find_by_id(struct token *t, CK_OBJECT_HANDLE public, const struct wanted *w, struct token_key *ret,
			   bool *ret_found, struct fault *f)
{
	uint8_t id[ID_MAX];
	size_t n = 0;
	struct token_objects keys;
	TRY(token_attribute(t, public, CKA_ID, id, sizeof id, &n, f));
	if (n == 0)
		return OK;
	TRY(find_keys(t, CKO_PRIVATE_KEY, w->type, slice_of(id, n), &keys, f));
	if (keys.n > 1)
		return fault_raise(f, ERR_CONFLICT, "key_ambiguous", "token",
				   "token \"%s\": %lu private keys have the id of %s, so that none can be told to be "
				   "it; give each its own id",
				   t->name, keys.n, w->what);
	*ret_found = keys.n == 1;
	return keys.n == 1 ? take(t, keys.handles[0], ret, f) : OK;
}

static enum err find_beside(struct token *t, CK_OBJECT_CLASS class, const struct wanted *w, struct token_key *ret,
			    bool *ret_found, struct fault *f)
{
	struct token_objects found;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
	TRY(token_objects(t, template, 1, &found, f));
	for (CK_ULONG i = 0; i < found.n && !*ret_found; i++) {
		bool same = false;
		TRY(class == CKO_CERTIFICATE ? same_certificate(t, found.handles[i], w, &same, f)
					     : same_key(t, found.handles[i], w, &same, f));
		if (same)
			TRY(find_by_id(t, found.handles[i], w, ret, ret_found, f));
	}
	return OK;
}

/* Labels of the private keys that are there, for messages. */
static enum err list_labels(struct token *t, struct buf *ret, CK_ULONG *ret_n, struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
	struct token_objects all;
	TRY(token_objects(t, template, 1, &all, f));
	for (CK_ULONG i = 0; i < all.n && i < LABELS_SHOWN; i++) {
		char label[80];
		label_of(t, all.handles[i], label);
		buf_fmt(ret, "%s\"%s\"", i ? ", " : "", label);
	}
	*ret_n = all.n;
	return OK;
}

static enum err not_found(struct token *t, const struct wanted *w, struct fault *f)
{
	_cleanup_buf_ struct buf labels = {0};
	CK_ULONG n = 0;
	TRY(list_labels(t, &labels, &n, f));
	return fault_raise(f, ERR_NOT_FOUND, "key_not_on_token", "token",
			   "token \"%s\" does not hold %s (%s); found %lu private keys%s%s", t->name, w->what,
			   key_alg_word(w->key->alg), n, labels.len ? ": " : "", buf_text(&labels));
}

enum err token_find(struct token *t, const struct pubkey *want, const char *what, struct token_key *ret,
		    struct fault *f)
{
	struct wanted w;
	bool found = false;
	if (!wanted_of(want, what, &w))
		return fault_raise(f, ERR_NOT_FOUND, "mechanism_missing", "token",
				   "%s is of kind %s, which PKCS#11 2.40 has no mechanism for: sign with the token's "
				   "own tool, and hand the signature in by --signature",
				   what, key_alg_word(want->alg));
	TRY(find_direct(t, &w, ret, &found, f));
	if (!found)
		TRY(find_beside(t, CKO_PUBLIC_KEY, &w, ret, &found, f));
	if (!found)
		TRY(find_beside(t, CKO_CERTIFICATE, &w, ret, &found, f));
	return found ? OK : not_found(t, &w, f);
}

/* --- by name --- */

static void put_name(struct buf *b, struct slice label, struct slice id)
{
	if (label.n)
		buf_fmt(b, "label \"%s\"", ESC(label.p, label.n));
	if (label.n && id.n)
		buf_fmt(b, " and ");
	if (id.n) {
		buf_fmt(b, "id ");
		buf_hex(b, id.p, id.n);
	}
}

enum err token_find_named(struct token *t, struct slice label, struct slice id, struct token_key *ret, struct fault *f)
{
	_cleanup_buf_ struct buf name = {0}, labels = {0};
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[3] = {{CKA_CLASS, &class, sizeof class}};
	CK_ULONG n_template = 1, n = 0;
	struct token_objects found;
	if (label.n)
		template[n_template++] = (CK_ATTRIBUTE){CKA_LABEL, (void *)label.p, label.n}; /* only read */
	if (id.n)
		template[n_template++] = (CK_ATTRIBUTE){CKA_ID, (void *)id.p, id.n};
	TRY(token_objects(t, template, n_template, &found, f));
	if (found.n == 1)
		return take(t, found.handles[0], ret, f);
	put_name(&name, label, id);
	if (found.n > 1)
		return fault_raise(f, ERR_CONFLICT, "key_ambiguous", "token",
				   "token \"%s\": %lu private keys have %s; wanted one: name it by its id, or delete "
				   "the others",
				   t->name, found.n, buf_text(&name));
	TRY(list_labels(t, &labels, &n, f));
	return fault_raise(f, ERR_NOT_FOUND, "key_not_on_token", "token",
			   "token \"%s\" holds no private key with %s; found %lu private keys%s%s", t->name,
			   buf_text(&name), n, labels.len ? ": " : "", buf_text(&labels));
}

enum err token_attest(struct token *t, const struct token_key *key, struct token_attest *ret, struct fault *f)
{
	const struct {
		CK_ATTRIBUTE_TYPE type;
		bool *to, unsaid;
	} wanted[] = {{CKA_SENSITIVE, &ret->sensitive, false},
		      {CKA_ALWAYS_SENSITIVE, &ret->always_sensitive, false},
		      {CKA_EXTRACTABLE, &ret->extractable, true},
		      {CKA_NEVER_EXTRACTABLE, &ret->never_extractable, false},
		      {CKA_LOCAL, &ret->local, false}};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		CK_BBOOL found = CK_FALSE;
		size_t n = 0;
		TRY(token_attribute(t, key->handle, wanted[i].type, &found, sizeof found, &n, f));
		*wanted[i].to = n > 0 ? found != CK_FALSE : wanted[i].unsaid;
	}
	return OK;
}

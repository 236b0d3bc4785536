/*
 * A key gets its certificate by a tally that it alone signs; the signer knows it from the roster. The certificate lives a
 * week; from its half on a new one is asked for, and the old one signs until the new one is here. So do keys: the first
 * of the list that has a good certificate signs, and an old key stands behind the new one until the officers' roster
 * has brought it in.
 *
 * Certificates are kept in the state folder, named by the key and the CA, and checked like any outside bytes when they are read. Next:
 * responder_key.c, where a key is.
 */
#include "ra/gate/responder.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/sign.h"
#include "common/rpc/jsonrpc.h"

/* After jansson and EVP, so that their helpers are declared. */
#include "common/base/cleanup.h"

#include <string.h>

#define OID_KP_OCSP_SIGNING "1.3.6.1.5.5.7.3.9" /* RFC 6960 4.2.2.2 */
#define OID_EXT_EKU "2.5.29.37"
#define PIN_MAX 1024
#define TALLY_LIFE_S 3600

struct responder {
	const struct cert *ca;
	pthread_rwlock_t lock; /* of the certificates */
	struct signing each[RESPONDER_KEYS_MAX];
	size_t n;
	unsigned generation;
};

/* --- certificates --- */

static char *cert_path(const struct gate *g, const struct responder *r, const struct pubkey *key)
{
	char hex[17], of[17];
	hex_lower(key->spki_sha256, 8, hex);
	hex_lower(r->ca->key.key_id, 8, of);
	return xasprintf("%s/responder-%s-%s.crt", g->config.state, hex, of);
}

/* RFC 5280 4.2.1.12: one purpose, and no other. */
static bool is_for_ocsp(const struct cert *c)
{
	const struct cert_ext *e = cert_ext(c, OID_EXT_EKU);
	struct der d = e ? der_of(e->value) : (struct der){0}, in;
	struct slice oid;
	char text[64];
	return e && der_enter(&d, DER_SEQUENCE, &in) && der_get(&in, DER_OID, &oid) &&
	       der_oid_text(oid, text, sizeof(text)) && strcmp(text, OID_KP_OCSP_SIGNING) == 0 && der_at_end(&in);
}

static enum err read_cert(const struct cert *ca, const struct pubkey *key, struct slice der, int64_t now,
			  int64_t *ret_not_before, int64_t *ret_not_after, struct fault *f)
{
	_cleanup_(cert_done) struct cert c = {0};
	TRY(cert_parse(der, &c, f));
	TRY(cert_verify_by(&c, ca, f));
	if (memcmp(c.key.spki_sha256, key->spki_sha256, 32) != 0 || !is_for_ocsp(&c) || now > c.not_after)
		return fault_raise(f, ERR_RULE, "responder_certificate", "responder",
				   "found a certificate of another key, not for OCSPSigning alone, or expired");
	*ret_not_before = c.not_before;
	*ret_not_after = c.not_after;
	return OK;
}

enum err responder_check(const struct cert *ca, const struct pubkey *key, struct slice der, int64_t now,
			 struct fault *f)
{
	int64_t from, to;
	return read_cert(ca, key, der, now, &from, &to, f);
}

static enum err install(struct responder *r, struct signing *s, struct slice der, int64_t now, struct fault *f)
{
	int64_t from = 0, to = 0;
	TRY(read_cert(r->ca, s->public, der, now, &from, &to, f));
	pthread_rwlock_wrlock(&r->lock);
	buf_clear(&s->der);
	buf_add_slice(&s->der, der);
	s->not_before = from;
	s->not_after = to;
	s->generation = ++r->generation;
	pthread_rwlock_unlock(&r->lock);
	return OK;
}

/* --- opening --- */

static enum err open_key(struct gate *g, struct responder *r, const char *place, const struct secret *pin,
			 struct fault *f)
{
	struct signing *s = &r->each[r->n++];
	_cleanup_buf_ struct buf der = {0};
	struct fault why = {0};
	TRY(responder_key_open(place, pin, &s->key, f));
	s->public = responder_key_public(s->key);
	sigalg_put(s->public->alg, &s->sigalg);
	_cleanup_(freep) char *cert = cert_path(g, r, s->public);
	if (!file_exists(cert))
		return OK;
	if (file_read(cert, CERT_MAX_BYTES, &der, &why) != OK ||
	    install(r, s, buf_slice(&der), clock_now(), &why) != OK)
		log_fault(LOG_LEVEL_WARNING, "responder_certificate_unused", &why);
	return OK;
}

static enum err open_keys(struct gate *g, struct responder *r, struct fault *f)
{
	_cleanup_secret_ struct secret pin = {0};
	if (g->config.pin)
		TRY(secret_read_file(g->config.pin, PIN_MAX, &pin, f));
	for (size_t i = 0; i < g->config.n_keys; i++) {
		const char *place = g->config.keys[i];
		enum err e = open_key(g, r, place, &pin, f);
		if (e != OK) {
			fault_prefix(f, "%s", ESC(place, strlen(place)));
			return e;
		}
	}
	return OK;
}

enum err responder_open(struct gate *g, const struct cert *ca, struct responder **ret, struct fault *f)
{
	struct responder *r = xcalloc(1, sizeof(*r));
	r->ca = ca;
	pthread_rwlock_init(&r->lock, NULL);
	enum err e = open_keys(g, r, f);
	if (e != OK) {
		responder_close(r);
		return e;
	}
	*ret = r;
	return OK;
}

void responder_close(struct responder *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->each[i].key)
			responder_key_free(r->each[i].key);
		buf_done(&r->each[i].der);
		buf_done(&r->each[i].sigalg);
	}
	pthread_rwlock_destroy(&r->lock);
	free(r);
}

/* --- signing --- */

/* With the lock held. */
static const struct signing *current(const struct responder *r, int64_t now)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct signing *s = &r->each[i];
		if (s->der.len > 0 && now >= s->not_before && now < s->not_after)
			return s;
	}
	return NULL;
}

const struct signing *responder_take(struct responder *r, int64_t now)
{
	pthread_rwlock_rdlock(&r->lock);
	const struct signing *s = current(r, now);
	if (!s)
		pthread_rwlock_unlock(&r->lock);
	return s;
}

void responder_put(struct responder *r)
{
	pthread_rwlock_unlock(&r->lock);
}

int64_t responder_left(struct responder *r, int64_t now)
{
	pthread_rwlock_rdlock(&r->lock);
	const struct signing *s = current(r, now);
	int64_t left = s ? s->not_after - now : 0;
	pthread_rwlock_unlock(&r->lock);
	return left;
}

enum err responder_sign(const struct signing *s, struct slice data, struct buf *ret, struct fault *f)
{
	return responder_key_sign(s->key, data, ret, f);
}

size_t responder_signature_max(const struct responder *r)
{
	size_t most = 72; /* ECDSA with P-256 */
	for (size_t i = 0; i < r->n; i++) {
		size_t n = responder_key_signature_max(r->each[i].key);
		if (n > most)
			most = n;
	}
	return most;
}

/* --- renewing --- */

static enum err make_note(struct gate *g, const struct responder *r, const struct signing *s, int64_t now,
			  struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, signature = {0};
	uint8_t id[4];
	struct tally t = {.kind = TALLY_RESPONDER,
			  .reason = -1,
			  .profile = "responder",
			  .has_issuer = true,
			  .has_key = true,
			  .key_is_new = true,
			  .made = now,
			  .dies = now + TALLY_LIFE_S};
	random_fill(t.id, sizeof(t.id));
	checkpoint_origin_ca(g->log_key.origin, t.ca);
	memcpy(t.issuer, r->ca->key.key_id, 20);
	memcpy(t.key_sha256, s->public->spki_sha256, 32);
	tally_put(&t, &text);
	note_begin(buf_slice(&text), ret);
	TRY(responder_key_sign(s->key, buf_slice(&text), &signature, f));
	note_key_id_spki(NOTE_NEW_KEY, s->public, id);
	return note_add_line(ret, NOTE_NEW_KEY, id, buf_slice(&signature), f);
}

static enum err sign_request(void *key, struct slice info, struct buf *ret, struct fault *f)
{
	return responder_key_sign(key, info, ret, f);
}

static enum err ask(struct gate *g, const struct responder *r, const struct signing *s, int64_t now,
		    struct buf *ret_der, struct fault *f)
{
	static const uint8_t no_name[] = {0x30, 0x00};
	_cleanup_buf_ struct buf note = {0}, csr = {0}, csr_text = {0};
	_cleanup_(json_freep) json_t *result = NULL;
	uint8_t random[16];
	char call_id[33];
	TRY(make_note(g, r, s, now, &note, f));
	TRY(csr_make_by(s->public, sign_request, s->key, slice_of(no_name, sizeof(no_name)), &csr, f));
	buf_base64(&csr_text, csr.data, csr.len);
	random_fill(random, sizeof(random));
	hex_lower(random, sizeof(random), call_id);
	_cleanup_(json_freep) json_t *params =
		json_pack("{s:s,s:s,s:s}", "note", buf_text(&note), "csr", buf_text(&csr_text), "call_id", call_id);
	TRY(jsonrpc_call(g->desk, "edge.responder", params, &result, NULL, f));
	const char *text = json_string_value(json_object_get(result, "certificate"));
	if (!text || strlen(text) > 2 * CERT_MAX_BYTES || !base64_decode(text, strlen(text), ret_der))
		return fault_raise(f, ERR_NET, "responder_form", "edge.responder",
				   "the desk's answer has no certificate");
	return OK;
}

static enum err renew_one(struct gate *g, struct responder *r, struct signing *s, int64_t now, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(freep) char *path = cert_path(g, r, s->public);
	/* Only this thread writes not_before and not_after. */
	if (s->der.len > 0 && now < s->not_before + (s->not_after - s->not_before) / 2)
		return OK;
	TRY(ask(g, r, s, now, &der, f));
	TRY(install(r, s, buf_slice(&der), now, f));
	log_audit("responder_renewed", "key=%.16s issuer=%.16s not_after=%s", strstr(path, "responder-") + 10,
		  strstr(path, "responder-") + 27, UTC(s->not_after));
	return file_write(path, buf_slice(&der), 0600, f);
}

/* A key that cannot be renewed keeps none of the others from it. */
enum err responder_renew(struct gate *g, struct responder *r, int64_t now, struct fault *f)
{
	enum err first = OK;
	for (size_t i = 0; i < r->n; i++) {
		struct fault one = {0};
		enum err e = renew_one(g, r, &r->each[i], now, &one);
		if (e != OK && first == OK) {
			first = e;
			if (f)
				*f = one;
		}
	}
	return first;
}

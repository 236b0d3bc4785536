/*
 * Signatures cost more than all else that the change of a proof does, and the database has one writer. So they are verified
 * and made in a snapshot, before the change waits for its turn.
 *
 * What is kept of it are facts that no change can make untrue: that these bytes hold under that key, what certificate those
 * bytes are, and which bytes the RA's key signs that text by, which for Ed25519 are always the same (RFC 8032 5.1.6). The change reads request and
 * certificate anew and asks for a fact by all bytes of the note and the hash of the key that it sees. Where they are others
 * by then (a draft that was edited, another key) there is no fact, and it verifies or signs itself. Whether the caller may,
 * and whether anything goes out, is decided there alone: a signature that is not asked for goes with the call. Next: note.c.
 */
#include "ra/ahead.h"

#include "ra/note.h"
#include "ra/plain.h"
#include "ra/request_state.h"

#include <string.h>

#define LINES_MAX 2 /* of a call; the table of parameters bounds them */

struct ahead {
	struct {
		struct buf note; /* text, empty line, one line */
		uint8_t key[32]; /* SHA-256 of its SPKI */
	} held[LINES_MAX];
	size_t n_held;
	struct buf text; /* that sig is over; empty: none */
	uint8_t sig[ED25519_SIG];
	struct buf der; /* of cert, which borrows it; empty: none */
	struct cert cert;
};

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n_held; i++)
		buf_done(&a->held[i].note);
	buf_done(&a->text);
	cert_done(&a->cert);
	buf_done(&a->der);
	free(a);
}

/* --- facts --- */

static bool knows(const struct ahead *a, struct slice bytes, const struct pubkey *key)
{
	for (size_t i = 0; a && i < a->n_held; i++) {
		if (memcmp(a->held[i].key, key->spki_sha256, 32) == 0 && slice_eq(buf_slice(&a->held[i].note), bytes))
			return true;
	}
	return false;
}

static void learn(struct ahead *a, struct slice bytes, const struct pubkey *key)
{
	if (!a || a->n_held == LINES_MAX)
		return;
	buf_add_slice(&a->held[a->n_held].note, bytes);
	memcpy(a->held[a->n_held++].key, key->spki_sha256, 32);
}

bool ahead_holds(struct ctx *c, const struct note *note, struct slice bytes, const struct pubkey *key)
{
	if (knows(c->ahead, bytes, key))
		return true;
	bool holds = note_sig_holds_spki(note, &note->sigs[0], key);
	if (holds)
		learn(c->ahead, bytes, key);
	return holds;
}

static enum err sign(void *arg, struct slice text, uint8_t ret[ED25519_SIG], struct fault *f)
{
	const struct ctx *c = arg;
	const struct ahead *a = c->ahead;
	if (a && a->text.len > 0 && slice_eq(buf_slice(&a->text), text)) {
		memcpy(ret, a->sig, ED25519_SIG);
		return OK;
	}
	struct note_signer here = note_signer_of(c->desk->key.secret.p);
	return here.sign(here.arg, text, ret, f);
}

struct note_signer ahead_signer(struct ctx *c)
{
	return (struct note_signer){.public = c->desk->key.public_key, .sign = sign, .arg = c};
}

/* Certificate and bytes change hands together. */
static void give_cert(struct buf *der, struct cert *cert, struct buf *ret_der, struct cert *ret_cert)
{
	buf_done(ret_der);
	*ret_der = *der;
	*ret_cert = *cert;
	*der = (struct buf){0};
	*cert = (struct cert){0};
}

enum err ahead_cert(struct ctx *c, struct buf *der, struct cert *ret, struct fault *f)
{
	struct ahead *a = c->ahead;
	if (!a || a->der.len == 0 || !slice_eq(buf_slice(&a->der), buf_slice(der)))
		return cert_parse(buf_slice(der), ret, f);
	give_cert(&a->der, &a->cert, der, ret);
	return OK;
}

/* --- before the change --- */

static enum err verify_lines(struct ctx *c, const struct request *r, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	json_t *lines = json_object_get(c->call->params, "lines"), *line;
	size_t i;
	TRY(draw_load_keys(c, r, &d, f));
	json_array_foreach(lines, i, line) TRY(proof_check(c, r, &d, json_string_value(line), f));
	if (r->cert != 0)
		give_cert(&d.body.der, &d.cert, &c->ahead->der, &c->ahead->cert);
	return OK;
}

static enum err sign_tally(struct ctx *c, const struct request *r, struct fault *f)
{
	struct ahead *a = c->ahead;
	TRY(sign(c, slice_str(r->tally), a->sig, f));
	buf_add_slice(&a->text, slice_str(r->tally));
	return OK;
}

static enum err prepare(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	(void)ret;
	TRY(request_own(c, &r, f));
	if (!request_has_tally(&r) || request_next(request_state_from_word(r.state), EVENT_PROVE) == REQUEST_NONE)
		return OK;
	TRY(verify_lines(c, &r, f));
	return param_true(c, "submit") && r.officers == 0 ? sign_tally(c, &r, f) : OK;
}

void ahead_proof(struct ctx *c)
{
	struct fault why = {0};
	c->ahead = xcalloc(1, sizeof(*c->ahead));
	(void)!desk_read(c, prepare, NULL, &why);
}

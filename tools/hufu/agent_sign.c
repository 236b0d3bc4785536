/*
 * A signature by the key on a token. Signed are tallies and the text of a first log-in, nothing else, and only what was shown: the text is read, and
 * written again to the same bytes, before a person sees it. The tally itself names the keys that may sign it, so a page can't put another in
 * their place. Next: proof.h, proof_text.h.
 */
#include "tools/hufu/agent.h"

#include "common/pki/fingerprint.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/proof_text.h"
#include "tools/hufu/proof_way.h"
#include "tools/hufu/token_start.h"

#include <string.h>

#define KEYS_MAX 16
#define LOGIN_LINE "hufu/account/v1\n"

struct work {
	struct agent_call *at;
	json_t *params;
	struct card card;
	struct agent_answer answer;
	struct proof_set proof;
};
static void work_done(struct work *w)
{
	card_done(&w->card);
	agent_answer_done(&w->answer);
	proof_done(&w->proof);
}

static const char *param(const struct work *w, const char *key)
{
	return json_string_value(json_object_get(w->params, key));
}

/* --- asking --- */

static void say_tally(const struct tally *t, struct buf *ret)
{
	tally_explain(t, "zh", ret);
	buf_char(ret, '\n');
	tally_explain(t, "en", ret);
	buf_char(ret, '\n');
	if (t->key_seen != KEY_SEEN_UNSAID)
		buf_fmt(ret, "新密钥的十位字符 / the new key's ten characters: %s\n", FINGERPRINT(t->key_sha256));
}

static enum err ask(struct work *w, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct card *k = &w->card;
	TRY(agent_card(w->at->agent, w->params, TOKEN_SIGN, k, f));
	TRY(token_start_refuse(k->token, f));
	const char *warning = token_pin_warning(k->token);
	buf_fmt(&text, "%s\nUSB Key \"%s\" (%s)\n", w->at->origin, token_name(k->token), k->serial);
	if (warning)
		buf_fmt(&text, "! %s\n", warning);
	buf_char(&text, '\n');
	buf_add_slice(&text, w->proof.text);
	buf_char(&text, '\n');
	if (w->proof.tally.made != 0)
		say_tally(&w->proof.tally, &text);
	struct agent_question q = {
		.what = "sign", .text = buf_text(&text), .asks = "签署上文? / Sign exactly this text?"};
	agent_card_wants(k, &q);
	TRY(agent_ask(w->at->agent, &q, &w->answer, f));
	return agent_card_login(k, &w->answer, f);
}

/* --- a tally --- */

/* The key with that hash, when it is on the token. */
static enum err take_by_hash(struct work *w, int which, struct fault *f)
{
	struct pubkey keys[KEYS_MAX] = {0};
	size_t n = 0;
	enum err e = token_public_keys(w->card.token, keys, KEYS_MAX, &n, f);
	for (size_t i = 0; i < n; i++) {
		if (e == OK && !w->proof.keys[which].there &&
		    memcmp(keys[i].spki_sha256, w->proof.tally.key_sha256, 32) == 0)
			e = proof_take_key(&w->proof, which, &keys[i], f);
		pubkey_done(&keys[i]);
	}
	return e;
}

struct sought {
	struct proof_set *proof;
	enum err e;
	struct fault *f;
};
static void take_certificate(void *arg, const struct cert *c)
{
	struct sought *s = arg;
	_cleanup_buf_ struct buf pem = {0};
	const struct cert_ref *ref = &s->proof->tally.predecessor;
	bool other_issuer = c->aki.n == 20 && memcmp(c->aki.p, ref->issuer_key_id, 20) != 0;
	if (s->e != OK || s->proof->keys[PROOF_KEY_CURRENT].there || other_issuer ||
	    !serial_eq(&c->serial, &ref->serial))
		return;
	pem_put(&pem, "CERTIFICATE", c->der);
	s->e = proof_take_certificate(s->proof, buf_text(&pem), s->f);
}

/* By the hash in the tally; else by the predecessor's certificate, from the page or from the token. */
static enum err find_current(struct work *w, struct fault *f)
{
	const struct tally *t = &w->proof.tally;
	const char *pem = param(w, "certificate");
	if (t->has_key && !t->key_is_new)
		return take_by_hash(w, PROOF_KEY_CURRENT, f);
	if (pem)
		return proof_take_certificate(&w->proof, pem, f);
	struct sought s = {.proof = &w->proof, .f = f};
	TRY(token_each_certificate(w->card.token, take_certificate, &s, f));
	return s.e;
}

static void list_certificate(void *arg, const struct cert *c)
{
	struct buf *b = arg;
	buf_fmt(b, "%s%s", b->len ? ", " : "", SERIAL(&c->serial));
}

static enum err no_key(struct work *w, struct fault *f)
{
	_cleanup_buf_ struct buf found = {0};
	const struct tally *t = &w->proof.tally;
	TRY(token_each_certificate(w->card.token, list_certificate, &found, f));
	return fault_raise(f, ERR_NOT_FOUND, "key_not_on_token", "expect",
			   "token %s holds no key that this request needs: found certificates %s, wanted the key of %s "
			   "(USB Key 中没有所需的密钥)",
			   w->card.serial, found.len ? buf_text(&found) : "none",
			   t->has_predecessor ? SERIAL(&t->predecessor.serial) : "the request's own new one");
}

static enum err sign_tally(struct work *w, struct fault *f)
{
	struct proof_set *p = &w->proof;
	TRY(proof_read(slice_str(param(w, "text")), p, f));
	TRY(ask(w, f));
	if (p->tally.has_predecessor)
		TRY(find_current(w, f));
	if (p->tally.has_key && p->tally.key_is_new)
		TRY(take_by_hash(w, PROOF_KEY_NEW, f));
	if (!p->keys[PROOF_KEY_CURRENT].there && !p->keys[PROOF_KEY_NEW].there)
		return no_key(w, f);
	return proof_sign(w->at->agent->cli, w->card.token, p, f);
}

/* --- a first log-in --- */

static enum err sign_login(struct work *w, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	struct proof_set *p = &w->proof;
	struct proof_key *k = &p->keys[PROOF_KEY_CURRENT];
	const char *pem = param(w, "certificate"), *line = param(w, "line"), *identifier = param(w, "identifier");
	if (!pem || !line || !identifier)
		return fault_raise(f, ERR_PARSE, "param_missing",
				   !pem	   ? "certificate"
				   : !line ? "line"
					   : "identifier",
				   "a first log-in wants certificate, line and identifier");
	p->text = slice_str(param(w, "text"));
	p->lines = json_array();
	TRY(proof_text_check(p->text, identifier, f));
	TRY(pem_or_der(slice_str(pem), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	snprintf(k->what, sizeof k->what, "the key of certificate %s", SERIAL(&cert.serial));
	snprintf(k->name, sizeof k->name, "%s", line);
	k->key = cert.key;
	k->there = true;
	cert.key = (struct pubkey){0};
	TRY(ask(w, f));
	return proof_sign(w->at->agent->cli, w->card.token, p, f);
}

enum err agent_sign(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	_cleanup_(work_done) struct work w = {.at = arg, .params = call->params};
	const char *text = param(&w, "text");
	if (strncmp(text, TALLY_KIND_LINE "\n", strlen(TALLY_KIND_LINE "\n")) == 0)
		TRY(sign_tally(&w, f));
	else if (strncmp(text, LOGIN_LINE, strlen(LOGIN_LINE)) == 0)
		TRY(sign_login(&w, f));
	else
		return fault_raise(
			f, ERR_RULE, "text_kind", "text",
			"\"%s\" begins no text that this agent signs: wanted a tally, or the text of a first log-in",
			ESC(text, strcspn(text, "\n")));
	*ret = json_pack("{s:s,s:O}", "token", w.card.serial, "lines", w.proof.lines);
	return OK;
}

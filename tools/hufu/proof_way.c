/*
 * Signatures by a token, and by any other tool. The same for a request's tally and for the first log-in. Next: token.h,
 * signature.h.
 */
#include "tools/hufu/proof_way.h"

#include "common/base/file.h"
#include "tools/hufu/signature.h"
#include "tools/hufu/token_login.h"
#include "tools/hufu/token_start.h"

#include <string.h>

void proof_way_done(struct proof_way *w)
{
	token_closep(&w->token);
	secret_done(&w->pin);
	option_list_done(&w->signatures);
}

bool proof_way_on_token(const struct proof_way *w)
{
	return w->choice.label || w->choice.uri;
}

int proof_way_words(const struct command *cmd, const struct proof_way *w)
{
	if (w->choice.label && w->choice.uri)
		return cli_usage(cmd, "--token and --token-uri both name the token: give one of them");
	if (!proof_way_on_token(w) && (w->choice.module || w->pin_fd))
		return cli_usage(cmd, "%s goes with --token or --token-uri", w->pin_fd ? "--pin-fd" : "--module");
	if (w->raw_ecdsa && !w->signatures.n)
		return cli_usage(cmd, "--raw-ecdsa goes with --signature");
	return EXIT_DONE;
}

/* --- by the token --- */

enum err proof_way_open(struct proof_way *w, struct fault *f)
{
	return proof_way_on_token(w) ? token_open(&w->choice, &w->token, f) : OK;
}

static enum err sign_one(const struct cli *c, struct token *t, struct proof_set *proof, const struct proof_key *k,
			 struct fault *f)
{
	_cleanup_buf_ struct buf sig = {0};
	struct token_key found;
	TRY(token_find(t, &k->key, k->what, &found, f));
	TRY(token_sign(t, &found, &k->key, proof->text, &sig, f));
	TRY(proof_add(proof, k, buf_slice(&sig), f));
	if (!c->json)
		printf("signed by token \"%s\", key \"%s\": %s\n", token_name(t), found.label, k->what);
	return OK;
}

enum err proof_way_sign(const struct cli *c, struct proof_way *w, struct proof_set *proof, struct fault *f)
{
	TRY(token_ask_login(w->token, w->pin_fd, &w->pin, f));
	return proof_sign(c, w->token, proof, f);
}

/* Both keys are there when one is renewed on the same token. */
enum err proof_sign(const struct cli *c, struct token *t, struct proof_set *proof, struct fault *f)
{
	size_t before = json_array_size(proof->lines);
	struct fault absent = {0};
	TRY(token_start_refuse(t, f));
	for (size_t i = 0; i < PROOF_KEYS; i++) {
		struct fault why = {0};
		enum err e = proof->keys[i].there ? sign_one(c, t, proof, &proof->keys[i], &why) : OK;
		if (e != OK && (e != ERR_NOT_FOUND || strcmp(why.rule, "key_not_on_token") != 0)) {
			*f = why;
			return e;
		}
		if (e != OK && absent.kind == OK)
			absent = why;
	}
	if (json_array_size(proof->lines) > before)
		return OK;
	if (absent.kind == OK)
		return fault_raise(f, ERR_RULE, "proof_unwanted", "request",
				   "this request asks for no subscriber's signature");
	*f = absent;
	return absent.kind;
}

/* --- made elsewhere --- */

/* Under one key: read in its form, and verified. */
static enum err try_signature(const struct proof_way *w, struct proof_set *proof, const struct proof_key *k,
			      struct slice bytes, struct fault *f)
{
	_cleanup_buf_ struct buf sig = {0};
	TRY(signature_read(bytes, w->raw_ecdsa, &k->key, k->what, &sig, f));
	TRY(signature_check(&k->key, k->what, proof->text, buf_slice(&sig), f));
	return proof_add(proof, k, buf_slice(&sig), f);
}

/* The keys of a set differ, so a signature holds under one of them at most. When it holds under none, the complaint
 * is the one of the key whose form it has. */
static enum err take_signature(const struct proof_way *w, struct proof_set *proof, const char *path, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	struct fault best = {0};
	TRY(file_read(path, SIGNATURE_FILE_MAX, &bytes, f));
	for (size_t i = 0; i < PROOF_KEYS; i++) {
		struct fault why = {0};
		const struct proof_key *k = &proof->keys[i];
		if (!k->there)
			continue;
		enum err e = try_signature(w, proof, k, buf_slice(&bytes), &why);
		if (e == OK || (e != ERR_PARSE && e != ERR_CRYPTO)) {
			*f = why;
			return e;
		}
		if (best.kind == OK || (best.kind == ERR_PARSE && e == ERR_CRYPTO))
			best = why;
	}
	if (best.kind == OK)
		return fault_raise(f, ERR_RULE, "proof_unwanted", "request",
				   "this request asks for no subscriber's signature");
	*f = best;
	fault_prefix(f, "%s", path);
	return best.kind;
}

enum err proof_way_take(const struct proof_way *w, struct proof_set *proof, struct fault *f)
{
	for (size_t i = 0; i < w->signatures.n; i++)
		TRY(take_signature(w, proof, w->signatures.v[i], f));
	return OK;
}

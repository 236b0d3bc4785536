/*
 * `hufu request text|prove`: the subscriber's half. The text that is shown is the text that is signed: by a key in a
 * file, by a key on a token, or elsewhere by any tool, with the signature brought here. What was not signed by a file
 * is held against certificate or new key before it goes to the desk. Next: proof.c, token.h, signature.h.
 */
#include "common/base/file.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/proof.h"
#include "tools/hufu/signature.h"
#include "tools/hufu/subscriber.h"
#include "tools/hufu/token_login.h"

#include <string.h>

/* --- text --- */

static json_t *text_json(const struct proof_set *p, const char *path)
{
	uint8_t hash[32];
	char hex[65];
	sha256(p->text.p, p->text.n, hash);
	hex_lower(hash, sizeof hash, hex);
	json_t *keys = json_array();
	for (size_t i = 0; i < PROOF_KEYS; i++)
		if (p->keys[i].there)
			json_array_append_new(keys, json_pack("{s:s,s:s,s:s}", "name", p->keys[i].name, "what",
							      p->keys[i].what, "algorithm",
							      key_alg_note_type(p->keys[i].key.alg)));
	return json_pack("{s:s,s:i,s:s,s:o}", "file", path, "bytes", (int)p->text.n, "sha256", hex, "keys", keys);
}

static void print_text(const struct cli *c, const struct proof_set *p, const char *path, const char *request)
{
	_cleanup_(json_freep) json_t *o = text_json(p, path);
	if (c->json) {
		cli_print_json(o);
		return;
	}
	printf("%s: %zu bytes%s, SHA-256 %s\n", path, p->text.n, c->dry_run ? " (dry run: not written)" : "",
	       json_string_value(json_object_get(o, "sha256")));
	for (size_t i = 0; i < PROOF_KEYS; i++)
		if (p->keys[i].there)
			printf("to be signed, byte for byte, by %s (%s)\n", p->keys[i].what,
			       key_alg_note_type(p->keys[i].key.alg));
	printf("then: hufu request prove --signature FILE %s\n", request);
}

int run_request_text(struct cli *c, int argc, char **argv)
{
	const char *out = NULL;
	const struct option_rule rules[] = {{.name = "--out", .value = &out}, {0}};
	const struct command *cmd = cli_command(commands_request, run_request_text);
	_cleanup_(proof_done) struct proof_set p = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!out)
		return cli_usage(cmd, "--out FILE is missing");
	if (proof_load(c, argv[1], &p, &f) != OK || proof_load_keys(c, &p, &f) != OK ||
	    (!c->dry_run && file_write_new(out, p.text, 0644, &f) != OK))
		return cli_fail(c, &f);
	print_text(c, &p, out, argv[1]);
	return EXIT_DONE;
}

/* --- prove --- */

struct prove {
	const char *key, *new_key, *pin_fd;
	struct token_choice choice;
	struct option_list signatures;
	bool raw_ecdsa, yes;
	struct secret pin; /* outlives the token's session */
	struct token *token;
};
static void prove_done(struct prove *p)
{
	token_closep(&p->token);
	secret_done(&p->pin);
	option_list_done(&p->signatures);
}

static bool on_token(const struct prove *p)
{
	return p->choice.label || p->choice.uri;
}

static enum err sign_one(const struct cli *c, struct prove *p, struct proof_set *proof, const struct proof_key *k,
			 struct fault *f)
{
	_cleanup_buf_ struct buf sig = {0};
	struct token_key found;
	TRY(token_find(p->token, &k->key, k->what, &found, f));
	TRY(token_sign(p->token, &found, &k->key, proof->text, &sig, f));
	TRY(proof_add(proof, k, buf_slice(&sig), f));
	if (!c->json)
		printf("signed by token \"%s\", key \"%s\": %s\n", token_name(p->token), found.label, k->what);
	return OK;
}

/* By each of the request's keys that the token holds: both are there when a key is renewed on the same token. */
static enum err sign_on_token(const struct cli *c, struct prove *p, struct proof_set *proof, struct fault *f)
{
	size_t before = json_array_size(proof->lines);
	struct fault absent = {0};
	TRY(token_ask_login(p->token, p->pin_fd, &p->pin, f));
	for (size_t i = 0; i < PROOF_KEYS; i++) {
		struct fault why = {0};
		enum err e = proof->keys[i].there ? sign_one(c, p, proof, &proof->keys[i], &why) : OK;
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

/* Under one key: read in its form, and verified. */
static enum err try_signature(const struct prove *p, struct proof_set *proof, const struct proof_key *k,
			      struct slice bytes, struct fault *f)
{
	_cleanup_buf_ struct buf sig = {0};
	TRY(signature_read(bytes, p->raw_ecdsa, &k->key, k->what, &sig, f));
	TRY(signature_check(&k->key, k->what, proof->text, buf_slice(&sig), f));
	return proof_add(proof, k, buf_slice(&sig), f);
}

/* The request's keys differ, so a signature holds under one of them at most. When it holds under none, the complaint
 * is the one of the key whose form it has. */
static enum err take_signature(const struct prove *p, struct proof_set *proof, const char *path, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	struct fault best = {0};
	TRY(file_read(path, SIGNATURE_FILE_MAX, &bytes, f));
	for (size_t i = 0; i < PROOF_KEYS; i++) {
		struct fault why = {0};
		const struct proof_key *k = &proof->keys[i];
		if (!k->there)
			continue;
		enum err e = try_signature(p, proof, k, buf_slice(&bytes), &why);
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

static enum err make_lines(const struct cli *c, struct prove *p, struct proof_set *proof, struct fault *f)
{
	bool signs = p->key || p->new_key || on_token(p);
	for (size_t i = 0; i < p->signatures.n; i++)
		TRY(take_signature(p, proof, p->signatures.v[i], f));
	if (on_token(p))
		TRY(token_open(&p->choice, &p->token, f));
	if (signs && !p->yes &&
	    !cli_confirm("%.*s\nSign exactly this text?", (int)proof->text.n, (const char *)proof->text.p))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "request", "not signed: the answer was not \"yes\"");
	if (p->key)
		TRY(proof_add_pem(proof, PROOF_KEY_CURRENT, p->key, f));
	if (p->new_key)
		TRY(proof_add_pem(proof, PROOF_KEY_NEW, p->new_key, f));
	return on_token(p) ? sign_on_token(c, p, proof, f) : OK;
}

static enum err prove(struct cli *c, const char *id, struct prove *p, json_t **ret, struct fault *f)
{
	_cleanup_(proof_done) struct proof_set proof = {0};
	TRY(proof_load(c, id, &proof, f));
	if (on_token(p) || p->signatures.n)
		TRY(proof_load_keys(c, &proof, f));
	TRY(make_lines(c, p, &proof, f));
	if (c->dry_run)
		return OK;
	json_t *params = json_pack("{s:s,s:O}", "request", id, "lines", proof.lines);
	return cli_desk(c, "request.prove", params, true, true, ret, f);
}

static int check_words(const struct command *cmd, const struct prove *p)
{
	if (!p->key && !p->new_key && !on_token(p) && !p->signatures.n)
		return cli_usage(cmd,
				 "how? --key FILE (current key), --new-key FILE, --token LABEL or --signature FILE");
	if (p->choice.label && p->choice.uri)
		return cli_usage(cmd, "--token and --token-uri both name the token: give one of them");
	if (!on_token(p) && (p->choice.module || p->pin_fd))
		return cli_usage(cmd, "%s goes with --token or --token-uri", p->pin_fd ? "--pin-fd" : "--module");
	if (p->raw_ecdsa && !p->signatures.n)
		return cli_usage(cmd, "--raw-ecdsa goes with --signature");
	return EXIT_DONE;
}

/* Takes r; NULL in a dry run. */
static int proved(const struct cli *c, const char *id, json_t *r)
{
	if (!r)
		return cli_said(c, json_pack("{s:s,s:b}", "request", id, "dry_run", 1),
				"request %s: would be proved (dry run)\n", id);
	if (!c->json)
		request_print_missing(r);
	return cli_said(c, r, "request %s: proof taken\n", id);
}

int run_request_prove(struct cli *c, int argc, char **argv)
{
	_cleanup_(prove_done) struct prove p = {0};
	const struct option_rule rules[] = {{.name = "--key", .value = &p.key},
					    {.name = "--new-key", .value = &p.new_key},
					    {.name = "--token", .value = &p.choice.label},
					    {.name = "--token-uri", .value = &p.choice.uri},
					    {.name = "--module", .value = &p.choice.module},
					    {.name = "--pin-fd", .value = &p.pin_fd},
					    {.name = "--signature", .many = &p.signatures},
					    {.name = "--raw-ecdsa", .flag = &p.raw_ecdsa},
					    {.name = "--yes", .flag = &p.yes},
					    {0}};
	const struct command *cmd = cli_command(commands_request, run_request_prove);
	struct fault f = {0};
	json_t *r = NULL;
	if (!cli_options(cmd, rules, &argc, argv, 1, 1) || check_words(cmd, &p) != EXIT_DONE)
		return EXIT_CONFIG;
	if (prove(c, argv[1], &p, &r, &f) != OK)
		return cli_fail(c, &f);
	return proved(c, argv[1], r);
}

/*
 * `hufu request text|prove`: the subscriber's half. The text that is shown is the text that is signed: by a key in a
 * file, by a key on a token, or elsewhere by any tool, with the signature brought here. What was not signed by a file
 * is held against certificate or new key before it goes to the desk. Next: proof.c, proof_way.h.
 */
#include "common/base/file.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/proof_way.h"
#include "tools/hufu/subscriber.h"

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
	const char *key, *new_key;
	struct proof_way way;
	bool yes, submit;
};
static void prove_done(struct prove *p)
{
	proof_way_done(&p->way);
}

static enum err make_lines(const struct cli *c, struct prove *p, struct proof_set *proof, struct fault *f)
{
	bool on_token = proof_way_on_token(&p->way), signs = p->key || p->new_key || on_token;
	TRY(proof_way_take(&p->way, proof, f));
	TRY(proof_way_open(&p->way, f));
	if (signs && !p->yes &&
	    !cli_confirm("%.*s\nSign exactly this text?", (int)proof->text.n, (const char *)proof->text.p))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "request", "not signed: the answer was not \"yes\"");
	if (p->key)
		TRY(proof_add_pem(proof, PROOF_KEY_CURRENT, p->key, f));
	if (p->new_key)
		TRY(proof_add_pem(proof, PROOF_KEY_NEW, p->new_key, f));
	return on_token ? proof_way_sign(c, &p->way, proof, f) : OK;
}

static enum err prove(struct cli *c, const char *id, struct prove *p, json_t **ret, struct fault *f)
{
	_cleanup_(proof_done) struct proof_set proof = {0};
	TRY(proof_load(c, id, &proof, f));
	if (proof_way_on_token(&p->way) || p->way.signatures.n)
		TRY(proof_load_keys(c, &proof, f));
	TRY(make_lines(c, p, &proof, f));
	if (c->dry_run)
		return OK;
	json_t *params = json_pack("{s:s,s:O}", "request", id, "lines", proof.lines);
	if (p->submit)
		json_object_set_new(params, "submit", json_true());
	return cli_desk(c, "request.prove", params, true, true, ret, f);
}

static int check_words(const struct command *cmd, const struct prove *p)
{
	if (!p->key && !p->new_key && !proof_way_on_token(&p->way) && !p->way.signatures.n)
		return cli_usage(cmd,
				 "how? --key FILE (current key), --new-key FILE, --token LABEL or --signature FILE");
	return proof_way_words(cmd, &p->way);
}

/* Takes r; NULL in a dry run. */
static int proved(const struct cli *c, const char *id, json_t *r)
{
	if (!r)
		return cli_said(c, json_pack("{s:s,s:b}", "request", id, "dry_run", 1),
				"request %s: would be proved (dry run)\n", id);
	if (!c->json)
		request_print_missing(r);
	const char *state = json_string_value(json_object_get(r, "state"));
	return cli_said(c, r, "request %s: proof taken, %s\n", id, state ? state : "");
}

int run_request_prove(struct cli *c, int argc, char **argv)
{
	_cleanup_(prove_done) struct prove p = {0};
	const struct option_rule rules[] = {{.name = "--key", .value = &p.key},
					    {.name = "--new-key", .value = &p.new_key},
					    PROOF_WAY_RULES(&p.way),
					    {.name = "--submit", .flag = &p.submit},
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

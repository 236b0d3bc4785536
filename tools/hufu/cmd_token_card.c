/*
 * `hufu token show|pin|keygen|csr|install|test`: a token in a slot. Which one it is, its serial number says, and that is
 * looked at before anything is written. Next: token_admin.h, cmd_token_init.c.
 */
#include "tools/hufu/cmd_token.h"

#include "common/base/file.h"
#include "common/pki/csr.h"
#include "common/pki/fingerprint.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/token_login.h"
#include "tools/hufu/token_start.h"

#include <string.h>

#define KEYS_MAX 16

void card_done(struct card *k)
{
	token_closep(&k->token);
	secret_done(&k->pin);
	freep(&k->serial);
}

/* The only one that the desk has on record in the hands of who is logged in. */
static enum err ask_desk(struct cli *c, struct card *k, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *row;
	const char *found = NULL;
	size_t i, n = 0;
	struct fault why = {0};
	enum err e = cli_desk(c, "token.mine", NULL, true, false, &r, &why);
	json_array_foreach(json_object_get(r, "tokens"), i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state"));
		if (!state || (strcmp(state, "in_use") != 0 && strcmp(state, "shipped") != 0))
			continue;
		found = json_string_value(json_object_get(row, "token"));
		n++;
	}
	if (e != OK || n != 1 || !found)
		return fault_raise(f, ERR_CONFIG, "token_unnamed", "--serial",
				   "which token? the desk has %zu on record for you: name one by --serial", n);
	k->serial = xstrdup(found);
	k->choice.serial = k->serial;
	return OK;
}

enum err card_find(struct cli *c, struct card *k, enum token_use use, struct fault *f)
{
	if (!k->choice.serial && !k->choice.blank)
		TRY(ask_desk(c, k, f));
	k->choice.use = use;
	return token_open(&k->choice, &k->token, f);
}

enum err card_open(struct cli *c, struct card *k, enum token_use use, struct fault *f)
{
	TRY(card_find(c, k, use, f));
	return token_ask_login(k->token, k->pin_fd, &k->pin, f);
}

/* --- show --- */

static void add_info(void *arg, const struct token_info *i)
{
	json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s,s:s}", "token", i->serial, "label", i->label, "model",
					     i->model, "maker", i->maker, "pin",
					     !i->initialized	? "blank"
					     : i->pin_locked	? "locked"
					     : !i->pin_set	? "not set"
					     : i->pin_final_try ? "one try left"
					     : i->pin_low	? "wrong ones were entered"
								: "set"));
}

int run_token_show(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"token", "TOKEN"}, {"label", "LABEL"}, {"model", "MODEL"}, {"maker", "MAKER"}, {"pin", "PIN"}};
	const char *module = NULL;
	const struct option_rule rules[] = {{.name = "--module", .value = &module}, {0}};
	_cleanup_(json_freep) json_t *rows = json_array();
	struct fault f = {0};
	if (!cli_options(cli_command(commands_token, run_token_show), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (token_each(module, add_info, rows, &f) != OK)
		return cli_fail(c, &f);
	cli_table(c, columns, sizeof columns / sizeof columns[0], rows);
	return EXIT_DONE;
}

/* --- the holder's PIN --- */

int run_token_pin(struct cli *c, int argc, char **argv)
{
	_cleanup_(card_done) struct card k = {0};
	_cleanup_secret_ struct secret next = {0};
	const char *new_fd = NULL;
	const struct option_rule rules[] = {CARD_RULES(&k), {.name = "--new-pin-fd", .value = &new_fd}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_token, run_token_pin), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (card_open(c, &k, TOKEN_WRITE, &f) != OK ||
	    ask_secret(new_fd, "--new-pin-fd", "New PIN: ", true, &next, &f) != OK)
		return cli_fail(c, &f);
	if (!c->dry_run && token_pin_replace(k.token, &k.pin, &next, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s,s:b}", "token", k.choice.serial, "dry_run", c->dry_run), "token %s: %s\n",
			k.choice.serial, c->dry_run ? "the PIN would be changed (dry run)" : "the PIN is changed");
}

/* --- keys --- */

static json_t *key_json(const struct card *k, const struct pubkey *key)
{
	char hex[65];
	hex_lower(key->spki_sha256, 32, hex);
	return json_pack("{s:s,s:s,s:s,s:s}", "token", k->choice.serial, "algorithm", key_alg_word(key->alg), "key",
			 hex, "characters", FINGERPRINT(key->spki_sha256));
}

int run_token_keygen(struct cli *c, int argc, char **argv)
{
	_cleanup_(card_done) struct card k = {0};
	_cleanup_(pubkey_done) struct pubkey key = {0};
	const char *word = "p256", *label = "hufu";
	const struct option_rule rules[] = {
		CARD_RULES(&k), {.name = "--algorithm", .value = &word}, {.name = "--label", .value = &label}, {0}};
	const struct command *cmd = cli_command(commands_token, run_token_keygen);
	enum key_alg alg;
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!key_alg_from_word(word, &alg) || (alg != KEY_P256 && alg != KEY_RSA))
		return cli_usage(cmd, "--algorithm \"%s\": wanted p256 or rsa", ESC(word, strlen(word)));
	if (card_open(c, &k, TOKEN_WRITE, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:s,s:b}", "token", k.choice.serial, "dry_run", 1),
				"token %s: a key pair would be made (dry run)\n", k.choice.serial);
	struct token_keygen g = {.alg = alg, .bits = alg == KEY_RSA ? 2048 : 0, .label = slice_str(label)};
	if (token_generate(k.token, &g, &key, &f) != OK)
		return cli_fail(c, &f);
	json_t *o = key_json(&k, &key);
	return cli_said(c, o, "token %s: a key pair was made there; it can't leave\nkey: %s\n", k.choice.serial,
			json_string_value(json_object_get(o, "key")));
}

struct keys {
	struct pubkey v[KEYS_MAX];
	size_t n;
};
static void keys_done(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		pubkey_done(&k->v[i]);
}

/* The one whose SHA-256 begins so; without a word, the only one. */
static enum err choose_key(const struct card *k, const struct keys *keys, const char *begins, const struct pubkey **ret,
			   struct fault *f)
{
	size_t n = 0;
	for (size_t i = 0; i < keys->n; i++) {
		char hex[65];
		hex_lower(keys->v[i].spki_sha256, 32, hex);
		if (begins && strncmp(hex, begins, strlen(begins)) != 0)
			continue;
		*ret = &keys->v[i];
		n++;
	}
	if (n == 1)
		return OK;
	return fault_raise(
		f, n ? ERR_CONFLICT : ERR_NOT_FOUND, n ? "key_ambiguous" : "key_not_on_token", "--key",
		"token %s: %zu of its %zu keys fit, wanted one: name it by the beginning of its SHA-256, --key HEX",
		k->choice.serial, n, keys->n);
}

static enum err add_subject(struct name *n, const struct option_list *words, struct fault *f)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *eq = strchr(words->v[i], '=');
		const struct attr_type *type = eq ? attr_by_word(words->v[i], (size_t)(eq - words->v[i])) : NULL;
		if (!type)
			return fault_raise(f, ERR_CONFIG, "subject_word", "--subject",
					   "\"%s\": wanted ATTRIBUTE=VALUE, as CN=…",
					   ESC(words->v[i], strlen(words->v[i])));
		TRY(name_add(n, type, eq + 1, strlen(eq + 1), f));
	}
	return OK;
}

static enum err make_csr(struct card *k, const char *begins, const struct option_list *subject, struct buf *pem,
			 struct fault *f)
{
	_cleanup_(keys_done) struct keys keys = {0};
	_cleanup_(name_done) struct name name = {0};
	_cleanup_(csr_done) struct csr check = {0};
	_cleanup_buf_ struct buf der = {0};
	const struct pubkey *key = NULL;
	TRY(add_subject(&name, subject, f));
	TRY(token_public_keys(k->token, keys.v, KEYS_MAX, &keys.n, f));
	TRY(choose_key(k, &keys, begins, &key, f));
	TRY(token_csr(k->token, key, &name, &der, f));
	TRY(csr_parse(buf_slice(&der), &check, f));
	TRY(csr_verify(&check, f));
	pem_put(pem, "CERTIFICATE REQUEST", buf_slice(&der));
	return OK;
}

int run_token_csr(struct cli *c, int argc, char **argv)
{
	_cleanup_(card_done) struct card k = {0};
	_cleanup_(option_list_done) struct option_list subject = {0};
	_cleanup_buf_ struct buf pem = {0};
	const char *out = NULL, *begins = NULL;
	const struct option_rule rules[] = {CARD_RULES(&k),
					    {.name = "--out", .value = &out},
					    {.name = "--key", .value = &begins},
					    {.name = "--subject", .many = &subject},
					    {0}};
	const struct command *cmd = cli_command(commands_token, run_token_csr);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!out)
		return cli_usage(cmd, "--out FILE is missing");
	if (card_open(c, &k, TOKEN_SIGN, &f) != OK || make_csr(&k, begins, &subject, &pem, &f) != OK ||
	    (!c->dry_run && file_write_new(out, buf_slice(&pem), 0644, &f) != OK))
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s,s:s,s:b}", "token", k.choice.serial, "file", out, "dry_run", c->dry_run),
			"%s: %s by the key on token %s\n", out, c->dry_run ? "would be signed (dry run)" : "signed",
			k.choice.serial);
}

/* --- the certificate --- */

int run_token_install(struct cli *c, int argc, char **argv)
{
	_cleanup_(card_done) struct card k = {0};
	_cleanup_buf_ struct buf der = {0};
	const char *new_fd = NULL;
	const struct option_rule rules[] = {CARD_RULES(&k), {.name = "--new-pin-fd", .value = &new_fd}, {0}};
	struct fault f = {0};
	bool there = false, start = false;
	if (!cli_options(cli_command(commands_token, run_token_install), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (der_load(argv[1], "CERTIFICATE", &der, &f) != OK || card_open(c, &k, TOKEN_WRITE, &f) != OK)
		return cli_fail(c, &f);
	if (!c->dry_run &&
	    (token_install(k.token, buf_slice(&der), &there, &f) != OK || token_start_is(k.token, &start, &f) != OK))
		return cli_fail(c, &f);
	if (start && token_start_end(k.token, &k.pin, new_fd, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c,
			json_pack("{s:s,s:b,s:b,s:b}", "token", k.choice.serial, "there", (int)there, "pin_changed",
				  (int)start, "dry_run", (int)c->dry_run),
			"token %s: %s%s\n", k.choice.serial,
			c->dry_run ? "would get the certificate (dry run)"
			: there	   ? "has the certificate already"
				   : "the certificate is beside its key",
			start ? "; the start PIN is changed" : "");
}

int run_token_test(struct cli *c, int argc, char **argv)
{
	_cleanup_(card_done) struct card k = {0};
	_cleanup_(keys_done) struct keys keys = {0};
	_cleanup_(json_freep) json_t *rows = json_array();
	const struct option_rule rules[] = {CARD_RULES(&k), {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_token, run_token_test), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (card_open(c, &k, TOKEN_SIGN, &f) != OK || token_public_keys(k.token, keys.v, KEYS_MAX, &keys.n, &f) != OK)
		return cli_fail(c, &f);
	if (keys.n == 0) {
		(void)fault_raise(&f, ERR_NOT_FOUND, "key_not_on_token", "token", "token %s holds no key",
				  k.choice.serial);
		return cli_fail(c, &f);
	}
	for (size_t i = 0; i < keys.n; i++) {
		if (token_try(k.token, &keys.v[i], &f) != OK)
			return cli_fail(c, &f);
		json_t *o = key_json(&k, &keys.v[i]);
		json_object_set_new(o, "deciphers", json_boolean(keys.v[i].alg == KEY_RSA));
		json_array_append_new(rows, o);
		if (!c->json)
			printf("token %s, key %.16s…: signs%s\n", k.choice.serial,
			       json_string_value(json_object_get(o, "key")),
			       keys.v[i].alg == KEY_RSA ? ", deciphers" : "");
	}
	if (c->json)
		cli_print_json(rows);
	return EXIT_DONE;
}

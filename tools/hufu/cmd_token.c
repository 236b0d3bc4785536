/*
 * `hufu token list|record|add|move|mine|escrow`: the inventory, without a token in a slot. Next: cmd_token_card.c.
 */
#include "tools/hufu/cmd_token.h"

#include "tools/hufu/escrow.h"

#include <string.h>

void token_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

/* --- lists --- */

static void flatten(json_t *row)
{
	json_t *holder = json_object_get(row, "holder");
	const char *name = json_string_value(json_object_get(holder, "organisation"));
	json_object_set_new(row, "organisation", name ? json_string(name) : json_null());
	json_object_set_new(row, "puk", json_string(json_is_true(json_object_get(row, "puk_held")) ? "held" : "-"));
}

static int print_tokens(struct cli *c, const char *method, json_t *params, bool session)
{
	static const struct column columns[] = {{"token", "TOKEN"},
						{"model", "MODEL"},
						{"label", "LABEL"},
						{"state", "STATE"},
						{"organisation", "HOLDER"},
						{"keeper", "KEEPER"},
						{"certificate", "CERTIFICATE"},
						{"puk", "PUK"}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *row;
	size_t i;
	if (cli_desk(c, method, params, session, false, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(r);
		return EXIT_DONE;
	}
	json_array_foreach(json_object_get(r, "tokens"), i, row) flatten(row);
	cli_table(c, columns, sizeof columns / sizeof columns[0], json_object_get(r, "tokens"));
	const char *next = json_string_value(json_object_get(r, "next"));
	if (next)
		printf("more: --after %s\n", ESC(next, strlen(next)));
	return EXIT_DONE;
}

int run_token_list(struct cli *c, int argc, char **argv)
{
	const char *token = NULL, *holder = NULL, *keeper = NULL, *state = NULL, *after = NULL;
	const struct option_rule rules[] = {
		{.name = "--token", .value = &token},	{.name = "--holder", .value = &holder},
		{.name = "--keeper", .value = &keeper}, {.name = "--state", .value = &state},
		{.name = "--after", .value = &after},	{0}};
	if (!cli_options(cli_command(commands_token, run_token_list), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	json_t *p = json_object();
	token_text(p, "token", token);
	token_text(p, "identifier", holder);
	token_text(p, "keeper", keeper);
	token_text(p, "state", state);
	token_text(p, "after", after);
	return print_tokens(c, "token.list", p, false);
}

int run_token_mine(struct cli *c, int argc, char **argv)
{
	const char *after = NULL;
	const struct option_rule rules[] = {{.name = "--after", .value = &after}, {0}};
	if (!cli_options(cli_command(commands_token, run_token_mine), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	json_t *p = json_object();
	token_text(p, "after", after);
	return print_tokens(c, "token.mine", p, true);
}

/* --- one --- */

int run_token_record(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"at", "WHEN"}, {"from", "FROM"}, {"to", "TO"}, {"who", "WHO"},
						{"why", "WHY"}, {"zh", ""},	  {"en", ""}};
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cli_command(commands_token, run_token_record), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_desk(c, "token.show", json_pack("{s:s}", "token", argv[1]), false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(r);
		return EXIT_DONE;
	}
	static const char *const shown[] = {"token", "model", "label", "state", "keeper", "certificate"};
	flatten(r);
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		const char *text = json_string_value(json_object_get(r, shown[i]));
		printf("%s: %s\n", shown[i], text && *text ? ESC(text, strlen(text)) : "-");
	}
	const char *holder = json_string_value(json_object_get(r, "organisation"));
	printf("holder: %s\nPUK: %s\n", holder ? ESC(holder, strlen(holder)) : "-",
	       json_is_true(json_object_get(r, "puk_held")) ? "held, sealed to the token key" : "not held");
	cli_table(c, columns, sizeof columns / sizeof columns[0], json_object_get(r, "history"));
	return EXIT_DONE;
}

int run_token_add(struct cli *c, int argc, char **argv)
{
	const char *model = NULL, *label = NULL, *state = NULL, *holder = NULL, *keeper = NULL, *cert = NULL,
		   *as = NULL, *puk_fd = NULL;
	const struct option_rule rules[] = {{.name = "--model", .value = &model},
					    {.name = "--label", .value = &label},
					    {.name = "--state", .value = &state},
					    {.name = "--holder", .value = &holder},
					    {.name = "--keeper", .value = &keeper},
					    {.name = "--certificate", .value = &cert},
					    {.name = "--puk-fd", .value = &puk_fd},
					    {.name = "--as", .value = &as},
					    {0}};
	_cleanup_(puk_set_done) struct puk_set puk = {0};
	_cleanup_buf_ struct buf box = {0}, text = {0};
	struct puk_key key;
	struct fault f = {0};
	if (!cli_options(cli_command(commands_token, run_token_add), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (puk_fd) {
		puk.n = 1;
		if (cli_load(c, &f) != OK || puk_key_load(c->token_key, &key, &f) != OK ||
		    ask_secret(puk_fd, "--puk-fd", "PUK: ", false, &puk.puk[0], &f) != OK ||
		    puk_seal(key.key, argv[1], &puk, &box, &f) != OK)
			return cli_fail(c, &f);
		buf_base64(&text, box.data, box.len);
	}
	json_t *p = json_pack("{s:s}", "token", argv[1]);
	token_text(p, "model", model);
	token_text(p, "label", label);
	token_text(p, "state", state);
	token_text(p, "identifier", holder);
	token_text(p, "keeper", keeper);
	token_text(p, "certificate", cert);
	token_text(p, "officer", as);
	token_text(p, "puk", puk_fd ? buf_text(&text) : NULL);
	return cli_show(c, "token.add", p, false, true);
}

int run_token_move(struct cli *c, int argc, char **argv)
{
	const char *to = NULL, *why = NULL, *holder = NULL, *cert = NULL, *as = NULL;
	const struct option_rule rules[] = {
		{.name = "--to", .value = &to},		{.name = "--why", .value = &why},
		{.name = "--holder", .value = &holder}, {.name = "--certificate", .value = &cert},
		{.name = "--as", .value = &as},		{0}};
	const struct command *cmd = cli_command(commands_token, run_token_move);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!to || !why)
		return cli_usage(cmd, "%s is missing", to ? "--why TEXT" : "--to STATE");
	json_t *p = json_pack("{s:s,s:s,s:s}", "token", argv[1], "to", to, "why", why);
	token_text(p, "identifier", holder);
	token_text(p, "certificate", cert);
	token_text(p, "officer", as);
	return cli_show(c, "token.move", p, false, true);
}

/* --- the token key --- */

int run_token_escrow(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	bool plain = false;
	const struct option_rule rules[] = {
		{.name = "--passphrase-fd", .value = &fd}, {.name = "--plain", .flag = &plain}, {0}};
	_cleanup_(escrow_done) struct escrow_key key = {0};
	_cleanup_secret_ struct secret pass = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_token, run_token_escrow), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (c->dry_run)
		return cli_said(c, json_pack("{s:s,s:b}", "file", argv[1], "dry_run", 1),
				"%s and %s.pub: would be written (dry run)\n", argv[1], argv[1]);
	if (!plain && ask_secret(fd, "--passphrase-fd", "Passphrase for the token key: ", true, &pass, &f) != OK)
		return cli_fail(c, &f);
	if (escrow_make(argv[1], plain ? NULL : &pass, &key, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s,s:s+}", "file", argv[1], "public", argv[1], ".pub"),
			"%s: written (0600), for the officers who unlock\n%s.pub: written; name it in ra.yaml (tokens: "
			"key) and in "
			"every client's hufu.yaml (token_key)\n",
			argv[1], argv[1]);
}

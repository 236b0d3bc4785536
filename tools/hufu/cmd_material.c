/*
 * `hufu request material …`: files of a request, one by one.
 */
#include "tools/hufu/material.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

int run_material_add(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	_cleanup_(json_freep) json_t *list = json_array();
	struct fault f = {0};
	if (!cli_options(cli_command(commands_request, run_material_add), rules, &argc, argv, 2, 33))
		return EXIT_CONFIG;
	for (int i = 2; i < argc; i++) {
		json_t *r = NULL;
		if (material_upload_spec(c, argv[1], argv[i], &r, &f) != OK)
			return cli_fail(c, &f);
		json_array_append_new(list, r);
		if (!c->json)
			printf("%s: %s\n", argv[i], c->dry_run ? "would be uploaded (dry run)" : "there");
	}
	if (c->json)
		cli_print_json(list);
	return EXIT_DONE;
}

static bool read_hash(const char *text, uint8_t ret[32])
{
	return strlen(text) == 64 && hex_decode(text, 64, ret, 32);
}

int run_material_get(struct cli *c, int argc, char **argv)
{
	const char *dir = ".";
	bool officer = false;
	const struct option_rule rules[] = {
		{.name = "--out", .value = &dir}, {.name = "--officer", .flag = &officer}, {0}};
	const struct command *cmd = cli_command(commands_request, run_material_get);
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(freep) char *path = NULL;
	uint8_t hash[32];
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 3, 3))
		return EXIT_CONFIG;
	if (!read_hash(argv[3], hash))
		return cli_usage(cmd, "\"%s\": wanted a SHA-256, 64 hex characters", ESC(argv[3], strlen(argv[3])));
	if (material_download(c, "request", argv[1], argv[2], hash, !officer, &bytes, &f) != OK ||
	    material_save(dir, argv[2], hash, buf_slice(&bytes), &path, &f) != OK)
		return cli_fail(c, &f);
	json_t *o = json_pack("{s:s,s:I}", "file", path, "bytes", (json_int_t)bytes.len);
	return cli_said(c, o, "%s: %zu bytes, SHA-256 as asked for\n", path, bytes.len);
}

int run_material_remove(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_request, run_material_remove), rules, &argc, argv, 3, 3))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s,s:s,s:s}", "request", argv[1], "name", argv[2], "sha256", argv[3]);
	if (c->dry_run) {
		cli_print_json(p);
		json_decref(p);
		return EXIT_DONE;
	}
	return cli_show(c, "material.remove", p, true, true);
}

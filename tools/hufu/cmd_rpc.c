/*
 * `hufu rpc METHOD JSON`: any call of the desk, for scripts and for what has no command of its own.
 */
#include "tools/hufu/cli.h"

#include <string.h>

static int run_rpc(struct cli *c, int argc, char **argv)
{
	bool session = false, call_id = false;
	const struct option_rule rules[] = {
		{.name = "--session", .flag = &session}, {.name = "--call-id", .flag = &call_id}, {0}};
	const struct command *cmd = cli_command(commands_rpc, run_rpc);
	if (!cli_options(cmd, rules, &argc, argv, 1, 2))
		return EXIT_CONFIG;
	json_error_t je;
	const char *text = argc > 2 ? argv[2] : "{}";
	json_t *params = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	if (!json_is_object(params)) {
		json_decref(params);
		return cli_usage(cmd, "JSON: %s at column %d; wanted an object such as '{\"query\": \"金华\"}'",
				 params ? "not an object" : je.text, je.column);
	}
	struct fault f = {0};
	json_t *result = NULL;
	if (cli_desk(c, argv[1], params, session, call_id, &result, &f) != OK)
		return cli_fail(c, &f);
	cli_print_json(result);
	json_decref(result);
	return EXIT_DONE;
}

const struct command commands_rpc[] = {
	{.name = "rpc",
	 .usage = "[--session] [--call-id] METHOD [JSON]",
	 .summary = "call a method of the desk",
	 .help = "  --session   add the session of `hufu login`\n"
		 "  --call-id   add a fresh call_id, which changing methods want\n\n"
		 "Examples:\n"
		 "  hufu rpc rpc.discover\n"
		 "  hufu rpc project.search '{\"query\": \"金华\"}'\n"
		 "  hufu rpc --session account.show",
	 .run = run_rpc},
	{0},
};

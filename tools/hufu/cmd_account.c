/*
 * `hufu account …`: codes by SMS, sessions, a forgotten password; and the officer's code for a
 * first log-in. Next: cmd_account_prove.c.
 */
#include "common/base/file.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

/* --- codes and pictures --- */

int run_account_sms(struct cli *c, int argc, char **argv)
{
	const char *purpose = NULL, *mobile = NULL, *picture = NULL, *code = NULL;
	const struct option_rule rules[] = {{.name = "--for", .value = &purpose},
					    {.name = "--mobile", .value = &mobile},
					    {.name = "--picture", .value = &picture},
					    {.name = "--picture-code", .value = &code},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_sms);
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!purpose)
		return cli_usage(cmd, "--for PURPOSE is missing: bind, recorded, old, new, forgot or register");
	bool anonymous = strcmp(purpose, "forgot") == 0 || strcmp(purpose, "register") == 0;
	return cli_show(c, "account.sms",
			json_pack("{s:s,s:s*,s:s*,s:s*}", "purpose", purpose, "mobile", mobile, "picture", picture,
				  "picture_code", code),
			!anonymous, true);
}

int run_account_picture(struct cli *c, int argc, char **argv)
{
	const char *out = NULL;
	const struct option_rule rules[] = {{.name = "--out", .value = &out}, {0}};
	const struct command *cmd = cli_command(commands_account, run_account_picture);
	_cleanup_(json_freep) json_t *r = NULL;
	_cleanup_buf_ struct buf png = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!out)
		return cli_usage(cmd, "--out FILE is missing");
	if (cli_desk(c, "account.picture", NULL, false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	const char *content = json_string_value(json_object_get(r, "png"));
	const char *id = json_string_value(json_object_get(r, "picture"));
	if (!content || !id || !base64_decode(content, strlen(content), &png)) {
		(void)fault_raise(&f, ERR_PARSE, "desk_answer", "png", "the desk's answer has no picture");
		return cli_fail(c, &f);
	}
	if (!c->dry_run && file_write(out, buf_slice(&png), 0600, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:s,s:s}", "picture", id, "file", out), "picture: %s\nfile: %s\n", id, out);
}

int run_account_forgot(struct cli *c, int argc, char **argv)
{
	const char *mobile = NULL, *fd = NULL, *code_fd = NULL;
	const struct option_rule rules[] = {{.name = "--mobile", .value = &mobile},
					    {.name = "--password-fd", .value = &fd},
					    {.name = "--sms-code-fd", .value = &code_fd},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_forgot);
	_cleanup_secret_ struct secret password = {0}, code = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!mobile)
		return cli_usage(cmd, "--mobile NUMBER is missing: the one that logs in");
	if (ask_secret(code_fd, "--sms-code-fd", "Code of the message: ", false, &code, &f) != OK ||
	    ask_secret(fd, "--password-fd", "New password: ", true, &password, &f) != OK)
		return cli_fail(c, &f);
	return cli_show(c, "account.forgot",
			json_pack("{s:s,s:o,s:o}", "mobile", mobile, "sms_code", secret_string(&code), "new_password",
				  secret_string(&password)),
			false, true);
}

/* --- sessions --- */

int run_account_choose(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_account, run_account_choose), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, "account.choose", json_pack("{s:s}", "identifier", argv[1]), true, true);
}

int run_account_sessions(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"id", "ID"},	      {"this", "THIS"}, {"address", "FROM"},
						{"created", "SINCE"}, {"used", "USED"}, {"expires", "EXPIRES"}};
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_account, run_account_sessions), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	return cli_list(c, "account.sessions", NULL, "sessions", columns, 6, &f);
}

int run_account_end(struct cli *c, int argc, char **argv)
{
	bool all = false;
	const struct option_rule rules[] = {{.name = "--all", .flag = &all}, {0}};
	const struct command *cmd = cli_command(commands_account, run_account_end);
	if (!cli_options(cmd, rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	if (all == (argc == 2))
		return cli_usage(cmd, "wanted the id of a session, or --all");
	return cli_show(c, "account.end", all ? NULL : json_pack("{s:s}", "id", argv[1]), true, true);
}

/* --- officers --- */

int run_account_grant(struct cli *c, int argc, char **argv)
{
	const char *reason = NULL;
	const struct option_rule rules[] = {{.name = "--reason", .value = &reason}, {0}};
	const struct command *cmd = cli_command(commands_account, run_account_grant);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!reason)
		return cli_usage(cmd, "--reason TEXT is missing: what you have looked at");
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would give a code (dry run)\n");
	return cli_show(c, "account.grant", json_pack("{s:s,s:s}", "identifier", argv[1], "reason", reason), false,
			false);
}

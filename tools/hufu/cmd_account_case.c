/*
 * `hufu account register|link|agent|freeze|licence|check` for subscribers, `hufu account cases|case|decide` for officers.
 */
#include "common/base/file.h"
#include "tools/hufu/material.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

#define LICENCE_MAX (20u * 1024u * 1024u)
#define LICENCE_AT_ONCE (512u * 1024u) /* goes with the call; a larger one in parts, after it */

/* --- subscribers --- */

int run_account_register(struct cli *c, int argc, char **argv)
{
	const char *organisation = NULL, *agent = NULL, *mobile = NULL, *fd = NULL, *code_fd = NULL;
	const struct option_rule rules[] = {{.name = "--organisation", .value = &organisation},
					    {.name = "--agent", .value = &agent},
					    {.name = "--mobile", .value = &mobile},
					    {.name = "--sms-code-fd", .value = &code_fd},
					    {.name = "--password-fd", .value = &fd},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_register);
	_cleanup_secret_ struct secret password = {0}, code = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!organisation || !agent || !mobile)
		return cli_usage(cmd, "--organisation, --agent and --mobile are wanted");
	if (ask_secret(code_fd, "--sms-code-fd", "Code of the message: ", false, &code, &f) != OK ||
	    ask_secret(fd, "--password-fd", "New password: ", true, &password, &f) != OK)
		return cli_fail(c, &f);
	return cli_show(c, "account.register",
			json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "identifier", argv[1], "organisation", organisation,
				  "agent", agent, "mobile", mobile, "sms_code", secret_string(&code), "new_password",
				  secret_string(&password)),
			false, true);
}

int run_account_link(struct cli *c, int argc, char **argv)
{
	const char *organisation = NULL, *agent = NULL, *code_fd = NULL;
	const struct option_rule rules[] = {{.name = "--organisation", .value = &organisation},
					    {.name = "--agent", .value = &agent},
					    {.name = "--sms-code-fd", .value = &code_fd},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_link);
	_cleanup_secret_ struct secret code = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!organisation)
		return cli_usage(cmd, "--organisation is wanted");
	if (ask_secret(code_fd, "--sms-code-fd", "Code of the message: ", false, &code, &f) != OK)
		return cli_fail(c, &f);
	return cli_show(c, "account.link",
			json_pack("{s:s,s:s,s:s*,s:o}", "identifier", argv[1], "organisation", organisation, "agent",
				  agent, "sms_code", secret_string(&code)),
			true, true);
}

int run_account_check(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	const struct command *cmd = cli_command(commands_account, run_account_check);
	if (!cli_options(cmd, rules, &argc, argv, 2, 2))
		return EXIT_CONFIG;
	if (strncmp(argv[1], "new_password", 12) == 0)
		return cli_usage(cmd, "a password is not for the command line");
	return cli_show(c, "account.check", json_pack("{s:s,s:s}", "field", argv[1], "value", argv[2]), false, false);
}

struct agent {
	const char *agent, *mobile, *text, *new_fd, *old_fd, *fd;
};

static enum err agent_params(const struct agent *o, json_t **ret, struct fault *f)
{
	_cleanup_secret_ struct secret new_code = {0}, old_code = {0}, password = {0};
	TRY(ask_secret(o->new_fd, "--new-code-fd", "Code sent to the new number: ", false, &new_code, f));
	*ret = json_pack("{s:s,s:s,s:s,s:o,s:s*}", "agent", o->agent, "mobile", o->mobile, "way",
			 o->text ? "officer" : "sms", "new_code", secret_string(&new_code), "text", o->text);
	if (o->text)
		return OK;
	TRY(ask_secret(o->old_fd, "--old-code-fd", "Code sent to the number of before: ", false, &old_code, f));
	TRY(ask_secret(o->fd, "--password-fd", "New password: ", true, &password, f));
	json_object_set_new(*ret, "old_code", secret_string(&old_code));
	json_object_set_new(*ret, "new_password", secret_string(&password));
	return OK;
}

int run_account_agent(struct cli *c, int argc, char **argv)
{
	struct agent o = {0};
	const struct option_rule rules[] = {{.name = "--agent", .value = &o.agent},
					    {.name = "--mobile", .value = &o.mobile},
					    {.name = "--officer", .value = &o.text},
					    {.name = "--new-code-fd", .value = &o.new_fd},
					    {.name = "--old-code-fd", .value = &o.old_fd},
					    {.name = "--password-fd", .value = &o.fd},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_agent);
	_cleanup_(json_freep) json_t *p = NULL;
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!o.agent || !o.mobile)
		return cli_usage(cmd, "--agent NAME and --mobile NUMBER are wanted");
	if (agent_params(&o, &p, &f) != OK)
		return cli_fail(c, &f);
	return cli_show(c, "account.agent", TAKE(p), true, true);
}

int run_account_freeze(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	const struct option_rule rules[] = {{.name = "--code-fd", .value = &fd}, {0}};
	_cleanup_secret_ struct secret code = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_account, run_account_freeze), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (ask_secret(fd, "--code-fd", "Code of the notice: ", false, &code, &f) != OK)
		return cli_fail(c, &f);
	return cli_show(c, "account.freeze", json_pack("{s:o}", "code", secret_string(&code)), false, true);
}

/* The case first, then the file in parts. */
static int licence_in_parts(struct cli *c, json_t *params, const char *path)
{
	_cleanup_(json_freep) json_t *r = NULL, *put = NULL;
	struct fault f = {0};
	if (cli_desk(c, "account.licence", params, false, true, &r, &f) != OK)
		return cli_fail(c, &f);
	const char *id = json_string_value(json_object_get(r, "case"));
	if (!id)
		return cli_fail(c, (fault_raise(&f, ERR_NET, "desk_answer", "account.licence", "no case in it"), &f));
	if (material_upload(c, "case", id, "business-licence", path, &put, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, TAKE(r), "case: %s\nzh: 服务台会与您联系\nen: the desk will contact you\n", id);
}

int run_account_licence(struct cli *c, int argc, char **argv)
{
	const char *organisation = NULL, *agent = NULL, *mobile = NULL, *text = NULL, *picture = NULL, *code = NULL;
	const struct option_rule rules[] = {{.name = "--organisation", .value = &organisation},
					    {.name = "--agent", .value = &agent},
					    {.name = "--mobile", .value = &mobile},
					    {.name = "--text", .value = &text},
					    {.name = "--picture", .value = &picture},
					    {.name = "--picture-code", .value = &code},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_licence);
	_cleanup_buf_ struct buf bytes = {0}, content = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!organisation || !agent || !mobile)
		return cli_usage(cmd, "--organisation, --agent and --mobile are wanted");
	if (file_read(argv[1], LICENCE_MAX, &bytes, &f) != OK)
		return cli_fail(c, &f);
	json_t *p = json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:s*}", "organisation", organisation, "agent", agent, "mobile",
			      mobile, "text", text, "picture", picture, "picture_code", code);
	if (bytes.len > LICENCE_AT_ONCE && !c->dry_run)
		return licence_in_parts(c, p, argv[1]);
	buf_base64(&content, bytes.data, bytes.len);
	json_object_set_new(p, "content", json_string(buf_text(&content)));
	return cli_show(c, "account.licence", p, false, true);
}

/* --- officers --- */

int run_account_cases(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"case", "CASE"},   {"kind", "KIND"},	  {"state", "STATE"}, {"organisation", "ORGANISATION"},
		{"agent", "AGENT"}, {"mobile", "MOBILE"}, {"made", "SINCE"}};
	const char *state = NULL, *page = NULL, *after = NULL;
	const struct option_rule rules[] = {{.name = "--state", .value = &state},
					    {.name = "--page", .value = &page},
					    {.name = "--after", .value = &after},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_cases);
	_cleanup_(json_freep) json_t *r = NULL;
	struct fault f = {0};
	uint64_t number = 1;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (page && !u64_parse(page, strlen(page), 1000000, &number))
		return cli_usage(cmd, "--page \"%s\" is not a number", ESC(page, strlen(page)));
	if (cli_desk(c, "account.cases",
		     json_pack("{s:I,s:s*,s:s*}", "page", (json_int_t)number, "state", state, "after", after), false,
		     false, &r, &f) != OK)
		return cli_fail(c, &f);
	cli_table(c, columns, sizeof columns / sizeof columns[0], json_object_get(r, "cases"));
	if (!c->json)
		cli_list_end(r);
	return EXIT_DONE;
}

int run_account_find(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"identifier", "IDENTIFIER"},
						{"organisation", "ORGANISATION"},
						{"agent", "AGENT"},
						{"mobile", "MOBILE ON RECORD"},
						{"login_mobile", "LOGS IN BY"}};
	const char *page = NULL, *after = NULL;
	const struct option_rule rules[] = {
		{.name = "--page", .value = &page}, {.name = "--after", .value = &after}, {0}};
	const struct command *cmd = cli_command(commands_account, run_account_find);
	struct fault f = {0};
	uint64_t number = 1;
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (page && !u64_parse(page, strlen(page), 1000000, &number))
		return cli_usage(cmd, "--page \"%s\" is not a number", ESC(page, strlen(page)));
	return cli_rows(c, "account.find",
			json_pack("{s:s,s:I,s:s*}", "search", argv[1], "page", (json_int_t)number, "after", after),
			false, "accounts", columns, sizeof columns / sizeof columns[0], &f);
}

static enum err keep_file(struct cli *c, json_t *r, const char *out, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	json_t *first = json_array_get(json_object_get(r, "materials"), 0);
	const char *hex = json_string_value(json_object_get(first, "sha256")),
		   *name = json_string_value(json_object_get(first, "name"));
	uint8_t hash[32];
	if (!name || !hex || strlen(hex) != 64 || !hex_decode(hex, 64, hash, 32))
		return fault_raise(f, ERR_NOT_FOUND, "case_file", "--out", "the case has no file");
	TRY(material_download(c, "case", json_string_value(json_object_get(r, "case")), name, hash, false, &bytes, f));
	return file_write_new(out, buf_slice(&bytes), 0600, f);
}

int run_account_case(struct cli *c, int argc, char **argv)
{
	const char *out = NULL;
	const struct option_rule rules[] = {{.name = "--out", .value = &out}, {0}};
	_cleanup_(json_freep) json_t *r = NULL;
	struct fault f = {0};
	const char *key;
	json_t *v;
	if (!cli_options(cli_command(commands_account, run_account_case), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_desk(c, "account.case", json_pack("{s:s}", "case", argv[1]), false, false, &r, &f) != OK ||
	    (out && !c->dry_run && keep_file(c, r, out, &f) != OK))
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(r);
		return EXIT_DONE;
	}
	json_object_foreach(r, key, v)
	{
		_cleanup_(freep) char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT);
		printf("%s: %s\n", key, text ? text : json_string_value(v));
	}
	return EXIT_DONE;
}

int run_account_decide(struct cli *c, int argc, char **argv)
{
	const char *answer = NULL;
	bool accept = false, refuse = false;
	const struct option_rule rules[] = {{.name = "--accept", .flag = &accept},
					    {.name = "--refuse", .flag = &refuse},
					    {.name = "--answer", .value = &answer},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_decide);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (accept == refuse || !answer)
		return cli_usage(cmd, "wanted --accept or --refuse, and --answer TEXT");
	return cli_show(
		c, "account.decide",
		json_pack("{s:s,s:s,s:s}", "case", argv[1], "decision", accept ? "accept" : "refuse", "answer", answer),
		false, true);
}

/*
 * `hufu notice list|show|retry`: messages to people, as officers look after them; `hufu account contact` for subscribers.
 */
#include "tools/hufu/subscriber.h"

#include <string.h>

static int run_notice_list(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"notice", "NOTICE"},	 {"channel", "BY"},    {"to", "TO"},
						{"identifier", "ABOUT"}, {"template", "WHAT"}, {"state", "STATE"},
						{"made", "MADE"},	 {"tries", "TRIES"},   {"error", "WHY"}};
	const char *state = NULL, *channel = NULL, *identifier = NULL, *before = NULL, *limit = NULL;
	const struct option_rule rules[] = {
		{.name = "--state", .value = &state},	     {.name = "--channel", .value = &channel},
		{.name = "--account", .value = &identifier}, {.name = "--before", .value = &before},
		{.name = "--limit", .value = &limit},	     {0}};
	const struct command *cmd = cli_command(commands_notice, run_notice_list);
	_cleanup_(json_freep) json_t *r = NULL;
	struct fault f = {0};
	uint64_t n = 20;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (limit && !u64_parse(limit, strlen(limit), 100, &n))
		return cli_usage(cmd, "--limit \"%s\": wanted a number from 1 to 100", ESC(limit, strlen(limit)));
	if (cli_desk(c, "notice.list",
		     json_pack("{s:s*,s:s*,s:s*,s:s*,s:I}", "state", state, "channel", channel, "identifier",
			       identifier, "before", before, "limit", (json_int_t)n),
		     false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	json_t *rows = json_object_get(r, "notices");
	cli_table(c, columns, sizeof columns / sizeof columns[0], rows);
	if (!c->json && json_is_true(json_object_get(r, "more")))
		printf("more: hufu notice list --before %s\n",
		       json_string_value(json_object_get(json_array_get(rows, json_array_size(rows) - 1), "notice")));
	return EXIT_DONE;
}

static int run_notice_show(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_notice, run_notice_show), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, "notice.show", json_pack("{s:s}", "notice", argv[1]), false, false);
}

static int run_notice_retry(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_notice, run_notice_retry), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, "notice.retry", json_pack("{s:s}", "notice", argv[1]), false, true);
}

int run_account_contact(struct cli *c, int argc, char **argv)
{
	const char *mail = NULL, *language = NULL;
	bool none = false;
	const struct option_rule rules[] = {{.name = "--mail", .value = &mail},
					    {.name = "--no-mail", .flag = &none},
					    {.name = "--language", .value = &language},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_contact);
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if ((mail && none) || (!mail && !none && !language))
		return cli_usage(cmd, "wanted --mail ADDRESS or --no-mail, or --language zh or en, or both");
	return cli_show(c, "account.contact", json_pack("{s:s*,s:s*}", "mail", none ? "" : mail, "language", language),
			true, true);
}

const struct command commands_notice[] = {
	{.name = "notice list",
	 .usage = "[--state STATE] [--channel CHANNEL] [--account IDENTIFIER] [--before NOTICE] [--limit N]",
	 .summary = "officer: messages to people, newest first",
	 .help = "  --state STATE          waiting, sent, failed, expired or unsendable\n"
		 "  --channel CHANNEL      sms or mail\n"
		 "  --account IDENTIFIER   about this organisation\n"
		 "  --before NOTICE        the next page: behind this one\n"
		 "  --limit N              rows, 20 when not given, 100 at most\n\n"
		 "Example:\n  hufu notice list --state failed",
	 .run = run_notice_list},
	{.name = "notice show",
	 .usage = "NOTICE",
	 .summary = "officer: one message",
	 .help = "What it says is shown while it waits or has failed, and never when it holds a code.\n\n"
		 "Example:\n  hufu notice show 29f0f1474c757e81f2432a485ffacf18",
	 .run = run_notice_show},
	{.name = "notice retry",
	 .usage = "NOTICE",
	 .summary = "officer: send a failed message again",
	 .help = "A message that is dead (a code after ten minutes) is not sent.\n\n"
		 "Example:\n  hufu notice retry 29f0f1474c757e81f2432a485ffacf18",
	 .run = run_notice_retry},
	{0},
};

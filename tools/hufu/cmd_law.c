/*
 * `hufu desk show|check|reload|resume|lost`, `hufu calendar show`: what the desk goes by. The files are changed where they lie, and reviewed and
 * signed as the operator's guide says; here they are looked at, tried, and read again.
 */
#include "tools/hufu/subscriber.h"

#include <string.h>

static void print_lines(json_t *lines)
{
	json_t *v;
	size_t i;
	json_array_foreach(lines, i, v) puts(json_string_value(v) ? json_string_value(v) : "");
}

/* A call without parameters whose answer has one list of lines. */
static int show_lines(struct cli *c, const char *method, const char *key, bool changes, json_t **ret)
{
	struct fault f = {0};
	if (cli_desk(c, method, NULL, false, changes, ret, &f) != OK)
		return cli_fail(c, &f);
	if (c->json)
		cli_print_json(*ret);
	else
		print_lines(json_object_get(*ret, key));
	return EXIT_DONE;
}

static int run_desk_show(struct cli *c, int argc, char **argv)
{
	_cleanup_(json_freep) json_t *r = NULL;
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_law, run_desk_show), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	return show_lines(c, "desk.law", "facts", false, &r);
}

static int run_calendar_show(struct cli *c, int argc, char **argv)
{
	_cleanup_(json_freep) json_t *r = NULL;
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_law, run_calendar_show), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	return show_lines(c, "calendar.show", "facts", false, &r);
}

static int tell_changes(struct cli *c, const char *method, bool changes, const char *done)
{
	_cleanup_(json_freep) json_t *r = NULL;
	int rc = show_lines(c, method, "changes", changes, &r);
	if (rc != EXIT_DONE || c->json)
		return rc;
	if (json_array_size(json_object_get(r, "changes")) == 0)
		puts("nothing is different");
	if (!json_is_true(json_object_get(r, "quorum")))
		puts("the policy note holds no quorum of the roster's officers: the signer will not take it");
	puts(done);
	return EXIT_DONE;
}

static int run_desk_check(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_law, run_desk_check), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	return tell_changes(c, "desk.check", false, "the files can be used; nothing was changed");
}

static int run_desk_reload(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_law, run_desk_reload), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (c->dry_run)
		return tell_changes(c, "desk.check", false, "the files can be used; nothing was changed (dry run)");
	return tell_changes(c, "desk.reload", true, "the files are in force");
}

/* --- after a restore --- */

static int run_desk_resume(struct cli *c, int argc, char **argv)
{
	_cleanup_(json_freep) json_t *r = NULL;
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_law, run_desk_resume), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1),
				"would go on with the restored ledger (dry run); hufu health says how it stands\n");
	if (cli_desk(c, "desk.resume", NULL, false, true, &r, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(
		c, json_incref(r),
		"the desk follows the restored ledger, by the word of entry %lld: %lld entries are lost, and %lld "
		"certificates or states that the desk knows from them (hufu desk lost)\n",
		(long long)json_integer_value(json_object_get(r, "entry")),
		(long long)json_integer_value(json_object_get(r, "lost_entries")),
		(long long)json_integer_value(json_object_get(r, "noted")));
}

static int run_desk_lost(struct cli *c, int argc, char **argv)
{
	_cleanup_(json_freep) json_t *r = NULL;
	const char *page = NULL;
	const struct option_rule rules[] = {{.name = "--page", .value = &page}, {0}};
	const struct column columns[] = {{"serial", "SERIAL"}, {"name", "NAME"},   {"lost", "LOST"},
					 {"state", "STATE"},   {"entry", "ENTRY"}, {"restored_entry", "RESTORED"}};
	const struct command *cmd = cli_command(commands_law, run_desk_lost);
	struct fault f = {0};
	uint64_t n = 1;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (page && (!u64_parse(page, strlen(page), 1000000, &n) || n == 0))
		return cli_usage(cmd, "--page: found \"%s\", wanted a number from 1", page);
	json_t *params = json_pack("{s:I,s:i}", "page", (json_int_t)n, "per_page", 100);
	if (cli_desk(c, "desk.lost", params, false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	cli_table(c, columns, sizeof columns / sizeof columns[0], json_object_get(r, "lost"));
	if (!c->json)
		printf("%lld in all\n", (long long)json_integer_value(json_object_get(r, "total")));
	return EXIT_DONE;
}

const struct command commands_law[] = {
	{.name = "desk show",
	 .usage = "",
	 .summary = "what the desk goes by: policy, roster, prices, contacts, calendar",
	 .help = "A line for each fact. Administrators see the callers of ra.yaml too.\n\nExample:\n  hufu desk show",
	 .run = run_desk_show},
	{.name = "desk check",
	 .usage = "",
	 .summary = "administrator: what reading policies, roster and calendar again would change",
	 .help = "Lines that go are marked -, lines that come +. A file that cannot be used is named.\n\n"
		 "Example:\n  hufu desk check",
	 .run = run_desk_check},
	{.name = "desk reload",
	 .usage = "",
	 .summary = "administrator: read policies, roster and calendar again",
	 .help = "The difference goes into the audit. On an error what is in force stays.\n\n"
		 "Example:\n  hufu desk reload",
	 .run = run_desk_reload},
	{.name = "desk resume",
	 .usage = "",
	 .summary = "administrator: go on with a ledger that was restored",
	 .help = "After `hufu ledger resume`: the desk notes what it knows from entries that are gone, follows the "
		 "ledger "
		 "again\nfrom its beginning, and takes work.\n\nExample:\n  hufu desk resume",
	 .run = run_desk_resume},
	{.name = "desk lost",
	 .usage = "[--page N]",
	 .summary = "officers: certificates and states from entries that a restore has lost",
	 .help = "The signer does not know them: it can neither extend nor revoke such a certificate.\n"
		 "  --page N   a hundred rows each\n\nExample:\n  hufu desk lost",
	 .run = run_desk_lost},
	{.name = "calendar show",
	 .usage = "",
	 .summary = "the desk's hours, days off and make-up working days",
	 .help = "Example:\n  hufu calendar show",
	 .run = run_calendar_show},
	{0},
};

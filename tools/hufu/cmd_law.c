/*
 * `hufu desk show|check|reload`, `hufu calendar show`: what the desk goes by. The files are changed where they lie, and reviewed and
 * signed as the operator's guide says; here they are looked at, tried, and read again.
 */
#include "tools/hufu/subscriber.h"

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
	{.name = "calendar show",
	 .usage = "",
	 .summary = "the desk's hours, days off and make-up working days",
	 .help = "Example:\n  hufu calendar show",
	 .run = run_calendar_show},
	{0},
};

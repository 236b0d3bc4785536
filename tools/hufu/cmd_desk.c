/*
 * `hufu officer queue|claim|unclaim|correct|decide|recover`: a day's work at the desk, without a key. What is signed
 * is in cmd_officer.c.
 */
#include "common/base/clock.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

static void set_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

/* What people read in a table: times in Asia/Shanghai, words for flags. */
static void soften(json_t *row)
{
	int64_t t = 0;
	static const char *const times[] = {"due", "claim_ends"};
	for (size_t i = 0; i < 2; i++) {
		const char *text = json_string_value(json_object_get(row, times[i]));
		if (text && time_parse_utc(text, strlen(text), &t))
			json_object_set_new(row, times[i], json_sprintf("%.16s", SHANGHAI(t)));
	}
	json_object_set_new(row, "late", json_string(json_is_true(json_object_get(row, "overdue")) ? "LATE" : ""));
}

int officer_print_queue(struct cli *c, json_t *params)
{
	static const struct column columns[] = {{"number", "NUMBER"},
						{"kind", "KIND"},
						{"way", "WAY"},
						{"project", "PROJECT"},
						{"organisation", "ORGANISATION"},
						{"state", "STATE"},
						{"officers", "OFFICERS"},
						{"due", "DUE"},
						{"late", ""},
						{"claimed_by", "CLAIMED BY"}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *row, *rows;
	size_t i;
	if (cli_desk(c, "review.queue", params, false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(r);
		return EXIT_DONE;
	}
	rows = json_object_get(r, "requests");
	json_array_foreach(rows, i, row) soften(row);
	cli_table(c, columns, sizeof columns / sizeof columns[0], rows);
	json_t *n = json_object_get(r, "counts");
	printf("%lld in this list; of all %lld wait, %lld overdue, %lld claimed\n",
	       (long long)json_integer_value(json_object_get(r, "total")),
	       (long long)json_integer_value(json_object_get(n, "waiting")),
	       (long long)json_integer_value(json_object_get(n, "overdue")),
	       (long long)json_integer_value(json_object_get(n, "claimed")));
	if (json_object_get(r, "next"))
		printf("more: --after %s\n", json_string_value(json_object_get(r, "next")));
	return EXIT_DONE;
}

int run_officer_queue(struct cli *c, int argc, char **argv)
{
	const char *project = NULL, *kind = NULL, *page = NULL, *after = NULL;
	bool overdue = false, claimed = false, unclaimed = false;
	uint64_t number = 1;
	const struct option_rule rules[] = {
		{.name = "--project", .value = &project},    {.name = "--kind", .value = &kind},
		{.name = "--page", .value = &page},	     {.name = "--after", .value = &after},
		{.name = "--overdue", .flag = &overdue},     {.name = "--claimed", .flag = &claimed},
		{.name = "--unclaimed", .flag = &unclaimed}, {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_queue);
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (page && !u64_parse(page, strlen(page), 1000000, &number))
		return cli_usage(cmd, "--page \"%s\" is not a number", ESC(page, strlen(page)));
	if (claimed && unclaimed)
		return cli_usage(cmd, "give --claimed or --unclaimed");
	json_t *p = json_pack("{s:I,s:b}", "page", (json_int_t)number, "overdue", (int)overdue);
	if (claimed || unclaimed)
		json_object_set_new(p, "claimed", json_boolean(claimed));
	set_text(p, "project", project);
	set_text(p, "kind", kind);
	set_text(p, "after", after);
	return officer_print_queue(c, p);
}

/* One request, as this officer. */
static int act(struct cli *c, int (*self)(struct cli *, int, char **), int argc, char **argv, const char *method)
{
	const char *as = NULL;
	const struct option_rule rules[] = {{.name = "--as", .value = &as}, {0}};
	if (!cli_options(cli_command(commands_officer, self), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s}", "request", argv[1]);
	set_text(p, "officer", as);
	return cli_show(c, method, p, false, true);
}

int run_officer_claim(struct cli *c, int argc, char **argv)
{
	return act(c, run_officer_claim, argc, argv, "review.claim");
}
int run_officer_unclaim(struct cli *c, int argc, char **argv)
{
	return act(c, run_officer_unclaim, argc, argv, "review.release_claim");
}
int run_officer_decide(struct cli *c, int argc, char **argv)
{
	return act(c, run_officer_decide, argc, argv, "review.decide");
}

static json_t *items_of(const struct option_list *l, const char **ret_bad)
{
	json_t *a = json_array();
	for (size_t i = 0; i < l->n; i++) {
		const char *eq = strchr(l->v[i], '=');
		if (!eq || eq == l->v[i] || eq[1] == '\0') {
			*ret_bad = l->v[i];
			continue;
		}
		json_array_append_new(
			a, json_pack("{s:s%,s:s}", "item", l->v[i], (size_t)(eq - l->v[i]), "reason", eq + 1));
	}
	return a;
}

int run_officer_correct(struct cli *c, int argc, char **argv)
{
	_cleanup_(option_list_done) struct option_list items = {0};
	const char *as = NULL, *bad = NULL;
	const struct option_rule rules[] = {{.name = "--item", .many = &items}, {.name = "--as", .value = &as}, {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_correct);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (items.n == 0)
		return cli_usage(cmd, "--item ITEM=REASON is missing: what is to be corrected, and why");
	json_t *p = json_pack("{s:s,s:o}", "request", argv[1], "items", items_of(&items, &bad));
	set_text(p, "officer", as);
	if (bad) {
		json_decref(p);
		return cli_usage(cmd, "--item \"%s\": wanted ITEM=REASON, as business-licence=看不清印章",
				 ESC(bad, strlen(bad)));
	}
	return cli_show(c, "review.correct", p, false, true);
}

int run_officer_recover(struct cli *c, int argc, char **argv)
{
	const char *as = NULL, *step = NULL, *note = NULL;
	const struct option_rule rules[] = {{.name = "--step", .value = &step},
					    {.name = "--note", .value = &note},
					    {.name = "--as", .value = &as},
					    {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_recover);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!step || !note)
		return cli_usage(cmd, "%s is missing", !step ? "--step sent|delivered|no_copy|waived" : "--note TEXT");
	json_t *p = json_pack("{s:s,s:s,s:s}", "request", argv[1], "step", step, "note", note);
	set_text(p, "officer", as);
	return cli_show(c, "review.recover", p, false, true);
}

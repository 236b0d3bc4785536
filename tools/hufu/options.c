/*
 * Command-line options: a table for each command, so that every usage error reads alike.
 */
#include "tools/hufu/cli.h"

#include <string.h>

const struct command *cli_command(const struct command *table, int (*run)(struct cli *, int, char **))
{
	while (table->name && table->run != run)
		table++;
	return table;
}

static const struct option_rule *find_rule(const struct option_rule *rules, const char *arg, size_t n)
{
	for (const struct option_rule *r = rules; r->name; r++)
		if (strlen(r->name) == n && memcmp(r->name, arg, n) == 0)
			return r;
	return NULL;
}

static bool unknown_option(const struct command *cmd, const struct option_rule *rules, const char *arg)
{
	const char *names[32];
	size_t n = 0;
	for (const struct option_rule *r = rules; r->name && n < 32; r++)
		names[n++] = r->name;
	const char *near = word_nearest(arg, names, n);
	if (near)
		cli_usage(cmd, "unknown option \"%s\"; did you mean \"%s\"?", ESC(arg, strlen(arg)), near);
	else
		cli_usage(cmd, "unknown option \"%s\"", ESC(arg, strlen(arg)));
	return false;
}

static void give_value(const struct option_rule *r, const char *value)
{
	if (r->value)
		*r->value = value;
	if (r->many) {
		r->many->v = xrealloc(r->many->v, r->many->n + 1, sizeof *r->many->v);
		r->many->v[r->many->n++] = value;
	}
}

/* Takes the option at argv[*i]; *i ends on its last word. */
static bool take_option(const struct command *cmd, const struct option_rule *rules, int argc, char **argv, int *i)
{
	const char *arg = argv[*i];
	size_t n = strcspn(arg, "=");
	const struct option_rule *r = find_rule(rules, arg, n);
	if (!r)
		return unknown_option(cmd, rules, arg);
	if (r->flag) {
		if (arg[n])
			return cli_usage(cmd, "%s takes no value", r->name), false;
		*r->flag = true;
		return true;
	}
	if (!arg[n] && *i + 1 == argc)
		return cli_usage(cmd, "%s wants a value", r->name), false;
	give_value(r, arg[n] ? arg + n + 1 : argv[++*i]);
	return true;
}

bool cli_options(const struct command *cmd, const struct option_rule *rules, int *argc, char **argv, int min, int max)
{
	int left = 1;
	bool literal = false;
	for (int i = 1; i < *argc; i++) {
		if (literal || strncmp(argv[i], "--", 2) != 0)
			argv[left++] = argv[i];
		else if (argv[i][2] == '\0')
			literal = true;
		else if (!take_option(cmd, rules, *argc, argv, &i))
			return false;
	}
	argv[left] = NULL;
	*argc = left;
	if (left - 1 < min)
		return cli_usage(cmd, "too few words: %d given, at least %d wanted", left - 1, min), false;
	if (left - 1 > max)
		return cli_usage(cmd, "too many words: \"%s\" is one more than wanted",
				 ESC(argv[max + 1], strlen(argv[max + 1]))),
		       false;
	return true;
}

/*
 * `hufu officer revoke|hold|release` and `hufu request hold`: what changes a certificate's standing, opened at the desk.
 * With the desk down or captured: `hufu cert revoke --operator`.
 */
#include "tools/hufu/subscriber.h"

#include "common/base/text.h"

#include <string.h>

struct standing {
	const char *reason, *issuer, *way, *as, *hold;
};

static void set_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

static int open_at_desk(struct cli *c, const struct command *cmd, const char *kind, const struct standing *s,
			const char *serial)
{
	uint64_t hold = 0;
	if (s->hold && !u64_parse(s->hold, strlen(s->hold), INT64_MAX, &hold))
		return cli_usage(cmd, "--hold \"%s\": wanted the number of a ledger entry",
				 ESC(s->hold, strlen(s->hold)));
	json_t *p = json_pack("{s:s,s:s}", "kind", kind, "serial", serial);
	set_text(p, "reason", s->reason);
	set_text(p, "issuer", s->issuer);
	set_text(p, "way", s->way);
	set_text(p, "officer", s->as);
	if (s->hold)
		json_object_set_new(p, "hold", json_integer((json_int_t)hold));
	return cli_show(c, "review.prepare", p, false, true);
}

int run_officer_revoke(struct cli *c, int argc, char **argv)
{
	struct standing s = {0};
	const struct option_rule rules[] = {{.name = "--reason", .value = &s.reason},
					    {.name = "--issuer", .value = &s.issuer},
					    {.name = "--way", .value = &s.way},
					    {.name = "--as", .value = &s.as},
					    {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_revoke);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!s.reason)
		return cli_usage(cmd, "--reason WORD is missing (keyCompromise, affiliationChanged, superseded, "
				      "cessationOfOperation …)");
	return open_at_desk(c, cmd, "revoke", &s, argv[1]);
}

int run_officer_hold(struct cli *c, int argc, char **argv)
{
	struct standing s = {0};
	const struct option_rule rules[] = {
		{.name = "--issuer", .value = &s.issuer}, {.name = "--as", .value = &s.as}, {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_hold);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return open_at_desk(c, cmd, "hold", &s, argv[1]);
}

int run_officer_release(struct cli *c, int argc, char **argv)
{
	struct standing s = {0};
	const struct option_rule rules[] = {{.name = "--hold", .value = &s.hold},
					    {.name = "--issuer", .value = &s.issuer},
					    {.name = "--way", .value = &s.way},
					    {.name = "--as", .value = &s.as},
					    {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_release);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return open_at_desk(c, cmd, "release", &s, argv[1]);
}

int run_request_hold(struct cli *c, int argc, char **argv)
{
	const char *issuer = NULL;
	const struct option_rule rules[] = {{.name = "--issuer", .value = &issuer}, {0}};
	if (!cli_options(cli_command(commands_request, run_request_hold), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s}", "serial", argv[1]);
	set_text(p, "issuer", issuer);
	return cli_show(c, "request.hold", p, true, true);
}

/*
 * `hufu service …`, `hufu order …`: what a subscriber does around a certificate. What officers do about orders is in
 * cmd_payment.c.
 */
#include "tools/hufu/subscriber.h"

#include <string.h>

int run_service_list(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"id", "ID"},		{"project", "PROJECT"},
						{"service", "SERVICE"}, {"certificate_name", "CERTIFICATE"},
						{"serial", "SERIAL"},	{"begins", "BEGINS"},
						{"ends", "ENDS"},	{"state", "STATE"},
						{"action", "ACTION"}};
	return cli_list_command(c, cli_command(commands_request, run_service_list), argc, argv, "service.list",
				"services", columns, 9);
}

int run_order_list(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"order", "ORDER"},    {"kind", "KIND"},   {"service_id", "SERVICE"},
						{"amount_fen", "FEN"}, {"state", "STATE"}, {"created", "CREATED"}};
	const char *state = NULL, *page = NULL;
	const struct option_rule rules[] = {
		{.name = "--state", .value = &state}, {.name = "--page", .value = &page}, {0}};
	const struct command *cmd = cli_command(commands_request, run_order_list);
	struct fault f = {0};
	uint64_t number = 1;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (page && !u64_parse(page, strlen(page), 1000000, &number))
		return cli_usage(cmd, "--page \"%s\" is not a number", ESC(page, strlen(page)));
	json_t *p = json_pack("{s:I}", "page", (json_int_t)number);
	if (state)
		json_object_set_new(p, "state", json_string(state));
	return cli_list(c, "order.list", p, "orders", columns, 6, &f);
}

int run_order_renew(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_request, run_order_renew), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, "order.create", json_pack("{s:s,s:s}", "service_id", argv[1], "kind", "renew"), true, true);
}

static int order_call(struct cli *c, int (*self)(struct cli *, int, char **), int argc, char **argv, const char *method,
		      bool changes)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_request, self), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, method, json_pack("{s:s}", "order", argv[1]), true, changes);
}

int run_order_show(struct cli *c, int argc, char **argv)
{
	return order_call(c, run_order_show, argc, argv, "order.show", false);
}
int run_order_pay(struct cli *c, int argc, char **argv)
{
	bool online = false;
	const struct option_rule rules[] = {{.name = "--online", .flag = &online}, {0}};
	if (!cli_options(cli_command(commands_request, run_order_pay), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, "order.pay", json_pack("{s:s,s:s}", "order", argv[1], "way", online ? "provider" : "bank"),
			true, true);
}
int run_order_cancel(struct cli *c, int argc, char **argv)
{
	return order_call(c, run_order_cancel, argc, argv, "order.cancel", true);
}

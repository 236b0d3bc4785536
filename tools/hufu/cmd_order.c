/*
 * `hufu service …`, `hufu order …`: what a subscriber does around a certificate; and the officer's confirmation of a
 * payment.
 */
#include "tools/hufu/subscriber.h"

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
	return cli_list_command(c, cli_command(commands_request, run_order_list), argc, argv, "order.list", "orders",
				columns, 6);
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
	return order_call(c, run_order_pay, argc, argv, "order.pay", true);
}
int run_order_cancel(struct cli *c, int argc, char **argv)
{
	return order_call(c, run_order_cancel, argc, argv, "order.cancel", true);
}

int run_order_confirm(struct cli *c, int argc, char **argv)
{
	const char *reference = NULL;
	const struct option_rule rules[] = {{.name = "--bank-reference", .value = &reference}, {0}};
	const struct command *cmd = cli_command(commands_request, run_order_confirm);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!reference)
		return cli_usage(cmd, "--bank-reference TEXT is missing: the bank's own reference of the transfer");
	return cli_show(c, "order.confirm", json_pack("{s:s,s:s}", "order", argv[1], "bank_reference", reference),
			false, true);
}

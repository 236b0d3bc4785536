/*
 * `hufu login|logout|account`, `hufu service …`, `hufu order …`: what a subscriber does around a certificate; and the
 * officer's confirmation of a payment.
 */
#include "common/base/file.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

/* Password from a descriptor or a prompt, never from the command line. */
static enum err ask_password(const char *fd_text, const char *prompt, bool confirm, struct secret *ret, struct fault *f)
{
	uint64_t fd = 0;
	if (!fd_text)
		return secret_prompt(prompt, confirm, 256, ret, f);
	if (!u64_parse(fd_text, strlen(fd_text), 1023, &fd))
		return fault_raise(f, ERR_CONFIG, "password_fd", "--password-fd", "\"%s\" is not a descriptor number",
				   ESC(fd_text, strlen(fd_text)));
	return secret_read_fd((int)fd, 256, ret, f);
}

static json_t *secret_string(const struct secret *s)
{
	return json_stringn((const char *)s->p, s->n);
}

int run_login(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	const struct option_rule rules[] = {{.name = "--password-fd", .value = &fd}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_request, run_login), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	_cleanup_secret_ struct secret password = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (cli_load(c, &f) != OK || ask_password(fd, "Password: ", false, &password, &f) != OK)
		return cli_fail(c, &f);
	json_t *p = json_pack("{s:s,s:o}", "identifier", argv[1], "password", secret_string(&password));
	if (cli_desk(c, "account.login", p, false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	const char *token = json_string_value(json_object_get(r, "session"));
	if (!token || cli_session_save(c, token, &f) != OK)
		return cli_fail(c, &f);
	bool must_reset = json_is_true(json_object_get(r, "must_reset"));
	if (c->json)
		cli_print_json(json_object_get(r, "account"));
	else
		puts(must_reset ? "logged in with the initial password: set your own first (hufu password)"
				: "logged in");
	return must_reset ? EXIT_WAITING : EXIT_DONE;
}

int run_password(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	const struct option_rule rules[] = {{.name = "--password-fd", .value = &fd}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_request, run_password), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	_cleanup_secret_ struct secret password = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (ask_password(fd, "New password: ", true, &password, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would set the password (dry run)\n");
	json_t *p = json_pack("{s:o}", "new_password", secret_string(&password));
	if (cli_desk(c, "account.reset", p, true, true, &r, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:b}", "password_set", 1), "password set\n");
}

int run_logout(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cli_command(commands_request, run_logout), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would log out (dry run)\n");
	if (cli_desk(c, "account.logout", NULL, true, true, &r, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:b}", "logged_out", 1), "logged out\n");
}

int run_account(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_request, run_account), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	return cli_show(c, "account.show", NULL, true, false);
}

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

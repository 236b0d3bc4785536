/*
 * `hufu project …`, `hufu service apply`, and what officers do about orders: finding them, confirming and sending back
 * money, invoices. What owners do with an order is in cmd_order.c.
 */
#include "tools/hufu/subscriber.h"

#include <string.h>

/* --- projects, before log-in --- */

static const char *text_of(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

/* One line for people, made safe for a terminal. */
static void print_line(const char *before, json_t *title, const char *after)
{
	const char *zh = text_of(title, "zh"), *en = text_of(title, "en");
	printf("%s%s / %s%s\n", before, ESC(zh, strlen(zh)), ESC(en, strlen(en)), after);
}

static int run_project_search(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"project", "PROJECT"}, {"zh", "名称"}, {"en", "NAME"}};
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL, *flat = json_array();
	if (!cli_options(cli_command(commands_payment, run_project_search), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_desk(c, "project.search", json_pack("{s:s}", "query", argv[1]), false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	json_t *rows = json_object_get(r, "projects"), *row;
	size_t i;
	json_array_foreach(rows, i, row)
	{
		json_t *title = json_object_get(row, "title");
		json_array_append_new(flat, json_pack("{s:s,s:s,s:s}", "project", text_of(row, "project"), "zh",
						      text_of(title, "zh"), "en", text_of(title, "en")));
	}
	cli_table(c, columns, 3, c->json ? rows : flat);
	return EXIT_DONE;
}

static void print_texts(const char *head, json_t *texts)
{
	json_t *t;
	size_t i;
	if (json_array_size(texts) > 0)
		printf("\n%s\n", head);
	json_array_foreach(texts, i, t)
	{
		print_line("  ", json_object_get(t, "title"), "");
		print_line("    ", json_object_get(t, "text"), "");
	}
}

static void print_services(json_t *services)
{
	json_t *s;
	size_t i;
	puts("\n服务 services");
	json_array_foreach(services, i, s)
	{
		long long fen = (long long)json_integer_value(json_object_get(s, "price_fen"));
		_cleanup_(freep) char *price =
			xasprintf(": %s, %lld.%02lld yuan, %lld months", text_of(s, "service"), fen / 100, fen % 100,
				  (long long)json_integer_value(json_object_get(s, "period_months")));
		print_line("  ", json_object_get(s, "title"), price);
	}
}

static void print_downloads(json_t *downloads)
{
	json_t *d;
	size_t i;
	if (json_array_size(downloads) > 0)
		puts("\n软件下载 downloads");
	json_array_foreach(downloads, i, d)
	{
		_cleanup_(freep) char *version = xasprintf(" %s", text_of(d, "version"));
		print_line("  ", json_object_get(d, "title"), version);
		printf("    %s\n    SHA-256 %s\n", text_of(d, "url"), text_of(d, "sha256"));
	}
}

static void print_ways(json_t *ways)
{
	json_t *w;
	size_t i;
	if (json_array_size(ways) > 0)
		puts("\n业务 what can be asked for");
	json_array_foreach(ways, i, w)
	{
		_cleanup_(freep) char *word = xasprintf("  %s / %s: ", text_of(w, "kind"), text_of(w, "way"));
		print_line(word, json_object_get(w, "title"), "");
	}
}

static int run_project_show(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cli_command(commands_payment, run_project_show), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_desk(c, "project.show", json_pack("{s:s}", "project", argv[1]), false, false, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(r);
		return EXIT_DONE;
	}
	json_t *contact = json_object_get(r, "contact");
	print_line("", json_object_get(r, "title"), "");
	print_services(json_object_get(r, "services"));
	print_ways(json_object_get(r, "ways"));
	print_texts("办理流程 process", json_object_get(r, "process"));
	print_texts("使用帮助 help", json_object_get(r, "help"));
	print_downloads(json_object_get(r, "downloads"));
	puts("\n联系我们 contact");
	print_line("  ", json_object_get(contact, "name"), "");
	print_line("  ", json_object_get(contact, "hours"), "");
	print_line("  ", json_object_get(contact, "address"), "");
	printf("  %s, emergency %s\n", text_of(contact, "telephone"), text_of(contact, "emergency"));
	return EXIT_DONE;
}

static int run_service_apply(struct cli *c, int argc, char **argv)
{
	const char *project = NULL;
	const struct option_rule rules[] = {{.name = "--project", .value = &project}, {0}};
	const struct command *cmd = cli_command(commands_payment, run_service_apply);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!project)
		return cli_usage(cmd, "--project NAME is missing");
	return cli_show(c, "service.apply", json_pack("{s:s,s:s}", "project", project, "service", argv[1]), true, true);
}

/* --- officers: orders and money --- */

/* A number of fen into params, when it was given. */
static bool put_number(const struct command *cmd, const char *option, const char *text, const char *key, json_t *params)
{
	uint64_t v = 0;
	if (!text)
		return true;
	if (!u64_parse(text, strlen(text), UINT64_C(100000000000), &v))
		return cli_usage(cmd, "%s \"%s\": wanted a whole number", option, ESC(text, strlen(text))), false;
	json_object_set_new(params, key, json_integer((json_int_t)v));
	return true;
}

static void put_text(json_t *params, const char *key, const char *text)
{
	if (text)
		json_object_set_new(params, key, json_string(text));
}

static int run_order_find(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {
		{"order", "ORDER"}, {"organisation", "ORGANISATION"}, {"kind", "KIND"},		 {"amount_fen", "FEN"},
		{"state", "STATE"}, {"created", "CREATED"},	      {"bank_reference", "BANK"}};
	const char *search = NULL, *amount = NULL, *state = NULL, *invoice = NULL, *page = NULL, *after = NULL;
	const struct option_rule rules[] = {{.name = "--search", .value = &search},
					    {.name = "--amount", .value = &amount},
					    {.name = "--state", .value = &state},
					    {.name = "--invoice", .value = &invoice},
					    {.name = "--page", .value = &page},
					    {.name = "--after", .value = &after},
					    {0}};
	const struct command *cmd = cli_command(commands_payment, run_order_find);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	json_t *p = json_object();
	if (!put_number(cmd, "--amount", amount, "amount_fen", p) || !put_number(cmd, "--page", page, "page", p)) {
		json_decref(p);
		return EXIT_CONFIG;
	}
	put_text(p, "search", search);
	put_text(p, "state", state);
	put_text(p, "invoice", invoice);
	put_text(p, "after", after);
	return cli_rows(c, "order.find", p, false, "orders", columns, sizeof columns / sizeof columns[0], &f);
}

static int run_order_payments(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"payment", "PAYMENT"}, {"order", "ORDER"}, {"amount_fen", "FEN"},
						{"state", "STATE"},	{"at", "AT"},	    {"refund", "REFUND"}};
	const char *state = NULL, *page = NULL, *after = NULL;
	const struct option_rule rules[] = {{.name = "--state", .value = &state},
					    {.name = "--page", .value = &page},
					    {.name = "--after", .value = &after},
					    {0}};
	const struct command *cmd = cli_command(commands_payment, run_order_payments);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	json_t *p = json_object();
	if (!put_number(cmd, "--page", page, "page", p)) {
		json_decref(p);
		return EXIT_CONFIG;
	}
	put_text(p, "state", state);
	put_text(p, "order", argc > 1 ? argv[1] : NULL);
	put_text(p, "after", after);
	return cli_rows(c, "order.payments", p, false, "payments", columns, sizeof columns / sizeof columns[0], &f);
}

static int run_order_confirm(struct cli *c, int argc, char **argv)
{
	const char *reference = NULL, *amount = NULL;
	bool to_refund = false;
	const struct option_rule rules[] = {{.name = "--bank-reference", .value = &reference},
					    {.name = "--amount", .value = &amount},
					    {.name = "--to-refund", .flag = &to_refund},
					    {0}};
	const struct command *cmd = cli_command(commands_payment, run_order_confirm);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!reference)
		return cli_usage(cmd, "--bank-reference TEXT is missing: the bank's own reference of the transfer");
	json_t *p = json_pack("{s:s,s:s}", "order", argv[1], "bank_reference", reference);
	if (!put_number(cmd, "--amount", amount, "amount_fen", p)) {
		json_decref(p);
		return EXIT_CONFIG;
	}
	if (to_refund)
		json_object_set_new(p, "to_refund", json_true());
	return cli_show(c, "order.confirm", p, false, true);
}

static int run_order_refund(struct cli *c, int argc, char **argv)
{
	const char *reference = NULL, *payment = NULL;
	const struct option_rule rules[] = {
		{.name = "--bank-reference", .value = &reference}, {.name = "--payment", .value = &payment}, {0}};
	const struct command *cmd = cli_command(commands_payment, run_order_refund);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!reference)
		return cli_usage(cmd, "--bank-reference TEXT is missing: the bank's reference of the transfer back");
	json_t *p = json_pack("{s:s,s:s}", "order", argv[1], "bank_reference", reference);
	put_text(p, "payment", payment);
	return cli_show(c, "order.refund", p, false, true);
}

static int run_order_invoice(struct cli *c, int argc, char **argv)
{
	const char *title = NULL, *tax = NULL;
	const struct option_rule rules[] = {
		{.name = "--title", .value = &title}, {.name = "--tax-number", .value = &tax}, {0}};
	const struct command *cmd = cli_command(commands_payment, run_order_invoice);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!title || !tax)
		return cli_usage(cmd, "%s is missing", !title ? "--title" : "--tax-number");
	return cli_show(c, "order.invoice",
			json_pack("{s:s,s:s,s:s}", "order", argv[1], "title", title, "tax_number", tax), true, true);
}

static int run_order_invoiced(struct cli *c, int argc, char **argv)
{
	const char *number = NULL;
	const struct option_rule rules[] = {{.name = "--number", .value = &number}, {0}};
	const struct command *cmd = cli_command(commands_payment, run_order_invoiced);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!number)
		return cli_usage(cmd, "--number N is missing");
	return cli_show(c, "order.invoiced", json_pack("{s:s,s:s}", "order", argv[1], "number", number), false, true);
}

const struct command commands_payment[] = {
	{.name = "project search",
	 .usage = "TEXT",
	 .summary = "find a project by its name, an old name, or some of its characters",
	 .help = "Example:\n  hufu project search 金华市公共资源中心",
	 .run = run_project_search},
	{.name = "project show",
	 .usage = "PROJECT",
	 .summary = "a project's page: services with prices, ways, process, help, downloads, contact",
	 .help = "Example:\n  hufu project show jinhua",
	 .run = run_project_show},
	{.name = "service apply",
	 .usage = "--project NAME SERVICE",
	 .summary = "apply for a service that I do not have, and order it",
	 .help = "  --project NAME   the project that sells it\n\n"
		 "Example:\n  hufu service apply --project jinhua organisation-certificate",
	 .run = run_service_apply},
	{.name = "order invoice",
	 .usage = "--title TEXT --tax-number N ORDER",
	 .summary = "ask for the order's invoice",
	 .help = "  --title TEXT     whom the invoice names\n"
		 "  --tax-number N   unified code of 18 characters, or an old tax number of 15\n\n"
		 "Example:\n  hufu order invoice --title 杭州田谷 --tax-number 913301003535355023 ORDER",
	 .run = run_order_invoice},
	{.name = "order find",
	 .usage = "[--search TEXT] [--amount FEN] [--state S] [--invoice S] [--page N | --after PLACE]",
	 .summary = "officer: orders of everybody, to match a bank statement with",
	 .help = "  --search TEXT   beginning of the order's id or of its part behind the date, part of the "
		 "organisation's name,\n"
		 "                  its whole identifier or its mobile\n"
		 "  --amount FEN    exactly this amount\n"
		 "  --state S       created, paid, fulfilled, cancelled, refunded\n"
		 "  --invoice S     whose invoice is asked, issued, void\n"
		 "  --page N        page of the list (5 a page)\n"
		 "  --after PLACE   go on where a page before ended\n\n"
		 "Example:\n  hufu order find --state created --amount 30000",
	 .run = run_order_find},
	{.name = "order confirm",
	 .usage = "--bank-reference TEXT [--amount FEN] [--to-refund] ORDER",
	 .summary = "officer: the money has arrived",
	 .help = "  --bank-reference TEXT   the bank's own reference of the transfer; it pays one order\n"
		 "  --amount FEN            what has arrived; refused when it is not the order's\n"
		 "  --to-refund             the order takes no money any more: keep it in view as to be sent back\n\n"
		 "Example:\n  hufu order confirm --bank-reference ICBC-2026-1123-77 ORDER",
	 .run = run_order_confirm},
	{.name = "order payments",
	 .usage = "[--state S] [--page N | --after PLACE] [ORDER]",
	 .summary = "officer: payments, and what is to be sent back",
	 .help = "  --state S       applied, to_refund, refunded\n"
		 "  --page N        page of the list (5 a page)\n"
		 "  --after PLACE   go on where a page before ended\n\n"
		 "Example:\n  hufu order payments --state to_refund",
	 .run = run_order_payments},
	{.name = "order refund",
	 .usage = "--bank-reference TEXT [--payment ID] ORDER",
	 .summary = "officer: the money has been sent back, and the order's period is taken back",
	 .help = "  --bank-reference TEXT   the bank's reference of the transfer back\n"
		 "  --payment ID            a payment that paid nothing, as hufu order payments names it\n\n"
		 "Example:\n  hufu order refund --bank-reference ICBC-2026-1124-03 ORDER",
	 .run = run_order_refund},
	{.name = "order invoiced",
	 .usage = "--number N ORDER",
	 .summary = "officer: the invoice was issued under that number",
	 .help = "  --number N   number of the invoice\n\n"
		 "Example:\n  hufu order invoiced --number 26332000000123456789 ORDER",
	 .run = run_order_invoiced},
	{0},
};

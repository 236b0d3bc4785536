/*
 * `hufu parcel …`: what is on its way, for owners and officers. Receiving is in parcel_receive.c.
 */
#include "common/base/clock.h"
#include "tools/hufu/subscriber.h"
#include "tools/hufu/work.h"

#include <string.h>

#define AS_HELP "  --as NAME          who you are, by the roster's name\n"

static void set_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

/* Times in Asia/Shanghai, words for flags. */
static void soften(json_t *row)
{
	static const char *const times[] = {"shipped", "due", "ended"};
	int64_t t = 0;
	for (size_t i = 0; i < 3; i++) {
		const char *text = json_string_value(json_object_get(row, times[i]));
		if (text && time_parse_utc(text, strlen(text), &t))
			json_object_set_new(row, times[i], json_sprintf("%.16s", SHANGHAI(t)));
	}
	json_object_set_new(row, "late", json_string(json_is_true(json_object_get(row, "overdue")) ? "LATE" : ""));
}

static int run_parcel_list(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"number", "NUMBER"},	{"organisation", "ORGANISATION"},
						{"token", "TOKEN"},	{"state", "STATE"},
						{"carrier", "CARRIER"}, {"tracking", "TRACKING"},
						{"shipped", "SHIPPED"}, {"due", "DUE"},
						{"late", ""},		{"ended", "ENDED"}};
	const char *state = NULL, *page = NULL, *after = NULL;
	bool overdue = false, officer = false;
	const struct option_rule rules[] = {
		{.name = "--state", .value = &state},	 {.name = "--page", .value = &page},
		{.name = "--after", .value = &after},	 {.name = "--overdue", .flag = &overdue},
		{.name = "--officer", .flag = &officer}, {0}};
	const struct command *cmd = cli_command(commands_parcel, run_parcel_list);
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	uint64_t number = 1;
	json_t *rows, *row;
	size_t i;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (page && !u64_parse(page, strlen(page), 1000000, &number))
		return cli_usage(cmd, "--page \"%s\" is not a number", ESC(page, strlen(page)));
	json_t *p = json_pack("{s:I}", "page", (json_int_t)number);
	set_text(p, "state", state);
	set_text(p, "after", after);
	if (overdue)
		json_object_set_new(p, "overdue", json_true());
	if (cli_desk(c, "parcel.list", p, !officer, false, &r, &f) != OK)
		return cli_fail(c, &f);
	rows = json_object_get(r, "parcels");
	if (!c->json) {
		json_array_foreach(rows, i, row) soften(row);
	}
	cli_table(c, columns, sizeof columns / sizeof columns[0], rows);
	if (!c->json)
		cli_list_end(r);
	return EXIT_DONE;
}

static int run_parcel_show(struct cli *c, int argc, char **argv)
{
	bool officer = false;
	const struct option_rule rules[] = {{.name = "--officer", .flag = &officer}, {0}};
	if (!cli_options(cli_command(commands_parcel, run_parcel_show), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, "parcel.show", json_pack("{s:s}", "request", argv[1]), !officer, false);
}

static int run_parcel_pack(struct cli *c, int argc, char **argv)
{
	const char *as = NULL, *serial = NULL;
	const struct option_rule rules[] = {
		{.name = "--as", .value = &as}, {.name = "--serial", .value = &serial}, {0}};
	const struct command *cmd = cli_command(commands_parcel, run_parcel_pack);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!serial)
		return cli_usage(cmd, "--serial SERIAL is missing: the token that lies in the parcel");
	json_t *p = json_pack("{s:s,s:s}", "request", argv[1], "token", serial);
	set_text(p, "officer", as);
	return cli_show(c, "parcel.pack", p, false, true);
}

static int run_parcel_ship(struct cli *c, int argc, char **argv)
{
	const char *as = NULL, *carrier = NULL, *tracking = NULL, *recipient = NULL, *mobile = NULL, *ship_to = NULL;
	const struct option_rule rules[] = {{.name = "--as", .value = &as},
					    {.name = "--carrier", .value = &carrier},
					    {.name = "--tracking", .value = &tracking},
					    {.name = "--recipient", .value = &recipient},
					    {.name = "--mobile", .value = &mobile},
					    {.name = "--ship-to", .value = &ship_to},
					    {0}};
	const struct command *cmd = cli_command(commands_parcel, run_parcel_ship);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!carrier || !tracking)
		return cli_usage(cmd, "%s is missing", !carrier ? "--carrier NAME" : "--tracking NUMBER");
	json_t *p = json_pack("{s:s,s:s,s:s}", "request", argv[1], "carrier", carrier, "tracking", tracking);
	set_text(p, "officer", as);
	set_text(p, "recipient", recipient);
	set_text(p, "mobile", mobile);
	set_text(p, "ship_to", ship_to);
	return cli_show(c, "parcel.ship", p, false, true);
}

static int run_parcel_lost(struct cli *c, int argc, char **argv)
{
	const char *as = NULL, *note = NULL;
	bool closes = false;
	const struct option_rule rules[] = {{.name = "--as", .value = &as},
					    {.name = "--note", .value = &note},
					    {.name = "--close", .flag = &closes},
					    {0}};
	const struct command *cmd = cli_command(commands_parcel, run_parcel_lost);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!note)
		return cli_usage(cmd, "--note TEXT is missing: what is known of the parcel");
	json_t *p = json_pack("{s:s,s:s}", "request", argv[1], "note", note);
	set_text(p, "officer", as);
	if (closes)
		json_object_set_new(p, "close", json_true());
	return cli_show(c, "parcel.lost", p, false, true);
}

static int run_parcel_returned(struct cli *c, int argc, char **argv)
{
	const char *as = NULL, *note = NULL, *serial = NULL;
	const struct option_rule rules[] = {{.name = "--as", .value = &as},
					    {.name = "--note", .value = &note},
					    {.name = "--serial", .value = &serial},
					    {0}};
	const struct command *cmd = cli_command(commands_parcel, run_parcel_returned);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!note || !serial)
		return cli_usage(cmd, "%s is missing", !note ? "--note TEXT" : "--serial SERIAL");
	json_t *p = json_pack("{s:s,s:s,s:s}", "request", argv[1], "note", note, "token", serial);
	set_text(p, "officer", as);
	return cli_show(c, "parcel.returned", p, false, true);
}

const struct command commands_parcel[] = {
	{.name = "work csr",
	 .usage = "--serial SERIAL --csr FILE [--start-pin-fd N] [--as NAME] REQUEST",
	 .summary = "officers: the key that was made on a token for a request",
	 .help = "  --serial SERIAL    serial number of the token, out of the stock\n"
		 "  --csr FILE         request of the key on it (PKCS#10)\n"
		 "  --start-pin-fd N   read its start PIN from this descriptor; the desk keeps it sealed and sends it "
		 "by SMS "
		 "when\n"
		 "                     the parcel leaves. Without it no SMS carries the PIN: you tell the "
		 "holder\n" AS_HELP "\nWho makes the key does not approve it.\n\n"
		 "Example:\n  hufu work csr --serial 83a1d6a326fbf046 --csr token.csr --start-pin-fd 4 --as dan "
		 "20261125-7K2M9QXA4BCD 4<start.pin",
	 .run = run_work_csr},
	{.name = "work prove",
	 .usage = "[--module PATH] [--pin-fd N] [--as NAME] [--yes] REQUEST",
	 .summary = "officers: let the token sign the request's tally with its new key",
	 .help = "  --module PATH      the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --pin-fd N         read the PIN from this descriptor instead of asking\n" AS_HELP
		 "  --yes              do not ask (for scripts)\n\n"
		 "It is the token of the desk's record, by its serial number. The text is shown, and signed only after "
		 "\"yes\".\n"
		 "Then officers are asked.\n\n"
		 "Example:\n  hufu work prove --as dan 20261125-7K2M9QXA4BCD",
	 .run = run_work_prove},
	{.name = "work again",
	 .usage = "--note TEXT [--as NAME] REQUEST",
	 .summary = "officers: the token can't be used; its key is given up, and another is to be made",
	 .help = "  --note TEXT        why\n" AS_HELP
		 "\nExample:\n  hufu work again --note 'does not answer any more' --as dan 20261125-7K2M9QXA4BCD",
	 .run = run_work_again},
	{.name = "parcel list",
	 .usage = "[--state STATE] [--overdue] [--officer] [--page N] [--after NEXT]",
	 .summary = "my receipts: parcels with USB keys",
	 .help = "  --state STATE   packed, shipped, received, lost, returned, undone\n"
		 "  --overdue       only those whose receipt is overdue\n"
		 "  --officer       everybody's, for officers: the first due first\n"
		 "  --page N        page of the list (5 a page)\n"
		 "  --after NEXT    go on behind the last row of a page, which said so\n\n"
		 "Example:\n  hufu parcel list",
	 .run = run_parcel_list},
	{.name = "parcel show",
	 .usage = "[--officer] REQUEST",
	 .summary = "the parcel of a request",
	 .help = "  --officer   of anybody's request, for officers\n\n"
		 "Example:\n  hufu parcel show 20261125-7K2M9QXA4BCD",
	 .run = run_parcel_show},
	{.name = "parcel receive",
	 .usage = "[--module PATH] [--pin-fd N] [--new-pin-fd N] [--wait SECONDS] [--yes] REQUEST",
	 .summary = "sign for a parcel: compare the token, get the certificate, install and try it, set a PIN",
	 .help = "  --module PATH      the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --pin-fd N         read the start PIN, which came by SMS, from this descriptor instead of asking\n"
		 "  --new-pin-fd N     read the new PIN from this descriptor instead of asking\n"
		 "  --wait SECONDS     for the certificate, at most so long (default: 60)\n"
		 "  --yes              do not ask (for scripts)\n\n"
		 "Plug the token in first: another one than the parcel's confirms nothing. Run again after an "
		 "interruption, it goes "
		 "on\n"
		 "where it was.\n\n"
		 "Exit code 5: received, and the certificate is not there yet.\n\n"
		 "Example:\n  hufu parcel receive 20261125-7K2M9QXA4BCD",
	 .run = run_parcel_receive},
	{.name = "parcel pack",
	 .usage = "--serial SERIAL [--as NAME] REQUEST",
	 .summary = "officers: the token lies in its parcel",
	 .help = "  --serial SERIAL    of the token that lies in it: another than the request's is refused\n" AS_HELP
		 "\nExample:\n  hufu parcel pack --serial 83a1d6a326fbf046 --as dan 20261125-7K2M9QXA4BCD",
	 .run = run_parcel_pack},
	{.name = "parcel ship",
	 .usage = "--carrier NAME --tracking NUMBER [--as NAME] [--recipient R] [--mobile M] [--ship-to ADDRESS] "
		  "REQUEST",
	 .summary = "officers: the parcel has gone; the start PIN goes by SMS",
	 .help = "  --carrier NAME      who carries it\n"
		 "  --tracking NUMBER   the carrier's number\n"
		 "  --as NAME           who you are, by the roster's name\n"
		 "  --recipient R       corrected recipient\n"
		 "  --mobile M          corrected telephone for the carrier\n"
		 "  --ship-to ADDRESS   corrected address\n\n"
		 "Example:\n  hufu parcel ship --carrier 顺丰 --tracking SF1234567890 --as dan 20261125-7K2M9QXA4BCD",
	 .run = run_parcel_ship},
	{.name = "parcel returned",
	 .usage = "--serial SERIAL --note TEXT [--as NAME] REQUEST",
	 .summary = "officers: the parcel came back; it may be shipped again",
	 .help = "  --serial SERIAL    of the token that lies in it\n"
		 "  --note TEXT        why\n" AS_HELP
		 "\nExample:\n  hufu parcel returned --serial 83a1d6a326fbf046 --note 无人签收 --as dan "
		 "20261125-7K2M9QXA4BCD",
	 .run = run_parcel_returned},
	{.name = "parcel lost",
	 .usage = "--note TEXT [--close] [--as NAME] REQUEST",
	 .summary = "officers: the parcel never arrived; its key is given up",
	 .help = "  --note TEXT        what is known of it\n"
		 "  --close            the request ends too; without it another token is picked\n" AS_HELP
		 "\nExample:\n  hufu parcel lost --note '快递查无下落' --as dan 20261125-7K2M9QXA4BCD",
	 .run = run_parcel_lost},
	{0},
};

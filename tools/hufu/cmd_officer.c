/*
 * `hufu officer …`: the officer's own client, on a terminal. Next: officer_case.h.
 */
#include "tools/hufu/key_seen.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/officer_case.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

static int run_officer_key(struct cli *c, int argc, char **argv)
{
	const char *out = NULL, *fd_text = NULL;
	bool plain = false;
	const struct option_rule rules[] = {{.name = "--out", .value = &out},
					    {.name = "--passphrase-fd", .value = &fd_text},
					    {.name = "--plain", .flag = &plain},
					    {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_key);
	struct fault f = {0};
	uint64_t fd = 0;
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (fd_text && !u64_parse(fd_text, strlen(fd_text), 1023, &fd))
		return cli_usage(cmd, "--passphrase-fd \"%s\" is not a descriptor number",
				 ESC(fd_text, strlen(fd_text)));
	_cleanup_(person_key_done) struct person_key key = {0};
	_cleanup_secret_ struct secret pass = {0};
	_cleanup_(freep) char *path = out ? xstrdup(out) : xasprintf("%s.key", argv[1]);
	enum err e = person_key_generate(argv[1], &key, &f);
	if (e == OK && !plain)
		e = fd_text ? secret_read_fd((int)fd, 1024, &pass, &f)
			    : secret_prompt("Passphrase for the new key: ", true, 1024, &pass, &f);
	if (e == OK && !c->dry_run)
		e = person_key_save(&key, path, plain ? NULL : &pass, &f);
	if (e != OK)
		return cli_fail(c, &f);
	_cleanup_buf_ struct buf vkey = {0};
	note_vkey_put(key.name, key.public_key, &vkey);
	json_t *o = json_pack("{s:s,s:s,s:s}", "file", path, "name", key.name, "vkey", buf_text(&vkey));
	return cli_said(c, o, "%s: %s\nverifier key for the roster: %s\n", path,
			c->dry_run ? "would be written (dry run)" : "written (0600)", buf_text(&vkey));
}

/* --- looking at a request --- */

static int queue(struct cli *c, const char *project, const char *kind)
{
	json_t *p = json_object();
	if (project)
		json_object_set_new(p, "project", json_string(project));
	if (kind)
		json_object_set_new(p, "kind", json_string(kind));
	return officer_print_queue(c, p);
}

/* What was found out before something did not fit is shown too. */
static enum err show(struct cli *c, const char *id, const struct case_file *k, const char *dir, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	enum err e = case_show(c, id, k, dir, &text, f);
	if (!c->json)
		fputs(buf_text(&text), stdout);
	return e;
}

static int run_officer_review(struct cli *c, int argc, char **argv)
{
	const char *project = NULL, *kind = NULL, *dir = NULL;
	const struct option_rule rules[] = {{.name = "--project", .value = &project},
					    {.name = "--kind", .value = &kind},
					    {.name = "--materials", .value = &dir},
					    {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_officer, run_officer_review), rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	if (argc < 2)
		return queue(c, project, kind);
	_cleanup_(case_done) struct case_file k = {0};
	if (case_load(c, argv[1], &k, &f) != OK || show(c, argv[1], &k, dir, &f) != OK)
		return cli_fail(c, &f);
	if (c->json)
		cli_print_json(k.answer);
	return EXIT_DONE;
}

static enum err approve(struct cli *c, const char *id, const char *key_path, const struct seen_how *how, bool yes,
			json_t **ret, struct fault *f)
{
	_cleanup_(case_done) struct case_file k = {0};
	_cleanup_(person_key_done) struct person_key key = {0};
	_cleanup_(freep) char *line = NULL;
	TRY(case_load(c, id, &k, f));
	TRY(show(c, id, &k, NULL, f));
	TRY(case_signable(&k, id, f));
	TRY(person_key_load(key_path, NULL, &key, f));
	struct seen_how own = *how;
	own.own = &key;
	TRY(key_seen_check(c, &own, &k.tally, k.answer, f));
	if (!yes && !cli_confirm("\nApprove exactly this tally as %s?", key.name))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "request",
				   "not approved: the answer was not \"yes\"");
	TRY(line_by_person(k.text, &key, &line, f));
	if (c->dry_run)
		return OK;
	return cli_desk(c, "review.approve", json_pack("{s:s,s:s}", "request", id, "line", line), false, true, ret, f);
}

static int run_officer_approve(struct cli *c, int argc, char **argv)
{
	const char *key = NULL;
	bool yes = false;
	struct seen_how how = {0};
	const struct option_rule rules[] = {{.name = "--key", .value = &key},
					    {.name = "--key-seen", .value = &how.word},
					    {.name = "--token", .value = &how.choice.label},
					    {.name = "--token-uri", .value = &how.choice.uri},
					    {.name = "--module", .value = &how.choice.module},
					    {.name = "--pin-fd", .value = &how.pin_fd},
					    {.name = "--yes", .flag = &yes},
					    {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_approve);
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!key)
		return cli_usage(cmd, "--key FILE is missing: the officer's own key");
	if (approve(c, argv[1], key, &how, yes, &r, &f) != OK)
		return cli_fail(c, &f);
	const char *state = json_string_value(json_object_get(r, "state"));
	json_t *o = r ? json_incref(r) : json_pack("{s:s,s:b}", "request", argv[1], "dry_run", 1);
	return cli_said(c, o, "request %s: %s\n", argv[1],
			c->dry_run ? "would be approved (dry run)"
			: state	   ? state
				   : "approved");
}

static int run_officer_reject(struct cli *c, int argc, char **argv)
{
	const char *reason = NULL;
	const struct option_rule rules[] = {{.name = "--reason", .value = &reason}, {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_reject);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!reason)
		return cli_usage(cmd, "--reason TEXT is missing: the subscriber reads it");
	return cli_show(c, "review.reject", json_pack("{s:s,s:s}", "request", argv[1], "reason", reason), false, true);
}

const struct command commands_officer[] = {
	{.name = "officer key",
	 .usage = "[--out FILE] [--passphrase-fd N | --plain] NAME",
	 .summary = "make an officer's key",
	 .help = "  --out FILE          default: NAME.key\n"
		 "  --passphrase-fd N   read the passphrase from this descriptor instead of asking\n"
		 "  --plain             write the secret unsealed (0600), for services\n\n"
		 "Example:\n  hufu officer key alice",
	 .run = run_officer_key},
	{.name = "officer queue",
	 .usage = "[--project P] [--kind K] [--overdue] [--claimed | --unclaimed] [--page N | --after PLACE]",
	 .summary = "what waits for officers, the first due first",
	 .help = "  --project P   of this project alone\n"
		 "  --kind K      of this kind alone\n"
		 "  --overdue     only what is late\n"
		 "  --claimed     only what an officer has claimed; --unclaimed: what nobody has\n"
		 "  --page N      page of the list (20 a page)\n"
		 "  --after PLACE go on where a page before ended\n\n"
		 "Example:\n  hufu officer queue --overdue",
	 .run = run_officer_queue},
	{.name = "officer claim",
	 .usage = "[--as NAME] REQUEST",
	 .summary = "say that you look at this request; nothing is locked",
	 .help = "  --as NAME   who you are, by the roster's name\n\nExample:\n  hufu officer claim --as alice "
		 "20261125-7K2M9QXA4BCD",
	 .run = run_officer_claim},
	{.name = "officer unclaim",
	 .usage = "[--as NAME] REQUEST",
	 .summary = "hand a claim back",
	 .help = "  --as NAME   who you are, by the roster's name\n\nExample:\n  hufu officer unclaim --as alice "
		 "20261125-7K2M9QXA4BCD",
	 .run = run_officer_unclaim},
	{.name = "officer correct",
	 .usage = "--item ITEM=REASON… [--as NAME] REQUEST",
	 .summary = "ask the owner for corrections; the tally dies, the number stays",
	 .help = "  --item ITEM=REASON   what is wrong, and why (repeat for more): a material, a subject attribute, or "
		 "months,\n"
		 "                       order, files, notice, key, delivery, reason, other\n"
		 "  --as NAME            who you are, by the roster's name\n\n"
		 "Example:\n  hufu officer correct --item business-licence=看不清印章 20261125-7K2M9QXA4BCD",
	 .run = run_officer_correct},
	{.name = "officer decide",
	 .usage = "[--as NAME] REQUEST",
	 .summary = "say yes to a change of the desk's record, which makes no certificate",
	 .help = "  --as NAME   who you are, by the roster's name\n\nExample:\n  hufu officer decide --as alice "
		 "20261125-7K2M9QXA4BCD",
	 .run = run_officer_decide},
	{.name = "officer unlock",
	 .usage = "--escrow FILE [--passphrase-fd N] [--as NAME] REQUEST",
	 .summary = "say yes to an unlock: the PUK is sealed anew to the client's key",
	 .help = "  --escrow FILE       the token key (secret half)\n"
		 "  --passphrase-fd N   read its passphrase from this descriptor instead of asking\n"
		 "  --as NAME           which officer is at the keyboard\n\n"
		 "Call the holder at a number that you know, ask for the code, and type it; it is not shown here.\n\n"
		 "Example:\n  hufu officer unlock --escrow token.key 20261123-7K2M9QXA4BCD",
	 .run = run_officer_unlock},
	{.name = "officer recover",
	 .usage = "--step STEP --note TEXT [--as NAME] REQUEST",
	 .summary = "move a recovery case; no key passes through Hufu",
	 .help = "  --step STEP   sent (to the key centre), delivered, no_copy, waived (needs the owner's "
		 "recovery-waiver)\n"
		 "  --note TEXT   what was done; the owner reads it\n"
		 "  --as NAME     who you are, by the roster's name\n\n"
		 "Example:\n  hufu officer recover --step sent --note 'KMC case 17' 20261125-7K2M9QXA4BCD",
	 .run = run_officer_recover},
	{.name = "officer review",
	 .usage = "[--project P] [--kind K] [--materials DIR] [REQUEST]",
	 .summary = "the queue, or one request with its difference and materials",
	 .help = "  --project P       the queue of this project alone\n"
		 "  --kind K          the queue of this kind alone\n"
		 "  --materials DIR   keep the downloaded materials there (0600)\n\n"
		 "Example:\n  hufu officer review --kind change",
	 .run = run_officer_review},
	{.name = "officer approve",
	 .usage = "--key FILE [--key-seen HOW [--token LABEL | --token-uri URI]] [--yes] REQUEST",
	 .summary = "check the materials, show the tally, sign it",
	 .help = "  --key FILE        the officer's own key (hufu officer key)\n"
		 "  --key-seen HOW    enrol, reissue: how you have seen the new key: paper, call, person or token\n"
		 "  --token LABEL     of --key-seen token: the token here that holds the new key\n"
		 "  --token-uri URI   the same by a PKCS#11 URI\n"
		 "  --module PATH     the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --pin-fd N        read the token's PIN from this descriptor instead of asking\n"
		 "  --yes             do not ask (for scripts)\n\n"
		 "With paper, call or person the key's ten characters are typed, on standard input, before anything of "
		 "the key\nis shown; with a token, that signs fresh octets with the key. --yes does not answer for "
		 "them.\n\n"
		 "Each material is downloaded and its hash compared with the tally; the line is made only after "
		 "\"yes\".\n\n"
		 "Example:\n  hufu officer approve --key alice.key 8f2c…",
	 .run = run_officer_approve},
	{.name = "officer revoke",
	 .usage = "--reason WORD [--issuer HEX] [--way W] [--as NAME] SERIAL",
	 .summary = "open the revocation of a certificate, expired ones too",
	 .help = "  --reason WORD   RFC 5280 5.3.1\n"
		 "  --issuer HEX    key id of the issuer, where a serial is not unique\n"
		 "  --way W         as the profile offers it (default: its first that is the officers')\n"
		 "  --as NAME       who you are, by the roster's name, where officers share a Unix user\n\n"
		 "Another officer approves it.\n\n"
		 "Example:\n  hufu officer revoke --reason keyCompromise 01A2…",
	 .run = run_officer_revoke},
	{.name = "officer hold",
	 .usage = "[--issuer HEX] [--as NAME] SERIAL",
	 .summary = "hold a certificate, at once",
	 .help = "  --issuer HEX   key id of the issuer, where a serial is not unique\n"
		 "  --as NAME      who you are, by the roster's name, where officers share a Unix user\n\n"
		 "Nobody approves it: a hold is counted, and hufu health tells it as long as it lasts.\n\n"
		 "Example:\n  hufu officer hold 01A2…",
	 .run = run_officer_hold},
	{.name = "officer release",
	 .usage = "[--hold ENTRY] [--issuer HEX] [--way W] [--as NAME] SERIAL",
	 .summary = "open the release of a certificate from its hold",
	 .help = "  --hold ENTRY   the hold's ledger entry (default: the one in force)\n"
		 "  --issuer HEX   key id of the issuer, where a serial is not unique\n"
		 "  --way W        as the profile offers it (default: its first that is the officers')\n"
		 "  --as NAME      who you are, by the roster's name, where officers share a Unix user\n\n"
		 "Two officers approve it.\n\n"
		 "Example:\n  hufu officer release 01A2…",
	 .run = run_officer_release},
	{.name = "officer reject",
	 .usage = "--reason TEXT REQUEST",
	 .summary = "reject a request",
	 .help = "  --reason TEXT   why; the subscriber reads it\n\nExample:\n  hufu officer reject --reason "
		 "\"营业执照不清晰\" 8f2c…",
	 .run = run_officer_reject},
	{0},
};

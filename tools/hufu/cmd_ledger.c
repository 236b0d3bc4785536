/*
 * `hufu ledger …`: hands the work to hufu-ca, which knows the file. For whoever may read the signer's state.
 */
#include "common/base/file.h"
#include "tools/hufu/cli.h"
#include "tools/hufu/process.h"
#include "tools/hufu/resume.h"

#include <string.h>
#include <unistd.h>

static int run_ledger(struct cli *c, const struct command *cmd, const char *verb, int argc, char **argv, int words)
{
	const struct option_rule rules[] = {{0}};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, words, words))
		return EXIT_CONFIG;
	if (cli_load(c, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run && strcmp(verb, "backup") == 0)
		return cli_said(c, json_pack("{s:s,s:b}", "backup", argv[1], "dry_run", 1),
				"would copy the ledger to %s\n", argv[1]);
	_cleanup_(freep) char *program = process_program("hufu-ca"), *config = path_join(c->root, "etc/hufu/ca.yaml");
	const char *args[] = {program, "ledger", verb, "--config", config, words ? argv[1] : NULL, NULL};
	fflush(stdout);
	execv(program, (char **)(uintptr_t)args);
	fault_raise(&f, ERR_IO, "exec", "hufu-ca", "%s cannot be run", program);
	return cli_fail(c, &f);
}

#define VERB(verb, words)                                                                                              \
	static int run_##verb(struct cli *c, int argc, char **argv)                                                    \
	{                                                                                                              \
		return run_ledger(c, cli_command(commands_ledger, run_##verb), #verb, argc, argv, words);              \
	}
VERB(check, 0)
VERB(head, 0)
VERB(prove, 1)
VERB(export, 1)
VERB(backup, 1)

const struct command commands_ledger[] = {
	{.name = "ledger check",
	 .usage = "",
	 .summary = "operator: look at every entry, hash and outcome of the ledger",
	 .help = "While the signer runs, or not. Wants to read the signer's state.\n\nExample:\n  hufu ledger check",
	 .run = run_check},
	{.name = "ledger head",
	 .usage = "",
	 .summary = "operator: the ledger's tree as it is, signed by its key",
	 .help = "A checkpoint to print or to keep elsewhere: whoever has one finds out when the ledger is rolled "
		 "back.\n\n"
		 "Example:\n  hufu ledger head > checkpoint.note",
	 .run = run_head},
	{.name = "ledger prove",
	 .usage = "INDEX",
	 .summary = "operator: an entry's path to the signed head",
	 .help = "Example:\n  hufu ledger prove 17",
	 .run = run_prove},
	{.name = "ledger export",
	 .usage = "FROM-TO",
	 .summary = "operator: entries as text",
	 .help = "They hold customers' data.\n\nExample:\n  hufu ledger export 0-99 > entries.txt",
	 .run = run_export},
	{.name = "ledger backup",
	 .usage = "FILE",
	 .summary = "operator: a checked copy of the ledger as of now",
	 .help = "FILE must not exist. The signer goes on meanwhile. The log key and the CA key are files beside the "
		 "ledger: keep them too.\nThe copy knows that it is one: a signer that starts on it waits for `hufu "
		 "ledger "
		 "resume`.\n\n"
		 "Example:\n  hufu ledger backup /srv/backup/ledger-2026-11-25.db",
	 .run = run_backup},
	{.name = "ledger resume",
	 .usage = "[--checkpoint FILE]… [--lost N] [--nobody-holds-one] --word TEXT",
	 .summary = "operator: the word with which a restored ledger goes on",
	 .help = "  --checkpoint FILE    a checkpoint that somebody holds (hufu ledger head); - reads standard input. "
		 "The "
		 "desk shows\n"
		 "                       its own by itself\n"
		 "  --lost N             how many entries the newest checkpoint has that this ledger has not (default: "
		 "0)\n"
		 "  --nobody-holds-one   no desk, no gate and no printed sheet has a checkpoint\n"
		 "  --word TEXT          what happened and who decided; it becomes an entry of the ledger\n\n"
		 "A ledger that was restored, or is behind a checkpoint that it was shown, signs nothing until then. "
		 "Tallies made\nbefore are refused from then on, but for revocations and withdrawals.\n"
		 "With --dry-run: how it stands; no checkpoint is shown.\n\n"
		 "Example:\n  hufu ledger resume --checkpoint sheet.note --lost 12 --word \"fire on the old machine; "
		 "decided by Li\"",
	 .run = run_resume},
	{0},
};

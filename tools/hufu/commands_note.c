/*
 * The table of the note family: tallies, rosters, policies.
 */
#include "tools/hufu/note_files.h"

#define SIGN_HELP                                                                                                      \
	"  --key FILE   the officer's own key (hufu officer key)\n"                                                    \
	"  --yes        do not ask (for scripts)\n\n"                                                                  \
	"The text is shown; the line is added to the file only after \"yes\".\n\n"

const struct command commands_note[] = {
	{.name = "tally show",
	 .usage = "FILE",
	 .summary = "a tally's text, in words, and who signed it",
	 .help = "Example:\n  hufu tally show out/extended.note",
	 .run = run_tally_show},
	{.name = "tally verify",
	 .usage = "[--roster FILE] [--cert FILE] [--csr FILE] FILE",
	 .summary = "check a tally's signature lines offline",
	 .help = "  --roster FILE   judges the officers' and the RA's lines\n"
		 "  --cert FILE     the predecessor: judges the subscriber's line\n"
		 "  --csr FILE      carries the new key: judges its line\n\n"
		 "Example:\n  hufu tally verify --roster etc/hufu/roster.note --cert out/legacy.pem out/extended.note",
	 .run = run_tally_verify},
	{.name = "roster show",
	 .usage = "[FILE]",
	 .summary = "who may sign what",
	 .help = "Example:\n  hufu roster show",
	 .run = run_roster_show},
	{.name = "roster sign",
	 .usage = "--key FILE [--yes] NOTE",
	 .summary = "add an officer's line to a roster note",
	 .help = SIGN_HELP "Example:\n  hufu roster sign --key alice.key roster-2.note",
	 .run = run_roster_sign},
	{.name = "roster submit",
	 .usage = "[--yes] NOTE",
	 .summary = "give a signed roster to the signer (operator)",
	 .help = "  --yes   do not ask\n\n"
		 "The signer says first what it changes; at a terminal it is sent after \"yes\". --dry-run: only "
		 "that.\n\n"
		 "Example:\n  hufu roster submit roster-2.note",
	 .run = run_roster_submit},
	{.name = "policy check",
	 .usage = "[--against] [DIR]",
	 .summary = "load and lint a policy bundle",
	 .help = "  --against   also list the desk's pending requests that this bundle would kill\n\n"
		 "Example:\n  hufu policy check policies",
	 .run = run_policy_check},
	{.name = "policy explain",
	 .usage = "[--lang en|zh] PROFILE [DIR]",
	 .summary = "a profile in words, kind by kind",
	 .help = "Example:\n  hufu policy explain --lang zh organisation policies",
	 .run = run_policy_explain},
	{.name = "policy note",
	 .usage = "[--until TIME] [DIR]",
	 .summary = "write the next policy.note of a bundle, unsigned",
	 .help = "  --until TIME   until when tallies made under the policy before still count\n\n"
		 "Example:\n  hufu policy note --until 2026-12-24T00:00:00Z policies",
	 .run = run_policy_note},
	{.name = "policy sign",
	 .usage = "--key FILE [--yes] NOTE",
	 .summary = "add an officer's line to a policy note",
	 .help = SIGN_HELP "Example:\n  hufu policy sign --key alice.key policies/policy.note",
	 .run = run_policy_sign},
	{.name = "policy submit",
	 .usage = "[--yes] [DIR]",
	 .summary = "give a signed bundle to the signer (operator)",
	 .help = "  --yes   do not ask\n\n"
		 "The signer says first what it changes; at a terminal it is sent after \"yes\". --dry-run: only "
		 "that.\n\n"
		 "Example:\n  hufu policy submit policies",
	 .run = run_policy_submit},
	{.name = "policy schema",
	 .usage = "profile|project",
	 .summary = "JSON Schema for editors",
	 .help = "Example:\n  hufu policy schema profile > profile.json",
	 .run = run_policy_schema},
	{0},
};

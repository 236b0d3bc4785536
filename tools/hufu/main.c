/*
 * `hufu`: finds the command by its words, reads the global options, runs it. Next file to read: cli.c, then a cmd_*.c.
 */
#include "common/base/log.h"
#include "common/base/secret.h"
#include "tools/hufu/cli.h"

#include <errno.h>
#include <string.h>

static const struct command *const families[] = {
	// clang-format off
	commands_setup,
	commands_account,
	commands_request,
	commands_payment,
	commands_officer,
	commands_cert,
	commands_note,
	commands_operator,
	commands_custodian,
	commands_ceremony, commands_agent,
	commands_audit,
	commands_rpc,
	commands_receipt,
	commands_ledger,
	commands_notice,
	commands_parcel,
	commands_token,
	commands_law,
	// clang-format on
};
#define N_FAMILIES (sizeof families / sizeof families[0])

static void print_help(void)
{
	puts("Usage: hufu [--config FILE] [--json] [--dry-run] COMMAND …\n\n"
	     "  --config FILE   hufu.yaml (default: $HUFU_CONFIG, then /etc/hufu/hufu.yaml)\n"
	     "  --json          print data as JSON\n"
	     "  --dry-run       say what would be done, change nothing\n"
	     "  --help          of a command: hufu COMMAND --help\n"
	     "  --version\n\nCommands:");
	for (size_t i = 0; i < N_FAMILIES; i++)
		for (const struct command *c = families[i]; c->name; c++)
			if (c->summary)
				printf("  %-24s %s\n", c->name, c->summary);
	puts("\nExit codes: 0 done, 1 error, 2 refused by a rule, 3 unreachable, 4 configuration or usage, 5 "
	     "waiting\n\n"
	     "Examples:\n"
	     "  hufu demo --dir /tmp/hufu-demo\n"
	     "  hufu cert list\n"
	     "  hufu status 74C2008800000AE9");
}

static void print_command_help(const struct command *c)
{
	printf("Usage: hufu %s %s\n\n%s\n", c->name, c->usage, c->summary ? c->summary : "");
	if (c->help)
		printf("\n%s\n", c->help);
}

/* How many words of argv the command's name takes; 0 when it is not this command. */
static int words_matched(const struct command *c, int argc, char **argv)
{
	const char *p = c->name;
	int n = 0;
	while (*p) {
		size_t len = strcspn(p, " ");
		if (n >= argc || strlen(argv[n]) != len || memcmp(argv[n], p, len) != 0)
			return 0;
		n++;
		p += len + (p[len] == ' ');
	}
	return n;
}

static const struct command *find_command(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		for (const struct command *c = families[i]; c->name; c++) {
			*ret_words = words_matched(c, argc, argv);
			if (*ret_words > 0)
				return c;
		}
	return NULL;
}

/* The known name next to the first word and, where that has none, to the first two. */
static const char *nearest_command(const char *first, const char *second)
{
	const char *names[128];
	size_t n = 0;
	for (size_t i = 0; i < N_FAMILIES; i++)
		for (const struct command *c = families[i]; c->name && n < 128; c++)
			names[n++] = c->name;
	_cleanup_(freep) char *both = second && second[0] != '-' ? xasprintf("%s %s", first, second) : xstrdup(first);
	const char *near = word_nearest(both, names, n);
	return near ? near : word_nearest(first, names, n);
}

static int unknown_command(int argc, char **argv)
{
	const char *near = nearest_command(argv[0], argc > 1 ? argv[1] : NULL);
	fprintf(stderr, "hufu: no command \"%s\"%s%s%s; see: hufu --help\n", ESC(argv[0], strlen(argv[0])),
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"" : "");
	return EXIT_CONFIG;
}

/* Takes the global options out of argv wherever they stand before a lone "--". Returns the new argc, or -1. */
static int take_global_options(struct cli *c, int argc, char **argv, bool *ret_help)
{
	int n = 0;
	bool literal = false;
	for (int i = 0; i < argc; i++) {
		if (literal || strncmp(argv[i], "--", 2) != 0) {
			argv[n++] = argv[i];
		} else if (strcmp(argv[i], "--json") == 0) {
			c->json = true;
		} else if (strcmp(argv[i], "--dry-run") == 0) {
			c->dry_run = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			*ret_help = true;
		} else if (strcmp(argv[i], "--config") == 0) {
			if (++i == argc)
				return -1;
			free(c->config_path);
			c->config_path = xstrdup(argv[i]);
		} else {
			literal = strcmp(argv[i], "--") == 0;
			argv[n++] = argv[i];
		}
	}
	argv[n] = NULL;
	return n;
}

/* What is typed ends up in JSON, notes and subjects, all of them UTF-8: said here once, for every command. */
static bool words_are_utf8(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!utf8_valid(argv[i], strlen(argv[i]))) {
			fprintf(stderr, "hufu: argument %d is \"%s\", wanted valid UTF-8\n", i,
				ESC(argv[i], strlen(argv[i])));
			return false;
		}
	return true;
}

/* Asked once, at the end: what a full disk did not take was not said. Who closes a pipe has read enough. */
static int written(int rc)
{
	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
		return rc;
	fprintf(stderr, "hufu: what was printed could not be written: %s\n",
		errno ? strerror(errno) : "an earlier write failed");
	return rc == EXIT_DONE ? EXIT_FAILURE : rc;
}

int main(int argc, char **argv)
{
	secret_init();
	log_init("hufu", LOG_LEVEL_WARNING);
	if (!words_are_utf8(argc, argv))
		return EXIT_CONFIG;
	struct cli c = {0};
	bool help = false;
	int n = take_global_options(&c, argc - 1, argv + 1, &help);
	if (n < 0) {
		fprintf(stderr, "hufu: --config wants a file\n");
		return EXIT_CONFIG;
	}
	char **words = argv + 1;
	if (n > 0 && strcmp(words[0], "--version") == 0) {
		puts("hufu " HUFU_VERSION);
		return written(EXIT_DONE);
	}
	if (n == 0 || words[0][0] == '-') {
		print_help();
		return written(help || n == 0 ? EXIT_DONE : EXIT_CONFIG);
	}
	int taken = 0;
	const struct command *cmd = find_command(n, words, &taken);
	int rc = EXIT_DONE;
	if (!cmd)
		rc = unknown_command(n, words);
	else if (help)
		print_command_help(cmd);
	else
		rc = cmd->run(&c, n - taken + 1, words + taken - 1);
	cli_done(&c);
	return written(rc);
}

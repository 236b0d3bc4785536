/*
 * hufu-ca: the isolated signer. This file reads the command line and the passphrase; what runs is in daemon.c,
 * genesis.c and ceremony.c.
 */
#include "ca/backup.h"
#include "ca/ceremony_command.h"
#include "ca/daemon.h"
#include "ca/genesis.h"
#include "ca/key.h"
#include "ca/ledger_command.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/token/hsm.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define PASSPHRASE_MAX 1024

static const char help[] =
	"hufu-ca - the isolated signer of Hufu: checks every tally for itself, keeps the ledger, signs\n"
	"\n"
	"usage:\n"
	"  hufu-ca --config FILE [--passphrase-fd N | --prompt] [--accept-clock]\n"
	"  hufu-ca genesis --config FILE --roster NOTE --policies DIR\n"
	"  hufu-ca ceremony check|rehearse|run|note FILE …       see hufu-ca ceremony --help\n"
	"  hufu-ca ledger check|head --config FILE\n"
	"  hufu-ca ledger prove INDEX | export FROM-TO | backup NEW-FILE --config FILE\n"
	"  hufu-ca backup NEW-FOLDER --config FILE [--passphrase-fd N | --prompt]\n"
	"  hufu-ca schema | --help | --version\n"
	"\n"
	"  --config FILE         ca.yaml\n"
	"  --passphrase-fd N     read the key's passphrase from this open file\n"
	"  --prompt              ask for it on the terminal\n"
	"                        neither: $CREDENTIALS_DIRECTORY/ca-passphrase when it is there, else start locked\n"
	"                        and wait for `hufu unlock` on the operator's socket\n"
	"  --accept-clock        the clock was checked after a jump of more than an hour; recorded\n"
	"\n"
	"ledger: looks at the ledger's file, while the signer runs or not\n"
	"  check    every entry, its hash, the tree, and that intents and outcomes name each other\n"
	"  head     the tree as it is, signed by the log key (C2SP tlog-checkpoint)\n"
	"  prove    an entry's path to that head\n"
	"  export   entries as text: what they hold is customers' data\n"
	"  backup   a copy as of now, which knows that it is one\n"
	"\n"
	"backup: a whole CA: ledger, configuration, and all that its owner alone may read sealed under the passphrase\n"
	"\n"
	"examples:\n"
	"  hufu-ca --config /etc/hufu/ca.yaml --prompt\n"
	"  hufu-ca genesis --config /etc/hufu/ca.yaml --roster roster.note --policies /etc/hufu/policies\n"
	"  hufu-ca ceremony check issuing.yaml --dir /srv/ceremony\n"
	"  hufu-ca ledger check --config /etc/hufu/ca.yaml\n"
	"\n"
	"exit codes: 0 done, 1 error, 2 refused by a rule, 3 unreachable, 4 configuration, 5 waiting\n";

struct arguments {
	const char *command, *file, *word;
	const char *config, *roster, *policies;
	int passphrase_fd;
	bool prompt, accept_clock, help, version;
};

enum { OPT_CONFIG = 256, OPT_ROSTER, OPT_POLICIES, OPT_FD, OPT_PROMPT, OPT_ACCEPT, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"roster", required_argument, NULL, OPT_ROSTER},
	{"policies", required_argument, NULL, OPT_POLICIES},
	{"passphrase-fd", required_argument, NULL, OPT_FD},
	{"prompt", no_argument, NULL, OPT_PROMPT},
	{"accept-clock", no_argument, NULL, OPT_ACCEPT},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

static enum err usage(struct fault *f, const char *what)
{
	return fault_raise(f, ERR_CONFIG, "usage", "command line", "%s; see hufu-ca --help", what);
}

static enum err parse_fd(const char *text, int *ret, struct fault *f)
{
	uint64_t fd;
	if (!u64_parse(text, strlen(text), 1023, &fd))
		return fault_raise(f, ERR_CONFIG, "usage", "command line",
				   "found \"%s\", wanted the number of an open file", ESC(text, strlen(text)));
	*ret = (int)fd;
	return OK;
}

static enum err take_option(int c, struct arguments *a, struct fault *f)
{
	const char **texts[] = {&a->config, &a->roster, &a->policies};
	if (c >= OPT_CONFIG && c <= OPT_POLICIES) {
		*texts[c - OPT_CONFIG] = optarg;
		return OK;
	}
	if (c == OPT_FD)
		return parse_fd(optarg, &a->passphrase_fd, f);
	if (c == '?' || c == ':')
		return usage(f, "an option is unknown or lacks its value");
	a->prompt |= c == OPT_PROMPT;
	a->accept_clock |= c == OPT_ACCEPT;
	a->help |= c == OPT_HELP;
	a->version |= c == OPT_VERSION;
	return OK;
}

static enum err parse(int argc, char **argv, struct arguments *a, struct fault *f)
{
	int c;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1)
		TRY(take_option(c, a, f));
	if (optind < argc)
		a->command = argv[optind++];
	if (optind < argc)
		a->file = argv[optind++];
	if (optind < argc)
		a->word = argv[optind++];
	return optind < argc ? usage(f, "too many arguments") : OK;
}

/* From the file given, the terminal, or the service manager; empty when there is none. */
static enum err read_passphrase(const struct arguments *a, struct secret *ret, struct fault *f)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	if (a->passphrase_fd >= 0)
		return secret_read_fd(a->passphrase_fd, PASSPHRASE_MAX, ret, f);
	if (a->prompt)
		return secret_prompt("Passphrase of the CA key: ", false, PASSPHRASE_MAX, ret, f);
	if (!dir)
		return OK;
	_cleanup_(freep) char *path = path_join(dir, "ca-passphrase");
	return file_exists(path) ? secret_read_file(path, PASSPHRASE_MAX, ret, f) : OK;
}

static enum err load_config(const struct arguments *a, struct ca_config *ret, struct fault *f)
{
	if (!a->config)
		return usage(f, "--config is missing");
	TRY(ca_config_load(a->config, ret, f));
	log_init("hufu-ca", ret->log);
	return OK;
}

static enum err run_daemon(const struct arguments *a, struct fault *f)
{
	_cleanup_(ca_config_done) struct ca_config config = {0};
	struct daemon_options o = {.accept_clock = a->accept_clock};
	TRY(load_config(a, &config, f));
	TRY(read_passphrase(a, &o.passphrase, f));
	enum err e = daemon_run(&config, &o, f);
	secret_done(&o.passphrase);
	return e;
}

static enum err run_genesis(const struct arguments *a, struct fault *f)
{
	_cleanup_(ca_config_done) struct ca_config config = {0};
	TRY(load_config(a, &config, f));
	if (!a->roster || !a->policies)
		return usage(f, "genesis wants --roster and --policies");
	return genesis(&config, a->roster, a->policies, f);
}

static enum err run_ledger(const struct arguments *a, struct fault *f)
{
	_cleanup_(ca_config_done) struct ca_config config = {0};
	if (!a->file)
		return usage(f, "ledger wants check, head, prove, export or backup");
	TRY(load_config(a, &config, f));
	return ledger_command(&config, a->file, a->word, f);
}

static enum err run_backup(const struct arguments *a, struct fault *f)
{
	_cleanup_(ca_config_done) struct ca_config config = {0};
	_cleanup_secret_ struct secret passphrase = {0};
	if (!a->file)
		return usage(f, "backup wants a new folder");
	TRY(load_config(a, &config, f));
	if (a->passphrase_fd >= 0)
		TRY(secret_read_fd(a->passphrase_fd, PASSPHRASE_MAX, &passphrase, f));
	else
		TRY(secret_prompt("Passphrase for the backup: ", true, PASSPHRASE_MAX, &passphrase, f));
	return backup_make(&config, a->file, &passphrase, f);
}

static enum err print_schema(const struct arguments *a, struct fault *f)
{
	_cleanup_buf_ struct buf schema = {0};
	(void)a;
	(void)f;
	ca_config_schema(&schema);
	(void)fputs(buf_text(&schema), stdout);
	return OK;
}

static enum err run(const struct arguments *a, struct fault *f)
{
	static const struct {
		const char *name;
		enum err (*run)(const struct arguments *a, struct fault *f);
	} commands[] = {
		{"genesis", run_genesis}, {"ledger", run_ledger}, {"backup", run_backup}, {"schema", print_schema}};
	if (!a->command)
		return run_daemon(a, f);
	if (a->word && strcmp(a->command, "ledger") != 0)
		return usage(f, "too many arguments");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(a->command, commands[i].name) == 0)
			return commands[i].run(a, f);
	return fault_raise(f, ERR_CONFIG, "usage", "command line",
			   "found command \"%s\", wanted genesis, ceremony, ledger, backup, schema, or none",
			   ESC(a->command, strlen(a->command)));
}

/* The exit codes of the design. */
static int exit_code(enum err e)
{
	switch (e) {
	case OK:
		return 0;
	case ERR_PARSE:
	case ERR_LIMIT:
	case ERR_RULE:
	case ERR_DENIED:
	case ERR_CRYPTO:
		return 2;
	case ERR_NET:
		return 3;
	case ERR_CONFIG:
		return 4;
	case ERR_BUSY:
	case ERR_LOCKED:
		return 5;
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
	case ERR_IO:
	case ERR_DB:
	case ERR_INTERNAL:
		break;
	}
	return 1;
}

/* Asked once, at the end: what a full disk did not take was not said. Who closes a pipe has read enough. */
static enum err end_output(struct fault *f)
{
	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE)
		return fault_raise(f, ERR_IO, "output", "standard output", "what was printed could not be written: %s",
				   errno ? strerror(errno) : "an earlier write failed");
	return OK;
}

int main(int argc, char **argv)
{
	struct arguments a = {.passphrase_fd = -1};
	struct fault f = {0};
	secret_init();
	log_init("hufu-ca", LOG_LEVEL_INFO);
	ca_key_prepare();
	bool ceremony = argc > 1 && strcmp(argv[1], "ceremony") == 0;
	enum err e = ceremony ? ceremony_command(argc - 1, argv + 1, &f) : parse(argc, argv, &a, &f);
	if (e == OK && (a.help || a.version))
		(void)fputs(a.help ? help : "hufu-ca " HUFU_VERSION "\n", stdout);
	else if (e == OK && !ceremony)
		e = run(&a, &f);
	if (e == OK)
		e = end_output(&f);
	hsm_finish();
	if (e != OK && ceremony) /* people read it, in front of others */
		fprintf(stderr, "hufu: %s [%s]\n", f.text, f.rule);
	else if (e != OK)
		log_fault(LOG_LEVEL_ERROR, "failed", &f);
	return exit_code(e);
}

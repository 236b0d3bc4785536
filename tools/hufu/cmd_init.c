/*
 * `hufu init` and `hufu up`.
 */
#include "common/base/file.h"
#include "tools/hufu/demo.h"
#include "tools/hufu/process.h"
#include "tools/hufu/setup.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static enum err ask_passphrase(const struct command *cmd, const char *fd_text, bool confirm, struct secret *ret,
			       struct fault *f)
{
	uint64_t fd = 0;
	(void)cmd;
	if (!fd_text)
		return secret_prompt("Passphrase of the CA keys: ", confirm, 1024, ret, f);
	if (!u64_parse(fd_text, strlen(fd_text), 1023, &fd))
		return fault_raise(f, ERR_CONFIG, "passphrase_fd", "--passphrase-fd",
				   "\"%s\" is not a descriptor number", ESC(fd_text, strlen(fd_text)));
	return secret_read_fd((int)fd, 1024, ret, f);
}

static enum err absolute(const char *dir, char **ret, struct fault *f)
{
	char cwd[PATH_MAX];
	if (dir[0] == '/') {
		*ret = xstrdup(dir);
		return OK;
	}
	if (!getcwd(cwd, sizeof cwd))
		return fault_raise(f, ERR_IO, "getcwd", "init", "%s", strerror(errno));
	*ret = path_join(cwd, dir);
	return OK;
}

int run_init(struct cli *c, int argc, char **argv)
{
	struct setup s = {.algorithm = NULL};
	const char *fd = NULL;
	const struct option_rule rules[] = {
		{.name = "--passphrase-fd", .value = &fd},    {.name = "--ca-user", .value = &s.ca_user},
		{.name = "--ra-user", .value = &s.ra_user},   {.name = "--notify-user", .value = &s.notify_user},
		{.name = "--policies", .value = &s.policies}, {.name = "--algorithm", .value = &s.algorithm},
		{.name = "--issuer", .many = &s.issuers},     {0}};
	const struct command *cmd = cli_command(commands_setup, run_init);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!s.ca_user != !s.ra_user)
		return cli_usage(cmd, "--ca-user and --ra-user go together");
	if (s.notify_user && !s.ca_user)
		return cli_usage(cmd, "--notify-user goes with --ca-user and --ra-user");
	if (s.ca_user && geteuid() != 0)
		return cli_usage(cmd, "--ca-user and --ra-user want root: files are given to those users");
	_cleanup_secret_ struct secret pass = {0};
	_cleanup_(freep) char *dir = NULL, *policies = s.policies ? xstrdup(s.policies) : setup_policies_dir();
	s.policies = policies;
	if (absolute(argv[1], &dir, &f) != OK)
		return cli_fail(c, &f);
	s.dir = dir;
	if (c->dry_run) {
		printf("would lay out %s with the policies of %s (dry run)\n", dir, policies);
		return EXIT_DONE;
	}
	enum err e = ask_passphrase(cmd, fd, true, &pass, &f);
	s.passphrase = &pass;
	if (e == OK)
		e = setup_run(&s, &f);
	option_list_done(&s.issuers);
	if (e != OK)
		return cli_fail(c, &f);
	printf("laid out in %s\n"
	       "officers' keys are in %s/home, not sealed: for real use each officer makes a key with `hufu officer "
	       "key`\n"
	       "start it with: hufu --config %s/etc/hufu/hufu.yaml up\n",
	       dir, dir, dir);
	return EXIT_DONE;
}

/* Waits for a signal to stop, or for a daemon to end by itself. */
static int wait_for_end(struct cli *c, struct daemons *d, const sigset_t *set)
{
	struct fault f = {0};
	for (;;) {
		int sig = 0;
		if (sigwait(set, &sig) != 0)
			continue;
		if (sig == SIGHUP) {
			kill(d->ca, SIGHUP);
			kill(d->ra, SIGHUP);
			continue;
		}
		if (sig != SIGCHLD)
			return EXIT_DONE;
		int status = 0;
		pid_t ended = waitpid(-1, &status, WNOHANG);
		if (ended != d->ca && ended != d->ra)
			continue;
		const char *name = ended == d->ca ? "hufu-ca" : "hufu-ra";
		if (ended == d->ca)
			d->ca = 0;
		else
			d->ra = 0;
		fault_raise(&f, ERR_NET, "program_ended", name, "%s ended by itself (status %d); stopping the other",
			    name, status);
		return cli_fail(c, &f);
	}
}

int run_up(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	bool logs = false;
	const struct option_rule rules[] = {
		{.name = "--passphrase-fd", .value = &fd}, {.name = "--logs", .flag = &logs}, {0}};
	const struct command *cmd = cli_command(commands_setup, run_up);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	_cleanup_secret_ struct secret pass = {0};
	struct daemons d = {0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (cli_load(c, &f) != OK || ask_passphrase(cmd, fd, false, &pass, &f) != OK)
		return cli_fail(c, &f);
	sigprocmask(SIG_BLOCK, &set, NULL);
	bool as_users = geteuid() == 0 && c->ca_user && c->ra_user;
	if (!as_users)
		fputs("hufu: both programs run as this user; for separation lay the tree out as root with --ca-user "
		      "and --ra-user\n",
		      stderr);
	_cleanup_(freep) char *log_dir = logs ? path_join(c->root, "var/log") : NULL;
	enum err e = daemons_start(&d, c->root, as_users ? c->ca_user : NULL, as_users ? c->ra_user : NULL, &pass,
				   log_dir, &f);
	secret_done(&pass);
	int rc = EXIT_DONE;
	if (e != OK) {
		rc = cli_fail(c, &f);
	} else {
		printf("up: desk at %s\n", c->desk_socket);
		fflush(stdout);
		rc = wait_for_end(c, &d, &set);
	}
	daemons_stop(&d);
	return rc;
}

const struct command commands_setup[] = {
	{.name = "init",
	 .usage = "[--ca-user U --ra-user U [--notify-user U]] [--passphrase-fd N] [--policies DIR] [--issuer PEM]… "
		  "[--algorithm A] DIR",
	 .summary = "lay out a CA: keys, ceremonies, roster, policy, configuration",
	 .help = "  --ca-user U --ra-user U   as root: run the two programs as these Unix users\n"
		 "  --notify-user U           and the notifier as this one\n"
		 "  --passphrase-fd N         read the passphrase of the CA keys from this descriptor\n"
		 "  --policies DIR            policy bundle to copy (default: the one that comes with hufu)\n"
		 "  --issuer PEM              pin an old issuer whose certificates will be adopted (repeat for more)\n"
		 "  --algorithm A             of the CA keys: p256 (default), p384, ed25519, sm2, rsa (2048 bits),\n"
		 "                            rsa-3072, rsa-4096\n\n"
		 "Example:\n  hufu init --issuer zjca-oca2.pem /srv/hufu",
	 .run = run_init},
	{.name = "up",
	 .usage = "[--passphrase-fd N] [--logs]",
	 .summary = "run the signer and the desk of a tree until stopped",
	 .help = "  --passphrase-fd N   read the passphrase of the CA keys from this descriptor instead of asking\n"
		 "  --logs              write var/log/*.log instead of stderr\n\nExample:\n  hufu --config "
		 "/srv/hufu/etc/hufu/hufu.yaml up",
	 .run = run_up},
	{.name = "backup",
	 .usage = "[--passphrase-fd N] FOLDER",
	 .summary = "operator: a whole CA into one new folder, secrets sealed",
	 .help = "  --passphrase-fd N   read the backup's passphrase from this descriptor instead of asking\n\n"
		 "The ledger as of now, the keys, etc/hufu/; what its owner alone may read is sealed. The signer goes "
		 "on "
		 "meanwhile.\nThe ledger in it holds customers' data. The desk's database, materials and keys are "
		 "another "
		 "backup.\n\nExample:\n  hufu backup /srv/backup/2026-11-25",
	 .run = run_backup},
	{.name = "restore",
	 .usage = "[--log-key FILE] [--ca-user U --ra-user U [--notify-user U]] [--passphrase-fd N] FOLDER DIR",
	 .summary = "lay a CA out again from a backup",
	 .help = "  --log-key FILE            the log's verifier key, kept elsewhere: the backup must be signed by it\n"
		 "  --ca-user U --ra-user U   as root: the two programs' Unix users\n"
		 "  --notify-user U           and the notifier's\n"
		 "  --passphrase-fd N         read the backup's passphrase from this descriptor instead of asking\n\n"
		 "DIR must not exist or be empty. Every file is compared with the signed manifest before and after. "
		 "The "
		 "signer then\nwaits for `hufu ledger resume`. With --dry-run everything is checked and nothing "
		 "written.\n\nExample:\n  hufu restore --log-key log.vkey --ca-user hufu-ca --ra-user hufu-ra "
		 "/media/backup /srv/hufu",
	 .run = run_restore},
	{.name = "import",
	 .usage = "--officer KEY… [--crl FILE]… [--project P] [--profile P] CSV",
	 .summary = "take over accounts and certificates of an old system",
	 .help = "  --officer KEY     officers who sign the adoption note (repeat: quorum)\n"
		 "  --crl FILE        the old issuer's last CRL (repeat for more issuers)\n"
		 "  --project P       of the certificates (default: what each line says: name, title or alias)\n"
		 "  --profile P       default: organisation\n\n"
		 "The CSV has a header line; see docs/operator.md. --dry-run reports line by line and changes "
		 "nothing.\n\n"
		 "Example:\n  hufu --dry-run import --officer alice.key --officer bob.key old/accounts.csv",
	 .run = run_import},
	{.name = "demo",
	 .usage = "[--ca-user U --ra-user U] [--stay ADDRESS:PORT] --dir DIR",
	 .summary = "the main job on real input, and an attacker who holds the RA",
	 .help = "  --dir DIR                 a folder that does not exist yet\n"
		 "  --ca-user U --ra-user U   as root: run the two programs as these Unix users\n"
		 "  --stay ADDRESS:PORT       go on after the story, with a portal there, until Ctrl-C\n\n"
		 "Examples:\n  hufu demo --dir /tmp/hufu-demo\n"
		 "  hufu demo --dir /tmp/hufu-demo --stay 127.0.0.1:8082",
	 .run = run_demo},
	/* The demo's attacker, which runs as the RA's user: no command for people. */
	{.name = "demo-send", .usage = "SOCKET DIR", .run = run_demo_send},
	{0},
};

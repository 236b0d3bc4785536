/*
 * `hufu-ca ceremony check|rehearse|run|note FILE …`, which `hufu ceremony` starts: it is the program that may hold keys.
 */
#include "ca/ceremony_command.h"

#include "ca/ceremony.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <getopt.h>
#include <string.h>

#define PASSPHRASE_MAX 1024
#define MAX_KEYS 16

static const char help[] =
	"usage: hufu-ca ceremony check FILE [--dir DIR]\n"
	"       hufu-ca ceremony rehearse FILE [--dir DIR] [--into FOLDER] [people and passphrases as of run]\n"
	"       hufu-ca ceremony run FILE [--dir DIR] --operator-key FILE [--witness-key FILE]… [--officer-key FILE]…\n"
	"                            [--passphrase-fd N] [--issuer-passphrase-fd N] [--yes]\n"
	"       hufu-ca ceremony note FILE OUT [--dir DIR]\n"
	"\n"
	"  check      all that can be found without touching a key, with file:line:column\n"
	"  rehearse   the whole of it with throw-away keys, outputs in a folder of its own\n"
	"  run        the ceremony: checklist, each step confirmed, all outputs or none\n"
	"  note       the text that approves this file, for the officers to sign\n"
	"\n"
	"  --dir DIR                 where the file's paths start (default: here)\n"
	"  --into FOLDER             of a rehearsal, kept for the next one that needs what this one makes\n"
	"  --operator-key FILE       the operator's own key (hufu officer key)\n"
	"  --witness-key FILE        a witness who signs here (repeat); they can sign later: hufu note sign\n"
	"  --officer-key FILE        an officer who signs a roster, policy or order here (repeat)\n"
	"  --passphrase-fd N         of the new key and, without the next, of the issuer's: read from this descriptor\n"
	"  --issuer-passphrase-fd N  of the issuer's key\n"
	"  --yes                     every step is confirmed beforehand (for scripts; the transcript says so)\n"
	"  --report-fd N             what was done as lines to this descriptor; the screen is standard error then\n"
	"  --dry-run                 run and rehearse only check; note writes nothing\n"
	"\n"
	"examples:\n"
	"  hufu-ca ceremony check root.yaml\n"
	"  hufu-ca ceremony run issuing.yaml --dir /srv/ceremony --operator-key op.key --witness-key walter.key\n"
	"\n"
	"exit codes: 0 done, 1 error, 2 refused by a rule, 4 configuration\n";

struct key_list {
	const char *v[MAX_KEYS];
	size_t n;
};
struct arguments {
	const char *dir, *into, *operator_key;
	struct key_list witnesses, officers;
	int passphrase_fd, issuer_passphrase_fd;
	int report_fd;
	bool yes, dry_run, help;
	const char *words[3];
	size_t n_words;
};

enum {
	OPT_DIR = 256,
	OPT_INTO,
	OPT_OPERATOR,
	OPT_WITNESS,
	OPT_OFFICER,
	OPT_FD,
	OPT_ISSUER_FD,
	OPT_YES,
	OPT_REPORT,
	OPT_DRY,
	OPT_HELP
};

static const struct option options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"into", required_argument, NULL, OPT_INTO},
	{"operator-key", required_argument, NULL, OPT_OPERATOR},
	{"witness-key", required_argument, NULL, OPT_WITNESS},
	{"officer-key", required_argument, NULL, OPT_OFFICER},
	{"passphrase-fd", required_argument, NULL, OPT_FD},
	{"issuer-passphrase-fd", required_argument, NULL, OPT_ISSUER_FD},
	{"yes", no_argument, NULL, OPT_YES},
	{"report-fd", required_argument, NULL, OPT_REPORT},
	{"dry-run", no_argument, NULL, OPT_DRY},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

static enum err usage(struct fault *f, const char *what)
{
	return fault_raise(f, ERR_CONFIG, "usage", "command line", "%s; see hufu-ca ceremony --help", what);
}

static enum err take_fd(int *ret, struct fault *f)
{
	uint64_t fd;
	if (!u64_parse(optarg, strlen(optarg), 1023, &fd))
		return usage(f, "wanted the number of an open file");
	*ret = (int)fd;
	return OK;
}

static enum err take_key(struct key_list *l, struct fault *f)
{
	if (l->n == MAX_KEYS)
		return usage(f, "too many keys");
	l->v[l->n++] = optarg;
	return OK;
}

static enum err take_option(int c, struct arguments *a, struct fault *f)
{
	switch (c) {
	case OPT_DIR:
		a->dir = optarg;
		return OK;
	case OPT_INTO:
		a->into = optarg;
		return OK;
	case OPT_OPERATOR:
		a->operator_key = optarg;
		return OK;
	case OPT_WITNESS:
		return take_key(&a->witnesses, f);
	case OPT_OFFICER:
		return take_key(&a->officers, f);
	case OPT_FD:
		return take_fd(&a->passphrase_fd, f);
	case OPT_ISSUER_FD:
		return take_fd(&a->issuer_passphrase_fd, f);
	case OPT_YES:
		a->yes = true;
		return OK;
	case OPT_REPORT:
		return take_fd(&a->report_fd, f);
	case OPT_DRY:
		a->dry_run = true;
		return OK;
	case OPT_HELP:
		a->help = true;
		return OK;
	default:
		return usage(f, "an option is unknown or lacks its value");
	}
}

static enum err parse(int argc, char **argv, struct arguments *a, struct fault *f)
{
	int c;
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1)
		TRY(take_option(c, a, f));
	for (; optind < argc; optind++) {
		if (a->n_words == 3)
			return usage(f, "too many arguments");
		a->words[a->n_words++] = argv[optind];
	}
	return OK;
}

static enum err write_order(const struct ceremony_options *o, const char *out, bool dry_run, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	const char *shown = ESC(out, strlen(out));
	TRY(ceremony_order(o, &text, f));
	if (!dry_run)
		TRY(file_write_new(out, buf_slice(&text), 0644, f));
	if (o->report)
		fprintf(o->report, "note: %s\nwritten: %s\n", shown, dry_run ? "false" : "true");
	fprintf(o->screen, "%s%s: ", buf_text(&text), shown);
	if (dry_run)
		(void)fputs("not written (dry run)\n", o->screen);
	else
		fprintf(o->screen, "written, unsigned; officers sign it: hufu note sign --key FILE %s\n", shown);
	return OK;
}

static enum err rehearse(const struct ceremony_options *o, struct fault *f)
{
	_cleanup_(freep) char *into = NULL;
	TRY(ceremony_rehearse(o, &into, f));
	(void)fprintf(o->screen, "outputs: %s\n", into); /* main() looks */
	return OK;
}

static enum err run(const struct arguments *a, const struct ceremony_options *o, struct fault *f)
{
	const char *word = a->words[0];
	bool note = strcmp(word, "note") == 0;
	if (a->n_words != (note ? 3u : 2u))
		return usage(f, note ? "note wants FILE and OUT" : "wanted one ceremony file");
	if (note)
		return write_order(o, a->words[2], a->dry_run, f);
	if (strcmp(word, "rehearse") == 0 && !a->dry_run)
		return rehearse(o, f);
	if (strcmp(word, "run") == 0 && !a->dry_run)
		return ceremony_run(o, f);
	bool known = strcmp(word, "rehearse") == 0 || strcmp(word, "run") == 0;
	if (!known && strcmp(word, "check") != 0)
		return usage(f, "wanted check, rehearse, run or note");
	TRY(ceremony_check(o, f));
	fprintf(o->screen, "%s: good\n", o->file);
	return OK;
}

static enum err perform(const struct arguments *a, FILE *report, struct fault *f)
{
	_cleanup_secret_ struct secret passphrase = {0}, issuers = {0};
	if (a->n_words < 2)
		return usage(f, "wanted check, rehearse, run or note, and a ceremony file");
	if (a->passphrase_fd >= 0)
		TRY(secret_read_fd(a->passphrase_fd, PASSPHRASE_MAX, &passphrase, f));
	if (a->issuer_passphrase_fd >= 0)
		TRY(secret_read_fd(a->issuer_passphrase_fd, PASSPHRASE_MAX, &issuers, f));
	struct ceremony_options o = {.file = a->words[1],
				     .dir = a->dir,
				     .into = a->into,
				     .operator_key = a->operator_key,
				     .witness_keys = a->witnesses.v,
				     .n_witness_keys = a->witnesses.n,
				     .officer_keys = a->officers.v,
				     .n_officer_keys = a->officers.n,
				     .passphrase = passphrase.n ? &passphrase : NULL,
				     .issuer_passphrase = issuers.n ? &issuers : NULL,
				     .yes = a->yes,
				     .answers = STDIN_FILENO,
				     .screen = report ? stderr : stdout,
				     .report = report};
	return run(a, &o, f);
}

enum err ceremony_command(int argc, char **argv, struct fault *f)
{
	struct arguments a = {.dir = ".", .passphrase_fd = -1, .issuer_passphrase_fd = -1, .report_fd = -1};
	_cleanup_(fclosep) FILE *report = NULL;
	TRY(parse(argc, argv, &a, f));
	if (a.help) {
		(void)fputs(help, stdout);
		return OK;
	}
	if (a.report_fd >= 0 && !(report = fdopen(a.report_fd, "w")))
		return usage(f, "the report's descriptor is not open for writing");
	enum err e = perform(&a, report, f);
	if (e != OK && report)
		ceremony_report_fault(report, f);
	return e;
}

/*
 * `hufu-bench`: measures what it is told to in a folder of its own, prints a table or JSON, removes the folder.
 * tools/bench finds the build tree and the commit and starts it. Next file to read: issue.c.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "tools/benchmark/ask.h"
#include "tools/benchmark/edge.h"
#include "tools/benchmark/import.h"
#include "tools/benchmark/issue.h"
#include "tools/benchmark/load.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/base/cleanup.h"

#define DEFAULT_SECONDS 3
#define MAX_SECONDS 60
#define RUNS 3
#define CERTIFICATES 2000000u
#define MAX_CERTIFICATES 100000000u
#define ROWS 100000u
#define MAX_ROWS 1000000u
#define MAX_ENTRIES 100000000u

static const struct benchmark {
	const char *name, *what;
	enum err (*run)(const struct bench_run *b, struct report *ret, struct fault *f);
} benchmarks[] = {
	{"issue", "certificates a second through the signer, and through RA and signer", issue_run},
	{"desk", "status and lists a second from a desk with 2 million certificates", ask_run},
	{"status", "OCSP answers a second from a gate, beside nginx with a file", edge_run},
	{"import", "accounts a second taken over from an old system by `hufu import`", import_run},
};
#define N_BENCHMARKS (sizeof benchmarks / sizeof benchmarks[0])

struct options {
	const struct benchmark *benchmark;
	const char *commit;
	const char *keep; /* folder to work in and to leave; NULL: one that is removed */
	bool json;
	struct bench_run run;
};

/* A length of time: digits, and at most three behind a point. */
static bool seconds_parse(const char *text, double *ret)
{
	size_t whole = strspn(text, "0123456789"),
	       part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	size_t n = whole + (part ? part + 1 : 0);

	if (!whole || part > 3 || text[n])
		return false;
	*ret = strtod(text, NULL);
	return *ret > 0 && *ret <= MAX_SECONDS;
}

static int usage(const char *why, const char *what)
{
	fprintf(stderr,
		"hufu-bench: %s%s\nUsage: tools/bench NAME [--seconds S] [--runs N] [--only CASE] [--certificates N] "
		"[--rows N] [--entries N] "
		"[--keep DIR] [--json]\n",
		why, what);
	for (size_t i = 0; i < N_BENCHMARKS; i++)
		fprintf(stderr, "  %-8s %s\n", benchmarks[i].name, benchmarks[i].what);
	return 4;
}

/* 0, or the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		uint64_t n = 0;
		const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(a, "--json") == 0) {
			o->json = true;
			continue;
		}
		if (a[0] != '-') {
			for (size_t k = 0; k < N_BENCHMARKS; k++)
				if (strcmp(benchmarks[k].name, a) == 0)
					o->benchmark = &benchmarks[k];
			if (!o->benchmark)
				return usage("there is no benchmark named ", a);
			continue;
		}
		if (!value)
			return usage("a value is missing behind ", a);
		i++;
		if (strcmp(a, "--seconds") == 0 && seconds_parse(value, &o->run.seconds))
			;
		else if (strcmp(a, "--runs") == 0 && u64_parse(value, strlen(value), REPORT_MAX_RUNS, &n) && n > 0)
			o->run.runs = (unsigned)n;
		else if (strcmp(a, "--certificates") == 0 && u64_parse(value, strlen(value), MAX_CERTIFICATES, &n) &&
			 n > 0)
			o->run.certificates = n;
		else if (strcmp(a, "--rows") == 0 && u64_parse(value, strlen(value), MAX_ROWS, &n) && n > 0)
			o->run.rows = n;
		else if (strcmp(a, "--entries") == 0 && u64_parse(value, strlen(value), MAX_ENTRIES, &n) && n > 0)
			o->run.entries = n;
		else if (strcmp(a, "--only") == 0)
			o->run.only = value;
		else if (strcmp(a, "--keep") == 0)
			o->keep = value;
		else if (strcmp(a, "--build") == 0)
			o->run.build = value;
		else if (strcmp(a, "--policies") == 0)
			o->run.policies = value;
		else if (strcmp(a, "--commit") == 0)
			o->commit = value;
		else
			return usage("unknown option, or a value that it cannot have: ", a);
	}
	if (!o->benchmark || !o->run.build || !o->run.policies)
		return usage("NAME, --build or --policies is missing", "");
	if (o->keep && o->benchmark->run != ask_run)
		return usage("--keep is for `desk`, not for ", o->benchmark->name);
	return 0;
}

/* --- the folder --------------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	(void)remove(path);
	return 0;
}

/* Not /tmp: that is often memory, where nothing is durable. */
static enum err make_folder(const char *keep, char **ret, struct fault *f)
{
	const char *parent = getenv("TMPDIR");
	struct statfs fs;
	_cleanup_(freep) char *dir =
		keep ? xstrdup(keep) : path_join(parent && *parent ? parent : "/var/tmp", "hufu-bench-XXXXXX");
	if (keep ? mkdir(dir, 0700) != 0 && errno != EEXIST : !mkdtemp(dir))
		return fault_raise(f, ERR_IO, "mkdtemp", "folder", "%s: %s", dir, strerror(errno));
	if (statfs(dir, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		fprintf(stderr, "hufu-bench: %s is in memory (tmpfs), so flushes cost nothing here; set TMPDIR\n", dir);
	*ret = TAKE(dir);
	return OK;
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static void on_signal(int sig)
{
	(void)sig;
	load_stop = 1;
}

static enum err run(struct options *o, struct report *r, struct fault *f)
{
	_cleanup_(freep) char *dir = NULL;
	TRY(make_folder(o->keep, &dir, f));
	o->run.dir = dir;
	(void)getloadavg(&r->load, 1); /* left 0 where the system does not say */
	enum err e = timing_flushes(&r->flushes, dir, f);
	if (e == OK)
		e = o->benchmark->run(&o->run, r, f);
	if (o->keep)
		return e;
	/* Whoever stops us often stops the daemons first, so the error may be theirs. */
	if (e == OK || e == ERR_CONFIG || load_stop)
		(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	else
		fprintf(stderr, "hufu-bench: %s is left for a look at the logs\n", dir);
	return e;
}

int main(int argc, char **argv)
{
	secret_init();
	log_init("hufu-bench", LOG_LEVEL_WARNING);
	struct options o = {.commit = "unknown",
			    .run = {.seconds = DEFAULT_SECONDS,
				    .runs = RUNS,
				    .certificates = CERTIFICATES,
				    .rows = ROWS,
				    .progress = true}};
	struct fault f = {0};
	int rc = read_options(argc, argv, &o);
	if (rc != 0)
		return rc;
	/* Results alone go to stdout: the programs that are started print elsewhere. */
	FILE *out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
	_cleanup_(closep) int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!out || dup2(nowhere, STDOUT_FILENO) < 0)
		return usage("no standard output", "");
	struct sigaction stop = {.sa_handler = on_signal};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	assert(o.benchmark); /* read_options has made sure */
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	o.run.cpus = cpus > 0 ? (unsigned)cpus : 1;
	struct report r = {.name = o.benchmark->name, .commit = o.commit, .cpus = o.run.cpus, .seconds = o.run.seconds};
	if (run(&o, &r, &f) != OK) {
		fprintf(stderr, "hufu-bench: %s [%s]\n", f.text, f.rule);
		return 1;
	}
	if (o.json)
		report_json(&r, out);
	else
		report_table(&r, out);
	timing_done(&r.flushes);
	return fclose(out) == 0 ? 0 : 1;
}

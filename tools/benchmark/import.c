/*
 * An export as old systems make it, a CSV and a PEM file for each certificate, is written into the folder of the
 * measurement beside the old authority's CRL; then a fresh Hufu takes it over by the real `hufu import` with two
 * officers, and takes it once more, which must change nothing. Nothing is kept of the certificates meanwhile.
 */
#include "tools/benchmark/import.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/der.h"
#include "tools/benchmark/desk.h"
#include "tools/hufu/setup.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define AT_ONCE 10000u	   /* certificates in memory while the export is written */
#define REVOKED_SHARE 10u  /* one line of the CRL for so many rows */
#define LIMIT_SAMPLES 2000 /* verifications that the limit is measured by */

struct export
{
	const struct bench_run *b;
	struct report *report;
	struct old_ca old;
	struct tree tree;
	struct cert issuer;
	char *dir, *issuer_path, *crl_path, *csv_path, *said_path; /* said: the import's progress and errors */
	double limit_per_s;
	struct memory hufu;
};

static void export_done(struct export *x)
{
	char **paths[] = {&x->dir, &x->issuer_path, &x->crl_path, &x->csv_path, &x->said_path};
	tree_done(&x->tree);
	cert_done(&x->issuer);
	old_ca_done(&x->old);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		freep(paths[i]);
}

/* --- the export --------------------------------------------------------------------------------------------------- */

/* Not flushed: the export is no part of what is measured. */
static enum err write_pem(const struct export *x, size_t i, struct slice der, struct fault *f)
{
	_cleanup_buf_ struct buf pem = {0};
	_cleanup_(freep) char *path = xasprintf("%s/%zu.pem", x->dir, i);
	pem_put(&pem, "CERTIFICATE", der);
	FILE *out = fopen(path, "wx");
	bool good = out && fwrite(pem.data, 1, pem.len, out) == pem.len;
	if (out && fclose(out) != 0)
		good = false;
	return good ? OK : fault_raise(f, ERR_IO, "write", "export", "%s: %s", path, strerror(errno));
}

static enum err write_rows(struct export *x, FILE *csv, struct fault *f)
{
	struct stock stock = {.old = &x->old};
	for (size_t at = 0; at < x->b->rows;) {
		struct item *items = NULL;
		size_t n = x->b->rows - at < AT_ONCE ? x->b->rows - at : AT_ONCE;
		TRY(stock_make(&stock, n, false, &items, f));
		if (at == 0)
			x->limit_per_s = old_ca_verified_per_s(&x->issuer, buf_slice(&items[0].cert), LIMIT_SAMPLES);
		enum err e = OK;
		for (size_t i = 0; i < n && e == OK; i++) {
			fprintf(csv,
				"%08zu-X,%s,张三,139%08zu," STOCK_PROJECT
				",%zu,机构证书,2026-01-01 00:00:00,2027-01-01 00:00:00,%s,%s," STOCK_ISSUER
				",%zu.pem\n",
				at + i, items[i].name, at + i, 100000 + at + i, items[i].name, items[i].serial, at + i);
			e = write_pem(x, at + i, buf_slice(&items[i].cert), f);
		}
		items_free(items, n);
		TRY(e);
		at += n;
	}
	return OK;
}

static enum err write_csv(struct export *x, struct fault *f)
{
	FILE *csv = fopen(x->csv_path, "wx");
	if (!csv)
		return fault_raise(f, ERR_IO, "open", "export", "%s: %s", x->csv_path, strerror(errno));
	fputs("account_identifier,organisation,agent,mobile,project,service_id,service,service_begins,service_ends,"
	      "certificate_name,serial,issuer,pem_file\n",
	      csv);
	enum err e = write_rows(x, csv, f);
	if (fclose(csv) != 0 && e == OK)
		e = fault_raise(f, ERR_IO, "write", "export", "%s: %s", x->csv_path, strerror(errno));
	return e;
}

static enum err write_export(struct export *x, struct fault *f)
{
	_cleanup_buf_ struct buf pem = {0}, crl = {0};
	x->dir = path_join(x->b->dir, "old");
	x->issuer_path = path_join(x->dir, "old-ca.pem");
	x->crl_path = path_join(x->dir, "old-ca.crl");
	x->csv_path = path_join(x->dir, "accounts.csv");
	if (mkdir(x->dir, 0700) != 0)
		return fault_raise(f, ERR_IO, "mkdir", "export", "%s: %s", x->dir, strerror(errno));
	TRY(old_ca_new(&x->old, f));
	TRY(cert_parse(buf_slice(&x->old.cert), &x->issuer, f));
	pem_put(&pem, "CERTIFICATE", buf_slice(&x->old.cert));
	TRY(file_write_new(x->issuer_path, buf_slice(&pem), 0644, f));
	TRY(old_ca_crl(&x->old, x->b->rows / REVOKED_SHARE, &crl, f));
	TRY(file_write_new(x->crl_path, buf_slice(&crl), 0644, f));
	return write_csv(x, f);
}

/* --- one import --------------------------------------------------------------------------------------------------- */

/* Runs `hufu import`; what it says line by line goes where the bench's own standard output does: nowhere. */
static enum err take_over(struct export *x, struct timing *t, struct fault *f)
{
	_cleanup_(freep) char *program = path_join(x->b->build, "tools/hufu"),
			      *config = path_join(x->tree.dir, "etc/hufu/hufu.yaml"),
			      *alice = setup_person_path(x->tree.dir, setup_officers[0]),
			      *bob = setup_person_path(x->tree.dir, setup_officers[1]);
	const char *argv[] = {program,	   "--config", config,	"import",    "--officer", alice,
			      "--officer", bob,	       "--crl", x->crl_path, x->csv_path, NULL};
	struct rusage used;
	pid_t pid;
	int status;
	timing_start(t);
	TRY(process_start(&(struct process_spec){.argv = argv, .stderr_path = x->said_path}, &pid, f));
	while (wait4(pid, &status, 0, &used) < 0)
		if (errno != EINTR)
			return fault_raise(f, ERR_INTERNAL, "wait", "import", "%s", strerror(errno));
	timing_add(t, t->from_us);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fault_raise(f, ERR_RULE, "import", "import", "hufu import ended with status %d: see %s", status,
				   x->said_path);
	x->hufu = (struct memory){.peak_mib = (double)used.ru_maxrss / 1024.0,
				  .rss_mib = (double)used.ru_maxrss / 1024.0};
	return OK;
}

static enum err measure(struct export *x, const char *name, struct fault *f)
{
	struct row *r = &x->report->rows[x->report->n_rows++];
	struct sample *s = &r->runs[r->n_runs++];
	struct timing t = {0};
	int64_t before = 0, after = 0;
	snprintf(r->name, sizeof r->name, "%s", name);
	TRY(tree_cpu_us(&x->tree, true, &before, f));
	enum err e = take_over(x, &t, f);
	if (e == OK)
		sample_take(s, &t);
	timing_done(&t);
	TRY(e);
	TRY(tree_cpu_us(&x->tree, true, &after, f));
	s->per_s = (double)x->b->rows * 1000.0 / s->p50_ms;
	s->limit_per_s = x->limit_per_s;
	s->cpu_us = (double)(after - before) / (double)x->b->rows;
	TRY(memory_read(x->tree.ca, &r->ca, f));
	TRY(memory_read(x->tree.ra, &r->ra, f));
	if (x->b->progress)
		fprintf(stderr, "%s: %zu accounts in %.1f s, hufu's peak %.0f MiB\n", name, x->b->rows,
			s->p50_ms / 1000.0, x->hufu.peak_mib);
	return OK;
}

/* The desk reads the ledger beside the import: its accounts have their certificates when it has read all. */
static enum err catch_up(struct export *x, struct fault *f)
{
	struct desk *desk = desk_new(&x->tree, &x->old, 1);
	int64_t from_us = clock_mono_us();
	enum err e = desk_catch_up(desk, f);
	desk_free(desk);
	if (e == OK && x->b->progress)
		fprintf(stderr, "the desk has read the ledger %.1f s later\n",
			(double)(clock_mono_us() - from_us) / 1e6);
	return e;
}

static void add_program(struct export *x, const char *name, struct memory idle, struct memory loaded)
{
	struct program *p = &x->report->programs[x->report->n_programs++];
	snprintf(p->name, sizeof p->name, "%s", name);
	p->idle = idle;
	p->loaded = loaded;
}

static enum err run_all(struct export *x, struct fault *f)
{
	struct memory ca, ra;
	int64_t from_us = clock_mono_us();
	TRY(write_export(x, f));
	if (x->b->progress)
		fprintf(stderr, "%zu accounts with a certificate each, and a CRL of %zu lines, written in %.0f s\n",
			x->b->rows, x->b->rows / REVOKED_SHARE, (double)(clock_mono_us() - from_us) / 1e6);
	x->tree.build = x->b->build;
	x->tree.policies = x->b->policies;
	x->tree.dir = path_join(x->b->dir, "hufu");
	x->said_path = path_join(x->b->dir, "import.log");
	TRY(tree_lay_out(&x->tree, "p256", x->issuer_path, f));
	TRY(tree_start(&x->tree, f));
	TRY(measure(x, "import", f));
	struct memory first = x->hufu;
	TRY(catch_up(x, f));
	TRY(measure(x, "import-again", f));
	TRY(memory_read(x->tree.ca, &ca, f));
	TRY(memory_read(x->tree.ra, &ra, f));
	add_program(x, "hufu-ca", x->tree.idle_ca, ca);
	add_program(x, "hufu-ra", x->tree.idle_ra, ra);
	add_program(x, "hufu import", (struct memory){0}, first);
	return OK;
}

enum err import_run(const struct bench_run *b, struct report *ret, struct fault *f)
{
	struct export x = {.b = b, .report = ret};
	enum err e = run_all(&x, f);
	export_done(&x);
	return e;
}

/*
 * Medians, not means: one run that another program disturbed shall not move the figure. A ratio is that of the two
 * medians beside it, so that a reader can check it.
 */
#include "tools/benchmark/report.h"

#include "common/base/clock.h"
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define FLUSHES 64
#define FLUSH_BYTES 4096

void timing_done(struct timing *t)
{
	freep(&t->us);
	t->n = t->cap = 0;
}

void timing_start(struct timing *t)
{
	t->n = 0;
	t->from_us = t->last_us = clock_mono_us();
}

void timing_add(struct timing *t, int64_t from_us)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 4096;
		t->us = xrealloc(t->us, t->cap, sizeof *t->us);
	}
	t->last_us = clock_mono_us();
	t->us[t->n++] = t->last_us - from_us;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

double timing_percentile_ms(struct timing *t, double p)
{
	if (t->n == 0)
		return 0;
	qsort(t->us, t->n, sizeof *t->us, by_size);
	size_t rank = (size_t)ceil(p / 100.0 * (double)t->n);
	return (double)t->us[rank > 0 ? rank - 1 : 0] / 1000.0;
}

enum err timing_flushes(struct timing *t, const char *dir, struct fault *f)
{
	static const uint8_t block[FLUSH_BYTES];
	_cleanup_(freep) char *path = path_join(dir, "flush");
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	for (size_t i = 0; i < FLUSHES; i++) {
		int64_t from = clock_mono_us();
		if (fd < 0 || write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
			return fault_raise(f, ERR_IO, "flush", "folder", "%s: %s", path, strerror(errno));
		timing_add(t, from);
	}
	return OK;
}

void sample_take(struct sample *s, struct timing *t)
{
	int64_t us = t->last_us - t->from_us;
	s->per_s = us > 0 ? (double)t->n * 1e6 / (double)us : 0;
	s->p50_ms = timing_percentile_ms(t, 50);
	s->p99_ms = timing_percentile_ms(t, 99);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

double row_median(const struct row *r, size_t offset)
{
	double v[REPORT_MAX_RUNS] = {0};
	size_t n = r->n_runs;
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		memcpy(&v[i], (const char *)&r->runs[i] + offset, sizeof v[i]);
	qsort(v, n, sizeof v[0], by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}
#define MEDIAN(r, member) row_median((r), offsetof(struct sample, member))

static double ratio_of(const struct row *r)
{
	double limit = MEDIAN(r, limit_per_s);
	return limit > 0 ? MEDIAN(r, per_s) / limit : 0;
}

/* Of the programs that took part, together. */
static double peak_of(const struct row *r)
{
	return r->ca.peak_mib + r->ra.peak_mib;
}

void report_table(struct report *r, FILE *out)
{
	fprintf(out, "%s: %u cpus, load %.1f, commit %s, runs of %g s, one flush %.2f ms, p99 %.2f ms\n\n", r->name,
		r->cpus, r->load, r->commit, r->seconds, timing_percentile_ms(&r->flushes, 50),
		timing_percentile_ms(&r->flushes, 99));
	fprintf(out, "%-20s %9s %9s %6s %8s %8s %7s %9s %5s\n", "case", "hufu/s", "limit/s", "ratio", "p50 ms",
		"p99 ms", "cpu us", "peak MiB", "runs");
	for (size_t i = 0; i < r->n_rows; i++) {
		const struct row *w = &r->rows[i];
		fprintf(out, "%-20s %9.0f %9.0f %6.2f %8.2f %8.2f %7.*f %9.1f %5zu", w->name, MEDIAN(w, per_s),
			MEDIAN(w, limit_per_s), ratio_of(w), MEDIAN(w, p50_ms), MEDIAN(w, p99_ms),
			MEDIAN(w, cpu_us) < 100 ? 1 : 0, MEDIAN(w, cpu_us), peak_of(w), w->n_runs);
		for (size_t k = 0; k < REPORT_PEERS; k++)
			if (w->peers[k])
				fprintf(out, "  %s %.0f", w->peers[k], MEDIAN(w, peers[k]));
		fputc('\n', out);
	}
	if (r->growth.ratio > 0)
		fprintf(out, "\nrate at %" PRIu64 " entries / rate at %" PRIu64 ": %.2f\n", r->growth.entries[1],
			r->growth.entries[0], r->growth.ratio);
	fprintf(out, "\n%-20s %9s %15s %11s %9s\n", "program, MiB", "idle", "peak when idle", "after load", "peak");
	for (size_t i = 0; i < r->n_programs; i++) {
		const struct program *p = &r->programs[i];
		fprintf(out, "%-20s %9.1f %15.1f %11.1f %9.1f\n", p->name, p->idle.rss_mib, p->idle.peak_mib,
			p->loaded.rss_mib, p->loaded.peak_mib);
	}
}

/* Three digits behind the point are more than was measured. */
static json_t *number(double v)
{
	return json_real(round(v * 1000.0) / 1000.0);
}

static json_t *row_json(const struct row *r)
{
	json_t *o = json_pack("{s:s,s:{}}", "case", r->name, "peers");
	for (size_t i = 0; i < REPORT_PEERS; i++) {
		if (r->peers[i])
			json_object_set_new(json_object_get(o, "peers"), r->peers[i], number(MEDIAN(r, peers[i])));
	}
	json_object_set_new(o, "hufu_per_s", number(MEDIAN(r, per_s)));
	json_object_set_new(o, "limit_per_s", number(MEDIAN(r, limit_per_s)));
	json_object_set_new(o, "ratio", number(ratio_of(r)));
	json_object_set_new(o, "p50_ms", number(MEDIAN(r, p50_ms)));
	json_object_set_new(o, "p99_ms", number(MEDIAN(r, p99_ms)));
	json_object_set_new(o, "rss_mib", number(peak_of(r)));
	json_object_set_new(o, "runs", json_integer((json_int_t)r->n_runs));
	return o;
}

static json_t *program_json(const struct program *p)
{
	json_t *o = json_pack("{s:s}", "program", p->name);
	json_object_set_new(o, "idle_mib", number(p->idle.rss_mib));
	json_object_set_new(o, "idle_peak_mib", number(p->idle.peak_mib));
	json_object_set_new(o, "loaded_mib", number(p->loaded.rss_mib));
	json_object_set_new(o, "peak_mib", number(p->loaded.peak_mib));
	return o;
}

void report_json(struct report *r, FILE *out)
{
	json_t *rows = json_array(), *programs = json_array();
	_cleanup_(json_freep) json_t *o =
		json_pack("{s:s,s:i,s:s,s:o,s:f,s:o}", "name", r->name, "cpus", (int)r->cpus, "commit", r->commit,
			  "rows", rows, "seconds", r->seconds, "programs", programs);
	for (size_t i = 0; i < r->n_rows; i++)
		json_array_append_new(rows, row_json(&r->rows[i]));
	for (size_t i = 0; i < r->n_programs; i++)
		json_array_append_new(programs, program_json(&r->programs[i]));
	if (r->growth.ratio > 0)
		json_object_set_new(o, "growth",
				    json_pack("{s:I,s:I,s:f}", "short_entries", (json_int_t)r->growth.entries[0],
					      "long_entries", (json_int_t)r->growth.entries[1], "ratio",
					      r->growth.ratio));
	json_object_set_new(o, "load", number(r->load));
	json_object_set_new(o, "flush_ms", number(timing_percentile_ms(&r->flushes, 50)));
	json_object_set_new(o, "flush_p99_ms", number(timing_percentile_ms(&r->flushes, 99)));
	json_dumpf(o, out, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	fputc('\n', out);
}

/*
 * What was measured: latencies of one run, medians over the runs, as a table and as JSON.
 */
#ifndef HUFU_BENCHMARK_REPORT_H
#define HUFU_BENCHMARK_REPORT_H

#include "tools/benchmark/tree.h"

#include <stdio.h>

/* Durations of one run. Zero state is empty. */
struct timing {
	int64_t *us;
	size_t n, cap;
	int64_t from_us, last_us; /* of the run: its start, its last answer */
};
void timing_done(struct timing *t);
void timing_start(struct timing *t); /* empties it and reads the clock */
/* Something that began at from_us has ended now. */
void timing_add(struct timing *t, int64_t from_us);

#define REPORT_PEERS 3

/* One run of one case. */
struct sample {
	double per_s, limit_per_s, p50_ms, p99_ms;
	double cpu_us; /* of Hufu's programs, for each certificate or answer */
	double peers[REPORT_PEERS];
};
/* Appends 4 KiB to a file of that folder and flushes them, 64 times. */
MUST_CHECK enum err timing_flushes(struct timing *t, const char *dir, struct fault *f);
/* Nearest rank. Sorts t. */
double timing_percentile_ms(struct timing *t, double p);
/* Rate from the run's start to its last answer, and percentiles. Sorts t. Leaves limit_per_s and cpu_us alone. */
void sample_take(struct sample *s, struct timing *t);

#define REPORT_MAX_RUNS 16
struct row {
	char name[40];
	const char *peers[REPORT_PEERS]; /* their names; NULL: none */
	struct sample runs[REPORT_MAX_RUNS];
	size_t n_runs;
	struct memory ca, ra; /* after the last run; ra zero when it took no part */
};
struct program {
	char name[40];		    /* "hufu-ca p256" */
	struct memory idle, loaded; /* before any request; after the last run */
};
#define REPORT_MAX_ROWS 80
struct report {
	const char *name, *commit;
	unsigned cpus;
	double seconds; /* of one run */
	double load;	 /* of the machine before the first run: tasks that want a core, over one minute */
	struct timing flushes; /* 4 KiB appended and flushed in the folder of the measurement: at the start, and with `issue`
				  behind each run of one request in flight */
	struct row rows[REPORT_MAX_ROWS];
	size_t n_rows;
	struct program programs[REPORT_MAX_ROWS];
	size_t n_programs;
	struct {
		uint64_t entries[2]; /* of the short ledger and of the long one, when their first runs began */
		double ratio;	     /* of the rates, the long one's to the short one's; 0: not measured */
	} growth;
};
/* The median member (an offset of double in struct sample) of the runs. */
double row_median(const struct row *r, size_t offset);
void report_table(struct report *r, FILE *out);
/* {"name", "cpus", "commit", "rows": [{"case", "hufu_per_s", "limit_per_s", "ratio", "peers", "p50_ms", "p99_ms",
 * "rss_mib", "runs"}]}, and beyond that "seconds", "load", "flush_ms", "flush_p99_ms", "programs": [{"program", "idle_mib",
 * "idle_peak_mib", "loaded_mib", "peak_mib"}], "growth": {"short_entries", "long_entries", "ratio"} when there was a long ledger. rss_mib is the peak of the programs that took part, together. */
void report_json(struct report *r, FILE *out);

#endif

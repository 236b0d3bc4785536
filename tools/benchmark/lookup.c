/*
 * Two tables of the gate's, few and many certificates, filled here. Serial numbers follow from their place by a mixing
 * function, so that what is asked for comes from no memory but the table's.
 */
#include "tools/benchmark/lookup.h"

#include "common/base/clock.h"
#include "ra/gate/table.h"

#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"

#define BLOCK 1000u

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

static void serial_nth(uint64_t i, struct serial *ret)
{
	uint64_t v = mix(i + 1);
	ret->n = 16;
	ret->b[0] = 1;
	memcpy(ret->b + 1, &v, 8);
	memcpy(ret->b + 8, &i, 8);
}

static enum err fill(struct gate_table *t, size_t n, struct fault *f)
{
	struct cert_ref ref = {.issuer_key_id = {7}};
	table_write_begin(t);
	enum err e = OK;
	for (size_t i = 0; i < n && e == OK; i++) {
		serial_nth(i, &ref.serial);
		e = table_add(t, &ref, clock_now() + 1000000, false, NULL, f);
	}
	table_write_end(t);
	return e;
}

static double thread_seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool look_up(struct gate_table *t, uint64_t i)
{
	struct cert_ref ref = {.issuer_key_id = {7}};
	struct gate_row row = {0};
	serial_nth(i, &ref.serial);
	table_read_begin(t);
	const struct gate_row *found = table_find(t, &ref, NULL);
	if (found)
		row = *found;
	table_read_end(t);
	return row.n == 16;
}

/* Look-ups a second. */
static enum err measure(struct gate_table *t, size_t n, double seconds, double *ret, struct fault *f)
{
	uint64_t done = 0, at = 0;
	double from = thread_seconds(), now = from;
	bool all = true;
	for (; now - from < seconds; now = thread_seconds(), done += BLOCK)
		for (size_t i = 0; i < BLOCK; i++)
			all &= look_up(t, mix(++at) % n);
	*ret = (double)done / (now - from);
	return all ? OK : fault_raise(f, ERR_INTERNAL, "look_up", "table", "a certificate of the table is not found");
}

enum err lookup_run(const struct bench_run *b, struct report *ret, struct fault *f)
{
	_cleanup_(table_freep) struct gate_table *few = table_new(), *many = table_new();
	struct row *r = &ret->rows[ret->n_rows++];
	double unused;
	snprintf(r->name, sizeof(r->name), "look-up-bare");
	TRY(fill(few, LOOKUP_FEW, f));
	TRY(fill(many, b->certificates, f));
	TRY(measure(many, b->certificates, b->seconds / 4, &unused, f));
	for (unsigned i = 0; i < b->runs; i++) {
		struct sample *s = &r->runs[r->n_runs++];
		*s = (struct sample){0};
		TRY(measure(many, b->certificates, b->seconds, &s->per_s, f));
		TRY(measure(few, LOOKUP_FEW, b->seconds, &s->limit_per_s, f));
		s->cpu_us = 1e6 / s->per_s;
	}
	if (b->progress)
		fprintf(stderr, "look-up-bare: %.1f bytes a certificate\n",
			(double)table_bytes(many) / (double)b->certificates);
	return OK;
}

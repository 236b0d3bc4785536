/*
 * How far an import is, on standard error: one line that is written over on a terminal, else a line each 10,000 rows,
 * so that a log of a small import holds nothing of it.
 */
#include "common/base/clock.h"
#include "tools/hufu/import.h"

#include <unistd.h>

#define ON_TERMINAL 500
#define IN_LOG 10000

void import_progress_open(struct import_progress *p)
{
	p->terminal = isatty(STDERR_FILENO);
	p->every = p->terminal ? ON_TERMINAL : IN_LOG;
	p->from_us = clock_mono_us();
}

void import_progress_hide(struct import_progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

void import_progress(struct import_progress *p, const char *what, size_t done, size_t all)
{
	if (done < p->last)
		p->last = 0; /* another step */
	if (p->every == 0 || done / p->every == p->last / p->every)
		return;
	p->last = done;
	import_progress_hide(p);
	fprintf(stderr, "%s: %zu", what, done);
	if (all > 0)
		fprintf(stderr, " of %zu", all);
	fprintf(stderr, ", %lld s", (long long)((clock_mono_us() - p->from_us) / 1000000));
	if (!p->terminal)
		fputc('\n', stderr);
	p->drawn = p->terminal;
}

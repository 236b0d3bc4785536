/*
 * The text of /metrics, by curl, and the number behind a name in it.
 */
#include "tools/benchmark/told.h"

#include "common/base/file.h"
#include "tools/hufu/process.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define METRICS_MAX 65536u
#define LOOK_MS 500 /* more than twice as long as a gate rests between two parts of that work */
#define LOOKS 240

static enum err find(const char *text, const char *name, double *ret, struct fault *f)
{
	const char *p = strstr(text, name);
	if (!p)
		return fault_raise(f, ERR_INTERNAL, "metrics", "gate", "its metrics have no %s", name);
	*ret = strtod(p + strlen(name), NULL);
	return OK;
}

enum err told_read(const char *dir, const char *address, struct told *ret, struct fault *f)
{
	_cleanup_(freep) char *url = xasprintf("http://%s/metrics", address), *out = path_join(dir, "metrics.txt");
	_cleanup_buf_ struct buf text = {0};
	const char *argv[] = {"/usr/bin/curl", "-sf", "-o", out, url, NULL};
	TRY(process_run(&(struct process_spec){.argv = argv}, f));
	TRY(file_read(out, METRICS_MAX, &text, f));
	TRY(find(buf_text(&text), "\nhufu_gate_ocsp_kept ", &ret->kept, f));
	return find(buf_text(&text), "{kind=\"ocsp\",result=\"signed\"} ", &ret->fresh, f);
}

enum err told_wait_quiet(const char *dir, const char *address, struct fault *f)
{
	struct told before, now;
	TRY(told_read(dir, address, &before, f));
	for (unsigned i = 0; i < LOOKS; i++) {
		(void)poll(NULL, 0, LOOK_MS);
		TRY(told_read(dir, address, &now, f));
		if (now.kept <= before.kept)
			return OK;
		before = now;
	}
	return fault_raise(f, ERR_BUSY, "quiet", "gate", "it still signs ahead after two minutes");
}

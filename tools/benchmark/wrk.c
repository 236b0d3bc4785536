/*
 * wrk with a script that takes whole requests from a file, so that every server is asked at the same cost. What it prints is
 * read from its text.
 */
#include "tools/benchmark/wrk.h"

#include "common/base/file.h"
#include "tools/hufu/process.h"

#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define CONNECTIONS 64u

enum err wrk_script(const char *dir, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(dir, "ask.lua");
	return file_write(path,
			  slice_str("local all, at, n = {}, 0, 0\n"
				    "function init(args)\n"
				    "  local text = io.open(args[1], 'rb'):read('*a')\n"
				    "  local i = 1\n"
				    "  while i < #text do\n"
				    "    local a, b, c, d = text:byte(i, i + 3)\n"
				    "    local len = ((a * 256 + b) * 256 + c) * 256 + d\n"
				    "    n = n + 1\n"
				    "    all[n] = text:sub(i + 4, i + 3 + len)\n"
				    "    i = i + 4 + len\n"
				    "  end\n"
				    "  math.randomseed(os.time())\n"
				    "  at = tonumber(args[2]) or math.random(n)\n"
				    "end\n"
				    "function request()\n"
				    "  at = at % n + 1\n"
				    "  return all[at]\n"
				    "end\n"),
			  0600, f);
}

/* As wrk takes them. */
int wrk_seconds(double s)
{
	return s < 1 ? 1 : (int)s;
}

/* "600.00us", "1.20ms", "2.00s". */
static double milliseconds(const char *text)
{
	char *end;
	double v = strtod(text, &end);
	return strncmp(end, "us", 2) == 0 ? v / 1000 : strncmp(end, "ms", 2) == 0 ? v : v * 1000;
}

static const char *behind(const char *text, const char *word)
{
	const char *p = strstr(text, word);
	return p ? p + strlen(word) : NULL;
}

static enum err read_told(const char *path, struct wrk_told *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	TRY(file_read(path, 65536, &text, f));
	const char *rate = behind(buf_text(&text), "Requests/sec:"), *p50 = behind(buf_text(&text), " 50%"),
		   *p99 = behind(buf_text(&text), " 99%");
	if (!rate || !p50 || !p99 || strstr(buf_text(&text), "Non-2xx") || strstr(buf_text(&text), "Socket errors"))
		return fault_raise(f, ERR_INTERNAL, "wrk", "wrk", "%s: found an error, or no rate", path);
	*ret = (struct wrk_told){strtod(rate, NULL), milliseconds(p50), milliseconds(p99)};
	return OK;
}

enum err wrk_run(const char *dir, unsigned cpus, const struct wrk_asking *a, double seconds, struct wrk_told *ret,
		 struct fault *f)
{
	_cleanup_(freep) char *url = xasprintf("http://%s/", a->address), *script = path_join(dir, "ask.lua"),
			      *file = path_join(dir, a->requests), *out = path_join(dir, "wrk.out"),
			      *length = xasprintf("%ds", wrk_seconds(seconds)), *threads = xasprintf("-t%u", cpus),
			      *connections = xasprintf("-c%u", CONNECTIONS);
	const char *const argv[] = {"/usr/bin/taskset",
				    "-c",
				    a->cores,
				    "/usr/bin/wrk",
				    threads,
				    connections,
				    "-d",
				    length,
				    "--latency",
				    "-s",
				    script,
				    url,
				    "--",
				    file,
				    a->from,
				    NULL};
	(void)unlink(out);
	TRY(process_run(
		&(struct process_spec){.argv = a->cores ? argv : argv + 3, .stdout_path = out, .stderr_path = out}, f));
	return read_told(out, ret, f);
}

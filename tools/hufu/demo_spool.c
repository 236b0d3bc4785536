/*
 * The demo has no gateway for SMS: it reads the messages where the desk leaves them for one.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/hufu/demo.h"

#include <dirent.h>
#include <string.h>
#include <time.h>

#define WAIT_US 10000000

static bool code_in(const char *path, const char *mobile, char ret[7])
{
	_cleanup_(json_freep) json_t *m = json_load_file(path, 0, NULL);
	const char *to = json_string_value(json_object_get(m, "to")),
		   *text = json_string_value(json_object_get(m, "en"));
	if (!to || !text || strcmp(to, mobile) != 0 || strncmp(text, "Code ", 5) != 0 || strlen(text) < 11)
		return false;
	snprintf(ret, 7, "%s", text + 5);
	return true;
}

static bool look(const char *folder, const char *mobile, char ret[7])
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	bool found = false;
	while (dir && !found && (e = readdir(dir))) {
		_cleanup_(freep) char *path = path_join(folder, e->d_name);
		size_t n = strlen(e->d_name);
		found = n > 5 && strcmp(e->d_name + n - 5, ".json") == 0 && code_in(path, mobile, ret);
	}
	if (dir)
		closedir(dir);
	return found;
}

enum err demo_sms_code(const struct demo *d, const char *mobile, char ret[7], struct fault *f)
{
	_cleanup_(freep) char *folder = demo_path(d, "var/lib/hufu-ra/spool");
	const struct timespec moment = {.tv_nsec = 10000000};
	int64_t until = clock_mono_us() + WAIT_US;
	while (!look(folder, mobile, ret)) {
		if (clock_mono_us() > until)
			return fault_raise(f, ERR_NOT_FOUND, "demo", "demo", "no code for %s has come to %s", mobile,
					   folder);
		nanosleep(&moment, NULL);
	}
	return OK;
}

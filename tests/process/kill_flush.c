/*
 * Power that goes at a flush: preloaded into a program, which ends by SIGKILL when it asks for its $HUFU_TEST_KILL_FLUSHth
 * fsync, before that is done. Without the variable nothing changes.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

typedef int fsync_fn(int fd);

int fsync(int fd)
{
	static long left = -1;
	if (left < 0) {
		const char *text = getenv("HUFU_TEST_KILL_FLUSH");
		left = text ? strtol(text, NULL, 10) : 0;
	}
	if (left > 0 && --left == 0)
		kill(getpid(), SIGKILL);
	fsync_fn *real = (fsync_fn *)dlsym(RTLD_NEXT, "fsync");
	return real(fd);
}

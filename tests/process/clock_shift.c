/*
 * A clock that is ahead: preloaded into a program, so that a grace period ends within a test. $HUFU_TEST_CLOCK_AHEAD
 * seconds are added to the time of day; the monotonic clock is left alone, as after a night without the process.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int clock_fn(clockid_t id, struct timespec *ret);

int clock_gettime(clockid_t id, struct timespec *ret)
{
	static clock_fn *real;
	static long ahead;
	if (!real) {
		const char *text = getenv("HUFU_TEST_CLOCK_AHEAD");
		ahead = text ? strtol(text, NULL, 10) : 0;
		real = (clock_fn *)dlsym(RTLD_NEXT, "clock_gettime");
	}
	int e = real(id, ret);
	if (e == 0 && id == CLOCK_REALTIME)
		ret->tv_sec += ahead;
	return e;
}

/* Other people's programs ask so, and so. */
int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec t = {0};
	(void)zone;
	int e = clock_gettime(CLOCK_REALTIME, &t);
	*ret = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
	return e;
}

time_t time(time_t *ret)
{
	struct timespec t = {0};
	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (ret)
		*ret = t.tv_sec;
	return t.tv_sec;
}

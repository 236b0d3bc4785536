/*
 * Walls on kernels that lack some, and when they must not go up. Each case is a child, since walls stay. What holds
 * behind them is asked by tests/process/sandbox_probe.c.
 */
#include "common/base/sandbox.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* A kernel without `call`, or one whose container hides it. */
static void take_away(int call, int code)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)code), call, 0) != 0 ||
	    seccomp_load(filter) != 0)
		_exit(100);
	seccomp_release(filter);
}

static enum err enter(const struct sandbox_path *paths, size_t n, struct fault *f)
{
	return sandbox_enter(&(struct sandbox){.paths = paths, .n_paths = n}, f);
}

/* Exit code of the child, or 1000 + its signal. What it logged is in said. */
static int in_child(int (*body)(void), char *said, size_t size)
{
	int p[2], status;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(p[1], STDERR_FILENO);
		log_init("test", LOG_LEVEL_ERROR); /* what must be heard is heard at the highest threshold */
		_exit(body());
	}
	close(p[1]);
	size_t n = 0;
	ssize_t got;
	while (n < size - 1 && (got = read(p[0], said + n, size - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int opens_what_is_named(void)
{
	struct sandbox_path paths[] = {{NULL, SANDBOX_READ},
				       {"/nowhere/at/all", SANDBOX_STATE},
				       {"/etc/passwd/not-a-folder", SANDBOX_SOCKET},
				       {"/etc/passwd", SANDBOX_READ}};
	struct fault f = {0};
	if (enter(paths, 4, &f) != OK)
		return 1;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? 3 : 0;
}

static int opens_tcp(void)
{
	struct fault f = {0};
	if (enter(NULL, 0, &f) != OK)
		return 1;
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 2 : 0;
}

static int opens_beside(void)
{
	struct sandbox_path paths[] = {{"/etc/passwd", SANDBOX_READ}};
	struct fault f = {0};
	if (enter(paths, 1, &f) != OK)
		return 1;
	return open("/etc/group", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? 2 : 0;
}

static int opens_beside_what_is_replaced(void)
{
	struct sandbox_path paths[] = {{"/etc/passwd", SANDBOX_REREAD}};
	struct fault f = {0};
	if (enter(paths, 1, &f) != OK)
		return 1;
	return open("/etc/group", O_RDONLY | O_CLOEXEC) < 0 ? 2 : 0;
}

static int without_landlock(void)
{
	take_away(SCMP_SYS(landlock_create_ruleset), ENOSYS);
	return opens_tcp();
}

static int with_landlock_off(void)
{
	take_away(SCMP_SYS(landlock_create_ruleset), EOPNOTSUPP);
	return opens_tcp();
}

static int with_half_a_landlock(void)
{
	struct fault f = {0};
	take_away(SCMP_SYS(landlock_restrict_self), EPERM);
	return enter(NULL, 0, &f) == ERR_INTERNAL && strcmp(f.rule, "sandbox_landlock") == 0 ? 42 : 0;
}

/* libseccomp's own filter goes in by the call that is taken away: what is left of it must be an error. */
static int without_seccomp(void)
{
	struct fault f = {0};
	take_away(SCMP_SYS(seccomp), EPERM);
	return enter(NULL, 0, &f) == ERR_INTERNAL && strcmp(f.rule, "sandbox_seccomp") == 0 ? 42 : 0;
}

static void *wait_for_byte(void *arg)
{
	char c;
	(void)!read(*(int *)arg, &c, 1);
	return NULL;
}

static int with_a_second_thread(void)
{
	int p[2];
	pthread_t second;
	struct fault f = {0};
	if (pipe2(p, O_CLOEXEC) != 0 || pthread_create(&second, NULL, wait_for_byte, &p[0]) != 0)
		return 1;
	enum err e = enter(NULL, 0, &f);
	(void)!write(p[1], "", 1);
	pthread_join(second, NULL);
	return e == ERR_INTERNAL && strcmp(f.rule, "sandbox_threads") == 0 ? 42 : 0;
}

static int twice(void)
{
	struct fault f = {0};
	if (enter(NULL, 0, &f) != OK)
		return 1;
	return enter(NULL, 0, &f) != OK ? 2 : 0;
}

static void walls(void **state)
{
	static const struct {
		const char *what;
		int (*body)(void);
		int want;
		const char *said; /* a log line that must be there, or NULL: none may be */
	} cases[] = {
		{"named paths", opens_what_is_named, 0, NULL},
		{"a file beside", opens_beside, 2, NULL},
		{"a file beside what is replaced", opens_beside_what_is_replaced, 0, NULL},
		{"TCP", opens_tcp, 1000 + SIGSYS, NULL},
		{"no Landlock", without_landlock, 1000 + SIGSYS, "event=sandbox_without_landlock"},
		{"Landlock off", with_landlock_off, 1000 + SIGSYS, "event=sandbox_without_landlock"},
		{"half a Landlock", with_half_a_landlock, 42, NULL},
		{"no seccomp", without_seccomp, 42, NULL},
		{"a second thread", with_a_second_thread, 42, NULL},
		{"twice", twice, 1000 + SIGSYS, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char said[4096];
		int got = in_child(cases[i].body, said, sizeof(said));
		if (got != cases[i].want || (cases[i].said ? !strstr(said, cases[i].said) : said[0] != '\0'))
			fail_msg("%s: found %d, wanted %d; it said: %s", cases[i].what, got, cases[i].want, said);
	}
}

/* A sanitizer's build says that it has none. */
static void no_walls_in_a_sanitized_build(void **state)
{
	char said[4096];
	(void)state;
	assert_int_equal(in_child(opens_tcp, said, sizeof(said)), 0);
	assert_non_null(strstr(said, "event=sandbox_off"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SANITIZED ? (struct CMUnitTest)cmocka_unit_test(no_walls_in_a_sanitized_build)
			  : (struct CMUnitTest)cmocka_unit_test(walls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

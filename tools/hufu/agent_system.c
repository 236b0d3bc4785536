/*
 * All that the agent asks of this operating system by calls that another one lacks. What stays allowed is what a PKCS#11 library may need:
 * files, USB, the card service's Unix socket. Landlock has no place here, since nobody knows which files a library has.
 */
#include "tools/hufu/agent.h"

#include "common/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define BACKLOG 16
#define PROGRAM_MS 600000

extern char **environ;

/* --- listening --- */

enum err agent_listen(unsigned port, int *ret_fd, struct fault *f)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, (struct sockaddr *)&here, sizeof here) != 0 || listen(fd, BACKLOG) != 0)
		return fault_raise(f, errno == EADDRINUSE ? ERR_CONFLICT : ERR_CONFIG, "agent_port", "--port",
				   "127.0.0.1:%u: %s%s", port, strerror(errno),
				   errno == EADDRINUSE ? ": another agent runs, or another program has the port" : "");
	*ret_fd = fd;
	fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	return OK;
}

/* --- walls --- */

static enum err deny(scmp_filter_ctx filter, int call, const struct scmp_arg_cmp *when, struct fault *f)
{
	int code = when ? seccomp_rule_add_exact_array(filter, SCMP_ACT_ERRNO(EACCES), call, 1, when)
			: seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), call, 0, NULL);
	return code == 0 ? OK
			 : fault_raise(f, ERR_INTERNAL, "sandbox_seccomp", "sandbox", "system call %d: %s", call,
				       strerror(-code));
}

static enum err deny_all(scmp_filter_ctx filter, bool runs_program, struct fault *f)
{
	static const int never[] = {SCMP_SYS(ptrace),	  SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
				    SCMP_SYS(bpf),	  SCMP_SYS(keyctl),	      SCMP_SYS(perf_event_open),
				    SCMP_SYS(mount),	  SCMP_SYS(unshare),	      SCMP_SYS(setns),
				    SCMP_SYS(userfaultfd)};
	static const int programs[] = {SCMP_SYS(execve), SCMP_SYS(execveat)};
	const int families[] = {AF_INET, AF_INET6, AF_PACKET};
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		TRY(deny(filter, never[i], NULL, f));
	for (size_t i = 0; !runs_program && i < sizeof programs / sizeof programs[0]; i++)
		TRY(deny(filter, programs[i], NULL, f));
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		TRY(deny(filter, SCMP_SYS(socket), &SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]), f));
	return OK;
}

static void end_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

enum err agent_walls(bool runs_program, struct fault *f)
{
	sigset_t ends;
	end_signals(&ends);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fault_raise(f, ERR_INTERNAL, "sandbox_privileges", "sandbox", "no new privileges: %s",
				   strerror(errno));
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	enum err e = filter ? deny_all(filter, runs_program, f)
			    : fault_raise(f, ERR_INTERNAL, "sandbox_seccomp", "sandbox", "libseccomp gives no filter");
	int code = e == OK ? seccomp_load(filter) : 0;
	if (code != 0)
		e = fault_raise(f, ERR_INTERNAL, "sandbox_seccomp", "sandbox", "seccomp: %s", strerror(-code));
	seccomp_release(filter);
	return e;
}

void agent_wait(void)
{
	sigset_t ends;
	int number;
	end_signals(&ends);
	sigwait(&ends, &number);
}

/* --- the person's window --- */

struct child {
	pid_t pid;
	int in, out; /* its standard input and output, our ends */
};

static enum err failed(const char *program, const char *why, struct fault *f)
{
	return fault_raise(f, ERR_CONFIG, "prompt_program", "--prompt", "%s: %s", program, why);
}

static int spawn(const char *program, const char *const *words, const int in[2], const int out[2], pid_t *ret)
{
	char *argv[8] = {(char *)program};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	for (size_t i = 0; i < 6 && words[i]; i++)
		argv[i + 1] = (char *)words[i];
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	int code = posix_spawn(ret, program, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return code;
}

static enum err start(const char *program, const char *const *words, struct child *ret, struct fault *f)
{
	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC) != 0)
		return failed(program, strerror(errno), f);
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return failed(program, strerror(errno), f);
	}
	int code = spawn(program, words, in, out, &ret->pid);
	close(in[0]);
	close(out[1]);
	ret->in = in[1];
	ret->out = out[0];
	if (code == 0)
		return OK;
	close(ret->in);
	close(ret->out);
	return failed(program, strerror(code), f);
}

/* All of it, or as much as is read. */
static void write_all(int fd, const char *text)
{
	for (size_t n = strlen(text); n > 0;) {
		ssize_t put = write(fd, text, n);
		if (put < 0 && errno != EINTR)
			break;
		text += put > 0 ? put : 0;
		n -= put > 0 ? (size_t)put : 0;
	}
	close(fd);
}

/* False: it took too long, or cannot be read. */
static bool read_all(int fd, uint8_t *room, size_t max, size_t *ret_n)
{
	int64_t until = clock_mono_us() + (int64_t)PROGRAM_MS * 1000;
	*ret_n = 0;
	while (*ret_n < max) {
		struct pollfd p = {fd, POLLIN, 0};
		int64_t left = (until - clock_mono_us()) / 1000;
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		ssize_t got = read(fd, room + *ret_n, max - *ret_n);
		if (got < 0 && errno != EINTR)
			return false;
		if (got == 0)
			return true;
		*ret_n += got > 0 ? (size_t)got : 0;
	}
	return true;
}

static bool ended_well(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

enum err agent_run(const char *program, const char *const *words, const char *text, size_t max, struct secret *ret,
		   struct fault *f)
{
	struct child c;
	_cleanup_secret_ struct secret room = {0};
	size_t n = 0;
	TRY(start(program, words, &c, f));
	write_all(c.in, text);
	secret_alloc(&room, max);
	bool in_time = read_all(c.out, room.p, max, &n);
	close(c.out);
	if (!in_time)
		kill(c.pid, SIGTERM);
	if (!ended_well(c.pid))
		return failed(program, in_time ? "it failed" : "there was no answer for ten minutes", f);
	if (n > 0) {
		secret_alloc(ret, n);
		memcpy(ret->p, room.p, n);
	}
	return OK;
}

static void *wait_aside(void *arg)
{
	struct child *c = arg;
	uint8_t room[256];
	size_t n;
	while (read_all(c->out, room, sizeof room, &n) && n > 0)
		;
	close(c->out);
	(void)ended_well(c->pid);
	free(c);
	return NULL;
}

void agent_run_aside(const char *program, const char *const *words, const char *text)
{
	struct child *c = xcalloc(1, sizeof *c);
	pthread_t thread;
	struct fault f;
	if (start(program, words, c, &f) != OK) {
		fprintf(stderr, "hufu: %s\n", f.text);
		free(c);
		return;
	}
	write_all(c->in, text);
	if (pthread_create(&thread, NULL, wait_aside, c) == 0)
		pthread_detach(thread);
	else
		(void)wait_aside(c);
}

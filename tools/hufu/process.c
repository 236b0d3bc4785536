/*
 * Child processes. Between fork and exec only async-signal-safe calls are made, so that a process with threads may
 * start one too.
 */
#include "tools/hufu/process.h"

#include "common/base/clock.h"
#include "common/base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/cleanup.h"

extern char **environ;

char *process_program(const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = '\0';
	const char *dir = dirname(self), *room = strcmp(name, "hufu-ca") == 0 ? "ca" : "ra";
	if (strcmp(name, "hufu-gate") == 0)
		room = "ra/gate";
	/* Installed, from tools/, from a folder below tests/. */
	char *places[] = {xasprintf("%s/%s", dir, name), xasprintf("%s/../%s/%s", dir, room, name),
			  xasprintf("%s/../../%s/%s", dir, room, name)};
	char *found = NULL;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (!found && access(places[i], X_OK) == 0)
			found = TAKE(places[i]);
		free(places[i]);
	}
	return found ? found : xstrdup(name);
}

/* What the child needs, all made before the fork. */
struct child {
	int program_fd, secret_fd, stdout_fd, stderr_fd;
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	int n_groups;
	bool change_user;
	char **env;
};

static enum err find_user(const char *user, struct child *c, struct fault *f)
{
	struct passwd pw, *found = NULL;
	char scratch[4096];
	if (getpwnam_r(user, &pw, scratch, sizeof scratch, &found) != 0 || !found)
		return fault_raise(f, ERR_CONFIG, "user_unknown", "user", "no Unix user \"%s\"", user);
	c->uid = pw.pw_uid;
	c->gid = pw.pw_gid;
	c->n_groups = sizeof c->groups / sizeof c->groups[0];
	if (getgrouplist(user, pw.pw_gid, c->groups, &c->n_groups) < 0)
		return fault_raise(f, ERR_CONFIG, "user_groups", "user", "user \"%s\" is in more than 64 groups", user);
	c->change_user = true;
	return OK;
}

/* The environment with NOTIFY_SOCKET replaced. Gives: free() of the array and its last string. */
static char **child_env(const char *notify_socket)
{
	size_t n = 0, k = 0;
	while (environ[n])
		n++;
	char **env = xcalloc(n + 2, sizeof *env);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "NOTIFY_SOCKET=", 14) != 0)
			env[k++] = environ[i];
	if (notify_socket)
		env[k] = xasprintf("NOTIFY_SOCKET=%s", notify_socket);
	return env;
}

_Noreturn static void child_exec(const struct process_spec *s, const struct child *c)
{
	if (c->stderr_fd >= 0)
		dup2(c->stderr_fd, STDERR_FILENO);
	if (c->stdout_fd >= 0)
		dup2(c->stdout_fd, STDOUT_FILENO);
	if (c->secret_fd >= 0 && c->secret_fd != PROCESS_SECRET_FD)
		dup2(c->secret_fd, PROCESS_SECRET_FD);
	if (c->secret_fd == PROCESS_SECRET_FD)
		fcntl(PROCESS_SECRET_FD, F_SETFD, 0);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (c->change_user &&
	    (setgroups((size_t)c->n_groups, c->groups) != 0 || setgid(c->gid) != 0 || setuid(c->uid) != 0))
		_exit(126);
	/* By descriptor: the user may not be able to reach the program's path. */
	fexecve(c->program_fd, (char *const *)(uintptr_t)s->argv, c->env);
	_exit(127);
}

/* A pipe that already holds the secret: small enough for the pipe's buffer, so nothing blocks. */
static enum err secret_pipe(const struct secret *secret, int *ret, struct fault *f)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC) != 0)
		return fault_raise(f, ERR_IO, "pipe", "process", "pipe: %s", strerror(errno));
	ssize_t n = write(p[1], secret->p, secret->n);
	close(p[1]);
	*ret = p[0];
	return n == (ssize_t)secret->n
		       ? OK
		       : fault_raise(f, ERR_IO, "pipe", "process", "could not hand the passphrase over");
}

static enum err open_log(const char *path, int *ret, struct fault *f)
{
	if (!path)
		return OK;
	*ret = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (*ret < 0)
		return fault_raise(f, ERR_IO, "log_open", "process", "%s: %s", path, strerror(errno));
	return OK;
}

enum err process_start(const struct process_spec *s, pid_t *ret, struct fault *f)
{
	assert(ret);
	struct child c = {.secret_fd = -1};
	_cleanup_(closep) int secret_fd = -1, stdout_fd = -1, stderr_fd = -1,
			      found_fd = open(s->argv[0], O_RDONLY | O_CLOEXEC);
	/* Out of the way of PROCESS_SECRET_FD. */
	_cleanup_(closep) int program_fd = found_fd < 0 ? -1 : fcntl(found_fd, F_DUPFD_CLOEXEC, PROCESS_SECRET_FD + 1);
	if (program_fd < 0)
		return fault_raise(f, ERR_CONFIG, "program_missing", "process", "%s: %s", s->argv[0], strerror(errno));
	if (s->user)
		TRY(find_user(s->user, &c, f));
	if (s->secret)
		TRY(secret_pipe(s->secret, &secret_fd, f));
	TRY(open_log(s->stdout_path, &stdout_fd, f));
	TRY(open_log(s->stderr_path, &stderr_fd, f));
	c.program_fd = program_fd;
	c.secret_fd = secret_fd;
	c.stdout_fd = stdout_fd;
	c.stderr_fd = stderr_fd;
	c.env = child_env(s->notify_socket);
	pid_t pid = fork();
	if (pid == 0)
		child_exec(s, &c);
	if (s->notify_socket)
		for (char **e = c.env; *e; e++)
			if (strncmp(*e, "NOTIFY_SOCKET=", 14) == 0)
				free(*e);
	free(c.env);
	if (pid < 0)
		return fault_raise(f, ERR_IO, "fork", "process", "fork: %s", strerror(errno));
	*ret = pid;
	return OK;
}

static enum err exit_fault(int status, const char *name, struct fault *f)
{
	if (WIFSIGNALED(status))
		return fault_raise(f, ERR_INTERNAL, "program_killed", name, "%s ended by signal %d", name,
				   WTERMSIG(status));
	switch (WEXITSTATUS(status)) {
	case 0:
		return OK;
	case 2:
		return fault_raise(f, ERR_RULE, "program_refused", name, "%s refused (its message is above)", name);
	case 4:
		return fault_raise(f, ERR_CONFIG, "program_config", name,
				   "%s found its configuration wrong (its message is above)", name);
	case 127:
		return fault_raise(f, ERR_CONFIG, "program_missing", name,
				   "%s could not be started: is it built or installed?", name);
	default:
		return fault_raise(f, ERR_INTERNAL, "program_failed", name,
				   "%s ended with exit code %d (its message is above)", name, WEXITSTATUS(status));
	}
}

enum err process_wait(pid_t pid, const char *name, struct fault *f)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fault_raise(f, ERR_INTERNAL, "wait", name, "waitpid: %s", strerror(errno));
	return exit_fault(status, name, f);
}

enum err process_run(const struct process_spec *s, struct fault *f)
{
	pid_t pid = 0;
	TRY(process_start(s, &pid, f));
	const char *slash = strrchr(s->argv[0], '/');
	return process_wait(pid, slash ? slash + 1 : s->argv[0], f);
}

void process_stop(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGTERM);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	*pid = 0;
}

/* --- readiness --- */

enum err notify_open(struct notify *n, struct fault *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	uint8_t r[8];
	char hex[17];
	random_fill(r, sizeof r);
	hex_lower(r, sizeof r, hex);
	snprintf(n->name, sizeof n->name, "@hufu-%s", hex);
	size_t len = strlen(n->name);
	memcpy(a.sun_path, n->name, len);
	a.sun_path[0] = '\0';
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0 ||
	    bind(n->fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0)
		return fault_raise(f, ERR_IO, "notify", "process", "notification socket: %s", strerror(errno));
	return OK;
}

void notify_close(struct notify *n)
{
	if (n->fd > 0)
		close(n->fd);
	n->fd = -1;
}

#define NOTIFY_SLICE_MS 50

enum err notify_wait(struct notify *n, pid_t pid, const char *name, int timeout_ms, struct fault *f)
{
	int64_t until = clock_mono_us() + (int64_t)timeout_ms * 1000;
	while (clock_mono_us() < until) {
		struct pollfd p = {.fd = n->fd, .events = POLLIN};
		if (poll(&p, 1, NOTIFY_SLICE_MS) > 0) {
			char text[256] = {0};
			ssize_t got = recv(n->fd, text, sizeof text - 1, 0);
			if (got > 0 && strstr(text, "READY=1"))
				return OK;
		}
		int status = 0;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			TRY(exit_fault(status, name, f));
			return fault_raise(f, ERR_NET, "program_ended", name, "%s ended before it was ready", name);
		}
	}
	return fault_raise(f, ERR_NET, "program_slow", name, "%s was not ready after %d ms", name, timeout_ms);
}

/* --- both daemons --- */

#define READY_TIMEOUT_MS 60000

static enum err start_daemon(struct daemons *d, const char *name, const char *root, const char *config,
			     const char *user, const struct secret *secret, const char *logs, pid_t *ret,
			     struct fault *f)
{
	_cleanup_(freep) char *program = process_program(name), *config_path = path_join(root, config);
	_cleanup_(freep) char *log = logs ? xasprintf("%s/%s.log", logs, name) : NULL;
	const char *argv[] = {program, "--config", config_path, secret ? "--passphrase-fd" : NULL, "3", NULL};
	struct process_spec s = {
		.argv = argv, .user = user, .secret = secret, .stderr_path = log, .notify_socket = d->notify.name};
	TRY(process_start(&s, ret, f));
	enum err e = notify_wait(&d->notify, *ret, name, READY_TIMEOUT_MS, f);
	if (e != OK && log)
		fault_prefix(f, "see %s", log);
	return e;
}

enum err daemons_start_ca(struct daemons *d, const char *root, const char *user, const struct secret *passphrase,
			  const char *logs, struct fault *f)
{
	if (d->notify.fd <= 0)
		TRY(notify_open(&d->notify, f));
	return start_daemon(d, "hufu-ca", root, "etc/hufu/ca.yaml", user, passphrase, logs, &d->ca, f);
}

enum err daemons_start_ra(struct daemons *d, const char *root, const char *user, const char *logs, struct fault *f)
{
	if (d->notify.fd <= 0)
		TRY(notify_open(&d->notify, f));
	return start_daemon(d, "hufu-ra", root, "etc/hufu/ra.yaml", user, NULL, logs, &d->ra, f);
}

enum err daemons_start(struct daemons *d, const char *root, const char *ca_user, const char *ra_user,
		       const struct secret *passphrase, const char *logs, struct fault *f)
{
	TRY(daemons_start_ca(d, root, ca_user, passphrase, logs, f));
	return daemons_start_ra(d, root, ra_user, logs, f);
}

enum err daemons_start_gate(struct daemons *d, const char *root, const char *config, const char *logs, struct fault *f)
{
	return start_daemon(d, "hufu-gate", root, config, NULL, NULL, logs, &d->gate, f);
}

void daemons_stop(struct daemons *d)
{
	process_stop(&d->gate);
	process_stop(&d->ra);
	process_stop(&d->ca);
	notify_close(&d->notify);
}

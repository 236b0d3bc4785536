/*
 * Where secrets come from: a descriptor, a terminal, a file. All end up in guarded memory and never in a stdio buffer.
 *
 * The terminal keeps signals blocked and Ctrl-C as a character while it does not echo, so that no way out leaves it
 * mute. Next: seal.c, secrets at rest.
 */
#include "common/base/secret.h"
#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>

#define CTRL_C 0x03

void secret_init(void)
{
	struct rlimit none = {0, 0};
	if (sodium_init() < 0 || setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		abort();
}

void secret_alloc(struct secret *s, size_t n)
{
	if (sodium_init() < 0)
		abort();
	s->p = sodium_malloc(n ? n : 1);
	if (!s->p)
		abort();
	sodium_memzero(s->p, n ? n : 1);
	s->n = n;
}

void secret_done(struct secret *s)
{
	sodium_free(s->p);
	*s = (struct secret){0};
}

static void secret_copy(struct secret *ret, const uint8_t *p, size_t n)
{
	secret_alloc(ret, n);
	memcpy(ret->p, p, n);
}

/* One byte a read: what follows the line in a pipe belongs to somebody else. *ret_ended: a newline was there.
 * stop_byte (negative: none) ends the line too and stays in it. */
static enum err read_line(int fd, size_t max, int stop_byte, struct secret *ret, bool *ret_ended, struct fault *f)
{
	_cleanup_secret_ struct secret room = {0};
	secret_alloc(&room, max + 1);
	size_t n = 0;
	bool ended = false;
	while (!ended) {
		ssize_t got = read(fd, room.p + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_raise(f, ERR_IO, "secret_io", "secret", "cannot read a secret: %s",
					   strerror(errno));
		if (got == 0)
			break;
		ended = room.p[n] == '\n';
		n += !ended;
		if (n > max)
			return fault_raise(f, ERR_LIMIT, "secret_size", "secret", "a secret is longer than %zu bytes",
					   max);
		if (n > 0 && !ended && room.p[n - 1] == stop_byte)
			break;
	}
	if (n == 0)
		return fault_raise(f, ERR_CONFIG, "secret_empty", "secret", "a secret is empty");
	secret_copy(ret, room.p, n);
	*ret_ended = ended;
	return OK;
}

enum err secret_read_fd(int fd, size_t max, struct secret *ret, struct fault *f)
{
	bool ended;
	return read_line(fd, max, -1, ret, &ended, f);
}

static enum err prompt_once(int tty, const char *prompt, size_t max, struct secret *ret, struct fault *f)
{
	_cleanup_secret_ struct secret line = {0};
	bool ended;
	if (write(tty, prompt, strlen(prompt)) < 0)
		return fault_raise(f, ERR_IO, "secret_io", "terminal", "cannot write a prompt: %s", strerror(errno));
	enum err e = read_line(tty, max, CTRL_C, &line, &ended, f);
	if (e == ERR_LIMIT)
		tcflush(tty, TCIFLUSH); /* the rest of the line must not become a command */
	(void)!write(tty, "\n", 1);
	TRY(e);
	if (line.p[line.n - 1] == CTRL_C)
		return fault_raise(f, ERR_CONFIG, "secret_cancelled", "terminal", "the prompt was cancelled");
	*ret = line;
	line = (struct secret){0};
	return OK;
}

static enum err prompt_twice(int tty, const char *prompt, size_t max, struct secret *ret, struct fault *f)
{
	_cleanup_secret_ struct secret first = {0}, again = {0};
	_cleanup_(freep) char *second = xasprintf("Again: %s", prompt);
	TRY(prompt_once(tty, prompt, max, &first, f));
	TRY(prompt_once(tty, second, max, &again, f));
	if (first.n != again.n || sodium_memcmp(first.p, again.p, first.n) != 0)
		return fault_raise(f, ERR_CONFIG, "secret_mismatch", "terminal", "the two entries differ");
	*ret = first;
	first = (struct secret){0};
	return OK;
}

enum err secret_prompt(const char *prompt, bool confirm, size_t max, struct secret *ret, struct fault *f)
{
	_cleanup_(closep) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios was;
	if (tty < 0 || tcgetattr(tty, &was) != 0)
		return fault_raise(f, ERR_CONFIG, "secret_no_terminal", "terminal",
				   "no terminal to ask for a secret on; give it in a file");
	struct termios mute = was;
	mute.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ISIG);
	mute.c_lflag |= ICANON;
	mute.c_cc[VEOL] = CTRL_C; /* ends the line at once, as an ordinary byte */
	sigset_t hold, old;
	sigemptyset(&hold);
	sigaddset(&hold, SIGINT);
	sigaddset(&hold, SIGTERM);
	sigaddset(&hold, SIGHUP);
	sigaddset(&hold, SIGQUIT);
	sigaddset(&hold, SIGTSTP);
	pthread_sigmask(SIG_BLOCK, &hold, &old);
	enum err e;
	if (tcsetattr(tty, TCSAFLUSH, &mute) != 0) {
		e = fault_raise(f, ERR_CONFIG, "secret_no_terminal", "terminal", "cannot turn the echo off: %s",
				strerror(errno));
	} else {
		e = confirm ? prompt_twice(tty, prompt, max, ret, f) : prompt_once(tty, prompt, max, ret, f);
		tcsetattr(tty, TCSAFLUSH, &was);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return e;
}

/* systemd hands credentials over by an ACL for the service's user, whose mask shows as the group's read bit
 * (systemd.exec(5), CREDENTIALS); the folder itself is closed to everybody else. */
static unsigned forbidden_bits(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t n = dir ? strlen(dir) : 0;
	bool inside = n > 1 && strncmp(path, dir, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/');
	return inside ? 037 : 077;
}

static enum err check_private(int fd, const char *path, struct fault *f)
{
	struct stat st;
	const char *shown = ESC(path, strlen(path));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fault_raise(f, ERR_CONFIG, "secret_file_kind", shown, "%s: a secret must be in a regular file",
				   shown);
	if (st.st_mode & forbidden_bits(path))
		return fault_raise(f, ERR_CONFIG, "secret_file_mode", shown,
				   "%s: mode %04o lets others use this secret; wanted 0600 or less", shown,
				   (unsigned)(st.st_mode & 07777));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fault_raise(f, ERR_CONFIG, "secret_file_owner", shown,
				   "%s: belongs to user %u; wanted this user or root", shown, (unsigned)st.st_uid);
	return OK;
}

/* One line. Anything after it is refused, since half a secret that is taken for the whole is hard to find out. */
enum err secret_read_file(const char *path, size_t max, struct secret *ret, struct fault *f)
{
	const char *shown = ESC(path, strlen(path));
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fault_raise(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "secret_file_open", shown,
				   "%s: cannot open: %s", shown, strerror(errno));
	TRY(check_private(fd, path, f));
	_cleanup_secret_ struct secret line = {0};
	bool ended;
	enum err e = read_line(fd, max, -1, &line, &ended, f);
	if (e != OK) {
		fault_prefix(f, "%s", shown);
		return e;
	}
	uint8_t more;
	if (read(fd, &more, 1) != 0)
		return fault_raise(f, ERR_CONFIG, "secret_file_lines", shown,
				   "%s: more than one line; wanted the secret alone", shown);
	*ret = line;
	line = (struct secret){0};
	return OK;
}

/*
 * What a server and a client ask of a Unix socket's path before nng gets it.
 *
 * bind(2) and connect(2) would cut a long path off, and a file that merely refuses a connection need not be a socket.
 */
#include "common/rpc/path.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum err path_check(const char *path, struct fault *f)
{
	size_t n = path ? strlen(path) : 0, max = sizeof((struct sockaddr_un){0}.sun_path) - 1;
	if (n == 0)
		return fault_raise(f, ERR_CONFIG, "socket_path", "socket", "path of the socket is empty");
	if (n > max)
		return fault_raise(
			f, ERR_CONFIG, "socket_path", "socket",
			"path \"%s\" has %zu bytes, a Unix socket's has at most %zu (unix(7)): use a shorter folder",
			ESC(path, n), n, max);
	return OK;
}

/* 0, or the errno of connect(2). Never waits: EAGAIN says that the queue of a living listener is full. */
static int try_connect(const char *path, int *ret_fd)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return errno;
	*ret_fd = fd;
	fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	return 0;
}

/* Our servers greet whom they admit and hang up on all others at once. One that does neither in time may be busy. */
static bool hangs_up(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;
	return poll(&p, 1, timeout_ms) > 0 && recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

enum err path_probe(const char *path, int timeout_ms, struct fault *f)
{
	TRY(path_check(path, f));
	_cleanup_(closep) int fd = -1;
	int e = try_connect(path, &fd);
	if (e != 0 && e != EAGAIN)
		return fault_raise(f, ERR_NET, "peer_away", "socket", "nobody answers on %s: %s",
				   ESC(path, strlen(path)), strerror(e));
	if (fd >= 0 && hangs_up(fd, timeout_ms))
		return fault_raise(f, ERR_NET, "peer_refused", "socket",
				   "%s hangs up: user id %u may not connect there, or it has too many connections",
				   ESC(path, strlen(path)), (unsigned)geteuid());
	return OK;
}

enum err path_claim(const char *path, struct fault *f)
{
	TRY(path_check(path, f));
	struct stat st;
	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return OK;
		return fault_raise(f, ERR_CONFIG, "socket_path", "socket", "%s: %s", ESC(path, strlen(path)),
				   strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return fault_raise(f, ERR_CONFIG, "socket_path", "socket",
				   "%s is there and is no socket; remove it or name another path",
				   ESC(path, strlen(path)));
	_cleanup_(closep) int fd = -1;
	int e = try_connect(path, &fd);
	if (e == 0 || e == EAGAIN)
		return fault_raise(f, ERR_CONFLICT, "socket_in_use", "socket", "another process accepts on %s",
				   ESC(path, strlen(path)));
	if (e != ECONNREFUSED)
		return fault_raise(f, ERR_CONFIG, "socket_path", "socket", "%s cannot be tried: %s",
				   ESC(path, strlen(path)), strerror(e));
	if (unlink(path) < 0 && errno != ENOENT)
		return fault_raise(f, ERR_IO, "socket_path", "socket", "stale %s cannot be removed: %s",
				   ESC(path, strlen(path)), strerror(errno));
	return OK;
}

enum err path_check_mode(const char *path, unsigned mode, struct stat *ret, struct fault *f)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return fault_raise(f, ERR_IO, "socket_mode", "socket", "%s: %s", ESC(path, strlen(path)),
				   strerror(errno));
	if (!S_ISSOCK(st.st_mode) || (st.st_mode & 07777) != mode)
		return fault_raise(f, ERR_IO, "socket_mode", "socket", "%s has mode 0%o, wanted a socket with 0%o",
				   ESC(path, strlen(path)), st.st_mode, mode);
	*ret = st;
	return OK;
}

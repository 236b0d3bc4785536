/*
 * What a server and a client ask of a Unix socket's path before nng gets it.
 *
 * nng by itself cuts a long path off and removes any file that refuses a connection, so both are decided here first.
 */
#include "common/rpc/path.h"

#include "common/base/cleanup.h"

#include <errno.h>
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
static int try_connect(const char *path)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	memcpy(sa.sun_path, path, strlen(path) + 1);
	return connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0 ? 0 : errno;
}

enum err path_probe(const char *path, struct fault *f)
{
	TRY(path_check(path, f));
	int e = try_connect(path);
	if (e == 0 || e == EAGAIN)
		return OK;
	return fault_raise(f, ERR_NET, "peer_away", "socket", "nobody answers on %s: %s", ESC(path, strlen(path)),
			   strerror(e));
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
	int e = try_connect(path);
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

enum err path_check_mode(const char *path, unsigned mode, struct fault *f)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return fault_raise(f, ERR_IO, "socket_mode", "socket", "%s: %s", ESC(path, strlen(path)),
				   strerror(errno));
	if (!S_ISSOCK(st.st_mode) || (st.st_mode & 07777) != mode)
		return fault_raise(f, ERR_IO, "socket_mode", "socket", "%s has mode 0%o, wanted a socket with 0%o",
				   ESC(path, strlen(path)), st.st_mode, mode);
	return OK;
}

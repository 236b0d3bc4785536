/*
 * The sockets that the gate listens on: a TCP address, or a path.
 */
#include "ra/gate/http.h"

#include "common/base/cleanup.h"
#include "common/rpc/path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 1024

static enum err failed(struct fault *f, const char *where, const char *what)
{
	return fault_raise(f, errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "listen", where, "%s: %s", what,
			   strerror(errno));
}

static enum err listen_unix(const char *path, int fd, struct fault *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	TRY(path_check(path, f));
	TRY(path_claim(path, f));
	memcpy(a.sun_path, path, strlen(path));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || chmod(path, 0666) != 0)
		return failed(f, "listen", path);
	return OK;
}

static enum err listen_tcp(const struct gate_listen *l, int fd, struct fault *f)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)l->port)};
	int on = 1;
	bool is_v6 = strchr(l->address, ':') != NULL;
	if (is_v6)
		inet_pton(AF_INET6, l->address, &v6.sin6_addr);
	else
		inet_pton(AF_INET, l->address, &v4.sin_addr);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    (is_v6 ? bind(fd, (struct sockaddr *)&v6, sizeof(v6)) : bind(fd, (struct sockaddr *)&v4, sizeof(v4))) != 0)
		return failed(f, "listen", l->address);
	return OK;
}

enum err http_listen(const struct gate_listen *l, int *ret_fd, struct fault *f)
{
	int family = l->path ? AF_UNIX : strchr(l->address, ':') ? AF_INET6 : AF_INET;
	_cleanup_(closep) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(f, "listen", "socket");
	TRY(l->path ? listen_unix(l->path, fd, f) : listen_tcp(l, fd, f));
	if (listen(fd, BACKLOG) != 0)
		return failed(f, "listen", "listen");
	*ret_fd = fd;
	fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	return OK;
}

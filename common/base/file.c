/*
 * Files are read with a bound and written whole or not at all.
 *
 * A write goes to a file beside, is flushed, takes the name, and then the folder is flushed: after a crash there is the
 * old content or the new one. What must not exist yet takes its name by link(2), which refuses to replace.
 */
#include "common/base/file.h"
#include "common/base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define TEMP ".tmp-" /* behind the name of what is being written */
#define PATH_ESC(path) ESC((path), strlen(path))

static enum err io_fault(const char *what, const char *path, struct fault *f)
{
	int code = errno;
	bool full = code == ENOSPC || code == EDQUOT;
	enum err kind = code == ENOENT ? ERR_NOT_FOUND : full ? ERR_BUSY : ERR_IO;
	const char *rule = code == ENOENT ? "file_missing" : full ? "disk_full" : "file_io";
	return fault_raise(f, kind, rule, PATH_ESC(path), "%s: cannot %s: %s", PATH_ESC(path), what, strerror(code));
}

static enum err read_all(int fd, const char *path, size_t max, struct buf *ret, struct fault *f)
{
	size_t start = ret->len;
	for (;;) {
		size_t have = ret->len - start, room = max - have;
		/* One byte over the bound tells "exactly max" from "more than max". */
		size_t want = room < 65536 ? room + 1 : 65536;
		buf_reserve(ret, want);
		ssize_t n = read(fd, ret->data + ret->len, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_fault("read", path, f);
		if (n == 0)
			return OK;
		ret->len += (size_t)n;
		ret->data[ret->len] = '\0';
		if (ret->len - start > max)
			return fault_raise(f, ERR_LIMIT, "file_size", PATH_ESC(path), "%s: larger than %zu bytes",
					   PATH_ESC(path), max);
	}
}

enum err file_read(const char *path, size_t max, struct buf *ret, struct fault *f)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return io_fault("open", path, f);
	size_t start = ret->len;
	buf_reserve(ret, 0);
	enum err e = read_all(fd, path, max, ret, f);
	if (e != OK) {
		ret->len = start;
		ret->data[start] = '\0';
	}
	return e;
}

static bool write_all(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return true;
}

enum err file_flush_folder(const char *path, struct fault *f)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder =
		!slash ? xstrdup(".") : xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	_cleanup_(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return io_fault("flush the folder", folder, f);
	return OK;
}

static enum err take_name(const char *temp, const char *path, bool replace, struct fault *f)
{
	if (replace)
		return rename(temp, path) == 0 ? OK : io_fault("rename to", path, f);
	if (link(temp, path) != 0) {
		if (errno == EEXIST)
			return fault_raise(f, ERR_CONFLICT, "file_exists", PATH_ESC(path), "%s: exists already",
					   PATH_ESC(path));
		return io_fault("create", path, f);
	}
	unlink(temp);
	return OK;
}

static enum err write_temp(int fd, const char *temp, const char *path, struct slice bytes, unsigned mode, bool replace,
			   struct fault *f)
{
	if (!write_all(fd, bytes))
		return io_fault("write", path, f);
	if (fchmod(fd, mode) != 0)
		return io_fault("set the mode of", path, f);
	if (fsync(fd) != 0)
		return io_fault("flush", path, f);
	return take_name(temp, path, replace, f);
}

static enum err write_whole(const char *path, struct slice bytes, unsigned mode, bool replace, struct fault *f)
{
	_cleanup_(freep) char *temp = xasprintf("%s" TEMP "XXXXXX", path);
	_cleanup_(closep) int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return io_fault("create a file beside", path, f);
	enum err e = write_temp(fd, temp, path, bytes, mode, replace, f);
	if (e != OK) {
		unlink(temp);
		return e;
	}
	return file_flush_folder(path, f);
}

enum err file_write(const char *path, struct slice bytes, unsigned mode, struct fault *f)
{
	return write_whole(path, bytes, mode, true, f);
}

void file_sweep(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	_cleanup_(freep) char *prefix = xasprintf("%s" TEMP, slash ? slash + 1 : path);
	DIR *d = opendir(folder);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

enum err file_take_name(const char *written, const char *path, struct fault *f)
{
	TRY(take_name(written, path, true, f));
	return file_flush_folder(path, f);
}

enum err file_map(const char *path, size_t max, struct slice *ret, struct fault *f)
{
	struct stat st;
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0)
		return io_fault("open", path, f);
	if ((uint64_t)st.st_size > max)
		return fault_raise(f, ERR_LIMIT, "file_size", PATH_ESC(path), "%s: larger than %zu bytes",
				   PATH_ESC(path), max);
	*ret = (struct slice){0};
	if (st.st_size == 0)
		return OK;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return io_fault("map", path, f);
	*ret = slice_of(map, (size_t)st.st_size);
	return OK;
}

void file_unmap(struct slice *bytes)
{
	if (bytes->n > 0)
		munmap((void *)(uintptr_t)bytes->p, bytes->n);
	*bytes = (struct slice){0};
}

enum err file_write_new(const char *path, struct slice bytes, unsigned mode, struct fault *f)
{
	return write_whole(path, bytes, mode, false, f);
}

static enum err dir_make_one(const char *path, unsigned mode, struct fault *f)
{
	struct stat st;
	if (mkdir(path, mode & 0777) == 0)
		return chmod(path, mode) == 0 ? OK : io_fault("set the mode of", path, f);
	if (errno != EEXIST)
		return io_fault("make the folder", path, f);
	if (stat(path, &st) != 0)
		return io_fault("look at", path, f);
	if (!S_ISDIR(st.st_mode))
		return fault_raise(f, ERR_IO, "dir_kind", PATH_ESC(path), "%s: exists and is not a folder",
				   PATH_ESC(path));
	return OK;
}

enum err dir_make(const char *path, unsigned mode, struct fault *f)
{
	_cleanup_(freep) char *copy = xstrdup(path);
	for (char *p = copy; *p != '\0';) {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		char kept = *p;
		*p = '\0';
		enum err e = dir_make_one(copy, mode, f);
		*p = kept;
		TRY(e);
		if (p[strspn(p, "/")] == '\0')
			return OK;
	}
	return OK;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

char *path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);
	if (name[0] == '/' || n == 0)
		return xstrdup(name);
	return xasprintf("%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}

/* sd_notify(3): one datagram; a path that begins with '@' is in the abstract namespace. */
static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (!path || (path[0] != '/' && path[0] != '@') || path[1] == '\0' || strlen(path) >= sizeof(to.sun_path))
		return;
	size_t n = strlen(path);
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, len);
}

void notify_ready(void)
{
	notify("READY=1");
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}

char *path_tree(const char *config)
{
	_cleanup_(freep) char *real = realpath(config, NULL);
	char *root = xstrdup(real ? real : config);
	for (int level = 0; level < 3; level++) {
		char *slash = strrchr(root, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	if (root[0] == '\0') {
		free(root);
		return xstrdup("/");
	}
	return root;
}

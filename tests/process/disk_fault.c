/*
 * A disk that fails: preloaded into a signer. The first word of $HUFU_TEST_FAULT (a file in the signer's state, which may
 * come and go) says what happens to the write-ahead log beside it:
 *
 *     sync    its flush fails with EIO
 *     write   a write to it fails with EIO
 *     torn    half of a write reaches it, and the process is gone
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef ssize_t pwrite_fn(int fd, const void *p, size_t n, off_t at);
typedef int sync_fn(int fd);

/* Is it the log of the ledger beside the fault's file? */
static int is_log(int fd, const char *fault)
{
	char path[512];
	struct stat ours, its;
	const char *slash = strrchr(fault, '/');
	size_t n = slash ? (size_t)(slash - fault) : 0;
	static const char name[] = "/ledger.db-wal";
	if (n == 0 || n + sizeof(name) > sizeof(path))
		return 0;
	memcpy(path, fault, n);
	memcpy(path + n, name, sizeof(name));
	return fstat(fd, &ours) == 0 && stat(path, &its) == 0 && ours.st_ino == its.st_ino && ours.st_dev == its.st_dev;
}

static int fault_is(int fd, const char *word)
{
	const char *fault = getenv("HUFU_TEST_FAULT");
	char said[16] = {0};
	int in = fault ? open(fault, O_RDONLY | O_CLOEXEC) : -1;
	if (in < 0)
		return 0;
	ssize_t n = read(in, said, sizeof(said) - 1);
	close(in);
	return n > 0 && strncmp(said, word, strlen(word)) == 0 && is_log(fd, fault);
}

/* The name that the linker sees is pwrite64: offsets have 64 bits in this project. */
ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	static pwrite_fn *fn;
	if (!fn)
		*(void **)&fn = dlsym(RTLD_NEXT, "pwrite64");
	if (fault_is(fd, "write")) {
		errno = EIO;
		return -1;
	}
	if (n > 24 && fault_is(fd, "torn")) {
		(void)!fn(fd, p, n / 2, at);
		_exit(9);
	}
	return fn(fd, p, n, at);
}

int fdatasync(int fd)
{
	static sync_fn *fn;
	if (!fn)
		*(void **)&fn = dlsym(RTLD_NEXT, "fdatasync");
	if (fault_is(fd, "sync")) {
		errno = EIO;
		return -1;
	}
	return fn(fd);
}

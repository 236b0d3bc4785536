/*
 * Calls that fail on demand, preloaded into any of the daemons: those by which files are written, a connection is taken, or memory is given. Standard streams are left
 * alone, since logs go there.
 */
#include "call_fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct call_fault *control;

__attribute__((constructor)) static void map_control(void)
{
	const char *path = getenv("HUFU_TEST_FAULT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		abort();
	close(fd);
	control = p;
}

static bool fails(enum faulty which)
{
	if (!control || atomic_load(&control->which) != (int)which)
		return false;
	int left = atomic_load(&control->left);
	while (left > 0 && !atomic_compare_exchange_weak(&control->left, &left, left - 1))
		;
	if (left <= 0)
		return false;
	atomic_fetch_add(&control->hits, 1);
	errno = atomic_load(&control->error);
	return true;
}

/* What a constructor of another library needs comes before ours. */
static void *next(const char *name)
{
	void *fn = dlsym(RTLD_NEXT, name);
	if (!fn)
		abort();
	return fn;
}

#define FAILING(which, type, name, symbol, parameters, arguments, failure)                                             \
	type name parameters                                                                                           \
	{                                                                                                              \
		static type(*_Atomic real) parameters;                                                                 \
		if (!real)                                                                                             \
			*(void **)&real = next(symbol);                                                                \
		return fails(which) ? (failure) : real arguments;                                                      \
	}

/* The names that the linker sees end in 64 where there is a choice: offsets have 64 bits in this project. */
FAILING(FAULTY_PWRITE, ssize_t, pwrite, "pwrite64", (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), -1)
FAILING(FAULTY_FSYNC, int, fsync, "fsync", (int fd), (fd), -1)
FAILING(FAULTY_FDATASYNC, int, fdatasync, "fdatasync", (int fd), (fd), -1)
FAILING(FAULTY_RENAME, int, rename, "rename", (const char *from, const char *to), (from, to), -1)
FAILING(FAULTY_FTRUNCATE, int, ftruncate, "ftruncate64", (int fd, off_t n), (fd, n), -1)
FAILING(FAULTY_UNLINK, int, unlink, "unlink", (const char *path), (path), -1)
FAILING(FAULTY_MKOSTEMP, int, mkostemp, "mkostemp64", (char *path, int flags), (path, flags), -1)
FAILING(FAULTY_ACCEPT, int, accept4, "accept4", (int fd, struct sockaddr *a, socklen_t *n, int flags),
	(fd, a, n, flags), -1)

ssize_t write(int fd, const void *p, size_t n)
{
	static ssize_t (*_Atomic real)(int, const void *, size_t);
	struct stat st;
	if (!real)
		*(void **)&real = next("write");
	if (fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fails(FAULTY_WRITE))
		return -1;
	return real(fd, p, n);
}

int open(const char *path, int flags, ...)
{
	static int (*_Atomic real)(const char *, int, ...);
	mode_t mode = 0;
	if (flags & (O_CREAT | O_TMPFILE)) {
		va_list ap;
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	if (!real)
		*(void **)&real = next("open64");
	return fails(FAULTY_OPEN) ? -1 : real(path, flags, mode);
}

/* glibc's own, which dlsym() itself may need. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
	return fails(FAULTY_MEMORY) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails(FAULTY_MEMORY) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails(FAULTY_MEMORY) ? NULL : __libc_realloc(p, n);
}

/*
 * For readers that want a path: the bytes as a file.
 */
#ifndef HUFU_TEST_FUZZ_AS_FILE_H
#define HUFU_TEST_FUZZ_AS_FILE_H

#include "tests/fuzz/fuzz.h"

#include <unistd.h>

static char as_file_path[40];

/* For files: in memory where there is such a folder. */
static inline const char *fuzz_folder(void)
{
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static inline void as_file_remove(void)
{
	(void)unlink(as_file_path);
}

/* One at a time: the next call puts other bytes there. Returns the path. */
static inline const char *as_file(const uint8_t *data, size_t size)
{
	static int fd = -1;
	if (fd < 0) {
		snprintf(as_file_path, sizeof(as_file_path), "%s/hufu-fuzz-XXXXXX", fuzz_folder());
		fd = mkostemp(as_file_path, 0);
		atexit(as_file_remove);
	}
	must(fd >= 0 && ftruncate(fd, 0) == 0);
	must(size == 0 || pwrite(fd, data, size, 0) == (ssize_t)size);
	return as_file_path;
}

#endif

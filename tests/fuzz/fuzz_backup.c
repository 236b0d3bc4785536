/*
 * A backup's manifest, and the plain text of its private files: no path leads out of the tree, no file out of the bytes.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/note/backup.h"

static void check_path(const char *path)
{
	must(path[0] && path[0] != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 &&
	     !strstr(path, "/../") && strlen(path) < BACKUP_PATH);
	size_t n = strlen(path);
	must(n < 3 || strcmp(path + n - 3, "/..") != 0);
}

static void try_manifest(struct slice bytes)
{
	_cleanup_(backup_done) struct backup b = {0};
	struct fault f = {0};
	enum err e = backup_open(bytes, NULL, &b, &f);
	if (e != OK)
		must_refuse(e, &f);
	must(b.n_files <= BACKUP_MAX_FILES);
	for (size_t i = 0; i < b.n_files; i++) {
		check_path(b.files[i].path);
		must(backup_find(&b, b.files[i].path) == &b.files[i]);
	}
}

static enum err file_seen(void *arg, const char *path, unsigned mode, struct slice bytes, struct fault *f)
{
	struct buf *again = arg;
	(void)f;
	check_path(path);
	must(mode <= 0777);
	backup_private_put(again, path, mode, bytes);
	return OK;
}

/* Numbers may be written in one way only: what was read is written again the same. */
static void try_private(struct slice plain)
{
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};
	enum err e = backup_private_each(plain, file_seen, &again, &f);
	if (e != OK)
		must_refuse(e, &f);
	else
		must_be(buf_slice(&again), plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_manifest(slice_of(data, size));
	try_private(slice_of(data, size));
	return 0;
}

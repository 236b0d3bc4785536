/*
 * Runs a fuzz target over files, without a fuzzer: what was found once stays found, in every build.
 *
 *     fuzz_<name> FOLDER SUBFOLDER
 *
 * FOLDER is the target's own corpus; SUBFOLDER one of the folder that $HUFU_CORPUS names, where larger collections may
 * lie; corpus-folders sees to it that each there is some target's. Each file is also given cut short at several lengths: readers that trust a length inside show it there. A file's
 * name is printed before its bytes are read, so that the last line names the culprit.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>

#define INPUT_MAX (8u << 20)
#define CUTS 32

static void run(const uint8_t *bytes, size_t n)
{
	/* Not xmalloc: of nothing, it gives a byte. */
	_cleanup_(freep) uint8_t *exact = malloc(n);
	must(exact || n == 0);
	if (n > 0)
		memcpy(exact, bytes, n);
	LLVMFuzzerTestOneInput(exact, n);
}

static void run_file(const char *path)
{
	_cleanup_buf_ struct buf b = {0};
	struct fault f = {0};
	fprintf(stderr, "%s\n", path);
	if (file_read(path, INPUT_MAX, &b, &f) != OK) {
		fprintf(stderr, "%s\n", f.text);
		exit(1);
	}
	run(b.data, b.len);
	for (size_t i = 0; i < CUTS && i < b.len; i++)
		run(b.data, b.len * i / CUTS);
}

static int is_input(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "INDEX.tsv") != 0;
}

static void run_folder(const char *folder)
{
	struct dirent **files;
	int n = scandir(folder, &files, is_input, alphasort);
	if (n <= 0) {
		fprintf(stderr, "%s: no folder, or nothing in it\n", folder);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		_cleanup_(freep) char *path = path_join(folder, files[i]->d_name);
		run_file(path);
		free(files[i]);
	}
	free(files);
	printf("%d inputs of %s\n", n, folder);
}

int main(int argc, char **argv)
{
	const char *root = getenv("HUFU_CORPUS");
	if (argc != 3) {
		fprintf(stderr, "usage: %s FOLDER SUBFOLDER\n", argv[0]);
		return 2;
	}
	run_folder(argv[1]);
	if (!root || !*root) {
		printf("SKIPPED: HUFU_CORPUS names no folder, %s of it not read\n", argv[2]);
		return 0;
	}
	_cleanup_(freep) char *more = path_join(root, argv[2]);
	if (access(more, F_OK) == 0)
		run_folder(more);
	else
		printf("SKIPPED: %s is not there\n", more);
	return 0;
}

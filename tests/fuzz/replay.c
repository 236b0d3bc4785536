/*
 * Runs a fuzz target over files, without a fuzzer: what was found once stays found, in every build.
 *
 *     fuzz_<name> FOLDER SUBFOLDER
 *
 * FOLDER is the target's own corpus; SUBFOLDER one of the folder that $HUFU_CORPUS names, where larger collections may
 * lie; corpus-folders sees to it that each there is some target's. Each file is also given cut short at several lengths: readers that trust a length inside show it there. A file's
 * name is printed before its bytes are read, so that the last line names the culprit. A target that has mutations of its own
 * gets some of each file as well, the same ones each time.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>

#define INPUT_MAX (8u << 20)
#define CUTS 32
#define MUTATIONS 24
#define GROWTH 256 /* room that a mutation has */

#pragma weak LLVMFuzzerCustomMutator

static void run(const uint8_t *bytes, size_t n)
{
	/* Not xmalloc: of nothing, it gives a byte. */
	_cleanup_(freep) uint8_t *exact = malloc(n);
	must(exact || n == 0);
	if (n > 0)
		memcpy(exact, bytes, n);
	LLVMFuzzerTestOneInput(exact, n);
}

/* A byte changed, put in, or taken out. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	static struct mutation m = {1, 0};
	size_t at = mutation_below(&m, size + 1), what = mutation_below(&m, 4);
	if (what == 0 && size < max) {
		memmove(data + at + 1, data + at, size - at);
		data[at] = (uint8_t)mutation_below(&m, 256);
		return size + 1;
	}
	if (at == size)
		return size;
	if (what == 1) {
		memmove(data + at, data + at + 1, size - at - 1);
		return size - 1;
	}
	data[at] = what == 2 ? data[at] ^ (uint8_t)(1u << mutation_below(&m, 8)) : (uint8_t)mutation_below(&m, 256);
	return size;
}

static void run_mutations(const struct buf *b)
{
	for (unsigned seed = 0; LLVMFuzzerCustomMutator && seed < MUTATIONS; seed++) {
		_cleanup_(freep) uint8_t *v = xcalloc(b->len + GROWTH, 1);
		if (b->len > 0)
			memcpy(v, b->data, b->len);
		run(v, LLVMFuzzerCustomMutator(v, b->len, b->len + GROWTH, seed));
	}
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
	run_mutations(&b);
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

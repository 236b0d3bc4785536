/*
 * A bundle on its way in and out: read from a folder, listed in the text of a policy note. Only the five folders that a
 * policy has are looked into; within them a name that is not of its folder's form is refused, since a profile that is
 * silently left out because of
 * ".yml" is worse than an error.
 */
#include "common/policy/policy.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

CLEANUP_PTR(DIR, closedirp, closedir)

static const struct {
	const char *folder, *suffix;
} places[] = {{"forms", ".txt"}, {"issuers", ".crt"}, {"notices", ".txt"}, {"profiles", ".yaml"}, {"projects", ".yaml"}};

void policy_sources_done(struct policy_source *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_done(&files[i].bytes);
	free(files);
}

struct sources {
	struct policy_source *v;
	size_t n, bytes;
};
static void sources_done(struct sources *s)
{
	policy_sources_done(s->v, s->n);
	*s = (struct sources){0};
}

/* Letters, digits, '-', '_' and '.', as paths in a policy note are; no hidden file gets here. */
static bool file_name_valid(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && n < 64 && strcmp(name + n - k, suffix) == 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == n;
}

static enum err source_read(const char *folder, const char *name, const char *path, struct sources *s, struct fault *f)
{
	_cleanup_(freep) char *file = path_join(path, name);
	struct policy_source *at;

	if (s->n == POLICY_MAX_FILES)
		return fault_raise(f, ERR_LIMIT, "policy_files", path, "found more than %d files in the bundle",
				   POLICY_MAX_FILES);
	at = &s->v[s->n++];
	snprintf(at->path, sizeof(at->path), "%s/%s", folder, name);
	TRY(file_read(file, POLICY_MAX_BUNDLE - s->bytes, &at->bytes, f));
	s->bytes += at->bytes.len;
	return OK;
}

static enum err folder_read(const char *dir, size_t place, struct sources *s, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(dir, places[place].folder);
	_cleanup_(closedirp) DIR *d = opendir(path);
	struct dirent *entry;

	if (d == NULL && errno == ENOENT)
		return OK;
	if (d == NULL)
		return fault_raise(f, ERR_IO, "file_open", path, "%s: %s", path, strerror(errno));
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!file_name_valid(entry->d_name, places[place].suffix))
			return fault_raise(f, ERR_CONFIG, "file_place", path,
					   "%s: found \"%s\", wanted names of a-z, 0-9, '-', '_' that end in %s", path,
					   ESC(entry->d_name, strlen(entry->d_name)), places[place].suffix);
		TRY(source_read(places[place].folder, entry->d_name, path, s, f));
	}
	return OK;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct policy_source *)a)->path, ((const struct policy_source *)b)->path);
}

enum err policy_read_dir(const char *dir, struct policy_source **ret, size_t *ret_n, struct fault *f)
{
	_cleanup_(sources_done) struct sources s = {.v = xcalloc(POLICY_MAX_FILES, sizeof(struct policy_source))};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		TRY(folder_read(dir, i, &s, f));
	if (s.n == 0)
		return fault_raise(f, ERR_NOT_FOUND, "policy_empty", dir,
				   "%s: found no policy file, wanted profiles/*.yaml and projects/*.yaml", dir);
	qsort(s.v, s.n, sizeof(*s.v), by_path);
	*ret = TAKE(s.v);
	*ret_n = s.n;
	s.n = 0;
	return OK;
}

static int by_file_path(const void *a, const void *b)
{
	return strcmp(((const struct policy_file *)a)->path, ((const struct policy_file *)b)->path);
}

void policy_note_make(const struct policy_source *files, size_t n, const struct policy_note *head, struct buf *ret_text)
{
	struct policy_note note = *head;
	_cleanup_(freep) struct policy_file *list = xcalloc(n + 1, sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		snprintf(list[i].path, sizeof(list[i].path), "%s", files[i].path);
		sha256(files[i].bytes.data, files[i].bytes.len, list[i].sha256);
	}
	qsort(list, n, sizeof(*list), by_file_path);
	note.files = list;
	note.n_files = n;
	policy_note_put(&note, ret_text);
}

/*
 * All outputs or none, whenever the power goes.
 *
 * A run has a folder of its own beside the outputs, .ceremony-<name>. Everything that comes out lies there first; then
 * one file, "ready", says that it is whole, and only then the outputs are put in their places, the transcript last. So
 * what was cut off before "ready" has left nothing that could be used, and what was cut off after it can be finished by
 * anybody who runs the file again, without a key. As long as the folder is there nothing in its places is complete.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/note/lines.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX ".ceremony-"
#define BEGUN_KIND "hufu/ceremony-begun/v1"
#define READY_KIND "hufu/ceremony-ready/v1"
#define READY_MAX 8192u
#define OUTPUT_MAX (4u << 20)

static char *stage_path(const struct ceremony *c, const char *name)
{
	return xasprintf("%s/" PREFIX "%s%s%s", c->o->dir, c->file.name, name ? "/" : "", name ? name : "");
}

static char *product_path(const struct ceremony *c, size_t i)
{
	_cleanup_(freep) char *name = xasprintf("%zu", i + 1);
	return stage_path(c, name);
}

static bool stage_has(const struct ceremony *c, const char *name)
{
	_cleanup_(freep) char *path = stage_path(c, name);
	return file_exists(path);
}

/* Files of a folder whose names begin so, but one that is kept. */
static void remove_files(const char *folder, const char *prefix, const char *keep)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	while (d && (e = readdir(d))) {
		_cleanup_(freep) char *path = path_join(folder, e->d_name);
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && strcmp(e->d_name, keep) != 0)
			unlink(path); /* not the folders . and .. */
	}
	if (d)
		closedir(d);
}

/* "ready" goes last: as long as it is there, the rest can be made good. */
static enum err stage_remove(const struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *folder = stage_path(c, NULL), *ready = stage_path(c, "ready");
	remove_files(folder, "", "ready");
	unlink(ready);
	if (rmdir(folder) != 0 && errno != ENOENT)
		return fault_raise(f, ERR_IO, "ceremony_stage", "ceremony", "%s: cannot be removed: %s",
				   ESC(folder, strlen(folder)), strerror(errno));
	return OK;
}

/* What a write that was cut off left beside its place: it may hold a key. */
static void remove_torn(const char *path)
{
	_cleanup_(freep) char *folder = xstrdup(path), *prefix = NULL;
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = '\0';
	prefix = xasprintf("%s.tmp-", slash ? slash + 1 : path);
	remove_files(slash ? folder : ".", prefix, "");
}

void ceremony_stage_drop(struct ceremony *c)
{
	_cleanup_(freep) char *name = c->token_made ? ceremony_token_name(c) : NULL;
	struct fault f = {0};
	if (!c->begun || c->committed || c->token_left)
		return;
	/* The folder stays as long as the key does: the next run knows the key by it. */
	if (name && ceremony_clear_token(c, &f) != OK)
		ceremony_say(c, "\nIt could not be deleted again: %s (%s). Run the same file again, which does.\n",
			     name, f.text);
	else if (stage_remove(c, &f) != OK)
		log_fault(LOG_LEVEL_WARNING, "ceremony_stage", &f);
}

/* --- putting things in their places --- */

struct ready {
	uint8_t file[32];
	size_t n;
	struct {
		unsigned mode;
		uint8_t sha256[32];
		char *path;
	} v[CEREMONY_OUTPUTS];
};

static void ready_done(struct ready *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].path);
}

static bool has_hash(const char *path, const uint8_t wanted[32])
{
	_cleanup_buf_ struct buf bytes = {0};
	uint8_t found[32];
	if (file_read(path, OUTPUT_MAX, &bytes, NULL) != OK)
		return false;
	sha256(bytes.data, bytes.len, found);
	return memcmp(found, wanted, 32) == 0;
}

/* From the folder to its place; what is there already stays, if it is that. */
static enum err place_one(const struct ceremony *c, const struct ready *r, size_t i, struct fault *f)
{
	_cleanup_(freep) char *from = product_path(c, i), *to = path_join(c->o->dir, r->v[i].path);
	_cleanup_buf_ struct buf bytes = {0};
	remove_torn(to);
	if (has_hash(to, r->v[i].sha256))
		return OK;
	if (file_exists(to))
		return fault_raise(f, ERR_CONFLICT, "ceremony_output_exists", "ceremony.outputs",
				   "%s: is there with other bytes than this ceremony's; move it away and run again",
				   ESC(to, strlen(to)));
	TRY(file_read(from, OUTPUT_MAX, &bytes, f));
	TRY(file_write_new(to, buf_slice(&bytes), r->v[i].mode, f));
	if (!has_hash(to, r->v[i].sha256))
		return fault_raise(f, ERR_IO, "ceremony_output", "ceremony.outputs",
				   "%s: reads otherwise than it was written", ESC(to, strlen(to)));
	return OK;
}

static enum err place_all(const struct ceremony *c, const struct ready *r, struct fault *f)
{
	for (size_t i = 0; i < r->n; i++)
		TRY(place_one(c, r, i, f));
	return stage_remove(c, f);
}

static void ready_put(const struct ready *r, struct buf *ret)
{
	buf_str(ret, READY_KIND "\n");
	lines_put_hex(ret, "file", r->file, 32);
	for (size_t i = 0; i < r->n; i++) {
		buf_fmt(ret, "output: %o ", r->v[i].mode);
		buf_hex(ret, r->v[i].sha256, 32);
		buf_fmt(ret, " %s\n", r->v[i].path);
	}
}

static enum err ready_parse(struct slice text, struct ready *r, struct fault *f)
{
	struct lines l;
	struct slice v, part[3];
	TRY(lines_begin(&l, "ceremony-ready", READY_KIND, text, 2 + CEREMONY_OUTPUTS, f));
	TRY(lines_hex(&l, "file", r->file, 32, f));
	while (lines_next_is(&l, "output") && r->n < CEREMONY_OUTPUTS) {
		TRY(lines_get(&l, "output", &v, f));
		if (!slice_split(v, part, 3, true) || part[0].n != 3 || !slice_hex(part[1], r->v[r->n].sha256, 32))
			return lines_bad(&l, "output", v, "a mode, a hash and a path", f);
		r->v[r->n].mode = slice_eq(part[0], slice_str("600")) ? 0600 : 0644;
		r->v[r->n++].path = slice_dup_str(part[2]);
	}
	return lines_end(&l, f);
}

/* --- what was cut off --- */

static enum err finish(const struct ceremony *c, struct fault *f)
{
	_cleanup_(ready_done) struct ready r = {0};
	_cleanup_(freep) char *path = stage_path(c, "ready");
	_cleanup_buf_ struct buf text = {0};
	TRY(file_read(path, READY_MAX, &text, f));
	TRY(ready_parse(buf_slice(&text), &r, f));
	if (memcmp(r.file, c->file.sha256, 32) != 0)
		return fault_raise(
			f, ERR_CONFLICT, "ceremony_unfinished", "ceremony",
			"%s: a ceremony of this name, from another file, was cut off while it was written; run that "
			"file again, and it is finished",
			ESC(path, strlen(path)));
	ceremony_say(c, "The run before was cut off while its outputs were written. They are whole, and are put in "
			"their places "
			"now; no key is needed.\n");
	TRY(place_all(c, &r, f));
	for (size_t i = 0; i < r.n; i++)
		ceremony_say(c, "  %s\n", r.v[i].path);
	return OK;
}

/* The id of a key that a run was about to make in a token, if it chose one. */
static enum err read_begun(struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *path = stage_path(c, "begun");
	_cleanup_buf_ struct buf text = {0};
	struct lines l;
	struct slice skip;
	if (!file_exists(path))
		return OK;
	TRY(file_read(path, READY_MAX, &text, f));
	TRY(lines_begin(&l, "ceremony-begun", BEGUN_KIND, buf_slice(&text), 4, f));
	TRY(lines_get(&l, "file", &skip, f));
	TRY(lines_get(&l, "begun", &skip, f));
	c->token_left = lines_next_is(&l, "key");
	return c->token_left ? lines_hex(&l, "key", c->token_id, sizeof(c->token_id), f) : OK;
}

static enum err clear_away(struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *folder = stage_path(c, NULL), *name = NULL;
	TRY(read_begun(c, f));
	if (c->token_left)
		name = ceremony_token_name(c);
	TRY(ceremony_ask(c, f,
			 "A run of this ceremony was cut off before anything was written. %s%s, and nothing of it "
			 "counts. Remove %s and start again",
			 name		     ? "A key that it made in the token will be deleted there: "
			 : c->file.key.token ? "A key that it made may be in the token: delete it there first"
					     : "The keys that it made are gone",
			 name ? name : "", folder));
	return c->token_left ? OK : stage_remove(c, f);
}

/* Another ceremony that waits to be finished would have its outputs taken for whole. */
static enum err check_others(const struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *own = xasprintf(PREFIX "%s", c->file.name), *found = NULL;
	DIR *d = opendir(c->o->dir);
	struct dirent *e;
	while (d && !found && (e = readdir(d)))
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0 && strcmp(e->d_name, own) != 0)
			found = xstrdup(e->d_name);
	if (d)
		closedir(d);
	if (!found)
		return OK;
	return fault_raise(f, ERR_CONFLICT, "ceremony_other_unfinished", "ceremony",
			   "%s/%s: another ceremony was cut off; run its file again first",
			   ESC(c->o->dir, strlen(c->o->dir)), ESC(found, strlen(found)));
}

static enum err check_absent(const struct ceremony *c, struct fault *f)
{
	for (size_t i = 0; i < CEREMONY_OUTPUTS; i++) {
		const char *const *path = ceremony_output(&c->file, i, NULL);
		_cleanup_(freep) char *where = *path ? path_join(c->o->dir, *path) : NULL;
		if (where && file_exists(where))
			return fault_raise(f, ERR_CONFLICT, "ceremony_output_exists", "ceremony.outputs",
					   "%s: exists already; nothing was made", ESC(where, strlen(where)));
	}
	return OK;
}

enum err ceremony_stage_resume(struct ceremony *c, bool *ret_finished, struct fault *f)
{
	bool ready = stage_has(c, "ready"), begun = stage_has(c, NULL);
	if (ready && c->mode == CEREMONY_RUN) {
		TRY(finish(c, f));
		*ret_finished = true;
		return OK;
	}
	if (ready)
		return fault_raise(f, ERR_CONFLICT, "ceremony_unfinished", "ceremony",
				   "it was cut off while its outputs were written; `hufu ceremony run` finishes it");
	TRY(check_others(c, f));
	TRY(check_absent(c, f));
	if (begun && c->mode == CEREMONY_RUN)
		TRY(clear_away(c, f));
	else if (begun)
		ceremony_say(
			c,
			"A run of this ceremony was cut off before anything was written; the next one starts again.\n");
	return OK;
}

enum err ceremony_stage_begin(struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *folder = stage_path(c, NULL), *begun = stage_path(c, "begun");
	_cleanup_buf_ struct buf text = {0};
	if (c->mode != CEREMONY_RUN)
		return OK;
	c->begun = c->token_left;
	if (c->token_left) /* the folder of the run that was cut off, until its key is deleted */
		return OK;
	if (mkdir(folder, 0700) != 0)
		return fault_raise(f, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "ceremony_stage", "ceremony", "%s: %s%s",
				   ESC(folder, strlen(folder)), strerror(errno),
				   errno == EEXIST ? "; is it running elsewhere" : "");
	c->begun = true;
	buf_str(&text, BEGUN_KIND "\n");
	lines_put_hex(&text, "file", c->file.sha256, 32);
	lines_put_time(&text, "begun", clock_now());
	if (ceremony_token_id(c)) {
		random_fill(c->token_id, sizeof(c->token_id));
		lines_put_hex(&text, "key", c->token_id, sizeof(c->token_id));
	}
	return file_write_new(begun, buf_slice(&text), 0600, f);
}

/* --- the end --- */

static enum err rehearsal_commit(struct ceremony *c, struct fault *f)
{
	for (size_t i = 0; c->mode == CEREMONY_REHEARSE && i < c->n_products; i++) {
		const struct ceremony_product *p = &c->products[i];
		_cleanup_(freep) char *path = ceremony_out(c, p->path), *folder = xstrdup(path);
		*strrchr(folder, '/') = '\0';
		TRY(dir_make(folder, 0700, f));
		TRY(file_write_new(path, buf_slice(&p->bytes), p->mode, f));
	}
	return OK;
}

enum err ceremony_stage_commit(struct ceremony *c, struct fault *f)
{
	_cleanup_(ready_done) struct ready r = {0};
	_cleanup_(freep) char *path = stage_path(c, "ready");
	_cleanup_buf_ struct buf text = {0};
	if (c->mode != CEREMONY_RUN)
		return rehearsal_commit(c, f);
	memcpy(r.file, c->file.sha256, 32);
	for (; r.n < c->n_products; r.n++) {
		const struct ceremony_product *p = &c->products[r.n];
		_cleanup_(freep) char *to = product_path(c, r.n);
		TRY(file_write_new(to, buf_slice(&p->bytes), 0600, f));
		r.v[r.n].mode = p->mode;
		r.v[r.n].path = xstrdup(p->path);
		sha256(p->bytes.data, p->bytes.len, r.v[r.n].sha256);
	}
	ready_put(&r, &text);
	TRY(file_write_new(path, buf_slice(&text), 0600, f));
	c->committed = true;
	enum err e = place_all(c, &r, f);
	if (e != OK)
		fault_prefix(f, "the outputs are whole and wait in " PREFIX "%s, run the file again to finish",
			     c->file.name);
	return e;
}

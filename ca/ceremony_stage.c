/*
 * All outputs or none, whenever the power goes.
 *
 * A run has a folder of its own beside the outputs, .ceremony-<name>. Everything that comes out lies there first; then
 * one file, "ready", says that it is whole, and only then the outputs are put in their places, the transcript last. So
 * what was cut off before "ready" has left nothing that could be used, and what was cut off after it can be finished by
 * anybody who runs the file again, without a key. As long as the folder is there nothing in its places is complete. Whoever
 * can write beside the outputs could lay such a folder there, so what is finished is only what the file asks for and its
 * transcript vouches for: ceremony_ready.c. One ceremony at a time has the folder that all of this is in.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/note/lines.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".ceremony-"
#define BEGUN_KIND "hufu/ceremony-begun/v1"
#define STAGE_FILE_MAX 8192u

char *ceremony_stage_path(const struct ceremony *c, const char *name)
{
	return xasprintf("%s/" PREFIX "%s%s%s", c->o->dir, c->file.name, name ? "/" : "", name ? name : "");
}

char *ceremony_stage_product(const struct ceremony *c, size_t i)
{
	_cleanup_(freep) char *name = xasprintf("%zu", i + 1);
	return ceremony_stage_path(c, name);
}

/* A link counts, wherever it leads. */
static bool is_there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static bool stage_has(const struct ceremony *c, const char *name)
{
	_cleanup_(freep) char *path = ceremony_stage_path(c, name);
	return is_there(path);
}

/* Files of a folder, which must be no link, but one that is kept. */
static void remove_files(const char *folder, const char *keep)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, keep) != 0)
			unlinkat(fd, e->d_name, 0); /* not the folders . and .. */
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

/* "ready" goes last: as long as it is there, the rest can be made good. */
static enum err stage_remove(const struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *folder = ceremony_stage_path(c, NULL), *ready = ceremony_stage_path(c, "ready");
	remove_files(folder, "ready");
	unlink(ready);
	if (rmdir(folder) != 0 && errno != ENOENT)
		return fault_raise(f, ERR_IO, "ceremony_stage", "ceremony", "%s: cannot be removed: %s",
				   ESC(folder, strlen(folder)), strerror(errno));
	return OK;
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

/* What is read here may be a key of a service, which lies plain in its file. */
static void wiped_done(struct buf *b)
{
	if (b->data)
		sodium_memzero(b->data, b->cap);
	buf_done(b);
}

/* A link to the same bytes is none: who has its other end could change them. */
static bool is_output(const char *path, const uint8_t wanted[32])
{
	_cleanup_(wiped_done) struct buf bytes = {0};
	uint8_t found[32];
	struct stat st;
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || file_read(path, CEREMONY_OUTPUT_MAX, &bytes, NULL) != OK)
		return false;
	sha256(bytes.data, bytes.len, found);
	return memcmp(found, wanted, 32) == 0;
}

/* From the folder to its place; what is there already stays, if it is that. */
static enum err place_one(const struct ceremony *c, const struct ceremony_ready *r, size_t i, struct fault *f)
{
	_cleanup_(freep) char *from = ceremony_stage_product(c, i), *to = path_join(c->o->dir, r->v[i].path);
	_cleanup_(wiped_done) struct buf bytes = {0};
	uint8_t found[32];
	file_sweep(to); /* it may hold a key */
	if (is_output(to, r->v[i].sha256))
		return OK;
	if (is_there(to))
		return fault_raise(f, ERR_CONFLICT, "ceremony_output_exists", "ceremony.outputs",
				   "%s: is there with other bytes than this ceremony's; move it away and run again",
				   ESC(to, strlen(to)));
	TRY(file_read(from, CEREMONY_OUTPUT_MAX, &bytes, f));
	sha256(bytes.data, bytes.len, found);
	if (memcmp(found, r->v[i].sha256, 32) != 0)
		return fault_raise(f, ERR_CONFLICT, "ceremony_stage", "ceremony.outputs",
				   "%s: was altered since the run wrote it; it is put nowhere",
				   ESC(from, strlen(from)));
	TRY(file_write_new(to, buf_slice(&bytes), r->v[i].mode, f));
	if (!is_output(to, r->v[i].sha256))
		return fault_raise(f, ERR_IO, "ceremony_output", "ceremony.outputs",
				   "%s: reads otherwise than it was written", ESC(to, strlen(to)));
	return OK;
}

static enum err place_all(const struct ceremony *c, const struct ceremony_ready *r, struct fault *f)
{
	for (size_t i = 0; i < r->n; i++)
		TRY(place_one(c, r, i, f));
	return stage_remove(c, f);
}

/* --- what was cut off --- */

static enum err finish(const struct ceremony *c, struct fault *f)
{
	_cleanup_(ceremony_ready_done) struct ceremony_ready r = {0};
	TRY(ceremony_ready_load(c, &r, f));
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
	_cleanup_(freep) char *path = ceremony_stage_path(c, "begun");
	_cleanup_buf_ struct buf text = {0};
	struct lines l;
	struct slice skip;
	if (!file_exists(path))
		return OK;
	TRY(file_read(path, STAGE_FILE_MAX, &text, f));
	TRY(lines_begin(&l, "ceremony-begun", BEGUN_KIND, buf_slice(&text), 4, f));
	TRY(lines_get(&l, "file", &skip, f));
	TRY(lines_get(&l, "begun", &skip, f));
	c->token_left = lines_next_is(&l, "key");
	return c->token_left ? lines_hex(&l, "key", c->token_id, sizeof(c->token_id), f) : OK;
}

static enum err clear_away(struct ceremony *c, struct fault *f)
{
	_cleanup_(freep) char *folder = ceremony_stage_path(c, NULL), *name = NULL;
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
		if (!where || !is_there(where))
			continue;
		(void)yaml_fault(c->file.doc, path, f, "ceremony_output_exists",
				 "%s: exists already; nothing was made. Move it away, or name another file",
				 ESC(where, strlen(where)));
		return f->kind = ERR_CONFLICT;
	}
	return OK;
}

/* One run at a time, to its end: two would take each other's folders for those of runs that were cut off. */
static enum err lock(struct ceremony *c, struct fault *f)
{
	int fd = open(c->o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return OK; /* that it is no folder is said where its first output is */
	if (flock(fd, (c->mode == CEREMONY_RUN ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) {
		c->lock = fd;
		c->locked = true;
		return OK;
	}
	close(fd);
	return fault_raise(f, ERR_CONFLICT, "ceremony_running", "ceremony",
			   "%s: another ceremony is under way in this folder; wait for its end",
			   ESC(c->o->dir, strlen(c->o->dir)));
}

void ceremony_stage_unlock(struct ceremony *c)
{
	if (c->locked)
		close(c->lock);
	c->locked = false;
}

/* *ret_there: a run left its folder. What only looks like one is left alone. */
static enum err look(const struct ceremony *c, bool *ret_there, struct fault *f)
{
	_cleanup_(freep) char *folder = ceremony_stage_path(c, NULL);
	struct stat st;
	*ret_there = lstat(folder, &st) == 0;
	if (!*ret_there || S_ISDIR(st.st_mode))
		return OK;
	return fault_raise(f, ERR_CONFLICT, "ceremony_stage", "ceremony",
			   "%s: found no folder but something else of that name, which no ceremony made; move it away",
			   ESC(folder, strlen(folder)));
}

enum err ceremony_stage_resume(struct ceremony *c, bool *ret_finished, struct fault *f)
{
	bool begun;
	TRY(lock(c, f));
	TRY(look(c, &begun, f));
	bool ready = begun && stage_has(c, "ready");
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
	_cleanup_(freep) char *folder = ceremony_stage_path(c, NULL), *begun = ceremony_stage_path(c, "begun");
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
	_cleanup_(ceremony_ready_done) struct ceremony_ready r = {0};
	_cleanup_(freep) char *path = ceremony_stage_path(c, "ready");
	_cleanup_buf_ struct buf text = {0};
	if (c->mode != CEREMONY_RUN)
		return rehearsal_commit(c, f);
	memcpy(r.file, c->file.sha256, 32);
	for (; r.n < c->n_products; r.n++) {
		const struct ceremony_product *p = &c->products[r.n];
		_cleanup_(freep) char *to = ceremony_stage_product(c, r.n);
		TRY(file_write_new(to, buf_slice(&p->bytes), 0600, f));
		r.v[r.n].mode = p->mode;
		r.v[r.n].path = xstrdup(p->path);
		sha256(p->bytes.data, p->bytes.len, r.v[r.n].sha256);
	}
	ceremony_ready_put(&r, &text);
	TRY(file_write_new(path, buf_slice(&text), 0600, f));
	c->committed = true;
	enum err e = place_all(c, &r, f);
	if (e != OK)
		fault_prefix(f, "the outputs are whole and wait in " PREFIX "%s, run the file again to finish",
			     c->file.name);
	return e;
}

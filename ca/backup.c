/*
 * Two folders are gathered: that of ca.yaml, all below it, and the signer's state without what a restore must not bring
 * back (the lock, CRLs, the note of the last checkpoint). What its owner alone may read is a secret until somebody says
 * otherwise, so it is sealed; the ledger stays readable to whoever holds the copy, as it is to the signer's user.
 */
#include "ca/backup.h"

#include "ca/ledger_check.h"
#include "ca/log_signer.h"
#include "ca/signer.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gathering {
	const struct ca_config *config;
	const char *to;
	char *tree;
	struct backup b;
	struct buf private; /* reserved whole, so that nothing is left in freed memory */
	struct fault *f;
};

static void gathering_done(struct gathering *g)
{
	if (g->private.data)
		sodium_memzero(g->private.data, g->private.len);
	buf_done(&g->private);
	backup_done(&g->b);
	free(g->tree);
}

/* The path below the tree; NULL when it is elsewhere. */
static const char *below(const struct gathering *g, const char *path)
{
	size_t n = strlen(g->tree);
	if (strcmp(g->tree, "/") == 0)
		return path[0] == '/' ? path + 1 : NULL;
	return strncmp(path, g->tree, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

static enum err place_raise(const char *what, const char *path, const struct gathering *g, struct fault *f)
{
	return fault_raise(f, ERR_CONFIG, "backup_place", what, "%s is not in the tree of ca.yaml, %s",
			   ESC(path, strlen(path)), g->tree);
}

/* --- one file --- */

static enum err keep_private(struct gathering *g, const char *rel, unsigned mode, struct slice bytes, struct fault *f)
{
	if (bytes.n + BACKUP_PATH + 32 > BACKUP_MAX_PRIVATE - g->private.len)
		return fault_raise(f, ERR_LIMIT, "backup_private", "backup", "%s: more than %u bytes of private files",
				   ESC(rel, strlen(rel)), BACKUP_MAX_PRIVATE);
	backup_private_put(&g->private, rel, mode, bytes);
	return OK;
}

static enum err keep_public(struct gathering *g, const char *rel, unsigned mode, struct slice bytes, struct fault *f)
{
	_cleanup_(freep) char *name = xasprintf(BACKUP_FILES "%s", rel), *path = path_join(g->to, name),
			      *folder = xstrdup(path);
	uint8_t hash[32];
	sha256(bytes.p, bytes.n, hash);
	TRY(backup_add(&g->b, name, mode, hash, f));
	TRY(dir_make(dirname(folder), 0755, f));
	return file_write_new(path, bytes, mode, f);
}

static enum err keep(struct gathering *g, const char *path, const struct stat *st, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	const char *rel = below(g, path);
	if (!rel)
		return place_raise("backup.file", path, g, f);
	buf_reserve(&bytes, (size_t)st->st_size);
	TRY(file_read(path, BACKUP_MAX_FILE, &bytes, f));
	bool secret = (st->st_mode & 077) == 0;
	enum err e = secret ? keep_private(g, rel, st->st_mode & 0777, buf_slice(&bytes), f)
			    : keep_public(g, rel, st->st_mode & 0777, buf_slice(&bytes), f);
	if (secret && bytes.data)
		sodium_memzero(bytes.data, bytes.len);
	return e;
}

/* --- folders --- */

/* Of the state: what a restore brings back by other means, or must not bring back. */
static bool is_left_out(const char *name)
{
	static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.lock", "head.note"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static enum err gather(struct gathering *g, const char *dir, bool state, struct fault *f);

static enum err gather_one(struct gathering *g, const char *path, bool state, struct fault *f)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? OK /* gone meanwhile */
				       : fault_raise(f, ERR_IO, "file_stat", "backup", "%s: %s",
						     ESC(path, strlen(path)), strerror(errno));
	if (S_ISDIR(st.st_mode))
		return state ? OK : gather(g, path, false, f);
	if (!S_ISREG(st.st_mode))
		return fault_raise(f, ERR_CONFIG, "backup_kind", "backup",
				   "%s is neither a file nor a folder: a backup holds no links",
				   ESC(path, strlen(path)));
	return keep(g, path, &st, f);
}

static enum err gather(struct gathering *g, const char *dir, bool state, struct fault *f)
{
	DIR *d = opendir(dir);
	struct dirent *at;
	enum err e = OK;
	if (!d)
		return fault_raise(f, ERR_IO, "folder_open", "backup", "%s: %s", ESC(dir, strlen(dir)),
				   strerror(errno));
	while (e == OK && (at = readdir(d))) {
		_cleanup_(freep) char *path = path_join(dir, at->d_name);
		if (strcmp(at->d_name, ".") != 0 && strcmp(at->d_name, "..") != 0 &&
		    !(state && is_left_out(at->d_name)))
			e = gather_one(g, path, state, f);
	}
	closedir(d);
	return e;
}

/* --- the whole --- */

static enum err copy_ledger(struct gathering *g, struct fault *f)
{
	_cleanup_(freep) char *from = path_join(g->config->state, "ledger.db"), *to = path_join(g->to, BACKUP_LEDGER);
	struct ledger_report r;
	uint8_t hash[32];
	TRY(ledger_file_backup(from, to, f));
	/* A copy that can't be read is none. */
	TRY(ledger_check(to, &r, f));
	TRY(backup_hash(to, hash, NULL, f));
	g->b.entries = r.size;
	memcpy(g->b.root, r.root, 32);
	return backup_add(&g->b, BACKUP_LEDGER, 0600, hash, f);
}

static enum err seal(struct gathering *g, const struct secret *passphrase, struct fault *f)
{
	_cleanup_(freep) char *to = path_join(g->to, BACKUP_PRIVATE);
	_cleanup_buf_ struct buf sealed = {0};
	char label[64];
	uint8_t hash[32];
	backup_label(g->b.ca, label);
	TRY(secret_seal(label, passphrase, buf_slice(&g->private), &sealed, f));
	sha256(sealed.data, sealed.len, hash);
	TRY(backup_add(&g->b, BACKUP_PRIVATE, 0600, hash, f));
	return file_write_new(to, buf_slice(&sealed), 0600, f);
}

static enum err sign(struct gathering *g, struct fault *f)
{
	_cleanup_(freep) char *to = path_join(g->to, BACKUP_MANIFEST);
	_cleanup_(log_signer_freep) struct log_signer *log = NULL;
	_cleanup_buf_ struct buf note = {0};
	TRY(log_signer_open(g->config, g->b.ca, &log, f));
	log_signer_public(log, &g->b.log);
	g->b.made = clock_now();
	TRY(backup_sign(&g->b, log_signer_hand(log), &note, f));
	return file_write_new(to, buf_slice(&note), 0600, f);
}

static enum err set_place(struct gathering *g, struct fault *f)
{
	_cleanup_(freep) char *state = realpath(g->config->state, NULL);
	_cleanup_(freep) char *ledger = path_join(g->config->state, "ledger.db");
	g->tree = path_tree(g->config->path);
	const char *rel = state ? below(g, state) : NULL;
	if (!rel || strlen(rel) >= BACKUP_PATH)
		return place_raise("config.state", g->config->state, g, f);
	memcpy(g->b.state, rel, strlen(rel) + 1);
	return ledger_file_ca(ledger, g->b.ca, f);
}

static enum err make(struct gathering *g, const struct secret *passphrase, struct fault *f)
{
	_cleanup_(freep) char *config = realpath(g->config->path, NULL), *state = realpath(g->config->state, NULL);
	if (!config || !state)
		return place_raise("config", g->config->path, g, f);
	TRY(copy_ledger(g, f));
	TRY(gather(g, dirname(config), false, f));
	TRY(gather(g, state, true, f));
	TRY(seal(g, passphrase, f));
	return sign(g, f);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

enum err backup_make(const struct ca_config *config, const char *to, const struct secret *passphrase, struct fault *f)
{
	_cleanup_(gathering_done) struct gathering g = {.config = config, .to = to};
	TRY(set_place(&g, f));
	buf_reserve(&g.private, BACKUP_MAX_PRIVATE);
	if (mkdir(to, 0700) != 0)
		return fault_raise(f, errno == EEXIST ? ERR_CONFLICT : ERR_IO,
				   errno == EEXIST ? "backup_exists" : "backup_folder", "backup", "%s: %s",
				   ESC(to, strlen(to)), strerror(errno));
	enum err e = make(&g, passphrase, f);
	if (e != OK) {
		nftw(to, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		return e;
	}
	char root[65];
	hex_lower(g.b.root, 32, root);
	printf("%s: %llu ledger entries, %zu files, keys sealed; root %s\n", to, (unsigned long long)g.b.entries,
	       g.b.n_files, root);
	return OK;
}

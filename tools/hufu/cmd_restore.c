/*
 * `hufu backup` hands the work to hufu-ca, which knows the files. `hufu restore` lays the tree out again: everything is
 * read and compared with the signed manifest before the first byte is written, and once more where it lies.
 */
#include "tools/hufu/setup.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/backup.h"
#include "tools/hufu/process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err read_passphrase(const char *fd_text, struct secret *ret, struct fault *f)
{
	uint64_t fd = 0;
	if (!fd_text)
		return secret_prompt("Passphrase of the backup: ", false, 1024, ret, f);
	if (!u64_parse(fd_text, strlen(fd_text), 1023, &fd))
		return fault_raise(f, ERR_CONFIG, "passphrase_fd", "--passphrase-fd",
				   "\"%s\" is not a descriptor number", ESC(fd_text, strlen(fd_text)));
	return secret_read_fd((int)fd, 1024, ret, f);
}

/* --- backup --- */

int run_backup(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	const struct option_rule rules[] = {{.name = "--passphrase-fd", .value = &fd}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_setup, run_backup), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (cli_load(c, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:s,s:b}", "backup", argv[1], "dry_run", 1),
				"would make the folder %s\n", argv[1]);
	_cleanup_(freep) char *program = process_program("hufu-ca"), *config = path_join(c->root, "etc/hufu/ca.yaml");
	const char *args[] = {program, "backup", argv[1], "--config", config, fd ? "--passphrase-fd" : "--prompt",
			      fd,      NULL};
	fflush(stdout);
	execv(program, (char **)(uintptr_t)args);
	fault_raise(&f, ERR_IO, "exec", "hufu-ca", "%s cannot be run", program);
	return cli_fail(c, &f);
}

/* --- restore --- */

struct restoring {
	const char *from;
	struct setup tree;
	const char *log_key;
	struct backup b;
	struct secret private;
	size_t n_private;
};

static enum err compare(const struct backup_file *file, const char *path, struct fault *f)
{
	uint8_t hash[32];
	TRY(backup_hash(path, hash, NULL, f));
	if (memcmp(hash, file->sha256, 32) == 0)
		return OK;
	return fault_raise(f, ERR_CRYPTO, "backup_altered", "backup", "%s is not the file that the manifest names",
			   ESC(path, strlen(path)));
}

static enum err read_manifest(struct restoring *r, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(r->from, BACKUP_MANIFEST);
	_cleanup_buf_ struct buf note = {0}, vkey = {0};
	struct log_key trusted;
	TRY(file_read(path, NOTE_MAX_BYTES, &note, f));
	if (r->log_key) {
		TRY(file_read(r->log_key, 1024, &vkey, f));
		TRY(log_key_parse(buf_slice(&vkey), &trusted, f));
	}
	return backup_open(buf_slice(&note), r->log_key ? &trusted : NULL, &r->b, f);
}

static enum err check_private(void *arg, const char *path, unsigned mode, struct slice bytes, struct fault *f)
{
	struct restoring *r = arg;
	(void)path;
	(void)mode;
	(void)bytes;
	(void)f;
	r->n_private++;
	return OK;
}

static enum err open_private(struct restoring *r, const struct secret *passphrase, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(r->from, BACKUP_PRIVATE);
	_cleanup_buf_ struct buf sealed = {0};
	char label[64];
	backup_label(r->b.ca, label);
	TRY(file_read(path, BACKUP_MAX_PRIVATE + 65536, &sealed, f));
	TRY(secret_open(label, passphrase, buf_slice(&sealed), &r->private, f));
	return backup_private_each(slice_of(r->private.p, r->private.n), check_private, r, f);
}

/* Before anything is written. */
static enum err check_backup(struct restoring *r, const struct secret *passphrase, struct fault *f)
{
	for (size_t i = 0; i < r->b.n_files; i++) {
		_cleanup_(freep) char *path = path_join(r->from, r->b.files[i].path);
		TRY(compare(&r->b.files[i], path, f));
	}
	if (!backup_find(&r->b, BACKUP_LEDGER) || !backup_find(&r->b, BACKUP_PRIVATE))
		return fault_raise(f, ERR_PARSE, "backup_parts", "backup", "the manifest names no ledger, or no keys");
	return open_private(r, passphrase, f);
}

static enum err copy_file(const char *from, const char *to, unsigned mode, struct fault *f)
{
	_cleanup_(closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(closep) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	_cleanup_(freep) char *bytes = xcalloc(1, 65536);
	ssize_t n = -1;
	bool ok = in >= 0 && out >= 0 && fchmod(out, mode) == 0;
	while (ok && (n = read(in, bytes, 65536)) > 0)
		ok = write(out, bytes, (size_t)n) == n;
	if (ok && n == 0 && fsync(out) == 0)
		return OK;
	return fault_raise(f, errno == ENOSPC ? ERR_BUSY : ERR_IO, errno == ENOSPC ? "disk_full" : "file_copy",
			   "restore", "%s: %s", ESC(to, strlen(to)), strerror(errno));
}

/* Where a file of the backup lies in the tree. Gives: free(); NULL for the sealed ones. */
static char *place_of(const struct restoring *r, const char *path)
{
	size_t n = strlen(BACKUP_FILES);
	if (strncmp(path, BACKUP_FILES, n) == 0)
		return path_join(r->tree.dir, path + n);
	if (strcmp(path, BACKUP_LEDGER) == 0)
		return xasprintf("%s/%s/ledger.db", r->tree.dir, r->b.state);
	return NULL;
}

static enum err make_folder_of(const char *path, unsigned mode, struct fault *f)
{
	_cleanup_(freep) char *copy = xstrdup(path);
	return dir_make(dirname(copy), mode, f);
}

static enum err write_private(void *arg, const char *rel, unsigned mode, struct slice bytes, struct fault *f)
{
	const struct restoring *r = arg;
	_cleanup_(freep) char *path = path_join(r->tree.dir, rel);
	TRY(make_folder_of(path, 0700, f));
	return file_write_new(path, bytes, mode, f);
}

static enum err write_all(struct restoring *r, struct fault *f)
{
	TRY(setup_folders(&r->tree, f));
	for (size_t i = 0; i < r->b.n_files; i++) {
		_cleanup_(freep) char *from = path_join(r->from, r->b.files[i].path),
				      *to = place_of(r, r->b.files[i].path);
		if (!to)
			continue;
		TRY(make_folder_of(to, 0755, f));
		TRY(copy_file(from, to, r->b.files[i].mode, f));
		TRY(compare(&r->b.files[i], to, f));
	}
	return backup_private_each(slice_of(r->private.p, r->private.n), write_private, r, f);
}

/* The ledger, every entry of it, where it lies now. */
static enum err check_ledger(const struct restoring *r, struct fault *f)
{
	_cleanup_(freep) char *program = process_program("hufu-ca"),
			      *config = path_join(r->tree.dir, "etc/hufu/ca.yaml");
	const char *argv[] = {program, "ledger", "check", "--config", config, NULL};
	/* What it says is no part of our answer. */
	fflush(stdout);
	int kept = dup(STDOUT_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	enum err e = process_run(&(struct process_spec){.argv = argv, .user = r->tree.ca_user}, f);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	return e;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level > 0 ? remove(path) : 0;
}

static enum err restore(struct restoring *r, const struct secret *passphrase, bool dry_run, struct fault *f)
{
	if (!setup_folder_is_empty(r->tree.dir))
		return fault_raise(f, ERR_CONFLICT, "folder_not_empty", "restore",
				   "%s is not an empty folder; nothing was changed", r->tree.dir);
	TRY(check_backup(r, passphrase, f));
	if (dry_run)
		return OK;
	enum err e = write_all(r, f);
	if (e == OK)
		e = setup_give(&r->tree, f);
	if (e == OK)
		e = check_ledger(r, f);
	/* Nothing half done: the folder was empty, and is again. */
	if (e != OK)
		nftw(r->tree.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return e;
}

static int told(struct cli *c, const struct restoring *r)
{
	_cleanup_buf_ struct buf vkey = {0};
	note_vkey_put(r->b.log.origin, r->b.log.key, &vkey);
	if (!r->log_key && !c->json)
		printf("signed by %s: compare it with the one that you keep elsewhere\n", buf_text(&vkey));
	return cli_said(
		c,
		json_pack("{s:s,s:s,s:I,s:I,s:s,s:b}", "dir", r->tree.dir, "made", UTC(r->b.made), "entries",
			  (json_int_t)r->b.entries, "files", (json_int_t)r->b.n_files + (json_int_t)r->n_private,
			  "log_key", buf_text(&vkey), "dry_run", (int)c->dry_run),
		c->dry_run
			? "the backup of %s is whole: %llu ledger entries, %zu public and %zu sealed files (dry run)\n"
			: "restored the backup of %s: %llu ledger entries, %zu public and %zu sealed files; the signer "
			  "waits "
			  "for hufu ledger resume\n",
		UTC(r->b.made), (unsigned long long)r->b.entries, r->b.n_files - 2, r->n_private);
}

int run_restore(struct cli *c, int argc, char **argv)
{
	struct restoring r = {0};
	const char *fd = NULL;
	const struct option_rule rules[] = {{.name = "--log-key", .value = &r.log_key},
					    {.name = "--ca-user", .value = &r.tree.ca_user},
					    {.name = "--ra-user", .value = &r.tree.ra_user},
					    {.name = "--notify-user", .value = &r.tree.notify_user},
					    {.name = "--passphrase-fd", .value = &fd},
					    {0}};
	const struct command *cmd = cli_command(commands_setup, run_restore);
	_cleanup_secret_ struct secret passphrase = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 2, 2))
		return EXIT_CONFIG;
	if ((r.tree.ca_user == NULL) != (r.tree.ra_user == NULL) || (r.tree.notify_user && !r.tree.ca_user))
		return cli_usage(cmd, "--ca-user and --ra-user go together, and --notify-user with them");
	_cleanup_(freep) char *cwd = getcwd(NULL, 0), *dir = path_join(cwd ? cwd : "/", argv[2]);
	r.from = argv[1];
	r.tree.dir = dir;
	enum err e = read_manifest(&r, &f);
	if (e == OK)
		e = read_passphrase(fd, &passphrase, &f);
	if (e == OK)
		e = restore(&r, &passphrase, c->dry_run, &f);
	int rc = e == OK ? told(c, &r) : cli_fail(c, &f);
	secret_done(&r.private);
	backup_done(&r.b);
	return rc;
}

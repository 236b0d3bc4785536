/*
 * The manifest, read and written, and the plain text of the private files. What is copied where is in ca/backup.c and
 * tools/hufu/cmd_restore.c.
 */
#include "common/note/backup.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/note/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define KIND "hufu/backup/v1"
#define MODE_MAX 0777

void backup_done(struct backup *b)
{
	free(b->files);
	*b = (struct backup){0};
}

bool backup_path_valid(struct slice path)
{
	if (path.n == 0 || path.n >= BACKUP_PATH || path.p[0] == '/' || path.p[path.n - 1] == '/')
		return false;
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] <= ' ' || path.p[i] > '~' || path.p[i] == '\\')
			return false;
	for (size_t at = 0; at < path.n;) {
		const uint8_t *slash = memchr(path.p + at, '/', path.n - at);
		size_t n = slash ? (size_t)(slash - path.p) - at : path.n - at;
		if (n == 0 || (n == 1 && path.p[at] == '.') || (n == 2 && memcmp(path.p + at, "..", 2) == 0))
			return false;
		at += n + 1;
	}
	return true;
}

enum err backup_add(struct backup *b, const char *path, unsigned mode, const uint8_t hash[32], struct fault *f)
{
	if (!backup_path_valid(slice_str(path)))
		return fault_raise(f, ERR_CONFIG, "backup_path", "backup",
				   "\"%s\": wanted a path of at most %d printable ASCII characters",
				   ESC(path, strlen(path)), BACKUP_PATH - 1);
	if (b->n_files == BACKUP_MAX_FILES)
		return fault_raise(f, ERR_LIMIT, "backup_files", "backup", "more than %d files", BACKUP_MAX_FILES);
	b->files = xrealloc(b->files, b->n_files + 1, sizeof(*b->files));
	struct backup_file *file = &b->files[b->n_files++];
	*file = (struct backup_file){.mode = mode & MODE_MAX};
	memcpy(file->path, path, strlen(path));
	memcpy(file->sha256, hash, 32);
	return OK;
}

const struct backup_file *backup_find(const struct backup *b, const char *path)
{
	for (size_t i = 0; i < b->n_files; i++)
		if (strcmp(b->files[i].path, path) == 0)
			return &b->files[i];
	return NULL;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct backup_file *)a)->path, ((const struct backup_file *)b)->path);
}

/* --- the manifest --- */

static void put(const struct backup *b, struct buf *ret)
{
	_cleanup_buf_ struct buf vkey = {0};
	note_vkey_put(b->log.origin, b->log.key, &vkey);
	buf_str(ret, KIND "\n");
	lines_put_hex(ret, "ca", b->ca, 20);
	lines_put(ret, "log", buf_text(&vkey));
	lines_put_time(ret, "made", b->made);
	lines_put_u64(ret, "entries", b->entries);
	lines_put_hex(ret, "root", b->root, 32);
	lines_put(ret, "state", b->state);
	for (size_t i = 0; i < b->n_files; i++) {
		char hex[65];
		hex_lower(b->files[i].sha256, 32, hex);
		buf_fmt(ret, "file: %s %04o %s\n", hex, b->files[i].mode, b->files[i].path);
	}
}

static bool mode_parse(struct slice s, unsigned *ret)
{
	unsigned v = 0;
	if (s.n != 4 || s.p[0] != '0')
		return false;
	for (size_t i = 1; i < 4; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
		v = v * 8 + (s.p[i] - '0');
	}
	*ret = v;
	return true;
}

static enum err parse_file(struct lines *l, struct backup *b, struct fault *f)
{
	struct slice value, part[3];
	uint8_t hash[32];
	unsigned mode;
	TRY(lines_get(l, "file", &value, f));
	if (!slice_split(value, part, 3, false) || !slice_hex(part[0], hash, 32) || !mode_parse(part[1], &mode) ||
	    !backup_path_valid(part[2]))
		return lines_bad(l, "file", value, "SHA-256, mode and a path inside the backup", f);
	_cleanup_(freep) char *path = xstrndup((const char *)part[2].p, part[2].n);
	if (b->n_files > 0 && strcmp(b->files[b->n_files - 1].path, path) >= 0)
		return lines_bad(l, "file", value, "paths in order, none twice", f);
	return backup_add(b, path, mode, hash, f);
}

static enum err parse(struct slice text, struct backup *b, struct fault *f)
{
	struct lines l;
	struct slice log, state;
	TRY(lines_begin(&l, "backup", KIND, text, BACKUP_MAX_FILES + 8, f));
	TRY(lines_hex(&l, "ca", b->ca, 20, f));
	TRY(lines_get(&l, "log", &log, f));
	TRY(log_key_parse(log, &b->log, f));
	TRY(lines_time(&l, "made", &b->made, f));
	TRY(lines_u64(&l, "entries", INT64_MAX, &b->entries, f));
	TRY(lines_hex(&l, "root", b->root, 32, f));
	TRY(lines_get(&l, "state", &state, f));
	if (!backup_path_valid(state))
		return lines_bad(&l, "state", state, "a path inside the tree", f);
	memcpy(b->state, state.p, state.n);
	do
		TRY(parse_file(&l, b, f));
	while (lines_next_is(&l, "file"));
	TRY(lines_end(&l, f));
	_cleanup_buf_ struct buf again = {0};
	put(b, &again);
	return lines_same("backup", text, &again, f);
}

enum err backup_sign(struct backup *b, struct note_signer s, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	qsort(b->files, b->n_files, sizeof(*b->files), by_path);
	put(b, &text);
	if (text.len + 512 > NOTE_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "backup_files", "backup", "the list of %zu files is too long",
				   b->n_files);
	note_begin(buf_slice(&text), ret);
	return note_sign_by(ret, b->log.origin, s, f);
}

enum err backup_open(struct slice bytes, const struct log_key *trusted, struct backup *ret, struct fault *f)
{
	_cleanup_(note_done) struct note n = {0};
	char origin[CHECKPOINT_ORIGIN_SIZE];
	TRY(note_parse(bytes, 1, &n, f));
	TRY(parse(n.text, ret, f));
	const struct log_key *key = trusted ? trusted : &ret->log;
	log_origin(ret->ca, origin);
	if (strcmp(ret->log.origin, origin) != 0 || strcmp(key->origin, origin) != 0 ||
	    memcmp(key->key, ret->log.key, ED25519_KEY) != 0)
		return fault_raise(f, ERR_RULE, "log_origin", "backup.log", "found the key of %s, wanted that of %s",
				   ret->log.origin, key->origin);
	if (n.n_sigs != 1 || strcmp(n.sigs[0].name, origin) != 0 || !note_sig_holds_ed25519(&n, &n.sigs[0], key->key))
		return fault_raise(f, ERR_CRYPTO, "log_signature", "backup.signatures",
				   "wanted one line, of the log itself, that holds");
	return OK;
}

/* --- private files --- */

void backup_private_put(struct buf *b, const char *path, unsigned mode, struct slice bytes)
{
	buf_fmt(b, "%04o %zu %s\n", mode & MODE_MAX, bytes.n, path);
	buf_add_slice(b, bytes);
}

enum err backup_private_each(struct slice plain, backup_private_fn *fn, void *arg, struct fault *f)
{
	while (plain.n > 0) {
		const uint8_t *end = memchr(plain.p, '\n', plain.n);
		struct slice head = end ? slice_of(plain.p, (size_t)(end - plain.p)) : (struct slice){0}, part[3];
		uint64_t n;
		unsigned mode;
		if (!end || !slice_split(head, part, 3, false) || !mode_parse(part[0], &mode) ||
		    !u64_parse((const char *)part[1].p, part[1].n, plain.n - head.n - 1, &n) ||
		    !backup_path_valid(part[2]))
			return fault_raise(f, ERR_PARSE, "backup_private", "backup.private",
					   "wanted mode, number of bytes and path of a file");
		_cleanup_(freep) char *path = xstrndup((const char *)part[2].p, part[2].n);
		TRY(fn(arg, path, mode, slice_of(end + 1, n), f));
		plain = slice_of(end + 1 + n, plain.n - head.n - 1 - n);
	}
	return OK;
}

void backup_label(const uint8_t ca[20], char ret[64])
{
	char hex[41];
	hex_lower(ca, 20, hex);
	snprintf(ret, 64, "hufu-backup:%s", hex);
}

/* --- hashing --- */

enum err backup_hash(const char *path, uint8_t ret[32], uint64_t *ret_size, struct fault *f)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(freep) uint8_t *bytes = xcalloc(1, 65536);
	crypto_hash_sha256_state st;
	uint64_t size = 0;
	ssize_t n;
	if (fd < 0)
		return fault_raise(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "file_open", "file", "%s: %s",
				   ESC(path, strlen(path)), strerror(errno));
	crypto_hash_sha256_init(&st);
	while ((n = read(fd, bytes, 65536)) > 0) {
		crypto_hash_sha256_update(&st, bytes, (unsigned long long)n);
		size += (uint64_t)n;
	}
	if (n < 0)
		return fault_raise(f, ERR_IO, "file_read", "file", "%s: %s", ESC(path, strlen(path)), strerror(errno));
	crypto_hash_sha256_final(&st, ret);
	if (ret_size)
		*ret_size = size;
	return OK;
}

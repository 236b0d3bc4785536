/*
 * The vault's keys and files. Secretstream is read from its start, so the last part of a file costs the whole; that is
 * the price of a file that can be cut nowhere without notice, and 20 MiB take a few hundredths of a second.
 */
#include "ra/vault.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define KEY_MAGIC "hufu-materials-key/v1 "
#define KEY_BYTES 32u
#define FILE_MAGIC "hufu-material/v1\n"
#define FILE_MAGIC_LEN (sizeof(FILE_MAGIC) - 1)
#define CHUNK 65536u
#define TAG_BYTES crypto_secretstream_xchacha20poly1305_ABYTES
#define HEADER_BYTES crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

_Static_assert(VAULT_WRAPPED == NONCE_BYTES + KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES, "a wrapped key");

struct vault {
	struct secret key;
	char *folder;
	pthread_mutex_t whole;
};

/* --- the material key --- */

static enum err make_key(const char *path, struct fault *f)
{
	_cleanup_secret_ struct secret key = {0}, line = {0};
	size_t magic = strlen(KEY_MAGIC);
	secret_alloc(&key, KEY_BYTES);
	secret_alloc(&line, magic + 2 * KEY_BYTES + 1);
	random_fill(key.p, key.n);
	memcpy(line.p, KEY_MAGIC, magic);
	sodium_bin2hex((char *)line.p + magic, 2 * KEY_BYTES + 1, key.p, key.n);
	line.p[line.n - 1] = '\n';
	return file_write_new(path, slice_of(line.p, line.n), 0600, f);
}

static enum err read_key(const char *path, struct secret *ret, struct fault *f)
{
	_cleanup_secret_ struct secret line = {0}, key = {0};
	size_t magic = strlen(KEY_MAGIC);
	TRY(secret_read_file(path, 256, &line, f));
	secret_alloc(&key, KEY_BYTES);
	if (line.n != magic + 2 * KEY_BYTES || memcmp(line.p, KEY_MAGIC, magic) != 0 ||
	    !hex_decode((const char *)line.p + magic, 2 * KEY_BYTES, key.p, KEY_BYTES))
		return fault_raise(f, ERR_CONFIG, "materials_key_form", ESC(path, strlen(path)),
				   "%s: not a material key: wanted one line, \"" KEY_MAGIC "\" and 64 hex digits",
				   ESC(path, strlen(path)));
	sodium_mprotect_readonly(key.p);
	*ret = key;
	key = (struct secret){0};
	return OK;
}

static enum err load_key(const char *path, bool may_make, struct secret *ret, struct fault *f)
{
	enum err e = read_key(path, ret, f);
	if (e != ERR_NOT_FOUND)
		return e;
	if (!may_make)
		return fault_raise(
			f, ERR_CONFIG, "materials_key_missing", ESC(path, strlen(path)),
			"%s: no such file, and materials were sealed under it: bring it back from the backup",
			ESC(path, strlen(path)));
	TRY(make_key(path, f));
	return read_key(path, ret, f);
}

enum err vault_open(const char *key_path, const char *folder, bool may_make, struct vault **ret, struct fault *f)
{
	struct secret key = {0};
	TRY(load_key(key_path, may_make, &key, f));
	struct vault *v = xcalloc(1, sizeof(*v));
	v->key = key;
	v->folder = xstrdup(folder);
	pthread_mutex_init(&v->whole, NULL);
	*ret = v;
	return OK;
}

void vault_close(struct vault *v)
{
	secret_done(&v->key);
	pthread_mutex_destroy(&v->whole);
	free(v->folder);
	free(v);
}

int64_t vault_id(const struct vault *v)
{
	static const char context[] = "hufu material key id";
	int64_t id = 0;
	crypto_generichash_state st;
	uint8_t hash[crypto_generichash_BYTES];
	crypto_generichash_init(&st, v->key.p, v->key.n, sizeof(hash));
	crypto_generichash_update(&st, (const uint8_t *)context, sizeof(context) - 1);
	crypto_generichash_final(&st, hash, sizeof(hash));
	memcpy(&id, hash, sizeof(id));
	return id == 0 ? 1 : id;
}

/* --- files' keys --- */

static void bind_key(const char *label, const uint8_t bound[32], struct buf *ret)
{
	buf_fmt(ret, "hufu material %s\n", label);
	buf_add(ret, bound, 32);
}

void vault_key_new(struct vault *v, const char *label, const uint8_t bound[32], uint8_t ret[VAULT_WRAPPED])
{
	_cleanup_secret_ struct secret key = {0};
	_cleanup_buf_ struct buf with = {0};
	secret_alloc(&key, KEY_BYTES);
	random_fill(key.p, key.n);
	random_fill(ret, NONCE_BYTES);
	bind_key(label, bound, &with);
	crypto_aead_xchacha20poly1305_ietf_encrypt(ret + NONCE_BYTES, NULL, key.p, key.n, with.data, with.len, NULL,
						   ret, v->key.p);
}

static enum err damaged(const char *file, const char *how, struct fault *f)
{
	return fault_raise(f, ERR_CRYPTO, "material_damaged", "material", "stored file %s %s", file, how);
}

static enum err unwrap(struct vault *v, const struct vault_key *k, const char *file, struct secret *ret,
		       struct fault *f)
{
	_cleanup_secret_ struct secret key = {0};
	_cleanup_buf_ struct buf with = {0};
	secret_alloc(&key, KEY_BYTES);
	bind_key(k->label, k->bound, &with);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(key.p, NULL, NULL, k->wrapped + NONCE_BYTES,
						       VAULT_WRAPPED - NONCE_BYTES, with.data, with.len, k->wrapped,
						       v->key.p) != 0)
		return damaged(file, "has a key that does not open: the database was altered", f);
	*ret = key;
	key = (struct secret){0};
	return OK;
}

/* --- files --- */

enum err vault_write(struct vault *v, const struct vault_key *k, const char *file, struct slice plain, struct fault *f)
{
	_cleanup_secret_ struct secret key = {0};
	_cleanup_(freep) char *path = path_join(v->folder, file);
	_cleanup_buf_ struct buf sealed = {0};
	crypto_secretstream_xchacha20poly1305_state st;
	uint8_t header[HEADER_BYTES];
	TRY(unwrap(v, k, file, &key, f));
	buf_reserve(&sealed, FILE_MAGIC_LEN + HEADER_BYTES + plain.n + (plain.n / CHUNK + 1) * TAG_BYTES);
	crypto_secretstream_xchacha20poly1305_init_push(&st, header, key.p);
	buf_str(&sealed, FILE_MAGIC);
	buf_add(&sealed, header, sizeof(header));
	for (size_t at = 0;;) {
		size_t n = plain.n - at < CHUNK ? plain.n - at : CHUNK;
		bool last = at + n == plain.n;
		buf_reserve(&sealed, n + TAG_BYTES);
		crypto_secretstream_xchacha20poly1305_push(&st, sealed.data + sealed.len, NULL, plain.p + at, n,
							   (const uint8_t *)file, strlen(file),
							   last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
		sealed.len += n + TAG_BYTES;
		at += n;
		if (last)
			break;
	}
	sodium_memzero(&st, sizeof(st));
	return file_write(path, buf_slice(&sealed), 0600, f);
}

struct reading {
	FILE *from;
	const char *file;
	crypto_secretstream_xchacha20poly1305_state st;
	uint8_t in[CHUNK + TAG_BYTES], out[CHUNK];
	uint64_t at; /* plain bytes read so far */
	bool final;
};

static void reading_done(struct reading *r)
{
	if (r->from)
		(void)fclose(r->from); /* it was only read */
	sodium_memzero(r, sizeof(*r));
}

static enum err begin(struct reading *r, const struct secret *key, struct fault *f)
{
	uint8_t head[FILE_MAGIC_LEN + HEADER_BYTES];
	if (fread(head, 1, sizeof(head), r->from) != sizeof(head) || memcmp(head, FILE_MAGIC, FILE_MAGIC_LEN) != 0 ||
	    crypto_secretstream_xchacha20poly1305_init_pull(&r->st, head + FILE_MAGIC_LEN, key->p) != 0)
		return damaged(r->file, "was altered: it is no sealed material", f);
	return OK;
}

static enum err next(struct reading *r, size_t *ret_n, struct fault *f)
{
	unsigned char tag = 0;
	unsigned long long n = 0;
	size_t got = fread(r->in, 1, sizeof(r->in), r->from);
	if (ferror(r->from))
		return fault_raise(f, ERR_IO, "file_io", r->file, "cannot read: %s", strerror(errno));
	if (got < TAG_BYTES ||
	    crypto_secretstream_xchacha20poly1305_pull(&r->st, r->out, &n, &tag, r->in, got, (const uint8_t *)r->file,
						       strlen(r->file)) != 0)
		return damaged(r->file, "was altered or cut short", f);
	r->final = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	if (r->final && fgetc(r->from) != EOF)
		return damaged(r->file, "was altered: it goes on after its end", f);
	*ret_n = (size_t)n;
	return OK;
}

static enum err read_range(struct reading *r, uint64_t from, size_t n, struct buf *ret, struct fault *f)
{
	while (!r->final && n > 0) {
		size_t have = 0;
		TRY(next(r, &have, f));
		size_t skip = from > r->at ? (from - r->at < have ? (size_t)(from - r->at) : have) : 0;
		size_t take = have - skip < n ? have - skip : n;
		buf_add(ret, r->out + skip, take);
		r->at += have;
		n -= take;
	}
	return OK;
}

enum err vault_read(struct vault *v, const struct vault_key *k, const char *file, uint64_t from, size_t n,
		    struct buf *ret, struct fault *f)
{
	_cleanup_secret_ struct secret key = {0};
	_cleanup_(freep) char *path = path_join(v->folder, file);
	_cleanup_(reading_done) struct reading r = {.file = file};
	size_t before = ret->len;
	TRY(unwrap(v, k, file, &key, f));
	r.from = fopen(path, "rbe");
	if (!r.from && errno == ENOENT)
		return damaged(file, "is not there", f);
	if (!r.from)
		return fault_raise(f, ERR_IO, "file_io", file, "cannot open: %s", strerror(errno));
	TRY(begin(&r, &key, f));
	enum err e = read_range(&r, from, n, ret, f);
	if (e != OK)
		ret->len = before;
	return e;
}

void vault_remove(struct vault *v, const char *file)
{
	_cleanup_(freep) char *path = path_join(v->folder, file);
	unlink(path);
}

/* --- the folder --- */

enum err vault_room(struct vault *v, uint64_t n, uint64_t floor, struct fault *f)
{
	struct statvfs st;
	if (statvfs(v->folder, &st) != 0)
		return fault_raise(f, ERR_IO, "file_io", v->folder, "cannot ask for free space: %s", strerror(errno));
	uint64_t have = (uint64_t)st.f_bavail * st.f_frsize;
	if (have >= floor && have - floor >= n)
		return OK;
	return fault_raise(f, ERR_BUSY, "disk_full", "materials",
			   "found %llu MiB free, wanted %llu and what comes in: no files are taken",
			   (unsigned long long)(have >> 20), (unsigned long long)(floor >> 20));
}

enum err vault_sweep(struct vault *v, bool (*fn)(void *arg, const char *file), void *arg, struct fault *f)
{
	DIR *folder = opendir(v->folder);
	if (!folder)
		return fault_raise(f, ERR_IO, "file_io", v->folder, "cannot list: %s", strerror(errno));
	for (const struct dirent *e; (e = readdir(folder));) {
		if (e->d_name[0] != '.' && !fn(arg, e->d_name))
			vault_remove(v, e->d_name);
	}
	closedir(folder);
	return OK;
}

void vault_lock(struct vault *v)
{
	pthread_mutex_lock(&v->whole);
}

void vault_unlock(struct vault *v)
{
	pthread_mutex_unlock(&v->whole);
}

/*
 * The table as a file: a head of fixed size, the issuers, the CRLs, the rows as they stand in memory, and BLAKE2b of all
 * that. It is a cache of what the feed says again, so a file that is not exactly what it should be is thrown away, and
 * a gate on another kind of machine starts without one.
 */
#include "ra/gate/table_private.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <string.h>

static const char magic[16] = "hufu-gate-tab-4";

struct head {
	char magic[16];
	uint64_t order; /* of bytes: 1 as this machine writes it */
	uint64_t rows, issuers, crls;
	struct gate_head at;
};

static enum err torn(struct fault *f, const char *path, const char *what)
{
	return fault_raise(f, ERR_PARSE, "snapshot_torn", "snapshot", "%s: %s", path, what);
}

static enum err failed(struct fault *f, const char *path, const char *what)
{
	return fault_raise(f, errno == ENOSPC ? ERR_BUSY : ERR_IO, "snapshot_write", "snapshot", "%s: %s: %s", path,
			   what, strerror(errno));
}

/* --- writing --- */

struct out {
	FILE *file;
	crypto_generichash_state hash;
	bool bad;
};

static void put(struct out *o, const void *p, size_t n)
{
	crypto_generichash_update(&o->hash, p, n);
	if (n > 0 && !o->bad && fwrite(p, n, 1, o->file) != 1)
		o->bad = true;
}

static void put_all(struct out *o, const struct gate_table *t)
{
	struct head h = {.order = 1, .rows = t->n, .issuers = t->n_issuers, .crls = t->n_crls, .at = t->head};
	uint8_t hash[32];
	memcpy(h.magic, magic, sizeof(magic));
	crypto_generichash_init(&o->hash, NULL, 0, 32);
	put(o, &h, sizeof(h));
	put(o, t->issuers, t->n_issuers * 20);
	put(o, t->crls, t->n_crls * sizeof(*t->crls));
	for (size_t i = 0, left = (size_t)t->n + 1; left > 0; i++) {
		size_t n = left < CHUNK_ROWS ? left : CHUNK_ROWS;
		put(o, t->chunks[i], n * sizeof(struct gate_row));
		left -= n;
	}
	crypto_generichash_final(&o->hash, hash, sizeof(hash));
	if (!o->bad && fwrite(hash, sizeof(hash), 1, o->file) != 1)
		o->bad = true;
}

static enum err sync_folder(const char *path, struct fault *f)
{
	_cleanup_(freep) char *copy = xstrdup(path);
	_cleanup_(closep) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? OK : failed(f, path, "folder");
}

enum err snapshot_write(struct gate_table *t, const char *path, struct fault *f)
{
	_cleanup_(freep) char *beside = xasprintf("%s.new", path);
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_(fclosep) FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file)
		return failed(f, beside, "open");
	struct out o = {.file = file};
	put_all(&o, t);
	if (o.bad || fflush(file) != 0 || fsync(fd) != 0)
		return failed(f, beside, "write");
	if (rename(beside, path) != 0)
		return failed(f, path, "rename");
	return sync_folder(path, f);
}

/* --- reading --- */

struct in {
	FILE *file;
	const char *path;
	crypto_generichash_state hash;
};

static enum err get(struct in *i, void *ret, size_t n, struct fault *f)
{
	if (n > 0 && fread(ret, n, 1, i->file) != 1)
		return torn(f, i->path, "it ends too early");
	crypto_generichash_update(&i->hash, ret, n);
	return OK;
}

static enum err get_head(struct in *i, struct head *ret, struct fault *f)
{
	TRY(get(i, ret, sizeof(*ret), f));
	if (memcmp(ret->magic, magic, sizeof(magic)) != 0 || ret->order != 1)
		return torn(f, i->path, "it is of another version or machine");
	if (ret->rows >= UINT32_MAX || ret->issuers > UINT16_MAX + 1u || ret->crls > GATE_CRLS_MAX)
		return torn(f, i->path, "its head has numbers that no table has");
	return OK;
}

static enum err get_rows(struct in *i, struct gate_table *t, const struct head *h, struct fault *f)
{
	uint64_t left = h->rows + 1;
	for (size_t chunk = 0; left > 0; chunk++) {
		size_t n = left < CHUNK_ROWS ? (size_t)left : CHUNK_ROWS;
		table_make_room(t, (uint32_t)(chunk * CHUNK_ROWS));
		TRY(get(i, t->chunks[chunk], n * sizeof(struct gate_row), f));
		left -= n;
	}
	t->n = (uint32_t)h->rows;
	return OK;
}

static enum err check_end(struct in *i, struct fault *f)
{
	uint8_t wanted[32], found[32];
	crypto_generichash_final(&i->hash, found, sizeof(found));
	if (fread(wanted, sizeof(wanted), 1, i->file) != 1 || fgetc(i->file) != EOF ||
	    memcmp(wanted, found, sizeof(found)) != 0)
		return torn(f, i->path, "its bytes are not those that were written");
	return OK;
}

static enum err get_all(struct in *i, struct gate_table *t, struct fault *f)
{
	struct head h;
	TRY(get_head(i, &h, f));
	t->n_issuers = (size_t)h.issuers;
	t->issuers = xrealloc(t->issuers, t->n_issuers + 1, sizeof(*t->issuers));
	TRY(get(i, t->issuers, t->n_issuers * 20, f));
	t->n_crls = (size_t)h.crls;
	t->crls = xrealloc(t->crls, t->n_crls + 1, sizeof(*t->crls));
	TRY(get(i, t->crls, t->n_crls * sizeof(*t->crls), f));
	TRY(get_rows(i, t, &h, f));
	TRY(check_end(i, f));
	table_set_head(t, &h.at);
	for (size_t n = 0; n < t->n_crls; n++) {
		if (t->crls[n].issuer >= t->n_issuers)
			return torn(f, i->path, "a CRL is of no issuer");
	}
	for (uint32_t row = 1; row <= t->n; row++) {
		const struct gate_row *r = row_at(t, row);
		if (r->n == 0 || r->n > SERIAL_MAX || r->issuer >= t->n_issuers || r->successor > t->n ||
		    r->predecessor > t->n)
			return torn(f, i->path, "a row is none");
	}
	table_make_slots(t, t->n);
	return OK;
}

enum err snapshot_read(struct gate_table *t, const char *path, struct fault *f)
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return fault_raise(f, ERR_NOT_FOUND, "snapshot_missing", "snapshot", "%s: there is none", path);
	if (!file)
		return fault_raise(f, ERR_IO, "snapshot_read", "snapshot", "%s: %s", path, strerror(errno));
	struct in i = {.file = file, .path = path};
	crypto_generichash_init(&i.hash, NULL, 0, 32);
	return get_all(&i, t, f);
}

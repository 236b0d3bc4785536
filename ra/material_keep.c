/*
 * Keeping: opening the vault, and what goes by the clock.
 *
 * A material's time begins when its matter is over and lasts the years of ra.yaml. Then its key goes from the database
 * and after it its file; the record with its hash stays. Whatever a crash left between file and row is a file that no row
 * names, and is removed when the desk starts.
 */
#include "ra/material.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

#define KEY_HEAD "materials_key"
#define KEY_FILE "materials.key"
#define AT_ONCE 64
#define MONTHS 12

/* --- opening --- */

/* The database remembers which material key its files' keys are wrapped by. */
static enum err check_key(struct desk *d, struct db *db, struct fault *f)
{
	int64_t known = 0, id = vault_id(d->vault);
	TRY(store_head(db, KEY_HEAD, &known, f));
	if (known == 0)
		return store_head_set(db, KEY_HEAD, id, f);
	if (known == id)
		return OK;
	return fault_raise(f, ERR_CONFIG, "materials_key_other", "materials_key",
			   "found material key %016" PRIx64 ", wanted %016" PRIx64
			   ", which sealed what is there: bring it back from the backup",
			   (uint64_t)id, (uint64_t)known);
}

static enum err open_vault(struct desk *d, struct db *db, struct fault *f)
{
	int64_t known = 0;
	bool keys = false;
	_cleanup_(freep) char *path =
		path_join(d->config.state, d->config.materials.key ? d->config.materials.key : KEY_FILE);
	TRY(store_head(db, KEY_HEAD, &known, f));
	TRY(store_material_keys(db, &keys, f));
	TRY(vault_open(path, d->materials, known == 0 && !keys, &d->vault, f));
	return check_key(d, db, f);
}

static enum err in_transaction(struct desk *d, enum err (*fn)(struct desk *d, struct db *db, struct fault *f),
			       struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	return store_end(d->store, db, fn(d, db, f), f);
}

/* Reads a file in the clear, as desks before this one kept them, by its hash. */
static enum err read_plain(struct desk *d, const struct material *m, struct buf *ret, struct fault *f)
{
	uint8_t hash[32];
	char hex[65];
	hex_lower(m->sha256, 32, hex);
	_cleanup_(freep) char *path = path_join(d->materials, hex);
	TRY(file_read(path, MATERIAL_MAX, ret, f));
	sha256(ret->data, ret->len, hash);
	return memcmp(hash, m->sha256, 32) == 0
		       ? OK
		       : fault_raise(f, ERR_CRYPTO, "material_damaged", hex, "the file's SHA-256 is not its name");
}

static enum err seal_plain(struct desk *d, struct material_due *due, struct fault *f)
{
	_cleanup_buf_ struct buf plain = {0};
	struct material *m = &due->material;
	uint8_t id[MATERIAL_FILE / 2];
	TRY(read_plain(d, m, &plain, f));
	random_fill(id, sizeof(id));
	hex_lower(id, sizeof(id), m->file);
	vault_key_new(d->vault, m->file, m->sha256, m->key);
	return vault_write(d->vault, &(struct vault_key){m->file, m->sha256, m->key}, m->file, buf_slice(&plain), f);
}

/* *ret_more false: all are sealed. */
static enum err seal_one(struct desk *d, struct db *db, bool *ret_more, struct fault *f)
{
	struct material_due due;
	struct fault why = {0};
	*ret_more = false;
	enum err e = store_material_plain(db, &due, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	*ret_more = true;
	e = seal_plain(d, &due, &why);
	if (e == OK)
		return store_material_sealed(db, &due, f);
	if (e != ERR_CRYPTO && e != ERR_NOT_FOUND)
		return fault_raise(f, e, why.rule, why.where, "%s", why.text);
	log_fault(LOG_LEVEL_ERROR, "material_damaged", &why);
	return store_material_damaged(db, &due.owner, &due.material, clock_now(), f);
}

static enum err seal_all(struct desk *d, struct db *db, struct fault *f)
{
	bool more = true;
	while (more)
		TRY(seal_one(d, db, &more, f));
	return OK;
}

struct sweeping {
	struct db *db;
	enum err e;
	struct fault *f;
	unsigned removed;
};

/* A part's file is "<upload>.<part>.<hash>": named by its upload's row. */
static bool named(void *arg, const char *file)
{
	struct sweeping *s = arg;
	bool found = false;
	char id[MATERIAL_FILE + 1];
	struct upload u;
	if (s->e == OK && strchr(file, '.')) {
		snprintf(id, sizeof(id), "%.*s", MATERIAL_FILE, file);
		s->e = store_upload_get(s->db, id, &u, s->f);
		found = s->e == OK && strstr(file, ".tmp-") == NULL;
		if (s->e == ERR_NOT_FOUND)
			s->e = OK;
	} else if (s->e == OK) {
		s->e = store_material_file(s->db, file, &found, s->f);
	}
	if (s->e != OK)
		return true;
	s->removed += !found;
	return found;
}

static enum err remove_unnamed(struct desk *d, struct db *db, struct fault *f)
{
	struct sweeping s = {.db = db, .f = f};
	TRY(vault_sweep(d->vault, named, &s, f));
	if (s.removed > 0)
		log_event(LOG_LEVEL_NOTICE, "materials_swept", "files=%u text=\"files that no row names\"", s.removed);
	return s.e;
}

enum err material_open(struct desk *d, struct fault *f)
{
	TRY(in_transaction(d, open_vault, f));
	TRY(in_transaction(d, seal_all, f));
	return in_transaction(d, remove_unnamed, f);
}

/* --- by the clock --- */

/* Also here desk_audit() is the way to write. */
static enum err audit_deleted(struct desk *d, struct db *db, int64_t now, const struct material_due *due,
			      struct fault *f)
{
	struct rpc_call call = {.method = "clock", .peer.uid = getuid()};
	struct ctx c = {.desk = d, .call = &call, .db = db, .now = now, .who = "clock"};
	char detail[TALLY_WORD + 66], hex[65];
	hex_lower(due->material.sha256, 32, hex);
	snprintf(detail, sizeof(detail), "%s %s", due->material.name, hex);
	return desk_audit(&c, "material_deleted", due->owner.id, detail, f);
}

struct leaving {
	struct material_due due[AT_ONCE];
	char uploads[AT_ONCE][MATERIAL_FILE + 1];
	size_t n_due, n_uploads;
};

static enum err drop_uploads(struct db *db, struct leaving *l, int64_t now, struct fault *f)
{
	TRY(store_uploads_dead(db, now, l->uploads, AT_ONCE, &l->n_uploads, f));
	for (size_t i = 0; i < l->n_uploads; i++)
		TRY(store_upload_drop(db, l->uploads[i], f));
	return OK;
}

static enum err leave_in(struct desk *d, struct db *db, struct leaving *l, int64_t now, struct fault *f)
{
	const struct material_rules *r = &d->config.materials;
	int64_t certified = time_add_months(now, -MONTHS * (int)r->retention_years),
		others = time_add_months(now, -MONTHS * (int)r->unissued_years);
	TRY(drop_uploads(db, l, now, f));
	TRY(store_materials_close_requests(db, f));
	TRY(store_materials_due(db, certified, others, l->due, AT_ONCE, &l->n_due, f));
	for (size_t i = 0; i < l->n_due; i++) {
		TRY(store_material_deleted(db, &l->due[i], now, f));
		TRY(audit_deleted(d, db, now, &l->due[i], f));
	}
	return OK;
}

/* Parts of an upload that is gone: its id is how their names begin. */
struct parts_of {
	const struct leaving *l;
};

static bool stays(void *arg, const char *file)
{
	const struct leaving *l = ((struct parts_of *)arg)->l;
	for (size_t i = 0; i < l->n_uploads; i++) {
		if (strncmp(file, l->uploads[i], MATERIAL_FILE) == 0 && file[MATERIAL_FILE] == '.')
			return false;
	}
	return true;
}

enum err material_sweep(struct desk *d, int64_t now, struct fault *f)
{
	_cleanup_(freep) struct leaving *l = xcalloc(1, sizeof(*l));
	struct db *db = NULL;
	TRY(store_begin(d->store, &db, f));
	TRY(store_end(d->store, db, leave_in(d, db, l, now, f), f));
	for (size_t i = 0; i < l->n_due; i++) {
		if (l->due[i].material.sealed)
			vault_remove(d->vault, l->due[i].material.file);
	}
	return l->n_uploads > 0 ? vault_sweep(d->vault, stays, &(struct parts_of){l}, f) : OK;
}

enum err material_worries(struct ctx *c, int64_t *ret, struct fault *f)
{
	return store_materials_damaged(c->db, ret, f);
}

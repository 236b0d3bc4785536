/*
 * Uploads in parts: begin, the parts in any order, finish.
 *
 * Parts have numbers and one size, so they cannot overlap; each is sealed, flushed and named by its own hash before its row
 * is written, so an answered part is never lost and one that is sent again is found. Begin says which are there: a client
 * goes on where it was, by beginning again. What is finished is gone as an upload, and nothing changes it any more.
 */
#include "ra/material.h"

#include <inttypes.h>
#include <string.h>

#define PART_FILE 64

struct going {
	struct upload upload;
	const struct material_kind *kind;
	struct upload_part parts[MATERIAL_PARTS], part;
	size_t n_parts;
	struct buf bytes;
	struct arrival arrival;
	struct fault why; /* finish: what was in the way before the transaction */
	char file[PART_FILE];
	bool dropped;
};

static void going_done(struct going *g)
{
	buf_done(&g->bytes);
	arrival_done(&g->arrival);
}

static int64_t parts_of(int64_t bytes)
{
	return (bytes + MATERIAL_PART - 1) / MATERIAL_PART;
}

static void part_file(const struct going *g, const struct upload_part *p, char ret[PART_FILE])
{
	char hex[17];
	hex_lower(p->sha256, 8, hex);
	snprintf(ret, PART_FILE, "%s.%" PRId64 ".%s", g->upload.id, p->part, hex);
}

static struct vault_key upload_key(const struct upload *u)
{
	return (struct vault_key){u->id, u->sha256, u->key};
}

/* --- which upload --- */

static enum err unknown(const char *id, struct fault *f)
{
	return fault_raise(f, ERR_NOT_FOUND, "upload_unknown", "params.upload",
			   "there is no upload \"%s\" for you: it never was, is finished, or was given up",
			   ESC(id, strlen(id)));
}

/* The upload that the call names, and that its owner may still take it. */
static enum err load(struct ctx *c, struct going *g, struct fault *f)
{
	const char *id = param_text(c, "upload");
	enum err e = store_upload_get(c->db, id, &g->upload, f);
	if (e == ERR_NOT_FOUND || (e == OK && g->upload.dies <= c->now))
		return unknown(id, f);
	TRY(e);
	g->kind = material_kind(g->upload.owner.kind);
	if (!g->kind)
		return unknown(id, f);
	e = g->kind->may_change(c, &g->upload.owner, g->upload.name, f);
	if (e == ERR_NOT_FOUND)
		return unknown(id, f);
	TRY(e);
	return store_parts(c->db, g->upload.id, g->parts, MATERIAL_PARTS, &g->n_parts, f);
}

static json_t *have_json(const struct going *g)
{
	json_t *a = json_array();
	for (size_t i = 0; i < g->n_parts; i++)
		json_array_append_new(a, json_integer(g->parts[i].part));
	return a;
}

static json_t *going_json(const struct going *g)
{
	json_t *o = json_object();
	json_object_set_new(o, "upload", json_string(g->upload.id));
	json_object_set_new(o, "part_bytes", json_integer(MATERIAL_PART));
	json_object_set_new(o, "parts", json_integer(parts_of(g->upload.bytes)));
	json_object_set_new(o, "have", have_json(g));
	json_object_set_new(o, "dies", json_time(g->upload.dies));
	return o;
}

static int64_t dies(const struct ctx *c)
{
	return c->now + c->desk->config.materials.upload_hours * 3600;
}

/* --- begin --- */

static enum err read_terms(struct ctx *c, struct going *g, struct fault *f)
{
	struct upload *u = &g->upload;
	const char *hex = param_text(c, "sha256");
	TRY(material_owner_param(c, &u->owner, &g->kind, f));
	if (strlen(hex) != 64 || !hex_decode(hex, 64, u->sha256, 32))
		return fault_raise(f, ERR_PARSE, "sha256_form", "params.sha256", "wanted 64 hex characters");
	u->bytes = param_number(c, "bytes", 0);
	if (u->bytes > MATERIAL_MAX)
		return fault_raise(f, ERR_LIMIT, "material_size", "params.bytes",
				   "found %" PRId64 " bytes, wanted at most %u", u->bytes, MATERIAL_MAX);
	snprintf(u->name, sizeof(u->name), "%s", param_text(c, "name"));
	return OK;
}

static enum err check_quota(struct ctx *c, const struct upload *u, struct fault *f)
{
	int64_t open = 0, bytes = 0;
	TRY(store_upload_quota(c->db, &u->owner, &open, &bytes, f));
	if (open >= MATERIAL_OPEN_MAX)
		return fault_raise(f, ERR_LIMIT, "uploads_open", "params",
				   "found %" PRId64 " uploads under way, wanted fewer than %d: finish or abandon one",
				   open, MATERIAL_OPEN_MAX);
	if (bytes + u->bytes > MATERIAL_ACCOUNT_MAX)
		return fault_raise(f, ERR_LIMIT, "uploads_bytes", "params.bytes",
				   "found %" PRId64 " MiB in matters that are not over, wanted at most %lld with this",
				   bytes >> 20, MATERIAL_ACCOUNT_MAX >> 20);
	return vault_room(c->desk->vault, (uint64_t)u->bytes, (uint64_t)c->desk->config.materials.free_mib << 20, f);
}

static enum err begin_new(struct ctx *c, struct going *g, struct fault *f)
{
	struct upload *u = &g->upload;
	struct arrival a = {.owner = u->owner, .kind = g->kind};
	uint8_t id[MATERIAL_FILE / 2];
	snprintf(a.material.name, sizeof(a.material.name), "%s", u->name);
	TRY(arrival_check(c, &a, f));
	TRY(check_quota(c, u, f));
	random_fill(id, sizeof(id));
	hex_lower(id, sizeof(id), u->id);
	u->made = c->now;
	u->dies = dies(c);
	vault_key_new(c->desk->vault, u->id, u->sha256, u->key);
	return store_upload_add(c->db, u, f);
}

/* The same file for the same owner: the upload goes on. */
static enum err begin_again(struct ctx *c, struct going *g, const struct upload *have, struct fault *f)
{
	if (have->bytes != g->upload.bytes)
		return fault_raise(f, ERR_CONFLICT, "upload_differs", "params.bytes",
				   "an upload of this hash is under way with %" PRId64 " bytes, found %" PRId64,
				   have->bytes, g->upload.bytes);
	g->upload = *have;
	g->upload.dies = dies(c);
	TRY(store_parts(c->db, have->id, g->parts, MATERIAL_PARTS, &g->n_parts, f));
	return store_upload_dies(c->db, have->id, g->upload.dies, f);
}

static enum err begin(struct ctx *c, struct going *g, json_t **ret, struct fault *f)
{
	struct upload have, *u = &g->upload;
	struct material m;
	TRY(read_terms(c, g, f));
	TRY(g->kind->may_change(c, &u->owner, u->name, f));
	enum err e = store_material_get(c->db, &u->owner, u->name, u->sha256, &m, f);
	if (e == OK) {
		/* It is there: an answer to finish() that was lost. */
		*ret = going_json(g);
		json_object_set_new(*ret, "done", json_true());
		return OK;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_upload_find(c->db, &u->owner, u->name, u->sha256, &have, f);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	TRY(e == OK ? begin_again(c, g, &have, f) : begin_new(c, g, f));
	*ret = going_json(g);
	json_object_set_new(*ret, "done", json_false());
	return OK;
}

enum err material_begin(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going g = {0};
	return begin(c, &g, ret, f);
}

/* --- a part --- */

static enum err read_part(struct ctx *c, struct going *g, struct fault *f)
{
	const char *content = param_text(c, "content");
	if (!base64_decode(content, strlen(content), &g->bytes) || g->bytes.len == 0)
		return fault_raise(f, ERR_PARSE, "material_content", "params.content",
				   "found no base64 (RFC 4648 4, padded) of a part");
	g->part.part = param_number(c, "part", 0);
	sha256(g->bytes.data, g->bytes.len, g->part.sha256);
	return OK;
}

static enum err check_part(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going *g = c->work;
	int64_t n = 0, last = 0, wanted = MATERIAL_PART;
	(void)ret;
	TRY(load(c, g, f));
	n = parts_of(g->upload.bytes);
	last = g->upload.bytes - (n - 1) * MATERIAL_PART;
	if (g->part.part > n)
		return fault_raise(f, ERR_PARSE, "part_range", "params.part", "found part %" PRId64 ", it has %" PRId64,
				   g->part.part, n);
	if (g->part.part == n)
		wanted = last;
	if ((int64_t)g->bytes.len != wanted)
		return fault_raise(f, ERR_PARSE, "part_size", "params.content",
				   "found %zu bytes, wanted %" PRId64 " in part %" PRId64 " of %" PRId64, g->bytes.len,
				   wanted, g->part.part, n);
	return OK;
}

static bool is_there(const struct going *g)
{
	for (size_t i = 0; i < g->n_parts; i++) {
		if (g->parts[i].part == g->part.part && memcmp(g->parts[i].sha256, g->part.sha256, 32) == 0)
			return true;
	}
	return false;
}

static enum err part_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going *g = c->work;
	bool added = false;
	TRY(check_part(c, NULL, f));
	TRY(store_part_add(c->db, g->upload.id, &g->part, &added, f));
	g->upload.dies = dies(c);
	TRY(store_upload_dies(c->db, g->upload.id, g->upload.dies, f));
	TRY(store_parts(c->db, g->upload.id, g->parts, MATERIAL_PARTS, &g->n_parts, f));
	*ret = going_json(g);
	return OK;
}

static enum err store_part(struct ctx *c, struct going *g, struct fault *f)
{
	struct vault_key key = upload_key(&g->upload);
	TRY(vault_room(c->desk->vault, g->bytes.len, (uint64_t)c->desk->config.materials.free_mib << 20, f));
	part_file(g, &g->part, g->file);
	return vault_write(c->desk->vault, &key, g->file, buf_slice(&g->bytes), f);
}

static enum err part(struct ctx *c, struct going *g, json_t **ret, struct fault *f)
{
	c->work = g;
	TRY(read_part(c, g, f));
	/* A repeated call of an upload that is finished is answered as before. */
	if (desk_read(c, check_part, NULL, f) == OK && !is_there(g))
		TRY(store_part(c, g, f));
	enum err e = desk_change(c, part_in, ret, f);
	/* Its name is of this content: no row of a part with other bytes names it. */
	if (e == ERR_CONFLICT && g->file[0] && f && strcmp(f->rule, "part_differs") == 0)
		vault_remove(c->desk->vault, g->file);
	return e;
}

enum err material_part(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going g = {0};
	enum err e = part(c, &g, ret, f);
	going_done(&g);
	return e;
}

/* --- finish --- */

static enum err all_there(const struct going *g, struct fault *f)
{
	_cleanup_buf_ struct buf list = {0};
	int64_t n = parts_of(g->upload.bytes);
	size_t i = 0;
	for (int64_t part = 1; part <= n; part++) {
		if (i < g->n_parts && g->parts[i].part == part)
			i++;
		else
			buf_fmt(&list, "%s%" PRId64, list.len ? ", " : "", part);
	}
	if (list.len == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "parts_missing", "params.upload",
			   "found %zu of %" PRId64 " parts, wanted also: %s", g->n_parts, n, buf_text(&list));
}

static enum err ready_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going *g = c->work;
	struct arrival *a = &g->arrival;
	(void)ret;
	TRY(load(c, g, f));
	TRY(all_there(g, f));
	a->owner = g->upload.owner;
	a->kind = g->kind;
	memcpy(a->material.sha256, g->upload.sha256, 32);
	snprintf(a->material.name, sizeof(a->material.name), "%s", g->upload.name);
	return arrival_check(c, a, f);
}

static enum err assemble(struct ctx *c, struct going *g, struct fault *f)
{
	struct vault_key key = upload_key(&g->upload);
	uint8_t hash[32];
	char hex[65];
	buf_reserve(&g->arrival.plain, (size_t)g->upload.bytes);
	for (size_t i = 0; i < g->n_parts; i++) {
		part_file(g, &g->parts[i], g->file);
		TRY(vault_read(c->desk->vault, &key, g->file, 0, MATERIAL_PART, &g->arrival.plain, f));
	}
	sha256(g->arrival.plain.data, g->arrival.plain.len, hash);
	hex_lower(hash, 32, hex);
	if (memcmp(hash, g->upload.sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "material_hash", "params.upload",
				   "the parts have SHA-256 %s, wanted the one that the upload began with", hex);
	return arrival_store(c, &g->arrival, f);
}

static enum err finish_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going *g = c->work;
	TRY(load(c, g, f));
	TRY(all_there(g, f));
	if (g->why.kind != OK) {
		if (f)
			*f = g->why;
		return g->why.kind;
	}
	TRY(arrival_keep(c, &g->arrival, ret, f));
	TRY(store_upload_drop(c->db, g->upload.id, f));
	g->dropped = true;
	return OK;
}

static void remove_parts(struct ctx *c, struct going *g)
{
	for (size_t i = 0; i < g->n_parts; i++) {
		part_file(g, &g->parts[i], g->file);
		vault_remove(c->desk->vault, g->file);
	}
}

static enum err finish(struct ctx *c, struct going *g, json_t **ret, struct fault *f)
{
	struct vault *v = c->desk->vault;
	c->work = g;
	vault_lock(v);
	if (desk_read(c, ready_in, NULL, &g->why) == OK)
		(void)assemble(c, g, &g->why);
	/* What was refused is refused in the transaction, where a repeated call finds its answer first. */
	enum err e = desk_change(c, finish_in, ret, f);
	vault_unlock(v);
	if (e == OK && g->dropped)
		remove_parts(c, g);
	if (g->arrival.stored && (e != OK || !g->arrival.kept))
		vault_remove(v, g->arrival.material.file);
	return e;
}

enum err material_finish(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going g = {0};
	enum err e = finish(c, &g, ret, f);
	going_done(&g);
	return e;
}

/* --- abandon --- */

static enum err abandon_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going *g = c->work;
	TRY(load(c, g, f));
	TRY(store_upload_drop(c->db, g->upload.id, f));
	g->dropped = true;
	*ret = json_object();
	json_object_set_new(*ret, "upload", json_string(g->upload.id));
	return OK;
}

enum err material_abandon(struct ctx *c, json_t **ret, struct fault *f)
{
	struct going g = {0};
	c->work = &g;
	TRY(desk_change(c, abandon_in, ret, f));
	if (g.dropped)
		remove_parts(c, &g);
	return OK;
}

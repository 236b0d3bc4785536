/*
 * Materials: taken whole, handed out in parts, removed from drafts. What takes files is the same for one call and for an
 * upload in parts: check, look at the bytes, seal them into a file, then the row. So a row never names a file that is not
 * there, and a file that no row names is removed at the next start.
 *
 * Next: material_upload.c, material_owner.c, material_keep.c.
 */
#include "ra/material.h"

#include "ra/material_form.h"
#include "ra/store_audit.h"
#include "ra/title.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <string.h>

/* Parts of one download that come within so long are one row of the audit. */
#define DOWNLOAD_S 600

/* --- taking --- */

void arrival_done(struct arrival *a)
{
	buf_done(&a->plain);
}

enum err arrival_check(struct ctx *c, struct arrival *a, struct fault *f)
{
	struct material have[TALLY_MAX_MATERIALS];
	size_t n = 0;
	TRY(a->kind->may_change(c, &a->owner, a->material.name, f));
	TRY(store_materials_of(c->db, &a->owner, have, TALLY_MAX_MATERIALS, &n, f));
	if (n >= a->kind->max)
		return fault_raise(f, ERR_LIMIT, "materials", "params", "%s %s has %zu materials already",
				   a->owner.kind, a->owner.id, n);
	return OK;
}

enum err arrival_store(struct ctx *c, struct arrival *a, struct fault *f)
{
	struct vault *v = c->desk->vault;
	struct material *m = &a->material;
	const char *type = NULL;
	uint8_t id[MATERIAL_FILE / 2];
	TRY(material_form(buf_slice(&a->plain), &type, f));
	TRY(vault_room(v, a->plain.len, (uint64_t)c->desk->config.materials.free_mib << 20, f));
	snprintf(m->type, sizeof(m->type), "%s", type);
	m->bytes = (int64_t)a->plain.len;
	random_fill(id, sizeof(id));
	hex_lower(id, sizeof(id), m->file);
	vault_key_new(v, m->file, m->sha256, m->key);
	m->sealed = true;
	TRY(vault_write(v, &(struct vault_key){m->file, m->sha256, m->key}, m->file, buf_slice(&a->plain), f));
	a->stored = true;
	return OK;
}

json_t *material_json(const struct material *m)
{
	json_t *o = json_object();
	const struct bilingual title = title_of(m->name);
	json_object_set_new(o, "name", json_string(m->name));
	json_object_set_new(o, "title", json_bilingual(&title));
	json_object_set_new(o, "sha256", json_hex(m->sha256, 32));
	json_object_set_new(o, "type", json_string(m->type));
	json_object_set_new(o, "bytes", json_integer(m->bytes));
	return o;
}

static enum err audit_material(struct ctx *c, const char *what, const struct material_owner *o,
			       const struct material *m, struct fault *f)
{
	char detail[TALLY_WORD + 66], hex[65];
	hex_lower(m->sha256, 32, hex);
	snprintf(detail, sizeof(detail), "%s %s", m->name, hex);
	return desk_audit(c, what, o->id, detail, f);
}

enum err arrival_keep(struct ctx *c, struct arrival *a, json_t **ret, struct fault *f)
{
	TRY(arrival_check(c, a, f));
	if (!a->stored)
		return fault_raise(f, ERR_BUSY, "material_again", "params", "it has just become possible: call again");
	TRY(store_material_add(c->db, &a->owner, &a->material, c->now, &a->kept, f));
	TRY(a->kind->changed(c, &a->owner, a->material.name, f));
	TRY(audit_material(c, "material_put", &a->owner, &a->material, f));
	*ret = material_json(&a->material);
	return OK;
}

static enum err check_in(struct ctx *c, json_t **ret, struct fault *f)
{
	(void)ret;
	return arrival_check(c, c->work, f);
}

static enum err keep_in(struct ctx *c, json_t **ret, struct fault *f)
{
	return arrival_keep(c, c->work, ret, f);
}

enum err arrival_decode(struct arrival *a, const char *content, struct fault *f)
{
	if (!base64_decode(content, strlen(content), &a->plain) || a->plain.len == 0)
		return fault_raise(f, ERR_PARSE, "material_content", "params.content",
				   "found no base64 (RFC 4648 4, padded) of a file");
	if (a->plain.len > MATERIAL_PART)
		return fault_raise(f, ERR_LIMIT, "material_size", "params.content",
				   "found %zu bytes, wanted at most %u; larger ones come by material.begin",
				   a->plain.len, MATERIAL_PART);
	sha256(a->plain.data, a->plain.len, a->material.sha256);
	return OK;
}

static enum err put(struct ctx *c, struct arrival *a, json_t **ret, struct fault *f)
{
	TRY(material_owner_param(c, &a->owner, &a->kind, f));
	TRY(arrival_decode(a, param_text(c, "content"), f));
	snprintf(a->material.name, sizeof(a->material.name), "%s", param_text(c, "name"));
	c->work = a;
	/* A repeated call of a draft that has moved on is answered as before, not judged again. */
	enum err e = desk_read(c, check_in, NULL, f);
	if (e == OK)
		TRY(arrival_store(c, a, f));
	else if (e != ERR_RULE && e != ERR_LIMIT)
		return e;
	return desk_change(c, keep_in, ret, f);
}

enum err material_put(struct ctx *c, json_t **ret, struct fault *f)
{
	struct arrival a = {0};
	enum err e = put(c, &a, ret, f);
	if (a.stored && (e != OK || !a.kept))
		vault_remove(c->desk->vault, a.material.file);
	arrival_done(&a);
	return e;
}

/* --- handing out --- */

struct outgoing {
	struct material_owner owner;
	const struct material_kind *kind;
	struct material material;
	int64_t part, parts;
	bool removed;
};

static enum err hash_param(const struct ctx *c, uint8_t ret[32], struct fault *f)
{
	const char *hex = param_text(c, "sha256");
	if (strlen(hex) == 64 && hex_decode(hex, 64, ret, 32))
		return OK;
	return fault_raise(f, ERR_PARSE, "sha256_form", "params.sha256", "wanted 64 hex characters");
}

static enum err find(struct ctx *c, const struct material_owner *o, struct material *ret, struct fault *f)
{
	uint8_t hash[32];
	TRY(hash_param(c, hash, f));
	enum err e = store_material_get(c->db, o, param_text(c, "name"), hash, ret, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "material_missing", "params.name", "%s %s has no such material",
				   o->kind, o->id);
	return e;
}

static enum err find_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct outgoing *d = c->work;
	(void)ret;
	TRY(material_owner_param(c, &d->owner, &d->kind, f));
	TRY(d->kind->may_read(c, &d->owner, f));
	TRY(find(c, &d->owner, &d->material, f));
	if (d->material.deleted)
		return fault_raise(f, ERR_NOT_FOUND, "material_deleted", "params.sha256",
				   "its time was over: deleted on %.10s", UTC(d->material.deleted));
	d->part = param_number(c, "part", 1);
	d->parts = (d->material.bytes + MATERIAL_PART - 1) / MATERIAL_PART;
	if (d->part > d->parts)
		return fault_raise(f, ERR_PARSE, "part_range", "params.part", "found part %lld, it has %lld",
				   (long long)d->part, (long long)d->parts);
	return OK;
}

static enum err counted(struct ctx *c, const struct outgoing *d, bool *ret, struct fault *f)
{
	char detail[TALLY_WORD + 66], hex[65];
	*ret = false;
	if (d->part == 1)
		return OK;
	hex_lower(d->material.sha256, 32, hex);
	snprintf(detail, sizeof(detail), "%s %s", d->material.name, hex);
	return store_audit_has(c->db, d->owner.id, "material_get", c->who, (int64_t)c->call->peer.uid, detail,
			       c->now - DOWNLOAD_S, ret, f);
}

static enum err count_in(struct ctx *c, const struct outgoing *d, struct fault *f)
{
	bool have = false;
	TRY(counted(c, d, &have, f));
	return have ? OK : audit_material(c, "material_get", &d->owner, &d->material, f);
}

static enum err mark_in(struct ctx *c, const struct outgoing *d, bool well, struct fault *f)
{
	TRY(store_material_damaged(c->db, &d->owner, &d->material, well ? 0 : c->now, f));
	return audit_material(c, well ? "material_well" : "material_damaged", &d->owner, &d->material, f);
}

/* Named, alarmed, remembered until it is right again; and refused. */
static enum err mark(struct ctx *c, const struct outgoing *d, bool well, struct fault *f)
{
	TRY(store_begin(c->desk->store, &c->db, f));
	enum err e = store_end(c->desk->store, c->db, mark_in(c, d, well, f), f);
	c->db = NULL;
	return e;
}

static enum err read_part(struct ctx *c, const struct outgoing *d, struct buf *ret, struct fault *f)
{
	const struct material *m = &d->material;
	if (!m->sealed)
		return fault_raise(f, ERR_CRYPTO, "material_damaged", "material", "its file was missing or altered");
	return vault_read(c->desk->vault, &(struct vault_key){m->file, m->sha256, m->key}, m->file,
			  (uint64_t)(d->part - 1) * MATERIAL_PART, MATERIAL_PART, ret, f);
}

static enum err hand_out(struct ctx *c, const struct outgoing *d, struct buf *ret, struct fault *f)
{
	struct fault later = {0};
	enum err e = read_part(c, d, ret, f);
	if (e == ERR_CRYPTO && d->material.damaged == 0) {
		log_fault(LOG_LEVEL_ERROR, "material_damaged", f);
		if (mark(c, d, false, &later) != OK)
			log_fault(LOG_LEVEL_ERROR, "material_damaged", &later);
	}
	if (e == OK && d->material.damaged != 0 && d->part == d->parts)
		return mark(c, d, true, f);
	return e;
}

enum err material_get(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	struct outgoing d = {0};
	c->work = &d;
	TRY(desk_read(c, find_in, NULL, f));
	TRY(store_begin(c->desk->store, &c->db, f));
	enum err e = store_end(c->desk->store, c->db, count_in(c, &d, f), f);
	c->db = NULL;
	TRY(e);
	TRY(hand_out(c, &d, &bytes, f));
	*ret = material_json(&d.material);
	json_object_set_new(*ret, d.owner.kind, json_string(d.owner.id));
	json_object_set_new(*ret, "part", json_integer(d.part));
	json_object_set_new(*ret, "parts", json_integer(d.parts));
	json_object_set_new(*ret, "content", json_base64(buf_slice(&bytes)));
	return OK;
}

/* --- removing --- */

static enum err remove_in(struct ctx *c, json_t **ret, struct fault *f)
{
	struct outgoing *d = c->work;
	TRY(material_owner_param(c, &d->owner, &d->kind, f));
	TRY(d->kind->may_change(c, &d->owner, param_text(c, "name"), f));
	TRY(find(c, &d->owner, &d->material, f));
	TRY(store_material_drop(c->db, &d->owner, &d->material, f));
	TRY(d->kind->changed(c, &d->owner, d->material.name, f));
	TRY(audit_material(c, "material_removed", &d->owner, &d->material, f));
	d->removed = true;
	*ret = material_json(&d->material);
	return OK;
}

enum err material_remove(struct ctx *c, json_t **ret, struct fault *f)
{
	struct outgoing d = {0};
	c->work = &d;
	TRY(desk_change(c, remove_in, ret, f));
	if (d.removed && d.material.sealed)
		vault_remove(c->desk->vault, d.material.file);
	return OK;
}

/*
 * Materials: files by their hash, what they are told by their bytes (material_form.h).
 *
 * A file is stored before the draft names it, but only for a draft that may take it. The same bytes are stored once. A
 * download is an audit line, and the bytes are hashed again on their way out.
 */
#include "ra/material_form.h"
#include "ra/request.h"

#include "common/base/file.h"

#include <string.h>

#define MATERIAL_MAX (700u * 1024u)

struct arrival {
	struct material material;
	struct buf bytes;
};

/* --- put --- */

static enum err decode(struct ctx *c, struct arrival *u, struct fault *f)
{
	const char *content = param_text(c, "content");
	if (!base64_decode(content, strlen(content), &u->bytes) || u->bytes.len == 0)
		return fault_raise(f, ERR_PARSE, "material_content", "params.content",
				   "found no base64 (RFC 4648 4, padded) of a file");
	if (u->bytes.len > MATERIAL_MAX)
		return fault_raise(f, ERR_LIMIT, "material_size", "params.content",
				   "found %zu bytes, wanted at most %u", u->bytes.len, MATERIAL_MAX);
	const char *type = NULL;
	TRY(material_form(buf_slice(&u->bytes), &type, f));
	snprintf(u->material.type, sizeof(u->material.type), "%s", type);
	snprintf(u->material.name, sizeof(u->material.name), "%s", param_text(c, "name"));
	sha256(u->bytes.data, u->bytes.len, u->material.sha256);
	u->material.bytes = (int64_t)u->bytes.len;
	return OK;
}

static bool listed(const struct yaml_strs *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->v[i], name) == 0)
			return true;
	}
	return false;
}

static enum err check_name(struct ctx *c, const struct request *r, const char *name, struct fault *f)
{
	enum tally_kind kind = TALLY_KIND_N;
	const struct profile *p = policy_profile(c->law->policy, r->profile);
	bool known = tally_kind_from_word(r->kind, strlen(r->kind), &kind);
	const struct policy_way *way = p && known ? profile_way(p, kind, r->way) : NULL;
	const struct material_any *any = way ? way->materials.any_of.v : NULL;
	bool found = way && listed(&way->materials.all_of, name);
	for (size_t i = 0; way && i < way->materials.any_of.n; i++)
		found = found || listed(&any[i].of, name);
	if (found)
		return OK;
	return fault_raise(f, ERR_RULE, "material_unknown", "params.name",
			   "found \"%s\", which way %s does not ask for", ESC(name, strlen(name)), r->way);
}

static enum err may_take(struct ctx *c, struct request *r, struct fault *f)
{
	struct material have[TALLY_MAX_MATERIALS];
	size_t n = 0;
	TRY(request_own(c, r, f));
	if (request_next(request_state_from_word(r->state), EVENT_EDIT) == REQUEST_NONE)
		return request_move(c->db, r->id, r->state, EVENT_EDIT, c->now, c->who, "", NULL, f);
	TRY(check_name(c, r, param_text(c, "name"), f));
	TRY(store_materials(c->db, r->id, have, TALLY_MAX_MATERIALS, &n, f));
	if (n == TALLY_MAX_MATERIALS)
		return fault_raise(f, ERR_LIMIT, "materials", "params.request", "request %s has %zu materials already",
				   r->id, n);
	return OK;
}

static enum err check_in(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	(void)ret;
	return may_take(c, &r, f);
}

static enum err put_in(struct ctx *c, json_t **ret, struct fault *f)
{
	const struct arrival *u = c->work;
	_cleanup_(request_done) struct request r = {0};
	_cleanup_(draw_done) struct draw d = {0};
	bool added = false;
	TRY(may_take(c, &r, f));
	struct material_owner o = {.kind = "request", .account = r.account};
	memcpy(o.id, r.id, sizeof(r.id));
	TRY(store_material_add(c->db, &o, &u->material, c->now, &added, f));
	TRY(draw_make(c, &r, &d, f));
	TRY(store_request_redraw(c->db, &r, f));
	TRY(request_move(c->db, r.id, r.state, EVENT_EDIT, c->now, c->who, u->material.name, NULL, f));
	TRY(desk_audit(c, "material_put", r.id, u->material.name, f));
	*ret = json_object();
	json_object_set_new(*ret, "sha256", json_hex(u->material.sha256, 32));
	return OK;
}

static char *path_of(const struct desk *d, const uint8_t hash[32])
{
	char hex[65];
	hex_lower(hash, 32, hex);
	return path_join(d->materials, hex);
}

static enum err keep_file(const struct desk *d, const struct arrival *u, struct fault *f)
{
	_cleanup_(freep) char *path = path_of(d, u->material.sha256);
	if (file_exists(path))
		return OK;
	return file_write(path, buf_slice(&u->bytes), 0600, f);
}

static enum err put(struct ctx *c, struct arrival *u, json_t **ret, struct fault *f)
{
	TRY(decode(c, u, f));
	enum err e = desk_read(c, check_in, NULL, f);
	/* A repeated call of a draft that has moved on is answered as before, not judged again. */
	if (e == OK)
		TRY(keep_file(c->desk, u, f));
	else if (e != ERR_RULE && e != ERR_LIMIT)
		return e;
	c->work = u;
	return desk_change(c, put_in, ret, f);
}

enum err material_put(struct ctx *c, json_t **ret, struct fault *f)
{
	struct arrival u = {0};
	enum err e = put(c, &u, ret, f);
	buf_done(&u.bytes);
	return e;
}

/* --- get --- */

static enum err find(struct ctx *c, const uint8_t hash[32], struct request *r, struct material *m, struct fault *f)
{
	if (!c->session && !caller_is(c, DESK_OFFICER))
		return fault_raise(f, ERR_DENIED, "session_missing", "params.session",
				   "wanted a session, or a caller with role officer");
	TRY(c->session ? request_own(c, r, f) : request_any(c, r, f));
	struct material_owner o = {.kind = "request"};
	memcpy(o.id, r->id, sizeof(r->id));
	enum err e = store_material_get(c->db, &o, param_text(c, "name"), hash, m, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "material_missing", "params.name",
				   "request %s has no such material", r->id);
	return e;
}

static enum err audit_in(struct ctx *c, const char *request, const char *name, struct fault *f)
{
	TRY(store_begin(c->desk->store, &c->db, f));
	enum err e = store_end(c->desk->store, c->db, desk_audit(c, "material_get", request, name, f), f);
	c->db = NULL;
	return e;
}

static enum err read_file(const struct desk *d, const struct material *m, struct buf *ret, struct fault *f)
{
	_cleanup_(freep) char *path = path_of(d, m->sha256);
	uint8_t hash[32];
	TRY(file_read(path, MATERIAL_MAX, ret, f));
	sha256(ret->data, ret->len, hash);
	if (memcmp(hash, m->sha256, 32) != 0)
		return fault_raise(f, ERR_INTERNAL, "material_damaged", path, "the file's SHA-256 is not its name");
	return OK;
}

static enum err get_in(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct material m = {0};
	uint8_t hash[32];
	const char *hex = param_text(c, "sha256");
	if (strlen(hex) != 64 || !hex_decode(hex, 64, hash, 32))
		return fault_raise(f, ERR_PARSE, "sha256_form", "params.sha256", "wanted 64 hex characters");
	TRY(find(c, hash, &r, &m, f));
	*ret = json_object();
	json_object_set_new(*ret, "request", json_string(r.id));
	json_object_set_new(*ret, "name", json_string(m.name));
	json_object_set_new(*ret, "type", json_string(m.type));
	memcpy(((struct material *)c->work)->sha256, m.sha256, 32);
	return OK;
}

enum err material_get(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *o = NULL;
	_cleanup_buf_ struct buf bytes = {0};
	struct material m = {0};
	c->work = &m;
	TRY(desk_read(c, get_in, &o, f));
	TRY(read_file(c->desk, &m, &bytes, f));
	TRY(audit_in(c, json_string_value(json_object_get(o, "request")), json_string_value(json_object_get(o, "name")),
		     f));
	json_object_set_new(o, "content", json_base64(buf_slice(&bytes)));
	*ret = TAKE(o);
	return OK;
}

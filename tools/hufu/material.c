/*
 * Parts there and back. The desk says how large a part is and which it has; the hash is compared here whatever it says.
 */
#include "tools/hufu/material.h"

#include "common/base/file.h"

#include <string.h>

#define MATERIAL_MAX (20u * 1024u * 1024u)
#define PARTS_MAX 1000

static json_int_t number_of(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool listed(json_t *have, json_int_t part)
{
	size_t i;
	json_t *v;
	json_array_foreach(have, i, v)
	{
		if (json_integer_value(v) == part)
			return true;
	}
	return false;
}

/* --- there --- */

/* Who has no account yet has no session: the id of the case is enough. */
static bool in_session(const char *owner)
{
	return strcmp(owner, "request") == 0;
}

static enum err begin(struct cli *c, const char *owner, const char *id, const char *name, struct slice bytes,
		      json_t **ret, struct fault *f)
{
	uint8_t hash[32];
	char hex[65];
	sha256(bytes.p, bytes.n, hash);
	hex_lower(hash, 32, hex);
	json_t *p =
		json_pack("{s:s,s:s,s:s,s:I}", owner, id, "name", name, "sha256", hex, "bytes", (json_int_t)bytes.n);
	return cli_desk(c, "material.begin", p, in_session(owner), true, ret, f);
}

static enum err put_parts(struct cli *c, bool session, json_t *going, struct slice bytes, struct fault *f)
{
	const char *upload = json_string_value(json_object_get(going, "upload"));
	json_int_t size = number_of(going, "part_bytes"), parts = number_of(going, "parts");
	if (!upload || size < 1 || size > (json_int_t)MATERIAL_MAX || parts < 1 || parts > PARTS_MAX)
		return fault_raise(f, ERR_NET, "desk_answer", "material.begin", "the desk's answer has no parts");
	for (json_int_t part = 1; part <= parts; part++) {
		_cleanup_buf_ struct buf text = {0};
		_cleanup_(json_freep) json_t *r = NULL;
		size_t at = (size_t)(part - 1) * (size_t)size;
		if (at >= bytes.n || listed(json_object_get(going, "have"), part))
			continue;
		size_t n = bytes.n - at < (size_t)size ? bytes.n - at : (size_t)size;
		buf_base64(&text, bytes.p + at, n);
		json_t *p = json_pack("{s:s,s:I,s:s}", "upload", upload, "part", part, "content", buf_text(&text));
		TRY(cli_desk(c, "material.part", p, session, true, &r, f));
	}
	return OK;
}

static enum err finish(struct cli *c, bool session, const char *upload, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *gone = NULL;
	enum err e = cli_desk(c, "material.finish", json_pack("{s:s}", "upload", upload), session, true, ret, f);
	/* Such bytes will never do: they need not wait at the desk until they are swept away. */
	if (e == ERR_RULE)
		(void)!cli_desk(c, "material.abandon", json_pack("{s:s}", "upload", upload), session, true, &gone,
				NULL);
	return e;
}

static json_t *local(const char *name, struct slice bytes)
{
	uint8_t hash[32];
	char hex[65];
	sha256(bytes.p, bytes.n, hash);
	hex_lower(hash, 32, hex);
	return json_pack("{s:s,s:s,s:I}", "name", name, "sha256", hex, "bytes", (json_int_t)bytes.n);
}

enum err material_upload(struct cli *c, const char *owner, const char *id, const char *name, const char *path,
			 json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(json_freep) json_t *going = NULL;
	TRY(file_read(path, MATERIAL_MAX, &bytes, f));
	if (bytes.len == 0)
		return fault_raise(f, ERR_RULE, "material_type", path, "%s: the file is empty",
				   ESC(path, strlen(path)));
	if (c->dry_run) {
		*ret = local(name, buf_slice(&bytes));
		return OK;
	}
	TRY(begin(c, owner, id, name, buf_slice(&bytes), &going, f));
	if (json_is_true(json_object_get(going, "done"))) {
		*ret = local(name, buf_slice(&bytes));
		return OK;
	}
	TRY(put_parts(c, in_session(owner), going, buf_slice(&bytes), f));
	return finish(c, in_session(owner), json_string_value(json_object_get(going, "upload")), ret, f);
}

enum err material_upload_spec(struct cli *c, const char *request, const char *spec, json_t **ret, struct fault *f)
{
	const char *eq = strchr(spec, '=');
	if (!eq || eq == spec)
		return fault_raise(f, ERR_CONFIG, "material", "material", "\"%s\": wanted NAME=FILE",
				   ESC(spec, strlen(spec)));
	_cleanup_(freep) char *name = xstrndup(spec, (size_t)(eq - spec));
	return material_upload(c, "request", request, name, eq + 1, ret, f);
}

/* --- back --- */

static enum err get_part(struct cli *c, const char *owner, const char *id, const char *name, const char *hex,
			 json_int_t part, bool session, json_int_t *ret_parts, struct buf *ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *p = json_pack("{s:s,s:s,s:s,s:I}", owner, id, "name", name, "sha256", hex, "part", part);
	TRY(cli_desk(c, "material.get", p, session, false, &r, f));
	const char *content = json_string_value(json_object_get(r, "content"));
	*ret_parts = number_of(r, "parts");
	if (content && base64_decode(content, strlen(content), ret) && ret->len <= MATERIAL_MAX &&
	    *ret_parts <= PARTS_MAX)
		return OK;
	return fault_raise(f, ERR_PARSE, "material_content", "material", "material %s: the desk sent no base64",
			   ESC(name, strlen(name)));
}

enum err material_download(struct cli *c, const char *owner, const char *id, const char *name, const uint8_t want[32],
			   bool session, struct buf *ret, struct fault *f)
{
	uint8_t hash[32];
	char hex[65], found[65];
	json_int_t parts = 1;
	hex_lower(want, 32, hex);
	for (json_int_t part = 1; part <= parts; part++)
		TRY(get_part(c, owner, id, name, hex, part, session, &parts, ret, f));
	sha256(ret->data, ret->len, hash);
	hex_lower(hash, 32, found);
	if (memcmp(hash, want, 32) != 0)
		return fault_raise(f, ERR_CRYPTO, "material_hash", "material",
				   "material %s: the desk sent bytes with SHA-256 %s, wanted %s",
				   ESC(name, strlen(name)), found, hex);
	return OK;
}

enum err material_save(const char *dir, const char *name, const uint8_t hash[32], struct slice bytes, char **ret_path,
		       struct fault *f)
{
	char hex[9];
	hex_lower(hash, 4, hex);
	/* A name comes from the desk or from a person: it stays in the folder. */
	if (strchr(name, '/') || name[0] == '.')
		return fault_raise(f, ERR_PARSE, "material_name", "name", "\"%s\": wanted a name without \"/\"",
				   ESC(name, strlen(name)));
	_cleanup_(freep) char *file = xasprintf("%s-%s", name, hex), *path = path_join(dir, file);
	TRY(dir_make(dir, 0700, f));
	TRY(file_write(path, bytes, 0600, f));
	*ret_path = TAKE(path);
	return OK;
}

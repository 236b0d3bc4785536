/*
 * A request with files on their way into it: beginning, parts, end, reading them back; and what lies in the vault by then.
 */
#ifndef HUFU_TEST_UPLOAD_KIT_H
#define HUFU_TEST_UPLOAD_KIT_H

#include "material_kit.h"
#include "ra_fixture.h"

#include "ra/clockwork.h"
#include "ra/material.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "change-proof"
#define PART ((size_t)MATERIAL_PART)

/* --- an upload, step by step --- */

struct file {
	struct buf bytes;
	char sha256[65];
};
static void file_done(struct file *file)
{
	buf_done(&file->bytes);
}

/* A PDF of about n bytes, another for each seed. */
static void file_make(size_t n, char seed, struct file *ret)
{
	_cleanup_buf_ struct buf body = {0};
	uint8_t hash[32];
	buf_str(&body, "% ");
	for (size_t i = 0; i < n; i++)
		buf_char(&body, seed);
	*ret = (struct file){0};
	kit_pdf(buf_text(&body), &ret->bytes);
	sha256(ret->bytes.data, ret->bytes.len, hash);
	hex_lower(hash, 32, ret->sha256);
}

static json_t *begin_params(struct fx *x, const char *request, const struct file *file)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:I}", "session", x->session, "request", request, "name", NAME, "sha256",
			 file->sha256, "bytes", (json_int_t)file->bytes.len);
}

static json_t *begun(struct fx *x, const char *request, const struct file *file)
{
	return fx_do(x, UID_SUBSCRIBER, "material.begin", begin_params(x, request, file));
}

static json_t *part_params(struct fx *x, const char *upload, const struct file *file, size_t part)
{
	_cleanup_buf_ struct buf text = {0};
	size_t at = (part - 1) * PART, n = file->bytes.len - at < PART ? file->bytes.len - at : PART;
	buf_base64(&text, file->bytes.data + at, n);
	return json_pack("{s:s,s:s,s:I,s:s}", "session", x->session, "upload", upload, "part", (json_int_t)part,
			 "content", buf_text(&text));
}

static size_t put_part(struct fx *x, const char *upload, const struct file *file, size_t part)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "material.part", part_params(x, upload, file, part));
	return json_array_size(json_object_get(r, "have"));
}

static json_t *upload_params(struct fx *x, const char *upload)
{
	return json_pack("{s:s,s:s}", "session", x->session, "upload", upload);
}

static void uploaded(struct fx *x, const char *request, const struct file *file)
{
	_cleanup_(json_freep) json_t *u = begun(x, request, file);
	size_t parts = (size_t)json_integer_value(json_object_get(u, "parts"));
	for (size_t part = 1; part <= parts; part++)
		assert_int_equal(put_part(x, fx_text(u, "upload"), file, part), part);
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.finish", upload_params(x, fx_text(u, "upload"))));
}

static char *drafted(struct fx *x)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x));
	return xstrdup(fx_text(r, "request"));
}

static json_t *get_params(const char *request, const struct file *file, int part, const char *session)
{
	json_t *p =
		json_pack("{s:s,s:s,s:s,s:i}", "request", request, "name", NAME, "sha256", file->sha256, "part", part);
	if (session)
		json_object_set_new(p, "session", json_string(session));
	return p;
}

static void downloaded(struct fx *x, const char *request, const struct file *file)
{
	_cleanup_buf_ struct buf all = {0};
	for (int part = 1, parts = 1; part <= parts; part++) {
		_cleanup_(json_freep) json_t *r =
			fx_do(x, UID_OFFICER, "material.get", get_params(request, file, part, NULL));
		const char *content = fx_text(r, "content");
		parts = (int)json_integer_value(json_object_get(r, "parts"));
		assert_true(base64_decode(content, strlen(content), &all));
	}
	assert_int_equal(all.len, file->bytes.len);
	assert_memory_equal(all.data, file->bytes.data, all.len);
}

static size_t stored_files(const struct fx *x)
{
	_cleanup_(freep) char *folder = path_join(x->dir, "state/materials");
	DIR *d = opendir(folder);
	size_t n = 0;
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static size_t audited(struct fx *x, const char *request, const char *what)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_OFFICER, "audit.list", json_pack("{s:s,s:i}", "object", request, "limit", 500));
	json_t *row;
	size_t i, n = 0;
	json_array_foreach(json_object_get(r, "rows"), i, row) n += strcmp(fx_text(row, "what"), what) == 0;
	return n;
}

#endif

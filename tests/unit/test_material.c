/*
 * Materials: uploads in parts and what can go wrong in them, files at rest, downloads, retention.
 */
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

/* The only stored file's path. Gives: free(). */
static char *stored_file(const struct fx *x)
{
	_cleanup_(freep) char *folder = path_join(x->dir, "state/materials");
	DIR *d = opendir(folder);
	char *path = NULL;
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] != '.' && !path)
			path = path_join(folder, e->d_name);
	}
	closedir(d);
	assert_non_null(path);
	return path;
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

/* --- uploads --- */

static void test_parts_in_any_order(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	(void)state;
	file_make(2 * PART + 1000, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	_cleanup_(json_freep) json_t *u = begun(x, id, &file);
	const char *upload = fx_text(u, "upload");
	assert_int_equal(json_integer_value(json_object_get(u, "parts")), 3);
	assert_int_equal(json_integer_value(json_object_get(u, "part_bytes")), MATERIAL_PART);
	assert_int_equal(put_part(x, upload, &file, 3), 1);
	assert_int_equal(put_part(x, upload, &file, 1), 2);
	/* The same part again is the same part. */
	assert_int_equal(put_part(x, upload, &file, 1), 2);
	fx_refused(x, UID_SUBSCRIBER, "material.finish", upload_params(x, upload), "parts_missing");
	/* As after a crash: what was answered is there, and begin says so. */
	fx_restart(x);
	_cleanup_(json_freep) json_t *again = begun(x, id, &file);
	assert_string_equal(fx_text(again, "upload"), upload);
	assert_int_equal(json_array_size(json_object_get(again, "have")), 2);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(again, "have"), 1)), 3);
	assert_int_equal(put_part(x, upload, &file, 2), 3);
	_cleanup_(json_freep) json_t *done = fx_do(x, UID_SUBSCRIBER, "material.finish", upload_params(x, upload));
	assert_string_equal(fx_text(done, "sha256"), file.sha256);
	assert_string_equal(fx_text(done, "type"), "pdf");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
	assert_non_null(strstr(fx_text(r, "tally"), file.sha256));
	assert_int_equal(stored_files(x), 1);
	downloaded(x, id, &file);
	/* Finished is finished. */
	fx_refused(x, UID_SUBSCRIBER, "material.part", part_params(x, upload, &file, 1), "upload_unknown");
	fx_refused(x, UID_SUBSCRIBER, "material.finish", upload_params(x, upload), "upload_unknown");
	_cleanup_(json_freep) json_t *there = begun(x, id, &file);
	assert_true(json_is_true(json_object_get(there, "done")));
}

static void test_lost_answers(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	(void)state;
	file_make(PART, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	_cleanup_(json_freep) json_t *u = begun(x, id, &file);
	const char *upload = fx_text(u, "upload");
	json_t *p = part_params(x, upload, &file, 1), *q = upload_params(x, upload);
	json_object_set_new(p, "call_id", json_string("part-one-of-it"));
	json_object_set_new(q, "call_id", json_string("the-finish-of-it"));
	_cleanup_(json_freep) json_t *again = json_deep_copy(p), *finish_again = json_deep_copy(q);
	_cleanup_(json_freep) json_t *first = fx_do(x, UID_SUBSCRIBER, "material.part", p);
	put_part(x, upload, &file, 2);
	_cleanup_(json_freep) json_t *done = fx_do(x, UID_SUBSCRIBER, "material.finish", q);
	fx_restart(x);
	_cleanup_(json_freep) json_t *second = fx_do(x, UID_SUBSCRIBER, "material.part", json_incref(again)),
				     *done_again =
					     fx_do(x, UID_SUBSCRIBER, "material.finish", json_incref(finish_again));
	assert_true(json_equal(first, second));
	assert_true(json_equal(done, done_again));
	assert_int_equal(stored_files(x), 1);
}

static void test_bad_parts(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file, other, longer;
	(void)state;
	file_make(PART + 1000, 'a', &file);
	file_make(PART + 1000, 'b', &other);
	file_make(2 * PART + 1000, 'a', &longer);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	_cleanup_(json_freep) json_t *u = begun(x, id, &file);
	const char *upload = fx_text(u, "upload");
	put_part(x, upload, &file, 1);
	fx_refused(x, UID_SUBSCRIBER, "material.part", part_params(x, upload, &other, 1), "part_differs");
	fx_refused(x, UID_SUBSCRIBER, "material.part", part_params(x, upload, &longer, 2), "part_size");
	fx_refused(x, UID_SUBSCRIBER, "material.part", part_params(x, upload, &longer, 3), "part_range");
	json_t *p = part_params(x, upload, &file, 2);
	json_object_set_new(p, "content", json_string("not base64!!"));
	fx_refused(x, UID_SUBSCRIBER, "material.part", p, "material_content");
	p = part_params(x, upload, &file, 2);
	json_object_set_new(p, "part", json_integer(0));
	fx_refused(x, UID_SUBSCRIBER, "material.part", p, "param_range");
	/* Nothing of these was kept. */
	assert_int_equal(stored_files(x), 1);
	/* Another end than the one that was said. */
	put_part(x, upload, &other, 2);
	fx_refused(x, UID_SUBSCRIBER, "material.finish", upload_params(x, upload), "material_hash");
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.abandon", upload_params(x, upload)));
	assert_int_equal(stored_files(x), 0);
	fx_refused(x, UID_SUBSCRIBER, "material.abandon", upload_params(x, upload), "upload_unknown");
}

static void test_bad_beginnings(void **state)
{
	static const struct {
		const char *key, *text;
		int64_t number;
		const char *rule;
	} cases[] = {
		{"bytes", NULL, MATERIAL_MAX + 1, "material_size"},
		{"bytes", NULL, 0, "param_range"},
		{"bytes", NULL, INT64_MAX, "param_range"},
		{"sha256", "zz", 0, "param_range"},
		{"sha256", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 0, "sha256_form"},
		{"name", "birth-certificate", 0, "material_unknown"},
		{"name", "../../../etc/shadow", 0, "material_unknown"},
		{"name", "'; DROP TABLE uploads; --", 0, "material_unknown"},
		{"name", "<img src=x onerror=alert(1)>", 0, "material_unknown"},
		{"request", "00000000000000000000000000000000", 0, "request_unknown"},
		{"waiver", "x", 0, "param_unknown"},
		{"case", "x", 0, "param_range"},
		{"session", "nobody's", 0, "session_unknown"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	(void)state;
	file_make(100, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = begin_params(x, id, &file);
		json_object_set_new(p, cases[i].key,
				    cases[i].text ? json_string(cases[i].text) : json_integer(cases[i].number));
		fx_refused(x, UID_SUBSCRIBER, "material.begin", p, cases[i].rule);
	}
	json_t *p = begin_params(x, id, &file);
	json_object_del(p, "request");
	fx_refused(x, UID_SUBSCRIBER, "material.begin", p, "owner_missing");
	p = begin_params(x, id, &file);
	json_object_del(p, "session");
	fx_refused(x, UID_SUBSCRIBER, "material.begin", p, "session_missing");
	p = begin_params(x, id, &file);
	fx_refused(x, UID_OFFICER, "material.begin", p, "method_denied");
	/* A proved request takes no more. */
	_cleanup_(freep) char *full = fx_change(x);
	fx_prove(x, full);
	fx_refused(x, UID_SUBSCRIBER, "material.begin", begin_params(x, full, &file), "request_state");
}

/* Another's upload is one that never was, by every road. */
static void test_uploads_of_others(void **state)
{
	static const char *const methods[] = {"material.part", "material.finish", "material.abandon"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	(void)state;
	file_make(100, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	_cleanup_(json_freep) json_t *u = begun(x, id, &file);
	const char *uploads[] = {fx_text(u, "upload"), "00000000000000000000000000000000"};
	for (size_t i = 0; i < 6; i++) {
		json_t *p = i < 2 ? part_params(x, uploads[i % 2], &file, 1) : upload_params(x, uploads[i % 2]);
		json_object_set_new(p, "session", json_string(x->other_session));
		fx_refused(x, UID_OTHER, methods[i / 2], p, "upload_unknown");
	}
	json_t *p = begin_params(x, id, &file);
	json_object_set_new(p, "session", json_string(x->other_session));
	fx_refused(x, UID_OTHER, "material.begin", p, "request_unknown");
	assert_int_equal(put_part(x, uploads[0], &file, 1), 1);
}

static void test_quotas(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file one_more;
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	for (char seed = 'a'; seed < 'a' + MATERIAL_OPEN_MAX; seed++) {
		_cleanup_(file_done) struct file file;
		file_make(100, seed, &file);
		json_decref(begun(x, id, &file));
	}
	file_make(100, 'z', &one_more);
	fx_refused(x, UID_SUBSCRIBER, "material.begin", begin_params(x, id, &one_more), "uploads_open");
	/* A day later nobody has gone on with them. */
	struct fault f = {0};
	assert_int_equal(material_sweep(x->desk, NOW + 25 * 3600, &f), OK);
	json_decref(begun(x, id, &one_more));
	x->desk->config.materials.free_mib = INT64_C(1) << 40;
	_cleanup_(file_done) struct file late;
	file_make(100, 'y', &late);
	fx_refused(x, UID_SUBSCRIBER, "material.begin", begin_params(x, id, &late), "disk_full");
	_cleanup_(json_freep) json_t *health = fx_do(x, UID_ADMIN, "desk.health", NULL);
	char *text = json_dumps(health, 0);
	assert_non_null(strstr(text, "disk_full"));
	free(text);
}

static void test_uploads_die(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	struct fault f = {0};
	(void)state;
	file_make(PART + 1, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	_cleanup_(json_freep) json_t *u = begun(x, id, &file);
	put_part(x, fx_text(u, "upload"), &file, 1);
	assert_int_equal(material_sweep(x->desk, NOW + 23 * 3600, &f), OK);
	assert_int_equal(stored_files(x), 1);
	assert_int_equal(material_sweep(x->desk, NOW + 25 * 3600, &f), OK);
	assert_int_equal(stored_files(x), 0);
	fx_refused(x, UID_SUBSCRIBER, "material.part", part_params(x, fx_text(u, "upload"), &file, 2),
		   "upload_unknown");
}

static void test_content_is_looked_at(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	uint8_t hash[32];
	(void)state;
	file_make(PART, 'a', &file);
	buf_str(&file.bytes, "<html>");
	sha256(file.bytes.data, file.bytes.len, hash);
	hex_lower(hash, 32, file.sha256);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	_cleanup_(json_freep) json_t *u = begun(x, id, &file);
	put_part(x, fx_text(u, "upload"), &file, 1);
	put_part(x, fx_text(u, "upload"), &file, 2);
	fx_refused(x, UID_SUBSCRIBER, "material.finish", upload_params(x, fx_text(u, "upload")), "material_hidden");
	assert_int_equal(stored_files(x), 2);
}

/* --- at rest --- */

static void test_files_are_sealed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	_cleanup_buf_ struct buf sealed = {0};
	struct fault f = {0};
	struct stat st;
	(void)state;
	file_make(1000, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	uploaded(x, id, &file);
	_cleanup_(freep) char *path = stored_file(x), *key = path_join(x->dir, "state/materials.key");
	assert_int_equal(file_read(path, 1u << 20, &sealed, &f), OK);
	assert_null(memmem(sealed.data, sealed.len, "%PDF", 4));
	assert_null(memmem(sealed.data, sealed.len, "aaaaaaaa", 8));
	assert_null(strstr(path, file.sha256));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fx_restart(x);
	downloaded(x, id, &file);
}

static void write_bytes(const char *path, const struct buf *b)
{
	struct fault f = {0};
	assert_int_equal(file_write(path, buf_slice(b), 0600, &f), OK);
}

static void test_tampered_files(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file, other;
	_cleanup_buf_ struct buf good = {0}, bad = {0};
	struct fault f = {0};
	(void)state;
	file_make(100000, 'a', &file);
	file_make(100000, 'b', &other);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	uploaded(x, id, &file);
	_cleanup_(freep) char *path = stored_file(x);
	assert_int_equal(file_read(path, 1u << 20, &good, &f), OK);
	/* A bit anywhere: magic, header, chunks, tags. */
	for (size_t at = 0; at < good.len; at += at < 64 ? 1 : 9973) {
		buf_clear(&bad);
		buf_add_slice(&bad, buf_slice(&good));
		bad.data[at] ^= 1;
		write_bytes(path, &bad);
		fx_refused(x, UID_OFFICER, "material.get", get_params(id, &file, 1, NULL), "material_damaged");
	}
	/* Cut short after a whole chunk, and something behind it. */
	buf_clear(&bad);
	buf_add(&bad, good.data, 17 + 24 + 65536 + 17);
	write_bytes(path, &bad);
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, &file, 1, NULL), "material_damaged");
	buf_clear(&bad);
	buf_add_slice(&bad, buf_slice(&good));
	buf_char(&bad, 0);
	write_bytes(path, &bad);
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, &file, 1, NULL), "material_damaged");
	unlink(path);
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, &file, 1, NULL), "material_damaged");
	/* It is said aloud, once, until it is right again. */
	_cleanup_(json_freep) json_t *health = fx_do(x, UID_ADMIN, "desk.health", NULL);
	char *text = json_dumps(health, 0);
	assert_non_null(strstr(text, "material_damaged"));
	free(text);
	assert_int_equal(audited(x, id, "material_damaged"), 1);
	write_bytes(path, &good);
	downloaded(x, id, &file);
	assert_int_equal(audited(x, id, "material_well"), 1);
	_cleanup_(json_freep) json_t *well = fx_do(x, UID_ADMIN, "desk.health", NULL);
	text = json_dumps(well, 0);
	assert_null(strstr(text, "material_damaged"));
	free(text);
}

/* Neither a row with another's key nor a file in another's place opens. */
static void test_swapped_files(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file, other;
	struct fault f = {0};
	struct db *db = NULL;
	(void)state;
	file_make(1000, 'a', &file);
	file_make(1000, 'b', &other);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	uploaded(x, id, &file);
	_cleanup_(freep) char *path = stored_file(x);
	_cleanup_buf_ struct buf first = {0};
	assert_int_equal(file_read(path, 1u << 20, &first, &f), OK);
	uploaded(x, id, &other);
	assert_int_equal(store_read(x->desk->store, &db, &f), OK);
	struct material m[2];
	size_t n = 0;
	assert_int_equal(store_materials(db, id, m, 2, &n, &f), OK);
	store_read_end(x->desk->store, db);
	char hex[65];
	hex_lower(m[0].sha256, 32, hex);
	const struct material *second = strcmp(hex, other.sha256) == 0 ? &m[0] : &m[1];
	_cleanup_(freep) char *folder = path_join(x->dir, "state/materials"),
			      *other_path = path_join(folder, second->file);
	_cleanup_buf_ struct buf second_bytes = {0};
	assert_int_equal(file_read(other_path, 1u << 20, &second_bytes, &f), OK);
	write_bytes(other_path, &first);
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, &other, 1, NULL), "material_damaged");
	write_bytes(other_path, &second_bytes);
	downloaded(x, id, &other);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_end(x->desk->store, db,
				   db_run(db, &f, "UPDATE materials SET key = ?1 WHERE sha256 = ?2", "bb",
					  slice_of(m[0].key, MATERIAL_KEY), slice_of(m[1].sha256, 32)),
				   &f),
			 OK);
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, second == &m[1] ? &other : &file, 1, NULL),
		   "material_damaged");
	downloaded(x, id, second == &m[1] ? &file : &other);
}

static enum err reopened(struct fx *x, struct fault *f)
{
	if (x->desk->vault)
		vault_close(x->desk->vault);
	x->desk->vault = NULL;
	return material_open(x->desk, f);
}

static void test_the_material_key(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	_cleanup_buf_ struct buf good = {0}, bad = {0};
	struct fault f = {0};
	(void)state;
	file_make(1000, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x), *path = path_join(x->dir, "state/materials.key");
	uploaded(x, id, &file);
	assert_int_equal(file_read(path, 1000, &good, &f), OK);
	buf_add_slice(&bad, buf_slice(&good));
	bad.data[bad.len - 2] = bad.data[bad.len - 2] == '0' ? '1' : '0';
	const struct {
		struct slice bytes;
		unsigned mode;
		const char *rule;
	} cases[] = {
		{buf_slice(&bad), 0600, "materials_key_other"},
		{slice_of(good.data, good.len - 3), 0600, "materials_key_form"},
		{slice_str("hufu-materials-key/v1 zz\n"), 0600, "materials_key_form"},
		{buf_slice(&good), 0644, "secret_file_mode"},
		{{0}, 0, "materials_key_missing"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unlink(path);
		if (cases[i].mode)
			assert_int_equal(file_write(path, cases[i].bytes, cases[i].mode, &f), OK);
		enum err e = reopened(x, &f);
		if (e != ERR_CONFIG || strcmp(f.rule, cases[i].rule) != 0)
			fail_msg("case %zu: found %s %s \"%s\", wanted %s", i, err_word(e), f.rule, f.text,
				 cases[i].rule);
		/* What was wrong left no key behind. */
		if (!x->desk->vault) {
			unlink(path);
			write_bytes(path, &good);
			assert_int_equal(material_open(x->desk, &f), OK);
		}
	}
	unlink(path);
	write_bytes(path, &good);
	assert_int_equal(reopened(x, &f), OK);
	downloaded(x, id, &file);
}

static void test_what_no_row_names_goes(void **state)
{
	static const char *const strays[] = {"state/materials/0123456789abcdef0123456789abcdef",
					     "state/materials/0123456789abcdef0123456789abcdef.1.0123456789abcdef",
					     "state/materials/0123456789abcdef0123456789abcdef.tmp-Xy12ab",
					     "state/materials/notes"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file, going;
	(void)state;
	file_make(1000, 'a', &file);
	file_make(PART + 1, 'b', &going);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	uploaded(x, id, &file);
	_cleanup_(json_freep) json_t *u = begun(x, id, &going);
	put_part(x, fx_text(u, "upload"), &going, 2);
	for (size_t i = 0; i < sizeof(strays) / sizeof(strays[0]); i++)
		fx_write(x, strays[i], "x");
	fx_restart(x);
	assert_int_equal(stored_files(x), 2);
	downloaded(x, id, &file);
	put_part(x, fx_text(u, "upload"), &going, 1);
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.finish", upload_params(x, fx_text(u, "upload"))));
	downloaded(x, id, &going);
}

/* As desks kept them before: in the clear, by hash. */
static void test_files_from_before_are_sealed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	struct fault f = {0};
	struct db *db = NULL;
	(void)state;
	file_make(1000, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	uploaded(x, id, &file);
	_cleanup_(freep) char *sealed = stored_file(x), *folder = path_join(x->dir, "state/materials"),
			      *plain = path_join(folder, file.sha256);
	unlink(sealed);
	write_bytes(plain, &file.bytes);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(
		store_end(x->desk->store, db, db_run(db, &f, "UPDATE materials SET file = '', key = NULL", ""), &f),
		OK);
	fx_restart(x);
	assert_int_equal(stored_files(x), 1);
	assert_int_not_equal(access(plain, F_OK), 0);
	downloaded(x, id, &file);
}

/* --- downloads and removal --- */

static void test_downloads_are_audited(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	(void)state;
	file_make(2 * PART, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	uploaded(x, id, &file);
	/* One row for each download, not for each part… */
	downloaded(x, id, &file);
	assert_int_equal(audited(x, id, "material_get"), 1);
	downloaded(x, id, &file);
	assert_int_equal(audited(x, id, "material_get"), 2);
	/* …and none is had by leaving the first part out, or by coming late. */
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.get", get_params(id, &file, 2, x->session)));
	assert_int_equal(audited(x, id, "material_get"), 3);
	clock_set(NOW + 601);
	json_decref(fx_do(x, UID_OFFICER, "material.get", get_params(id, &file, 2, NULL)));
	assert_int_equal(audited(x, id, "material_get"), 4);
	fx_refused(x, UID_OTHER, "material.get", get_params(id, &file, 1, x->other_session), "request_unknown");
	fx_refused(x, UID_SUBSCRIBER, "material.get", get_params(id, &file, 1, NULL), "session_missing");
	fx_refused(x, UID_ADMIN, "material.get", get_params(id, &file, 1, NULL), "method_denied");
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, &file, 4, NULL), "part_range");
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, &file, 41, NULL), "param_range");
	assert_int_equal(audited(x, id, "material_get"), 4);
}

static json_t *remove_params(struct fx *x, const char *request, const struct file *file)
{
	json_t *p = get_params(request, file, 1, x->session);
	json_object_del(p, "part");
	return p;
}

static void test_removing(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	(void)state;
	file_make(1000, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x);
	uploaded(x, id, &file);
	json_t *p = remove_params(x, id, &file);
	json_object_set_new(p, "session", json_string(x->other_session));
	fx_refused(x, UID_OTHER, "material.remove", p, "request_unknown");
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.remove", remove_params(x, id, &file)));
	assert_int_equal(stored_files(x), 0);
	assert_int_equal(audited(x, id, "material_removed"), 1);
	fx_refused(x, UID_SUBSCRIBER, "material.remove", remove_params(x, id, &file), "material_missing");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
	assert_null(strstr(fx_text(r, "tally"), file.sha256));
	_cleanup_(freep) char *full = fx_change(x);
	uploaded(x, full, &file);
	fx_prove(x, full);
	fx_refused(x, UID_SUBSCRIBER, "material.remove", remove_params(x, full, &file), "request_state");
	downloaded(x, full, &file);
}

/* --- retention --- */

static void swept(struct fx *x, int64_t now)
{
	struct fault f = {0};
	clock_set(now);
	assert_int_equal(material_sweep(x->desk, now, &f), OK);
}

#define YEAR (366 * DAY)

static void test_retention_without_a_certificate(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(file_done) struct file file;
	(void)state;
	file_make(1000, 'a', &file);
	fx_log_in(x);
	_cleanup_(freep) char *id = drafted(x), *open = drafted(x);
	uploaded(x, id, &file);
	uploaded(x, open, &file);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.withdraw",
			  json_pack("{s:s,s:s}", "session", x->session, "request", id)));
	swept(x, NOW + 4 * YEAR);
	assert_int_equal(stored_files(x), 2);
	swept(x, NOW + 5 * YEAR);
	assert_int_equal(stored_files(x), 1);
	/* File and key are gone; the record, with its hash, and who did it are there. */
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, &file, 1, NULL), "material_deleted");
	assert_int_equal(audited(x, id, "material_deleted"), 1);
	downloaded(x, open, &file);
	swept(x, NOW + 5 * YEAR + DAY);
	assert_int_equal(audited(x, id, "material_deleted"), 1);
}

static void test_retention_with_a_certificate(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct material m[TALLY_MAX_MATERIALS];
	struct fault f = {0};
	struct db *db = NULL;
	size_t n = 0;
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	x->desk->config.materials.unissued_years = 1;
	fx_prove(x, id);
	fx_submit(x, id);
	fx_approve(x, id, "alice");
	fx_approve(x, id, "bob");
	fx_hand_over(x);
	fx_follow(x);
	fx_state(x, id, "issued");
	/* Behind the certificate's end, which is later than the request's. */
	swept(x, NOW + 5 * YEAR);
	assert_int_equal(stored_files(x), 5);
	swept(x, NOW + 20 * YEAR);
	assert_int_equal(stored_files(x), 0);
	assert_int_equal(store_read(x->desk->store, &db, &f), OK);
	assert_int_equal(store_materials(db, id, m, TALLY_MAX_MATERIALS, &n, &f), OK);
	store_read_end(x->desk->store, db);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++)
		assert_true(m[i].deleted == NOW + 20 * YEAR && !m[i].sealed && m[i].file[0] == '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_in_any_order),
		cmocka_unit_test(test_lost_answers),
		cmocka_unit_test(test_bad_parts),
		cmocka_unit_test(test_bad_beginnings),
		cmocka_unit_test(test_uploads_of_others),
		cmocka_unit_test(test_quotas),
		cmocka_unit_test(test_uploads_die),
		cmocka_unit_test(test_content_is_looked_at),
		cmocka_unit_test(test_files_are_sealed),
		cmocka_unit_test(test_tampered_files),
		cmocka_unit_test(test_swapped_files),
		cmocka_unit_test(test_the_material_key),
		cmocka_unit_test(test_what_no_row_names_goes),
		cmocka_unit_test(test_files_from_before_are_sealed),
		cmocka_unit_test(test_downloads_are_audited),
		cmocka_unit_test(test_removing),
		cmocka_unit_test(test_retention_without_a_certificate),
		cmocka_unit_test(test_retention_with_a_certificate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

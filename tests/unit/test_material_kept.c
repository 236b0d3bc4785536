/*
 * Materials at rest: sealed under a key of their own, found out when they are changed or swapped, thrown away when no row
 * names them, and kept as long as the law of the project wants, no longer.
 */
#include "upload_kit.h"

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
		cmocka_unit_test(test_files_are_sealed),
		cmocka_unit_test(test_tampered_files),
		cmocka_unit_test(test_swapped_files),
		cmocka_unit_test(test_the_material_key),
		cmocka_unit_test(test_what_no_row_names_goes),
		cmocka_unit_test(test_files_from_before_are_sealed),
		cmocka_unit_test(test_retention_without_a_certificate),
		cmocka_unit_test(test_retention_with_a_certificate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

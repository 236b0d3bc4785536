/*
 * Materials: uploads in parts and what can go wrong in them, downloads, removal. Next: test_material_kept.c.
 */
#include "upload_kit.h"

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
		cmocka_unit_test(test_downloads_are_audited),
		cmocka_unit_test(test_removing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

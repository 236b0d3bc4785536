/*
 * A forgotten identifier: the licence is a material of its case, however it comes.
 */
#include "material_kit.h"
#include "ra_fixture.h"

#include "ra/account_case.h"
#include "ra/material.h"
#include "ra/sealed.h"

#include "common/base/file.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#define NEXT_MOBILE "13700000007"
#define HOSTILE "'; DROP TABLE accounts; --<script>alert(1)</script>"

static json_t *with(json_t *params, const char *key, const char *value)
{
	json_object_set_new(params, key, json_string(value));
	return params;
}

static json_t *decide(const char *id, const char *decision)
{
	return json_pack("{s:s,s:s,s:s}", "case", id, "decision", decision, "answer", "licence seen, called back");
}

/* A case that is no licence's. Gives its id: free(). */
static char *agent_case(struct fx *x)
{
	char code[7];
	json_decref(fx_do(x, UID_SUBSCRIBER, "account.sms",
			  json_pack("{s:s,s:s,s:s}", "session", x->session, "purpose", "new", "mobile", NEXT_MOBILE)));
	fx_sms_code(x, NEXT_MOBILE, code);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.agent",
						json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "session", x->session, "agent",
							  "李四", "mobile", NEXT_MOBILE, "way", "officer", "new_code",
							  code, "text", "the number of before is lost"));
	return xstrdup(fx_text(r, "case"));
}

static json_t *licence(struct slice bytes)
{
	_cleanup_buf_ struct buf text = {0};
	buf_base64(&text, bytes.p, bytes.n);
	return json_pack("{s:s,s:s,s:s,s:s}", "organisation", HOSTILE, "agent", "赵六", "mobile", NEXT_MOBILE,
			 "content", buf_text(&text));
}

static json_t *put_params(const char *id, struct slice bytes)
{
	_cleanup_buf_ struct buf text = {0};
	buf_base64(&text, bytes.p, bytes.n);
	return json_pack("{s:s,s:s,s:s}", "case", id, "name", "business-licence", "content", buf_text(&text));
}

static json_t *get_params(const char *id, const char *hash)
{
	return json_pack("{s:s,s:s,s:s}", "case", id, "name", "business-licence", "sha256", hash);
}

static void same_file(struct fx *x, const char *id, const char *hash, struct slice wanted)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "material.get", get_params(id, hash));
	_cleanup_buf_ struct buf shown = {0};
	assert_true(base64_decode(fx_text(r, "content"), strlen(fx_text(r, "content")), &shown));
	assert_int_equal(shown.len, wanted.n);
	assert_memory_equal(shown.data, wanted.p, wanted.n);
}

static size_t files_in(const struct fx *x)
{
	size_t n = 0;
	DIR *dir = opendir(x->desk->materials);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* The officer opens it: it is looked into like a request's papers, and what was refused leaves nothing. */
static void test_licence_is_looked_into(void **state)
{
	static const struct {
		const char *body, *after, *rule;
	} bad[] = {{"4 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj", "", "material_active"},
		   {"% <script>alert(1)</script>", "", "material_hidden"},
		   {"", "MZ and a program", "material_hidden"}};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_buf_ struct buf pdf = {0};
		kit_pdf(bad[i].body, &pdf);
		buf_str(&pdf, bad[i].after);
		fx_refused(x, UID_SUBSCRIBER, "account.licence", licence(buf_slice(&pdf)), bad[i].rule);
	}
	fx_refused(x, UID_SUBSCRIBER, "account.licence", licence(slice_str("MZ this is a program")), "material_type");
	fx_refused(x, UID_SUBSCRIBER, "account.licence", licence(slice_str("%PDF-1.4 and no more")), "material_form");
	_cleanup_buf_ struct buf large = {0};
	kit_pdf("", &large);
	while (large.len <= MATERIAL_PART)
		buf_char(&large, ' ');
	fx_refused(x, UID_SUBSCRIBER, "account.licence", licence(buf_slice(&large)), "material_size");
	_cleanup_(json_freep) json_t *open = fx_do(x, UID_OFFICER, "account.cases", NULL);
	assert_int_equal(json_integer_value(json_object_get(open, "total")), 0);
}

static void test_forgotten_identifier(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf made = {0};
	(void)state;
	kit_pdf("% the licence of somebody", &made);
	struct slice pdf = buf_slice(&made);
	fx_refused(x, UID_SUBSCRIBER, "account.licence", with(licence(pdf), "content", "no base64!"),
		   "material_content");
	fx_refused(x, UID_SUBSCRIBER, "account.licence", with(licence(pdf), "mobile", "1300000000"), "mobile_form");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "account.licence", with(licence(pdf), "call_id", "licence-1"));
	_cleanup_(json_freep) json_t *same =
		fx_do(x, UID_SUBSCRIBER, "account.licence", with(licence(pdf), "call_id", "licence-1"));
	assert_true(json_equal(r, same));
	assert_string_equal(fx_text(r, "zh"), "服务台会与您联系");
	/* It is there once; test_material says how it lies. */
	assert_int_equal(fx_number(x, "SELECT count(*) FROM materials WHERE kind = 'case'"), 1);
	assert_int_equal(files_in(x), 1);
	/* Officers alone see it. */
	fx_refused(x, UID_SUBSCRIBER, "account.case", json_pack("{s:s}", "case", fx_text(r, "case")), "method_denied");
	fx_refused(x, UID_OFFICER, "account.case", json_pack("{s:s}", "case", "0123456789abcdef0123456789abcdef"),
		   "case_unknown");
	_cleanup_(json_freep) json_t *k =
		fx_do(x, UID_OFFICER, "account.case", json_pack("{s:s}", "case", fx_text(r, "case")));
	json_t *file = json_array_get(json_object_get(k, "materials"), 0);
	assert_int_equal(json_array_size(json_object_get(k, "materials")), 1);
	assert_string_equal(fx_text(file, "type"), "pdf");
	same_file(x, fx_text(r, "case"), fx_text(file, "sha256"), pdf);
	assert_int_equal(fx_number(x, "SELECT count(*) FROM audit WHERE what = 'material_get'"), 1);
	/* It is handed out to no subscriber, though whoever handed it in knows the case. */
	fx_refused(x, UID_SUBSCRIBER, "material.get", get_params(fx_text(r, "case"), fx_text(file, "sha256")),
		   "case_unknown");
	assert_string_equal(fx_text(k, "organisation"), HOSTILE);
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(fx_text(r, "case"), "accept")));
	_cleanup_(json_freep) json_t *open = fx_do(x, UID_OFFICER, "account.cases", NULL);
	assert_int_equal(json_integer_value(json_object_get(open, "total")), 0);
	/* Ten a day from an address. */
	for (int i = 0; i < 9; i++)
		json_decref(fx_do(x, UID_SUBSCRIBER, "account.licence", licence(pdf)));
	fx_refused(x, UID_SUBSCRIBER, "account.licence", licence(pdf), "cases_limit");
	/* What was refused leaves no file. */
	assert_int_equal(files_in(x), 10);
}

static json_t *begin_params(const char *id, struct slice bytes)
{
	uint8_t hash[32];
	char hex[65];
	sha256(bytes.p, bytes.n, hash);
	hex_lower(hash, 32, hex);
	return json_pack("{s:s,s:s,s:s,s:I}", "case", id, "name", "business-licence", "sha256", hex, "bytes",
			 (json_int_t)bytes.n);
}

/* Too large for one call: the case first, then the file by the case's id, which nobody else knows. */
static void test_licence_in_parts(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf made = {0};
	(void)state;
	fx_log_in(x);
	kit_pdf("% the licence of somebody, scanned large", &made);
	struct slice pdf = buf_slice(&made);
	json_t *bare = licence(pdf);
	json_object_del(bare, "content");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "account.licence", bare);
	const char *id = fx_text(r, "case");
	_cleanup_(json_freep) json_t *going = fx_do(x, UID_SUBSCRIBER, "material.begin", begin_params(id, pdf));
	_cleanup_buf_ struct buf text = {0};
	buf_base64(&text, pdf.p, pdf.n);
	const char *upload = fx_text(going, "upload");
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.part",
			  json_pack("{s:s,s:i,s:s}", "upload", upload, "part", 1, "content", buf_text(&text))));
	_cleanup_(json_freep) json_t *file =
		fx_do(x, UID_SUBSCRIBER, "material.finish", json_pack("{s:s}", "upload", upload));
	same_file(x, id, fx_text(file, "sha256"), pdf);
	/* Other names, unknown cases, those that are no licence's, a fifth file, and a case that is over. */
	fx_refused(x, UID_SUBSCRIBER, "material.begin", with(begin_params(id, pdf), "name", "risk-notice"),
		   "material_unknown");
	fx_refused(x, UID_SUBSCRIBER, "material.begin", begin_params("0123456789abcdef0123456789abcdef", pdf),
		   "case_unknown");
	fx_refused(x, UID_SUBSCRIBER, "material.begin", with(begin_params(id, pdf), "request", "12345678"),
		   "owner_missing");
	_cleanup_(freep) char *agent = agent_case(x);
	fx_refused(x, UID_SUBSCRIBER, "material.begin", begin_params(agent, pdf), "case_unknown");
	fx_refused(x, UID_OFFICER, "material.get", get_params(agent, fx_text(file, "sha256")), "case_unknown");
	for (int i = 0; i < 3; i++) {
		buf_char(&made, '\n');
		json_decref(fx_do(x, UID_SUBSCRIBER, "material.put", put_params(id, buf_slice(&made))));
	}
	buf_char(&made, '\n');
	fx_refused(x, UID_SUBSCRIBER, "material.put", put_params(id, buf_slice(&made)), "materials");
	json_decref(fx_do(x, UID_OFFICER, "account.decide", decide(id, "accept")));
	fx_refused(x, UID_SUBSCRIBER, "material.begin", begin_params(id, buf_slice(&made)), "case_done");
	/* From the decision its years run. */
	assert_int_equal(fx_number(x, "SELECT count(*) FROM materials WHERE kind = 'case' AND closed IS NULL"), 0);
	assert_int_equal(files_in(x), 4);
	struct fault f = {0};
	clock_set(time_add_months(NOW, 12 * 200));
	assert_int_equal(material_sweep(x->desk, clock_now(), &f), OK);
	assert_int_equal(files_in(x), 0);
	fx_refused(x, UID_OFFICER, "material.get", get_params(id, fx_text(file, "sha256")), "material_deleted");
}

/* A desk of before kept the file sealed beside the case: it becomes a material when the desk starts. */
static void test_licence_of_before(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf made = {0}, sealed = {0};
	struct db *db = NULL;
	struct fault f = {0};
	(void)state;
	struct account_case k = {.kind = "identifier", .file_type = "pdf", .address = "uid:1001", .made = NOW},
			    lost = {.kind = "identifier", .file_type = "pdf", .address = "uid:1001", .made = NOW};
	memcpy(k.id, "00112233445566778899aabbccddeeff", sizeof(k.id));
	memcpy(lost.id, "ff112233445566778899aabbccddeeff", sizeof(lost.id));
	kit_pdf("% kept as before", &made);
	sealed_put(x->desk, buf_slice(&made), &sealed);
	_cleanup_(freep) char *folder = path_join(x->dir, "state/cases"), *path = path_join(folder, k.id);
	assert_int_equal(dir_make(folder, 0700, &f), OK);
	assert_int_equal(file_write(path, buf_slice(&sealed), 0600, &f), OK);
	assert_int_equal(store_begin(x->desk->store, &db, &f), OK);
	assert_int_equal(store_case_add(db, &k, &f), OK);
	assert_int_equal(store_case_add(db, &lost, &f), OK);
	assert_int_equal(store_end(x->desk->store, db, OK, &f), OK);
	for (int i = 0; i < 2; i++) {
		fx_restart(x);
		_cleanup_(json_freep) json_t *shown =
			fx_do(x, UID_OFFICER, "account.case", json_pack("{s:s}", "case", k.id));
		json_t *file = json_array_get(json_object_get(shown, "materials"), 0);
		same_file(x, k.id, fx_text(file, "sha256"), buf_slice(&made));
		assert_int_not_equal(access(path, F_OK), 0);
		assert_int_equal(fx_number(x, "SELECT count(*) FROM account_cases WHERE file_type <> ''"), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_licence_is_looked_into),
		cmocka_unit_test(test_licence_in_parts),
		cmocka_unit_test(test_licence_of_before),
		cmocka_unit_test(test_forgotten_identifier),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

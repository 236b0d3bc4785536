/*
 * What people read around a request: forms and notices to print, ways to choose, history in words.
 */
#include "ra_fixture.h"

#include "ra/form.h"

#include <string.h>

static json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

static json_t *form_params(const char *form, const char *request, const char *format)
{
	json_t *p = json_pack("{s:s,s:s}", "form", form, "request", request);
	if (format)
		json_object_set_new(p, "format", json_string(format));
	return p;
}

static json_t *form(struct fx *x, const char *name, const char *request, const char *format)
{
	return fx_do(x, UID_OFFICER, "form.get", form_params(name, request, format));
}

static void test_escape(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	(void)state;
	form_escape("<a href='x' title=\"y\">&é田|~\x7f", &b);
	assert_string_equal(buf_text(&b), "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;é田|~\x7f");
}

/* A page of its own: nothing loaded, nothing run, nothing of the request that is markup. */
static void test_forms(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	json_t *p = fx_change_params(x);
	json_object_set_new(
		p, "subject",
		json_pack("[{s:s,s:s}]", "attribute", "O", "value", "杭州<script>alert(1)</script>{serial}"));
	_cleanup_(json_freep) json_t *draft = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	const char *id = fx_text(draft, "request"), *number = fx_text(draft, "number");
	_cleanup_(json_freep) json_t *page = form(x, "registration-form", id, NULL),
				     *text = form(x, "registration-form", number, "text");
	const char *html = fx_text(page, "content");
	static const char *const wanted[] = {
		ORG_CODE,	  "杭州田谷",	"张三",		  ORG_SERIAL, "金华市公共资源交易中心",
		"名称或代码变更", "2026-11-23", "&lt;script&gt;", "{serial}"};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_non_null(strstr(html, wanted[i]));
	assert_non_null(strstr(html, number));
	static const char *const unwanted[] = {"<script", "http://", "https://", "src=", "href=", "url("};
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		assert_null(strstr(html, unwanted[i]));
	assert_non_null(strstr(fx_text(text, "content"), "<script>alert(1)</script>"));
	/* Whose it is, it opens for; for others it is not there. */
	json_t *own = form_params("registration-form", id, NULL);
	json_object_set_new(own, "session", json_string(x->session));
	json_decref(fx_do(x, UID_SUBSCRIBER, "form.get", own));
	json_t *other = form_params("registration-form", id, NULL);
	json_object_set_new(other, "session", json_string(x->other_session));
	fx_refused(x, UID_OTHER, "form.get", other, "request_unknown");
	fx_refused(x, UID_SUBSCRIBER, "form.get", form_params("registration-form", id, NULL), "session_missing");
	fx_refused(x, UID_OFFICER, "form.get", form_params("../profiles/organisation", id, NULL), "form_unknown");
}

/* Word for word, with its hash as in the tally. */
static void test_notice(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	_cleanup_(json_freep) json_t *text = form(x, "risk-2026-11", id, "text"),
				     *page = form(x, "risk-2026-11", id, "html"),
				     *r = fx_do(x, UID_SUBSCRIBER, "request.show", of(x, id)),
				     *list = fx_do(x, UID_OTHER, "form.list", NULL);
	_cleanup_buf_ struct buf file = {0};
	struct fault f = {0};
	assert_int_equal(file_read(POLICIES_DIR "/notices/risk-2026-11.txt", 65536, &file, &f), OK);
	assert_non_null(strstr(fx_text(text, "content"), buf_text(&file)));
	assert_non_null(strstr(fx_text(page, "content"), fx_text(r, "number")));
	assert_non_null(strstr(fx_text(r, "tally"), fx_text(page, "sha256")));
	assert_int_equal(json_array_size(json_object_get(list, "forms")), 3);
}

static json_t *way(json_t *ways, const char *kind, const char *name)
{
	json_t *v;
	size_t i;
	json_array_foreach(json_object_get(ways, "ways"), i, v)
	{
		if (strcmp(fx_text(v, "kind"), kind) == 0 && strcmp(fx_text(v, "way"), name) == 0)
			return v;
	}
	fail_msg("no way %s %s", kind, name);
	return NULL;
}

static json_t *ways(struct fx *x, const char *serial)
{
	return fx_do(x, UID_SUBSCRIBER, "request.ways",
		     json_pack("{s:s,s:s}", "session", x->session, "serial", serial));
}

static void test_ways(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *all = ways(x, ORG_SERIAL);
	/* The three ways of the guide's change. */
	json_t *name = way(all, "change", "name-or-code"), *person = way(all, "change", "legal-representative"),
	       *anew = way(all, "enrol", "new-certificate");
	assert_int_equal(json_array_size(json_object_get(name, "materials")), 5);
	assert_int_equal(json_integer_value(json_object_get(name, "officers")), 2);
	assert_string_equal(fx_text(name, "makes"), "certificate");
	assert_string_equal(fx_text(name, "notice"), "risk-2026-11");
	assert_string_equal(fx_text(name, "key"), "either");
	assert_string_equal(fx_text(person, "makes"), "record");
	assert_int_equal(json_array_size(json_array_get(json_object_get(person, "materials"), 0)), 2);
	assert_true(json_is_true(json_object_get(anew, "recommended")));
	assert_true(json_is_true(json_object_get(anew, "linked_account")));
	assert_true(fx_text(json_object_get(anew, "files"), "zh")[0]);
	assert_true(json_is_true(json_object_get(way(all, "extend", "same-key"), "possible")));
	assert_string_equal(fx_text(way(all, "reissue", "lost"), "key"), "new");
	/* Not of others; revoked, and why. */
	fx_refused(x, UID_OTHER, "request.ways",
		   json_pack("{s:s,s:s}", "session", x->other_session, "serial", ORG_SERIAL), "certificate_unknown");
	fx_append_revoked(x, &x->org, false, 1, NOW);
	fx_follow(x);
	_cleanup_(json_freep) json_t *dead = ways(x, ORG_SERIAL);
	json_t *no = way(dead, "change", "name-or-code");
	assert_true(json_is_false(json_object_get(no, "possible")));
	assert_string_equal(fx_text(json_object_get(no, "why"), "rule"), "predecessor_revoked");
	assert_string_equal(fx_text(json_object_get(no, "why"), "zh"), "证书已吊销");
	assert_true(json_is_true(json_object_get(way(dead, "enrol", "new-certificate"), "possible")));
}

/* A change that waits for officers. Gives: free(). */
static char *handed_in(struct fx *x)
{
	fx_log_in(x);
	char *id = fx_change(x);
	fx_prove(x, id);
	fx_submit(x, id);
	return id;
}

/* The last line of the history that an officer reads. */
static void last_line(struct fx *x, const char *id, const char *zh, const char *en)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
	json_t *history = json_object_get(r, "history"), *v = json_array_get(history, json_array_size(history) - 1);
	assert_string_equal(fx_text(v, "zh"), zh);
	assert_string_equal(fx_text(v, "en"), en);
}

/* A correction names its items by their titles; what an officer wrote stays as written, also where it looks like an item. */
static void test_correction_in_words(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(freep) char *id = handed_in(x);
	json_decref(fx_do(x, UID_OFFICER, "review.correct",
			  json_pack("{s:s,s:[{s:s,s:s},{s:s,s:s}]}", "request", id, "items", "item", "business-licence",
				    "reason", "模糊; 见第2页: 印章; ", "item", "O", "reason", "%s: no")));
	last_line(x, id, "审核员要求补正：营业执照：模糊; 见第2页：印章; ; 单位名称：%s: no。",
		  "An officer asked for corrections: business licence: 模糊; 见第2页: 印章; ; organisation: %s: no.");
}

static void test_history_in_words(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	_cleanup_(freep) char *id = handed_in(x);
	json_decref(fx_do(x, UID_OFFICER, "review.reject",
			  json_pack("{s:s,s:s}", "request", id, "reason", "照片<b>不清楚")));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.show", of(x, id));
	json_t *history = json_object_get(r, "history"), *v;
	size_t i;
	json_array_foreach(history, i, v) assert_true(fx_text(v, "zh")[0] && fx_text(v, "en")[0]);
	v = json_array_get(history, json_array_size(history) - 1);
	assert_string_equal(fx_text(v, "zh"), "审核员审核未通过：照片<b>不清楚。");
	assert_string_equal(fx_text(v, "en"), "An officer rejected it: 照片<b>不清楚.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),		 cmocka_unit_test(test_forms),
		cmocka_unit_test(test_notice),		 cmocka_unit_test(test_ways),
		cmocka_unit_test(test_history_in_words), cmocka_unit_test(test_correction_in_words),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

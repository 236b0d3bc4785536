/*
 * The inventory of tokens: entering, moving, finding, whose they are, and their PUKs.
 */
#include "ra_fixture.h"

#include "ra/token.h"
#include "token_kit.h"

#define T1 "7F3A00112233CDEF"
#define T2 "7F3A00112233CDF0"

static json_t *of(const char *token)
{
	return json_pack("{s:s}", "token", token);
}

static json_t *move_to(const char *token, const char *to)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "token", token, "to", to, "why", "as the test wants it", "officer",
			 "alice");
}

static void add(struct fx *x, const char *token)
{
	json_decref(fx_do(x, UID_OFFICER, "token.add",
			  json_pack("{s:s,s:s,s:s}", "token", token, "model", "ePass3003", "label", "blue")));
}

/* In use by the first organisation, with its certificate. */
static void add_in_use(struct fx *x, const char *token)
{
	json_decref(fx_do(x, UID_OFFICER, "token.add",
			  json_pack("{s:s,s:s,s:s,s:s}", "token", token, "state", "in_use", "identifier", ORG_CODE,
				    "certificate", ORG_SERIAL)));
}

static json_t *with(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
	return o;
}

static void state_is(struct fx *x, const char *token, const char *wanted)
{
	_cleanup_(json_freep) json_t *t = fx_do(x, UID_OFFICER, "token.show", of(token));
	assert_string_equal(fx_text(t, "state"), wanted);
}

/* --- the table --- */

static void test_words(void **state)
{
	(void)state;
	for (size_t i = TOKEN_STOCK; i < TOKEN_STATE_N; i++)
		assert_int_equal(token_state_from_word(token_state_word((enum token_state)i)), i);
	assert_int_equal(token_state_from_word("elsewhere"), TOKEN_NONE);
	assert_int_equal(token_state_from_word(""), TOKEN_NONE);
}

static void test_table(void **state)
{
	static const char table[TOKEN_STATE_N][TOKEN_STATE_N + 1] = {
		/* after: - S P H U L D R X */
		[TOKEN_NONE] = "---------",    [TOKEN_STOCK] = "--P--LD-X",    [TOKEN_PREPARED] = "-S-HULD--",
		[TOKEN_SHIPPED] = "----ULDR-", [TOKEN_IN_USE] = "-----LDR-",   [TOKEN_LOST] = "----U--RX",
		[TOKEN_DAMAGED] = "-----L-RX", [TOKEN_RETURNED] = "-SP--LD-X", [TOKEN_SCRAPPED] = "---------",
	};
	(void)state;
	for (size_t a = 0; a < TOKEN_STATE_N; a++) {
		for (size_t b = 0; b < TOKEN_STATE_N; b++)
			assert_int_equal(token_may((enum token_state)a, (enum token_state)b), table[a][b] != '-');
	}
}

/* A whole life, step by step; then what the table does not have. */
static void test_life(void **state)
{
	static const char *const steps[] = {"prepared", "shipped", "in_use",   "lost",	 "in_use",   "damaged",
					    "returned", "stock",   "prepared", "in_use", "returned", "scrapped"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	add(x, T1);
	fx_refused(x, UID_OFFICER, "token.move", move_to(T1, "in_use"), "token_state");
	fx_refused(x, UID_OFFICER, "token.move", move_to(T1, "prepared"), "token_holder");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		json_t *p = move_to(T1, steps[i]);
		if (strcmp(steps[i], "prepared") == 0)
			json_object_set_new(p, "identifier", json_string(ORG_CODE));
		json_decref(fx_do(x, UID_OFFICER, "token.move", p));
		state_is(x, T1, steps[i]);
	}
	fx_refused(x, UID_OFFICER, "token.move", move_to(T1, "stock"), "token_state");
	_cleanup_(json_freep) json_t *t = fx_do(x, UID_OFFICER, "token.show", of(T1));
	json_t *h = json_object_get(t, "history"), *last = json_array_get(h, json_array_size(h) - 1);
	assert_int_equal(json_array_size(h), 1 + sizeof(steps) / sizeof(steps[0]));
	assert_string_equal(fx_text(last, "who"), "alice");
	assert_string_equal(fx_text(last, "why"), "as the test wants it");
	assert_string_equal(fx_text(last, "from"), "returned");
	assert_string_equal(fx_text(last, "zh"), "报废");
	assert_int_equal(json_array_size(json_object_get(t, "may_become")), 0);
}

static void test_holder_stays(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	add(x, T1);
	json_decref(fx_do(x, UID_OFFICER, "token.move",
			  with(move_to(T1, "prepared"), "identifier", json_string(ORG_CODE))));
	fx_refused(x, UID_OFFICER, "token.move", with(move_to(T1, "shipped"), "identifier", json_string(OTHER_CODE)),
		   "token_holder");
	fx_refused(x, UID_OFFICER, "token.move", with(move_to(T1, "in_use"), "certificate", json_string(OTHER_SERIAL)),
		   "certificate_unknown");
	state_is(x, T1, "prepared");
	json_decref(fx_do(x, UID_OFFICER, "token.move",
			  with(move_to(T1, "in_use"), "certificate", json_string(ORG_SERIAL))));
	_cleanup_(json_freep) json_t *t = fx_do(x, UID_OFFICER, "token.show", of(T1));
	assert_string_equal(fx_text(t, "certificate"), ORG_SERIAL);
	assert_string_equal(fx_text(json_object_get(t, "holder"), "identifier"), ORG_CODE);
}

/* Whose certificate is good does not go back to stock with the key. */
static void test_live_certificate(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	add_in_use(x, T1);
	json_decref(fx_do(x, UID_OFFICER, "token.move", move_to(T1, "returned")));
	fx_refused(x, UID_OFFICER, "token.move", move_to(T1, "stock"), "token_certificate_live");
	fx_append_revoked(x, &x->org, false, 4, NOW);
	fx_follow(x);
	json_decref(fx_do(x, UID_OFFICER, "token.move", move_to(T1, "stock")));
	_cleanup_(json_freep) json_t *t = fx_do(x, UID_OFFICER, "token.show", of(T1));
	assert_true(json_is_null(json_object_get(t, "certificate")));
	assert_true(json_is_null(json_object_get(t, "holder")));
}

/* --- entering --- */

static void test_add_refused(void **state)
{
	static const struct {
		const char *rule, *params;
	} cases[] = {
		{"token_there", "{\"token\":\"" T1 "\"}"},
		{"token_serial", "{\"token\":\" 1\"}"},
		{"token_serial", "{\"token\":\"钥匙\"}"},
		{"param_characters", "{\"token\":\"a\\u0007b\"}"},
		{"param_characters", "{\"token\":\"" T2 "\",\"label\":\"\\u202e\"}"},
		{"param_range", "{\"token\":\"123456789012345678901234567890123\"}"},
		{"param_word", "{\"token\":\"" T2 "\",\"state\":\"shipped\"}"},
		{"token_holder", "{\"token\":\"" T2 "\",\"state\":\"in_use\"}"},
		{"token_holder", "{\"token\":\"" T2 "\",\"identifier\":\"" ORG_CODE "\"}"},
		{"token_holder", "{\"token\":\"" T2 "\",\"certificate\":\"" ORG_SERIAL "\"}"},
		{"account_unknown", "{\"token\":\"" T2 "\",\"state\":\"in_use\",\"identifier\":\"" NEW_CODE "\"}"},
		{"certificate_unknown", "{\"token\":\"" T2 "\",\"state\":\"in_use\",\"identifier\":\"" ORG_CODE
					"\",\"certificate\":\"" OTHER_SERIAL "\"}"},
		{"token_certificate_taken", "{\"token\":\"" T2 "\",\"state\":\"in_use\",\"identifier\":\"" ORG_CODE
					    "\",\"certificate\":\"" ORG_SERIAL "\"}"},
		{"signer_unknown", "{\"token\":\"" T2 "\",\"keeper\":\"mallory\"}"},
		{"token_key_missing", "{\"token\":\"" T2 "\",\"puk\":\"AAAA\"}"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	add_in_use(x, T1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_OFFICER, "token.add", json_loads(cases[i].params, 0, NULL), cases[i].rule);
	fx_refused(x, UID_OFFICER, "token.show", of(T2), "token_unlisted");
	json_decref(fx_do(x, UID_OFFICER, "token.add", json_pack("{s:s,s:s}", "token", T2, "keeper", "bob")));
}

static void test_puk(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(token_kit_done) struct token_kit desk = {0}, other = {0};
	(void)state;
	token_kit_begin(x, &desk);
	token_kit_make(&other);
	_cleanup_(freep) char *first = token_kit_puk(desk.key, T1, "11111111"),
			      *next = token_kit_puk(desk.key, T1, "22222222"),
			      *strange = token_kit_puk(other.key, T1, "33333333");
	json_t *p = json_pack("{s:s,s:s}", "token", T1, "puk", strange);
	fx_refused(x, UID_OFFICER, "token.add", p, "puk_sealed");
	fx_refused(x, UID_OFFICER, "token.add", json_pack("{s:s,s:s}", "token", T1, "puk", "!"), "puk_sealed");
	json_decref(fx_do(x, UID_OFFICER, "token.add", json_pack("{s:s,s:s}", "token", T1, "puk", first)));
	fx_refused(x, UID_OFFICER, "token.puk", json_pack("{s:s,s:s}", "token", T1, "step", "set"), "puk_next_missing");
	fx_refused(x, UID_OFFICER, "token.puk", json_pack("{s:s,s:s}", "token", T1, "step", "next"), "puk_sealed");
	fx_refused(x, UID_OFFICER, "token.puk", json_pack("{s:s,s:s,s:s}", "token", T1, "step", "next", "puk", strange),
		   "puk_sealed");
	json_decref(fx_do(x, UID_OFFICER, "token.puk",
			  json_pack("{s:s,s:s,s:s}", "token", T1, "step", "next", "puk", next)));
	/* Both are kept until it is said which one is on the token. */
	_cleanup_(json_freep) json_t *between = fx_do(x, UID_OFFICER, "token.show", of(T1));
	_cleanup_(freep) char *old = token_kit_open(&desk, T1, fx_text(between, "puk")),
			      *coming = token_kit_open(&desk, T1, fx_text(between, "puk_next"));
	assert_string_equal(old, "11111111");
	assert_string_equal(coming, "22222222");
	json_decref(fx_do(x, UID_OFFICER, "token.puk", json_pack("{s:s,s:s}", "token", T1, "step", "set")));
	_cleanup_(json_freep) json_t *after = fx_do(x, UID_OFFICER, "token.show", of(T1));
	_cleanup_(freep) char *now = token_kit_open(&desk, T1, fx_text(after, "puk"));
	assert_string_equal(now, "22222222");
	assert_true(json_is_null(json_object_get(after, "puk_next")));
}

/* --- finding --- */

static size_t count(struct fx *x, json_t *params, const char *first)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "token.list", params);
	json_t *rows = json_object_get(r, "tokens");
	if (first)
		assert_string_equal(fx_text(json_array_get(rows, 0), "token"), first);
	return json_array_size(rows);
}

static void test_list(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (int i = 0; i < 25; i++) {
		char serial[20];
		snprintf(serial, sizeof(serial), "A%02d", i);
		add(x, serial);
	}
	add_in_use(x, "B~1");
	json_decref(fx_do(x, UID_OFFICER, "token.add", json_pack("{s:s,s:s}", "token", "B2", "keeper", "bob")));
	assert_int_equal(count(x, NULL, "A00"), 20);
	assert_int_equal(count(x, json_pack("{s:s}", "after", "A19"), "A20"), 7);
	assert_int_equal(count(x, json_pack("{s:s}", "token", "A1"), "A10"), 10);
	assert_int_equal(count(x, json_pack("{s:s}", "token", "B"), "B2"), 2);
	assert_int_equal(count(x, json_pack("{s:s}", "token", "B~"), "B~1"), 1);
	assert_int_equal(count(x, json_pack("{s:s}", "state", "in_use"), "B~1"), 1);
	assert_int_equal(count(x, json_pack("{s:s}", "keeper", "bob"), "B2"), 1);
	assert_int_equal(count(x, json_pack("{s:s}", "identifier", ORG_CODE), "B~1"), 1);
	assert_int_equal(count(x, json_pack("{s:s,s:s}", "identifier", ORG_CODE, "state", "lost"), NULL), 0);
	assert_int_equal(count(x, json_pack("{s:s}", "identifier", OTHER_CODE), NULL), 0);
	assert_int_equal(count(x, json_pack("{s:s}", "identifier", NEW_CODE), NULL), 0);
	assert_int_equal(count(x, json_pack("{s:s}", "token", "Z"), NULL), 0);
	_cleanup_(json_freep) json_t *page =
		fx_do(x, UID_OFFICER, "token.list", json_pack("{s:s,s:i}", "after", "A19", "per_page", 7));
	assert_true(json_is_null(json_object_get(page, "next")));
	_cleanup_(json_freep) json_t *more = fx_do(x, UID_OFFICER, "token.list", json_pack("{s:i}", "per_page", 3));
	assert_string_equal(fx_text(more, "next"), "A02");
}

static void test_mine(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	add(x, T2);
	add_in_use(x, T1);
	_cleanup_(json_freep) json_t *mine =
		fx_do(x, UID_SUBSCRIBER, "token.mine", json_pack("{s:s}", "session", x->session));
	_cleanup_(json_freep) json_t *theirs =
		fx_do(x, UID_OTHER, "token.mine", json_pack("{s:s}", "session", x->other_session));
	json_t *row = json_array_get(json_object_get(mine, "tokens"), 0);
	assert_int_equal(json_array_size(json_object_get(mine, "tokens")), 1);
	assert_string_equal(fx_text(row, "token"), T1);
	assert_string_equal(fx_text(row, "certificate"), ORG_SERIAL);
	assert_false(json_is_true(json_object_get(row, "puk_held")));
	assert_null(json_object_get(row, "puk"));
	assert_int_equal(json_array_size(json_object_get(theirs, "tokens")), 0);
}

/* --- an old system's --- */

static json_t *import(const char *rows)
{
	json_t *list = json_loads(rows, 0, NULL);
	assert_non_null(list);
	return json_pack("{s:o}", "rows", list);
}

static void result_is(json_t *r, size_t i, const char *result, const char *reason)
{
	json_t *row = json_array_get(json_object_get(r, "report"), i);
	assert_string_equal(fx_text(row, "result"), result);
	assert_string_equal(fx_text(row, "reason"), reason);
}

/* Every wrong line is named, and of the others none is taken. */
static void test_import_wrong(void **state)
{
	static const char rows[] = "[{\"line\":2,\"token\":\"" T1 "\"},"
				   "{\"line\":3,\"token\":\"\"},"
				   "{\"line\":4,\"token\":\"" T1 "\",\"model\":\"other\"},"
				   "{\"line\":5,\"token\":\"X1\",\"state\":\"gone\"},"
				   "{\"line\":6,\"token\":\"X2\",\"state\":\"in_use\",\"identifier\":\"nobody\"},"
				   "{\"line\":7,\"token\":\"X3\",\"state\":\"in_use\",\"identifier\":\"" ORG_CODE
				   "\",\"certificate\":\"zz\"},"
				   "{\"line\":8,\"model\":\"no token\"},"
				   "{\"line\":9,\"token\":5},"
				   "{\"line\":10,\"token\":\"X4\",\"puk\":\"AAAA\"}]";
	static const char *const reasons[] = {
		"",	      "token_serial", "token_there",	  "token_state_word", "account_unknown", "serial_form",
		"param_type", "param_type",   "token_key_missing"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "token.import", import(rows));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		result_is(r, i, i == 0 ? "created" : "refused", reasons[i]);
	assert_int_equal(json_integer_value(json_object_get(r, "refused")), 8);
	assert_false(json_is_true(json_object_get(r, "written")));
	fx_refused(x, UID_OFFICER, "token.show", of(T1), "token_unlisted");
}

/* What a desk with a token key refuses as well, and lines that are about each other. */
static void test_import_wrong_about_others(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(token_kit_done) struct token_kit desk = {0}, other = {0};
	(void)state;
	token_kit_begin(x, &desk);
	token_kit_make(&other);
	fx_log_in(x);
	add_in_use(x, T1);
	_cleanup_(freep) char *strange = token_kit_puk(other.key, "Y1", "11111111");
	const struct {
		const char *members, *reason;
	} rows[] = {
		{"\"token\":\"Y1\",\"puk\":\"%s\"", "puk_sealed"},
		{"\"token\":\"Y1\",\"puk\":\"24680246\"", "puk_sealed"}, /* in the clear */
		{"\"token\":\"Y1\",\"puk\":\"***\"", "puk_sealed"},
		{"\"token\":\"Y1\",\"puk\":5", "param_type"},
		{"\"token\":\" Y1\"", "token_serial"},
		{"\"token\":\"令牌\"", "token_serial"},
		{"\"token\":\"Y1\\u0007\"", "param_characters"},
		{"\"token\":\"Y1\",\"model\":\"a\\u202eb\"", "param_characters"},
		{"\"token\":\"123456789012345678901234567890123\"", "param_length"},
		{"\"token\":\"Y1\",\"keeper\":\"nobody\"", "signer_unknown"},
		{"\"token\":\"Y1\",\"keeper\":\"ra-1\"", "signer_unknown"},
		{"\"token\":\"Y1\",\"state\":\"shipped\",\"identifier\":\"" ORG_CODE "\"", "token_state_word"},
		{"\"token\":\"Y1\",\"state\":\"in_use\"", "token_holder"},
		{"\"token\":\"Y1\",\"state\":\"prepared\"", "token_holder"},
		{"\"token\":\"Y1\",\"state\":\"stock\",\"identifier\":\"" ORG_CODE "\"", "token_holder"},
		{"\"token\":\"Y1\",\"state\":\"in_use\",\"certificate\":\"" ORG_SERIAL "\"", "token_holder"},
		{"\"token\":\"Y1\",\"state\":\"in_use\",\"identifier\":\"" OTHER_CODE "\",\"certificate\":\"" ORG_SERIAL
		 "\"",
		 "certificate_unknown"},
		{"\"token\":\"Y1\",\"state\":\"in_use\",\"identifier\":\"" ORG_CODE "\",\"certificate\":\"" ORG_SERIAL
		 "\"",
		 "token_certificate_taken"},
		{"\"token\":\"" T1 "\",\"state\":\"in_use\",\"identifier\":\"" OTHER_CODE "\"", "token_there"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_buf_ struct buf b = {0};
		const char *hole = strstr(rows[i].members, "%s");
		buf_fmt(&b, "[{\"line\":2,%.*s%s%s}]",
			hole ? (int)(hole - rows[i].members) : (int)strlen(rows[i].members), rows[i].members,
			hole ? strange : "", hole ? hole + 2 : "");
		_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "token.import", import(buf_text(&b)));
		json_t *row = json_array_get(json_object_get(r, "report"), 0);
		if (strcmp(fx_text(row, "result"), "refused") != 0 ||
		    strcmp(fx_text(row, "reason"), rows[i].reason) != 0)
			fail_msg("%s: found %s %s %s, wanted %s", rows[i].members, fx_text(row, "result"),
				 fx_text(row, "reason"), fx_text(row, "text"), rows[i].reason);
	}
	fx_refused(x, UID_OFFICER, "token.show", of("Y1"), "token_unlisted");
}

static void test_import(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(token_kit_done) struct token_kit desk = {0};
	(void)state;
	token_kit_begin(x, &desk);
	fx_log_in(x);
	_cleanup_(freep) char *puk = token_kit_puk(desk.key, T1, "24680246");
	_cleanup_(freep) char *rows =
		xasprintf("[{\"line\":2,\"token\":\"%s\",\"state\":\"in_use\",\"identifier\":\"%s\","
			  "\"certificate\":\"%s\"},{\"line\":3,\"token\":\"%s\"}]",
			  T1, ORG_CODE, ORG_SERIAL, T2);
	_cleanup_(freep) char *with_puk = xasprintf("[{\"line\":2,\"token\":\"%s\",\"puk\":\"%s\",\"state\":\"in_use\","
						    "\"identifier\":\"%s\",\"certificate\":\"%s\"}]",
						    T1, puk, ORG_CODE, ORG_SERIAL);
	_cleanup_(json_freep) json_t *dry =
		fx_do(x, UID_OFFICER, "token.import", with(import(rows), "dry_run", json_true()));
	result_is(dry, 0, "created", "");
	fx_refused(x, UID_OFFICER, "token.show", of(T1), "token_unlisted");
	_cleanup_(json_freep) json_t *done = fx_do(x, UID_OFFICER, "token.import", import(rows));
	result_is(done, 1, "created", "");
	assert_true(json_is_true(json_object_get(done, "written")));
	state_is(x, T1, "in_use");
	_cleanup_(json_freep) json_t *again = fx_do(x, UID_OFFICER, "token.import", import(rows));
	result_is(again, 0, "unchanged", "");
	/* A PUK that turns up later is taken; what has happened since stays. */
	json_decref(fx_do(x, UID_OFFICER, "token.move", move_to(T1, "lost")));
	_cleanup_(json_freep) json_t *later = fx_do(x, UID_OFFICER, "token.import", import(with_puk));
	result_is(later, 0, "changed", "");
	state_is(x, T1, "lost");
	_cleanup_(json_freep) json_t *t = fx_do(x, UID_OFFICER, "token.show", of(T1));
	_cleanup_(freep) char *held = token_kit_open(&desk, T1, fx_text(t, "puk"));
	assert_string_equal(held, "24680246");
}

/* A token key that is none keeps the desk shut, rather than that PUKs are lost. */
static void test_config(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	struct ra_config config = {0};
	struct desk *d = NULL;
	(void)state;
	fx_write(x, "token.pub", "nonsense");
	_cleanup_(freep) char *old = path_join(x->dir, "ra.yaml");
	_cleanup_buf_ struct buf yaml = {0};
	assert_int_equal(file_read(old, 65536, &yaml, &f), OK);
	buf_str(&yaml, "tokens: {key: token.pub}\n");
	fx_write(x, "other.yaml", buf_text(&yaml));
	_cleanup_(freep) char *path = path_join(x->dir, "other.yaml");
	assert_int_equal(ra_config_load(path, &config, &f), OK);
	assert_int_equal(desk_open(&config, &d, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "token_key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_holder_stays),
		cmocka_unit_test(test_live_certificate),
		cmocka_unit_test(test_add_refused),
		cmocka_unit_test(test_puk),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_mine),
		cmocka_unit_test(test_import_wrong),
		cmocka_unit_test(test_import_wrong_about_others),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_config),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Projects of a bundle: how they are searched, and what their pages may say.
 */
#include "policy_kit.h"

static void test_search(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		size_t n;
		const char *first;
	} rows[] = {
		{"金华市公共资源交易中心", 1, "jinhua"},     /* the whole title */
		{"金华市公共资源中心", 1, "jinhua"},	     /* the guide's name for it: an alias */
		{"公共资源", 2, "test-2"},		     /* a part: of the shorter name first */
		{"浙江金华市公共资源中心大厅", 1, "jinhua"}, /* more around the name */
		{"ＪＩＮＨＵＡ　ｐｕｂｌｉｃ", 1, "jinhua"}, /* full width */
		{" 金 华 市 公 共 资 源 中 心 ", 1, "jinhua"},
		{"' OR 1=1 --", 0, NULL},
		{"%", 0, NULL},
		{"金华中心", 1, "jinhua"},	/* with gaps */
		{"金华 中心", 1, "jinhua"},	/* spaces are no characters of a name */
		{"JINHUA PUBLIC", 1, "jinhua"}, /* either case */
		{"jinhua", 1, "jinhua"},
		{"test-2", 1, "test-2"}, /* whole name before gaps */
		{"心中", 0, NULL},	 /* order counts */
		{"杭州", 0, NULL},
		{"", 2, "jinhua"},     /* nothing asked: all */
		{"\xe9\x87", 0, NULL}, /* cut in a character */
	};
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	const struct project *found[4];
	struct policy_source *s;

	b.files = xrealloc(b.files, b.n + 1, sizeof(*b.files));
	s = &b.files[b.n++];
	*s = (struct policy_source){.path = "projects/test-2.yaml"};
	buf_str(&s->bytes, buf_text(&file_of(&b, PROJECT)->bytes));
	edit(s, "name: jinhua", "name: test-2");
	edit(s, "title: {zh: 金华市公共资源交易中心, en: Jinhua Public Resources Trading Centre}",
	     "title: {zh: 测试公共资源平台, en: Test}");
	edit(s, "aliases: [金华市公共资源中心, Jinhua Public Resources Centre]\n", "");
	assert_int_equal(policy_load(no_note, b.files, b.n, &p, NULL), OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = policy_search(p, rows[i].query, found, 4);

		if (n != rows[i].n || (n > 0 && strcmp(found[0]->name, rows[i].first) != 0))
			fail_msg("query %s: found %zu, wanted %zu", rows[i].query, n, rows[i].n);
	}
	assert_int_equal(policy_search(p, "", found, 1), 1);
}

/* 200 characters against as many projects as a bundle holds, each with the worst of names: looked at once and done, or this test does not end. */
static void test_search_is_bounded(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_(policy_freep) struct policy *p = NULL;
	const struct project *found[20];
	const char *text = buf_text(&file_of(&b, PROJECT)->bytes);
	char query[601] = {0}, title[121] = {0}, too_long[604] = {0};

	for (size_t i = 0; i < 40; i++)
		memcpy(title + 3 * i, "资", 3);
	for (size_t i = 0; i < 200; i++)
		memcpy(query + 3 * i, i < 199 ? "资" : "源", 3);
	for (size_t i = 0; i < 201; i++)
		memcpy(too_long + 3 * i, "资", 3);
	while (b.n < POLICY_MAX_FILES) {
		_cleanup_(freep) char *name = xasprintf("name: many-%zu", b.n),
				      *names = xasprintf("aliases: [%s, %.117s源, ", title, title);
		struct policy_source *s;

		b.files = xrealloc(b.files, b.n + 1, sizeof(*b.files));
		s = &b.files[b.n];
		*s = (struct policy_source){0};
		snprintf(s->path, sizeof(s->path), "projects/many-%zu.yaml", b.n++);
		buf_str(&s->bytes, text);
		edit(s, "name: jinhua", name);
		edit(s, "aliases: [", names);
		text = buf_text(&file_of(&b, PROJECT)->bytes);
	}
	assert_int_equal(policy_load(no_note, b.files, b.n, &p, NULL), OK);
	assert_int_equal(policy_search(p, query, found, 20), 20);
	assert_int_equal(policy_search(p, "资资", found, 20), 20);
	assert_int_equal(policy_search(p, too_long, found, 20), 0);
}

/* What a project's page shows: each text bounded, each download with its hash. */
static void test_project_page(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *rule;
	} rows[] = {
		{"sha256: ", "sha256: x", "yaml_range"},
		{"sha256: 90", "sha256: Z0", "download_sha256"},
		{"url: https://", "url: javascript:", "download_url"},
		{"url: https://", "url: https:// ", "download_url"},
		{"version: ", "colour: red\n    version: ", "yaml_key_unknown"},
		{"  emergency:", "  sms_sender: 【虎符】\n  emergency:", "sms_sender"},
		{"  emergency:", "  sms_sender: 虎符[x\n  emergency:", "sms_sender"},
		{"  emergency:", "  sms_sender: \"虎\\n符\"\n  emergency:", "sms_sender"},
		{"  emergency:", "  sms_sender: ' 虎符'\n  emergency:", "sms_sender"},
		{"  emergency:", "  sms_sender: \"虎\\u0000符\"\n  emergency:", "yaml_text"},
		{"  emergency:", "  sms_sender: \"虎\\u202e符\"\n  emergency:", "yaml_text"},
		{"  emergency:", "  sms_sender: x\n  emergency:", "yaml_range"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(bundle_done) struct bundle b = shipped();
		_cleanup_(policy_freep) struct policy *p = NULL;
		struct fault f = {0};

		edit(file_of(&b, PROJECT), rows[i].from, rows[i].to);
		assert_int_equal(policy_load(no_note, b.files, b.n, &p, &f), ERR_CONFIG);
		if (strcmp(f.rule, rows[i].rule) != 0)
			fail_msg("%s: found %s: %s", rows[i].to, f.rule, f.text);
	}
}

static void test_alias_twice_is_warned(void **state)
{
	(void)state;
	_cleanup_(bundle_done) struct bundle b = shipped();
	_cleanup_buf_ struct buf out = {0};
	struct policy_source *s;

	b.files = xrealloc(b.files, b.n + 1, sizeof(*b.files));
	s = &b.files[b.n++];
	*s = (struct policy_source){.path = "projects/second.yaml"};
	buf_str(&s->bytes, buf_text(&file_of(&b, PROJECT)->bytes));
	edit(s, "name: jinhua", "name: second");
	assert_int_equal(policy_check(b.files, b.n, &out), 0);
	assert_true(has_line(buf_text(&out), "warning projects/second.yaml", "alias_twice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_search_is_bounded),
		cmocka_unit_test(test_project_page),
		cmocka_unit_test(test_alias_twice_is_warned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The strict YAML reader: what is accepted, what is refused and where, the schema, positions, the JSON Schema.
 *
 * Many refused files come from the YAML test suite: libyaml takes them, YAML 1.2 does not.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The tree as JSON-like text: {key:value}, [items]; quoted scalars in "". */
static void dump(const struct yaml_node *node, struct buf *b)
{
	if (node->type == YAML_SCALAR) {
		buf_fmt(b, node->quoted ? "\"%s\"" : "%s", node->text);
		return;
	}
	buf_char(b, node->type == YAML_MAP ? '{' : '[');
	for (size_t i = 0; i < node->n_items; i++) {
		if (i)
			buf_char(b, ',');
		if (node->type == YAML_MAP)
			buf_fmt(b, "%s:", node->items[i]->key);
		dump(node->items[i], b);
	}
	buf_char(b, node->type == YAML_MAP ? '}' : ']');
}

static void accepted_files(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"a: b\n", "{a:b}"},
		{"a: b", "{a:b}"},
		{"--- # first\na: b\n", "{a:b}"},
		{"# c\n\na: b   # c\n# c\n", "{a:b}"},
		{"a: \"b\"\n'c': 'd''e'\n", "{a:\"b\",c:\"d'e\"}"},
		{"a:\n  b:\n    - c\n    - d: e\n      f: g\n", "{a:{b:[c,{d:e,f:g}]}}"},
		{"a:\n- b\n-   - c\n", "{a:[b,[c]]}"},
		{"a: [b, {c: d}, \"e\"]\n", "{a:[b,{c:d},\"e\"]}"},
		{"a: [\n  b,\n  # why\n  c\n  ]\nd: e\n", "{a:[b,c],d:e}"},
		{"{\"a\":\"b\", \"c\":[1]}\n", "{a:\"b\",c:[1]}"},
		{"a: |\n  b\n   c\n\n  d\ne: >-\n  f\n  g\n", "{a:\"b\n c\n\nd\n\",e:\"f g\"}"},
		{"a: |+ # c\n  b\n\nc: d\n", "{a:\"b\n\n\",c:d}"},
		{"a: 虎符 \n", "{a:虎符}"},
		{"a: b#c\nd: e:f\ng: -h\n", "{a:b#c,d:e:f,g:-h}"},
		{"a:\n", "{a:}"},
		{"a: \"\\t\\n\\u864e\"\n", "{a:\"\t\n虎\"}"},
		{"a: http://x/y?z=1\n", "{a:http://x/y?z=1}"},
	};
	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
		struct fault f = {0};
		if (yaml_parse("x", slice_str(cases[i].text), &doc, &f) != OK)
			fail_msg("%s", f.text);
		_cleanup_buf_ struct buf b = {0};
		dump(yaml_root(doc), &b);
		assert_string_equal(buf_text(&b), cases[i].want);
	}
}

static void refused_files(void **state)
{
	(void)state;
	static const struct {
		const char *text, *where; /* "line:column: part of the message" */
	} cases[] = {
		/* characters */
		{"a:\n\tb: c\n", "2:1: found a tab"},
		{"a: b\t# c\n", "1:5: found a tab"},
		{"a: b\r\n", "1:5: found a carriage return"},
		{"\xef\xbb\xbf"
		 "a: b\n",
		 "1:1: found U+FEFF"},
		{"a: \x01\n", "1:4: found U+0001"},
		{"a: \x7f\n", "1:4: found U+007F"},
		{"a: \xc2\x85\n", "1:4: found U+0085"},
		{"a: b\n虎: \xe2\x80\xae\n", "2:4: found U+202E"},
		{"a: \xe2\x80\x8b\n", "1:4: found U+200B"},
		{"a: \xe2\x81\xa6\n", "1:4: found U+2066"},
		{"a: \xe2\x80\xa8\n", "1:4: found U+2028"},
		{"# \xe2\x80\xae\na: b\n", "1:3: found U+202E"},
		{"a: \xff\n", "1:4: found byte \\xff"},
		{"a: \xed\xa0\x80\n", "1:4: found byte \\xed"},
		{"a: \"\\u202e\"\n", "1:4: an escape"},
		{"a: \"\\0\"\n", "1:4: an escape"},
		{"a: \"\\x1b\"\n", "1:4: an escape"},
		{"\"a\\n\": b\n", "1:1: an escape"},
		{"a: \"\\ud800\"\n", "1:"},
		/* structure */
		{"a: 1\nb: 2\na: 3\n", "3:1: key \"a\" is there twice, first on line 1"},
		{"x: {a: 1, \"a\": 2}\n", "1:11: key \"a\" is there twice"},
		{"a: &x b\n", "1:4: found an anchor"},
		{"a: &x [b]\n", "1:4: found an anchor"},
		{"a: &x {b: c}\n", "1:4: found an anchor"},
		{"&x a: b\n", "1:1: found an anchor"},
		{"a: *x\n", "1:4: found an alias"},
		{"a: !!str b\n", "1:4: found a tag"},
		{"a: !x [b]\n", "1:4: found a tag"},
		{"a: !x {b: c}\n", "1:4: found a tag"},
		{"a: ! b\n", "1:4: found"},
		{"a: ! \"b\"\n", "1:4: found"},
		{"! a\n", "1:1: found"},
		{"%YAML 1.2\n---\na: b\n", "1:1: found a directive"},
		{"%TAG ! x\n---\na: b\n", "1:1: found a directive"},
		{"%X\n---\na: b\n", "1:"},
		{"---\na: b\n---\nc: d\n", "3:1: found a second document"},
		{"a: b\n...\n", "2:1: found the end marker"},
		{"a: b\n... x\n", "2:"},
		{"--- a\n", "1:1: found ---"},
		{"--- a: b\n", "1:1: found ---"},
		{"--- |\n  a\n", "1:1: found ---"},
		{"---\n---\na: b\n", "2:1: found a second document"},
		{"? a\n: b\n", "1:1: found ?"},
		{"? a: b\n", "1:1: found ?"},
		{"{? a: b}\n", "1:2: found ?"},
		{"[a]: b\n", "1:1: found a collection as a key"},
		{"{a: b}: c\n", "1:1: found a collection as a key"},
		{": b\n", "1:"},
		{"{: b}\n", "1:"},
		{"\"\": b\n", "1:1: a key is empty"},
		{"a: 1\n<<: {b: 2}\n", "2:1: found the merge key"},
		{"", "the file is empty"},
		{"# only\n", "the file is empty"},
		{"---\n", "the file is empty"},
		/* what libyaml takes and YAML does not */
		{"a: \"b\"# c\n", "1:7: found # right after"},
		{"a: [b]# c\n", "1:7: found # right after"},
		{"a: [b,# c\n c]\n", "1:7: found # right after"},
		{"a: [\n  b,\nc]\n", "3:1: a line inside [ ]"},
		{"a: [\n  b\n]\n", "3:1: a line inside [ ]"},
		{"a: {\n  b: c\n}\n", "3:1: a line inside [ ]"},
		{"a:\n  b: [\n  c]\n", "3:3: a line inside [ ]"},
		{"a: |# c\n  b\n", "1:"},
		{"a: >\n    \n  b\n", "1:4: a blank line in this block"},
		{"a: |2\n   b\n", "1:4: found 2"},
		{"a: |+2\n   b\n", "1:4: found 2"},
		{"a:\n|\n  b\n", "2:1: found a block of text that starts a line"},
		{"|\n  b\n", "1:1: found a block of text that starts a line"},
		{"a: |\n  b", "2:4: the file ends within"},
		{"a: |\n  b\n  ", "the file ends within"},
		{"a: [-]\n", "1:5: found -, which is no value"},
		{"a: [-, b]\n", "1:5: found -, which is no value"},
		{"a: \"b\n  c\"\n", "1:6: a value that starts on line 1"},
		{"a: b\n  c\n", "1:5: a value that starts on line 1"},
		{"a: 'b\n\n  c'\n", "1:6: a value that starts on line 1"},
		{"[\"a\"\n :b]\n", "2:"},
		{"a: b: c\n", "1:"},
		{"a: - b\n", "1:"},
		{"a:\n    b: c\n  d: e\n", "3:"},
		{"a: [b\n", "2:"},
		{"a: ]\n", "1:"},
		{"a: [b,,c]\n", "1:"},
		{"a: \"b\" c\n", "1:"},
		{"a: \"b\"c\n", "1:"},
		{"a: [b]c\n", "1:"},
		{"a: \"b\n", "2:"},
		{"a: @b\n", "1:"},
		{"a: `b\n", "1:"},
		{"a\nb: c\n", "1:"},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct yaml_doc *doc = NULL;
		struct fault f = {0};
		_cleanup_(freep) char *want =
			xasprintf("dir/x.yaml:%s%s", cases[i].where[0] < 'a' ? "" : " ", cases[i].where);
		/* A copy without NUL, so that reading beyond the end shows. */
		size_t n = strlen(cases[i].text);
		_cleanup_(freep) char *copy = xmalloc(n);
		memcpy(copy, cases[i].text, n);
		enum err e = yaml_parse("dir/x.yaml", slice_of(copy, n), &doc, &f);
		if (e != ERR_CONFIG)
			fail_msg("accepted: %s", cases[i].text);
		assert_null(doc);
		bool loose = strstr(cases[i].where, "the file ends") == cases[i].where;
		if (loose ? !strstr(f.text, cases[i].where) : strncmp(f.text, want, strlen(want)) != 0)
			fail_msg("\"%s\": found \"%s\", wanted \"%s\"", cases[i].text, f.text, want);
	}
	struct yaml_doc *doc = NULL;
	struct fault f;
	assert_int_equal(yaml_parse("x", slice_of("a: b\0c\n", 7), &doc, &f), ERR_CONFIG);
	assert_int_equal(yaml_parse("x\n", slice_str("a: [\n"), &doc, &f), ERR_CONFIG);
	assert_null(strchr(f.text, '\n'));
	assert_int_equal(yaml_parse("x", slice_str("a: [\n"), &doc, NULL), ERR_CONFIG);
}

static void expect_parse(const struct buf *text, enum err want)
{
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	struct fault f = {0};
	if (yaml_parse("x", buf_slice(text), &doc, &f) != want)
		fail_msg("wanted %s, found %s", err_word(want), f.text);
}

static void limits(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0};
	for (unsigned depth = YAML_MAX_DEPTH; depth <= YAML_MAX_DEPTH + 1; depth++) {
		buf_clear(&b);
		for (unsigned i = 0; i < depth; i++)
			buf_char(&b, '[');
		for (unsigned i = 0; i < depth; i++)
			buf_char(&b, ']');
		expect_parse(&b, depth > YAML_MAX_DEPTH ? ERR_LIMIT : OK);
	}
	for (unsigned n = YAML_MAX_NODES; n <= YAML_MAX_NODES + 1; n++) {
		buf_clear(&b);
		for (unsigned i = 1; i < n; i++)
			buf_str(&b, "- a\n");
		expect_parse(&b, n > YAML_MAX_NODES ? ERR_LIMIT : OK);
	}
	for (size_t n = YAML_MAX_BYTES; n <= YAML_MAX_BYTES + 1; n++) {
		buf_clear(&b);
		buf_str(&b, "a: b\n#");
		while (b.len < n)
			buf_char(&b, 'x');
		expect_parse(&b, n > YAML_MAX_BYTES ? ERR_LIMIT : OK);
	}
	for (size_t n = 200; n <= 201; n++) {
		buf_clear(&b);
		while (b.len < n)
			buf_char(&b, 'k');
		buf_str(&b, ": v\n");
		expect_parse(&b, n > 200 ? ERR_CONFIG : OK);
	}
	/* Many keys cost no more than sorting them; brackets without end stop at the depth. */
	buf_clear(&b);
	for (int i = 0; i < 40000; i++)
		buf_fmt(&b, "k%d: v\n", i);
	expect_parse(&b, OK);
	buf_str(&b, "k7: v\n");
	expect_parse(&b, ERR_CONFIG);
	buf_clear(&b);
	while (b.len < YAML_MAX_BYTES)
		buf_char(&b, '{');
	expect_parse(&b, ERR_CONFIG);
}

static void positions_count_characters(void **state)
{
	(void)state;
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	assert_int_equal(yaml_parse("x", slice_str("a: b\n虎符: \"虎\"\nl:\n  - c\n"), &doc, NULL), OK);
	const struct yaml_node *node = yaml_get(yaml_root(doc), "虎符");
	assert_int_equal(node->line, 2);
	assert_int_equal(node->column, 5);
	assert_int_equal(node->key_column, 1);
	assert_true(node->quoted);
	node = yaml_get(yaml_root(doc), "l");
	assert_int_equal(node->items[0]->line, 4);
	assert_int_equal(node->items[0]->column, 5);
	assert_null(node->items[0]->key);
	assert_null(yaml_get(yaml_root(doc), "none"));
	assert_null(yaml_get(node, "l"));
}

static const char *const usages[] = {"sign", "encrypt", "agree", NULL};
struct extension {
	const char *name;
	int64_t days;
	struct yaml_strs oids;
};
struct profile {
	const char *title;
	int64_t age, since;
	bool open, has_age;
	int usage;
	uint64_t usages;
	struct yaml_strs names;
	struct yaml_ints sizes;
	struct extension main;
	struct yaml_list list, dict;
};
static const struct yaml_rule extension_rules[] = {
	{.key = "name", .kind = YK_STR, .offset = offsetof(struct extension, name), .required = true, .max = 8},
	{.key = "days", .kind = YK_INT, .offset = offsetof(struct extension, days), .min = 1, .max = 400, .def = 90},
	{.key = "oids", .kind = YK_STRS, .offset = offsetof(struct extension, oids), .min = 1},
	{0},
};
#define AT(m) .offset = offsetof(struct profile, m)
static const struct yaml_rule rules[] = {
	{.key = "title",
	 .kind = YK_STR,
	 AT(title),
	 .required = true,
	 .min = 2,
	 .max = 9,
	 .help = "shown to \"people\""},
	{.key = "age",
	 .kind = YK_INT,
	 AT(age),
	 .min = -5,
	 .max = 5,
	 .def = 3,
	 .present = offsetof(struct profile, has_age) + 1},
	{.key = "since", .kind = YK_TIME, AT(since), .def = 7},
	{.key = "open", .kind = YK_BOOL, AT(open), .def = 1},
	{.key = "usage", .kind = YK_WORD, AT(usage), .words = usages, .def = 2},
	{.key = "usages", .kind = YK_WORDS, AT(usages), .words = usages, .def = 5},
	{.key = "names", .kind = YK_STRS, AT(names), .max = 4},
	{.key = "sizes", .kind = YK_INTS, AT(sizes), .min = 10, .max = 20},
	{.key = "main", .kind = YK_SUB, AT(main), .sub = extension_rules},
	{.key = "extensions",
	 .kind = YK_LIST,
	 AT(list),
	 .sub = extension_rules,
	 .elem_size = sizeof(struct extension),
	 .max = 2},
	{.key = "others", .kind = YK_DICT, AT(dict), .sub = extension_rules + 1, .elem_size = sizeof(struct extension)},
	{0},
};

static const char full[] = "title: Tiger\n"
			   "age: -3\n"
			   "since: 2026-11-23T00:00:00Z\n"
			   "open: false\n"
			   "usage: encrypt\n"
			   "usages: [agree, \"sign\"]\n"
			   "names: [a, \"b\"]\n"
			   "sizes: [10, 20]\n"
			   "main: {name: m}\n"
			   "extensions:\n"
			   "  - name: first\n"
			   "    oids:\n"
			   "      - 1.2\n"
			   "      - 1.3\n"
			   "  - {name: second, days: 7}\n"
			   "others:\n"
			   "  one: {days: 8}\n"
			   "  two: {}\n";

static void decodes_every_kind(void **state)
{
	(void)state;
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	struct profile p = {0};
	struct fault f = {0};
	assert_int_equal(yaml_parse("x", slice_str(full), &doc, &f), OK);
	if (yaml_decode(doc, yaml_root(doc), rules, &p, &f) != OK)
		fail_msg("%s", f.text);
	assert_string_equal(p.title, "Tiger");
	assert_int_equal(p.age, -3);
	assert_true(p.has_age);
	assert_int_equal(p.since, 1795392000);
	assert_false(p.open);
	assert_int_equal(p.usage, 1);
	assert_int_equal(p.usages, 5);
	assert_int_equal(p.names.n, 2);
	assert_string_equal(p.names.v[1], "b");
	assert_int_equal(p.sizes.v[0] + p.sizes.v[1], 30);
	assert_string_equal(p.main.name, "m");
	assert_int_equal(p.main.days, 90);
	const struct extension *list = p.list.v, *dict = p.dict.v;
	assert_int_equal(p.list.n, 2);
	assert_int_equal(list[0].oids.n, 2);
	assert_int_equal(list[0].days, 90);
	assert_string_equal(list[1].name, "second");
	assert_int_equal(list[1].days, 7);
	assert_int_equal(p.dict.n, 2);
	assert_string_equal(dict[0].name, "one");
	assert_int_equal(dict[0].days, 8);
	assert_string_equal(dict[1].name, "two");
	assert_int_equal(dict[1].days, 90);
}

static void absent_keys_get_their_defaults(void **state)
{
	(void)state;
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	struct profile p = {0};
	assert_int_equal(yaml_parse("x", slice_str("title: ab\n"), &doc, NULL), OK);
	assert_int_equal(yaml_decode(doc, yaml_root(doc), rules, &p, NULL), OK);
	assert_int_equal(p.age, 3);
	assert_false(p.has_age);
	assert_int_equal(p.since, 7);
	assert_true(p.open);
	assert_int_equal(p.usage, 2);
	assert_int_equal(p.usages, 5);
	assert_int_equal(p.main.days, 90); /* of a part that is absent as a whole */
	assert_null(p.main.name);
	assert_int_equal(p.names.n + p.sizes.n + p.list.n + p.dict.n, 0);
}

static void wrong_values_are_told_with_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *rule, *message;
	} cases[] = {
		{"title: abc\nextentions: []\n", "yaml_key_unknown",
		 "p.yaml:2:1: unknown key \"extentions\" in the file; allowed: title, age, since, open, usage, usages, "
		 "names, "
		 "sizes, main, extensions, others; did you mean \"extensions\"?"},
		{"title: abc\nmain: {name: x, zzz: y}\n", "yaml_key_unknown",
		 "p.yaml:2:17: unknown key \"zzz\" in main; allowed: name, days, oids"},
		{"title: abc\nothers:\n  one:\n    dais: 3\n", "yaml_key_unknown",
		 "p.yaml:4:5: unknown key \"dais\" in one; allowed: days, oids; did you mean \"days\"?"},
		{"age: 1\n", "yaml_key_missing", "p.yaml:1:1: missing key \"title\" in the file: shown to \"people\""},
		{"title: abc\nextensions:\n  - days: 4\n", "yaml_key_missing",
		 "p.yaml:3:5: missing key \"name\" in extensions"},
		{"- a\n", "yaml_type", "p.yaml:1:1: found a list, wanted a map"},
		{"a\n", "yaml_type", "p.yaml:1:1: found \"a\", wanted a map"},
		{"title: [a]\n", "yaml_type", "p.yaml:1:8: title: found a list, wanted text"},
		{"title:\n", "yaml_type", "p.yaml:1:7: title: found nothing, wanted text"},
		{"title: ~\n", "yaml_type", "p.yaml:1:8: title: found null, wanted text"},
		{"title: null\n", "yaml_type", "p.yaml:1:8: title: found null, wanted text"},
		{"title: a\n", "yaml_range", "p.yaml:1:8: title: found 1 bytes of text, wanted 2 to 9"},
		{"title: 虎符虎符\n", "yaml_range", "p.yaml:1:8: title: found 12 bytes of text, wanted 2 to 9"},
		{"title: ab\nage: 6\n", "yaml_range", "p.yaml:2:6: age: found 6, wanted -5 to 5"},
		{"title: ab\nage: -6\n", "yaml_range", "p.yaml:2:6: age: found -6, wanted -5 to 5"},
		{"title: ab\nage: \"3\"\n", "yaml_type",
		 "p.yaml:2:6: age: found quoted \"3\", wanted a whole number without quotes"},
		{"title: ab\nage: 0x3\n", "yaml_type",
		 "p.yaml:2:6: age: found \"0x3\", wanted a whole number in decimal digits"},
		{"title: ab\nage: 03\n", "yaml_type",
		 "p.yaml:2:6: age: found \"03\", wanted a whole number in decimal digits"},
		{"title: ab\nage: +3\n", "yaml_type",
		 "p.yaml:2:6: age: found \"+3\", wanted a whole number in decimal digits"},
		{"title: ab\nage: -0\n", "yaml_type",
		 "p.yaml:2:6: age: found \"-0\", wanted a whole number in decimal digits"},
		{"title: ab\nage: 1.0\n", "yaml_type",
		 "p.yaml:2:6: age: found \"1.0\", wanted a whole number in decimal digits"},
		{"title: ab\nage: 9223372036854775808\n", "yaml_type",
		 "p.yaml:2:6: age: found \"9223372036854775808\", wanted a whole number in decimal digits"},
		{"title: ab\nopen: yes\n", "yaml_type", "p.yaml:2:7: open: found \"yes\", wanted true or false"},
		{"title: ab\nopen: True\n", "yaml_type", "p.yaml:2:7: open: found \"True\", wanted true or false"},
		{"title: ab\nopen: \"true\"\n", "yaml_type",
		 "p.yaml:2:7: open: found quoted \"true\", wanted true or false"},
		{"title: ab\nsince: 2026-02-30T00:00:00Z\n", "yaml_type",
		 "p.yaml:2:8: since: found \"2026-02-30T00:00:00Z\", wanted a time like 2026-11-23T00:00:00Z without "
		 "quotes "
		 "(RFC 3339, UTC)"},
		{"title: ab\nusage: sing\n", "yaml_word",
		 "p.yaml:2:8: usage: found \"sing\"; allowed: sign, encrypt, agree; did you mean \"sign\"?"},
		{"title: ab\nusages: sign\n", "yaml_type",
		 "p.yaml:2:9: usages: found \"sign\", wanted a list of words"},
		{"title: ab\nusages: [sign, sign]\n", "yaml_word_twice", "p.yaml:2:16: usages: found \"sign\" twice"},
		{"title: ab\nnames: [ab, abcde]\n", "yaml_range",
		 "p.yaml:2:13: names: found 5 bytes of text, wanted 0 to 4"},
		{"title: ab\nnames: {}\n", "yaml_type", "p.yaml:2:8: names: found a map, wanted a list of texts"},
		{"title: ab\nnames: [[a]]\n", "yaml_type", "p.yaml:2:9: found a list, wanted text"},
		{"title: ab\nsizes:\n- 10\n- 21\n", "yaml_range", "p.yaml:4:3: sizes: found 21, wanted 10 to 20"},
		{"title: ab\nmain: {name: m, days: 0}\n", "yaml_range", "p.yaml:2:23: days: found 0, wanted 1 to 400"},
		{"title: ab\nmain: {name: m, oids: ['']}\n", "yaml_range",
		 "p.yaml:2:24: oids: found 0 bytes of text, wanted at least 1"},
		{"title: ab\nmain:\n", "yaml_type", "p.yaml:2:6: main: found nothing, wanted a map"},
		{"title: ab\nextensions: [{name: a}, {name: b}, {name: c}]\n", "yaml_range",
		 "p.yaml:2:13: extensions: found 3 entries, wanted 0 to 2"},
		{"title: ab\nextensions: {a: b}\n", "yaml_type",
		 "p.yaml:2:13: extensions: found a map, wanted a list of maps"},
		{"title: ab\nextensions: [a]\n", "yaml_type", "p.yaml:2:14: found \"a\", wanted a map"},
		{"title: ab\nothers: []\n", "yaml_type", "p.yaml:2:9: others: found a list, wanted a map"},
	};
	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
		struct profile p = {0};
		struct fault f = {0};
		if (yaml_parse("p.yaml", slice_str(cases[i].text), &doc, &f) != OK)
			fail_msg("%s", f.text);
		assert_int_equal(yaml_decode(doc, yaml_root(doc), rules, &p, &f), ERR_CONFIG);
		assert_string_equal(f.text, cases[i].message);
		assert_string_equal(f.rule, cases[i].rule);
	}
}

static void hostile_keys_stay_readable(void **state)
{
	(void)state;
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct profile p = {0};
	struct fault f;
	buf_str(&b, "title: ab\nothers:\n  ");
	for (int i = 0; i < 66; i++)
		buf_str(&b, "虎");
	buf_str(&b, ": {");
	for (int i = 0; i < 66; i++)
		buf_str(&b, "符");
	buf_str(&b, ": 1}\n");
	assert_int_equal(yaml_parse("p.yaml", buf_slice(&b), &doc, &f), OK);
	assert_int_equal(yaml_decode(doc, yaml_root(doc), rules, &p, &f), ERR_CONFIG);
	assert_true(utf8_valid(f.text, strlen(f.text)));
	assert_non_null(strstr(f.text, "; allowed: days, oids"));
}

static void expect_place(const struct yaml_doc *doc, const void *member, const char *want)
{
	struct fault f;
	assert_int_equal(yaml_fault(doc, member, &f, "floor", "wrong %d", 1), ERR_CONFIG);
	assert_string_equal(f.rule, "floor");
	assert_string_equal(f.text, want);
}

static void meaning_is_told_with_its_place(void **state)
{
	(void)state;
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	struct profile p = {0};
	assert_int_equal(yaml_parse("x", slice_str(full), &doc, NULL), OK);
	assert_int_equal(yaml_decode(doc, yaml_root(doc), rules, &p, NULL), OK);
	const struct extension *list = p.list.v, *dict = p.dict.v;
	expect_place(doc, &p.age, "x:2:6: wrong 1");
	expect_place(doc, &p.names, "x:7:8: wrong 1");
	expect_place(doc, &p.names.v[1], "x:7:12: wrong 1");
	expect_place(doc, &p.sizes.v[1], "x:8:13: wrong 1");
	expect_place(doc, &p.list, "x:11:3: wrong 1");
	expect_place(doc, &list[0].oids.v[1], "x:14:9: wrong 1");
	expect_place(doc, &list[1].name, "x:15:12: wrong 1");
	expect_place(doc, &list[1].days, "x:15:26: wrong 1");
	expect_place(doc, &dict[1].name, "x:18:3: wrong 1"); /* the key itself */
	expect_place(doc, &dict[0].days, "x:17:15: wrong 1");
	/* Left out: the map around it. */
	expect_place(doc, &p.main.days, "x:9:7: wrong 1");
	expect_place(doc, &list[0].days, "x:11:5: wrong 1");
	expect_place(doc, &dict[1].days, "x:18:8: wrong 1");
	/* Unknown: the file. */
	expect_place(doc, &state, "x: wrong 1");
	expect_place(doc, NULL, "x: wrong 1");
}

static void loads_files(void **state)
{
	(void)state;
	char path[] = "/tmp/hufu-yaml-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct fault f;
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	assert_int_equal(file_write(path, slice_str("a: b\n"), 0600, &f), OK);
	assert_int_equal(yaml_load(path, &doc, &f), OK);
	assert_string_equal(yaml_get(yaml_root(doc), "a")->text, "b");
	unlink(path);
	struct yaml_doc *none = NULL;
	assert_int_equal(yaml_load(path, &none, &f), ERR_NOT_FOUND);
	assert_int_equal(yaml_load("/dev/zero", &none, &f), ERR_LIMIT);
}

/* A key of the rules and its type are in the schema; the whole text reads as YAML too, of which JSON is a part. */
static void schema_for_editors(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0};
	yaml_schema_json("Profile \"x\"", rules, &b);
	static const char *const parts[] = {
		"{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"title\": \"Profile \\\"x\\\"\"",
		"\"additionalProperties\": false, \"required\": [\"title\"]",
		"\"title\": {\"allOf\": [{\"type\": \"string\", \"minLength\": 1, \"maxLength\": 9}], "
		"\"description\": \"shown to \\\"people\\\"\"}",
		"\"age\": {\"allOf\": [{\"type\": \"integer\", \"minimum\": -5, \"maximum\": 5}], \"default\": 3}",
		"\"open\": {\"allOf\": [{\"type\": \"boolean\"}], \"default\": true}",
		"\"usage\": {\"allOf\": [{\"enum\": [\"sign\", \"encrypt\", \"agree\"]}], \"default\": \"agree\"}",
		"\"default\": [\"sign\", \"agree\"]",
		"\"format\": \"date-time\"",
		"\"sizes\": {\"allOf\": [{\"type\": \"array\", \"items\": {\"type\": \"integer\", \"minimum\": 10, "
		"\"maximum\": 20}}]}",
		"{\"type\": \"array\", \"maxItems\": 2, \"items\": {\"type\": \"object\"",
	};
	for (size_t i = 0; i < N(parts); i++) {
		if (!strstr(buf_text(&b), parts[i]))
			fail_msg("missing %s in %s", parts[i], buf_text(&b));
	}
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	struct fault f;
	if (yaml_parse("schema", buf_slice(&b), &doc, &f) != OK)
		fail_msg("%s", f.text);
	const struct yaml_node *members = yaml_get(yaml_root(doc), "properties");
	assert_int_equal(members->n_items, N(rules) - 1);
	for (size_t i = 0; i + 1 < N(rules); i++)
		assert_string_equal(members->items[i]->key, rules[i].key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_files),
		cmocka_unit_test(refused_files),
		cmocka_unit_test(limits),
		cmocka_unit_test(positions_count_characters),
		cmocka_unit_test(decodes_every_kind),
		cmocka_unit_test(absent_keys_get_their_defaults),
		cmocka_unit_test(wrong_values_are_told_with_their_place),
		cmocka_unit_test(hostile_keys_stay_readable),
		cmocka_unit_test(meaning_is_told_with_its_place),
		cmocka_unit_test(loads_files),
		cmocka_unit_test(schema_for_editors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

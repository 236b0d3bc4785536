/*
 * The notifier's words: mails, bodies for gateways, what answers mean, and its configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/rpc/json.h"
#include "ra/notify/gateway.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ID "0123456789abcdef0123456789abcdef"
#define MADE INT64_C(1795392000) /* 2026-11-23T00:00:00Z, a Monday, 08:00 in Shanghai */

static const struct notice code = {.id = ID,
				   .to = "13900000001",
				   .subject = "",
				   .text = "验证码 852552，用于绑定手机。",
				   .made = MADE,
				   .dies = MADE + 600};
static const struct sender desk = {"desk@example.com", "", "example.com"};

/* --- headers --- */

static void words_are(const char *text, const char *wanted)
{
	_cleanup_buf_ struct buf b = {0};
	mime_words(text, &b);
	assert_string_equal(buf_text(&b), wanted);
}

static void test_header_words(void **state)
{
	(void)state;
	words_are("Your code", "Your code");
	words_are("验证码", "=?UTF-8?B?6aqM6K+B56CB?=");
	/* What looks like an encoded word, or would be taken apart or eaten, is encoded. */
	words_are("=?UTF-8?B?eA==?=", "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=");
	words_are(" x", "=?UTF-8?B?IHg=?=");
	/* A line end in a header is none. */
	words_are("a\r\nBcc: b@example.com", "=?UTF-8?B?YSAgQmNjOiBiQGV4YW1wbGUuY29t?=");
}

/* Lines of at most 76 characters, each a word that is whole characters. */
static void test_long_headers_are_folded(void **state)
{
	_cleanup_buf_ struct buf text = {0}, b = {0}, back = {0};
	(void)state;
	for (int i = 0; i < 40; i++)
		buf_str(&text, i % 3 ? "证" : "𠀀");
	buf_str(&b, "Subject: ");
	mime_words(buf_text(&text), &b);
	_cleanup_(freep) char *own = xstrdup(buf_text(&b) + 9);
	char *rest = own;
	for (char *line = strtok_r(own, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		const char *start = strstr(line, "=?UTF-8?B?"), *end = strrchr(line, '?');
		_cleanup_buf_ struct buf part = {0};
		assert_true(strlen(line) + (line == own ? 9 : 0) <= 76);
		assert_non_null(start);
		start += 10;
		assert_true(base64_decode(start, (size_t)(end - start), &part));
		assert_true(utf8_valid(part.data, part.len));
		buf_add_slice(&back, buf_slice(&part));
	}
	assert_string_equal(buf_text(&back), buf_text(&text));
}

static void test_a_mail(void **state)
{
	struct notice n = code;
	struct sender from = {"desk@example.com", "虎符", "mail.example.com"};
	_cleanup_buf_ struct buf b = {0}, again = {0};
	(void)state;
	n.to = "agent@example.com";
	n.subject = "Your certificate ends soon";
	n.text = "a\nb";
	mime_put(&from, &n, &b);
	assert_string_equal(buf_text(&b), "Date: Mon, 23 Nov 2026 08:00:00 +0800\r\n"
					  "From: =?UTF-8?B?6JmO56ym?= <desk@example.com>\r\n"
					  "To: <agent@example.com>\r\n"
					  "Subject: Your certificate ends soon\r\n"
					  "Message-ID: <" ID "@mail.example.com>\r\n"
					  "MIME-Version: 1.0\r\n"
					  "Content-Type: text/plain; charset=utf-8\r\n"
					  "Content-Transfer-Encoding: base64\r\n"
					  "Auto-Submitted: auto-generated\r\n"
					  "\r\n"
					  "YQ0KYg0K\r\n");
	mime_put(&from, &n, &again);
	assert_string_equal(buf_text(&again), buf_text(&b));
}

/* A mail's end, a dot, a header: in the text they are text. */
static void test_hostile_text_in_a_mail(void **state)
{
	static const char *const texts[] = {"\r\n.\r\nMAIL FROM:<x@example.com>\r\n", "\r\n\r\nBcc: x@example.com", ".",
					    "From me"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct notice n = code;
		_cleanup_buf_ struct buf b = {0};
		n.to = "agent@example.com";
		n.text = n.subject = texts[i];
		mime_put(&desk, &n, &b);
		assert_null(strstr(buf_text(&b), "\r\n.\r\n"));
		assert_null(strstr(buf_text(&b), "\r\nBcc"));
		assert_null(strstr(buf_text(&b), "MAIL FROM"));
		for (size_t k = 0; k < b.len; k++)
			assert_true(b.data[k] < 0x7f && (b.data[k] >= ' ' || b.data[k] == '\r' || b.data[k] == '\n'));
	}
}

/* What the desk says is looked at once more. */
static void test_notices_are_read_strictly(void **state)
{
	static const struct {
		const char *key, *value;
		bool mail;
	} bad[] = {{"id", "0123", false},
		   {"id", ID "0", false},
		   {"id", "0123456789abcdef0123456789abcde>", false},
		   {"to", "1300000000", false},
		   {"to", "13900000001\r\n", false},
		   {"to", "13900000001", true},
		   {"to", "a@example.com>\r\nRCPT TO:<b@example.com", true},
		   {"text", "", false},
		   {"made", "yesterday", false},
		   {"dies", "", false}};
	struct notice n;
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		bool good = i == sizeof(bad) / sizeof(bad[0]), mail = !good && bad[i].mail;
		_cleanup_(json_freep) json_t *o =
			json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", ID, "to", mail ? "a@example.com" : "13900000001",
				  "text", "x", "made", "2026-11-23T00:00:00Z", "dies", "2026-11-23T00:10:00Z");
		if (!good)
			json_object_set_new(o, bad[i].key, json_string(bad[i].value));
		assert_int_equal(notice_read(o, mail, &n, &f), good ? OK : ERR_PARSE);
	}
}

/* --- bodies --- */

static const char *const words[] = {"mobile", "text", "id", "sender", NULL};

static void body_is(enum template_kind kind, const char *text, const char *said, const char *wanted)
{
	_cleanup_(template_freep) struct template *t = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct fault f = {0};
	const struct template_word values[] = {
		{"mobile", "13900000001"}, {"text", said}, {"id", ID}, {"sender", "虎符"}};
	assert_int_equal(template_read(kind, text, words, &t, &f), OK);
	template_put(t, values, 4, &b);
	assert_string_equal(buf_text(&b), wanted);
}

#define JSON_BODY "{\"to\": [\"{mobile}\"], \"n\": 1, \"m\": {\"text\": \"【{sender}】{text}\", \"ok\": true}}"

static void test_bodies(void **state)
{
	(void)state;
	body_is(TEMPLATE_JSON, JSON_BODY, "码 1",
		"{\"to\":[\"13900000001\"],\"n\":1,\"m\":{\"text\":\"【虎符】码 1\",\"ok\":true}}");
	body_is(TEMPLATE_FORM, "to={mobile}&c={text}&k=a+b", "a b", "to=13900000001&c=a%20b&k=a%2Bb");
	/* Hostile texts stay inside of their place, and so does a word inside of a word. */
	body_is(TEMPLATE_JSON, "{\"t\": \"{text}\"}", "\", \"to\": \"1\n\\{mobile}",
		"{\"t\":\"\\\", \\\"to\\\": \\\"1\\n\\\\{mobile}\"}");
	body_is(TEMPLATE_FORM, "t={text}&to={mobile}", "&to=1%\r\n=#{mobile}",
		"t=%26to%3D1%25%0D%0A%3D%23%7Bmobile%7D&to=13900000001");
}

static void test_templates_that_are_none(void **state)
{
	static const struct {
		enum template_kind kind;
		const char *text, *rule;
	} bad[] = {{TEMPLATE_JSON, "{\"t\": {text}}", "template_json"},
		   {TEMPLATE_JSON, "{\"t\": 1", "template_json"},
		   {TEMPLATE_JSON, "{\"{text}\": 1}", "template_word"},
		   {TEMPLATE_JSON, "{\"t\": \"{token}\"}", "template_word"},
		   {TEMPLATE_JSON, "{\"t\": \"{text\"}", "template_word"},
		   {TEMPLATE_FORM, "text", "template_form"},
		   {TEMPLATE_FORM, "=x", "template_form"},
		   {TEMPLATE_FORM, "a b=x", "template_form"},
		   {TEMPLATE_FORM, "a=x&", "template_form"},
		   {TEMPLATE_FORM, "a={password}", "template_word"}};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct template *t = NULL;
		struct fault f = {0};
		assert_int_equal(template_read(bad[i].kind, bad[i].text, words, &t, &f), ERR_CONFIG);
		assert_string_equal(f.rule, bad[i].rule);
		assert_null(t);
	}
}

/* --- answers --- */

static void test_answers(void **state)
{
	const char *good[] = {"0", "ok"}, *never[] = {"30001"};
	const struct gateway_config by_status = {.url = "https://x"}, by_field = {.url = "https://x",
										  .field = "data.code",
										  .success = {good, 2},
										  .refused = {never, 1}};
	static const struct {
		bool field;
		long status;
		const char *answer;
		enum outcome_kind kind;
		bool trouble;
	} rows[] = {
		{false, 200, "", OUTCOME_SENT, false},
		{false, 202, "whatever", OUTCOME_SENT, false},
		{false, 301, "", OUTCOME_LATER, true},
		{false, 400, "", OUTCOME_REFUSED, false},
		{false, 404, "", OUTCOME_REFUSED, false},
		{false, 401, "", OUTCOME_LATER, true},
		{false, 403, "", OUTCOME_LATER, true},
		{false, 408, "", OUTCOME_LATER, true},
		{false, 429, "", OUTCOME_LATER, true},
		{false, 500, "", OUTCOME_LATER, true},
		{false, 503, "", OUTCOME_LATER, true},
		{false, 0, "", OUTCOME_LATER, true},
		{true, 200, "{\"data\": {\"code\": 0}}", OUTCOME_SENT, false},
		{true, 200, "{\"data\": {\"code\": \"ok\"}}", OUTCOME_SENT, false},
		{true, 200, "{\"data\": {\"code\": \"30001\"}}", OUTCOME_REFUSED, false},
		{true, 200, "{\"data\": {\"code\": 5}}", OUTCOME_LATER, false},
		{true, 200, "{\"data\": {\"code\": [0]}}", OUTCOME_LATER, false},
		{true, 200, "{\"data\": 0}", OUTCOME_LATER, false},
		{true, 200, "{\"data\": {\"code\": 0}} {\"data\": {\"code\": 0}}", OUTCOME_LATER, false},
		{true, 200, "<html>", OUTCOME_LATER, false},
		{true, 200, "", OUTCOME_LATER, false},
		{true, 400, "{\"data\": {\"code\": 0}}", OUTCOME_REFUSED, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = gateway_judge(rows[i].field ? &by_field : &by_status, &code, rows[i].status,
						 slice_str(rows[i].answer));
		if (o.kind != rows[i].kind || o.trouble != rows[i].trouble)
			fail_msg("row %zu: found %s, trouble %d: %s", i, outcome_words[o.kind], o.trouble, o.why);
	}
}

/* The other side may say the message back to us: that goes neither into the log nor to the desk. */
static void test_no_code_comes_back(void **state)
{
	struct outcome o =
		outcome_make(OUTCOME_REFUSED, false, &code, "SMTP", "550 text was 852552 for 验证码, bad\x1b[2J");
	(void)state;
	assert_non_null(strstr(o.why, "SMTP: 550"));
	assert_null(strstr(o.why, "852552"));
	assert_null(strstr(o.why, "验证码"));
	assert_null(strchr(o.why, 0x1b));
}

/* --- configuration --- */

struct place {
	char dir[40];
};

static void place_init(struct place *p)
{
	struct fault f = {0};
	snprintf(p->dir, sizeof(p->dir), "/tmp/hufu-notify-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	_cleanup_(freep) char *etc = path_join(p->dir, "etc/hufu"), *token = path_join(p->dir, "etc/hufu/token");
	assert_int_equal(dir_make(etc, 0700, &f), OK);
	assert_int_equal(file_write(token, slice_str("s3cret\n"), 0600, &f), OK);
}

static int take_away(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void place_done(struct place *p)
{
	assert_int_equal(nftw(p->dir, take_away, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static enum err load(const struct place *p, const char *text, struct notifier_config *c, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(p->dir, "etc/hufu/notifier.yaml"),
			      *whole = xasprintf("desk_socket: run/desk.sock\nstate: var\n%s", text);
	*f = (struct fault){0};
	assert_int_equal(file_write(path, slice_str(whole), 0600, f), OK);
	return notifier_config_load(path, c, f);
}

#define GATEWAY                                                                                                        \
	"sms:\n  by: gateway\n  gateway:\n    url: https://sms.example.com/send\n    template: '{\"t\": "              \
	"\"{text}\"}'\n"
#define SMTP "mail:\n  by: smtp\n  smtp:\n    host: mail.example.com\n    from: desk@example.com\n"

static void test_configuration(void **state)
{
	_cleanup_(place_done) struct place p;
	struct notifier_config c = {0};
	struct fault f;
	(void)state;
	place_init(&p);
	assert_int_equal(load(&p, "", &c, &f), OK);
	assert_true(c.sms_road == ROAD_SPOOL && c.mail_road == ROAD_SPOOL);
	notifier_config_done(&c);
	if (load(&p, GATEWAY "    token: etc/hufu/token\n    headers: ['Authorization: Bearer {token}']\n" SMTP, &c,
		 &f) != OK)
		fail_msg("%s", f.text);
	assert_int_equal(c.gateway.port, 443);
	assert_int_equal(c.gateway.token.n, 6);
	assert_int_equal(c.smtp.port, 587);
	assert_int_equal(c.smtp.tls, TLS_STARTTLS);
	assert_string_equal(c.smtp.from.domain, "example.com");
	notifier_config_done(&c);
}

static void test_bad_configuration(void **state)
{
	static const struct {
		const char *text, *rule;
	} bad[] = {
		{"sms: {by: gateway}\n", "gateway_missing"},
		{"mail: {by: smtp}\n", "smtp_missing"},
		{"sms:\n  by: gateway\n  gateway: {url: 'http://sms.example.com/', template: '{}'}\n", "gateway_url"},
		{"sms:\n  by: gateway\n  gateway: {url: 'ftp://sms.example.com/', template: '{}'}\n", "gateway_url"},
		{"sms:\n  by: gateway\n  gateway: {url: 'https://u:p@sms.example.com/', template: '{}'}\n",
		 "gateway_url"},
		{"sms:\n  by: gateway\n  gateway: {url: 'https://sms.example.com/{mobile}', template: '{}'}\n",
		 "gateway_url"},
		{GATEWAY "    headers: ['X: {token}']\n", "gateway_header"},
		{GATEWAY "    headers: ['X: {text}']\n", "gateway_header"},
		{GATEWAY "    headers: ['X']\n", "gateway_header"},
		{GATEWAY "    headers: [\"X: a\\r\\nY: b\"]\n", "yaml_text"},
		{GATEWAY "    method: GET\n", "gateway_method"},
		{GATEWAY "    field: code\n", "gateway_field"},
		{GATEWAY "    success: ['0']\n", "gateway_field"},
		{GATEWAY "    body: form\n", "gateway_template"},
		{GATEWAY "    token: etc/hufu/none\n", "secret_file_open"},
		{GATEWAY "    token: etc/hufu/open\n", "secret_file_mode"},
		{SMTP "    user: desk\n", "smtp_user"},
		{SMTP "    user: desk\n    password: etc/hufu/token\n    tls: none\n", "smtp_plain"},
		{"mail:\n  by: smtp\n  smtp: {host: 'mail.example.com/x', from: desk@example.com}\n", "smtp_host"},
		{"mail:\n  by: smtp\n  smtp: {host: mail.example.com, from: \"Desk <desk@example.com>\"}\n",
		 "smtp_from"},
		{SMTP "    domain: 'a b'\n", "smtp_domain"},
		{"mail: {by: pigeon}\n", "yaml_word"},
	};
	_cleanup_(place_done) struct place p;
	struct fault f;
	(void)state;
	place_init(&p);
	_cleanup_(freep) char *open = path_join(p.dir, "etc/hufu/open");
	assert_int_equal(file_write(open, slice_str("x\n"), 0644, &f), OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct notifier_config c = {0};
		if (load(&p, bad[i].text, &c, &f) == OK || strcmp(f.rule, bad[i].rule) != 0)
			fail_msg("row %zu: found %s (%s), wanted %s", i, f.rule, f.text, bad[i].rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_words),
		cmocka_unit_test(test_long_headers_are_folded),
		cmocka_unit_test(test_a_mail),
		cmocka_unit_test(test_hostile_text_in_a_mail),
		cmocka_unit_test(test_notices_are_read_strictly),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_templates_that_are_none),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_no_code_comes_back),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_bad_configuration),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

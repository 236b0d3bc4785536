/*
 * Faults and log lines: truncation, words on the wire, quoting, whole lines from many threads.
 */
#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void words_go_both_ways(void **state)
{
	(void)state;
	for (enum err e = OK; e <= ERR_INTERNAL; e++) {
		enum err back = OK;
		assert_true(err_from_word(err_word(e), &back));
		assert_int_equal(back, e);
		bool hidden = e == ERR_IO || e == ERR_DB || e == ERR_INTERNAL;
		assert_int_equal(err_is_public(e), !hidden);
	}
	enum err kept = ERR_NET;
	assert_false(err_from_word("", &kept));
	assert_false(err_from_word("Parse", &kept));
	assert_int_equal(kept, ERR_NET);
	assert_string_equal(err_word((enum err)999), "internal");
	assert_false(err_is_public((enum err)999));
}

static void faults_are_cut_between_characters(void **state)
{
	(void)state;
	char longer[2000];
	for (size_t shift = 0; shift < 4; shift++) {
		memset(longer, 'a', sizeof(longer));
		for (size_t i = shift; i + 4 <= sizeof(longer) - 1; i += 4)
			memcpy(longer + i, "\xf0\xa0\x80\x80", 4);
		longer[shift + (sizeof(longer) - 1 - shift) / 4 * 4] = '\0';
		struct fault f;
		assert_int_equal(fault_raise(&f, ERR_RULE, longer, longer, "%s", longer), ERR_RULE);
		assert_true(utf8_valid(f.rule, strlen(f.rule)) && strlen(f.rule) > 35);
		assert_true(utf8_valid(f.where, strlen(f.where)) && strlen(f.where) > 90);
		assert_true(utf8_valid(f.text, strlen(f.text)) && strlen(f.text) > 594);
		fault_prefix(&f, "x");
		assert_memory_equal(f.text, "x: ", 3);
		assert_true(utf8_valid(f.text, strlen(f.text)) && strlen(f.text) > 594);
		fault_prefix(&f, "%s", longer);
		assert_true(utf8_valid(f.text, strlen(f.text)));
	}
}

static void faults_may_be_raised_from_themselves(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(fault_raise(&f, ERR_PARSE, "r", "w", "inner"), ERR_PARSE);
	assert_int_equal(fault_raise(&f, ERR_CONFIG, f.rule, f.where, "outer, %s", f.text), ERR_CONFIG);
	assert_string_equal(f.text, "outer, inner");
	assert_string_equal(f.rule, "r");
	fault_prefix(&f, "file %d", 3);
	assert_string_equal(f.text, "file 3: outer, inner");
	assert_int_equal(fault_raise(NULL, ERR_IO, NULL, NULL, "x"), ERR_IO);
	fault_prefix(NULL, "x");
}

static void quoting_keeps_one_value_one_value(void **state)
{
	(void)state;
	assert_string_equal(LQ("plain 虎"), "\"plain 虎\"");
	assert_string_equal(LQ("a\"b\\c"), "\"a\\\"b\\\\c\"");
	assert_string_equal(LQ("a\nevent=forged"), "\"a\\x0aevent=forged\"");
	assert_string_equal(LQ("\xff\x1b"), "\"\\xff\\x1b\"");
	assert_string_equal(LQ("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\"");
	assert_string_equal(LQ(NULL), "\"\"");
	char many[600];
	memset(many, '"', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	const char *cut = LQ(many);
	size_t n = strlen(cut);
	assert_true(n < 256);
	assert_string_equal(cut + n - 4, "…\"");
}

/* stderr into a pipe for the time of a test. */
struct capture {
	int saved, from;
};
static struct capture capture_start(void)
{
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct capture c = {dup(STDERR_FILENO), ends[0]};
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	return c;
}
static void capture_end(struct capture *c, struct buf *ret)
{
	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	char part[4096];
	ssize_t n;
	while ((n = read(c->from, part, sizeof(part))) > 0)
		buf_add(ret, part, (size_t)n);
	close(c->from);
}

static void lines_have_their_form(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0};
	struct capture c = capture_start();
	log_init("test", LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, "start", "n=%d", 1);
	log_event(LOG_LEVEL_DEBUG, "hidden", "n=%d", 2);
	log_event(LOG_LEVEL_ERROR, "bare", "%s", "");
	log_audit("issue", "serial=%s", LQ("01\n"));
	struct fault f;
	assert_int_equal(fault_raise(&f, ERR_RULE, "tally_expired", "tally.dies", "found %s", "\"x\""), ERR_RULE);
	log_fault(LOG_LEVEL_WARNING, "refused", &f);
	log_event(LOG_LEVEL_INFO, "forgot", "v=%s", "a\n<0>forged");
	log_init("test", LOG_LEVEL_ERROR);
	log_audit("kept", "n=%d", 1);
	capture_end(&c, &b);
	assert_string_equal(buf_text(&b), "<6>prog=test event=start n=1\n"
					  "<3>prog=test event=bare \n"
					  "<5>prog=test event=issue audit=1 serial=\"01\\x0a\"\n"
					  "<4>prog=test event=refused err=rule rule=tally_expired where=\"tally.dies\" "
					  "text=\"found \\\"x\\\"\"\n"
					  "<6>prog=test event=forgot v=a?<0>forged\n"
					  "<5>prog=test event=kept audit=1 n=1\n");
}

static void lines_end_at_pipe_buf(void **state)
{
	(void)state;
	_cleanup_buf_ struct buf b = {0}, wide = {0};
	for (int i = 0; i < 3000; i++)
		buf_str(&wide, "虎");
	struct capture c = capture_start();
	log_init("test", LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_INFO, "wide", "v=%s", buf_text(&wide));
	capture_end(&c, &b);
	assert_true(b.len <= PIPE_BUF && b.len > PIPE_BUF - 8);
	assert_true(utf8_valid(b.data, b.len));
	assert_memory_equal(b.data + b.len - 4, "…\n", 4);
}

#define THREADS 8
#define LINES 200

static void *many_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_event(LOG_LEVEL_INFO, "line", "who=%c fill=%0*d", *(char *)arg, 300, i);
	return NULL;
}

struct drain {
	int from;
	struct buf b;
};
static void *drain(void *arg)
{
	struct drain *d = arg;
	char part[4096];
	ssize_t n;
	while ((n = read(d->from, part, sizeof(part))) > 0)
		buf_add(&d->b, part, (size_t)n);
	return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
	(void)state;
	struct capture c = capture_start();
	log_init("test", LOG_LEVEL_INFO);
	struct drain d = {.from = c.from};
	pthread_t reader, writers[THREADS];
	char names[THREADS];
	assert_int_equal(pthread_create(&reader, NULL, drain, &d), 0);
	for (int i = 0; i < THREADS; i++) {
		names[i] = (char)('a' + i);
		assert_int_equal(pthread_create(&writers[i], NULL, many_lines, &names[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(writers[i], NULL);
	dup2(c.saved, STDERR_FILENO);
	close(c.saved);
	pthread_join(reader, NULL);
	close(c.from);
	size_t n = 0;
	for (const char *at = buf_text(&d.b), *end; (end = strchr(at, '\n')); at = end + 1, n++) {
		assert_memory_equal(at, "<6>prog=test event=line who=", 28);
		assert_int_equal(end - at, 28 + 1 + 6 + 300);
	}
	assert_int_equal(n, THREADS * LINES);
	buf_done(&d.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_go_both_ways),
		cmocka_unit_test(faults_are_cut_between_characters),
		cmocka_unit_test(faults_may_be_raised_from_themselves),
		cmocka_unit_test(quoting_keeps_one_value_one_value),
		cmocka_unit_test(lines_have_their_form),
		cmocka_unit_test(lines_end_at_pipe_buf),
		cmocka_unit_test(threads_do_not_mix_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Secrets: reading from descriptors, files and a terminal; sealed files and what is done to them.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void put(struct secret *s, const char *text)
{
	secret_alloc(s, strlen(text));
	memcpy(s->p, text, s->n);
}

static void zero_state_and_wiping(void **state)
{
	(void)state;
	struct secret s = {0};
	secret_done(&s);
	secret_alloc(&s, 32);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(s.p[i], 0);
	secret_done(&s);
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	secret_alloc(&s, 0);
	assert_non_null(s.p);
	secret_done(&s);
}

/* In a child, because a process that cannot be dumped cannot be looked at by the sanitizers either. */
static void init_forbids_core_dumps(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit limit;
		secret_init();
		_exit(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? 7 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void reads_one_line_from_a_descriptor(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t n, max;
		enum err want;
		const char *line, *rest;
	} cases[] = {
		{"secret\n", 7, 10, OK, "secret", ""},
		{"secret", 6, 6, OK, "secret", ""},
		{"secret\nnext", 11, 6, OK, "secret", "next"},
		{" s p \n", 6, 10, OK, " s p ", ""},
		{"s\r\n", 3, 10, OK, "s\r", ""},
		{"", 0, 10, ERR_CONFIG, NULL, NULL},
		{"\n", 1, 10, ERR_CONFIG, NULL, NULL},
		{"secret\n", 7, 5, ERR_LIMIT, NULL, NULL},
	};
	for (size_t i = 0; i < N(cases); i++) {
		int ends[2];
		char rest[20] = {0};
		struct fault f;
		_cleanup_secret_ struct secret s = {0};
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(write(ends[1], cases[i].in, cases[i].n), cases[i].n);
		close(ends[1]);
		assert_int_equal(secret_read_fd(ends[0], cases[i].max, &s, &f), cases[i].want);
		if (cases[i].want == OK) {
			assert_int_equal(s.n, strlen(cases[i].line));
			assert_memory_equal(s.p, cases[i].line, s.n);
			assert_int_equal(read(ends[0], rest, sizeof(rest)), strlen(cases[i].rest));
			assert_string_equal(rest, cases[i].rest);
		} else {
			assert_null(s.p);
			assert_null(strstr(f.text, "secret\n"));
		}
		close(ends[0]);
	}
	struct secret s = {0};
	assert_int_equal(secret_read_fd(-1, 10, &s, NULL), ERR_IO);
}

static void files_must_be_private(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned mode;
		enum err want;
		const char *rule;
	} cases[] = {
		{"pass\n", 0600, OK, ""},
		{"pass", 0400, OK, ""},
		{"pass\n", 0640, ERR_CONFIG, "secret_file_mode"},
		{"pass\n", 0604, ERR_CONFIG, "secret_file_mode"},
		{"pass\n", 0620, ERR_CONFIG, "secret_file_mode"},
		{"pass\n", 0601, ERR_CONFIG, "secret_file_mode"},
		{"pass\nmore\n", 0600, ERR_CONFIG, "secret_file_lines"},
		{"pass\n\n", 0600, ERR_CONFIG, "secret_file_lines"},
		{"", 0600, ERR_CONFIG, "secret_empty"},
		{"passpasspass\n", 0600, ERR_LIMIT, "secret_size"},
	};
	char dir[] = "/tmp/hufu-secret-XXXXXX";
	assert_non_null(mkdtemp(dir));
	_cleanup_(freep) char *path = path_join(dir, "f");
	for (size_t i = 0; i < N(cases); i++) {
		struct fault f = {0};
		_cleanup_secret_ struct secret s = {0};
		assert_int_equal(file_write(path, slice_str(cases[i].text), cases[i].mode, &f), OK);
		assert_int_equal(secret_read_file(path, 10, &s, &f), cases[i].want);
		assert_string_equal(f.rule, cases[i].rule);
		if (cases[i].want == OK)
			assert_memory_equal(s.p, "pass", 4);
	}
	struct fault f;
	struct secret s = {0};
	/* A credential of the service manager shows its ACL's mask as the group's read bit. */
	assert_int_equal(file_write(path, slice_str("pass"), 0440, &f), OK);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_int_equal(secret_read_file(path, 10, &s, &f), OK);
	secret_done(&s);
	assert_int_equal(file_write(path, slice_str("pass"), 0444, &f), OK);
	assert_int_equal(secret_read_file(path, 10, &s, &f), ERR_CONFIG);
	setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
	assert_int_equal(file_write(path, slice_str("pass"), 0440, &f), OK);
	assert_int_equal(secret_read_file(path, 10, &s, &f), ERR_CONFIG);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(secret_read_file(dir, 10, &s, &f), ERR_CONFIG);
	assert_string_equal(f.rule, "secret_file_kind");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(secret_read_file(path, 10, &s, &f), ERR_NOT_FOUND);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_read_file(path, 10, &s, &f), ERR_CONFIG);
	unlink(path);
	rmdir(dir);
}

/* In the child on its own terminal: 0 and the length, or the kind of the fault. Nothing is echoed. */
static int prompt_child(bool confirm)
{
	struct secret s = {0};
	struct termios after;
	enum err e = secret_prompt("Passphrase: ", confirm, 20, &s, NULL);
	bool good = e != OK || (s.n == 6 && memcmp(s.p, "hidden", 6) == 0);
	if (tcgetattr(STDIN_FILENO, &after) != 0 || !(after.c_lflag & ECHO) || !(after.c_lflag & ISIG))
		return 100;
	return good ? (int)e : 101;
}

/* Types each answer when a prompt (a text that ends with ": ") is there. */
static int on_a_terminal(bool confirm, const char *const *answers, size_t n_answers, struct buf *ret_shown)
{
	int master;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(prompt_child(confirm));
	size_t given = 0, seen = 0;
	char part[100];
	ssize_t n;
	while ((n = read(master, part, sizeof(part))) > 0) {
		buf_add(ret_shown, part, (size_t)n);
		const char *prompt = strstr(buf_text(ret_shown) + seen, "Passphrase: ");
		if (!prompt)
			continue;
		seen = (size_t)(prompt - buf_text(ret_shown)) + 12;
		if (given < n_answers) {
			size_t len = strlen(answers[given]);
			assert_int_equal(write(master, answers[given], len), len);
			given++;
		}
	}
	close(master);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void prompts_without_echo(void **state)
{
	(void)state;
	static const struct {
		bool confirm;
		const char *answers[2];
		size_t n;
		int want;
	} cases[] = {
		{false, {"hidden\n"}, 1, OK},
		{true, {"hidden\n", "hidden\n"}, 2, OK},
		{true, {"hidden\n", "hiddem\n"}, 2, ERR_CONFIG},
		{true, {"hidden\n", "hidden1\n"}, 2, ERR_CONFIG},
		{false, {"\n"}, 1, ERR_CONFIG},
		{false, {"hid\x03"}, 1, ERR_CONFIG},
		{false, {"hidden hidden hidden hidden\n"}, 1, ERR_LIMIT},
	};
	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_buf_ struct buf shown = {0};
		assert_int_equal(on_a_terminal(cases[i].confirm, cases[i].answers, cases[i].n, &shown), cases[i].want);
		assert_null(strstr(buf_text(&shown), "hid"));
	}
}

static void no_terminal_no_prompt(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setsid();
		struct secret s = {0};
		_exit((int)secret_prompt("x: ", false, 20, &s, NULL));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), ERR_CONFIG);
}

static void expect_open(const char *label, const char *passphrase, struct slice sealed, enum err want, const char *rule)
{
	_cleanup_secret_ struct secret pass = {0}, plain = {0};
	struct fault f = {0};
	put(&pass, passphrase);
	assert_int_equal(secret_open(label, &pass, sealed, &plain, &f), want);
	assert_string_equal(f.rule, rule);
	if (want == OK) {
		assert_int_equal(plain.n, 8);
		assert_memory_equal(plain.p, "the key\n", 8);
	} else {
		assert_null(plain.p);
		assert_null(strstr(f.text, passphrase));
	}
}

/* Where the fields of a sealed file begin. */
enum { OPS = 15, MEM = 19, SALT = 27, NONCE = 43, BOX = 67, END = BOX + 16 + 8 };

static void sealed_files(void **state)
{
	(void)state;
	_cleanup_secret_ struct secret pass = {0}, none = {0};
	_cleanup_buf_ struct buf b = {0};
	struct fault f;
	put(&pass, "correct horse");
	assert_int_equal(secret_seal("ca-key", &pass, slice_str("the key\n"), &b, &f), OK);
	assert_int_equal(b.len, END);
	assert_memory_equal(b.data, "hufu-sealed/v1\n", 15);
	assert_memory_equal(b.data + OPS, "\0\0\0\3\0\0\0\0\4\0\0\0", 12);
	expect_open("ca-key", "correct horse", buf_slice(&b), OK, "");
	expect_open("ca-key", "correct hors", buf_slice(&b), ERR_CRYPTO, "sealed_open");
	expect_open("ca-kez", "correct horse", buf_slice(&b), ERR_CRYPTO, "sealed_open");
	static const struct {
		size_t at;
		uint8_t flip;
		const char *rule;
	} changes[] = {
		{0, 1, "sealed_form"},
		{OPS - 2, 3, "sealed_form"},
		{OPS + 3, 7, "sealed_open"},	   /* 3 to 4 */
		{OPS + 3, 1, "sealed_limit"},	   /* 2 */
		{OPS + 3, 3 ^ 11, "sealed_limit"}, /* 11 */
		{OPS, 0x80, "sealed_limit"},
		{MEM + 4, 6, "sealed_limit"},	 /* 32 MiB */
		{MEM + 4, 0x40, "sealed_limit"}, /* 1088 MiB */
		{MEM, 0xff, "sealed_limit"},
		{MEM + 7, 1, "sealed_open"},
		{SALT, 1, "sealed_open"},
		{NONCE + 23, 1, "sealed_open"},
		{BOX, 1, "sealed_open"},
		{END - 1, 1, "sealed_open"},
	};
	for (size_t i = 0; i < N(changes); i++) {
		b.data[changes[i].at] ^= changes[i].flip;
		expect_open("ca-key", "correct horse", buf_slice(&b), ERR_CRYPTO, changes[i].rule);
		b.data[changes[i].at] ^= changes[i].flip;
	}
	for (size_t n = 0; n < BOX + 16; n++)
		expect_open("ca-key", "correct horse", slice_of(b.data, n), ERR_CRYPTO, "sealed_form");
	expect_open("ca-key", "correct horse", slice_of(b.data, END - 1), ERR_CRYPTO, "sealed_open");
	expect_open("ca-key", "correct horse", slice_of(b.data, 1u << 21), ERR_CRYPTO, "sealed_form");
	assert_int_equal(secret_seal("x", &none, slice_str("p"), &b, &f), ERR_CONFIG);
	assert_int_equal(secret_seal("x", &pass, slice_of(b.data, 1u << 21), &b, &f), ERR_LIMIT);
	assert_int_equal(b.len, END);
}

static void an_empty_secret_can_be_sealed(void **state)
{
	(void)state;
	_cleanup_secret_ struct secret pass = {0}, plain = {0};
	_cleanup_buf_ struct buf b = {0};
	struct fault f;
	put(&pass, "p");
	assert_int_equal(secret_seal("", &pass, (struct slice){0}, &b, &f), OK);
	assert_int_equal(secret_open("", &pass, buf_slice(&b), &plain, &f), OK);
	assert_int_equal(plain.n, 0);
	assert_non_null(plain.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_state_and_wiping),
		cmocka_unit_test(init_forbids_core_dumps),
		cmocka_unit_test(reads_one_line_from_a_descriptor),
		cmocka_unit_test(files_must_be_private),
		cmocka_unit_test(prompts_without_echo),
		cmocka_unit_test(no_terminal_no_prompt),
		cmocka_unit_test(sealed_files),
		cmocka_unit_test(an_empty_secret_can_be_sealed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

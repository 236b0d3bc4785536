/*
 * Files: bounds, whole writes, modes, folders, the service manager's datagram.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

static char dir[] = "/tmp/hufu-file-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const left[] = {"a", "full", "notify", "x/y/z", "x/y", "x", "n1"};
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		remove(left[i]);
	return rmdir(dir);
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static size_t entries(void)
{
	DIR *d = opendir(".");
	assert_non_null(d);
	size_t n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void reads_within_the_bound(void **state)
{
	(void)state;
	struct fault f;
	_cleanup_buf_ struct buf b = {0};
	assert_int_equal(file_write("a", slice_str("12345"), 0600, &f), OK);
	assert_int_equal(file_read("a", 5, &b, &f), OK);
	assert_string_equal(buf_text(&b), "12345");
	assert_int_equal(file_read("a", 4, &b, &f), ERR_LIMIT);
	assert_string_equal(f.rule, "file_size");
	assert_string_equal(buf_text(&b), "12345");
	assert_int_equal(file_read("a", 6, &b, &f), OK);
	assert_string_equal(buf_text(&b), "1234512345");
	assert_int_equal(file_read("a", 0, &b, &f), ERR_LIMIT);
	assert_int_equal(file_read("none", 5, &b, &f), ERR_NOT_FOUND);
	assert_int_equal(file_read(".", 5, &b, &f), ERR_IO);
	assert_int_equal(file_read("/dev/zero", 100000, &b, &f), ERR_LIMIT);
	assert_int_equal(b.len, 10);
	assert_int_equal(file_write("a", slice_str(""), 0600, &f), OK);
	buf_clear(&b);
	assert_int_equal(file_read("a", 0, &b, &f), OK);
	assert_int_equal(b.len, 0);
	assert_int_equal(file_read("bad\nname", 5, NULL, NULL), ERR_NOT_FOUND);
	assert_int_equal(file_read("bad\nname", 5, NULL, &f), ERR_NOT_FOUND);
	assert_null(strchr(f.text, '\n'));
}

static void large_files_come_whole(void **state)
{
	(void)state;
	struct fault f;
	_cleanup_buf_ struct buf big = {0}, back = {0};
	for (int i = 0; i < 60000; i++)
		buf_fmt(&big, "%05d", i);
	assert_int_equal(file_write("a", buf_slice(&big), 0600, &f), OK);
	assert_int_equal(file_read("a", big.len, &back, &f), OK);
	assert_true(slice_eq(buf_slice(&big), buf_slice(&back)));
	assert_int_equal(file_read("a", big.len - 1, &back, &f), ERR_LIMIT);
}

static void what_was_cut_off_is_swept(void **state)
{
	(void)state;
	struct fault f;
	static const char *const left[] = {"s/mark.tmp-abcdef", "s/mark.tmp-123456"};
	static const char *const stays[] = {"s/mark", "s/mark.tmp", "s/other.tmp-abcdef", "s/mark.tmp-folder/x"};
	assert_int_equal(dir_make("s/mark.tmp-folder", 0700, &f), OK);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(file_write(left[i], slice_str("x"), 0600, &f), OK);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(file_write(stays[i], slice_str("x"), 0600, &f), OK);
	file_sweep("s/mark");
	file_sweep("none/mark");
	for (size_t i = 0; i < 2; i++)
		assert_false(file_exists(left[i]));
	for (size_t i = 0; i < 4; i++)
		assert_true(file_exists(stays[i]));
	assert_int_equal(file_write("mark.tmp-abcdef", slice_str("x"), 0600, &f), OK);
	file_sweep("mark"); /* of this folder */
	assert_false(file_exists("mark.tmp-abcdef"));
}

static void modes_do_not_follow_the_umask(void **state)
{
	(void)state;
	struct fault f;
	mode_t old = umask(0);
	assert_int_equal(file_write("a", slice_str("x"), 0600, &f), OK);
	assert_int_equal(mode_of("a"), 0600);
	umask(0777);
	assert_int_equal(file_write("a", slice_str("x"), 0644, &f), OK);
	assert_int_equal(mode_of("a"), 0644);
	assert_int_equal(dir_make("x/y//z/", 0750, &f), OK);
	umask(old);
	assert_int_equal(mode_of("x"), 0750);
	assert_int_equal(mode_of("x/y/z"), 0750);
	assert_int_equal(dir_make("x/y", 0700, &f), OK);
	assert_int_equal(mode_of("x/y"), 0750);
	assert_int_equal(dir_make("a/b", 0700, &f), ERR_IO);
	assert_string_equal(f.rule, "dir_kind");
	assert_int_equal(dir_make("a", 0700, &f), ERR_IO);
	assert_int_equal(dir_make(dir, 0700, &f), OK);
	assert_int_equal(dir_make("/", 0700, &f), OK);
	assert_int_equal(dir_make("", 0700, &f), OK);
}

static void new_files_replace_nothing(void **state)
{
	(void)state;
	struct fault f;
	_cleanup_buf_ struct buf b = {0};
	assert_int_equal(file_write_new("n1", slice_str("first"), 0600, &f), OK);
	size_t n = entries();
	assert_int_equal(file_write_new("n1", slice_str("second"), 0600, &f), ERR_CONFLICT);
	assert_int_equal(entries(), n); /* nothing is left beside */
	assert_int_equal(file_read("n1", 100, &b, &f), OK);
	assert_string_equal(buf_text(&b), "first");
	assert_int_equal(mode_of("n1"), 0600);
	assert_int_equal(file_write_new("none/n1", slice_str("x"), 0600, &f), ERR_NOT_FOUND);
}

static void failed_writes_leave_the_old_file(void **state)
{
	(void)state;
	struct fault f;
	_cleanup_buf_ struct buf b = {0};
	/* A folder in the way: the rename fails after all was written. */
	assert_int_equal(dir_make("x/y/z", 0700, &f), OK);
	size_t n = entries();
	assert_int_equal(file_write("x", slice_str("text"), 0600, &f), ERR_IO);
	assert_int_equal(entries(), n);
	assert_true(file_exists("x/y/z"));
	assert_false(file_exists("x/none"));
	/* A full device takes no bytes; the link beside it cannot even be made there. */
	assert_int_equal(symlink("/dev/full", "full"), 0);
	assert_int_equal(file_write("full", slice_str("text"), 0600, &f), OK);
	assert_int_equal(file_read("full", 100, &b, &f), OK);
	assert_string_equal(buf_text(&b), "text");
}

static void joins_paths(void **state)
{
	(void)state;
	static const struct {
		const char *dir, *name, *want;
	} cases[] = {{"/a", "b", "/a/b"}, {"/a/", "b", "/a/b"}, {"/a", "/b", "/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(freep) char *path = path_join(cases[i].dir, cases[i].name);
		assert_string_equal(path, cases[i].want);
	}
}

static void expect_datagram(int fd, const char *want)
{
	char got[100] = {0};
	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), strlen(want));
	assert_string_equal(got, want);
}

static int bound(const char *path, size_t n)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path, path, n);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
	return fd;
}

static void tells_the_service_manager(void **state)
{
	(void)state;
	_cleanup_(freep) char *path = path_join(dir, "notify");
	_cleanup_(closep) int fd = bound(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	notify_ready();
	expect_datagram(fd, "READY=1");
	notify_stopping();
	expect_datagram(fd, "STOPPING=1");
	_cleanup_(freep) char *abstract = xasprintf("@hufu-test-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", abstract, 1);
	abstract[0] = '\0';
	_cleanup_(closep) int fd2 = bound(abstract, 1 + strlen(abstract + 1));
	notify_ready();
	expect_datagram(fd2, "READY=1");
	/* Wrong ones are left alone. */
	char huge[300];
	memset(huge, 'a', sizeof(huge));
	huge[0] = '/';
	huge[sizeof(huge) - 1] = '\0';
	const char *const wrong[] = {"", "@", "relative", huge, "/none/there"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		setenv("NOTIFY_SOCKET", wrong[i], 1);
		notify_ready();
	}
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_within_the_bound),
		cmocka_unit_test(large_files_come_whole),
		cmocka_unit_test(what_was_cut_off_is_swept),
		cmocka_unit_test(modes_do_not_follow_the_umask),
		cmocka_unit_test(new_files_replace_nothing),
		cmocka_unit_test(failed_writes_leave_the_old_file),
		cmocka_unit_test(joins_paths),
		cmocka_unit_test(tells_the_service_manager),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

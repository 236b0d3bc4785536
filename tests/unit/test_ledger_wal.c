/*
 * The copy from the write-ahead log into the ledger's file, and a signer that is killed in the middle of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/ledger_check.h"
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_PAGES 300u
#define FILE_BYTES 60000u

/* In the process that is killed: at which write to the ledger's file, or flush of it; 0: none. */
static _Atomic int write_left, flush_left;
static dev_t dev;
static ino_t ino;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
/* Of both processes: how large the ledger was when somebody was last answered. */
static _Atomic uint64_t *answered;

static void die_at(int fd, _Atomic int *left)
{
	struct stat st;
	if (*left > 0 && fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino && --*left == 0)
		kill(getpid(), SIGKILL);
}

static ssize_t deadly_pwrite(int fd, const void *p, size_t n, off_t at)
{
	die_at(fd, &write_left);
	return real_pwrite(fd, p, n, at);
}

/* SQLite's call as well. */
int fdatasync(int fd)
{
	die_at(fd, &flush_left);
	return (int)syscall(SYS_fdatasync, fd);
}

static void hook(const char *path)
{
	static const char *const names[] = {"pwrite", "pwrite64"};
	struct stat st;
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	if (stat(path, &st) != 0)
		_exit(1);
	dev = st.st_dev;
	ino = st.st_ino;
	for (size_t i = 0; i < 2; i++) {
		sqlite3_syscall_ptr was = vfs->xGetSystemCall(vfs, names[i]);
		if (!was)
			continue;
		*(sqlite3_syscall_ptr *)(void *)&real_pwrite = was;
		if (vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)deadly_pwrite) != SQLITE_OK)
			_exit(2);
	}
}

static enum err add_files(struct ledger_tx *tx, void *arg, struct fault *f)
{
	static const uint8_t bytes[FILE_BYTES];
	struct wire_e_beat e = {0};
	(void)arg;
	for (unsigned i = 0; i < 4; i++) {
		uint8_t name[32];
		random_fill(name, sizeof(name));
		TRY(ledger_file_add(tx, name, slice_of(bytes, sizeof(bytes)), f));
	}
	return ledger_append_e_beat(tx, &e, NULL, f);
}

/* Adds until it is killed. */
static void add_until_killed(const char *dir, const char *path, int at_write, int at_flush)
{
	struct ledger *l;
	struct fault f = {0};
	if (ledger_open(dir, false, &l, &f) != OK)
		_exit(3);
	hook(path);
	write_left = at_write;
	flush_left = at_flush;
	pthread_mutex_lock(&l->lock);
	l->wal_begin = l->wal_next = LOG_PAGES;
	pthread_mutex_unlock(&l->lock);
	for (unsigned i = 0; i < 1000; i++) {
		if (ledger_do(l, add_files, NULL, &f) != OK)
			_exit(4);
		*answered = ledger_size(l);
	}
	_exit(5);
}

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\": %s", what, err_word(e), f->rule, f->text);
}

/* Whenever it is: all that was answered is there, and the ledger goes on. */
static void killed_in_a_copy(void **state)
{
	static const struct {
		int at_write, at_flush;
	} cases[] = {{1, 0}, {100, 0}, {LOG_PAGES, 0}, {0, 1}, {0, 2}, {700, 0}};
	char dir[] = "/tmp/hufu-ledger-wal-XXXXXX";
	struct ledger *l;
	struct fault f = {0};
	(void)state;
	assert_non_null(mkdtemp(dir));
	_cleanup_(freep) char *path = xasprintf("%s/ledger.db", dir);
	must("make", ledger_open(dir, true, &l, &f), &f);
	ledger_close(l);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ledger_report report;
		int status;
		uint64_t before = *answered;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			add_until_killed(dir, path, cases[i].at_write, cases[i].at_flush);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			fail_msg("case %zu: not killed: status %#x", i, (unsigned)status);
		assert_true(*answered > before);
		must("open", ledger_open(dir, false, &l, &f), &f);
		assert_in_range(ledger_size(l), *answered, *answered + 1);
		must("go on", ledger_do(l, add_files, NULL, &f), &f);
		*answered = ledger_size(l);
		ledger_close(l);
		must("check", ledger_check(path, &report, &f), &f);
		assert_int_equal(report.size, *answered);
	}
	static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.lock"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *left = xasprintf("%s/%s", dir, names[i]);
		unlink(left);
	}
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(killed_in_a_copy)};
	log_init("test", LOG_LEVEL_ERROR);
	answered = mmap(NULL, sizeof(*answered), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answered == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests_name("ledger_wal", tests, NULL, NULL);
}

/*
 * What a daemon cannot do without, asked for behind its walls: also what it does seldom, and what no story reaches.
 */
#include "tests/process/sandbox_probe.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/db/db.h"
#include "common/pki/sign.h"
#include "common/rpc/server.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

/* Why, aloud, and some errno. */
static int because(enum err e, const struct fault *f)
{
	if (e == OK)
		return 0;
	fprintf(stderr, "%s: %s\n", f->where, f->text);
	return errno ? errno : EIO;
}

/* --- files --- */

static int keep_a_file(void)
{
	struct fault f = {0};
	_cleanup_buf_ struct buf back = {0};
	_cleanup_(freep) char *folder = xstrdup(scene.own_new), *path = path_join(folder, "file");
	enum err e = dir_make(folder, 0700, &f);
	if (e == OK)
		e = file_write(path, slice_str("one"), 0600, &f);
	if (e == OK)
		e = file_write(path, slice_str("two"), 0600, &f);
	if (e == OK)
		e = file_read(path, 10, &back, &f);
	if (e == OK && unlink(path) == 0)
		e = file_write_new(path, slice_str("three"), 0600, &f);
	if (e == OK && unlink(path) != 0)
		return errno;
	return because(e, &f);
}

static enum err use_database(const char *path, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL, *reader = NULL;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	static const char *const schema[] = {"CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB) STRICT"};
	TRY(db_open(path, false, &db, f));
	TRY(db_migrate(db, schema, 1, f));
	TRY(db_begin(db, f));
	for (int64_t i = 0; i < 3000; i++) /* more than the cache holds: it spills */
		TRY(db_run(db, f, "INSERT INTO t (b) VALUES (randomblob(2000))", ""));
	TRY(db_commit(db, f));
	TRY(db_open(path, true, &reader, f));
	TRY(db_one(reader, f, &row, "SELECT count(*) FROM (SELECT DISTINCT b FROM t ORDER BY b)", ""));
	return db_i64(row, 0) == 3000 ? OK : fault_raise(f, ERR_DB, "count", "t", "wrong count");
}

static int keep_a_database(void)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	struct fault f = {0};
	_cleanup_(freep) char *path = path_join(scene.state, "probe.db");
	enum err e = use_database(path, &f);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		_cleanup_(freep) char *one = xasprintf("%s%s", path, ends[i]);
		(void)unlink(one);
	}
	return because(e, &f);
}

static int read_config_again(void)
{
	struct fault f = {0};
	return because(load_config(scene.config, &f), &f);
}

/* As it is after somebody wrote the new one beside and renamed it. */
static int read_what_was_replaced(void)
{
	return open(scene.beside_config, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static int read_on(void)
{
	if (scene.who != RA)
		return open(scene.reads, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
	DIR *d = opendir(scene.reads);
	return d && readdir(d) ? closedir(d) : errno;
}

static int open_key(void)
{
	return open(scene.key, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

/* --- sockets --- */

static void echo(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	(void)arg;
	(void)peer;
	buf_add(reply, request.p, request.n);
}

/* A stale socket file is tried and replaced, a peer served, the file removed. */
static int serve_a_socket(void)
{
	struct fault f = {0};
	struct rpc_server *server = NULL;
	uint8_t greeting[8];
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_(freep) char *path = path_join(scene.socket_folder, "probe.sock");
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (bind_at(path) != 0)
		return errno;
	enum err e = rpc_server_start(
		&(struct rpc_server_config){
			.path = path, .mode = 0600, .max_request = 100, .workers = 2, .handle = echo},
		&server, &f);
	if (e != OK)
		return because(e, &f);
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 || recv(fd, greeting, 8, MSG_WAITALL) != 8)
		return errno ? errno : EPROTO;
	rpc_server_stop(server);
	return access(path, F_OK) == 0 ? EEXIST : 0;
}

/* A socket of the supervisor that is not the daemon's own, by path. */
static int tell_the_supervisor(void)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_(freep) char *path = path_join(scene.socket_folder, "probe-notify.sock");
	char text[32] = {0};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	setenv("NOTIFY_SOCKET", path, 1);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		return errno;
	notify_ready();
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	int code = n < 0 ? errno : strcmp(text, "READY=1") != 0;
	(void)unlink(path);
	return code;
}

static int look_a_name_up(void)
{
	struct addrinfo *all = NULL;
	int code = getaddrinfo("localhost", "25", NULL, &all);
	if (code == 0)
		freeaddrinfo(all);
	return code == 0 ? 0 : EIO;
}

/* --- the rest --- */

static void *sign_in_thread(void *arg)
{
	struct fault *f = arg;
	for (int a = 0; a < KEY_ALG_N; a++) {
		_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
		_cleanup_buf_ struct buf signature = {0};
		if (privkey_generate((enum key_alg)a, 2048, &key, f) != OK ||
		    privkey_sign(key, (enum key_alg)a, slice_str("text"), &signature, f) != OK)
			return arg;
	}
	return NULL;
}

static int sign_in_threads(void)
{
	static struct fault faults[4];
	pthread_t threads[4];
	void *bad = NULL;
	for (int i = 0; i < 4; i++) {
		int code = pthread_create(&threads[i], NULL, sign_in_thread, &faults[i]);
		if (code != 0)
			return code;
	}
	for (int i = 0; i < 4; i++) {
		void *one = NULL;
		pthread_join(threads[i], &one);
		bad = one ? one : bad;
	}
	return bad ? because(ERR_CRYPTO, bad) : 0;
}

static int open_a_seal(void)
{
	struct fault f = {0};
	_cleanup_secret_ struct secret pass = {0}, back = {0};
	_cleanup_buf_ struct buf sealed = {0};
	secret_alloc(&pass, 8);
	enum err e = secret_seal("probe", &pass, slice_str("plain"), &sealed, &f);
	if (e == OK)
		e = secret_open("probe", &pass, buf_slice(&sealed), &back, &f);
	return because(e, &f);
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Large: libc asks how much memory there is, and gives it back to the system. */
static int sort_and_grow(void)
{
	size_t n = 400000;
	int *v = xcalloc(n, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = (int)(n - i);
	qsort(v, n, sizeof(*v), by_value);
	int code = v[0] == 1 ? 0 : EINVAL;
	v = realloc(v, 64 * n * sizeof(*v));
	free(v);
	return code;
}

static int watch_the_clock(void)
{
	time_t now = (time_t)clock_now();
	struct tm tm;
	struct timespec pause = {.tv_nsec = 1000000};
	int64_t before = clock_mono_us();
	nanosleep(&pause, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	return localtime_r(&now, &tm) && clock_mono_us() - before >= 2000 ? 0 : EINVAL;
}

static int write_the_log(void)
{
	log_init("sandbox_probe", LOG_LEVEL_ERROR); /* is it a terminal? */
	errno = ENOENT;
	log_event(LOG_LEVEL_DEBUG, "probe", "why=%s", LQ(strerror(errno)));
	return 0;
}

static int ask_for_limits(void)
{
	struct rlimit limit;
	return outcome(getrlimit(RLIMIT_NOFILE, &limit)) || sysconf(_SC_NPROCESSORS_ONLN) < 1;
}

static int name_a_thread(void)
{
	return outcome(prctl(PR_SET_NAME, "probe", 0, 0, 0));
}

static int count_processors(void)
{
	return open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static int fail_an_assertion(void)
{
	assert(scene.inherited < -5);
	return 0;
}

/* libc finds it and says so. */
static int free_twice(void)
{
	void *volatile p = malloc(100000);
	void *volatile again = p;
	free(p);
	free(again);
	return 0;
}

const struct need needs[] = {
	{"keep a file in its state", keep_a_file, CA | RA | GATE | NOTIFIER},
	{"keep a database in its state", keep_a_database, CA | RA},
	{"read its configuration again", read_config_again, RELOADS, .alone = true},
	{"read a file that replaces its configuration", read_what_was_replaced, RELOADS, .alone = true},
	{"read its certificate, its policies, or where names are looked up", read_on, CA | RA | GATE | NOTIFIER},
	{"open its key", open_key, CA | RA | GATE},
	{"serve a socket", serve_a_socket, CA | RA},
	{"tell the supervisor", tell_the_supervisor, CA | RA | GATE | PORTAL},
	{"look a name up", look_a_name_up, NOTIFIER, .alone = true},
	{"make keys and sign in threads", sign_in_threads},
	{"open a seal", open_a_seal},
	{"sort, and take and give back memory", sort_and_grow},
	{"watch the clock", watch_the_clock},
	{"write the log", write_the_log},
	{"ask for its own limits", ask_for_limits},
	{"name a thread", name_a_thread, CLIENTS, .alone = true},
	{"count processors", count_processors, CLIENTS, .alone = true},
	{"fail an assertion", fail_an_assertion, .aborts = true},
	{"free memory twice", free_twice, .aborts = true},
	{0},
};

int attempt_need(size_t i)
{
	errno = 0;
	return needs[i].run();
}

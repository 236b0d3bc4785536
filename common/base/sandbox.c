/*
 * A daemon walls itself in: first what libraries read once, then no new privileges, then files, then system calls.
 *
 * The order matters. Landlock holds for the thread that asks and those it makes later, hence one thread; the list of
 * calls comes last because it does not hold Landlock's own. What the kernel's Landlock does not know yet is left out by
 * its version, so that an older kernel gives fewer walls and not none. Next: sandbox_calls.c.
 */
#include "common/base/sandbox.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/sandbox_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Build hosts have older headers than the kernels that this runs on. Values of <linux/landlock.h>. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* version 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* version 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15) /* version 5 */
#endif
#define NET_CONNECT 2ULL /* connect TCP, version 4 */
#define NET_ALL 3ULL	 /* and bind */
#define RULE_NET_PORT 2	 /* enum landlock_rule_type, version 4 */
#define PORT_OF_NAMES 53
#define SCOPE_ABSTRACT_SOCKET 1ULL /* version 6 */
#define SCOPE_SIGNAL 2ULL	   /* version 6 */

/* struct landlock_ruleset_attr as of version 6; the kernel takes a longer one whose rest is zero. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define FS_READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define FS_READ (FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_STATE                                                                                                       \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |         \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define FS_SOCKET (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
/* What can be allowed for a file that is no folder. */
#define FS_OF_A_FILE                                                                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |     \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)

static enum err raise(struct fault *f, const char *rule, const char *what)
{
	return fault_raise(f, ERR_INTERNAL, rule, "sandbox", "%s: %s", what, strerror(errno));
}

/* --- files: Landlock --- */

static uint64_t fs_known(int abi)
{
	uint64_t known = LANDLOCK_ACCESS_FS_REFER - 1; /* version 1: all bits below */
	if (abi >= 2)
		known |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		known |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		known |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return known;
}

/* A supervisor that waits on an abstract socket ("@name", sd_notify(3)) must stay within reach; all others need not. */
static uint64_t scopes(void)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	return notify && notify[0] == '@' ? SCOPE_SIGNAL : SCOPE_SIGNAL | SCOPE_ABSTRACT_SOCKET;
}

/* All that this kernel can forbid is forbidden; rules then allow. */
static int ruleset_new(int abi)
{
	struct ruleset r = {.fs = fs_known(abi)};
	if (abi >= 4)
		r.net = NET_ALL;
	if (abi >= 6)
		r.scoped = scopes();
	return (int)syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0);
}

static enum err allow(int ruleset, const char *path, uint64_t access, struct fault *f)
{
	_cleanup_(closep) int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return OK; /* whoever needs it says so better when it opens it */
	if (fd < 0 || fstat(fd, &st) != 0)
		return raise(f, "sandbox_path", ESC(path, strlen(path)));
	struct landlock_path_beneath_attr rule = {
		.parent_fd = fd, .allowed_access = S_ISDIR(st.st_mode) ? access : access & FS_OF_A_FILE};
	if (rule.allowed_access != 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		return raise(f, "sandbox_landlock", ESC(path, strlen(path)));
	return OK;
}

static enum err allow_folder_of(int ruleset, const char *path, uint64_t access, struct fault *f)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *folder =
		!slash ? xstrdup(".") : xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	return allow(ruleset, folder, access, f);
}

static enum err allow_path(int ruleset, const struct sandbox_path *p, uint64_t known, struct fault *f)
{
	if (!p->path)
		return OK;
	switch (p->access) {
	case SANDBOX_READ:
		return allow(ruleset, p->path, FS_READ, f);
	case SANDBOX_REREAD:
		TRY(allow(ruleset, p->path, FS_READ, f));
		return allow_folder_of(ruleset, p->path, FS_READ, f);
	case SANDBOX_STATE:
		return allow(ruleset, p->path, FS_STATE & known, f);
	case SANDBOX_SOCKET:
		return allow_folder_of(ruleset, p->path, FS_SOCKET, f);
	}
	return OK;
}

/* A build that counts what it runs through, which tools/coverage makes and nobody installs, leaves its counts there. */
#ifndef HUFU_COUNTS
#define HUFU_COUNTS NULL
#endif

static enum err allow_all(int ruleset, const struct sandbox *s, uint64_t known, struct fault *f)
{
	/* SQLite seeds itself from here. */
	TRY(allow(ruleset, "/dev/urandom", FS_READ_FILE, f));
	/* nng makes as many threads as there are processors. */
	if (s->client)
		TRY(allow(ruleset, "/sys/devices/system/cpu/online", FS_READ_FILE, f));
	for (size_t i = 0; i < s->n_paths; i++)
		TRY(allow_path(ruleset, &s->paths[i], known, f));
	return allow_path(ruleset, &(struct sandbox_path){HUFU_COUNTS, SANDBOX_STATE}, known, f);
}

/* struct landlock_net_port_attr of version 4. */
struct port_rule {
	uint64_t access, port;
};

static enum err allow_port(int ruleset, uint16_t port, struct fault *f)
{
	struct port_rule rule = {NET_CONNECT, port};
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) != 0)
		return raise(f, "sandbox_landlock", "port");
	return OK;
}

static enum err allow_ports(int ruleset, const struct sandbox *s, struct fault *f)
{
	for (size_t i = 0; i < s->n_ports; i++)
		TRY(allow_port(ruleset, s->ports[i], f));
	return s->n_ports > 0 ? allow_port(ruleset, PORT_OF_NAMES, f) : OK;
}

/* *ret_abi: 0 when the kernel has none. */
static enum err wall_files(const struct sandbox *s, int *ret_abi, struct fault *f)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	*ret_abi = abi < 1 ? 0 : (int)abi;
	if (abi < 1) {
		/* Not built in, off at boot, or hidden by a container: ENOSYS, EOPNOTSUPP, EPERM. */
		log_event(LOG_LEVEL_ERROR, "sandbox_without_landlock", "why=%s text=%s", LQ(strerror(errno)),
			  LQ("the kernel limits no file access of this process; Unix permissions stand alone"));
		return OK;
	}
	_cleanup_(closep) int ruleset = ruleset_new(*ret_abi);
	if (ruleset < 0)
		return raise(f, "sandbox_landlock", "landlock_create_ruleset");
	TRY(allow_all(ruleset, s, fs_known(*ret_abi), f));
	if (*ret_abi >= 4)
		TRY(allow_ports(ruleset, s, f));
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return raise(f, "sandbox_landlock", "landlock_restrict_self");
	return OK;
}

/* --- all of it --- */

/* Sanitizers fork a tracer, read /proc and start a symbolizer when they find something: inside the walls they would die
 * of what they must do, and a finding would look like a forbidden call. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* One folder for each thread: two links for a folder itself, one for each below it. */
static bool has_one_thread(void)
{
	struct stat st;
	return stat("/proc/self/task", &st) != 0 || st.st_nlink <= 3;
}

/* close_range is missing before Linux 5.9; Landlock is younger. */
static void close_others(const struct sandbox *s)
{
	unsigned from = 3;
	for (;;) {
		unsigned next = ~0U; /* the lowest kept one from there on */
		for (size_t i = 0; i < s->n_keep; i++) {
			if ((unsigned)s->keep[i] >= from && (unsigned)s->keep[i] < next)
				next = (unsigned)s->keep[i];
		}
		if (next > from)
			(void)!close_range(from, next == ~0U ? ~0U : next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}

static enum err put_up(const struct sandbox *s, struct fault *f)
{
	int abi = 0;
	TRY(wall_files(s, &abi, f));
	TRY(sandbox_calls_load(s, f));
	log_event(LOG_LEVEL_NOTICE, "sandbox", "seccomp=1 landlock_abi=%d", abi);
	return OK;
}

enum err sandbox_enter(const struct sandbox *s, struct fault *f)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
		return fault_raise(f, ERR_CONFIG, "openssl_config", "sandbox",
				   "libcrypto does not start: look at its configuration (openssl.cnf)");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return raise(f, "sandbox_privileges", "no new privileges");
	if (SANITIZED) {
		log_event(LOG_LEVEL_ERROR, "sandbox_off", "why=%s", LQ("built with a sanitizer; not for production"));
		return OK;
	}
	if (!has_one_thread())
		return fault_raise(f, ERR_INTERNAL, "sandbox_threads", "sandbox",
				   "found more than one thread, wanted one: Landlock would leave the others free");
	close_others(s);
	return put_up(s, f);
}

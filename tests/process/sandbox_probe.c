/*
 * Asks from inside a daemon's walls for what they must not give, and for what the daemon cannot do without.
 *
 * Each attempt runs in a child of its own, twice: without walls, where an attempt on a file must succeed (else its
 * denial would prove nothing), and behind the walls of the named daemon. Run it as root, so that Unix permissions deny
 * nothing and the walls alone can. Calls that could harm the machine get arguments that the kernel refuses: a filter
 * acts before it looks at them. What daemons need is in sandbox_needs.c.
 */
#include "tests/process/sandbox_probe.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct scene scene;

int outcome(long result)
{
	return result < 0 ? errno : 0;
}

/* --- files: each must succeed without walls and be denied behind them --- */

static int read_inherited(void)
{
	char c;
	return outcome(pread(scene.inherited, &c, 1, 0));
}

static int make_folder(void)
{
	return outcome(mkdir(scene.foreign_new, 0700));
}

static int remove_file(void)
{
	return outcome(unlink(scene.foreign_file));
}

static int remove_folder(void)
{
	return outcome(unlinkat(AT_FDCWD, scene.foreign_folder, AT_REMOVEDIR));
}

static int remove_beside_config(void)
{
	return outcome(unlink(scene.beside_config));
}

static int move_out(void)
{
	return outcome(rename(scene.own, scene.foreign_new));
}

static int move_in(void)
{
	return outcome(rename(scene.foreign_file, scene.own));
}

static int link_in(void)
{
	return outcome(link(scene.foreign_file, scene.own_new));
}

static int link_out(void)
{
	return outcome(link(scene.own, scene.foreign_new));
}

int bind_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? errno : outcome(bind(fd, (const struct sockaddr *)&a, sizeof(a)));
}

static int bind_elsewhere(void)
{
	return bind_at(scene.foreign_new);
}

static int bind_in_state(void)
{
	return bind_at(scene.own_new);
}

static const struct {
	const char *name;
	const char *path;  /* this one is opened with flags */
	char *const *that; /* or this one */
	int flags;
	int (*run)(void);   /* or this is called */
	bool state, socket; /* asked of who keeps a state, or binds a socket */
} on_files[] = {
	{"read another user's secret", .path = "/etc/shadow", .flags = O_RDONLY},
	{"read a foreign file", .that = &scene.foreign_file, .flags = O_RDONLY},
	{"list the root folder", .path = "/", .flags = O_RDONLY | O_DIRECTORY},
	{"list a foreign folder", .that = &scene.foreign_folder, .flags = O_RDONLY | O_DIRECTORY},
	{"read a library", .path = "/etc/ld.so.cache", .flags = O_RDONLY},
	{"read the environment", .path = "/proc/self/environ", .flags = O_RDONLY},
	{"read the list of processes", .path = "/proc", .flags = O_RDONLY | O_DIRECTORY},
	{"read its memory as a file", .path = "/proc/self/mem", .flags = O_RDONLY},
	{"open a device", .path = "/dev/zero", .flags = O_RDONLY},
	{"write to the seed of random bytes", .path = "/dev/urandom", .flags = O_WRONLY},
	{"write a foreign file", .that = &scene.foreign_file, .flags = O_WRONLY},
	{"truncate a foreign file", .that = &scene.foreign_file, .flags = O_RDONLY | O_TRUNC},
	{"make a foreign file", .that = &scene.foreign_new, .flags = O_WRONLY | O_CREAT | O_EXCL},
	{"make a file without a name", .path = "/tmp", .flags = O_RDWR | O_TMPFILE},
	{"write its own configuration", .that = &scene.config, .flags = O_WRONLY | O_APPEND},
	{"make a file beside its socket", .that = &scene.beside_socket, .flags = O_WRONLY | O_CREAT, .socket = true},
	{"use a descriptor from before", .run = read_inherited},
	{"make a foreign folder", .run = make_folder},
	{"remove a foreign file", .run = remove_file},
	{"remove a foreign folder", .run = remove_folder},
	{"remove a file beside its configuration", .run = remove_beside_config},
	{"move its own file out", .run = move_out, .state = true},
	{"move a foreign file in", .run = move_in, .state = true},
	{"link a foreign file into its state", .run = link_in, .state = true},
	{"link its own file out", .run = link_out, .state = true},
	{"make a socket elsewhere", .run = bind_elsewhere},
	{"make a socket in its state", .run = bind_in_state, .state = true},
};

static int attempt_on_file(size_t i)
{
	if (on_files[i].run)
		return on_files[i].run();
	_cleanup_(closep) int fd = open(on_files[i].path ? on_files[i].path : *on_files[i].that,
					on_files[i].flags | O_CLOEXEC | O_NOCTTY, 0600);
	return outcome(fd);
}

/* --- calls: each must end the process --- */

#define BAD (-1L)
static struct rlimit some_limit = {RLIM_INFINITY, RLIM_INFINITY};

static const struct {
	const char *name;
	long call, a[6];
	bool network; /* who has one may */
} forbidden[] = {
	{"open a TCP socket", SYS_socket, {AF_INET, SOCK_STREAM}, .network = true},
	{"open a TCP socket over IPv6", SYS_socket, {AF_INET6, SOCK_STREAM}, .network = true},
	{"open a UDP socket", SYS_socket, {AF_INET, SOCK_DGRAM}, .network = true},
	{"open a netlink socket", SYS_socket, {AF_NETLINK, SOCK_RAW}, .network = true},
	{"open a packet socket", SYS_socket, {AF_PACKET, SOCK_RAW}},
	{"open a socket between virtual machines", SYS_socket, {AF_VSOCK, SOCK_STREAM}},
	{"make a pair of sockets", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}, .network = true},
	{"make a pipe", SYS_pipe2, {0, BAD}, .network = true},
	{"start a program", SYS_execve, {(long)"/bin/true"}},
	{"start a program by descriptor", SYS_execveat, {BAD, (long)"", 0, 0, BAD}},
	{"make half a thread", SYS_clone, {CLONE_THREAD}},
	{"make a child without memory of its own", SYS_clone, {CLONE_SIGHAND | CLONE_VFORK}},
	{"make a thread in a new user namespace", SYS_clone, {CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWUSER}},
	{"make a namespace", SYS_unshare, {BAD}},
	{"enter a namespace", SYS_setns, {BAD, 0}},
	{"trace", SYS_ptrace, {BAD, 0, 0, 0}},
	{"read another process's memory", SYS_process_vm_readv, {1, 0, 0, 0, 0, 0}},
	{"write another process's memory", SYS_process_vm_writev, {1, 0, 0, 0, 0, 0}},
	{"hold another process", SYS_pidfd_open, {1, BAD}},
	{"take another process's descriptor", SYS_pidfd_getfd, {BAD, 0, 0}},
	{"signal a process", SYS_kill, {1, 0}},
	{"signal another process's thread", SYS_tgkill, {1, 1, 0}},
	{"mount", SYS_mount, {0, 0, 0, 0, 0}},
	{"unmount", SYS_umount2, {0, 0}},
	{"change the root folder", SYS_chroot, {0}},
	{"pivot the root folder", SYS_pivot_root, {0, 0}},
	{"become another user", SYS_setresuid, {BAD, BAD, BAD}},
	{"become another group", SYS_setresgid, {BAD, BAD, BAD}},
	{"drop groups", SYS_setgroups, {BAD, 0}},
	{"change capabilities", SYS_capset, {0, 0}},
	{"allow core dumps and tracers", SYS_prctl, {PR_SET_DUMPABLE, 1, 0, 0, 0}},
	{"raise a limit", SYS_prlimit64, {0, RLIMIT_CORE, (long)&some_limit, 0}},
	{"look at another process's limits", SYS_prlimit64, {1, RLIMIT_CORE, 0, 0}},
	{"map code", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
	{"turn data into code", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}},
	{"type into the terminal", SYS_ioctl, {0, TIOCSTI, 0}},
	{"ask a device", SYS_ioctl, {0, FIONREAD, 0}, .network = true},
	{"remove a folder", SYS_rmdir, {0}},
	{"make a symbolic link", SYS_symlinkat, {0, AT_FDCWD, 0}},
	{"make a device", SYS_mknodat, {AT_FDCWD, 0, 0, 0}},
	{"give a file away by name", SYS_fchownat, {AT_FDCWD, 0, 0, 0, 0}},
	{"open a file by handle", SYS_open_by_handle_at, {AT_FDCWD, 0, 0}},
	{"make a file in memory", SYS_memfd_create, {0, 0}},
	{"use io_uring", SYS_io_uring_setup, {0, 0}},
	{"load a filter into the kernel", SYS_bpf, {BAD, 0, 0}},
	{"add a filter of calls", SYS_seccomp, {BAD, 0, 0}},
	{"watch events of the processor", SYS_perf_event_open, {0, 0, BAD, BAD, 0}},
	{"handle page faults", SYS_userfaultfd, {BAD}},
	{"use the kernel's keys", SYS_keyctl, {BAD, 0, 0, 0, 0}},
	{"load a kernel module", SYS_finit_module, {BAD, 0, 0}},
	{"load a kernel", SYS_kexec_load, {0, BAD, 0, BAD}},
	{"set the clock", SYS_clock_settime, {0, 0}},
	{"reboot", SYS_reboot, {0, 0, 0, 0}},
	{"swap to a file", SYS_swapon, {0, 0}},
#ifdef __x86_64__
	{"ask by a number of x32", 0x40000000L | SYS_getpid, {0}},
#endif
};

static int attempt_call(size_t i)
{
	const long *a = forbidden[i].a;
	return outcome(syscall(forbidden[i].call, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* Not harmful, and not refused by error: libc takes its other way. */
static int attempt_clone3(size_t i)
{
	(void)i;
	return outcome(syscall(SYS_clone3, NULL, 0));
}

/* --- running an attempt --- */

static enum err enter(struct fault *f)
{
	switch (scene.who) {
	case CA:
		return ca_sandbox_enter(&scene.ca, f);
	case RA:
		return ra_sandbox_enter(&scene.ra, f);
	case NOTIFIER:
		return notifier_sandbox_enter(&scene.notifier, f);
	case GATE:
	case PORTAL:
		break;
	}
	return gate_sandbox_enter(&scene.gate, -1, -1, f);
}

static void put_file(const char *path)
{
	struct fault f = {0};
	if (file_write(path, slice_str("probe"), 0666, &f) != OK) {
		fprintf(stderr, "%s\n", f.text);
		exit(3);
	}
}

static void remove_all(const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i] && unlink(paths[i]) != 0)
			(void)rmdir(paths[i]);
}

static void clear_scene(void)
{
	const char *const all[] = {scene.foreign_new,	 scene.own_new,	     scene.beside_socket, scene.own,
				   scene.foreign_folder, scene.foreign_file, scene.beside_config};
	remove_all(all, N(all));
}

/* As each attempt finds it, whatever the one before did. */
static void set_scene(void)
{
	clear_scene();
	put_file(scene.foreign_file);
	if (scene.own)
		put_file(scene.own);
	put_file(scene.beside_config);
	(void)mkdir(scene.foreign_folder, 0777);
}

/* Of waitpid. Exit code: 0 or an errno. */
static int run_in_child(int (*attempt)(size_t i), size_t i, bool walled)
{
	int status = 0;
	set_scene();
	pid_t pid = fork();
	if (pid == 0) {
		struct fault f = {0};
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		scene.inherited = open(scene.foreign_file, O_RDONLY);
		if (walled && enter(&f) != OK) {
			fprintf(stderr, "no walls: %s\n", f.text);
			exit(200);
		}
		exit(attempt(i));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(3);
	return status;
}

static const char *words(int status)
{
	static char text[80];
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "ended by %s", strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "%s", WEXITSTATUS(status) ? strerror(WEXITSTATUS(status)) : "done");
	return text;
}

static unsigned n_asked, n_wrong;

static void verdict(bool right, const char *name, const char *how, int status)
{
	n_asked++;
	n_wrong += !right;
	printf("%s %s (%s): %s\n", right ? "ok" : "WRONG", name, how, words(status));
}

static bool exited(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/* EXDEV: a rename or link between folders that have different rules. EBADF: a descriptor that is closed. */
static bool denied(int status)
{
	return exited(status, EACCES) || exited(status, EXDEV) || exited(status, EBADF);
}

static void ask_for_files(void)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
		printf("no Landlock in this kernel: %zu attempts on files are not made\n", N(on_files));
		return;
	}
	for (size_t i = 0; i < N(on_files); i++) {
		if ((on_files[i].state && !scene.state) || (on_files[i].socket && !scene.socket_folder))
			continue;
		int status = run_in_child(attempt_on_file, i, false);
		verdict(exited(status, 0), on_files[i].name, "without walls", status);
		status = run_in_child(attempt_on_file, i, true);
		verdict(denied(status), on_files[i].name, "walled", status);
	}
}

static bool killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void ask_for_calls(void)
{
	for (size_t i = 0; i < N(forbidden); i++) {
		int status = run_in_child(attempt_call, i, false);
		verdict(!WIFSIGNALED(status), forbidden[i].name, "without walls", status);
		status = run_in_child(attempt_call, i, true);
		if (forbidden[i].network && scene.who == NOTIFIER)
			verdict(!killed(status), forbidden[i].name, "walled, with a network", status);
		else
			verdict(killed(status), forbidden[i].name, "walled", status);
	}
	int status = run_in_child(attempt_clone3, 0, true);
	verdict(exited(status, ENOSYS), "clone3", "walled", status);
}

static int attempt_port(size_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return outcome(connect(fd, (const struct sockaddr *)&a, sizeof(a)));
}

/* Nobody listens on either: refused is heard from the network, denied from the walls. */
static void ask_for_ports(void)
{
	static const uint16_t foreign[] = {1, 25, 8080};
	if (scene.who != NOTIFIER || syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 4)
		return;
	int status = run_in_child(attempt_port, (size_t)scene.notifier.gateway.port, true);
	verdict(exited(status, ECONNREFUSED), "connect to its gateway's port", "walled", status);
	status = run_in_child(attempt_port, (size_t)scene.notifier.smtp.port, true);
	verdict(exited(status, ECONNREFUSED), "connect to its mail server's port", "walled", status);
	for (size_t i = 0; i < N(foreign); i++) {
		status = run_in_child(attempt_port, foreign[i], true);
		verdict(exited(status, EACCES), "connect to a foreign port", "walled", status);
	}
}

static void ask_for_needs(void)
{
	for (size_t i = 0; needs[i].name; i++) {
		bool has = needs[i].who == 0 || (needs[i].who & scene.who) != 0;
		if (!has && !needs[i].alone)
			continue;
		int status = run_in_child(attempt_need, i, true);
		if (!has)
			verdict(!exited(status, 0), needs[i].name, "walled, of the other daemon", status);
		else if (needs[i].aborts)
			verdict(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, needs[i].name, "walled", status);
		else
			verdict(exited(status, 0), needs[i].name, "walled", status);
	}
}

/* --- main --- */

static const struct {
	const char *name;
	enum who who;
} daemons[] = {{"ca", CA}, {"ra", RA}, {"gate", GATE}, {"portal", PORTAL}, {"notifier", NOTIFIER}};

static char *folder_of(const char *path)
{
	return xstrndup(path, (size_t)(strrchr(path, '/') - path));
}

enum err load_config(const char *path, struct fault *f)
{
	switch (scene.who) {
	case CA:
		return ca_config_load(path, &scene.ca, f);
	case RA:
		return ra_config_load(path, &scene.ra, f);
	case NOTIFIER:
		return notifier_config_load(path, &scene.notifier, f);
	case GATE:
	case PORTAL:
		break;
	}
	return gate_config_load(path, &scene.gate, f);
}

/* Where each has what the attempts are about. */
static void look_around(void)
{
	const struct {
		char *state, *socket;
		const char *reads, *key;
	} all[] = {
		[CA] = {scene.ca.state, scene.ca.ra_socket, scene.ca.issuer, scene.ca.key},
		[RA] = {scene.ra.state, scene.ra.socket, scene.ra.policies, scene.ra.ra_key},
		[GATE] = {scene.gate.state, scene.gate.metrics.path, scene.gate.issuer, scene.gate.keys[0]},
		[PORTAL] = {scene.gate.state, scene.gate.metrics.path, NULL, NULL},
		[NOTIFIER] = {NULL, NULL, "/etc/hosts", NULL},
	};
	scene.state = scene.who == NOTIFIER ? path_join(scene.notifier.state, "spool") : all[scene.who].state;
	scene.reads = all[scene.who].reads;
	scene.key = all[scene.who].key;
	if (scene.state) {
		scene.own = path_join(scene.state, "probe-own");
		scene.own_new = path_join(scene.state, "probe-new");
	}
	if (all[scene.who].socket) {
		scene.socket_folder = folder_of(all[scene.who].socket);
		scene.beside_socket = path_join(scene.socket_folder, "probe-file");
	}
}

static enum err open_scene(const char *daemon, const char *config, const char *foreign, struct fault *f)
{
	for (size_t i = 0; i < N(daemons); i++)
		if (strcmp(daemon, daemons[i].name) == 0)
			scene.who = daemons[i].who;
	if (scene.who == 0)
		return fault_raise(f, ERR_CONFIG, "daemon", "daemon", "found %s, wanted one of five", daemon);
	TRY(load_config(config, f));
	look_around();
	scene.config = xstrdup(config);
	scene.beside_config = xasprintf("%s.probe", config);
	scene.foreign_file = path_join(foreign, "file");
	scene.foreign_new = path_join(foreign, "new");
	scene.foreign_folder = path_join(foreign, "folder");
	return scene.state ? dir_make(scene.state, 0700, f) : OK;
}

int main(int argc, char **argv)
{
	struct fault f = {0};
	secret_init();
	log_init("sandbox_probe", LOG_LEVEL_ERROR);
	if (argc != 4 || argv[2][0] != '/') {
		fputs("usage: sandbox_probe ca|ra|gate|portal|notifier CONFIG FOREIGN-FOLDER\n", stderr);
		return 4;
	}
	if (open_scene(argv[1], argv[2], argv[3], &f) != OK) {
		fprintf(stderr, "%s\n", f.text);
		return 4;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	ask_for_files();
	ask_for_calls();
	ask_for_ports();
	ask_for_needs();
	clear_scene();
	printf("%u asked, %u wrong\n", n_asked, n_wrong);
	return n_wrong == 0 ? 0 : 1;
}

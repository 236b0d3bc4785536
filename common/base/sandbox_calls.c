/*
 * The system calls of a daemon, by what needs them. What is not here ends the process.
 *
 * Killed and not refused: no call of ours is missing from the list by intent, so one that comes is a bug or an
 * intruder, and neither shall see what an error code does. One call is refused instead: clone3, whose flags lie in
 * memory where a filter cannot look, and for which libc falls back to clone. The kernel logs each kill by itself (audit
 * type 1326); the filter's own log flag stays off, since it would add a line for each thread that asks for clone3.
 *
 * Which call libc takes for a function differs by version and machine (stat, newfstatat, statx; poll, ppoll), hence all
 * of a family. Names that a machine lacks are skipped by libseccomp.
 */
#include "common/base/sandbox_private.h"

#include "common/base/cleanup.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static void filter_freep(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
	*filter = NULL;
}

/* The allocator, stacks of threads, guarded pages of secrets (mlock). mmap and mprotect are below. */
static const int memory[] = {SCMP_SYS(brk),	SCMP_SYS(munmap), SCMP_SYS(mremap),
			     SCMP_SYS(madvise), SCMP_SYS(mlock),  SCMP_SYS(munlock)};

/* Threads, locks and condition variables; rseq and robust lists are libc's when a thread begins. */
static const int threads[] = {SCMP_SYS(futex),	   SCMP_SYS(futex_waitv), SCMP_SYS(set_robust_list),
			      SCMP_SYS(rseq),	   SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
			      SCMP_SYS(gettid),	   SCMP_SYS(getpid),	  SCMP_SYS(exit),
			      SCMP_SYS(exit_group)};

/* SIGTERM and SIGHUP are waited for; abort(3) masks and raises, the last by tgkill below. */
static const int signals[] = {SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
			      SCMP_SYS(rt_sigtimedwait), SCMP_SYS(restart_syscall)};

/* Time of day and pauses; the first four where the vDSO cannot answer (some virtual machines). */
static const int clocks[] = {SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
			     SCMP_SYS(time),	      SCMP_SYS(nanosleep),    SCMP_SYS(clock_nanosleep)};

/* Random bytes of libcrypto and libsodium; SQLite asks for its user; qsort(3) of libc before 2.37 for the memory. */
static const int facts[] = {SCMP_SYS(getrandom), SCMP_SYS(getuid),  SCMP_SYS(geteuid),
			    SCMP_SYS(getgid),	 SCMP_SYS(getegid), SCMP_SYS(sysinfo)};

/* SQLite's files, materials, CRLs, config and policies read again. Which files, Landlock says; what is written and how
 * locks are taken does not matter once a file is open. sync_file_range: a long CRL's. fchown: SQLite as root gives -wal the database's owner. statfs: is
 * there room for what comes in. */
static const int files[] = {SCMP_SYS(open),	      SCMP_SYS(openat),	    SCMP_SYS(close),	 SCMP_SYS(read),
			    SCMP_SYS(pread64),	      SCMP_SYS(write),	    SCMP_SYS(pwrite64),	 SCMP_SYS(writev),
			    SCMP_SYS(lseek),	      SCMP_SYS(_llseek),    SCMP_SYS(stat),	 SCMP_SYS(fstat),
			    SCMP_SYS(lstat),	      SCMP_SYS(newfstatat), SCMP_SYS(statx),	 SCMP_SYS(access),
			    SCMP_SYS(faccessat),      SCMP_SYS(faccessat2), SCMP_SYS(readlink),	 SCMP_SYS(readlinkat),
			    SCMP_SYS(getcwd),	      SCMP_SYS(getdents64), SCMP_SYS(fcntl),	 SCMP_SYS(flock),
			    SCMP_SYS(fsync),	      SCMP_SYS(fdatasync),  SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
			    SCMP_SYS(rename),	      SCMP_SYS(renameat),   SCMP_SYS(renameat2), SCMP_SYS(link),
			    SCMP_SYS(linkat),	      SCMP_SYS(unlink),	    SCMP_SYS(unlinkat),	 SCMP_SYS(mkdir),
			    SCMP_SYS(mkdirat),	      SCMP_SYS(chmod),	    SCMP_SYS(fchmod),	 SCMP_SYS(fchmodat),
			    SCMP_SYS(fchown),	      SCMP_SYS(umask),	    SCMP_SYS(statfs),	 SCMP_SYS(fstatfs),
			    SCMP_SYS(sync_file_range)};

/* A Unix socket and its peers (common/rpc/loop.c); connect tells a living server's socket file from a stale one, sendto
 * also reaches the service manager. socket is below. */
static const int sockets[] = {SCMP_SYS(bind),	       SCMP_SYS(listen),    SCMP_SYS(accept4),	  SCMP_SYS(connect),
			      SCMP_SYS(getsockopt),    SCMP_SYS(shutdown),  SCMP_SYS(sendto),	  SCMP_SYS(sendmsg),
			      SCMP_SYS(recvfrom),      SCMP_SYS(recvmsg),   SCMP_SYS(poll),	  SCMP_SYS(ppoll),
			      SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
			      SCMP_SYS(eventfd2)};

/* nng's client reads a message into several buffers. */
static const int client[] = {SCMP_SYS(readv)};

/* The network: libcurl and libc's resolver, which has a thread of its own, wakes it by a pair of sockets, and asks which
 * addresses this machine has. socket and ioctl are below. */
static const int network[] = {SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(sendmmsg),
			      SCMP_SYS(socketpair), SCMP_SYS(pipe2),	   SCMP_SYS(uname)};

/* The gate's two HTTP servers: corks, files sent from their descriptors, the address of a socket. */
static const int http[] = {SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(sendfile)};

struct group {
	const int *calls;
	size_t n;
};
#define GROUP(a)                                                                                                       \
	{                                                                                                              \
		.calls = (a), .n = sizeof(a) / sizeof((a)[0])                                                          \
	}

static enum err add(scmp_filter_ctx filter, uint32_t action, int call, const struct scmp_arg_cmp *cmp, unsigned n_cmp,
		    struct fault *f)
{
	int code = seccomp_rule_add_array(filter, action, call, n_cmp, cmp);
	if (code == 0)
		return OK;
	_cleanup_(freep) char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
	return fault_raise(f, ERR_INTERNAL, "sandbox_seccomp", "sandbox", "system call %s (%d): %s",
			   name ? name : "unknown", call, strerror(-code));
}

static enum err add_groups(scmp_filter_ctx filter, const struct group *groups, size_t n, struct fault *f)
{
	for (size_t g = 0; g < n; g++)
		for (size_t i = 0; i < groups[g].n; i++)
			TRY(add(filter, SCMP_ACT_ALLOW, groups[g].calls[i], NULL, 0, f));
	return OK;
}

#define A0(op, ...) SCMP_A0_64(op, __VA_ARGS__)
#define A1(op, ...) SCMP_A1_64(op, __VA_ARGS__)
#define A2(op, ...) SCMP_A2_64(op, __VA_ARGS__)
#define CLONE_OF_A_THREAD ((scmp_datum_t)(CLONE_THREAD | CLONE_VM | CLONE_SIGHAND))
#define CLONE_OF_MORE                                                                                                  \
	((scmp_datum_t)(CLONE_VFORK | CLONE_PTRACE | CLONE_UNTRACED | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |   \
			CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PIDFD))

/* Calls that are right with some arguments only. */
static enum err add_limited(scmp_filter_ctx filter, bool is_client, bool has_network, struct fault *f)
{
	const struct {
		int call;
		unsigned n;
		struct scmp_arg_cmp cmp[2];
		bool client, network;
	} limited[] = {
		/* A thread, and no process, namespace or traced child. */
		{SCMP_SYS(clone), 1, {A0(SCMP_CMP_MASKED_EQ, CLONE_OF_A_THREAD | CLONE_OF_MORE, CLONE_OF_A_THREAD)}},
		/* Unix sockets alone: no network, no netlink, no packets. */
		{SCMP_SYS(socket), 1, {A0(SCMP_CMP_EQ, AF_UNIX)}},
		{SCMP_SYS(socket), 1, {A0(SCMP_CMP_EQ, AF_INET)}, .network = true},
		{SCMP_SYS(socket), 1, {A0(SCMP_CMP_EQ, AF_INET6)}, .network = true},
		/* getaddrinfo(3) asks for this machine's addresses, and how long a name server's answer is. */
		{SCMP_SYS(socket), 1, {A0(SCMP_CMP_EQ, AF_NETLINK)}, .network = true},
		{SCMP_SYS(ioctl), 1, {A1(SCMP_CMP_EQ, FIONREAD)}, .network = true},
		/* Nothing becomes code any more: all libraries are loaded. */
		{SCMP_SYS(mmap), 1, {A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
		{SCMP_SYS(mprotect), 1, {A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
		/* abort(3), to itself. */
		{SCMP_SYS(tgkill), 1, {A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())}},
		/* libc asks for its own limits and sets none. */
		{SCMP_SYS(prlimit64), 2, {A0(SCMP_CMP_EQ, 0), A2(SCMP_CMP_EQ, 0)}},
		/* isatty(3) for the form of log lines, the second by libc from 2.42. */
		{SCMP_SYS(ioctl), 1, {A1(SCMP_CMP_EQ, TCGETS)}},
		{SCMP_SYS(ioctl), 1, {A1(SCMP_CMP_EQ, TCGETS2)}},
		/* nng names its threads. */
		{SCMP_SYS(prctl), 1, {A0(SCMP_CMP_EQ, PR_SET_NAME)}, .client = true},
	};
	for (size_t i = 0; i < sizeof(limited) / sizeof(limited[0]); i++)
		if ((is_client || !limited[i].client) && (has_network || !limited[i].network))
			TRY(add(filter, SCMP_ACT_ALLOW, limited[i].call, limited[i].cmp, limited[i].n, f));
	return add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), NULL, 0, f);
}

/* Another machine's calls (32 bits, x32) have other numbers: no way around the list. Optimized: a tree, not a chain. */
static int set_attributes(scmp_filter_ctx filter)
{
	int code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (code == 0)
		code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return code;
}

enum err sandbox_calls_load(const struct sandbox *s, struct fault *f)
{
	bool has_network = s->n_ports > 0;
	static const struct group groups[] = {GROUP(memory), GROUP(threads), GROUP(signals), GROUP(clocks),
					      GROUP(facts),  GROUP(files),   GROUP(sockets)};
	static const struct group client_groups[] = {GROUP(client)}, network_groups[] = {GROUP(network)},
				  http_groups[] = {GROUP(http)};
	_cleanup_(filter_freep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return fault_raise(
			f, ERR_INTERNAL, "sandbox_seccomp", "sandbox",
			"seccomp(2) cannot be used to end a process for a forbidden call: wanted Linux 4.14, "
			"and a service manager or container that lets the program call it");
	int code = set_attributes(filter);
	if (code == 0) {
		TRY(add_groups(filter, groups, sizeof(groups) / sizeof(groups[0]), f));
		if (s->client)
			TRY(add_groups(filter, client_groups, 1, f));
		if (s->serves_http)
			TRY(add_groups(filter, http_groups, 1, f));
		if (has_network)
			TRY(add_groups(filter, network_groups, 1, f));
		TRY(add_limited(filter, s->client, has_network, f));
		code = seccomp_load(filter);
	}
	if (code != 0)
		return fault_raise(f, ERR_INTERNAL, "sandbox_seccomp", "sandbox",
				   "the kernel does not take the list of system calls: %s", strerror(-code));
	return OK;
}

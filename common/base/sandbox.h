/*
 * The walls that a daemon puts around itself, once, for good: before its first thread, its store and its first outside byte.
 *
 * Three of them, each by the kernel: no new privileges, Landlock for what it may open (landlock(7)), seccomp for what it may ask the kernel (seccomp(2)). Landlock
 * does not rule over looking a file up (stat) or its mode (chmod): there Unix permissions stand alone.
 */
#ifndef HUFU_BASE_SANDBOX_H
#define HUFU_BASE_SANDBOX_H

#include "common/base/err.h"

#include <stdint.h>

enum sandbox_access {
	SANDBOX_READ,   /* a file, or a folder and all below it */
	SANDBOX_REREAD, /* a file that others replace by a rename: itself, and its folder and all below it, to read */
	SANDBOX_STATE,  /* a folder of its own and all below it: read, write, make, remove, rename inside one folder */
	SANDBOX_SOCKET, /* a Unix socket that it binds: in that socket's folder it may make sockets and remove files */
};
struct sandbox_path {
	const char *path; /* NULL, or not there: no rule. Links are followed now, so one that changes later leads nowhere. */
	enum sandbox_access access;
};
struct sandbox {
	const struct sandbox_path *paths;
	size_t n_paths;
	const uint16_t *ports; /* TCP ports that it may connect to, over the network, name servers (port 53) besides; none: no network at all */
	size_t n_ports;
	const int *keep; /* descriptors that stay open: sockets that listen already, where the walls leave nobody bind */
	size_t n_keep;
	bool serves_http; /* libmicrohttpd lives here: it sends files and looks at its sockets' options */
	bool client; /* nng's client lives here too: it counts processors, names its threads, reads into several buffers */
};

/* Call after secret_init(), with one thread. Descriptors above 2 that are not kept are closed: what is open already no rule can reach. Reads what libcrypto would read later (openssl.cnf).
 *
 * A call that is not on the list ends the process (SIGSYS) and leaves a line in the kernel's audit log. A kernel without Landlock is said aloud, at the
 * level of errors, and the rest stands; without seccomp the daemon must not run: ERR_INTERNAL. In a build with address or thread sanitizer there are no walls, which is said aloud too. */
MUST_CHECK enum err sandbox_enter(const struct sandbox *s, struct fault *f);

#endif

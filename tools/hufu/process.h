/*
 * Starting Hufu's programs: as another Unix user, with a secret on a descriptor, and waiting until they say that they
 * are ready.
 */
#ifndef HUFU_TOOLS_PROCESS_H
#define HUFU_TOOLS_PROCESS_H

#include "common/base/secret.h"

#include <sys/types.h>

#define PROCESS_SECRET_FD 3

struct process_spec {
	const char *const *argv;     /* argv[0] is the program's path; ends with NULL */
	const char *user;	     /* Unix user to become (needs root), or NULL */
	const struct secret *secret; /* written to descriptor PROCESS_SECRET_FD of the child, or NULL */
	const char *stdout_path, *stderr_path; /* appended to (0600), or NULL: inherited */
	const char *notify_socket;   /* $NOTIFY_SOCKET of the child, or NULL */
};
/* Path of a program of this project: beside this one, or in its room of the build tree. Gives: free(). */
char *process_program(const char *name);
MUST_CHECK enum err process_start(const struct process_spec *s, pid_t *ret, struct fault *f);
/* Waits; an exit code other than 0 is ERR_CONFIG (4), ERR_RULE (2) or ERR_INTERNAL, with the program's name. */
MUST_CHECK enum err process_wait(pid_t pid, const char *name, struct fault *f);
MUST_CHECK enum err process_run(const struct process_spec *s, struct fault *f);
/* SIGTERM, then waits. Harmless for pid <= 0. */
void process_stop(pid_t *pid);

/* An abstract datagram socket for sd_notify. */
struct notify {
	int fd;
	char name[64]; /* "@hufu-…" */
};
MUST_CHECK enum err notify_open(struct notify *n, struct fault *f);
void notify_close(struct notify *n);
/* Waits for "READY=1" from that child; ERR_NET when it ends first or timeout_ms passes. */
MUST_CHECK enum err notify_wait(struct notify *n, pid_t pid, const char *name, int timeout_ms, struct fault *f);

/* Both daemons of a tree that `hufu init` laid out. */
struct daemons {
	struct notify notify;
	pid_t ca, ra, gate; /* gate: where somebody started one */
};
/* Starts the signer, waits, then the desk. logs: folder for ca.log and ra.log, or NULL for stderr. */
MUST_CHECK enum err daemons_start(struct daemons *d, const char *root, const char *ca_user, const char *ra_user,
				  const struct secret *passphrase, const char *logs, struct fault *f);
MUST_CHECK enum err daemons_start_ca(struct daemons *d, const char *root, const char *user,
				     const struct secret *passphrase, const char *logs, struct fault *f);
MUST_CHECK enum err daemons_start_ra(struct daemons *d, const char *root, const char *user, const char *logs,
				     struct fault *f);
/* A portal, beside a desk that runs. config: relative to root. */
MUST_CHECK enum err daemons_start_gate(struct daemons *d, const char *root, const char *config, const char *logs,
				       struct fault *f);
void daemons_stop(struct daemons *d);

#endif

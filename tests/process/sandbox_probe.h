/*
 * Shared by the two halves of the probe.
 */
#ifndef HUFU_TESTS_SANDBOX_PROBE_H
#define HUFU_TESTS_SANDBOX_PROBE_H

#include "ca/sandbox.h"
#include "ra/gate/sandbox.h"
#include "ra/notify/sandbox.h"
#include "ra/sandbox.h"

enum who {
	CA = 1,
	RA = 2,
	GATE = 4,
	PORTAL = 8,
	NOTIFIER = 16,
};
#define CLIENTS (RA | GATE | PORTAL | NOTIFIER) /* nng's client lives there */
#define RELOADS (CA | RA)			/* SIGHUP reads files again */

/* Where things are; what is called foreign is not the daemon's. */
struct scene {
	enum who who;
	struct ca_config ca;
	struct ra_config ra;
	struct gate_config gate; /* or the portal's */
	struct notifier_config notifier;
	char *config, *beside_config;
	char *state, *own, *own_new; /* a folder; a file that is there, a name that is not. NULL: it keeps nothing */
	char *socket_folder, *beside_socket; /* NULL: it binds none */
	const char *reads, *key;	     /* what it reads later on, and a key in a file; NULL: nothing */
	char *foreign_file, *foreign_new, *foreign_folder;
	int inherited; /* the foreign file, open since before the walls */
};
extern struct scene scene;
/* The configuration of the scene's daemon, into the scene. */
MUST_CHECK enum err load_config(const char *path, struct fault *f);

/* 0, or errno when result is negative. */
int outcome(long result);
/* 0 or errno. */
int bind_at(const char *path);

/* What a daemon cannot do without. Ends with a NULL name. */
struct need {
	const char *name;
	int (*run)(void); /* 0 or errno */
	unsigned who;	  /* of enum who; 0: all */
	bool alone;	  /* and the others' walls must not give it */
	bool aborts;	  /* the process must end by abort(3) and not by the walls */
};
extern const struct need needs[];
int attempt_need(size_t i);

#endif

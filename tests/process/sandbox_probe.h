/*
 * Shared by the two halves of the probe.
 */
#ifndef HUFU_TESTS_SANDBOX_PROBE_H
#define HUFU_TESTS_SANDBOX_PROBE_H

#include "ca/sandbox.h"
#include "ra/sandbox.h"

/* Where things are; what is called foreign is not the daemon's. */
struct scene {
	bool is_ca;
	struct ca_config ca;
	struct ra_config ra;
	char *config, *beside_config;
	char *state, *own, *own_new; /* a folder; a file that is there, a name that is not */
	char *socket_folder, *beside_socket;
	char *foreign_file, *foreign_new, *foreign_folder;
	int inherited; /* the foreign file, open since before the walls */
};
extern struct scene scene;

/* 0, or errno when result is negative. */
int outcome(long result);
/* 0 or errno. */
int bind_at(const char *path);

/* What a daemon cannot do without. Ends with a NULL name. */
struct need {
	const char *name;
	int (*run)(void);      /* 0 or errno */
	bool ra_only;	  /* and the signer's walls must not give it */
	bool aborts;	  /* the process must end by abort(3) and not by the walls */
};
extern const struct need needs[];
int attempt_need(size_t i);

#endif

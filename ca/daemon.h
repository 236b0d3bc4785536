/*
 * The signer as a running process.
 */
#ifndef HUFU_CA_DAEMON_H
#define HUFU_CA_DAEMON_H

#include "ca/config.h"
#include "common/base/secret.h"

struct daemon_options {
	struct secret passphrase; /* empty: start locked */
	bool accept_clock;
};
/* Runs until SIGTERM or SIGINT, or until the ledger's file fails (ERR_DB). */
MUST_CHECK enum err daemon_run(struct ca_config *config, struct daemon_options *options, struct fault *f);

#endif

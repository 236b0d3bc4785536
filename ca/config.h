/*
 * ca.yaml: what one signer is told at its start.
 */
#ifndef HUFU_CA_CONFIG_H
#define HUFU_CA_CONFIG_H

#include "common/base/log.h"
#include "common/base/yaml.h"
#include "common/token/hsm_config.h"

#include <sys/types.h>

#define CA_MAX_RETIRED 7
struct ca_config {
	char *path;  /* of the file, for messages */
	char *state; /* folder of ledger, keys and CRLs */
	char *ra_socket, *operator_socket;
	char *issuer, *root; /* certificates (PEM) */
	char *key;	     /* of issuer: see ca_key_open() */
	char *log_key, *log_key_pin; /* URI of the log's key in a token, and the file of its PIN; NULL: it is a file of the state */
	struct ca_config_retired {
		char *issuer, *key; /* as above; key NULL: it is no more */
	} * retired;
	size_t n_retired; /* at most CA_MAX_RETIRED */
	struct hsm_config token;
	uid_t *ra_uids, *operator_uids;
	size_t n_ra_uids, n_operator_uids;
	unsigned workers;
	unsigned crl_next_update_hours, crl_every_minutes;
	unsigned beat_seconds;
	unsigned refusals_per_second, refusals_burst;
	enum log_level log;
};
/* Relative paths start from `tree:`, or the folder three above the file (DIR of DIR/etc/hufu/ca.yaml). ERR_CONFIG says
 * file:line:column. Zero-init *ret. */
MUST_CHECK enum err ca_config_load(const char *path, struct ca_config *ret, struct fault *f);
void ca_config_done(struct ca_config *c);
/* JSON Schema of ca.yaml. */
void ca_config_schema(struct buf *ret);

#endif

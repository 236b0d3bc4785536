/*
 * gate.yaml: read strictly, paths made absolute.
 */
#ifndef HUFU_RA_GATE_CONFIG_H
#define HUFU_RA_GATE_CONFIG_H

#include "common/base/log.h"
#include "common/base/yaml.h"
#include "common/token/hsm_config.h"

#define RESPONDER_KEYS_MAX 4
#define GATE_ISSUERS_MAX 8 /* with those that were rolled */

/* Where a socket listens: a Unix path, absolute, or an address and a port. */
struct gate_listen {
	char *path, *address; /* owned; one of them */
	int64_t port;
};
struct ocsp_rules {
	int64_t validity_minutes; /* of an answer */
	int64_t max_age;	  /* seconds that a cache between may keep one */
	int64_t cache_entries;	  /* answers kept signed */
};
enum gate_role { GATE_STATUS, GATE_PORTAL };
enum gate_audience { AUDIENCE_SUBSCRIBERS, AUDIENCE_OFFICERS };
/* What a portal knows beside the desk; all borrow from doc, NULL: not named. */
struct portal_rules {
	int audience;		    /* enum gate_audience */
	const char *address_header; /* in which the proxy before it says whose address it is */
	const char *officer_header; /* in which it says which officer it has let in */
	const char *agent;	    /* origin of the person's own agent, which the pages may ask */
};
struct gate_config {
	enum gate_role role;
	char *state, *desk_socket, *log_key, *issuer, *root, *root_crl; /* absolute; owned; the last two may be NULL, a portal has the desk's socket alone */
	char *retired[GATE_ISSUERS_MAX - 1]; /* certificates of CAs that were rolled; absolute; owned */
	size_t n_retired;
	char *documents;				     /* folder of texts that certificates point to; NULL: none */
	struct gate_listen listen, metrics;
	char *keys[RESPONDER_KEYS_MAX]; /* of the responder, the one that is wanted first: absolute paths, or URIs of keys in tokens; owned */
	size_t n_keys;
	char *pin; /* file with the PIN of those in tokens; NULL: none is in one */
	struct hsm_config token;
	int64_t threads, connections, idle_seconds;
	int64_t crl_minutes, snapshot_minutes;
	struct ocsp_rules ocsp;
	struct yaml_strs origins; /* of pages that may ask for status; a portal's own; borrows from doc */
	struct portal_rules portal;
	enum log_level log;
	struct yaml_doc *doc;
	uint8_t sha256[32]; /* of the file */
};
/* ERR_CONFIG, ERR_NOT_FOUND. *ret stays where it is while it is used. */
MUST_CHECK enum err gate_config_load(const char *path, struct gate_config *ret, struct fault *f);
void gate_config_done(struct gate_config *c); /* accepts the zero state */

#endif

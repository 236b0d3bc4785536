/*
 * ra.yaml: read strictly, paths made absolute, callers with their roles.
 */
#ifndef HUFU_RA_CONFIG_H
#define HUFU_RA_CONFIG_H

#include "common/base/log.h"
#include "common/base/yaml.h"

#include <sys/types.h>

/* What a peer may see at the desk. Who may approve what is the roster's alone. */
enum desk_role { DESK_SUBSCRIBER = 1, DESK_OFFICER = 2, DESK_ADMIN = 4, DESK_PORTAL = 8 };
extern const char *const desk_role_words[]; /* by bit, NULL-terminated */

struct caller {
	int64_t uid;
	uint64_t roles; /* enum desk_role bits */
	const char *officer; /* the roster's name of the officer who alone has this user; NULL: not said */
};
struct login_rules {
	int64_t failures; /* as many in a row lock the name */
	struct yaml_ints lock_minutes;
	const char *initial_password; /* published; NULL: accounts without a password of their own can't log in */
};
struct review_rules {
	int64_t corrections;   /* how often one request may be corrected */
	int64_t claim_minutes; /* a claim dies after so long */
	int64_t days;          /* working days within which a request is to be reviewed */
};
struct bank {
	const char *name, *bank, *account;
};
/* A portal's own secret, beside its uid: opens the status of all subjects of its projects. */
struct portal {
	const char *name, *token_sha256; /* hex: the token itself stands nowhere here */
	struct yaml_strs projects;	 /* none: all */
	uint8_t sha256[32];
};
struct order_rules {
	int64_t unpaid_days;   /* an order that nobody pays is cancelled after so long */
	int64_t expiring_days; /* a service is called expiring so long before its end */
};
/* Who takes payments online. */
struct provider {
	const char *url;        /* template; payment_url() */
	const char *return_url; /* where the payer comes back to; {order} */
	const char *secret;     /* file of the HMAC secret, as it is written */
};
struct ra_config {
	char *state, *socket, *signer_socket, *policies, *roster, *ra_key, *log_key; /* absolute; owned */
	char *calendar; /* absolute; owned; NULL: none is named */
	const char *ra_name;
	int64_t workers, senders;
	struct caller *callers; /* borrows from doc */
	size_t n_callers;
	struct portal *portals; /* borrows from doc */
	size_t n_portals;
	int64_t session_minutes;
	struct login_rules login;
	struct review_rules review;
	bool has_bank;
	struct bank bank;
	struct order_rules orders;
	bool has_provider;
	struct provider provider;
	char *provider_secret; /* absolute path of the file; owned; NULL without a provider */
	enum log_level log;
	struct yaml_doc *doc;
	uint8_t sha256[32]; /* of the file */
};
void ra_config_done(struct ra_config *c); /* accepts the zero state */
/* Relative paths start at `root`, which is DIR for DIR/etc/hufu/ra.yaml when the file does not say. */
MUST_CHECK enum err ra_config_load(const char *path, struct ra_config *ret, struct fault *f);
/* The portal whose token this is, or NULL. */
const struct portal *ra_config_portal(const struct ra_config *c, const char *token);
/* Roles of a peer; 0: not known. */
uint64_t ra_config_roles(const struct ra_config *c, uid_t uid);

#endif

/*
 * ra.yaml: read strictly, paths made absolute, callers with their roles.
 */
#ifndef HUFU_RA_CONFIG_H
#define HUFU_RA_CONFIG_H

#include "common/base/log.h"
#include "common/base/yaml.h"

#include <sys/types.h>

/* What a peer may see at the desk. Who may approve what is the roster's alone. */
enum desk_role { DESK_SUBSCRIBER = 1, DESK_OFFICER = 2, DESK_ADMIN = 4, DESK_PORTAL = 8, DESK_NOTIFIER = 16, DESK_GATE = 32 };
extern const char *const desk_role_words[]; /* by bit, NULL-terminated */

struct caller {
	int64_t uid;
	uint64_t roles; /* enum desk_role bits */
	const char *officer; /* the roster's name of the officer who alone has this user; NULL: not said */
	struct yaml_strs projects; /* what an officer sees; none: all */
};
enum picture_when { PICTURE_NEVER, PICTURE_AFTER, PICTURE_ALWAYS };
struct login_rules {
	int64_t failures; /* as many in a row lock the name */
	struct yaml_ints lock_minutes;
	const char *initial_password; /* published; NULL: accounts without a password of their own can't log in */
	int picture_code;             /* enum picture_when: at log-in, and before an SMS */
	int64_t picture_failures;     /* AFTER: wrong passwords for the name… */
	int64_t picture_address_failures; /* …or from the address, within a day… */
	int64_t picture_sends;        /* …or messages to the number within an hour (or half of per_address_hour) */
	int64_t picture_minutes;      /* a picture's life */
};
struct review_rules {
	int64_t corrections;   /* how often one request may be corrected */
	int64_t claim_minutes; /* a claim dies after so long */
	int64_t days;          /* working days within which a request is to be reviewed */
};
struct sms_rules {
	int64_t code_minutes, resend_seconds, tries, per_number_day, per_address_hour;
};
struct account_rules {
	int mobile;                  /* ACCOUNT_MOBILE_*: does the first log-in bind one? */
	int64_t organisations_per_mobile, linked_per_mobile, password_characters, session_hours;
	int64_t grant_hours;         /* life of an officer's code for a first log-in */
	int64_t freeze_days;         /* so long the old contact can freeze a new binding */
	const char *freeze_url;      /* with {code}; NULL: the notice has the code alone */
	int64_t cases_per_address_day;
};
enum { ACCOUNT_MOBILE_REQUIRED, ACCOUNT_MOBILE_OPTIONAL };
struct notice_rules {
	bool by_notifier; /* messages wait for a caller with role notifier; else the desk puts them into its spool */
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
/* USB keys. */
struct token_rules {
	const char *key; /* file of the public half of the desk's token key, as it is written */
};
struct material_rules {
	const char *key;         /* file of the material key as it is written; NULL: materials.key in the state folder */
	int64_t retention_years; /* that materials are kept behind the end of the certificate that came of them */
	int64_t unissued_years;  /* behind the end of a request that no certificate came of */
	int64_t upload_hours;    /* an upload that nobody goes on with is removed after so long */
	int64_t free_mib;        /* of disk that materials leave free */
};
struct parcel_rules {
	int64_t reminder_days; /* working days after which the receipt of a shipped parcel is overdue */
};
struct ra_config {
	char *state, *socket, *signer_socket, *policies, *roster, *ra_key, *log_key; /* absolute; owned */
	char *calendar; /* absolute; owned; NULL: none is named */
	char *root_certificate, *root_crl; /* the same; the second has the first beside it */
	const char *ra_name;
	int64_t workers, senders;
	struct caller *callers; /* borrows from doc */
	size_t n_callers;
	struct portal *portals; /* borrows from doc */
	size_t n_portals;
	int64_t session_minutes;
	struct login_rules login;
	struct review_rules review;
	struct sms_rules sms;
	struct account_rules accounts;
	struct notice_rules notices;
	bool has_bank;
	struct bank bank;
	struct order_rules orders;
	bool has_provider;
	struct provider provider;
	char *provider_secret; /* absolute path of the file; owned; NULL without a provider */
	struct material_rules materials;
	char *token_key; /* absolute path; owned; NULL: this desk holds no PUKs */
	struct parcel_rules parcels;
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

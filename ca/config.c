/*
 * ca.yaml through one table. Paths are made absolute here, so that nothing later depends on the working folder.
 */
#include "ca/config.h"

#include "ca/key.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/token/token_uri.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct crl_yaml {
	int64_t next_update_hours, every_minutes;
};
struct refusals_yaml {
	int64_t per_second, burst;
};
struct retired_yaml {
	const char *issuer, *key;
};
struct config_yaml {
	const char *tree, *state, *ra_socket, *operator_socket, *issuer, *root, *key, *log_key, *log_key_pin;
	struct yaml_list retired; /* of retired_yaml */
	struct hsm_yaml token;
	struct yaml_ints ra_uids, operator_uids;
	int64_t workers, beat_seconds;
	struct crl_yaml crl;
	struct refusals_yaml refusals;
	int log;
};

static const struct yaml_rule crl_rules[] = {
	{.key = "next_update_hours",
	 .kind = YK_INT,
	 .offset = offsetof(struct crl_yaml, next_update_hours),
	 .min = 1,
	 .max = 24 * 366,
	 .def = 24,
	 .help = "how long a CRL is good for"},
	{.key = "every_minutes",
	 .kind = YK_INT,
	 .offset = offsetof(struct crl_yaml, every_minutes),
	 .min = 1,
	 .max = 60 * 24 * 31,
	 .def = 60,
	 .help = "a CRL older than this is made anew when it is asked for"},
	{0},
};
static const struct yaml_rule refusals_rules[] = {
	{.key = "per_second",
	 .kind = YK_INT,
	 .offset = offsetof(struct refusals_yaml, per_second),
	 .min = 1,
	 .max = 10000,
	 .def = 50,
	 .help = "refusals that one RA key may cause, on average"},
	{.key = "burst",
	 .kind = YK_INT,
	 .offset = offsetof(struct refusals_yaml, burst),
	 .min = 1,
	 .max = 100000,
	 .def = 200,
	 .help = "refusals that it may cause at once"},
	{0},
};
static const struct yaml_rule retired_rules[] = {
	{.key = "issuer",
	 .kind = YK_STR,
	 .offset = offsetof(struct retired_yaml, issuer),
	 .required = true,
	 .min = 1,
	 .max = 1000,
	 .help = "its certificate, PEM"},
	{.key = "key",
	 .kind = YK_STR,
	 .offset = offsetof(struct retired_yaml, key),
	 .min = 1,
	 .max = 1000,
	 .help = "its key, as above, for its CRLs; left out once that is destroyed"},
	{0},
};
static const char *const log_words[] = {"error", "warning", "notice", "info", "debug", NULL};

#define PATH(k, member, must, text)                                                                                    \
	{                                                                                                              \
		.key = k, .kind = YK_STR, .offset = offsetof(struct config_yaml, member), .required = must, .min = 1,  \
		.max = 1000, .help = text                                                                              \
	}
static const struct yaml_rule config_rules[] = {
	PATH("tree", tree, false, "folder that relative paths start from (default: three above this file)"),
	PATH("state", state, true, "folder of the ledger, the keys and the CRLs; 0700"),
	PATH("ra_socket", ra_socket, true, "socket for the RA"),
	PATH("operator_socket", operator_socket, true, "socket for the operator"),
	PATH("issuer", issuer, true, "certificate of the CA that signs, PEM"),
	PATH("root", root, false, "certificate of the root above it, PEM"),
	PATH("key", key, true, "key of the CA that signs: path of a sealed file, or a PKCS#11 URI (RFC 7512)"),
	PATH("log_key", log_key, false, "key of the log in a token, a PKCS#11 URI (default: log.key in the state)"),
	PATH("log_key_pin", log_key_pin, false,
	     "file (0600) with that token's PIN; without it $CREDENTIALS_DIRECTORY/log-key-pin"),
	{.key = "retired",
	 .kind = YK_LIST,
	 .offset = offsetof(struct config_yaml, retired),
	 .max = CA_MAX_RETIRED,
	 .sub = retired_rules,
	 .elem_size = sizeof(struct retired_yaml),
	 .help = "CAs that issued before: each signs CRLs of its own certificates and certificates of their "
		 "responders, and nothing else"},
	{.key = "token",
	 .kind = YK_SUB,
	 .offset = offsetof(struct config_yaml, token),
	 .sub = hsm_yaml_rules,
	 .help = "how keys in PKCS#11 tokens are reached"},
	{.key = "ra_uids",
	 .kind = YK_INTS,
	 .offset = offsetof(struct config_yaml, ra_uids),
	 .required = true,
	 .max = UINT_MAX - 1,
	 .help = "Unix users that may connect to the RA's socket"},
	{.key = "operator_uids",
	 .kind = YK_INTS,
	 .offset = offsetof(struct config_yaml, operator_uids),
	 .required = true,
	 .max = UINT_MAX - 1,
	 .help = "Unix users that may connect to the operator's socket"},
	{.key = "workers",
	 .kind = YK_INT,
	 .offset = offsetof(struct config_yaml, workers),
	 .min = 2,
	 .max = 256,
	 .def = 4,
	 .help = "threads that work for the RA; a tally takes none while the ledger flushes"},
	{.key = "crl",
	 .kind = YK_SUB,
	 .offset = offsetof(struct config_yaml, crl),
	 .sub = crl_rules,
	 .help = "certificate revocation lists"},
	{.key = "beat_seconds",
	 .kind = YK_INT,
	 .offset = offsetof(struct config_yaml, beat_seconds),
	 .min = 1,
	 .max = 3600,
	 .def = 60,
	 .help = "how often the ledger gets an entry when nothing else happens"},
	{.key = "refusals",
	 .kind = YK_SUB,
	 .offset = offsetof(struct config_yaml, refusals),
	 .sub = refusals_rules,
	 .help = "how many refusals an RA key may write into the ledger"},
	{.key = "log",
	 .kind = YK_WORD,
	 .offset = offsetof(struct config_yaml, log),
	 .words = log_words,
	 .def = 3,
	 .help = "what is logged"},
	{0},
};

void ca_config_schema(struct buf *ret)
{
	yaml_schema_json("hufu ca.yaml", config_rules, ret);
}

/* The folder `up` levels above a file, whatever way the path was written. Gives: free(). */
static enum err folder_above(const char *path, unsigned up, char **ret, struct fault *f)
{
	char full[PATH_MAX];
	if (!realpath(path, full))
		return fault_raise(f, ERR_CONFIG, "config_path", "config", "%s: %s", ESC(path, strlen(path)),
				   strerror(errno));
	for (unsigned i = 0; i <= up; i++) {
		char *slash = strrchr(full, '/');
		if (slash)
			*slash = '\0';
	}
	*ret = xstrdup(full[0] ? full : "/");
	return OK;
}

static uid_t *uids_of(const struct yaml_ints *from, size_t *ret_n)
{
	uid_t *uids = xcalloc(from->n ? from->n : 1, sizeof(*uids));
	for (size_t i = 0; i < from->n; i++)
		uids[i] = (uid_t)from->v[i];
	*ret_n = from->n;
	return uids;
}

/* A file's path from the tree on; a URI as it is. */
static char *key_place(const char *tree, const char *key)
{
	const char *path = ca_key_file(key);
	return path ? path_join(tree, path) : xstrdup(key);
}

static void fill_retired(const struct config_yaml *y, const char *tree, struct ca_config *c)
{
	const struct retired_yaml *from = y->retired.v;
	c->n_retired = y->retired.n;
	c->retired = xcalloc(c->n_retired ? c->n_retired : 1, sizeof(*c->retired));
	for (size_t i = 0; i < c->n_retired; i++) {
		c->retired[i].issuer = path_join(tree, from[i].issuer);
		c->retired[i].key = from[i].key ? key_place(tree, from[i].key) : NULL;
	}
}

/* Gives: free(). NULL: named nowhere. */
static char *pin_place(const struct config_yaml *y, const char *tree)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	if (y->log_key_pin)
		return path_join(tree, y->log_key_pin);
	return y->log_key && credentials ? path_join(credentials, "log-key-pin") : NULL;
}

static void fill(const struct config_yaml *y, const char *tree, struct ca_config *c)
{
	c->state = path_join(tree, y->state);
	c->ra_socket = path_join(tree, y->ra_socket);
	c->operator_socket = path_join(tree, y->operator_socket);
	c->issuer = path_join(tree, y->issuer);
	c->root = y->root ? path_join(tree, y->root) : NULL;
	c->key = key_place(tree, y->key);
	c->log_key = y->log_key ? xstrdup(y->log_key) : NULL;
	c->log_key_pin = pin_place(y, tree);
	fill_retired(y, tree, c);
	c->ra_uids = uids_of(&y->ra_uids, &c->n_ra_uids);
	c->operator_uids = uids_of(&y->operator_uids, &c->n_operator_uids);
	c->workers = (unsigned)y->workers;
	hsm_config_take(&y->token, tree, c->workers, &c->token);
	c->crl_next_update_hours = (unsigned)y->crl.next_update_hours;
	c->crl_every_minutes = (unsigned)y->crl.every_minutes;
	c->beat_seconds = (unsigned)y->beat_seconds;
	c->refusals_per_second = (unsigned)y->refusals.per_second;
	c->refusals_burst = (unsigned)y->refusals.burst;
	c->log = (enum log_level)(LOG_LEVEL_ERROR + y->log);
}

/* Why not the token of a CA key: log_signer.c. */
static enum err check_apart(const struct yaml_doc *doc, const struct config_yaml *y, const char *key, struct fault *f)
{
	struct token_uri log, ca;
	if (!is_token_uri(key))
		return OK;
	TRY(token_uri_parse(y->log_key, TOKEN_URI_KEY, "log_key", &log, f));
	TRY(token_uri_parse(key, TOKEN_URI_KEY, "key", &ca, f));
	if (log.serial.n != ca.serial.n || memcmp(log.serial.text, ca.serial.text, ca.serial.n) != 0)
		return OK;
	return yaml_fault(
		doc, &y->log_key, f, "config_key",
		"found the token of a CA key: while it is open for the log it would be open for that key too. "
		"Wanted a token of its own");
}

static enum err check_log_key(const struct yaml_doc *doc, const struct config_yaml *y, struct fault *f)
{
	const struct retired_yaml *retired = y->retired.v;
	if (!y->log_key)
		return y->log_key_pin ? yaml_fault(doc, &y->log_key_pin, f, "config_key",
						   "a PIN is for a key in a token: found no log_key")
				      : OK;
	if (!is_token_uri(y->log_key))
		return yaml_fault(doc, &y->log_key, f, "config_key",
				  "found \"%s\", wanted a PKCS#11 URI; a log key in a file is log.key of the state",
				  ESC(y->log_key, strlen(y->log_key)));
	TRY(hsm_config_check(doc, &y->token, &y->log_key, f));
	if (!y->log_key_pin && !getenv("CREDENTIALS_DIRECTORY"))
		return yaml_fault(doc, &y->log_key, f, "config_key",
				  "a log key in a token wants its PIN: log_key_pin, or the credential log-key-pin of "
				  "the service manager");
	for (size_t i = 0; i < y->retired.n; i++)
		if (retired[i].key)
			TRY(check_apart(doc, y, retired[i].key, f));
	return check_apart(doc, y, y->key, f);
}

static enum err check(const struct yaml_doc *doc, const struct config_yaml *y, struct fault *f)
{
	if (y->crl.every_minutes > y->crl.next_update_hours * 60)
		return yaml_fault(doc, &y->crl.every_minutes, f, "config_crl",
				  "every_minutes is longer than next_update_hours: CRLs would be out of date");
	if (strcmp(y->ra_socket, y->operator_socket) == 0)
		return yaml_fault(doc, &y->operator_socket, f, "config_socket",
				  "the operator's socket must not be the RA's");
	const struct retired_yaml *retired = y->retired.v;
	for (size_t i = 0; i < y->retired.n; i++)
		if (retired[i].key)
			TRY(hsm_config_check(doc, &y->token, &retired[i].key, f));
	TRY(hsm_config_check(doc, &y->token, &y->key, f));
	return check_log_key(doc, y, f);
}

enum err ca_config_load(const char *path, struct ca_config *ret, struct fault *f)
{
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	_cleanup_(freep) char *above = NULL, *tree = NULL;
	struct config_yaml y = {0};
	enum err e = yaml_load(path, &doc, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_CONFIG, "config_missing", "config", "%s: no such file",
				   ESC(path, strlen(path)));
	TRY(e);
	TRY(yaml_decode(doc, yaml_root(doc), config_rules, &y, f));
	TRY(check(doc, &y, f));
	TRY(folder_above(path, 2, &above, f));
	tree = y.tree ? path_join(above, y.tree) : xstrdup(above);
	fill(&y, tree, ret);
	ret->path = xstrdup(path);
	return OK;
}

void ca_config_done(struct ca_config *c)
{
	char *texts[] = {c->path, c->state, c->ra_socket, c->operator_socket, c->issuer,
			 c->root, c->key,   c->log_key,	  c->log_key_pin};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (size_t i = 0; i < c->n_retired; i++) {
		free(c->retired[i].issuer);
		free(c->retired[i].key);
	}
	free(c->retired);
	hsm_config_done(&c->token);
	free(c->ra_uids);
	free(c->operator_uids);
	*c = (struct ca_config){0};
}

/*
 * The gate's configuration: a table of keys, then what a table cannot say.
 */
#include "ra/gate/config.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/token/token_uri.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define CONFIG_MAX (64u * 1024u)

static const char *const roles[] = {"status", "portal", NULL};
static const char *const audiences[] = {"subscribers", "officers", NULL};
static const char *const log_words[] = {"error", "warning", "notice", "info", "debug", NULL};

/* The file as it is written. */
struct raw_responder {
	struct yaml_strs keys;
	const char *pin;
};
struct raw {
	int role, log;
	const char *root, *desk_socket, *state, *log_key, *issuer, *root_ca, *root_crl, *documents, *listen, *metrics;
	int64_t threads, connections, idle_seconds, crl_minutes, snapshot_minutes;
	struct yaml_strs retired;
	struct raw_responder responder;
	struct hsm_yaml token;
	struct ocsp_rules ocsp;
	struct yaml_strs origins;
	struct portal_rules portal;
};

#define STR_OF(type, member, name, req, most, text)                                                                    \
	{                                                                                                              \
		.key = name, .kind = YK_STR, .offset = offsetof(struct type, member), .required = req, .min = 1,       \
		.max = most, .help = text                                                                              \
	}
#define INT_OF(type, member, name, least, most, default_, text)                                                        \
	{                                                                                                              \
		.key = name, .kind = YK_INT, .offset = offsetof(struct type, member), .min = least, .max = most,       \
		.def = default_, .help = text                                                                          \
	}
static const struct yaml_rule responder_rules[] = {
	{.key = "keys",
	 .kind = YK_STRS,
	 .offset = offsetof(struct raw_responder, keys),
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "the responder's keys, the one to use first: files (PEM, 0600), or PKCS#11 URIs (RFC 7512); another "
		 "one "
		 "serves until it has a certificate"},
	STR_OF(raw_responder, pin, "pin", false, PATH_MAX - 1,
	       "file (0600) with the PIN of keys in tokens; without it $CREDENTIALS_DIRECTORY/responder-pin"),
	{0}};
static const struct yaml_rule ocsp_rules[] = {
	INT_OF(ocsp_rules, validity_minutes, "validity_minutes", 10, 1440, 720, "from thisUpdate to nextUpdate"),
	INT_OF(ocsp_rules, max_age, "max_age_seconds", 0, 86400, 300, "that caches between may keep an answer"),
	INT_OF(ocsp_rules, cache_entries, "cache_entries", 1024, 33554432, 262144,
	       "answers that are kept signed; about 100 bytes each with a P-256 key"),
	{0}};
static const struct yaml_rule portal_rules[] = {
	{.key = "audience",
	 .kind = YK_WORD,
	 .offset = offsetof(struct portal_rules, audience),
	 .words = audiences,
	 .help = "subscribers or officers: which pages, and which of the desk's methods"},
	STR_OF(portal_rules, address_header, "address_header", false, 60,
	       "header in which the proxy says where a person is; the connection's own address when absent"),
	STR_OF(portal_rules, officer_header, "officer_header", false, 60,
	       "header in which the proxy says which officer it has let in"),
	STR_OF(portal_rules, agent, "agent", false, 60, "origin of hufu agent on the person's own machine"),
	{0}};
static const struct yaml_rule rules[] = {
	{.key = "role",
	 .kind = YK_WORD,
	 .offset = offsetof(struct raw, role),
	 .required = true,
	 .words = roles,
	 .help = "status or portal"},
	STR_OF(raw, root, "root", false, PATH_MAX - 1,
	       "where relative paths start; three levels above this file when absent"),
	STR_OF(raw, desk_socket, "desk_socket", true, PATH_MAX - 1, "Unix socket of the desk"),
	STR_OF(raw, state, "state", false, PATH_MAX - 1,
	       "folder of the snapshot, CRLs and the responder's certificates"),
	STR_OF(raw, log_key, "log_key", false, PATH_MAX - 1, "verifier key of the signer's ledger"),
	STR_OF(raw, issuer, "issuer", false, PATH_MAX - 1, "certificate of the issuing CA"),
	{.key = "retired",
	 .kind = YK_STRS,
	 .offset = offsetof(struct raw, retired),
	 .min = 1,
	 .max = PATH_MAX - 1,
	 .help = "certificates of CAs that were rolled, at most seven: theirs are answered for as well"},
	STR_OF(raw, root_ca, "root_certificate", false, PATH_MAX - 1, "certificate of the root, to be served"),
	STR_OF(raw, root_crl, "root_crl", false, PATH_MAX - 1,
	       "CRL of the root, to be served; a CA on it takes its certificates along"),
	STR_OF(raw, documents, "documents", false, PATH_MAX - 1, "folder of texts that certificates point to"),
	STR_OF(raw, listen, "listen", true, PATH_MAX - 1, "address:port, or a Unix socket's path"),
	STR_OF(raw, metrics, "metrics", true, PATH_MAX - 1, "the same, for health and metrics"),
	INT_OF(raw, threads, "threads", 1, 64, 2, "that serve"),
	INT_OF(raw, connections, "connections", 16, 60000, 4096, "at once"),
	INT_OF(raw, idle_seconds, "idle_seconds", 1, 600, 30, "a connection may say nothing"),
	INT_OF(raw, crl_minutes, "crl_minutes", 1, 1440, 10, "between looks for a new CRL"),
	INT_OF(raw, snapshot_minutes, "snapshot_minutes", 1, 1440, 30, "between snapshots"),
	{.key = "responder",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, responder),
	 .sub = responder_rules,
	 .help = "who signs OCSP answers"},
	{.key = "token",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, token),
	 .sub = hsm_yaml_rules,
	 .help = "how keys in PKCS#11 tokens are reached"},
	{.key = "ocsp",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, ocsp),
	 .sub = ocsp_rules,
	 .help = "OCSP answers"},
	{.key = "origins",
	 .kind = YK_STRS,
	 .offset = offsetof(struct raw, origins),
	 .min = 1,
	 .max = 300,
	 .help = "origins of pages that may ask for status; a portal's own; as https://portal.example.cn"},
	{.key = "portal",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, portal),
	 .sub = portal_rules,
	 .help = "pages for people"},
	{.key = "log",
	 .kind = YK_WORD,
	 .offset = offsetof(struct raw, log),
	 .words = log_words,
	 .def = 3,
	 .help = "least level that is logged"},
	{0}};

static void listen_done(struct gate_listen *l)
{
	free(l->path);
	free(l->address);
}

void gate_config_done(struct gate_config *c)
{
	free(c->state);
	free(c->desk_socket);
	free(c->log_key);
	free(c->issuer);
	for (size_t i = 0; i < c->n_retired; i++)
		free(c->retired[i]);
	free(c->root);
	free(c->root_crl);
	free(c->documents);
	listen_done(&c->listen);
	listen_done(&c->metrics);
	for (size_t i = 0; i < c->n_keys; i++)
		free(c->keys[i]);
	free(c->pin);
	hsm_config_done(&c->token);
	yaml_freep(&c->doc);
	*c = (struct gate_config){0};
}

/* "127.0.0.1:8080", "[::1]:8080"; anything with a slash is a path. */
static enum err read_listen(const struct yaml_doc *doc, const char *const *text, const char *root,
			    struct gate_listen *ret, struct fault *f)
{
	const char *s = *text, *colon = strrchr(s, ':');
	uint64_t port = 0;
	uint8_t bytes[16];
	if (strchr(s, '/')) {
		ret->path = path_join(root, s);
		return OK;
	}
	if (!colon || !u64_parse(colon + 1, strlen(colon + 1), 65535, &port) || port == 0)
		return yaml_fault(doc, text, f, "listen", "found \"%s\", wanted address:port, or a path with a slash",
				  ESC(s, strlen(s)));
	bool v6 = s[0] == '[' && colon > s && colon[-1] == ']';
	ret->address = v6 ? xstrndup(s + 1, (size_t)(colon - s) - 2) : xstrndup(s, (size_t)(colon - s));
	ret->port = (int64_t)port;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, ret->address, bytes) != 1)
		return yaml_fault(doc, text, f, "listen", "found address \"%s\", wanted an IPv4 one, or [IPv6]",
				  ESC(ret->address, strlen(ret->address)));
	return OK;
}

static enum err check_origin(const struct gate_config *c, const char *const *text, struct fault *f)
{
	const char *o = *text, *host = strstr(o, "://");
	bool good = host && (strncmp(o, "https://", 8) == 0 || strncmp(o, "http://", 7) == 0) && host[3] != '\0' &&
		    strpbrk(host + 3, "/?#@ \t\r\n*,;'\"") == NULL;
	if (good)
		return OK;
	return yaml_fault(c->doc, text, f, "origin",
			  "found \"%s\", wanted scheme and host without a path, as https://portal.example.cn",
			  ESC(o, strlen(o)));
}

static enum err check_origins(const struct gate_config *c, const struct raw *r, struct fault *f)
{
	for (size_t i = 0; i < c->origins.n; i++)
		TRY(check_origin(c, &c->origins.v[i], f));
	return r->portal.agent ? check_origin(c, &r->portal.agent, f) : OK;
}

/* What one role wants and the other has no use for. */
static enum err check_role(const struct raw *r, struct fault *f)
{
	const struct {
		const char *key, *value;
	} needed[] = {{"state", r->state}, {"log_key", r->log_key}, {"issuer", r->issuer}};
	for (size_t i = 0; r->role == GATE_STATUS && i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (!needed[i].value)
			return fault_raise(f, ERR_CONFIG, "key_missing", needed[i].key,
					   "role status wants %s, which is missing", needed[i].key);
	}
	if (r->role == GATE_PORTAL && r->responder.keys.n > 0)
		return fault_raise(f, ERR_CONFIG, "portal_key", "responder.keys",
				   "found keys, wanted none: a portal holds no key");
	if (r->role == GATE_PORTAL && r->origins.n == 0)
		return fault_raise(f, ERR_CONFIG, "key_missing", "origins",
				   "role portal wants its own origins, as https://portal.example.cn");
	return OK;
}

static enum err take_retired(struct gate_config *c, const struct yaml_strs *files, const char *root, struct fault *f)
{
	if (files->n > GATE_ISSUERS_MAX - 1)
		return fault_raise(f, ERR_CONFIG, "retired_many", "retired", "found %zu, wanted at most %d", files->n,
				   GATE_ISSUERS_MAX - 1);
	for (size_t i = 0; i < files->n; i++)
		c->retired[c->n_retired++] = path_join(root, files->v[i]);
	return OK;
}

/* The PIN's file; NULL: it is named nowhere. Gives: free(). */
static char *pin_place(const struct raw_responder *r, const char *root)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	if (r->pin)
		return path_join(root, r->pin);
	return credentials ? path_join(credentials, "responder-pin") : NULL;
}

static enum err take_responder(struct gate_config *c, const struct raw *r, const char *root, struct fault *f)
{
	const struct yaml_strs *keys = &r->responder.keys;
	bool in_token = false;
	if (keys->n > RESPONDER_KEYS_MAX)
		return fault_raise(f, ERR_CONFIG, "responder_keys", "responder.keys", "found %zu, wanted at most %d",
				   keys->n, RESPONDER_KEYS_MAX);
	for (size_t i = 0; i < keys->n; i++) {
		bool uri = is_token_uri(keys->v[i]);
		in_token |= uri;
		TRY(hsm_config_check(c->doc, &r->token, &keys->v[i], f));
		c->keys[c->n_keys++] = uri ? xstrdup(keys->v[i]) : path_join(root, keys->v[i]);
	}
	c->pin = in_token ? pin_place(&r->responder, root) : NULL;
	if (in_token && !c->pin)
		return yaml_fault(c->doc, &keys->v[0], f, "responder_pin",
				  "a key in a token wants its PIN: `pin: FILE` beside `keys`, or the credential "
				  "responder-pin of the service manager");
	hsm_config_take(&r->token, root, (unsigned)r->threads, &c->token);
	return OK;
}

static char *join(const char *root, const char *path)
{
	return path ? path_join(root, path) : NULL;
}

static enum err take(struct gate_config *c, const struct raw *r, const char *root, struct fault *f)
{
	TRY(check_role(r, f));
	c->role = (enum gate_role)r->role;
	c->portal = r->portal;
	c->state = join(root, r->state);
	c->desk_socket = path_join(root, r->desk_socket);
	c->log_key = join(root, r->log_key);
	c->issuer = join(root, r->issuer);
	c->root = join(root, r->root_ca);
	c->root_crl = join(root, r->root_crl);
	if (c->root_crl && !c->root)
		return yaml_fault(c->doc, &r->root_crl, f, "root_crl_whose",
				  "root_crl wants the root's certificate beside it: `root_certificate: FILE`");
	c->documents = join(root, r->documents);
	TRY(take_retired(c, &r->retired, root, f));
	TRY(take_responder(c, r, root, f));
	c->threads = r->threads;
	c->connections = r->connections;
	c->idle_seconds = r->idle_seconds;
	c->crl_minutes = r->crl_minutes;
	c->snapshot_minutes = r->snapshot_minutes;
	c->ocsp = r->ocsp;
	c->origins = r->origins;
	c->log = (enum log_level)(LOG_LEVEL_ERROR + r->log);
	TRY(read_listen(c->doc, &r->listen, root, &c->listen, f));
	TRY(read_listen(c->doc, &r->metrics, root, &c->metrics, f));
	return check_origins(c, r, f);
}

enum err gate_config_load(const char *path, struct gate_config *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *tree = path_tree(path), *root = NULL;
	struct raw r = {0};
	struct gate_config c = {0};
	if (!file_exists(path))
		return fault_raise(f, ERR_CONFIG, "config_missing", "config", "%s: no such file",
				   ESC(path, strlen(path)));
	TRY(file_read(path, CONFIG_MAX, &text, f));
	sha256(text.data, text.len, c.sha256);
	TRY(yaml_parse(path, buf_slice(&text), &c.doc, f));
	enum err e = yaml_decode(c.doc, yaml_root(c.doc), rules, &r, f);
	if (e == OK) {
		root = r.root ? path_join(tree, r.root) : xstrdup(tree);
		e = take(&c, &r, root, f);
	}
	if (e != OK) {
		gate_config_done(&c);
		return e;
	}
	*ret = c;
	return OK;
}

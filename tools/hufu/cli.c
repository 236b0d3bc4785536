/*
 * What the commands share: configuration, the two sockets, exit codes, sessions. Output lives in output.c, key files in
 * person_key.c.
 */
#include "tools/hufu/cli.h"

#include "common/base/file.h"
#include "common/base/yaml.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define DESK_TIMEOUT_MS 30000
#define OPERATOR_TIMEOUT_MS 60000

int cli_exit(enum err kind)
{
	switch (kind) {
	case OK:
		return EXIT_DONE;
	case ERR_RULE:
	case ERR_DENIED:
	case ERR_CONFLICT:
	case ERR_CRYPTO:
	case ERR_NOT_FOUND:
		return EXIT_REFUSED;
	case ERR_NET:
	case ERR_BUSY:
	case ERR_LOCKED:
		return EXIT_UNREACHABLE;
	case ERR_CONFIG:
		return EXIT_CONFIG;
	case ERR_PARSE:
	case ERR_LIMIT:
	case ERR_IO:
	case ERR_DB:
	case ERR_INTERNAL:
		return EXIT_ERROR;
	}
	return EXIT_ERROR;
}

void cli_done(struct cli *c)
{
	rpc_client_closep(&c->desk);
	rpc_client_closep(&c->operator);
	char **texts[] = {&c->config_path, &c->root,	 &c->desk_socket, &c->operator_socket, &c->policies,
			  &c->roster,	   &c->root_crt, &c->issuing_crt, &c->log_key,	       &c->token_key,
			  &c->ca_user,	   &c->ra_user,	 &c->session};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		freep(texts[i]);
}

struct users {
	const char *ca, *ra;
};
struct hufu_yaml {
	const char *root, *desk_socket, *operator_socket, *policies, *roster, *root_crt, *issuing, *log_key, *token_key;
	struct users users;
};
static const struct yaml_rule user_rules[] = {
	{.key = "ca",
	 .kind = YK_STR,
	 .offset = offsetof(struct users, ca),
	 .min = 1,
	 .max = 64,
	 .help = "Unix user that hufu-ca runs as"},
	{.key = "ra",
	 .kind = YK_STR,
	 .offset = offsetof(struct users, ra),
	 .min = 1,
	 .max = 64,
	 .help = "Unix user that hufu-ra runs as"},
	{0},
};
#define PATH_RULE(word, member, text)                                                                                  \
	{                                                                                                              \
		.key = word, .kind = YK_STR, .offset = offsetof(struct hufu_yaml, member), .min = 1, .max = PATH_MAX,  \
		.help = text                                                                                           \
	}
static const struct yaml_rule hufu_rules[] = {
	PATH_RULE("root", root, "folder that relative paths start from (default: three above this file)"),
	PATH_RULE("desk_socket", desk_socket, "socket of hufu-ra"),
	PATH_RULE("operator_socket", operator_socket, "operator's socket of hufu-ca"),
	PATH_RULE("policies", policies, "folder of the policy bundle"),
	PATH_RULE("roster", roster, "roster note in force"),
	PATH_RULE("root_certificate", root_crt, "root certificate, PEM"),
	PATH_RULE("issuing_certificate", issuing, "issuing certificate, PEM"),
	PATH_RULE("log_key", log_key, "public half of the ledger's key"),
	PATH_RULE("token_key", token_key, "public half of the desk's token key, which PUKs are sealed to"),
	{.key = "users",
	 .kind = YK_SUB,
	 .offset = offsetof(struct hufu_yaml, users),
	 .sub = user_rules,
	 .help = "for `hufu up` as root"},
	{0},
};

/* The folder that relative paths start from: `root:`, or three above the file (DIR of DIR/etc/hufu/hufu.yaml). */
static enum err find_root(struct cli *c, const char *said, struct fault *f)
{
	char full[PATH_MAX];
	if (!realpath(c->config_path, full))
		return fault_raise(f, ERR_CONFIG, "config_path", "config", "%s: %s", c->config_path, strerror(errno));
	const char *folder = full;
	for (int i = 0; i < 3; i++)
		folder = dirname(full);
	c->root = said ? path_join(folder, said) : xstrdup(folder);
	return OK;
}

enum err cli_load(struct cli *c, struct fault *f)
{
	if (c->root)
		return OK;
	if (!c->config_path) {
		const char *env = getenv("HUFU_CONFIG");
		c->config_path = xstrdup(env && *env ? env : "/etc/hufu/hufu.yaml");
	}
	_cleanup_(yaml_freep) struct yaml_doc *doc = NULL;
	struct hufu_yaml y = {0};
	if (!file_exists(c->config_path))
		return fault_raise(f, ERR_CONFIG, "config_missing", "config",
				   "%s: no such file; name one with --config FILE or $HUFU_CONFIG, or make one with: "
				   "hufu init DIR",
				   c->config_path);
	TRY(yaml_load(c->config_path, &doc, f));
	TRY(yaml_decode(doc, yaml_root(doc), hufu_rules, &y, f));
	TRY(find_root(c, y.root, f));
	c->desk_socket = path_join(c->root, y.desk_socket ? y.desk_socket : "run/hufu/ra/desk.sock");
	c->operator_socket = path_join(c->root, y.operator_socket ? y.operator_socket : "run/hufu/operator/ca.sock");
	c->policies = path_join(c->root, y.policies ? y.policies : "etc/hufu/policies");
	c->roster = path_join(c->root, y.roster ? y.roster : "etc/hufu/roster.note");
	c->root_crt = path_join(c->root, y.root_crt ? y.root_crt : "etc/hufu/root.crt");
	c->issuing_crt = path_join(c->root, y.issuing ? y.issuing : "etc/hufu/issuing.crt");
	c->log_key = path_join(c->root, y.log_key ? y.log_key : "etc/hufu/log.vkey");
	c->token_key = path_join(c->root, y.token_key ? y.token_key : "etc/hufu/token.pub");
	c->ca_user = y.users.ca ? xstrdup(y.users.ca) : NULL;
	c->ra_user = y.users.ra ? xstrdup(y.users.ra) : NULL;
	return OK;
}

int cli_usage(const struct command *cmd, const char *fmt, ...)
{
	_cleanup_buf_ struct buf b = {0};
	va_list ap;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	fprintf(stderr, "hufu %s: %s\nUsage: hufu %s %s\n", cmd->name, buf_text(&b), cmd->name, cmd->usage);
	return EXIT_CONFIG;
}

char *cli_state_path(const char *name)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (state && *state)
		return xasprintf("%s/hufu/%s", state, name);
	return xasprintf("%s/.local/state/hufu/%s", home && *home ? home : "/tmp", name);
}

/* Where the session of `hufu login` is kept: a file for each configuration. Gives: free(). */
static char *session_path(const struct cli *c)
{
	uint8_t h[32];
	char name[25] = "session-";
	sha256(c->config_path, strlen(c->config_path), h);
	hex_lower(h, 8, name + strlen(name));
	return cli_state_path(name);
}

enum err cli_session_save(struct cli *c, const char *token, struct fault *f)
{
	_cleanup_(freep) char *path = session_path(c);
	_cleanup_(freep) char *dir = xstrdup(path);
	TRY(dir_make(dirname(dir), 0700, f));
	free(c->session);
	c->session = xstrdup(token);
	return file_write(path, slice_str(token), 0600, f);
}

static enum err session_load(struct cli *c, struct fault *f)
{
	if (c->session)
		return OK;
	_cleanup_(freep) char *path = session_path(c);
	_cleanup_secret_ struct secret s = {0};
	if (!file_exists(path) || secret_read_file(path, 256, &s, NULL) != OK)
		return fault_raise(f, ERR_DENIED, "session_missing", "session",
				   "not logged in (no session for this configuration): run hufu login IDENTIFIER");
	c->session = xstrndup((const char *)s.p, s.n);
	return OK;
}

static void put_call_id(json_t *params)
{
	uint8_t id[16];
	char hex[33];
	random_fill(id, sizeof id);
	hex_lower(id, sizeof id, hex);
	json_object_set_new(params, "call_id", json_string(hex));
}

enum err cli_desk(struct cli *c, const char *method, json_t *params, bool session, bool changes, json_t **ret,
		  struct fault *f)
{
	_cleanup_(json_freep) json_t *p = params ? params : json_object();
	TRY(cli_load(c, f));
	if (session) {
		TRY(session_load(c, f));
		json_object_set_new(p, "session", json_string(c->session));
	}
	if (changes)
		put_call_id(p);
	if (!c->desk)
		TRY(rpc_client_open(c->desk_socket, DESK_TIMEOUT_MS, WIRE_MAX_MESSAGE, &c->desk, f));
	return jsonrpc_call(c->desk, method, p, ret, NULL, f);
}

enum err cli_operator(struct cli *c, struct slice request, enum wire_type want, struct buf *reply, struct fault *f)
{
	TRY(cli_load(c, f));
	if (!c->operator)
		TRY(rpc_client_open(c->operator_socket, OPERATOR_TIMEOUT_MS, WIRE_MAX_MESSAGE, &c->operator, f));
	TRY(rpc_call(c->operator, request, reply, f));
	return wire_expect(buf_slice(reply), want, NULL, f);
}

/*
 * `hufu`: everything people do. One table of commands (main.c), one file a command family (cmd_<family>.c), and what
 * they share: configuration, the two sockets, output as tables or JSON, exit codes, Ed25519 key files.
 */
#ifndef HUFU_TOOLS_CLI_H
#define HUFU_TOOLS_CLI_H

#include "common/note/person.h"
#include "common/rpc/jsonrpc.h"
#include "common/rpc/wire.h"

/* After the libraries' headers, so that their helpers are declared. */
#include "common/base/cleanup.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_REFUSED = 2,
	EXIT_UNREACHABLE = 3,
	EXIT_CONFIG = 4,
	EXIT_WAITING = 5
};
/* Exit code of an error kind: RULE, DENIED, CONFLICT, CRYPTO, NOT_FOUND -> 2; NET, BUSY, LOCKED -> 3; CONFIG -> 4;
 * else 1. */
int cli_exit(enum err kind);

struct cli {
	bool json, dry_run;
	char *config_path; /* hufu.yaml; --config, $HUFU_CONFIG, /etc/hufu/hufu.yaml */
	char *root;	   /* folder that relative paths in it start from */
	/* from hufu.yaml, made absolute: */
	char *desk_socket, *operator_socket, *policies, *roster, *root_crt, *issuing_crt, *log_key, *token_key, *ca_user, *ra_user;
	struct rpc_client *desk, *operator; /* opened on first use */
	char *session; /* of `hufu login`: kept in a file 0600 beside the user's state, or --session-file */
};
void cli_done(struct cli *c);
MUST_CHECK enum err cli_load(struct cli *c, struct fault *f); /* reads hufu.yaml */

struct command {
	const char *name;				  /* "request prepare" */
	const char *usage;				  /* "[--way W] SERIAL" */
	const char *summary;				  /* one line */
	const char *help;				  /* options and examples */
	int (*run)(struct cli *c, int argc, char **argv); /* argv[0] is the command's last word; returns an exit_code */
};
/* Each family gives its table (ends with {0}); main.c lists the families. */
extern const struct command
	commands_setup[]; /* init, up, demo, import      : cmd_init.c cmd_up.c cmd_demo*.c cmd_import.c */
extern const struct command commands_account[]; /* login, password, account …  : cmd_login.c cmd_account.c */
extern const struct command commands_request[]; /* service, request …, order … : cmd_request.c cmd_order.c */
extern const struct command commands_payment[]; /* project …, officers' order … : cmd_payment.c */
extern const struct command commands_officer[]; /* officer …                   : cmd_officer.c */
extern const struct command commands_cert[];	/* cert …, crl, status         : cmd_cert.c */
extern const struct command commands_note[]; /* tally …, roster …, policy … : cmd_tally.c cmd_roster.c cmd_policy.c */
extern const struct command commands_operator[]; /* unlock, health, note … : cmd_operator.c cmd_note.c */
extern const struct command commands_custodian[]; /* custodian …               : cmd_custodian.c */
extern const struct command commands_token[];	 /* token …                     : cmd_token*.c */
extern const struct command commands_agent[];	 /* agent                       : cmd_agent.c */
extern const struct command commands_ceremony[]; /* ceremony …              : cmd_ceremony.c */
extern const struct command commands_audit[];	 /* audit …                     : cmd_audit.c */
extern const struct command commands_notice[];	 /* notice …                    : cmd_notice.c */
extern const struct command commands_parcel[];	 /* work …, parcel …            : cmd_work.c cmd_parcel.c */
extern const struct command commands_law[];	 /* desk …, calendar …          : cmd_law.c */
extern const struct command commands_rpc[];	 /* rpc                         : cmd_rpc.c */
extern const struct command commands_ledger[];	 /* ledger …                    : cmd_ledger.c */
extern const struct command commands_receipt[];	 /* receipt, verify             : cmd_receipt.c */

/* Prints the fault ("hufu: <text> [<rule>]", with --json as an object on stdout) and returns its exit code. */
int cli_fail(const struct cli *c, const struct fault *f);
/* Prints a usage error naming what was wrong; returns EXIT_CONFIG. */
int cli_usage(const struct command *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Options of a command: "--key FILE" (value) or "--yes" (flag). Both "--key FILE" and "--key=FILE" are taken. The last
 * one counts, but a value option with `many` collects. Table ends with {0}. */
struct option_list {
	const char **v; /* owned array, borrowed strings */
	size_t n;
};
struct option_rule {
	const char *name; /* "--key" */
	const char **value;
	bool *flag;
	struct option_list *many;
};
static inline void option_list_done(struct option_list *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
}
/* Takes the options out of argv[1…] and leaves the rest, updating *argc. false: a usage error was printed (unknown
 * option with the nearest known one, or a missing value, or fewer than min / more than max words left); return
 * EXIT_CONFIG then. */
bool cli_options(const struct command *cmd, const struct option_rule *rules, int *argc, char **argv, int min, int max);
/* The command whose run function is this one, for usage errors. */
const struct command *cli_command(const struct command *table, int (*run)(struct cli *, int, char **));

/* Desk call with session and a fresh call_id when `changes`. Gives *ret. Takes params. */
MUST_CHECK enum err cli_desk(struct cli *c, const char *method, json_t *params, bool session, bool changes,
			     json_t **ret, struct fault *f);
/* A file of the user's own, below $XDG_STATE_HOME or ~/.local/state. Gives: free(). */
char *cli_state_path(const char *name);
/* Keeps a session for later commands: a file 0600 of the user's own, one for each configuration. */
MUST_CHECK enum err cli_session_save(struct cli *c, const char *token, struct fault *f);
/* One message to the signer's operator socket. */
MUST_CHECK enum err cli_operator(struct cli *c, struct slice request, enum wire_type want, struct buf *reply,
				 struct fault *f);

/* Asks on the terminal (standard error and standard input); only a typed "yes" counts. */
bool cli_confirm(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Table for people: columns by key of each row object, widths by display width (CJK counts two). With --json prints the
 * array instead. */
struct column {
	const char *key, *title;
};
void cli_table(const struct cli *c, const struct column *columns, size_t n, json_t *rows);
void cli_print_json(json_t *v);
/* What a command did: a line for people, or with --json the object. Takes o. Returns EXIT_DONE. */
int cli_said(const struct cli *c, json_t *o, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

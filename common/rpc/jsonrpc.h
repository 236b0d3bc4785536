/*
 * JSON-RPC 2.0 to the desk (jansson), over common/rpc/server. One table of methods gives dispatch, parameter checks, permissions and the OpenRPC document.
 */
#ifndef HUFU_RPC_JSONRPC_H
#define HUFU_RPC_JSONRPC_H

#include "common/rpc/server.h"

#include <jansson.h>

#define JSONRPC_MAX_REQUEST (1024u * 1024u)
#define JSONRPC_MAX_DEPTH 16

enum param_type { PARAM_STRING, PARAM_INTEGER, PARAM_BOOLEAN, PARAM_STRINGS, PARAM_OBJECT, PARAM_OBJECTS };
struct rpc_param {
	const char *name;
	enum param_type type;
	bool required;
	int64_t min, max;       /* bytes (UTF-8) of a string, value of an integer, items of a list; both 0: any */
	const char *const *words; /* allowed strings (also of the items of a list), NULL-terminated, or NULL */
	const char *help_zh, *help_en;
};

struct rpc_call {
	const char *method;
	json_t *params;         /* object, checked against the table; borrowed */
	struct rpc_peer peer;
	uint64_t roles;         /* of this peer, set by the server's `roles` hook */
	void *session;          /* set by the `session` hook when the method needs one */
	int64_t account;        /* whose session was shown, good or not any more; 0: nobody's. For `error_data`, which comes after the session */
	struct rpc_ticket *ticket; /* of a request that may be answered later; NULL: its answer is wanted now */
	bool kept;              /* set by a method that has taken the ticket */
};
/* Does the work: gives *ret_result (never NULL; json_null() when there is nothing to say). A raised fault becomes the error reply. A method that
 * sets call->kept gives no result and no fault: the call is its own until jsonrpc_end(). */
typedef enum err rpc_method_fn(void *arg, struct rpc_call *call, json_t **ret_result, struct fault *f);
struct rpc_method {
	const char *name;              /* "order.pay" */
	rpc_method_fn *fn;
	uint64_t roles;                /* bit mask: any of these may call */
	bool session;                  /* wants params.session of a person who is logged in */
	bool changes;                  /* wants params.call_id: 8-64 of [A-Za-z0-9-]; repeating it gives the same answer (the desk's matter) */
	const struct rpc_param *params; /* ends with {0}; session and call_id are implied */
	const char *result;            /* JSON Schema of the result, as text */
	const char *zh, *en;           /* one line each */
	const struct rpc_param *implied; /* more of them, which many methods share; ends with {0}, NULL: none */
};
/* Text of a rule for people. NULL when the catalogue does not know it (then the fault's own text serves for English and a general sentence for Chinese). */
struct rpc_message {
	const char *rule, *zh, *en;
};

struct jsonrpc_config {
	const char *title, *version;
	const struct rpc_method *methods;
	size_t n_methods;
	const struct rpc_message *messages;
	size_t n_messages;
	const char *const *role_words;  /* by bit, NULL-terminated; for OpenRPC */
	/* Roles of a peer; 0: refused. */
	uint64_t (*roles)(void *arg, const struct rpc_peer *peer);
	/* Finds the session named in params.session and sets call->session; a fault refuses the call. */
	enum err (*session)(void *arg, struct rpc_call *call, const char *token, struct fault *f);
	/* Frees what session() set. */
	void (*session_done)(void *arg, struct rpc_call *call);
	/* Adds "contact" and the like to error data; may be NULL. call->method and call->params are NULL when the request has not come so far. */
	void (*error_data)(void *arg, const struct rpc_call *call, const struct fault *f, json_t *data);
	void *arg;
};
/* Handles one request text (never a batch of more than 32; notifications get no reply). Reply text is appended. Errors:
 * {code, message: "中文 / English", data: {reason, kind, field, zh, en, text, ref, …}} (text: what was found and wanted); codes -32700, -32600, -32601, -32602 as in the standard,
 * -32000 - err kind for ours. Internal faults are logged with ref. Duplicate keys, depth, NUL, invalid UTF-8 are refused. */
void jsonrpc_handle(const struct jsonrpc_config *c, const struct rpc_peer *peer, struct slice request, struct buf *reply);
/* The same of a request with a ticket, whose answer may come later: false, when a method has kept the call. */
bool jsonrpc_take(const struct jsonrpc_config *c, const struct rpc_peer *peer, struct slice request, struct rpc_ticket *ticket, struct buf *reply);
/* The answer of a call that was kept: e and its fault, or a result, which is taken. Ends its session and frees the call; the ticket is the caller's. */
void jsonrpc_end(struct rpc_call *call, enum err e, json_t *result, const struct fault *f, struct buf *reply);
/* The OpenRPC document, as "rpc.discover" answers it. Gives: json_decref(). */
json_t *jsonrpc_openrpc(const struct jsonrpc_config *c);

/* Client: one call. params is borrowed. A reply with an error raises it in *f (kind, rule = data.reason, where = data.field, text = message) and
 * gives *ret_error (the error object, may be NULL). Gives *ret_result. */
MUST_CHECK enum err jsonrpc_call(struct rpc_client *c, const char *method, json_t *params, json_t **ret_result, json_t **ret_error, struct fault *f);

#endif

/*
 * Between the files of the JSON-RPC library.
 */
#ifndef HUFU_RPC_JSONRPC_PRIVATE_H
#define HUFU_RPC_JSONRPC_PRIVATE_H

#include "common/rpc/jsonrpc.h"

#define JSONRPC_MAX_BATCH 32u
#define JSONRPC_MAX_VALUES 65536u
#define JSONRPC_MAX_METHOD 64u
#define JSONRPC_MAX_ID 128u
#define SESSION_MAX 256
#define CALL_ID_MIN 8
#define CALL_ID_MAX 64

/* JSON-RPC 2.0, section 5.1. Ours are RPC_OURS - kind. */
enum rpc_code {
	RPC_PARSE = -32700,
	RPC_INVALID = -32600,
	RPC_NO_METHOD = -32601,
	RPC_PARAMS = -32602,
	RPC_OURS = -32000,
};

/* Parameters by name against the method's table, `session` and `call_id`: rules param_unknown, param_missing,
 * param_type, param_range, param_word, call_id; where is the parameter. */
MUST_CHECK enum err rpc_params_check(const struct rpc_method *m, const json_t *params, struct fault *f);
/* The error object. code 0: from the fault's kind. Gives: json_decref(). */
json_t *rpc_error_new(const struct jsonrpc_config *c, const struct rpc_call *call, enum rpc_code code,
		      const struct fault *f);

#endif

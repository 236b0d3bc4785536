/*
 * The road of a call, for the desk that JSON-RPC asks (desk.c).
 */
#ifndef HUFU_RA_CALL_H
#define HUFU_RA_CALL_H

#include "ra/desk.h"
#include "ra/store.h"

/* What a portal may add to any call that it brings. */
extern const struct rpc_param call_portal_params[];
/* jsonrpc_config.session and .session_done; arg is the desk, in all of these. */
MUST_CHECK enum err call_session(void *arg, struct rpc_call *call, const char *token, struct fault *f);
void call_session_done(void *arg, struct rpc_call *call);
/* rpc_method.fn of all methods. */
MUST_CHECK enum err call_dispatch(void *arg, struct rpc_call *call, json_t **ret_result, struct fault *f);
/* A store_over: of the store that the calls' changes are put into. */
void call_over(void *arg, struct store_task *all);

#endif

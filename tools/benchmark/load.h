/*
 * The load generator: many requests in flight to one of Hufu's sockets from a single thread.
 *
 * It speaks the wire of common/rpc/conn.h itself, without nng, so that the asking side takes as little as possible of
 * the cores that the asked one is measured on.
 */
#ifndef HUFU_BENCHMARK_LOAD_H
#define HUFU_BENCHMARK_LOAD_H

#include "common/base/buf.h"

#include <signal.h>

/* Set by a signal handler: what runs ends with ERR_BUSY interrupted. */
extern volatile sig_atomic_t load_stop;

/* What a slot does next. reply is empty at the first call, then the answer to what the slot asked last; borrowed.
 * Appends the next request, or leaves *request empty: the slot is done. */
typedef enum err load_step(void *arg, unsigned slot, struct slice reply, struct buf *request, struct fault *f);

/* Runs `slots` slots, each with one request in flight, over a few connections, until all are done. Errors: ERR_NET when
 * the peer is away, hangs up or answers nothing for a minute, ERR_PARSE when it speaks another protocol, and whatever a
 * step raises. */
MUST_CHECK enum err load_run(const char *path, unsigned slots, load_step *step, void *arg, struct fault *f);
/* The same of an HTTP server on a Unix socket, over a kept connection for each slot: requests are whole HTTP requests, replies the bodies
 * of answers with status 200. Another status, and an answer without a length, are ERR_PARSE http_answer. */
MUST_CHECK enum err load_run_http(const char *path, unsigned slots, load_step *step, void *arg, struct fault *f);
/* One request on a connection of its own. Appends the answer. */
MUST_CHECK enum err load_call(const char *path, struct slice request, struct buf *reply, struct fault *f);

#endif

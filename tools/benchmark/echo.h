/*
 * What no server over this wire can beat on this machine: one that answers without reading what it is asked.
 */
#ifndef HUFU_BENCHMARK_ECHO_H
#define HUFU_BENCHMARK_ECHO_H

#include "common/base/buf.h"

#include <sys/types.h>

enum echo_kind { ECHO_OURS, ECHO_NNG }; /* Hufu's own server, answering at once; nng's REP with 64 contexts */
#define ECHO_KINDS 2
extern const char *const echo_words[ECHO_KINDS];

/* Starts a process that answers every request on that socket by so many bytes. The calling process must have no thread
 * beside this one. Ended by echo_stop(). */
MUST_CHECK enum err echo_start(enum echo_kind kind, const char *path, size_t reply_bytes, pid_t *ret, struct fault *f);
void echo_stop(pid_t *pid);

#endif

/*
 * Unix socket paths: length, stale files, and whether anybody accepts there.
 */
#ifndef HUFU_RPC_PATH_H
#define HUFU_RPC_PATH_H

#include "common/base/err.h"

#include <sys/stat.h>

/* Empty, or too long for sockaddr_un (107 bytes): ERR_CONFIG. */
MUST_CHECK enum err path_check(const char *path, struct fault *f);
/* Connects once, waits for the first byte of a greeting and hangs up. ERR_NET: peer_away when nobody accepts,
 * peer_refused when this user is hung up on. Silence is no error. */
MUST_CHECK enum err path_probe(const char *path, int timeout_ms, struct fault *f);
/* Makes the path free for a listener: a socket that nobody accepts on is removed. Somebody accepts: ERR_CONFLICT. Not a
 * socket: ERR_CONFIG, and the file stays. */
MUST_CHECK enum err path_claim(const char *path, struct fault *f);
/* The file is a socket with exactly this mode, else ERR_IO. Gives its stat. */
MUST_CHECK enum err path_check_mode(const char *path, unsigned mode, struct stat *ret, struct fault *f);

#endif

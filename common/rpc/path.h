/*
 * Unix socket paths: length, stale files, and whether anybody accepts there.
 */
#ifndef HUFU_RPC_PATH_H
#define HUFU_RPC_PATH_H

#include "common/base/err.h"

/* Empty, or too long for sockaddr_un (107 bytes): ERR_CONFIG. */
MUST_CHECK enum err path_check(const char *path, struct fault *f);
/* Connects once and hangs up: nobody there, or no permission: ERR_NET. */
MUST_CHECK enum err path_probe(const char *path, struct fault *f);
/* Makes the path free for a listener: a socket that nobody accepts on is removed. Somebody accepts: ERR_CONFLICT. Not a
 * socket: ERR_CONFIG, and the file stays. */
MUST_CHECK enum err path_claim(const char *path, struct fault *f);
/* The file is a socket with exactly this mode, else ERR_IO. */
MUST_CHECK enum err path_check_mode(const char *path, unsigned mode, struct fault *f);

#endif

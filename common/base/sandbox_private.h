/*
 * Between sandbox.c and sandbox_calls.c.
 */
#ifndef HUFU_BASE_SANDBOX_PRIVATE_H
#define HUFU_BASE_SANDBOX_PRIVATE_H

#include "common/base/sandbox.h"

/* Loads the list of system calls: for all threads, for good. ERR_INTERNAL when the kernel does not take it. */
MUST_CHECK enum err sandbox_calls_load(const struct sandbox *s, struct fault *f);

#endif

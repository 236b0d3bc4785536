/*
 * What an outsider may hear of a fault: both wires say it by the same rule.
 */
#ifndef HUFU_RPC_FAULT_H
#define HUFU_RPC_FAULT_H

#include "common/base/err.h"

#define FAULT_REF 11 /* ten digits and NUL */

/* A fault whose kind is public goes to *ret, all its texts valid UTF-8, and *ref is empty. Any other is logged under a
 * new random number, and *ret becomes ERR_INTERNAL, "internal_error", "internal error, reference N" with no place. */
void fault_publish(const struct fault *f, struct fault *ret, char ref[FAULT_REF]);

#endif

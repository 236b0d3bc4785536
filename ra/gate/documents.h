/*
 * What never changes while a gate runs: CA certificates, and texts that certificates point to.
 */
#ifndef HUFU_RA_GATE_DOCUMENTS_H
#define HUFU_RA_GATE_DOCUMENTS_H

#include "common/base/err.h"

struct documents;
/* Reads the folder's files; NULL: none. At most 256 of at most 4 MiB, with names of letters, digits, '.', '_' and '-'; others are left out and said
 * aloud. Gives *ret: documents_close(). */
MUST_CHECK enum err documents_open(const char *folder, struct documents **ret, struct fault *f);
void documents_close(struct documents *d);

#endif

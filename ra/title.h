/*
 * What people call a material, a subject attribute, or a field of a request.
 */
#ifndef HUFU_RA_TITLE_H
#define HUFU_RA_TITLE_H

#include "common/policy/policy.h"

/* Of a material, an attribute or a field; a name that has no title is its own. Borrows name. */
struct bilingual title_of(const char *name);
/* The fields of a request that are no material and no attribute: months, order, files, notice, key, delivery, reason, other. */
bool title_is_field(const char *name);

#endif

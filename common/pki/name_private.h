/*
 * What the files about names share; nobody outside common/pki includes this.
 */
#ifndef HUFU_PKI_NAME_PRIVATE_H
#define HUFU_PKI_NAME_PRIVATE_H

#include "common/pki/name.h"

bool printable_is(const char *value, size_t len);
bool ia5_is(const char *value, size_t len);
/* name_add(), with the attribute's own bound only when bounded. */
MUST_CHECK enum err name_append(struct name *n, const struct attr_type *type, const char *value, size_t len,
				bool bounded, struct fault *f);
/* Is this a Name in form: SEQUENCE OF SET OF SEQUENCE { OID, string }, sets in DER's order, every string of a type and
 * content that RFC 5280 4.1.2.4 allows? Attributes may be unknown, RDNs multi-valued. */
bool name_is_wellformed(struct slice der);

#endif

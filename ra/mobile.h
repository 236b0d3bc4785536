/*
 * Mobile numbers of the mainland.
 */
#ifndef HUFU_RA_MOBILE_H
#define HUFU_RA_MOBILE_H

#include "ra/store_account.h"

/* Eleven digits, 13… to 19…: what may be sent to. Others are kept, flagged, and never sent to. */
bool mobile_is_good(const char *s);
MUST_CHECK enum err mobile_check(const char *where, const char *s, struct fault *f);
/* "138****1084": enough for its owner. Short or odd ones show less. */
void mobile_mask(const char *s, char ret[MOBILE_MAX + 1]);
/* "张*": the first character of a name. */
void name_mask(const char *s, char ret[AGENT_MAX + 1]);

#endif

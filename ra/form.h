/*
 * Forms and risk notices of the signed bundle, filled in for one request, to be printed, stamped and uploaded again.
 */
#ifndef HUFU_RA_FORM_H
#define HUFU_RA_FORM_H

#include "ra/request.h"

enum err form_list(struct ctx *c, json_t **ret, struct fault *f);
enum err form_get(struct ctx *c, json_t **ret, struct fault *f);

/* Text as text of an HTML element: the five characters that mean something there are escaped. Appends. */
void form_escape(const char *text, struct buf *ret);

#endif

/*
 * Mail addresses, as the desk takes them and the notifier sends to them.
 */
#ifndef HUFU_RA_MAIL_H
#define HUFU_RA_MAIL_H

#include "common/base/err.h"

#include <stdbool.h>

#define MAIL_MAX 254 /* RFC 5321 4.5.3.1.3, without the angle brackets */

/* A plain ASCII address: dot-atom, @, a domain of at least two labels (RFC 5321 4.1.2, without quoted strings, address
 * literals and comments, which nobody's mailbox needs and which are where injection hides). */
bool mail_is_good(const char *address);
/* ERR_RULE mail_form. */
MUST_CHECK enum err mail_check(const char *where, const char *address, struct fault *f);

#endif

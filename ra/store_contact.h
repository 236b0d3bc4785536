/*
 * Where an account's notices go besides its mobile, and in which language.
 */
#ifndef HUFU_RA_STORE_CONTACT_H
#define HUFU_RA_STORE_CONTACT_H

#include "ra/mail.h"
#include "ra/store.h"

struct contact {
	char mail[MAIL_MAX + 1]; /* "" none */
	char language[4];        /* zh, en; "" nobody has said */
};
/* Empty when nobody has said anything. */
MUST_CHECK enum err store_contact(struct db *db, int64_t account, struct contact *ret, struct fault *f);
MUST_CHECK enum err store_contact_set(struct db *db, int64_t account, const struct contact *k, int64_t at, struct fault *f);

#endif

/*
 * account.contact: where notices go besides the mobile, and in which language.
 */
#ifndef HUFU_RA_CONTACT_H
#define HUFU_RA_CONTACT_H

#include "ra/desk.h"
#include "ra/store_contact.h"

enum err account_contact(struct ctx *c, json_t **ret, struct fault *f);

#endif

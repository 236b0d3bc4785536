/*
 * Where an account's notices go, and in which language.
 */
#ifndef HUFU_RA_CONTACT_H
#define HUFU_RA_CONTACT_H

#include "ra/desk.h"
#include "ra/outbox.h"
#include "ra/store_contact.h"

enum err account_contact(struct ctx *c, json_t **ret, struct fault *f);
/* A notice of the account: by SMS to the number that logs in (the one on record where none is bound, or where the account is frozen),
 * and by mail where an address is set. l: template, words, lives_s; the rest is filled in. */
MUST_CHECK enum err contact_post(struct ctx *c, const struct account *a, struct letter *l, struct fault *f);

#endif

/*
 * account.*: log in, reset the initial password, log out, what is on record.
 */
#ifndef HUFU_RA_ACCOUNT_H
#define HUFU_RA_ACCOUNT_H

#include "ra/desk.h"

enum err account_login(struct ctx *c, json_t **ret, struct fault *f);
enum err account_reset(struct ctx *c, json_t **ret, struct fault *f);
enum err account_logout(struct ctx *c, json_t **ret, struct fault *f);
enum err account_show(struct ctx *c, json_t **ret, struct fault *f);

/* An identifier as accounts are named: without space around, letters A-Z; cut at size. */
void account_normalise(const char *text, char *ret, size_t size);

#endif

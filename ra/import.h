/*
 * import.accounts: accounts, services and claims on certificates from an old system.
 */
#ifndef HUFU_RA_IMPORT_H
#define HUFU_RA_IMPORT_H

#include "ra/desk.h"

enum err import_accounts(struct ctx *c, json_t **ret, struct fault *f);

#endif

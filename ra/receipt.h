/*
 * receipt.get: the ledger's receipt of an account's certificate.
 */
#ifndef HUFU_RA_RECEIPT_H
#define HUFU_RA_RECEIPT_H

#include "ra/desk.h"

enum err receipt_get(struct ctx *c, json_t **ret, struct fault *f);

#endif

/*
 * What can be done with a certificate: one call for the page on which its owner chooses.
 */
#ifndef HUFU_RA_WAY_H
#define HUFU_RA_WAY_H

#include "ra/desk.h"

enum err request_ways(struct ctx *c, json_t **ret, struct fault *f);

#endif

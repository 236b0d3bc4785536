/*
 * A desk's database as after years: many certificates, and some accounts with services and orders. Written straight
 * through the desk's store, before the desk is started.
 */
#ifndef HUFU_BENCHMARK_CROWD_H
#define HUFU_BENCHMARK_CROWD_H

#include "common/pki/cert.h"

#define CROWD_ACCOUNTS 1000u
#define CROWD_OWN 20u /* certificates, services and orders of each account */

/* Fills state/desk.db with n certificates, at least those of the accounts. */
MUST_CHECK enum err crowd_fill(const char *state, size_t n, struct fault *f);
/* Of certificate i < n: its serial number, the same in every run of the program. */
void crowd_serial(size_t i, struct serial *ret);
/* Of account i < CROWD_ACCOUNTS: the token of a session that this user holds for a day. */
void crowd_token(size_t i, char ret[33]);

#endif

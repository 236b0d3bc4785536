/*
 * Reminders that a certificate ends: 90, 30, 7 and 1 days before, once each, by the clock.
 */
#ifndef HUFU_RA_REMIND_H
#define HUFU_RA_REMIND_H

#include "ra/desk.h"

/* What is due now, from 8:00 to 20:00 in Shanghai and not at night; in transactions of a bounded size. *ret_n: certificates that somebody was reminded of. */
MUST_CHECK enum err remind_turn(struct desk *d, int64_t now, size_t *ret_n, struct fault *f);

#endif

/*
 * The desk's calendar: hours, weekdays, days off and make-up working days, in Asia/Shanghai (+08:00, no daylight saving).
 */
#ifndef HUFU_RA_CALENDAR_H
#define HUFU_RA_CALENDAR_H

#include "common/base/buf.h"

#include <stdint.h>

struct calendar;
/* Strict: ERR_CONFIG names the place. Gives *ret: calendar_free(). */
MUST_CHECK enum err calendar_load(const char *path, struct calendar **ret, struct fault *f);
void calendar_free(struct calendar *k);
/* Monday to Friday, 9:00 to 18:00, no year known: what counts where no file is named. Static. */
const struct calendar *calendar_plain(void);

/* Appends lines "calendar.… = …": hours, weekdays, each year's days off and make-up working days. */
void calendar_facts(const struct calendar *k, struct buf *ret);
/* Does the calendar have the days of that time's year? */
bool calendar_knows(const struct calendar *k, int64_t t);
/* Is the day of that time a working day? */
bool calendar_works(const struct calendar *k, int64_t t);
/* The close of the days-th working day after the one on which `at` counts. What comes at closing time or later, or on a day off,
 * counts from the next working day. */
int64_t calendar_due(const struct calendar *k, int64_t at, int64_t days);

#endif

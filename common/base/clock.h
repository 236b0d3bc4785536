/*
 * Time: int64_t seconds since 1970 UTC everywhere; tests can set the clock.
 */
#ifndef HUFU_BASE_CLOCK_H
#define HUFU_BASE_CLOCK_H

#include "common/base/err.h"

#include <stdint.h>

int64_t clock_now(void);          /* UTC seconds; the set value in tests */
void clock_set(int64_t now);      /* tests only; clock_set(0) gives the real clock back */
uint8_t clock_fraction(void);    /* of the second that runs, in 256th parts; the real clock's in tests, too */
int64_t clock_mono_us(void);      /* monotonic microseconds, for durations */

#define TIME_TEXT 21              /* "2026-11-23T00:00:00Z" and NUL */
/* Is it of the years 0000-9999, which alone can be written? */
bool time_fits(int64_t t);
/* RFC 3339 in UTC, years 0000-9999 (asserted). Returns ret. */
const char *time_utc(int64_t t, char ret[TIME_TEXT]);
/* "2026-11-23 08:00:00" in Asia/Shanghai (+08:00, no daylight saving). Returns ret (20 bytes and more). */
const char *time_shanghai(int64_t t, char ret[TIME_TEXT]);
#define UTC(t) time_utc((t), (char[TIME_TEXT]){0})
#define SHANGHAI(t) time_shanghai((t), (char[TIME_TEXT]){0})

/* Strict "YYYY-MM-DDTHH:MM:SSZ": real dates only. */
bool time_parse_utc(const char *text, size_t n, int64_t *ret);
/* "YYYY-MM-DD HH:MM:SS" read as +08:00, or with an explicit "Z" / "+08:00" and a "T" or a space between. */
bool time_parse_shanghai(const char *text, size_t n, int64_t *ret);

struct civil {
	int year, month, day, hour, minute, second; /* month 1-12, day 1-31 */
};
struct civil time_civil(int64_t t);
/* Proleptic Gregorian; fields must be in range (asserted). */
int64_t time_from_civil(struct civil c);
/* Same day and time of day months later (UTC); a day that does not exist there becomes the last day of
 * that month (29 February + 12 months = 28 February). */
int64_t time_add_months(int64_t t, int months);

#endif

/*
 * Calendar arithmetic of our own: no time zone files, no locale, no 32-bit time_t, the same on every machine.
 *
 * Days are counted in eras of 400 years that begin on 1 March, so that the leap day is the last of its year. China has
 * had one offset and no daylight saving since 1991; +08:00 is applied throughout.
 */
#include "common/base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define SHANGHAI_OFFSET (8 * 3600)

static _Atomic int64_t set_now;

int64_t clock_now(void)
{
	int64_t now = atomic_load(&set_now);
	if (now != 0)
		return now;
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

void clock_set(int64_t now)
{
	atomic_store(&set_now, now);
}

uint8_t clock_fraction(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint8_t)(((int64_t)ts.tv_nsec << 8) / 1000000000);
}

int64_t clock_mono_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

struct civil time_civil(int64_t t)
{
	int64_t days = floor_div(t, DAY), second = t - days * DAY;
	int64_t z = days + 719468; /* from 0000-03-01 */
	int64_t era = floor_div(z, 146097), doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	return (struct civil){
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(second / 3600),
		.minute = (int)(second / 60 % 60),
		.second = (int)(second % 60),
	};
}

static bool civil_is_real(struct civil c)
{
	return c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= month_days(c.year, c.month) && c.hour >= 0 &&
	       c.hour <= 23 && c.minute >= 0 && c.minute <= 59 && c.second >= 0 && c.second <= 59;
}

int64_t time_from_civil(struct civil c)
{
	assert(civil_is_real(c));
	int64_t y = (int64_t)c.year - (c.month <= 2);
	int64_t era = floor_div(y, 400), yoe = y - era * 400;
	int64_t doy = (153 * (c.month > 2 ? c.month - 3 : c.month + 9) + 2) / 5 + c.day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return (era * 146097 + doe - 719468) * DAY + c.hour * 3600 + c.minute * 60 + c.second;
}

int64_t time_add_months(int64_t t, int months)
{
	struct civil c = time_civil(t);
	int64_t month = (int64_t)c.year * 12 + c.month - 1 + months;
	c.year = (int)floor_div(month, 12);
	c.month = (int)(month - (int64_t)c.year * 12) + 1;
	int last = month_days(c.year, c.month);
	c.day = c.day < last ? c.day : last;
	return time_from_civil(c);
}

/* Lists show hundreds of times: printf() would be a tenth of their cost. behind: nothing where it is NUL. */
static char *put_digits(char *p, int v, int width, char behind)
{
	for (int i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	p[width] = behind;
	return p + width + (behind != '\0');
}

bool time_fits(int64_t t)
{
	return t >= -62167219200 && t <= 253402300799; /* 0000-01-01T00:00:00Z, 9999-12-31T23:59:59Z */
}

static const char *time_text(int64_t t, char between, char zone, char ret[TIME_TEXT])
{
	assert(time_fits(t)); /* so that no field can be out of its width */
	struct civil c = time_civil(t);
	char *p = put_digits(ret, c.year, 4, '-');
	p = put_digits(p, c.month, 2, '-');
	p = put_digits(p, c.day, 2, between);
	p = put_digits(p, c.hour, 2, ':');
	p = put_digits(p, c.minute, 2, ':');
	p = put_digits(p, c.second, 2, zone);
	*p = '\0';
	return ret;
}

const char *time_utc(int64_t t, char ret[TIME_TEXT])
{
	return time_text(t, 'T', 'Z', ret);
}

const char *time_shanghai(int64_t t, char ret[TIME_TEXT])
{
	return time_text(t + SHANGHAI_OFFSET, ' ', '\0', ret);
}

static int digits(const char *p, size_t n)
{
	int v = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* "YYYY-MM-DD?HH:MM:SS", 19 characters, real dates only. A leap second (60) has no place in POSIX time: refused. */
static bool parse_civil(const char *p, char between, int64_t *ret)
{
	struct civil c = {digits(p, 4),	     digits(p + 5, 2),	digits(p + 8, 2),
			  digits(p + 11, 2), digits(p + 14, 2), digits(p + 17, 2)};
	if (p[4] != '-' || p[7] != '-' || p[10] != between || p[13] != ':' || p[16] != ':')
		return false;
	if (c.year < 0 || !civil_is_real(c))
		return false;
	*ret = time_from_civil(c);
	return true;
}

bool time_parse_utc(const char *text, size_t n, int64_t *ret)
{
	return n == 20 && text[19] == 'Z' && parse_civil(text, 'T', ret);
}

bool time_parse_shanghai(const char *text, size_t n, int64_t *ret)
{
	int64_t t;
	if (n == 19) {
		if (!parse_civil(text, ' ', &t))
			return false;
		*ret = t - SHANGHAI_OFFSET;
		return true;
	}
	bool utc = n == 20 && text[19] == 'Z', east = n == 25 && memcmp(text + 19, "+08:00", 6) == 0;
	if ((!utc && !east) || (!parse_civil(text, 'T', &t) && !parse_civil(text, ' ', &t)))
		return false;
	*ret = utc ? t : t - SHANGHAI_OFFSET;
	return true;
}

/*
 * Days are numbers since 1970-01-01 in Asia/Shanghai. A weekday says whether one works, unless its year's list says
 * otherwise; a list that says what the weekday says already is a slip of the pen and refused.
 */
#include "ra/calendar.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/yaml.h"

#include <stddef.h>
#include <string.h>

#define ZONE_S (8 * 3600)
#define DAY_S 86400
#define LOOK_DAYS 4000 /* a calendar without working days ends somewhere */
#define YEARS_MAX 50

enum day { DAY_BY_WEEKDAY, DAY_OFF, DAY_WORKING };
struct calendar_year {
	const char *key;
	struct yaml_strs off, working;
	int64_t first, n;  /* its first day, how many */
	uint8_t days[366]; /* enum day */
};
struct calendar {
	const char *opens_text, *closes_text;
	int64_t opens, closes; /* seconds of the day */
	uint64_t weekdays;     /* bit 0: Monday */
	struct yaml_list years;
	struct yaml_doc *doc;
};

static const char *const weekday_words[] = {"monday", "tuesday",  "wednesday", "thursday",
					    "friday", "saturday", "sunday",    NULL};
static const struct yaml_rule year_rules[] = {{.key = "off",
					       .kind = YK_STRS,
					       .offset = offsetof(struct calendar_year, off),
					       .min = 10,
					       .max = 22,
					       .help = "days off: 2026-01-01, or 2026-01-01..2026-01-03"},
					      {.key = "working",
					       .kind = YK_STRS,
					       .offset = offsetof(struct calendar_year, working),
					       .min = 10,
					       .max = 22,
					       .help = "make-up working days, which their weekday would not make so"},
					      {0}};
static const struct yaml_rule rules[] = {{.key = "opens",
					  .kind = YK_STR,
					  .offset = offsetof(struct calendar, opens_text),
					  .required = true,
					  .min = 5,
					  .max = 5,
					  .help = "when the desk opens, '09:00'"},
					 {.key = "closes",
					  .kind = YK_STR,
					  .offset = offsetof(struct calendar, closes_text),
					  .required = true,
					  .min = 5,
					  .max = 5,
					  .help = "when it closes; what comes then counts from the next day"},
					 {.key = "weekdays",
					  .kind = YK_WORDS,
					  .offset = offsetof(struct calendar, weekdays),
					  .required = true,
					  .words = weekday_words,
					  .help = "the usual working days"},
					 {.key = "years",
					  .kind = YK_DICT,
					  .offset = offsetof(struct calendar, years),
					  .max = YEARS_MAX,
					  .sub = year_rules,
					  .elem_size = sizeof(struct calendar_year),
					  .help = "days that are not what their weekday says, by year"},
					 {0}};

/* --- days --- */

static int64_t day_of(int64_t t)
{
	int64_t local = t + ZONE_S;
	return local >= 0 ? local / DAY_S : -((DAY_S - 1 - local) / DAY_S);
}

static int64_t first_of(int year)
{
	return time_from_civil((struct civil){.year = year, .month = 1, .day = 1}) / DAY_S;
}

static const struct calendar_year *year_of(const struct calendar *k, int64_t day)
{
	const struct calendar_year *years = k->years.v;
	for (size_t i = 0; i < k->years.n; i++) {
		if (day >= years[i].first && day < years[i].first + years[i].n)
			return &years[i];
	}
	return NULL;
}

/* 1970-01-01 was a Thursday. */
static bool weekday_works(const struct calendar *k, int64_t day)
{
	int64_t weekday = ((day + 3) % 7 + 7) % 7;
	return (k->weekdays >> weekday & 1) != 0;
}

static bool day_works(const struct calendar *k, int64_t day)
{
	const struct calendar_year *y = year_of(k, day);
	uint8_t said = y ? y->days[day - y->first] : DAY_BY_WEEKDAY;
	return said == DAY_BY_WEEKDAY ? weekday_works(k, day) : said == DAY_WORKING;
}

bool calendar_knows(const struct calendar *k, int64_t t)
{
	return year_of(k, day_of(t)) != NULL;
}

bool calendar_works(const struct calendar *k, int64_t t)
{
	return day_works(k, day_of(t));
}

static int64_t next_working(const struct calendar *k, int64_t day)
{
	for (int i = 0; i < LOOK_DAYS && !day_works(k, day); i++)
		day++;
	return day;
}

int64_t calendar_due(const struct calendar *k, int64_t at, int64_t days)
{
	int64_t day = day_of(at);
	if (at + ZONE_S - day * DAY_S >= k->closes)
		day++;
	day = next_working(k, day);
	for (int64_t i = 0; i < days; i++)
		day = next_working(k, day + 1);
	return day * DAY_S + k->closes - ZONE_S;
}

const struct calendar *calendar_plain(void)
{
	static const struct calendar plain = {.opens = 9 * 3600, .closes = 18 * 3600, .weekdays = 0x1f};
	return &plain;
}

static void put_days(const struct calendar_year *y, const char *what, const struct yaml_strs *days, struct buf *ret)
{
	buf_fmt(ret, "calendar.%s.%s =", y->key, what);
	for (size_t i = 0; i < days->n; i++)
		buf_fmt(ret, " %s", days->v[i]);
	buf_char(ret, '\n');
}

void calendar_facts(const struct calendar *k, struct buf *ret)
{
	const struct calendar_year *years = k->years.v;
	buf_fmt(ret, "calendar.hours = %02d:%02d-%02d:%02d\ncalendar.weekdays =", (int)(k->opens / 3600),
		(int)(k->opens / 60 % 60), (int)(k->closes / 3600), (int)(k->closes / 60 % 60));
	for (unsigned i = 0; weekday_words[i]; i++) {
		if (k->weekdays >> i & 1)
			buf_fmt(ret, " %s", weekday_words[i]);
	}
	buf_char(ret, '\n');
	for (size_t i = 0; i < k->years.n; i++) {
		put_days(&years[i], "off", &years[i].off, ret);
		put_days(&years[i], "working", &years[i].working, ret);
	}
}

/* --- reading --- */

static enum err read_clock(const struct calendar *k, const char *const *text, int64_t *ret, struct fault *f)
{
	const char *t = *text;
	bool form = t[2] == ':' && strspn(t, "0123456789") == 2 && strspn(t + 3, "0123456789") == 2;
	int64_t hour = (t[0] - '0') * 10 + t[1] - '0', minute = (t[3] - '0') * 10 + t[4] - '0';
	if (!form || hour > 23 || minute > 59)
		return yaml_fault(k->doc, text, f, "calendar_clock", "found \"%s\", wanted a time of day as '09:00'",
				  ESC(t, strlen(t)));
	*ret = hour * 3600 + minute * 60;
	return OK;
}

/* "2026-01-01" as a day of that year. */
static bool read_day(const struct calendar_year *y, const char *text, int64_t *ret)
{
	char full[TIME_TEXT];
	int64_t t = 0;
	snprintf(full, sizeof(full), "%.10sT00:00:00Z", text);
	if (!time_parse_utc(full, strlen(full), &t))
		return false;
	*ret = t / DAY_S - y->first;
	return *ret >= 0 && *ret < y->n;
}

static enum err mark(const struct calendar *k, struct calendar_year *y, const char *const *text, enum day as,
		     struct fault *f)
{
	const char *t = *text;
	size_t n = strlen(t);
	int64_t from = 0, to = 0;
	bool range = n == 22 && t[10] == '.' && t[11] == '.';
	if ((n != 10 && !range) || !read_day(y, t, &from) || !read_day(y, range ? t + 12 : t, &to) || to < from)
		return yaml_fault(k->doc, text, f, "calendar_day",
				  "found \"%s\", wanted a day of %s, or two with .. between, first one first",
				  ESC(t, n), y->key);
	for (int64_t i = from; i <= to; i++) {
		if (y->days[i] != DAY_BY_WEEKDAY)
			return yaml_fault(k->doc, text, f, "calendar_twice", "%s: a day stands twice", t);
		y->days[i] = (uint8_t)as;
	}
	if (as == DAY_WORKING && weekday_works(k, y->first + from))
		return yaml_fault(k->doc, text, f, "calendar_day", "%s is a working day by its weekday already", t);
	return OK;
}

static enum err read_year(const struct calendar *k, struct calendar_year *y, struct fault *f)
{
	size_t n = strlen(y->key);
	if (n != 4 || strspn(y->key, "0123456789") != 4 || y->key[0] == '0')
		return yaml_fault(k->doc, &y->key, f, "calendar_year", "found \"%s\", wanted a year as 2026",
				  ESC(y->key, n));
	int year = (y->key[0] - '0') * 1000 + (y->key[1] - '0') * 100 + (y->key[2] - '0') * 10 + y->key[3] - '0';
	y->first = first_of(year);
	y->n = first_of(year + 1) - y->first;
	for (size_t i = 0; i < y->off.n; i++)
		TRY(mark(k, y, &y->off.v[i], DAY_OFF, f));
	for (size_t i = 0; i < y->working.n; i++)
		TRY(mark(k, y, &y->working.v[i], DAY_WORKING, f));
	return OK;
}

void calendar_free(struct calendar *k)
{
	yaml_freep(&k->doc);
	free(k);
}
CLEANUP_PTR(struct calendar, calendar_freep, calendar_free)

enum err calendar_load(const char *path, struct calendar **ret, struct fault *f)
{
	_cleanup_(calendar_freep) struct calendar *k = xcalloc(1, sizeof(*k));
	TRY(yaml_load(path, &k->doc, f));
	TRY(yaml_decode(k->doc, yaml_root(k->doc), rules, k, f));
	TRY(read_clock(k, &k->opens_text, &k->opens, f));
	TRY(read_clock(k, &k->closes_text, &k->closes, f));
	if (k->opens >= k->closes || k->weekdays == 0)
		return yaml_fault(k->doc, &k->closes_text, f, "calendar_hours",
				  "wanted to open before closing, on one weekday at least");
	struct calendar_year *years = k->years.v;
	for (size_t i = 0; i < k->years.n; i++)
		TRY(read_year(k, &years[i], f));
	*ret = TAKE(k);
	return OK;
}

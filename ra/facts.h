/*
 * What the desk goes by, in lines that a person can read: which files, which people, which prices, which days. Recorded
 * when it changes, so that the audit can say what was different, and shown to officers and administrators.
 */
#ifndef HUFU_RA_FACTS_H
#define HUFU_RA_FACTS_H

#include "ra/desk.h"

/* Appends "key = value" lines, sorted. */
void facts_put(const struct ra_config *config, const struct law *law, struct buf *ret);
/* Lines of before that are not in after, "- key = value", and the other way round, "+ …", by key. Gives a JSON array. */
json_t *facts_diff(struct slice before, struct slice after);
/* Compares with what was recorded last; when it differs, records it with an audit row that has the difference. Nothing recorded
 * yet: no row. In a transaction. *ret_changes (gives) may be NULL. */
struct facts_by {
	const char *who, *address;
	int64_t uid, now;
};
MUST_CHECK enum err facts_record(struct desk *d, struct db *db, const struct law *law, const struct facts_by *by,
				 json_t **ret_changes, struct fault *f);
/* Of the law in force, in a transaction of its own: by "start" or "signal". */
MUST_CHECK enum err facts_record_now(struct desk *d, const char *who, struct fault *f);

/* desk.law, desk.check, desk.reload, calendar.show */
enum err desk_law(struct ctx *c, json_t **ret, struct fault *f);
enum err desk_check(struct ctx *c, json_t **ret, struct fault *f);
enum err desk_reload(struct ctx *c, json_t **ret, struct fault *f);
enum err calendar_show(struct ctx *c, json_t **ret, struct fault *f);

#endif

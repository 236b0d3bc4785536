/*
 * A view is split at its commas, which no project's name has.
 */
#include "ra/store_view.h"

#include "common/base/cleanup.h"

#include <string.h>

enum err view_each(const char *view, view_fn *fn, void *arg, struct fault *f)
{
	_cleanup_(freep) char *names = xstrdup(view);
	char *rest = NULL;
	for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		TRY(fn(arg, name, f));
	return fn(arg, VIEW_EVERYBODYS, f);
}

struct counting {
	struct db *db;
	const char *sql;
	int64_t left;
};

static enum err count(void *arg, const char *project, struct fault *f)
{
	struct counting *c = arg;
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	if (c->left < 0)
		return OK;
	TRY(db_one(c->db, f, &row, c->sql, "it", c->left + 1, project));
	c->left -= db_i64(row, 0);
	return OK;
}

enum err view_few(struct db *db, const char *view, const char *sql, int64_t most, bool *ret, struct fault *f)
{
	struct counting c = {db, sql, most};
	TRY(view_each(view, count, &c, f));
	*ret = c.left >= 0;
	return OK;
}

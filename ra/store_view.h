/*
 * What officers of some projects see. A view is ",a,b," (officer_projects()), bound as a text; "" sees all. Either a part of a WHERE
 * judges a row by it, or a list is read project by project, each in its order.
 */
#ifndef HUFU_RA_STORE_VIEW_H
#define HUFU_RA_STORE_VIEW_H

#include "common/db/db.h"

#define VIEW_HAS(view, project) "instr(" view ", ',' || " project " || ',') > 0"
#define VIEW_PROJECT(view, project) "(" view " = '' OR " VIEW_HAS(view, project) ")"
/* What is of no project, in account_projects and token_projects. */
#define VIEW_EVERYBODYS "*"
/* An account with a service or a certificate of them, or with none at all, which is everybody's. */
#define VIEW_ACCOUNT(view, account)                                                                                    \
	"(" view " = '' OR EXISTS (SELECT 1 FROM account_projects vp WHERE vp.account = " account                      \
	" AND (vp.project = '" VIEW_EVERYBODYS "' OR " VIEW_HAS(view, "vp.project") ")))"

/* Hands fn each project of a view that is not "", then VIEW_EVERYBODYS. */
typedef enum err view_fn(void *arg, const char *project, struct fault *f);
MUST_CHECK enum err view_each(const char *view, view_fn *fn, void *arg, struct fault *f);
/* A statement for view_few(): from: "orders WHERE project = ?2". */
#define VIEW_COUNT(from) "SELECT count(*) FROM (SELECT 1 FROM " from " LIMIT ?1)"
/* Have its projects together at most `most` rows? None is counted further than that. */
MUST_CHECK enum err view_few(struct db *db, const char *view, const char *sql, int64_t most, bool *ret, struct fault *f);

#endif

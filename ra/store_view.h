/*
 * What officers of some projects see, as parts of a WHERE. A view is ",a,b," (officer_projects()), bound as a text; "" sees all.
 */
#ifndef HUFU_RA_STORE_VIEW_H
#define HUFU_RA_STORE_VIEW_H

#include "common/db/db.h"

#define VIEW_HAS(view, project) "instr(" view ", ',' || " project " || ',') > 0"
#define VIEW_PROJECT(view, project) "(" view " = '' OR " VIEW_HAS(view, project) ")"
/* An account with a service or a certificate of them, or with none at all, which is everybody's. */
#define VIEW_ACCOUNT(view, account)                                                                                    \
	"(" view " = '' OR EXISTS (SELECT 1 FROM services vs WHERE vs.account = " account " AND " VIEW_HAS(view,        \
		"vs.project") ")"                                                                                      \
	" OR EXISTS (SELECT 1 FROM certs vc JOIN cert_bodies vb ON vb.id = vc.id WHERE vc.account = " account " AND "  \
	VIEW_HAS(view, "vb.project") ")"                                                                               \
	" OR NOT EXISTS (SELECT 1 FROM services vs WHERE vs.account = " account " UNION ALL SELECT 1 FROM certs vc"    \
	" WHERE vc.account = " account "))"
/* The ids of the services that a view sees, in no order: a step for each project that there is, and their rows of an index. */
#define VIEW_SERVICES(view)                                                                                            \
	"(WITH RECURSIVE p (name) AS (SELECT min(project) FROM services UNION ALL"                                     \
	" SELECT (SELECT min(project) FROM services WHERE project > p.name) FROM p WHERE p.name IS NOT NULL)"          \
	" SELECT s.id FROM p CROSS JOIN services s INDEXED BY services_project ON s.project = p.name WHERE " VIEW_HAS( \
		view, "p.name") ")"
/* Does a view see so few services that all of them are sooner looked at than rows of others passed over? "" does not. */
#define VIEW_FEW 2000
MUST_CHECK enum err store_view_few(struct db *db, const char *view, bool *ret, struct fault *f);

#endif

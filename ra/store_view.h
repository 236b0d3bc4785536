/*
 * What officers of some projects see, as parts of a WHERE. A view is ",a,b," (officer_projects()), bound as a text; "" sees all.
 */
#ifndef HUFU_RA_STORE_VIEW_H
#define HUFU_RA_STORE_VIEW_H

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

#endif

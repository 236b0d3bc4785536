/*
 * Officers as the desk knows them. What counts is the roster and its signatures; this is for the desk's own order.
 */
#ifndef HUFU_RA_OFFICER_H
#define HUFU_RA_OFFICER_H

#include "ra/desk.h"
#include "ra/store_course.h"

/* Who calls: the name that ra.yaml gives this user, else the parameter `officer`, else "uid:1002". ERR_RULE signer_unknown for a
 * name that is no officer's, ERR_DENIED officer_other when it is not the caller's own. */
MUST_CHECK enum err officer_of(struct ctx *c, char ret[WHO_MAX], struct fault *f);
/* May this officer's line be handed in here? ERR_RULE own_entry: it was entered by the same person, or its key was (maker; "": not at
 * the desk); ERR_DENIED officer_other. */
MUST_CHECK enum err officer_may_sign(struct ctx *c, const struct course *course, const char *maker, const char *name, struct fault *f);

/* Which projects' requests this caller sees, by ra.yaml; NULL: all. Who may sign is the roster's alone. */
const struct yaml_strs *officer_view(const struct ctx *c);
bool officer_sees(const struct ctx *c, const char *project);
/* The same for lists (store_view.h): ",a,b,"; "": all, and for a session, whose rows are its account's. Gives: free(). */
char *officer_projects(const struct ctx *c);
/* An account that this caller may not see looks like none: ERR_NOT_FOUND. */
MUST_CHECK enum err officer_sees_account(const struct ctx *c, int64_t account, struct fault *f);

#endif

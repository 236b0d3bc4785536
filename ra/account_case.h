/*
 * Cases about accounts, for officers: a forgotten identifier with the licence, another agent, a frozen binding.
 */
#ifndef HUFU_RA_ACCOUNT_CASE_H
#define HUFU_RA_ACCOUNT_CASE_H

#include "ra/account.h"
#include "ra/store_binding.h"

/* Fills in id, address and time and stores it, in the call's transaction. An id that is set stays. ERR_RULE cases_limit. */
MUST_CHECK enum err account_case_open(struct ctx *c, struct account_case *k, struct fault *f);

/* Makes materials of the files that desks before this one kept beside the cases. Once, with nobody else at the store; again after a crash. */
MUST_CHECK enum err account_cases_adopt(struct desk *d, struct fault *f);

enum err account_licence(struct ctx *c, json_t **ret, struct fault *f);
enum err account_cases(struct ctx *c, json_t **ret, struct fault *f);
enum err account_case_show(struct ctx *c, json_t **ret, struct fault *f);
enum err account_decide(struct ctx *c, json_t **ret, struct fault *f);
enum err account_agent(struct ctx *c, json_t **ret, struct fault *f);
enum err account_freeze(struct ctx *c, json_t **ret, struct fault *f);

#endif

/*
 * The answer to a call whose change is done and not yet durable.
 */
#ifndef HUFU_RA_ANSWER_H
#define HUFU_RA_ANSWER_H

#include "ra/desk.h"

struct answer;
/* Ends the call's transaction, c->db, without waiting: on OK the answer goes when it is durable, and whom the call wakes is woken then.
 * Else it has been rolled back. */
MUST_CHECK enum err answer_promise(struct answer *a, struct ctx *c, struct fault *f);

#endif

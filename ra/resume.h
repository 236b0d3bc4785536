/*
 * The desk and a ledger that was restored behind it: it shows the signer the checkpoint that it holds, takes no work
 * meanwhile, and goes on by an administrator's word once the operator's is in the ledger.
 */
#ifndef HUFU_RA_RESUME_H
#define HUFU_RA_RESUME_H

#include "ra/desk.h"

/* The signer's last checkpoint that the desk followed to, as a note. */
#define HEAD_CHECKPOINT "ledger_checkpoint"

/* Shows it to the signer. OK when there is none yet. */
MUST_CHECK enum err resume_show(struct desk *d, struct fault *f);

enum err desk_resume(struct ctx *c, json_t **ret, struct fault *f);
enum err desk_lost(struct ctx *c, json_t **ret, struct fault *f);

#endif

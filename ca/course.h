/*
 * The course of one tally through the signer, in steps, with the ledger's flushes between them: nobody waits for a
 * flush, and whoever has time takes the next step.
 */
#ifndef HUFU_CA_COURSE_H
#define HUFU_CA_COURSE_H

#include "ca/issue.h"

/* Large: keep it on the heap. */
struct course {
	struct request r;
	struct issue issue;
	struct buf reply; /* when it is over */
	/* The flush that the last step asked for is over, and course_step() is due: by anybody but the caller, who is the
	 * ledger's writer and must not wait. Set after course_begin(). */
	void (*flushed)(struct course *c);
	void *arg; /* flushed's own */
	/* NULL, or whoever verifies subscribers' signatures of several courses at a time: true, it has taken c, verifies c->r.claim and goes on with
	 * course_step(); false: c verifies its own. */
	bool (*gather)(struct course *c);
	/* course.c's own: */
	struct ledger_op op;
	struct fault f, why; /* of op; why the tally is refused */
	bool (*next)(struct course *c);
};

/* Reads a TALLY, which c borrows until course_end(). When the signer does not take it, the answer is in *reply:
 * malformed, the key not open, too many under way (ERR_BUSY signer_busy). */
bool course_begin(struct course *c, struct signer *s, bool by_operator, struct slice request, struct buf *reply);
/* True: it is over, and c->reply is the answer. False: c is somebody else's now; flushed() will be called, or gather() was. */
bool course_step(struct course *c);
void course_end(struct course *c);

#endif

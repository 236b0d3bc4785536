/*
 * The follower: a thread that asks the desk for the status feed, believes the log key alone, and writes the table.
 */
#ifndef HUFU_RA_GATE_FEED_H
#define HUFU_RA_GATE_FEED_H

#include "ra/gate/gate.h"

/* Reads the snapshot and the mark of an earlier life into g->table. A snapshot that is damaged is thrown away, and said aloud. */
MUST_CHECK enum err feed_load(struct gate *g, struct fault *f);
/* One answer of the desk's, whole: `feed_is` as it came. Applies it when it leads from what was followed to the signed checkpoint, else nothing. *ret_more: the
 * ledger has more. ERR_DB ledger_fork, and the log key's rules: the gate answers nothing from then on. */
MUST_CHECK enum err feed_take(struct gate *g, struct slice answer, bool *ret_more, struct fault *f);
/* Asks once and takes the answer. */
MUST_CHECK enum err feed_once(struct gate *g, uint32_t wait_ms, bool *ret_more, struct fault *f);

struct follower;
MUST_CHECK enum err follower_start(struct gate *g, struct follower **ret, struct fault *f);
/* Ends, and leaves a snapshot. */
void follower_stop(struct follower *w);

#endif

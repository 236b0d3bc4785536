/*
 * Threads that look after what ends by itself: CRLs and the responder's certificate, and answers that are signed ahead.
 */
#ifndef HUFU_RA_GATE_KEEPER_H
#define HUFU_RA_GATE_KEEPER_H

#include "ra/gate/gate.h"

struct keeper;
MUST_CHECK enum err keeper_start(struct gate *g, struct keeper **ret, struct fault *f);
void keeper_stop(struct keeper *k);

#endif

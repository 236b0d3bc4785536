/*
 * What happens by the clock: requests die, sessions and old answers go.
 */
#ifndef HUFU_RA_CLOCKWORK_H
#define HUFU_RA_CLOCKWORK_H

#include "ra/desk.h"

struct clockwork; /* thread-safe */
MUST_CHECK enum err clockwork_start(struct desk *d, struct clockwork **ret, struct fault *f);
void clockwork_stop(struct clockwork *w);
/* One turn, as the thread does it. */
MUST_CHECK enum err clockwork_turn(struct desk *d, struct fault *f);

#endif

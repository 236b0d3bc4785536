/*
 * The portal's half of a gate: pages of this program's, and the calls that their readers make.
 *
 * It keeps nothing. Who a person is, the desk says: the session's token lives in a cookie that no script reads, and goes from there into the call.
 */
#ifndef HUFU_RA_GATE_PORTAL_H
#define HUFU_RA_GATE_PORTAL_H

#include "ra/gate/gate.h"

#define PORTAL_COOKIE "hufu-session"

/* What the gate does with a method's session. */
enum allowed_session {
	SESSION_NONE,  /* it takes none */
	SESSION_MAYBE, /* it goes along when there is one */
	SESSION_WANTED,
	SESSION_BEGINS, /* its answer brings one */
	SESSION_ENDS,
};
struct allowed {
	const char *method;
	enum allowed_session session;
	bool officer; /* takes the parameter of that name */
};
/* What a browser of that audience may call. NULL: nothing of that name, whether or not the desk has it. */
const struct allowed *allowed_find(enum gate_audience audience, const char *method);
size_t allowed_count(enum gate_audience audience);

/* Makes the pages' Content-Security-Policy. */
void portal_open(struct gate *g);

#endif

/*
 * What the desk judges by: one policy bundle, one roster and one calendar, loaded together, shared by reference.
 */
#ifndef HUFU_RA_LAW_H
#define HUFU_RA_LAW_H

#include "common/note/roster.h"
#include "common/policy/policy.h"
#include "ra/calendar.h"

struct law {
	struct policy *policy;
	struct roster roster;
	struct calendar *dates; /* NULL: no file is named; use law_calendar() */
	bool quorum; /* the policy note holds a quorum of this roster's officers; the signer's word is the law */
	unsigned refs;
};
struct laws; /* the one in force; thread-safe */
/* Reads all from files and logs their SHA-256. ERR_CONFIG names the file and what is wrong. calendar: NULL for none. */
MUST_CHECK enum err laws_open(const char *policies, const char *roster, const char *calendar, struct laws **ret, struct fault *f);
/* The files as they are now, beside the one in force. Gives *ret: laws_set() or law_put(). */
MUST_CHECK enum err laws_read(struct laws *l, struct law **ret, struct fault *f);
/* Takes it: it is in force from now on. */
void laws_set(struct laws *l, struct law *fresh);
/* Both; on an error the old one stays in force. */
MUST_CHECK enum err laws_reload(struct laws *l, struct fault *f);
void laws_close(struct laws *l);
/* Gives: law_put(). */
struct law *laws_take(struct laws *l);
void law_put(struct laws *l, struct law *law);
/* The named one, or the plain one. */
const struct calendar *law_calendar(const struct law *law);

#endif

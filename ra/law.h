/*
 * What the desk judges by: one policy bundle and one roster, loaded together, shared by reference.
 */
#ifndef HUFU_RA_LAW_H
#define HUFU_RA_LAW_H

#include "common/note/roster.h"
#include "common/policy/policy.h"

struct law {
	struct policy *policy;
	struct roster roster;
	bool quorum; /* the policy note holds a quorum of this roster's officers; the signer's word is the law */
	unsigned refs;
};
struct laws; /* the one in force; thread-safe */
/* Reads both from files and logs their SHA-256. ERR_CONFIG names the file and what is wrong. */
MUST_CHECK enum err laws_open(const char *policies, const char *roster, struct laws **ret, struct fault *f);
/* The same again; on an error the old one stays in force. */
MUST_CHECK enum err laws_reload(struct laws *l, struct fault *f);
void laws_close(struct laws *l);
/* Gives: law_put(). */
struct law *laws_take(struct laws *l);
void law_put(struct laws *l, struct law *law);

#endif

/*
 * What a root's CRL says of the CAs below it, and what that makes of their certificates: no path leads through a revoked CA
 * (RFC 5280 6.1.3 (a) (3)), and RFC 6960 2.7 lets it be said of all that it has issued.
 */
#ifndef HUFU_COMMON_PKI_CA_REVOKED_H
#define HUFU_COMMON_PKI_CA_REVOKED_H

#include "common/pki/cert.h"

#define ROOT_CRL_MAX (8u * 1024u * 1024u)
#define ROOT_CRL_CAS 16 /* that one list is asked about */

/* When and why a CA was revoked, as one number that threads may share; 0: it is not. */
typedef uint64_t ca_word;
static inline bool ca_is_revoked(ca_word w) { return w != 0; }
int64_t ca_revoked_when(ca_word w);
/* Of its certificates: keyCompromise of the CA is cACompromise below it. */
unsigned ca_revoked_reason(ca_word w);
/* Does it take a certificate along, that is revoked by itself (since then) or is not? False: nothing changes by it. */
bool ca_takes_along(ca_word w, bool is_revoked, int64_t since);

struct below {
	const struct cert *ca;
	ca_word word; /* as it was, then as the list has it */
};
/* The list's word of each CA that the root has signed. adds: none that was revoked is let go by it. What changes is logged,
 * issuer_revoked and issuer_released. What crl_parse() and crl_verify_by() say. */
MUST_CHECK enum err root_crl_judge(struct slice der, const struct cert *root, bool adds, struct below *v, size_t n, struct fault *f);

#endif

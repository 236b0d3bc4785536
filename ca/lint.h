/*
 * Lint before signature: small pure rules over a certificate that was signed with a throw-away key, each citing its source. Any finding refuses.
 */
#ifndef HUFU_CA_LINT_H
#define HUFU_CA_LINT_H

#include "common/pki/cert.h"
#include "common/policy/policy.h"

struct lint_view;
struct lint_input {
	const struct cert *cert;      /* parsed by our reader, and its DER parsed once by libcrypto inside lint_run */
	const struct cert *issuer;
	const struct profile *profile; /* NULL for CA certificates */
	const struct name *subject;   /* what was meant */
	const struct pubkey *key;     /* what was meant */
	const struct pubkey *signer;  /* who has signed it: the signature must hold under it; NULL: it was `made` */
	struct {
		enum key_alg alg;	     /* of a throw-away key */
		struct slice tbs, signature; /* what that was just asked to sign, and what it answered */
	} made;
	int64_t now;
	const struct lint_view *view; /* lint_run()'s own: the bytes taken apart */
};
struct lint_rule {
	const char *name, *source;    /* "validity_order", "RFC 5280 4.1.2.5" */
	bool (*holds)(const struct lint_input *in, char *why, size_t why_size);
};
extern const struct lint_rule lint_rules[];
extern const size_t lint_n_rules;
/* ERR_RULE lint_<name> at the first that does not hold. */
MUST_CHECK enum err lint_run(const struct lint_input *in, struct fault *f);

#endif

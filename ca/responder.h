/*
 * Certificates of delegated OCSP responders: whole from code, for the exact key that the roster lists.
 */
#ifndef HUFU_CA_RESPONDER_H
#define HUFU_CA_RESPONDER_H

#include "ca/build.h"
#include "ca/build_ext.h"
#include "common/note/roster.h"

#define OID_KP_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"	     /* RFC 6960 4.2.2.2 */
#define OID_EXT_OCSP_NO_CHECK "1.3.6.1.5.5.7.48.1.5" /* RFC 6960 4.2.2.2.1 */

/* What lint holds such a certificate against: a profile that no bundle has. no-check, which no profile can list, comes
 * on top (lint_no_check). */
const struct profile *responder_profile(void);
/* The member of role responder with exactly this key (SHA-256 of the SPKI); NULL: none. Borrows from the roster. */
const struct member *responder_listed(const struct roster *roster, const uint8_t key_sha256[32]);
/* C and O of the issuer where it has them, and CN "OCSP responder <member's name>". */
MUST_CHECK enum err responder_subject(const struct cert *issuer, const struct member *m, struct name *ret,
				      struct fault *f);
/* Appends the TBSCertificate: key identifiers, digitalSignature, OCSPSigning alone, no-check; neither CRL nor OCSP URL,
 * since nobody is to check it. Errors as build_tbs(). */
MUST_CHECK enum err responder_tbs(const struct cert *issuer, const struct build *b, struct buf *ret, struct fault *f);

#endif

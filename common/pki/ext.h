/*
 * Extensions as certificates, CRLs and their entries carry them; nobody outside common/pki includes this.
 */
#ifndef HUFU_PKI_EXT_H
#define HUFU_PKI_EXT_H

#include "common/pki/cert.h"

/* The next Extension of the sequence; false on anything else. RFC 5280 4.1. */
bool ext_get(struct der *exts, struct cert_ext *ret);
/* Fills has_bc … aki from c->exts; an unknown critical extension is ERR_RULE unknown_critical_extension. */
MUST_CHECK enum err ext_read_all(struct cert *c, struct fault *f);
/* ERR_RULE unknown_critical_extension, for those who meet one. */
enum err ext_unknown(const struct cert_ext *e, const char *where, struct fault *f);

#endif

/*
 * The root's CRL: served, and believed when it revokes a CA of this gate.
 */
#ifndef HUFU_RA_GATE_ROOT_CRL_H
#define HUFU_RA_GATE_ROOT_CRL_H

#include "ra/gate/gate.h"

/* What an earlier life has seen, and then the file, which root_crl names: one that cannot be used leaves what there is, and is
 * told. Nothing is done when none is named. Opens g->root_crls: root_crl_close(). */
MUST_CHECK enum err root_crl_open(struct gate *g, struct fault *f);
void root_crl_close(struct gate *g);
/* Reads the file again. A CRL older than the one that was seen last counts for nothing: ERR_RULE crl_older. ERR_NOT_FOUND,
 * and what crl_parse() and crl_verify_by() say. */
MUST_CHECK enum err root_crl_look(struct gate *g, struct fault *f);
/* Has the root revoked that CA? */
bool issuer_is_revoked(const struct gate_issuer *of);
/* What such a CA makes of a certificate below it: revoked since then at the latest, for that CA's reason. No path leads
 * through a revoked CA (RFC 5280 6.1.3 (a) (3)), and RFC 6960 2.7 lets its responder say so of all that it has issued. */
void issuer_bears(const struct gate_issuer *of, struct gate_row *row);

#endif

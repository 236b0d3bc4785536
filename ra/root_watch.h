/*
 * What the root has revoked, as the desk knows it.
 */
#ifndef HUFU_RA_ROOT_WATCH_H
#define HUFU_RA_ROOT_WATCH_H

#include "ra/config.h"
#include "ra/status_index.h"

/* Heads in the store: the CRL that was believed last, and the certificates of the CAs, DER, one after the other. */
#define HEAD_ROOT_CRL "root_crl"
#define HEAD_ISSUERS "root_issuers"

struct root_watch; /* thread-safe */
/* The root's certificate, what an earlier life has seen, and then the file, which root_crl of the config names: one that cannot be used leaves what
 * there is, and is told. When none is named CAs are remembered, and nothing is looked at. All is borrowed. Gives *ret: root_watch_close(). */
MUST_CHECK enum err root_watch_open(const struct ra_config *config, struct store *s, struct status_index *x, struct root_watch **ret, struct fault *f);
void root_watch_close(struct root_watch *w);
/* Reads the file, which is named, again. A CRL older than the one that was seen last counts for nothing: ERR_RULE crl_older. ERR_NOT_FOUND, and what root_crl_judge()
 * and crl_number_u64() say. */
MUST_CHECK enum err root_watch_look(struct root_watch *w, struct fault *f);
/* The same, every few seconds: what is wrong is logged once. */
void root_watch_turn(struct root_watch *w);
/* The signer's word on whose certificates it issues and has issued: what the named root has not signed is left out. A CA that was heard of once stays. */
void root_watch_learn(struct root_watch *w, struct slice issuer, struct slice retired);

#endif

/*
 * What can be done with a certificate now, and where not, why: the four actions of "my certificates".
 */
#ifndef HUFU_RA_OFFER_H
#define HUFU_RA_OFFER_H

#include "ra/desk.h"

/* [{action, possible, reason, zh, en, from, until}] for extend, change, unlock, reissue; reason is the rule's word, null when it is
 * possible; from and until are the extension's window. A help for people: the request itself is judged by common/policy. */
MUST_CHECK enum err offers_json(struct ctx *c, const struct cert_row *row, const char *profile, json_t **ret,
				struct fault *f);

#endif

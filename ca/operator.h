/*
 * Rosters and policies: how each next one is taken in. Shared by the operator's socket and by genesis.
 */
#ifndef HUFU_CA_OPERATOR_H
#define HUFU_CA_OPERATOR_H

#include "ca/signer.h"

/* Judges a roster note on the one in force (NULL: the first) and appends it. ca: who the CA is. *ret_index: its entry.
 */
MUST_CHECK enum err roster_record(struct ledger *l, const uint8_t ca[20], const struct roster *now,
				  struct slice note, uint64_t *ret_index, struct fault *f);
/* The same for a policy, judged by roster; in_force NULL: the first. files as in struct policy_source. Once certificates
 * were issued, the URLs of their CRLs stay, and there are no fewer of them: ERR_RULE policy_crl. The identifier of a
 * profile that has certificates stays: ERR_RULE policy_identifier; and so do project and profile of one that has not ended:
 * ERR_RULE policy_place. */
MUST_CHECK enum err policy_record(struct ledger *l, const uint8_t ca[20], const struct cert *issuer, const struct roster *roster,
				  const struct policy *in_force, struct slice note, const struct policy_source *files,
				  size_t n_files, uint64_t *ret_index, struct fault *f);

#endif

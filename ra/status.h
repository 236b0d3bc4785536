/*
 * cert.*, status.query, crl.get: what the ledger says of certificates.
 */
#ifndef HUFU_RA_STATUS_H
#define HUFU_RA_STATUS_H

#include "ra/desk.h"

enum err cert_list(struct ctx *c, json_t **ret, struct fault *f);
enum err cert_show(struct ctx *c, json_t **ret, struct fault *f);
enum err status_query(struct ctx *c, json_t **ret, struct fault *f);
enum err crl_get(struct ctx *c, json_t **ret, struct fault *f);

/* "good", "held", "revoked", "ended", "expired": a revocation that lies ahead does not count yet. */
const char *cert_state_word(const struct cert_row *row, int64_t now);
/* A certificate by the words of a client; issuer NULL or "" when it has none. account 0: of anybody. ERR_NOT_FOUND
 * certificate_unknown, also for other people's; ERR_PARSE; ERR_CONFLICT serial_ambiguous. */
MUST_CHECK enum err cert_find(struct db *db, const char *serial, const char *issuer, int64_t account,
			      struct cert_row *ret, struct fault *f);
/* {serial, issuer, not_before, not_after, pem} */
MUST_CHECK enum err cert_json(struct db *db, int64_t id, json_t **ret, struct fault *f);

#endif

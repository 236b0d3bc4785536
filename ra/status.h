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

/* The road of status.query for what portals ask all day: a request of the well-known shape, by serials or by refs, is
 * read and answered without a JSON tree. False: nothing was done, and jsonrpc_handle() is to be asked, which answers the
 * same requests with the same bytes. Never waits. */
bool status_quick(struct desk *d, const struct rpc_peer *peer, struct slice request, struct buf *reply);

/* What people write for a serial number or a key id. ERR_PARSE, where is the place named. */
MUST_CHECK enum err serial_param(const char *text, const char *where, struct serial *ret, struct fault *f);
MUST_CHECK enum err issuer_param(const char *text, const char *where, uint8_t ret[20], struct fault *f);
/* What is said of a certificate's state, and that into an object: state, reason, when, successor. */
struct status_view {
	enum cert_state state;
	unsigned reason;
	int64_t changed, not_after;
	bool has_successor;
	struct cert_ref successor;
};
void status_put(const struct status_view *v, int64_t now, json_t *o);
/* "good", "held", "revoked", "ended", "expired": a revocation that lies ahead does not count yet. */
const char *status_word(enum cert_state state, int64_t changed, int64_t not_after, int64_t now);
/* Of those, the ones that come with a reason. */
bool status_has_reason(const char *word);
/* The same of a row, with what the root says of its CA. */
const char *cert_state_word(struct status_index *x, const struct cert_row *row, int64_t now);
/* A certificate by the words of a client; issuer NULL or "" when it has none. account 0: of anybody. ERR_NOT_FOUND
 * certificate_unknown, also for other people's; ERR_PARSE; ERR_CONFLICT serial_ambiguous. */
MUST_CHECK enum err cert_find(struct db *db, const char *serial, const char *issuer, int64_t account,
			      struct cert_row *ret, struct fault *f);
/* Its certificate_unknown. */
MUST_CHECK enum err cert_unknown(const char *serial, struct fault *f);
/* {serial, issuer, not_before, not_after, pem} */
MUST_CHECK enum err cert_json(struct db *db, int64_t id, json_t **ret, struct fault *f);

#endif

/*
 * The responder: keys that sign OCSP answers and their certificates, which it renews by itself.
 */
#ifndef HUFU_RA_GATE_RESPONDER_H
#define HUFU_RA_GATE_RESPONDER_H

#include "ra/gate/gate.h"
#include "ra/gate/responder_key.h"

struct responder; /* thread-safe */
/* For a CA, which is borrowed. Opens the keys and reads what certificates the state folder has of them. As responder_key_open(). Gives *ret. */
MUST_CHECK enum err responder_open(struct gate *g, const struct cert *ca, struct responder **ret, struct fault *f);
void responder_close(struct responder *r);

/* Who signs now: the first key whose certificate is good. Borrows until responder_put(). NULL: nobody can. */
struct signing {
	struct responder_key *key;
	const struct pubkey *public; /* key's */
	struct buf der;	     /* of its certificate */
	struct buf sigalg;   /* AlgorithmIdentifier of its signatures */
	int64_t not_before, not_after;
	unsigned generation; /* another for each certificate */
};
const struct signing *responder_take(struct responder *r, int64_t now);
void responder_put(struct responder *r);
/* Appends its signature over data. Any thread. ERR_LOCKED while its token does not sign. */
MUST_CHECK enum err responder_sign(const struct signing *s, struct slice data, struct buf *ret, struct fault *f);
/* Asks for a certificate for each key whose own is missing or half over. OK also when there was nothing to do. */
MUST_CHECK enum err responder_renew(struct gate *g, struct responder *r, int64_t now, struct fault *f);
/* Takes a certificate that was answered: of that key, by that CA, for signing OCSP. ERR_RULE responder_certificate and what cert_verify_by() says. */
MUST_CHECK enum err responder_check(const struct cert *ca, const struct pubkey *key, struct slice der, int64_t now, struct fault *f);
/* Bytes that the longest of its signatures can have. */
size_t responder_signature_max(const struct responder *r);
/* Seconds until the certificate that signs now ends; 0: none. */
int64_t responder_left(struct responder *r, int64_t now);

#endif

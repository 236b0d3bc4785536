/*
 * What a receipt proves to whoever has the log's key alone: that the ledger holds its entries, and that a certificate is the one that they are about.
 * Who asked and who approved is beyond it: that wants the roster (tools/hufu/receipt_check.h).
 */
#ifndef HUFU_RECEIPT_PROOF_H
#define HUFU_RECEIPT_PROOF_H

#include "common/note/receipt.h"
#include "common/pki/cert.h"
#include "common/rpc/wire.h"

/* Large: keep it on the heap. Zero state is empty. */
struct receipt_proof {
	struct receipt r;
	struct checkpoint head;
	struct wire_e_intent intent; /* borrows r */
	struct wire_e_issued issued; /* borrows r */
	struct cert cert;	     /* borrows the DER that was given */
	struct pubkey issuer_key;
};
void receipt_proof_done(struct receipt_proof *p); /* accepts the zero state */
/* Parses; the checkpoint by the log key; each entry's path to it; that intent and outcome are of one tally. Zero-init *ret; receipt_proof_done() also
 * after an error. ERR_PARSE, ERR_LIMIT; ERR_CRYPTO log_signature; ERR_RULE log_origin, receipt_inclusion, receipt_mismatch; where says which part. */
MUST_CHECK enum err receipt_proof_open(struct slice text, const struct log_key *log, struct receipt_proof *ret, struct fault *f);
/* That the certificate is the receipt's: the intent's to-be-signed bytes, under the outcome's signature, which the issuing CA's key made. der outlives
 * p. ERR_PARSE; ERR_RULE receipt_mismatch; ERR_CRYPTO cert_signature. */
MUST_CHECK enum err receipt_proof_cert(struct receipt_proof *p, struct slice der, struct fault *f);
/* ERR_RULE receipt_mismatch. */
MUST_CHECK enum err receipt_mismatch(struct fault *f, const char *where, const char *text);

#endif

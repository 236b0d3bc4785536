/*
 * Nothing in a receipt is believed before something that the reader trusts vouches for it: the log key for the entries,
 * the entries for the certificate.
 */
#include "common/receipt/receipt_proof.h"

#include <inttypes.h>
#include <string.h>

void receipt_proof_done(struct receipt_proof *p)
{
	receipt_done(&p->r);
	cert_done(&p->cert);
	pubkey_done(&p->issuer_key);
	*p = (struct receipt_proof){0};
}

enum err receipt_mismatch(struct fault *f, const char *where, const char *text)
{
	return fault_raise(f, ERR_RULE, "receipt_mismatch", where, "%s", text);
}

/* --- the log --- */

static enum err check_included(const struct receipt_proof *p, const char *what, const struct receipt_entry *e,
			       struct fault *f)
{
	merkle_hash leaf;
	char where[40];
	merkle_leaf(buf_slice(&e->body), leaf);
	if (merkle_included(leaf, e->index, p->head.size, e->path, e->path_len, p->head.root))
		return OK;
	snprintf(where, sizeof(where), "receipt.%s", what);
	return fault_raise(f, ERR_RULE, "receipt_inclusion", where,
			   "entry %" PRIu64 " and its path do not lead to the root of the signed checkpoint of %" PRIu64
			   " entries (RFC 9162 2.1.3.2)",
			   e->index, p->head.size);
}

enum err receipt_proof_open(struct slice text, const struct log_key *log, struct receipt_proof *p, struct fault *f)
{
	TRY(receipt_parse(text, &p->r, f));
	TRY(checkpoint_open(buf_slice(&p->r.checkpoint), log, &p->head, f));
	TRY(check_included(p, "intent", &p->r.intent, f));
	TRY(check_included(p, "outcome", &p->r.outcome, f));
	if (p->r.has_predecessor)
		TRY(check_included(p, "predecessor", &p->r.predecessor, f));
	TRY(wire_e_intent_get(buf_slice(&p->r.intent.body), &p->intent, f));
	TRY(wire_e_issued_get(buf_slice(&p->r.outcome.body), &p->issued, f));
	if (p->issued.intent != p->r.intent.index || memcmp(p->issued.tally, p->intent.tally, TALLY_ID) != 0)
		return receipt_mismatch(f, "receipt.outcome", "the outcome is another intent's");
	if (memcmp(p->intent.tally, p->r.tally, TALLY_ID) != 0)
		return receipt_mismatch(f, "receipt.tally", "the entries are of another tally");
	return OK;
}

/* --- the certificate --- */

enum err receipt_proof_cert(struct receipt_proof *p, struct slice der, struct fault *f)
{
	uint8_t hash[32];
	TRY(cert_parse(der, &p->cert, f));
	TRY(pubkey_parse(buf_slice(&p->r.issuer_key), &p->issuer_key, f));
	sha256(der.p, der.n, hash);
	if (memcmp(hash, p->r.cert_sha256, 32) != 0)
		return receipt_mismatch(f, "receipt.certificate",
					"the receipt is of another certificate than the one given");
	if (memcmp(p->issuer_key.key_id, p->intent.issuer, 20) != 0)
		return receipt_mismatch(f, "receipt.issuer-key", "it is not the key of the CA that the entry names");
	if (!slice_eq(p->cert.tbs, p->intent.tbs))
		return receipt_mismatch(f, "certificate", "it is not what the intent said would be signed");
	if (!slice_eq(p->cert.signature, p->issued.signature))
		return receipt_mismatch(f, "certificate.signature", "it is not the signature that the ledger recorded");
	if (!pubkey_verify(&p->issuer_key, p->cert.tbs, p->cert.signature))
		return fault_raise(f, ERR_CRYPTO, "cert_signature", "certificate.signature",
				   "it does not hold under the issuing CA's key");
	return OK;
}

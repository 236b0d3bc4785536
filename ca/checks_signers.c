/*
 * Who signed the tally. Every line is somebody's: the RA's, an officer's, the predecessor's key's, or the new key's. A
 * line that is nobody's or does not hold refuses the whole tally, wherever it stands.
 */
#include "ca/checks.h"

#include "common/base/cleanup.h"

#include <string.h>

static bool is_subscriber_line(const struct note_sig *sig)
{
	return strncmp(sig->name, "sub:", 4) == 0;
}

static bool is_new_key_line(const struct note_sig *sig)
{
	return strcmp(sig->name, NOTE_NEW_KEY) == 0;
}

static enum err line_unknown(const struct note_sig *sig, const char *wanted, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "signer_unknown", "tally.signature", "found a line of \"%s\", wanted %s",
			   ESC(sig->name, strlen(sig->name)), wanted);
}

enum err signers_ra(struct request *r, struct fault *f)
{
	if (r->by_operator)
		return OK;
	for (size_t i = 0; i < r->note.n_sigs; i++) {
		const struct note_sig *sig = &r->note.sigs[i];
		const struct member *m = roster_by_name(&r->heads->roster, sig->name);
		if (!m || m->role != ROLE_RA)
			continue;
		if (!member_signed(m, &r->note, sig))
			return fault_raise(f, ERR_CRYPTO, "ra_signature", "tally.signature",
					   "the line of RA \"%s\" does not hold", m->name);
		if (r->ra)
			return fault_raise(f, ERR_CRYPTO, "ra_signature", "tally.signature",
					   "found lines of RAs \"%s\" and \"%s\", wanted one RA's", r->ra->name,
					   m->name);
		r->ra = m;
		r->ra_line = sig;
	}
	if (!r->ra)
		return fault_raise(f, ERR_CRYPTO, "ra_signature", "tally.signature",
				   "found no line of an RA of the roster, wanted one");
	return OK;
}

static void predecessor_name(const struct request *r, char ret[NOTE_MAX_NAME + 1])
{
	ret[0] = '\0';
	if (r->has_pred)
		note_subscriber_name(r->t.predecessor.issuer_key_id, SERIAL(&r->t.predecessor.serial), ret);
}

bool signers_claim(struct request *r)
{
	char name[NOTE_MAX_NAME + 1];
	predecessor_name(r, name);
	const struct note_sig *sig = r->has_pred ? note_sig_by_name(&r->note, name) : NULL;
	r->claimed = sig && note_sig_claim(&r->note, sig, &r->pred_cert.key, &r->claim) ? sig : NULL;
	return r->claimed != NULL;
}

static bool subscriber_holds(const struct request *r, const struct note_sig *sig)
{
	return sig == r->claimed ? r->claim.holds : note_sig_holds_spki(&r->note, sig, &r->pred_cert.key);
}

/* Any line of a subscriber must be the predecessor's, and hold; r->subscriber says that there is one. */
static enum err subscriber_lines(struct request *r, struct fault *f)
{
	char name[NOTE_MAX_NAME + 1];
	predecessor_name(r, name);
	for (size_t i = 0; i < r->note.n_sigs; i++) {
		const struct note_sig *sig = &r->note.sigs[i];
		if (!is_subscriber_line(sig))
			continue;
		if (strcmp(sig->name, name) != 0)
			return line_unknown(sig, r->has_pred ? "that of the predecessor's key" : "no subscriber's", f);
		if (!subscriber_holds(r, sig))
			return fault_raise(f, ERR_CRYPTO, "subscriber_signature", "tally.signature",
					   "the line of certificate %s does not hold under its key",
					   SERIAL(&r->t.predecessor.serial));
		r->subscriber = true;
	}
	return OK;
}

enum err signers_subscriber(struct request *r, struct fault *f)
{
	TRY(subscriber_lines(r, f));
	if ((r->verdict.proof & PROOF_CURRENT) == 0 || r->subscriber)
		return OK;
	return fault_raise(f, ERR_RULE, "subscriber_missing", "tally.signature",
			   "found no line of certificate %s, wanted its key's proof", SERIAL(&r->t.predecessor.serial));
}

/* How many officers are needed. What the RA may do alone, the operator's socket grants to an officer, since there no RA
 * signs. */
static unsigned officers_needed(const struct request *r)
{
	bool ra_alone = r->t.kind == TALLY_WITHDRAW ? !r->subscriber : floor_of(r->t.kind)->ra_alone;
	if (r->by_operator && ra_alone && r->verdict.officers == 0)
		return 1;
	return r->verdict.officers;
}

/* A withdrawal names no project: every officer may sign one. */
static bool officer_may(const struct request *r, const struct member *m)
{
	return r->t.kind == TALLY_WITHDRAW || member_may(m, r->t.project, r->t.kind);
}

enum err signers_people(struct request *r, struct fault *f)
{
	struct signers signers = {0};
	unsigned needed = officers_needed(r);
	size_t may = 0, all;
	TRY(roster_signers(&r->heads->roster, &r->note, true, r->ra_line, &signers, f));
	all = signers_officers(&signers);
	for (size_t i = 0; i < signers.n; i++)
		may += signers.who[i]->role == ROLE_OFFICER && officer_may(r, signers.who[i]);
	if (may >= needed)
		return OK;
	if (all >= needed)
		return fault_raise(f, ERR_RULE, "officers_scope", "tally.signature",
				   "%zu officers signed, but only %zu of them may sign %s in project %s; wanted %u",
				   all, may, tally_kind_word(r->t.kind), r->t.project, needed);
	return fault_raise(f, ERR_RULE, "officers_short", "tally.signature", "%zu officers signed, wanted %u for %s",
			   all, needed, tally_kind_word(r->t.kind));
}

static enum err no_new_key_line(const struct request *r, struct fault *f)
{
	if (r->csr_bytes.n > 0)
		return fault_raise(f, ERR_RULE, "csr_unwanted", "csr",
				   "found a request for a new key, wanted none: the tally has no new key");
	for (size_t i = 0; i < r->note.n_sigs; i++)
		if (is_new_key_line(&r->note.sigs[i]))
			return line_unknown(&r->note.sigs[i], "none: the tally has no new key", f);
	return OK;
}

/* The new key speaks for itself twice: its signature inside the CSR, and over the tally's own bytes. */
static enum err new_key_proof(struct request *r, struct fault *f)
{
	bool found = false;
	for (size_t i = 0; i < r->note.n_sigs; i++) {
		if (!is_new_key_line(&r->note.sigs[i]))
			continue;
		if (!note_sig_holds_spki(&r->note, &r->note.sigs[i], &r->csr.key))
			return fault_raise(f, ERR_CRYPTO, "new_key_signature", "tally.signature",
					   "the line of the new key does not hold under it");
		found = true;
	}
	if (!found)
		return fault_raise(f, ERR_RULE, "new_key_missing", "tally.signature",
				   "found no line of the new key, wanted its proof");
	return OK;
}

enum err signers_new_key(struct request *r, struct fault *f)
{
	if (!r->t.has_key || !r->t.key_is_new) {
		r->facts.key = r->t.has_key && r->has_pred ? &r->pred_cert.key : NULL;
		return no_new_key_line(r, f);
	}
	if (r->csr_bytes.n == 0)
		return fault_raise(f, ERR_RULE, "csr_missing", "csr",
				   "found none, wanted the request that carries the new key");
	TRY(csr_parse(r->csr_bytes, &r->csr, f));
	if (memcmp(r->csr.key.spki_sha256, r->t.key_sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "key_hash", "csr.key",
				   "found a key that is not the one whose SHA-256 the tally names");
	TRY(csr_verify(&r->csr, f));
	TRY(new_key_proof(r, f));
	r->facts.key = &r->csr.key;
	return OK;
}

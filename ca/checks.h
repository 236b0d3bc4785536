/*
 * What the signer checks of a tally, always in the same order (DESIGN.md): one table in checks.c.
 */
#ifndef HUFU_CA_CHECKS_H
#define HUFU_CA_CHECKS_H

#include "ca/signer.h"
#include "common/pki/csr.h"
#include "common/policy/judge.h"

/* A tally with its lines fits an E_INTENT. */
#define TALLY_NOTE_MAX 36864

/* One request on its way through the checks: what came, and what each check found out. Large: keep it on the heap. */
struct request {
	struct signer *s; /* borrowed, as all slices */
	bool by_operator; /* came over the operator's socket: no RA's line is needed */
	struct slice note_bytes, csr_bytes;

	struct db *db;	     /* a reader's snapshot; inside the transaction: its own connection */
	struct ledger_tx *tx; /* inside the transaction */
	struct heads *heads; /* a reference */
	struct ledger_standing standing;
	int64_t now;

	struct note note;
	struct tally t;
	uint8_t text_sha256[32];
	const struct member *ra; /* whose signature held, or NULL */
	const struct note_sig *ra_line;
	bool recorded;		 /* from here on a refusal is written into the ledger */
	bool given_up;		 /* it is there already, as the end of an intent */
	struct issuer by; /* of our CAs, the one that is to sign */
	const struct policy_ready *ready;
	bool has_pred;
	struct ledger_cert pred;
	struct buf pred_der;
	struct cert pred_cert;
	struct name pred_subject;
	bool subscriber; /* the predecessor's key signed */
	const struct note_sig *claimed; /* the line by it that claim is of; NULL: none was verified ahead */
	struct pubkey_claim claim;
	size_t n_checked; /* checks that are done */
	struct csr csr;
	struct name subject;	/* as it shall be */
	int64_t line;		/* of profile and identifier as they shall be */
	const char *identifier; /* borrows from subject; "" when it has none */
	struct facts facts;
	struct verdict verdict;

	bool answered; /* this very tally was done before: done and cert are its answer */
	struct wire_done done;
	struct buf cert;
};
void request_done(struct request *r);
/* All checks in order that are not done; stops at the first that fails, or when the tally was done before (r->answered). A
 * failure of kind BUSY, LOCKED, DB, IO or INTERNAL is no refusal. */
MUST_CHECK enum err checks_run(struct request *r, struct fault *f);
/* The same up to where the subscriber's signature is due: *ret_claims says that r->claim is of it and may be verified,
 * with others, before checks_run() goes on. */
MUST_CHECK enum err checks_run_to_signature(struct request *r, bool *ret_claims, struct fault *f);
/* Once more what may have changed since: inside the transaction that records the tally. */
MUST_CHECK enum err checks_again(struct request *r, struct ledger_tx *tx, struct fault *f);

/* What depends on the ledger's certificates (checks_ledger.c). */
MUST_CHECK enum err predecessor_find(struct request *r, struct fault *f);
/* again: r->pred was read from an older state. */
MUST_CHECK enum err predecessor_state(struct request *r, bool again, struct fault *f);
MUST_CHECK enum err target_state(struct request *r, struct fault *f);
MUST_CHECK enum err key_state(struct request *r, struct fault *f);
/* The key is one that the roster lists for a responder; subject and line follow from it. ERR_RULE responder_unknown. */
MUST_CHECK enum err responder_find(struct request *r, struct fault *f);
MUST_CHECK enum err line_find(struct request *r, struct fault *f);
MUST_CHECK enum err line_state(struct request *r, struct fault *f);

/* Who signed (checks_signers.c). */
MUST_CHECK enum err signers_ra(struct request *r, struct fault *f);
MUST_CHECK enum err signers_subscriber(struct request *r, struct fault *f);
/* Is there a line of the predecessor's key that only its equation decides? Sets r->claimed and r->claim. */
bool signers_claim(struct request *r);
MUST_CHECK enum err signers_people(struct request *r, struct fault *f);
MUST_CHECK enum err signers_new_key(struct request *r, struct fault *f);

#endif

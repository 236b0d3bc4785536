/*
 * Every kind through the real signer: hufu-ca as a process, asked over its sockets by somebody who holds the RA's key.
 * A refused step must name its rule, and the ledger must have got the refusal and nothing else; a step that is done
 * must have made exactly the entries that its row names. So no step can make a certificate, or an outcome, unseen.
 *
 *     kinds [KIND…]     all scenes, or those named
 */
#include "tests/process/kinds.h"

#include <string.h>

#define SAME (BY_RA | BY_SUB)
#define REKEY (BY_RA | BY_SUB | BY_NEW | BY_ALICE)
#define TWO (BY_ALICE | BY_BOB)
#define THREE (TWO | BY_CAROL)
#define CHANGE (BY_RA | BY_SUB | TWO)
#define ENROL (BY_RA | BY_NEW | TWO)
#define REISSUE (BY_RA | BY_NEW | THREE)

#define OWN                                                                                                            \
	{                                                                                                              \
		GIVEN, "a certificate of our own", fx_extend, SAME, .ledger = "intent issued"                          \
	}

/* --- what must be true afterwards --- */

static struct wire_e_revoked last_revoked(struct world *w)
{
	struct wire_e_revoked e;
	struct fault f = {0};
	assert_int_equal(wire_e_revoked_get(buf_slice(&w->last[WIRE_TYPE_E_REVOKED]), &e, &f), OK);
	return e;
}

/* The last revocation's certificate is on the CRL with the entry's reason; caused: it names the intent that replaced
 * it. */
static void revoked_by(struct world *w, const char *reason, bool caused)
{
	struct wire_e_revoked e = last_revoked(w);
	struct serial serial = {.n = e.serial.n};
	memcpy(serial.b, e.serial.p, e.serial.n);
	assert_string_equal(crl_reason_word(e.reason), reason);
	assert_int_equal(e.ended, 0);
	if (caused)
		assert_true(e.cause == w->at[WIRE_TYPE_E_INTENT]);
	assert_int_equal(world_crl_reason(w, &serial), (int)e.reason);
}
static void t_affiliation(struct world *w)
{
	revoked_by(w, "affiliationChanged", true);
}
static void t_superseded(struct world *w)
{
	revoked_by(w, "superseded", true);
}
static void t_revoked(struct world *w)
{
	revoked_by(w, "superseded", false);
}
/* Another CA's certificate is not revoked but ended, and is on no CRL of ours. */
static void ended_for(struct world *w, const char *reason)
{
	struct wire_e_revoked e = last_revoked(w);
	struct serial serial = {.n = e.serial.n};
	memcpy(serial.b, e.serial.p, e.serial.n);
	assert_int_equal(e.ended, 1);
	assert_string_equal(crl_reason_word(e.reason), reason);
	assert_memory_equal(e.issuer, w->x->old_cert.key.key_id, 20);
	assert_int_equal(world_crl_reason(w, &serial), -1);
}
static void t_ended_affiliation(struct world *w)
{
	ended_for(w, "affiliationChanged");
	assert_true(last_revoked(w).cause == w->at[WIRE_TYPE_E_INTENT]);
}
static void t_ended_superseded(struct world *w)
{
	ended_for(w, "superseded");
}
/* The key is compromised in the adopted certificate, too: that one comes last. */
static void t_compromised(struct world *w)
{
	ended_for(w, "keyCompromise");
}
static int current_on_crl(struct world *w)
{
	return world_crl_reason(w, &w->x->orgs[ORG_P256].cert.serial);
}
static void t_held(struct world *w)
{
	assert_int_equal(current_on_crl(w), crl_reason_from_word("certificateHold"));
}
static void t_good(struct world *w)
{
	assert_int_equal(current_on_crl(w), -1);
}
static void t_responder(struct world *w)
{
	const struct cert *c = &w->x->orgs[ORG_P256].cert;
	struct fault f = {0};
	assert_int_equal(cert_verify_by(c, &w->x->signer->issuer, &f), OK);
	assert_int_equal(c->not_after - c->not_before, 7 * DAY);
	assert_non_null(cert_ext(c, "1.3.6.1.5.5.7.48.1.5"));
	assert_memory_equal(c->key.spki_sha256, w->x->orgs[ORG_P256].cert.key.spki_sha256, 32);
}

/* --- the kinds --- */

static const struct step extend_same[] = {
	{BAD, "a length that nobody sells", fx_extend, SAME, "validity_length", .change = c_months},
	{BAD, "a weak key kept", fx_extend, SAME, "predecessor_weak", .org = ORG_WEAK},
	{HOSTILE, "forged: a stranger's key for the subscriber's", fx_extend, BY_RA, "subscriber_signature",
	 .after = a_sub_forged},
	{HOSTILE, "swapped: another subscriber signs", fx_extend, BY_RA, "signer_unknown", .after = a_sub_other},
	{HOSTILE, "altered: 36 months where 12 were signed", fx_extend, BY_SUB, "subscriber_signature",
	 .after = a_wider_by_ra},
	{GOOD, "the current key alone", fx_extend, SAME, .ledger = "intent issued"},
	{HOSTILE, "replayed: the same certificate, no other", .ask = ask_again},
	{HOSTILE, "replayed under another text", fx_extend, SAME, "tally_id_used", .change = c_last_id},
	{0},
};

static void with_ending(struct fx *x)
{
	fx_replace(fx_file(x, "profiles/organisation.yaml"), "fate: keep",
		   "fate: revoke\n        reason: superseded\n        grace_days: 0");
}

static const struct step extend_ends[] = {
	{GOOD, "an adopted one, where the profile revokes what is extended: ended", fx_extend, SAME,
	 .ledger = "intent issued revoked", .then = t_ended_superseded},
	{0},
};

static const struct step extend_new[] = {
	{BAD, "no officer", fx_rekey, BY_RA | BY_SUB | BY_NEW, "officers_short"},
	{BAD, "no request for the key", fx_rekey, REKEY, "csr_missing", .key = KEY_NEW, .after = a_no_csr},
	{BAD, "a weak one, without an officer", make_weak, BY_RA | BY_SUB | BY_NEW, "officers_short", .org = ORG_WEAK,
	 .key = KEY_NEW_RSA},
	{HOSTILE, "swapped: the request carries another key", fx_rekey, REKEY, "key_hash", .key = KEY_NEW,
	 .after = a_csr},
	{HOSTILE, "another subject's key", fx_rekey, REKEY, "key_other_subject", .key = KEY_OF_RSA,
	 .change = c_key_of_rsa},
	{HOSTILE, "forged: the officer's line", fx_rekey, BY_RA | BY_SUB | BY_NEW, "signature", .key = KEY_NEW,
	 .after = a_bob_forged},
	{HOSTILE, "the new key alone, not the current one", fx_rekey, BY_RA | BY_NEW | THREE, "subscriber_missing",
	 .key = KEY_NEW},
	{GOOD, "both keys and an officer", fx_rekey, REKEY, .key = KEY_NEW, .ledger = "intent issued"},
	{GOOD, "a weak key is replaced, with an officer", make_weak, REKEY, .org = ORG_WEAK, .key = KEY_NEW_RSA,
	 .ledger = "intent issued"},
	{HOSTILE, "replayed", .ask = ask_again},
	{0},
};

static const struct step change[] = {
	{BAD, "an empty difference", fx_change, CHANGE, "subject_empty_change", .change = c_empty},
	{BAD, "a wrong check character", fx_change, CHANGE, "identifier_check", .change = c_check_character},
	{BAD, "into a code that lives elsewhere", fx_change, CHANGE | BY_CAROL, "line_occupied", .change = c_occupied},
	{BAD, "the colliding one named, and no officer more", fx_change, CHANGE, "officers_short",
	 .change = c_collides},
	{HOSTILE, "officers one short", fx_change, BY_RA | BY_SUB | BY_ALICE, "officers_short"},
	{HOSTILE, "forged: the second officer", fx_change, BY_RA | BY_SUB | BY_ALICE, "signature",
	 .after = a_bob_forged},
	{HOSTILE, "officers of another project", fx_change, BY_RA | BY_SUB | BY_ALICE | BY_DAVE, "officers_scope"},
	{HOSTILE, "a third certificate named as colliding", fx_change, CHANGE | BY_CAROL, "line_occupied",
	 .change = c_collides_third},
	{HOSTILE, "officers, but not the subscriber", fx_change, BY_RA | THREE, "subscriber_missing"},
	{GOOD, "another name, and 12 months that were ordered: one certificate", fx_change, CHANGE, .org = ORG_RSA,
	 .key = KEY_OF_RSA, .change = c_extended, .ledger = "intent issued revoked", .then = t_ended_affiliation},
	{HOSTILE, "swapped: bob's line from the tally before", fx_change, BY_RA | BY_SUB | BY_ALICE, "signature",
	 .after = a_bob_of_other},
	{GOOD, "into an occupied code, named, by three officers", fx_change, CHANGE | BY_CAROL, .change = c_collides,
	 .ledger = "intent issued revoked", .then = t_ended_affiliation},
	{GOOD, "and back, of a certificate of our own", fx_change, CHANGE, .ledger = "intent issued revoked",
	 .then = t_affiliation},
	{HOSTILE, "replayed", .ask = ask_again},
	{0},
};

static const struct step enrol[] = {
	{BAD, "one officer", fx_enrol, BY_RA | BY_NEW | BY_ALICE, "officers_short", .key = KEY_NEW},
	{BAD, "how the key was seen is left out", fx_enrol, ENROL, "field_order", .key = KEY_NEW, .edit = e_no_key_seen,
	 .ledger = ""},
	{BAD, "into a code that lives elsewhere", fx_enrol, ENROL | BY_CAROL, "line_occupied", .key = KEY_NEW,
	 .change = c_enrol_occupied},
	{BAD, "the colliding one named, and no officer more", fx_enrol, ENROL, "officers_short", .key = KEY_NEW,
	 .change = c_enrol_collides},
	{HOSTILE, "the key does not speak for itself", fx_enrol, BY_RA | THREE, "new_key_missing", .key = KEY_NEW},
	{HOSTILE, "swapped: the request carries another key", fx_enrol, ENROL, "key_hash", .key = KEY_NEW,
	 .after = a_csr},
	{HOSTILE, "another subject's key", fx_enrol, ENROL, "key_other_subject", .key = KEY_OF_RSA,
	 .change = c_key_of_rsa},
	{HOSTILE, "forged: the second officer", fx_enrol, BY_RA | BY_NEW | BY_ALICE, "signature", .key = KEY_NEW,
	 .after = a_bob_forged},
	{GOOD, "two officers who saw the key", fx_enrol, ENROL, .key = KEY_NEW, .ledger = "intent issued"},
	{BAD, "enrolled a second time", fx_enrol, ENROL, "line_occupied", .key = KEY_NEW},
	{HOSTILE, "replayed", .ask = ask_again},
	{HOSTILE, "replayed under another text", fx_enrol, ENROL, "tally_id_used", .key = KEY_NEW, .change = c_last_id},
	{0},
};

static const struct step enrol_collides[] = {
	{BAD, "two officers", fx_enrol, ENROL, "officers_short", .key = KEY_NEW, .change = c_enrol_collides},
	{GOOD, "three officers", fx_enrol, ENROL | BY_CAROL, .key = KEY_NEW, .change = c_enrol_collides,
	 .ledger = "intent issued"},
	{HOSTILE, "replayed", .ask = ask_again},
	{0},
};

static const struct step reissue_lost[] = {
	OWN,
	{BAD, "two officers, where the profile asks three", fx_reissue, BY_RA | BY_NEW | TWO, "officers_short",
	 .key = KEY_NEW},
	{BAD, "a certificate that the ledger does not have", fx_reissue, REISSUE, "predecessor_unknown", .key = KEY_NEW,
	 .change = c_predecessor},
	{HOSTILE, "superseded, so that the lost key lives on", fx_reissue, REISSUE, "reason_way", .key = KEY_NEW,
	 .change = c_superseded},
	{HOSTILE, "the lost key as the new one", fx_reissue, REISSUE, "key_same", .change = c_key_own},
	{HOSTILE, "forged: the third officer", fx_reissue, BY_RA | BY_NEW | BY_ALICE | BY_CAROL, "signature",
	 .key = KEY_NEW, .after = a_bob_forged},
	{GOOD, "three officers; keyCompromise at once, wherever the key is", fx_reissue, REISSUE, .key = KEY_NEW,
	 .ledger = "intent issued revoked revoked", .then = t_compromised},
	{HOSTILE, "replayed", .ask = ask_again},
	{HOSTILE, "the lost key comes back", fx_rekey, REKEY, "key_blocked", .change = c_key_own},
	{GOOD, "revoked", fx_revoke, SAME, .ledger = "revoked", .then = t_revoked},
	{BAD, "no live certificate: revoked", fx_reissue, REISSUE, "predecessor_revoked", .key = KEY_NEW_RSA,
	 .change = c_key_new_rsa},
	{0},
};

static const struct step reissue_damaged[] = {
	OWN,
	{BAD, "keyCompromise by the way of a damaged key", make_damaged, REISSUE, "reason_way", .key = KEY_NEW,
	 .change = c_compromised},
	{BAD, "two officers, where the profile asks three", make_damaged, BY_RA | BY_NEW | TWO, "officers_short",
	 .key = KEY_NEW},
	{HOSTILE, "another subject's key", make_damaged, REISSUE, "key_other_subject", .key = KEY_OF_RSA,
	 .change = c_key_of_rsa},
	{HOSTILE, "swapped: the request carries another key", make_damaged, REISSUE, "key_hash", .key = KEY_NEW,
	 .after = a_csr},
	{GOOD, "three officers; superseded", make_damaged, REISSUE, .key = KEY_NEW, .ledger = "intent issued revoked",
	 .then = t_superseded},
	{GOOD, "an adopted one", make_damaged, REISSUE, .org = ORG_RSA, .key = KEY_NEW_RSA, .change = c_key_new_rsa,
	 .ledger = "intent issued revoked", .then = t_ended_superseded},
	{HOSTILE, "replayed", .ask = ask_again},
	{0},
};

static const struct step revoke_by_key[] = {
	OWN,
	{BAD, "nobody signs", fx_revoke, BY_RA, "subscriber_missing"},
	{HOSTILE, "swapped: another subscriber signs", fx_revoke, BY_RA, "signer_unknown", .after = a_sub_other},
	{HOSTILE, "forged: a stranger's key", fx_revoke, BY_RA, "subscriber_signature", .after = a_sub_forged},
	{GOOD, "the current key", fx_revoke, SAME, .ledger = "revoked", .then = t_revoked},
	{HOSTILE, "replayed: revoked once", .ask = ask_again},
	{BAD, "revoked twice", fx_revoke, SAME, "predecessor_revoked"},
	{0},
};

static const struct step revoke_by_officer[] = {
	OWN,
	{BAD, "no officer", make_by_officer, BY_RA, "officers_short"},
	{HOSTILE, "an officer of another project", make_by_officer, BY_RA | BY_DAVE, "officers_scope"},
	{HOSTILE, "forged: the officer", make_by_officer, BY_RA, "signature", .after = a_bob_forged},
	{HOSTILE, "a custodian for an officer", make_by_officer, BY_RA | BY_CUSTODIAN, "officers_short"},
	{HOSTILE, "the RA's line for an officer's, past the RA", make_by_officer, BY_RA, "officers_short",
	 .past_ra = true},
	{GOOD, "one officer and the operator, without the RA; the adopted one with the key, too", make_by_officer,
	 BY_CAROL, .past_ra = true, .ledger = "revoked revoked", .then = t_compromised},
	{HOSTILE, "the compromised key enrols anew", fx_enrol, ENROL, "key_blocked", .change = c_key_own},
	{0},
};

static const struct step revoke_expired[] = {
	OWN,
	{GIVEN, "500 days later: it has expired", .ask = ask_later, .days = 500},
	{BAD, "a certificate that the ledger does not have", fx_revoke, BY_RA, "predecessor_unknown",
	 .change = c_predecessor},
	{HOSTILE, "the RA alone", fx_revoke, BY_RA, "subscriber_missing"},
	{HOSTILE, "forged: the officer", make_by_officer, BY_RA, "signature", .after = a_bob_forged},
	{GOOD, "by the expired key", fx_revoke, SAME, .ledger = "revoked", .then = t_revoked},
	{0},
};

static const struct step revoke_adopted[] = {
	{BAD, "named as issued by us", fx_revoke, BY_RA, "predecessor_unknown", .change = c_predecessor_issuer},
	{HOSTILE, "forged: a stranger's key", fx_revoke, BY_RA, "subscriber_signature", .after = a_sub_forged},
	{GOOD, "ended, and on no CRL of ours", fx_revoke, SAME, .ledger = "revoked", .then = t_ended_superseded},
	{BAD, "extended afterwards", fx_extend, SAME, "predecessor_ended"},
	{HOSTILE, "replayed: ended once", .ask = ask_again},
	{0},
};

static const struct step hold[] = {
	OWN,
	{BAD, "a certificate that the ledger does not have", fx_hold, BY_RA, "predecessor_unknown",
	 .change = c_predecessor},
	{HOSTILE, "the RA of another project", fx_hold, BY_RA_OTHER, "ra_scope"},
	{HOSTILE, "forged: the RA", fx_hold, 0, "ra_signature", .after = a_ra_forged, .ledger = ""},
	{HOSTILE, "the RA's line for an officer's, past the RA", fx_hold, BY_RA, "officers_short", .past_ra = true},
	{GOOD, "the RA alone", fx_hold, BY_RA, .ledger = "held", .then = t_held},
	{BAD, "held twice", fx_hold, BY_RA, "predecessor_held"},
	{BAD, "changed while on hold", fx_change, CHANGE, "predecessor_held"},
	{HOSTILE, "replayed: held once", .ask = ask_again},
	{GIVEN, "500 days later", .ask = ask_later, .days = 500},
	{GOOD, "an expired one", fx_hold, BY_RA, .org = ORG_RSA, .ledger = "held"},
	{0},
};

static const struct step release[] = {
	OWN,
	{BAD, "not on hold", make_release, BY_RA | TWO, "predecessor_not_held"},
	{GIVEN, "on hold", fx_hold, BY_RA, .ledger = "held"},
	{BAD, "names another hold", make_release, BY_RA | TWO, "hold_unknown", .change = c_other_hold},
	{BAD, "one officer", make_release, BY_RA | BY_ALICE, "officers_short"},
	{HOSTILE, "the RA alone", make_release, BY_RA, "officers_short"},
	{HOSTILE, "forged: the second officer", make_release, BY_RA | BY_ALICE, "signature", .after = a_bob_forged},
	{GOOD, "two officers", make_release, BY_RA | TWO, .ledger = "released", .then = t_good},
	{HOSTILE, "replayed: nothing more", .ask = ask_again},
	{GIVEN, "on hold again", fx_hold, BY_RA, .ledger = "held", .ask = ask_aside},
	{HOSTILE, "replayed: it stays on hold", .ask = ask_again, .then = t_held},
	{HOSTILE, "the first hold named again", make_release, BY_RA | TWO, "hold_unknown", .change = c_first_hold},
	{0},
};

static const struct step withdraw[] = {
	{GIVEN, "a request that is signed and kept back", fx_extend, SAME, .ask = ask_draft},
	{BAD, "withdraws itself", make_withdraw, BY_RA, "target_self", .change = c_target_self},
	{HOSTILE, "forged: the RA", make_withdraw, 0, "ra_signature", .after = a_ra_forged, .ledger = ""},
	{HOSTILE, "swapped: another subscriber's line", make_withdraw_by_key, BY_RA, "signer_unknown",
	 .after = a_sub_other},
	{HOSTILE, "the RA's line for an officer's, past the RA", make_withdraw, BY_RA, "officers_short",
	 .past_ra = true},
	{GOOD, "the RA", make_withdraw, BY_RA, .ledger = "withdrawn", .ask = ask_aside},
	{HOSTILE, "the withdrawn one is sent after all", .rule = "tally_withdrawn", .ask = ask_late},
	{BAD, "withdrawn twice", make_withdraw, BY_RA, "target_withdrawn"},
	{GIVEN, "another", fx_extend, SAME, .org = ORG_RSA, .ask = ask_draft},
	{GOOD, "its subscriber, past the RA", make_withdraw_by_key, BY_SUB, .org = ORG_RSA, .past_ra = true,
	 .ledger = "withdrawn", .ask = ask_aside},
	{HOSTILE, "and sent", .rule = "tally_withdrawn", .ask = ask_late},
	{GIVEN, "another", fx_change, CHANGE, .ask = ask_draft},
	{GOOD, "one of its officers, past the RA", make_withdraw, BY_BOB, .past_ra = true, .ledger = "withdrawn",
	 .ask = ask_aside},
	{HOSTILE, "and sent", .rule = "tally_withdrawn", .ask = ask_late},
	{GOOD, "one that is done", fx_extend, SAME, .ledger = "intent issued"},
	{BAD, "what is done is not withdrawn", make_withdraw, BY_RA, "target_done", .change = c_target_done},
	{0},
};

static const struct step responder[] = {
	{BAD, "a key that the roster does not list", fx_responder, BY_RA | BY_NEW, "responder_unknown", .key = KEY_NEW,
	 .change = c_key_new},
	{BAD, "no request for the key", fx_responder, BY_RA | BY_NEW, "csr_missing", .key = KEY_RESPONDER,
	 .after = a_no_csr},
	{HOSTILE, "officers for the responder's key", fx_responder, BY_RA | THREE, "new_key_missing",
	 .key = KEY_RESPONDER},
	{HOSTILE, "swapped: the request carries another key", fx_responder, BY_RA | BY_NEW, "key_hash",
	 .key = KEY_RESPONDER, .after = a_csr},
	{HOSTILE, "the RA of one project", fx_responder, BY_RA_OTHER | BY_NEW, "ra_scope", .key = KEY_RESPONDER},
	{HOSTILE, "the responder's key for a subscriber", fx_enrol, ENROL, "key_blocked", .key = KEY_RESPONDER,
	 .change = c_key_responder},
	{HOSTILE, "a profile with OCSPSigning, signed by the quorum", .who = TWO, .rule = "purpose_refused",
	 .ledger = "", .ask = ask_policy_ocsp},
	{GOOD, "the listed key: OCSPSigning, no-check, 7 days", fx_responder, BY_RA | BY_NEW, .key = KEY_RESPONDER,
	 .ledger = "intent issued", .then = t_responder},
	{HOSTILE, "replayed", .ask = ask_again},
	{HOSTILE, "extended into a profile", fx_extend, BY_RA | BY_SUB, "predecessor_project", .key = KEY_RESPONDER},
	{GOOD, "past the RA, again", fx_responder, BY_NEW, .key = KEY_RESPONDER, .past_ra = true,
	 .ledger = "intent issued", .then = t_responder},
	{0},
};

static const struct step adoption[] = {
	{BAD, "one officer", .who = BY_ALICE, .org = ORG_LATE, .rule = "quorum", .ledger = "", .ask = ask_adopt},
	{HOSTILE, "from the RA's socket", .who = TWO, .org = ORG_LATE, .rule = "message_not_served", .ledger = "",
	 .ask = ask_adopt_by_ra},
	{HOSTILE, "an officer and the RA for a quorum", .who = BY_ALICE | BY_RA, .org = ORG_LATE, .rule = "signer_role",
	 .ledger = "", .ask = ask_adopt},
	{HOSTILE, "swapped: not the certificate that was signed", .who = TWO, .org = ORG_LATE,
	 .rule = "adopt_not_included", .ledger = "", .ask = ask_adopt_swapped},
	{GOOD, "two officers", .who = TWO, .org = ORG_LATE, .ledger = "adoption adopted", .ask = ask_adopt},
	{HOSTILE, "replayed: nothing twice", .who = TWO, .org = ORG_LATE, .ask = ask_adopt_again},
	{GOOD, "and it is extended", fx_extend, SAME, .org = ORG_LATE, .key = KEY_OF_LATE, .ledger = "intent issued"},
	{0},
};

static const struct step roster[] = {
	{BAD, "one officer", .who = BY_ALICE, .rule = "quorum", .ledger = "", .ask = ask_roster},
	{BAD, "a version left out", .who = TWO, .rule = "roster_sequence", .ledger = "", .ask = ask_roster_after},
	{HOSTILE, "from the RA's socket", .who = TWO, .rule = "message_not_served", .ledger = "",
	 .ask = ask_roster_by_ra},
	{HOSTILE, "an officer and the RA for a quorum", .who = BY_ALICE | BY_RA, .rule = "signer_role", .ledger = "",
	 .ask = ask_roster},
	{HOSTILE, "somebody outside the roster", .who = TWO | BY_OUTSIDER, .rule = "signer_unknown", .ledger = "",
	 .ask = ask_roster},
	{GOOD, "two officers", .who = TWO, .ledger = "roster", .ask = ask_roster},
	{HOSTILE, "replayed", .who = TWO, .rule = "roster_sequence", .ledger = "", .ask = ask_roster},
	{0},
};

static const struct step policy[] = {
	{BAD, "one officer", .who = BY_ALICE, .rule = "quorum", .ledger = "", .ask = ask_policy},
	{HOSTILE, "from the RA's socket", .who = TWO, .rule = "message_not_served", .ledger = "",
	 .ask = ask_policy_by_ra},
	{HOSTILE, "an officer and the RA for a quorum", .who = BY_ALICE | BY_RA, .rule = "signer_role", .ledger = "",
	 .ask = ask_policy},
	{GOOD, "two officers", .who = TWO, .ledger = "policy", .ask = ask_policy},
	{HOSTILE, "replayed", .who = TWO, .rule = "policy_sequence", .ledger = "", .ask = ask_policy},
	{HOSTILE, "a tally under the policy before", fx_extend, SAME, "policy_hash"},
	{0},
};

static const struct step policy_swapped[] = {
	{HOSTILE, "swapped: a profile without officers", .who = TWO, .rule = "policy_files", .ledger = "",
	 .ask = ask_policy_swapped},
	{0},
};

/* --- grace: the signer's own revocation --- */

static void with_grace(struct fx *x)
{
	fx_replace(fx_file(x, "profiles/organisation.yaml"), "reason: affiliationChanged\n        grace_days: 0",
		   "reason: affiliationChanged\n        grace_days: 7");
}

/* The certificate that the change replaced is still good. */
static void t_in_grace(struct world *w)
{
	struct wire_e_intent e;
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(tally_done) struct tally t = {0};
	struct fault f = {0};
	assert_int_equal(wire_e_intent_get(buf_slice(&w->last[WIRE_TYPE_E_INTENT]), &e, &f), OK);
	assert_int_equal(note_parse(e.note, 1, &note, &f), OK);
	assert_int_equal(tally_parse(note.text, &t, &f), OK);
	assert_int_equal(world_crl_reason(w, &t.predecessor.serial), -1);
}

static const struct step grace[] = {
	OWN,
	{GIVEN, "a change whose profile grants seven days", fx_change, CHANGE, .ledger = "intent issued",
	 .then = t_in_grace},
	{BAD, "the replaced one is extended in its grace", fx_extend, SAME, "predecessor_succeeded",
	 .change = c_replaced},
	{GOOD, "kill -9, and six days later: still good", .ask = ask_later, .days = 6, .then = t_in_grace},
	{GOOD, "kill -9, and seven days later: revoked by the signer itself, with its cause", .ask = ask_later,
	 .days = 8, .ledger = "revoked", .then = t_affiliation},
	{HOSTILE, "kill -9 at once: not revoked twice", .ask = ask_kill, .then = t_affiliation},
	{HOSTILE, "the replaced one is extended after all", fx_extend, SAME, "predecessor_revoked",
	 .change = c_replaced},
	{0},
};

/* --- the table --- */

const struct scene scenes[] = {
	{"extend, same key", "current key; 0 officers", NULL, extend_same},
	{"extend, ending", "the profile's fate of what is extended", with_ending, extend_ends},
	{"extend, new key", "current and new key; 1 officer", NULL, extend_new},
	{"change", "current key; 1 officer (2)", NULL, change},
	{"enrol", "new key; 2 officers, key-seen", NULL, enrol},
	{"enrol, colliding", "one officer more", NULL, enrol_collides},
	{"reissue, lost", "new key; 2 officers (3), key-seen; keyCompromise at once", NULL, reissue_lost},
	{"reissue, damaged", "new key; 2 officers (3), key-seen; superseded", NULL, reissue_damaged},
	{"revoke, by key", "current key", NULL, revoke_by_key},
	{"revoke, by officer", "or 1 officer", NULL, revoke_by_officer},
	{"revoke, expired", "on expired ones too", NULL, revoke_expired},
	{"revoke, adopted", "ended, since another CA must revoke it", NULL, revoke_adopted},
	{"grace", "the signer itself revokes when a grace period ends", with_grace, grace},
	{"hold", "the RA alone", NULL, hold},
	{"release", "2 officers; names the hold's entry", NULL, release},
	{"withdraw", "any signer of the tally", NULL, withdraw},
	{"responder", "the key that the roster lists; 0 officers", NULL, responder},
	{"adoption", "2 officers; the operator's socket alone", NULL, adoption},
	{"roster", "2 officers; the operator's socket alone", NULL, roster},
	{"policy", "2 officers; the operator's socket alone", NULL, policy},
	{"policy, swapped", "each file by its hash", NULL, policy_swapped},
};
const size_t n_scenes = sizeof(scenes) / sizeof(scenes[0]);

static void play_step(struct world *w, const struct step *s)
{
	static const char *const words[] = {"given", "good", "bad", "hostile"};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	const char *wanted = s->ledger ? s->ledger : s->rule ? "refused" : "";
	printf("  %-8s %-70s %s\n", words[s->sort], s->story, s->rule ? s->rule : "done");
	fflush(stdout);
	(s->ask ? s->ask : ask_tally)(w, s, &a);
	if (s->rule)
		check_rule(s->story, &a, s->rule);
	else
		check_done(s->story, &a);
	world_look(w);
	if (strcmp(w->made, wanted) != 0)
		fail_msg("%s: the ledger got \"%s\", wanted \"%s\"", s->story, w->made, wanted);
	if (s->then)
		s->then(w);
	world_look(w);
	w->made[0] = '\0';
}

static struct world world;

static void play(void **state)
{
	const struct scene *scene = *state;
	printf("%s: %s\n", scene->kind, scene->floor);
	world_begin(&world, scene->edit);
	world.made[0] = '\0';
	for (const struct step *s = scene->steps; s->story; s++)
		play_step(&world, s);
}

/* Whatever failed, no signer stays behind. */
static int end(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[sizeof(scenes) / sizeof(scenes[0])] = {0};
	size_t n = 0;
	for (size_t i = 0; i < n_scenes; i++) {
		bool wanted = argc == 1;
		for (int k = 1; k < argc; k++)
			wanted = wanted || strcmp(argv[k], scenes[i].kind) == 0;
		if (wanted)
			tests[n++] =
				(struct CMUnitTest){scenes[i].kind, play, NULL, end, (void *)(uintptr_t)&scenes[i]};
	}
	if (n == 0) {
		fprintf(stderr, "kinds: found no scene of that name\n");
		return 4;
	}
	secret_init();
	int failed = _cmocka_run_group_tests("kinds", tests, n, NULL, NULL);
	fx_keys_done();
	return failed ? 1 : 0;
}

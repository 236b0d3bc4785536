/*
 * What follows a yes: certificates, their chain through extensions and changes, revocations and grace.
 */
#include "issue_kit.h"

#include <string.h>

/* --- the story: an adopted certificate is extended, then changed --- */

static void story(enum key_alg ca, enum fx_which org, enum fx_key key)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(ca);
	_cleanup_(name_done) struct name before = {0}, after = {0};
	struct ledger_cert old = row_of(x, org);
	fx_subject_name(x, org, &before);
	goes(x, "extend", fx_extend, org, key, SAME);
	check_verifies(x, org);
	fx_subject_name(x, org, &after);
	assert_true(name_eq(&before, &after));
	assert_int_equal(x->orgs[org].cert.not_before, NOW);
	assert_int_equal(x->orgs[org].cert.not_after, time_add_months(NOW + 60 * DAY, 12));
	struct ledger_cert extended = row_of(x, org), succeeded;
	assert_int_equal(extended.renewals, 1);
	assert_int_equal(extended.root, old.root);
	fx_ledger_cert(x, &old.ref, &succeeded);
	assert_int_equal(succeeded.state, CERT_GOOD);
	assert_int_equal(succeeded.successor, extended.id);
	goes(x, "change", fx_change, org, key, CHANGE);
	check_verifies(x, org);
	fx_ledger_cert(x, &extended.ref, &extended);
	assert_int_equal(extended.state, CERT_REVOKED);
	assert_int_equal(extended.reason, crl_reason_from_word("affiliationChanged"));
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REVOKED), 1);
	/* The old name cannot be got back through the certificates that were followed. */
	assert_true(row_of(x, org).line != old.line);
}

static void story_p256(void **state)
{
	(void)state;
	story(KEY_P256, ORG_P256, KEY_OF_P256);
}
static void story_rsa(void **state)
{
	(void)state;
	story(KEY_RSA, ORG_RSA, KEY_OF_RSA);
}

static void new_keys(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	goes(x, "new key", fx_rekey, ORG_P256, KEY_NEW, REKEY);
	assert_int_equal(row_of(x, ORG_P256).renewals, 0);
	/* The old key is not the line's any more. */
	refused(x, "old key", fx_change, ORG_P256, KEY_NEW, BY_RA | BY_OFFICERS, "subscriber_missing");
	/* A weak one may go on with a new key and an officer, and only so. */
	refused(x, "somebody's key", fx_rekey, ORG_WEAK, KEY_NEW, REKEY, "key_other_subject");
}

static void make_weak(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_rekey(x, org, t);
	fx_new_key(t, KEY_NEW_RSA);
}

static void weak_is_rekeyed(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	refused(x, "without an officer", make_weak, ORG_WEAK, KEY_NEW_RSA, BY_RA | BY_SUB | BY_NEW, "officers_short");
	goes(x, "weak", make_weak, ORG_WEAK, KEY_NEW_RSA, REKEY);
	assert_false(row_of(x, ORG_WEAK).weak);
}

static void enrols_once(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	goes(x, "enrol", fx_enrol, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS);
	refused(x, "the same identifier", fx_enrol, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, "line_occupied");
	assert_int_equal(row_of(x, ORG_P256).root, row_of(x, ORG_P256).id);
}

static void into_occupied(struct fx *x, enum fx_which org, struct tally *t)
{
	_cleanup_(name_done) struct name before = {0};
	fx_change(x, org, t);
	for (size_t i = 0; i < t->n_subject; i++)
		free(t->subject[i].value);
	free(t->subject);
	t->subject = NULL;
	t->n_subject = 0;
	fx_subject_name(x, org, &before);
	fx_subject(t, &before, NEW_NAME, x->orgs[ORG_RSA].code);
	t->has_collides = true;
	t->collides = fx_ref(x, ORG_RSA);
}

static void collides_with_one_officer_more(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	refused(x, "two officers", into_occupied, ORG_P256, KEY_OF_P256, CHANGE, "officers_short");
	goes(x, "three officers", into_occupied, ORG_P256, KEY_OF_P256, CHANGE | BY_CAROL);
}

/* --- responders --- */

static void make_responder_of_ca(struct fx *x, const struct pubkey *ca)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	fx_responder(x, 0, &t);
	memcpy(t.key_sha256, ca->spki_sha256, 32);
	fx_ask(x, &t, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW, &a);
	check_rule("the CA's own key", &a, "responder_unknown");
}

/* A week, OCSPSigning alone, no-check; as often as it asks; and nothing follows it. */
static void responders(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	for (int i = 0; i < 2; i++) {
		goes(x, "responder", fx_responder, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW);
		check_verifies(x, ORG_P256);
		const struct cert *c = &x->orgs[ORG_P256].cert;
		const struct cert_ext *purposes = cert_ext(c, "2.5.29.37");
		assert_int_equal(c->not_after, NOW + 7 * DAY);
		assert_false(c->is_ca);
		assert_int_equal(c->key_usage, KU_BIT(KU_DIGITAL_SIGNATURE));
		assert_true(
			slice_eq(purposes->value, slice_of("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09", 12)));
		assert_non_null(cert_ext(c, "1.3.6.1.5.5.7.48.1.5"));
	}
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 2);
	refused(x, "extended", fx_extend, ORG_P256, KEY_RESPONDER, SAME, "predecessor_project");
	refused(x, "held", fx_hold, ORG_P256, KEY_RESPONDER, BY_RA, "predecessor_project");
	make_responder_of_ca(x, &x->signer->issuer.key);
}

/* --- predecessors --- */

static void succeeded(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_done("first", &a);
	refused(x, "second", fx_extend, ORG_P256, KEY_NEW, SAME, "predecessor_succeeded");
}

static void revoked_and_ended(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	/* Another CA's certificate ends, it is not revoked. */
	goes(x, "end", fx_revoke, ORG_RSA, KEY_NEW, SAME);
	assert_int_equal(row_of(x, ORG_RSA).state, CERT_ENDED);
	refused(x, "ended", fx_extend, ORG_RSA, KEY_NEW, SAME, "predecessor_ended");
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	goes(x, "revoke", fx_revoke, ORG_P256, KEY_NEW, SAME);
	assert_int_equal(row_of(x, ORG_P256).state, CERT_REVOKED);
	refused(x, "revoked", fx_change, ORG_P256, KEY_NEW, CHANGE, "predecessor_revoked");
	refused(x, "revoked twice", fx_revoke, ORG_P256, KEY_NEW, SAME, "predecessor_revoked");
}

/* A compromised key is compromised wherever it is, and never comes back. */
static void compromised_key(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct ledger_cert old = row_of(x, ORG_P256);
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	goes(x, "revoke", by_officer, ORG_P256, KEY_NEW, BY_RA | BY_CAROL);
	assert_int_equal(row_of(x, ORG_P256).state, CERT_REVOKED);
	fx_ledger_cert(x, &old.ref, &old);
	assert_int_equal(old.state, CERT_ENDED);
	assert_int_equal(old.reason, 1);
	x->orgs[ORG_P256].key = fx_key(KEY_OF_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	fx_enrol(x, ORG_P256, &t);
	fx_new_key(&t, KEY_OF_P256);
	fx_ask(x, &t, ORG_P256, KEY_OF_P256, BY_RA | BY_NEW | BY_OFFICERS, &a);
	check_rule("compromised key", &a, "key_blocked");
}

/* The same for a key whose only certificate here was another CA's. */
static void compromised_adopted_key(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	goes(x, "end", by_officer, ORG_P256, KEY_NEW, BY_RA | BY_CAROL);
	fx_enrol(x, ORG_P256, &t);
	fx_new_key(&t, KEY_OF_P256);
	fx_ask(x, &t, ORG_P256, KEY_OF_P256, BY_RA | BY_NEW | BY_OFFICERS, &a);
	check_rule("compromised key", &a, "key_blocked");
}

static void release_wrong(struct fx *x, enum fx_which org, struct tally *t)
{
	release(x, org, t);
	t->hold--;
}

static void holds_and_releases(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	goes(x, "hold by the RA alone", fx_hold, ORG_P256, KEY_NEW, BY_RA);
	assert_int_equal(row_of(x, ORG_P256).state, CERT_HELD);
	refused(x, "held", fx_change, ORG_P256, KEY_NEW, CHANGE, "predecessor_held");
	refused(x, "release by one", release, ORG_P256, KEY_NEW, BY_RA | BY_ALICE, "officers_short");
	refused(x, "release of another hold", release_wrong, ORG_P256, KEY_NEW, BY_RA | BY_OFFICERS, "hold_unknown");
	goes(x, "release", release, ORG_P256, KEY_NEW, BY_RA | BY_OFFICERS);
	assert_int_equal(row_of(x, ORG_P256).state, CERT_GOOD);
	goes(x, "change", fx_change, ORG_P256, KEY_OF_P256, CHANGE);
}

static void reissued(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	struct ledger_cert lost = row_of(x, ORG_P256);
	goes(x, "reissue", fx_reissue, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS | BY_CAROL);
	fx_ledger_cert(x, &lost.ref, &lost);
	assert_int_equal(lost.state, CERT_REVOKED);
	assert_int_equal(lost.reason, 1);
	assert_int_equal(x->orgs[ORG_P256].cert.not_after, lost.not_after);
}

static void revokes_expired(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + 30 * DAY);
	goes(x, "revoke", fx_revoke, ORG_P256, KEY_NEW, SAME);
	assert_int_equal(row_of(x, ORG_P256).state, CERT_REVOKED);
}

static void windows(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	refused(x, "too early", fx_extend, ORG_P256, KEY_NEW, SAME, "validity_window");
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + 10 * DAY);
	goes(x, "expired", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	assert_int_equal(x->orgs[ORG_P256].cert.not_after, time_add_months(clock_now(), 12));
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + 366 * DAY);
	refused(x, "too late", fx_extend, ORG_P256, KEY_NEW, SAME, "validity_window");
	/* Near the issuer's own end. */
	fx_clock(x, x->signer->issuer.not_after - 30 * DAY);
	refused(x, "issuer", fx_enrol, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, "validity_latest");
}

static void enrol_late(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_enrol(x, org, t);
	t->latest = NOW + 100 * 365 * DAY;
}

static void never_past_the_issuer(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	fx_clock(x, x->signer->issuer.not_after - 365 * DAY - 2 * DAY);
	goes(x, "just before", enrol_late, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS);
	fx_clock(x, x->signer->issuer.not_after - 300 * DAY);
	refused(x, "past", enrol_late, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, "line_occupied");
	goes(x, "revoke", fx_revoke, ORG_P256, KEY_NEW, SAME);
	refused(x, "past the issuer's end", enrol_late, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS,
		"validity_issuer");
}

/* --- grace --- */

static void grace_ends(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct fault f = {0};
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	struct ledger_cert old = row_of(x, ORG_P256);
	struct policy_way *way = (struct policy_way *)(uintptr_t)profile_way(
		policy_profile(x->signer->heads->now.policy, "organisation"), TALLY_CHANGE, "name-or-code");
	way->grace_days = 7;
	goes(x, "change", fx_change, ORG_P256, KEY_OF_P256, CHANGE);
	fx_ledger_cert(x, &old.ref, &old);
	assert_int_equal(old.state, CERT_GOOD);
	fx_clock(x, NOW + 7 * DAY - 1);
	assert_int_equal(signer_beat(x->signer, &f), OK);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REVOKED), 0);
	fx_restart(x, true); /* what is due survives */
	fx_clock(x, NOW + 7 * DAY);
	assert_int_equal(signer_beat(x->signer, &f), OK);
	assert_int_equal(signer_beat(x->signer, &f), OK);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REVOKED), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_BEAT), 3);
	fx_ledger_cert(x, &old.ref, &old);
	assert_int_equal(old.state, CERT_REVOKED);
	assert_int_equal(old.when, NOW + 7 * DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(story_p256),
		cmocka_unit_test(story_rsa),
		cmocka_unit_test(new_keys),
		cmocka_unit_test(weak_is_rekeyed),
		cmocka_unit_test(enrols_once),
		cmocka_unit_test(collides_with_one_officer_more),
		cmocka_unit_test(responders),
		cmocka_unit_test(succeeded),
		cmocka_unit_test(revoked_and_ended),
		cmocka_unit_test(compromised_key),
		cmocka_unit_test(compromised_adopted_key),
		cmocka_unit_test(holds_and_releases),
		cmocka_unit_test(reissued),
		cmocka_unit_test(revokes_expired),
		cmocka_unit_test(windows),
		cmocka_unit_test(never_past_the_issuer),
		cmocka_unit_test(grace_ends),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}

/*
 * What follows a yes: certificates, their chain through extensions and changes, revocations and grace, CRLs, and the
 * two halves of an issue when something happens between them.
 */
#include "ca_fixture.h"

#include "ca/publish.h"
#include "ca/revoke.h"

#include <pthread.h>
#include <string.h>

#define SAME (BY_RA | BY_SUB)
#define REKEY (BY_RA | BY_SUB | BY_NEW | BY_ALICE)
#define CHANGE (BY_RA | BY_SUB | BY_OFFICERS)

typedef void make_fn(struct fx *x, enum fx_which org, struct tally *t);

/* Asks and, when it is done, goes on with the new certificate. */
static void goes(struct fx *x, const char *what, make_fn *make, enum fx_which org, enum fx_key key, unsigned who)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	make(x, org, &t);
	fx_ask(x, &t, org, key, who, &a);
	check_done(what, &a);
	if (tally_kind_issues(t.kind))
		fx_follow(x, org, &a, key);
}

static void refused(struct fx *x, const char *what, make_fn *make, enum fx_which org, enum fx_key key, unsigned who,
		    const char *rule)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	uint64_t issued = fx_count(x, WIRE_TYPE_E_ISSUED);
	make(x, org, &t);
	fx_ask(x, &t, org, key, who, &a);
	check_rule(what, &a, rule);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), issued);
}

static struct ledger_cert row_of(struct fx *x, enum fx_which org)
{
	struct cert_ref ref = fx_ref(x, org);
	struct ledger_cert c;
	fx_ledger_cert(x, &ref, &c);
	return c;
}

static void check_verifies(struct fx *x, enum fx_which org)
{
	struct fault f = {0};
	assert_int_equal(cert_verify_by(&x->orgs[org].cert, &x->signer->issuer, &f), OK);
}

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

static void by_officer(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_revoke(x, org, t);
	snprintf(t->way, sizeof(t->way), "by-officer");
	t->reason = 1;
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

static void release(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_hold(x, org, t);
	t->kind = TALLY_RELEASE;
	snprintf(t->way, sizeof(t->way), "desk");
	t->has_hold = true;
	t->hold = row_of(x, org).state_entry;
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

/* --- between intent and outcome --- */

/* The intent is recorded, the signature fails: as a crash between the two, and a signature that does not hold never
 * leaves. */
static void half_issue(struct fx *x, const struct tally *t, enum fx_which org, unsigned who)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	struct ca_key *wrong = NULL, *right = atomic_load(&x->signer->key);
	struct fault f = {0};
	assert_int_equal(ca_key_create(KEY_P256, 0, &wrong, &f), OK);
	atomic_store(&x->signer->key, wrong);
	fx_ask(x, t, org, KEY_NEW, who, &a);
	assert_int_equal(a.kind, ERR_INTERNAL);
	atomic_store(&x->signer->key, right);
	ca_key_free(wrong);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_INTENT), fx_count(x, WIRE_TYPE_E_ISSUED) + 1);
}

static struct slice last_body(struct fx *x, uint64_t index, struct buf *ret)
{
	struct db *db = NULL;
	struct fault f = {0};
	assert_int_equal(ledger_reader(x->ledger, &db, &f), OK);
	assert_int_equal(ledger_entry(db, index, ret, &f), OK);
	ledger_reader_put(x->ledger, db);
	return buf_slice(ret);
}

static void open_intent_is_finished(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer busy = {0}, a = {0}, in_flight = {0};
	_cleanup_buf_ struct buf body = {0};
	struct wire_e_intent meant;
	struct fault f = {0};
	(void)state;
	fx_change(x, ORG_P256, &t);
	half_issue(x, &t, ORG_P256, CHANGE);
	fx_ask(x, &t, ORG_P256, KEY_NEW, CHANGE, &busy);
	check_rule("open", &busy, "tally_in_flight");
	assert_int_equal(busy.kind, ERR_BUSY);
	_cleanup_(tally_done) struct tally other = {0};
	fx_extend(x, ORG_P256, &other);
	fx_ask(x, &other, ORG_P256, KEY_NEW, SAME, &in_flight);
	check_rule("predecessor taken", &in_flight, "predecessor_in_flight");
	refused(x, "identifier taken", fx_enrol, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, "line_occupied");
	fx_restart(x, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
	fx_ask(x, &t, ORG_P256, KEY_NEW, CHANGE, &a);
	check_done("after the restart", &a);
	assert_int_equal(a.done.again, 1);
	/* Exactly the bytes that were meant. */
	assert_int_equal(wire_e_intent_get(last_body(x, a.done.intent, &body), &meant, &f), OK);
	fx_follow(x, ORG_P256, &a, KEY_OF_P256);
	assert_true(slice_eq(x->orgs[ORG_P256].cert.tbs, meant.tbs));
	check_verifies(x, ORG_P256);
	fx_restart(x, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

/* Without a restart it is finished a moment later. */
static void is_finished_a_moment_later(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	half_issue(x, &t, ORG_P256, SAME);
	signer_finish(x->signer);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_done("a moment later", &a);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

static void open_intent_dies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer dead = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	half_issue(x, &t, ORG_P256, SAME);
	goes(x, "revoke meanwhile", by_officer, ORG_P256, KEY_NEW, BY_RA | BY_BOB);
	fx_restart(x, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_DEAD), 1);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &dead);
	check_rule("dead", &dead, "tally_dead");
	assert_int_equal(row_of(x, ORG_P256).successor, 0);
}

static void locked_serves_nothing(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, open = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	fx_extend(x, ORG_RSA, &open);
	half_issue(x, &open, ORG_RSA, SAME);
	fx_restart(x, false);
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_rule("locked", &a, "signer_locked");
	assert_int_equal(a.kind, ERR_LOCKED);
	assert_true(a.retry_ms > 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REFUSED), 0);
}

static void clock_jumps(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, back = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0}, c = {0};
	struct fault f = {0};
	(void)state;
	clock_set(NOW + 2 * 3600);
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_rule("forward", &a, "clock_jump");
	assert_int_equal(signer_beat(x->signer, &f), ERR_LOCKED);
	fx_answer_done(&a);
	clock_set(NOW); /* doubt stays until somebody has looked */
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_rule("back again", &a, "clock_jump");
	fx_clock(x, NOW);
	fx_restart(x, true);
	clock_set(NOW - 2 * 3600);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &b);
	check_rule("backward", &b, "clock_jump");
	fx_clock(x, NOW - 2 * 3600);
	fx_extend(x, ORG_P256, &back);
	back.made = NOW - 5;
	back.dies = NOW + 600;
	fx_ask(x, &back, ORG_P256, KEY_NEW, SAME, &c);
	check_done("accepted", &c);
	fx_follow(x, ORG_P256, &c, KEY_OF_P256);
	/* The ledger's time did not go back. */
	assert_int_equal(x->orgs[ORG_P256].cert.not_before, NOW);
}

/* --- many at once --- */

#define THREADS 8
struct racer {
	struct fx *x;
	struct buf note;
	struct fx_answer a;
	pthread_t thread;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	fx_send(r->x, false, &r->note, NULL, &r->a);
	return NULL;
}

static size_t race_all(struct racer *racers)
{
	size_t done = 0;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		done += racers[i].a.kind == OK;
		buf_done(&racers[i].note);
	}
	return done;
}

static void one_of_many_succeeds(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct racer racers[THREADS] = {0};
	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		_cleanup_(tally_done) struct tally t = {0};
		fx_extend(x, ORG_P256, &t);
		fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &racers[i].note);
		racers[i].x = x;
	}
	assert_int_equal(race_all(racers), 1);
	for (size_t i = 0; i < THREADS; i++) {
		if (racers[i].a.kind == ERR_BUSY)
			check_rule("busy", &racers[i].a, "predecessor_in_flight");
		else if (racers[i].a.kind != OK)
			check_rule("refused", &racers[i].a, "predecessor_succeeded");
		fx_answer_done(&racers[i].a);
	}
	assert_int_equal(fx_count(x, WIRE_TYPE_E_INTENT), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

static void same_tally_many_times(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	struct racer racers[THREADS] = {0};
	struct slice cert = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	for (size_t i = 0; i < THREADS; i++) {
		fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &racers[i].note);
		racers[i].x = x;
	}
	assert_true(race_all(racers) >= 1);
	for (size_t i = 0; i < THREADS; i++) {
		if (racers[i].a.kind != OK) {
			assert_int_equal(racers[i].a.kind, ERR_BUSY);
			continue;
		}
		if (cert.p)
			assert_true(slice_eq(cert, racers[i].a.done.cert));
		cert = racers[i].a.done.cert;
	}
	for (size_t i = 0; i < THREADS; i++)
		fx_answer_done(&racers[i].a);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

/* --- CRLs --- */

static uint64_t get_crl(struct fx *x, uint32_t scope, struct buf *ret_der, struct crl *ret)
{
	struct ledger_crl c;
	struct fault f = {0};
	buf_clear(ret_der);
	if (fx_publish(x, x->signer->issuer.key.key_id, scope, ret_der, &c, &f) != OK)
		fail_msg("crl: %s %s", f.rule, f.text);
	assert_int_equal(crl_parse(buf_slice(ret_der), ret, &f), OK);
	assert_int_equal(crl_verify_by(ret, &x->signer->issuer, &f), OK);
	return c.number;
}

static bool lists(const struct crl *crl, const struct serial *s)
{
	bool found = false;
	int64_t when;
	unsigned reason;
	assert_int_equal(crl_find(crl, s, &found, &when, &reason, NULL), OK);
	return found;
}

static void crl_follows_revocations(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0};
	struct crl crl;
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	goes(x, "extend", fx_extend, ORG_RSA, KEY_OF_RSA, SAME);
	struct ledger_cert c = row_of(x, ORG_P256), other = row_of(x, ORG_RSA);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	assert_false(lists(&crl, &c.ref.serial));
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	assert_int_equal(get_crl(x, c.shard, &der, &crl), 1);
	goes(x, "revoke", fx_revoke, ORG_P256, KEY_NEW, SAME);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 2);
	assert_true(lists(&crl, &c.ref.serial));
	assert_false(lists(&crl, &other.ref.serial));
	assert_int_equal(crl.next_update, NOW + DAY);
	assert_int_equal(get_crl(x, c.shard, &der, &crl), 2);
	assert_true(lists(&crl, &c.ref.serial));
	assert_int_equal(get_crl(x, (c.shard + 1) % 16, &der, &crl), 1);
	assert_false(lists(&crl, &c.ref.serial));
	/* On schedule, and after a restart from the file. */
	fx_restart(x, true);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 2);
	fx_clock(x, NOW + 3600);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 3);
	/* Held, then released. */
	goes(x, "hold", fx_hold, ORG_RSA, KEY_NEW, BY_RA);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 4);
	assert_true(lists(&crl, &other.ref.serial));
	goes(x, "release", release, ORG_RSA, KEY_NEW, BY_RA | BY_OFFICERS);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 5);
	assert_false(lists(&crl, &other.ref.serial));
	/* On one CRL after the end, and then no more. */
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + DAY);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	assert_true(lists(&crl, &c.ref.serial));
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + 30 * DAY);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	assert_false(lists(&crl, &c.ref.serial));
	assert_int_equal(fx_count(x, WIRE_TYPE_E_CRL), 10);
}

static void keep_longer(struct fx *x, const char *line)
{
	static const char shards[] = "    shards: 16\n";
	struct buf *b = fx_file(x, "profiles/organisation.yaml");
	_cleanup_buf_ struct buf text = {0};
	const char *at = strstr(buf_text(b), shards);
	assert_non_null(at);
	size_t head = (size_t)(at - buf_text(b)) + strlen(shards);
	buf_add(&text, b->data, head);
	buf_str(&text, line);
	buf_str(&text, buf_text(b) + head);
	buf_clear(b);
	buf_add_slice(b, buf_slice(&text));
}

static void keep_30_days(struct fx *x)
{
	keep_longer(x, "    expired_days: 30\n");
}

static void keep_for_ever(struct fx *x)
{
	keep_longer(x, "    keep_expired: true\n");
}

/* A policy keeps revoked certificates on CRLs past their end, and says so where it keeps them for ever. */
static void crl_keeps_expired(void **state)
{
	static const struct {
		void (*edit)(struct fx *x);
		int64_t days;
		bool listed, says;
	} rows[] = {{keep_30_days, 29, true, false}, {keep_30_days, 31, false, false},
		    {NULL, 6, true, false},	     {NULL, 8, false, false},
		    {keep_for_ever, 31, true, true}, {keep_for_ever, 2000, true, true}};
	static const uint8_t oid[] = {0x06, 0x03, 0x55, 0x1d, 0x3c, 0x04, 0x11, 0x18, 0x0f};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new_at(KEY_P256, NOW, rows[i].edit);
		_cleanup_buf_ struct buf der = {0};
		struct crl crl;
		goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
		goes(x, "revoke", fx_revoke, ORG_P256, KEY_NEW, SAME);
		struct ledger_cert c = row_of(x, ORG_P256);
		fx_clock(x, c.not_after + rows[i].days * DAY);
		get_crl(x, WIRE_FULL_CRL, &der, &crl);
		if (lists(&crl, &c.ref.serial) != rows[i].listed)
			fail_msg("row %zu", i);
		assert_int_equal(memmem(der.data, der.len, oid, sizeof(oid)) != NULL, rows[i].says);
	}
}

/* A long one comes in pieces; of one that was made anew meanwhile no more is given. */
static void crl_in_pieces(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0}, rest = {0};
	struct wire_crl ask = {.shard = WIRE_FULL_CRL};
	struct ledger_crl c;
	struct fault f = {0};
	struct crl crl;
	uint64_t size;
	(void)state;
	goes(x, "extend", fx_extend, ORG_RSA, KEY_OF_RSA, SAME);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	memcpy(ask.issuer, x->signer->issuer.key.key_id, 20);
	sha256(der.data, der.len, ask.sha256);
	ask.from = 7;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), OK);
	assert_int_equal(size, der.len);
	assert_true(slice_eq(buf_slice(&rest), slice_of(der.data + 7, der.len - 7)));
	ask.from = der.len;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_RULE);
	assert_string_equal(f.rule, "crl_piece");
	ask.from = UINT64_MAX;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_RULE);
	ask.from = 7;
	ask.shard = 3;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_CONFLICT);
	ask.shard = WIRE_FULL_CRL;
	goes(x, "hold", fx_hold, ORG_RSA, KEY_NEW, BY_RA);
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), OK);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_CONFLICT);
	assert_string_equal(f.rule, "crl_changed");
}

static void crl_while_locked(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0}, none = {0};
	struct crl crl;
	struct ledger_crl c;
	struct fault f = {0};
	uint8_t other[20] = {1};
	(void)state;
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	fx_restart(x, false);
	fx_clock(x, NOW + 2 * 3600);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	fx_clock(x, NOW + DAY + 1);
	assert_int_equal(fx_publish(x, x->signer->issuer.key.key_id, WIRE_FULL_CRL, &none, &c, &f), ERR_LOCKED);
	assert_int_equal(fx_publish(x, other, WIRE_FULL_CRL, &none, &c, &f), ERR_NOT_FOUND);
	assert_string_equal(f.rule, "issuer_unknown");
	assert_int_equal(fx_publish(x, x->signer->issuer.key.key_id, 16, &none, &c, &f), ERR_NOT_FOUND);
	assert_string_equal(f.rule, "shard_unknown");
}

static int group_done(void **state)
{
	(void)state;
	fx_keys_done();
	return 0;
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
		cmocka_unit_test(open_intent_is_finished),
		cmocka_unit_test(is_finished_a_moment_later),
		cmocka_unit_test(open_intent_dies),
		cmocka_unit_test(locked_serves_nothing),
		cmocka_unit_test(clock_jumps),
		cmocka_unit_test(one_of_many_succeeds),
		cmocka_unit_test(same_tally_many_times),
		cmocka_unit_test(crl_follows_revocations),
		cmocka_unit_test(crl_keeps_expired),
		cmocka_unit_test(crl_in_pieces),
		cmocka_unit_test(crl_while_locked),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}

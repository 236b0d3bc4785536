/*
 * Who has stolen what: an officer's key, a subscriber's key, a gate with the OCSP key; each has the RA as well. What
 * they can't do names its rule and leaves the count of certificates; what they can do is counted to the last entry. And
 * an RA that floods the signer stops nobody but itself.
 */
#include "ca_fixture.h"

#include <string.h>

typedef void make_fn(struct fx *x, enum fx_which org, struct tally *t);

static void m_by_officer(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_revoke(x, org, t);
	snprintf(t->way, sizeof(t->way), "by-officer");
}
static void m_release(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_hold(x, org, t);
	t->kind = TALLY_RELEASE;
	snprintf(t->way, sizeof(t->way), "desk");
	t->has_hold = true;
	t->hold = ledger_size(x->ledger) - 1;
}

struct row {
	const char *what;
	make_fn *make;
	enum fx_which org; /* whose certificate */
	enum fx_key key;   /* the new one */
	unsigned who;
	const char *rule; /* NULL: possible */
	enum fx_which by; /* whose key signs as the subscriber, when not org's */
};

static uint64_t certificates(struct fx *x)
{
	return fx_count(x, WIRE_TYPE_E_ISSUED) + fx_count(x, WIRE_TYPE_E_INTENT);
}

static void ask(struct fx *x, const struct row *row, bool by_operator, struct fx_answer *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf note = {0}, csr = {0};
	row->make(x, row->org, &t);
	if (t.has_key && t.key_is_new && t.kind != TALLY_RESPONDER)
		fx_new_key(&t, row->key);
	fx_note(x, &t, row->by ? row->by : row->org, row->key, row->who, &note);
	if (t.has_key && t.key_is_new)
		fx_csr(row->key, &csr);
	fx_send(x, by_operator, &note, &csr, ret);
}

static void refused(struct fx *x, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(fx_answer_done) struct fx_answer a = {0};
		uint64_t before = certificates(x);
		ask(x, &rows[i], false, &a);
		check_rule(rows[i].what, &a, rows[i].rule);
		if (certificates(x) != before)
			fail_msg("%s: a certificate was made", rows[i].what);
	}
}
#define REFUSED(x, rows) refused(x, rows, sizeof(rows) / sizeof((rows)[0]))

static void done(struct fx *x, const struct row *row, bool by_operator)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	ask(x, row, by_operator, &a);
	check_done(row->what, &a);
}

/* --- an officer's key, and the RA --- */

static void stolen_officer(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	static const struct row rows[] = {
		{"a certificate for the thief's key", fx_rekey, ORG_P256, KEY_STRANGER, BY_RA | BY_NEW | BY_ALICE,
		 "subscriber_missing"},
		{"another name", fx_change, ORG_P256, KEY_STRANGER, BY_RA | BY_ALICE, "subscriber_missing"},
		{"another name, with a subscriber's help", fx_change, ORG_P256, KEY_STRANGER, BY_RA | BY_SUB | BY_ALICE,
		 "officers_short"},
		{"an invented organisation", fx_enrol, ORG_P256, KEY_STRANGER, BY_RA | BY_NEW | BY_ALICE,
		 "officers_short"},
		{"a lost key that was not lost", fx_reissue, ORG_P256, KEY_STRANGER, BY_RA | BY_NEW | BY_ALICE,
		 "officers_short"},
		{"the RA's line as the second officer's", fx_enrol, ORG_P256, KEY_STRANGER,
		 BY_RA | BY_NEW | BY_ALICE | BY_RA_OTHER, "ra_signature"},
	};
	static const struct row hold = {"hold", fx_hold, ORG_RSA, KEY_NEW, BY_RA, NULL, 0};
	static const struct row release[] = {
		{"release", m_release, ORG_RSA, KEY_NEW, BY_RA | BY_ALICE, "officers_short", 0}};
	static const struct row revoke = {"revoke: one officer may", m_by_officer, ORG_P256, KEY_NEW,
					  BY_RA | BY_ALICE,	     NULL,	   0};
	static const struct row rekey = {"a key lent by its subscriber",     fx_rekey, ORG_WEAK, KEY_STRANGER,
					 BY_RA | BY_SUB | BY_NEW | BY_ALICE, NULL,     0};
	_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
	struct fault f = {0};
	(void)state;
	REFUSED(x, rows);
	done(x, &hold, false);
	REFUSED(x, release);
	done(x, &revoke, false);
	assert_int_equal(certificates(x), 0);
	/* A subscriber who lends the key gets one for that key's own name. */
	_cleanup_(name_done) struct name before = {0}, after = {0};
	_cleanup_(fx_answer_done) struct fx_answer lent = {0};
	fx_subject_name(x, ORG_WEAK, &before);
	ask(x, &rekey, false, &lent);
	fx_follow(x, ORG_WEAK, &lent, KEY_STRANGER);
	fx_subject_name(x, ORG_WEAK, &after);
	assert_true(name_eq(&before, &after));
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
	/* And no roster in which the thief is two. */
	fx_roster_note(x, 2, true, x->signer->heads->roster.sha256, 2, BY_ALICE, &note);
	wire_roster_put(&(struct wire_roster){.note = buf_slice(&note)}, &request);
	assert_int_equal(fx_operator(x, &request, WIRE_TYPE_OK, &reply, &f), ERR_RULE);
	assert_string_equal(f.rule, "quorum");
}

/* The officer whose key it is has left the roster: by it alone, or beside others, nothing is done any more. */
static void after_the_next_roster(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	static const struct row before = {
		"revoke, while the roster has her", m_by_officer, ORG_P256, KEY_NEW, BY_RA | BY_ALICE, NULL, 0};
	static const struct row rows[] = {
		{"revoke", m_by_officer, ORG_RSA, KEY_NEW, BY_RA | BY_ALICE, "signer_unknown", 0},
		{"enrol, with an officer", fx_enrol, ORG_P256, KEY_STRANGER, BY_RA | BY_NEW | BY_ALICE | BY_BOB,
		 "signer_unknown", 0},
		{"change, with the subscriber and an officer", fx_change, ORG_RSA, KEY_NEW,
		 BY_RA | BY_SUB | BY_ALICE | BY_BOB, "signer_unknown", 0},
	};
	static const struct row other = {
		"revoke, by an officer of the roster", m_by_officer, ORG_RSA, KEY_NEW, BY_RA | BY_BOB, NULL, 0};
	_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
	struct fault f = {0};
	(void)state;
	done(x, &before, false);
	x->gone = BY_ALICE;
	fx_roster_note(x, 2, true, x->signer->heads->roster.sha256, 2, BY_OFFICERS, &note);
	wire_roster_put(&(struct wire_roster){.note = buf_slice(&note)}, &request);
	assert_int_equal(fx_operator(x, &request, WIRE_TYPE_OK, &reply, &f), OK);
	REFUSED(x, rows);
	done(x, &other, false);
}

/* --- a subscriber's key, and the RA --- */

static void stolen_subscriber(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	static const struct row rows[] = {
		{"a key of the thief's own", fx_rekey, ORG_P256, KEY_STRANGER, BY_RA | BY_SUB | BY_NEW,
		 "officers_short"},
		{"another name", fx_change, ORG_P256, KEY_NEW, BY_RA | BY_SUB, "officers_short"},
		{"a reissue", fx_reissue, ORG_P256, KEY_STRANGER, BY_RA | BY_NEW, "officers_short"},
		{"another organisation's certificate", fx_extend, ORG_RSA, KEY_NEW, BY_RA | BY_SUB, "signer_unknown",
		 ORG_WEAK},
	};
	static const struct row extend = {"extend: the same key", fx_extend, ORG_P256, KEY_NEW,
					  BY_RA | BY_SUB,	  NULL,	     0};
	static const struct row revoke = {"revoke", fx_revoke, ORG_P256, KEY_NEW, BY_RA | BY_SUB, NULL, 0};
	static const struct row after[] = {
		{"extend what is revoked", fx_extend, ORG_P256, KEY_NEW, BY_RA | BY_SUB, "predecessor_revoked", 0}};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	uint8_t key[32];
	(void)state;
	REFUSED(x, rows);
	memcpy(key, x->orgs[ORG_P256].cert.key.spki_sha256, 32);
	ask(x, &extend, false, &a);
	fx_follow(x, ORG_P256, &a, KEY_OF_P256);
	assert_memory_equal(x->orgs[ORG_P256].cert.key.spki_sha256, key, 32);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
	done(x, &revoke, false);
	REFUSED(x, after);
}

/* --- a gate: the key that answers OCSP, and the RA --- */

static void compromised_gate(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	static const struct row rows[] = {
		{"its key under an organisation's name", fx_rekey, ORG_P256, KEY_RESPONDER,
		 BY_RA | BY_SUB | BY_NEW | BY_ALICE, "key_blocked"},
		{"its key under a new name", fx_enrol, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW | BY_OFFICERS,
		 "key_blocked"},
		{"its key for a lost one", fx_reissue, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW | BY_OFFICERS | BY_CAROL,
		 "key_blocked"},
		{"without the RA", fx_responder, ORG_P256, KEY_RESPONDER, BY_NEW, "ra_signature"},
	};
	static const struct row own = {"its own certificate", fx_responder, ORG_P256, KEY_RESPONDER,
				       BY_RA | BY_NEW,	      NULL,	    0};
	static const struct row as_subscriber[] = {{"its certificate extended into an organisation's", fx_extend,
						    ORG_P256, KEY_NEW, BY_RA | BY_SUB, "predecessor_project", 0},
						   {"and changed into one", fx_change, ORG_P256, KEY_NEW,
						    BY_RA | BY_SUB | BY_OFFICERS, "predecessor_project", 0}};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	REFUSED(x, rows);
	ask(x, &own, false, &a);
	fx_follow(x, ORG_P256, &a, KEY_RESPONDER);
	assert_int_equal(x->orgs[ORG_P256].cert.not_after - x->orgs[ORG_P256].cert.not_before, 7 * DAY);
	assert_non_null(cert_ext(&x->orgs[ORG_P256].cert, "1.3.6.1.5.5.7.48.1.5"));
	REFUSED(x, as_subscriber);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
}

/* --- an RA that floods --- */

static void exhausts(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	static const struct row bad = {"refused", fx_extend, ORG_P256, KEY_NEW, BY_RA, "subscriber_missing", 0};
	static const struct row flood[] = {
		{"more than it may", fx_extend, ORG_P256, KEY_NEW, BY_RA, "refusals_rate", 0},
		{"a good one has to wait, too", fx_extend, ORG_P256, KEY_NEW, BY_RA | BY_SUB, "refusals_rate", 0}};
	static const struct row revoke = {"revoke, past the RA", m_by_officer, ORG_P256, KEY_NEW, BY_ALICE, NULL, 0};
	(void)state;
	x->config.refusals_burst = 5;
	x->config.refusals_per_second = 0;
	for (size_t i = 0; i < 5; i++)
		refused(x, &bad, 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REFUSED), 5);
	uint64_t size = ledger_size(x->ledger);
	for (size_t i = 0; i < 20; i++)
		REFUSED(x, flood);
	assert_int_equal(ledger_size(x->ledger), size); /* a flood writes nothing */
	done(x, &revoke, true);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_REVOKED), 1);
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
		cmocka_unit_test(stolen_officer),    cmocka_unit_test(after_the_next_roster),
		cmocka_unit_test(stolen_subscriber), cmocka_unit_test(compromised_gate),
		cmocka_unit_test(exhausts),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}

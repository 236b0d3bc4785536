/*
 * Requests that a whole signer is asked, and what must come of them.
 */
#ifndef HUFU_TEST_ISSUE_KIT_H
#define HUFU_TEST_ISSUE_KIT_H

#include "ca_fixture.h"

#define SAME (BY_RA | BY_SUB)
#define REKEY (BY_RA | BY_SUB | BY_NEW | BY_ALICE)
#define CHANGE (BY_RA | BY_SUB | BY_OFFICERS)

typedef void make_fn(struct fx *x, enum fx_which org, struct tally *t);

/* Asks and, when it is done, goes on with the new certificate. */
static inline void goes(struct fx *x, const char *what, make_fn *make, enum fx_which org, enum fx_key key, unsigned who)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	make(x, org, &t);
	fx_ask(x, &t, org, key, who, &a);
	check_done(what, &a);
	if (tally_kind_issues(t.kind))
		fx_follow(x, org, &a, key);
}

static inline void refused(struct fx *x, const char *what, make_fn *make, enum fx_which org, enum fx_key key,
			   unsigned who, const char *rule)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	uint64_t issued = fx_count(x, WIRE_TYPE_E_ISSUED);
	make(x, org, &t);
	fx_ask(x, &t, org, key, who, &a);
	check_rule(what, &a, rule);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), issued);
}

static inline struct ledger_cert row_of(struct fx *x, enum fx_which org)
{
	struct cert_ref ref = fx_ref(x, org);
	struct ledger_cert c;
	fx_ledger_cert(x, &ref, &c);
	return c;
}

static inline void check_verifies(struct fx *x, enum fx_which org)
{
	struct fault f = {0};
	assert_int_equal(cert_verify_by(&x->orgs[org].cert, &x->signer->issuer, &f), OK);
}

static inline void by_officer(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_revoke(x, org, t);
	snprintf(t->way, sizeof(t->way), "by-officer");
	t->reason = 1;
}

static inline void release(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_hold(x, org, t);
	t->kind = TALLY_RELEASE;
	snprintf(t->way, sizeof(t->way), "desk");
	t->has_hold = true;
	t->hold = row_of(x, org).state_entry;
}

static inline int group_done(void **state)
{
	(void)state;
	fx_keys_done();
	return 0;
}

#endif

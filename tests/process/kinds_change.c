/*
 * What is changed in a tally that would pass: by mistake, or by somebody who holds the RA.
 */
#include "tests/process/kinds.h"

#include <string.h>

static struct world *world_of(const struct fx *x)
{
	return x->carrier;
}

/* --- in the tally, before it is signed --- */

void c_months(struct fx *x, struct tally *t)
{
	(void)x;
	t->add_months = 13;
}
/* What was answered for another length. */
void c_last_id(struct fx *x, struct tally *t)
{
	memcpy(t->id, world_of(x)->id, TALLY_ID);
	t->add_months = 24;
}
void c_predecessor(struct fx *x, struct tally *t)
{
	(void)x;
	t->predecessor.serial.b[1] ^= 1;
}
void c_predecessor_issuer(struct fx *x, struct tally *t)
{
	memcpy(t->predecessor.issuer_key_id, x->signer->issuer.key.key_id, 20);
}

/* The certificate that the last change replaced. */
void c_replaced(struct fx *x, struct tally *t)
{
	struct wire_e_intent e;
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(tally_done) struct tally change = {0};
	struct fault f = {0};
	assert_int_equal(wire_e_intent_get(buf_slice(&world_of(x)->last[WIRE_TYPE_E_INTENT]), &e, &f), OK);
	assert_int_equal(note_parse(e.note, 1, &note, &f), OK);
	assert_int_equal(tally_parse(note.text, &change, &f), OK);
	t->predecessor = change.predecessor;
}

static void change_to(struct fx *x, enum fx_which org, struct tally *t, const char *name, const char *code)
{
	_cleanup_(name_done) struct name before = {0};
	for (size_t i = 0; i < t->n_subject; i++)
		free(t->subject[i].value);
	free(t->subject);
	t->subject = NULL;
	t->n_subject = 0;
	if (t->kind != TALLY_ENROL)
		fx_subject_name(x, org, &before);
	fx_subject(t, &before, name, code);
}
static void collides(struct fx *x, enum fx_which org, struct tally *t)
{
	t->has_collides = true;
	t->collides = fx_ref(x, org);
}

void c_empty(struct fx *x, struct tally *t)
{
	change_to(x, ORG_P256, t, x->orgs[ORG_P256].name, OLD_CODE);
}
void c_check_character(struct fx *x, struct tally *t)
{
	change_to(x, ORG_P256, t, NEW_NAME, "913301003535355024");
}
void c_occupied(struct fx *x, struct tally *t)
{
	change_to(x, ORG_P256, t, NEW_NAME, x->orgs[ORG_RSA].code);
}
void c_collides(struct fx *x, struct tally *t)
{
	c_occupied(x, t);
	collides(x, ORG_RSA, t);
}
void c_collides_third(struct fx *x, struct tally *t)
{
	c_occupied(x, t);
	collides(x, ORG_WEAK, t);
}
/* Another name, and twelve months more that were ordered with it. */
void c_extended(struct fx *x, struct tally *t)
{
	change_to(x, ORG_RSA, t, NEW_NAME, x->orgs[ORG_RSA].code);
	t->add_months = 12;
	snprintf(t->order, sizeof(t->order), "order-2");
}
void c_enrol_occupied(struct fx *x, struct tally *t)
{
	change_to(x, ORG_RSA, t, NEW_NAME, x->orgs[ORG_RSA].code);
}
void c_enrol_collides(struct fx *x, struct tally *t)
{
	c_enrol_occupied(x, t);
	collides(x, ORG_RSA, t);
}
void c_key_of_rsa(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_OF_RSA);
}
void c_key_own(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_OF_P256);
}
void c_key_new(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_NEW);
}
void c_key_new_rsa(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_NEW_RSA);
}
void c_key_responder(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_RESPONDER);
}
void c_superseded(struct fx *x, struct tally *t)
{
	(void)x;
	t->reason = crl_reason_from_word("superseded");
}
void c_compromised(struct fx *x, struct tally *t)
{
	(void)x;
	t->reason = crl_reason_from_word("keyCompromise");
}
void c_other_hold(struct fx *x, struct tally *t)
{
	(void)x;
	t->hold--;
}
/* The hold that was released already: the release's entry names it. */
void c_first_hold(struct fx *x, struct tally *t)
{
	struct wire_e_released e;
	struct fault f = {0};
	assert_int_equal(wire_e_released_get(buf_slice(&world_of(x)->last[WIRE_TYPE_E_RELEASED]), &e, &f), OK);
	t->hold = e.hold;
}
void c_target_self(struct fx *x, struct tally *t)
{
	(void)x;
	memcpy(t->target, t->id, TALLY_ID);
}
void c_target_done(struct fx *x, struct tally *t)
{
	struct wire_e_issued e;
	struct fault f = {0};
	assert_int_equal(wire_e_issued_get(buf_slice(&world_of(x)->last[WIRE_TYPE_E_ISSUED]), &e, &f), OK);
	memcpy(t->target, e.tally, TALLY_ID);
}

void e_no_key_seen(struct buf *text)
{
	fx_replace(text, "key-seen: paper\n", "");
}

/* --- after all have signed --- */

void a_sub_forged(struct fx *x, struct buf *note, struct buf *csr)
{
	struct cert_ref ref = fx_ref(x, ORG_P256);
	(void)csr;
	fx_sub_line(note, &ref, fx_key(KEY_STRANGER));
}
void a_sub_other(struct fx *x, struct buf *note, struct buf *csr)
{
	struct cert_ref ref = fx_ref(x, ORG_RSA);
	(void)csr;
	fx_sub_line(note, &ref, x->orgs[ORG_RSA].key);
}
/* The subscriber signed twelve months; the RA signs its own edit. */
void a_wider_by_ra(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	fx_replace(note, "add 12 months", "add 36 months");
	fx_line(note, "ra-one", BY_RA);
}
void a_csr(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)note;
	buf_clear(csr);
	fx_csr(KEY_STRANGER, csr);
}
void a_no_csr(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)note;
	buf_clear(csr);
}
void a_bob_forged(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	fx_line(note, "bob", 77);
}
void a_ra_forged(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	fx_line(note, "ra-one", 77);
}
/* Bob's true line, but under the tally that was done last. */
void a_bob_of_other(struct fx *x, struct buf *note, struct buf *csr)
{
	_cleanup_buf_ struct buf text = {0}, other = {0};
	_cleanup_(freep) char *whole = xstrdup(buf_text(&world_of(x)->note));
	(void)csr;
	buf_add(&text, whole, (size_t)(strstr(whole, "\n\n") + 1 - whole));
	note_begin(buf_slice(&text), &other);
	size_t head = other.len;
	fx_line(&other, "bob", BY_BOB);
	buf_add(note, other.data + head, other.len - head);
}

/* --- tallies that the fixture does not have --- */

void make_weak(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_rekey(x, org, t);
	fx_new_key(t, KEY_NEW_RSA);
}
void make_by_officer(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_revoke(x, org, t);
	snprintf(t->way, sizeof(t->way), "by-officer");
	t->reason = crl_reason_from_word("keyCompromise");
}
void make_release(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_hold(x, org, t);
	t->kind = TALLY_RELEASE;
	snprintf(t->way, sizeof(t->way), "desk");
	t->has_hold = true;
	t->hold = world_of(x)->at[WIRE_TYPE_E_HELD];
}
void make_damaged(struct fx *x, enum fx_which org, struct tally *t)
{
	fx_reissue(x, org, t);
	snprintf(t->way, sizeof(t->way), "damaged");
	t->reason = crl_reason_from_word("superseded");
}
void make_withdraw(struct fx *x, enum fx_which org, struct tally *t)
{
	(void)org;
	fx_withdraw(x, world_of(x)->id, t);
}
void make_withdraw_by_key(struct fx *x, enum fx_which org, struct tally *t)
{
	make_withdraw(x, org, t);
	t->has_predecessor = true;
	t->predecessor = fx_ref(x, org);
}

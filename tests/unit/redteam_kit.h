/*
 * What the red team works with: the kinds as they pass, the scene that the ledger has, and the changes that an attacker
 * makes before and after all have signed.
 */
#ifndef HUFU_TEST_REDTEAM_KIT_H
#define HUFU_TEST_REDTEAM_KIT_H

#include "ca_fixture.h"

#include <string.h>

/* --- the kinds --- */

enum { EXTEND, REKEY, CHANGE, ENROL, REISSUE, REVOKE, REVOKE_OFFICER, HOLD, RELEASE, WITHDRAW, RESPONDER, KINDS };
#define K(kind) (1u << (kind))
#define ALL (K(KINDS) - 1)
#define BY_KEY (K(EXTEND) | K(REKEY) | K(CHANGE) | K(REVOKE)) /* the current key's line is wanted */
#define NEW_KEY (K(REKEY) | K(ENROL) | K(REISSUE) | K(RESPONDER))
#define OFFICERS (K(REKEY) | K(CHANGE) | K(ENROL) | K(REISSUE) | K(REVOKE_OFFICER) | K(RELEASE))
#define FOLLOWS (ALL & ~(K(ENROL) | K(WITHDRAW) | K(RESPONDER))) /* has a predecessor */
#define CERTIFIES (K(EXTEND) | K(REKEY) | K(CHANGE) | K(ENROL) | K(REISSUE))
#define BY_RA_ALONE (K(HOLD) | K(WITHDRAW))
#define FROM_CODE (K(WITHDRAW) | K(RESPONDER))

/* What has happened in the ledger before, and is there to be used. */
static struct scene {
	struct fx *x;
	uint64_t hold;		    /* ORG_RSA is on hold since this entry */
	uint8_t held_id[TALLY_ID];  /* the tally's that did it */
	uint8_t dead_id[TALLY_ID];  /* withdrawn */
	uint8_t done_id[TALLY_ID];  /* of this kind's request, once it is done */
	uint8_t policy_before[32];  /* counts no more */
	struct buf note, csr, cert; /* of the request that is done */
} s;

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
	t->hold = s.hold;
}
static void m_withdraw(struct fx *x, enum fx_which org, struct tally *t)
{
	static const uint8_t target[TALLY_ID] = {0x77};
	(void)org;
	fx_withdraw(x, target, t);
}

static const struct kind {
	const char *word;
	void (*make)(struct fx *x, enum fx_which org, struct tally *t);
	enum fx_which org;
	enum fx_key key; /* the new one */
	unsigned who, last_officer;
	const char *again; /* the rule that refuses the same thing under a new id; "" the identifier's, or none */
} kinds[KINDS] = {
	[EXTEND] = {"extend, same key", fx_extend, ORG_P256, KEY_NEW, BY_RA | BY_SUB, 0, "predecessor_succeeded"},
	[REKEY] = {"extend, new key", fx_rekey, ORG_P256, KEY_NEW, BY_RA | BY_SUB | BY_NEW | BY_BOB, BY_BOB,
		   "predecessor_succeeded"},
	[CHANGE] = {"change", fx_change, ORG_P256, KEY_NEW, BY_RA | BY_SUB | BY_OFFICERS, BY_BOB, "predecessor_ended"},
	[ENROL] = {"enrol", fx_enrol, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, BY_BOB, ""},
	[REISSUE] = {"reissue", fx_reissue, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS | BY_CAROL, BY_BOB,
		     "predecessor_ended"},
	[REVOKE] = {"revoke, by key", fx_revoke, ORG_P256, KEY_NEW, BY_RA | BY_SUB, 0, "predecessor_ended"},
	[REVOKE_OFFICER] = {"revoke, by officer", m_by_officer, ORG_P256, KEY_NEW, BY_RA | BY_BOB, BY_BOB,
			    "predecessor_ended"},
	[HOLD] = {"hold", fx_hold, ORG_P256, KEY_NEW, BY_RA, 0, "predecessor_held"},
	[RELEASE] = {"release", m_release, ORG_RSA, KEY_NEW, BY_RA | BY_OFFICERS, BY_BOB, "predecessor_not_held"},
	[WITHDRAW] = {"withdraw", m_withdraw, ORG_P256, KEY_NEW, BY_RA, 0, "target_withdrawn"},
	[RESPONDER] = {"responder", fx_responder, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW, 0, ""},
};

/* A request on its way, and what its cell does to it. */
struct ask {
	const struct kind *kind;
	struct tally t;
	struct buf note, csr;
};

static void ask_done(struct ask *a)
{
	tally_done(&a->t);
	buf_done(&a->note);
	buf_done(&a->csr);
}

/* --- in the tally, before all sign it --- */

static void c_future(struct ask *a)
{
	a->t.made = NOW + 600;
}
static void c_yesterday(struct ask *a)
{
	a->t.made = NOW - 3600;
	a->t.dies = NOW - 1;
}
/* The life of the longest kind, and a second. */
static void c_life(struct ask *a)
{
	a->t.dies = a->t.made + (a->t.kind == TALLY_EXTEND ? DAY : 30 * DAY) + 1;
}
static void c_done_id(struct ask *a)
{
	memcpy(a->t.id, s.done_id, TALLY_ID);
	a->t.made--;
}
static void c_dead_id(struct ask *a)
{
	memcpy(a->t.id, s.dead_id, TALLY_ID);
}
static void c_held_id(struct ask *a)
{
	memcpy(a->t.id, s.held_id, TALLY_ID);
}
static void c_policy(struct ask *a)
{
	a->t.policy[31] ^= 1;
}
static void c_policy_before(struct ask *a)
{
	memcpy(a->t.policy, s.policy_before, 32);
}
static void c_ca(struct ask *a)
{
	a->t.ca[0] ^= 1;
}
static void c_predecessor(struct ask *a)
{
	a->t.predecessor.serial.b[1] ^= 1;
}
static void c_target_self(struct ask *a)
{
	memcpy(a->t.target, a->t.id, TALLY_ID);
}
static void c_target_done(struct ask *a)
{
	memcpy(a->t.target, s.held_id, TALLY_ID);
}
static void c_project(struct ask *a)
{
	snprintf(a->t.project, sizeof(a->t.project), "other");
}
static void c_profile(struct ask *a)
{
	snprintf(a->t.profile, sizeof(a->t.profile), "other");
}
static void c_hold(struct ask *a)
{
	a->t.hold--;
}
static void c_key_other(struct ask *a)
{
	fx_new_key(&a->t, KEY_OF_RSA);
}
static void c_key_weak(struct ask *a)
{
	fx_new_key(&a->t, KEY_OF_WEAK);
}
static void c_key_responder(struct ask *a)
{
	fx_new_key(&a->t, KEY_RESPONDER);
}
static void c_key_stranger(struct ask *a)
{
	fx_new_key(&a->t, KEY_STRANGER);
}
static void subject_clear(struct tally *t)
{
	for (size_t i = 0; i < t->n_subject; i++)
		free(t->subject[i].value);
	free(t->subject);
	t->subject = NULL;
	t->n_subject = 0;
}
static void subject_to(struct ask *a, const char *name, const char *code)
{
	_cleanup_(name_done) struct name before = {0};
	subject_clear(&a->t);
	if (a->t.has_predecessor)
		fx_subject_name(s.x, a->kind->org, &before);
	fx_subject(&a->t, &before, name, code);
}
static void c_subject(struct ask *a)
{
	subject_to(a, NEW_NAME, NEW_CODE);
}
static void c_check_character(struct ask *a)
{
	subject_to(a, NEW_NAME, "913301003535355024");
}
static void c_occupied(struct ask *a)
{
	subject_to(a, NEW_NAME, s.x->orgs[ORG_WEAK].code);
}
static void c_subject_other(struct ask *a)
{
	_cleanup_(name_done) struct name n = {0};
	struct fault f = {0};
	subject_clear(&a->t);
	fx_subject_name(s.x, ORG_WEAK, &n);
	assert_int_equal(tally_set_subject(&a->t, &n, &n, &f), OK);
}
static void c_months(struct ask *a)
{
	a->t.add_months = 13;
	snprintf(a->t.order, sizeof(a->t.order), "order-1");
}
static void c_latest(struct ask *a)
{
	a->t.latest = NOW + DAY;
}

/* --- in its text, before all sign it --- */

static void line_drop(struct buf *text, const char *field)
{
	_cleanup_(freep) char *whole = xstrdup(buf_text(text));
	_cleanup_(freep) char *start = xasprintf("\n%s: ", field);
	const char *at = strstr(whole, start);
	if (!at)
		fail_msg("the tally has no line \"%s\"", field);
	at++;
	_cleanup_(freep) char *line = xstrndup(at, strcspn(at, "\n") + 1);
	fx_replace(text, line, "");
}
static void e_no_dies(struct buf *text)
{
	line_drop(text, "dies");
}
static void e_no_id(struct buf *text)
{
	line_drop(text, "id");
}
static void e_no_policy(struct buf *text)
{
	line_drop(text, "policy");
}
static void e_no_ca(struct buf *text)
{
	line_drop(text, "ca");
}
static void e_no_predecessor(struct buf *text)
{
	line_drop(text, "predecessor");
}
static void e_no_target(struct buf *text)
{
	line_drop(text, "target");
}
static void e_no_subject(struct buf *text)
{
	while (strstr(buf_text(text), "\nsubject: "))
		line_drop(text, "subject");
}
static void e_no_validity(struct buf *text)
{
	line_drop(text, "validity");
}
static void e_no_hold(struct buf *text)
{
	line_drop(text, "hold");
}
static void e_kind(struct buf *text)
{
	_cleanup_(freep) char *whole = xstrdup(buf_text(text));
	const char *at = strstr(whole, "\nkind: ") + 1;
	_cleanup_(freep) char *line = xstrndup(at, strcspn(at, "\n") + 1);
	fx_replace(text, line, "kind: mint\n");
}
/* id and CA change places. */
static void e_order(struct buf *text)
{
	_cleanup_(freep) char *whole = xstrdup(buf_text(text));
	const char *id = strstr(whole, "\nid: ") + 1;
	_cleanup_(freep) char *line = xstrndup(id, strcspn(id, "\n") + 1);
	line_drop(text, "id");
	_cleanup_(freep) char *kind = xstrndup(whole, strcspn(whole, "\n") + 1);
	_cleanup_(freep) char *both = xasprintf("%s%s", kind, line);
	fx_replace(text, kind, both);
}

/* --- after all have signed --- */

static void a_tail(struct ask *a)
{
	buf_str(&a->note, "more\n");
}
static void a_cut(struct ask *a)
{
	a->note.len--;
}
/* The lines of these, over this text. */
static void lines_over(struct ask *a, const struct buf *text, enum fx_which org, enum fx_key key, unsigned who)
{
	_cleanup_buf_ struct buf head = {0}, other = {0};
	note_begin(buf_slice(text), &head);
	fx_note_text(s.x, text, org, key, who, &other);
	buf_add(&a->note, other.data + head.len, other.len - head.len);
}
static void lines_of(struct ask *a, enum fx_which org, enum fx_key key, unsigned who)
{
	_cleanup_buf_ struct buf text = {0};
	tally_put(&a->t, &text);
	lines_over(a, &text, org, key, who);
}
/* True lines, but under a tally with another id: those of a request from before. */
static void lines_of_another(struct ask *a, unsigned who)
{
	_cleanup_buf_ struct buf text = {0};
	a->t.id[0] ^= 1;
	tally_put(&a->t, &text);
	a->t.id[0] ^= 1;
	lines_over(a, &text, a->kind->org, a->kind->key, who);
}
static void a_ra_twice(struct ask *a)
{
	lines_of(a, a->kind->org, a->kind->key, BY_RA);
}
static void a_ra_forged(struct ask *a)
{
	fx_line(&a->note, "ra-one", 77);
}
static void a_ra_of_another(struct ask *a)
{
	lines_of_another(a, BY_RA);
}
static void a_sub_forged(struct ask *a)
{
	struct cert_ref ref = fx_ref(s.x, a->kind->org);
	fx_sub_line(&a->note, &ref, fx_key(KEY_STRANGER));
}
static void a_sub_of_another(struct ask *a)
{
	lines_of_another(a, BY_SUB);
}
static void a_sub_swapped(struct ask *a)
{
	lines_of(a, ORG_WEAK, a->kind->key, BY_SUB);
}
static void a_bob_forged(struct ask *a)
{
	fx_line(&a->note, "bob", 77);
}
static void a_bob_of_another(struct ask *a)
{
	lines_of_another(a, BY_BOB);
}
static void a_bob_twice(struct ask *a)
{
	lines_of(a, a->kind->org, a->kind->key, BY_BOB);
}
static void a_new_forged(struct ask *a)
{
	lines_of(a, a->kind->org, KEY_STRANGER, BY_NEW);
}
static void a_new_of_another(struct ask *a)
{
	lines_of_another(a, BY_NEW);
}
static void a_csr_swapped(struct ask *a)
{
	buf_clear(&a->csr);
	fx_csr(KEY_STRANGER, &a->csr);
}
static void a_no_csr(struct ask *a)
{
	buf_clear(&a->csr);
}
/* The halves stay those of the old text; the RA signs its edit anew. */
static void wider(struct ask *a, const char *find, const char *with)
{
	fx_replace(&a->note, find, with);
	fx_line(&a->note, "ra-one", BY_RA);
}
static void a_wider(struct ask *a)
{
	wider(a, "add 12 months", "add 36 months");
}
static void a_wider_kept(struct ask *a)
{
	wider(a, "validity: keep", "validity: add 36 months");
}
/* Byte for byte what was done already. */
static void a_replay(struct ask *a)
{
	buf_clear(&a->note);
	buf_clear(&a->csr);
	buf_add_slice(&a->note, buf_slice(&s.note));
	buf_add_slice(&a->csr, buf_slice(&s.csr));
}

#endif

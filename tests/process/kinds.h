/*
 * The table of kinds (docs/policy.md) as a test: a scene for each row of it, in each scene good, bad and hostile steps.
 * Private to tests/process/kinds*.c.
 */
#ifndef HUFU_TEST_KINDS_H
#define HUFU_TEST_KINDS_H

#include "tests/process/kinds_world.h"

enum sort { GIVEN, GOOD, BAD, HOSTILE };

struct step;
typedef void make_fn(struct fx *x, enum fx_which org, struct tally *t);
typedef void change_fn(struct fx *x, struct tally *t);
typedef void edit_fn(struct buf *text);
typedef void after_fn(struct fx *x, struct buf *note, struct buf *csr);
typedef void then_fn(struct world *w);
typedef void ask_fn(struct world *w, const struct step *s, struct fx_answer *ret);

struct step {
	enum sort sort;
	const char *story;
	make_fn *make;	    /* a tally that passes … */
	unsigned who;	    /* … with these people's lines */
	const char *rule;   /* that must refuse; NULL: it must be done */
	const char *ledger; /* the entries it makes; NULL: "refused" when there is a rule, else none */
	enum fx_which org;
	enum fx_key key;   /* the new key; or the one that org goes on with */
	change_fn *change; /* of the tally, before it is signed */
	edit_fn *edit;	   /* of its text, before it is signed */
	after_fn *after;   /* of note and CSR, after all have signed */
	bool past_ra;	   /* over the operator's socket */
	then_fn *then;	   /* what must be true afterwards */
	ask_fn *ask;	   /* NULL: sends the tally */
	int64_t days;	   /* ask_later */
};
struct scene {
	const char *kind, *floor; /* as the design has them */
	void (*edit)(struct fx *x);
	const struct step *steps; /* up to one without a story */
};
extern const struct scene scenes[];
extern const size_t n_scenes;

/* What is changed, and tallies that the fixture does not have (kinds_change.c). */
change_fn c_months, c_last_id, c_predecessor, c_predecessor_issuer, c_replaced, c_empty, c_check_character, c_occupied,
	c_collides, c_collides_third, c_extended, c_enrol_occupied, c_enrol_collides, c_key_of_rsa, c_key_own,
	c_key_new, c_key_new_rsa, c_key_responder, c_superseded, c_compromised, c_other_hold, c_first_hold,
	c_target_self, c_target_done;
edit_fn e_no_key_seen;
after_fn a_sub_forged, a_sub_other, a_wider_by_ra, a_csr, a_no_csr, a_bob_forged, a_bob_of_other, a_ra_forged;
make_fn make_weak, make_by_officer, make_release, make_damaged, make_withdraw, make_withdraw_by_key;

/* Ways to ask (kinds_ask.c). */
ask_fn ask_tally, ask_aside, ask_draft, ask_late, ask_again, ask_later, ask_kill, ask_adopt, ask_adopt_by_ra,
	ask_adopt_again, ask_adopt_swapped, ask_roster, ask_roster_by_ra, ask_roster_after, ask_policy,
	ask_policy_by_ra, ask_policy_swapped, ask_policy_ocsp;

#endif

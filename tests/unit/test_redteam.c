/*
 * The red team: somebody who has everything that the RA has, its key, its socket and its code, against each check of
 * the signer. A cell is (check × forge, omit, replay, swap) for some kinds; it names the rule that must refuse it, or
 * says why there is nothing to attack. No combination of check, attack and kind may be without a cell. Each kind's
 * request passes when nothing is changed, so a cell's change alone is what is refused, and whatever is refused leaves
 * the count of certificates, and of all that may follow a yes, as it was.
 */
#include "redteam_kit.h"

#include <string.h>

/* --- the table --- */

#define CHECKS(X)                                                                                                      \
	X(PARSE, "parse")                                                                                              \
	X(RA, "RA's signature")                                                                                        \
	X(WINDOW, "window and clock")                                                                                  \
	X(ID, "id")                                                                                                    \
	X(POLICY, "kind, profile, policy")                                                                             \
	X(PREDECESSOR, "predecessor")                                                                                  \
	X(SUBSCRIBER, "subscriber's signature")                                                                        \
	X(PEOPLE, "officers")                                                                                          \
	X(KEY, "new key")                                                                                              \
	X(SUBJECT, "subject, identifier's line")                                                                       \
	X(VALIDITY, "validity")                                                                                        \
	X(LINT, "build, lint")                                                                                         \
	X(LEDGER, "ledger")
#define CHECK_NAME(name, word) CHECK_##name,
enum check { CHECKS(CHECK_NAME) N_CHECKS };
#define CHECK_WORD(name, word) word,
static const char *const check_words[] = {CHECKS(CHECK_WORD)};
enum attack { FORGE, OMIT, REPLAY, SWAP, N_ATTACKS };
static const char *const attack_words[] = {"forge", "omit", "replay", "swap"};

#define AGAIN "(again)" /* not refused: what was answered before is answered again */

static const struct cell {
	enum check check;
	enum attack attack;
	unsigned kinds;
	const char *what;
	const char *rule; /* NULL: nothing to attack, and `what` says why. "kind": kinds[].again */
	void (*change)(struct ask *a);
	void (*edit)(struct buf *text);
	unsigned without, with; /* signers */
	bool less;		/* one officer less */
	void (*after)(struct ask *a);
	bool done; /* asked once the kind's own request is done */
} cells[] = {
	{CHECK_PARSE, FORGE, ALL, "bytes behind the note", "note_signature_line", .after = a_tail},
	{CHECK_PARSE, OMIT, ALL, "the last byte", "note_form", .after = a_cut},
	{CHECK_PARSE, REPLAY, ALL, "a line twice", "note_signature_twice", .after = a_ra_twice},
	{CHECK_PARSE, SWAP, ALL, "two fields change places", "field_order", .edit = e_order},

	{CHECK_RA, FORGE, ALL, "another key under the RA's name", "ra_signature", .without = BY_RA,
	 .after = a_ra_forged},
	{CHECK_RA, OMIT, ALL & ~BY_RA_ALONE, "no RA", "ra_signature", .without = BY_RA},
	{CHECK_RA, OMIT, BY_RA_ALONE, "nobody", "note_unsigned", .without = BY_RA},
	{CHECK_RA, REPLAY, ALL, "the RA's line of another tally", "ra_signature", .without = BY_RA,
	 .after = a_ra_of_another},
	{CHECK_RA, SWAP, ALL & ~K(WITHDRAW), "the RA of another project", "ra_scope", .without = BY_RA,
	 .with = BY_RA_OTHER},
	{CHECK_RA, SWAP, ALL, "two RAs", "ra_signature", .with = BY_RA_OTHER},

	{CHECK_WINDOW, FORGE, ALL, "made later than now", "tally_not_yet", c_future},
	{CHECK_WINDOW, OMIT, ALL, "it never dies", "field_missing", .edit = e_no_dies},
	{CHECK_WINDOW, REPLAY, ALL, "yesterday's, signed by all", "tally_expired", c_yesterday},
	{CHECK_WINDOW, SWAP, ALL, "a longer life than the kind has", "tally_life", c_life},

	{CHECK_ID, FORGE, ALL, "a done one's id over another text", "tally_id_used", c_done_id, .done = true},
	{CHECK_ID, OMIT, ALL, "no id", "field_order", .edit = e_no_id},
	{CHECK_ID, REPLAY, ALL, "one that was withdrawn", "tally_withdrawn", c_dead_id},
	{CHECK_ID, SWAP, ALL, "the id of a tally of another certificate", "tally_id_used", c_held_id},

	{CHECK_POLICY, FORGE, ALL & ~FROM_CODE, "a policy of its own", "policy_hash", c_policy},
	{CHECK_POLICY, FORGE, FROM_CODE, "its rules are in the code: it names no policy", NULL},
	{CHECK_POLICY, OMIT, ALL & ~FROM_CODE, "no policy", "field_order", .edit = e_no_policy},
	{CHECK_POLICY, OMIT, FROM_CODE, "no CA", "field_order", .edit = e_no_ca},
	{CHECK_POLICY, REPLAY, ALL & ~FROM_CODE, "a policy that counts no more", "policy_hash", c_policy_before},
	{CHECK_POLICY, REPLAY, FROM_CODE, "its rules are in the code: it names no policy", NULL},
	{CHECK_POLICY, SWAP, ALL, "another CA's", "ca_unknown", c_ca},
	{CHECK_POLICY, SWAP, ALL, "a kind that does not exist", "field_value", .edit = e_kind},
	{CHECK_POLICY, SWAP, ALL & ~FROM_CODE, "a profile that no policy has", "profile_unknown", c_profile},

	{CHECK_PREDECESSOR, FORGE, FOLLOWS, "one that the ledger does not have", "predecessor_unknown", c_predecessor},
	{CHECK_PREDECESSOR, FORGE, K(WITHDRAW), "itself as what it withdraws", "target_self", c_target_self},
	{CHECK_PREDECESSOR, OMIT, FOLLOWS, "none", "field_order", .edit = e_no_predecessor},
	{CHECK_PREDECESSOR, OMIT, K(WITHDRAW), "nothing withdrawn", "field_order", .edit = e_no_target},
	{CHECK_PREDECESSOR, REPLAY, FOLLOWS | K(WITHDRAW), "the same a second time, all signed anew", "kind",
	 .done = true},
	{CHECK_PREDECESSOR, SWAP, FOLLOWS, "that of another project", "predecessor_project", c_project},
	{CHECK_PREDECESSOR, SWAP, K(WITHDRAW), "a tally that was done", "target_done", c_target_done},
	{CHECK_PREDECESSOR, FORGE, K(ENROL) | K(RESPONDER), "it follows no certificate", NULL},
	{CHECK_PREDECESSOR, OMIT, K(ENROL) | K(RESPONDER), "it follows no certificate", NULL},
	{CHECK_PREDECESSOR, REPLAY, K(ENROL), "it follows no certificate; the identifier is not free: below", NULL},
	{CHECK_PREDECESSOR, REPLAY, K(RESPONDER), "a listed responder may be certified as often as it asks", NULL},
	{CHECK_PREDECESSOR, SWAP, K(ENROL) | K(RESPONDER), "it follows no certificate", NULL},

	{CHECK_SUBSCRIBER, FORGE, FOLLOWS, "a stranger's key", "subscriber_signature", .without = BY_SUB,
	 .after = a_sub_forged},
	{CHECK_SUBSCRIBER, FORGE, ALL & ~FOLLOWS, "a line of a certificate that it does not follow", "signer_unknown",
	 .after = a_sub_forged},
	{CHECK_SUBSCRIBER, OMIT, BY_KEY, "the subscriber did not sign", "subscriber_missing", .without = BY_SUB},
	{CHECK_SUBSCRIBER, OMIT, ALL & ~BY_KEY, "the current key need not sign: officers, new key or RA do", NULL},
	{CHECK_SUBSCRIBER, REPLAY, FOLLOWS, "the line of another tally", "subscriber_signature", .without = BY_SUB,
	 .after = a_sub_of_another},
	{CHECK_SUBSCRIBER, REPLAY, ALL & ~FOLLOWS, "the line of another tally", "signer_unknown",
	 .after = a_sub_of_another},
	{CHECK_SUBSCRIBER, SWAP, ALL, "another subscriber", "signer_unknown", .without = BY_SUB,
	 .after = a_sub_swapped},

	{CHECK_PEOPLE, FORGE, ALL, "another key under an officer's name", "signature", .without = BY_BOB,
	 .after = a_bob_forged},
	{CHECK_PEOPLE, OMIT, OFFICERS, "one officer less", "officers_short", .less = true},
	{CHECK_PEOPLE, OMIT, ALL & ~OFFICERS, "no officer is asked", NULL},
	{CHECK_PEOPLE, REPLAY, ALL, "an officer's line of another tally", "signature", .without = BY_BOB,
	 .after = a_bob_of_another},
	{CHECK_PEOPLE, REPLAY, ALL, "an officer's line twice", "note_signature_twice", .with = BY_BOB,
	 .after = a_bob_twice},
	{CHECK_PEOPLE, SWAP, OFFICERS, "an officer of another project", "officers_scope", .less = true,
	 .with = BY_DAVE},
	{CHECK_PEOPLE, SWAP, OFFICERS, "a custodian", "officers_short", .less = true, .with = BY_CUSTODIAN},
	{CHECK_PEOPLE, SWAP, ALL, "somebody outside the roster", "signer_unknown", .with = BY_OUTSIDER},

	{CHECK_KEY, FORGE, NEW_KEY, "a stranger's line for the new key", "new_key_signature", .without = BY_NEW,
	 .after = a_new_forged},
	{CHECK_KEY, FORGE, ALL & ~NEW_KEY, "a line of a key that it does not have", "signer_unknown",
	 .after = a_new_forged},
	{CHECK_KEY, OMIT, NEW_KEY, "the key does not speak for itself", "new_key_missing", .without = BY_NEW},
	{CHECK_KEY, OMIT, NEW_KEY, "no request carries it", "csr_missing", .after = a_no_csr},
	{CHECK_KEY, OMIT, ALL & ~NEW_KEY, "it has no new key", NULL},
	{CHECK_KEY, REPLAY, NEW_KEY, "the new key's line of another tally", "new_key_signature", .without = BY_NEW,
	 .after = a_new_of_another},
	{CHECK_KEY, REPLAY, ALL & ~NEW_KEY, "the new key's line of another tally", "signer_unknown",
	 .after = a_new_of_another},
	{CHECK_KEY, SWAP, NEW_KEY, "a request for another key", "key_hash", .after = a_csr_swapped},
	{CHECK_KEY, SWAP, ALL & ~NEW_KEY, "a request where none belongs", "csr_unwanted", .after = a_csr_swapped},
	{CHECK_KEY, SWAP, NEW_KEY & ~K(RESPONDER), "another subject's key", "key_other_subject", c_key_other,
	 .with = KEY_OF_RSA << 16},
	{CHECK_KEY, SWAP, NEW_KEY & ~K(RESPONDER), "an OCSP responder's key", "key_blocked", c_key_responder,
	 .with = KEY_RESPONDER << 16},
	{CHECK_KEY, SWAP, K(RESPONDER), "a key that the roster does not list", "responder_unknown", c_key_stranger,
	 .with = KEY_STRANGER << 16},

	{CHECK_SUBJECT, FORGE, K(EXTEND) | K(REKEY) | K(REISSUE), "another name", "field_value", c_subject},
	{CHECK_SUBJECT, FORGE, K(CHANGE) | K(ENROL), "a wrong check character", "identifier_check", c_check_character},
	{CHECK_SUBJECT, FORGE, ALL & ~CERTIFIES, "it has no subject to choose", NULL},
	{CHECK_SUBJECT, OMIT, CERTIFIES, "no subject", "field_order", .edit = e_no_subject},
	{CHECK_SUBJECT, OMIT, ALL & ~CERTIFIES, "it has no subject to choose", NULL},
	{CHECK_SUBJECT, REPLAY, K(ENROL), "enrolled a second time", "line_occupied", .done = true},
	{CHECK_SUBJECT, REPLAY, ALL & ~K(ENROL), "it stays in its line: who replays it fails at the predecessor", NULL},
	{CHECK_SUBJECT, SWAP, K(EXTEND) | K(REKEY) | K(REISSUE), "another organisation's subject", "subject_before",
	 c_subject_other},
	{CHECK_SUBJECT, SWAP, K(CHANGE) | K(ENROL), "into another organisation's code", "line_occupied", c_occupied},
	{CHECK_SUBJECT, SWAP, ALL & ~CERTIFIES, "it has no subject to choose", NULL},

	{CHECK_VALIDITY, FORGE, CERTIFIES & ~K(REISSUE), "a length that nobody sells", "validity_length", c_months},
	{CHECK_VALIDITY, FORGE, K(REISSUE), "months, where the way sells none", "order_unwanted", c_months},
	{CHECK_VALIDITY, FORGE, ALL & ~CERTIFIES, "it has no validity to choose", NULL},
	{CHECK_VALIDITY, OMIT, CERTIFIES, "no validity", "field_order", .edit = e_no_validity},
	{CHECK_VALIDITY, OMIT, ALL & ~CERTIFIES, "it has no validity to choose", NULL},
	{CHECK_VALIDITY, REPLAY, CERTIFIES, "a latest end from before", "validity_latest", c_latest},
	{CHECK_VALIDITY, REPLAY, ALL & ~CERTIFIES, "it has no validity to choose", NULL},
	{CHECK_VALIDITY, SWAP, K(EXTEND) | K(REKEY), "36 months under lines for 12", "subscriber_signature",
	 .without = BY_RA, .after = a_wider},
	{CHECK_VALIDITY, SWAP, K(ENROL), "36 months under lines for 12", "signature", .without = BY_RA,
	 .after = a_wider},
	{CHECK_VALIDITY, SWAP, K(CHANGE), "36 months under lines for none", "subscriber_signature", .without = BY_RA,
	 .after = a_wider_kept},
	{CHECK_VALIDITY, SWAP, K(REISSUE), "36 months under lines for none", "signature", .without = BY_RA,
	 .after = a_wider_kept},
	{CHECK_VALIDITY, SWAP, ALL & ~CERTIFIES, "it has no validity to choose", NULL},

	{CHECK_LINT, FORGE, ALL, "no message carries bytes to be signed: the signer builds them of what it checked",
	 NULL},
	{CHECK_LINT, OMIT, ALL, "the lint is the signer's, between build and intent: no message leaves it out", NULL},
	{CHECK_LINT, REPLAY, ALL, "bytes to be signed are built anew, with a serial of their own, for each tally",
	 NULL},
	{CHECK_LINT, SWAP, NEW_KEY & ~K(RESPONDER), "a key of 1024 bits", "key_strength", c_key_weak,
	 .with = KEY_OF_WEAK << 16},
	{CHECK_LINT, SWAP, ALL & ~(NEW_KEY & ~K(RESPONDER)), "it certifies no key that the RA could choose", NULL},

	{CHECK_LEDGER, FORGE, K(RELEASE), "an entry that is no hold", "hold_unknown", c_hold},
	{CHECK_LEDGER, FORGE, ALL & ~K(RELEASE), "it names no entry", NULL},
	{CHECK_LEDGER, OMIT, K(RELEASE), "no entry", "field_order", .edit = e_no_hold},
	{CHECK_LEDGER, OMIT, ALL & ~K(RELEASE), "it names no entry; the signer writes its own, before it answers",
	 NULL},
	{CHECK_LEDGER, REPLAY, ALL, "what was done, byte for byte", AGAIN, .after = a_replay, .done = true},
	{CHECK_LEDGER, SWAP, ALL, "another ledger is the signer's host's to show: test_restore, test_handover", NULL},
};
#define N_CELLS (sizeof(cells) / sizeof(cells[0]))

/* --- asking --- */

static enum fx_key key_of(const struct ask *a, const struct cell *c)
{
	return c->with >> 16 ? (enum fx_key)(c->with >> 16) : a->kind->key;
}

static void make(struct ask *a, const struct cell *c)
{
	_cleanup_buf_ struct buf text = {0};
	unsigned who = (a->kind->who & ~c->without) | (c->with & 0xffff);
	if (c->less)
		who &= ~a->kind->last_officer;
	a->kind->make(s.x, a->kind->org, &a->t);
	if (c->change)
		c->change(a);
	tally_put(&a->t, &text);
	if (c->edit)
		c->edit(&text);
	fx_note_text(s.x, &text, a->kind->org, key_of(a, c), who, &a->note);
	if (a->t.has_key && a->t.key_is_new)
		fx_csr(key_of(a, c), &a->csr);
	if (c->after)
		c->after(a);
}

/* All entries that a yes makes. */
static uint64_t made(void)
{
	static const enum wire_type types[] = {WIRE_TYPE_E_ISSUED,  WIRE_TYPE_E_INTENT,	  WIRE_TYPE_E_REVOKED,
					       WIRE_TYPE_E_HELD,    WIRE_TYPE_E_RELEASED, WIRE_TYPE_E_WITHDRAWN,
					       WIRE_TYPE_E_ADOPTED, WIRE_TYPE_E_ROSTER,	  WIRE_TYPE_E_POLICY};
	uint64_t n = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		n += fx_count(s.x, types[i]);
	return n;
}

static void attack(const struct kind *kind, const struct cell *c)
{
	_cleanup_(ask_done) struct ask a = {.kind = kind};
	_cleanup_(fx_answer_done) struct fx_answer answer = {0};
	_cleanup_(freep) char *what =
		xasprintf("%s: %s, %s: %s", kind->word, check_words[c->check], attack_words[c->attack], c->what);
	uint64_t before = made();
	make(&a, c);
	fx_send(s.x, false, &a.note, &a.csr, &answer);
	if (strcmp(c->rule, AGAIN) == 0) {
		check_done(what, &answer);
		assert_int_equal(answer.done.again, 1);
		assert_true(slice_eq(answer.done.cert, buf_slice(&s.cert)));
	} else {
		check_rule(what, &answer, strcmp(c->rule, "kind") == 0 ? kind->again : c->rule);
	}
	if (made() != before)
		fail_msg("%s: the ledger has %llu entries more", what, (unsigned long long)(made() - before));
}

/* --- the scene --- */

static void send_policy(struct fx *x)
{
	_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
	struct wire_policy m = {0};
	struct fault f = {0};
	memcpy(s.policy_before, x->signer->heads->now.policy->note.sha256, 32);
	fx_policy_note(x, 0, s.policy_before, 2, BY_OFFICERS, &note);
	m.note = buf_slice(&note);
	for (size_t i = 0; i < x->n_files; i++) {
		wire_list_add(&m.files, slice_str(x->files[i].path));
		wire_list_add(&m.files, buf_slice(&x->files[i].bytes));
	}
	wire_policy_put(&m, &request);
	wire_policy_done(&m);
	assert_int_equal(fx_operator(x, &request, WIRE_TYPE_OK, &reply, &f), OK);
}

static void scene_begin(void)
{
	_cleanup_(tally_done) struct tally hold = {0}, withdraw = {0};
	_cleanup_(fx_answer_done) struct fx_answer held = {0}, withdrawn = {0};
	s.x = fx_new(KEY_P256);
	send_policy(s.x);
	fx_hold(s.x, ORG_RSA, &hold);
	memcpy(s.held_id, hold.id, TALLY_ID);
	fx_ask(s.x, &hold, ORG_RSA, KEY_NEW, BY_RA, &held);
	check_done("hold", &held);
	s.hold = held.done.index;
	memset(s.dead_id, 0xdd, TALLY_ID);
	fx_withdraw(s.x, s.dead_id, &withdraw);
	fx_ask(s.x, &withdraw, ORG_P256, KEY_NEW, BY_RA, &withdrawn);
	check_done("withdraw", &withdrawn);
}

static void scene_end(void)
{
	buf_done(&s.note);
	buf_done(&s.csr);
	buf_done(&s.cert);
	fx_free(s.x);
	s = (struct scene){0};
}

/* The request that nobody changed: done, and one certificate at most. */
static void good(const struct kind *kind)
{
	static const struct cell unchanged = {0};
	_cleanup_(ask_done) struct ask a = {.kind = kind};
	_cleanup_(fx_answer_done) struct fx_answer answer = {0};
	uint64_t issued = fx_count(s.x, WIRE_TYPE_E_ISSUED);
	make(&a, &unchanged);
	fx_send(s.x, false, &a.note, &a.csr, &answer);
	check_done(kind->word, &answer);
	assert_int_equal(fx_count(s.x, WIRE_TYPE_E_ISSUED), issued + tally_kind_issues(a.t.kind));
	memcpy(s.done_id, a.t.id, TALLY_ID);
	buf_add_slice(&s.note, buf_slice(&a.note));
	buf_add_slice(&s.csr, buf_slice(&a.csr));
	buf_add_slice(&s.cert, answer.done.cert);
}

static void attack_all(size_t kind, bool done)
{
	for (size_t i = 0; i < N_CELLS; i++)
		if ((cells[i].kinds & K(kind)) && cells[i].rule && cells[i].done == done)
			attack(&kinds[kind], &cells[i]);
}

static void refuses(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		scene_begin();
		attack_all(k, false);
		good(&kinds[k]);
		attack_all(k, true);
		scene_end();
	}
}

/* Each combination is attacked, or it is said why not; never both. */
static void nothing_left_out(void **state)
{
	size_t attacked[N_CHECKS][N_ATTACKS][KINDS] = {0}, explained[N_CHECKS][N_ATTACKS][KINDS] = {0};
	(void)state;
	for (size_t i = 0; i < N_CELLS; i++)
		for (size_t k = 0; k < KINDS; k++)
			if (cells[i].kinds & K(k))
				(cells[i].rule ? attacked : explained)[cells[i].check][cells[i].attack][k]++;
	for (size_t c = 0; c < N_CHECKS; c++)
		for (size_t a = 0; a < N_ATTACKS; a++)
			for (size_t k = 0; k < KINDS; k++)
				if ((attacked[c][a][k] > 0) == (explained[c][a][k] > 0))
					fail_msg("%s, %s: %s: %zu attacks, %zu reasons why there is none",
						 check_words[c], attack_words[a], kinds[k].word, attacked[c][a][k],
						 explained[c][a][k]);
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
		cmocka_unit_test(nothing_left_out),
		cmocka_unit_test(refuses),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}

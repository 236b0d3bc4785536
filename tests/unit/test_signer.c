/*
 * The checks, one by one: a tally that passes, one thing changed by somebody who holds the RA, and the rule that must
 * refuse it; and always the same number of certificates as before. Then the order: of several wrongs the first check's
 * is told.
 */
#include "ca_fixture.h"

#include <string.h>

typedef void make_fn(struct fx *x, enum fx_which org, struct tally *t);
typedef void change_fn(struct fx *x, struct tally *t);
typedef void after_fn(struct fx *x, struct buf *note, struct buf *csr);

/* --- what is changed in the tally before it is signed --- */

static void c_expired(struct fx *x, struct tally *t)
{
	(void)x;
	t->made = NOW - 3600;
	t->dies = NOW - 1;
}
static void c_future(struct fx *x, struct tally *t)
{
	(void)x;
	t->made = NOW + 600;
}
static void c_life(struct fx *x, struct tally *t)
{
	(void)x;
	t->dies = t->made + DAY + 1;
}
static void c_other_ca(struct fx *x, struct tally *t)
{
	(void)x;
	t->ca[0] ^= 1;
}
static void c_project(struct fx *x, struct tally *t)
{
	(void)x;
	snprintf(t->project, sizeof(t->project), "nowhere");
}
static void c_project_other(struct fx *x, struct tally *t)
{
	(void)x;
	snprintf(t->project, sizeof(t->project), "other");
}
static void c_profile(struct fx *x, struct tally *t)
{
	(void)x;
	snprintf(t->profile, sizeof(t->profile), "person");
}
static void c_way(struct fx *x, struct tally *t)
{
	(void)x;
	snprintf(t->way, sizeof(t->way), "no-such-way");
}
static void c_policy(struct fx *x, struct tally *t)
{
	(void)x;
	t->policy[31] ^= 1;
}
static void c_predecessor(struct fx *x, struct tally *t)
{
	(void)x;
	t->predecessor.serial.b[0] ^= 1;
}
static void c_predecessor_issuer(struct fx *x, struct tally *t)
{
	memcpy(t->predecessor.issuer_key_id, x->signer->issuer.key.key_id, 20);
}
static void c_other_subject(struct fx *x, struct tally *t)
{
	_cleanup_(name_done) struct name n = {0};
	struct fault f = {0};
	for (size_t i = 0; i < t->n_subject; i++)
		free(t->subject[i].value);
	free(t->subject);
	t->subject = NULL;
	t->n_subject = 0;
	fx_subject_name(x, ORG_RSA, &n);
	assert_int_equal(tally_set_subject(t, &n, &n, &f), OK);
}
static void change_to(struct fx *x, struct tally *t, const char *name, const char *code)
{
	_cleanup_(name_done) struct name before = {0};
	for (size_t i = 0; i < t->n_subject; i++)
		free(t->subject[i].value);
	free(t->subject);
	t->subject = NULL;
	t->n_subject = 0;
	fx_subject_name(x, ORG_P256, &before);
	fx_subject(t, &before, name, code);
}
static void c_empty_change(struct fx *x, struct tally *t)
{
	change_to(x, t, x->orgs[ORG_P256].name, OLD_CODE);
}
static void c_bad_code(struct fx *x, struct tally *t)
{
	change_to(x, t, NEW_NAME, "913301003535355024");
}
static void c_occupied(struct fx *x, struct tally *t)
{
	change_to(x, t, NEW_NAME, x->orgs[ORG_RSA].code);
}
static void c_collides_not_there(struct fx *x, struct tally *t)
{
	t->has_collides = true;
	t->collides = fx_ref(x, ORG_RSA);
}
static void c_collides_unknown(struct fx *x, struct tally *t)
{
	c_occupied(x, t);
	c_collides_not_there(x, t);
	t->collides.serial.b[0] ^= 1;
}
static void c_collides_wrong(struct fx *x, struct tally *t)
{
	c_occupied(x, t);
	t->has_collides = true;
	t->collides = fx_ref(x, ORG_WEAK);
}
static void c_collides(struct fx *x, struct tally *t)
{
	c_occupied(x, t);
	c_collides_not_there(x, t);
}
static void c_key_hash(struct fx *x, struct tally *t)
{
	(void)x;
	t->key_sha256[0] ^= 1;
}
static void c_key_of_rsa(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_OF_RSA);
}
static void c_key_of_weak(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_OF_WEAK);
}
static void c_key_own(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_OF_P256);
}
static void c_key_of_responder(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_RESPONDER);
}
static void c_key_new(struct fx *x, struct tally *t)
{
	(void)x;
	fx_new_key(t, KEY_NEW);
}
static void c_material(struct fx *x, struct tally *t)
{
	(void)x;
	t->n_materials--;
}
static void c_no_notice(struct fx *x, struct tally *t)
{
	(void)x;
	t->notice[0] = '\0';
}
static void c_notice_text(struct fx *x, struct tally *t)
{
	(void)x;
	t->notice_sha256[0] ^= 1;
}
static void c_no_order(struct fx *x, struct tally *t)
{
	(void)x;
	t->order[0] = '\0';
}
static void c_files_unsaid(struct fx *x, struct tally *t)
{
	(void)x;
	t->files = FILES_UNSAID;
}
static void c_months(struct fx *x, struct tally *t)
{
	(void)x;
	t->add_months = 13;
}
static void c_latest(struct fx *x, struct tally *t)
{
	(void)x;
	t->latest = NOW + DAY;
}
static void c_reason_way(struct fx *x, struct tally *t)
{
	(void)x;
	t->reason = 4; /* lost wants keyCompromise; the form allows superseded too */
}
static void c_by_officer(struct fx *x, struct tally *t)
{
	(void)x;
	snprintf(t->way, sizeof(t->way), "by-officer");
}
static void c_hold_entry(struct fx *x, struct tally *t)
{
	(void)x;
	t->kind = TALLY_RELEASE;
	snprintf(t->way, sizeof(t->way), "desk");
	t->has_hold = true;
	t->hold = 3;
}

/* --- what is changed after the signatures --- */

static void a_garbage(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	buf_str(note, "more\n");
}
static void a_empty(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	buf_clear(note);
}
static void a_truncated(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	note->len -= 1;
}
static void a_oversized(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	while (note->len <= 36864)
		buf_str(note, "0123456789012345678901234567890123456789\n");
}
static void a_nul(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	note->data[20] = 0;
}
static void a_bidi(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	fx_replace(note, "O ", "O \xe2\x80\xae");
}
/* Validity widened after all have signed. */
static void a_wider(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	fx_replace(note, "add 12 months", "add 36 months");
}
/* The RA signs its own edit, the subscriber's line stays that of the old text. */
static void a_wider_by_ra(struct fx *x, struct buf *note, struct buf *csr)
{
	a_wider(x, note, csr);
	fx_line(note, "ra-one", BY_RA);
}
static void a_ra_forged(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	fx_line(note, "ra-one", 77);
}
static void a_bob_forged(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	fx_line(note, "bob", 77);
}
static void a_alice_twice(struct fx *x, struct buf *note, struct buf *csr)
{
	_cleanup_(freep) char *text = xstrdup(buf_text(note));
	const char *line = strstr(text, "\xe2\x80\x94 alice ");
	(void)x, (void)csr;
	assert_non_null(line);
	buf_add(note, line, strcspn(line, "\n") + 1);
}
static void a_sub_forged(struct fx *x, struct buf *note, struct buf *csr)
{
	struct cert_ref ref = fx_ref(x, ORG_P256);
	(void)csr;
	fx_sub_line(note, &ref, fx_key(KEY_STRANGER));
}
static void a_sub_other(struct fx *x, struct buf *note, struct buf *csr)
{
	struct cert_ref ref = fx_ref(x, ORG_RSA);
	(void)csr;
	fx_sub_line(note, &ref, x->orgs[ORG_RSA].key);
}
/* 17 lines. */
static void a_many_lines(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)csr;
	for (unsigned i = 0; i < 17; i++) {
		_cleanup_(freep) char *line = xasprintf("\xe2\x80\x94 m%u AAAAAAAA\n", i);
		buf_str(note, line);
	}
}
static void a_csr(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)note;
	buf_clear(csr);
	fx_csr(KEY_STRANGER, csr);
}
static void a_no_csr(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)note;
	buf_clear(csr);
}
static void a_csr_garbage(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)note;
	buf_str(csr, "tail");
}
static void a_csr_signature(struct fx *x, struct buf *note, struct buf *csr)
{
	(void)x, (void)note;
	csr->data[csr->len - 1] ^= 1;
}

/* --- the table --- */

#define SAME (BY_RA | BY_SUB)
#define REKEY (BY_RA | BY_SUB | BY_NEW | BY_ALICE)
#define CHANGE (BY_RA | BY_SUB | BY_OFFICERS)
#define ENROL (BY_RA | BY_NEW | BY_OFFICERS)

static const struct row {
	const char *what;
	make_fn *make;
	enum fx_which org;
	unsigned who;
	change_fn *change;
	after_fn *after;
	const char *rule;
	bool unrecorded; /* refused before the RA's signature held */
} rows[] = {
	/* parse */
	{"bytes behind the note", fx_extend, 0, SAME, NULL, a_garbage, "note_signature_line", true},
	{"no note at all", fx_extend, 0, SAME, NULL, a_empty, "note_form", true},
	{"last newline cut", fx_extend, 0, SAME, NULL, a_truncated, "note_form", true},
	{"too large", fx_extend, 0, SAME, NULL, a_oversized, "tally_size", true},
	{"a NUL", fx_extend, 0, SAME, NULL, a_nul, "text_character", true},
	{"bidi control in a value", fx_extend, 0, SAME, NULL, a_bidi, "text_character", true},
	{"17 lines", fx_extend, 0, SAME, NULL, a_many_lines, "note_signatures", true},
	{"officer twice", fx_change, 0, BY_RA | BY_SUB | BY_ALICE, NULL, a_alice_twice, "note_signature_twice", true},
	/* RA's signature */
	{"no RA", fx_extend, 0, BY_SUB, NULL, NULL, "ra_signature", true},
	{"RA forged", fx_extend, 0, BY_SUB, NULL, a_ra_forged, "ra_signature", true},
	{"validity widened, RA's line old", fx_extend, 0, SAME, NULL, a_wider, "ra_signature", true},
	{"two RAs", fx_change, 0, CHANGE | BY_RA_OTHER, NULL, NULL, "ra_signature", true},
	{"an officer is no RA", fx_extend, 0, BY_SUB | BY_ALICE, NULL, NULL, "ra_signature", true},
	/* window */
	{"expired", fx_extend, 0, SAME, c_expired, NULL, "tally_expired", false},
	{"from the future", fx_extend, 0, SAME, c_future, NULL, "tally_not_yet", false},
	{"lives too long", fx_extend, 0, SAME, c_life, NULL, "tally_life", false},
	/* kind, profile, policy */
	{"another CA's tally", fx_extend, 0, SAME, c_other_ca, NULL, "ca_unknown", false},
	{"RA of another project", fx_extend, 0, BY_RA_OTHER | BY_SUB, NULL, NULL, "ra_scope", false},
	{"project unknown", fx_extend, 0, SAME, c_project, NULL, "project_unknown", false},
	{"profile unknown", fx_extend, 0, SAME, c_profile, NULL, "profile_unknown", false},
	{"way unknown", fx_extend, 0, SAME, c_way, NULL, "way_unknown", false},
	{"zero-officer policy", fx_change, 0, CHANGE, c_policy, NULL, "policy_hash", false},
	/* predecessor */
	{"predecessor unknown", fx_extend, 0, SAME, c_predecessor, NULL, "predecessor_unknown", false},
	{"predecessor of another issuer", fx_extend, 0, SAME, c_predecessor_issuer, NULL, "predecessor_unknown", false},
	{"predecessor of another project", fx_extend, 0, SAME, c_project_other, NULL, "predecessor_project", false},
	{"weak key kept", fx_extend, ORG_WEAK, SAME, NULL, NULL, "predecessor_weak", false},
	{"released, but not held", fx_hold, 0, BY_RA | BY_OFFICERS, c_hold_entry, NULL, "predecessor_not_held", false},
	{"reissue's reason", fx_reissue, 0, BY_RA | BY_NEW | BY_OFFICERS | BY_CAROL, c_reason_way, NULL, "reason_way",
	 false},
	/* subscriber's signature */
	{"no subscriber", fx_extend, 0, BY_RA, NULL, NULL, "subscriber_missing", false},
	{"subscriber forged", fx_extend, 0, BY_RA, NULL, a_sub_forged, "subscriber_signature", false},
	{"subscriber's second line forged", fx_extend, 0, SAME, NULL, a_sub_forged, "subscriber_signature", false},
	{"another subscriber", fx_extend, 0, BY_RA, NULL, a_sub_other, "signer_unknown", false},
	{"another subscriber beside", fx_extend, 0, SAME, NULL, a_sub_other, "signer_unknown", false},
	{"validity widened by the RA", fx_extend, 0, BY_SUB, NULL, a_wider_by_ra, "subscriber_signature", false},
	{"officers for a subscriber", fx_change, 0, BY_RA | BY_OFFICERS | BY_CAROL, NULL, NULL, "subscriber_missing",
	 false},
	{"revoked by nobody", fx_revoke, 0, BY_RA, NULL, NULL, "subscriber_missing", false},
	/* officers */
	{"no officer", fx_change, 0, SAME, NULL, NULL, "officers_short", false},
	{"quorum short by one", fx_change, 0, BY_RA | BY_SUB | BY_ALICE, NULL, NULL, "officers_short", false},
	{"officer of another project", fx_change, 0, BY_RA | BY_SUB | BY_ALICE | BY_DAVE, NULL, NULL, "officers_scope",
	 false},
	{"a custodian is no officer", fx_change, 0, BY_RA | BY_SUB | BY_ALICE | BY_CUSTODIAN, NULL, NULL,
	 "officers_short", false},
	{"officer forged", fx_change, 0, BY_RA | BY_SUB | BY_ALICE, NULL, a_bob_forged, "signature", false},
	{"outside the roster", fx_change, 0, CHANGE | BY_OUTSIDER, NULL, NULL, "signer_unknown", false},
	{"new key without an officer", fx_rekey, 0, BY_RA | BY_SUB | BY_NEW, NULL, NULL, "officers_short", false},
	{"collides without one officer more", fx_change, 0, CHANGE, c_collides, NULL, "officers_short", false},
	{"enrol with one officer", fx_enrol, 0, BY_RA | BY_NEW | BY_ALICE, NULL, NULL, "officers_short", false},
	{"reissue with two officers", fx_reissue, 0, BY_RA | BY_NEW | BY_OFFICERS, NULL, NULL, "officers_short", false},
	{"revoked by officers, but none", fx_revoke, 0, BY_RA, c_by_officer, NULL, "officers_short", false},
	/* new key */
	{"a CSR for the same key", fx_extend, 0, SAME, NULL, a_csr, "csr_unwanted", false},
	{"a new key's line for the same key", fx_extend, 0, SAME | BY_NEW, NULL, NULL, "signer_unknown", false},
	{"no CSR", fx_rekey, 0, REKEY, NULL, a_no_csr, "csr_missing", false},
	{"CSR swapped", fx_rekey, 0, REKEY, NULL, a_csr, "key_hash", false},
	{"CSR with a tail", fx_rekey, 0, REKEY, NULL, a_csr_garbage, "csr_form", false},
	{"CSR's signature", fx_rekey, 0, REKEY, NULL, a_csr_signature, "csr_signature", false},
	{"key swapped in the tally", fx_rekey, 0, REKEY, c_key_hash, NULL, "key_hash", false},
	{"no new key's line", fx_rekey, 0, BY_RA | BY_SUB | BY_ALICE, NULL, NULL, "new_key_missing", false},
	{"same key, but another's", fx_extend, 0, SAME, c_key_hash, NULL, "key_hash", false},
	/* subject */
	{"subject changed in an extension", fx_extend, 0, SAME, c_other_subject, NULL, "subject_before", false},
	{"empty change", fx_change, 0, CHANGE, c_empty_change, NULL, "subject_empty_change", false},
	{"check character", fx_change, 0, CHANGE, c_bad_code, NULL, "identifier_check", false},
	{"somebody else's code", fx_change, 0, CHANGE, c_occupied, NULL, "line_occupied", false},
	{"collides with what is not in the way", fx_change, 0, CHANGE | BY_CAROL, c_collides_not_there, NULL,
	 "collides_unknown", false},
	{"collides with nothing", fx_change, 0, CHANGE | BY_CAROL, c_collides_unknown, NULL, "collides_unknown", false},
	{"collides with a third", fx_change, 0, CHANGE | BY_CAROL, c_collides_wrong, NULL, "line_occupied", false},
	/* materials, notice, order */
	{"a material less", fx_change, 0, CHANGE, c_material, NULL, "materials_missing", false},
	{"no notice", fx_change, 0, CHANGE, c_no_notice, NULL, "notice_missing", false},
	{"notice of another text", fx_change, 0, CHANGE, c_notice_text, NULL, "notice_missing", false},
	{"files unsaid", fx_change, 0, CHANGE, c_files_unsaid, NULL, "files_unsaid", false},
	{"no order", fx_extend, 0, SAME, c_no_order, NULL, "order_missing", false},
	/* validity */
	{"a length that is not offered", fx_extend, 0, SAME, c_months, NULL, "validity_length", false},
	{"past the tally's latest", fx_extend, 0, SAME, c_latest, NULL, "validity_latest", false},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Responders: the key that the roster lists, and its own word for it. */
static const struct row responder_rows[] = {
	{"a key that the roster does not list", fx_responder, 0, BY_RA | BY_NEW, c_key_new, NULL, "responder_unknown",
	 false},
	{"no RA", fx_responder, 0, BY_NEW, NULL, NULL, "ra_signature", true},
	{"RA of one project", fx_responder, 0, BY_RA_OTHER | BY_NEW, NULL, NULL, "ra_scope", false},
	{"officers for the responder's key", fx_responder, 0, BY_RA | BY_OFFICERS | BY_CAROL, NULL, NULL,
	 "new_key_missing", false},
	{"CSR of another key", fx_responder, 0, BY_RA | BY_NEW, NULL, a_csr, "key_hash", false},
};

/* New keys: the one that the tally names is in the CSR and signs. */
static const struct key_row {
	const char *what;
	enum fx_key key;
	change_fn *change;
	const char *rule;
} key_rows[] = {
	{"a responder's key", KEY_RESPONDER, c_key_of_responder, "key_blocked"},
	{"another subject's key", KEY_OF_RSA, c_key_of_rsa, "key_other_subject"},
	{"a weak key", KEY_OF_WEAK, c_key_of_weak, "key_strength"},
	{"new, but the old one", KEY_OF_P256, c_key_own, "key_same"},
};

static uint64_t certificates(struct fx *x)
{
	return fx_count(x, WIRE_TYPE_E_ISSUED) + fx_count(x, WIRE_TYPE_E_INTENT);
}

static void ask_row(struct fx *x, const struct row *row, enum fx_key key, struct fx_answer *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf note = {0}, csr = {0};
	row->make(x, row->org, &t);
	if (row->change)
		row->change(x, &t);
	fx_note(x, &t, row->org, key, row->who, &note);
	if (t.has_key && t.key_is_new)
		fx_csr(key, &csr);
	if (row->after)
		row->after(x, &note, &csr);
	fx_send(x, false, &note, &csr, ret);
}

static void refuses_row(struct fx *x, const struct row *row, enum fx_key key)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	uint64_t issued = certificates(x), refused = fx_count(x, WIRE_TYPE_E_REFUSED);
	ask_row(x, row, key, &a);
	check_rule(row->what, &a, row->rule);
	if (certificates(x) != issued)
		fail_msg("%s: a certificate was made", row->what);
	if (fx_count(x, WIRE_TYPE_E_REFUSED) != refused + !row->unrecorded)
		fail_msg("%s: the refusal is%s recorded", row->what, row->unrecorded ? "" : " not");
}

static void refuses(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].rule)
			refuses_row(x, &rows[i], KEY_NEW);
	for (size_t i = 0; i < sizeof(responder_rows) / sizeof(responder_rows[0]); i++)
		refuses_row(x, &responder_rows[i], responder_rows[i].change ? KEY_NEW : KEY_RESPONDER);
	for (size_t i = 0; i < sizeof(key_rows) / sizeof(key_rows[0]); i++)
		refuses_row(x,
			    &(struct row){.what = key_rows[i].what,
					  .make = fx_rekey,
					  .who = REKEY,
					  .change = key_rows[i].change,
					  .rule = key_rows[i].rule},
			    key_rows[i].key);
}

/* --- order --- */

static uint8_t dead_id[TALLY_ID];

static void c_dead_id(struct fx *x, struct tally *t)
{
	(void)x;
	memcpy(t->id, dead_id, TALLY_ID);
}

/* One wrong for each check, in the order of the checks. */
static const struct wrong {
	change_fn *change;
	after_fn *after;
	unsigned without; /* signers left out */
	const char *rule;
} wrongs[] = {
	{NULL, a_garbage, 0, "note_signature_line"},
	{NULL, NULL, BY_RA, "ra_signature"},
	{c_expired, NULL, 0, "tally_expired"},
	{c_dead_id, NULL, 0, "tally_withdrawn"},
	{c_way, NULL, 0, "way_unknown"},
	{c_policy, NULL, 0, "policy_hash"},
	{c_predecessor, NULL, 0, "predecessor_unknown"},
	{NULL, NULL, BY_SUB, "subscriber_missing"},
	{NULL, NULL, BY_BOB, "officers_short"},
	{NULL, a_csr, 0, "csr_unwanted"},
	{c_occupied, NULL, 0, "line_occupied"},
	{c_material, NULL, 0, "materials_missing"},
	{c_latest, NULL, 0, "validity_latest"},
};
#define N_WRONGS (sizeof(wrongs) / sizeof(wrongs[0]))

static void make_dead(struct fx *x)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	memset(dead_id, 0xdd, sizeof(dead_id));
	fx_withdraw(x, dead_id, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA, &a);
	check_done("withdraw", &a);
}

/* All wrongs from `from` on at once. */
static void ask_wrong(struct fx *x, size_t from, struct fx_answer *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf note = {0}, csr = {0};
	unsigned who = CHANGE;
	fx_change(x, ORG_P256, &t);
	for (size_t i = from; i < N_WRONGS; i++) {
		if (wrongs[i].change)
			wrongs[i].change(x, &t);
		who &= ~wrongs[i].without;
	}
	fx_note(x, &t, ORG_P256, KEY_NEW, who, &note);
	for (size_t i = from; i < N_WRONGS; i++)
		if (wrongs[i].after)
			wrongs[i].after(x, &note, &csr);
	fx_send(x, false, &note, &csr, ret);
}

static void tells_the_first(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	(void)state;
	make_dead(x);
	for (size_t i = 0; i < N_WRONGS; i++) {
		_cleanup_(fx_answer_done) struct fx_answer a = {0};
		ask_wrong(x, i, &a);
		check_rule(wrongs[i].rule, &a, wrongs[i].rule);
	}
	_cleanup_(fx_answer_done) struct fx_answer good = {0};
	ask_wrong(x, N_WRONGS, &good);
	check_done("none wrong", &good);
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
		cmocka_unit_test(refuses),
		cmocka_unit_test(tells_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}

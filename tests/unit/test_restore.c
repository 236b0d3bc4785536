/*
 * A ledger behind itself: a restored copy, an older file put in its place, another history. Each makes the signer wait
 * for the operator's word, and what was signed before the restore is not done a second time.
 */
#include "ca_fixture.h"

#include "ca/issue.h"
#include "ca/ledger_check.h"
#include "ca/restore.h"
#include "common/base/file.h"

#include <string.h>
#include <unistd.h>

#define SAME (BY_RA | BY_SUB)

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

static void check_err(const char *what, enum err e, const struct fault *f, const char *rule)
{
	if (e == OK || strcmp(f->rule, rule) != 0)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted rule \"%s\"", what, err_word(e), f->rule,
			 f->where, f->text, rule);
}

/* --- copies --- */

static char *ledger_path(const struct fx *x)
{
	return path_join(x->dir, "ledger.db");
}

/* As `hufu ledger backup` makes it, or as somebody copies a file. Gives: free(). */
static char *copy_ledger(struct fx *x, const char *name, bool as_backup)
{
	_cleanup_(freep) char *path = ledger_path(x);
	char *to = path_join(x->dir, name);
	struct fault f = {0};
	struct db *db = NULL;
	if (as_backup) {
		must("backup", ledger_file_backup(path, to, &f), &f);
		return to;
	}
	must("open", db_open(path, true, &db, &f), &f);
	must("copy", db_backup(db, to, NULL, &f), &f);
	db_close(db);
	return to;
}

/* The signer is gone, another file lies where its ledger was, and it starts. */
static void put_in_place(struct fx *x, const char *copy, bool with_head_note)
{
	_cleanup_(freep) char *path = ledger_path(x), *wal = path_join(x->dir, "ledger.db-wal"),
			      *shm = path_join(x->dir, "ledger.db-shm"), *head = path_join(x->dir, "head.note"),
			      *crl = path_join(x->dir, "crl/full.crl");
	struct ca_key *key = atomic_exchange(&x->signer->key, NULL);
	struct fault f = {0};
	signer_freep(&x->signer);
	ledger_closep(&x->ledger);
	unlink(wal);
	unlink(shm);
	unlink(crl);
	if (!with_head_note)
		unlink(head);
	assert_int_equal(rename(copy, path), 0);
	must("ledger", ledger_open(x->dir, false, &x->ledger, &f), &f);
	must("signer", signer_new(&x->config, x->ledger, &x->signer, &f), &f);
	must("key", signer_take_key(x->signer, key, &f), &f);
}

static bool waits(struct fx *x)
{
	struct ledger_standing now;
	ledger_standing(x->ledger, &now);
	return now.waits;
}

static void head(struct fx *x, struct buf *ret)
{
	struct checkpoint c;
	struct fault f = {0};
	must("checkpoint", ledger_checkpoint(x->ledger, &c, ret, &f), &f);
}

static enum err show(struct fx *x, const struct buf *note, bool by_operator, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	wire_seen_put(&(struct wire_seen){.checkpoint = buf_slice(note)}, &request);
	return by_operator ? fx_operator(x, &request, WIRE_TYPE_OK, &reply, f)
			   : fx_ra(x, &request, WIRE_TYPE_OK, &reply, f);
}

static enum err resume(struct fx *x, uint64_t lost, bool alone, const char *word, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	wire_resume_put(&(struct wire_resume){.lost = lost, .alone = alone, .word = slice_str(word)}, &request);
	return fx_operator(x, &request, WIRE_TYPE_OK, &reply, f);
}

/* An organisation's certificate is extended; the note stays with the caller. */
static void extended(struct fx *x, enum fx_which org, struct buf *ret_note, struct fx_answer *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	fx_extend(x, org, &t);
	fx_note(x, &t, org, KEY_NEW, SAME, ret_note);
	fx_send(x, false, ret_note, NULL, ret);
}

static enum err ask_crl(struct fx *x, struct buf *reply, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	struct wire_crl m = {.shard = WIRE_FULL_CRL};
	memcpy(m.issuer, x->signer->issuer.key.key_id, 20);
	wire_crl_put(&m, &request);
	return fx_ra(x, &request, WIRE_TYPE_CRL_IS, reply, f);
}

static uint64_t crl_number(struct fx *x)
{
	_cleanup_buf_ struct buf reply = {0};
	struct wire_crl_is m;
	struct fault f = {0};
	must("crl", ask_crl(x, &reply, &f), &f);
	must("crl", wire_crl_is_get(buf_slice(&reply), &m, &f), &f);
	return m.number;
}

static void health(struct fx *x, struct buf *reply, struct wire_health_is *ret)
{
	_cleanup_buf_ struct buf request = {0};
	struct fault f = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	must("status", fx_operator(x, &request, WIRE_TYPE_HEALTH_IS, reply, &f), &f);
	must("status", wire_health_is_get(buf_slice(reply), ret, &f), &f);
}

/* --- a restored backup --- */

static void nothing_is_signed(struct fx *x, const char *what)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_buf_ struct buf note = {0}, reply = {0};
	struct fault f = {0};
	uint64_t size = ledger_size(x->ledger);
	assert_true(waits(x));
	extended(x, ORG_RSA, &note, &a);
	check_rule(what, &a, "ledger_waits");
	assert_int_equal(a.kind, ERR_LOCKED);
	assert_true(a.retry_ms > 0);
	check_err(what, ask_crl(x, &reply, &f), &f, "ledger_waits");
	check_err(what, signer_beat(x->signer, &f), &f, "ledger_waits");
	assert_int_equal(ledger_size(x->ledger), size);
}

static void a_backup_waits_for_the_word(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(fx_answer_done) struct fx_answer before = {0}, lost = {0}, again = {0}, stale = {0}, fresh = {0};
	_cleanup_buf_ struct buf first = {0}, second = {0}, newest = {0}, third = {0}, reply = {0};
	struct wire_health_is h;
	struct fault f = {0};
	(void)state;
	extended(x, ORG_P256, &first, &before);
	check_done("before the backup", &before);
	uint64_t published = crl_number(x);
	uint64_t kept = ledger_size(x->ledger);
	_cleanup_(freep) char *copy = copy_ledger(x, "copy.db", true);
	extended(x, ORG_RSA, &second, &lost);
	check_done("after the backup", &lost);
	head(x, &newest);
	uint64_t gone = ledger_size(x->ledger) - kept;
	assert_true(gone > 0);
	clock_set(NOW + 60);
	put_in_place(x, copy, false);
	nothing_is_signed(x, "restored");
	/* Nobody has shown anything yet. */
	check_err("no checkpoint", resume(x, 0, false, "fire", &f), &f, "restore_alone");
	must("seen", show(x, &newest, false, &f), &f);
	health(x, &reply, &h);
	assert_int_equal(h.waits, 1);
	assert_int_equal(h.seen, kept + gone);
	assert_int_equal(h.restored, 0);
	nothing_is_signed(x, "seen");
	fx_restart(x, true);
	nothing_is_signed(x, "started again");
	check_err("none are lost", resume(x, 0, false, "fire", &f), &f, "restore_lost");
	check_err("too few", resume(x, gone - 1, false, "fire", &f), &f, "restore_lost");
	check_err("nobody holds one", resume(x, gone, true, "fire", &f), &f, "restore_alone");
	check_err("no word", resume(x, gone, false, "", &f), &f, "restore_word");
	must("the word", resume(x, gone, false, "fire on the old machine; decided by the operator", &f), &f);
	assert_false(waits(x));
	check_err("twice", resume(x, gone, false, "fire", &f), &f, "not_waiting");
	/* What was answered before the backup is answered the same. */
	fx_send(x, false, &first, NULL, &again);
	check_done("again", &again);
	assert_int_equal(again.done.again, 1);
	assert_true(slice_eq(again.done.cert, before.done.cert));
	/* What was done in the lost part is not done a second time. */
	fx_send(x, false, &second, NULL, &stale);
	check_rule("made before", &stale, "tally_before_restore");
	clock_set(NOW + 120);
	extended(x, ORG_RSA, &third, &fresh);
	check_done("made after", &fresh);
	assert_true(crl_number(x) > published + gone);
	/* Whoever still holds the lost checkpoint stops nothing. */
	must("seen", show(x, &newest, false, &f), &f);
	assert_false(waits(x));
	fx_restart(x, true);
	assert_false(waits(x));
	buf_clear(&reply);
	health(x, &reply, &h);
	assert_int_equal(h.restored, kept + 1);
	_cleanup_(freep) char *path = ledger_path(x);
	struct ledger_report report;
	must("check", ledger_check(path, &report, &f), &f);
}

/* A machine that was moved: nothing is lost, and that is the word too. */
static void nothing_lost(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf newest = {0};
	struct fault f = {0};
	(void)state;
	head(x, &newest);
	_cleanup_(freep) char *copy = copy_ledger(x, "copy.db", true);
	put_in_place(x, copy, true);
	nothing_is_signed(x, "moved");
	must("seen", show(x, &newest, true, &f), &f);
	check_err("one is lost", resume(x, 1, false, "moved", &f), &f, "restore_lost");
	must("the word", resume(x, 0, false, "moved", &f), &f);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_RESTORED), 1);
	/* The RA's own is as old as the backup; nobody holds another. */
	_cleanup_(freep) char *second = copy_ledger(x, "copy.db", true);
	put_in_place(x, second, false);
	must("alone", resume(x, 0, true, "nobody holds a checkpoint", &f), &f);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_RESTORED), 2);
}

/* What only takes away is taken from any time. */
static void revocations_are_handed_in_again(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally revoke = {0}, dead = {0}, hold = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, again = {0}, withdrawn = {0}, held = {0};
	struct fault f = {0};
	uint8_t target[TALLY_ID] = {7};
	(void)state;
	_cleanup_(freep) char *copy = copy_ledger(x, "copy.db", true);
	fx_revoke(x, ORG_P256, &revoke);
	fx_withdraw(x, target, &dead);
	fx_hold(x, ORG_RSA, &hold);
	fx_ask(x, &revoke, ORG_P256, KEY_NEW, SAME, &a);
	check_done("revoked", &a);
	put_in_place(x, copy, false);
	must("the word", resume(x, 0, true, "fire", &f), &f);
	fx_ask(x, &revoke, ORG_P256, KEY_NEW, SAME, &again);
	check_done("revoked again", &again);
	assert_int_equal(again.done.again, 0);
	fx_ask(x, &dead, ORG_P256, KEY_NEW, BY_RA | BY_ALICE, &withdrawn);
	check_done("withdrawn", &withdrawn);
	fx_ask(x, &hold, ORG_RSA, KEY_NEW, BY_RA, &held);
	check_rule("a hold is not", &held, "tally_before_restore");
}

/* --- a file in its place, without a word of it --- */

static void an_older_file_is_found(void **state)
{
	static const struct {
		const char *what;
		bool head_note, by_ra, by_operator;
	} rows[] = {
		{"by what the signer wrote down", true, false, false},
		{"by the RA's checkpoint", false, true, false},
		{"by the operator's", false, false, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
		_cleanup_buf_ struct buf older = {0}, newest = {0};
		struct fault f = {0};
		must("beat", signer_beat(x->signer, &f), &f);
		head(x, &older);
		_cleanup_(freep) char *copy = copy_ledger(x, "copy.db", false);
		must("beat", signer_beat(x->signer, &f), &f);
		head(x, &newest);
		must("an old one", show(x, &older, false, &f), &f);
		must("the newest", show(x, &newest, false, &f), &f);
		assert_false(waits(x));
		put_in_place(x, copy, rows[i].head_note);
		if (waits(x) != rows[i].head_note)
			fail_msg("%s: found at the start: %d", rows[i].what, waits(x));
		must("an old one", show(x, &older, false, &f), &f);
		if (rows[i].by_ra || rows[i].by_operator)
			must(rows[i].what, show(x, &newest, rows[i].by_operator, &f), &f);
		nothing_is_signed(x, rows[i].what);
		must("the word", resume(x, 1, false, "somebody put an older file there", &f), &f);
		assert_false(waits(x));
	}
}

/* Two ledgers that went on from one copy: the second is another history, also when it is the longer one. */
static void another_history_is_found(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf here = {0};
	struct fault f = {0};
	(void)state;
	_cleanup_(freep) char *copy = copy_ledger(x, "copy.db", false);
	must("beat", signer_beat(x->signer, &f), &f);
	head(x, &here);
	uint64_t size = ledger_size(x->ledger);
	put_in_place(x, copy, false);
	for (int i = 0; i < 3; i++)
		must("beat", signer_beat(x->signer, &f), &f);
	must("seen", show(x, &here, false, &f), &f);
	nothing_is_signed(x, "another history");
	check_err("none lost", resume(x, 0, false, "copied", &f), &f, "restore_lost");
	assert_non_null(strstr(f.text, "of another history"));
	must("the word", resume(x, size, false, "copied", &f), &f);
	must("beat", signer_beat(x->signer, &f), &f);
}

/* --- what stops no ledger --- */

static void checkpoints_that_count_for_nothing(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(person_key_done) struct person_key thief = {0};
	_cleanup_buf_ struct buf forged = {0}, other = {0}, changed = {0}, empty = {0};
	struct log_key key;
	struct checkpoint c = {.size = 1000};
	struct fault f = {0};
	uint8_t other_ca[20] = {9};
	(void)state;
	must("key", person_key_generate("thief", &thief, &f), &f);
	ledger_log_key(x->ledger, &key);
	memcpy(c.origin, key.origin, sizeof(c.origin));
	must("forged", checkpoint_sign(&c, note_signer_of(thief.secret.p), &forged, &f), &f);
	log_origin(other_ca, c.origin);
	must("other", checkpoint_sign(&c, note_signer_of(thief.secret.p), &other, &f), &f);
	head(x, &changed);
	changed.data[changed.len - 10] ^= 1;
	for (int by_operator = 0; by_operator < 2; by_operator++) {
		check_err("another's key", show(x, &forged, by_operator, &f), &f, "log_signature");
		check_err("another log", show(x, &other, by_operator, &f), &f, "log_origin");
		assert_int_not_equal(show(x, &changed, by_operator, &f), OK);
		assert_int_not_equal(show(x, &empty, by_operator, &f), OK);
	}
	assert_false(waits(x));
	/* The word is the operator's alone, and wants a reason to be said. */
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	wire_resume_put(&(struct wire_resume){.word = slice_str("no reason")}, &request);
	check_err("by the RA", fx_ra(x, &request, WIRE_TYPE_OK, &reply, &f), &f, "message_not_served");
	check_err("nothing waits", resume(x, 0, false, "no reason", &f), &f, "not_waiting");
	/* A note that cannot be read is written anew by the next beat. */
	_cleanup_(freep) char *path = path_join(x->dir, "head.note");
	must("spoil", file_write(path, slice_str("not a note\n"), 0600, &f), &f);
	fx_restart(x, true);
	assert_false(waits(x));
	must("beat", signer_beat(x->signer, &f), &f);
	fx_restart(x, true);
	assert_false(waits(x));
}

/* --- an intent that was open when the copy was made --- */

/* As a crash between intent and outcome leaves it. */
static void half_issue(struct fx *x, const struct buf *note)
{
	_cleanup_(issue_done) struct issue i = {0};
	_cleanup_(request_done) struct request r = {.s = x->signer, .note_bytes = buf_slice(note)};
	struct fault f = {0};
	must("checks", checks_run(&r, &f), &f);
	must("prepare", issue_prepare(&r, &i, &f), &f);
	must("intent", ledger_do(x->ledger, issue_intent, &i, &f), &f);
}

static uint64_t open_intents(struct fx *x)
{
	_cleanup_(freep) char *path = ledger_path(x);
	struct ledger_report report;
	struct fault f = {0};
	must("check", ledger_check(path, &report, &f), &f);
	return report.open_intents;
}

static void open_intents_wait_too(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	fx_note(x, &t, ORG_P256, KEY_NEW, SAME, &note);
	half_issue(x, &note);
	_cleanup_(freep) char *copy = copy_ledger(x, "copy.db", true);
	put_in_place(x, copy, false);
	assert_int_equal(open_intents(x), 1);
	fx_restart(x, true);
	assert_int_equal(open_intents(x), 1);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 0);
	must("the word", resume(x, 0, true, "fire", &f), &f);
	assert_int_equal(open_intents(x), 0);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), 1);
	/* It was recorded before the restore, and so it has its answer. */
	fx_send(x, false, &note, NULL, &a);
	check_done("recorded before", &a);
}

static int keys_done(void **state)
{
	(void)state;
	fx_keys_done();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backup_waits_for_the_word),	   cmocka_unit_test(nothing_lost),
		cmocka_unit_test(revocations_are_handed_in_again), cmocka_unit_test(an_older_file_is_found),
		cmocka_unit_test(another_history_is_found),	   cmocka_unit_test(checkpoints_that_count_for_nothing),
		cmocka_unit_test(open_intents_wait_too),
	};
	return cmocka_run_group_tests(tests, NULL, keys_done);
}

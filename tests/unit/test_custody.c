/*
 * Custody on the signer's side: who may split, who may bring which share, what comes into force when, and what a
 * restart at each point leaves.
 */
#include "tests/unit/ca_kit.h"

#include "ca/custody.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#include <sodium.h>
#include <unistd.h>

#define PEOPLE 8
enum { ALICE, BOB, CAROL, DAVE, ERIN, FRANK, MALLORY, RA };
static char every_project[] = "*";
static const char *const names[PEOPLE] = {"alice", "bob", "carol", "dave", "erin", "frank", "mallory", "ra-1"};

struct world {
	char dir[32];
	struct person_key people[PEOPLE];
	struct cert issuer, rolled; /* the keys alone; rolled: the issuer before, none: zero */
	struct ca_key *key;	    /* of issuer, the kit's */
	struct ca_key *rolled_key;
	const char *rolled_place; /* NULL: that key is no more */
	uint8_t ca[20];
	size_t n_opened; /* keys, by the last submission */
	struct roster roster;
	struct ca_custody *custody;
};

static void close_custody(struct world *w)
{
	if (w->custody)
		ca_custody_free(w->custody);
	w->custody = NULL;
}

static enum err reopen(struct world *w, struct fault *f)
{
	struct ca_custody_key keys[] = {{&w->issuer, "issuing.key"}, {&w->rolled, w->rolled_place}};
	return ca_custody_open(w->dir, w->ca, keys, w->rolled_key ? 2 : 1, &w->custody, f);
}

static void open_custody(struct world *w)
{
	struct fault f = {0};
	close_custody(w);
	check_ok("open", reopen(w, &f), &f);
}

static void world_freep(struct world **wp)
{
	static const char *const files[] = {"unlock.key", "custody.note", "custody-next.note"};
	struct world *w = *wp;
	close_custody(w);
	roster_done(&w->roster);
	for (size_t i = 0; i < PEOPLE; i++)
		person_key_done(&w->people[i]);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_(freep) char *path = path_join(w->dir, files[i]);
		unlink(path);
	}
	rmdir(w->dir);
	free(w);
}

/* What the signer says of its custody. Gives: custody_done() of both, wire_custody_is_done(), buf_done(). */
struct said {
	struct buf reply;
	struct wire_custody_is is;
	struct custody now, next;
};

static void said_done(struct said *s)
{
	wire_custody_is_done(&s->is);
	custody_done(&s->now);
	custody_done(&s->next);
	buf_done(&s->reply);
}

static void say(struct world *w, struct said *s)
{
	struct fault f = {0};
	ca_custody_say(w->custody, (bool[CUSTODY_KEYS]){0}, &s->reply);
	check_ok("said", wire_custody_is_get(buf_slice(&s->reply), &s->is, &f), &f);
	if (s->is.now.n > 0)
		check_ok("now", custody_parse(s->is.now, &s->now, &f), &f);
	if (s->is.next.n > 0)
		check_ok("next", custody_parse(s->is.next, &s->next, &f), &f);
}

/* Alice and Bob are officers, Carol to Frank custodians; Mallory is nobody. */
static void make_roster(struct world *w, bool with_signer)
{
	static const enum role roles[] = {ROLE_OFFICER,	  ROLE_OFFICER,	  ROLE_CUSTODIAN,
					  ROLE_CUSTODIAN, ROLE_CUSTODIAN, ROLE_CUSTODIAN};
	_cleanup_(said_done) struct said s = {0};
	_cleanup_buf_ struct buf text = {0};
	struct fault f = {0};
	struct roster r = {.version = 1, .quorum = 2, .made = NOW};
	struct member members[8] = {0};
	say(w, &s);
	memcpy(r.ca, w->ca, 20);
	r.members = members;
	for (size_t i = 0; i < 6; i++) {
		struct member *m = &members[r.n_members++];
		*m = (struct member){.role = roles[i], .projects = every_project, .all_kinds = true};
		snprintf(m->name, sizeof(m->name), "%s", names[i]);
		memcpy(m->key, w->people[i].public_key, 32);
	}
	members[r.n_members] =
		(struct member){.role = ROLE_RA, .name = "ra-1", .projects = every_project, .all_kinds = true};
	memcpy(members[r.n_members++].key, w->people[RA].public_key, 32);
	if (with_signer) {
		members[r.n_members] = (struct member){
			.role = ROLE_SIGNER, .name = "unlock", .projects = every_project, .all_kinds = true};
		memcpy(members[r.n_members++].key, s.is.unlock_key, 32);
	}
	roster_put(&r, &text);
	roster_done(&w->roster);
	check_ok("roster", roster_parse(buf_slice(&text), &w->roster, &f), &f);
}

static struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct fault f = {0};
	snprintf(w->dir, sizeof(w->dir), "/tmp/hufu-custody-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	for (size_t i = 0; i < PEOPLE; i++)
		check_ok("person", person_key_generate(names[i], &w->people[i], &f), &f);
	w->key = kit_key(KIT_CA, KEY_P256);
	w->issuer.key = *ca_key_public(w->key);
	memcpy(w->ca, w->issuer.key.key_id, 20);
	open_custody(w);
	make_roster(w, true);
	return w;
}

/* --- what is sent --- */

static void sign(const struct person_key *k, struct buf *note)
{
	uint8_t sig[ED25519_SIG], id[4];
	struct fault f = {0};
	const char *end = strstr(buf_text(note), "\n\n");
	size_t n = end ? (size_t)(end - buf_text(note)) + 1 : note->len;
	crypto_sign_detached(sig, NULL, note->data, n, k->secret.p);
	note_key_id_ed25519(k->name, k->public_key, id);
	if (!end)
		buf_char(note, '\n');
	check_ok("line", note_add_line(note, k->name, id, slice_of(sig, sizeof(sig)), &f), &f);
}

static void put_order(struct world *w, unsigned threshold, const char *const *who, struct buf *ret)
{
	_cleanup_(said_done) struct said s = {0};
	struct custody_order o = {.threshold = threshold, .made = NOW};
	say(w, &s);
	memcpy(o.ca, w->ca, 20);
	o.has_previous = s.now.n > 0;
	memcpy(o.previous, s.now.set, CUSTODY_SET);
	for (; *who; who++)
		snprintf(o.names[o.n++], TALLY_WORD, "%s", *who);
	custody_order_put(&o, ret);
}

static const char *const four[] = {"carol", "dave", "erin", "frank", NULL};

static enum err split(struct world *w, struct slice note, struct fault *f)
{
	const struct ca_key *keys[CUSTODY_KEYS] = {w->key, w->rolled_place ? w->rolled_key : NULL};
	return ca_custody_split(w->custody, &w->roster, keys, note, f);
}

static void split_well(struct world *w, unsigned threshold, const char *const *who)
{
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	put_order(w, threshold, who, &note);
	sign(&w->people[ALICE], &note);
	sign(&w->people[BOB], &note);
	check_ok("split", split(w, buf_slice(&note), &f), &f);
}

static unsigned place_of(const struct custody *c, const char *name)
{
	for (unsigned i = 0; i < c->n; i++)
		if (strcmp(c->places[i].name, name) == 0)
			return i + 1;
	fail_msg("%s is no custodian", name);
	return 0;
}

/* A custodian's share as they keep it. */
static void share_of(struct world *w, int who, struct custody_share *ret, struct secret *ret_share)
{
	_cleanup_(said_done) struct said s = {0};
	_cleanup_buf_ struct buf text = {0};
	struct fault f = {0};
	say(w, &s);
	custody_share_put(&s.next, place_of(&s.next, names[who]), &text);
	check_ok("share", custody_share_parse(buf_slice(&text), ret, &f), &f);
	check_ok("unbox", custody_unbox(&w->people[who], ret->box, ret_share, &f), &f);
}

struct kept {
	struct custody_share share;
	struct secret secret;
};

static void put_submission(struct world *w, const struct kept *k, struct custody_submission *m)
{
	_cleanup_(said_done) struct said s = {0};
	struct fault f = {0};
	say(w, &s);
	*m = (struct custody_submission){.place = k->share.place, .made = NOW};
	memcpy(m->ca, k->share.ca, 20);
	memcpy(m->set, k->share.set, CUSTODY_SET);
	memcpy(m->challenge, s.is.challenge, CUSTODY_CHALLENGE);
	check_ok("box", custody_box(s.is.unlock_key, k->secret.p, m->box, &f), &f);
}

/* *ret: the issuing CA's key, if it was opened. */
static enum err submit_note(struct world *w, struct slice note, struct ca_key **ret, struct fault *f)
{
	struct ca_key *keys[CUSTODY_KEYS];
	enum err e = ca_custody_submit(w->custody, &w->roster, note, keys, f);
	w->n_opened = 0;
	for (size_t i = 0; i < CUSTODY_KEYS; i++)
		w->n_opened += keys[i] != NULL;
	if (keys[1])
		assert_memory_equal(ca_key_public(keys[1])->spki_sha256, w->rolled.key.spki_sha256, 32);
	*ret = TAKE(keys[0]);
	ca_custody_keys_free(keys);
	return e;
}

static enum err submit_as(struct world *w, const struct custody_submission *m, int who, struct ca_key **ret,
			  struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	custody_submission_put(m, &note);
	sign(&w->people[who], &note);
	return submit_note(w, buf_slice(&note), ret, f);
}

/* *ret: did it open the key? */
static bool submit_well(struct world *w, const struct kept *k, int who)
{
	_cleanup_(ca_key_freep) struct ca_key *key = NULL;
	struct custody_submission m;
	struct fault f = {0};
	put_submission(w, k, &m);
	check_ok("submit", submit_as(w, &m, who, &key, &f), &f);
	if (key)
		assert_memory_equal(ca_key_public(key)->spki_sha256, w->issuer.key.spki_sha256, 32);
	return key != NULL;
}

static void keep(struct world *w, struct kept kept[PEOPLE])
{
	for (int who = CAROL; who <= FRANK; who++)
		share_of(w, who, &kept[who].share, &kept[who].secret);
}

static void forget(struct kept kept[PEOPLE])
{
	for (size_t i = 0; i < PEOPLE; i++)
		secret_done(&kept[i].secret);
}

/* --- splitting --- */

static void test_orders(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	static const struct {
		const char *what;
		const char *const who[4];
		int signers[3]; /* people, -1 ends */
		bool other_ca, other_previous, no_signer;
		enum err kind;
		const char *rule;
	} rows[] = {
		{"one officer", {"carol", "dave", "erin"}, {ALICE, -1}, .kind = ERR_RULE, .rule = "quorum"},
		{"a custodian signs",
		 {"carol", "dave", "erin"},
		 {ALICE, CAROL, -1},
		 .kind = ERR_RULE,
		 .rule = "signer_role"},
		{"a stranger signs",
		 {"carol", "dave", "erin"},
		 {ALICE, MALLORY, -1},
		 .kind = ERR_RULE,
		 .rule = "signer_unknown"},
		{"an officer as custodian",
		 {"alice", "carol", "dave"},
		 {ALICE, BOB, -1},
		 .kind = ERR_RULE,
		 .rule = "custodian_unknown"},
		{"nobody of that name",
		 {"carol", "dave", "zoe"},
		 {ALICE, BOB, -1},
		 .kind = ERR_RULE,
		 .rule = "custodian_unknown"},
		{"too few", {"carol", "dave"}, {ALICE, BOB, -1}, .kind = ERR_PARSE, .rule = "custody_too_few"},
		{"unsorted", {"dave", "carol", "erin"}, {ALICE, BOB, -1}, .kind = ERR_PARSE, .rule = "field_value"},
		{"twice", {"carol", "carol", "erin"}, {ALICE, BOB, -1}, .kind = ERR_PARSE, .rule = "field_value"},
		{"another CA",
		 {"carol", "dave", "erin"},
		 {ALICE, BOB, -1},
		 .other_ca = true,
		 .kind = ERR_RULE,
		 .rule = "custody_ca"},
		{"another set",
		 {"carol", "dave", "erin"},
		 {ALICE, BOB, -1},
		 .other_previous = true,
		 .kind = ERR_RULE,
		 .rule = "custody_sequence"},
		{"no signer in the roster",
		 {"carol", "dave", "erin"},
		 {ALICE, BOB, -1},
		 .no_signer = true,
		 .kind = ERR_RULE,
		 .rule = "signer_not_in_roster"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_buf_ struct buf note = {0};
		_cleanup_(said_done) struct said s = {0};
		struct custody_order o = {.threshold = 2, .made = NOW, .has_previous = rows[i].other_previous};
		struct fault f = {0};
		make_roster(w, !rows[i].no_signer);
		memcpy(o.ca, w->issuer.key.key_id, 20);
		o.ca[0] ^= rows[i].other_ca;
		for (; rows[i].who[o.n]; o.n++)
			snprintf(o.names[o.n], TALLY_WORD, "%s", rows[i].who[o.n]);
		custody_order_put(&o, &note);
		for (const int *who = rows[i].signers; *who >= 0; who++)
			sign(&w->people[*who], &note);
		check_refused(rows[i].what, split(w, buf_slice(&note), &f), &f, rows[i].kind, rows[i].rule);
		say(w, &s);
		assert_int_equal(s.next.n, 0);
	}
}

static void test_the_same_order_gives_the_same_set(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	_cleanup_(said_done) struct said first = {0}, again = {0}, other = {0};
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	(void)state;
	put_order(w, 2, four, &note);
	sign(&w->people[ALICE], &note);
	sign(&w->people[BOB], &note);
	check_ok("split", split(w, buf_slice(&note), &f), &f);
	say(w, &first);
	check_ok("again", split(w, buf_slice(&note), &f), &f);
	say(w, &again);
	assert_memory_equal(first.next.set, again.next.set, CUSTODY_SET);
	split_well(w, 3, four);
	say(w, &other);
	assert_memory_not_equal(first.next.set, other.next.set, CUSTODY_SET);
}

/* --- coming into force, unlocking --- */

static void test_in_force_when_proved(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	struct kept kept[PEOPLE] = {0};
	const uint8_t *id = w->issuer.key.key_id;
	char waits[64];
	(void)state;
	split_well(w, 3, four);
	keep(w, kept);
	assert_false(ca_custody_holds(w->custody, id));
	assert_false(submit_well(w, &kept[FRANK], FRANK));
	assert_false(submit_well(w, &kept[FRANK], FRANK));
	assert_false(submit_well(w, &kept[CAROL], CAROL));
	assert_false(ca_custody_holds(w->custody, id));
	assert_true(submit_well(w, &kept[ERIN], ERIN));
	assert_true(ca_custody_holds(w->custody, id));
	assert_string_equal(ca_custody_waits(w->custody, id, waits, sizeof(waits)),
			    "0 of 3 custodians' shares are here");
	/* After a restart any three open it, and no boxes lie about. */
	open_custody(w);
	_cleanup_(said_done) struct said s = {0};
	say(w, &s);
	assert_int_equal(s.next.n, 0);
	assert_int_equal(s.now.n, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_false(s.now.places[i].has_box);
	assert_false(submit_well(w, &kept[DAVE], DAVE));
	assert_string_equal(ca_custody_waits(w->custody, id, waits, sizeof(waits)),
			    "1 of 3 custodians' shares are here");
	assert_false(submit_well(w, &kept[FRANK], FRANK));
	assert_true(submit_well(w, &kept[CAROL], CAROL));
	forget(kept);
}

static void test_shares_that_are_refused(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	struct kept kept[PEOPLE] = {0};
	struct custody_submission m, good;
	struct ca_key *key = NULL;
	struct fault f = {0};
	(void)state;
	split_well(w, 2, four);
	keep(w, kept);
	put_submission(w, &kept[CAROL], &good);
	m = good;
	m.challenge[0] ^= 1;
	check_refused("another run's", submit_as(w, &m, CAROL, &key, &f), &f, ERR_RULE, "challenge_old");
	m = good;
	m.set[0] ^= 1;
	check_refused("another set's", submit_as(w, &m, CAROL, &key, &f), &f, ERR_RULE, "set_unknown");
	check_refused("brought by another", submit_as(w, &good, DAVE, &key, &f), &f, ERR_RULE, "not_the_custodian");
	check_refused("brought by an officer", submit_as(w, &good, ALICE, &key, &f), &f, ERR_RULE, "not_the_custodian");
	check_refused("brought by a stranger", submit_as(w, &good, MALLORY, &key, &f), &f, ERR_RULE, "signer_unknown");
	m = good;
	m.place = 2;
	check_refused("another place", submit_as(w, &m, CAROL, &key, &f), &f, ERR_RULE, "not_the_custodian");
	check_refused("another place, by its own", submit_as(w, &m, DAVE, &key, &f), &f, ERR_RULE, "share_wrong");
	m.place = 16;
	check_refused("no such place", submit_as(w, &m, CAROL, &key, &f), &f, ERR_RULE, "not_the_custodian");
	m = good;
	m.box[60] ^= 1;
	check_refused("altered box", submit_as(w, &m, CAROL, &key, &f), &f, ERR_CRYPTO, "box_closed");
	kept[CAROL].secret.p[7] ^= 1;
	put_submission(w, &kept[CAROL], &m);
	check_refused("altered share", submit_as(w, &m, CAROL, &key, &f), &f, ERR_RULE, "share_wrong");
	assert_non_null(strstr(f.text, "carol"));
	kept[CAROL].secret.p[7] ^= 1;
	assert_null(key);
	/* None of it counted, and none of it is in the way. */
	assert_false(submit_well(w, &kept[CAROL], CAROL));
	assert_true(submit_well(w, &kept[DAVE], DAVE));
	forget(kept);
}

/* Frank has lost his share: a new set without him, and then the old shares are worth nothing. */
static void test_split_again(void **state)
{
	static const char *const three[] = {"carol", "dave", "erin", NULL};
	_cleanup_(world_freep) struct world *w = world_new();
	struct kept old[PEOPLE] = {0}, fresh[PEOPLE] = {0};
	struct custody_submission m;
	struct ca_key *key = NULL;
	struct fault f = {0};
	(void)state;
	split_well(w, 2, four);
	keep(w, old);
	submit_well(w, &old[CAROL], CAROL);
	assert_true(submit_well(w, &old[FRANK], FRANK));
	split_well(w, 2, three);
	for (int who = CAROL; who <= ERIN; who++)
		share_of(w, who, &fresh[who].share, &fresh[who].secret);
	/* The old set still opens the key while the new one is not proved. */
	submit_well(w, &old[DAVE], DAVE);
	assert_true(submit_well(w, &old[FRANK], FRANK));
	submit_well(w, &fresh[ERIN], ERIN);
	assert_true(submit_well(w, &fresh[CAROL], CAROL));
	put_submission(w, &old[DAVE], &m);
	check_refused("old share", submit_as(w, &m, DAVE, &key, &f), &f, ERR_RULE, "set_unknown");
	open_custody(w);
	submit_well(w, &fresh[DAVE], DAVE);
	assert_true(submit_well(w, &fresh[ERIN], ERIN));
	forget(old);
	forget(fresh);
}

/* --- a roll --- */

/* The key that issued is retired, and another one issues. */
static void roll(struct world *w)
{
	w->rolled = w->issuer;
	w->rolled_key = w->key;
	w->rolled_place = "rolled.key";
	w->key = kit_key(KIT_CA, KEY_P384);
	w->issuer.key = *ca_key_public(w->key);
	open_custody(w);
}

static void keep_next(struct world *w, struct kept kept[PEOPLE], unsigned threshold)
{
	split_well(w, threshold, four);
	keep(w, kept);
}

static void test_across_a_roll(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	struct kept old[PEOPLE] = {0}, fresh[PEOPLE] = {0};
	const uint8_t *was = w->rolled.key.key_id, *is = w->issuer.key.key_id;
	char waits[64];
	(void)state;
	keep_next(w, old, 2);
	submit_well(w, &old[CAROL], CAROL);
	assert_true(submit_well(w, &old[DAVE], DAVE));
	roll(w);
	/* The set in force has the old key, and the new one is for its passphrase. */
	assert_true(ca_custody_holds(w->custody, was));
	assert_false(ca_custody_holds(w->custody, is));
	assert_string_equal(ca_custody_waits(w->custody, is, waits, sizeof(waits)), "");
	submit_well(w, &old[ERIN], ERIN);
	assert_false(submit_well(w, &old[FRANK], FRANK));
	assert_int_equal(w->n_opened, 1);
	/* The next one has both, and both are proved. */
	keep_next(w, fresh, 3);
	submit_well(w, &fresh[CAROL], CAROL);
	submit_well(w, &fresh[DAVE], DAVE);
	assert_true(submit_well(w, &fresh[ERIN], ERIN));
	assert_int_equal(w->n_opened, 2);
	open_custody(w);
	assert_true(ca_custody_holds(w->custody, was) && ca_custody_holds(w->custody, is));
	submit_well(w, &fresh[FRANK], FRANK);
	submit_well(w, &fresh[DAVE], DAVE);
	assert_true(submit_well(w, &fresh[ERIN], ERIN));
	assert_int_equal(w->n_opened, 2);
	/* The old CA has come to its end: what was kept of its key is not opened, and the next set has none of it. */
	w->rolled_place = NULL;
	open_custody(w);
	submit_well(w, &fresh[FRANK], FRANK);
	submit_well(w, &fresh[DAVE], DAVE);
	assert_true(submit_well(w, &fresh[ERIN], ERIN));
	assert_int_equal(w->n_opened, 1);
	forget(old);
	keep_next(w, old, 2);
	submit_well(w, &old[FRANK], FRANK);
	assert_true(submit_well(w, &old[DAVE], DAVE));
	open_custody(w);
	assert_false(ca_custody_holds(w->custody, was));
	forget(old);
	forget(fresh);
}

/* A retired CA's sealed key is damaged: the issuing one is opened all the same, and such a set never comes into force. */
static void test_damaged_after_a_roll(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	struct kept kept[PEOPLE] = {0};
	_cleanup_(custody_done) struct custody c = {0};
	_cleanup_(freep) char *now = path_join(w->dir, "custody.note"), *next = path_join(w->dir, "custody-next.note");
	_cleanup_buf_ struct buf text = {0}, bad = {0};
	struct custody_submission m;
	struct ca_key *key = NULL;
	struct fault f = {0};
	(void)state;
	roll(w);
	keep_next(w, kept, 2);
	check_ok("read", file_read(next, 49152, &text, &f), &f);
	check_ok("parse", custody_parse(buf_slice(&text), &c, &f), &f);
	assert_int_equal(c.n_keys, 2);
	((struct custody_key *)custody_key_by_id(&c, w->rolled.key.key_id))->sealed.data[100] ^= 1;
	custody_put(&c, &bad);
	check_ok("write", file_write(next, buf_slice(&bad), 0600, &f), &f);
	open_custody(w);
	submit_well(w, &kept[CAROL], CAROL);
	put_submission(w, &kept[DAVE], &m);
	check_refused("not in force", submit_as(w, &m, DAVE, &key, &f), &f, ERR_CRYPTO, "sealed_open");
	assert_int_equal(w->n_opened, 0);
	assert_false(ca_custody_holds(w->custody, w->issuer.key.key_id));
	check_ok("write", file_write(now, buf_slice(&bad), 0600, &f), &f);
	open_custody(w);
	submit_well(w, &kept[CAROL], CAROL);
	assert_true(submit_well(w, &kept[DAVE], DAVE));
	assert_int_equal(w->n_opened, 1);
	forget(kept);
}

/* The rename was done, the removal not. */
static void test_crash_between(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	struct kept kept[PEOPLE] = {0};
	_cleanup_buf_ struct buf next = {0};
	_cleanup_(freep) char *path = path_join(w->dir, "custody-next.note");
	_cleanup_(said_done) struct said s = {0};
	struct fault f = {0};
	(void)state;
	split_well(w, 2, four);
	keep(w, kept);
	check_ok("read", file_read(path, 49152, &next, &f), &f);
	/* A restart before: the next set waits on. */
	open_custody(w);
	submit_well(w, &kept[CAROL], CAROL);
	assert_true(submit_well(w, &kept[DAVE], DAVE));
	assert_false(file_exists(path));
	check_ok("write", file_write(path, buf_slice(&next), 0600, &f), &f);
	open_custody(w);
	assert_false(file_exists(path));
	say(w, &s);
	assert_int_equal(s.next.n, 0);
	assert_int_equal(s.now.n, 4);
	forget(kept);
}

/* A custodian who has left the roster brings nothing any more. */
static void test_left_the_roster(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	struct kept kept[PEOPLE] = {0};
	struct custody_submission m;
	struct ca_key *key = NULL;
	struct fault f = {0};
	(void)state;
	split_well(w, 2, four);
	keep(w, kept);
	put_submission(w, &kept[DAVE], &m);
	w->roster.members[3].key[5] ^= 1;
	assert_int_not_equal(submit_as(w, &m, DAVE, &key, &f), OK);
	assert_null(key);
	forget(kept);
}

/* --- texts --- */

static void test_files_that_were_altered(void **state)
{
	_cleanup_(world_freep) struct world *w = world_new();
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *path = path_join(w->dir, "custody-next.note");
	struct fault f = {0};
	(void)state;
	roll(w);
	split_well(w, 2, four);
	check_ok("read", file_read(path, 49152, &text, &f), &f);
	for (size_t i = 0; i < text.len; i++) {
		static const uint8_t nasty[] = {0, '\n', ' ', 'a', 'z', '9', 0x80};
		for (size_t k = 0; k < sizeof(nasty); k++) {
			_cleanup_(custody_done) struct custody c = {0};
			_cleanup_buf_ struct buf again = {0};
			uint8_t was = text.data[i];
			text.data[i] = nasty[k];
			/* What is read at all says what stands there. */
			if (custody_parse(buf_slice(&text), &c, &f) == OK) {
				custody_put(&c, &again);
				assert_true(slice_eq(buf_slice(&again), buf_slice(&text)));
			}
			text.data[i] = was;
		}
	}
	size_t last = strlen(strstr(strstr(buf_text(&text), "\nkey: ") + 1, "\nkey: ") + 1);
	for (size_t n = 0; n < text.len; n++) {
		_cleanup_(custody_done) struct custody c = {0};
		/* Nothing less is whole but what ends behind a key. */
		if (custody_parse(slice_of(text.data, n), &c, &f) == OK)
			assert_true(n == text.len - last && c.n_keys == 1);
	}
	text.data[strlen("hufu/custody/v1\nca: ")] ^= 1;
	check_ok("write", file_write(path, buf_slice(&text), 0600, &f), &f);
	close_custody(w);
	assert_int_not_equal(reopen(w, &f), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_the_same_order_gives_the_same_set),
		cmocka_unit_test(test_in_force_when_proved),
		cmocka_unit_test(test_shares_that_are_refused),
		cmocka_unit_test(test_split_again),
		cmocka_unit_test(test_across_a_roll),
		cmocka_unit_test(test_damaged_after_a_roll),
		cmocka_unit_test(test_crash_between),
		cmocka_unit_test(test_left_the_roster),
		cmocka_unit_test(test_files_that_were_altered),
	};
	secret_init();
	clock_set(NOW);
	return cmocka_run_group_tests(tests, NULL, kit_done);
}

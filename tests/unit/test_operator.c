/*
 * The operator's socket and what both sockets answer besides tallies: adoptions, rosters, policies, unlocking,
 * following, health; and that neither serves the other's messages.
 */
#include "ca_fixture.h"

#include "ca/crl.h"
#include "ca/genesis.h"
#include "common/base/file.h"

#include <string.h>
#include <unistd.h>

#define SAME (BY_RA | BY_SUB)
#define CHANGE (BY_RA | BY_SUB | BY_OFFICERS)

static void check_err(const char *what, enum err e, const struct fault *f, const char *rule)
{
	if (e == OK || strcmp(f->rule, rule) != 0)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted rule \"%s\"", what, err_word(e), f->rule,
			 f->where, f->text, rule);
}

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

/* --- rosters --- */

static enum err send_roster(struct fx *x, const struct buf *note, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	wire_roster_put(&(struct wire_roster){.note = buf_slice(note)}, &request);
	return fx_operator(x, &request, WIRE_TYPE_OK, &reply, f);
}

/* What it would change; nothing is taken. Gives: free(). */
static enum err ask_change(struct fx *x, const struct buf *note, char **ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_change_is m = {0};
	wire_change_put(&(struct wire_change){.note = buf_slice(note)}, &request);
	TRY(fx_operator(x, &request, WIRE_TYPE_CHANGE_IS, &reply, f));
	TRY(wire_change_is_get(buf_slice(&reply), &m, f));
	*ret = slice_dup_str(m.text);
	return OK;
}

static void rosters(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	const uint8_t *now = x->signer->heads->roster.sha256;
	uint8_t first[32], other[32] = {1};
	static const struct {
		const char *what;
		uint64_t version;
		bool has_previous, other_previous;
		unsigned quorum, who;
		const char *rule;
	} rows[] = {
		{"version twice", 1, true, false, 3, BY_OFFICERS, "roster_sequence"},
		{"version left out", 3, true, false, 3, BY_OFFICERS, "roster_sequence"},
		{"no previous", 2, false, false, 3, BY_OFFICERS, "roster_sequence"},
		{"another previous", 2, true, true, 3, BY_OFFICERS, "roster_sequence"},
		{"one officer", 2, true, false, 3, BY_ALICE, "quorum"},
		{"an officer and the RA", 2, true, false, 3, BY_ALICE | BY_RA, "signer_role"},
		{"an outsider", 2, true, false, 3, BY_OFFICERS | BY_OUTSIDER, "signer_unknown"},
		{"quorum of one", 2, true, false, 1, BY_OFFICERS, "roster_quorum"},
	};
	struct fault f = {0};
	(void)state;
	memcpy(first, now, 32);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_buf_ struct buf note = {0};
		fx_roster_note(x, rows[i].version, rows[i].has_previous, rows[i].other_previous ? other : first,
			       rows[i].quorum, rows[i].who, &note);
		_cleanup_(freep) char *changes = NULL;
		check_err(rows[i].what, ask_change(x, &note, &changes, &f), &f, rows[i].rule);
		check_err(rows[i].what, send_roster(x, &note, &f), &f, rows[i].rule);
	}
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ROSTER), 1);
	_cleanup_buf_ struct buf good = {0}, next = {0};
	fx_roster_note(x, 2, true, first, 3, BY_OFFICERS, &good);
	_cleanup_(freep) char *changes = NULL;
	must("change", ask_change(x, &good, &changes, &f), &f);
	assert_string_equal(changes, "~ quorum: 2 -> 3\n");
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ROSTER), 1);
	must("next", send_roster(x, &good, &f), &f);
	check_err("replay", send_roster(x, &good, &f), &f, "roster_sequence");
	/* The roster in force judges the next: now three must sign. */
	fx_roster_note(x, 3, true, x->signer->heads->roster.sha256, 2, BY_OFFICERS, &next);
	check_err("old quorum", send_roster(x, &next, &f), &f, "quorum");
	fx_restart(x, true);
	assert_int_equal(x->signer->heads->roster.version, 2);
	assert_int_equal(x->signer->heads->roster.quorum, 3);
}

/* --- policies --- */

static enum err send_policy(struct fx *x, const struct buf *note, size_t leave_out, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_policy m = {.note = buf_slice(note)};
	for (size_t i = 0; i + leave_out < x->n_files; i++) {
		wire_list_add(&m.files, slice_str(x->files[i].path));
		wire_list_add(&m.files, buf_slice(&x->files[i].bytes));
	}
	wire_policy_put(&m, &request);
	wire_policy_done(&m);
	return fx_operator(x, &request, WIRE_TYPE_OK, &reply, f);
}

static void policies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	uint8_t first[32], other[32] = {1};
	_cleanup_buf_ struct buf short_note = {0}, skipped = {0}, branched = {0}, good = {0};
	struct fault f = {0};
	(void)state;
	memcpy(first, x->signer->heads->now.policy->note.sha256, 32);
	fx_policy_note(x, 0, first, 2, BY_BOB, &short_note);
	_cleanup_(freep) char *changes = NULL;
	check_err("change by one", ask_change(x, &short_note, &changes, &f), &f, "quorum");
	check_err("one officer", send_policy(x, &short_note, 0, &f), &f, "quorum");
	fx_policy_note(x, 0, first, 3, BY_OFFICERS, &skipped);
	check_err("version left out", send_policy(x, &skipped, 0, &f), &f, "policy_sequence");
	fx_policy_note(x, 0, other, 2, BY_OFFICERS, &branched);
	check_err("another previous", send_policy(x, &branched, 0, &f), &f, "policy_sequence");
	fx_policy_note(x, 0, first, 2, BY_OFFICERS, &good);
	assert_int_not_equal(send_policy(x, &good, 1, &f), OK); /* a file is missing */
	buf_str(&x->files[0].bytes, "\n");
	assert_int_not_equal(send_policy(x, &good, 0, &f), OK); /* a file is not the one that was signed */
	x->files[0].bytes.len--;
	assert_int_equal(fx_count(x, WIRE_TYPE_E_POLICY), 1);
	must("next", send_policy(x, &good, 0, &f), &f);
	check_err("replay", send_policy(x, &good, 0, &f), &f, "policy_sequence");
	fx_restart(x, true);
	assert_int_equal(x->signer->heads->now.policy->note.version, 2);
}

static void ask_with(struct fx *x, enum fx_which org, enum fx_key key, const uint8_t policy[32], struct fx_answer *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	fx_extend(x, org, &t);
	memcpy(t.policy, policy, 32);
	fx_ask(x, &t, org, key, SAME, ret);
}

/* Tallies of the policy before count until the time that the new one says, and not when it says none. */
static void policy_before(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(fx_answer_done) struct fx_answer in_time = {0}, late = {0}, none = {0};
	_cleanup_buf_ struct buf second = {0}, third = {0};
	uint8_t first[32], now[32];
	struct fault f = {0};
	(void)state;
	memcpy(first, x->signer->heads->now.policy->note.sha256, 32);
	fx_policy_note(x, NOW + 3000, first, 2, BY_OFFICERS, &second);
	must("second", send_policy(x, &second, 0, &f), &f);
	ask_with(x, ORG_P256, KEY_NEW, first, &in_time);
	check_done("in time", &in_time);
	fx_clock(x, NOW + 3000);
	ask_with(x, ORG_RSA, KEY_NEW, first, &late);
	check_rule("too late", &late, "policy_hash");
	memcpy(now, x->signer->heads->now.policy->note.sha256, 32);
	fx_policy_note(x, 0, now, 3, BY_OFFICERS, &third);
	must("third", send_policy(x, &third, 0, &f), &f);
	ask_with(x, ORG_RSA, KEY_NEW, now, &none);
	check_rule("not any more", &none, "policy_hash");
}

/* The next policy, with one edit of the profile; taken back when it is refused. */
static enum err edited(struct fx *x, const char *find, const char *put, struct fault *f)
{
	const struct policy_note *now = &x->signer->heads->now.policy->note;
	struct buf *file = fx_file(x, "profiles/organisation.yaml");
	_cleanup_buf_ struct buf before = {0}, note = {0};
	buf_add_slice(&before, buf_slice(file));
	fx_replace(file, find, put);
	fx_policy_note(x, 0, now->sha256, now->version + 1, BY_OFFICERS, &note);
	enum err e = send_policy(x, &note, 0, f);
	if (e != OK) {
		buf_clear(file);
		buf_add_slice(file, buf_slice(&before));
	}
	return e;
}

/* RFC 5280 6.3.3: what certificates say of their CRLs goes on being true. */
static void crls_stay(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	struct fault f = {0};
	(void)state;
	must("fewer, and nobody has one", edited(x, "shards: 16", "shards: 4", &f), &f);
	ask_with(x, ORG_P256, KEY_NEW, x->signer->heads->now.policy->note.sha256, &a);
	check_done("one", &a);
	must("more", edited(x, "shards: 4", "shards: 16", &f), &f);
	must("nothing of it", edited(x, "renewal_times: 3", "renewal_times: 2", &f), &f);
	check_err("fewer", edited(x, "shards: 16", "shards: 8", &f), &f, "policy_crl");
	check_err("one", edited(x, "/{shard}.crl\n    shards: 16", "/0.crl", &f), &f, "policy_crl");
	check_err("elsewhere", edited(x, "/crl/{issuer}/", "/crls/{issuer}/", &f), &f, "policy_crl");
}

/* Of one CRL in all there may be many, when the first is found where it was. */
static void one_crl_becomes_many(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	struct fault f = {0};
	(void)state;
	must("one", edited(x, "/{shard}.crl\n    shards: 16", "/0.crl", &f), &f);
	ask_with(x, ORG_P256, KEY_NEW, x->signer->heads->now.policy->note.sha256, &a);
	check_done("one", &a);
	check_err("elsewhere", edited(x, "/0.crl", "/all.crl", &f), &f, "policy_crl");
	must("many", edited(x, "/0.crl", "/{shard}.crl\n    shards: 16", &f), &f);
}

/* What an identifier was found by finds it still; a profile that nobody has may name another. */
static void identifiers_stay(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct fault f = {0};
	(void)state;
	check_err("another", edited(x, "identifier: organizationIdentifier", "identifier: CN", &f), &f,
		  "policy_identifier");
	x->files = xrealloc(x->files, x->n_files + 1, sizeof(*x->files));
	struct policy_source *s = &x->files[x->n_files++];
	*s = (struct policy_source){.path = "profiles/person.yaml"};
	buf_add_slice(&s->bytes, buf_slice(fx_file(x, "profiles/organisation.yaml")));
	fx_replace(&s->bytes, "name: organisation\n", "name: person\n");
	must("a second profile", edited(x, "renewal_times: 3", "renewal_times: 2", &f), &f);
	fx_replace(fx_file(x, "profiles/person.yaml"), "identifier: organizationIdentifier", "identifier: CN");
	must("of the second", edited(x, "renewal_times: 2", "renewal_times: 3", &f), &f);
}

/* As long as somebody has a certificate there, it can be revoked. */
static void places_stay(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	struct buf *file = fx_file(x, "projects/jinhua.yaml");
	struct fault f = {0};
	(void)state;
	snprintf(x->files[x->n_files - 1].path, sizeof(x->files->path), "projects/others.yaml");
	fx_replace(fx_file(x, "projects/others.yaml"), "name: other\n", "name: others\n");
	must("one that nobody is in", edited(x, "renewal_times: 3", "renewal_times: 2", &f), &f);
	fx_replace(file, "name: jinhua\n", "name: jinhua-2\n");
	snprintf(x->files[x->n_files - 2].path, sizeof(x->files->path), "projects/jinhua-2.yaml");
	check_err("of three", edited(x, "renewal_times: 2", "renewal_times: 3", &f), &f, "policy_place");
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + 1);
	must("all have ended", edited(x, "renewal_times: 2", "renewal_times: 3", &f), &f);
	fx_hold(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA, &a);
	check_rule("nobody could", &a, "project_unknown");
}

static void enrol_code(struct fx *x, struct tally *t)
{
	const struct name none = {0};
	fx_enrol(x, ORG_RSA, t);
	fx_subject(t, &none, NEW_NAME, x->orgs[ORG_RSA].code);
}

/* Free by the new policy's window, and not by that of the one before, which still counts: one of both has it. */
static void identifier_between_policies(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally early = {0}, t = {0};
	_cleanup_(fx_answer_done) struct fx_answer lives = {0}, a = {0}, late = {0};
	_cleanup_buf_ struct buf second = {0};
	uint8_t first[32];
	struct fault f = {0};
	(void)state;
	memcpy(first, x->signer->heads->now.policy->note.sha256, 32);
	fx_replace(fx_file(x, "profiles/organisation.yaml"), "window_after_days: 365", "window_after_days: 30");
	fx_policy_note(x, x->orgs[ORG_RSA].cert.not_after + 60 * DAY, first, 2, BY_OFFICERS, &second);
	must("second", send_policy(x, &second, 0, &f), &f);
	fx_clock(x, x->orgs[ORG_RSA].cert.not_after + 20 * DAY);
	enrol_code(x, &early);
	fx_ask(x, &early, ORG_RSA, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, &lives);
	check_rule("it may be extended still", &lives, "line_occupied");
	fx_clock(x, x->orgs[ORG_RSA].cert.not_after + 40 * DAY);
	enrol_code(x, &t);
	fx_ask(x, &t, ORG_RSA, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, &a);
	check_done("free", &a);
	ask_with(x, ORG_RSA, KEY_OF_RSA, first, &late);
	check_rule("taken meanwhile", &late, "line_occupied");
}

/* --- adoptions --- */

static void adoptions(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf problem = {0};
	struct cert_ref ref = fx_ref(x, ORG_WEAK);
	struct ledger_cert c;
	struct fault f = {0};
	uint32_t taken = 9;
	(void)state;
	/* The fixture has adopted each; the same part again takes nothing and is no problem. */
	must("again", fx_adopt(x, ORG_RSA, BY_OFFICERS, NULL, &taken, &problem, &f), &f);
	assert_int_equal(taken, 0);
	assert_string_equal(buf_text(&problem), "");
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ADOPTED), ORG_LATE);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ADOPTION), ORG_LATE);
	check_err("one officer", fx_adopt(x, ORG_RSA, BY_ALICE, NULL, &taken, &problem, &f), &f, "quorum");
	check_err("with the RA", fx_adopt(x, ORG_RSA, BY_OFFICERS | BY_RA, NULL, &taken, &problem, &f), &f,
		  "signer_role");
	fx_ledger_cert(x, &ref, &c);
	assert_true(c.weak && c.adopted);
	ref = fx_ref(x, ORG_RSA);
	fx_ledger_cert(x, &ref, &c);
	assert_false(c.weak);
}

/* A note that adopts nothing, as each run of an import after the first is, leaves nothing in the ledger. */
static void adoption_of_nothing(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_adopt_is answer = {0};
	struct fault f = {0};
	(void)state;
	fx_adopt_request(x, ORG_LATE, ORG_RSA, BY_OFFICERS, NULL, &request);
	must("operator", fx_operator(x, &request, WIRE_TYPE_ADOPT_IS, &reply, &f), &f);
	must("answer", wire_adopt_is_get(buf_slice(&reply), &answer, &f), &f);
	assert_int_equal(answer.taken, 0);
	assert_int_equal(answer.problems.n, 1);
	wire_adopt_is_done(&answer);
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ADOPTION), ORG_LATE);
}

/* The id of an adoption belongs to its text. */
static void adoption_id(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf problem = {0};
	struct fault f = {0};
	uint32_t taken = 0;
	(void)state;
	fx_clock(x, NOW + 10); /* the note says when it was made */
	check_err("id", fx_adopt(x, ORG_RSA, BY_OFFICERS, NULL, &taken, &problem, &f), &f, "adoption_id_used");
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ADOPTION), ORG_LATE);
}

struct one_revoked {
	struct serial serial;
	bool given;
};
static enum err give_one(void *arg, struct crl_entry *ret, bool *ret_more, struct fault *f)
{
	struct one_revoked *r = arg;
	(void)f;
	*ret_more = !r->given;
	*ret = (struct crl_entry){.serial = r->serial, .when = NOW - DAY, .reason = 4};
	r->given = true;
	return OK;
}

static void old_crl(struct fx *x, const struct serial *revoked, const char *idp, struct buf *ret)
{
	struct one_revoked r = {.serial = *revoked};
	uint64_t count;
	struct fault f = {0};
	must("crl",
	     crl_build(&(struct crl_build){.issuer = &x->old_cert,
					   .key = x->old_key,
					   .number = 1,
					   .this_update = NOW - DAY,
					   .next_update = NOW + DAY,
					   .idp_url = idp,
					   .next = give_one,
					   .arg = &r},
		       ret, &count, &f),
	     &f);
}

/* Sends an adoption made by hand. */
struct hand {
	struct adoption a;
	struct buf proof, crl, cert;
	uint64_t first;
	unsigned who;
};
static enum err send_hand(struct fx *x, const struct hand *h, uint32_t *ret_taken, struct buf *ret_problem,
			  struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, note = {0}, request = {0}, reply = {0};
	struct wire_adopt m = {.crl = buf_slice(&h->crl), .first = h->first};
	struct wire_adopt_is answer = {0};
	adoption_put(&h->a, &text);
	note_begin(buf_slice(&text), &note);
	fx_line(&note, "alice", BY_ALICE);
	fx_line(&note, "bob", BY_BOB);
	m.note = buf_slice(&note);
	wire_list_add(&m.certs, buf_slice(&h->cert));
	wire_list_add(&m.proofs, buf_slice(&h->proof));
	wire_adopt_put(&m, &request);
	wire_adopt_done(&m);
	TRY(fx_operator(x, &request, WIRE_TYPE_ADOPT_IS, &reply, f));
	TRY(wire_adopt_is_get(buf_slice(&reply), &answer, f));
	*ret_taken = answer.taken;
	buf_clear(ret_problem);
	for (size_t i = 0; i < answer.problems.n; i++)
		buf_add_slice(ret_problem, answer.problems.v[i]);
	wire_adopt_is_done(&answer);
	return OK;
}

static void leaf_hash(const struct buf *cert, uint8_t ret[32])
{
	_cleanup_buf_ struct buf b = {0};
	buf_char(&b, 0);
	buf_add(&b, cert->data, cert->len);
	sha256(b.data, b.len, ret);
}

static void hand_new(struct fx *x, unsigned id, enum fx_which org, struct hand *h)
{
	*h = (struct hand){.a = {.count = 1, .made = NOW - 5, .dies = NOW + DAY}};
	memcpy(h->a.ca, x->signer->ca, 20);
	memcpy(h->a.issuer, x->old_cert.key.key_id, 20);
	memset(h->a.id, (int)id, sizeof(h->a.id));
	snprintf(h->a.project, sizeof(h->a.project), "jinhua");
	snprintf(h->a.profile, sizeof(h->a.profile), "organisation");
	buf_add(&h->cert, x->orgs[org].der.data, x->orgs[org].der.len);
	leaf_hash(&h->cert, h->a.root);
}
static void hand_done(struct hand *h)
{
	buf_done(&h->proof);
	buf_done(&h->crl);
	buf_done(&h->cert);
}

static void h_ca(struct fx *x, struct hand *h)
{
	(void)x;
	h->a.ca[0] ^= 1;
}
static void h_dead(struct fx *x, struct hand *h)
{
	(void)x;
	h->a.made = NOW - DAY;
	h->a.dies = NOW - 1;
}
static void h_project(struct fx *x, struct hand *h)
{
	(void)x;
	snprintf(h->a.project, sizeof(h->a.project), "nowhere");
}
static void h_profile(struct fx *x, struct hand *h)
{
	(void)x;
	snprintf(h->a.profile, sizeof(h->a.profile), "person");
}
static void h_issuer(struct fx *x, struct hand *h)
{
	(void)x;
	h->a.issuer[0] ^= 1;
}
static void h_crl_unnamed(struct fx *x, struct hand *h)
{
	old_crl(x, &x->orgs[ORG_WEAK].serial, NULL, &h->crl);
}
static void h_crl_missing(struct fx *x, struct hand *h)
{
	h_crl_unnamed(x, h);
	h->a.has_crl = true;
	sha256(h->crl.data, h->crl.len, h->a.crl_sha256);
	buf_clear(&h->crl);
}
static void h_crl_part(struct fx *x, struct hand *h)
{
	old_crl(x, &x->orgs[ORG_WEAK].serial, "http://old.example.test/1.crl", &h->crl);
	h->a.has_crl = true;
	sha256(h->crl.data, h->crl.len, h->a.crl_sha256);
}
static void h_range(struct fx *x, struct hand *h)
{
	(void)x;
	h->first = 1;
}
static void h_root(struct fx *x, struct hand *h)
{
	(void)x;
	h->a.root[0] ^= 1;
}
static void h_proof(struct fx *x, struct hand *h)
{
	(void)x;
	buf_str(&h->proof, "not a whole hash");
}
static void h_forged(struct fx *x, struct hand *h)
{
	(void)x;
	h->cert.data[h->cert.len - 1] ^= 1;
	leaf_hash(&h->cert, h->a.root);
}
static void h_garbage(struct fx *x, struct hand *h)
{
	(void)x;
	buf_str(&h->cert, "tail");
	leaf_hash(&h->cert, h->a.root);
}
static void h_ca_cert(struct fx *x, struct hand *h)
{
	buf_clear(&h->cert);
	buf_add(&h->cert, x->old_der.data, x->old_der.len);
	leaf_hash(&h->cert, h->a.root);
}
static void h_revoked(struct fx *x, struct hand *h)
{
	old_crl(x, &x->orgs[ORG_RSA].serial, NULL, &h->crl);
	h->a.has_crl = true;
	sha256(h->crl.data, h->crl.len, h->a.crl_sha256);
}

static void adoption_rules(void **state)
{
	static const struct {
		const char *what;
		void (*change)(struct fx *x, struct hand *h);
		const char *rule;
		bool told; /* in the answer, the rest is taken */
	} rows[] = {
		{"another CA", h_ca, "ca_unknown", false},
		{"dead", h_dead, "adoption_expired", false},
		{"project", h_project, "project_unknown", false},
		{"profile", h_profile, "profile_unknown", false},
		{"issuer not pinned", h_issuer, "issuer_not_pinned", false},
		{"CRL that the note does not name", h_crl_unnamed, "adoption_crl", false},
		{"CRL left out", h_crl_missing, "adoption_crl", false},
		{"CRL of one part", h_crl_part, "adoption_crl_part", false},
		{"beyond the count", h_range, "adopt_range", false},
		{"not in the manifest", h_root, "adopt_not_included", true},
		{"no proof", h_proof, "adopt_proof", true},
		{"forged", h_forged, "cert_signature", true},
		{"with a tail", h_garbage, "cert_form", true},
		{"a CA's", h_ca_cert, "adopt_ca", true},
		{"revoked by its issuer", h_revoked, "adopt_revoked", true},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	uint64_t before = fx_count(x, WIRE_TYPE_E_ADOPTED);
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(hand_done) struct hand h;
		_cleanup_buf_ struct buf problem = {0};
		struct fault f = {0};
		uint32_t taken = 9;
		hand_new(x, 100 + (unsigned)i, ORG_RSA, &h);
		rows[i].change(x, &h);
		enum err e = send_hand(x, &h, &taken, &problem, &f);
		if (!rows[i].told) {
			check_err(rows[i].what, e, &f, rows[i].rule);
			continue;
		}
		must(rows[i].what, e, &f);
		if (taken != 0 || !strstr(buf_text(&problem), rows[i].rule))
			fail_msg("%s: taken %u, told \"%s\", wanted %s", rows[i].what, taken, buf_text(&problem),
				 rows[i].rule);
	}
	assert_int_equal(fx_count(x, WIRE_TYPE_E_ADOPTED), before);
}

/* --- sockets --- */

static void neither_serves_the_others(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf adopt = {0}, roster = {0}, policy = {0}, unlock = {0}, status = {0}, ended = {0},
				 follow = {0}, health = {0}, done = {0};
	struct wire_adopt a = {0};
	struct wire_policy p = {0};
	struct fault f = {0};
	(void)state;
	wire_adopt_put(&a, &adopt);
	wire_policy_put(&p, &policy);
	wire_roster_put(&(struct wire_roster){0}, &roster);
	wire_unlock_put(&(struct wire_unlock){.passphrase = slice_str("x")}, &unlock);
	wire_status_put(&(struct wire_status){0}, &status);
	wire_ended_put(&(struct wire_ended){0}, &ended);
	wire_follow_put(&(struct wire_follow){.max = 1}, &follow);
	wire_health_put(&(struct wire_health){0}, &health);
	wire_done_put(&(struct wire_done){0}, &done);
	const struct buf *operators[] = {&adopt, &roster, &policy, &unlock, &status, &ended, &done};
	for (size_t i = 0; i < 7; i++) {
		_cleanup_buf_ struct buf reply = {0};
		assert_int_equal(fx_ra(x, operators[i], WIRE_TYPE_OK, &reply, &f), ERR_DENIED);
		assert_string_equal(f.rule, "message_not_served");
	}
	const struct buf *ras[] = {&follow, &health, &done};
	for (size_t i = 0; i < 3; i++) {
		_cleanup_buf_ struct buf reply = {0};
		assert_int_equal(fx_operator(x, ras[i], WIRE_TYPE_OK, &reply, &f), ERR_DENIED);
	}
	struct buf bytes[] = {{0},
			      {.data = (uint8_t *)(uintptr_t) "\x01", .len = 1},
			      {.data = (uint8_t *)(uintptr_t) "\x02\x01", .len = 2},
			      {.data = (uint8_t *)(uintptr_t) "\x01\x01\xff\xff\xff\xff", .len = 6}};
	for (size_t i = 0; i < 4; i++) {
		_cleanup_buf_ struct buf reply = {0}, other = {0};
		assert_int_not_equal(fx_ra(x, &bytes[i], WIRE_TYPE_DONE, &reply, &f), OK);
		assert_int_not_equal(fx_operator(x, &bytes[i], WIRE_TYPE_DONE, &other, &f), OK);
	}
}

/* A certificate that a change ended comes with what replaced it; one that was revoked, with its tally. */
static void tells_what_ended(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally change = {0}, revoke = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0};
	_cleanup_buf_ struct buf request = {0}, beyond = {0}, reply = {0}, none = {0};
	struct wire_ended_is is = {0};
	struct wire_e_adopted adopted;
	struct wire_e_revoked end;
	struct wire_e_intent meant;
	struct fault f = {0};
	(void)state;
	fx_change(x, ORG_P256, &change);
	fx_ask(x, &change, ORG_P256, KEY_NEW, CHANGE, &a);
	check_done("change", &a);
	fx_revoke(x, ORG_RSA, &revoke);
	fx_ask(x, &revoke, ORG_RSA, KEY_NEW, SAME, &b);
	check_done("revoke", &b);
	wire_ended_put(&(struct wire_ended){0}, &request);
	must("ended", fx_operator(x, &request, WIRE_TYPE_ENDED_IS, &reply, &f), &f);
	must("ended", wire_ended_is_get(buf_slice(&reply), &is, &f), &f);
	assert_int_equal(is.next, 0);
	assert_int_equal(is.ended.n, 6);
	must("adopted", wire_e_adopted_get(is.ended.v[0], &adopted, &f), &f);
	must("revoked", wire_e_revoked_get(is.ended.v[1], &end, &f), &f);
	must("intent", wire_e_intent_get(is.ended.v[2], &meant, &f), &f);
	assert_true(slice_eq(adopted.cert, buf_slice(&x->orgs[ORG_P256].der)));
	assert_int_equal(end.ended, 1);
	assert_memory_equal(meant.tally, change.id, TALLY_ID);
	assert_int_equal(is.ended.v[5].n, 0);
	wire_ended_is_done(&is);
	wire_ended_put(&(struct wire_ended){.after = UINT64_MAX}, &beyond);
	check_err("beyond", fx_operator(x, &beyond, WIRE_TYPE_ENDED_IS, &none, &f), &f, "ended_after");
}

static void follows(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf request = {0}, reply = {0}, empty = {0}, later = {0};
	struct wire_entries m = {0}, none = {0};
	struct wire_e_roster first;
	struct fault f = {0};
	(void)state;
	wire_follow_put(&(struct wire_follow){.from = 0, .max = 1024}, &request);
	must("follow", fx_ra(x, &request, WIRE_TYPE_ENTRIES, &reply, &f), &f);
	must("entries", wire_entries_get(buf_slice(&reply), &m, &f), &f);
	assert_int_equal(m.from, 0);
	assert_int_equal(m.size, ledger_size(x->ledger));
	assert_int_equal(m.entries.n, m.size);
	must("first", wire_e_roster_get(m.entries.v[0], &first, &f), &f);
	assert_true(slice_eq(first.note, buf_slice(&x->roster_note)));
	int64_t begun = clock_mono_us();
	wire_follow_put(&(struct wire_follow){.from = m.size, .max = 10, .wait_ms = 50}, &later);
	must("follow", fx_ra(x, &later, WIRE_TYPE_ENTRIES, &empty, &f), &f);
	assert_true(clock_mono_us() - begun >= 45000);
	must("entries", wire_entries_get(buf_slice(&empty), &none, &f), &f);
	assert_int_equal(none.entries.n, 0);
	assert_int_equal(none.from, m.size);
	wire_entries_done(&m);
	wire_entries_done(&none);
}

static void get_health(struct fx *x, bool by_operator, struct buf *reply, struct wire_health_is *ret)
{
	_cleanup_buf_ struct buf request = {0};
	struct fault f = {0};
	buf_clear(reply);
	if (by_operator)
		wire_status_put(&(struct wire_status){0}, &request);
	else
		wire_health_put(&(struct wire_health){0}, &request);
	must("health", (by_operator ? fx_operator : fx_ra)(x, &request, WIRE_TYPE_HEALTH_IS, reply, &f), &f);
	must("health", wire_health_is_get(buf_slice(reply), ret, &f), &f);
}

static void health(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0}, u = {0}, v = {0}, h = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0}, c = {0}, d = {0};
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is m;
	struct fault f = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	fx_extend(x, ORG_RSA, &u);
	fx_ask(x, &u, ORG_RSA, KEY_NEW, BY_RA, &b);
	fx_extend(x, ORG_RSA, &v);
	fx_ask(x, &v, ORG_RSA, KEY_NEW, BY_SUB, &c);
	fx_hold(x, ORG_WEAK, &h);
	fx_ask(x, &h, ORG_WEAK, KEY_NEW, BY_RA, &d);
	must("beat", signer_beat(x->signer, &f), &f);
	for (int by_operator = 0; by_operator < 2; by_operator++) {
		get_health(x, by_operator, &reply, &m);
		assert_int_equal(m.locked, 0);
		assert_int_equal(m.clock_in_doubt, 0);
		assert_int_equal(m.issued, 1);
		assert_int_equal(m.refused, 1);
		assert_int_equal(m.rejected, 1);
		assert_int_equal(m.revoked, 0);
		assert_int_equal(m.held, 1);
		assert_int_equal(m.last_beat, NOW);
		assert_int_equal(m.size, ledger_size(x->ledger));
		assert_int_equal(m.roster_version, 1);
		assert_memory_equal(m.policy, x->signer->heads->now.policy->note.sha256, 32);
		assert_true(slice_eq(m.issuer_cert, x->signer->issuer.der));
	}
	clock_set(NOW + 2 * 3600);
	fx_restart(x, false);
	clock_set(NOW);
	get_health(x, true, &reply, &m);
	assert_int_equal(m.locked, 1);
	assert_int_equal(m.clock_in_doubt, 1);
}

/* The sealed key over the operator's socket: a wrong passphrase, the right one, and again. */
static void unlocks(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	struct secret passphrase = {0};
	struct fault f = {0};
	static const struct {
		const char *passphrase;
		enum err wanted;
	} rows[] = {{"wrong", ERR_CRYPTO}, {"", ERR_PARSE}, {"right", OK}, {"anything", OK}};
	(void)state;
	secret_alloc(&passphrase, 5);
	memcpy(passphrase.p, "right", 5);
	must("seal", ca_key_seal(atomic_load(&x->signer->key), x->config.key, &passphrase, &f), &f);
	secret_done(&passphrase);
	fx_restart(x, false);
	for (size_t i = 0; i < 4; i++) {
		_cleanup_buf_ struct buf request = {0}, reply = {0};
		wire_unlock_put(&(struct wire_unlock){.passphrase = slice_str(rows[i].passphrase)}, &request);
		assert_int_equal(fx_operator(x, &request, WIRE_TYPE_OK, &reply, &f), rows[i].wanted);
		assert_int_equal(atomic_load(&x->signer->key) != NULL, rows[i].wanted == OK);
	}
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, SAME, &a);
	check_done("unlocked", &a);
}

/* --- genesis --- */

static void genesis_refuses(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf one = {0}, policy = {0};
	_cleanup_(freep) char *roster = path_join(x->dir, "roster.note"), *dir = path_join(x->dir, "policies"),
			      *empty = path_join(x->dir, "empty");
	_cleanup_(freep) char *policy_path = path_join(dir, "policy.note"), *db = path_join(empty, "ledger.db");
	struct fault f = {0};
	(void)state;
	must("roster", file_write(roster, buf_slice(&x->roster_note), 0644, &f), &f);
	for (size_t i = 0; i < x->n_files; i++) {
		_cleanup_(freep) char *path = path_join(dir, x->files[i].path), *folder = xstrdup(path);
		*strrchr(folder, '/') = '\0';
		must("dir", dir_make(folder, 0755, &f), &f);
		must("file", file_write(path, buf_slice(&x->files[i].bytes), 0644, &f), &f);
	}
	fx_policy_note(x, 0, NULL, 1, BY_ALICE, &policy);
	must("policy", file_write(policy_path, buf_slice(&policy), 0644, &f), &f);
	/* An existing ledger, which another signer has open besides. */
	check_err("existing", genesis(&x->config, roster, dir, &f), &f, "ledger_locked");
	must("dir", dir_make(empty, 0700, &f), &f);
	free(x->config.state);
	x->config.state = xstrdup(empty);
	check_err("policy by one", genesis(&x->config, roster, dir, &f), &f, "quorum");
	assert_false(file_exists(db));
	fx_roster_note(x, 1, false, NULL, 2, BY_ALICE, &one);
	must("roster", file_write(roster, buf_slice(&one), 0644, &f), &f);
	check_err("roster by one", genesis(&x->config, roster, dir, &f), &f, "quorum");
	assert_false(file_exists(db));
	must("roster", file_write(roster, buf_slice(&x->roster_note), 0644, &f), &f);
	buf_clear(&policy);
	fx_policy_note(x, 0, NULL, 1, BY_OFFICERS, &policy);
	must("policy", file_write(policy_path, buf_slice(&policy), 0644, &f), &f);
	must("genesis", genesis(&x->config, roster, dir, &f), &f);
	check_err("twice", genesis(&x->config, roster, dir, &f), &f, "ledger_exists");
	assert_true(file_exists(db));
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
		cmocka_unit_test(rosters),
		cmocka_unit_test(policies),
		cmocka_unit_test(policy_before),
		cmocka_unit_test(crls_stay),
		cmocka_unit_test(one_crl_becomes_many),
		cmocka_unit_test(identifiers_stay),
		cmocka_unit_test(places_stay),
		cmocka_unit_test(identifier_between_policies),
		cmocka_unit_test(adoptions),
		cmocka_unit_test(adoption_of_nothing),
		cmocka_unit_test(adoption_id),
		cmocka_unit_test(adoption_rules),
		cmocka_unit_test(neither_serves_the_others),
		cmocka_unit_test(tells_what_ended),
		cmocka_unit_test(follows),
		cmocka_unit_test(health),
		cmocka_unit_test(unlocks),
		cmocka_unit_test(genesis_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}

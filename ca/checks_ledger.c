/*
 * What the ledger's certificates say: the predecessor's standing, whose key this is already, and whether the identifier
 * is free. All look-ups go through r->db, so the same lines run over a worker's snapshot and again inside the writer's
 * transaction.
 */
#include "ca/checks.h"

#include "ca/responder.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <string.h>

/* --- predecessor --- */

/* A certificate follows one of its own project and profile: no way around a profile's officers by naming another. */
static enum err predecessor_place(const struct request *r, struct fault *f)
{
	bool has_place = r->t.project[0] != '\0';
	if (has_place && strcmp(r->pred.project, r->t.project) != 0)
		return fault_raise(f, ERR_RULE, "predecessor_project", "tally.project",
				   "found %s, but certificate %s is of project %s", r->t.project,
				   SERIAL(&r->pred.ref.serial), r->pred.project);
	if (has_place && strcmp(r->pred.profile, r->t.profile) != 0)
		return fault_raise(f, ERR_RULE, "predecessor_profile", "tally.profile",
				   "found %s, but certificate %s is of profile %s", r->t.profile,
				   SERIAL(&r->pred.ref.serial), r->pred.profile);
	return OK;
}

static enum err predecessor_read(struct request *r, struct fault *f)
{
	TRY(signer_certificate(r->db, &r->pred, &r->pred_der, f));
	TRY(cert_parse(buf_slice(&r->pred_der), &r->pred_cert, f));
	TRY(name_parse(r->pred_cert.subject, &r->pred_subject, f));
	r->has_pred = true;
	r->facts.has_predecessor = true;
	r->facts.subject = &r->pred_subject;
	r->facts.not_before = r->pred.not_before;
	r->facts.not_after = r->pred.not_after;
	r->facts.adopted = r->pred.adopted;
	r->facts.weak = r->pred.weak;
	r->facts.renewals = r->pred.renewals;
	memcpy(r->facts.key_sha256, r->pred.key, 32);
	return OK;
}

enum err predecessor_find(struct request *r, struct fault *f)
{
	if (!r->t.has_predecessor)
		return OK;
	enum err e = ledger_cert(r->db, &r->t.predecessor, &r->pred, f);
	if (e == ERR_NOT_FOUND || (e == OK && r->pred.entry == LEDGER_NONE))
		return fault_raise(f, ERR_RULE, "predecessor_unknown", "tally.predecessor",
				   "the ledger has no certificate %s of that issuer", SERIAL(&r->t.predecessor.serial));
	TRY(e);
	TRY(predecessor_place(r, f));
	return predecessor_read(r, f);
}

enum err predecessor_state(struct request *r, bool again, struct fault *f)
{
	if (r->has_pred) {
		struct ledger_cert fresh = r->pred;
		if (again)
			TRY(ledger_cert_refresh(r->db, &fresh, f));
		if (fresh.successor_open && tally_kind_issues(r->t.kind))
			return fault_raise(f, ERR_BUSY, "predecessor_in_flight", "tally.predecessor",
					   "another tally for certificate %s is being worked on",
					   SERIAL(&r->pred.ref.serial));
		r->pred = fresh;
		r->facts.revoked = fresh.state == CERT_REVOKED;
		r->facts.ended = fresh.state == CERT_ENDED;
		r->facts.held = fresh.state == CERT_HELD;
		r->facts.succeeded = fresh.successor != 0;
	}
	TRY(judge_predecessor(&r->t, &r->facts, &r->verdict, f));
	if (r->t.kind == TALLY_RELEASE && r->t.hold != r->pred.state_entry)
		return fault_raise(f, ERR_RULE, "hold_unknown", "tally.hold",
				   "found entry %llu, wanted that of the hold, %llu", (unsigned long long)r->t.hold,
				   (unsigned long long)r->pred.state_entry);
	return OK;
}

/* What a withdrawal makes die: not what has been done already. */
enum err target_state(struct request *r, struct fault *f)
{
	struct ledger_tally target;
	TRY(ledger_tally(r->db, r->t.target, &target, f));
	if (memcmp(r->t.target, r->t.id, TALLY_ID) == 0)
		return fault_raise(f, ERR_RULE, "target_self", "tally.target", "a withdrawal cannot withdraw itself");
	if (target.withdrawn)
		return fault_raise(f, ERR_RULE, "target_withdrawn", "tally.target", "%s was withdrawn already",
				   TALLY_ID_TEXT(r->t.target));
	if (target.known && target.outcome == LEDGER_NONE)
		return fault_raise(f, ERR_BUSY, "tally_in_flight", "tally.target", "%s is being worked on",
				   TALLY_ID_TEXT(r->t.target));
	if (target.known)
		return fault_raise(f, ERR_RULE, "target_done", "tally.target", "%s was done already, by entry %llu",
				   TALLY_ID_TEXT(r->t.target), (unsigned long long)target.outcome);
	return OK;
}

/* --- keys and identifiers --- */

/* Could somebody still use it or follow it? Ends of a line count as long as the profile lets them be extended. */
static bool is_live(const struct request *r, const struct ledger_cert *c)
{
	int64_t after = c->successor == 0 && r->verdict.profile ? r->verdict.profile->window_after_days * 86400 : 0;
	if (c->state == CERT_REVOKED || c->state == CERT_ENDED)
		return false;
	return c->entry == LEDGER_NONE || c->not_after + after >= r->now;
}

static bool same_line(const struct request *r, const struct ledger_cert *c)
{
	return r->has_pred && c->root == r->pred.root;
}

/* Of the subject that is judged: as it was, or as it shall be. */
static bool same_subject(const struct request *r, const struct ledger_cert *c)
{
	return same_line(r, c) || c->line == r->line || (r->has_pred && c->line == r->pred.line);
}

static enum err key_judge_one(const struct request *r, const struct ledger_cert *c, struct fault *f)
{
	bool over = c->state == CERT_REVOKED || c->state == CERT_ENDED;
	if (over && c->reason == (unsigned)crl_reason_from_word("keyCompromise"))
		return fault_raise(f, ERR_RULE, "key_blocked", "tally.key",
				   "certificate %s with this key was revoked as compromised", SERIAL(&c->ref.serial));
	if (is_live(r, c) && !same_subject(r, c))
		return fault_raise(f, ERR_RULE, "key_other_subject", "tally.key",
				   "certificate %s with this key is another subject's", SERIAL(&c->ref.serial));
	return OK;
}

/* One page of certificates with the key; *below moves on, 0 at the end. */
static enum err key_judge_page(struct request *r, int64_t *below, struct fault *f)
{
	int64_t ids[LEDGER_PAGE];
	size_t n = 0;
	TRY(ledger_certs_with_key(r->db, r->t.key_sha256, *below, ids, &n, f));
	for (size_t i = 0; i < n; i++) {
		struct ledger_cert c;
		if (!r->has_pred || ids[i] != r->pred.id) /* that one was read a moment ago, in this transaction */
			TRY(ledger_cert_by_id(r->db, ids[i], &c, f));
		TRY(key_judge_one(r, r->has_pred && ids[i] == r->pred.id ? &r->pred : &c, f));
	}
	*below = n == LEDGER_PAGE ? ids[n - 1] : 0;
	return OK;
}

static bool key_is_cas(const struct signer *s, const uint8_t key_sha256[32])
{
	bool found = memcmp(key_sha256, s->issuer.key.spki_sha256, 32) == 0;
	for (size_t i = 0; i < s->n_retired; i++)
		found |= memcmp(key_sha256, s->retired[i].cert.key.spki_sha256, 32) == 0;
	return found;
}

/* One key, one role: the CA's own keys and a responder's are nobody else's. */
static enum err key_has_role(const struct request *r, struct fault *f)
{
	const struct member *m = responder_listed(&r->heads->roster, r->t.key_sha256);
	if (key_is_cas(r->s, r->t.key_sha256))
		return fault_raise(f, ERR_RULE, "key_blocked", "tally.key", "this is the CA's own key");
	if (m && r->t.kind != TALLY_RESPONDER)
		return fault_raise(f, ERR_RULE, "key_blocked", "tally.key",
				   "the roster lists this key for responder %s", m->name);
	return OK;
}

enum err key_state(struct request *r, struct fault *f)
{
	int64_t below = INT64_MAX;
	if (!r->t.has_key)
		return OK;
	TRY(key_has_role(r, f));
	while (below > 0)
		TRY(key_judge_page(r, &below, f));
	return OK;
}

enum err line_find(struct request *r, struct fault *f)
{
	if (!tally_kind_issues(r->t.kind))
		return OK;
	TRY(tally_subject_after(&r->t, &r->subject, f));
	const char *attribute = r->verdict.profile->identifier;
	const char *value = attribute ? name_get(&r->subject, attribute) : NULL;
	r->identifier = value ? value : "";
	r->line = ledger_line_hash(r->t.profile, r->identifier);
	return OK;
}

enum err responder_find(struct request *r, struct fault *f)
{
	const struct member *m = responder_listed(&r->heads->roster, r->t.key_sha256);
	if (!m || !member_may(m, "", TALLY_RESPONDER))
		return fault_raise(f, ERR_RULE, "responder_unknown", "tally.key",
				   "found a key that the roster lists for no responder");
	r->line = ledger_line_hash(r->t.profile, m->name);
	return responder_subject(r->by.cert, m, &r->subject, f);
}

/* 64 bits of hash found the row; the certificate itself decides. One that is only intended has no bytes yet and counts.
 */
static enum err has_identifier(const struct request *r, const struct ledger_cert *c, bool *ret, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(name_done) struct name subject = {0};
	*ret = true;
	if (c->entry == LEDGER_NONE)
		return OK;
	TRY(signer_certificate(r->db, c, &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	TRY(name_parse(cert.subject, &subject, f));
	const char *value = name_get(&subject, r->verdict.profile->identifier);
	*ret = strcmp(c->profile, r->t.profile) == 0 && value && strcmp(value, r->identifier) == 0;
	return OK;
}

static bool comes_in(const struct request *r)
{
	return !r->has_pred || r->pred.line != r->line;
}

/* Its certificate has ended: by another policy's window than today's the identifier may have been free meanwhile. */
static bool comes_back(const struct request *r)
{
	return r->has_pred && r->pred.not_after < r->now;
}

/* Who only comes back meets those who came after it: an old authority may have given several for one identifier. */
static bool came_before(const struct request *r, const struct ledger_cert *c)
{
	return !comes_in(r) && (c->adopted || c->not_before <= r->pred.not_after);
}

/* Is this certificate in the way? It is not when it is of our own line, dead, or of the line that the tally names as
 * colliding. */
static enum err line_judge_one(const struct request *r, const struct ledger_cert *c, int64_t collides_root,
			       bool *ret_collides, struct fault *f)
{
	bool holds = false;
	if (same_line(r, c) || !is_live(r, c) || came_before(r, c))
		return OK;
	TRY(has_identifier(r, c, &holds, f));
	if (!holds)
		return OK;
	if (collides_root != 0 && c->root == collides_root) {
		*ret_collides = true;
		return OK;
	}
	return fault_raise(f, ERR_RULE, "line_occupied", "tally.subject",
			   "identifier %s lives in certificate %s; wanted a free one, or that certificate named as "
			   "colliding and one officer more",
			   ESC(r->identifier, strlen(r->identifier)), SERIAL(&c->ref.serial));
}

static enum err line_judge_page(struct request *r, int64_t collides_root, int64_t *below, bool *ret_collides,
				struct fault *f)
{
	int64_t ids[LEDGER_PAGE];
	size_t n = 0;
	TRY(ledger_certs_in_line(r->db, r->line, *below, ids, &n, f));
	for (size_t i = 0; i < n; i++) {
		struct ledger_cert c;
		TRY(ledger_cert_by_id(r->db, ids[i], &c, f));
		TRY(line_judge_one(r, &c, collides_root, ret_collides, f));
	}
	*below = n == LEDGER_PAGE ? ids[n - 1] : 0;
	return OK;
}

/* Only who comes into an identifier is asked: enrolments, changes that move to another, and who was away. */
enum err line_state(struct request *r, struct fault *f)
{
	bool asked = tally_kind_issues(r->t.kind) && r->identifier[0] != '\0' && (comes_in(r) || comes_back(r));
	struct ledger_cert collides = {0};
	bool in_the_way = false;
	int64_t below = asked ? INT64_MAX : 0;
	if (r->t.has_collides) {
		enum err e = ledger_cert(r->db, &r->t.collides, &collides, f);
		if (e == ERR_NOT_FOUND)
			return fault_raise(f, ERR_RULE, "collides_unknown", "tally.collides",
					   "the ledger has no certificate %s of that issuer",
					   SERIAL(&r->t.collides.serial));
		TRY(e);
	}
	while (below > 0)
		TRY(line_judge_page(r, collides.root, &below, &in_the_way, f));
	if (r->t.has_collides && !in_the_way)
		return fault_raise(f, ERR_RULE, "collides_unknown", "tally.collides",
				   "certificate %s is not in the way of this tally", SERIAL(&r->t.collides.serial));
	return OK;
}

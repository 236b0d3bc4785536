/*
 * Revoke, hold and release are opened and handed in by one call: there is no draft to edit and no paper to add.
 *
 * A hold needs nobody's signature, since it is reversible and urgent at night: it goes out in the same transaction. It is
 * counted, and as long as it lasts desk.health worries about it. A release names the hold's entry of the ledger, so that
 * two officers who end one hold do not end the next.
 */
#include "ra/standing.h"

#include "ra/course.h"
#include "ra/note.h"
#include "ra/officer.h"
#include "ra/status.h"
#include "ra/store_work.h"

#include "common/base/log.h"

#include <assert.h>
#include <string.h>

static const char *const audit_words[TALLY_KIND_N] = {
	[TALLY_REVOKE] = "revocation_opened", [TALLY_HOLD] = "hold_opened", [TALLY_RELEASE] = "release_opened"};

static void set_word(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s", text ? text : "");
}

/* The first way of the kind that asks nothing of the subscriber. */
static const char *officers_way(const struct law *law, const char *profile, enum tally_kind kind)
{
	const struct profile *p = policy_profile(law->policy, profile);
	const struct policy_kind *kinds = p ? p->kinds.v : NULL;
	for (size_t i = 0; p && i < p->kinds.n; i++) {
		const struct policy_way *ways = kinds[i].ways.v;
		for (size_t k = 0; strcmp(kinds[i].kind, tally_kind_word(kind)) == 0 && k < kinds[i].ways.n; k++) {
			if (ways[k].proof == 0)
				return ways[k].way;
		}
	}
	return NULL;
}

static enum err fill(struct ctx *c, enum tally_kind kind, int64_t account, const struct cert_row *row,
		     struct request *r, struct fault *f)
{
	_cleanup_(cert_body_done) struct cert_body body = {0};
	TRY(store_cert_body(c->db, row->id, &body, f));
	request_new_id(r, c->now);
	r->account = account;
	r->cert = row->id;
	r->hold = -1;
	r->subject = xstrdup("[]");
	memcpy(r->project, body.project, sizeof(r->project));
	memcpy(r->profile, body.profile, sizeof(r->profile));
	set_word(r->kind, sizeof(r->kind), tally_kind_word(kind));
	return OK;
}

/* Of whose certificate: account 0 is anybody's. */
static enum err begin(struct ctx *c, enum tally_kind kind, int64_t account, struct cert_row *row, struct request *r,
		      struct fault *f)
{
	TRY(cert_find(c->db, param_text(c, "serial"), param_text(c, "issuer"), account, row, f));
	return fill(c, kind, account, row, r, f);
}

static enum err set_reason(const struct ctx *c, enum tally_kind kind, struct request *r, struct fault *f)
{
	set_word(r->reason, sizeof(r->reason), param_text(c, "reason"));
	bool revokes = kind == TALLY_REVOKE;
	if (revokes ? crl_reason_from_word(r->reason) >= 0 : r->reason[0] == '\0')
		return OK;
	return fault_raise(f, ERR_PARSE, "reason_form", "params.reason", "found \"%s\", wanted %s",
			   ESC(r->reason, strlen(r->reason)),
			   revokes ? "a reason of RFC 5280 5.3.1, as keyCompromise" : "none for this kind");
}

static enum err set_way(const struct ctx *c, enum tally_kind kind, struct request *r, struct fault *f)
{
	const char *way = param_text(c, "way");
	if (kind == TALLY_HOLD && !way)
		return OK;
	if (kind == TALLY_HOLD)
		return fault_raise(f, ERR_RULE, "way_unknown", "params.way", "found \"%s\", wanted none for a hold",
				   ESC(way, strlen(way)));
	set_word(r->way, sizeof(r->way), way ? way : officers_way(c->law, r->profile, kind));
	return OK;
}

/* Which hold is released: the one that is in force, and no other. */
static enum err set_hold(const struct ctx *c, enum tally_kind kind, const struct cert_row *row, struct request *r,
			 struct fault *f)
{
	int64_t named = param_number(c, "hold", -1);
	if (kind != TALLY_RELEASE && named >= 0)
		return fault_raise(f, ERR_RULE, "hold_unknown", "params.hold",
				   "found entry %lld, wanted none for this kind", (long long)named);
	if (kind != TALLY_RELEASE || row->state != CERT_HELD)
		return OK;
	r->hold = named >= 0 ? named : row->state_entry;
	if (r->hold >= 0 && (row->state_entry < 0 || r->hold == row->state_entry))
		return OK;
	return named >= 0 ? fault_raise(f, ERR_RULE, "hold_unknown", "params.hold",
					"found entry %lld, wanted that of the hold, %lld", (long long)named,
					(long long)row->state_entry)
			  : fault_raise(f, ERR_RULE, "hold_unknown", "params.hold",
					"found none, wanted the ledger's entry of the hold: it is older than the "
					"desk's record");
}

/* Hands in what needs officers, and hands over what needs nobody. officer NULL: the owner opens it. */
static enum err open_request(struct ctx *c, enum tally_kind kind, const struct cert_row *row, const char *officer,
			     struct request *r, struct fault *f)
{
	_cleanup_(draw_done) struct draw d = {0};
	const char *who = officer ? officer : c->who;
	TRY(draw_make(c, r, &d, f));
	if (r->proof != 0 || (r->officers == 0 && !floor_of(kind)->ra_alone))
		return fault_raise(f, ERR_RULE, "way_of_subscriber", "params.way",
				   "way %s wants the subscriber's proof: the subscriber asks for it", r->way);
	bool at_once = r->officers == 0;
	TRY(store_request_add(c->db, r, f));
	TRY(course_begin(c, r, officer ? officer : "", f));
	TRY(store_history_add(c->db, r->id, c->now, "draft", "", r->state, who, "", f));
	TRY(request_move(c->db, r->id, r->state, at_once ? EVENT_PASS : EVENT_SUBMIT, c->now, who, "", NULL, f));
	TRY(at_once ? note_hand_over(c, r, f) : course_submit(c, r, f));
	if (kind == TALLY_HOLD)
		log_event(LOG_LEVEL_WARNING, "hold_opened", "request=%s serial=%s who=%s", r->id,
			  SERIAL(&row->ref.serial), LQ(who));
	return desk_audit(c, audit_words[kind], r->id, kind == TALLY_REVOKE ? r->reason : SERIAL(&row->ref.serial), f);
}

enum err review_prepare(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	const char *word = param_text(c, "kind");
	enum tally_kind kind = TALLY_KIND_N;
	struct cert_row row;
	char officer[WHO_MAX];
	bool known = tally_kind_from_word(word, strlen(word), &kind);
	assert(known && audit_words[kind]);
	TRY(officer_of(c, officer, f));
	TRY(begin(c, kind, 0, &row, &r, f));
	if (!officer_sees(c, r.project))
		return cert_unknown(param_text(c, "serial"), f);
	TRY(set_reason(c, kind, &r, f));
	TRY(set_way(c, kind, &r, f));
	TRY(set_hold(c, kind, &row, &r, f));
	TRY(open_request(c, kind, &row, officer, &r, f));
	TRY(request_answer(c, r.id, ret, f));
	json_object_set_new(*ret, "tally", json_string(r.tally));
	return OK;
}

enum err request_hold(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(request_done) struct request r = {0};
	struct cert_row row;
	TRY(begin(c, TALLY_HOLD, c->session->account.id, &row, &r, f));
	TRY(open_request(c, TALLY_HOLD, &row, NULL, &r, f));
	return request_answer(c, r.id, ret, f);
}

/* The certificate of a lost key is good until its reissue is done, and anybody may have the key. */
static bool is_lost(const struct request *r, const struct draw *d)
{
	return strcmp(r->kind, "reissue") == 0 && d->verdict.way &&
	       judge_reissue_reason(d->verdict.way) == (unsigned)crl_reason_from_word("keyCompromise") &&
	       d->row.state == CERT_GOOD;
}

static void put_hold(const struct request *hold, const char *number, const struct cert_row *row, json_t *answer)
{
	json_t *o = json_object();
	json_object_set_new(o, "request", json_string(hold->id));
	json_object_set_new(o, "number", json_string(number));
	json_object_set_new(
		o, "zh",
		json_sprintf("证书 %s 已申请挂起：密钥遗失，补办完成前不可使用。如已找回，须由两名审核员解除挂起。",
			     SERIAL(&row->ref.serial)));
	json_object_set_new(
		o, "en",
		json_sprintf(
			"certificate %s is put on hold: its key is lost, and it is not to be used until the reissue is "
			"done. If the key is found, two officers release it.",
			SERIAL(&row->ref.serial)));
	json_object_set_new(answer, "hold", o);
}

enum err standing_lost(struct ctx *c, const struct request *r, const struct draw *d, json_t *answer, struct fault *f)
{
	_cleanup_(request_done) struct request hold = {0};
	struct course course;
	struct fault why = {0};
	int64_t n = 0;
	if (!is_lost(r, d) || param_true(c, "keep_valid"))
		return OK;
	TRY(store_requests_under_way(c->db, d->row.id, tally_kind_word(TALLY_HOLD), "", &n, f));
	if (n > 0)
		return OK;
	TRY(fill(c, TALLY_HOLD, r->account, &d->row, &hold, f));
	enum err e = open_request(c, TALLY_HOLD, &d->row, NULL, &hold, &why);
	/* A profile without holds: the reissue is not stopped by that, and nothing was written. */
	if (e == ERR_RULE)
		return OK;
	if (e != OK) {
		*f = why;
		return e;
	}
	TRY(store_course_get(c->db, hold.id, &course, f));
	put_hold(&hold, course.number, &d->row, answer);
	return OK;
}

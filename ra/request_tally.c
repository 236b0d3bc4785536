/*
 * From what a client asks to the text that everybody signs.
 *
 * The tally is made from the desk's certificate table and the policy in force; nothing in it is taken from the client
 * but what is the client's to say. The same judgement as the signer's runs at once, so that people hear early, and in
 * their own words, what the signer would refuse. Next: request_subject.c, request_papers.c.
 */
#include "ra/request.h"

#include "ra/ahead.h"
#include "ra/plain.h"
#include "ra/signer.h"

#include "common/base/clock.h"

#include <assert.h>
#include <string.h>

void draw_done(struct draw *d)
{
	tally_done(&d->tally);
	cert_body_done(&d->body);
	cert_done(&d->cert);
	name_done(&d->subject);
	csr_done(&d->csr);
	*d = (struct draw){0};
}

static void copy_word(char *ret, size_t size, const char *text)
{
	size_t n = strlen(text);
	assert(n < size);
	memcpy(ret, text, n + 1);
}

/* --- what is known --- */

static enum err load_cert(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	TRY(store_cert_by_id(c->db, r->cert, &d->row, f));
	TRY(store_cert_body(c->db, r->cert, &d->body, f));
	return ahead_cert(c, &d->body.der, &d->cert, f);
}

enum err draw_load_keys(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	if (r->cert != 0)
		TRY(load_cert(c, r, d, f));
	return r->csr.len > 0 ? csr_parse(buf_slice(&r->csr), &d->csr, f) : OK;
}

static enum err load(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	d->keyless = request_is_keyless(r);
	TRY(draw_load_keys(c, r, d, f));
	if (r->cert != 0)
		TRY(name_parse(d->cert.subject, &d->subject, f));
	return store_materials(c->db, r->id, d->materials, TALLY_MAX_MATERIALS, &d->n_materials, f);
}

static void set_predecessor(struct ctx *c, struct draw *d)
{
	struct facts *x = &d->facts;
	x->has_predecessor = true;
	x->subject = &d->subject;
	x->not_before = d->row.not_before;
	x->not_after = d->row.not_after;
	x->adopted = d->body.adopted;
	x->weak = d->body.weak;
	x->revoked = d->row.state == CERT_REVOKED;
	x->ended = d->row.state == CERT_ENDED;
	x->succeeded = d->row.successor != 0;
	x->held = d->row.state == CERT_HELD;
	x->fallen = status_issuer_fallen(c->desk->status, d->row.ref.issuer_key_id);
	x->renewals = (unsigned)d->body.renewals;
	memcpy(x->key_sha256, d->cert.key.spki_sha256, 32);
}

static void set_facts(struct ctx *c, const struct request *r, struct draw *d)
{
	struct signer_state signer;
	struct facts *x = &d->facts;
	signer_view_get(c->desk->view, &signer);
	*x = (struct facts){
		.now = c->now,
		.issuer_not_after = signer.issuer_not_after,
		.key = r->csr.len > 0		     ? &d->csr.key
		       : r->cert != 0 && !d->keyless ? &d->cert.key
						     : NULL,
	};
	if (r->cert != 0)
		set_predecessor(c, d);
}

/* A certificate follows one of its own project and profile. */
static enum err check_place(const struct request *r, const struct draw *d, struct fault *f)
{
	if (r->cert == 0)
		return OK;
	if (strcmp(r->project, d->body.project) != 0)
		return fault_raise(f, ERR_RULE, "predecessor_project", "params.project",
				   "found %s, but certificate %s is of project %s", ESC(r->project, strlen(r->project)),
				   SERIAL(&d->row.ref.serial), d->body.project);
	if (strcmp(r->profile, d->body.profile) != 0)
		return fault_raise(f, ERR_RULE, "predecessor_profile", "params.profile",
				   "found %s, but certificate %s is of profile %s", ESC(r->profile, strlen(r->profile)),
				   SERIAL(&d->row.ref.serial), d->body.profile);
	return OK;
}

/* --- the tally --- */

static void set_head(struct ctx *c, const struct request *r, struct draw *d)
{
	struct tally *t = &d->tally;
	bool known = tally_kind_from_word(r->kind, strlen(r->kind), &t->kind);
	bool decoded = hex_decode(r->id, REQUEST_ID, t->id, TALLY_ID);
	assert(known && decoded);
	memcpy(t->ca, c->law->roster.ca, 20);
	memcpy(t->policy, c->law->policy->note.sha256, 32);
	copy_word(t->project, sizeof(t->project), r->project);
	copy_word(t->profile, sizeof(t->profile), r->profile);
	copy_word(t->way, sizeof(t->way), r->way);
	t->has_predecessor = r->cert != 0;
	t->predecessor = d->row.ref;
	t->reason = t->kind == TALLY_REVOKE ? crl_reason_from_word(r->reason) : -1;
	t->has_hold = r->hold >= 0;
	t->hold = t->has_hold ? (uint64_t)r->hold : 0;
	t->made = c->now;
	t->dies = c->now + floor_of(t->kind)->max_life_seconds;
}

static enum err set_subject(const struct request *r, struct draw *d, struct fault *f)
{
	_cleanup_(name_done) struct name after = {0};
	TRY(subject_apply(&d->subject, r->subject, d->verdict.profile, &after, f));
	if (after.n == 0)
		return fault_raise(f, ERR_RULE, "subject_empty", "params.subject",
				   "found no attribute, wanted the subject of the certificate");
	return tally_set_subject(&d->tally, &d->subject, &after, f);
}

static void set_key(const struct request *r, struct draw *d)
{
	d->tally.has_key = true;
	d->tally.key_is_new = r->csr.len > 0 || d->keyless;
	if (!d->keyless)
		memcpy(d->tally.key_sha256, d->facts.key->spki_sha256, 32);
}

/* What a tally of the kind has in any case, and what it can't have: asked before there is one. */
static enum err check_said(const struct request *r, const struct draw *d, struct fault *f)
{
	bool seen = floor_of(d->tally.kind)->key_seen;
	bool may_collide = d->tally.kind == TALLY_ENROL || d->tally.kind == TALLY_CHANGE;
	if (seen && r->csr.len == 0 && !d->keyless)
		return fault_raise(f, ERR_RULE, "csr_missing", "params.csr",
				   "found none, wanted the request that carries the new key");
	if (seen != (r->key_seen[0] != '\0'))
		return fault_raise(f, ERR_RULE, "key_seen", "params.key_seen", "found \"%s\", wanted %s", r->key_seen,
				   seen ? "how the officers see the key: token, paper, call or person"
					: "none for this kind");
	if (d->tally.kind == TALLY_REISSUE && r->files[0] == '\0')
		return fault_raise(f, ERR_RULE, "files_unsaid", "params.files",
				   "found no answer, wanted whether encrypted files are still to be opened");
	if (r->collides[0] != '\0' && !may_collide)
		return fault_raise(f, ERR_RULE, "collides_unknown", "params.collides",
				   "found %s, wanted none for this kind", r->collides);
	return OK;
}

static enum err set_collides(const struct request *r, struct draw *d, struct fault *f)
{
	d->tally.has_collides = r->collides[0] != '\0';
	if (!d->tally.has_collides || cert_ref_parse(slice_str(r->collides), &d->tally.collides))
		return OK;
	return fault_raise(f, ERR_PARSE, "collides_form", "params.collides",
			   "found \"%s\", wanted an issuer's key id of 40 hex characters, a space, and a serial number",
			   ESC(r->collides, strlen(r->collides)));
}

/* The latest end that the subscriber agrees to: as if it were issued in the tally's last moment. */
static void set_validity(const struct request *r, struct draw *d)
{
	struct tally *t = &d->tally;
	t->has_validity = true;
	t->add_months = (unsigned)r->months;
	t->latest = judge_not_after(d->verdict.profile, t->dies, d->row.not_after, t->add_months);
}

static void set_papers(struct ctx *c, const struct request *r, struct draw *d)
{
	struct tally *t = &d->tally;
	const char *wanted = d->verdict.way ? d->verdict.way->notice : NULL;
	const struct notice *notice = r->notice && wanted ? policy_notice(c->law->policy, wanted) : NULL;
	copy_word(t->order, sizeof(t->order), r->order);
	t->materials = xcalloc(TALLY_MAX_MATERIALS, sizeof(*t->materials));
	for (size_t i = 0; i < d->n_materials; i++) {
		memcpy(t->materials[i].name, d->materials[i].name, sizeof(t->materials[i].name));
		memcpy(t->materials[i].sha256, d->materials[i].sha256, 32);
	}
	t->n_materials = d->n_materials;
	if (notice) {
		memcpy(t->notice, notice->name, sizeof(t->notice));
		memcpy(t->notice_sha256, notice->sha256, 32);
	}
	t->files = strcmp(r->files, "no") == 0	     ? FILES_NO
		   : strcmp(r->files, "yes") == 0    ? FILES_YES
		   : strcmp(r->files, "waived") == 0 ? FILES_WAIVED
						     : FILES_UNSAID;
	t->key_seen = key_seen_from_word(r->key_seen);
}

/* Of a tally that asks for a certificate. */
static enum err set_terms(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	TRY(set_collides(r, d, f));
	TRY(set_subject(r, d, f));
	set_key(r, d);
	set_validity(r, d);
	set_papers(c, r, d);
	if (d->tally.kind == TALLY_REISSUE)
		d->tally.reason = (int)judge_reissue_reason(d->verdict.way);
	return OK;
}

static enum err judge_early(struct draw *d, struct fault *f)
{
	TRY(judge_window(&d->tally, d->facts.now, f));
	TRY(judge_predecessor(&d->tally, &d->facts, &d->verdict, f));
	TRY(judge_needs(&d->tally, &d->facts, &d->verdict, f));
	if (!d->keyless)
		TRY(judge_key(&d->tally, &d->facts, &d->verdict, f));
	TRY(judge_subject(&d->tally, &d->facts, &d->verdict, f));
	return judge_validity(&d->tally, &d->facts, &d->verdict, f);
}

static void take_terms(struct ctx *c, const struct draw *d, struct request *r)
{
	_cleanup_buf_ struct buf text = {0};
	if (!d->keyless)
		tally_put(&d->tally, &text);
	free(r->tally);
	r->tally = d->keyless ? xstrdup("") : buf_take(&text, NULL);
	hex_lower(c->law->policy->note.sha256, 32, r->policy);
	r->proof = d->verdict.proof;
	r->officers = d->verdict.officers;
	r->made = d->tally.made;
	r->dies = d->tally.dies;
}

static enum err draw_terms(struct ctx *c, const struct request *r, struct draw *d, struct fault *f)
{
	TRY(load(c, r, d, f));
	if (r->csr.len > 0)
		TRY(csr_verify(&d->csr, f));
	set_facts(c, r, d);
	set_head(c, r, d);
	TRY(judge_policy(c->law->policy, &d->tally, &d->verdict, f));
	TRY(check_place(r, d, f));
	TRY(check_said(r, d, f));
	if (tally_kind_issues(d->tally.kind))
		TRY(set_terms(c, r, d, f));
	TRY(judge_early(d, f));
	return draw_check_line(c, d, f);
}

enum err draw_make(struct ctx *c, struct request *r, struct draw *ret, struct fault *f)
{
	TRY(draw_terms(c, r, ret, f));
	take_terms(c, ret, r);
	return OK;
}

enum err draw_load(struct ctx *c, const struct request *r, struct draw *ret, struct fault *f)
{
	if (request_is_keyless(r))
		return draw_terms(c, r, ret, f);
	TRY(load(c, r, ret, f));
	set_facts(c, r, ret);
	TRY(tally_parse(slice_str(r->tally), &ret->tally, f));
	return judge_policy(c->law->policy, &ret->tally, &ret->verdict, f);
}

/* A tally of the policy before still counts until that time; only the signer has its words. */
static bool counts_still(const struct policy_note *now, const struct tally *t, int64_t at)
{
	return now->has_previous && memcmp(now->previous, t->policy, 32) == 0 && at < now->until;
}

enum err draw_judge(struct ctx *c, struct draw *d, struct fault *f)
{
	if (d->keyless) {
		TRY(judge_early(d, f));
		return judge_papers(c->law->policy, &d->tally, &d->verdict, f);
	}
	if (!counts_still(&c->law->policy->note, &d->tally, c->now))
		return judge(c->law->policy, &d->tally, &d->facts, &d->verdict, f);
	TRY(judge_window(&d->tally, c->now, f));
	TRY(judge_predecessor(&d->tally, &d->facts, &d->verdict, f));
	return judge_needs(&d->tally, &d->facts, &d->verdict, f);
}

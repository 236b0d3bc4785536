/*
 * The judgement, step by step: window, policy, predecessor, what is needed, key; then papers. The subject is in
 * judge_subject.c, validity in judge_validity.c, the numbers that no policy lowers in floor.c. All of it is pure, so
 * that the desk's early, kind answer and the signer's late, binding one come from the same lines.
 */
#include "common/policy/judge.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/policy/profile.h"

#include <string.h>

enum err judge_window(const struct tally *t, int64_t now, struct fault *f)
{
	int64_t life = floor_of(t->kind)->max_life_seconds;

	if (t->made - JUDGE_SKEW_SECONDS > now)
		return fault_raise(f, ERR_RULE, "tally_not_yet", "tally.made", "found %s, wanted now, %s, or before",
				   UTC(t->made), UTC(now));
	if (t->dies <= now)
		return fault_raise(f, ERR_RULE, "tally_expired", "tally.dies", "the tally died at %s, now it is %s",
				   UTC(t->dies), UTC(now));
	if (t->dies - t->made > life)
		return fault_raise(f, ERR_RULE, "tally_life", "tally.dies",
				   "found a life of %lld seconds, wanted at most %lld for kind %s",
				   (long long)(t->dies - t->made), (long long)life, tally_kind_word(t->kind));
	return OK;
}

/* Kinds that come from the signer's code alone. */
static bool from_code(enum tally_kind kind)
{
	return kind == TALLY_WITHDRAW || kind == TALLY_RESPONDER;
}

enum err judge_policy(const struct policy *p, const struct tally *t, struct verdict *v, struct fault *f)
{
	const struct project *project;

	*v = (struct verdict){0};
	if (t->kind >= TALLY_KIND_N)
		return fault_raise(f, ERR_RULE, "kind_unknown", "tally.kind", "found a kind that does not exist");
	if (from_code(t->kind))
		return OK;
	project = policy_project(p, t->project);
	if (project == NULL)
		return fault_raise(f, ERR_RULE, "project_unknown", "tally.project",
				   "found \"%s\", which %s does not know", t->project, p->origin);
	v->profile = policy_profile(p, t->profile);
	if (v->profile == NULL || !project_has_profile(project, t->profile)) {
		v->profile = NULL;
		return fault_raise(f, ERR_RULE, "profile_unknown", "tally.profile",
				   "found \"%s\", which project %s does not have in %s", t->profile, t->project,
				   p->origin);
	}
	if (profile_kind(v->profile, t->kind) == NULL)
		return fault_raise(f, ERR_RULE, "kind_unknown", "tally.kind",
				   "found %s, which profile %s does not offer", tally_kind_word(t->kind), t->profile);
	if (t->kind == TALLY_HOLD)
		return OK;
	v->way = profile_way(v->profile, t->kind, t->way);
	if (v->way == NULL)
		return fault_raise(f, ERR_RULE, "way_unknown", "tally.way",
				   "found \"%s\", which profile %s does not offer for %s", t->way, t->profile,
				   tally_kind_word(t->kind));
	return OK;
}

static enum err predecessor_bad(const struct tally *t, const char *rule, const char *found, struct fault *f)
{
	return fault_raise(f, ERR_RULE, rule, "tally.predecessor", "certificate %s %s; kind %s cannot follow it",
			   SERIAL(&t->predecessor.serial), found, tally_kind_word(t->kind));
}

static enum err predecessor_state(const struct tally *t, const struct facts *x, struct fault *f)
{
	bool follows = tally_kind_issues(t->kind);
	bool may_be_held = t->kind == TALLY_REISSUE || t->kind == TALLY_REVOKE || t->kind == TALLY_RELEASE;

	if (x->revoked)
		return predecessor_bad(t, "predecessor_revoked", "is revoked", f);
	if (x->fallen && follows)
		return predecessor_bad(t, "predecessor_revoked", "is by a CA that the root has revoked", f);
	if (x->ended)
		return predecessor_bad(t, "predecessor_ended", "has ended", f);
	if (x->succeeded && follows)
		return predecessor_bad(t, "predecessor_succeeded", "has a successor already", f);
	if (x->held && !may_be_held)
		return predecessor_bad(t, "predecessor_held", "is on hold", f);
	if (!x->held && t->kind == TALLY_RELEASE)
		return predecessor_bad(t, "predecessor_not_held", "is not on hold", f);
	return OK;
}

enum err judge_predecessor(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f)
{
	(void)v;
	if (t->kind == TALLY_ENROL || from_code(t->kind))
		return OK;
	if (!t->has_predecessor || !x->has_predecessor)
		return fault_raise(f, ERR_RULE, "predecessor_unknown", "tally.predecessor",
				   "found no certificate issued or adopted here, wanted one for kind %s",
				   tally_kind_word(t->kind));
	TRY(predecessor_state(t, x, f));
	if (x->weak && t->has_key && !t->key_is_new)
		return fault_raise(f, ERR_RULE, "predecessor_weak", "tally.key",
				   "certificate %s has a key or signature below today's strength: wanted a new key",
				   SERIAL(&t->predecessor.serial));
	return OK;
}

/* The larger of floor and policy, and one officer more for an identifier that lives elsewhere. */
static void needs_people(const struct tally *t, struct verdict *v)
{
	const struct floor *floor = floor_of(t->kind);
	unsigned proof = v->same_key ? floor->proof_same : floor->proof_new;
	unsigned officers = v->same_key ? floor->officers_same : floor->officers_new;
	unsigned asked = v->way != NULL ? (unsigned)v->way->officers : 0;
	unsigned halves = v->same_key ? PROOF_CURRENT : PROOF_CURRENT | PROOF_NEW;

	if (floor->either && v->way != NULL && (v->way->proof & PROOF_CURRENT) != 0)
		officers = 0;
	else if (floor->either)
		proof = 0;
	v->proof = proof | (v->way != NULL ? (unsigned)v->way->proof & halves : 0);
	v->officers = (asked > officers ? asked : officers) + (t->has_collides ? 1 : 0);
}

/* A hold names no way: the most that the profile asks for one counts. */
static unsigned hold_officers(const struct profile *p)
{
	const struct policy_kind *k = profile_kind(p, TALLY_HOLD);
	int64_t most = 0;

	for (size_t i = 0; k != NULL && i < k->ways.n; i++)
		most = ways_of(k)[i].officers > most ? ways_of(k)[i].officers : most;
	return (unsigned)most;
}

unsigned judge_reissue_reason(const struct policy_way *w)
{
	const char *word = strcmp(w->way, "lost") == 0 ? "keyCompromise" : w->reason != NULL ? w->reason : "superseded";

	return (unsigned)crl_reason_from_word(word);
}

/* What the way says of the predecessor, but never less than this: a reissue ends it, and a lost key's ends at once. */
static void needs_fate(const struct tally *t, const struct facts *x, struct verdict *v)
{
	int key_compromise = crl_reason_from_word("keyCompromise");
	const char *word = v->way->reason != NULL ? v->way->reason : "superseded";

	v->revoke_predecessor = x->has_predecessor && (v->way->fate == FATE_REVOKE || t->kind == TALLY_REISSUE);
	v->reason = t->kind == TALLY_REISSUE ? judge_reissue_reason(v->way) : (unsigned)crl_reason_from_word(word);
	v->revoke_at = x->now + (v->reason == (unsigned)key_compromise ? 0 : v->way->grace_days * 86400);
}

enum err judge_needs(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f)
{
	v->same_key = !t->has_key || !t->key_is_new;
	needs_people(t, v);
	if (t->kind == TALLY_HOLD && v->profile != NULL)
		v->officers = hold_officers(v->profile);
	if (t->kind == TALLY_REVOKE) {
		v->revoke_predecessor = true;
		v->reason = t->reason >= 0 ? (unsigned)t->reason : 0;
		v->revoke_at = x->now;
	} else if (v->way != NULL && tally_kind_issues(t->kind)) {
		needs_fate(t, x, v);
	}
	if (t->kind == TALLY_REISSUE && t->reason != (int)v->reason)
		return fault_raise(f, ERR_RULE, "reason_way", "tally.reason", "found %s, wanted %s by way %s",
				   t->reason >= 0 ? crl_reason_word((unsigned)t->reason) : "none",
				   crl_reason_word(v->reason), t->way);
	return OK;
}

static enum err key_same(const struct tally *t, const struct facts *x, const struct verdict *v, struct fault *f)
{
	bool must_new = t->kind == TALLY_ENROL || t->kind == TALLY_REISSUE;
	bool equal = x->has_predecessor && memcmp(x->key_sha256, t->key_sha256, 32) == 0;

	if (t->key_is_new == equal)
		return fault_raise(f, ERR_RULE, "key_same", "tally.key",
				   "found \"%s\" with a key that is %s the predecessor's",
				   t->key_is_new ? "new" : "same", equal ? "" : "not");
	if (t->key_is_new ? !v->way->new_key_allowed && !must_new : !v->way->same_key_allowed || must_new)
		return fault_raise(f, ERR_RULE, "key_same", "tally.key",
				   "found a %s key, wanted a %s one by way %s of profile %s",
				   t->key_is_new ? "new" : "same", t->key_is_new ? "same" : "new", t->way, t->profile);
	return OK;
}

static enum err key_bits(const struct profile *p, const struct pubkey *key, struct fault *f)
{
	if ((p->key_algs >> key->alg & 1) == 0)
		return fault_raise(f, ERR_RULE, "key_algorithm", "tally.key",
				   "found a key of algorithm %s, which profile %s does not list",
				   key_alg_word(key->alg), p->name);
	if (key->alg == KEY_RSA && ((int64_t)key->bits < p->rsa_min_bits || (int64_t)key->bits > p->rsa_max_bits))
		return fault_raise(f, ERR_RULE, "key_strength", "tally.key",
				   "found RSA of %u bits, wanted %lld to %lld by profile %s", key->bits,
				   (long long)p->rsa_min_bits, (long long)p->rsa_max_bits, p->name);
	return OK;
}

enum err judge_key(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f)
{
	if (!tally_kind_issues(t->kind))
		return OK;
	if (!t->has_key || x->key == NULL || memcmp(x->key->spki_sha256, t->key_sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "key_hash", "tally.key",
				   "found no key whose SHA-256 is the one that the tally names");
	if (v->profile != NULL && v->way != NULL) {
		TRY(key_same(t, x, v, f));
		TRY(key_bits(v->profile, x->key, f));
	}
	TRY(pubkey_check_strength(x->key, "tally.key", f));
	if (v->profile != NULL && !t->key_is_new && (int64_t)x->renewals >= v->profile->renewal_times)
		return fault_raise(f, ERR_RULE, "renewal_times", "tally.key",
				   "this key was certified again %u times, wanted fewer than %lld by profile %s: a new "
				   "key is needed",
				   x->renewals, (long long)v->profile->renewal_times, v->profile->name);
	return OK;
}

static bool has_material(const struct tally *t, const char *name)
{
	for (size_t i = 0; i < t->n_materials; i++) {
		if (strcmp(t->materials[i].name, name) == 0)
			return true;
	}
	return false;
}

static enum err choice_made(const struct tally *t, const struct material_any *any, struct fault *f)
{
	_cleanup_buf_ struct buf words = {0};

	for (size_t i = 0; i < any->of.n; i++) {
		if (has_material(t, any->of.v[i]))
			return OK;
		buf_fmt(&words, "%s%s", i > 0 ? ", " : "", any->of.v[i]);
	}
	return fault_raise(f, ERR_RULE, "materials_missing", "tally.material", "found none of %s, wanted at least one",
			   buf_text(&words));
}

static enum err materials_judge(const struct tally *t, const struct policy_way *w, struct fault *f)
{
	for (size_t i = 0; i < t->n_materials; i++) {
		if (!way_material(w, t->materials[i].name))
			return fault_raise(f, ERR_RULE, "material_unknown", "tally.material",
					   "found %s, which way %s does not ask for", t->materials[i].name, w->way);
	}
	for (size_t i = 0; i < w->materials.all_of.n; i++) {
		if (!has_material(t, w->materials.all_of.v[i]))
			return fault_raise(f, ERR_RULE, "materials_missing", "tally.material",
					   "found no %s, wanted it by way %s", w->materials.all_of.v[i], w->way);
	}
	for (size_t i = 0; i < w->materials.any_of.n; i++)
		TRY(choice_made(t, &anys_of(w)[i], f));
	return OK;
}

static enum err notice_judge(const struct policy *p, const struct tally *t, const struct policy_way *w, struct fault *f)
{
	const struct notice *notice = policy_notice(p, t->notice);

	if (w->notice == NULL && t->notice[0] == '\0')
		return OK;
	if (w->notice != NULL && strcmp(t->notice, w->notice) != 0)
		return fault_raise(f, ERR_RULE, "notice_missing", "tally.notice",
				   "found notice \"%s\", wanted %s accepted by way %s", t->notice, w->notice, w->way);
	if (notice == NULL || memcmp(notice->sha256, t->notice_sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "notice_missing", "tally.notice",
				   "found notice \"%s\" with a text that is not the one of %s", t->notice, p->origin);
	return OK;
}

static enum err order_judge(const struct tally *t, const struct policy_way *w, struct fault *f)
{
	bool has = t->order[0] != '\0';
	bool extended = t->add_months > 0;
	/* A change's extension is ordered, whatever its way says. */
	bool wanted = w->order == WAY_ORDER_ALWAYS ||
		      (extended && (w->order == WAY_ORDER_EXTENDED || t->kind == TALLY_CHANGE));

	if (wanted && !has)
		return fault_raise(f, ERR_RULE, "order_missing", "tally.order",
				   "found no order, wanted a paid one by way %s", w->way);
	if (!wanted && has)
		return fault_raise(f, ERR_RULE, "order_unwanted", "tally.order",
				   "found order %s, wanted none: way %s asks none%s", t->order, w->way,
				   w->order == WAY_ORDER_EXTENDED ? " where validity is kept" : "");
	return OK;
}

static enum err files_judge(const struct tally *t, const struct policy_way *w, struct fault *f)
{
	if (t->files == FILES_UNSAID && w->asks_files)
		return fault_raise(f, ERR_RULE, "files_unsaid", "tally.encrypted-files",
				   "found no answer, wanted whether encrypted files are still to be opened, by way %s",
				   w->way);
	/* The same key opens them still; with a new one the old must have done its work, or be given up in writing. */
	if (t->files == FILES_YES && t->key_is_new)
		return fault_raise(f, ERR_RULE, "files_pending", "tally.encrypted-files",
				   "encrypted files are still to be opened: wanted recovery first, or a waiver in "
				   "writing, before a new key");
	return OK;
}

enum err judge_papers(const struct policy *p, const struct tally *t, struct verdict *v, struct fault *f)
{
	if (v->way == NULL || !tally_kind_issues(t->kind))
		return OK;
	TRY(materials_judge(t, v->way, f));
	TRY(notice_judge(p, t, v->way, f));
	TRY(order_judge(t, v->way, f));
	TRY(files_judge(t, v->way, f));
	if (floor_of(t->kind)->key_seen && t->key_seen == KEY_SEEN_UNSAID)
		return fault_raise(
			f, ERR_RULE, "key_seen", "tally.key-seen",
			"found no answer, wanted how the officers saw the key: token, paper, call or person");
	return OK;
}

enum err judge(const struct policy *p, const struct tally *t, const struct facts *x, struct verdict *ret,
	       struct fault *f)
{
	struct verdict v = {0};

	if (t->kind < TALLY_KIND_N)
		TRY(judge_window(t, x->now, f));
	TRY(judge_policy(p, t, &v, f));
	if (!from_code(t->kind) && p->note.version > 0 && memcmp(p->note.sha256, t->policy, 32) != 0)
		return fault_raise(f, ERR_RULE, "policy_hash", "tally.policy", "found another policy than %s",
				   p->origin);
	TRY(judge_predecessor(t, x, &v, f));
	TRY(judge_needs(t, x, &v, f));
	TRY(judge_key(t, x, &v, f));
	TRY(judge_subject(t, x, &v, f));
	TRY(judge_papers(p, t, &v, f));
	TRY(judge_validity(t, x, &v, f));
	*ret = v;
	return OK;
}

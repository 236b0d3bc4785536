/*
 * The heads: the roster and the policies in force, read back from their entries. What was recorded is parsed again with
 * the same strict code that took it in, so a ledger that was tampered with does not load.
 */
#include "ca/signer.h"

#include "common/base/cleanup.h"

#include <string.h>

void policy_ready_done(struct policy_ready *p)
{
	for (size_t i = 0; p->templates && i < p->policy->n_profiles; i++)
		if (p->templates[i])
			template_free(p->templates[i]);
	free(p->templates);
	policy_freep(&p->policy);
	*p = (struct policy_ready){0};
}

enum err policy_ready_make(struct policy *policy, const struct cert *issuer, struct policy_ready *ret, struct fault *f)
{
	_cleanup_(policy_ready_done) struct policy_ready p = {.policy = policy};
	p.templates = xcalloc(policy->n_profiles ? policy->n_profiles : 1, sizeof(struct template *));
	for (size_t i = 0; i < policy->n_profiles; i++)
		TRY(template_new(&policy->profiles[i], issuer, &p.templates[i], f));
	*ret = p;
	p = (struct policy_ready){0}; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	return OK;
}

const struct template *policy_ready_template(const struct policy_ready *p, const struct profile *profile)
{
	return p->templates[profile - p->policy->profiles];
}

static enum err check_hash(const char *what, const uint8_t found[32], const struct head *head, struct fault *f)
{
	if (memcmp(found, head->sha256, 32) == 0)
		return OK;
	return fault_raise(f, ERR_DB, "head_hash", what, "entry %llu does not have the hash that was recorded for it",
			   (unsigned long long)head->entry);
}

static enum err load_roster(struct db *db, const struct head *head, struct roster *ret, struct fault *f)
{
	_cleanup_buf_ struct buf body = {0};
	_cleanup_(note_done) struct note note = {0};
	struct wire_e_roster e;
	TRY(ledger_entry(db, head->entry, &body, f));
	TRY(wire_e_roster_get(buf_slice(&body), &e, f));
	TRY(note_parse(e.note, 1, &note, f));
	TRY(roster_parse(note.text, ret, f));
	return check_hash("roster", ret->sha256, head, f);
}

static enum err load_files(struct db *db, const struct policy_note *list, struct policy_source *files, struct fault *f)
{
	for (size_t i = 0; i < list->n_files; i++) {
		snprintf(files[i].path, sizeof(files[i].path), "%s", list->files[i].path);
		TRY(ledger_file(db, list->files[i].sha256, &files[i].bytes, f));
	}
	return OK;
}

static enum err load_bundle(struct db *db, struct slice note_bytes, struct policy **ret, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(policy_note_done) struct policy_note list = {0};
	TRY(note_parse(note_bytes, 1, &note, f));
	TRY(policy_note_parse(note.text, &list, f));
	struct policy_source *files = xcalloc(list.n_files ? list.n_files : 1, sizeof(*files));
	enum err e = load_files(db, &list, files, f);
	if (e == OK)
		e = policy_load(note_bytes, files, list.n_files, ret, f);
	policy_sources_done(files, list.n_files);
	return e;
}

static enum err load_policy(struct db *db, const struct head *head, const struct cert *issuer, struct policy_ready *ret,
			    struct fault *f)
{
	_cleanup_buf_ struct buf body = {0};
	struct wire_e_policy e;
	struct policy *policy = NULL;
	TRY(ledger_entry(db, head->entry, &body, f));
	TRY(wire_e_policy_get(buf_slice(&body), &e, f));
	TRY(load_bundle(db, e.note, &policy, f));
	enum err r = check_hash("policy", policy->note.sha256, head, f);
	if (r != OK) {
		policy_free(policy);
		return r;
	}
	return policy_ready_make(policy, issuer, ret, f);
}

static enum err load_heads(struct db *db, const struct cert *issuer, struct heads *h, struct fault *f)
{
	struct head before;
	TRY(ledger_head(db, HEAD_ROSTER, &h->roster_head, f));
	TRY(ledger_head(db, HEAD_POLICY, &h->policy_head, f));
	TRY(ledger_head(db, HEAD_POLICY_BEFORE, &before, f));
	if (h->roster_head.version == 0 || h->policy_head.version == 0)
		return fault_raise(f, ERR_CONFIG, "heads_missing", "ledger",
				   "the ledger has no roster or no policy: its genesis was not finished");
	TRY(load_roster(db, &h->roster_head, &h->roster, f));
	roster_expect(&h->roster);
	TRY(load_policy(db, &h->policy_head, issuer, &h->now, f));
	if (before.version == 0 || h->now.policy->note.until == 0)
		return OK;
	return load_policy(db, &before, issuer, &h->before, f);
}

enum err heads_load(struct db *db, const struct cert *issuer, struct heads **ret, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = xcalloc(1, sizeof(*h));
	atomic_init(&h->refs, 1);
	TRY(load_heads(db, issuer, h, f));
	*ret = TAKE(h);
	return OK;
}

void heads_unref(struct heads *h)
{
	if (atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	policy_ready_done(&h->now);
	policy_ready_done(&h->before);
	roster_done(&h->roster);
	free(h);
}

/*
 * The operator's socket: what no RA may send. Rosters and policies each follow the recorded head, signed by a quorum of
 * the roster in force; the operator only carries them. Unlocking hands over the passphrase; a tally here needs no RA's
 * line and a CRL is handed out, so that revoking works, to the end, with the RA down.
 */
#include "ca/operator.h"

#include "ca/adopt.h"
#include "ca/build_ext.h"
#include "ca/change.h"
#include "ca/ended.h"
#include "ca/restore.h"
#include "ca/serve.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/note/difference.h"

#include <string.h>

/* --- roster --- */

struct record {
	enum ledger_head which;
	struct head before; /* version 0: none */
	struct head next;
	struct slice note;
	const struct policy_note *list;
	const struct policy_source *files;
};

static enum err check_head(struct ledger_tx *tx, const struct record *x, struct fault *f)
{
	struct head now;
	TRY(ledger_head(tx->db, x->which, &now, f));
	if (now.version != x->before.version || memcmp(now.sha256, x->before.sha256, 32) != 0)
		return fault_raise(f, ERR_BUSY, "heads_changed", "ledger", "another one was recorded a moment ago");
	return OK;
}

static enum err roster_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct record *x = arg;
	struct wire_e_roster e = {.note = x->note};
	TRY(check_head(tx, x, f));
	TRY(ledger_append_e_roster(tx, &e, &x->next.entry, f));
	return ledger_head_set(tx, HEAD_ROSTER, &x->next, f);
}

/* The first roster is signed by a quorum of its own officers, in the ceremony. */
static enum err judge_roster(const uint8_t ca[20], const struct roster *now, const struct roster *next,
			     const struct note *note, struct fault *f)
{
	TRY(roster_follows(next, now, ca, f));
	return roster_quorum(now ? now : next, note, "roster", f);
}

enum err roster_record(struct ledger *l, const uint8_t ca[20], const struct roster *now, struct slice note_bytes,
		       uint64_t *ret_index, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(roster_done) struct roster next = {0};
	struct record x = {.which = HEAD_ROSTER, .note = note_bytes};
	TRY(note_parse(note_bytes, 1, &note, f));
	TRY(roster_parse(note.text, &next, f));
	TRY(judge_roster(ca, now, &next, &note, f));
	if (now) {
		x.before.version = now->version;
		memcpy(x.before.sha256, now->sha256, 32);
	}
	x.next.version = next.version;
	memcpy(x.next.sha256, next.sha256, 32);
	TRY(ledger_do(l, roster_op, &x, f));
	*ret_index = x.next.entry;
	_cleanup_buf_ struct buf difference = {0};
	roster_difference(now, &next, &difference);
	log_audit("roster", "version=%llu entry=%llu", (unsigned long long)next.version,
		  (unsigned long long)x.next.entry);
	change_log("roster_change", &difference);
	return OK;
}

/* --- policy --- */

static enum err policy_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct record *x = arg;
	struct wire_e_policy e = {.note = x->note};
	TRY(check_head(tx, x, f));
	TRY(ledger_append_e_policy(tx, &e, &x->next.entry, f));
	for (size_t i = 0; i < x->list->n_files; i++)
		TRY(ledger_file_add(tx, x->list->files[i].sha256, buf_slice(&x->files[i].bytes), f));
	return ledger_head_set(tx, HEAD_POLICY, &x->next, f);
}

/* The first error of a lint report, which has a line for each finding, warnings too. */
static struct slice first_error(const struct buf *report)
{
	const char *line = buf_text(report);
	while (strncmp(line, "error ", 6) != 0 && strchr(line, '\n'))
		line = strchr(line, '\n') + 1;
	return slice_of(line, strcspn(line, "\n"));
}

/* A bundle with errors of meaning, or one that our issuer cannot serve, is not taken in. */
static enum err judge_bundle(const struct policy *policy, const struct cert *issuer, struct fault *f)
{
	_cleanup_buf_ struct buf report = {0};
	if (policy_lint(policy, &report) > 0) {
		struct slice line = first_error(&report);
		return fault_raise(f, ERR_RULE, "policy_lint", "policy", "%.500s", ESC(line.p, line.n));
	}
	for (size_t i = 0; i < policy->n_profiles; i++) {
		struct template *t = NULL;
		TRY(template_new(&policy->profiles[i], issuer, &t, f));
		template_free(t);
	}
	return OK;
}

/* Where certificates of a policy say that their CRLs are: its profiles agree (lint). NULL: nowhere. */
static const char *crl_url(const struct policy *p)
{
	for (size_t i = 0; i < p->n_profiles; i++) {
		const struct profile_ext *exts = p->profiles[i].extensions.v;
		for (size_t k = 0; k < p->profiles[i].extensions.n; k++)
			if (exts[k].type == EXT_CRL_DP)
				return exts[k].url;
	}
	return NULL;
}

static unsigned crl_shards(const struct policy *p)
{
	unsigned most = 0;
	for (size_t i = 0; i < p->n_profiles; i++)
		most = profile_shards(&p->profiles[i]) > most ? profile_shards(&p->profiles[i]) : most;
	return most;
}

static enum err same_urls(const char *was, const char *is, unsigned shards, struct fault *f)
{
	static const uint8_t any[20] = {0};
	for (unsigned shard = 0; was && shard < shards; shard++) {
		_cleanup_buf_ struct buf before = {0}, after = {0};
		url_expand(was, any, &shard, &before);
		url_expand(is ? is : "", any, &shard, &after);
		if (!slice_eq(buf_slice(&before), buf_slice(&after)))
			return fault_raise(f, ERR_RULE, "policy_crl", "policy",
					   "found CRL URL %s, wanted one that leads where %s does: certificates name "
					   "that, and a CRL of another URL is not taken for them (RFC 5280 6.3.3)",
					   is ? is : "none", was);
	}
	return OK;
}

/* What certificates name stays: their CRLs are found there as long as they are asked for. */
static enum err judge_crls(struct ledger *l, const struct policy *now, const struct policy *next, struct fault *f)
{
	struct db *db;
	bool issued = false;
	if (!now)
		return OK;
	TRY(ledger_reader(l, &db, f));
	enum err e = ledger_has_issued(db, &issued, f);
	ledger_reader_put(l, db);
	if (e != OK || !issued)
		return e;
	if (crl_shards(next) < crl_shards(now))
		return fault_raise(f, ERR_RULE, "policy_crl", "policy",
				   "found %u shards of CRLs, wanted %u or more: certificates name the others, which "
				   "would not be made any more",
				   crl_shards(next), crl_shards(now));
	return same_urls(crl_url(now), crl_url(next), crl_shards(now), f);
}

/* A line of certificates is found by the profile's identifier: by another one, those of before would be nobody's. */
static enum err judge_identifiers(struct ledger *l, const struct policy *now, const struct policy *next,
				  struct fault *f)
{
	for (size_t i = 0; now && i < next->n_profiles; i++) {
		const struct profile *p = &next->profiles[i], *was = policy_profile(now, p->name);
		struct db *db;
		bool has = false;
		if (!was || strcmp(was->identifier, p->identifier) == 0)
			continue;
		TRY(ledger_reader(l, &db, f));
		enum err e = ledger_has_profile(db, p->name, &has, f);
		ledger_reader_put(l, db);
		TRY(e);
		if (has)
			return fault_raise(f, ERR_RULE, "policy_identifier", "policy",
					   "profile %s: found identifier %s, wanted %s: its certificates are known by "
					   "that, and two could come to have one identifier",
					   p->name, p->identifier, was->identifier);
	}
	return OK;
}

/* No tally, and so no revocation, is judged in a place that the policy does not know. */
static enum err judge_place(struct ledger *l, const struct policy *next, const char *project, const char *profile,
			    struct fault *f)
{
	const struct project *p = policy_project(next, project);
	struct db *db;
	int64_t now;
	bool lives = false;
	if (p && project_has_profile(p, profile))
		return OK;
	TRY(ledger_now(l, &now, f));
	TRY(ledger_reader(l, &db, f));
	enum err e = ledger_lives_in(db, project, profile, now, &lives, f);
	ledger_reader_put(l, db);
	if (e != OK || !lives)
		return e;
	return fault_raise(
		f, ERR_RULE, "policy_place", "policy",
		"found no project %s with profile %s, wanted them until the last certificate there has ended: "
		"nobody could revoke it",
		project, profile);
}

static enum err judge_places(struct ledger *l, const struct policy *now, const struct policy *next, struct fault *f)
{
	for (size_t i = 0; now && i < now->n_projects; i++) {
		const struct project *p = &now->projects[i];
		for (size_t k = 0; k < p->profiles.n; k++)
			TRY(judge_place(l, next, p->name, p->profiles.v[k], f));
	}
	return OK;
}

/* Files in the order of the note's list, which policy_load() has compared with them. */
static enum err order_files(const struct policy_note *list, const struct policy_source *files, size_t n_files,
			    struct policy_source *ret, struct fault *f)
{
	for (size_t i = 0; i < list->n_files; i++) {
		size_t k = 0;
		while (k < n_files && strcmp(files[k].path, list->files[i].path) != 0)
			k++;
		if (k == n_files)
			return fault_raise(f, ERR_RULE, "policy_files", "policy.file", "found no bytes of %s",
					   list->files[i].path);
		ret[i] = files[k]; /* borrowed */
	}
	return OK;
}

enum err policy_record(struct ledger *l, const uint8_t ca[20], const struct cert *issuer, const struct roster *roster,
		       const struct policy *in_force, struct slice note_bytes, const struct policy_source *files,
		       size_t n_files, uint64_t *ret_index, struct fault *f)
{
	const struct policy_note *now = in_force ? &in_force->note : NULL;
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(policy_note_done) struct policy_note next = {0};
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct record x = {.which = HEAD_POLICY, .note = note_bytes, .list = &next};
	TRY(note_parse(note_bytes, 1, &note, f));
	TRY(policy_note_parse(note.text, &next, f));
	TRY(policy_note_follows(&next, now, ca, f));
	TRY(roster_quorum(roster, &note, "policy", f));
	TRY(policy_load(note_bytes, files, n_files, &policy, f));
	TRY(judge_bundle(policy, issuer, f));
	TRY(judge_crls(l, in_force, policy, f));
	TRY(judge_identifiers(l, in_force, policy, f));
	TRY(judge_places(l, in_force, policy, f));
	_cleanup_(freep) struct policy_source *ordered = xcalloc(next.n_files + 1, sizeof(*ordered));
	TRY(order_files(&next, files, n_files, ordered, f));
	x.files = ordered;
	if (now) {
		x.before.version = now->version;
		memcpy(x.before.sha256, now->sha256, 32);
	}
	x.next.version = next.version;
	memcpy(x.next.sha256, next.sha256, 32);
	TRY(ledger_do(l, policy_op, &x, f));
	*ret_index = x.next.entry;
	_cleanup_buf_ struct buf difference = {0};
	policy_note_difference(now, &next, &difference);
	change_log("policy_change", &difference);
	log_audit("policy", "version=%llu entry=%llu files=%zu", (unsigned long long)next.version,
		  (unsigned long long)x.next.entry, next.n_files);
	return OK;
}

/* --- messages --- */

static void put_ok(uint64_t index, struct buf *reply)
{
	wire_ok_put(&(struct wire_ok){.index = index}, reply);
}

static enum err serve_roster(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	struct wire_roster m;
	uint64_t index;
	TRY(wire_roster_get(request, &m, f));
	TRY(roster_record(s->ledger, s->ca, &h->roster, m.note, &index, f));
	TRY(signer_reload(s, f));
	put_ok(index, reply);
	return OK;
}

/* Paths and bytes in turn. Gives: policy_sources_done(). */
static enum err sources_of(const struct wire_list *l, struct policy_source **ret, size_t *ret_n, struct fault *f)
{
	size_t n = l->n / 2, bytes = 0;
	if (l->n % 2 != 0)
		return fault_raise(f, ERR_PARSE, "policy_files", "policy.files",
				   "found %zu items, wanted paths and bytes in turn", l->n);
	for (size_t i = 0; i < n; i++) {
		struct slice path = l->v[2 * i];
		bytes += l->v[2 * i + 1].n;
		if (path.n == 0 || path.n >= POLICY_PATH || memchr(path.p, 0, path.n))
			return fault_raise(f, ERR_PARSE, "policy_path", "policy.files", "found a path of %zu bytes",
					   path.n);
	}
	if (bytes > POLICY_MAX_BUNDLE)
		return fault_raise(f, ERR_LIMIT, "policy_size", "policy.files", "%zu bytes, at most %u are allowed",
				   bytes, POLICY_MAX_BUNDLE);
	struct policy_source *files = xcalloc(n ? n : 1, sizeof(*files));
	for (size_t i = 0; i < n; i++) {
		memcpy(files[i].path, l->v[2 * i].p, l->v[2 * i].n);
		buf_add_slice(&files[i].bytes, l->v[2 * i + 1]);
	}
	*ret = files;
	*ret_n = n;
	return OK;
}

static enum err take_policy(struct signer *s, const struct wire_policy *m, uint64_t *ret_index, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	struct policy_source *files = NULL;
	size_t n = 0;
	TRY(sources_of(&m->files, &files, &n, f));
	enum err e =
		policy_record(s->ledger, s->ca, &s->issuer, &h->roster, h->now.policy, m->note, files, n, ret_index, f);
	policy_sources_done(files, n);
	return e;
}

static enum err serve_policy(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_policy m;
	uint64_t index;
	TRY(wire_policy_get(request, &m, f));
	enum err e = take_policy(s, &m, &index, f);
	wire_policy_done(&m);
	TRY(e);
	TRY(signer_reload(s, f));
	put_ok(index, reply);
	return OK;
}

static enum err serve_unlock(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_secret_ struct secret passphrase = {0};
	struct wire_unlock m;
	TRY(wire_unlock_get(request, &m, f));
	if (m.passphrase.n == 0)
		return fault_raise(f, ERR_PARSE, "passphrase_empty", "unlock.passphrase", "found none");
	secret_alloc(&passphrase, m.passphrase.n);
	memcpy(passphrase.p, m.passphrase.p, m.passphrase.n);
	TRY(signer_unlock(s, &passphrase, f));
	put_ok(ledger_size(s->ledger), reply);
	return OK;
}

/* --- custody --- */

static enum err serve_custody(struct signer *s, struct buf *reply)
{
	const struct ca_key *keys[CUSTODY_KEYS];
	bool open[CUSTODY_KEYS];
	signer_keys(s, keys);
	for (size_t i = 0; i < CUSTODY_KEYS; i++)
		open[i] = keys[i] != NULL;
	ca_custody_say(s->custody, open, reply);
	return OK;
}

static enum err serve_split(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	const struct ca_key *keys[CUSTODY_KEYS];
	struct wire_split m;
	TRY(wire_split_get(request, &m, f));
	TRY(signer_all_keys(s, keys, f));
	TRY(ca_custody_split(s->custody, &h->roster, keys, m.note, f));
	return serve_custody(s, reply);
}

static enum err serve_share(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	struct ca_key *keys[CUSTODY_KEYS];
	struct wire_share m;
	TRY(wire_share_get(request, &m, f));
	TRY(ca_custody_submit(s->custody, &h->roster, m.note, keys, f));
	TRY(signer_take_keys(s, keys, f));
	return serve_custody(s, reply);
}

static enum err serve_resume(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct wire_resume m;
	uint64_t index;
	TRY(wire_resume_get(request, &m, f));
	TRY(restore_resume(s, &m, &index, f));
	put_ok(index, reply);
	return OK;
}

/* What changes heads or adopts comes one at a time: each is judged by the one before it. */
typedef enum err operator_fn(struct signer *s, struct slice request, struct buf *reply, struct fault *f);

static enum err one_at_a_time(operator_fn *fn, struct signer *s, struct slice request, struct buf *reply,
			      struct fault *f)
{
	pthread_mutex_lock(&s->operator_lock);
	enum err e = fn(s, request, reply, f);
	pthread_mutex_unlock(&s->operator_lock);
	return e;
}

static enum err dispatch(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	enum wire_type type;
	TRY(wire_type(request, &type, f));
	if (type == WIRE_TYPE_TALLY) {
		serve_tally(s, true, request, reply);
		return OK;
	}
	if (type == WIRE_TYPE_ADOPT)
		return one_at_a_time(adopt, s, request, reply, f);
	if (type == WIRE_TYPE_ROSTER)
		return one_at_a_time(serve_roster, s, request, reply, f);
	if (type == WIRE_TYPE_POLICY)
		return one_at_a_time(serve_policy, s, request, reply, f);
	if (type == WIRE_TYPE_CHANGE)
		return serve_change(s, request, reply, f);
	if (type == WIRE_TYPE_UNLOCK)
		return serve_unlock(s, request, reply, f);
	if (type == WIRE_TYPE_CUSTODY)
		return serve_custody(s, reply);
	if (type == WIRE_TYPE_SPLIT)
		return one_at_a_time(serve_split, s, request, reply, f);
	if (type == WIRE_TYPE_SHARE)
		return one_at_a_time(serve_share, s, request, reply, f);
	if (type == WIRE_TYPE_STATUS)
		return serve_health(s, reply, f);
	if (type == WIRE_TYPE_CRL)
		return serve_crl(s, request, reply, f);
	if (type == WIRE_TYPE_ENDED)
		return serve_ended(s, request, reply, f);
	if (type == WIRE_TYPE_RECEIPT)
		return serve_receipt(s, request, reply, f);
	if (type == WIRE_TYPE_SEEN)
		return serve_seen(s, request, reply, f);
	if (type == WIRE_TYPE_RESUME)
		return one_at_a_time(serve_resume, s, request, reply, f);
	return fault_raise(f, ERR_DENIED, "message_not_served", "message", "%s is not served on the operator's socket",
			   wire_type_word(type));
}

void signer_handle_operator(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	struct fault f = {0};
	if (dispatch(arg, request, reply, &f) != OK) {
		log_event(LOG_LEVEL_NOTICE, "operator_refused", "uid=%u rule=%s text=%s", (unsigned)peer->uid,
			  LQ(f.rule), LQ(f.text));
		serve_fault(&f, reply);
	}
}

/*
 * The certificates of an export: sorted by pinned issuer and project, each lot one adoption note that officers sign and
 * the signer verifies one by one. Next file to read: import_apply.c.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/merkle.h"
#include "common/note/statement.h"
#include "tools/hufu/import.h"
#include "tools/hufu/note_files.h"

#include <string.h>

#define ADOPT_PART 128
#define CRL_MAX 8388608u		  /* of WIRE_ADOPT */
#define CRL_MAX_FILE (3u * (CRL_MAX / 2)) /* as PEM */
#define ADOPTION_LIFE_S (7 * 86400)

/* --- sorting --- */

/* Rows of one issuer and one project. */
struct lot {
	const struct pinned_issuer *issuer;
	const struct project *project;
	struct import_row **rows; /* owned array */
	merkle_hash *leaves;
	size_t n, cap;
	struct merkle_whole tree; /* over the leaves, once all are in */
};
struct lots {
	struct policy *policy;
	struct lot *v; /* owned */
	size_t n;
};
static void lots_done(struct lots *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].rows);
		free(l->v[i].leaves);
		merkle_whole_done(&l->v[i].tree);
	}
	freep(&l->v);
	policy_freep(&l->policy);
}

static enum err read_policy(const struct cli *c, struct policy **ret, struct fault *f)
{
	struct policy_source *files = NULL;
	size_t n = 0;
	TRY(policy_read_dir(c->policies, &files, &n, f));
	enum err e = policy_load((struct slice){0}, files, n, ret, f);
	policy_sources_done(files, n);
	return e;
}

static const struct pinned_issuer *issuer_of(const struct policy *p, const struct import_row *r)
{
	_cleanup_(cert_done) struct cert cert = {0};
	if (cert_parse(buf_slice(&r->der), &cert, NULL) != OK)
		return NULL;
	for (size_t i = 0; i < p->n_issuers; i++)
		if (cert_verify_by(&cert, &p->issuers[i].cert, NULL) == OK)
			return &p->issuers[i];
	return NULL;
}

/* By its name, title or alias, to the letter: old systems have it as people read it. */
static const struct project *project_of(const struct policy *p, const char *text)
{
	for (size_t i = 0; i < p->n_projects; i++) {
		const struct project *x = &p->projects[i];
		if (strcmp(text, x->name) == 0 || strcmp(text, x->title.zh) == 0 || strcmp(text, x->title.en) == 0)
			return x;
		for (size_t k = 0; k < x->aliases.n; k++)
			if (strcmp(text, x->aliases.v[k]) == 0)
				return x;
	}
	return NULL;
}

static void lot_add(struct lots *l, const struct pinned_issuer *issuer, const struct project *project,
		    struct import_row *r)
{
	struct lot *lot = NULL;
	for (size_t i = 0; i < l->n && !lot; i++)
		if (l->v[i].issuer == issuer && l->v[i].project == project)
			lot = &l->v[i];
	if (!lot) {
		l->v = xrealloc(l->v, l->n + 1, sizeof *l->v);
		lot = &l->v[l->n++];
		*lot = (struct lot){.issuer = issuer, .project = project};
	}
	if (lot->n == lot->cap) {
		lot->cap = lot->cap ? 2 * lot->cap : 64;
		lot->rows = xrealloc(lot->rows, lot->cap, sizeof(void *));
		lot->leaves = xrealloc(lot->leaves, lot->cap, sizeof *lot->leaves);
	}
	merkle_leaf(buf_slice(&r->der), lot->leaves[lot->n]);
	lot->rows[lot->n++] = r;
}

static enum err sort(const struct cli *c, const struct import_run *run, struct import_file *file, struct lots *ret,
		     struct import_progress *progress, struct fault *f)
{
	TRY(read_policy(c, &ret->policy, f));
	for (size_t i = 0; i < file->n; i++) {
		struct import_row *r = &file->rows[i];
		import_progress(progress, "issuers found", i + 1, file->n);
		const char *project_text = run->project ? run->project : import_get(r, "project");
		if (r->problem[0] || r->der.len == 0)
			continue;
		const struct pinned_issuer *issuer = issuer_of(ret->policy, r);
		const struct project *project = project_of(ret->policy, project_text);
		if (!issuer)
			snprintf(r->problem, sizeof r->problem,
				 "pem_file: no pinned issuer of the policy signed this certificate");
		else if (!project)
			snprintf(r->problem, sizeof r->problem, "project: the policy has no \"%.100s\"",
				 ESC(project_text, strlen(project_text)));
		else
			lot_add(ret, issuer, project, r);
	}
	for (size_t i = 0; i < ret->n; i++)
		merkle_whole_make((const merkle_hash *)ret->v[i].leaves, ret->v[i].n, &ret->v[i].tree);
	return OK;
}

/* --- one adoption --- */

struct adoption_file {
	struct buf note, crl;
	struct adoption adoption;
};
static void adoption_file_done(struct adoption_file *a)
{
	buf_done(&a->note);
	buf_done(&a->crl);
}

/* The one of the given CRLs that this issuer signed, when there is one. */
static enum err find_crl(const struct import_run *run, const struct lot *lot, struct adoption_file *a, struct fault *f)
{
	for (size_t i = 0; i < run->crls.n && !a->adoption.has_crl; i++) {
		struct crl crl = {0};
		buf_clear(&a->crl);
		TRY(der_load_long(run->crls.v[i], "X509 CRL", CRL_MAX_FILE, &a->crl, f));
		if (a->crl.len > CRL_MAX)
			return fault_raise(f, ERR_LIMIT, "crl_size", "crl", "%s: %zu bytes in DER, the signer takes %u",
					   run->crls.v[i], a->crl.len, CRL_MAX);
		TRY(crl_parse(buf_slice(&a->crl), &crl, f));
		a->adoption.has_crl = crl_verify_by(&crl, &lot->issuer->cert, NULL) == OK;
	}
	if (a->adoption.has_crl)
		sha256(a->crl.data, a->crl.len, a->adoption.crl_sha256);
	else
		buf_clear(&a->crl);
	return OK;
}

/* Fills reply, in which *ret points. */
static enum err signer_health(struct cli *c, struct buf *reply, struct wire_health_is *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_HEALTH_IS, reply, f));
	return wire_health_is_get(buf_slice(reply), ret, f);
}

static enum err adoption_head(struct cli *c, const struct import_run *run, const struct lot *lot,
			      struct adoption_file *ret, struct fault *f)
{
	struct adoption *a = &ret->adoption;
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is h = {0};
	TRY(signer_health(c, &reply, &h, f));
	memcpy(a->ca, h.ca, sizeof a->ca);
	memcpy(a->issuer, lot->issuer->cert.key.key_id, sizeof a->issuer);
	snprintf(a->project, sizeof a->project, "%s", lot->project->name);
	snprintf(a->profile, sizeof a->profile, "%s", run->profile ? run->profile : "organisation");
	a->count = lot->n;
	merkle_root((const merkle_hash *)lot->leaves, lot->n, a->root);
	/* Each run is a note of its own, since its times are: what an earlier run adopted is not taken twice. */
	random_fill(a->id, sizeof a->id);
	a->made = h.now;
	a->dies = h.now + ADOPTION_LIFE_S;
	return find_crl(run, lot, ret, f);
}

static enum err sign_adoption(const struct import_run *run, struct adoption_file *a, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	adoption_put(&a->adoption, &text);
	note_begin(buf_slice(&text), &a->note);
	for (size_t i = 0; i < run->officer_keys.n; i++) {
		_cleanup_(person_key_done) struct person_key k = {0};
		TRY(person_key_load(run->officer_keys.v[i], NULL, &k, f));
		TRY(note_sign_ed25519(&a->note, k.name, k.secret.p, f));
	}
	return OK;
}

/* "index rule text": the index is the certificate's place in the lot. */
static void tell_problems(const struct lot *lot, const struct wire_adopt_is *is, struct import_report *report)
{
	for (size_t i = 0; i < is->problems.n; i++) {
		struct slice p = is->problems.v[i];
		size_t n = 0;
		uint64_t at = 0;
		while (n < p.n && p.p[n] != ' ')
			n++;
		bool known = u64_parse((const char *)p.p, n, lot->n - 1, &at) && n < p.n;
		struct import_row *r = known ? lot->rows[at] : lot->rows[0];
		snprintf(r->problem, sizeof r->problem, "certificate: %.*s", (int)(p.n - n - (n < p.n)),
			 (const char *)p.p + n + (n < p.n));
		import_tell(report, r->line, "refused", r->problem);
	}
}

static enum err send_part(struct cli *c, const struct adoption_file *a, const struct lot *lot, size_t first, size_t n,
			  uint64_t *taken, struct import_report *report, struct fault *f)
{
	merkle_hash path[MERKLE_MAX_PATH];
	_cleanup_buf_ struct buf proofs = {0}, request = {0}, reply = {0};
	struct wire_adopt part = {.note = buf_slice(&a->note), .crl = buf_slice(&a->crl), .first = first};
	size_t at[ADOPT_PART + 1] = {0};
	for (size_t i = 0; i < n; i++) {
		size_t len = merkle_whole_path(&lot->tree, first + i, path);
		buf_add(&proofs, path, len * sizeof path[0]);
		at[i + 1] = proofs.len;
	}
	for (size_t i = 0; i < n; i++) {
		wire_list_add(&part.certs, buf_slice(&lot->rows[first + i]->der));
		wire_list_add(&part.proofs, slice_of(proofs.data + at[i], at[i + 1] - at[i]));
	}
	wire_adopt_put(&part, &request);
	wire_adopt_done(&part);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_ADOPT_IS, &reply, f));
	struct wire_adopt_is is = {0};
	TRY(wire_adopt_is_get(buf_slice(&reply), &is, f));
	*taken += is.taken;
	tell_problems(lot, &is, report);
	wire_adopt_is_done(&is);
	return OK;
}

static enum err adopt_lot(struct cli *c, const struct import_run *run, const struct lot *lot,
			  struct import_report *report, struct fault *f)
{
	_cleanup_(adoption_file_done) struct adoption_file a = {0};
	uint64_t taken = 0;
	size_t before = report->problems;
	TRY(adoption_head(c, run, lot, &a, f));
	TRY(sign_adoption(run, &a, f));
	for (size_t i = 0; i < lot->n; i += ADOPT_PART) {
		size_t n = lot->n - i < ADOPT_PART ? lot->n - i : ADOPT_PART;
		TRY(send_part(c, &a, lot, i, n, &taken, report, f));
		import_progress(report->progress, "certificates at the signer", i + n, lot->n);
	}
	import_tell_signer(report, lot->n, taken, report->problems - before);
	return OK;
}

enum err import_adopt(struct cli *c, const struct import_run *run, struct import_file *file,
		      struct import_report *report, struct fault *f)
{
	_cleanup_(lots_done) struct lots lots = {0};
	TRY(sort(c, run, file, &lots, report->progress, f));
	for (size_t i = 0; i < file->n; i++)
		if (file->rows[i].problem[0])
			import_tell(report, file->rows[i].line, "refused", file->rows[i].problem);
	for (size_t i = 0; i < lots.n; i++) {
		if (c->dry_run)
			import_tell_signer(report, lots.v[i].n, lots.v[i].n, 0);
		else
			TRY(adopt_lot(c, run, &lots.v[i], report, f));
	}
	return OK;
}

enum err import_ledger_size(struct cli *c, uint64_t *ret, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is h = {0};
	TRY(signer_health(c, &reply, &h, f));
	*ret = h.size;
	return OK;
}

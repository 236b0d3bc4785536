/*
 * Adoption. The officers signed a number, a Merkle root and the hash of the old issuer's last CRL; this file believes
 * nothing else: each certificate must be in that tree at its place, hold under the issuer that the policy pins, and be
 * absent from that CRL. A certificate that fails is told and left out, the others are taken; the same part sent again
 * takes nothing twice.
 */
#include "ca/adopt.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/note/merkle.h"
#include "common/pki/name.h"

#include <string.h>

struct part {
	struct signer *s;
	struct heads *heads;
	struct wire_adopt m;
	struct note note;
	struct adoption a;
	uint8_t sha256[32];
	const struct profile *profile;
	const struct pinned_issuer *issuer;
	struct crl crl;
	bool *fit;	      /* for each certificate: may be adopted */
	struct buf *problems; /* for each certificate: text, empty for none */
	uint32_t taken;
	uint64_t total;
};

/* --- the note --- */

static enum err check_note(struct part *p, struct fault *f)
{
	int64_t now;
	TRY(note_parse(p->m.note, 1, &p->note, f));
	TRY(adoption_parse(p->note.text, &p->a, f));
	note_text_sha256(&p->note, p->sha256);
	if (memcmp(p->a.ca, p->s->ca, 20) != 0)
		return fault_raise(f, ERR_RULE, "ca_unknown", "adoption.ca", "the adoption is for another CA");
	TRY(roster_quorum(&p->heads->roster, &p->note, "adoption", f));
	TRY(ledger_now(p->s->ledger, &now, f));
	if (p->a.dies <= now)
		return fault_raise(f, ERR_RULE, "adoption_expired", "adoption.dies", "the adoption has died");
	return OK;
}

static enum err check_place(struct part *p, struct fault *f)
{
	const struct policy *policy = p->heads->now.policy;
	const struct project *project = policy_project(policy, p->a.project);
	if (!project)
		return fault_raise(f, ERR_RULE, "project_unknown", "adoption.project",
				   "found \"%s\", which the policy does not know", p->a.project);
	p->profile = policy_profile(policy, p->a.profile);
	if (!p->profile || !project_has_profile(project, p->a.profile))
		return fault_raise(f, ERR_RULE, "profile_unknown", "adoption.profile",
				   "found \"%s\", which project %s does not have", p->a.profile, p->a.project);
	p->issuer = policy_issuer(policy, p->a.issuer);
	if (!p->issuer)
		return fault_raise(f, ERR_RULE, "issuer_not_pinned", "adoption.issuer",
				   "the policy pins no certificate of that issuer");
	struct issuer own;
	if (signer_issuer(p->s, p->a.issuer, &own))
		return fault_raise(f, ERR_RULE, "issuer_own", "adoption.issuer",
				   "a CA does not adopt its own certificates");
	return OK;
}

static enum err check_crl(struct part *p, struct fault *f)
{
	uint8_t hash[32];
	if (!p->a.has_crl && p->m.crl.n == 0)
		return OK;
	sha256(p->m.crl.p, p->m.crl.n, hash);
	if (!p->a.has_crl || memcmp(hash, p->a.crl_sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "adoption_crl", "adopt.crl",
				   "found a CRL of %zu bytes that is not the one whose hash the adoption names",
				   p->m.crl.n);
	TRY(crl_parse(p->m.crl, &p->crl, f));
	if (p->crl.idp.n > 0)
		return fault_raise(
			f, ERR_RULE, "adoption_crl_part", "adopt.crl",
			"found a CRL of one distribution point, wanted one that is complete (RFC 5280 5.2.5)");
	return crl_verify_by(&p->crl, &p->issuer->cert, f);
}

static enum err check_size(struct part *p, struct fault *f)
{
	if (p->m.certs.n != p->m.proofs.n)
		return fault_raise(f, ERR_PARSE, "adopt_proofs", "adopt.proofs",
				   "found %zu proofs for %zu certificates", p->m.proofs.n, p->m.certs.n);
	if (p->m.first > p->a.count || p->m.certs.n > p->a.count - p->m.first)
		return fault_raise(f, ERR_RULE, "adopt_range", "adopt.first",
				   "found certificates %llu to %llu, the adoption has %llu",
				   (unsigned long long)p->m.first, (unsigned long long)p->m.first + p->m.certs.n,
				   (unsigned long long)p->a.count);
	return OK;
}

/* --- one certificate --- */

static enum err check_included(const struct part *p, size_t i, struct fault *f)
{
	struct slice path = p->m.proofs.v[i];
	uint8_t leaf[32];
	merkle_hash hashes[MERKLE_MAX_PATH];
	merkle_leaf(p->m.certs.v[i], leaf);
	if (path.n % 32 != 0 || path.n / 32 > MERKLE_MAX_PATH)
		return fault_raise(f, ERR_PARSE, "adopt_proof", "adopt.proofs", "a path of %zu bytes", path.n);
	if (path.n > 0)
		memcpy(hashes, path.p, path.n);
	if (!merkle_included(leaf, p->m.first + i, p->a.count, (const merkle_hash *)hashes, path.n / 32, p->a.root))
		return fault_raise(f, ERR_RULE, "adopt_not_included", "adopt.certs",
				   "not in the manifest at that place (RFC 9162 2.1.3.2)");
	return OK;
}

static bool is_weak(const struct cert *c)
{
	return c->sigalg.weak || pubkey_check_strength(&c->key, "certificate.key", NULL) != OK;
}

static enum err check_certificate(const struct part *p, const struct cert *c, struct fault *f)
{
	TRY(cert_verify_by(c, &p->issuer->cert, f));
	if (c->is_ca)
		return fault_raise(f, ERR_RULE, "adopt_ca", "certificate", "the certificate of a CA cannot be adopted");
	return OK;
}

/* What the certificate's row says. *c borrows from the part. */
static enum err read_one(struct part *p, size_t i, struct cert *c, struct ledger_cert *row, struct fault *f)
{
	_cleanup_(name_done) struct name subject = {0};
	TRY(check_included(p, i, f));
	TRY(cert_parse(p->m.certs.v[i], c, f));
	TRY(check_certificate(p, c, f));
	TRY(name_parse(c->subject, &subject, f));
	const char *identifier = p->profile->identifier ? name_get(&subject, p->profile->identifier) : NULL;
	*row = (struct ledger_cert){.intent = LEDGER_NONE,
				    .not_before = c->not_before,
				    .not_after = c->not_after,
				    .line = ledger_line_hash(p->a.profile, identifier ? identifier : ""),
				    .adopted = true,
				    .weak = is_weak(c)};
	memcpy(row->ref.issuer_key_id, p->a.issuer, 20);
	row->ref.serial = c->serial;
	memcpy(row->project, p->a.project, sizeof(row->project));
	memcpy(row->profile, p->a.profile, sizeof(row->profile));
	memcpy(row->key, c->key.spki_sha256, 32);
	return OK;
}

static void tell(struct part *p, size_t i, const struct fault *why)
{
	buf_clear(&p->problems[i]);
	buf_fmt(&p->problems[i], "%llu %s %s", (unsigned long long)p->m.first + i, why->rule, why->text);
	p->fit[i] = false;
}

/* All of the part in one walk over the CRL, which may be long. */
static enum err check_revoked(struct part *p, const struct ledger_cert *rows, struct fault *f)
{
	size_t n = p->m.certs.n;
	_cleanup_(freep) struct serial *serials = xcalloc(n + 1, sizeof(*serials));
	_cleanup_(freep) struct crl_hit *hits = xcalloc(n + 1, sizeof(*hits));
	struct fault why = {0};
	for (size_t i = 0; i < n; i++)
		serials[i] = rows[i].ref.serial;
	TRY(crl_find_all(&p->crl, serials, n, hits, f));
	for (size_t i = 0; i < n; i++) {
		if (!p->fit[i] || !hits[i].found)
			continue;
		(void)fault_raise(&why, ERR_RULE, "adopt_revoked", "certificate.serial",
				  "%s is revoked by its issuer (%s)", SERIAL(&serials[i]),
				  crl_reason_word(hits[i].reason));
		tell(p, i, &why);
	}
	return OK;
}

/* --- the transaction --- */

static enum err find_adoption(struct ledger_tx *tx, struct part *p, struct ledger_adoption *a, struct fault *f)
{
	TRY(ledger_adoption(tx->db, p->a.id, a, f));
	if (a->entry != LEDGER_NONE && memcmp(a->sha256, p->sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "adoption_id_used", "adoption.id",
				   "%s belongs to an adoption with another text", TALLY_ID_TEXT(p->a.id));
	return OK;
}

/* Not before its first certificate: an import that is run again leaves nothing in the ledger. */
static enum err open_adoption(struct ledger_tx *tx, struct part *p, struct ledger_adoption *a, struct fault *f)
{
	struct wire_e_adoption e = {.note = p->m.note};
	if (a->entry != LEDGER_NONE)
		return OK;
	memcpy(a->sha256, p->sha256, 32);
	return ledger_append_e_adoption(tx, &e, &a->entry, f);
}

static enum err same_bytes(struct ledger_tx *tx, const struct ledger_cert *known, struct slice der, bool *ret,
			   struct fault *f)
{
	_cleanup_buf_ struct buf there = {0};
	TRY(signer_certificate(tx->db, known, &there, f));
	*ret = slice_eq(buf_slice(&there), der);
	return OK;
}

static enum err add_one(struct ledger_tx *tx, struct part *p, size_t i, struct ledger_adoption *a,
			struct ledger_cert *row, struct fault *f)
{
	struct ledger_cert known;
	struct wire_e_adopted e = {.cert = p->m.certs.v[i], .weak = row->weak};
	enum err there = ledger_cert(tx->db, &row->ref, &known, f);
	if (there == OK) {
		bool same;
		TRY(same_bytes(tx, &known, e.cert, &same, f));
		return same ? OK
			    : fault_raise(f, ERR_CONFLICT, "adopt_serial", "certificate.serial",
					  "%s is another certificate in the ledger", SERIAL(&row->ref.serial));
	}
	if (there != ERR_NOT_FOUND)
		return there;
	TRY(open_adoption(tx, p, a, f));
	e.adoption = a->entry;
	memcpy(e.issuer, row->ref.issuer_key_id, 20);
	TRY(ledger_append_e_adopted(tx, &e, &row->entry, f));
	row->root = 0;
	TRY(ledger_cert_add(tx, row, f));
	p->taken++;
	return OK;
}

struct adopt_op {
	struct part *p;
	struct ledger_cert *rows;
};

static enum err adopt_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct adopt_op *o = arg;
	struct part *p = o->p;
	struct ledger_adoption a;
	struct fault why = {0};
	p->taken = 0;
	TRY(find_adoption(tx, p, &a, f));
	for (size_t i = 0; i < p->m.certs.n; i++) {
		if (!p->fit[i])
			continue;
		enum err e = add_one(tx, p, i, &a, &o->rows[i], &why);
		if (e == ERR_CONFLICT) {
			tell(p, i, &why);
		} else if (e != OK) {
			*f = why;
			return e;
		}
	}
	a.taken += p->taken;
	p->total = a.taken;
	return p->taken > 0 ? ledger_adoption_set(tx, p->a.id, &a, f) : OK;
}

/* --- the message --- */

static enum err check_all(struct part *p, struct fault *f)
{
	TRY(check_note(p, f));
	TRY(check_place(p, f));
	TRY(check_crl(p, f));
	return check_size(p, f);
}

static enum err take_part(struct part *p, struct fault *f)
{
	size_t n = p->m.certs.n;
	_cleanup_(freep) struct ledger_cert *rows = xcalloc(n + 1, sizeof(*rows));
	TRY(check_all(p, f));
	for (size_t i = 0; i < n; i++) {
		struct fault why = {0};
		struct cert c = {0};
		p->fit[i] = read_one(p, i, &c, &rows[i], &why) == OK;
		cert_done(&c);
		if (!p->fit[i])
			tell(p, i, &why);
	}
	if (p->a.has_crl)
		TRY(check_revoked(p, rows, f));
	TRY(ledger_do(p->s->ledger, adopt_op, &(struct adopt_op){p, rows}, f));
	log_audit("adopted", "adoption=%s from=%llu certificates=%zu taken=%u", TALLY_ID_TEXT(p->a.id),
		  (unsigned long long)p->m.first, n, p->taken);
	return OK;
}

static void put_answer(struct part *p, struct buf *reply)
{
	struct wire_adopt_is m = {.taken = p->taken, .total = p->total};
	for (size_t i = 0; i < p->m.certs.n; i++)
		if (p->problems[i].len > 0)
			wire_list_add(&m.problems, buf_slice(&p->problems[i]));
	wire_adopt_is_put(&m, reply);
	wire_adopt_is_done(&m);
}

enum err adopt(struct signer *s, struct slice request, struct buf *reply, struct fault *f)
{
	struct part p = {.s = s};
	TRY(wire_adopt_get(request, &p.m, f));
	p.heads = signer_heads(s);
	p.fit = xcalloc(p.m.certs.n + 1, sizeof(*p.fit));
	p.problems = xcalloc(p.m.certs.n + 1, sizeof(*p.problems));
	enum err e = take_part(&p, f);
	if (e == OK)
		put_answer(&p, reply);
	for (size_t i = 0; i < p.m.certs.n; i++)
		buf_done(&p.problems[i]);
	free(p.problems);
	free(p.fit);
	note_done(&p.note);
	heads_unref(p.heads);
	wire_adopt_done(&p.m);
	return e;
}

/*
 * Checking a receipt. Nothing in it is believed before something that the reader trusts vouches for it: the log key for
 * the entries, the roster for the people, the entries for the certificates.
 */
#include "tools/hufu/receipt_check.h"

#include "common/base/clock.h"
#include "common/policy/judge.h"
#include "common/receipt/receipt_proof.h"

#include <inttypes.h>
#include <string.h>

/* After the libraries' headers, so that their helpers are declared. */
#include "common/base/cleanup.h"

struct checking {
	const struct receipt_trust *trust;
	struct receipt_proof p;
	struct cert pred;
	struct buf pred_der; /* put together from an intent; empty when the entry holds a whole certificate */
	struct note note;
	struct tally t;
	struct signers people;
	bool by_current, by_new;
};

static void checking_free(struct checking *c)
{
	receipt_proof_done(&c->p);
	cert_done(&c->pred);
	buf_done(&c->pred_der);
	note_done(&c->note);
	tally_done(&c->t);
	free(c);
}

/* --- the roster --- */

static enum err check_roster(const struct checking *c, struct fault *f)
{
	const struct roster *r = c->trust->roster;
	char found[65], wanted[65];
	hex_lower(r->sha256, 32, found);
	hex_lower(c->p.intent.roster, 32, wanted);
	if (memcmp(r->ca, c->p.r.ca, 20) != 0)
		return fault_raise(f, ERR_RULE, "receipt_roster", "roster.ca", "the roster is another CA's");
	if (memcmp(r->sha256, c->p.intent.roster, 32) != 0)
		return fault_raise(f, ERR_RULE, "receipt_roster", "roster",
				   "found roster version %" PRIu64
				   ", SHA-256 %s; the tally was judged by the roster with "
				   "SHA-256 %s: bring that one",
				   r->version, found, wanted);
	return OK;
}

/* --- certificates --- */

static enum err check_chain(const struct checking *c, struct fault *f)
{
	if (!c->trust->issuer)
		return OK;
	TRY(cert_verify_by(&c->p.cert, c->trust->issuer, f));
	return cert_verify_by(c->trust->issuer, c->trust->root, f);
}

/* A certificate from what is to be signed and any signature, for its fields alone. */
static enum err read_tbs(struct checking *c, struct slice tbs, struct fault *f)
{
	TRY(cert_from_tbs(tbs, slice_str("not looked at"), &c->pred_der, f));
	return cert_parse(buf_slice(&c->pred_der), &c->pred, f);
}

/* The certificate whose key asked: adopted whole, or issued here from an intent. */
static enum err read_predecessor(struct checking *c, struct fault *f)
{
	struct slice body = buf_slice(&c->p.r.predecessor.body);
	struct wire_e_adopted adopted;
	struct wire_e_intent intent;
	enum wire_type type;
	uint8_t issuer[20];
	TRY(wire_type(body, &type, f));
	if (type == WIRE_TYPE_E_ADOPTED) {
		TRY(wire_e_adopted_get(body, &adopted, f));
		TRY(cert_parse(adopted.cert, &c->pred, f));
		memcpy(issuer, adopted.issuer, 20);
	} else {
		TRY(wire_e_intent_get(body, &intent, f));
		TRY(read_tbs(c, intent.tbs, f));
		memcpy(issuer, intent.issuer, 20);
	}
	if (memcmp(issuer, c->t.predecessor.issuer_key_id, 20) != 0 ||
	    !serial_eq(&c->pred.serial, &c->t.predecessor.serial))
		return receipt_mismatch(f, "receipt.predecessor",
					"the entry is of another certificate than the one that the tally names");
	return OK;
}

/* --- who signed --- */

static enum err check_subject_line(struct checking *c, const struct note_sig *s, struct fault *f)
{
	bool new_key = strcmp(s->name, NOTE_NEW_KEY) == 0;
	char wanted[NOTE_MAX_NAME + 1] = "";
	if (c->t.has_predecessor)
		note_subscriber_name(c->t.predecessor.issuer_key_id, SERIAL(&c->t.predecessor.serial), wanted);
	if (!new_key && strcmp(s->name, wanted) != 0)
		return fault_raise(f, ERR_RULE, "signer_unknown", "tally.signature",
				   "found a line of \"%s\", wanted %s", s->name,
				   wanted[0] ? wanted : "no subscriber's");
	if (!note_sig_holds_spki(&c->note, s, new_key ? &c->p.cert.key : &c->pred.key))
		return fault_raise(f, ERR_CRYPTO, new_key ? "new_key_signature" : "subscriber_signature",
				   "tally.signature", "the line of \"%s\" does not hold", s->name);
	*(new_key ? &c->by_new : &c->by_current) = true;
	return OK;
}

static enum err check_officers(const struct checking *c, struct fault *f)
{
	const struct floor *floor = floor_of(c->t.kind);
	unsigned needed = c->t.key_is_new ? floor->officers_new : floor->officers_same, may = 0;
	unsigned proof = c->t.key_is_new ? floor->proof_new : floor->proof_same;
	for (size_t i = 0; i < c->people.n; i++)
		may += c->people.who[i]->role == ROLE_OFFICER && member_may(c->people.who[i], c->t.project, c->t.kind);
	if (may < needed)
		return fault_raise(f, ERR_RULE, "officers_short", "tally.signature",
				   "%u officers signed who may, the kind %s wants %u at least", may,
				   tally_kind_word(c->t.kind), needed);
	if (((proof & PROOF_CURRENT) && !c->by_current) || ((proof & PROOF_NEW) && !c->by_new))
		return fault_raise(f, ERR_RULE, "subscriber_missing", "tally.signature",
				   "a line of the %s key is missing", c->by_current ? "new" : "current");
	return OK;
}

static enum err check_signatures(struct checking *c, struct fault *f)
{
	TRY(note_parse(c->p.intent.note, 1, &c->note, f));
	TRY(tally_parse(c->note.text, &c->t, f));
	/* A responder's is judged by code alone, and names no policy. */
	bool names_policy = c->t.kind != TALLY_RESPONDER;
	if (memcmp(c->t.id, c->p.r.tally, TALLY_ID) != 0 || memcmp(c->t.ca, c->p.r.ca, 20) != 0 ||
	    (names_policy && memcmp(c->t.policy, c->p.intent.policy, 32) != 0))
		return receipt_mismatch(f, "receipt.intent",
					"the intent's tally is another one, of another CA or policy");
	if (c->t.has_predecessor != c->p.r.has_predecessor)
		return receipt_mismatch(f, "receipt.predecessor",
					"the tally names a predecessor exactly when the receipt has one");
	if (c->t.has_predecessor)
		TRY(read_predecessor(c, f));
	for (size_t i = 0; i < c->note.n_sigs; i++) {
		const char *name = c->note.sigs[i].name;
		if (strncmp(name, "sub:", 4) == 0 || strcmp(name, NOTE_NEW_KEY) == 0)
			TRY(check_subject_line(c, &c->note.sigs[i], f));
	}
	TRY(roster_signers(c->trust->roster, &c->note, true, NULL, &c->people, f));
	return check_officers(c, f);
}

/* --- what was asked and what was made --- */

/* A responder's subject and time come from the signer's code: the roster says which key, and by what name. */
static enum err check_responder(const struct checking *c, const struct name *found, struct fault *f)
{
	const struct roster *r = c->trust->roster;
	const struct member *m = NULL;
	for (size_t i = 0; i < r->n_members && !m; i++)
		if (r->members[i].role == ROLE_RESPONDER &&
		    memcmp(r->members[i].key, c->p.cert.key.spki_sha256, 32) == 0)
			m = &r->members[i];
	if (!m)
		return receipt_mismatch(f, "certificate.key", "it is no key that the roster lists for a responder");
	_cleanup_(freep) char *name = xasprintf("OCSP responder %s", m->name);
	const char *said = name_get(found, "CN");
	if (!said || strcmp(said, name) != 0)
		return receipt_mismatch(f, "certificate.subject", "it is not the responder's name in the roster");
	if (c->p.cert.not_after - c->p.cert.not_before > JUDGE_RESPONDER_DAYS * INT64_C(86400))
		return receipt_mismatch(f, "certificate.not_after", "it is longer than a responder's");
	return OK;
}

static enum err check_subject(const struct checking *c, struct fault *f)
{
	_cleanup_(name_done) struct name asked = {0}, found = {0};
	TRY(name_parse(c->p.cert.subject, &found, f));
	if (c->t.kind == TALLY_RESPONDER)
		return check_responder(c, &found, f);
	TRY(tally_subject_after(&c->t, &asked, f));
	if (!name_eq(&asked, &found))
		return receipt_mismatch(f, "certificate.subject", "it is not the subject that the tally asks for");
	if (c->p.cert.not_after > c->t.latest)
		return receipt_mismatch(f, "certificate.not_after", "it ends later than the tally allows");
	return OK;
}

static enum err check_certificate(const struct checking *c, struct fault *f)
{
	_cleanup_(name_done) struct name before = {0}, pred = {0};
	TRY(check_subject(c, f));
	if (c->t.has_predecessor) {
		TRY(tally_subject_before(&c->t, &before, f));
		TRY(name_parse(c->pred.subject, &pred, f));
		if (!name_eq(&before, &pred))
			return receipt_mismatch(f, "tally.subject", "the subject as it was is not the predecessor's");
	}
	if (memcmp(c->p.cert.key.spki_sha256, c->t.key_sha256, 32) != 0)
		return receipt_mismatch(f, "certificate.key", "it is not the key that the tally asks for");
	if (!c->t.key_is_new && c->t.has_predecessor && memcmp(c->pred.key.spki_sha256, c->t.key_sha256, 32) != 0)
		return receipt_mismatch(f, "certificate.key",
					"the tally says the same key, but the predecessor has another");
	if (c->p.cert.not_before < c->t.made - JUDGE_SKEW_SECONDS || c->p.cert.not_before > c->t.dies)
		return receipt_mismatch(f, "certificate.not_before", "it was not issued while the tally lived");
	if (c->p.cert.is_ca)
		return receipt_mismatch(f, "certificate.basicConstraints", "it is a CA's");
	return OK;
}

static void say_people(const struct checking *c, enum role role, struct buf *b)
{
	const char *sep = "";
	for (size_t i = 0; i < c->people.n; i++) {
		if (c->people.who[i]->role != role)
			continue;
		buf_fmt(b, "%s%s", sep, c->people.who[i]->name);
		sep = ", ";
	}
	if (!sep[0])
		buf_str(b, "-");
}

static void say_lang(const struct checking *c, const char *lang, struct buf *b)
{
	bool zh = strcmp(lang, "zh") == 0;
	tally_explain(&c->t, lang, b);
	if (b->len > 0 && b->data[b->len - 1] != '\n')
		buf_char(b, '\n');
	buf_fmt(b, zh ? "签名密钥：%s%s%s\n审核员：" : "keys that signed: %s%s%s\nofficers: ",
		c->by_current ? (zh ? "当前密钥" : "current") : "", c->by_current && c->by_new ? ", " : "",
		c->by_new ? (zh ? "新密钥" : "new") : "");
	say_people(c, ROLE_OFFICER, b);
	buf_str(b, zh ? "\n注册机构：" : "\nRA: ");
	say_people(c, ROLE_RA, b);
	buf_char(b, '\n');
}

static void say(const struct checking *c, struct buf *b)
{
	buf_fmt(b, "certificate %s, %s to %s\n", SERIAL(&c->p.cert.serial), UTC(c->p.cert.not_before),
		UTC(c->p.cert.not_after));
	buf_fmt(b, "ledger %s: intent %" PRIu64 ", outcome %" PRIu64 ", checkpoint of %" PRIu64 " entries\n",
		c->p.head.origin, c->p.r.intent.index, c->p.r.outcome.index, c->p.head.size);
	buf_fmt(b, "roster version %" PRIu64 "\n", c->trust->roster->version);
	say_lang(c, "en", b);
	say_lang(c, "zh", b);
}

static enum err check(struct checking *c, struct slice cert_der, struct slice receipt, struct fault *f)
{
	TRY(receipt_proof_open(receipt, c->trust->log, &c->p, f));
	TRY(check_roster(c, f));
	TRY(receipt_proof_cert(&c->p, cert_der, f));
	TRY(check_chain(c, f));
	TRY(check_signatures(c, f));
	return check_certificate(c, f);
}

enum err receipt_check(struct slice cert_der, struct slice receipt, const struct receipt_trust *trust,
		       struct buf *ret_words, struct fault *f)
{
	struct checking *c = xcalloc(1, sizeof(*c));
	c->trust = trust;
	enum err e = check(c, cert_der, receipt, f);
	if (e == OK)
		say(c, ret_words);
	checking_free(c);
	return e;
}

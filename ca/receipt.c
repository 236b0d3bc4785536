/*
 * A receipt is three entries and their paths to one checkpoint: what was meant, what was signed, and the certificate
 * whose key asked for it. The checkpoint is taken first, so every entry that counts is in it.
 */
#include "ca/receipt.h"

#include "common/base/cleanup.h"
#include "common/note/receipt.h"

#include <string.h>

static enum err unknown(const uint8_t tally[TALLY_ID], struct fault *f)
{
	return fault_raise(f, ERR_NOT_FOUND, "receipt_unknown", "tally", "%s: no certificate came of such a tally",
			   TALLY_ID_TEXT(tally));
}

static enum err take_entry(struct db *db, uint64_t index, uint64_t size, struct receipt_entry *e, struct fault *f)
{
	_cleanup_buf_ struct buf path = {0};
	e->index = index;
	TRY(ledger_entry(db, index, &e->body, f));
	TRY(ledger_prove_inclusion(db, index, size, &path, f));
	memcpy(e->path, path.data, path.len);
	e->path_len = path.len / 32;
	return OK;
}

/* The entry that holds the bytes of a certificate. */
static uint64_t entry_of(const struct ledger_cert *c)
{
	return c->adopted ? c->entry : c->intent;
}

static enum err take_predecessor(struct db *db, const struct wire_e_intent *intent, uint64_t size, struct receipt *r,
				 struct fault *f)
{
	_cleanup_(note_done) struct note n = {0};
	_cleanup_(tally_done) struct tally t = {0};
	struct ledger_cert c;
	TRY(note_parse(intent->note, 1, &n, f));
	TRY(tally_parse(n.text, &t, f));
	r->has_predecessor = t.has_predecessor;
	if (!t.has_predecessor)
		return OK;
	TRY(ledger_cert(db, &t.predecessor, &c, f));
	return take_entry(db, entry_of(&c), size, &r->predecessor, f);
}

static enum err take_certificate(const struct wire_e_intent *intent, const struct wire_e_issued *issued,
				 struct receipt *r, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	TRY(cert_from_tbs(intent->tbs, issued->signature, &der, f));
	sha256(der.data, der.len, r->cert_sha256);
	return OK;
}

static enum err gather(struct signer *s, struct db *db, uint64_t size, struct receipt *r, struct fault *f)
{
	struct ledger_tally t;
	struct wire_e_intent intent;
	struct wire_e_issued issued;
	TRY(ledger_tally(db, r->tally, &t, f));
	if (!t.known || t.dead || t.intent == LEDGER_NONE || t.outcome == LEDGER_NONE || t.outcome >= size)
		return unknown(r->tally, f);
	TRY(take_entry(db, t.intent, size, &r->intent, f));
	TRY(take_entry(db, t.outcome, size, &r->outcome, f));
	TRY(wire_e_intent_get(buf_slice(&r->intent.body), &intent, f));
	TRY(wire_e_issued_get(buf_slice(&r->outcome.body), &issued, f));
	struct issuer by;
	if (!signer_issuer(s, intent.issuer, &by))
		return fault_raise(f, ERR_DB, "ledger_entry", "entry.issuer", "it is by no CA of this signer");
	buf_add(&r->issuer_key, by.cert->key.spki, by.cert->key.spki_len);
	TRY(take_certificate(&intent, &issued, r, f));
	return take_predecessor(db, &intent, size, r, f);
}

static enum err fill(struct signer *s, struct receipt *r, struct fault *f)
{
	struct checkpoint c;
	struct db *db;
	TRY(ledger_checkpoint(s->ledger, &c, &r->checkpoint, f));
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = gather(s, db, c.size, r, f);
	ledger_reader_put(s->ledger, db);
	return e;
}

enum err receipt_make(struct signer *s, const uint8_t tally[TALLY_ID], struct buf *ret, struct fault *f)
{
	struct receipt *r = xcalloc(1, sizeof(*r));
	memcpy(r->tally, tally, TALLY_ID);
	memcpy(r->ca, s->ca, 20);
	enum err e = fill(s, r, f);
	if (e == OK)
		receipt_put(r, ret);
	receipt_done(r);
	free(r);
	return e;
}

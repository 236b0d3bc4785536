/*
 * Entries come in parts, and the writer, for which all calls of the desk wait, is needed for what they change alone. So all that an entry
 * says by itself is read before: a certificate, its tally and its names are parsed here.
 *
 * An intent is only of use until its outcome is there. Most often that is in the same part: then it never comes into the
 * database, and only those still open at the part's end do. Next: ledger.c, which applies what was read.
 */
#include "ra/ledger_part.h"

#include "common/note/statement.h"

#include <string.h>

void issued_done(struct issued *i)
{
	cert_body_done(&i->body);
}

void ledger_part_done(struct ledger_part *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->entries[i].issued)
			issued_done(p->entries[i].issued);
		free(p->entries[i].issued);
	}
	free(p->entries);
	*p = (struct ledger_part){0};
}

/* --- certificates --- */

static void set_name(const struct name *n, char ret[CERT_NAME_MAX + 1])
{
	const char *text = name_get(n, "CN");
	text = text ? text : name_get(n, "O");
	snprintf(ret, CERT_NAME_MAX + 1, "%s", text ? text : "");
}

static void set_identifier(struct desk *d, const struct name *subject, struct cert_body *body)
{
	struct law *law = laws_take(d->laws);
	const struct profile *p = policy_profile(law->policy, body->profile);
	const char *value = p && p->identifier ? name_get(subject, p->identifier) : NULL;
	snprintf(body->identifier, sizeof(body->identifier), "%s", value ? value : "");
	law_put(d->laws, law);
}

enum err issued_cert(struct desk *d, struct slice der, struct cert_row *row, struct cert_body *body, struct fault *f)
{
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(name_done) struct name subject = {0}, issuer = {0};
	TRY(cert_parse(der, &cert, f));
	TRY(name_parse(cert.subject, &subject, f));
	TRY(name_parse(cert.issuer, &issuer, f));
	row->ref.serial = cert.serial;
	row->not_before = cert.not_before;
	row->not_after = cert.not_after;
	row->state = CERT_GOOD;
	buf_add_slice(&body->der, der);
	memcpy(body->key_sha256, cert.key.spki_sha256, 32);
	set_identifier(d, &subject, body);
	set_name(&subject, body->name);
	set_name(&issuer, body->issuer_name);
	return OK;
}

enum err issued_read(struct desk *d, uint64_t entry, const uint8_t issuer[20], struct slice der, struct slice note,
		     struct issued *ret, struct fault *f)
{
	_cleanup_(note_done) struct note n = {0};
	_cleanup_(tally_done) struct tally t = {0};
	TRY(note_parse(note, 1, &n, f));
	TRY(tally_parse(n.text, &t, f));
	memcpy(ret->row.ref.issuer_key_id, issuer, 20);
	memcpy(ret->body.project, t.project, sizeof(ret->body.project));
	memcpy(ret->body.profile, t.profile, sizeof(ret->body.profile));
	tally_id_text(t.id, ret->body.tally);
	ret->body.entry = (int64_t)entry;
	memcpy(ret->tally, t.id, TALLY_ID);
	ret->has_predecessor = t.has_predecessor;
	ret->predecessor = t.predecessor;
	return issued_cert(d, der, &ret->row, &ret->body, f);
}

enum err issued_signed(struct desk *d, uint64_t entry, const uint8_t issuer[20], struct slice tbs, struct slice note,
		       struct slice signature, struct issued *ret, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	TRY(cert_from_tbs(tbs, signature, &der, f));
	return issued_read(d, entry, issuer, buf_slice(&der), note, ret, f);
}

/* --- entries --- */

enum err intent_missing(uint64_t entry, uint64_t intent, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "intent_missing", "entry.intent",
			   "entry %llu completes intent %llu, which is not open", (unsigned long long)entry,
			   (unsigned long long)intent);
}

/* An intent of this part that is open before e; NULL when there is none. */
static struct ledger_entry *open_intent(struct ledger_part *p, const struct ledger_entry *e, uint64_t index)
{
	if (index < p->from || index >= e->index)
		return NULL;
	struct ledger_entry *i = &p->entries[index - p->from];
	return i->type == WIRE_TYPE_E_INTENT && !i->closed ? i : NULL;
}

static enum err read_issued(struct desk *d, struct ledger_part *p, struct ledger_entry *e, struct fault *f)
{
	struct wire_e_issued m;
	struct wire_e_intent meant;
	TRY(wire_e_issued_get(e->bytes, &m, f));
	if (m.intent < p->from)
		return OK;
	struct ledger_entry *i = open_intent(p, e, m.intent);
	if (!i)
		return intent_missing(e->index, m.intent, f);
	TRY(wire_e_intent_get(i->bytes, &meant, f));
	i->closed = true;
	e->issued = xcalloc(1, sizeof(*e->issued));
	return issued_signed(d, e->index, meant.issuer, meant.tbs, meant.note, m.signature, e->issued, f);
}

static enum err read_dead(struct ledger_part *p, struct ledger_entry *e, struct fault *f)
{
	struct wire_e_dead m;
	TRY(wire_e_dead_get(e->bytes, &m, f));
	struct ledger_entry *i = open_intent(p, e, m.intent);
	if (i)
		i->closed = true;
	return OK;
}

/* Version, type, then the time: the head that all entries share. */
static enum err read_time(struct slice entry, int64_t *ret, struct fault *f)
{
	uint64_t v = 0;
	if (entry.n < 10)
		return fault_raise(f, ERR_PARSE, "wire_truncated", "entry.at", "found %zu bytes, wanted an entry",
				   entry.n);
	for (size_t i = 2; i < 10; i++)
		v = v << 8 | entry.p[i];
	*ret = (int64_t)v;
	return OK;
}

static enum err read_entry(struct desk *d, struct ledger_part *p, struct ledger_entry *e, struct fault *f)
{
	struct wire_e_intent meant;
	TRY(wire_type(e->bytes, &e->type, f));
	TRY(read_time(e->bytes, &e->at, f));
	if (e->type == WIRE_TYPE_E_INTENT)
		return wire_e_intent_get(e->bytes, &meant, f);
	if (e->type == WIRE_TYPE_E_ISSUED)
		return read_issued(d, p, e, f);
	return e->type == WIRE_TYPE_E_DEAD ? read_dead(p, e, f) : OK;
}

enum err ledger_part_read(struct desk *d, uint64_t from, const struct slice *entries, size_t n, struct ledger_part *ret,
			  struct fault *f)
{
	ret->from = from;
	ret->entries = xcalloc(n > 0 ? n : 1, sizeof(*ret->entries));
	for (; ret->n < n; ret->n++) {
		struct ledger_entry *e = &ret->entries[ret->n];
		*e = (struct ledger_entry){.index = from + ret->n, .bytes = entries[ret->n]};
		enum err err = read_entry(d, ret, e, f);
		if (err != OK) {
			fault_prefix(f, "ledger entry %llu", (unsigned long long)e->index);
			ret->n++; /* what was read of it goes, too */
			return err;
		}
	}
	return OK;
}

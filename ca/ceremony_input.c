/*
 * What a ceremony reads: certificates, the last CRL, notes, a bundle. Each is read once, its hash goes into the
 * transcript, and a fault names the line of the ceremony file that asked for it. No key is read here. Next:
 * ceremony_rule.c, which judges them.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <string.h>

#define CERT_FILE_MAX 65536u
#define CRL_FILE_MAX (1u << 20)

static void one_cert_done(struct ceremony_cert *x)
{
	cert_done(&x->cert);
	buf_done(&x->der);
}

static void one_note_done(struct ceremony_note *x)
{
	note_done(&x->note);
	buf_done(&x->bytes);
}

void ceremony_inputs_done(struct ceremony *c)
{
	one_cert_done(&c->issuer);
	one_cert_done(&c->ca);
	one_cert_done(&c->replaced);
	one_note_done(&c->approval);
	one_note_done(&c->approval_roster);
	one_note_done(&c->roster_note);
	one_note_done(&c->previous_note);
	roster_done(&c->roster);
	roster_done(&c->approval_by);
	roster_done(&c->previous_roster);
	policy_note_done(&c->previous_policy);
	policy_sources_done(c->bundle, c->n_bundle);
	buf_done(&c->last_crl_der);
}

/* At the line that names the file; a file that is not there gets a hint. */
static enum err placed(const struct ceremony *c, const char *const *member, enum err e, struct fault *f)
{
	struct fault inner = *f;
	if (e == OK)
		return OK;
	return yaml_fault(c->file.doc, member, f, e == ERR_NOT_FOUND ? "ceremony_input" : inner.rule, "%s%s",
			  inner.text,
			  e == ERR_NOT_FOUND ? "; it comes from a ceremony before this one, or the path is wrong" : "");
}

static enum err read_bytes(struct ceremony *c, const char *what, const char *path, size_t max, struct buf *ret,
			   bool *ret_rehearsed, struct fault *f)
{
	_cleanup_(freep) char *where = ceremony_in(c, path, ret_rehearsed);
	TRY(file_read(where, max, ret, f));
	transcript_add_file(c->t->inputs, &c->t->n_inputs, what, path, buf_slice(ret));
	return OK;
}

static enum err read_cert(struct ceremony *c, const char *what, const char *path, struct ceremony_cert *ret,
			  struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	TRY(read_bytes(c, what, path, CERT_FILE_MAX, &bytes, &ret->rehearsed, f));
	TRY(pem_or_der(buf_slice(&bytes), "CERTIFICATE", &ret->der, f));
	TRY(cert_parse(buf_slice(&ret->der), &ret->cert, f));
	ret->there = true;
	if (!slice_eq(ret->cert.issuer, ret->cert.subject))
		return OK;
	return cert_verify_by(&ret->cert, &ret->cert, f);
}

static enum err want_cert(struct ceremony *c, const char *what, const char *const *path, struct ceremony_cert *ret,
			  struct fault *f)
{
	if (!*path)
		return OK;
	TRY(placed(c, path, read_cert(c, what, *path, ret, f), f));
	if (ret->cert.is_ca)
		return OK;
	return yaml_fault(c->file.doc, path, f, "ceremony_not_ca", "it is no CA's certificate (RFC 5280 4.2.1.9)");
}

static enum err read_note(struct ceremony *c, const char *what, const char *path, struct ceremony_note *ret,
			  struct fault *f)
{
	bool rehearsed;
	TRY(read_bytes(c, what, path, NOTE_MAX_BYTES, &ret->bytes, &rehearsed, f));
	TRY(note_parse(buf_slice(&ret->bytes), 1, &ret->note, f));
	ret->there = true;
	return OK;
}

static enum err want_roster(struct ceremony *c, const char *const *path, struct ceremony_note *note, struct roster *ret,
			    struct fault *f)
{
	if (!*path)
		return OK;
	TRY(placed(c, path, read_note(c, "roster", *path, note, f), f));
	return placed(c, path, roster_parse(note->note.text, ret, f), f);
}

static enum err read_previous(struct ceremony *c, struct fault *f)
{
	TRY(read_note(c, "previous", c->file.previous, &c->previous_note, f));
	if (c->file.kind == CEREMONY_ROSTER)
		return roster_parse(c->previous_note.note.text, &c->previous_roster, f);
	return policy_note_parse(c->previous_note.note.text, &c->previous_policy, f);
}

static enum err read_crl(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	bool rehearsed;
	TRY(read_bytes(c, "crl", c->file.previous_crl, CRL_FILE_MAX, &bytes, &rehearsed, f));
	TRY(pem_or_der(buf_slice(&bytes), "X509 CRL", &c->last_crl_der, f));
	TRY(crl_parse(buf_slice(&c->last_crl_der), &c->last_crl, f));
	return crl_verify_by(&c->last_crl, &c->issuer.cert, f);
}

static enum err read_bundle(struct ceremony *c, struct fault *f)
{
	bool rehearsed;
	_cleanup_(freep) char *dir = ceremony_in(c, c->file.bundle, &rehearsed);
	return policy_read_dir(dir, &c->bundle, &c->n_bundle, f);
}

enum err ceremony_inputs(struct ceremony *c, struct fault *f)
{
	struct ceremony_file *x = &c->file;
	TRY(want_cert(c, "issuer", &x->issuer.certificate, &c->issuer, f));
	TRY(want_cert(c, "ca", &x->ca, &c->ca, f));
	TRY(want_cert(c, "replaces", &x->replaces, &c->replaced, f));
	TRY(want_roster(c, &x->roster, &c->roster_note, &c->roster, f));
	TRY(want_roster(c, &x->approval.roster, &c->approval_roster, &c->approval_by, f));
	if (x->approval.note)
		TRY(placed(c, &x->approval.note, read_note(c, "approval", x->approval.note, &c->approval, f), f));
	if (x->previous)
		TRY(placed(c, &x->previous, read_previous(c, f), f));
	if (x->previous_crl)
		TRY(placed(c, &x->previous_crl, read_crl(c, f), f));
	if (x->bundle)
		TRY(placed(c, &x->bundle, read_bundle(c, f), f));
	return OK;
}

/*
 * What a ceremony file means, held against the files that it names: the chain, the dates, the CRL before, the officers'
 * approval, the places of the outputs. All of it is known before a key is touched, so `check` finds it at home and not
 * in front of witnesses. What only the lint of the whole certificate finds is brought back to its line by
 * ceremony_place(). Notes that officers sign: ceremony_head.c.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#define DAY INT64_C(86400)
#define MAX_ENTRIES 4096

/* --- certificates --- */

static enum err rule_validity(const struct ceremony *c, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	const struct cert *issuer = &c->issuer.cert;
	if (x->validity.not_after <= clock_now())
		return yaml_fault(x->doc, &x->validity.not_after, f, "ceremony_validity",
				  "found %s, and now is %s: over before it begins", UTC(x->validity.not_after),
				  UTC(clock_now()));
	if (!c->issuer.there)
		return OK;
	if (x->validity.not_before < issuer->not_before)
		return yaml_fault(x->doc, &x->validity.not_before, f, "ceremony_validity",
				  "found %s, wanted no time before the issuer's %s (RFC 5280 6.1.3)",
				  UTC(x->validity.not_before), UTC(issuer->not_before));
	if (x->validity.not_after > issuer->not_after)
		return yaml_fault(x->doc, &x->validity.not_after, f, "ceremony_validity",
				  "found %s, wanted no time after the issuer's %s (RFC 5280 6.1.3)",
				  UTC(x->validity.not_after), UTC(issuer->not_after));
	return OK;
}

static enum err rule_path(const struct ceremony *c, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	int64_t above = c->issuer.cert.path_len;
	if (!c->issuer.there || above < 0)
		return OK;
	if (above == 0)
		return yaml_fault(x->doc, &x->issuer.certificate, f, "ceremony_path_len",
				  "its path length is 0: no CA may stand below it (RFC 5280 4.2.1.9)");
	if (x->has_path_len && x->path_len < above)
		return OK;
	return yaml_fault(x->doc, x->has_path_len ? (const void *)&x->path_len : (const void *)&x->kind, f,
			  "ceremony_path_len",
			  "found %s path_len%s, wanted one below the issuer's %lld (RFC 5280 4.2.1.9)",
			  x->has_path_len ? "a" : "no", x->has_path_len ? " that is too long" : "", (long long)above);
}

/* The old CA signs CRLs until its last certificate ends, so it must live on, and the new one must outlive it. */
static enum err rule_rollover(const struct ceremony *c, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	const struct cert *old = &c->replaced.cert;
	struct fault inner = {0};
	if (!c->replaced.there)
		return OK;
	if (cert_verify_by(old, &c->issuer.cert, &inner) != OK)
		return yaml_fault(x->doc, &x->replaces, f, "ceremony_replaces", "it is not of this issuer: %s",
				  inner.text);
	if (x->validity.not_before > old->not_after)
		return yaml_fault(x->doc, &x->validity.not_before, f, "ceremony_overlap",
				  "found %s, wanted a time before the old CA's end, %s: they overlap",
				  UTC(x->validity.not_before), UTC(old->not_after));
	if (x->validity.not_after <= old->not_after)
		return yaml_fault(x->doc, &x->validity.not_after, f, "ceremony_overlap",
				  "found %s, wanted a time after the old CA's end, %s", UTC(x->validity.not_after),
				  UTC(old->not_after));
	return OK;
}

/* --- CRLs --- */

static uint64_t number_of(const struct crl *crl)
{
	uint64_t v = 0;
	for (size_t i = 0; i < crl->number.n && v <= INT32_MAX; i++)
		v = v << 8 | crl->number.p[i];
	return v;
}

static enum err rule_crl_before(struct ceremony *c, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	uint64_t before = number_of(&c->last_crl);
	if ((uint64_t)x->crl.number <= before)
		return yaml_fault(x->doc, &x->crl.number, f, "ceremony_crl_number",
				  "found %lld, wanted more than the %llu of the CRL before (RFC 5280 5.2.3)",
				  (long long)x->crl.number, (unsigned long long)before);
	if (x->crl.this_update < c->last_crl.this_update)
		return yaml_fault(x->doc, &x->crl.this_update, f, "ceremony_crl",
				  "found %s, wanted no time before that of the CRL before, %s", UTC(x->crl.this_update),
				  UTC(c->last_crl.this_update));
	return crl_items(&c->last_crl, MAX_ENTRIES, &c->entries, &c->n_entries, f);
}

static int by_serial(const void *a, const void *b)
{
	const struct serial *x = &((const struct crl_item *)a)->serial, *y = &((const struct crl_item *)b)->serial;
	return x->n == y->n ? memcmp(x->b, y->b, x->n) : x->n < y->n ? -1 : 1;
}

/* One certificate of the issuer's, not on the list yet. */
static enum err rule_revoke(struct ceremony *c, const struct ceremony_revoke *r, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0}, der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(freep) char *path = ceremony_in(c, r->certificate, &(bool){0});
	struct fault inner = {0};
	enum err e = file_read(path, 65536, &bytes, &inner);
	if (e == OK)
		e = pem_or_der(buf_slice(&bytes), "CERTIFICATE", &der, &inner);
	if (e == OK)
		e = cert_parse(buf_slice(&der), &cert, &inner);
	if (e == OK)
		e = cert_verify_by(&cert, &c->issuer.cert, &inner);
	if (e != OK)
		return yaml_fault(c->file.doc, &r->certificate, f, "ceremony_revoke", "%s", inner.text);
	if (r->when > c->file.crl.this_update)
		return yaml_fault(c->file.doc, &r->when, f, "ceremony_revoke",
				  "found %s, wanted no time after this_update, %s (RFC 5280 5.3.2)", UTC(r->when),
				  UTC(c->file.crl.this_update));
	for (size_t i = 0; i < c->n_entries; i++)
		if (serial_eq(&c->entries[i].serial, &cert.serial))
			return yaml_fault(c->file.doc, &r->certificate, f, "ceremony_revoked",
					  "serial %s is revoked already", SERIAL(&cert.serial));
	transcript_add_file(c->t->inputs, &c->t->n_inputs, "revoke", r->certificate, buf_slice(&bytes));
	c->entries = xrealloc(c->entries, c->n_entries + 1, sizeof(*c->entries));
	c->entries[c->n_entries++] = (struct crl_item){
		.serial = cert.serial, .when = r->when, .reason = (unsigned)crl_reason_from_word(r->reason)};
	return OK;
}

static enum err rule_crl(struct ceremony *c, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	const struct ceremony_revoke *r = x->revoke.v;
	if (!x->has_crl)
		return OK;
	if (x->crl.next_update <= clock_now())
		return yaml_fault(x->doc, &x->crl.next_update, f, "ceremony_crl",
				  "found %s, and now is %s: over before it begins", UTC(x->crl.next_update),
				  UTC(clock_now()));
	if (c->mode == CEREMONY_RUN && x->crl.this_update > clock_now())
		return yaml_fault(x->doc, &x->crl.this_update, f, "ceremony_early",
				  "found %s, and now is %s: run it then", UTC(x->crl.this_update), UTC(clock_now()));
	if (x->previous_crl)
		TRY(rule_crl_before(c, f));
	if (x->revoke.n + 8 > TRANSCRIPT_MAX_FILES)
		return yaml_fault(x->doc, &x->revoke, f, "ceremony_number",
				  "found %zu, wanted at most %d in one ceremony", x->revoke.n,
				  TRANSCRIPT_MAX_FILES - 8);
	for (size_t i = 0; i < x->revoke.n; i++)
		TRY(rule_revoke(c, &r[i], f));
	if (c->n_entries > 0)
		qsort(c->entries, c->n_entries, sizeof(*c->entries), by_serial);
	return OK;
}

/* --- the officers' approval --- */

static enum err rule_approval(const struct ceremony *c, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	struct ceremony_order order;
	struct fault inner = {0};
	if (!x->has_approval)
		return OK;
	enum err e = ceremony_order_parse(c->approval.note.text, &order, &inner);
	if (e == OK)
		e = roster_quorum(&c->approval_by, &c->approval.note, "approval", &inner);
	if (e != OK)
		return yaml_fault(x->doc, &x->approval.note, f, "ceremony_approval", "%s", inner.text);
	if (memcmp(order.file, x->sha256, 32) != 0 || strcmp(order.ceremony, x->name) != 0 ||
	    strcmp(order.kind, ceremony_kind_word(x->kind)) != 0)
		return yaml_fault(
			x->doc, &x->approval.note, f, "ceremony_approval",
			"the officers approved another file: ceremony %s of kind %s, or this file was changed since",
			order.ceremony, order.kind);
	if (memcmp(order.ca, c->approval_by.ca, 20) != 0 ||
	    (c->replaced.there && memcmp(order.ca, c->replaced.cert.key.key_id, 20) != 0))
		return yaml_fault(x->doc, &x->approval.note, f, "ceremony_approval",
				  "the officers' approval or roster is that of another CA");
	return OK;
}

/* --- outputs --- */

static enum err rule_folder(const struct ceremony *c, const char *const *path, struct fault *f)
{
	_cleanup_(freep) char *where = path_join(c->o->dir, *path), *copy = xstrdup(where);
	const char *folder = dirname(copy);
	struct stat st;
	if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		return yaml_fault(c->file.doc, path, f, "ceremony_folder", "%s is no folder; make it: mkdir -p %s",
				  ESC(folder, strlen(folder)), ESC(folder, strlen(folder)));
	if (access(folder, W_OK) != 0)
		return yaml_fault(c->file.doc, path, f, "ceremony_folder", "%s cannot be written to",
				  ESC(folder, strlen(folder)));
	return OK;
}

/* The same file by another spelling, or through a link to its folder. */
static bool same_place(const struct ceremony *c, const char *a, const char *b)
{
	_cleanup_(freep) char *in_a = path_join(c->o->dir, a), *in_b = path_join(c->o->dir, b), *of_a = xstrdup(in_a),
			      *of_b = xstrdup(in_b);
	struct stat x, y;
	return strcmp(basename(in_a), basename(in_b)) == 0 && stat(dirname(of_a), &x) == 0 &&
	       stat(dirname(of_b), &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Found before people type their passphrases, and not when it is written. */
static enum err rule_rehearsed(const struct ceremony *c, const char *const *path, struct fault *f)
{
	_cleanup_(freep) char *to = c->mode == CEREMONY_REHEARSE ? ceremony_out(c, *path) : NULL;
	if (!to || !file_exists(to))
		return OK;
	return yaml_fault(c->file.doc, path, f, "ceremony_output_exists",
			  "%s: a rehearsal before this one left it; take the folder away, or name another by --into",
			  ESC(to, strlen(to)));
}

static enum err rule_outputs(const struct ceremony *c, struct fault *f)
{
	for (size_t i = 0; i < CEREMONY_OUTPUTS; i++) {
		const char *const *path = ceremony_output(&c->file, i, NULL);
		if (!*path)
			continue;
		TRY(rule_folder(c, path, f));
		TRY(rule_rehearsed(c, path, f));
		for (size_t k = 0; k < i; k++) {
			const char *other = *ceremony_output(&c->file, k, NULL);
			if (other && same_place(c, other, *path))
				return yaml_fault(c->file.doc, path, f, "ceremony_output",
						  "found \"%s\", which is the same file as \"%s\"",
						  ESC(*path, strlen(*path)), ESC(other, strlen(other)));
		}
	}
	return OK;
}

enum err ceremony_rules(struct ceremony *c, struct fault *f)
{
	int kind = c->file.kind;
	TRY(rule_outputs(c, f));
	if (kind == CEREMONY_ROOT || kind == CEREMONY_INTERMEDIATE || kind == CEREMONY_ROLLOVER) {
		TRY(rule_validity(c, f));
		TRY(rule_path(c, f));
		TRY(rule_rollover(c, f));
	}
	TRY(rule_crl(c, f));
	TRY(rule_approval(c, f));
	return ceremony_head_rules(c, f);
}

/* --- what only a step finds --- */

enum err ceremony_place(const struct ceremony *c, enum err e, struct fault *f)
{
	const struct ceremony_file *x = &c->file;
	const struct {
		const char *prefix;
		const void *member;
	} places[] = {
		{"lint_validity", &x->validity}, {"lint_path", &x->path_len},	   {"lint_key", &x->key.algorithm},
		{"lint_subject", &x->subject},	 {"lint_name", &x->subject},	   {"lint_", &x->kind},
		{"key_strength", &x->key},	 {"build_validity", &x->validity}, {"crl_", &x->crl},
	};
	struct fault inner = *f;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strncmp(inner.rule, places[i].prefix, strlen(places[i].prefix)) == 0)
			return yaml_fault(x->doc, places[i].member, f, inner.rule, "%s", inner.text);
	return e;
}

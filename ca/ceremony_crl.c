/*
 * The CRL of a CA that is offline: the entries of the one before, and what this ceremony revokes. ceremony_rule.c has
 * gathered and sorted them.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

bool ceremony_has_crl(const struct ceremony *c)
{
	return c->file.has_crl;
}

struct walk {
	const struct crl_item *items;
	size_t n;
};

static enum err next_item(void *arg, struct crl_entry *ret, bool *ret_more, struct fault *f)
{
	struct walk *w = arg;
	(void)f;
	*ret_more = w->n > 0;
	if (w->n == 0)
		return OK;
	*ret = (struct crl_entry){.serial = w->items->serial, .when = w->items->when, .reason = w->items->reason};
	w->items++;
	w->n--;
	return OK;
}

enum err ceremony_make_crl(struct ceremony *c, struct fault *f)
{
	bool root = c->file.kind == CEREMONY_ROOT;
	const struct cert *issuer = root ? &c->cert : &c->issuer.cert;
	struct walk w = {c->entries, c->n_entries};
	struct buf *der = ceremony_product(c, "crl", c->file.outputs.crl, 0644);
	uint64_t count;
	struct crl crl;
	TRY(crl_build(&(struct crl_build){.issuer = issuer,
					  .key = root ? c->key : c->issuer_key,
					  .number = (uint64_t)c->file.crl.number,
					  .this_update = c->file.crl.this_update,
					  .next_update = c->file.crl.next_update,
					  .next = next_item,
					  .arg = &w},
		      der, &count, f));
	TRY(crl_parse(buf_slice(der), &crl, f));
	TRY(crl_verify_by(&crl, issuer, f));
	const struct ceremony_revoke *r = c->file.revoke.v;
	for (size_t i = 0; i < c->file.revoke.n; i++)
		ceremony_did(c, "revoked: %s, %s, since %s", r[i].certificate, r[i].reason, UTC(r[i].when));
	ceremony_did(c, "CRL signed by %s, number %lld, %llu entries, until %s", root ? "the root" : "the issuer",
		     (long long)c->file.crl.number, (unsigned long long)count, UTC(crl.next_update));
	return OK;
}

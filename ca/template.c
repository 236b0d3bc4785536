/*
 * Leaf certificates from a template: a profile made ready for one issuer.
 *
 * Extensions that are the same in each certificate are encoded once, when the policy is loaded; neighbours become one
 * run of bytes. What is left for each certificate is its serial, dates, subject, key and the few extensions that repeat
 * some of these. Usages depend on the key's algorithm alone and are ready for each. Next: build_ext.c, lint.c.
 */
#include "ca/build_ext.h"
#include "ca/build_private.h"
#include "common/base/cleanup.h"
#include "common/pki/der.h"

#include <string.h>

struct part {
	const struct profile_ext *ext; /* NULL: constant bytes */
	struct buf constant;
	struct buf by_alg[KEY_ALG_N]; /* key usage; empty where the algorithm has none of the usages */
};

struct template
{
	const struct profile *profile;
	struct buf sigalg, issuer, key_id;
	uint8_t issuer_id[20];
	struct part *parts;
	size_t n_parts;
	const struct profile_ext *cdp; /* or NULL */
};

void template_free(struct template *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_parts; i++) {
		buf_done(&t->parts[i].constant);
		for (size_t a = 0; a < KEY_ALG_N; a++)
			buf_done(&t->parts[i].by_alg[a]);
	}
	free(t->parts);
	buf_done(&t->sigalg);
	buf_done(&t->issuer);
	buf_done(&t->key_id);
	free(t);
}

CLEANUP_PTR(struct template, template_freep, template_free)

static void put_aia(const struct template *t, const struct profile_ext *e, struct buf *ret)
{
	_cleanup_buf_ struct buf issuers = {0}, ocsp = {0};
	if (e->ca_issuers)
		url_expand(e->ca_issuers, t->issuer_id, NULL, &issuers);
	if (e->ocsp)
		url_expand(e->ocsp, t->issuer_id, NULL, &ocsp);
	ext_put_aia(ret, e->critical, e->ca_issuers ? buf_text(&issuers) : NULL, e->ocsp ? buf_text(&ocsp) : NULL);
}

static void put_policy(const struct template *t, const struct profile_ext *e, struct buf *ret)
{
	_cleanup_buf_ struct buf cps = {0};
	if (e->cps)
		url_expand(e->cps, t->issuer_id, NULL, &cps);
	ext_put_policy(ret, e->critical, e->oid, e->cps ? buf_text(&cps) : NULL);
}

static enum err put_purposes(const struct template *t, const struct profile_ext *e, struct buf *ret, struct fault *f)
{
	_cleanup_(freep) const char **oids = xcalloc(e->purposes.n + 1, sizeof(*oids));
	for (size_t i = 0; i < e->purposes.n; i++) {
		oids[i] = profile_purpose_oid(e->purposes.v[i]);
		if (!oids[i])
			return fault_raise(f, ERR_CONFIG, "template_purpose", "profile.extensions",
					   "profile %s: found purpose \"%s\", which no profile may give",
					   t->profile->name, ESC(e->purposes.v[i], strlen(e->purposes.v[i])));
	}
	ext_put_purposes(ret, e->critical, oids, e->purposes.n);
	return OK;
}

static void usages_ready(const struct profile_ext *e, struct part *p)
{
	for (size_t alg = 0; alg < KEY_ALG_N; alg++) {
		uint64_t bits = profile_key_usage(e, (enum key_alg)alg);
		if (bits)
			ext_put_key_usage(&p->by_alg[alg], e->critical, bits);
	}
}

/* The constant run at the end of the parts; a new one when the last part is of another sort. */
static struct buf *constant_run(struct template *t)
{
	if (t->n_parts == 0 || t->parts[t->n_parts - 1].ext)
		t->n_parts++;
	return &t->parts[t->n_parts - 1].constant;
}

static struct part *own_part(struct template *t, const struct profile_ext *e)
{
	struct part *p = &t->parts[t->n_parts++];
	p->ext = e;
	return p;
}

static enum err add_extension(struct template *t, const struct profile_ext *e, struct fault *f)
{
	switch ((enum ext_type)e->type) {
	case EXT_BASIC_CONSTRAINTS:
		ext_put_basic_constraints(constant_run(t), e->critical, false, -1);
		return OK;
	case EXT_KEY_USAGE:
		usages_ready(e, own_part(t, e));
		return OK;
	case EXT_EXTENDED_KEY_USAGE:
		return put_purposes(t, e, constant_run(t), f);
	case EXT_AKI:
		ext_put_aki(constant_run(t), e->critical, buf_slice(&t->key_id));
		return OK;
	case EXT_AIA:
		put_aia(t, e, constant_run(t));
		return OK;
	case EXT_CERT_POLICIES:
		put_policy(t, e, constant_run(t));
		return OK;
	case EXT_CRL_DP:
		t->cdp = e;
		own_part(t, e);
		return OK;
	case EXT_SKI:
	case EXT_SAN:
	case EXT_GMT0015:
		own_part(t, e);
		return OK;
	case EXT_TYPE_N:
		break;
	}
	return fault_raise(f, ERR_INTERNAL, "template_type", "profile.extensions", "found extension type %d", e->type);
}

/* Without these no certificate passes lint; better said once, when the policy is loaded. RFC 5280 4.2.1.1, 4.2.1.3. */
static enum err check_needed(const struct profile *p, struct fault *f)
{
	static const struct {
		enum ext_type type;
		const char *word;
	} needed[] = {{EXT_KEY_USAGE, "key_usage"}, {EXT_AKI, "authority_key_identifier"}};
	const struct profile_ext *exts = p->extensions.v;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		bool found = false;
		for (size_t j = 0; j < p->extensions.n; j++)
			found = found || exts[j].type == (int)needed[i].type;
		if (!found)
			return fault_raise(f, ERR_CONFIG, "template_missing", "profile.extensions",
					   "profile %s: missing extension %s (RFC 5280 4.2.1)", p->name,
					   needed[i].word);
	}
	return OK;
}

enum err template_new(const struct profile *p, const struct cert *issuer, struct template **ret, struct fault *f)
{
	_cleanup_(template_freep) struct template *t = xcalloc(1, sizeof(*t));
	const struct profile_ext *exts = p->extensions.v;
	TRY(check_needed(p, f));
	t->profile = p;
	sigalg_put(issuer->key.alg, &t->sigalg);
	buf_add_slice(&t->issuer, issuer->subject);
	buf_add_slice(&t->key_id, issuer_key_id(issuer));
	memcpy(t->issuer_id, issuer->key.key_id, sizeof(t->issuer_id));
	t->parts = xcalloc(p->extensions.n, sizeof(*t->parts));
	for (size_t i = 0; i < p->extensions.n; i++)
		TRY(add_extension(t, &exts[i], f));
	*ret = TAKE(t);
	return OK;
}

void template_cdp_url(const struct template *t, const uint8_t issuer[20], unsigned shard, struct buf *ret)
{
	if (t->cdp)
		url_expand(t->cdp->url, issuer, &shard, ret);
}

static enum err put_usages(const struct part *p, const struct build *b, struct buf *ret, struct fault *f)
{
	const struct buf *der = &p->by_alg[b->key->alg];
	if (der->len == 0)
		return fault_raise(f, ERR_RULE, "build_key_usage", "certificate.key_usage",
				   "a %s key can have none of the profile's usages (RFC 8813 3, RFC 9295 3)",
				   key_alg_word(b->key->alg));
	buf_add_slice(ret, buf_slice(der));
	return OK;
}

static void put_crl_dp(const struct template *t, const struct build *b, struct buf *ret)
{
	_cleanup_buf_ struct buf url = {0};
	template_cdp_url(t, t->issuer_id, serial_shard(b->serial, (unsigned)t->cdp->shards), &url);
	ext_put_crl_dp(ret, t->cdp->critical, buf_slice(&url));
}

/* An extension that repeats an attribute; without the attribute it is left out. */
static enum err put_from(const struct profile_ext *e, const struct build *b, struct buf *ret, struct fault *f)
{
	const char *value = name_get(b->subject, e->from);
	if (!value)
		return OK;
	if (e->type == EXT_SAN) {
		ext_put_mail(ret, e->critical, value);
		return OK;
	}
	if (!text_is_printable(value))
		return fault_raise(f, ERR_RULE, "build_gmt0015", "certificate.gmt0015",
				   "attribute %s is \"%s\", wanted a PrintableString (GM/T 0015 5.2.4.2)", e->from,
				   ESC(value, strlen(value)));
	ext_put_gmt0015(ret, e->critical, profile_ext_oid(e), value);
	return OK;
}

static enum err put_part(const struct template *t, const struct part *p, const struct build *b, struct buf *ret,
			 struct fault *f)
{
	if (!p->ext) {
		buf_add_slice(ret, buf_slice(&p->constant));
		return OK;
	}
	if (p->ext->type == EXT_KEY_USAGE)
		return put_usages(p, b, ret, f);
	if (p->ext->type == EXT_SKI)
		ext_put_ski(ret, p->ext->critical, slice_of(b->key->key_id, sizeof(b->key->key_id)));
	else if (p->ext->type == EXT_CRL_DP)
		put_crl_dp(t, b, ret);
	else
		return put_from(p->ext, b, ret, f);
	return OK;
}

enum err build_tbs(const struct template *t, const struct build *b, struct buf *ret, struct fault *f)
{
	struct tbs_head head = {.serial = b->serial,
				.sigalg = buf_slice(&t->sigalg),
				.issuer = buf_slice(&t->issuer),
				.not_before = b->not_before,
				.not_after = b->not_after,
				.subject = b->subject,
				.key = b->key};
	TRY(tbs_check(&head, f));
	size_t start = ret->len;
	struct tbs_open o = tbs_begin(&head, ret);
	for (size_t i = 0; i < t->n_parts; i++) {
		enum err e = put_part(t, &t->parts[i], b, ret, f);
		if (e != OK) {
			buf_cut(ret, start);
			return e;
		}
	}
	tbs_end(o, ret);
	return OK;
}

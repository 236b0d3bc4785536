/*
 * CRLs as they are read: the frame is kept, the entries stay where they are and are walked.
 *
 * crl_parse() reads every entry once, so that a list is either good or refused, not good until somebody looks up the
 * wrong serial. Delta and indirect lists, and those for some reasons or some kinds of certificate only, are refused: an
 * absent serial in them would not mean that the certificate is good.
 */
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/pki/ext.h"
#include "common/pki/name_private.h"
#include "common/pki/pubkey_private.h"

#include <string.h>

static const char *const reasons[] = {"unspecified",   "keyCompromise",	       "cACompromise",	  "affiliationChanged",
				      "superseded",    "cessationOfOperation", "certificateHold", NULL,
				      "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
#define REASON_N (sizeof(reasons) / sizeof(reasons[0]))

static const char *const said[REASON_N][2] = {{"未说明", "not said"},
					      {"密钥遗失或泄露", "the key is lost or in other hands"},
					      {"签发机构密钥泄露", "the CA's key is in other hands"},
					      {"证书信息变更", "the subject has changed"},
					      {"由新证书取代", "replaced by another certificate"},
					      {"不再使用", "no longer used"},
					      {"挂起", "on hold"},
					      {NULL, NULL},
					      {"解除挂起", "released from hold"},
					      {"授权撤销", "the right to it was withdrawn"},
					      {"属性机构密钥泄露", "the attribute authority's key is in other hands"}};

int crl_reason_from_word(const char *word)
{
	for (size_t i = 0; i < REASON_N; i++) {
		if (reasons[i] && strcmp(reasons[i], word) == 0)
			return (int)i;
	}
	return -1;
}

const char *crl_reason_word(unsigned reason)
{
	return reason < REASON_N ? reasons[reason] : NULL;
}

const char *crl_reason_said(unsigned reason, bool zh)
{
	return reason < REASON_N ? said[reason][zh ? 0 : 1] : NULL;
}

static enum err bad(struct fault *f, const char *where, const char *wanted)
{
	return fault_raise(f, ERR_PARSE, "crl_form", where, "not %s in DER", wanted);
}

/* RFC 5280 5.3.1. */
static bool read_reason(struct slice value, unsigned *ret)
{
	struct der d = der_of(value);
	struct slice body;
	if (!der_get(&d, DER_ENUMERATED, &body) || !der_at_end(&d) || body.n != 1 || !crl_reason_word(body.p[0]))
		return false;
	*ret = body.p[0];
	return true;
}

/* Extensions of one entry; certificateIssuer would be critical and is not known, as lists are not indirect. */
static enum err read_entry_exts(struct der *entry, struct crl_item *e, struct fault *f)
{
	struct der exts;
	struct cert_ext ext;
	bool seen = false;
	if (!der_enter(entry, DER_SEQUENCE, &exts) || der_at_end(&exts) || !der_at_end(entry))
		return bad(f, "crl.entry.extensions", "a last SEQUENCE of one extension or more (RFC 5280 5.1.2.6)");
	while (!der_at_end(&exts)) {
		if (!ext_get(&exts, &ext))
			return bad(f, "crl.entry.extensions", "each an Extension (RFC 5280 4.1)");
		bool reason = strcmp(ext.oid, "2.5.29.21") == 0;
		if (reason && (seen || !read_reason(ext.value, &e->reason)))
			return bad(f, "crl.entry.reason", "one ENUMERATED of RFC 5280 5.3.1");
		seen = seen || reason;
		if (ext.critical && !reason)
			return ext_unknown(&ext, "crl.entry.extensions", f);
	}
	return OK;
}

/* The next of revokedCertificates. */
static enum err next_entry(struct der *revoked, struct crl_item *ret, struct fault *f)
{
	struct der entry;
	struct slice serial;
	*ret = (struct crl_item){0};
	if (!der_enter(revoked, DER_SEQUENCE, &entry) || !der_get_integer(&entry, &serial))
		return bad(f, "crl.entry", "a SEQUENCE that begins with an INTEGER (RFC 5280 5.1.2.6)");
	if (!serial_from_integer(serial, &ret->serial))
		return fault_raise(
			f, ERR_PARSE, "crl_serial", "crl.entry.serial",
			"%zu octets that begin 0x%02x, wanted a positive number of at most 20 (RFC 5280 4.1.2.2)",
			serial.n, serial.p[0]);
	if (!der_get_time(&entry, &ret->when))
		return bad(f, "crl.entry.revocationDate", "a time of RFC 5280 5.1.2.6");
	return der_at_end(&entry) ? OK : read_entry_exts(&entry, ret, f);
}

/* RFC 5280 5.2.5: the point's name and onlyContainsUserCerts are left to the caller, the rest must be absent. */
static enum err read_idp(const struct cert_ext *e, struct crl *c, struct fault *f)
{
	struct der d = der_of(e->value), idp;
	bool yes;
	if (!der_enter(&d, DER_SEQUENCE, &idp) || !der_at_end(&d) || der_at_end(&idp))
		return bad(f, "crl.issuingDistributionPoint", "a SEQUENCE with something in it (RFC 5280 5.2.5)");
	if (der_peek(&idp) == DER_CONTEXT_CONS(0) && !der_any(&idp, NULL, NULL, NULL))
		return bad(f, "crl.issuingDistributionPoint", "a [0] distributionPoint (RFC 5280 5.2.5)");
	if (der_peek(&idp) == DER_CONTEXT(1)) {
		struct slice body;
		yes = der_get(&idp, DER_CONTEXT(1), &body) && body.n == 1 && body.p[0] == 0xff;
		if (!yes)
			return bad(f, "crl.issuingDistributionPoint",
				   "onlyContainsUserCerts TRUE or left out (RFC 5280 5.2.5)");
	}
	if (!der_at_end(&idp))
		return fault_raise(f, ERR_RULE, "crl_scope", "crl.issuingDistributionPoint",
				   "found element 0x%02x: the list is indirect, or for some reasons or kinds of "
				   "certificate only; wanted "
				   "a full one (RFC 5280 5.2.5)",
				   (unsigned)der_peek(&idp));
	c->idp = e->value;
	return OK;
}

static enum err read_crl_ext(const struct cert_ext *e, struct crl *c, struct fault *f)
{
	if (strcmp(e->oid, "2.5.29.20") == 0) {
		struct der d = der_of(e->value);
		if (c->number.p || !der_get_integer(&d, &c->number) || !der_at_end(&d) || c->number.p[0] >= 0x80 ||
		    c->number.n > 20)
			return bad(f, "crl.cRLNumber",
				   "one INTEGER, not negative, of at most 20 octets (RFC 5280 5.2.3)");
		return OK;
	}
	if (strcmp(e->oid, "2.5.29.28") == 0)
		return c->idp.p ? bad(f, "crl.issuingDistributionPoint", "there once (RFC 5280 4.2)")
				: read_idp(e, c, f);
	/* It has to be critical; a list that forgot it is no full one for all that. */
	if (strcmp(e->oid, "2.5.29.27") == 0)
		return fault_raise(
			f, ERR_RULE, "crl_scope", "crl.deltaCRLIndicator",
			"the list says what has changed since another one; wanted a full one (RFC 5280 5.2.4)");
	bool aki = strcmp(e->oid, "2.5.29.35") == 0;
	return e->critical && !aki ? ext_unknown(e, "crl.extensions", f) : OK;
}

static enum err parse_exts(struct der *tbs, struct crl *c, struct fault *f)
{
	struct der explicit, exts;
	struct cert_ext e;
	if (!der_enter(tbs, DER_CONTEXT_CONS(0), &explicit) || !der_enter(&explicit, DER_SEQUENCE, &exts) ||
	    !der_at_end(&explicit) || der_at_end(&exts) || !der_at_end(tbs))
		return bad(f, "crl.extensions", "a last [0] SEQUENCE of one extension or more (RFC 5280 5.1.2.7)");
	for (size_t n = 0; !der_at_end(&exts); n++) {
		if (n == CERT_MAX_EXTS)
			return fault_raise(f, ERR_LIMIT, "crl_extensions", "crl.extensions", "more than %d extensions",
					   CERT_MAX_EXTS);
		if (!ext_get(&exts, &e))
			return bad(f, "crl.extensions", "each an Extension (RFC 5280 4.1)");
		TRY(read_crl_ext(&e, c, f));
	}
	return OK;
}

static enum err parse_times(struct der *tbs, struct crl *c, struct fault *f)
{
	if (!der_get_time(tbs, &c->this_update))
		return bad(f, "crl.thisUpdate", "a time of RFC 5280 5.1.2.4");
	int tag = der_peek(tbs);
	if (tag != DER_UTCTIME && tag != DER_GENTIME)
		return OK;
	if (!der_get_time(tbs, &c->next_update))
		return bad(f, "crl.nextUpdate", "a time of RFC 5280 5.1.2.5");
	/* 0 stands for absent, and is no time that a list could have. */
	if (c->next_update <= 0 || c->next_update < c->this_update)
		return fault_raise(f, ERR_PARSE, "crl_times", "crl.nextUpdate",
				   "%s, wanted one after thisUpdate %s and after 1970", UTC(c->next_update),
				   UTC(c->this_update));
	return OK;
}

static enum err parse_revoked(struct der *tbs, struct crl *c, bool v2, struct fault *f)
{
	struct crl_item e;
	if (der_peek(tbs) == DER_SEQUENCE) {
		if (!der_get(tbs, DER_SEQUENCE, &c->revoked))
			return bad(f, "crl.revokedCertificates", "a SEQUENCE (RFC 5280 5.1.2.6)");
		struct der revoked = der_of(c->revoked);
		while (!der_at_end(&revoked))
			TRY(next_entry(&revoked, &e, f));
	}
	if (der_at_end(tbs))
		return OK;
	return v2 ? parse_exts(tbs, c, f) : bad(f, "crl", "ended by its entries, as v1 is (RFC 5280 5.1.2.7)");
}

static enum err parse_tbs(struct crl *c, struct slice *ret_algid, struct fault *f)
{
	struct der d = der_of(c->tbs), tbs;
	uint64_t version;
	if (!der_enter(&d, DER_SEQUENCE, &tbs))
		return bad(f, "crl.tbsCertList", "a SEQUENCE (RFC 5280 5.1)");
	bool v2 = der_peek(&tbs) == DER_INTEGER;
	if (v2 && (!der_get_uint(&tbs, 1, &version) || version != 1))
		return bad(f, "crl.version", "1 (v2), or none for v1 (RFC 5280 5.1.2.1)");
	if (!der_get_whole(&tbs, DER_SEQUENCE, ret_algid))
		return bad(f, "crl.signature", "a SEQUENCE (RFC 5280 5.1.2.2)");
	if (!der_get_whole(&tbs, DER_SEQUENCE, &c->issuer) || !name_is_wellformed(c->issuer) || c->issuer.n <= 2)
		return bad(f, "crl.issuer", "a Name with something in it (RFC 5280 5.1.2.3)");
	TRY(parse_times(&tbs, c, f));
	return parse_revoked(&tbs, c, v2, f);
}

enum err crl_parse(struct slice der, struct crl *ret, struct fault *f)
{
	struct crl c = {.der = der};
	struct der d = der_of(der), outer;
	struct slice inner_alg, outer_alg;
	unsigned unused;
	if (der.n > CRL_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "crl_size", "crl", "%zu bytes, wanted at most %u", der.n,
				   CRL_MAX_BYTES);
	if (!der_enter(&d, DER_SEQUENCE, &outer) || !der_at_end(&d))
		return bad(f, "crl", "one SEQUENCE with nothing behind it (RFC 5280 5.1)");
	if (!der_get_whole(&outer, DER_SEQUENCE, &c.tbs))
		return bad(f, "crl.tbsCertList", "a SEQUENCE (RFC 5280 5.1)");
	TRY(parse_tbs(&c, &inner_alg, f));
	if (!der_get_whole(&outer, DER_SEQUENCE, &outer_alg))
		return bad(f, "crl.signatureAlgorithm", "a SEQUENCE (RFC 5280 5.1.1.2)");
	if (!slice_eq(inner_alg, outer_alg))
		return fault_raise(f, ERR_PARSE, "crl_algorithms", "crl.signatureAlgorithm",
				   "differs from the one inside what is signed (RFC 5280 5.1.1.2)");
	TRY(sigalg_parse(outer_alg, &c.sigalg, f));
	if (!der_get_bits(&outer, &c.signature, &unused) || unused != 0 || !der_at_end(&outer))
		return bad(f, "crl.signatureValue", "a last BIT STRING of whole octets (RFC 5280 5.1.1.3)");
	*ret = c;
	return OK;
}

/* RFC 5280 6.3.3 (f), (g). */
enum err crl_verify_by(const struct crl *c, const struct cert *issuer, struct fault *f)
{
	if (!slice_eq(c->issuer, issuer->subject))
		return fault_raise(f, ERR_RULE, "crl_issuer_name", "crl.issuer",
				   "is not the subject of the issuer's certificate, byte for byte (RFC 5280 6.3.3)");
	if (!issuer->has_bc || !issuer->is_ca)
		return fault_raise(f, ERR_RULE, "crl_issuer_not_ca", "issuer.basicConstraints",
				   "%s, wanted cA TRUE: lists of others are not taken",
				   issuer->has_bc ? "cA is not set" : "absent");
	if (issuer->has_ku && !(issuer->key_usage & KU_BIT(KU_CRL_SIGN)))
		return fault_raise(f, ERR_RULE, "crl_issuer_usage", "issuer.keyUsage",
				   "cRLSign is not set (RFC 5280 4.2.1.3)");
	if (!sigalg_fits(&c->sigalg, issuer->key.alg) ||
	    !pubkey_verify_md(&issuer->key, c->sigalg.md, c->tbs, c->signature))
		return fault_raise(f, ERR_CRYPTO, "crl_signature", "crl.signatureValue",
				   "the signature does not verify with the issuer's %s key (RFC 5280 6.3.3)",
				   key_alg_word(issuer->key.alg));
	return OK;
}

enum err crl_number_u64(const struct crl *c, uint64_t *ret, struct fault *f)
{
	uint64_t number = 0;
	if (c->number.n == 0 || c->number.n > 8 || c->number.p[0] >= 0x80)
		return fault_raise(f, ERR_RULE, "crl_number", "crl.cRLNumber", "found none, or one beyond 63 bits");
	for (size_t i = 0; i < c->number.n; i++)
		number = number << 8 | c->number.p[i];
	*ret = number;
	return OK;
}

enum err crl_find(const struct crl *c, const struct serial *s, bool *ret_found, int64_t *ret_when, unsigned *ret_reason,
		  struct fault *f)
{
	struct der revoked = der_of(c->revoked);
	struct crl_item e;
	while (!der_at_end(&revoked)) {
		TRY(next_entry(&revoked, &e, f));
		if (serial_eq(&e.serial, s)) {
			*ret_found = true;
			*ret_when = e.when;
			*ret_reason = e.reason;
			return OK;
		}
	}
	*ret_found = false;
	return OK;
}

struct sought {
	const struct serial *serial;
	struct crl_hit *hit;
};

static int by_serial(const void *a, const void *b)
{
	const struct serial *x = ((const struct sought *)a)->serial, *y = ((const struct sought *)b)->serial;
	return x->n == y->n ? memcmp(x->b, y->b, x->n) : x->n < y->n ? -1 : 1;
}

/* The same serial may be sought more than once; of the list's entries the first counts, as in crl_find(). */
static void hit_all(const struct crl_item *e, struct sought *v, size_t n)
{
	struct sought key = {.serial = &e->serial}, *at = n > 0 ? bsearch(&key, v, n, sizeof(*v), by_serial) : NULL;
	if (!at)
		return;
	while (at > v && by_serial(at - 1, &key) == 0)
		at--;
	for (; at < v + n && by_serial(at, &key) == 0; at++)
		if (!at->hit->found)
			*at->hit = (struct crl_hit){true, e->when, e->reason};
}

enum err crl_find_all(const struct crl *c, const struct serial *s, size_t n, struct crl_hit *ret, struct fault *f)
{
	struct der revoked = der_of(c->revoked);
	struct crl_item e;
	_cleanup_(freep) struct sought *v = xcalloc(n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct crl_hit){0};
		v[i] = (struct sought){&s[i], &ret[i]};
	}
	qsort(v, n, sizeof(*v), by_serial);
	while (!der_at_end(&revoked)) {
		TRY(next_entry(&revoked, &e, f));
		hit_all(&e, v, n);
	}
	return OK;
}

enum err crl_items(const struct crl *c, size_t max, struct crl_item **ret, size_t *ret_n, struct fault *f)
{
	struct der revoked = der_of(c->revoked);
	_cleanup_(freep) struct crl_item *v = xcalloc(max + 1, sizeof(*v));
	size_t n = 0;
	while (!der_at_end(&revoked)) {
		if (n == max)
			return fault_raise(f, ERR_LIMIT, "crl_entries", "crl.revokedCertificates",
					   "found more than %zu entries", max);
		TRY(next_entry(&revoked, &v[n++], f));
	}
	*ret = TAKE(v);
	*ret_n = n;
	return OK;
}

/*
 * Extensions: the frame, and those few of a certificate that decide something here.
 *
 * Critical ones that this file does not know are refused (RFC 5280 4.2). Constraints on names and policies are among
 * them: nothing here could apply them, and to overlook them would widen what an issuer was trusted with.
 */
#include "common/pki/ext.h"

#include <stdio.h>
#include <string.h>

#define KEY_ID_MAX 64

bool ext_get(struct der *exts, struct cert_ext *ret)
{
	struct der at = *exts, ext;
	struct slice oid;
	struct cert_ext e = {0};
	if (!der_enter(&at, DER_SEQUENCE, &ext) || !der_get(&ext, DER_OID, &oid) ||
	    !der_oid_text(oid, e.oid, sizeof(e.oid)))
		return false;
	/* X.690 11.5: FALSE is the default, and so never there. */
	if (der_peek(&ext) == DER_BOOLEAN && (!der_get_bool(&ext, &e.critical) || !e.critical))
		return false;
	if (!der_get(&ext, DER_OCTET_STRING, &e.value) || !der_at_end(&ext))
		return false;
	*ret = e;
	*exts = at;
	return true;
}

enum err ext_unknown(const struct cert_ext *e, const char *where, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "unknown_critical_extension", where,
			   "extension %s is critical and not one that is processed here (RFC 5280 4.2)", e->oid);
}

static enum err bad(struct fault *f, const char *name, const char *wanted)
{
	char where[64];
	snprintf(where, sizeof(where), "cert.%s", name);
	return fault_raise(f, ERR_PARSE, "ext_form", where, "not %s in DER", wanted);
}

/* RFC 5280 4.2.1.9. */
static enum err read_basic_constraints(struct slice value, struct cert *c, struct fault *f)
{
	struct der d = der_of(value), bc;
	uint64_t path_len;
	if (!der_enter(&d, DER_SEQUENCE, &bc) || !der_at_end(&d))
		return bad(f, "basicConstraints", "a SEQUENCE (RFC 5280 4.2.1.9)");
	if (der_peek(&bc) == DER_BOOLEAN && (!der_get_bool(&bc, &c->is_ca) || !c->is_ca))
		return bad(f, "basicConstraints", "cA TRUE or left out (X.690 11.5)");
	if (!der_at_end(&bc)) {
		if (!c->is_ca || !der_get_uint(&bc, INT32_MAX, &path_len) || !der_at_end(&bc))
			return bad(f, "basicConstraints",
				   "ended by a pathLenConstraint beside cA TRUE (RFC 5280 4.2.1.9)");
		c->path_len = (int64_t)path_len;
	}
	c->has_bc = true;
	return OK;
}

/* RFC 5280 4.2.1.3. A list of named bits ends with a set one (X.690 11.2.2). */
static enum err read_key_usage(struct slice value, struct cert *c, struct fault *f)
{
	struct der d = der_of(value);
	struct slice bits;
	unsigned unused;
	if (!der_get_bits(&d, &bits, &unused) || !der_at_end(&d) || bits.n == 0 || bits.n > 2 ||
	    !(bits.p[bits.n - 1] & 1u << unused) || (bits.n == 2 && unused != 7))
		return bad(f, "keyUsage",
			   "a BIT STRING of bits 0 to 8 that ends with a set one (RFC 5280 4.2.1.3, X.690 11.2.2)");
	for (unsigned i = 0; i < 8 * bits.n; i++) {
		if (bits.p[i / 8] & 0x80u >> i % 8)
			c->key_usage |= KU_BIT(i);
	}
	c->has_ku = true;
	return OK;
}

/* RFC 5280 4.2.1.2. */
static enum err read_ski(struct slice value, struct cert *c, struct fault *f)
{
	struct der d = der_of(value);
	if (!der_get(&d, DER_OCTET_STRING, &c->ski) || !der_at_end(&d) || c->ski.n == 0 || c->ski.n > KEY_ID_MAX)
		return bad(f, "subjectKeyIdentifier", "an OCTET STRING of 1 to 64 octets (RFC 5280 4.2.1.2)");
	return OK;
}

/* RFC 5280 4.2.1.1. Issuer and serial are looked at for form alone. */
static enum err read_aki(struct slice value, struct cert *c, struct fault *f)
{
	struct der d = der_of(value), aki, names;
	bool good = der_enter(&d, DER_SEQUENCE, &aki) && der_at_end(&d);
	if (good && der_peek(&aki) == DER_CONTEXT(0))
		good = der_get(&aki, DER_CONTEXT(0), &c->aki) && c->aki.n > 0 && c->aki.n <= KEY_ID_MAX;
	if (good && !der_at_end(&aki)) {
		struct slice serial;
		good = der_enter(&aki, DER_CONTEXT_CONS(1), &names) && !der_at_end(&names);
		while (good && !der_at_end(&names))
			good = der_any(&names, NULL, NULL, NULL);
		good = good && der_get(&aki, DER_CONTEXT(2), &serial) && serial.n > 0 && der_at_end(&aki);
	}
	return good ? OK
		    : bad(f, "authorityKeyIdentifier",
			  "a SEQUENCE of key id, or issuer with serial (RFC 5280 4.2.1.1)");
}

/* RFC 5280 4.2.1.12: one purpose or more. */
static enum err read_eku(struct slice value, struct cert *c, struct fault *f)
{
	struct der d = der_of(value), eku;
	struct slice oid;
	char text[128];
	(void)c;
	bool good = der_enter(&d, DER_SEQUENCE, &eku) && der_at_end(&d) && !der_at_end(&eku);
	while (good && !der_at_end(&eku))
		good = der_get(&eku, DER_OID, &oid) && der_oid_text(oid, text, sizeof(text));
	return good ? OK : bad(f, "extKeyUsage", "a SEQUENCE of OBJECT IDENTIFIERs (RFC 5280 4.2.1.12)");
}

static const struct {
	const char *oid;
	enum err (*read)(struct slice value, struct cert *c, struct fault *f); /* NULL: nothing in it decides here */
} known[] = {
	{"2.5.29.19", read_basic_constraints},
	{"2.5.29.15", read_key_usage},
	{"2.5.29.14", read_ski},
	{"2.5.29.35", read_aki},
	{"2.5.29.37", read_eku},
	{"2.5.29.17", NULL},	     /* subjectAltName */
	{"2.5.29.31", NULL},	     /* cRLDistributionPoints */
	{"2.5.29.32", NULL},	     /* certificatePolicies: any is good enough, so none is wanted */
	{"1.3.6.1.5.5.7.1.1", NULL}, /* authorityInfoAccess */
};

static enum err read_one(const struct cert_ext *e, struct cert *c, struct fault *f)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].oid, e->oid) != 0)
			continue;
		if (known[i].read)
			return known[i].read(e->value, c, f);
		struct der d = der_of(e->value);
		if (!der_get(&d, DER_SEQUENCE, NULL) || !der_at_end(&d))
			return bad(f, e->oid, "one SEQUENCE (RFC 5280 4.2.1)");
		return OK;
	}
	return e->critical ? ext_unknown(e, "cert.extensions", f) : OK;
}

enum err ext_read_all(struct cert *c, struct fault *f)
{
	c->path_len = -1;
	for (size_t i = 0; i < c->n_exts; i++)
		TRY(read_one(&c->exts[i], c, f));
	return OK;
}

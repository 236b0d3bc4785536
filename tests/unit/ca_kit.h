/*
 * What the tests of the signer's certificates share: keys made once, a CA, a profile with every extension, a subject,
 * and libcrypto as the other opinion.
 */
#ifndef HUFU_TEST_CA_KIT_H
#define HUFU_TEST_CA_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/build.h"
#include "ca/key.h"
#include "ca/lint.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/base/cleanup.h"

#define NOW INT64_C(1795392000) /* 2026-11-23T00:00:00Z */
#define DAY INT64_C(86400)
#define SM2_DEFAULT_ID "1234567812345678"

static inline void check_refused(const char *what, enum err found, const struct fault *f, enum err kind,
				 const char *rule)
{
	if (found != kind || strcmp(f->rule, rule) != 0 || f->where[0] == '\0' || f->text[0] == '\0')
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted %s, rule \"%s\"", what,
			 found == OK ? "ok" : err_word(found), f->rule, f->where, f->text, err_word(kind), rule);
}

static inline void check_ok(const char *what, enum err found, const struct fault *f)
{
	if (found != OK)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s; wanted ok", what, err_word(found), f->rule, f->where,
			 f->text);
}

enum kit_role { KIT_CA, KIT_SUBJECT, KIT_OTHER, KIT_ROLES };
static struct ca_key *kit_keys[KIT_ROLES][KEY_ALG_N];

/* One key of each algorithm and role for the whole program. */
static inline struct ca_key *kit_key(enum kit_role role, enum key_alg alg)
{
	struct fault f = {0};
	struct ca_key **k = &kit_keys[role][alg];
	if (!*k)
		check_ok("key", ca_key_create(alg, alg == KEY_RSA ? 2048 : 0, k, &f), &f);
	return *k;
}

static inline int kit_done(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIT_ROLES; i++) {
		for (size_t a = 0; a < KEY_ALG_N; a++)
			ca_key_freep(&kit_keys[i][a]);
	}
	return 0;
}

static inline void kit_add(struct name *n, const char *word, const char *value)
{
	struct fault f = {0};
	check_ok(word, name_add(n, attr_by_word(word, strlen(word)), value, strlen(value), &f), &f);
}

static inline struct name kit_name(const char *common_name)
{
	struct name n = {0};
	kit_add(&n, "C", "CN");
	kit_add(&n, "O", "虎符测试");
	kit_add(&n, "CN", common_name);
	return n;
}

static inline struct name kit_subject(void)
{
	struct name n = {0};
	kit_add(&n, "C", "CN");
	kit_add(&n, "O", "杭州田谷");
	kit_add(&n, "CN", "杭州田谷");
	kit_add(&n, "organizationIdentifier", "913301003535355023");
	kit_add(&n, "emailAddress", "agent@example.test");
	return n;
}

struct kit_ca {
	struct name name;
	struct buf der;
	struct cert cert;
	struct ca_key *key; /* borrowed */
};

static inline void kit_ca_done(struct kit_ca *ca)
{
	cert_done(&ca->cert);
	buf_done(&ca->der);
	name_done(&ca->name);
}

static inline void kit_sign(struct slice tbs, const struct ca_key *signer, struct buf *ret_der)
{
	_cleanup_buf_ struct buf signature = {0};
	struct fault f = {0};
	check_ok("sign", ca_key_sign(signer, tbs, &signature, &f), &f);
	build_certificate(tbs, ca_key_public(signer)->alg, buf_slice(&signature), ret_der);
}

/* A CA named so: self-signed when issuer is NULL. */
static inline struct kit_ca kit_ca_of(const char *name, const struct ca_key *key, const struct kit_ca *issuer,
				      int path_len, unsigned years)
{
	struct kit_ca ca = {.name = kit_name(name), .key = (struct ca_key *)key};
	_cleanup_buf_ struct buf tbs = {0};
	struct serial serial;
	struct fault f = {0};
	uint64_t last = 0;
	const struct ca_key *signer = issuer ? issuer->key : key;
	serial_make(&last, &serial);
	struct ca_build b = {.subject = &ca.name,
			     .key = ca_key_public(key),
			     .not_before = NOW - DAY,
			     .not_after = NOW + (int64_t)years * 365 * DAY,
			     .path_len = path_len,
			     .issuer = issuer ? &issuer->cert : NULL};
	if (issuer) {
		b.crl_url = "http://pki.example.test/crl/{issuer}/0.crl";
		b.ca_issuers_url = "http://pki.example.test/ca/{issuer}.crt";
		b.policy_oid = "2.999.1.1";
	}
	check_ok("build_ca_tbs", build_ca_tbs(&b, ca_key_public(signer)->alg, &serial, &tbs, &f), &f);
	kit_sign(buf_slice(&tbs), signer, &ca.der);
	check_ok("cert_parse", cert_parse(buf_slice(&ca.der), &ca.cert, &f), &f);
	return ca;
}

static inline struct kit_ca kit_root(enum key_alg alg)
{
	return kit_ca_of("根 Root CA", kit_key(KIT_CA, alg), NULL, -1, 20);
}

/* A profile with every extension, made by hand; borrows nothing but constants. */
struct kit_profile {
	struct profile profile;
	struct profile_ext exts[12];
	const char *purposes[2];
};
enum { X_AKI, X_SKI, X_KU, X_EKU, X_CDP, X_AIA, X_POLICY, X_SAN, X_ORGANISATION, X_TAX, X_N };

static inline void kit_profile(struct kit_profile *k)
{
	*k = (struct kit_profile){.purposes = {"clientAuth", "emailProtection"}};
	struct profile_ext exts[X_N] = {
		[X_AKI] = {.type = EXT_AKI},
		[X_SKI] = {.type = EXT_SKI},
		[X_KU] = {.type = EXT_KEY_USAGE, .critical = true, .bits = 0x0f, .by_algorithm = true},
		[X_EKU] = {.type = EXT_EXTENDED_KEY_USAGE, .purposes = {k->purposes, 2}},
		[X_CDP] = {.type = EXT_CRL_DP, .url = "http://pki.example.test/crl/{issuer}/{shard}.crl", .shards = 16},
		[X_AIA] = {.type = EXT_AIA,
			   .ca_issuers = "http://pki.example.test/ca/{issuer}.crt",
			   .ocsp = "http://pki.example.test/ocsp"},
		[X_POLICY] = {.type = EXT_CERT_POLICIES, .oid = "2.999.1.1", .cps = "http://pki.example.test/cps"},
		[X_SAN] = {.type = EXT_SAN, .from = "emailAddress"},
		[X_ORGANISATION] = {.type = EXT_GMT0015, .code = "organisation", .from = "organizationIdentifier"},
		[X_TAX] = {.type = EXT_GMT0015, .code = "tax", .from = "serialNumber"},
	};
	memcpy(k->exts, exts, sizeof(exts));
	for (size_t i = 0; i < X_N; i++)
		k->exts[i].shards = k->exts[i].shards ? k->exts[i].shards : 1;
	k->profile.name = "organisation";
	k->profile.key_algs = (1u << KEY_ALG_N) - 1;
	k->profile.rsa_min_bits = 2048;
	k->profile.rsa_max_bits = 4096;
	k->profile.cap_days = 3653;
	k->profile.extensions.v = k->exts;
	k->profile.extensions.n = X_N;
}

static inline X509 *kit_x509(struct slice der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	assert_non_null(x);
	assert_ptr_equal(p, der.p + der.n);
	if (X509_get_signature_nid(x) != NID_SM2_with_SM3)
		return x;
	/* OpenSSL 3.0's own default is an empty id. */
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	assert_int_equal(ASN1_OCTET_STRING_set(id, (const unsigned char *)SM2_DEFAULT_ID, 16), 1);
	X509_set0_distinguishing_id(x, id);
	return x;
}

/* What `openssl verify -x509_strict` does at a time: X509_V_OK, or libcrypto's error. */
static inline int kit_verify(struct slice leaf, struct slice middle, struct slice root, X509_CRL *crl, int64_t when)
{
	_cleanup_(x509_freep) X509 *x = kit_x509(leaf), *r = kit_x509(root), *m = middle.n ? kit_x509(middle) : NULL;
	_cleanup_(x509_store_freep) X509_STORE *store = X509_STORE_new();
	_cleanup_(x509_store_ctx_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	assert_int_equal(X509_STORE_add_cert(store, r), 1);
	if (m)
		sk_X509_push(untrusted, m);
	if (crl)
		assert_int_equal(X509_STORE_add_crl(store, crl), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, x, untrusted), 1);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE |
					      (crl ? X509_V_FLAG_CRL_CHECK : 0));
	X509_STORE_CTX_set_time(ctx, 0, (time_t)when);
	int found = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	sk_X509_free(untrusted);
	return found;
}

#endif

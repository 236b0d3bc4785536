/*
 * Requests: real forms, hostile ones built octet by octet, every cut and many changes of a good one, and the corpus;
 * what is taken, libcrypto takes too.
 */
#include "pki_kit.h"

#include "common/pki/csr.h"
#include "common/pki/der.h"
#include "common/pki/sign.h"

#include <openssl/x509.h>

#include "common/base/cleanup.h"

static EVP_PKEY *p256, *rsa;

static int make_keys(void **state)
{
	struct fault f = {0};
	(void)state;
	assert_ok(privkey_generate(KEY_P256, 0, &p256, &f), &f);
	assert_ok(privkey_generate(KEY_RSA, 2048, &rsa, &f), &f);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(p256);
	EVP_PKEY_free(rsa);
	return 0;
}

/* Pieces of a request as hex; NULL: the good one. */
struct spec {
	const char *version, *subject, *attributes, *behind_info, *sigalg, *sig_unused, *behind_sig, *behind;
};

static void add(struct buf *b, const char *hex, const char *otherwise)
{
	struct buf piece = unhex(hex ? hex : otherwise);
	buf_add_slice(b, buf_slice(&piece));
	buf_done(&piece);
}

static struct buf build(const struct spec *s)
{
	struct buf info = {0}, sig = {0}, der = {0}, bits = {0};
	struct pubkey k = {0};
	struct fault f = {0};
	assert_ok(privkey_public(p256, &k, &f), &f);
	size_t at = der_begin(&info, DER_SEQUENCE);
	add(&info, s->version, "020100");
	add(&info, s->subject, "300c310a300806035504030c0178");
	buf_add(&info, k.spki, k.spki_len);
	add(&info, s->attributes, "a000");
	add(&info, s->behind_info, "");
	der_end(&info, at);
	assert_ok(privkey_sign(p256, KEY_P256, buf_slice(&info), &sig, &f), &f);
	at = der_begin(&der, DER_SEQUENCE);
	buf_add_slice(&der, buf_slice(&info));
	add(&der, s->sigalg, "300a06082a8648ce3d040302");
	add(&bits, s->sig_unused, "00");
	buf_add_slice(&bits, buf_slice(&sig));
	der_put(&der, DER_BIT_STRING, buf_slice(&bits));
	add(&der, s->behind_sig, "");
	der_end(&der, at);
	add(&der, s->behind, "");
	pubkey_done(&k);
	buf_done(&info);
	buf_done(&sig);
	buf_done(&bits);
	return der;
}

/* libcrypto's yes to the bytes. */
static bool libcrypto_takes(struct slice der)
{
	const unsigned char *p = der.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.n);
	bool good = req && p == der.p + der.n && X509_REQ_get0_pubkey(req);
	X509_REQ_free(req);
	return good;
}

static const struct {
	struct spec spec;
	const char *rule; /* NULL: good */
	const char *where;
	const char *why;
} cases[] = {
	{{0}, NULL, NULL, "plain"},
	{{.attributes = ""}, NULL, NULL, "attributes left out"},
	{{.attributes = "a01b 3019 06092a864886f70d01090e 310c 300a 3008 0603551d0f 0401ff"},
	 NULL,
	 NULL,
	 "extensionRequest"},
	{{.subject = "3000"}, NULL, NULL, "empty subject"},
	{{.version = "020101"}, "csr_form", "csr.version", "version 1"},
	{{.version = ""}, "csr_form", "csr.version", "no version"},
	{{.version = "0201ff"}, "csr_form", "csr.version", "negative version"},
	{{.version = "02020000"}, "csr_form", "csr.version", "padded version"},
	{{.subject = "3002 3100"}, "csr_form", "csr.subject", "empty RDN"},
	{{.subject = "0500"}, "csr_form", "csr.subject", "no subject"},
	{{.attributes = "a100"}, "csr_form", "csr.attributes", "[1]"},
	{{.attributes = "8000"}, "csr_form", "csr.attributes", "primitive [0]"},
	{{.attributes = "a002 0500"}, "csr_form", "csr.attributes", "NULL for an attribute"},
	{{.attributes = "a007 3005 0603550403"}, "csr_form", "csr.attributes", "attribute without values"},
	{{.attributes = "a009 3007 0603550403 3000"}, "csr_form", "csr.attributes", "values not in a SET"},
	{{.attributes = "a00b 3009 0603550403 3102 0c05"}, "csr_form", "csr.attributes", "a value cut"},
	{{.behind_info = "0500"}, "csr_form", "csr.info", "something behind the attributes"},
	{{.sigalg = "300b06072a8648ce3d02010500"}, "sigalg_unknown", NULL, "key's algorithm as signature's"},
	{{.sigalg = "300d06092a864886f70d0101040500"}, NULL, NULL, "rsa with MD5: parses"},
	{{.sigalg = ""}, "csr_form", "csr.signatureAlgorithm", "no algorithm"},
	{{.sig_unused = "01"}, "csr_form", "csr.signature", "unused bits"},
	{{.behind_sig = "0500"}, "csr_form", "csr.signature", "something behind the signature"},
	{{.behind = "00"}, "csr_form", "csr", "a byte behind"},
};

static void forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf der = build(&cases[i].spec);
		uint8_t *p = exact(der.data, der.len);
		struct csr c = {0};
		struct fault f = {0};
		enum err e = csr_parse(slice_of(p, der.len), &c, &f);
		if (cases[i].rule) {
			if (e != ERR_PARSE || strcmp(f.rule, cases[i].rule) != 0 ||
			    (cases[i].where && strcmp(f.where, cases[i].where) != 0))
				fail_msg("%s: %s at %s: %s", cases[i].why, f.rule, f.where, f.text);
			assert_null(c.key.pkey);
		} else {
			if (e != OK)
				fail_msg("%s: %s", cases[i].why, f.text);
			assert_true(libcrypto_takes(slice_of(p, der.len)));
			bool fits = !cases[i].spec.sigalg;
			assert_int_equal(csr_verify(&c, &f), fits ? OK : ERR_CRYPTO);
		}
		csr_done(&c);
		csr_done(&c);
		free(p);
		buf_done(&der);
	}
}

static void proof_must_hold(void **state)
{
	struct buf der = build(&(struct spec){0});
	struct csr c = {0};
	struct fault f = {0};
	(void)state;
	assert_ok(csr_parse(buf_slice(&der), &c, &f), &f);
	assert_int_equal(c.subject.n, 14);
	assert_ok(csr_verify(&c, &f), &f);
	/* somebody else's signature */
	struct slice own = c.signature;
	struct buf sig = {0};
	EVP_PKEY *other = NULL;
	assert_ok(privkey_generate(KEY_P256, 0, &other, &f), &f);
	assert_ok(privkey_sign(other, KEY_P256, c.info, &sig, &f), &f);
	c.signature = buf_slice(&sig);
	assert_refused(csr_verify(&c, &f), ERR_CRYPTO, "csr_signature", &f, "other key");
	c.signature = own;
	c.sigalg.family = SIG_RSA;
	assert_refused(csr_verify(&c, &f), ERR_CRYPTO, "csr_signature", &f, "other family");
	EVP_PKEY_free(other);
	buf_done(&sig);
	csr_done(&c);
	buf_done(&der);
}

static void too_large(void **state)
{
	uint8_t *big = xcalloc(1, CSR_MAX_BYTES + 1);
	struct csr c = {0};
	struct fault f;
	(void)state;
	assert_refused(csr_parse(slice_of(big, CSR_MAX_BYTES + 1), &c, &f), ERR_LIMIT, "csr_size", &f, "large");
	free(big);
}

struct tally {
	size_t parsed, verified;
};

/* Nothing that we take may libcrypto refuse, nor a proof that we take. */
static void one(struct slice der, void *arg)
{
	struct tally *t = arg;
	struct csr c = {0};
	struct fault f = {0};
	if (csr_parse(der, &c, &f) != OK) {
		assert_true(f.rule[0] && f.where[0] && f.text[0] && utf8_valid(f.text, strlen(f.text)));
		return;
	}
	t->parsed++;
	assert_true(libcrypto_takes(der));
	bool holds = csr_verify(&c, NULL) == OK;
	if (holds && c.key.alg != KEY_SM2) {
		const unsigned char *p = der.p;
		X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.n);
		assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
		X509_REQ_free(req);
	}
	t->verified += holds;
	csr_done(&c);
}

static void cut_and_changed(void **state)
{
	static const uint8_t name[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06,
				       0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x'};
	EVP_PKEY *keys[] = {p256, rsa};
	struct fault f = {0};
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct buf der = {0};
		struct tally t = {0};
		assert_ok(csr_make(keys[k], slice_of(name, sizeof(name)), &der, &f), &f);
		for (size_t n = 0; n < der.len; n++) {
			uint8_t *p = exact(der.data, n);
			one(slice_of(p, n), &t);
			free(p);
		}
		assert_int_equal(t.parsed, 0);
		for (size_t i = 0; i < der.len; i++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				uint8_t *p = exact(der.data, der.len);
				p[i] ^= (uint8_t)(1u << bit);
				one(slice_of(p, der.len), &t);
				free(p);
			}
		}
		assert_true(t.parsed > 0);
		assert_int_equal(t.verified, 0);
		buf_done(&der);
	}
}

/* The fuzz corpora end in odd bytes; without them more of each file is read. */
static void whole_and_first(struct slice bytes, void *arg)
{
	struct der d = der_of(bytes);
	struct slice first;
	one(bytes, arg);
	if (der_get_whole(&d, DER_SEQUENCE, &first) && !der_at_end(&d)) {
		uint8_t *p = exact(first.p, first.n);
		one(slice_of(p, first.n), arg);
		free(p);
	}
}

static void corpus(void **state)
{
	struct tally t = {0};
	(void)state;
	size_t n = corpus_each("csr", whole_and_first, &t);
	n += corpus_each("x509", whole_and_first, &t);
	assert_true(n > 0);
	print_message("%zu files: %zu requests taken, %zu proofs hold\n", n, t.parsed, t.verified);
	assert_true(t.parsed > 20 && t.verified > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),	   cmocka_unit_test(proof_must_hold), cmocka_unit_test(too_large),
		cmocka_unit_test(cut_and_changed), cmocka_unit_test(corpus),
	};
	/* The last one reads a folder that HUFU_CORPUS names; without it there is nothing to read. */
	size_t n = sizeof(tests) / sizeof(tests[0]) - (getenv("HUFU_CORPUS") ? 0 : 1);
	return _cmocka_run_group_tests("tests", tests, n, make_keys, free_keys);
}

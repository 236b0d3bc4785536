/*
 * Certificates and serials: good forms, hostile ones built octet by octet, chains of every algorithm; certificates and
 * lists with changed octets, and the corpus. What is taken, libcrypto takes too.
 */
#include "cert_kit.h"

#include "common/base/clock.h"

#include <openssl/x509v3.h>

static bool libcrypto_takes_cert(struct slice der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	bool good = x && p == der.p + der.n && X509_get0_pubkey(x);
	X509_free(x);
	return good;
}

static const struct {
	struct spec spec;
	enum err kind;
	const char *rule, *where, *why;
} certs[] = {
	{{0}, OK, NULL, NULL, "v3 without extensions"},
	{{.version = ""}, OK, NULL, NULL, "v1"},
	{{.exts = BC_CA KU_CA}, OK, NULL, NULL, "a CA"},
	{{.exts = EXT_X}, OK, NULL, NULL, "unknown, not critical"},
	{{.subject = "3000", .exts = "30 11 0603551d11 0101ff 0407 3005 8203 612e62"},
	 OK,
	 NULL,
	 NULL,
	 "empty subject, critical SAN"},
	{{.serial = "020101"}, OK, NULL, NULL, "serial 1"},
	{{.serial = "02147fffffffffffffffffffffffffffffffffffffff"}, OK, NULL, NULL, "serial of 20 octets"},
	{{.validity = "3022180f32303530303130313030303030305a180f39393939313233313233353935395a"},
	 OK,
	 NULL,
	 NULL,
	 "9999"},
	{{.version = "a003020100"}, ERR_PARSE, "cert_version", "cert.version", "v1 written out"},
	{{.version = "a003020101"}, ERR_PARSE, "cert_version", "cert.version", "v2"},
	{{.version = "a003020103"}, ERR_PARSE, "cert_version", "cert.version", "v4"},
	{{.version = "a0030201ff"}, ERR_PARSE, "cert_form", "cert.version", "negative version"},
	{{.version = "a000"}, ERR_PARSE, "cert_form", "cert.version", "empty version"},
	{{.version = "", .exts = BC_CA}, ERR_PARSE, "cert_form", "cert", "v1 with extensions"},
	{{.serial = "020100"}, ERR_PARSE, "cert_serial", "cert.serial", "serial zero"},
	{{.serial = "0201ff"}, ERR_PARSE, "cert_serial", "cert.serial", "negative serial"},
	{{.serial = "02150080ffffffffffffffffffffffffffffffffffffff"},
	 ERR_PARSE,
	 "cert_serial",
	 "cert.serial",
	 "21 octets"},
	{{.serial = "0200"}, ERR_PARSE, "cert_form", "cert.serial", "empty serial"},
	{{.serial = "02020001"}, ERR_PARSE, "cert_form", "cert.serial", "padded serial"},
	{{.serial = "040101"}, ERR_PARSE, "cert_form", "cert.serial", "serial of another type"},
	{{.inner = "300906072a8648ce3d0401"},
	 ERR_PARSE,
	 "cert_algorithms",
	 "cert.signatureAlgorithm",
	 "SHA-1 inside, SHA-256 outside"},
	{{.inner = "300506032b6571", .outer = "300506032b6571"}, ERR_PARSE, "sigalg_unknown", NULL, "Ed448"},
	{{.issuer = "3000"}, ERR_PARSE, "cert_issuer_empty", "cert.issuer", "empty issuer"},
	{{.issuer = "30023100"}, ERR_PARSE, "cert_form", "cert.issuer", "empty RDN"},
	{{.subject = "30023100"}, ERR_PARSE, "cert_form", "cert.subject", "empty RDN"},
	{{.validity = "301e170d3239303130313030303030305a170d3230303130313030303030305a"},
	 ERR_PARSE,
	 "cert_validity",
	 "cert.validity",
	 "backwards"},
	{{.validity = "3020180f32303230303130313030303030305a170d3239303130313030303030305a"},
	 ERR_PARSE,
	 "cert_form",
	 "cert.validity",
	 "GeneralizedTime in 2020"},
	{{.validity = "301a170b323030313031303030305a170b323930313031303030305a"},
	 ERR_PARSE,
	 "cert_form",
	 "cert.validity",
	 "no seconds"},
	{{.validity = "300f170d3230303130313030303030305a"}, ERR_PARSE, "cert_form", "cert.validity", "one time"},
	{{.validity = "301e170d3230303233303030303030305a170d3239303130313030303030305a"},
	 ERR_PARSE,
	 "cert_form",
	 "cert.validity",
	 "30 February"},
	{{.behind_key = "81020000"}, ERR_PARSE, "cert_form", "cert.extensions", "issuerUniqueID"},
	{{.behind_exts = "0500"}, ERR_PARSE, "cert_form", "cert.extensions", "something behind the key"},
	{{.exts = EXT_X, .behind_exts = "0500"},
	 ERR_PARSE,
	 "cert_form",
	 "cert.extensions",
	 "something behind the extensions"},
	{{.exts = ""}, ERR_PARSE, "cert_form", "cert.extensions", "no extension"},
	{{.exts = EXT_X EXT_X}, ERR_PARSE, "cert_extension_twice", "cert.extensions", "twice"},
	{{.exts = BC_CA EXT_X BC_CA}, ERR_PARSE, "cert_extension_twice", "cert.extensions", "constraints twice"},
	{{.exts = "300c 0603 2a0304 010100 0402 0500"},
	 ERR_PARSE,
	 "cert_form",
	 "cert.extensions",
	 "critical FALSE written out"},
	{{.exts = "300c 0603 2a0304 010101 0402 0500"}, ERR_PARSE, "cert_form", "cert.extensions", "critical 01"},
	{{.exts = "3005 0603 2a0304"}, ERR_PARSE, "cert_form", "cert.extensions", "no value"},
	{{.exts = "3007 0603 2a0304 0500"}, ERR_PARSE, "cert_form", "cert.extensions", "value of another type"},
	{{.exts = EXT_X_CRITICAL}, ERR_RULE, "unknown_critical_extension", "cert.extensions", "unknown and critical"},
	{{.exts = "300f 0603551d1e 0101ff 0405 3003 a001 00"},
	 ERR_RULE,
	 "unknown_critical_extension",
	 "cert.extensions",
	 "name constraints"},
	{{.exts = "300f 0603551d24 0101ff 0405 3003 800100"},
	 ERR_RULE,
	 "unknown_critical_extension",
	 "cert.extensions",
	 "policy constraints"},
	{{.exts = "3010 0603551d13 0101ff 0406 3003 010100 00"},
	 ERR_PARSE,
	 "ext_form",
	 "cert.basicConstraints",
	 "a byte behind"},
	{{.exts = "300f 0603551d13 0101ff 0405 3003 010100"},
	 ERR_PARSE,
	 "ext_form",
	 "cert.basicConstraints",
	 "cA FALSE written out"},
	{{.exts = "300f 0603551d13 0101ff 0405 3003 020100"},
	 ERR_PARSE,
	 "ext_form",
	 "cert.basicConstraints",
	 "a path length and no CA"},
	{{.exts = "3012 0603551d13 0101ff 0408 3006 0101ff 0201ff"},
	 ERR_PARSE,
	 "ext_form",
	 "cert.basicConstraints",
	 "negative path length"},
	{{.exts = "300e 0603551d0f 0101ff 0404 03020006"},
	 ERR_PARSE,
	 "ext_form",
	 "cert.keyUsage",
	 "unused bits not counted"},
	{{.exts = "300d 0603551d0f 0101ff 0403 030100"}, ERR_PARSE, "ext_form", "cert.keyUsage", "no bit"},
	{{.exts = "3010 0603551d0f 0101ff 0406 0304 06000040"}, ERR_PARSE, "ext_form", "cert.keyUsage", "bit 17"},
	{{.exts = "300f 0603551d0f 0101ff 0405 0303 060040"}, ERR_PARSE, "ext_form", "cert.keyUsage", "bit 9"},
	{{.exts = "3009 0603551d0e 0402 0400"}, ERR_PARSE, "ext_form", "cert.subjectKeyIdentifier", "empty"},
	{{.exts = "300a 0603551d23 0403 300180"}, ERR_PARSE, "ext_form", "cert.authorityKeyIdentifier", "cut"},
	{{.exts = "300c 0603551d23 0405 3003 820101"},
	 ERR_PARSE,
	 "ext_form",
	 "cert.authorityKeyIdentifier",
	 "serial without issuer"},
	{{.exts = "3009 0603551d25 0402 3000"}, ERR_PARSE, "ext_form", "cert.extKeyUsage", "no purpose"},
	{{.exts = "3009 0603551d11 0402 0500"}, ERR_PARSE, "ext_form", "cert.2.5.29.17", "SAN that is none"},
	{{.behind = "00"}, ERR_PARSE, "cert_form", "cert", "a byte behind"},
};

static void forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		struct buf der = build(&certs[i].spec, leaf_key, keys[KEY_P256], KEY_P256);
		uint8_t *p = exact(der.data, der.len);
		struct cert c = {0};
		struct fault f = {0};
		enum err e = cert_parse(slice_of(p, der.len), &c, &f);
		if (certs[i].kind == OK) {
			if (e != OK)
				fail_msg("%s: %s", certs[i].why, f.text);
			assert_true(libcrypto_takes_cert(slice_of(p, der.len)));
		} else {
			if (e != certs[i].kind || strcmp(f.rule, certs[i].rule) != 0 ||
			    (certs[i].where && strcmp(f.where, certs[i].where) != 0))
				fail_msg("%s: %s %s at %s: %s", certs[i].why, err_word(e), f.rule, f.where, f.text);
			assert_null(c.key.pkey);
		}
		cert_done(&c);
		cert_done(&c);
		free(p);
		buf_done(&der);
	}
}

static void values_are_read(void **state)
{
	struct spec s = {.exts = "3012 0603551d13 0101ff 0408 3006 0101ff 020103"
				 "300e 0603551d0f 0101ff 0404 03020186"
				 "300b 0603551d0e 0404 0402 abcd"
				 "300d 0603551d23 0406 3004 8002 1234" EXT_X};
	struct buf der = build(&s, leaf_key, keys[KEY_P256], KEY_P256);
	struct cert c = {0};
	struct fault f = {0};
	uint8_t digest[32], want[32];
	(void)state;
	assert_ok(cert_parse(buf_slice(&der), &c, &f), &f);
	assert_string_equal(SERIAL(&c.serial), "74C2008800000AE9");
	assert_string_equal(UTC(c.not_before), "2020-01-01T00:00:00Z");
	assert_string_equal(UTC(c.not_after), "2029-01-01T00:00:00Z");
	assert_true(c.has_bc && c.is_ca && c.path_len == 3);
	assert_true(c.has_ku &&
		    c.key_usage == (KU_BIT(KU_DIGITAL_SIGNATURE) | KU_BIT(KU_KEY_CERT_SIGN) | KU_BIT(KU_CRL_SIGN)));
	assert_true(slice_eq(c.ski, slice_of("\xab\xcd", 2)) && slice_eq(c.aki, slice_of("\x12\x34", 2)));
	assert_int_equal(c.n_exts, 5);
	assert_int_equal(c.key.alg, KEY_P256);
	assert_true(cert_ext(&c, "2.5.29.19")->critical && !cert_ext(&c, "1.2.3.4")->critical);
	assert_true(slice_eq(cert_ext(&c, "1.2.3.4")->value, slice_of("\x05\0\x05\0", 4)));
	assert_null(cert_ext(&c, "1.2.3.5"));
	cert_sha256(&c, digest);
	sha256(der.data, der.len, want);
	assert_memory_equal(digest, want, 32);
	cert_done(&c);
	buf_done(&der);
	der = build(&(struct spec){.exts = "300f 0603551d0f 0101ff 0405 0303 07 0080"}, leaf_key, keys[KEY_P256],
		    KEY_P256);
	assert_ok(cert_parse(buf_slice(&der), &c, &f), &f);
	assert_true(c.key_usage == KU_BIT(8) && !c.has_bc && c.path_len == -1 && c.ski.n == 0 && c.aki.n == 0);
	cert_done(&c);
	buf_done(&der);
}

static void limits(void **state)
{
	struct buf exts = {0};
	struct cert c = {0};
	struct fault f;
	(void)state;
	uint8_t *big = xcalloc(1, CERT_MAX_BYTES + 1);
	assert_refused(cert_parse(slice_of(big, CERT_MAX_BYTES + 1), &c, &f), ERR_LIMIT, "cert_size", &f, "large");
	free(big);
	for (size_t i = 0; i < CERT_MAX_EXTS + 1; i++)
		buf_fmt(&exts, "3009 0603 2a03%02zx 0402 0500", i);
	struct buf der = build(&(struct spec){.exts = buf_text(&exts)}, leaf_key, keys[KEY_P256], KEY_P256);
	assert_refused(cert_parse(buf_slice(&der), &c, &f), ERR_LIMIT, "cert_extensions", &f, "33 extensions");
	buf_done(&der);
	buf_done(&exts);
}

static void every_algorithm_verifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		enum key_alg alg = (enum key_alg)i;
		struct fault f = {0};
		struct buf ca_der =
			build(&(struct spec){.subject = NAME_CA, .exts = BC_CA KU_CA}, keys[i], keys[i], alg);
		struct buf ee_der = build(&(struct spec){0}, leaf_key, keys[i], alg);
		struct cert ca = {0}, ee = {0}, other = {0};
		assert_ok(cert_parse(buf_slice(&ca_der), &ca, &f), &f);
		assert_ok(cert_parse(buf_slice(&ee_der), &ee, &f), &f);
		assert_ok(cert_verify_by(&ca, &ca, &f), &f);
		assert_ok(cert_verify_by(&ee, &ca, &f), &f);
		/* libcrypto agrees */
		const unsigned char *p = ee_der.data;
		X509 *x = d2i_X509(NULL, &p, (long)ee_der.len);
		if (alg == KEY_SM2) {
			ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
			ASN1_OCTET_STRING_set(id, (const unsigned char *)"1234567812345678", 16);
			X509_set0_distinguishing_id(x, id);
		}
		assert_int_equal(X509_verify(x, keys[i]), 1);
		X509_free(x);
		/* the same name, another key of another kind */
		size_t j = (i + 1) % KEY_ALG_N;
		struct buf other_der = build(&(struct spec){.subject = NAME_CA, .exts = BC_CA KU_CA}, keys[j], keys[j],
					     (enum key_alg)j);
		assert_ok(cert_parse(buf_slice(&other_der), &other, &f), &f);
		assert_refused(cert_verify_by(&ee, &other, &f), ERR_CRYPTO, "cert_signature", &f, "another kind");
		/* one octet of what is signed */
		ee_der.data[ee.serial.n + 10] ^= 1;
		assert_refused(cert_verify_by(&ee, &ca, &f), ERR_CRYPTO, "cert_signature", &f, "changed");
		cert_done(&ca);
		cert_done(&ee);
		cert_done(&other);
		buf_done(&ca_der);
		buf_done(&ee_der);
		buf_done(&other_der);
	}
}

static void issuers_that_may_not_issue(void **state)
{
	static const struct {
		struct spec issuer, subject;
		const char *rule;
	} cases[] = {
		{{.subject = NAME_CA, .exts = BC_CA}, {0}, NULL},
		{{.subject = NAME_CA, .exts = BC_CA KU_CA "300b 0603551d0e 0404 0402 abcd"},
		 {.exts = "300d 0603551d23 0406 3004 8002 abcd"},
		 NULL},
		{{.subject = NAME_CA, .exts = BC_CA KU_CA "300b 0603551d0e 0404 0402 abcd"},
		 {.exts = "300d 0603551d23 0406 3004 8002 abce"},
		 "cert_key_id"},
		{{.subject = NAME_EE, .exts = BC_CA KU_CA}, {0}, "cert_issuer_name"},
		{{.subject = "300d310b30090603550403130 24341", .exts = BC_CA KU_CA},
		 {0},
		 "cert_issuer_name"}, /* PrintableString */
		{{.subject = NAME_CA}, {0}, "cert_issuer_not_ca"},
		{{.subject = NAME_CA, .version = ""}, {0}, "cert_issuer_not_ca"},
		{{.subject = NAME_CA, .exts = "300c 0603551d13 0101ff 0402 3000"}, {0}, "cert_issuer_not_ca"},
		{{.subject = NAME_CA, .exts = BC_CA "300e 0603551d0f 0101ff 0404 03020780"}, {0}, "cert_issuer_usage"},
		{{.subject = NAME_CA, .exts = "3012 0603551d13 0101ff 0408 3006 0101ff 020100" KU_CA},
		 {.exts = BC_CA},
		 "cert_path_length"},
		{{.subject = NAME_CA, .exts = "3012 0603551d13 0101ff 0408 3006 0101ff 020100" KU_CA}, {0}, NULL},
		{{.subject = NAME_CA, .exts = "3012 0603551d13 0101ff 0408 3006 0101ff 020101" KU_CA},
		 {.exts = BC_CA},
		 NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf ca_der = build(&cases[i].issuer, keys[KEY_P256], keys[KEY_P256], KEY_P256);
		struct buf ee_der = build(&cases[i].subject, leaf_key, keys[KEY_P256], KEY_P256);
		struct cert ca = {0}, ee = {0};
		struct fault f = {0};
		assert_ok(cert_parse(buf_slice(&ca_der), &ca, &f), &f);
		assert_ok(cert_parse(buf_slice(&ee_der), &ee, &f), &f);
		if (cases[i].rule)
			assert_refused(cert_verify_by(&ee, &ca, &f), ERR_RULE, cases[i].rule, &f, cases[i].rule);
		else
			assert_ok(cert_verify_by(&ee, &ca, &f), &f);
		cert_done(&ca);
		cert_done(&ee);
		buf_done(&ca_der);
		buf_done(&ee_der);
	}
}

static void serials(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} texts[] = {
		{"74C2008800000AE9", true},
		{"01", true},
		{"E9", true},
		{"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", true},
		{"01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", false},
		{"", false},
		{"0", false},
		{"1", false},
		{"00", false},
		{"00E9", false},
		{"e9", false},
		{"74C2008800000Ae9", false},
		{"74C2 08800000AE9", false},
		{"0x01", false},
		{"G1", false},
		{"-1", false},
	};
	static const struct {
		const char *body, *text; /* text NULL: refused */
	} bodies[] = {
		{"01", "01"},
		{"00e9", "E9"},
		{"74c2", "74C2"},
		{"7fffffffffffffffffffffffffffffffffffffff", "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"},
		{"", NULL},
		{"00", NULL},
		{"0000", NULL},
		{"0001", NULL},
		{"e9", NULL},
		{"00ffffffffffffffffffffffffffffffffffffffff", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct serial s = {0};
		size_t n = strlen(texts[i].text);
		char *text = (char *)exact(texts[i].text, n);
		if (serial_parse(text, n, &s) != texts[i].good)
			fail_msg("\"%s\"", texts[i].text);
		if (texts[i].good)
			assert_string_equal(SERIAL(&s), texts[i].text);
		free(text);
	}
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct serial s = {0}, back = {0};
		struct buf b = unhex(bodies[i].body);
		assert_true(serial_from_integer(buf_slice(&b), &s) == (bodies[i].text != NULL));
		if (bodies[i].text) {
			assert_string_equal(SERIAL(&s), bodies[i].text);
			assert_true(serial_parse(bodies[i].text, strlen(bodies[i].text), &back) &&
				    serial_eq(&s, &back));
			back.b[0] ^= 1;
			assert_false(serial_eq(&s, &back));
		}
		buf_done(&b);
	}
	struct serial a = {.b = {1}, .n = 1}, longer = {.b = {1}, .n = 2};
	assert_false(serial_eq(&a, &longer));
}

struct tally {
	size_t certs, crls;
};

static void one(struct slice der, void *arg)
{
	struct tally *t = arg;
	struct cert c = {0};
	struct crl l = {0};
	struct fault f = {0};
	if (cert_parse(der, &c, &f) == OK) {
		t->certs++;
		assert_true(libcrypto_takes_cert(der));
		if (cert_verify_by(&c, &c, &f) == OK && c.key.alg != KEY_SM2) {
			const unsigned char *p = der.p;
			X509 *x = d2i_X509(NULL, &p, (long)der.n);
			assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
			X509_free(x);
		}
	} else {
		assert_true(f.rule[0] && f.where[0] && f.text[0] && utf8_valid(f.text, strlen(f.text)));
	}
	cert_done(&c);
	f = (struct fault){0};
	if (crl_parse(der, &l, &f) == OK) {
		t->crls++;
		assert_true(libcrypto_takes_crl(der));
		struct serial s = {.b = {1}, .n = 1};
		bool found;
		int64_t when;
		unsigned reason;
		assert_ok(crl_find(&l, &s, &found, &when, &reason, &f), &f);
	} else {
		assert_true(f.rule[0] && f.where[0] && f.text[0] && utf8_valid(f.text, strlen(f.text)));
	}
}

/* Every bit of a certificate and of a list changed, and every cut. */
static void cut_and_changed(void **state)
{
	struct buf ders[] = {
		build(&(struct spec){.subject = NAME_CA,
				     .exts = BC_CA KU_CA "300b 0603551d0e 0404 0402 abcd"
							 "300d 0603551d23 0406 3004 8002 abcd"},
		      keys[KEY_P256], keys[KEY_P256], KEY_P256),
		build_crl(&(struct crl_spec){.revoked = ENTRY_1 ENTRY_E9, .exts = NUMBER}),
	};
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct tally t = {0};
		for (size_t n = 0; n < ders[k].len; n++) {
			uint8_t *p = exact(ders[k].data, n);
			one(slice_of(p, n), &t);
			free(p);
		}
		assert_int_equal(t.certs + t.crls, 0);
		for (size_t i = 0; i < ders[k].len; i++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				uint8_t *p = exact(ders[k].data, ders[k].len);
				p[i] ^= (uint8_t)(1u << bit);
				one(slice_of(p, ders[k].len), &t);
				free(p);
			}
		}
		assert_true(k == 0 ? t.certs > 100 && t.crls == 0 : t.crls > 100 && t.certs == 0);
		buf_done(&ders[k]);
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
	size_t n = corpus_each("x509", whole_and_first, &t) + corpus_each("crl", whole_and_first, &t) +
		   corpus_each("csr", whole_and_first, &t);
	assert_true(n > 0);
	print_message("%zu files: %zu certificates and %zu lists taken\n", n, t.certs, t.crls);
}

/* A key that is expected and there is shared; another one is read, and one that is none refused, as ever. */
static void a_known_key_is_shared(void **state)
{
	struct buf der = build(&(struct spec){0}, keys[KEY_P384], keys[KEY_P256], KEY_P256);
	struct cert c = {0}, same = {0}, other = {0};
	struct pubkey strange = {0};
	struct fault f = {0};
	(void)state;
	assert_ok(cert_parse(buf_slice(&der), &c, &f), &f);
	assert_ok(cert_parse_like(buf_slice(&der), &c.key, &same, &f), &f);
	assert_ptr_equal(same.key.pkey, c.key.pkey);
	assert_memory_equal(same.key.spki_sha256, c.key.spki_sha256, 32);
	assert_ok(privkey_public(keys[KEY_P256], &strange, &f), &f);
	assert_ok(cert_parse_like(buf_slice(&der), &strange, &other, &f), &f);
	assert_ptr_not_equal(other.key.pkey, strange.pkey);
	assert_int_equal(EVP_PKEY_eq(other.key.pkey, c.key.pkey), 1);
	cert_done(&c);
	assert_int_equal(EVP_PKEY_eq(other.key.pkey, same.key.pkey), 1); /* still there */
	cert_done(&same);
	cert_done(&other);
	pubkey_done(&strange);
	buf_done(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(a_known_key_is_shared),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(limits),
		cmocka_unit_test(every_algorithm_verifies),
		cmocka_unit_test(issuers_that_may_not_issue),
		cmocka_unit_test(serials),
		cmocka_unit_test(cut_and_changed),
		cmocka_unit_test(corpus),
	};
	/* The last one reads a folder that HUFU_CORPUS names; without it there is nothing to read. */
	size_t n = sizeof(tests) / sizeof(tests[0]) - (getenv("HUFU_CORPUS") ? 0 : 1);
	return _cmocka_run_group_tests("tests", tests, n, make_keys, free_keys);
}

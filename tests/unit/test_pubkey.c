/*
 * Public keys: published vectors, libcrypto's reading beside ours, hostile points and numbers, weak moduli, and
 * signatures in spellings that must not pass.
 */
#include "pki_kit.h"

#include "common/pki/der.h"
#include "common/pki/pubkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/x509.h>

#include "common/base/cleanup.h"

#define ALG_P256 "301306072a8648ce3d020106082a8648ce3d030107"
#define ALG_P384 "301006072a8648ce3d020106052b81040022"
#define ALG_SM2 "301306072a8648ce3d020106082a811ccf5501822d"
#define ALG_ED "300506032b6570"
#define ALG_RSA "300d06092a864886f70d0101010500"

/* An SPKI of algorithm and key bits, both hex. */
static struct buf spki_of(const char *alg, struct slice bits)
{
	struct buf a = unhex(alg), b = {0};
	size_t at = der_begin(&b, DER_SEQUENCE);
	buf_add_slice(&b, buf_slice(&a));
	der_put_bits(&b, bits, 0);
	der_end(&b, at);
	buf_done(&a);
	return b;
}

static struct buf spki_hex(const char *alg, const char *bits)
{
	struct buf k = unhex(bits), b = spki_of(alg, buf_slice(&k));
	buf_done(&k);
	return b;
}

/* RFC 6979 A.2.5, A.2.6; RFC 8032 7.1 test 2; GB/T 32918.5-2017 A.2. */
static const struct {
	enum key_alg alg;
	const char *word, *note_type, *algid, *bits, *msg, *r, *s;
} vectors[] = {
	{KEY_P256, "p256", "hufu/ecdsa-sha256", ALG_P256,
	 "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7"
	 "E9F5177A3C294D4462299",
	 "73616d706c65", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
	 "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"},
	{KEY_P384, "p384", "hufu/ecdsa-sha384", ALG_P384,
	 "04EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13"
	 "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
	 "73616d706c65",
	 "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
	 "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"},
	{KEY_SM2, "sm2", "hufu/sm2-sm3", ALG_SM2,
	 "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35"
	 "E084A6632F6072DA9AD13",
	 "6d65737361676520646967657374", "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3",
	 "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"},
	{KEY_ED25519, "ed25519", "hufu/ed25519", ALG_ED,
	 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302"
	 "aeeb00d291612bb0c00",
	 NULL},
};
#define VECTOR_N (sizeof(vectors) / sizeof(vectors[0]))

static struct pubkey key_of(struct slice spki)
{
	struct pubkey k = {0};
	struct fault f = {0};
	uint8_t *p = exact(spki.p, spki.n);
	assert_ok(pubkey_parse(slice_of(p, spki.n), &k, &f), &f);
	free(p);
	return k;
}

static struct buf rs_der(struct slice r, struct slice s)
{
	struct buf b = {0};
	size_t at = der_begin(&b, DER_SEQUENCE);
	der_put_magnitude(&b, r);
	der_put_magnitude(&b, s);
	der_end(&b, at);
	return b;
}

static struct buf vector_sig(size_t i)
{
	struct buf r = unhex(vectors[i].r), s = {0}, sig;
	if (!vectors[i].s)
		return r;
	s = unhex(vectors[i].s);
	sig = rs_der(buf_slice(&r), buf_slice(&s));
	buf_done(&r);
	buf_done(&s);
	return sig;
}

static void published_vectors_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTOR_N; i++) {
		struct buf spki = spki_hex(vectors[i].algid, vectors[i].bits), msg = unhex(vectors[i].msg),
			   sig = vector_sig(i);
		struct pubkey k = key_of(buf_slice(&spki));
		assert_int_equal(k.alg, vectors[i].alg);
		assert_int_equal(k.bits, vectors[i].alg == KEY_P384 ? 384 : 256);
		assert_string_equal(key_alg_word(k.alg), vectors[i].word);
		assert_string_equal(key_alg_note_type(k.alg), vectors[i].note_type);
		assert_true(pubkey_verify(&k, buf_slice(&msg), buf_slice(&sig)));
		assert_false(pubkey_verify(&k, (struct slice){0}, buf_slice(&sig)));
		assert_false(pubkey_verify(&k, buf_slice(&msg), (struct slice){0}));
		/* One bit anywhere in signature or message. */
		for (size_t at = 0; at < sig.len; at++) {
			sig.data[at] ^= 1;
			assert_false(pubkey_verify(&k, buf_slice(&msg), buf_slice(&sig)));
			sig.data[at] ^= 1;
		}
		msg.data[0] ^= 1;
		assert_false(pubkey_verify(&k, buf_slice(&msg), buf_slice(&sig)));
		for (size_t n = 0; n < sig.len; n++)
			assert_false(pubkey_verify(&k, buf_slice(&msg), slice_of(sig.data, n)));
		pubkey_done(&k);
		pubkey_done(&k);
		assert_false(pubkey_verify(&k, buf_slice(&msg), buf_slice(&sig)));
		buf_done(&spki);
		buf_done(&msg);
		buf_done(&sig);
	}
}

/* The hashes, and the same key out of libcrypto's own decoder. */
static void agrees_with_libcrypto(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTOR_N; i++) {
		struct buf spki = spki_hex(vectors[i].algid, vectors[i].bits), bits = unhex(vectors[i].bits);
		struct pubkey k = key_of(buf_slice(&spki));
		uint8_t digest[32];
		const unsigned char *p = spki.data;
		EVP_PKEY *theirs = d2i_PUBKEY(NULL, &p, (long)spki.len);
		_cleanup_(evp_pkey_freep) EVP_PKEY *ours = pubkey_evp(&k);
		assert_non_null(theirs);
		assert_int_equal(EVP_PKEY_eq(theirs, ours), 1);
		assert_int_equal(EVP_PKEY_get_bits(theirs), (int)k.bits);
		unsigned char *out = NULL;
		int n = i2d_PUBKEY(ours, &out);
		assert_true(slice_eq(slice_of(out, (size_t)n), slice_of(k.spki, k.spki_len)));
		EVP_Digest(spki.data, spki.len, digest, NULL, EVP_sha256(), NULL);
		assert_memory_equal(digest, k.spki_sha256, 32);
		EVP_Digest(bits.data, bits.len, digest, NULL, EVP_sha1(), NULL);
		assert_memory_equal(digest, k.key_id, 20);
		OPENSSL_free(out);
		EVP_PKEY_free(theirs);
		pubkey_done(&k);
		buf_done(&spki);
		buf_done(&bits);
	}
}

#define P256_N "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
#define SM2_N "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123"

/* The same two numbers in other octets. */
static void other_spellings_of_a_signature(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) { /* P-256, P-384, SM2 */
		struct buf spki = spki_hex(vectors[i].algid, vectors[i].bits), msg = unhex(vectors[i].msg),
			   good = vector_sig(i);
		struct pubkey k = key_of(buf_slice(&spki));
		size_t body = good.len - 2; /* its length takes one octet */
		assert_true(body < 128);
		struct buf bad[8] = {0};
		/* long form of the length */
		buf_add(&bad[0], "\x30\x81", 2);
		buf_add(&bad[0], good.data + 1, good.len - 1);
		/* indefinite length */
		buf_add(&bad[1], "\x30\x80", 2);
		buf_add(&bad[1], good.data + 2, body);
		buf_add(&bad[1], "\0\0", 2);
		/* something behind */
		buf_add_slice(&bad[2], buf_slice(&good));
		buf_char(&bad[2], 0);
		/* something behind, inside */
		buf_add_slice(&bad[3], buf_slice(&good));
		bad[3].data[1] += 2;
		buf_add(&bad[3], "\x05\0", 2);
		/* r padded: both r begin with a set bit, so 00 is there already */
		buf_add(&bad[4], good.data, 2);
		buf_char(&bad[4], 0x02);
		buf_char(&bad[4], (char)(good.data[3] + 1));
		buf_char(&bad[4], 0);
		buf_add(&bad[4], good.data + 4, good.len - 4);
		bad[4].data[1]++;
		/* r negative: without its 00 */
		buf_add(&bad[5], good.data, 2);
		buf_char(&bad[5], 0x02);
		buf_char(&bad[5], (char)(good.data[3] - 1));
		buf_add(&bad[5], good.data + 5, good.len - 5);
		bad[5].data[1]--;
		/* raw r and s */
		struct buf r = unhex(vectors[i].r), s = unhex(vectors[i].s);
		buf_add_slice(&bad[6], buf_slice(&r));
		buf_add_slice(&bad[6], buf_slice(&s));
		/* SET */
		buf_add_slice(&bad[7], buf_slice(&good));
		bad[7].data[0] = 0x31;
		assert_int_equal(good.data[4], 0);
		assert_true(pubkey_verify(&k, buf_slice(&msg), buf_slice(&good)));
		for (size_t n = 0; n < 8; n++) {
			if (pubkey_verify(&k, buf_slice(&msg), buf_slice(&bad[n])))
				fail_msg("%s: spelling %zu passed", vectors[i].word, n);
			buf_done(&bad[n]);
		}
		buf_done(&r);
		buf_done(&s);
		pubkey_done(&k);
		buf_done(&spki);
		buf_done(&msg);
		buf_done(&good);
	}
}

static void numbers_out_of_range(void **state)
{
	static const struct {
		size_t vector;
		const char *r, *s; /* NULL: the good one */
	} cases[] = {
		{0, "00", NULL},
		{0, NULL, "00"},
		{0, "00", "00"},
		{0, P256_N, NULL},
		{0, NULL, P256_N},
		{0, P256_N, P256_N},
		{0, "01" P256_N, NULL},
		{2, "00", NULL},
		{2, NULL, "00"},
		{2, SM2_N, NULL},
		{2, NULL, SM2_N},
		/* r + n: the same residue */
		{0, "01EFD48B29ACB6A8FE1140DD9CD45E81D65A138228FDC29816B706D96B4B125C67", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t v = cases[i].vector;
		const char *r_hex = cases[i].r ? cases[i].r : vectors[v].r,
			   *s_hex = cases[i].s ? cases[i].s : vectors[v].s;
		struct buf spki = spki_hex(vectors[v].algid, vectors[v].bits), msg = unhex(vectors[v].msg);
		struct buf r = unhex(r_hex), s = unhex(s_hex), sig = rs_der(buf_slice(&r), buf_slice(&s));
		struct pubkey k = key_of(buf_slice(&spki));
		assert_false(pubkey_verify(&k, buf_slice(&msg), buf_slice(&sig)));
		pubkey_done(&k);
		buf_done(&r);
		buf_done(&s);
		buf_done(&sig);
		buf_done(&spki);
		buf_done(&msg);
	}
}

static const struct {
	const char *alg, *bits, *rule, *why;
} hostile[] = {
	{ALG_P256,
	 "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7"
	 "E9F5177A3C294D446229A",
	 "key_form", "off the curve"},
	{ALG_P256, "0360FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6", "key_form", "compressed"},
	{ALG_P256,
	 "0760FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7"
	 "E9F5177A3C294D4462299",
	 "key_form", "hybrid"},
	{ALG_P256, "00", "key_form", "infinity"},
	{ALG_P256, "", "key_form", "nothing"},
	{ALG_P256,
	 "0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	 "000000000000000000000",
	 "key_form", "(0, 0)"},
	{ALG_P256,
	 "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7"
	 "E9F5177A3C294D44622",
	 "key_form", "short"},
	{ALG_P256,
	 "04FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF66485C780E2F83D72433BD5D84A06BB6541C2AF31DA"
	 "E871728BF856A174F93F4",
	 "key_form", "x = p"},
	{ALG_SM2,
	 "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7"
	 "E9F5177A3C294D4462299",
	 "key_form", "a P-256 point as SM2"},
	{ALG_P256,
	 "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35"
	 "E084A6632F6072DA9AD13",
	 "key_form", "an SM2 point as P-256"},
	{ALG_ED, "0100000000000000000000000000000000000000000000000000000000000000", "key_form", "order 1"},
	{ALG_ED, "0000000000000000000000000000000000000000000000000000000000000000", "key_form", "order 4"},
	{ALG_ED, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "key_form", "order 2"},
	{ALG_ED, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "key_form", "not canonical"},
	{ALG_ED, "0200000000000000000000000000000000000000000000000000000000000000", "key_form", "not on the curve"},
	{ALG_ED, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af466", "key_form", "31 octets"},
	{"301006072a8648ce3d020106052b8104000a", "0460FED4BA", "key_algorithm", "secp256k1"},
	{"300906072a8648ce3d0201", "0460FED4BA", "key_algorithm", "EC without parameters"},
	{"300b06072a8648ce3d02010500", "0460FED4BA", "key_algorithm", "EC with NULL"},
	{"301306072a8648ce3d0201 3008 06062a8648ce3d01", "04", "key_algorithm", "explicit parameters"},
	{"300b06092a864886f70d010101", "3006020103020103", "key_algorithm", "RSA without NULL"},
	{"300706032b65700500", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "key_algorithm",
	 "Ed25519 with NULL"},
	{"300506032b6571", "00", "key_algorithm", "Ed448"},
	{"300b06092a864886f70d01010a", "00", "key_algorithm", "RSA-PSS"},
	{"300906072a8648ce380401", "00", "key_algorithm", "DSA"},
	{"3000", "00", "key_form", "empty algorithm"},
	{"30020500", "00", "key_form", "no OID"},
	{ALG_RSA, "", "key_form", "nothing"},
	{ALG_RSA, "3000", "key_form", "no numbers"},
	{ALG_RSA, "3006020103020103", "key_form", "a modulus of two bits"},
	{ALG_RSA, "3006020100020103", "key_form", "modulus zero"},
	{ALG_RSA, "30060201ff020103", "key_form", "negative modulus"},
	{ALG_RSA, "3009020103020103020100", "key_form", "three numbers"},
	{ALG_RSA, "300702020003020103", "key_form", "padded modulus"},
};

static void hostile_keys_are_refused(void **state)
{
	struct fault f;
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct buf b = spki_hex(hostile[i].alg, hostile[i].bits);
		uint8_t *p = exact(b.data, b.len);
		struct pubkey k = {0};
		assert_refused(pubkey_parse(slice_of(p, b.len), &k, &f), ERR_PARSE, hostile[i].rule, &f,
			       hostile[i].why);
		assert_null(k.pkey);
		assert_int_equal(k.spki_len, 0);
		free(p);
		buf_done(&b);
	}
	struct buf b = spki_hex("300906072a8648ce380401", "00");
	struct pubkey k = {0};
	assert_refused(pubkey_parse(buf_slice(&b), &k, &f), ERR_PARSE, "key_algorithm", &f, "DSA");
	assert_non_null(strstr(f.text, "1.2.840.10040.4.1"));
	buf_done(&b);
}

static void outer_form(void **state)
{
	struct buf spki = spki_hex(vectors[0].algid, vectors[0].bits);
	struct pubkey k = {0};
	struct fault f;
	(void)state;
	for (size_t n = 0; n < spki.len; n++) {
		uint8_t *p = exact(spki.data, n);
		assert_int_equal(pubkey_parse(slice_of(p, n), &k, NULL), ERR_PARSE);
		free(p);
	}
	buf_char(&spki, 0);
	assert_refused(pubkey_parse(buf_slice(&spki), &k, &f), ERR_PARSE, "key_form", &f, "a byte behind");
	uint8_t big[PUBKEY_MAX_SPKI + 1] = {0x30, 0x82, 0x04, 0x49};
	assert_refused(pubkey_parse(slice_of(big, sizeof(big)), &k, &f), ERR_LIMIT, "key_size", &f, "too large");
	/* What is taken with any octet changed, libcrypto takes. */
	for (size_t i = 0; i < spki.len - 1; i++) {
		for (unsigned v = 0; v < 256; v += i < 32 ? 1 : 51) {
			uint8_t *p = exact(spki.data, spki.len - 1);
			p[i] = (uint8_t)v;
			if (pubkey_parse(slice_of(p, spki.len - 1), &k, NULL) == OK) {
				const unsigned char *q = p;
				EVP_PKEY *theirs = d2i_PUBKEY(NULL, &q, (long)spki.len - 1);
				assert_non_null(theirs);
				EVP_PKEY_free(theirs);
				pubkey_done(&k);
			}
			free(p);
		}
	}
	buf_done(&spki);
}

/* An RSA SPKI of these numbers. */
static struct buf rsa_spki(const BIGNUM *n, const BIGNUM *e)
{
	struct buf bits = {0}, spki;
	uint8_t n_bytes[1100], e_bytes[64];
	size_t at = der_begin(&bits, DER_SEQUENCE);
	der_put_magnitude(&bits, slice_of(n_bytes, (size_t)BN_bn2bin(n, n_bytes)));
	der_put_magnitude(&bits, slice_of(e_bytes, (size_t)BN_bn2bin(e, e_bytes)));
	der_end(&bits, at);
	spki = spki_of(ALG_RSA, buf_slice(&bits));
	buf_done(&bits);
	return spki;
}

enum modulus { RANDOM, EVEN, SMALL_FACTOR, ROCA };

/* The product of the primes from first to last. */
static void primorial(unsigned first, unsigned last, BIGNUM *ret)
{
	BN_one(ret);
	for (unsigned p = first; p <= last; p++) {
		unsigned d = 2;
		while (d * d <= p && p % d != 0)
			d++;
		if (d * d > p)
			BN_mul_word(ret, p);
	}
}

/* Of exactly that many bits, by kind; RANDOM and ROCA have no factor below 752. */
static void modulus_make(enum modulus kind, int bits, BIGNUM *n)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *small = BN_new(), *m = BN_new(), *g = BN_new(), *r = BN_new();
	primorial(3, 751, small);
	primorial(2, 167, m);
	do {
		assert_int_equal(BN_rand(n, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
		if (kind == ROCA) {
			/* n = k*M + 65537^a mod M: odd, since M is even and the power is not. */
			BN_set_word(g, 65537);
			BN_set_word(r, 123456789);
			BN_mod_exp(r, g, r, m, ctx);
			BN_mod(g, n, m, ctx);
			BN_sub(n, n, g);
			BN_add(n, n, r);
		}
		BN_gcd(g, n, small, ctx);
	} while (!BN_is_one(g));
	if (kind == EVEN)
		BN_sub_word(n, 1);
	if (kind == SMALL_FACTOR) { /* the odd multiple of 751 nearby */
		BN_sub_word(n, BN_mod_word(n, 2 * 751));
		BN_add_word(n, 751);
	}
	BN_free(small);
	BN_free(m);
	BN_free(g);
	BN_free(r);
	BN_CTX_free(ctx);
}

static void rsa_numbers_and_strength(void **state)
{
	static const struct {
		enum modulus kind;
		int bits;
		const char *e; /* hex */
		bool parses, strong;
		const char *says;
	} cases[] = {
		{RANDOM, 2048, "010001", true, true, ""},
		{RANDOM, 3072, "010001", true, true, ""},
		{RANDOM, 4096, "010001", true, true, ""},
		{RANDOM, 2056, "010001", true, true, ""},
		{RANDOM, 2048, "010003", true, true, ""},
		{RANDOM, 2048, "80000000000000000000000000000001", true, true, ""},
		{RANDOM, 2047, "010001", true, false, "modulus bits 2047"},
		{RANDOM, 2049, "010001", true, false, "modulus bits 2049"},
		{RANDOM, 1024, "010001", true, false, "modulus bits 1024"},
		{RANDOM, 4104, "010001", true, false, "modulus bits 4104"},
		{RANDOM, 8192, "010001", true, false, "modulus bits 8192"},
		{RANDOM, 2048, "03", true, false, "exponent bits 2,"},
		{RANDOM, 2048, "ffff", true, false, "exponent bits 16"},
		{SMALL_FACTOR, 2048, "010001", true, false, "has the factor"},
		{ROCA, 2048, "010001", true, false, "ROCA"},
		{RANDOM, 1023, "010001", false, false, "modulus of 1023 bits"},
		{RANDOM, 8193, "010001", false, false, "modulus of 8193 bits"},
		{EVEN, 2048, "010001", false, false, "even"},
		{RANDOM, 2048, "01", false, false, "exponent of 1 bits"},
		{RANDOM, 2048, "00", false, false, "exponent of 0 bits"},
		{RANDOM, 2048, "010000", false, false, "even"},
		{RANDOM, 2048, "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false, false,
		 "exponent of 257"},
	};
	BIGNUM *n = BN_new(), *e = BN_new();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pubkey k = {0};
		struct fault f = {0};
		modulus_make(cases[i].kind, cases[i].bits, n);
		BN_hex2bn(&e, cases[i].e);
		struct buf spki = rsa_spki(n, e);
		enum err parsed = pubkey_parse(buf_slice(&spki), &k, &f);
		if ((parsed == OK) != cases[i].parses)
			fail_msg("%d bits, e %s: %s %s", cases[i].bits, cases[i].e, f.rule, f.text);
		if (parsed == OK) {
			assert_int_equal(k.bits, cases[i].bits);
			const unsigned char *p = spki.data;
			EVP_PKEY *theirs = d2i_PUBKEY(NULL, &p, (long)spki.len);
			assert_int_equal(EVP_PKEY_eq(theirs, k.pkey), 1);
			EVP_PKEY_free(theirs);
			enum err strong = pubkey_check_strength(&k, "new key", &f);
			if (strong != (cases[i].strong ? OK : ERR_RULE))
				fail_msg("%d bits, e %s: %s", cases[i].bits, cases[i].e, f.text);
			assert_true(cases[i].strong ||
				    (strcmp(f.rule, "key_strength") == 0 && strcmp(f.where, "new key") == 0));
		}
		if (!strstr(f.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", f.text, cases[i].says);
		pubkey_done(&k);
		buf_done(&spki);
	}
	BN_free(n);
	BN_free(e);
}

/* Each prime below 752 as the one small factor. */
static void each_small_factor_is_found(void **state)
{
	BIGNUM *n = BN_new(), *e = BN_new();
	(void)state;
	BN_set_word(e, 65537);
	for (unsigned p = 3; p < 752; p += 2) {
		unsigned d = 3, bits = 0;
		for (; d * d <= p && p % d != 0; d += 2)
			;
		if (d * d <= p)
			continue;
		for (unsigned v = p; v; v >>= 1)
			bits++;
		unsigned tries = 0;
		do { /* one of the two lengths gives 2048 bits for any p */
			assert_true(tries < 1000);
			modulus_make(RANDOM, (int)(2048 - bits + tries++ % 2), n);
			BN_mul_word(n, p);
		} while (BN_num_bits(n) != 2048);
		struct buf spki = rsa_spki(n, e);
		struct pubkey k = key_of(buf_slice(&spki));
		struct fault f;
		char says[60];
		assert_refused(pubkey_check_strength(&k, "new key", &f), ERR_RULE, "key_strength", &f, "small factor");
		snprintf(says, sizeof(says), "has the factor %u,", p);
		if (!strstr(f.text, says))
			fail_msg("\"%s\" does not say \"%s\"", f.text, says);
		pubkey_done(&k);
		buf_done(&spki);
	}
	BN_free(n);
	BN_free(e);
}

static void elliptic_keys_are_strong(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < VECTOR_N; i++) {
		struct buf spki = spki_hex(vectors[i].algid, vectors[i].bits);
		struct pubkey k = key_of(buf_slice(&spki));
		assert_ok(pubkey_check_strength(&k, "new key", &f), &f);
		pubkey_done(&k);
		buf_done(&spki);
	}
}

static void words_go_both_ways(void **state)
{
	enum key_alg alg;
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		assert_true(key_alg_from_word(key_alg_word((enum key_alg)i), &alg));
		assert_int_equal(alg, i);
		struct buf b = {0};
		struct sigalg s;
		struct fault f = {0};
		sigalg_put((enum key_alg)i, &b);
		assert_ok(sigalg_parse(buf_slice(&b), &s, &f), &f);
		assert_false(s.weak);
		buf_done(&b);
	}
	assert_false(key_alg_from_word("", &alg));
	assert_false(key_alg_from_word("RSA", &alg));
	assert_false(key_alg_from_word("p521", &alg));
}

static void signature_algorithms(void **state)
{
	static const struct {
		const char *hex;
		int family; /* -1: refused */
		const char *md, *says;
		bool weak;
	} cases[] = {
		{"300d06092a864886f70d01010b0500", SIG_RSA, "SHA256", "", false},
		{"300b06092a864886f70d01010b", SIG_RSA, "SHA256", "", false},
		{"300d06092a864886f70d01010c0500", SIG_RSA, "SHA384", "", false},
		{"300d06092a864886f70d01010d0500", SIG_RSA, "SHA512", "", false},
		{"300d06092a864886f70d0101050500", SIG_RSA, "SHA1", "", true},
		{"300d06092a864886f70d0101040500", SIG_RSA, "MD5", "", true},
		{"300a06082a8648ce3d040302", SIG_ECDSA, "SHA256", "", false},
		{"300a06082a8648ce3d040303", SIG_ECDSA, "SHA384", "", false},
		{"300906072a8648ce3d0401", SIG_ECDSA, "SHA1", "", true},
		{"300506032b6570", SIG_ED25519, NULL, "", false},
		{"300a06082a811ccf55018375", SIG_SM2, NULL, "", false},
		{"300c06082a811ccf550183750500", SIG_SM2, NULL, "", false},
		{"300c06082a8648ce3d0403020500", -1, NULL, "parameters", false},
		{"300706032b65700500", -1, NULL, "parameters", false},
		{"300f06092a864886f70d01010b05000500", -1, NULL, "4 bytes of parameters", false},
		{"300e06092a864886f70d01010b050100", -1, NULL, "parameters", false},
		{"300d06092a864886f70d01010b3000", -1, NULL, "parameters", false},
		{"300d06092a864886f70d01010a3000", -1, NULL, "1.2.840.113549.1.1.10", false},
		{"300d06092a864886f70d0101020500", -1, NULL, "1.2.840.113549.1.1.2", false},
		{"300d06092a864886f70d0101010500", -1, NULL, "1.2.840.113549.1.1.1,", false},
		{"3000", -1, NULL, "OBJECT IDENTIFIER", false},
		{"", -1, NULL, "SEQUENCE", false},
		{"300506032b657000", -1, NULL, "SEQUENCE", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = unhex(cases[i].hex);
		struct sigalg s = {0};
		struct fault f = {0};
		enum err e = sigalg_parse(buf_slice(&b), &s, &f);
		if (cases[i].family < 0) {
			assert_int_equal(e, ERR_PARSE);
			if (!strstr(f.text, cases[i].says))
				fail_msg("\"%s\" does not say \"%s\"", f.text, cases[i].says);
		} else {
			assert_ok(e, &f);
			assert_int_equal(s.family, cases[i].family);
			assert_int_equal(s.weak, cases[i].weak);
			assert_true(s.md == cases[i].md || strcmp(s.md, cases[i].md) == 0);
		}
		buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_verify),	  cmocka_unit_test(agrees_with_libcrypto),
		cmocka_unit_test(other_spellings_of_a_signature), cmocka_unit_test(numbers_out_of_range),
		cmocka_unit_test(hostile_keys_are_refused),	  cmocka_unit_test(outer_form),
		cmocka_unit_test(rsa_numbers_and_strength),	  cmocka_unit_test(each_small_factor_is_found),
		cmocka_unit_test(elliptic_keys_are_strong),	  cmocka_unit_test(words_go_both_ways),
		cmocka_unit_test(signature_algorithms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

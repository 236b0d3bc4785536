/*
 * Private keys: PEM both ways, wrong passphrases, signatures that we and libcrypto take, one key in several threads.
 */
#include "pki_kit.h"

#include "common/pki/csr.h"
#include "common/pki/der.h"
#include "common/pki/sign.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "common/base/cleanup.h"

static EVP_PKEY *keys[KEY_ALG_N], *others[KEY_ALG_N];

static int make_keys(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		assert_ok(privkey_generate((enum key_alg)i, i == KEY_RSA ? 2048 : 0, &keys[i], &f), &f);
		assert_ok(privkey_generate((enum key_alg)i, i == KEY_RSA ? 2048 : 0, &others[i], &f), &f);
	}
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		EVP_PKEY_free(keys[i]);
		EVP_PKEY_free(others[i]);
	}
	return 0;
}

static void made_keys_are_strong_and_of_their_kind(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		struct pubkey k = {0};
		assert_ok(privkey_public(keys[i], &k, &f), &f);
		assert_int_equal(k.alg, i);
		assert_ok(pubkey_check_strength(&k, "key", &f), &f);
		_cleanup_(evp_pkey_freep) EVP_PKEY *read = pubkey_evp(&k);
		assert_int_equal(EVP_PKEY_eq(read, keys[i]), 1);
		pubkey_done(&k);
	}
}

static void weak_lengths_are_not_made(void **state)
{
	static const unsigned bits[] = {0, 512, 1024, 2047, 2049, 4104, 8192};
	EVP_PKEY *key = NULL;
	struct fault f;
	(void)state;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		assert_refused(privkey_generate(KEY_RSA, bits[i], &key, &f), ERR_RULE, "key_strength", &f, "rsa");
	assert_null(key);
}

static void signatures_verify(void **state)
{
	struct slice msgs[] = {{NULL, 0}, slice_str("a"), slice_str("hufu/tally/v1\nid: …\n")};
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		struct pubkey k = {0}, other = {0};
		assert_ok(privkey_public(keys[i], &k, &f), &f);
		assert_ok(privkey_public(others[i], &other, &f), &f);
		for (size_t m = 0; m < 3; m++) {
			struct buf sig = {0};
			buf_str(&sig, "before");
			assert_ok(privkey_sign(keys[i], (enum key_alg)i, msgs[m], &sig, &f), &f);
			assert_memory_equal(sig.data, "before", 6);
			struct slice s = slice_of(sig.data + 6, sig.len - 6);
			assert_true(pubkey_verify(&k, msgs[m], s));
			assert_false(pubkey_verify(&other, msgs[m], s));
			assert_false(pubkey_verify(&k, slice_str("b"), s));
			buf_done(&sig);
		}
		pubkey_done(&k);
		pubkey_done(&other);
	}
}

/* By libcrypto's textbook calls, SM2 with the standard id and not with the empty one. */
static void libcrypto_takes_the_signatures(void **state)
{
	static const char *const md[KEY_ALG_N] = {"SHA256", "SHA256", "SHA384", NULL, "SM3"};
	struct slice msg = slice_str("message");
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		struct buf sig = {0};
		assert_ok(privkey_sign(keys[i], (enum key_alg)i, msg, &sig, &f), &f);
		for (int standard_id = 0; standard_id < 2; standard_id++) {
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();
			EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_pkey(NULL, keys[i], NULL);
			if (i == KEY_SM2 && standard_id)
				assert_int_equal(EVP_PKEY_CTX_set1_id(pctx, "1234567812345678", 16), 1);
			EVP_MD_CTX_set_pkey_ctx(ctx, pctx);
			assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, md[i], NULL, NULL, keys[i], NULL), 1);
			int good = EVP_DigestVerify(ctx, sig.data, sig.len, msg.p, msg.n);
			assert_int_equal(good == 1, i != KEY_SM2 || standard_id);
			EVP_MD_CTX_free(ctx);
			EVP_PKEY_CTX_free(pctx);
		}
		buf_done(&sig);
	}
}

static void other_digests_verify_for_old_certificates(void **state)
{
	static const char *const mds[] = {"SHA1", "SHA256", "SHA384", "SHA512", "MD5"};
	struct slice msg = slice_str("message");
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pubkey k = {0};
		assert_ok(privkey_public(keys[i], &k, &f), &f);
		for (size_t m = 0; m < 5; m++) {
			uint8_t sig[512];
			size_t n = sizeof(sig);
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();
			assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, mds[m], NULL, NULL, keys[i], NULL), 1);
			assert_int_equal(EVP_DigestSign(ctx, sig, &n, msg.p, msg.n), 1);
			for (size_t as = 0; as < 5; as++)
				assert_true(pubkey_verify_md(&k, mds[as], msg, slice_of(sig, n)) == (as == m));
			assert_false(pubkey_verify_md(&k, NULL, msg, slice_of(sig, n)));
			assert_false(pubkey_verify_md(&k, "SM3", msg, slice_of(sig, n)));
			assert_false(pubkey_verify_md(&k, "SHA999", msg, slice_of(sig, n)));
			EVP_MD_CTX_free(ctx);
		}
		pubkey_done(&k);
	}
}

static void a_key_signs_by_its_own_scheme_only(void **state)
{
	struct fault f;
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		for (size_t as = 0; as < KEY_ALG_N; as++) {
			struct buf sig = {0};
			if (as != i)
				assert_refused(privkey_sign(keys[i], (enum key_alg)as, slice_str("x"), &sig, &f),
					       ERR_CRYPTO, "key_algorithm", &f, "other scheme");
			assert_int_equal(sig.len, 0);
			buf_done(&sig);
		}
	}
}

static void pem_goes_both_ways(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		struct buf pem = {0}, sig = {0};
		EVP_PKEY *back = NULL;
		struct pubkey k = {0};
		assert_ok(privkey_to_pem(keys[i], &pem, &f), &f);
		assert_non_null(strstr(buf_text(&pem), "-----BEGIN PRIVATE KEY-----"));
		assert_ok(privkey_from_pem(buf_slice(&pem), NULL, &back, &f), &f);
		assert_int_equal(EVP_PKEY_eq(back, keys[i]), 1);
		/* and it still signs by the scheme of its kind */
		assert_ok(privkey_sign(back, (enum key_alg)i, slice_str("m"), &sig, &f), &f);
		assert_ok(privkey_public(keys[i], &k, &f), &f);
		assert_true(pubkey_verify(&k, slice_str("m"), buf_slice(&sig)));
		pubkey_done(&k);
		EVP_PKEY_free(back);
		buf_done(&pem);
		buf_done(&sig);
	}
}

static struct buf encrypted(EVP_PKEY *key, const char *passphrase)
{
	struct buf b = {0};
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), passphrase, (int)strlen(passphrase),
						       NULL, NULL),
			 1);
	long n = BIO_get_mem_data(bio, &text);
	buf_add(&b, text, (size_t)n);
	BIO_free(bio);
	return b;
}

static void passphrases(void **state)
{
	struct buf pem = encrypted(keys[KEY_P256], "correct horse");
	EVP_PKEY *back = NULL;
	struct fault f = {0};
	(void)state;
	assert_ok(privkey_from_pem(buf_slice(&pem), "correct horse", &back, &f), &f);
	assert_int_equal(EVP_PKEY_eq(back, keys[KEY_P256]), 1);
	EVP_PKEY_free(back);
	back = NULL;
	static const char *const wrong[] = {"correct hors", "", NULL, "CORRECT HORSE"};
	for (size_t i = 0; i < 4; i++)
		assert_refused(privkey_from_pem(buf_slice(&pem), wrong[i], &back, &f), ERR_CRYPTO, "key_open", &f,
			       "wrong");
	char huge[5000];
	memset(huge, 'a', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_refused(privkey_from_pem(buf_slice(&pem), huge, &back, &f), ERR_CRYPTO, "key_open", &f, "huge");
	assert_null(back);
	buf_done(&pem);
}

static void what_is_no_private_key(void **state)
{
	EVP_PKEY *back = NULL, *p521 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	struct buf pem = {0};
	struct fault f = {0};
	(void)state;
	assert_refused(privkey_from_pem((struct slice){0}, NULL, &back, &f), ERR_LIMIT, "key_size", &f, "empty");
	assert_refused(privkey_from_pem(slice_str("hello"), NULL, &back, &f), ERR_CRYPTO, "key_open", &f, "text");
	char *big = xcalloc(1, 70000);
	assert_refused(privkey_from_pem(slice_of(big, 70000), NULL, &back, &f), ERR_LIMIT, "key_size", &f, "big");
	free(big);
	assert_ok(privkey_to_pem(p521, &pem, &f), &f);
	assert_refused(privkey_from_pem(buf_slice(&pem), NULL, &back, &f), ERR_PARSE, "key_algorithm", &f, "p521");
	buf_done(&pem);
	assert_ok(privkey_to_pem(keys[KEY_P256], &pem, &f), &f);
	for (size_t n = 0; n < pem.len - 2; n += 7)
		assert_int_not_equal(privkey_from_pem(slice_of(pem.data, n), NULL, &back, NULL), OK);
	assert_null(back);
	/* A public key has nothing to write or to sign with. */
	struct pubkey k = {0};
	struct buf out = {0};
	assert_ok(privkey_public(keys[KEY_P256], &k, &f), &f);
	_cleanup_(evp_pkey_freep) EVP_PKEY *public = pubkey_evp(&k);
	assert_refused(privkey_to_pem(public, &out, &f), ERR_CRYPTO, "key_write", &f, "public");
	assert_refused(privkey_sign(public, KEY_P256, slice_str("x"), &out, &f), ERR_CRYPTO, "key_sign", &f, "public");
	assert_int_equal(out.len, 0);
	pubkey_done(&k);
	EVP_PKEY_free(p521);
	buf_done(&pem);
	buf_done(&out);
}

static const uint8_t name_der[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x'};

static void requests_are_good_to_libcrypto(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		struct buf der = {0};
		assert_ok(csr_make(keys[i], slice_of(name_der, sizeof(name_der)), &der, &f), &f);
		const unsigned char *p = der.data;
		X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
		assert_non_null(req);
		assert_ptr_equal(p, der.data + der.len);
		if (i == KEY_SM2) {
			ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
			ASN1_OCTET_STRING_set(id, (const unsigned char *)"1234567812345678", 16);
			X509_REQ_set0_distinguishing_id(req, id);
		}
		assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
		assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(req), keys[i]), 1);
		unsigned char *again = NULL;
		int n = i2d_X509_REQ(req, &again);
		assert_true(slice_eq(slice_of(again, (size_t)n), buf_slice(&der)));
		OPENSSL_free(again);
		X509_REQ_free(req);
		struct csr c = {0};
		assert_ok(csr_parse(buf_slice(&der), &c, &f), &f);
		assert_ok(csr_verify(&c, &f), &f);
		assert_int_equal(c.key.alg, i);
		csr_done(&c);
		buf_done(&der);
	}
	struct buf none = {0};
	assert_refused(csr_make(keys[KEY_P256], slice_str("x"), &none, &f), ERR_PARSE, "name_form", &f, "no name");
	assert_int_equal(none.len, 0);
}

static void *sign_often(void *arg)
{
	enum key_alg alg = *(enum key_alg *)arg;
	struct pubkey k = {0};
	size_t bad = 0;
	if (privkey_public(keys[alg], &k, NULL) != OK)
		return (void *)"no public half";
	for (size_t i = 0; i < 30; i++) {
		struct buf sig = {0};
		bad += privkey_sign(keys[alg], alg, slice_of(&i, sizeof(i)), &sig, NULL) != OK ||
		       !pubkey_verify(&k, slice_of(&i, sizeof(i)), buf_slice(&sig));
		buf_done(&sig);
	}
	pubkey_done(&k);
	return bad ? (void *)"a bad signature" : NULL;
}

static void one_key_in_several_threads(void **state)
{
	pthread_t threads[2 * KEY_ALG_N];
	enum key_alg algs[2 * KEY_ALG_N];
	(void)state;
	for (size_t i = 0; i < 2 * KEY_ALG_N; i++) {
		algs[i] = (enum key_alg)(i / 2);
		assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &algs[i]), 0);
	}
	for (size_t i = 0; i < 2 * KEY_ALG_N; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

/* Of all kinds among each other, good ones and such as are not: as each by itself. */
static void test_many(void **state)
{
	(void)state;
	struct pubkey_claim claims[4 * KEY_ALG_N + 9];
	struct pubkey k[KEY_ALG_N] = {0};
	struct buf sigs[KEY_ALG_N] = {0};
	size_t n = sizeof(claims) / sizeof(claims[0]);
	struct fault f = {0};
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		assert_ok(privkey_public(keys[a], &k[a], &f), &f);
		assert_ok(privkey_sign(keys[a], (enum key_alg)a, slice_str("m"), &sigs[a], &f), &f);
	}
	for (size_t turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < n; i++) {
			size_t a = i % 2 ? (size_t)KEY_P256 : i / 2 % KEY_ALG_N,
			       of = i % 11 == 3 ? (a + 1) % KEY_ALG_N : a;
			claims[i] = (struct pubkey_claim){&k[a], slice_str(i % 7 == 5 ? "n" : "m"),
							  buf_slice(&sigs[of]), i % 3 == 0};
			if (i % 13 == 4)
				claims[i].sig.n = 0;
		}
		pubkey_verify_many(claims, n - turn);
		for (size_t i = 0; i < n - turn; i++)
			assert_int_equal(claims[i].holds, pubkey_verify(claims[i].key, claims[i].msg, claims[i].sig));
	}
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		pubkey_done(&k[a]);
		buf_done(&sigs[a]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(made_keys_are_strong_and_of_their_kind),
		cmocka_unit_test(weak_lengths_are_not_made),
		cmocka_unit_test(signatures_verify),
		cmocka_unit_test(libcrypto_takes_the_signatures),
		cmocka_unit_test(other_digests_verify_for_old_certificates),
		cmocka_unit_test(a_key_signs_by_its_own_scheme_only),
		cmocka_unit_test(pem_goes_both_ways),
		cmocka_unit_test(passphrases),
		cmocka_unit_test(what_is_no_private_key),
		cmocka_unit_test(requests_are_good_to_libcrypto),
		cmocka_unit_test(one_key_in_several_threads),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}

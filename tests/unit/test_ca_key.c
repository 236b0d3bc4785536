/*
 * The sealed CA key: sealed and opened for each algorithm, and every file that is not the certificate's key refused.
 */
#include "tests/unit/ca_kit.h"

#include "common/base/file.h"
#include "common/pki/sign.h"

#include <pthread.h>
#include <sys/stat.h>

static char folder[] = "/tmp/hufu-ca-key-XXXXXX";
static struct secret passphrase, other_passphrase;

static char *path_of(const char *name)
{
	return path_join(folder, name);
}

static void secret_set(struct secret *s, const char *text)
{
	secret_alloc(s, strlen(text));
	memcpy(s->p, text, strlen(text));
}

/* ca_key_open() looks at the certificate's key alone. */
static struct cert cert_of(const struct ca_key *k)
{
	struct cert c = {0};
	struct fault f = {0};
	const struct pubkey *public = ca_key_public(k);
	check_ok("key", pubkey_parse(slice_of(public->spki, public->spki_len), &c.key, &f), &f);
	return c;
}

static void check_signs(const struct ca_key *k)
{
	static const char tbs[] = "to be signed";
	_cleanup_buf_ struct buf signature = {0};
	struct fault f = {0};
	check_ok("sign", ca_key_sign(k, slice_str(tbs), &signature, &f), &f);
	assert_true(pubkey_verify(ca_key_public(k), slice_str(tbs), buf_slice(&signature)));
	assert_false(pubkey_verify(ca_key_public(k), slice_str("to be forged"), buf_slice(&signature)));
}

static void test_sealed_and_opened(void **state)
{
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		struct fault f = {0};
		struct stat st;
		struct ca_key *k = kit_key(KIT_CA, (enum key_alg)a);
		_cleanup_(cert_done) struct cert cert = cert_of(k);
		_cleanup_(ca_key_freep) struct ca_key *opened = NULL;
		_cleanup_(freep) char *path = path_of(key_alg_word((enum key_alg)a));
		check_ok("seal", ca_key_seal(k, path, &passphrase, &f), &f);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		check_ok("open", ca_key_open(path, &cert, &passphrase, &opened, &f), &f);
		assert_memory_equal(ca_key_public(opened)->spki, cert.key.spki, cert.key.spki_len);
		check_signs(opened);
		check_signs(k);
	}
}

/* The private number of a curve; of RSA the exponent and both primes at least. */
static void test_open_key_lies_in_locked_memory(void **state)
{
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		struct fault f = {0};
		_cleanup_(cert_done) struct cert cert = cert_of(kit_key(KIT_CA, (enum key_alg)a));
		_cleanup_(freep) char *path = path_of(key_alg_word((enum key_alg)a));
		struct ca_key *opened = NULL;
		size_t before = CRYPTO_secure_used(), least = a == KEY_RSA ? 256 + 128 + 128 : 32;
		check_ok("open", ca_key_open(path, &cert, &passphrase, &opened, &f), &f);
		if (CRYPTO_secure_used() < before + least)
			fail_msg("%s: %zu bytes locked, wanted %zu", key_alg_word((enum key_alg)a),
				 CRYPTO_secure_used() - before, least);
		ca_key_free(opened);
		assert_int_equal(CRYPTO_secure_used(), before);
	}
}

/* Nothing of the key stands in the file in the clear. */
static void test_file_hides_the_key(void **state)
{
	_cleanup_buf_ struct buf sealed = {0};
	_cleanup_(freep) char *path = path_of("hidden");
	struct fault f = {0};
	(void)state;
	struct ca_key *k = kit_key(KIT_CA, KEY_ED25519);
	check_ok("seal", ca_key_seal(k, path, &passphrase, &f), &f);
	check_ok("read", file_read(path, 65536, &sealed, &f), &f);
	assert_null(memmem(sealed.data, sealed.len, "PRIVATE", 7));
	assert_null(memmem(sealed.data, sealed.len, "\x30\x2e\x02\x01\x00", 5)); /* PrivateKeyInfo of Ed25519 */
	assert_null(memmem(sealed.data, sealed.len, ca_key_public(k)->spki + 12, 32));
}

static void test_new_file_only(void **state)
{
	_cleanup_(freep) char *path = path_of("twice");
	struct fault f = {0};
	(void)state;
	check_ok("seal", ca_key_seal(kit_key(KIT_CA, KEY_P256), path, &passphrase, &f), &f);
	check_refused("twice", ca_key_seal(kit_key(KIT_OTHER, KEY_P256), path, &passphrase, &f), &f, ERR_CONFLICT,
		      "file_exists");
}

/* Seals plain under the label of k's certificate, as somebody with the passphrase could. */
static char *sealed_by_hand(const struct ca_key *k, const char *name, struct slice plain)
{
	_cleanup_buf_ struct buf label = {0}, sealed = {0};
	struct fault f = {0};
	char *path = path_of(name);
	buf_str(&label, "ca-key:");
	buf_hex(&label, ca_key_public(k)->key_id, 20);
	check_ok("seal", secret_seal(buf_text(&label), &passphrase, plain, &sealed, &f), &f);
	check_ok("write", file_write_new(path, buf_slice(&sealed), 0600, &f), &f);
	return path;
}

static void pkcs8_of(enum key_alg alg, struct buf *ret)
{
	struct fault f = {0};
	unsigned char *der = NULL;
	_cleanup_(evp_pkey_freep) EVP_PKEY *pkey = NULL;
	check_ok("generate", privkey_generate(alg, 0, &pkey, &f), &f);
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	int n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	buf_add(ret, der, (size_t)n);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
}

static void check_open_refused(const char *what, const char *path, const struct secret *with, enum err kind,
			       const char *rule)
{
	struct ca_key *opened = NULL;
	struct fault f = {0};
	_cleanup_(cert_done) struct cert cert = cert_of(kit_key(KIT_CA, KEY_P256));
	check_refused(what, ca_key_open(path, &cert, with, &opened, &f), &f, kind, rule);
	assert_null(opened);
}

static void test_refusals(void **state)
{
	struct ca_key *k = kit_key(KIT_CA, KEY_P256);
	_cleanup_(freep) char *good = path_of("good"), *others = path_of("others"), *none = path_of("none"),
			      *cut = path_of("cut");
	_cleanup_buf_ struct buf other_key = {0}, other_alg = {0}, bytes = {0};
	struct fault f = {0};
	(void)state;
	check_ok("seal", ca_key_seal(k, good, &passphrase, &f), &f);
	check_ok("seal", ca_key_seal(kit_key(KIT_OTHER, KEY_P256), others, &passphrase, &f), &f);
	check_open_refused("no file", none, &passphrase, ERR_NOT_FOUND, "file_missing");
	check_open_refused("wrong passphrase", good, &other_passphrase, ERR_CRYPTO, "sealed_open");
	check_open_refused("another certificate's file", others, &passphrase, ERR_CRYPTO, "sealed_open");

	pkcs8_of(KEY_P256, &other_key);
	_cleanup_(freep) char *swapped = sealed_by_hand(k, "swapped", buf_slice(&other_key));
	check_open_refused("another key under the right label", swapped, &passphrase, ERR_CONFIG, "ca_key_mismatch");
	pkcs8_of(KEY_ED25519, &other_alg);
	_cleanup_(freep) char *alg = sealed_by_hand(k, "alg", buf_slice(&other_alg));
	check_open_refused("a key of another algorithm", alg, &passphrase, ERR_CONFIG, "ca_key_mismatch");
	_cleanup_(freep) char *junk = sealed_by_hand(k, "junk", slice_str("not a key"));
	check_open_refused("no key inside", junk, &passphrase, ERR_CONFIG, "ca_key_form");
	buf_char(&other_key, '\0');
	_cleanup_(freep) char *rest = sealed_by_hand(k, "rest", buf_slice(&other_key));
	check_open_refused("a byte behind the key", rest, &passphrase, ERR_CONFIG, "ca_key_form");
	_cleanup_(freep) char *empty = sealed_by_hand(k, "empty", (struct slice){0});
	check_open_refused("nothing inside", empty, &passphrase, ERR_CONFIG, "ca_key_form");

	check_ok("read", file_read(good, 65536, &bytes, &f), &f);
	check_ok("write", file_write(cut, slice_of(bytes.data, bytes.len - 1), 0600, &f), &f);
	check_open_refused("cut", cut, &passphrase, ERR_CRYPTO, "sealed_open");
	check_ok("write", file_write(cut, slice_of(bytes.data, 20), 0600, &f), &f);
	check_open_refused("cut short", cut, &passphrase, ERR_CRYPTO, "sealed_form");
	bytes.data[bytes.len - 5] ^= 1;
	check_ok("write", file_write(cut, buf_slice(&bytes), 0600, &f), &f);
	check_open_refused("a bit changed", cut, &passphrase, ERR_CRYPTO, "sealed_open");
	buf_clear(&bytes);
	buf_reserve(&bytes, 70000);
	for (size_t i = 0; i < 70000; i++)
		buf_char(&bytes, 'x');
	check_ok("write", file_write(cut, buf_slice(&bytes), 0600, &f), &f);
	check_open_refused("too large", cut, &passphrase, ERR_LIMIT, "file_size");
}

static void test_throwaway_is_fresh(void **state)
{
	_cleanup_(ca_key_freep) struct ca_key *a = NULL, *b = NULL;
	struct fault f = {0};
	(void)state;
	check_ok("throwaway", ca_key_throwaway(KEY_SM2, 0, &a, &f), &f);
	check_ok("throwaway", ca_key_throwaway(KEY_SM2, 0, &b, &f), &f);
	assert_memory_not_equal(ca_key_public(a)->key_id, ca_key_public(b)->key_id, 20);
	struct ca_key *weak = NULL;
	check_refused("weak", ca_key_create(KEY_RSA, 1024, &weak, &f), &f, ERR_RULE, "key_strength");
	assert_null(weak);
}

static void *sign_often(void *arg)
{
	for (int i = 0; i < 50; i++) {
		_cleanup_buf_ struct buf signature = {0};
		struct slice tbs = slice_of(&i, sizeof(i));
		if (ca_key_sign(arg, tbs, &signature, NULL) != OK ||
		    !pubkey_verify(ca_key_public(arg), tbs, buf_slice(&signature)))
			return arg;
	}
	return NULL;
}

static void test_signs_from_many_threads(void **state)
{
	(void)state;
	for (size_t a = 0; a < KEY_ALG_N; a++) {
		pthread_t threads[4];
		struct ca_key *k = kit_key(KIT_CA, (enum key_alg)a);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, sign_often, k), 0);
		for (size_t i = 0; i < 4; i++) {
			void *failed;
			assert_int_equal(pthread_join(threads[i], &failed), 0);
			assert_null(failed);
		}
	}
}

static int setup(void **state)
{
	(void)state;
	ca_key_prepare();
	secret_set(&passphrase, "correct horse");
	secret_set(&other_passphrase, "correct house");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"rsa",    "p256",	 "p384", "ed25519", "sm2",  "hidden", "twice", "good",
					    "others", "swapped", "alg",	 "junk",    "rest", "empty",  "cut"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *path = path_of(names[i]);
		unlink(path);
	}
	rmdir(folder);
	secret_done(&passphrase);
	secret_done(&other_passphrase);
	return kit_done(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed_and_opened),
		cmocka_unit_test(test_open_key_lies_in_locked_memory),
		cmocka_unit_test(test_file_hides_the_key),
		cmocka_unit_test(test_new_file_only),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_throwaway_is_fresh),
		cmocka_unit_test(test_signs_from_many_threads),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

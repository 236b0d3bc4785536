/*
 * A CA key in a token: SoftHSM behind a library that fails on demand. Opened, used by many, refused for each thing that can
 * be wrong with it, and back after what can befall a token while it works.
 */
#include "tests/unit/ca_kit.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/token/hsm.h"
#include "common/token/token_admin.h"

#include <ftw.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

#ifdef __SANITIZE_ADDRESS__
/* SoftHSM 2.6 leaks a string of libcrypto with each Edwards key; it is found by its frames. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *__lsan_default_suppressions(void)
{
	return "leak:libsofthsm2.so\n";
}
#endif

#define TIMEOUT_MS 700

static char folder[] = "/tmp/hufu-key-token-XXXXXX";
static char *control_path;
static struct secret pin, other_pin;
static char serial_one[80], serial_two[80];

static void must(const char *what, enum err e, const struct fault *f)
{
	check_ok(what, e, f);
}

static void secret_set(struct secret *s, const char *text)
{
	secret_alloc(s, strlen(text));
	memcpy(s->p, text, strlen(text));
}

/* What the library shall do from now on. */
static void control(const char *text)
{
	struct fault f = {0};
	must("control", file_write(control_path, slice_str(text), 0600, &f), &f);
}

static void prepare(unsigned sessions, bool extractable)
{
	struct fault f = {0};
	struct hsm_settings t = {
		.module = PKCS11_FAULT, .sessions = sessions, .timeout_ms = TIMEOUT_MS, .extractable = extractable};
	must("prepare", hsm_prepare(&t, &f), &f);
}

/* Gives: free(). */
static char *uri_of(const char *serial, const char *object)
{
	return xasprintf("pkcs11:serial=%s;object=%s", serial, object);
}

static struct ca_key *create(const char *object, enum key_alg alg, unsigned bits)
{
	struct ca_key *k = NULL;
	struct fault f = {0};
	_cleanup_(freep) char *uri = uri_of(serial_one, object);
	must(object, ca_key_create_in_token(uri, &(struct hsm_keygen){.alg = alg, .bits = bits}, &pin, &k, &f), &f);
	return k;
}

static struct cert cert_of(const struct pubkey *public)
{
	struct cert c = {0};
	struct fault f = {0};
	must("key", pubkey_parse(slice_of(public->spki, public->spki_len), &c.key, &f), &f);
	return c;
}

static enum err sign(const struct ca_key *k, struct fault *f)
{
	static const char tbs[] = "to be signed";
	_cleanup_buf_ struct buf signature = {0};
	enum err e = ca_key_sign(k, slice_str(tbs), &signature, f);
	if (e == OK)
		assert_true(pubkey_verify(ca_key_public(k), slice_str(tbs), buf_slice(&signature)));
	return e;
}

static void must_sign(const char *what, const struct ca_key *k)
{
	struct fault f = {0};
	must(what, sign(k, &f), &f);
}

static void must_fail(const char *what, const struct ca_key *k, const char *rule, const char *said)
{
	struct fault f = {0};
	check_refused(what, sign(k, &f), &f, ERR_LOCKED, rule);
	if (!strstr(f.text, said))
		fail_msg("%s: found \"%s\", wanted \"%s\"", what, f.text, said);
}

/* It looks again once a second. */
static void until_usable(const char *what, const struct ca_key *k)
{
	int64_t end = clock_mono_us() + 10000000;
	struct fault f = {0};
	while (ca_key_usable(k, &f) != OK) {
		if (clock_mono_us() > end)
			fail_msg("%s: still not usable: %s", what, f.text);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
}

static void test_made_used_and_opened_again(void **state)
{
	static const struct {
		const char *object;
		enum key_alg alg;
		unsigned bits;
	} kinds[] = {{"p256", KEY_P256, 0},
		     {"p384", KEY_P384, 0},
		     {"rsa", KEY_RSA, 2048},

		     {"ed25519", KEY_ED25519, 0}};
	(void)state;
	prepare(2, false);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct fault f = {0};
		_cleanup_buf_ struct buf said = {0};
		_cleanup_(freep) char *uri = uri_of(serial_one, kinds[i].object);
		_cleanup_(ca_key_freep) struct ca_key *made = create(kinds[i].object, kinds[i].alg, kinds[i].bits);
		_cleanup_(ca_key_freep) struct ca_key *opened = NULL;
		_cleanup_(cert_done) struct cert cert = cert_of(ca_key_public(made));
		must_sign(kinds[i].object, made);
		must("open", ca_key_open(uri, &cert, &pin, &opened, &f), &f);
		must_sign("opened", opened);
		must("attest", ca_key_attest(opened, &said, &f), &f);
		assert_non_null(strstr(buf_text(&said),
				       "CKA_LOCAL true, CKA_SENSITIVE true, CKA_ALWAYS_SENSITIVE true, "
				       "CKA_EXTRACTABLE false, CKA_NEVER_EXTRACTABLE true"));
		assert_non_null(strstr(buf_text(&said), serial_one));
	}
}

static void test_what_cannot_be_made(void **state)
{
	struct fault f = {0};
	struct ca_key *k = NULL;
	_cleanup_(freep) char *uri = uri_of(serial_one, "fresh");
	_cleanup_(freep) char *taken = uri_of(serial_one, "there");
	(void)state;
	ca_key_free(create("there", KEY_P256, 0)); /* on the token it stays */
	check_refused("sm2", ca_key_create_in_token(uri, &(struct hsm_keygen){.alg = KEY_SM2, .bits = 0}, &pin, &k, &f),
		      &f, ERR_NOT_FOUND, "mechanism_missing");
	check_refused("taken",
		      ca_key_create_in_token(taken, &(struct hsm_keygen){.alg = KEY_P256, .bits = 0}, &pin, &k, &f), &f,
		      ERR_CONFLICT, "key_exists");
	control("C_GenerateKeyPair=0x31\n");
	check_refused("full",
		      ca_key_create_in_token(uri, &(struct hsm_keygen){.alg = KEY_P256, .bits = 0}, &pin, &k, &f), &f,
		      ERR_IO, "token_full");
	control("");
	setenv("HUFU_TEST_WITHOUT", "0x1040,0x1055", 1);
	check_refused("no curves",
		      ca_key_create_in_token(uri, &(struct hsm_keygen){.alg = KEY_P256, .bits = 0}, &pin, &k, &f), &f,
		      ERR_NOT_FOUND, "mechanism_missing");
	check_refused("no Edwards",
		      ca_key_create_in_token(uri, &(struct hsm_keygen){.alg = KEY_ED25519, .bits = 0}, &pin, &k, &f),
		      &f, ERR_NOT_FOUND, "mechanism_missing");
	unsetenv("HUFU_TEST_WITHOUT");
	setenv("HUFU_TEST_LIE", "extractable", 1);
	check_refused("leaves",
		      ca_key_create_in_token(uri, &(struct hsm_keygen){.alg = KEY_P256, .bits = 0}, &pin, &k, &f), &f,
		      ERR_CRYPTO, "key_exportable");
	unsetenv("HUFU_TEST_LIE");
	assert_null(k);
	/* Nothing stayed of all these. */
	must("fresh", ca_key_create_in_token(uri, &(struct hsm_keygen){.alg = KEY_P256, .bits = 0}, &pin, &k, &f), &f);
	ca_key_free(k);
}

static void test_what_cannot_be_opened(void **state)
{
	_cleanup_(ca_key_freep) struct ca_key *k = create("good", KEY_P256, 0);
	_cleanup_(cert_done) struct cert cert = cert_of(ca_key_public(k));
	const struct {
		const char *what, *serial, *object, *env, *value, *control;
		const struct secret *pin;
		enum err kind;
		const char *rule, *said;
	} cases[] = {
		{"wrong PIN", serial_one, "good", NULL, NULL, "", &other_pin, ERR_DENIED, "pin_wrong", "PIN is wrong"},
		{"PIN locked", serial_one, "good", "HUFU_TEST_FLAGS", "0x40000", "", &pin, ERR_DENIED, "pin_locked",
		 "the PIN is locked"},
		{"no such token", "0000", "good", NULL, NULL, "", &pin, ERR_NOT_FOUND, "token_absent",
		 "no token with serial \"0000\" is there; found \""},
		{"swapped token", serial_one, "good", NULL, NULL, "serial=4711\n", &pin, ERR_NOT_FOUND, "token_absent",
		 "(serial 4711)"},
		{"the other token", serial_two, "good", NULL, NULL, "", &pin, ERR_NOT_FOUND, "key_not_on_token",
		 "holds no private key with label \"good\""},
		{"no such key", serial_one, "nobody", NULL, NULL, "", &pin, ERR_NOT_FOUND, "key_not_on_token",
		 "label \"nobody\""},
		{"another key", serial_one, "other", NULL, NULL, "", &pin, ERR_CONFIG, "ca_key_mismatch",
		 "not the key of the certificate"},
		{"could leave", serial_one, "good", "HUFU_TEST_LIE", "extractable", "", &pin, ERR_RULE,
		 "key_exportable", "CKA_EXTRACTABLE true"},
		{"a lying signature", serial_one, "good", "HUFU_TEST_LIE", "signature", "", &pin, ERR_CONFIG,
		 "ca_key_mismatch", "not the key of the certificate"},
		{"no mechanism", serial_one, "good", "HUFU_TEST_WITHOUT", "0x1041,0x1044", "", &pin, ERR_NOT_FOUND,
		 "mechanism_missing", "CKM_ECDSA or CKM_ECDSA_SHA256"},
		{"a dead library", serial_one, "good", NULL, NULL, "C_OpenSession=0x30\n", &pin, ERR_IO, "token_failed",
		 "C_OpenSession answered 0x30"},
	};
	(void)state;
	ca_key_free(create("other", KEY_P256, 0)); /* on the token it stays */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = {0};
		struct ca_key *opened = NULL;
		_cleanup_(freep) char *uri = uri_of(cases[i].serial, cases[i].object);
		/* Logged in once, PKCS#11 asks for no PIN: each case starts without sessions. */
		_cleanup_(freep) char *said = xasprintf("kill=open%zu\n%s", i, cases[i].control);
		control(said);
		if (cases[i].env)
			setenv(cases[i].env, cases[i].value, 1);
		enum err e = ca_key_open(uri, &cert, cases[i].pin, &opened, &f);
		if (cases[i].env)
			unsetenv(cases[i].env);
		control("");
		check_refused(cases[i].what, e, &f, cases[i].kind, cases[i].rule);
		if (!strstr(f.text, cases[i].said))
			fail_msg("%s: found \"%s\", wanted \"%s\"", cases[i].what, f.text, cases[i].said);
		assert_null(strstr(f.text, "135790"));
	}
}

static void test_a_label_that_two_keys_have(void **state)
{
	struct fault f = {0};
	struct ca_key *first = NULL, *second = NULL, *opened = NULL;
	_cleanup_(freep) char *one = xasprintf("pkcs11:serial=%s;object=twin;id=%%01", serial_one);
	_cleanup_(freep) char *two = xasprintf("pkcs11:serial=%s;object=twin;id=%%02", serial_one);
	_cleanup_(freep) char *both = uri_of(serial_one, "twin");
	(void)state;
	must("first", ca_key_create_in_token(one, &(struct hsm_keygen){.alg = KEY_P256, .bits = 0}, &pin, &first, &f),
	     &f);
	must("second", ca_key_create_in_token(two, &(struct hsm_keygen){.alg = KEY_P256, .bits = 0}, &pin, &second, &f),
	     &f);
	_cleanup_(cert_done) struct cert cert = cert_of(ca_key_public(second));
	check_refused("both", ca_key_open(both, &cert, &pin, &opened, &f), &f, ERR_CONFLICT, "key_ambiguous");
	check_refused("the first", ca_key_open(one, &cert, &pin, &opened, &f), &f, ERR_CONFIG, "ca_key_mismatch");
	must("by id", ca_key_open(two, &cert, &pin, &opened, &f), &f);
	ca_key_free(opened);
	ca_key_free(first);
	ca_key_free(second);
}

static void test_an_exportable_key_where_it_is_allowed(void **state)
{
	struct fault f = {0};
	struct ca_key *opened = NULL;
	_cleanup_(freep) char *uri = uri_of(serial_one, "loose");
	_cleanup_(ca_key_freep) struct ca_key *k = create("loose", KEY_P256, 0);
	_cleanup_(cert_done) struct cert cert = cert_of(ca_key_public(k));
	(void)state;
	setenv("HUFU_TEST_LIE", "extractable", 1);
	prepare(2, true);
	must("open", ca_key_open(uri, &cert, &pin, &opened, &f), &f);
	prepare(2, false);
	unsetenv("HUFU_TEST_LIE");
	ca_key_free(opened);
}

static void *sign_often(void *arg)
{
	struct fault f = {0};
	for (int i = 0; i < 40; i++)
		if (sign(arg, &f) != OK)
			return arg;
	return NULL;
}

static void sign_by_many(struct ca_key *k)
{
	pthread_t threads[6];
	void *failed;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_often, k), 0);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

/* Whoever asked while a session died gets a signature all the same. */
static void test_sessions_that_die(void **state)
{
	(void)state;
	prepare(3, false);
	_cleanup_(ca_key_freep) struct ca_key *k = create("dying", KEY_P256, 0);
	sign_by_many(k);
	control("kill=a\n"); /* while nobody else is inside: SoftHSM does not bear that */
	must_sign("pulled out and back", k);
	sign_by_many(k);
	control("stop=a\n");
	(void)!sign(k, NULL); /* the library is started again at most every five seconds, and may just have been */
	until_usable("its daemon was started again", k);
	must_sign("its daemon was started again", k);
	control("");
}

static void test_a_token_that_is_gone_and_comes_back(void **state)
{
	_cleanup_(ca_key_freep) struct ca_key *k = create("gone", KEY_P256, 0);
	struct fault f = {0};
	(void)state;
	control("kill=c\nC_GetTokenInfo=0xe0\nC_SignInit=0xe0\n");
	must_fail("gone", k, "token_lost", "is there; found none at all");
	check_refused("usable", ca_key_usable(k, &f), &f, ERR_LOCKED, "token_lost");
	must_fail("at once", k, "token_lost", "does not sign");
	control("");
	until_usable("back", k);
	must_sign("back", k);
	control("kill=d\nserial=4711\n");
	must_fail("another token in its slot", k, "token_lost", "(serial 4711)");
	control("");
	until_usable("the right one", k);
	must_sign("the right one", k);
}

/* A refused PIN is not tried again: the token counts. */
static void test_a_pin_that_was_changed(void **state)
{
	_cleanup_(ca_key_freep) struct ca_key *k = create("changed", KEY_P256, 0);
	struct fault f = {0};
	(void)state;
	control("kill=e\nC_Login=0xa0\n");
	must_fail("changed", k, "token_lost", "the PIN is wrong");
	control("");
	nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 200000000}, NULL);
	check_refused("not again", ca_key_usable(k, &f), &f, ERR_LOCKED, "token_lost");
	assert_non_null(strstr(f.text, "it is not tried again"));
}

static void test_a_library_that_is_stuck(void **state)
{
	(void)state;
	prepare(2, false);
	_cleanup_(ca_key_freep) struct ca_key *k = create("stuck", KEY_P256, 0);
	control("C_Sign=hang\n");
	int64_t begun = clock_mono_us();
	must_fail("stuck", k, "token_stuck", "it has not answered for 700 ms");
	int64_t took = clock_mono_us() - begun;
	assert_in_range(took, TIMEOUT_MS * 1000, 8 * TIMEOUT_MS * 1000);
	must_fail("at once", k, "token_stuck", "has not answered");
	control("");
	until_usable("awake", k);
	must_sign("awake", k);
}

/* What a set of shares holds: sealed under its secret lies the PIN, and not the key. */
static void test_what_opens_it_is_sealed_for_custody(void **state)
{
	_cleanup_(ca_key_freep) struct ca_key *k = create("custody", KEY_P256, 0), *opened = NULL;
	_cleanup_(cert_done) struct cert cert = cert_of(ca_key_public(k));
	_cleanup_(freep) char *uri = uri_of(serial_one, "custody"), *elsewhere = uri_of(serial_two, "custody");
	_cleanup_secret_ struct secret shared = {0}, other = {0};
	_cleanup_buf_ struct buf sealed = {0};
	struct fault f = {0};
	(void)state;
	secret_set(&shared, "what the shares hold");
	secret_set(&other, "what other shares hold");
	must("seal", ca_key_seal_bytes(k, &shared, &sealed, &f), &f);
	assert_null(memmem(sealed.data, sealed.len, "135790", 6));
	must("open", ca_key_open_sealed_at(uri, buf_slice(&sealed), "the set", &cert, &shared, &opened, &f), &f);
	must_sign("opened", opened);
	ca_key_freep(&opened);
	check_refused("other shares",
		      ca_key_open_sealed_at(uri, buf_slice(&sealed), "the set", &cert, &other, &opened, &f), &f,
		      ERR_CRYPTO, "sealed_open");
	check_refused("as a sealed key", ca_key_open_sealed(buf_slice(&sealed), "the set", &cert, &shared, &opened, &f),
		      &f, ERR_CRYPTO, "sealed_open");
	check_refused("another token",
		      ca_key_open_sealed_at(elsewhere, buf_slice(&sealed), "the set", &cert, &shared, &opened, &f), &f,
		      ERR_NOT_FOUND, "key_not_on_token");
}

/* --- the folder of tokens --- */

static void new_token(const char *label, char ret_serial[80])
{
	struct fault f = {0};
	struct token_choice blank = {.blank = true, .module = SOFTHSM, .use = TOKEN_CLOSED};
	struct token *t = NULL;
	struct token_info info;
	_cleanup_secret_ struct secret puk = {0};
	secret_set(&puk, "24680246");
	must("blank", token_open(&blank, &t, &f), &f);
	must("init", token_initialise(t, &puk, label, &f), &f);
	must("pin", token_pin_init(t, &pin, &f), &f);
	token_close(t);
	struct token_choice named = {.label = label, .module = SOFTHSM, .use = TOKEN_CLOSED};
	must("named", token_open(&named, &t, &f), &f);
	must("info", token_info_read(t, &info, &f), &f);
	memcpy(ret_serial, info.serial, sizeof(info.serial));
	token_close(t);
}

static int setup(void **state)
{
	struct fault f = {0};
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	_cleanup_(freep) char *conf = path_join(folder, "softhsm2.conf"), *tokens = path_join(folder, "tokens");
	_cleanup_(freep) char *text =
		xasprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", tokens);
	control_path = path_join(folder, "control");
	must("tokens", dir_make(tokens, 0700, &f), &f);
	must("conf", file_write_new(conf, slice_str(text), 0600, &f), &f);
	control("");
	setenv("SOFTHSM2_CONF", conf, 1);
	setenv("HUFU_TEST_PKCS11", SOFTHSM, 1);
	setenv("HUFU_TEST_CONTROL", control_path, 1);
	secret_set(&pin, "135790");
	secret_set(&other_pin, "000000");
	new_token("one", serial_one);
	new_token("two", serial_two);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	hsm_finish();
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	secret_done(&pin);
	secret_done(&other_pin);
	free(control_path);
	return kit_done(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_used_and_opened_again),
		cmocka_unit_test(test_what_cannot_be_made),
		cmocka_unit_test(test_what_cannot_be_opened),
		cmocka_unit_test(test_a_label_that_two_keys_have),
		cmocka_unit_test(test_an_exportable_key_where_it_is_allowed),
		cmocka_unit_test(test_what_opens_it_is_sealed_for_custody),
		cmocka_unit_test(test_sessions_that_die),
		cmocka_unit_test(test_a_token_that_is_gone_and_comes_back),
		cmocka_unit_test(test_a_pin_that_was_changed),
		cmocka_unit_test(test_a_library_that_is_stuck),
	};
	secret_init();
	return cmocka_run_group_tests(tests, setup, teardown);
}

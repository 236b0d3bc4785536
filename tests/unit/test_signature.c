/*
 * Signatures made elsewhere: their forms, and what is said of those that don't hold.
 */
#include "pki_kit.h"

#include "common/pki/sign.h"
#include "tools/hufu/signature.h"

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "common/base/cleanup.h"

#define TEXT "hufu/tally/v1\nkind: extend\nid: 0102\n"
#define WHAT "the new key"

static EVP_PKEY *keys[KEY_ALG_N];
static struct pubkey publics[KEY_ALG_N];

static int make_keys(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		assert_ok(privkey_generate((enum key_alg)i, i == KEY_RSA ? 2048 : 0, &keys[i], &f), &f);
		assert_ok(privkey_public(keys[i], &publics[i], &f), &f);
	}
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		EVP_PKEY_free(keys[i]);
		pubkey_done(&publics[i]);
	}
	return 0;
}

static struct buf sign(enum key_alg alg, struct slice text)
{
	struct fault f = {0};
	struct buf sig = {0};
	assert_ok(privkey_sign(keys[alg], alg, text, &sig, &f), &f);
	return sig;
}

/* r and s side by side out of DER, by libcrypto. */
static struct buf side_by_side(enum key_alg alg, struct slice der)
{
	int half = alg == KEY_P384 ? 48 : 32;
	const unsigned char *p = der.p;
	ECDSA_SIG *rs = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	struct buf b = {0};
	uint8_t room[96];
	assert_non_null(rs);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(rs), room, half), half);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(rs), room + half, half), half);
	buf_add(&b, room, 2 * (size_t)half);
	ECDSA_SIG_free(rs);
	return b;
}

static bool elliptic(size_t alg)
{
	return alg == KEY_P256 || alg == KEY_P384 || alg == KEY_SM2;
}

/* --- forms --- */

static void each_kind_is_read_in_its_own_form(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		_cleanup_buf_ struct buf sig = sign((enum key_alg)i, slice_str(TEXT)), read = {0};
		assert_ok(signature_read(buf_slice(&sig), false, &publics[i], WHAT, &read, &f), &f);
		assert_true(slice_eq(buf_slice(&sig), buf_slice(&read)));
		assert_ok(signature_check(&publics[i], WHAT, slice_str(TEXT), buf_slice(&read), &f), &f);
	}
}

/* Many, so that r and s with high bits and leading zeros are among them. */
static void r_and_s_side_by_side_become_der(void **state)
{
	struct fault f = {0};
	(void)state;
	for (size_t n = 0; n < 3 * 200; n++) {
		size_t i = n % 3 == 0 ? KEY_P256 : n % 3 == 1 ? KEY_P384 : KEY_SM2;
		if (i == KEY_P384 && n > 60)
			continue; /* slow, and the same code */
		_cleanup_buf_ struct buf sig = sign((enum key_alg)i, slice_str(TEXT)),
					 rs = side_by_side((enum key_alg)i, buf_slice(&sig)), read = {0};
		assert_ok(signature_read(buf_slice(&rs), true, &publics[i], WHAT, &read, &f), &f);
		assert_true(slice_eq(buf_slice(&sig), buf_slice(&read)));
	}
}

static void small_numbers_are_der_too(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *der;
	} cases[] = {
		{0, 0x80, "3026 0221 00 80 00000000000000000000000000000000000000000000000000000000000000 0201 00"},
		{31, 0x01, "3006 0201 01 0201 00"},
		{63, 0xff, "3007 0201 00 0202 00ff"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t raw[64] = {0};
		_cleanup_buf_ struct buf want = unhex(cases[i].der), der = {0};
		raw[cases[i].at] = cases[i].value;
		assert_true(signature_der_from_rs(KEY_P256, slice_of(raw, 64), &der));
		assert_true(slice_eq(buf_slice(&want), buf_slice(&der)));
	}
}

static void refused_form(size_t alg, struct slice bytes, bool raw, const char *said)
{
	struct fault f = {0};
	_cleanup_buf_ struct buf read = {0};
	uint8_t *copy = exact(bytes.p, bytes.n);
	assert_refused(signature_read(slice_of(copy, bytes.n), raw, &publics[alg], WHAT, &read, &f), ERR_PARSE,
		       "signature_form", &f, said);
	if (!strstr(f.text, said))
		fail_msg("\"%s\" does not say \"%s\"", f.text, said);
	assert_int_equal(read.len, 0);
	free(copy);
}

static void other_forms_are_refused_with_what_they_look_like(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		_cleanup_buf_ struct buf sig = sign((enum key_alg)i, slice_str(TEXT)), text = {0};
		buf_base64(&text, sig.data, sig.len);
		refused_form(i, slice_of(NULL, 0), false, "found 0 bytes");
		refused_form(i, slice_of(sig.data, sig.len - 1), false, "wanted");
		refused_form(i, buf_slice(&text), false, "bytes of text (base64 or hex?)");
		buf_char(&sig, 0);
		refused_form(i, buf_slice(&sig), false, "wanted");
		sig.len--;
		if (!elliptic(i)) {
			refused_form(i, buf_slice(&sig), true, "without --raw-ecdsa");
			continue;
		}
		_cleanup_buf_ struct buf rs = side_by_side((enum key_alg)i, buf_slice(&sig));
		refused_form(i, buf_slice(&rs), false, "--raw-ecdsa if these are r and s side by side");
		refused_form(i, buf_slice(&sig), true, "this is DER: leave --raw-ecdsa out");
		refused_form(i, slice_of(rs.data, rs.len - 1), true, "r and s side by side");
		refused_form(i, slice_of(NULL, 0), true, "found 0 bytes");
	}
}

static void der_that_is_not_strict_is_refused(void **state)
{
	static const char *const bad[] = {
		"30 80 0201 01 0201 01 0000",	  /* indefinite length */
		"30 81 06 0201 01 0201 01",	  /* length not minimal */
		"30 07 0202 0001 0201 01",	  /* INTEGER not minimal */
		"30 09 0201 01 0201 01 0201 01",  /* a third number */
		"30 03 0201 01",		  /* one number */
		"31 06 0201 01 0201 01",	  /* SET */
		"30 06 0201 01 0201 01 00",	  /* bytes behind */
		"30 84 ffffffff 0201 01 0201 01", /* longer than there is */
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		_cleanup_buf_ struct buf b = unhex(bad[i]);
		refused_form(KEY_P256, buf_slice(&b), false, "DER of r and s");
	}
}

/* --- what was signed instead --- */

static void wrong(size_t alg, struct slice sig, const char *said)
{
	struct fault f = {0};
	assert_refused(signature_check(&publics[alg], WHAT, slice_str(TEXT), sig, &f), ERR_CRYPTO, "signature_wrong",
		       &f, said);
	if (!strstr(f.text, said))
		fail_msg("\"%s\" does not say \"%s\"", f.text, said);
}

static void what_was_signed_instead_is_found_out(void **state)
{
	uint8_t digest[32];
	_cleanup_buf_ struct buf hex = {0};
	(void)state;
	sha256(TEXT, strlen(TEXT), digest);
	buf_hex(&hex, digest, sizeof digest);
	const struct {
		struct slice text;
		const char *said;
	} cases[] = {
		{slice_str("hufu/tally/v1\r\nkind: extend\r\nid: 0102\r\n"), "other line ends (CR LF)"},
		{slice_of(TEXT, strlen(TEXT) - 1), "without its last line end"},
		{slice_of(digest, sizeof digest), "hashed once more"},
		{buf_slice(&hex), "SHA-256 in hex"},
		{slice_str(TEXT "x"), "by another key, or over another text"},
		{slice_str(""), "by another key, or over another text"},
	};
	for (size_t i = 0; i < KEY_ALG_N; i++)
		for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
			_cleanup_buf_ struct buf sig = sign((enum key_alg)i, cases[k].text);
			wrong(i, buf_slice(&sig), cases[k].said);
		}
}

static void other_digests_are_named(void **state)
{
	static const struct {
		size_t alg;
		const char *md, *said;
	} cases[] = {
		{KEY_RSA, "SHA1", "made with SHA-1 "},	    {KEY_RSA, "SHA512", "made with SHA-512 "},
		{KEY_P256, "SHA1", "made with SHA-1 "},	    {KEY_P256, "SHA384", "made with SHA-384 "},
		{KEY_P384, "SHA256", "made with SHA-256 "},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t sig[512];
		size_t n = sizeof sig;
		_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, cases[i].md, NULL, NULL, keys[cases[i].alg], NULL),
				 1);
		assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const uint8_t *)TEXT, strlen(TEXT)), 1);
		wrong(cases[i].alg, slice_of(sig, n), cases[i].said);
	}
}

static void another_keys_signature_and_flipped_bits_hold_for_nobody(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_ALG_N; i++) {
		_cleanup_buf_ struct buf sig = sign((enum key_alg)i, slice_str(TEXT));
		wrong((i + 1) % KEY_ALG_N, buf_slice(&sig), "by another key, or over another text");
		sig.data[sig.len / 2] ^= 1;
		wrong(i, buf_slice(&sig), "by another key, or over another text");
		wrong(i, slice_of(NULL, 0), "by another key, or over another text");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_read_in_its_own_form),
		cmocka_unit_test(r_and_s_side_by_side_become_der),
		cmocka_unit_test(small_numbers_are_der_too),
		cmocka_unit_test(other_forms_are_refused_with_what_they_look_like),
		cmocka_unit_test(der_that_is_not_strict_is_refused),
		cmocka_unit_test(what_was_signed_instead_is_found_out),
		cmocka_unit_test(other_digests_are_named),
		cmocka_unit_test(another_keys_signature_and_flipped_bits_hold_for_nobody),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}

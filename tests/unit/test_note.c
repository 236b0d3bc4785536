/*
 * Signed notes: the C2SP example as known answer, every malformed shape, limits, keys of each kind, and the property
 * that a changed byte is either refused or leaves a note in its one form whose signatures do not hold.
 */
#include "tests/unit/note_kit.h"

#include "common/pki/sign.h"

#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_TEXT                                                                                                     \
	"If you think cryptography is the answer to your problem,\n"                                                   \
	"then you don't know what your problem is.\n"
#define PETER_SIG                                                                                                      \
	"\u2014 PeterNeumann "                                                                                         \
	"x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define PETER PETER_TEXT "\n" PETER_SIG

static void test_known_answer(void **state)
{
	_cleanup_(note_done) struct note n = {0};
	_cleanup_buf_ struct buf vkey = {0};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key[ED25519_KEY];
	struct fault f = {0};

	(void)state;
	check_ok("vkey", note_vkey_parse(slice_str(PETER_VKEY), name, key, &f), &f);
	assert_string_equal(name, "PeterNeumann");
	check_ok("note", note_parse(slice_str(PETER), 1, &n, &f), &f);
	assert_int_equal(n.n_sigs, 1);
	assert_true(slice_eq(n.text, slice_str(PETER_TEXT)));
	assert_true(note_sig_holds_ed25519(&n, &n.sigs[0], key));
	assert_ptr_equal(note_sig_by_name(&n, "PeterNeumann"), &n.sigs[0]);
	assert_null(note_sig_by_name(&n, "PeterNeuman"));
	assert_true(slice_eq(note_kind(n.text), slice_str("If you think cryptography is the answer to your problem,")));
	note_vkey_put(name, key, &vkey);
	assert_string_equal(buf_text(&vkey), PETER_VKEY);
	n.sigs[0].sig[3] ^= 1;
	assert_false(note_sig_holds_ed25519(&n, &n.sigs[0], key));
	n.sigs[0].sig[3] ^= 1;
	n.sigs[0].key_id[0] ^= 1;
	assert_false(note_sig_holds_ed25519(&n, &n.sigs[0], key));
}

/* The Go example's two parts differ only in who signs: another text under the same line does not hold. */
static void test_line_moved_to_another_text(void **state)
{
	_cleanup_(note_done) struct note n = {0};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key[ED25519_KEY];
	struct fault f = {0};

	(void)state;
	check_ok("vkey", note_vkey_parse(slice_str(PETER_VKEY), name, key, &f), &f);
	check_ok("note", note_parse(slice_str(PETER_TEXT "\n\n" PETER_SIG), 1, &n, &f), &f);
	assert_true(slice_eq(n.text, slice_str(PETER_TEXT "\n")));
	assert_false(note_sig_holds_ed25519(&n, &n.sigs[0], key));
}

static void test_bad_vkeys(void **state)
{
	static const char *const cases[] = {
		"",
		"PeterNeumann",
		"PeterNeumann+c74f20a3",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
		"PeterNeumann+c74f20a3-ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy1A==",
	};
	static const char *const wrong_id[] = {
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PaterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX",
	};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key[ED25519_KEY];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = {0};

		check_refused(cases[i], note_vkey_parse(slice_str(cases[i]), name, key, &f), &f, ERR_PARSE,
			      "vkey_form");
	}
	for (size_t i = 0; i < sizeof(wrong_id) / sizeof(wrong_id[0]); i++) {
		struct fault f = {0};

		check_refused(wrong_id[i], note_vkey_parse(slice_str(wrong_id[i]), name, key, &f), &f, ERR_PARSE,
			      "vkey_id");
	}
}

#define NAME_96 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static void test_malformed_notes(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *rule;
	} cases[] = {
#define CASE(text, rule) {text, sizeof(text) - 1, rule}
		CASE("", "note_form"),
		CASE("\n", "note_form"),
		CASE("a", "note_form"),
		CASE("a\n", "note_form"),
		CASE("a\n\xe2\x80\x94 n AAAAAAA=\n", "note_form"),
		CASE("\n\xe2\x80\x94 n AAAAAAA=\n", "note_form"),
		CASE("a\n\n", "note_unsigned"),
		CASE("\n\n", "note_unsigned"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA=", "note_form"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA=\n\n", "note_unsigned"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA=\n\n\n", "note_unsigned"),
		CASE("a\r\n\r\n\xe2\x80\x94 n AAAAAAA=\r\n", "note_form"),
		CASE("a\r\n\n\xe2\x80\x94 n AAAAAAA=\n", "text_character"),
		CASE("a\0\n\n\xe2\x80\x94 n AAAAAAA=\n", "text_character"),
		CASE("a\u202e\n\n\xe2\x80\x94 n AAAAAAA=\n", "text_character"),
		CASE("a\u200d\n\n\xe2\x80\x94 n AAAAAAA=\n", "text_character"),
		CASE("a\xff\n\n\xe2\x80\x94 n AAAAAAA=\n", "text_utf8"),
		CASE("a\n\nb\n", "note_signature_line"),
		CASE("a\n\n- n AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\u2013 n AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 \n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n \n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94  n AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n  AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA= \n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA=\r\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n+m AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n\xc3\xa9 AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n\x7f AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n\0 AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 " NAME_96 "n AAAAAAA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAA==\n", "note_signature_line"), /* a key id and nothing more */
		CASE("a\n\n\xe2\x80\x94 n AAAA\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAB=\n", "note_signature_line"), /* bits left over */
		CASE("a\n\n\xe2\x80\x94 n AAAA-AA=\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n AAAA=AAA\n", "note_signature_line"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA=\n\xe2\x80\x94 n AAAAAAA=\n", "note_signature_twice"),
		CASE("a\n\n\xe2\x80\x94 n AAAAAAA=\n\xe2\x80\x94 n AAAAAAE=\n", "note_signature_twice"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct note n = {0};
		struct fault f = {0};

		check_refused(cases[i].bytes, note_parse(slice_of(cases[i].bytes, cases[i].n), 1, &n, &f), &f,
			      ERR_PARSE, cases[i].rule);
		assert_null(n.sigs);
	}
}

static void test_well_formed_notes(void **state)
{
	static const struct {
		const char *bytes;
		size_t min_sigs, n_sigs;
	} cases[] = {
		{"a\n\n", 0, 0},
		{"a\n\n\xe2\x80\x94 n AAAAAAA=\n", 1, 1},
		{"a\n\n\xe2\x80\x94 " NAME_96 " AAAAAAA=\n", 1, 1},
		{"a\n\nb\n\n\xe2\x80\x94 n AAAAAAA=\n", 1, 1},
		{"a\n\n\xe2\x80\x94 n AAAAAAA=\n\n\xe2\x80\x94 n AAAAAAA=\n", 1, 1},
		{"擎洲\n\n\xe2\x80\x94 n AAAAAAA=\n\xe2\x80\x94 n AAAAAQA=\n\xe2\x80\x94 m AAAAAAA=\n", 3, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(note_done) struct note n = {0}, none = {0};
		struct fault f = {0};

		check_ok(cases[i].bytes, note_parse(slice_str(cases[i].bytes), cases[i].min_sigs, &n, &f), &f);
		assert_int_equal(n.n_sigs, cases[i].n_sigs);
		check_refused(cases[i].bytes, note_parse(slice_str(cases[i].bytes), n.n_sigs + 1, &none, &f), &f,
			      ERR_PARSE, "note_unsigned");
	}
}

static void add_many(struct buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_fmt(b, "\u2014 n%zu AAAAAAA=\n", i);
}

static void test_limits(void **state)
{
	static const uint8_t id[4] = {0}, sig[601] = {0};
	_cleanup_buf_ struct buf b = {0}, big = {0};
	_cleanup_(note_done) struct note n = {0}, none = {0};
	struct fault f = {0};

	(void)state;
	note_begin(slice_str("a\n"), &b);
	add_many(&b, NOTE_MAX_SIGS);
	check_ok("16 lines", note_parse(buf_slice(&b), 1, &n, &f), &f);
	check_refused("a 17th", note_add_line(&b, "x", id, slice_of(sig, 64), &f), &f, ERR_LIMIT, "note_size");
	buf_str(&b, "\u2014 x AAAAAAA=\n");
	check_refused("17 lines", note_parse(buf_slice(&b), 1, &none, &f), &f, ERR_LIMIT, "note_signatures");
	buf_clear(&b);
	note_begin(slice_str("a\n"), &b);
	check_ok("600 bytes", note_add_line(&b, "x", id, slice_of(sig, 600), &f), &f);
	check_refused("601 bytes", note_add_line(&b, "y", id, slice_of(sig, 601), &f), &f, ERR_LIMIT,
		      "note_signature_size");
	check_refused("none", note_add_line(&b, "y", id, slice_of(sig, 0), &f), &f, ERR_LIMIT, "note_signature_size");
	buf_fmt(&b, "\u2014 y ");
	buf_base64(&b, sig, 601); /* 4 and 597 fit; one block more does not */
	buf_str(&b, "\n");
	check_ok("601 with the key id", note_parse(buf_slice(&b), 1, &none, &f), &f);
	while (big.len < NOTE_MAX_BYTES - 20)
		buf_char(&big, 'a');
	buf_str(&big, "\n\n");
	check_refused("no room", note_add_line(&big, "x", id, slice_of(sig, 64), &f), &f, ERR_LIMIT, "note_size");
	while (big.len <= NOTE_MAX_BYTES)
		buf_char(&big, '\n');
	note_done(&none);
	check_refused("too large", note_parse(buf_slice(&big), 0, &none, &f), &f, ERR_LIMIT, "note_size");
}

static void test_a_signature_too_long_is_not_decoded(void **state)
{
	static const uint8_t sig[605] = {0};
	_cleanup_buf_ struct buf b = {0};
	struct note n = {0};
	struct fault f = {0};

	(void)state;
	buf_str(&b, "a\n\n\u2014 y ");
	buf_base64(&b, sig, sizeof(sig));
	buf_str(&b, "\n");
	check_refused("601 bytes of signature", note_parse(buf_slice(&b), 1, &n, &f), &f, ERR_PARSE,
		      "note_signature_line");
}

static void test_sign_and_verify(void **state)
{
	struct keypair a = keypair_of(1), b = keypair_of(2);
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(note_done) struct note n = {0};
	uint8_t hash[32], wanted[32], bad_id[4] = {0};
	struct fault f = {0};

	(void)state;
	note_begin(slice_str("hufu/thing/v1\na: 1\n"), &bytes);
	check_ok("alice", note_sign_ed25519(&bytes, "alice", a.secret, &f), &f);
	check_ok("bob", note_sign_ed25519(&bytes, "bob", b.secret, &f), &f);
	check_ok("alice's other key", note_sign_ed25519(&bytes, "alice", b.secret, &f), &f);
	check_refused("twice", note_sign_ed25519(&bytes, "alice", a.secret, &f), &f, ERR_CONFLICT,
		      "note_signature_twice");
	check_refused("name", note_sign_ed25519(&bytes, "al ice", a.secret, &f), &f, ERR_PARSE, "note_name");
	check_refused("name", note_add_line(&bytes, "", bad_id, slice_str("x"), &f), &f, ERR_PARSE, "note_name");
	check_refused("name", note_add_line(&bytes, "a\n", bad_id, slice_str("x"), &f), &f, ERR_PARSE, "note_name");
	check_ok("parse", note_parse(buf_slice(&bytes), 3, &n, &f), &f);
	assert_true(note_sig_holds_ed25519(&n, &n.sigs[0], a.public_key));
	assert_false(note_sig_holds_ed25519(&n, &n.sigs[0], b.public_key));
	assert_true(note_sig_holds_ed25519(&n, &n.sigs[1], b.public_key));
	assert_true(note_sig_holds_ed25519(&n, &n.sigs[2], b.public_key));
	memcpy(n.sigs[0].name, "carol", 6);
	assert_false(note_sig_holds_ed25519(&n, &n.sigs[0], a.public_key));
	note_text_sha256(&n, hash);
	sha256("hufu/thing/v1\na: 1\n", 19, wanted);
	assert_memory_equal(hash, wanted, 32);
}

static void test_not_a_note_is_not_signed(void **state)
{
	struct keypair a = keypair_of(1);
	_cleanup_buf_ struct buf bytes = {0};
	struct fault f = {0};

	(void)state;
	buf_str(&bytes, "a\n");
	check_refused("no empty line", note_sign_ed25519(&bytes, "alice", a.secret, &f), &f, ERR_PARSE, "note_form");
	assert_string_equal(buf_text(&bytes), "a\n");
}

static void test_keys_of_subscribers(void **state)
{
	static const struct {
		enum key_alg alg;
		unsigned bits;
	} algs[] = {{KEY_P256, 0}, {KEY_P384, 0}, {KEY_ED25519, 0}, {KEY_SM2, 0}, {KEY_RSA, 2048}};

	(void)state;
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		_cleanup_(evp_pkey_freep) EVP_PKEY *secret = NULL;
		_cleanup_(pubkey_done) struct pubkey key = {0};
		_cleanup_buf_ struct buf bytes = {0}, sig = {0}, hashed = {0};
		_cleanup_(note_done) struct note n = {0};
		uint8_t id[4], hash[32];
		struct fault f = {0};

		check_ok("generate", privkey_generate(algs[i].alg, algs[i].bits, &secret, &f), &f);
		check_ok("public", privkey_public(secret, &key, &f), &f);
		note_begin(slice_str("a\n"), &bytes);
		check_ok("sign", privkey_sign(secret, algs[i].alg, slice_str("a\n"), &sig, &f), &f);
		note_key_id_spki("new-key", &key, id);
		buf_fmt(&hashed, "new-key\n\xff%s", key_alg_note_type(key.alg));
		buf_add(&hashed, key.spki, key.spki_len);
		sha256(hashed.data, hashed.len, hash);
		assert_memory_equal(id, hash, 4);
		check_ok("add", note_add_line(&bytes, NOTE_NEW_KEY, id, buf_slice(&sig), &f), &f);
		check_ok("parse", note_parse(buf_slice(&bytes), 1, &n, &f), &f);
		assert_true(note_sig_holds_spki(&n, &n.sigs[0], &key));
		n.sigs[0].sig[n.sigs[0].sig_len / 2] ^= 1;
		assert_false(note_sig_holds_spki(&n, &n.sigs[0], &key));
		n.sigs[0].sig[n.sigs[0].sig_len / 2] ^= 1;
		n.sigs[0].key_id[3] ^= 1;
		assert_false(note_sig_holds_spki(&n, &n.sigs[0], &key));
		n.sigs[0].key_id[3] ^= 1;
		n.text = slice_str("b\n");
		assert_false(note_sig_holds_spki(&n, &n.sigs[0], &key));
	}
}

static void test_subscriber_name(void **state)
{
	static const uint8_t id[20] = {0x1f, 0xab};
	char name[NOTE_MAX_NAME + 1];

	(void)state;
	assert_string_equal(note_subscriber_name(id, "74C2008800000AE9", name),
			    "sub:1fab000000000000000000000000000000000000:74C2008800000AE9");
	assert_int_equal(strlen(note_subscriber_name(id, "0123456789ABCDEF0123456789ABCDEF01234567", name)), 85);
	assert_int_equal(note_kind(slice_str("no newline")).n, 0);
	assert_int_equal(note_kind(slice_of(NULL, 0)).n, 0);
}

static void check_one_form(const struct note *n, struct slice bytes)
{
	_cleanup_buf_ struct buf again = {0};
	struct fault f = {0};

	note_begin(n->text, &again);
	for (size_t i = 0; i < n->n_sigs; i++) {
		const struct note_sig *s = &n->sigs[i];

		check_ok("again", note_add_line(&again, s->name, s->key_id, slice_of(s->sig, s->sig_len), &f), &f);
	}
	assert_true(slice_eq(buf_slice(&again), bytes));
}

static void test_every_changed_byte(void **state)
{
	struct keypair k[2] = {keypair_of(1), keypair_of(2)};
	_cleanup_buf_ struct buf bytes = {0};
	struct fault f = {0};

	(void)state;
	note_begin(slice_str("hufu/x/v1\na: 擎\n"), &bytes);
	check_ok("alice", note_sign_ed25519(&bytes, "alice", k[0].secret, &f), &f);
	check_ok("bob", note_sign_ed25519(&bytes, "bob", k[1].secret, &f), &f);
	for (size_t at = 0; at < bytes.len; at++) {
		uint8_t good = bytes.data[at];

		for (unsigned v = 0; v < 256; v++) {
			_cleanup_(note_done) struct note n = {0};

			bytes.data[at] = (uint8_t)v;
			if (v == good || note_parse(buf_slice(&bytes), 1, &n, NULL) != OK)
				continue;
			check_one_form(&n, buf_slice(&bytes));
			assert_false(n.n_sigs == 2 && note_sig_holds_ed25519(&n, &n.sigs[0], k[0].public_key) &&
				     note_sig_holds_ed25519(&n, &n.sigs[1], k[1].public_key));
		}
		bytes.data[at] = good;
	}
}

static void test_every_truncation(void **state)
{
	static const char text[] = PETER;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct note note = {0};

		assert_int_equal(note_parse(slice_of(text, n), 1, &note, NULL), ERR_PARSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_line_moved_to_another_text),
		cmocka_unit_test(test_bad_vkeys),
		cmocka_unit_test(test_malformed_notes),
		cmocka_unit_test(test_well_formed_notes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_a_signature_too_long_is_not_decoded),
		cmocka_unit_test(test_sign_and_verify),
		cmocka_unit_test(test_not_a_note_is_not_signed),
		cmocka_unit_test(test_keys_of_subscribers),
		cmocka_unit_test(test_subscriber_name),
		cmocka_unit_test(test_every_changed_byte),
		cmocka_unit_test(test_every_truncation),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}

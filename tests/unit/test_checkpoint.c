/*
 * Checkpoints: one spelling, one signature, one origin.
 */
#include "tests/unit/note_kit.h"

#include "common/note/checkpoint.h"

static const uint8_t ca[20] = {0x1f, 0x2e};

static struct log_key key_of(struct keypair k)
{
	struct log_key key;
	log_origin(ca, key.origin);
	memcpy(key.key, k.public_key, sizeof(key.key));
	return key;
}

static char *signed_checkpoint(uint64_t size, struct keypair k)
{
	_cleanup_buf_ struct buf note = {0};
	struct checkpoint c = {.size = size, .root = {7, 8, 9}};
	struct fault f = {0};
	log_origin(ca, c.origin);
	check_ok("sign", checkpoint_sign(&c, note_signer_of(k.secret), &note, &f), &f);
	return buf_take(&note, NULL);
}

static void test_what_is_signed_opens(void **state)
{
	struct keypair k = keypair_of(1);
	struct log_key key = key_of(k);
	_cleanup_(freep) char *note = signed_checkpoint(4711, k);
	struct checkpoint c;
	struct fault f = {0};

	(void)state;
	check_ok("open", checkpoint_open(slice_str(note), &key, &c, &f), &f);
	assert_int_equal(c.size, 4711);
	assert_int_equal(c.root[2], 9);
	assert_string_equal(c.origin, "hufu/log/1f2e000000000000000000000000000000000000");
	assert_memory_equal(note, "hufu/log/1f2e000000000000000000000000000000000000\n4711\nBwgJ", 59);
}

static void test_verifier_keys(void **state)
{
	struct keypair k = keypair_of(1);
	struct log_key key = key_of(k), found;
	_cleanup_buf_ struct buf good = {0}, other = {0};
	struct fault f = {0};

	(void)state;
	note_vkey_put(key.origin, k.public_key, &good);
	check_ok("vkey", log_key_parse(buf_slice(&good), &found, &f), &f);
	assert_memory_equal(&found, &key, sizeof(key));
	buf_char(&good, '\n');
	check_ok("vkey with newline", log_key_parse(buf_slice(&good), &found, &f), &f);
	note_vkey_put("hufu/log/1f2e", k.public_key, &other);
	check_refused("short origin", log_key_parse(buf_slice(&other), &found, &f), &f, ERR_PARSE, "log_origin");
	buf_clear(&other);
	note_vkey_put("alice", k.public_key, &other);
	check_refused("a person", log_key_parse(buf_slice(&other), &found, &f), &f, ERR_PARSE, "log_origin");
}

static void test_other_logs(void **state)
{
	struct keypair k = keypair_of(1), thief = keypair_of(2);
	struct log_key key = key_of(k), elsewhere = key;
	_cleanup_(freep) char *forged = signed_checkpoint(5, thief), *good = signed_checkpoint(5, k);
	_cleanup_buf_ struct buf twice = {0};
	struct checkpoint c;
	struct fault f = {0};

	(void)state;
	check_refused("another key", checkpoint_open(slice_str(forged), &key, &c, &f), &f, ERR_CRYPTO, "log_signature");
	elsewhere.origin[sizeof(CHECKPOINT_ORIGIN)] = 'a';
	check_refused("another origin", checkpoint_open(slice_str(good), &elsewhere, &c, &f), &f, ERR_RULE,
		      "log_origin");
	buf_str(&twice, good);
	check_ok("second line", note_sign_ed25519(&twice, "witness", thief.secret, &f), &f);
	check_refused("two lines", checkpoint_open(buf_slice(&twice), &key, &c, &f), &f, ERR_RULE, "signer_unknown");
}

static void test_malformed_texts(void **state)
{
#define ORIGIN "hufu/log/1f2e000000000000000000000000000000000000\n"
#define ROOT "BwgJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	static const struct {
		const char *text, *rule;
	} cases[] = {
		{"", "checkpoint_form"},
		{ORIGIN, "checkpoint_form"},
		{ORIGIN "5\n", "checkpoint_form"},
		{ORIGIN "5\n" ROOT "more\n", "checkpoint_form"},
		{ORIGIN "05\n" ROOT, "checkpoint_form"},
		{ORIGIN "-5\n" ROOT, "checkpoint_form"},
		{ORIGIN " 5\n" ROOT, "checkpoint_form"},
		{ORIGIN "9223372036854775808\n" ROOT, "checkpoint_form"},
		{ORIGIN "5\nBwgJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", "checkpoint_form"},
		{ORIGIN "5\nBwgJ\n", "checkpoint_form"},
		{"hufu/log/1F2e000000000000000000000000000000000000\n5\n" ROOT, "log_origin"},
		{"hufu/tally/v1\n5\n" ROOT, "log_origin"},
	};
	struct checkpoint c;
	struct fault f = {0};

	(void)state;
	check_ok("good", checkpoint_parse(slice_str(ORIGIN "5\n" ROOT), &c, &f), &f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_refused(cases[i].text, checkpoint_parse(slice_str(cases[i].text), &c, &f), &f, ERR_PARSE,
			      cases[i].rule);
}

static void test_every_changed_byte(void **state)
{
	struct keypair k = keypair_of(1);
	struct log_key key = key_of(k);
	_cleanup_(freep) char *note = signed_checkpoint(300, k);
	struct checkpoint c;
	struct fault f;

	(void)state;
	for (size_t i = 0; note[i]; i++) {
		note[i] ^= 1;
		assert_int_not_equal(checkpoint_open(slice_of(note, strlen(note)), &key, &c, &f), OK);
		note[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_signed_opens), cmocka_unit_test(test_verifier_keys),
		cmocka_unit_test(test_other_logs),	     cmocka_unit_test(test_malformed_texts),
		cmocka_unit_test(test_every_changed_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The manifest of a backup: read strictly, signed by the log it names, and no path in it leads out of the tree; the plain
 * text of the private files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/note/backup.h"
#include "common/note/person.h"

#include <string.h>

static struct person_key key;

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: found %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

static void fill(struct backup *b)
{
	static const char *const paths[] = {"private.sealed", "files/etc/hufu/ca.yaml", "ledger.db"};
	struct fault f = {0};
	uint8_t hash[32] = {7};
	*b = (struct backup){.ca = {1}, .root = {2}, .made = 1795392000, .entries = 17, .state = "var/lib/hufu-ca"};
	log_origin(b->ca, b->log.origin);
	memcpy(b->log.key, key.public_key, ED25519_KEY);
	for (size_t i = 0; i < 3; i++)
		must(paths[i], backup_add(b, paths[i], 0600, hash, &f), &f);
}

static void signed_one(struct buf *ret)
{
	_cleanup_(backup_done) struct backup b = {0};
	struct fault f = {0};
	fill(&b);
	must("sign", backup_sign(&b, note_signer_of(key.secret.p), ret, &f), &f);
}

static void what_is_signed_opens(void **state)
{
	_cleanup_(backup_done) struct backup b = {0};
	_cleanup_buf_ struct buf note = {0};
	struct fault f = {0};
	(void)state;
	signed_one(&note);
	must("open", backup_open(buf_slice(&note), NULL, &b, &f), &f);
	assert_int_equal(b.entries, 17);
	assert_int_equal(b.n_files, 3);
	assert_string_equal(b.files[0].path, "files/etc/hufu/ca.yaml"); /* sorted */
	assert_int_equal(backup_find(&b, BACKUP_LEDGER)->mode, 0600);
	assert_null(backup_find(&b, "nothing"));
}

static void every_changed_byte(void **state)
{
	_cleanup_buf_ struct buf note = {0};
	(void)state;
	signed_one(&note);
	for (size_t i = 0; i < note.len; i++) {
		_cleanup_(backup_done) struct backup b = {0};
		note.data[i] ^= 1;
		if (backup_open(buf_slice(&note), NULL, &b, NULL) == OK)
			fail_msg("byte %zu of %zu was changed, and nobody minded", i, note.len);
		note.data[i] ^= 1;
	}
}

static void another_log(void **state)
{
	_cleanup_(person_key_done) struct person_key thief = {0};
	_cleanup_(backup_done) struct backup b = {0}, c = {0};
	_cleanup_buf_ struct buf note = {0}, forged = {0};
	struct fault f = {0};
	(void)state;
	signed_one(&note);
	must("key", person_key_generate("thief", &thief, &f), &f);
	struct log_key trusted = {0};
	log_origin((const uint8_t[20]){1}, trusted.origin);
	memcpy(trusted.key, thief.public_key, ED25519_KEY);
	assert_int_equal(backup_open(buf_slice(&note), &trusted, &b, &f), ERR_RULE);
	assert_string_equal(f.rule, "log_origin");
	/* It names the right key, and is signed by another. */
	_cleanup_(backup_done) struct backup mine = {0};
	fill(&mine);
	must("sign", backup_sign(&mine, note_signer_of(thief.secret.p), &forged, &f), &f);
	assert_int_equal(backup_open(buf_slice(&forged), NULL, &c, &f), ERR_CRYPTO);
	assert_string_equal(f.rule, "log_signature");
}

static void paths(void **state)
{
	static const struct {
		const char *path;
		bool good;
	} rows[] = {
		{"a", true},
		{"etc/hufu/ca.yaml", true},
		{"a/..b/c", true},
		{"", false},
		{"/etc/passwd", false},
		{"..", false},
		{"a/../../b", false},
		{"a/..", false},
		{"./a", false},
		{"a//b", false},
		{"a/", false},
		{"a b", false},
		{"a\nb", false},
		{"\xe8\x99\x8e", false},
		{"a\\b", false},
	};
	_cleanup_(freep) char *longest = xcalloc(1, BACKUP_PATH + 1);
	struct backup b = {0};
	struct fault f = {0};
	uint8_t hash[32] = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (backup_path_valid(slice_str(rows[i].path)) != rows[i].good)
			fail_msg("\"%s\"", rows[i].path);
	memset(longest, 'a', BACKUP_PATH);
	assert_false(backup_path_valid(slice_str(longest)));
	assert_int_equal(backup_add(&b, "../x", 0600, hash, &f), ERR_CONFIG);
	for (size_t i = 0; i < BACKUP_MAX_FILES; i++)
		must("add", backup_add(&b, "x", 0600, hash, &f), &f);
	assert_int_equal(backup_add(&b, "x", 0600, hash, &f), ERR_LIMIT);
	backup_done(&b);
}

static enum err count(void *arg, const char *path, unsigned mode, struct slice bytes, struct fault *f)
{
	size_t *n = arg;
	(void)f;
	*n += 1;
	assert_true(*n == 1 ? strcmp(path, "a/log.key") == 0 && mode == 0600 && bytes.n == 6
			    : strcmp(path, "b") == 0 && mode == 0640 && bytes.n == 0);
	return OK;
}

static void private_files(void **state)
{
	static const char *const bad[] = {
		"0600 7 a\nsecret",  "0600 x a\nsecret", "600 6 a\nsecret",  "0600 6 ../a\nsecret", "0600 6 a",
		"0600  6 a\nsecret", "0608 6 a\nsecret", "1600 6 a\nsecret", "0600 -1 a\nsecret",   "\n",
	};
	_cleanup_buf_ struct buf b = {0};
	struct fault f = {0};
	size_t n = 0;
	(void)state;
	backup_private_put(&b, "a/log.key", 0600, slice_str("a\n\nkey"));
	backup_private_put(&b, "b", 0640, (struct slice){0});
	must("each", backup_private_each(buf_slice(&b), count, &n, &f), &f);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (backup_private_each(slice_str(bad[i]), count, &(size_t){0}, &f) != ERR_PARSE)
			fail_msg("\"%s\"", bad[i]);
}

static int set_up(void **state)
{
	(void)state;
	return person_key_generate("log", &key, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	person_key_done(&key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_opens), cmocka_unit_test(every_changed_byte),
		cmocka_unit_test(another_log),		cmocka_unit_test(paths),
		cmocka_unit_test(private_files),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * What lies beside the outputs of a ceremony when it begins: a folder as a run leaves it that was cut off while it wrote, and one that somebody
 * laid there or altered; links in the places of outputs; another ceremony that is under way. What is not of this file's run is put nowhere, and
 * nothing that is not the ceremony's is removed.
 */
#include "tests/unit/ceremony_kit.h"

#include <fcntl.h>
#include <sys/file.h>

/* Its outputs are all text. */
#define FILE_TEXT                                                                                                      \
	"kind: log-key\nname: r2\nca: issuing.crt\noutputs: {key: a.key, public: a.vkey, transcript: a.note}\n"
#define OTHER_TEXT FILE_TEXT "# other\n"

static const char *const places[] = {"a.key", "a.vkey", "a.note"};
static char *kept[3]; /* what a run made */

static void hash_of(const char *text, char ret[65])
{
	uint8_t digest[32];
	sha256(text, strlen(text), digest);
	hex_lower(digest, 32, ret);
}

static void remove_at(const char *name)
{
	_cleanup_(freep) char *path = kit_path(name);
	nftw(path, kit_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void clear(void)
{
	for (size_t i = 0; i < 3; i++)
		remove_at(places[i]);
	remove_at(".ceremony-r2");
}

static bool none_there(void)
{
	return !kit_exists("a.key") && !kit_exists("a.vkey") && !kit_exists("a.note");
}

static void stage_folder(void)
{
	_cleanup_(freep) char *path = kit_path(".ceremony-r2");
	clear();
	assert_int_equal(mkdir(path, 0700), 0);
}

/* The folder as the run of FILE_TEXT left it, with other bytes at alter (0 to 2; 3: none) and "ready" as given. */
static void stage(size_t alter, const char *bytes, const char *ready)
{
	stage_folder();
	for (size_t i = 0; i < 3; i++) {
		_cleanup_(freep) char *name = xasprintf(".ceremony-r2/%zu", i + 1);
		kit_write(name, i == alter ? bytes : kept[i]);
	}
	kit_write(".ceremony-r2/ready", ready);
}

/* Gives: free(). */
static char *ready_of(const char *file, const char *key_mode, const char *key_path, const char *const v[3],
		      const char *tail)
{
	char hash[65], h[3][65];
	hash_of(file, hash);
	for (size_t i = 0; i < 3; i++)
		hash_of(v[i], h[i]);
	return xasprintf(
		"hufu/ceremony-ready/v1\nfile: %s\noutput: %s %s %s\noutput: 644 %s a.vkey\noutput: 644 %s a.note\n%s",
		hash, key_mode, h[0], key_path, h[1], h[2], tail);
}

static void check_stage(const char *what, const char *says)
{
	struct fault f;
	check_refused(what, kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f, ERR_CONFLICT, f.rule);
	if (!strstr(f.text, says))
		fail_msg("%s: wanted \"%s\" in: %s", what, says, f.text);
	assert_true(none_there());
	assert_true(kit_exists(".ceremony-r2")); /* for whoever looks into it */
}

/* A transcript of the same form that others signed. Gives: free(). */
static char *forged(const char *from, const char *name)
{
	_cleanup_(person_key_done) struct person_key k = {0};
	_cleanup_buf_ struct buf text = {0}, vkey = {0}, note = {0};
	struct fault f = {0};
	const char *line = strstr(from, "\noperator: ") + 1, *after = strchr(line, '\n'),
		   *end = strstr(from, "\n\n") + 1;
	check_ok("key", person_key_generate(name, &k, &f), &f);
	note_vkey_put(name, k.public_key, &vkey);
	buf_add(&text, from, (size_t)(line - from));
	buf_fmt(&text, "operator: %s", buf_text(&vkey));
	buf_add(&text, after, (size_t)(end - after));
	note_begin(buf_slice(&text), &note);
	check_ok("sign", note_sign_ed25519(&note, name, k.secret.p, &f), &f);
	return xstrdup(buf_text(&note));
}

static void test_finished_as_it_was(void **state)
{
	_cleanup_(freep) char *ready = ready_of(FILE_TEXT, "600", "a.key", (const char *const *)kept, "");
	struct fault f;
	(void)state;
	stage(3, NULL, ready);
	check_refused("check", kit_ceremony(KIT_CHECK, FILE_TEXT, &f), &f, ERR_CONFLICT, "ceremony_unfinished");
	check_ok("finished", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_buf_ struct buf b = {0};
		kit_read(places[i], &b);
		assert_string_equal(buf_text(&b), kept[i]);
	}
	assert_false(kit_exists(".ceremony-r2"));
}

/* Nothing that the ceremony's file does not ask for is put anywhere, and nothing that its transcript does not vouch for. */
static void test_laid_there_or_altered(void **state)
{
	_cleanup_(
		freep) char *good = ready_of(FILE_TEXT, "600", "a.key", (const char *const *)kept, ""),
			    *other = ready_of(OTHER_TEXT, "600", "a.key", (const char *const *)kept, ""),
			    *elsewhere = ready_of(FILE_TEXT, "600", "/tmp/hufu-planted", (const char *const *)kept, ""),
			    *open_key = ready_of(FILE_TEXT, "644", "a.key", (const char *const *)kept, ""),
			    *more = ready_of(
				    FILE_TEXT, "600", "a.key", (const char *const *)kept,
				    "output: 644 0000000000000000000000000000000000000000000000000000000000000000 x\n"),
			    *mine = forged(kept[2], "operator");
	const char *const swapped[3] = {"mine", kept[1], kept[2]}, *const words[3] = {kept[0], kept[1], "a transcript"};
	_cleanup_(freep) char *with_key = ready_of(FILE_TEXT, "600", "a.key", swapped, ""),
			      *no_note = ready_of(FILE_TEXT, "600", "a.key", words, "");
	struct fault f;
	(void)state;
	stage(3, NULL, other);
	check_stage("another file's", "from another file");
	stage(3, NULL, elsewhere);
	check_stage("a place that the file does not name", "does not hold the outputs that the file names");
	stage(3, NULL, open_key);
	check_stage("a key for everybody", "a key would be open to others");
	stage(3, NULL, more);
	check_stage("one output more", "more than the outputs");
	stage(0, "mine", with_key);
	check_stage("a key of somebody's own", "another hash of an output");
	stage(0, "mine", good);
	check_stage("a key that was altered since", "was altered since");
	stage(2, "a transcript", good);
	check_stage("a transcript that was altered since", "its transcript was altered");
	stage(2, "a transcript", no_note);
	check_refused("no transcript at all", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f, ERR_PARSE, f.rule);
	assert_true(none_there());
	stage(3, NULL, "ready");
	check_refused("no ready at all", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f, ERR_PARSE, f.rule);
	assert_true(none_there());
	/* Somebody signed another's transcript anew; here the ceremony's file names its operator. */
	_cleanup_buf_ struct buf vkey = {0};
	_cleanup_(person_key_done) struct person_key k = {0};
	_cleanup_(freep) char *op = kit_path("operator.key");
	check_ok("operator", person_key_load(op, NULL, &k, &f), &f);
	note_vkey_put("operator", k.public_key, &vkey);
	_cleanup_(freep) char *named = xasprintf(FILE_TEXT "operator: %s\n", buf_text(&vkey));
	char old[65], new[65];
	hash_of(FILE_TEXT, old);
	hash_of(named, new);
	memcpy(strstr(mine, old), new, 64);
	_cleanup_(freep) char *again = forged(mine, "operator");
	const char *const theirs[3] = {kept[0], kept[1], again};
	_cleanup_(freep) char *signed_anew = ready_of(named, "600", "a.key", theirs, "");
	stage(2, again, signed_anew);
	check_refused("another operator's", kit_ceremony(KIT_RUN, named, &f), &f, ERR_CONFLICT, "ceremony_stage");
	assert_non_null(strstr(f.text, "not by the operator whom the file names"));
	assert_true(none_there());
	_cleanup_(freep) char *altered = xstrdup(kept[2]);
	char *line = altered + strlen(altered) - 20;
	*line = *line == 'A' ? 'B' : 'A';
	const char *const broken[3] = {kept[0], kept[1], altered};
	_cleanup_(freep) char *with_broken = ready_of(FILE_TEXT, "600", "a.key", broken, "");
	stage(2, altered, with_broken);
	check_stage("a line that does not hold", "not signed by its operator");
	clear();
}

/* A link by the folder's name leads to files that no ceremony made. */
static void test_a_link_for_a_folder(void **state)
{
	_cleanup_(freep) char *link = kit_path(".ceremony-r2"), *theirs = kit_path("theirs");
	struct fault f;
	(void)state;
	clear();
	assert_int_equal(mkdir(theirs, 0700), 0);
	kit_write("theirs/precious", "precious");
	assert_int_equal(symlink(theirs, link), 0);
	check_refused("run", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f, ERR_CONFLICT, "ceremony_stage");
	check_refused("check", kit_ceremony(KIT_CHECK, FILE_TEXT, &f), &f, ERR_CONFLICT, "ceremony_stage");
	assert_true(kit_exists("theirs/precious"));
	assert_int_equal(unlink(link), 0);
}

/* Links in places of outputs are there, wherever they lead; found before a key is made. */
static void test_links_for_outputs(void **state)
{
	_cleanup_(freep) char *place = kit_path("a.vkey"),
			      *ready = ready_of(FILE_TEXT, "600", "a.key", (const char *const *)kept, "");
	struct fault f;
	(void)state;
	for (int dangling = 0; dangling < 2; dangling++) {
		clear();
		assert_int_equal(symlink(dangling ? "/nowhere/at/all" : "issuing.crt", place), 0);
		check_refused("check", kit_ceremony(KIT_CHECK, FILE_TEXT, &f), &f, ERR_CONFLICT,
			      "ceremony_output_exists");
		assert_non_null(strstr(f.text, "ceremony.yaml:4:"));
		check_refused("run", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f, ERR_CONFLICT, "ceremony_output_exists");
		assert_false(kit_exists("a.key") || kit_exists(".ceremony-r2"));
	}
	/* One to the very bytes: whoever has its other end could change them later. */
	stage(3, NULL, ready);
	kit_write("theirs.vkey", kept[1]);
	assert_int_equal(symlink("theirs.vkey", place), 0);
	check_refused("to the same bytes", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f, ERR_CONFLICT,
		      "ceremony_output_exists");
	assert_int_equal(unlink(place), 0);
	check_ok("finished", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f);
	clear();
}

static void test_two_at_once(void **state)
{
	struct fault f;
	int fd = open(kit_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)state;
	clear();
	assert_int_equal(flock(fd, LOCK_EX), 0);
	check_refused("run", kit_ceremony(KIT_RUN, FILE_TEXT, &f), &f, ERR_CONFLICT, "ceremony_running");
	check_refused("check", kit_ceremony(KIT_CHECK, FILE_TEXT, &f), &f, ERR_CONFLICT, "ceremony_running");
	assert_true(none_there() && !kit_exists(".ceremony-r2"));
	close(fd);
	check_ok("check", kit_ceremony(KIT_CHECK, FILE_TEXT, &f), &f);
}

static void test_a_rehearsal_twice(void **state)
{
	struct fault f;
	(void)state;
	clear();
	remove_at("rehearsal");
	check_ok("once", kit_ceremony(KIT_REHEARSE, FILE_TEXT, &f), &f);
	check_refused("twice", kit_ceremony(KIT_REHEARSE, FILE_TEXT, &f), &f, ERR_CONFIG, "ceremony_output_exists");
	remove_at("rehearsal");
}

static int setup(void **state)
{
	if (kit_setup(state) != 0)
		return -1;
	kit_run("r2", FILE_TEXT);
	for (size_t i = 0; i < 3; i++) {
		struct buf b = {0};
		kit_read(places[i], &b);
		kept[i] = buf_take(&b, NULL);
	}
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < 3; i++)
		free(kept[i]);
	return kit_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finished_as_it_was),  cmocka_unit_test(test_laid_there_or_altered),
		cmocka_unit_test(test_a_link_for_a_folder), cmocka_unit_test(test_links_for_outputs),
		cmocka_unit_test(test_two_at_once),	    cmocka_unit_test(test_a_rehearsal_twice),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

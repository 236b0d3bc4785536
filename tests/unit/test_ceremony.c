/*
 * Ceremonies run whole in a folder of their own: the shipped files, every algorithm, the transcript held against what
 * was written; files that say too much or too little; and failures after which nothing is left.
 */
#include "tests/unit/ca_kit.h"

#include "ca/ceremony.h"
#include "ca/crl.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/person.h"
#include "common/note/transcript.h"

#include <dirent.h>
#include <libgen.h>
#include <sys/stat.h>

static char folder[] = "/tmp/hufu-ceremony-XXXXXX";
static struct secret passphrase, other_passphrase;
static struct person_key operator_key;

static char *path_of(const char *name)
{
	return path_join(folder, name);
}

static void write_file(const char *name, const char *text)
{
	struct fault f = {0};
	_cleanup_(freep) char *path = path_of(name);
	check_ok(name, file_write(path, slice_str(text), 0644, &f), &f);
}

static void read_path(const char *name, struct buf *ret)
{
	struct fault f = {0};
	_cleanup_(freep) char *path = path_of(name);
	check_ok(name, file_read(path, 1u << 20, ret, &f), &f);
}

static bool exists(const char *name)
{
	_cleanup_(freep) char *path = path_of(name);
	return file_exists(path);
}

static void remove_files(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *path = path_of(names[i]);
		unlink(path);
	}
}

static const char *const outputs[] = {"root.crt",    "root.key",    "root.note",    "root.crl",
				      "issuing.crt", "issuing.key", "issuing.note", "issuing.crl"};
static void remove_outputs(void)
{
	remove_files(outputs, sizeof(outputs) / sizeof(outputs[0]));
}

static enum err run_file(const char *file, const char *key, const struct secret *own, const struct secret *issuers,
			 struct fault *f)
{
	return ceremony_run(&(struct ceremony_options){.file = file,
						       .dir = folder,
						       .operator_key = key,
						       .passphrase = own,
						       .issuer_passphrase = issuers,
						       .yes = true},
			    f);
}

/* Runs a text as a ceremony file. */
static enum err run_text(const char *text, const struct secret *own, const struct secret *issuers, struct fault *f)
{
	_cleanup_(freep) char *file = path_of("ceremony.yaml"), *key = path_of("operator.key");
	write_file("ceremony.yaml", text);
	return run_file(file, key, own, issuers, f);
}

static void read_cert(const char *name, struct buf *der, struct cert *ret)
{
	_cleanup_buf_ struct buf pem = {0};
	struct fault f = {0};
	read_path(name, &pem);
	check_ok(name, pem_or_der(buf_slice(&pem), "CERTIFICATE", der, &f), &f);
	check_ok(name, cert_parse(buf_slice(der), ret, &f), &f);
}

#define SUBJECT(cn)                                                                                                    \
	"subject:\n  - {attribute: C, value: CN}\n  - {attribute: O, value: 虎符}\n  - {attribute: CN, value: " cn "}" \
	"\n"
#define OUTPUTS(name) "outputs: {certificate: " name ".crt, key: " name ".key, transcript: " name ".note"
#define ROOT_HEAD "kind: root\nname: root\n" SUBJECT("Root CA")
#define MIDDLE_HEAD "kind: intermediate\nname: issuing\n" SUBJECT("Issuing CA")
#define ISSUER "issuer: {certificate: root.crt, key: root.key}\n"
#define P256 "key: {algorithm: p256}\n"
#define UNTIL(year) "validity: {not_before: 2026-01-01T00:00:00Z, not_after: " year "-01-01T00:00:00Z}\n"
#define CRL(number, until) "crl: {number: " number ", this_update: 2026-11-01T00:00:00Z, next_update: " until "}\n"
#define ROOT_TAIL OUTPUTS("root") "}\n"
#define MIDDLE_TAIL ISSUER OUTPUTS("issuing") "}\n"

/* The note is the operator's, its lines in order, and each output's hash that of the file. */
static void check_transcript(const char *name, const char *kind_line, size_t n_outputs)
{
	struct transcript *t = xcalloc(1, sizeof(*t));
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(note_done) struct note note = {0};
	struct fault f = {0};
	size_t found = 0;
	read_path(name, &bytes);
	check_ok("note", note_parse(buf_slice(&bytes), 1, &note, &f), &f);
	assert_int_equal(note.n_sigs, 1);
	assert_string_equal(note.sigs[0].name, "operator");
	assert_true(note_sig_holds_ed25519(&note, &note.sigs[0], operator_key.public_key));
	_cleanup_(freep) char *text = slice_dup_str(note.text);
	check_ok("transcript", transcript_parse(note.text, t, &f), &f);
	assert_int_equal(t->n_outputs, n_outputs);
	transcript_done(t);
	free(t);
	assert_int_equal(strncmp(text, "hufu/transcript/v1\n", 19), 0);
	assert_non_null(strstr(text, kind_line));
	for (char *line = text; (line = strstr(line, "\noutput: ")); found++) {
		char what[40], path[200], hash[65], wanted[65];
		uint8_t digest[32];
		_cleanup_buf_ struct buf file = {0};
		line++;
		assert_int_equal(sscanf(line, "output: %39s %64s %199[^\n]", what, hash, path), 3);
		read_path(path, &file);
		sha256(file.data, file.len, digest);
		hex_lower(digest, 32, wanted);
		assert_string_equal(hash, wanted);
	}
	assert_int_equal(found, n_outputs);
	bytes.data[30] ^= 1;
	note_done(&note);
	if (note_parse(buf_slice(&bytes), 1, &note, &f) == OK)
		assert_false(note_sig_holds_ed25519(&note, &note.sigs[0], operator_key.public_key));
}

static void check_hash_line(const char *note_name, const char *field, const char *path)
{
	_cleanup_buf_ struct buf note = {0}, file = {0}, line = {0};
	uint8_t digest[32];
	struct fault f = {0};
	read_path(note_name, &note);
	check_ok(path, file_read(path, 1u << 30, &file, &f), &f);
	sha256(file.data, file.len, digest);
	buf_fmt(&line, "\n%s: ", field);
	buf_hex(&line, digest, 32);
	buf_char(&line, '\n');
	assert_non_null(strstr(buf_text(&note), buf_text(&line)));
}

/* Root and intermediate, then the chain and the root's CRL as libcrypto's strict verifier sees them. */
static void two_levels(const char *root_key, const char *key_line, enum key_alg alg)
{
	_cleanup_(freep) char *root_text = xasprintf(ROOT_HEAD "%s" UNTIL("2046") "path_len: 1\n" ROOT_TAIL, root_key);
	_cleanup_(freep) char *middle_text =
		xasprintf(MIDDLE_HEAD
			  "%s" UNTIL("2036") "path_len: 0\npolicy: 2.999.1.1\n"
					     "crl_url: http://pki.example.test/crl/{issuer}/0.crl\n"
					     "ca_issuers_url: http://pki.example.test/ca/{issuer}.crt\n" ISSUER OUTPUTS(
						     "issuing") ", crl: root.crl}\n" CRL("1", "2027-10-01T00:00:00Z"),
			  key_line);
	_cleanup_buf_ struct buf root_der = {0}, der = {0}, crl_der = {0};
	_cleanup_(cert_done) struct cert root = {0}, cert = {0};
	_cleanup_(ca_key_freep) struct ca_key *opened = NULL;
	_cleanup_(freep) char *key_path = path_of("issuing.key"), *yaml = path_of("ceremony.yaml");
	struct fault f = {0};
	struct crl crl;
	check_ok("root", run_text(root_text, &passphrase, NULL, &f), &f);
	check_transcript("root.note", "\nkind: root\n", 2);
	check_ok("issuing", run_text(middle_text, &other_passphrase, &passphrase, &f), &f);
	check_transcript("issuing.note", "\nkind: intermediate\n", 3);
	check_hash_line("issuing.note", "file", yaml);
	check_hash_line("issuing.note", "program", "/proc/self/exe");
	read_cert("root.crt", &root_der, &root);
	read_cert("issuing.crt", &der, &cert);
	check_ok("open", ca_key_open(key_path, &cert, &other_passphrase, &opened, &f), &f);
	check_ok("verify", cert_verify_by(&cert, &root, &f), &f);
	assert_int_equal(cert.key.alg, alg);
	assert_int_equal(root.path_len, 1);
	assert_int_equal(cert.path_len, 0);
	assert_int_equal(cert.not_after, INT64_C(2082758400));
	read_path("root.crl", &crl_der);
	check_ok("crl", crl_parse(buf_slice(&crl_der), &crl, &f), &f);
	check_ok("crl", crl_verify_by(&crl, &root, &f), &f);
	assert_true(slice_eq(crl.number, slice_of("\x01", 1)));
	const unsigned char *p = crl_der.data;
	/* libcrypto cannot be told the id of an SM2 CRL. */
	_cleanup_(x509_crl_freep) X509_CRL *x = alg == KEY_SM2 ? NULL : d2i_X509_CRL(NULL, &p, (long)crl_der.len);
	assert_int_equal(kit_verify(buf_slice(&der), (struct slice){0}, buf_slice(&root_der), x, clock_now()),
			 X509_V_OK);
	remove_outputs();
}

#define RSA "key: {algorithm: rsa, bits: 2048}\n"
#define P384 "key: {algorithm: p384}\n"
#define ED25519 "key: {algorithm: ed25519}\n"
#define SM2 "key: {algorithm: sm2}\n"

static void test_each_algorithm(void **state)
{
	(void)state;
	two_levels(P256, RSA, KEY_RSA);
	two_levels(ED25519, P384, KEY_P384);
	two_levels(SM2, SM2, KEY_SM2);
}

/* One passphrase opens the issuer's key too, when only one is given; absolute dates stand as written; a root makes its
 * own CRL. */
static void test_one_passphrase_and_absolute_dates(void **state)
{
	_cleanup_buf_ struct buf der = {0}, crl_der = {0};
	_cleanup_(cert_done) struct cert root = {0};
	struct fault f = {0};
	struct crl crl;
	struct stat st;
	(void)state;
	check_ok("root",
		 run_text(ROOT_HEAD P256
			  "validity: {not_before: 2026-01-01T00:00:00Z, not_after: 2050-12-31T23:59:59Z}\n" OUTPUTS(
				  "root") ", crl: root.crl}\n" CRL("1", "2026-12-01T00:00:00Z"),
			  &passphrase, NULL, &f),
		 &f);
	read_cert("root.crt", &der, &root);
	assert_int_equal(root.not_before, INT64_C(1767225600));
	assert_int_equal(root.not_after, INT64_C(2556143999));
	assert_int_equal(root.path_len, -1);
	read_path("root.crl", &crl_der);
	check_ok("crl", crl_parse(buf_slice(&crl_der), &crl, &f), &f);
	check_ok("crl", crl_verify_by(&crl, &root, &f), &f);
	assert_int_equal(crl.next_update - crl.this_update, 30 * DAY);
	check_ok("issuing", run_text(MIDDLE_HEAD P256 UNTIL("2031") MIDDLE_TAIL, &passphrase, NULL, &f), &f);
	_cleanup_(freep) char *key = path_of("issuing.key"), *cert = path_of("issuing.crt");
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(cert, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	remove_outputs();
}

/* The files that `hufu init` copies. The test runs in the build folder, to which __FILE__ is relative. */
static void test_shipped_files(void **state)
{
	static const char *const folders[] = {"etc", "etc/hufu", "etc/hufu/ceremonies", "var/lib/hufu-ca"};
	static const char *const files[] = {"etc/hufu/root.crt",
					    "etc/hufu/issuing.crt",
					    "etc/hufu/root.crl",
					    "etc/hufu/ceremonies/root.note",
					    "etc/hufu/ceremonies/issuing.note",
					    "var/lib/hufu-ca/root.key",
					    "var/lib/hufu-ca/issuing.key"};
	static const char *const made[] = {"etc/hufu/ceremonies", "etc/hufu", "etc",
					   "var/lib/hufu-ca",	  "var/lib",  "var"};
	_cleanup_(freep) char *here = xstrdup(__FILE__), *key = path_of("operator.key");
	const char *dir = dirname(here);
	struct fault f = {0};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		_cleanup_(freep) char *path = path_of(folders[i]);
		check_ok(path, dir_make(path, 0700, &f), &f);
	}
	static const char *const names[] = {"root", "issuing"};
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *file = xasprintf("%s/../../policies/ceremonies/%s.yaml", dir, names[i]);
		check_ok(file, run_file(file, key, &passphrase, NULL, &f), &f);
	}
	check_transcript("etc/hufu/ceremonies/issuing.note", "\nceremony: issuing\n", 3);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_true(exists(files[i]));
	remove_files(files, sizeof(files) / sizeof(files[0]));
	for (size_t i = 0; i < 6; i++) {
		_cleanup_(freep) char *path = path_of(made[i]);
		assert_int_equal(rmdir(path), 0);
	}
}

static void test_operator(void **state)
{
	_cleanup_(freep) char *file = path_of("ceremony.yaml"), *key = path_of("operator.key"), *text = NULL;
	_cleanup_(person_key_done) struct person_key other = {0};
	_cleanup_buf_ struct buf own = {0}, others = {0};
	struct fault f = {0};
	(void)state;
	write_file("ceremony.yaml", ROOT_HEAD P256 UNTIL("2035") ROOT_TAIL);
	check_refused("nowhere", run_file(file, NULL, &passphrase, NULL, &f), &f, ERR_CONFIG, "ceremony_operator");
	check_ok("other", person_key_generate("operator", &other, &f), &f);
	note_vkey_put("operator", other.public_key, &others);
	note_vkey_put("operator", operator_key.public_key, &own);
	text = xasprintf(ROOT_HEAD "operator: %s\n" P256 UNTIL("2035") ROOT_TAIL, buf_text(&others));
	write_file("ceremony.yaml", text);
	check_refused("another", run_file(file, key, &passphrase, NULL, &f), &f, ERR_CONFIG, "ceremony_operator");
	free(text);
	text = xasprintf(ROOT_HEAD "operator: %s\n" P256 UNTIL("2035") ROOT_TAIL, buf_text(&own));
	write_file("ceremony.yaml", text);
	check_ok("the file's", run_file(file, key, &passphrase, NULL, &f), &f);
	check_transcript("root.note", "\noperator: operator+", 2);
	remove_outputs();
}

static void test_outputs_that_exist(void **state)
{
	static const char *const names[] = {"root.crt", "root.key", "root.note"};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fault f = {0};
		_cleanup_buf_ struct buf kept = {0};
		write_file(names[i], "mine");
		check_refused(names[i], run_text(ROOT_HEAD P256 UNTIL("2035") ROOT_TAIL, &passphrase, NULL, &f), &f,
			      ERR_CONFLICT, "ceremony_output_exists");
		read_path(names[i], &kept);
		assert_string_equal(buf_text(&kept), "mine");
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(exists(names[j]), i == j);
		remove_outputs();
	}
}

/* Each fails in a step, at its own depth, and leaves the folder as it was: setup()'s rmdir is the judge of that too. */
static void test_failures_leave_nothing(void **state)
{
	static const struct {
		const char *what, *text;
		bool wrong_passphrase;
		enum err kind;
		const char *rule;
	} cases[] = {
		{"wrong passphrase of the issuer", MIDDLE_HEAD P256 "path_len: 0\n" UNTIL("2031") MIDDLE_TAIL, true,
		 ERR_CRYPTO, "sealed_open"},
		{"the issuer's key is not there",
		 MIDDLE_HEAD P256 "path_len: 0\n" UNTIL(
			 "2031") "issuer: {certificate: root.crt, key: none.key}\n" OUTPUTS("issuing") "}\n",
		 false, ERR_NOT_FOUND, "file_missing"},
		{"the issuer's key is another file",
		 MIDDLE_HEAD P256 "path_len: 0\n" UNTIL(
			 "2031") "issuer: {certificate: root.crt, key: operator.key}\n" OUTPUTS("issuing") "}\n",
		 false, ERR_CRYPTO, "sealed_form"},
	};
	struct fault f = {0};
	(void)state;
	check_ok("root", run_text(ROOT_HEAD P256 UNTIL("2036") "path_len: 1\n" ROOT_TAIL, &passphrase, NULL, &f), &f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum err e =
			run_text(cases[i].text, &passphrase, cases[i].wrong_passphrase ? &other_passphrase : NULL, &f);
		check_refused(cases[i].what, e, &f, cases[i].kind, cases[i].rule ? cases[i].rule : f.rule);
		for (size_t j = 4; j < sizeof(outputs) / sizeof(outputs[0]); j++)
			assert_false(exists(outputs[j]));
		assert_false(exists(".ceremony-issuing"));
	}
	remove_outputs();
}

static void secret_set(struct secret *s, const char *text)
{
	secret_alloc(s, strlen(text));
	memcpy(s->p, text, strlen(text));
}

static int setup(void **state)
{
	struct fault f = {0};
	(void)state;
	secret_set(&passphrase, "correct horse");
	secret_set(&other_passphrase, "battery staple");
	clock_set(NOW);
	if (!mkdtemp(folder) || person_key_generate("operator", &operator_key, &f) != OK)
		return -1;
	_cleanup_(freep) char *key = path_of("operator.key");
	return person_key_save(&operator_key, key, NULL, &f) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"ceremony.yaml", "operator.key"};
	(void)state;
	remove_outputs();
	remove_files(names, 2);
	person_key_done(&operator_key);
	secret_done(&passphrase);
	secret_done(&other_passphrase);
	return rmdir(folder); /* fails when a test left something behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_algorithm),	   cmocka_unit_test(test_one_passphrase_and_absolute_dates),
		cmocka_unit_test(test_shipped_files),	   cmocka_unit_test(test_operator),
		cmocka_unit_test(test_outputs_that_exist), cmocka_unit_test(test_failures_leave_nothing),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

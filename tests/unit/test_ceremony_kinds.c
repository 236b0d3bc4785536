/*
 * Each kind of ceremony run once, in the order of a CA's life, and what came out read by others' eyes: the roster and the policy are taken
 * as the signer takes them, the CRLs carry on, the rolled CA stands under the same root. Each is checked and rehearsed before, and a
 * rehearsal leaves nothing that holds.
 */
#include "tests/unit/ceremony_kit.h"

#include "common/note/checkpoint.h"
#include "common/note/custody.h"
#include "common/note/roster.h"
#include "common/note/statement.h"
#include "common/pki/sign.h"

/* Checked, rehearsed, run. */
static void all_ways(const char *what, const char *text)
{
	struct fault f;
	check_ok(what, kit_ceremony(KIT_CHECK, text, &f), &f);
	check_ok(what, kit_ceremony(KIT_REHEARSE, text, &f), &f);
	kit_run(what, text);
}

static void load_note(const char *name, struct buf *bytes, struct note *ret)
{
	struct fault f = {0};
	kit_read(name, bytes);
	check_ok(name, note_parse(buf_slice(bytes), 1, ret, &f), &f);
}

static void load_roster(const char *name, struct buf *bytes, struct note *n, struct roster *ret)
{
	struct fault f = {0};
	load_note(name, bytes, n);
	check_ok(name, roster_parse(n->text, ret, &f), &f);
}

static void test_responder(void **state)
{
	_cleanup_buf_ struct buf pem = {0}, public = {0}, der = {0};
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_(pubkey_done) struct pubkey half = {0};
	_cleanup_(freep) char *path = kit_path("ocsp-1.key");
	struct fault f = {0};
	struct stat st;
	(void)state;
	all_ways("responder", "kind: responder\nname: ocsp-1\n" P256
			      "outputs: {key: ocsp-1.key, public: ocsp-1.pub, transcript: ocsp-1.note}\n");
	kit_read("ocsp-1.key", &pem);
	kit_read("ocsp-1.pub", &public);
	check_ok("key", privkey_from_pem(buf_slice(&pem), NULL, &key, &f), &f);
	check_ok("public", privkey_public(key, &half, &f), &f);
	check_ok("pem", pem_or_der(buf_slice(&public), "PUBLIC KEY", &der, &f), &f);
	assert_true(slice_eq(buf_slice(&der), slice_of(half.spki, half.spki_len)));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_log_key(void **state)
{
	_cleanup_(person_key_done) struct person_key key = {0};
	_cleanup_(freep) char *path = kit_path("log.key");
	_cleanup_buf_ struct buf vkey = {0};
	struct log_key public = {0};
	struct fault f = {0};
	(void)state;
	all_ways("log-key", "kind: log-key\nname: log\nca: issuing.crt\noutputs: {key: log.key, public: log.vkey, "
			    "transcript: log.note}\n");
	check_ok("key", person_key_load(path, NULL, &key, &f), &f);
	kit_read("log.vkey", &vkey);
	check_ok("vkey", log_key_parse(buf_slice(&vkey), &public, &f), &f);
	assert_memory_equal(public.key, key.public_key, 32);
}

/* The first roster vouches for itself; the next is judged by it. The rehearsed note does not hold for anybody's key. */
static void test_rosters(void **state)
{
	_cleanup_(freep) char *members = kit_members(true), *text = NULL;
	_cleanup_buf_ struct buf a = {0}, b = {0}, c = {0};
	_cleanup_(note_done) struct note first = {0}, second = {0}, rehearsed = {0};
	_cleanup_(roster_done) struct roster one = {0}, two = {0};
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert issuing = {0};
	struct fault f = {0};
	(void)state;
	kit_roster(false);
	load_roster("roster.note", &a, &first, &one);
	kit_cert("issuing.crt", &der, &issuing);
	check_ok("first", roster_follows(&one, NULL, issuing.key.key_id, &f), &f);
	check_ok("first", roster_quorum(&one, &first, "roster", &f), &f);
	text = xasprintf("kind: roster\nname: roster-2\nca: issuing.crt\n" MADE "signers: [alice, bob]\nquorum: 2\n%s"
			 "  - {role: responder, name: ocsp-1, public: ocsp-1.pub}\n"
			 "previous: roster.note\noutputs: {note: roster-2.note, transcript: roster-2-t.note}\n",
			 members);
	all_ways("second", text);
	load_roster("roster-2.note", &b, &second, &two);
	check_ok("second", roster_follows(&two, &one, issuing.key.key_id, &f), &f);
	check_ok("second", roster_quorum(&one, &second, "roster", &f), &f);
	assert_int_equal(two.n_members, 8);
	assert_int_equal(roster_by_name(&two, "ocsp-1")->role, ROLE_RESPONDER);
	load_note("rehearsal/roster-2.note", &c, &rehearsed);
	assert_true(slice_eq(rehearsed.text, second.text));
	assert_int_equal(roster_quorum(&one, &rehearsed, "roster", &f), ERR_CRYPTO);
}

static void test_policy(void **state)
{
	_cleanup_(freep) char *text = xasprintf("kind: policy\nname: policy\nca: issuing.crt\n" MADE
						"signers: [alice, bob]\nroster: roster.note\n"
						"bundle: %s\noutputs: {note: policy.note, transcript: policy-t.note}\n",
						POLICIES_DIR);
	_cleanup_buf_ struct buf a = {0}, b = {0};
	_cleanup_(note_done) struct note note = {0}, by = {0};
	_cleanup_(roster_done) struct roster roster = {0};
	_cleanup_(policy_note_done) struct policy_note policy = {0};
	struct fault f = {0};
	(void)state;
	all_ways("policy", text);
	load_roster("roster.note", &a, &by, &roster);
	load_note("policy.note", &b, &note);
	check_ok("policy", policy_note_parse(note.text, &policy, &f), &f);
	check_ok("policy", roster_quorum(&roster, &note, "policy", &f), &f);
	assert_true(policy.n_files > 0 && policy.version == 1);
}

static void test_shares(void **state)
{
	_cleanup_buf_ struct buf a = {0};
	_cleanup_(note_done) struct note note = {0};
	struct custody_order o;
	struct fault f = {0};
	(void)state;
	all_ways("shares", "kind: shares\nname: shares\nca: issuing.crt\n" MADE
			   "signers: [alice, bob]\nroster: roster-2.note\nthreshold: 2\n"
			   "custodians: [liam, kate, mona]\noutputs: {note: order.note, transcript: shares-t.note}\n");
	load_note("order.note", &a, &note);
	check_ok("order", custody_order_parse(note.text, &o, &f), &f);
	assert_int_equal(o.threshold, 2);
	assert_string_equal(o.names[0], "kate");
	assert_false(o.has_previous);
}

static void check_crl(const char *name, uint8_t number, size_t entries)
{
	_cleanup_buf_ struct buf root_der = {0}, der = {0};
	_cleanup_(cert_done) struct cert root = {0};
	_cleanup_(freep) struct crl_item *items = NULL;
	struct fault f = {0};
	struct crl crl;
	size_t n = 0;
	kit_cert("root.crt", &root_der, &root);
	kit_read(name, &der);
	check_ok(name, crl_parse(buf_slice(&der), &crl, &f), &f);
	check_ok(name, crl_verify_by(&crl, &root, &f), &f);
	assert_true(slice_eq(crl.number, slice_of(&number, 1)));
	check_ok(name, crl_items(&crl, 10, &items, &n, &f), &f);
	assert_int_equal(n, entries);
	assert_int_equal(crl.next_update, INT64_C(1822348800));
}

/* A new issuing CA, and then the old one is revoked; the CRL after that has it still. */
static void test_rollover_and_revocation(void **state)
{
	static const char rollover[] =
		"kind: rollover\nname: roll\n" SUBJECT("Issuing CA 2") P256 "path_len: 0\n" UNTIL("2040") ISSUER
		"replaces: issuing.crt\n" APPROVAL
		"outputs: {certificate: issuing-2.crt, key: issuing-2.key, transcript: roll.note}\n";
	static const char revoke[] = "kind: revoke-ca\nname: revoke\n" ISSUER APPROVAL CRL(
		"2", "2027-10-01T00:00:00Z") "previous_crl: root.crl\n"
					     "revoke: [{certificate: issuing.crt, reason: superseded, when: "
					     "2026-11-01T00:00:00Z}]\n"
					     "outputs: {crl: root-2.crl, transcript: revoke.note}\n";
	static const char crl[] = "kind: crl\nname: crl\n" ISSUER CRL(
		"3", "2027-10-01T00:00:00Z") "previous_crl: root-2.crl\n"
					     "outputs: {crl: root-3.crl, transcript: crl.note}\n";
	_cleanup_buf_ struct buf root_der = {0}, der = {0};
	_cleanup_(cert_done) struct cert root = {0}, cert = {0};
	struct fault f = {0};
	(void)state;
	kit_approve(rollover);
	all_ways("rollover", rollover);
	kit_cert("root.crt", &root_der, &root);
	kit_cert("issuing-2.crt", &der, &cert);
	check_ok("rollover", cert_verify_by(&cert, &root, &f), &f);
	kit_approve(revoke);
	all_ways("revoke", revoke);
	check_crl("root-2.crl", 2, 1);
	all_ways("crl", crl);
	check_crl("root-3.crl", 3, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responder), cmocka_unit_test(test_log_key),
		cmocka_unit_test(test_rosters),	  cmocka_unit_test(test_policy),
		cmocka_unit_test(test_shares),	  cmocka_unit_test(test_rollover_and_revocation),
	};
	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}

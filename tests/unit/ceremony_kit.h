/*
 * What the tests of ceremonies share: a folder with people, a root and an issuing CA that were made by ceremonies, and a roster with its
 * officers. Everything is made at NOW.
 */
#ifndef HUFU_TEST_CEREMONY_KIT_H
#define HUFU_TEST_CEREMONY_KIT_H

#include "tests/unit/ca_kit.h"

#include "ca/ceremony.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/person.h"
#include "common/note/transcript.h"

#include <ftw.h>
#include <sys/stat.h>

#define SUBJECT(cn) "subject: [{attribute: C, value: CN}, {attribute: CN, value: " cn "}]\n"
#define P256 "key: {algorithm: p256}\n"
#define UNTIL(year) "validity: {not_before: 2026-01-01T00:00:00Z, not_after: " year "-01-01T00:00:00Z}\n"
#define ISSUER "issuer: {certificate: root.crt, key: root.key}\n"
#define CRL(number, until) "crl: {number: " number ", this_update: 2026-11-01T00:00:00Z, next_update: " until "}\n"
#define MADE "made: 2026-11-20T00:00:00Z\n"
#define APPROVAL "approval: {note: ok.note, roster: roster.note}\n"

static char kit_folder[] = "/tmp/hufu-ceremony-XXXXXX";
static struct secret kit_pass;
/* "key: VKEY" of people by name, for rosters. */
enum { ALICE, BOB, KATE, LIAM, MONA, RA, SIGNER, PEOPLE };
static const char *const kit_names[PEOPLE] = {"alice", "bob", "kate", "liam", "mona", "ra-1", "unlock"};
static char *kit_vkeys[PEOPLE];

static inline char *kit_path(const char *name)
{
	return path_join(kit_folder, name);
}

static inline void kit_write(const char *name, const char *text)
{
	struct fault f = {0};
	_cleanup_(freep) char *path = kit_path(name);
	check_ok(name, file_write(path, slice_str(text), 0644, &f), &f);
}

static inline void kit_read(const char *name, struct buf *ret)
{
	struct fault f = {0};
	_cleanup_(freep) char *path = kit_path(name);
	check_ok(name, file_read(path, 1u << 20, ret, &f), &f);
}

static inline bool kit_exists(const char *name)
{
	_cleanup_(freep) char *path = kit_path(name);
	return file_exists(path);
}

enum kit_way { KIT_CHECK, KIT_REHEARSE, KIT_RUN };
static inline enum err kit_ceremony(enum kit_way way, const char *text, struct fault *f)
{
	_cleanup_(freep) char *file = kit_path("ceremony.yaml"), *op = kit_path("operator.key"), *alice = kit_path("alice.key"),
			      *bob = kit_path("bob.key"), *into = kit_path("rehearsal"), *made = NULL;
	const char *const officers[] = {alice, bob};
	struct ceremony_options o = {.file = file,
				     .dir = kit_folder,
				     .into = into,
				     .operator_key = op,
				     .officer_keys = officers,
				     .n_officer_keys = strstr(text, "signers:") ? 2 : 0,
				     .passphrase = &kit_pass,
				     .yes = true};
	*f = (struct fault){0};
	kit_write("ceremony.yaml", text);
	return way == KIT_CHECK ? ceremony_check(&o, f) : way == KIT_RUN ? ceremony_run(&o, f) : ceremony_rehearse(&o, &made, f);
}

static inline void kit_run(const char *what, const char *text)
{
	struct fault f;
	check_ok(what, kit_ceremony(KIT_RUN, text, &f), &f);
}

static inline void kit_cert(const char *name, struct buf *der, struct cert *ret)
{
	_cleanup_buf_ struct buf pem = {0};
	struct fault f = {0};
	kit_read(name, &pem);
	check_ok(name, pem_or_der(buf_slice(&pem), "CERTIFICATE", der, &f), &f);
	check_ok(name, cert_parse(buf_slice(der), ret, &f), &f);
}

/* The members of the kit's roster, as a ceremony file has them. Gives: free(). */
static inline char *kit_members(bool custodians)
{
	return custodians ? xasprintf("members:\n  - {role: officer, key: %s}\n  - {role: officer, key: %s}\n  - {role: ra, key: %s}\n"
				      "  - {role: custodian, key: %s}\n  - {role: custodian, key: %s}\n  - {role: custodian, key: %s}\n  - {role: signer, key: %s}\n",
				      kit_vkeys[ALICE], kit_vkeys[BOB], kit_vkeys[RA], kit_vkeys[KATE], kit_vkeys[LIAM], kit_vkeys[MONA], kit_vkeys[SIGNER])
			  : xasprintf("members:\n  - {role: officer, key: %s}\n  - {role: officer, key: %s}\n  - {role: ra, key: %s}\n",
				      kit_vkeys[ALICE], kit_vkeys[BOB], kit_vkeys[RA]);
}

#define ROSTER_HEAD "kind: roster\nname: roster\nca: issuing.crt\n" MADE "signers: [alice, bob]\nquorum: 2\n"

static inline void kit_roster(bool custodians)
{
	_cleanup_(freep) char *members = kit_members(custodians),
			      *text = xasprintf(ROSTER_HEAD "%soutputs: {note: roster.note, transcript: roster-t.note}\n", members);
	kit_run("roster", text);
}

/* The officers approve the ceremony file as it stands: ok.note. */
static inline void kit_approve(const char *text)
{
	_cleanup_(freep) char *file = kit_path("ceremony.yaml"), *to = kit_path("ok.note");
	_cleanup_buf_ struct buf order = {0}, note = {0};
	struct fault f = {0};
	kit_write("ceremony.yaml", text);
	check_ok("order", ceremony_order(&(struct ceremony_options){.file = file, .dir = kit_folder}, &order, &f), &f);
	note_begin(buf_slice(&order), &note);
	for (int i = ALICE; i <= BOB; i++) {
		_cleanup_(person_key_done) struct person_key k = {0};
		_cleanup_(freep) char *name = xasprintf("%s.key", kit_names[i]), *path = kit_path(name);
		check_ok(name, person_key_load(path, NULL, &k, &f), &f);
		check_ok(name, note_sign_ed25519(&note, k.name, k.secret.p, &f), &f);
	}
	check_ok("approval", file_write(to, buf_slice(&note), 0644, &f), &f);
}

static inline void kit_person(const char *name, char **ret_vkey)
{
	_cleanup_(person_key_done) struct person_key k = {0};
	_cleanup_(freep) char *file = xasprintf("%s.key", name), *path = kit_path(file);
	struct buf vkey = {0};
	struct fault f = {0};
	check_ok(name, person_key_generate(name, &k, &f), &f);
	check_ok(name, person_key_save(&k, path, NULL, &f), &f);
	note_vkey_put(name, k.public_key, &vkey);
	*ret_vkey = buf_take(&vkey, NULL);
}

static inline int kit_setup(void **state)
{
	char *op = NULL;
	(void)state;
	clock_set(NOW);
	secret_alloc(&kit_pass, 13);
	memcpy(kit_pass.p, "correct horse", 13);
	if (!mkdtemp(kit_folder))
		return -1;
	kit_person("operator", &op);
	free(op);
	for (int i = 0; i < PEOPLE; i++)
		kit_person(kit_names[i], &kit_vkeys[i]);
	kit_run("root", "kind: root\nname: root\n" SUBJECT("Root CA") P256 UNTIL("2046") "path_len: 1\n"
			"outputs: {certificate: root.crt, key: root.key, transcript: root.note}\n");
	kit_run("issuing", "kind: intermediate\nname: issuing\n" SUBJECT("Issuing CA") P256 UNTIL("2036") "path_len: 0\n" ISSUER CRL(
				   "1", "2027-10-01T00:00:00Z") "outputs: {certificate: issuing.crt, key: issuing.key, crl: root.crl, transcript: issuing.note}\n");
	return 0;
}

static inline int kit_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline int kit_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < PEOPLE; i++)
		free(kit_vkeys[i]);
	secret_done(&kit_pass);
	return nftw(kit_folder, kit_remove, 8, FTW_DEPTH | FTW_PHYS);
}

#endif

/*
 * The attacker: holds the RA's key, its database and its socket, and everything that ever passed through them (so real
 * signatures to replay), and in one case officers who were talked into signing. Notes are made here and sent by a
 * process that runs as the RA's Unix user.
 */
#include "tools/hufu/demo_attack.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/roster.h"
#include "common/pki/csr.h"
#include "common/pki/sign.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/setup.h"

#include <openssl/crypto.h>
#include <string.h>

#define ATTACK_DIR "attack"

static void attack_done(struct attack *a)
{
	tally_done(&a->tally);
	note_done(&a->note);
	buf_done(&a->bytes);
	person_key_done(&a->ra);
}

enum err attack_load(struct attack *a, const char *name, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(a->d->out, name);
	tally_done(&a->tally);
	note_done(&a->note);
	buf_clear(&a->bytes);
	TRY(file_read(path, NOTE_MAX_BYTES, &a->bytes, f));
	TRY(note_parse(buf_slice(&a->bytes), 1, &a->note, f));
	return tally_parse(a->note.text, &a->tally, f);
}

static enum err attack_file(const struct attack *a, const char *name, struct slice bytes, struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("%s/" ATTACK_DIR "/%s", a->d->dir, name);
	return file_write_new(path, bytes, 0644, f);
}

/* A tally that lives now, under a fresh id unless kept. */
void attack_freshen(struct tally *t, bool new_id)
{
	if (new_id)
		random_fill(t->id, sizeof t->id);
	t->made = clock_now();
	t->dies = t->made + 3600;
}

/* --- signature lines --- */

enum err attack_by_ra(struct attack *a, struct buf *note, struct fault *f)
{
	return note_sign_ed25519(note, a->ra.name, a->ra.secret.p, f);
}

enum err attack_by_officer(struct attack *a, const char *name, struct buf *note, struct fault *f)
{
	_cleanup_(person_key_done) struct person_key k = {0};
	_cleanup_(freep) char *path = setup_person_path(a->d->dir, name);
	TRY(person_key_load(path, NULL, &k, f));
	return note_sign_ed25519(note, k.name, k.secret.p, f);
}

/* The attacker's own Ed25519 key under an officer's name, with the officer's real key id in front: a forged half. */
enum err attack_by_forger(struct attack *a, const char *name, struct buf *note, struct slice text, struct fault *f)
{
	_cleanup_(person_key_done) struct person_key mine = {0}, real = {0};
	_cleanup_(freep) char *path = setup_person_path(a->d->dir, name);
	_cleanup_buf_ struct buf own = {0};
	_cleanup_(note_done) struct note n = {0};
	uint8_t key_id[4];
	TRY(person_key_generate(name, &mine, f));
	TRY(person_key_load(path, NULL, &real, f));
	note_key_id_ed25519(name, real.public_key, key_id);
	note_begin(text, &own);
	TRY(note_sign_ed25519(&own, name, mine.secret.p, f));
	TRY(note_parse(buf_slice(&own), 1, &n, f));
	return note_add_line(note, name, key_id, slice_of(n.sigs[0].sig, n.sigs[0].sig_len), f);
}

enum err attack_by_subscriber(struct attack *a, const char *key_file, struct slice text, struct buf *note,
			      struct fault *f)
{
	_cleanup_(freep) char *path = path_join(a->d->old, key_file), *line = NULL;
	char name[NOTE_MAX_NAME + 1];
	note_subscriber_name(a->tally.predecessor.issuer_key_id, SERIAL(&a->tally.predecessor.serial), name);
	TRY(line_by_pem(text, name, path, &line, f));
	buf_str(note, line);
	return OK;
}

/* Takes a real line of the note that was taken over. */
static enum err real_line(struct attack *a, const char *name, struct buf *note, struct fault *f)
{
	for (size_t i = 0; i < a->note.n_sigs; i++) {
		const struct note_sig *s = &a->note.sigs[i];
		if (strncmp(s->name, name, strlen(name)) == 0)
			return note_add_line(note, s->name, s->key_id, slice_of(s->sig, s->sig_len), f);
	}
	return fault_raise(f, ERR_NOT_FOUND, "demo", "demo", "no line of %s to replay", name);
}

/* --- the attacks --- */

enum err attack_begin(struct attack *a, struct buf *text, struct buf *note)
{
	tally_put(&a->tally, text);
	note_begin(buf_slice(text), note);
	return OK;
}

/* A real request on the live certificate: the change, now from the certificate that it made, back to the old name. */
enum err attack_target(struct attack *a, struct fault *f)
{
	_cleanup_(name_done) struct name before = {0}, after = {0};
	TRY(attack_load(a, "changed.note", f));
	TRY(tally_subject_after(&a->tally, &before, f));
	for (size_t i = 0; i < before.n; i++) {
		const char *word = before.attrs[i].type->word, *value = before.attrs[i].value;
		if (strcmp(word, "O") == 0 || strcmp(word, "CN") == 0)
			value = "攻击者想要的名称";
		TRY(name_add(&after, before.attrs[i].type, value, strlen(value), f));
	}
	TRY(tally_set_subject(&a->tally, &before, &after, f));
	if (!serial_parse(a->d->changed_serial, strlen(a->d->changed_serial), &a->tally.predecessor.serial))
		return fault_raise(f, ERR_INTERNAL, "demo", "demo", "serial");
	memcpy(a->tally.predecessor.issuer_key_id, a->tally.ca, sizeof a->tally.ca);
	a->tally.add_months = 0;
	a->tally.order[0] = '\0';
	attack_freshen(&a->tally, true);
	return OK;
}

static enum err attack_forged_officer(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	(void)csr;
	TRY(attack_target(a, f));
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_subscriber(a, "legacy.key", buf_slice(&text), note, f));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_forger(a, "bob", note, buf_slice(&text), f));
	return attack_by_ra(a, note, f);
}

static enum err attack_forged_subscriber(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	(void)csr;
	TRY(attack_target(a, f));
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_subscriber(a, "other.key", buf_slice(&text), note, f));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_officer(a, "bob", note, f));
	return attack_by_ra(a, note, f);
}

/* The whole note that was taken, under its id, with another text: what the replay of an id would be worth. */
static enum err attack_replay_id(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	(void)csr;
	TRY(attack_load(a, "changed.note", f));
	a->tally.dies--;
	TRY(attack_begin(a, &text, note));
	TRY(real_line(a, "sub:", note, f));
	TRY(real_line(a, "alice", note, f));
	TRY(real_line(a, "bob", note, f));
	return attack_by_ra(a, note, f);
}

/* The note as it was taken, to the byte: the answer is the certificate that exists already, and no other. */
static enum err attack_replay_whole(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	(void)csr;
	TRY(attack_load(a, "changed.note", f));
	buf_add_slice(note, buf_slice(&a->bytes));
	return OK;
}

/* Real signatures of the extension, moved onto a tally that asks for more months. */
static enum err attack_wider_validity(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	(void)csr;
	TRY(attack_target(a, f));
	a->tally.add_months = 36;
	a->tally.latest += 36LL * 31 * 86400;
	snprintf(a->tally.order, sizeof a->tally.order, "stolen");
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_subscriber(a, "legacy.key", buf_slice(&text), note, f));
	/* The officers had signed 0 months; the attacker moves a later, wider text under their lines. */
	_cleanup_buf_ struct buf narrow = {0}, narrow_note = {0};
	_cleanup_(note_done) struct note signed_note = {0};
	a->tally.add_months = 0;
	tally_put(&a->tally, &narrow);
	note_begin(buf_slice(&narrow), &narrow_note);
	TRY(attack_by_officer(a, "alice", &narrow_note, f));
	TRY(attack_by_officer(a, "bob", &narrow_note, f));
	TRY(note_parse(buf_slice(&narrow_note), 2, &signed_note, f));
	for (size_t i = 0; i < signed_note.n_sigs; i++) {
		const struct note_sig *s = &signed_note.sigs[i];
		TRY(note_add_line(note, s->name, s->key_id, slice_of(s->sig, s->sig_len), f));
	}
	return attack_by_ra(a, note, f);
}

/* Everything is signed for one new key; the request carries another. */
static enum err attack_swapped_key(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *theirs = NULL, *mine = NULL;
	_cleanup_(pubkey_done) struct pubkey pub = {0};
	_cleanup_buf_ struct buf text = {0}, sig = {0}, name_der = {0};
	_cleanup_(name_done) struct name subject = {0};
	uint8_t key_id[4];
	TRY(attack_target(a, f));
	TRY(privkey_generate(KEY_P256, 0, &theirs, f));
	TRY(privkey_generate(KEY_P256, 0, &mine, f));
	TRY(privkey_public(theirs, &pub, f));
	a->tally.key_is_new = true;
	memcpy(a->tally.key_sha256, pub.spki_sha256, 32);
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_subscriber(a, "legacy.key", buf_slice(&text), note, f));
	TRY(privkey_sign(theirs, KEY_P256, buf_slice(&text), &sig, f));
	note_key_id_spki(NOTE_NEW_KEY, &pub, key_id);
	TRY(note_add_line(note, NOTE_NEW_KEY, key_id, buf_slice(&sig), f));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_officer(a, "bob", note, f));
	TRY(attack_by_ra(a, note, f));
	TRY(tally_subject_after(&a->tally, &subject, f));
	name_put(&subject, &name_der);
	return csr_make(mine, buf_slice(&name_der), csr, f);
}

/* A policy of the attacker's own that asks for no officer at all. */
static enum err attack_own_policy(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	(void)csr;
	TRY(attack_target(a, f));
	random_fill(a->tally.policy, sizeof a->tally.policy);
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_subscriber(a, "legacy.key", buf_slice(&text), note, f));
	return attack_by_ra(a, note, f);
}

/* Two officers were talked into it and the subscriber takes part: still not somebody else's code. */
static enum err attack_other_code(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(name_done) struct name before = {0}, after = {0};
	_cleanup_buf_ struct buf text = {0};
	(void)csr;
	TRY(attack_target(a, f));
	TRY(tally_subject_before(&a->tally, &before, f));
	for (size_t i = 0; i < before.n; i++) {
		const char *word = before.attrs[i].type->word, *value = before.attrs[i].value;
		if (strcmp(word, "organizationIdentifier") == 0)
			value = DEMO_OTHER_CODE;
		TRY(name_add(&after, before.attrs[i].type, value, strlen(value), f));
	}
	TRY(tally_set_subject(&a->tally, &before, &after, f));
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_subscriber(a, "legacy.key", buf_slice(&text), note, f));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_officer(a, "bob", note, f));
	return attack_by_ra(a, note, f);
}

static const struct attack_row attack_rows[] = {
	{"1-forged-officer", "a forged officer's half", attack_forged_officer},
	{"2-forged-subscriber", "a forged subscriber's half", attack_forged_subscriber},
	{"3-replay", "a tally replayed to the byte", attack_replay_whole, true},
	{"4-replay-id", "a taken id with another text", attack_replay_id},
	{"5-wider-validity", "officers' lines moved to a wider validity", attack_wider_validity},
	{"6-swapped-key", "another key than the one that was signed for", attack_swapped_key},
	{"7-own-policy", "a policy of its own that asks for no officer", attack_own_policy},
	{"8-other-code", "somebody else's code, with officers who were deceived", attack_other_code},
	{"9-reissue-forged", "a key of its own by reissue, one officer of three forged", attack_reissue_forged, false},
	{"10-reissue-short", "the same, one officer of three left out", attack_reissue_short, false},
	{"11-reissue-swapped", "another key than the one that three officers have seen", attack_reissue_swapped, false},
	{"12-reissue-dead", "a reissue of a certificate that has been replaced", attack_reissue_dead, false},
	{"13-enrol-forged", "a first certificate, one officer of two forged", attack_enrol_forged, false},
	{"14-enrol-code", "a first certificate for a code that lives elsewhere", attack_enrol_code, false},
	{"15-release-other", "a release that names another hold", attack_release_other, false},
	{"16-withdrawn", "a withdrawn tally is brought by the RA", attack_withdrawn, false},
	{"17-responder", "another key asks to be a responder", attack_responder, false},
};
#define N_ATTACKS (sizeof attack_rows / sizeof attack_rows[0])

static enum err make_attack(struct attack *a, const struct attack_row *row, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, csr = {0};
	_cleanup_(freep) char *name = xasprintf("%s.note", row->file), *csr_name = xasprintf("%s.csr", row->file);
	TRY(row->make(a, &note, &csr, f));
	TRY(attack_file(a, name, buf_slice(&note), f));
	return csr.len ? attack_file(a, csr_name, buf_slice(&csr), f) : OK;
}

/* --- sending, as the RA's user --- */

static enum err send_one(struct rpc_client *signer, const char *dir, const struct attack_row *row, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, csr = {0}, request = {0}, reply = {0};
	_cleanup_(freep) char *note_path = xasprintf("%s/%s.note", dir, row->file),
			      *csr_path = xasprintf("%s/%s.csr", dir, row->file);
	struct fault refused = {0};
	TRY(file_read(note_path, NOTE_MAX_BYTES, &note, f));
	if (file_exists(csr_path))
		TRY(file_read(csr_path, CSR_MAX_BYTES, &csr, f));
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&note), .csr = buf_slice(&csr)}, &request);
	TRY(rpc_call(signer, buf_slice(&request), &reply, f));
	enum err e = wire_expect(buf_slice(&reply), WIRE_TYPE_DONE, NULL, &refused);
	struct wire_done done = {0};
	if (e == OK)
		TRY(wire_done_get(buf_slice(&reply), &done, f));
	if (e == OK && row->again && done.again) {
		demo_say("%-56s the certificate of before, no new one", row->what);
		return OK;
	}
	if (e == OK || row->again)
		return fault_raise(f, ERR_INTERNAL, "attack_taken", row->file,
				   "the signer answered otherwise than it must: %s", row->what);
	if (e == ERR_NET)
		return fault_raise(f, e, refused.rule, row->file, "%s", refused.text);
	demo_say("%-56s refused: %s", row->what, refused.rule);
	return OK;
}

int run_demo_send(struct cli *c, int argc, char **argv)
{
	struct fault f = {0};
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_setup, run_demo_send), rules, &argc, argv, 2, 2))
		return EXIT_CONFIG;
	_cleanup_(rpc_client_closep) struct rpc_client *signer = NULL;
	if (rpc_client_open(argv[1], 10000, WIRE_MAX_MESSAGE, &signer, &f) != OK)
		return cli_fail(c, &f);
	for (size_t i = 0; i < N_ATTACKS; i++)
		if (send_one(signer, argv[2], &attack_rows[i], &f) != OK)
			return cli_fail(c, &f);
	return EXIT_DONE;
}

static enum err issued_count(struct demo *d, uint64_t *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_health_is h = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(cli_operator(d->c, buf_slice(&request), WIRE_TYPE_HEALTH_IS, &reply, f));
	TRY(wire_health_is_get(buf_slice(&reply), &h, f));
	*ret = h.issued;
	return OK;
}

static enum err send_as_ra(struct demo *d, struct fault *f)
{
	_cleanup_(freep) char *socket = demo_path(d, "run/hufu/ca/ra.sock"), *dir = demo_path(d, ATTACK_DIR);
	const char *argv[] = {"/proc/self/exe", "demo-send", socket, dir, NULL};
	return process_run(&(struct process_spec){.argv = argv, .user = d->ra_user}, f);
}

enum err demo_attacks(struct demo *d, struct fault *f)
{
	_cleanup_(attack_done) struct attack a = {.d = d};
	_cleanup_(freep) char *ra = demo_path(d, "var/lib/hufu-ra/ra.key"), *dir = demo_path(d, ATTACK_DIR);
	uint64_t before = 0, after = 0;
	demo_step(d, "an attacker holds the RA's key, database and socket, and sends to the signer:");
	TRY(person_key_load(ra, NULL, &a.ra, f));
	TRY(dir_make(dir, 0755, f));
	for (size_t i = 0; i < N_ATTACKS; i++)
		TRY(make_attack(&a, &attack_rows[i], f));
	TRY(issued_count(d, &before, f));
	TRY(send_as_ra(d, f));
	TRY(issued_count(d, &after, f));
	if (before != after)
		return fault_raise(f, ERR_INTERNAL, "attack_taken", "demo",
				   "certificates before the attacks %llu, after %llu", (unsigned long long)before,
				   (unsigned long long)after);
	demo_say("certificates issued before and after: %llu", (unsigned long long)after);
	demo_took(d);
	return OK;
}

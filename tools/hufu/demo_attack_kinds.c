/*
 * Attacks by the other kinds. Most need no old key, so a captured desk would like them best: the new key's own proof is
 * the attacker's to give. What stands in the way are the officers, who have seen another key or none, the roster, and the
 * ledger.
 */
#include "common/pki/csr.h"
#include "common/pki/sign.h"
#include "tools/hufu/demo_attack.h"

#include <openssl/crypto.h>
#include <string.h>

static enum err serial_is(struct serial *ret, const char *text, struct fault *f)
{
	if (serial_parse(text, strlen(text), ret))
		return OK;
	return fault_raise(f, ERR_INTERNAL, "demo", "demo", "serial %s", text);
}

static enum err make_csr(EVP_PKEY *key, struct buf *csr, struct fault *f)
{
	return csr_make(key, slice_of("\x30\x00", 2), csr, f);
}

/* The note of a tally for that key, with its proof; officers and RA come after. */
static enum err begin_with_key(struct attack *a, EVP_PKEY *key, struct buf *text, struct buf *note, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey pub = {0};
	_cleanup_buf_ struct buf sig = {0};
	uint8_t key_id[4];
	TRY(privkey_public(key, &pub, f));
	memcpy(a->tally.key_sha256, pub.spki_sha256, 32);
	TRY(attack_begin(a, text, note));
	TRY(privkey_sign(key, KEY_P256, buf_slice(text), &sig, f));
	note_key_id_spki(NOTE_NEW_KEY, &pub, key_id);
	return note_add_line(note, NOTE_NEW_KEY, key_id, buf_slice(&sig), f);
}

/* --- reissue --- */

/* The real reissue's tally, for that organisation's live certificate of today. */
static enum err target_reissue(struct attack *a, struct fault *f)
{
	TRY(attack_load(a, "reissued.note", f));
	TRY(serial_is(&a->tally.predecessor.serial, a->d->rekeyed_serial, f));
	memcpy(a->tally.predecessor.issuer_key_id, a->tally.ca, sizeof a->tally.ca);
	attack_freshen(&a->tally, true);
	return OK;
}

/* With alice's and bob's real lines; carol's forged, or none. */
static enum err reissue(struct attack *a, bool forge, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *mine = NULL;
	_cleanup_buf_ struct buf text = {0};
	TRY(target_reissue(a, f));
	TRY(privkey_generate(KEY_P256, 0, &mine, f));
	TRY(begin_with_key(a, mine, &text, note, f));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_officer(a, "bob", note, f));
	if (forge)
		TRY(attack_by_forger(a, "carol", note, buf_slice(&text), f));
	TRY(attack_by_ra(a, note, f));
	return make_csr(mine, csr, f);
}

enum err attack_reissue_forged(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	return reissue(a, true, note, csr, f);
}

enum err attack_reissue_short(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	return reissue(a, false, note, csr, f);
}

static enum err by_three(struct attack *a, struct buf *note, struct fault *f)
{
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_officer(a, "bob", note, f));
	return attack_by_officer(a, "carol", note, f);
}

/* Three officers have typed the subscriber's characters and signed; the attacker brings a key of its own. */
enum err attack_reissue_swapped(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *theirs = NULL, *mine = NULL;
	_cleanup_buf_ struct buf text = {0};
	TRY(target_reissue(a, f));
	TRY(privkey_generate(KEY_P256, 0, &theirs, f));
	TRY(privkey_generate(KEY_P256, 0, &mine, f));
	TRY(begin_with_key(a, theirs, &text, note, f));
	TRY(by_three(a, note, f));
	TRY(attack_by_ra(a, note, f));
	return make_csr(mine, csr, f);
}

/* Everybody was deceived, but what is to be reissued ended with its own reissue. */
enum err attack_reissue_dead(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *mine = NULL;
	_cleanup_buf_ struct buf text = {0};
	TRY(attack_load(a, "reissued.note", f));
	attack_freshen(&a->tally, true);
	TRY(privkey_generate(KEY_P256, 0, &mine, f));
	TRY(begin_with_key(a, mine, &text, note, f));
	TRY(by_three(a, note, f));
	TRY(attack_by_ra(a, note, f));
	return make_csr(mine, csr, f);
}

/* --- enrol --- */

static enum err enrol_as(struct attack *a, const char *name, const char *code, struct fault *f)
{
	_cleanup_(name_done) struct name before = {0}, real = {0}, after = {0};
	TRY(attack_load(a, "enrolled.note", f));
	TRY(tally_subject_after(&a->tally, &real, f));
	for (size_t i = 0; i < real.n; i++) {
		const char *word = real.attrs[i].type->word, *value = real.attrs[i].value;
		if (strcmp(word, "O") == 0 || strcmp(word, "CN") == 0)
			value = name;
		if (strcmp(word, "organizationIdentifier") == 0)
			value = code;
		TRY(name_add(&after, real.attrs[i].type, value, strlen(value), f));
	}
	TRY(tally_set_subject(&a->tally, &before, &after, f));
	attack_freshen(&a->tally, true);
	return OK;
}

enum err attack_enrol_forged(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *mine = NULL;
	_cleanup_buf_ struct buf text = {0};
	TRY(enrol_as(a, "攻击者想要的名称", "91330100MADEM0CC8W", f));
	TRY(privkey_generate(KEY_P256, 0, &mine, f));
	TRY(begin_with_key(a, mine, &text, note, f));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_forger(a, "bob", note, buf_slice(&text), f));
	TRY(attack_by_ra(a, note, f));
	return make_csr(mine, csr, f);
}

/* Three officers were deceived: still not a second line of certificates for a code that has one. */
enum err attack_enrol_code(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *mine = NULL;
	_cleanup_buf_ struct buf text = {0};
	TRY(enrol_as(a, DEMO_NEW_NAME, DEMO_NEW_CODE, f));
	TRY(privkey_generate(KEY_P256, 0, &mine, f));
	TRY(begin_with_key(a, mine, &text, note, f));
	TRY(by_three(a, note, f));
	TRY(attack_by_ra(a, note, f));
	return make_csr(mine, csr, f);
}

/* --- release --- */

/* Two officers' real lines, for the hold that is over, on a certificate that is held anew. */
enum err attack_release_other(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct tally t = {.kind = TALLY_RELEASE, .has_predecessor = true, .has_hold = true, .reason = -1};
	(void)csr;
	TRY(attack_load(a, "replaced.note", f));
	memcpy(t.ca, a->tally.ca, sizeof t.ca);
	memcpy(t.policy, a->tally.policy, sizeof t.policy);
	memcpy(t.project, a->tally.project, sizeof t.project);
	memcpy(t.profile, a->tally.profile, sizeof t.profile);
	snprintf(t.way, sizeof t.way, "desk");
	memcpy(t.predecessor.issuer_key_id, a->tally.ca, sizeof a->tally.ca);
	TRY(serial_is(&t.predecessor.serial, a->d->replaced_serial, f));
	t.hold = (uint64_t)a->d->hold;
	attack_freshen(&t, true);
	tally_done(&a->tally);
	a->tally = t;
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_officer(a, "bob", note, f));
	return attack_by_ra(a, note, f);
}

/* --- withdrawn, responder --- */

/* Everybody who was wanted has signed in time; but the subscriber had taken it back. */
enum err attack_withdrawn(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	(void)csr;
	tally_done(&a->tally);
	TRY(tally_parse(slice_str(a->d->withdrawn), &a->tally, f));
	TRY(attack_begin(a, &text, note));
	TRY(attack_by_subscriber(a, "legacy.key", buf_slice(&text), note, f));
	TRY(attack_by_officer(a, "alice", note, f));
	TRY(attack_by_officer(a, "bob", note, f));
	return attack_by_ra(a, note, f);
}

/* A responder's tally for a key that the roster does not list: it could say "good" of everything. */
enum err attack_responder(struct attack *a, struct buf *note, struct buf *csr, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *mine = NULL;
	_cleanup_buf_ struct buf text = {0};
	struct tally t = {
		.kind = TALLY_RESPONDER, .reason = -1, .profile = "responder", .has_key = true, .key_is_new = true};
	TRY(attack_load(a, "changed.note", f));
	memcpy(t.ca, a->tally.ca, sizeof t.ca);
	attack_freshen(&t, true);
	tally_done(&a->tally);
	a->tally = t;
	TRY(privkey_generate(KEY_P256, 0, &mine, f));
	TRY(begin_with_key(a, mine, &text, note, f));
	TRY(attack_by_ra(a, note, f));
	return make_csr(mine, csr, f);
}

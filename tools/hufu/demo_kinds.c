/*
 * The story goes on: a key is lost, an organisation comes back after its certificate has lapsed, a token breaks, a
 * certificate is held and released, an expired one is revoked. No old key speaks for a new one here, so three or two
 * officers type its ten characters, as the subscriber reads them out.
 */
#include "common/base/clock.h"
#include "common/note/tally.h"
#include "common/pki/csr.h"
#include "common/pki/fingerprint.h"
#include "common/pki/sign.h"
#include "tools/hufu/demo.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <string.h>

#define LOOK_AGAIN_MS 20

/* --- a new key --- */

struct fresh {
	EVP_PKEY *key;
	struct pubkey pub;
	struct buf csr; /* PEM */
};
static void fresh_done(struct fresh *n)
{
	EVP_PKEY_free(n->key);
	pubkey_done(&n->pub);
	buf_done(&n->csr);
}

static enum err fresh_make(struct fresh *n, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	TRY(privkey_generate(KEY_P256, 0, &n->key, f));
	TRY(privkey_public(n->key, &n->pub, f));
	TRY(csr_make(n->key, slice_of("\x30\x00", 2), &der, f));
	pem_put(&n->csr, "CERTIFICATE REQUEST", buf_slice(&der));
	return OK;
}

/* Adds that key's line over the text. */
static enum err add_line(const struct fresh *n, const char *name, struct slice text, json_t *lines, struct fault *f)
{
	_cleanup_buf_ struct buf sig = {0}, note = {0};
	uint8_t key_id[4];
	TRY(privkey_sign(n->key, KEY_P256, text, &sig, f));
	note_key_id_spki(name, &n->pub, key_id);
	note_begin(text, &note);
	size_t head = note.len;
	TRY(note_add_line(&note, name, key_id, buf_slice(&sig), f));
	json_array_append_new(lines, json_string(buf_text(&note) + head));
	return OK;
}

/* before: the key of the certificate that is followed, where it proves too; or NULL. */
static enum err prove_and_submit(struct demo *d, const char *request, const struct fresh *n, const struct fresh *before,
				 struct fault *f)
{
	_cleanup_(json_freep) json_t *shown = NULL, *proved = NULL, *submitted = NULL, *lines = json_array();
	_cleanup_(tally_done) struct tally t = {0};
	char name[NOTE_MAX_NAME + 1];
	TRY(demo_call(d, "request.show", json_pack("{s:s}", "request", request), true, false, &shown, f));
	struct slice text = slice_str(demo_text(shown, "tally"));
	TRY(add_line(n, NOTE_NEW_KEY, text, lines, f));
	if (before) {
		TRY(tally_parse(text, &t, f));
		note_subscriber_name(t.predecessor.issuer_key_id, SERIAL(&t.predecessor.serial), name);
		TRY(add_line(before, name, text, lines, f));
	}
	json_t *p = json_pack("{s:s,s:O}", "request", request, "lines", lines);
	TRY(demo_call(d, "request.prove", p, true, true, &proved, f));
	return demo_call(d, "request.submit", json_pack("{s:s}", "request", request), true, true, &submitted, f);
}

/* As `hufu officer approve` compares: what was typed, with the tally that the desk shows. */
static enum err type_characters(struct demo *d, const char *request, const char *typed, bool *ret_right,
				struct fault *f)
{
	_cleanup_(json_freep) json_t *shown = NULL;
	_cleanup_(tally_done) struct tally t = {0};
	char parsed[FINGERPRINT_CHARS + 1];
	TRY(demo_call(d, "review.show", json_pack("{s:s}", "request", request), false, false, &shown, f));
	TRY(tally_parse(slice_str(demo_text(shown, "tally")), &t, f));
	*ret_right = fingerprint_parse(typed, parsed) && fingerprint_fits(parsed, t.key_sha256);
	return OK;
}

static enum err approve_seen(struct demo *d, const char *request, const char *officer, const char *characters,
			     struct fault *f)
{
	bool right = false;
	TRY(type_characters(d, request, characters, &right, f));
	if (!right)
		return fault_raise(f, ERR_INTERNAL, "demo", "demo", "the desk shows another key than the subscriber's");
	return demo_approve_as(d, request, officer, f);
}

static const char *const papers[] = {"registration-form", "agent-id-card", "business-licence", "risk-notice"};
static const char *const officers[] = {"alice", "bob", "carol"};

/* From a draft's parameters to the certificate: papers, the new key's proof, officers who have seen the key. */
static enum err run_new_key(struct demo *d, json_t *params, const struct fresh *n, size_t n_papers, size_t n_officers,
			    const char *stem, char **ret_serial, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *issued = NULL;
	char characters[FINGERPRINT_TEXT];
	TRY(demo_call(d, "request.prepare", params, true, true, &made, f));
	const char *request = demo_text(made, "request");
	TRY(demo_put_materials(d, request, papers, n_papers, f));
	TRY(prove_and_submit(d, request, n, NULL, f));
	fingerprint_text(n->pub.spki_sha256, characters);
	demo_say("the subscriber reads out the key's ten characters: %s", characters);
	for (size_t i = 0; i < n_officers; i++)
		TRY(approve_seen(d, request, officers[i], characters, f));
	TRY(demo_wait_issued(d, request, &issued, f));
	return demo_keep_result(d, issued, stem, ret_serial, f);
}

/* --- the kinds --- */

static json_t *reissue_params(const char *way, const char *serial, const struct fresh *n)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "kind", "reissue", "way", way, "project", DEMO_PROJECT,
			 "serial", serial, "csr", buf_text(&n->csr), "files", "no", "key_seen", "call",
			 "notice_accepted", 1);
}

static enum err say_status(struct demo *d, const char *serial, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(demo_call(d, "status.query", json_pack("{s:[s]}", "serials", serial), false, false, &r, f));
	json_t *a = json_array_get(json_object_get(r, "answers"), 0);
	demo_say("%s is %s%s%s", serial, demo_text(a, "state"), demo_text(a, "reason")[0] ? ", " : "",
		 demo_text(a, "reason"));
	return OK;
}

/* Proved with both keys, so that one officer is enough, who need not have seen the new one. */
static enum err extend_new_key(struct demo *d, const struct fresh *before, struct fault *f)
{
	_cleanup_(fresh_done) struct fresh n = {0};
	_cleanup_(json_freep) json_t *made = NULL, *issued = NULL;
	_cleanup_(freep) char *order = NULL;
	demo_step(d,
		  "延期 its certificate ends 60 days from now: extended with a new key, proved with both, one officer");
	TRY(demo_pay(d, DEMO_OTHER_SERVICE, &order, f));
	TRY(fresh_make(&n, f));
	json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "kind", "extend", "way", "new-key", "project",
			      DEMO_PROJECT, "serial", d->reissued_serial, "order", order, "csr", buf_text(&n.csr),
			      "months", 12, "files", "no");
	TRY(demo_call(d, "request.prepare", p, true, true, &made, f));
	const char *request = demo_text(made, "request");
	TRY(prove_and_submit(d, request, &n, before, f));
	TRY(demo_approve_as(d, request, "alice", f));
	TRY(demo_wait_issued(d, request, &issued, f));
	TRY(demo_keep_result(d, issued, "rekeyed", &d->rekeyed_serial, f));
	demo_took(d);
	return OK;
}

enum err demo_reissue(struct demo *d, struct fault *f)
{
	_cleanup_(fresh_done) struct fresh n = {0};
	_cleanup_(json_freep) json_t *held = NULL, *done = NULL;
	demo_step(d, "挂起, 补办 %s has lost its key: held at once, at night; then reissued, by three officers",
		  DEMO_OTHER_NAME);
	TRY(demo_enter(d, DEMO_OTHER_CODE, DEMO_OTHER_MOBILE, f));
	TRY(demo_call(d, "request.hold", json_pack("{s:s}", "serial", DEMO_OTHER_SERIAL), true, true, &held, f));
	TRY(demo_wait_issued(d, demo_text(held, "request"), &done, f));
	TRY(say_status(d, DEMO_OTHER_SERIAL, f));
	TRY(fresh_make(&n, f));
	TRY(run_new_key(d, reissue_params("lost", DEMO_OTHER_SERIAL, &n), &n, 4, 3, "reissued", &d->reissued_serial,
			f));
	TRY(say_status(d, DEMO_OTHER_SERIAL, f));
	demo_took(d);
	return extend_new_key(d, &n, f);
}

static json_t *enrol_params(const char *order, const struct fresh *n)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "kind", "enrol", "way",
			 "new-certificate", "project", DEMO_PROJECT, "order", order, "csr", buf_text(&n->csr),
			 "key_seen", "call", "months", 12, "subject", "attribute", "C", "value", "CN", "attribute", "O",
			 "value", DEMO_LAPSED_NAME, "attribute", "organizationIdentifier", "value", DEMO_LAPSED_CODE);
}

enum err demo_enrol(struct demo *d, struct fault *f)
{
	_cleanup_(fresh_done) struct fresh n = {0};
	_cleanup_(freep) char *order = NULL;
	demo_step(d,
		  "新办 enrol %s, whose certificate lapsed more than a year ago: a paid order, a new key, two officers",
		  DEMO_LAPSED_NAME);
	TRY(demo_enter(d, DEMO_LAPSED_CODE, DEMO_LAPSED_MOBILE, f));
	TRY(demo_pay(d, DEMO_LAPSED_SERVICE, &order, f));
	TRY(fresh_make(&n, f));
	TRY(run_new_key(d, enrol_params(order, &n), &n, 3, 2, "enrolled", &d->enrolled_serial, f));
	demo_took(d);
	return OK;
}

enum err demo_damaged(struct demo *d, struct fault *f)
{
	_cleanup_(fresh_done) struct fresh n = {0};
	demo_step(d, "补办 its new token breaks: reissued as damaged, so the old certificate is superseded");
	TRY(fresh_make(&n, f));
	TRY(run_new_key(d, reissue_params("damaged", d->enrolled_serial, &n), &n, 4, 3, "replaced", &d->replaced_serial,
			f));
	TRY(say_status(d, d->enrolled_serial, f));
	demo_took(d);
	return OK;
}

/* Opened by an officer; approved by as many as it wants; waits until the status says so. */
static enum err change_standing(struct demo *d, json_t *params, const char *serial, size_t n_officers,
				const char *wanted, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL;
	int64_t until = clock_mono_us() + INT64_C(10000000);
	TRY(demo_call(d, "review.prepare", params, false, true, &made, f));
	for (size_t i = 0; i < n_officers; i++)
		TRY(demo_approve_as(d, demo_text(made, "request"), officers[i], f));
	for (;;) {
		_cleanup_(json_freep) json_t *r = NULL;
		TRY(demo_call(d, "status.query", json_pack("{s:[s]}", "serials", serial), false, false, &r, f));
		json_t *a = json_array_get(json_object_get(r, "answers"), 0);
		if (strcmp(demo_text(a, "state"), wanted) == 0)
			break;
		if (clock_mono_us() > until)
			return fault_raise(f, ERR_NET, "demo_slow", "demo", "%s is %s, wanted %s", serial,
					   demo_text(a, "state"), wanted);
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	*ret = TAKE(made);
	return OK;
}

static json_t *standing(const char *kind, const char *serial)
{
	return json_pack("{s:s,s:s,s:s}", "kind", kind, "serial", serial, "officer", "carol");
}

enum err demo_hold(struct demo *d, struct fault *f)
{
	_cleanup_(json_freep) json_t *held = NULL, *released = NULL, *again = NULL;
	_cleanup_(tally_done) struct tally t = {0};
	demo_step(d, "挂起, 解除挂起 an officer holds %s; two officers release it from that hold", d->replaced_serial);
	TRY(change_standing(d, standing("hold", d->replaced_serial), d->replaced_serial, 0, "held", &held, f));
	TRY(change_standing(d, standing("release", d->replaced_serial), d->replaced_serial, 2, "good", &released, f));
	TRY(tally_parse(slice_str(demo_text(released, "tally")), &t, f));
	d->hold = (int64_t)t.hold;
	demo_say("the release named the hold of ledger entry %lld; reported once more, the certificate is held anew",
		 (long long)d->hold);
	TRY(change_standing(d, standing("hold", d->replaced_serial), d->replaced_serial, 0, "held", &again, f));
	demo_took(d);
	return OK;
}

enum err demo_revoke_expired(struct demo *d, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	demo_step(d, "吊销 an officer revokes %s, which has expired and is ZJCA OCA2's: it ends here",
		  DEMO_LAPSED_SERIAL);
	json_t *p = standing("revoke", DEMO_LAPSED_SERIAL);
	json_object_set_new(p, "reason", json_string("cessationOfOperation"));
	TRY(change_standing(d, p, DEMO_LAPSED_SERIAL, 1, "ended", &r, f));
	TRY(say_status(d, DEMO_LAPSED_SERIAL, f));
	demo_took(d);
	return OK;
}

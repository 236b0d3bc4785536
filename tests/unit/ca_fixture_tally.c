/*
 * Tallies that pass, the lines under them, and their way through the handlers of the sockets.
 */
#include "ca_fixture.h"

#include "common/note/merkle.h"
#include "common/note/statement.h"
#include "common/pki/sign.h"
#include "common/policy/judge.h"

#include <string.h>

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

/* --- tallies --- */

struct cert_ref fx_ref(const struct fx *x, enum fx_which org)
{
	const struct fx_org *o = &x->orgs[org];
	struct cert_ref ref = {.serial = o->cert.serial};
	memcpy(ref.issuer_key_id, o->own ? o->issuer : x->old_cert.key.key_id, 20);
	return ref;
}

void fx_subject_name(struct fx *x, enum fx_which org, struct name *ret)
{
	struct fault f = {0};
	must("subject", name_parse(x->orgs[org].cert.subject, ret, &f), &f);
}

void fx_subject(struct tally *t, const struct name *before, const char *name, const char *code)
{
	_cleanup_(name_done) struct name after = {0};
	struct fault f = {0};
	must("name", name_add(&after, attr_by_word("C", 1), "CN", 2, &f), &f);
	must("name", name_add(&after, attr_by_word("O", 1), name, strlen(name), &f), &f);
	must("name", name_add(&after, attr_by_word("CN", 2), name, strlen(name), &f), &f);
	must("name", name_add(&after, attr_by_word("organizationIdentifier", 22), code, strlen(code), &f), &f);
	must("subject", tally_set_subject(t, before, &after, &f), &f);
}

static void head(struct fx *x, enum tally_kind kind, const char *way, struct tally *t)
{
	*t = (struct tally){.kind = kind, .reason = -1, .made = clock_now() - 5, .dies = clock_now() + 3600};
	random_fill(t->id, sizeof(t->id));
	memcpy(t->ca, x->signer->ca, 20);
	snprintf(t->project, sizeof(t->project), "jinhua");
	snprintf(t->profile, sizeof(t->profile), "organisation");
	snprintf(t->way, sizeof(t->way), "%s", way);
	memcpy(t->policy, x->signer->heads->now.policy->note.sha256, 32);
}

static void predecessor(struct fx *x, enum fx_which org, struct tally *t)
{
	t->has_predecessor = true;
	t->predecessor = fx_ref(x, org);
}

static void same_subject(struct fx *x, enum fx_which org, struct tally *t)
{
	_cleanup_(name_done) struct name n = {0};
	struct fault f = {0};
	fx_subject_name(x, org, &n);
	must("subject", tally_set_subject(t, &n, &n, &f), &f);
}

static void same_key(struct fx *x, enum fx_which org, struct tally *t)
{
	t->has_key = true;
	memcpy(t->key_sha256, x->orgs[org].cert.key.spki_sha256, 32);
}

void fx_new_key(struct tally *t, enum fx_key key)
{
	_cleanup_(pubkey_done) struct pubkey p = {0};
	struct fault f = {0};
	must("key", privkey_public(fx_key(key), &p, &f), &f);
	t->has_key = t->key_is_new = true;
	memcpy(t->key_sha256, p.spki_sha256, 32);
}

static void add_months(const struct fx *x, struct tally *t, unsigned months)
{
	t->has_validity = true;
	t->add_months = months;
	t->latest = x->born + 3652 * DAY;
	if (months > 0)
		snprintf(t->order, sizeof(t->order), "order-1");
}

static void papers(struct fx *x, struct tally *t, bool change_proof, bool notice)
{
	static const char *const names[] = {"agent-id-card", "business-licence", "change-proof", "registration-form",
					    "risk-notice"};
	t->materials = xcalloc(5, sizeof(*t->materials));
	for (size_t i = 0; i < 5; i++) {
		if ((i == 2 && !change_proof) || (i == 4 && !notice))
			continue;
		struct tally_material *m = &t->materials[t->n_materials++];
		snprintf(m->name, sizeof(m->name), "%s", names[i]);
		memset(m->sha256, (int)i + 1, 32);
	}
	if (!notice)
		return;
	const struct notice *n = &x->signer->heads->now.policy->notices[0];
	snprintf(t->notice, sizeof(t->notice), "%s", n->name);
	memcpy(t->notice_sha256, n->sha256, 32);
	t->files = FILES_NO;
}

void fx_extend(struct fx *x, enum fx_which org, struct tally *t)
{
	head(x, TALLY_EXTEND, "same-key", t);
	predecessor(x, org, t);
	same_subject(x, org, t);
	same_key(x, org, t);
	add_months(x, t, 12);
}

void fx_rekey(struct fx *x, enum fx_which org, struct tally *t)
{
	head(x, TALLY_EXTEND, "new-key", t);
	predecessor(x, org, t);
	same_subject(x, org, t);
	fx_new_key(t, KEY_NEW);
	add_months(x, t, 12);
	t->files = FILES_NO;
}

void fx_change(struct fx *x, enum fx_which org, struct tally *t)
{
	_cleanup_(name_done) struct name before = {0};
	head(x, TALLY_CHANGE, "name-or-code", t);
	predecessor(x, org, t);
	fx_subject_name(x, org, &before);
	fx_subject(t, &before, NEW_NAME, NEW_CODE);
	same_key(x, org, t);
	add_months(x, t, 0);
	papers(x, t, true, true);
}

void fx_enrol(struct fx *x, enum fx_which org, struct tally *t)
{
	const struct name none = {0};
	(void)org;
	head(x, TALLY_ENROL, "new-certificate", t);
	fx_subject(t, &none, NEW_NAME, NEW_CODE);
	fx_new_key(t, KEY_NEW);
	add_months(x, t, 12);
	papers(x, t, false, false);
	t->key_seen = KEY_SEEN_PAPER;
}

void fx_reissue(struct fx *x, enum fx_which org, struct tally *t)
{
	head(x, TALLY_REISSUE, "lost", t);
	predecessor(x, org, t);
	same_subject(x, org, t);
	fx_new_key(t, KEY_NEW);
	add_months(x, t, 0);
	papers(x, t, false, true);
	t->key_seen = KEY_SEEN_TOKEN;
	t->reason = 1;
}

void fx_revoke(struct fx *x, enum fx_which org, struct tally *t)
{
	head(x, TALLY_REVOKE, "by-subscriber", t);
	predecessor(x, org, t);
	t->reason = 4;
}

void fx_hold(struct fx *x, enum fx_which org, struct tally *t)
{
	head(x, TALLY_HOLD, "", t);
	predecessor(x, org, t);
}

void fx_withdraw(struct fx *x, const uint8_t target[TALLY_ID], struct tally *t)
{
	head(x, TALLY_WITHDRAW, "", t);
	t->project[0] = t->profile[0] = '\0';
	memset(t->policy, 0, 32);
	t->has_target = true;
	memcpy(t->target, target, TALLY_ID);
}

void fx_responder(struct fx *x, enum fx_which org, struct tally *t)
{
	(void)org;
	head(x, TALLY_RESPONDER, "", t);
	t->project[0] = '\0';
	memset(t->policy, 0, 32);
	snprintf(t->profile, sizeof(t->profile), "responder");
	fx_new_key(t, KEY_RESPONDER);
}

/* --- signing and sending --- */

void fx_replace(struct buf *bytes, const char *find, const char *with)
{
	_cleanup_(freep) char *text = xstrdup(buf_text(bytes));
	char *at = strstr(text, find);
	if (!at)
		fail_msg("\"%s\" is not in the text", find);
	buf_clear(bytes);
	buf_add(bytes, text, (size_t)(at - text));
	buf_str(bytes, with);
	buf_str(bytes, at + strlen(find));
}

static void key_line(struct buf *note, const char *name, EVP_PKEY *key)
{
	_cleanup_(pubkey_done) struct pubkey p = {0};
	_cleanup_(note_done) struct note n = {0};
	_cleanup_buf_ struct buf sig = {0};
	struct fault f = {0};
	uint8_t id[4];
	must("key", privkey_public(key, &p, &f), &f);
	must("note", note_parse(buf_slice(note), 0, &n, &f), &f);
	must("sign", privkey_sign(key, p.alg, n.text, &sig, &f), &f);
	note_key_id_spki(name, &p, id);
	must("line", note_add_line(note, name, id, buf_slice(&sig), &f), &f);
}

void fx_sub_line(struct buf *note, const struct cert_ref *ref, EVP_PKEY *key)
{
	char name[NOTE_MAX_NAME + 1];
	key_line(note, note_subscriber_name(ref->issuer_key_id, SERIAL(&ref->serial), name), key);
}

void fx_note(struct fx *x, const struct tally *t, enum fx_which org, enum fx_key new_key, unsigned who, struct buf *ret)
{
	_cleanup_buf_ struct buf text = {0};
	tally_put(t, &text);
	fx_note_text(x, &text, org, new_key, who, ret);
}

void fx_note_text(struct fx *x, const struct buf *text, enum fx_which org, enum fx_key new_key, unsigned who,
		  struct buf *ret)
{
	struct cert_ref ref = fx_ref(x, org);
	note_begin(buf_slice(text), ret);
	if (who & BY_SUB)
		fx_sub_line(ret, &ref, x->orgs[org].key);
	if (who & BY_NEW)
		key_line(ret, NOTE_NEW_KEY, fx_key(new_key));
	fx_people_lines(ret, who);
}

void fx_csr(enum fx_key key, struct buf *ret)
{
	static const uint8_t empty_name[] = {0x30, 0x00};
	struct fault f = {0};
	must("csr", csr_make(fx_key(key), slice_of(empty_name, 2), ret, &f), &f);
}

void fx_answer_done(struct fx_answer *a)
{
	buf_done(&a->reply);
	*a = (struct fx_answer){0};
}

static void carry(struct fx *x, bool by_operator, struct slice request, struct buf *reply)
{
	struct rpc_peer peer = {0};
	if (x->carry)
		x->carry(x, by_operator, request, reply);
	else
		(by_operator ? signer_handle_operator : signer_handle_ra)(x->signer, &peer, request, reply);
}

void fx_send(struct fx *x, bool by_operator, const struct buf *note, const struct buf *csr, struct fx_answer *ret)
{
	_cleanup_buf_ struct buf request = {0};
	*ret = (struct fx_answer){0};
	wire_tally_put(&(struct wire_tally){.note = buf_slice(note), .csr = csr ? buf_slice(csr) : (struct slice){0}},
		       &request);
	carry(x, by_operator, buf_slice(&request), &ret->reply);
	ret->kind = wire_expect(buf_slice(&ret->reply), WIRE_TYPE_DONE, &ret->retry_ms, &ret->f);
	if (ret->kind == OK)
		must("done", wire_done_get(buf_slice(&ret->reply), &ret->done, &ret->f), &ret->f);
}

void fx_ask(struct fx *x, const struct tally *t, enum fx_which org, enum fx_key new_key, unsigned who,
	    struct fx_answer *ret)
{
	_cleanup_buf_ struct buf note = {0}, csr = {0};
	fx_note(x, t, org, new_key, who, &note);
	if (t->has_key && t->key_is_new)
		fx_csr(new_key, &csr);
	fx_send(x, false, &note, &csr, ret);
}

void fx_follow(struct fx *x, enum fx_which org, const struct fx_answer *a, enum fx_key key)
{
	struct fx_org *o = &x->orgs[org];
	struct fault f = {0};
	must("answer", a->kind, &a->f);
	cert_done(&o->cert);
	buf_clear(&o->der);
	buf_add_slice(&o->der, a->done.cert);
	must("certificate", cert_parse(buf_slice(&o->der), &o->cert, &f), &f);
	o->key = fx_key(key);
	o->own = true;
	memcpy(o->issuer, a->done.issuer, 20);
}

enum err fx_operator(struct fx *x, const struct buf *request, enum wire_type want, struct buf *reply, struct fault *f)
{
	carry(x, true, buf_slice(request), reply);
	return wire_expect(buf_slice(reply), want, NULL, f);
}

enum err fx_ra(struct fx *x, const struct buf *request, enum wire_type want, struct buf *reply, struct fault *f)
{
	carry(x, false, buf_slice(request), reply);
	return wire_expect(buf_slice(reply), want, NULL, f);
}

void fx_adopt_request(struct fx *x, enum fx_which org, enum fx_which sent, unsigned who, const struct buf *crl,
		      struct buf *ret)
{
	_cleanup_buf_ struct buf text = {0}, note = {0};
	struct adoption a = {.count = 1, .made = clock_now() - 5, .dies = clock_now() + DAY, .has_crl = crl != NULL};
	struct wire_adopt m = {.first = 0};
	memcpy(a.ca, x->signer->ca, 20);
	memcpy(a.issuer, x->old_cert.key.key_id, 20);
	memset(a.id, (int)org + 1, sizeof(a.id));
	snprintf(a.project, sizeof(a.project), "jinhua");
	snprintf(a.profile, sizeof(a.profile), "organisation");
	merkle_leaf(buf_slice(&x->orgs[org].der), a.root);
	if (crl)
		sha256(crl->data, crl->len, a.crl_sha256);
	adoption_put(&a, &text);
	note_begin(buf_slice(&text), &note);
	fx_people_lines(&note, who);
	m.note = buf_slice(&note);
	m.crl = crl ? buf_slice(crl) : (struct slice){0};
	wire_list_add(&m.certs, buf_slice(&x->orgs[sent].der));
	wire_list_add(&m.proofs, (struct slice){0});
	wire_adopt_put(&m, ret);
	wire_adopt_done(&m);
}

enum err fx_adopt(struct fx *x, enum fx_which org, unsigned who, const struct buf *crl, uint32_t *ret_taken,
		  struct buf *ret_problem, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_adopt_is answer = {0};
	fx_adopt_request(x, org, org, who, crl, &request);
	TRY(fx_operator(x, &request, WIRE_TYPE_ADOPT_IS, &reply, f));
	TRY(wire_adopt_is_get(buf_slice(&reply), &answer, f));
	*ret_taken = answer.taken;
	for (size_t i = 0; i < answer.problems.n; i++)
		buf_add_slice(ret_problem, answer.problems.v[i]);
	wire_adopt_is_done(&answer);
	return OK;
}

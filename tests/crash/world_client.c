/*
 * A person at the desk with certificates of an old authority: logs in, renews and pays a service, extends, changes a name with papers and two officers, revokes.
 * Each call is made until it is answered (world.c), and what was answered is remembered.
 */
#include "tests/crash/world.h"

#include "common/base/clock.h"
#include "common/pki/sign.h"
#include "tools/hufu/setup.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define PASSWORD "tiger-tally-2026"

/* --- logging in --- */

static enum err log_in(struct client *c, const char *password, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	char identifier[16];
	snprintf(identifier, sizeof identifier, "%08u-0", 90000000u + c->number);
	TRY(world_ask(c, "account.login", json_pack("{s:s,s:s}", "identifier", identifier, "password", password), false,
		      false, &r, f));
	free(c->session);
	c->session = xstrdup(world_text(r, "session"));
	return OK;
}

static enum err proof_line(const struct item *it, const uint8_t issuer[20], const char *serial, const char *text,
			   char **ret, struct fault *f)
{
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf sig = {0}, note = {0};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key_id[4];
	TRY(privkey_public(it->key, &public, f));
	TRY(privkey_sign(it->key, KEY_P256, slice_str(text), &sig, f));
	note_subscriber_name(issuer, serial, name);
	note_key_id_spki(name, &public, key_id);
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	TRY(note_add_line(&note, name, key_id, buf_slice(&sig), f));
	*ret = xstrndup((const char *)note.data + head, note.len - head);
	return OK;
}

/* By the key of a certificate of the old authority. */
static enum err old_proof(const struct client *c, const struct item *it, const char *text, char **ret, struct fault *f)
{
	return proof_line(it, c->world->old.public.key_id, it->serial, text, ret, f);
}

enum err world_log_in_again(struct client *c, struct fault *f)
{
	return log_in(c, PASSWORD, f);
}

enum err world_first_log_in(struct client *c, struct fault *f)
{
	_cleanup_(json_freep) json_t *proof = NULL, *proved = NULL, *r = NULL;
	_cleanup_(freep) char *line = NULL;
	TRY(log_in(c, SETUP_INITIAL_PASSWORD, f));
	TRY(world_ask(c, "account.proof", json_object(), true, false, &proof, f));
	TRY(old_proof(c, &c->items[0], world_text(proof, "text"), &line, f));
	TRY(world_ask(c, "account.prove", json_pack("{s:s,s:s}", "way", "key", "line", line), true, true, &proved, f));
	TRY(world_ask(c, "account.reset", json_pack("{s:s}", "new_password", PASSWORD), true, true, &r, f));
	return log_in(c, PASSWORD, f);
}

enum err world_mail(struct client *c, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	char mail[48];
	bool other = !c->other_mail;
	snprintf(mail, sizeof mail, "agent-%u-%c@example.test", c->number, other ? 'b' : 'a');
	TRY(world_ask(c, "account.contact", json_pack("{s:s}", "mail", mail), true, true, &r, f));
	c->letters += c->letters == 0 ? 1 : 2;
	c->other_mail = other;
	return OK;
}

/* --- a request to its end --- */

static enum err refused(const char *request, json_t *shown, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "crash_refused", "request", "request %s ended %s: %s", request,
			   world_text(shown, "state"), world_text(json_object_get(shown, "refusal"), "text"));
}

/* Gives what is shown of it when it was issued. */
static enum err wait_issued(struct client *c, const char *request, json_t **ret, struct fault *f)
{
	int64_t until = clock_mono_us() + WORLD_GIVE_UP_MS * INT64_C(1000);
	while (clock_mono_us() < until) {
		_cleanup_(json_freep) json_t *r = NULL;
		TRY(world_ask(c, "request.show", json_pack("{s:s,s:i}", "request", request, "wait_ms", 1000), true,
			      false, &r, f));
		const char *state = world_text(r, "state");
		if (strcmp(state, "sent") == 0 || strcmp(state, "approved") == 0)
			continue;
		if (strcmp(state, "issued") != 0)
			return refused(request, r, f);
		*ret = TAKE(r);
		return OK;
	}
	return fault_raise(f, ERR_NET, "crash_stuck", "request", "request %s is not final after %d ms", request,
			   WORLD_GIVE_UP_MS);
}

static enum err keep_told(struct client *c, const char *request, const char *text, const struct item *it,
			  struct fault *f)
{
	_cleanup_(json_freep) json_t *shown = NULL;
	_cleanup_(tally_done) struct tally tally = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_buf_ struct buf der = {0};
	TRY(tally_parse(slice_str(text), &tally, f));
	TRY(wait_issued(c, request, &shown, f));
	TRY(pem_or_der(slice_str(world_text(shown, "certificate")), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	if (c->n_told == c->cap_told) {
		c->cap_told = c->cap_told ? 2 * c->cap_told : 64;
		c->told = xrealloc(c->told, c->cap_told, sizeof *c->told);
	}
	struct told *t = &c->told[c->n_told++];
	*t = (struct told){.serial = cert.serial, .item = it, .told_us = clock_mono_us()};
	snprintf(t->request, sizeof t->request, "%s", request);
	memcpy(t->tally, tally.id, sizeof t->tally);
	buf_add_slice(&t->cert, buf_slice(&der));
	return OK;
}

/* The subscriber's half, and handed in. */
static enum err prove_and_submit(struct client *c, const char *request, const char *line, struct fault *f)
{
	_cleanup_(json_freep) json_t *proved = NULL, *submitted = NULL;
	TRY(world_ask(c, "request.prove", json_pack("{s:s,s:[s]}", "request", request, "lines", line), true, true,
		      &proved, f));
	return world_ask(c, "request.submit", json_pack("{s:s}", "request", request), true, true, &submitted, f);
}

static enum err prove_by_told(struct client *c, const struct told *t, const char *request, const char *text,
			      struct fault *f)
{
	_cleanup_(freep) char *line = NULL;
	TRY(proof_line(t->item, c->world->tree.ca_key_id, SERIAL(&t->serial), text, &line, f));
	return prove_and_submit(c, request, line, f);
}

/* --- extend --- */

static enum err paid_order(struct client *c, size_t i, char ret[64], struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *pay = NULL, *paid = NULL;
	char service[24];
	snprintf(service, sizeof service, "%zu", WORLD_FIRST_SERVICE + (size_t)(c->items - c->world->items) + i);
	TRY(world_ask(c, "order.create", json_pack("{s:s,s:s}", "service_id", service, "kind", "renew"), true, true,
		      &made, f));
	snprintf(ret, 64, "%s", world_text(made, "order"));
	TRY(world_ask(c, "order.pay", json_pack("{s:s}", "order", ret), true, true, &pay, f));
	_cleanup_(freep) char *bank = xasprintf("BANK-%s", world_text(pay, "reference"));
	return world_ask(c, "order.confirm", json_pack("{s:s,s:s}", "order", ret, "bank_reference", bank), false, true,
			 &paid, f);
}

enum err world_extend(struct client *c, size_t i, struct fault *f)
{
	struct item *it = &c->items[i];
	_cleanup_(json_freep) json_t *made = NULL;
	_cleanup_(freep) char *line = NULL;
	char order[64];
	TRY(paid_order(c, i, order, f));
	TRY(world_ask(c, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:i,s:s}", "kind", "extend", "way", STOCK_WAY, "project",
				STOCK_PROJECT, "serial", it->serial, "months", STOCK_MONTHS, "order", order),
		      true, true, &made, f));
	const char *request = world_text(made, "request"), *text = world_text(made, "tally");
	TRY(old_proof(c, it, text, &line, f));
	TRY(prove_and_submit(c, request, line, f));
	return keep_told(c, request, text, it, f);
}

/* --- change --- */

static enum err put_paper(struct client *c, const char *request, const char *name, struct fault *f)
{
	static const char pdf[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\nxref\n0 1\n0000000000 65535 f "
				  "\ntrailer<</Root 1 0 R>>\nstartxref\n52\n%%EOF\n";
	_cleanup_(json_freep) json_t *put = NULL;
	_cleanup_buf_ struct buf content = {0};
	buf_base64(&content, pdf, sizeof pdf - 1);
	return world_ask(c, "material.put",
			 json_pack("{s:s,s:s,s:s}", "request", request, "name", name, "content", buf_text(&content)),
			 true, true, &put, f);
}

static json_t *change_params(const struct told *t, const char *name)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:[{s:s,s:s},{s:s,s:s}]}", "kind", "change", "way", "name-or-code",
			 "project", STOCK_PROJECT, "serial", SERIAL(&t->serial), "files", "no", "notice_accepted", 1,
			 "subject", "attribute", "O", "value", name, "attribute", "CN", "value", name);
}

static enum err approve(struct client *c, const char *request, const char *text, const struct person_key *officer,
			struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	_cleanup_buf_ struct buf note = {0};
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	TRY(note_sign_ed25519(&note, officer->name, officer->secret.p, f));
	return world_ask(c, "review.approve",
			 json_pack("{s:s,s:s}", "request", request, "line", buf_text(&note) + head), false, true, &r,
			 f);
}

enum err world_change(struct client *c, size_t i, const char *name, struct fault *f)
{
	static const char *const papers[] = {"registration-form", "agent-id-card", "business-licence", "change-proof",
					     "risk-notice"};
	_cleanup_(json_freep) json_t *made = NULL, *shown = NULL;
	TRY(world_ask(c, "request.prepare", change_params(&c->told[i], name), true, true, &made, f));
	const char *request = world_text(made, "request");
	for (size_t k = 0; k < sizeof papers / sizeof papers[0]; k++)
		TRY(put_paper(c, request, papers[k], f));
	TRY(world_ask(c, "request.show", json_pack("{s:s}", "request", request), true, false, &shown, f));
	const char *text = world_text(shown, "tally");
	TRY(prove_by_told(c, &c->told[i], request, text, f));
	for (size_t k = 0; k < 2; k++)
		TRY(approve(c, request, text, &c->world->tree.officers[k], f));
	TRY(keep_told(c, request, text, c->told[i].item, f));
	c->told[c->n_told - 1].changed = true;
	c->told[i].ended_us = clock_mono_us();
	return OK;
}

enum err world_draft(struct client *c, size_t i, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *gone = NULL;
	TRY(world_ask(c, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:b}", "kind", "change", "way", "name-or-code", "project",
				STOCK_PROJECT, "serial", SERIAL(&c->told[i].serial), "save", 1),
		      true, true, &made, f));
	const char *request = world_text(made, "request");
	TRY(put_paper(c, request, "business-licence", f));
	return world_ask(c, "request.withdraw", json_pack("{s:s}", "request", request), true, true, &gone, f);
}

/* --- revoke --- */

enum err world_revoke(struct client *c, size_t i, struct fault *f)
{
	struct told *t = &c->told[i];
	_cleanup_(json_freep) json_t *made = NULL, *shown = NULL;
	TRY(world_ask(c, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:s}", "kind", "revoke", "way", "by-subscriber", "project",
				STOCK_PROJECT, "serial", SERIAL(&t->serial), "reason", "cessationOfOperation"),
		      true, true, &made, f));
	const char *request = world_text(made, "request");
	TRY(prove_by_told(c, t, request, world_text(made, "tally"), f));
	TRY(wait_issued(c, request, &shown, f));
	t->ended_us = clock_mono_us();
	return OK;
}

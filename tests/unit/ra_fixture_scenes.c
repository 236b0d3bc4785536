/*
 * What people do at the desk, in the order in which they would.
 */
#include "material_kit.h"
#include "ra_fixture_private.h"

#include <string.h>

/* --- scenes --- */

char *fx_paid_order(struct fx *x, const char *session, const char *service)
{
	enum fx_uid uid = session == x->session ? UID_SUBSCRIBER : UID_OTHER;
	_cleanup_(json_freep) json_t *made =
		fx_do(x, uid, "order.create",
		      json_pack("{s:s,s:s,s:s}", "session", session, "service_id", service, "kind", "renew"));
	const char *id = fx_text(made, "order");
	json_decref(fx_do(x, uid, "order.pay", json_pack("{s:s,s:s}", "session", session, "order", id)));
	_cleanup_(freep) char *reference = xasprintf("BANK-%s", id);
	json_decref(fx_do(x, UID_OFFICER, "order.confirm",
			  json_pack("{s:s,s:s}", "order", id, "bank_reference", reference)));
	return xstrdup(id);
}

json_t *fx_extend_params(struct fx *x, const char *order, int months)
{
	json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "session", x->session, "kind", "extend", "way", "same-key",
			      "project", "jinhua", "serial", ORG_SERIAL, "months", months);
	if (order)
		json_object_set_new(p, "order", json_string(order));
	return p;
}

static char *prepared(struct fx *x, json_t *params)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", params);
	assert_string_equal(fx_text(r, "state"), "drafted");
	return xstrdup(fx_text(r, "request"));
}

char *fx_extend(struct fx *x, const char *order, int months)
{
	return prepared(x, fx_extend_params(x, order, months));
}

json_t *fx_change_params(struct fx *x)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:[{s:s,s:s},{s:s,s:s}]}", "session", x->session, "kind",
			 "change", "way", "name-or-code", "project", "jinhua", "serial", ORG_SERIAL, "files", "no",
			 "notice_accepted", 1, "subject", "attribute", "O", "value", NEW_NAME, "attribute",
			 "organizationIdentifier", "value", NEW_CODE);
}

char *fx_change(struct fx *x)
{
	static const char *const papers[] = {"agent-id-card", "business-licence", "change-proof", "registration-form",
					     "risk-notice"};
	char *id = prepared(x, fx_change_params(x));
	for (size_t i = 0; i < sizeof(papers) / sizeof(papers[0]); i++)
		fx_material(x, id, papers[i]);
	return id;
}

char *fx_revoke(struct fx *x)
{
	return prepared(x, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "session", x->session, "kind", "revoke", "way",
				     "by-subscriber", "project", "jinhua", "serial", ORG_SERIAL, "reason",
				     "cessationOfOperation"));
}

char *fx_csr(EVP_PKEY *key)
{
	_cleanup_buf_ struct buf csr = {0}, pem = {0};
	struct fault f = {0};
	must("csr", csr_make(key, slice_of("\x30\x00", 2), &csr, &f), &f);
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&csr));
	return xstrdup(buf_text(&pem));
}

static enum err add_service(struct db *db, const char *id, struct fault *f)
{
	struct account a = {0};
	TRY(store_account_by_name(db, ORG_CODE, &a, f));
	struct service s = {.account = a.id, .begins = NOW, .ends = NOW};
	snprintf(s.id, sizeof(s.id), "%s", id);
	snprintf(s.project, sizeof(s.project), "jinhua");
	snprintf(s.service, sizeof(s.service), "organisation-certificate");
	snprintf(s.title, sizeof(s.title), "机构证书");
	return store_service_add(db, &s, f);
}

void fx_service(struct fx *x, const char *id)
{
	struct db *db = NULL;
	struct fault f = {0};
	must("begin", store_begin(x->desk->store, &db, &f), &f);
	enum err e = add_service(db, id, &f);
	must("service", store_end(x->desk->store, db, e, &f), &f);
}

json_t *fx_reissue_params(struct fx *x, const char *way)
{
	_cleanup_(freep) char *csr = fx_csr(x->new_key);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "session", x->session, "kind", "reissue", "way", way,
			 "project", "jinhua", "serial", ORG_SERIAL, "csr", csr, "files", "no", "key_seen", "paper",
			 "notice_accepted", 1);
}

json_t *fx_enrol_params(struct fx *x, const char *order, const char *code)
{
	_cleanup_(freep) char *csr = fx_csr(x->new_key);
	json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "session", x->session,
			      "kind", "enrol", "way", "new-certificate", "project", "jinhua", "csr", csr, "key_seen",
			      "call", "months", 12, "subject", "attribute", "C", "value", "CN", "attribute", "O",
			      "value", NEW_NAME, "attribute", "organizationIdentifier", "value", code);
	if (order)
		json_object_set_new(p, "order", json_string(order));
	return p;
}

void fx_material(struct fx *x, const char *request, const char *name)
{
	_cleanup_buf_ struct buf bytes = {0}, text = {0};
	_cleanup_(freep) char *line = xasprintf("%% %s", name);
	kit_pdf(line, &bytes);
	buf_base64(&text, bytes.data, bytes.len);
	json_decref(fx_do(x, UID_SUBSCRIBER, "material.put",
			  json_pack("{s:s,s:s,s:s,s:s}", "session", x->session, "request", request, "name", name,
				    "content", buf_text(&text))));
}

static char *tally_of(struct fx *x, const char *request)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", request));
	return xstrdup(fx_text(r, "tally"));
}

char *fx_sub_line(struct fx *x, const char *request, EVP_PKEY *key)
{
	_cleanup_(freep) char *text = tally_of(x, request);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(pubkey_done) struct pubkey public_key = {0};
	_cleanup_buf_ struct buf signature = {0}, note = {0};
	char name[NOTE_MAX_NAME + 1] = NOTE_NEW_KEY;
	uint8_t key_id[4];
	struct fault f = {0};
	must("tally", tally_parse(slice_str(text), &t, &f), &f);
	must("key", privkey_public(key, &public_key, &f), &f);
	if (key != x->new_key)
		note_subscriber_name(t.predecessor.issuer_key_id, SERIAL(&t.predecessor.serial), name);
	must("sign", privkey_sign(key, KEY_P256, slice_str(text), &signature, &f), &f);
	note_key_id_spki(name, &public_key, key_id);
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	must("line", note_add_line(&note, name, key_id, buf_slice(&signature), &f), &f);
	return xstrndup((const char *)note.data + head, note.len - head);
}

char *fx_officer_line(struct fx *x, const char *request, const char *name)
{
	_cleanup_(freep) char *text = tally_of(x, request);
	_cleanup_buf_ struct buf note = {0};
	note_begin(slice_str(text), &note);
	size_t head = note.len;
	fx_sign_as(&note, name);
	return xstrndup((const char *)note.data + head, note.len - head);
}

void fx_prove(struct fx *x, const char *request)
{
	_cleanup_(freep) char *line = fx_sub_line(x, request, x->org.key);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove",
			  json_pack("{s:s,s:s,s:[s]}", "session", x->session, "request", request, "lines", line)));
}

void fx_submit(struct fx *x, const char *request)
{
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.submit",
			  json_pack("{s:s,s:s}", "session", x->session, "request", request)));
}

void fx_approve(struct fx *x, const char *request, const char *officer)
{
	_cleanup_(freep) char *line = fx_officer_line(x, request, officer);
	json_decref(fx_do(x, UID_OFFICER, "review.approve", json_pack("{s:s,s:s}", "request", request, "line", line)));
}

void fx_state(struct fx *x, const char *request, const char *wanted)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.show",
						json_pack("{s:s,s:s}", "session", x->session, "request", request));
	assert_string_equal(fx_text(r, "state"), wanted);
}

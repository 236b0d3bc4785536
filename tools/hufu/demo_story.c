/*
 * The story: an old certificate of another authority is taken over, refused for an expired service, paid for, extended,
 * and changed together with an extension. Every step goes through the desk's JSON-RPC and the two daemons, as a
 * subscriber's and officers' clients would.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/tally.h"
#include "tools/hufu/demo.h"
#include "tools/hufu/import.h"
#include "tools/hufu/legacy.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/setup.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400
#define WAIT_ISSUED_MS 30000

enum err demo_call(struct demo *d, const char *method, json_t *params, bool session, bool changes, json_t **ret,
		   struct fault *f)
{
	return cli_desk(d->c, method, params, session, changes, ret, f);
}

const char *demo_text(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

/* A time of an answer, as people here read it. */
static const char *shanghai_of(json_t *o, const char *key, char ret[TIME_TEXT])
{
	const char *s = demo_text(o, key);
	int64_t t;
	return time_parse_utc(s, strlen(s), &t) ? time_shanghai(t, ret) : s;
}

/* --- the old authority --- */

static void csv_line(struct buf *b, const char *identifier, const char *organisation, const char *mobile,
		     const char *service, int64_t begins, int64_t ends, const char *name, const char *serial,
		     const char *pem)
{
	buf_fmt(b, "%s,%s,张三,%s,%s,%s,organisation-certificate,%s,%s,%s,%s,ZJCA OCA2,%s\n", identifier, organisation,
		mobile, DEMO_PROJECT, service, SHANGHAI(begins), SHANGHAI(ends), name, serial, pem);
}

static enum err write_csv(const struct demo *d, int64_t now, struct fault *f)
{
	_cleanup_buf_ struct buf csv = {0};
	_cleanup_(freep) char *path = path_join(d->old, "accounts.csv");
	for (size_t i = 0; i < IMPORT_COLUMNS; i++)
		buf_fmt(&csv, "%s%s", import_columns[i], i + 1 < IMPORT_COLUMNS ? "," : "\n");
	csv_line(&csv, DEMO_IDENTIFIER, "杭州田谷", "1300000000", DEMO_SERVICE, now - 800 * DAY_S, now - 435 * DAY_S,
		 DEMO_NAME, DEMO_SERIAL, "legacy.pem");
	csv_line(&csv, DEMO_OTHER_CODE, DEMO_OTHER_NAME, "13900000000", DEMO_OTHER_SERVICE, now - 100 * DAY_S,
		 now + 265 * DAY_S, DEMO_OTHER_NAME, DEMO_OTHER_SERIAL, "other.pem");
	csv_line(&csv, DEMO_LAPSED_CODE, DEMO_LAPSED_NAME, "13700000000", DEMO_LAPSED_SERVICE, now - 800 * DAY_S,
		 now - 435 * DAY_S, DEMO_LAPSED_NAME, DEMO_LAPSED_SERIAL, "lapsed.pem");
	return file_write_new(path, buf_slice(&csv), 0644, f);
}

static enum err issue_old(const struct demo *d, const struct legacy_ca *l, const char *name, const char *identifier,
			  const char *serial, const char *stem, int days, struct fault *f)
{
	int64_t ends = clock_now() + days * DAY_S;
	struct legacy_subject s = {name, identifier, serial, time_add_months(ends, -36), ends};
	_cleanup_(freep) char *path = path_join(d->old, stem);
	return legacy_issue(l, &s, path, f);
}

enum err demo_old_authority(struct demo *d, struct fault *f)
{
	_cleanup_(legacy_done) struct legacy_ca l = {0};
	_cleanup_(freep) char *crt = path_join(d->old, "zjca-oca2.pem"), *crl = path_join(d->old, "zjca-oca2.crl");
	demo_step(d, "the old authority ZJCA OCA2 has issued certificate %s to %s; it ends 60 days from now",
		  DEMO_SERIAL, DEMO_NAME);
	TRY(dir_make(d->dir, 0755, f));
	TRY(dir_make(d->old, 0755, f));
	TRY(dir_make(d->out, 0755, f));
	TRY(legacy_open(&l, f));
	TRY(issue_old(d, &l, DEMO_NAME, DEMO_IDENTIFIER, DEMO_SERIAL, "legacy", 60, f));
	TRY(issue_old(d, &l, DEMO_OTHER_NAME, DEMO_OTHER_CODE, DEMO_OTHER_SERIAL, "other", 60, f));
	TRY(issue_old(d, &l, DEMO_LAPSED_NAME, DEMO_LAPSED_CODE, DEMO_LAPSED_SERIAL, "lapsed", -400, f));
	TRY(legacy_write_certificate(&l, crt, f));
	TRY(legacy_write_crl(&l, crl, f));
	TRY(write_csv(d, clock_now(), f));
	demo_took(d);
	return OK;
}

/* --- Hufu is laid out and started --- */

enum err demo_lay_out(struct demo *d, struct fault *f)
{
	_cleanup_(freep) char *policies = setup_policies_dir(), *issuer = path_join(d->old, "zjca-oca2.pem"),
			      *tree = xstrdup(d->dir);
	const char *issuers[] = {issuer};
	struct setup s = {.dir = tree,
			  .ca_user = d->ca_user,
			  .ra_user = d->ra_user,
			  .policies = policies,
			  .issuers = {issuers, 1},
			  .passphrase = &d->passphrase,
			  .quiet = true,
			  .into_existing = true};
	demo_step(d, "hufu init: ceremonies make root and issuing CA; three officers sign roster and policy");
	TRY(setup_run(&s, f));
	demo_took(d);
	demo_step(d, "two processes start: hufu-ca as %s, hufu-ra as %s", d->ca_user ? d->ca_user : "this user",
		  d->ra_user ? d->ra_user : "this user");
	_cleanup_(freep) char *logs = demo_path(d, "var/log");
	TRY(daemons_start(&d->daemons, d->dir, d->ca_user, d->ra_user, &d->passphrase, logs, f));
	demo_took(d);
	return OK;
}

/* --- import --- */

static enum err import_once(struct demo *d, bool dry_run, struct fault *f)
{
	_cleanup_(freep) char *alice = setup_person_path(d->dir, "alice"), *bob = setup_person_path(d->dir, "bob");
	_cleanup_(freep) char *csv = path_join(d->old, "accounts.csv"), *crl = path_join(d->old, "zjca-oca2.crl");
	const char *officers[] = {alice, bob}, *crls[] = {crl};
	struct import_run run = {.officer_keys = {officers, 2}, .crls = {crls, 1}};
	struct import_file file = {0};
	TRY(cli_load(d->c, f));
	enum err e = import_read(csv, &run.progress, &file, f);
	bool before = d->c->dry_run;
	d->c->dry_run = dry_run;
	if (e == OK && import_apply(d->c, &run, &file) != EXIT_DONE)
		e = fault_raise(f, ERR_RULE, "import", "import", "the import had problems (see above)");
	d->c->dry_run = before;
	import_done(&file);
	return e;
}

enum err demo_import(struct demo *d, struct fault *f)
{
	demo_step(d, "hufu import: a dry run, then for good: accounts into the desk, one adoption note for the signer");
	TRY(import_once(d, true, f));
	TRY(import_once(d, false, f));
	demo_took(d);
	return OK;
}

/* --- log-in --- */

static enum err log_in(struct demo *d, const char *name, const char *password, bool *ret_must_reset, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(demo_call(d, "account.login", json_pack("{s:s,s:s}", "identifier", name, "password", password), false,
		      false, &r, f));
	free(d->c->session);
	d->c->session = xstrdup(demo_text(r, "session"));
	*ret_must_reset = json_is_true(json_object_get(r, "must_reset"));
	return OK;
}

/* The key of the old certificate signs the text that the desk makes for this session. */
static enum err prove_first(struct demo *d, struct fault *f)
{
	_cleanup_(json_freep) json_t *proof = NULL, *r = NULL;
	_cleanup_(freep) char *key = path_join(d->old, "legacy.key"), *line = NULL;
	TRY(demo_call(d, "account.proof", NULL, true, false, &proof, f));
	json_t *cert = json_array_get(json_object_get(proof, "certificates"), 0);
	TRY(line_by_pem(slice_str(demo_text(proof, "text")), demo_text(cert, "line"), key, &line, f));
	TRY(demo_call(d, "account.prove", json_pack("{s:s,s:s}", "way", "key", "line", line), true, true, &r, f));
	json_t *account = json_object_get(r, "account");
	demo_say("the key of certificate %s has signed: agent %s, mobile on record %s", demo_text(cert, "serial"),
		 demo_text(account, "agent"), demo_text(account, "mobile"));
	return OK;
}

static enum err back_fill(struct demo *d, const char *mobile, struct fault *f)
{
	_cleanup_(json_freep) json_t *sent = NULL, *r = NULL;
	char code[7];
	TRY(demo_call(d, "account.sms", json_pack("{s:s,s:s}", "purpose", "bind", "mobile", mobile), true, true, &sent,
		      f));
	TRY(demo_sms_code(d, mobile, code, f));
	TRY(demo_call(d, "account.reset",
		      json_pack("{s:s,s:s,s:s,s:s}", "mobile", mobile, "sms_code", code, "new_password", DEMO_PASSWORD,
				"new_password_again", DEMO_PASSWORD),
		      true, true, &r, f));
	demo_say("code sent to %s and typed; number and password are set", demo_text(sent, "mobile"));
	return OK;
}

enum err demo_log_in(struct demo *d, struct fault *f)
{
	bool must_reset = false;
	_cleanup_(json_freep) json_t *none = NULL;
	struct fault refused = {0};
	demo_step(d, "登录 log in as %s with the initial password: nothing is open but proof, back-fill and reset",
		  DEMO_IDENTIFIER);
	TRY(log_in(d, DEMO_IDENTIFIER, SETUP_INITIAL_PASSWORD, &must_reset, f));
	if (!must_reset || demo_call(d, "service.list", NULL, true, false, &none, &refused) == OK)
		return fault_raise(f, ERR_INTERNAL, "demo", "demo", "the initial password opened more than the reset");
	demo_say("service.list: refused by rule %s", refused.rule);
	TRY(prove_first(d, f));
	demo_took(d);
	demo_step(d, "补录并重置 back-fill and reset: mobile %s, the code of its SMS, a new password", DEMO_MOBILE);
	TRY(back_fill(d, DEMO_MOBILE, f));
	TRY(log_in(d, DEMO_MOBILE, DEMO_PASSWORD, &must_reset, f));
	demo_took(d);
	return OK;
}

/* No key speaks for the account: an officer who has seen its papers does. */
enum err demo_enter(struct demo *d, const char *identifier, const char *mobile, struct fault *f)
{
	bool must_reset = false;
	_cleanup_(json_freep) json_t *granted = NULL, *proved = NULL;
	TRY(log_in(d, identifier, SETUP_INITIAL_PASSWORD, &must_reset, f));
	TRY(demo_call(d, "account.grant", json_pack("{s:s,s:s}", "identifier", identifier, "reason", "papers seen"),
		      false, false, &granted, f));
	TRY(demo_call(d, "account.prove", json_pack("{s:s,s:s}", "way", "officer", "code", demo_text(granted, "code")),
		      true, true, &proved, f));
	TRY(back_fill(d, mobile, f));
	return log_in(d, mobile, DEMO_PASSWORD, &must_reset, f);
}

/* --- service and order --- */

static json_t *extend_params(const char *order)
{
	json_t *p = json_pack("{s:s,s:s,s:s,s:s,s:i}", "kind", "extend", "way", "same-key", "project", DEMO_PROJECT,
			      "serial", DEMO_SERIAL, "months", 12);
	if (order)
		json_object_set_new(p, "order", json_string(order));
	return p;
}

enum err demo_refused_for_service(struct demo *d, struct fault *f)
{
	_cleanup_(json_freep) json_t *list = NULL, *r = NULL;
	struct fault refused = {0};
	demo_step(d, "延期 extend %s: the service %s has expired", DEMO_SERIAL, DEMO_SERVICE);
	TRY(demo_call(d, "service.list", NULL, true, false, &list, f));
	json_t *row = json_array_get(json_object_get(list, "services"), 0);
	demo_say("service %s %s, %s to %s: %s", demo_text(row, "id"), demo_text(row, "certificate_name"),
		 shanghai_of(row, "begins", (char[TIME_TEXT]){0}), shanghai_of(row, "ends", (char[TIME_TEXT]){0}),
		 demo_text(row, "state"));
	if (demo_call(d, "request.prepare", extend_params(NULL), true, true, &r, &refused) == OK)
		return fault_raise(f, ERR_INTERNAL, "demo", "demo",
				   "the desk took an extension for an expired service");
	if (strcmp(refused.rule, "service_expired") != 0) {
		*f = refused;
		return refused.kind;
	}
	demo_say("refused by rule %s: %s", refused.rule, refused.text);
	demo_took(d);
	return OK;
}

enum err demo_pay(struct demo *d, const char *service, char **ret_order, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *pay = NULL, *paid = NULL;
	_cleanup_(freep) char *reference = NULL;
	TRY(demo_call(d, "order.create", json_pack("{s:s,s:s}", "service_id", service, "kind", "renew"), true, true,
		      &made, f));
	const char *order = demo_text(made, "order");
	TRY(demo_call(d, "order.pay", json_pack("{s:s}", "order", order), true, true, &pay, f));
	reference = xasprintf("BANK-%s", demo_text(pay, "reference"));
	TRY(demo_call(d, "order.confirm", json_pack("{s:s,s:s}", "order", order, "bank_reference", reference), false,
		      true, &paid, f));
	demo_say("order %s: %lld fen, %s", order, (long long)json_integer_value(json_object_get(made, "amount_fen")),
		 demo_text(paid, "state"));
	*ret_order = xstrdup(order);
	return OK;
}

enum err demo_renew_and_pay(struct demo *d, char **ret_order, struct fault *f)
{
	demo_step(d, "续费 renew the service: order, bank transfer, and an officer confirms the bank's reference");
	TRY(demo_pay(d, DEMO_SERVICE, ret_order, f));
	demo_took(d);
	return OK;
}

/* --- requests --- */

/* The subscriber reads the tally and signs it with the key of the old certificate. */
static enum err prove_and_submit(struct demo *d, const char *request, struct fault *f)
{
	_cleanup_(json_freep) json_t *shown = NULL, *proved = NULL, *submitted = NULL;
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(freep) char *key = path_join(d->old, "legacy.key"), *line = NULL;
	char name[NOTE_MAX_NAME + 1];
	TRY(demo_call(d, "request.show", json_pack("{s:s}", "request", request), true, false, &shown, f));
	const char *text = demo_text(shown, "tally");
	TRY(tally_parse(slice_str(text), &t, f));
	note_subscriber_name(t.predecessor.issuer_key_id, SERIAL(&t.predecessor.serial), name);
	TRY(line_by_pem(slice_str(text), name, key, &line, f));
	TRY(demo_call(d, "request.prove", json_pack("{s:s,s:[s]}", "request", request, "lines", line), true, true,
		      &proved, f));
	return demo_call(d, "request.submit", json_pack("{s:s}", "request", request), true, true, &submitted, f);
}

/* Until the desk says issued or refused. Gives *ret: the last answer. */
enum err demo_wait_issued(struct demo *d, const char *request, json_t **ret, struct fault *f)
{
	int64_t until = clock_mono_us() + WAIT_ISSUED_MS * 1000LL;
	for (;;) {
		_cleanup_(json_freep) json_t *r = NULL;
		TRY(demo_call(d, "request.show", json_pack("{s:s,s:i}", "request", request, "wait_ms", 1000), true,
			      false, &r, f));
		const char *state = demo_text(r, "state");
		if (strcmp(state, "issued") == 0) {
			*ret = TAKE(r);
			return OK;
		}
		if (strcmp(state, "refused") == 0) {
			json_t *refusal = json_object_get(r, "refusal");
			return fault_raise(f, ERR_RULE, demo_text(refusal, "rule"), "request",
					   "request %s was refused: %s", request, demo_text(refusal, "text"));
		}
		if (clock_mono_us() > until)
			return fault_raise(f, ERR_NET, "demo_slow", "request", "request %s is still %s after %d ms",
					   request, state, WAIT_ISSUED_MS);
	}
}

/* The ledger's receipt, which anybody can check without us: `hufu verify`. */
static enum err keep_receipt(struct demo *d, const char *serial, const char *stem, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	_cleanup_(freep) char *path = xasprintf("%s/%s.receipt", d->out, stem);
	TRY(demo_call(d, "receipt.get", json_pack("{s:s}", "serial", serial), true, false, &r, f));
	return file_write_new(path, slice_str(demo_text(r, "receipt")), 0644, f);
}

/* Writes the certificate, its tally note and its receipt; keeps the serial. */
enum err demo_keep_result(struct demo *d, json_t *r, const char *stem, char **ret_serial, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(freep) char *pem_path = xasprintf("%s/%s.pem", d->out, stem),
			      *note_path = xasprintf("%s/%s.note", d->out, stem);
	const char *pem = demo_text(r, "certificate"), *note = demo_text(r, "note");
	TRY(pem_or_der(slice_str(pem), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	*ret_serial = xstrdup(SERIAL(&cert.serial));
	demo_say("certificate %s, %s to %s", *ret_serial, SHANGHAI(cert.not_before), SHANGHAI(cert.not_after));
	TRY(file_write_new(pem_path, slice_str(pem), 0644, f));
	TRY(file_write_new(note_path, slice_str(note), 0644, f));
	return keep_receipt(d, *ret_serial, stem, f);
}

enum err demo_extend(struct demo *d, const char *order, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *issued = NULL;
	demo_step(d, "延期 extend again, with the paid order: same key, same subject, proved with the old key, no "
		     "officer needed");
	TRY(demo_call(d, "request.prepare", extend_params(order), true, true, &made, f));
	d->extend_request = xstrdup(demo_text(made, "request"));
	TRY(prove_and_submit(d, d->extend_request, f));
	TRY(demo_wait_issued(d, d->extend_request, &issued, f));
	TRY(demo_keep_result(d, issued, "extended", &d->extended_serial, f));
	demo_took(d);
	return OK;
}

static const char *const demo_materials[] = {"registration-form", "agent-id-card", "business-licence", "change-proof",
					     "risk-notice"};

/* A one-page PDF that says what it stands for. */
static void demo_pdf(const char *what, struct buf *b)
{
	_cleanup_(freep) char *stream = xasprintf("BT /F1 18 Tf 72 720 Td (Demo material: %s) Tj ET", what);
	size_t begin = b->len;
	buf_fmt(b,
		"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count "
		"1>>endobj\n"
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 "
		"R>>>>>>endobj\n"
		"4 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n5 0 "
		"obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n",
		strlen(stream), stream);
	size_t table = b->len - begin;
	buf_fmt(b, "xref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Size 6>>\nstartxref\n%zu\n%%%%EOF\n", table);
}

enum err demo_put_materials(struct demo *d, const char *request, const char *const *names, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf pdf = {0}, text = {0};
		_cleanup_(json_freep) json_t *r = NULL;
		demo_pdf(names[i], &pdf);
		buf_base64(&text, pdf.data, pdf.len);
		TRY(demo_call(
			d, "material.put",
			json_pack("{s:s,s:s,s:s}", "request", request, "name", names[i], "content", buf_text(&text)),
			true, true, &r, f));
	}
	return OK;
}

enum err demo_approve_as(struct demo *d, const char *request, const char *officer, struct fault *f)
{
	_cleanup_(json_freep) json_t *shown = NULL, *r = NULL;
	_cleanup_(person_key_done) struct person_key key = {0};
	_cleanup_(freep) char *path = setup_person_path(d->dir, officer), *line = NULL;
	TRY(demo_call(d, "review.show", json_pack("{s:s}", "request", request), false, false, &shown, f));
	TRY(person_key_load(path, NULL, &key, f));
	TRY(line_by_person(demo_text(shown, "tally"), &key, &line, f));
	TRY(demo_call(d, "review.approve", json_pack("{s:s,s:s}", "request", request, "line", line), false, true, &r,
		      f));
	demo_say("%s approves: request is %s", officer, demo_text(r, "state"));
	return OK;
}

static json_t *change_params(const struct demo *d, const char *order)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:b,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "kind", "change", "way",
			 "name-or-code", "project", DEMO_PROJECT, "serial", d->extended_serial, "months", 12, "order",
			 order, "files", "no", "notice_accepted", 1, "subject", "attribute", "O", "value",
			 DEMO_NEW_NAME, "attribute", "CN", "value", DEMO_NEW_NAME, "attribute",
			 "organizationIdentifier", "value", DEMO_NEW_CODE);
}

enum err demo_change(struct demo *d, const char *order, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *issued = NULL;
	demo_step(d, "变更 change name and code, with an extension in the same tally: five materials, the old key's "
		     "proof, two officers");
	TRY(demo_call(d, "request.prepare", change_params(d, order), true, true, &made, f));
	d->change_request = xstrdup(demo_text(made, "request"));
	TRY(demo_put_materials(d, d->change_request, demo_materials, 5, f));
	TRY(prove_and_submit(d, d->change_request, f));
	TRY(demo_approve_as(d, d->change_request, "alice", f));
	TRY(demo_approve_as(d, d->change_request, "bob", f));
	TRY(demo_wait_issued(d, d->change_request, &issued, f));
	TRY(demo_keep_result(d, issued, "changed", &d->changed_serial, f));
	demo_took(d);
	return OK;
}

/* Back to the old name, and taken back when one officer has signed already: the tally dies at the signer as well. */
enum err demo_withdraw(struct demo *d, struct fault *f)
{
	_cleanup_(json_freep) json_t *made = NULL, *shown = NULL, *gone = NULL;
	json_t *p =
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:[{s:s,s:s},{s:s,s:s}]}", "kind", "change", "way", "name-or-code",
			  "project", DEMO_PROJECT, "serial", d->changed_serial, "files", "no", "notice_accepted", 1,
			  "subject", "attribute", "O", "value", DEMO_NAME, "attribute", "CN", "value", DEMO_NAME);
	demo_step(d, "撤回 another change, back to the old name, is taken back after the first officer's signature");
	TRY(demo_call(d, "request.prepare", p, true, true, &made, f));
	const char *request = demo_text(made, "request");
	TRY(demo_put_materials(d, request, demo_materials, 5, f));
	TRY(prove_and_submit(d, request, f));
	TRY(demo_approve_as(d, request, "alice", f));
	TRY(demo_call(d, "request.show", json_pack("{s:s}", "request", request), true, false, &shown, f));
	d->withdrawn = xstrdup(demo_text(shown, "tally"));
	TRY(demo_call(d, "request.withdraw", json_pack("{s:s}", "request", request), true, true, &gone, f));
	demo_say("request is %s, and the signer hears that its tally is dead", demo_text(gone, "state"));
	demo_took(d);
	return OK;
}

/* --- what is left in out/ --- */

static enum err copy_to_out(const struct demo *d, const char *from, const char *name, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_(freep) char *source = demo_path(d, from), *to = path_join(d->out, name);
	TRY(file_read(source, 1u << 20, &b, f));
	return file_write_new(to, buf_slice(&b), 0644, f);
}

static void print_status(json_t *answers)
{
	size_t i;
	json_t *a;
	json_array_foreach(answers, i, a) demo_say(
		"%-34s %s%s%s%s%s", demo_text(a, "serial"), demo_text(a, "state"), demo_text(a, "reason")[0] ? " " : "",
		demo_text(a, "reason"), demo_text(a, "successor")[0] ? ", successor " : "", demo_text(a, "successor"));
}

enum err demo_collect(struct demo *d, struct fault *f)
{
	_cleanup_(json_freep) json_t *crl = NULL, *status = NULL;
	_cleanup_buf_ struct buf der = {0}, pem = {0};
	_cleanup_(freep) char *path = path_join(d->out, "crl.pem");
	demo_step(d, "status, CRL, and what is left in out/");
	TRY(demo_call(d, "status.query",
		      json_pack("{s:[s,s,s]}", "serials", DEMO_SERIAL, d->extended_serial, d->changed_serial), false,
		      false, &status, f));
	print_status(json_object_get(status, "answers"));
	TRY(demo_call(d, "crl.get", NULL, false, false, &crl, f));
	const char *text = demo_text(crl, "der");
	if (!base64_decode(text, strlen(text), &der))
		return fault_raise(f, ERR_PARSE, "crl", "crl.get", "no base64");
	pem_put(&pem, "X509 CRL", buf_slice(&der));
	TRY(file_write_new(path, buf_slice(&pem), 0644, f));
	TRY(copy_to_out(d, "etc/hufu/root.crt", "root.pem", f));
	TRY(copy_to_out(d, "etc/hufu/issuing.crt", "issuing.pem", f));
	TRY(copy_to_out(d, "etc/hufu/log.vkey", "log.vkey", f));
	TRY(copy_to_out(d, "old/legacy.pem", "legacy.pem", f));
	demo_took(d);
	return OK;
}

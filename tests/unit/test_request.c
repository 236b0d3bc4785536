/*
 * Requests from draft to outcome: the state machine, tallies, materials, proofs, officers, and the signer's word.
 */
#include "material_kit.h"
#include "ra_fixture.h"

#include "ra/bell.h"
#include "ra/clockwork.h"
#include "ra/request.h"

#include <string.h>

static json_t *of(struct fx *x, const char *request)
{
	return json_pack("{s:s,s:s}", "session", x->session, "request", request);
}

static json_t *show(struct fx *x, const char *request)
{
	return fx_do(x, UID_SUBSCRIBER, "request.show", of(x, request));
}

static json_t *with_line(struct fx *x, const char *request, const char *line)
{
	json_t *p = of(x, request);
	json_object_set_new(p, "lines", json_pack("[s]", line));
	return p;
}

static json_t *approval(const char *request, const char *line)
{
	return json_pack("{s:s,s:s}", "request", request, "line", line);
}

/* --- the table --- */

static void test_table(void **state)
{
	(void)state;
	for (size_t s = REQUEST_DRAFTED; s < REQUEST_STATE_N; s++) {
		enum request_state at = (enum request_state)s;
		assert_int_equal(request_state_from_word(request_state_word(at)), at);
		for (size_t e = 0; e < EVENT_N; e++) {
			enum request_state to = request_next(at, (enum request_event)e);
			/* A final state is left by the ledger's word alone, and only for issued. */
			if (request_state_is_final(at) && to != REQUEST_NONE) {
				assert_int_equal(e, EVENT_DONE);
				assert_int_equal(to, REQUEST_ISSUED);
			}
			/* Nobody but the signer issues, and nothing is sent that was not approved. */
			if (to == REQUEST_ISSUED)
				assert_int_equal(e, EVENT_DONE);
			if (to == REQUEST_SENT)
				assert_int_equal(at, REQUEST_APPROVED);
		}
	}
	assert_int_equal(request_state_from_word("nonsense"), REQUEST_NONE);
	assert_int_equal(request_state_from_word(""), REQUEST_NONE);
}

/* --- the main roads --- */

static void test_extension(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_state(x, id, "awaiting_proof");
	fx_submit(x, id);
	fx_state(x, id, "approved");
	fx_hand_over(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "state"), "issued");
	assert_non_null(strstr(fx_text(r, "certificate"), "BEGIN CERTIFICATE"));
	/* The note as it was sent: subscriber, then RA. */
	_cleanup_(note_done) struct note note = {0};
	struct fault f = {0};
	assert_int_equal(note_parse(slice_str(fx_text(r, "note")), 1, &note, &f), OK);
	assert_int_equal(note.n_sigs, 2);
	assert_string_equal(note.sigs[1].name, "ra-1");
	assert_int_equal(json_array_size(json_object_get(r, "missing")), 0);
	/* The service goes on with the new certificate; the old one names its successor. */
	_cleanup_(json_freep) json_t *services =
		fx_do(x, UID_SUBSCRIBER, "service.list", json_pack("{s:s}", "session", x->session));
	assert_string_equal(fx_text(json_array_get(json_object_get(services, "services"), 0), "serial"),
			    fx_text(r, "certificate_serial"));
	_cleanup_(json_freep) json_t *old = fx_do(x, UID_SUBSCRIBER, "cert.show",
						  json_pack("{s:s,s:s}", "session", x->session, "serial", ORG_SERIAL));
	assert_string_equal(fx_text(old, "successor"), fx_text(r, "certificate_serial"));
	assert_int_equal(json_array_size(json_object_get(old, "actions")), 0);
}

static void test_change_with_officers(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	fx_prove(x, id);
	fx_submit(x, id);
	fx_state(x, id, "awaiting_officers");
	_cleanup_(json_freep) json_t *queue = fx_do(x, UID_OFFICER, "review.queue", NULL);
	assert_string_equal(fx_text(json_array_get(json_object_get(queue, "requests"), 0), "officers"), "0/2");
	_cleanup_(json_freep) json_t *seen = fx_do(x, UID_OFFICER, "review.show", json_pack("{s:s}", "request", id));
	json_t *first = json_array_get(json_object_get(seen, "difference"), 0);
	assert_string_equal(fx_text(first, "attribute"), "O");
	assert_string_equal(fx_text(first, "new"), NEW_NAME);
	assert_int_equal(json_array_size(json_object_get(seen, "difference")), 3);
	assert_int_equal(json_array_size(json_object_get(seen, "materials")), 5);
	fx_approve(x, id, "alice");
	fx_state(x, id, "awaiting_officers");
	fx_approve(x, id, "bob");
	fx_state(x, id, "approved");
	fx_hand_over(x);
	fx_state(x, id, "issued");
	assert_int_equal(x->signer.n_issued, 1);
}

static void test_change_fills_what_follows(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(name_done) struct name after = {0};
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x));
	assert_int_equal(tally_parse(slice_str(fx_text(r, "tally")), &t, &f), OK);
	assert_int_equal(tally_subject_after(&t, &after, &f), OK);
	/* The common name is taken from the organisation's, in its old place. */
	assert_string_equal(name_get(&after, "CN"), NEW_NAME);
	assert_int_equal(after.n, 4);
	assert_string_equal(after.attrs[2].type->word, "CN");
	assert_int_equal(json_array_size(json_object_get(r, "missing")), 6);
}

static void test_new_key(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf csr = {0}, pem = {0};
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	assert_int_equal(csr_make(x->new_key, slice_of("\x30\x00", 2), &csr, &f), OK);
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&csr));
	json_t *p = fx_extend_params(x, order, 12);
	json_object_set_new(p, "way", json_string("new-key"));
	json_object_set_new(p, "csr", json_string(buf_text(&pem)));
	json_object_set_new(p, "files", json_string("no"));
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	const char *id = fx_text(r, "request");
	_cleanup_(freep) char *current = fx_sub_line(x, id, x->org.key), *fresh = fx_sub_line(x, id, x->new_key);
	_cleanup_(json_freep) json_t *half = fx_do(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, current));
	assert_int_equal(json_array_size(json_object_get(half, "missing")), 1);
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "new_key_missing");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, fresh)));
	fx_submit(x, id);
	fx_approve(x, id, "carol");
	fx_hand_over(x);
	fx_state(x, id, "issued");
}

static void test_revocation(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_revoke(x);
	fx_prove(x, id);
	fx_submit(x, id);
	fx_hand_over(x);
	fx_follow(x);
	fx_state(x, id, "issued");
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", ORG_SERIAL));
	json_t *answer = json_array_get(json_object_get(r, "answers"), 0);
	assert_string_equal(fx_text(answer, "state"), "revoked");
	assert_string_equal(fx_text(answer, "reason"), "cessationOfOperation");
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x), "predecessor_revoked");
}

static void test_revocation_by_officer(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	json_t *p = json_pack("{s:s,s:s,s:s,s:s}", "kind", "revoke", "serial", OTHER_SERIAL, "reason", "keyCompromise",
			      "officer", "carol");
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_OFFICER, "review.prepare", p);
	assert_string_equal(fx_text(r, "state"), "awaiting_officers");
	fx_approve(x, fx_text(r, "request"), "alice");
	fx_hand_over(x);
	fx_follow(x);
	_cleanup_(json_freep) json_t *s =
		fx_do(x, UID_PORTAL, "status.query", json_pack("{s:[s]}", "serials", OTHER_SERIAL));
	assert_string_equal(fx_text(json_array_get(json_object_get(s, "answers"), 0), "state"), "revoked");
	static const struct {
		const char *serial, *reason, *way, *rule;
	} bad[] = {{"74C2008800000AFF", "keyCompromise", "by-officer", "certificate_unknown"},
		   {"74c2", "keyCompromise", "by-officer", "serial_form"},
		   {ORG_SERIAL, "boredom", "by-officer", "reason_form"},
		   {ORG_SERIAL, "keyCompromise", "by-subscriber", "way_of_subscriber"},
		   {ORG_SERIAL, "keyCompromise", "by-magic", "way_unknown"},
		   {OTHER_SERIAL, "keyCompromise", "by-officer", "predecessor_revoked"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fx_refused(x, UID_OFFICER, "review.prepare",
			   json_pack("{s:s,s:s,s:s,s:s}", "kind", "revoke", "serial", bad[i].serial, "reason",
				     bad[i].reason, "way", bad[i].way),
			   bad[i].rule);
}

/* --- drafts that are refused --- */

static void set(json_t *p, const char *key, const char *value)
{
	if (strcmp(key, "months") == 0)
		json_object_set_new(p, key, json_integer(atol(value)));
	else
		json_object_set_new(p, key, json_string(value));
}

static void test_bad_extensions(void **state)
{
	static const struct {
		const char *key, *value, *rule;
	} cases[] = {
		{"serial", OTHER_SERIAL, "certificate_unknown"},
		{"serial", "74C2008800000AFF", "certificate_unknown"},
		{"serial", "74c2008800000ae9", "serial_form"},
		{"serial", "00C2", "serial_form"},
		{"issuer", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "issuer_form"},
		{"issuer", "0000000000000000000000000000000000000000", "certificate_unknown"},
		{"kind", "hold", "param_word"},
		{"kind", "enrol", "param_unknown"},
		{"key_seen", "paper", "key_seen"},
		{"collides", "2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a 01", "collides_unknown"},
		{"kind", "extended", "param_word"},
		{"way", "by-magic", "way_unknown"},
		{"project", "nowhere", "project_unknown"},
		{"profile", "person", "profile_unknown"},
		{"months", "0", "validity_length"},
		{"months", "7", "validity_length"},
		{"months", "-1", "param_range"},
		{"csr", "-----BEGIN NONSENSE-----", "pem_none"},
		{"csr", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n", "csr_form"},
		{"reason", "keyCompromise", "reason_form"},
		{"files", "perhaps", "param_word"},
		{"request", "00000000000000000000000000000000", "request_unknown"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = fx_extend_params(x, order, 12);
		set(p, cases[i].key, cases[i].value);
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, cases[i].rule);
	}
	/* Nobody's order, and another's, are not kept in a draft that is only saved either. */
	_cleanup_(freep) char *others = fx_paid_order(x, x->other_session, "20354");
	const char *const orders[] = {"20261123-7K2M9QXA4BCD", "'; DROP TABLE orders;--", others};
	for (size_t i = 0; i < 3; i++) {
		json_t *p = fx_extend_params(x, orders[i], 12);
		json_object_set_new(p, "save", json_true());
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "order_unknown");
	}
}

static void test_bad_subjects(void **state)
{
	static const struct {
		const char *attribute, *value, *rule;
	} cases[] = {
		{"O", "擎洲测试投标人6", "subject_empty_change"},
		{"C", "US", "subject_change"},
		{"O", "", "subject_attribute"},
		{"nonsense", "x", "subject_attribute"},
		{"O", " 空格", "name_space"},
		{"O", "\u202e反转", "param_characters"},
		{"O", "零\u200b宽", "param_characters"},
		{"CN", "与单位名称不同", "subject_attribute"},
		{"organizationIdentifier", "914403001922038217", "identifier_check"},
		{"organizationIdentifier", "35353550-9", "subject_empty_change"},
		{"OU", "部门", "subject_attribute"},
		{"organizationIdentifier", OTHER_CODE, "line_occupied"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = fx_change_params(x);
		json_object_set_new(p, "subject",
				    json_pack("[{s:s,s:s}]", "attribute", cases[i].attribute, "value", cases[i].value));
		fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, cases[i].rule);
	}
	json_t *p = fx_change_params(x);
	json_array_append(json_object_get(p, "subject"), json_array_get(json_object_get(p, "subject"), 0));
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "subject_twice");
}

static void test_windows(void **state)
{
	static const struct {
		int64_t days;
		const char *rule;
	} cases[] = {{-40, "validity_window"}, {-30, NULL}, {0, NULL}, {60 + 365, NULL}, {60 + 366, "validity_window"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new();
		clock_set(NOW + cases[i].days * DAY);
		fx_log_in(x);
		_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
		if (cases[i].rule)
			fx_refused(x, UID_SUBSCRIBER, "request.prepare", fx_extend_params(x, order, 12), cases[i].rule);
		else
			free(fx_extend(x, order, 12));
	}
}

/* --- editing, materials --- */

static void test_edit_until_proved(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	json_t *p = fx_extend_params(x, order, 24);
	json_object_set_new(p, "request", json_string(id));
	_cleanup_(json_freep) json_t *edited = fx_do(x, UID_SUBSCRIBER, "request.prepare", p);
	assert_string_equal(fx_text(edited, "request"), id);
	assert_non_null(strstr(fx_text(edited, "tally"), "add 24 months"));
	fx_prove(x, id);
	p = fx_extend_params(x, order, 12);
	json_object_set_new(p, "request", json_string(id));
	fx_refused(x, UID_SUBSCRIBER, "request.prepare", p, "request_state");
}

static json_t *material(struct fx *x, const char *id, const char *name, const void *bytes, size_t n)
{
	_cleanup_buf_ struct buf text = {0};
	buf_base64(&text, bytes, n);
	json_t *p = of(x, id);
	json_object_set_new(p, "name", json_string(name));
	json_object_set_new(p, "content", json_string(buf_text(&text)));
	return p;
}

static void test_materials(void **state)
{
	_cleanup_buf_ struct buf pdf = {0}, jpeg = {0}, png = {0}, two = {0};
	kit_pdf("", &pdf);
	kit_jpeg(&jpeg);
	kit_png(&png);
	buf_add_slice(&two, buf_slice(&png));
	buf_add_slice(&two, buf_slice(&pdf));
	const struct {
		const char *name;
		struct slice bytes;
		const char *rule;
	} cases[] = {
		{"change-proof", buf_slice(&pdf), NULL},
		{"change-proof", buf_slice(&jpeg), NULL},
		{"change-proof", buf_slice(&png), NULL},
		{"change-proof", buf_slice(&two), "material_hidden"},
		{"change-proof", slice_str("%PDF-1.4 x"), "material_form"},
		{"change-proof", slice_str("plain text"), "material_type"},
		{"birth-certificate", buf_slice(&pdf), "material_unknown"},
		{"../../etc/passwd", buf_slice(&pdf), "material_unknown"},
		{"'; DROP TABLE materials; --", buf_slice(&pdf), "material_unknown"},
		{"<script>alert(1)</script>", buf_slice(&pdf), "material_unknown"},
	};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *draft = fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x));
	const char *id = fx_text(draft, "request");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *p = material(x, id, cases[i].name, cases[i].bytes.p, cases[i].bytes.n);
		if (cases[i].rule)
			fx_refused(x, UID_SUBSCRIBER, "material.put", p, cases[i].rule);
		else
			json_decref(fx_do(x, UID_SUBSCRIBER, "material.put", p));
	}
	json_t *p = material(x, id, "change-proof", pdf.data, pdf.len);
	json_object_set_new(p, "content", json_string("not base64!!"));
	fx_refused(x, UID_SUBSCRIBER, "material.put", p, "material_content");
	/* Each is bound into the tally by its hash. */
	_cleanup_(json_freep) json_t *r = show(x, id);
	json_t *list = json_object_get(r, "materials"), *m;
	size_t i;
	assert_int_equal(json_array_size(list), 3);
	json_array_foreach(list, i, m) assert_non_null(strstr(fx_text(r, "tally"), fx_text(m, "sha256")));
}

static void test_materials_are_bounded(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_(freep) char *large = xcalloc(1, 701u * 1024u);
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *draft = fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x));
	const char *id = fx_text(draft, "request");
	fx_refused(x, UID_SUBSCRIBER, "material.put", material(x, id, "change-proof", large, 700u * 1024u + 1),
		   "material_size");
	for (int i = 0; i <= TALLY_MAX_MATERIALS; i++) {
		_cleanup_buf_ struct buf pdf = {0};
		char body[16];
		snprintf(body, sizeof(body), "%% %d", i);
		kit_pdf(body, &pdf);
		json_t *p = material(x, id, "change-proof", pdf.data, pdf.len);
		if (i == TALLY_MAX_MATERIALS)
			fx_refused(x, UID_SUBSCRIBER, "material.put", p, "materials");
		else
			json_decref(fx_do(x, UID_SUBSCRIBER, "material.put", p));
	}
}

static json_t *fetch(const char *id, json_t *m, const char *session)
{
	json_t *p =
		json_pack("{s:s,s:s,s:s}", "request", id, "name", fx_text(m, "name"), "sha256", fx_text(m, "sha256"));
	if (session)
		json_object_set_new(p, "session", json_string(session));
	return p;
}

static void test_material_downloads(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	json_t *m = json_array_get(json_object_get(r, "materials"), 0);
	_cleanup_(json_freep) json_t *owner = fx_do(x, UID_SUBSCRIBER, "material.get", fetch(id, m, x->session));
	_cleanup_(json_freep) json_t *officer = fx_do(x, UID_OFFICER, "material.get", fetch(id, m, NULL));
	assert_string_equal(fx_text(owner, "content"), fx_text(officer, "content"));
	fx_refused(x, UID_OTHER, "material.get", fetch(id, m, x->other_session), "request_unknown");
	fx_refused(x, UID_SUBSCRIBER, "material.get", fetch(id, m, NULL), "session_missing");
	fx_refused(x, UID_ADMIN, "material.get", fetch(id, m, NULL), "method_denied");
}

/* --- proofs and officers --- */

static void test_bad_proofs(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	_cleanup_(freep) char *elsewhere = fx_extend(x, order, 12);
	_cleanup_(freep) char *wrong_key = fx_sub_line(x, id, x->other.key), *new_key = fx_sub_line(x, id, x->new_key),
			      *officer = fx_officer_line(x, id, "alice"), *other_text = NULL,
			      *good = fx_sub_line(x, id, x->org.key), *two = xasprintf("%s%s", good, good);
	other_text = fx_sub_line(x, elsewhere, x->org.key);
	const struct {
		const char *line, *rule;
	} cases[] = {{wrong_key, "subscriber_signature"},
		     {new_key, "signer_unknown"},
		     {officer, "signer_unknown"},
		     {other_text, "subscriber_signature"},
		     {two, "line_form"},
		     {"nonsense", "note_signature_line"},
		     {"", "note_unsigned"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, cases[i].line), cases[i].rule);
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "subscriber_missing");
	fx_state(x, id, "drafted");
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, good)));
	/* A second line of the same key is no news. */
	_cleanup_(freep) char *again = fx_sub_line(x, id, x->org.key);
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, again)));
	fx_submit(x, id);
	fx_hand_over(x);
	fx_state(x, id, "issued");
}

static void test_proof_wants_a_complete_draft(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *draft = fx_do(x, UID_SUBSCRIBER, "request.prepare", fx_change_params(x));
	const char *id = fx_text(draft, "request");
	_cleanup_(freep) char *line = fx_sub_line(x, id, x->org.key);
	fx_refused(x, UID_SUBSCRIBER, "request.prove", with_line(x, id, line), "materials_missing");
	json_t *p = fx_change_params(x);
	json_object_del(p, "notice_accepted");
	_cleanup_(freep) char *whole = fx_change(x);
	json_object_set_new(p, "request", json_string(whole));
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.prepare", p));
	_cleanup_(freep) char *other = fx_sub_line(x, whole, x->org.key);
	fx_refused(x, UID_SUBSCRIBER, "request.prove", with_line(x, whole, other), "notice_missing");
}

static void test_bad_approvals(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	_cleanup_(freep) char *early = fx_officer_line(x, id, "alice");
	fx_refused(x, UID_OFFICER, "review.approve", approval(id, early), "request_state");
	fx_prove(x, id);
	fx_submit(x, id);
	_cleanup_(freep) char *dave = fx_officer_line(x, id, "dave"), *ra = fx_officer_line(x, id, "ra-1"),
			      *mallory = fx_officer_line(x, id, "mallory"), *alice = fx_officer_line(x, id, "alice"),
			      *sub = fx_sub_line(x, id, x->org.key);
	_cleanup_(freep) char *forged = xstrdup(mallory);
	/* Mallory's signature under alice's name. */
	_cleanup_(freep) char *stolen = xasprintf("— alice%s", strchr(strchr(forged, ' ') + 1, ' '));
	const struct {
		const char *line, *rule;
	} cases[] = {{dave, "officers_scope"}, {ra, "signer_unknown"},	      {mallory, "signer_unknown"},
		     {sub, "signer_unknown"},  {stolen, "officer_signature"}, {"— alice AAAA", "note_signature_line"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fx_refused(x, UID_OFFICER, "review.approve", approval(id, cases[i].line), cases[i].rule);
	fx_refused(x, UID_SUBSCRIBER, "review.approve", approval(id, alice), "method_denied");
	json_decref(fx_do(x, UID_OFFICER, "review.approve", approval(id, alice)));
	fx_refused(x, UID_OFFICER, "review.approve", approval(id, alice), "officer_twice");
	fx_state(x, id, "awaiting_officers");
	fx_refused(x, UID_OFFICER, "review.approve", approval("00000000000000000000000000000000", alice),
		   "request_unknown");
}

static void test_rejection_kills_the_tally(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	fx_prove(x, id);
	fx_submit(x, id);
	fx_approve(x, id, "alice");
	json_decref(
		fx_do(x, UID_OFFICER, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "照片不清楚")));
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "state"), "refused");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "rule"), "officer_rejected");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "text"), "照片不清楚");
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	assert_int_equal(x->signer.n_issued, 0);
	fx_follow(x);
	fx_state(x, id, "refused");
}

/* --- withdrawing, expiring --- */

static void withdraw(struct fx *x, const char *id)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.withdraw", of(x, id));
	assert_string_equal(fx_text(r, "state"), "withdrawn");
}

static void test_withdrawal(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	/* Approved and queued, but not sent: it never goes out; its withdrawal does. */
	withdraw(x, id);
	fx_hand_over(x);
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	assert_int_equal(x->signer.n_issued, 0);
	fx_follow(x);
	fx_state(x, id, "withdrawn");
	fx_refused(x, UID_SUBSCRIBER, "request.withdraw", of(x, id), "request_state");
	fx_refused(x, UID_SUBSCRIBER, "request.submit", of(x, id), "request_state");
	/* What is done stays done. */
	_cleanup_(freep) char *next = fx_extend(x, order, 12);
	fx_prove(x, next);
	fx_submit(x, next);
	fx_hand_over(x);
	fx_refused(x, UID_SUBSCRIBER, "request.withdraw", of(x, next), "request_state");
}

static void test_expiry(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	struct fault f = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	_cleanup_(freep) char *proved = fx_extend(x, order, 12), *queued = NULL;
	fx_prove(x, proved);
	queued = fx_extend(x, order, 12);
	fx_prove(x, queued);
	fx_submit(x, queued);
	clock_set(NOW + DAY - 1);
	assert_int_equal(clockwork_turn(x->desk, &f), OK);
	clock_set(NOW);
	fx_state(x, id, "drafted");
	clock_set(NOW + DAY);
	assert_int_equal(clockwork_turn(x->desk, &f), OK);
	fx_hand_over(x);
	clock_set(NOW);
	fx_state(x, id, "expired");
	fx_state(x, proved, "expired");
	fx_state(x, queued, "expired");
	assert_int_equal(x->signer.n_tallies, 0);
}

/* --- what the signer says --- */

static void test_signer_refuses(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	x->signer.fail = 1;
	fault_raise(&x->signer.fault, ERR_RULE, "line_occupied", "tally.subject", "found it taken");
	fx_hand_over(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "state"), "refused");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "rule"), "line_occupied");
	assert_string_equal(fx_text(json_object_get(r, "refusal"), "where"), "tally.subject");
	fx_hand_over(x);
	assert_int_equal(x->signer.n_tallies, 1);
	/* The order was not used up by a refusal. */
	free(fx_extend(x, order, 12));
}

static void test_ledger_corrects(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	/* It was issued, but what came back was a refusal (sent again after its time, say). */
	x->signer.fail = 1;
	x->signer.fail_after = true;
	fault_raise(&x->signer.fault, ERR_RULE, "tally_expired", "tally.dies", "found it dead");
	fx_hand_over(x);
	fx_state(x, id, "refused");
	fx_follow(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	assert_string_equal(fx_text(r, "state"), "issued");
	assert_null(json_object_get(r, "refusal"));
	assert_true(fx_text(r, "certificate")[0]);
}

static void test_refusal_of_another_text_is_not_ours(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	_cleanup_buf_ struct buf entry = {0};
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	struct wire_e_refused e = {
		.at = NOW, .rule = slice_str("key_hash"), .where = slice_str("tally.key"), .text = slice_str("x")};
	assert_true(hex_decode(id, REQUEST_ID, e.tally, TALLY_ID));
	wire_e_refused_put(&e, &entry);
	fx_append(x, &entry);
	fx_follow(x);
	fx_state(x, id, "drafted");
}

/* --- whose --- */

static void test_others_are_not_there(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = fx_change(x);
	static const char *const methods[] = {"request.show", "request.submit", "request.withdraw"};
	const char *const ids[] = {id, "00000000000000000000000000000000"};
	for (size_t i = 0; i < 2; i++) {
		for (size_t m = 0; m < 3; m++)
			fx_refused(x, UID_OTHER, methods[m],
				   json_pack("{s:s,s:s}", "session", x->other_session, "request", ids[i]),
				   "request_unknown");
	}
	fx_refused(x, UID_OTHER, "cert.show", json_pack("{s:s,s:s}", "session", x->other_session, "serial", ORG_SERIAL),
		   "certificate_unknown");
	_cleanup_(json_freep) json_t *list =
		fx_do(x, UID_OTHER, "request.list", json_pack("{s:s}", "session", x->other_session));
	assert_int_equal(json_integer_value(json_object_get(list, "total")), 0);
}

static void test_history_tells_all(void **state)
{
	static const char *const events[] = {"draft", "prove", "submit", "send", "issue"};
	static const char *const states[] = {"drafted", "awaiting_proof", "approved", "sent", "issued"};
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	fx_hand_over(x);
	fx_follow(x);
	_cleanup_(json_freep) json_t *r = show(x, id);
	json_t *history = json_object_get(r, "history");
	assert_int_equal(json_array_size(history), 5);
	for (size_t i = 0; i < 5; i++) {
		json_t *item = json_array_get(history, i);
		assert_string_equal(fx_text(item, "event"), events[i]);
		assert_string_equal(fx_text(item, "to"), states[i]);
		assert_true(fx_text(item, "who")[0] && fx_text(item, "at")[0]);
	}
}

static void test_waiting_for_the_end(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	int64_t before = clock_mono_us();
	json_t *p = of(x, id);
	json_object_set_new(p, "wait_ms", json_integer(50));
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.show", p));
	assert_true(clock_mono_us() - before >= 50000);
	p = of(x, id);
	json_object_set_new(p, "wait_ms", json_integer(10001));
	fx_refused(x, UID_SUBSCRIBER, "request.show", p, "param_range");
	/* A desk that stops lets everybody go. */
	bell_stop(x->desk->finished);
	p = of(x, id);
	json_object_set_new(p, "wait_ms", json_integer(10000));
	before = clock_mono_us();
	json_decref(fx_do(x, UID_SUBSCRIBER, "request.show", p));
	assert_true(clock_mono_us() - before < 5000000);
}

/* --- proof and submission by one call --- */

static json_t *prove_and_submit(struct fx *x, const char *id, EVP_PKEY *key)
{
	_cleanup_(freep) char *line = fx_sub_line(x, id, key);
	return json_pack("{s:s,s:s,s:[s],s:b}", "session", x->session, "request", id, "lines", line, "submit", 1);
}

static size_t count_history(struct fx *x, const char *id, const char *event, const char *to)
{
	_cleanup_(json_freep) json_t *r =
		fx_do(x, UID_SUBSCRIBER, "request.show", json_pack("{s:s,s:s}", "session", x->session, "request", id));
	json_t *row;
	size_t i, n = 0;
	json_array_foreach(json_object_get(r, "history"), i, row) n +=
		strcmp(fx_text(row, "event"), event) == 0 && strcmp(fx_text(row, "to"), to) == 0;
	return n;
}

static void test_prove_and_submit(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new();
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	_cleanup_(freep) char *id = fx_extend(x, order, 12);
	/* Another's key proves nothing, and nothing of the call is kept. */
	fx_refused(x, UID_SUBSCRIBER, "request.prove", prove_and_submit(x, id, x->other.key), "subscriber_signature");
	fx_state(x, id, "drafted");
	assert_int_equal(count_history(x, id, "submit", "approved"), 0);
	json_t *params = prove_and_submit(x, id, x->org.key);
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_SUBSCRIBER, "request.prove", params);
	assert_string_equal(fx_text(r, "state"), "approved");
	assert_int_equal(count_history(x, id, "prove", "awaiting_proof"), 1);
	assert_int_equal(count_history(x, id, "submit", "approved"), 1);
	/* It was handed in: neither can be done again. */
	fx_refused(x, UID_SUBSCRIBER, "request.prove", prove_and_submit(x, id, x->org.key), "request_state");
	fx_hand_over(x);
	fx_state(x, id, "issued");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_extension),
		cmocka_unit_test(test_change_with_officers),
		cmocka_unit_test(test_change_fills_what_follows),
		cmocka_unit_test(test_new_key),
		cmocka_unit_test(test_revocation),
		cmocka_unit_test(test_revocation_by_officer),
		cmocka_unit_test(test_bad_extensions),
		cmocka_unit_test(test_bad_subjects),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_edit_until_proved),
		cmocka_unit_test(test_materials),
		cmocka_unit_test(test_materials_are_bounded),
		cmocka_unit_test(test_material_downloads),
		cmocka_unit_test(test_bad_proofs),
		cmocka_unit_test(test_proof_wants_a_complete_draft),
		cmocka_unit_test(test_bad_approvals),
		cmocka_unit_test(test_rejection_kills_the_tally),
		cmocka_unit_test(test_withdrawal),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_signer_refuses),
		cmocka_unit_test(test_ledger_corrects),
		cmocka_unit_test(test_refusal_of_another_text_is_not_ours),
		cmocka_unit_test(test_others_are_not_there),
		cmocka_unit_test(test_history_tells_all),
		cmocka_unit_test(test_waiting_for_the_end),
		cmocka_unit_test(test_prove_and_submit),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

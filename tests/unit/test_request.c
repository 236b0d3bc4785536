/*
 * Requests as drafts: the state machine, the main roads, what is refused, and materials.
 */
#include "request_kit.h"

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
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

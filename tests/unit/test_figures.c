/*
 * Figures by day, and the outlook.
 */
#include "ra_fixture.h"

#include <string.h>

static json_t *today(struct fx *x, enum fx_uid uid, json_t **ret_all)
{
	*ret_all = fx_do(x, uid, "desk.figures", json_pack("{s:i}", "days", 2));
	json_t *days = json_object_get(*ret_all, "days");
	assert_int_equal(json_array_size(days), 2);
	return json_array_get(days, 1);
}

static void counts(json_t *day, int received, int approved, int rejected, int corrected, int late)
{
	assert_int_equal(json_integer_value(json_object_get(day, "received")), received);
	assert_int_equal(json_integer_value(json_object_get(day, "approved")), approved);
	assert_int_equal(json_integer_value(json_object_get(day, "rejected")), rejected);
	assert_int_equal(json_integer_value(json_object_get(day, "corrected")), corrected);
	assert_int_equal(json_integer_value(json_object_get(day, "late")), late);
}

static char *waiting(struct fx *x)
{
	char *id = fx_change(x);
	fx_prove(x, id);
	fx_submit(x, id);
	return id;
}

/* Handed in on one day, rejected six hours later, and late: each is counted on the day when it was. */
static void test_by_day(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	json_t *all = NULL;
	(void)state;
	fx_log_in(x);
	counts(today(x, UID_OFFICER, &all), 0, 0, 0, 0, 0);
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(all, "days"), 1), "median_hours")));
	json_decref(all);
	_cleanup_(freep) char *id = waiting(x);
	counts(today(x, UID_OFFICER, &all), 1, 0, 0, 0, 0);
	json_decref(all);
	clock_set(NOW + 6 * 3600);
	json_decref(fx_do(x, UID_OFFICER, "review.reject", json_pack("{s:s,s:s}", "request", id, "reason", "x")));
	json_t *day = today(x, UID_ADMIN, &all);
	counts(day, 1, 0, 1, 0, 0);
	assert_int_equal((int)(10 * json_real_value(json_object_get(day, "median_hours")) + 0.5), 60);
	json_decref(all);
	/* an officer of another project sees nothing of it; a subscriber is not asked */
	counts(today(x, UID_NARROW, &all), 0, 0, 0, 0, 0);
	json_decref(all);
	fx_refused(x, UID_SUBSCRIBER, "desk.figures", json_object(), "method_denied");
	fx_refused(x, UID_OFFICER, "desk.figures", json_pack("{s:i}", "days", 0), "param_range");
	fx_refused(x, UID_OFFICER, "desk.figures", json_pack("{s:i}", "days", 32), "param_range");
}

/* One line of two decides nothing; what is decided behind its due date is late. */
static void test_late_and_half(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	json_t *all = NULL;
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *id = waiting(x);
	fx_approve(x, id, "alice");
	counts(today(x, UID_OFFICER, &all), 1, 0, 0, 0, 0);
	json_decref(all);
	clock_set(NOW + 20 * 86400);
	json_decref(fx_do(x, UID_OFFICER, "review.correct",
			  json_pack("{s:s,s:[{s:s,s:s}]}", "request", id, "items", "item", "other", "reason", "x")));
	counts(today(x, UID_OFFICER, &all), 0, 0, 0, 1, 1);
	json_decref(all);
}

/* Certificates stand in the week in which they end; a refusal of the signer with its rule. */
static void test_outlook(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	int64_t wanted = 0, found = 0;
	json_t *v;
	size_t i;
	(void)state;
	fx_log_in(x);
	_cleanup_(json_freep) json_t *o = fx_do(x, UID_OFFICER, "desk.outlook", NULL);
	assert_int_equal(json_array_size(json_object_get(o, "weeks")), 13);
	json_array_foreach(json_object_get(o, "weeks"), i, v) found += json_integer_value(json_object_get(v, "ends"));
	wanted = fx_number(x, "SELECT count(*) FROM certs WHERE successor IS NULL AND state < 2 AND not_after BETWEEN"
			      " 1795392000 AND 1795392000 + 90 * 86400");
	assert_true(wanted > 0);
	assert_int_equal(found, wanted);
	assert_int_equal(json_array_size(json_object_get(o, "refusals")), 0);
	assert_int_equal(json_array_size(json_object_get(o, "responders")), 0);
	fx_refused(x, UID_SUBSCRIBER, "desk.outlook", NULL, "method_denied");
}

/* What the signer refuses stands there with its rule, for those who see its project. */
static void test_refusals(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	(void)state;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353"), *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	pthread_mutex_lock(&x->signer.lock);
	x->signer.fail = 1;
	fault_raise(&x->signer.fault, ERR_RULE, "predecessor_revoked", "signer", "played fault");
	pthread_mutex_unlock(&x->signer.lock);
	fx_hand_over(x);
	fx_state(x, id, "refused");
	_cleanup_(json_freep) json_t *o = fx_do(x, UID_ADMIN, "desk.outlook", NULL),
				     *narrow = fx_do(x, UID_NARROW, "desk.outlook", NULL);
	json_t *rows = json_object_get(o, "refusals");
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(fx_text(json_array_get(rows, 0), "rule"), "predecessor_revoked");
	assert_string_equal(fx_text(json_array_get(rows, 0), "kind"), "extend");
	assert_string_equal(fx_text(json_array_get(rows, 0), "zh"), "证书已吊销");
	assert_string_equal(fx_text(json_array_get(rows, 0), "en"), "the certificate is revoked");
	/* The checkpoint is the signer's own text. */
	assert_non_null(strstr(fx_text(o, "checkpoint"), "\n\n\u2014 "));
	assert_int_equal(json_array_size(json_object_get(narrow, "refusals")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_day),
		cmocka_unit_test(test_late_and_half),
		cmocka_unit_test(test_outlook),
		cmocka_unit_test(test_refusals),
	};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Which difference of subjects a kind may make: kept values are never judged again, new ones always.
 */
#include "judge_kit.h"

static void c_other_subject(struct scene *s)
{
	_cleanup_(name_done) struct name other = {0};

	subject_of(&other, "别家单位", "别家单位", OLD_CODE);
	assert_int_equal(tally_set_subject(&s->t, &other, &other, NULL), OK);
}
static void c_changed_in_extension(struct scene *s)
{
	subject_set(s, "杭州新名", "杭州新名", NEW_CODE);
}
static void c_no_difference(struct scene *s)
{
	subject_set(s, "擎洲测试投标人6", "擎洲测试投标人6", OLD_CODE);
}
static void c_name_alone(struct scene *s)
{
	subject_set(s, "杭州新名", "杭州新名", OLD_CODE);
}
static void c_code_alone(struct scene *s)
{
	subject_set(s, "擎洲测试投标人6", "擎洲测试投标人6", NEW_CODE);
}
static void c_code_bad(struct scene *s)
{
	subject_set(s, "擎洲测试投标人6", "擎洲测试投标人6", "913301003535355024");
}
static void c_code_old_form_bad(struct scene *s)
{
	subject_set(s, "擎洲测试投标人6", "擎洲测试投标人6", "35353551-9");
}
static void c_code_pattern(struct scene *s)
{
	subject_set(s, "擎洲测试投标人6", "擎洲测试投标人6", "91330100353535502x");
}
static void c_code_removed(struct scene *s)
{
	subject_set(s, "杭州新名", "杭州新名", NULL);
}
static void c_cn_differs(struct scene *s)
{
	subject_set(s, "杭州新名", "杭州他名", NEW_CODE);
}
static void c_name_of_two(struct scene *s)
{
	subject_set(s, "杭州", "杭州", NEW_CODE);
}
static void c_cn_stays(struct scene *s)
{
	subject_set(s, "杭州新名", "擎洲测试投标人6", NEW_CODE);
}
static void c_name_short(struct scene *s)
{
	subject_set(s, "杭", "杭", NEW_CODE);
}
static void c_unlisted(struct scene *s)
{
	_cleanup_(name_done) struct name after = {0};

	subject_of(&after, "杭州新名", "杭州新名", NEW_CODE);
	add(&after, "OU", "root");
	assert_int_equal(tally_set_subject(&s->t, &s->subject, &after, NULL), OK);
}
static void c_country(struct scene *s)
{
	_cleanup_(name_done) struct name after = {0};

	add(&after, "C", "US");
	add(&after, "O", "杭州新名");
	add(&after, "CN", "杭州新名");
	add(&after, "organizationIdentifier", NEW_CODE);
	assert_int_equal(tally_set_subject(&s->t, &s->subject, &after, NULL), OK);
}
static void c_second_code(struct scene *s)
{
	_cleanup_(name_done) struct name after = {0};

	subject_of(&after, "擎洲测试投标人6", "擎洲测试投标人6", OLD_CODE);
	add(&after, "organizationIdentifier", NEW_CODE);
	assert_int_equal(tally_set_subject(&s->t, &s->subject, &after, NULL), OK);
}
static void c_enrol_order(struct scene *s)
{
	_cleanup_(name_done) struct name after = {0}, none = {0};

	add(&after, "O", "杭州新名");
	add(&after, "C", "CN");
	add(&after, "CN", "杭州新名");
	add(&after, "organizationIdentifier", NEW_CODE);
	assert_int_equal(tally_set_subject(&s->t, &none, &after, NULL), OK);
}
static void c_enrol_kept_line(struct scene *s)
{
	s->t.subject[0].mark = SUBJECT_SAME;
}
/* A subject of another CA's making: an attribute that the profile does not list, and no identifier. */
static void legacy(struct scene *s)
{
	name_done(&s->subject);
	s->subject = (struct name){0};
	add(&s->subject, "C", "CN");
	add(&s->subject, "L", "杭州");
	add(&s->subject, "O", "擎洲测试投标人6");
	add(&s->subject, "CN", "6号投标人");
}
static void c_legacy_kept(struct scene *s)
{
	legacy(s);
	assert_int_equal(tally_set_subject(&s->t, &s->subject, &s->subject, NULL), OK);
}
static void legacy_change(struct scene *s, const char *common_name, bool keep_city, const char *code)
{
	_cleanup_(name_done) struct name after = {0};

	legacy(s);
	add(&after, "C", "CN");
	if (keep_city)
		add(&after, "L", "杭州");
	add(&after, "O", "擎洲测试投标人6");
	add(&after, "CN", common_name);
	if (code != NULL)
		add(&after, "organizationIdentifier", code);
	assert_int_equal(tally_set_subject(&s->t, &s->subject, &after, NULL), OK);
}
static void c_legacy_gains_code(struct scene *s)
{
	legacy_change(s, "6号投标人", true, NEW_CODE);
}
static void c_legacy_loses_city(struct scene *s)
{
	legacy_change(s, "6号投标人", false, NEW_CODE);
}
static void c_legacy_stays_without_code(struct scene *s)
{
	legacy_change(s, "擎洲测试投标人6", true, NULL);
}

static const struct judge_case cases[] = {
	/* subject */
	{"another's subject", TALLY_EXTEND, c_other_subject, "subject_before"},
	{"another's subject, change", TALLY_CHANGE, c_other_subject, "subject_before"},
	{"enrol with a kept line", TALLY_ENROL, c_enrol_kept_line, "subject_before"},
	{"extension changes", TALLY_EXTEND, c_changed_in_extension, "subject_change"},
	{"reissue changes", TALLY_REISSUE, c_changed_in_extension, "subject_change"},
	{"change of nothing", TALLY_CHANGE, c_no_difference, "subject_empty_change"},
	{"name alone: the old code stays, check digit and all", TALLY_CHANGE, c_name_alone, NULL},
	{"code alone", TALLY_CHANGE, c_code_alone, NULL},
	{"new code with a wrong check character", TALLY_CHANGE, c_code_bad, "identifier_check"},
	{"new code of the old form, wrong", TALLY_CHANGE, c_code_old_form_bad, "identifier_check"},
	{"new code in lower case", TALLY_CHANGE, c_code_pattern, "subject_attribute"},
	{"code removed", TALLY_CHANGE, c_code_removed, "subject_attribute"},
	{"CN is not O", TALLY_CHANGE, c_cn_differs, "subject_attribute"},
	{"CN is not O, enrol", TALLY_ENROL, c_cn_differs, "subject_attribute"},
	{"O changes, CN stays", TALLY_CHANGE, c_cn_stays, "subject_attribute"},
	{"name of two characters", TALLY_CHANGE, c_name_of_two, NULL},
	{"name of one character", TALLY_CHANGE, c_name_short, "subject_attribute"},
	{"attribute that the profile lacks", TALLY_CHANGE, c_unlisted, "subject_attribute"},
	{"attribute that is kept", TALLY_CHANGE, c_country, "subject_change"},
	{"attribute that the way leaves", TALLY_CHANGE, c_none, "subject_change", "        fate: revoke\n",
	 "        attributes: [organizationIdentifier]\n        fate: revoke\n"},
	{"attribute that the way names", TALLY_CHANGE, c_code_alone, NULL, "        fate: revoke\n",
	 "        attributes: [organizationIdentifier]\n        fate: revoke\n"},
	{"second code", TALLY_CHANGE, c_second_code, "subject_attribute"},
	{"order of attributes", TALLY_ENROL, c_enrol_order, "subject_attribute"},
	{"enrol without a code", TALLY_ENROL, c_code_removed, "subject_attribute"},
	{"enrol with a wrong code", TALLY_ENROL, c_code_bad, "identifier_check"},
	{"legacy subject kept", TALLY_EXTEND, c_legacy_kept, NULL},
	{"legacy subject gains the code", TALLY_CHANGE, c_legacy_gains_code, NULL},
	{"legacy subject loses what is not listed", TALLY_CHANGE, c_legacy_loses_city, "subject_attribute"},
	{"legacy subject stays without the code", TALLY_CHANGE, c_legacy_stays_without_code, "subject_attribute"},
};

static void test_each_rule(void **state)
{
	(void)state;
	CASES_RUN(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

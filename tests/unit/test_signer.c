#include "ca_fixture.h"

static void extends(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	(void)state;
	fx_extend(x, ORG_P256, &t);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA | BY_SUB, &a);
	check_done("extend", &a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(extends)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

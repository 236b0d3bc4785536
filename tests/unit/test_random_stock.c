/*
 * random_stock: many small draws.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/random_stock.h"

#include <string.h>

#define DRAWS 200u

/* Nothing is given twice, nor stays where it was, also where the stock ends in the middle of a wish. */
static void draws_differ_and_are_gone(void **state)
{
	static uint8_t taken[DRAWS][24];
	static const uint8_t none[RANDOM_STOCK_BYTES];
	struct random_stock s = {0};
	(void)state;
	for (size_t i = 0; i < DRAWS; i++) {
		random_stock_take(&s, taken[i], sizeof(taken[i]));
		assert_memory_equal(s.bytes + s.left, none, sizeof(taken[i]));
		assert_memory_not_equal(taken[i], none, sizeof(taken[i]));
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(taken[i], taken[k], sizeof(taken[i]));
	}
}

static void all_of_it_at_once(void **state)
{
	static const uint8_t none[RANDOM_STOCK_BYTES];
	uint8_t some[24], all[RANDOM_STOCK_BYTES];
	struct random_stock s = {0};
	(void)state;
	random_stock_take(&s, some, sizeof(some));
	random_stock_take(&s, all, sizeof(all));
	assert_int_equal(s.left, 0);
	assert_memory_equal(s.bytes, none, sizeof(none));
	assert_memory_not_equal(all + sizeof(all) / 2, all, sizeof(all) / 2);
	random_stock_take(&s, some, 0);
	assert_int_equal(s.left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_differ_and_are_gone),
		cmocka_unit_test(all_of_it_at_once),
	};
	return cmocka_run_group_tests_name("random_stock", tests, NULL, NULL);
}

/*
 * docs/openrpc.json is what the desk serves: portals are written against the file.
 */
#include "ra_fixture.h"

#include <string.h>

#define AGAIN "docs/openrpc.json is another's than the desk: build/ra/hufu-ra --openrpc >docs/openrpc.json"

static json_t *method_named(json_t *methods, const char *name)
{
	size_t i;
	json_t *m;
	json_array_foreach(methods, i, m)
	{
		if (strcmp(fx_text(m, "name"), name) == 0)
			return m;
	}
	return NULL;
}

/* Every method of a stands in b, member by member. */
static void stands_in(json_t *a, json_t *b, const char *where)
{
	size_t i;
	json_t *m, *value;
	const char *key;
	json_array_foreach(a, i, m)
	{
		const char *name = fx_text(m, "name");
		json_t *other = method_named(b, name);
		if (!other)
			fail_msg("%s is not %s. " AGAIN, name, where);
		json_object_foreach(m, key, value)
		{
			if (!json_equal(value, json_object_get(other, key)))
				fail_msg("%s: %s is another %s. " AGAIN, name, key, where);
		}
	}
}

static void test_file_and_desk(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new();
	json_error_t e;
	(void)state;
	_cleanup_(json_freep) json_t *file = json_load_file(OPENRPC_FILE, 0, &e);
	if (!file)
		fail_msg("%s:%d: %s", OPENRPC_FILE, e.line, e.text);
	_cleanup_(json_freep) json_t *served = fx_do(x, UID_PORTAL, "rpc.discover", NULL);
	json_t *in_file = json_object_get(file, "methods"), *at_desk = json_object_get(served, "methods");
	stands_in(at_desk, in_file, "in the file");
	stands_in(in_file, at_desk, "at the desk");
	if (!json_equal(file, served))
		fail_msg("order or head differ. " AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_file_and_desk)};
	secret_init();
	log_init("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

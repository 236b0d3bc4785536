/*
 * What browsers may call, beside what the desk has: nothing that is not there, sessions as the desk wants them, and for each audience only
 * what its peers' role is for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ra/desk.h"
#include "ra/gate/portal.h"

#include <string.h>

#define MUST_NOT_BE(m)                                                                                                 \
	(strncmp(m, "import.", 7) == 0 || strncmp(m, "edge.", 5) == 0 || strncmp(m, "notice.take", 11) == 0)

static bool has_param(const struct rpc_method *m, const char *name)
{
	for (const struct rpc_param *p = m->params; p && p->name; p++) {
		if (strcmp(p->name, name) == 0)
			return true;
	}
	return false;
}

static void check_session(const struct rpc_method *m, const struct allowed *a)
{
	bool wanted = a->session == SESSION_WANTED || a->session == SESSION_ENDS;
	bool takes = m->session || has_param(m, "session");
	if ((m->session && !wanted) || ((wanted || a->session == SESSION_MAYBE) && !takes))
		fail_msg("%s: the desk and the portal disagree on its session", m->name);
}

static void test_allowed(void **state)
{
	static const uint64_t role[] = {[AUDIENCE_SUBSCRIBERS] = DESK_PORTAL, [AUDIENCE_OFFICERS] = DESK_OFFICER};
	size_t found[2] = {0};
	(void)state;
	for (size_t i = 0; desk_method_at(i); i++) {
		const struct rpc_method *m = &desk_method_at(i)->rpc;
		for (int who = AUDIENCE_SUBSCRIBERS; who <= AUDIENCE_OFFICERS; who++) {
			const struct allowed *a = allowed_find((enum gate_audience)who, m->name);
			if (!a)
				continue;
			found[who]++;
			if (!(m->roles & role[who]) || MUST_NOT_BE(m->name))
				fail_msg("%s: is not for this audience", m->name);
			if (who == AUDIENCE_SUBSCRIBERS)
				check_session(m, a);
			assert_int_equal(a->officer, who == AUDIENCE_OFFICERS && has_param(m, "officer"));
		}
	}
	assert_int_equal(found[AUDIENCE_SUBSCRIBERS], allowed_count(AUDIENCE_SUBSCRIBERS));
	assert_int_equal(found[AUDIENCE_OFFICERS], allowed_count(AUDIENCE_OFFICERS));
}

static void test_refused(void **state)
{
	static const char *const never[] = {"order.callback", "import.accounts", "rpc.discover", "edge.feed",
					    "notice.take",    "desk.reload",	 "audit.export", "",
					    "account.show "};
	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		assert_null(allowed_find(AUDIENCE_SUBSCRIBERS, never[i]));
		assert_null(allowed_find(AUDIENCE_OFFICERS, never[i]));
	}
	assert_null(allowed_find(AUDIENCE_SUBSCRIBERS, "review.approve"));
	assert_null(allowed_find(AUDIENCE_OFFICERS, "account.login"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_allowed), cmocka_unit_test(test_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

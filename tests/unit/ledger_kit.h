/*
 * A ledger alone in a folder of its own.
 */
#ifndef HUFU_TEST_LEDGER_KIT_H
#define HUFU_TEST_LEDGER_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/note/merkle.h"

#include <string.h>
#include <sys/stat.h>

#define NOW INT64_C(1795392000)

struct room {
	char dir[40];
	struct ledger *l;
};

static inline void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\": %s", what, err_word(e), f->rule, f->text);
}

static inline void reopen(struct room *r)
{
	struct fault f = {0};
	ledger_closep(&r->l);
	must("open", ledger_open(r->dir, false, &r->l, &f), &f);
}

static inline int set_up(void **state)
{
	struct room *r = xcalloc(1, sizeof(*r));
	struct fault f = {0};
	clock_set(NOW);
	log_init("test", LOG_LEVEL_ERROR);
	snprintf(r->dir, sizeof(r->dir), "/tmp/hufu-ledger-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	must("open", ledger_open(r->dir, true, &r->l, &f), &f);
	*state = r;
	return 0;
}

static inline int tear_down(void **state)
{
	struct room *r = *state;
	static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.lock",
					    "before.db", "before.db-wal", "before.db-shm"};
	ledger_closep(&r->l);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", r->dir, names[i]);
		unlink(path);
	}
	rmdir(r->dir);
	free(r);
	clock_set(0);
	return 0;
}

static inline enum err beat(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct wire_e_beat e = {0};
	return ledger_append_e_beat(tx, &e, arg, f);
}

static inline void add_beat(struct room *r, uint64_t *ret)
{
	struct fault f = {0};
	must("beat", ledger_do(r->l, beat, ret, &f), &f);
}

static inline struct db *reader(struct room *r)
{
	struct db *db = NULL;
	struct fault f = {0};
	must("reader", ledger_reader(r->l, &db, &f), &f);
	return db;
}

static inline bool sees(struct db *db, uint64_t index)
{
	_cleanup_buf_ struct buf body = {0};
	struct fault f = {0};
	enum err e = ledger_entry(db, index, &body, &f);
	assert_true(e == OK || e == ERR_NOT_FOUND);
	return e == OK;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

#endif

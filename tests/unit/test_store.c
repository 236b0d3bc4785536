/*
 * The desk's store: changes of many threads share commits, and each still ends by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "ra/store.h"

#include "common/base/cleanup.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define THREADS 16
#define TURNS 60

struct scene {
	char dir[40];
	struct store *store;
};

static void scene_init(struct scene *s)
{
	struct fault f = {0};
	snprintf(s->dir, sizeof(s->dir), "/dev/shm/hufu-store-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	_cleanup_(freep) char *path = path_join(s->dir, "desk.db");
	assert_int_equal(store_open(path, &s->store, &f), OK);
}

static void scene_done(struct scene *s)
{
	static const char *const files[] = {"desk.db", "desk.db-wal", "desk.db-shm"};
	store_close(s->store);
	for (size_t i = 0; i < 3; i++) {
		_cleanup_(freep) char *path = path_join(s->dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(s->dir), 0);
}

static int64_t head(struct scene *s, const char *name)
{
	struct db *db = NULL;
	int64_t n = 0;
	assert_int_equal(store_read(s->store, &db, NULL), OK);
	assert_int_equal(store_head(db, name, &n, NULL), OK);
	store_read_end(s->store, db);
	return n;
}

struct counting {
	bool back;
	int64_t n; /* before */
};

static enum err count_one(struct db *db, void *arg, struct fault *f)
{
	struct counting *c = arg;
	enum err e = store_head(db, "counter", &c->n, f);
	if (e == OK)
		e = store_head_set(db, "counter", c->n + 1, f);
	return e == OK && c->back ? fault_raise(f, ERR_RULE, "taken_back", "counter", "not this one") : e;
}

static enum err count_here(struct store *s, struct counting *c, struct fault *f)
{
	struct db *db = NULL;
	enum err e = store_begin(s, &db, f);
	return e == OK ? store_end(s, db, count_one(db, c, f), f) : e;
}

/* Every third is taken back, every second may be made by another thread; what was answered must be there at once. */
static void *count_up(void *arg)
{
	struct scene *s = arg;
	for (unsigned i = 0; i < TURNS; i++) {
		struct counting c = {.back = i % 3 == 2};
		struct fault f = {0};
		enum err e = i % 2 == 0 ? store_change(s->store, count_one, &c, &f) : count_here(s->store, &c, &f);
		if (e != (c.back ? ERR_RULE : OK) || strcmp(f.rule, c.back ? "taken_back" : "") != 0)
			return (void *)"end";
		if (!c.back && head(s, "counter") < c.n + 1)
			return (void *)"an answered change is not there";
	}
	return NULL;
}

static void test_many(void **state)
{
	struct scene s = {0};
	pthread_t t[THREADS];
	(void)state;
	scene_init(&s);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count_up, &s), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *why = NULL;
		pthread_join(t[i], &why);
		if (why)
			fail_msg("%s", (const char *)why);
	}
	assert_int_equal(head(&s, "counter"), THREADS * TURNS * 2 / 3);
	scene_done(&s);
}

/* --- a commit that fails fails everybody in it, and nobody else --- */

struct gate {
	struct scene *s;
	atomic_bool begun;
	enum err e;
};

static enum err set_joined(struct db *db, void *arg, struct fault *f)
{
	(void)arg;
	return store_head_set(db, "joined", 1, f);
}

static void *join_in(void *arg)
{
	struct gate *g = arg;
	struct fault f = {0};
	g->begun = true;
	g->e = store_change(g->s->store, set_joined, NULL, &f);
	return g->e == OK || f.rule[0] ? NULL : (void *)"no rule";
}

static void test_commit_fails(void **state)
{
	struct scene s = {0};
	struct db *db = NULL;
	struct fault f = {0};
	pthread_t t;
	void *why = NULL;
	(void)state;
	scene_init(&s);
	struct gate g = {.s = &s};
	assert_int_equal(store_begin(s.store, &db, &f), OK);
	assert_int_equal(pthread_create(&t, NULL, join_in, &g), 0);
	while (!g.begun)
		sched_yield();
	assert_int_equal(db_run(db, &f, "PRAGMA defer_foreign_keys=ON", ""), OK);
	assert_int_equal(db_run(db, &f, "INSERT INTO cert_prints (print, cert) VALUES (1, 77)", ""), OK);
	assert_int_equal(store_end(s.store, db, OK, &f), ERR_CONFLICT);
	pthread_join(t, &why);
	if (why)
		fail_msg("%s", (const char *)why);
	/* Together or apart, which is the scheduler's: what was answered is so. */
	assert_int_equal(head(&s, "joined"), g.e == OK ? 1 : 0);
	assert_int_equal(store_begin(s.store, &db, &f), OK);
	assert_int_equal(store_end(s.store, db, store_head_set(db, "after", 5, &f), &f), OK);
	assert_int_equal(head(&s, "after"), 5);
	scene_done(&s);
}

/* --- the order of turns: as asked for, and what is urgent before the rest --- */

#define WAITING 4

struct queueing {
	struct scene *s;
	bool urgent;
	int64_t place; /* how many had come before */
};

static enum err take_place(struct db *db, void *arg, struct fault *f)
{
	struct queueing *q = arg;
	enum err e = store_head(db, "place", &q->place, f);
	return e == OK ? store_head_set(db, "place", q->place + 1, f) : e;
}

static void *take_turn(void *arg)
{
	struct queueing *q = arg;
	struct db *db = NULL;
	struct fault f = {0};
	if (!q->urgent)
		return store_change(q->s->store, take_place, q, &f) == OK ? NULL : (void *)"change";
	if (store_begin_urgent(q->s->store, &db, &f) != OK)
		return (void *)"begin";
	return store_end(q->s->store, db, take_place(db, q, &f), &f) == OK ? NULL : (void *)"end";
}

static void test_turns(void **state)
{
	static const int64_t places[WAITING] = {2, 0, 3, 1};
	struct scene s = {0};
	struct db *db = NULL;
	struct fault f = {0};
	struct queueing q[WAITING];
	pthread_t t[WAITING];
	(void)state;
	scene_init(&s);
	assert_int_equal(store_begin(s.store, &db, &f), OK);
	for (unsigned i = 0; i < WAITING; i++) {
		q[i] = (struct queueing){.s = &s, .urgent = i % 2 == 1};
		assert_int_equal(pthread_create(&t[i], NULL, take_turn, &q[i]), 0);
		while (store_waiting(s.store) != i + 1)
			sched_yield();
	}
	assert_int_equal(store_end(s.store, db, OK, &f), OK);
	for (unsigned i = 0; i < WAITING; i++) {
		void *why = NULL;
		pthread_join(t[i], &why);
		if (why)
			fail_msg("%s", (const char *)why);
		assert_int_equal(q[i].place, places[i]);
	}
	assert_int_equal(store_waiting(s.store), 0);
	scene_done(&s);
}

/* --- changes that nobody waits for --- */

#define PUTTERS 4
#define PUT 100

struct box {
	struct scene *s;
	struct counting c[PUT];
	struct store_task tasks[PUT];
	unsigned told[PUT];
};
struct told {
	pthread_mutex_t lock;
	pthread_cond_t more;
	unsigned n;
	struct box *boxes;
};

/* Each is told once, and is durable by then unless it was taken back. */
static void tell_all(void *arg, struct store_task *all)
{
	struct told *t = arg;
	pthread_mutex_lock(&t->lock);
	for (struct store_task *x = all; x; x = x->next) {
		for (unsigned i = 0; i < PUTTERS; i++) {
			if (x >= t->boxes[i].tasks && x < t->boxes[i].tasks + PUT)
				t->boxes[i].told[x - t->boxes[i].tasks]++;
		}
		t->n++;
	}
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
}

static void *put_some(void *arg)
{
	struct box *b = arg;
	for (unsigned i = 0; i < PUT; i++) {
		b->c[i].back = i % 5 == 4;
		b->tasks[i] = (struct store_task){.fn = count_one, .arg = &b->c[i]};
		store_put(b->s->store, &b->tasks[i]);
	}
	return NULL;
}

static void test_put(void **state)
{
	struct scene s = {0};
	struct box *boxes = xcalloc(PUTTERS, sizeof(*boxes));
	struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .boxes = boxes};
	pthread_t t[PUTTERS], waits;
	(void)state;
	scene_init(&s);
	store_when_over(s.store, tell_all, &told);
	for (unsigned i = 0; i < PUTTERS; i++) {
		boxes[i].s = &s;
		assert_int_equal(pthread_create(&t[i], NULL, put_some, &boxes[i]), 0);
	}
	/* Beside those who wait for theirs. */
	assert_int_equal(pthread_create(&waits, NULL, count_up, &s), 0);
	for (unsigned i = 0; i < PUTTERS; i++)
		pthread_join(t[i], NULL);
	void *why = NULL;
	pthread_join(waits, &why);
	assert_null(why);
	pthread_mutex_lock(&told.lock);
	while (told.n < PUTTERS * PUT)
		pthread_cond_wait(&told.more, &told.lock);
	pthread_mutex_unlock(&told.lock);
	assert_int_equal(head(&s, "counter"), PUTTERS * PUT * 4 / 5 + TURNS * 2 / 3);
	for (unsigned i = 0; i < PUTTERS; i++) {
		for (unsigned k = 0; k < PUT; k++) {
			const struct store_task *x = &boxes[i].tasks[k];
			assert_int_equal(boxes[i].told[k], 1);
			assert_int_equal(x->result, boxes[i].c[k].back ? ERR_RULE : OK);
			assert_string_equal(x->f.rule, boxes[i].c[k].back ? "taken_back" : "");
		}
	}
	scene_done(&s);
	free(boxes);
}

static enum err break_commit(struct db *db, void *arg, struct fault *f)
{
	(void)arg;
	TRY(db_run(db, f, "PRAGMA defer_foreign_keys=ON", ""));
	return db_run(db, f, "INSERT INTO cert_prints (print, cert) VALUES (1, 77)", "");
}

/* One of them breaks the commit that they share: all have failed, and know why. */
static void test_put_fails(void **state)
{
	struct scene s = {0};
	struct db *db = NULL;
	struct fault f = {0};
	struct box *boxes = xcalloc(PUTTERS, sizeof(*boxes));
	struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .boxes = boxes};
	(void)state;
	scene_init(&s);
	store_when_over(s.store, tell_all, &told);
	assert_int_equal(store_begin(s.store, &db, &f), OK); /* so that they wait together */
	for (unsigned i = 0; i < 3; i++) {
		boxes[0].tasks[i] = (struct store_task){.fn = i == 1 ? break_commit : set_joined};
		store_put(s.store, &boxes[0].tasks[i]);
	}
	assert_int_equal(store_end(s.store, db, fault_raise(&f, ERR_RULE, "nothing", "", "nothing"), &f), ERR_RULE);
	pthread_mutex_lock(&told.lock);
	while (told.n < 3)
		pthread_cond_wait(&told.more, &told.lock);
	pthread_mutex_unlock(&told.lock);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(boxes[0].tasks[i].result, ERR_CONFLICT);
		assert_string_equal(boxes[0].tasks[i].f.rule, "db_constraint");
	}
	assert_int_equal(head(&s, "joined"), 0);
	scene_done(&s);
	free(boxes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_many), cmocka_unit_test(test_commit_fails),
					   cmocka_unit_test(test_turns), cmocka_unit_test(test_put),
					   cmocka_unit_test(test_put_fails)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

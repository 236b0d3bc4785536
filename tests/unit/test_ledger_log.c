/*
 * The write-ahead log of a ledger that is being written: it begins anew, stays for who reads it, and copies may fail.
 */
#include "ledger_kit.h"

#include <signal.h>
#include <sys/resource.h>

/* --- the write-ahead log --- */

#define LOG_PAGES 600u
#define LOG_PAGES_LATE (10 * LOG_PAGES) /* when a copy was in vain the next comes that much later */
#define FILE_BYTES 60000u		/* of a file that fills the log: 15 pages and some */

static enum err add_files(struct ledger_tx *tx, void *arg, struct fault *f)
{
	static uint8_t bytes[FILE_BYTES];
	(void)arg;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t name[32];
		random_fill(name, sizeof(name));
		TRY(ledger_file_add(tx, name, slice_of(bytes, sizeof(bytes)), f));
	}
	return beat(tx, NULL, f);
}

static unsigned log_pages(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	unsigned pages = l->wal_pages;
	pthread_mutex_unlock(&l->lock);
	return pages;
}

static void copy_early(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->wal_begin = l->wal_next = LOG_PAGES;
	pthread_mutex_unlock(&l->lock);
}

static enum err nothing(struct ledger_tx *tx, void *arg, struct fault *f)
{
	(void)tx;
	(void)arg;
	(void)f;
	return OK;
}

/* The copy that the last commit led to has ended: the writer, which looks behind each commit whether there is one to be
 * made, has done another thing since. */
static void copy_has_ended(struct ledger *l)
{
	(void)!ledger_do(l, nothing, NULL, NULL);
	pthread_mutex_lock(&l->lock);
	while (!l->broken && (l->copying || l->wal_pages >= l->wal_next))
		pthread_cond_wait(&l->copied, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

/* Goes on until the log has begun anew; false: it has not by the time that it has so many pages. */
static bool begins_anew(struct room *r, unsigned most)
{
	for (unsigned before = 0, now = log_pages(r->l); now < most; before = now, now = log_pages(r->l)) {
		struct fault f = {0};
		if (now < before)
			return true;
		must("files", ledger_do(r->l, add_files, NULL, &f), &f);
		copy_has_ended(r->l);
	}
	return false;
}

static void the_log_begins_anew(void **state)
{
	struct room *r = *state;
	copy_early(r->l);
	for (unsigned i = 0; i < 3; i++)
		assert_true(begins_anew(r, LOG_PAGES_LATE));
	uint64_t size = ledger_size(r->l);
	reopen(r);
	assert_int_equal(ledger_size(r->l), size);
}

static void the_log_stays_for_who_reads_it(void **state)
{
	struct room *r = *state;
	struct ledger_snapshot old;
	struct fault f = {0};
	add_beat(r, NULL);
	must("snapshot", ledger_snapshot(r->l, &old, &f), &f);
	assert_true(sees(old.db, 0));
	copy_early(r->l);
	assert_false(begins_anew(r, 4 * LOG_PAGES));
	assert_false(sees(old.db, 1));
	assert_true(sees(old.db, 0));
	ledger_snapshot_put(r->l, &old);
	assert_true(begins_anew(r, LOG_PAGES_LATE));
}

/* The file may grow to so many bytes; the log, which begins anew because each copy is waited for, stays smaller. */
static void a_copy_fails(void **state)
{
	struct room *r = *state;
	struct rlimit before, small = {0};
	struct fault f = {0};
	enum err e = OK;
	copy_early(r->l);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 12u << 20, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned i = 0; i < 400 && e == OK; i++) {
		e = ledger_do(r->l, add_files, NULL, &f);
		copy_has_ended(r->l);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(e, ERR_DB);
	assert_string_equal(f.rule, "ledger_broken");
	assert_true(ledger_broken(r->l));
	uint64_t size = ledger_size(r->l);
	reopen(r);
	assert_int_equal(ledger_size(r->l), size);
	add_beat(r, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_log_begins_anew),
		TEST(the_log_stays_for_who_reads_it),
		TEST(a_copy_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

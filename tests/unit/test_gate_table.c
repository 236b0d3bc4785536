/*
 * The gate's table: what goes in is found, oldest first, at any size; and its snapshot is read back whole or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ra/gate/table_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <string.h>

static struct cert_ref ref_of(uint8_t issuer, uint32_t n)
{
	struct cert_ref r = {.serial = {.b = {1, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, .n = 4}};
	memset(r.issuer_key_id, issuer, 20);
	return r;
}

static void add(struct gate_table *t, uint8_t issuer, uint32_t n, const struct cert_ref *before)
{
	struct cert_ref r = ref_of(issuer, n);
	assert_int_equal(table_add(t, &r, 2000000000 + n, issuer == 9, before, NULL), OK);
}

static const struct gate_row *find(const struct gate_table *t, uint8_t issuer, uint32_t n)
{
	struct cert_ref r = ref_of(issuer, n);
	return table_find(t, &r, NULL);
}

static void test_states(void **state)
{
	(void)state;
	_cleanup_(table_freep) struct gate_table *t = table_new();
	struct cert_ref first = ref_of(1, 5), none = ref_of(1, 6);
	const struct gate_row *same[TABLE_SAME_MAX];
	assert_null(find(t, 1, 5));
	add(t, 1, 5, NULL);
	add(t, 9, 5, NULL);
	add(t, 1, 7, &first);
	assert_int_equal(find(t, 1, 5)->state, GATE_GOOD);
	assert_ptr_equal(table_row(t, find(t, 1, 5)->successor), find(t, 1, 7));
	assert_ptr_equal(table_row(t, find(t, 1, 7)->predecessor), find(t, 1, 5));
	assert_int_equal(find(t, 1, 5)->predecessor, 0);
	assert_int_equal(find(t, 1, 7)->successor, 0);
	assert_true(table_set(t, &first, GATE_REVOKED, 4, 1800000000));
	assert_false(table_set(t, &none, GATE_REVOKED, 4, 1800000000));
	assert_int_equal(find(t, 1, 5)->state, GATE_REVOKED);
	assert_int_equal(find(t, 1, 5)->reason, 4);
	assert_int_equal(find(t, 1, 5)->changed, 1800000000);
	/* followed a second time, the newest is its successor, and both tell what they followed; one that is not there is none */
	add(t, 1, 9, &first);
	add(t, 1, 10, &none);
	assert_ptr_equal(table_row(t, find(t, 1, 5)->successor), find(t, 1, 9));
	assert_ptr_equal(table_row(t, find(t, 1, 7)->predecessor), find(t, 1, 5));
	assert_ptr_equal(table_row(t, find(t, 1, 9)->predecessor), find(t, 1, 5));
	assert_int_equal(find(t, 1, 10)->predecessor, 0);
	/* told again, it stays as it became */
	add(t, 1, 5, NULL);
	assert_int_equal(find(t, 1, 5)->state, GATE_REVOKED);
	assert_int_equal(table_count(t), 5);
	assert_int_equal(table_find_serial(t, &first.serial, same), 2);
	assert_ptr_equal(same[0], find(t, 1, 5));
	assert_int_equal(same[1]->foreign, 1);
	/* ends that 32 bits cannot say are the farthest that they can */
	struct cert_ref far = ref_of(1, 8);
	assert_int_equal(table_add(t, &far, INT64_C(253402300799), false, NULL, NULL), OK);
	assert_int_equal(table_find(t, &far, NULL)->not_after, UINT32_MAX);
}

static void test_many(void **state)
{
	(void)state;
	_cleanup_(table_freep) struct gate_table *t = table_new();
	const uint32_t n = 200000;
	for (uint32_t i = 0; i < n; i++)
		add(t, 1, i, NULL);
	assert_int_equal(table_count(t), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(find(t, 1, i)->not_after, 2000000000 + i);
	assert_null(find(t, 1, n));
	assert_null(find(t, 2, 0));
	assert_true(table_bytes(t) <= 64 * (size_t)n);
}

static char *path_new(char dir[40])
{
	snprintf(dir, 40, "/tmp/hufu-gate-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return path_join(dir, "snapshot");
}

static void fill(struct gate_table *t)
{
	struct cert_ref r = ref_of(1, 3), before = ref_of(1, 2);
	struct gate_crl crl = {.scope = 7, .number = 9, .next_update = 11};
	struct gate_head h = {.size = 77, .at = 5, .beat = 4};
	for (uint32_t i = 0; i < 100; i++)
		add(t, i % 2 ? 1 : 9, i, i == 3 ? &before : NULL);
	assert_true(table_set(t, &r, GATE_HELD, 6, 1800000000));
	for (uint8_t issuer = 1; issuer <= 9; issuer += 8, crl.number++)
		assert_int_equal(table_set_crl(t, ref_of(issuer, 0).issuer_key_id, &crl, NULL), OK);
	memset(h.root, 3, 32);
	table_set_head(t, &h);
}

static void test_snapshot(void **state)
{
	(void)state;
	char dir[40];
	_cleanup_(freep) char *path = path_new(dir);
	_cleanup_(table_freep) struct gate_table *t = table_new(), *u = table_new(), *none = table_new();
	struct gate_crl crl;
	struct fault f = {0};
	assert_int_equal(snapshot_read(none, path, &f), ERR_NOT_FOUND);
	fill(t);
	assert_int_equal(snapshot_write(t, path, &f), OK);
	assert_int_equal(snapshot_read(u, path, &f), OK);
	assert_int_equal(table_count(u), 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_memory_equal(find(u, i % 2 ? 1 : 9, i), find(t, i % 2 ? 1 : 9, i), sizeof(struct gate_row));
	assert_true(table_crl(u, ref_of(1, 0).issuer_key_id, 7, &crl) && crl.number == 9);
	assert_true(table_crl(u, ref_of(9, 0).issuer_key_id, 7, &crl) && crl.number == 10);
	assert_false(table_crl(u, ref_of(2, 0).issuer_key_id, 7, &crl));
	assert_false(table_crl(u, ref_of(1, 0).issuer_key_id, 8, &crl));
	assert_int_equal(table_head(u).size, 77);
	assert_int_equal(table_head(u).beat, 4);
	/* and goes on growing */
	add(u, 1, 1000, NULL);
	assert_non_null(find(u, 1, 1000));
	unlink(path);
	rmdir(dir);
}

/* A byte changed anywhere, or the end missing: thrown away. */
static void test_torn(void **state)
{
	(void)state;
	char dir[40];
	_cleanup_(freep) char *path = path_new(dir);
	_cleanup_(table_freep) struct gate_table *t = table_new();
	_cleanup_buf_ struct buf good = {0};
	struct fault f = {0};
	fill(t);
	assert_int_equal(snapshot_write(t, path, &f), OK);
	assert_int_equal(file_read(path, 1 << 20, &good, &f), OK);
	for (size_t i = 0; i < good.len; i += 13) {
		_cleanup_(table_freep) struct gate_table *u = table_new(), *v = table_new();
		good.data[i] ^= 0x40;
		assert_int_equal(file_write(path, buf_slice(&good), 0600, &f), OK);
		assert_int_equal(snapshot_read(u, path, &f), ERR_PARSE);
		assert_string_equal(f.rule, "snapshot_torn");
		good.data[i] ^= 0x40;
		assert_int_equal(file_write(path, slice_of(good.data, i), 0600, &f), OK);
		assert_int_equal(snapshot_read(v, path, &f), ERR_PARSE);
	}
	_cleanup_(table_freep) struct gate_table *w = table_new();
	buf_char(&good, 'x');
	assert_int_equal(file_write(path, buf_slice(&good), 0600, &f), OK);
	assert_int_equal(snapshot_read(w, path, &f), ERR_PARSE);
	unlink(path);
	rmdir(dir);
}

/* Whole, by its hash, and yet none: what only somebody who writes in the gate's folder makes. */
static void test_crl_of_no_issuer(void **state)
{
	(void)state;
	char dir[40];
	_cleanup_(freep) char *path = path_new(dir);
	_cleanup_(table_freep) struct gate_table *t = table_new(), *u = table_new(), *v = table_new();
	struct fault f = {0};
	struct cert_ref r = ref_of(1, 5);
	fill(t);
	assert_int_equal(table_set_crl(t, r.issuer_key_id, &(struct gate_crl){.scope = 3, .number = 1}, &f), OK);
	assert_int_equal(snapshot_write(t, path, &f), OK);
	assert_int_equal(snapshot_read(u, path, &f), OK);
	t->crls[t->n_crls - 1].issuer = (uint16_t)t->n_issuers;
	assert_int_equal(snapshot_write(t, path, &f), OK);
	assert_int_equal(snapshot_read(v, path, &f), ERR_PARSE);
	assert_string_equal(f.rule, "snapshot_torn");
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),		 cmocka_unit_test(test_many),
		cmocka_unit_test(test_snapshot),	 cmocka_unit_test(test_torn),
		cmocka_unit_test(test_crl_of_no_issuer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Changes to JSON: somewhere in the tree a value becomes another, goes, is doubled under another name, or is put into a
 * list.
 */
#include "tests/fuzz/mutate.h"

#include "common/rpc/json.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

static json_t *changed_text(struct mutation *m, const json_t *o)
{
	_cleanup_buf_ struct buf b = {0};
	mutation_bytes(m, slice_of(json_string_value(o), json_string_length(o)), &b);
	json_t *text = json_stringn((const char *)b.data, b.len);
	return text ? text : json_string("\xef\xbf\xbd"); /* it is no UTF-8 any more */
}

static json_t *other_value(struct mutation *m, json_t *o)
{
	static const json_int_t numbers[] = {0, -1, 1, 100, 101, INT32_MAX, INT64_MAX, INT64_MIN};
	switch (mutation_below(m, 8)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(mutation_below(m, 2));
	case 2:
		return json_integer(numbers[mutation_below(m, sizeof(numbers) / sizeof(numbers[0]))]);
	case 3:
		return json_pack("[O]", o);
	case 4:
		return json_pack("{s:O}", "a", o);
	case 5:
		return json_real(0.5);
	default:
		return json_is_string(o) ? changed_text(m, o) : json_string("a");
	}
}

static void change_member(struct mutation *m, json_t *o, const char *key, json_t *value)
{
	_cleanup_(json_freep) json_t *kept = json_incref(value), *name = json_string(key);
	_cleanup_(json_freep) json_t *other = changed_text(m, name);
	size_t what = mutation_below(m, 4);
	if (what == 0)
		json_object_del(o, key);
	else if (what == 1)
		json_object_set(o, json_string_value(other), kept);
	else
		json_object_set_new(o, json_string_value(name), other_value(m, kept));
}

static void change_item(struct mutation *m, json_t *list, size_t i)
{
	_cleanup_(json_freep) json_t *kept = json_incref(json_array_get(list, i));
	size_t what = mutation_below(m, 4);
	if (what == 0)
		json_array_remove(list, i);
	else if (what == 1)
		json_array_insert(list, i, kept);
	else
		json_array_set_new(list, i, other_value(m, kept));
}

/* One step down, or a change here. */
static void change(struct mutation *m, json_t *o)
{
	size_t n = json_is_object(o) ? json_object_size(o) : json_array_size(o), i = n ? mutation_below(m, n) : 0;
	void *at = json_object_iter(o);
	for (size_t k = 0; k < i; k++)
		at = json_object_iter_next(o, at);
	json_t *one = json_is_object(o) ? json_object_iter_value(at) : json_array_get(o, i);
	if (n == 0 || !one)
		return;
	if ((json_is_object(one) || json_is_array(one)) && mutation_below(m, 4) != 0)
		change(m, one);
	else if (json_is_object(o))
		change_member(m, o, json_object_iter_key(at), one);
	else
		change_item(m, o, i);
}

bool mutate_json(struct mutation *m, struct slice bytes, struct buf *ret)
{
	static const struct json_limits limits = {1 << 16, 32, 4096};
	_cleanup_(json_freep) json_t *o = NULL;
	if (json_read(bytes, &limits, &o, NULL) != OK || !(json_is_object(o) || json_is_array(o)))
		return false;
	change(m, o);
	json_write(o, ret);
	return true;
}

/*
 * What every answer to JSON-RPC has to be, whoever gives it: nothing, one answer, or a list of them that is not empty.
 */
#ifndef HUFU_TEST_FUZZ_REPLY_H
#define HUFU_TEST_FUZZ_REPLY_H

#include "tests/fuzz/fuzz.h"

#include <jansson.h>

#include "common/base/cleanup.h"

/* An answer has an id, a result or an error, and nothing else; check looks at the rest of it. */
static void must_be_replies(const struct buf *text, void (*check)(const json_t *result, const json_t *error))
{
	if (text->len == 0)
		return;
	_cleanup_(json_freep) json_t *all =
		json_loadb((const char *)text->data, text->len, JSON_REJECT_DUPLICATES, NULL);
	must(all);
	size_t n = json_is_array(all) ? json_array_size(all) : 1;
	must(n > 0);
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(all) ? json_array_get(all, i) : all;
		const json_t *result = json_object_get(one, "result"), *error = json_object_get(one, "error");
		must(json_object_size(one) == 3 && json_object_get(one, "id") && !result == !!error);
		must(strcmp(json_string_value(json_object_get(one, "jsonrpc")), "2.0") == 0);
		check(result, error);
	}
}

#endif

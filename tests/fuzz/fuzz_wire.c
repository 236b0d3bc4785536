/*
 * Every message and ledger entry of wire.def: what is decoded, encoded again, is the same bytes, passes its own limits,
 * and is what wire_type() says; exactly that can be printed.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/rpc/wire.h"

#define TRY_ONE(UPPER, lower, number, FIELDS)                                                                          \
	static bool try_##lower(struct slice bytes)                                                                    \
	{                                                                                                              \
		_cleanup_(wire_##lower##_done) struct wire_##lower m = {0};                                            \
		_cleanup_buf_ struct buf again = {0};                                                                  \
		struct fault f = {0};                                                                                  \
		enum err e = wire_##lower##_get(bytes, &m, &f);                                                        \
		if (e != OK) {                                                                                         \
			must_refuse(e, &f);                                                                            \
			return false;                                                                                  \
		}                                                                                                      \
		must(wire_##lower##_check(&m, NULL) == OK);                                                            \
		wire_##lower##_put(&m, &again);                                                                        \
		must_be(buf_slice(&again), bytes);                                                                     \
		enum wire_type type;                                                                                   \
		must(wire_type(bytes, &type, NULL) == OK && type == WIRE_TYPE_##UPPER);                                \
		return true;                                                                                           \
	}
WIRE_MESSAGES(TRY_ONE)
WIRE_ENTRY_LIST(TRY_ONE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of(data, size);
	_cleanup_buf_ struct buf words = {0};
	unsigned n = 0;
#define COUNT_ONE(UPPER, lower, number, FIELDS) n += try_##lower(bytes);
	WIRE_MESSAGES(COUNT_ONE)
	WIRE_ENTRY_LIST(COUNT_ONE)
	must(n <= 1);
	must((wire_print(bytes, &words, NULL) == OK) == (n == 1));
	must(utf8_valid(words.data, words.len));
	struct fault f = {0};
	uint32_t retry_ms;
	enum err e = wire_expect(bytes, WIRE_TYPE_DONE, &retry_ms, &f);
	must(e == OK || f.kind == e);
	return 0;
}

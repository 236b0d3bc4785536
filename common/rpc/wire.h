/*
 * The binary wire RA <-> signer and the coding of ledger entries, generated from wire.def.
 *
 *     struct wire_tally m = {.note = …, .csr = …};
 *     wire_tally_put(&m, &buf);                       // version, type, fields
 *     TRY(wire_tally_get(bytes, &m, f));              // strict; slices borrow from bytes
 *
 * A LIST is encoded from and decoded into borrowed items; wire_list_done() frees the array of slices that decoding made.
 * Encoding asserts the limits of wire.def: ask wire_tally_check() first when values come from outside.
 */
#ifndef HUFU_RPC_WIRE_H
#define HUFU_RPC_WIRE_H

#include "common/base/buf.h"
#include "common/rpc/wire.def"

#define WIRE_VERSION 1
#define WIRE_MAX_ITEM 1048576u
#define WIRE_MAX_MESSAGE (80u * 1024u * 1024u)    /* answers (entries) */
#define WIRE_MAX_REQUEST (12u * 1024u * 1024u)    /* operator; the RA's socket takes WIRE_MAX_RA_REQUEST */
#define WIRE_MAX_RA_REQUEST (128u * 1024u)
#define ENTRY_MAX_BYTES 65535u
#define WIRE_FULL_CRL 0xffffffffu

struct wire_list {
	struct slice *v; /* array owned after decoding */
	size_t n;
};
void wire_list_done(struct wire_list *l);
/* Builds a list: item is borrowed. */
void wire_list_add(struct wire_list *l, struct slice item);

#define WIRE_C_U8(name, limit) uint8_t name;
#define WIRE_C_U32(name, limit) uint32_t name;
#define WIRE_C_U64(name, limit) uint64_t name;
#define WIRE_C_I64(name, limit) int64_t name;
#define WIRE_C_FIXED(name, limit) uint8_t name[limit];
#define WIRE_C_BYTES(name, limit) struct slice name;
#define WIRE_C_TEXT(name, limit) struct slice name;
#define WIRE_C_LIST(name, limit) struct wire_list name;
#define WIRE_FIELD_(type, name, limit) WIRE_C_##type(name, limit)
#define WIRE_STRUCT_(UPPER, lower, number, FIELDS)                                                                   \
	struct wire_##lower {                                                                                        \
		FIELDS(WIRE_FIELD_)                                                                                  \
	};                                                                                                           \
	/* ERR_LIMIT or ERR_PARSE when a field would not pass its limit. */                                          \
	MUST_CHECK enum err wire_##lower##_check(const struct wire_##lower *m, struct fault *f);                     \
	void wire_##lower##_put(const struct wire_##lower *m, struct buf *ret);                                      \
	MUST_CHECK enum err wire_##lower##_get(struct slice bytes, struct wire_##lower *ret, struct fault *f);       \
	void wire_##lower##_done(struct wire_##lower *m); /* frees list arrays */
WIRE_MESSAGES(WIRE_STRUCT_)
WIRE_ENTRY_LIST(WIRE_STRUCT_)

#define WIRE_ENUM_(UPPER, lower, number, FIELDS) WIRE_TYPE_##UPPER = number,
enum wire_type { WIRE_MESSAGES(WIRE_ENUM_) WIRE_ENTRY_LIST(WIRE_ENUM_) };

/* Type of an encoded message or entry; ERR_PARSE for an unknown version or type. */
MUST_CHECK enum err wire_type(struct slice bytes, enum wire_type *ret, struct fault *f);
/* "tally", "e_issued". */
const char *wire_type_word(enum wire_type type);
/* Every message and entry with its fields and limits as Markdown tables (docs/protocol.md). */
void wire_describe(struct buf *ret);
/* Prints any message or entry as "name: value" lines for people (bytes as hex, notes as text, a passphrase not at all). */
MUST_CHECK enum err wire_print(struct slice bytes, struct buf *ret, struct fault *f);
/* A fault as an answer, and back. Kinds that clients may not hear become "internal error, reference N" and are logged with N here. Text that is
 * not UTF-8 any more because it was cut is repaired. */
void wire_put_fault(const struct fault *f, uint32_t retry_ms, struct buf *ret);
/* When bytes are a WIRE_FAULT: raises it in *f and returns its kind (ret_retry_ms may be NULL). Else, if the type is not `want`: ERR_NET. */
MUST_CHECK enum err wire_expect(struct slice bytes, enum wire_type want, uint32_t *ret_retry_ms, struct fault *f);

#endif

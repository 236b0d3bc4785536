/*
 * Entries enter here and nowhere else: time and salt filled in, encoded, bounded, hashed, inserted at the next index.
 */
#include "ca/ledger_private.h"

#include "ca/random_stock.h"
#include "common/base/cleanup.h"
#include "common/note/merkle.h"

static enum err append(struct ledger_tx *tx, enum wire_type type, struct slice body, uint64_t *ret_index,
		       struct fault *f)
{
	if (body.n > ENTRY_MAX_BYTES)
		return fault_raise(f, ERR_LIMIT, "entry_size", wire_type_word(type),
				   "%zu bytes, at most %u are allowed in an entry", body.n, ENTRY_MAX_BYTES);
	if (tx->standing.waits)
		return ledger_waits_raise(f);
	uint8_t leaf[32];
	merkle_leaf(body, leaf);
	TRY(db_run(tx->db, f, "INSERT INTO entries (idx, type, at, leaf, body) VALUES (?1, ?2, ?3, ?4, ?5)", "iiibb",
		   (int64_t)tx->next, (int64_t)type, tx->at, slice_of(leaf, sizeof(leaf)), body));
	tx->counts[type & 127]++;
	buf_add(&tx->leaves, leaf, sizeof(leaf));
	if (ret_index)
		*ret_index = tx->next;
	tx->next++;
	return OK;
}

enum err append_counts(struct ledger_tx *tx, struct fault *f)
{
	for (size_t i = 0; i < 128; i++)
		if (tx->counts[i] > 0)
			TRY(db_run(tx->db, f,
				   "INSERT INTO type_count (type, n, last_at) VALUES (?1, ?3, ?2)"
				   " ON CONFLICT (type) DO UPDATE SET n = n + excluded.n, last_at = excluded.last_at",
				   "iii", (int64_t)(128 + i), tx->at, (int64_t)tx->counts[i]));
	return OK;
}

/* The writer's, one draw for the salts of many entries. */
static _Thread_local struct random_stock stock;

#define LEDGER_APPEND_BODY_(UPPER, lower, number, FIELDS)                                                              \
	enum err ledger_append_##lower(struct ledger_tx *tx, struct wire_##lower *e, uint64_t *ret_index,              \
				       struct fault *f)                                                                \
	{                                                                                                              \
		_cleanup_buf_ struct buf body = {0};                                                                   \
		e->at = tx->at;                                                                                        \
		random_stock_take(&stock, e->salt, sizeof(e->salt));                                                   \
		TRY(wire_##lower##_check(e, f));                                                                       \
		wire_##lower##_put(e, &body);                                                                          \
		return append(tx, WIRE_TYPE_##UPPER, buf_slice(&body), ret_index, f);                                  \
	}
WIRE_ENTRY_LIST(LEDGER_APPEND_BODY_)

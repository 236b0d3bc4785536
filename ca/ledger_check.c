/*
 * The full scan that a start does not do, and what else reads the file without being its signer. Everything here opens
 * the database for reading alone and sees one snapshot.
 */
#include "ca/ledger_check.h"
#include "ca/ledger_private.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/note/roster.h"

#include <string.h>

struct scan {
	struct db *db;
	struct ledger_tree tree;
	struct ledger_report report;
	uint64_t intents, ended;
};

static enum err damaged(uint64_t index, const char *text, struct fault *f)
{
	return fault_raise(f, ERR_DB, "ledger_damaged", "ledger", "entry %llu: %s", (unsigned long long)index, text);
}

static enum err compare_node(void *arg, unsigned level, uint64_t index, const uint8_t hash[32], struct fault *f)
{
	const struct scan *s = arg;
	uint8_t stored[32];
	TRY(tree_stored(s->db, level, index, stored, f));
	if (memcmp(stored, hash, 32) == 0)
		return OK;
	return fault_raise(f, ERR_DB, "ledger_damaged", "ledger.node",
			   "node %llu of level %u is not the root of its leaves", (unsigned long long)index, level);
}

/* --- what entries say --- */

/* Strictly decoded by its type; *ret_at is the time inside. */
static enum err read_entry(enum wire_type type, struct slice body, int64_t *ret_at, struct fault *f)
{
#define READ_(UPPER, lower, number, FIELDS)                                                                            \
	if (type == WIRE_TYPE_##UPPER) {                                                                               \
		struct wire_##lower e;                                                                                 \
		TRY(wire_##lower##_get(body, &e, f));                                                                  \
		*ret_at = e.at;                                                                                        \
		return OK;                                                                                             \
	}
	WIRE_ENTRY_LIST(READ_)
#undef READ_
	return fault_raise(f, ERR_PARSE, "wire_type", "entry", "%s is no entry", wire_type_word(type));
}

static enum err check_tally(struct scan *s, uint64_t index, const uint8_t id[TALLY_ID], uint64_t intent,
			    uint64_t outcome, struct fault *f)
{
	struct ledger_tally t;
	TRY(ledger_tally(s->db, id, &t, f));
	if (!t.known || t.intent != intent || (outcome != LEDGER_NONE && t.outcome != outcome))
		return damaged(index, "the table of tallies says otherwise", f);
	return OK;
}

static enum err check_meaning(struct scan *s, enum wire_type type, uint64_t index, struct slice body, struct fault *f)
{
	struct wire_e_intent intent;
	struct wire_e_issued issued;
	struct wire_e_dead dead;
	if (type == WIRE_TYPE_E_INTENT) {
		s->intents++;
		TRY(wire_e_intent_get(body, &intent, f));
		return check_tally(s, index, intent.tally, index, LEDGER_NONE, f);
	}
	if (type == WIRE_TYPE_E_ISSUED) {
		s->ended++;
		s->report.issued++;
		TRY(wire_e_issued_get(body, &issued, f));
		return check_tally(s, index, issued.tally, issued.intent, index, f);
	}
	if (type == WIRE_TYPE_E_DEAD) {
		s->ended++;
		TRY(wire_e_dead_get(body, &dead, f));
		return check_tally(s, index, dead.tally, dead.intent, index, f);
	}
	return OK;
}

static enum err check_entry(struct scan *s, struct db_row *row, struct fault *f)
{
	uint64_t index = s->report.size;
	struct slice body = db_blob(row, 4);
	enum wire_type type;
	merkle_hash leaf;
	int64_t at = 0;
	if ((uint64_t)db_i64(row, 0) != index)
		return damaged(index, "it is missing", f);
	merkle_leaf(body, leaf);
	if (!slice_eq(db_blob(row, 3), slice_of(leaf, 32)))
		return damaged(index, "its leaf hash is another entry's", f);
	if (wire_type(body, &type, f) != OK || read_entry(type, body, &at, f) != OK)
		return damaged(index, "it can't be read", f);
	if ((int64_t)type != db_i64(row, 1) || at != db_i64(row, 2))
		return damaged(index, "type or time stand otherwise beside it", f);
	if (at < s->report.last_at)
		return damaged(index, "it is older than the one before", f);
	s->report.last_at = at;
	TRY(check_meaning(s, type, index, body, f));
	s->report.size++;
	return tree_push(&s->tree, &(struct tree_teller){compare_node, s}, leaf, index, f);
}

static enum err check_tree(struct scan *s, struct fault *f)
{
	uint64_t size;
	merkle_hash root;
	TRY(tree_head(s->db, &size, root, f));
	tree_root(&s->tree, s->report.root);
	if (size != s->report.size || memcmp(root, s->report.root, 32) != 0)
		return fault_raise(f, ERR_DB, "ledger_damaged", "ledger.tree",
				   "%llu entries, but the tree that was written has %llu, or another root",
				   (unsigned long long)s->report.size, (unsigned long long)size);
	return OK;
}

static enum err scan_all(struct scan *s, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	TRY(db_query(s->db, f, &row, "SELECT idx, type, at, leaf, body FROM entries ORDER BY idx", ""));
	TRY(db_next(row, &more, f));
	while (more) {
		TRY(check_entry(s, row, f));
		TRY(db_next(row, &more, f));
	}
	TRY(check_tree(s, f));
	s->report.open_intents = s->intents - s->ended;
	return OK;
}

/* --- opening --- */

static enum err open_snapshot(const char *path, struct db **ret, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	if (!file_exists(path))
		return fault_raise(f, ERR_NOT_FOUND, "ledger_missing", "ledger", "%s: no such file",
				   ESC(path, strlen(path)));
	TRY(db_open(path, true, &db, f));
	TRY(db_begin_read(db, f));
	*ret = TAKE(db);
	return OK;
}

enum err ledger_check(const char *path, struct ledger_report *ret, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	_cleanup_(freep) struct scan *s = xcalloc(1, sizeof(*s));
	TRY(open_snapshot(path, &db, f));
	s->db = db;
	enum err e = scan_all(s, f);
	*ret = s->report;
	return e;
}

enum err ledger_file_ca(const char *path, uint8_t ret[20], struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	_cleanup_buf_ struct buf body = {0};
	_cleanup_(note_done) struct note note = {0};
	_cleanup_(roster_done) struct roster roster = {0};
	struct wire_e_roster e;
	struct head head;
	TRY(open_snapshot(path, &db, f));
	TRY(ledger_head(db, HEAD_ROSTER, &head, f));
	if (head.version == 0)
		return fault_raise(f, ERR_CONFIG, "heads_missing", "ledger",
				   "the ledger has no roster: its genesis was not finished");
	TRY(ledger_entry(db, head.entry, &body, f));
	TRY(wire_e_roster_get(buf_slice(&body), &e, f));
	TRY(note_parse(e.note, 1, &note, f));
	TRY(roster_parse(note.text, &roster, f));
	memcpy(ret, roster.ca, 20);
	return OK;
}

enum err ledger_file_head(const char *path, struct log_signer *log, struct checkpoint *ret, struct buf *ret_note,
			  struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct checkpoint c;
	struct log_key key;
	TRY(open_snapshot(path, &db, f));
	TRY(tree_head(db, &c.size, c.root, f));
	if (c.size == UINT64_MAX)
		return fault_raise(f, ERR_DB, "ledger_tree", "ledger", "the file has no tree: its signer never ran");
	log_signer_public(log, &key);
	memcpy(c.origin, key.origin, sizeof(c.origin));
	TRY(checkpoint_sign(&c, log_signer_hand(log), ret_note, f));
	*ret = c;
	return OK;
}

enum err ledger_file_prove(const char *path, uint64_t index, uint64_t size, struct buf *ret, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	TRY(open_snapshot(path, &db, f));
	return ledger_prove_inclusion(db, index, size, ret, f);
}

struct printing {
	uint64_t index;
	void (*fn)(void *arg, uint64_t index, struct slice text);
	void *arg;
	enum err err;
	struct fault *f;
};

static void print_one(void *arg, struct slice body)
{
	struct printing *p = arg;
	_cleanup_buf_ struct buf text = {0};
	if (p->err != OK)
		return;
	p->err = wire_print(body, &text, p->f);
	if (p->err == OK)
		p->fn(p->arg, p->index, buf_slice(&text));
	p->index++;
}

enum err ledger_file_print(const char *path, uint64_t from, uint64_t to,
			   void (*fn)(void *arg, uint64_t index, struct slice text), void *arg, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct printing p = {.index = from, .fn = fn, .arg = arg, .f = f};
	TRY(open_snapshot(path, &db, f));
	while (p.index < to && p.err == OK) {
		uint64_t before = p.index;
		uint64_t rest = to - p.index;
		TRY(ledger_entries(db, p.index, rest < 1024 ? (uint32_t)rest : 1024, SIZE_MAX, print_one, &p, f));
		if (p.index == before)
			break;
	}
	return p.err;
}

enum err ledger_file_backup(const char *path, const char *to, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	TRY(open_snapshot(path, &db, f));
	return db_backup(db, to, ledger_backup_mark, f);
}

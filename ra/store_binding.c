/*
 * Bindings and the cases about accounts.
 */
#include "ra/store_binding.h"

#include "ra/store_view.h"

#include "common/base/cleanup.h"

#include <string.h>

#define BINDING_COLUMNS                                                                                                \
	"id, account, at, way, who, first, agent_before, mobile_before, agent, mobile, freeze, freeze_dies, state"
#define CASE_COLUMNS                                                                                                   \
	"id, kind, state, coalesce(account, 0), coalesce(binding, 0), organisation, agent, mobile, text, file_type,"   \
	" address, made, coalesce(decided, 0), who, answer"

/* --- bindings --- */

static void read_binding(struct db_row *row, struct binding *ret)
{
	struct slice freeze = db_blob(row, 10);
	ret->id = db_i64(row, 0);
	ret->account = db_i64(row, 1);
	ret->at = db_i64(row, 2);
	COLUMN(row, 3, ret->way);
	COLUMN(row, 4, ret->who);
	ret->first = db_i64(row, 5) != 0;
	COLUMN(row, 6, ret->agent_before);
	COLUMN(row, 7, ret->mobile_before);
	COLUMN(row, 8, ret->agent);
	COLUMN(row, 9, ret->mobile);
	ret->has_freeze = freeze.n == 32;
	if (ret->has_freeze)
		memcpy(ret->freeze, freeze.p, 32);
	ret->freeze_dies = db_i64(row, 11);
	COLUMN(row, 12, ret->state);
}

enum err store_binding_add(struct db *db, const struct binding *b, int64_t *ret_id, struct fault *f)
{
	TRY(db_run(db, f,
		   "INSERT INTO bindings (account, at, way, who, first, agent_before, mobile_before, agent, mobile,"
		   " freeze, freeze_dies, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'standing')",
		   "iittittttbi", b->account, b->at, b->way, b->who, (int64_t)b->first, b->agent_before,
		   b->mobile_before, b->agent, b->mobile,
		   slice_of(b->has_freeze ? b->freeze : NULL, b->has_freeze ? 32 : 0), b->freeze_dies));
	*ret_id = db_last_id(db);
	return OK;
}

enum err store_binding_get(struct db *db, int64_t id, struct binding *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " BINDING_COLUMNS " FROM bindings WHERE id = ?1", "i", id));
	read_binding(row, ret);
	return OK;
}

enum err store_binding_by_freeze(struct db *db, const uint8_t freeze[32], struct binding *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " BINDING_COLUMNS " FROM bindings WHERE freeze = ?1", "b",
		   slice_of(freeze, 32)));
	read_binding(row, ret);
	return OK;
}

enum err store_binding_taker(struct db *db, const struct binding *b, char ret[IDENTIFIER_MAX + 1], struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT coalesce((SELECT a.identifier FROM bindings x JOIN accounts a ON a.id = x.account"
		   " WHERE x.id > ?1 AND x.account <> ?2 AND x.mobile = ?3 AND a.login_mobile = ?3"
		   " ORDER BY x.id DESC LIMIT 1), '')",
		   "iit", b->id, b->account, b->mobile_before));
	column_copy(row, 0, ret, IDENTIFIER_MAX + 1);
	return OK;
}

enum err store_binding_state(struct db *db, int64_t id, const char *state, struct fault *f)
{
	return db_run(db, f, "UPDATE bindings SET state = ?2, freeze = NULL WHERE id = ?1", "it", id, state);
}

/* --- cases --- */

static void read_case(struct db_row *row, struct account_case *ret)
{
	COLUMN(row, 0, ret->id);
	COLUMN(row, 1, ret->kind);
	COLUMN(row, 2, ret->state);
	ret->account = db_i64(row, 3);
	ret->binding = db_i64(row, 4);
	COLUMN(row, 5, ret->organisation);
	COLUMN(row, 6, ret->agent);
	COLUMN(row, 7, ret->mobile);
	COLUMN(row, 8, ret->text);
	COLUMN(row, 9, ret->file_type);
	COLUMN(row, 10, ret->address);
	ret->made = db_i64(row, 11);
	ret->decided = db_i64(row, 12);
	COLUMN(row, 13, ret->who);
	COLUMN(row, 14, ret->answer);
}

enum err store_case_add(struct db *db, const struct account_case *k, struct fault *f)
{
	return db_run(db, f,
		      "INSERT INTO account_cases (id, kind, state, account, binding, organisation, agent, mobile, text,"
		      " file_type, address, made, decided, who, answer) VALUES (?1, ?2, 'open', nullif(?3, 0),"
		      " nullif(?4, 0), ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL, '', '')",
		      "ttiitttttti", k->id, k->kind, k->account, k->binding, k->organisation, k->agent, k->mobile,
		      k->text, k->file_type, k->address, k->made);
}

enum err store_case_get(struct db *db, const char *id, struct account_case *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " CASE_COLUMNS " FROM account_cases WHERE id = ?1", "t", id));
	read_case(row, ret);
	return OK;
}

enum err store_case_with_file(struct db *db, struct account_case *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT " CASE_COLUMNS " FROM account_cases WHERE file_type <> '' LIMIT 1", ""));
	read_case(row, ret);
	return OK;
}

enum err store_case_adopted(struct db *db, const char *id, struct fault *f)
{
	return db_run(db, f, "UPDATE account_cases SET file_type = '' WHERE id = ?1", "t", id);
}

enum err store_case_decide(struct db *db, const char *id, const char *state, const char *who, const char *answer,
			   int64_t now, struct fault *f)
{
	return db_run(db, f, "UPDATE account_cases SET state = ?2, who = ?3, answer = ?4, decided = ?5 WHERE id = ?1",
		      "tttti", id, state, who, answer, now);
}

struct giving {
	struct db *db;
	void (*fn)(void *arg, const struct account_case *k);
	void *arg;
};

static enum err give(void *arg, const struct list_key *key, struct fault *f)
{
	const struct giving *g = arg;
	struct account_case k = {0};
	TRY(store_case_get(g->db, key->id, &k, f));
	g->fn(g->arg, &k);
	return OK;
}

/* One that is about no account is everybody's. */
#define CASES(index, where)                                                                                            \
	"SELECT k.made, k.id FROM account_cases k INDEXED BY " index " WHERE " where                                   \
	" AND (k.made, k.id) > (?2, ?3) AND (k.account IS NULL OR " VIEW_ACCOUNT(                                      \
		"?5", "k.account") ")"                                                                                 \
				   " ORDER BY k.made, k.id LIMIT ?4"

enum err store_cases(struct db *db, const char *state, const char *view, const struct list_page *p,
		     void (*fn)(void *arg, const struct account_case *k), void *arg, struct list_end *ret,
		     struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	_cleanup_(keys_done) struct keys keys = {0};
	const char *sql = state[0] != '\0' ? CASES("account_cases_state", "k.state = ?1")
					   : CASES("account_cases_made", "?1 = ''");
	TRY(db_query(db, f, &row, sql, "titit", state, p->after.at, p->after.id, keys_wanted(p), view));
	TRY(keys_read(row, &keys, f));
	return keys_page(&keys, p, give, &(struct giving){db, fn, arg}, ret, f);
}

enum err store_cases_from(struct db *db, const char *address, int64_t since, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row, "SELECT count(*) FROM account_cases WHERE address = ?1 AND made > ?2", "ti", address,
		   since));
	*ret = db_i64(row, 0);
	return OK;
}

enum err store_cases_open(struct db *db, int64_t account, const char *kind, int64_t *ret, struct fault *f)
{
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	TRY(db_one(db, f, &row,
		   "SELECT count(*) FROM account_cases WHERE account = ?1 AND kind = ?2 AND state = 'open'", "it",
		   account, kind));
	*ret = db_i64(row, 0);
	return OK;
}

/*
 * What happens to a request happens to its token in the inventory, in the same transaction. One token serves one request at
 * a time. Next: token.c, work_make.c, parcel.c.
 */
#include "ra/work.h"

#include "ra/token.h"

#include "common/base/log.h"

#include <assert.h>
#include <string.h>

static enum err pick(struct ctx *c, struct token *t, const struct request *r, const char *who, const char *why,
		     struct fault *f)
{
	int64_t others = 0;
	TRY(store_work_with_token(c->db, t->serial, r->id, &others, f));
	if (others > 0)
		return fault_raise(f, ERR_RULE, "token_taken", "params.token",
				   "token \"%s\" belongs to another request that is under way", t->serial);
	/* The inventory may have been told already for whom it is. */
	if (strcmp(t->state, token_state_word(TOKEN_PREPARED)) == 0 && t->account == r->account)
		return OK;
	return token_take(c, t, r->account, who, why, f);
}

static enum token_state target(enum work_token_step step)
{
	switch (step) {
	case WORK_TOKEN_PICK:
		return TOKEN_PREPARED;
	case WORK_TOKEN_FREE:
		return TOKEN_STOCK;
	case WORK_TOKEN_SHIP:
		return TOKEN_SHIPPED;
	case WORK_TOKEN_BACK:
		return TOKEN_RETURNED;
	case WORK_TOKEN_ARRIVE:
		return TOKEN_IN_USE;
	case WORK_TOKEN_LOSE:
		return TOKEN_LOST;
	case WORK_TOKEN_BREAK:
		return TOKEN_DAMAGED;
	}
	return TOKEN_NONE;
}

enum err work_token(struct ctx *c, enum work_token_step step, const char *serial, const struct request *r,
		    const char *who, const char *why, struct fault *f)
{
	enum token_state to = target(step);
	struct course course;
	struct token t;
	assert(to != TOKEN_NONE);
	TRY(token_by_serial(c, serial, "params.token", &t, f));
	TRY(store_course_get(c->db, r->id, &course, f));
	_cleanup_(freep) char *text = xasprintf("%s%s%s", course.number, why[0] != '\0' ? ": " : "", why);
	if (step == WORK_TOKEN_PICK)
		return pick(c, &t, r, who, text, f);
	/* An officer may have entered the step by hand. */
	if (strcmp(t.state, token_state_word(to)) == 0)
		return OK;
	if (step == WORK_TOKEN_SHIP && strcmp(t.state, token_state_word(TOKEN_RETURNED)) == 0)
		TRY(token_change(c, &t, TOKEN_PREPARED, who, text, f));
	return token_change(c, &t, to, who, text, f);
}

static enum err carry(struct db *db, const char *serial, int64_t cert, int64_t now, struct fault *f)
{
	struct token t;
	struct cert_row row;
	TRY(store_token_by_serial(db, serial, &t, f));
	if (t.cert == cert)
		return OK;
	TRY(store_cert_by_id(db, cert, &row, f));
	t.cert = cert;
	t.changed = now;
	TRY(store_token_set(db, &t, f));
	return store_token_history_add(
		db, t.id, &(struct history_item){now, "carry", t.state, t.state, "signer", SERIAL(&row.ref.serial)}, f);
}

enum err work_issued(struct db *db, const struct request *r, int64_t cert, int64_t now, struct fault *f)
{
	_cleanup_(work_done) struct work w = {0};
	struct fault why = {0};
	if (r->delivery.recipient[0] == '\0' || cert == 0)
		return OK;
	TRY(store_work_get(db, r->id, &w, f));
	enum err e = carry(db, w.token, cert, now, &why);
	/* The ledger's word stands, whatever the inventory says. */
	if (e == ERR_NOT_FOUND || e == ERR_CONFLICT) {
		log_fault(LOG_LEVEL_WARNING, "token_not_told", &why);
		return OK;
	}
	if (e != OK)
		*f = why;
	return e;
}

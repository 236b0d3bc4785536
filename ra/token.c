/*
 * The life of a token. A step that the table does not have is refused, and the text says from where it is possible. What is
 * on the key decides two of them: who goes back to stock carries nothing that is still good, and who leaves stock is
 * somebody's. Next: token_entry.c, token_show.c.
 */
#include "ra/token.h"

#include "ra/officer.h"
#include "ra/status.h"

#include "common/base/clock.h"

#include <assert.h>
#include <string.h>

const char *const token_state_words[] = {"stock",   "prepared", "shipped",  "in_use", "lost",
					 "damaged", "returned", "scrapped", NULL};

/* Rows are states, a set bit a state after. */
#define TO(state) (1u << TOKEN_##state)
static const unsigned next[TOKEN_STATE_N] = {
	[TOKEN_STOCK] = TO(PREPARED) | TO(LOST) | TO(DAMAGED) | TO(SCRAPPED),
	[TOKEN_PREPARED] = TO(STOCK) | TO(SHIPPED) | TO(IN_USE) | TO(LOST) | TO(DAMAGED),
	[TOKEN_SHIPPED] = TO(IN_USE) | TO(RETURNED) | TO(LOST) | TO(DAMAGED),
	[TOKEN_IN_USE] = TO(RETURNED) | TO(LOST) | TO(DAMAGED),
	/* Found: by its holder, or brought to the desk. */
	[TOKEN_LOST] = TO(IN_USE) | TO(RETURNED) | TO(SCRAPPED),
	[TOKEN_DAMAGED] = TO(RETURNED) | TO(LOST) | TO(SCRAPPED),
	/* Prepared: the same key once more to the same holder, to another address, say. */
	[TOKEN_RETURNED] = TO(STOCK) | TO(PREPARED) | TO(LOST) | TO(DAMAGED) | TO(SCRAPPED),
};

const char *token_state_word(enum token_state state)
{
	assert(state > TOKEN_NONE && state < TOKEN_STATE_N);
	return token_state_words[state - 1];
}

enum token_state token_state_from_word(const char *word)
{
	for (size_t i = TOKEN_STOCK; i < TOKEN_STATE_N; i++) {
		if (strcmp(word, token_state_words[i - 1]) == 0)
			return (enum token_state)i;
	}
	return TOKEN_NONE;
}

bool token_may(enum token_state from, enum token_state to)
{
	assert(from < TOKEN_STATE_N && to < TOKEN_STATE_N);
	return (next[from] & 1u << to) != 0;
}

enum err token_by_serial(struct ctx *c, const char *serial, const char *where, struct token *ret, struct fault *f)
{
	enum err e = store_token_by_serial(c->db, serial, ret, f);
	if (e == OK && ret->account != 0)
		e = officer_sees_account(c, ret->account, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "token_unlisted", where, "there is no token \"%s\"",
				   ESC(serial, strlen(serial)));
	return e;
}

static enum err not_now(const struct token *t, enum token_state to, struct fault *f)
{
	_cleanup_buf_ struct buf when = {0};
	for (size_t i = TOKEN_STOCK; i < TOKEN_STATE_N; i++) {
		if (token_may((enum token_state)i, to))
			buf_fmt(&when, "%s%s", when.len > 0 ? ", " : "", token_state_words[i - 1]);
	}
	return fault_raise(f, ERR_RULE, "token_state", "token.state", "token %s is %s: it becomes %s from %s",
			   t->serial, t->state, token_state_word(to), buf_text(&when));
}

/* A key that somebody may still sign with does not go to the next one. */
static enum err check_empty(struct ctx *c, const struct token *t, struct fault *f)
{
	struct cert_row row;
	int64_t live = 0;
	if (t->cert == 0)
		return OK;
	enum err e = store_token_live_cert(c->db, t->cert, c->now, &live, f);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	TRY(store_cert_by_id(c->db, live, &row, f));
	return fault_raise(
		f, ERR_RULE, "token_certificate_live", "token.certificate",
		"token %s carries certificate %s, which is good until %s: revoke it first, then put the token back",
		t->serial, SERIAL(&row.ref.serial), UTC(row.not_after));
}

static enum err store_step(struct ctx *c, struct token *t, const char *event, const char *before, const char *who,
			   const char *why, struct fault *f)
{
	t->changed = c->now;
	enum err e = store_token_set(c->db, t, f);
	if (e == ERR_CONFLICT)
		return fault_raise(f, ERR_CONFLICT, "token_certificate_taken", "params.certificate",
				   "another token carries the certificate");
	TRY(e);
	TRY(store_token_history_add(c->db, t->id, &(struct history_item){c->now, event, before, t->state, who, why},
				    f));
	return desk_audit(c, "token_moved", t->serial, t->state, f);
}

enum err token_change(struct ctx *c, struct token *t, enum token_state to, const char *who, const char *why,
		      struct fault *f)
{
	enum token_state from = token_state_from_word(t->state);
	char before[sizeof(t->state)];
	if (!token_may(from, to))
		return not_now(t, to, f);
	if (to == TOKEN_PREPARED && t->account == 0)
		return fault_raise(f, ERR_RULE, "token_holder", "token.holder",
				   "token %s is nobody's: say for whom it is prepared", t->serial);
	if (to == TOKEN_STOCK) {
		TRY(check_empty(c, t, f));
		t->account = t->cert = 0;
		t->keeper[0] = '\0';
	}
	memcpy(before, t->state, sizeof(before));
	snprintf(t->state, sizeof(t->state), "%s", token_state_word(to));
	return store_step(c, t, "move", before, who, why, f);
}

enum err token_take(struct ctx *c, struct token *t, int64_t account, const char *who, const char *why, struct fault *f)
{
	if (token_state_from_word(t->state) != TOKEN_STOCK)
		return not_now(t, TOKEN_PREPARED, f);
	t->account = account;
	return token_change(c, t, TOKEN_PREPARED, who, why, f);
}

enum err token_carry(struct ctx *c, struct token *t, int64_t cert, const char *who, struct fault *f)
{
	struct cert_row row;
	TRY(store_cert_by_id(c->db, cert, &row, f));
	if (t->cert == cert)
		return OK;
	t->cert = cert;
	return store_step(c, t, "carry", t->state, who, SERIAL(&row.ref.serial), f);
}

/* --- token.move --- */

static enum err find_account(struct ctx *c, const char *identifier, struct account *ret, struct fault *f)
{
	enum err e = store_account_by_name(c->db, identifier, ret, f);
	if (e == OK)
		e = officer_sees_account(c, ret->id, f);
	if (e == ERR_NOT_FOUND)
		return fault_raise(f, ERR_NOT_FOUND, "account_unknown", "params.identifier",
				   "there is no account \"%s\"", ESC(identifier, strlen(identifier)));
	return e;
}

/* Whose it is is said when it leaves stock, and stays until it comes back. */
static enum err set_holder(struct ctx *c, struct token *t, const char *identifier, struct fault *f)
{
	struct account a;
	TRY(find_account(c, identifier, &a, f));
	if (t->account != 0 && t->account != a.id)
		return fault_raise(f, ERR_RULE, "token_holder", "params.identifier",
				   "token %s is another account's: put it back to stock first", t->serial);
	t->account = a.id;
	return OK;
}

enum err token_move(struct ctx *c, json_t **ret, struct fault *f)
{
	const char *identifier = param_text(c, "identifier"), *certificate = param_text(c, "certificate"), *why;
	enum token_state to = token_state_from_word(param_text(c, "to"));
	struct token t;
	struct cert_row row;
	char who[WHO_MAX];
	TRY(officer_of(c, who, f));
	TRY(param_clean(c, "why", &why, f));
	TRY(token_by_serial(c, param_text(c, "token"), "params.token", &t, f));
	if (identifier)
		TRY(set_holder(c, &t, identifier, f));
	TRY(token_change(c, &t, to, who, why, f));
	if (certificate) {
		if (t.account == 0)
			return fault_raise(f, ERR_RULE, "token_holder", "params.certificate",
					   "token %s is nobody's: it carries no certificate", t.serial);
		TRY(cert_find(c->db, certificate, NULL, t.account, &row, f));
		TRY(token_carry(c, &t, row.id, who, f));
	}
	return token_json(c, &t, ret, f);
}

/*
 * An officer's work that is no tally's approval: a yes to an unlock, by the code that the holder says; and the key of a request that the desk makes,
 * on a token in a slot here. The page names the request; what it is about the agent fetches itself, over its own connection to the desk, and a start
 * PIN or a PUK passes no page. Next: unlock_yes.h, work.h.
 */
#include "tools/hufu/agent.h"

#include "tools/hufu/token_start.h"
#include "tools/hufu/unlock_yes.h"
#include "tools/hufu/work.h"

#include <string.h>

static const char *text_of(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

/* Whose agent this is: the name in the officer's key file. */
static enum err officer(const struct agent *a, struct person_key *ret, struct fault *f)
{
	bool sealed;
	if (!a->officer_key)
		return fault_raise(f, ERR_DENIED, "agent_officer", "agent",
				   "this agent was started without an officer's key (--officer)");
	return person_key_read(a->officer_key, ret, &sealed, f);
}

/* --- an unlock --- */

static enum err ask_code(const struct agent_call *at, const struct unlock_yes *y, struct agent_answer *ret,
			 struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	bool sealed = false;
	char typed[64] = {0};
	TRY(escrow_sealed(at->agent->escrow, &sealed, f));
	buf_fmt(&text, "%s\n", at->origin);
	unlock_yes_put(y, &text);
	buf_str(&text,
		"请致电该单位，键入其客户端显示的核对码 / call them, and type the code that their agent shows\n");
	struct agent_question q = {.what = "agree",
				   .text = buf_text(&text),
				   .asks = "同意解锁? / Agree to this unlock?",
				   .code = true,
				   .passphrase = sealed ? "Passphrase of the token key: " : NULL};
	TRY(agent_ask(at->agent, &q, ret, f));
	memcpy(typed, ret->code.p, ret->code.n < sizeof typed ? ret->code.n : sizeof typed - 1);
	return unlock_yes_fits(y, typed) ? OK : unlock_yes_wrong(f);
}

enum err agent_agree(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	struct agent *a = at->agent;
	struct person_key own = {0};
	_cleanup_(unlock_yes_done) struct unlock_yes y = {0};
	_cleanup_(agent_answer_done) struct agent_answer answer = {0};
	_cleanup_(escrow_done) struct escrow_key key = {0};
	TRY(officer(a, &own, f));
	if (!a->escrow)
		return fault_raise(f, ERR_DENIED, "agent_escrow", "agent",
				   "this agent was started without the desk's token key (--escrow)");
	TRY(unlock_yes_load(a->cli, text_of(call->params, "request"), &y, f));
	TRY(ask_code(at, &y, &answer, f));
	TRY(escrow_load(a->escrow, answer.passphrase.n ? &answer.passphrase : NULL, NULL, &key, f));
	return unlock_yes_say(a->cli, &y, &key, own.name, ret, f);
}

/* --- a key that the desk makes --- */

struct making {
	struct agent_call *at;
	const char *request, *as, *state;
	json_t *answer; /* owned: of review.show */
	struct card card;
};
static void making_done(struct making *m)
{
	card_done(&m->card);
	json_freep(&m->answer);
}

/* Where it stands: no key yet, or one whose tally is not signed yet. */
static enum err load(struct making *m, struct fault *f)
{
	TRY(cli_desk(m->at->agent->cli, "review.show", json_pack("{s:s}", "request", m->request), false, false,
		     &m->answer, f));
	m->state = text_of(m->answer, "state");
	if (strcmp(m->state, "to_make") == 0 || strcmp(m->state, "keyed") == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "work_state", "request.state",
			   "request %s is %s: a key is made while it is to_make or keyed",
			   ESC(m->request, strlen(m->request)), ESC(m->state, strlen(m->state)));
}

/* The yes, and the PIN: where it is the start PIN still, it goes to the desk, which keeps it sealed and sends it to the holder. */
static enum err ask_key(struct making *m, struct agent_answer *answer, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	const char *number = text_of(m->answer, "number"), *whose = text_of(m->answer, "organisation");
	agent_card_text(m->at->origin, &m->card, &text);
	buf_fmt(&text, "%s: %s (%s)\n在此 USB Key 上为该申请制作密钥 / the key of this request is made on it\n",
		ESC(number, strlen(number)), ESC(whose, strlen(whose)), text_of(m->answer, "kind"));
	struct agent_question q = {.what = "make", .text = buf_text(&text), .asks = "制作? / Make it?"};
	agent_card_wants(&m->card, &q);
	TRY(agent_ask(m->at->agent, &q, answer, f));
	return agent_card_login(&m->card, answer, f);
}

static enum err make_key(struct making *m, const char *algorithm, struct fault *f)
{
	_cleanup_(json_freep) json_t *key = NULL, *said = NULL;
	bool start = false;
	TRY(token_start_is(m->card.token, &start, f));
	TRY(agent_card_key(&m->card, algorithm, &key, f));
	json_t *p = json_pack("{s:s,s:s,s:s,s:s}", "request", m->request, "token", m->card.serial, "csr",
			      text_of(key, "csr"), "officer", m->as);
	if (start && m->card.pin.n > 0)
		json_object_set_new(p, "start_pin", secret_string(&m->card.pin));
	return cli_desk(m->at->agent->cli, "work.csr", p, false, true, &said, f);
}

/* The tally, which there is only now, is shown before the new key signs it. */
static enum err prove(struct making *m, json_t **ret, struct fault *f)
{
	_cleanup_(work_tally_done) struct work_tally w = {0};
	_cleanup_(agent_answer_done) struct agent_answer answer = {0};
	_cleanup_(freep) char *line = NULL;
	struct agent *a = m->at->agent;
	TRY(work_tally_load(a->cli, m->request, &w, f));
	struct agent_question q = {
		.what = "sign", .text = w.text, .asks = "新密钥签署上文? / Let the new key sign exactly this text?"};
	TRY(agent_ask(a, &q, &answer, f));
	TRY(work_line(m->card.token, w.text, &w.csr.key, &line, f));
	return cli_desk(a->cli, "work.prove",
			json_pack("{s:s,s:s,s:s}", "request", m->request, "line", line, "officer", m->as), false, true,
			ret, f);
}

enum err agent_make(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	_cleanup_(making_done) struct making m = {.at = arg, .request = text_of(call->params, "request")};
	_cleanup_(agent_answer_done) struct agent_answer answer = {0};
	struct person_key own = {0};
	TRY(officer(m.at->agent, &own, f));
	m.as = own.name;
	TRY(load(&m, f));
	TRY(agent_card(m.at->agent, call->params, TOKEN_WRITE, &m.card, f));
	TRY(ask_key(&m, &answer, f));
	if (strcmp(m.state, "to_make") == 0)
		TRY(make_key(&m, text_of(call->params, "algorithm"), f));
	return prove(&m, ret, f);
}

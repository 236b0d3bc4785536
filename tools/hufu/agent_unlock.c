/*
 * A forgotten PIN, in the four steps between which the page asks the desk: a one-time key and the code that goes with it; the PUK that came for that
 * key, and the next one, sealed to the desk; the new PIN; the end. The one-time key waits in a file of the user's own, named by the token, and the
 * same steps again go on where they were. The desk's token key is the agent's own configuration, never the page's word. Next: unlock_card.h.
 */
#include "tools/hufu/agent.h"

#include "tools/hufu/unlock_card.h"

#include <string.h>

struct unlocking {
	struct card card;
	struct unlock_client client;
	struct unlock_card work;
	struct agent_answer answer;
	char *name; /* owned: of the client's file */
};
static void unlocking_done(struct unlocking *u)
{
	card_done(&u->card);
	unlock_card_done(&u->work);
	unlock_client_done(&u->client);
	agent_answer_done(&u->answer);
	freep(&u->name);
}

/* The token that is plugged in, and the name of its file. */
static enum err begin(struct agent_call *at, struct rpc_call *call, enum token_use use, struct unlocking *ret,
		      struct fault *f)
{
	_cleanup_buf_ struct buf hex = {0};
	TRY(agent_card(at->agent, call->params, use, &ret->card, f));
	if (!puk_serial_ok(ret->card.serial))
		return fault_raise(f, ERR_RULE, "token_serial", "expect",
				   "token %s has no serial number that can be used", ret->card.serial);
	buf_hex(&hex, ret->card.serial, strlen(ret->card.serial));
	ret->name = xasprintf("agent-%s", buf_text(&hex));
	return OK;
}

/* --- asking --- */

/* One key for each token until the unlock has ended: asking again must not put another in the place of one that an answer is on its way to. */
static enum err client_key(struct unlocking *u, struct fault *f)
{
	struct fault why;
	if (unlock_client_load(u->name, &u->client, &why) == OK && strcmp(u->client.serial, u->card.serial) == 0)
		return OK;
	unlock_client_done(&u->client);
	unlock_client_make(u->card.serial, &u->client);
	return unlock_client_save(&u->client, u->name, f);
}

enum err agent_unlock_ask(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(unlocking_done) struct unlocking u = {0};
	char code[PUK_CODE + 1], hex[2 * PUK_KEY + 1];
	TRY(begin(at, call, TOKEN_CLOSED, &u, f));
	TRY(client_key(&u, f));
	TRY(puk_code(u.client.key, u.client.serial, code, f));
	hex_lower(u.client.key, PUK_KEY, hex);
	_cleanup_(freep) char *text = xasprintf("%s\n解锁 USB Key %s，验证码 %s：审核员会向您询问，勿告知主动来电者\n"
						"unlock of token %s, code: %s\nAn officer will ask you for this code; "
						"say it to nobody who calls you.\n",
						at->origin, u.card.serial, code, u.card.serial, code);
	agent_tell(at->agent, "code", text);
	*ret = json_pack("{s:s,s:s,s:s}", "token", u.card.serial, "key", hex, "call_id", u.client.call_id);
	return OK;
}

/* --- the next PUK --- */

static enum err resume(struct unlocking *u, struct fault *f)
{
	TRY(unlock_client_load(u->name, &u->client, f));
	u->work.token = u->card.token;
	u->work.u = &u->client;
	return OK;
}

enum err agent_unlock_next(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(unlocking_done) struct unlocking u = {0};
	_cleanup_buf_ struct buf box = {0}, sealed = {0};
	const char *puk = json_string_value(json_object_get(call->params, "puk")), *token_key = at->agent->token_key;
	if (!token_key)
		return fault_raise(f, ERR_CONFIG, "token_key", "--token-key",
				   "this agent was started without the desk's token key, which an unlock wants");
	TRY(begin(at, call, TOKEN_ADMIN, &u, f));
	TRY(resume(&u, f));
	if (!base64_decode(puk, strlen(puk), &box))
		return fault_raise(f, ERR_PARSE, "puk_form", "puk", "the sealed PUK is no base64");
	buf_clear(&u.client.taken);
	buf_add_slice(&u.client.taken, buf_slice(&box));
	TRY(unlock_card_open(&u.work, f));
	TRY(unlock_card_next(&u.work, token_key, &sealed, f));
	TRY(unlock_client_save(&u.client, u.name, f));
	*ret = json_pack("{s:s,s:s}", "token", u.card.serial, "puk", buf_text(&sealed));
	return OK;
}

/* --- the new PIN --- */

static enum err ask(struct agent_call *at, struct unlocking *u, struct fault *f)
{
	_cleanup_(freep) char *text = xasprintf("%s\nUSB Key \"%s\" (%s)\n\n设置新 PIN，旧 PIN 失效\nset a new PIN; "
						"the old one is refused from then on\n",
						at->origin, token_name(u->card.token), u->card.serial);
	struct agent_question q = {.what = "unlock", .text = text, .asks = "设置? / Set it?", .new_pin = true};
	return agent_ask(at->agent, &q, &u->answer, f);
}

enum err agent_unlock_set(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(unlocking_done) struct unlocking u = {0};
	const struct secret *puk = NULL;
	struct fault tried = {0};
	size_t n = 0;
	TRY(begin(at, call, TOKEN_ADMIN, &u, f));
	TRY(resume(&u, f));
	if (u.client.next.len == 0)
		return fault_raise(f, ERR_RULE, "unlock_order", "expect", "no PUK has come for token %s yet",
				   u.card.serial);
	TRY(unlock_card_open(&u.work, f));
	TRY(ask(at, &u, f));
	TRY(unlock_card_login(&u.work, &puk, f));
	TRY(unlock_card_set(&u.work, puk, &u.answer.new_pin, f));
	bool works = unlock_card_try(&u.work, &u.answer.new_pin, &n, &tried) == OK;
	token_closep(&u.card.token); /* before the PIN that it borrows is gone */
	*ret = json_pack("{s:s,s:i,s:b}", "token", u.card.serial, "keys", (int)n, "keys_work", (int)works);
	return OK;
}

/* --- the end --- */

/* The desk knows that the unlock is over: nothing of it is kept. */
enum err agent_unlock_forget(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	struct agent_call *at = arg;
	_cleanup_(unlocking_done) struct unlocking u = {0};
	struct fault why;
	TRY(begin(at, call, TOKEN_CLOSED, &u, f));
	if (unlock_client_load(u.name, &u.client, &why) != ERR_NOT_FOUND)
		unlock_client_forget(&u.client);
	*ret = json_pack("{s:s}", "token", u.card.serial);
	return OK;
}

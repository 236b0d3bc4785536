/*
 * An officer's yes, asked for by a page that names a request and nothing else. The agent has its own connection to the desk, as `hufu officer` has: it
 * fetches the tally and the materials itself, holds each hash against the tally, shows text and difference, and asks once for each tally. Next:
 * officer_case.h, key_seen.h.
 */
#include "tools/hufu/agent.h"

#include "tools/hufu/key_seen.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/officer_case.h"

#include <string.h>

struct approval {
	struct agent_call *at;
	json_t *params;
	const char *request;
	struct case_file file;
	struct person_key key, open; /* open: without the secret */
	struct agent_answer answer;
	struct card card; /* where the new key is on a token here */
	bool on_token;
};
static void approval_done(struct approval *a)
{
	case_done(&a->file);
	person_key_done(&a->key);
	agent_answer_done(&a->answer);
	card_done(&a->card);
}

/* What the officer is asked for beside the yes, by the way in which the new key is to be seen. */
static enum err wants(struct approval *a, struct agent_question *q, struct buf *text, struct fault *f)
{
	static const char *const from[] = {[KEY_SEEN_PAPER] = "盖章纸质材料 / from the stamped paper",
					   [KEY_SEEN_CALL] = "您去电时对方所念 / read out to you in your call",
					   [KEY_SEEN_PERSON] = "当面所见 / shown to you in person"};
	const struct tally *t = &a->file.tally;
	bool sealed = false;
	TRY(person_key_read(a->at->agent->officer_key, &a->open, &sealed, f));
	q->passphrase = sealed ? "Passphrase of your key: " : NULL;
	q->characters = key_seen_is_typed(t);
	if (q->characters)
		buf_fmt(text, "\n新密钥的十位字符，来自：%s\n", from[t->key_seen]);
	a->on_token = t->key_seen == KEY_SEEN_TOKEN && json_object_get(a->params, "expect");
	if (!a->on_token)
		return OK;
	TRY(agent_card(a->at->agent, a->params, TOKEN_CLOSED, &a->card, f));
	agent_card_wants(&a->card, q);
	return OK;
}

static enum err check_key(struct approval *a, struct fault *f)
{
	const struct tally *t = &a->file.tally;
	struct seen_how how = {.own = &a->key, .pin = a->answer.pin.n ? &a->answer.pin : NULL};
	if (a->answer.characters.n > 0) {
		char typed[64] = {0};
		size_t n = a->answer.characters.n;
		memcpy(typed, a->answer.characters.p, n < sizeof typed ? n : sizeof typed - 1);
		return key_seen_fits(t, typed) ? OK : key_seen_wrong(f);
	}
	if (t->key_seen != KEY_SEEN_TOKEN)
		return OK;
	card_done(&a->card); /* its module is opened once more */
	if (a->on_token)
		how.choice = (struct token_choice){.serial = json_string_value(json_object_get(a->params, "expect")),
						   .module = a->at->agent->module};
	return key_seen_token(&how, t, a->file.answer, f);
}

static enum err ask(struct approval *a, struct fault *f)
{
	struct agent *agent = a->at->agent;
	_cleanup_buf_ struct buf text = {0};
	struct agent_question q = {.what = "approve", .asks = "批准上文? / Approve exactly this tally?"};
	TRY(case_load(agent->cli, a->request, &a->file, f));
	TRY(case_signable(&a->file, a->request, f));
	buf_fmt(&text, "%s\n\n", a->at->origin);
	TRY(case_show(agent->cli, a->request, &a->file, agent->materials, &text, f));
	TRY(wants(a, &q, &text, f));
	q.text = buf_text(&text);
	return agent_ask(agent, &q, &a->answer, f);
}

enum err agent_approve(void *arg, struct rpc_call *call, json_t **ret, struct fault *f)
{
	_cleanup_(approval_done) struct approval a = {.at = arg, .params = call->params};
	_cleanup_(freep) char *line = NULL;
	struct agent *agent = a.at->agent;
	if (!agent->officer_key)
		return fault_raise(f, ERR_DENIED, "agent_officer", "agent",
				   "this agent was started without an officer's key (--officer)");
	a.request = json_string_value(json_object_get(call->params, "request"));
	TRY(ask(&a, f));
	TRY(person_key_load(agent->officer_key, &a.answer.passphrase, &a.key, f));
	TRY(check_key(&a, f));
	TRY(line_by_person(a.file.text, &a.key, &line, f));
	return cli_desk(agent->cli, "review.approve", json_pack("{s:s,s:s}", "request", a.request, "line", line), false,
			true, ret, f);
}

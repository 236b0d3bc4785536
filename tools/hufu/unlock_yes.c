/*
 * The code goes from the holder's mouth to the officer's hand, past the desk and every page: a desk in other hands could put a key of its own in the
 * place of the holder's, and then the code is another. Next: cmd_token_unlock.c, agent_work.c.
 */
#include "tools/hufu/unlock_yes.h"

#include "tools/hufu/cmd_token.h"
#include "tools/hufu/unlock_client.h"

#include <string.h>

void unlock_yes_done(struct unlock_yes *y)
{
	json_freep(&y->answer);
}

enum err unlock_yes_load(struct cli *c, const char *request, struct unlock_yes *ret, struct fault *f)
{
	ret->request = request;
	TRY(cli_desk(c, "review.show", json_pack("{s:s}", "request", request), false, false, &ret->answer, f));
	json_t *k = json_object_get(ret->answer, "unlock");
	if (!k)
		return fault_raise(f, ERR_RULE, "unlock_kind", "request", "request %s is no unlock", request);
	TRY(unlock_offer_read(k, &ret->token, ret->client, f));
	return puk_code(ret->client, ret->token, ret->code, f);
}

void unlock_yes_put(const struct unlock_yes *y, struct buf *ret)
{
	const char *said[4] = {"number", "organisation", "identifier", "agent"};
	for (size_t i = 0; i < 4; i++) {
		const char *text = json_string_value(json_object_get(y->answer, said[i]));
		said[i] = text ? text : "";
	}
	buf_fmt(ret, "unlock %s: token %s of %s (%s), agent %s\n", ESC(said[0], strlen(said[0])),
		ESC(y->token, strlen(y->token)), ESC(said[1], strlen(said[1])), ESC(said[2], strlen(said[2])),
		ESC(said[3], strlen(said[3])));
}

bool unlock_yes_fits(const struct unlock_yes *y, const char *typed)
{
	char a[PUK_CODE + 1], *to = a;
	for (; *typed; typed++) {
		char ch = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;
		if (ch == '-' || ch == ' ' || ch == '\n')
			continue;
		if (to == a + 8)
			return false;
		*to++ = ch;
	}
	*to = '\0';
	return to == a + 8 && strncmp(a, y->code, 4) == 0 && strcmp(a + 4, y->code + 5) == 0;
}

enum err unlock_yes_wrong(struct fault *f)
{
	return fault_raise(f, ERR_DENIED, "code_wrong", "code",
			   "the code is not that of the one-time key and token: nothing was opened. If it was said and "
			   "typed rightly, somebody put another key in its place");
}

enum err unlock_yes_say(struct cli *c, const struct unlock_yes *y, const struct escrow_key *key, const char *as,
			json_t **ret, struct fault *f)
{
	_cleanup_(puk_set_done) struct puk_set puks = {0};
	_cleanup_buf_ struct buf box = {0}, text = {0};
	json_t *k = json_object_get(y->answer, "unlock");
	TRY(escrow_open(key, y->token, json_string_value(json_object_get(k, "puk")), &puks, f));
	TRY(escrow_open(key, y->token, json_string_value(json_object_get(k, "puk_next")), &puks, f));
	TRY(puk_seal(y->client, y->token, &puks, &box, f));
	if (c->dry_run)
		return OK;
	buf_base64(&text, box.data, box.len);
	json_t *p = json_pack("{s:s,s:s}", "request", y->request, "puk", buf_text(&text));
	token_text(p, "officer", as);
	return cli_desk(c, "review.unlock", p, false, true, ret, f);
}

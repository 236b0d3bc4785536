/*
 * `hufu work csr|prove|again`: an officer's steps while a key is made on a token here. What the token signs is shown first, as
 * everywhere, and the key in the desk's tally is held against the request of the key. Next: cmd_parcel.c, key_seen.c.
 */
#include "tools/hufu/cmd_token.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/token_login.h"
#include "tools/hufu/work.h"

#include <string.h>

static void set_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

struct work_way {
	struct card card;
	const char *as;
	bool yes;
};
struct work_csr_words {
	const char *serial, *csr, *pin_fd, *as;
};

void work_tally_done(struct work_tally *b)
{
	tally_done(&b->tally);
	csr_done(&b->csr);
	buf_done(&b->der);
	json_freep(&b->answer);
}

enum err work_tally_load(struct cli *c, const char *request, struct work_tally *b, struct fault *f)
{
	TRY(cli_desk(c, "review.show", json_pack("{s:s}", "request", request), false, false, &b->answer, f));
	const char *pem = json_string_value(json_object_get(b->answer, "csr"));
	b->text = json_string_value(json_object_get(b->answer, "tally"));
	if (!pem || !b->text || b->text[0] == '\0')
		return fault_raise(f, ERR_RULE, "tally_missing", "request",
				   "request %s has no tally yet: its key is to be made first (hufu work csr)", request);
	TRY(pem_or_der(slice_str(pem), "CERTIFICATE REQUEST", &b->der, f));
	TRY(csr_parse(buf_slice(&b->der), &b->csr, f));
	TRY(tally_parse(slice_str(b->text), &b->tally, f));
	if (memcmp(b->tally.key_sha256, b->csr.key.spki_sha256, 32) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "proof_csr", "review.show",
			   "the desk's csr has another key than the tally names");
}

enum err work_line(struct token *t, const char *text, const struct pubkey *key, char **ret, struct fault *f)
{
	_cleanup_buf_ struct buf sig = {0};
	struct token_key found;
	TRY(token_find(t, key, "the new key", &found, f));
	TRY(token_sign(t, &found, key, slice_str(text), &sig, f));
	return line_by_signature(slice_str(text), NOTE_NEW_KEY, key, buf_slice(&sig), ret, f);
}

/* The token of the desk's record, and no other. */
static enum err sign(struct work_way *w, const struct work_tally *b, char **ret, struct fault *f)
{
	struct card *k = &w->card;
	k->choice.serial = json_string_value(json_object_get(b->answer, "token"));
	k->choice.use = TOKEN_SIGN;
	if (!k->choice.serial)
		return fault_raise(f, ERR_NET, "desk_answer", "review.show", "the desk's answer has no token");
	TRY(token_open(&k->choice, &k->token, f));
	if (!w->yes && !cli_confirm("%s\nLet the token sign exactly this text?", b->text))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "request", "not signed: the answer was not \"yes\"");
	TRY(token_ask_login(k->token, k->pin_fd, &k->pin, f));
	return work_line(k->token, b->text, &b->csr.key, ret, f);
}

static enum err prove(struct cli *c, const char *request, struct work_way *w, json_t **ret, struct fault *f)
{
	_cleanup_(work_tally_done) struct work_tally b = {0};
	_cleanup_(freep) char *line = NULL;
	TRY(work_tally_load(c, request, &b, f));
	enum err e = sign(w, &b, &line, f);
	card_done(&w->card); /* its serial is borrowed of the answer */
	TRY(e);
	if (c->dry_run)
		return OK;
	json_t *p = json_pack("{s:s,s:s}", "request", request, "line", line);
	set_text(p, "officer", w->as);
	return cli_desk(c, "work.prove", p, false, true, ret, f);
}

int run_work_prove(struct cli *c, int argc, char **argv)
{
	struct work_way w = {0};
	const struct option_rule rules[] = {{.name = "--as", .value = &w.as},
					    {.name = "--module", .value = &w.card.choice.module},
					    {.name = "--pin-fd", .value = &w.card.pin_fd},
					    {.name = "--yes", .flag = &w.yes},
					    {0}};
	const struct command *cmd = cli_command(commands_parcel, run_work_prove);
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (prove(c, argv[1], &w, &r, &f) != OK)
		return cli_fail(c, &f);
	const char *state = json_string_value(json_object_get(r, "state"));
	json_t *o = r ? json_incref(r) : json_pack("{s:s,s:b}", "request", argv[1], "dry_run", 1);
	return cli_said(c, o, "request %s: %s\n", argv[1], state ? state : "would be proved (dry run)");
}

/* --- the key's request --- */

static enum err csr_params(const struct work_csr_words *w, const char *request, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0}, pem = {0};
	_cleanup_secret_ struct secret pin = {0};
	TRY(der_load(w->csr, "CERTIFICATE REQUEST", &der, f));
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&der));
	if (w->pin_fd)
		TRY(ask_secret(w->pin_fd, "--start-pin-fd", "Start PIN: ", false, &pin, f));
	*ret = json_pack("{s:s,s:s,s:s}", "request", request, "token", w->serial, "csr", buf_text(&pem));
	set_text(*ret, "officer", w->as);
	if (w->pin_fd)
		json_object_set_new(*ret, "start_pin", secret_string(&pin));
	return OK;
}

int run_work_csr(struct cli *c, int argc, char **argv)
{
	struct work_csr_words w = {0};
	const struct option_rule rules[] = {{.name = "--as", .value = &w.as},
					    {.name = "--serial", .value = &w.serial},
					    {.name = "--csr", .value = &w.csr},
					    {.name = "--start-pin-fd", .value = &w.pin_fd},
					    {0}};
	const struct command *cmd = cli_command(commands_parcel, run_work_csr);
	struct fault f = {0};
	json_t *p = NULL;
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!w.serial || !w.csr)
		return cli_usage(cmd, "%s is missing", !w.serial ? "--serial SERIAL" : "--csr FILE");
	if (csr_params(&w, argv[1], &p, &f) != OK)
		return cli_fail(c, &f);
	int code = cli_show(c, "work.csr", p, false, true);
	if (code == EXIT_DONE && !w.pin_fd)
		fputs("hufu: without --start-pin-fd the desk does not know the start PIN and sends no SMS with it: "
		      "tell it to the "
		      "holder yourself, and not in the parcel (未提交初始 "
		      "PIN，服务台不会发送短信，请另行告知用户，切勿随包裹寄出)\n",
		      stderr);
	return code;
}

int run_work_again(struct cli *c, int argc, char **argv)
{
	const char *as = NULL, *note = NULL;
	const struct option_rule rules[] = {{.name = "--as", .value = &as}, {.name = "--note", .value = &note}, {0}};
	const struct command *cmd = cli_command(commands_parcel, run_work_again);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!note)
		return cli_usage(cmd, "--note TEXT is missing: why the token can't be used");
	json_t *p = json_pack("{s:s,s:s}", "request", argv[1], "note", note);
	set_text(p, "officer", as);
	return cli_show(c, "work.again", p, false, true);
}

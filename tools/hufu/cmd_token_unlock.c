/*
 * `hufu token unlock`: first it asks, and shows a code; then, when an officer has agreed, it sets a new PIN. And the officer's
 * half, `hufu officer unlock`.
 *
 * The code goes from the holder's mouth to the officer's hand, past the desk: a desk in other hands could put a key of its own in the
 * place of the client's, and then the code is another. Next: unlock_card.h.
 */
#include "tools/hufu/cmd_token.h"

#include "tools/hufu/unlock_card.h"
#include "tools/hufu/unlock_yes.h"

#include <string.h>

#define CODE_TRIES 3

static const char *text_of(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

/* --- asking --- */

static int ask(struct cli *c, struct card *k)
{
	_cleanup_(unlock_client_done) struct unlock_client u = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	char code[PUK_CODE + 1], hex[2 * PUK_KEY + 1];
	struct fault f = {0};
	/* It is in the slot, so it is not another that one is about to forget where it lies. */
	if (card_find(c, k, TOKEN_CLOSED, &f) != OK)
		return cli_fail(c, &f);
	unlock_client_make(k->choice.serial, &u);
	hex_lower(u.key, PUK_KEY, hex);
	if (puk_code(u.key, u.serial, code, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:s,s:b}", "token", u.serial, "dry_run", 1),
				"token %s: an unlock would be asked for (dry run)\n", u.serial);
	if (cli_desk(c, "unlock.open", json_pack("{s:s,s:s}", "token", u.serial, "key", hex), true, true, &r, &f) !=
		    OK ||
	    unlock_client_save(&u, text_of(r, "request"), &f) != OK)
		return cli_fail(c, &f);
	json_object_set_new(r, "code", json_string(code));
	_cleanup_(freep) char *number = xstrdup(text_of(r, "number"));
	cli_said(c, TAKE(r),
		 "unlock %s of token %s is with the officers\ncode: %s\nAn officer will ask you for this code; say it "
		 "to nobody "
		 "who calls you.\nthen: hufu token unlock %s\n",
		 number, u.serial, code, number);
	return EXIT_WAITING;
}

/* --- doing --- */

struct job {
	struct cli *c;
	struct card card;
	struct unlock_client u;
	const char *request, *new_fd;
	char id[65];
	char state[20];
	struct secret pin;
	struct unlock_card work;
};
static void job_done(struct job *j)
{
	card_done(&j->card);
	unlock_client_done(&j->u);
	secret_done(&j->pin);
	unlock_card_done(&j->work);
}

static enum err look_up(struct job *j, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(cli_desk(j->c, "request.show", json_pack("{s:s}", "request", j->request), true, false, &r, f));
	snprintf(j->id, sizeof j->id, "%s", text_of(r, "request"));
	snprintf(j->state, sizeof j->state, "%s", text_of(r, "state"));
	return unlock_client_load(j->id, &j->u, f);
}

/* Once; the same call again gives the same answer. */
static enum err take_puk(struct job *j, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	if (j->u.taken.len > 0)
		return OK;
	TRY(cli_desk(j->c, "unlock.take", json_pack("{s:s,s:s}", "request", j->id, "call_id", j->u.call_id), true,
		     false, &r, f));
	const char *box = text_of(r, "puk");
	if (!base64_decode(box, strlen(box), &j->u.taken))
		return fault_raise(f, ERR_NET, "desk_answer", "unlock.take", "the desk's sealed PUK is no base64");
	return unlock_client_save(&j->u, j->id, f);
}

/* The next PUK: into the own file, and to the desk, sealed to its token key; then on the token. */
static enum err record_next(struct job *j, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	_cleanup_buf_ struct buf text = {0};
	TRY(unlock_card_next(&j->work, j->c->token_key, &text, f));
	TRY(unlock_client_save(&j->u, j->id, f));
	return cli_desk(j->c, "unlock.renew", json_pack("{s:s,s:s}", "request", j->id, "puk", buf_text(&text)), true,
			true, &r, f);
}

static enum err write_token(struct job *j, struct fault *f)
{
	const struct secret *puk = NULL;
	TRY(unlock_card_login(&j->work, &puk, f));
	if (!j->work.at_next)
		TRY(record_next(j, f));
	return unlock_card_set(&j->work, puk, &j->pin, f);
}

static enum err report(struct job *j, const char *result, const char *puk, const char *text, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *p = json_pack("{s:s,s:s,s:s}", "request", j->id, "result", result, "puk", puk);
	if (text && *text)
		json_object_set_new(p, "text", json_stringn(text, strnlen(text, 200)));
	return cli_desk(j->c, "unlock.report", p, true, true, &r, f);
}

static enum err unlock(struct job *j, struct fault *f)
{
	TRY(card_find(j->c, &j->card, TOKEN_ADMIN, f));
	TRY(ask_secret(j->new_fd, "--new-pin-fd", "New PIN: ", true, &j->pin, f));
	TRY(take_puk(j, f));
	j->work.token = j->card.token;
	j->work.u = &j->u;
	enum err e = unlock_card_open(&j->work, f);
	if (e == OK)
		e = write_token(j, f);
	if (e != OK && unlock_is_over(f)) {
		struct fault why = {0};
		if (report(j, "failed", "kept", f->rule, &why) == OK)
			unlock_client_forget(&j->u);
	}
	TRY(e);
	TRY(report(j, "done", "next", NULL, f));
	unlock_client_forget(&j->u);
	return OK;
}

static int not_yet(struct job *j)
{
	char code[PUK_CODE + 1];
	struct fault f = {0};
	if (puk_code(j->u.key, j->u.serial, code, &f) != OK)
		return cli_fail(j->c, &f);
	cli_said(j->c, json_pack("{s:s,s:s,s:s}", "request", j->id, "state", j->state, "code", code),
		 "unlock %s waits for an officer\ncode: %s\n", j->request, code);
	return EXIT_WAITING;
}

static int go_on(struct job *j)
{
	struct fault f = {0}, tried = {0};
	size_t n = 0;
	if (look_up(j, &f) != OK)
		return cli_fail(j->c, &f);
	if (strcmp(j->state, "opened") == 0)
		return not_yet(j);
	j->card.choice.serial = j->u.serial;
	if (j->c->dry_run) {
		if (card_find(j->c, &j->card, TOKEN_ADMIN, &f) != OK)
			return cli_fail(j->c, &f);
		return cli_said(j->c, json_pack("{s:s,s:b}", "token", j->u.serial, "dry_run", 1),
				"token %s: its PIN would be set anew (dry run)\n", j->u.serial);
	}
	if (unlock(j, &f) != OK)
		return cli_fail(j->c, &f);
	enum err e = unlock_card_try(&j->work, &j->pin, &n, &tried);
	json_t *o = json_pack("{s:s,s:s,s:s,s:i,s:b}", "request", j->id, "token", j->u.serial, "state", "done", "keys",
			      (int)n, "keys_work", e == OK);
	cli_said(j->c, o, "token %s: the new PIN is set, the old one is refused from now on; %s\n", j->u.serial,
		 e == OK ? "its keys are the same and work" : "but a key on it does not work");
	return e == OK ? EXIT_DONE : cli_fail(j->c, &tried);
}

int run_token_unlock(struct cli *c, int argc, char **argv)
{
	_cleanup_(job_done) struct job j = {.c = c};
	const struct option_rule rules[] = {{.name = "--serial", .value = &j.card.choice.serial},
					    {.name = "--module", .value = &j.card.choice.module},
					    {.name = "--new-pin-fd", .value = &j.new_fd},
					    {0}};
	const struct command *cmd = cli_command(commands_token, run_token_unlock);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	if (argc == 2 && j.card.choice.serial)
		return cli_usage(cmd, "--serial is for asking; the request names its token");
	if (cli_load(c, &f) != OK)
		return cli_fail(c, &f);
	if (argc < 2)
		return ask(c, &j.card);
	j.request = argv[1];
	return go_on(&j);
}

/* --- the officer --- */

/* Three tries: the code was heard on the telephone. */
static enum err ask_code(const struct unlock_yes *y, struct fault *f)
{
	fflush(stdout);
	for (int left = CODE_TRIES; left > 0; left--) {
		char line[64] = {0};
		fputs("The code that the holder of the token said to you: ", stderr);
		if (!fgets(line, sizeof line, stdin))
			break;
		if (unlock_yes_fits(y, line))
			return OK;
		fprintf(stderr, "hufu: this is not the code of the key that the desk shows; tries left: %d\n",
			left - 1);
	}
	return unlock_yes_wrong(f);
}

struct yes_words {
	const char *escrow, *passphrase_fd, *as;
};

static enum err say_yes(struct cli *c, const struct yes_words *w, const struct unlock_yes *y, json_t **ret,
			struct fault *f)
{
	_cleanup_(escrow_done) struct escrow_key key = {0};
	_cleanup_buf_ struct buf text = {0};
	unlock_yes_put(y, &text);
	if (!c->json)
		fputs(buf_text(&text), stdout);
	TRY(ask_code(y, f));
	TRY(escrow_load(w->escrow, NULL, w->passphrase_fd, &key, f));
	return unlock_yes_say(c, y, &key, w->as, ret, f);
}

int run_officer_unlock(struct cli *c, int argc, char **argv)
{
	struct yes_words w = {0};
	_cleanup_(unlock_yes_done) struct unlock_yes y = {0};
	const struct option_rule rules[] = {{.name = "--escrow", .value = &w.escrow},
					    {.name = "--passphrase-fd", .value = &w.passphrase_fd},
					    {.name = "--as", .value = &w.as},
					    {0}};
	const struct command *cmd = cli_command(commands_officer, run_officer_unlock);
	json_t *r = NULL;
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!w.escrow)
		return cli_usage(cmd, "--escrow FILE is missing: the token key, which opens the PUK");
	if (unlock_yes_load(c, argv[1], &y, &f) != OK || say_yes(c, &w, &y, &r, &f) != OK)
		return cli_fail(c, &f);
	if (!r)
		r = json_pack("{s:s,s:b}", "request", argv[1], "dry_run", 1);
	return cli_said(c, r, "unlock %s: %s\n", argv[1],
			c->dry_run ? "the code is right (dry run)" : "agreed; its holder can set a new PIN now");
}

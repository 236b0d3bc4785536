/*
 * `hufu token init`: a token becomes ours. Its PUK is made at random and sealed to the desk's token key at once; nobody sees
 * it. The desk has it recorded before the token does, so that a crash leaves no token that nobody can open. Only a blank
 * one that has no serial number before it is initialised is recorded afterwards, before its start PIN is set.
 * The start PIN is made at random as well, and shown once. Next: token_start.c.
 */
#include "tools/hufu/cmd_token.h"

#include "common/base/file.h"
#include "tools/hufu/escrow.h"
#include "tools/hufu/token_start.h"

#include <string.h>
#include <unistd.h>

struct init {
	struct card card;
	const char *label, *puk_fd, *escrow, *passphrase_fd, *pin_out, *as;
	struct puk_key key; /* of the desk, from the own configuration */
	struct puk_set present, made;
	struct secret pin;
	struct token_info info;
	json_t *record; /* of the desk; NULL: it has none */
};
static void init_done(struct init *i)
{
	card_done(&i->card);
	puk_set_done(&i->present);
	puk_set_done(&i->made);
	secret_done(&i->pin);
	json_freep(&i->record);
}

static const char *record_text(const struct init *i, const char *key)
{
	return json_string_value(json_object_get(i->record, key));
}

static enum err look_up(struct cli *c, struct init *i, struct fault *f)
{
	struct fault why = {0};
	if (!i->info.serial[0])
		return OK;
	enum err e =
		cli_desk(c, "token.show", json_pack("{s:s}", "token", i->info.serial), false, false, &i->record, &why);
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e != OK) {
		*f = why;
		return e;
	}
	const char *state = record_text(i, "state");
	if (state && (strcmp(state, "stock") == 0 || strcmp(state, "prepared") == 0 || strcmp(state, "returned") == 0))
		return OK;
	return fault_raise(
		f, ERR_RULE, "token_state", "token.state",
		"token %s is %s by the desk's record: only one in stock, prepared or returned is initialised",
		i->info.serial, state ? ESC(state, strlen(state)) : "?");
}

/* The PUK by which a token that was initialised before is wiped: the desk's, opened by the token key, or typed. */
static enum err find_present(struct init *i, struct fault *f)
{
	_cleanup_(escrow_done) struct escrow_key key = {0};
	if (!i->info.initialized)
		return OK;
	if (!i->escrow) {
		i->present.n = 1;
		return ask_secret(i->puk_fd, "--puk-fd", "PUK of the token as it is: ", false, &i->present.puk[0], f);
	}
	TRY(escrow_load(i->escrow, NULL, i->passphrase_fd, &key, f));
	TRY(escrow_open(&key, i->info.serial, record_text(i, "puk"), &i->present, f));
	TRY(escrow_open(&key, i->info.serial, record_text(i, "puk_next"), &i->present, f));
	return i->present.n > 0 ? OK
				: fault_raise(f, ERR_RULE, "puk_unknown", "puk", "the desk holds no PUK of token %s",
					      i->info.serial);
}

static enum err seal(const struct init *i, const char *serial, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf box = {0};
	TRY(puk_seal(i->key.key, serial, &i->made, &box, f));
	buf_base64(ret, box.data, box.len);
	return OK;
}

static enum err call(struct cli *c, const struct init *i, const char *method, json_t *p, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	token_text(p, "officer", i->as);
	return cli_desk(c, method, p, false, true, &r, f);
}

static json_t *entry(const struct init *i)
{
	json_t *p = json_pack("{s:s,s:s}", "token", i->info.serial, "label", i->label);
	token_text(p, "model", i->info.model[0] ? i->info.model : NULL);
	return p;
}

/* Before anything is written to a token whose serial is known. */
static enum err record_first(struct cli *c, struct init *i, struct fault *f)
{
	_cleanup_buf_ struct buf box = {0};
	if (!i->record)
		TRY(call(c, i, "token.add", entry(i), f));
	TRY(seal(i, i->info.serial, &box, f));
	return call(c, i, "token.puk",
		    json_pack("{s:s,s:s,s:s}", "token", i->info.serial, "step", "next", "puk", buf_text(&box)), f);
}

/* Marked before it is set: there is no moment at which it is a PIN like others. */
static enum err set_start_pin(struct init *i, struct fault *f)
{
	TRY(token_start_mark(i->card.token, f));
	return token_pin_init(i->card.token, &i->pin, f);
}

/* It has its serial number now, and a PUK that nobody else has: recorded before anything else can fail. */
static enum err record_new(struct cli *c, struct init *i, struct fault *f)
{
	_cleanup_buf_ struct buf box = {0};
	TRY(token_info_read(i->card.token, &i->info, f));
	TRY(seal(i, i->info.serial, &box, f));
	json_t *p = entry(i);
	json_object_set_new(p, "puk", json_string(buf_text(&box)));
	enum err e = call(c, i, "token.add", p, f);
	if (e != OK)
		fprintf(stderr,
			"hufu: token %s is initialised and not recorded. Its PUK, sealed to the token key; keep it and "
			"enter it by "
			"hufu rpc token.add:\n%s\n",
			i->info.serial, buf_text(&box));
	return e;
}

static enum err write_blank(struct cli *c, struct init *i, bool known, struct fault *f)
{
	TRY(token_initialise(i->card.token, &i->made.puk[0], i->label, f));
	if (!known)
		TRY(record_new(c, i, f));
	return set_start_pin(i, f);
}

static enum err write_again(struct cli *c, struct init *i, bool known, struct fault *f)
{
	struct token *t = i->card.token;
	size_t used = 0;
	enum err e = token_initialise(t, &i->present.puk[0], i->label, f);
	if (e == ERR_DENIED && strcmp(f->rule, "puk_wrong") == 0 && i->present.n > 1)
		e = token_initialise(t, &i->present.puk[++used], i->label, f);
	TRY(e);
	TRY(set_start_pin(i, f));
	TRY(token_pin_change(t, &i->present.puk[used], &i->made.puk[0], f));
	return known ? OK : record_new(c, i, f);
}

static enum err init(struct cli *c, struct init *i, struct fault *f)
{
	TRY(cli_load(c, f));
	TRY(puk_key_load(c->token_key, &i->key, f));
	TRY(card_find(c, &i->card, TOKEN_CLOSED, f));
	TRY(token_info_read(i->card.token, &i->info, f));
	TRY(look_up(c, i, f));
	TRY(find_present(i, f));
	if (c->dry_run)
		return OK;
	bool known = i->info.serial[0] != '\0';
	unsigned long most = i->info.pin_max;
	start_pin_make(i->info.pin_min, most, &i->pin);
	if (i->pin_out)
		TRY(file_write_new(i->pin_out, slice_of(i->pin.p, i->pin.n), 0600, f));
	puk_make(most > 0 && most < TOKEN_PUK_LENGTH ? most : TOKEN_PUK_LENGTH, &i->made.puk[0]);
	i->made.n = 1;
	if (known)
		TRY(record_first(c, i, f));
	TRY(i->info.initialized ? write_again(c, i, known, f) : write_blank(c, i, known, f));
	return known ? call(c, i, "token.puk", json_pack("{s:s,s:s}", "token", i->info.serial, "step", "set"), f) : OK;
}

static int done(const struct cli *c, const struct init *i)
{
	json_t *o = json_pack("{s:s,s:s,s:b}", "token", i->info.serial, "label", i->label, "dry_run", (int)c->dry_run);
	if (c->dry_run)
		return cli_said(c, o, "token %s: would be wiped and initialised (dry run)\n", i->info.serial);
	if (i->pin_out)
		json_object_set_new(o, "start_pin_file", json_string(i->pin_out));
	else
		json_object_set_new(o, "start_pin", secret_string(&i->pin));
	return cli_said(c, o,
			"token %s: initialised, its PUK is sealed and recorded\nstart PIN: %.*s (%s; to be changed at "
			"first use)\n",
			i->info.serial, i->pin_out ? (int)strlen(i->pin_out) : (int)i->pin.n,
			i->pin_out ? i->pin_out : (const char *)i->pin.p,
			i->pin_out ? "a file of your own" : "made at random, shown this once");
}

int run_token_init(struct cli *c, int argc, char **argv)
{
	_cleanup_(init_done) struct init i = {0};
	const struct option_rule rules[] = {{.name = "--serial", .value = &i.card.choice.serial},
					    {.name = "--module", .value = &i.card.choice.module},
					    {.name = "--blank", .flag = &i.card.choice.blank},
					    {.name = "--label", .value = &i.label},
					    {.name = "--puk-fd", .value = &i.puk_fd},
					    {.name = "--escrow", .value = &i.escrow},
					    {.name = "--passphrase-fd", .value = &i.passphrase_fd},
					    {.name = "--pin-out", .value = &i.pin_out},
					    {.name = "--as", .value = &i.as},
					    {0}};
	const struct command *cmd = cli_command(commands_token, run_token_init);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!i.label || (i.card.choice.blank == (i.card.choice.serial != NULL)))
		return cli_usage(cmd, i.label ? "--serial SERIAL or --blank, one of them" : "--label TEXT is missing");
	if (init(c, &i, &f) != OK)
		return cli_fail(c, &f);
	return done(c, &i);
}

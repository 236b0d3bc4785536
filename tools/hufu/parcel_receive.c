/*
 * `hufu parcel receive`: 签收. The token that is in a slot is held against the parcel by its serial number first: another one
 * is told to the desk and confirms nothing. Then the desk is told, the signer makes the certificate, and it is put beside its
 * key, tried, and the start PIN given up. Run again after an interruption, it goes on where it was. Next: token_admin.h.
 */
#include "common/base/clock.h"
#include "common/note/tally.h"
#include "common/pki/cert.h"
#include "common/pki/csr.h"
#include "tools/hufu/cmd_token.h"
#include "tools/hufu/token_start.h"
#include "tools/hufu/work.h"

#include <string.h>

#define WAIT_S 60
#define WAIT_MAX_S 86400
#define SHOW_WAIT_MS 10000
#define SLOTS_MAX 16

struct receipt {
	struct card card;
	const char *new_pin_fd, *request;
	bool yes, there, pin_changed;
	uint64_t wait_s;
	json_t *parcel, *answer; /* of parcel.show; of request.show at the end */
	char id[2 * TALLY_ID + 1];
};
static void receipt_done(struct receipt *r)
{
	card_done(&r->card);
	json_freep(&r->parcel);
	json_freep(&r->answer);
}

static const char *text_of(json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

/* --- which token is here --- */

struct slots {
	const char *wanted;
	char first[80]; /* the first that is another */
	size_t others;
	bool found;
};

static void look(void *arg, const struct token_info *i)
{
	struct slots *s = arg;
	if (strcmp(i->serial, s->wanted) == 0)
		s->found = true;
	else if (i->serial[0] != '\0' && s->others++ == 0)
		snprintf(s->first, sizeof s->first, "%s", i->serial);
}

static enum err tell_desk(struct cli *c, struct receipt *r, const char *serial, json_t **ret, struct fault *f)
{
	json_t *p = json_pack("{s:s,s:s}", "request", r->request, "token", serial);
	return cli_desk(c, "parcel.receive", p, true, true, ret, f);
}

static enum err find_token(struct cli *c, struct receipt *r, struct fault *f)
{
	_cleanup_(json_freep) json_t *answer = NULL;
	struct slots s = {.wanted = text_of(r->parcel, "token")};
	TRY(token_each(r->card.choice.module, look, &s, f));
	r->card.choice.serial = s.wanted;
	if (s.found)
		return OK;
	if (s.others == 0)
		return fault_raise(f, ERR_NOT_FOUND, "token_absent", "token", "plug in the token %s of the parcel",
				   s.wanted);
	/* The desk refuses it, and hears that two parcels may have been swapped. */
	if (!c->dry_run && s.others == 1)
		TRY(tell_desk(c, r, s.first, &answer, f));
	return fault_raise(f, ERR_RULE, "token_other", "token",
			   "found token %s, wanted %s: it belongs to another parcel, nothing was confirmed", s.first,
			   s.wanted);
}

/* --- the tally died on the way: its key signs another --- */

static enum err load_key(json_t *shown, struct csr *ret, struct buf *der, struct fault *f)
{
	TRY(pem_or_der(slice_str(text_of(shown, "csr")), "CERTIFICATE REQUEST", der, f));
	return csr_parse(buf_slice(der), ret, f);
}

static enum err sign_again(struct cli *c, struct receipt *r, struct fault *f)
{
	_cleanup_(json_freep) json_t *shown = NULL, *answer = NULL;
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(freep) char *line = NULL;
	TRY(cli_desk(c, "request.show", json_pack("{s:s}", "request", r->id), true, false, &shown, f));
	TRY(load_key(shown, &csr, &der, f));
	if (!r->yes &&
	    !cli_confirm("%s\nThe request's time was over while the parcel travelled. Let the token sign exactly this "
			 "text, for the same key?",
			 text_of(shown, "tally")))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "request", "not signed: the answer was not \"yes\"");
	TRY(card_open(c, &r->card, TOKEN_WRITE, f));
	TRY(work_line(r->card.token, text_of(shown, "tally"), &csr.key, &line, f));
	return cli_desk(c, "request.prove", json_pack("{s:s,s:[s]}", "request", r->id, "lines", line), true, true,
			&answer, f);
}

/* --- the certificate --- */

static bool is_final(const char *state)
{
	static const char *const final[] = {"issued", "refused", "withdrawn", "expired", "corrected"};
	for (size_t i = 0; i < sizeof final / sizeof final[0]; i++) {
		if (strcmp(state, final[i]) == 0)
			return true;
	}
	return false;
}

static enum err wait_for_end(struct cli *c, struct receipt *r, struct fault *f)
{
	int64_t until = clock_mono_us() + (int64_t)r->wait_s * 1000000;
	for (;;) {
		int64_t left_ms = (until - clock_mono_us()) / 1000;
		json_int_t wait_ms = left_ms < 0 ? 0 : left_ms < SHOW_WAIT_MS ? left_ms : SHOW_WAIT_MS;
		json_freep(&r->answer);
		r->answer = NULL;
		json_t *p = json_pack("{s:s,s:I}", "request", r->id, "wait_ms", wait_ms);
		TRY(cli_desk(c, "request.show", p, true, false, &r->answer, f));
		if (is_final(text_of(r->answer, "state")) || left_ms <= 0)
			return OK;
	}
}

static enum err install(struct cli *c, struct receipt *r, struct fault *f)
{
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_buf_ struct buf der = {0};
	struct token *t;
	bool start = false;
	TRY(pem_or_der(slice_str(text_of(r->answer, "certificate")), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	if (!r->card.token)
		TRY(card_open(c, &r->card, TOKEN_WRITE, f));
	t = r->card.token;
	TRY(token_install(t, buf_slice(&der), &r->there, f));
	TRY(token_try(t, &cert.key, f));
	if (!c->json)
		printf("token %s: certificate %s is installed; the key signs%s\n", r->card.choice.serial,
		       SERIAL(&cert.serial), cert.key.alg == KEY_RSA ? ", and deciphers" : "");
	TRY(token_start_is(t, &start, f));
	/* Who runs this again has a PIN of one's own by now. */
	if (!start && r->there && !r->new_pin_fd)
		return OK;
	TRY(token_start_end(t, &r->card.pin, r->new_pin_fd, f));
	r->pin_changed = true;
	return OK;
}

/* --- the command --- */

static bool agrees(const struct receipt *r)
{
	json_t *p = r->parcel;
	return r->yes ||
	       cli_confirm("Parcel %s %s for %s, token %s. Has it arrived, and do you have it in your hands?",
			   text_of(p, "carrier"), text_of(p, "tracking"), text_of(p, "recipient"), text_of(p, "token"));
}

static enum err begin(struct cli *c, struct receipt *r, struct fault *f)
{
	_cleanup_(json_freep) json_t *answer = NULL;
	TRY(cli_desk(c, "parcel.show", json_pack("{s:s}", "request", r->request), true, false, &r->parcel, f));
	TRY(find_token(c, r, f));
	if (strcmp(text_of(r->parcel, "state"), "received") != 0 && !agrees(r))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "parcel",
				   "not confirmed: the answer was not \"yes\"");
	if (c->dry_run)
		return OK;
	TRY(tell_desk(c, r, r->card.choice.serial, &answer, f));
	snprintf(r->id, sizeof r->id, "%s", text_of(answer, "request"));
	return strcmp(text_of(answer, "state"), "keyed") == 0 ? sign_again(c, r, f) : OK;
}

static int waits(const struct cli *c, const struct receipt *r, const char *state)
{
	json_t *o = json_pack("{s:s,s:s,s:s}", "request", r->id, "state", state, "token", r->card.choice.serial);
	(void)cli_said(c, o, "received; request %s is %s. Run the same command again when it is issued.\n",
		       text_of(r->answer, "number"), state);
	return EXIT_WAITING;
}

static int ended(const struct cli *c, const struct receipt *r, struct fault *f)
{
	json_t *refusal = json_object_get(r->answer, "refusal");
	(void)fault_raise(f, ERR_RULE, "request_state", "request.state", "request %s is %s%s%s",
			  text_of(r->answer, "number"), text_of(r->answer, "state"), refusal ? ": " : "",
			  text_of(refusal, "text"));
	return cli_fail(c, f);
}

static int finish(struct cli *c, struct receipt *r, struct fault *f)
{
	const char *state;
	if (wait_for_end(c, r, f) != OK)
		return cli_fail(c, f);
	state = text_of(r->answer, "state");
	if (!is_final(state))
		return waits(c, r, state);
	if (strcmp(state, "issued") != 0)
		return ended(c, r, f);
	if (install(c, r, f) != OK)
		return cli_fail(c, f);
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:b}", "request", r->id, "state", state, "token", r->card.choice.serial,
			      "certificate_serial", text_of(r->answer, "certificate_serial"), "pin_changed",
			      r->pin_changed);
	return cli_said(c, o, "%s\n",
			r->pin_changed ? "the start PIN is changed; the key is ready for use"
				       : "the key is ready for use; its PIN stays as it is (hufu token pin)");
}

int run_parcel_receive(struct cli *c, int argc, char **argv)
{
	_cleanup_(receipt_done) struct receipt r = {.wait_s = WAIT_S};
	const char *wait = NULL;
	const struct option_rule rules[] = {{.name = "--module", .value = &r.card.choice.module},
					    {.name = "--pin-fd", .value = &r.card.pin_fd},
					    {.name = "--new-pin-fd", .value = &r.new_pin_fd},
					    {.name = "--wait", .value = &wait},
					    {.name = "--yes", .flag = &r.yes},
					    {0}};
	const struct command *cmd = cli_command(commands_parcel, run_parcel_receive);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (wait && !u64_parse(wait, strlen(wait), WAIT_MAX_S, &r.wait_s))
		return cli_usage(cmd, "--wait \"%s\": wanted seconds, at most %d", ESC(wait, strlen(wait)), WAIT_MAX_S);
	r.request = argv[1];
	if (begin(c, &r, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(
			c,
			json_pack("{s:s,s:s,s:b}", "request", r.request, "token", r.card.choice.serial, "dry_run", 1),
			"token %s is the parcel's: its receipt would be confirmed (dry run)\n", r.card.choice.serial);
	return finish(c, &r, &f);
}

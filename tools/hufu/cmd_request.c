/*
 * `hufu request …`: a request from draft to hand-over. The proof in between is in cmd_prove.c.
 */
#include "common/base/clock.h"
#include "common/note/tally.h"
#include "common/pki/csr.h"
#include "common/pki/fingerprint.h"
#include "tools/hufu/material.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

#define SHOW_WAIT_MS 10000
#define SHOW_WAIT_MAX_S 86400

struct prepare {
	const char *kind, *way, *project, *profile, *months, *order, *csr, *files, *reason, *issuer, *edit, *key_seen,
		*collides, *recipient, *mobile, *ship_to;
	struct option_list subject, materials;
	bool notice, save;
};
static void prepare_done(struct prepare *p)
{
	option_list_done(&p->subject);
	option_list_done(&p->materials);
}

/* "O=新名" into {attribute, value}. */
static json_t *subject_params(const struct option_list *l, const char **ret_bad)
{
	json_t *a = json_array();
	for (size_t i = 0; i < l->n; i++) {
		const char *eq = strchr(l->v[i], '=');
		if (!eq || eq == l->v[i]) {
			*ret_bad = l->v[i];
			continue;
		}
		json_array_append_new(
			a, json_pack("{s:s%,s:s}", "attribute", l->v[i], (size_t)(eq - l->v[i]), "value", eq + 1));
	}
	return a;
}

static void set_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

static enum err prepare_params(const struct prepare *p, const char *serial, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *o = json_object();
	const char *bad = NULL;
	uint64_t months = 0;
	const char *const keys[] = {"kind",	"way",	    "project",	 "profile", "order",
				    "files",	"reason",   "issuer",	 "request", "serial",
				    "key_seen", "collides", "recipient", "mobile",  "ship_to"};
	const char *const values[] = {p->kind,	   p->way,	p->project,   p->profile, p->order,
				      p->files,	   p->reason,	p->issuer,    p->edit,	  serial,
				      p->key_seen, p->collides, p->recipient, p->mobile,  p->ship_to};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		set_text(o, keys[i], values[i]);
	if (p->months && !u64_parse(p->months, strlen(p->months), 120, &months))
		return fault_raise(f, ERR_CONFIG, "months", "--months", "\"%s\": wanted a number of months",
				   ESC(p->months, strlen(p->months)));
	if (p->months)
		json_object_set_new(o, "months", json_integer((json_int_t)months));
	if (p->notice)
		json_object_set_new(o, "notice_accepted", json_true());
	if (p->save)
		json_object_set_new(o, "save", json_true());
	if (p->subject.n)
		json_object_set_new(o, "subject", subject_params(&p->subject, &bad));
	if (bad)
		return fault_raise(f, ERR_CONFIG, "subject", "--subject",
				   "\"%s\": wanted ATTRIBUTE=VALUE, as O=杭州某某有限公司", ESC(bad, strlen(bad)));
	if (p->csr) {
		_cleanup_buf_ struct buf der = {0}, pem = {0};
		TRY(der_load(p->csr, "CERTIFICATE REQUEST", &der, f));
		pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&der));
		json_object_set_new(o, "csr", json_string(buf_text(&pem)));
	}
	*ret = TAKE(o);
	return OK;
}

/* The owner's client makes the ten characters from the owner's own request, and holds the desk's tally against it. */
static enum err check_new_key(const struct cli *c, const char *path, json_t *answer, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(csr_done) struct csr csr = {0};
	_cleanup_(tally_done) struct tally t = {0};
	const char *text = json_string_value(json_object_get(answer, "tally"));
	TRY(der_load(path, "CERTIFICATE REQUEST", &der, f));
	TRY(csr_parse(buf_slice(&der), &csr, f));
	TRY(tally_parse(slice_str(text ? text : ""), &t, f));
	if (memcmp(t.key_sha256, csr.key.spki_sha256, 32) != 0)
		return fault_raise(f, ERR_RULE, "proof_csr", "request.prepare",
				   "the desk's tally names another key than %s", path);
	if (!c->json && t.key_seen != KEY_SEEN_UNSAID)
		printf("ten characters of the new key: %s (officers type them: %s)\n", FINGERPRINT(t.key_sha256),
		       key_seen_word(t.key_seen));
	return OK;
}

static enum err prepare(struct cli *c, const struct prepare *p, const char *serial, json_t **ret, struct fault *f)
{
	json_t *params = NULL;
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(prepare_params(p, serial, &params, f));
	TRY(cli_desk(c, "request.prepare", params, true, true, &r, f));
	const char *id = json_string_value(json_object_get(r, "request"));
	if (!id)
		return fault_raise(f, ERR_NET, "desk_answer", "request.prepare", "the desk's answer has no request");
	if (p->csr)
		TRY(check_new_key(c, p->csr, r, f));
	for (size_t i = 0; i < p->materials.n; i++) {
		_cleanup_(json_freep) json_t *put = NULL;
		TRY(material_upload_spec(c, id, p->materials.v[i], &put, f));
	}
	return cli_desk(c, "request.show", json_pack("{s:s}", "request", id), true, false, ret, f);
}

void request_print_missing(json_t *r)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(r, "missing"), i, v)
	{
		const char *zh = json_string_value(json_object_get(v, "zh")),
			   *text = json_string_value(json_object_get(v, "text"));
		printf("missing: %s (%s)\n", text ? text : "?", zh ? zh : "");
	}
}

static void print_corrections(json_t *r)
{
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(r, "corrections"), i, v)
	{
		const char *zh = json_string_value(json_object_get(v, "zh")),
			   *item = json_string_value(json_object_get(v, "item")),
			   *reason = json_string_value(json_object_get(v, "reason"));
		printf("to correct: %s (%s): %s\n", zh ? zh : "", item ? item : "?", reason ? reason : "");
	}
}

static void print_request(const struct cli *c, json_t *r)
{
	if (c->json) {
		cli_print_json(r);
		return;
	}
	const char *tally = json_string_value(json_object_get(r, "tally"));
	const char *id = json_string_value(json_object_get(r, "request")),
		   *state = json_string_value(json_object_get(r, "state"));
	const char *number = json_string_value(json_object_get(r, "number"));
	printf("request %s: %s\nnumber %s\n", id ? id : "?", state ? state : "?", number ? number : "?");
	size_t i;
	json_t *v;
	print_corrections(r);
	request_print_missing(r);
	json_array_foreach(json_object_get(r, "history"), i, v)
	{
		const char *at = json_string_value(json_object_get(v, "at")),
			   *event = json_string_value(json_object_get(v, "event")),
			   *who = json_string_value(json_object_get(v, "who"));
		printf("  %s  %s  %s\n", at ? at : "", event ? event : "", who ? who : "");
	}
	const char *serial = json_string_value(json_object_get(r, "certificate_serial"));
	if (serial)
		printf("certificate %s\n", serial);
	json_t *refusal = json_object_get(r, "refusal");
	if (json_is_object(refusal)) {
		const char *rule = json_string_value(json_object_get(refusal, "rule")),
			   *text = json_string_value(json_object_get(refusal, "text"));
		printf("refused by rule %s: %s\n", rule ? rule : "?", text ? text : "");
	}
	if (tally)
		printf("\n%s", tally);
}

/* Prints what would be asked, or asks. */
static int draft(struct cli *c, const struct command *cmd, const struct prepare *p, const char *serial)
{
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!p->kind || !p->way || !p->project)
		return cli_usage(cmd, "%s is missing", !p->kind ? "--kind" : !p->way ? "--way" : "--project");
	if (c->dry_run) {
		json_t *params = NULL;
		if (prepare_params(p, serial, &params, &f) != OK)
			return cli_fail(c, &f);
		cli_print_json(params);
		json_decref(params);
		return EXIT_DONE;
	}
	if (prepare(c, p, serial, &r, &f) != OK)
		return cli_fail(c, &f);
	print_request(c, r);
	return EXIT_DONE;
}

int run_request_prepare(struct cli *c, int argc, char **argv)
{
	_cleanup_(prepare_done) struct prepare p = {0};
	const struct option_rule rules[] = {
		{.name = "--kind", .value = &p.kind},	      {.name = "--way", .value = &p.way},
		{.name = "--project", .value = &p.project},   {.name = "--profile", .value = &p.profile},
		{.name = "--months", .value = &p.months},     {.name = "--order", .value = &p.order},
		{.name = "--csr", .value = &p.csr},	      {.name = "--files", .value = &p.files},
		{.name = "--reason", .value = &p.reason},     {.name = "--issuer", .value = &p.issuer},
		{.name = "--edit", .value = &p.edit},	      {.name = "--key-seen", .value = &p.key_seen},
		{.name = "--collides", .value = &p.collides}, {.name = "--subject", .many = &p.subject},
		{.name = "--material", .many = &p.materials}, {.name = "--accept-notice", .flag = &p.notice},
		{.name = "--save", .flag = &p.save},	      {0}};
	const struct command *cmd = cli_command(commands_request, run_request_prepare);
	if (!cli_options(cmd, rules, &argc, argv, 0, 1))
		return EXIT_CONFIG;
	return draft(c, cmd, &p, argc > 1 ? argv[1] : NULL);
}

#define NO_KEY                                                                                                         \
	"--csr FILE is missing, the request of the new key; or --recipient, --mobile and --ship-to, and the desk "     \
	"makes "                                                                                                       \
	"one"
#define DELIVERY_RULES(p)                                                                                              \
	{.name = "--recipient", .value = &(p)->recipient}, {.name = "--mobile", .value = &(p)->mobile},                \
	{                                                                                                              \
		.name = "--ship-to", .value = &(p)->ship_to                                                            \
	}

/* Of a key that the owner brings, the stamped paper is the usual way. false: there is none, and none is to be made. */
static bool set_key_seen(struct prepare *p)
{
	if (p->csr && !p->key_seen)
		p->key_seen = "paper";
	return p->csr || p->recipient || p->mobile || p->ship_to;
}

int run_request_enrol(struct cli *c, int argc, char **argv)
{
	_cleanup_(prepare_done) struct prepare p = {.kind = "enrol", .way = "new-certificate"};
	const struct option_rule rules[] = {{.name = "--way", .value = &p.way},
					    {.name = "--project", .value = &p.project},
					    {.name = "--profile", .value = &p.profile},
					    {.name = "--months", .value = &p.months},
					    {.name = "--order", .value = &p.order},
					    {.name = "--csr", .value = &p.csr},
					    {.name = "--edit", .value = &p.edit},
					    {.name = "--key-seen", .value = &p.key_seen},
					    {.name = "--collides", .value = &p.collides},
					    {.name = "--subject", .many = &p.subject},
					    {.name = "--material", .many = &p.materials},
					    DELIVERY_RULES(&p),
					    {0}};
	const struct command *cmd = cli_command(commands_request, run_request_enrol);
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (!set_key_seen(&p))
		return cli_usage(cmd, NO_KEY);
	return draft(c, cmd, &p, NULL);
}

int run_request_reissue(struct cli *c, int argc, char **argv)
{
	_cleanup_(prepare_done) struct prepare p = {.kind = "reissue"};
	const struct option_rule rules[] = {{.name = "--way", .value = &p.way},
					    {.name = "--project", .value = &p.project},
					    {.name = "--issuer", .value = &p.issuer},
					    {.name = "--csr", .value = &p.csr},
					    {.name = "--files", .value = &p.files},
					    {.name = "--edit", .value = &p.edit},
					    {.name = "--key-seen", .value = &p.key_seen},
					    {.name = "--material", .many = &p.materials},
					    {.name = "--accept-notice", .flag = &p.notice},
					    DELIVERY_RULES(&p),
					    {0}};
	const struct command *cmd = cli_command(commands_request, run_request_reissue);
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!set_key_seen(&p))
		return cli_usage(cmd, NO_KEY);
	if (!p.files)
		return cli_usage(cmd, "--files ANSWER is missing");
	return draft(c, cmd, &p, argv[1]);
}

/* "issued" and "withdrawn" are what somebody waited for; "refused" and "expired" are not; the rest still waits. */
static int exit_of_state(const char *state)
{
	static const char *const good[] = {"issued", "withdrawn"}, *const bad[] = {"refused", "expired"};
	for (size_t i = 0; state && i < 2; i++) {
		if (strcmp(state, good[i]) == 0)
			return EXIT_DONE;
		if (strcmp(state, bad[i]) == 0)
			return EXIT_REFUSED;
	}
	return EXIT_WAITING;
}

/* Asks until the request is final or the time is over; the desk holds one question for ten seconds at most. */
static enum err show(struct cli *c, const char *id, uint64_t wait_s, json_t **ret, struct fault *f)
{
	int64_t until = clock_mono_us() + (int64_t)wait_s * 1000000;
	for (;;) {
		_cleanup_(json_freep) json_t *r = NULL;
		int64_t left_ms = (until - clock_mono_us()) / 1000;
		json_int_t wait_ms = left_ms < 0 ? 0 : left_ms < SHOW_WAIT_MS ? left_ms : SHOW_WAIT_MS;
		json_t *p = json_pack("{s:s,s:I}", "request", id, "wait_ms", wait_ms);
		TRY(cli_desk(c, "request.show", p, true, false, &r, f));
		bool final = exit_of_state(json_string_value(json_object_get(r, "state"))) != EXIT_WAITING;
		if (final || clock_mono_us() >= until) {
			*ret = TAKE(r);
			return OK;
		}
	}
}

int run_request_show(struct cli *c, int argc, char **argv)
{
	const char *wait = NULL;
	const struct option_rule rules[] = {{.name = "--wait", .value = &wait}, {0}};
	const struct command *cmd = cli_command(commands_request, run_request_show);
	struct fault f = {0};
	uint64_t wait_s = 0;
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (wait && !u64_parse(wait, strlen(wait), SHOW_WAIT_MAX_S, &wait_s))
		return cli_usage(cmd, "--wait \"%s\": wanted seconds, at most %d", ESC(wait, strlen(wait)),
				 SHOW_WAIT_MAX_S);
	if (show(c, argv[1], wait_s, &r, &f) != OK)
		return cli_fail(c, &f);
	print_request(c, r);
	return wait ? exit_of_state(json_string_value(json_object_get(r, "state"))) : EXIT_DONE;
}

int run_request_list(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"request", "REQUEST"}, {"kind", "KIND"},   {"way", "WAY"},
						{"serial", "SERIAL"},	{"state", "STATE"}, {"made", "MADE"},
						{"dies", "DIES"}};
	const char *state = NULL;
	const struct option_rule rules[] = {{.name = "--state", .value = &state}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_request, run_request_list), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	json_t *p = json_object();
	set_text(p, "state", state);
	return cli_list(c, "request.list", p, "requests", columns, 7, &f);
}

/* What went out besides: the hold of a lost key's certificate. */
static void print_submitted(json_t *r)
{
	json_t *hold = json_object_get(r, "hold");
	printf("request: %s\nnumber: %s\nstate: %s\n", json_string_value(json_object_get(r, "request")),
	       json_string_value(json_object_get(r, "number")), json_string_value(json_object_get(r, "state")));
	if (json_is_object(hold))
		printf("%s\n%s\n", json_string_value(json_object_get(hold, "zh")),
		       json_string_value(json_object_get(hold, "en")));
}

int run_request_submit(struct cli *c, int argc, char **argv)
{
	bool keep = false;
	const struct option_rule rules[] = {{.name = "--keep-valid", .flag = &keep}, {0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL;
	if (!cli_options(cli_command(commands_request, run_request_submit), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s}", "request", argv[1]);
	if (keep)
		json_object_set_new(p, "keep_valid", json_true());
	if (c->dry_run || c->json)
		return cli_show(c, "request.submit", p, true, true);
	if (cli_desk(c, "request.submit", p, true, true, &r, &f) != OK)
		return cli_fail(c, &f);
	print_submitted(r);
	return EXIT_DONE;
}

int run_request_withdraw(struct cli *c, int argc, char **argv)
{
	const struct option_rule rules[] = {{0}};
	if (!cli_options(cli_command(commands_request, run_request_withdraw), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	return cli_show(c, "request.withdraw", json_pack("{s:s}", "request", argv[1]), true, true);
}

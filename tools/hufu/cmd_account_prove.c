/*
 * `hufu account proof|prove`: the first log-in is the organisation's own, shown by a key of one of its certificates (in a file, on
 * a token, or by a signature made elsewhere), by a code sent to the number on record, or by an officer's code. Next: proof_way.h.
 */
#include "common/pki/cert.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/proof_text.h"
#include "tools/hufu/proof_way.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

/* --- the text and the certificates --- */

static enum err load(struct cli *c, struct proof_set *p, struct fault *f)
{
	_cleanup_(json_freep) json_t *own = NULL;
	TRY(cli_desk(c, "account.proof", NULL, true, false, &p->answer, f));
	TRY(cli_desk(c, "account.show", NULL, true, false, &own, f));
	const char *text = json_string_value(json_object_get(p->answer, "text")),
		   *identifier = json_string_value(json_object_get(own, "identifier"));
	p->text = slice_str(text ? text : "");
	p->lines = json_array();
	return proof_text_check(p->text, identifier ? identifier : "", f);
}

/* Of the serial given, or the only one. Borrows from the answer. */
static enum err choose(const struct proof_set *p, const char *serial, json_t **ret, struct fault *f)
{
	json_t *certs = json_object_get(p->answer, "certificates"), *v, *found = NULL;
	size_t i;
	json_array_foreach(certs, i, v)
	{
		const char *own = json_string_value(json_object_get(v, "serial"));
		if ((serial && own && strcmp(own, serial) == 0) || (!serial && json_array_size(certs) == 1))
			found = v;
	}
	if (!found)
		return fault_raise(f, ERR_CONFIG, "proof_certificate", "--serial",
				   "found %zu certificates of this account, wanted --serial of the one whose key signs",
				   json_array_size(certs));
	*ret = found;
	return OK;
}

/* The certificate's key becomes the set's current one. */
static enum err load_key(struct proof_set *p, const char *serial, struct fault *f)
{
	struct proof_key *k = &p->keys[PROOF_KEY_CURRENT];
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert cert = {0};
	json_t *chosen = NULL;
	TRY(choose(p, serial, &chosen, f));
	const char *pem = json_string_value(json_object_get(chosen, "pem"));
	TRY(pem_or_der(slice_str(pem ? pem : ""), "CERTIFICATE", &der, f));
	TRY(cert_parse(buf_slice(&der), &cert, f));
	snprintf(k->what, sizeof k->what, "the key of certificate %s", SERIAL(&cert.serial));
	snprintf(k->name, sizeof k->name, "%s", json_string_value(json_object_get(chosen, "line")));
	k->key = cert.key;
	k->there = true;
	cert.key = (struct pubkey){0};
	return OK;
}

int run_account_proof(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"serial", "CERTIFICATE"}, {"name", "NAME"}};
	bool text = false;
	const struct option_rule rules[] = {{.name = "--text", .flag = &text}, {0}};
	_cleanup_(proof_done) struct proof_set p = {0};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_account, run_account_proof), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (load(c, &p, &f) != OK)
		return cli_fail(c, &f);
	if (text || c->json) {
		if (text)
			fwrite(p.text.p, 1, p.text.n, stdout);
		else
			cli_print_json(p.answer);
		return EXIT_DONE;
	}
	_cleanup_(freep) char *ways = json_dumps(json_object_get(p.answer, "ways"), JSON_COMPACT);
	printf("wanted: %s\nways: %s\n", json_string_value(json_object_get(p.answer, "wanted")), ways);
	cli_table(c, columns, sizeof columns / sizeof columns[0], json_object_get(p.answer, "certificates"));
	return EXIT_DONE;
}

/* --- prove --- */

struct prove {
	const char *key, *serial, *sms_fd, *officer_fd;
	struct proof_way way;
	bool yes;
};
static void prove_done(struct prove *p)
{
	proof_way_done(&p->way);
}

static bool by_key(const struct prove *o)
{
	return o->key || proof_way_on_token(&o->way) || o->way.signatures.n > 0;
}

static enum err make_line(const struct cli *c, struct prove *o, struct proof_set *p, struct fault *f)
{
	if (o->way.signatures.n > 0)
		return proof_way_take(&o->way, p, f);
	TRY(proof_way_open(&o->way, f));
	fwrite(p->text.p, 1, p->text.n, stderr);
	if (!o->yes && !cli_confirm("Sign this text with %s?", p->keys[PROOF_KEY_CURRENT].what))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "account prove",
				   "not confirmed: nothing was signed");
	if (!o->key)
		return proof_way_sign(c, &o->way, p, f);
	_cleanup_(freep) char *line = NULL;
	TRY(line_by_pem(p->text, p->keys[PROOF_KEY_CURRENT].name, o->key, &line, f));
	json_array_append_new(p->lines, json_string(line));
	return OK;
}

static enum err key_params(struct cli *c, struct prove *o, json_t **ret, struct fault *f)
{
	_cleanup_(proof_done) struct proof_set p = {0};
	TRY(load(c, &p, f));
	TRY(load_key(&p, o->serial, f));
	TRY(make_line(c, o, &p, f));
	*ret = json_pack("{s:s,s:O}", "way", "key", "line", json_array_get(p.lines, 0));
	return OK;
}

static enum err code_params(const struct prove *o, json_t **ret, struct fault *f)
{
	_cleanup_secret_ struct secret code = {0};
	const char *way = o->officer_fd ? "officer" : "sms";
	TRY(ask_secret(o->officer_fd ? o->officer_fd : o->sms_fd, o->officer_fd ? "--officer-code-fd" : "--sms-code-fd",
		       "Code: ", false, &code, f));
	*ret = json_pack("{s:s,s:o}", "way", way, "code", secret_string(&code));
	return OK;
}

static int check_words(const struct command *cmd, const struct prove *o)
{
	int ways = (o->key != NULL) + proof_way_on_token(&o->way) + (o->way.signatures.n > 0) + (o->sms_fd != NULL) +
		   (o->officer_fd != NULL);
	if (proof_way_words(cmd, &o->way) != EXIT_DONE)
		return EXIT_CONFIG;
	if (ways != 1 || o->way.signatures.n > 1)
		return cli_usage(
			cmd, "wanted one of --key, --token, --signature, --sms-code-fd and --officer-code-fd, once");
	if (o->serial && !by_key(o))
		return cli_usage(cmd, "--serial goes with --key, --token or --signature");
	return EXIT_DONE;
}

int run_account_prove(struct cli *c, int argc, char **argv)
{
	_cleanup_(prove_done) struct prove o = {0};
	const struct option_rule rules[] = {{.name = "--key", .value = &o.key},
					    {.name = "--serial", .value = &o.serial},
					    {.name = "--sms-code-fd", .value = &o.sms_fd},
					    {.name = "--officer-code-fd", .value = &o.officer_fd},
					    PROOF_WAY_RULES(&o.way),
					    {.name = "--yes", .flag = &o.yes},
					    {0}};
	const struct command *cmd = cli_command(commands_account, run_account_prove);
	struct fault f = {0};
	json_t *p = NULL;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0) || check_words(cmd, &o) != EXIT_DONE)
		return EXIT_CONFIG;
	if ((by_key(&o) ? key_params(c, &o, &p, &f) : code_params(&o, &p, &f)) != OK)
		return cli_fail(c, &f);
	return cli_show(c, "account.prove", p, true, true);
}

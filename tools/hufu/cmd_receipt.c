/*
 * `hufu receipt` and `hufu verify`: what the ledger says of a certificate, brought from the desk or the signer, and
 * checked offline.
 */
#include "common/base/file.h"
#include "common/note/receipt.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/receipt_check.h"

#include <string.h>

static enum err receipt_of_desk(struct cli *c, const char *serial, struct buf *ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(cli_desk(c, "receipt.get", json_pack("{s:s}", "serial", serial), true, false, &r, f));
	const char *text = json_string_value(json_object_get(r, "receipt"));
	if (!text)
		return fault_raise(f, ERR_NET, "desk_answer", "receipt.get", "the desk's answer has no receipt");
	buf_str(ret, text);
	return OK;
}

/* Straight from the signer, by the tally's id. */
static enum err receipt_of_signer(struct cli *c, const char *tally, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_receipt ask;
	struct wire_receipt_is is;
	if (!hex_decode(tally, strlen(tally), ask.tally, sizeof(ask.tally)))
		return fault_raise(f, ERR_CONFIG, "tally_id", "tally", "\"%s\": wanted 32 hex characters",
				   ESC(tally, strlen(tally)));
	wire_receipt_put(&ask, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_RECEIPT_IS, &reply, f));
	TRY(wire_receipt_is_get(buf_slice(&reply), &is, f));
	buf_add_slice(ret, is.text);
	return OK;
}

static int run_receipt(struct cli *c, int argc, char **argv)
{
	const char *out = NULL;
	bool direct = false;
	const struct option_rule rules[] = {
		{.name = "--out", .value = &out}, {.name = "--operator", .flag = &direct}, {0}};
	struct fault f = {0};
	_cleanup_buf_ struct buf text = {0};
	if (!cli_options(cli_command(commands_receipt, run_receipt), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if ((direct ? receipt_of_signer : receipt_of_desk)(c, argv[1], &text, &f) != OK)
		return cli_fail(c, &f);
	if (out && file_write(out, buf_slice(&text), 0644, &f) != OK)
		return cli_fail(c, &f);
	if (c->json)
		return cli_said(c, json_pack("{s:s}", "receipt", buf_text(&text)), " ");
	if (!out)
		fwrite(text.data, 1, text.len, stdout);
	return EXIT_DONE;
}

/* --- verify --- */

struct trusted {
	struct log_key log;
	struct roster roster;
	struct buf root_der, issuer_der;
	struct cert root, issuer;
	bool has_chain;
};

static void trusted_done(struct trusted *t)
{
	roster_done(&t->roster);
	cert_done(&t->root);
	cert_done(&t->issuer);
	buf_done(&t->root_der);
	buf_done(&t->issuer_der);
}

/* What a check is told to trust: files. */
struct trust_files {
	const char *log, *roster, *issuer, *root;
};

static enum err load_cert(const char *path, struct buf *der, struct cert *ret, struct fault *f)
{
	TRY(der_load(path, "CERTIFICATE", der, f));
	return cert_parse(buf_slice(der), ret, f);
}

static enum err load_trust(const struct trust_files *files, struct trusted *t, struct fault *f)
{
	_cleanup_buf_ struct buf vkey = {0};
	TRY(file_read(files->log, 1024, &vkey, f));
	TRY(log_key_parse(buf_slice(&vkey), &t->log, f));
	TRY(roster_load(files->roster, &t->roster, f));
	t->has_chain = files->issuer && files->root;
	if (!t->has_chain)
		return OK;
	TRY(load_cert(files->issuer, &t->issuer_der, &t->issuer, f));
	return load_cert(files->root, &t->root_der, &t->root, f);
}

static enum err verify(const char *cert, const char *receipt, const struct trusted *t, struct buf *words,
		       struct fault *f)
{
	_cleanup_buf_ struct buf der = {0}, text = {0};
	TRY(der_load(cert, "CERTIFICATE", &der, f));
	TRY(file_read(receipt, RECEIPT_MAX_BYTES, &text, f));
	return receipt_check(buf_slice(&der), buf_slice(&text),
			     &(struct receipt_trust){.log = &t->log,
						     .roster = &t->roster,
						     .issuer = t->has_chain ? &t->issuer : NULL,
						     .root = t->has_chain ? &t->root : NULL},
			     words, f);
}

/* What is not named comes from hufu.yaml, where there is one. */
static enum err fill_in(struct cli *c, struct trust_files *t, struct fault *f)
{
	if (t->log && t->roster)
		return OK;
	TRY(cli_load(c, f));
	t->log = t->log ? t->log : c->log_key;
	t->roster = t->roster ? t->roster : c->roster;
	t->issuer = t->issuer ? t->issuer : c->issuing_crt;
	t->root = t->root ? t->root : c->root_crt;
	return OK;
}

static int run_verify(struct cli *c, int argc, char **argv)
{
	struct trust_files files = {0};
	const struct option_rule rules[] = {{.name = "--log-key", .value = &files.log},
					    {.name = "--roster", .value = &files.roster},
					    {.name = "--issuer", .value = &files.issuer},
					    {.name = "--root", .value = &files.root},
					    {0}};
	const struct command *cmd = cli_command(commands_receipt, run_verify);
	_cleanup_(trusted_done) struct trusted t = {0};
	_cleanup_buf_ struct buf words = {0};
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 2, 2))
		return EXIT_CONFIG;
	if (!files.issuer != !files.root)
		return cli_usage(cmd, "--issuer and --root go together: the chain above the certificate");
	if (fill_in(c, &files, &f) != OK || load_trust(&files, &t, &f) != OK ||
	    verify(argv[1], argv[2], &t, &words, &f) != OK)
		return cli_fail(c, &f);
	return cli_said(c, json_pack("{s:b,s:s}", "good", 1, "words", buf_text(&words)), "%sgood: the receipt holds\n",
			buf_text(&words));
}

const struct command commands_receipt[] = {
	{.name = "receipt",
	 .usage = "[--out FILE] [--operator] SERIAL | TALLY",
	 .summary = "the ledger's receipt of one of my certificates",
	 .help = "  --out FILE   into this file, not to standard output\n"
		 "  --operator   straight from the signer, by the id of the tally\n\n"
		 "Example:\n  hufu receipt --out extended.receipt 0132A7B050ED1C616EEA7B7F05085347",
	 .run = run_receipt},
	{.name = "verify",
	 .usage = "[--log-key FILE] [--roster FILE] [--issuer FILE --root FILE] CERT RECEIPT",
	 .summary = "check a certificate against its receipt, offline",
	 .help = "  --log-key FILE   public half of the ledger's key (log.vkey)\n"
		 "  --roster FILE    the roster note that was in force at the issue\n"
		 "  --issuer FILE    the issuing CA's certificate; without it the roster's word for its key is enough\n"
		 "  --root FILE      the root above it\n\n"
		 "What is not named comes from hufu.yaml. Nothing is asked over a wire. Says in words what was asked, "
		 "who signed, and\n"
		 "where it stands in the ledger; a receipt with any byte changed is refused with the reason.\n\n"
		 "Example:\n  hufu verify --log-key log.vkey --roster roster.note extended.pem extended.receipt",
	 .run = run_verify},
	{0},
};

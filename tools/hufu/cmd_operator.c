/*
 * `hufu unlock` and `hufu health`: what the operator asks of a running system. Both speak to the signer's operator
 * socket; health asks the desk as well, and says what is wrong by its exit code too. Next: cmd_note.c.
 */
#include "common/base/clock.h"
#include "common/pki/cert.h"
#include "tools/hufu/note_files.h"

#include <string.h>

#include <openssl/crypto.h>

/* --- unlock --- */

static enum err ask_passphrase(const char *fd_text, struct secret *ret, struct fault *f)
{
	uint64_t fd = 0;
	if (!fd_text)
		return secret_prompt("Passphrase of the CA key: ", false, 1024, ret, f);
	if (!u64_parse(fd_text, strlen(fd_text), 1023, &fd))
		return fault_raise(f, ERR_CONFIG, "passphrase_fd", "--passphrase-fd",
				   "\"%s\" is not a descriptor number", ESC(fd_text, strlen(fd_text)));
	return secret_read_fd((int)fd, 1024, ret, f);
}

static enum err unlock(struct cli *c, const char *fd_text, struct wire_ok *ret, struct fault *f)
{
	_cleanup_secret_ struct secret pass = {0};
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	TRY(cli_load(c, f));
	TRY(ask_passphrase(fd_text, &pass, f));
	wire_unlock_put(&(struct wire_unlock){.passphrase = slice_of(pass.p, pass.n)}, &request);
	enum err e = c->dry_run ? OK : cli_operator(c, buf_slice(&request), WIRE_TYPE_OK, &reply, f);
	OPENSSL_cleanse(request.data, request.len);
	if (e != OK || c->dry_run)
		return e;
	return wire_ok_get(buf_slice(&reply), ret, f);
}

static int run_unlock(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	const struct option_rule rules[] = {{.name = "--passphrase-fd", .value = &fd}, {0}};
	struct fault f = {0};
	struct wire_ok ok = {0};
	if (!cli_options(cli_command(commands_operator, run_unlock), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (unlock(c, fd, &ok, &f) != OK)
		return cli_fail(c, &f);
	if (c->dry_run)
		return cli_said(c, json_pack("{s:b}", "dry_run", 1), "would unlock the signer (dry run)\n");
	return cli_said(c, json_pack("{s:I}", "ledger_size", (json_int_t)ok.index),
			"the CA key is open; ledger size %llu\n", (unsigned long long)ok.index);
}

/* --- health --- */

static void set_hex(json_t *o, const char *key, const uint8_t *p, size_t n)
{
	char hex[65];
	hex_lower(p, n, hex);
	json_object_set_new(o, key, json_string(hex));
}

static void set_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void add_key_id(json_t *list, struct slice der)
{
	_cleanup_(cert_done) struct cert c = {0};
	char hex[41] = "unreadable";
	if (cert_parse(der, &c, NULL) == OK)
		hex_lower(c.key.key_id, 20, hex);
	json_array_append_new(list, json_string(hex));
}

/* After a roll: which CA issues, and which sign for the status of their own certificates alone, by the key ids that --issuer takes. */
static void set_issuers(json_t *o, const struct wire_health_is *h)
{
	_cleanup_(json_freep) json_t *now = json_array();
	json_t *retired = json_array();
	struct der in = der_of(h->retired);
	struct slice one;
	add_key_id(now, h->issuer_cert);
	while (der_get_whole(&in, DER_SEQUENCE, &one))
		add_key_id(retired, one);
	json_object_set(o, "issuer", json_array_get(now, 0));
	json_object_set_new(o, "retired", retired);
}

static json_t *signer_object(const struct wire_health_is *h)
{
	json_t *o = json_object();
	const char *state = h->clock_in_doubt ? "clock in doubt"
			    : h->locked	      ? "locked"
			    : h->waits	      ? "waits for hufu ledger resume"
					      : "open";
	json_object_set_new(o, "state", json_string(state));
	set_number(o, "ledger_size", h->size);
	json_object_set_new(o, "now", json_string(UTC(h->now)));
	json_object_set_new(o, "last_beat", h->last_beat > 0 ? json_string(UTC(h->last_beat)) : json_null());
	set_hex(o, "ca", h->ca, sizeof h->ca);
	if (h->retired.n > 0)
		set_issuers(o, h);
	json_object_set_new(o, "issuer_ends", json_string(UTC(h->issuer_not_after)));
	set_number(o, "roster_version", h->roster_version);
	set_hex(o, "roster", h->roster, sizeof h->roster);
	set_number(o, "policy_version", h->policy_version);
	set_hex(o, "policy", h->policy, sizeof h->policy);
	set_number(o, "issued", h->issued);
	set_number(o, "refused", h->refused);
	set_number(o, "rejected", h->rejected);
	set_number(o, "revoked", h->revoked);
	set_number(o, "held", h->held);
	json_object_set_new(o, "ledger_waits", json_boolean(h->waits));
	if (h->waits)
		set_number(o, "newest_checkpoint", h->seen);
	if (h->restored > 0)
		set_number(o, "restored_entry", h->restored - 1);
	return o;
}

static enum err ask_signer(struct cli *c, json_t **ret, bool *ret_waits, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_health_is h = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_HEALTH_IS, &reply, f));
	TRY(wire_health_is_get(buf_slice(&reply), &h, f));
	*ret = signer_object(&h);
	*ret_waits = h.locked || h.clock_in_doubt || h.waits;
	return OK;
}

/* One part of the answer: what it said of itself, or why it said nothing. */
static int add_part(json_t *all, const char *name, enum err e, json_t *said, bool waits, const struct fault *f)
{
	if (e == OK) {
		json_object_set_new(all, name, said);
		return waits ? EXIT_WAITING : EXIT_DONE;
	}
	json_object_set_new(all, name,
			    json_pack("{s:s,s:s,s:s}", "state", "no answer", "rule", f->rule, "text", f->text));
	return cli_exit(e);
}

static void print_value(const char *key, json_t *v, unsigned depth)
{
	const char *k, *reason = json_string_value(json_object_get(v, "reason")),
		       *text = json_string_value(json_object_get(v, "text"));
	json_t *inner;
	size_t i;
	if (reason) { /* an item of the desk's worries */
		printf("%*s%s: %s\n", (int)(2 * depth), "", reason, text ? text : "");
		return;
	}
	printf("%*s%s:", (int)(2 * depth), "", key);
	if (json_is_string(v)) {
		printf(" %s\n", json_string_value(v));
	} else if (json_object_size(v) + json_array_size(v) > 0) {
		putchar('\n');
		json_object_foreach(v, k, inner) print_value(k, inner, depth + 1);
		json_array_foreach(v, i, inner) print_value("-", inner, depth + 1);
	} else if (json_is_null(v) || json_is_object(v) || json_is_array(v)) {
		puts(json_is_null(v) ? " -" : " none");
	} else {
		_cleanup_(freep) char *plain = json_dumps(v, JSON_ENCODE_ANY);
		printf(" %s\n", plain ? plain : "?");
	}
}

static int worse(int a, int b)
{
	static const int order[] = {EXIT_DONE, EXIT_WAITING, EXIT_REFUSED, EXIT_ERROR, EXIT_UNREACHABLE, EXIT_CONFIG};
	int rank[2] = {0};
	for (int i = 0; i < (int)(sizeof order / sizeof order[0]); i++) {
		rank[0] = order[i] == a ? i : rank[0];
		rank[1] = order[i] == b ? i : rank[1];
	}
	return rank[0] >= rank[1] ? a : b;
}

static int run_health(struct cli *c, int argc, char **argv)
{
	bool signer = false, desk = false;
	const struct option_rule rules[] = {
		{.name = "--signer", .flag = &signer}, {.name = "--desk", .flag = &desk}, {0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *all = json_object();
	json_t *said = NULL;
	bool waits = false;
	int rc = EXIT_DONE;
	if (!cli_options(cli_command(commands_operator, run_health), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (cli_load(c, &f) != OK)
		return cli_fail(c, &f);
	if (signer || !desk) {
		enum err e = ask_signer(c, &said, &waits, &f);
		rc = add_part(all, "signer", e, said, waits, &f);
	}
	if (desk || !signer) {
		enum err e = cli_desk(c, "desk.health", NULL, false, false, &said, &f);
		waits = e == OK && json_array_size(json_object_get(said, "worries")) > 0;
		rc = worse(rc, add_part(all, "desk", e, said, waits, &f));
	}
	const char *name;
	json_t *part;
	if (c->json)
		cli_print_json(all);
	else
		json_object_foreach(all, name, part) print_value(name, part, 0);
	return rc;
}

const struct command commands_operator[] = {
	{.name = "unlock",
	 .usage = "[--passphrase-fd N]",
	 .summary = "operator: open the CA key of a signer that started locked",
	 .help = "  --passphrase-fd N   read the passphrase from this descriptor instead of asking\n\n"
		 "Example:\n  hufu unlock",
	 .run = run_unlock},
	{.name = "health",
	 .usage = "[--signer] [--desk]",
	 .summary = "operator: how the signer and the desk are",
	 .help = "  --signer   the signer alone (its operator socket)\n"
		 "  --desk     the desk alone\n\n"
		 "Exit code 0: both answer, the CA key is open and the desk has no worries; 5: something waits for "
		 "you; 3: no answer.\n\n"
		 "Example:\n  hufu --json health",
	 .run = run_health},
	{.name = "note sign",
	 .usage = "--key FILE [--yes] NOTE",
	 .summary = "add a line to any note: a witness under a transcript",
	 .help = "  --key FILE   one's own key (hufu officer key)\n"
		 "  --yes        do not ask (for scripts)\n\n"
		 "The text is shown; the line is added to the file only after \"yes\".\n\n"
		 "Example:\n  hufu note sign --key witness.key root.note",
	 .run = run_note_sign},
	{.name = "note verify",
	 .usage = "[--roster FILE] [--key VKEY]… NOTE",
	 .summary = "show a note and check its lines offline",
	 .help = "  --roster FILE   judges the lines of its members, and counts the officers\n"
		 "  --key VKEY      a verifier key, as `hufu officer key` prints it (repeat for more)\n\n"
		 "For transcripts, rosters, policies and adoptions; for tallies there is: hufu tally verify.\n\n"
		 "Example:\n  hufu note verify --key operator+1a2b3c4d+AU… root.note",
	 .run = run_note_verify},
	{.name = "roster note",
	 .usage = "[--add ROLE:VKEY[:PROJECTS[:KINDS]]]… [--remove NAME]… [--quorum N] FILE",
	 .summary = "write the next roster note, unsigned",
	 .help = "  --add ROLE:VKEY   officer, ra, custodian or signer, and the verifier key of `hufu officer key`; "
		 "after it\n"
		 "                    projects and kinds, each * or a comma list (default: *)\n"
		 "  --add responder:NAME=FILE   an OCSP responder, by its public key in PEM\n"
		 "  --remove NAME     leave this member out\n"
		 "  --quorum N        officers who must sign a roster, policy or adoption (default: as it is)\n\n"
		 "It follows the roster of the configuration. Officers of that one sign it: hufu roster sign.\n\n"
		 "Example:\n  hufu roster note --remove alice --add officer:dave+1a2b3c4d+AU… roster-2.note",
	 .run = run_roster_note},
	{.name = "responder renew",
	 .usage = "--key FILE --out FILE [--issuer KEYID]",
	 .summary = "operator: a certificate of a week for an OCSP responder",
	 .help = "  --key FILE   the responder's private key, PEM; the roster lists its public half\n"
		 "  --out FILE   the certificate, PEM\n"
		 "  --issuer KEYID   after a roll: by that CA, for answers about its certificates\n\n"
		 "Straight to the signer. Subject, OCSPSigning, no-check and the week come from the signer's code.\n"
		 "Nobody else signs: run it every day or two.\n\n"
		 "Example:\n  hufu responder renew --key ocsp.key --out ocsp.crt",
	 .run = run_responder_renew},
	{0},
};

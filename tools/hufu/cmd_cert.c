/*
 * `hufu cert …`, `hufu crl`, `hufu status`: certificates, their status, and revocation, by the desk or, when it is down
 * or not trusted, straight to the signer.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/tally.h"
#include "common/pki/cert.h"
#include "tools/hufu/note_files.h"
#include "tools/hufu/subscriber.h"

#include <sodium.h>
#include <string.h>

#define CRL_BEGIN_MAX 3
#define REVOKE_LIFE_S 3600
#define CERT_FILE_MAX 65536
#define TOKEN_FILE_MAX 4096

static int run_cert_list(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"serial", "SERIAL"},	{"name", "NAME"},    {"issuer", "ISSUER"},
						{"not_before", "FROM"}, {"not_after", "TO"}, {"state", "STATE"},
						{"actions", "ACTIONS"}};
	return cli_list_command(c, cli_command(commands_cert, run_cert_list), argc, argv, "cert.list", "certificates",
				columns, sizeof columns / sizeof columns[0]);
}

static int run_cert_show(struct cli *c, int argc, char **argv)
{
	const char *issuer = NULL;
	bool pem = false;
	const struct option_rule rules[] = {
		{.name = "--issuer", .value = &issuer}, {.name = "--pem", .flag = &pem}, {0}};
	struct fault f = {0};
	if (!cli_options(cli_command(commands_cert, run_cert_show), rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	json_t *p = json_pack("{s:s}", "serial", argv[1]);
	if (issuer)
		json_object_set_new(p, "issuer", json_string(issuer));
	if (!pem || c->json)
		return cli_show(c, "cert.show", p, true, false);
	_cleanup_(json_freep) json_t *r = NULL;
	if (cli_desk(c, "cert.show", p, true, false, &r, &f) != OK)
		return cli_fail(c, &f);
	const char *text = json_string_value(json_object_get(r, "pem"));
	fputs(text ? text : "", stdout);
	return EXIT_DONE;
}

/* --- revocation --- */

struct revoke {
	const char *reason, *key, *issuer, *project, *profile, *as;
	bool direct, yes;
};

/* Of the CA that issues now: what it issued before, under another key, is named by --issuer. */
static enum err issuing_key_id(const struct wire_health_is *h, uint8_t ret[20], struct fault *f)
{
	_cleanup_(cert_done) struct cert issuer = {0};
	TRY(cert_parse(h->issuer_cert, &issuer, f));
	memcpy(ret, issuer.key.key_id, 20);
	return OK;
}

static enum err issuer_option(const char *hex, uint8_t ret[20], struct fault *f)
{
	if (!hex || (strlen(hex) == 40 && hex_decode(hex, 40, ret, 20)))
		return OK;
	return fault_raise(f, ERR_CONFIG, "issuer", "--issuer", "\"%s\": wanted 40 hex characters",
			   ESC(hex, strlen(hex)));
}

static enum err revoke_tally(struct cli *c, const struct revoke *r, const char *serial, struct tally *t,
			     struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_health_is h = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_HEALTH_IS, &reply, f));
	TRY(wire_health_is_get(buf_slice(&reply), &h, f));
	t->kind = TALLY_REVOKE;
	random_fill(t->id, sizeof t->id);
	memcpy(t->ca, h.ca, sizeof t->ca);
	memcpy(t->policy, h.policy, sizeof t->policy);
	TRY(issuing_key_id(&h, t->predecessor.issuer_key_id, f));
	TRY(issuer_option(r->issuer, t->predecessor.issuer_key_id, f));
	snprintf(t->project, sizeof t->project, "%s", r->project);
	snprintf(t->profile, sizeof t->profile, "%s", r->profile);
	snprintf(t->way, sizeof t->way, "by-officer");
	t->has_predecessor = true;
	t->reason = crl_reason_from_word(r->reason);
	t->made = h.now;
	t->dies = h.now + REVOKE_LIFE_S;
	if (t->reason < 0)
		return fault_raise(f, ERR_CONFIG, "reason", "--reason", "\"%s\" is no reason of RFC 5280 5.3.1",
				   ESC(r->reason, strlen(r->reason)));
	if (!serial_parse(serial, strlen(serial), &t->predecessor.serial))
		return fault_raise(f, ERR_CONFIG, "serial", "serial", "\"%s\": wanted upper-case hex",
				   ESC(serial, strlen(serial)));
	return OK;
}

/* Straight to the signer's operator socket, with one officer's line: works with the desk down or captured. */
static enum err revoke_direct(struct cli *c, const struct revoke *r, const char *serial, struct fault *f)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(person_key_done) struct person_key key = {0};
	_cleanup_buf_ struct buf text = {0}, note = {0}, request = {0}, reply = {0};
	struct wire_done done = {0};
	TRY(revoke_tally(c, r, serial, &t, f));
	tally_put(&t, &text);
	TRY(person_key_load(r->key, NULL, &key, f));
	if (!r->yes && !cli_confirm("%s\nSign exactly this text as %s?", buf_text(&text), key.name))
		return fault_raise(f, ERR_DENIED, "not_confirmed", "revoke", "not revoked: the answer was not \"yes\"");
	note_begin(buf_slice(&text), &note);
	TRY(note_sign_ed25519(&note, key.name, key.secret.p, f));
	if (c->dry_run) {
		cli_said(c, json_pack("{s:s,s:b}", "note", buf_text(&note), "dry_run", 1), "%s", buf_text(&note));
		return OK;
	}
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&note)}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_DONE, &reply, f));
	TRY(wire_done_get(buf_slice(&reply), &done, f));
	cli_said(c, json_pack("{s:s,s:I}", "serial", serial, "entry", (json_int_t)done.index),
		 "%s revoked: ledger entry %llu\n", serial, (unsigned long long)done.index);
	return OK;
}

static int run_cert_revoke(struct cli *c, int argc, char **argv)
{
	struct revoke r = {.project = "jinhua", .profile = "organisation"};
	const struct option_rule rules[] = {{.name = "--reason", .value = &r.reason},
					    {.name = "--key", .value = &r.key},
					    {.name = "--issuer", .value = &r.issuer},
					    {.name = "--project", .value = &r.project},
					    {.name = "--profile", .value = &r.profile},
					    {.name = "--operator", .flag = &r.direct},
					    {.name = "--yes", .flag = &r.yes},
					    {.name = "--as", .value = &r.as},
					    {0}};
	const struct command *cmd = cli_command(commands_cert, run_cert_revoke);
	struct fault f = {0};
	if (!cli_options(cmd, rules, &argc, argv, 1, 1))
		return EXIT_CONFIG;
	if (!r.reason)
		return cli_usage(cmd, "--reason WORD is missing (keyCompromise, affiliationChanged, superseded, "
				      "cessationOfOperation …)");
	if (r.direct && !r.key)
		return cli_usage(cmd, "--operator wants --key FILE: an officer's key");
	if (r.direct)
		return revoke_direct(c, &r, argv[1], &f) == OK ? EXIT_DONE : cli_fail(c, &f);
	json_t *p = json_pack("{s:s,s:s,s:s}", "kind", "revoke", "serial", argv[1], "reason", r.reason);
	if (r.issuer)
		json_object_set_new(p, "issuer", json_string(r.issuer));
	if (r.as)
		json_object_set_new(p, "officer", json_string(r.as));
	return cli_show(c, "review.prepare", p, false, true);
}

/* --- CRL and status --- */

/* Which CRL, and what of it is still to come. */
struct crl_want {
	const char *issuer;
	const uint64_t *shard;
	bool direct;
	uint64_t size; /* of the whole, as each piece says */
	uint8_t sha256[32];
	uint8_t key_id[20]; /* direct: whose */
};

static enum err piece_of_desk(struct cli *c, struct crl_want *w, struct buf *ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	json_t *p = json_object();
	char hex[65];
	if (w->shard)
		json_object_set_new(p, "shard", json_integer((json_int_t)*w->shard));
	if (w->issuer)
		json_object_set_new(p, "issuer", json_string(w->issuer));
	if (ret->len > 0) {
		hex_lower(w->sha256, 32, hex);
		json_object_set_new(p, "from", json_integer((json_int_t)ret->len));
		json_object_set_new(p, "sha256", json_string(hex));
	}
	TRY(cli_desk(c, "crl.get", p, false, false, &r, f));
	const char *text = json_string_value(json_object_get(r, "der")),
		   *hash = json_string_value(json_object_get(r, "sha256"));
	w->size = (uint64_t)json_integer_value(json_object_get(r, "size"));
	if (!text || !base64_decode(text, strlen(text), ret) || !hash || !hex_decode(hash, strlen(hash), w->sha256, 32))
		return fault_raise(f, ERR_NET, "desk_answer", "crl.get", "the desk's answer has no CRL");
	return OK;
}

static enum err signers_key_id(struct cli *c, struct crl_want *w, struct fault *f)
{
	_cleanup_buf_ struct buf ask = {0}, health = {0};
	struct wire_health_is h = {0};
	wire_status_put(&(struct wire_status){0}, &ask);
	TRY(cli_operator(c, buf_slice(&ask), WIRE_TYPE_HEALTH_IS, &health, f));
	TRY(wire_health_is_get(buf_slice(&health), &h, f));
	TRY(issuing_key_id(&h, w->key_id, f));
	return issuer_option(w->issuer, w->key_id, f);
}

/* Straight from the signer: what was revoked with the desk down can be published with the desk down. */
static enum err piece_of_signer(struct cli *c, struct crl_want *w, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_crl_is crl = {0};
	struct wire_crl m = {.shard = w->shard ? (uint32_t)*w->shard : WIRE_FULL_CRL, .from = ret->len};
	if (ret->len == 0)
		TRY(signers_key_id(c, w, f));
	memcpy(m.issuer, w->key_id, 20);
	memcpy(m.sha256, w->sha256, 32);
	wire_crl_put(&m, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_CRL_IS, &reply, f));
	TRY(wire_crl_is_get(buf_slice(&reply), &crl, f));
	w->size = crl.size;
	memcpy(w->sha256, crl.sha256, 32);
	buf_add_slice(ret, crl.der);
	return OK;
}

/* Piece by piece. One that was made anew meanwhile is begun again. */
static enum err crl_whole(struct cli *c, struct crl_want *w, struct buf *ret, struct fault *f)
{
	uint8_t hash[32];
	for (unsigned begun = 1;;) {
		size_t before = ret->len;
		enum err e = (w->direct ? piece_of_signer : piece_of_desk)(c, w, ret, f);
		if (e == ERR_CONFLICT && before > 0 && begun++ < CRL_BEGIN_MAX) {
			buf_clear(ret);
			continue;
		}
		TRY(e);
		if (ret->len >= w->size)
			break;
		if (ret->len == before)
			return fault_raise(f, ERR_NET, "crl_form", "crl", "an empty piece came of the CRL");
	}
	sha256(ret->data, ret->len, hash);
	if (ret->len != w->size || memcmp(hash, w->sha256, 32) != 0)
		return fault_raise(f, ERR_NET, "crl_form", "crl", "what came is not the CRL whose SHA-256 was told");
	return OK;
}

static int run_crl(struct cli *c, int argc, char **argv)
{
	const char *out = NULL, *shard = NULL, *issuer = NULL;
	bool der = false, direct = false;
	const struct option_rule rules[] = {
		{.name = "--out", .value = &out},	 {.name = "--issuer", .value = &issuer},
		{.name = "--shard", .value = &shard},	 {.name = "--der", .flag = &der},
		{.name = "--operator", .flag = &direct}, {0}};
	const struct command *cmd = cli_command(commands_cert, run_crl);
	struct fault f = {0};
	uint64_t number = 0;
	if (!cli_options(cmd, rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (shard && !u64_parse(shard, strlen(shard), 4095, &number))
		return cli_usage(cmd, "--shard \"%s\": wanted a number up to 4095", ESC(shard, strlen(shard)));
	_cleanup_buf_ struct buf bytes = {0}, pem = {0};
	struct crl_want want = {.issuer = issuer, .shard = shard ? &number : NULL, .direct = direct};
	if (crl_whole(c, &want, &bytes, &f) != OK)
		return cli_fail(c, &f);
	pem_put(&pem, "X509 CRL", buf_slice(&bytes));
	struct slice w = der ? buf_slice(&bytes) : buf_slice(&pem);
	if (out && file_write(out, w, 0644, &f) != OK)
		return cli_fail(c, &f);
	if (c->json)
		return cli_said(c, json_pack("{s:s}", "pem", buf_text(&pem)), " ");
	if (!out && w.n > 0)
		fwrite(w.p, 1, w.n, stdout);
	return EXIT_DONE;
}

/* What the words and options of `hufu status` ask for. */
struct question {
	const char *identifier, *token_file, *issuer;
	struct option_list certs;
};

static void question_done(struct question *q)
{
	option_list_done(&q->certs);
}

/* The hash is taken here: the certificate itself need not leave. */
static enum err add_hash(const char *path, json_t *hashes, struct fault *f)
{
	_cleanup_buf_ struct buf file = {0}, der = {0};
	uint8_t sha[32];
	char hex[65];
	TRY(file_read(path, CERT_FILE_MAX, &file, f));
	TRY(pem_or_der(buf_slice(&file), "CERTIFICATE", &der, f));
	sha256(der.data, der.len, sha);
	hex_lower(sha, sizeof sha, hex);
	json_array_append_new(hashes, json_string(hex));
	return OK;
}

static enum err add_token(const char *path, json_t *params, struct fault *f)
{
	_cleanup_buf_ struct buf file = {0};
	TRY(file_read(path, TOKEN_FILE_MAX, &file, f));
	size_t n = strcspn(buf_text(&file), "\r\n");
	json_object_set_new(params, "token", json_stringn(buf_text(&file), n));
	sodium_memzero(file.data, file.len);
	return OK;
}

static enum err status_params(const struct question *q, char **words, int n, json_t *params, struct fault *f)
{
	json_t *list = json_array(), *hashes = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(list, q->issuer ? json_pack("{s:s,s:s}", "serial", words[i], "issuer", q->issuer)
						      : json_string(words[i]));
	json_object_set_new(params, q->issuer ? "refs" : "serials", list);
	json_object_set_new(params, "hashes", hashes);
	for (size_t i = 0; i < q->certs.n; i++)
		TRY(add_hash(q->certs.v[i], hashes, f));
	if (n == 0)
		json_object_del(params, q->issuer ? "refs" : "serials");
	if (q->certs.n == 0)
		json_object_del(params, "hashes");
	if (q->identifier)
		json_object_set_new(params, "identifier", json_string(q->identifier));
	return q->token_file ? add_token(q->token_file, params, f) : OK;
}

static int run_status(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"serial", "SERIAL"}, {"state", "STATE"},	  {"reason", "REASON"},
						{"when", "WHEN"},     {"successor", "SUCCESSOR"}, {"issuer", "ISSUER"}};
	_cleanup_(question_done) struct question q = {0};
	const struct option_rule rules[] = {{.name = "--issuer", .value = &q.issuer},
					    {.name = "--cert", .many = &q.certs},
					    {.name = "--identifier", .value = &q.identifier},
					    {.name = "--token-file", .value = &q.token_file},
					    {0}};
	const struct command *cmd = cli_command(commands_cert, run_status);
	struct fault f = {0};
	_cleanup_(json_freep) json_t *r = NULL, *params = json_object();
	if (!cli_options(cmd, rules, &argc, argv, 0, 1000))
		return EXIT_CONFIG;
	if (argc == 1 && q.certs.n == 0 && !q.identifier)
		return cli_usage(cmd, "wanted a serial number, --cert or --identifier");
	enum err e = status_params(&q, argv + 1, argc - 1, params, &f);
	if (e == OK)
		e = cli_desk(c, "status.query", json_incref(params), q.identifier && !q.token_file, false, &r, &f);
	if (e != OK)
		return cli_fail(c, &f);
	if (c->json) {
		cli_print_json(r);
		return EXIT_DONE;
	}
	cli_table(c, columns, 6, json_object_get(r, "answers"));
	const char *as_of = json_string_value(json_object_get(r, "as_of"));
	printf("as of %s, ledger size %lld\n", as_of ? as_of : "?",
	       (long long)json_integer_value(json_object_get(r, "ledger_size")));
	return EXIT_DONE;
}

const struct command commands_cert[] = {
	{.name = "cert list",
	 .usage = "[--page N] [--search TEXT]",
	 .summary = "my certificates",
	 .help = LIST_HELP "Example:\n  hufu cert list --search 擎洲",
	 .run = run_cert_list},
	{.name = "cert show",
	 .usage = "[--issuer HEX] [--pem] SERIAL",
	 .summary = "one certificate",
	 .help = "  --issuer HEX   key id of the issuer, where the serial is not unique\n"
		 "  --pem          the certificate alone\n\nExample:\n  hufu cert show --pem 74C2008800000AE9 > "
		 "cert.pem",
	 .run = run_cert_show},
	{.name = "cert revoke",
	 .usage = "--reason WORD [--issuer HEX] [--as NAME] [--operator --key FILE [--yes] [--project P] [--profile "
		  "P]] SERIAL",
	 .summary = "officer: revoke a certificate",
	 .help = "  --reason WORD   RFC 5280 5.3.1\n"
		 "  --operator      straight to the signer, with --key: works when the desk is down or captured\n"
		 "  --key FILE      the officer's key\n"
		 "  --issuer HEX    key id of the issuer, where it is not the CA that issues now\n"
		 "  --yes           do not ask (for scripts)\n"
		 "  --project P     of the certificate (default: jinhua)\n"
		 "  --profile P     of the certificate (default: organisation)\n\n"
		 "  --as NAME       who opens the request, by the roster's name; another officer approves it\n\n"
		 "Without --operator a request is opened at the desk, which officers approve.\n\n"
		 "Example:\n  hufu cert revoke --reason keyCompromise --operator --key alice.key 01A2…",
	 .run = run_cert_revoke},
	{.name = "cert ended",
	 .usage = "[--issuer HEX] [--since TIME] [--out FILE]",
	 .summary = "operator: what other CAs must revoke, as CSV",
	 .help = "  --issuer HEX   only of this issuer, by its key id\n"
		 "  --since TIME   only what ended then or later (2026-11-24T00:00:00Z)\n"
		 "  --out FILE     into this file, not to standard output\n\n"
		 "Adopted certificates that were replaced or revoked here: Hufu marks them ended, and only their own\n"
		 "CA can revoke them. The list comes straight from the signer's ledger.\n\n"
		 "Example:\n  hufu cert ended --since 2026-11-01T00:00:00Z --out to-zjca.csv",
	 .run = run_cert_ended},
	{.name = "crl",
	 .usage = "[--issuer HEX] [--shard N] [--der] [--operator] [--out FILE]",
	 .summary = "the current CRL",
	 .help = "  --issuer HEX key id of a CA that was rolled; else of the one that issues\n"
		 "  --shard N    one shard instead of the full CRL\n  --der        DER instead of PEM\n  --operator   "
		 "straight from the signer: works when the desk is down\n  --out FILE   into this file, not to "
		 "standard output\n\nExample:\n  "
		 "hufu crl --out crl.pem",
	 .run = run_crl},
	{.name = "status",
	 .usage = "[--issuer HEX] [--cert FILE]… [--identifier ID [--token-file FILE]] [SERIAL…]",
	 .summary = "is this certificate good?",
	 .help = "  --issuer HEX        key id of the issuer of these serial numbers\n"
		 "  --cert FILE         this certificate (PEM or DER), by its hash\n"
		 "  --identifier ID     certificates of this subject: one's own, in the session of `hufu login`\n"
		 "  --token-file FILE   …or those that a portal's token opens\n\n"
		 "Examples:\n  hufu status 74C2008800000AE9\n  hufu status --cert cert.pem",
	 .run = run_status},
	{0},
};

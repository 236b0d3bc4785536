/*
 * `hufu cert ended`: what other CAs must revoke, as a list to be sent to them. It comes from the signer's ledger over
 * the operator's socket, so it is right with the desk down or captured; each line says what ended the certificate and
 * what replaced it.
 */
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/tally.h"
#include "common/pki/cert.h"
#include "common/pki/der.h"
#include "tools/hufu/ended.h"
#include "tools/hufu/subscriber.h"

#include <string.h>

struct choice {
	const char *issuer, *since, *out;
	uint8_t issuer_id[20];
	int64_t since_time;
};

/* --- one certificate --- */

static enum err tally_of(struct slice note_bytes, struct tally *ret, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	TRY(note_parse(note_bytes, 1, &note, f));
	return tally_parse(note.text, ret, f);
}

/* RFC 5280 4.1: the serial number stands behind the version. */
static enum err serial_of(struct slice tbs, struct serial *ret, struct fault *f)
{
	struct der d = der_of(tbs), in;
	struct slice version, serial;
	if (!der_enter(&d, DER_SEQUENCE, &in) || !der_get(&in, DER_CONTEXT_CONS(0), &version) ||
	    !der_get_integer(&in, &serial))
		return fault_raise(f, ERR_PARSE, "intent_tbs", "entry.tbs", "an intent's bytes are no TBSCertificate");
	if (serial.n > 1 && serial.p[0] == 0)
		serial = slice_of(serial.p + 1, serial.n - 1);
	if (serial.n > SERIAL_MAX)
		return fault_raise(f, ERR_PARSE, "intent_tbs", "entry.tbs", "a serial of %zu octets", serial.n);
	ret->n = serial.n;
	memcpy(ret->b, serial.p, serial.n);
	return OK;
}

/* What ended it: a tally to revoke it, the tally of what replaced it, or another certificate's compromised key. */
static enum err put_cause(json_t *row, const struct wire_e_revoked *end, struct slice intent, struct fault *f)
{
	_cleanup_(tally_done) struct tally t = {0};
	struct wire_e_intent meant = {0};
	struct serial successor = {0};
	json_object_set_new(row, "cause", json_string("key compromised"));
	json_object_set_new(row, "successor", json_string(""));
	if (intent.n > 0) {
		TRY(wire_e_intent_get(intent, &meant, f));
		TRY(serial_of(meant.tbs, &successor, f));
		json_object_set_new(row, "successor", json_string(SERIAL(&successor)));
	}
	if (intent.n == 0 && end->note.n == 0)
		return OK;
	TRY(tally_of(intent.n > 0 ? meant.note : end->note, &t, f));
	_cleanup_(freep) char *cause = xasprintf("%s %s", tally_kind_word(t.kind), t.way);
	json_object_set_new(row, "cause", json_string(cause));
	return OK;
}

static enum err row_of(const struct slice parts[3], json_t *row, int64_t *ret_when, uint8_t ret_issuer[20],
		       struct fault *f)
{
	_cleanup_(cert_done) struct cert cert = {0};
	_cleanup_(name_done) struct name issuer = {0}, subject = {0};
	_cleanup_buf_ struct buf issuer_text = {0}, subject_text = {0};
	struct wire_e_adopted adopted;
	struct wire_e_revoked end;
	char issuer_id[41];
	TRY(wire_e_adopted_get(parts[0], &adopted, f));
	TRY(wire_e_revoked_get(parts[1], &end, f));
	TRY(cert_parse(adopted.cert, &cert, f));
	TRY(name_parse(cert.issuer, &issuer, f));
	TRY(name_parse(cert.subject, &subject, f));
	name_text(&issuer, &issuer_text);
	name_text(&subject, &subject_text);
	hex_lower(end.issuer, 20, issuer_id);
	json_object_set_new(row, "serial", json_string(SERIAL(&cert.serial)));
	json_object_set_new(row, "issuer", json_string(buf_text(&issuer_text)));
	json_object_set_new(row, "issuer_key_id", json_string(issuer_id));
	json_object_set_new(row, "subject", json_string(buf_text(&subject_text)));
	json_object_set_new(row, "not_after", json_string(UTC(cert.not_after)));
	json_object_set_new(row, "reason", json_string(crl_reason_word(end.reason)));
	json_object_set_new(row, "time", json_string(UTC(end.when)));
	json_object_set_new(row, "tally", json_string(TALLY_ID_TEXT(end.tally)));
	*ret_when = end.when;
	memcpy(ret_issuer, end.issuer, 20);
	return put_cause(row, &end, parts[2], f);
}

/* --- the list --- */

static enum err add_row(const struct choice *o, const struct slice parts[3], json_t *rows, struct fault *f)
{
	_cleanup_(json_freep) json_t *row = json_object();
	uint8_t issuer[20];
	int64_t when = 0;
	TRY(row_of(parts, row, &when, issuer, f));
	if (when >= o->since_time && (!o->issuer || memcmp(issuer, o->issuer_id, 20) == 0))
		json_array_append(rows, row);
	return OK;
}

static enum err ask_part(struct cli *c, const struct choice *o, uint64_t after, uint64_t *ret_next, json_t *rows,
			 struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_ended_is is = {0};
	wire_ended_put(&(struct wire_ended){.after = after}, &request);
	TRY(cli_operator(c, buf_slice(&request), WIRE_TYPE_ENDED_IS, &reply, f));
	TRY(wire_ended_is_get(buf_slice(&reply), &is, f));
	enum err e = OK;
	for (size_t i = 0; i + 2 < is.ended.n && e == OK; i += 3)
		e = add_row(o, &is.ended.v[i], rows, f);
	*ret_next = is.next;
	wire_ended_is_done(&is);
	return e;
}

static enum err ask_all(struct cli *c, const struct choice *o, json_t *rows, struct fault *f)
{
	uint64_t after = 0, next = 0;
	do {
		TRY(ask_part(c, o, after, &next, rows, f));
		if (next != 0 && next <= after)
			return fault_raise(f, ERR_NET, "ended_next", "ended.next", "the signer's list does not go on");
		after = next;
	} while (next != 0);
	return OK;
}

enum err ended_rows(struct cli *c, json_t *rows, struct fault *f)
{
	return ask_all(c, &(struct choice){.issuer = NULL}, rows, f);
}

static const char *const columns[] = {"serial", "issuer", "issuer_key_id", "subject",	"not_after",
				      "reason", "time",	  "cause",	   "successor", "tally"};
#define N_COLUMNS (sizeof columns / sizeof columns[0])

/* RFC 4180. */
static void put_field(const char *text, struct buf *b)
{
	if (!strpbrk(text, ",\"\r\n")) {
		buf_str(b, text);
		return;
	}
	buf_char(b, '"');
	for (; *text; text++)
		buf_fmt(b, "%s%c", *text == '"' ? "\"" : "", *text);
	buf_char(b, '"');
}

void ended_csv(json_t *rows, struct buf *b)
{
	size_t i;
	json_t *row;
	for (size_t k = 0; k < N_COLUMNS; k++)
		buf_fmt(b, "%s%s", k ? "," : "", columns[k]);
	buf_char(b, '\n');
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0; k < N_COLUMNS; k++) {
			if (k)
				buf_char(b, ',');
			put_field(json_string_value(json_object_get(row, columns[k])), b);
		}
		buf_char(b, '\n');
	}
}

static enum err read_choice(struct choice *o, struct fault *f)
{
	if (o->issuer && !hex_decode(o->issuer, strlen(o->issuer), o->issuer_id, 20))
		return fault_raise(f, ERR_CONFIG, "issuer", "--issuer", "\"%s\": wanted 40 hex characters",
				   ESC(o->issuer, strlen(o->issuer)));
	if (o->since && !time_parse_utc(o->since, strlen(o->since), &o->since_time))
		return fault_raise(f, ERR_CONFIG, "since", "--since", "\"%s\": wanted a time as 2026-11-24T00:00:00Z",
				   ESC(o->since, strlen(o->since)));
	return OK;
}

int run_cert_ended(struct cli *c, int argc, char **argv)
{
	struct choice o = {0};
	const struct option_rule rules[] = {{.name = "--issuer", .value = &o.issuer},
					    {.name = "--since", .value = &o.since},
					    {.name = "--out", .value = &o.out},
					    {0}};
	struct fault f = {0};
	_cleanup_(json_freep) json_t *rows = json_array();
	_cleanup_buf_ struct buf csv = {0};
	if (!cli_options(cli_command(commands_cert, run_cert_ended), rules, &argc, argv, 0, 0))
		return EXIT_CONFIG;
	if (read_choice(&o, &f) != OK || ask_all(c, &o, rows, &f) != OK)
		return cli_fail(c, &f);
	ended_csv(rows, &csv);
	if (o.out && file_write(o.out, buf_slice(&csv), 0644, &f) != OK)
		return cli_fail(c, &f);
	if (c->json)
		cli_print_json(rows);
	else if (o.out)
		printf("%s: %zu certificates\n", o.out, json_array_size(rows));
	else
		fwrite(csv.data, 1, csv.len, stdout);
	return EXIT_DONE;
}

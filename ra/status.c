/*
 * Certificates as their owner sees them, from the table that the follower fills from the ledger; and CRLs, which the
 * signer makes. Next: status_query.c, for those who ask after other people's.
 */
#include "ra/status.h"

#include "ra/offer.h"
#include "ra/signer.h"

#include "ra/status_index.h"

#include "common/base/clock.h"
#include "common/rpc/wire.h"

#include <string.h>

const char *status_word(enum cert_state state, int64_t changed, int64_t not_after, int64_t now)
{
	bool counts = changed <= now;
	switch (state) {
	case CERT_REVOKED:
		if (counts)
			return "revoked";
		break;
	case CERT_ENDED:
		if (counts)
			return "ended";
		break;
	case CERT_HELD:
		return "held";
	case CERT_GOOD:
		break;
	}
	return now > not_after ? "expired" : "good";
}

bool status_has_reason(const char *word)
{
	return word[0] == 'r' || word[1] == 'n'; /* revoked, ended */
}

const char *cert_state_word(struct status_index *x, const struct cert_row *row, int64_t now)
{
	struct cert_row r = *row;
	status_bear(x, &r);
	return status_word(r.state, r.changed, r.not_after, now);
}

/* --- finding --- */

enum err serial_param(const char *text, const char *where, struct serial *ret, struct fault *f)
{
	if (serial_parse(text, strlen(text), ret))
		return OK;
	return fault_raise(f, ERR_PARSE, "serial_form", where,
			   "found \"%s\", wanted upper-case hex of 1 to 20 octets without leading 00",
			   ESC(text, strlen(text)));
}

enum err issuer_param(const char *text, const char *where, uint8_t ret[20], struct fault *f)
{
	if (strlen(text) == 40 && hex_decode(text, 40, ret, 20))
		return OK;
	return fault_raise(f, ERR_PARSE, "issuer_form", where, "found \"%s\", wanted a key id of 40 hex characters",
			   ESC(text, strlen(text)));
}

enum err cert_unknown(const char *serial, struct fault *f)
{
	return fault_raise(f, ERR_NOT_FOUND, "certificate_unknown", "params.serial",
			   "there is no certificate %s for you here", ESC(serial, strlen(serial)));
}

enum err cert_find(struct db *db, const char *serial, const char *issuer, int64_t account, struct cert_row *ret,
		   struct fault *f)
{
	struct cert_row rows[SAME_SERIAL_MAX];
	struct serial parsed;
	uint8_t key_id[20];
	size_t n = 0, hits = 0;
	bool by_issuer = issuer && issuer[0] != '\0';
	TRY(serial_param(serial, "params.serial", &parsed, f));
	if (by_issuer)
		TRY(issuer_param(issuer, "params.issuer", key_id, f));
	TRY(store_certs_by_serial(db, &parsed, rows, SAME_SERIAL_MAX, &n, f));
	for (size_t i = 0; i < n; i++) {
		bool mine = account == 0 || rows[i].account == account;
		if (mine && (!by_issuer || memcmp(rows[i].ref.issuer_key_id, key_id, 20) == 0)) {
			*ret = rows[i];
			hits++;
		}
	}
	if (hits > 1)
		return fault_raise(f, ERR_CONFLICT, "serial_ambiguous", "params.issuer",
				   "%zu issuers have a certificate %s: say which by params.issuer", hits, serial);
	return hits == 1 ? OK : cert_unknown(serial, f);
}

enum err cert_json(struct db *db, int64_t id, json_t **ret, struct fault *f)
{
	struct cert_row row;
	_cleanup_(cert_body_done) struct cert_body body = {0};
	_cleanup_buf_ struct buf pem = {0};
	TRY(store_cert_by_id(db, id, &row, f));
	TRY(store_cert_body(db, id, &body, f));
	pem_put(&pem, "CERTIFICATE", buf_slice(&body.der));
	*ret = json_object();
	json_object_set_new(*ret, "serial", json_string(SERIAL(&row.ref.serial)));
	json_object_set_new(*ret, "issuer", json_hex(row.ref.issuer_key_id, 20));
	json_object_set_new(*ret, "not_before", json_time(row.not_before));
	json_object_set_new(*ret, "not_after", json_time(row.not_after));
	json_object_set_new(*ret, "pem", json_string(buf_text(&pem)));
	return OK;
}

/* --- cert.list, cert.show --- */

struct page {
	struct ctx *c;
	json_t *rows;
	enum err e;
	struct fault *f;
};

/* What the profile offers for a certificate that can still be followed. */
static json_t *actions_of(const struct ctx *c, const struct cert_row *row, const char *profile)
{
	static const char *const at_the_desk[] = {"extend", "change", "reissue", "revoke", "hold"};
	json_t *list = json_array();
	const struct profile *p = policy_profile(c->law->policy, profile);
	const char *state = cert_state_word(c->desk->status, row, c->now);
	if (!p || row->successor != 0 || (strcmp(state, "good") != 0 && strcmp(state, "expired") != 0))
		return list;
	const struct policy_kind *kinds = p->kinds.v;
	for (size_t k = 0; k < sizeof(at_the_desk) / sizeof(at_the_desk[0]); k++) {
		for (size_t i = 0; i < p->kinds.n; i++) {
			if (strcmp(kinds[i].kind, at_the_desk[k]) == 0)
				json_array_append_new(list, json_string(kinds[i].kind));
		}
	}
	return list;
}

static void add_cert(void *arg, const struct cert_item *item)
{
	struct page *page = arg;
	json_t *o = json_object(), *offers = NULL;
	json_object_set_new(o, "serial", json_string(SERIAL(&item->row.ref.serial)));
	json_object_set_new(o, "name", json_string(item->name));
	json_object_set_new(o, "issuer", json_string(item->issuer_name));
	json_object_set_new(o, "issuer_key_id", json_hex(item->row.ref.issuer_key_id, 20));
	json_object_set_new(o, "not_before", json_time(item->row.not_before));
	json_object_set_new(o, "not_after", json_time(item->row.not_after));
	json_object_set_new(o, "state", json_string(cert_state_word(page->c->desk->status, &item->row, page->c->now)));
	json_object_set_new(o, "project", json_string(item->project));
	json_object_set_new(o, "profile", json_string(item->profile));
	json_object_set_new(o, "actions", actions_of(page->c, &item->row, item->profile));
	if (page->e == OK)
		page->e = offers_json(page->c, &item->row, item->profile, &offers, page->f);
	json_object_set_new(o, "offers", offers);
	json_array_append_new(page->rows, o);
}

enum err cert_list(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct page page = {.c = c, .rows = rows, .f = f};
	const char *search = param_text(c, "search");
	int64_t limit, offset, total = 0;
	param_page(c, &limit, &offset);
	TRY(store_certs_of(c->db, c->session->account.id, search ? search : "", limit, offset, add_cert, &page, &total,
			   f));
	TRY(page.e);
	*ret = json_object();
	json_object_set_new(*ret, "certificates", TAKE(rows));
	json_object_set_new(*ret, "total", json_integer(total));
	return OK;
}

void status_put(const struct status_view *v, int64_t now, json_t *o)
{
	const char *word = status_word(v->state, v->changed, v->not_after, now);
	json_object_set_new(o, "state", json_string(word));
	if (status_has_reason(word))
		json_object_set_new(o, "reason", json_string(crl_reason_word(v->reason)));
	if (v->state != CERT_GOOD)
		json_object_set_new(o, "when", json_time(v->changed));
	if (!v->has_successor)
		return;
	json_object_set_new(o, "successor", json_string(SERIAL(&v->successor.serial)));
	json_object_set_new(o, "successor_issuer", json_hex(v->successor.issuer_key_id, 20));
}

static enum err put_row(struct db *db, const struct cert_row *row, int64_t now, json_t *o, struct fault *f)
{
	struct status_view v = {.state = row->state,
				.reason = row->reason,
				.changed = row->changed,
				.not_after = row->not_after,
				.has_successor = row->successor != 0};
	if (v.has_successor) {
		struct cert_row next;
		TRY(store_cert_by_id(db, row->successor, &next, f));
		v.successor = next.ref;
	}
	status_put(&v, now, o);
	return OK;
}

enum err cert_show(struct ctx *c, json_t **ret, struct fault *f)
{
	struct cert_row row;
	_cleanup_(json_freep) json_t *o = NULL;
	_cleanup_(cert_body_done) struct cert_body body = {0};
	json_t *offers = NULL;
	TRY(cert_find(c->db, param_text(c, "serial"), param_text(c, "issuer"), c->session->account.id, &row, f));
	TRY(store_cert_body(c->db, row.id, &body, f));
	TRY(cert_json(c->db, row.id, &o, f));
	json_object_set_new(o, "name", json_string(body.name));
	json_object_set_new(o, "issuer_name", json_string(body.issuer_name));
	json_object_set_new(o, "project", json_string(body.project));
	json_object_set_new(o, "profile", json_string(body.profile));
	json_object_set_new(o, "actions", actions_of(c, &row, body.profile));
	TRY(offers_json(c, &row, body.profile, &offers, f));
	json_object_set_new(o, "offers", offers);
	status_bear(c->desk->status, &row);
	TRY(put_row(c->db, &row, c->now, o, f));
	*ret = TAKE(o);
	return OK;
}

/* --- crl.get --- */

static enum err ask_signer(struct ctx *c, struct buf *reply, struct wire_crl_is *ret, struct fault *f)
{
	struct wire_crl ask = {.shard = (uint32_t)param_number(c, "shard", WIRE_FULL_CRL),
			       .from = (uint64_t)param_number(c, "from", 0)};
	const char *issuer = param_text(c, "issuer"), *hash = param_text(c, "sha256");
	_cleanup_buf_ struct buf request = {0};
	struct signer_state signer;
	signer_view_get(c->desk->view, &signer);
	memcpy(ask.issuer, signer.issues ? signer.issuer : c->law->roster.ca, 20);
	if (issuer)
		TRY(issuer_param(issuer, "params.issuer", ask.issuer, f));
	if (hash && !hex_decode(hash, strlen(hash), ask.sha256, 32))
		return fault_raise(f, ERR_PARSE, "sha256_form", "params.sha256",
				   "found \"%s\", wanted 64 hex characters", ESC(hash, strlen(hash)));
	wire_crl_put(&ask, &request);
	TRY(rpc_call(c->desk->signer, buf_slice(&request), reply, f));
	TRY(wire_expect(buf_slice(reply), WIRE_TYPE_CRL_IS, NULL, f));
	return wire_crl_is_get(buf_slice(reply), ret, f);
}

enum err crl_get(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	struct wire_crl_is is;
	TRY(ask_signer(c, &reply, &is, f));
	*ret = json_object();
	json_object_set_new(*ret, "der", json_base64(is.der));
	json_object_set_new(*ret, "number", json_integer((json_int_t)is.number));
	json_object_set_new(*ret, "next_update", json_time(is.next_update));
	json_object_set_new(*ret, "size", json_integer((json_int_t)is.size));
	json_object_set_new(*ret, "sha256", json_hex(is.sha256, 32));
	return OK;
}

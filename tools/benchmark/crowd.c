/*
 * Serial numbers are like the signer's: rising in front, noise behind. One in sixteen certificates is revoked, one in
 * sixteen replaced by the next, a few are held. Names are a town, two characters, a trade and a form, so that parts of them are
 * as rare and as common as parts of real ones.
 *
 * Rows go in by rising keys, with a cache that holds the tables' inner pages: so a million accounts take about a minute.
 */
#include "tools/benchmark/crowd.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/rpc/wire.h"
#include "ra/store_audit.h"
#include "ra/store_course.h"
#include "ra/store_material.h"
#include "ra/store_parcel.h"
#include "ra/store_payment.h"
#include "ra/store_session.h"
#include "ra/store_token.h"
#include "ra/vault.h"
#include "tools/benchmark/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define PART 50000u /* accounts in one transaction */
#define DAY_S 86400
#define SESSIONS_ONE_IN 10
#define AUDIT_ONE_IN 2
#define KEYS_ONE_IN 5	 /* accounts */
#define PARCELS_ONE_IN 2 /* requests; of these one in four is under way */
#define RARE_ONE_IN                                                                                                    \
	2000 /* accounts behind the first CROWD_ACCOUNTS whose services and requests are of a project of their own */
#define RARE_FIRST 1010 /* with a USB key and a request each */

static const char *const projects[] = {STOCK_PROJECT, "hangzhou", "ningbo"};
static const char *const kinds[] = {"change", "reissue", "enrol", "extend"};

static uint64_t noise(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void crowd_serial(size_t i, struct serial *ret)
{
	uint64_t words[2] = {noise(i), noise(~(uint64_t)i)};
	*ret = (struct serial){.n = 16};
	memcpy(ret->b, words, 16);
	for (unsigned k = 0; k < 6; k++)
		ret->b[k] = (uint8_t)((0x010000000000u + i) >> (40 - 8 * k));
}

void crowd_token(size_t i, char ret[33])
{
	uint64_t words[2] = {noise(1000003 * i + 1), noise(1000003 * i + 2)};
	hex_lower(words, 16, ret);
}

void crowd_identifier(size_t i, char ret[16])
{
	snprintf(ret, 16, "%08zu-0", 90000000 - CROWD_MAX_ACCOUNTS + i);
}

void crowd_name(size_t i, char ret[CROWD_NAME], bool word)
{
	static const char *const towns[] = {"杭州", "金华", "宁波", "温州", "绍兴", "嘉兴", "湖州", "衢州"};
	static const char *const trades[] = {"贸易", "建设", "电子", "信息技术", "机械", "食品", "工程咨询", "环境"};
	uint64_t x = noise(i + 77);
	char two[8];
	/* Two of 2,048 characters from U+5000 on. */
	for (unsigned k = 0; k < 2; k++) {
		unsigned cp = 0x5000 + (unsigned)(x >> (11 * k) & 2047);
		two[3 * k] = (char)(0xe0 | cp >> 12);
		two[3 * k + 1] = (char)(0x80 | (cp >> 6 & 63));
		two[3 * k + 2] = (char)(0x80 | (cp & 63));
	}
	two[6] = '\0';
	if (word)
		snprintf(ret, CROWD_NAME, "%s%.3s", two, trades[x >> 30 & 7]);
	else
		snprintf(ret, CROWD_NAME, "%s%s%s有限公司", towns[x >> 26 & 7], two, trades[x >> 30 & 7]);
}

void crowd_request(size_t i, char ret[REQUEST_ID + 1])
{
	snprintf(ret, REQUEST_ID + 1, "%032zx", i + 1);
}

void crowd_key(size_t i, char ret[16])
{
	snprintf(ret, 16, "K%08zu", i);
}

size_t crowd_whole_request(size_t account)
{
	return account * CROWD_OWN;
}

size_t crowd_parcel(size_t i)
{
	return 4 * PARCELS_ONE_IN * i;
}

void crowd_order(size_t i, char ret[ORDER_ID_MAX + 1])
{
	snprintf(ret, ORDER_ID_MAX + 1, "20261123-%08zu", i);
}

static bool is_rare(size_t account)
{
	return account >= CROWD_ACCOUNTS && account % RARE_ONE_IN == RARE_FIRST % RARE_ONE_IN;
}

int64_t crowd_due(const struct crowd *w, size_t request)
{
	return w->now / DAY_S * DAY_S + 10 * 3600 + ((int64_t)(noise(request) % CROWD_DUE_DAYS) - 10) * DAY_S;
}

/* --- certificates, services, orders --- */

/* der: empty: something short in its place. */
static enum err add_cert(struct db *db, const struct crowd *w, size_t i, const char *project, struct slice der,
			 int64_t account, int64_t *ret_id, struct fault *f)
{
	struct cert_row row = {.not_before = w->now - 300 * DAY_S,
			       .not_after = w->now + (int64_t)(i % 800) * DAY_S + 1,
			       .account = account};
	struct cert_body body = {.profile = STOCK_PROFILE, .issuer_name = STOCK_ISSUER};
	int64_t before = *ret_id;
	bool added;
	crowd_serial(i, &row.ref.serial);
	memset(row.ref.issuer_key_id, 0x5a, sizeof row.ref.issuer_key_id);
	row.predecessor = i % 16 == 1 ? before : 0;
	if (i % 16 == 2) {
		row.state = i % 64 == 2 ? CERT_HELD : CERT_REVOKED;
		row.reason = 4;
		row.changed = w->now - DAY_S;
	}
	snprintf(body.project, sizeof body.project, "%s", project);
	snprintf(body.name, sizeof body.name, "基准测试 %zu", i);
	snprintf(body.identifier, sizeof body.identifier, "%08zu-X", i);
	buf_add_slice(&body.der, der.n ? der : slice_of(row.ref.serial.b, row.ref.serial.n));
	enum err e = store_cert_add(db, &row, &body, ret_id, &added, f);
	buf_done(&body.der);
	TRY(e);
	return row.predecessor ? store_cert_successor(db, before, *ret_id, f) : OK;
}

static enum err add_payment(struct db *db, const struct order *o, struct fault *f)
{
	struct payment p = {.amount_fen = o->amount_fen, .state = "applied", .at = o->created, .who = "uid:1000"};
	snprintf(p.id, sizeof p.id, "bank:%.60s", o->id);
	snprintf(p.order, sizeof p.order, "%s", o->id);
	return store_payment_add(db, &p, f);
}

static enum err add_order(struct db *db, const struct crowd *w, size_t i, int64_t owner, const char *service,
			  struct fault *f)
{
	bool paid = i % 50 != 7;
	struct order o = {.account = owner,
			  .kind = "renew",
			  .amount_fen = i % 3 ? 30000 : 20000 + (int64_t)(i % 977),
			  .period_months = 12,
			  .created = w->now - (paid ? 400 * DAY_S : 0) + (int64_t)(i * 7919 % 86400)};
	crowd_order(i, o.id);
	snprintf(o.state, sizeof o.state, paid ? "paid" : "created");
	snprintf(o.service, sizeof o.service, "%s", service);
	TRY(store_order_add(db, &o, f));
	return paid ? add_payment(db, &o, f) : OK;
}

static enum err add_own(struct db *db, const struct crowd *w, size_t i, const char *project, int64_t owner,
			int64_t cert, struct fault *f)
{
	struct service s = {.account = owner, .title = "机构证书", .cert = cert};
	snprintf(s.project, sizeof s.project, "%s", project);
	snprintf(s.id, sizeof s.id, "%08zu", 10000000 + i);
	snprintf(s.certificate_name, sizeof s.certificate_name, "基准测试 %zu", i);
	s.begins = w->now - 300 * DAY_S;
	s.ends = w->now + 65 * DAY_S;
	crowd_serial(i, &s.serial);
	TRY(store_service_add(db, &s, f));
	return add_order(db, w, i, owner, s.id, f);
}

/* --- requests that wait for officers --- */

static enum err add_materials(struct db *db, const char *request, int64_t account, int64_t now, struct fault *f)
{
	static const char *const names[] = {"registration-form", "agent-id", "business-licence"};
	struct material_owner o = {.kind = "request", .account = account};
	snprintf(o.id, sizeof o.id, "%s", request);
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct material m = {.bytes = 300000, .type = "pdf", .sealed = true};
		bool new;
		snprintf(m.name, sizeof m.name, "%s", names[k]);
		snprintf(m.file, sizeof m.file, "%.20s%zu", request + 12, k);
		sha256(m.file, strlen(m.file), m.sha256);
		TRY(store_material_add(db, &o, &m, now, &new, f));
	}
	return OK;
}

static enum err add_parcel(struct db *db, struct crowd *w, size_t request, int64_t account, struct fault *f)
{
	bool ended = request % (4 * PARCELS_ONE_IN) != 0;
	struct parcel p = {.account = account,
			   .to = {.recipient = "张三", .mobile = "13800000000", .address = "浙江省金华市双龙南街 1 号"},
			   .carrier = "SF",
			   .packed = w->now - 40 * DAY_S,
			   .packed_by = "alice",
			   .shipped = w->now - 39 * DAY_S,
			   .shipped_by = "alice",
			   .due = crowd_due(w, request)};
	crowd_request(request, p.request);
	snprintf(p.token, sizeof p.token, "P%08zu", request);
	snprintf(p.tracking, sizeof p.tracking, "SF%010zu", request);
	snprintf(p.state, sizeof p.state, ended ? "received" : "shipped");
	p.ended = ended ? w->now - (int64_t)(request % (30 * DAY_S)) : 0;
	w->n_parcels++;
	return store_parcel_put(db, &p, f);
}

static enum err add_key(struct db *db, struct crowd *w, int64_t account, int64_t cert, struct fault *f)
{
	struct token t = {.model = "SoftHSM v2",
			  .label = "基准测试",
			  .state = "in_use",
			  .account = account,
			  .cert = cert,
			  .added = w->now - 300 * DAY_S,
			  .changed = w->now - 300 * DAY_S};
	int64_t id;
	crowd_key(w->n_keys++, t.serial);
	return store_token_add(db, &t, &id, f);
}

/* project: NULL: one of some. */
static enum err add_request(struct db *db, struct crowd *w, const char *project, int64_t account, int64_t cert,
			    struct fault *f)
{
	static char subject[] = "{}";
	size_t i = w->n_requests++;
	struct request r = {.account = account,
			    .way = "name",
			    .profile = STOCK_PROFILE,
			    .cert = cert,
			    .officers = 2,
			    .subject = subject,
			    .tally = w->tally,
			    .hold = -1,
			    .made = w->now - DAY_S,
			    .dies = w->now + 30 * DAY_S};
	struct course c = {.claimant = ""};
	crowd_request(i, r.id);
	snprintf(r.kind, sizeof r.kind, "%s", kinds[noise(i + 1) % 4]);
	snprintf(r.project, sizeof r.project, "%s", project ? project : projects[noise(i + 2) % 3]);
	snprintf(r.state, sizeof r.state, "drafted");
	snprintf(c.number, sizeof c.number, "20261124-%08zu", i);
	TRY(store_request_add(db, &r, f));
	TRY(store_course_add(db, r.id, &c, f));
	TRY(store_course_submitted(db, r.id, w->now - DAY_S, crowd_due(w, i), f));
	TRY(store_request_state(db, r.id, "awaiting_officers", f));
	TRY(store_history_add(db, r.id, w->now, "made", "", "drafted", "account", "", f));
	TRY(store_history_add(db, r.id, w->now, "submitted", "drafted", "awaiting_officers", "account", "", f));
	if (i % PARCELS_ONE_IN == 0)
		TRY(add_parcel(db, w, i, account, f));
	return add_materials(db, r.id, account, w->now, f);
}

/* --- accounts --- */

static enum err add_session(struct db *db, const struct crowd *w, size_t i, int64_t account, struct fault *f)
{
	struct session in = {
		.account = {.id = account}, .uid = geteuid(), .created = w->now, .expires = w->now + DAY_S};
	char token[33];
	uint8_t hash[32];
	crowd_token(i, token);
	sha256(token, strlen(token), hash);
	snprintf(in.id, sizeof in.id, "%032zx", i);
	return store_session_add(db, hash, &in, f);
}

static enum err add_audit(struct db *db, const struct crowd *w, size_t i, const char *identifier, struct fault *f)
{
	_cleanup_(freep) char *who = xasprintf("account:%s", identifier), *object = xasprintf("%032zx", i + 1);
	struct audit_row row = {.at = w->now - 2 * 365 * DAY_S + (int64_t)i * 60,
				.who = who,
				.uid = 1000,
				.address = "",
				.what = "request_submitted",
				.object = object,
				.detail = ""};
	return store_audit(db, &row, f);
}

static enum err add_account(struct db *db, struct crowd *w, size_t i, struct fault *f)
{
	struct account a = {.agent = "张三"};
	size_t own = i < CROWD_ACCOUNTS ? CROWD_OWN : 2, before = w->n_certs;
	const char *project = is_rare(i) ? CROWD_RARE : STOCK_PROJECT;
	int64_t id;
	crowd_identifier(i, a.identifier);
	crowd_name(i, a.organisation, false);
	snprintf(a.mobile, sizeof a.mobile, "139%08zu", i);
	TRY(store_account_add(db, &a, w->now, &id, f));
	for (size_t k = 0; k < own && w->n_certs < w->certificates; k++) {
		size_t cert = w->n_certs++;
		struct slice der = {0};
		if (k == 0 && i < CROWD_ACCOUNTS)
			der = buf_slice(&w->items[i].cert);
		TRY(add_cert(db, w, cert, project, der, id, &w->last_cert, f));
		if (k == 0 || i < CROWD_ACCOUNTS)
			TRY(add_own(db, w, cert, project, id, w->last_cert, f));
		if (i < CROWD_ACCOUNTS || (k == 0 && i % 10 == 0 && w->n_requests < crowd_requests(w)))
			TRY(add_request(db, w, is_rare(i) ? CROWD_RARE : NULL, id, w->last_cert, f));
	}
	if (i % KEYS_ONE_IN == 0 && w->n_certs > before)
		TRY(add_key(db, w, id, w->last_cert, f));
	if (i < CROWD_ACCOUNTS || i % SESSIONS_ONE_IN == 0)
		TRY(add_session(db, w, i, id, f));
	return i % AUDIT_ONE_IN == 0 ? add_audit(db, w, i, a.identifier, f) : OK;
}

void crowd_put(const struct crowd *w, struct buf *ret)
{
	buf_fmt(ret, "%zu %zu %zu %zu %zu %" PRId64 " %.0f\n", w->certificates, w->n_certs, w->n_requests, w->n_keys,
		w->n_parcels, w->now, w->seconds);
}

enum err crowd_read(struct slice text, struct crowd *ret, struct fault *f)
{
	_cleanup_(freep) char *line = xstrndup((const char *)text.p, text.n);
	struct crowd w = {0};
	if (sscanf(line, "%zu %zu %zu %zu %zu %" SCNd64 " %lf", &w.certificates, &w.n_certs, &w.n_requests, &w.n_keys,
		   &w.n_parcels, &w.now, &w.seconds) != 7)
		return fault_raise(f, ERR_PARSE, "crowd", "crowd",
				   "found \"%s\", wanted seven numbers: remove the folder", ESC(text.p, text.n));
	*ret = w;
	return OK;
}

size_t crowd_accounts(const struct crowd *w)
{
	return w->certificates / 2;
}

size_t crowd_requests(const struct crowd *w)
{
	return w->certificates / 20;
}

static enum err add_part(struct db *db, struct crowd *w, size_t from, struct fault *f)
{
	for (size_t i = from; i < from + PART && i < crowd_accounts(w); i++)
		TRY(add_account(db, w, i, f));
	return OK;
}

/* Without it the desk takes its materials for lost and does not start. */
static enum err make_material_key(const char *state, struct fault *f)
{
	_cleanup_(freep) char *key = path_join(state, "materials.key"), *folder = path_join(state, "materials");
	struct vault *v = NULL;
	TRY(dir_make(folder, 0700, f));
	TRY(vault_open(key, folder, true, &v, f));
	vault_close(v);
	return OK;
}

/* The store's schema, and a connection without the savepoints of its groups: in a long transaction each statement walks
 * their journal. */
static enum err make_schema(const char *path, struct db **ret, struct fault *f)
{
	struct store *s = NULL;
	TRY(store_open(path, &s, f));
	store_close(s);
	TRY(db_open(path, false, ret, f));
	TRY(db_run(*ret, f, "PRAGMA synchronous=OFF", ""));
	return db_run(*ret, f, "PRAGMA cache_size=-2000000", "");
}

/* The text of the tally that an item's request has. */
static enum err take_tally(struct crowd *w, const struct item *item, struct fault *f)
{
	struct wire_tally t = {0};
	TRY(wire_tally_get(buf_slice(&item->request), &t, f));
	const uint8_t *end = memmem(t.note.p, t.note.n, "\n\n", 2);
	if (!end)
		return fault_raise(f, ERR_INTERNAL, "stock", "stock", "a tally without an end");
	w->tally = xstrndup((const char *)t.note.p, (size_t)(end - t.note.p) + 1);
	return OK;
}

static enum err fill(const char *state, struct crowd *w, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(state, "desk.db");
	_cleanup_(db_closep) struct db *db = NULL;
	int64_t from = clock_mono_us();
	if (w->certificates < CROWD_LEAST || w->certificates > 2 * CROWD_MAX_ACCOUNTS)
		return fault_raise(f, ERR_CONFIG, "crowd", "certificates", "found %zu, wanted %u to %u",
				   w->certificates, CROWD_LEAST, 2 * CROWD_MAX_ACCOUNTS);
	TRY(dir_make(state, 0700, f));
	TRY(make_material_key(state, f));
	TRY(make_schema(path, &db, f));
	for (size_t i = 0; i < crowd_accounts(w) && !load_stop; i += PART) {
		TRY(db_begin(db, f));
		TRY(add_part(db, w, i, f));
		TRY(db_commit(db, f));
	}
	w->seconds = (double)(clock_mono_us() - from) / 1e6;
	return load_stop ? fault_raise(f, ERR_BUSY, "interrupted", "benchmark", "stopped by a signal") : OK;
}

enum err crowd_fill(const char *state, struct crowd *w, struct fault *f)
{
	_cleanup_(old_ca_done) struct old_ca old = {0};
	_cleanup_(person_key_done) struct person_key ra = {0}, officer = {0};
	struct stock s = {.old = &old, .ra = &ra, .officer = &officer};
	struct item *items = NULL;
	w->now = clock_now();
	TRY(old_ca_new(&old, f));
	TRY(person_key_generate("ra-1", &ra, f));
	TRY(person_key_generate("alice", &officer, f));
	TRY(stock_make(&s, CROWD_ACCOUNTS, true, &items, f));
	w->items = items;
	enum err e = take_tally(w, &items[0], f);
	if (e == OK)
		e = fill(state, w, f);
	items_free(items, CROWD_ACCOUNTS);
	freep(&w->tally);
	w->items = NULL;
	return e;
}

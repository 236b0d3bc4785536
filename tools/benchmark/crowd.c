/*
 * Serial numbers are like the signer's: rising in front, noise behind. One in sixteen certificates is revoked, one in
 * sixteen replaced by the next, a few are held.
 */
#include "tools/benchmark/crowd.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "ra/store_order.h"
#include "ra/store_session.h"
#include "tools/benchmark/load.h"
#include "tools/benchmark/stock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define PART 100000u /* certificates in one transaction */
#define DAY_S 86400

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

/* The narrow row, and what lists show when it has an owner: status asks for no more, and two million bodies would take
 * minutes. */
static enum err add_row(struct db *db, size_t i, const struct cert_row *row, int64_t *ret_id, struct fault *f)
{
	struct cert_body body = {.project = STOCK_PROJECT, .profile = STOCK_PROFILE, .issuer_name = STOCK_ISSUER};
	bool added;
	if (row->account == 0)
		return store_cert_row_add(db, row, ret_id, f);
	snprintf(body.name, sizeof body.name, "基准测试 %zu", i);
	buf_add(&body.der, row->ref.serial.b, row->ref.serial.n);
	enum err e = store_cert_add(db, row, &body, ret_id, &added, f);
	buf_done(&body.der);
	return e;
}

static enum err add_cert(struct db *db, size_t i, int64_t account, int64_t now, int64_t *ret_id, struct fault *f)
{
	struct cert_row row = {.not_before = now - 300 * DAY_S, .not_after = now + (int64_t)(i % 800) * DAY_S + 1};
	int64_t before = *ret_id;
	crowd_serial(i, &row.ref.serial);
	memset(row.ref.issuer_key_id, 0x5a, sizeof row.ref.issuer_key_id);
	row.account = account;
	row.predecessor = i % 16 == 1 ? before : 0;
	if (i % 16 == 2) {
		row.state = i % 64 == 2 ? CERT_HELD : CERT_REVOKED;
		row.reason = 4;
		row.changed = now - DAY_S;
	}
	TRY(add_row(db, i, &row, ret_id, f));
	return row.predecessor ? store_cert_successor(db, before, *ret_id, f) : OK;
}

static enum err add_own(struct db *db, size_t account, size_t k, int64_t owner, int64_t cert, int64_t now,
			struct fault *f)
{
	struct service s = {.account = owner, .project = STOCK_PROJECT, .title = "机构证书", .cert = cert};
	struct order o = {.account = owner, .kind = "renew", .amount_fen = 20000, .period_months = 12, .state = "paid"};
	snprintf(s.id, sizeof s.id, "%zu", 100000 + account * CROWD_OWN + k);
	snprintf(s.certificate_name, sizeof s.certificate_name, "基准测试 %zu", account * CROWD_OWN + k);
	s.begins = now - 300 * DAY_S;
	s.ends = now + 65 * DAY_S;
	crowd_serial(account * CROWD_OWN + k, &s.serial);
	snprintf(o.id, sizeof o.id, "20261123-%zu", account * CROWD_OWN + k);
	snprintf(o.service, sizeof o.service, "%s", s.id);
	o.created = now - 400 * DAY_S + (int64_t)k;
	TRY(store_service_add(db, &s, f));
	return store_order_add(db, &o, f);
}

static enum err add_account(struct db *db, size_t i, int64_t now, int64_t *ret_cert, struct fault *f)
{
	struct account a = {.organisation = "基准测试账户", .agent = "张三", .mobile = "13900000000"};
	char token[33];
	uint8_t hash[32];
	int64_t id;
	snprintf(a.identifier, sizeof a.identifier, "%08zu-0", 90000000 + i);
	TRY(store_account_add(db, &a, now, &id, f));
	crowd_token(i, token);
	sha256(token, strlen(token), hash);
	struct session in = {.account = {.id = id}, .uid = geteuid(), .created = now, .expires = now + DAY_S};
	snprintf(in.id, sizeof in.id, "%032zx", i);
	TRY(store_session_add(db, hash, &in, f));
	for (size_t k = 0; k < CROWD_OWN; k++) {
		TRY(add_cert(db, i * CROWD_OWN + k, id, now, ret_cert, f));
		TRY(add_own(db, i, k, id, *ret_cert, now, f));
	}
	return OK;
}

static enum err add_part(struct db *db, size_t from, size_t to, int64_t *cert, struct fault *f)
{
	int64_t now = clock_now();
	for (size_t i = from; i < to;) {
		if (i < (size_t)CROWD_ACCOUNTS * CROWD_OWN) {
			TRY(add_account(db, i / CROWD_OWN, now, cert, f));
			i += CROWD_OWN;
		} else {
			TRY(add_cert(db, i++, 0, now, cert, f));
		}
	}
	return OK;
}

enum err crowd_fill(const char *state, size_t n, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(state, "desk.db");
	_cleanup_(store_closep) struct store *s = NULL;
	int64_t cert = 0;
	if (n < CROWD_ACCOUNTS * CROWD_OWN)
		return fault_raise(f, ERR_CONFIG, "crowd", "certificates", "found %zu, wanted %u at least", n,
				   CROWD_ACCOUNTS * CROWD_OWN);
	TRY(dir_make(state, 0700, f));
	TRY(store_open(path, &s, f));
	for (size_t i = 0; i < n && !load_stop; i += PART) {
		struct db *db = NULL;
		TRY(store_begin(s, &db, f));
		TRY(store_end(s, db, add_part(db, i, i + PART < n ? i + PART : n, &cert, f), f));
	}
	return OK;
}

/*
 * A signer that `hufu init` laid out, whose ledger is given its revocations while it is stopped. Each run takes the
 * CRL's file away, and the next request for it makes one: the time is that of the first piece's answer, for which the
 * CRL was signed, flushed, recorded in the ledger and read back.
 */
#include "tools/benchmark/crls.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/db/db.h"
#include "common/pki/der.h"
#include "common/pki/sign.h"
#include "common/rpc/wire.h"
#include "tools/benchmark/load.h"

#include <string.h>

#include <openssl/evp.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define PIECE 65536u

struct crls {
	const struct bench_run *b;
	const struct old_ca *ca;
	struct tree tree;
	char *ledger, *openssl_conf;
	size_t peer_entries;
};

static void crls_done(struct crls *x)
{
	tree_done(&x->tree);
	free(x->ledger);
	free(x->openssl_conf);
}

/* --- what is revoked --- */

static void serial_nth(size_t i, uint8_t ret[16])
{
	random_fill(ret, 16);
	ret[0] = (uint8_t)(0x10 + (i & 0x3f));
}

static enum err insert_all(struct crls *x, struct db *db, struct fault *f)
{
	uint8_t serial[16];
	int64_t now = clock_now();
	TRY(db_run(db, f, "INSERT INTO issuer (key_id) VALUES (?1) ON CONFLICT DO NOTHING", "b",
		   slice_of(x->tree.ca_key_id, 20)));
	for (size_t i = 0; i < x->b->certificates; i++) {
		serial_nth(i, serial);
		TRY(db_run(db, f,
			   "INSERT INTO revocation (issuer, serial, shard, at, reason, keep_until) VALUES ((SELECT id "
			   "FROM "
			   "issuer WHERE key_id = ?1), ?2, ?3, ?4, ?5, ?6)",
			   "bbiiii", slice_of(x->tree.ca_key_id, 20), slice_of(serial, 16), (int64_t)(i & 15),
			   now - (int64_t)(i % 1000000), (int64_t)(1 + i % 5), now + 100 * 86400));
	}
	return OK;
}

static enum err revoke_all(struct crls *x, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	TRY(db_open(x->ledger, false, &db, f));
	TRY(db_begin(db, f));
	TRY(insert_all(x, db, f));
	return db_commit(db, f);
}

static enum err make_signer(struct crls *x, struct fault *f)
{
	_cleanup_(freep) char *old = path_join(x->b->dir, "old-ca.pem");
	_cleanup_buf_ struct buf pem = {0};
	x->tree =
		(struct tree){.build = x->b->build, .policies = x->b->policies, .dir = path_join(x->b->dir, "signer")};
	x->ledger = xasprintf("%s/var/lib/hufu-ca/ledger.db", x->tree.dir);
	pem_put(&pem, "CERTIFICATE", buf_slice(&x->ca->cert));
	TRY(file_write(old, buf_slice(&pem), 0644, f));
	TRY(tree_lay_out(&x->tree, "p256", old, f));
	TRY(tree_start(&x->tree, f));
	process_stop(&x->tree.ra);
	process_stop(&x->tree.ca);
	notify_close(&x->tree.notify);
	TRY(revoke_all(x, f));
	return tree_start(&x->tree, f);
}

/* --- Hufu --- */

static enum err ask(struct crls *x, uint64_t *ret_size, struct fault *f)
{
	_cleanup_(freep) char *file = xasprintf("%s/var/lib/hufu-ca/crl/full.crl", x->tree.dir);
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_crl m = {.shard = WIRE_FULL_CRL};
	struct wire_crl_is is;
	(void)unlink(file);
	memcpy(m.issuer, x->tree.ca_key_id, 20);
	wire_crl_put(&m, &request);
	TRY(load_call(x->tree.operator_socket, buf_slice(&request), &reply, f));
	TRY(wire_expect(buf_slice(&reply), WIRE_TYPE_CRL_IS, NULL, f));
	TRY(wire_crl_is_get(buf_slice(&reply), &is, f));
	*ret_size = is.size;
	return OK;
}

/* --- the limit --- */

static void put_entry(uint8_t ret[49], struct db_row *row)
{
	static const uint8_t frame[49] = {0x30, 0x2f, 0x02, 0x10, [20] = 0x17, 0x0d, [35] = 0x30, 0x0c, 0x30, 0x0a,
					  0x06, 0x03, 0x55, 0x1d, 0x15,	       0x04, 0x03,	  0x0a, 0x01};
	struct slice serial = db_blob(row, 0);
	struct civil c = time_civil(db_i64(row, 1));
	const int fields[] = {c.year % 100, c.month, c.day, c.hour, c.minute, c.second};
	memcpy(ret, frame, sizeof(frame));
	memcpy(ret + 4, serial.p, 16);
	for (size_t i = 0; i < 6; i++) {
		ret[22 + 2 * i] = (uint8_t)('0' + fields[i] / 10);
		ret[23 + 2 * i] = (uint8_t)('0' + fields[i] % 10);
	}
	ret[34] = 'Z';
	ret[48] = (uint8_t)db_i64(row, 2);
}

static enum err scan(struct db *db, EVP_MD_CTX *md, struct fault *f)
{
	static uint8_t piece[PIECE];
	_cleanup_(db_row_donep) struct db_row *row = NULL;
	bool more;
	size_t n = 0;
	TRY(db_query(db, f, &row, "SELECT serial, at, reason FROM revocation ORDER BY issuer, serial", ""));
	TRY(db_next(row, &more, f));
	while (more) {
		put_entry(piece + n, row);
		n += 49;
		TRY(db_next(row, &more, f));
		if (n + 49 > PIECE || !more) {
			EVP_DigestSignUpdate(md, piece, n);
			n = 0;
		}
	}
	return OK;
}

static enum err run_limit(struct crls *x, EVP_PKEY *key, double *ret_s, struct fault *f)
{
	_cleanup_(db_closep) struct db *db = NULL;
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[128];
	size_t n = sizeof(sig);
	int64_t from = clock_mono_us();
	TRY(db_open(x->ledger, true, &db, f));
	if (!md || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1)
		abort();
	TRY(scan(db, md, f));
	if (EVP_DigestSignFinal(md, sig, &n) != 1)
		abort();
	*ret_s = (double)(clock_mono_us() - from) / 1e6;
	return OK;
}

/* --- openssl --- */

static enum err peer_file(struct crls *x, const char *name, struct slice bytes, struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", x->b->dir, name);
	return file_write(path, bytes, 0600, f);
}

/* Its database: state, end, when and why revoked, serial number, file, subject. */
static void put_index(struct crls *x, struct buf *b)
{
	uint8_t serial[16];
	char hex[33];
	for (size_t i = 0; i < x->peer_entries; i++) {
		serial_nth(i, serial);
		hex_upper(serial, 16, hex);
		buf_fmt(b, "R\t300101000000Z\t2601%02zu000000Z,keyCompromise\t%s\tunknown\t/CN=%zu\n", 1 + i % 28, hex,
			i);
	}
}

static enum err make_peer(struct crls *x, struct fault *f)
{
	_cleanup_buf_ struct buf conf = {0}, index = {0}, key = {0};
	const char *dir = x->b->dir;
	x->peer_entries = x->b->certificates < CRLS_PEER_MAX ? x->b->certificates : CRLS_PEER_MAX;
	put_index(x, &index);
	buf_fmt(&conf,
		"[ca]\ndefault_ca = a\n[a]\ndatabase = %s/index.txt\ncrlnumber = %s/crlnumber\ncertificate = "
		"%s/old-ca.pem\nprivate_key = %s/old-ca.key\ndefault_md = sha256\ndefault_crl_days = 1\n",
		dir, dir, dir, dir);
	x->openssl_conf = xasprintf("%s/openssl.cnf", dir);
	TRY(privkey_to_pem(x->ca->key, &key, f));
	TRY(peer_file(x, "old-ca.key", buf_slice(&key), f));
	TRY(peer_file(x, "openssl.cnf", buf_slice(&conf), f));
	TRY(peer_file(x, "crlnumber", slice_str("01\n"), f));
	TRY(peer_file(x, "index.txt.attr", slice_str("unique_subject = no\n"), f));
	return peer_file(x, "index.txt", buf_slice(&index), f);
}

static enum err run_peer(struct crls *x, double *ret_s, struct fault *f)
{
	_cleanup_(freep) char *out = xasprintf("%s/openssl.crl", x->b->dir),
			      *log = xasprintf("%s/openssl.log", x->b->dir);
	const char *argv[] = {"/usr/bin/openssl", "ca", "-gencrl", "-config", x->openssl_conf, "-out", out, NULL};
	int64_t from = clock_mono_us();
	TRY(process_run(&(struct process_spec){.argv = argv, .stdout_path = log, .stderr_path = log}, f));
	*ret_s = (double)(clock_mono_us() - from) / 1e6;
	return OK;
}

/* --- the row --- */

static enum err run_once(struct crls *x, struct row *r, struct fault *f)
{
	double limit = 0, peer = 0, n = (double)x->b->certificates;
	int64_t before, after;
	uint64_t size;
	TRY(run_limit(x, x->ca->key, &limit, f));
	TRY(run_peer(x, &peer, f));
	TRY(process_cpu_us(x->tree.ca, &before, f));
	int64_t from = clock_mono_us();
	TRY(ask(x, &size, f));
	double s = (double)(clock_mono_us() - from) / 1e6;
	TRY(process_cpu_us(x->tree.ca, &after, f));
	if (x->b->progress)
		fprintf(stderr, "a CRL of %zu entries, %llu bytes, took %.3f s; scan, DER and signature alone %.3f s\n",
			x->b->certificates, (unsigned long long)size, s, limit);
	r->runs[r->n_runs++] = (struct sample){.per_s = n / s,
					       .limit_per_s = n / limit,
					       .p50_ms = s * 1000,
					       .p99_ms = s * 1000,
					       .cpu_us = (double)(after - before) / n,
					       .peers = {(double)x->peer_entries / peer}};
	return memory_read(x->tree.ca, &r->ca, f);
}

static enum err run_all(struct crls *x, struct report *ret, struct fault *f)
{
	struct row *r = &ret->rows[ret->n_rows++];
	snprintf(r->name, sizeof(r->name), "crl");
	r->peers[0] = "openssl-ca";
	TRY(make_signer(x, f));
	TRY(make_peer(x, f));
	for (unsigned i = 0; i < x->b->runs; i++)
		TRY(run_once(x, r, f));
	struct program *p = &ret->programs[ret->n_programs++];
	snprintf(p->name, sizeof(p->name), "hufu-ca");
	p->idle = x->tree.idle_ca;
	p->loaded = r->ca;
	return OK;
}

enum err crls_run(const struct bench_run *b, const struct old_ca *ca, struct report *ret, struct fault *f)
{
	struct crls x = {.b = b, .ca = ca};
	enum err e = run_all(&x, ret, f);
	crls_done(&x);
	return e;
}

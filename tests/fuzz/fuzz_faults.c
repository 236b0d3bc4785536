/*
 * One certificate through the whole signer, from the RA's nng client to the ledger, while calls of libcrypto, SQLite, nng
 * and of SQLite to the kernel fail where the input says: pairs of octets, each so many calls after the last. Whatever
 * fails, nothing crashes, no certificate is answered that the ledger has no row of, the ledger's check holds, and once
 * nothing fails any more the same tally gives one certificate, the one that was answered.
 *
 * Calls that fail are those from this project's own code, whose failure it must see: the linker wraps them (meson.build
 * lists them). Not among them are those that fail for want of memory alone, after which the signer ends at once, as
 * when its own memory ends: tests/crash/faults.c lets memory end in the real programs.
 */
#include "tests/fuzz/as_file.h"

#include "tests/unit/ca_fixture.h"

#include "ca/ledger_check.h"
#include "common/base/file.h"
#include "common/rpc/server.h"

#include <errno.h>
#include <nng/nng.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

/* --- when --- */

#define CALLS_AT_ONCE 3
#define TIMEOUT_MS 2000u

static struct {
	atomic_bool armed;
	atomic_uint calls; /* since it was armed */
	unsigned at[CALLS_AT_ONCE];
	size_t n;
} plan;

static void plan_read(const uint8_t *data, size_t size)
{
	unsigned last = 0;
	for (plan.n = 0; plan.n < CALLS_AT_ONCE && 2 * plan.n + 1 < size; plan.n++)
		plan.at[plan.n] = last += 1 + (data[2 * plan.n] | (unsigned)(data[2 * plan.n + 1] & 3) << 8);
	atomic_store(&plan.calls, 0);
}

static bool fails(void)
{
	if (!atomic_load(&plan.armed))
		return false;
	unsigned call = atomic_fetch_add(&plan.calls, 1) + 1;
	for (size_t i = 0; i < plan.n; i++) {
		if (plan.at[i] == call)
			return true;
	}
	return false;
}

/* --- what --- */

#define CALL(type, name, bad, params, args)                                                                            \
	type __real_##name params;                                                                                     \
	type __wrap_##name params;                                                                                     \
	type __wrap_##name params                                                                                      \
	{                                                                                                              \
		return fails() ? (bad) : __real_##name args;                                                           \
	}

CALL(int, EVP_DigestVerify, -1, (EVP_MD_CTX * c, const unsigned char *s, size_t sn, const unsigned char *p, size_t n),
     (c, s, sn, p, n))
CALL(int, EVP_DigestVerifyInit_ex, 0,
     (EVP_MD_CTX * c, EVP_PKEY_CTX **k, const char *m, OSSL_LIB_CTX *l, const char *q, EVP_PKEY *key,
      const OSSL_PARAM p[]),
     (c, k, m, l, q, key, p))
CALL(EVP_PKEY_CTX *, EVP_PKEY_CTX_new_from_pkey, NULL, (OSSL_LIB_CTX * l, EVP_PKEY *k, const char *q), (l, k, q))
CALL(int, EVP_PKEY_sign_init, 0, (EVP_PKEY_CTX * c), (c))
CALL(int, EVP_PKEY_sign, 0, (EVP_PKEY_CTX * c, unsigned char *s, size_t *sn, const unsigned char *p, size_t n),
     (c, s, sn, p, n))
CALL(int, EVP_PKEY_fromdata_init, 0, (EVP_PKEY_CTX * c), (c))
CALL(int, EVP_PKEY_fromdata, 0, (EVP_PKEY_CTX * c, EVP_PKEY **k, int s, OSSL_PARAM p[]), (c, k, s, p))
CALL(int, EC_POINT_oct2point, 0, (const EC_GROUP *g, EC_POINT *q, const unsigned char *p, size_t n, BN_CTX *c),
     (g, q, p, n, c))
CALL(X509_EXTENSION *, d2i_X509_EXTENSION, NULL, (X509_EXTENSION * *e, const unsigned char **p, long n), (e, p, n))
CALL(void *, X509V3_EXT_d2i, NULL, (X509_EXTENSION * e), (e))

CALL(int, sqlite3_prepare_v3, SQLITE_NOMEM,
     (sqlite3 * db, const char *sql, int n, unsigned flags, sqlite3_stmt **s, const char **tail),
     (db, sql, n, flags, s, tail))
CALL(int, sqlite3_bind_int64, SQLITE_NOMEM, (sqlite3_stmt * s, int i, sqlite3_int64 v), (s, i, v))
CALL(int, sqlite3_bind_blob64, SQLITE_TOOBIG,
     (sqlite3_stmt * s, int i, const void *p, sqlite3_uint64 n, void (*fn)(void *)), (s, i, p, n, fn))
CALL(int, sqlite3_bind_text64, SQLITE_NOMEM,
     (sqlite3_stmt * s, int i, const char *p, sqlite3_uint64 n, void (*fn)(void *), unsigned char e),
     (s, i, p, n, fn, e))

/* A transaction can always be given up: SQLite does that in memory. */
int __real_sqlite3_step(sqlite3_stmt *s);
int __wrap_sqlite3_step(sqlite3_stmt *s);
int __wrap_sqlite3_step(sqlite3_stmt *s)
{
	bool undo = strncmp(sqlite3_sql(s), "ROLLBACK", 8) == 0 || strncmp(sqlite3_sql(s), "RELEASE", 7) == 0;
	return !undo && fails() ? SQLITE_IOERR : __real_sqlite3_step(s);
}

CALL(int, nng_ctx_open, NNG_ENOMEM, (nng_ctx * c, nng_socket s), (c, s))
CALL(int, nng_aio_alloc, NNG_ENOMEM, (nng_aio * *a, void (*fn)(void *), void *arg), (a, fn, arg))
CALL(int, nng_msg_alloc, NNG_ENOMEM, (nng_msg * *m, size_t n), (m, n))
CALL(int, nng_msg_append, NNG_ENOMEM, (nng_msg * m, const void *p, size_t n), (m, p, n))

/* What was sent or received is lost, and so is what it was kept in. */
int __real_nng_aio_result(nng_aio *a);
int __wrap_nng_aio_result(nng_aio *a);
int __wrap_nng_aio_result(nng_aio *a)
{
	int rv = __real_nng_aio_result(a);
	nng_msg *msg = rv == 0 ? nng_aio_get_msg(a) : NULL;
	if (rv != 0 || !msg || !fails())
		return rv;
	nng_msg_free(msg);
	nng_aio_set_msg(a, NULL);
	return NNG_ECONNRESET;
}

/* SQLite's own calls to the kernel: the database's write and read. */
static ssize_t pwrite_or_not(int fd, const void *p, size_t n, off_t at)
{
	if (!fails())
		return pwrite(fd, p, n, at);
	errno = ENOSPC;
	return -1;
}

static ssize_t pread_or_not(int fd, void *p, size_t n, off_t at)
{
	if (!fails())
		return pread(fd, p, n, at);
	errno = EIO;
	return -1;
}

static void wrap_kernel(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	must(vfs && vfs->iVersion >= 3);
	must(vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)pwrite_or_not) == SQLITE_OK);
	must(vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)pwrite_or_not) == SQLITE_OK);
	must(vfs->xSetSystemCall(vfs, "pread", (sqlite3_syscall_ptr)pread_or_not) == SQLITE_OK);
	must(vfs->xSetSystemCall(vfs, "pread64", (sqlite3_syscall_ptr)pread_or_not) == SQLITE_OK);
}

/* --- one certificate --- */

struct desk {
	struct fx *x;
	char path[64];
	struct rpc_server *server;
	struct rpc_client *client;
};

static void desk_open(struct desk *d)
{
	struct fault f = {0};
	snprintf(d->path, sizeof(d->path), "%s/ra.sock", d->x->dir);
	struct rpc_server_config c = {.path = d->path,
				      .mode = 0600,
				      .max_request = WIRE_MAX_RA_REQUEST,
				      .workers = 2,
				      .handle = signer_handle_ra,
				      .defer = signer_defer_ra,
				      .gathered = signer_gathered_ra,
				      .gather = SIGNER_GATHER,
				      .arg = d->x->signer};
	must(rpc_server_start(&c, &d->server, &f) == OK);
	must(rpc_client_open(d->path, TIMEOUT_MS, WIRE_MAX_MESSAGE, &d->client, &f) == OK);
}

static void desk_close(struct desk *d)
{
	rpc_client_close(d->client);
	rpc_server_stop(d->server);
}

/* The answer; OK: *ret_der is the certificate. */
static enum err ask(struct desk *d, const struct buf *request, struct buf *ret_der)
{
	_cleanup_buf_ struct buf reply = {0};
	struct wire_done done = {0};
	struct fault f = {0};
	enum err e = rpc_call(d->client, buf_slice(request), &reply, &f);
	if (e == OK)
		e = wire_expect(buf_slice(&reply), WIRE_TYPE_DONE, NULL, &f);
	if (e == OK)
		e = wire_done_get(buf_slice(&reply), &done, &f);
	if (e == OK)
		buf_add_slice(ret_der, done.cert);
	else
		must(f.kind == e && f.rule[0]);
	return e;
}

static void make_request(struct fx *x, struct buf *ret)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf note = {0};
	fx_extend(x, ORG_P256, &t);
	fx_note(x, &t, ORG_P256, KEY_NEW, BY_SUB | BY_RA, &note);
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&note)}, ret);
}

/* The signer's certificate, and in its ledger. */
static void check_certificate(struct fx *x, struct slice der)
{
	_cleanup_(cert_done) struct cert c = {0};
	struct cert_ref ref = {0};
	struct ledger_cert row;
	must(cert_parse(der, &c, NULL) == OK && cert_verify_by(&c, &x->signer->issuer, NULL) == OK);
	ref.serial = c.serial;
	memcpy(ref.issuer_key_id, x->signer->issuer.key.key_id, 20);
	fx_ledger_cert(x, &ref, &row);
	must(row.state == CERT_GOOD && row.entry != LEDGER_NONE);
}

static void check_ledger(struct fx *x, uint64_t issued)
{
	_cleanup_(freep) char *path = path_join(x->dir, "ledger.db");
	struct ledger_report report;
	must(ledger_check(path, &report, NULL) == OK && report.issued == issued && report.open_intents == 0);
}

/* Keys are made before the clock of the first input runs. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	for (enum fx_key k = 0; k < KEYS_N; k++)
		(void)fx_key(k);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf request = {0}, first = {0}, again = {0};
	static bool begun;
	if (!begun) {
		wrap_kernel();
		setenv("TMPDIR", fuzz_folder(), 1);
	}
	begun = true;
	struct desk d = {.x = fx_new(KEY_P256)};
	uint64_t before = fx_count(d.x, WIRE_TYPE_E_ISSUED);
	make_request(d.x, &request);
	desk_open(&d);
	plan_read(data, size);
	atomic_store(&plan.armed, true);
	enum err e = ask(&d, &request, &first);
	desk_close(&d); /* what is under way ends before nothing fails any more */
	atomic_store(&plan.armed, false);
	if (size == 0)
		printf("%u calls that may fail\n", atomic_load(&plan.calls));
	uint64_t issued = fx_count(d.x, WIRE_TYPE_E_ISSUED);
	must(issued == before + 1 || (e != OK && issued == before));
	if (e == OK)
		check_certificate(d.x, buf_slice(&first));
	fx_restart(d.x, true);
	desk_open(&d);
	must(ask(&d, &request, &again) == OK);
	desk_close(&d);
	check_certificate(d.x, buf_slice(&again));
	must(e != OK || slice_eq(buf_slice(&first), buf_slice(&again)));
	check_ledger(d.x, before + 1);
	fx_free(d.x);
	return 0;
}

/*
 * Each call that the signer makes of SQLite, of libcrypto where that may refuse, and of the disk fails once, in its turn: the first, the second, and so on to the last
 * of what a request, a start or a look at the file needs. Whatever fails, nobody hears a yes that is not so, and asked again the same thing is done, once.
 *
 * The calls are those of this program: it defines them and hands on to the libraries' own, so what the libraries call by themselves of libc fails too.
 */
#include "ca_fixture.h"

#include "ca/ledger_check.h"
#include "common/base/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/asn1t.h>
#include <openssl/x509v3.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- which call fails --- */

static atomic_uint to_come; /* 0: none fails */

static const char *_Atomic failed_call; /* the last one */

static bool fails(const char *name)
{
	unsigned n = atomic_load(&to_come);
	while (n > 0 && !atomic_compare_exchange_weak(&to_come, &n, n - 1))
		;
	if (n != 1)
		return false;
	atomic_store(&failed_call, name);
	return true;
}

static void arm(unsigned nth)
{
	atomic_store(&to_come, nth);
}

/* Did it happen? */
static bool disarm(void)
{
	return atomic_exchange(&to_come, 0) == 0;
}

#define FAILING(type, name, parameters, arguments, failure)                                                            \
	type name parameters                                                                                           \
	{                                                                                                              \
		static type(*_Atomic real) parameters;                                                                 \
		if (fails(#name))                                                                                      \
			return failure;                                                                                \
		if (!real)                                                                                             \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                                                     \
		return real arguments;                                                                                 \
	}
#define DISK_FULL (errno = ENOSPC, -1)

FAILING(int, sqlite3_step, (sqlite3_stmt * s), (s), SQLITE_IOERR)
FAILING(int, sqlite3_prepare_v3,
	(sqlite3 * db, const char *sql, int n, unsigned flags, sqlite3_stmt **ret, const char **tail),
	(db, sql, n, flags, ret, tail), SQLITE_NOMEM)
FAILING(int, sqlite3_bind_blob64, (sqlite3_stmt * s, int i, const void *p, sqlite3_uint64 n, void (*life)(void *)),
	(s, i, p, n, life), SQLITE_NOMEM)
FAILING(int, sqlite3_exec,
	(sqlite3 * db, const char *sql, int (*fn)(void *, int, char **, char **), void *arg, char **text),
	(db, sql, fn, arg, text), SQLITE_IOERR)
FAILING(int, sqlite3_open_v2, (const char *path, sqlite3 **ret, int flags, const char *vfs), (path, ret, flags, vfs),
	SQLITE_CANTOPEN)
FAILING(int, EVP_PKEY_sign, (EVP_PKEY_CTX * c, unsigned char *sig, size_t *n, const unsigned char *in, size_t in_n),
	(c, sig, n, in, in_n), 0)
FAILING(int, EVP_DigestSign, (EVP_MD_CTX * c, unsigned char *sig, size_t *n, const unsigned char *in, size_t in_n),
	(c, sig, n, in, in_n), 0)
FAILING(X509_EXTENSION *, d2i_X509_EXTENSION, (X509_EXTENSION * *to, const unsigned char **p, long n), (to, p, n), NULL)
FAILING(int, i2d_X509_EXTENSION, (const X509_EXTENSION *e, unsigned char **p), (e, p), -1)
FAILING(void *, X509V3_EXT_d2i, (X509_EXTENSION * e), (e), NULL)
FAILING(X509_EXTENSION *, X509V3_EXT_i2d, (int nid, int critical, void *value), (nid, critical, value), NULL)
FAILING(ASN1_VALUE *, ASN1_item_d2i, (ASN1_VALUE * *to, const unsigned char **p, long n, const ASN1_ITEM *it),
	(to, p, n, it), NULL)
FAILING(int, fsync, (int fd), (fd), DISK_FULL)
FAILING(int, fdatasync, (int fd), (fd), DISK_FULL)
FAILING(int, rename, (const char *from, const char *to), (from, to), DISK_FULL)
FAILING(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), DISK_FULL)
FAILING(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), (errno = EIO, -1))

/* --- a signer, and a place for each thing that is asked --- */

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

#define RENEWALS 20
static void many_renewals(struct fx *x)
{
	fx_replace(fx_file(x, "profiles/organisation.yaml"), "renewal_times: 3", "renewal_times: 20");
}

static struct fx *new_signer(void)
{
	struct fx *x = fx_new_at(KEY_P256, NOW, many_renewals);
	log_set_level(0); /* each fault has its line, and is told below by what was answered */
	return x;
}

/* As the daemon does: it ends when the ledger's file has failed, and starts anew; else what is left open is finished. */
static void recover(struct fx *x)
{
	if (ledger_broken(x->ledger))
		fx_restart(x, true);
	signer_finish(x->signer);
}

static unsigned step(void)
{
	const char *run_all = getenv("HUFU_LONG");
	return run_all && strcmp(run_all, "1") == 0 ? 1 : 7; /* else each seventh call, and other ones for each kind */
}

/* --- tallies --- */

typedef void make_fn(struct fx *x, enum fx_which org, struct tally *t);
struct kind {
	const char *what;
	make_fn *make;
	enum fx_which org;
	enum fx_key key;
	unsigned who;
	enum wire_type entry;
};
static const struct kind kinds[] = {
	{"extend", fx_extend, ORG_P256, KEY_OF_P256, BY_RA | BY_SUB, WIRE_TYPE_E_ISSUED},
	{"extend with a new key", fx_rekey, ORG_RSA, KEY_NEW, BY_RA | BY_SUB | BY_NEW | BY_ALICE, WIRE_TYPE_E_ISSUED},
	{"change", fx_change, ORG_P256, KEY_OF_P256, BY_RA | BY_SUB | BY_OFFICERS, WIRE_TYPE_E_ISSUED},
	{"enrol", fx_enrol, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS, WIRE_TYPE_E_ISSUED},
	{"reissue", fx_reissue, ORG_P256, KEY_NEW, BY_RA | BY_NEW | BY_OFFICERS | BY_CAROL, WIRE_TYPE_E_ISSUED},
	{"responder", fx_responder, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW, WIRE_TYPE_E_ISSUED},
	{"revoke", fx_revoke, ORG_P256, KEY_OF_P256, BY_RA | BY_SUB, WIRE_TYPE_E_REVOKED},
	{"hold", fx_hold, ORG_RSA, KEY_OF_RSA, BY_RA, WIRE_TYPE_E_HELD},
};

/* One tally, asked again and again with a later call that fails, until nothing does. */
static void one_kind(const struct kind *k, unsigned first)
{
	_cleanup_(fx_freep) struct fx *x = new_signer();
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf note = {0}, csr = {0}, cert = {0};
	uint64_t before = fx_count(x, k->entry);
	bool hit = true;
	unsigned n = first, yes = 0;
	k->make(x, k->org, &t);
	fx_note(x, &t, k->org, k->key, k->who, &note);
	if (t.has_key && t.key_is_new)
		fx_csr(k->key, &csr);
	for (; hit; n += step()) {
		_cleanup_(fx_answer_done) struct fx_answer a = {0};
		arm(n);
		fx_send(x, false, &note, csr.len ? &csr : NULL, &a);
		hit = disarm();
		recover(x);
		uint64_t done = fx_count(x, k->entry) - before;
		if (done > 1 || (a.kind == OK && done != 1))
			fail_msg("%s, call %u, %s, fails: answered %s, entries %llu", k->what, n, failed_call,
				 err_word(a.kind), (unsigned long long)done);
		if (a.kind != OK && !hit)
			fail_msg("%s, none of %u calls fails: %s, rule \"%s\": %s", k->what, n, err_word(a.kind),
				 a.f.rule, a.f.text);
		if (a.kind == OK && yes++ > 0)
			assert_true(slice_eq(buf_slice(&cert), a.done.cert));
		if (a.kind == OK && yes == 1)
			buf_add_slice(&cert, a.done.cert);
	}
	assert_true(n > first + step()); /* something did fail */
	assert_int_equal(fx_count(x, k->entry), before + 1);
}

static void test_a_tally_is_answered_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		one_kind(&kinds[i], 1 + (unsigned)i % step());
}

/* A change that is new each time: what fails late is reached, too. Refused or lost, it is there when it is asked again; one of it. */
static void test_a_lost_answer_comes_again(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = new_signer();
	bool hit = true;
	unsigned made = 0;
	for (unsigned n = 1; hit; n += step()) {
		if (made == RENEWALS) { /* this key has been certified often enough */
			fx_free(x);
			x = new_signer();
			made = 0;
		}
		_cleanup_(tally_done) struct tally t = {0};
		_cleanup_(fx_answer_done) struct fx_answer a = {0}, again = {0};
		_cleanup_buf_ struct buf note = {0};
		uint64_t before = fx_count(x, WIRE_TYPE_E_ISSUED);
		_cleanup_(name_done) struct name subject = {0};
		fx_change(x, ORG_P256, &t);
		fx_subject_name(x, ORG_P256, &subject);
		fx_subject(&t, &subject, ++made % 2 ? NEW_NAME : "杭州田谷", NEW_CODE);
		fx_note(x, &t, ORG_P256, KEY_NEW, BY_RA | BY_SUB | BY_OFFICERS, &note);
		arm(n);
		fx_send(x, false, &note, NULL, &a);
		hit = disarm();
		recover(x);
		fx_send(x, false, &note, NULL, &again);
		check_done("asked again", &again);
		if (a.kind == OK)
			assert_true(slice_eq(a.done.cert, again.done.cert));
		assert_int_equal(fx_count(x, WIRE_TYPE_E_ISSUED), before + 1);
		fx_follow(x, ORG_P256, &again, KEY_OF_P256);
	}
}

/* --- other messages --- */

static void ask_crl(struct fx *x, struct buf *ret)
{
	struct wire_crl m = {.shard = WIRE_FULL_CRL};
	memcpy(m.issuer, x->signer->issuer.key.key_id, 20);
	wire_crl_put(&m, ret);
}

static void ask_entries(struct fx *x, struct buf *ret)
{
	(void)x;
	wire_follow_put(&(struct wire_follow){.from = 2, .max = 1024}, ret);
}

static void ask_feed(struct fx *x, struct buf *ret)
{
	(void)x;
	wire_feed_put(&(struct wire_feed){.from = 2, .max = 1024}, ret);
}

static void ask_tile(struct fx *x, struct buf *ret)
{
	(void)x;
	wire_tile_put(&(struct wire_tile){.width = 5}, ret);
}

static void ask_health(struct fx *x, struct buf *ret)
{
	(void)x;
	wire_health_put(&(struct wire_health){0}, ret);
}

static void ask_ended(struct fx *x, struct buf *ret)
{
	(void)x;
	wire_ended_put(&(struct wire_ended){0}, ret);
}

static uint8_t issued_tally[TALLY_ID];

static void ask_receipt(struct fx *x, struct buf *ret)
{
	struct wire_receipt m;
	(void)x;
	memcpy(m.tally, issued_tally, TALLY_ID);
	wire_receipt_put(&m, ret);
}

static void show_checkpoint(struct fx *x, struct buf *ret)
{
	_cleanup_buf_ struct buf note = {0};
	struct checkpoint c;
	struct fault f = {0};
	must("checkpoint", ledger_checkpoint(x->ledger, &c, &note, &f), &f);
	must("beat", signer_beat(x->signer, &f), &f); /* so that it is of before */
	wire_seen_put(&(struct wire_seen){.checkpoint = buf_slice(&note)}, ret);
}

static void next_roster(struct fx *x, struct buf *ret)
{
	_cleanup_buf_ struct buf note = {0};
	fx_roster_note(x, 2, true, x->signer->heads->roster.sha256, 2, BY_OFFICERS, &note);
	wire_roster_put(&(struct wire_roster){.note = buf_slice(&note)}, ret);
}

static void next_policy(struct fx *x, struct buf *ret)
{
	_cleanup_buf_ struct buf note = {0};
	struct wire_policy m = {0};
	fx_policy_note(x, 0, x->signer->heads->now.policy->note.sha256, 2, BY_OFFICERS, &note);
	m.note = buf_slice(&note);
	for (size_t i = 0; i < x->n_files; i++) {
		wire_list_add(&m.files, slice_str(x->files[i].path));
		wire_list_add(&m.files, buf_slice(&x->files[i].bytes));
	}
	wire_policy_put(&m, ret);
	wire_policy_done(&m);
}

static void adopt_late(struct fx *x, struct buf *ret)
{
	fx_adopt_request(x, ORG_LATE, ORG_LATE, BY_OFFICERS, NULL, ret);
}

struct message {
	const char *what;
	void (*put)(struct fx *x, struct buf *ret);
	bool by_operator;
	enum wire_type answer, entry; /* entry: what it adds; E_BEAT: nothing */
};
static const struct message messages[] = {
	{"crl", ask_crl, false, WIRE_TYPE_CRL_IS, WIRE_TYPE_E_CRL},
	{"entries", ask_entries, false, WIRE_TYPE_ENTRIES, WIRE_TYPE_E_BEAT},
	{"feed", ask_feed, false, WIRE_TYPE_FEED_IS, WIRE_TYPE_E_BEAT},
	{"tile", ask_tile, false, WIRE_TYPE_TILE_IS, WIRE_TYPE_E_BEAT},
	{"health", ask_health, false, WIRE_TYPE_HEALTH_IS, WIRE_TYPE_E_BEAT},
	{"receipt", ask_receipt, false, WIRE_TYPE_RECEIPT_IS, WIRE_TYPE_E_BEAT},
	{"checkpoint", show_checkpoint, false, WIRE_TYPE_OK, WIRE_TYPE_E_BEAT},
	{"ended", ask_ended, true, WIRE_TYPE_ENDED_IS, WIRE_TYPE_E_BEAT},
	{"policy", next_policy, true, WIRE_TYPE_OK, WIRE_TYPE_E_POLICY},
	{"roster", next_roster, true, WIRE_TYPE_OK, WIRE_TYPE_E_ROSTER},
	{"adoption", adopt_late, true, WIRE_TYPE_ADOPT_IS, WIRE_TYPE_E_ADOPTED},
};

/* A certificate that was issued, one that is revoked: something to tell of. */
static void live(struct fx *x)
{
	_cleanup_(tally_done) struct tally t = {0}, u = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0}, b = {0};
	fx_change(x, ORG_P256, &t);
	memcpy(issued_tally, t.id, TALLY_ID);
	fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA | BY_SUB | BY_OFFICERS, &a);
	check_done("change", &a);
	fx_follow(x, ORG_P256, &a, KEY_OF_P256);
	fx_revoke(x, ORG_P256, &u);
	fx_ask(x, &u, ORG_P256, KEY_NEW, BY_RA | BY_SUB, &b);
	check_done("revoke", &b);
}

/* The same message again and again, as for a tally. A yes is the very answer that is asked for; what it adds is added once. */
static void one_message(struct fx *x, const struct message *m, unsigned first)
{
	_cleanup_buf_ struct buf request = {0};
	bool hit = true, adds = m->entry != WIRE_TYPE_E_BEAT;
	unsigned n = first;
	m->put(x, &request);
	uint64_t before = fx_count(x, m->entry);
	for (; hit; n += step()) {
		_cleanup_buf_ struct buf reply = {0};
		struct fault f = {0};
		arm(n);
		enum err e = m->by_operator ? fx_operator(x, &request, m->answer, &reply, &f)
					    : fx_ra(x, &request, m->answer, &reply, &f);
		hit = disarm();
		recover(x);
		uint64_t added = fx_count(x, m->entry) - before;
		if (added > adds || (e == OK && adds && added == 0 && m->entry != WIRE_TYPE_E_ADOPTED))
			fail_msg("%s, call %u, %s, fails: answered %s, entries %llu", m->what, n, failed_call,
				 err_word(e), (unsigned long long)added);
		if (e != OK && !hit && added == 0)
			fail_msg("%s, none of %u calls fails: %s, rule \"%s\": %s", m->what, n, err_word(e), f.rule,
				 f.text);
	}
	if (n == first + step())
		fail_msg("%s: no call was made that could fail", m->what);
	assert_int_equal(fx_count(x, m->entry) - before, adds);
}

static void test_other_messages(void **state)
{
	_cleanup_(fx_freep) struct fx *x = new_signer();
	(void)state;
	live(x);
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		one_message(x, &messages[i], 1);
}

/* A roster that was recorded and could not be read then is in force a beat later: tallies are judged by it. */
static void test_heads_are_read_later(void **state)
{
	_cleanup_(fx_freep) struct fx *x = new_signer();
	bool hit = true;
	unsigned late = 0;
	(void)state;
	for (unsigned n = 1; hit; n++) {
		_cleanup_buf_ struct buf note = {0}, request = {0}, reply = {0};
		_cleanup_(tally_done) struct tally t = {0};
		_cleanup_(fx_answer_done) struct fx_answer a = {0};
		const struct heads *h = x->signer->heads;
		const uint8_t target[TALLY_ID] = {(uint8_t)n, (uint8_t)(n >> 8)};
		uint64_t before = fx_count(x, WIRE_TYPE_E_ROSTER);
		struct fault f = {0};
		fx_roster_note(x, h->roster.version + 1, true, h->roster.sha256, 2, BY_OFFICERS, &note);
		wire_roster_put(&(struct wire_roster){.note = buf_slice(&note)}, &request);
		arm(n);
		enum err e = fx_operator(x, &request, WIRE_TYPE_OK, &reply, &f);
		hit = disarm();
		recover(x);
		if (e == OK || fx_count(x, WIRE_TYPE_E_ROSTER) == before)
			continue;
		late++;
		must("beat", signer_beat(x->signer, &f), &f);
		fx_withdraw(x, target, &t);
		fx_ask(x, &t, ORG_P256, KEY_NEW, BY_RA, &a);
		check_done(failed_call, &a);
	}
	assert_true(late > 0);
}

/* --- a start, and looks at the file from outside --- */

static void test_a_start_is_whole_or_none(void **state)
{
	_cleanup_(fx_freep) struct fx *x = new_signer();
	struct fault f = {0};
	bool hit = true;
	(void)state;
	live(x);
	uint64_t size = ledger_size(x->ledger);
	for (unsigned n = 1; hit; n += step()) {
		struct ca_key *key = atomic_exchange(&x->signer->key, NULL);
		signer_freep(&x->signer);
		ledger_closep(&x->ledger);
		arm(n);
		enum err e = ledger_open(x->dir, false, &x->ledger, &f);
		if (e == OK)
			e = signer_new(&x->config, x->ledger, &x->signer, &f);
		hit = disarm();
		if (e != OK && !hit)
			fail_msg("none of %u calls fails: %s, rule \"%s\": %s", n, err_word(e), f.rule, f.text);
		if (e != OK) {
			ledger_closep(&x->ledger);
			must("ledger", ledger_open(x->dir, false, &x->ledger, &f), &f);
			must("signer", signer_new(&x->config, x->ledger, &x->signer, &f), &f);
		}
		must("key", signer_take_key(x->signer, key, &f), &f);
		assert_int_equal(ledger_size(x->ledger), size);
	}
}

enum look { LOOK_CHECK, LOOK_CA, LOOK_PROVE, LOOK_BACKUP, LOOK_N };

static enum err look_at(enum look which, const char *path, const char *to, uint64_t size, struct fault *f)
{
	_cleanup_buf_ struct buf proof = {0};
	struct ledger_report report;
	uint8_t ca[20];
	switch (which) {
	case LOOK_CHECK:
		TRY(ledger_check(path, &report, f));
		assert_int_equal(report.size, size);
		return OK;
	case LOOK_CA:
		return ledger_file_ca(path, ca, f);
	case LOOK_PROVE:
		return ledger_file_prove(path, 3, size, &proof, f);
	case LOOK_BACKUP:
		(void)unlink(to);
		TRY(ledger_file_backup(path, to, f));
		return ledger_check(to, &report, f);
	case LOOK_N:
		break;
	}
	return OK;
}

static void test_looks_at_the_file(void **state)
{
	_cleanup_(fx_freep) struct fx *x = new_signer();
	_cleanup_(freep) char *path = path_join(x->dir, "ledger.db"), *to = path_join(x->dir, "copy.db");
	(void)state;
	live(x);
	for (enum look i = 0; i < LOOK_N; i++) {
		bool hit = true;
		for (unsigned n = 1; hit; n += step()) {
			struct fault f = {0};
			arm(n);
			enum err e = look_at(i, path, to, ledger_size(x->ledger), &f);
			hit = disarm();
			if (e != OK && !hit)
				fail_msg("look %d, none of %u calls fails: %s: %s", i, n, f.rule, f.text);
			assert_false(ledger_broken(x->ledger));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tally_is_answered_once), cmocka_unit_test(test_a_lost_answer_comes_again),
		cmocka_unit_test(test_other_messages),		 cmocka_unit_test(test_a_start_is_whole_or_none),
		cmocka_unit_test(test_looks_at_the_file),	 cmocka_unit_test(test_heads_are_read_later),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}

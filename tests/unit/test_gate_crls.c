/*
 * The CRLs of a real signer in a gate's hands: each stands for its own scope alone, the newer replaces the older, and what the desk may have
 * made of one is refused.
 */
#include "tests/unit/gate_kit.h"

#include "ca/crl.h"
#include "ra/gate/root_crl.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the disk: this program's calls of libc come by here --- */

static bool disk_full;
static bool name_flushed; /* the folder was, behind the last rename */

int fsync(int fd)
{
	static int (*real)(int);
	struct stat st;
	if (disk_full) {
		errno = ENOSPC;
		return -1;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	name_flushed |= fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	return real(fd);
}

int rename(const char *from, const char *to)
{
	static int (*real)(const char *, const char *);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "rename");
	name_flushed = false;
	return real(from, to);
}

static void crl_of(struct fx *x, uint32_t scope, struct buf *ret)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	_cleanup_(wire_crl_is_done) struct wire_crl_is m = {0};
	struct wire_crl ask = {.shard = scope};
	struct fault f = {0};
	memcpy(ask.issuer, x->signer->issuer.key.key_id, 20);
	wire_crl_put(&ask, &request);
	kit_must("crl", fx_ra(x, &request, WIRE_TYPE_CRL_IS, &reply, &f), &f);
	kit_must("get", wire_crl_is_get(buf_slice(&reply), &m, &f), &f);
	buf_add_slice(ret, m.der);
}

static enum err take(struct gate *g, struct crls *c, uint32_t scope, const struct buf *der, struct fault *f)
{
	_cleanup_(freep) char *beside = crls_beside(c, scope);
	kit_must("write", file_write(beside, buf_slice(der), 0600, f), f);
	enum err e = crls_take_file(g, c, scope, beside, f);
	assert_false(file_exists(beside));
	return e;
}

static void remove_files(struct gate *g, const uint32_t *scopes, size_t n)
{
	_cleanup_(freep) char *all = path_join(g->config.state, "crl");
	char hex[41];
	hex_lower(g->issuers[0].ca.cert.key.key_id, 20, hex);
	_cleanup_(freep) char *folder = path_join(all, hex);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *path = scopes[i] == WIRE_FULL_CRL
						      ? path_join(folder, "full.crl")
						      : xasprintf("%s/%u.crl", folder, (unsigned)scopes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(rmdir(all), 0);
}

/* RFC 5280 5.2.5: a shard that is served in the place of another would say of that one's certificates that none is revoked. */
static void test_swapped(void **state)
{
	static const uint32_t scopes[] = {WIRE_FULL_CRL, 0, 1, 11}; /* 11: its name ends like that of 1 */
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = kit_gate(x);
	struct crls *c = NULL;
	struct fault f = {0};
	kit_must("open", crls_open(g, &g->issuers[0].ca.cert, &c, &f), &f);
	for (size_t i = 0; i < 4; i++) {
		_cleanup_buf_ struct buf der = {0};
		crl_of(x, scopes[i], &der);
		for (size_t as = 0; as < 4; as++) {
			struct crl_file file;
			enum err e = take(g, c, scopes[as], &der, &f);
			if (as == i)
				kit_must("own scope", e, &f);
			else if (e != ERR_RULE || strcmp(f.rule, "crl_scope") != 0)
				fail_msg("%zu was taken for %zu", i, as);
			assert_int_equal(crls_open_file(c, scopes[as], &file), as <= i);
			if (as <= i)
				close(file.fd);
		}
	}
	crls_close(c);
	remove_files(g, scopes, 4);
}

/* An older one, a changed one, another CA's, and one whose number the ledger gave to other bytes. */
static void test_hostile(void **state)
{
	static const uint32_t full[] = {WIRE_FULL_CRL};
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256), *other = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = kit_gate(x);
	_cleanup_buf_ struct buf first = {0}, second = {0}, foreign = {0}, changed = {0};
	_cleanup_(tally_done) struct tally hold = {0};
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	struct crls *c = NULL;
	struct fault f = {0};
	kit_must("open", crls_open(g, &g->issuers[0].ca.cert, &c, &f), &f);
	crl_of(x, WIRE_FULL_CRL, &first);
	crl_of(other, WIRE_FULL_CRL, &foreign);
	fx_clock(x, NOW + DAY);
	fx_hold(x, ORG_P256, &hold);
	fx_ask(x, &hold, ORG_P256, KEY_NEW, BY_RA, &a);
	check_done("hold", &a);
	crl_of(x, WIRE_FULL_CRL, &second);
	buf_add_slice(&changed, buf_slice(&second));
	changed.data[changed.len - 1] ^= 1;
	assert_int_not_equal(take(g, c, WIRE_FULL_CRL, &changed, &f), OK);
	assert_int_not_equal(take(g, c, WIRE_FULL_CRL, &foreign, &f), OK);
	kit_must("second", take(g, c, WIRE_FULL_CRL, &second, &f), &f);
	kit_must("again", take(g, c, WIRE_FULL_CRL, &second, &f), &f);
	assert_int_equal(take(g, c, WIRE_FULL_CRL, &first, &f), ERR_RULE);
	assert_string_equal(f.rule, "crl_older");
	crls_close(c);
	remove_files(g, full, 1);
}

/* --- the root's: here the CA is its own root --- */

struct fallen {
	struct fx *x;
	struct crl_entry entry;
	bool is_given;
};

static enum err give_entry(void *arg, struct crl_entry *ret, bool *ret_more, struct fault *f)
{
	struct fallen *w = arg;
	(void)f;
	*ret_more = w->entry.when != 0 && !w->is_given;
	*ret = w->entry;
	w->is_given = true;
	return OK;
}

/* when 0: it revokes nobody. */
static void put_root_crl(struct gate *g, struct fx *x, uint64_t number, int64_t when, unsigned reason)
{
	struct fallen w = {.entry = {.serial = x->signer->issuer.serial, .when = when, .reason = reason}};
	_cleanup_buf_ struct buf der = {0};
	struct fault f = {0};
	uint64_t count = 0;
	const struct crl_build b = {.issuer = &x->signer->issuer,
				    .key = x->signer->key,
				    .number = number,
				    .this_update = NOW,
				    .next_update = NOW + 30 * DAY,
				    .next = give_entry,
				    .arg = &w};
	kit_must("build", crl_build(&b, &der, &count, &f), &f);
	kit_must("put", file_write(g->config.root_crl, buf_slice(&der), 0644, &f), &f);
}

static struct gate *rooted_gate(struct fx *x)
{
	struct gate *g = kit_gate(x);
	struct fault f = {0};
	buf_add_slice(&g->root.der, buf_slice(&g->issuers[0].ca.der));
	kit_must("root", cert_parse(buf_slice(&g->root.der), &g->root.cert, &f), &f);
	g->config.root_crl = path_join(g->config.state, "root.crl");
	return g;
}

static void rooted_done(struct gate *g)
{
	static const uint32_t full[] = {WIRE_FULL_CRL};
	root_crl_close(g);
	unlink(g->config.root_crl);
	remove_files(g, full, 1);
	cert_done(&g->root.cert);
	buf_done(&g->root.der);
}

/* What each state of a certificate becomes below a CA that the root has revoked at NOW - DAY, by that CA's reason. */
static void test_root_revokes(void **state)
{
	static const struct {
		enum gate_state was;
		unsigned reason_was;
		int64_t changed_was;
		unsigned of_ca, reason; /* the CA's reason, and the certificate's */
		int64_t changed;
	} rows[] = {
		{GATE_GOOD, 0, 0, 1, 2, NOW - DAY},
		{GATE_GOOD, 0, 0, 2, 2, NOW - DAY},
		{GATE_GOOD, 0, 0, 5, 5, NOW - DAY},
		{GATE_GOOD, 0, 0, 0, 0, NOW - DAY},
		{GATE_HELD, 6, NOW - 2 * DAY, 1, 2, NOW - DAY},
		{GATE_REVOKED, 4, NOW - 2 * DAY, 1, 4, NOW - 2 * DAY},
		{GATE_REVOKED, 4, NOW - DAY, 1, 4, NOW - DAY},
		{GATE_REVOKED, 4, NOW, 1, 2, NOW - DAY},
	};
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = rooted_gate(x);
	struct fault f = {0};
	kit_must("open", root_crl_open(g, &f), &f); /* without a file */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct gate_row was = {.state = rows[i].was,
					     .reason = (uint8_t)(rows[i].reason_was & 15),
					     .changed = (uint32_t)rows[i].changed_was};
		struct gate_row row = was;
		put_root_crl(g, x, 2 * i + 1, 0, 0);
		kit_must("nobody", root_crl_look(g, &f), &f);
		assert_false(issuer_is_revoked(&g->issuers[0]));
		issuer_bears(&g->issuers[0], &row);
		assert_memory_equal(&row, &was, sizeof(row));
		put_root_crl(g, x, 2 * i + 2, NOW - DAY, rows[i].of_ca);
		kit_must("revoked", root_crl_look(g, &f), &f);
		assert_true(issuer_is_revoked(&g->issuers[0]));
		issuer_bears(&g->issuers[0], &row);
		if (row.state != GATE_REVOKED || row.reason != rows[i].reason || row.changed != rows[i].changed)
			fail_msg("row %zu: state %d, reason %d, changed %u", i, row.state, row.reason, row.changed);
	}
	rooted_done(g);
}

/* An older one brings nobody back; where the newer one cannot be kept, it revokes all the same, and lets nobody go. */
static void test_root_kept(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = rooted_gate(x);
	struct fault f = {0};
	put_root_crl(g, x, 1, 0, 0);
	kit_must("open", root_crl_open(g, &f), &f);
	_cleanup_(freep) char *beside = crls_beside(g->root_crls, WIRE_FULL_CRL);
	assert_int_equal(mkdir(beside, 0700), 0); /* nothing can be written there */
	put_root_crl(g, x, 2, NOW, 1);
	assert_int_equal(root_crl_look(g, &f), ERR_IO);
	assert_true(issuer_is_revoked(&g->issuers[0]));
	put_root_crl(g, x, 3, 0, 0);
	assert_int_equal(root_crl_look(g, &f), ERR_IO);
	assert_true(issuer_is_revoked(&g->issuers[0]));
	assert_int_equal(rmdir(beside), 0);
	put_root_crl(g, x, 4, NOW, 1);
	kit_must("kept", root_crl_look(g, &f), &f);
	put_root_crl(g, x, 3, 0, 0);
	assert_int_equal(root_crl_look(g, &f), ERR_RULE);
	assert_string_equal(f.rule, "crl_older");
	assert_true(issuer_is_revoked(&g->issuers[0]));
	root_crl_close(g); /* another life: the file is the older one still */
	g->issuers[0].revoked = 0;
	kit_must("open", root_crl_open(g, &f), &f);
	assert_true(issuer_is_revoked(&g->issuers[0]));
	put_root_crl(g, x, 5, 0, 0);
	kit_must("released", root_crl_look(g, &f), &f);
	assert_false(issuer_is_revoked(&g->issuers[0]));
	rooted_done(g);
}

/* On a full disk it revokes all the same; and one that was believed is there after a crash too. */
static void test_root_on_disk(void **state)
{
	(void)state;
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_(kit_freep) struct gate *g = rooted_gate(x);
	struct fault f = {0};
	put_root_crl(g, x, 1, 0, 0);
	kit_must("open", root_crl_open(g, &f), &f);
	put_root_crl(g, x, 2, NOW, 1);
	disk_full = true;
	assert_int_equal(root_crl_look(g, &f), ERR_BUSY);
	disk_full = false;
	assert_string_equal(f.rule, "disk_full");
	assert_true(issuer_is_revoked(&g->issuers[0]));
	kit_must("kept", root_crl_look(g, &f), &f);
	assert_true(name_flushed);
	assert_true(issuer_is_revoked(&g->issuers[0]));
	rooted_done(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_root_revokes),
		cmocka_unit_test(test_root_kept),
		cmocka_unit_test(test_root_on_disk),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}

/*
 * The CRLs of a real signer in a gate's hands: each stands for its own scope alone, the newer replaces the older, and what the desk may have
 * made of one is refused.
 */
#include "tests/unit/gate_kit.h"

#include <string.h>
#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_hostile),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}

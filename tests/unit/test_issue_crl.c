/*
 * CRLs of what was revoked, as whoever asks for them gets them.
 */
#include "issue_kit.h"

#include "ca/publish.h"
#include "ca/revoke.h"

#include <pthread.h>
#include <string.h>

/* --- CRLs --- */

static uint64_t get_crl(struct fx *x, uint32_t scope, struct buf *ret_der, struct crl *ret)
{
	struct ledger_crl c;
	struct fault f = {0};
	buf_clear(ret_der);
	if (fx_publish(x, x->signer->issuer.key.key_id, scope, ret_der, &c, &f) != OK)
		fail_msg("crl: %s %s", f.rule, f.text);
	assert_int_equal(crl_parse(buf_slice(ret_der), ret, &f), OK);
	assert_int_equal(crl_verify_by(ret, &x->signer->issuer, &f), OK);
	return c.number;
}

static bool lists(const struct crl *crl, const struct serial *s)
{
	bool found = false;
	int64_t when;
	unsigned reason;
	assert_int_equal(crl_find(crl, s, &found, &when, &reason, NULL), OK);
	return found;
}

static void crl_follows_revocations(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0};
	struct crl crl;
	(void)state;
	goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
	goes(x, "extend", fx_extend, ORG_RSA, KEY_OF_RSA, SAME);
	struct ledger_cert c = row_of(x, ORG_P256), other = row_of(x, ORG_RSA);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	assert_false(lists(&crl, &c.ref.serial));
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	assert_int_equal(get_crl(x, c.shard, &der, &crl), 1);
	goes(x, "revoke", fx_revoke, ORG_P256, KEY_NEW, SAME);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 2);
	assert_true(lists(&crl, &c.ref.serial));
	assert_false(lists(&crl, &other.ref.serial));
	assert_int_equal(crl.next_update, NOW + DAY);
	assert_int_equal(get_crl(x, c.shard, &der, &crl), 2);
	assert_true(lists(&crl, &c.ref.serial));
	assert_int_equal(get_crl(x, (c.shard + 1) % 16, &der, &crl), 1);
	assert_false(lists(&crl, &c.ref.serial));
	/* On schedule, and after a restart from the file. */
	fx_restart(x, true);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 2);
	fx_clock(x, NOW + 3600);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 3);
	/* Held, then released. */
	goes(x, "hold", fx_hold, ORG_RSA, KEY_NEW, BY_RA);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 4);
	assert_true(lists(&crl, &other.ref.serial));
	goes(x, "release", release, ORG_RSA, KEY_NEW, BY_RA | BY_OFFICERS);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 5);
	assert_false(lists(&crl, &other.ref.serial));
	/* On one CRL after the end, and then no more. */
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + DAY);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	assert_true(lists(&crl, &c.ref.serial));
	fx_clock(x, x->orgs[ORG_P256].cert.not_after + 30 * DAY);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	assert_false(lists(&crl, &c.ref.serial));
	assert_int_equal(fx_count(x, WIRE_TYPE_E_CRL), 10);
}

static void keep_longer(struct fx *x, const char *line)
{
	static const char shards[] = "    shards: 16\n";
	struct buf *b = fx_file(x, "profiles/organisation.yaml");
	_cleanup_buf_ struct buf text = {0};
	const char *at = strstr(buf_text(b), shards);
	assert_non_null(at);
	size_t head = (size_t)(at - buf_text(b)) + strlen(shards);
	buf_add(&text, b->data, head);
	buf_str(&text, line);
	buf_str(&text, buf_text(b) + head);
	buf_clear(b);
	buf_add_slice(b, buf_slice(&text));
}

static void keep_30_days(struct fx *x)
{
	keep_longer(x, "    expired_days: 30\n");
}

static void keep_for_ever(struct fx *x)
{
	keep_longer(x, "    keep_expired: true\n");
}

/* A policy keeps revoked certificates on CRLs past their end, and says so where it keeps them for ever. */
static void crl_keeps_expired(void **state)
{
	static const struct {
		void (*edit)(struct fx *x);
		int64_t days;
		bool listed, says;
	} rows[] = {{keep_30_days, 29, true, false}, {keep_30_days, 31, false, false},
		    {NULL, 6, true, false},	     {NULL, 8, false, false},
		    {keep_for_ever, 31, true, true}, {keep_for_ever, 2000, true, true}};
	static const uint8_t oid[] = {0x06, 0x03, 0x55, 0x1d, 0x3c, 0x04, 0x11, 0x18, 0x0f};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(fx_freep) struct fx *x = fx_new_at(KEY_P256, NOW, rows[i].edit);
		_cleanup_buf_ struct buf der = {0};
		struct crl crl;
		goes(x, "extend", fx_extend, ORG_P256, KEY_OF_P256, SAME);
		goes(x, "revoke", fx_revoke, ORG_P256, KEY_NEW, SAME);
		struct ledger_cert c = row_of(x, ORG_P256);
		fx_clock(x, c.not_after + rows[i].days * DAY);
		get_crl(x, WIRE_FULL_CRL, &der, &crl);
		if (lists(&crl, &c.ref.serial) != rows[i].listed)
			fail_msg("row %zu", i);
		assert_int_equal(memmem(der.data, der.len, oid, sizeof(oid)) != NULL, rows[i].says);
	}
}

/* A long one comes in pieces; of one that was made anew meanwhile no more is given. */
static void crl_in_pieces(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0}, rest = {0};
	struct wire_crl ask = {.shard = WIRE_FULL_CRL};
	struct ledger_crl c;
	struct fault f = {0};
	struct crl crl;
	uint64_t size;
	(void)state;
	goes(x, "extend", fx_extend, ORG_RSA, KEY_OF_RSA, SAME);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	memcpy(ask.issuer, x->signer->issuer.key.key_id, 20);
	sha256(der.data, der.len, ask.sha256);
	ask.from = 7;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), OK);
	assert_int_equal(size, der.len);
	assert_true(slice_eq(buf_slice(&rest), slice_of(der.data + 7, der.len - 7)));
	ask.from = der.len;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_RULE);
	assert_string_equal(f.rule, "crl_piece");
	ask.from = UINT64_MAX;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_RULE);
	ask.from = 7;
	ask.shard = 3;
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_CONFLICT);
	ask.shard = WIRE_FULL_CRL;
	goes(x, "hold", fx_hold, ORG_RSA, KEY_NEW, BY_RA);
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), OK);
	get_crl(x, WIRE_FULL_CRL, &der, &crl);
	assert_int_equal(publish_crl(x->signer, &ask, &rest, &c, &size, &f), ERR_CONFLICT);
	assert_string_equal(f.rule, "crl_changed");
}

static void crl_while_locked(void **state)
{
	_cleanup_(fx_freep) struct fx *x = fx_new(KEY_P256);
	_cleanup_buf_ struct buf der = {0}, none = {0};
	struct crl crl;
	struct ledger_crl c;
	struct fault f = {0};
	uint8_t other[20] = {1};
	(void)state;
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	fx_restart(x, false);
	fx_clock(x, NOW + 2 * 3600);
	assert_int_equal(get_crl(x, WIRE_FULL_CRL, &der, &crl), 1);
	fx_clock(x, NOW + DAY + 1);
	assert_int_equal(fx_publish(x, x->signer->issuer.key.key_id, WIRE_FULL_CRL, &none, &c, &f), ERR_LOCKED);
	assert_int_equal(fx_publish(x, other, WIRE_FULL_CRL, &none, &c, &f), ERR_NOT_FOUND);
	assert_string_equal(f.rule, "issuer_unknown");
	assert_int_equal(fx_publish(x, x->signer->issuer.key.key_id, 16, &none, &c, &f), ERR_NOT_FOUND);
	assert_string_equal(f.rule, "shard_unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crl_follows_revocations),
		cmocka_unit_test(crl_keeps_expired),
		cmocka_unit_test(crl_in_pieces),
		cmocka_unit_test(crl_while_locked),
	};
	return cmocka_run_group_tests(tests, NULL, group_done);
}

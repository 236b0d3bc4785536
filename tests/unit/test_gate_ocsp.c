/*
 * OCSP answers of a gate that a real signer feeds, in libcrypto's eyes: what is said in each state, by each kind of CA
 * key, how long it holds, and that what is kept never says what is over.
 */
#include "tests/unit/gate_kit.h"

#include "common/pki/sign.h"

#include <openssl/ocsp.h>

struct world {
	struct fx *x;
	struct gate *g;
	X509 *issuer;
	X509_STORE *trust;
};

static void world_done(struct world *w)
{
	X509_free(w->issuer);
	X509_STORE_free(w->trust);
	kit_freep(&w->g);
	fx_freep(&w->x);
}

/* A certificate for the responder's key by that CA, as edge.responder brings it; the responder is opened with it. */
static void certify_responder(struct world *w, struct gate_issuer *of)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_(pubkey_done) struct pubkey public = {0};
	struct fault f = {0};
	char hex[17], ca[17];
	fx_responder(w->x, ORG_P256, &t);
	t.has_issuer = true;
	memcpy(t.issuer, of->ca.cert.key.key_id, 20);
	fx_ask(w->x, &t, ORG_P256, KEY_RESPONDER, BY_RA | BY_NEW, &a);
	check_done("responder", &a);
	kit_must("public", privkey_public(fx_key(KEY_RESPONDER), &public, &f), &f);
	kit_must("check", responder_check(&of->ca.cert, &public, a.done.cert, clock_now(), &f), &f);
	hex_lower(public.spki_sha256, 8, hex);
	hex_lower(t.issuer, 8, ca);
	_cleanup_(freep) char *crt = xasprintf("%s/responder-%s-%s.crt", w->g->config.state, hex, ca);
	kit_must("crt", file_write(crt, a.done.cert, 0600, &f), &f);
	kit_must("open", responder_open(w->g, &of->ca.cert, &of->responder, &f), &f);
	unlink(crt);
}

/* The responder's key into the gate's folder, and a certificate of it by each CA. */
static void give_responder(struct world *w)
{
	_cleanup_(freep) char *path = path_join(w->g->config.state, "ocsp.key");
	_cleanup_buf_ struct buf pem = {0};
	struct fault f = {0};
	kit_must("pem", privkey_to_pem(fx_key(KEY_RESPONDER), &pem, &f), &f);
	kit_must("key", file_write(path, buf_slice(&pem), 0600, &f), &f);
	w->g->config.keys[w->g->config.n_keys++] = xstrdup(path);
	for (size_t i = 0; i < w->g->n_issuers; i++)
		certify_responder(w, &w->g->issuers[i]);
}

/* Whose certificates are asked about, and who is trusted. */
static void ask_about(struct world *w, size_t issuer)
{
	const uint8_t *p = w->g->issuers[issuer].ca.der.data;
	X509_free(w->issuer);
	X509_STORE_free(w->trust);
	w->issuer = d2i_X509(NULL, &p, (long)w->g->issuers[issuer].ca.der.len);
	w->trust = X509_STORE_new();
	assert_non_null(w->issuer);
	X509_STORE_add_cert(w->trust, w->issuer);
	X509_STORE_set_flags(w->trust, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
}

/* The gate of a signer that is there. */
static void world_gate(struct world *w, const struct cert *retired)
{
	w->g = kit_gate(w->x);
	if (retired)
		kit_issuer(w->g, retired->der);
	give_responder(w);
	w->g->ocsp = ocsp_open(w->g);
	ask_about(w, 0);
}

static struct world world_new(enum key_alg alg)
{
	struct world w = {.x = fx_new(alg)};
	world_gate(&w, NULL);
	return w;
}

static void done(struct world *w, const char *what, const struct tally *t, unsigned who)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	fx_ask(w->x, t, ORG_P256, KEY_NEW, who, &a);
	check_done(what, &a);
	if (a.done.cert.n > 0)
		fx_follow(w->x, ORG_P256, &a, KEY_OF_P256);
}

static void extend(struct world *w)
{
	_cleanup_(tally_done) struct tally t = {0};
	fx_extend(w->x, ORG_P256, &t);
	done(w, "extend", &t, BY_SUB | BY_RA);
	kit_beat(w->x);
	kit_follow(w->x, w->g);
}

/* A request as libcrypto makes it. */
struct question {
	const EVP_MD *md;
	const struct serial *serials;
	size_t n;
	int nonce; /* bytes; 0: none */
};

static void make_request(const struct world *w, const struct question *q, struct buf *ret)
{
	OCSP_REQUEST *r = OCSP_REQUEST_new();
	uint8_t *der = NULL;
	for (size_t i = 0; i < q->n; i++) {
		ASN1_INTEGER *serial = ASN1_INTEGER_new();
		BIGNUM *bn = BN_bin2bn(q->serials[i].b, (int)q->serials[i].n, NULL);
		BN_to_ASN1_INTEGER(bn, serial);
		assert_non_null(OCSP_request_add0_id(r, OCSP_cert_id_new(q->md, X509_get_subject_name(w->issuer),
									 X509_get0_pubkey_bitstr(w->issuer), serial)));
		ASN1_INTEGER_free(serial);
		BN_free(bn);
	}
	if (q->nonce > 0)
		assert_int_equal(OCSP_request_add1_nonce(r, NULL, q->nonce), 1);
	int n = i2d_OCSP_REQUEST(r, &der);
	assert_true(n > 0);
	buf_add(ret, der, (size_t)n);
	OPENSSL_free(der);
	OCSP_REQUEST_free(r);
}

/* An answer, taken apart. */
struct told {
	int status, word, reason;
	int64_t this_update, next_update;
	struct ocsp_life life;
	int nonce; /* OCSP_check_nonce() */
	uint8_t sha256[32];
};

static int64_t seconds(const ASN1_GENERALIZEDTIME *t)
{
	struct tm tm;
	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	return timegm(&tm);
}

static struct told ask(struct world *w, const struct question *q)
{
	struct told t = {.word = -1, .reason = -1};
	_cleanup_buf_ struct buf request = {0}, answer = {0};
	make_request(w, q, &request);
	ocsp_answer(w->g->ocsp, buf_slice(&request), &answer, &t.life);
	sha256(answer.data, answer.len, t.sha256);
	const uint8_t *p = answer.data;
	OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)answer.len);
	assert_non_null(r);
	assert_ptr_equal(p, answer.data + answer.len);
	t.status = OCSP_response_status(r);
	if (t.status == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
		OCSP_BASICRESP *b = OCSP_response_get1_basic(r);
		ASN1_GENERALIZEDTIME *revoked, *from, *to;
		p = request.data;
		OCSP_REQUEST *asked = d2i_OCSP_REQUEST(NULL, &p, (long)request.len);
		t.nonce = OCSP_check_nonce(asked, b);
		if (w->x->ca_alg != KEY_SM2) /* OpenSSL 3.0 has no way to say SM2's id here */
			assert_int_equal(OCSP_basic_verify(b, NULL, w->trust, 0), 1);
		assert_int_equal(OCSP_resp_count(b), (int)q->n);
		t.word = OCSP_single_get0_status(OCSP_resp_get0(b, 0), &t.reason, &revoked, &from, &to);
		t.this_update = seconds(from);
		t.next_update = seconds(to);
		OCSP_REQUEST_free(asked);
		OCSP_BASICRESP_free(b);
	}
	OCSP_RESPONSE_free(r);
	return t;
}

static struct told about(struct world *w, const struct serial *serial)
{
	return ask(w, &(struct question){EVP_sha1(), serial, 1, 0});
}

static struct serial current(const struct world *w)
{
	return w->x->orgs[ORG_P256].cert.serial;
}

static void lives(enum key_alg alg)
{
	_cleanup_(world_done) struct world w = world_new(alg);
	struct serial none = {.b = {0x7f}, .n = 1};
	extend(&w);
	struct serial serial = current(&w);
	struct told t = about(&w, &serial);
	assert_int_equal(t.status, 0);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_GOOD);
	assert_true(t.life.cacheable);
	assert_int_equal(t.next_update - t.this_update, 720 * 60);
	_cleanup_(tally_done) struct tally hold = {0}, revoke = {0};
	fx_hold(w.x, ORG_P256, &hold);
	done(&w, "hold", &hold, BY_RA);
	kit_follow(w.x, w.g);
	t = about(&w, &serial);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(t.reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
	fx_revoke(w.x, ORG_P256, &revoke);
	done(&w, "revoke", &revoke, BY_SUB | BY_RA);
	kit_follow(w.x, w.g);
	t = about(&w, &serial);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(t.reason, OCSP_REVOKED_STATUS_SUPERSEDED);
	t = about(&w, &none);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_UNKNOWN);
	assert_false(t.life.cacheable);
}

static void test_p256(void **state)
{
	(void)state;
	lives(KEY_P256);
}
static void test_rsa(void **state)
{
	(void)state;
	lives(KEY_RSA);
}
static void test_sm2(void **state)
{
	(void)state;
	lives(KEY_SM2);
}

/* The same bytes until half of three quarters is over or the state changes; with a nonce, new ones. */
static void test_kept(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serial = current(&w);
	struct told first = about(&w, &serial), again = about(&w, &serial);
	assert_memory_equal(first.sha256, again.sha256, 32);
	assert_int_equal(w.g->counts[COUNT_OCSP_SIGNED], 1);
	assert_int_equal(w.g->counts[COUNT_OCSP_CACHED], 1);
	fx_clock(w.x, NOW + 3600);
	kit_follow(w.x, w.g);
	again = about(&w, &serial);
	assert_memory_equal(first.sha256, again.sha256, 32);
	fx_clock(w.x, NOW + 10 * 3600);
	kit_beat(w.x);
	kit_follow(w.x, w.g);
	again = about(&w, &serial);
	assert_memory_not_equal(first.sha256, again.sha256, 32);
	assert_true(again.this_update >= NOW + 10 * 3600);
	/* by another hash it is another answer, kept by itself */
	struct told by256 = ask(&w, &(struct question){EVP_sha256(), &serial, 1, 0});
	assert_int_equal(by256.word, V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(w.g->counts[COUNT_OCSP_SIGNED], 3);
}

static void test_ahead(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serial = current(&w);
	assert_true(ocsp_ahead(w.g->ocsp) > 0);
	assert_int_equal(about(&w, &serial).word, V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(w.g->counts[COUNT_OCSP_SIGNED], 0);
	assert_int_equal(ocsp_ahead(w.g->ocsp), 0);
	fx_clock(w.x, NOW + 7 * 3600); /* half of its time is over */
	kit_beat(w.x);
	kit_follow(w.x, w.g);
	assert_true(ocsp_ahead(w.g->ocsp) > 0);
}

/* RFC 9654: what comes is echoed, up to its bounds. */
static void test_nonce(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serial = current(&w);
	static const int lengths[] = {1, 16, 32, 128};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct told t = ask(&w, &(struct question){EVP_sha1(), &serial, 1, lengths[i]});
		assert_int_equal(t.word, V_OCSP_CERTSTATUS_GOOD);
		assert_int_equal(t.nonce, 1); /* there, and equal */
		assert_false(t.life.cacheable);
	}
	struct told t = ask(&w, &(struct question){EVP_sha1(), &serial, 1, 129});
	assert_int_equal(t.status, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
}

static void test_several(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serials[3] = {current(&w), {.b = {0x33}, .n = 1}, {.b = {0x34}, .n = 1}};
	struct told t = ask(&w, &(struct question){EVP_sha256(), serials, 3, 16});
	assert_int_equal(t.status, 0);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(t.nonce, 1);
}

/* A silent desk: nothing holds longer than the last beat and a day, then nothing is said. */
static void test_silence(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serial = current(&w);
	int64_t beat = table_head(w.g->table).beat;
	clock_set(beat + 23 * 3600);
	struct told t = about(&w, &serial);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_GOOD);
	assert_true(t.next_update <= beat + 24 * 3600);
	clock_set(beat + 24 * 3600);
	t = about(&w, &serial);
	assert_int_equal(t.status, OCSP_RESPONSE_STATUS_TRYLATER);
	t = ask(&w, &(struct question){EVP_sha1(), &serial, 1, 16});
	assert_int_equal(t.status, OCSP_RESPONSE_STATUS_TRYLATER);
	/* the clock turned back: what is kept is not from the future */
	clock_set(beat);
	t = about(&w, &serial);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_GOOD);
	assert_true(t.this_update <= beat);
}

/* A gate whose clock was set back, or is behind: what the ledger told as revoked is revoked, kept answers or not. */
static void test_clock_back(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	_cleanup_(tally_done) struct tally revoke = {0};
	extend(&w);
	struct serial serial = current(&w);
	fx_clock(w.x, NOW + 3 * 3600);
	assert_int_equal(about(&w, &serial).word, V_OCSP_CERTSTATUS_GOOD);
	fx_revoke(w.x, ORG_P256, &revoke);
	done(&w, "revoke", &revoke, BY_SUB | BY_RA);
	kit_follow(w.x, w.g);
	static const int64_t back[] = {1, 3600, 3 * 3600 - 60};
	for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++) {
		clock_set(NOW + 3 * 3600 - back[i]);
		for (int nonce = 0; nonce <= 16; nonce += 16) {
			struct told t = ask(&w, &(struct question){EVP_sha1(), &serial, 1, nonce});
			assert_int_equal(t.word, V_OCSP_CERTSTATUS_REVOKED);
			assert_true(t.this_update <= clock_now());
		}
	}
}

/* Set forward beyond what an answer holds: it is not given again, and signed anew only as far as the last beat reaches. */
static void test_clock_forward(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serial = current(&w);
	struct told first = about(&w, &serial);
	clock_set(first.next_update + 1);
	struct told t = about(&w, &serial);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_GOOD);
	assert_true(t.this_update > first.next_update);
	assert_true(t.next_update <= table_head(w.g->table).beat + 24 * 3600);
	clock_set(t.next_update);
	assert_int_equal(about(&w, &serial).status, OCSP_RESPONSE_STATUS_TRYLATER);
	assert_int_equal(ocsp_ahead(w.g->ocsp), 0);
}

/* No answer outlives the responder's certificate, and without one there is none. */
static void test_responder_ends(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serial = current(&w);
	fx_clock(w.x, NOW + 7 * DAY - 600);
	kit_beat(w.x);
	kit_follow(w.x, w.g);
	struct told t = about(&w, &serial);
	assert_int_equal(t.word, V_OCSP_CERTSTATUS_GOOD);
	assert_true(t.next_update <= NOW + 7 * DAY + 60);
	fx_clock(w.x, NOW + 7 * DAY + 120);
	kit_beat(w.x);
	kit_follow(w.x, w.g);
	t = about(&w, &serial);
	assert_int_equal(t.status, OCSP_RESPONSE_STATUS_TRYLATER);
}

static struct serial issued(struct world *w, enum fx_which org, enum fx_key key)
{
	_cleanup_(fx_answer_done) struct fx_answer a = {0};
	_cleanup_(tally_done) struct tally t = {0};
	fx_extend(w->x, org, &t);
	fx_ask(w->x, &t, org, KEY_NEW, BY_SUB | BY_RA, &a);
	check_done("extend", &a);
	fx_follow(w->x, org, &a, key);
	return w->x->orgs[org].cert.serial;
}

static void says_of_both(struct world *w, const struct serial *old, const struct serial *new, size_t of)
{
	ask_about(w, of);
	assert_int_equal(about(w, old).word, of == 1 ? V_OCSP_CERTSTATUS_GOOD : V_OCSP_CERTSTATUS_UNKNOWN);
	assert_int_equal(about(w, new).word, of == 0 ? V_OCSP_CERTSTATUS_GOOD : V_OCSP_CERTSTATUS_UNKNOWN);
}

/* RFC 6960 4.2.2.2: after a roll, each certificate is answered for under its own CA, and under no other. */
static void test_rolled(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = {.x = fx_new(KEY_P256)};
	struct serial old = issued(&w, ORG_P256, KEY_OF_P256), new;
	struct fault f = {0};
	fx_roll(w.x, KEY_P384);
	kit_must("new", fx_unlock(w.x, FX_NEW, &f), &f);
	kit_must("old", fx_unlock(w.x, FX_OLD, &f), &f);
	new = issued(&w, ORG_RSA, KEY_OF_RSA);
	world_gate(&w, &w.x->signer->retired[0].cert);
	kit_beat(w.x);
	kit_follow(w.x, w.g);
	/* Signed ahead: the two customers', and the responder's own of each CA. */
	assert_int_equal(ocsp_ahead(w.g->ocsp), 4);
	says_of_both(&w, &old, &new, 0);
	says_of_both(&w, &old, &new, 1);
	assert_true(about(&w, &old).life.cacheable);
	/* The old CA certifies no responder any more: nothing is said of its certificates, and the others' are as before. */
	responder_close(w.g->issuers[1].responder);
	kit_must("open", responder_open(w.g, &w.g->issuers[1].ca.cert, &w.g->issuers[1].responder, &f), &f);
	assert_int_equal(about(&w, &old).status, OCSP_RESPONSE_STATUS_TRYLATER);
	says_of_both(&w, &old, &new, 0);
}

static void test_forked(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	extend(&w);
	struct serial serial = current(&w);
	assert_int_equal(about(&w, &serial).word, V_OCSP_CERTSTATUS_GOOD);
	w.g->forked = true;
	assert_int_equal(about(&w, &serial).status, OCSP_RESPONSE_STATUS_TRYLATER);
}

/* Only a certificate of the key itself, for OCSPSigning alone, by our issuer. */
static void test_responder_certificate(void **state)
{
	(void)state;
	_cleanup_(world_done) struct world w = world_new(KEY_P256);
	_cleanup_(pubkey_done) struct pubkey responder = {0}, org = {0};
	struct fault f = {0};
	extend(&w);
	kit_must("key", privkey_public(fx_key(KEY_RESPONDER), &responder, &f), &f);
	kit_must("key", privkey_public(fx_key(KEY_OF_P256), &org, &f), &f);
	struct slice theirs = w.x->orgs[ORG_P256].cert.der, old = buf_slice(&w.x->old_der);
	assert_int_equal(responder_check(&w.g->issuers[0].ca.cert, &org, theirs, clock_now(), &f), ERR_RULE);
	assert_string_equal(f.rule, "responder_certificate");
	assert_int_equal(responder_check(&w.g->issuers[0].ca.cert, &responder, theirs, clock_now(), &f), ERR_RULE);
	assert_int_not_equal(responder_check(&w.g->issuers[0].ca.cert, &responder, old, clock_now(), &f), OK);
	assert_int_not_equal(
		responder_check(&w.g->issuers[0].ca.cert, &responder, slice_str("no certificate"), clock_now(), &f),
		OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p256),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_sm2),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_nonce),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_clock_back),
		cmocka_unit_test(test_clock_forward),
		cmocka_unit_test(test_responder_ends),
		cmocka_unit_test(test_rolled),
		cmocka_unit_test(test_forked),
		cmocka_unit_test(test_responder_certificate),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fx_keys_done();
	return failed;
}

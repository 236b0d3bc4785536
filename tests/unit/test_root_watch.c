/*
 * The root's CRL at the desk: what a CA that is on it makes of its certificates, and which list is believed.
 */
#include "ra_fixture.h"

#include "ra/root_watch.h"
#include "ra/signer.h"
#include "ra/status.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* After libcrypto, so that its helpers are declared. */
#include "common/base/cleanup.h"

#define WATCHED "root_certificate: root.crt\nroot_crl: root.crl\n"
#define CA_SERIAL 77

static void ok(enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s", f->rule, f->text);
}

/* --- a root of the tests --- */

struct rooted {
	struct fx *x;
	EVP_PKEY *key, *other_key;
};

static void name_set(X509_NAME *name, const char *text)
{
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)text, -1, -1, 0));
}

static X509_NAME *name_of(const char *text)
{
	X509_NAME *name = X509_NAME_new();
	name_set(name, text);
	return name;
}

static void add_ext(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(ext);
	assert_true(X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

/* A CA's certificate, DER. */
static void make_ca(const char *subject, EVP_PKEY *public_half, long serial, int64_t from, EVP_PKEY *root_key,
		    struct buf *ret)
{
	X509 *cert = X509_new();
	X509_NAME *root = name_of("Root"), *name = name_of(subject);
	uint8_t *der = NULL;
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_set_issuer_name(cert, root);
	X509_set_subject_name(cert, name);
	ASN1_TIME_set(X509_getm_notBefore(cert), from);
	ASN1_TIME_set(X509_getm_notAfter(cert), NOW + 3000 * DAY);
	X509_set_pubkey(cert, public_half);
	add_ext(cert, NID_basic_constraints, "critical,CA:TRUE");
	add_ext(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	assert_true(X509_sign(cert, root_key, EVP_sha256()) > 0);
	int n = i2d_X509(cert, &der);
	assert_true(n > 0);
	buf_clear(ret);
	buf_add(ret, der, (size_t)n);
	OPENSSL_free(der);
	X509_NAME_free(root);
	X509_NAME_free(name);
	X509_free(cert);
}

static void add_revoked(X509_CRL *crl, int64_t when, int reason)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, when);
	ASN1_ENUMERATED *why = ASN1_ENUMERATED_new();
	ASN1_INTEGER_set(serial, CA_SERIAL);
	ASN1_ENUMERATED_set(why, reason);
	X509_REVOKED_set_serialNumber(r, serial);
	X509_REVOKED_set_revocationDate(r, at);
	assert_true(X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, why, 0, 0));
	assert_true(X509_CRL_add0_revoked(crl, r));
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(at);
	ASN1_ENUMERATED_free(why);
}

/* when 0: it revokes nobody. The file root.crl, PEM. */
static void put_crl_by(struct rooted *r, EVP_PKEY *key, long number, int64_t when, int reason)
{
	X509_CRL *crl = X509_CRL_new();
	X509_NAME *root = name_of("Root");
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, NOW), *to = ASN1_TIME_set(NULL, NOW + 30 * DAY);
	BIO *out = BIO_new(BIO_s_mem());
	char *text;
	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, root);
	X509_CRL_set1_lastUpdate(crl, from);
	X509_CRL_set1_nextUpdate(crl, to);
	ASN1_INTEGER_set(n, number);
	assert_true(X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0));
	if (when != 0)
		add_revoked(crl, when, reason);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	assert_true(PEM_write_bio_X509_CRL(out, crl));
	BIO_write(out, "", 1);
	BIO_get_mem_data(out, &text);
	fx_write(r->x, "root.crl", text);
	BIO_free(out);
	ASN1_INTEGER_free(n);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	X509_NAME_free(root);
	X509_CRL_free(crl);
}

static void put_crl(struct rooted *r, long number, int64_t when, int reason)
{
	put_crl_by(r, r->key, number, when, reason);
}

static void ask_signer(struct fx *x)
{
	signer_view_ask(x->desk->view, x->desk->signer, x->desk->laws, x->desk->root);
}

static void put_root(struct rooted *r, EVP_PKEY *key)
{
	_cleanup_buf_ struct buf der = {0}, pem = {0};
	make_ca("Root", key, 1, NOW - 100 * DAY, key, &der);
	pem_put(&pem, "CERTIFICATE", buf_slice(&der));
	fx_write(r->x, "root.crt", buf_text(&pem));
}

/* The desk watches a root, under which the played signer's CA stands; it has not asked the signer yet. */
static void begin(struct rooted *r)
{
	struct fx *x = r->x = fx_new();
	struct fault f = {0};
	ok(privkey_generate(KEY_P256, 0, &r->key, &f), &f);
	ok(privkey_generate(KEY_P256, 0, &r->other_key, &f), &f);
	put_root(r, r->key);
	make_ca("Issuing", x->signer.key, CA_SERIAL, NOW - 50 * DAY, r->key, &x->signer.issuer_cert);
	fx_configure(x, WATCHED);
}

static void done(struct rooted *r)
{
	EVP_PKEY_free(r->key);
	EVP_PKEY_free(r->other_key);
	fx_free(r->x);
}

static bool fallen(struct rooted *r)
{
	return status_issuer_fallen(r->x->desk->status, r->x->signer.public_key.key_id);
}

static void look(struct rooted *r)
{
	struct fault f = {0};
	ok(root_watch_look(r->x->desk->root, &f), &f);
}

static void unused(struct rooted *r, enum err wanted, const char *rule)
{
	struct fault f = {0};
	enum err e = root_watch_look(r->x->desk->root, &f);
	if (e != wanted || strcmp(f.rule, rule) != 0)
		fail_msg("found %s %s, wanted %s", err_word(e), f.rule, rule);
}

/* --- what it makes of certificates --- */

static void test_bears(void **state)
{
	static const struct {
		enum cert_state was;
		unsigned reason_was;
		int64_t changed_was;
		int of_ca;
		unsigned reason; /* the CA's reason, and the certificate's */
		int64_t changed;
	} rows[] = {
		{CERT_GOOD, 0, 0, 1, 2, NOW - DAY},
		{CERT_GOOD, 0, 0, 5, 5, NOW - DAY},
		{CERT_HELD, 0, NOW - 2 * DAY, 1, 2, NOW - DAY},
		{CERT_REVOKED, 4, NOW - 2 * DAY, 1, 4, NOW - 2 * DAY},
		{CERT_REVOKED, 4, NOW - DAY, 1, 4, NOW - DAY},
		{CERT_REVOKED, 4, NOW, 1, 2, NOW - DAY},
	};
	struct rooted r = {0};
	(void)state;
	begin(&r);
	ask_signer(r.x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cert_row was = {
			.state = rows[i].was, .reason = rows[i].reason_was, .changed = rows[i].changed_was};
		struct cert_row row = was, foreign = was;
		memcpy(row.ref.issuer_key_id, r.x->signer.public_key.key_id, 20);
		put_crl(&r, 2 * (long)i + 1, 0, 0);
		look(&r);
		status_bear(r.x->desk->status, &row);
		assert_int_equal(row.state, was.state);
		put_crl(&r, 2 * (long)i + 2, NOW - DAY, rows[i].of_ca);
		look(&r);
		status_bear(r.x->desk->status, &row);
		if (row.state != CERT_REVOKED || row.reason != rows[i].reason || row.changed != rows[i].changed)
			fail_msg("row %zu: state %d, reason %u, changed %lld", i, row.state, row.reason,
				 (long long)row.changed);
		status_bear(r.x->desk->status, &foreign);
		assert_memory_equal(&foreign, &was, sizeof(was));
	}
	done(&r);
}

/* The first organisation's, extended: by the signer's CA. Gives its serial: free(). */
static char *issued(struct fx *x)
{
	_cleanup_(json_freep) json_t *list = NULL;
	fx_log_in(x);
	_cleanup_(freep) char *order = fx_paid_order(x, x->session, "20353");
	_cleanup_(freep) char *id = fx_extend(x, order, 12);
	fx_prove(x, id);
	fx_submit(x, id);
	fx_hand_over(x);
	fx_follow(x);
	list = fx_do(x, UID_SUBSCRIBER, "cert.list", json_pack("{s:s}", "session", x->session));
	return xstrdup(fx_text(json_array_get(json_object_get(list, "certificates"), 0), "serial"));
}

/* What a portal is told, by both roads, with the same bytes. */
static void portal_hears(struct fx *x, const char *serial, const char *wanted)
{
	_cleanup_(freep) char *asked = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status.query\",\"params\":"
						 "{\"serials\":[\"%s\"]}}",
						 serial);
	_cleanup_buf_ struct buf quick = {0}, general = {0};
	struct rpc_peer peer = {.uid = UID_PORTAL};
	assert_true(status_quick(x->desk, &peer, slice_str(asked), &quick));
	jsonrpc_handle(&x->desk->rpc, &peer, slice_str(asked), &general);
	assert_string_equal(buf_text(&quick), buf_text(&general));
	if (!strstr(buf_text(&quick), wanted))
		fail_msg("found %s, wanted %s", buf_text(&quick), wanted);
}

static json_t *shown(struct fx *x, const char *serial)
{
	return fx_do(x, UID_SUBSCRIBER, "cert.show", json_pack("{s:s,s:s}", "session", x->session, "serial", serial));
}

static bool worries(struct fx *x)
{
	_cleanup_(json_freep) json_t *r = fx_do(x, UID_ADMIN, "desk.health", NULL);
	json_t *v;
	size_t i;
	json_array_foreach(json_object_get(r, "worries"), i, v)
	{
		if (strcmp(fx_text(v, "reason"), "issuer_revoked") == 0)
			return true;
	}
	return false;
}

static void offered(struct fx *x, const char *serial, bool possible)
{
	_cleanup_(json_freep) json_t *o = shown(x, serial);
	json_t *offer;
	size_t i;
	json_array_foreach(json_object_get(o, "offers"), i, offer)
	{
		bool dead = strcmp(fx_text(offer, "reason"), "predecessor_revoked") == 0;
		if (strcmp(fx_text(offer, "action"), "unlock") != 0 && dead == possible)
			fail_msg("%s: %s", fx_text(offer, "action"), fx_text(offer, "reason"));
	}
	assert_int_equal(json_array_size(json_object_get(o, "actions")) > 0, possible);
}

/* Nothing follows it, and it can still be revoked: by the ledger it is good. */
static void ways_are(struct fx *x, const char *serial, bool possible)
{
	_cleanup_(json_freep) json_t *o = fx_do(x, UID_SUBSCRIBER, "request.ways",
						json_pack("{s:s,s:s}", "session", x->session, "serial", serial));
	json_t *way;
	size_t i, n = 0;
	json_array_foreach(json_object_get(o, "ways"), i, way)
	{
		const char *kind = fx_text(way, "kind");
		const char *why = fx_text(json_object_get(way, "why"), "rule");
		bool revokes = strcmp(kind, "revoke") == 0,
		     changes = strcmp(kind, "change") == 0 && strcmp(fx_text(way, "makes"), "certificate") == 0;
		if (revokes)
			assert_true(json_is_true(json_object_get(way, "possible")));
		if (changes)
			assert_int_equal(strcmp(why, "predecessor_revoked") != 0, possible);
		n += revokes || changes;
	}
	assert_true(n >= 2);
}

static void test_says(void **state)
{
	struct rooted r = {0};
	(void)state;
	begin(&r);
	ask_signer(r.x);
	_cleanup_(freep) char *serial = issued(r.x);
	put_crl(&r, 1, 0, 0);
	look(&r);
	portal_hears(r.x, serial, "\"state\":\"good\"");
	offered(r.x, serial, true);
	ways_are(r.x, serial, true);
	assert_false(worries(r.x));
	put_crl(&r, 2, NOW - DAY, 1);
	look(&r);
	portal_hears(r.x, serial,
		     "\"state\":\"revoked\",\"reason\":\"cACompromise\",\"when\":\"2026-11-22T00:00:00Z\"");
	portal_hears(r.x, OTHER_SERIAL, "\"state\":\"good\""); /* another authority's */
	_cleanup_(json_freep) json_t *o = shown(r.x, serial);
	assert_string_equal(fx_text(o, "state"), "revoked");
	assert_string_equal(fx_text(o, "reason"), "cACompromise");
	assert_string_equal(fx_text(o, "when"), "2026-11-22T00:00:00Z");
	_cleanup_(json_freep) json_t *list =
		fx_do(r.x, UID_SUBSCRIBER, "cert.list", json_pack("{s:s}", "session", r.x->session));
	assert_string_equal(fx_text(json_array_get(json_object_get(list, "certificates"), 0), "state"), "revoked");
	offered(r.x, serial, false);
	ways_are(r.x, serial, false);
	assert_true(worries(r.x));
	fx_refused(r.x, UID_SUBSCRIBER, "request.prepare",
		   json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:[{s:s,s:s}]}", "session", r.x->session, "kind", "change",
			     "way", "name-or-code", "project", "jinhua", "serial", serial, "files", "no",
			     "notice_accepted", 1, "subject", "attribute", "O", "value", NEW_NAME),
		   "predecessor_revoked");
	done(&r);
}

/* --- which list is believed --- */

static void test_older(void **state)
{
	struct rooted r = {0};
	(void)state;
	begin(&r);
	ask_signer(r.x);
	put_crl(&r, 3, NOW, 1);
	look(&r);
	look(&r);
	put_crl(&r, 2, 0, 0);
	unused(&r, ERR_RULE, "crl_older");
	put_crl(&r, 3, 0, 0); /* the same number, and other bytes */
	unused(&r, ERR_RULE, "crl_older");
	assert_true(fallen(&r));
	fx_restart(r.x); /* another life: the file is the older one still, and the signer has not been asked */
	assert_true(fallen(&r));
	put_crl(&r, 4, 0, 0);
	look(&r);
	assert_false(fallen(&r));
	done(&r);
}

static void test_of_no_use(void **state)
{
	struct rooted r = {0};
	(void)state;
	begin(&r); /* without a file the desk starts */
	ask_signer(r.x);
	unused(&r, ERR_NOT_FOUND, "file_missing");
	put_crl(&r, 1, NOW, 1);
	look(&r);
	put_crl_by(&r, r.other_key, 2, 0, 0);
	unused(&r, ERR_CRYPTO, "crl_signature");
	fx_write(r.x, "root.crl", "nonsense");
	unused(&r, ERR_PARSE, "pem_none");
	fx_write(r.x, "root.crl", "");
	unused(&r, ERR_PARSE, "pem_none");
	_cleanup_(freep) char *path = path_join(r.x->dir, "root.crl");
	assert_int_equal(truncate(path, ROOT_CRL_MAX + 1), 0);
	unused(&r, ERR_LIMIT, "file_size");
	assert_int_equal(unlink(path), 0);
	unused(&r, ERR_NOT_FOUND, "file_missing");
	assert_true(fallen(&r));
	fx_restart(r.x);
	assert_true(fallen(&r));
	done(&r);
}

/* Another root is named: what the one before said counts no more. */
static void test_other_root(void **state)
{
	struct rooted r = {0};
	(void)state;
	begin(&r);
	ask_signer(r.x);
	put_crl(&r, 9, NOW, 1);
	look(&r);
	put_root(&r, r.other_key);
	fx_restart(r.x);
	assert_false(fallen(&r));
	put_crl_by(&r, r.other_key, 1, NOW, 1);
	look(&r);
	ask_signer(r.x);
	assert_false(fallen(&r)); /* that root has not signed this CA */
	done(&r);
}

/* The desk does not start without the certificate that it is to go by, and says which file it is. */
static void test_no_root(void **state)
{
	static const char *const texts[] = {"nonsense", "", NULL};
	struct rooted r = {0};
	(void)state;
	begin(&r);
	_cleanup_(freep) char *yaml = path_join(r.x->dir, "ra.yaml"), *crt = path_join(r.x->dir, "root.crt");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ra_config c = {0};
		struct desk *d = NULL;
		struct fault f = {0};
		if (texts[i])
			fx_write(r.x, "root.crt", texts[i]);
		else
			assert_int_equal(unlink(crt), 0);
		ok(ra_config_load(yaml, &c, &f), &f);
		assert_int_not_equal(desk_open(&c, &d, &f), OK);
		if (!strstr(f.text, "root.crt"))
			fail_msg("case %zu: %s", i, f.text);
	}
	done(&r);
}

/* Where the newer list cannot be kept, it revokes all the same, and lets nobody go. */
static void test_unkept(void **state)
{
	struct rooted r = {0};
	struct rlimit was, none;
	struct fault f = {0};
	(void)state;
	begin(&r);
	ask_signer(r.x);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){0, was.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	put_crl(&r, 1, NOW, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum err e = root_watch_look(r.x->desk->root, &f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_not_equal(e, OK);
	assert_true(fallen(&r));
	put_crl(&r, 2, 0, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	e = root_watch_look(r.x->desk->root, &f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_not_equal(e, OK);
	assert_true(fallen(&r));
	look(&r);
	assert_false(fallen(&r));
	done(&r);
}

/* --- whose certificates --- */

/* What the signer has said once stands, whatever it says later: it may be in other hands by then. */
static void test_learns(void **state)
{
	struct rooted r = {0};
	struct fx *x;
	(void)state;
	begin(&r);
	x = r.x;
	put_crl(&r, 1, NOW, 1);
	look(&r);
	assert_false(fallen(&r)); /* nobody has said which key that CA has */
	ask_signer(x);
	assert_true(fallen(&r));
	make_ca("Issuing", x->signer.key, CA_SERIAL + 1, NOW - 60 * DAY, r.key, &x->signer.issuer_cert);
	ask_signer(x); /* an older certificate of the same key */
	assert_true(fallen(&r));
	make_ca("Issuing", x->signer.key, CA_SERIAL + 1, NOW, r.other_key, &x->signer.issuer_cert);
	ask_signer(x); /* a newer one that is not the root's */
	assert_true(fallen(&r));
	buf_clear(&x->signer.issuer_cert);
	ask_signer(x);
	fx_restart(x);
	ask_signer(x);
	assert_true(fallen(&r));
	make_ca("Issuing", x->signer.key, CA_SERIAL + 1, NOW, r.key, &x->signer.issuer_cert);
	ask_signer(x); /* a newer one of the root's, which is not on the list */
	assert_false(fallen(&r));
	done(&r);
}

/* One that was rolled; heard of before root_crl was named. */
static void test_retired(void **state)
{
	struct rooted r = {0};
	struct fx *x;
	(void)state;
	begin(&r);
	x = r.x;
	fx_configure(x, "");
	buf_add_slice(&x->signer.retired, buf_slice(&x->signer.issuer_cert));
	make_ca("Issuing 2", r.other_key, CA_SERIAL + 1, NOW, r.key, &x->signer.issuer_cert);
	ask_signer(x);
	root_watch_turn(x->desk->root); /* looks at nothing */
	put_crl(&r, 1, NOW, 1);
	fx_configure(x, WATCHED);
	assert_true(fallen(&r));
	assert_int_equal(status_fallen(x->desk->status), 1);
	done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bears),	  cmocka_unit_test(test_says),	     cmocka_unit_test(test_older),
		cmocka_unit_test(test_of_no_use), cmocka_unit_test(test_other_root), cmocka_unit_test(test_no_root),
		cmocka_unit_test(test_unkept),	  cmocka_unit_test(test_learns),     cmocka_unit_test(test_retired),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Paths of HTTP requests, and bodies, as the public routes take them: an answer or none, never a file that is not the gate's.
 */
#include "tests/fuzz/mutate.h"

#include <openssl/x509.h>

#include "ra/gate/crls.h"
#include "ra/gate/documents.h"
#include "ra/gate/http.h"
#include "ra/gate/ocsp.h"
#include "ra/gate/responder.h"

#include "common/base/cleanup.h"

#include <sodium.h>
#include <unistd.h>

static struct gate gate;

/* Any CA of its own: only its key id and name are looked at. */
static void make_issuer(struct gate_cert *ret)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
	_cleanup_(x509_freep) X509 *x = X509_new();
	uint8_t *der = NULL;
	must(key && x && X509_set_version(x, 2) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 1000000);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)"CA", -1, -1, 0);
	must(X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 && X509_set_pubkey(x, key) == 1 &&
	     X509_sign(x, key, EVP_sha256()) > 0);
	int n = i2d_X509(x, &der);
	must(n > 0);
	buf_add(&ret->der, der, (size_t)n);
	OPENSSL_free(der);
	must(cert_parse(buf_slice(&ret->der), &ret->cert, NULL) == OK);
}

static void open_once(void)
{
	char dir[] = "/tmp/hufu-fuzz-XXXXXX";
	if (gate.table)
		return;
	must(sodium_init() >= 0 && mkdtemp(dir));
	_cleanup_(freep) char *crl = xasprintf("%s/crl", dir);
	gate.config.state = xstrdup(dir);
	gate.config.ocsp = (struct ocsp_rules){.validity_minutes = 60, .cache_entries = 1024};
	pthread_mutex_init(&gate.lock, NULL);
	gate.table = table_new();
	struct gate_issuer *of = &gate.issuers[gate.n_issuers++];
	char hex[41];
	make_issuer(&of->ca);
	must(responder_open(&gate, &of->ca.cert, &of->responder, NULL) == OK &&
	     documents_open(NULL, &gate.documents, NULL) == OK &&
	     crls_open(&gate, &of->ca.cert, &of->crls, NULL) == OK);
	gate.ocsp = ocsp_open(&gate);
	hex_lower(of->ca.cert.key.key_id, 20, hex);
	_cleanup_(freep) char *own = xasprintf("%s/%s", crl, hex);
	rmdir(own);
	rmdir(crl);
	rmdir(dir);
}

static void ask(const char *method, const char *path, struct slice body)
{
	struct http_request r = {.method = method, .path = path, .body = body};
	struct http_reply to = {0};
	for (size_t i = 0; i < http_public.n; i++) {
		if (http_public.v[i](&gate, &r, &to))
			break;
	}
	must(to.fd == 0); /* there is no file here to be given */
	must(to.status == 0 || (to.status >= 200 && to.status < 600));
	buf_done(&to.body);
}

/* The path's parts are as lines; the rest is JSON, DER, or any bytes. */
static bool mutate_request(struct mutation *m, struct slice bytes, struct buf *ret)
{
	const uint8_t *end = bytes.n > 0 ? memchr(bytes.p, '\n', bytes.n) : NULL;
	size_t n = end ? (size_t)(end - bytes.p) + 1 : bytes.n;
	struct slice body = slice_of(bytes.p + n, bytes.n - n);
	_cleanup_buf_ struct buf path = {0}, parts = {0};
	if (body.n > 0 && mutation_below(m, 2) == 0) {
		buf_add(ret, bytes.p, n);
		return mutate_json(m, body, ret) || mutate_der(m, body, ret);
	}
	buf_add(&parts, bytes.p, n);
	for (size_t i = 0; i < parts.len; i++)
		parts.data[i] = parts.data[i] == '/' ? '\n' : parts.data[i];
	if (!mutate_lines(m, buf_slice(&parts), &path))
		return false;
	for (size_t i = 0; i < path.len; i++)
		buf_char(ret, path.data[i] == '\n' ? '/' : (char)path.data[i]);
	if (end)
		buf_char(ret, '\n');
	buf_add_slice(ret, body);
	return true;
}

MUTATES(mutate_request)

/* The first line is the path, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	_cleanup_(freep) char *path = xcalloc(n + 2, 1);
	struct slice body = end ? slice_of(end + 1, size - n - 1) : (struct slice){0};
	open_once();
	path[0] = '/';
	memcpy(path + 1, data, n);
	ask("GET", path, body);
	ask("POST", path, body);
	ask("OPTIONS", path, body);
	return 0;
}

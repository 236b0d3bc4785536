/*
 * OCSP requests as clients write them: a CertID with SHA-1 hashes, RFC 6960 4.1 and A.1, and what else the gate is asked.
 */
#include "tools/benchmark/requests.h"

#include "common/base/file.h"
#include "common/pki/cert.h"

#include <string.h>

#include <openssl/evp.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define NONCE 16

void requests_done(struct requests *r)
{
	buf_done(&r->id_head);
}

enum err requests_of(struct slice ca, struct requests *ret, struct fault *f)
{
	_cleanup_(cert_done) struct cert c = {0};
	uint8_t hash[32];
	size_t n = 0;
	struct der d, in;
	struct slice bits;
	unsigned unused;
	TRY(cert_parse(ca, &c, f));
	d = der_of(slice_of(c.key.spki, c.key.spki_len));
	if (!der_enter(&d, DER_SEQUENCE, &in) || !der_get(&in, DER_SEQUENCE, NULL) ||
	    !der_get_bits(&in, &bits, &unused))
		return fault_raise(f, ERR_INTERNAL, "spki", "ca", "no key");
	size_t alg = der_begin(&ret->id_head, DER_SEQUENCE);
	der_put_oid(&ret->id_head, "1.3.14.3.2.26");
	der_put(&ret->id_head, DER_NULL, (struct slice){0});
	der_end(&ret->id_head, alg);
	EVP_Q_digest(NULL, "SHA1", NULL, c.subject.p, c.subject.n, hash, &n);
	der_put(&ret->id_head, DER_OCTET_STRING, slice_of(hash, 20));
	EVP_Q_digest(NULL, "SHA1", NULL, bits.p, bits.n, hash, &n);
	der_put(&ret->id_head, DER_OCTET_STRING, slice_of(hash, 20));
	return OK;
}

static void put_nonce(struct buf *b)
{
	uint8_t nonce[NONCE];
	random_fill(nonce, sizeof(nonce));
	size_t outer = der_begin(b, DER_CONTEXT_CONS(2)), list = der_begin(b, DER_SEQUENCE);
	size_t ext = der_begin(b, DER_SEQUENCE);
	der_put_oid(b, "1.3.6.1.5.5.7.48.1.2");
	size_t value = der_begin(b, DER_OCTET_STRING);
	der_put(b, DER_OCTET_STRING, slice_of(nonce, sizeof(nonce)));
	der_end(b, value);
	der_end(b, ext);
	der_end(b, list);
	der_end(b, outer);
}

void requests_put_der(const struct requests *r, const struct serial *serial, bool nonce, struct buf *b)
{
	size_t whole = der_begin(b, DER_SEQUENCE), tbs = der_begin(b, DER_SEQUENCE), list = der_begin(b, DER_SEQUENCE);
	size_t one = der_begin(b, DER_SEQUENCE), id = der_begin(b, DER_SEQUENCE);
	buf_add_slice(b, buf_slice(&r->id_head));
	der_put_magnitude(b, slice_of(serial->b, serial->n));
	der_end(b, id);
	der_end(b, one);
	der_end(b, list);
	if (nonce)
		put_nonce(b);
	der_end(b, tbs);
	der_end(b, whole);
}

void requests_put_path(struct slice der, struct buf *b)
{
	_cleanup_buf_ struct buf text = {0};
	buf_base64(&text, der.p, der.n);
	buf_str(b, "/ocsp/");
	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];
		buf_str(b, c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : (char[]){c, '\0'});
	}
}

/* A whole HTTP request. */
static void put_http(const struct requests *r, const struct serial *serial, enum form form, struct buf *b)
{
	_cleanup_buf_ struct buf der = {0};
	requests_put_der(r, serial, form == FORM_NONCE, &der);
	if (form == FORM_FILE) {
		buf_str(b, "GET /answer HTTP/1.1\r\nHost: pki.example.test\r\n\r\n");
		return;
	}
	if (form == FORM_STATUS) {
		buf_fmt(b, "GET /v1/status/%s HTTP/1.1\r\nHost: pki.example.test\r\n\r\n", SERIAL(serial));
		return;
	}
	if (form != FORM_GET) {
		buf_fmt(b,
			"POST /ocsp HTTP/1.1\r\nHost: pki.example.test\r\nContent-Type: application/ocsp-request\r\n"
			"Content-Length: %zu\r\n\r\n",
			der.len);
		buf_add_slice(b, buf_slice(&der));
		return;
	}
	buf_str(b, "GET ");
	requests_put_path(buf_slice(&der), b);
	buf_str(b, " HTTP/1.1\r\nHost: pki.example.test\r\n\r\n");
}

enum err requests_write(const struct requests *r, const char *path, enum form form, const struct serial *v, size_t n,
			struct fault *f)
{
	_cleanup_buf_ struct buf all = {0};
	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf one = {0};
		put_http(r, &v[i], form, &one);
		uint8_t len[4] = {(uint8_t)(one.len >> 24), (uint8_t)(one.len >> 16), (uint8_t)(one.len >> 8),
				  (uint8_t)one.len};
		buf_add(&all, len, 4);
		buf_add_slice(&all, buf_slice(&one));
	}
	return file_write(path, buf_slice(&all), 0600, f);
}

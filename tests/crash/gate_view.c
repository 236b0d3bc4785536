/*
 * One connection for each question, closed behind the answer, as small clients do it.
 */
#include "tests/crash/gate_view.h"

#include "common/base/file.h"

#include <openssl/ocsp.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define ANSWER_MAX (64u << 20)
#define SILENCE_S 5

CLEANUP_PTR(OCSP_REQUEST, ocsp_request_freep, OCSP_REQUEST_free)
CLEANUP_PTR(OCSP_RESPONSE, ocsp_response_freep, OCSP_RESPONSE_free)
CLEANUP_PTR(OCSP_BASICRESP, ocsp_basic_freep, OCSP_BASICRESP_free)
CLEANUP_PTR(OCSP_CERTID, ocsp_certid_freep, OCSP_CERTID_free)
CLEANUP_PTR(ASN1_INTEGER, asn1_integer_freep, ASN1_INTEGER_free)

static enum err bad(struct fault *f, const char *what)
{
	return fault_raise(f, ERR_CRYPTO, "gate_answer", "gate", "%s", what);
}

static enum err away(struct fault *f, const char *what)
{
	return fault_raise(f, ERR_NET, "gate_away", "gate", "%s", what);
}

void gate_view_done(struct gate_view *v)
{
	freep(&v->socket);
	X509_free(v->issuer);
	X509_STORE_free(v->store);
	*v = (struct gate_view){0};
}

static enum err read_ca(const char *dir, const char *name, X509 **ret, struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("%s/etc/hufu/%s", dir, name);
	_cleanup_buf_ struct buf text = {0}, der = {0};
	TRY(file_read(path, 65536, &text, f));
	TRY(pem_or_der(buf_slice(&text), "CERTIFICATE", &der, f));
	const uint8_t *p = der.data;
	*ret = d2i_X509(NULL, &p, (long)der.len);
	return *ret ? OK : bad(f, "the CA's certificate is none");
}

enum err gate_view_open(const char *dir, const char *socket, struct gate_view *ret, struct fault *f)
{
	_cleanup_(x509_freep) X509 *root = NULL;
	ret->socket = xstrdup(socket);
	TRY(read_ca(dir, "issuing.crt", &ret->issuer, f));
	TRY(read_ca(dir, "root.crt", &root, f));
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(ret->issuer);
	if (!id || ASN1_STRING_length(id) != 20)
		return bad(f, "the issuing CA has no key id");
	hex_lower(ASN1_STRING_get0_data(id), 20, ret->issuer_id);
	ret->store = X509_STORE_new();
	return ret->store && X509_STORE_add_cert(ret->store, ret->issuer) == 1 &&
			       X509_STORE_add_cert(ret->store, root) == 1
		       ? OK
		       : bad(f, "no store of CAs");
}

/* --- HTTP --- */

static enum err exchange(const char *path, struct slice request, struct buf *ret, struct fault *f)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval silence = {.tv_sec = SILENCE_S};
	uint8_t part[65536];
	ssize_t n = 0;
	if (strlen(path) >= sizeof a.sun_path)
		return fault_raise(f, ERR_CONFIG, "gate_socket", path, "too long for a Unix socket");
	memcpy(a.sun_path, path, strlen(path));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) != 0 ||
	    connect(fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
	    send(fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
		return away(f, "nobody takes the connection");
	while (ret->len < ANSWER_MAX && (n = recv(fd, part, sizeof part, 0)) > 0)
		buf_add(ret, part, (size_t)n);
	return n == 0 ? OK : away(f, "the answer ends in its middle");
}

/* The body of a whole 200. */
static enum err ask(const struct gate_view *v, struct slice request, struct buf *answer, struct slice *ret,
		    struct fault *f)
{
	static const char length[] = "\r\nContent-Length: ";
	TRY(exchange(v->socket, request, answer, f));
	const char *text = buf_text(answer);
	const char *body = strstr(text, "\r\n\r\n"), *says = strcasestr(text, length);
	if (!body || !says || says > body)
		return away(f, "the answer ends in its head");
	size_t head = (size_t)(body + 4 - text), wanted = strtoul(says + strlen(length), NULL, 10);
	if (strncmp(text, "HTTP/1.1 200", 12) != 0)
		return away(f, "the answer is no 200");
	if (answer->len - head < wanted)
		return away(f, "the answer ends in its middle");
	*ret = slice_of(answer->data + head, wanted);
	return OK;
}

/* --- OCSP --- */

static OCSP_CERTID *id_of(const struct gate_view *v, const struct serial *serial)
{
	_cleanup_(asn1_integer_freep) ASN1_INTEGER *n = ASN1_INTEGER_new();
	if (!n || ASN1_STRING_set(n, serial->b, (int)serial->n) != 1)
		return NULL;
	return OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(v->issuer), X509_get0_pubkey_bitstr(v->issuer), n);
}

static enum err put_request(const struct gate_view *v, const struct serial *serial, struct buf *ret, struct fault *f)
{
	_cleanup_(ocsp_request_freep) OCSP_REQUEST *r = OCSP_REQUEST_new();
	OCSP_CERTID *id = id_of(v, serial);
	uint8_t *der = NULL;
	int n = r && id && OCSP_request_add0_id(r, id) ? i2d_OCSP_REQUEST(r, &der) : -1;
	if (n <= 0)
		return bad(f, "libcrypto writes no request");
	buf_fmt(ret,
		"POST /ocsp HTTP/1.1\r\nHost: gate\r\nConnection: close\r\nContent-Type: application/ocsp-request\r\n"
		"Content-Length: %d\r\n\r\n",
		n);
	buf_add(ret, der, (size_t)n);
	OPENSSL_free(der);
	return OK;
}

static enum err judge(const struct gate_view *v, OCSP_BASICRESP *basic, const struct serial *serial,
		      enum ocsp_said *ret, struct fault *f)
{
	_cleanup_(ocsp_certid_freep) OCSP_CERTID *id = id_of(v, serial);
	ASN1_GENERALIZEDTIME *from = NULL, *to = NULL;
	int status = -1;
	if (OCSP_basic_verify(basic, NULL, v->store, 0) != 1)
		return bad(f, "the OCSP answer's signature does not verify");
	if (!id || OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &to) != 1)
		return bad(f, "the OCSP answer is about another certificate");
	if (OCSP_check_validity(from, to, 5, -1) != 1)
		return bad(f, "the OCSP answer is not of now");
	*ret = status == V_OCSP_CERTSTATUS_GOOD	     ? SAID_GOOD
	       : status == V_OCSP_CERTSTATUS_REVOKED ? SAID_REVOKED
						     : SAID_UNKNOWN;
	return OK;
}

enum err gate_view_ocsp(const struct gate_view *v, const struct serial *serial, enum ocsp_said *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, answer = {0};
	_cleanup_(ocsp_response_freep) OCSP_RESPONSE *r = NULL;
	_cleanup_(ocsp_basic_freep) OCSP_BASICRESP *basic = NULL;
	struct slice body;
	TRY(put_request(v, serial, &request, f));
	TRY(ask(v, buf_slice(&request), &answer, &body, f));
	const uint8_t *p = body.p;
	r = d2i_OCSP_RESPONSE(NULL, &p, (long)body.n);
	if (!r)
		return bad(f, "the OCSP answer is no OCSPResponse");
	*ret = SAID_LATER;
	if (OCSP_response_status(r) == OCSP_RESPONSE_STATUS_TRYLATER)
		return OK;
	basic = OCSP_response_get1_basic(r);
	return basic ? judge(v, basic, serial, ret, f) : bad(f, "the OCSP answer is an error");
}

/* --- CRLs --- */

enum err gate_view_read_crl(const struct gate_view *v, struct slice der, X509_CRL **ret, struct fault *f)
{
	const uint8_t *p = der.p;
	_cleanup_(x509_crl_freep) X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	if (!crl || X509_CRL_verify(crl, X509_get0_pubkey(v->issuer)) != 1)
		return bad(f, "the CRL is none of this CA");
	*ret = TAKE(crl);
	return OK;
}

enum err gate_view_crl(const struct gate_view *v, X509_CRL **ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, answer = {0};
	struct slice body;
	buf_fmt(&request, "GET /crl/%s/full.crl HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n", v->issuer_id);
	TRY(ask(v, buf_slice(&request), &answer, &body, f));
	return gate_view_read_crl(v, body, ret, f);
}

enum crl_word gate_view_crl_has(X509_CRL *crl, const struct serial *serial, int64_t revoked_at)
{
	_cleanup_(asn1_integer_freep) ASN1_INTEGER *n = ASN1_INTEGER_new();
	X509_REVOKED *row = NULL;
	struct tm made;
	if (!n || ASN1_STRING_set(n, serial->b, (int)serial->n) != 1 ||
	    ASN1_TIME_to_tm(X509_CRL_get0_lastUpdate(crl), &made) != 1)
		return CRL_LACKS;
	if (X509_CRL_get0_by_serial(crl, &row, n) != 0)
		return CRL_HAS;
	return timegm(&made) > revoked_at ? CRL_LACKS : CRL_OLDER;
}

/*
 * Public keys as they stand on a token: tokens write them in parts, and not all the same way.
 */
#include "common/token/token_admin.h"

#include "common/token/token_private.h"

#include "common/pki/cert.h"

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

static enum err read_attribute(struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, struct buf *ret,
			       struct fault *f)
{
	uint8_t room[PUBKEY_MAX_SPKI];
	size_t n = 0;
	TRY(token_attribute(t, object, type, room, sizeof room, &n, f));
	buf_add(ret, room, n);
	return OK;
}

static enum err put_ec(struct token *t, CK_OBJECT_HANDLE object, struct buf *spki, struct fault *f)
{
	_cleanup_buf_ struct buf params = {0}, point = {0};
	TRY(read_attribute(t, object, CKA_EC_PARAMS, &params, f));
	TRY(read_attribute(t, object, CKA_EC_POINT, &point, f));
	struct slice bits = buf_slice(&point), body;
	struct der d = der_of(bits);
	if (der_get(&d, DER_OCTET_STRING, &body) && der_at_end(&d))
		bits = body;
	size_t alg = der_begin(spki, DER_SEQUENCE);
	(void)der_put_oid(spki, "1.2.840.10045.2.1");
	buf_add_slice(spki, buf_slice(&params));
	der_end(spki, alg);
	der_put_bits(spki, bits, 0);
	return OK;
}

static enum err put_rsa(struct token *t, CK_OBJECT_HANDLE object, struct buf *spki, struct fault *f)
{
	_cleanup_buf_ struct buf n = {0}, e = {0}, key = {0};
	TRY(read_attribute(t, object, CKA_MODULUS, &n, f));
	TRY(read_attribute(t, object, CKA_PUBLIC_EXPONENT, &e, f));
	size_t seq = der_begin(&key, DER_SEQUENCE);
	der_put_magnitude(&key, buf_slice(&n));
	der_put_magnitude(&key, buf_slice(&e));
	der_end(&key, seq);
	size_t alg = der_begin(spki, DER_SEQUENCE);
	(void)der_put_oid(spki, "1.2.840.113549.1.1.1");
	der_put(spki, DER_NULL, (struct slice){0});
	der_end(spki, alg);
	der_put_bits(spki, buf_slice(&key), 0);
	return OK;
}

/* RFC 8410 3: the algorithm alone, no parameters. */
static enum err put_edwards(struct token *t, CK_OBJECT_HANDLE object, struct buf *spki, struct fault *f)
{
	_cleanup_buf_ struct buf point = {0};
	TRY(read_attribute(t, object, CKA_EC_POINT, &point, f));
	struct slice bits = buf_slice(&point), body;
	struct der d = der_of(bits);
	if (der_get(&d, DER_OCTET_STRING, &body) && der_at_end(&d))
		bits = body;
	size_t alg = der_begin(spki, DER_SEQUENCE);
	(void)der_put_oid(spki, "1.3.101.112");
	der_end(spki, alg);
	der_put_bits(spki, bits, 0);
	return OK;
}

enum err token_public_key(struct token *t, CK_OBJECT_HANDLE object, struct pubkey *ret, struct fault *f)
{
	_cleanup_buf_ struct buf spki = {0};
	CK_KEY_TYPE type = 0;
	size_t n = 0;
	TRY(token_attribute(t, object, CKA_KEY_TYPE, &type, sizeof type, &n, f));
	size_t seq = der_begin(&spki, DER_SEQUENCE);
	if (n > 0 && type == CKK_RSA)
		TRY(put_rsa(t, object, &spki, f));
	else if (n > 0 && type == CKK_EC_EDWARDS)
		TRY(put_edwards(t, object, &spki, f));
	else
		TRY(put_ec(t, object, &spki, f));
	der_end(&spki, seq);
	return pubkey_parse(buf_slice(&spki), ret, f);
}

static enum err certificate_key(struct token *t, CK_OBJECT_HANDLE object, struct pubkey *ret, struct fault *f)
{
	uint8_t room[CERT_MAX_BYTES];
	size_t n = 0;
	_cleanup_(cert_done) struct cert c = {0};
	TRY(token_attribute(t, object, CKA_VALUE, room, sizeof room, &n, f));
	TRY(cert_parse(slice_of(room, n), &c, f));
	return pubkey_parse(slice_of(c.key.spki, c.key.spki_len), ret, f);
}

/* Objects of kinds that are not read are passed by. */
static enum err keys_of(struct token *t, CK_OBJECT_CLASS class, struct pubkey *ret, size_t max, size_t *ret_n,
			struct fault *f)
{
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
	struct token_objects found;
	TRY(token_objects(t, template, 1, &found, f));
	for (CK_ULONG i = 0; i < found.n && *ret_n < max; i++) {
		enum err e = class == CKO_PUBLIC_KEY ? token_public_key(t, found.handles[i], &ret[*ret_n], f)
						     : certificate_key(t, found.handles[i], &ret[*ret_n], f);
		if (e == OK)
			(*ret_n)++;
		else if (e == ERR_IO)
			return e;
	}
	return OK;
}

enum err token_public_keys(struct token *t, struct pubkey *ret, size_t max, size_t *ret_n, struct fault *f)
{
	*ret_n = 0;
	TRY(keys_of(t, CKO_PUBLIC_KEY, ret, max, ret_n, f));
	return *ret_n > 0 ? OK : keys_of(t, CKO_CERTIFICATE, ret, max, ret_n, f);
}

enum err token_each_certificate(struct token *t, void (*fn)(void *arg, const struct cert *c), void *arg,
				struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
	struct token_objects found;
	TRY(token_objects(t, template, 1, &found, f));
	for (CK_ULONG i = 0; i < found.n; i++) {
		uint8_t room[CERT_MAX_BYTES];
		size_t n = 0;
		_cleanup_(cert_done) struct cert c = {0};
		TRY(token_attribute(t, found.handles[i], CKA_VALUE, room, sizeof room, &n, f));
		if (cert_parse(slice_of(room, n), &c, NULL) == OK)
			fn(arg, &c);
	}
	return OK;
}

enum err token_public_named(struct token *t, struct slice label, struct slice id, struct pubkey *ret, struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_ATTRIBUTE template[3] = {{CKA_CLASS, &class, sizeof class}};
	CK_ULONG n = 1;
	struct token_objects found;
	if (label.n)
		template[n++] = (CK_ATTRIBUTE){CKA_LABEL, (void *)label.p, label.n}; /* only read */
	if (id.n)
		template[n++] = (CK_ATTRIBUTE){CKA_ID, (void *)id.p, id.n};
	TRY(token_objects(t, template, n, &found, f));
	if (found.n == 1)
		return token_public_key(t, found.handles[0], ret, f);
	return fault_raise(f, found.n ? ERR_CONFLICT : ERR_NOT_FOUND, found.n ? "key_ambiguous" : "key_not_on_token",
			   "token",
			   "token \"%s\": %lu public keys have that label and id, wanted one, beside its "
			   "private key",
			   t->name, found.n);
}

/*
 * Fetching CRLs: piece by piece into a file beside the one that is served, hashed on the way, so that a CRL of any length
 * takes the memory of one piece. The first piece says which CRL it is; one that is served already is not fetched again.
 */
#include "common/base/file.h"
#include "common/rpc/jsonrpc.h"
#include "common/rpc/wire.h"
#include "ra/gate/crls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define BUSY_MAX 20 /* how often one that is being made is asked for again */
#define BUSY_MS 250
#define BEGIN_MAX 3 /* how often one that was made anew meanwhile is begun */

/* One that is coming. */
struct coming {
	const uint8_t *issuer;
	uint32_t scope;
	uint64_t size, have;
	uint8_t sha256[32];
	int fd;
	EVP_MD_CTX *md;
};

static enum err ask_piece(struct gate *g, const struct coming *x, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *params = json_object();
	char issuer[41], hash[65];
	hex_lower(x->issuer, 20, issuer);
	json_object_set_new(params, "issuer", json_string(issuer));
	if (x->scope != WIRE_FULL_CRL)
		json_object_set_new(params, "shard", json_integer(x->scope));
	if (x->have > 0) {
		hex_lower(x->sha256, 32, hash);
		json_object_set_new(params, "from", json_integer((json_int_t)x->have));
		json_object_set_new(params, "sha256", json_string(hash));
	}
	return jsonrpc_call(g->desk, "crl.get", params, ret, NULL, f);
}

/* Waits while the signer makes others. */
static enum err get_piece(struct gate *g, const struct coming *x, json_t **ret, struct fault *f)
{
	for (unsigned tries = 0;; tries++) {
		enum err e = ask_piece(g, x, ret, f);
		if (e != ERR_BUSY || tries == BUSY_MAX || gate_rest(g, BUSY_MS, NULL))
			return e;
		*f = (struct fault){0};
	}
}

static enum err read_piece(json_t *result, struct coming *x, struct buf *ret, struct fault *f)
{
	const char *text = json_string_value(json_object_get(result, "der")),
		   *hash = json_string_value(json_object_get(result, "sha256"));
	json_int_t size = json_integer_value(json_object_get(result, "size"));
	uint8_t told[32];
	if (!text || !base64_decode(text, strlen(text), ret) || ret->len == 0 || !hash ||
	    !hex_decode(hash, strlen(hash), told, 32))
		return fault_raise(f, ERR_NET, "crl_form", "crl.get", "the desk's answer has no piece of a CRL");
	if (size <= 0 || (uint64_t)size > CRL_MAX_BYTES || (x->have > 0 && (uint64_t)size != x->size) ||
	    ret->len > (uint64_t)size - x->have)
		return fault_raise(f, ERR_NET, "crl_form", "crl.get",
				   "found a size of %lld bytes, %llu were there already", (long long)size,
				   (unsigned long long)x->have);
	x->size = (uint64_t)size;
	if (x->have == 0)
		memcpy(x->sha256, told, 32);
	return OK;
}

static enum err keep(struct coming *x, struct slice piece, struct fault *f)
{
	if (EVP_DigestUpdate(x->md, piece.p, piece.n) != 1)
		abort();
	for (size_t n = 0; n < piece.n;) {
		ssize_t did = write(x->fd, piece.p + n, piece.n - n);
		if (did < 0 && errno != EINTR)
			return fault_raise(f, errno == ENOSPC ? ERR_BUSY : ERR_IO,
					   errno == ENOSPC ? "disk_full" : "crl_write", "crl", "cannot be written: %s",
					   strerror(errno));
		n += did > 0 ? (size_t)did : 0;
	}
	x->have += piece.n;
	return OK;
}

static enum err finish(const struct coming *x, struct fault *f)
{
	uint8_t hash[32];
	if (EVP_DigestFinal_ex(x->md, hash, NULL) != 1)
		abort();
	if (memcmp(hash, x->sha256, 32) != 0)
		return fault_raise(f, ERR_NET, "crl_form", "crl.get",
				   "the pieces are not the CRL whose SHA-256 was told");
	return fsync(x->fd) == 0 ? OK
				 : fault_raise(f, ERR_IO, "crl_write", "crl", "cannot be flushed: %s", strerror(errno));
}

/* *ret_same: the one that is served is it. */
static enum err fetch_pieces(struct gate *g, struct crls *c, struct coming *x, bool *ret_same, struct fault *f)
{
	*ret_same = false;
	do {
		_cleanup_(json_freep) json_t *result = NULL;
		_cleanup_buf_ struct buf piece = {0};
		bool first = x->have == 0;
		TRY(get_piece(g, x, &result, f));
		TRY(read_piece(result, x, &piece, f));
		*ret_same = first && crls_has(c, x->scope, x->sha256);
		if (*ret_same)
			return OK;
		TRY(keep(x, buf_slice(&piece), f));
	} while (x->have < x->size);
	return finish(x, f);
}

static enum err fetch_into(struct gate *g, struct crls *c, uint32_t scope, const char *beside, bool *ret_same,
			   struct fault *f)
{
	_cleanup_(closep) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct coming x = {.issuer = crls_issuer(c), .scope = scope, .fd = fd, .md = md};
	if (!md || EVP_DigestInit_ex2(md, EVP_sha256(), NULL) != 1)
		abort();
	if (fd < 0)
		return fault_raise(f, ERR_IO, "crl_write", "crl", "%s: cannot be made: %s", beside, strerror(errno));
	return fetch_pieces(g, c, &x, ret_same, f);
}

static enum err fetch(struct gate *g, struct crls *c, uint32_t scope, struct fault *f)
{
	_cleanup_(freep) char *beside = crls_beside(c, scope);
	bool same = false;
	enum err e = OK;
	for (unsigned begun = 0; begun < BEGIN_MAX; begun++) {
		*f = (struct fault){0};
		e = fetch_into(g, c, scope, beside, &same, f);
		if (e != ERR_CONFLICT)
			break;
	}
	if (e == OK && !same)
		return crls_take_file(g, c, scope, beside, f);
	unlink(beside);
	return e;
}

enum err crls_fetch(struct gate *g, struct crls *c, struct fault *f)
{
	enum err full = fetch(g, c, WIRE_FULL_CRL, f), e = OK;
	for (uint32_t shard = 0; shard < GATE_CRLS_MAX; shard++) {
		struct fault one = {0};
		enum err err = fetch(g, c, shard, &one);
		if (err == ERR_NOT_FOUND)
			break;
		if (err != OK && e == OK) {
			e = err;
			*f = full == OK ? one : *f;
		}
		if (err == ERR_NET)
			break;
	}
	return full != OK ? full : e;
}

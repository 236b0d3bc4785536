/*
 * A receipt's check as the gate does it for whoever asks, and the two entries of the ledger behind it. The input is flags
 * and five parts: the issuing CA's certificate that the gate has, the key in the receipt, the intent, the outcome, the
 * certificate. The checkpoint over the entries is signed right here, since a signer that was taken over can do so too.
 * What holds, holds for libcrypto as well.
 */
#include "tests/fuzz/mutate.h"

#include "common/base/log.h"
#include "common/pki/der.h"
#include "common/receipt/receipt_proof.h"
#include "common/rpc/json.h"
#include "ra/gate/routes.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sodium.h>

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

#define ORIGIN "hufu/log/1f00000000000000000000000000000000000000"
enum { OTHER_CERT = 1, OTHER_TALLY = 2, FLAGS = 3 };
enum part { PART_CA, PART_KEY, PART_INTENT, PART_OUTCOME, PART_CERT, PARTS };

static uint8_t secret[ED25519_SECRET];
static struct gate gate;

static void open_once(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = {7};
	_cleanup_buf_ struct buf vkey = {0};
	uint8_t public[ED25519_KEY];
	if (gate.log_key.origin[0])
		return;
	must(sodium_init() >= 0 && crypto_sign_seed_keypair(public, secret, seed) == 0);
	note_vkey_put(ORIGIN, public, &vkey);
	must(log_key_parse(buf_slice(&vkey), &gate.log_key, NULL) == OK);
}

/* The length of each but the last stands before it, in two octets; what is missing is empty. */
static void read_parts(struct slice s, struct slice v[PARTS])
{
	for (size_t i = 0; i < PARTS; i++) {
		bool has_length = i < PARTS - 1 && s.n >= 2;
		size_t n = has_length ? (size_t)(s.p[0] << 8 | s.p[1]) : s.n;
		s = has_length ? slice_of(s.p + 2, s.n - 2) : s;
		v[i] = slice_of(s.p, n < s.n ? n : s.n);
		s = slice_of(s.p + v[i].n, s.n - v[i].n);
	}
}

static void put_parts(uint8_t flags, const struct slice v[PARTS], struct buf *ret)
{
	buf_char(ret, (char)flags);
	for (size_t i = 0; i < PARTS; i++) {
		if (i < PARTS - 1) {
			buf_char(ret, (char)(v[i].n >> 8));
			buf_char(ret, (char)v[i].n);
		}
		buf_add_slice(ret, v[i]);
	}
}

static bool mutate_parts(struct mutation *m, struct slice bytes, struct buf *ret)
{
	struct slice v[PARTS];
	_cleanup_buf_ struct buf other = {0};
	if (bytes.n == 0)
		return false;
	read_parts(slice_of(bytes.p + 1, bytes.n - 1), v);
	size_t i = mutation_below(m, PARTS);
	if (i == PART_INTENT || i == PART_OUTCOME || !mutate_der(m, v[i], &other))
		mutation_bytes(m, v[i], &other);
	v[i] = slice_of(other.data, other.len < 0xffff ? other.len : 0xffff);
	put_parts(bytes.p[0], v, ret);
	return true;
}

MUTATES(mutate_parts)

static void put_entry(struct receipt_entry *e, uint64_t index, struct slice body, const uint8_t beside[32])
{
	e->index = index;
	buf_add_slice(&e->body, body);
	memcpy(e->path[0], beside, 32);
	e->path_len = 1;
}

/* A ledger of two entries. */
static void make_receipt(uint8_t flags, const struct slice v[PARTS], struct buf *ret)
{
	struct receipt *r = xcalloc(1, sizeof(*r));
	struct wire_e_intent intent;
	struct checkpoint head = {.origin = ORIGIN, .size = 2};
	merkle_hash leaves[2];
	merkle_leaf(v[PART_INTENT], leaves[0]);
	merkle_leaf(v[PART_OUTCOME], leaves[1]);
	merkle_node(leaves[0], leaves[1], head.root);
	must(checkpoint_sign(&head, note_signer_of(secret), &r->checkpoint, NULL) == OK);
	put_entry(&r->intent, 0, v[PART_INTENT], leaves[1]);
	put_entry(&r->outcome, 1, v[PART_OUTCOME], leaves[0]);
	buf_add_slice(&r->issuer_key, v[PART_KEY]);
	if (!(flags & OTHER_CERT))
		sha256(v[PART_CERT].p, v[PART_CERT].n, r->cert_sha256);
	if (!(flags & OTHER_TALLY) && wire_e_intent_get(v[PART_INTENT], &intent, NULL) == OK)
		memcpy(r->tally, intent.tally, TALLY_ID);
	receipt_put(r, ret);
	receipt_done(r);
	free(r);
}

static void check_good(const struct slice v[PARTS])
{
	const uint8_t *p = v[PART_CERT].p, *q = v[PART_CA].p;
	_cleanup_(x509_freep) X509 *cert = d2i_X509(NULL, &p, (long)v[PART_CERT].n);
	_cleanup_(x509_freep) X509 *ca = d2i_X509(NULL, &q, (long)v[PART_CA].n);
	must(cert && ca && X509_verify(cert, X509_get0_pubkey(ca)) == 1);
	ERR_clear_error();
}

static void ask(uint8_t flags, const struct slice v[PARTS])
{
	_cleanup_buf_ struct buf receipt = {0}, pem = {0}, body = {0};
	_cleanup_(json_freep) json_t *o = NULL, *answer = NULL;
	struct http_reply to = {0};
	make_receipt(flags, v, &receipt);
	pem_put(&pem, "CERTIFICATE", v[PART_CERT]);
	o = json_pack("{s:s,s:s}", "certificate", buf_text(&pem), "receipt", buf_text(&receipt));
	must(o);
	json_write(o, &body);
	must(receipt_answer(&gate, &(struct http_request){.method = "POST", .body = buf_slice(&body)}, &to));
	must(json_read(buf_slice(&to.body), &(struct json_limits){1 << 16, 8, 100}, &answer, NULL) == OK);
	json_t *good = json_object_get(answer, "good");
	must(to.status == 0 ? json_is_boolean(good) : to.status == 400 && !good);
	must(!json_is_false(good) || json_string_length(json_object_get(answer, "reason")) > 0);
	must(!json_is_true(good) || flags == 0);
	if (json_is_true(good))
		check_good(v);
	buf_done(&to.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice v[PARTS];
	if (size == 0)
		return 0;
	open_once();
	read_parts(slice_of(data + 1, size - 1), v);
	struct gate_cert *ca = &gate.issuers[0].ca;
	gate.n_issuers = cert_parse(v[PART_CA], &ca->cert, NULL) == OK;
	ask(data[0] & FLAGS, v);
	cert_done(&ca->cert);
	return 0;
}

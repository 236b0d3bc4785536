/*
 * What clients read on the way of a PUK: a box, what is inside one, an unlock that the desk offers, and the file in which
 * an unlock waits. What opens can be sealed again, and says the same.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/rpc/json.h"
#include "tools/hufu/escrow.h"
#include "tools/hufu/unlock_client.h"

#include <sodium.h>

#define SERIAL "7F3A00112233CDEF"

static struct escrow_key desk;

static void make_key(void)
{
	static const uint8_t seed[crypto_box_SEEDBYTES] = {1};
	if (desk.secret.n > 0)
		return;
	must(sodium_init() >= 0);
	secret_alloc(&desk.secret, PUK_KEY);
	must(crypto_box_seed_keypair(desk.key, desk.secret.p, seed) == 0);
}

/* As an officer's or a holder's client opens it. */
static void open_box(struct slice box)
{
	_cleanup_(puk_set_done) struct puk_set set = {0}, again = {0};
	_cleanup_buf_ struct buf sealed = {0};
	struct fault f = {0};
	enum err e = puk_open(desk.key, &desk.secret, SERIAL, box, &set, &f);
	if (e != OK) {
		must(set.n == 0);
		must_refuse(e, &f);
		return;
	}
	must(puk_seal(desk.key, SERIAL, &set, &sealed, &f) == OK && sealed.len == box.n);
	must(puk_open(desk.key, &desk.secret, SERIAL, buf_slice(&sealed), &again, &f) == OK && again.n == set.n);
	for (size_t i = 0; i < set.n; i++)
		must_be(slice_of(again.puk[i].p, again.puk[i].n), slice_of(set.puk[i].p, set.puk[i].n));
}

static void inside(struct slice text)
{
	_cleanup_buf_ struct buf box = {0};
	struct puk_key to;
	puk_key_from(desk.key, &to);
	buf_add(&box, to.id, PUK_KEY_ID);
	buf_reserve(&box, crypto_box_SEALBYTES + text.n);
	must(crypto_box_seal(box.data + box.len, text.p, text.n, desk.key) == 0);
	box.len += crypto_box_SEALBYTES + text.n;
	open_box(buf_slice(&box));
}

/* An officer's client: the desk's JSON, the key that asks, the PUK in base64. */
static void offer(struct slice text)
{
	static const struct json_limits limits = {65536, 8, 1000};
	_cleanup_(json_freep) json_t *o = NULL;
	_cleanup_(puk_set_done) struct puk_set held = {0}, one = {.n = 1};
	_cleanup_buf_ struct buf box = {0};
	const char *token = NULL;
	uint8_t key[PUK_KEY];
	struct fault f = {0};
	if (json_read(text, &limits, &o, &f) != OK || unlock_offer_read(o, &token, key, &f) != OK)
		return;
	must(puk_serial_ok(token));
	enum err e = escrow_open(&desk, token, json_string_value(json_object_get(o, "puk")), &held, &f);
	must(e == OK || held.n == 0);
	puk_make(8, &one.puk[0]);
	e = puk_seal(key, token, &one, &box, &f);
	must(e == OK ? box.len > 0 : e == ERR_CRYPTO && box.len == 0);
}

/* The holder's own file. */
static void file(struct slice text)
{
	_cleanup_(unlock_client_done) struct unlock_client u = {0}, v = {0};
	_cleanup_buf_ struct buf in = {0}, once = {0}, twice = {0};
	struct fault f = {0};
	buf_add_slice(&in, text);
	if (unlock_client_parse(&in, &u, &f) != OK) {
		must_refuse(ERR_PARSE, &f);
		return;
	}
	unlock_client_put(&u, &once);
	must(unlock_client_parse(&once, &v, &f) == OK);
	unlock_client_put(&v, &twice);
	must_be(buf_slice(&twice), buf_slice(&once));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	make_key();
	open_box(text);
	inside(text);
	offer(text);
	file(text);
	return 0;
}

/*
 * The provider of online payments: the address that a payer is sent to, and the call that says the money has come.
 *
 * The call is brought by the portal and believed for its HMAC alone. The text under it names each value on a line of
 * its own; a nonce counts once and the time must be near, so what was overheard is worth nothing; and the provider's
 * transaction counts once whatever nonce it comes under, so a provider that calls again gets the same answer.
 */
#include "ra/payment.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <sodium.h>
#include <string.h>

#define SIGNATURE_HEX (2 * crypto_auth_hmacsha256_BYTES)

/* --- the way there --- */

static void put_encoded(struct buf *b, const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (; *text; text++) {
		if (strchr(unreserved, *text))
			buf_char(b, *text);
		else
			buf_fmt(b, "%%%02X", (unsigned char)*text);
	}
}

struct part {
	const char *word, *value;
};

/* The template with each {word} replaced. Words without a part were refused with the configuration. */
static void fill(const char *template, const struct part *parts, size_t n, struct buf *ret)
{
	while (*template) {
		size_t i = 0;
		while (i < n && strncmp(template, parts[i].word, strlen(parts[i].word)) != 0)
			i++;
		if (i == n) {
			buf_char(ret, *template ++);
			continue;
		}
		put_encoded(ret, parts[i].value);
		template += strlen(parts[i].word);
	}
}

void payment_url(const struct provider *p, const struct order *o, struct buf *ret)
{
	_cleanup_buf_ struct buf back = {0};
	char fen[24], yuan[24];
	long long amount = (long long)o->amount_fen;
	snprintf(fen, sizeof(fen), "%lld", amount);
	snprintf(yuan, sizeof(yuan), "%lld.%02lld", amount / 100, amount % 100);
	fill(p->return_url, (const struct part[]){{"{order}", o->id}}, 1, &back);
	const struct part parts[] = {
		{"{order}", o->id}, {"{amount}", fen}, {"{yuan}", yuan}, {"{return}", buf_text(&back)}};
	fill(p->url, parts, sizeof(parts) / sizeof(parts[0]), ret);
}

/* --- the call --- */

void callback_text(const struct callback *b, struct buf *ret)
{
	buf_fmt(ret, "hufu/payment/v1\norder: %s\namount: %lld\ntransaction: %s\ntime: %s\nnonce: %s\n", b->order,
		(long long)b->amount_fen, b->transaction, b->time, b->nonce);
}

/* Letters, digits and a few signs: nothing that could end a line of the signed text. */
static enum err word(const struct ctx *c, const char *name, const char **ret, struct fault *f)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:";
	const char *text = param_text(c, name);
	char where[48];
	snprintf(where, sizeof(where), "params.%s", name);
	if (strspn(text, letters) != strlen(text))
		return fault_raise(f, ERR_PARSE, "callback_form", where,
				   "found %s \"%s\", wanted letters, digits and -._: alone", name,
				   ESC(text, strlen(text)));
	*ret = text;
	return OK;
}

static enum err check_signature(const struct ctx *c, const struct callback *b, struct fault *f)
{
	const struct secret *key = &c->desk->provider_secret;
	const char *hex = param_text(c, "signature");
	uint8_t said[crypto_auth_hmacsha256_BYTES], wanted[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state h;
	_cleanup_buf_ struct buf text = {0};
	callback_text(b, &text);
	crypto_auth_hmacsha256_init(&h, key->p, key->n);
	crypto_auth_hmacsha256_update(&h, text.data, text.len);
	crypto_auth_hmacsha256_final(&h, wanted);
	sodium_memzero(&h, sizeof(h));
	if (strlen(hex) == SIGNATURE_HEX && hex_decode(hex, SIGNATURE_HEX, said, sizeof(said)) &&
	    sodium_memcmp(said, wanted, sizeof(said)) == 0)
		return OK;
	return fault_raise(f, ERR_CRYPTO, "callback_signature", "params.signature",
			   "the HMAC-SHA256 does not hold over order %s, %lld fen, transaction %s", b->order,
			   (long long)b->amount_fen, b->transaction);
}

static enum err check_time(const struct ctx *c, const struct callback *b, struct fault *f)
{
	int64_t at = 0;
	if (!time_parse_utc(b->time, strlen(b->time), &at))
		return fault_raise(f, ERR_PARSE, "callback_form", "params.time",
				   "found time \"%s\", wanted as 2026-11-23T00:00:00Z", ESC(b->time, strlen(b->time)));
	if (at >= c->now - CALLBACK_WINDOW_S && at <= c->now + CALLBACK_WINDOW_S)
		return OK;
	return fault_raise(f, ERR_RULE, "callback_time", "params.time",
			   "found %s, wanted within %d seconds of %s: sign the call anew", b->time, CALLBACK_WINDOW_S,
			   UTC(c->now));
}

static enum err use_nonce(struct ctx *c, const struct callback *b, struct fault *f)
{
	enum err e = store_nonce_use(c->db, b->nonce, c->now, f);
	if (e != ERR_CONFLICT)
		return e;
	return fault_raise(f, ERR_RULE, "callback_nonce", "params.nonce",
			   "nonce %s was used before: sign the call anew, with another", b->nonce);
}

static enum err read_callback(struct ctx *c, struct callback *ret, struct fault *f)
{
	if (!c->desk->config.has_provider)
		return fault_raise(f, ERR_RULE, "provider_missing", "provider", "the desk takes no payments online");
	ret->amount_fen = param_number(c, "amount_fen", -1);
	TRY(word(c, "order", &ret->order, f));
	TRY(word(c, "transaction", &ret->transaction, f));
	TRY(word(c, "time", &ret->time, f));
	TRY(word(c, "nonce", &ret->nonce, f));
	TRY(check_signature(c, ret, f));
	TRY(check_time(c, ret, f));
	return use_nonce(c, ret, f);
}

static enum err take(struct ctx *c, struct order *o, const struct callback *b, struct payment *ret, struct fault *f)
{
	char id[PAYMENT_ID_MAX + 1];
	snprintf(id, sizeof(id), "provider:%s", b->transaction);
	enum err e = store_payment_get(c->db, id, ret, f);
	if (e == OK && strcmp(ret->order, o->id) != 0)
		return fault_raise(f, ERR_CONFLICT, "transaction_used", "params.transaction",
				   "transaction %s has paid another order", b->transaction);
	if (b->amount_fen != o->amount_fen) {
		/* The provider has taken that much: somebody must look. */
		log_audit("payment_amount", "order=%s transaction=%s amount_fen=%lld wanted_fen=%lld", o->id,
			  b->transaction, (long long)b->amount_fen, (long long)o->amount_fen);
		return fault_raise(f, ERR_RULE, "payment_amount", "params.amount_fen",
				   "found %lld fen, wanted the %lld of order %s", (long long)b->amount_fen,
				   (long long)o->amount_fen, o->id);
	}
	if (e != ERR_NOT_FOUND)
		return e;
	TRY(payment_take(c, o, id, f));
	return store_payment_get(c->db, id, ret, f);
}

enum err order_callback(struct ctx *c, json_t **ret, struct fault *f)
{
	struct callback b = {0};
	struct order o = {0};
	struct payment p = {0};
	TRY(read_callback(c, &b, f));
	TRY(order_any(c, &o, f));
	TRY(take(c, &o, &b, &p, f));
	*ret = json_object();
	json_object_set_new(*ret, "order", json_string(o.id));
	json_object_set_new(*ret, "state", json_string(o.state));
	json_object_set_new(*ret, "payment", json_string(p.state));
	return OK;
}

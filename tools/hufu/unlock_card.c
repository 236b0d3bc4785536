/*
 * The order is what keeps a token from being lost: the next PUK is with the desk, and in the client's own file, before it is on
 * the token. Next: unlock_client.h, cmd_token_unlock.c, agent_unlock.c.
 */
#include "tools/hufu/unlock_card.h"

#include "common/token/token_admin.h"
#include "tools/hufu/token_start.h"

#include <string.h>

#define KEYS_MAX 16

void unlock_card_done(struct unlock_card *k)
{
	puk_set_done(&k->known);
	secret_done(&k->next);
}

enum err unlock_card_open(struct unlock_card *k, struct fault *f)
{
	_cleanup_(puk_set_done) struct puk_set next = {0};
	const struct unlock_client *u = k->u;
	TRY(puk_open(u->key, &u->secret, u->serial, buf_slice(&u->taken), &k->known, f));
	if (u->next.len == 0)
		return OK;
	TRY(puk_open(u->key, &u->secret, u->serial, buf_slice(&u->next), &next, f));
	k->next = next.puk[0];
	next.puk[0] = (struct secret){0};
	return OK;
}

enum err unlock_card_login(struct unlock_card *k, const struct secret **ret, struct fault *f)
{
	enum err e = ERR_DENIED;
	for (size_t i = 0; i < k->known.n && e == ERR_DENIED; i++) {
		*ret = &k->known.puk[i];
		e = token_puk_login(k->token, *ret, f);
		if (e == ERR_DENIED && strcmp(f->rule, "puk_wrong") != 0)
			return e;
	}
	if (e == ERR_DENIED && k->next.n > 0) {
		*ret = &k->next;
		e = token_puk_login(k->token, *ret, f);
		k->at_next = e == OK;
	}
	return e;
}

enum err unlock_card_next(struct unlock_card *k, const char *token_key, struct buf *ret, struct fault *f)
{
	_cleanup_(puk_set_done) struct puk_set s = {.n = 1};
	_cleanup_buf_ struct buf box = {0};
	struct token_info info = {0};
	struct puk_key desk;
	TRY(puk_key_load(token_key, &desk, f));
	TRY(token_info_read(k->token, &info, f));
	if (k->next.n == 0)
		puk_make(info.pin_max > 0 && info.pin_max < TOKEN_PUK_LENGTH ? info.pin_max : TOKEN_PUK_LENGTH,
			 &k->next);
	secret_alloc(&s.puk[0], k->next.n);
	memcpy(s.puk[0].p, k->next.p, k->next.n);
	TRY(puk_seal(desk.key, k->u->serial, &s, &box, f));
	buf_base64(ret, box.data, box.len);
	buf_clear(&k->u->next);
	return puk_seal(k->u->key, k->u->serial, &s, &k->u->next, f);
}

enum err unlock_card_set(struct unlock_card *k, const struct secret *puk, const struct secret *pin, struct fault *f)
{
	TRY(token_pin_init(k->token, pin, f));
	TRY(token_start_clear(k->token, f));
	if (!k->at_next)
		TRY(token_pin_change(k->token, puk, &k->next, f));
	token_logout(k->token);
	return OK;
}

enum err unlock_card_try(struct unlock_card *k, const struct secret *pin, size_t *ret_n, struct fault *f)
{
	struct pubkey keys[KEYS_MAX] = {0};
	enum err e = token_login(k->token, pin, f);
	if (e == OK)
		e = token_public_keys(k->token, keys, KEYS_MAX, ret_n, f);
	for (size_t i = 0; i < *ret_n; i++) {
		if (e == OK)
			e = token_try(k->token, &keys[i], f);
		pubkey_done(&keys[i]);
	}
	return e;
}

bool unlock_is_over(const struct fault *f)
{
	return strcmp(f->rule, "puk_wrong") == 0 || strcmp(f->rule, "puk_locked") == 0 ||
	       strcmp(f->rule, "puk_serial") == 0 || strcmp(f->rule, "puk_open") == 0;
}

/*
 * What a token's administrator does: PKCS#11 calls her the security officer, and her PIN is the PUK. Next: token_make.c.
 */
#include "common/token/token_admin.h"

#include "common/token/token_private.h"

#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define SLOTS_MAX 256
#define LABEL_BYTES 32

static void info_of(const CK_TOKEN_INFO *in, struct token_info *ret)
{
	const struct {
		struct slice from;
		char *to;
		size_t size;
	} texts[] = {
		{token_field(in->serialNumber, sizeof in->serialNumber), ret->serial, sizeof ret->serial},
		{token_field(in->label, sizeof in->label), ret->label, sizeof ret->label},
		{token_field(in->model, sizeof in->model), ret->model, sizeof ret->model},
		{token_field(in->manufacturerID, sizeof in->manufacturerID), ret->maker, sizeof ret->maker},
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		text_escape(texts[i].from.p, texts[i].from.n, texts[i].to, texts[i].size);
	ret->initialized = in->flags & CKF_TOKEN_INITIALIZED;
	ret->pin_set = in->flags & CKF_USER_PIN_INITIALIZED;
	ret->pin_locked = in->flags & CKF_USER_PIN_LOCKED;
	ret->pin_final_try = in->flags & CKF_USER_PIN_FINAL_TRY;
	ret->pin_low = in->flags & CKF_USER_PIN_COUNT_LOW;
	ret->pin_min = in->ulMinPinLen;
	ret->pin_max = in->ulMaxPinLen;
}

enum err token_info_read(struct token *t, struct token_info *ret, struct fault *f)
{
	CK_TOKEN_INFO info = {0};
	CK_RV rv = t->fn->C_GetTokenInfo(t->slot, &info);
	if (rv != CKR_OK)
		return token_failed(t, "C_GetTokenInfo", rv, f);
	info_of(&info, ret);
	return OK;
}

static enum err each_in(const CK_FUNCTION_LIST *fn, void (*said)(void *arg, const struct token_info *info), void *arg,
			struct fault *f)
{
	CK_SLOT_ID ids[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	CK_RV rv = fn->C_GetSlotList(CK_TRUE, ids, &n);
	if (rv != CKR_OK)
		return fault_raise(f, ERR_IO, "token_failed", "token", "C_GetSlotList answered 0x%lx", rv);
	for (CK_ULONG i = 0; i < n; i++) {
		CK_TOKEN_INFO info = {0};
		struct token_info out = {0};
		if (fn->C_GetTokenInfo(ids[i], &info) != CKR_OK)
			continue;
		info_of(&info, &out);
		said(arg, &out);
	}
	return OK;
}

enum err token_each(const char *module, void (*fn)(void *arg, const struct token_info *info), void *arg,
		    struct fault *f)
{
	struct token_module *m = NULL;
	TRY(token_module_open(module ? module : token_module_default, &m, f));
	enum err e = each_in(m->fn, fn, arg, f);
	token_module_free(m);
	return e;
}

/* --- initialising --- */

enum err token_initialise(struct token *t, const struct secret *puk, const char *label, struct fault *f)
{
	unsigned char padded[LABEL_BYTES];
	size_t n = strlen(label);
	if (n == 0 || n > LABEL_BYTES)
		return fault_raise(f, ERR_PARSE, "token_label", "--label", "found a label of %zu bytes, wanted 1 to %d",
				   n, LABEL_BYTES);
	memset(padded, ' ', sizeof padded);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): blanks end it (PKCS #11 5.5, C_InitToken) */
	memcpy(padded, label, n);
	CK_RV rv = t->fn->C_InitToken(t->slot, puk->p, puk->n, padded);
	if (rv != CKR_OK)
		return token_puk_failed(t, rv, f);
	text_escape((const uint8_t *)label, n, t->name, sizeof t->name);
	TRY(token_session(t, true, f));
	return token_puk_login(t, puk, f);
}

enum err token_puk_login(struct token *t, const struct secret *puk, struct fault *f)
{
	CK_RV rv = t->fn->C_Login(t->session, CKU_SO, puk->p, puk->n);
	if (rv != CKR_OK)
		return token_puk_failed(t, rv, f);
	t->logged_in = true;
	return OK;
}

enum err token_pin_init(struct token *t, const struct secret *pin, struct fault *f)
{
	CK_RV rv = t->fn->C_InitPIN(t->session, pin->p, pin->n);
	return rv == CKR_OK ? OK : token_new_pin_failed(t, "C_InitPIN", rv, f);
}

enum err token_pin_change(struct token *t, const struct secret *old, const struct secret *new_one, struct fault *f)
{
	CK_RV rv = t->fn->C_SetPIN(t->session, old->p, old->n, new_one->p, new_one->n);
	return rv == CKR_OK ? OK : token_new_pin_failed(t, "C_SetPIN", rv, f);
}

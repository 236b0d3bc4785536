/*
 * What a module's answers mean to the holder of a token. One table, so that each answer that people can do something
 * about has its own word and says what to do. PKCS#11 2.40, 5.1.
 */
#include "common/token/token_private.h"

#define LOCKED                                                                                                              \
	"the PIN is locked: only the token's administrator can set a new one (PIN 已锁定，须申请解锁: hufu token " \
	"unlock)"
#define PULLED "the token was pulled out or reset; nothing was sent: plug it in and start again"

static const struct {
	CK_RV rv;
	enum err kind;
	const char *rule, *text;
} known[] = {
	{CKR_PIN_INCORRECT, ERR_DENIED, "pin_wrong", "the PIN is wrong"},
	{CKR_PIN_INVALID, ERR_DENIED, "pin_wrong", "the PIN is wrong (characters that this token's PINs never have)"},
	{CKR_PIN_LEN_RANGE, ERR_DENIED, "pin_wrong", "the PIN is wrong (too short or too long for this token)"},
	{CKR_PIN_LOCKED, ERR_DENIED, "pin_locked", LOCKED},
	{CKR_PIN_EXPIRED, ERR_DENIED, "pin_expired", "the PIN has expired: set a new one with the token's own tool"},
	{CKR_USER_PIN_NOT_INITIALIZED, ERR_DENIED, "pin_unset", "its administrator has set no PIN for its holder yet"},
	{CKR_DEVICE_REMOVED, ERR_IO, "token_pulled", PULLED},
	{CKR_TOKEN_NOT_PRESENT, ERR_IO, "token_pulled", PULLED},
	{CKR_SESSION_HANDLE_INVALID, ERR_IO, "token_pulled", PULLED},
	{CKR_SESSION_CLOSED, ERR_IO, "token_pulled", PULLED},
	{CKR_FUNCTION_CANCELED, ERR_DENIED, "token_refused", "cancelled at the token"},
	{CKR_FUNCTION_REJECTED, ERR_DENIED, "token_refused", "refused at the token"},
	{CKR_KEY_FUNCTION_NOT_PERMITTED, ERR_DENIED, "key_use", "the key is there, but was made without leave to sign"},
	{CKR_DEVICE_MEMORY, ERR_IO, "token_full", "it is full: nothing more fits on it"},
	{CKR_MECHANISM_INVALID, ERR_NOT_FOUND, "mechanism_missing",
	 "it does not sign with this key in the way that the request wants"},
};

static enum err failed(const struct token *t, const char *call, CK_RV rv, const char *more, struct fault *f)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].rv == rv)
			return fault_raise(f, known[i].kind, known[i].rule, "token", "token \"%s\": %s%s", t->name,
					   known[i].text, more);
	return fault_raise(f, ERR_IO, "token_failed", "token", "token \"%s\": %s answered 0x%lx (PKCS#11 2.40, 5.1)",
			   t->name, call, rv);
}

/* In brackets, since tools/analyze.h has a macro of that name. */
enum err(token_failed)(const struct token *t, const char *call, CK_RV rv, struct fault *f)
{
	return failed(t, call, rv, "", f);
}

/* PKCS#11 tells no number, only flags; a token that keeps no count sets none of them. */
static const char *tries_left(CK_FLAGS flags)
{
	if (flags & CKF_USER_PIN_FINAL_TRY)
		return ": one try is left, then it locks (PIN 错误，只剩最后一次)";
	return flags & CKF_USER_PIN_COUNT_LOW ? ": more wrong ones will lock it (PIN 错误，再错将锁定)" : " (PIN 错误)";
}

/* --- the administrator's --- */

static const char *puk_tries_left(CK_FLAGS flags)
{
	if (flags & CKF_SO_PIN_FINAL_TRY)
		return ": one try is left, then the token is of no use (只剩最后一次)";
	return flags & CKF_SO_PIN_COUNT_LOW ? ": more wrong ones will lock it (再错将锁定)" : "";
}

enum err token_puk_failed(struct token *t, CK_RV rv, struct fault *f)
{
	CK_TOKEN_INFO info = {0};
	bool wrong = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE;
	if (!wrong && rv != CKR_PIN_LOCKED)
		return token_failed(t, "C_Login", rv, f);
	if (t->fn->C_GetTokenInfo(t->slot, &info) == CKR_OK)
		t->flags = info.flags;
	if (rv == CKR_PIN_LOCKED || (info.flags & CKF_SO_PIN_LOCKED))
		return fault_raise(f, ERR_DENIED, "puk_locked", "token",
				   "token \"%s\": the PUK is locked, nobody can unlock this token any more: ask for a "
				   "reissue (管理密码已锁定，请补办)",
				   t->name);
	return fault_raise(f, ERR_DENIED, "puk_wrong", "token", "token \"%s\": the PUK is wrong (管理密码错误)%s",
			   t->name, puk_tries_left(info.flags));
}

enum err token_new_pin_failed(const struct token *t, const char *call, CK_RV rv, struct fault *f)
{
	CK_TOKEN_INFO info = {0};
	if (rv == CKR_PIN_INCORRECT)
		return failed(t, call, rv, "", f);
	if (rv != CKR_PIN_INVALID && rv != CKR_PIN_LEN_RANGE)
		return token_failed(t, call, rv, f);
	if (t->fn->C_GetTokenInfo(t->slot, &info) != CKR_OK)
		return token_failed(t, call, rv, f);
	return fault_raise(f, ERR_DENIED, "pin_form", "token",
			   "token \"%s\" does not take the new PIN: wanted %lu to %lu characters (新 PIN 长度不符)",
			   t->name, info.ulMinPinLen, info.ulMaxPinLen);
}

/* In brackets, since tools/analyze.h has a macro of that name. */
enum err(token_login_failed)(struct token *t, CK_RV rv, struct fault *f)
{
	CK_TOKEN_INFO info = {0};
	bool wrong = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE;
	if (!wrong || t->fn->C_GetTokenInfo(t->slot, &info) != CKR_OK)
		return token_failed(t, "C_Login", rv, f);
	t->flags = info.flags;
	if (info.flags & CKF_USER_PIN_LOCKED)
		return token_failed(t, "C_Login", CKR_PIN_LOCKED, f);
	return failed(t, "C_Login", rv, tries_left(info.flags), f);
}

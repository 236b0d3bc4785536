/*
 * A start PIN is one that the desk's client made and somebody else has read or carried. That it is one stands on the token
 * itself, as a public data object, so that every client of its holder knows, also after a crash between two steps: it goes
 * when the holder has set another. Whoever makes the token's key, before it is anybody's, works with the start PIN.
 */
#include "tools/hufu/token_start.h"

#include "common/token/token_private.h"
#include "tools/hufu/subscriber.h"

#include <sodium.h>
#include <string.h>

#define APPLICATION "hufu"
#define LABEL "start PIN"
#define DIGITS 8

void start_pin_make(unsigned long min, unsigned long max, struct secret *ret)
{
	unsigned long n = DIGITS;
	if (n < min)
		n = min;
	if (max > 0 && n > max)
		n = max;
	secret_alloc(ret, n);
	for (unsigned long i = 0; i < n; i++)
		ret->p[i] = (uint8_t)('0' + randombytes_uniform(10));
}

static enum err find(struct token *t, struct token_objects *ret, struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
				   {CKA_APPLICATION, (void *)APPLICATION, strlen(APPLICATION)},
				   {CKA_LABEL, (void *)LABEL, strlen(LABEL)}};
	return token_objects(t, template, 3, ret, f);
}

enum err token_start_mark(struct token *t, struct fault *f)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_OBJECT_HANDLE made;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class},
				   {CKA_TOKEN, &yes, sizeof yes},
				   {CKA_PRIVATE, &no, sizeof no},
				   {CKA_APPLICATION, (void *)APPLICATION, strlen(APPLICATION)},
				   {CKA_LABEL, (void *)LABEL, strlen(LABEL)},
				   {CKA_VALUE, (void *)LABEL, strlen(LABEL)}};
	CK_RV rv = t->fn->C_CreateObject(t->session, template, sizeof template / sizeof template[0], &made);
	if (rv == CKR_OK)
		return OK;
	enum err e = token_failed(t, "C_CreateObject", rv, f);
	if (strcmp(f->rule, "token_failed") != 0)
		return e;
	return fault_raise(
		f, ERR_RULE, "token_mark", "token",
		"token \"%s\" takes no public data object (C_CreateObject answered 0x%lx), so its start PIN can't "
		"be marked as one: take another model (此型号不支持公共数据对象，无法标记初始 PIN)",
		t->name, rv);
}

enum err token_start_clear(struct token *t, struct fault *f)
{
	struct token_objects marks;
	TRY(find(t, &marks, f));
	for (CK_ULONG i = 0; i < marks.n; i++) {
		CK_RV rv = t->fn->C_DestroyObject(t->session, marks.handles[i]);
		if (rv != CKR_OK)
			return token_failed(t, "C_DestroyObject", rv, f);
	}
	return OK;
}

enum err token_start_is(struct token *t, bool *ret, struct fault *f)
{
	struct token_objects marks;
	TRY(find(t, &marks, f));
	*ret = marks.n > 0;
	return OK;
}

enum err token_start_refuse(struct token *t, struct fault *f)
{
	bool start = false;
	TRY(token_start_is(t, &start, f));
	if (!start)
		return OK;
	return fault_raise(
		f, ERR_RULE, "pin_start", "token",
		"token \"%s\" has its start PIN still: set one of your own first (请先修改初始 PIN: hufu token pin)",
		t->name);
}

enum err token_start_end(struct token *t, const struct secret *pin, const char *new_pin_fd, struct fault *f)
{
	_cleanup_secret_ struct secret next = {0};
	TRY(ask_secret(new_pin_fd, "--new-pin-fd", "New PIN, in the place of the start PIN: ", true, &next, f));
	return token_pin_replace(t, pin, &next, f);
}

enum err token_pin_replace(struct token *t, const struct secret *pin, const struct secret *next, struct fault *f)
{
	if (pin->n == next->n && sodium_memcmp(pin->p, next->p, pin->n) == 0)
		return fault_raise(f, ERR_RULE, "pin_same", "--new-pin-fd",
				   "the new PIN is the one of before: wanted another (新 PIN 与原 PIN 相同)");
	TRY(token_pin_change(t, pin, next, f));
	return token_start_clear(t, f);
}

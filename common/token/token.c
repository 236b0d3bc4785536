/*
 * Finding a token among those that are plugged in, and opening it. A token is named by its holder, and two that answer
 * to the name are an error: a signature by the wrong one could not be taken back. Next: token_key.c, token_sign.c.
 */
#include "common/token/token_private.h"

#include "common/base/cleanup.h"
#include "common/token/token_uri.h"

#include <string.h>

#define SLOTS_MAX 256
#define NAMES_SHOWN 8

struct slice token_field(const unsigned char *p, size_t n)
{
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\0'))
		n--;
	return slice_of(p, n);
}

static struct slice label_of(const CK_TOKEN_INFO *info)
{
	return token_field(info->label, sizeof info->label);
}

/* --- the slot --- */

struct search {
	const struct token_choice *choice;
	const struct token_uri *uri; /* NULL: by label */
	size_t n_fit, n_seen;
	struct buf seen, fit; /* for messages */
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
};
static void search_done(struct search *s)
{
	buf_done(&s->seen);
	buf_done(&s->fit);
}

/* RFC 7512 2.3: what is not named fits. */
static bool field_fits(const struct token_uri_value *want, const unsigned char *p, size_t n)
{
	return want->n == 0 || slice_eq(token_field(p, n), slice_of((const uint8_t *)want->text, want->n));
}

static bool uri_fits(const struct token_uri *u, const CK_TOKEN_INFO *info)
{
	return field_fits(&u->token, info->label, sizeof info->label) &&
	       field_fits(&u->serial, info->serialNumber, sizeof info->serialNumber) &&
	       field_fits(&u->manufacturer, info->manufacturerID, sizeof info->manufacturerID) &&
	       field_fits(&u->model, info->model, sizeof info->model);
}

static bool fits(const struct search *s, const CK_TOKEN_INFO *info)
{
	bool blank = !(info->flags & CKF_TOKEN_INITIALIZED);
	if (s->choice->blank)
		return blank;
	if (s->choice->serial)
		return slice_eq(token_field(info->serialNumber, sizeof info->serialNumber),
				slice_str(s->choice->serial));
	if (s->uri)
		return uri_fits(s->uri, info);
	return slice_eq(label_of(info), slice_str(s->choice->label));
}

static void add_name(struct buf *b, size_t n, const CK_TOKEN_INFO *info)
{
	struct slice label = label_of(info), serial = token_field(info->serialNumber, sizeof info->serialNumber);
	if (n > NAMES_SHOWN)
		return;
	buf_fmt(b, "%s\"%s\" (serial %s)", n > 1 ? ", " : "", ESC(label.p, label.n), ESC(serial.p, serial.n));
}

static void end_names(struct buf *b, size_t n)
{
	if (n > NAMES_SHOWN)
		buf_fmt(b, ", and %zu more", n - NAMES_SHOWN);
}

static void look_at(struct search *s, const CK_FUNCTION_LIST *fn, CK_SLOT_ID slot)
{
	CK_TOKEN_INFO info = {0};
	bool blanks = s->choice->use == TOKEN_CLOSED;
	if (fn->C_GetTokenInfo(slot, &info) != CKR_OK || (!blanks && !(info.flags & CKF_TOKEN_INITIALIZED)))
		return;
	add_name(&s->seen, ++s->n_seen, &info);
	if (!fits(s, &info))
		return;
	add_name(&s->fit, ++s->n_fit, &info);
	s->slot = slot;
	s->info = info;
}

static enum err look_at_all(struct search *s, const CK_FUNCTION_LIST *fn, struct fault *f)
{
	CK_SLOT_ID ids[SLOTS_MAX];
	CK_ULONG n = 0;
	CK_RV rv = fn->C_GetSlotList(CK_TRUE, NULL, &n); /* without room: the module looks what is plugged in */
	if (rv == CKR_OK) {
		n = SLOTS_MAX;
		rv = fn->C_GetSlotList(CK_TRUE, ids, &n);
	}
	if (rv != CKR_OK || n > SLOTS_MAX)
		return fault_raise(f, ERR_IO, "token_failed", "token",
				   "C_GetSlotList answered 0x%lx and %lu slots, wanted at most %d", rv, n, SLOTS_MAX);
	for (CK_ULONG i = 0; i < n; i++)
		look_at(s, fn, ids[i]);
	end_names(&s->seen, s->n_seen);
	end_names(&s->fit, s->n_fit);
	return OK;
}

static enum err find_slot(struct search *s, const CK_FUNCTION_LIST *fn, struct fault *f)
{
	const struct token_choice *c = s->choice;
	const char *name = c->blank    ? "(blank)"
			   : c->serial ? c->serial
			   : c->fields ? c->fields->serial.text
			   : c->uri    ? c->uri
				       : c->label;
	TRY(look_at_all(s, fn, f));
	if (s->n_fit == 1)
		return OK;
	if (c->fields && s->n_fit == 0)
		return fault_raise(f, ERR_NOT_FOUND, "token_absent", "token",
				   "no token with serial \"%s\"%s%s%s is there; found %s", ESC(name, strlen(name)),
				   c->fields->token.n ? " and label \"" : "",
				   c->fields->token.n ? ESC(c->fields->token.text, c->fields->token.n) : "",
				   c->fields->token.n ? "\"" : "", s->n_seen ? buf_text(&s->seen) : "none at all");
	if (s->n_fit > 1)
		return fault_raise(f, ERR_CONFLICT, "token_ambiguous", "token",
				   "%zu tokens answer to \"%s\": %s; pull one out, or name one by --token-uri "
				   "\"pkcs11:serial=…\"",
				   s->n_fit, ESC(name, strlen(name)), buf_text(&s->fit));
	return fault_raise(f, ERR_NOT_FOUND, "token_absent", "token", "no token \"%s\" is plugged in; found %s",
			   ESC(name, strlen(name)), s->n_seen ? buf_text(&s->seen) : "none at all");
}

/* --- opening --- */

static enum err open_session(struct token *t, const struct search *s, struct fault *f)
{
	struct slice label = label_of(&s->info);
	t->slot = s->slot;
	enum token_use use = s->choice->use;
	t->flags = s->info.flags;
	text_escape(label.p, label.n, t->name, sizeof t->name);
	if (use == TOKEN_CLOSED)
		return OK;
	if ((t->flags & CKF_USER_PIN_LOCKED) && use != TOKEN_ADMIN)
		return token_failed(t, "C_GetTokenInfo", CKR_PIN_LOCKED, f);
	return token_session(t, use != TOKEN_SIGN, f);
}

enum err token_session(struct token *t, bool writes, struct fault *f)
{
	CK_FLAGS flags = CKF_SERIAL_SESSION | (writes ? CKF_RW_SESSION : 0);
	CK_RV rv = t->fn->C_OpenSession(t->slot, flags, NULL, NULL, &t->session);
	if (rv != CKR_OK)
		return token_failed(t, "C_OpenSession", rv, f);
	t->has_session = true;
	return OK;
}

static enum err take_module(const struct token_choice *choice, const struct token_uri *uri, struct token *t,
			    struct fault *f)
{
	const char *path = choice->module ? choice->module : uri && uri->module.n ? uri->module.text : NULL;
	if (!choice->shared)
		TRY(token_module_open(path ? path : token_module_default, &t->module, f));
	t->fn = choice->shared ? choice->shared->fn : t->module->fn;
	return OK;
}

enum err token_open(const struct token_choice *choice, struct token **ret, struct fault *f)
{
	struct token_uri uri = {0};
	_cleanup_(search_done) struct search s = {.choice = choice, .uri = choice->fields};
	_cleanup_(token_closep) struct token *t = xcalloc(1, sizeof *t);
	if (choice->uri) {
		TRY(token_uri_parse(choice->uri, TOKEN_URI_TOKEN, "--token-uri", &uri, f));
		s.uri = &uri;
	}
	TRY(take_module(choice, s.uri, t, f));
	TRY(find_slot(&s, t->fn, f));
	TRY(open_session(t, &s, f));
	*ret = TAKE(t);
	return OK;
}

void token_close(struct token *t)
{
	if (!t)
		return;
	if (t->module)
		token_logout(t);
	if (t->has_session)
		t->fn->C_CloseSession(t->session);
	token_module_free(t->module);
	free(t);
}

void token_forget(struct token *t)
{
	free(t);
}

void token_logout(struct token *t)
{
	if (t->logged_in)
		t->fn->C_Logout(t->session);
	t->logged_in = false;
	t->pin = NULL;
}

const char *token_name(const struct token *t)
{
	return t->name;
}

/* --- the PIN --- */

enum token_login_way token_login_way(const struct token *t)
{
	if (!(t->flags & CKF_LOGIN_REQUIRED))
		return TOKEN_LOGIN_NONE;
	return t->flags & CKF_PROTECTED_AUTHENTICATION_PATH ? TOKEN_LOGIN_PAD : TOKEN_LOGIN_PIN;
}

const char *token_pin_warning(const struct token *t)
{
	if (t->flags & CKF_USER_PIN_FINAL_TRY)
		return "one try is left: another wrong PIN locks the token";
	return t->flags & CKF_USER_PIN_COUNT_LOW ? "a wrong PIN was entered before; more of them lock the token" : NULL;
}

enum err token_login(struct token *t, const struct secret *pin, struct fault *f)
{
	CK_RV rv = t->fn->C_Login(t->session, CKU_USER, pin ? pin->p : NULL, pin ? pin->n : 0);
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return token_login_failed(t, rv, f);
	t->logged_in = true;
	t->pin = pin;
	return OK;
}

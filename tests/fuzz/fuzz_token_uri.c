/*
 * PKCS#11 URIs: a value never overruns, text has no NUL within, and a refusal does not say a PIN.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/token/token_uri.h"

static void check_text(const struct token_uri_value *v)
{
	must(v->n <= TOKEN_URI_VALUE && strlen(v->text) == v->n);
}

static void try_uri(const char *text, enum token_uri_names names)
{
	struct token_uri u = {0};
	struct fault f = {0};
	enum err e = token_uri_parse(text, names, "key", &u, &f);
	if (e != OK) {
		const char *pin = strstr(text, "pin-value=");
		must_refuse(e, &f);
		must(!pin || strlen(pin) < 16 || !strstr(f.text, pin + 10));
		return;
	}
	must(is_token_uri(text) && !strstr(text, "pin-value="));
	check_text(&u.token);
	check_text(&u.serial);
	check_text(&u.manufacturer);
	check_text(&u.model);
	check_text(&u.object);
	check_text(&u.module);
	must(u.id.n <= TOKEN_URI_VALUE);
	if (names == TOKEN_URI_KEY)
		must(u.serial.n > 0 && (u.object.n > 0 || u.id.n > 0));
	else
		must(u.object.n == 0 && u.id.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xcalloc(size + 1, 1);
	if (size > 0)
		memcpy(text, data, size);
	try_uri(text, TOKEN_URI_TOKEN);
	try_uri(text, TOKEN_URI_KEY);
	return 0;
}

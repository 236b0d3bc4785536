/*
 * A PKCS#11 library, loaded. Of the token's files this is the one that calls on the operating system; another system
 * needs another one of these.
 */
#include "tools/hufu/token_private.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The proxy over the system's configured modules lives in p11-kit's own library. */
const char token_module_default[] = "libp11-kit.so.0";

static enum err not_loaded(const char *path, const char *why, struct fault *f)
{
	return fault_raise(f, ERR_CONFIG, "token_module", "--module", "%s: %s; wanted a PKCS#11 library",
			   ESC(path, strlen(path)), why);
}

static enum err load(const char *path, struct token_module *m, struct fault *f)
{
	char why[80];
	m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!m->library) {
		const char *said = dlerror();
		return not_loaded(path, said ? ESC(said, strlen(said)) : "not loaded", f);
	}
	CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(m->library, "C_GetFunctionList");
	if (!get)
		return not_loaded(path, "it has no C_GetFunctionList", f);
	CK_RV rv = get(&m->fn);
	if (rv == CKR_OK && m->fn && m->fn->version.major >= 2)
		return OK;
	snprintf(why, sizeof why, "C_GetFunctionList answered 0x%lx", rv);
	return not_loaded(path, why, f);
}

enum err token_module_open(const char *path, struct token_module *ret, struct fault *f)
{
	struct token_module m = {0};
	char why[80];
	enum err e = load(path, &m, f);
	if (e != OK) {
		token_module_close(&m);
		return e;
	}
	CK_RV rv = m.fn->C_Initialize(NULL);
	m.initialized = rv == CKR_OK;
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		token_module_close(&m);
		snprintf(why, sizeof why, "C_Initialize answered 0x%lx", rv);
		return not_loaded(path, why, f);
	}
	*ret = m;
	return OK;
}

void token_module_close(struct token_module *m)
{
	if (m->initialized)
		m->fn->C_Finalize(NULL);
	if (m->library)
		dlclose(m->library);
	*m = (struct token_module){0};
}

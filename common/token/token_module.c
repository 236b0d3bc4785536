/*
 * A PKCS#11 library, loaded. Of the token's files this is the one that calls on the operating system; another system
 * needs another one of these.
 */
#include "common/token/token_private.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

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

enum err token_module_load(const char *path, struct token_module **ret, struct fault *f)
{
	struct token_module *m = xcalloc(1, sizeof *m);
	m->path = xstrdup(path);
	enum err e = load(path, m, f);
	if (e != OK) {
		token_module_free(m);
		return e;
	}
	*ret = m;
	return OK;
}

/* PKCS#11 2.40, 5.4: several threads may be inside, by locks of the operating system. */
enum err token_module_start(struct token_module *m, struct fault *f)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	char why[80];
	if (m->initialized)
		return OK;
	CK_RV rv = m->fn->C_Initialize(&args);
	m->initialized = rv == CKR_OK;
	if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return OK;
	snprintf(why, sizeof why, "C_Initialize answered 0x%lx", rv);
	return not_loaded(m->path, why, f);
}

enum err token_module_restart(struct token_module *m, struct fault *f)
{
	if (m->initialized)
		m->fn->C_Finalize(NULL);
	m->initialized = false;
	return token_module_start(m, f);
}

enum err token_module_open(const char *path, struct token_module **ret, struct fault *f)
{
	struct token_module *m = NULL;
	TRY(token_module_load(path, &m, f));
	enum err e = token_module_start(m, f);
	if (e != OK) {
		token_module_free(m);
		return e;
	}
	*ret = m;
	return OK;
}

void token_module_free(struct token_module *m)
{
	if (!m)
		return;
	if (m->initialized)
		m->fn->C_Finalize(NULL);
	if (m->library)
		dlclose(m->library);
	free(m->path);
	free(m);
}

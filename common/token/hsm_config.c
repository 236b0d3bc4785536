/*
 * One table for all daemons that may have a key in a token, and what a table cannot say of a key's name.
 */
#include "common/token/hsm_config.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/token/token_uri.h"

const struct yaml_rule hsm_yaml_rules[] = {
	{.key = "module",
	 .kind = YK_STR,
	 .offset = offsetof(struct hsm_yaml, module),
	 .min = 1,
	 .max = 1000,
	 .help = "PKCS#11 library of the token"},
	{.key = "sessions",
	 .kind = YK_INT,
	 .offset = offsetof(struct hsm_yaml, sessions),
	 .min = 0,
	 .max = 256,
	 .def = 0,
	 .help = "signatures at once by one key; 0: as many as threads that sign"},
	{.key = "timeout_ms",
	 .kind = YK_INT,
	 .offset = offsetof(struct hsm_yaml, timeout_ms),
	 .min = 100,
	 .max = 120000,
	 .def = 5000,
	 .help = "how long a signature may take"},
	{.key = "extractable",
	 .kind = YK_BOOL,
	 .offset = offsetof(struct hsm_yaml, extractable),
	 .help = "take keys that could leave their token, with a warning"},
	{.key = "read",
	 .kind = YK_STRS,
	 .offset = offsetof(struct hsm_yaml, read),
	 .min = 1,
	 .max = 1000,
	 .help = "files and folders that the library reads"},
	{.key = "write",
	 .kind = YK_STRS,
	 .offset = offsetof(struct hsm_yaml, write),
	 .min = 1,
	 .max = 1000,
	 .help = "folders that the library writes in"},
	{.key = "ports",
	 .kind = YK_INTS,
	 .offset = offsetof(struct hsm_yaml, ports),
	 .min = 1,
	 .max = 65535,
	 .help = "TCP ports of a token in the network; without them a library has no network"},
	{0},
};
/* Gives: a list of paths, and its length. */
static char **paths_of(const char *tree, const struct yaml_strs *from, size_t *ret_n)
{
	char **paths = xcalloc(from->n ? from->n : 1, sizeof(*paths));
	for (size_t i = 0; i < from->n; i++)
		paths[i] = path_join(tree, from->v[i]);
	*ret_n = from->n;
	return paths;
}

void hsm_config_take(const struct hsm_yaml *y, const char *tree, unsigned sessions, struct hsm_config *t)
{
	t->module = y->module ? path_join(tree, y->module) : NULL;
	t->settings.module = t->module;
	t->settings.sessions = y->sessions ? (unsigned)y->sessions : sessions;
	t->settings.timeout_ms = (unsigned)y->timeout_ms;
	t->settings.extractable = y->extractable;
	t->read = paths_of(tree, &y->read, &t->n_read);
	t->write = paths_of(tree, &y->write, &t->n_write);
	t->ports = xcalloc(y->ports.n ? y->ports.n : 1, sizeof(*t->ports));
	t->n_ports = y->ports.n;
	for (size_t i = 0; i < y->ports.n; i++)
		t->ports[i] = (uint16_t)y->ports.v[i];
}

void hsm_config_done(struct hsm_config *c)
{
	for (size_t i = 0; i < c->n_read; i++)
		free(c->read[i]);
	for (size_t i = 0; i < c->n_write; i++)
		free(c->write[i]);
	free(c->module);
	free(c->read);
	free(c->write);
	free(c->ports);
	*c = (struct hsm_config){0};
}

enum err hsm_config_check(const struct yaml_doc *doc, const struct hsm_yaml *y, const char *const *key, struct fault *f)
{
	struct token_uri uri;
	struct fault why = {0};
	if (!is_token_uri(*key))
		return OK;
	if (token_uri_parse(*key, TOKEN_URI_KEY, "key", &uri, &why) != OK)
		return yaml_fault(doc, key, f, "config_key", "%s", why.text);
	if (uri.module.n)
		return yaml_fault(doc, key, f, "config_key",
				  "module-path has no effect here: the library of all keys is token.module");
	if (!y->module)
		return yaml_fault(doc, key, f, "config_key",
				  "a key in a token wants its PKCS#11 library: `token: {module: PATH}`");
	return OK;
}

void hsm_config_paths(const struct hsm_config *c, struct sandbox_path *ret)
{
	for (size_t i = 0; i < c->n_read; i++)
		*ret++ = (struct sandbox_path){c->read[i], SANDBOX_READ};
	for (size_t i = 0; i < c->n_write; i++)
		*ret++ = (struct sandbox_path){c->write[i], SANDBOX_STATE};
}

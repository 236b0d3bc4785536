/*
 * `token:` in a daemon's configuration: how it reaches keys in PKCS#11 tokens, and what the library opens inside its walls.
 */
#ifndef HUFU_TOKEN_HSM_CONFIG_H
#define HUFU_TOKEN_HSM_CONFIG_H

#include "common/base/sandbox.h"
#include "common/base/yaml.h"
#include "common/token/hsm.h"

/* As the file says it: borrows from the document. */
struct hsm_yaml {
	const char *module;
	int64_t sessions, timeout_ms;
	bool extractable;
	struct yaml_strs read, write;
	struct yaml_ints ports;
};
extern const struct yaml_rule hsm_yaml_rules[];

struct hsm_config {
	struct hsm_settings settings; /* borrows module */
	char *module;
	char **read, **write; /* what the library opens inside the walls */
	size_t n_read, n_write;
	uint16_t *ports;
	size_t n_ports;
};
/* Paths start at tree. sessions: where the file names none. Gives: hsm_config_done(). */
void hsm_config_take(const struct hsm_yaml *y, const char *tree, unsigned sessions, struct hsm_config *ret);
void hsm_config_done(struct hsm_config *c); /* accepts the zero state */
/* A key's place as a configuration names it: a path, which is good, or a URI that names one key, by the library of `token:`. ERR_CONFIG config_key. */
MUST_CHECK enum err hsm_config_check(const struct yaml_doc *doc, const struct hsm_yaml *y, const char *const *key, struct fault *f);
/* Its paths, into room for n_read + n_write. */
void hsm_config_paths(const struct hsm_config *c, struct sandbox_path *ret);

#endif

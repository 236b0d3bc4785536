/*
 * What the gate may open: a folder of its own, and to read what its answers are made of, where its role has any. It
 * connects to the desk's socket alone, and takes connections on the two that listen already. Next: main.c.
 */
#include "ra/gate/sandbox.h"

#include "common/base/sandbox.h"
#include "common/token/token_uri.h"

#include "common/base/cleanup.h"

enum err gate_sandbox_enter(const struct gate_config *c, int public_fd, int admin_fd, struct fault *f)
{
	const struct hsm_config *t = &c->token;
	const struct sandbox_path own[] = {
		{c->state, SANDBOX_STATE},	   {c->log_key, SANDBOX_READ},	 {c->issuer, SANDBOX_READ},
		{c->root, SANDBOX_READ},	   {c->documents, SANDBOX_READ}, {c->listen.path, SANDBOX_SOCKET},
		{c->metrics.path, SANDBOX_SOCKET}, {c->pin, SANDBOX_READ},	 {c->root_crl, SANDBOX_REREAD},
	};
	const size_t n_own = sizeof(own) / sizeof(own[0]);
	_cleanup_(freep) struct sandbox_path *paths =
		xcalloc(n_own + c->n_retired + c->n_keys + t->n_read + t->n_write, sizeof(*paths));
	const int keep[] = {public_fd, admin_fd};
	size_t n = 0;
	for (size_t i = 0; i < n_own; i++)
		paths[n++] = own[i];
	for (size_t i = 0; i < c->n_retired; i++)
		paths[n++] = (struct sandbox_path){c->retired[i], SANDBOX_READ};
	for (size_t i = 0; i < c->n_keys; i++)
		if (!is_token_uri(c->keys[i]))
			paths[n++] = (struct sandbox_path){c->keys[i], SANDBOX_READ};
	hsm_config_paths(t, paths + n);
	n += t->n_read + t->n_write;
	return sandbox_enter(&(struct sandbox){.paths = paths,
					       .n_paths = n,
					       .ports = t->ports,
					       .n_ports = t->n_ports,
					       .client = true,
					       .keep = keep,
					       .n_keep = 2,
					       .serves_http = true},
			     f);
}

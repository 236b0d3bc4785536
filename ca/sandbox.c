/*
 * What the signer may open: its state, the folders of its two sockets, and to read the certificates above it and its
 * configuration, which SIGHUP reads again. A PKCS#11 library gets what the configuration says that it needs, and its
 * code is loaded before: nothing becomes code inside the walls.
 */
#include "ca/sandbox.h"

#include "ca/key.h"
#include "common/base/cleanup.h"
#include "common/base/sandbox.h"

enum err ca_sandbox_enter(const struct ca_config *c, struct fault *f)
{
	const struct hsm_config *t = &c->token;
	const struct sandbox_path own[] = {
		{c->state, SANDBOX_STATE},
		{c->ra_socket, SANDBOX_SOCKET},
		{c->operator_socket, SANDBOX_SOCKET},
		{c->path, SANDBOX_REREAD},
		{c->issuer, SANDBOX_READ},
		{c->root, SANDBOX_READ},
		/* Usually in the state; opened when the operator unlocks. */
		{ca_key_file(c->key), SANDBOX_READ},
		{c->log_key_pin, SANDBOX_READ},
	};
	const size_t n_own = sizeof(own) / sizeof(own[0]);
	_cleanup_(freep) struct sandbox_path *paths =
		xcalloc(n_own + 2 * c->n_retired + t->n_read + t->n_write, sizeof(*paths));
	size_t n = 0;
	TRY(hsm_prepare(&t->settings, f));
	for (size_t i = 0; i < n_own; i++)
		paths[n++] = own[i];
	for (size_t i = 0; i < c->n_retired; i++) {
		const struct ca_config_retired *r = &c->retired[i];
		paths[n++] = (struct sandbox_path){r->issuer, SANDBOX_READ};
		paths[n++] = (struct sandbox_path){r->key ? ca_key_file(r->key) : NULL, SANDBOX_READ};
	}
	hsm_config_paths(t, paths + n);
	n += t->n_read + t->n_write;
	return sandbox_enter(&(struct sandbox){.paths = paths, .n_paths = n, .ports = t->ports, .n_ports = t->n_ports},
			     f);
}

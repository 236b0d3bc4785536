/*
 * What the signer may open: its state, the folders of its two sockets, and to read the certificates above it and its
 * configuration, which SIGHUP reads again.
 */
#include "ca/sandbox.h"

#include "common/base/sandbox.h"

enum err ca_sandbox_enter(const struct ca_config *c, struct fault *f)
{
	const struct sandbox_path paths[] = {
		{c->state, SANDBOX_STATE}, {c->ra_socket, SANDBOX_SOCKET}, {c->operator_socket, SANDBOX_SOCKET},
		{c->path, SANDBOX_REREAD}, {c->issuer, SANDBOX_READ},	   {c->root, SANDBOX_READ},
		{c->key, SANDBOX_READ}, /* usually in the state; opened when the operator unlocks */
	};
	return sandbox_enter(&(struct sandbox){.paths = paths, .n_paths = sizeof(paths) / sizeof(paths[0])}, f);
}

/*
 * What the desk may open: its state, the folder of its socket, and to read its key, and policies, roster and calendar,
 * which SIGHUP reads again, and the root's CRL, which is looked at. Connecting to the signer's socket takes the permission of the socket's file alone.
 */
#include "ra/sandbox.h"

#include "common/base/file.h"
#include "common/base/sandbox.h"

enum err ra_sandbox_enter(const struct ra_config *c, struct fault *f)
{
	const struct sandbox_path paths[] = {
		{c->state, SANDBOX_STATE},     {c->socket, SANDBOX_SOCKET},	   {c->policies, SANDBOX_READ},
		{c->roster, SANDBOX_REREAD},   {c->calendar, SANDBOX_REREAD},	   {c->ra_key, SANDBOX_READ},
		{c->log_key, SANDBOX_READ},    {c->provider_secret, SANDBOX_READ}, {c->root_certificate, SANDBOX_READ},
		{c->root_crl, SANDBOX_REREAD},
	};
	TRY(dir_make(c->state, 0700, f));
	return sandbox_enter(
		&(struct sandbox){.paths = paths, .n_paths = sizeof(paths) / sizeof(paths[0]), .client = true}, f);
}

/*
 * What the notifier may open: its spool, and to read what names and certificates are looked up in. It connects to the
 * desk's socket and to the ports of its own servers. Next: main.c.
 */
#include "ra/notify/sandbox.h"

#include "common/base/file.h"
#include "common/base/sandbox.h"

#include <netdb.h>
#include <nss.h>

#include "common/base/cleanup.h"

enum err notifier_sandbox_enter(const struct notifier_config *c, struct fault *f)
{
	_cleanup_(freep) char *spool = path_join(c->state, "spool");
	uint16_t ports[2];
	size_t n = 0;
	if (c->sms_road == ROAD_GATEWAY)
		ports[n++] = (uint16_t)c->gateway.port;
	if (c->mail_road == ROAD_SMTP)
		ports[n++] = (uint16_t)c->smtp.port;
	const struct sandbox_path paths[] = {
		{spool, SANDBOX_STATE},
		{c->gateway.ca, SANDBOX_READ},
		{c->smtp.ca, SANDBOX_READ},
		{"/etc/ssl", SANDBOX_READ},
		{"/usr/share/ca-certificates", SANDBOX_READ},
		{"/etc/resolv.conf", SANDBOX_READ},
		{"/etc/hosts", SANDBOX_READ},
		{"/etc/host.conf", SANDBOX_READ},
		{"/etc/gai.conf", SANDBOX_READ},
		{"/etc/services", SANDBOX_READ},
	};
	TRY(dir_make(spool, 0700, f));
	/* Names by file and by name server, which libc does itself: other ways are libraries that can't be loaded behind
	 * the walls. */
	if (__nss_configure_lookup("hosts", "files dns") != 0)
		return fault_raise(f, ERR_INTERNAL, "nss", "sandbox", "names cannot be looked up by files and dns");
	return sandbox_enter(&(struct sandbox){.paths = paths,
					       .n_paths = sizeof(paths) / sizeof(paths[0]),
					       .ports = ports,
					       .n_ports = n,
					       .client = true},
			     f);
}

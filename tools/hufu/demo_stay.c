/*
 * The demo's last step, when it is asked for: signer and desk stay up with a portal before them, so that a newcomer can click through what
 * the story made. Everything is this machine's alone.
 */
#include "tools/hufu/demo.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <signal.h>

static enum err write_portal(const struct demo *d, const char *listen, struct fault *f)
{
	_cleanup_(freep) char *path = demo_path(d, "etc/hufu/portal.yaml");
	_cleanup_buf_ struct buf text = {0};
	buf_fmt(&text,
		"# The demo's portal: hufu demo --stay.\n"
		"role: portal\ndesk_socket: run/hufu/ra/desk.sock\nlisten: \"%s\"\nmetrics: run/hufu/portal.sock\n"
		"origins: [\"http://%s\"]\n",
		listen, listen);
	return file_write(path, buf_slice(&text), 0644, f);
}

static void say_how(const struct demo *d, const char *listen)
{
	printf("\nThe portal is at http://%s/ until you press Ctrl-C.\n"
	       "  log in as        %s\n"
	       "  password         %s\n"
	       "  codes by SMS     files below %s/var/lib/hufu-ra/spool/\n",
	       listen, DEMO_MOBILE, DEMO_PASSWORD, d->dir);
	fflush(stdout);
}

enum err demo_stay(struct demo *d, const char *listen, struct fault *f)
{
	_cleanup_(freep) char *logs = demo_path(d, "var/log");
	sigset_t set;
	int number = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	TRY(write_portal(d, listen, f));
	TRY(daemons_start_gate(&d->daemons, d->dir, "etc/hufu/portal.yaml", logs, f));
	say_how(d, listen);
	sigwait(&set, &number);
	return OK;
}

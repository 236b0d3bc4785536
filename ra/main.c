/*
 * hufu-ra: the desk. main reads as a list; each step is a room of its own. Next: desk.c.
 */
#include "ra/clockwork.h"
#include "ra/desk.h"
#include "ra/facts.h"
#include "ra/follow.h"
#include "ra/handover.h"
#include "ra/outbox.h"
#include "ra/sandbox.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_CONFIG 4
#define ARENAS 2 /* many threads, of which few work at once: an arena each would keep memory for nothing */

struct running {
	struct desk *desk;
	struct clockwork *clockwork;
	struct outbox *outbox;
	struct follower *follower;
	struct rpc_server *server;
};

static void print_help(FILE *to)
{
	fputs("usage: hufu-ra --config FILE\n"
	      "\n"
	      "The registration authority's desk: accounts, orders, requests, officers' approvals; hands tallies to "
	      "the signer.\n"
	      "\n"
	      "  --config FILE   ra.yaml\n"
	      "  --openrpc       print the OpenRPC document of all methods\n"
	      "  --version       print the version\n"
	      "  --help          print this\n"
	      "\n"
	      "Signals: SIGTERM and SIGINT finish what is in flight and stop; SIGHUP reads policies, roster and "
	      "calendar again.\n"
	      "Exit: 0 stopped by a signal, 1 error, 4 configuration.\n"
	      "\n"
	      "Examples:\n"
	      "  hufu-ra --config /etc/hufu/ra.yaml\n"
	      "  hufu-ra --config demo/etc/hufu/ra.yaml\n"
	      "  hufu rpc desk.health '{}'               # is it well?\n",
	      to);
}

static int print_openrpc(void)
{
	_cleanup_(json_freep) json_t *o = desk_openrpc();
	int rv = json_dumpf(o, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	return rv == 0 && putchar('\n') == '\n' && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* *ret_config NULL: all is said, exit with the code returned. */
static int read_arguments(int argc, char **argv, const char **ret_config)
{
	*ret_config = NULL;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("hufu-ra " HUFU_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--openrpc") == 0)
		return print_openrpc();
	if (argc == 3 && strcmp(argv[1], "--config") == 0) {
		*ret_config = argv[2];
		return EXIT_SUCCESS;
	}
	fputs("hufu-ra: wanted --config FILE; --help tells more\n", stderr);
	return EXIT_CONFIG;
}

static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static enum err load(const char *path, struct desk **ret, struct fault *f)
{
	_cleanup_(ra_config_done) struct ra_config config = {0};
	char hex[65];
	TRY(ra_config_load(path, &config, f));
	log_init("hufu-ra", config.log);
	hex_lower(config.sha256, 32, hex);
	log_event(LOG_LEVEL_NOTICE, "config_loaded", "path=%s sha256=%s", LQ(path), hex);
	TRY(ra_sandbox_enter(&config, f));
	return desk_open(&config, ret, f);
}

/* More than the machine's cores would only take turns there. */
static unsigned at_work(const struct ra_config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned most = cores > 2 ? (unsigned)cores : 2;
	return (unsigned)c->workers < most ? (unsigned)c->workers : most;
}

/* The caller's user decides; everybody listed may connect. */
static enum err open_server(struct desk *d, struct rpc_server **ret, struct fault *f)
{
	const struct ra_config *c = &d->config;
	unsigned workers = (unsigned)c->workers + DESK_WAITERS;
	_cleanup_(freep) uid_t *uids = xcalloc(c->n_callers, sizeof(*uids));
	for (size_t i = 0; i < c->n_callers; i++)
		uids[i] = (uid_t)c->callers[i].uid;
	return rpc_server_start(&(struct rpc_server_config){.path = c->socket,
							    .mode = 0660,
							    .uids = uids,
							    .n_uids = c->n_callers,
							    .max_request = JSONRPC_MAX_REQUEST,
							    .workers = workers,
							    .at_work = at_work(c),
							    .jobs = at_work(c),
							    .take = desk_take,
							    .at_once = desk_at_once,
							    .arg = d},
				ret, f);
}

static enum err start(struct running *r, struct fault *f)
{
	struct desk *d = r->desk;
	TRY(handover_start(d, (unsigned)d->config.senders, &d->handover, f));
	TRY(clockwork_start(d, &r->clockwork, f));
	TRY(outbox_start(d, &r->outbox, f));
	TRY(open_server(d, &r->server, f));
	return follower_start(d, &r->follower, f);
}

/* No new call, then who settles what is sent, then the senders, whom nobody waits for any more. */
static void stop(struct running *r)
{
	bell_stop(r->desk->finished);
	bell_stop(r->desk->followed);
	if (r->server)
		rpc_server_stop(r->server);
	if (r->follower)
		follower_stop(r->follower);
	if (r->desk->handover)
		handover_stop(r->desk->handover);
	if (r->outbox)
		outbox_stop(r->outbox);
	if (r->clockwork)
		clockwork_stop(r->clockwork);
	r->desk->handover = NULL;
	desk_close(r->desk);
}

static void serve(struct running *r, const sigset_t *signals)
{
	int number = 0;
	while (sigwait(signals, &number) == 0) {
		struct fault f = {0};
		if (number != SIGHUP)
			return;
		if (laws_reload(r->desk->laws, &f) != OK || facts_record_now(r->desk, "signal", &f) != OK)
			log_fault(LOG_LEVEL_ERROR, "reload_failed", &f);
	}
}

static int fail(const struct fault *f)
{
	log_fault(LOG_LEVEL_ERROR, "start_failed", f);
	return f->kind == ERR_CONFIG ? EXIT_CONFIG : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct running r = {0};
	struct fault f = {0};
	const char *config = NULL;
	sigset_t signals;
	int code = read_arguments(argc, argv, &config);
	if (!config)
		return code;
	log_init("hufu-ra", LOG_LEVEL_INFO);
	secret_init();
	umask(077);
	mallopt(M_ARENA_MAX, ARENAS);
	block_signals(&signals);
	if (load(config, &r.desk, &f) != OK)
		return fail(&f);
	if (start(&r, &f) != OK) {
		stop(&r);
		return fail(&f);
	}
	notify_ready();
	log_event(LOG_LEVEL_NOTICE, "ready", "socket=%s", LQ(r.desk->config.socket));
	serve(&r, &signals);
	notify_stopping();
	log_event(LOG_LEVEL_NOTICE, "stopping", "reason=signal");
	stop(&r);
	return EXIT_SUCCESS;
}

/*
 * hufu-notifier: takes messages to people from the desk and sends them. Next: worker.c.
 */
#include "ra/notify/sandbox.h"
#include "ra/notify/worker.h"

#include "common/base/file.h"
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_UNREACHABLE 3
#define EXIT_CONFIG 4
#define DESK_TIMEOUT_MS 20000

static void print_help(FILE *to)
{
	fputs("usage: hufu-notifier --config FILE [--once]\n"
	      "\n"
	      "Takes messages to people from the desk and sends them: SMS by an HTTP gateway, mail by an SMTP server, "
	      "or "
	      "either as\n"
	      "files of a spool.\n"
	      "\n"
	      "  --config FILE   notifier.yaml\n"
	      "  --once          send what is due now, and end\n"
	      "  --version       print the version\n"
	      "  --help          print this\n"
	      "\n"
	      "Signals: SIGTERM and SIGINT finish what is being sent and stop.\n"
	      "Exit: 0 stopped by a signal or done, 1 error, 3 --once and the desk is away, 4 configuration.\n"
	      "\n"
	      "Examples:\n"
	      "  hufu-notifier --config /etc/hufu/notifier.yaml\n"
	      "  hufu-notifier --config /etc/hufu/notifier.yaml --once\n"
	      "  hufu notice list                        # what went out, and what did not\n",
	      to);
}

/* *ret_config NULL: all is said, exit with the code returned. */
static int read_arguments(int argc, char **argv, const char **ret_config, bool *ret_once)
{
	*ret_config = NULL;
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("hufu-notifier " HUFU_VERSION);
		return EXIT_SUCCESS;
	}
	*ret_once = argc == 4 && strcmp(argv[3], "--once") == 0;
	if ((argc == 3 || *ret_once) && strcmp(argv[1], "--config") == 0) {
		*ret_config = argv[2];
		return EXIT_SUCCESS;
	}
	fputs("hufu-notifier: wanted --config FILE; --help tells more\n", stderr);
	return EXIT_CONFIG;
}

static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	pthread_sigmask(SIG_BLOCK, ret, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static enum err load(const char *path, struct notifier_config *c, struct fault *f)
{
	char hex[65];
	TRY(notifier_config_load(path, c, f));
	log_init("hufu-notifier", c->log);
	hex_lower(c->sha256, 32, hex);
	log_event(LOG_LEVEL_NOTICE, "config_loaded", "path=%s sha256=%s", LQ(path), hex);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return fault_raise(f, ERR_INTERNAL, "curl", "curl", "libcurl does not start");
	json_start();
	return notifier_sandbox_enter(c, f);
}

static int fail(const struct fault *f)
{
	log_fault(LOG_LEVEL_ERROR, "failed", f);
	return f->kind == ERR_CONFIG ? EXIT_CONFIG : f->kind == ERR_NET ? EXIT_UNREACHABLE : EXIT_FAILURE;
}

static enum err serve(const struct notifier_config *c, struct rpc_client *desk, const sigset_t *signals,
		      struct fault *f)
{
	struct workers *w = NULL;
	int number = 0;
	TRY(workers_start(c, desk, &w, f));
	notify_ready();
	log_event(LOG_LEVEL_NOTICE, "ready", "desk=%s", LQ(c->desk_socket));
	sigwait(signals, &number);
	notify_stopping();
	log_event(LOG_LEVEL_NOTICE, "stopping", "reason=signal");
	workers_stop(w);
	return OK;
}

static enum err run_once(const struct notifier_config *c, struct rpc_client *desk, struct fault *f)
{
	size_t n = 0;
	TRY(workers_once(c, desk, &n, f));
	log_event(LOG_LEVEL_NOTICE, "done", "sent=%zu", n);
	return OK;
}

int main(int argc, char **argv)
{
	struct notifier_config config = {0};
	struct rpc_client *desk = NULL;
	struct fault f = {0};
	const char *path = NULL;
	sigset_t signals;
	bool once = false;
	int code = read_arguments(argc, argv, &path, &once);
	if (!path)
		return code;
	log_init("hufu-notifier", LOG_LEVEL_INFO);
	secret_init();
	umask(077);
	block_signals(&signals);
	enum err e = load(path, &config, &f);
	if (e == OK)
		e = rpc_client_open(config.desk_socket, DESK_TIMEOUT_MS, JSONRPC_MAX_REQUEST, &desk, &f);
	if (e == OK)
		e = once ? run_once(&config, desk, &f) : serve(&config, desk, &signals, &f);
	if (desk)
		rpc_client_close(desk);
	notifier_config_done(&config);
	return e == OK ? EXIT_SUCCESS : fail(&f);
}

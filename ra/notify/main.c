/*
 * hufu-notifier: takes messages to people from the desk and sends them. Next: worker.c.
 */
#include "ra/notify/worker.h"

#include "common/base/file.h"
#include "common/base/sandbox.h"
#include "common/rpc/json.h"
#include "common/rpc/jsonrpc.h"

#include <curl/curl.h>
#include <netdb.h>
#include <nss.h>
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

/* Its state, and to read what names and certificates are looked up in; to connect to the ports of its servers alone. */
static enum err enter_sandbox(const struct notifier_config *c, const char *spool, struct fault *f)
{
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

static enum err load(const char *path, struct notifier_config *c, struct fault *f)
{
	char hex[65];
	TRY(notifier_config_load(path, c, f));
	log_init("hufu-notifier", c->log);
	hex_lower(c->sha256, 32, hex);
	log_event(LOG_LEVEL_NOTICE, "config_loaded", "path=%s sha256=%s", LQ(path), hex);
	_cleanup_(freep) char *spool = path_join(c->state, "spool");
	TRY(dir_make(spool, 0700, f));
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return fault_raise(f, ERR_INTERNAL, "curl", "curl", "libcurl does not start");
	json_start();
	return enter_sandbox(c, spool, f);
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

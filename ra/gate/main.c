/*
 * hufu-gate: the edge. main reads as a list. Next: feed.c, ocsp.c, routes.c.
 */
#include "ra/gate/gate.h"

#include "common/base/file.h"
#include "common/rpc/json.h"
#include "ra/gate/crls.h"
#include "ra/gate/documents.h"
#include "ra/gate/feed.h"
#include "ra/gate/http.h"
#include "ra/gate/keeper.h"
#include "ra/gate/ocsp.h"
#include "ra/gate/portal.h"
#include "ra/gate/responder.h"
#include "ra/gate/root_crl.h"
#include "ra/gate/sandbox.h"

#include "common/base/cleanup.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define EXIT_CONFIG 4
#define DESCRIPTORS_BESIDE 256 /* files, the desk, whoever watches */
#define DESK_TIMEOUT_MS 30000
#define DESK_QUICK_MS 5000
#define DESK_REPLY_MAX (96u * 1024u * 1024u) /* a CRL in base64 */

struct running {
	struct gate gate;
	int public_fd, admin_fd;
	struct http *http;
	struct follower *follower;
	struct keeper *keeper;
};

static void print_help(FILE *to)
{
	fputs("usage: hufu-gate --config FILE\n"
	      "\n"
	      "The edge over HTTP, in one of two roles. status: OCSP, CRLs, CA certificates, the log's hashes and\n"
	      "certificates' status, from what the signer's log key vouches for. portal: pages for people, and their\n"
	      "calls to the desk; it holds no key.\n"
	      "\n"
	      "  --config FILE   gate.yaml\n"
	      "  --version       print the version\n"
	      "  --help          print this\n"
	      "\n"
	      "Signals: SIGTERM and SIGINT finish what is in flight and stop.\n"
	      "Exit: 0 stopped by a signal, 1 error, 4 configuration.\n"
	      "\n"
	      "Examples:\n"
	      "  hufu-gate --config /etc/hufu/gate.yaml\n"
	      "  curl http://127.0.0.1:8081/readyz      # can its answers be believed?\n",
	      to);
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
		puts("hufu-gate " HUFU_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 3 && strcmp(argv[1], "--config") == 0) {
		*ret_config = argv[2];
		return EXIT_SUCCESS;
	}
	fputs("hufu-gate: wanted --config FILE; --help tells more\n", stderr);
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

static enum err read_cert(const char *path, struct gate_cert *ret, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	TRY(file_read(path, 65536, &bytes, f));
	enum err e = pem_or_der(buf_slice(&bytes), "CERTIFICATE", &ret->der, f);
	if (e == OK)
		e = cert_parse(buf_slice(&ret->der), &ret->cert, f);
	if (e != OK)
		fault_prefix(f, "%s", path);
	return e;
}

static enum err read_issuer(struct gate *g, const char *path, struct fault *f)
{
	struct gate_cert *c = &g->issuers[g->n_issuers].ca;
	TRY(read_cert(path, c, f));
	for (size_t i = 0; i < g->n_issuers; i++)
		if (memcmp(g->issuers[i].ca.cert.key.key_id, c->cert.key.key_id, 20) == 0)
			return fault_raise(f, ERR_CONFIG, "retired_twice", "retired",
					   "%s has the key of another CA of this gate", path);
	g->n_issuers++;
	return OK;
}

static enum err open_issuers(struct gate *g, struct fault *f)
{
	for (size_t i = 0; i < g->n_issuers; i++) {
		TRY(responder_open(g, &g->issuers[i].ca.cert, &g->issuers[i].responder, f));
		TRY(crls_open(g, &g->issuers[i].ca.cert, &g->issuers[i].crls, f));
	}
	return OK;
}

static enum err read_files(struct gate *g, struct fault *f)
{
	_cleanup_buf_ struct buf vkey = {0};
	TRY(file_read(g->config.log_key, 1024, &vkey, f));
	TRY(log_key_parse(buf_slice(&vkey), &g->log_key, f));
	TRY(read_issuer(g, g->config.issuer, f));
	for (size_t i = 0; i < g->config.n_retired; i++)
		TRY(read_issuer(g, g->config.retired[i], f));
	if (g->config.root)
		TRY(read_cert(g->config.root, &g->root, f));
	return OK;
}

static enum err load_status(struct gate *g, struct fault *f)
{
	TRY(read_files(g, f));
	TRY(documents_open(g->config.documents, &g->documents, f));
	TRY(feed_load(g, f));
	TRY(open_issuers(g, f));
	TRY(root_crl_open(g, f));
	g->ocsp = ocsp_open(g);
	return OK;
}

/* A shell gives 1024, fewer than `connections` has by default; where the hard limit is too low as well, the front makes room. */
static void raise_descriptors(const struct gate_config *c)
{
	struct rlimit l;
	rlim_t wanted = (rlim_t)c->connections + DESCRIPTORS_BESIDE;
	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted)
		return;
	l.rlim_cur = l.rlim_max < wanted ? l.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static enum err load(const char *path, struct running *r, struct fault *f)
{
	struct gate *g = &r->gate;
	char hex[65];
	TRY(gate_config_load(path, &g->config, f));
	log_init("hufu-gate", g->config.log);
	hex_lower(g->config.sha256, 32, hex);
	log_event(LOG_LEVEL_NOTICE, "config_loaded", "path=%s sha256=%s", LQ(path), hex);
	raise_descriptors(&g->config);
	if (g->config.state)
		TRY(dir_make(g->config.state, 0700, f));
	TRY(http_listen(&g->config.listen, &r->public_fd, f));
	TRY(http_listen(&g->config.metrics, &r->admin_fd, f));
	json_start();
	TRY(hsm_prepare(&g->config.token.settings, f)); /* its code, before the walls */
	TRY(gate_sandbox_enter(&g->config, r->public_fd, r->admin_fd, f));
	if (g->config.role == GATE_STATUS)
		TRY(load_status(g, f));
	else
		portal_open(g);
	TRY(rpc_client_open(g->config.desk_socket, DESK_QUICK_MS, DESK_REPLY_MAX, &g->desk_quick, f));
	return rpc_client_open(g->config.desk_socket, DESK_TIMEOUT_MS, DESK_REPLY_MAX, &g->desk, f);
}

static enum err start(struct running *r, struct fault *f)
{
	if (r->gate.config.role == GATE_STATUS) {
		TRY(follower_start(&r->gate, &r->follower, f));
		TRY(keeper_start(&r->gate, &r->keeper, f));
	}
	return http_start(&r->gate, r->public_fd, r->admin_fd, &r->http, f);
}

/* First nobody asks any more; then the threads, whose last act is the snapshot. */
static void stop(struct running *r)
{
	struct gate *g = &r->gate;
	if (r->http)
		http_stop(r->http);
	pthread_mutex_lock(&g->lock);
	g->stopping = true;
	pthread_cond_broadcast(&g->woken);
	pthread_mutex_unlock(&g->lock);
	if (r->keeper)
		keeper_stop(r->keeper);
	if (r->follower)
		follower_stop(r->follower);
	for (size_t i = 0; i < g->n_issuers; i++)
		if (g->issuers[i].responder)
			responder_close(g->issuers[i].responder);
	hsm_finish();
	if (g->config.listen.path)
		unlink(g->config.listen.path);
	if (g->config.metrics.path)
		unlink(g->config.metrics.path);
}

static int fail(const struct fault *f)
{
	log_fault(LOG_LEVEL_ERROR, "start_failed", f);
	return f->kind == ERR_CONFIG ? EXIT_CONFIG : EXIT_FAILURE;
}

static void init(struct gate *g)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->woken, &attr);
	pthread_condattr_destroy(&attr);
}

int main(int argc, char **argv)
{
	static struct running r;
	struct fault f = {0};
	const char *config = NULL;
	sigset_t signals;
	int number = 0, code = read_arguments(argc, argv, &config);
	if (!config)
		return code;
	log_init("hufu-gate", LOG_LEVEL_INFO);
	secret_init();
	umask(077);
	block_signals(&signals);
	init(&r.gate);
	if (load(config, &r, &f) != OK)
		return fail(&f);
	if (start(&r, &f) != OK) {
		stop(&r);
		return fail(&f);
	}
	notify_ready();
	if (r.gate.config.role == GATE_STATUS)
		log_event(LOG_LEVEL_NOTICE, "ready", "certificates=%zu", table_count(r.gate.table));
	else
		log_event(LOG_LEVEL_NOTICE, "ready", "role=portal");
	sigwait(&signals, &number);
	notify_stopping();
	log_event(LOG_LEVEL_NOTICE, "stopping", "reason=signal");
	stop(&r);
	return EXIT_SUCCESS;
}

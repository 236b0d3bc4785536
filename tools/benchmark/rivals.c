/*
 * Each is started as its documentation says, and asked when its port listens.
 */
#include "tools/benchmark/rivals.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "tools/benchmark/cfssl.h"
#include "tools/benchmark/tree.h"
#include "tools/hufu/process.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/base/cleanup.h"

#define START_TRIES 250
#define START_WAIT_MS 20

void rivals_done(struct rivals *r)
{
	process_stop(&r->nginx);
	process_stop(&r->cfssl);
}

static const char *port_of(const char *address)
{
	return strchr(address, ':') + 1;
}

static bool listens(const char *address)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons((uint16_t)strtoul(port_of(address), NULL, 10))};
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static enum err start(const struct rivals *r, const char *const *argv, const char *address, pid_t *pid, struct fault *f)
{
	_cleanup_(freep) char *log = path_join(r->dir, "rivals.log");
	TRY(process_start(&(struct process_spec){.argv = argv, .stdout_path = log, .stderr_path = log}, pid, f));
	for (int i = 0; i < START_TRIES; i++) {
		if (listens(address))
			return OK;
		(void)poll(NULL, 0, START_WAIT_MS);
	}
	return fault_raise(f, ERR_NET, "peer_away", argv[0], "does not listen at %s: see rivals.log", address);
}

enum err rivals_nginx(struct rivals *r, size_t size, struct fault *f)
{
	_cleanup_buf_ struct buf conf = {0}, answer = {0};
	_cleanup_(freep) char *www = path_join(r->dir, "www"), *path = path_join(r->dir, "nginx.conf"),
			      *file = path_join(r->dir, "www/answer"), *log = path_join(r->dir, "nginx.log");
	static const char *const folders[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
	TRY(dir_make(www, 0755, f));
	while (answer.len < size)
		buf_char(&answer, 'x');
	TRY(file_write(file, buf_slice(&answer), 0600, f));
	buf_fmt(&conf, "daemon off; user root; worker_processes %u; pid %s/nginx.pid; error_log %s;\n", r->cpus, r->dir,
		log);
	buf_str(&conf, "events { worker_connections 1024; }\nhttp { access_log off; sendfile on; keepalive_requests "
		       "1000000000; open_file_cache max=16; types {} default_type application/ocsp-response;\n");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		buf_fmt(&conf, "%s_temp_path %s/%s;\n", folders[i], r->dir, folders[i]);
	buf_fmt(&conf, "server { listen " NGINX_ADDRESS "; root %s; } }\n", www);
	TRY(file_write(path, buf_slice(&conf), 0600, f));
	const char *argv[] = {"/usr/sbin/nginx", "-e", log, "-p", r->dir, "-c", path, NULL};
	return start(r, argv, NGINX_ADDRESS, &r->nginx, f);
}

enum err rivals_cfssl(struct rivals *r, struct fault *f)
{
	_cleanup_(freep) char *answers = path_join(r->dir, "answers.b64");
	const char *argv[] = {cfssl_program(), "ocspserve", "-address",	 "127.0.0.1", "-port", port_of(CFSSL_ADDRESS),
			      "-responses",    answers,	    "-loglevel", "5",	      NULL};
	return start(r, argv, CFSSL_ADDRESS, &r->cfssl, f);
}

enum err rivals_cpu_us(pid_t pid, int64_t *ret, struct fault *f)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid);
	_cleanup_buf_ struct buf text = {0};
	int64_t sum = 0, one = 0;
	TRY(process_cpu_us(pid, &sum, f));
	TRY(file_read(path, 4096, &text, f));
	for (const char *p = buf_text(&text); *p;) {
		char *end;
		long child = strtol(p, &end, 10);
		if (end == p)
			break;
		TRY(process_cpu_us((pid_t)child, &one, f));
		sum += one;
		p = end;
	}
	*ret = sum;
	return OK;
}

/* --- signatures alone --- */

struct signer {
	pthread_t thread;
	unsigned core;
	double seconds, per_s;
};

static void *sign_alone(void *arg)
{
	struct signer *s = arg;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(s->core, &set);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set); /* where it may not, the kernel chooses */
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t hash[32] = {1}, sig[80];
	size_t n = 0;
	if (!ctx || EVP_PKEY_sign_init(ctx) != 1)
		abort();
	int64_t from = clock_mono_us(), us = 0;
	while ((us = clock_mono_us() - from) < (int64_t)(s->seconds * 1e6)) {
		for (size_t i = 0; i < 100; i++) {
			size_t len = sizeof(sig);
			if (EVP_PKEY_sign(ctx, sig, &len, hash, sizeof(hash)) != 1)
				abort();
			n++;
		}
	}
	s->per_s = (double)n * 1e6 / (double)us;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return NULL;
}

double rivals_sign_rate(unsigned n, double seconds)
{
	_cleanup_(freep) struct signer *all = xcalloc(n, sizeof(*all));
	double sum = 0;
	for (unsigned i = 0; i < n; i++) {
		all[i].core = i;
		all[i].seconds = seconds;
		if (pthread_create(&all[i].thread, NULL, sign_alone, &all[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(all[i].thread, NULL);
		sum += all[i].per_s;
	}
	return sum;
}

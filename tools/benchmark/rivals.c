/*
 * Each is started as its documentation says, and asked when its port listens.
 */
#include "tools/benchmark/rivals.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/sign.h"
#include "tools/benchmark/cfssl.h"
#include "tools/benchmark/tree.h"
#include "tools/hufu/process.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/base/cleanup.h"

#define OPENSSL_INDEX 10000u /* certificates of its database */
#define CHILDREN_MAX 64u
#define START_TRIES 250
#define START_WAIT_MS 20

static size_t children(pid_t pid, pid_t ret[CHILDREN_MAX])
{
	_cleanup_(freep) char *path = xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid);
	_cleanup_buf_ struct buf text = {0};
	size_t n = 0;
	if (file_read(path, 4096, &text, NULL) != OK)
		return 0;
	for (const char *p = buf_text(&text); n < CHILDREN_MAX; n++) {
		char *end;
		ret[n] = (pid_t)strtol(p, &end, 10);
		if (end == p)
			break;
		p = end;
	}
	return n;
}

/* Its first process notices that it shall end only when another one has. */
static void stop_openssl(pid_t *pid)
{
	pid_t v[CHILDREN_MAX];
	size_t n = *pid > 0 ? children(*pid, v) : 0;
	if (n > 0)
		kill(*pid, SIGTERM);
	for (size_t i = 0; i < n; i++)
		kill(v[i], SIGTERM);
	process_stop(pid);
}

void rivals_done(struct rivals *r)
{
	process_stop(&r->nginx);
	process_stop(&r->cfssl);
	stop_openssl(&r->openssl);
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

static enum err put_file(const struct rivals *r, const char *name, const struct buf *b, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(r->dir, name);
	return file_write(path, buf_slice(b), 0600, f);
}

/* Its database: state, end, when and why revoked, serial number, file, subject. */
static void put_index(const struct serial *v, size_t n, struct buf *b)
{
	struct serial other = {.n = 16};
	for (size_t i = 0; i < OPENSSL_INDEX; i++) {
		char hex[2 * SERIAL_MAX + 1];
		if (i >= n)
			random_fill(other.b, other.n);
		other.b[0] = 1;
		hex_upper(i < n ? v[i].b : other.b, i < n ? v[i].n : other.n, hex);
		buf_fmt(b, "V\t300101000000Z\t\t%s\tunknown\t/CN=%zu\n", hex, i);
	}
}

enum err rivals_openssl(struct rivals *r, const struct old_ca *ca, const struct serial *v, size_t n, struct fault *f)
{
	_cleanup_buf_ struct buf index = {0}, cert = {0}, key = {0};
	_cleanup_(freep) char *processes = xasprintf("%u", r->cpus), *index_path = path_join(r->dir, "index.txt"),
			      *cert_path = path_join(r->dir, "index-ca.pem"),
			      *key_path = path_join(r->dir, "index-ca.key"), *log = path_join(r->dir, "rivals.log");
	put_index(v, n, &index);
	pem_put(&cert, "CERTIFICATE", buf_slice(&ca->cert));
	TRY(privkey_to_pem(ca->key, &key, f));
	TRY(put_file(r, "index.txt", &index, f));
	TRY(put_file(r, "index-ca.pem", &cert, f));
	TRY(put_file(r, "index-ca.key", &key, f));
	const char *argv[] = {"/usr/bin/openssl", "ocsp",    "-index", index_path, "-CA",   cert_path,
			      "-rsigner",	  cert_path, "-rkey",  key_path,   "-port", port_of(OPENSSL_ADDRESS),
			      "-multi",		  processes, "-nmin",  "5",	   NULL};
	/* It is not looked at whether it listens: whoever connects and leaves keeps one of its processes busy for ever. */
	return process_start(&(struct process_spec){.argv = argv, .stdout_path = log, .stderr_path = log}, &r->openssl,
			     f);
}

enum err rivals_cpu_us(pid_t pid, int64_t *ret, struct fault *f)
{
	pid_t v[CHILDREN_MAX];
	size_t n = children(pid, v);
	int64_t sum = 0, one = 0;
	TRY(process_cpu_us(pid, &sum, f));
	for (size_t i = 0; i < n; i++) {
		TRY(process_cpu_us(v[i], &one, f));
		sum += one;
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

/*
 * cfssl as its documentation starts it, with the tables that its own migration makes, asked by a client that keeps its
 * connections. The request is the same each time: cfssl parses and verifies it anew, and makes a new serial.
 */
#include "tools/benchmark/cfssl.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/db/db.h"
#include "common/pki/der.h"
#include "common/pki/sign.h"
#include "tools/benchmark/load.h"
#include "tools/hufu/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define CLIENTS 32u
#define START_TRIES 250
#define START_WAIT_MS 20
#define SILENCE_MS 30000
#define ANSWER_MAX 16384u

struct client {
	int fd;
	struct buf in, out;
	size_t sent;
};

struct cfssl {
	const char *dir;
	pid_t pid;
	struct sockaddr_in address;
	struct buf request; /* HTTP */
	struct client clients[CLIENTS];
	size_t good, bad;
};

const char *cfssl_program(void)
{
	static const char *const places[] = {"/usr/bin/cfssl", "/usr/local/bin/cfssl"};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

static void client_close(struct client *c)
{
	closep(&c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	*c = (struct client){.fd = -1};
}

static void cfssl_done(struct cfssl *x)
{
	for (size_t i = 0; i < CLIENTS; i++)
		client_close(&x->clients[i]);
	buf_done(&x->request);
	process_stop(&x->pid);
}

/* --- setting up --------------------------------------------------------------------------------------------------- */

static enum err write_key(const struct cfssl *x, const struct old_ca *ca, struct fault *f)
{
	_cleanup_buf_ struct buf cert = {0}, key = {0};
	_cleanup_(freep) char *cert_path = path_join(x->dir, "ca.pem"), *key_path = path_join(x->dir, "ca-key.pem");
	pem_put(&cert, "CERTIFICATE", buf_slice(&ca->cert));
	TRY(privkey_to_pem(ca->key, &key, f));
	TRY(file_write_new(cert_path, buf_slice(&cert), 0644, f));
	return file_write_new(key_path, buf_slice(&key), 0600, f);
}

/* certdb/sqlite/migrations of cfssl; its own journal is not a write-ahead log. */
static enum err make_store(const struct cfssl *x, struct fault *f)
{
	_cleanup_(freep) char *path = path_join(x->dir, "certs.db"), *config_path = path_join(x->dir, "db.json");
	_cleanup_(freep) char *config = xasprintf("{\"driver\":\"sqlite3\",\"data_source\":\"%s\"}\n", path);
	_cleanup_(db_closep) struct db *db = NULL;
	TRY(db_open(path, false, &db, f));
	TRY(db_run(db, f,
		   "CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, "
		   "ca_label blob,"
		   " status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL,"
		   " PRIMARY KEY(serial_number, authority_key_identifier))",
		   ""));
	TRY(db_run(db, f, "PRAGMA journal_mode=DELETE", ""));
	return file_write_new(config_path, slice_str(config), 0644, f);
}

/* A port that was free a moment ago. */
static enum err pick_port(struct cfssl *x, struct fault *f)
{
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof x->address;
	x->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)&x->address, n) != 0 ||
	    getsockname(fd, (struct sockaddr *)&x->address, &n) != 0)
		return fault_raise(f, ERR_NET, "port", "cfssl", "no free port: %s", strerror(errno));
	return OK;
}

static enum err client_open(const struct cfssl *x, struct client *c, struct fault *f)
{
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&x->address, sizeof x->address) != 0) {
		closep(&c->fd);
		c->fd = -1;
		return fault_raise(f, ERR_NET, "peer_away", "cfssl", "does not listen: %s", strerror(errno));
	}
	return OK;
}

static enum err start(struct cfssl *x, bool stores, struct fault *f)
{
	_cleanup_(freep) char *ca = path_join(x->dir, "ca.pem"), *key = path_join(x->dir, "ca-key.pem"),
			      *db = path_join(x->dir, "db.json"), *log = path_join(x->dir, "log"),
			      *port = xasprintf("%u", ntohs(x->address.sin_port));
	const char *argv[] = {cfssl_program(),
			      "serve",
			      "-address",
			      "127.0.0.1",
			      "-port",
			      port,
			      "-ca",
			      ca,
			      "-ca-key",
			      key,
			      "-loglevel",
			      "5",
			      stores ? "-db-config" : NULL,
			      db,
			      NULL};
	TRY(process_start(&(struct process_spec){.argv = argv, .stderr_path = log}, &x->pid, f));
	for (int i = 0; i < START_TRIES; i++) {
		if (client_open(x, &x->clients[0], f) == OK)
			break;
		(void)poll(NULL, 0, START_WAIT_MS);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		if (x->clients[i].fd < 0)
			TRY(client_open(x, &x->clients[i], f));
	return OK;
}

/* The PEM of a CSR in a JSON string. */
static enum err make_request(struct cfssl *x, const struct old_ca *ca, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_buf_ struct buf der = {0}, pem = {0}, body = {0};
	TRY(privkey_generate(KEY_P256, 0, &key, f));
	TRY(csr_make(key, buf_slice(&ca->name), &der, f));
	pem_put(&pem, "CERTIFICATE REQUEST", buf_slice(&der));
	buf_str(&body, "{\"certificate_request\":\"");
	for (size_t i = 0; i < pem.len; i++) {
		if (pem.data[i] == '\n')
			buf_str(&body, "\\n");
		else
			buf_char(&body, (char)pem.data[i]);
	}
	buf_str(&body, "\"}");
	buf_fmt(&x->request,
		"POST /api/v1/cfssl/sign HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n",
		body.len);
	buf_add_slice(&x->request, buf_slice(&body));
	return OK;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static enum err client_send(struct client *c, struct fault *f)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return OK;
		if (n < 0)
			return fault_raise(f, ERR_NET, "peer_closed", "cfssl", "%s", strerror(errno));
		c->sent += (size_t)n;
	}
	return OK;
}

static enum err client_ask(const struct cfssl *x, struct client *c, struct fault *f)
{
	buf_clear(&c->in);
	buf_clear(&c->out);
	buf_add_slice(&c->out, buf_slice(&x->request));
	c->sent = 0;
	return client_send(c, f);
}

/* The whole answer, when it is there. */
static bool answer_whole(struct client *c)
{
	const char *text = buf_text(&c->in), *end = strstr(text, "\r\n\r\n"),
		   *length = strstr(text, "Content-Length: ");
	return end && length && length < end && c->in.len >= (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
}

static enum err client_read(struct cfssl *x, struct client *c, bool *ret_whole, struct fault *f)
{
	uint8_t bytes[ANSWER_MAX];
	ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	*ret_whole = false;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return OK;
	if (n <= 0 || c->in.len + (size_t)n > ANSWER_MAX)
		return fault_raise(f, ERR_NET, "peer_closed", "cfssl", "hung up, or answers more than %u bytes",
				   ANSWER_MAX);
	buf_add(&c->in, bytes, (size_t)n);
	*ret_whole = answer_whole(c);
	if (*ret_whole && strstr(buf_text(&c->in), "\"success\":true") && strstr(buf_text(&c->in), "BEGIN CERTIFICATE"))
		x->good++;
	else if (*ret_whole)
		x->bad++;
	return OK;
}

static enum err ask_all(struct cfssl *x, double seconds, double *ret_per_s, struct fault *f)
{
	int64_t from = clock_mono_us(), until = from + (int64_t)(seconds * 1e6), now = from;
	for (size_t i = 0; i < CLIENTS; i++)
		TRY(client_ask(x, &x->clients[i], f));
	for (; now < until && !load_stop; now = clock_mono_us()) {
		struct pollfd p[CLIENTS];
		for (size_t i = 0; i < CLIENTS; i++)
			p[i] = (struct pollfd){.fd = x->clients[i].fd,
					       .events = x->clients[i].sent < x->clients[i].out.len ? POLLIN | POLLOUT
												    : POLLIN};
		if (poll(p, CLIENTS, SILENCE_MS) == 0)
			return fault_raise(f, ERR_NET, "peer_timeout", "cfssl", "no answer for %d s",
					   SILENCE_MS / 1000);
		for (size_t i = 0; i < CLIENTS; i++) {
			bool whole = false;
			if (p[i].revents & POLLOUT)
				TRY(client_send(&x->clients[i], f));
			if (p[i].revents & ~POLLOUT)
				TRY(client_read(x, &x->clients[i], &whole, f));
			if (whole)
				TRY(client_ask(x, &x->clients[i], f));
		}
	}
	if (x->good == 0)
		return fault_raise(f, ERR_NET, "peer_refuses", "cfssl", "no certificate in %zu answers", x->bad);
	*ret_per_s = (double)x->good * 1e6 / (double)(now - from);
	return OK;
}

static enum err run(struct cfssl *x, const struct old_ca *ca, bool stores, double seconds, double *ret_per_s,
		    struct fault *f)
{
	TRY(dir_make(x->dir, 0700, f));
	TRY(write_key(x, ca, f));
	if (stores)
		TRY(make_store(x, f));
	TRY(make_request(x, ca, f));
	TRY(pick_port(x, f));
	TRY(start(x, stores, f));
	return ask_all(x, seconds, ret_per_s, f);
}

enum err cfssl_run(const char *dir, const struct old_ca *ca, bool stores, double seconds, double *ret_per_s,
		   struct fault *f)
{
	struct cfssl x = {.dir = dir};
	for (size_t i = 0; i < CLIENTS; i++)
		x.clients[i].fd = -1;
	enum err e = run(&x, ca, stores, seconds, ret_per_s, f);
	cfssl_done(&x);
	return e;
}

/*
 * A gate that starts from a snapshot of as many certificates as are wanted, whose desk is away: it answers what it knows.
 * wrk asks it and nginx in turn, with the same script and as many connections, so that what asking costs is the same for
 * both. The requests are of certificates all over the table; they are asked once before, so that their answers are kept.
 */
#include "tools/benchmark/edge.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/note/checkpoint.h"
#include "common/pki/sign.h"
#include "ra/gate/table.h"
#include "tools/benchmark/crls.h"
#include "tools/benchmark/load.h"
#include "tools/hufu/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/x509v3.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define GATE "127.0.0.1:20990"
#define ADMIN "127.0.0.1:20991"
#define NGINX "127.0.0.1:20992"
#define ASKED 50000u /* certificates that are asked after */
#define CONNECTIONS "64"
#define NONCE 16
#define START_MS 60000

struct edge {
	const struct bench_run *b;
	struct report *report;
	struct old_ca ca;
	struct buf id_head; /* of a CertID: algorithm and the issuer's hashes */
	struct serial *asked;
	struct notify notify;
	pid_t gate, nginx;
	double signs_per_s;
	struct memory idle;
};

static void edge_done(struct edge *x)
{
	process_stop(&x->gate);
	process_stop(&x->nginx);
	notify_close(&x->notify);
	old_ca_done(&x->ca);
	buf_done(&x->id_head);
	free(x->asked);
}

static char *in_dir(const struct edge *x, const char *name)
{
	return path_join(x->b->dir, name);
}

static enum err write_file(const struct edge *x, const char *name, struct slice bytes, struct fault *f)
{
	_cleanup_(freep) char *path = in_dir(x, name);
	return file_write(path, bytes, 0600, f);
}

/* --- what the gate starts from --- */

static enum err make_table(struct edge *x, struct fault *f)
{
	_cleanup_(table_freep) struct gate_table *t = table_new();
	_cleanup_(freep) char *path = in_dir(x, "state/snapshot");
	struct cert_ref ref = {.serial = {.n = 16}};
	size_t step = x->b->certificates / ASKED ? x->b->certificates / ASKED : 1;
	struct gate_head h = {.size = x->b->certificates, .at = clock_now(), .beat = clock_now()};
	memcpy(ref.issuer_key_id, x->ca.public.key_id, 20);
	x->asked = xcalloc(ASKED, sizeof(*x->asked));
	for (size_t i = 0, n = 0; i < x->b->certificates; i++) {
		random_fill(ref.serial.b, 16);
		ref.serial.b[0] = 1;
		TRY(table_add(t, &ref, clock_now() + 1000000, false, NULL, f));
		if (i % step == 0 && n < ASKED)
			x->asked[n++] = ref.serial;
	}
	for (size_t i = x->b->certificates; i < ASKED; i++)
		x->asked[i] = x->asked[i % x->b->certificates];
	table_set_head(t, &h);
	return snapshot_write(t, path, f);
}

/* RFC 6960 4.2.2.2, by libcrypto, in the place where the gate keeps its own. */
static enum err make_responder(struct edge *x, EVP_PKEY *key, struct fault *f)
{
	const uint8_t *p = x->ca.cert.data;
	_cleanup_(x509_freep) X509 *issuer = d2i_X509(NULL, &p, (long)x->ca.cert.len), *c = X509_new();
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf pem = {0};
	uint8_t *der = NULL;
	char hex[65], of[41];
	TRY(privkey_to_pem(key, &pem, f));
	TRY(write_file(x, "ocsp.key", buf_slice(&pem), f));
	TRY(privkey_public(key, &public, f));
	hex_lower(public.spki_sha256, 32, hex);
	hex_lower(x->ca.public.key_id, 20, of);
	X509_EXTENSION *eku = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "OCSPSigning");
	X509_set_version(c, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c), 4711);
	X509_set_issuer_name(c, X509_get_subject_name(issuer));
	X509_gmtime_adj(X509_getm_notBefore(c), -60);
	X509_gmtime_adj(X509_getm_notAfter(c), 7 * 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const uint8_t *)"OCSP", -1, -1, 0);
	X509_set_pubkey(c, key);
	X509_add_ext(c, eku, -1);
	X509_EXTENSION_free(eku);
	int n = X509_sign(c, x->ca.key, EVP_sha256()) > 0 ? i2d_X509(c, &der) : -1;
	_cleanup_(freep) char *name = xasprintf("state/responder-%.16s-%.16s.crt", hex, of);
	enum err e = n > 0 ? write_file(x, name, slice_of(der, (size_t)n), f)
			   : fault_raise(f, ERR_CRYPTO, "responder", "responder", "libcrypto makes no certificate");
	OPENSSL_free(der);
	return e;
}

static enum err make_log_key(struct edge *x, struct fault *f)
{
	_cleanup_(person_key_done) struct person_key k = {0};
	_cleanup_buf_ struct buf vkey = {0};
	char origin[CHECKPOINT_ORIGIN_SIZE];
	TRY(person_key_generate("log", &k, f));
	log_origin(x->ca.public.key_id, origin);
	note_vkey_put(origin, k.public_key, &vkey);
	return write_file(x, "log.vkey", buf_slice(&vkey), f);
}

static enum err start_gate(struct edge *x, struct fault *f)
{
	_cleanup_(freep) char *program = path_join(x->b->build, "ra/gate/hufu-gate"), *config = in_dir(x, "gate.yaml"),
			      *log = in_dir(x, "gate.log");
	_cleanup_buf_ struct buf yaml = {0};
	buf_fmt(&yaml,
		"role: status\nroot: %s\ndesk_socket: away.sock\nstate: state\nlog_key: log.vkey\nissuer: "
		"ca.der\nlisten: "
		"" GATE "\nmetrics: " ADMIN "\nthreads: %u\nresponder: {keys: [ocsp.key]}\nocsp: {cache_entries: %u}\n",
		x->b->dir, x->b->cpus, 4 * ASKED);
	TRY(write_file(x, "gate.yaml", buf_slice(&yaml), f));
	const char *argv[] = {program, "--config", config, NULL};
	TRY(notify_open(&x->notify, f));
	TRY(process_start(&(struct process_spec){.argv = argv, .stderr_path = log, .notify_socket = x->notify.name},
			  &x->gate, f));
	TRY(notify_wait(&x->notify, x->gate, "hufu-gate", START_MS, f));
	return memory_read(x->gate, &x->idle, f);
}

static enum err make_gate(struct edge *x, struct fault *f)
{
	_cleanup_(freep) char *state = in_dir(x, "state");
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	TRY(dir_make(state, 0700, f));
	TRY(write_file(x, "ca.der", buf_slice(&x->ca.cert), f));
	TRY(make_log_key(x, f));
	TRY(make_table(x, f));
	TRY(privkey_generate(KEY_P256, 0, &key, f));
	TRY(make_responder(x, key, f));
	return start_gate(x, f);
}

/* --- requests --- */

static enum err make_id_head(struct edge *x, struct fault *f)
{
	_cleanup_(cert_done) struct cert c = {0};
	uint8_t hash[32];
	size_t n = 0;
	struct der d, in;
	struct slice bits;
	unsigned unused;
	TRY(cert_parse(buf_slice(&x->ca.cert), &c, f));
	d = der_of(slice_of(c.key.spki, c.key.spki_len));
	if (!der_enter(&d, DER_SEQUENCE, &in) || !der_get(&in, DER_SEQUENCE, NULL) ||
	    !der_get_bits(&in, &bits, &unused))
		return fault_raise(f, ERR_INTERNAL, "spki", "ca", "no key");
	size_t alg = der_begin(&x->id_head, DER_SEQUENCE);
	der_put_oid(&x->id_head, "1.3.14.3.2.26");
	der_put(&x->id_head, DER_NULL, (struct slice){0});
	der_end(&x->id_head, alg);
	EVP_Q_digest(NULL, "SHA1", NULL, c.subject.p, c.subject.n, hash, &n);
	der_put(&x->id_head, DER_OCTET_STRING, slice_of(hash, 20));
	EVP_Q_digest(NULL, "SHA1", NULL, bits.p, bits.n, hash, &n);
	der_put(&x->id_head, DER_OCTET_STRING, slice_of(hash, 20));
	return OK;
}

static void put_nonce(struct buf *b)
{
	uint8_t nonce[NONCE];
	random_fill(nonce, sizeof(nonce));
	size_t outer = der_begin(b, DER_CONTEXT_CONS(2)), list = der_begin(b, DER_SEQUENCE);
	size_t ext = der_begin(b, DER_SEQUENCE);
	der_put_oid(b, "1.3.6.1.5.5.7.48.1.2");
	size_t value = der_begin(b, DER_OCTET_STRING);
	der_put(b, DER_OCTET_STRING, slice_of(nonce, sizeof(nonce)));
	der_end(b, value);
	der_end(b, ext);
	der_end(b, list);
	der_end(b, outer);
}

static void put_request(const struct edge *x, const struct serial *serial, bool nonce, struct buf *b)
{
	size_t whole = der_begin(b, DER_SEQUENCE), tbs = der_begin(b, DER_SEQUENCE), list = der_begin(b, DER_SEQUENCE);
	size_t one = der_begin(b, DER_SEQUENCE), id = der_begin(b, DER_SEQUENCE);
	buf_add_slice(b, buf_slice(&x->id_head));
	der_put_magnitude(b, slice_of(serial->b, serial->n));
	der_end(b, id);
	der_end(b, one);
	der_end(b, list);
	if (nonce)
		put_nonce(b);
	der_end(b, tbs);
	der_end(b, whole);
}

enum form { FORM_GET, FORM_POST, FORM_NONCE, FORM_FILE };

/* A whole HTTP request. */
static void put_http(const struct edge *x, const struct serial *serial, enum form form, struct buf *b)
{
	_cleanup_buf_ struct buf der = {0}, text = {0};
	put_request(x, serial, form == FORM_NONCE, &der);
	if (form == FORM_FILE) {
		buf_str(b, "GET /answer HTTP/1.1\r\nHost: pki.example.test\r\n\r\n");
		return;
	}
	if (form != FORM_GET) {
		buf_fmt(b,
			"POST /ocsp HTTP/1.1\r\nHost: pki.example.test\r\nContent-Type: application/ocsp-request\r\n"
			"Content-Length: %zu\r\n\r\n",
			der.len);
		buf_add_slice(b, buf_slice(&der));
		return;
	}
	buf_base64(&text, der.data, der.len);
	buf_str(b, "GET /ocsp/");
	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];
		buf_str(b, c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : (char[]){c, '\0'});
	}
	buf_str(b, " HTTP/1.1\r\nHost: pki.example.test\r\n\r\n");
}

/* wrk reads them from a file, each with its length before it. */
static enum err write_requests(const struct edge *x, const char *name, enum form form, struct fault *f)
{
	_cleanup_buf_ struct buf all = {0};
	for (size_t i = 0; i < ASKED; i++) {
		_cleanup_buf_ struct buf one = {0};
		put_http(x, &x->asked[i], form, &one);
		uint8_t n[4] = {(uint8_t)(one.len >> 24), (uint8_t)(one.len >> 16), (uint8_t)(one.len >> 8),
				(uint8_t)one.len};
		buf_add(&all, n, 4);
		buf_add_slice(&all, buf_slice(&one));
	}
	return write_file(x, name, buf_slice(&all), f);
}

static enum err write_script(const struct edge *x, struct fault *f)
{
	return write_file(x, "ask.lua",
			  slice_str("local all, at, n = {}, 0, 0\n"
				    "function init(args)\n"
				    "  local text = io.open(args[1], 'rb'):read('*a')\n"
				    "  local i = 1\n"
				    "  while i < #text do\n"
				    "    local a, b, c, d = text:byte(i, i + 3)\n"
				    "    local len = ((a * 256 + b) * 256 + c) * 256 + d\n"
				    "    n = n + 1\n"
				    "    all[n] = text:sub(i + 4, i + 3 + len)\n"
				    "    i = i + 4 + len\n"
				    "  end\n"
				    "  math.randomseed(os.time())\n"
				    "  at = tonumber(args[2]) or math.random(n)\n"
				    "end\n"
				    "function request()\n"
				    "  at = at % n + 1\n"
				    "  return all[at]\n"
				    "end\n"),
			  f);
}

/* --- nginx --- */

static enum err start_nginx(struct edge *x, size_t size, struct fault *f)
{
	_cleanup_buf_ struct buf conf = {0}, answer = {0};
	_cleanup_(freep) char *www = in_dir(x, "www"), *path = in_dir(x, "nginx.conf"), *log = in_dir(x, "nginx.log");
	static const char *const folders[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
	TRY(dir_make(www, 0755, f));
	while (answer.len < size)
		buf_char(&answer, 'x');
	TRY(write_file(x, "www/answer", buf_slice(&answer), f));
	buf_fmt(&conf, "daemon off; user root; worker_processes %u; pid %s/nginx.pid; error_log %s;\n", x->b->cpus,
		x->b->dir, log);
	buf_str(&conf, "events { worker_connections 1024; }\nhttp { access_log off; sendfile on; keepalive_requests "
		       "1000000000; open_file_cache max=16; types {} default_type application/ocsp-response;\n");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		buf_fmt(&conf, "%s_temp_path %s/%s;\n", folders[i], x->b->dir, folders[i]);
	buf_fmt(&conf, "server { listen " NGINX "; root %s; } }\n", www);
	TRY(write_file(x, "nginx.conf", buf_slice(&conf), f));
	const char *argv[] = {"/usr/sbin/nginx", "-e", log, "-p", x->b->dir, "-c", path, NULL};
	return process_start(&(struct process_spec){.argv = argv, .stderr_path = log}, &x->nginx, f);
}

/* --- wrk --- */

struct told {
	double per_s, p50_ms, p99_ms;
};

/* "600.00us", "1.20ms", "2.00s". */
static double milliseconds(const char *text)
{
	char *end;
	double v = strtod(text, &end);
	return strncmp(end, "us", 2) == 0 ? v / 1000 : strncmp(end, "ms", 2) == 0 ? v : v * 1000;
}

static const char *behind(const char *text, const char *word)
{
	const char *p = strstr(text, word);
	return p ? p + strlen(word) : NULL;
}

static enum err read_told(const char *path, struct told *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	TRY(file_read(path, 65536, &text, f));
	const char *rate = behind(buf_text(&text), "Requests/sec:"), *p50 = behind(buf_text(&text), " 50%"),
		   *p99 = behind(buf_text(&text), " 99%");
	if (!rate || !p50 || !p99 || strstr(buf_text(&text), "Non-2xx") || strstr(buf_text(&text), "Socket errors"))
		return fault_raise(f, ERR_INTERNAL, "wrk", "wrk", "%s: found an error, or no rate", path);
	*ret = (struct told){strtod(rate, NULL), milliseconds(p50), milliseconds(p99)};
	return OK;
}

static enum err wrk(const struct edge *x, const char *address, const char *requests, double seconds, const char *from,
		    struct told *ret, struct fault *f)
{
	_cleanup_(freep) char *url = xasprintf("http://%s/", address), *script = in_dir(x, "ask.lua"),
			      *file = in_dir(x, requests), *out = in_dir(x, "wrk.out"),
			      *length = xasprintf("%ds", seconds < 1 ? 1 : (int)seconds),
			      *threads = xasprintf("-t%u", x->b->cpus);
	const char *argv[] = {
		"/usr/bin/wrk", threads, "-c" CONNECTIONS, "-d", length, "--latency", "-s", script, url, "--", file,
		from,		NULL};
	(void)unlink(out);
	TRY(process_run(&(struct process_spec){.argv = argv, .stdout_path = out, .stderr_path = out}, f));
	return read_told(out, ret, f);
}

/* --- signatures alone --- */

struct signer {
	pthread_t thread;
	double seconds, per_s;
};

static void *sign_alone(void *arg)
{
	struct signer *s = arg;
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

static double sign_rate(const struct edge *x)
{
	_cleanup_(freep) struct signer *all = xcalloc(x->b->cpus, sizeof(*all));
	double sum = 0;
	for (unsigned i = 0; i < x->b->cpus; i++) {
		all[i].seconds = x->b->seconds;
		if (pthread_create(&all[i].thread, NULL, sign_alone, &all[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < x->b->cpus; i++) {
		pthread_join(all[i].thread, NULL);
		sum += all[i].per_s;
	}
	return sum;
}

/* --- cases --- */

static const struct edge_case {
	const char *name, *requests;
	enum form form;
} cases[] = {{"ocsp-get", "get", FORM_GET}, {"ocsp-post", "post", FORM_POST}, {"ocsp-nonce", "nonce", FORM_NONCE}};

static enum err run_case(struct edge *x, const struct edge_case *c, struct row *r, struct fault *f)
{
	struct told gate, nginx = {0};
	int64_t before = 0, after = 0;
	struct sample *s = &r->runs[r->n_runs++];
	if (c->form != FORM_NONCE)
		TRY(wrk(x, NGINX, "file", x->b->seconds, NULL, &nginx, f));
	TRY(process_cpu_us(x->gate, &before, f));
	TRY(wrk(x, GATE, c->requests, x->b->seconds, NULL, &gate, f));
	TRY(process_cpu_us(x->gate, &after, f));
	*s = (struct sample){.per_s = gate.per_s, .p50_ms = gate.p50_ms, .p99_ms = gate.p99_ms};
	s->limit_per_s = c->form == FORM_NONCE ? sign_rate(x) : nginx.per_s;
	s->peers[0] = nginx.per_s;
	s->cpu_us = (double)(after - before) / (gate.per_s * (x->b->seconds < 1 ? 1 : (double)(int)x->b->seconds));
	return memory_read(x->gate, &r->ra, f);
}

static bool is_wanted(const struct edge *x, const char *name)
{
	return !x->b->only || strstr(name, x->b->only);
}

/* The first of each answer is signed: that is not what is measured. */
static enum err warm(struct edge *x, const struct edge_case *c, struct fault *f)
{
	struct told t;
	if (c->form == FORM_NONCE)
		return OK;
	for (unsigned i = 0; i < 2; i++)
		TRY(wrk(x, GATE, c->requests, x->b->seconds < 2 ? 2 : x->b->seconds, i == 0 ? "0" : "25000", &t, f));
	return OK;
}

static enum err run_cases(struct edge *x, struct fault *f)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!is_wanted(x, cases[i].name))
			continue;
		struct row *r = &x->report->rows[x->report->n_rows++];
		snprintf(r->name, sizeof(r->name), "%s", cases[i].name);
		r->peers[0] = cases[i].form == FORM_NONCE ? NULL : "nginx";
		TRY(write_requests(x, cases[i].requests, cases[i].form, f));
		TRY(warm(x, &cases[i], f));
		for (unsigned n = 0; n < x->b->runs; n++)
			TRY(run_case(x, &cases[i], r, f));
	}
	return OK;
}

/* Of an answer with a P-256 key, certificate included: what nginx is given to serve. */
static enum err answer_size(struct edge *x, size_t *ret, struct fault *f)
{
	_cleanup_(freep) char *body = in_dir(x, "one.der"), *out = in_dir(x, "one.answer"),
			      *header = xstrdup("Content-Type: application/ocsp-request"),
			      *data = xasprintf("@%s", body);
	_cleanup_buf_ struct buf der = {0};
	struct stat st;
	put_request(x, &x->asked[0], false, &der);
	TRY(write_file(x, "one.der", buf_slice(&der), f));
	const char *argv[] = {"/usr/bin/curl",	      "-sf", "-o", out, "-H", header, "--data-binary", data,
			      "http://" GATE "/ocsp", NULL};
	TRY(process_run(&(struct process_spec){.argv = argv}, f));
	if (stat(out, &st) != 0 || st.st_size < 200)
		return fault_raise(f, ERR_INTERNAL, "answer", "gate", "the gate gave no answer: see gate.log");
	*ret = (size_t)st.st_size;
	return OK;
}

static bool wants_gate(const struct edge *x)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (is_wanted(x, cases[i].name))
			return true;
	}
	return false;
}

static enum err run_gate(struct edge *x, struct fault *f)
{
	size_t size = 0;
	struct memory loaded;
	TRY(make_gate(x, f));
	TRY(make_id_head(x, f));
	TRY(answer_size(x, &size, f));
	TRY(start_nginx(x, size, f));
	TRY(write_script(x, f));
	TRY(write_requests(x, "file", FORM_FILE, f));
	TRY(run_cases(x, f));
	TRY(memory_read(x->gate, &loaded, f));
	struct program *p = &x->report->programs[x->report->n_programs++];
	snprintf(p->name, sizeof(p->name), "hufu-gate");
	p->idle = x->idle;
	p->loaded = loaded;
	if (x->b->progress)
		fprintf(stderr, "answers of %zu bytes, %zu certificates\n", size, x->b->certificates);
	process_stop(&x->gate);
	process_stop(&x->nginx);
	return OK;
}

static enum err run_all(struct edge *x, struct fault *f)
{
	TRY(old_ca_new(&x->ca, f));
	if (wants_gate(x))
		TRY(run_gate(x, f));
	if (is_wanted(x, "crl"))
		TRY(crls_run(x->b, &x->ca, x->report, f));
	return x->report->n_rows > 0
		       ? OK
		       : fault_raise(f, ERR_CONFIG, "only", "--only", "no case has \"%s\" in its name", x->b->only);
}

enum err edge_run(const struct bench_run *b, struct report *ret, struct fault *f)
{
	struct edge x = {.b = b, .report = ret, .notify = {.fd = -1}};
	enum err e = run_all(&x, f);
	edge_done(&x);
	return e;
}

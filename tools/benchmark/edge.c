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
#include "tools/benchmark/cfssl.h"
#include "tools/benchmark/crls.h"
#include "tools/benchmark/load.h"
#include "tools/benchmark/lookup.h"
#include "tools/benchmark/once.h"
#include "tools/benchmark/requests.h"
#include "tools/benchmark/revocation.h"
#include "tools/benchmark/rivals.h"
#include "tools/benchmark/told.h"
#include "tools/benchmark/wrk.h"
#include "tools/hufu/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/x509v3.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define GATE "127.0.0.1:20990"
#define ADMIN "127.0.0.1:20991"
#define ASKERS 4u    /* threads for each processor that ask openssl */
#define FEW 200u     /* of these, rivals know the answers */
#define ASKED 50000u /* certificates that are asked after */
#define START_MS 60000
#define IDLE_MS 1000
#define WARM_MOST 24u
#define WARM_FRESH 50
#define START_S 0.5 /* openssl's */

struct edge {
	const struct bench_run *b;
	struct report *report;
	struct old_ca ca;
	struct requests requests;
	struct serial *asked;
	struct notify notify;
	struct rivals rivals;
	pid_t gate;
	int64_t started_us; /* how long the gate took until it was ready */
	struct memory idle;
	double idle_us; /* processor time a second when nobody asks, as read last */
};

static void edge_done(struct edge *x)
{
	process_stop(&x->gate);
	rivals_done(&x->rivals);
	notify_close(&x->notify);
	old_ca_done(&x->ca);
	requests_done(&x->requests);
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

/* The head is the same for any count, so that a gate that followed one table takes the other. */
static enum err make_table(struct edge *x, size_t count, struct fault *f)
{
	_cleanup_(table_freep) struct gate_table *t = table_new();
	_cleanup_(freep) char *path = in_dir(x, "state/snapshot");
	struct cert_ref ref = {.serial = {.n = 16}};
	assert(count > 0);
	size_t step = count / ASKED ? count / ASKED : 1;
	struct gate_head h = {.size = x->b->certificates, .at = clock_now(), .beat = clock_now()};
	memcpy(ref.issuer_key_id, x->ca.public.key_id, 20);
	free(x->asked);
	x->asked = xcalloc(ASKED, sizeof(*x->asked));
	for (size_t i = 0, n = 0; i < count; i++) {
		random_fill(ref.serial.b, 16);
		ref.serial.b[0] = 1;
		TRY(table_add(t, &ref, clock_now() + 1000000, false, NULL, f));
		if (i % step == 0 && n < ASKED)
			x->asked[n++] = ref.serial;
	}
	for (size_t i = count; i < ASKED; i++)
		x->asked[i] = x->asked[i % count];
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
		x->b->dir, x->b->cpus, 2 * ASKED);
	TRY(write_file(x, "gate.yaml", buf_slice(&yaml), f));
	const char *argv[] = {program, "--config", config, NULL};
	notify_close(&x->notify);
	TRY(notify_open(&x->notify, f));
	int64_t from = clock_mono_us();
	TRY(process_start(&(struct process_spec){.argv = argv, .stderr_path = log, .notify_socket = x->notify.name},
			  &x->gate, f));
	TRY(notify_wait(&x->notify, x->gate, "hufu-gate", START_MS, f));
	x->started_us = clock_mono_us() - from;
	return memory_read(x->gate, &x->idle, f);
}

static enum err make_gate(struct edge *x, struct fault *f)
{
	_cleanup_(freep) char *state = in_dir(x, "state");
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	TRY(dir_make(state, 0700, f));
	TRY(write_file(x, "ca.der", buf_slice(&x->ca.cert), f));
	TRY(make_log_key(x, f));
	TRY(make_table(x, x->b->certificates, f));
	TRY(privkey_generate(KEY_P256, 0, &key, f));
	TRY(make_responder(x, key, f));
	return start_gate(x, f);
}

/* --- cases --- */

static enum err write_requests(const struct edge *x, const char *name, enum form form, size_t n, struct fault *f)
{
	_cleanup_(freep) char *path = in_dir(x, name);
	return requests_write(&x->requests, path, form, x->asked, n, f);
}

static enum err ask(const struct edge *x, const struct wrk_asking *a, double seconds, struct wrk_told *ret,
		    struct fault *f)
{
	return wrk_run(x->b->dir, x->b->cpus, a, seconds, ret, f);
}

static const struct edge_case {
	const char *name, *requests;
	enum form form;
} cases[] = {{"ocsp-get", "get", FORM_GET}, {"ocsp-post", "post", FORM_POST}, {"ocsp-nonce", "nonce", FORM_NONCE}};

/* What a request costs in processor time, beside nginx's. */
static enum err run_nginx(struct edge *x, struct wrk_told *ret, double *ret_cpu_us, struct fault *f)
{
	int64_t before, after;
	TRY(rivals_cpu_us(x->rivals.nginx, &before, f));
	TRY(ask(x, &(struct wrk_asking){NGINX_ADDRESS, "file"}, x->b->seconds, ret, f));
	TRY(rivals_cpu_us(x->rivals.nginx, &after, f));
	*ret_cpu_us = (double)(after - before) / (ret->per_s * wrk_seconds(x->b->seconds));
	return OK;
}

/* What a rival's answer costs in processor time, beside the gate's. */
static void tell_cost(const struct edge *x, const char *name, double per_s, double seconds, int64_t us,
		      const struct sample *s)
{
	double one = (double)us / (per_s * seconds);
	if (x->b->progress)
		fprintf(stderr, "%s: %.1f us of a processor for a request, %.1f times the gate's\n", name, one,
			one / s->cpu_us);
}

static enum err run_openssl(struct edge *x, struct sample *s, struct fault *f)
{
	_cleanup_(freep) char *few = in_dir(x, "few");
	int64_t before, after;
	TRY(rivals_cpu_us(x->rivals.openssl, &before, f));
	TRY(once_run(few, OPENSSL_PORT, ASKERS * x->b->cpus, x->b->seconds, &s->peers[1], f));
	TRY(rivals_cpu_us(x->rivals.openssl, &after, f));
	tell_cost(x, "openssl-ocsp", s->peers[1], x->b->seconds, after - before, s);
	return OK;
}

static enum err run_cfssl(struct edge *x, struct sample *s, struct fault *f)
{
	struct wrk_told t;
	int64_t before, after;
	TRY(rivals_cpu_us(x->rivals.cfssl, &before, f));
	TRY(ask(x, &(struct wrk_asking){CFSSL_ADDRESS, "few"}, x->b->seconds, &t, f));
	TRY(rivals_cpu_us(x->rivals.cfssl, &after, f));
	s->peers[2] = t.per_s;
	tell_cost(x, "cfssl-ocspserve", t.per_s, wrk_seconds(x->b->seconds), after - before, s);
	return OK;
}

static enum err run_rivals(struct edge *x, struct sample *s, struct fault *f)
{
	TRY(run_openssl(x, s, f));
	return x->rivals.cfssl > 0 ? run_cfssl(x, s, f) : OK;
}

static enum err run_gate_case(struct edge *x, const struct wrk_asking *a, struct sample *s, struct fault *f)
{
	struct wrk_told t;
	int64_t before, after;
	TRY(process_cpu_us(x->gate, &before, f));
	TRY(ask(x, a, x->b->seconds, &t, f));
	TRY(process_cpu_us(x->gate, &after, f));
	s->per_s = t.per_s;
	s->p50_ms = t.p50_ms;
	s->p99_ms = t.p99_ms;
	s->cpu_us = ((double)(after - before) - x->idle_us * wrk_seconds(x->b->seconds)) /
		    (t.per_s * wrk_seconds(x->b->seconds));
	return OK;
}

/* Processor time of a second in which nobody asks. */
static enum err read_idle(struct edge *x, struct fault *f)
{
	int64_t before, after, from = clock_mono_us();
	TRY(process_cpu_us(x->gate, &before, f));
	(void)poll(NULL, 0, IDLE_MS);
	TRY(process_cpu_us(x->gate, &after, f));
	x->idle_us = (double)(after - before) * 1e6 / (double)(clock_mono_us() - from);
	return OK;
}

static enum err run_kept(struct edge *x, const struct edge_case *c, struct sample *s, struct fault *f)
{
	struct wrk_told nginx;
	struct told before, after;
	double nginx_us = 0;
	TRY(run_nginx(x, &nginx, &nginx_us, f));
	TRY(told_read(x->b->dir, ADMIN, &before, f));
	TRY(run_gate_case(x, &(struct wrk_asking){GATE, c->requests}, s, f));
	TRY(told_read(x->b->dir, ADMIN, &after, f));
	s->limit_per_s = s->peers[0] = nginx.per_s;
	if (x->b->progress)
		fprintf(stderr,
			"%s: %.1f us of a processor for a request, nginx %.1f: %.2f; %.0f answers were signed; "
			"%.0f us a second when idle\n",
			c->name, s->cpu_us, nginx_us, s->cpu_us / nginx_us, after.fresh - before.fresh, x->idle_us);
	return c->form == FORM_POST ? run_rivals(x, s, f) : OK;
}

/* All of its threads. */
static enum err pin(const struct edge *x, const char *cores, struct fault *f)
{
	_cleanup_(freep) char *pid = xasprintf("%d", (int)x->gate), *out = in_dir(x, "taskset.out");
	const char *argv[] = {"/usr/bin/taskset", "-apc", cores, pid, NULL};
	return process_run(&(struct process_spec){.argv = argv, .stdout_path = out, .stderr_path = out}, f);
}

/* The gate has one half of the processors and wrk the other, so that what asking costs is not taken from signing. */
static enum err run_nonce(struct edge *x, const struct edge_case *c, struct sample *s, struct fault *f)
{
	unsigned half = x->b->cpus / 2;
	_cleanup_(freep) char *first = xasprintf("0-%u", half ? half - 1 : 0),
			      *rest = xasprintf("%u-%u", half, x->b->cpus - 1),
			      *all = xasprintf("0-%u", x->b->cpus - 1);
	TRY(pin(x, first, f));
	TRY(run_gate_case(x, &(struct wrk_asking){.address = GATE, .requests = c->requests, .cores = rest}, s, f));
	s->limit_per_s = rivals_sign_rate(half ? half : 1, x->b->seconds);
	return pin(x, all, f);
}

static enum err run_case(struct edge *x, const struct edge_case *c, struct row *r, struct fault *f)
{
	struct sample *s = &r->runs[r->n_runs++];
	*s = (struct sample){0};
	TRY(c->form == FORM_NONCE ? run_nonce(x, c, s, f) : run_kept(x, c, s, f));
	return memory_read(x->gate, &r->ra, f);
}

static bool is_wanted(const struct edge *x, const char *name)
{
	return !x->b->only || strstr(name, x->b->only);
}

/* The first of each answer is signed: that is not what is measured. Asked from four places on, until hardly any is. */
static enum err warm(struct edge *x, const struct edge_case *c, struct fault *f)
{
	static const char *const from[] = {"0", "12500", "25000", "37500"};
	struct told before, after;
	struct wrk_told t;
	if (c->form == FORM_NONCE)
		return OK;
	TRY(told_read(x->b->dir, ADMIN, &before, f));
	for (unsigned i = 0, quiet = 0; i < WARM_MOST && quiet < 2; i++) {
		TRY(ask(x, &(struct wrk_asking){GATE, c->requests, from[i % 4]}, x->b->seconds, &t, f));
		TRY(told_read(x->b->dir, ADMIN, &after, f));
		quiet = after.fresh - before.fresh < WARM_FRESH ? quiet + 1 : 0;
		before = after;
	}
	TRY(told_wait_quiet(x->b->dir, ADMIN, f));
	return read_idle(x, f);
}

/* What the gate answers to the first few, a line each. */
static enum err keep_answers(struct edge *x, struct fault *f)
{
	_cleanup_buf_ struct buf list = {0}, lines = {0};
	_cleanup_(freep) char *config = in_dir(x, "few.curl");
	for (size_t i = 0; i < FEW; i++) {
		_cleanup_buf_ struct buf der = {0};
		requests_put_der(&x->requests, &x->asked[i], false, &der);
		buf_str(&list, "url = http://" GATE);
		requests_put_path(buf_slice(&der), &list);
		buf_fmt(&list, "\noutput = %s/answer.%zu\n", x->b->dir, i);
	}
	TRY(write_file(x, "few.curl", buf_slice(&list), f));
	const char *argv[] = {"/usr/bin/curl", "-sf", "-K", config, NULL};
	TRY(process_run(&(struct process_spec){.argv = argv}, f));
	for (size_t i = 0; i < FEW; i++) {
		_cleanup_(freep) char *path = xasprintf("%s/answer.%zu", x->b->dir, i);
		_cleanup_buf_ struct buf answer = {0};
		TRY(file_read(path, 65536, &answer, f));
		buf_base64(&lines, answer.data, answer.len);
		buf_char(&lines, '\n');
	}
	return write_file(x, "answers.b64", buf_slice(&lines), f);
}

static enum err start_rivals(struct edge *x, struct row *r, struct fault *f)
{
	_cleanup_(freep) char *few = in_dir(x, "few");
	double unused;
	TRY(write_requests(x, "few", FORM_POST, FEW, f));
	r->peers[1] = "openssl-ocsp";
	TRY(rivals_openssl(&x->rivals, &x->ca, x->asked, FEW, f));
	TRY(once_run(few, OPENSSL_PORT, 1, START_S, &unused, f));
	if (!cfssl_program())
		return OK;
	TRY(keep_answers(x, f));
	r->peers[2] = "cfssl-ocspserve";
	return rivals_cfssl(&x->rivals, f);
}

static enum err run_cases(struct edge *x, struct fault *f)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!is_wanted(x, cases[i].name))
			continue;
		struct row *r = &x->report->rows[x->report->n_rows++];
		snprintf(r->name, sizeof(r->name), "%s", cases[i].name);
		r->peers[0] = cases[i].form == FORM_NONCE ? NULL : "nginx";
		if (cases[i].form == FORM_POST)
			TRY(start_rivals(x, r, f));
		TRY(write_requests(x, cases[i].requests, cases[i].form, ASKED, f));
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
	requests_put_der(&x->requests, &x->asked[0], false, &der);
	TRY(write_file(x, "one.der", buf_slice(&der), f));
	static const char url[] = "http://" GATE "/ocsp";
	const char *argv[] = {"/usr/bin/curl", "-sf", "-o", out, "-H", header, "--data-binary", data, url, NULL};
	TRY(process_run(&(struct process_spec){.argv = argv}, f));
	if (stat(out, &st) != 0 || st.st_size < 200)
		return fault_raise(f, ERR_INTERNAL, "answer", "gate", "the gate gave no answer: see gate.log");
	*ret = (size_t)st.st_size;
	return OK;
}

/* --- the table --- */

static struct row *new_row(struct edge *x, const char *name)
{
	struct row *r = &x->report->rows[x->report->n_rows++];
	snprintf(r->name, sizeof(r->name), "%s", name);
	return r;
}

static enum err read_time(const struct edge *x, double *ret_s, struct fault *f)
{
	_cleanup_(freep) char *path = in_dir(x, "state/snapshot");
	_cleanup_buf_ struct buf bytes = {0};
	int64_t from = clock_mono_us();
	TRY(file_read(path, SIZE_MAX / 2, &bytes, f));
	*ret_s = (double)(clock_mono_us() - from) / 1e6;
	return OK;
}

/* From the gate's start until it is ready, and with it the reading of its file alone. */
static enum err run_snapshot(struct edge *x, struct fault *f)
{
	struct row *r = new_row(x, "snapshot");
	double n = (double)x->b->certificates, s = (double)x->started_us / 1e6, limit = 0;
	TRY(read_time(x, &limit, f));
	r->runs[r->n_runs++] =
		(struct sample){.per_s = n / s, .limit_per_s = n / limit, .p50_ms = s * 1000, .p99_ms = s * 1000};
	r->ra = x->idle;
	return OK;
}

/* Status by serial number is answered from the table alone. */
static enum err run_look_ups(struct edge *x, struct row *r, bool small, struct fault *f)
{
	struct sample one = {0};
	TRY(write_requests(x, "status", FORM_STATUS, ASKED, f));
	for (unsigned i = 0; i < x->b->runs; i++) {
		TRY(run_gate_case(x, &(struct wrk_asking){GATE, "status"}, &one, f));
		if (x->b->progress)
			fprintf(stderr, "look-up: %.2f us of a processor for a request with %zu certificates\n",
				one.cpu_us, small ? (size_t)LOOKUP_FEW : x->b->certificates);
		if (small) {
			r->runs[i].limit_per_s = one.per_s;
			continue;
		}
		r->runs[r->n_runs++] = one;
		TRY(memory_read(x->gate, &r->ra, f));
	}
	return OK;
}

/* The same gate with a small table is the limit. */
static enum err run_look_up(struct edge *x, struct fault *f)
{
	struct row *r = new_row(x, "look-up");
	TRY(run_look_ups(x, r, false, f));
	process_stop(&x->gate);
	TRY(make_table(x, LOOKUP_FEW, f));
	TRY(start_gate(x, f));
	return run_look_ups(x, r, true, f);
}

static bool wants_gate(const struct edge *x)
{
	if (is_wanted(x, "snapshot") || is_wanted(x, "look-up"))
		return true;
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
	TRY(requests_of(buf_slice(&x->ca.cert), &x->requests, f));
	TRY(answer_size(x, &size, f));
	x->rivals = (struct rivals){.dir = x->b->dir, .cpus = x->b->cpus};
	TRY(rivals_nginx(&x->rivals, size, f));
	TRY(wrk_script(x->b->dir, f));
	TRY(write_requests(x, "file", FORM_FILE, ASKED, f));
	TRY(run_cases(x, f));
	TRY(memory_read(x->gate, &loaded, f));
	struct program *p = &x->report->programs[x->report->n_programs++];
	snprintf(p->name, sizeof(p->name), "hufu-gate");
	p->idle = x->idle;
	p->loaded = loaded;
	if (x->b->progress)
		fprintf(stderr, "answers of %zu bytes, %zu certificates\n", size, x->b->certificates);
	if (is_wanted(x, "snapshot"))
		TRY(run_snapshot(x, f));
	if (is_wanted(x, "look-up"))
		TRY(run_look_up(x, f));
	process_stop(&x->gate);
	rivals_done(&x->rivals);
	return OK;
}

static enum err run_all(struct edge *x, struct fault *f)
{
	TRY(old_ca_new(&x->ca, f));
	if (wants_gate(x))
		TRY(run_gate(x, f));
	if (is_wanted(x, "look-up-bare"))
		TRY(lookup_run(x->b, x->report, f));
	if (is_wanted(x, "revocation"))
		TRY(revocation_run(x->b, &x->ca, x->report, f));
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

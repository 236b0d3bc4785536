/*
 * Signer, desk and gate as `hufu init` lays them out, and a responder's key that the officers list. Certificates are
 * issued first, and asked after until the gate has answered good; then each is revoked straight at the signer, and the
 * gate is asked each millisecond until it says so.
 */
#include "tools/benchmark/revocation.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/pki/sign.h"
#include "common/rpc/wire.h"
#include "tools/benchmark/load.h"
#include "tools/benchmark/requests.h"
#include "tools/hufu/setup.h"

#include <poll.h>
#include <string.h>

#include <openssl/ocsp.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define EACH 8u /* revocations of a run */
#define LOOK_MS 1
#define WAIT_S 30
#define READY_MS 60000
#define LIFE_S 3600

CLEANUP_PTR(OCSP_RESPONSE, ocsp_response_freep, OCSP_RESPONSE_free)
CLEANUP_PTR(OCSP_BASICRESP, ocsp_basic_freep, OCSP_BASICRESP_free)

struct revocation {
	const struct bench_run *b;
	struct tree tree;
	struct stock stock;
	struct requests requests;
	struct item *items;
	struct cert_ref *certs;
	size_t n, at;
	struct timing timing;
};

static void revocation_done(struct revocation *x)
{
	tree_done(&x->tree);
	requests_done(&x->requests);
	items_free(x->items, x->n);
	free(x->certs);
	timing_done(&x->timing);
}

/* --- setting up --- */

static enum err lay_out(struct revocation *x, const struct old_ca *ca, struct fault *f)
{
	_cleanup_(freep) char *old = path_join(x->b->dir, "old-authority.pem");
	_cleanup_buf_ struct buf pem = {0};
	x->tree = (struct tree){
		.build = x->b->build, .policies = x->b->policies, .dir = path_join(x->b->dir, "revocation")};
	pem_put(&pem, "CERTIFICATE", buf_slice(&ca->cert));
	TRY(file_write(old, buf_slice(&pem), 0644, f));
	TRY(tree_lay_out(&x->tree, "p256", old, f));
	TRY(tree_start(&x->tree, f));
	x->stock = (struct stock){.old = ca, .ra = &x->tree.ra_key, .officer = &x->tree.officers[0]};
	memcpy(x->stock.ca, x->tree.ca_key_id, sizeof x->stock.ca);
	memcpy(x->stock.policy, x->tree.policy, sizeof x->stock.policy);
	return OK;
}

static enum err health(const struct revocation *x, struct buf *reply, struct wire_health_is *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(load_call(x->tree.operator_socket, buf_slice(&request), reply, f));
	TRY(wire_expect(buf_slice(reply), WIRE_TYPE_HEALTH_IS, NULL, f));
	return wire_health_is_get(buf_slice(reply), ret, f);
}

static enum err done_of(const char *socket, struct slice request, struct buf *reply, struct wire_done *ret,
			struct fault *f)
{
	TRY(load_call(socket, request, reply, f));
	TRY(wire_expect(buf_slice(reply), WIRE_TYPE_DONE, NULL, f));
	return wire_done_get(buf_slice(reply), ret, f);
}

static enum err issue_one(struct revocation *x, size_t i, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	_cleanup_(cert_done) struct cert c = {0};
	struct wire_done done;
	TRY(done_of(x->tree.ra_socket, buf_slice(&x->items[i].request), &reply, &done, f));
	TRY(cert_parse(done.cert, &c, f));
	x->certs[i].serial = c.serial;
	return OK;
}

static enum err issue_all(struct revocation *x, struct fault *f)
{
	size_t n = (size_t)EACH * x->b->runs;
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is h = {0};
	_cleanup_(cert_done) struct cert issuer = {0};
	TRY(stock_make(&x->stock, n, true, &x->items, f));
	x->n = n;
	x->certs = xcalloc(n, sizeof(*x->certs));
	TRY(tree_adopt(&x->tree, &x->stock, x->items, n, f));
	TRY(health(x, &reply, &h, f));
	TRY(cert_parse(h.issuer_cert, &issuer, f));
	TRY(requests_of(h.issuer_cert, &x->requests, f));
	for (size_t i = 0; i < n; i++) {
		memcpy(x->certs[i].issuer_key_id, issuer.key.key_id, 20);
		TRY(issue_one(x, i, f));
	}
	return OK;
}

/* words: up to five, behind fewer NULL. */
static enum err roster(const struct revocation *x, const char *const words[5], struct fault *f)
{
	_cleanup_(freep) char *program = path_join(x->b->build, "tools/hufu"),
			      *config = path_join(x->tree.dir, "etc/hufu/hufu.yaml"),
			      *log = xasprintf("%s.log", x->tree.dir);
	const char *argv[] = {program,	"--config", config,   "roster", words[0],
			      words[1], words[2],   words[3], words[4], NULL};
	return process_run(&(struct process_spec){.argv = argv, .stdout_path = log, .stderr_path = log}, f);
}

/* The officers list the gate's key. */
static enum err list_key(struct revocation *x, const char *public, struct fault *f)
{
	_cleanup_(freep) char *add = xasprintf("responder:ocsp-1=%s", public),
			      *note = path_join(x->b->dir, "roster-2.note");
	TRY(roster(x, (const char *const[]){"note", "--add", add, note, NULL}, f));
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *key = setup_person_path(x->tree.dir, setup_officers[i]);
		TRY(roster(x, (const char *const[]){"sign", "--yes", "--key", key, note}, f));
	}
	return roster(x, (const char *const[]){"submit", note, NULL, NULL, NULL}, f);
}

static enum err make_key(struct revocation *x, const char *path, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_buf_ struct buf pem = {0}, text = {0};
	_cleanup_(freep) char *beside = xasprintf("%s.pub", path);
	TRY(privkey_generate(KEY_P256, 0, &key, f));
	TRY(privkey_to_pem(key, &pem, f));
	TRY(file_write(path, buf_slice(&pem), 0600, f));
	TRY(privkey_public(key, &public, f));
	pem_put(&text, "PUBLIC KEY", slice_of(public.spki, public.spki_len));
	TRY(file_write(beside, buf_slice(&text), 0644, f));
	return list_key(x, beside, f);
}

static enum err start_gate(struct revocation *x, struct fault *f)
{
	struct tree *t = &x->tree;
	_cleanup_(freep) char *program = path_join(x->b->build, "ra/gate/hufu-gate"),
			      *config = path_join(t->dir, "etc/hufu/bench-gate.yaml"),
			      *log = path_join(t->dir, "var/log/hufu-gate.log"),
			      *key = path_join(t->dir, "etc/hufu/ocsp.key");
	_cleanup_buf_ struct buf yaml = {0};
	TRY(make_key(x, key, f));
	buf_fmt(&yaml,
		"role: status\ndesk_socket: run/hufu/ra/desk.sock\nstate: var/lib/hufu-gate\nlog_key: "
		"etc/hufu/log.vkey\n"
		"issuer: etc/hufu/issuing.crt\nlisten: %s\nmetrics: %s.metrics\nresponder: {keys: [%s]}\n",
		t->gate_socket, t->gate_socket, key);
	TRY(file_write(config, buf_slice(&yaml), 0644, f));
	const char *argv[] = {program, "--config", config, NULL};
	TRY(process_start(&(struct process_spec){.argv = argv, .stderr_path = log, .notify_socket = t->notify.name},
			  &t->gate, f));
	return notify_wait(&t->notify, t->gate, "hufu-gate", READY_MS, f);
}

/* --- asking --- */

/* Of one certificate, until the gate says what is waited for. */
struct asking {
	struct buf request;
	int wanted; /* V_OCSP_CERTSTATUS_… */
	int64_t until_us;
};

/* -1: none. */
static int status_of(struct slice answer)
{
	const uint8_t *p = answer.p;
	_cleanup_(ocsp_response_freep) OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)answer.n);
	_cleanup_(ocsp_basic_freep) OCSP_BASICRESP *basic =
		r && OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL ? OCSP_response_get1_basic(r) : NULL;
	OCSP_SINGLERESP *one = basic ? OCSP_resp_get0(basic, 0) : NULL;
	return one ? OCSP_single_get0_status(one, NULL, NULL, NULL, NULL) : -1;
}

static enum err ask_step(void *arg, unsigned slot, struct slice reply, struct buf *request, struct fault *f)
{
	struct asking *a = arg;
	(void)slot;
	if (reply.n > 0 && status_of(reply) == a->wanted)
		return OK;
	if (clock_mono_us() > a->until_us)
		return fault_raise(f, ERR_BUSY, "answer", "gate", "it does not say what it should: see hufu-gate.log");
	if (reply.n > 0)
		(void)poll(NULL, 0, LOOK_MS);
	buf_add_slice(request, buf_slice(&a->request));
	return OK;
}

static enum err ask_until(struct revocation *x, const struct cert_ref *c, int wanted, struct fault *f)
{
	struct asking a = {.wanted = wanted, .until_us = clock_mono_us() + WAIT_S * INT64_C(1000000)};
	_cleanup_buf_ struct buf der = {0};
	requests_put_der(&x->requests, &c->serial, false, &der);
	buf_fmt(&a.request,
		"POST /ocsp HTTP/1.1\r\nHost: pki.example.test\r\nContent-Type: application/ocsp-request\r\n"
		"Content-Length: %zu\r\n\r\n",
		der.len);
	buf_add_slice(&a.request, buf_slice(&der));
	enum err e = load_run_http(x->tree.gate_socket, 1, ask_step, &a, f);
	buf_done(&a.request);
	return e;
}

/* --- revoking --- */

static enum err put_revocation(const struct revocation *x, const struct cert_ref *c, struct buf *ret, struct fault *f)
{
	const struct person_key *officer = &x->tree.officers[0];
	_cleanup_(tally_done) struct tally t = {.kind = TALLY_REVOKE,
						.project = STOCK_PROJECT,
						.profile = STOCK_PROFILE,
						.way = "by-officer",
						.has_predecessor = true,
						.predecessor = *c,
						.reason = crl_reason_from_word("keyCompromise"),
						.made = clock_now(),
						.dies = clock_now() + LIFE_S};
	_cleanup_buf_ struct buf text = {0}, note = {0};
	random_fill(t.id, sizeof t.id);
	memcpy(t.ca, x->tree.ca_key_id, sizeof t.ca);
	memcpy(t.policy, x->tree.policy, sizeof t.policy);
	tally_put(&t, &text);
	note_begin(buf_slice(&text), &note);
	TRY(note_sign_ed25519(&note, officer->name, officer->secret.p, f));
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&note)}, ret);
	return OK;
}

static enum err revoke_one(struct revocation *x, const struct cert_ref *c, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_done done;
	TRY(put_revocation(x, c, &request, f));
	TRY(ask_until(x, c, V_OCSP_CERTSTATUS_GOOD, f));
	int64_t from = clock_mono_us();
	TRY(done_of(x->tree.operator_socket, buf_slice(&request), &reply, &done, f));
	TRY(ask_until(x, c, V_OCSP_CERTSTATUS_REVOKED, f));
	timing_add(&x->timing, from);
	return OK;
}

static enum err run_once(struct revocation *x, struct row *r, struct fault *f)
{
	struct sample *s = &r->runs[r->n_runs++];
	int64_t before, after;
	*s = (struct sample){.limit_per_s = 1};
	TRY(process_cpu_us(x->tree.gate, &before, f));
	timing_start(&x->timing);
	for (size_t i = 0; i < EACH; i++)
		TRY(revoke_one(x, &x->certs[x->at++], f));
	TRY(process_cpu_us(x->tree.gate, &after, f));
	sample_take(s, &x->timing);
	s->cpu_us = (double)(after - before) / EACH;
	return memory_read(x->tree.gate, &r->ra, f);
}

static enum err run_all(struct revocation *x, const struct old_ca *ca, struct report *report, struct fault *f)
{
	struct row *r = &report->rows[report->n_rows++];
	snprintf(r->name, sizeof(r->name), "revocation");
	TRY(lay_out(x, ca, f));
	TRY(issue_all(x, f));
	TRY(start_gate(x, f));
	for (unsigned i = 0; i < x->b->runs; i++)
		TRY(run_once(x, r, f));
	return OK;
}

enum err revocation_run(const struct bench_run *b, const struct old_ca *ca, struct report *ret, struct fault *f)
{
	struct revocation x = {.b = b};
	enum err e = run_all(&x, ca, ret, f);
	revocation_done(&x);
	return e;
}

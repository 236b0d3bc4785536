/*
 * The fixture makes the ledger within this process and lets go of it; then the real signer opens it, with its sealed
 * key, its sandbox and its sockets. From there on nothing is known but what the sockets say.
 */
#include "tests/process/kinds_world.h"

#include "common/base/file.h"

#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASSPHRASE "a passphrase of the tests"
#define TIMEOUT_MS 20000
#define LOOK_PART 512

static void must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

/* --- the process --- */

static void write_config(struct fx *x)
{
	_cleanup_(freep) char *path = path_join(x->dir, "ca.yaml");
	_cleanup_buf_ struct buf b = {0};
	struct fault f = {0};
	buf_fmt(&b,
		"tree: %s\nstate: .\nra_socket: ra.sock\noperator_socket: operator.sock\nissuer: issuing.crt\n"
		"key: issuing.key\nra_uids: [%u]\noperator_uids: [%u]\nrefusals: {per_second: 10000, burst: 100000}\n",
		x->dir, (unsigned)getuid(), (unsigned)getuid());
	must("ca.yaml", file_write(path, buf_slice(&b), 0644, &f), &f);
}

/* Beside this program. Gives: free(). */
static char *clock_shift(void)
{
	char self[PATH_MAX] = "";
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	return xasprintf("%s/clock_shift.so", dirname(self));
}

static void start(struct world *w)
{
	_cleanup_(freep) char *program = process_program("hufu-ca"), *config = path_join(w->x->dir, "ca.yaml");
	_cleanup_(freep) char *log = path_join(w->x->dir, "ca.log"), *shift = clock_shift();
	_cleanup_(freep) char *ra = path_join(w->x->dir, "ra.sock"), *op = path_join(w->x->dir, "operator.sock");
	_cleanup_(freep) char *ahead = xasprintf("%lld", (long long)w->ahead);
	const char *argv[] = {program, "--config", config, "--passphrase-fd", "3", NULL};
	struct fault f = {0};
	if (w->ahead != 0) {
		setenv("LD_PRELOAD", shift, 1);
		setenv("HUFU_TEST_CLOCK_AHEAD", ahead, 1);
	}
	must("start",
	     process_start(&(struct process_spec){.argv = argv,
						  .secret = &w->passphrase,
						  .stderr_path = log,
						  .notify_socket = w->notify.name},
			   &w->pid, &f),
	     &f);
	unsetenv("LD_PRELOAD");
	must("ready", notify_wait(&w->notify, w->pid, "hufu-ca", TIMEOUT_MS, &f), &f);
	must("ra.sock", rpc_client_open(ra, TIMEOUT_MS, WIRE_MAX_MESSAGE, &w->ra, &f), &f);
	must("operator.sock", rpc_client_open(op, TIMEOUT_MS, WIRE_MAX_MESSAGE, &w->op, &f), &f);
	clock_set(w->ahead ? time(NULL) + w->ahead : 0);
}

static void hang_up(struct world *w)
{
	rpc_client_closep(&w->ra);
	rpc_client_closep(&w->op);
}

void world_kill_and_start(struct world *w, int64_t ahead)
{
	hang_up(w);
	assert_int_equal(kill(w->pid, SIGKILL), 0);
	assert_int_equal(waitpid(w->pid, NULL, 0), w->pid);
	w->ahead = ahead;
	start(w);
}

static void carry(struct fx *x, bool by_operator, struct slice request, struct buf *reply)
{
	struct world *w = x->carrier;
	struct fault f = {0};
	must("call", rpc_call(by_operator ? w->op : w->ra, request, reply, &f), &f);
}

void world_begin(struct world *w, void (*edit)(struct fx *x))
{
	struct fault f = {0};
	*w = (struct world){.x = fx_new_at(KEY_P256, time(NULL), edit)};
	secret_alloc(&w->passphrase, strlen(PASSPHRASE));
	memcpy(w->passphrase.p, PASSPHRASE, strlen(PASSPHRASE));
	must("seal", ca_key_seal(atomic_load(&w->x->signer->key), w->x->config.key, &w->passphrase, &f), &f);
	ledger_closep(&w->x->ledger);
	write_config(w->x);
	must("notify", notify_open(&w->notify, &f), &f);
	start(w);
	w->x->carry = carry;
	w->x->carrier = w;
	world_until_beat(w);
}

void world_end(struct world *w)
{
	hang_up(w);
	process_stop(&w->pid);
	notify_close(&w->notify);
	secret_done(&w->passphrase);
	for (size_t i = 0; i < ENTRY_TYPES; i++)
		buf_done(&w->last[i]);
	buf_done(&w->note);
	buf_done(&w->csr);
	buf_done(&w->cert);
	if (w->x)
		fx_free(w->x);
	*w = (struct world){0};
}

/* --- the ledger, as it is told --- */

static void take_entry(struct world *w, struct slice body)
{
	enum wire_type type;
	struct fault f = {0};
	must("entry", wire_type(body, &type, &f), &f);
	buf_clear(&w->last[type]);
	buf_add_slice(&w->last[type], body);
	w->at[type] = w->size++;
	if (type == WIRE_TYPE_E_BEAT)
		return;
	size_t n = strlen(w->made);
	/* "e_intent": the prefix is every entry's. */
	snprintf(w->made + n, sizeof(w->made) - n, "%s%s", n > 0 ? " " : "", wire_type_word(type) + 2);
}

static bool look_once(struct world *w, uint32_t wait_ms)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_entries part = {0};
	struct fault f = {0};
	wire_follow_put(&(struct wire_follow){.from = w->size, .max = LOOK_PART, .wait_ms = wait_ms}, &request);
	must("follow", fx_ra(w->x, &request, WIRE_TYPE_ENTRIES, &reply, &f), &f);
	must("entries", wire_entries_get(buf_slice(&reply), &part, &f), &f);
	for (size_t i = 0; i < part.entries.n; i++)
		take_entry(w, part.entries.v[i]);
	bool more = w->size < part.size;
	wire_entries_done(&part);
	return more;
}

void world_look(struct world *w)
{
	while (look_once(w, 0))
		;
}

void world_until_beat(struct world *w)
{
	int64_t until = clock_mono_us() + TIMEOUT_MS * INT64_C(1000);
	uint64_t beat = w->at[WIRE_TYPE_E_BEAT];
	while (w->at[WIRE_TYPE_E_BEAT] == beat) {
		look_once(w, 1000);
		if (clock_mono_us() > until)
			fail_msg("no beat came");
	}
}

int world_crl_reason(struct world *w, const struct serial *serial)
{
	_cleanup_buf_ struct buf request = {0}, reply = {0};
	struct wire_crl m = {.shard = WIRE_FULL_CRL};
	struct wire_crl_is is = {0};
	struct crl crl;
	struct fault f = {0};
	bool found = false;
	int64_t when;
	unsigned reason = 0;
	memcpy(m.issuer, w->x->signer->issuer.key.key_id, 20);
	wire_crl_put(&m, &request);
	must("crl", fx_operator(w->x, &request, WIRE_TYPE_CRL_IS, &reply, &f), &f);
	must("crl", wire_crl_is_get(buf_slice(&reply), &is, &f), &f);
	must("crl", crl_parse(is.der, &crl, &f), &f);
	must("crl", crl_verify_by(&crl, &w->x->signer->issuer, &f), &f);
	must("crl", crl_find(&crl, serial, &found, &when, &reason, &f), &f);
	return found ? (int)reason : -1;
}

/*
 * Laying out, starting and filling one Hufu, all by the real programs and wires: `hufu init`, the two daemons with a
 * passphrase on a descriptor, and ADOPT on the operator's socket as `hufu import` sends it.
 */
#include "tools/benchmark/tree.h"

#include "common/base/file.h"
#include "common/note/merkle.h"
#include "common/note/statement.h"
#include "common/rpc/wire.h"
#include "tools/benchmark/hsm.h"
#include "tools/benchmark/load.h"
#include "tools/hufu/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define READY_TIMEOUT_MS 60000
#define PASSPHRASE_BYTES 32
#define ADOPT_PART 128u
#define ADOPTION_LIFE_S 86400

void tree_done(struct tree *t)
{
	process_stop(&t->gate);
	process_stop(&t->ra);
	process_stop(&t->ca);
	if (t->notify.fd > 0)
		notify_close(&t->notify);
	secret_done(&t->passphrase);
	person_key_done(&t->ra_key);
	for (size_t i = 0; i < 2; i++)
		person_key_done(&t->officers[i]);
	char **texts[] = {&t->hsm_uri,	       &t->hsm_policies, &t->dir,	 &t->ra_socket,
			  &t->operator_socket, &t->desk_socket,	 &t->gate_socket};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		freep(texts[i]);
}

/* --- laying out --------------------------------------------------------------------------------------------------- */

static void make_passphrase(struct secret *s)
{
	uint8_t random[PASSPHRASE_BYTES / 2];
	secret_alloc(s, 2 * sizeof random);
	random_fill(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) {
		s->p[2 * i] = (uint8_t)('a' + (random[i] & 15));
		s->p[2 * i + 1] = (uint8_t)('a' + (random[i] >> 4));
	}
}

static enum err load_people(struct tree *t, struct fault *f)
{
	_cleanup_(freep) char *ra = path_join(t->dir, "var/lib/hufu-ra/ra.key");
	TRY(person_key_load(ra, NULL, &t->ra_key, f));
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(freep) char *path = setup_person_path(t->dir, setup_officers[i]);
		TRY(person_key_load(path, NULL, &t->officers[i], f));
	}
	return OK;
}

/* Its accounts are only there to order: nobody sends messages to their numbers. */
static enum err no_mobiles(const struct tree *t, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	_cleanup_(freep) char *path = path_join(t->dir, "etc/hufu/ra.yaml");
	TRY(file_read(path, 65536, &text, f));
	buf_str(&text, "accounts: {mobile: optional}\n");
	return file_write(path, buf_slice(&text), 0644, f);
}

static void name_sockets(struct tree *t)
{
	t->ra_socket = path_join(t->dir, "run/hufu/ca/ra.sock");
	t->operator_socket = path_join(t->dir, "run/hufu/operator/ca.sock");
	t->desk_socket = path_join(t->dir, "run/hufu/ra/desk.sock");
	t->gate_socket = path_join(t->dir, "run/hufu/bench.sock");
}

/* It opens keys that sign nothing but measurements. */
static char *passphrase_path(const struct tree *t)
{
	return xasprintf("%s.passphrase", t->dir);
}

enum err tree_lay_out(struct tree *t, const char *algorithm, const char *old_issuer, struct fault *f)
{
	_cleanup_(freep) char *program = path_join(t->build, "tools/hufu");
	make_passphrase(&t->passphrase);
	if (t->in_hsm)
		TRY(hsm_prepare(t, f));
	const char *policies = t->in_hsm ? t->hsm_policies : t->policies;
	const char *argv[] = {program,	     "init",	"--passphrase-fd", "3",	       "--policies", policies,
			      "--algorithm", algorithm, "--issuer",	   old_issuer, t->dir,	     NULL};
	name_sockets(t);
	_cleanup_(freep) char *log = xasprintf("%s.log", t->dir);
	enum err e = process_run(&(struct process_spec){.argv = argv, .secret = &t->passphrase, .stderr_path = log}, f);
	if (e != OK)
		fault_prefix(f, "see %s", log);
	TRY(e);
	TRY(no_mobiles(t, f));
	_cleanup_(freep) char *pass = passphrase_path(t);
	TRY(file_write_new(pass, slice_of(t->passphrase.p, t->passphrase.n), 0600, f));
	if (t->in_hsm)
		TRY(hsm_configure(t, f));
	return load_people(t, f);
}

enum err tree_lengthen(struct tree *t, uint64_t entries, struct fault *f)
{
	_cleanup_(freep) char *program = path_join(t->build, "tests/process/long_ledger");
	_cleanup_(freep) char *state = path_join(t->dir, "var/lib/hufu-ca"), *log = xasprintf("%s.log", t->dir);
	_cleanup_(freep) char *n = xasprintf("%" PRIu64, entries);
	const char *argv[] = {program, state, n, "certificates", NULL};
	return process_run(&(struct process_spec){.argv = argv, .stderr_path = log}, f);
}

enum err tree_take(struct tree *t, struct fault *f)
{
	_cleanup_(freep) char *pass = passphrase_path(t);
	name_sockets(t);
	TRY(secret_read_file(pass, PASSPHRASE_BYTES, &t->passphrase, f));
	return load_people(t, f);
}

/* --- starting ----------------------------------------------------------------------------------------------------- */

static enum err start_one(struct tree *t, const char *room, const char *name, const char *yaml,
			  const struct secret *secret, pid_t *ret, struct fault *f)
{
	_cleanup_(freep) char *program = xasprintf("%s/%s/%s", t->build, room, name),
			      *config = xasprintf("%s/etc/hufu/%s", t->dir, yaml),
			      *log = xasprintf("%s/var/log/%s.log", t->dir, name);
	const char *argv[] = {program, "--config", config, secret ? "--passphrase-fd" : NULL, "3", NULL};
	struct process_spec s = {.argv = argv, .secret = secret, .stderr_path = log, .notify_socket = t->notify.name};
	TRY(process_start(&s, ret, f));
	enum err e = notify_wait(&t->notify, *ret, name, READY_TIMEOUT_MS, f);
	if (e != OK)
		fault_prefix(f, "see %s", log);
	return e;
}

static double status_mib(const char *status, const char *field)
{
	const char *at = strstr(status, field);
	return at ? (double)strtoull(at + strlen(field), NULL, 10) / 1024.0 : 0;
}

enum err memory_read(pid_t pid, struct memory *ret, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_(freep) char *path = xasprintf("/proc/%d/status", (int)pid);
	TRY(file_read(path, 65536, &b, f));
	ret->rss_mib = status_mib(buf_text(&b), "VmRSS:");
	ret->peak_mib = status_mib(buf_text(&b), "VmHWM:");
	return OK;
}

/* utime and stime, the 12th and 13th words behind the program's name. proc(5) */
enum err process_cpu_us(pid_t pid, int64_t *ret, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_(freep) char *path = xasprintf("/proc/%d/stat", (int)pid);
	unsigned long long user = 0, system = 0;
	TRY(file_read(path, 4096, &b, f));
	const char *at = strrchr(buf_text(&b), ')');
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
		return fault_raise(f, ERR_PARSE, "proc_stat", path, "%s: not as proc(5) says", path);
	*ret = (int64_t)(user + system) * (1000000 / sysconf(_SC_CLK_TCK));
	return OK;
}

enum err tree_cpu_us(const struct tree *t, bool with_ra, int64_t *ret, struct fault *f)
{
	int64_t ca = 0, ra = 0;
	TRY(process_cpu_us(t->ca, &ca, f));
	if (with_ra)
		TRY(process_cpu_us(t->ra, &ra, f));
	*ret = ca + ra;
	return OK;
}

/* ret borrows from reply. */
static enum err ask_status(const struct tree *t, struct buf *reply, struct wire_health_is *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_status_put(&(struct wire_status){0}, &request);
	TRY(load_call(t->operator_socket, buf_slice(&request), reply, f));
	TRY(wire_expect(buf_slice(reply), WIRE_TYPE_HEALTH_IS, NULL, f));
	return wire_health_is_get(buf_slice(reply), ret, f);
}

enum err tree_ledger_size(const struct tree *t, uint64_t *ret, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is h = {0};
	TRY(ask_status(t, &reply, &h, f));
	*ret = h.size;
	return OK;
}

/* Whose tallies this signer takes, by which policy. */
static enum err read_heads(struct tree *t, struct fault *f)
{
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is h = {0};
	TRY(ask_status(t, &reply, &h, f));
	memcpy(t->ca_key_id, h.ca, sizeof t->ca_key_id);
	memcpy(t->policy, h.policy, sizeof t->policy);
	return OK;
}

/* From here on the peak is that of the load: a start takes more, since passwords and sealed keys ask for it (Argon2id).
 * proc(5) */
static void forget_peak(pid_t pid)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%d/clear_refs", (int)pid);
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "5", 1) != 1)
		fprintf(stderr, "hufu-bench: %s: %s: peaks are those since the start\n", path, strerror(errno));
}

enum err tree_start(struct tree *t, struct fault *f)
{
	TRY(notify_open(&t->notify, f));
	TRY(start_one(t, "ca", "hufu-ca", "ca.yaml", &t->passphrase, &t->ca, f));
	TRY(start_one(t, "ra", "hufu-ra", "ra.yaml", NULL, &t->ra, f));
	TRY(memory_read(t->ca, &t->idle_ca, f));
	TRY(memory_read(t->ra, &t->idle_ra, f));
	forget_peak(t->ca);
	forget_peak(t->ra);
	return read_heads(t, f);
}

/* The callers of ra.yaml that `hufu init` writes are this user alone. */
static enum err write_narrow(const struct tree *t, const char *project, struct fault *f)
{
	static const char caller[] = "    roles: [";
	_cleanup_buf_ struct buf text = {0}, narrow = {0};
	_cleanup_(freep) char *from = path_join(t->dir, "etc/hufu/ra.yaml"),
			      *to = path_join(t->dir, "etc/hufu/ra-narrow.yaml");
	TRY(file_read(from, 65536, &text, f));
	const char *whole = buf_text(&text), *at = strstr(whole, caller);
	if (!at)
		return fault_raise(f, ERR_INTERNAL, "callers", from, "%s: found no caller", from);
	buf_fmt(&narrow, "%.*s    projects: [%s]\n%s", (int)(at - whole), whole, project, at);
	return file_write(to, buf_slice(&narrow), 0644, f);
}

enum err tree_narrow(struct tree *t, const char *project, struct fault *f)
{
	if (project)
		TRY(write_narrow(t, project, f));
	process_stop(&t->ra);
	return start_one(t, "ra", "hufu-ra", project ? "ra-narrow.yaml" : "ra.yaml", NULL, &t->ra, f);
}

enum err tree_portal(struct tree *t, const char *audience, const char *origin, struct fault *f)
{
	_cleanup_buf_ struct buf yaml = {0};
	_cleanup_(freep) char *path = path_join(t->dir, "etc/hufu/bench-portal.yaml");
	buf_fmt(&yaml,
		"role: portal\ndesk_socket: run/hufu/ra/desk.sock\nlisten: run/hufu/bench.sock\n"
		"metrics: run/hufu/bench-metrics.sock\norigins: [\"%s\"]\nportal: {audience: %s}\n",
		origin, audience);
	TRY(file_write(path, buf_slice(&yaml), 0644, f));
	process_stop(&t->gate);
	return start_one(t, "ra/gate", "hufu-gate", "bench-portal.yaml", NULL, &t->gate, f);
}

/* --- adopting ----------------------------------------------------------------------------------------------------- */

static enum err put_adoption(const struct tree *t, const struct stock *s, const merkle_hash *leaves, size_t n,
			     struct buf *ret, struct fault *f)
{
	struct adoption a = {.project = STOCK_PROJECT, .profile = STOCK_PROFILE, .count = n};
	_cleanup_buf_ struct buf text = {0};
	memcpy(a.ca, t->ca_key_id, sizeof a.ca);
	random_fill(a.id, sizeof a.id);
	memcpy(a.issuer, s->old->public.key_id, sizeof a.issuer);
	merkle_root(leaves, n, a.root);
	a.made = s->old->made;
	a.dies = a.made + ADOPTION_LIFE_S;
	adoption_put(&a, &text);
	note_begin(buf_slice(&text), ret);
	for (size_t i = 0; i < 2; i++)
		TRY(note_sign_ed25519(ret, t->officers[i].name, t->officers[i].secret.p, f));
	return OK;
}

static enum err check_adopted(struct slice reply, size_t n, struct fault *f)
{
	struct wire_adopt_is is = {0};
	enum err e = OK;
	TRY(wire_expect(reply, WIRE_TYPE_ADOPT_IS, NULL, f));
	TRY(wire_adopt_is_get(reply, &is, f));
	if (is.taken != n || is.problems.n > 0)
		e = fault_raise(f, ERR_RULE, "adopt", "adopt",
				"%" PRIu32 " of %zu certificates adopted; first problem: %s", is.taken, n,
				is.problems.n ? ESC(is.problems.v[0].p, is.problems.v[0].n) : "none named");
	wire_adopt_is_done(&is);
	return e;
}

static enum err adopt_part(const struct tree *t, const struct stock *s, const struct item *items, size_t n,
			   struct fault *f)
{
	merkle_hash leaves[ADOPT_PART], path[MERKLE_MAX_PATH];
	_cleanup_buf_ struct buf note = {0}, proofs = {0}, request = {0}, reply = {0};
	struct wire_adopt part = {0};
	size_t at[ADOPT_PART + 1] = {0};
	for (size_t i = 0; i < n; i++)
		merkle_leaf(buf_slice(&items[i].cert), leaves[i]);
	for (size_t i = 0; i < n; i++) {
		size_t len = merkle_path((const merkle_hash *)leaves, n, i, path);
		buf_add(&proofs, path, len * sizeof path[0]);
		at[i + 1] = proofs.len;
	}
	TRY(put_adoption(t, s, (const merkle_hash *)leaves, n, &note, f));
	part.note = buf_slice(&note);
	for (size_t i = 0; i < n; i++) {
		wire_list_add(&part.certs, buf_slice(&items[i].cert));
		wire_list_add(&part.proofs, slice_of(proofs.data + at[i], at[i + 1] - at[i]));
	}
	wire_adopt_put(&part, &request);
	wire_adopt_done(&part);
	TRY(load_call(t->operator_socket, buf_slice(&request), &reply, f));
	return check_adopted(buf_slice(&reply), n, f);
}

enum err tree_adopt(const struct tree *t, const struct stock *s, const struct item *items, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i += ADOPT_PART)
		TRY(adopt_part(t, s, items + i, n - i < ADOPT_PART ? n - i : ADOPT_PART, f));
	return OK;
}

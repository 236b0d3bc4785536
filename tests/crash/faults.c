/*
 * Each call by which signer, desk, gate or notifier writes a file, takes a connection or gets memory fails, once or as long as it takes to notice, while somebody
 * extends, changes, revokes and has mails sent; and each of them stands still for longer than anybody waits. What ends by itself is started again, what gets an error is asked
 * again. In the end world.h's checks hold, OCSP says of every certificate what it is, and every message was handed over.
 *
 *     faults BUILD POLICIES DIR STEP
 *
 * STEP: every how many of the cases.
 */
#include "tests/crash/people.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "tests/process/call_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define LASTS_MS 1500
#define STOPS_MS 5000 /* a call is given up after four seconds */
#define LOOK_MS 20
#define MANY 1000000

static const struct call {
	const char *name;
	enum faulty which;
	int error;
} calls[] = {
	{"pwrite ENOSPC", FAULTY_PWRITE, ENOSPC},
	{"pwrite EIO", FAULTY_PWRITE, EIO},
	{"write ENOSPC", FAULTY_WRITE, ENOSPC},
	{"write EIO", FAULTY_WRITE, EIO},
	{"fsync EIO", FAULTY_FSYNC, EIO},
	{"fdatasync EIO", FAULTY_FDATASYNC, EIO},
	{"open EMFILE", FAULTY_OPEN, EMFILE},
	{"open EROFS", FAULTY_OPEN, EROFS},
	{"rename EIO", FAULTY_RENAME, EIO},
	{"ftruncate EIO", FAULTY_FTRUNCATE, EIO},
	{"unlink EIO", FAULTY_UNLINK, EIO},
	{"mkostemp EIO", FAULTY_MKOSTEMP, EIO},
	{"accept4 EMFILE", FAULTY_ACCEPT, EMFILE},
	{"malloc ENOMEM", FAULTY_MEMORY, ENOMEM},
	{"stop", FAULTY_N, 0},
};
#define CALLS (sizeof calls / sizeof calls[0])

struct faults {
	struct world w;
	struct gate_view gate;
	struct person person;
	struct call_fault *control[VICTIMS];
	unsigned rounds, hit, ended[VICTIMS];
};

/* --- one round --- */

/* What a day has, for one client. */
static enum err work(struct person *p, struct fault *f)
{
	static const enum work works[] = {LOG_IN, EXTEND, MAIL, UPLOAD, CHANGE, EXTEND, REVOKE, CRL, STATUS, OCSP};
	for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
		TRY(person_do(p, works[i], f));
	return OK;
}

static atomic_bool worked;

static void *work_main(void *arg)
{
	struct person *p = arg;
	p->c->result = work(p, &p->c->f);
	atomic_store(&worked, true);
	return NULL;
}

/* One that has ended is started again, unharmed. */
static enum err look_after(struct faults *x, struct fault *f)
{
	for (enum victim who = 0; who < VICTIMS; who++) {
		pid_t pid = world_pid(&x->w, who);
		if (waitpid(pid, NULL, WNOHANG) != pid)
			continue;
		atomic_store(&x->control[who]->left, 0);
		x->ended[who]++;
		TRY(world_start(&x->w, who, f));
	}
	return OK;
}

static void begin(struct faults *x, enum victim who, const struct call *call, bool once)
{
	struct call_fault *c = x->control[who];
	atomic_store(&c->hits, 0);
	atomic_store(&c->error, call->error);
	atomic_store(&c->which, call->which);
	atomic_store(&c->left, once ? 1 : MANY);
	if (call->which == FAULTY_N)
		kill(world_pid(&x->w, who), SIGSTOP);
}

static void end(struct faults *x, enum victim who, const struct call *call)
{
	atomic_store(&x->control[who]->left, 0);
	if (call->which == FAULTY_N)
		kill(world_pid(&x->w, who), SIGCONT);
}

static enum err one_round(struct faults *x, enum victim who, const struct call *call, bool once, struct fault *f)
{
	enum err e = OK;
	int64_t until = clock_mono_us() + (call->which == FAULTY_N ? STOPS_MS : LASTS_MS) * INT64_C(1000);
	bool lasts = true;
	begin(x, who, call, once);
	atomic_store(&worked, false);
	if (pthread_create(&x->person.c->thread, NULL, work_main, &x->person) != 0)
		abort();
	while (!atomic_load(&worked)) {
		if (lasts && clock_mono_us() > until) {
			end(x, who, call);
			lasts = false;
		}
		if (e == OK)
			e = look_after(x, f);
		world_pause_ms(LOOK_MS);
	}
	pthread_join(x->person.c->thread, NULL);
	end(x, who, call);
	int hits = atomic_load(&x->control[who]->hits);
	printf("%-14s %-14s %-5s %d\n", world_programs[who], call->name, once ? "once" : "lasts", hits);
	x->rounds++;
	x->hit += hits > 0 || call->which == FAULTY_N;
	TRY(e);
	if (x->person.c->result != OK)
		*f = x->person.c->f;
	return x->person.c->result;
}

static enum err all_rounds(struct faults *x, size_t step, struct fault *f)
{
	for (size_t i = 0; i < VICTIMS * CALLS * 2; i += step) {
		enum victim who = (enum victim)(i % VICTIMS);
		const struct call *call = &calls[i / VICTIMS % CALLS];
		enum err e = one_round(x, who, call, i / VICTIMS / CALLS == 0, f);
		if (e != OK)
			fault_prefix(f, "%s, %s", world_programs[who], call->name);
		TRY(e);
	}
	return OK;
}

/* --- before and after --- */

static enum err map_controls(struct faults *x, struct fault *f)
{
	for (enum victim who = 0; who < VICTIMS; who++) {
		_cleanup_(freep) char *path = world_control_path(&x->w, who);
		_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, sizeof *x->control[who]) != 0)
			return fault_raise(f, ERR_IO, "faults", path, "%s", strerror(errno));
		x->control[who] = mmap(NULL, sizeof *x->control[who], PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (x->control[who] == MAP_FAILED)
			return fault_raise(f, ERR_IO, "faults", path, "mmap: %s", strerror(errno));
	}
	return OK;
}

static enum err check_end(struct faults *x, struct fault *f)
{
	struct client watcher = {.world = &x->w};
	uint64_t answered = 0;
	TRY(person_check_ocsp(&x->person, f));
	TRY(world_desk(&x->w, &watcher.desk, f));
	enum err e = world_check_letters(&x->w, &watcher, f);
	rpc_client_closep(&watcher.desk);
	TRY(e);
	return world_check_end(&x->w, &answered, f);
}

static enum err run(struct faults *x, size_t step, struct fault *f)
{
	_cleanup_(freep) char *socket = world_gate_socket(&x->w),
			      *preload = xasprintf("%s/tests/process/call_fault.so", x->w.tree.build);
	TRY(world_edge_start(&x->w, f));
	TRY(gate_view_open(x->w.tree.dir, socket, &x->gate, f));
	x->person = (struct person){.c = &x->w.clients[0], .gate = &x->gate, .seed = 1};
	for (unsigned i = 0; i < CLIENTS; i++)
		TRY(world_first_log_in(&x->w.clients[i], f));
	TRY(map_controls(x, f));
	x->w.preload = preload;
	for (enum victim who = 0; who < VICTIMS; who++)
		TRY(world_kill(&x->w, who, f));
	TRY(all_rounds(x, step, f));
	TRY(check_end(x, f));
	printf("%u rounds, %u in which something failed; ended by themselves:", x->rounds, x->hit);
	for (enum victim who = 0; who < VICTIMS; who++)
		printf(" %s %u", world_programs[who], x->ended[who]);
	printf("\n");
	return 2 * x->hit >= x->rounds ? OK
				       : fault_raise(f, ERR_INTERNAL, "faults_few", "faults", "too little has failed");
}

int main(int argc, char **argv)
{
	static struct faults x;
	struct fault f = {0};
	uint64_t step = 0;
	secret_init();
	log_init("faults", LOG_LEVEL_WARNING);
	if (argc != 5 || !u64_parse(argv[4], strlen(argv[4]), VICTIMS * CALLS, &step) || step == 0) {
		fputs("usage: faults BUILD POLICIES DIR STEP\n", stderr);
		return 4;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	x.w.n_items = (VICTIMS * CALLS * 2 / step + 2) * 2 * CLIENTS;
	enum err e = world_set_up(&x.w, argv[1], argv[2], argv[3], &f);
	if (e == OK)
		e = run(&x, (size_t)step, &f);
	if (e != OK)
		fprintf(stderr, "faults: %s: %s [%s]\n", f.where, f.text, f.rule);
	person_done(&x.person);
	gate_view_done(&x.gate);
	world_tear_down(&x.w);
	return e == OK ? 0 : 1;
}

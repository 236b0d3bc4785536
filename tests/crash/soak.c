/*
 * Mixed traffic for a while at four fifths of what this machine can do, found first (people.c says what people do). Signer, desk, gate and notifier are killed over
 * and over in the first two thirds; in the last they are left alone, and their memory and descriptors must not grow. A queue is never long; and in the end
 * everything that was answered is looked at again: world.h's checks, OCSP of every certificate, every message.
 *
 *     soak BUILD POLICIES DIR SECONDS SEED
 */
#include "tests/crash/people.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define MEASURE_S 20
#define ITEMS_A_SECOND 24
#define QUEUE_MOST 200		   /* tallies handed over and not answered: the signer takes 256; messages that wait */
#define BEHIND_US INT64_C(5000000) /* what a kill delayed is caught up with, so far back */
#define LOOK_MS 2000
#define GROWTH_MIB 8.0
#define GROWTH_FDS 8

struct watch {
	double rss[VICTIMS];
	unsigned fds[VICTIMS];
};
struct soak { /* begins with the world: a client knows that */
	struct world w;
	struct gate_view gate;
	struct person people[CLIENTS];
	atomic_llong gap_us; /* between two things that a person does; 0: none */
	atomic_ullong n[WORKS];
	atomic_llong longest_us[WORKS];
	unsigned kills[VICTIMS];
	uint64_t queue, messages;
	struct watch low[2], most; /* of the quiet third: the least of each half of it, and the most */
	bool seen[2];
};

/* --- living --- */

static void sleep_until(int64_t us)
{
	int64_t left = us - clock_mono_us();
	if (left > 0)
		world_pause_ms((int)(left / 1000) + 1);
}

static void count(struct soak *s, enum work what, int64_t took_us)
{
	atomic_fetch_add(&s->n[what], 1);
	if (took_us > atomic_load(&s->longest_us[what]))
		atomic_store(&s->longest_us[what], took_us);
}

static void *live(void *arg)
{
	struct person *p = arg;
	struct client *c = p->c;
	struct soak *s = (struct soak *)c->world;
	int64_t next = clock_mono_us();
	c->result = world_first_log_in(c, &c->f);
	while (c->result == OK && !atomic_load(&s->w.stop)) {
		enum work what = person_choose(p);
		int64_t gap = atomic_load(&s->gap_us), begun = clock_mono_us();
		c->result = person_do(p, what, &c->f);
		count(s, what, clock_mono_us() - begun);
		next = gap == 0 || next + gap < begun - BEHIND_US ? begun + gap : next + gap;
		sleep_until(next);
	}
	return NULL;
}

/* --- watching --- */

static unsigned count_fds(pid_t pid)
{
	char path[40];
	unsigned n = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static enum err look_at(struct soak *s, struct watch *ret, struct fault *f)
{
	for (enum victim i = 0; i < VICTIMS; i++) {
		struct memory m;
		TRY(memory_read(world_pid(&s->w, i), &m, f));
		ret->rss[i] = m.rss_mib;
		ret->fds[i] = count_fds(world_pid(&s->w, i));
	}
	return OK;
}

static enum err look_at_queue(json_t *health, const char *what, uint64_t *most, struct fault *f)
{
	uint64_t n = (uint64_t)json_integer_value(json_object_get(health, what));
	if (n > *most)
		*most = n;
	return n <= QUEUE_MOST ? OK
			       : fault_raise(f, ERR_INTERNAL, "soak_queue", what,
					     "found %" PRIu64 " that wait, wanted at most %d", n, QUEUE_MOST);
}

static enum err look_at_queues(struct soak *s, struct client *c, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(world_ask(c, "desk.health", json_object(), false, false, &r, f));
	TRY(look_at_queue(r, "queue", &s->queue, f));
	return look_at_queue(r, "messages_waiting", &s->messages, f);
}

static bool has_failed(const struct soak *s)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (s->w.clients[i].result != OK)
			return true;
	return false;
}

static uint64_t total(struct soak *s)
{
	uint64_t n = 0;
	for (enum work i = 0; i < WORKS; i++)
		n += atomic_load(&s->n[i]);
	return n;
}

/* At full speed, unkilled. Then each person waits as long as makes four fifths of it. */
static void measure(struct soak *s)
{
	world_pause_ms(2000); /* the first log-ins */
	uint64_t before = total(s);
	int64_t begun = clock_mono_us();
	while (clock_mono_us() < begun + MEASURE_S * INT64_C(1000000) && !has_failed(s))
		world_pause_ms(200);
	double per_s = (double)(total(s) - before) / ((double)(clock_mono_us() - begun) / 1e6);
	atomic_store(&s->gap_us, (long long)(CLIENTS * 1e6 / (0.8 * (per_s > 1 ? per_s : 1))));
	printf("capacity %.0f things a second, from now on %.0f\n", per_s, 0.8 * per_s);
}

static void keep_low(struct watch *low, const struct watch *now, bool seen)
{
	for (enum victim i = 0; i < VICTIMS; i++) {
		if (!seen || now->rss[i] < low->rss[i])
			low->rss[i] = now->rss[i];
		if (!seen || now->fds[i] < low->fds[i])
			low->fds[i] = now->fds[i];
	}
}

/* The least counts: a log-in takes many megabytes for a moment. */
static enum err watch_quiet(struct soak *s, bool second, struct fault *f)
{
	struct watch now;
	TRY(look_at(s, &now, f));
	keep_low(&s->low[second], &now, s->seen[second]);
	s->seen[second] = true;
	for (enum victim i = 0; i < VICTIMS; i++) {
		if (now.rss[i] > s->most.rss[i])
			s->most.rss[i] = now.rss[i];
		if (now.fds[i] > s->most.fds[i])
			s->most.fds[i] = now.fds[i];
	}
	return OK;
}

/* For whoever reads how a long run went. */
static enum err say_minute(struct soak *s, int64_t begun_us, int64_t *next_us, struct fault *f)
{
	struct watch now;
	if (clock_mono_us() < *next_us)
		return OK;
	*next_us += INT64_C(60000000);
	TRY(look_at(s, &now, f));
	printf("%5.0f s, %8" PRIu64 " things, MiB:", (double)(clock_mono_us() - begun_us) / 1e6, total(s));
	for (enum victim i = 0; i < VICTIMS; i++)
		printf(" %s %.1f", world_programs[i], now.rss[i]);
	printf("\n");
	return OK;
}

static enum err kill_one(struct soak *s, struct fault *f)
{
	enum victim who = (enum victim)(random() % VICTIMS);
	s->kills[who]++;
	s->w.kills++;
	return world_kill(&s->w, who, f);
}

static enum err turn(struct soak *s, struct client *watcher, unsigned seconds, struct fault *f)
{
	int64_t begun = clock_mono_us(), quiet = begun + seconds * INT64_C(666667),
		end = begun + seconds * INT64_C(1000000), next = begun, minute = begun;
	uint64_t before = total(s);
	while (clock_mono_us() < end && !has_failed(s)) {
		if (clock_mono_us() >= next && next < quiet) {
			TRY(kill_one(s, f));
			next = clock_mono_us() + (3000 + random() % 9000) * INT64_C(1000);
		}
		TRY(look_at_queues(s, watcher, f));
		TRY(say_minute(s, begun, &minute, f));
		/* What warms up after the last start is no growth. */
		if (clock_mono_us() >= quiet + (end - quiet) / 4)
			TRY(watch_quiet(s, clock_mono_us() >= quiet + (end - quiet) * 5 / 8, f));
		world_pause_ms(LOOK_MS);
	}
	printf("kept for %u s: %.0f a second\n", seconds,
	       (double)(total(s) - before) * 1e6 / (double)(clock_mono_us() - begun));
	return OK;
}

/* --- the end --- */

static enum err check_growth(const struct soak *s, struct fault *f)
{
	if (!s->seen[0] || !s->seen[1])
		return fault_raise(f, ERR_INTERNAL, "soak_short", "soak", "too short to say whether anything grows");
	for (enum victim i = 0; i < VICTIMS; i++) {
		printf("%s: %u kills; at least %.1f MiB and %u descriptors, later %.1f and %u, at most %.1f and %u\n",
		       world_programs[i], s->kills[i], s->low[0].rss[i], s->low[0].fds[i], s->low[1].rss[i],
		       s->low[1].fds[i], s->most.rss[i], s->most.fds[i]);
		if (s->low[1].rss[i] > s->low[0].rss[i] * 1.1 + GROWTH_MIB ||
		    s->low[1].fds[i] > s->low[0].fds[i] + GROWTH_FDS)
			return fault_raise(f, ERR_INTERNAL, "soak_growth", world_programs[i],
					   "its memory or descriptors grow");
	}
	return OK;
}

static void print_works(struct soak *s)
{
	uint64_t later = 0, behind = 0, crls = 0, used = 0;
	int64_t oldest_us = 0;
	for (enum work i = 0; i < WORKS; i++)
		printf("%-18s %9llu, the longest took %.0f ms\n", work_words[i],
		       (unsigned long long)atomic_load(&s->n[i]), (double)atomic_load(&s->longest_us[i]) / 1000);
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct person *p = &s->people[i];
		later += p->later;
		behind += p->behind;
		crls += p->crls_after;
		used += s->w.clients[i].done;
		if (p->oldest_us > oldest_us)
			oldest_us = p->oldest_us;
	}
	printf("by OCSP: %" PRIu64 " times tryLater, %" PRIu64
	       " times what was so a moment ago, and at most %.1f s ago\n",
	       later, behind, (double)oldest_us / 1e6);
	printf("%" PRIu64 " CRLs made after a revocation, which have it\n", crls);
	printf("longest queues: %" PRIu64 " tallies, %" PRIu64 " messages; %" PRIu64
	       " of %zu old certificates extended\n",
	       s->queue, s->messages, used, s->w.n_items);
}

static enum err join(struct soak *s, enum err e, struct fault *f)
{
	atomic_store(&s->w.stop, true);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &s->w.clients[i];
		pthread_join(c->thread, NULL);
		if (e == OK && c->result != OK) {
			*f = c->f;
			e = f->kind;
		}
	}
	return e;
}

static void *check_ocsp_main(void *arg)
{
	struct person *p = arg;
	p->c->result = person_check_ocsp(p, &p->c->f);
	return NULL;
}

/* All at once. */
static enum err check_ocsp(struct soak *s, struct fault *f)
{
	uint64_t answered = 0;
	int64_t from = clock_mono_us();
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (pthread_create(&s->w.clients[i].thread, NULL, check_ocsp_main, &s->people[i]) != 0)
			abort();
		answered += s->w.clients[i].n_told;
	}
	TRY(join(s, OK, f));
	printf("OCSP of %" PRIu64 " certificates, each as it is; looked at for %.1f s\n", answered,
	       (double)(clock_mono_us() - from) / 1e6);
	return OK;
}

static enum err check_end(struct soak *s, struct client *watcher, struct fault *f)
{
	uint64_t answered = 0;
	TRY(check_ocsp(s, f));
	TRY(world_check_letters(&s->w, watcher, f));
	TRY(world_check_end(&s->w, &answered, f));
	return check_growth(s, f);
}

static enum err run(struct soak *s, unsigned seconds, struct fault *f)
{
	struct client watcher = {.world = &s->w};
	_cleanup_(freep) char *socket = world_gate_socket(&s->w);
	TRY(world_edge_start(&s->w, f));
	TRY(gate_view_open(s->w.tree.dir, socket, &s->gate, f));
	TRY(world_desk(&s->w, &watcher.desk, f));
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &s->w.clients[i];
		s->people[i] = (struct person){.c = c, .gate = &s->gate, .seed = (unsigned)random()};
		if (pthread_create(&c->thread, NULL, live, &s->people[i]) != 0)
			return fault_raise(f, ERR_INTERNAL, "thread", "soak", "could not start a thread");
	}
	measure(s);
	enum err e = join(s, turn(s, &watcher, seconds, f), f);
	print_works(s);
	if (e == OK)
		e = check_end(s, &watcher, f);
	rpc_client_closep(&watcher.desk);
	return e;
}

int main(int argc, char **argv)
{
	static struct soak s;
	struct fault f = {0};
	uint64_t seconds = 0, seed = 0;
	secret_init();
	log_init("soak", LOG_LEVEL_WARNING);
	if (argc != 6 || !u64_parse(argv[4], strlen(argv[4]), 86400, &seconds) ||
	    !u64_parse(argv[5], strlen(argv[5]), UINT32_MAX, &seed)) {
		fputs("usage: soak BUILD POLICIES DIR SECONDS SEED\n", stderr);
		return 4;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* in the order of what others print */
	srandom((unsigned)seed);
	s.w.n_items = (seconds + MEASURE_S) * ITEMS_A_SECOND / CLIENTS * CLIENTS;
	enum err e = world_set_up(&s.w, argv[1], argv[2], argv[3], &f);
	if (e == OK)
		e = run(&s, (unsigned)seconds, &f);
	if (e != OK)
		fprintf(stderr, "soak: %s: %s [%s]\n", f.where, f.text, f.rule);
	for (unsigned i = 0; i < CLIENTS; i++)
		person_done(&s.people[i]);
	gate_view_done(&s.gate);
	world_tear_down(&s.w);
	return e == OK ? 0 : 1;
}

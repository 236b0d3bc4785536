/*
 * Mixed traffic for a while at four fifths of what this machine can do, found first: people ask for status and CRLs, list what they have, log in, upload a paper,
 * pay and extend, and revoke. Signer and desk are killed over and over in the first two thirds; in the last they are left alone, and their memory and
 * descriptors must not grow. What a person was told revoked is never told good again; a queue is never long; and in the end world.h's checks.
 *
 *     soak BUILD POLICIES DIR SECONDS SEED
 */
#include "tests/crash/world.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>

#define MEASURE_S 20
#define ITEMS_A_SECOND 24
#define QUEUE_MOST 200 /* tallies handed over and not answered: the signer takes 256 */
#define LOOK_MS 2000
#define GROWTH_MIB 8.0
#define GROWTH_FDS 8

enum work { STATUS, CERTS, REQUESTS, CRL, LOG_IN, UPLOAD, EXTEND, REVOKE, WORKS };
static const char *const names[WORKS] = {"status", "certificate list", "request list", "crl",
					 "log-in", "upload",	       "extend",       "revoke"};
static const unsigned shares[WORKS] = {58, 12, 8, 6, 1, 2, 11, 2}; /* of a hundred */

struct watch {
	double rss[2]; /* signer, desk */
	unsigned fds[2];
};
struct soak {
	struct world w;
	atomic_llong gap_us; /* between two things that a person does; 0: none */
	atomic_ullong n[WORKS];
	atomic_llong longest_us[WORKS];
	uint64_t queue;
	struct watch low[2], most; /* of the quiet third: the least of each half of it, and the most */
	bool seen[2];
};
/* One client's own. */
struct person {
	struct client *c;
	struct soak *s;
	unsigned seed;
	bool *revoked; /* by place in c->told */
};

static unsigned pick(struct person *p, unsigned below)
{
	return below ? (unsigned)rand_r(&p->seed) % below : 0;
}

/* --- what a person does --- */

static enum err serial_of(const struct told *t, char ret[SERIAL_TEXT], struct fault *f)
{
	_cleanup_(cert_done) struct cert c = {0};
	TRY(cert_parse(buf_slice(&t->cert), &c, f));
	snprintf(ret, SERIAL_TEXT, "%s", SERIAL(&c.serial));
	return OK;
}

/* Of one that was answered: it is there, and what was revoked is. */
static enum err ask_status(struct person *p, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	size_t i = pick(p, (unsigned)p->c->done);
	char serial[SERIAL_TEXT];
	if (p->c->done == 0)
		return OK;
	bool was_revoked = p->revoked[i];
	TRY(serial_of(&p->c->told[i], serial, f));
	TRY(world_ask(p->c, "status.query", json_pack("{s:[s]}", "serials", serial), false, false, &r, f));
	const char *state = world_text(json_array_get(json_object_get(r, "answers"), 0), "state");
	if (strcmp(state, was_revoked ? "revoked" : "good") != 0)
		return fault_raise(f, ERR_INTERNAL, "soak_status", serial, "found state \"%s\", wanted %s", state,
				   was_revoked ? "revoked" : "good");
	return OK;
}

static enum err ask_list(struct person *p, const char *method, const char *what, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(world_ask(p->c, method, json_pack("{s:i,s:i}", "page", 1 + (int)pick(p, 3), "per_page", 10), true, false,
		      &r, f));
	return json_is_array(json_object_get(r, what))
		       ? OK
		       : fault_raise(f, ERR_INTERNAL, "soak_list", method, "no list in the answer");
}

static enum err ask_crl(struct person *p, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(world_ask(p->c, "crl.get", json_object(), false, false, &r, f));
	return world_text(r, "der")[0] ? OK : fault_raise(f, ERR_INTERNAL, "soak_crl", "crl", "no CRL in the answer");
}

/* What leads to it is a draft of a change, which is taken back behind it. */
static enum err upload(struct person *p, struct fault *f)
{
	static const char pdf[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\nxref\n0 1\n0000000000 65535 f "
				  "\ntrailer<</Root 1 0 R>>\nstartxref\n52\n%%EOF\n";
	_cleanup_(json_freep) json_t *made = NULL, *put = NULL, *gone = NULL;
	_cleanup_buf_ struct buf content = {0};
	size_t i = pick(p, (unsigned)p->c->done);
	char serial[SERIAL_TEXT];
	if (p->c->done == 0 || p->revoked[i])
		return OK;
	TRY(serial_of(&p->c->told[i], serial, f));
	TRY(world_ask(p->c, "request.prepare",
		      json_pack("{s:s,s:s,s:s,s:s,s:b}", "kind", "change", "way", "name-or-code", "project",
				STOCK_PROJECT, "serial", serial, "save", 1),
		      true, true, &made, f));
	buf_base64(&content, pdf, sizeof pdf - 1);
	const char *request = world_text(made, "request");
	TRY(world_ask(p->c, "material.put",
		      json_pack("{s:s,s:s,s:s}", "request", request, "name", "business-licence", "content",
				buf_text(&content)),
		      true, true, &put, f));
	return world_ask(p->c, "request.withdraw", json_pack("{s:s}", "request", request), true, true, &gone, f);
}

static enum err extend(struct person *p, struct fault *f)
{
	struct client *c = p->c;
	if (c->done == c->n)
		return OK;
	TRY(world_extend(c, c->done, f));
	c->done++;
	return OK;
}

static enum err revoke_one(struct person *p, struct fault *f)
{
	size_t i = pick(p, (unsigned)p->c->done);
	char serial[SERIAL_TEXT];
	if (p->c->done == 0 || p->revoked[i])
		return OK;
	TRY(serial_of(&p->c->told[i], serial, f));
	TRY(world_revoke(p->c, i, serial, f));
	p->revoked[i] = true;
	return ask_status(p, f);
}

static enum err do_one(struct person *p, enum work what, struct fault *f)
{
	switch (what) {
	case STATUS:
		return ask_status(p, f);
	case CERTS:
		return ask_list(p, "cert.list", "certificates", f);
	case REQUESTS:
		return ask_list(p, "request.list", "requests", f);
	case CRL:
		return ask_crl(p, f);
	case LOG_IN:
		return world_log_in_again(p->c, f);
	case UPLOAD:
		return upload(p, f);
	case EXTEND:
		return extend(p, f);
	case REVOKE:
		return revoke_one(p, f);
	case WORKS:
		break;
	}
	return OK;
}

static enum work choose(struct person *p)
{
	unsigned at = pick(p, 100);
	enum work what = STATUS;
	for (; what + 1 < WORKS && at >= shares[what]; what++)
		at -= shares[what];
	return what;
}

static void sleep_until(int64_t us)
{
	int64_t left = us - clock_mono_us();
	if (left > 0)
		world_pause_ms((int)(left / 1000) + 1);
}

static void *live(void *arg)
{
	struct person *p = arg;
	struct soak *s = p->s;
	struct client *c = p->c;
	int64_t next = clock_mono_us();
	c->result = world_first_log_in(c, &c->f);
	while (c->result == OK && !atomic_load(&s->w.stop)) {
		enum work what = choose(p);
		int64_t gap = atomic_load(&s->gap_us), begun = clock_mono_us();
		c->result = do_one(p, what, &c->f);
		int64_t took = clock_mono_us() - begun;
		atomic_fetch_add(&s->n[what], 1);
		if (took > atomic_load(&s->longest_us[what]))
			atomic_store(&s->longest_us[what], took);
		next = gap == 0 || next + gap < begun ? begun + gap : next + gap;
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

static enum err look_at(const struct soak *s, struct watch *ret, struct fault *f)
{
	const pid_t pids[2] = {s->w.daemons.ca, s->w.daemons.ra};
	for (size_t i = 0; i < 2; i++) {
		struct memory m;
		TRY(memory_read(pids[i], &m, f));
		ret->rss[i] = m.rss_mib;
		ret->fds[i] = count_fds(pids[i]);
	}
	return OK;
}

static enum err look_at_queue(struct soak *s, struct client *c, struct fault *f)
{
	_cleanup_(json_freep) json_t *r = NULL;
	TRY(world_ask(c, "desk.health", json_object(), false, false, &r, f));
	uint64_t queue = (uint64_t)json_integer_value(json_object_get(r, "queue"));
	if (queue > s->queue)
		s->queue = queue;
	return queue <= QUEUE_MOST
		       ? OK
		       : fault_raise(f, ERR_INTERNAL, "soak_queue", "desk",
				     "found %" PRIu64 " tallies that wait, wanted at most %d", queue, QUEUE_MOST);
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
	int64_t from = clock_mono_us();
	world_pause_ms(2000); /* the first log-ins */
	uint64_t before = total(s);
	int64_t begun = clock_mono_us();
	while (clock_mono_us() < begun + MEASURE_S * INT64_C(1000000) && !has_failed(s))
		world_pause_ms(200);
	double per_s = (double)(total(s) - before) / ((double)(clock_mono_us() - begun) / 1e6);
	atomic_store(&s->gap_us, (long long)(CLIENTS * 1e6 / (0.8 * (per_s > 1 ? per_s : 1))));
	printf("capacity %.0f things a second, from now on %.0f (%.0f s)\n", per_s, 0.8 * per_s,
	       (double)(begun - from) / 1e6);
	fflush(stdout);
}

static void keep_low(struct watch *low, const struct watch *now, bool seen)
{
	for (size_t i = 0; i < 2; i++) {
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
	for (size_t i = 0; i < 2; i++) {
		if (now.rss[i] > s->most.rss[i])
			s->most.rss[i] = now.rss[i];
		if (now.fds[i] > s->most.fds[i])
			s->most.fds[i] = now.fds[i];
	}
	return OK;
}

static enum err turn(struct soak *s, struct client *watcher, unsigned seconds, struct fault *f)
{
	int64_t begun = clock_mono_us(), quiet = begun + seconds * INT64_C(666667),
		end = begun + seconds * INT64_C(1000000), next = begun;
	while (clock_mono_us() < end && !has_failed(s)) {
		if (clock_mono_us() >= next && next < quiet) {
			TRY(world_kill(&s->w, random() % 2 == 0, f));
			s->w.kills++;
			next = clock_mono_us() + (3000 + random() % 9000) * INT64_C(1000);
		}
		TRY(look_at_queue(s, watcher, f));
		/* What warms up after the last start is no growth. */
		if (clock_mono_us() >= quiet + (end - quiet) / 4)
			TRY(watch_quiet(s, clock_mono_us() >= quiet + (end - quiet) * 5 / 8, f));
		world_pause_ms(LOOK_MS);
	}
	return OK;
}

/* --- the end --- */

static enum err check_growth(const struct soak *s, struct fault *f)
{
	static const char *const who[2] = {"hufu-ca", "hufu-ra"};
	if (!s->seen[0] || !s->seen[1])
		return fault_raise(f, ERR_INTERNAL, "soak_short", "soak", "too short to say whether anything grows");
	for (size_t i = 0; i < 2; i++) {
		printf("%s: at least %.1f MiB and %u descriptors, later %.1f and %u, at most %.1f and %u\n", who[i],
		       s->low[0].rss[i], s->low[0].fds[i], s->low[1].rss[i], s->low[1].fds[i], s->most.rss[i],
		       s->most.fds[i]);
		if (s->low[1].rss[i] > s->low[0].rss[i] * 1.1 + GROWTH_MIB ||
		    s->low[1].fds[i] > s->low[0].fds[i] + GROWTH_FDS)
			return fault_raise(f, ERR_INTERNAL, "soak_growth", who[i], "its memory or descriptors grow");
	}
	return OK;
}

static void print_works(struct soak *s)
{
	for (enum work i = 0; i < WORKS; i++)
		printf("%-18s %9llu, the longest took %.0f ms\n", names[i], (unsigned long long)atomic_load(&s->n[i]),
		       (double)atomic_load(&s->longest_us[i]) / 1000);
	printf("longest queue %" PRIu64 "\n", s->queue);
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

static enum err run(struct soak *s, unsigned seconds, struct fault *f)
{
	struct person people[CLIENTS];
	struct client watcher = {.world = &s->w};
	uint64_t answered = 0;
	TRY(world_desk(&s->w, &watcher.desk, f));
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &s->w.clients[i];
		people[i] = (struct person){
			.c = c, .s = s, .seed = (unsigned)random(), .revoked = xcalloc(c->n, sizeof(bool))};
		if (pthread_create(&c->thread, NULL, live, &people[i]) != 0)
			return fault_raise(f, ERR_INTERNAL, "thread", "soak", "could not start a thread");
	}
	measure(s);
	enum err e = join(s, turn(s, &watcher, seconds, f), f);
	print_works(s);
	if (e == OK)
		e = world_check_end(&s->w, &answered, f);
	if (e == OK)
		e = check_growth(s, f);
	for (unsigned i = 0; i < CLIENTS; i++)
		free(people[i].revoked);
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
	world_tear_down(&s.w);
	return e == OK ? 0 : 1;
}

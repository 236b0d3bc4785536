/*
 * Kill -9 at random points: clients renew, pay and extend through the desk while the signer or the desk is killed and started again, over and over. What must
 * hold in the end is world.h's.
 *
 *     crash BUILD POLICIES DIR KILLS SEED
 */
#include "tests/crash/world.h"

#include "common/base/log.h"

#include <string.h>

#define ITEMS_A_KILL 12
#define MIN_ITEMS 300

static void *client_main(void *arg)
{
	struct client *c = arg;
	c->result = world_first_log_in(c, &c->f);
	while (c->result == OK && c->done < c->n && !atomic_load(&c->world->stop)) {
		c->result = world_extend(c, c->done, &c->f);
		if (c->result == OK)
			c->done++;
	}
	return NULL;
}

static enum err kill_rounds(struct world *x, struct fault *f)
{
	for (unsigned i = 0; i < x->kills; i++) {
		world_pause_ms((int)(random() % 400) + 5);
		TRY(world_kill(x, random() % 2 == 0 ? SIGNER : DESK, f));
	}
	return OK;
}

static enum err run(struct world *x, struct fault *f)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (pthread_create(&x->clients[i].thread, NULL, client_main, &x->clients[i]) != 0)
			return fault_raise(f, ERR_INTERNAL, "thread", "crash", "could not start a thread");
	enum err e = kill_rounds(x, f);
	atomic_store(&x->stop, true);
	for (unsigned i = 0; i < CLIENTS; i++) {
		pthread_join(x->clients[i].thread, NULL);
		if (e == OK && x->clients[i].result != OK) {
			*f = x->clients[i].f;
			e = f->kind;
		}
	}
	uint64_t answered = 0;
	if (e == OK)
		e = world_check_end(x, &answered, f);
	if (e == OK && 2 * answered < x->kills)
		return fault_raise(f, ERR_INTERNAL, "crash_idle", "crash",
				   "too little was issued for the kills to mean anything");
	return e;
}

int main(int argc, char **argv)
{
	static struct world x;
	struct fault f = {0};
	uint64_t kills = 0, seed = 0;
	secret_init();
	log_init("crash", LOG_LEVEL_WARNING);
	if (argc != 6 || !u64_parse(argv[4], strlen(argv[4]), 100000, &kills) ||
	    !u64_parse(argv[5], strlen(argv[5]), UINT32_MAX, &seed)) {
		fputs("usage: crash BUILD POLICIES DIR KILLS SEED\n", stderr);
		return 4;
	}
	srandom((unsigned)seed);
	x.kills = (unsigned)kills;
	x.n_items = x.kills * ITEMS_A_KILL > MIN_ITEMS ? x.kills * ITEMS_A_KILL : MIN_ITEMS;
	enum err e = world_set_up(&x, argv[1], argv[2], argv[3], &f);
	if (e == OK)
		e = run(&x, &f);
	if (e != OK)
		fprintf(stderr, "crash: %s [%s]\n", f.text, f.rule);
	world_tear_down(&x);
	return e == OK ? 0 : 1;
}

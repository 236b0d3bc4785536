/*
 * Threads for what may wait for the desk, so that a server's own never do.
 */
#include "ra/gate/http_private.h"

#include <pthread.h>

#include "common/base/cleanup.h"

#define THREADS 4
#define THREADS_PORTAL 16 /* all that a portal does waits for the desk */
#define JOBS_MAX 256

struct later {
	struct gate *gate;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	pthread_t threads[THREADS_PORTAL];
	size_t n_threads, n;
	struct later_job *first, **last;
	bool stopping;
};

bool later_push(struct later *l, struct later_job *j)
{
	pthread_mutex_lock(&l->lock);
	bool taken = l->n < JOBS_MAX && !l->stopping;
	if (taken) {
		j->next = NULL;
		*l->last = j;
		l->last = &j->next;
		l->n++;
		pthread_cond_signal(&l->more);
	}
	pthread_mutex_unlock(&l->lock);
	return taken;
}

/* NULL: it stops, and nobody waits any more. */
static struct later_job *pop(struct later *l)
{
	pthread_mutex_lock(&l->lock);
	while (!l->first && !l->stopping)
		pthread_cond_wait(&l->more, &l->lock);
	struct later_job *j = l->first;
	if (j) {
		l->first = j->next;
		l->last = l->first ? l->last : &l->first;
		l->n--;
	}
	pthread_mutex_unlock(&l->lock);
	return j;
}

static void *run(void *arg)
{
	struct later *l = arg;
	struct later_job *j;
	while ((j = pop(l))) {
		http_route *route = j->reply.later;
		j->reply.later = NULL;
		route(l->gate, &j->request, &j->reply);
		j->done(j);
	}
	return NULL;
}

enum err later_start(struct gate *g, struct later **ret, struct fault *f)
{
	struct later *l = xcalloc(1, sizeof(*l));
	size_t n = g->config.role == GATE_PORTAL ? THREADS_PORTAL : THREADS;
	l->gate = g;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->more, NULL);
	l->last = &l->first;
	while (l->n_threads < n && pthread_create(&l->threads[l->n_threads], NULL, run, l) == 0)
		l->n_threads++;
	if (l->n_threads < n) {
		later_stop(l);
		later_free(l);
		return fault_raise(f, ERR_IO, "thread", "http", "cannot start a thread");
	}
	*ret = l;
	return OK;
}

void later_stop(struct later *l)
{
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_broadcast(&l->more);
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < l->n_threads; i++)
		pthread_join(l->threads[i], NULL);
}

void later_free(struct later *l)
{
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

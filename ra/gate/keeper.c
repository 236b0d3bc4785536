/*
 * One thread talks to the desk, another signs and looks at the root's CRL: a desk that does not answer keeps no answer
 * from being refreshed, and no CA from being revoked.
 */
#include "ra/gate/keeper.h"

#include "common/base/clock.h"
#include "ra/gate/crls.h"
#include "ra/gate/ocsp.h"
#include "ra/gate/responder.h"
#include "ra/gate/root_crl.h"

#include "common/base/cleanup.h"

#include <string.h>

#define LOOK_MS 1000
#define RETRY_S 15
#define ROOT_CRL_S 5
#define AHEAD_MS (1000 / OCSP_AHEAD_CALLS_A_SECOND)

struct keeper {
	struct gate *gate;
	pthread_t desk, ahead;
	bool has_ahead;
};

/* A thing that is looked at now and then, and sooner again when it failed. */
struct duty {
	const char *event;
	int64_t next; /* monotonic us */
	char last_error[40];
};

static void done(struct duty *d, enum err e, const struct fault *f, int64_t every_s)
{
	d->next = clock_mono_us() + (e == OK || every_s < RETRY_S ? every_s : RETRY_S) * 1000000;
	if (e == OK) {
		d->last_error[0] = '\0';
		return;
	}
	if (strcmp(d->last_error, f->rule) == 0)
		return;
	snprintf(d->last_error, sizeof(d->last_error), "%s", f->rule);
	log_fault(LOG_LEVEL_WARNING, d->event, f);
}

/* What there is to do for one CA. */
struct duties {
	struct duty responder, crls;
};

static void look_after(struct gate *g, struct gate_issuer *of, struct duties *d, bool hurry)
{
	struct fault f = {0};
	if (clock_mono_us() >= d->responder.next)
		done(&d->responder, responder_renew(g, of->responder, clock_now(), &f), &f, 60);
	f = (struct fault){0};
	if (hurry || clock_mono_us() >= d->crls.next)
		done(&d->crls, crls_fetch(g, of->crls, &f), &f, g->config.crl_minutes * 60);
}

static void *run_desk(void *arg)
{
	struct keeper *k = arg;
	struct gate *g = k->gate;
	struct duties each[GATE_ISSUERS_MAX] = {0};
	bool hurry = false;
	for (size_t i = 0; i < g->n_issuers; i++)
		each[i] = (struct duties){{.event = "responder_not_renewed"}, {.event = "crls_not_fetched"}};
	do
		for (size_t i = 0; i < g->n_issuers; i++)
			look_after(g, &g->issuers[i], &each[i], hurry);
	while (!gate_rest(g, LOOK_MS, &hurry));
	return NULL;
}

static void *run_ahead(void *arg)
{
	struct keeper *k = arg;
	struct duty root = {.event = "root_crl_unused"};
	do {
		struct fault f = {0};
		if (k->gate->config.root_crl && clock_mono_us() >= root.next)
			done(&root, root_crl_look(k->gate, &f), &f, ROOT_CRL_S);
		ocsp_ahead(k->gate->ocsp);
	} while (!gate_rest(k->gate, AHEAD_MS, NULL));
	return NULL;
}

enum err keeper_start(struct gate *g, struct keeper **ret, struct fault *f)
{
	struct keeper *k = xcalloc(1, sizeof(*k));
	k->gate = g;
	if (pthread_create(&k->desk, NULL, run_desk, k) != 0) {
		free(k);
		return fault_raise(f, ERR_IO, "thread", "keeper", "cannot start a thread");
	}
	k->has_ahead = pthread_create(&k->ahead, NULL, run_ahead, k) == 0;
	*ret = k;
	return OK;
}

void keeper_stop(struct keeper *k)
{
	pthread_join(k->desk, NULL);
	if (k->has_ahead)
		pthread_join(k->ahead, NULL);
	free(k);
}

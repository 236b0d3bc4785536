/*
 * The few things that all parts ask of the gate.
 */
#include "ra/gate/gate.h"

#include "common/base/clock.h"

#include <string.h>
#include <time.h>

bool gate_ready(struct gate *g, const char **ret_why)
{
	*ret_why = g->forked ? "forked" : g->behind_mark ? "behind" : g->unkept ? "disk" : "";
	if ((*ret_why)[0] != '\0')
		return false;
	if (table_beat(g->table) != 0)
		return true;
	*ret_why = "empty";
	return false;
}

void gate_count(struct gate *g, enum gate_count what)
{
	atomic_fetch_add_explicit(&g->counts[what], 1, memory_order_relaxed);
}

struct gate_issuer *gate_issuer_of(struct gate *g, const uint8_t id[20])
{
	for (size_t i = 0; i < g->n_issuers; i++)
		if (memcmp(g->issuers[i].ca.cert.key.key_id, id, 20) == 0)
			return &g->issuers[i];
	return NULL;
}

struct gate_issuer *gate_issuer(struct gate *g, const char *hex)
{
	for (size_t i = 0; i < g->n_issuers; i++) {
		char own[41];
		hex_lower(g->issuers[i].ca.cert.key.key_id, 20, own);
		if (strncmp(hex, own, 40) == 0)
			return &g->issuers[i];
	}
	return NULL;
}

bool gate_rest(struct gate *g, int64_t ms, bool *ret_hurry)
{
	int64_t until = clock_mono_us() + ms * 1000;
	struct timespec t = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
	pthread_mutex_lock(&g->lock);
	while (!g->stopping && !(ret_hurry && g->hurry_crls) && clock_mono_us() < until)
		pthread_cond_timedwait(&g->woken, &g->lock, &t);
	if (ret_hurry) {
		*ret_hurry = g->hurry_crls;
		g->hurry_crls = false;
	}
	bool stop = g->stopping;
	pthread_mutex_unlock(&g->lock);
	return stop;
}

/*
 * A gate without sockets and threads for tests, fed by a whole signer.
 */
#ifndef HUFU_TEST_GATE_KIT_H
#define HUFU_TEST_GATE_KIT_H

#include "tests/unit/ca_fixture.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "ra/gate/crls.h"
#include "ra/gate/feed.h"
#include "ra/gate/ocsp.h"
#include "ra/gate/ocsp_answer.h"
#include "ra/gate/responder.h"

#include <string.h>

static inline void kit_must(const char *what, enum err e, const struct fault *f)
{
	if (e != OK)
		fail_msg("%s: %s, rule \"%s\" at %s: %s", what, err_word(e), f->rule, f->where, f->text);
}

static inline void kit_free(struct gate *g)
{
	static const char *const names[] = {"snapshot", "followed", "ocsp.key"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *path = path_join(g->config.state, names[i]);
		unlink(path);
	}
	if (g->ocsp)
		ocsp_close(g->ocsp);
	for (size_t i = 0; i < g->n_issuers; i++)
		if (g->issuers[i].responder)
			responder_close(g->issuers[i].responder);
	table_freep(&g->table);
	buf_done(&g->checkpoint);
	for (size_t i = 0; i < g->n_issuers; i++) {
		cert_done(&g->issuers[i].ca.cert);
		buf_done(&g->issuers[i].ca.der);
	}
	rmdir(g->config.state);
	gate_config_done(&g->config);
	free(g);
}
CLEANUP_PTR(struct gate, kit_freep, kit_free)

static inline void kit_issuer(struct gate *g, struct slice der)
{
	struct gate_cert *c = &g->issuers[g->n_issuers++].ca;
	struct fault f = {0};
	buf_add_slice(&c->der, der);
	kit_must("issuer", cert_parse(buf_slice(&c->der), &c->cert, &f), &f);
}

/* Its state folder is empty; the table is loaded. */
static inline struct gate *kit_gate(struct fx *x)
{
	struct gate *g = xcalloc(1, sizeof(*g));
	_cleanup_(freep) char *vkey = path_join(x->dir, "log.vkey");
	_cleanup_buf_ struct buf text = {0};
	char dir[40] = "/tmp/hufu-gate-XXXXXX";
	struct fault f = {0};
	assert_non_null(mkdtemp(dir));
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->woken, NULL);
	g->config.state = xstrdup(dir);
	g->config.ocsp = (struct ocsp_rules){.validity_minutes = 720, .max_age = 300, .cache_entries = 1024};
	kit_must("vkey", file_read(vkey, 1024, &text, &f), &f);
	kit_must("vkey", log_key_parse(buf_slice(&text), &g->log_key, &f), &f);
	kit_issuer(g, x->signer->issuer.der);
	kit_must("load", feed_load(g, &f), &f);
	return g;
}

static inline void kit_answer(struct fx *x, uint64_t from, uint32_t max, struct buf *ret)
{
	_cleanup_buf_ struct buf request = {0};
	struct fault f = {0};
	wire_feed_put(&(struct wire_feed){.from = from, .max = max}, &request);
	kit_must("feed", fx_ra(x, &request, WIRE_TYPE_FEED_IS, ret, &f), &f);
}

static inline uint64_t kit_size(struct gate *g)
{
	return table_head(g->table).size;
}

/* Everything that the ledger has. */
static inline void kit_follow(struct fx *x, struct gate *g)
{
	bool more = true;
	while (more) {
		_cleanup_buf_ struct buf answer = {0};
		struct fault f = {0};
		kit_answer(x, kit_size(g), 1024, &answer);
		kit_must("take", feed_take(g, buf_slice(&answer), &more, &f), &f);
	}
}

static inline enum err kit_beat_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct wire_e_beat e = {0};
	(void)arg;
	return ledger_append_e_beat(tx, &e, NULL, f);
}
static inline void kit_beat(struct fx *x)
{
	struct fault f = {0};
	kit_must("beat", ledger_do(x->ledger, kit_beat_op, NULL, &f), &f);
}

#endif

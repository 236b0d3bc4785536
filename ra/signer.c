/*
 * The desk's picture of the signer, asked for now and then by the follower's thread and read by everybody.
 */
#include "ra/signer.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/pki/cert.h"
#include "common/rpc/wire.h"

#include <pthread.h>
#include <string.h>

#define HEAD_ISSUER_END "issuer_not_after"
#define FAR_AHEAD INT64_C(253402300799) /* 9999-12-31: RFC 5280 4.1.2.5, no well-defined end */

struct signer_view {
	struct store *store;
	pthread_mutex_t lock;
	struct signer_state state;
	bool differed; /* the last answer's hashes were not the desk's, and it was logged */
};

static enum err load(struct signer_view *v, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_read(v->store, &db, f));
	enum err e = store_head(db, HEAD_ISSUER_END, &v->state.issuer_not_after, f);
	store_read_end(v->store, db);
	if (v->state.issuer_not_after == 0)
		v->state.issuer_not_after = FAR_AHEAD;
	return e;
}

enum err signer_view_open(struct store *store, struct signer_view **ret, struct fault *f)
{
	struct signer_view *v = xcalloc(1, sizeof(*v));
	v->store = store;
	pthread_mutex_init(&v->lock, NULL);
	enum err e = load(v, f);
	if (e != OK) {
		signer_view_close(v);
		return e;
	}
	*ret = v;
	return OK;
}

void signer_view_close(struct signer_view *v)
{
	pthread_mutex_destroy(&v->lock);
	free(v);
}

void signer_view_get(struct signer_view *v, struct signer_state *ret)
{
	pthread_mutex_lock(&v->lock);
	*ret = v->state;
	pthread_mutex_unlock(&v->lock);
}

static enum err ask(struct rpc_client *client, struct buf *reply, struct wire_health_is *ret, struct fault *f)
{
	_cleanup_buf_ struct buf request = {0};
	wire_health_put(&(struct wire_health){0}, &request);
	TRY(rpc_call(client, buf_slice(&request), reply, f));
	TRY(wire_expect(buf_slice(reply), WIRE_TYPE_HEALTH_IS, NULL, f));
	return wire_health_is_get(buf_slice(reply), ret, f);
}

static void remember_issuer(struct signer_state *s, struct slice der)
{
	_cleanup_(cert_done) struct cert issuer = {0};
	s->issues = der.n > 0 && cert_parse(der, &issuer, NULL) == OK;
	if (s->issues)
		memcpy(s->issuer, issuer.key.key_id, 20);
}

static void remember(struct signer_state *s, const struct wire_health_is *h)
{
	*s = (struct signer_state){
		.asked = true,
		.reachable = true,
		.locked = h->locked != 0,
		.waits = h->waits != 0,
		.asked_at = clock_now(),
		.size = h->size,
		.now = h->now,
		.last_beat = h->last_beat,
		.roster_version = h->roster_version,
		.policy_version = h->policy_version,
		.issuer_not_after = h->issuer_not_after,
		.issued = h->issued,
		.refused = h->refused,
		.rejected = h->rejected,
		.revoked = h->revoked,
	};
	memcpy(s->ca, h->ca, 20);
	remember_issuer(s, h->issuer_cert);
	memcpy(s->roster, h->roster, 32);
	memcpy(s->policy, h->policy, 32);
}

static enum err keep_issuer_end(struct store *store, int64_t end, struct fault *f)
{
	struct db *db = NULL;
	TRY(store_begin(store, &db, f));
	return store_end(store, db, store_head_set(db, HEAD_ISSUER_END, end, f), f);
}

static bool differs(const struct signer_state *s, const struct law *law)
{
	return memcmp(s->policy, law->policy->note.sha256, 32) != 0 || memcmp(s->roster, law->roster.sha256, 32) != 0 ||
	       memcmp(s->ca, law->roster.ca, 20) != 0;
}

static void compare(struct signer_view *v, const struct signer_state *s, struct laws *laws)
{
	struct law *law = laws_take(laws);
	bool now = differs(s, law);
	if (now && !v->differed)
		log_event(LOG_LEVEL_ERROR, "signer_differs",
			  "desk_policy_version=%llu signer_policy_version=%llu desk_roster_version=%llu"
			  " signer_roster_version=%llu text=\"the signer judges by another policy or roster than the "
			  "desk: it will refuse what the desk accepts\"",
			  (unsigned long long)law->policy->note.version, (unsigned long long)s->policy_version,
			  (unsigned long long)law->roster.version, (unsigned long long)s->roster_version);
	if (!now && v->differed)
		log_event(LOG_LEVEL_NOTICE, "signer_agrees", "policy_version=%llu",
			  (unsigned long long)s->policy_version);
	v->differed = now;
	law_put(laws, law);
}

static void lost(struct signer_view *v, const struct fault *f)
{
	pthread_mutex_lock(&v->lock);
	bool was = v->state.reachable || !v->state.asked;
	v->state.asked = true;
	v->state.reachable = false;
	v->state.asked_at = clock_now();
	snprintf(v->state.error, sizeof(v->state.error), "%.199s", f->text);
	pthread_mutex_unlock(&v->lock);
	if (was)
		log_fault(LOG_LEVEL_WARNING, "signer_unreachable", f);
}

bool signer_view_ask(struct signer_view *v, struct rpc_client *client, struct laws *laws, struct root_watch *root)
{
	_cleanup_buf_ struct buf reply = {0};
	struct wire_health_is h = {0};
	struct signer_state fresh, before;
	struct fault f = {0};
	if (ask(client, &reply, &h, &f) != OK) {
		lost(v, &f);
		return false;
	}
	signer_view_get(v, &before);
	remember(&fresh, &h);
	pthread_mutex_lock(&v->lock);
	v->state = fresh;
	pthread_mutex_unlock(&v->lock);
	if (!before.reachable)
		log_event(LOG_LEVEL_NOTICE, "signer_reachable", "locked=%d ledger_size=%llu", fresh.locked,
			  (unsigned long long)fresh.size);
	root_watch_learn(root, h.issuer_cert, h.retired);
	compare(v, &fresh, laws);
	if (fresh.issuer_not_after != before.issuer_not_after &&
	    keep_issuer_end(v->store, fresh.issuer_not_after, &f) != OK)
		log_fault(LOG_LEVEL_ERROR, "store", &f);
	return !fresh.locked && !fresh.waits && (!before.reachable || before.locked || before.waits);
}

/*
 * The CRLs. Each scope (a shard, or all) of each of our CAs, the issuing one and those retired, has one file in
 * state/crl and one row in the ledger with its number, times and hash. A request finds the file good, or makes the next one: entries streamed from an ordered scan, signed, recorded
 * as E_CRL, written, answered. What the row knows as `changed` is the last revocation in its scope; one that comes
 * while a CRL is being made is behind `upto` and so makes the next.
 */
#include "ca/publish.h"

#include "ca/crl.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

#define NUMBER_LEAP 1000000

/* The CA's first issuer has the plain names. */
static char *crl_path(const struct signer *s, const uint8_t issuer[20], uint32_t scope)
{
	char of[42] = "", word[11] = "full";
	if (memcmp(issuer, s->ca, 20) != 0) {
		hex_lower(issuer, 20, of);
		memcpy(of + 40, "-", 2);
	}
	if (scope != WIRE_FULL_CRL)
		snprintf(word, sizeof(word), "%u", (unsigned)scope);
	return xasprintf("%s/crl/%s%s.crl", s->config->state, of, word);
}

/* The template whose certificates point to that shard. */
static const struct template *shard_template(const struct heads *h, uint32_t scope)
{
	for (size_t i = 0; i < h->now.policy->n_profiles; i++)
		if (scope < profile_shards(&h->now.policy->profiles[i]))
			return h->now.templates[i];
	return NULL;
}

/* The file of the recorded CRL, when it is there and whole. */
static bool read_file(const struct signer *s, const uint8_t issuer[20], uint32_t scope, const struct ledger_crl *c,
		      struct buf *ret)
{
	_cleanup_(freep) char *path = crl_path(s, issuer, scope);
	size_t before = ret->len;
	uint8_t hash[32];
	if (file_read(path, CRL_MAX_BYTES, ret, NULL) == OK) {
		sha256(ret->data + before, ret->len - before, hash);
		if (memcmp(hash, c->sha256, 32) == 0)
			return true;
	}
	ret->len = before;
	return false;
}

static bool is_due(const struct signer *s, const struct ledger_crl *c, int64_t now)
{
	bool changed = c->changed != LEDGER_NONE && c->changed >= c->upto;
	return c->number == 0 || changed || now >= c->this_update + (int64_t)s->config->crl_every_minutes * 60 ||
	       now >= c->next_update;
}

static enum err next_entry(void *arg, struct crl_entry *ret, bool *ret_more, struct fault *f)
{
	return ledger_revoked_next(arg, &ret->serial, &ret->when, &ret->reason, ret_more, f);
}

struct making {
	uint32_t scope;
	struct ledger_crl next;
	uint64_t count;
	struct issuer by;
	const uint8_t *issuer;
};

static enum err sign_crl(struct db *db, struct making *m, const char *url, struct buf *ret, struct fault *f)
{
	_cleanup_(ledger_revoked_donep) struct ledger_revoked *revoked = NULL;
	TRY(ledger_revoked(db, m->issuer, m->scope, m->next.this_update, &revoked, f));
	return crl_build(&(struct crl_build){.issuer = m->by.cert,
					     .key = m->by.key,
					     .number = m->next.number,
					     .this_update = m->next.this_update,
					     .next_update = m->next.next_update,
					     .idp_url = url,
					     .next = next_entry,
					     .arg = revoked},
			 ret, &m->count, f);
}

static enum err record_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct making *m = arg;
	struct wire_e_crl e = {
		.shard = m->scope, .number = m->next.number, .next_update = m->next.next_update, .count = m->count};
	memcpy(e.issuer, m->issuer, 20);
	memcpy(e.sha256, m->next.sha256, 32);
	TRY(ledger_append_e_crl(tx, &e, NULL, f));
	return ledger_crl_set(tx, m->issuer, m->scope, &m->next, f);
}

/* RFC 5280 5.2.3: rising, also past what a lost ledger has published. A CRL is an entry, so its number was at most the
 * size of that ledger: of the newest checkpoint that was known, and what came after it. */
static uint64_t next_number(struct signer *s, const struct ledger_crl *c)
{
	struct ledger_standing now;
	ledger_standing(s->ledger, &now);
	uint64_t known = now.lost_to > now.restored ? now.lost_to : now.restored;
	uint64_t least = now.restored > 0 ? known + NUMBER_LEAP : 0;
	return c->number + 1 > least ? c->number + 1 : least;
}

static enum err make(struct signer *s, struct db *db, const struct template *t, const struct issuer *by, uint32_t scope,
		     struct ledger_crl *c, int64_t now, struct buf *ret, struct fault *f)
{
	const uint8_t *issuer = by->cert->key.key_id;
	_cleanup_buf_ struct buf url = {0};
	_cleanup_(freep) char *path = crl_path(s, issuer, scope), *dir = path_join(s->config->state, "crl");
	struct making m = {.scope = scope, .by = *by, .issuer = issuer, .next = *c};
	size_t before = ret->len;
	if (t)
		template_cdp_url(t, issuer, scope, &url);
	m.next.number = next_number(s, c);
	m.next.this_update = now;
	m.next.next_update = now + (int64_t)s->config->crl_next_update_hours * 3600;
	m.next.upto = ledger_size(s->ledger);
	TRY(sign_crl(db, &m, url.len ? buf_text(&url) : NULL, ret, f));
	sha256(ret->data + before, ret->len - before, m.next.sha256);
	TRY(ledger_do(s->ledger, record_op, &m, f));
	TRY(dir_make(dir, 0700, f));
	TRY(file_write(path, slice_of(ret->data + before, ret->len - before), 0600, f));
	log_event(LOG_LEVEL_INFO, "crl", "scope=%s number=%llu entries=%llu bytes=%zu",
		  scope == WIRE_FULL_CRL ? "full" : "shard", (unsigned long long)m.next.number,
		  (unsigned long long)m.count, ret->len - before);
	*c = m.next;
	return OK;
}

static enum err current(struct signer *s, struct db *db, const struct heads *h, const struct issuer *by, uint32_t scope,
			struct buf *ret_der, struct ledger_crl *ret, struct fault *f)
{
	const uint8_t *issuer = by->cert->key.key_id;
	const struct template *t = scope == WIRE_FULL_CRL ? NULL : shard_template(h, scope);
	int64_t now;
	if (scope != WIRE_FULL_CRL && !t)
		return fault_raise(f, ERR_NOT_FOUND, "shard_unknown", "crl.shard", "found %u, which no profile has",
				   (unsigned)scope);
	TRY(ledger_now(s->ledger, &now, f));
	TRY(ledger_crl(db, issuer, scope, ret, f));
	struct ledger_standing standing;
	ledger_standing(s->ledger, &standing);
	bool locked = by->key == NULL || standing.waits;
	bool good = ret->number != 0 && now < ret->next_update;
	if ((locked ? good : !is_due(s, ret, now)) && read_file(s, issuer, scope, ret, ret_der))
		return OK;
	if (standing.waits)
		return ledger_waits_raise(f);
	if (locked)
		return fault_raise(f, ERR_LOCKED, "signer_locked", "crl",
				   "there is no CRL that is still good, and the key is %s",
				   by->gone ? "no more: the CA was retired" : "not open");
	return make(s, db, t, by, scope, ret, now, ret_der, f);
}

enum err publish_crl(struct signer *s, const uint8_t issuer[20], uint32_t scope, struct buf *ret_der,
		     struct ledger_crl *ret, struct fault *f)
{
	struct issuer by;
	struct db *db;
	if (!signer_issuer(s, issuer, &by))
		return fault_raise(f, ERR_NOT_FOUND, "issuer_unknown", "crl.issuer",
				   "this signer has no CRL of that issuer");
	TRY(ledger_reader(s->ledger, &db, f));
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	pthread_mutex_lock(&s->crl_lock);
	enum err e = current(s, db, h, &by, scope, ret_der, ret, f);
	pthread_mutex_unlock(&s->crl_lock);
	ledger_reader_put(s->ledger, db);
	return e;
}

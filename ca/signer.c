/*
 * The signer's state: made at the start from configuration and ledger, then changed in two ways only: the key is opened
 * once, and a recorded roster or policy replaces the heads. What requests do with it begins in serve.c.
 */
#include "ca/signer.h"

#include "ca/issue.h"
#include "ca/log_signer.h"
#include "ca/restore.h"
#include "ca/revoke.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#include <string.h>

enum err issuer_load(const char *path, struct buf *ret_der, struct cert *ret, struct fault *f)
{
	_cleanup_buf_ struct buf file = {0};
	TRY(file_read(path, 65536, &file, f));
	enum err e = pem_or_der(buf_slice(&file), "CERTIFICATE", ret_der, f);
	if (e == OK)
		e = cert_parse(buf_slice(ret_der), ret, f);
	if (e != OK) {
		fault_prefix(f, "%s", path);
		return e;
	}
	if (!ret->is_ca || (ret->has_ku && (ret->key_usage & (KU_BIT(KU_KEY_CERT_SIGN) | KU_BIT(KU_CRL_SIGN))) !=
						   (KU_BIT(KU_KEY_CERT_SIGN) | KU_BIT(KU_CRL_SIGN))))
		return fault_raise(f, ERR_CONFIG, "issuer_ca", "issuer",
				   "%s: not the certificate of a CA that may sign certificates and CRLs", path);
	return OK;
}

unsigned profile_shards(const struct profile *p)
{
	const struct profile_ext *exts = p->extensions.v;
	for (size_t i = 0; i < p->extensions.n; i++)
		if (exts[i].type == EXT_CRL_DP && exts[i].shards > 0)
			return (unsigned)exts[i].shards;
	return 1;
}

/* --- serials and tokens --- */

void signer_serial(struct signer *s, struct serial *ret)
{
	pthread_mutex_lock(&s->lock);
	serial_make(&s->serial_last, ret);
	pthread_mutex_unlock(&s->lock);
}

/* The lock is held. Keys come from rosters, and those that lately asked are kept. */
static struct bucket *bucket_of(struct signer *s, const uint8_t key[32])
{
	const size_t max = sizeof(s->buckets) / sizeof(s->buckets[0]);
	size_t oldest = 0;
	for (size_t i = 0; i < s->n_buckets; i++) {
		if (memcmp(s->buckets[i].key, key, 32) == 0)
			return &s->buckets[i];
		if (s->buckets[i].filled_us < s->buckets[oldest].filled_us)
			oldest = i;
	}
	struct bucket *b = s->n_buckets < max ? &s->buckets[s->n_buckets++] : &s->buckets[oldest];
	memcpy(b->key, key, 32);
	b->tokens = s->config->refusals_burst;
	b->filled_us = clock_mono_us();
	return b;
}

bool signer_may_refuse(struct signer *s, const uint8_t ra_key[32], bool take)
{
	pthread_mutex_lock(&s->lock);
	struct bucket *b = bucket_of(s, ra_key);
	int64_t now = clock_mono_us();
	b->tokens += (double)(now - b->filled_us) / 1e6 * s->config->refusals_per_second;
	if (b->tokens > s->config->refusals_burst)
		b->tokens = s->config->refusals_burst;
	b->filled_us = now;
	bool may = b->tokens >= 1;
	if (take)
		b->tokens -= 1;
	pthread_mutex_unlock(&s->lock);
	return may;
}

/* --- certificates --- */

static enum err adopted_certificate(struct db *db, const struct ledger_cert *c, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf body = {0};
	struct wire_e_adopted e;
	TRY(ledger_entry(db, c->entry, &body, f));
	TRY(wire_e_adopted_get(buf_slice(&body), &e, f));
	buf_add_slice(ret, e.cert);
	return OK;
}

enum err signer_certificate(struct db *db, const struct ledger_cert *c, struct buf *ret, struct fault *f)
{
	if (c->entry == LEDGER_NONE)
		return fault_raise(f, ERR_NOT_FOUND, "cert_unknown", "ledger.certificate",
				   "the certificate is not issued yet");
	if (c->adopted)
		return adopted_certificate(db, c, ret, f);
	_cleanup_buf_ struct buf issued = {0}, intent = {0};
	struct wire_e_issued outcome;
	struct wire_e_intent meant;
	TRY(ledger_entry(db, c->entry, &issued, f));
	TRY(wire_e_issued_get(buf_slice(&issued), &outcome, f));
	TRY(ledger_entry(db, outcome.intent, &intent, f));
	TRY(wire_e_intent_get(buf_slice(&intent), &meant, f));
	return cert_from_tbs(meant.tbs, outcome.signature, ret, f);
}

/* --- issuers --- */

bool signer_issuer(struct signer *s, const uint8_t key_id[20], struct issuer *ret)
{
	if (memcmp(key_id, s->issuer.key.key_id, 20) == 0) {
		*ret = (struct issuer){.cert = &s->issuer, .verifier = s->issuer_verifier, .key = atomic_load(&s->key)};
		return true;
	}
	for (size_t i = 0; i < s->n_retired; i++) {
		struct retired *r = &s->retired[i];
		if (memcmp(key_id, r->cert.key.key_id, 20) != 0)
			continue;
		*ret = (struct issuer){.cert = &r->cert,
				       .verifier = r->verifier,
				       .key = atomic_load(&r->key),
				       .gone = r->place == NULL};
		return true;
	}
	return false;
}

/* --- keys --- */

static enum err take_key(struct signer *s, struct ca_key **key, struct fault *f)
{
	if (memcmp(ca_key_public(*key)->spki_sha256, s->issuer.key.spki_sha256, 32) != 0)
		return fault_raise(f, ERR_CONFIG, "key_not_issuers", "key",
				   "the key is not that of the issuer's certificate");
	struct ledger_standing now;
	ledger_standing(s->ledger, &now);
	if (now.waits)
		atomic_store(&s->unfinished, true);
	else
		TRY(issue_recover(s, *key, f));
	atomic_store(&s->key, TAKE(*key));
	return OK;
}

enum err signer_take_key(struct signer *s, struct ca_key *key_given, struct fault *f)
{
	_cleanup_(ca_key_freep) struct ca_key *key = key_given;
	enum err e = OK;
	pthread_mutex_lock(&s->key_lock);
	if (!atomic_load(&s->key))
		e = take_key(s, &key, f);
	pthread_mutex_unlock(&s->key_lock);
	return e;
}

static void take_retired(struct signer *s, size_t i, struct ca_key *key)
{
	atomic_store(&s->retired[i].key, key);
	atomic_store(&s->unfinished, true);
	log_audit("unlocked", "issuer=%s retired=1", LQ(s->config->retired[i].issuer));
}

/* The retired ones first: what a crash left open of theirs is finished with the rest. */
enum err signer_take_keys(struct signer *s, struct ca_key *keys[CUSTODY_KEYS], struct fault *f)
{
	enum err e = OK;
	pthread_mutex_lock(&s->key_lock);
	for (size_t i = 0; i < s->n_retired; i++)
		if (keys[i + 1] && !atomic_load(&s->retired[i].key))
			take_retired(s, i, TAKE(keys[i + 1]));
	if (keys[0] && !atomic_load(&s->key)) {
		e = take_key(s, &keys[0], f);
		if (e == OK)
			log_audit("unlocked", "issuer=%s by=custodians", LQ(s->config->issuer));
	}
	pthread_mutex_unlock(&s->key_lock);
	ca_custody_keys_free(keys);
	return e;
}

void signer_keys(struct signer *s, const struct ca_key *ret[CUSTODY_KEYS])
{
	memset(ret, 0, CUSTODY_KEYS * sizeof(struct ca_key *));
	ret[0] = atomic_load(&s->key);
	for (size_t i = 0; i < s->n_retired; i++)
		ret[i + 1] = atomic_load(&s->retired[i].key);
}

enum err signer_all_keys(struct signer *s, const struct ca_key *ret[CUSTODY_KEYS], struct fault *f)
{
	signer_keys(s, ret);
	if (!ret[0])
		return fault_raise(f, ERR_LOCKED, "signer_locked", "signer",
				   "the CA key is not open, and only an open one can be split");
	for (size_t i = 0; i < s->n_retired; i++)
		if (s->retired[i].place && !ret[i + 1])
			return fault_raise(f, ERR_LOCKED, "signer_locked", "signer",
					   "the key of the retired CA %s is not open, and a new set must open each key",
					   s->config->retired[i].issuer);
	return OK;
}

/* Which keys a passphrase has met. */
struct tried {
	bool any, held; /* one that it may open; one that is the custodians' */
	bool opened;
	enum err last; /* of those that stayed shut */
};

/* A retired CA may have a passphrase of its own, given later: that one stays locked stops nobody. */
static void open_retired(struct signer *s, const struct secret *passphrase, struct tried *t, struct fault *f)
{
	for (size_t i = 0; i < s->n_retired; i++) {
		struct retired *r = &s->retired[i];
		struct ca_key *key = NULL;
		if (!r->place || atomic_load(&r->key))
			continue;
		if (ca_custody_holds(s->custody, r->cert.key.key_id)) {
			t->held = true;
			continue;
		}
		t->any = true;
		enum err e = ca_key_open(r->place, &r->cert, passphrase, &key, f);
		if (e == OK) {
			t->opened = true;
			take_retired(s, i, key);
		} else {
			t->last = e;
			log_fault(LOG_LEVEL_WARNING, "retired_locked", f);
		}
	}
}

enum err signer_unlock(struct signer *s, const struct secret *passphrase, struct fault *f)
{
	bool locked = !atomic_load(&s->key), held = ca_custody_holds(s->custody, s->issuer.key.key_id);
	struct tried t = {.any = locked && !held, .held = locked && held, .opened = locked && !held};
	struct ca_key *key = NULL;
	struct fault why = {0};
	if (locked && !held) {
		TRY(ca_key_open(s->config->key, &s->issuer, passphrase, &key, f));
		TRY(signer_take_key(s, key, f));
		log_audit("unlocked", "issuer=%s", LQ(s->config->issuer));
	}
	pthread_mutex_lock(&s->key_lock);
	open_retired(s, passphrase, &t, &why);
	pthread_mutex_unlock(&s->key_lock);
	if (t.held && !t.any)
		return fault_raise(f, ERR_RULE, "unlock_by_custodians", "signer",
				   "custodians open this CA's key with their shares; no passphrase does");
	if (t.last == OK || t.opened)
		return OK;
	*f = why;
	return t.last;
}

/* --- start --- */

/* Serials go on rising where the last run stopped, even if the clock went back meanwhile: the first 48 bits are time.
 */
static enum err resume_serials(struct signer *s, struct db *db, struct fault *f)
{
	struct serial last;
	TRY(ledger_last_serial(db, s->issuer.key.key_id, &last, f));
	if (last.n != 16)
		return OK;
	for (size_t i = 0; i < 6; i++)
		s->serial_last = s->serial_last << 8 | last.b[i];
	return OK;
}

/* Whose ledger is this? The CA is named by the first key that it issued with, and keeps that name when the key is
 * rolled; so the first one's certificate is always here. And so is that of every CA that has issued: else their
 * certificates would have no CRL. */
static enum err check_issuers(struct signer *s, struct db *db, struct fault *f)
{
	uint8_t ids[CA_MAX_RETIRED + 2][20];
	struct issuer known;
	size_t n = 0;
	memcpy(s->ca, s->heads->roster.ca, 20);
	if (!signer_issuer(s, s->ca, &known))
		return fault_raise(f, ERR_CONFIG, "ca_unknown", "ledger",
				   "the ledger belongs to another CA than the certificates of issuer and retired");
	TRY(ledger_issuers(db, ids, sizeof(ids) / sizeof(ids[0]), &n, f));
	for (size_t i = 0; i < n; i++) {
		char hex[41];
		hex_lower(ids[i], 20, hex);
		if (!signer_issuer(s, ids[i], &known))
			return fault_raise(f, ERR_CONFIG, "issuer_missing", "retired",
					   "the ledger has certificates by the CA with key %s, wanted its certificate "
					   "under retired",
					   hex);
	}
	return OK;
}

/* Where the configuration names the root, the issuer must be below it: a wrong file is found now and not by relying
 * parties. */
static enum err check_root(const struct signer *s, const struct cert *issuer, const char *path, struct fault *f)
{
	_cleanup_buf_ struct buf der = {0};
	_cleanup_(cert_done) struct cert root = {0};
	if (!s->config->root)
		return OK;
	TRY(issuer_load(s->config->root, &der, &root, f));
	struct fault why = {0};
	if (cert_verify_by(issuer, &root, &why) == OK)
		return OK;
	return fault_raise(f, ERR_CONFIG, "issuer_root", "issuer", "%s is not below %s: %s", path, s->config->root,
			   why.text);
}

static enum err load_retired(struct signer *s, const struct ca_config_retired *from, struct fault *f)
{
	struct retired *r = &s->retired[s->n_retired];
	struct issuer same;
	TRY(issuer_load(from->issuer, &r->der, &r->cert, f));
	TRY(check_root(s, &r->cert, from->issuer, f));
	if (signer_issuer(s, r->cert.key.key_id, &same))
		return fault_raise(f, ERR_CONFIG, "retired_twice", "retired",
				   "%s has the key of another CA of this signer", from->issuer);
	r->verifier = known_key_new(&r->cert.key);
	r->place = from->key;
	s->n_retired++;
	return OK;
}

static enum err load(struct signer *s, struct fault *f)
{
	struct db *db;
	TRY(issuer_load(s->config->issuer, &s->issuer_der, &s->issuer, f));
	TRY(check_root(s, &s->issuer, s->config->issuer, f));
	s->issuer_verifier = known_key_new(&s->issuer.key);
	for (size_t i = 0; i < s->config->n_retired; i++)
		TRY(load_retired(s, &s->config->retired[i], f));
	TRY(throwaway_new(s->issuer.key.alg, s->issuer.key.bits, &s->throwaway, f));
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = heads_load(db, &s->issuer, &s->heads, f);
	if (e == OK)
		e = check_issuers(s, db, f);
	if (e == OK)
		e = resume_serials(s, db, f);
	ledger_reader_put(s->ledger, db);
	return e;
}

_Static_assert(CUSTODY_KEYS == CA_MAX_RETIRED + 1, "a set has a place for each key of a CA");

static enum err open_custody(struct signer *s, struct fault *f)
{
	struct ca_custody_key keys[CUSTODY_KEYS] = {{.cert = &s->issuer, .place = s->config->key}};
	for (size_t i = 0; i < s->n_retired; i++)
		keys[i + 1] = (struct ca_custody_key){.cert = &s->retired[i].cert, .place = s->retired[i].place};
	return ca_custody_open(s->config->state, s->ca, keys, s->n_retired + 1, &s->custody, f);
}

static enum err take_log(struct signer *s, struct fault *f)
{
	struct log_signer *log;
	TRY(log_signer_open(s->config, s->ca, &log, f));
	ledger_take_log(s->ledger, log);
	return OK;
}

enum err signer_new(const struct ca_config *config, struct ledger *ledger, struct signer **ret, struct fault *f)
{
	_cleanup_(signer_freep) struct signer *s = xcalloc(1, sizeof(*s));
	s->config = config;
	s->ledger = ledger;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->crl_lock, NULL);
	pthread_mutex_init(&s->key_lock, NULL);
	pthread_mutex_init(&s->operator_lock, NULL);
	pthread_mutex_init(&s->gate, NULL);
	pthread_cond_init(&s->left, NULL);
	TRY(load(s, f));
	TRY(take_log(s, f));
	TRY(open_custody(s, f));
	TRY(restore_start(s, f));
	*ret = TAKE(s);
	return OK;
}

/* One that did not load has its first parts. */
static void retired_done(struct retired *r)
{
	struct ca_key *key = atomic_load(&r->key);
	if (key)
		ca_key_free(key);
	known_key_freep(&r->verifier);
	cert_done(&r->cert);
	buf_done(&r->der);
}

void signer_free(struct signer *s)
{
	struct ca_key *key = atomic_load(&s->key);
	if (key)
		ca_key_free(key);
	throwaway_freep(&s->throwaway);
	if (s->custody)
		ca_custody_free(s->custody);
	heads_unrefp(&s->heads);
	known_key_freep(&s->issuer_verifier);
	cert_done(&s->issuer);
	buf_done(&s->issuer_der);
	for (size_t i = 0; i < CA_MAX_RETIRED; i++)
		retired_done(&s->retired[i]);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->crl_lock);
	pthread_mutex_destroy(&s->key_lock);
	pthread_mutex_destroy(&s->operator_lock);
	pthread_mutex_destroy(&s->gate);
	pthread_cond_destroy(&s->left);
	free(s);
}

struct heads *signer_heads(struct signer *s)
{
	pthread_mutex_lock(&s->lock);
	struct heads *h = s->heads;
	atomic_fetch_add(&h->refs, 1);
	pthread_mutex_unlock(&s->lock);
	return h;
}

enum err signer_reload(struct signer *s, struct fault *f)
{
	struct db *db;
	struct heads *fresh = NULL;
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = heads_load(db, &s->issuer, &fresh, f);
	ledger_reader_put(s->ledger, db);
	TRY(e);
	pthread_mutex_lock(&s->lock);
	struct heads *old = s->heads;
	s->heads = fresh;
	pthread_mutex_unlock(&s->lock);
	heads_unref(old);
	return OK;
}

static bool heads_are(struct signer *s, const struct head *roster, const struct head *policy)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	return h->roster_head.entry == roster->entry && h->policy_head.entry == policy->entry;
}

static enum err read_heads(struct signer *s, struct fault *f)
{
	struct head roster, policy;
	struct db *db;
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = ledger_head(db, HEAD_ROSTER, &roster, f);
	if (e == OK)
		e = ledger_head(db, HEAD_POLICY, &policy, f);
	ledger_reader_put(s->ledger, db);
	TRY(e);
	return heads_are(s, &roster, &policy) ? OK : signer_reload(s, f);
}

/* A roster or policy that was recorded, and could not be read then: no tally passes until it is. Whoever holds the lock
 * reads for himself. */
static enum err look_at_heads(struct signer *s, struct fault *f)
{
	if (pthread_mutex_trylock(&s->operator_lock) != 0)
		return OK;
	enum err e = read_heads(s, f);
	pthread_mutex_unlock(&s->operator_lock);
	return e;
}

static enum err append_beat(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct wire_e_beat e = {0};
	(void)arg;
	return ledger_append_e_beat(tx, &e, NULL, f);
}

/* --- the gate --- */

enum err signer_enter(struct signer *s, struct fault *f)
{
	pthread_mutex_lock(&s->gate);
	bool full = s->closed || s->entered >= SIGNER_MAX_TALLIES;
	if (!full)
		s->entered++;
	pthread_mutex_unlock(&s->gate);
	if (full)
		return fault_raise(f, ERR_BUSY, "signer_busy", "signer",
				   "as many tallies are under way as the signer takes at once, %u; try again",
				   SIGNER_MAX_TALLIES);
	ledger_enter(s->ledger);
	return OK;
}

void signer_leave(struct signer *s)
{
	ledger_leave(s->ledger);
	pthread_mutex_lock(&s->gate);
	s->entered--;
	pthread_cond_broadcast(&s->left);
	pthread_mutex_unlock(&s->gate);
}

static void close_gate(struct signer *s)
{
	pthread_mutex_lock(&s->gate);
	s->closed = true;
	while (s->entered > 0)
		pthread_cond_wait(&s->left, &s->gate);
	pthread_mutex_unlock(&s->gate);
}

static void open_gate(struct signer *s)
{
	pthread_mutex_lock(&s->gate);
	s->closed = false;
	pthread_mutex_unlock(&s->gate);
}

/* --- beats --- */

/* No tally may be under way: its open intent is not a forgotten one. */
void signer_finish(struct signer *s)
{
	struct fault f = {0};
	struct ledger_standing now;
	struct ca_key *key = atomic_load(&s->key);
	ledger_standing(s->ledger, &now);
	if (now.waits || !key || !atomic_load(&s->unfinished) || ca_key_usable(key, NULL) != OK)
		return;
	close_gate(s);
	atomic_store(&s->unfinished, false); /* opening a retired key, meanwhile, is another reason */
	if (issue_recover(s, key, &f) != OK) {
		atomic_store(&s->unfinished, true);
		log_fault(LOG_LEVEL_ERROR, "finish_failed", &f);
	}
	open_gate(s);
}

enum err signer_beat(struct signer *s, struct fault *f)
{
	struct ledger_standing now;
	ledger_standing(s->ledger, &now);
	if (now.waits)
		return ledger_waits_raise(f);
	TRY(ledger_look(s->ledger, f));
	TRY(look_at_heads(s, f));
	TRY(revoke_due(s, f));
	TRY(ledger_do(s->ledger, append_beat, NULL, f));
	return restore_note_head(s, f);
}

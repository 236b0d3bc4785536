/*
 * The CRLs. Each scope (a shard, or all) of each of our CAs, the issuing one and those retired, has one file in
 * state/crl and one row in the ledger with its number, times and hash. A request finds the file good, or makes the next one: entries streamed from an ordered scan, signed, recorded
 * as E_CRL, written, answered. What the row knows as `changed` is the last revocation in its scope; one that comes
 * while a CRL is being made is behind `upto` and so makes the next. The file is written and flushed beside, then
 * recorded, then it takes its name: a file that is not the recorded one is never handed out. Next: crl_file.c.
 */
#include "ca/publish.h"

#include "ca/crl.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

/* After the library whose helpers it has. */
#include "common/base/cleanup.h"

#define INSIDE_MAX 2 /* requests that make a CRL or wait for one: the other workers are for tallies */
#define READ_PIECE (256u * 1024u)
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

/* --- the file --- */

static enum err read_some(int fd, uint64_t from, uint64_t n, struct buf *ret, struct fault *f)
{
	buf_reserve(ret, n);
	while (n > 0) {
		ssize_t got = pread(fd, ret->data + ret->len, n, (off_t)from);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fault_raise(f, ERR_IO, "crl_file", "crl", "cannot read the CRL's file: %s",
					   got < 0 ? strerror(errno) : "it is cut off");
		ret->len += (size_t)got;
		from += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return OK;
}

/* -1: there is no file. */
static int open_file(const char *path, uint64_t *ret_size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret_size = fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	return fd;
}

static bool is_recorded(int fd, uint64_t size, const struct ledger_crl *c)
{
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
	_cleanup_buf_ struct buf some = {0};
	uint8_t hash[32];
	if (!md || EVP_DigestInit_ex2(md, EVP_sha256(), NULL) != 1)
		abort();
	for (uint64_t at = 0; at < size; at += some.len) {
		buf_clear(&some);
		if (read_some(fd, at, size - at < READ_PIECE ? size - at : READ_PIECE, &some, NULL) != OK)
			return false;
		EVP_DigestUpdate(md, some.data, some.len);
	}
	return EVP_DigestFinal_ex(md, hash, NULL) == 1 && memcmp(hash, c->sha256, 32) == 0;
}

/* --- making one --- */

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
	struct crl_written written;
	struct issuer by;
	const uint8_t *issuer;
	const struct policy *policy;
	uint64_t size_before;
};

static enum err write_crl(struct db *db, struct making *m, const char *url, int fd, struct fault *f)
{
	_cleanup_(ledger_revoked_donep) struct ledger_revoked *revoked = NULL;
	int64_t days;
	bool all = policy_keeps_expired(m->policy, &days);
	TRY(ledger_revoked(db, m->issuer, m->scope, all ? 0 : m->next.this_update - days * 86400, &revoked, f));
	return crl_write(&(struct crl_build){.issuer = m->by.cert,
					     .key = m->by.key,
					     .number = m->next.number,
					     .this_update = m->next.this_update,
					     .next_update = m->next.next_update,
					     .idp_url = url,
					     .keeps_expired = all,
					     .expired_since = m->by.cert->not_before,
					     .next = next_entry,
					     .arg = revoked},
			 fd, m->size_before, &m->written, f);
}

static enum err record_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct making *m = arg;
	struct wire_e_crl e = {.shard = m->scope,
			       .number = m->next.number,
			       .next_update = m->next.next_update,
			       .count = m->written.count};
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

/* Flushed, but not yet by its name. */
static enum err write_beside(struct db *db, struct making *m, const char *url, const char *beside, struct fault *f)
{
	_cleanup_(closep) int fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_raise(f, ERR_IO, "crl_file", "crl", "%s: cannot be made: %s", beside, strerror(errno));
	TRY(write_crl(db, m, url, fd, f));
	if (fsync(fd) != 0)
		return fault_raise(f, ERR_IO, "crl_file", "crl", "%s: cannot be flushed: %s", beside, strerror(errno));
	return OK;
}

static enum err make(struct signer *s, struct db *db, struct making *m, const char *url, const char *path,
		     struct fault *f)
{
	_cleanup_(freep) char *beside = xasprintf("%s.next", path), *dir = path_join(s->config->state, "crl");
	TRY(dir_make(dir, 0700, f));
	enum err e = write_beside(db, m, url, beside, f);
	if (e == OK) {
		memcpy(m->next.sha256, m->written.sha256, 32);
		e = ledger_do(s->ledger, record_op, m, f);
	}
	if (e != OK) {
		unlink(beside);
		return e;
	}
	TRY(file_take_name(beside, path, f));
	log_event(LOG_LEVEL_INFO, "crl", "scope=%s number=%llu entries=%llu bytes=%llu",
		  m->scope == WIRE_FULL_CRL ? "full" : "shard", (unsigned long long)m->next.number,
		  (unsigned long long)m->written.count, (unsigned long long)m->written.bytes);
	return OK;
}

static enum err make_next(struct signer *s, struct db *db, const struct heads *h, const struct template *t,
			  const struct issuer *by, uint32_t scope, int64_t now, uint64_t size_before,
			  struct ledger_crl *c, struct fault *f)
{
	const uint8_t *issuer = by->cert->key.key_id;
	_cleanup_buf_ struct buf url = {0};
	_cleanup_(freep) char *path = crl_path(s, issuer, scope);
	struct making m = {.scope = scope,
			   .by = *by,
			   .issuer = issuer,
			   .next = *c,
			   .policy = h->now.policy,
			   .size_before = size_before};
	if (t)
		template_cdp_url(t, issuer, scope, &url);
	m.next.number = next_number(s, c);
	m.next.this_update = now;
	m.next.next_update = now + (int64_t)s->config->crl_next_update_hours * 3600;
	m.next.upto = ledger_size(s->ledger);
	TRY(make(s, db, &m, url.len ? buf_text(&url) : NULL, path, f));
	*c = m.next;
	return OK;
}

/* --- handing it out --- */

/* Opens the file of the CRL that is good now, which may be made first. */
static enum err current(struct signer *s, struct db *db, const struct heads *h, const struct issuer *by, uint32_t scope,
			int *ret_fd, uint64_t *ret_size, struct ledger_crl *ret, struct fault *f)
{
	const uint8_t *issuer = by->cert->key.key_id;
	const struct template *t = scope == WIRE_FULL_CRL ? NULL : shard_template(h, scope);
	_cleanup_(freep) char *path = crl_path(s, issuer, scope);
	struct ledger_standing standing;
	int64_t now;
	if (scope != WIRE_FULL_CRL && !t)
		return fault_raise(f, ERR_NOT_FOUND, "shard_unknown", "crl.shard", "found %u, which no profile has",
				   (unsigned)scope);
	TRY(ledger_now(s->ledger, &now, f));
	TRY(ledger_crl(db, issuer, scope, ret, f));
	ledger_standing(s->ledger, &standing);
	bool locked = by->key == NULL || standing.waits;
	bool good = ret->number != 0 && now < ret->next_update;
	_cleanup_(closep) int fd = open_file(path, ret_size);
	if ((locked ? good : !is_due(s, ret, now)) && fd >= 0 && is_recorded(fd, *ret_size, ret)) {
		*ret_fd = fd;
		fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
		return OK;
	}
	if (standing.waits)
		return ledger_waits_raise(f);
	if (locked)
		return fault_raise(f, ERR_LOCKED, "signer_locked", "crl",
				   "there is no CRL that is still good, and the key is %s",
				   by->gone ? "no more: the CA was retired" : "not open");
	TRY(make_next(s, db, h, t, by, scope, now, *ret_size, ret, f));
	*ret_fd = open_file(path, ret_size);
	return OK;
}

static enum err first_piece(struct signer *s, struct db *db, const struct issuer *by, uint32_t scope, int *ret_fd,
			    uint64_t *ret_size, struct ledger_crl *ret, struct fault *f)
{
	_cleanup_(heads_unrefp) struct heads *h = signer_heads(s);
	if (atomic_fetch_add(&s->crl_inside, 1) >= INSIDE_MAX) {
		atomic_fetch_sub(&s->crl_inside, 1);
		return fault_raise(f, ERR_BUSY, "crl_busy", "crl", "a CRL is being made, and others wait for it");
	}
	pthread_mutex_lock(&s->crl_lock);
	enum err e = current(s, db, h, by, scope, ret_fd, ret_size, ret, f);
	pthread_mutex_unlock(&s->crl_lock);
	atomic_fetch_sub(&s->crl_inside, 1);
	return e;
}

/* Of the CRL whose first piece was given: nothing is made, nothing waits. */
static enum err later_piece(struct signer *s, struct db *db, const struct wire_crl *ask, int *ret_fd,
			    uint64_t *ret_size, struct ledger_crl *ret, struct fault *f)
{
	_cleanup_(freep) char *path = crl_path(s, ask->issuer, ask->shard);
	TRY(ledger_crl(db, ask->issuer, ask->shard, ret, f));
	if (ret->number == 0 || memcmp(ret->sha256, ask->sha256, 32) != 0)
		return fault_raise(f, ERR_CONFLICT, "crl_changed", "crl.sha256",
				   "the CRL was made anew meanwhile: begin with the first piece");
	*ret_fd = open_file(path, ret_size);
	return OK;
}

static enum err give(struct signer *s, struct db *db, const struct wire_crl *ask, struct buf *ret_der,
		     struct ledger_crl *ret, uint64_t *ret_size, struct fault *f)
{
	struct issuer by;
	_cleanup_(closep) int fd = -1;
	if (!signer_issuer(s, ask->issuer, &by))
		return fault_raise(f, ERR_NOT_FOUND, "issuer_unknown", "crl.issuer",
				   "this signer has no CRL of that issuer");
	if (ask->from == 0)
		TRY(first_piece(s, db, &by, ask->shard, &fd, ret_size, ret, f));
	else
		TRY(later_piece(s, db, ask, &fd, ret_size, ret, f));
	if (fd < 0)
		return fault_raise(f, ERR_IO, "crl_file", "crl", "the CRL's file cannot be opened");
	if (ask->from >= *ret_size)
		return fault_raise(f, ERR_RULE, "crl_piece", "crl.from", "found %llu, wanted less than its %llu bytes",
				   (unsigned long long)ask->from, (unsigned long long)*ret_size);
	uint64_t left = *ret_size - ask->from;
	return read_some(fd, ask->from, left < PUBLISH_PIECE ? left : PUBLISH_PIECE, ret_der, f);
}

enum err publish_crl(struct signer *s, const struct wire_crl *ask, struct buf *ret_der, struct ledger_crl *ret,
		     uint64_t *ret_size, struct fault *f)
{
	struct db *db;
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = give(s, db, ask, ret_der, ret, ret_size, f);
	ledger_reader_put(s->ledger, db);
	return e;
}

/*
 * Which shards there are, the signer says: they are asked for one after the other until there is no next. A CRL replaces
 * an older one alone, and where the ledger names its hash it must be that; so the desk can withhold one and not bring
 * an old one back. Two shards cannot be swapped either: each names its own URL (RFC 5280 5.2.5). Next: crls_fetch.c.
 */
#include "ra/gate/crls.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/rpc/wire.h"
#include "ra/gate/routes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct one {
	uint32_t scope;
	char etag[48]; /* first half of its SHA-256 */
	uint64_t number, size;
	int64_t this_update, next_update;
};
struct crls {
	const struct cert *ca;
	char *folder;
	pthread_mutex_t lock; /* of all below, and of the files' names */
	struct one *v;
	size_t n;
};

char *crls_path(const struct crls *c, uint32_t scope)
{
	return scope == WIRE_FULL_CRL ? xasprintf("%s/full.crl", c->folder)
				      : xasprintf("%s/%u.crl", c->folder, (unsigned)scope);
}

/* With the lock held; NULL: none. */
static struct one *find(const struct crls *c, uint32_t scope)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].scope == scope)
			return &c->v[i];
	}
	return NULL;
}

/* --- what is believed --- */

static bool ends_with(struct slice s, const char *text)
{
	size_t n = strlen(text);
	return s.n >= n && memcmp(s.p + s.n - n, text, n) == 0;
}

/* The URL is the last thing in an issuingDistributionPoint of ours, which says nothing else. */
static enum err check_scope(const struct crl *crl, uint32_t scope, struct fault *f)
{
	_cleanup_(freep) char *name = xasprintf("/%u.crl", (unsigned)scope);
	bool full = scope == WIRE_FULL_CRL;
	if (full ? crl->idp.n == 0 : ends_with(crl->idp, name))
		return OK;
	return fault_raise(f, ERR_RULE, "crl_scope", "crl.issuingDistributionPoint",
			   "found that of another scope, wanted %s (RFC 5280 5.2.5)", full ? "none" : name);
}

static enum err check_ledger(struct gate *g, const struct crls *c, uint32_t scope, uint64_t number,
			     const uint8_t hash[32], struct fault *f)
{
	struct gate_crl told;
	table_read_begin(g->table);
	bool is_told = table_crl(g->table, c->ca->key.key_id, scope, &told);
	table_read_end(g->table);
	if (is_told && told.number == number && memcmp(told.sha256, hash, 32) != 0)
		return fault_raise(f, ERR_RULE, "crl_ledger", "crl", "CRL %llu is not the one that the ledger names",
				   (unsigned long long)number);
	return OK;
}

static enum err judge(struct gate *g, const struct crls *c, uint32_t scope, struct slice der, struct one *ret,
		      struct fault *f)
{
	struct crl crl;
	uint8_t hash[32];
	TRY(crl_parse(der, &crl, f));
	TRY(crl_verify_by(&crl, c->ca, f));
	TRY(check_scope(&crl, scope, f));
	*ret = (struct one){
		.scope = scope, .size = der.n, .this_update = crl.this_update, .next_update = crl.next_update};
	TRY(crl_number_u64(&crl, &ret->number, f));
	sha256(der.p, der.n, hash);
	hex_lower(hash, 16, ret->etag);
	return check_ledger(g, c, scope, ret->number, hash, f);
}

/* --- keeping --- */

static void put(struct crls *c, const struct one *fresh)
{
	struct one *old = find(c, fresh->scope);
	if (!old) {
		c->v = xrealloc(c->v, c->n + 1, sizeof(*c->v));
		old = &c->v[c->n++];
	}
	*old = *fresh;
}

static bool is_newer(struct crls *c, const struct one *fresh, bool *ret_same)
{
	pthread_mutex_lock(&c->lock);
	const struct one *old = find(c, fresh->scope);
	*ret_same = old && old->number == fresh->number && strcmp(old->etag, fresh->etag) == 0;
	bool newer = !old || fresh->number > old->number;
	pthread_mutex_unlock(&c->lock);
	return newer;
}

char *crls_beside(const struct crls *c, uint32_t scope)
{
	_cleanup_(freep) char *path = crls_path(c, scope);
	return xasprintf("%s.next", path);
}

bool crls_has(struct crls *c, uint32_t scope, const uint8_t hash[32])
{
	char etag[33];
	hex_lower(hash, 16, etag);
	pthread_mutex_lock(&c->lock);
	const struct one *o = find(c, scope);
	bool has = o && strcmp(o->etag, etag) == 0;
	pthread_mutex_unlock(&c->lock);
	return has;
}

/* Into its place, and its words with it. */
static enum err put_file(struct crls *c, const char *beside, const struct one *fresh, struct fault *f)
{
	_cleanup_(freep) char *path = crls_path(c, fresh->scope);
	pthread_mutex_lock(&c->lock);
	bool moved = rename(beside, path) == 0;
	if (moved)
		put(c, fresh);
	pthread_mutex_unlock(&c->lock);
	if (!moved)
		return fault_raise(f, ERR_IO, "crl_write", "crl", "%s: cannot be put in its place", path);
	log_event(LOG_LEVEL_INFO, "crl", "file=%s number=%llu bytes=%llu left=%lld", LQ(path),
		  (unsigned long long)fresh->number, (unsigned long long)fresh->size,
		  (long long)(fresh->next_update - clock_now()));
	return file_flush_folder(path, f); /* not with the lock, which visitors wait for */
}

static enum err take(struct gate *g, struct crls *c, uint32_t scope, const char *beside, struct slice der,
		     struct fault *f)
{
	struct one fresh;
	bool same;
	TRY(judge(g, c, scope, der, &fresh, f));
	if (is_newer(c, &fresh, &same))
		return put_file(c, beside, &fresh, f);
	unlink(beside);
	return same ? OK
		    : fault_raise(f, ERR_RULE, "crl_older", "crl.cRLNumber",
				  "found CRL %llu, which is older than the one that is served",
				  (unsigned long long)fresh.number);
}

enum err crls_take_file(struct gate *g, struct crls *c, uint32_t scope, const char *beside, struct fault *f)
{
	struct slice der = {0};
	enum err e = file_map(beside, CRL_MAX_BYTES, &der, f);
	if (e == OK)
		e = take(g, c, scope, beside, der, f);
	file_unmap(&der);
	if (e != OK)
		unlink(beside);
	return e;
}

/* What an earlier life left; a file that is not good is fetched again. False: there is no such file. */
static bool load(struct gate *g, struct crls *c, uint32_t scope)
{
	_cleanup_(freep) char *path = crls_path(c, scope);
	struct slice der = {0};
	struct one one;
	struct fault f = {0};
	if (!file_exists(path))
		return false;
	enum err e = file_map(path, CRL_MAX_BYTES, &der, &f);
	if (e == OK)
		e = judge(g, c, scope, der, &one, &f);
	if (e == OK)
		put(c, &one);
	else
		log_fault(LOG_LEVEL_WARNING, "crl_unused", &f);
	file_unmap(&der);
	return true;
}

const uint8_t *crls_issuer(const struct crls *c)
{
	return c->ca->key.key_id;
}

enum err crls_open(struct gate *g, const struct cert *ca, struct crls **ret, struct fault *f)
{
	char hex[41];
	hex_lower(ca->key.key_id, 20, hex);
	_cleanup_(freep) char *folder = xasprintf("%s/crl/%s", g->config.state, hex);
	TRY(dir_make(folder, 0700, f));
	struct crls *c = xcalloc(1, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	c->ca = ca;
	c->folder = TAKE(folder);
	load(g, c, WIRE_FULL_CRL);
	for (uint32_t shard = 0; shard < GATE_CRLS_MAX && load(g, c, shard); shard++)
		;
	*ret = c;
	return OK;
}

void crls_close(struct crls *c)
{
	pthread_mutex_destroy(&c->lock);
	free(c->folder);
	free(c->v);
	free(c);
}

bool crls_open_file(struct crls *c, uint32_t scope, struct crl_file *ret)
{
	_cleanup_(freep) char *path = crls_path(c, scope);
	pthread_mutex_lock(&c->lock);
	const struct one *o = find(c, scope);
	*ret = (struct crl_file){.fd = o ? open(path, O_RDONLY | O_CLOEXEC) : -1};
	if (ret->fd >= 0) {
		ret->size = o->size;
		memcpy(ret->etag, o->etag, sizeof(ret->etag));
		ret->this_update = o->this_update;
		ret->next_update = o->next_update;
	}
	pthread_mutex_unlock(&c->lock);
	return ret->fd >= 0;
}

size_t crls_ages(struct crls *c, int64_t now, int64_t *ret_oldest, int64_t *ret_next)
{
	*ret_oldest = *ret_next = 0;
	pthread_mutex_lock(&c->lock);
	size_t n = c->n;
	for (size_t i = 0; i < n; i++) {
		int64_t age = now - c->v[i].this_update, left = c->v[i].next_update - now;
		*ret_oldest = age > *ret_oldest ? age : *ret_oldest;
		*ret_next = i == 0 || left < *ret_next ? left : *ret_next;
	}
	pthread_mutex_unlock(&c->lock);
	return n;
}

/* --- /crl/<issuer>/<shard>.crl --- */

/* "full.crl", "12.crl". */
static bool read_name(const char *name, uint32_t *ret)
{
	size_t n = strlen(name);
	uint64_t shard;
	if (strcmp(name, "full.crl") == 0) {
		*ret = WIRE_FULL_CRL;
		return true;
	}
	if (n < 5 || strcmp(name + n - 4, ".crl") != 0 || !u64_parse(name, n - 4, GATE_CRLS_MAX - 1, &shard))
		return false;
	*ret = (uint32_t)shard;
	return true;
}

/* By the 40 hex digits of its key id; NULL: none of ours. */
static struct crls *whose(struct gate *g, const char *hex)
{
	char root[41];
	const struct gate_issuer *of = gate_issuer(g, hex);
	if (of || !g->root_crls)
		return of ? of->crls : NULL;
	hex_lower(g->root.cert.key.key_id, 20, root);
	return strncmp(hex, root, 40) == 0 ? g->root_crls : NULL;
}

bool route_crl(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	const size_t before = strlen("/crl/"), n = before + 40;
	uint32_t scope;
	struct crl_file file;
	if (strcmp(r->method, "GET") != 0 || strncmp(r->path, "/crl/", before) != 0)
		return false;
	struct crls *of = strlen(r->path) > n && r->path[n] == '/' ? whose(g, r->path + before) : NULL;
	if (!of || !read_name(r->path + n + 1, &scope))
		return false;
	if (of == g->root_crls && scope == 0)
		scope = WIRE_FULL_CRL; /* the root has but one, and certificates know it by either name */
	if (!crls_open_file(of, scope, &file))
		return false;
	int64_t left = file.next_update - clock_now(), every = g->config.crl_minutes * 60;
	if (left <= 0) {
		close(file.fd);
		http_say(to, 503, "the CRL is out of date, and there is no newer one yet");
		return true;
	}
	gate_count(g, COUNT_CRL);
	to->type = "application/pkix-crl"; /* RFC 2585 4.2 */
	to->fd = file.fd;
	to->fd_size = file.size;
	memcpy(to->etag, file.etag, sizeof(to->etag));
	to->modified = file.this_update;
	to->expires = file.next_update;
	to->max_age = left < every ? left : every;
	return true;
}

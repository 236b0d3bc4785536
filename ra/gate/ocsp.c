/*
 * An answer is as true as the feed is fresh: nothing is said beyond the last beat and a day, so a desk that is silent
 * about a revocation makes this gate silent too. Without a nonce, and about one certificate, the signature is kept; what
 * it was made of stands beside it and is compared each time, so that a row that has changed, or another responder's
 * certificate, is a signature anew and nothing has to be thrown away.
 */
#include "ra/gate/ocsp.h"

#include "common/base/clock.h"
#include "common/pki/sign.h"
#include "ra/gate/cache.h"
#include "ra/gate/ocsp_answer.h"
#include "ra/gate/ocsp_request.h"
#include "ra/gate/responder.h"
#include "ra/gate/root_crl.h"

#include "common/base/cleanup.h"

#include <string.h>

#define SIG_MAX 520	     /* RSA-4096 */
#define UNKNOWN_SECONDS 300  /* a serial that nobody has may be issued at any moment */
#define AHEAD_ROWS 8192	     /* new certificates looked at in one call of ocsp_ahead() */
#define AHEAD_PLACES 1024    /* of what is kept, at least */
#define AHEAD_CALLS 3000     /* all of it within so many calls: ten minutes */
#define AHEAD_SIGNATURES 256 /* and made at most */

/* A CertID up to its serial number, of one of our issuers. */
struct cert_id {
	uint8_t name[32], key[32];
	size_t n;
	struct buf head; /* AlgorithmIdentifier and the two hashes */
};

struct ocsp {
	struct gate *g;
	struct cert_id ids[GATE_ISSUERS_MAX][OCSP_HASH_N];
	struct cache *cache;
	size_t place;	   /* of ocsp_ahead()'s walk over what is kept, */
	size_t places;	   /* and how many it goes at once */
	uint32_t next_row; /* and over new certificates */
};

/* --- issuers --- */

static void digest(const char *md, struct slice s, uint8_t *ret)
{
	size_t n = 0;
	if (EVP_Q_digest(NULL, md, NULL, s.p, s.n, ret, &n) != 1)
		abort();
}

/* The key's BIT STRING without tag, length and unused bits: RFC 6960 4.1.1. */
static struct slice key_bits(const struct cert *c)
{
	struct der d = der_of(slice_of(c->key.spki, c->key.spki_len)), in;
	struct slice bits = {0};
	unsigned unused;
	if (!der_enter(&d, DER_SEQUENCE, &in) || !der_get(&in, DER_SEQUENCE, NULL) ||
	    !der_get_bits(&in, &bits, &unused))
		abort(); /* it was parsed */
	return bits;
}

static void make_id(const struct cert *issuer, enum ocsp_hash hash, struct cert_id *ret)
{
	static const struct {
		const char *md, *oid;
		size_t n;
	} of[] = {{"SHA1", "1.3.14.3.2.26", 20},
		  {"SHA256", "2.16.840.1.101.3.4.2.1", 32},
		  {"SM3", "1.2.156.10197.1.401", 32}};
	size_t i = (size_t)hash / 2;
	ret->n = of[i].n;
	digest(of[i].md, issuer->subject, ret->name);
	digest(of[i].md, key_bits(issuer), ret->key);
	size_t alg = der_begin(&ret->head, DER_SEQUENCE);
	der_put_oid(&ret->head, of[i].oid);
	if (hash % 2 == 0)
		der_put(&ret->head, DER_NULL, (struct slice){0});
	der_end(&ret->head, alg);
	der_put(&ret->head, DER_OCTET_STRING, slice_of(ret->name, ret->n));
	der_put(&ret->head, DER_OCTET_STRING, slice_of(ret->key, ret->n));
}

/* of: number of the issuer. */
static bool is_of(const struct ocsp *o, size_t of, const struct ocsp_cert *c)
{
	const struct cert_id *id = &o->ids[of][c->hash];
	return memcmp(c->name_hash.p, id->name, id->n) == 0 && memcmp(c->key_hash.p, id->key, id->n) == 0;
}

/* As whoever asks in DER writes it. */
static void put_id(const struct ocsp *o, size_t of, enum ocsp_hash hash, const struct serial *serial, struct buf *ret)
{
	buf_reserve(ret, o->ids[of][hash].head.len + sizeof(serial->b) + 8);
	size_t id = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, buf_slice(&o->ids[of][hash].head));
	der_put_magnitude(ret, slice_of(serial->b, serial->n));
	der_end(ret, id);
}

struct ocsp *ocsp_open(struct gate *g)
{
	struct ocsp *o = xcalloc(1, sizeof(*o));
	o->g = g;
	size_t longest = 0;
	for (size_t i = 0; i < g->n_issuers; i++) {
		size_t n = responder_signature_max(g->issuers[i].responder);
		longest = n > longest ? n : longest;
		for (enum ocsp_hash h = 0; h < OCSP_HASH_N; h++)
			make_id(&g->issuers[i].ca.cert, h, &o->ids[i][h]);
	}
	o->cache = cache_new((size_t)g->config.ocsp.cache_entries, longest);
	o->next_row = 1;
	/* An answer is to be signed again between half and three quarters of its time: a tenth of that for a walk. */
	size_t calls = (size_t)g->config.ocsp.validity_minutes * 60 / 40 * OCSP_AHEAD_CALLS_A_SECOND;
	o->places = cache_entries(o->cache) / (calls < AHEAD_CALLS ? calls : AHEAD_CALLS) + 1;
	o->places = o->places < AHEAD_PLACES ? AHEAD_PLACES : o->places;
	return o;
}

void ocsp_close(struct ocsp *o)
{
	for (size_t i = 0; i < o->g->n_issuers; i++)
		for (size_t h = 0; h < OCSP_HASH_N; h++)
			buf_done(&o->ids[i][h].head);
	cache_free(o->cache);
	free(o);
}

size_t ocsp_kept(struct ocsp *o)
{
	return cache_count(o->cache);
}

/* --- what is said of one certificate --- */

/* A row as it was read, until when something may be said at all, and when the newest entry was made. */
struct known {
	struct gate_row row; /* n 0: there is no such certificate */
	uint32_t number;
	int64_t limit, told;
};

/* With the table held for reading. */
static void read_head(const struct ocsp *o, struct known *k)
{
	struct gate_head h = table_head(o->g->table);
	k->limit = h.beat + OCSP_STALE_SECONDS;
	k->told = h.at;
}

static struct known look_up(struct ocsp *o, size_t of, const struct serial *serial)
{
	struct known k = {0};
	struct cert_ref ref = {.serial = *serial};
	memcpy(ref.issuer_key_id, o->g->issuers[of].ca.cert.key.key_id, 20);
	table_read_begin(o->g->table);
	const struct gate_row *row = table_find(o->g->table, &ref, &k.number);
	if (row)
		k.row = *row;
	read_head(o, &k);
	table_read_end(o->g->table);
	if (row)
		issuer_bears(&o->g->issuers[of], &k.row);
	return k;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* False: nothing can be said, the feed is too old. */
static bool say(const struct ocsp *o, const struct known *k, const struct signing *s, int64_t now,
		struct ocsp_single *ret)
{
	int64_t next = earlier(earlier(now + o->g->config.ocsp.validity_minutes * 60, k->limit), s->not_after);
	/* Our clock may be behind the signer's, or set back: what has been told as over stays so. */
	bool over = k->row.changed <= now || k->row.changed <= k->told;
	*ret = (struct ocsp_single){.word = OCSP_GOOD, .this_update = now};
	if (k->row.n == 0) {
		ret->word = OCSP_UNKNOWN;
		next = earlier(next, now + UNKNOWN_SECONDS);
	} else if (k->row.state == GATE_HELD || (k->row.state == GATE_REVOKED && over)) {
		ret->word = OCSP_REVOKED;
		ret->revoked_at = k->row.changed;
		ret->reason = k->row.reason;
	} else if (k->row.state == GATE_REVOKED) {
		next = earlier(next, k->row.changed); /* a revocation that lies ahead */
	}
	ret->next_update = next;
	return next > now;
}

/* --- signing --- */

static enum err sign(const struct signing *s, struct slice data, struct buf *ret)
{
	struct fault f = {0};
	enum err e = responder_sign(s, data, ret, &f);
	if (e != OK && e != ERR_LOCKED) /* a token that is away was told of when it went */
		log_fault(LOG_LEVEL_ERROR, "ocsp_sign", &f);
	return e;
}

static void put_whole(const struct signing *s, struct slice data, struct slice sig, struct buf *ret)
{
	ocsp_answer_put(data, buf_slice(&s->sigalg), sig, buf_slice(&s->der), ret);
}

static uint8_t state_of(const struct ocsp_single *s)
{
	return (uint8_t)((unsigned)s->word << 4 | s->reason);
}

static uint64_t cache_key(uint32_t row, enum ocsp_hash hash)
{
	return (uint64_t)row << 3 | (uint64_t)hash;
}

/* Does what is kept say the same, and for long enough? part of 4 of its time may be over. */
static bool is_fresh(const struct cached *c, const struct known *k, const struct ocsp_single *s, unsigned generation,
		     int64_t now, int64_t part)
{
	int64_t life = (int64_t)c->next_update - c->this_update;
	return c->state == state_of(s) && c->changed == k->row.changed && c->generation == (uint8_t)generation &&
	       now >= c->this_update && now - c->this_update <= life * part / 4 && now < c->next_update;
}

/* Of a certificate that is there. Appends its answer when ret is not NULL. part: as in is_fresh(). */
static enum err answer_kept(struct ocsp *o, size_t of, const struct known *k, enum ocsp_hash hash,
			    struct ocsp_single *single, const struct signing *s, int64_t now, int64_t part,
			    struct buf *ret, bool *ret_signed, uint8_t ret_tag[16])
{
	_cleanup_buf_ struct buf id = {0}, data = {0}, fresh = {0};
	__attribute__((uninitialized)) uint8_t sig[SIG_MAX];
	size_t n = 0;
	struct serial serial = {.n = k->row.n};
	struct cached c = {0};
	memcpy(serial.b, k->row.serial, sizeof(serial.b));
	*ret_signed = !cache_get(o->cache, cache_key(k->number, hash), &c, sig, &n) ||
		      !is_fresh(&c, k, single, s->generation, now, part);
	if (!*ret_signed) {
		single->this_update = c.this_update;
		single->next_update = c.next_update;
		if (!ret)
			return OK;
	}
	put_id(o, of, hash, &serial, &id);
	single->cert_id = buf_slice(&id);
	ocsp_answer_data(s->public->key_id, single->this_update, single, 1, (struct slice){0}, &data);
	if (*ret_signed) {
		TRY(sign(s, buf_slice(&data), &fresh));
		c = (struct cached){.key = cache_key(k->number, hash),
				    .changed = k->row.changed,
				    .state = state_of(single),
				    .generation = (uint8_t)s->generation,
				    .this_update = (uint32_t)single->this_update,
				    .next_update = (uint32_t)single->next_update};
		cache_put(o->cache, &c, buf_slice(&fresh));
	}
	if (!ret)
		return OK;
	struct slice said = *ret_signed ? buf_slice(&fresh) : slice_of(sig, n);
	memcpy(ret_tag, said.p + said.n - 16, 16);
	put_whole(s, buf_slice(&data), said, ret);
	return OK;
}

/* --- a request --- */

static void fail(struct gate *g, enum ocsp_status status, struct buf *ret)
{
	static const enum gate_count counts[] = {[OCSP_MALFORMED] = COUNT_OCSP_MALFORMED,
						 [OCSP_INTERNAL] = COUNT_OCSP_INTERNAL,
						 [OCSP_TRY_LATER] = COUNT_OCSP_TRY_LATER,
						 [OCSP_UNAUTHORIZED] = COUNT_OCSP_UNAUTHORIZED};
	gate_count(g, counts[status]);
	ocsp_answer_error(status, ret);
}

/* RFC 6960 2.3: later, when the key's token is back. */
static enum ocsp_status status_of(enum err e)
{
	return e == ERR_LOCKED ? OCSP_TRY_LATER : OCSP_INTERNAL;
}

/* Several certificates, a nonce, or one that nobody has: signed for this request alone. */
static enum ocsp_status answer_live(struct ocsp *o, size_t of, const struct ocsp_request *r, const struct signing *s,
				    int64_t now, struct buf *ret, struct ocsp_life *life)
{
	__attribute__((uninitialized)) struct ocsp_single singles[OCSP_CERTS_MAX]; /* r->n of them */
	_cleanup_buf_ struct buf data = {0}, sig = {0};
	for (size_t i = 0; i < r->n; i++) {
		struct serial none = {0};
		bool ours = is_of(o, of, &r->certs[i]) && !r->certs[i].any_serial;
		struct known k = look_up(o, of, ours ? &r->certs[i].serial : &none);
		if (!say(o, &k, s, now, &singles[i]))
			return OCSP_TRY_LATER;
		singles[i].cert_id = r->certs[i].whole;
	}
	ocsp_answer_data(s->public->key_id, now, singles, r->n, r->nonce, &data);
	enum err e = sign(s, buf_slice(&data), &sig);
	if (e != OK)
		return status_of(e);
	put_whole(s, buf_slice(&data), buf_slice(&sig), ret);
	gate_count(o->g, COUNT_OCSP_SIGNED);
	life->this_update = now;
	return OCSP_SUCCESSFUL;
}

static enum ocsp_status answer_one(struct ocsp *o, size_t of, const struct ocsp_request *r, const struct signing *s,
				   int64_t now, struct buf *ret, struct ocsp_life *life)
{
	const struct ocsp_cert *c = &r->certs[0];
	struct known k = {0};
	struct ocsp_single single;
	bool was_signed = false;
	*life = (struct ocsp_life){0};
	if (r->n == 1 && r->nonce.n == 0 && !c->any_serial)
		k = look_up(o, of, &c->serial);
	if (k.row.n == 0)
		return answer_live(o, of, r, s, now, ret, life);
	if (!say(o, &k, s, now, &single))
		return OCSP_TRY_LATER;
	enum err e = answer_kept(o, of, &k, c->hash, &single, s, now, 3, ret, &was_signed, life->tag);
	if (e != OK)
		return status_of(e);
	gate_count(o->g, was_signed ? COUNT_OCSP_SIGNED : COUNT_OCSP_CACHED);
	life->cacheable = true;
	life->this_update = single.this_update;
	life->next_update = single.next_update;
	return OCSP_SUCCESSFUL;
}

/* Who answers: the CA of the first certificate that is of one of ours. Those of another are unknown to its responder:
 * RFC 6960 4.2.2.2. False: there is none. */
static bool find_issuer(const struct ocsp *o, const struct ocsp_request *r, size_t *ret)
{
	for (size_t i = 0; i < r->n; i++) {
		for (*ret = 0; *ret < o->g->n_issuers; ++*ret)
			if (is_of(o, *ret, &r->certs[i]))
				return true;
	}
	return false;
}

void ocsp_answer(struct ocsp *o, struct slice request, struct buf *ret, struct ocsp_life *ret_life)
{
	__attribute__((uninitialized)) struct ocsp_request r; /* three KB, of which most have no use: see its n */
	const char *why;
	size_t of;
	int64_t now = clock_now();
	*ret_life = (struct ocsp_life){0};
	if (ocsp_request_parse(request, &r, NULL) != OK) {
		fail(o->g, OCSP_MALFORMED, ret);
		return;
	}
	/* RFC 6960 2.3: we have no word to say about others' certificates. */
	if (!find_issuer(o, &r, &of)) {
		fail(o->g, OCSP_UNAUTHORIZED, ret);
		return;
	}
	struct responder *responder = o->g->issuers[of].responder;
	const struct signing *s = gate_ready(o->g, &why) ? responder_take(responder, now) : NULL;
	enum ocsp_status status = s ? answer_one(o, of, &r, s, now, ret, ret_life) : OCSP_TRY_LATER;
	if (s)
		responder_put(responder);
	if (status != OCSP_SUCCESSFUL)
		fail(o->g, status, ret);
}

/* --- ahead --- */

/* Who signs for each issuer; NULL: nobody can. */
struct signers {
	const struct signing *v[GATE_ISSUERS_MAX];
	bool any;
};

static bool take_signers(struct ocsp *o, int64_t now, struct signers *ret)
{
	*ret = (struct signers){0};
	for (size_t i = 0; i < o->g->n_issuers; i++) {
		ret->v[i] = responder_take(o->g->issuers[i].responder, now);
		ret->any |= ret->v[i] != NULL;
	}
	return ret->any;
}

static void put_signers(struct ocsp *o, const struct signers *s)
{
	for (size_t i = 0; i < o->g->n_issuers; i++)
		if (s->v[i])
			responder_put(o->g->issuers[i].responder);
}

/* Of a row. False: another CA's. With the table held. */
static bool issuer_of(const struct ocsp *o, const struct gate_row *row, size_t *ret)
{
	const uint8_t *id = table_issuer(o->g->table, row->issuer);
	for (*ret = 0; *ret < o->g->n_issuers; ++*ret)
		if (memcmp(id, o->g->issuers[*ret].ca.cert.key.key_id, 20) == 0)
			return true;
	return false;
}

static bool refresh(struct ocsp *o, uint32_t number, enum ocsp_hash hash, const struct signers *by, int64_t now)
{
	size_t of = 0;
	struct known k = {.number = number};
	struct ocsp_single single;
	bool was_signed = false;
	table_read_begin(o->g->table);
	const struct gate_row *row = table_row(o->g->table, number);
	bool ours = row && issuer_of(o, row, &of);
	if (ours)
		k.row = *row;
	read_head(o, &k);
	table_read_end(o->g->table);
	if (ours)
		issuer_bears(&o->g->issuers[of], &k.row);
	const struct signing *s = ours ? by->v[of] : NULL;
	return s && k.row.not_after >= now && say(o, &k, s, now, &single) &&
	       answer_kept(o, of, &k, hash, &single, s, now, 2, NULL, &was_signed, NULL) == OK && was_signed;
}

/* Only while there is room for all: what is asked for is worth more than what might be. */
static size_t sign_new(struct ocsp *o, const struct signers *s, int64_t now)
{
	size_t n = 0;
	table_read_begin(o->g->table);
	size_t rows = table_count(o->g->table);
	table_read_end(o->g->table);
	for (size_t i = 0; i < AHEAD_ROWS && o->next_row <= rows && n < AHEAD_SIGNATURES; i++) {
		if (2 * cache_count(o->cache) > cache_entries(o->cache))
			o->next_row = (uint32_t)rows;
		n += refresh(o, o->next_row++, OCSP_SHA1, s, now);
	}
	return n;
}

static size_t sign_again(struct ocsp *o, const struct signers *s, int64_t now)
{
	size_t n = 0;
	for (size_t i = 0; i < o->places && n < AHEAD_SIGNATURES; i++) {
		struct cached c;
		uint64_t key = cache_key_at(o->cache, o->place, &c);
		o->place = (o->place + 1) % cache_entries(o->cache);
		if (key != 0)
			n += refresh(o, (uint32_t)(key >> 3), (enum ocsp_hash)(key & 7), s, now);
	}
	return n;
}

size_t ocsp_ahead(struct ocsp *o)
{
	const char *why;
	int64_t now = clock_now();
	struct signers s;
	if (!gate_ready(o->g, &why) || !take_signers(o, now, &s))
		return 0;
	size_t n = sign_new(o, &s, now) + sign_again(o, &s, now);
	put_signers(o, &s);
	return n;
}

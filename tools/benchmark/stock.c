/*
 * Old certificates written straight as DER, and tallies signed over them: all the signing that the load itself needs is
 * done here, before any time is measured.
 */
#include "tools/benchmark/stock.h"

#include "common/base/clock.h"
#include "common/note/tally.h"
#include "common/pki/der.h"
#include "common/pki/sign.h"
#include "common/rpc/wire.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define DAY_S 86400
#define ENDS_IN_DAYS 60
#define TALLY_LIFE_S (23 * 3600)
#define MAX_THREADS 64u
#define ITEM_SERIAL 8u
#define REVOKED_SERIAL 0x73 /* first byte; an item's is 0x74 */

/* --- names -------------------------------------------------------------------------------------------------------- */

struct attr {
	const char *word, *value;
};

static enum err make_name(const struct attr *attrs, size_t n, struct name *ret, struct fault *f)
{
	for (size_t i = 0; i < n; i++)
		TRY(name_add(ret, attr_by_word(attrs[i].word, strlen(attrs[i].word)), attrs[i].value,
			     strlen(attrs[i].value), f));
	return OK;
}

/* --- certificates ------------------------------------------------------------------------------------------------- */

struct old_cert {
	struct slice serial, subject;
	const struct pubkey *key;
	int64_t not_before, not_after;
	bool ca;
};

static size_t begin_ext(struct buf *b, const char *oid, bool critical, size_t *ret_value)
{
	size_t ext = der_begin(b, DER_SEQUENCE);
	(void)der_put_oid(b, oid); /* constants */
	if (critical)
		der_put_bool(b, true);
	*ret_value = der_begin(b, DER_OCTET_STRING);
	return ext;
}

static void end_ext(struct buf *b, size_t ext, size_t value)
{
	der_end(b, value);
	der_end(b, ext);
}

static void put_exts(const struct old_ca *o, const struct old_cert *c, struct buf *b)
{
	const uint8_t usage_ca = 0x06, usage_subject = 0xf0; /* keyCertSign, cRLSign | the first four */
	size_t value, inner, outer = der_begin(b, DER_CONTEXT_CONS(3)), list = der_begin(b, DER_SEQUENCE);
	size_t ext = begin_ext(b, "2.5.29.35", false, &value);
	inner = der_begin(b, DER_SEQUENCE);
	der_put(b, DER_CONTEXT(0), slice_of(o->public.key_id, sizeof o->public.key_id));
	der_end(b, inner);
	end_ext(b, ext, value);
	ext = begin_ext(b, "2.5.29.14", false, &value);
	der_put(b, DER_OCTET_STRING, slice_of(c->key->key_id, sizeof c->key->key_id));
	end_ext(b, ext, value);
	ext = begin_ext(b, "2.5.29.15", true, &value);
	der_put_bits(b, slice_of(c->ca ? &usage_ca : &usage_subject, 1), c->ca ? 1 : 4);
	end_ext(b, ext, value);
	if (c->ca) {
		ext = begin_ext(b, "2.5.29.19", true, &value);
		inner = der_begin(b, DER_SEQUENCE);
		der_put_bool(b, true);
		der_end(b, inner);
		end_ext(b, ext, value);
	}
	der_end(b, list);
	der_end(b, outer);
}

static enum err put_cert(const struct old_ca *o, const struct old_cert *c, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf tbs = {0}, sig = {0};
	size_t body = der_begin(&tbs, DER_SEQUENCE), version = der_begin(&tbs, DER_CONTEXT_CONS(0));
	der_put_uint(&tbs, 2);
	der_end(&tbs, version);
	der_put_magnitude(&tbs, c->serial);
	sigalg_put(KEY_P256, &tbs);
	buf_add_slice(&tbs, buf_slice(&o->name));
	size_t validity = der_begin(&tbs, DER_SEQUENCE);
	der_put_time(&tbs, c->not_before);
	der_put_time(&tbs, c->not_after);
	der_end(&tbs, validity);
	buf_add_slice(&tbs, c->subject);
	buf_add(&tbs, c->key->spki, c->key->spki_len);
	put_exts(o, c, &tbs);
	der_end(&tbs, body);
	TRY(privkey_sign(o->key, KEY_P256, buf_slice(&tbs), &sig, f));
	size_t cert = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, buf_slice(&tbs));
	sigalg_put(KEY_P256, ret);
	der_put_bits(ret, buf_slice(&sig), 0);
	der_end(ret, cert);
	return OK;
}

void old_ca_done(struct old_ca *o)
{
	EVP_PKEY_free(o->key);
	o->key = NULL;
	pubkey_done(&o->public);
	buf_done(&o->name);
	buf_done(&o->cert);
}

enum err old_ca_new(struct old_ca *ret, struct fault *f)
{
	static const struct attr attrs[] = {{"C", "CN"}, {"O", "ZJCA"}, {"CN", STOCK_ISSUER}};
	_cleanup_(name_done) struct name n = {0};
	const uint8_t serial = 1;
	ret->made = clock_now();
	TRY(make_name(attrs, sizeof attrs / sizeof attrs[0], &n, f));
	name_put(&n, &ret->name);
	TRY(privkey_generate(KEY_P256, 0, &ret->key, f));
	TRY(privkey_public(ret->key, &ret->public, f));
	struct old_cert c = {.serial = slice_of(&serial, 1),
			     .subject = buf_slice(&ret->name),
			     .key = &ret->public,
			     .not_before = time_add_months(ret->made, -120),
			     .not_after = time_add_months(ret->made, 120),
			     .ca = true};
	return put_cert(ret, &c, &ret->cert, f);
}

enum err old_ca_crl(const struct old_ca *o, size_t n, struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf tbs = {0}, sig = {0};
	size_t body = der_begin(&tbs, DER_SEQUENCE);
	der_put_uint(&tbs, 1);
	sigalg_put(KEY_P256, &tbs);
	buf_add_slice(&tbs, buf_slice(&o->name));
	der_put_time(&tbs, o->made);
	der_put_time(&tbs, o->made + 7 * (int64_t)DAY_S);
	size_t list = n > 0 ? der_begin(&tbs, DER_SEQUENCE) : 0;
	for (size_t i = 0; i < n; i++) {
		const uint8_t serial[ITEM_SERIAL] = {
			REVOKED_SERIAL, 0, 0, 0, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		size_t entry = der_begin(&tbs, DER_SEQUENCE);
		der_put_magnitude(&tbs, slice_of(serial, sizeof serial));
		der_put_time(&tbs, o->made - DAY_S);
		der_end(&tbs, entry);
	}
	if (n > 0)
		der_end(&tbs, list);
	der_end(&tbs, body);
	TRY(privkey_sign(o->key, KEY_P256, buf_slice(&tbs), &sig, f));
	size_t crl = der_begin(ret, DER_SEQUENCE);
	buf_add_slice(ret, buf_slice(&tbs));
	sigalg_put(KEY_P256, ret);
	der_put_bits(ret, buf_slice(&sig), 0);
	der_end(ret, crl);
	return OK;
}

double old_ca_verified_per_s(const struct cert *issuer, struct slice der, unsigned samples)
{
	_cleanup_(cert_done) struct cert c = {0};
	struct timespec from, to;
	bool good = cert_parse(der, &c, NULL) == OK;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (unsigned i = 0; i < samples && good; i++)
		good = cert_verify_by(&c, issuer, NULL) == OK;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	double s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	return good && s > 0 ? samples / s : 0;
}

/* --- items -------------------------------------------------------------------------------------------------------- */

void items_free(struct item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_done(&items[i].cert);
		buf_done(&items[i].request);
		EVP_PKEY_free(items[i].key);
	}
	free(items);
}

static enum err put_request(const struct stock *s, const struct tally *t, EVP_PKEY *key, const struct pubkey *public,
			    struct buf *ret, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0}, sig = {0}, note = {0};
	char name[NOTE_MAX_NAME + 1];
	uint8_t key_id[4];
	tally_put(t, &text);
	note_subscriber_name(t->predecessor.issuer_key_id, SERIAL(&t->predecessor.serial), name);
	note_key_id_spki(name, public, key_id);
	TRY(privkey_sign(key, KEY_P256, buf_slice(&text), &sig, f));
	note_begin(buf_slice(&text), &note);
	TRY(note_add_line(&note, name, key_id, buf_slice(&sig), f));
	TRY(note_sign_ed25519(&note, s->officer->name, s->officer->secret.p, f));
	TRY(note_sign_ed25519(&note, s->ra->name, s->ra->secret.p, f));
	wire_tally_put(&(struct wire_tally){.note = buf_slice(&note)}, ret);
	return OK;
}

static enum err extend(const struct stock *s, const struct old_cert *c, const struct name *subject, EVP_PKEY *key,
		       struct buf *ret, struct fault *f)
{
	_cleanup_(tally_done) struct tally t = {.kind = TALLY_EXTEND,
						.project = STOCK_PROJECT,
						.profile = STOCK_PROFILE,
						.way = STOCK_WAY,
						.order = "bench",
						.has_predecessor = true,
						.has_key = true,
						.has_validity = true,
						.add_months = STOCK_MONTHS,
						.latest = time_add_months(c->not_after, STOCK_MONTHS),
						.reason = -1};
	random_fill(t.id, sizeof t.id);
	memcpy(t.ca, s->ca, sizeof t.ca);
	memcpy(t.policy, s->policy, sizeof t.policy);
	memcpy(t.predecessor.issuer_key_id, s->old->public.key_id, sizeof t.predecessor.issuer_key_id);
	memcpy(t.predecessor.serial.b, c->serial.p, c->serial.n);
	t.predecessor.serial.n = c->serial.n;
	memcpy(t.key_sha256, c->key->spki_sha256, sizeof t.key_sha256);
	t.made = clock_now();
	t.dies = t.made + TALLY_LIFE_S;
	TRY(tally_set_subject(&t, subject, subject, f));
	return put_request(s, &t, key, c->key, ret, f);
}

/* What follows from an item's number: serial and subject. */
static enum err name_item(uint64_t number, struct item *ret, uint8_t serial[ITEM_SERIAL], struct name *ret_subject,
			  struct fault *f)
{
	char code[24];
	serial[0] = 0x74;
	serial[1] = 0xc2;
	for (unsigned k = 2; k < ITEM_SERIAL; k++)
		serial[k] = (uint8_t)(number >> (56 - 8 * k));
	hex_upper(serial, ITEM_SERIAL, ret->serial);
	snprintf(ret->name, sizeof ret->name, "基准测试单位%08" PRIu64, number);
	snprintf(code, sizeof code, "%08" PRIu64 "-X", number);
	const struct attr attrs[] = {
		{"C", "CN"}, {"O", ret->name}, {"CN", ret->name}, {"organizationIdentifier", code}};
	return make_name(attrs, sizeof attrs / sizeof attrs[0], ret_subject, f);
}

static enum err make_item(const struct stock *s, uint64_t number, bool tally, struct item *ret, struct fault *f)
{
	_cleanup_(evp_pkey_freep) EVP_PKEY *key = NULL;
	_cleanup_(pubkey_done) struct pubkey public = {0};
	_cleanup_(name_done) struct name subject = {0};
	_cleanup_buf_ struct buf name = {0};
	uint8_t serial[ITEM_SERIAL];
	TRY(name_item(number, ret, serial, &subject, f));
	name_put(&subject, &name);
	TRY(privkey_generate(KEY_P256, 0, &key, f));
	TRY(privkey_public(key, &public, f));
	int64_t ends = s->old->made + ENDS_IN_DAYS * (int64_t)DAY_S;
	struct old_cert c = {.serial = slice_of(serial, sizeof serial),
			     .subject = buf_slice(&name),
			     .key = &public,
			     .not_before = time_add_months(ends, -36),
			     .not_after = ends};
	TRY(put_cert(s->old, &c, &ret->cert, f));
	if (tally)
		return extend(s, &c, &subject, key, &ret->request, f);
	ret->key = TAKE(key);
	return OK;
}

/* --- on all cores ------------------------------------------------------------------------------------------------- */

struct part {
	const struct stock *stock;
	struct item *items;
	size_t n;
	uint64_t first;
	bool tallies;
	enum err result;
	struct fault f;
	pthread_t thread;
};

static void *make_part(void *arg)
{
	struct part *p = arg;
	for (size_t i = 0; i < p->n && p->result == OK; i++)
		p->result = make_item(p->stock, p->first + i, p->tallies, &p->items[i], &p->f);
	return NULL;
}

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > (long)MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

enum err stock_make(struct stock *s, size_t n, bool tallies, struct item **ret, struct fault *f)
{
	struct part parts[MAX_THREADS];
	unsigned n_parts = cores(), started = 0;
	struct item *items = xcalloc(n + 1, sizeof *items);
	enum err e = OK;
	for (size_t i = 0; i < n_parts && e == OK; i++) {
		size_t from = n * i / n_parts, to = n * (i + 1) / n_parts;
		parts[i] = (struct part){
			.stock = s, .items = items + from, .n = to - from, .first = s->next + from, .tallies = tallies};
		if (pthread_create(&parts[i].thread, NULL, make_part, &parts[i]) != 0)
			e = fault_raise(f, ERR_INTERNAL, "thread", "stock", "no thread for the stock");
		else
			started++;
	}
	for (size_t i = 0; i < started; i++) {
		pthread_join(parts[i].thread, NULL);
		if (e == OK && parts[i].result != OK) {
			e = parts[i].result;
			*f = parts[i].f;
		}
	}
	s->next += n;
	if (e == OK)
		*ret = items;
	else
		items_free(items, n);
	return e;
}

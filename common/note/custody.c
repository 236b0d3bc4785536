/*
 * The texts of custody, read and written, and the boxes in which a share travels. Who may split and submit is judged by
 * ca/custody.c.
 */
#include "common/note/custody.h"

#include "common/base/cleanup.h"
#include "common/note/lines.h"

#include <sodium.h>
#include <string.h>

#define CUSTODY_KIND "hufu/custody/v1"
#define SHARE_KIND "hufu/share/v1"
#define ORDER_KIND "hufu/custody-order/v1"
#define SUBMISSION_KIND "hufu/submission/v1"
#define TAG_PREFIX "hufu/share/v1\n"

_Static_assert(CUSTODY_BOX == CUSTODY_SECRET + crypto_box_SEALBYTES, "a sealed box around a share");

/* --- boxes --- */

enum err custody_box(const uint8_t key[ED25519_KEY], const uint8_t share[CUSTODY_SECRET], uint8_t ret[CUSTODY_BOX],
		     struct fault *f)
{
	uint8_t curve[crypto_scalarmult_curve25519_BYTES];
	if (crypto_sign_ed25519_pk_to_curve25519(curve, key) != 0 ||
	    crypto_box_seal(ret, share, CUSTODY_SECRET, curve) != 0)
		return fault_raise(f, ERR_CRYPTO, "box_key", "custody.box", "nothing can be sealed to this key");
	return OK;
}

enum err custody_unbox(const struct person_key *key, const uint8_t box[CUSTODY_BOX], struct secret *ret,
		       struct fault *f)
{
	_cleanup_secret_ struct secret curve = {0};
	uint8_t public[crypto_scalarmult_curve25519_BYTES];
	secret_alloc(&curve, crypto_scalarmult_curve25519_SCALARBYTES);
	secret_alloc(ret, CUSTODY_SECRET);
	if (crypto_sign_ed25519_sk_to_curve25519(curve.p, key->secret.p) != 0 ||
	    crypto_sign_ed25519_pk_to_curve25519(public, key->public_key) != 0 ||
	    crypto_box_seal_open(ret->p, box, CUSTODY_BOX, public, curve.p) != 0) {
		secret_done(ret);
		return fault_raise(f, ERR_CRYPTO, "box_closed", "custody.box",
				   "it is sealed to another key than %s's, or altered", key->name);
	}
	return OK;
}

void custody_tag(const uint8_t ca[20], const uint8_t set[CUSTODY_SET], unsigned place,
		 const uint8_t share[CUSTODY_SECRET], uint8_t ret[32])
{
	uint8_t p = (uint8_t)place;
	crypto_hash_sha256_state st;
	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, (const uint8_t *)TAG_PREFIX, sizeof(TAG_PREFIX) - 1);
	crypto_hash_sha256_update(&st, ca, 20);
	crypto_hash_sha256_update(&st, set, CUSTODY_SET);
	crypto_hash_sha256_update(&st, &p, 1);
	crypto_hash_sha256_update(&st, share, CUSTODY_SECRET);
	crypto_hash_sha256_final(&st, ret);
	sodium_memzero(&st, sizeof(st));
}

/* --- lines that several texts have --- */

static bool box_parse(struct slice text, uint8_t ret[CUSTODY_BOX])
{
	_cleanup_buf_ struct buf b = {0};
	if (!base64_decode((const char *)text.p, text.n, &b) || b.len != CUSTODY_BOX)
		return false;
	memcpy(ret, b.data, CUSTODY_BOX);
	return true;
}

static void box_put(const uint8_t box[CUSTODY_BOX], struct buf *ret)
{
	buf_base64(ret, box, CUSTODY_BOX);
}

static enum err box_line(struct lines *l, uint8_t ret[CUSTODY_BOX], struct fault *f)
{
	struct slice v;
	TRY(lines_get(l, "box", &v, f));
	if (!box_parse(v, ret))
		return lines_bad(l, "box", v, "the base64 of 80 bytes", f);
	return OK;
}

static void box_line_put(const uint8_t box[CUSTODY_BOX], struct buf *ret)
{
	buf_str(ret, "box: ");
	box_put(box, ret);
	buf_char(ret, '\n');
}

static enum err number(struct lines *l, const char *field, unsigned least, unsigned most, unsigned *ret,
		       struct fault *f)
{
	uint64_t v = 0;
	char found[24];
	TRY(lines_u64(l, field, most, &v, f));
	snprintf(found, sizeof(found), "%u", (unsigned)v);
	if (v < least)
		return lines_bad(l, field, slice_str(found), "a number that is not so small", f);
	*ret = (unsigned)v;
	return OK;
}

/* Are there enough for the threshold, and for a share that is lost? */
static enum err enough(const struct lines *l, unsigned threshold, unsigned n, struct fault *f)
{
	if (n >= threshold && n >= CUSTODY_PEOPLE)
		return OK;
	if (n >= threshold)
		return fault_raise(f, ERR_PARSE, "custody_too_few", l->object,
				   "found %u custodians, wanted at least %d", n, CUSTODY_PEOPLE);
	return fault_raise(f, ERR_PARSE, "custody_too_few", l->object,
			   "found %u custodians, wanted at least the threshold, %u", n, threshold);
}

static enum err finish(const struct lines *l, struct slice text, const struct buf *again, struct fault *f)
{
	TRY(lines_end(l, f));
	return lines_same(l->object, text, again, f);
}

/* --- custody --- */

void custody_done(struct custody *c)
{
	for (unsigned i = 0; i < CUSTODY_KEYS; i++)
		buf_done(&c->keys[i].sealed);
	*c = (struct custody){0};
}

static enum err place_parse(struct lines *l, struct custody *c, struct fault *f)
{
	struct slice v, part[4];
	struct custody_place *p = &c->places[c->n];
	uint64_t place = 0;
	TRY(lines_get(l, "custodian", &v, f));
	if (c->n == SHAMIR_MAX)
		return fault_raise(f, ERR_LIMIT, "custody_many", "custody.custodian", "found more than %d custodians",
				   SHAMIR_MAX);
	if (!slice_split(v, part, 4, false) || !u64_parse((const char *)part[0].p, part[0].n, SHAMIR_MAX, &place) ||
	    place != c->n + 1)
		return lines_bad(l, "custodian", v, "the next place, name, tag and box with one space between", f);
	if (!word_valid(part[1], sizeof(p->name)))
		return lines_bad(l, "custodian", part[1], "a name of a-z, 0-9 and '-'", f);
	if (!slice_hex(part[2], p->tag, sizeof(p->tag)))
		return lines_bad(l, "custodian", part[2], "a tag of 64 lower-case hex digits", f);
	p->has_box = !slice_eq(part[3], slice_str("-"));
	if (p->has_box && !box_parse(part[3], p->box))
		return lines_bad(l, "custodian", part[3], "a box (the base64 of 80 bytes) or -", f);
	memcpy(p->name, part[1].p, part[1].n);
	for (unsigned i = 0; i < c->n; i++) {
		if (strcmp(c->places[i].name, p->name) == 0)
			return lines_bad(l, "custodian", part[1], "each custodian once", f);
	}
	c->n++;
	return OK;
}

const struct custody_key *custody_key_by_id(const struct custody *c, const uint8_t id[20])
{
	for (unsigned i = 0; i < c->n_keys; i++)
		if (memcmp(c->keys[i].id, id, sizeof(c->keys[i].id)) == 0)
			return &c->keys[i];
	return NULL;
}

/* The key that the CA is named by stands without its id. */
static enum err key_parse(struct lines *l, struct custody *c, struct fault *f)
{
	struct slice v, part[2];
	uint8_t id[20];
	TRY(lines_get(l, "key", &v, f));
	if (c->n_keys == CUSTODY_KEYS)
		return fault_raise(f, ERR_LIMIT, "custody_many", "custody.key", "found more than %d keys",
				   CUSTODY_KEYS);
	memcpy(id, c->ca, sizeof(id));
	if (slice_split(v, part, 2, false)) {
		if (!slice_hex(part[0], id, sizeof(id)) || memcmp(id, c->ca, sizeof(id)) == 0)
			return lines_bad(l, "key", part[0], "the id of another key than `ca`, 40 lower-case hex digits",
					 f);
		v = part[1];
	}
	if (custody_key_by_id(c, id))
		return lines_bad(l, "key", v, "each key once", f);
	struct custody_key *k = &c->keys[c->n_keys++];
	memcpy(k->id, id, sizeof(k->id));
	if (v.n == 0 || !base64_decode((const char *)v.p, v.n, &k->sealed))
		return lines_bad(l, "key", v, "the base64 of a sealed key", f);
	return OK;
}

static enum err custody_body(struct lines *l, struct custody *c, struct fault *f)
{
	TRY(lines_hex(l, "ca", c->ca, sizeof(c->ca), f));
	TRY(lines_hex(l, "set", c->set, sizeof(c->set), f));
	TRY(number(l, "threshold", CUSTODY_LEAST, CUSTODY_MOST, &c->threshold, f));
	TRY(lines_time(l, "made", &c->made, f));
	do
		TRY(place_parse(l, c, f));
	while (lines_next_is(l, "custodian"));
	TRY(enough(l, c->threshold, c->n, f));
	do
		TRY(key_parse(l, c, f));
	while (lines_next_is(l, "key"));
	return OK;
}

enum err custody_parse(struct slice text, struct custody *ret, struct fault *f)
{
	_cleanup_(custody_done) struct custody c = {0};
	_cleanup_buf_ struct buf again = {0};
	struct lines l;
	TRY(lines_begin(&l, "custody", CUSTODY_KIND, text, 5 + SHAMIR_MAX + CUSTODY_KEYS, f));
	TRY(custody_body(&l, &c, f));
	custody_put(&c, &again);
	TRY(finish(&l, text, &again, f));
	*ret = c;
	c = (struct custody){0};
	return OK;
}

void custody_put(const struct custody *c, struct buf *ret)
{
	buf_str(ret, CUSTODY_KIND "\n");
	lines_put_hex(ret, "ca", c->ca, sizeof(c->ca));
	lines_put_hex(ret, "set", c->set, sizeof(c->set));
	lines_put_u64(ret, "threshold", c->threshold);
	lines_put_time(ret, "made", c->made);
	for (unsigned i = 0; i < c->n; i++) {
		const struct custody_place *p = &c->places[i];
		buf_fmt(ret, "custodian: %u %s ", i + 1, p->name);
		buf_hex(ret, p->tag, sizeof(p->tag));
		buf_char(ret, ' ');
		if (p->has_box)
			box_put(p->box, ret);
		else
			buf_char(ret, '-');
		buf_char(ret, '\n');
	}
	for (unsigned i = 0; i < c->n_keys; i++) {
		const struct custody_key *k = &c->keys[i];
		buf_str(ret, "key: ");
		if (memcmp(k->id, c->ca, sizeof(k->id)) != 0) {
			buf_hex(ret, k->id, sizeof(k->id));
			buf_char(ret, ' ');
		}
		buf_base64(ret, k->sealed.data, k->sealed.len);
		buf_char(ret, '\n');
	}
}

/* --- share --- */

static void share_put(const struct custody_share *s, struct buf *ret)
{
	buf_str(ret, SHARE_KIND "\n");
	lines_put_hex(ret, "ca", s->ca, sizeof(s->ca));
	lines_put_hex(ret, "set", s->set, sizeof(s->set));
	lines_put_u64(ret, "threshold", s->threshold);
	lines_put_u64(ret, "place", s->place);
	lines_put(ret, "custodian", s->name);
	lines_put_hex(ret, "tag", s->tag, sizeof(s->tag));
	box_line_put(s->box, ret);
}

void custody_share_put(const struct custody *c, unsigned place, struct buf *ret)
{
	const struct custody_place *p = &c->places[place - 1];
	struct custody_share s = {.threshold = c->threshold, .place = place};
	memcpy(s.ca, c->ca, sizeof(s.ca));
	memcpy(s.set, c->set, sizeof(s.set));
	memcpy(s.tag, p->tag, sizeof(s.tag));
	memcpy(s.box, p->box, sizeof(s.box));
	memcpy(s.name, p->name, sizeof(s.name));
	share_put(&s, ret);
}

enum err custody_share_parse(struct slice text, struct custody_share *ret, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct custody_share s = {0};
	struct lines l;
	TRY(lines_begin(&l, "share", SHARE_KIND, text, 8, f));
	TRY(lines_hex(&l, "ca", s.ca, sizeof(s.ca), f));
	TRY(lines_hex(&l, "set", s.set, sizeof(s.set), f));
	TRY(number(&l, "threshold", CUSTODY_LEAST, CUSTODY_MOST, &s.threshold, f));
	TRY(number(&l, "place", 1, SHAMIR_MAX, &s.place, f));
	TRY(lines_word(&l, "custodian", s.name, sizeof(s.name), f));
	TRY(lines_hex(&l, "tag", s.tag, sizeof(s.tag), f));
	TRY(box_line(&l, s.box, f));
	share_put(&s, &again);
	TRY(finish(&l, text, &again, f));
	*ret = s;
	return OK;
}

/* --- order --- */

static enum err custodian_parse(struct lines *l, struct custody_order *o, struct fault *f)
{
	if (o->n == SHAMIR_MAX)
		return fault_raise(f, ERR_LIMIT, "custody_many", "custody-order.custodian",
				   "found more than %d custodians", SHAMIR_MAX);
	TRY(lines_word(l, "custodian", o->names[o->n], sizeof(o->names[o->n]), f));
	if (o->n > 0 && strcmp(o->names[o->n - 1], o->names[o->n]) >= 0)
		return lines_bad(l, "custodian", slice_str(o->names[o->n]), "names sorted, each once", f);
	o->n++;
	return OK;
}

enum err custody_order_parse(struct slice text, struct custody_order *ret, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct custody_order o = {0};
	struct lines l;
	TRY(lines_begin(&l, "custody-order", ORDER_KIND, text, 5 + SHAMIR_MAX, f));
	TRY(lines_hex(&l, "ca", o.ca, sizeof(o.ca), f));
	TRY(lines_hex_or_none(&l, "previous", &o.has_previous, o.previous, sizeof(o.previous), f));
	TRY(number(&l, "threshold", CUSTODY_LEAST, CUSTODY_MOST, &o.threshold, f));
	TRY(lines_time(&l, "made", &o.made, f));
	do
		TRY(custodian_parse(&l, &o, f));
	while (lines_next_is(&l, "custodian"));
	TRY(enough(&l, o.threshold, o.n, f));
	custody_order_put(&o, &again);
	TRY(finish(&l, text, &again, f));
	*ret = o;
	return OK;
}

void custody_order_put(const struct custody_order *o, struct buf *ret)
{
	buf_str(ret, ORDER_KIND "\n");
	lines_put_hex(ret, "ca", o->ca, sizeof(o->ca));
	lines_put_hex_or_none(ret, "previous", o->has_previous, o->previous, sizeof(o->previous));
	lines_put_u64(ret, "threshold", o->threshold);
	lines_put_time(ret, "made", o->made);
	for (unsigned i = 0; i < o->n; i++)
		lines_put(ret, "custodian", o->names[i]);
}

/* --- submission --- */

enum err custody_submission_parse(struct slice text, struct custody_submission *ret, struct fault *f)
{
	_cleanup_buf_ struct buf again = {0};
	struct custody_submission s = {0};
	struct lines l;
	TRY(lines_begin(&l, "submission", SUBMISSION_KIND, text, 7, f));
	TRY(lines_hex(&l, "ca", s.ca, sizeof(s.ca), f));
	TRY(lines_hex(&l, "set", s.set, sizeof(s.set), f));
	TRY(number(&l, "place", 1, SHAMIR_MAX, &s.place, f));
	TRY(lines_hex(&l, "challenge", s.challenge, sizeof(s.challenge), f));
	TRY(lines_time(&l, "made", &s.made, f));
	TRY(box_line(&l, s.box, f));
	custody_submission_put(&s, &again);
	TRY(finish(&l, text, &again, f));
	*ret = s;
	return OK;
}

void custody_submission_put(const struct custody_submission *s, struct buf *ret)
{
	buf_str(ret, SUBMISSION_KIND "\n");
	lines_put_hex(ret, "ca", s->ca, sizeof(s->ca));
	lines_put_hex(ret, "set", s->set, sizeof(s->set));
	lines_put_u64(ret, "place", s->place);
	lines_put_hex(ret, "challenge", s->challenge, sizeof(s->challenge));
	lines_put_time(ret, "made", s->made);
	box_line_put(s->box, ret);
}

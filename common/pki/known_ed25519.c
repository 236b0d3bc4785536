/*
 * Ed25519's equation, R = s B - h A, with tables of both points (RFC 8032 5.1.7).
 *
 * libsodium has a table of B alone and computes h A anew for each signature. With tables of 1 to 32 times each power of
 * 64 of either point, both products are sums of 43 points. The curve's addition is complete: there is no pair of points
 * for which it has another formula, and the 86 can be added in any order: eight at a time where the processor does that.
 * All is public: signature, message, key. Nothing here needs constant time.
 *
 * Points: extended coordinates X, Y, Z, T with x = X / Z, y = Y / Z, x y = T / Z (Hisil, Wong, Carter, Dawson 2008).
 * Next: field25519.h, lanes25519.c.
 */
#include "common/pki/known_ed25519.h"
#include "common/pki/field25519.h"
#include "common/pki/lanes25519.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define DIGITS 43u    /* of 6 bits: 258, and the scalars have 253 */
#define MULTIPLES 32u /* digits go from -31 to 32 */

struct point {
	struct field x, y, z, t;
};
/* y + x, y - x, 2 d x y of an affine point: what an addition wants of it. */
struct ready {
	struct field plus, minus, t2d;
};
struct table {
	struct ready of[DIGITS][MULTIPLES];
};
struct lane_table {
	struct lane_point of[DIGITS][MULTIPLES];
};
/* One of the two. */
struct tables {
	struct table *plain;
	struct lane_table *lanes;
};
struct known_ed25519 {
	uint8_t key[32];
	struct tables minus_a;
};

static struct field d, d2; /* the curve's d, and twice that */
static struct table plain_base;
static struct lane_table lane_base;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* --- points --- */

static inline void add(struct point *a, const struct ready *b, bool negative)
{
	struct field low = field_mul(field_sub(a->y, a->x), negative ? b->plus : b->minus);
	struct field high = field_mul(field_add(a->y, a->x), negative ? b->minus : b->plus);
	struct field c = field_mul(a->t, b->t2d), zz = field_add(a->z, a->z);
	struct field e = field_sub(high, low), h = field_add(high, low);
	struct field less = field_sub(zz, c), more = field_add(zz, c);
	struct field f = negative ? more : less, g = negative ? less : more;
	a->x = field_mul(e, f);
	a->y = field_mul(g, h);
	a->t = field_mul(e, h);
	a->z = field_mul(f, g);
}

static void make_double(struct point *q)
{
	struct field a = field_square(q->x), b = field_square(q->y), zz = field_square(q->z);
	struct field h = field_add(a, b), xy = field_square(field_add(q->x, q->y));
	struct field e = field_sub(h, xy), g = field_sub(a, b), f = field_add(field_add(zz, zz), g);
	q->x = field_mul(e, f);
	q->y = field_mul(g, h);
	q->t = field_mul(e, h);
	q->z = field_mul(f, g);
}

static void make_ready(const struct point *q, struct field inverse_z, struct ready *ret)
{
	struct field x = field_mul(q->x, inverse_z), y = field_mul(q->y, inverse_z);
	ret->plus = field_add(y, x);
	ret->minus = field_sub(y, x);
	ret->t2d = field_mul(field_mul(x, y), d2);
}

/* One inversion for all: the product's, taken apart from the end. */
static void make_all_ready(const struct point q[MULTIPLES], struct ready ret[MULTIPLES])
{
	struct field before[MULTIPLES], product = FIELD_ONE;
	for (size_t k = 0; k < MULTIPLES; k++) {
		before[k] = product;
		product = field_mul(product, q[k].z);
	}
	struct field inverse = field_inverse(product);
	for (size_t k = MULTIPLES; k-- > 0;) {
		make_ready(&q[k], field_mul(inverse, before[k]), &ret[k]);
		inverse = field_mul(inverse, q[k].z);
	}
}

static void put_ready(const struct ready from[MULTIPLES], size_t digit, const struct tables *ret)
{
	if (ret->plain)
		memcpy(ret->plain->of[digit], from, sizeof(ret->plain->of[digit]));
	for (size_t k = 0; ret->lanes && k < MULTIPLES; k++)
		lane_point_make(from[k].plus, from[k].minus, from[k].t2d, &ret->lanes->of[digit][k]);
}

static void make_table(struct point q, const struct tables *ret)
{
	for (size_t i = 0; i < DIGITS; i++) {
		struct point multiples[MULTIPLES] = {q};
		struct ready itself, ready[MULTIPLES];
		make_ready(&q, field_inverse(q.z), &itself);
		for (size_t k = 1; k < MULTIPLES; k++) {
			multiples[k] = multiples[k - 1];
			add(&multiples[k], &itself, false);
		}
		make_all_ready(multiples, ready);
		put_ready(ready, i, ret);
		q = multiples[MULTIPLES - 1]; /* 32 times; twice that is the next power */
		make_double(&q);
	}
}

/* From the lowest digit on; one above 32 is written as itself less 64, and one more in the next. */
static void digits_of(const uint8_t scalar[32], int8_t ret[DIGITS])
{
	int carry = 0;
	for (unsigned i = 0; i < DIGITS; i++) {
		unsigned at = 6 * i / 8, bits = scalar[at];
		if (at < 31)
			bits |= (unsigned)scalar[at + 1] << 8;
		int digit = (int)(bits >> (6 * i % 8) & 63) + carry;
		carry = digit > (int)MULTIPLES;
		ret[i] = (int8_t)(digit - 64 * carry);
	}
}

static void add_product(struct point *sum, const struct table *t, const int8_t digits[DIGITS])
{
	for (unsigned i = 0; i < DIGITS; i++) {
		if (digits[i] > 0)
			add(sum, &t->of[i][digits[i] - 1], false);
		else if (digits[i] < 0)
			add(sum, &t->of[i][-digits[i] - 1], true);
	}
}

/* From place `at` on. */
static void put_product(struct lane_sum *s, unsigned at, const struct lane_table *t, const int8_t digits[DIGITS])
{
	for (unsigned i = 0; i < DIGITS; i++, at++) {
		if (digits[i] != 0)
			s->of[at / LANES][at % LANES] = &t->of[i][abs(digits[i]) - 1];
		s->negative[at / LANES] |= (uint8_t)((digits[i] < 0) << at % LANES);
	}
}

/* s B - h A, without its T. */
static struct point sum_of(const struct known_ed25519 *k, const uint8_t s[32], const uint8_t h[32])
{
	int8_t of_s[DIGITS], of_h[DIGITS];
	struct point sum = {FIELD_ZERO, FIELD_ONE, FIELD_ONE, FIELD_ZERO};
	digits_of(s, of_s);
	digits_of(h, of_h);
	if (k->minus_a.lanes) {
		struct lane_sum all = {0};
		struct field xyz[3];
		put_product(&all, 0, &lane_base, of_s);
		put_product(&all, DIGITS, k->minus_a.lanes, of_h);
		lane_sum_take(&all, d2, xyz);
		return (struct point){xyz[0], xyz[1], xyz[2], FIELD_ZERO};
	}
	add_product(&sum, &plain_base, of_s);
	add_product(&sum, k->minus_a.plain, of_h);
	return sum;
}

/* --- encoding --- */

static bool is_odd(struct field a)
{
	uint8_t bytes[32];
	field_write(a, bytes);
	return bytes[0] & 1;
}

/* y with x's last bit above it; x^2 = (y^2 - 1) / (d y^2 + 1). */
static bool decode(const uint8_t bytes[32], struct point *ret)
{
	struct field x, y;
	if (!field_read(bytes, &y))
		return false;
	struct field yy = field_square(y), below = field_add(field_mul(d, yy), FIELD_ONE);
	if (!field_root(field_mul(field_sub(yy, FIELD_ONE), field_inverse(below)), &x))
		return false;
	if (is_odd(x) != bytes[31] >> 7)
		x = field_sub(FIELD_ZERO, x);
	*ret = (struct point){x, y, FIELD_ONE, field_mul(x, y)};
	return true;
}

static bool encodes_to(const struct point *q, const uint8_t bytes[32])
{
	uint8_t found[32];
	struct field inverse = field_inverse(q->z);
	field_write(field_mul(q->y, inverse), found);
	found[31] |= (uint8_t)(is_odd(field_mul(q->x, inverse)) << 7);
	return memcmp(found, bytes, sizeof(found)) == 0;
}

/* Eight times it is the neutral point. */
static bool has_small_order(struct point q)
{
	for (int i = 0; i < 3; i++)
		make_double(&q);
	return field_eq(q.x, FIELD_ZERO);
}

/* --- keys --- */

/* RFC 8032 5.1: d = -121665/121666; B has y = 4/5 and an even x. */
static void make_base(void)
{
	struct point b;
	uint8_t y[32];
	d = field_mul(field_sub(FIELD_ZERO, field_small(121665)), field_inverse(field_small(121666)));
	d2 = field_mul(d, field_small(2));
	field_write(field_mul(field_small(4), field_inverse(field_small(5))), y);
	if (!decode(y, &b))
		abort();
	make_table(b, &(struct tables){.plain = &plain_base});
	if (lanes_there())
		make_table(b, &(struct tables){.lanes = &lane_base});
}

static struct lane_table *lane_table_new(void)
{
	struct lane_table *t = aligned_alloc(_Alignof(struct lane_table), sizeof(*t));
	if (!t)
		abort();
	return t;
}

static struct known_ed25519 *known_new(const uint8_t key[32], bool in_lanes)
{
	struct point a;
	pthread_once(&once, make_base);
	if (crypto_core_ed25519_is_valid_point(key) != 1 || !decode(key, &a))
		return NULL;
	struct known_ed25519 *k = xcalloc(1, sizeof(*k));
	if (in_lanes)
		k->minus_a.lanes = lane_table_new();
	else
		k->minus_a.plain = xcalloc(1, sizeof(*k->minus_a.plain));
	memcpy(k->key, key, sizeof(k->key));
	a.x = field_mul(field_sub(FIELD_ZERO, a.x), FIELD_ONE);
	a.t = field_mul(a.x, a.y);
	make_table(a, &k->minus_a);
	return k;
}

struct known_ed25519 *known_ed25519_new(const uint8_t key[32])
{
	return known_new(key, lanes_there());
}

struct known_ed25519 *known_ed25519_new_plain(const uint8_t key[32])
{
	return known_new(key, false);
}

void known_ed25519_free(struct known_ed25519 *k)
{
	free(k->minus_a.plain);
	free(k->minus_a.lanes);
	free(k);
}

const uint8_t *known_ed25519_key(const struct known_ed25519 *k)
{
	return k->key;
}

static void challenge(const struct known_ed25519 *k, struct slice msg, const uint8_t sig[64], uint8_t ret[32])
{
	crypto_hash_sha512_state state;
	uint8_t hash[crypto_hash_sha512_BYTES];
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, sig, 32);
	crypto_hash_sha512_update(&state, k->key, sizeof(k->key));
	crypto_hash_sha512_update(&state, msg.p, msg.n);
	crypto_hash_sha512_final(&state, hash);
	crypto_core_ed25519_scalar_reduce(ret, hash);
}

/* The order, little-endian: 2^252 + 27742317777372353535851937790883648493. */
static bool below_order(const uint8_t s[32])
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,	0xd6,
					  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	for (int i = 31; i >= 0; i--)
		if (s[i] != order[i])
			return s[i] < order[i];
	return false;
}

bool known_ed25519_verify(const struct known_ed25519 *k, struct slice msg, const uint8_t sig[64])
{
	uint8_t h[32];
	if (!below_order(sig + 32))
		return false;
	challenge(k, msg, sig, h);
	struct point sum = sum_of(k, sig + 32, h);
	return encodes_to(&sum, sig) && !has_small_order(sum);
}

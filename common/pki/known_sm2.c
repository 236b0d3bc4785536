/*
 * s G + (r + s) Q, and its x beside r - e. libcrypto has no fast arithmetic for this curve; with tables of 1 to 32 times
 * each power of 64 of either point both products are sums of 43 points, which is a tenth of its work.
 *
 * Points: Jacobian, x = X / Z^2, y = Y / Z^3; Z 0 is the neutral one. Unlike Edwards' curve, a point meets others with
 * which the addition has another formula: itself and its opposite. Signatures, messages and keys are public: nothing
 * here needs constant time. Next: mod256.h.
 */
#include "common/pki/known_sm2.h"
#include "common/pki/mod256.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define DIGITS 43u    /* of 6 bits */
#define MULTIPLES 32u /* digits go from -31 to 32 */
#define POINT_BYTES 65u

struct point {
	struct n256 x, y, z;
};
struct affine {
	struct n256 x, y;
};
struct table {
	struct affine of[DIGITS][MULTIPLES];
};
struct known_sm2 {
	struct table key;
};

static struct mod256 p, order;
static struct table base;
static pthread_once_t base_once = PTHREAD_ONCE_INIT;

/* --- points --- */

static void make_double(struct point *q)
{
	struct n256 zz = mod256_square(&p, q->z), yy = mod256_square(&p, q->y), b = mod256_mul(&p, q->x, yy);
	struct n256 m = mod256_mul(&p, mod256_sub(&p, q->x, zz), mod256_add(&p, q->x, zz)); /* a is -3 */
	struct n256 a = mod256_add(&p, mod256_add(&p, m, m), m), b2 = mod256_add(&p, b, b), b4 = mod256_add(&p, b2, b2);
	struct n256 y4 = mod256_square(&p, yy), yz = mod256_square(&p, mod256_add(&p, q->y, q->z));
	for (int i = 0; i < 3; i++)
		y4 = mod256_add(&p, y4, y4);
	q->z = mod256_sub(&p, mod256_sub(&p, yz, yy), zz);
	q->x = mod256_sub(&p, mod256_square(&p, a), mod256_add(&p, b4, b4));
	q->y = mod256_sub(&p, mod256_mul(&p, a, mod256_sub(&p, b4, q->x)), y4);
}

static void add(struct point *a, const struct affine *b, bool negative)
{
	struct n256 by = negative ? mod256_sub(&p, (struct n256){{0}}, b->y) : b->y;
	if (n256_is_zero(a->z)) {
		*a = (struct point){b->x, by, p.one};
		return;
	}
	struct n256 zz = mod256_square(&p, a->z);
	struct n256 h = mod256_sub(&p, mod256_mul(&p, b->x, zz), a->x);
	struct n256 r = mod256_sub(&p, mod256_mul(&p, by, mod256_mul(&p, zz, a->z)), a->y);
	if (n256_is_zero(h) && n256_is_zero(r)) {
		make_double(a);
		return;
	}
	struct n256 hh = mod256_square(&p, h), hhh = mod256_mul(&p, h, hh), v = mod256_mul(&p, a->x, hh);
	a->x = mod256_sub(&p, mod256_sub(&p, mod256_square(&p, r), hhh), mod256_add(&p, v, v));
	a->y = mod256_sub(&p, mod256_mul(&p, r, mod256_sub(&p, v, a->x)), mod256_mul(&p, a->y, hhh));
	a->z = mod256_mul(&p, a->z, h); /* opposites: h is 0, and so is this */
}

static struct affine make_affine(const struct point *q)
{
	struct n256 inverse = mod256_inverse(&p, q->z), square = mod256_square(&p, inverse);
	return (struct affine){mod256_mul(&p, q->x, square), mod256_mul(&p, q->y, mod256_mul(&p, square, inverse))};
}

static void make_table(struct affine of, struct table *ret)
{
	for (size_t i = 0; i < DIGITS; i++) {
		struct point next = {of.x, of.y, p.one};
		for (size_t k = 0; k < MULTIPLES; k++) {
			ret->of[i][k] = k == 0 ? of : make_affine(&next);
			if (k + 1 < MULTIPLES)
				add(&next, &of, false);
		}
		make_double(&next); /* twice 32 times: the next power */
		of = make_affine(&next);
	}
}

/* From the lowest digit on; one above 32 is written as itself less 64, and one more in the next. */
static void add_product(struct point *sum, const struct table *t, struct n256 scalar)
{
	int carry = 0;
	for (unsigned i = 0; i < DIGITS; i++) {
		unsigned limb = 6 * i / 64, bit = 6 * i % 64;
		uint64_t bits = scalar.w[limb] >> bit;
		if (bit > 58 && limb < 3)
			bits |= scalar.w[limb + 1] << (64 - bit);
		int digit = (int)(bits & 63) + carry;
		carry = digit > (int)MULTIPLES;
		digit -= 64 * carry;
		if (digit > 0)
			add(sum, &t->of[i][digit - 1], false);
		else if (digit < 0)
			add(sum, &t->of[i][-digit - 1], true);
	}
}

/* --- keys --- */

static struct n256 read_hex(const char *hex)
{
	uint8_t bytes[32];
	bool good = hex_decode(hex, 64, bytes, sizeof(bytes));
	assert(good);
	return n256_read(bytes);
}

static struct affine read_point(struct n256 x, struct n256 y)
{
	return (struct affine){mod256_in(&p, x), mod256_in(&p, y)};
}

/* GB/T 32918.5. */
static void make_base(void)
{
	mod256_make(read_hex("fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff"), &p);
	mod256_make(read_hex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123"), &order);
	make_table(read_point(read_hex("32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"),
			      read_hex("bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0")),
		   &base);
}

struct known_sm2 *known_sm2_new(const struct pubkey *key)
{
	const uint8_t *point = key->spki + key->spki_len - POINT_BYTES;
	pthread_once(&base_once, make_base);
	struct known_sm2 *k = xcalloc(1, sizeof(*k));
	make_table(read_point(n256_read(point + 1), n256_read(point + 33)), &k->key);
	return k;
}

/* --- the equation --- */

static bool x_is(const struct point *q, struct n256 zz, struct n256 x)
{
	return n256_eq(mod256_mul(&p, mod256_in(&p, x), zz), q->x);
}

bool known_sm2_holds(const struct known_sm2 *k, struct slice r_bytes, struct slice s_bytes, const uint8_t e_bytes[32])
{
	struct point sum = {{{0}}, {{0}}, {{0}}};
	struct n256 r, s, e = n256_read(e_bytes), less, x;
	if (!mod256_scalar(r_bytes, &order, &r) || !mod256_scalar(s_bytes, &order, &s))
		return false;
	struct n256 t = mod256_add(&order, r, s);
	if (n256_is_zero(t))
		return false;
	add_product(&sum, &base, s);
	add_product(&sum, &k->key, t);
	if (n256_is_zero(sum.z))
		return false;
	/* e + x is r modulo n: x is r - e, or that and n, since p is the larger. */
	if (n256_sub(e, order.n, &less) == 0)
		e = less;
	x = mod256_sub(&order, r, e);
	struct n256 zz = mod256_square(&p, sum.z);
	return x_is(&sum, zz, x) || (n256_add(x, order.n, &x) == 0 && n256_below(x, p.n) && x_is(&sum, zz, x));
}

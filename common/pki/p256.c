/*
 * u G + v Q, and its x beside r, where u = e / s and v = r / s.
 *
 * libcrypto has the sum in assembly, but makes a context, keys and numbers anew for each signature and finds its way
 * through tables of algorithms, under locks that all threads share; that is a quarter of a verification on two cores.
 * So it is asked for the sum alone. 1 / s is mod256.c's, and the sum's x is compared as X = r Z^2, without a division.
 *
 * Several signatures at a time are a sum in each lane where the processor has them (lanes_p256.c), a third of the time.
 *
 * For a known key multiples of both points are kept, and lanes add up those that a sum is made of, a quarter of the time.
 * Where there are none, a group whose generator is Q makes libcrypto keep multiples of Q as it does of G: then the sum is
 * two products by tables. All numbers here are public: nothing needs constant time. Next: mod256.h.
 */
/* EC_GROUP_precompute_mult(), EC_POINTs_make_affine(), EC_POINT_get_Jprojective_coordinates_GFp(): OpenSSL 3 has nothing in
 * their place. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/pki/p256.h"
#include "common/pki/lanes_p256.h"
#include "common/pki/mod256.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <string.h>

/* After the libraries whose helpers it has. */
#include "common/base/cleanup.h"

#define ROOMS_MAX 64u
#define LANES_WORTH 3u /* signatures: lanes take as long for one as for eight */

/* What one verification works in. */
struct room {
	BN_CTX *ctx;
	EC_POINT *q, *a, *b;
	BIGNUM *u, *v, *x, *z;
};
struct p256_table {
	struct lane_table *q; /* NULL: no lanes */
	EC_GROUP *own;	      /* whose generator is Q; NULL: lanes */
	uint8_t point[P256_POINT_BYTES];
};

CLEANUP_PTR(EC_POINT, ec_point_freep, EC_POINT_free)
CLEANUP_PTR(BN_CTX, bn_ctx_freep, BN_CTX_free)

static EC_GROUP *curve;
static struct mod256 field, order;
static struct lane_base *lane_base;  /* NULL: no lanes */
static struct lane_table *lane_g;    /* made when the first key becomes known */
static struct n256 lane_share;	     /* the T of lanes_p256.h is t G: 2^260 t */
static struct n256 lane_share_table; /* 8 t */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct {
	pthread_mutex_t lock;
	struct room *free[ROOMS_MAX];
	unsigned n;
} rooms = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void room_free(struct room *r)
{
	EC_POINT_free(r->q);
	EC_POINT_free(r->a);
	EC_POINT_free(r->b);
	BN_free(r->u);
	BN_free(r->v);
	BN_free(r->x);
	BN_free(r->z);
	BN_CTX_free(r->ctx);
	free(r);
}

static struct n256 number_read(const BIGNUM *n)
{
	uint8_t bytes[32];
	if (BN_bn2binpad(n, bytes, sizeof(bytes)) != sizeof(bytes))
		abort();
	return n256_read(bytes);
}

static void number_put(struct n256 n, BIGNUM *ret)
{
	uint8_t bytes[32];
	for (int i = 0; i < 32; i++)
		bytes[31 - i] = (uint8_t)(n.w[i / 8] >> (i % 8 * 8));
	if (!BN_bin2bn(bytes, sizeof(bytes), ret))
		abort();
}

static void release(void)
{
	if (lane_base)
		lane_base_free(lane_base);
	lane_base = NULL;
	free(lane_g);
	lane_g = NULL;
	while (rooms.n > 0)
		room_free(rooms.free[--rooms.n]);
	EC_GROUP_free(curve);
	curve = NULL;
}

static struct lane_xy xy_of(const EC_POINT *q, BN_CTX *ctx)
{
	_cleanup_(bn_freep) BIGNUM *x = BN_new(), *y = BN_new();
	if (!x || !y || EC_POINT_get_affine_coordinates(curve, q, x, y, ctx) != 1)
		abort();
	return (struct lane_xy){number_read(x), number_read(y)};
}

/* T is anew in each process: no signature can be made for which a sum meets it. */
static void make_lane_base(BN_CTX *ctx)
{
	static struct lane_xy of_g[LANE_MULTIPLES];
	const EC_POINT *g = EC_GROUP_get0_generator(curve);
	_cleanup_(ec_point_freep) EC_POINT *q = EC_POINT_new(curve);
	_cleanup_(bn_freep) BIGNUM *t = BN_new();
	if (!q || !t || EC_POINT_set_to_infinity(curve, q) != 1)
		abort();
	for (unsigned i = 0; i < LANE_MULTIPLES; i++) {
		if (EC_POINT_add(curve, q, q, g, ctx) != 1)
			abort();
		of_g[i] = xy_of(q, ctx);
	}
	if (BN_priv_rand_range(t, EC_GROUP_get0_order(curve)) != 1 || BN_is_zero(t) ||
	    EC_POINT_mul(curve, q, t, NULL, NULL, ctx) != 1)
		abort();
	struct lane_xy at = xy_of(q, ctx);
	lane_base = lane_base_new(of_g, &at);
	if (BN_lshift(t, t, 3) != 1 || BN_nnmod(t, t, EC_GROUP_get0_order(curve), ctx) != 1)
		abort();
	lane_share_table = number_read(t);
	if (BN_lshift(t, t, 257) != 1 || BN_nnmod(t, t, EC_GROUP_get0_order(curve), ctx) != 1)
		abort();
	lane_share = number_read(t);
}

static void make(void)
{
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = BN_CTX_new();
	BIGNUM *modulus = BN_new();
	curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	if (!ctx || !modulus || !curve || EC_GROUP_get_curve(curve, modulus, NULL, NULL, NULL) != 1)
		abort();
	mod256_make(number_read(modulus), &field);
	mod256_make(number_read(EC_GROUP_get0_order(curve)), &order);
	BN_free(modulus);
	if (lanes_there())
		make_lane_base(ctx);
	OPENSSL_atexit(release);
}

static struct room *room_make(void)
{
	struct room *r = xcalloc(1, sizeof(*r));
	r->ctx = BN_CTX_new();
	r->q = EC_POINT_new(curve);
	r->a = EC_POINT_new(curve);
	r->b = EC_POINT_new(curve);
	r->u = BN_new();
	r->v = BN_new();
	r->x = BN_new();
	r->z = BN_new();
	if (!r->ctx || !r->q || !r->a || !r->b || !r->u || !r->v || !r->x || !r->z)
		abort();
	return r;
}

static struct room *room_take(void)
{
	struct room *r = NULL;
	pthread_once(&once, make);
	pthread_mutex_lock(&rooms.lock);
	if (rooms.n > 0)
		r = rooms.free[--rooms.n];
	pthread_mutex_unlock(&rooms.lock);
	return r ? r : room_make();
}

static void room_put(struct room *r)
{
	pthread_mutex_lock(&rooms.lock);
	bool keep = rooms.n < ROOMS_MAX;
	if (keep)
		rooms.free[rooms.n++] = r;
	pthread_mutex_unlock(&rooms.lock);
	if (!keep)
		room_free(r);
}
CLEANUP_PTR(struct room, room_putp, room_put)

/* On the curve, which libcrypto looks at while it reads one; it has no coordinates for infinity. */
static bool read_point(struct room *w, const uint8_t point[P256_POINT_BYTES])
{
	bool good = point[0] == 0x04 && EC_POINT_oct2point(curve, w->q, point, P256_POINT_BYTES, w->ctx) == 1;
	if (!good)
		ERR_clear_error();
	return good;
}

bool p256_is_point(const uint8_t point[P256_POINT_BYTES])
{
	_cleanup_(room_putp) struct room *w = room_take();
	return read_point(w, point);
}

/* --- the equation --- */

struct factors {
	struct n256 u, v;
	struct n256 r; /* what the sum's x is wanted to be */
};

static bool read_factors(struct slice r, struct slice s, const uint8_t hash[32], struct factors *ret)
{
	struct n256 n;
	if (!mod256_scalar(r, &order, &ret->r) || !mod256_scalar(s, &order, &n))
		return false;
	/* A product of one in the form and one outside is outside; the hash may be above n, and mod256_in() takes that. */
	n = n256_inverse(order.n, order.inv, n);
	ret->u = mod256_mul(&order, mod256_in(&order, n256_read(hash)), n);
	ret->v = mod256_mul(&order, mod256_in(&order, ret->r), n);
	return true;
}

static bool x_is(struct n256 x, struct n256 zz, struct n256 r)
{
	return n256_eq(mod256_mul(&field, mod256_in(&field, r), zz), x);
}

/* x modulo n is r: it is r, or that and n, since p is the larger. Z is not 0. */
static bool xz_is(struct n256 x, struct n256 z, struct n256 r)
{
	struct n256 zz = mod256_square(&field, mod256_in(&field, z));
	x = mod256_in(&field, x);
	return x_is(x, zz, r) || (n256_add(r, order.n, &r) == 0 && n256_below(r, field.n) && x_is(x, zz, r));
}

static bool sum_is(struct room *w, struct n256 r)
{
	if (EC_POINT_is_at_infinity(curve, w->a))
		return false;
	if (EC_POINT_get_Jprojective_coordinates_GFp(curve, w->a, w->x, NULL, w->z, w->ctx) != 1)
		abort();
	return xz_is(number_read(w->x), number_read(w->z), r);
}

/* With w->q read. */
static bool holds(struct room *w, const struct factors *f)
{
	number_put(f->u, w->u);
	number_put(f->v, w->v);
	if (EC_POINT_mul(curve, w->a, w->u, w->q, w->v, w->ctx) != 1)
		abort();
	return sum_is(w, f->r);
}

bool p256_holds(const uint8_t point[P256_POINT_BYTES], struct slice r, struct slice s, const uint8_t hash[32])
{
	_cleanup_(room_putp) struct room *w = room_take();
	struct factors f;
	return read_point(w, point) && read_factors(r, s, hash, &f) && holds(w, &f);
}

/* --- several --- */

/* Up to LANES of them; those that cannot be signatures are not held, and a lane of theirs has another's work. */
static void hold_in_lanes(struct room *w, struct p256_claim *claims[], size_t n)
{
	struct lane_job jobs[LANES];
	struct factors f[LANES];
	struct lane_xy xz[LANES];
	for (size_t i = 0; i < n;) {
		const struct p256_claim *c = claims[i];
		if (!read_point(w, c->point) || !read_factors(c->r, c->s, c->hash, &f[i])) {
			claims[i] = claims[--n];
			continue;
		}
		jobs[i] = (struct lane_job){{n256_read(c->point + 1), n256_read(c->point + 33)},
					    mod256_sub(&order, f[i].u, lane_share),
					    f[i].v};
		i++;
	}
	if (n == 0)
		return;
	for (size_t i = n; i < LANES; i++)
		jobs[i] = jobs[0];
	lane_sums(lane_base, jobs, xz);
	for (size_t i = 0; i < n; i++) {
		bool known = !n256_is_zero(xz[i].y);
		claims[i]->holds =
			known ? xz_is(xz[i].x, xz[i].y, f[i].r) : read_point(w, claims[i]->point) && holds(w, &f[i]);
	}
}

void p256_hold_many(struct p256_claim *claims, size_t n)
{
	_cleanup_(room_putp) struct room *w = room_take();
	for (size_t at = 0, now; at < n; at += now) {
		struct p256_claim *some[LANES];
		now = n - at < LANES ? n - at : LANES;
		for (size_t i = 0; i < now; i++) {
			some[i] = &claims[at + i];
			some[i]->holds = false;
		}
		if (lane_base && now >= LANES_WORTH)
			hold_in_lanes(w, some, now);
		else
			for (size_t i = 0; i < now; i++)
				some[i]->holds = p256_holds(some[i]->point, some[i]->r, some[i]->s, some[i]->hash);
	}
}

/* --- known keys --- */

/* Multiplied by 2^260. */
static struct n256 in_lanes(struct n256 n)
{
	n = mod256_in(&field, n);
	for (int i = 0; i < 4; i++)
		n = mod256_add(&field, n, n);
	return n;
}

/* 1 to 64 times q, which becomes 128 times itself. */
static void fill_window(EC_POINT *q, EC_POINT *of[LANE_TABLE_MULTIPLES], struct lane_xy *ret, BN_CTX *ctx)
{
	if (EC_POINT_copy(of[0], q) != 1)
		abort();
	for (unsigned k = 1; k < LANE_TABLE_MULTIPLES; k++)
		if (EC_POINT_add(curve, of[k], of[k - 1], q, ctx) != 1)
			abort();
	if (EC_POINT_dbl(curve, q, of[LANE_TABLE_MULTIPLES - 1], ctx) != 1 ||
	    EC_POINTs_make_affine(curve, LANE_TABLE_MULTIPLES, of, ctx) != 1)
		abort();
	for (unsigned k = 0; k < LANE_TABLE_MULTIPLES; k++) {
		struct lane_xy at = xy_of(of[k], ctx);
		ret[k] = (struct lane_xy){in_lanes(at.x), in_lanes(at.y)};
	}
}

/* Gives: free(). */
static struct lane_table *table_of(const EC_POINT *point, BN_CTX *ctx)
{
	struct lane_table *t = aligned_alloc(_Alignof(struct lane_table), sizeof(*t));
	_cleanup_(ec_point_freep) EC_POINT *q = EC_POINT_dup(point, curve);
	EC_POINT *of[LANE_TABLE_MULTIPLES];
	for (unsigned k = 0; k < LANE_TABLE_MULTIPLES; k++) {
		of[k] = EC_POINT_new(curve);
		if (!of[k])
			abort();
	}
	if (!t || !q)
		abort();
	for (unsigned i = 0; i < LANE_TABLE_WINDOWS; i++)
		fill_window(q, of, t->of[i], ctx);
	for (unsigned k = 0; k < LANE_TABLE_MULTIPLES; k++)
		EC_POINT_free(of[k]);
	return t;
}

static void make_lane_g(void)
{
	_cleanup_(bn_ctx_freep) BN_CTX *ctx = BN_CTX_new();
	if (!ctx)
		abort();
	lane_g = table_of(EC_GROUP_get0_generator(curve), ctx);
}

static EC_GROUP *group_of(const struct room *w)
{
	EC_GROUP *own = EC_GROUP_dup(curve);
	if (!own || EC_GROUP_set_generator(own, w->q, EC_GROUP_get0_order(curve), EC_GROUP_get0_cofactor(curve)) != 1 ||
	    EC_GROUP_precompute_mult(own, w->ctx) != 1)
		abort();
	return own;
}

static struct p256_table *table_new(const uint8_t point[P256_POINT_BYTES], bool plain)
{
	static pthread_once_t once_g = PTHREAD_ONCE_INIT;
	_cleanup_(room_putp) struct room *w = room_take();
	struct p256_table *t = xcalloc(1, sizeof(*t));
	if (!read_point(w, point))
		abort();
	memcpy(t->point, point, sizeof(t->point));
	if (plain || !lane_base) {
		t->own = group_of(w);
	} else {
		pthread_once(&once_g, make_lane_g);
		t->q = table_of(w->q, w->ctx);
	}
	return t;
}

struct p256_table *p256_table_new(const uint8_t point[P256_POINT_BYTES])
{
	return table_new(point, false);
}

struct p256_table *p256_table_new_plain(const uint8_t point[P256_POINT_BYTES])
{
	return table_new(point, true);
}

void p256_table_free(struct p256_table *t)
{
	EC_GROUP_free(t->own);
	free(t->q);
	free(t);
}

static bool holds_in_lanes(const struct p256_table *t, const struct factors *f)
{
	struct lane_xy xz;
	lane_table_sum(lane_base, lane_g, t->q, mod256_sub(&order, f->u, lane_share_table), f->v, &xz);
	if (!n256_is_zero(xz.y))
		return xz_is(xz.x, xz.y, f->r);
	_cleanup_(room_putp) struct room *w = room_take();
	return read_point(w, t->point) && holds(w, f);
}

bool p256_table_holds(const struct p256_table *t, struct slice r, struct slice s, const uint8_t hash[32])
{
	struct factors f;
	if (!read_factors(r, s, hash, &f))
		return false;
	if (t->q)
		return holds_in_lanes(t, &f);
	_cleanup_(room_putp) struct room *w = room_take();
	number_put(f.u, w->u);
	number_put(f.v, w->v);
	if (EC_POINT_mul(curve, w->a, w->u, NULL, NULL, w->ctx) != 1 ||
	    EC_POINT_mul(t->own, w->b, w->v, NULL, NULL, w->ctx) != 1 ||
	    EC_POINT_add(curve, w->a, w->a, w->b, w->ctx) != 1)
		abort();
	return sum_is(w, f.r);
}

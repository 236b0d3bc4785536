/*
 * lanes25519: sums by the processor's vectors are those of the plain arithmetic, lane by lane, over numbers at which carries
 * go furthest too. Nothing here is a point of the curve: the formulas are the same for all numbers.
 */
#include "pki_kit.h"

#include "common/pki/lanes25519.h"

#define TURNS 3000

struct quad {
	struct field x, y, z, t;
};
struct one {
	struct field plus, minus, t2d;
};

/* Limbs that hold together, so that the next sum may be multiplied: a product by one. */
static struct field tidy(struct field a)
{
	return field_mul(a, FIELD_ONE);
}

static struct quad started(const struct one *b, bool negative)
{
	struct field up = negative ? b->minus : b->plus, down = negative ? b->plus : b->minus;
	struct field e = tidy(field_sub(up, down)), h = tidy(field_add(up, down));
	return (struct quad){field_add(e, e), field_add(h, h), field_small(4), field_mul(e, h)};
}

static struct quad closed(struct field e, struct field f, struct field g, struct field h)
{
	return (struct quad){field_mul(e, f), field_mul(g, h), field_mul(f, g), field_mul(e, h)};
}

static struct quad with_one(struct quad a, const struct one *b, bool negative)
{
	struct field down = field_mul(tidy(field_sub(tidy(a.y), tidy(a.x))), negative ? b->plus : b->minus);
	struct field up = field_mul(tidy(field_add(a.y, a.x)), negative ? b->minus : b->plus);
	struct field c = field_mul(a.t, b->t2d), zz = tidy(field_add(a.z, a.z));
	struct field fewer = field_sub(zz, c), more = field_add(zz, c);
	return closed(field_sub(up, down), negative ? more : fewer, negative ? fewer : more, field_add(up, down));
}

static struct quad with_quad(struct quad a, struct quad b, struct field d2)
{
	struct field down = field_mul(tidy(field_sub(a.y, a.x)), tidy(field_sub(b.y, b.x)));
	struct field up = field_mul(tidy(field_add(a.y, a.x)), tidy(field_add(b.y, b.x)));
	struct field c = field_mul(field_mul(a.t, b.t), d2), zz = field_mul(a.z, tidy(field_add(b.z, b.z)));
	return closed(field_sub(up, down), field_sub(zz, c), field_add(zz, c), field_add(up, down));
}

/* Random, or with long runs of ones or zeros; below the modulus. */
static struct field a_number(void)
{
	uint8_t bytes[32], kind[3];
	struct field f;
	do {
		random_fill(bytes, sizeof(bytes));
		random_fill(kind, sizeof(kind));
		if (kind[0] & 1)
			memset(bytes, kind[0] & 2 ? 0xff : 0, 1 + kind[1] % 32u);
		if (kind[0] & 4)
			memset(bytes + kind[2] % 32u, kind[0] & 8 ? 0xff : 0, 32 - kind[2] % 32u);
		bytes[31] &= 0x7f;
	} while (!field_read(bytes, &f));
	return f;
}

static void test_sums(void **state)
{
	static struct lane_point made[LANE_ROUNDS][LANES];
	static struct one ones[LANE_ROUNDS][LANES];
	static const struct one neutral = {FIELD_ONE, FIELD_ONE, FIELD_ZERO};
	(void)state;
	if (!lanes_there()) {
		print_message("this processor adds one at a time: nothing to compare\n");
		skip();
	}
	for (int turn = 0; turn < TURNS; turn++) {
		struct lane_sum s = {0};
		struct quad lane[LANES];
		struct field d2 = a_number(), found[3];
		random_fill(s.negative, sizeof(s.negative));
		for (int r = 0; r < LANE_ROUNDS; r++) {
			for (int i = 0; i < LANES; i++) {
				struct one *o = &ones[r][i];
				bool none = (turn + r * LANES + i) % 29 == 0, negative = s.negative[r] >> i & 1;
				*o = none ? neutral : (struct one){a_number(), a_number(), a_number()};
				lane_point_make(o->plus, o->minus, o->t2d, &made[r][i]);
				s.of[r][i] = none ? NULL : &made[r][i];
				lane[i] = r == 0 ? started(o, negative) : with_one(lane[i], o, negative);
			}
		}
		for (int by = LANES / 2; by > 0; by /= 2)
			for (int i = 0; i < by; i++)
				lane[i] = with_quad(lane[i], lane[i + by], d2);
		lane_sum_take(&s, d2, found);
		assert_true(field_eq(found[0], lane[0].x));
		assert_true(field_eq(found[1], lane[0].y));
		assert_true(field_eq(found[2], lane[0].z));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sums)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Letters as strokes of a pen: each is turned, sheared, moved and bent a little, and lines run through all of them. The
 * letters are those that nobody takes for one another, and most of them are straight, so that a person reads them easily.
 * libpng writes the file.
 */
#include "ra/picture.h"

#include <math.h>
#include <png.h>
#include <sodium.h>
#include <string.h>

#define WIDTH 180
#define HEIGHT 64
#define PAPER 245
#define INK 40
#define LINES 4

/* Strokes on a field 4 wide and 6 high, points as pairs of digits; a space lifts the pen. */
static const struct glyph {
	char letter;
	const char *strokes;
} glyphs[] = {{'A', "062046 1434"},
	      {'C', "4130100105163645"},
	      {'E', "40000646 0333"},
	      {'F', "400006 0333"},
	      {'H', "0006 4046 0343"},
	      {'K', "0006 4003 1346"},
	      {'L', "000646"},
	      {'M', "0600234046"},
	      {'N', "06004640"},
	      {'P', "06003041423303"},
	      {'R', "06003041423303 2346"},
	      {'T', "0040 2026"},
	      {'W', "0016233640"},
	      {'X', "0046 4006"},
	      {'Y', "0023 402326"},
	      {'3', "003041423313 3344453606"},
	      {'4', "36300444"},
	      {'7', "004016"},
	      {'9', "42331302011030414426"}};

struct sheet {
	uint8_t grey[HEIGHT][WIDTH];
};
struct point {
	double x, y;
};

/* In [-1, 1]. */
static double chance(void)
{
	return (double)randombytes_uniform(20001) / 10000.0 - 1.0;
}

/* A round pen: darker the nearer, so that edges are smooth. */
static void dot(struct sheet *s, double x, double y, double radius, int ink)
{
	int from_y = (int)(y - radius - 1), to_y = (int)(y + radius + 1);
	int from_x = (int)(x - radius - 1), to_x = (int)(x + radius + 1);
	for (int py = from_y < 0 ? 0 : from_y; py <= to_y && py < HEIGHT; py++) {
		for (int px = from_x < 0 ? 0 : from_x; px <= to_x && px < WIDTH; px++) {
			double far = hypot(px - x, py - y) - radius;
			double cover = far <= 0 ? 1 : far >= 1 ? 0 : 1 - far;
			int grey = (int)(PAPER - cover * (PAPER - ink));
			if (grey < s->grey[py][px])
				s->grey[py][px] = (uint8_t)grey;
		}
	}
}

static void stroke(struct sheet *s, struct point a, struct point b, double radius, int ink)
{
	double length = hypot(b.x - a.x, b.y - a.y);
	int steps = (int)(length * 2) + 1;
	for (int i = 0; i <= steps; i++)
		dot(s, a.x + (b.x - a.x) * i / steps, a.y + (b.y - a.y) * i / steps, radius, ink);
}

struct pose {
	double x, y, sine, cosine, shear, scale, bend;
};

static struct point place(const struct pose *p, double x, double y)
{
	double u = (x - 2) * p->scale + p->shear * (y - 3), v = (y - 3) * p->scale;
	u += p->bend * sin(v / 9);
	return (struct point){p->x + u * p->cosine - v * p->sine, p->y + u * p->sine + v * p->cosine};
}

static const char *strokes_of(char letter)
{
	for (size_t i = 0; i < sizeof(glyphs) / sizeof(glyphs[0]); i++) {
		if (glyphs[i].letter == letter)
			return glyphs[i].strokes;
	}
	return "";
}

static void letter(struct sheet *s, char which, double x)
{
	double angle = chance() * 0.26, radius = 1.6 + chance() * 0.3;
	struct pose p = {.x = x + chance() * 3,
			 .y = HEIGHT / 2.0 + chance() * 6,
			 .sine = sin(angle),
			 .cosine = cos(angle),
			 .shear = chance() * 1.2,
			 .scale = 5.6 + chance() * 0.6,
			 .bend = chance() * 2};
	struct point at = {0};
	bool down = false;
	for (const char *c = strokes_of(which); *c; c++) {
		if (*c == ' ') {
			down = false;
			continue;
		}
		struct point next = place(&p, c[0] - '0', c[1] - '0');
		if (down)
			stroke(s, at, next, radius, INK);
		at = next;
		down = true;
		c++;
	}
}

static void noise(struct sheet *s)
{
	for (int i = 0; i < LINES; i++) {
		struct point at = {0, HEIGHT / 2.0 + chance() * 26}, next;
		double height = chance() * 10, pace = 20 + chance() * 8, phase = chance() * 3;
		for (int x = 4; x <= WIDTH; x += 4) {
			next = (struct point){x, HEIGHT / 2.0 + height * sin(x / pace + phase) + chance() * 1.5};
			stroke(s, at, next, 0.5, 110);
			at = next;
		}
	}
	for (int i = 0; i < 160; i++)
		dot(s, (chance() + 1) * WIDTH / 2, (chance() + 1) * HEIGHT / 2, 0.4, 130);
}

enum err picture_draw(const char *text, struct buf *ret_png, struct fault *f)
{
	struct sheet s;
	png_image image = {.version = PNG_IMAGE_VERSION, .width = WIDTH, .height = HEIGHT, .format = PNG_FORMAT_GRAY};
	png_alloc_size_t size = 0;
	size_t n = strlen(text);
	memset(s.grey, PAPER, sizeof(s.grey));
	for (size_t i = 0; i < n; i++)
		letter(&s, text[i], WIDTH * (i + 0.5) / n);
	noise(&s);
	bool done = png_image_write_to_memory(&image, NULL, &size, 0, s.grey, WIDTH, NULL) != 0;
	if (done) {
		buf_reserve(ret_png, size);
		done = png_image_write_to_memory(&image, ret_png->data, &size, 0, s.grey, WIDTH, NULL) != 0;
		ret_png->len = done ? size : 0;
	}
	sodium_memzero(&s, sizeof(s));
	png_image_free(&image);
	return done ? OK : fault_raise(f, ERR_INTERNAL, "picture_png", "picture", "libpng: %s", image.message);
}

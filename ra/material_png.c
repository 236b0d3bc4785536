/*
 * PNG (ISO 15948): a walk along the chunks. IHDR first, its size within the bounds before anybody decodes; IEND last, at
 * the file's last byte; each chunk's CRC right; critical chunks of the standard only, the others few.
 */
#include "ra/material_form.h"

#include <string.h>
#include <zlib.h>

#define SIGNATURE 8u
#define CHUNK 12u			   /* length, type, CRC */
#define ANCILLARY_MAX (2u * 1024u * 1024u) /* colour profile, Exif, texts */

struct png {
	struct slice s;
	size_t at, chunks, ancillary;
	bool header, image, image_over, end;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum err bad(const struct png *g, const char *text, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "material_form", "content", "PNG: %s at byte %zu", text, g->at);
}

/* Bits a pixel; 0: the pair is none of the standard's (table 11.1). */
static unsigned pixel_bits(uint8_t depth, uint8_t colour)
{
	bool small = depth == 1 || depth == 2 || depth == 4, large = depth == 8 || depth == 16;
	switch (colour) {
	case 0:
		return small || large ? depth : 0;
	case 2:
		return large ? 3u * depth : 0;
	case 3:
		return small || depth == 8 ? depth : 0;
	case 4:
		return large ? 2u * depth : 0;
	case 6:
		return large ? 4u * depth : 0;
	default:
		return 0;
	}
}

static enum err header(struct png *g, const uint8_t *p, uint32_t n, struct fault *f)
{
	if (n != 13 || g->chunks > 0)
		return bad(g, "IHDR is not 13 bytes, or not first and once", f);
	uint32_t width = be32(p), height = be32(p + 4);
	unsigned bits = pixel_bits(p[8], p[9]);
	if (bits == 0 || p[10] != 0 || p[11] != 0 || p[12] > 1)
		return bad(g, "IHDR has a depth, colour or method that the standard lacks", f);
	TRY(material_pixels(width, height, f));
	uint64_t raw = (((uint64_t)width * bits + 7) / 8 + 1) * height;
	if (raw > MATERIAL_RAW_MAX)
		return fault_raise(f, ERR_RULE, "material_pixels", "content",
				   "found %u by %u pixels of %u bits, %llu MiB decoded, wanted at most %llu", width,
				   height, bits, (unsigned long long)(raw >> 20),
				   (unsigned long long)(MATERIAL_RAW_MAX >> 20));
	g->header = true;
	return OK;
}

static bool letters(const uint8_t *p)
{
	for (int i = 0; i < 4; i++) {
		if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z')))
			return false;
	}
	return true;
}

static enum err take(struct png *g, const uint8_t *type, const uint8_t *p, uint32_t n, struct fault *f)
{
	bool image = memcmp(type, "IDAT", 4) == 0;
	if (memcmp(type, "IHDR", 4) == 0)
		return header(g, p, n, f);
	if (!g->header)
		return bad(g, "IHDR is not first", f);
	g->image_over = g->image_over || (g->image && !image);
	if (image && g->image_over)
		return bad(g, "IDAT chunks that do not follow one another", f);
	g->image = g->image || image;
	if (image)
		return OK;
	if (memcmp(type, "PLTE", 4) == 0)
		return !g->image && n > 0 && n <= 768 && n % 3 == 0 ? OK
								    : bad(g, "a palette of a wrong size or place", f);
	if (memcmp(type, "IEND", 4) == 0) {
		g->end = true;
		return g->image && n == 0 ? OK : bad(g, "an end with content, or before any image", f);
	}
	/* 5.4: a small first letter may be skipped, a capital third one is reserved. */
	if (type[0] < 'a' || type[2] > 'Z')
		return bad(g, "a critical chunk that the standard lacks", f);
	g->ancillary += n;
	return g->ancillary <= ANCILLARY_MAX ? OK : bad(g, "more than 2 MiB beside the image", f);
}

static enum err chunk(struct png *g, struct fault *f)
{
	const uint8_t *p = g->s.p + g->at;
	size_t left = g->s.n - g->at;
	if (left < CHUNK)
		return bad(g, "cut short, without an end chunk,", f);
	uint32_t n = be32(p);
	if (n > left - CHUNK)
		return bad(g, "a chunk that is longer than the file", f);
	if (!letters(p + 4))
		return bad(g, "a chunk whose type is no four letters", f);
	if (crc32(crc32(0, NULL, 0), p + 4, n + 4) != be32(p + 8 + n))
		return bad(g, "a chunk whose CRC is wrong", f);
	TRY(take(g, p + 4, p + 8, n, f));
	g->chunks++;
	g->at += CHUNK + n;
	return OK;
}

enum err material_png(struct slice bytes, struct fault *f)
{
	struct png g = {.s = bytes, .at = SIGNATURE};
	while (!g.end)
		TRY(chunk(&g, f));
	if (g.at != bytes.n)
		return fault_raise(f, ERR_RULE, "material_hidden", "content",
				   "PNG: found %zu bytes behind IEND at byte %zu, wanted none", bytes.n - g.at, g.at);
	return OK;
}

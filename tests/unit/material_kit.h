/*
 * Small files of each kind, made to measure: a PDF, a PNG, a JPEG.
 */
#ifndef HUFU_TEST_MATERIAL_KIT_H
#define HUFU_TEST_MATERIAL_KIT_H

#include "common/base/buf.h"

#include <string.h>
#include <zlib.h>

/* body: objects beside the catalog, or "". The table's offset is right. */
static inline void kit_pdf(const char *body, struct buf *b)
{
	buf_str(b, "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
		   "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
		   "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n");
	buf_str(b, body);
	size_t at = b->len;
	buf_fmt(b, "\nxref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Size 4>>\nstartxref\n%zu\n%%%%EOF\n",
		at + 1);
}

static inline void kit_be32(struct buf *b, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_char(b, (char)(n >> shift & 0xff));
}

static inline void kit_chunk(struct buf *b, const char *type, const void *p, size_t n)
{
	kit_be32(b, (uint32_t)n);
	size_t at = b->len;
	buf_add(b, type, 4);
	buf_add(b, p, n);
	kit_be32(b, (uint32_t)crc32(0, b->data + at, (uInt)(n + 4)));
}

static inline void kit_png_begin(struct buf *b, uint32_t width, uint32_t height, uint8_t depth, uint8_t colour)
{
	uint8_t header[13] = {(uint8_t)(width >> 24),
			      (uint8_t)(width >> 16),
			      (uint8_t)(width >> 8),
			      (uint8_t)width,
			      (uint8_t)(height >> 24),
			      (uint8_t)(height >> 16),
			      (uint8_t)(height >> 8),
			      (uint8_t)height,
			      depth,
			      colour};
	buf_add(b, "\x89PNG\r\n\x1a\n", 8);
	kit_chunk(b, "IHDR", header, 13);
}

static inline void kit_png(struct buf *b)
{
	/* One grey pixel: a filter byte and a byte, stored (RFC 1950, 1951). */
	static const uint8_t image[] = {0x78, 0x01, 0x01, 2, 0, 0xfd, 0xff, 0, 0, 0, 2, 0, 1};
	kit_png_begin(b, 1, 1, 8, 0);
	kit_chunk(b, "IDAT", image, sizeof(image));
	kit_chunk(b, "IEND", "", 0);
}

/* To the first byte behind its frame. */
static inline void kit_jpeg_begin(struct buf *b, uint8_t marker, unsigned width, unsigned height)
{
	uint8_t frame[] = {0xff,
			   0xd8,
			   0xff,
			   marker,
			   0,
			   11,
			   8,
			   (uint8_t)(height >> 8),
			   (uint8_t)height,
			   (uint8_t)(width >> 8),
			   (uint8_t)width,
			   1,
			   1,
			   0x11,
			   0};
	buf_add(b, frame, sizeof(frame));
}

static inline void kit_jpeg_end(struct buf *b)
{
	static const uint8_t scan[] = {0xff, 0xda, 0, 8,    1,	  1,	0,    0,    63,	 0,
				       0x12, 0xff, 0, 0x34, 0xff, 0xd0, 0x56, 0xff, 0xd9};
	buf_add(b, scan, sizeof(scan));
}

static inline void kit_jpeg(struct buf *b)
{
	kit_jpeg_begin(b, 0xc0, 8, 8);
	kit_jpeg_end(b);
}

/* The end record of an empty zip archive. */
#define KIT_ZIP_END "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#endif

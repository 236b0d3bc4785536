/*
 * JPEG (ITU-T T.81): a walk along the markers, over the scans, to an EOI that is the file's end. Baseline and progressive
 * alone; one frame, its size within the bounds.
 */
#include "ra/material_form.h"

#include <string.h>

#define OTHERS_MAX (4u * 1024u * 1024u) /* colour profile, Exif with its thumbnail, comments */

enum marker {
	M_SOF0 = 0xc0,
	M_SOF2 = 0xc2,
	M_DHT = 0xc4,
	M_RST0 = 0xd0,
	M_RST7 = 0xd7,
	M_SOI = 0xd8,
	M_EOI = 0xd9,
	M_SOS = 0xda,
	M_DQT = 0xdb,
	M_DRI = 0xdd,
	M_APP0 = 0xe0,
	M_APP15 = 0xef,
	M_COM = 0xfe
};

struct jpeg {
	struct slice s;
	size_t at, others;
	bool frame, scan, end;
};

static enum err bad(const struct jpeg *j, const char *text, struct fault *f)
{
	return fault_raise(f, ERR_RULE, "material_form", "content", "JPEG: %s at byte %zu", text, j->at);
}

/* B.2.2: length, precision, height, width, number of components, three bytes for each. */
static enum err frame(struct jpeg *j, const uint8_t *p, size_t n, struct fault *f)
{
	if (j->frame)
		return bad(j, "a second frame", f);
	if (n < 8 || p[2] != 8 || p[7] < 1 || p[7] > 4 || n != 8u + 3u * p[7])
		return bad(j, "a frame that is not of 8 bits and 1 to 4 components", f);
	j->frame = true;
	return material_pixels((uint32_t)(p[5] << 8 | p[6]), (uint32_t)(p[3] << 8 | p[4]), f);
}

/* B.1.1.5: coded data hold no marker but RST; a byte FF in them is followed by 00. */
static void pass_scan(struct jpeg *j)
{
	for (;;) {
		const uint8_t *p = memchr(j->s.p + j->at, 0xff, j->s.n - j->at);
		j->at = p ? (size_t)(p - j->s.p) : j->s.n;
		if (j->s.n - j->at < 2)
			return;
		uint8_t next = p[1];
		if (next != 0 && next != 0xff && !(next >= M_RST0 && next <= M_RST7))
			return;
		j->at += next == 0xff ? 1 : 2;
	}
}

static enum err segment(struct jpeg *j, uint8_t marker, struct fault *f)
{
	const uint8_t *p = j->s.p + j->at;
	size_t left = j->s.n - j->at, n = left < 2 ? 0 : (size_t)(p[0] << 8 | p[1]);
	if (n < 2 || n > left)
		return bad(j, "a segment that is longer than the file", f);
	if (marker >= M_SOF0 && marker <= M_SOF2) {
		TRY(frame(j, p, n, f));
	} else if ((marker >= M_APP0 && marker <= M_APP15) || marker == M_COM) {
		j->others += n;
		if (j->others > OTHERS_MAX)
			return bad(j, "more than 4 MiB beside the image", f);
	} else if (marker == M_SOS) {
		if (!j->frame)
			return bad(j, "a scan before the frame", f);
		j->scan = true;
	} else if (marker != M_DHT && marker != M_DQT && marker != M_DRI) {
		return bad(j, "a marker of other than baseline and progressive images", f);
	}
	j->at += n;
	if (marker == M_SOS)
		pass_scan(j);
	return OK;
}

static enum err step(struct jpeg *j, struct fault *f)
{
	const uint8_t *p = j->s.p + j->at;
	if (j->s.n - j->at < 2)
		return bad(j, "cut short, without an end,", f);
	if (p[0] != 0xff)
		return bad(j, "no marker", f);
	if (p[1] == 0xff) {
		j->at++;
		return OK;
	}
	if (p[1] != M_EOI) {
		j->at += 2;
		return segment(j, p[1], f);
	}
	if (!j->scan)
		return bad(j, "an end before any image", f);
	j->at += 2;
	j->end = true;
	return OK;
}

enum err material_jpeg(struct slice bytes, struct fault *f)
{
	struct jpeg j = {.s = bytes, .at = 2};
	while (!j.end)
		TRY(step(&j, f));
	if (j.at != bytes.n)
		return fault_raise(f, ERR_RULE, "material_hidden", "content",
				   "JPEG: found %zu bytes behind its end at byte %zu, wanted none (a moving or a "
				   "multi-picture photo? save it as a plain one)",
				   bytes.n - j.at, j.at);
	return OK;
}

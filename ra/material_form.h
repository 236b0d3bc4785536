/*
 * What a file is, by its bytes: a PDF, JPEG or PNG from its first byte to its last, and nothing beside.
 *
 * A scan is looked at by an officer's viewer, which decodes what a stranger sent. So a file that is two things at once, goes on after its end, claims a size
 * that no scan has, or acts when it is opened is refused here. Nothing is decoded.
 */
#ifndef HUFU_RA_MATERIAL_FORM_H
#define HUFU_RA_MATERIAL_FORM_H

#include "common/base/buf.h"

#define MATERIAL_SIDE_MAX 20000u             /* pixels; A3 at 1200 dpi has 19,843 */
#define MATERIAL_PIXELS_MAX (100u * 1000000u) /* A3 at 600 dpi has 70 million */
#define MATERIAL_RAW_MAX (400ull << 20)       /* bytes of a PNG when it is decoded */

/* *ret_type: "pdf", "jpeg" or "png", static. Every refusal is an ERR_RULE:
 *   material_type    begins as none of the three
 *   material_form    is cut short or not as its standard says
 *   material_pixels  more than the bounds above
 *   material_hidden  goes on after its end, or another file is in it (zip, RAR, PDF, HTML, a program)
 *   material_active  PDF: scripts, launched programs, forms that send, files inside, passwords, and objects that can't be looked at without decoding */
MUST_CHECK enum err material_form(struct slice bytes, const char **ret_type, struct fault *f);

/* --- one kind each; bytes begin with its magic ------------------------------------------------------------------------------------------------------- */

MUST_CHECK enum err material_png(struct slice bytes, struct fault *f);
MUST_CHECK enum err material_jpeg(struct slice bytes, struct fault *f);
MUST_CHECK enum err material_pdf(struct slice bytes, struct fault *f);
/* Width and height within the bounds? */
MUST_CHECK enum err material_pixels(uint32_t width, uint32_t height, struct fault *f);

#endif

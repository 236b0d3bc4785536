/*
 * The picture code: letters in a picture that a person reads and a program does not so easily.
 */
#ifndef HUFU_RA_PICTURE_H
#define HUFU_RA_PICTURE_H

#include "ra/desk.h"

#define PICTURE_CHARS 5
/* Draws the text (letters of PICTURE_ALPHABET) as a PNG of 180 x 64 grey pixels, another each time. */
#define PICTURE_ALPHABET "ACEFHKLMNPRTWXY3479"
MUST_CHECK enum err picture_draw(const char *text, struct buf *ret_png, struct fault *f);

/* account.picture */
enum err picture_new(struct ctx *c, json_t **ret, struct fault *f);
/* Is the code of the call's parameters (picture, picture_code) right? Used up by it, in a transaction of its own. wanted
 * false: a call without one is well, too. ERR_DENIED picture_wanted, picture_wrong. */
MUST_CHECK enum err picture_check(struct ctx *c, bool wanted, struct fault *f);
void picture_hash(const struct desk *d, const uint8_t id[], const char *code, uint8_t ret[32]);

#endif

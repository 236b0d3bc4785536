/*
 * Which code points a reader cannot see or trust; the rest of text.c is declared in buf.h.
 */
#ifndef HUFU_BASE_TEXT_H
#define HUFU_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Controls, bidi controls, zero-width and other invisible code points, private use, noncharacters (Unicode 15, general
 * categories Cc, Cf, Co, Zl, Zp and Default_Ignorable_Code_Point). Negative: true. */
bool cp_is_hidden(int32_t cp);

/* The code point (or wrong byte) at *i < n as messages and logs show it: itself, or \xNN for each byte. Advances *i. No
 * NUL is written. Returns the length. */
#define TEXT_SHOWN_MAX 16
size_t text_show_one(const uint8_t *p, size_t n, size_t *i, char ret[TEXT_SHOWN_MAX]);

/* The first text behind all that begin with this one, as bytes are ordered. Gives: free(). */
char *text_behind(const char *text);

#endif

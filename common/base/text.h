/*
 * Which code points a reader cannot see or trust; the rest of text.c is declared in buf.h.
 */
#ifndef HUFU_BASE_TEXT_H
#define HUFU_BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Controls, bidi controls, zero-width and other invisible code points, private use, noncharacters (Unicode 15, general
 * categories Cc, Cf, Co, Zl, Zp and Default_Ignorable_Code_Point). Negative: true. */
bool cp_is_hidden(int32_t cp);

#endif

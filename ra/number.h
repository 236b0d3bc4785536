/*
 * Numbers that people read and write: of orders and of requests.
 */
#ifndef HUFU_RA_NUMBER_H
#define HUFU_RA_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_TEXT 22 /* "20261123-7K2M9QXA4BCD" and NUL */
/* The day in Asia/Shanghai, and enough chance that nobody guesses one. */
void number_make(int64_t now, char ret[NUMBER_TEXT]);

#endif

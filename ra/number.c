/*
 * A day that helps people to file, and sixty bits of chance, in letters that are not mistaken for one another.
 */
#include "ra/number.h"

#include "common/base/buf.h"
#include "common/base/clock.h"

#include <stdio.h>

void number_make(int64_t now, char ret[NUMBER_TEXT])
{
	static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	struct civil day = time_civil(now + 8 * 3600);
	uint8_t noise[12];
	char tail[sizeof(noise) + 1] = {0};
	random_fill(noise, sizeof(noise));
	for (size_t i = 0; i < sizeof(noise); i++)
		tail[i] = letters[noise[i] % 32];
	snprintf(ret, NUMBER_TEXT, "%04u%02u%02u-%s", (unsigned)day.year % 10000, (unsigned)day.month % 100,
		 (unsigned)day.day % 100, tail);
}

/*
 * Transcripts of ceremonies as people read them.
 */
#ifndef HUFU_TOOLS_CEREMONY_H
#define HUFU_TOOLS_CEREMONY_H

#include "common/note/transcript.h"

/* One HTML page without anything from outside: what was done, hashes in groups, a box for each person to sign by hand. n is the note that
 * the transcript was read from. Appends. */
void ceremony_page(const struct transcript *t, const struct note *n, struct buf *ret);

#endif

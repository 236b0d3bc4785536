/*
 * What changes from one roster or policy to the next, in lines that a person reads before it comes into force: "+ " what is new, "- " what goes,
 * "~ " what changes, old -> new.
 */
#ifndef HUFU_NOTE_DIFFERENCE_H
#define HUFU_NOTE_DIFFERENCE_H

#include "common/note/roster.h"
#include "common/note/statement.h"

/* now NULL: the first one, and everything is new. Appends; nothing when they say the same of everybody. */
void roster_difference(const struct roster *now, const struct roster *next, struct buf *ret);
void policy_note_difference(const struct policy_note *now, const struct policy_note *next, struct buf *ret);

#endif

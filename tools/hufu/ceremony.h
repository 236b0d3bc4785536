/*
 * Ceremonies: what hufu-ca does, and transcripts as people read them.
 */
#ifndef HUFU_TOOLS_CEREMONY_H
#define HUFU_TOOLS_CEREMONY_H

#include "common/note/transcript.h"
#include "tools/hufu/cli.h"

/* `hufu-ca ceremony check|rehearse|run|note` (ceremony_start.c). */
int ceremony_check_command(struct cli *c, int argc, char **argv);
int ceremony_rehearse_command(struct cli *c, int argc, char **argv);
int ceremony_run_command(struct cli *c, int argc, char **argv);
int ceremony_note_command(struct cli *c, int argc, char **argv);

/* One HTML page without anything from outside: what was done, hashes in groups, a box for each person to sign by hand. n is the note that
 * the transcript was read from; file: the text of the ceremony's file, with its lines' numbers, or NULL. Of a rehearsal it is the sheet that
 * everybody reads along on the day. Appends. */
void ceremony_page(const struct transcript *t, const struct note *n, const char *file, struct buf *ret);

#endif

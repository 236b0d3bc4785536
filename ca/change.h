/*
 * What a roster or policy would change, told to the operator before it is taken, and to the log when it was.
 */
#ifndef HUFU_CA_CHANGE_H
#define HUFU_CA_CHANGE_H

#include "ca/signer.h"

/* CHANGE: judges a roster's or policy's note by the heads in force as taking it would (a policy's files are not looked at), and answers with the
 * difference. Nothing is recorded. */
MUST_CHECK enum err serve_change(struct signer *s, struct slice request, struct buf *reply, struct fault *f);
/* An audit event for each line of a difference. */
void change_log(const char *what, const struct buf *difference);

#endif

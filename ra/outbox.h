/*
 * The outbox: messages to people (SMS, mail). A message is put into the database in the transaction of what it tells of,
 * sealed, and a thread of its own hands it over, at least once: as a file of JSON in state/spool/, 0600, which a gateway
 * takes and removes. A file of the same name is the same message again.
 */
#ifndef HUFU_RA_OUTBOX_H
#define HUFU_RA_OUTBOX_H

#include "ra/desk.h"
#include "ra/store_outbox.h"

struct letter_word {
	const char *name, *value; /* {name} in the template */
};
struct letter {
	const char *channel;  /* "sms", "mail" */
	const char *to;
	const char *template; /* outbox_text.c */
	const struct letter_word *words;
	size_t n_words;
	int64_t lives_s;      /* it is of no use later */
};
/* In the call's transaction. A malformed number is recorded as unsendable, and nothing goes out. */
MUST_CHECK enum err outbox_post(struct ctx *c, const struct letter *l, struct fault *f);

/* A template with its words in their places. lang "zh" or "en". The template must be known (asserted). */
void outbox_text(const char *template, const char *lang, const struct letter_word *words, size_t n, struct buf *ret);

struct outbox; /* thread-safe */
MUST_CHECK enum err outbox_start(struct desk *d, struct outbox **ret, struct fault *f);
void outbox_stop(struct outbox *o);
/* Hands over all that is due, as the thread does it. *ret_n: how many went. */
MUST_CHECK enum err outbox_turn(struct desk *d, size_t *ret_n, struct fault *f);

#endif

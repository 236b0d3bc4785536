/*
 * The outbox: messages to people (SMS, mail). A message is put into the database in the transaction of what it tells of,
 * sealed, and handed over at least once: to a notifier that asks for it (notice.h), or, when ra.yaml names none, by a thread
 * of the desk as a file of JSON in state/spool/, 0600, which a gateway takes and removes. The same id is the same message again.
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
	const struct letter_word *words; /* without {telephone}, which is the account's desk's */
	size_t n_words;
	int64_t lives_s;      /* it is of no use later */
	int64_t account;      /* whom it is about, whose language it speaks; 0: nobody known */
};
/* In the call's transaction. A malformed number or address is recorded as unsendable, and nothing goes out. */
MUST_CHECK enum err outbox_post(struct ctx *c, const struct letter *l, struct fault *f);

/* A template with its words in their places. lang "zh" or "en". The template must be known (asserted). */
void outbox_text(const char *template, const char *lang, const struct letter_word *words, size_t n, struct buf *ret);
/* What a mail of that template is about. */
const char *outbox_subject(const char *template, const char *lang);
/* May officers read what was written? Not where a word is a secret of the person's. */
bool outbox_is_open(const char *template);

/* When a message that was tried so often and could not be sent is tried next. */
int64_t outbox_pause_s(int64_t tries);

struct outbox; /* thread-safe */
MUST_CHECK enum err outbox_start(struct desk *d, struct outbox **ret, struct fault *f);
void outbox_stop(struct outbox *o);
/* Hands over all that is due, as the thread does it; with a notifier, ends what is dead alone. *ret_n: how many went. */
MUST_CHECK enum err outbox_turn(struct desk *d, size_t *ret_n, struct fault *f);

#endif

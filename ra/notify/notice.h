/*
 * One message as the notifier has it, and what became of it.
 */
#ifndef HUFU_RA_NOTIFY_NOTICE_H
#define HUFU_RA_NOTIFY_NOTICE_H

#include "ra/store_outbox.h"

#include <jansson.h>

#include "common/base/cleanup.h"

/* All borrowed from the desk's answer. */
struct notice {
	const char *id;      /* hex: the same message has the same one each time */
	const char *to;      /* a mobile number or a mail address of a good form */
	const char *subject; /* of a mail; "" else */
	const char *text;    /* UTF-8 */
	const char *sender;  /* what the project signs its SMS with; "": it has not said */
	int64_t made, dies;
};
/* The desk's word is checked like any other: it goes into headers and commands. ERR_PARSE notice_form. */
MUST_CHECK enum err notice_read(json_t *o, bool mail, struct notice *ret, struct fault *f);

enum outcome_kind { OUTCOME_SENT, OUTCOME_LATER, OUTCOME_REFUSED };
struct outcome {
	enum outcome_kind kind;
	bool trouble; /* LATER for no reason of this message's: the next one would fare alike */
	char why[NOTICE_ERROR_MAX + 1];
};
extern const char *const outcome_words[]; /* as notice.done takes them, by kind */
/* detail: what the other side said, or ""; not a word of four characters and more that stands in the message goes on, so that no code comes back. */
struct outcome outcome_make(enum outcome_kind kind, bool trouble, const struct notice *n, const char *what, const char *detail);

#endif

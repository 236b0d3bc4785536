/*
 * Signature lines that come in, and notes that go out under the RA's own line.
 */
#ifndef HUFU_RA_NOTE_H
#define HUFU_RA_NOTE_H

#include "ra/request.h"

/* One line over a tally's text, read strictly. Zero state is empty. */
struct one_line {
	struct note note;  /* borrows bytes */
	struct buf bytes;  /* text, empty line, the line */
	char *line;        /* without its newline; owned */
};
void one_line_done(struct one_line *l);
MUST_CHECK enum err one_line_read(const char *tally, const char *line, struct one_line *ret, struct fault *f);

/* Does a subscriber's or new key's line hold? d has its keys (draw_load_keys()). Errors as proof_take(). */
MUST_CHECK enum err proof_check(struct ctx *c, const struct request *r, const struct draw *d, const char *line, struct fault *f);
/* Takes a subscriber's or new key's line: verified, stored once for each name. ERR_RULE signer_unknown, ERR_CRYPTO
 * subscriber_signature, new_key_signature. *ret_new false when a line of that name was there. */
MUST_CHECK enum err proof_take(struct ctx *c, const struct request *r, const struct draw *d, const char *line, bool *ret_new,
			       struct fault *f);

/* Signs the request's note with all its lines as RA and puts it into the queue to the signer. */
MUST_CHECK enum err note_hand_over(struct ctx *c, const struct request *r, struct fault *f);
/* A hand-over runs: what note_send() queues is sent by this very call. */
bool note_goes_at_once(const struct ctx *c);
/* The same for a request that nobody need look at any more: its row is recorded as sent, which the request is by EVENT_SEND then, and
 * brought when the call's transaction is durable. Where no hand-over runs it is queued. */
MUST_CHECK enum err note_send(struct ctx *c, const struct request *r, struct fault *f);
/* Makes, signs and queues the tally that lets the request's own tally die. Takes a tally that still waits out of the queue. */
MUST_CHECK enum err note_withdraw(struct ctx *c, const struct request *r, struct fault *f);

#endif

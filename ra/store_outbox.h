/*
 * Messages on their way out.
 */
#ifndef HUFU_RA_STORE_OUTBOX_H
#define HUFU_RA_STORE_OUTBOX_H

#include "ra/store.h"

#define MESSAGE_ID 32 /* characters */
#define RECIPIENT_MAX 320

struct message {
	char id[MESSAGE_ID + 1];
	char channel[8];                /* sms, mail */
	char recipient[RECIPIENT_MAX + 1];
	char template[32];
	struct buf sealed;              /* empty once it is sent or over */
	char state[12];                 /* waiting, sent, expired, unsendable */
	int64_t made, dies, tries, next_at;
};
void message_done(struct message *m);
MUST_CHECK enum err store_message_add(struct db *db, const struct message *m, struct fault *f);
/* The one that is due first. *ret_there false: none is. */
MUST_CHECK enum err store_message_due(struct db *db, int64_t now, bool *ret_there, struct message *ret, struct fault *f);
/* It has come to its end in that state; its text goes. */
MUST_CHECK enum err store_message_end(struct db *db, const char *id, const char *state, struct fault *f);
MUST_CHECK enum err store_message_later(struct db *db, const char *id, int64_t next_at, const char *error, struct fault *f);
/* How many wait, and since when the oldest does (0: none). */
MUST_CHECK enum err store_outbox_waiting(struct db *db, int64_t *ret_n, int64_t *ret_since, struct fault *f);
MUST_CHECK enum err store_outbox_purge(struct db *db, int64_t before, struct fault *f);

#endif

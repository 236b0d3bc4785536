/*
 * Messages on their way out.
 */
#ifndef HUFU_RA_STORE_OUTBOX_H
#define HUFU_RA_STORE_OUTBOX_H

#include "ra/store.h"

#define MESSAGE_ID 32 /* characters */
#define RECIPIENT_MAX 320
#define NOTICE_ERROR_MAX 300
#define LEASE_MAX 64

struct message {
	char id[MESSAGE_ID + 1];
	char channel[8];                /* sms, mail */
	char recipient[RECIPIENT_MAX + 1];
	char template[32];
	struct buf sealed;              /* empty once it is sent or dead */
	char state[12];                 /* waiting, sent, failed, expired, unsendable */
	int64_t account;                /* whom it is about; 0: nobody known */
	bool urgent;                    /* goes before what has time */
	int64_t made, dies, tries, next_at;
	int64_t leased;                 /* until then somebody is sending it; 0: nobody is */
	int64_t ended;                  /* when it was sent or failed; 0: not yet */
	char error[NOTICE_ERROR_MAX + 1]; /* of the last try */
};
void message_done(struct message *m);
/* next_at is when it may go first. */
MUST_CHECK enum err store_message_add(struct db *db, const struct message *m, struct fault *f);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_message_get(struct db *db, const char *id, struct message *ret, struct fault *f);
/* The one of that channel that is due first, urgent ones before others. *ret_there false: none is. */
MUST_CHECK enum err store_message_due(struct db *db, const char *channel, int64_t now, bool *ret_there, struct message *ret,
				      struct fault *f);
/* The one that lease has, while it runs. */
MUST_CHECK enum err store_message_leased(struct db *db, const char *lease, int64_t now, bool *ret_there, struct message *ret,
					 struct fault *f);
/* Nobody else gets it until then; a try is counted. */
MUST_CHECK enum err store_message_lease(struct db *db, const char *id, const char *lease, int64_t until, struct fault *f);
/* It was asked for once more under its lease: from now on store_message_unlease() leaves that alone. */
MUST_CHECK enum err store_message_hold(struct db *db, const char *id, struct fault *f);
/* As if that lease had never been: nobody heard of it. Without effect when it was asked for again, or is over. */
MUST_CHECK enum err store_message_unlease(struct db *db, const char *id, const char *lease, int64_t now, struct fault *f);
/* It was sent: whatever it was, that is true. Its text goes. */
MUST_CHECK enum err store_message_sent(struct db *db, const char *id, int64_t now, struct fault *f);
/* It was refused for good; its text stays until it dies, so that it can be tried again. */
MUST_CHECK enum err store_message_failed(struct db *db, const char *id, const char *error, int64_t now, struct fault *f);
/* A waiting one is due again then; so many tries more are counted. */
MUST_CHECK enum err store_message_later(struct db *db, const char *id, int64_t next_at, int64_t tries, const char *error,
					struct fault *f);
/* A failed one is due now, as if it were new. */
MUST_CHECK enum err store_message_again(struct db *db, const char *id, int64_t now, struct fault *f);
/* Is there a text of something dead? */
MUST_CHECK enum err store_messages_dead(struct db *db, int64_t now, bool *ret, struct fault *f);
/* Ends what waits and is dead; the texts of all that is dead go. *ret_n: how many waited in vain. */
MUST_CHECK enum err store_messages_expire(struct db *db, int64_t now, int64_t *ret_n, struct fault *f);

/* Newest first, at most limit; texts are not read. */
struct message_filter {
	const char *state, *channel; /* "" all */
	int64_t account;             /* 0 all */
	const char *view;            /* store_view.h: to whom; nobody known is everybody's */
	int64_t made;                /* older than (made, id) */
	const char *id;
	int64_t limit;
};
MUST_CHECK enum err store_messages(struct db *db, const struct message_filter *filter,
				   void (*fn)(void *arg, const struct message *m, const char *identifier), void *arg,
				   struct fault *f);
/* How many wait, and since when the oldest does (0: none); how many failed since. */
struct outbox_counts {
	int64_t waiting, since, failed;
};
MUST_CHECK enum err store_outbox_counts(struct db *db, int64_t failed_since, struct outbox_counts *ret, struct fault *f);
MUST_CHECK enum err store_outbox_purge(struct db *db, int64_t before, struct fault *f);

#endif

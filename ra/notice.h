/*
 * notice.*: the notifier's road (take, done) and what officers see of messages (list, show, retry).
 *
 * A message is taken under a lease that its taker names. Until the lease runs out nobody else gets it; taking again under the
 * same name gives the same message; when it runs out without a word the message is due again, under the same id.
 */
#ifndef HUFU_RA_NOTICE_H
#define HUFU_RA_NOTICE_H

#include "ra/desk.h"

extern const char *const notice_channel_words[], *const notice_result_words[], *const notice_state_words[];

enum err notice_take(struct ctx *c, json_t **ret, struct fault *f);
enum err notice_done(struct ctx *c, json_t **ret, struct fault *f);
enum err notice_list(struct ctx *c, json_t **ret, struct fault *f);
enum err notice_show(struct ctx *c, json_t **ret, struct fault *f);
enum err notice_retry(struct ctx *c, json_t **ret, struct fault *f);

#endif

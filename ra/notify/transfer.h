/*
 * One libcurl handle, kept for the messages of one worker: what both roads want of it, and nothing that the environment says.
 */
#ifndef HUFU_RA_NOTIFY_TRANSFER_H
#define HUFU_RA_NOTIFY_TRANSFER_H

#include "ra/notify/notice.h"

#include <curl/curl.h>

#define ANSWER_MAX 65536u

struct transfer {
	CURL *curl;
	struct buf answer; /* of an HTTP server, at most ANSWER_MAX */
	bool too_large;
};
/* Call curl_global_init() before. */
void transfer_open(struct transfer *t);
void transfer_close(struct transfer *t); /* accepts the zero state */
/* Everything as new but the connection: certificates are checked, by the CAs of that file or the system's (NULL); no redirect, no proxy; all
 * is over after so long, and when the message dies. */
void transfer_begin(struct transfer *t, const char *ca, int64_t timeout_s, const struct notice *n, int64_t now);

#endif

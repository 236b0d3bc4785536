/*
 * Between the two servers, front.c and http.c, and what they have in common: http_reply.c, http_later.c.
 */
#ifndef HUFU_RA_GATE_HTTP_PRIVATE_H
#define HUFU_RA_GATE_HTTP_PRIVATE_H

#include "ra/gate/http.h"

#include <microhttpd.h>

/* --- an answer --- */

#define HTTP_DATE_BYTES 32
/* IMF-fixdate, RFC 9110 5.6.7. Returns ret. */
const char *http_date(int64_t t, char ret[HTTP_DATE_BYTES]);

/* Where an answer's body is. */
enum http_body { BODY_NONE, BODY_BYTES, BODY_FIXED, BODY_FILE };
/* Of a file. */
struct http_part {
	uint64_t from, n;
};
/* What the request's conditions and range make of the answer: its status is the one to send then, and a file that is not sent is closed. */
enum http_body http_settle(const struct http_request *r, struct http_reply *to, struct http_part *ret);
/* Where header fields go. */
struct http_sink {
	void (*add)(void *to, const char *name, const char *value);
	void *to;
};
/* Of an answer that is settled: all but its length, date and connection. */
void http_fields(const struct http_reply *to, const struct http_part *part, const struct http_sink *m);

/* Finds the request's route and asks it. */
void http_dispatch(struct gate *g, const struct http_routes *routes, const struct http_request *r, struct http_reply *to);
void http_note_latency(struct gate *g, int64_t us);

/* --- answers that come later --- */

/* A request whose route has named another one that may wait; that one has answered when done is called, in one of the threads of http_later.c. */
struct later_job {
	struct http_request request;
	struct http_reply reply;
	void (*done)(struct later_job *j);
	struct later_job *next;
};
struct later;
/* Gives *ret: later_free(), after later_stop(). */
MUST_CHECK enum err later_start(struct gate *g, struct later **ret, struct fault *f);
/* False: too many wait; *j is untouched. */
bool later_push(struct later *l, struct later_job *j);
/* All that wait are answered first. Takes no more. */
void later_stop(struct later *l);
void later_free(struct later *l);

/* --- the front --- */

struct front;
/* Serves on the socket, which stays the caller's. Gives *ret: front_stop(). */
MUST_CHECK enum err front_start(struct gate *g, int fd, struct later *later, struct front **ret, struct fault *f);
/* Takes no new connection. */
void front_quiesce(struct front *t);
/* After later_stop(): ends what is idle, waits for what is being sent. */
void front_stop(struct front *t);

#endif

/*
 * The parts of the front: front.c, threads and their sockets; front_visitor.c, a connection's requests; front_answer.c, what is sent.
 */
#ifndef HUFU_RA_GATE_FRONT_PRIVATE_H
#define HUFU_RA_GATE_FRONT_PRIVATE_H

#include "ra/gate/http_private.h"
#include "ra/gate/http_text.h"

#include <pthread.h>
#include <stdatomic.h>

#define FRONT_READ (HTTP_HEAD_MAX + HTTP_BODY_MAX) /* as long as a request may be */

/* A request whose answer waits for the desk, with its octets. */
struct waiting {
	struct later_job job; /* first, since it is what comes back */
	struct visitor *visitor;
	struct http_text text;
	char *head;
	int64_t began;
	struct waiting *next; /* that were answered */
};

struct visitor {
	int fd;		/* -1: closed, and only waited for */
	uint32_t events; /* that are looked for */
	bool again;	 /* as much as there was room for has been read */
	struct loop *loop;
	struct visitor *prev, *next; /* by since */
	int64_t since; /* it came, a request began, was answered, or some of its answer was taken; monotonic us */
	/* A request that is not whole, or behind one whose answer is not sent. */
	struct buf in;
	size_t looked_at;	/* of its head */
	struct http_text *text; /* its head has been read, and is so long: */
	size_t head_n;
	/* An answer that is not sent: */
	struct buf out;
	size_t out_at;
	struct slice fixed;
	int file; /* 0: none */
	uint64_t file_at, file_n;
	struct waiting *waiting;
	size_t thrown; /* octets that came behind what was refused */
	bool closes;   /* behind this answer */
	bool unread;   /* what follows is not read as a request */
	struct visitor *held; /* the next one whose answer is held back */
	bool ends;     /* all is sent: what comes is thrown away until the other end has seen it */
};

/* A thread. What is not said to be others' is its own. */
struct loop {
	struct front *front;
	pthread_t thread;
	int epoll, bell;
	bool listens;
	int64_t now, swept;
	struct visitor *first, *last; /* the one that waits longest first */
	struct visitor *dead;	   /* events of this round may still name them */
	int to_come;		   /* events of this round */
	struct visitor *held, **held_end; /* their answers leave together, at this time or behind the last of the round: */
	int64_t held_until;
	size_t n_waiting;
	_Atomic size_t n; /* connections */
	char read[FRONT_READ];
	struct http_text text;
	struct buf out, body;
	int64_t dated;
	char date[HTTP_DATE_BYTES];
	/* from other threads: */
	pthread_mutex_t lock;
	struct visitor *come;
	struct waiting *answered;
};

struct front {
	struct gate *gate;
	struct later *later;
	int fd;
	_Atomic bool quiet, stopping;
	_Atomic size_t n;
	size_t n_loops, n_started;
	struct loop *loops;
};

/* --- front.c --- */

/* From any thread: its answer is there. */
void loop_tell(struct loop *l, struct waiting *w);

/* --- front_visitor.c --- */

/* Of a socket; its loop is to look for what comes. */
struct visitor *visitor_new(struct loop *l, int fd);
void visitor_begin(struct visitor *v);
void visitor_on_event(struct visitor *v, uint32_t events);
/* Answers it; frees it. */
void visitor_answered(struct waiting *w);
void visitor_close(struct visitor *v);
bool visitor_is_sending(const struct visitor *v);
/* Behind an answer that is sent: what had come already. */
void visitor_go_on(struct visitor *v);
void visitor_touch(struct visitor *v);
/* EPOLLIN: told of once, until all that has come is read. */
void visitor_look_for(struct visitor *v, uint32_t events);
/* Sends the answers that are held back. */
void visitor_let_go(struct loop *l);

/* --- front_answer.c --- */

/* Sends it, or what the socket takes of it. Takes its file; its body stays the caller's. */
void answer_give(struct visitor *v, const struct http_request *r, struct http_reply *to, bool is_head);
void answer_refuse(struct visitor *v, unsigned status, const char *why);
/* Sends more of what is left. */
void answer_push(struct visitor *v);
void answer_continue(struct visitor *v);

#endif

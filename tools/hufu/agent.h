/*
 * `hufu agent`: a person's own helper between a page in a browser and a token in a slot. It listens on this machine alone, talks to pages of named
 * origins that the person has paired with it, and asks the person, in its own window or terminal, before a key is used. A page is never what is
 * signed, and never sees a PIN.
 *
 * agent_http.c takes requests, agent_methods.c has the table, agent_pair.c knows who is paired, agent_ask.c asks the person, agent_token.c,
 * agent_sign.c, agent_unlock.c, agent_officer.c and agent_work.c do the work. agent_system.c has all calls of this operating system.
 */
#ifndef HUFU_TOOLS_AGENT_H
#define HUFU_TOOLS_AGENT_H

#include "tools/hufu/cmd_token.h"

#include <pthread.h>
#include <stdatomic.h>

#define AGENT_PORT 27183
#define AGENT_ORIGINS_MAX 16

/* --- who is paired (agent_pair.c): a token for an origin, kept as its hash --- */

#define PAIRING_MAX 32
#define PAIRING_DIGITS 6
#define PAIRING_TOKEN 64 /* hex characters */
#define PAIRING_WRONG 5	 /* wrong codes, then pairing is closed for a while */
#define PAIRING_CODES 10 /* shown in ten minutes and typed by nobody, then no page is heard until they are over */
struct pairing_kept {
	uint8_t sha256[32];
	char *origin; /* owned */
};
struct pairing {
	pthread_mutex_t lock; /* of all below */
	char *path;	      /* owned: a file 0600 */
	struct pairing_kept v[PAIRING_MAX];
	size_t n;
	char code[PAIRING_DIGITS + 1]; /* "": none is open */
	char *origin;		       /* owned: whom the open code was made for */
	int64_t until_us;
	unsigned wrong, shown; /* shown: codes since shown_since_us */
	int64_t closed_until_us, shown_since_us;
};
/* path is copied; no file: nobody is paired. ERR_PARSE pairing_file. */
MUST_CHECK enum err pairing_init(struct pairing *p, const char *path, struct fault *f);
void pairing_done(struct pairing *p);
/* A new code, good for five minutes and for that origin; an older one is void. ERR_DENIED pair_closed, pair_often. */
MUST_CHECK enum err pairing_begin(struct pairing *p, const char *origin, char ret_code[PAIRING_DIGITS + 1],
				  struct fault *f);
/* The code that was typed on the page. ERR_DENIED pair_code, pair_closed. */
MUST_CHECK enum err pairing_finish(struct pairing *p, const char *origin, const char *code,
				   char ret_token[PAIRING_TOKEN + 1], struct fault *f);
bool pairing_holds(struct pairing *p, const char *origin, const char *token);
/* Is it "https://host[:port]", or "http://" of this machine? Lower case, no path. */
bool origin_ok(const char *origin);

/* --- the agent --- */

struct agent {
	struct cli *cli;
	const char **origins; /* borrowed */
	size_t n_origins;
	unsigned port;
	const char *module, *program, *officer_key, *materials, *token_key, *escrow; /* borrowed, each may be NULL */
	struct pairing pairing;
	pthread_mutex_t busy; /* one call uses the module, or asks the person, at a time */
	atomic_bool asking;
};

/* --- asking the person (agent_ask.c) --- */

struct agent_question {
	const char *what;	/* a word for the program: "sign" */
	const char *text;	/* what it is about; nothing in it may fool a terminal */
	const char *asks;	/* the question itself */
	bool pin, new_pin;	/* wanted besides a yes */
	bool characters;	/* the ten characters of a key */
	bool code;		/* of an unlock, as its holder says it */
	const char *passphrase; /* the prompt for that of a key file; NULL: none is wanted */
};
struct agent_answer {
	struct secret pin, new_pin, characters, code, passphrase;
};
void agent_answer_done(struct agent_answer *a);
/* ERR_DENIED not_confirmed; ERR_CONFIG prompt_program. */
MUST_CHECK enum err agent_ask(struct agent *a, const struct agent_question *q, struct agent_answer *ret,
			      struct fault *f);
/* Shown, and no answer waited for. */
void agent_tell(struct agent *a, const char *what, const char *text);

/* --- a token in a slot (agent_token.c) --- */

/* The one that is wanted (`expect` of the call), or the only one that is plugged in. ERR_RULE token_other: another is; ERR_NOT_FOUND token_absent; ERR_CONFLICT
 * token_ambiguous. */
MUST_CHECK enum err agent_card(struct agent *a, json_t *params, enum token_use use, struct card *ret, struct fault *f);
/* Some libraries answer with no more than "it failed" when the token is gone: then it is said to be gone. Returns the fault's kind. */
enum err agent_pulled(struct agent *a, json_t *params, struct fault *f);
/* Which answers a log-in to it wants. */
void agent_card_wants(const struct card *k, struct agent_question *q);
/* What a question about it begins with: who asks, and which token is meant. Appended. */
void agent_card_text(const char *origin, const struct card *k, struct buf *ret);
/* Takes the PIN of the answer. */
MUST_CHECK enum err agent_card_login(struct card *k, struct agent_answer *answer, struct fault *f);
/* A new key on a token whose holder is logged in: {token, key, characters, csr}. */
MUST_CHECK enum err agent_card_key(struct card *k, const char *algorithm, json_t **ret, struct fault *f);

/* --- methods: arg is a struct agent_call --- */

struct agent_call {
	struct agent *agent;
	const char *origin; /* of the page that calls */
};
enum err agent_list(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_keygen(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_install(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_test(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_pin(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_sign(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_unlock_ask(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_unlock_next(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_unlock_set(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_unlock_forget(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);

enum err agent_approve(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_agree(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);
enum err agent_make(void *arg, struct rpc_call *call, json_t **ret, struct fault *f);

/* One request of a page of that origin (agent_methods.c). Appends the reply. */
void agent_handle(struct agent *a, const char *origin, struct slice request, struct buf *reply);

/* --- HTTP (agent_http.c) --- */

struct agent_http;
/* fd: listens. Gives *ret: agent_http_stop(). */
MUST_CHECK enum err agent_http_start(struct agent *a, int fd, struct agent_http **ret, struct fault *f);
void agent_http_stop(struct agent_http *h);

/* --- the operating system (agent_system.c) --- */

/* Listens on 127.0.0.1. ERR_CONFLICT agent_port. */
MUST_CHECK enum err agent_listen(unsigned port, int *ret_fd, struct fault *f);
/* Signals that end the agent are for agent_wait() alone from now on; what no PKCS#11 library needs is given up for good: any network, and other
 * programs unless runs_program. Before the first thread. */
MUST_CHECK enum err agent_walls(bool runs_program, struct fault *f);
/* Until the agent is to end. */
void agent_wait(void);
/* Runs it with these words, text on its standard input; *ret is what it wrote, at most max bytes, wiped by secret_done(). ERR_CONFIG prompt_program: it is not there,
 * failed, or took ten minutes. */
MUST_CHECK enum err agent_run(const char *program, const char *const *words, const char *text, size_t max,
			      struct secret *ret, struct fault *f);
/* The same without waiting for it. */
void agent_run_aside(const char *program, const char *const *words, const char *text);

int run_agent(struct cli *c, int argc, char **argv);

#endif

/*
 * Requests with their signature lines, history, and their hand-over to the signer.
 */
#ifndef HUFU_RA_STORE_REQUEST_H
#define HUFU_RA_STORE_REQUEST_H

#include "ra/store_material.h"
#include "ra/store_order.h"

#define REQUEST_ID (2 * TALLY_ID)
#define WHO_MAX 80

/* Where a token goes that the desk makes the key on. */
#define DELIVERY_NAME_MAX 120
#define DELIVERY_PHONE_MAX 20
#define DELIVERY_ADDRESS_MAX 400
struct delivery {
	char recipient[DELIVERY_NAME_MAX + 1]; /* "": the owner brings the key */
	char mobile[DELIVERY_PHONE_MAX + 1];    /* the carrier's to call */
	char address[DELIVERY_ADDRESS_MAX + 1];
};

struct request {
	char id[REQUEST_ID + 1]; /* the tally's id */
	int64_t account;         /* 0: opened by an officer */
	char kind[16], way[TALLY_WORD], project[TALLY_WORD], profile[TALLY_WORD];
	char state[20];
	int64_t cert;            /* predecessor; 0 for an enrolment */
	char *subject;           /* JSON: what the client asked to change; owned */
	int64_t months;
	char order[ORDER_ID_MAX + 1];
	struct buf csr;          /* DER; empty for the same key */
	char files[8];           /* "", no, yes, waived */
	bool notice;
	char reason[32];
	char key_seen[8];        /* how officers see the new key: "", token, paper, call, person */
	char collides[CERT_REF_TEXT_MAX + 1]; /* "<issuer key id> <SERIAL>" */
	int64_t hold;            /* release: the hold's ledger entry; -1: none */
	struct delivery delivery;
	char *tally;             /* text; owned */
	char policy[65];
	int64_t proof, officers; /* what is needed: enum proof bits, number of officers */
	int64_t made, dies;      /* dies 0: never by the clock */
	int64_t result;          /* certificate that came of it, 0: none */
	char refusal_rule[40], refusal_where[96], refusal_text[600];
};
void request_done(struct request *r);

MUST_CHECK enum err store_request_get(struct db *db, const char *id, struct request *ret, struct fault *f);
/* Without subject and tally (NULL) and csr (empty): what most of its moves need. */
MUST_CHECK enum err store_request_head(struct db *db, const char *id, struct request *ret, struct fault *f);
/* Whose it is and where it stands. */
struct request_stand {
	int64_t account; /* 0: nobody's */
	char state[20];
};
MUST_CHECK enum err store_request_stand(struct db *db, const char *id, struct request_stand *ret, struct fault *f);
MUST_CHECK enum err store_request_add(struct db *db, const struct request *r, struct fault *f);
/* Everything that a draft may still change. */
MUST_CHECK enum err store_request_redraw(struct db *db, const struct request *r, struct fault *f);
MUST_CHECK enum err store_request_state(struct db *db, const char *id, const char *state, struct fault *f);
MUST_CHECK enum err store_request_refusal(struct db *db, const char *id, const char *rule, const char *where,
					  const char *text, struct fault *f);
/* The state that the signer's certificate brings (cert 0: none was asked for); a refusal is forgotten. */
MUST_CHECK enum err store_request_result(struct db *db, const char *id, const char *state, int64_t cert, struct fault *f);

#define COURSE_NUMBER_MAX 31 /* "20261123-7K2M9QXA4BCD" */

struct course {
	char number[COURSE_NUMBER_MAX + 1];
	char replaces[REQUEST_ID + 1];    /* the request that this one corrects, "" none */
	char replaced_by[REQUEST_ID + 1]; /* the request that corrects this one, "" none */
	char entered_by[WHO_MAX];         /* an officer who opened it: name of the roster, or "uid:1002"; "" its owner */
	int64_t submitted, due;           /* 0: not yet, none */
	char claimant[WHO_MAX];           /* "" nobody */
	int64_t claim_ends;
};

/* What lists show. */
struct request_item {
	char id[REQUEST_ID + 1], kind[16], way[TALLY_WORD], project[TALLY_WORD], profile[TALLY_WORD],
		state[20], policy[65];
	struct cert_ref ref; /* predecessor; without a serial for an enrolment */
	int64_t officers, officers_have, made, dies;
	char organisation[ORGANISATION_MAX + 1]; /* "" when an officer opened it */
	struct course course;
};
typedef void request_item_fn(void *arg, const struct request_item *item);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err store_request_item(struct db *db, const char *id, struct request_item *ret, struct fault *f);
/* Of an account; state "" all. Newest first. */
MUST_CHECK enum err store_requests_of(struct db *db, int64_t account, const char *state, int64_t limit, int64_t offset,
				      request_item_fn *fn, void *arg, int64_t *ret_total, struct fault *f);
/* How many of the account's are not final. */
MUST_CHECK enum err store_requests_open(struct db *db, int64_t account, int64_t *ret, struct fault *f);
/* Holds that were asked since then. */
MUST_CHECK enum err store_requests_holds(struct db *db, int64_t since, int64_t *ret, struct fault *f);
/* Ids of requests that no hand-over holds and whose time is over, at most max. */
MUST_CHECK enum err store_requests_dead(struct db *db, int64_t now, char (*ret)[REQUEST_ID + 1], size_t max,
					size_t *ret_n, struct fault *f);

/* --- signature lines: part is subscriber, new-key or officer -------------------------------------------------- */

#define LINE_MAX_BYTES 1200
/* A name twice: ERR_CONFLICT. */
MUST_CHECK enum err store_line_add(struct db *db, const char *request, const char *part, const char *name,
				   const char *line, int64_t now, struct fault *f);
MUST_CHECK enum err store_lines_count(struct db *db, const char *request, const char *part, int64_t *ret,
				      struct fault *f);
/* Subscriber's, new key's, then officers' lines by name, each with its newline. Appends. */
MUST_CHECK enum err store_lines(struct db *db, const char *request, struct buf *ret, struct fault *f);

/* --- history ---------------------------------------------------------------------------------------------------- */

MUST_CHECK enum err store_history_add(struct db *db, const char *request, int64_t now, const char *event,
				      const char *before, const char *after, const char *who, const char *detail,
				      struct fault *f);
struct history_item {
	int64_t at;
	const char *event, *before, *after, *who, *detail; /* borrowed for the call */
};
/* Of all requests that have the request's number, oldest first. course: its own, as it is now. */
MUST_CHECK enum err store_history(struct db *db, const char *request, const struct course *course,
				  void (*fn)(void *arg, const struct history_item *item), void *arg, struct fault *f);

/* --- hand-over: what is one of "tally", "withdraw" ---------------------------------------------------------------- */

struct handover {
	int64_t id;
	char request[REQUEST_ID + 1], what[16], state[8]; /* queued, sent, done */
	struct buf note, csr;
	int64_t tries;
};
void handover_done(struct handover *h);
/* sent: it is recorded as such at once. A second one of the same kind for the request is left out in silence: then *ret_id is 0. */
MUST_CHECK enum err store_handover_add(struct db *db, const char *request, const char *what, bool sent,
				       struct slice note, struct slice csr, int64_t now, int64_t *ret_id, struct fault *f);
/* Ids that are due, oldest first; a request's tally before its withdrawal. */
MUST_CHECK enum err store_handover_due(struct db *db, int64_t now, int64_t *ret, size_t max, size_t *ret_n,
				       struct fault *f);
MUST_CHECK enum err store_handover_get(struct db *db, int64_t id, struct handover *ret, struct fault *f);
MUST_CHECK enum err store_handover_sent(struct db *db, int64_t id, struct fault *f);
MUST_CHECK enum err store_handover_retry(struct db *db, int64_t id, int64_t next_at, const char *error, struct fault *f);
/* What waits for another try is due, by whatever clock. */
MUST_CHECK enum err store_handover_hurry(struct db *db, struct fault *f);
MUST_CHECK enum err store_handover_done(struct db *db, int64_t id, const char *error, struct fault *f);
/* The ledger answered before the wire did. */
MUST_CHECK enum err store_handover_settled(struct db *db, const char *request, const char *what, struct fault *f);
/* The note that was handed over, or waits to be. Appends; nothing when there is none. */
MUST_CHECK enum err store_handover_note(struct db *db, const char *request, const char *what, struct buf *ret,
					struct fault *f);
/* When the next one is due; INT64_MAX when none. */
MUST_CHECK enum err store_handover_next(struct db *db, int64_t *ret, struct fault *f);
MUST_CHECK enum err store_handover_count(struct db *db, int64_t *ret, struct fault *f);

#endif

/*
 * The life of a request: a table of states and events.
 */
#ifndef HUFU_RA_REQUEST_STATE_H
#define HUFU_RA_REQUEST_STATE_H

#include "ra/store_request.h"

enum request_state {
	REQUEST_NONE, /* no such transition */
	REQUEST_DRAFTED,
	REQUEST_AWAITING_PROOF,
	REQUEST_AWAITING_OFFICERS,
	REQUEST_APPROVED,
	REQUEST_SENT,
	REQUEST_TO_CORRECT, /* officers asked its owner for a correction; its tally is dead */
	REQUEST_OPENED,     /* a recovery case, or an unlock */
	REQUEST_AT_CENTRE,  /* the key centre has it */
	REQUEST_TO_MAKE,    /* handed in, and the desk is to make its key on a token */
	REQUEST_KEYED,      /* the token has the key, the tally waits for that key's line */
	REQUEST_TO_SHIP,    /* officers have signed; the token is to be packed and shipped */
	REQUEST_IN_POST,    /* nothing goes to the signer before its owner has the token */
	REQUEST_LAPSED,     /* its tally died on the way: another, with the same key, is to be signed */
	REQUEST_SEALED,     /* an unlock: the PUK is sealed to the client's key */
	REQUEST_RELEASED,   /* and was handed out */
	REQUEST_ISSUED,
	REQUEST_REFUSED,
	REQUEST_WITHDRAWN,
	REQUEST_EXPIRED,
	REQUEST_DONE,       /* the desk's record was changed */
	REQUEST_DELIVERED,  /* the key centre delivered */
	REQUEST_NO_COPY,    /* it holds none */
	REQUEST_WAIVED,     /* the owner gave the files up, in writing */
	REQUEST_FAILED,     /* an unlock that came to nothing */
	REQUEST_CORRECTED,  /* another request of the same number took its place */
	REQUEST_STATE_N
};
enum request_event {
	EVENT_EDIT,      /* the owner changes the draft, or its materials */
	EVENT_PROVE,     /* a subscriber's or new key's line */
	EVENT_SUBMIT,    /* officers are to judge */
	EVENT_PASS,      /* submitted, and no officer is needed */
	EVENT_APPROVE,   /* one officer's line, more are needed */
	EVENT_ENOUGH,    /* the last officer's line */
	EVENT_REJECT,    /* an officer says no */
	EVENT_CORRECT,   /* an officer asks for a correction */
	EVENT_DECIDE,    /* an officer's yes to what needs no certificate */
	EVENT_CENTRE,    /* a recovery case went to the key centre */
	EVENT_DELIVER,
	EVENT_NO_COPY,
	EVENT_WAIVE,
	EVENT_SEAL,      /* an officer's yes to an unlock */
	EVENT_RELEASE,   /* the PUK is handed out */
	EVENT_UNLOCK,    /* the client says: done */
	EVENT_FAIL,      /* or that it came to nothing */
	EVENT_REPLACE,   /* its owner begins the corrected one */
	EVENT_COMMISSION, /* submitted, and the desk makes the key */
	EVENT_KEY,       /* the key is on a token, and the tally names it */
	EVENT_TO_SHIP,   /* the last officer's line, and the token is at the desk */
	EVENT_PACK,      /* the token lies in its parcel */
	EVENT_SHIP,      /* the parcel has gone */
	EVENT_RETURN,    /* it came back */
	EVENT_RECEIVE,   /* its owner has the token */
	EVENT_LOSE,      /* it never arrived: the key is given up */
	EVENT_CLOSE,     /* the same, and so is the request */
	EVENT_AGAIN,     /* the token can't be used: the key is given up */
	EVENT_RENEW,     /* another tally for the same key takes its place */
	EVENT_LAPSE,     /* the tally's time is over, the key's is not */
	EVENT_WITHDRAW,  /* the owner takes it back */
	EVENT_EXPIRE,    /* its time is over */
	EVENT_SEND,      /* handed to the signer */
	EVENT_DONE,      /* the signer did it, by its answer or its ledger */
	EVENT_REFUSE,    /* the signer refused it */
	EVENT_DIE,       /* the ledger says it was withdrawn */
	EVENT_N
};
const char *request_state_word(enum request_state state);
/* REQUEST_NONE for a word that is none. */
enum request_state request_state_from_word(const char *word);
bool request_state_is_final(enum request_state state);
/* It is with the officers. */
bool request_state_waits(enum request_state state);
/* Where an event leads; REQUEST_NONE: not possible in that state. */
enum request_state request_next(enum request_state state, enum request_event event);

/* Moves the request and writes its history, in the caller's transaction. ERR_RULE request_state when the event is not possible
 * now; the text says when it is. ret_after may be NULL. */
MUST_CHECK enum err request_move(struct db *db, const char *id, const char *state_word, enum request_event event, int64_t now,
				 const char *who, const char *detail, enum request_state *ret_after, struct fault *f);
struct request_step {
	enum request_event event;
	const char *who; /* by whom */
};
/* The same by several events at once, one after the other: each is in the history. */
MUST_CHECK enum err request_move_on(struct db *db, const char *id, const char *state_word, const struct request_step *steps, size_t n,
				    int64_t now, const char *detail, enum request_state *ret_after, struct fault *f);
/* EVENT_DONE, with the certificate that the signer made (0: none was asked for). */
MUST_CHECK enum err request_issued(struct db *db, const char *id, const char *state_word, int64_t cert, int64_t now, const char *who,
				   struct fault *f);

#endif

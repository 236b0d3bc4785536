/*
 * The desk: what all methods share, and the road of a call through it.
 *
 * A method either reads (a snapshot), changes (one transaction with the call's stored answer), or does both by itself.
 * Each ra/api_<noun>.c is a table of them.
 */
#ifndef HUFU_RA_DESK_H
#define HUFU_RA_DESK_H

#include "common/base/puk.h"
#include "common/note/checkpoint.h"
#include "common/note/person.h"
#include "common/rpc/jsonrpc.h"
#include "ra/bell.h"
#include "ra/config.h"
#include "ra/law.h"
#include "ra/store_keys.h"
#include "ra/store_request.h"
#include "ra/store_session.h"

/* After jansson, so that its helper is declared. */
#include "common/base/cleanup.h"

struct status_index; /* what status.query answers from (status_index.h) */
struct root_watch; /* (root_watch.h) */
struct signer_view; /* what the signer said last (signer.h) */
struct handover_pool;
struct ahead; /* what was done of a call before its change (ahead.h) */

struct desk {
	struct ra_config config;
	struct store *store;
	struct status_index *status;
	struct root_watch *root;        /* what the root has revoked */
	struct laws *laws;
	struct person_key key;          /* the RA's */
	struct log_key log_key;         /* of the signer's ledger */
	_Atomic bool forked;            /* the ledger is not the one that was followed: no more work is taken */
	_Atomic unsigned resumed;       /* how often it was followed anew: what was asked before says nothing now */
	_Atomic bool cut;               /* the signer did not answer a tally: when it answers again, what waits is due */
	struct secret provider_secret;  /* of payments online; empty without a provider */
	struct puk_key token_key;       /* that PUKs are sealed to; when config.token_key is there */
	struct rpc_client *signer;
	struct signer_view *view;
	struct handover_pool *handover; /* NULL until it runs */
	struct password_guard *passwords;
	struct bell *finished;          /* rung when a request has become final, in its lane */
	struct bell *followed;          /* rung when entries of the ledger were applied, in lane 0 */
	_Atomic uint64_t followed_next; /* entries applied so far by this process; 0 until the first */
	struct bell *posted;            /* rung when a message was put into the outbox, in lane 0 */
	char *materials;                /* folder */
	struct vault *vault;            /* their keys and files */
	char *spool;                    /* folder: messages that go out */
	/* Made from the RA's key, so that the database alone tests no password and tells no code. */
	uint8_t call_key[32];           /* of call digests */
	uint8_t code_key[32];           /* of the hashes of codes */
	uint8_t seal_key[32];           /* of messages in the outbox */
	struct rpc_method *methods;     /* all, for common/rpc */
	struct rpc_message *messages;
	struct jsonrpc_config rpc;
};
/* Opens state, law, key and the signer's client (which needs no signer yet). config is taken. Gives *ret: desk_close(). */
MUST_CHECK enum err desk_open(struct ra_config *config, struct desk **ret, struct fault *f);
void desk_close(struct desk *d);
static inline void desk_closep(struct desk **d) { if (*d) desk_close(*d); *d = NULL; }
/* So many calls may hold a thread and wait, without keeping others from their turn: the server has as many workers more. */
#define DESK_WAITERS 64
#define DESK_NOTIFIERS 16 /* of them wait for messages to people */
#define DESK_GATES 16	  /* of them wait for the ledger to grow */
/* An rpc_handler and an rpc_taker; arg is the desk. */
bool desk_at_once(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply); /* an rpc_quick */
void desk_handle(void *arg, const struct rpc_peer *peer, struct slice request, struct buf *reply);
bool desk_take(void *arg, const struct rpc_peer *peer, struct rpc_ticket *t, struct slice request, struct buf *reply);

/* --- one call ----------------------------------------------------------------------------------------------------- */

struct ctx {
	struct desk *desk;
	struct law *law;
	struct rpc_call *call;
	struct db *db;                 /* of the snapshot or transaction; NULL in a method that manages its own */
	const struct session *session; /* NULL when the method has none */
	const uint8_t *token;          /* SHA-256 of the session's token */
	struct db **found_in;          /* the snapshot that the session was found in, for the first desk_read(); NULL, or to NULL: there is none */
	int64_t now;
	struct lanes ended;            /* requests that this call ends: rung after its transaction */
	bool queued;                   /* it put something into the queue to the signer */
	int64_t tally;                 /* the row of a tally that it put there; 0: none */
	struct handover going;         /* a tally that it recorded as sent, to be brought to the signer once that is durable; id 0: none */
	bool posted;                   /* it put something into the outbox */
	char who[WHO_MAX];             /* "account:35353550-9", "uid:1001" */
	char caller[WHO_MAX];          /* whose call ids these are: who, but of a method that changes who that is */
	const char *address;           /* of the person at the portal, as the portal says; NULL when it says none */
	void *work;                    /* what a method hands to its own transaction */
	struct ahead *ahead;           /* NULL when the method does nothing before its change */
	struct {                       /* of MODE_AWAIT */
		unsigned lane;         /* of desk->finished */
		int64_t until_us;      /* by clock_mono_us() */
		bool over;             /* there is nothing more to wait for: an answer is wanted */
	} wait;
};
typedef enum err desk_fn(struct ctx *c, json_t **ret, struct fault *f);
/* What fn is: it reads, in a snapshot; changes, in a transaction; reads, in a snapshot, and gives an answer or none: then it is asked
 * again when c->wait.lane has rung, and at the end; or it does both by itself. */
enum desk_mode { MODE_READ, MODE_CHANGE, MODE_AWAIT, MODE_OWN };
struct desk_method {
	struct rpc_method rpc; /* fn is filled in by the desk */
	enum desk_mode mode;
	bool with_initial;     /* open to a session that must set its password, or choose its organisation, first */
	desk_fn *fn;
	void (*ahead)(struct ctx *c); /* MODE_CHANGE: runs before the transaction, NULL: nothing does; MODE_AWAIT: sets c->wait */
};
/* The methods of one noun (ra/api_<noun>.c), and what people read for its rules. */
struct desk_part {
	const struct desk_method *methods;
	size_t n_methods;
	const struct rpc_message *messages;
	size_t n_messages;
};
extern const struct desk_part
	api_account,
	api_admin,
	api_audit,
	api_edge,
	api_material,
	api_notice,
	api_order,
	api_parcel,
	api_payment,
	api_receipt,
	api_request,
	api_review, api_case,
	api_service,
	api_status,
	api_token,
	api_unlock,
	desk_messages;
/* All of them, one after the other; NULL past the last. */
const struct desk_method *desk_method_at(size_t i);
const struct rpc_message *desk_message_at(size_t i);
/* NULL when there is none of this name. */
const struct desk_method *desk_method_named(const char *name);
const struct rpc_message *desk_message_of(const char *rule);

/* The OpenRPC document, as rpc.discover answers it; needs no desk. Gives: json_decref(). */
json_t *desk_openrpc(void);

/* Runs fn in one transaction with the answer stored under the call's id; a repeated call gives the stored answer, or
 * ERR_CONFLICT call_id_reused when its parameters differ. For methods of MODE_OWN. */
MUST_CHECK enum err desk_change(struct ctx *c, desk_fn *fn, json_t **ret, struct fault *f);
/* The same also while no work is taken because the ledger is not the one that was followed. */
MUST_CHECK enum err desk_change_forked(struct ctx *c, desk_fn *fn, json_t **ret, struct fault *f);
/* What this call was answered with when it came before: NULL when it has not. For methods of MODE_OWN that check something
 * which can be used once only, before desk_change(). Gives *ret. */
MUST_CHECK enum err desk_answered(struct ctx *c, json_t **ret, struct fault *f);
/* A transaction whose result is no answer: counting a try, say. */
MUST_CHECK enum err desk_write(struct ctx *c, desk_fn *fn, struct fault *f);
/* Runs fn in a snapshot: the session's own, when the call has not read before. */
MUST_CHECK enum err desk_read(struct ctx *c, desk_fn *fn, json_t **ret, struct fault *f);

/* Parameters, checked against the table before: absent is NULL, def, false. Borrowed. */
const char *param_text(const struct ctx *c, const char *name);
int64_t param_number(const struct ctx *c, const char *name, int64_t def);
bool param_true(const struct ctx *c, const char *name);
#define PER_PAGE 5 /* rows of a page when the asker does not say */
/* Page and per_page as limit and offset: of lists of one account. */
void param_page(const struct ctx *c, int64_t *ret_limit, int64_t *ret_offset);
/* The same for a list that may be long: behind `after` (what a page before gave as `next`), page among the first thousand there.
 * ERR_PARSE list_after, ERR_LIMIT page_deep. */
MUST_CHECK enum err param_list(const struct ctx *c, int64_t per_page, struct list_page *ret, struct fault *f);
/* total and counted (is it all of them?), and next when rows follow. */
void list_end_put(const struct list_end *end, json_t *o);
/* A text for people, without controls and invisible characters: ERR_PARSE param_characters. */
MUST_CHECK enum err param_clean(const struct ctx *c, const char *name, const char **ret, struct fault *f);
/* A member of an object inside a list: a string of at most max bytes of UTF-8 without controls. ERR_PARSE names it. */
MUST_CHECK enum err member_text(json_t *object, const char *where, const char *name, bool required, size_t max,
				const char **ret, struct fault *f);

/* "2026-11-23T00:00:00Z". */
json_t *json_time(int64_t t);
json_t *json_hex(const uint8_t *p, size_t n);
json_t *json_bilingual(const struct bilingual *b);
json_t *json_base64(struct slice bytes);

/* Audit line in the database (in the call's transaction) and in the log. */
MUST_CHECK enum err desk_audit(struct ctx *c, const char *what, const char *object, const char *detail, struct fault *f);
/* This caller has that role? */
bool caller_is(const struct ctx *c, enum desk_role role);

#endif

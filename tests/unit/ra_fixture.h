/*
 * A whole desk in a temporary folder for tests: roster (officers alice, bob and carol, dave of another project, one RA),
 * the shipped policy bundle, and a signer that is played: it keeps a ledger in memory, issues without judging, and can be
 * told to fail. Calls go through the desk's handler, as JSON, from any peer.
 */
#ifndef HUFU_TEST_RA_FIXTURE_H
#define HUFU_TEST_RA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/pki/sign.h"
#include "common/rpc/wire.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "ra/desk.h"

#include <pthread.h>

#define NOW INT64_C(1795392000) /* 2026-11-23T00:00:00Z */
#define DAY INT64_C(86400)
#define ORG_CODE "35353550-9"
#define ORG_SERIAL "74C2008800000AE9"
#define OTHER_CODE "91110000802100433B"
#define OTHER_SERIAL "74C2008800000AEA"
#define NEW_CODE "913301003535355023"
#define NEW_NAME "杭州田谷新"
#define INITIAL "88888888"
#define PROVIDER_SECRET "the provider's secret of the tests"
#define PASSWORD "tiger-tally-2026"
#define PORTAL_TOKEN "portal-token-of-the-tests" /* for project jinhua */
#define ORG_MOBILE "13858011084"
#define OTHER_MOBILE "13900000002"

enum fx_uid { UID_SUBSCRIBER = 1001, UID_OFFICER = 1002, UID_ADMIN = 1003, UID_PORTAL = 1004, UID_OTHER = 1005, UID_BOB = 1006 /* officer bob, by ra.yaml */, UID_NOTIFIER = 1007, UID_NARROW = 1008 /* officer who sees project hangzhou */, UID_GATE = 1009, UID_NOBODY = 4000 };

/* --- the signer that is played --------------------------------------------------------------------------------------- */

struct fake {
	pthread_mutex_t lock; /* of all below */
	struct rpc_server *server;
	struct buf *entries;
	size_t n_entries;
	EVP_PKEY *key; /* of the CA */
	struct pubkey public_key;
	uint8_t policy[32], roster[32];
	bool locked;
	unsigned n_tallies;        /* that came, repeated ones too */
	unsigned n_follows;        /* polls that came */
	unsigned fail;             /* so many tallies are answered by this fault… */
	struct fault fault;
	bool fail_after;           /* …after they were done all the same */
	unsigned n_issued;
	bool other_log_key;        /* checkpoints are signed by somebody else */
	bool bad_root;             /* they say another root */
	bool waits;                /* for its operator's word */
	uint64_t restored;         /* index of the word, plus 1 */
	struct buf seen;           /* the checkpoint that it was shown last */
	struct buf issuer_cert, retired; /* as its health has them; empty: it does not say */
	char last_id[2 * TALLY_ID + 1];
};

/* --- the desk ----------------------------------------------------------------------------------------------------------- */

struct fx_org {
	EVP_PKEY *key;
	struct pubkey public_key;
	uint8_t issuer[20];
	struct serial serial;
};
struct fx {
	char dir[40];
	struct desk *desk;
	struct fake signer;
	struct fx_org org, other;
	EVP_PKEY *new_key;
	unsigned n_calls;
	char *session, *other_session; /* of the two organisations, when logged in */
	const char *yaml;              /* more lines of ra.yaml */
	const char *first_login_proof; /* NULL: as shipped */
	const char *picture_code;      /* NULL: never */
	const char *second_project;    /* contact's lines of project hangzhou; NULL: there is none */
};
/* The clock is set to NOW. The two organisations are adopted and imported; service 20353 of the first has expired, 20354
 * of the other is active. Nobody is logged in. */
struct fx *fx_new(void);
void fx_free(struct fx *x);
static inline void fx_freep(struct fx **x) { if (*x) fx_free(*x); *x = NULL; }
/* As a crash: the desk is gone without a word and opened anew. */
void fx_restart(struct fx *x);
/* Logs both organisations in: proof by the old certificate's key, their mobile bound, a password of their own. */
void fx_log_in(struct fx *x);
/* Logs an account in for the first time, by an officer's code, with that mobile and a password of its own. Gives the
 * session: free(). */
char *fx_log_in_as(struct fx *x, enum fx_uid uid, const char *code, const char *mobile);
/* A session by the initial password. Gives the token: free(). */
char *fx_enter(struct fx *x, enum fx_uid uid, const char *code);
/* The session's proof by the key of an organisation's certificate: parameters of account.prove. */
json_t *fx_prove_params(struct fx *x, enum fx_uid uid, const char *session, const struct fx_org *org);
/* Binds the mobile and sets the password, in a session that has proved: parameters of account.reset. */
json_t *fx_reset_params(struct fx *x, enum fx_uid uid, const char *session, const char *mobile);
/* The newest message of a template to somebody, as the spool has it, and all of theirs of that template are taken away. NULL:
 * there is none. Gives. */
json_t *fx_message(struct fx *x, const char *to, const char *template);
/* The six digits of the newest code to a number (a message must be there), or the code that freezes a binding. */
void fx_sms_code(struct fx *x, const char *mobile, char ret[7]);
void fx_freeze_code(struct fx *x, const char *mobile, char ret[20]);
/* More lines for ra.yaml, and the desk is opened anew; first_login_proof of the project jinhua, likewise. */
void fx_configure(struct fx *x, const char *yaml);
void fx_picture_code(struct fx *x, const char *word);
void fx_first_login_proof(struct fx *x, const char *word);
/* A project hangzhou beside jinhua, the same but for its name and those of its desk's lines (telephone, emergency, sms_sender); the other organisation's
 * services and certificates become its. The desk is opened anew. */
void fx_second_project(struct fx *x, const char *contact);
/* Reads the ledger to its end. */
void fx_follow(struct fx *x);
/* Sends what is due, once each. */
void fx_hand_over(struct fx *x);
/* The played signer answers again after rpc_server_stop(). */
void fx_start_signer(struct fx *x);

/* One call. params is taken; call_id is added when the method changes and has none. Gives the whole reply. */
json_t *fx_call(struct fx *x, enum fx_uid uid, const char *method, json_t *params);
/* Must succeed: gives the result. */
json_t *fx_do(struct fx *x, enum fx_uid uid, const char *method, json_t *params);
/* Must be refused by that rule; the error is checked for its parts. */
void fx_refused(struct fx *x, enum fx_uid uid, const char *method, json_t *params, const char *rule);
/* The one number that a query of the desk's database yields. */
int64_t fx_number(struct fx *x, const char *sql);
/* Text member, "" when absent. */
const char *fx_text(json_t *o, const char *key);

/* Orders the renewal of a service, pays and confirms it. Gives the order's id: free(). */
char *fx_paid_order(struct fx *x, const char *session, const char *service);
/* Drafts of the first organisation. Gives the request's id: free(). */
char *fx_extend(struct fx *x, const char *order, int months);
char *fx_change(struct fx *x);
char *fx_revoke(struct fx *x);
json_t *fx_extend_params(struct fx *x, const char *order, int months);
json_t *fx_change_params(struct fx *x);
/* The CSR of a key with an empty subject, PEM. Gives: free(). */
char *fx_csr(EVP_PKEY *key);
/* A service of the first organisation that has no certificate yet. */
void fx_service(struct fx *x, const char *id);
/* Parameters of reissue ("lost", "damaged") and of a first certificate for the first organisation, with new_key. */
json_t *fx_reissue_params(struct fx *x, const char *way);
json_t *fx_enrol_params(struct fx *x, const char *order, const char *code);
/* A material of that name, a small PDF. */
void fx_material(struct fx *x, const char *request, const char *name);
/* The subscriber's line over the request's tally. Gives: free(). */
char *fx_sub_line(struct fx *x, const char *request, EVP_PKEY *key);
/* An officer's (or any person's) line. Gives: free(). */
char *fx_officer_line(struct fx *x, const char *request, const char *name);
void fx_prove(struct fx *x, const char *request);
void fx_submit(struct fx *x, const char *request);
void fx_approve(struct fx *x, const char *request, const char *officer);
/* State of a request of the first organisation, as request.show says it. */
void fx_state(struct fx *x, const char *request, const char *wanted);

/* An entry of the ledger, as the signer would append it. */
void fx_append(struct fx *x, const struct buf *entry);
void fx_append_revoked(struct fx *x, const struct fx_org *org, bool ended, unsigned reason, int64_t when);
/* A file of text in the fixture's folder. */
void fx_write(struct fx *x, const char *name, const char *text);

#endif

/*
 * The ledger: entries that are only ever appended, each durable before anybody hears of it, and narrow tables derived
 * from them.
 *
 * One writer thread runs queued operations; many of them share a transaction and its flush (group commit). An operation
 * that fails leaves nothing and disturbs nobody. ledger_do() returns
 * after the flush. Every function of the tables takes a struct db: a reader's connection, or the transaction's own
 * (tx->db), so that the very check that a worker made can be made again inside the transaction. All SQL of the signer
 * is in ledger*.c.
 */
#ifndef HUFU_CA_LEDGER_H
#define HUFU_CA_LEDGER_H

#include "common/db/db.h"
#include "common/note/checkpoint.h"
#include "common/note/feed.h"
#include "common/note/tally.h"
#include "common/rpc/wire.h"

#define LEDGER_NONE UINT64_MAX /* no entry */
#define LEDGER_MAX_JUMP 3600   /* seconds that the clock may jump before the operator is asked */

struct ledger;

/* --- the file and the writer (ledger.c) --- */

/* Opens dir/ledger.db and takes dir/ledger.lock: another signer on it is ERR_CONFIG ledger_locked. create: makes a new
 * one and refuses an existing one (ERR_CONFLICT); else a missing one is ERR_CONFIG. Starts the writer thread. Gives
 * *ret: ledger_close(). */
MUST_CHECK enum err ledger_open(const char *dir, bool create, struct ledger **ret, struct fault *f);
/* Finishes what is queued. */
void ledger_close(struct ledger *l);
static inline void ledger_closep(struct ledger **l)
{
	if (*l)
		ledger_close(*l);
	*l = NULL;
}

/* Whether it waits for the operator's word, and what the last words were about. */
struct ledger_standing {
	bool waits;
	uint64_t restored; /* index of the last E_RESTORED, plus 1; 0: none */
	int64_t at;	   /* tallies made until then are of the time before */
	uint64_t lost_to;  /* the largest checkpoint that was known at any of them */
};
/* A running transaction. Only the writer thread has one. */
struct ledger_tx {
	struct db *db;
	int64_t at;    /* time of this transaction's entries: never below the last entry's */
	uint64_t next; /* index of the next entry */
	uint64_t first; /* of this transaction's entries */
	struct buf leaves; /* their hashes */
	uint32_t counts[128]; /* of them by type, from 128 on */
	uint8_t issuer[20];   /* that is known to have its row; zero: none yet */
	struct ledger_standing standing;
	bool heads_read;      /* ledger_tx_heads()'s own, with the next two */
	uint64_t roster, policy;
};
/* May run twice in a row before the flush: what it leaves in arg must not depend on how often. */
typedef enum err ledger_fn(struct ledger_tx *tx, void *arg, struct fault *f);
/* One operation for the writer; lives with whoever posted it until then() is called. */
struct ledger_op {
	ledger_fn *fn;
	void *arg;
	struct fault *f;			    /* of fn, and of the flush */
	void (*then)(struct ledger_op *op); /* the flush is over: on the writer's thread, so it must not wait; may free op */
	enum err result;
	struct ledger_op *next;
};
/* Queues op for the next transaction. A full queue is ERR_BUSY ledger_queue, and then() is not called. */
MUST_CHECK enum err ledger_post(struct ledger *l, struct ledger_op *op, struct fault *f);
/* Runs fn inside the next transaction and returns after the flush. fn's own error is returned as it is. A full queue is
 * ERR_BUSY ledger_queue; a flush that fails is ERR_DB, and from then on every operation is (the file's state is known
 * again after a restart). Not to be called from fn. */
MUST_CHECK enum err ledger_do(struct ledger *l, ledger_fn *fn, void *arg, struct fault *f);
/* Brackets a request that is going to append: while several are under way, the writer waits up to 2 ms for 8 of them, or half.
 */
void ledger_enter(struct ledger *l);
void ledger_leave(struct ledger *l);

uint64_t ledger_size(struct ledger *l);
/* Waits until the ledger has more than `from` entries or timeout_ms have passed. */
void ledger_wait(struct ledger *l, uint64_t from, unsigned timeout_ms);
/* Wakes all that wait; from then on nobody waits. */
void ledger_wake(struct ledger *l);
bool ledger_broken(struct ledger *l);
/* Compares the file's tail with what was written: what a start does, while it runs. ERR_DB ledger_swapped or ledger_tree,
 * and the ledger is broken. */
MUST_CHECK enum err ledger_look(struct ledger *l, struct fault *f);

/* Time for judging: the clock's, never below the last entry's. ERR_LOCKED clock_jump while the clock is in doubt: more
 * than an hour behind the last entry, or off by more than an hour from what the monotonic clock says since the last
 * look. Nothing is appended then. */
MUST_CHECK enum err ledger_now(struct ledger *l, int64_t *ret, struct fault *f);
bool ledger_clock_in_doubt(struct ledger *l);
/* The operator says that the clock is right now; recorded. */
MUST_CHECK enum err ledger_accept_clock(struct ledger *l, struct fault *f);

/* A connection for reading, from a pool; opened when none is free. */
MUST_CHECK enum err ledger_reader(struct ledger *l, struct db **ret, struct fault *f);
void ledger_reader_put(struct ledger *l, struct db *db);
/* The same in a transaction that sees all that has been answered, and nothing that comes later. Many short ones share a
 * transaction while nothing is committed. */
struct ledger_snapshot {
	struct db *db;
	uint64_t commits; /* before it began */
};
MUST_CHECK enum err ledger_snapshot(struct ledger *l, struct ledger_snapshot *ret, struct fault *f);
void ledger_snapshot_put(struct ledger *l, struct ledger_snapshot *s);

/* --- appending (ledger_append.c) --- */

/* Appends an entry: fills e->at and e->salt, encodes, hashes (RFC 6962 2.1 leaf). *ret_index may be NULL. Larger than
 * 65,535 bytes: ERR_LIMIT. While the ledger waits for the operator's word: ERR_LOCKED ledger_waits. */
#define LEDGER_APPEND_(UPPER, lower, number, FIELDS)                                                                   \
	MUST_CHECK enum err ledger_append_##lower(struct ledger_tx *tx, struct wire_##lower *e, uint64_t *ret_index,   \
						  struct fault *f);
WIRE_ENTRY_LIST(LEDGER_APPEND_)

/* --- after a restore (ledger_restore.c) --- */

void ledger_standing(struct ledger *l, struct ledger_standing *ret);
/* ERR_LOCKED ledger_waits. */
enum err ledger_waits_raise(struct fault *f);
/* The newest checkpoint that a waiting ledger was shown; nothing when there is none. Appends. */
MUST_CHECK enum err ledger_waiting_head(struct db *db, struct buf *ret_note, struct fault *f);
/* A checkpoint of a history that is not this ledger's, which somebody holds; was it shown before? */
MUST_CHECK enum err ledger_lost_add(struct ledger_tx *tx, const struct checkpoint *c, struct fault *f);
MUST_CHECK enum err ledger_is_lost(struct db *db, const struct checkpoint *c, bool *ret, struct fault *f);
/* From this transaction on the ledger waits; head: a checkpoint's note. */
MUST_CHECK enum err ledger_halt(struct ledger_tx *tx, struct slice head, struct fault *f);
/* The operator's word ends it. */
MUST_CHECK enum err ledger_resume(struct ledger_tx *tx, struct wire_e_restored *e, uint64_t lost_to,
				  uint64_t *ret_index, struct fault *f);

/* --- the Merkle tree (ledger_tree.c) --- */

/* Who signs for it. Takes log. Before the first checkpoint. */
struct log_signer;
void ledger_take_log(struct ledger *l, struct log_signer *log);
/* Would a checkpoint come? log_signer_usable(). */
MUST_CHECK enum err ledger_log_usable(struct ledger *l, struct fault *f);
/* The tree as it is now, everything in it flushed: *ret, and the signed note, appended. */
MUST_CHECK enum err ledger_checkpoint(struct ledger *l, struct checkpoint *ret, struct buf *ret_note, struct fault *f);
/* p->origin is set; the note is appended. What p says must be of entries that are flushed. */
MUST_CHECK enum err ledger_sign_feed(struct ledger *l, struct feed_part *p, struct buf *ret_note, struct fault *f);
/* Of the tree of the first `size` entries. */
MUST_CHECK enum err ledger_root(struct db *db, uint64_t size, uint8_t ret[32], struct fault *f);
/* n (at most 256) of the stored nodes of a level (a multiple of 8), appended. */
MUST_CHECK enum err ledger_hashes(struct db *db, unsigned level, uint64_t from, size_t n, struct buf *ret,
				  struct fault *f);
/* The path of an entry in the tree of that size, 32 bytes a hash, appended. Not that far: ERR_NOT_FOUND entry_unknown. */
MUST_CHECK enum err ledger_prove_inclusion(struct db *db, uint64_t index, uint64_t size, struct buf *ret,
					   struct fault *f);
/* The public half of the log's key. */
void ledger_log_key(const struct ledger *l, struct log_key *ret);
/* from <= to <= the ledger's size. */
MUST_CHECK enum err ledger_prove_consistency(struct db *db, uint64_t from, uint64_t to, struct buf *ret,
					     struct fault *f);

/* --- entries (ledger_query.c) --- */

/* Appends the body. */
MUST_CHECK enum err ledger_entry(struct db *db, uint64_t index, struct buf *ret, struct fault *f);
/* Up to max bodies from `from` on, about max_bytes in all (at least one); each appended to *ret as u32 length and bytes
 * is the caller's to do: fn is called for each. */
typedef void ledger_each(void *arg, struct slice body);
MUST_CHECK enum err ledger_entries(struct db *db, uint64_t from, uint32_t max, size_t max_bytes, ledger_each *fn,
				   void *arg, struct fault *f);
/* Number of entries of a type. */
MUST_CHECK enum err ledger_count(struct db *db, enum wire_type type, uint64_t *ret, struct fault *f);
/* When the last entry of a type was made; 0: none. */
MUST_CHECK enum err ledger_last_beat(struct db *db, int64_t *ret, struct fault *f);

/* --- certificates and their status (ledger_cert.c) --- */

enum cert_state { CERT_GOOD, CERT_HELD, CERT_REVOKED, CERT_ENDED };
struct ledger_cert {
	int64_t id; /* row; 0: none */
	struct cert_ref ref;
	uint64_t intent; /* LEDGER_NONE when adopted */
	uint64_t entry;	 /* E_ISSUED or E_ADOPTED; LEDGER_NONE while only intended */
	int64_t not_before, not_after;
	char project[TALLY_WORD], profile[TALLY_WORD];
	int64_t line;	   /* 64-bit hash of profile and identifier */
	int64_t root;	   /* row of the first certificate of its line */
	uint8_t key[32];   /* SHA-256 of the SPKI */
	unsigned renewals; /* times that this key was certified before, in this line */
	unsigned shard;
	bool adopted, weak;
	/* status: */
	enum cert_state state;
	unsigned reason;
	int64_t when;
	uint64_t state_entry; /* entry that put it there */
	int64_t successor;    /* row, 0: none */
	bool successor_open;  /* the successor is intended, not issued yet */
};
/* ERR_NOT_FOUND cert_unknown. */
MUST_CHECK enum err ledger_cert(struct db *db, const struct cert_ref *ref, struct ledger_cert *ret, struct fault *f);
MUST_CHECK enum err ledger_cert_by_id(struct db *db, int64_t id, struct ledger_cert *ret, struct fault *f);
/* What may have changed since c was read: its status and successor. */
MUST_CHECK enum err ledger_cert_refresh(struct db *db, struct ledger_cert *c, struct fault *f);
/* Some of the rows with that line or key, newest first, below row `below` (INT64_MAX: from the newest). *ret_n is
 * LEDGER_PAGE when there may be more. A line is 64 bits of a hash: the caller compares exactly. */
#define LEDGER_PAGE 64
MUST_CHECK enum err ledger_certs_in_line(struct db *db, int64_t line, int64_t below, int64_t ret_ids[LEDGER_PAGE],
					 size_t *ret_n, struct fault *f);
MUST_CHECK enum err ledger_certs_with_key(struct db *db, const uint8_t key[32], int64_t below,
					  int64_t ret_ids[LEDGER_PAGE], size_t *ret_n, struct fault *f);
/* Was a certificate with that key revoked, or ended, for that reason? */
MUST_CHECK enum err ledger_key_ended(struct db *db, const uint8_t key[32], unsigned reason, bool *ret, struct fault *f);
/* Adopted certificates that have ended, oldest row first, above row `above` (0: from the first). As above. */
MUST_CHECK enum err ledger_certs_ended(struct db *db, int64_t above, int64_t ret_ids[LEDGER_PAGE], size_t *ret_n,
				       struct fault *f);
/* 64 bits of SHA-256(profile, identifier). */
int64_t ledger_line_hash(const char *profile, const char *identifier);
/* Has a subscriber's certificate been issued here, or intended? Reads every row when none has. */
MUST_CHECK enum err ledger_has_issued(struct db *db, bool *ret, struct fault *f);
/* Is there a certificate of that profile, issued, intended or adopted? Reads every row when there is none. */
MUST_CHECK enum err ledger_has_profile(struct db *db, const char *profile, bool *ret, struct fault *f);
/* Is there one of that project and profile that ends at `now` or later? As above. */
MUST_CHECK enum err ledger_lives_in(struct db *db, const char *project, const char *profile, int64_t now, bool *ret,
				    struct fault *f);
/* Key ids of the CAs whose certificates are not adopted: at most `most` of them. */
MUST_CHECK enum err ledger_issuers(struct db *db, uint8_t (*ret)[20], size_t most, size_t *ret_n, struct fault *f);
/* Largest serial that this issuer ever intended; n = 0: none. */
MUST_CHECK enum err ledger_last_serial(struct db *db, const uint8_t issuer[20], struct serial *ret, struct fault *f);

/* Adds the row; c->id and, when 0, c->root are set. A serial that is there: ERR_CONFLICT. */
MUST_CHECK enum err ledger_cert_add(struct ledger_tx *tx, struct ledger_cert *c, struct fault *f);
MUST_CHECK enum err ledger_cert_issued(struct ledger_tx *tx, int64_t id, uint64_t entry, struct fault *f);
/* Takes an intended row away again, and its predecessor's link to it. */
MUST_CHECK enum err ledger_cert_drop(struct ledger_tx *tx, int64_t id, struct fault *f);

/* What shall become of a predecessor when its successor is issued. */
struct ledger_fate {
	bool revoke;
	unsigned reason;
	int64_t when;
	uint64_t cause; /* the successor's intent */
	uint8_t tally[TALLY_ID];
};
MUST_CHECK enum err ledger_succeed(struct ledger_tx *tx, int64_t predecessor, int64_t successor,
				   const struct ledger_fate *fate, struct fault *f);
/* Row of the certificate that this one follows; 0: none. */
MUST_CHECK enum err ledger_predecessor(struct db *db, int64_t id, int64_t *ret_id, struct fault *f);
/* Writes the state; own certificates enter or leave the CRL's table, and the CRLs they are on become stale. */
MUST_CHECK enum err ledger_set_state(struct ledger_tx *tx, const struct ledger_cert *c, enum cert_state state,
				     unsigned reason, int64_t when, uint64_t entry, struct fault *f);
/* The first predecessor whose revocation is due at `now` and whose successor is issued: *ret_id 0 when none.
 * predecessor 0: any. */
MUST_CHECK enum err ledger_due(struct db *db, int64_t now, int64_t predecessor, int64_t *ret_id,
			       struct ledger_fate *ret, struct fault *f);

/* --- tallies (ledger_tally.c) --- */

struct ledger_tally {
	bool known, withdrawn, dead;
	uint8_t text_sha256[32];
	uint64_t intent, outcome; /* LEDGER_NONE: none */
};
MUST_CHECK enum err ledger_tally(struct db *db, const uint8_t id[TALLY_ID], struct ledger_tally *ret, struct fault *f);
/* Binds an id to what was done at once. */
MUST_CHECK enum err ledger_tally_done(struct ledger_tx *tx, const uint8_t id[TALLY_ID], const uint8_t text_sha256[32],
				      uint64_t outcome, struct fault *f);
/* Binds an id to an intent and its certificate's row, whose outcome will be the tally's. */
MUST_CHECK enum err ledger_tally_bind(struct ledger_tx *tx, const uint8_t id[TALLY_ID], const uint8_t text_sha256[32],
				      uint64_t intent, int64_t cert, struct fault *f);
/* The intent was given up. */
MUST_CHECK enum err ledger_tally_dead(struct ledger_tx *tx, const uint8_t id[TALLY_ID], uint64_t outcome,
				      struct fault *f);
MUST_CHECK enum err ledger_withdraw(struct ledger_tx *tx, const uint8_t target[TALLY_ID], uint64_t entry,
				    struct fault *f);
/* The open intent with the lowest index from `from` on and its certificate's row; *ret_intent LEDGER_NONE when none. */
MUST_CHECK enum err ledger_open_intent(struct db *db, uint64_t from, uint64_t *ret_intent, int64_t *ret_cert,
				       struct fault *f);

/* --- heads, policy files, adoptions, CRLs (ledger_heads.c) --- */

enum ledger_head { HEAD_ROSTER, HEAD_POLICY, HEAD_POLICY_BEFORE, HEAD_N };
struct head {
	uint64_t version, entry; /* version 0: none */
	uint8_t sha256[32];
};
MUST_CHECK enum err ledger_head(struct db *db, enum ledger_head which, struct head *ret, struct fault *f);
/* Entries of the roster and the policy in force as the transaction finds them, or has set them. */
MUST_CHECK enum err ledger_tx_heads(struct ledger_tx *tx, uint64_t *ret_roster, uint64_t *ret_policy, struct fault *f);
/* A new policy moves the one in force to HEAD_POLICY_BEFORE. */
MUST_CHECK enum err ledger_head_set(struct ledger_tx *tx, enum ledger_head which, const struct head *head,
				    struct fault *f);
MUST_CHECK enum err ledger_file_add(struct ledger_tx *tx, const uint8_t sha256[32], struct slice bytes,
				    struct fault *f);
MUST_CHECK enum err ledger_file(struct db *db, const uint8_t sha256[32], struct buf *ret, struct fault *f);

struct ledger_adoption {
	uint64_t entry; /* LEDGER_NONE: not known */
	uint8_t sha256[32];
	uint64_t taken;
};
MUST_CHECK enum err ledger_adoption(struct db *db, const uint8_t id[TALLY_ID], struct ledger_adoption *ret,
				    struct fault *f);
MUST_CHECK enum err ledger_adoption_set(struct ledger_tx *tx, const uint8_t id[TALLY_ID],
					const struct ledger_adoption *a, struct fault *f);

/* The last CRL of an issuer's scope (shard, or WIRE_FULL_CRL). */
struct ledger_crl {
	uint64_t number; /* 0: none yet */
	int64_t this_update, next_update;
	uint64_t upto;	  /* entries it was made from */
	uint64_t changed; /* entry of the last revocation in its scope, LEDGER_NONE: none */
	uint8_t sha256[32];
};
MUST_CHECK enum err ledger_crl(struct db *db, const uint8_t issuer[20], uint32_t scope, struct ledger_crl *ret, struct fault *f);
MUST_CHECK enum err ledger_crl_set(struct ledger_tx *tx, const uint8_t issuer[20], uint32_t scope, const struct ledger_crl *c, struct fault *f);
/* Revoked and held certificates of an issuer's scope in serial order; those that ended (or were revoked, when that was later) before `since` are left out. */
struct ledger_revoked;
MUST_CHECK enum err ledger_revoked(struct db *db, const uint8_t issuer[20], uint32_t scope, int64_t since, struct ledger_revoked **ret,
				   struct fault *f);
MUST_CHECK enum err ledger_revoked_next(struct ledger_revoked *r, struct serial *ret, int64_t *ret_when,
					unsigned *ret_reason, bool *ret_more, struct fault *f);
void ledger_revoked_done(struct ledger_revoked *r);
static inline void ledger_revoked_donep(struct ledger_revoked **r)
{
	if (*r)
		ledger_revoked_done(*r);
	*r = NULL;
}

#endif

/*
 * What the parts of a gate share.
 */
#ifndef HUFU_RA_GATE_GATE_H
#define HUFU_RA_GATE_GATE_H

#include "common/note/checkpoint.h"
#include "common/pki/cert.h"
#include "common/rpc/server.h"
#include "ra/gate/config.h"
#include "ra/gate/table.h"

#include <pthread.h>
#include <stdatomic.h>

/* What is counted, by its name in the metrics. */
enum gate_count {
	COUNT_OCSP_CACHED,
	COUNT_OCSP_SIGNED,
	COUNT_OCSP_MALFORMED,
	COUNT_OCSP_UNAUTHORIZED,
	COUNT_OCSP_TRY_LATER,
	COUNT_OCSP_INTERNAL,
	COUNT_CRL,
	COUNT_CA,
	COUNT_LOG,
	COUNT_DOCUMENT,
	COUNT_STATUS,
	COUNT_PAGE,
	COUNT_RPC,
	COUNT_RPC_ERROR, /* the desk refused */
	COUNT_RPC_REFUSED, /* the gate did */
	COUNT_NOT_FOUND,
	COUNT_REFUSED,
	COUNT_N
};
#define LATENCY_BUCKETS 12 /* powers of four from 16 us on, and the rest */

/* A certificate that is served, and answered for. */
struct gate_cert {
	struct buf der;
	struct cert cert; /* borrows der */
};

/* A CA whose certificates are answered for: by CRLs of its own, and by responders that it has certified (RFC 6960 4.2.2.2). */
struct gate_issuer {
	struct gate_cert ca;
	struct crls *crls;
	struct responder *responder;
	_Atomic uint64_t revoked; /* by the root; 0: it is not. root_crl.c */
};

struct gate {
	struct gate_config config;
	struct gate_table *table;
	struct log_key log_key;
	struct gate_issuer issuers[GATE_ISSUERS_MAX]; /* the one that issues, then those that were rolled */
	size_t n_issuers;
	struct gate_cert root; /* zero when none is named */
	struct crls *root_crls; /* NULL when none is named */
	struct rpc_client *desk, *desk_quick; /* for what may take long, and for what somebody waits for */
	struct ocsp *ocsp;
	struct documents *documents;
	struct buf policy; /* a portal's Content-Security-Policy, NUL-terminated */
	/* the follower's */
	_Atomic bool forked;	     /* the ledger is not the one that was followed: nothing is answered */
	_Atomic bool behind_mark;    /* what was followed in an earlier life is not in the table again yet */
	_Atomic bool unkept;	     /* a change of status was told, and could not be written or taken: the disk is full */
	_Atomic uint64_t ledger_size; /* as the signer said last */
	_Atomic int64_t heard;	     /* when the desk answered last; 0: never */
	pthread_mutex_t lock;	     /* of checkpoint and hurry */
	pthread_cond_t woken;
	struct buf checkpoint; /* the newest signed one */
	bool hurry_crls, stopping;
	/* counters */
	_Atomic uint64_t counts[COUNT_N];
	_Atomic uint64_t latency[LATENCY_BUCKETS], latency_us;
};

/* May be asked from any thread. Nothing may be answered for certificates while it is false: *ret_why says why, in one word. */
bool gate_ready(struct gate *g, const char **ret_why);
void gate_count(struct gate *g, enum gate_count what);
/* The issuer whose key id begins the text, 40 hex digits; NULL: none of ours. */
struct gate_issuer *gate_issuer(struct gate *g, const char *hex);
/* The same by the key id's 20 bytes. */
struct gate_issuer *gate_issuer_of(struct gate *g, const uint8_t id[20]);
/* Waits until somebody hurries, the gate stops, or so long. True: it stops. */
bool gate_rest(struct gate *g, int64_t ms, bool *ret_hurry);

#endif

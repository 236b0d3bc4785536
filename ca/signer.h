/*
 * The signer's state: ledger, issuer, keys, and the heads (roster and policies) that requests are judged by.
 *
 * Heads are immutable snapshots: a request holds one from start to end, and the transaction that records its intent
 * checks that the ledger's heads are still the same.
 */
#ifndef HUFU_CA_SIGNER_H
#define HUFU_CA_SIGNER_H

#include "ca/build.h"
#include "ca/config.h"
#include "ca/custody.h"
#include "ca/key.h"
#include "ca/ledger.h"
#include "common/note/roster.h"
#include "common/pki/known_key.h"
#include "common/pki/throwaway.h"
#include "common/policy/policy.h"
#include "common/rpc/server.h"

#include <pthread.h>
#include <stdatomic.h>

/* A policy with its profiles made ready for our issuer; templates[i] belongs to policy->profiles[i]. policy NULL: none.
 */
struct policy_ready {
	struct policy *policy;
	struct template **templates;
};
void policy_ready_done(struct policy_ready *p);
/* ERR_CONFIG when a profile cannot be made into a template. takes policy, also on failure. */
MUST_CHECK enum err policy_ready_make(struct policy *policy, const struct cert *issuer, struct policy_ready *ret,
				      struct fault *f);
const struct template *policy_ready_template(const struct policy_ready *p, const struct profile *profile);

struct heads {
	atomic_uint refs;
	struct head roster_head, policy_head;
	struct roster roster;
	struct policy_ready now, before; /* before: its tallies count until now.policy->note.until */
};
/* Reads both from the ledger; policies are made ready for that issuer. Gives: heads_unref(). ERR_CONFIG heads_missing
 * when the ledger has had no genesis. */
MUST_CHECK enum err heads_load(struct db *db, const struct cert *issuer, struct heads **ret, struct fault *f);
void heads_unref(struct heads *h);
static inline void heads_unrefp(struct heads **h)
{
	if (*h)
		heads_unref(*h);
	*h = NULL;
}

/* Tokens of one RA key: what it may still have refused. */
struct bucket {
	uint8_t key[32];
	double tokens;
	int64_t filled_us;
};

/* A CA of ours that was rolled: it signs what tells of its own certificates' status, CRLs and certificates of responders, and nothing else. */
struct retired {
	struct buf der;
	struct cert cert;
	struct known_key *verifier;
	const char *place; /* of its key; NULL: it is no more. Borrowed */
	_Atomic(struct ca_key *) key; /* NULL: not open; set once */
};
/* One of our CAs as it is now; all borrowed. */
struct issuer {
	const struct cert *cert;
	const struct known_key *verifier;
	const struct ca_key *key; /* NULL: not open */
	bool gone;		  /* there is no key any more */
};

struct signer {
	const struct ca_config *config; /* borrowed */
	uint8_t ca[20];			/* who this CA is, in rosters, tallies, its log: key id of its first issuing key */
	struct ledger *ledger;		/* borrowed */
	struct buf issuer_der;
	struct cert issuer;
	struct known_key *issuer_verifier; /* of issuer.key: our own signatures */
	struct retired retired[CA_MAX_RETIRED];
	size_t n_retired;
	struct ca_custody *custody;
	struct throwaway *throwaway;
	_Atomic(struct ca_key *) key; /* NULL: locked; set once */
	pthread_mutex_t lock;	      /* of heads, serial_last and buckets */
	struct heads *heads;
	uint64_t serial_last;
	struct bucket buckets[ROSTER_MAX_MEMBERS];
	size_t n_buckets;
	pthread_mutex_t crl_lock;      /* one CRL is made at a time */
	_Atomic unsigned crl_inside;   /* requests that make one or wait for it */
	pthread_mutex_t key_lock;      /* one unlocking at a time */
	pthread_mutex_t operator_lock; /* one roster, policy or adoption at a time */
	pthread_mutex_t gate;	       /* of entered and closed */
	pthread_cond_t left;
	unsigned entered;	       /* tallies under way */
	bool closed;		       /* none is let in: what is open is being finished */
	atomic_bool unfinished;	       /* a tally left its intent open */
	atomic_ullong rejected;	       /* requests that failed before an RA's signature held */
	atomic_uint following;	       /* long polls that wait */
};
/* Loads the issuer's certificate and the heads. config and ledger are borrowed for the signer's life. Gives:
 * signer_free(). Starts locked. */
MUST_CHECK enum err signer_new(const struct ca_config *config, struct ledger *ledger, struct signer **ret,
			       struct fault *f);
void signer_free(struct signer *s);
static inline void signer_freep(struct signer **s)
{
	if (*s)
		signer_free(*s);
	*s = NULL;
}
/* The certificate of a PEM or DER file and its bytes, which the certificate borrows. It must be a CA's. */
MUST_CHECK enum err issuer_load(const char *path, struct buf *ret_der, struct cert *ret, struct fault *f);

/* The CA of ours with that key: the one that issues, or a retired one. False: neither. */
bool signer_issuer(struct signer *s, const uint8_t key_id[20], struct issuer *ret);
/* Opens the sealed key, finishes open intents, then lets tallies in; then whichever keys of retired CAs open with the same passphrase. Keys in custody
 * are left to the custodians: ERR_RULE unlock_by_custodians when there is no other one to open. All open: OK. Wrong passphrase (with the issuing key
 * open or in custody: for each retired one): ERR_CRYPTO. */
MUST_CHECK enum err signer_unlock(struct signer *s, const struct secret *passphrase, struct fault *f);
/* The same with a key that is open already; takes it, also on failure. */
MUST_CHECK enum err signer_take_key(struct signer *s, struct ca_key *key, struct fault *f);
/* The same with those that custodians have opened, in the order of signer_keys(); takes them, also on failure. */
MUST_CHECK enum err signer_take_keys(struct signer *s, struct ca_key *keys[CUSTODY_KEYS], struct fault *f);
/* The issuing CA's key, and each retired one's; NULL: not open. Borrowed. */
void signer_keys(struct signer *s, const struct ca_key *ret[CUSTODY_KEYS]);
/* For a splitting: all that have a place must be open, ERR_LOCKED signer_locked. */
MUST_CHECK enum err signer_all_keys(struct signer *s, const struct ca_key *ret[CUSTODY_KEYS], struct fault *f);
/* Gives a reference. */
struct heads *signer_heads(struct signer *s);
/* Reads the heads anew after a roster or policy was recorded. */
MUST_CHECK enum err signer_reload(struct signer *s, struct fault *f);
void signer_serial(struct signer *s, struct serial *ret);
/* Lets a tally in, unless SIGNER_MAX_TALLIES are under way or open intents are being finished: ERR_BUSY signer_busy. */
#define SIGNER_MAX_TALLIES 256u
MUST_CHECK enum err signer_enter(struct signer *s, struct fault *f);
void signer_leave(struct signer *s);
/* May this RA key still have requests refused? take: one token is spent. */
bool signer_may_refuse(struct signer *s, const uint8_t ra_key[32], bool take);

/* The DER of a recorded certificate: from E_ADOPTED, or put together from E_INTENT and E_ISSUED. Appends. */
MUST_CHECK enum err signer_certificate(struct db *db, const struct ledger_cert *c, struct buf *ret, struct fault *f);
/* Profiles' number of CRL shards (1 when the profile says nothing). */
unsigned profile_shards(const struct profile *p);

/* Finishes intents that tallies left open (their key's token did not sign, the ledger was full), once that can be done; the log says when it fails. */
void signer_finish(struct signer *s);
/* What a beat does: looks at the ledger's file, and whether its heads are those in force here, revokes what is due,
 * appends E_BEAT, writes head.note. */
MUST_CHECK enum err signer_beat(struct signer *s, struct fault *f);

/* Handlers of the two sockets (serve.c, operator.c); arg is the signer. */
rpc_handler signer_handle_ra, signer_handle_operator;
/* Takes the RA's tallies, which wait for flushes, off signer_handle_ra()'s hands. */
rpc_deferred signer_defer_ra;
/* Behind up to SIGNER_GATHER requests that signer_defer_ra() was asked to take on this thread: their P-256 signatures are verified together. */
#define SIGNER_GATHER 8u
void signer_gathered_ra(void *signer);

#endif

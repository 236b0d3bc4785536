/*
 * What the signer said of itself last.
 */
#ifndef HUFU_RA_SIGNER_H
#define HUFU_RA_SIGNER_H

#include "common/rpc/server.h"
#include "ra/law.h"
#include "ra/root_watch.h"
#include "ra/store.h"

struct signer_state {
	bool asked, reachable, locked;
	bool waits;                 /* for its operator's word, after a restore */
	int64_t asked_at;           /* of the last answer, or of the last attempt when unreachable */
	char error[200];            /* why it was unreachable */
	uint64_t size;              /* of its ledger */
	int64_t now, last_beat;
	uint64_t roster_version, policy_version;
	uint8_t ca[20], roster[32], policy[32];
	bool issues;                /* it has said by which CA: */
	uint8_t issuer[20];         /* its key id; the CA's own name, ca, stays that of its first key */
	int64_t issuer_not_after;   /* far ahead while nobody has said it yet; kept over restarts */
	uint64_t issued, refused, rejected, revoked;
};
struct signer_view; /* thread-safe */
MUST_CHECK enum err signer_view_open(struct store *store, struct signer_view **ret, struct fault *f);
void signer_view_close(struct signer_view *v);
void signer_view_get(struct signer_view *v, struct signer_state *ret);
/* Asks the signer for its health and remembers the answer, its CAs in root, or that there was none. Says aloud (once a change) when the
 * signer's policy or roster is another than the desk's. Returns whether the signer is back: it can be reached, is
 * unlocked and waits for no word, and was not when it was asked before. */
bool signer_view_ask(struct signer_view *v, struct rpc_client *client, struct laws *laws, struct root_watch *root);

#endif

/*
 * A whole Hufu for measurements: laid out by `hufu init` in a folder of the bench, its two programs running.
 */
#ifndef HUFU_BENCHMARK_TREE_H
#define HUFU_BENCHMARK_TREE_H

#include "common/base/secret.h"
#include "common/note/person.h"
#include "tools/benchmark/stock.h"
#include "tools/hufu/process.h"

struct memory {
	double rss_mib, peak_mib; /* VmRSS, VmHWM */
};

struct tree {
	const char *build;    /* folder of the build tree: tools/hufu, ca/hufu-ca, ra/hufu-ra */
	const char *policies; /* bundle to copy */
	bool in_hsm;	      /* the issuing key is made in a SoftHSM token (hsm.h) */
	char *hsm_uri, *hsm_policies;
	char *dir;
	char *ra_socket, *operator_socket, *desk_socket, *gate_socket;
	struct secret passphrase;
	struct notify notify;
	pid_t ca, ra, gate; /* gate: when one was started */
	struct person_key ra_key, officers[2];
	uint8_t ca_key_id[20], policy[32];
	struct memory idle_ca, idle_ra; /* after the start, before any request */
};
/* Stops the programs and frees; the folder stays. Accepts the zero state. */
void tree_done(struct tree *t);
/* Lays DIR out with that algorithm ("p256", "rsa") for the CA keys and pins the old authority. Messages go to DIR.log.
 * build, policies and dir are set by the caller. */
MUST_CHECK enum err tree_lay_out(struct tree *t, const char *algorithm, const char *old_issuer, struct fault *f);
/* Fills the signer's ledger up to so many entries, by the ledger's own code: certificates' intents and outcomes; before the start. */
MUST_CHECK enum err tree_lengthen(struct tree *t, uint64_t entries, struct fault *f);
/* Takes one that was laid out before; build, policies and dir as above. */
MUST_CHECK enum err tree_take(struct tree *t, struct fault *f);
/* Starts both programs, each logging to var/log, and reads what they take when idle. */
MUST_CHECK enum err tree_start(struct tree *t, struct fault *f);
/* Starts the desk anew for a caller (this user) who sees that project alone; NULL: all of them, as before. The signer stays. */
MUST_CHECK enum err tree_narrow(struct tree *t, const char *project, struct fault *f);
/* Starts a gate with role portal before the desk, or takes the place of one before: pages of that origin and audience ("subscribers",
 * "officers"), on the socket gate_socket. */
MUST_CHECK enum err tree_portal(struct tree *t, const char *audience, const char *origin, struct fault *f);
/* Adopts the certificates of these items, in parts of 128, each its own adoption note. */
MUST_CHECK enum err tree_adopt(const struct tree *t, const struct stock *s, const struct item *items, size_t n,
			       struct fault *f);
/* Entries in the signer's ledger. */
MUST_CHECK enum err tree_ledger_size(const struct tree *t, uint64_t *ret, struct fault *f);
/* Processor time that the signer (and, when with_ra, the desk) has used since its start, in microseconds. */
MUST_CHECK enum err tree_cpu_us(const struct tree *t, bool with_ra, int64_t *ret, struct fault *f);
/* The same of any process. */
MUST_CHECK enum err process_cpu_us(pid_t pid, int64_t *ret, struct fault *f);
/* From /proc/PID/status. */
MUST_CHECK enum err memory_read(pid_t pid, struct memory *ret, struct fault *f);

#endif

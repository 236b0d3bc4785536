/*
 * The judgement: does this tally, with these facts, satisfy the policy and the floors? Pure: no clock, store or key.
 *
 * Floors are here in code; a policy that asks less is judged at the floor.
 */
#ifndef HUFU_POLICY_JUDGE_H
#define HUFU_POLICY_JUDGE_H

#include "common/policy/policy.h"

/* What no policy can lower for a kind. */
struct floor {
	unsigned proof_same, proof_new; /* enum proof bits, for the same and for a new key */
	unsigned officers_same, officers_new;
	bool either;                    /* revoke: the proof, or the officers */
	bool key_seen;
	bool ra_alone;                  /* hold: the RA alone may */
	int64_t max_life_seconds;       /* dies - made at most */
};
/* Never NULL. */
const struct floor *floor_of(enum tally_kind kind);

struct facts {
	int64_t now;
	int64_t issuer_not_after;       /* of the CA that will sign */
	/* predecessor, when the tally names one: */
	bool has_predecessor;
	const struct name *subject;     /* as in the certificate */
	int64_t not_before, not_after;
	bool adopted;                   /* issued by another CA */
	bool weak;                      /* key or signature below today's strength */
	bool revoked, ended, succeeded, held;
	bool fallen;                    /* the root has revoked its CA */
	unsigned renewals;              /* times that this key was certified again so far, in this line; its first certificate: 0 */
	uint8_t key_sha256[32];
	/* the key that will be certified (NULL for kinds without): */
	const struct pubkey *key;
};

struct verdict {
	const struct profile *profile;
	const struct policy_way *way;   /* NULL for hold, withdraw, responder: their tallies name none */
	bool same_key;
	int64_t not_before, not_after;  /* of the certificate, as the policy computes it */
	unsigned proof;                 /* enum proof bits needed */
	unsigned officers;              /* number needed: larger of floor and policy */
	bool revoke_predecessor;
	unsigned reason;
	int64_t revoke_at;              /* now, or now + grace */
};

/* The steps, each its own call, so that the signer can run them at their place in its order. The first that fails raises ERR_RULE with a stable
 * rule word; judge_policy() empties *v, so it comes before the rest. Each step passes on what its kind does not have. */

/* A tally may be made this much after our clock, which runs beside another machine's. */
#define JUDGE_SKEW_SECONDS 60
/* Life of a delegated OCSP responder's certificate. */
#define JUDGE_RESPONDER_DAYS 7

/* tally_not_yet, tally_expired, tally_life */
MUST_CHECK enum err judge_window(const struct tally *t, int64_t now, struct fault *f);
/* kind_unknown, project_unknown, profile_unknown, way_unknown: project, profile and way. */
MUST_CHECK enum err judge_policy(const struct policy *p, const struct tally *t, struct verdict *v, struct fault *f);
/* predecessor_unknown, _revoked, _ended, _succeeded, _held, _not_held (release), _weak. A held certificate may be reissued and revoked; one that has a
 * successor, or whose CA the root has revoked, may be revoked, held and released. */
MUST_CHECK enum err judge_predecessor(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f);
/* Why a reissue by that way revokes what it follows: keyCompromise where the key is lost, else what the way says, superseded when it says nothing. */
unsigned judge_reissue_reason(const struct policy_way *w);
/* What is needed: fills v->proof, v->officers, v->same_key, and the predecessor's fate. reason_way: the tally's reason is not the way's. */
MUST_CHECK enum err judge_needs(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f);
/* key_hash, key_same, key_algorithm, key_strength, renewal_times */
MUST_CHECK enum err judge_key(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f);
/* subject_before, subject_change, subject_empty_change, subject_attribute, identifier_check */
MUST_CHECK enum err judge_subject(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f);
/* materials_missing, material_unknown, notice_missing, order_missing, order_unwanted, files_unsaid, files_pending, key_seen */
MUST_CHECK enum err judge_papers(const struct policy *p, const struct tally *t, struct verdict *v, struct fault *f);
/* validity_window, validity_length, validity_cap, validity_latest, validity_issuer. Fills v->not_before, v->not_after. */
MUST_CHECK enum err judge_validity(const struct tally *t, const struct facts *x, struct verdict *v, struct fault *f);

/* All steps in order: what the RA runs at the desk. policy_hash: the tally names another policy than p's note (not compared when p was loaded
 * without one). */
MUST_CHECK enum err judge(const struct policy *p, const struct tally *t, const struct facts *x, struct verdict *ret, struct fault *f);

/* notAfter of a certificate: keep (add_months 0), old + months, or now + months when expired or when there is no old one (0); at most the cap from now.
 * Shared by judge and by whoever prepares a tally. Where the cap shortens it, judge_validity() refuses (validity_cap). */
int64_t judge_not_after(const struct profile *p, int64_t now, int64_t old_not_after, unsigned add_months);

#endif

/*
 * The two other statements that officers sign by quorum: policy and adoption.
 *
 *     hufu/policy/v1                               hufu/adoption/v1
 *     ca: <key id>                                 ca: <key id>
 *     version: 1                                   id: <128 bits>
 *     previous: none | <SHA-256>                   issuer: <key id of the old issuer>
 *     until: none | <time>                         project: jinhua
 *     made: <time>                                 profile: organisation
 *     file: <path> <SHA-256>    (sorted)           count: 1
 *                                                  root: <Merkle root over the certificates, RFC 6962 2.1>
 *                                                  crl: none | <SHA-256 of the issuer's last CRL>
 *                                                  made: <time>
 *                                                  dies: <time>
 * until: tallies made under the policy before still count until then. Files under issuers/ are the pinned issuers of old certificates.
 */
#ifndef HUFU_NOTE_STATEMENT_H
#define HUFU_NOTE_STATEMENT_H

#include "common/note/tally.h"

#define POLICY_KIND_LINE "hufu/policy/v1"
#define ADOPTION_KIND_LINE "hufu/adoption/v1"
#define POLICY_MAX_FILES 128
#define POLICY_PATH 120

struct policy_file {
	char path[POLICY_PATH]; /* relative, a-z 0-9 - _ . and '/', no part starting with '.' */
	uint8_t sha256[32];
};
struct policy_note {
	uint8_t ca[20];
	uint64_t version;
	bool has_previous;
	uint8_t previous[32];
	int64_t until; /* 0: none */
	int64_t made;
	struct policy_file *files; /* owned */
	size_t n_files;
	uint8_t sha256[32]; /* of the text */
};
void policy_note_done(struct policy_note *p);
MUST_CHECK enum err policy_note_parse(struct slice text, struct policy_note *ret, struct fault *f);
void policy_note_put(const struct policy_note *p, struct buf *ret);
MUST_CHECK enum err policy_note_follows(const struct policy_note *next, const struct policy_note *now, const uint8_t ca[20], struct fault *f);

struct adoption {
	uint8_t ca[20], id[TALLY_ID], issuer[20];
	char project[TALLY_WORD], profile[TALLY_WORD];
	uint64_t count;
	uint8_t root[32];
	bool has_crl;
	uint8_t crl_sha256[32];
	int64_t made, dies;
};
MUST_CHECK enum err adoption_parse(struct slice text, struct adoption *ret, struct fault *f);
void adoption_put(const struct adoption *a, struct buf *ret);

#endif

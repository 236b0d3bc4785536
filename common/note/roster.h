/*
 * The roster: who may sign what. One person, one key, one role; no key is both RA and officer.
 *
 *     hufu/roster/v1
 *     ca: <key id>
 *     version: 1
 *     previous: none | <SHA-256 of the previous roster's text>
 *     quorum: 2                                  officers who must sign a roster, policy or adoption
 *     made: <time>
 *     member: <role> <name> <key> <projects> <kinds>
 * role: officer ra custodian responder signer · key: base64 of the Ed25519 key (responder: of the SPKI's SHA-256; signer: what custodians seal
 * their shares to, it signs nothing) · projects, kinds: '*' or a comma list, sorted.
 * Members are sorted by name.
 */
#ifndef HUFU_NOTE_ROSTER_H
#define HUFU_NOTE_ROSTER_H

#include "common/note/tally.h"

#define ROSTER_KIND_LINE "hufu/roster/v1"
#define ROSTER_MAX_MEMBERS 256

enum role { ROLE_OFFICER, ROLE_RA, ROLE_CUSTODIAN, ROLE_RESPONDER, ROLE_SIGNER, ROLE_N };
const char *role_word(enum role role);

struct member {
	enum role role;
	char name[TALLY_WORD];
	uint8_t key[32];
	char *projects;      /* "*" or "a,b"; owned */
	bool all_kinds;
	uint32_t kinds;      /* bit (1 << enum tally_kind) */
	struct known_ed25519 *known; /* owned; NULL unless roster_expect() made it */
};
struct roster {
	uint8_t ca[20];
	uint64_t version;
	bool has_previous;
	uint8_t previous[32];
	uint64_t quorum;     /* at least 2 */
	int64_t made;
	struct member *members; /* owned */
	size_t n_members;
	uint8_t sha256[32];  /* of the text it was parsed from */
};
void roster_done(struct roster *r);
/* Refuses a key or name twice, a person's key that is no point of Ed25519, the name new-key, a quorum above the number of officers or below 2. */
MUST_CHECK enum err roster_parse(struct slice text, struct roster *ret, struct fault *f);
void roster_put(const struct roster *r, struct buf *ret);
/* Gets ready for many signatures: tables for the keys of RAs and officers, of the first 16 of them (a millisecond and 162 KiB each). */
void roster_expect(struct roster *r);
const struct member *roster_by_name(const struct roster *r, const char *name);
/* project "": of a tally that names none; then '*' alone covers it, so a caller that knows the project (of a withdrawn tally) gives it. */
bool member_may(const struct member *m, const char *project, enum tally_kind kind);

/* Does a line that names m hold under m's key? */
bool member_signed(const struct member *m, const struct note *n, const struct note_sig *s);

/* Who of the roster validly signed this note, in that role. Lines that name a member but do not hold, or that name nobody (and are not a
 * subscriber's or new-key line when allow_subscribers), are an error: ERR_CRYPTO signature / ERR_RULE signer_unknown. known: a line that
 * was found to hold for its member already, or NULL. */
struct signers {
	const struct member *who[NOTE_MAX_SIGS];
	size_t n;
};
MUST_CHECK enum err roster_signers(const struct roster *r, const struct note *n, bool allow_subscribers, const struct note_sig *known,
				   struct signers *ret, struct fault *f);
/* How many different officers are among them. */
size_t signers_officers(const struct signers *s);
/* Judges a roster, policy or adoption note's signatures: at least quorum officers of r, nobody else. ERR_RULE quorum. */
MUST_CHECK enum err roster_quorum(const struct roster *r, const struct note *n, const char *object, struct fault *f);
/* May `next` follow `now` (NULL: next is the first)? ca, version + 1, previous. ERR_RULE roster_sequence. */
MUST_CHECK enum err roster_follows(const struct roster *next, const struct roster *now, const uint8_t ca[20], struct fault *f);

#endif

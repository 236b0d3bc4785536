/*
 * The tally: one request, as text that a person can read and that all its parties sign.
 *
 *     hufu/tally/v1
 *     kind: change
 *     id: 5d0c…                                   128 random bits
 *     ca: 1f…                                     key id of the issuing CA, 20 octets
 *     project: jinhua
 *     profile: organisation
 *     issuer: <issuer key id>                     responder: of another CA of ours than the one that issues now: one that was rolled
 *     way: name-or-code
 *     policy: …                                   SHA-256 of the policy note's text
 *     predecessor: <issuer key id> <serial>
 *     subject: = C CN                             one line an attribute: '=' stays, '-' as it was, '+' as it shall be
 *     subject: - O 擎洲测试投标人6
 *     subject: + O …
 *     key: same|new <SHA-256 of the SPKI>
 *     validity: keep | add <months> months
 *     latest: <latest notAfter>
 *     order: <id>
 *     material: <name> <SHA-256>                  sorted by name, then by hash
 *     notice: <version> <SHA-256>                 risk notice that was accepted
 *     encrypted-files: no|yes|waived              "encrypted files not yet opened?"
 *     key-seen: token|paper|call|person
 *     collides: <issuer key id> <serial>          certificate that holds the identifier elsewhere
 *     reason: keyCompromise                       revocation reason (RFC 5280 5.3.1 word)
 *     target: <id>                                withdraw: the tally that dies
 *     hold: <ledger index>                        release: the hold's entry
 *     made: 2026-11-23T00:00:00Z
 *     dies: 2026-11-24T00:00:00Z
 *
 * Which fields a kind must, may and must not have is one table (tally.c). A '-' line comes before its '+' line; an attribute that is
 * only removed or only added has one of them; the lines are the ones that tally_set_subject() gives. Parsing accepts a text only if encoding it again gives the same bytes.
 */
#ifndef HUFU_NOTE_TALLY_H
#define HUFU_NOTE_TALLY_H

#include "common/note/note.h"
#include "common/pki/cert.h"
#include "common/pki/name.h"

#define TALLY_KIND_LINE "hufu/tally/v1"
#define TALLY_ID 16
#define TALLY_MAX_MATERIALS 32
#define TALLY_WORD 48

enum tally_kind {
	TALLY_EXTEND, TALLY_CHANGE, TALLY_ENROL, TALLY_REISSUE, TALLY_REVOKE, TALLY_HOLD, TALLY_RELEASE, TALLY_WITHDRAW, TALLY_RESPONDER,
	TALLY_KIND_N
};
const char *tally_kind_word(enum tally_kind kind);
bool tally_kind_from_word(const char *word, size_t n, enum tally_kind *ret);
/* Does a tally of this kind ask for a certificate? (extend, change, enrol, reissue, responder) */
bool tally_kind_issues(enum tally_kind kind);

/* A certificate as tallies name it. */
struct cert_ref {
	uint8_t issuer_key_id[20];
	struct serial serial;
};
bool cert_ref_eq(const struct cert_ref *a, const struct cert_ref *b);
/* "<40 hex> <SERIAL>". */
void cert_ref_put(const struct cert_ref *r, struct buf *ret);
bool cert_ref_parse(struct slice text, struct cert_ref *ret);
#define CERT_REF_TEXT_MAX (40 + 1 + 2 * SERIAL_MAX)

enum subject_mark { SUBJECT_SAME, SUBJECT_OLD, SUBJECT_NEW }; /* = - + */
struct subject_line {
	enum subject_mark mark;
	const struct attr_type *type;
	char *value; /* owned */
};
struct tally_material {
	char name[TALLY_WORD];
	uint8_t sha256[32];
};
enum tally_files { FILES_UNSAID, FILES_NO, FILES_YES, FILES_WAIVED };
enum key_seen { KEY_SEEN_UNSAID, KEY_SEEN_TOKEN, KEY_SEEN_PAPER, KEY_SEEN_CALL, KEY_SEEN_PERSON };

/* "paper". */
const char *key_seen_word(enum key_seen seen);
/* KEY_SEEN_UNSAID for a word that is none. */
enum key_seen key_seen_from_word(const char *word);

struct tally {
	enum tally_kind kind;
	uint8_t id[TALLY_ID];
	uint8_t ca[20];
	char project[TALLY_WORD], profile[TALLY_WORD], way[TALLY_WORD]; /* "" when the kind has none */
	bool has_issuer;
	uint8_t issuer[20];
	uint8_t policy[32];
	bool has_predecessor;
	struct cert_ref predecessor;
	struct subject_line *subject; /* owned */
	size_t n_subject;
	bool has_key, key_is_new;
	uint8_t key_sha256[32];
	bool has_validity;
	unsigned add_months; /* 0: keep */
	int64_t latest;
	char order[TALLY_WORD];
	struct tally_material *materials; /* owned */
	size_t n_materials;
	char notice[TALLY_WORD]; /* version, "" for none */
	uint8_t notice_sha256[32];
	enum tally_files files;
	enum key_seen key_seen;
	bool has_collides;
	struct cert_ref collides;
	int reason; /* RFC 5280 code, -1: none */
	bool has_target;
	uint8_t target[TALLY_ID];
	bool has_hold;
	uint64_t hold;
	int64_t made, dies;
};
void tally_done(struct tally *t);
/* text: of a note, kind line included. Checks form only (fields, order, bounds, values by name_value_check, dies > made). Zero-init *ret. */
MUST_CHECK enum err tally_parse(struct slice text, struct tally *ret, struct fault *f);
/* The text. The struct must be well formed (asserted where cheap). */
void tally_put(const struct tally *t, struct buf *ret);
/* The subject before (same + old lines) and after (same + new lines), in order. */
MUST_CHECK enum err tally_subject_before(const struct tally *t, struct name *ret, struct fault *f);
MUST_CHECK enum err tally_subject_after(const struct tally *t, struct name *ret, struct fault *f);
/* Fills t->subject from the two names (before may be empty: an enrolment), attribute by attribute in the order of `after` (an attribute that only `before` has comes where it stood). */
MUST_CHECK enum err tally_set_subject(struct tally *t, const struct name *before, const struct name *after, struct fault *f);
bool tally_subject_differs(const struct tally *t);
/* id as 32 hex characters. Returns ret. */
/* A new id: the seconds of now, in 5 bytes, the part of the second that has passed, in one, and 80 random bits. What is kept by id grows at one end
 * then, whatever its size, and what many do at once lies on the same few pages. */
void tally_id_new(int64_t now, uint8_t ret[TALLY_ID]);
const char *tally_id_text(const uint8_t id[TALLY_ID], char ret[2 * TALLY_ID + 1]);
#define TALLY_ID_TEXT(id) tally_id_text((id), (char[2 * TALLY_ID + 1]){0})
/* What the tally asks, in words ("extend certificate 74C2… by 36 months, same key, same subject"). lang: "en" or "zh". */
void tally_explain(const struct tally *t, const char *lang, struct buf *ret);

#endif

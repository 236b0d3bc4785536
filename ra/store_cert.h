/*
 * Certificates and their status as the ledger tells them; intents that wait for their outcome; claims of imports.
 */
#ifndef HUFU_RA_STORE_CERT_H
#define HUFU_RA_STORE_CERT_H

#include "common/note/tally.h"
#include "ra/store.h"

enum cert_state { CERT_GOOD, CERT_HELD, CERT_REVOKED, CERT_ENDED }; /* stored as these numbers: append only */

#define CERT_NAME_MAX 256

/* The narrow row. */
struct cert_row {
	int64_t id;
	struct cert_ref ref;
	enum cert_state state;
	unsigned reason;   /* RFC 5280 5.3.1, of REVOKED and ENDED */
	int64_t changed;   /* revocationDate; may lie ahead (grace) */
	int64_t not_before, not_after;
	int64_t successor, predecessor, account; /* 0: none */
	int64_t state_entry; /* of the ledger, that gave it its state; -1 when it is as issued or adopted */
};
struct cert_body {
	struct buf der;
	char name[CERT_NAME_MAX + 1];        /* CN, else O */
	char issuer_name[CERT_NAME_MAX + 1]; /* CN, else O, of its issuer */
	uint8_t key_sha256[32];
	int64_t renewals; /* how often its key was certified before in this line */
	bool adopted, weak;
	char project[TALLY_WORD], profile[TALLY_WORD];
	char identifier[CERT_NAME_MAX + 1]; /* of its subject, by its profile; "" when it has none */
	char tally[2 * TALLY_ID + 1]; /* "" for adopted ones */
	int64_t entry;                /* ledger index of its issue or adoption */
};
void cert_body_done(struct cert_body *b);

/* ERR_NOT_FOUND when there is none. */
MUST_CHECK enum err store_cert_by_id(struct db *db, int64_t id, struct cert_row *ret, struct fault *f);
MUST_CHECK enum err store_cert_by_ref(struct db *db, const struct cert_ref *ref, struct cert_row *ret, struct fault *f);
/* At most max rows with this serial, whoever issued them. */
MUST_CHECK enum err store_certs_by_serial(struct db *db, const struct serial *serial, struct cert_row *ret, size_t max,
					  size_t *ret_n, struct fault *f);
MUST_CHECK enum err store_cert_body(struct db *db, int64_t id, struct cert_body *ret, struct fault *f);
/* What its successor takes over. ERR_NOT_FOUND. */
struct cert_line {
	int64_t id, account, renewals;
	uint8_t key_sha256[32];
};
MUST_CHECK enum err store_cert_line(struct db *db, const struct cert_ref *ref, struct cert_line *ret, struct fault *f);
/* Adds both rows; ret_id also when it was there already (*ret_added false). */
MUST_CHECK enum err store_cert_add(struct db *db, const struct cert_row *row, const struct cert_body *body,
				   int64_t *ret_id, bool *ret_added, struct fault *f);
/* The narrow row alone. ERR_CONFLICT when it is there. */
MUST_CHECK enum err store_cert_row_add(struct db *db, const struct cert_row *row, int64_t *ret_id, struct fault *f);
MUST_CHECK enum err store_cert_status(struct db *db, int64_t id, enum cert_state state, unsigned reason, int64_t changed,
				      int64_t entry, struct fault *f);
/* How many are on hold now. */
MUST_CHECK enum err store_certs_held(struct db *db, int64_t *ret, struct fault *f);
MUST_CHECK enum err store_cert_successor(struct db *db, int64_t id, int64_t successor, struct fault *f);

/* The highest id; 0 when there is none. */
MUST_CHECK enum err store_certs_last(struct db *db, int64_t *ret, struct fault *f);
/* Certificates with a higher id than `after`, by rising id, at most so many. */
MUST_CHECK enum err store_certs_each(struct db *db, int64_t after, int64_t limit, void (*fn)(void *arg, const struct cert_row *row), void *arg,
				     struct fault *f);
/* The certificate whose DER has this SHA-256. ERR_NOT_FOUND. */
MUST_CHECK enum err store_cert_by_hash(struct db *db, const uint8_t sha256[32], int64_t *ret_id, struct fault *f);
/* Certificates whose subject has that identifier, in any profile, newest first, at most max. */
struct cert_owned {
	int64_t id, account;
	char project[TALLY_WORD];
};
MUST_CHECK enum err store_certs_of_identifier(struct db *db, const char *identifier, struct cert_owned *ret, size_t max,
					      size_t *ret_n, struct fault *f);
/* Puts the prints of certificates that were there before prints were kept; does nothing when all have theirs. */
MUST_CHECK enum err store_cert_prints_complete(struct store *s, struct fault *f);

/* Certificates of that profile and identifier, newest first, at most max. */
MUST_CHECK enum err store_certs_with_identifier(struct db *db, const char *profile, const char *identifier,
						struct cert_row *ret, size_t max, size_t *ret_n, struct fault *f);

/* A page of an account's certificates whose name holds `search` ("" all), newest first. Each row is handed to fn. */
struct cert_item {
	struct cert_row row;
	char name[CERT_NAME_MAX + 1], issuer_name[CERT_NAME_MAX + 1], project[TALLY_WORD], profile[TALLY_WORD];
};
MUST_CHECK enum err store_certs_of(struct db *db, int64_t account, const char *search, int64_t limit, int64_t offset,
				   void (*fn)(void *arg, const struct cert_item *item), void *arg, int64_t *ret_total,
				   struct fault *f);

/* An import names a certificate by serial and the issuer's name; it belongs to the account from when both are there.
 * The first claim stays: *ret_owner is the account that has it. */
MUST_CHECK enum err store_claim(struct db *db, const struct serial *serial, const char *issuer_name, int64_t account,
				int64_t *ret_owner, struct fault *f);
/* Gives certificates and services that a claim names to its account; to call after a certificate or a claim is added. */
MUST_CHECK enum err store_claims_resolve(struct db *db, const struct serial *serial, struct fault *f);

/* The ledger's intents and adoptions, until their outcome comes. */
struct intent {
	uint8_t issuer[20], tally[TALLY_ID];
	struct buf tbs, note;
};
void intent_done(struct intent *i);
MUST_CHECK enum err store_intent_put(struct db *db, int64_t entry, const uint8_t issuer[20], const uint8_t tally[TALLY_ID],
				     struct slice tbs, struct slice note, struct fault *f);
MUST_CHECK enum err store_intent_get(struct db *db, int64_t entry, struct intent *ret, struct fault *f);
MUST_CHECK enum err store_intent_drop(struct db *db, int64_t entry, struct fault *f);
/* All of them: the ledger is followed from its beginning, and other entries may stand at their places. */
MUST_CHECK enum err store_followed_forget(struct db *db, struct fault *f);
MUST_CHECK enum err store_adoption_put(struct db *db, int64_t entry, const char *project, const char *profile,
				       struct fault *f);
/* Empty words when the entry is not known. */
MUST_CHECK enum err store_adoption_get(struct db *db, int64_t entry, char ret_project[TALLY_WORD],
				       char ret_profile[TALLY_WORD], struct fault *f);

#endif

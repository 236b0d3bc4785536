/*
 * A whole signer in a temporary folder for tests: CA, roster (officers alice, bob and carol, dave of another project,
 * two RAs, a responder), the shipped policy bundle with a pinned old authority, organisations with adopted certificates;
 * tallies that are right, to have one thing changed; and requests through the handlers of the two sockets.
 */
#ifndef HUFU_TEST_CA_FIXTURE_H
#define HUFU_TEST_CA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/signer.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/pki/csr.h"

#define NOW INT64_C(1795392000) /* 2026-11-23T00:00:00Z */
#define DAY INT64_C(86400)
#define OLD_CODE "35353550-9"
#define NEW_CODE "913301003535355023"
#define NEW_NAME "杭州田谷新"

/* An organisation and its certificate: first the old authority's, then the latest that was issued here (fx_follow). */
struct fx_org {
	const char *name, *code;
	enum key_alg alg;
	EVP_PKEY *key; /* borrowed from the key ring */
	struct serial serial;
	struct buf der;
	struct cert cert;
	bool own; /* issued here, by: */
	uint8_t issuer[20];
};
/* ORG_LATE has a certificate of the old authority that is not adopted yet. */
enum fx_which { ORG_P256, ORG_RSA, ORG_WEAK, ORG_LATE, ORG_N };
/* Keys made once for a program. */
enum fx_key {
	KEY_OF_P256,
	KEY_OF_RSA,
	KEY_OF_WEAK,
	KEY_NEW,
	KEY_NEW_RSA,
	KEY_STRANGER,
	KEY_RESPONDER,
	KEY_OF_LATE,
	KEYS_N
};

/* Who signs, as bits. */
enum {
	BY_SUB = 1,
	BY_NEW = 2,
	BY_RA = 4,
	BY_ALICE = 8,
	BY_BOB = 16,
	BY_CAROL = 32,
	BY_DAVE = 64,
	BY_RA_OTHER = 128,
	BY_OUTSIDER = 256,
	BY_CUSTODIAN = 512
};
#define BY_OFFICERS (BY_ALICE | BY_BOB)

struct fx {
	char dir[40];
	int64_t born; /* what the clock said when all was made */
	enum key_alg ca_alg;
	struct ca_config config;
	struct ledger *ledger;
	struct signer *signer;
	struct fx_org orgs[ORG_N];
	struct ca_key *old_key; /* of the old authority */
	struct buf old_der;
	struct cert old_cert;
	struct buf roster_note;
	unsigned gone; /* who is not in the rosters that are written from now on: BY_… */
	struct policy_source *files;
	size_t n_files;
	/* Carries a message to a signer elsewhere; NULL: to the handlers of this process. */
	void (*carry)(struct fx *x, bool by_operator, struct slice request, struct buf *reply);
	void *carrier;
};
/* A file of the policy bundle, to be changed. */
struct buf *fx_file(struct fx *x, const char *path);
EVP_PKEY *fx_key(enum fx_key which);
void fx_keys_done(void);
/* The clock is set to NOW. */
struct fx *fx_new(enum key_alg ca_alg);
/* At that time, and with policy files that edit has changed (NULL: as they are). */
struct fx *fx_new_at(enum key_alg ca_alg, int64_t now, void (*edit)(struct fx *x));
void fx_free(struct fx *x);
static inline void fx_freep(struct fx **x)
{
	if (*x)
		fx_free(*x);
	*x = NULL;
}
/* As a crash and a new start: the signer is gone without a word, the ledger is opened anew. unlock: also the key, which
 * recovers. */
void fx_restart(struct fx *x, bool unlock);
/* The CA gets a new key and certificate, the one before is retired, and all starts anew, locked. Sealed under FX_OLD and FX_NEW, as secrets. */
#define FX_OLD "the old one's"
#define FX_NEW "the new one's"
void fx_roll(struct fx *x, enum key_alg alg);
enum err fx_unlock(struct fx *x, const char *passphrase, struct fault *f);
/* Moves the clock, as the operator would accept it. */
void fx_clock(struct fx *x, int64_t to);

/* Tallies that pass, of an organisation's current certificate. Zero-inited ones; tally_done(). */
void fx_extend(struct fx *x, enum fx_which org, struct tally *t);
void fx_rekey(struct fx *x, enum fx_which org, struct tally *t);
void fx_change(struct fx *x, enum fx_which org, struct tally *t);
void fx_enrol(struct fx *x, enum fx_which org, struct tally *t);
void fx_reissue(struct fx *x, enum fx_which org, struct tally *t);
void fx_revoke(struct fx *x, enum fx_which org, struct tally *t);
void fx_hold(struct fx *x, enum fx_which org, struct tally *t);
void fx_withdraw(struct fx *x, const uint8_t target[TALLY_ID], struct tally *t);
/* For the key that the roster lists (KEY_RESPONDER); org is not looked at. */
void fx_responder(struct fx *x, enum fx_which org, struct tally *t);
/* Another subject, by attribute. */
void fx_subject(struct tally *t, const struct name *before, const char *name, const char *code);
void fx_subject_name(struct fx *x, enum fx_which org, struct name *ret);
void fx_new_key(struct tally *t, enum fx_key key);

/* The note: t's text, signed by who. org's key makes the sub line, new_key the new-key line. */
void fx_note(struct fx *x, const struct tally *t, enum fx_which org, enum fx_key new_key, unsigned who,
	     struct buf *ret);
/* The same over any text. */
void fx_note_text(struct fx *x, const struct buf *text, enum fx_which org, enum fx_key new_key, unsigned who,
		  struct buf *ret);
/* The first `find` in the bytes becomes `with`; it must be there. */
void fx_replace(struct buf *bytes, const char *find, const char *with);
/* The lines of the people among `who`. */
void fx_people_lines(struct buf *note, unsigned who);
/* A line of that name by the key made from that seed: a person's own is its bit. */
void fx_line(struct buf *note, const char *name, unsigned seed);
void fx_sub_line(struct buf *note, const struct cert_ref *ref, EVP_PKEY *key);
void fx_csr(enum fx_key key, struct buf *ret);

struct fx_answer {
	enum err kind; /* OK: done */
	struct fault f;
	uint32_t retry_ms;
	struct wire_done done; /* borrows from reply */
	struct buf reply;
};
void fx_answer_done(struct fx_answer *a);
void fx_send(struct fx *x, bool by_operator, const struct buf *note, const struct buf *csr, struct fx_answer *ret);
/* Note, CSR when the key is new (of new_key), send. */
void fx_ask(struct fx *x, const struct tally *t, enum fx_which org, enum fx_key new_key, unsigned who,
	    struct fx_answer *ret);
/* The organisation goes on with the certificate that was answered, under that key. */
void fx_follow(struct fx *x, enum fx_which org, const struct fx_answer *a, enum fx_key key);
/* Any message on the operator's socket. */
enum err fx_operator(struct fx *x, const struct buf *request, enum wire_type want, struct buf *reply, struct fault *f);
enum err fx_ra(struct fx *x, const struct buf *request, enum wire_type want, struct buf *reply, struct fault *f);

uint64_t fx_count(struct fx *x, enum wire_type type);
/* An issuer's CRL of one piece. */
enum err fx_publish(struct fx *x, const uint8_t issuer[20], uint32_t scope, struct buf *ret_der, struct ledger_crl *ret, struct fault *f);
void fx_ledger_cert(struct fx *x, const struct cert_ref *ref, struct ledger_cert *ret);
struct cert_ref fx_ref(const struct fx *x, enum fx_which org);
/* The next policy or roster note on the heads in force, signed by who. */
void fx_policy_note(struct fx *x, int64_t until, const uint8_t previous[32], uint64_t version, unsigned who,
		    struct buf *ret);
void fx_roster_note(struct fx *x, uint64_t version, bool has_previous, const uint8_t previous[32], unsigned quorum,
		    unsigned who, struct buf *ret);
/* The message of an adoption whose manifest is org's certificate alone; it carries that of `sent`. */
void fx_adopt_request(struct fx *x, enum fx_which org, enum fx_which sent, unsigned who, const struct buf *crl,
		      struct buf *ret);
/* One adoption of one organisation. Returns problems as text in *ret_problem ("" none). */
enum err fx_adopt(struct fx *x, enum fx_which org, unsigned who, const struct buf *crl, uint32_t *ret_taken,
		  struct buf *ret_problem, struct fault *f);

void check_rule(const char *what, const struct fx_answer *a, const char *rule);
void check_done(const char *what, const struct fx_answer *a);

#endif

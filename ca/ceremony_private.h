/*
 * What the files of the ceremony share. Private to ca/ceremony*.c.
 */
#ifndef HUFU_CA_CEREMONY_PRIVATE_H
#define HUFU_CA_CEREMONY_PRIVATE_H

#include "ca/ceremony.h"
#include "ca/crl.h"
#include "common/base/yaml.h"
#include "common/note/custody.h"
#include "common/note/person.h"
#include "common/note/roster.h"
#include "common/note/statement.h"
#include "common/note/transcript.h"
#include "common/pki/cert.h"
#include "common/policy/policy.h"

enum ceremony_kind {
	CEREMONY_ROOT,
	CEREMONY_INTERMEDIATE,
	CEREMONY_RESPONDER,
	CEREMONY_LOG_KEY,
	CEREMONY_CRL,
	CEREMONY_ROSTER,
	CEREMONY_POLICY,
	CEREMONY_SHARES,
	CEREMONY_ROLLOVER,
	CEREMONY_REVOKE_CA,
	CEREMONY_KIND_N
};

/* Sets of kinds. */
#define CEREMONY_BIT(kind) (1u << CEREMONY_##kind)
#define CEREMONY_CERTIFICATES (CEREMONY_BIT(ROOT) | CEREMONY_BIT(INTERMEDIATE) | CEREMONY_BIT(ROLLOVER))
#define CEREMONY_CRLS (CEREMONY_BIT(CRL) | CEREMONY_BIT(REVOKE_CA))

/* --- the file: ceremony_file.c --- */

struct ceremony_attr {
	const char *attribute, *value;
};
struct ceremony_member {
	int role; /* enum role */
	const char *name, *key, *public, *projects, *kinds;
};
struct ceremony_revoke {
	const char *certificate, *reason;
	int64_t when;
};
struct ceremony_outputs {
	const char *certificate, *key, *public, *crl, *note, *transcript;
};
struct ceremony_file {
	int kind; /* enum ceremony_kind */
	const char *name, *operator;
	struct yaml_strs witnesses;
	struct {
		const char *note, *roster;
	} approval;
	struct yaml_list subject; /* struct ceremony_attr */
	struct {
		const char *algorithm, *token; /* token: URI of the key in it; NULL: a sealed file */
		int64_t bits;		       /* RSA, else 0 */
	} key;
	struct {
		int64_t not_before, not_after, years;
		bool has_years;
	} validity;
	int64_t path_len;
	bool has_path_len, has_crl, has_approval, has_outputs_crl;
	const char *policy, *crl_url, *ca_issuers_url;
	struct {
		const char *certificate, *key;
	} issuer;
	struct {
		int64_t number, this_update, next_update, days;
		bool has_days;
	} crl;
	const char *previous_crl, *replaces;
	struct yaml_list revoke; /* struct ceremony_revoke */
	const char *ca, *roster, *previous, *bundle, *previous_set;
	int64_t made, until, quorum, threshold;
	struct yaml_list members; /* struct ceremony_member */
	struct yaml_strs custodians, signers;
	struct ceremony_outputs outputs;
	/* resolved: */
	enum key_alg alg;
	struct name name_meant;
	uint8_t sha256[32]; /* of the file */
	struct yaml_doc *doc;
};
/* The form: what the kind uses, and nothing else. *ret is zeroed. ceremony_file_done() also after an error. */
MUST_CHECK enum err ceremony_file_load(const char *path, struct ceremony_file *ret, struct fault *f);
/* What each line says, by itself: ceremony_line.c. */
MUST_CHECK enum err ceremony_lines(struct ceremony_file *c, struct fault *f);
void ceremony_file_done(struct ceremony_file *c);
const char *ceremony_kind_word(int kind);
/* Every output's place in the struct, in the order in which they are written: the transcript last. */
#define CEREMONY_OUTPUTS 6
const char *const *ceremony_output(const struct ceremony_file *c, size_t i, const char **ret_what);

/* --- a ceremony under way --- */

#define CEREMONY_TOKEN_ID 16

enum ceremony_mode { CEREMONY_CHECK, CEREMONY_REHEARSE, CEREMONY_RUN };

struct ceremony_cert {
	struct buf der;
	struct cert cert;
	bool there, rehearsed; /* rehearsed: it came out of a rehearsal before this one */
};
struct ceremony_note {
	struct buf bytes;
	struct note note;
	bool there;
};
struct ceremony_product {
	const char *what, *path; /* as the file says it */
	unsigned mode;
	struct buf bytes;
};
struct ceremony {
	const struct ceremony_options *o;
	enum ceremony_mode mode;
	char *out; /* folder that outputs go to: dir, or that of the rehearsal; NULL: nowhere (check) */
	struct ceremony_file file;
	struct transcript *t;
	struct ceremony_cert issuer, ca, replaced;
	struct ceremony_note approval, approval_roster, roster_note, previous_note;
	struct roster roster, approval_by, previous_roster, next_roster; /* roster: who judges what is signed */
	struct policy_note previous_policy;
	struct policy_source *bundle;
	size_t n_bundle;
	struct buf text; /* of the roster, policy or order that is signed */
	struct buf last_crl_der;
	struct crl last_crl;
	struct crl_item *entries; /* of the new CRL, by serial */
	size_t n_entries;
	struct person_key operator, *witnesses, *officers; /* whose keys are here */
	size_t n_witnesses, n_officers;
	struct secret passphrase, issuer_passphrase;
	struct ca_key *key, *issuer_key;
	EVP_PKEY *plain_key; /* of a responder */
	struct person_key log_key;
	struct hsm_key *token_key; /* of a responder or the log, in a token */
	uint8_t token_id[CEREMONY_TOKEN_ID]; /* of a key that is made in a token: kept before it is there */
	bool token_made, token_left; /* it is there; it may be there, from a run that was cut off */
	struct buf tbs, cert_der;
	struct cert cert;
	struct ceremony_product products[CEREMONY_OUTPUTS];
	size_t n_products;
	bool begun, committed; /* a folder of its own is there; and what it holds is whole */
	int lock;	       /* of dir, where locked */
	bool locked;
};

struct ceremony_step {
	const char *title;
	enum err (*run)(struct ceremony *c, struct fault *f);
	bool (*wanted)(const struct ceremony *c); /* NULL: always */
};
/* Ends with {0}. */
const struct ceremony_step *ceremony_steps(int kind);

/* What was made, for the end. Gives an empty buffer to fill. path is the file's own. */
struct buf *ceremony_product(struct ceremony *c, const char *what, const char *path, unsigned mode);
/* To the screen, where there is one. */
void ceremony_say(const struct ceremony *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line of the transcript, and in a run or rehearsal of the screen. */
void ceremony_did(struct ceremony *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same of what a token says of itself and its key. */
void ceremony_saw(struct ceremony *c, const char *token);

/* To the report, where there is one. finished: of a run that was cut off. (ceremony_report.c) */
void ceremony_report(const struct ceremony *c, bool finished);

/* Where a path of the file is: in a rehearsal what is not there yet may come from one before it. Gives: free(). */
char *ceremony_in(const struct ceremony *c, const char *path, bool *ret_rehearsed);
char *ceremony_out(const struct ceremony *c, const char *path);

/* ceremony_input.c: reads what the file names, and no key. */
MUST_CHECK enum err ceremony_inputs(struct ceremony *c, struct fault *f);
void ceremony_inputs_done(struct ceremony *c);
/* ceremony_rule.c: what can be refused before anything is made. Faults have file:line:column. */
MUST_CHECK enum err ceremony_rules(struct ceremony *c, struct fault *f);
/* The same of the notes that officers sign: ceremony_head.c. Fills c->text and c->next_roster. */
MUST_CHECK enum err ceremony_head_rules(struct ceremony *c, struct fault *f);
/* A fault that a step raised, at the line of the file that it comes from. Returns its kind, or ERR_CONFIG. */
enum err ceremony_place(const struct ceremony *c, enum err e, struct fault *f);

/* ceremony_ask.c: people. */
MUST_CHECK enum err ceremony_people(struct ceremony *c, struct fault *f);
MUST_CHECK enum err ceremony_ask(struct ceremony *c, struct fault *f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define CEREMONY_TRIES 5 /* at the terminal */
/* A passphrase, from the option or the terminal, copied; in a check a throw-away one. Gives: secret_done(). */
MUST_CHECK enum err ceremony_secret(struct ceremony *c, const struct secret *given, bool confirm, const char *prompt, struct secret *ret,
				    struct fault *f);
/* Who judges what officers sign here: the roster in force, or the first one itself. */
struct roster *ceremony_judge(struct ceremony *c);
MUST_CHECK enum err ceremony_sign_transcript(struct ceremony *c, struct fault *f);

/* ceremony_stage.c: all outputs or none. */
#define CEREMONY_OUTPUT_MAX (4u << 20)
/* The folder of the run, or a file in it; and the i-th output there. Gives: free(). */
char *ceremony_stage_path(const struct ceremony *c, const char *name);
char *ceremony_stage_product(const struct ceremony *c, size_t i);
/* Takes dir for itself (ERR_CONFLICT ceremony_running), finishes what was cut off while it was written (*ret_finished: there is nothing else to do), clears away what was cut off before; then no output
 * may exist. In check and rehearsal it only says what lies there. */
MUST_CHECK enum err ceremony_stage_resume(struct ceremony *c, bool *ret_finished, struct fault *f);
MUST_CHECK enum err ceremony_stage_begin(struct ceremony *c, struct fault *f);
MUST_CHECK enum err ceremony_stage_commit(struct ceremony *c, struct fault *f);
/* A run that ends by itself before it wrote leaves nothing, also not in a token. */
void ceremony_stage_drop(struct ceremony *c);
void ceremony_stage_unlock(struct ceremony *c);

/* ceremony_ready.c: what lies whole in the folder of the run. */
struct ceremony_ready {
	uint8_t file[32]; /* SHA-256 of the ceremony file */
	size_t n;
	struct {
		unsigned mode;
		uint8_t sha256[32];
		char *path; /* owned */
	} v[CEREMONY_OUTPUTS];
};
void ceremony_ready_done(struct ceremony_ready *r);
void ceremony_ready_put(const struct ceremony_ready *r, struct buf *ret);
/* As a run of this file left it, and no other way: ERR_CONFLICT. Zero-init *ret; ceremony_ready_done() also after an error. */
MUST_CHECK enum err ceremony_ready_load(const struct ceremony *c, struct ceremony_ready *ret, struct fault *f);

/* Steps, by file. ceremony_key.c: */
enum err ceremony_open_issuer(struct ceremony *c, struct fault *f);
enum err ceremony_make_key(struct ceremony *c, struct fault *f);
enum err ceremony_build(struct ceremony *c, struct fault *f);
enum err ceremony_sign_certificate(struct ceremony *c, struct fault *f);
enum err ceremony_seal_key(struct ceremony *c, struct fault *f);
enum err ceremony_make_responder(struct ceremony *c, struct fault *f);
enum err ceremony_make_log_key(struct ceremony *c, struct fault *f);
/* ceremony_token.c: keys that are born in a token, in a run alone. */
bool ceremony_in_token(const struct ceremony *c);
/* Does the ceremony choose the key's id? Else the file does, and what has that id need not be ours. */
bool ceremony_token_id(const struct ceremony *c);
enum err ceremony_make_ca_in_token(struct ceremony *c, struct fault *f);
/* Into c->token_key. */
enum err ceremony_make_in_token(struct ceremony *c, const struct hsm_owner *owner, struct fault *f);
/* The file of outputs.key says where it is. */
void ceremony_put_token(struct ceremony *c);
/* Deletes what this run made there, or one that was cut off. */
enum err ceremony_clear_token(struct ceremony *c, struct fault *f);
/* Label and id of the key, for people. Gives: free(). */
char *ceremony_token_name(const struct ceremony *c);
/* ceremony_crl.c: */
bool ceremony_has_crl(const struct ceremony *c);
enum err ceremony_make_crl(struct ceremony *c, struct fault *f);
/* ceremony_head.c: */
enum err ceremony_show_head(struct ceremony *c, struct fault *f);
enum err ceremony_sign_head(struct ceremony *c, struct fault *f);

#endif

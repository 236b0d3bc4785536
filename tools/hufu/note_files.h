/*
 * Notes and certificates as files: loading, and the commands of the note family.
 */
#ifndef HUFU_TOOLS_NOTE_FILES_H
#define HUFU_TOOLS_NOTE_FILES_H

#include "common/note/roster.h"
#include "common/policy/policy.h"
#include "tools/hufu/cli.h"

/* A roster note's text parsed; signatures are not judged. */
MUST_CHECK enum err roster_load(const char *path, struct roster *ret, struct fault *f);
struct roster_change {
	struct option_list add, remove; /* as `hufu roster note` takes them */
	const char *quorum;		/* NULL: as it is */
};
/* Makes *r the roster that follows it, and appends its text, checked by the reader that the signer has. ERR_CONFIG,
 * ERR_CONFLICT, ERR_LIMIT, ERR_NOT_FOUND. */
MUST_CHECK enum err roster_next(struct roster *r, const struct roster_change *change, struct buf *ret, struct fault *f);
/* A responder's certificate by its key file, straight from the signer: the tally's text and the PEM, appended. In a dry
 * run the text alone. (cmd_responder.c) */
MUST_CHECK enum err responder_renew(struct cli *c, const char *key_path, const char *issuer, struct buf *ret_text,
				    struct buf *ret_pem, struct fault *f);
/* PEM or DER of that label, at most 64 KiB, or max bytes of file. Appends DER. */
MUST_CHECK enum err der_load(const char *path, const char *label, struct buf *ret, struct fault *f);
MUST_CHECK enum err der_load_long(const char *path, const char *label, size_t max, struct buf *ret, struct fault *f);
/* A note file: its bytes, as text without signatures when it has none yet. */
MUST_CHECK enum err note_load(const char *path, struct buf *ret, struct fault *f);
/* One signature line over a note's text, as "— name base64\n": by a subscriber's PEM key, and by a person's. Gives:
 * free(). */
MUST_CHECK enum err line_by_pem(struct slice text, const char *name, const char *key_path, char **ret, struct fault *f);
/* The same of a signature that is there already. */
MUST_CHECK enum err line_by_signature(struct slice text, const char *name, const struct pubkey *key, struct slice sig,
				      char **ret, struct fault *f);
MUST_CHECK enum err line_by_person(const char *text, const struct person_key *key, char **ret, struct fault *f);
/* What a signed roster or policy would change, from the signer, which judges it and takes nothing: shown, and where a person sits at the terminal
 * (and yes is not said) confirmed. ERR_DENIED not_confirmed. *ret_text gives: free(). */
MUST_CHECK enum err change_confirm(struct cli *c, struct slice note, bool yes, char **ret_text, struct fault *f);
/* Adds a person's signature line to a note file, in place. The text is shown and, when ask, confirmed on the terminal
 * first. */
int note_sign_file(struct cli *c, const char *path, const char *key_path, bool yes);

int run_tally_show(struct cli *c, int argc, char **argv);
int run_tally_verify(struct cli *c, int argc, char **argv);
int run_roster_show(struct cli *c, int argc, char **argv);
int run_roster_sign(struct cli *c, int argc, char **argv);
int run_roster_submit(struct cli *c, int argc, char **argv);
int run_policy_check(struct cli *c, int argc, char **argv);
int run_policy_explain(struct cli *c, int argc, char **argv);
int run_policy_note(struct cli *c, int argc, char **argv);
int run_policy_sign(struct cli *c, int argc, char **argv);
int run_policy_submit(struct cli *c, int argc, char **argv);
int run_policy_schema(struct cli *c, int argc, char **argv);
int run_note_sign(struct cli *c, int argc, char **argv);
int run_note_verify(struct cli *c, int argc, char **argv);
int run_roster_note(struct cli *c, int argc, char **argv);
int run_responder_renew(struct cli *c, int argc, char **argv);

#endif

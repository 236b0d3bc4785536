/*
 * What a ceremony leaves behind, and what allows one.
 *
 *     hufu/transcript/v1                          what was done: signed by the operator, then by the witnesses
 *     ceremony: issuing                           the file's name
 *     kind: intermediate
 *     mode: run | rehearsal
 *     version: hufu-ca 0.1.0
 *     library: OpenSSL …
 *     program: <SHA-256 of the program that ran>
 *     file: <SHA-256 of the ceremony file>
 *     operator: <verifier key>
 *     witness: <verifier key>                     zero or more
 *     begun: <time>
 *     input: <what> <SHA-256> <path>              zero or more: what was read
 *     prompt: <time> <answer> <text>              each in its place: what was asked; yes, given (a secret: never recorded), option (said on the
 *                                                 command line)
 *     step: <time> <text>                         what was done
 *     token: <time> <text>                        serial number and attributes of a key that lives in a token
 *     output: <what> <SHA-256> <path>             one or more: what came out
 *     ended: <time>
 *
 *     hufu/ceremony/v1                            the officers' quorum: this file, and no other, may be run
 *     ca: <key id>
 *     ceremony: rollover-2031
 *     kind: rollover
 *     file: <SHA-256>
 *     made: <time>
 *
 * Verification needs these bytes alone, and not the program that wrote them.
 */
#ifndef HUFU_NOTE_TRANSCRIPT_H
#define HUFU_NOTE_TRANSCRIPT_H

#include "common/note/tally.h"

#define TRANSCRIPT_KIND_LINE "hufu/transcript/v1"
#define CEREMONY_KIND_LINE "hufu/ceremony/v1"
#define TRANSCRIPT_MAX_WITNESSES (NOTE_MAX_SIGS - 1)
#define TRANSCRIPT_MAX_LINES 256
#define TRANSCRIPT_MAX_FILES 32

struct transcript_person {
	char name[NOTE_MAX_NAME + 1];
	uint8_t key[ED25519_KEY];
};
enum transcript_what { TRANSCRIPT_PROMPT, TRANSCRIPT_STEP, TRANSCRIPT_TOKEN, TRANSCRIPT_WHAT_N };
struct transcript_line {
	enum transcript_what what;
	int64_t when;
	char answer[16]; /* of a prompt */
	char *text;	 /* owned */
};
struct transcript_file {
	char what[16];
	char *path; /* owned */
	uint8_t sha256[32];
};
struct transcript {
	char ceremony[TALLY_WORD], kind[TALLY_WORD];
	bool rehearsal;
	char *version, *library; /* owned */
	uint8_t program[32], file[32];
	struct transcript_person operator, witnesses[TRANSCRIPT_MAX_WITNESSES];
	size_t n_witnesses;
	int64_t begun, ended;
	struct transcript_line lines[TRANSCRIPT_MAX_LINES];
	struct transcript_file inputs[TRANSCRIPT_MAX_FILES], outputs[TRANSCRIPT_MAX_FILES];
	size_t n_lines, n_inputs, n_outputs;
};
/* Accepts the zero state. A transcript is large: allocate it. */
void transcript_done(struct transcript *t);
/* Appends the text. */
void transcript_put(const struct transcript *t, struct buf *ret);
/* Zero-init *ret. ERR_PARSE, ERR_LIMIT; also times that go back. */
MUST_CHECK enum err transcript_parse(struct slice text, struct transcript *ret, struct fault *f);

/* now, or the time of the last line where the clock was set back meanwhile: a transcript's times never go back. */
int64_t transcript_time(const struct transcript *t, int64_t now);
/* As it grows: text is copied, with what is no part of a line escaped. Beyond the limits: asserted. */
void transcript_add(struct transcript *t, enum transcript_what what, int64_t when, const char *answer, const char *text);
/* To inputs or outputs (n of them), with the hash of bytes. */
void transcript_add_file(struct transcript_file *files, size_t *n, const char *what, const char *path, struct slice bytes);

/* "1cc4 bdfc d4cc 9b77 …": a SHA-256 in groups of four that people can read aloud, eight on each line, the second line behind indent; NULL:
 * one line. Appends, without a last newline. */
void hash_aloud(const uint8_t sha256[32], const char *indent, struct buf *ret);

struct ceremony_order {
	uint8_t ca[20];
	char ceremony[TALLY_WORD], kind[TALLY_WORD];
	uint8_t file[32];
	int64_t made;
};
MUST_CHECK enum err ceremony_order_parse(struct slice text, struct ceremony_order *ret, struct fault *f);
void ceremony_order_put(const struct ceremony_order *o, struct buf *ret);

#endif

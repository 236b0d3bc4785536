/*
 * What the attacks are made of. For demo_attack*.c.
 */
#ifndef HUFU_TOOLS_DEMO_ATTACK_H
#define HUFU_TOOLS_DEMO_ATTACK_H

#include "common/note/tally.h"
#include "tools/hufu/demo.h"

struct attack {
	struct demo *d;
	struct buf bytes; /* of the note that was taken */
	struct note note;
	struct tally tally; /* of it, to be changed */
	struct person_key ra;
};

/* Each makes a note and, for a new key, its request; they go to the signer as <file>.note and <file>.csr. */
typedef enum err attack_fn(struct attack *a, struct buf *note, struct buf *csr, struct fault *f);
struct attack_row {
	const char *file, *what;
	attack_fn *make;
	bool again; /* answered with what was issued before, instead of refused */
};

/* --- demo_attack.c --- */

/* A note that the demo left in out/. */
MUST_CHECK enum err attack_load(struct attack *a, const char *name, struct fault *f);
/* A tally that lives now, under a fresh id when that is wanted. */
void attack_freshen(struct tally *t, bool new_id);
/* A real request on the live certificate that the change made, back to another name. */
MUST_CHECK enum err attack_target(struct attack *a, struct fault *f);
/* The tally's text, and a note that begins with it. */
MUST_CHECK enum err attack_begin(struct attack *a, struct buf *text, struct buf *note);
MUST_CHECK enum err attack_by_ra(struct attack *a, struct buf *note, struct fault *f);
MUST_CHECK enum err attack_by_officer(struct attack *a, const char *name, struct buf *note, struct fault *f);
/* A key of the attacker's under an officer's name and real key id. */
MUST_CHECK enum err attack_by_forger(struct attack *a, const char *name, struct buf *note, struct slice text,
				     struct fault *f);

/* The line of the predecessor's key; key_file is one of old/. */
MUST_CHECK enum err attack_by_subscriber(struct attack *a, const char *key_file, struct slice text, struct buf *note,
					 struct fault *f);

/* --- demo_attack_kinds.c --- */

attack_fn attack_withdrawn, attack_responder, attack_reissue_forged, attack_reissue_short, attack_reissue_swapped,
	attack_reissue_dead, attack_enrol_forged, attack_enrol_code, attack_release_other;

#endif

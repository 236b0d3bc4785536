/*
 * The fields of a tally: for each a reader, a writer and the question whether it is there. For tally.c alone.
 */
#ifndef HUFU_NOTE_TALLY_FIELD_H
#define HUFU_NOTE_TALLY_FIELD_H

#include "common/note/lines.h"
#include "common/note/tally.h"

typedef enum err field_get(struct lines *l, struct tally *t, struct fault *f);
typedef void field_put(const struct tally *t, struct buf *b);
typedef bool field_has(const struct tally *t);

/* Readers take the whole field (all lines of a repeated one) and check what its kind allows there. ERR_PARSE
 * field_value. */
field_get get_id, get_ca, get_project, get_profile, get_way, get_policy, get_predecessor, get_subject, get_key,
	get_validity;
field_get get_latest, get_order, get_material, get_notice, get_files, get_key_seen, get_collides, get_reason,
	get_target, get_hold, get_issuer;
field_get get_made, get_dies;
field_put put_id, put_ca, put_project, put_profile, put_way, put_policy, put_predecessor, put_subject, put_key,
	put_validity;
field_put put_latest, put_order, put_material, put_notice, put_files, put_key_seen, put_collides, put_reason,
	put_target, put_hold, put_issuer;
field_put put_made, put_dies;
field_has has_project, has_profile, has_way, has_predecessor, has_subject, has_key, has_validity, has_latest, has_order,
	has_material;
field_has has_notice, has_files, has_key_seen, has_collides, has_target, has_hold, has_issuer;

/* The subject lines as a whole (tally_subject.c): each side a name within bounds, and the difference written in the one
 * form that tally_set_subject() gives. Nothing to check for a kind without a subject. */
MUST_CHECK enum err tally_subject_check(const struct tally *t, struct fault *f);

#endif

/*
 * A tally is read field by field along one table, which also says for each kind which fields it must, may and must not
 * have; the same table writes it (tally_put), so reading and writing cannot differ in order. What a field's value looks
 * like is a pair of small functions in tally_field.c. After reading, the text is written again and must be the same
 * bytes. This file judges form only: whether the parties may do what the tally asks is the policy's and the signer's.
 * Next: tally_subject.c, tally_explain.c.
 */
#include "common/note/tally_field.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <assert.h>
#include <string.h>

#define MAX_LINES 128 /* 23 fields, 32 materials, 32 subject lines */

static const char *const kind_words[TALLY_KIND_N] = {
	[TALLY_EXTEND] = "extend",   [TALLY_CHANGE] = "change",	    [TALLY_ENROL] = "enrol",
	[TALLY_REISSUE] = "reissue", [TALLY_REVOKE] = "revoke",	    [TALLY_HOLD] = "hold",
	[TALLY_RELEASE] = "release", [TALLY_WITHDRAW] = "withdraw", [TALLY_RESPONDER] = "responder",
};

const char *tally_kind_word(enum tally_kind kind)
{
	assert(kind < TALLY_KIND_N);
	return kind_words[kind];
}

bool tally_kind_from_word(const char *word, size_t n, enum tally_kind *ret)
{
	for (size_t i = 0; i < TALLY_KIND_N; i++) {
		if (slice_eq(slice_of(word, n), slice_str(kind_words[i]))) {
			*ret = (enum tally_kind)i;
			return true;
		}
	}
	return false;
}

bool tally_kind_issues(enum tally_kind kind)
{
	switch (kind) {
	case TALLY_EXTEND:
	case TALLY_CHANGE:
	case TALLY_ENROL:
	case TALLY_REISSUE:
	case TALLY_RESPONDER:
		return true;
	case TALLY_REVOKE:
	case TALLY_HOLD:
	case TALLY_RELEASE:
	case TALLY_WITHDRAW:
	case TALLY_KIND_N:
		break;
	}
	return false;
}

void tally_id_new(int64_t now, uint8_t ret[TALLY_ID])
{
	random_fill(ret, TALLY_ID);
	for (unsigned i = 0; i < 5; i++)
		ret[i] = (uint8_t)(now >> (32 - 8 * i));
	ret[5] = clock_fraction();
}

const char *tally_id_text(const uint8_t id[TALLY_ID], char ret[2 * TALLY_ID + 1])
{
	hex_lower(id, TALLY_ID, ret);
	return ret;
}

void tally_done(struct tally *t)
{
	for (size_t i = 0; i < t->n_subject; i++)
		free(t->subject[i].value);
	free(t->subject);
	free(t->materials);
	*t = (struct tally){0};
}

/*
 * The table: fields in the order of the text, and for each kind 'M' must, 'o' may, '.' must not. Columns are the kinds
 * in the order of enum tally_kind.
 */
struct field {
	const char *word;
	/* extend change enrol reissue revoke hold release withdraw responder */
	const char presence[TALLY_KIND_N + 1];
	field_get *get;
	field_put *put;
	field_has *has; /* NULL: there whenever the kind must have it */
};
static const struct field fields[] = {
	{"id", "MMMMMMMMM", get_id, put_id, NULL},
	{"ca", "MMMMMMMMM", get_ca, put_ca, NULL},
	{"project", "MMMMMMM..", get_project, put_project, has_project},
	{"profile", "MMMMMMM.M", get_profile, put_profile, has_profile},
	{"issuer", "........o", get_issuer, put_issuer, has_issuer},
	{"way", "MMMMM.M..", get_way, put_way, has_way},
	{"policy", "MMMMMMM..", get_policy, put_policy, NULL},
	{"predecessor", "MM.MMMMo.", get_predecessor, put_predecessor, has_predecessor},
	{"subject", "MMMM.....", get_subject, put_subject, has_subject},
	{"key", "MMMM....M", get_key, put_key, has_key},
	{"validity", "MMMM.....", get_validity, put_validity, has_validity},
	{"latest", "MMMM.....", get_latest, put_latest, has_latest},
	{"order", "oooo.....", get_order, put_order, has_order},
	{"material", "oooo.....", get_material, put_material, has_material},
	{"notice", "oooo.....", get_notice, put_notice, has_notice},
	{"encrypted-files", "oooM.....", get_files, put_files, has_files},
	{"key-seen", "..MM.....", get_key_seen, put_key_seen, has_key_seen},
	{"collides", ".oo......", get_collides, put_collides, has_collides},
	{"reason", "...MM....", get_reason, put_reason, NULL},
	{"target", ".......M.", get_target, put_target, has_target},
	{"hold", "......M..", get_hold, put_hold, has_hold},
	{"made", "MMMMMMMMM", get_made, put_made, NULL},
	{"dies", "MMMMMMMMM", get_dies, put_dies, NULL},
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static enum err kind_get(struct lines *l, struct tally *t, struct fault *f)
{
	struct slice v;
	char wanted[160] = "one of";

	TRY(lines_get(l, "kind", &v, f));
	if (tally_kind_from_word((const char *)v.p, v.n, &t->kind))
		return OK;
	for (size_t i = 0; i < TALLY_KIND_N; i++) {
		size_t at = strlen(wanted);

		snprintf(wanted + at, sizeof(wanted) - at, " %s", kind_words[i]);
	}
	return lines_bad(l, "kind", v, wanted, f);
}

static enum err field_read(const struct field *field, struct lines *l, struct tally *t, struct fault *f)
{
	char presence = field->presence[t->kind];
	bool there = lines_next_is(l, field->word);
	char where[96];

	if (there && presence == '.') {
		snprintf(where, sizeof(where), "tally.%s", field->word);
		return fault_raise(f, ERR_PARSE, "field_forbidden", where,
				   "line %u: found field \"%s\", wanted none in a tally of kind %s", l->line + 1,
				   field->word, tally_kind_word(t->kind));
	}
	return there || presence == 'M' ? field->get(l, t, f) : OK;
}

static enum err body_parse(struct lines *l, struct tally *t, struct fault *f)
{
	t->reason = -1;
	TRY(kind_get(l, t, f));
	for (size_t i = 0; i < N_FIELDS; i++)
		TRY(field_read(&fields[i], l, t, f));
	TRY(lines_end(l, f));
	if (t->dies <= t->made)
		return fault_raise(f, ERR_PARSE, "tally_window", "tally.dies",
				   "the tally dies before it is made or as it is made");
	return tally_subject_check(t, f);
}

enum err tally_parse(struct slice text, struct tally *ret, struct fault *f)
{
	_cleanup_(tally_done) struct tally t = {0};
	_cleanup_buf_ struct buf again = {0};
	struct lines l;

	TRY(lines_begin(&l, "tally", TALLY_KIND_LINE, text, MAX_LINES, f));
	TRY(body_parse(&l, &t, f));
	buf_reserve(&again, text.n);
	tally_put(&t, &again);
	TRY(lines_same("tally", text, &again, f));
	*ret = t;
	t = (struct tally){0};
	return OK;
}

void tally_put(const struct tally *t, struct buf *ret)
{
	buf_str(ret, TALLY_KIND_LINE "\n");
	lines_put(ret, "kind", tally_kind_word(t->kind));
	for (size_t i = 0; i < N_FIELDS; i++) {
		const struct field *field = &fields[i];
		char presence = field->presence[t->kind];
		bool has = field->has != NULL ? field->has(t) : presence == 'M';

		assert(presence == 'o' || has == (presence == 'M'));
		if (has)
			field->put(t, ret);
	}
}

/*
 * One field, one reader and one writer, side by side. A reader stops at the first thing that is not the field's only
 * form, and refuses what the tally's kind never has there (an extension with a new subject, an enrolment with the same
 * key): such a text is not a weaker request but a malformed one. The order of fields and who has which is the table in
 * tally.c.
 */
#include "common/note/tally_field.h"

#include "common/base/cleanup.h"

#include <string.h>

#define MAX_MONTHS 1200

/* Letters, digits, '-', '_' and '.', starting with a letter or digit: ids and versions that others give. */
static bool token_valid(struct slice s)
{
	static const char other[] = "-_.";

	if (s.n == 0 || s.n >= TALLY_WORD)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (i == 0 || memchr(other, c, sizeof(other) - 1) == NULL))
			return false;
	}
	return true;
}

static void word_set(char ret[TALLY_WORD], struct slice s)
{
	memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
}

/* Index of a value among words; -1 when none. */
static int word_index(struct slice v, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq(v, slice_str(words[i])))
			return (int)i;
	}
	return -1;
}

bool cert_ref_eq(const struct cert_ref *a, const struct cert_ref *b)
{
	return memcmp(a->issuer_key_id, b->issuer_key_id, 20) == 0 && serial_eq(&a->serial, &b->serial);
}

void cert_ref_put(const struct cert_ref *r, struct buf *ret)
{
	buf_hex(ret, r->issuer_key_id, 20);
	buf_char(ret, ' ');
	buf_str(ret, SERIAL(&r->serial));
}

bool cert_ref_parse(struct slice text, struct cert_ref *ret)
{
	struct cert_ref r = {0};
	struct slice part[2];

	if (!slice_split(text, part, 2, false) || !slice_hex(part[0], r.issuer_key_id, 20) ||
	    !serial_parse((const char *)part[1].p, part[1].n, &r.serial))
		return false;
	*ret = r;
	return true;
}

static enum err ref_get(struct lines *l, const char *field, struct cert_ref *ret, struct fault *f)
{
	struct slice v;

	TRY(lines_get(l, field, &v, f));
	if (cert_ref_parse(v, ret))
		return OK;
	return lines_bad(l, field, v,
			 "40 lower-case hex digits, a space, and a serial of 1 to 20 octets in upper-case hex", f);
}

static void ref_put(struct buf *b, const char *field, const struct cert_ref *r)
{
	buf_str(b, field);
	buf_str(b, ": ");
	cert_ref_put(r, b);
	buf_char(b, '\n');
}

enum err get_id(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_hex(l, "id", t->id, TALLY_ID, f);
}
void put_id(const struct tally *t, struct buf *b)
{
	lines_put_hex(b, "id", t->id, TALLY_ID);
}

enum err get_ca(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_hex(l, "ca", t->ca, 20, f);
}
void put_ca(const struct tally *t, struct buf *b)
{
	lines_put_hex(b, "ca", t->ca, 20);
}

enum err get_project(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_word(l, "project", t->project, TALLY_WORD, f);
}
void put_project(const struct tally *t, struct buf *b)
{
	lines_put(b, "project", t->project);
}
bool has_project(const struct tally *t)
{
	return t->project[0] != '\0';
}

enum err get_profile(struct lines *l, struct tally *t, struct fault *f)
{
	TRY(lines_word(l, "profile", t->profile, TALLY_WORD, f));
	if ((t->kind == TALLY_RESPONDER) != (strcmp(t->profile, "responder") == 0))
		return lines_bad(l, "profile", slice_str(t->profile),
				 "responder in a tally of that kind, and in no other", f);
	return OK;
}
void put_profile(const struct tally *t, struct buf *b)
{
	lines_put(b, "profile", t->profile);
}
bool has_profile(const struct tally *t)
{
	return t->profile[0] != '\0';
}

enum err get_way(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_word(l, "way", t->way, TALLY_WORD, f);
}
void put_way(const struct tally *t, struct buf *b)
{
	lines_put(b, "way", t->way);
}
bool has_way(const struct tally *t)
{
	return t->way[0] != '\0';
}

enum err get_policy(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_hex(l, "policy", t->policy, 32, f);
}
void put_policy(const struct tally *t, struct buf *b)
{
	lines_put_hex(b, "policy", t->policy, 32);
}

enum err get_predecessor(struct lines *l, struct tally *t, struct fault *f)
{
	TRY(ref_get(l, "predecessor", &t->predecessor, f));
	t->has_predecessor = true;
	return OK;
}
void put_predecessor(const struct tally *t, struct buf *b)
{
	ref_put(b, "predecessor", &t->predecessor);
}
bool has_predecessor(const struct tally *t)
{
	return t->has_predecessor;
}

static const char marks[] = {[SUBJECT_SAME] = '=', [SUBJECT_OLD] = '-', [SUBJECT_NEW] = '+'};

/* Which marks a kind's subject lines have. */
static const char *marks_of(enum tally_kind kind)
{
	switch (kind) {
	case TALLY_EXTEND:
	case TALLY_REISSUE:
		return "=";
	case TALLY_ENROL:
		return "+";
	case TALLY_CHANGE:
		return "=-+";
	case TALLY_REVOKE:
	case TALLY_HOLD:
	case TALLY_RELEASE:
	case TALLY_WITHDRAW:
	case TALLY_RESPONDER:
	case TALLY_KIND_N:
		break;
	}
	return "";
}

static enum err subject_line_get(struct lines *l, struct tally *t, struct fault *f)
{
	struct slice v, part[3];
	char wanted[80];
	const struct attr_type *type;
	const char *mark;

	TRY(lines_get(l, "subject", &v, f));
	if (!slice_split(v, part, 3, true))
		return lines_bad(l, "subject", v, "a mark, an attribute and a value with a space between", f);
	mark = part[0].n == 1 ? memchr(marks, part[0].p[0], sizeof(marks)) : NULL;
	if (mark == NULL || strchr(marks_of(t->kind), *mark) == NULL) {
		snprintf(wanted, sizeof(wanted), "one of the marks %s that kind %s has", marks_of(t->kind),
			 tally_kind_word(t->kind));
		return lines_bad(l, "subject", part[0], wanted, f);
	}
	type = attr_by_word((const char *)part[1].p, part[1].n);
	if (type == NULL)
		return lines_bad(l, "subject", part[1], "the word of a known attribute", f);
	if (part[2].n > NAME_MAX_VALUE)
		return fault_raise(f, ERR_LIMIT, "subject_value", "tally.subject",
				   "found %zu bytes in %s, wanted at most %d", part[2].n, type->word, NAME_MAX_VALUE);
	TRY(name_value_check("tally.subject", (const char *)part[2].p, part[2].n, f));
	t->subject[t->n_subject++] =
		(struct subject_line){(enum subject_mark)(mark - marks), type, slice_dup_str(part[2])};
	return OK;
}

enum err get_subject(struct lines *l, struct tally *t, struct fault *f)
{
	t->subject = xcalloc(2 * NAME_MAX_ATTRS, sizeof(*t->subject));
	do {
		if (t->n_subject == 2 * NAME_MAX_ATTRS)
			return fault_raise(f, ERR_LIMIT, "subject_lines", "tally.subject", "found more than %d lines",
					   2 * NAME_MAX_ATTRS);
		TRY(subject_line_get(l, t, f));
	} while (lines_next_is(l, "subject"));
	return OK;
}

void put_subject(const struct tally *t, struct buf *b)
{
	for (size_t i = 0; i < t->n_subject; i++)
		buf_fmt(b, "subject: %c %s %s\n", marks[t->subject[i].mark], t->subject[i].type->word,
			t->subject[i].value);
}
bool has_subject(const struct tally *t)
{
	return t->n_subject > 0;
}

enum err get_key(struct lines *l, struct tally *t, struct fault *f)
{
	bool must_new = t->kind == TALLY_ENROL || t->kind == TALLY_REISSUE || t->kind == TALLY_RESPONDER;
	struct slice v, part[2];

	TRY(lines_get(l, "key", &v, f));
	if (!slice_split(v, part, 2, false) || !slice_hex(part[1], t->key_sha256, 32))
		return lines_bad(l, "key", v, "same or new, a space, and 64 lower-case hex digits", f);
	t->has_key = true;
	t->key_is_new = slice_eq(part[0], slice_str("new"));
	if (!t->key_is_new && (must_new || !slice_eq(part[0], slice_str("same"))))
		return lines_bad(l, "key", part[0], must_new ? "new, as this kind has it" : "same or new", f);
	return OK;
}

void put_key(const struct tally *t, struct buf *b)
{
	buf_str(b, t->key_is_new ? "key: new " : "key: same ");
	buf_hex(b, t->key_sha256, 32);
	buf_char(b, '\n');
}
bool has_key(const struct tally *t)
{
	return t->has_key;
}

enum err get_validity(struct lines *l, struct tally *t, struct fault *f)
{
	bool may_keep = t->kind == TALLY_CHANGE || t->kind == TALLY_REISSUE;
	struct slice v, part[3];
	uint64_t months;

	TRY(lines_get(l, "validity", &v, f));
	t->has_validity = true;
	if (may_keep && slice_eq(v, slice_str("keep")))
		return OK;
	if (!slice_split(v, part, 3, false) || !slice_eq(part[0], slice_str("add")) ||
	    !slice_eq(part[2], slice_str("months")) ||
	    !u64_parse((const char *)part[1].p, part[1].n, MAX_MONTHS, &months) || months == 0)
		return lines_bad(l, "validity", v,
				 may_keep ? "keep, or \"add <1 to 1200> months\""
					  : "\"add <1 to 1200> months\", as this kind has it",
				 f);
	t->add_months = (unsigned)months;
	return OK;
}

void put_validity(const struct tally *t, struct buf *b)
{
	if (t->add_months == 0)
		lines_put(b, "validity", "keep");
	else
		buf_fmt(b, "validity: add %u months\n", t->add_months);
}
bool has_validity(const struct tally *t)
{
	return t->has_validity;
}

enum err get_latest(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_time(l, "latest", &t->latest, f);
}
void put_latest(const struct tally *t, struct buf *b)
{
	lines_put_time(b, "latest", t->latest);
}
bool has_latest(const struct tally *t)
{
	return t->latest != 0;
}

enum err get_order(struct lines *l, struct tally *t, struct fault *f)
{
	struct slice v;

	TRY(lines_get(l, "order", &v, f));
	if (!token_valid(v))
		return lines_bad(l, "order", v, "an id of 1 to 47 letters, digits, '-', '_' and '.'", f);
	word_set(t->order, v);
	return OK;
}
void put_order(const struct tally *t, struct buf *b)
{
	lines_put(b, "order", t->order);
}
bool has_order(const struct tally *t)
{
	return t->order[0] != '\0';
}

static int material_cmp(const struct tally_material *a, const struct tally_material *b)
{
	int by_name = strcmp(a->name, b->name);

	return by_name != 0 ? by_name : memcmp(a->sha256, b->sha256, 32);
}

enum err get_material(struct lines *l, struct tally *t, struct fault *f)
{
	t->materials = xcalloc(TALLY_MAX_MATERIALS, sizeof(*t->materials));
	do {
		struct slice v, part[2];
		struct tally_material *m = &t->materials[t->n_materials];

		if (t->n_materials == TALLY_MAX_MATERIALS)
			return fault_raise(f, ERR_LIMIT, "materials", "tally.material", "found more than %d lines",
					   TALLY_MAX_MATERIALS);
		TRY(lines_get(l, "material", &v, f));
		if (!slice_split(v, part, 2, false) || !word_valid(part[0], TALLY_WORD) ||
		    !slice_hex(part[1], m->sha256, 32))
			return lines_bad(l, "material", v, "a word, a space, and 64 lower-case hex digits", f);
		word_set(m->name, part[0]);
		if (t->n_materials > 0 && material_cmp(m - 1, m) >= 0)
			return lines_bad(l, "material", v, "materials sorted by name, then hash, each once", f);
		t->n_materials++;
	} while (lines_next_is(l, "material"));
	return OK;
}

static void named_hash_put(struct buf *b, const char *field, const char *name, const uint8_t hash[32])
{
	buf_fmt(b, "%s: %s ", field, name);
	buf_hex(b, hash, 32);
	buf_char(b, '\n');
}

void put_material(const struct tally *t, struct buf *b)
{
	for (size_t i = 0; i < t->n_materials; i++)
		named_hash_put(b, "material", t->materials[i].name, t->materials[i].sha256);
}
bool has_material(const struct tally *t)
{
	return t->n_materials > 0;
}

enum err get_notice(struct lines *l, struct tally *t, struct fault *f)
{
	struct slice v, part[2];

	TRY(lines_get(l, "notice", &v, f));
	if (!slice_split(v, part, 2, false) || !token_valid(part[0]) || !slice_hex(part[1], t->notice_sha256, 32))
		return lines_bad(l, "notice", v, "a version, a space, and 64 lower-case hex digits", f);
	word_set(t->notice, part[0]);
	return OK;
}
void put_notice(const struct tally *t, struct buf *b)
{
	named_hash_put(b, "notice", t->notice, t->notice_sha256);
}
bool has_notice(const struct tally *t)
{
	return t->notice[0] != '\0';
}

static const char *const files_words[] = {"no", "yes", "waived"};

enum err get_files(struct lines *l, struct tally *t, struct fault *f)
{
	struct slice v;
	int i;

	TRY(lines_get(l, "encrypted-files", &v, f));
	i = word_index(v, files_words, 3);
	if (i < 0)
		return lines_bad(l, "encrypted-files", v, "no, yes or waived", f);
	t->files = (enum tally_files)((int)FILES_NO + i);
	return OK;
}
void put_files(const struct tally *t, struct buf *b)
{
	lines_put(b, "encrypted-files", files_words[t->files - FILES_NO]);
}
bool has_files(const struct tally *t)
{
	return t->files != FILES_UNSAID;
}

static const char *const key_seen_words[] = {
	[KEY_SEEN_UNSAID] = "",	  [KEY_SEEN_TOKEN] = "token",	[KEY_SEEN_PAPER] = "paper",
	[KEY_SEEN_CALL] = "call", [KEY_SEEN_PERSON] = "person",
};

const char *key_seen_word(enum key_seen seen)
{
	return key_seen_words[seen];
}

enum key_seen key_seen_from_word(const char *word)
{
	for (int i = KEY_SEEN_TOKEN; i <= KEY_SEEN_PERSON; i++) {
		if (strcmp(word, key_seen_words[i]) == 0)
			return (enum key_seen)i;
	}
	return KEY_SEEN_UNSAID;
}

enum err get_key_seen(struct lines *l, struct tally *t, struct fault *f)
{
	struct slice v;
	int i;

	TRY(lines_get(l, "key-seen", &v, f));
	i = word_index(v, key_seen_words + KEY_SEEN_TOKEN, KEY_SEEN_PERSON);
	if (i < 0)
		return lines_bad(l, "key-seen", v, "token, paper, call or person", f);
	t->key_seen = (enum key_seen)((int)KEY_SEEN_TOKEN + i);
	return OK;
}
void put_key_seen(const struct tally *t, struct buf *b)
{
	lines_put(b, "key-seen", key_seen_words[t->key_seen]);
}
bool has_key_seen(const struct tally *t)
{
	return t->key_seen != KEY_SEEN_UNSAID;
}

enum err get_collides(struct lines *l, struct tally *t, struct fault *f)
{
	TRY(ref_get(l, "collides", &t->collides, f));
	t->has_collides = true;
	return OK;
}
void put_collides(const struct tally *t, struct buf *b)
{
	ref_put(b, "collides", &t->collides);
}
bool has_collides(const struct tally *t)
{
	return t->has_collides;
}

/* A hold is a kind of its own and its end too, so their CRL reasons are none for a revocation (RFC 5280 5.3.1). */
static bool reason_fits(enum tally_kind kind, const char *word)
{
	if (kind == TALLY_REISSUE)
		return strcmp(word, "keyCompromise") == 0 || strcmp(word, "superseded") == 0;
	return strcmp(word, "certificateHold") != 0 && strcmp(word, "removeFromCRL") != 0;
}

enum err get_reason(struct lines *l, struct tally *t, struct fault *f)
{
	struct slice v;
	char word[TALLY_WORD] = "";

	TRY(lines_get(l, "reason", &v, f));
	if (token_valid(v))
		word_set(word, v);
	t->reason = crl_reason_from_word(word);
	if (t->reason >= 0 && reason_fits(t->kind, word))
		return OK;
	return lines_bad(l, "reason", v,
			 t->kind == TALLY_REISSUE ? "keyCompromise or superseded"
						  : "a revocation reason (RFC 5280 5.3.1) other than hold and removal",
			 f);
}
void put_reason(const struct tally *t, struct buf *b)
{
	lines_put(b, "reason", crl_reason_word((unsigned)t->reason));
}

enum err get_issuer(struct lines *l, struct tally *t, struct fault *f)
{
	TRY(lines_hex(l, "issuer", t->issuer, sizeof(t->issuer), f));
	t->has_issuer = true;
	return OK;
}
void put_issuer(const struct tally *t, struct buf *b)
{
	lines_put_hex(b, "issuer", t->issuer, sizeof(t->issuer));
}
bool has_issuer(const struct tally *t)
{
	return t->has_issuer;
}

enum err get_target(struct lines *l, struct tally *t, struct fault *f)
{
	TRY(lines_hex(l, "target", t->target, TALLY_ID, f));
	t->has_target = true;
	return OK;
}
void put_target(const struct tally *t, struct buf *b)
{
	lines_put_hex(b, "target", t->target, TALLY_ID);
}
bool has_target(const struct tally *t)
{
	return t->has_target;
}

enum err get_hold(struct lines *l, struct tally *t, struct fault *f)
{
	TRY(lines_u64(l, "hold", INT64_MAX, &t->hold, f));
	t->has_hold = true;
	return OK;
}
void put_hold(const struct tally *t, struct buf *b)
{
	lines_put_u64(b, "hold", t->hold);
}
bool has_hold(const struct tally *t)
{
	return t->has_hold;
}

enum err get_made(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_time(l, "made", &t->made, f);
}
void put_made(const struct tally *t, struct buf *b)
{
	lines_put_time(b, "made", t->made);
}

enum err get_dies(struct lines *l, struct tally *t, struct fault *f)
{
	return lines_time(l, "dies", &t->dies, f);
}
void put_dies(const struct tally *t, struct buf *b)
{
	lines_put_time(b, "dies", t->dies);
}

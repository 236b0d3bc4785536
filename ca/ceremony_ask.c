/*
 * The people: who is here, what they confirm, and who signs at the end. In a rehearsal everybody's key is opened as on
 * the day, so that a forgotten passphrase is found, and then a throw-away key signs in its place: nothing that a
 * rehearsal leaves can be taken for the real thing.
 */
#include "ca/ceremony_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define PASSPHRASE_MAX 1024
#define ANSWER_MAX 40

/* --- answers --- */

/* One line; what is longer is cut, and is no yes. */
static enum err read_answer(int fd, char *ret, size_t size, struct fault *f)
{
	size_t n = 0;
	for (char ch = 0; ch != '\n';) {
		ssize_t got = read(fd, &ch, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fault_raise(f, ERR_DENIED, "not_confirmed", "ceremony",
					   "nobody answers any more; nothing was made");
		if (ch != '\n' && n + 1 < size)
			ret[n++] = ch;
	}
	ret[n] = '\0';
	return OK;
}

static void record(struct ceremony *c, const char *answer, const char *text)
{
	transcript_add(c->t, TRANSCRIPT_PROMPT, clock_now(), answer, text);
}

enum err ceremony_ask(struct ceremony *c, struct fault *f, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = {0};
	char answer[ANSWER_MAX];
	va_list ap;
	va_start(ap, fmt);
	buf_vfmt(&text, fmt, ap);
	va_end(ap);
	if (c->mode == CEREMONY_CHECK)
		return OK;
	if (c->o->yes) {
		record(c, "option", buf_text(&text));
		return OK;
	}
	for (;;) {
		ceremony_say(c, "%s? (yes or no) ", buf_text(&text));
		TRY(read_answer(c->o->answers, answer, sizeof(answer), f));
		if (strcmp(answer, "no") == 0)
			return fault_raise(f, ERR_DENIED, "not_confirmed", "ceremony",
					   "the answer was no; nothing was made");
		if (strcmp(answer, "yes") == 0)
			break;
	}
	record(c, "yes", buf_text(&text));
	return OK;
}

/* At the terminal a slip of the finger costs a second, and not the ceremony. */
static enum err prompted(struct ceremony *c, const char *prompt, bool confirm, struct secret *ret, struct fault *f)
{
	_cleanup_(freep) char *text = xasprintf("%s: ", prompt);
	for (int tries = 1;; tries++) {
		enum err e = secret_prompt(text, confirm, PASSPHRASE_MAX, ret, f);
		bool slip =
			e != OK && (strcmp(f->rule, "secret_mismatch") == 0 || strcmp(f->rule, "secret_empty") == 0);
		if (!slip || tries == CEREMONY_TRIES)
			return e;
		ceremony_say(c, "      %s; once more\n", f->text);
	}
}

static void copy_secret(const struct secret *from, struct secret *ret)
{
	secret_alloc(ret, from->n);
	memcpy(ret->p, from->p, from->n);
}

enum err ceremony_secret(struct ceremony *c, const struct secret *given, bool confirm, const char *prompt,
			 struct secret *ret, struct fault *f)
{
	if (c->mode == CEREMONY_CHECK) {
		secret_alloc(ret, 16);
		random_fill(ret->p, ret->n);
	} else if (given) {
		copy_secret(given, ret);
		record(c, "option", prompt);
	} else {
		TRY(prompted(c, prompt, confirm, ret, f));
		record(c, "given", prompt);
	}
	return OK;
}

/* --- keys of people --- */

static void set_person(struct transcript_person *p, const struct person_key *k)
{
	snprintf(p->name, sizeof(p->name), "%s", k->name);
	memcpy(p->key, k->public_key, sizeof(p->key));
}

/* The key of a rehearsal in the place of the real one. */
static enum err stand_in(const struct ceremony *c, struct person_key *k, struct fault *f)
{
	char name[sizeof(k->name)];
	if (c->mode == CEREMONY_RUN)
		return OK;
	memcpy(name, k->name, sizeof(name));
	person_key_done(k);
	return person_key_generate(name, k, f);
}

static enum err load_operator(struct ceremony *c, struct fault *f)
{
	struct transcript_person wanted = {0};
	bool named = c->file.operator!= NULL;
	if (named)
		TRY(note_vkey_parse(slice_str(c->file.operator), wanted.name, wanted.key, f));
	if (c->mode == CEREMONY_CHECK && !c->o->operator_key)
		return person_key_generate("operator", &c->operator, f);
	if (!c->o->operator_key)
		return fault_raise(f, ERR_CONFIG, "ceremony_operator", "operator",
				   "the operator's key is named nowhere, wanted --operator-key FILE");
	if (c->mode == CEREMONY_CHECK)
		return person_key_generate(named ? wanted.name : "operator", &c->operator, f);
	TRY(person_key_load(c->o->operator_key, NULL, &c->operator, f));
	if (named && (strcmp(wanted.name, c->operator.name) != 0 ||
		      memcmp(wanted.key, c->operator.public_key, sizeof(wanted.key)) != 0))
		return yaml_fault(c->file.doc, &c->file.operator, f, "ceremony_operator",
				  "the key that was given is %s's, and not the one that stands here", c->operator.name);
	return stand_in(c, &c->operator, f);
}

static struct transcript_person *witness_named(struct ceremony *c, const char *name)
{
	for (size_t i = 0; i < c->t->n_witnesses; i++)
		if (strcmp(c->t->witnesses[i].name, name) == 0)
			return &c->t->witnesses[i];
	return NULL;
}

static enum err load_witness(struct ceremony *c, const char *path, struct person_key *k, struct fault *f)
{
	TRY(person_key_load(path, NULL, k, f));
	struct transcript_person *p = witness_named(c, k->name);
	if (!p || memcmp(p->key, k->public_key, sizeof(p->key)) != 0)
		return fault_raise(f, ERR_CONFIG, "ceremony_witness", "witness",
				   "%s's key is %s, wanted one of the ceremony file's witnesses", k->name,
				   p ? "another than the file's" : "not in the file");
	TRY(stand_in(c, k, f));
	set_person(p, k);
	return OK;
}

static enum err load_witnesses(struct ceremony *c, struct fault *f)
{
	for (size_t i = 0; i < c->file.witnesses.n; i++, c->t->n_witnesses++)
		TRY(note_vkey_parse(slice_str(c->file.witnesses.v[i]), c->t->witnesses[i].name, c->t->witnesses[i].key,
				    f));
	if (c->mode == CEREMONY_CHECK)
		return OK;
	c->witnesses = xcalloc(c->o->n_witness_keys + 1, sizeof(*c->witnesses));
	for (; c->n_witnesses < c->o->n_witness_keys; c->n_witnesses++)
		TRY(load_witness(c, c->o->witness_keys[c->n_witnesses], &c->witnesses[c->n_witnesses], f));
	return OK;
}

/* --- officers --- */

struct roster *ceremony_judge(struct ceremony *c)
{
	if (c->file.kind != CEREMONY_ROSTER)
		return &c->roster;
	return c->previous_note.there ? &c->previous_roster : &c->next_roster;
}

static struct member *member_named(struct roster *r, const char *name)
{
	for (size_t i = 0; i < r->n_members; i++)
		if (strcmp(r->members[i].name, name) == 0)
			return &r->members[i];
	return NULL;
}

/* A signer of the file is an officer of the roster that judges: ceremony_head.c has seen to it. */
static enum err take_officer(struct ceremony *c, struct person_key *k, struct fault *f)
{
	struct member *m = member_named(ceremony_judge(c), k->name);
	for (size_t i = 0; i < c->file.signers.n; i++) {
		if (strcmp(c->file.signers.v[i], k->name) != 0)
			continue;
		assert(m);
		if (memcmp(m->key, k->public_key, sizeof(m->key)) != 0 && c->mode != CEREMONY_CHECK)
			return fault_raise(f, ERR_CONFIG, "ceremony_officer", "officer",
					   "the key that was given is not the one that the roster has for %s", k->name);
		TRY(stand_in(c, k, f));
		memcpy(m->key, k->public_key, sizeof(m->key));
		return OK;
	}
	return fault_raise(f, ERR_CONFIG, "ceremony_officer", "officer", "%s is none of the file's signers", k->name);
}

static enum err load_officer(struct ceremony *c, size_t i, struct fault *f)
{
	struct person_key *k = &c->officers[c->n_officers++];
	if (c->mode == CEREMONY_CHECK)
		TRY(person_key_generate(c->file.signers.v[i], k, f));
	else
		TRY(person_key_load(c->o->officer_keys[i], NULL, k, f));
	return take_officer(c, k, f);
}

static bool officer_here(const struct ceremony *c, const char *name)
{
	for (size_t i = 0; i < c->n_officers; i++)
		if (strcmp(c->officers[i].name, name) == 0)
			return true;
	return false;
}

static enum err load_officers(struct ceremony *c, struct fault *f)
{
	size_t n = c->mode == CEREMONY_CHECK ? c->file.signers.n : c->o->n_officer_keys;
	c->officers = xcalloc(n + 1, sizeof(*c->officers));
	for (size_t i = 0; i < n; i++)
		TRY(load_officer(c, i, f));
	for (size_t i = 0; i < c->file.signers.n; i++)
		if (!officer_here(c, c->file.signers.v[i]))
			return fault_raise(f, ERR_CONFIG, "ceremony_officer", "officer",
					   "%s signs, and no key of theirs was given, wanted --officer-key FILE",
					   c->file.signers.v[i]);
	return OK;
}

/* --- all of them --- */

/* Who approved, and by which roster: a file that somebody laid there has other officers, and another hash. */
static enum err ask_approval(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf hash = {0}, names = {0};
	struct signers s;
	if (!c->file.has_approval)
		return OK;
	TRY(roster_signers(&c->approval_by, &c->approval.note, false, NULL, &s, f));
	for (size_t i = 0; i < s.n; i++)
		buf_fmt(&names, "%s%s", i ? ", " : "", s.who[i]->name);
	hash_aloud(c->approval_by.sha256, NULL, &hash);
	return ceremony_ask(c, f, "It is approved by %s, officers of the roster of version %llu with the hash %s",
			    buf_text(&names), (unsigned long long)c->approval_by.version, buf_text(&hash));
}

enum err ceremony_people(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf hash = {0};
	TRY(load_operator(c, f));
	set_person(&c->t->operator, & c->operator);
	TRY(load_witnesses(c, f));
	TRY(load_officers(c, f));
	hash_aloud(c->file.sha256, NULL, &hash);
	TRY(ceremony_ask(c, f, "The printed file has the hash %s", buf_text(&hash)));
	TRY(ask_approval(c, f));
	for (size_t i = 0; i < c->t->n_witnesses; i++)
		TRY(ceremony_ask(c, f, "%s is here, and reads along", c->t->witnesses[i].name));
	return OK;
}

/* What nobody could read back is no transcript: found now, before anything is written. */
static enum err read_back(struct slice text, struct fault *f)
{
	struct transcript *again = xcalloc(1, sizeof(*again));
	enum err e = transcript_parse(text, again, f);
	transcript_done(again);
	free(again);
	return e;
}

enum err ceremony_sign_transcript(struct ceremony *c, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct buf *note = ceremony_product(c, "transcript", c->file.outputs.transcript, 0644);
	c->t->ended = transcript_time(c->t, clock_now());
	transcript_put(c->t, &text);
	TRY(read_back(buf_slice(&text), f));
	note_begin(buf_slice(&text), note);
	TRY(note_sign_ed25519(note, c->operator.name, c->operator.secret.p, f));
	for (size_t i = 0; i < c->n_witnesses; i++)
		TRY(note_sign_ed25519(note, c->witnesses[i].name, c->witnesses[i].secret.p, f));
	return OK;
}

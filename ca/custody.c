/*
 * Two sets at most: the one in force and the next, which waits until its custodians have shown that they can open it.
 * Shares lie in guarded memory until there are enough; then the keys are opened and they are wiped. Nothing of a share or
 * of the secret is written, but in boxes for those who hold them.
 *
 * One rename puts a set into force, for the sealed keys stand in the same file as the places: a crash leaves the old
 * set or the new one. After a roll the set in force does not have the new key yet. Nothing is added to it: the next one,
 * by the officers' order, has all keys, so that what opens a key was always ordered, and proved.
 */
#include "ca/custody.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 49152u
#define UNLOCK_NAME "unlock"

struct set {
	bool there;
	struct custody text;
	uint8_t order[32];		  /* of the next set: hash of the order that made it; zero after a restart */
	struct secret shares[SHAMIR_MAX]; /* by place - 1 */
};

struct ca_custody {
	pthread_mutex_t lock;
	uint8_t ca[20];
	struct ca_custody_key keys[CUSTODY_KEYS];
	size_t n_keys;
	char *now_path, *next_path;
	struct person_key unlock;
	uint8_t challenge[CUSTODY_CHALLENGE];
	struct set now, next;
};

static void forget_shares(struct set *s)
{
	for (size_t i = 0; i < SHAMIR_MAX; i++)
		secret_done(&s->shares[i]);
}

static void set_done(struct set *s)
{
	forget_shares(s);
	custody_done(&s->text);
	s->there = false;
}

static unsigned count(const struct set *s)
{
	unsigned n = 0;
	for (size_t i = 0; i < SHAMIR_MAX; i++)
		n += s->shares[i].n > 0;
	return n;
}

/* --- files --- */

static enum err load_set(struct ca_custody *c, const char *path, struct set *s, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	if (!file_exists(path))
		return OK;
	TRY(file_read(path, FILE_MAX, &text, f));
	enum err e = custody_parse(buf_slice(&text), &s->text, f);
	if (e == OK && memcmp(s->text.ca, c->ca, sizeof(c->ca)) != 0)
		e = fault_raise(f, ERR_CONFIG, "custody_ca", "custody.ca", "it is another CA's");
	if (e != OK)
		fault_prefix(f, "%s", ESC(path, strlen(path)));
	s->there = e == OK;
	return e;
}

static enum err save_set(const struct custody *text, const char *path, struct fault *f)
{
	_cleanup_buf_ struct buf b = {0};
	custody_put(text, &b);
	return file_write(path, buf_slice(&b), 0600, f);
}

static enum err drop_next(struct ca_custody *c, struct fault *f)
{
	set_done(&c->next);
	if (unlink(c->next_path) != 0 && errno != ENOENT)
		return fault_raise(f, ERR_IO, "unlink", "custody", "%s: %s", c->next_path, strerror(errno));
	return OK;
}

/* A next set that is in force already was put there by the rename before a crash. */
static enum err load(struct ca_custody *c, const char *state, struct fault *f)
{
	_cleanup_(freep) char *key = path_join(state, "unlock.key");
	if (!file_exists(key)) {
		TRY(person_key_generate(UNLOCK_NAME, &c->unlock, f));
		TRY(person_key_save(&c->unlock, key, NULL, f));
	} else {
		TRY(person_key_load(key, NULL, &c->unlock, f));
	}
	TRY(load_set(c, c->now_path, &c->now, f));
	TRY(load_set(c, c->next_path, &c->next, f));
	if (c->next.there && c->now.there && memcmp(c->next.text.set, c->now.text.set, CUSTODY_SET) == 0)
		return drop_next(c, f);
	return OK;
}

/* A passphrase alone opens what a roll has brought: said at each start, until a set has it. */
static void say_outside(const struct ca_custody *c)
{
	for (size_t i = 0; c->now.there && i < c->n_keys; i++) {
		const uint8_t *id = c->keys[i].cert->key.key_id;
		char hex[41];
		if (!c->keys[i].place || custody_key_by_id(&c->now.text, id))
			continue;
		hex_lower(id, 20, hex);
		log_event(LOG_LEVEL_WARNING, "key_outside_custody", "key=%s text=%s", hex,
			  LQ("its passphrase opens it, and no custodian: order a new set"));
	}
}

enum err ca_custody_open(const char *state, const uint8_t ca[20], const struct ca_custody_key *keys, size_t n,
			 struct ca_custody **ret, struct fault *f)
{
	struct ca_custody *c = xcalloc(1, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	assert(n <= CUSTODY_KEYS);
	memcpy(c->ca, ca, sizeof(c->ca));
	memcpy(c->keys, keys, n * sizeof(*keys));
	c->n_keys = n;
	c->now_path = path_join(state, "custody.note");
	c->next_path = path_join(state, "custody-next.note");
	random_fill(c->challenge, sizeof(c->challenge));
	enum err e = load(c, state, f);
	if (e != OK) {
		ca_custody_free(c);
		return e;
	}
	say_outside(c);
	*ret = c;
	return OK;
}

void ca_custody_free(struct ca_custody *c)
{
	set_done(&c->now);
	set_done(&c->next);
	person_key_done(&c->unlock);
	free(c->now_path);
	free(c->next_path);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* --- what is said --- */

bool ca_custody_holds(struct ca_custody *c, const uint8_t key_id[20])
{
	pthread_mutex_lock(&c->lock);
	bool holds = custody_key_by_id(&c->now.text, key_id) != NULL;
	pthread_mutex_unlock(&c->lock);
	return holds;
}

const char *ca_custody_waits(struct ca_custody *c, const uint8_t key_id[20], char *ret, size_t size)
{
	pthread_mutex_lock(&c->lock);
	ret[0] = '\0';
	if (custody_key_by_id(&c->now.text, key_id))
		snprintf(ret, size, "%u of %u custodians' shares are here", count(&c->now), c->now.text.threshold);
	pthread_mutex_unlock(&c->lock);
	return ret;
}

/* Gives: list->v, to be freed; the names are borrowed. */
static void names_of(const struct set *s, struct wire_list *list)
{
	list->v = xcalloc(SHAMIR_MAX, sizeof(*list->v));
	for (unsigned i = 0; s->there && i < s->text.n; i++) {
		if (s->shares[i].n > 0)
			list->v[list->n++] = slice_str(s->text.places[i].name);
	}
}

/* Gives: list->v, to be freed; the ids are borrowed. Of keys that are there still. */
static void ids_of(const struct ca_custody *c, const bool open[CUSTODY_KEYS], bool which, struct wire_list *list)
{
	list->v = xcalloc(CUSTODY_KEYS, sizeof(*list->v));
	for (size_t i = 0; i < c->n_keys; i++)
		if (c->keys[i].place && open[i] == which)
			list->v[list->n++] = slice_of(c->keys[i].cert->key.key_id, 20);
}

void ca_custody_say(struct ca_custody *c, const bool open[CUSTODY_KEYS], struct buf *reply)
{
	_cleanup_buf_ struct buf now = {0}, next = {0};
	struct wire_custody_is m = {.locked = !open[0]};
	ids_of(c, open, true, &m.open);
	ids_of(c, open, false, &m.shut);
	pthread_mutex_lock(&c->lock);
	if (c->now.there)
		custody_put(&c->now.text, &now);
	if (c->next.there)
		custody_put(&c->next.text, &next);
	memcpy(m.challenge, c->challenge, sizeof(m.challenge));
	memcpy(m.unlock_key, c->unlock.public_key, sizeof(m.unlock_key));
	m.now = buf_slice(&now);
	m.next = buf_slice(&next);
	names_of(&c->now, &m.have);
	names_of(&c->next, &m.have_next);
	wire_custody_is_put(&m, reply);
	wire_custody_is_done(&m);
	pthread_mutex_unlock(&c->lock);
}

/* --- splitting --- */

static enum err judge_order(const struct ca_custody *c, const struct roster *r, const struct custody_order *o,
			    struct fault *f)
{
	const struct custody *now = &c->now.text;
	if (memcmp(o->ca, c->ca, sizeof(c->ca)) != 0)
		return fault_raise(f, ERR_RULE, "custody_ca", "custody-order.ca", "it is for another CA");
	if (o->has_previous != c->now.there || (o->has_previous && memcmp(o->previous, now->set, CUSTODY_SET) != 0))
		return fault_raise(f, ERR_RULE, "custody_sequence", "custody-order.previous",
				   "found %s, wanted the set in force%s", o->has_previous ? "another set" : "none",
				   c->now.there ? "" : ": none");
	for (unsigned i = 0; i < o->n; i++) {
		const struct member *m = roster_by_name(r, o->names[i]);
		if (!m || m->role != ROLE_CUSTODIAN)
			return fault_raise(f, ERR_RULE, "custodian_unknown", "custody-order.custodian",
					   "\"%s\" is %s, wanted a custodian of the roster in force", o->names[i],
					   m ? role_word(m->role) : "not in the roster");
	}
	for (size_t i = 0; i < r->n_members; i++) {
		if (r->members[i].role == ROLE_SIGNER && memcmp(r->members[i].key, c->unlock.public_key, 32) == 0)
			return OK;
	}
	return fault_raise(f, ERR_RULE, "signer_not_in_roster", "roster.member",
			   "the roster in force has no member of role signer with this signer's unlock key: custodians "
			   "could not know what to seal their shares to");
}

static enum err open_one(const struct ca_custody *c, size_t i, const struct custody *set, const char *where,
			 const struct secret *secret, struct ca_key **ret, struct fault *f)
{
	const struct cert *cert = c->keys[i].cert;
	const struct custody_key *k = custody_key_by_id(set, cert->key.key_id);
	if (!k || !c->keys[i].place)
		return OK;
	return ca_key_open_sealed_at(c->keys[i].place, buf_slice(&k->sealed), where, cert, secret, ret, f);
}

/* Each key that there is, sealed, and opened again. */
static enum err seal_keys(const struct ca_custody *c, const struct ca_key *const keys[CUSTODY_KEYS],
			  const struct secret *secret, struct custody *ret, struct fault *f)
{
	for (size_t i = 0; i < c->n_keys; i++) {
		_cleanup_(ca_key_freep) struct ca_key *opened = NULL;
		if (!keys[i])
			continue;
		struct custody_key *k = &ret->keys[ret->n_keys++];
		memcpy(k->id, c->keys[i].cert->key.key_id, sizeof(k->id));
		TRY(ca_key_seal_bytes(keys[i], secret, &k->sealed, f));
		TRY(open_one(c, i, ret, "the new set", secret, &opened, f));
	}
	return OK;
}

/* A fresh secret, the CA's keys sealed under it, and a box for each custodian. */
static enum err make_set(const struct ca_custody *c, const struct roster *r, const struct custody_order *o,
			 const struct ca_key *const keys[CUSTODY_KEYS], struct custody *ret, struct fault *f)
{
	_cleanup_secret_ struct secret secret = {0}, shares = {0};
	memcpy(ret->ca, o->ca, sizeof(ret->ca));
	random_fill(ret->set, sizeof(ret->set));
	ret->threshold = o->threshold;
	ret->n = o->n;
	ret->made = clock_now();
	secret_alloc(&secret, CUSTODY_SECRET);
	random_fill(secret.p, secret.n);
	shamir_split(&secret, o->threshold, o->n, &shares);
	for (unsigned i = 0; i < o->n; i++) {
		struct custody_place *p = &ret->places[i];
		const uint8_t *share = shares.p + (size_t)i * CUSTODY_SECRET;
		snprintf(p->name, sizeof(p->name), "%s", o->names[i]);
		custody_tag(ret->ca, ret->set, i + 1, share, p->tag);
		TRY(custody_box(roster_by_name(r, p->name)->key, share, p->box, f));
		p->has_box = true;
	}
	return seal_keys(c, keys, &secret, ret, f);
}

static enum err split(struct ca_custody *c, const struct roster *r, const struct ca_key *const keys[CUSTODY_KEYS],
		      const struct custody_order *o, const uint8_t order[32], struct fault *f)
{
	_cleanup_(custody_done) struct custody fresh = {0};
	if (c->next.there && memcmp(c->next.order, order, 32) == 0)
		return OK;
	TRY(judge_order(c, r, o, f));
	TRY(make_set(c, r, o, keys, &fresh, f));
	TRY(save_set(&fresh, c->next_path, f));
	set_done(&c->next);
	c->next.text = fresh;
	fresh = (struct custody){0};
	memcpy(c->next.order, order, 32);
	c->next.there = true;
	log_audit("custody_split", "threshold=%u custodians=%u keys=%u", o->threshold, o->n, c->next.text.n_keys);
	return OK;
}

enum err ca_custody_split(struct ca_custody *c, const struct roster *r, const struct ca_key *const keys[CUSTODY_KEYS],
			  struct slice bytes, struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	struct custody_order o;
	uint8_t hash[32];
	TRY(note_parse(bytes, 1, &note, f));
	TRY(custody_order_parse(note.text, &o, f));
	TRY(roster_quorum(r, &note, "custody-order", f));
	note_text_sha256(&note, hash);
	pthread_mutex_lock(&c->lock);
	enum err e = split(c, r, keys, &o, hash, f);
	pthread_mutex_unlock(&c->lock);
	return e;
}

/* --- shares --- */

static struct set *set_of(struct ca_custody *c, const uint8_t id[CUSTODY_SET])
{
	if (c->now.there && memcmp(c->now.text.set, id, CUSTODY_SET) == 0)
		return &c->now;
	if (c->next.there && memcmp(c->next.text.set, id, CUSTODY_SET) == 0)
		return &c->next;
	return NULL;
}

static const char *name_of(const struct custody *c, unsigned place)
{
	return place >= 1 && place <= c->n ? c->places[place - 1].name : "nobody";
}

/* Exactly one line, of the custodian of that place. */
static enum err judge_submitter(const struct roster *r, const struct note *note, const struct set *s, unsigned place,
				struct fault *f)
{
	struct signers signers;
	TRY(roster_signers(r, note, false, NULL, &signers, f));
	const char *found = signers.n == 1 ? signers.who[0]->name : "several", *wanted = name_of(&s->text, place);
	if (signers.n == 1 && signers.who[0]->role == ROLE_CUSTODIAN && place <= s->text.n &&
	    strcmp(found, wanted) == 0)
		return OK;
	return fault_raise(f, ERR_RULE, "not_the_custodian", "submission",
			   "it is signed by %s, wanted the line of place %u's custodian alone: %s", found, place,
			   wanted);
}

static enum err take_share(struct ca_custody *c, struct set *s, const struct custody_submission *m, struct fault *f)
{
	const struct custody_place *p = &s->text.places[m->place - 1];
	_cleanup_secret_ struct secret share = {0};
	uint8_t tag[32];
	TRY(custody_unbox(&c->unlock, m->box, &share, f));
	custody_tag(s->text.ca, s->text.set, m->place, share.p, tag);
	if (sodium_memcmp(tag, p->tag, sizeof(tag)) != 0)
		return fault_raise(f, ERR_RULE, "share_wrong", "submission.box",
				   "%s's share is not that of place %u: altered, or of another set", p->name, m->place);
	if (s->shares[m->place - 1].n == 0) {
		s->shares[m->place - 1] = share;
		share = (struct secret){0};
	}
	log_audit("custody_share", "custodian=%s place=%u have=%u threshold=%u next=%d", p->name, m->place, count(s),
		  s->text.threshold, s == &c->next);
	return OK;
}

/* All of the next set's keys must open. Of the set in force the issuing CA's must, and of the others one at least. */
static enum err open_keys(struct ca_custody *c, const struct set *s, const struct secret *secret,
			  struct ca_key *ret[CUSTODY_KEYS], struct fault *f)
{
	enum err last = OK;
	bool any = false;
	for (size_t i = 0; i < c->n_keys; i++) {
		enum err e = open_one(c, i, &s->text, "the key in custody", secret, &ret[i], f);
		if (e != OK && (i == 0 || s == &c->next))
			return e;
		if (e != OK)
			log_fault(LOG_LEVEL_WARNING, "retired_locked", f);
		last = e != OK ? e : last;
		any |= ret[i] != NULL;
	}
	return any ? OK : last;
}

static enum err open_set(struct ca_custody *c, struct set *s, struct ca_key *ret[CUSTODY_KEYS], struct fault *f)
{
	_cleanup_secret_ struct secret secret = {0};
	const uint8_t *shares[SHAMIR_MAX];
	uint8_t xs[SHAMIR_MAX];
	unsigned n = 0;
	for (unsigned i = 0; i < s->text.n && n < s->text.threshold; i++) {
		if (s->shares[i].n == 0)
			continue;
		xs[n] = (uint8_t)(i + 1);
		shares[n++] = s->shares[i].p;
	}
	shamir_combine(xs, shares, n, CUSTODY_SECRET, &secret);
	forget_shares(s);
	return open_keys(c, s, &secret, ret, f);
}

/* The next set has shown that it opens the keys. The boxes have done their work. */
static enum err put_into_force(struct ca_custody *c, struct fault *f)
{
	for (unsigned i = 0; i < c->next.text.n; i++)
		c->next.text.places[i].has_box = false;
	TRY(save_set(&c->next.text, c->now_path, f));
	set_done(&c->now);
	c->now.text = c->next.text;
	c->now.there = true;
	c->next.text = (struct custody){0};
	log_audit("custody_in_force", "threshold=%u custodians=%u", c->now.text.threshold, c->now.text.n);
	return drop_next(c, f);
}

static enum err submit(struct ca_custody *c, const struct roster *r, const struct note *note,
		       const struct custody_submission *m, struct ca_key *ret_keys[CUSTODY_KEYS], struct fault *f)
{
	if (memcmp(m->challenge, c->challenge, sizeof(m->challenge)) != 0)
		return fault_raise(f, ERR_RULE, "challenge_old", "submission.challenge",
				   "it is not this run's: the signer was started again, or it was made for another");
	struct set *s = set_of(c, m->set);
	if (!s)
		return fault_raise(f, ERR_RULE, "set_unknown", "submission.set",
				   "this signer has no such set: the share is of an earlier one");
	TRY(judge_submitter(r, note, s, m->place, f));
	TRY(take_share(c, s, m, f));
	if (count(s) < s->text.threshold)
		return OK;
	TRY(open_set(c, s, ret_keys, f));
	return s == &c->next ? put_into_force(c, f) : OK;
}

enum err ca_custody_submit(struct ca_custody *c, const struct roster *r, struct slice bytes,
			   struct ca_key *ret_keys[CUSTODY_KEYS], struct fault *f)
{
	_cleanup_(note_done) struct note note = {0};
	struct custody_submission m;
	memset(ret_keys, 0, CUSTODY_KEYS * sizeof(struct ca_key *));
	TRY(note_parse(bytes, 1, &note, f));
	TRY(custody_submission_parse(note.text, &m, f));
	pthread_mutex_lock(&c->lock);
	enum err e = submit(c, r, &note, &m, ret_keys, f);
	pthread_mutex_unlock(&c->lock);
	if (e != OK)
		ca_custody_keys_free(ret_keys);
	return e;
}

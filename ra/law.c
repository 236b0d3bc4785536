/*
 * A reload makes a whole new law beside the old one and swaps them; calls under way finish by the one they took.
 *
 * The desk is not the judge of signatures under its policy: a bundle without a quorum is loaded all the same and said
 * aloud, because the roster may have moved on since, and because the signer takes only what its own record allows.
 */
#include "ra/law.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <pthread.h>
#include <string.h>

struct laws {
	char *policies, *roster, *calendar;
	pthread_mutex_t lock;
	struct law *now;
};

static void law_free(struct law *law)
{
	policy_freep(&law->policy);
	roster_done(&law->roster);
	if (law->dates)
		calendar_free(law->dates);
	free(law);
}
CLEANUP_PTR(struct law, law_freep, law_free)

static enum err read_roster(const char *path, struct roster *ret, struct fault *f)
{
	_cleanup_buf_ struct buf bytes = {0};
	_cleanup_(note_done) struct note note = {0};
	TRY(file_read(path, NOTE_MAX_BYTES, &bytes, f));
	TRY(note_parse(buf_slice(&bytes), 1, &note, f));
	return roster_parse(note.text, ret, f);
}

static enum err read_policy(const char *dir, struct policy **ret, struct fault *f)
{
	struct policy_source *files = NULL;
	size_t n = 0;
	_cleanup_buf_ struct buf note = {0};
	_cleanup_(freep) char *path = path_join(dir, "policy.note");
	TRY(file_read(path, NOTE_MAX_BYTES, &note, f));
	TRY(policy_read_dir(dir, &files, &n, f));
	enum err e = policy_load(buf_slice(&note), files, n, ret, f);
	policy_sources_done(files, n);
	return e;
}

static bool has_quorum(const struct law *law)
{
	_cleanup_(note_done) struct note note = {0};
	return note_parse(buf_slice(&law->policy->note_text), 1, &note, NULL) == OK &&
	       roster_quorum(&law->roster, &note, "policy", NULL) == OK;
}

static enum err load(const struct laws *l, struct law *law, struct fault *f)
{
	char hex[65];
	enum err e = read_roster(l->roster, &law->roster, f);
	if (e != OK) {
		fault_prefix(f, "roster %s", l->roster);
		return e;
	}
	e = read_policy(l->policies, &law->policy, f);
	if (e != OK) {
		fault_prefix(f, "policies %s", l->policies);
		return e;
	}
	if (l->calendar)
		TRY(calendar_load(l->calendar, &law->dates, f));
	if (memcmp(law->policy->note.ca, law->roster.ca, 20) != 0)
		return fault_raise(f, ERR_CONFIG, "ca_differs", "policy.ca",
				   "the policy note and the roster are of different CAs");
	law->quorum = has_quorum(law);
	hex_lower(law->policy->note.sha256, 32, hex);
	log_event(LOG_LEVEL_NOTICE, "policy_loaded", "sha256=%s version=%llu quorum=%d", hex,
		  (unsigned long long)law->policy->note.version, law->quorum);
	hex_lower(law->roster.sha256, 32, hex);
	log_event(LOG_LEVEL_NOTICE, "roster_loaded", "sha256=%s version=%llu", hex,
		  (unsigned long long)law->roster.version);
	if (!law->quorum)
		log_event(LOG_LEVEL_WARNING, "policy_quorum",
			  "text=\"the policy note holds no quorum of this roster's officers\"");
	return OK;
}

enum err laws_read(struct laws *l, struct law **ret, struct fault *f)
{
	_cleanup_(law_freep) struct law *fresh = xcalloc(1, sizeof(*fresh));
	TRY(load(l, fresh, f));
	fresh->refs = 1;
	*ret = TAKE(fresh);
	return OK;
}

void laws_set(struct laws *l, struct law *fresh)
{
	pthread_mutex_lock(&l->lock);
	struct law *old = l->now;
	l->now = fresh;
	pthread_mutex_unlock(&l->lock);
	if (old)
		law_put(l, old);
}

enum err laws_reload(struct laws *l, struct fault *f)
{
	struct law *fresh = NULL;
	TRY(laws_read(l, &fresh, f));
	laws_set(l, fresh);
	return OK;
}

enum err laws_open(const char *policies, const char *roster, const char *calendar, struct laws **ret, struct fault *f)
{
	struct laws *l = xcalloc(1, sizeof(*l));
	l->policies = xstrdup(policies);
	l->roster = xstrdup(roster);
	l->calendar = calendar ? xstrdup(calendar) : NULL;
	pthread_mutex_init(&l->lock, NULL);
	enum err e = laws_reload(l, f);
	if (e != OK) {
		laws_close(l);
		return e;
	}
	*ret = l;
	return OK;
}

void laws_close(struct laws *l)
{
	if (l->now)
		law_put(l, l->now);
	pthread_mutex_destroy(&l->lock);
	free(l->policies);
	free(l->roster);
	free(l->calendar);
	free(l);
}

struct law *laws_take(struct laws *l)
{
	pthread_mutex_lock(&l->lock);
	struct law *law = l->now;
	law->refs++;
	pthread_mutex_unlock(&l->lock);
	return law;
}

void law_put(struct laws *l, struct law *law)
{
	pthread_mutex_lock(&l->lock);
	bool last = --law->refs == 0;
	pthread_mutex_unlock(&l->lock);
	if (last)
		law_free(law);
}

const struct calendar *law_calendar(const struct law *law)
{
	return law->dates ? law->dates : calendar_plain();
}

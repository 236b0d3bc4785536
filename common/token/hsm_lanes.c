/*
 * A key in a token, for many at once: each lane is a thread with a session of its own, and whoever wants a signature
 * leaves a job and waits, for a time that has an end. So a token that never answers costs a lane and not a worker, and
 * requests get an answer that says so.
 *
 * A session that dies (token pulled, its daemon started again) is opened anew and the job done once more: nothing has
 * left yet, and a signature twice over the same bytes harms nobody. When that fails too, the library itself is started
 * again. From then on the key is down: jobs are refused at once with the reason, and once a second one of
 * them is tried. A PIN that is refused is not tried a second time, because tokens count.
 */
#include "common/token/hsm_private.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define TRY_AGAIN_US 1000000

struct job {
	struct buf msg, signature;
	struct fault f;
	enum err result;
	bool taken, done, abandoned;
	pthread_cond_t over;
	struct job *next;
};

struct lane {
	struct hsm_key *key;
	struct hsm_session session;
	pthread_t thread;
};

struct hsm_key {
	struct hsm_place *place;
	unsigned n, timeout_ms;
	struct lane *lanes;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t work;
	struct job *first, **last;
	bool stop;
	bool down, probing, pin_refused;
	int64_t try_us;	  /* down: not before */
	struct fault why; /* down */
};

static void job_free(struct job *j)
{
	buf_done(&j->msg);
	buf_done(&j->signature);
	pthread_cond_destroy(&j->over);
	free(j);
}

static void until_of(clockid_t clock, unsigned ms, struct timespec *ret)
{
	clock_gettime(clock, ret);
	ret->tv_sec += ms / 1000;
	ret->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ret->tv_nsec >= 1000000000) {
		ret->tv_sec++;
		ret->tv_nsec -= 1000000000;
	}
}

static void cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

/* --- up and down --- */

static bool is_pin_fault(const struct fault *f)
{
	return strncmp(f->rule, "pin_", 4) == 0;
}

/* What the one who asked for a signature hears. The lock is held. */
static void go_down(struct hsm_key *k, const struct fault *why)
{
	const struct hsm_owner *o = k->place->owner;
	if (!k->down)
		log_event(LOG_LEVEL_ERROR, "token_lost", "rule=%s text=%s", LQ(why->rule), LQ(why->text));
	k->down = true;
	k->pin_refused |= is_pin_fault(why);
	k->try_us = clock_mono_us() + TRY_AGAIN_US;
	fault_raise(&k->why, ERR_LOCKED, strcmp(why->rule, "token_stuck") == 0 ? "token_stuck" : "token_lost", o->where,
		    "%s's token does not sign: %s%s%s", o->name, why->text,
		    k->pin_refused ? "; it is not tried again: " : "", k->pin_refused ? o->pin_again : "");
}

static void come_up(struct hsm_key *k)
{
	if (k->down)
		log_event(LOG_LEVEL_NOTICE, "token_back", "key=%s", LQ(k->place->text));
	k->down = false;
}

/* --- a lane --- */

static enum err try_sign(struct lane *l, struct job *j, struct fault *f)
{
	if (!l->session.t)
		TRY(hsm_session_open(l->key->place, &l->session, f));
	return hsm_session_sign(&l->session, buf_slice(&j->msg), &j->signature, f);
}

static enum err sign_inside(struct lane *l, struct job *j, struct fault *f)
{
	hsm_library_enter();
	buf_clear(&j->signature);
	enum err e = try_sign(l, j, f);
	if (e != OK)
		hsm_session_close(&l->session);
	hsm_library_leave();
	return e;
}

/* The session that was; a new one; the library started again. */
static enum err sign_job(struct lane *l, struct job *j, struct fault *f)
{
	enum err e = sign_inside(l, j, f);
	if (e == OK || is_pin_fault(f))
		return e;
	log_event(LOG_LEVEL_WARNING, "token_session_lost", "rule=%s text=%s", LQ(f->rule), LQ(f->text));
	e = sign_inside(l, j, f);
	if (e == OK || is_pin_fault(f))
		return e;
	return hsm_library_restart() ? sign_inside(l, j, f) : e;
}

static struct job *next_job(struct hsm_key *k)
{
	pthread_mutex_lock(&k->lock);
	while (!k->first && !k->stop)
		pthread_cond_wait(&k->work, &k->lock);
	struct job *j = k->stop ? NULL : k->first;
	if (j) {
		k->first = j->next;
		if (!k->first)
			k->last = &k->first;
		j->taken = true;
	}
	pthread_mutex_unlock(&k->lock);
	return j;
}

static void end_job(struct hsm_key *k, struct job *j, enum err e)
{
	pthread_mutex_lock(&k->lock);
	if (e == OK)
		come_up(k);
	else
		go_down(k, &j->f);
	j->result = e;
	j->done = true;
	pthread_cond_signal(&j->over);
	if (j->abandoned)
		job_free(j);
	pthread_mutex_unlock(&k->lock);
}

static void *run_lane(void *arg)
{
	struct lane *l = arg;
	for (struct job *j; (j = next_job(l->key)) != NULL;)
		end_job(l->key, j, sign_job(l, j, &j->f));
	hsm_library_enter();
	hsm_session_close(&l->session);
	hsm_library_leave();
	return NULL;
}

/* --- signing --- */

/* Nobody has taken it: it goes. */
static void unlink_job(struct hsm_key *k, const struct job *j)
{
	struct job **at = &k->first;
	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	if (!j->next)
		k->last = at;
}

static enum err abandon(struct hsm_key *k, struct job *j, struct fault *f)
{
	struct fault stuck = {0};
	fault_raise(&stuck, ERR_LOCKED, "token_stuck", k->place->owner->where, "it has not answered for %u ms",
		    k->timeout_ms);
	go_down(k, &stuck);
	*f = k->why;
	if (j->taken) {
		j->abandoned = true; /* the lane frees it, should it ever come back */
	} else {
		unlink_job(k, j);
		job_free(j);
	}
	return f->kind;
}

/* The lock is held. */
static enum err wait_for(struct hsm_key *k, struct job *j, struct buf *ret, struct fault *f)
{
	struct timespec until;
	until_of(CLOCK_MONOTONIC, k->timeout_ms, &until);
	while (!j->done)
		if (pthread_cond_timedwait(&j->over, &k->lock, &until) == ETIMEDOUT && !j->done)
			return abandon(k, j, f);
	enum err e = j->result;
	if (e == OK) {
		buf_add_slice(ret, buf_slice(&j->signature));
	} else {
		*f = k->down ? k->why : j->f;
		e = f->kind;
	}
	job_free(j);
	return e;
}

static enum err post_and_wait(struct hsm_key *k, struct slice msg, struct buf *ret, struct fault *f)
{
	struct job *j = xcalloc(1, sizeof(*j));
	buf_add_slice(&j->msg, msg);
	cond_init(&j->over);
	*k->last = j;
	k->last = &j->next;
	pthread_cond_signal(&k->work);
	return wait_for(k, j, ret, f);
}

/* One at a time tries again while the key is down, once a second; the lock is held, and not while waiting. */
static enum err sign_or_why(struct hsm_key *k, struct slice msg, struct buf *ret, struct fault *f)
{
	bool tries = k->down && !k->probing && !k->pin_refused && clock_mono_us() >= k->try_us;
	if (k->down && !tries) {
		*f = k->why;
		return f->kind;
	}
	k->probing |= tries;
	enum err e = post_and_wait(k, msg, ret, f);
	if (tries)
		k->probing = false;
	return e;
}

enum err hsm_key_sign(struct hsm_key *k, struct slice msg, struct buf *ret, struct fault *given)
{
	struct fault own = {0};
	pthread_mutex_lock(&k->lock);
	enum err e = sign_or_why(k, msg, ret, given ? given : &own);
	pthread_mutex_unlock(&k->lock);
	return e;
}

enum err hsm_key_usable(struct hsm_key *k, struct fault *given)
{
	_cleanup_buf_ struct buf signature = {0};
	struct fault own = {0};
	pthread_mutex_lock(&k->lock);
	enum err e = k->down ? sign_or_why(k, hsm_proof_text(), &signature, given ? given : &own) : OK;
	pthread_mutex_unlock(&k->lock);
	return e;
}

const struct hsm_place *hsm_key_place(const struct hsm_key *k)
{
	return k->place;
}

/* --- opening and closing --- */

static void free_all(struct hsm_key *k)
{
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->work);
	hsm_place_free(k->place);
	free(k->lanes);
	free(k);
}

void hsm_key_free(struct hsm_key *k)
{
	struct timespec until;
	bool all = true;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_broadcast(&k->work);
	pthread_mutex_unlock(&k->lock);
	until_of(CLOCK_REALTIME, k->timeout_ms, &until);
	for (unsigned i = 0; i < k->n; i++)
		all &= pthread_timedjoin_np(k->lanes[i].thread, NULL, &until) == 0;
	if (all)
		free_all(k);
	else /* a lane that is stuck in the library still uses it */
		log_event(LOG_LEVEL_ERROR, "token_stuck", "text=%s",
			  LQ("the PKCS#11 library does not come back; what is in it is left as it is"));
}

enum err hsm_lanes_open(struct hsm_place *place, struct hsm_key **ret, struct fault *f)
{
	struct hsm_key *k = xcalloc(1, sizeof(*k));
	unsigned sessions = hsm_library_sessions();
	k->place = place;
	k->timeout_ms = hsm_library_timeout_ms();
	k->last = &k->first;
	k->lanes = xcalloc(sessions, sizeof(*k->lanes));
	pthread_mutex_init(&k->lock, NULL);
	cond_init(&k->work);
	struct hsm_session first = {0};
	hsm_library_enter();
	enum err e = hsm_session_open(place, &first, f);
	hsm_library_leave();
	if (e != OK) {
		free_all(k);
		return e;
	}
	k->lanes[0].session = first;
	for (; k->n < sessions; k->n++) {
		struct lane *l = &k->lanes[k->n];
		l->key = k;
		if (pthread_create(&l->thread, NULL, run_lane, l) != 0)
			break;
	}
	if (k->n == 0) {
		hsm_library_enter();
		hsm_session_close(&first);
		hsm_library_leave();
		free_all(k);
		return fault_raise(f, ERR_INTERNAL, "thread", "token", "no thread can be made");
	}
	*ret = k;
	return OK;
}

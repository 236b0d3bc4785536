/*
 * The ledger's time: the clock's, but never below the last entry's, and in doubt after a jump.
 *
 * What the wall clock should say is known from the last look and the monotonic clock; more than an hour off means that
 * somebody set it, or that the machine slept. Across a restart only the last entry can tell, so a clock behind it is in
 * doubt and one ahead is not.
 */
#include "ca/ledger_private.h"

#include "common/base/clock.h"
#include "common/base/log.h"

void clock_look(struct ledger *l)
{
	int64_t wall = clock_now(), mono = clock_mono_us();
	int64_t off = wall - (l->seen_wall + (mono - l->seen_mono_us) / 1000000);
	bool behind = wall < l->last_at - LEDGER_MAX_JUMP;

	if (wall >= l->last_at)
		l->clock_behind_accepted = false;
	if (!l->clock_doubt &&
	    (off > LEDGER_MAX_JUMP || off < -LEDGER_MAX_JUMP || (behind && !l->clock_behind_accepted))) {
		l->clock_doubt = true;
		log_event(LOG_LEVEL_ERROR, "clock_jump", "clock=%s last_entry=%s off_seconds=%lld", UTC(wall),
			  UTC(l->last_at), (long long)off);
	}
	if (!l->clock_doubt) {
		l->seen_wall = wall;
		l->seen_mono_us = mono;
	}
}

static enum err clock_raise(const struct ledger *l, struct fault *f)
{
	return fault_raise(f, ERR_LOCKED, "clock_jump", "signer.clock",
			   "the clock (%s) jumped by more than %d seconds; the last entry was made at %s: the operator "
			   "must accept the clock",
			   UTC(clock_now()), LEDGER_MAX_JUMP, UTC(l->last_at));
}

enum err ledger_now(struct ledger *l, int64_t *ret, struct fault *f)
{
	enum err e = OK;
	pthread_mutex_lock(&l->lock);
	clock_look(l);
	if (l->clock_doubt)
		e = clock_raise(l, f);
	else
		*ret = l->seen_wall > l->last_at ? l->seen_wall : l->last_at;
	pthread_mutex_unlock(&l->lock);
	return e;
}

bool ledger_clock_in_doubt(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	clock_look(l);
	bool doubt = l->clock_doubt;
	pthread_mutex_unlock(&l->lock);
	return doubt;
}

static enum err record_acceptance(struct ledger_tx *tx, void *arg, struct fault *f)
{
	return db_run(tx->db, f, "INSERT INTO clock_accepted (last_at, accepted) VALUES (?1, ?2)", "ii",
		      *(int64_t *)arg, clock_now());
}

enum err ledger_accept_clock(struct ledger *l, struct fault *f)
{
	pthread_mutex_lock(&l->lock);
	l->clock_doubt = false;
	l->clock_behind_accepted = true;
	l->seen_wall = clock_now();
	l->seen_mono_us = clock_mono_us();
	int64_t last_at = l->last_at;
	pthread_mutex_unlock(&l->lock);
	log_audit("clock_accepted", "clock=%s last_entry=%s", UTC(clock_now()), UTC(last_at));
	return ledger_do(l, record_acceptance, &last_at, f);
}

/*
 * What is judged here are checkpoints, which the log key alone can make: one that our tree does not lead to means that
 * this ledger has lost entries, or is another one. The newest is kept with the ledger, and the operator must say how
 * many entries are lost before it goes on. A captured RA can show old checkpoints, which are fine, and none that stops a
 * ledger that has lost nothing.
 */
#include "ca/restore.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <string.h>

static char *note_path(const struct signer *s)
{
	return path_join(s->config->state, "head.note");
}

static enum err open_note(const struct signer *s, struct slice note, struct checkpoint *ret, struct fault *f)
{
	struct log_key key;
	ledger_log_key(s->ledger, &key);
	return checkpoint_open(note, &key, ret, f);
}

/* Is it a state that this very ledger was in? */
static enum err is_ours(struct signer *s, struct db *db, const struct checkpoint *c, bool *ret, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0}, proof = {0};
	struct checkpoint now;
	*ret = false;
	TRY(ledger_checkpoint(s->ledger, &now, &note, f));
	if (c->size > now.size)
		return OK;
	TRY(ledger_prove_consistency(db, c->size, now.size, &proof, f));
	*ret = merkle_consistent(c->size, c->root, now.size, now.root, (const merkle_hash *)proof.data, proof.len / 32);
	return OK;
}

/* --- seeing one --- */

struct sight {
	struct signer *s;
	struct slice note;
	struct checkpoint c;
	bool ours, newest;
};

static enum err newest_seen(struct signer *s, struct db *db, struct buf *ret_note, struct checkpoint *ret,
			    struct fault *f)
{
	*ret = (struct checkpoint){0};
	TRY(ledger_waiting_head(db, ret_note, f));
	return ret_note->len > 0 ? open_note(s, buf_slice(ret_note), ret, f) : OK;
}

static enum err keep_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct sight *x = arg;
	_cleanup_buf_ struct buf before = {0};
	struct checkpoint newest;
	TRY(newest_seen(x->s, tx->db, &before, &newest, f));
	if (!x->ours)
		TRY(ledger_lost_add(tx, &x->c, f));
	x->newest = before.len == 0 || x->c.size > newest.size;
	return x->newest || !tx->standing.waits ? ledger_halt(tx, x->note, f) : OK;
}

static enum err see(struct signer *s, struct db *db, struct sight *x, struct fault *f)
{
	struct ledger_standing now;
	bool known = false;
	ledger_standing(s->ledger, &now);
	TRY(is_ours(s, db, &x->c, &x->ours, f));
	if (!x->ours)
		TRY(ledger_is_lost(db, &x->c, &known, f));
	if (known || (x->ours && !now.waits))
		return OK;
	TRY(ledger_do(s->ledger, keep_op, x, f));
	if (!now.waits)
		log_audit("ledger_behind", "ledger_size=%llu checkpoint=%llu text=%s",
			  (unsigned long long)ledger_size(s->ledger), (unsigned long long)x->c.size,
			  LQ("the ledger does not lead to a checkpoint that was signed for it: nothing is signed until "
			     "the operator's word"));
	else if (x->newest)
		log_audit("checkpoint_seen", "ledger_size=%llu checkpoint=%llu",
			  (unsigned long long)ledger_size(s->ledger), (unsigned long long)x->c.size);
	return OK;
}

enum err restore_see(struct signer *s, struct slice note, struct fault *f)
{
	struct sight x = {.s = s, .note = note};
	struct db *db;
	TRY(open_note(s, note, &x.c, f));
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = see(s, db, &x, f);
	ledger_reader_put(s->ledger, db);
	return e;
}

enum err restore_seen(struct signer *s, struct db *db, uint64_t *ret_size, struct fault *f)
{
	_cleanup_buf_ struct buf note = {0};
	struct checkpoint c;
	TRY(newest_seen(s, db, &note, &c, f));
	*ret_size = c.size;
	return OK;
}

/* --- the word --- */

struct word {
	struct signer *s;
	const struct wire_resume *m;
	struct buf head;
	uint64_t lost, lost_to, index;
};

static enum err resume_op(struct ledger_tx *tx, void *arg, struct fault *f)
{
	struct word *w = arg;
	_cleanup_buf_ struct buf now = {0};
	TRY(ledger_waiting_head(tx->db, &now, f));
	if (!tx->standing.waits || !slice_eq(buf_slice(&now), buf_slice(&w->head)))
		return fault_raise(f, ERR_BUSY, "heads_changed", "ledger", "a newer checkpoint came a moment ago");
	struct wire_e_restored e = {.lost = w->lost, .head = buf_slice(&w->head), .word = w->m->word};
	return ledger_resume(tx, &e, w->lost_to, &w->index, f);
}

/* How many entries of the newest checkpoint are not here. Of another history none of it is known to be. */
static enum err count_lost(struct signer *s, struct db *db, struct word *w, struct fault *f)
{
	uint64_t size = ledger_size(s->ledger);
	struct checkpoint newest;
	bool ours = true;
	TRY(newest_seen(s, db, &w->head, &newest, f));
	if (w->head.len > 0)
		TRY(is_ours(s, db, &newest, &ours, f));
	w->lost_to = newest.size;
	w->lost = ours ? 0 : newest.size > size ? newest.size - size : newest.size;
	return OK;
}

static enum err judge_word(const struct word *w, uint64_t size, struct fault *f)
{
	if (w->m->word.n == 0)
		return fault_raise(f, ERR_RULE, "restore_word", "resume.word",
				   "found nothing, wanted the operator's word: what happened, and who decided");
	if (w->head.len == 0 && !w->m->alone)
		return fault_raise(f, ERR_RULE, "restore_alone", "resume.checkpoint",
				   "nobody has shown a checkpoint yet: wanted the newest that the RA, a gate or a "
				   "printed sheet holds, or the word that nobody holds one");
	if (w->head.len > 0 && w->m->alone)
		return fault_raise(f, ERR_RULE, "restore_alone", "resume.checkpoint",
				   "found the word that nobody holds a checkpoint, but one of %llu entries was shown",
				   (unsigned long long)w->lost_to);
	if (w->m->lost != w->lost)
		return fault_raise(f, ERR_RULE, "restore_lost", "resume.lost",
				   "found %llu, wanted %llu: this ledger has %llu entries, and the newest checkpoint "
				   "that was shown %llu%s",
				   (unsigned long long)w->m->lost, (unsigned long long)w->lost,
				   (unsigned long long)size, (unsigned long long)w->lost_to,
				   w->lost == w->lost_to && w->lost > 0 ? ", of another history" : "");
	return OK;
}

static enum err resume(struct signer *s, struct db *db, struct word *w, struct fault *f)
{
	struct ledger_standing now;
	ledger_standing(s->ledger, &now);
	if (!now.waits)
		return fault_raise(f, ERR_CONFLICT, "not_waiting", "ledger",
				   "the ledger waits for no word: it leads to every checkpoint that was shown");
	TRY(count_lost(s, db, w, f));
	TRY(judge_word(w, ledger_size(s->ledger), f));
	TRY(ledger_do(s->ledger, resume_op, w, f));
	_cleanup_(freep) char *text = xstrndup((const char *)w->m->word.p, w->m->word.n);
	log_audit("ledger_resumed", "entry=%llu lost=%llu checkpoint=%llu word=%s", (unsigned long long)w->index,
		  (unsigned long long)w->lost, (unsigned long long)w->lost_to, LQ(text));
	return OK;
}

enum err restore_resume(struct signer *s, const struct wire_resume *m, uint64_t *ret_index, struct fault *f)
{
	struct word w = {.s = s, .m = m};
	struct fault late = {0};
	struct db *db;
	TRY(ledger_reader(s->ledger, &db, f));
	enum err e = resume(s, db, &w, f);
	ledger_reader_put(s->ledger, db);
	buf_done(&w.head);
	TRY(e);
	*ret_index = w.index;
	/* What was left open is finished now; if not, a later look does. */
	signer_finish(s);
	if (signer_beat(s, &late) != OK)
		log_fault(LOG_LEVEL_ERROR, "beat_failed", &late);
	return OK;
}

/* --- at the start --- */

static enum err look_at_note(struct signer *s, struct slice note, struct fault *f)
{
	struct fault why = {0};
	struct checkpoint c;
	if (open_note(s, note, &c, &why) == OK)
		return restore_see(s, note, f);
	log_fault(LOG_LEVEL_WARNING, "head_note_unreadable", &why);
	return OK;
}

enum err restore_start(struct signer *s, struct fault *f)
{
	_cleanup_(freep) char *path = note_path(s);
	_cleanup_buf_ struct buf note = {0};
	struct ledger_standing now;
	file_sweep(path);
	enum err e = file_read(path, CHECKPOINT_MAX_BYTES, &note, f);
	if (e == OK)
		e = look_at_note(s, buf_slice(&note), f);
	if (e == ERR_LOCKED) /* a clock in doubt: nothing is appended until the next start, which looks again */
		log_fault(LOG_LEVEL_ERROR, "ledger_behind", f);
	else if (e != OK && e != ERR_NOT_FOUND)
		return e;
	ledger_standing(s->ledger, &now);
	log_event(now.waits ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, now.waits ? "ledger_waits" : "ledger_opened",
		  "ledger_size=%llu checkpoint=%s restored=%llu text=%s", (unsigned long long)ledger_size(s->ledger),
		  note.len > 0 ? "compared" : "none", (unsigned long long)now.restored,
		  now.waits ? LQ("nothing is signed until the operator's word: hufu ledger resume")
			    : LQ("right edge, tail and last checkpoint are good"));
	return OK;
}

enum err restore_note_head(struct signer *s, struct fault *f)
{
	_cleanup_(freep) char *path = note_path(s);
	_cleanup_buf_ struct buf note = {0};
	struct checkpoint c;
	TRY(ledger_checkpoint(s->ledger, &c, &note, f));
	return file_write(path, buf_slice(&note), 0600, f);
}

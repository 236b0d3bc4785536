/*
 * The signer as a process: signals blocked first, then ledger, heads, key and recovery, and the sockets last. The main
 * thread then only keeps time: it waits for signals, makes the ledger beat, and ends the process when the ledger's file
 * has failed.
 */
#include "ca/daemon.h"

#include "ca/restore.h"
#include "ca/sandbox.h"
#include "ca/signer.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define OPERATOR_WORKERS 4
#define ARENAS 6 /* of malloc: for four workers, the writer, and the sockets' own threads */

static sigset_t block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return set;
}

/* Only the level: everything else that the file says would change what is being served. */
static void reload(const struct ca_config *config)
{
	struct ca_config again = {0};
	struct fault f = {0};
	if (ca_config_load(config->path, &again, &f) == OK) {
		log_set_level(again.log);
		log_event(LOG_LEVEL_NOTICE, "reloaded", "config=%s", LQ(config->path));
	} else {
		log_fault(LOG_LEVEL_ERROR, "reload_failed", &f);
	}
	ca_config_done(&again);
}

static void beat_when_due(struct signer *s, int64_t *next_us)
{
	struct fault f = {0};
	int64_t now = clock_mono_us();
	if (now < *next_us)
		return;
	*next_us = now + (int64_t)s->config->beat_seconds * 1000000;
	if (signer_beat(s, &f) != OK)
		log_fault(LOG_LEVEL_ERROR, "beat_failed", &f);
}

static enum err keep_time(struct signer *s, const sigset_t *set, struct fault *f)
{
	int64_t next_us = 0;
	for (;;) {
		beat_when_due(s, &next_us);
		signer_finish(s);
		int sig = sigtimedwait(set, NULL, &(struct timespec){.tv_sec = 1});
		if (ledger_broken(s->ledger))
			return fault_raise(f, ERR_DB, "ledger_broken", "ledger",
					   "a flush failed; the next start finishes what was meant");
		if (sig == SIGHUP)
			reload(s->config);
		if (sig == SIGTERM || sig == SIGINT)
			return OK;
	}
}

/* A clock in doubt, or keys that wait for custodians, do not end the process: the operator must be able to ask and to
 * say. */
static enum err open_key(struct signer *s, struct daemon_options *o, struct fault *f)
{
	if (o->passphrase.n == 0) {
		log_event(LOG_LEVEL_NOTICE, "locked", "why=%s",
			  LQ("no passphrase was given; waiting for the operator"));
		return OK;
	}
	enum err e = signer_unlock(s, &o->passphrase, f);
	secret_done(&o->passphrase);
	bool custodians = e == ERR_RULE && strcmp(f->rule, "unlock_by_custodians") == 0;
	if (e != ERR_LOCKED && !custodians)
		return e;
	log_fault(LOG_LEVEL_ERROR, "locked", f);
	return OK;
}

/* What was flushed, whatever has become of the file since. */
static void note_head(struct signer *s)
{
	struct fault f = {0};
	struct ledger_standing now;
	ledger_standing(s->ledger, &now);
	if (!now.waits && restore_note_head(s, &f) != OK)
		log_fault(LOG_LEVEL_ERROR, "head_note", &f);
}

static enum err serve(struct signer *s, const sigset_t *set, struct fault *f)
{
	const struct ca_config *c = s->config;
	struct rpc_server *operator= NULL, *ra = NULL;
	TRY(rpc_server_start(&(struct rpc_server_config){.path = c->operator_socket,
							 .mode = 0660,
							 .uids = c->operator_uids,
							 .n_uids = c->n_operator_uids,
							 .max_request = WIRE_MAX_REQUEST,
							 .workers = OPERATOR_WORKERS,
							 .handle = signer_handle_operator,
							 .arg = s},
			     &operator, f));
	enum err e = rpc_server_start(&(struct rpc_server_config){.path = c->ra_socket,
								  .mode = 0660,
								  .uids = c->ra_uids,
								  .n_uids = c->n_ra_uids,
								  .max_request = WIRE_MAX_RA_REQUEST,
								  .workers = c->workers,
								  .handle = signer_handle_ra,
								  .defer = signer_defer_ra,
								  .gathered = signer_gathered_ra,
								  .gather = SIGNER_GATHER,
								  .arg = s},
				      &ra, f);
	if (e == OK) {
		notify_ready();
		log_event(LOG_LEVEL_NOTICE, "ready", "ledger_size=%llu locked=%d",
			  (unsigned long long)ledger_size(s->ledger), atomic_load(&s->key) == NULL);
		e = keep_time(s, set, f);
		notify_stopping();
		ledger_wake(s->ledger);
		rpc_server_stop(ra);
	}
	rpc_server_stop(operator);
	note_head(s);
	return e;
}

enum err daemon_run(struct ca_config *config, struct daemon_options *o, struct fault *f)
{
	_cleanup_(ledger_closep) struct ledger *ledger = NULL;
	_cleanup_(signer_freep) struct signer *s = NULL;
	sigset_t set = block_signals();
	umask(077);
	mallopt(M_ARENA_MAX, ARENAS);
	TRY(ca_sandbox_enter(config, f));
	TRY(ledger_open(config->state, false, &ledger, f));
	if (o->accept_clock)
		TRY(ledger_accept_clock(ledger, f));
	TRY(signer_new(config, ledger, &s, f));
	TRY(open_key(s, o, f));
	enum err e = serve(s, &set, f);
	log_event(LOG_LEVEL_NOTICE, "stopped", "ledger_size=%llu", (unsigned long long)ledger_size(ledger));
	return e;
}

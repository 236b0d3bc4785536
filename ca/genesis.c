/*
 * Genesis: the two entries that everything after is judged by. The roster comes first and vouches for itself (a quorum
 * of its own officers signs it, in the ceremony), the policy is judged by that roster.
 */
#include "ca/genesis.h"

#include "ca/log_signer.h"
#include "ca/operator.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <errno.h>
#include <string.h>

struct genesis {
	struct buf issuer_der, roster_note, policy_note;
	struct cert issuer;
	struct note note;
	struct roster roster;
	struct policy_source *files;
	size_t n_files;
};

static void genesis_done(struct genesis *g)
{
	policy_sources_done(g->files, g->n_files);
	roster_done(&g->roster);
	note_done(&g->note);
	cert_done(&g->issuer);
	buf_done(&g->issuer_der);
	buf_done(&g->roster_note);
	buf_done(&g->policy_note);
}

static enum err read_all(const struct ca_config *config, const char *roster, const char *policies, struct genesis *g,
			 struct fault *f)
{
	_cleanup_(freep) char *policy_note = path_join(policies, "policy.note");
	TRY(issuer_load(config->issuer, &g->issuer_der, &g->issuer, f));
	TRY(file_read(roster, NOTE_MAX_BYTES, &g->roster_note, f));
	TRY(file_read(policy_note, NOTE_MAX_BYTES, &g->policy_note, f));
	TRY(policy_read_dir(policies, &g->files, &g->n_files, f));
	TRY(note_parse(buf_slice(&g->roster_note), 1, &g->note, f));
	return roster_parse(g->note.text, &g->roster, f);
}

static enum err record_all(struct ledger *l, struct genesis *g, struct fault *f)
{
	uint64_t index;
	TRY(roster_record(l, g->issuer.key.key_id, NULL, buf_slice(&g->roster_note), &index, f));
	return policy_record(l, g->issuer.key.key_id, &g->issuer, &g->roster, NULL, buf_slice(&g->policy_note),
			     g->files, g->n_files, &index, f);
}

/* Only ever a ledger that this run has made and that nobody was told of. */
static void take_away(const struct ca_config *config)
{
	const char *names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_(freep) char *path = path_join(config->state, names[i]);
		unlink(path);
	}
}

enum err genesis(const struct ca_config *config, const char *roster, const char *policies, struct fault *f)
{
	_cleanup_(genesis_done) struct genesis g = {0};
	struct ledger *l = NULL;
	TRY(read_all(config, roster, policies, &g, f));
	TRY(ledger_open(config->state, true, &l, f));
	enum err e = log_signer_make(config, g.issuer.key.key_id, f);
	if (e == OK)
		e = record_all(l, &g, f);
	ledger_close(l);
	if (e != OK)
		take_away(config);
	return e;
}

/*
 * Makes a signer's ledger long: so many beats, by the ledger's own code, many to a flush.
 *
 *     long_ledger STATE ENTRIES
 */
#include "ca/ledger.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/secret.h"

#include <stdio.h>
#include <string.h>

#define EACH 16384

static enum err beats(struct ledger_tx *tx, void *arg, struct fault *f)
{
	for (uint64_t i = 0; i < *(uint64_t *)arg; i++) {
		struct wire_e_beat e = {0};
		TRY(ledger_append_e_beat(tx, &e, NULL, f));
	}
	return OK;
}

static enum err fill(const char *state, uint64_t wanted, struct fault *f)
{
	_cleanup_(ledger_closep) struct ledger *l = NULL;
	TRY(ledger_open(state, false, &l, f));
	while (ledger_size(l) < wanted) {
		uint64_t rest = wanted - ledger_size(l), n = rest < EACH ? rest : EACH;
		TRY(ledger_do(l, beats, &n, f));
	}
	return OK;
}

int main(int argc, char **argv)
{
	struct fault f = {0};
	uint64_t wanted = 0;
	secret_init();
	log_init("long_ledger", LOG_LEVEL_WARNING);
	if (argc != 3 || !u64_parse(argv[2], strlen(argv[2]), 100000000, &wanted)) {
		fputs("usage: long_ledger STATE ENTRIES\n", stderr);
		return 4;
	}
	if (fill(argv[1], wanted, &f) == OK)
		return 0;
	log_fault(LOG_LEVEL_ERROR, "long_ledger", &f);
	return 1;
}

/*
 * A ledger's file looked at from outside: while its signer runs, or of a backup.
 */
#ifndef HUFU_CA_LEDGER_CHECK_H
#define HUFU_CA_LEDGER_CHECK_H

#include "ca/ledger.h"

struct ledger_report {
	uint64_t size, issued, open_intents;
	int64_t last_at;
	uint8_t root[32];
};
/* Reads every entry of path in one snapshot: indexes without a gap, each entry's own coding and time, its leaf hash, the stored
 * nodes, size and root of the tree, and that intents and outcomes name each other. ERR_DB ledger_damaged says at which entry. */
MUST_CHECK enum err ledger_check(const char *path, struct ledger_report *ret, struct fault *f);
/* Who the CA of this ledger is: what the roster in force says. */
MUST_CHECK enum err ledger_file_ca(const char *path, uint8_t ret[20], struct fault *f);
/* The tree as the file has it, signed by the log, appended. */
MUST_CHECK enum err ledger_file_head(const char *path, struct log_signer *log, struct checkpoint *ret, struct buf *ret_note, struct fault *f);
/* An entry's inclusion path in the tree of that size, appended. */
MUST_CHECK enum err ledger_file_prove(const char *path, uint64_t index, uint64_t size, struct buf *ret, struct fault *f);
/* Each entry from `from` on, before `to`, as wire_print() says it, handed to fn. */
MUST_CHECK enum err ledger_file_print(const char *path, uint64_t from, uint64_t to, void (*fn)(void *arg, uint64_t index, struct slice text),
				      void *arg, struct fault *f);
/* A copy of the ledger as of now into a new file (0600), while the signer goes on; marked, so that a signer on it waits for the operator's word.
 * ERR_CONFLICT db_exists. */
MUST_CHECK enum err ledger_file_backup(const char *path, const char *to, struct fault *f);

#endif

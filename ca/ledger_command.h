/*
 * `hufu-ca ledger …`: looking at the ledger's file.
 */
#ifndef HUFU_CA_LEDGER_COMMAND_H
#define HUFU_CA_LEDGER_COMMAND_H

#include "ca/config.h"

/* verb: check, head, prove, export or backup; word: its argument, NULL when there is none. Prints to standard output. */
MUST_CHECK enum err ledger_command(const struct ca_config *config, const char *verb, const char *word, struct fault *f);

#endif

/*
 * `hufu-ca backup`: a whole CA in one folder. common/note/backup.h says what is in it.
 */
#ifndef HUFU_CA_BACKUP_H
#define HUFU_CA_BACKUP_H

#include "ca/config.h"
#include "common/note/backup.h"

/* Makes the folder `to`, which must not exist: the ledger as of now, the keys sealed under the passphrase, the folder of
 * ca.yaml. The signer may run. Prints what it did. On failure nothing is left. ERR_CONFLICT backup_exists; ERR_CONFIG
 * backup_place when the state is not in the tree of ca.yaml. */
MUST_CHECK enum err backup_make(const struct ca_config *config, const char *to, const struct secret *passphrase,
				struct fault *f);

#endif

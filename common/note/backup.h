/*
 * A backup of a CA: one folder.
 *
 *     manifest.note       what follows, signed by the log key
 *     ledger.db           a marked copy (hufu ledger backup)
 *     private.sealed      every file that its owner alone may read: keys, sealed under the backup's passphrase
 *     files/…             everything else, by its path in the tree
 *
 *     hufu/backup/v1                           the manifest's text
 *     ca: <key id>
 *     log: <verifier key of the log>
 *     made: <time>
 *     entries: <of the ledger>
 *     root: <of its tree, hex>
 *     state: var/lib/hufu-ca                   folder of the ledger, in the tree
 *     file: <sha256> <mode> <path>             in the backup's folder, sorted by path; one or more
 *
 * The private files are one plain text before they are sealed: for each "<mode> <bytes> <path>\n" and the bytes.
 */
#ifndef HUFU_NOTE_BACKUP_H
#define HUFU_NOTE_BACKUP_H

#include "common/base/secret.h"
#include "common/note/checkpoint.h"

#define BACKUP_MANIFEST "manifest.note"
#define BACKUP_LEDGER "ledger.db"
#define BACKUP_PRIVATE "private.sealed"
#define BACKUP_FILES "files/"
#define BACKUP_PATH 200
#define BACKUP_MAX_FILES 300
#define BACKUP_MAX_PRIVATE (4u * 1024 * 1024)
#define BACKUP_MAX_FILE (1024u * 1024)

struct backup_file {
	char path[BACKUP_PATH];
	uint8_t sha256[32];
	unsigned mode; /* 0644 … */
};
struct backup {
	uint8_t ca[20], root[32];
	struct log_key log;
	int64_t made;
	uint64_t entries;
	char state[BACKUP_PATH];
	struct backup_file *files; /* sorted by path */
	size_t n_files;
};
void backup_done(struct backup *b);
/* A relative path that leads nowhere else: no "..", no empty part, printable ASCII. */
bool backup_path_valid(struct slice path);
/* Appends a file; the caller sorts by backup_put(). ERR_LIMIT backup_files. */
MUST_CHECK enum err backup_add(struct backup *b, const char *path, unsigned mode, const uint8_t sha256[32], struct fault *f);
const struct backup_file *backup_find(const struct backup *b, const char *path);
/* The signed note. ERR_LIMIT when it is larger than a note. */
MUST_CHECK enum err backup_sign(struct backup *b, struct note_signer s, struct buf *ret, struct fault *f);
/* Strict. trusted NULL: the key that the manifest names itself, which proves only that it is whole. ERR_PARSE; ERR_CRYPTO log_signature;
 * ERR_RULE log_origin when the manifest names another log than the trusted one. Zero-init *ret. */
MUST_CHECK enum err backup_open(struct slice note, const struct log_key *trusted, struct backup *ret, struct fault *f);

/* --- private files --- */

void backup_private_put(struct buf *b, const char *path, unsigned mode, struct slice bytes);
typedef enum err backup_private_fn(void *arg, const char *path, unsigned mode, struct slice bytes, struct fault *f);
/* fn for each. ERR_PARSE backup_private. */
MUST_CHECK enum err backup_private_each(struct slice plain, backup_private_fn *fn, void *arg, struct fault *f);
/* Label that the sealed file is bound to. */
void backup_label(const uint8_t ca[20], char ret[64]);

/* SHA-256 of a file of any size; *ret_size may be NULL. ERR_NOT_FOUND. */
MUST_CHECK enum err backup_hash(const char *path, uint8_t ret[32], uint64_t *ret_size, struct fault *f);

#endif

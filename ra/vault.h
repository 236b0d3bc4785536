/*
 * The vault: files sealed at rest, each under a key of its own, and those keys wrapped by the one material key.
 *
 * The material key is a file (0600) and, while the desk runs, guarded memory; it is in no database and no log. Who has the database and the files without it
 * has nothing but sizes; who deletes a wrapped key deletes its file.
 *
 * A file: "hufu-material/v1\n" | header of crypto_secretstream (XChaCha20-Poly1305) | chunks of 64 KiB, the last with TAG_FINAL; the file's name is additional
 * data of each, so that no file stands in for another. A wrapped key: nonce | XChaCha20-Poly1305 of the key over label and what it is bound to.
 */
#ifndef HUFU_RA_VAULT_H
#define HUFU_RA_VAULT_H

#include "common/base/buf.h"

#define VAULT_WRAPPED 72

struct vault; /* thread-safe */
/* Reads the material key. Its file is made when it is absent and may_make says that nothing was sealed yet; else ERR_CONFIG materials_key_missing, _form.
 * Gives *ret: vault_close(). */
MUST_CHECK enum err vault_open(const char *key_path, const char *folder, bool may_make, struct vault **ret, struct fault *f);
void vault_close(struct vault *v);
/* A number that tells one material key from another and says nothing of it; never 0. */
int64_t vault_id(const struct vault *v);

/* A wrapped key, and what it is bound to: a name (its file, its upload) and a hash. All borrowed. */
struct vault_key {
	const char *label;
	const uint8_t *bound;   /* 32 bytes */
	const uint8_t *wrapped; /* VAULT_WRAPPED bytes */
};
/* A new key for that label. */
void vault_key_new(struct vault *v, const char *label, const uint8_t bound[32], uint8_t ret_wrapped[VAULT_WRAPPED]);
/* Seals plain into the folder's file of that name: whole, flushed, or not at all. ERR_BUSY disk_full leaves nothing behind. */
MUST_CHECK enum err vault_write(struct vault *v, const struct vault_key *k, const char *file, struct slice plain, struct fault *f);
/* Appends the plain bytes from `from` on, at most n. What is not as it was written, or not there, or under another key: ERR_CRYPTO material_damaged, naming the
 * file; nothing of a chunk leaves before its tag was checked. */
MUST_CHECK enum err vault_read(struct vault *v, const struct vault_key *k, const char *file, uint64_t from, size_t n, struct buf *ret, struct fault *f);
/* Gone, or was never there. */
void vault_remove(struct vault *v, const char *file);
/* Are n bytes more and the floor free? ERR_BUSY disk_full. */
MUST_CHECK enum err vault_room(struct vault *v, uint64_t n, uint64_t floor, struct fault *f);
/* Every file in the folder; fn false: it is removed. */
MUST_CHECK enum err vault_sweep(struct vault *v, bool (*fn)(void *arg, const char *file), void *arg, struct fault *f);
/* One whole file in memory at a time. */
void vault_lock(struct vault *v);
void vault_unlock(struct vault *v);

#endif

/*
 * Secrets: guarded memory (sodium_malloc: locked, guard pages, zeroed on free), never printed.
 */
#ifndef HUFU_BASE_SECRET_H
#define HUFU_BASE_SECRET_H

#include "common/base/buf.h"

/* sodium_init, no core dump (RLIMIT_CORE 0, PR_SET_DUMPABLE 0). Call first in every main. */
void secret_init(void);

/* n bytes of guarded memory. Zero state is empty. secret_done() wipes and accepts the zero state. */
struct secret {
	uint8_t *p;
	size_t n;
};
void secret_alloc(struct secret *s, size_t n);
void secret_done(struct secret *s);

/* Reads up to max bytes from fd until end of file or newline (which is dropped). Empty: ERR_CONFIG. */
MUST_CHECK enum err secret_read_fd(int fd, size_t max, struct secret *ret, struct fault *f);
/* Prompts on /dev/tty without echo; twice when confirm. No terminal: ERR_CONFIG. */
MUST_CHECK enum err secret_prompt(const char *prompt, bool confirm, size_t max, struct secret *ret, struct fault *f);
/* A file of the secret alone; refused when others may read it (mode & 077). */
MUST_CHECK enum err secret_read_file(const char *path, size_t max, struct secret *ret, struct fault *f);

/* A sealed file: "hufu-sealed/v1", Argon2id parameters, salt, nonce, secretbox. label is bound into the key
 * derivation, so that one sealed file cannot stand in for another. */
MUST_CHECK enum err secret_seal(const char *label, const struct secret *passphrase, struct slice plain, struct buf *ret,
				struct fault *f);
/* Wrong passphrase or altered bytes: ERR_CRYPTO. Parameters are bounded before they are used. */
MUST_CHECK enum err secret_open(const char *label, const struct secret *passphrase, struct slice sealed,
				struct secret *ret, struct fault *f);

#endif

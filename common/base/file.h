/*
 * Files: bounded reads, atomic writes, private modes.
 */
#ifndef HUFU_BASE_FILE_H
#define HUFU_BASE_FILE_H

#include "common/base/buf.h"

/* Appends the file's bytes to *ret; larger than max: ERR_LIMIT; missing: ERR_NOT_FOUND. */
MUST_CHECK enum err file_read(const char *path, size_t max, struct buf *ret, struct fault *f);
/* Writes to a temporary file beside, fsync, rename, fsync of the folder: whole or not at all. mode as given
 * (0600 for anything private) whatever the umask. No room on the disk: ERR_BUSY disk_full. */
MUST_CHECK enum err file_write(const char *path, struct slice bytes, unsigned mode, struct fault *f);
/* Removes what writes to path that were cut off have left beside it: for who alone writes it. */
void file_sweep(const char *path);
/* As file_write, but an existing file is ERR_CONFLICT. */
MUST_CHECK enum err file_write_new(const char *path, struct slice bytes, unsigned mode, struct fault *f);
/* A file that was written and flushed takes its name, and the folder is flushed: whole or not at all. */
MUST_CHECK enum err file_take_name(const char *written, const char *path, struct fault *f);
/* The folder that a path lies in, behind a rename of the caller's own: from then on a crash takes it back no more. */
MUST_CHECK enum err file_flush_folder(const char *path, struct fault *f);
/* A file's bytes as a mapping, for what is too long to be held. ERR_NOT_FOUND, ERR_LIMIT as file_read(). Gives: file_unmap(). */
MUST_CHECK enum err file_map(const char *path, size_t max, struct slice *ret, struct fault *f);
void file_unmap(struct slice *bytes); /* accepts the zero state */
/* mkdir -p with 0700 (mode) for what is made. */
MUST_CHECK enum err dir_make(const char *path, unsigned mode, struct fault *f);
/* DIR for DIR/etc/hufu/NAME.yaml: where a configuration file's relative paths start. Gives: free(). */
char *path_tree(const char *config);
bool file_exists(const char *path);
/* dir + "/" + name, or name itself when it is absolute. Gives: free(). */
char *path_join(const char *dir, const char *name);
/* sd_notify: one datagram to $NOTIFY_SOCKET when it is set. Never fails loudly. */
void notify_ready(void);
void notify_stopping(void);

#endif

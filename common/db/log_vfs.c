/*
 * A write-ahead log that is written in large pieces.
 *
 * SQLite writes each page of a commit by two calls, 24 bytes that say which page it is and the page itself, and a busy
 * ledger's commit has many pages. This layer over SQLite's own files for Unix gathers what is written behind one another
 * into the log, and hands it on as one. It takes the log's file alone; all others are SQLite's.
 *
 * Why a crash finds, and a reader sees, the same as without it. Readers, of this process or another, look into the log
 * only as far as the header of the shared index says (walIndexWriteHdr in SQLite's wal.c), and that header is written
 * only behind the last page of a commit, whatever `synchronous` is. That page is marked: the second number of its 24 bytes
 * is not zero (https://sqlite.org/fileformat2.html, 4.1). So what is marked is handed on, with all before it, before its
 * write returns, and an error is the error of that write, which SQLite had to reckon with before; what the buffer holds
 * afterwards belongs to no commit. The flush comes behind it, as ever. Pages of a transaction that is too large for memory
 * lie in the buffer unmarked, where the connection that wrote them reads them again: it is emptied before such a read, and
 * before anything else that asks about the file. What is not behind the last write is not gathered.
 *
 * A write that fails takes the buffer with it: that transaction is over.
 */
#include "common/db/private.h"

#include <string.h>

#define FRAME_HEAD 24
#define PIECE (124 * 1024) /* SQLite's own files take less than 128 KiB at a time */

struct log_file {
	sqlite3_file methods; /* first: this is what SQLite knows */
	sqlite3_file *file;   /* SQLite's own, behind this struct */
	sqlite3_int64 next;   /* where the last write ended; -1: nobody knows */
	bool counts;	      /* it was, or followed, the mark of a commit */
	int n;		      /* gathered, up to next */
	unsigned char *piece; /* NULL before the first one */
};

static const char log_vfs_name[] = "hufu-log";

static struct log_file *log_of(sqlite3_file *f)
{
	return (struct log_file *)(void *)f;
}

static int hand_on(struct log_file *l)
{
	int n = l->n;
	if (n == 0)
		return SQLITE_OK;
	l->n = 0;
	int code = l->file->pMethods->xWrite(l->file, l->piece, n, l->next - n);
	if (code != SQLITE_OK)
		l->next = -1;
	return code;
}

static int write_through(struct log_file *l, const void *p, int n, sqlite3_int64 at)
{
	int code = hand_on(l);
	if (code == SQLITE_OK)
		code = l->file->pMethods->xWrite(l->file, p, n, at);
	l->next = code == SQLITE_OK ? at + n : -1;
	return code;
}

/* p is behind the last write. */
static int gather(struct log_file *l, const void *p, int n)
{
	if (!l->piece)
		l->piece = xmalloc(PIECE);
	if (n > PIECE - l->n) {
		int code = hand_on(l);
		if (code != SQLITE_OK)
			return code;
	}
	memcpy(l->piece + l->n, p, (size_t)n);
	l->n += n;
	l->next += n;
	return SQLITE_OK;
}

static int log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	static const unsigned char nought[4];
	struct log_file *l = log_of(f);
	if (n == FRAME_HEAD)
		l->counts = memcmp((const unsigned char *)p + 4, nought, 4) != 0;
	int code = at == l->next && n <= PIECE ? gather(l, p, n) : write_through(l, p, n, at);
	return code == SQLITE_OK && l->counts && n != FRAME_HEAD ? hand_on(l) : code;
}

static int log_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct log_file *l = log_of(f);
	int code = at + n > l->next - l->n ? hand_on(l) : SQLITE_OK;
	return code == SQLITE_OK ? l->file->pMethods->xRead(l->file, p, n, at) : code;
}

static int log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct log_file *l = log_of(f);
	int code = hand_on(l);
	return code == SQLITE_OK ? l->file->pMethods->xTruncate(l->file, size) : code;
}

static int log_sync(sqlite3_file *f, int flags)
{
	struct log_file *l = log_of(f);
	int code = hand_on(l);
	return code == SQLITE_OK ? l->file->pMethods->xSync(l->file, flags) : code;
}

static int log_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	struct log_file *l = log_of(f);
	int code = hand_on(l);
	return code == SQLITE_OK ? l->file->pMethods->xFileSize(l->file, ret) : code;
}

static int log_close(sqlite3_file *f)
{
	struct log_file *l = log_of(f);
	int written = hand_on(l), closed = l->file->pMethods->xClose(l->file);
	free(l->piece);
	l->piece = NULL;
	return closed == SQLITE_OK ? written : closed;
}

static int log_lock(sqlite3_file *f, int level)
{
	return log_of(f)->file->pMethods->xLock(log_of(f)->file, level);
}

static int log_unlock(sqlite3_file *f, int level)
{
	return log_of(f)->file->pMethods->xUnlock(log_of(f)->file, level);
}

static int log_reserved(sqlite3_file *f, int *ret)
{
	return log_of(f)->file->pMethods->xCheckReservedLock(log_of(f)->file, ret);
}

static int log_control(sqlite3_file *f, int op, void *arg)
{
	return log_of(f)->file->pMethods->xFileControl(log_of(f)->file, op, arg);
}

static int log_sector(sqlite3_file *f)
{
	return log_of(f)->file->pMethods->xSectorSize(log_of(f)->file);
}

static int log_traits(sqlite3_file *f)
{
	return log_of(f)->file->pMethods->xDeviceCharacteristics(log_of(f)->file);
}

/* Version 1: no shared memory and no mapping, which SQLite asks of a database's file and not of a log. */
static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_reserved,
	.xFileControl = log_control,
	.xSectorSize = log_sector,
	.xDeviceCharacteristics = log_traits,
};

static sqlite3_vfs *own; /* SQLite's own files */

static int log_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct log_file *l = log_of(f);
	(void)vfs;
	if (!(flags & SQLITE_OPEN_WAL))
		return own->xOpen(own, name, f, flags, ret_flags);
	*l = (struct log_file){.file = (sqlite3_file *)(void *)(l + 1), .next = -1};
	int code = own->xOpen(own, name, l->file, flags, ret_flags);
	/* SQLite calls xClose, also after a failure, of what has methods. */
	if (l->file->pMethods)
		l->methods.pMethods = &log_methods;
	return code;
}

/* Once for each process, before the first database is opened. */
void log_vfs_register(void)
{
	static sqlite3_vfs vfs;
	if (sqlite3_initialize() != SQLITE_OK || !(own = sqlite3_vfs_find(NULL)))
		return;
	vfs = *own;
	vfs.pNext = NULL;
	vfs.zName = log_vfs_name;
	vfs.szOsFile = (int)sizeof(struct log_file) + own->szOsFile;
	vfs.xOpen = log_open;
	(void)sqlite3_vfs_register(&vfs, 0); /* without it, opening says that there is none of that name */
}

const char *log_vfs(void)
{
	return log_vfs_name;
}

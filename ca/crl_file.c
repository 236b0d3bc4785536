/*
 * A CRL that is too long to be held, written into a file.
 *
 * The entries go to where they will stand if the guess of the CRL's size is right: only their lengths' lengths depend
 * on it, a few octets. The frame around them is written when all are there; where the guess was wrong, they are moved
 * first. Then what is signed is read back from the page cache into the digest, and the whole into its SHA-256.
 */
#include "ca/crl_private.h"

#include "common/pki/der.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* After the library whose helpers it has. */
#include "common/base/cleanup.h"

#define PIECE (256u * 1024u)

struct out {
	const struct crl_build *build;
	int fd;
	size_t at;	  /* where the entries begin */
	uint64_t entries; /* their bytes, written */
	uint8_t *piece;	  /* PIECE bytes to read into */
};

static enum err failed(const char *what, struct fault *f)
{
	bool full = errno == ENOSPC || errno == EDQUOT;
	return fault_raise(f, full ? ERR_BUSY : ERR_IO, full ? "disk_full" : "crl_file", "crl", "cannot %s: %s", what,
			   strerror(errno));
}

static enum err write_at(int fd, struct slice s, uint64_t at, struct fault *f)
{
	while (s.n > 0) {
		ssize_t n = pwrite(fd, s.p, s.n, (off_t)at);
		if (n < 0 && errno != EINTR)
			return failed("write", f);
		if (n > 0) {
			s = slice_of(s.p + n, s.n - (size_t)n);
			at += (uint64_t)n;
		}
	}
	return OK;
}

static enum err read_at(int fd, uint8_t *p, size_t n, uint64_t at, struct fault *f)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return failed("read back", f);
		p += got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return OK;
}

/* --- entries --- */

static enum err put_entries(struct out *o, struct crl_walk *w, struct fault *f)
{
	_cleanup_buf_ struct buf some = {0};
	for (bool more = true; more;) {
		TRY(crl_put_next(w, &some, &more, f));
		if (some.len < PIECE && more)
			continue;
		TRY(write_at(o->fd, buf_slice(&some), o->at + o->entries, f));
		/* The disk begins now, not when all is there; whoever flushes sees to it that it has ended. */
		(void)sync_file_range(o->fd, (off_t)(o->at + o->entries), (off_t)some.len, SYNC_FILE_RANGE_WRITE);
		o->entries += some.len;
		buf_clear(&some);
	}
	return OK;
}

/* Each piece is read before anything is written where it stands: from the end when they move on, from the start when they move back. */
static enum err move_entries(struct out *o, size_t to, struct fault *f)
{
	for (uint64_t done = 0, n; done < o->entries; done += n) {
		n = o->entries - done < PIECE ? o->entries - done : PIECE;
		uint64_t from = to > o->at ? o->entries - done - n : done;
		TRY(read_at(o->fd, o->piece, n, o->at + from, f));
		TRY(write_at(o->fd, slice_of(o->piece, n), to + from, f));
	}
	o->at = to;
	return OK;
}

/* --- signature and hash --- */

static enum err digest_file(struct out *o, EVP_MD_CTX *md, uint64_t at, uint64_t len, struct fault *f)
{
	for (uint64_t done = 0, n; done < len; done += n) {
		n = len - done < PIECE ? len - done : PIECE;
		TRY(read_at(o->fd, o->piece, n, at + done, f));
		if (EVP_DigestUpdate(md, o->piece, n) != 1)
			abort();
	}
	return OK;
}

static enum err sign_streamed(struct out *o, EVP_MD_CTX *md, const struct crl_frame *frame, struct buf *ret,
			      struct fault *f)
{
	if (EVP_DigestUpdate(md, frame->head.data, frame->head.len) != 1)
		abort();
	TRY(digest_file(o, md, o->at, o->entries, f));
	if (EVP_DigestUpdate(md, frame->tail.data, frame->tail.len) != 1)
		abort();
	return ca_key_sign_digest(o->build->key, md, ret, f);
}

/* The TBSCertList as it stands in the file, which begins at its tag for that long. */
static enum err sign_mapped(struct out *o, const struct crl_frame *frame, struct buf *ret, struct fault *f)
{
	size_t len = frame->head.len + o->entries + frame->tail.len;
	if (o->at != frame->head.len)
		TRY(move_entries(o, frame->head.len, f));
	TRY(write_at(o->fd, buf_slice(&frame->head), 0, f));
	TRY(write_at(o->fd, buf_slice(&frame->tail), o->at + o->entries, f));
	void *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, o->fd, 0);
	if (map == MAP_FAILED)
		return failed("map", f);
	enum err e = ca_key_sign(o->build->key, slice_of(map, len), ret, f);
	munmap(map, len);
	return e;
}

static enum err sign(struct out *o, const struct crl_frame *frame, struct buf *ret, struct fault *f)
{
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *md = ca_key_digest(o->build->key);
	return md ? sign_streamed(o, md, frame, ret, f) : sign_mapped(o, frame, ret, f);
}

static enum err hash_whole(struct out *o, struct crl_written *ret, struct fault *f)
{
	_cleanup_(evp_md_ctx_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
	if (!md || EVP_DigestInit_ex2(md, EVP_sha256(), NULL) != 1)
		abort();
	TRY(digest_file(o, md, 0, ret->bytes, f));
	if (EVP_DigestFinal_ex(md, ret->sha256, NULL) != 1)
		abort();
	return OK;
}

/* --- the whole --- */

/* Where the entries of a CRL of about that size begin: signature and extensions are a few hundred octets. */
static enum err guess(const struct crl_build *b, uint64_t expected, size_t *ret, struct fault *f)
{
	_cleanup_(crl_frame_done) struct crl_frame frame = {0};
	_cleanup_buf_ struct buf outer = {0};
	uint64_t entries = expected > CRL_MAX_BYTES ? CRL_MAX_BYTES : expected > 0 ? expected : 1;
	TRY(crl_frame_make(b, entries, &frame, f));
	der_put_head(&outer, DER_SEQUENCE, frame.head.len + entries + frame.tail.len);
	*ret = outer.len + frame.head.len;
	return OK;
}

static enum err write_frame(struct out *o, const struct crl_frame *frame, struct crl_written *ret, struct fault *f)
{
	_cleanup_buf_ struct buf signature = {0}, head = {0}, tail = {0}, last = {0};
	TRY(sign(o, frame, &signature, f));
	crl_sign_frame(o->build, frame->head.len + o->entries + frame->tail.len, buf_slice(&signature), &head, &tail);
	buf_add_slice(&head, buf_slice(&frame->head));
	buf_add_slice(&last, buf_slice(&frame->tail));
	buf_add_slice(&last, buf_slice(&tail));
	if (head.len != o->at)
		TRY(move_entries(o, head.len, f));
	TRY(write_at(o->fd, buf_slice(&head), 0, f));
	TRY(write_at(o->fd, buf_slice(&last), o->at + o->entries, f));
	ret->bytes = o->at + o->entries + last.len;
	if (ftruncate(o->fd, (off_t)ret->bytes) != 0)
		return failed("cut", f);
	return hash_whole(o, ret, f);
}

static enum err write_all(struct out *o, uint64_t expected, struct crl_written *ret, struct fault *f)
{
	_cleanup_(crl_frame_done) struct crl_frame frame = {0};
	struct crl_walk w = {.build = o->build};
	TRY(guess(o->build, expected, &o->at, f));
	TRY(put_entries(o, &w, f));
	TRY(crl_frame_make(o->build, o->entries, &frame, f));
	TRY(write_frame(o, &frame, ret, f));
	ret->count = w.count;
	return OK;
}

enum err crl_write(const struct crl_build *b, int fd, uint64_t expected, struct crl_written *ret, struct fault *f)
{
	_cleanup_(freep) uint8_t *piece = xmalloc(PIECE);
	struct out o = {.build = b, .fd = fd, .piece = piece};
	struct crl_written w = {0};
	TRY(crl_check(b, f));
	TRY(write_all(&o, expected, &w, f));
	*ret = w;
	return OK;
}

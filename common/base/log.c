/*
 * A line is made whole in memory and leaves in one write(2), so that threads and processes on one pipe do not mix.
 *
 * Lines end at PIPE_BUF, up to which a write to a pipe is atomic (POSIX write). Control bytes that a caller forgot to
 * quote become '?', so that no value can forge a second line.
 */
#include "common/base/log.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

static struct {
	char program[32];
	_Atomic enum log_level max_level; /* may change while threads log */
	bool plain; /* a terminal: no level prefix */
} state = {.program = "hufu", .max_level = LOG_LEVEL_INFO};

void log_init(const char *program, enum log_level max_level)
{
	snprintf(state.program, sizeof(state.program), "%s", program);
	state.max_level = max_level;
	state.plain = isatty(STDERR_FILENO) == 1;
}

void log_set_level(enum log_level max_level)
{
	state.max_level = max_level;
}

/* Cuts at PIPE_BUF on the border of a UTF-8 sequence, ends with one newline, writes once (again after a signal). */
static void line_write(struct buf *b)
{
	static const char mark[] = "…";
	if (b->len + 1 > PIPE_BUF) {
		size_t at = PIPE_BUF - 1 - strlen(mark);
		while (at > 0 && (b->data[at] & 0xc0) == 0x80)
			at--;
		b->len = at;
		buf_str(b, mark);
	}
	for (size_t i = 0; i < b->len; i++) {
		if (b->data[i] < 0x20 || b->data[i] == 0x7f)
			b->data[i] = '?';
	}
	buf_char(b, '\n');
	ssize_t n;
	do
		n = write(STDERR_FILENO, b->data, b->len);
	while (n < 0 && errno == EINTR);
}

static void line_start(struct buf *b, enum log_level level, const char *event)
{
	if (!state.plain)
		buf_fmt(b, "<%d>", (int)level);
	buf_fmt(b, "prog=%s event=%s", state.program, event);
}

static __attribute__((format(printf, 2, 0))) void line_more(struct buf *b, const char *fmt, va_list ap)
{
	if (fmt[0] == '\0')
		return;
	buf_char(b, ' ');
	buf_vfmt(b, fmt, ap);
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	if (level > state.max_level)
		return;
	int saved = errno;
	_cleanup_buf_ struct buf b = {0};
	line_start(&b, level, event);
	va_list ap;
	va_start(ap, fmt);
	line_more(&b, fmt, ap);
	va_end(ap);
	line_write(&b);
	errno = saved;
}

void log_audit(const char *event, const char *fmt, ...)
{
	/* Not filtered by level: an audit line that a setting can turn off is none. */
	int saved = errno;
	_cleanup_buf_ struct buf b = {0};
	line_start(&b, LOG_LEVEL_NOTICE, event);
	buf_str(&b, " audit=1");
	va_list ap;
	va_start(ap, fmt);
	line_more(&b, fmt, ap);
	va_end(ap);
	line_write(&b);
	errno = saved;
}

void log_fault(enum log_level level, const char *event, const struct fault *f)
{
	char where[2 * sizeof(f->where)], text[2 * sizeof(f->text)];
	log_event(level, event, "err=%s rule=%s where=%s text=%s", err_word(f->kind), f->rule[0] ? f->rule : "none",
		  log_quote(f->where, where, sizeof(where)), log_quote(f->text, text, sizeof(text)));
}

const char *log_quote(const char *value, char *ret, size_t size)
{
	static const char end[] = "…\"";
	const uint8_t *in = (const uint8_t *)(value ? value : "");
	size_t n = strlen((const char *)in), used = 1, cut = 1; /* cut: the last end behind which the mark fits */
	assert(size > sizeof(end));
	ret[0] = '"';
	for (size_t i = 0; i < n;) {
		char piece[TEXT_SHOWN_MAX + 1];
		bool marked = in[i] == '"' || in[i] == '\\';
		piece[0] = '\\';
		size_t want = text_show_one(in, n, &i, piece + marked) + marked;
		if (used + want + 2 > size) {
			memcpy(ret + cut, end, sizeof(end));
			return ret;
		}
		memcpy(ret + used, piece, want);
		used += want;
		if (used + sizeof(end) <= size)
			cut = used;
	}
	ret[used++] = '"';
	ret[used] = '\0';
	return ret;
}

/*
 * Answers: header fields and a short body leave in one write. What the socket does not take is kept and sent when it does; a
 * file goes from its descriptor.
 */
#include "ra/gate/front_private.h"

#include "common/base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define FILE_PART 1048576u /* sent before others have their turn */
#define HELD_MAX 4096u
#define HELD_US 500

bool visitor_is_sending(const struct visitor *v)
{
	return v->out_at < v->out.len || v->fixed.n > 0 || v->file > 0;
}

/* --- words --- */

static void put(struct buf *b, const char *text, size_t n)
{
	memcpy(b->data + b->len, text, n);
	b->len += n;
}

static void add_field(void *to, const char *name, const char *value)
{
	struct buf *b = to;
	size_t a = strlen(name), n = strlen(value);
	buf_reserve(b, a + n + 4);
	put(b, name, a);
	put(b, ": ", 2);
	put(b, value, n);
	put(b, "\r\n", 2);
}

static const char *date_of(struct loop *l)
{
	int64_t now = clock_now();
	if (now != l->dated) {
		http_date(now, l->date);
		l->dated = now;
	}
	return l->date;
}

static void put_length(struct buf *b, uint64_t n)
{
	char digits[21], *at = digits + sizeof(digits) - 1;
	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	add_field(b, "Content-Length", at);
}

static void put_head(struct visitor *v, const struct http_reply *to, const struct http_part *part, uint64_t length)
{
	struct loop *l = v->loop;
	struct buf *b = &l->out;
	buf_clear(b);
	if (to->status == MHD_HTTP_OK)
		buf_str(b, "HTTP/1.1 200 OK\r\n");
	else
		buf_fmt(b, "HTTP/1.1 %u %s\r\n", to->status, MHD_get_reason_phrase_for(to->status));
	add_field(b, "Date", date_of(l));
	if (to->status != MHD_HTTP_NOT_MODIFIED && to->status != MHD_HTTP_NO_CONTENT)
		put_length(b, length);
	if (v->closes)
		add_field(b, "Connection", "close");
	http_fields(to, part, &(struct http_sink){add_field, b});
	buf_str(b, "\r\n");
}

/* --- sending --- */

/* An answer is sent. */
static void end(struct visitor *v)
{
	if (!v->closes) {
		visitor_touch(v);
		visitor_look_for(v, EPOLLIN);
	} else if (!v->unread) {
		visitor_close(v);
	} else {
		v->ends = true;
		visitor_touch(v);
		visitor_look_for(v, EPOLLIN);
		(void)shutdown(v->fd, SHUT_WR);
	}
}

/* Octets that the socket takes; 0: none now, or the connection is closed. */
static size_t sent(struct visitor *v, ssize_t n)
{
	if (n > 0)
		return (size_t)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		visitor_look_for(v, EPOLLOUT);
	else
		visitor_close(v);
	return 0;
}

static size_t send_bytes(struct visitor *v, struct slice bytes)
{
	bool more = v->fixed.n > 0 || v->file > 0;
	return sent(v, send(v->fd, bytes.p, bytes.n, MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
}

static bool push_out(struct visitor *v)
{
	v->out_at += send_bytes(v, slice_of(v->out.data + v->out_at, v->out.len - v->out_at));
	if (v->fd < 0 || v->out_at < v->out.len)
		return false;
	buf_done(&v->out);
	v->out_at = 0;
	return true;
}

static bool push_fixed(struct visitor *v)
{
	size_t done = sent(v, send(v->fd, v->fixed.p, v->fixed.n, MSG_NOSIGNAL));
	v->fixed = slice_of(v->fixed.p + done, v->fixed.n - done);
	return v->fd >= 0 && v->fixed.n == 0;
}

static bool push_file(struct visitor *v)
{
	off_t at = (off_t)v->file_at;
	size_t part = v->file_n < FILE_PART ? (size_t)v->file_n : FILE_PART;
	size_t done = part > 0 ? sent(v, sendfile(v->fd, v->file, &at, part)) : 0;
	if (v->fd < 0)
		return false;
	v->file_at += done;
	v->file_n -= done;
	if (v->file_n > 0) {
		visitor_look_for(v, EPOLLOUT);
		return false;
	}
	closep(&v->file);
	v->file = 0;
	return true;
}

void answer_push(struct visitor *v)
{
	visitor_touch(v);
	if (v->out_at < v->out.len && !push_out(v))
		return;
	if (v->fixed.n > 0 && !push_fixed(v))
		return;
	if (v->file > 0 && !push_file(v))
		return;
	end(v);
}

/* Where answers take long to make, whoever waits for one has gone to sleep, and each that is sent wakes somebody, which costs as much as
 * the sending. So while other requests have come they are held back, not for long. */
static bool hold(struct visitor *v)
{
	struct loop *l = v->loop;
	if (l->to_come == 0 || l->out.len > HELD_MAX || v->fixed.n > 0 || v->file > 0)
		return false;
	if (!l->held) {
		l->held_until = l->now + HELD_US;
		l->held_end = &l->held;
	}
	buf_add_slice(&v->out, buf_slice(&l->out));
	visitor_touch(v); /* or it might have to make room */
	*l->held_end = v;
	l->held_end = &v->held;
	return true;
}

/* The head, with a body of bytes behind it. */
static void send_first(struct visitor *v)
{
	struct buf *b = &v->loop->out;
	size_t n = send_bytes(v, buf_slice(b));
	if (v->fd < 0)
		return;
	if (n < b->len) {
		buf_add(&v->out, b->data + n, b->len - n);
		visitor_look_for(v, EPOLLOUT);
	} else if (visitor_is_sending(v)) {
		answer_push(v);
	} else {
		end(v);
	}
}

void answer_give(struct visitor *v, const struct http_request *r, struct http_reply *to, bool is_head)
{
	struct http_part part;
	enum http_body body = http_settle(r, to, &part);
	uint64_t length = body == BODY_FILE    ? part.n
			  : body == BODY_FIXED ? to->fixed.n
			  : body == BODY_BYTES ? to->body.len
					       : 0;
	v->closes |= v->loop->front->quiet;
	put_head(v, to, &part, length);
	if (is_head && body == BODY_FILE)
		close(to->fd);
	switch (is_head ? BODY_NONE : body) {
	case BODY_BYTES:
		buf_add_slice(&v->loop->out, buf_slice(&to->body));
		break;
	case BODY_FIXED:
		v->fixed = to->fixed;
		break;
	case BODY_FILE:
		v->file = to->fd;
		v->file_at = part.from;
		v->file_n = part.n;
		break;
	case BODY_NONE:
		break;
	}
	if (!to->is_costly || !hold(v))
		send_first(v);
}

void answer_refuse(struct visitor *v, unsigned status, const char *why)
{
	static const struct http_text none;
	const struct http_request r = {.method = "GET", .path = "", .text = &none, .head = ""};
	struct http_reply to = {0};
	gate_count(v->loop->front->gate, COUNT_REFUSED);
	http_say(&to, status, why);
	v->closes = v->unread = true;
	answer_give(v, &r, &to, false);
	buf_done(&to.body);
}

/* It fits into the socket, which has nothing to send; where it does not, the body comes without it. */
void answer_continue(struct visitor *v)
{
	static const char word[] = "HTTP/1.1 100 Continue\r\n\r\n";
	(void)!send(v->fd, word, sizeof(word) - 1, MSG_NOSIGNAL);
}

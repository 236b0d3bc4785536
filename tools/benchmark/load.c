/*
 * A requester (REQ) of the SP protocol on Unix sockets: non-blocking, one poll for all connections. A request's id is
 * the number of its slot, so that an answer finds its slot without a table. The other end is common/rpc/conn.c. HTTP has no
 * ids: there each slot has a line of its own.
 */
#include "tools/benchmark/load.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONNECTIONS 4u
#define LINES 64u /* at most, of HTTP */
#define HEADER_MAX 8192u
#define GREETING_BYTES 8u
#define FRAME_HEAD 9u
#define ID_BYTES 4u
#define READ_BYTES (64u * 1024u)
#define REPLY_MAX (80u * 1024u * 1024u)
#define SILENCE_MS 60000

volatile sig_atomic_t load_stop;

static const uint8_t greeting_asking[GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
static const uint8_t greeting_replying[GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

struct line {
	int fd;
	bool greeted;
	struct buf in, out;
	size_t sent; /* of out */
};

struct load {
	const char *path;
	bool http;
	struct line lines[LINES];
	unsigned n_lines;
	unsigned slots, busy;
	load_step *step;
	void *arg;
	struct buf request; /* scratch */
	uint8_t *scratch;
};

static void load_done(struct load *l)
{
	for (unsigned i = 0; i < l->n_lines; i++) {
		closep(&l->lines[i].fd);
		buf_done(&l->lines[i].in);
		buf_done(&l->lines[i].out);
	}
	buf_done(&l->request);
	freep(&l->scratch);
}

static enum err line_open(struct load *l, struct fault *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct line *line = &l->lines[l->n_lines];
	if (strlen(l->path) >= sizeof a.sun_path)
		return fault_raise(f, ERR_CONFIG, "socket_path", "socket", "%s: longer than %zu bytes", l->path,
				   sizeof a.sun_path - 1);
	memcpy(a.sun_path, l->path, strlen(l->path) + 1);
	line->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	l->n_lines++;
	if (line->fd < 0 || connect(line->fd, (const struct sockaddr *)&a, sizeof a) != 0)
		return fault_raise(f, ERR_NET, "peer_away", "socket", "%s: %s", l->path, strerror(errno));
	line->greeted = l->http;
	if (!l->http)
		buf_add(&line->out, greeting_asking, GREETING_BYTES);
	return OK;
}

static enum err line_send(const struct load *l, struct line *line, struct fault *f)
{
	while (line->sent < line->out.len) {
		ssize_t n = send(line->fd, line->out.data + line->sent, line->out.len - line->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return OK;
		if (n < 0)
			return fault_raise(f, ERR_NET, "peer_closed", "socket", "%s: %s", l->path, strerror(errno));
		line->sent += (size_t)n;
	}
	buf_clear(&line->out);
	line->sent = 0;
	return OK;
}

/* Asks the slot what it wants and queues that on its line. */
static enum err advance(struct load *l, unsigned slot, struct slice reply, struct fault *f)
{
	uint8_t head[FRAME_HEAD + ID_BYTES] = {1};
	struct line *line = &l->lines[slot % l->n_lines];
	buf_clear(&l->request);
	TRY(l->step(l->arg, slot, reply, &l->request, f));
	if (l->request.len == 0) {
		l->busy--;
		return OK;
	}
	if (l->http) {
		buf_add_slice(&line->out, buf_slice(&l->request));
		return OK;
	}
	uint64_t n = l->request.len + ID_BYTES;
	for (unsigned k = 0; k < 8; k++)
		head[1 + k] = (uint8_t)(n >> (56 - 8 * k));
	uint32_t id = 0x80000000u | slot;
	for (unsigned k = 0; k < ID_BYTES; k++)
		head[FRAME_HEAD + k] = (uint8_t)(id >> (24 - 8 * k));
	buf_add(&line->out, head, sizeof head);
	buf_add_slice(&line->out, buf_slice(&l->request));
	return OK;
}

static uint64_t big_endian(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;
	for (unsigned k = 0; k < n; k++)
		v = v << 8 | p[k];
	return v;
}

/* Takes the frame at *at if it is there whole. */
static enum err take_frame(struct load *l, struct line *line, size_t *at, bool *ret_whole, struct fault *f)
{
	const uint8_t *p = line->in.data + *at;
	size_t left = line->in.len - *at;
	*ret_whole = false;
	if (left < FRAME_HEAD + ID_BYTES)
		return OK;
	uint64_t n = big_endian(p + 1, 8);
	uint64_t slot = big_endian(p + FRAME_HEAD, ID_BYTES) & 0x7fffffff;
	if (p[0] != 1 || n < ID_BYTES || n > REPLY_MAX || slot >= l->slots)
		return fault_raise(f, ERR_PARSE, "sp_frame", "frame",
				   "%s: type %u, %" PRIu64 " bytes, for slot %" PRIu64 " of %u", l->path, p[0], n, slot,
				   l->slots);
	if (left - FRAME_HEAD < n)
		return OK;
	*at += FRAME_HEAD + n;
	*ret_whole = true;
	return advance(l, (unsigned)slot, slice_of(p + FRAME_HEAD + ID_BYTES, n - ID_BYTES), f);
}

static enum err wrong_answer(const struct load *l, struct slice answer, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "http_answer", "answer", "%s: found: %s", l->path,
			   ESC(answer.p, answer.n < 150 ? answer.n : 150));
}

/* Takes the answer at *at if it is there whole. */
static enum err take_answer(struct load *l, struct line *line, size_t *at, bool *ret_whole, struct fault *f)
{
	static const char good[] = "HTTP/1.1 200 ", length[] = "content-length:";
	struct slice in = slice_of(line->in.data + *at, line->in.len - *at);
	const char *end = in.n ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
	*ret_whole = false;
	if (!end)
		return in.n < HEADER_MAX ? OK : wrong_answer(l, in, f);
	_cleanup_(freep) char *header = xstrndup((const char *)in.p, (size_t)(end - (const char *)in.p));
	const char *n = strcasestr(header, length);
	if (strncmp(header, good, sizeof good - 1) != 0 || !n)
		return wrong_answer(l, in, f);
	uint64_t body = strtoull(n + sizeof length - 1, NULL, 10);
	size_t head = (size_t)(end - (const char *)in.p) + 4;
	if (body > REPLY_MAX)
		return wrong_answer(l, in, f);
	if (in.n - head < body)
		return OK;
	*at += head + body;
	*ret_whole = true;
	return advance(l, (unsigned)(line - l->lines), slice_of(in.p + head, body), f);
}

static enum err line_read(struct load *l, struct line *line, struct fault *f)
{
	size_t at = 0;
	bool whole = true;
	ssize_t n = recv(line->fd, l->scratch, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return OK;
	if (n <= 0)
		return fault_raise(f, ERR_NET, "peer_closed", "socket", "%s: hung up on", l->path);
	buf_add(&line->in, l->scratch, (size_t)n);
	if (!line->greeted) {
		if (line->in.len < GREETING_BYTES)
			return OK;
		if (memcmp(line->in.data, greeting_replying, GREETING_BYTES) != 0)
			return fault_raise(f, ERR_PARSE, "sp_greeting", "socket", "%s: no SP replier", l->path);
		line->greeted = true;
		at = GREETING_BYTES;
	}
	while (whole)
		TRY(l->http ? take_answer(l, line, &at, &whole, f) : take_frame(l, line, &at, &whole, f));
	memmove(line->in.data, line->in.data + at, line->in.len - at);
	line->in.len -= at;
	return OK;
}

static enum err turn(struct load *l, struct fault *f)
{
	struct pollfd p[LINES];
	for (unsigned i = 0; i < l->n_lines; i++) {
		TRY(line_send(l, &l->lines[i], f));
		p[i] = (struct pollfd){.fd = l->lines[i].fd, .events = l->lines[i].out.len ? POLLIN | POLLOUT : POLLIN};
	}
	int n = poll(p, l->n_lines, SILENCE_MS);
	if (load_stop)
		return fault_raise(f, ERR_BUSY, "interrupted", "benchmark", "stopped by a signal");
	if (n < 0 && errno != EINTR)
		return fault_raise(f, ERR_IO, "poll", "socket", "poll: %s", strerror(errno));
	if (n == 0)
		return fault_raise(f, ERR_NET, "peer_timeout", "socket", "%s: no answer for %d s", l->path,
				   SILENCE_MS / 1000);
	for (unsigned i = 0; i < l->n_lines && n > 0; i++)
		if (p[i].revents & ~POLLOUT)
			TRY(line_read(l, &l->lines[i], f));
	return OK;
}

static enum err run(struct load *l, unsigned lines, struct fault *f)
{
	l->busy = l->slots;
	l->scratch = xmalloc(READ_BYTES);
	while (l->n_lines < lines)
		TRY(line_open(l, f));
	for (unsigned i = 0; i < l->slots; i++)
		TRY(advance(l, i, (struct slice){0}, f));
	while (l->busy > 0)
		TRY(turn(l, f));
	return OK;
}

enum err load_run(const char *path, unsigned slots, load_step *step, void *arg, struct fault *f)
{
	assert(slots > 0);
	_cleanup_(load_done) struct load l = {.path = path, .slots = slots, .step = step, .arg = arg};
	return run(&l, slots < CONNECTIONS ? slots : CONNECTIONS, f);
}

enum err load_run_http(const char *path, unsigned slots, load_step *step, void *arg, struct fault *f)
{
	assert(slots > 0 && slots <= LINES);
	_cleanup_(load_done) struct load l = {.path = path, .http = true, .slots = slots, .step = step, .arg = arg};
	return run(&l, slots, f);
}

/* --- a single call ----------------------------------------------------------------------------------------------- */

struct call {
	struct slice request;
	struct buf *reply;
	bool asked;
};

static enum err call_step(void *arg, unsigned slot, struct slice reply, struct buf *request, struct fault *f)
{
	struct call *c = arg;
	(void)slot;
	(void)f;
	if (c->asked)
		buf_add_slice(c->reply, reply);
	else
		buf_add_slice(request, c->request);
	c->asked = true;
	return OK;
}

enum err load_call(const char *path, struct slice request, struct buf *reply, struct fault *f)
{
	return load_run(path, 1, call_step, &(struct call){.request = request, .reply = reply}, f);
}

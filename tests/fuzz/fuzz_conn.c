/*
 * The SP frames that a server reads from a socket: whatever a peer sends, in two parts, gives whole requests within the
 * bound or an end of the connection, and the same either way it is cut.
 */
#include "tests/fuzz/fuzz.h"

#include "common/base/cleanup.h"
#include "common/rpc/conn.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#define MAX_REQUEST 512
#define INPUT_MAX 16384

/* What a connection makes of the bytes, cut at that place: requests behind one another, and how it ended. */
static enum err read_all(struct slice bytes, size_t cut, struct buf *ret)
{
	_cleanup_(closep) int epoll = epoll_create1(0), peer = -1;
	uint8_t scratch[CONN_SCRATCH];
	int fds[2];
	struct request *list = NULL, **tail = &list;
	enum err e = OK;
	struct fault f = {0};
	must(epoll >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	peer = fds[1];
	struct conn *c = conn_new(epoll, fds[0], &(struct rpc_peer){0});
	must(c);
	for (size_t at = 0, end = cut; e == OK && at < bytes.n; at = end, end = bytes.n) {
		must(send(peer, bytes.p + at, end - at, 0) == (ssize_t)(end - at));
		e = end > at ? conn_read(c, scratch, MAX_REQUEST, &tail, &f) : OK;
	}
	if (e != OK)
		must_refuse(e, &f);
	for (struct request *next; list; list = next) {
		next = list->next;
		must(list->n <= MAX_REQUEST && (list->id[0] & 0x80));
		buf_fmt(ret, "%zu ", list->n);
		buf_add(ret, list->bytes, list->n);
		(void)conn_reply(c, list->id, slice_of(list->bytes, list->n));
		conn_taken(c, list);
		conn_unref(list->conn);
		free(list);
	}
	conn_close(c);
	conn_unref(c);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of(data, size < INPUT_MAX ? size : INPUT_MAX);
	_cleanup_buf_ struct buf whole = {0}, parts = {0};
	enum err e = read_all(bytes, bytes.n, &whole);
	must(read_all(bytes, bytes.n / 2, &parts) == e);
	must_be(buf_slice(&parts), buf_slice(&whole));
	return 0;
}

/*
 * The gate's own HTTP server, over sockets: what it answers, what it refuses and with which status, and who has to go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "ra/gate/documents.h"
#include "ra/gate/front_private.h"
#include "ra/gate/http_text.h"
#include "ra/gate/ocsp.h"

#include "common/base/cleanup.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define H "Host: x\r\n"

struct served {
	struct gate gate;
	char path[80];
	int fd;
	struct later *later;
	struct front *front;
};

static void begin(struct served *s, int64_t connections, int64_t idle_seconds)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct gate *g = &s->gate;
	pthread_mutex_init(&g->lock, NULL);
	g->table = table_new();
	g->config.threads = 2;
	g->config.connections = connections;
	g->config.idle_seconds = idle_seconds;
	g->config.ocsp = (struct ocsp_rules){.validity_minutes = 60, .cache_entries = 16};
	assert_int_equal(documents_open(NULL, &g->documents, NULL), OK);
	g->ocsp = ocsp_open(g);
	assert_int_equal(rpc_client_open("/nonexistent/desk", 100, 4096, &g->desk_quick, NULL), OK);
	snprintf(s->path, sizeof(s->path), "/tmp/hufu-front-%d.sock", (int)getpid());
	memcpy(a.sun_path, s->path, strlen(s->path));
	unlink(s->path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	assert_int_equal(later_start(g, &s->later, NULL), OK);
	assert_int_equal(front_start(g, s->fd, s->later, &s->front, NULL), OK);
}

static void end(struct served *s)
{
	front_quiesce(s->front);
	later_stop(s->later);
	front_stop(s->front);
	later_free(s->later);
	close(s->fd);
	unlink(s->path);
	rpc_client_close(s->gate.desk_quick);
	ocsp_close(s->gate.ocsp);
	documents_close(s->gate.documents);
	table_freep(&s->gate.table);
}

static int visit(const struct served *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(a.sun_path, s->path, strlen(s->path));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text, size_t n)
{
	assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
}

/* Until the other end closes, or has sent the last of so many answers. */
static void hear(int fd, size_t answers, struct buf *ret)
{
	char part[4096];
	ssize_t n = 1;
	buf_clear(ret);
	for (size_t seen = 0; n > 0 && seen < answers;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		assert_int_equal(poll(&p, 1, 5000), 1);
		n = recv(fd, part, sizeof(part), 0);
		buf_add(ret, part, n > 0 ? (size_t)n : 0);
		seen = 0;
		for (const char *at = buf_text(ret); (at = strstr(at, "HTTP/1.1 ")); at++)
			seen++;
	}
}

static bool is_closed(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char one;
	return poll(&p, 1, 5000) == 1 && recv(fd, &one, 1, 0) <= 0;
}

static const struct {
	const char *text, *status;
	bool closes;
} requests[] = {
	{"GET /none HTTP/1.1\r\n" H "\r\n", "404", false},
	{"GET /status HTTP/1.1\r\n" H "\r\n", "200", false},
	{"\r\n\r\nGET /status HTTP/1.1\r\n" H "\r\n", "200", false},
	{"HEAD /status HTTP/1.1\r\n" H "\r\n", "200", false},
	{"GET http://pki.example/status?a=b HTTP/1.1\r\n" H "\r\n", "200", false},
	{"GET /%73tatus HTTP/1.1\r\n" H "\r\n", "200", false},
	{"GET /status HTTP/1.7\r\n" H "\r\n", "200", false},
	{"GET /status HTTP/1.0\r\n\r\n", "200", true},
	{"GET /status HTTP/1.1\r\n" H "Connection: te, CLOSE\r\n\r\n", "200", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "200", false},
	{"POST /ocsp HTTP/1.1\r\n" H "content-length:\t3 \r\n\r\nabc", "200", false},
	{"GET /v1/status?sha256=0000000000000000000000000000000000000000000000000000000000000000 HTTP/1.1\r\n" H "\r\n",
	 "503", false}, /* by another thread: the desk is away */
	{"OPTIONS /v1/status/0A HTTP/1.1\r\n" H "\r\n", "204", false},
	{"DELETE /ocsp HTTP/1.1\r\n" H "\r\n", "405", false},
	{"GET /%00 HTTP/1.1\r\n" H "\r\n", "404", true},
	{"GET /%4 HTTP/1.1\r\n" H "\r\n", "400", true},
	{"GET /status?a=%zz HTTP/1.1\r\n" H "\r\n", "400", true},
	{"GET /status HTTP/1.1\r\n\r\n", "400", true},
	{"GET /status HTTP/1.1\r\n" H H "\r\n", "400", true},
	{"GET /status HTTP/1.1\n" H "\n", "400", true},
	{"GET /status HTTP/1.1\r\n" H "a: b\nc: d\r\n\r\n", "400", true},
	{"GET /status HTTP/1.1\r\n" H "a : b\r\n\r\n", "400", true},
	{"GET /status HTTP/1.1\r\n" H " folded\r\n\r\n", "400", true},
	{"GET /status HTTP/1.1\r\n" H "a: b\rc\r\n\r\n", "400", true},
	{"GET /status HTTP/1.1\r\n" H ": b\r\n\r\n", "400", true},
	{"GET /st\xc3\xa4tus HTTP/1.1\r\n" H "\r\n", "400", true},
	{"GET status HTTP/1.1\r\n" H "\r\n", "400", true},
	{"GET  /status HTTP/1.1\r\n" H "\r\n", "400", true},
	{"GET /status\r\n\r\n", "400", true},
	{"GET /status HTTP/2.0\r\n" H "\r\n", "505", true},
	{"\x16\x03\x01\x02 tls\r\n\r\n", "400", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", "400", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", "400", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\nabc", "400", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\nabc", "413", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501", true},
	{"POST /ocsp HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", true},
};

/* Each of them whole; what follows a good one on its connection is answered, and what follows a bad one is not. */
static void test_requests(void **state)
{
	static const char next[] = "GET /next HTTP/1.1\r\n" H "\r\n";
	struct served s = {0};
	(void)state;
	begin(&s, 64, 60);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		_cleanup_(closep) int fd = visit(&s);
		_cleanup_buf_ struct buf heard = {0}, both = {0};
		buf_str(&both, requests[i].text);
		buf_str(&both, next);
		say(fd, (char *)both.data, both.len);
		hear(fd, requests[i].closes ? SIZE_MAX : 2, &heard);
		const char *first = buf_text(&heard), *second = strstr(first + 1, "HTTP/1.1 ");
		if (strncmp(first + 9, requests[i].status, 3) != 0 || (second == NULL) != requests[i].closes)
			fail_msg("%s\nwas answered\n%s", requests[i].text, first);
		assert_true(requests[i].closes || strncmp(second + 9, "404", 3) == 0);
		assert_int_equal(strstr(first, "Connection: close\r\n") != NULL, requests[i].closes);
		assert_non_null(strstr(first, "\r\nDate: "));
	}
	end(&s);
}

/* An octet at a time: the same. What is too long is told, and told to whoever sends on. */
static void test_parts(void **state)
{
	static const char text[] =
		"POST /ocsp HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabcHEAD /none HTTP/1.1\r\n" H "\r\n";
	struct served s = {0};
	_cleanup_buf_ struct buf heard = {0}, long_one = {0};
	(void)state;
	begin(&s, 64, 60);
	_cleanup_(closep) int slow = visit(&s), big = visit(&s), waits = visit(&s);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		say(slow, text + i, 1);
	hear(slow, 2, &heard);
	assert_non_null(strstr(buf_text(&heard), "HTTP/1.1 404"));
	assert_string_equal(buf_text(&heard) + heard.len - 4, "\r\n\r\n"); /* HEAD: no body */
	buf_str(&long_one, "POST /ocsp HTTP/1.1\r\n" H "Content-Length: 300000\r\n\r\n");
	while (long_one.len < 300000)
		buf_str(&long_one, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	say(big, (char *)long_one.data, long_one.len);
	hear(big, SIZE_MAX, &heard);
	assert_memory_equal(buf_text(&heard), "HTTP/1.1 413 ", 13);
	static const char head[] = "POST /ocsp HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
	say(waits, head, sizeof(head) - 1);
	hear(waits, 1, &heard);
	assert_string_equal(buf_text(&heard), "HTTP/1.1 100 Continue\r\n\r\n");
	say(waits, "abc", 3);
	hear(waits, 1, &heard);
	assert_memory_equal(buf_text(&heard), "HTTP/1.1 200 ", 13);
	end(&s);
}

/* Whoever does nothing makes room for others, and goes after idle_seconds in any case. */
static void test_room(void **state)
{
	static const char ask[] = "GET /none HTTP/1.1\r\n" H "\r\n";
	struct served s = {0};
	_cleanup_buf_ struct buf heard = {0};
	(void)state;
	begin(&s, 2, 2);
	_cleanup_(closep) int first = visit(&s), second = visit(&s);
	say(second, "GET /no", 7);
	say(first, ask, sizeof(ask) - 1);
	hear(first, 1, &heard);
	bool heard_one = false;
	for (int i = 0; i < 500 && !heard_one; i++) {
		_cleanup_(closep) int other = visit(&s);
		struct pollfd p = {.fd = other, .events = POLLIN};
		(void)!send(other, ask, sizeof(ask) - 1, MSG_NOSIGNAL);
		heard_one = poll(&p, 1, 10000) == 1 && recv(other, &(char){0}, 1, 0) == 1;
		if (!heard_one)
			(void)poll(NULL, 0, 10);
	}
	assert_true(heard_one);
	assert_true(is_closed(first));
	assert_true(is_closed(second));
	end(&s);
}

/* Who says with a question, or with a part of one, that it was the last is answered and let go; what comes at once is read to its end. */
static void test_at_once(void **state)
{
	static const char ask[] = "GET /none HTTP/1.1\r\n" H "\r\n";
	static const char head[] = "POST /ocsp HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 65536\r\n\r\n";
	static const char body[HTTP_BODY_MAX];
	struct served s = {0};
	_cleanup_buf_ struct buf heard = {0};
	(void)state;
	begin(&s, 64, 60);
	_cleanup_(closep) int last = visit(&s), half = visit(&s), large = visit(&s);
	say(last, ask, sizeof(ask) - 1);
	assert_int_equal(shutdown(last, SHUT_WR), 0);
	hear(last, 1, &heard);
	assert_memory_equal(buf_text(&heard), "HTTP/1.1 404 ", 13);
	assert_true(is_closed(last));
	say(half, ask, 7);
	assert_int_equal(shutdown(half, SHUT_WR), 0);
	assert_true(is_closed(half));
	say(large, head, sizeof(head) - 1);
	hear(large, 1, &heard);
	assert_memory_equal(buf_text(&heard), "HTTP/1.1 100 ", 13);
	say(large, body, sizeof(body));
	hear(large, 1, &heard);
	assert_memory_equal(buf_text(&heard), "HTTP/1.1 200 ", 13);
	end(&s);
}

/* Many at the same time, over and over on each connection: each hears its own answer. */
static void test_together(void **state)
{
	struct served s = {0};
	int fds[40];
	const size_t n = sizeof(fds) / sizeof(fds[0]);
	(void)state;
	begin(&s, 64, 60);
	table_set_head(s.gate.table, &(struct gate_head){.size = 1, .at = clock_now(), .beat = clock_now()});
	for (size_t i = 0; i < n; i++)
		fds[i] = visit(&s);
	for (size_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < n; i++) {
			_cleanup_(freep) char *ask =
				i % 4 == 0
					? xasprintf("GET /v1/status/%02zX%02zX HTTP/1.1\r\n" H "\r\n", i + 1, round + 1)
					: xstrdup("POST /ocsp HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc");
			say(fds[i], ask, strlen(ask));
		}
		for (size_t i = 0; i < n; i++) {
			_cleanup_buf_ struct buf heard = {0};
			_cleanup_(freep) char *own = i % 4 == 0
							     ? xasprintf("\"serial\":\"%02zX%02zX\"", i + 1, round + 1)
							     : xstrdup("\r\n\r\n\x30\x03\x0a\x01\x01");
			hear(fds[i], 1, &heard);
			if (!strstr(buf_text(&heard), own))
				fail_msg("%s is not in\n%s", own, buf_text(&heard));
		}
	}
	/* Closed while their answers may be held back. */
	for (size_t i = 0; i < n; i++) {
		say(fds[i], "POST /ocsp HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 54);
		close(fds[i]);
	}
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_requests), cmocka_unit_test(test_parts),
					   cmocka_unit_test(test_room), cmocka_unit_test(test_at_once),
					   cmocka_unit_test(test_together)};
	secret_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

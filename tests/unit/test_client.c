/*
 * common/rpc/client: servers that are away, restart, stay silent or die.
 */
#include "tests/unit/server_kit.h"

static void test_restart(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	struct rpc_client *c = client(h.path, 3000);
	expect_net(c, slice_str("hello"), "peer_away");
	for (int i = 0; i < 3; i++) {
		host_serve(&h, 2);
		expect_echo(c, "hello");
		rpc_server_stop(h.server);
		h.server = NULL;
		struct fault f = {0};
		_cleanup_buf_ struct buf reply = {0};
		assert_int_equal(rpc_call(c, slice_str("hello"), &reply, &f), ERR_NET);
		/* closed when the old connection was still there to be tried */
		assert_true(strcmp(f.rule, "peer_away") == 0 || strcmp(f.rule, "peer_closed") == 0);
	}
	rpc_client_close(c);
	host_done(&h);
}

static void test_no_answer(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	host_serve(&h, 2);
	struct rpc_client *c = client(h.path, 150);
	int64_t start = clock_mono_us();
	expect_net(c, slice_str("none"), "peer_timeout");
	int64_t took_ms = (clock_mono_us() - start) / 1000;
	assert_in_range(took_ms, 140, 1500);
	expect_echo(c, "hello");
	rpc_client_close(c);
	host_done(&h);
}

/* A peer that greets and then says nothing, or goes away once it has the request. */
static void *accept_once(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);
	uint8_t b[64];
	raw_hello(fd, 0x31);
	ssize_t n = recv(fd, b, 8, MSG_WAITALL);
	n += recv(fd, b, 13 + 5, MSG_WAITALL);
	close(fd);
	return (void *)(intptr_t)n;
}

static void test_server_dies(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	int fd = raw_listen(h.path);
	struct rpc_client *silent = client(h.path, 150);
	expect_net(silent, slice_str("hello"), "peer_timeout");
	rpc_client_close(silent);
	close(fd);
	assert_int_equal(unlink(h.path), 0);
	fd = raw_listen(h.path);
	pthread_t t;
	pthread_create(&t, NULL, accept_once, &fd);
	struct rpc_client *c = client(h.path, 3000);
	int64_t start = clock_mono_us();
	_cleanup_buf_ struct buf reply = {0};
	struct fault f = {0};
	/* the probe may be what the dying peer accepts first; then nothing answers at all */
	assert_int_equal(rpc_call(c, slice_str("hello"), &reply, &f), ERR_NET);
	assert_true(strcmp(f.rule, "peer_closed") == 0 || strcmp(f.rule, "peer_timeout") == 0);
	assert_true(clock_mono_us() - start < 4000000);
	rpc_client_close(c);
	pthread_join(t, NULL);
	close(fd);
	assert_int_equal(unlink(h.path), 0);
	host_done(&h);
}

static void *hang_up_on_all(void *arg)
{
	const int *listener = arg;
	int fd;
	while ((fd = accept(*listener, NULL, NULL)) >= 0)
		close(fd);
	return NULL;
}

/* A server that is killed between accepting and greeting, again and again, does not end a client's attempts. */
static void test_client_recovers(void **state)
{
	(void)state;
	struct host h;
	host_init(&h);
	int fd = raw_listen(h.path);
	pthread_t t;
	pthread_create(&t, NULL, hang_up_on_all, &fd);
	struct rpc_client *c = client(h.path, 3000);
	for (int i = 0; i < 20; i++)
		expect_net(c, slice_str("hello"), "peer_refused");
	assert_int_equal(shutdown(fd, SHUT_RDWR), 0); /* ends accept(2) */
	pthread_join(t, NULL);
	close(fd);
	assert_int_equal(unlink(h.path), 0);
	host_serve(&h, 2);
	expect_echo(c, "hello");
	rpc_client_close(c);
	host_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_server_dies),
		cmocka_unit_test(test_client_recovers),
	};
	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}

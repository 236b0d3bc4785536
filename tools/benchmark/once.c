/*
 * A few threads that connect, send, read to the end, and begin again. The time of a connection is the server's as well: it
 * asks for one each time.
 */
#include "tools/benchmark/once.h"

#include "common/base/clock.h"
#include "common/base/file.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/base/cleanup.h"

#define REQUESTS_MAX (1u << 28)
#define ANSWER_MAX 16384u
#define SILENCE_S 2
#define RETRY_MS 1

struct asker {
	pthread_t thread;
	struct slice requests; /* each behind its length in four octets */
	size_t at;
	struct sockaddr_in address;
	int64_t until;
	size_t answers;
};

/* The next one; behind the last comes the first. */
static struct slice next_request(struct asker *a)
{
	if (a->requests.n - a->at < 4)
		a->at = 0;
	const uint8_t *p = a->requests.p + a->at;
	size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	a->at += 4 + n;
	return slice_of(p + 4, n);
}

static bool read_answer(int fd)
{
	char text[ANSWER_MAX + 1];
	size_t len = 0;
	ssize_t n;
	while (len < ANSWER_MAX && (n = recv(fd, text + len, ANSWER_MAX - len, 0)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	const char *body = strstr(text, "\r\n\r\n"), *status = strchr(text, ' ');
	return body && status && status[1] == '2' && body + 4 < text + len;
}

static bool ask_once(struct asker *a)
{
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval silence = {.tv_sec = SILENCE_S};
	struct slice request = next_request(a);
	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) == 0 &&
	       connect(fd, (const struct sockaddr *)&a->address, sizeof(a->address)) == 0 &&
	       send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n && read_answer(fd);
}

static void *run_asker(void *arg)
{
	struct asker *a = arg;
	while (clock_mono_us() < a->until) {
		if (ask_once(a))
			a->answers++;
		else
			(void)poll(NULL, 0, RETRY_MS); /* it may have ended */
	}
	return NULL;
}

enum err once_run(const char *requests, unsigned port, unsigned n, double seconds, double *ret_per_s, struct fault *f)
{
	_cleanup_buf_ struct buf all = {0};
	_cleanup_(freep) struct asker *askers = xcalloc(n, sizeof(*askers));
	size_t answers = 0;
	TRY(file_read(requests, REQUESTS_MAX, &all, f));
	int64_t from = clock_mono_us();
	for (unsigned i = 0; i < n; i++) {
		askers[i] = (struct asker){.requests = buf_slice(&all),
					   .address = {.sin_family = AF_INET,
						       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
						       .sin_port = htons((uint16_t)port)},
					   .until = from + (int64_t)(seconds * 1e6)};
		if (pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]) != 0)
			abort();
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(askers[i].thread, NULL);
		answers += askers[i].answers;
	}
	*ret_per_s = (double)answers * 1e6 / (double)(clock_mono_us() - from);
	return answers > 0 ? OK : fault_raise(f, ERR_NET, "peer_silent", "once", "no answer from port %u", port);
}

/*
 * Next: gateway.c, smtp.c.
 */
#include "ra/notify/transfer.h"

void transfer_open(struct transfer *t)
{
	t->curl = curl_easy_init();
	if (!t->curl)
		abort();
}

void transfer_close(struct transfer *t)
{
	if (t->curl)
		curl_easy_cleanup(t->curl);
	buf_done(&t->answer);
	*t = (struct transfer){0};
}

/* Returning less than came ends the transfer. */
static size_t take_answer(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t bytes = size * n;
	t->too_large |= bytes > ANSWER_MAX - t->answer.len;
	if (t->too_large)
		return 0;
	buf_add(&t->answer, p, bytes);
	return bytes;
}

void transfer_begin(struct transfer *t, const char *ca, int64_t timeout_s, const struct notice *n, int64_t now)
{
	int64_t left = n->dies - now;
	long s = (long)(left < timeout_s ? left : timeout_s);
	curl_easy_reset(t->curl);
	buf_clear(&t->answer);
	t->too_large = false;
	curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(t->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(t->curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(t->curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(t->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (ca)
		curl_easy_setopt(t->curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(t->curl, CURLOPT_TIMEOUT, s > 0 ? s : 1L);
	/* Also of the farewell to a server that has stopped answering, which the time above does not cover. */
	curl_easy_setopt(t->curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, s > 0 ? s : 1L);
	curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT, s > 10 ? 10L : s > 0 ? s : 1L);
	curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
}

/*
 * Whose fault a refusal is depends on when it comes: a 5xx to recipient or mail is about this message, one to the greeting,
 * to STARTTLS or to the log-in is about us. libcurl's code does not say, so its debug function is listened to; what it hears
 * is kept for one message and never logged.
 */
#include "ra/notify/smtp.h"

#include <string.h>

#define REPLY_MAX 200

struct talk {
	bool about_message; /* from MAIL FROM on */
	char reply[REPLY_MAX + 1];
};

static void hear_reply(struct talk *k, const char *p, size_t n)
{
	while (n > 0 && (p[n - 1] == '\r' || p[n - 1] == '\n'))
		n--;
	n = n < REPLY_MAX ? n : REPLY_MAX;
	memcpy(k->reply, p, n);
	k->reply[n] = '\0';
}

static int hear(CURL *curl, curl_infotype type, char *p, size_t n, void *arg)
{
	struct talk *k = arg;
	(void)curl;
	if (type == CURLINFO_HEADER_OUT && n > 9 && memcmp(p, "MAIL FROM", 9) == 0)
		k->about_message = true;
	/* What refuses, and not the farewell behind it. */
	if (type == CURLINFO_HEADER_IN && k->about_message && n > 0 && (p[0] == '4' || p[0] == '5'))
		hear_reply(k, p, n);
	return 0;
}

static size_t give_mail(char *p, size_t size, size_t n, void *arg)
{
	struct slice *rest = arg;
	size_t take = size * n < rest->n ? size * n : rest->n;
	memcpy(p, rest->p, take);
	rest->p += take;
	rest->n -= take;
	return take;
}

static void set_login(struct transfer *t, const struct smtp_config *s)
{
	if (!s->user)
		return;
	char *password = xstrndup((const char *)s->password.p, s->password.n);
	curl_easy_setopt(t->curl, CURLOPT_USERNAME, s->user);
	curl_easy_setopt(t->curl, CURLOPT_PASSWORD, password);
	explicit_bzero(password, s->password.n);
	free(password);
}

static void set_server(struct transfer *t, const struct smtp_config *s)
{
	bool v6 = strchr(s->host, ':') != NULL;
	_cleanup_(freep) char *url =
		xasprintf("%s://%s%s%s:%lld/%s", s->tls == TLS_TLS ? "smtps" : "smtp", v6 ? "[" : "", s->host,
			  v6 ? "]" : "", (long long)s->port, s->from.domain);
	curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, s->tls == TLS_TLS ? "smtps" : "smtp");
	curl_easy_setopt(t->curl, CURLOPT_URL, url);
	curl_easy_setopt(t->curl, CURLOPT_USE_SSL, (long)(s->tls == TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	set_login(t, s);
}

/* Replies of 5xx that are about the session, whenever they come: not logged in, no TLS, command unknown. */
static bool about_session(long code)
{
	return code == 421 || (code >= 500 && code <= 504) || code == 521 || code == 530 || code == 534 ||
	       code == 535 || code == 538;
}

static struct outcome judge(const struct notice *n, const struct talk *k, CURLcode code)
{
	if (code == CURLE_OK)
		return outcome_make(OUTCOME_SENT, false, n, "", "");
	long reply = strtol(k->reply, NULL, 10);
	if (reply < 400 || reply > 599)
		return outcome_make(OUTCOME_LATER, true, n, "no delivery", curl_easy_strerror(code));
	if (reply >= 500 && !about_session(reply))
		return outcome_make(OUTCOME_REFUSED, false, n, "SMTP", k->reply);
	return outcome_make(OUTCOME_LATER, about_session(reply), n, "SMTP", k->reply);
}

struct outcome smtp_send(struct transfer *t, const struct smtp_config *s, const struct notice *n, int64_t now)
{
	struct talk talk = {0};
	_cleanup_buf_ struct buf mail = {0};
	_cleanup_(freep) char *from = xasprintf("<%s>", s->from.address), *to = xasprintf("<%s>", n->to);
	struct curl_slist *recipients = curl_slist_append(NULL, to);
	mime_put(&s->from, n, &mail);
	struct slice rest = buf_slice(&mail);
	transfer_begin(t, s->ca, s->timeout_s, n, now);
	set_server(t, s);
	curl_easy_setopt(t->curl, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(t->curl, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(t->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(t->curl, CURLOPT_READFUNCTION, give_mail);
	curl_easy_setopt(t->curl, CURLOPT_READDATA, &rest);
	curl_easy_setopt(t->curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(t->curl, CURLOPT_DEBUGFUNCTION, hear);
	curl_easy_setopt(t->curl, CURLOPT_DEBUGDATA, &talk);
	CURLcode code = curl_easy_perform(t->curl);
	/* Closing the connection later says QUIT, which must not reach what is gone by then. */
	curl_easy_setopt(t->curl, CURLOPT_VERBOSE, 0L);
	curl_easy_setopt(t->curl, CURLOPT_DEBUGFUNCTION, (curl_debug_callback)NULL);
	curl_slist_free_all(recipients);
	explicit_bzero(mail.data, mail.len);
	return judge(n, &talk, code);
}

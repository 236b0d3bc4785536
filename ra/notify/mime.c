/*
 * Nothing of a message stands in a header as it came: addresses are of a form that has no room for more (ra/mail.h), ids
 * are hex, texts are encoded. So there is no way to say a header, a recipient or an end of the mail through them.
 */
#include "ra/notify/mime.h"

#include "common/base/clock.h"

#include <string.h>

#define PLAIN_MAX 60
#define WORD_BYTES 39 /* 52 characters of base64, 12 around them, "Subject: " before: a line of RFC 2047 2 has 76 */
#define LINE_BYTES 57 /* 76 characters of base64, RFC 2045 6.8 */

static bool is_plain(const char *text)
{
	size_t n = strlen(text);
	if (n > PLAIN_MAX || strstr(text, "=?") || text[0] == ' ' || (n > 0 && text[n - 1] == ' '))
		return false;
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

/* As many whole characters as fit into a word. */
static size_t word_length(const char *text, size_t n)
{
	size_t used = 0, i = 0;
	while (i < n) {
		(void)utf8_next((const uint8_t *)text, n, &i);
		if (i > WORD_BYTES)
			break;
		used = i;
	}
	return used;
}

static void put_encoded(const char *text, struct buf *ret)
{
	_cleanup_(freep) char *clean = xstrdup(text);
	for (char *p = clean; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
	for (const char *p = clean; *p;) {
		size_t n = word_length(p, strlen(p));
		if (p != clean)
			buf_str(ret, "\r\n ");
		buf_str(ret, "=?UTF-8?B?");
		buf_base64(ret, p, n);
		buf_str(ret, "?=");
		p += n;
	}
}

void mime_words(const char *text, struct buf *ret)
{
	if (is_plain(text))
		buf_str(ret, text);
	else
		put_encoded(text, ret);
}

static void put_date(int64_t t, struct buf *ret)
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* of 1970-01-01 */
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c = time_civil(t + 8 * 3600);
	buf_fmt(ret, "Date: %s, %d %s %04d %02d:%02d:%02d +0800\r\n", days[(t + 8 * 3600) / 86400 % 7], c.day,
		months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

/* A display name is a word of its own (RFC 5322 3.4): quoted when it is plain. */
static void put_name(const char *name, struct buf *ret)
{
	if (name[0] == '\0')
		return;
	if (is_plain(name) && !strpbrk(name, "\"\\"))
		buf_fmt(ret, "\"%s\"", name);
	else
		put_encoded(name, ret);
	buf_char(ret, ' ');
}

static void put_body(const char *text, struct buf *ret)
{
	_cleanup_buf_ struct buf lines = {0};
	for (; *text; text++) { /* RFC 2046 4.1.1: text has CRLF at line ends before it is encoded */
		if (*text == '\n')
			buf_char(&lines, '\r');
		if (*text != '\r')
			buf_char(&lines, *text);
	}
	buf_str(&lines, "\r\n");
	for (size_t i = 0; i < lines.len; i += LINE_BYTES) {
		size_t n = lines.len - i;
		buf_base64(ret, lines.data + i, n < LINE_BYTES ? n : LINE_BYTES);
		buf_str(ret, "\r\n");
	}
}

void mime_put(const struct sender *from, const struct notice *n, struct buf *ret)
{
	put_date(n->made, ret);
	buf_str(ret, "From: ");
	put_name(from->name, ret);
	buf_fmt(ret, "<%s>\r\nTo: <%s>\r\nSubject: ", from->address, n->to);
	mime_words(n->subject, ret);
	buf_fmt(ret,
		"\r\nMessage-ID: <%s@%s>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n",
		n->id, from->domain);
	put_body(n->text, ret);
}

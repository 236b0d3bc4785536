/*
 * A mail as bytes (RFC 5322, 2045, 2047): UTF-8 in base64, headers in encoded words. The same message gives the same bytes.
 */
#ifndef HUFU_RA_NOTIFY_MIME_H
#define HUFU_RA_NOTIFY_MIME_H

#include "ra/notify/notice.h"

struct sender {
	const char *address; /* mail_is_good() */
	const char *name;    /* shown beside it; "" none */
	const char *domain;  /* of Message-ID */
};
/* Appends the mail with CRLF at line ends. */
void mime_put(const struct sender *from, const struct notice *n, struct buf *ret);
/* Appends a header's text: as it is when it is short and plain, else as encoded words of at most 75 characters, folded. Controls become spaces. */
void mime_words(const char *text, struct buf *ret);

#endif

/*
 * A message between the desk and the road that it takes. Next: worker.c.
 */
#include "ra/notify/notice.h"

#include "common/base/clock.h"
#include "ra/mail.h"
#include "ra/mobile.h"

#include <string.h>

#define TEXT_MAX 20000
#define SUBJECT_MAX 1000
#define SENDER_MAX 120
#define WORD_MIN 4 /* shorter ones tell nothing */

const char *const outcome_words[] = {"sent", "later", "refused"};

static const char *text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static enum err wrong(const char *member, struct fault *f)
{
	return fault_raise(f, ERR_PARSE, "notice_form", "notice", "the desk's message has no good %s", member);
}

enum err notice_read(json_t *o, bool mail, struct notice *ret, struct fault *f)
{
	const char *made = text_of(o, "made"), *dies = text_of(o, "dies");
	*ret = (struct notice){.id = text_of(o, "id"),
			       .to = text_of(o, "to"),
			       .subject = text_of(o, "subject"),
			       .text = text_of(o, "text"),
			       .sender = text_of(o, "sender")};
	if (strlen(ret->id) != MESSAGE_ID || strspn(ret->id, "0123456789abcdef") != MESSAGE_ID)
		return wrong("id", f);
	if (!(mail ? mail_is_good(ret->to) : mobile_is_good(ret->to)))
		return wrong("recipient", f);
	if (ret->text[0] == '\0' || strlen(ret->text) > TEXT_MAX || strlen(ret->subject) > SUBJECT_MAX)
		return wrong("text", f);
	if (strlen(ret->sender) > SENDER_MAX)
		return wrong("sender", f);
	if (!time_parse_utc(made, strlen(made), &ret->made) || !time_parse_utc(dies, strlen(dies), &ret->dies))
		return wrong("time", f);
	return OK;
}

static bool in_word(char ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch & 0x80);
}

/* Words that the message has become dots. */
static void mask(const char *message, char *text)
{
	while (*text) {
		size_t n = 0;
		while (in_word(text[n]))
			n++;
		_cleanup_(freep) char *word = xstrndup(text, n);
		if (n >= WORD_MIN && strstr(message, word))
			memset(text, '.', n);
		text += n > 0 ? n : 1;
	}
}

struct outcome outcome_make(enum outcome_kind kind, bool trouble, const struct notice *n, const char *what,
			    const char *detail)
{
	struct outcome o = {.kind = kind, .trouble = trouble};
	_cleanup_(freep) char *own = xstrdup(detail);
	mask(n->text, own);
	snprintf(o.why, sizeof(o.why), "%.80s%s%s", what, own[0] != '\0' ? ": " : "", ESC(own, strlen(own)));
	return o;
}

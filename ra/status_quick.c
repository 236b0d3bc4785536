/*
 * status.query without a tree: {"jsonrpc": "2.0", "id": …, "method": "status.query", "params": {"serials": […]}}, or
 * {"refs": [{"serial": …, "issuer": …}, …]}, members in any order, with or without white space.
 *
 * The reader takes only what it is certain of (plain strings of visible ASCII, each member once, small integers) and
 * leaves everything else, right or wrong, to the general road. What it takes it answers with the same bytes as that road
 * would: a test compares them over many thousand questions.
 */
#include "ra/status.h"

#include "ra/status_index.h"

#include "common/base/clock.h"

#include <assert.h>
#include <string.h>

#define ASKED_MAX 64   /* more go the general road: nobody waits long behind one question */
#define ID_TEXT_MAX 64 /* of the request's id, with quotes */
#define ID_DIGITS 15

struct ask {
	struct cert_ref ref;
	struct slice serial, issuer; /* as written; issuer empty: none was given */
};
struct question {
	struct slice id; /* as written */
	bool version, method;
	struct ask asked[ASKED_MAX];
	size_t n;
};

/* --- reading: false means "not certain" --- */

struct text {
	const char *p, *end;
};

static void skip_space(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
		t->p++;
}

/* The next character, if it is that one; white space before it is skipped. */
static bool take(struct text *t, char c)
{
	skip_space(t);
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

/* The inside of a string without escapes. */
static bool take_string(struct text *t, struct slice *ret)
{
	if (!take(t, '"'))
		return false;
	const char *from = t->p;
	while (t->p < t->end && *t->p != '"') {
		if (*t->p < 0x20 || *t->p > 0x7e || *t->p == '\\')
			return false;
		t->p++;
	}
	*ret = slice_of(from, (size_t)(t->p - from));
	return take(t, '"');
}

static bool is_text(struct slice s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static bool take_id(struct text *t, struct slice *ret)
{
	skip_space(t);
	const char *from = t->p;
	if (ret->n > 0)
		return false;
	if (t->p < t->end && *t->p == '"') {
		struct slice inside;
		if (!take_string(t, &inside))
			return false;
	} else {
		while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
			t->p++;
		if (t->p == from || t->p - from > ID_DIGITS || (*from == '0' && t->p - from > 1))
			return false;
	}
	*ret = slice_of(from, (size_t)(t->p - from));
	return ret->n <= ID_TEXT_MAX;
}

/* Digits and the letters of one case: their value and IS_HEX; nothing for the rest. */
#define IS_HEX 0x10
#define HEX(c, v) [c] = IS_HEX | (v)
#define DIGITS                                                                                                         \
	HEX('0', 0), HEX('1', 1), HEX('2', 2), HEX('3', 3), HEX('4', 4), HEX('5', 5), HEX('6', 6), HEX('7', 7),        \
		HEX('8', 8), HEX('9', 9)
static const uint8_t upper[256] = {DIGITS,	 HEX('A', 10), HEX('B', 11), HEX('C', 12),
				   HEX('D', 13), HEX('E', 14), HEX('F', 15)};
static const uint8_t lower[256] = {DIGITS,	 HEX('a', 10), HEX('b', 11), HEX('c', 12),
				   HEX('d', 13), HEX('e', 14), HEX('f', 15)};

static bool unhex(struct slice text, const uint8_t digits[256], uint8_t *ret)
{
	unsigned all = IS_HEX;
	for (size_t i = 0; i < text.n / 2; i++) {
		unsigned high = digits[text.p[2 * i]], low = digits[text.p[2 * i + 1]];
		all &= high & low;
		ret[i] = (uint8_t)(high << 4 | (low & 15));
	}
	return all == IS_HEX;
}

static bool read_serial(struct slice text, struct ask *a)
{
	if (text.n == 0 || text.n % 2 != 0 || text.n > 2 * SERIAL_MAX)
		return false;
	a->serial = text;
	a->ref.serial.n = text.n / 2;
	return unhex(text, upper, a->ref.serial.b) && a->ref.serial.b[0] != 0;
}

static bool read_issuer(struct slice text, struct ask *a)
{
	a->issuer = text;
	return text.n == 40 && unhex(text, lower, a->ref.issuer_key_id);
}

static bool take_serial(struct text *t, struct ask *a)
{
	struct slice text;
	return take_string(t, &text) && read_serial(text, a);
}

static bool take_ref(struct text *t, struct ask *a)
{
	struct slice name, text;
	if (!take(t, '{'))
		return false;
	do {
		if (!take_string(t, &name) || !take(t, ':') || !take_string(t, &text))
			return false;
		bool ok = is_text(name, "serial")   ? a->serial.n == 0 && read_serial(text, a)
			  : is_text(name, "issuer") ? a->issuer.n == 0 && read_issuer(text, a)
						    : false;
		if (!ok)
			return false;
	} while (take(t, ','));
	return take(t, '}') && a->serial.n > 0 && a->issuer.n > 0;
}

static bool take_params(struct text *t, struct question *q)
{
	struct slice name;
	if (q->n > 0 || !take(t, '{') || !take_string(t, &name) || !take(t, ':') || !take(t, '['))
		return false;
	bool serials = is_text(name, "serials");
	if (!serials && !is_text(name, "refs"))
		return false;
	do {
		if (q->n == ASKED_MAX)
			return false;
		struct ask *a = &q->asked[q->n++];
		a->serial = a->issuer = (struct slice){0};
		if (!(serials ? take_serial(t, a) : take_ref(t, a)))
			return false;
	} while (take(t, ','));
	return take(t, ']') && take(t, '}');
}

static bool take_member(struct text *t, struct question *q)
{
	struct slice name, text;
	if (!take_string(t, &name) || !take(t, ':'))
		return false;
	if (is_text(name, "params"))
		return take_params(t, q);
	if (is_text(name, "id"))
		return take_id(t, &q->id);
	if (!take_string(t, &text))
		return false;
	if (is_text(name, "jsonrpc") && !q->version)
		return q->version = is_text(text, "2.0");
	if (is_text(name, "method") && !q->method)
		return q->method = is_text(text, "status.query");
	return false;
}

static bool read_question(struct slice request, struct question *q)
{
	struct text t = {(const char *)request.p, (const char *)request.p + request.n};
	q->id = (struct slice){0};
	q->version = q->method = false;
	q->n = 0;
	if (request.n == 0 || !take(&t, '{'))
		return false;
	do {
		if (!take_member(&t, q))
			return false;
	} while (take(&t, ','));
	if (!take(&t, '}'))
		return false;
	skip_space(&t);
	return t.p == t.end && q->version && q->method && q->id.n > 0 && q->n > 0;
}

/* --- answering: room is made before, so that each piece is a copy --- */

#define ANSWER_MAX 512u /* one certificate, with successor */

static char *add(char *at, const char *p, size_t n)
{
	memcpy(at, p, n);
	return at + n;
}
#define ADD(at, literal) add((at), literal, sizeof(literal) - 1)

static char *add_text(char *at, const char *text)
{
	return add(at, text, strlen(text));
}

static char *add_two(char *at, unsigned v)
{
	*at++ = (char)('0' + v / 10);
	*at++ = (char)('0' + v % 10);
	return at;
}

static char *add_time(char *at, int64_t t)
{
	struct civil c = time_civil(t);
	assert(c.year >= 0 && c.year <= 9999);
	at = add_two(at, (unsigned)c.year / 100);
	at = add_two(at, (unsigned)c.year % 100);
	*at++ = '-';
	at = add_two(at, (unsigned)c.month);
	*at++ = '-';
	at = add_two(at, (unsigned)c.day);
	*at++ = 'T';
	at = add_two(at, (unsigned)c.hour);
	*at++ = ':';
	at = add_two(at, (unsigned)c.minute);
	*at++ = ':';
	at = add_two(at, (unsigned)c.second);
	*at++ = 'Z';
	return at;
}

static char *add_serial(char *at, const struct status_entry *e)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < e->n; i++) {
		*at++ = digits[e->serial[i] >> 4];
		*at++ = digits[e->serial[i] & 15];
	}
	return at;
}

struct answering {
	const struct status_index *index;
	int64_t now;
};

static char *add_entry(char *at, struct answering *x, const struct status_entry *e)
{
	struct cert_standing s = status_standing(x->index, e);
	const char *word = status_word(s.state, s.changed, e->not_after, x->now);
	const char *reason = status_has_reason(word) ? crl_reason_word(s.reason) : NULL;
	const struct status_entry *next = status_entry(x->index, e->successor);
	at = add_serial(ADD(at, "{\"serial\":\""), e);
	at = add(ADD(at, "\",\"issuer\":\""), status_issuer(x->index, e->issuer)->hex, 40);
	at = add_time(ADD(at, "\",\"not_after\":\""), e->not_after);
	at = add_text(ADD(at, "\",\"state\":\""), word);
	if (reason)
		at = add_text(ADD(at, "\",\"reason\":\""), reason);
	if (s.state != CERT_GOOD)
		at = add_time(ADD(at, "\",\"when\":\""), s.changed);
	if (next) {
		at = add_serial(ADD(at, "\",\"successor\":\""), next);
		at = add(ADD(at, "\",\"successor_issuer\":\""), status_issuer(x->index, next->issuer)->hex, 40);
	}
	return ADD(at, "\"},");
}

static char *add_unknown(char *at, const struct ask *a)
{
	at = add(ADD(at, "{\"serial\":\""), (const char *)a->serial.p, a->serial.n);
	if (a->issuer.n > 0)
		at = ADD(add(ADD(at, "\",\"issuer\":\""), (const char *)a->issuer.p, a->issuer.n), "\"");
	else
		at = ADD(at, "\",\"issuer\":null");
	return ADD(at, ",\"state\":\"unknown\"},");
}

static void answer_one(struct answering *x, const struct ask *a, struct buf *reply)
{
	const struct status_entry *found[SAME_SERIAL_MAX];
	size_t n;
	if (a->issuer.n > 0) {
		found[0] = status_by_ref(x->index, &a->ref);
		n = found[0] != NULL;
	} else {
		n = status_by_serial(x->index, &a->ref.serial, found);
	}
	buf_reserve(reply, (n + 1) * ANSWER_MAX);
	char *from = (char *)reply->data + reply->len, *at = from;
	for (size_t i = 0; i < n; i++)
		at = add_entry(at, x, found[i]);
	if (n == 0)
		at = add_unknown(at, a);
	reply->len += (size_t)(at - from);
}

static void answer(struct answering *x, const struct question *q, struct buf *reply)
{
	buf_str(reply, "{\"jsonrpc\":\"2.0\",\"result\":{");
	buf_add_slice(reply, status_heads_text(x->index));
	buf_str(reply, "\"answers\":[");
	for (size_t i = 0; i < q->n; i++)
		status_prefetch(x->index, &q->asked[i].ref.serial, false);
	for (size_t i = 0; i < q->n; i++)
		status_prefetch(x->index, &q->asked[i].ref.serial, true);
	for (size_t i = 0; i < q->n; i++)
		answer_one(x, &q->asked[i], reply);
	reply->len--; /* the last comma */
	buf_str(reply, "]},\"id\":");
	buf_add_slice(reply, q->id);
	buf_char(reply, '}');
}

bool status_quick(struct desk *d, const struct rpc_peer *peer, struct slice request, struct buf *reply)
{
	struct question q __attribute__((uninitialized)); /* large; read_question() sets what it reads */
	if (!status_complete(d->status) || ra_config_roles(&d->config, peer->uid) == 0 || !read_question(request, &q))
		return false;
	status_begin(d->status);
	struct answering x = {.index = d->status, .now = status_now(d->status, clock_now())};
	answer(&x, &q, reply);
	status_end(d->status);
	return true;
}

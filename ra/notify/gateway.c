/*
 * One request a message. What is no clear yes and no clear no is tried again, under the same id: a gateway that has it
 * already can tell by that.
 */
#include "ra/notify/gateway.h"

#include "common/rpc/json.h"

#include <string.h>

/* --- what an answer means --- */

/* A member of a JSON answer by its dotted name. */
static json_t *member(json_t *o, const char *name)
{
	_cleanup_(freep) char *own = xstrdup(name);
	char *rest = own;
	for (char *part = strsep(&rest, "."); part && o; part = strsep(&rest, "."))
		o = json_object_get(o, part);
	return o;
}

/* As the configuration writes it; false: it is no plain value. */
static bool value_text(json_t *v, char *ret, size_t size)
{
	if (json_is_string(v))
		snprintf(ret, size, "%s", json_string_value(v));
	else if (json_is_integer(v))
		snprintf(ret, size, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		snprintf(ret, size, "%s", json_is_true(v) ? "true" : "false");
	else
		return false;
	return true;
}

static bool holds(const struct yaml_strs *list, const char *value)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], value) == 0)
			return true;
	}
	return false;
}

static struct outcome judge_field(const struct gateway_config *g, const struct notice *n, struct slice answer)
{
	static const struct json_limits limits = {ANSWER_MAX, 16, 2000};
	_cleanup_(json_freep) json_t *o = NULL;
	char value[64];
	if (json_read(answer, &limits, &o, NULL) != OK)
		return outcome_make(OUTCOME_LATER, false, n, "the answer is no JSON", "");
	json_t *v = member(o, g->field);
	if (!v || !value_text(v, value, sizeof(value)))
		return outcome_make(OUTCOME_LATER, false, n, "the answer lacks the field", g->field);
	if (holds(&g->success, value))
		return outcome_make(OUTCOME_SENT, false, n, "", "");
	return outcome_make(holds(&g->refused, value) ? OUTCOME_REFUSED : OUTCOME_LATER, false, n, g->field, value);
}

/* Not the message's fault: who we are, how fast we are, or something of the moment. */
static bool passes(long status)
{
	static const long list[] = {401, 403, 407, 408, 425, 429};
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i] == status)
			return true;
	}
	return status < 400 || status > 499;
}

struct outcome gateway_judge(const struct gateway_config *g, const struct notice *n, long status, struct slice answer)
{
	char code[24];
	snprintf(code, sizeof(code), "HTTP %ld", status);
	if (status >= 300 && status <= 399)
		return outcome_make(OUTCOME_LATER, true, n, code, "it sends elsewhere, which is not followed");
	if (status < 200 || status > 299)
		return outcome_make(passes(status) ? OUTCOME_LATER : OUTCOME_REFUSED, passes(status), n, code, "");
	return g->field ? judge_field(g, n, answer) : outcome_make(OUTCOME_SENT, false, n, "", "");
}

/* --- asking --- */

static struct curl_slist *headers_of(const struct gateway_config *g, const struct notice *n)
{
	_cleanup_(freep) char *token = g->token.n > 0 ? xstrndup((const char *)g->token.p, g->token.n) : xstrdup("");
	_cleanup_(freep) char *key = xasprintf("Idempotency-Key: %s", n->id);
	const struct template_word words[] = {{"id", n->id}, {"token", token}};
	struct curl_slist *list = curl_slist_append(NULL, key);
	if (!g->get)
		list = curl_slist_append(list, g->body == TEMPLATE_JSON
						       ? "Content-Type: application/json; charset=utf-8"
						       : "Content-Type: application/x-www-form-urlencoded");
	for (size_t i = 0; i < g->headers.n; i++) {
		_cleanup_buf_ struct buf line = {0};
		template_fill(g->headers.v[i], words, 2, &line);
		list = curl_slist_append(list, buf_text(&line));
		explicit_bzero(line.data, line.len);
	}
	explicit_bzero(token, strlen(token));
	return list;
}

static void set_request(struct transfer *t, const struct gateway_config *g, const struct buf *body, const char *url,
			const struct curl_slist *headers)
{
	curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, g->plain ? "http,https" : "https");
	curl_easy_setopt(t->curl, CURLOPT_URL, url);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
	if (g->get)
		return;
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, buf_text(body));
	if (g->put)
		curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, "PUT");
}

struct outcome gateway_send(struct transfer *t, const struct gateway_config *g, const struct notice *n, int64_t now)
{
	const struct template_word words[] = {{"mobile", n->to},
					      {"text", n->text},
					      {"id", n->id},
					      {"sender", n->sender[0] != '\0' ? n->sender : g->sender}};
	_cleanup_buf_ struct buf body = {0};
	template_put(g->template, words, sizeof(words) / sizeof(words[0]), &body);
	_cleanup_(freep) char *url =
		g->get ? xasprintf("%s%c%s", g->url, strchr(g->url, '?') ? '&' : '?', buf_text(&body))
		       : xstrdup(g->url);
	struct curl_slist *headers = headers_of(g, n);
	long status = 0;
	transfer_begin(t, g->ca, g->timeout_s, n, now);
	set_request(t, g, &body, url, headers);
	CURLcode code = curl_easy_perform(t->curl);
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	explicit_bzero(body.data, body.len);
	if (t->too_large)
		return outcome_make(OUTCOME_LATER, true, n, "the answer is larger than 64 KiB", "");
	if (code != CURLE_OK)
		return outcome_make(OUTCOME_LATER, true, n, "no answer", curl_easy_strerror(code));
	return gateway_judge(g, n, status, buf_slice(&t->answer));
}

/*
 * The notifier's configuration: a table of keys, then what a table cannot say. What would let a message out unprotected
 * (plain HTTP, SMTP without TLS) is refused unless the file says that it is meant.
 */
#include "ra/notify/config.h"

#include "common/base/file.h"
#include "ra/mail.h"

#include <curl/curl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define CONFIG_MAX (64u * 1024u)
#define SECRET_MAX 1024
#define SENDER_MAX 120

static const char *const sms_roads[] = {"spool", "gateway", NULL}, *const mail_roads[] = {"spool", "smtp", NULL};
static const char *const methods[] = {"POST", "PUT", "GET", NULL}, *const bodies[] = {"json", "form", NULL};
static const char *const tls_words[] = {"starttls", "tls", "none", NULL};
static const char *const log_words[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const body_words[] = {"mobile", "text", "id", "sender", NULL}, *const header_words[] = {
											  "id", "token", NULL};

/* The file as it is written. */
struct raw_gateway {
	const char *url, *sender, *template, *token, *field, *ca;
	int method, body;
	bool plain;
	struct yaml_strs headers, success, refused;
	int64_t timeout_s;
};
struct raw_smtp {
	const char *host, *user, *password, *from, *name, *domain, *ca;
	int tls;
	int64_t port, timeout_s;
};
struct raw_sms {
	int by;
	int64_t workers;
	bool has_gateway;
	struct raw_gateway gateway;
};
struct raw_mail {
	int by;
	int64_t workers;
	bool has_smtp;
	struct raw_smtp smtp;
};
struct raw {
	const char *root, *desk_socket, *state;
	int log;
	struct raw_sms sms;
	struct raw_mail mail;
};

#define STR_OF(type, member, name, req, most, text)                                                                    \
	{                                                                                                              \
		.key = name, .kind = YK_STR, .offset = offsetof(struct type, member), .required = req, .min = 1,       \
		.max = most, .help = text                                                                              \
	}
#define STRS_OF(type, member, name, most, text)                                                                        \
	{                                                                                                              \
		.key = name, .kind = YK_STRS, .offset = offsetof(struct type, member), .min = 1, .max = most,          \
		.help = text                                                                                           \
	}
#define INT_OF(type, member, name, least, most, default_, text)                                                        \
	{                                                                                                              \
		.key = name, .kind = YK_INT, .offset = offsetof(struct type, member), .min = least, .max = most,       \
		.def = default_, .help = text                                                                          \
	}
#define WORD_OF(type, member, name, list, text)                                                                        \
	{                                                                                                              \
		.key = name, .kind = YK_WORD, .offset = offsetof(struct type, member), .words = list, .help = text     \
	}
static const struct yaml_rule gateway_rules[] = {
	STR_OF(raw_gateway, url, "url", true, 500, "https://… that takes a message"),
	{.key = "plain_http",
	 .kind = YK_BOOL,
	 .offset = offsetof(struct raw_gateway, plain),
	 .help = "true: an http:// URL is meant"},
	WORD_OF(raw_gateway, method, "method", methods, "POST, PUT, or GET with the form in the URL"),
	WORD_OF(raw_gateway, body, "body", bodies, "json or form"),
	STR_OF(raw_gateway, template, "template", true, 4000, "the body, with {mobile} {text} {id} {sender}"),
	STRS_OF(raw_gateway, headers, "headers", 1000, "\"Name: value\", with {id} and {token}"),
	STR_OF(raw_gateway, token, "token", false, PATH_MAX - 1, "file (0600) of the token"),
	STR_OF(raw_gateway, sender, "sender", false, SENDER_MAX, "what {sender} stands for"),
	STR_OF(raw_gateway, field, "field", false, 100,
	       "member of a JSON answer that says what became of it, as data.code"),
	STRS_OF(raw_gateway, success, "success", 40, "its values for: taken"),
	STRS_OF(raw_gateway, refused, "refused", 40, "its values for: never, as for a number that is unknown"),
	INT_OF(raw_gateway, timeout_s, "timeout_seconds", 1, 120, 20, "for one message"),
	STR_OF(raw_gateway, ca, "ca", false, PATH_MAX - 1,
	       "file of the CAs that may vouch for it; the system's when absent"),
	{0}};
static const struct yaml_rule smtp_rules[] = {
	STR_OF(raw_smtp, host, "host", true, 253, "name of the server"),
	INT_OF(raw_smtp, port, "port", 1, 65535, 587, "its port"),
	WORD_OF(raw_smtp, tls, "tls", tls_words, "starttls, tls (from the first byte), or none"),
	STR_OF(raw_smtp, user, "user", false, 200, "who logs in"),
	STR_OF(raw_smtp, password, "password", false, PATH_MAX - 1, "file (0600) of the password"),
	STR_OF(raw_smtp, from, "from", true, MAIL_MAX, "address that mails come from"),
	STR_OF(raw_smtp, name, "name", false, SENDER_MAX, "name beside it"),
	STR_OF(raw_smtp, domain, "domain", false, 253, "of message ids and of the greeting; that of from when absent"),
	INT_OF(raw_smtp, timeout_s, "timeout_seconds", 1, 300, 60, "for one mail"),
	STR_OF(raw_smtp, ca, "ca", false, PATH_MAX - 1,
	       "file of the CAs that may vouch for it; the system's when absent"),
	{0}};
static const struct yaml_rule sms_rules[] = {WORD_OF(raw_sms, by, "by", sms_roads, "spool or gateway"),
					     INT_OF(raw_sms, workers, "workers", 1, 8, 4, "sent at once"),
					     {.key = "gateway",
					      .kind = YK_SUB,
					      .offset = offsetof(struct raw_sms, gateway),
					      .sub = gateway_rules,
					      .present = offsetof(struct raw_sms, has_gateway) + 1,
					      .help = "an HTTP gateway"},
					     {0}};
static const struct yaml_rule mail_rules[] = {WORD_OF(raw_mail, by, "by", mail_roads, "spool or smtp"),
					      INT_OF(raw_mail, workers, "workers", 1, 8, 2, "sent at once"),
					      {.key = "smtp",
					       .kind = YK_SUB,
					       .offset = offsetof(struct raw_mail, smtp),
					       .sub = smtp_rules,
					       .present = offsetof(struct raw_mail, has_smtp) + 1,
					       .help = "an SMTP server"},
					      {0}};
static const struct yaml_rule rules[] = {
	STR_OF(raw, root, "root", false, PATH_MAX - 1,
	       "where relative paths start; three levels above this file when absent"),
	STR_OF(raw, desk_socket, "desk_socket", true, PATH_MAX - 1, "Unix socket of the desk"),
	STR_OF(raw, state, "state", true, PATH_MAX - 1, "folder of spool/"),
	{.key = "sms", .kind = YK_SUB, .offset = offsetof(struct raw, sms), .sub = sms_rules, .help = "how SMS go out"},
	{.key = "mail",
	 .kind = YK_SUB,
	 .offset = offsetof(struct raw, mail),
	 .sub = mail_rules,
	 .help = "how mail goes out"},
	{.key = "log",
	 .kind = YK_WORD,
	 .offset = offsetof(struct raw, log),
	 .words = log_words,
	 .def = 3,
	 .help = "least level that is logged"},
	{0}};

void notifier_config_done(struct notifier_config *c)
{
	free(c->desk_socket);
	free(c->state);
	template_free(c->gateway.template);
	secret_done(&c->gateway.token);
	free(c->gateway.ca);
	secret_done(&c->smtp.password);
	free(c->smtp.ca);
	yaml_freep(&c->doc);
	*c = (struct notifier_config){0};
}

static char *path_or_null(const char *root, const char *path)
{
	return path ? path_join(root, path) : NULL;
}

/* --- the gateway --- */

static enum err url_fault(const struct yaml_doc *doc, const struct raw_gateway *g, struct fault *f)
{
	return yaml_fault(doc, &g->url, f, "gateway_url",
			  "found \"%s\", wanted https://host/… without user, password and fragment%s",
			  ESC(g->url, strlen(g->url)),
			  g->plain ? " (or http://…)" : "; http://… wants plain_http: true");
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool there = curl_url_get(u, part, &text, 0) == CURLUE_OK && text[0] != '\0';
	curl_free(text);
	return there;
}

static enum err read_url(const struct yaml_doc *doc, const struct raw_gateway *g, int64_t *ret_port, struct fault *f)
{
	CURLU *u = curl_url();
	char *port = NULL;
	bool https = strncmp(g->url, "https://", 8) == 0, http = strncmp(g->url, "http://", 7) == 0;
	bool good = (https || (http && g->plain)) && strpbrk(g->url, " {}\t\"<>\\^`|#") == NULL &&
		    curl_url_set(u, CURLUPART_URL, g->url, 0) == CURLUE_OK && !has_part(u, CURLUPART_USER) &&
		    !has_part(u, CURLUPART_PASSWORD) && has_part(u, CURLUPART_HOST) &&
		    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	*ret_port = good ? strtol(port, NULL, 10) : 0;
	curl_free(port);
	curl_url_cleanup(u);
	return good ? OK : url_fault(doc, g, f);
}

/* "Name: value" with a name of token characters (RFC 9110 5.6.2) and a value without controls. */
static bool header_is_good(const char *h)
{
	size_t n = strcspn(h, ":");
	if (n == 0 || h[n] != ':' || h[n + 1] != ' ' || h[n + 2] == '\0')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", h[i]))
			return false;
	}
	for (h += n; *h; h++) {
		if (*h < ' ' || *h > '~')
			return false;
	}
	return true;
}

static enum err check_headers(const struct yaml_doc *doc, const struct raw_gateway *g, struct fault *f)
{
	for (size_t i = 0; i < g->headers.n; i++) {
		const char *h = g->headers.v[i];
		if (!header_is_good(h))
			return yaml_fault(doc, &g->headers.v[i], f, "gateway_header",
					  "found \"%s\", wanted \"Name: value\" in ASCII", ESC(h, strlen(h)));
		if (template_check(h, header_words, NULL) != OK)
			return yaml_fault(doc, &g->headers.v[i], f, "gateway_header",
					  "found \"%s\", wanted no {words} but {id} and {token}", ESC(h, strlen(h)));
		if (strstr(h, "{token}") && !g->token)
			return yaml_fault(doc, &g->headers.v[i], f, "gateway_header", "found {token}, and no token");
	}
	return OK;
}

static enum err check_gateway(const struct yaml_doc *doc, const struct raw_gateway *g, struct fault *f)
{
	if (g->method == 2 && g->body == 0)
		return yaml_fault(doc, &g->method, f, "gateway_method", "found GET with a body, wanted body: form");
	if ((g->field == NULL) != (g->success.n == 0))
		return yaml_fault(doc, &g->url, f, "gateway_field",
				  "wanted both field and success, or neither: what the answer says, and which values "
				  "are good");
	return check_headers(doc, g, f);
}

/* A token becomes a part of a header. */
static enum err read_token(const char *path, struct secret *ret, struct fault *f)
{
	TRY(secret_read_file(path, SECRET_MAX, ret, f));
	for (size_t i = 0; i < ret->n; i++) {
		if (ret->p[i] < ' ' || ret->p[i] > '~')
			return fault_raise(f, ERR_CONFIG, "gateway_token", "token",
					   "%s: found a character that no header has", path);
	}
	return OK;
}

static enum err take_gateway(struct notifier_config *c, const struct raw_gateway *g, const char *root, struct fault *f)
{
	struct gateway_config *to = &c->gateway;
	_cleanup_(freep) char *token = path_or_null(root, g->token);
	TRY(check_gateway(c->doc, g, f));
	TRY(read_url(c->doc, g, &to->port, f));
	*to = (struct gateway_config){.url = g->url,
				      .sender = g->sender ? g->sender : "",
				      .plain = g->plain,
				      .put = g->method == 1,
				      .get = g->method == 2,
				      .body = g->body == 0 ? TEMPLATE_JSON : TEMPLATE_FORM,
				      .headers = g->headers,
				      .field = g->field,
				      .success = g->success,
				      .refused = g->refused,
				      .timeout_s = g->timeout_s,
				      .ca = path_or_null(root, g->ca),
				      .port = to->port};
	struct fault inner;
	if (template_read(to->body, g->template, body_words, &to->template, &inner) != OK)
		return yaml_fault(c->doc, &g->template, f, "gateway_template", "%s", inner.text);
	return token ? read_token(token, &to->token, f) : OK;
}

/* --- SMTP --- */

static bool host_is_good(const char *host)
{
	return strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:") == strlen(host);
}

static enum err check_smtp(const struct yaml_doc *doc, const struct raw_smtp *s, struct fault *f)
{
	if (!host_is_good(s->host))
		return yaml_fault(doc, &s->host, f, "smtp_host", "found \"%s\", wanted a host's name or address",
				  ESC(s->host, strlen(s->host)));
	if (!mail_is_good(s->from))
		return yaml_fault(doc, &s->from, f, "smtp_from", "found \"%s\", wanted an address as desk@example.com",
				  ESC(s->from, strlen(s->from)));
	if (s->domain && (!host_is_good(s->domain) || strchr(s->domain, ':')))
		return yaml_fault(doc, &s->domain, f, "smtp_domain", "found \"%s\", wanted a domain",
				  ESC(s->domain, strlen(s->domain)));
	if ((s->user == NULL) != (s->password == NULL))
		return yaml_fault(doc, &s->host, f, "smtp_user", "wanted both user and password, or neither");
	if (s->user && s->tls == TLS_NONE)
		return yaml_fault(
			doc, &s->tls, f, "smtp_plain",
			"found a password and tls: none, wanted starttls or tls: it would go out in the clear");
	return OK;
}

static enum err take_smtp(struct notifier_config *c, const struct raw_smtp *s, const char *root, struct fault *f)
{
	_cleanup_(freep) char *password = path_or_null(root, s->password);
	TRY(check_smtp(c->doc, s, f));
	c->smtp = (struct smtp_config){
		.host = s->host,
		.user = s->user,
		.port = s->port,
		.timeout_s = s->timeout_s,
		.tls = (enum tls)s->tls,
		.from = {s->from, s->name ? s->name : "", s->domain ? s->domain : strchr(s->from, '@') + 1},
		.ca = path_or_null(root, s->ca)};
	return password ? secret_read_file(password, SECRET_MAX, &c->smtp.password, f) : OK;
}

/* --- all --- */

static enum err take(struct notifier_config *c, const struct raw *raw, const char *root, struct fault *f)
{
	c->desk_socket = path_join(root, raw->desk_socket);
	c->state = path_join(root, raw->state);
	c->sms_road = raw->sms.by == 0 ? ROAD_SPOOL : ROAD_GATEWAY;
	c->mail_road = raw->mail.by == 0 ? ROAD_SPOOL : ROAD_SMTP;
	c->sms_workers = raw->sms.workers;
	c->mail_workers = raw->mail.workers;
	c->log = (enum log_level)(LOG_LEVEL_ERROR + raw->log);
	if (c->sms_road == ROAD_GATEWAY && !raw->sms.has_gateway)
		return yaml_fault(c->doc, &raw->sms.by, f, "gateway_missing", "found by: gateway, and no gateway");
	if (c->mail_road == ROAD_SMTP && !raw->mail.has_smtp)
		return yaml_fault(c->doc, &raw->mail.by, f, "smtp_missing", "found by: smtp, and no smtp");
	if (c->sms_road == ROAD_GATEWAY)
		TRY(take_gateway(c, &raw->sms.gateway, root, f));
	return c->mail_road == ROAD_SMTP ? take_smtp(c, &raw->mail.smtp, root, f) : OK;
}

static enum err load(const char *path, struct notifier_config *c, struct fault *f)
{
	_cleanup_buf_ struct buf text = {0};
	struct raw raw = {0};
	TRY(file_read(path, CONFIG_MAX, &text, f));
	sha256(text.data, text.len, c->sha256);
	TRY(yaml_parse(path, buf_slice(&text), &c->doc, f));
	TRY(yaml_decode(c->doc, yaml_root(c->doc), rules, &raw, f));
	_cleanup_(freep) char *base = path_tree(path), *root = raw.root ? path_join(base, raw.root) : xstrdup(base);
	return take(c, &raw, root, f);
}

enum err notifier_config_load(const char *path, struct notifier_config *ret, struct fault *f)
{
	struct notifier_config c = {0};
	enum err e = load(path, &c, f);
	if (e != OK) {
		notifier_config_done(&c);
		if (e == ERR_NOT_FOUND && f && strcmp(f->rule, "secret_file_open") != 0)
			return fault_raise(f, ERR_CONFIG, "config_missing", "config", "%s: no such file",
					   ESC(path, strlen(path)));
		return e;
	}
	*ret = c;
	return OK;
}

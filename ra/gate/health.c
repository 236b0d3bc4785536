/*
 * Health for load balancers and metrics for Prometheus: on a socket of its own, for nobody outside.
 *
 * Alive is a gate that answers. Ready is one whose answers can be believed: the feed has no fork, its beat is not a day
 * old, a responder's certificate is good. One that the desk has left goes on serving what is still true, and says how
 * old that is.
 */
#include "common/base/clock.h"
#include "ra/gate/crls.h"
#include "ra/gate/ocsp.h"
#include "ra/gate/responder.h"
#include "ra/gate/root_crl.h"
#include "ra/gate/routes.h"

#include "common/rpc/jsonrpc.h"

#include "common/base/cleanup.h"

#include <string.h>

#define LATE_SECONDS 120 /* two beats missed */

struct health {
	const char *why; /* "": ready */
	bool late;
	struct gate_head head;
	uint64_t behind;
	int64_t beat_age, responder_left, least_left; /* of the issuing CA; of all */
	size_t certificates, bytes;
};

static struct health look(struct gate *g)
{
	struct health h = {0};
	int64_t now = clock_now();
	gate_ready(g, &h.why);
	table_read_begin(g->table);
	h.head = table_head(g->table);
	h.certificates = table_count(g->table);
	h.bytes = table_bytes(g->table);
	table_read_end(g->table);
	h.behind = g->ledger_size > h.head.size ? g->ledger_size - h.head.size : 0;
	h.beat_age = h.head.beat == 0 ? -1 : now - h.head.beat;
	for (size_t i = 0; i < g->n_issuers; i++) {
		int64_t left = responder_left(g->issuers[i].responder, now);
		h.responder_left = i == 0 ? left : h.responder_left;
		h.least_left = i == 0 || left < h.least_left ? left : h.least_left;
	}
	if (h.why[0] == '\0' && h.beat_age >= OCSP_STALE_SECONDS)
		h.why = "stale";
	if (h.why[0] == '\0' && h.responder_left == 0 && g->config.n_keys > 0)
		h.why = "responder";
	h.late = h.beat_age > LATE_SECONDS;
	return h;
}

bool route_health(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	bool ready = strcmp(r->path, "/readyz") == 0;
	if (!ready && strcmp(r->path, "/healthz") != 0)
		return false;
	struct health h = look(g);
	const char *state = h.why[0] != '\0' ? h.why : h.late ? "late" : "ok";
	to->status = ready && h.why[0] != '\0' ? 503 : 200;
	to->type = "application/json";
	buf_fmt(&to->body,
		"{\"state\":\"%s\",\"ready\":%s,\"entries\":%llu,\"behind\":%llu,\"beat\":%s%s%s,\"beat_age_seconds\":"
		"%lld,\"certificates\":%zu,\"responder_seconds\":%lld}\n",
		state, h.why[0] == '\0' ? "true" : "false", (unsigned long long)h.head.size,
		(unsigned long long)h.behind, h.head.beat ? "\"" : "", h.head.beat ? UTC(h.head.beat) : "null",
		h.head.beat ? "\"" : "", (long long)h.beat_age, h.certificates, (long long)h.responder_left);
	return true;
}

/* --- metrics --- */

static const struct {
	enum gate_count what;
	const char *kind, *result;
} counts[] = {
	{COUNT_OCSP_CACHED, "ocsp", "kept"},
	{COUNT_OCSP_SIGNED, "ocsp", "signed"},
	{COUNT_OCSP_MALFORMED, "ocsp", "malformed"},
	{COUNT_OCSP_UNAUTHORIZED, "ocsp", "unauthorized"},
	{COUNT_OCSP_TRY_LATER, "ocsp", "try_later"},
	{COUNT_OCSP_INTERNAL, "ocsp", "internal"},
	{COUNT_CRL, "crl", "served"},
	{COUNT_CA, "ca", "served"},
	{COUNT_LOG, "log", "served"},
	{COUNT_DOCUMENT, "document", "served"},
	{COUNT_STATUS, "status", "served"},
	{COUNT_PAGE, "page", "served"},
	{COUNT_RPC, "rpc", "answered"},
	{COUNT_RPC_ERROR, "rpc", "error"},
	{COUNT_RPC_REFUSED, "rpc", "refused"},
	{COUNT_NOT_FOUND, "http", "not_found"},
	{COUNT_REFUSED, "http", "refused"},
};

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_fmt(b, "# HELP hufu_gate_%s %s\n# TYPE hufu_gate_%s %s\n", name, help, name, type);
}

static void gauge(struct buf *b, const char *name, const char *help, long long v)
{
	head(b, name, "gauge", help);
	buf_fmt(b, "hufu_gate_%s %lld\n", name, v);
}

static void put_latency(struct gate *g, struct buf *b)
{
	uint64_t n = 0;
	int64_t most = 16;
	head(b, "request_seconds", "histogram", "From a request's headers to its answer.");
	for (size_t i = 0; i < LATENCY_BUCKETS; i++, most *= 4) {
		n += g->latency[i];
		if (i < LATENCY_BUCKETS - 1)
			buf_fmt(b, "hufu_gate_request_seconds_bucket{le=\"%.6f\"} %llu\n", (double)most / 1e6,
				(unsigned long long)n);
	}
	buf_fmt(b,
		"hufu_gate_request_seconds_bucket{le=\"+Inf\"} %llu\nhufu_gate_request_seconds_sum %.6f\n"
		"hufu_gate_request_seconds_count %llu\n",
		(unsigned long long)n, (double)g->latency_us / 1e6, (unsigned long long)n);
}

static void put_crls(struct gate *g, struct buf *b)
{
	int64_t now = clock_now(), oldest = 0, next = 0;
	size_t n = 0;
	for (size_t i = 0; i < g->n_issuers; i++) {
		int64_t age, left;
		size_t more = crls_ages(g->issuers[i].crls, now, &age, &left);
		oldest = age > oldest ? age : oldest;
		next = n == 0 || (more > 0 && left < next) ? left : next;
		n += more;
	}
	gauge(b, "crls", "CRLs that are served.", (long long)n);
	gauge(b, "crl_age_seconds", "Of the oldest CRL that is served.", (long long)oldest);
	gauge(b, "crl_left_seconds", "Until the first nextUpdate of a CRL that is served.", (long long)next);
}

static void put_root(struct gate *g, struct buf *b)
{
	int64_t age, left;
	long long revoked = 0;
	if (!g->root_crls)
		return;
	for (size_t i = 0; i < g->n_issuers; i++)
		revoked += issuer_is_revoked(&g->issuers[i]);
	crls_ages(g->root_crls, clock_now(), &age, &left);
	gauge(b, "root_crl_left_seconds", "Until the nextUpdate of the root's CRL; 0: there is none.", (long long)left);
	gauge(b, "issuers_revoked", "CAs of this gate that the root has revoked.", revoked);
}

/* Of both roles. */
static void put_requests(struct gate *g, struct http_reply *to)
{
	struct buf *b = &to->body;
	to->type = "text/plain; version=0.0.4; charset=utf-8";
	head(b, "requests_total", "counter", "Requests answered, by kind and result.");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		buf_fmt(b, "hufu_gate_requests_total{kind=\"%s\",result=\"%s\"} %llu\n", counts[i].kind,
			counts[i].result, (unsigned long long)g->counts[counts[i].what]);
	put_latency(g, b);
}

bool route_metrics(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	struct buf *b = &to->body;
	if (strcmp(r->path, "/metrics") != 0)
		return false;
	struct health h = look(g);
	put_requests(g, to);
	gauge(b, "ready", "1: answers can be believed.", h.why[0] == '\0');
	gauge(b, "feed_beat_age_seconds", "Since the last beat of the ledger that was followed; -1: none.", h.beat_age);
	gauge(b, "feed_entries", "Entries of the ledger that were followed.", (long long)h.head.size);
	gauge(b, "feed_behind_entries", "Entries that the ledger has more.", (long long)h.behind);
	gauge(b, "certificates", "Certificates in the table.", (long long)h.certificates);
	gauge(b, "table_bytes", "Memory of the table.", (long long)h.bytes);
	gauge(b, "ocsp_kept", "OCSP answers that are kept signed.", (long long)ocsp_kept(g->ocsp));
	gauge(b, "responder_left_seconds",
	      "Until the responder's certificate ends; 0: none. After a roll, of whichever CA it ends first.",
	      h.least_left);
	put_crls(g, b);
	put_root(g, b);
	return true;
}

/* --- a portal's --- */

/* Where it may wait: ready is a portal whose desk answers. */
static bool ask_desk(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	_cleanup_(json_freep) json_t *params = json_object(), *result = NULL;
	struct fault f = {0};
	(void)r;
	bool ready = jsonrpc_call(g->desk_quick, "calendar.show", params, &result, NULL, &f) == OK;
	to->status = ready ? 200 : 503;
	to->type = "application/json";
	buf_fmt(&to->body, "{\"state\":\"%s\",\"ready\":%s}\n", ready ? "ok" : "desk_away", ready ? "true" : "false");
	return true;
}

bool route_portal_health(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	(void)g;
	if (strcmp(r->path, "/readyz") == 0) {
		to->later = ask_desk;
		return true;
	}
	if (strcmp(r->path, "/healthz") != 0)
		return false;
	to->type = "application/json";
	buf_str(&to->body, "{\"state\":\"ok\"}\n");
	return true;
}

bool route_portal_metrics(struct gate *g, const struct http_request *r, struct http_reply *to)
{
	if (strcmp(r->path, "/metrics") != 0)
		return false;
	put_requests(g, to);
	return true;
}

/*
 * Health: the signer as it answered last, how far the follower is behind, what waits, and every reason for worry in
 * words.
 */
#include "ra/health.h"

#include "ra/follow.h"
#include "ra/material.h"
#include "ra/officer.h"
#include "ra/signer.h"
#include "ra/status_index.h"
#include "ra/store_outbox.h"
#include "ra/store_parcel.h"
#include "ra/store_queue.h"

#include "common/base/clock.h"

#include <string.h>

#define PENDING_PAGE 100
#define STALE_S 180
#define MESSAGE_LATE_S 60
#define FAILED_S 86400

static json_t *signer_json(const struct signer_state *s)
{
	json_t *o = json_object();
	json_object_set_new(o, "reachable", json_boolean(s->reachable));
	if (s->asked)
		json_object_set_new(o, "asked_at", json_time(s->asked_at));
	if (!s->reachable) {
		json_object_set_new(o, "error", json_string(s->error));
		return o;
	}
	json_object_set_new(o, "locked", json_boolean(s->locked));
	json_object_set_new(o, "waits", json_boolean(s->waits));
	json_object_set_new(o, "ledger_size", json_integer((json_int_t)s->size));
	json_object_set_new(o, "last_beat", json_time(s->last_beat));
	json_object_set_new(o, "policy_version", json_integer((json_int_t)s->policy_version));
	json_object_set_new(o, "policy", json_hex(s->policy, 32));
	json_object_set_new(o, "roster_version", json_integer((json_int_t)s->roster_version));
	json_object_set_new(o, "roster", json_hex(s->roster, 32));
	json_object_set_new(o, "issuer_not_after", json_time(s->issuer_not_after));
	json_object_set_new(o, "issued", json_integer((json_int_t)s->issued));
	json_object_set_new(o, "refused", json_integer((json_int_t)s->refused));
	json_object_set_new(o, "rejected", json_integer((json_int_t)s->rejected));
	json_object_set_new(o, "revoked", json_integer((json_int_t)s->revoked));
	return o;
}

static json_t *law_json(const struct law *law)
{
	json_t *o = json_object();
	json_object_set_new(o, "policy_version", json_integer((json_int_t)law->policy->note.version));
	json_object_set_new(o, "policy", json_hex(law->policy->note.sha256, 32));
	json_object_set_new(o, "roster_version", json_integer((json_int_t)law->roster.version));
	json_object_set_new(o, "roster", json_hex(law->roster.sha256, 32));
	return o;
}

static void worry(json_t *list, const char *word, const char *zh, const char *text)
{
	json_t *o = json_object();
	json_object_set_new(o, "reason", json_string(word));
	json_object_set_new(o, "text", json_string(text));
	json_object_set_new(o, "zh", json_string(zh));
	json_object_set_new(o, "en", json_string(text));
	json_array_append_new(list, o);
}

/* What can wait until somebody has the time: a month ahead, so that there is some. */
static json_t *remarks(const struct ctx *c)
{
	json_t *list = json_array();
	const struct calendar *k = law_calendar(c->law);
	if (!c->law->dates)
		worry(list, "calendar_missing", "ra.yaml 中没有工作日历：应办结时间不计节假日",
		      "ra.yaml names no calendar: due dates know no holidays");
	else if (!calendar_knows(k, c->now) || !calendar_knows(k, c->now + 30 * 86400))
		worry(list, "calendar_year", "工作日历缺少今年或明年：该年份的应办结时间不计节假日",
		      "the calendar lacks this year or the next: due dates know no holidays there");
	return list;
}

/* A hold is the desk's alone to ask for, so each is counted and told for as long as it lasts. */
struct holds {
	int64_t now, day;
};

static void worry_holds(json_t *list, const struct holds *h)
{
	_cleanup_(freep) char *zh = xasprintf("挂起中的证书 %lld 张，近 24 小时申请挂起 %lld 次：请解除挂起或吊销",
					      (long long)h->now, (long long)h->day);
	_cleanup_(freep) char *en = xasprintf("%lld certificates are on hold; %lld holds were asked for in the last 24 "
					      "hours: release or revoke them",
					      (long long)h->now, (long long)h->day);
	if (h->now > 0)
		worry(list, "certificates_held", zh, en);
}

static json_t *worries(struct ctx *c, const struct signer_state *s, int64_t at, const struct holds *holds)
{
	json_t *list = json_array();
	const struct law *law = c->law;
	if (c->desk->forked)
		worry(list, "ledger_fork",
		      "签发系统的台账不是此前跟随的那一本：已停止受理。请保留两份台账并查明是谁改动的；如为恢复所致，先"
		      "运行 hufu ledger resume，再运行 hufu desk resume",
		      "the signer's ledger is not the one that was followed: no work is taken; keep both and ask who "
		      "changed it; after a restore: hufu ledger resume, then hufu desk resume");
	if (!s->reachable)
		worry(list, "signer_unreachable", "签发系统无应答：申请在队列中等待",
		      "the signer does not answer: requests wait in the queue");
	if (s->reachable && s->waits)
		worry(list, "ledger_waits",
		      "签发系统的台账经过恢复或落后：等待运行 hufu ledger resume，申请在队列中等待",
		      "the signer's ledger was restored or is behind: it waits for hufu ledger resume, requests wait");
	if (s->reachable && s->locked)
		worry(list, "signer_locked", "签发密钥未开启：申请在队列中等待",
		      "the signer's key is not open: requests wait in the queue");
	if (s->reachable && memcmp(s->policy, law->policy->note.sha256, 32) != 0)
		worry(list, "policy_differs", "签发系统与服务台的业务规则不同：服务台受理的申请会被签发系统拒绝",
		      "the signer judges by another policy than the desk: it will refuse what the desk accepts");
	if (s->reachable && memcmp(s->roster, law->roster.sha256, 32) != 0)
		worry(list, "roster_differs", "签发系统的名册与服务台的不同",
		      "the signer has another roster than the desk");
	if (!law->quorum)
		worry(list, "policy_quorum", "服务台的业务规则上，名册审核员的签名不足法定人数",
		      "the desk's policy note holds no quorum of its roster's officers");
	if (c->now - at > STALE_S)
		worry(list, "status_stale", "台账已有三分钟没有新记录：证书状态数据已经过时",
		      "no entry of the ledger has come for three minutes: status data is old");
	if (status_fallen(c->desk->status) > 0)
		worry(list, "issuer_revoked", "根已吊销签发机构：其签发的证书一律按已吊销答复",
		      "the root has revoked a CA: all its certificates are answered as revoked");
	worry_holds(list, holds);
	return list;
}

static enum err material_worry(struct ctx *c, json_t *list, struct fault *f)
{
	int64_t damaged = 0;
	TRY(material_worries(c, &damaged, f));
	if (damaged > 0)
		worry(list, "material_damaged", "存放的材料文件被改动或缺失：审计记录列出了是哪些，请从备份中找回",
		      "stored materials were found altered or missing: the audit names them, bring them back from the "
		      "backup");
	if (vault_room(c->desk->vault, 0, (uint64_t)c->desk->config.materials.free_mib << 20, NULL) != OK)
		worry(list, "disk_full", "磁盘剩余空间低于为其他用途保留的数量：暂不接收材料",
		      "the disk has less free than materials must leave: no files are taken");
	return OK;
}

static void add_count(void *arg, const char *state, int64_t n)
{
	json_object_set_new(arg, state, json_integer(n));
}

/* Codes live for minutes: a message that waits for one is trouble. */
static enum err add_outbox(struct ctx *c, json_t *o, json_t *list, struct fault *f)
{
	struct outbox_counts n;
	bool by_notifier = c->desk->config.notices.by_notifier;
	TRY(store_outbox_counts(c->db, c->now - FAILED_S, &n, f));
	json_object_set_new(o, "messages_waiting", json_integer(n.waiting));
	json_object_set_new(o, "messages_failed", json_integer(n.failed));
	if (n.waiting > 0 && c->now - n.since > MESSAGE_LATE_S)
		worry(list, "messages_late",
		      by_notifier ? "短信和邮件没有发出：请检查发送程序 hufu-notifier 及其日志"
				  : "短信和邮件不能写入待发目录",
		      by_notifier ? "messages to people are not sent: look at the notifier and its log"
				  : "messages to people cannot be written to the spool");
	return OK;
}

static enum err add_parcels(struct ctx *c, json_t *o, json_t *list, struct fault *f)
{
	int64_t late = 0;
	TRY(store_parcels_overdue(c->db, c->now, &late, f));
	json_object_set_new(o, "parcels_overdue", json_integer(late));
	if (late > 0)
		worry(list, "parcels_overdue", "有 USB Key 包裹尚未签收：请询问快递公司或收件单位",
		      "parcels with USB keys have no receipt yet: ask the carrier, or the owner");
	return OK;
}

enum err desk_health(struct ctx *c, json_t **ret, struct fault *f)
{
	struct signer_state s;
	struct queue_counts n;
	struct holds holds = {0};
	int64_t next = 0, at = 0, waiting = 0;
	_cleanup_(json_freep) json_t *counts = json_object();
	signer_view_get(c->desk->view, &s);
	TRY(store_head(c->db, HEAD_NEXT, &next, f));
	TRY(store_head(c->db, HEAD_AT, &at, f));
	TRY(store_handover_count(c->db, &waiting, f));
	TRY(store_requests_count(c->db, add_count, counts, f));
	TRY(store_requests_queue_count(c->db, &(struct queue_filter){.kind = "", .now = c->now}, &n, f));
	TRY(store_certs_held(c->db, &holds.now, f));
	TRY(store_requests_holds(c->db, c->now - 86400, &holds.day, f));
	*ret = json_object();
	json_object_set_new(*ret, "version", json_string(HUFU_VERSION));
	json_object_set_new(*ret, "signer", signer_json(&s));
	json_object_set_new(*ret, "desk", law_json(c->law));
	json_object_set_new(*ret, "ledger_size", json_integer(next));
	json_object_set_new(*ret, "as_of", json_time(at));
	json_object_set_new(*ret, "lag", json_integer((int64_t)s.size > next ? (int64_t)s.size - next : 0));
	json_object_set_new(*ret, "queue", json_integer(waiting));
	json_object_set_new(*ret, "requests", TAKE(counts));
	_cleanup_(json_freep) json_t *list = worries(c, &s, at, &holds);
	TRY(add_outbox(c, *ret, list, f));
	TRY(material_worry(c, list, f));
	TRY(add_parcels(c, *ret, list, f));
	if (n.overdue > 0)
		worry(list, "requests_overdue", "有申请等待审核的时间超过了期限",
		      "requests wait for officers longer than they should");
	json_object_set_new(*ret, "overdue", json_integer(n.overdue));
	json_object_set_new(*ret, "worries", TAKE(list));
	json_object_set_new(*ret, "remarks", remarks(c));
	json_object_set_new(*ret, "held", json_integer(holds.now));
	json_object_set_new(*ret, "holds_24h", json_integer(holds.day));
	return OK;
}

static void add_pending(void *arg, const struct request_item *item)
{
	json_t *o = json_object();
	json_object_set_new(o, "request", json_string(item->id));
	json_object_set_new(o, "kind", json_string(item->kind));
	json_object_set_new(o, "project", json_string(item->project));
	json_object_set_new(o, "profile", json_string(item->profile));
	json_object_set_new(o, "state", json_string(item->state));
	json_object_set_new(o, "policy", json_string(item->policy));
	if (item->dies != 0)
		json_object_set_new(o, "dies", json_time(item->dies));
	json_array_append_new(arg, o);
}

enum err policy_pending(struct ctx *c, json_t **ret, struct fault *f)
{
	_cleanup_(json_freep) json_t *rows = json_array();
	struct list_page page;
	struct list_end end;
	const struct yaml_strs *view = officer_view(c);
	struct queue_filter q = {.projects = view ? view->v : NULL, .n_projects = view ? view->n : 0, .kind = ""};
	TRY(param_list(c, PENDING_PAGE, &page, f));
	TRY(store_requests_pending(c->db, &q, &page, add_pending, rows, &end, f));
	*ret = json_object();
	json_object_set_new(*ret, "policy", json_hex(c->law->policy->note.sha256, 32));
	json_object_set_new(*ret, "requests", TAKE(rows));
	if (end.more)
		json_object_set_new(*ret, "next", json_sprintf("%lld:%s", (long long)end.last.at, end.last.id));
	return OK;
}
